// Buying tokens: in mid-shopping, with a card that is declined, with one that
// does not answer. With and without script.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { api, newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/rasterworks';

const pathOf = (page) => new URL(page.url()).pathname;

// Puts something on the order list of a customer: its SKU and how many.
async function putOnList(page, demo, { id }, sku, quantity) {
  const offer = await api(page, demo, 'rasterworks', 'GET', `/v1/offers/${sku}`);
  const path = `/v1/customers/${id}/order-list/${offer.offer_id}`;
  await api(page, demo, 'rasterworks', 'PUT', path, { quantity });
}

async function pay(page, card) {
  await page.check(`input[value=${card}]`);
  await Promise.all([page.waitForNavigation(), page.click('form.paper button.main')]);
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';

  browserTest(`TOK-14 a top-up returns to the page with its list, ${how}`, async ({ open, demo }) => {
    const page = await open({ javascript, viewport: javascript ? undefined : PHONE });
    const customer = await newCustomer(page, await demo(), 'rasterworks', 'Uma Falk', 60);
    await putOnList(page, await demo(), customer, 'software-a', 1);
    await page.goto(`${SHOP}/list`);
    const title = page.locator('main').getByText('Software A').first();
    assert.ok(await title.isVisible());
    assert.ok(await page.locator('main').getByText('Short by').first().isVisible());
    await page.goto(`${SHOP}/buy?return=${SHOP}/list`);
    // What the list lacks is chosen already, with its price on the button.
    if (javascript) await assertAccessible(page);
    const button = page.locator('form.paper button.main');
    assert.equal(await button.innerText(), 'Buy 40 tokens for $4.00');
    await page.getByRole('link', { name: '200 tokens for $20.00' }).click();
    await button.getByText('Buy 200 tokens for $20.00').waitFor();
    await pay(page, 'test_ok');
    assert.equal(pathOf(page), `${SHOP}/list`);
    const notice = page.getByRole('status').filter({ hasText: '200 tokens were bought.' });
    assert.match(await notice.innerText(), /You now have 260 tokens\./);
    assert.ok(await title.isVisible(), 'the list is intact');
    assert.ok(await page.locator('main').getByText('Remaining').first().isVisible());
  });

  browserTest(`TOK-09 three declined cards end the payment, ${how}`, async ({ open, demo }) => {
    const page = await open({ javascript, statuses: [422] });
    await newCustomer(page, await demo(), 'rasterworks', 'Ulf Falk');
    await page.goto(`${SHOP}/buy?return=${SHOP}/shop`);
    for (const left of ['2 tries are left', '1 try is left']) {
      await pay(page, 'test_declined');
      const alert = page.getByRole('alert');
      assert.match(await alert.innerText(), new RegExp(`nothing was charged.*${left}`));
      assert.ok(await page.locator('input[value=test_declined]').isChecked());
    }
    if (javascript) await assertAccessible(page);
    await pay(page, 'test_declined');
    assert.equal(await page.locator('h1').innerText(), 'This payment is over.');
    await page.getByRole('link', { name: 'Begin a new payment' }).click();
    await pay(page, 'test_ok');
    assert.equal(pathOf(page), `${SHOP}/shop`);
    assert.ok(await page.getByText('Your account is active now. You have 50 tokens.').isVisible());
  });

  browserTest(`TOK-08 a card without an answer is told as such, ${how}`, async ({ open, demo }) => {
    const page = await open({ javascript, viewport: PHONE, colorScheme: 'dark' });
    await newCustomer(page, await demo(), 'rasterworks', 'Uno Falk', 60);
    await page.goto(`${SHOP}/buy?tokens=100&return=${SHOP}/account`);
    await pay(page, 'test_timeout');
    assert.equal(pathOf(page), `${SHOP}/buy/orders`);
    assert.ok(await page.getByText('The card has not answered yet.').isVisible());
    assert.ok(await page.getByText('Waits for the card').isVisible());
    if (javascript) await assertAccessible(page);
    await page.getByRole('link', { name: 'Back to where you were' }).click();
    assert.equal(pathOf(page), `${SHOP}/account`);
    assert.ok(await page.locator('h1 + p + p').getByText('60').isVisible(), 'nothing is credited');
  });
}

browserTest('TOK-08 a double click buys once', async ({ open, demo }) => {
  const page = await open();
  const customer = await newCustomer(page, await demo(), 'rasterworks', 'Ursa Falk', 60);
  await page.goto(`${SHOP}/buy?tokens=100&return=${SHOP}/account`);
  await page.dblclick('form.paper button.main');
  await page.waitForURL(/bought=/);
  const path = `/v1/customers/${customer.id}/token-orders`;
  const { items } = await api(page, await demo(), 'rasterworks', 'GET', path);
  assert.equal(items.length, 2, 'the first 60 and the 100');
});
