// The way into a shop, registering, signing in and leaving, as people do it:
// with a mouse or with keys alone, with script and without.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE, WIDE } from './lib/page.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/rasterworks';

const pathOf = (page) => new URL(page.url()).pathname;
const heading = (page) => page.locator('h1').innerText();
// The browser moves the focus there a moment after loading.
async function hasFocus(page, id) {
  for (let tries = 0; tries < 40; tries += 1) {
    if ((await page.evaluate(() => document.activeElement.id)) === id) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`#${id} has not got the focus`);
}

// Presses what leads to another page and waits for that.
async function follow(page, locator) {
  const [response] = await Promise.all([page.waitForNavigation(), locator.click()]);
  return response;
}

const main = (page) => page.locator('main .btn.main');
// The time zone that the browser says is no session.
const sessions = async (page) =>
  (await page.context().cookies()).filter((cookie) => cookie.name !== 'zone');

for (const { how, ...options } of [
  { how: 'wide, with script', viewport: WIDE },
  { how: '320 px, without script', viewport: PHONE, javascript: false },
]) {
  // axe needs script.
  const accessible = async (page) => options.javascript === false || assertAccessible(page);

  browserTest(`SHP-01, SHP-02 from the first page to the question: ${how}`, async ({ open }) => {
    const page = await open(options);
    await page.goto(SHOP);
    assert.match(await page.locator('main').innerText(), /10 ¢[^]*50 tokens/);
    await follow(page, main(page));
    assert.equal(pathOf(page), `${SHOP}/enter`);
    const exits = { 'Sign in': 'sign-in', 'Register here': 'register', 'By phone or mail': 'register/off-line' };
    for (const [label, place] of Object.entries(exits)) {
      await follow(page, page.locator('.exits').getByRole('link', { name: label }));
      assert.equal(pathOf(page), `${SHOP}/${place}`);
      await page.goBack();
    }
    await page.goto(SHOP);
    await follow(page, page.locator('main').getByRole('button', { name: 'Quit' }));
    assert.equal(pathOf(page), `${SHOP}/goodbye`);
  });

  browserTest(`REG-02, REG-06 registering: ${how}`, async ({ open }) => {
    const page = await open({ ...options, statuses: [422] });
    await page.goto(`${SHOP}/register`);
    await follow(page, main(page));
    assert.equal(await heading(page), 'Who are you?');
    await accessible(page);

    await page.getByLabel('Name', { exact: false }).first().fill('Ida Berg');
    await page.locator('#pin').fill('1234');
    await page.locator('#pin_again').fill('1234');
    const refused = await follow(page, main(page));
    assert.equal(refused.status(), 422);
    await hasFocus(page, 'pin');
    assert.equal(await page.locator('#pin').getAttribute('aria-invalid'), 'true');
    const described = await page.locator('#pin').getAttribute('aria-describedby');
    for (const id of described.split(' ')) {
      assert.equal(await page.locator(`#${id}`).count(), 1, id);
    }
    assert.equal(await page.locator('#name').inputValue(), 'Ida Berg');
    assert.equal(await page.locator('#pin').inputValue(), '');
    await accessible(page);

    await page.locator('#pin').fill('40712');
    await page.locator('#pin_again').fill('40712');
    await follow(page, main(page));
    assert.equal(await heading(page), 'How will you pay for tokens?');
    await accessible(page);
    await follow(page, main(page));
    assert.equal(await heading(page), 'Your account number');
    assert.match(await page.locator('.code').innerText(), /^\d{3}-\d{4}-\d{4}-\d\d$/);
    assert.match(await main(page).innerText(), /^Buy 50 tokens, \$5\.00$/);
    assert.match(await page.locator('.mast .who').innerText(), /Ida Berg/, 'signed in at once');
    await accessible(page);

    // Back to a stage that is done: the page still says where one is.
    await page.goBack();
    await page.reload();
    assert.equal(await heading(page), 'Your account number');
  });

  browserTest(`SHP-03 signing in: ${how}`, async ({ open, demo }) => {
    const page = await open({ ...options, statuses: [401, 422] });
    const account = `${SHOP}/account`;
    await page.goto(account);
    assert.equal(pathOf(page), `${SHOP}/sign-in`);
    await hasFocus(page, 'name');
    const mara = (await demo()).vendors[0].customers[2];
    await page.locator('#name').fill(mara.number);
    await page.locator('#secret').fill('9021');
    const wrong = await follow(page, main(page));
    assert.equal(wrong.status(), 401);
    assert.match(await page.locator('[role=alert]').innerText(), /You are not signed in/);
    await hasFocus(page, 'secret');
    assert.equal(await page.locator('#name').inputValue(), mara.number);
    assert.equal(await page.locator('#secret').inputValue(), '');
    assert.deepEqual(await sessions(page), []);
    await accessible(page);

    // By keys alone.
    await page.keyboard.type(mara.pin);
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    assert.equal(pathOf(page), account, 'back where the way began');
    const [cookie] = await sessions(page);
    assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === 'Lax' && cookie.path === '/');

    await follow(page, page.locator('.foot').getByRole('button', { name: 'Quit' }));
    assert.equal(await heading(page), 'Goodbye');
    assert.deepEqual(await sessions(page), []);
    await page.goto(account);
    assert.equal(pathOf(page), `${SHOP}/sign-in`);
  });

  browserTest(`SHP-03 a forgotten PIN: ${how}`, async ({ open, demo }) => {
    const page = await open({ ...options, statuses: [422] });
    await page.goto(`${SHOP}/sign-in`);
    await follow(page, page.getByRole('link', { name: 'I forgot my PIN' }));
    await page.locator('#name').fill((await demo()).vendors[0].customers[2].number);
    await page.locator('#code').fill('00000-00000');
    await page.locator('#pin').fill('40712');
    await page.locator('#pin_again').fill('40712');
    await follow(page, main(page));
    assert.match(await page.locator('[role=alert]').innerText(), /This code does not work/);
    await hasFocus(page, 'code');
    await accessible(page);
  });
}

