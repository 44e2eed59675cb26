// Pages under watch. A page is Playwright's own; `guardOf(page)` finds what
// watches it.

import { Guard } from './guard.mjs';
import { sessionOf, signIn } from './session.mjs';
import { sharedBrowser, sharedNode } from './shared.mjs';

export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 320, height: 640 };

const guards = new WeakMap();

export const guardOf = (page) => guards.get(page);

// Opens an empty page in a context of its own.
//
// javascript   false: the page runs no script
// viewport     WIDE, PHONE or {width, height}
// colorScheme  'light' or 'dark'
// who          signed in: 'SHOP/CUSTOMER' or 'SHOP/staff' (see session.mjs)
// ownSession   true: not the session that all tests share (to sign out, say)
// statuses     answers from 400 on that the test expects
// origin       another server than the demo node
export async function newPage({
  javascript = true,
  viewport = WIDE,
  colorScheme = 'light',
  who = null,
  ownSession = false,
  statuses = [],
  origin,
} = {}) {
  const browser = await sharedBrowser();
  const node = origin ? null : await sharedNode();
  const base = new URL(origin ?? node.url).origin;
  const context = await browser.newContext({
    baseURL: base,
    javaScriptEnabled: javascript,
    viewport,
    colorScheme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    storageState: who && !ownSession ? await sessionOf(browser, node, who) : undefined,
  });
  context.setDefaultTimeout(10_000);
  const guard = new Guard(context, base, statuses);
  const page = await context.newPage();
  if (who && ownSession) await signIn(page, node.demo, who);
  guards.set(page, guard);
  return page;
}

// Ends the page with its context and returns what was wrong with it.
// `beforeClosing` still sees the page.
export async function closePage(page, beforeClosing = async () => {}) {
  const complaints = await guardOf(page).finish(page.context().pages());
  try {
    await beforeClosing(complaints);
  } finally {
    await page.context().close();
  }
  return complaints;
}
