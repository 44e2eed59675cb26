// Where things are, from the root of the repository.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export const inRoot = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

// The program under test: what SCRIP_BIN names, or the release build, or the
// debug build.
export function scripBinary() {
  if (process.env.SCRIP_BIN) return process.env.SCRIP_BIN;
  const built = ['target/release/scrip', 'target/debug/scrip'].map(inRoot).find(existsSync);
  if (!built) {
    throw new Error('target/release/scrip is missing; run: cargo build --release -p scrip');
  }
  return built;
}
