// A demo node: `scrip demo` on a free port with its data in a fresh folder.

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { scripBinary } from './paths.mjs';

const START_MS = 60_000;
const STOP_MS = 20_000;

// What of the node's stderr is shown when something goes wrong.
const TAIL_LINES = 40;

// A setting of whoever runs the tests must not reach the demo.
function environment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('SCRIP_')),
  );
}

// The promise's value, or an error after so many milliseconds.
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class DemoNode {
  constructor(binary, data) {
    this.binary = binary;
    this.data = data;
    this.stderr = [];
    this.child = spawn(binary, ['demo', '--port', '0', '--data', data], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exit = new Promise((resolve) => {
      this.child.on('error', (error) => resolve(`did not start: ${error.message}`));
      // `close`, not `exit`: all output has been read by then.
      this.child.on('close', (code, signal) => resolve(code ?? signal));
    });
    createInterface({ input: this.child.stderr }).on('line', (line) => {
      this.stderr.push(line);
      if (this.stderr.length > TAIL_LINES) this.stderr.shift();
    });
    this.ready = new Promise((resolve) => {
      // The stream is read to its end, or a full pipe would block the node.
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        const found = /^ready (https?:\/\/\S+)$/.exec(line);
        if (found) resolve(new URL(found[1]).origin);
      });
    });
    // For a run that is broken off.
    this.endAtExit = () => {
      this.child.kill('SIGKILL');
      rmSync(this.data, { recursive: true, force: true });
    };
    process.once('exit', this.endAtExit);
  }

  failure(what) {
    const tail = this.stderr.length ? this.stderr.join('\n  ') : '(nothing)';
    return new Error(`${what}\nthe node's stderr:\n  ${tail}`);
  }

  async start() {
    const ended = this.exit.then((code) => {
      throw this.failure(`${this.binary} demo ended (${code}) before its line "ready URL"`);
    });
    this.url = await within(START_MS, Promise.race([this.ready, ended]), `${this.binary} demo`);
    ended.catch(() => {});
    const file = join(this.data, 'demo.json');
    this.demo = JSON.parse(await readFile(file, 'utf8'));
  }

  // The books, recomputed from the rows.
  async verify() {
    const database = `sqlite:${join(this.data, 'demo.db')}`;
    const child = spawn(this.binary, ['verify', '--database', database], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (part) => (output += part));
    child.stderr.on('data', (part) => (output += part));
    const code = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (code !== 0) throw this.failure(`scrip verify ended with ${code}:\n${output}`);
  }

  // SIGTERM, as an operator stops it. Another exit code than 0 is an error.
  async stop() {
    try {
      this.child.kill('SIGTERM');
      const code = await within(STOP_MS, this.exit, 'the node after SIGTERM');
      if (code !== 0) throw this.failure(`the node ended with ${code}, not 0`);
    } finally {
      process.off('exit', this.endAtExit);
      this.endAtExit();
    }
  }
}

// Starts a node and waits until it listens. It has `url`, `data` (its folder)
// and `demo` (what demo.json says).
export async function startNode(binary = scripBinary()) {
  const node = new DemoNode(binary, await mkdtemp(join(tmpdir(), 'scrip-demo-')));
  try {
    await node.start();
  } catch (error) {
    node.child.kill('SIGKILL');
    await node.stop().catch(() => {});
    throw error;
  }
  return node;
}
