// The pages of staff: finding a customer, giving tokens back, registering, a
// code for a forgotten PIN. With and without script.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { api, newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/rasterworks';
const STAFF = `${SHOP}/staff`;

async function submit(page, button) {
  await Promise.all([page.waitForNavigation(), button.click()]);
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';

  browserTest(`staff refund a part of an order, ${how}`, async ({ open, demo }) => {
    const viewport = javascript ? undefined : PHONE;
    const customers = await open({ javascript });
    const customer = await newCustomer(customers, await demo(), 'rasterworks', 'Vera Holm', 300);
    const call = async (method, path, body) =>
      api(customers, await demo(), 'rasterworks', method, path, body);
    const lines = [
      { sku: 'software-a', quantity: 1 },
      { sku: 'straight-edge', quantity: 2 },
    ];
    const order = await call('POST', '/v1/orders', { customer_id: customer.id, lines });
    await call('POST', `/v1/orders/${order.order_id}/refund-requests`, { reason: 'Too many.' });

    const page = await open({ who: 'rasterworks/staff', javascript, viewport });
    await page.goto(`${STAFF}/today`);
    assert.ok(await page.locator('svg.chart title').count(), 'the day has a chart');
    if (javascript) await assertAccessible(page);
    await page.fill('input[type=search]', customer.number);
    await submit(page, page.getByRole('button', { name: 'Find' }));
    await page.getByRole('link', { name: 'Vera Holm' }).click();
    await page.getByRole('link', { name: 'Software A and 1 more' }).first().click();
    assert.ok(await page.getByText('Too many.').isVisible(), 'what the customer asked');
    if (javascript) await assertAccessible(page);
    await page.getByText('Only a part of it').click();
    await page.selectOption('#pieces-2', '1');
    await submit(page, page.getByRole('button', { name: 'Refund these pieces' }));
    const notice = page.getByRole('status').filter({ hasText: 'Tokens were given back.' });
    assert.match(await notice.innerText(), /35 tokens of this order/);
    assert.ok(await page.getByRole('button', { name: 'Refund 135 tokens' }).isVisible());

    await customers.goto(`${SHOP}/account`);
    const newest = customers.locator('tbody tr').first();
    assert.match(await newest.innerText(), /given back[^]*\+35/);
    await submit(customers, newest.getByRole('link'));
    assert.match(new URL(customers.url()).pathname, /\/orders\/ord_/);
  });

  browserTest(`REG-03 staff register a customer, and a code sets the PIN, ${how}`, async ({
    open,
  }) => {
    const page = await open({ who: 'rasterworks/staff', javascript, statuses: [422] });
    await page.goto(`${STAFF}/customers/new`);
    await page.fill('#name', 'x'.repeat(300));
    await page.fill('#address', 'Street 1\nTown');
    await submit(page, page.getByRole('button', { name: 'Register' }));
    assert.ok(await page.getByText('at most 200 fit').isVisible());
    assert.equal(await page.inputValue('#address'), 'Street 1\nTown');
    if (javascript) await assertAccessible(page);
    await page.fill('#name', 'Viggo Holm');
    await submit(page, page.getByRole('button', { name: 'Register' }));
    assert.ok(await page.getByText('The account is open.').isVisible());
    const number = await page.locator('h1 + p .mono').innerText();
    await page.getByText('A forgotten PIN').click();
    await submit(page, page.getByRole('button', { name: 'Make a code' }));
    const code = await page.locator('p.code').innerText();
    if (javascript) await assertAccessible(page);

    const customer = await open({ javascript });
    await customer.goto(`${SHOP}/forgot`);
    await customer.fill('[name=name]', number);
    await customer.fill('[name=code]', code.toLowerCase());
    await customer.fill('[name=pin]', '83105');
    await customer.fill('[name=pin_again]', '83105');
    await submit(customer, customer.locator('main form button').first());
    await customer.fill('[name=name]', number);
    await customer.fill('[name=secret]', '83105');
    await submit(customer, customer.locator('form:has([name=secret]) button').first());
    await customer.goto(`${SHOP}/account`);
    assert.ok(await customer.getByText('Your account is not active yet.').isVisible());
  });
}

browserTest('a double click refunds once', async ({ open, demo }) => {
  const other = await open();
  const customer = await newCustomer(other, await demo(), 'rasterworks', 'Vilma Holm', 200);
  const body = { customer_id: customer.id, lines: [{ sku: 'software-a', quantity: 1 }] };
  const order = await api(other, await demo(), 'rasterworks', 'POST', '/v1/orders', body);
  const page = await open({ who: 'rasterworks/staff' });
  await page.goto(`${STAFF}/orders/${order.order_id}`);
  await page.getByRole('button', { name: 'Refund 100 tokens' }).dblclick();
  await page.waitForURL(/done=refunded/);
  await other.goto(`${SHOP}/account`);
  assert.equal(await other.locator('tbody tr', { hasText: '+100' }).count(), 1);
});

browserTest('the hours of the day as a table, at 320 px', async ({ open, demo }) => {
  const other = await open();
  const customer = await newCustomer(other, await demo(), 'rasterworks', 'Vidar Holm', 200);
  const body = { customer_id: customer.id, lines: [{ sku: 'software-a', quantity: 1 }] };
  await api(other, await demo(), 'rasterworks', 'POST', '/v1/orders', body);
  const page = await open({ who: 'rasterworks/staff', viewport: PHONE });
  await page.goto(`${STAFF}/today`);
  const row = page.getByRole('region', { name: 'Table: tokens by hour' }).locator('tbody tr');
  assert.equal(await row.first().isVisible(), false);
  await page.getByText('The same as a table').click();
  assert.match(await row.first().innerText(), /^\d\d:00\s+\d+\s+[\d,]+/);
});

browserTest('SHP-03 staff who quit are out', async ({ open }) => {
  const page = await open({ who: 'rasterworks/staff', ownSession: true });
  await page.goto(`${STAFF}/orders`);
  await submit(page, page.getByRole('button', { name: 'Quit' }));
  assert.equal(new URL(page.url()).pathname, `${STAFF}/sign-in`);
  await page.goto(`${STAFF}/today`);
  assert.equal(new URL(page.url()).pathname, `${STAFF}/sign-in`);
});
