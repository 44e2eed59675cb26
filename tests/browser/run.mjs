// Runs the browser tests in one process, so that all share one browser and one
// demo node. Arguments: parts of file names; none means all files.

import { readdirSync } from 'node:fs';
import { test } from 'node:test';

import { closeShared } from './lib/shared.mjs';

// Whoever reads the report may stop reading (`| head`). Left alone, the test
// runner would die of it without ending the node.
process.stdout.on('error', () => process.exit(1));

const parts = process.argv.slice(2);
const isWanted = (file) => parts.length === 0 || parts.some((part) => file.includes(part));
const files = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.test.mjs') && isWanted(file))
  .sort();
if (files.length === 0) {
  console.error(`browser-tests: no file's name has: ${parts.join(', ')}`);
  process.exit(2);
}
for (const file of files) {
  await import(new URL(file, import.meta.url).href);
}

// Tests run in the order of their definition, so this one is last.
test('the node keeps its books and ends with 0', closeShared);
