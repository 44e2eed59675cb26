// Pictures of pages: each light, dark, and at 320 px.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { closePage, newPage, PHONE, WIDE } from './page.mjs';

const LOOKS = [
  { look: 'light', viewport: WIDE, colorScheme: 'light' },
  { look: 'dark', viewport: WIDE, colorScheme: 'dark' },
  { look: '320', viewport: PHONE, colorScheme: 'light' },
];

// The window is made as high as the page, so that a bar which stays at the
// window's lower edge does not cover the middle of the picture.
async function picture(page, path) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width, height: least } = page.viewportSize();
  const drawn = Math.min(Math.max(height, least), HIGHEST);
  await page.setViewportSize({ width, height: drawn });
  await page.screenshot({ path, clip: { x: 0, y: 0, width, height: drawn } });
}

// Chromium draws no higher pictures.
const HIGHEST = 16_000;

async function shoot({ name, path, who }, { look, ...options }, folder, origin) {
  const page = await newPage({ ...options, who, origin });
  let failure = [];
  const complaints = await page
    .goto(path)
    .catch((error) => (failure = [error.message]))
    .then(() =>
      closePage(page, () => picture(page, join(folder, `${name}-${look}.png`))),
    );
  return [...failure, ...complaints].map((text) => `${name} (${look}): ${text}`);
}

// Writes NAME-light.png, NAME-dark.png and NAME-320.png of each page into the
// folder. Returns what was wrong with the pages.
export async function shootAll(pages, folder, { origin } = {}) {
  await mkdir(folder, { recursive: true });
  const complaints = [];
  for (const page of pages) {
    for (const look of LOOKS) {
      const found = await shoot(page, look, folder, origin).catch((error) => [
        `${page.name} (${look.look}): ${error.message}`,
      ]);
      complaints.push(...found);
    }
  }
  return complaints;
}
