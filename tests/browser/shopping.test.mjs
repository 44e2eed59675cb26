// Shopping: the order list while things are ticked, the order, what is short,
// asking for a refund. With script and without.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { api, newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/rasterworks';
const GOODS = '/shops/hearth-and-fern';

const pathOf = (page) => new URL(page.url()).pathname;

// Required, available, remaining (or short by) of the order list.
const figures = (page) =>
  page.locator('#order-list .trio dd').evaluateAll((all) =>
    all.map((one) => one.textContent.replace(/ tokens?/, '').trim()),
  );

// Waits until the list has these figures.
async function isCounted(page, ...expected) {
  const text = expected.join(' ');
  await page
    .waitForFunction((wanted) => {
      const all = [...document.querySelectorAll('#order-list .trio dd')];
      const list = document.getElementById('order-list');
      const now = all.map((one) => one.textContent.replace(/ tokens?/, '').trim()).join(' ');
      return now === wanted && !list.hasAttribute('aria-busy');
    }, text)
    .catch(async () => assert.equal((await figures(page)).join(' '), text));
}

const cell = (page, program, way) =>
  page.locator('.matrix tr', { hasText: program }).locator('td').nth(way).locator('input[name=on]');

// Ticks or unticks as a person does: on the ticket, not on its hidden box.
async function click(box) {
  await box.locator('xpath=ancestor::label').click();
}

async function update(page, form) {
  const button = form.locator('button.nojs, .nojs button').first();
  await Promise.all([page.waitForNavigation(), button.click()]);
}

async function available(page, demo, { id }, slug = 'rasterworks') {
  const balance = await api(page, demo, slug, 'GET', `/v1/customers/${id}/balance`);
  return balance.available.amount;
}

async function putOnList(page, demo, { id }, sku, quantity = 1) {
  const offer = await api(page, demo, 'rasterworks', 'GET', `/v1/offers/${sku}`);
  const path = `/v1/customers/${id}/order-list/${offer.offer_id}`;
  await api(page, demo, 'rasterworks', 'PUT', path, { quantity });
}

async function confirm(page) {
  await page.goto(`${SHOP}/confirm`);
  const button = page.getByRole('button', { name: 'Confirm: pay' });
  await Promise.all([page.waitForNavigation(), button.click()]);
}

browserTest('SHP-11 figures follow each tick without a new page', async ({ open, demo }) => {
  const page = await open();
  await newCustomer(page, await demo(), 'rasterworks', 'Live Falk', 500);
  await page.goto(`${SHOP}/shop`);
  let loads = 0;
  page.on('load', () => (loads += 1));
  await isCounted(page, 0, 500, 500);
  await click(cell(page, 'Software A', 0));
  await isCounted(page, 100, 500, 400);
  await click(cell(page, 'Software D', 3));
  await isCounted(page, 110, 500, 390);
  // The choice of a tier appears for what is ticked, and its price in the matrix.
  const tiers = page.locator('form.when-on', { hasText: 'of Software D' });
  await tiers.getByText('Up to 1,000', { exact: true }).click();
  await isCounted(page, 180, 500, 320);
  const drawn = page.locator('.matrix tr', { hasText: 'Software D' }).locator('.face-of:visible');
  assert.match(await drawn.innerText(), /^80[^]*1,000 processings/);
  // The same box on the list: unticked, it stays and does not count.
  const onList = page.locator('#order-list li', { hasText: 'Software D' });
  await onList.locator('input[type=checkbox]').click();
  await isCounted(page, 100, 500, 400);
  assert.equal(await onList.count(), 1);
  assert.equal(await cell(page, 'Software D', 3).isChecked(), false, 'the matrix follows');
  assert.equal(await tiers.isVisible(), false);
  await onList.locator('input[type=checkbox]').click();
  await isCounted(page, 180, 500, 320);
  assert.equal(await cell(page, 'Software D', 3).isChecked(), true);
  await onList.locator('select').selectOption('10000');
  await isCounted(page, 700, 500, 200);
  assert.ok(await page.locator('#order-list').getByText('Short by').isVisible());
  assert.equal(await tiers.locator('input[value="10000"]').isChecked(), true);
  await assertAccessible(page);
  // A second click clears (SHP-07); the button takes off.
  await click(cell(page, 'Software A', 0));
  await isCounted(page, 600, 500, 100);
  await onList.getByRole('button', { name: 'Take off' }).click();
  await isCounted(page, 0, 500, 500);
  assert.equal(await page.locator('#order-list li').count(), 0);
  assert.equal(await cell(page, 'Software D', 3).isChecked(), false);
  assert.equal(loads, 0, 'one page all the time');
});

