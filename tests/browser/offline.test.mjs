// Tokens without a card (FIG. 4): a customer orders on the web, staff accept and enter the
// payment; staff take an order themselves, and a wrong PIN stops it. With and without script.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { PIN, newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/loom';
const STAFF = `${SHOP}/staff/token-orders`;

async function submit(page, name) {
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name }).first().click()]);
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';
  const viewport = javascript ? undefined : PHONE;

  browserTest(`TOK-11 an order without a card is paid, ${how}`, async ({ open }) => {
    const page = await open({ who: 'loom/Ana', javascript, viewport });
    await page.goto(`${SHOP}/buy?tokens=100`);
    await Promise.all([
      page.waitForNavigation(),
      page.getByRole('link', { name: 'Pay without a card' }).click(),
    ]);
    await page.getByLabel('By cheque').check();
    if (javascript) await assertAccessible(page);
    await submit(page, /^Order 100 tokens/);
    const reference = (await page.locator('h1 .mono').innerText()).trim();
    assert.match(reference, /^T-\d{6}$/);
    assert.ok(await page.getByText('4 Weaver Street').isVisible(), 'where to send it');
    if (javascript) await assertAccessible(page);

    const staff = await open({ who: 'loom/staff', javascript, viewport });
    await staff.goto(`${STAFF}?q=${reference}`);
    await Promise.all([
      staff.waitForNavigation(),
      staff.getByRole('link', { name: reference }).click(),
    ]);
    await submit(staff, 'Accept the order');
    assert.ok(await staff.getByText('The order is accepted.').isVisible());
    if (javascript) await assertAccessible(staff);
    await submit(staff, 'Enter the payment');
    assert.ok(await staff.getByText('The payment is entered.').isVisible());

    await page.reload();
    assert.ok(await page.getByText('Paid', { exact: true }).first().isVisible());
  });

  browserTest(`TOK-10 staff take an order, and a wrong PIN stops it, ${how}`, async ({
    open,
    demo,
  }) => {
    const staff = await open({
      who: 'loom/staff',
      javascript,
      viewport,
      statuses: [422],
    });
    const customer = await newCustomer(staff, await demo(), 'loom', 'Vera Holm', 10);
    await staff.goto(`${STAFF}/new`);
    await staff.fill('#account', customer.number);
    await submit(staff, 'Find the account');
    assert.ok(await staff.getByRole('link', { name: 'Vera Holm' }).isVisible(), 's201');
    await staff.fill('#pin', '9999');
    await submit(staff, 'Take the order');
    assert.ok(await staff.getByText('The order is not taken.').isVisible(), 's202');
    if (javascript) await assertAccessible(staff);
    await staff.fill('#pin', PIN);
    await staff.fill('#tokens', '40');
    await staff.getByLabel('In cash').check();
    await submit(staff, 'Take the order');
    assert.ok(await staff.getByText('The order is taken.').isVisible(), 's204');
    await submit(staff, 'Enter the payment');
    assert.ok(await staff.getByText('The payment is entered.').isVisible(), 's206');
  });
}
