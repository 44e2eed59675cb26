// The console at work: tokens given and taken back, a person who works here let in and sent away,
// and all of it found again in the audit trail. With and without script.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const STAFF = '/shops/rasterworks/staff';

async function submit(page, button) {
  await Promise.all([page.waitForNavigation(), button.click()]);
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';

  browserTest(`TOK-06 tokens are given as a gift and taken back, ${how}`, async ({
    open,
    demo,
  }) => {
    const viewport = javascript ? undefined : PHONE;
    const own = await open({ javascript });
    const customer = await newCustomer(own, await demo(), 'rasterworks', 'Gerda Lund', 60);
    const page = await open({ who: 'rasterworks/staff', javascript, viewport });
    await page.goto(`${STAFF}/customers/${customer.id}`);
    await submit(page, page.getByRole('link', { name: 'Give tokens' }));
    assert.equal(await page.inputValue('#account'), customer.number);
    await page.fill('#tokens', '7');
    await page.fill('#reason', 'The parcel was late.');
    await page.locator('label', { hasText: 'To make something good' }).click();
    if (javascript) await assertAccessible(page);
    await submit(page, page.getByRole('button', { name: 'Give the tokens' }));
    assert.ok(await page.getByText('The tokens are given.').isVisible());

    await page.goto(`${STAFF}/customers/${customer.id}`);
    await page.getByText('Take tokens back').click();
    await page.locator('form[action$="/adjust"] [name=tokens]').fill('3');
    await page.locator('form[action$="/adjust"] [name=reason]').fill('Twice by mistake.');
    await submit(page, page.getByRole('button', { name: 'Take the tokens back' }));
    assert.ok(await page.getByText('The tokens are taken back.').isVisible());

    await own.goto('/shops/rasterworks/account');
    const text = await own.locator('main').innerText();
    for (const said of ['The parcel was late.', 'Twice by mistake.', '64']) {
      assert.ok(text.includes(said), `${said} is on the account`);
    }
    await page.goto(`${STAFF}/audit?subject=${customer.id}`);
    assert.ok(await page.getByText('Took back 3 tokens').isVisible(), 'a sentence');
    await page.goto(`${STAFF}/audit?action=tokens.given`);
    const line = page.locator('tbody tr').first();
    assert.match(await line.innerText(), /Gave 7 tokens as a gift[^]*Gerda Lund/);
    if (javascript) await assertAccessible(page);
    await submit(page, line.getByRole('link', { name: 'Gerda Lund' }));
    assert.match(page.url(), new RegExp(customer.id));
  });
}

browserTest('the trail of a day, and of a day on which nothing was done', async ({ open }) => {
  const page = await open({ who: 'rasterworks/staff' });
  await page.goto(`${STAFF}/audit`);
  await page.fill('#from', '2001-01-01');
  await page.fill('#to', '2001-01-02');
  await submit(page, page.getByRole('button', { name: 'Look' }));
  assert.ok(await page.getByText('Nothing is noted').isVisible());
  assert.equal(await page.inputValue('#from'), '2001-01-01', 'the days stay in the form');
  await submit(page, page.getByRole('link', { name: 'Everything' }));
  assert.ok(await page.locator('tbody tr').count());
  const text = await page.locator('tbody').innerText();
  assert.ok(!text.includes('{"'), 'no JSON');
});