browserTest('SHP-11 fast clicks: the last state wins', async ({ open, demo }) => {
  const page = await open();
  await newCustomer(page, await demo(), 'rasterworks', 'Fast Falk', 5000);
  await page.goto(`${SHOP}/shop`);
  for (let round = 0; round < 3; round += 1) {
    for (const program of ['Software A', 'Software B', 'Software C']) {
      await click(cell(page, program, 0));
    }
  }
  await isCounted(page, 500, '5,000', '4,500');
  await page.reload();
  await isCounted(page, 500, '5,000', '4,500');
});

browserTest('SHP-11 an expired session loses no list and says so', async ({ open, demo }) => {
  const page = await open();
  const customer = await newCustomer(page, await demo(), 'rasterworks', 'Gone Falk', 500);
  await putOnList(page, await demo(), customer, 'software-b');
  await page.goto(`${SHOP}/shop`);
  await page.context().clearCookies();
  await Promise.all([page.waitForURL(/sign-in/), click(cell(page, 'Software A', 0))]);
  assert.match(page.url(), /next=%2Fshops%2Frasterworks%2Fshop/);
  const list = await api(page, await demo(), 'rasterworks', 'GET', `/v1/customers/${customer.id}/order-list`);
  assert.equal(list.lines.length, 1);
});

browserTest('SHP-11 the same with the buttons, without script', async ({ open, demo }) => {
  const page = await open({ javascript: false, viewport: PHONE });
  await newCustomer(page, await demo(), 'rasterworks', 'Still Falk', 500);
  await page.goto(`${SHOP}/shop?category=Document+Raster+Editing`);
  await cell(page, 'Software A', 0).check({ force: true });
  await cell(page, 'Software D', 3).check({ force: true });
  await update(page, page.locator('form:has(.matrix)'));
  assert.match(page.url(), /category=Document/);
  assert.deepEqual(await figures(page), ['110', '500', '390']);
  const tiers = page.locator('form.when-on', { hasText: 'of Software D' });
  assert.equal(await page.locator('form.when-on:visible').count(), 1);
  await tiers.locator('input[value="1000"]').check({ force: true });
  await update(page, tiers);
  assert.deepEqual(await figures(page), ['180', '500', '320']);
  const list = page.locator('#order-list');
  await list.locator('li', { hasText: 'Software D' }).locator('input[type=checkbox]').uncheck();
  await update(page, list);
  assert.deepEqual(await figures(page), ['100', '500', '400']);
  // The drawer of small screens needs no script either.
  await page.locator('a.stub').click();
  assert.ok(await list.getByRole('link', { name: 'Close' }).isVisible());
  await list.getByRole('link', { name: 'Review order' }).click();
  assert.ok(await page.getByRole('button', { name: 'Confirm: pay 100 tokens' }).isVisible());
});