browserTest('SHP-03 the demo signs in with one press', async ({ open }) => {
  const page = await open();
  await page.goto(`${SHOP}/sign-in?next=${SHOP}/account`);
  await follow(page, page.getByRole('button', { name: 'Sign in as Mara Okafor' }));
  assert.equal(pathOf(page), `${SHOP}/account`);
});

browserTest('SHP-03, SHP-16 an ended session leads back and keeps the list', async ({ open }) => {
  const page = await open({ who: 'rasterworks/Mara', ownSession: true });
  const [cookie] = await sessions(page);
  await page.context().clearCookies();
  await page.context().addCookies([{ ...cookie, value: 'A'.repeat(43) }]);
  await page.goto(`${SHOP}/account`);
  assert.match(await page.locator('[role=status]').innerText(), /Your order list is kept/);
});

browserTest('REG-02 two presses open one account', async ({ open }) => {
  const page = await open();
  await page.goto(`${SHOP}/register`);
  await follow(page, main(page));
  await page.locator('#pin').fill('40712');
  await page.locator('#pin_again').fill('40712');
  await follow(page, main(page));
  await Promise.all([page.waitForNavigation(), main(page).dblclick()]);
  await page.waitForLoadState();
  assert.equal(await heading(page), 'Your account number');
  assert.match(await main(page).innerText(), /^Buy 50 tokens/, 'and it is one\'s own');
});

browserTest('SHP-16 quitting costs nothing and keeps the order list', async ({ open }) => {
  const page = await open({ who: 'rasterworks/Jonas', ownSession: true });
  const figures = async () => {
    await page.goto(`${SHOP}/list`);
    return page.locator('main .trio').first().innerText();
  };
  const before = await figures();
  assert.match(before, /Available\s+120/);
  await follow(page, page.locator('.foot').getByRole('button', { name: 'Quit' }));
  assert.match(await page.locator('main').innerText(), /no token was spent/);
  await page.goto(`${SHOP}/sign-in`);
  await follow(page, page.getByRole('button', { name: 'Sign in as Jonas Lind' }));
  assert.equal(await figures(), before);
});
