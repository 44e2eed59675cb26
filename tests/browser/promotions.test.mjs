// Reduced prices and a coupon, from the shop to the receipt, and planning a promotion as staff
// (ADV-06). With script and without.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/loom';

async function press(page, name) {
  const button = page.getByRole('button', { name });
  await Promise.all([page.waitForNavigation(), button.first().click()]);
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';
  const options = javascript ? {} : { javascript: false, viewport: PHONE };

  browserTest(`ADV-06 a reduced jacket with a coupon, ${how}`, async ({ open, demo }) => {
    const page = await open({ ...options, statuses: [422] });
    await newCustomer(page, await demo(), 'loom', `Coupon ${how}`, 2000);
    await page.goto(`${SHOP}/shop/p/navy-sport-jacket`);
    assert.match(await page.locator('main').innerText(), /Jacket weeks, until /);
    assert.equal(await page.locator('main s').count() > 0, true);
    const list = Number((await page.locator('main s').first().innerText()).replace(/[^0-9.]/g, ''));
    const put = page.getByRole('button', { name: 'Put on my list' }).first();
    if (javascript) await put.click();
    else await Promise.all([page.waitForNavigation(), put.click()]);
    if (javascript) await page.waitForTimeout(500);
    await page.goto(`${SHOP}/list`);
    assert.match(await page.locator('main').innerText(), /Jacket weeks: .* off/);
    await page.getByLabel('Coupon code').fill('NO SUCH CODE');
    await press(page, 'Use the coupon');
    assert.match(await page.locator('main').innerText(), /No coupon has this code/);
    if (javascript) await assertAccessible(page);
    await page.getByLabel('Coupon code').fill('welcome 10');
    await press(page, 'Use the coupon');
    // A fifth off is better than a tenth: the coupon says so and is kept.
    assert.match(await page.locator('main').innerText(), /It takes nothing off here/);
    await page.goto(`${SHOP}/confirm`);
    if (javascript) await assertAccessible(page);
    const total = (list * 8) / 10;
    assert.match(await page.locator('main').innerText(), new RegExp(`pay ${total} tokens`));
    await press(page, 'Take the coupon off');
    assert.equal(await page.getByText('Welcome coupon').count(), 0);
    await press(page, /^Confirm: pay/);
    const receipt = await page.locator('main').innerText();
    assert.match(receipt, new RegExp(`Paid ${total} tokens`, 'i'));
    assert.match(receipt, /Jacket weeks: .* off/);
    if (javascript) await assertAccessible(page);
  });

  browserTest(`ADV-06 staff look at a promotion and keep it, ${how}`, async ({ open }) => {
    const page = await open({ ...options, who: 'loom/staff' });
    await page.goto(`${SHOP}/staff/promotions`);
    await Promise.all([
      page.waitForNavigation(),
      page.getByRole('link', { name: 'New promotion' }).click(),
    ]);
    const next = new Date(Date.now() + 400 * 86400e3).toISOString().slice(0, 16);
    const after = new Date(Date.now() + 500 * 86400e3).toISOString().slice(0, 16);
    await page.getByLabel('Name', { exact: true }).fill(`Next year ${how}`);
    await page.locator('#begins').fill(next);
    await page.locator('#ends').fill(after);
    await page.getByLabel('How much').fill('15');
    await page.getByLabel('Some products or SKUs').check();
    await page.locator('#names').fill('zipped-jacket');
    await press(page, 'See what it does');
    assert.match(await page.locator('main').innerText(), /Zipped Jacket/);
    if (javascript) await assertAccessible(page);
    await press(page, 'Keep it');
    assert.match(await page.locator('main').innerText(), /15 % off/);
    if (javascript) await assertAccessible(page);
    await press(page, 'Stop it now');
    assert.match(await page.locator('main').innerText(), /It is stopped\./);
  });
}
