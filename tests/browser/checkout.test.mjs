// From looking around to the receipt: what each state of an account sees and may do (FIG. 5), the
// steps of the way, and what becomes of the list while tokens are bought another way (FIG. 10).
// With script and without.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { api, newCustomer, signIn } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/rasterworks';

async function press(page, name) {
  const button = page.getByRole('button', { name });
  await Promise.all([page.waitForNavigation(), button.first().click()]);
}

async function follow(page, name) {
  const link = page.getByRole('navigation', { name: 'Move between pages' }).getByRole('link', { name });
  await Promise.all([page.waitForNavigation(), link.click()]);
}

async function putOnList(page, demo, { id }, sku, quantity = 1) {
  const offer = await api(page, demo, 'rasterworks', 'GET', `/v1/offers/${sku}`);
  const path = `/v1/customers/${id}/order-list/${offer.offer_id}`;
  await api(page, demo, 'rasterworks', 'PUT', path, { quantity });
}

async function available(page, demo, { id }) {
  const balance = await api(page, demo, 'rasterworks', 'GET', `/v1/customers/${id}/balance`);
  return balance.available.amount;
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';
  const options = javascript ? {} : { javascript: false, viewport: PHONE };

  browserTest(`SHP-04 visitors see what is sold and no price, ${how}`, async ({ open }) => {
    const page = await open(options);
    await page.goto(`${SHOP}/shop`);
    assert.ok(await page.getByText('Software A', { exact: true }).first().isVisible());
    assert.equal(await page.locator('.matrix .amt').count(), 0);
    assert.equal(await page.locator('#order-list').count(), 0);
    if (javascript) await assertAccessible(page);
    await page.goto(`${SHOP}/shop/p/software-b`);
    assert.equal(await page.locator('main .amt').count(), 0);
    if (javascript) await assertAccessible(page);
  });

  browserTest(`SHP-05 ordering begins with the cheapest price, ${how}`, async ({ open, demo }) => {
    const page = await open(options);
    await newCustomer(page, await demo(), 'rasterworks', 'Below Falk', 50);
    await page.goto(`${SHOP}/list`);
    const heading = page.getByRole('heading', { level: 1 });
    assert.match(await heading.innerText(), /Your order list|Ordering begins/);
    if (javascript) await assertAccessible(page);
  });

  browserTest(`SHP-12 SHP-16 choices, steps and Quit, ${how}`, async ({ open, demo }) => {
    const page = await open(options);
    const customer = await newCustomer(page, await demo(), 'rasterworks', 'Steps Falk', 500);
    await putOnList(page, await demo(), customer, 'software-a');
    await page.goto(`${SHOP}/shop?category=Document+Raster+Editing`);
    await follow(page, 'Forward');
    assert.match(page.url(), /\/list$/);
    await follow(page, 'Last');
    assert.match(page.url(), /category=Document/);
    await follow(page, 'Forward');
    await follow(page, 'Forward');
    assert.match(page.url(), /\/confirm$/);
    const forward = page.getByRole('link', { name: 'Forward' });
    assert.equal(await forward.getAttribute('aria-disabled'), 'true');
    if (javascript) await assertAccessible(page);
    await press(page, 'Quit');
    assert.match(page.url(), /\/goodbye$/);
    assert.equal(await available(page, await demo(), customer), '500');
    await signIn(page, 'rasterworks', customer);
    await page.goto(`${SHOP}/confirm`);
    await page.getByLabel('How Software A is handed over').selectOption('code');
    await press(page, 'Confirm: pay');
    assert.match(await page.locator('.receipt').innerText(), /Its code follows/);
    assert.equal(await available(page, await demo(), customer), '400');
  });

  browserTest(`SHP-15 the list is kept, or it is not, ${how}`, async ({ open, demo }) => {
    const page = await open(options);
    const customer = await newCustomer(page, await demo(), 'rasterworks', 'Kept Falk', 60);
    await putOnList(page, await demo(), customer, 'software-b');
    await page.goto(`${SHOP}/confirm`);
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /180 tokens short/);
    await Promise.all([
      page.waitForNavigation(),
      page.getByRole('link', { name: 'Buy tokens without a card' }).click(),
    ]);
    if (javascript) await assertAccessible(page);
    await press(page, 'Yes, keep it');
    await press(page, 'Quit for now');
    await signIn(page, 'rasterworks', customer);
    assert.match(page.url(), /\/list\?back=1$/);
    await page.getByText('Your order list is back.').waitFor();
    await page.getByText('Software B').first().waitFor();
    await page.getByLabel('Keep this list as').fill('For the office');
    await press(page, 'Keep the list');
    if (javascript) await assertAccessible(page);
    await page.goto(`${SHOP}/off-line`);
    await press(page, 'No, empty it');
    await page.getByText('Your order list is empty now.').waitFor();
    await page.goto(`${SHOP}/list`);
    await press(page, /^Load/);
    assert.equal(await page.locator('#order-list li').count(), 1);
    assert.equal(await available(page, await demo(), customer), '60');
  });
}
