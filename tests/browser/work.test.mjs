// The office at work: who may do what, a price, a catalogue that comes and goes, a setting and what it
// does in the shop, a key of a program. With and without script.

import { strict as assert } from 'node:assert';

import { assertAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/page.mjs';
import { api, newCustomer } from './lib/people.mjs';
import { browserTest } from './lib/test.mjs';

const SHOP = '/shops/loom';
const STAFF = `${SHOP}/staff`;
const PASSWORD = 'eleven geese fly south';

async function submit(page, button) {
  await Promise.all([page.waitForNavigation(), button.click()]);
}

const press = (page, name) => submit(page, page.getByRole('button', { name, exact: true }));

// Lets somebody in with a role, and signs the person in on a page of its own.
async function atWork(open, owner, name, role, options) {
  await owner.goto(`${STAFF}/people`);
  await owner.getByText('Add a person').click();
  await owner.fill('form[action$="/people"] [name=name]', name);
  await owner.fill('form[action$="/people"] [name=password]', PASSWORD);
  await owner.locator(`label:has(input[name=role][value=${role}])`).click();
  await press(owner, 'Add the person');
  const page = await open(options);
  await page.goto(`${STAFF}/sign-in`);
  await page.fill('[name=name]', name);
  await page.fill('[name=password]', PASSWORD);
  await submit(page, page.locator('form:has([name=password]) button').first());
  assert.equal(new URL(page.url()).pathname, `${STAFF}/today`);
  return page;
}

for (const javascript of [true, false]) {
  const how = javascript ? 'with script' : 'without script';
  const nth = javascript ? 1 : 2;

  browserTest(`roles: each sees and does what it may, ${how}`, async ({ open }) => {
    const owner = await open({ who: 'loom/staff', javascript });
    const statuses = [403];
    const cashier = await atWork(open, owner, `Cato ${nth}`, 'cashier', { javascript, statuses });
    await cashier.goto(`${STAFF}/prices`);
    assert.equal(await cashier.getByRole('button', { name: 'Set the price' }).count(), 0);
    await cashier.goto(`${STAFF}/settings`);
    assert.equal(await cashier.getByRole('button', { name: 'See what would change' }).count(), 0);
    await cashier.goto(`${STAFF}/customers/new`);
    assert.ok(await cashier.getByRole('button', { name: 'Register' }).isVisible());

    const auditor = await atWork(open, owner, `Ada ${nth}`, 'auditor', { javascript, statuses });
    await auditor.goto(`${STAFF}/audit`);
    assert.ok(await auditor.getByText(`Ada ${nth}`).count(), 'the auditor reads the trail');
    await auditor.goto(`${STAFF}/imports`);
    assert.equal(await auditor.getByRole('button', { name: 'Look through it' }).count(), 0);
    const posted = await auditor.request.post(`${STAFF}/prices/token`, {
      form: { price: '9.99', from: '', key: `auditor-${nth}` },
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    assert.equal(posted.status(), 403, 'nor by hand');

    const manager = await atWork(open, owner, `Mia ${nth}`, 'manager', { javascript, statuses });
    await manager.goto(`${STAFF}/prices`);
    assert.ok(await manager.getByRole('button', { name: 'Set the price', exact: true }).isVisible());
    await manager.goto(`${STAFF}/people`);
    assert.ok(await manager.getByText('The owner adds people and changes roles.').isVisible());

    await owner.goto(`${STAFF}/people`);
    await submit(owner, owner.getByRole('link', { name: `Mia ${nth}` }));
    await owner.getByText('The person leaves').click();
    await press(owner, `Sign Mia ${nth} out for good`);
    await manager.goto(`${STAFF}/today`);
    assert.equal(new URL(manager.url()).pathname, `${STAFF}/sign-in`, 'out at once');
  });

  browserTest(`TOK-01 a price holds for later sales, and the old one is kept, ${how}`, async ({
    open,
    demo,
  }) => {
    const own = await open({ javascript });
    await newCustomer(own, await demo(), 'hearth-and-fern', `Pia ${nth}`, 10);
    const page = await open({ who: 'hearth-and-fern/staff', javascript, statuses: [422] });
    const prices = '/shops/hearth-and-fern/staff/prices';
    await page.goto(prices);
    await page.fill('form[action$="/token"] [name=price]', '-1');
    await press(page, 'Set the price');
    assert.ok(await page.locator('[aria-invalid=true], .say.is-bad').count(), 'it says what is wrong');
    const price = javascript ? '0.25' : '0.10';
    await page.fill('form[action$="/token"] [name=price]', price);
    await press(page, 'Set the price');
    if (javascript) await assertAccessible(page);
    const rows = page.getByRole('region', { name: 'Prices of a token' }).locator('tbody tr');
    assert.match(await rows.first().innerText(), javascript ? /25 ¢/ : /10 ¢/);
    assert.match(await rows.last().innerText(), /From the beginning[^]*10 ¢/);
    await own.goto('/shops/hearth-and-fern/buy');
    const text = await own.locator('main').innerText();
    assert.ok(text.includes(javascript ? '100 tokens for $25.00' : '100 tokens for $10.00'), text);
  });

  browserTest(`a catalogue is looked through, entered and undone, ${how}`, async ({ open }) => {
    const viewport = javascript ? undefined : PHONE;
    const page = await open({ who: 'loom/staff', javascript, viewport });
    const file = (rows) => ({
      name: `spring-${nth}.csv`,
      mimeType: 'text/csv',
      buffer: Buffer.from(['Handle,Title,Variant SKU,Variant Price', ...rows].join('\n')),
    });
    const look = async (rows) => {
      await page.goto(`${STAFF}/imports`);
      await page.setInputFiles('#file', file(rows));
      await press(page, 'Look through it');
    };
    const good = `scarf-${nth},Spring scarf ${nth},scarf-${nth},12.50`;
    await look([good, `hat-${nth},Spring hat,hat-${nth},much`]);
    const wrong = await page.locator('tbody tr', { hasText: 'Left out' }).innerText();
    assert.match(wrong, /^3\s[^]*"much" is no amount/, 'which row, and why');
    if (javascript) await assertAccessible(page);

    await look([good]);
    await press(page, 'Enter it');
    for (let tries = 0; tries < 20 && !(await page.getByText('Undo it').count()); tries += 1) {
      await page.waitForTimeout(500);
      await page.goto(page.url());
    }
    const visitor = await open({ javascript });
    await visitor.goto(`${SHOP}/shop/p/scarf-${nth}`);
    assert.ok(await visitor.getByRole('heading', { name: `Spring scarf ${nth}` }).isVisible());
    await press(page, 'Undo it');
    let shelf = '';
    for (let tries = 0; tries < 20; tries += 1) {
      await visitor.goto(`${SHOP}/shop?q=scarf-${nth}`);
      shelf = await visitor.locator('main').innerText();
      if (!shelf.includes(`Spring scarf ${nth}`)) break;
      await page.waitForTimeout(500);
    }
    assert.ok(!shelf.includes(`Spring scarf ${nth}`), 'it is off the shelf');
  });

  browserTest(`a setting is shown before it holds, and then holds, ${how}`, async ({ open, demo }) => {
    const page = await open({ who: 'rasterworks/staff', javascript, statuses: [422] });
    const settings = '/shops/rasterworks/staff/settings';
    const rate = javascript ? 'VAT 19%' : 'VAT 7%';
    const set = async (text) => {
      await page.goto(settings);
      await page.fill('[name="tax.rates"]', text);
      await press(page, 'See what would change');
    };
    await set('nineteen');
    assert.ok(await page.getByText('write a name and a percentage').isVisible());
    await set(rate);
    assert.ok(await page.getByText('Nothing is changed yet.').isVisible());
    if (javascript) await assertAccessible(page);
    await press(page, 'Change them');
    assert.ok(await page.getByText('The settings are changed.').isVisible());

    const own = await open({ javascript });
    const customer = await newCustomer(own, await demo(), 'rasterworks', `Tia ${nth}`, 300);
    const order = await api(own, await demo(), 'rasterworks', 'POST', '/v1/orders', {
      customer_id: customer.id,
      lines: [{ sku: 'software-a', quantity: 1 }],
    });
    await own.goto(`/shops/rasterworks/orders/${order.order_id}`);
    const text = await own.locator('main').innerText();
    assert.ok(text.includes(`In it: ${rate}`), text);
    await set('');
    await press(page, 'Change them');
    await page.goto(`${settings}/history`);
    const newest = await page.locator('main section').first().innerText();
    assert.ok(newest.includes(rate), 'the history has what it was');
  });

  browserTest(`a key of a program works until it is revoked, ${how}`, async ({ open }) => {
    const page = await open({ who: 'loom/staff', javascript });
    await page.goto(`${STAFF}/keys`);
    await page.getByText('Make a key').first().click();
    await page.fill('form[action$="/keys"] [name=name]', `Till ${nth}`);
    await page.locator('label:has(input[value="vendor:read"])').click();
    await press(page, 'Make the key');
    const key = (await page.locator('p.code').innerText()).trim();
    if (javascript) await assertAccessible(page);
    const call = async () => {
      const headers = { authorization: `Bearer ${key}` };
      return (await page.request.get('/v1/vendor', { headers })).status();
    };
    assert.equal(await call(), 200);
    await page.goto(`${STAFF}/keys`);
    const row = page.locator('tbody tr', { hasText: `Till ${nth}` });
    await row.locator('summary').click();
    await submit(page, row.getByRole('button', { name: 'Revoke for good' }));
    let status = await call();
    for (let tries = 0; tries < 20 && status === 200; tries += 1) {
      await page.waitForTimeout(200);
      status = await call();
    }
    assert.equal(status, 401);
  });
}
