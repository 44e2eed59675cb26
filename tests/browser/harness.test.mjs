// The harness itself: each thing that a page may not do is seen, and a page
// that does none of it passes.

import { strict as assert } from 'node:assert';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, axeFindings } from './lib/axe.mjs';
import { startNode } from './lib/node.mjs';
import { closePage, newPage, PHONE } from './lib/page.mjs';

// As strict as the node's own.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'";

const html = (body, head = '') =>
  `<!doctype html><html lang="en"><head><title>Toy</title>${head}</head>` +
  `<body><main><h1>Toy</h1>${body}</main></body></html>`;

const script = (name) => `<script src="/${name}.js"></script>`;
const scrolling = '<link rel="stylesheet" href="/scroll.css">';
const long = `<pre class="long">${'wide '.repeat(80)}</pre>`;

// path: [body, status, content type, policy]
const PAGES = {
  '/good': [html('<p>Nothing is wrong here.</p>')],
  '/style.css': ['main { max-width: 40rem }', 200, 'text/css'],
  '/styled': [html('<p>Text.</p>', '<link rel="stylesheet" href="/style.css">')],
  '/console': [html(script('console'))],
  '/console.js': ['console.error("a toy complains")', 200, 'text/javascript'],
  '/throws': [html(script('throws'))],
  '/throws.js': ['throw new Error("a toy breaks")', 200, 'text/javascript'],
  '/inline-script': [html('<script>document.title = "x"</script>')],
  '/inline-style': [html('<p style="color: red">Red.</p>')],
  '/elsewhere': [html('<img src="http://elsewhere.example/a.png" alt="">'), 200, 'text/html', ''],
  '/missing-part': [html('<img src="/none.png" alt="">')],
  '/cut': [html('<img src="/cut.png" alt="">')],
  '/refused': [html('<p>Not so.</p>'), 422],
  '/broken': [html('<p>Sorry.</p>'), 500],
  '/wide': [html(long)],
  '/wide-scroll': [html(`<div class="scroll">${long}</div>`, scrolling)],
  '/wide-other': [html(`<div class="box">${long}</div>`, scrolling)],
  '/scroll.css': ['.scroll, .box { overflow-x: auto }', 200, 'text/css'],
  '/no-label': [html('<form><input name="a"></form>')],
  '/opens': [html('<a href="/console" target="_blank">Open</a>')],
};

let server;
let origin;

before(async () => {
  server = createServer((request, response) => {
    if (request.url === '/cut.png') return response.destroy();
    const known = PAGES[request.url] ?? ['', 404];
    const [body, status = 200, type = 'text/html', policy = POLICY] = known;
    const headers = { 'content-type': `${type}; charset=utf-8` };
    if (policy) headers['content-security-policy'] = policy;
    response.writeHead(status, headers).end(body);
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  origin = `http://localhost:${server.address().port}`;
});

after(() => server.close());

async function complaintsOf(path, options = {}, act = async () => {}) {
  const page = await newPage({ origin, ...options });
  await page.goto(path);
  await act(page);
  return closePage(page);
}

async function isFound(path, expected, options, act) {
  const complaints = await complaintsOf(path, options, act);
  assert.ok(
    complaints.some((text) => expected.test(text)),
    `${path}: ${expected} is not among ${JSON.stringify(complaints)}`,
  );
}

describe('harness: what a page may not do is found', () => {
  test('a good page passes', async () => {
    const runs = ['/good', '/styled', '/wide-scroll'].flatMap((path) => [
      complaintsOf(path, { viewport: PHONE }),
      complaintsOf(path, { viewport: PHONE, javascript: false }),
    ]);
    assert.deepEqual((await Promise.all(runs)).flat(), []);
  });

  test('console and script errors', () =>
    Promise.all([
      isFound('/console', /console error: a toy complains/),
      isFound('/throws', /script error: a toy breaks/),
    ]));

  test('violations of the policy, with and without script', () =>
    Promise.all([
      isFound('/inline-script', /policy violation/),
      isFound('/inline-style', /policy violation/),
      isFound('/inline-style', /policy violation/, { javascript: false }),
    ]));

  test('requests that fail or leave the host', () =>
    Promise.all([
      isFound('/elsewhere', /request to another host: http:\/\/elsewhere\.example/),
      isFound('/missing-part', /status 404: GET .*none\.png/),
      isFound('/cut', /failed request: .*cut\.png/),
    ]));

  test('statuses, unless the test expects them', async () => {
    await Promise.all([
      isFound('/refused', /status 422/),
      isFound('/broken', /status 500/, { statuses: [422] }),
    ]);
    assert.deepEqual(await complaintsOf('/refused', { statuses: [422] }), []);
  });

  test('scrolling sideways, except in .scroll', () =>
    Promise.all([
      isFound('/wide', /scrolls sideways at 320 px: pre\.long ends/, { viewport: PHONE }),
      isFound('/wide', /scrolls sideways/, { viewport: PHONE, javascript: false }),
      isFound('/wide-other', /scrolls sideways.*: div\.box/, { viewport: PHONE }),
    ]));

  test('in a page that the page opened, too', () =>
    isFound('/opens', /a toy complains/, {}, async (page) => {
      const [opened] = await Promise.all([page.waitForEvent('popup'), page.click('a')]);
      await opened.waitForLoadState('load');
    }));

  test('what axe finds, under a policy that forbids inline script', async () => {
    const page = await newPage({ origin });
    await page.goto('/good');
    await assertAccessible(page);
    await page.goto('/no-label');
    await assert.rejects(assertAccessible(page), /critical: label: .*\n +input/);
    assert.equal((await axeFindings(page)).length, 1);
    assert.deepEqual(await closePage(page), []);
  });
});

describe('harness: how the node ends is looked at', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scrip-toy-'));
  after(() => rmSync(folder, { recursive: true }));

  // A program that behaves like `scrip demo` and then as the lines say.
  const program = (name, lines) => {
    const path = join(folder, name);
    const begin = 'data="${5}"; echo \'{"accounts": {}}\' >"$data/demo.json"';
    writeFileSync(path, `#!/bin/sh\n${begin}\n${lines}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const waits = 'echo "ready http://localhost:9"; while true; do sleep 0.1; done';

  test('well', async () => {
    const node = await startNode(program('good', `trap "exit 0" TERM; ${waits}`));
    assert.equal(node.url, 'http://localhost:9');
    assert.deepEqual(node.demo, { accounts: {} });
    await node.stop();
  });

  test('with another code than 0', async () => {
    const node = await startNode(program('bad', `trap "echo oh >&2; exit 3" TERM; ${waits}`));
    await assert.rejects(node.stop(), /ended with 3, not 0\n[^]*oh/);
  });

  test('killed by the signal', async () => {
    const node = await startNode(program('killed', waits));
    await assert.rejects(node.stop(), /ended with SIGTERM, not 0/);
  });

  test('before it is ready', async () => {
    await assert.rejects(startNode(program('early', 'echo no >&2; exit 1')), /\(1\) before[^]*no/);
    await assert.rejects(startNode(join(folder, 'none')), /did not start/);
  });
});
