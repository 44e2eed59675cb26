// Signing in, through the pages.
//
// Who is a shop and a customer or the member of staff of demo.json:
// 'rasterworks/Ana' (the first customer whose line there begins so),
// 'rasterworks/staff'.

const sessions = new Map();

function accountOf(demo, who) {
  const [slug, name] = who.split('/');
  const vendor = demo.vendors?.find((one) => one.slug === slug);
  if (!vendor) throw new Error(`${who}: the demo has no shop "${slug}"`);
  const shop = `/shops/${slug}`;
  if (name === 'staff') {
    return { page: `${shop}/staff/sign-in`, name: vendor.staff, secret: vendor.staff_password };
  }
  const customer = vendor.customers.find(({ about }) => about.startsWith(name));
  if (!name || !customer) throw new Error(`${who}: ${slug} has no customer "${name}"`);
  return { page: `${shop}/sign-in`, name: customer.number, secret: customer.pin };
}

// Fills in the page's only form with a password field: that field, and the
// first one beside it that takes text.
export async function signIn(page, demo, who) {
  const account = accountOf(demo, who);
  await page.goto(account.page);
  const form = page.locator('form:has(input[type=password])');
  const name = 'input:not([type=password], [type=hidden], [type=checkbox], [type=radio])';
  await form.locator(name).first().fill(account.name);
  await form.locator('input[type=password]').first().fill(account.secret);
  const [response] = await Promise.all([
    page.waitForNavigation(),
    form.locator('button:not([type=button]), input[type=submit]').first().click(),
  ]);
  if (!response?.ok() || new URL(page.url()).pathname === account.page) {
    const text = (await page.locator('main, body').first().innerText()).slice(0, 300);
    throw new Error(`${who} could not sign in (status ${response?.status()}): ${text}`);
  }
}

// The cookies of one session for each account, made at the first use.
export function sessionOf(browser, node, who) {
  const key = `${node.url} ${who}`;
  if (!sessions.has(key)) sessions.set(key, makeSession(browser, node, who));
  return sessions.get(key);
}

async function makeSession(browser, node, who) {
  const context = await browser.newContext({ baseURL: node.url });
  context.setDefaultTimeout(10_000);
  try {
    await signIn(await context.newPage(), node.demo, who);
    return await context.storageState();
  } finally {
    await context.close();
  }
}
