// `browserTest`: a test whose pages must all be without complaint at its end.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { closePage, newPage } from './page.mjs';
import { inRoot } from './paths.mjs';
import { sharedNode } from './shared.mjs';

const TEST_MS = 60_000;

// What the pages looked like when a test failed.
const FAILURES = inRoot('target/browser-failures');

async function keepPicture(page, name, number) {
  await mkdir(FAILURES, { recursive: true });
  const file = `${name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 80)}-${number}.png`;
  await page.screenshot({ path: join(FAILURES, file), fullPage: true });
}

async function closeAll(pages, name, hasFailed) {
  const complaints = [];
  for (const [index, page] of pages.entries()) {
    const found = await closePage(page, async (own) => {
      if (hasFailed || own.length) await keepPicture(page, name, index + 1).catch(() => {});
    });
    complaints.push(...found);
  }
  return complaints;
}

// The body gets `open(options)`, which is `newPage` (see page.mjs), and
// `demo()`, which is what demo.json says.
export function browserTest(name, body) {
  test(name, { timeout: TEST_MS }, async () => {
    const pages = [];
    const open = async (options) => {
      const page = await newPage(options);
      pages.push(page);
      return page;
    };
    const demo = async () => (await sharedNode()).demo;
    let failure;
    try {
      await body({ open, demo });
    } catch (error) {
      failure = error;
    }
    const complaints = await closeAll(pages, name, failure !== undefined).catch((error) => [
      `the pages could not be closed: ${error.message}`,
    ]);
    if (complaints.length) {
      const list = complaints.map((text) => `  - ${text}`).join('\n');
      const first = failure ? `${failure.stack}\n` : '';
      throw new Error(`${first}what the pages did wrong:\n${list}`);
    }
    if (failure) throw failure;
  });
}
