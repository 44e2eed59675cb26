// What holds for every page of the list: it loads without complaint, wide and
// at 320 px, light and dark, with and without script, and axe finds nothing
// serious.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { browserTest } from './lib/test.mjs';
import { pages, pathOf } from './pages.mjs';

for (const listed of pages) {
  const { name, who } = listed;

  browserTest(`page ${name}: wide, light`, async ({ open, demo }) => {
    const page = await open({ who });
    await page.goto(pathOf(listed, await demo()));
    await assertAccessible(page);
  });

  browserTest(`page ${name}: 320 px, dark`, async ({ open, demo }) => {
    const page = await open({ who, viewport: PHONE, colorScheme: 'dark' });
    await page.goto(pathOf(listed, await demo()));
    // As high as the page: the bar with the order list stays at the window's lower edge and covers
    // a part of whatever happens to lie there until one scrolls.
    // Only where there is such a bar: a window of 50,000 pixels takes a browser half a minute.
    if ((await page.locator('a.stub').count()) > 0) {
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ ...PHONE, height: Math.max(PHONE.height, height) });
    }
    await assertAccessible(page);
  });

  browserTest(`page ${name}: 320 px, no script`, async ({ open, demo }) => {
    const page = await open({ who, viewport: PHONE, javascript: false });
    await page.goto(pathOf(listed, await demo()));
    assert.equal(await page.locator('h1').count(), 1, 'a page has one main heading');
  });
}
