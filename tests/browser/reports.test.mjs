// The reports of staff: choosing days, the chart and its table, the file, the booking of revenue.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { api, newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/rasterworks';
const REPORTS = `${SHOP}/staff/reports`;

async function submit(page, button) {
  await Promise.all([page.waitForNavigation(), button.click()]);
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';

  browserTest(`ADV-08 staff look at sales of some days, ${how}`, async ({ open, demo }) => {
    const customers = await open({ javascript });
    const customer = await newCustomer(customers, await demo(), 'rasterworks', 'Ines Roth', 300);
    const order = { customer_id: customer.id, lines: [{ sku: 'software-a', quantity: 1 }] };
    await api(customers, await demo(), 'rasterworks', 'POST', '/v1/orders', order);

    const viewport = javascript ? undefined : PHONE;
    const page = await open({ who: 'rasterworks/staff', javascript, viewport });
    await page.goto(REPORTS);
    if (javascript) await assertAccessible(page);
    await submit(page, page.getByRole('link', { name: 'Sales' }).first());
    assert.match(await page.locator('svg.chart title').first().textContent(), /All together/);
    await page.fill('#from', '2026-01-01');
    await page.selectOption('#by', 'month');
    await submit(page, page.getByRole('button', { name: 'Show' }));
    assert.ok(await page.getByRole('rowheader', { name: 'January 2026' }).count());
    if (javascript) await assertAccessible(page);
    const file = await page.request.get(
      await page.getByRole('link', { name: 'CSV of By period' }).getAttribute('href'),
    );
    assert.match(file.headers()['content-type'], /text\/csv/);
    assert.match(await file.text(), /^from,orders,spent[^]*\ntotal,[^]*\nlines,\d+\r\n$/);
  });
}
