// Customers of a test's own, made over the API, so that no other test counts
// what they do.

export const PIN = '83105';

const vendorOf = (demo, slug) => demo.vendors.find((vendor) => vendor.slug === slug);

// Calls the API as a shop's own program. `page` says at which node.
export async function api(page, demo, slug, method, path, body) {
  const answer = await page.request.fetch(path, {
    method,
    data: body,
    headers: {
      authorization: `Bearer ${vendorOf(demo, slug).api_key}`,
      'idempotency-key': crypto.randomUUID(),
    },
  });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.status() === 204 ? null : answer.json();
}

// A fresh customer with so many tokens, signed in on the page: {id, number}.
export async function newCustomer(page, demo, slug, name, tokens = 0) {
  const call = (method, path, body) => api(page, demo, slug, method, path, body);
  const made = await call('POST', '/v1/customers', { person: { name }, pin: PIN });
  const { customer_id: id, number } = made;
  if (tokens > 0) {
    const order = { tokens: String(tokens), card: 'test_ok' };
    await call('POST', `/v1/customers/${id}/token-orders`, order);
  }
  await signIn(page, slug, { number });
  return { id, number };
}

// Signs in as such a customer.
export async function signIn(page, slug, { number }) {
  await page.goto(`/shops/${slug}/sign-in`);
  const form = page.locator('form:has(input[type=password])');
  await form.locator('[name=name]').fill(number);
  await form.locator('input[type=password]').fill(PIN);
  await Promise.all([page.waitForNavigation(), form.locator('button').first().click()]);
}
