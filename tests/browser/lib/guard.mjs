// Watches all pages of a browser context, and collects what no page of ours
// may do: errors in the console or in a script, a violation of the content
// security policy, a failed request, an unexpected status, a request to
// another host, and scrolling sideways.

import { sideways } from './sideways.mjs';

// Chromium says this of each answer from 400 on. The `response` listener
// judges those, because a test may expect one.
const STATUS_MESSAGE = /^Failed to load resource: the server responded with a status of/;

// What a navigation or a closed page cuts off is no failure.
const CUT_OFF = 'net::ERR_ABORTED';

const LOCAL_SCHEMES = new Set(['data:', 'blob:', 'about:']);

export class Guard {
  // `statuses`: the answers from 400 on that the test expects.
  constructor(context, origin, statuses = []) {
    this.origin = origin;
    this.statuses = new Set(statuses);
    this.complaints = [];
    this.isWatching = true;
    this.pending = new Set();
    context.on('console', (message) => this.onConsole(message));
    context.on('weberror', (error) => this.complain(`script error: ${error.error().message}`));
    context.on('request', (request) => this.onRequest(request.url()));
    context.on('requestfailed', (request) => this.onRequestFailed(request));
    context.on('response', (response) => this.onResponse(response));
    context.on('page', (page) => this.watchPage(page));
  }

  complain(text) {
    if (this.isWatching && !this.complaints.includes(text)) this.complaints.push(text);
  }

  watchPage(page) {
    page.on('websocket', (socket) => this.onRequest(socket.url().replace(/^ws/, 'http')));
    page.on('crash', () => this.complain('the page crashed'));
    page.on('load', () => {
      const check = this.checkSideways(page)
        // The next navigation has come: the end of the test looks again.
        .catch(() => {})
        .finally(() => this.pending.delete(check));
      this.pending.add(check);
    });
  }

  onConsole(message) {
    if (message.type() !== 'error' && message.type() !== 'assert') return;
    const text = message.text();
    if (STATUS_MESSAGE.test(text)) return;
    const kind = text.includes('Content Security Policy') ? 'policy violation' : 'console error';
    this.complain(`${kind}: ${text}`);
  }

  onRequest(address) {
    const url = new URL(address);
    if (!LOCAL_SCHEMES.has(url.protocol) && url.origin !== this.origin) {
      this.complain(`request to another host: ${address}`);
    }
  }

  onRequestFailed(request) {
    const why = request.failure()?.errorText ?? 'no reason given';
    if (why !== CUT_OFF) this.complain(`failed request: ${request.url()}: ${why}`);
  }

  onResponse(response) {
    const status = response.status();
    if (status >= 400 && !this.statuses.has(status)) {
      this.complain(`status ${status}: ${response.request().method()} ${response.url()}`);
    }
  }

  async checkSideways(page) {
    const path = new URL(page.url()).pathname;
    for (const found of await page.evaluate(sideways)) {
      this.complain(`${path} scrolls sideways at ${page.viewportSize()?.width} px: ${found}`);
    }
  }

  // Everything found so far, with a last look at the pages that are open.
  async finish(pages) {
    await Promise.all(this.pending);
    for (const page of pages) {
      if (!page.isClosed()) await this.checkSideways(page);
    }
    // What is done to the page from here on is our doing.
    this.isWatching = false;
    return this.complaints;
  }
}
