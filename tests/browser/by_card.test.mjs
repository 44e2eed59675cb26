// An order that a card pays (SHP-17): the page that asks to confirm, the shortage, the receipt; a
// card that is declined; a card that does not answer. With script and without.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { api, newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/loom';
const SKU = 'yellow-wool-jumper';

async function press(page, name) {
  const button = page.getByRole('button', { name });
  await Promise.all([page.waitForNavigation(), button.first().click()]);
}

// A jumper of its own for each test: those of the shop are few.
async function putJumper(page, demo, { id }, sku, quantity) {
  const ask = (method, path, body) => api(page, demo, 'loom', method, path, body);
  await ask('PUT', `/v1/products/${sku}`, { title: `Jumper ${sku}` });
  const offer = { kind: 'purchase', price: '120', initial_stock: 3 };
  const made = await ask('PUT', `/v1/products/${sku}/offers/${sku}`, offer);
  await ask('PUT', `/v1/customers/${id}/order-list/${made.offer_id}`, { quantity });
}

async function available(page, demo, { id }) {
  const balance = await api(page, demo, 'loom', 'GET', `/v1/customers/${id}/balance`);
  return balance.available.amount;
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';
  const options = javascript ? {} : { javascript: false, viewport: PHONE };
  const sku = `${SKU}-${javascript ? 'a' : 'b'}`;

  browserTest(`SHP-17 a card pays, and the tokens stay, ${how}`, async ({ open, demo }) => {
    const page = await open(options);
    const customer = await newCustomer(page, await demo(), 'loom', 'Card Holm', 200);
    await putJumper(page, await demo(), customer, sku, 1);
    await page.goto(`${SHOP}/confirm`);
    await page.getByText('Pay $12.00 by card instead').click();
    await page.getByText('Your tokens stay as they are').waitFor();
    if (javascript) await assertAccessible(page);
    await press(page, 'Pay $12.00 by card');
    assert.match(page.url(), /\/orders\/ord_/);
    assert.match(await page.locator('.receipt').innerText(), /Paid by card/);
    if (javascript) await assertAccessible(page);
    assert.equal(await available(page, await demo(), customer), '200');
    await page.goto(`${SHOP}/orders`);
    await page.getByText('$12.00 by card').waitFor();
  });

  browserTest(`SHP-14 SHP-17 short of tokens, declined, silent, ${how}`, async ({ open, demo }) => {
    const page = await open({ ...options, statuses: [422] });
    const customer = await newCustomer(page, await demo(), 'loom', 'Short Holm', 150);
    await putJumper(page, await demo(), customer, `${sku}-2`, 2);
    await page.goto(`${SHOP}/confirm`);
    const link = page.getByRole('link', { name: 'Pay $24.00 by card' });
    await Promise.all([page.waitForNavigation(), link.click()]);
    assert.equal(await page.getByRole('button', { name: /^Confirm: pay/ }).count(), 0);
    if (javascript) await assertAccessible(page);
    await page.locator('input[name=card][value=test_declined]').check();
    await press(page, 'Pay $24.00 by card');
    await page.getByText('The card was declined.').first().waitFor();
    if (javascript) await assertAccessible(page);
    await page.locator('input[name=card][value=test_timeout]').check();
    await press(page, 'Pay $24.00 by card');
    assert.match(page.url(), /\/card-orders\/cor_/);
    if (javascript) await assertAccessible(page);
    assert.equal(await available(page, await demo(), customer), '150');
  });
}
