// Draws every page of pages.mjs into the folder that is the only argument.

import { closeShared, sharedNode } from './lib/shared.mjs';
import { shootAll } from './lib/shots.mjs';
import { pages, pathOf } from './pages.mjs';

const folder = process.argv[2];
const complaints = [];
try {
  const { demo } = await sharedNode();
  const found = await shootAll(
    pages.map((page) => ({ ...page, path: pathOf(page, demo) })),
    folder,
  );
  complaints.push(...found);
} catch (error) {
  complaints.push(error.message);
}
await closeShared().catch((error) => complaints.push(error.message));

for (const text of complaints) {
  console.error(`screenshots: ${text}`);
}
console.log(`screenshots: ${pages.length} pages, three pictures each, in ${folder}`);
process.exitCode = complaints.length ? 1 : 0;
