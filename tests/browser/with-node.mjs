// Starts a demo node, runs a command beside it, and stops the node:
//
//   node tests/browser/with-node.mjs COMMAND [ARGUMENT...]
//
// The command sees SCRIP_URL and SCRIP_DEMO, the path of demo.json. Ends with
// the command's exit code, or with 1 when the node's books do not hold or it
// does not end with 0.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { startNode } from './lib/node.mjs';

const [command, ...args] = process.argv.slice(2);

function run(node) {
  const child = spawn(command, args, {
    stdio: 'inherit',
    // A group of its own, so that a signal ends what the command started, too.
    detached: true,
    env: { ...process.env, SCRIP_URL: node.url, SCRIP_DEMO: join(node.data, 'demo.json') },
  });
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
    process.once(signal, () => {
      process.kill(-child.pid, signal);
      process.exit(code);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? `signal ${signal}`));
  });
}

try {
  const node = await startNode();
  let code;
  try {
    code = await run(node);
    await node.verify();
  } finally {
    await node.stop();
  }
  process.exitCode = typeof code === 'number' ? code : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
