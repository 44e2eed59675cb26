// The Chromium of the distribution, headless, in a fresh profile that
// Playwright makes and removes.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Pages live on this machine. A request elsewhere is an error, so it must
  // not get an answer either.
  '--no-proxy-server',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

function chromiumPath() {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'chromium');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error('chromium is missing; run: scripts/install-test-tools');
}

export function launchBrowser() {
  return chromium.launch({ executablePath: chromiumPath(), headless: true, args: FLAGS });
}