browserTest('SHP-07 categories tick and untick', async ({ open }) => {
  const page = await open({ javascript: false });
  await page.goto(`${SHOP}/shop`);
  const all = await page.locator('.matrix tbody tr').count();
  await page.getByRole('link', { name: 'Computer Games' }).click();
  assert.equal(await page.locator('.matrix tbody tr').count(), 2);
  const tag = page.getByRole('link', { name: 'Computer Games' });
  assert.equal(await tag.getAttribute('aria-current'), 'true');
  await tag.click();
  assert.equal(await page.locator('.matrix tbody tr').count(), all);
});

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';
  const viewport = javascript ? undefined : PHONE;

  browserTest(`SHP-13 from the list to the receipt, once, ${how}`, async ({ open, demo }) => {
    const page = await open({ javascript, viewport });
    const customer = await newCustomer(page, await demo(), 'rasterworks', 'Buy Falk', 500);
    await putOnList(page, await demo(), customer, 'software-a');
    await putOnList(page, await demo(), customer, 'software-d', 1000);
    await page.goto(`${SHOP}/list`);
    await page.getByRole('link', { name: 'Review order' }).click();
    assert.equal(await page.locator('h1').innerText(), 'Is this right?');
    if (javascript) await assertAccessible(page);
    assert.equal(await available(page, await demo(), customer), '500', 'looking takes nothing');
    const button = page.getByRole('button', { name: 'Confirm: pay 180 tokens' });
    await Promise.all([page.waitForURL(/\/orders\//), button.dblclick({ noWaitAfter: true })]);
    await page.waitForLoadState('load');
    assert.equal(await available(page, await demo(), customer), '320', 'a double click pays once');
    assert.equal(await page.locator('h1').innerText(), 'Thank you, Buy Falk.');
    assert.ok(await page.getByText('Paid 180 tokens').isVisible());
    const receipt = page.url();
    if (javascript) await assertAccessible(page);
    // Back: the list is empty, or the form is there again and buys nothing more.
    await page.goBack();
    const again = page.getByRole('button', { name: 'Confirm: pay 180 tokens' });
    if (await again.isVisible()) {
      await Promise.all([page.waitForNavigation(), again.click()]);
      assert.equal(page.url(), receipt);
    } else {
      assert.equal(await page.locator('h1').innerText(), 'Your order list is empty.');
    }
    await page.goto(receipt);
    await page.reload();
    assert.equal(await available(page, await demo(), customer), '320');
  });

  browserTest(`SHP-14 short of tokens: take less, ${how}`, async ({ open, demo }) => {
    const page = await open({ javascript, viewport });
    const customer = await newCustomer(page, await demo(), 'rasterworks', 'Less Falk', 500);
    await putOnList(page, await demo(), customer, 'software-a');
    await putOnList(page, await demo(), customer, 'software-d', 10_000);
    await page.goto(`${SHOP}/confirm`);
    assert.equal(await page.locator('h1').innerText(), 'You are 200 tokens short.');
    if (javascript) await assertAccessible(page);
    const less = page.getByRole('button', { name: 'Take 1,000' });
    await Promise.all([page.waitForNavigation(), less.click()]);
    assert.equal(pathOf(page), `${SHOP}/confirm`);
    assert.ok(await page.getByRole('button', { name: 'Confirm: pay 180 tokens' }).isVisible());
    assert.equal(await available(page, await demo(), customer), '500', 'nothing was taken');
  });

  browserTest(`SHP-14 short of tokens: buy some and come back, ${how}`, async ({ open, demo }) => {
    const page = await open({ javascript, viewport });
    const customer = await newCustomer(page, await demo(), 'rasterworks', 'More Falk', 60);
    await putOnList(page, await demo(), customer, 'software-a');
    await page.goto(`${SHOP}/confirm`);
    const buy = page.getByRole('button', { name: 'Buy 40 tokens for $4.00' });
    await Promise.all([page.waitForNavigation(), buy.click()]);
    assert.equal(pathOf(page), `${SHOP}/confirm`);
    const button = page.getByRole('button', { name: 'Confirm: pay 100 tokens' });
    await Promise.all([page.waitForNavigation(), button.click()]);
    assert.ok(await page.getByText('Paid 100 tokens').isVisible());
    assert.equal(await available(page, await demo(), customer), '0');
  });

  browserTest(`SHP-19 a refund is asked for on the receipt, ${how}`, async ({ open, demo }) => {
    const page = await open({ javascript, viewport, statuses: [422] });
    const customer = await newCustomer(page, await demo(), 'rasterworks', 'Back Falk', 100);
    await putOnList(page, await demo(), customer, 'software-a');
    await confirm(page);
    await page.locator('summary', { hasText: 'Ask for a refund' }).click();
    const reason = page.getByLabel('Why do you want tokens back?');
    await reason.fill('   ');
    const ask = page.getByRole('button', { name: 'Ask for a refund' });
    await Promise.all([page.waitForNavigation(), ask.click()]);
    assert.ok(await page.getByText('The reason is empty: fill it in.').isVisible());
    await reason.fill('It does not start.');
    await Promise.all([page.waitForNavigation(), ask.click()]);
    assert.ok(await page.getByText('You wrote: It does not start.').isVisible());
    if (javascript) await assertAccessible(page);
  });
}

browserTest('SHP-13 two tabs with different lists buy what each showed', async ({ open, demo }) => {
  const first = await open();
  const customer = await newCustomer(first, await demo(), 'rasterworks', 'Twin Falk', 500);
  await putOnList(first, await demo(), customer, 'software-a');
  await putOnList(first, await demo(), customer, 'software-d', 1000);
  await first.goto(`${SHOP}/confirm`);
  const second = await first.context().newPage();
  await second.goto(`${SHOP}/shop`);
  await isCounted(second, 180, 500, 320);
  await second.locator('#order-list li', { hasText: 'Software D' }).locator('input[type=checkbox]').click();
  await isCounted(second, 100, 500, 400);
  await second.goto(`${SHOP}/confirm`);
  for (const [page, tokens] of [[second, 100], [first, 180]]) {
    const button = page.getByRole('button', { name: `Confirm: pay ${tokens} tokens` });
    await Promise.all([page.waitForNavigation(), button.click()]);
    assert.ok(await page.getByText(`Paid ${tokens} tokens`).isVisible());
  }
  assert.equal(await available(first, await demo(), customer), '220');
});

browserTest('SHP-11 an open tab does not undo another one', async ({ open, demo }) => {
  const first = await open();
  await newCustomer(first, await demo(), 'rasterworks', 'Tabs Falk', 500);
  await first.goto(`${SHOP}/shop`);
  const second = await first.context().newPage();
  await second.goto(`${SHOP}/shop`);
  await click(cell(first, 'Software A', 0));
  await isCounted(first, 100, 500, 400);
  await click(cell(second, 'Software C', 0));
  await isCounted(second, 260, 500, 240);
  assert.equal(await cell(second, 'Software A', 0).isChecked(), true, 'and shows what it did');
});

browserTest('SHP-10 goods: put on from the grid and from the page, pieces typed', async ({ open, demo }) => {
  const page = await open();
  await newCustomer(page, await demo(), 'hearth-and-fern', 'Pots Falk', 900);
  await page.goto(`${GOODS}/shop`);
  const item = page.locator('.good-item', { hasText: 'Biodegradable cardboard pots' });
  await item.getByRole('button', { name: 'Add to list' }).click();
  await isCounted(page, 100, 900, 800);
  assert.ok(await item.getByRole('button', { name: 'On your list' }).isVisible());
  await item.getByRole('button', { name: 'On your list' }).click();
  await isCounted(page, 100, 900, 800);
  const pieces = page.locator('#order-list li').locator('input[name=quantity]');
  await pieces.fill('3');
  await pieces.press('Enter');
  await isCounted(page, 300, 900, 600);
  assert.equal(await pieces.inputValue(), '3');
  assert.ok(await pieces.evaluate((field) => field === document.activeElement), 'the focus stays');
  await pieces.fill('many');
  await pieces.press('Tab');
  await page.getByText('Give a whole number').waitFor();
  assert.equal(await page.locator('#order-list input[name=quantity]').inputValue(), 'many');
  await item.getByRole('heading').getByRole('link').click();
  const own = page.locator('form.take');
  assert.equal(await own.getByLabel('How many').inputValue(), '3');
  await own.getByLabel('How many').fill('2');
  await own.getByRole('button', { name: 'On your list' }).click();
  await isCounted(page, 200, 900, 700);
  await own.getByRole('button', { name: 'Take off' }).click();
  await isCounted(page, 0, 900, 900);
  assert.ok(await own.getByRole('button', { name: 'Put on my list' }).isVisible());
  await assertAccessible(page);
});
