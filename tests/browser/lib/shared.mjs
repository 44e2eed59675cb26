// One browser and one demo node for all tests of a run, started by the first
// test that needs them.

import { launchBrowser } from './browser.mjs';
import { startNode } from './node.mjs';

let browser;
let node;

export const sharedBrowser = () => (browser ??= launchBrowser());

export const sharedNode = () => (node ??= startNode());

// Ends both. Throws when the node does not end well or its books do not hold.
export async function closeShared() {
  const opened = await browser?.catch(() => undefined);
  await opened?.close();
  // A node that did not start has failed its tests already.
  const started = await node?.catch(() => undefined);
  if (!started) return;
  try {
    await started.verify();
  } finally {
    await started.stop();
  }
}
