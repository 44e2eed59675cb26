// Every page: what `scripts/screenshots` draws and pages.test.mjs checks.
//
// name  of the picture
// path  or a function of demo.json's content that gives it
// who   is signed in: 'SHOP/CUSTOMER', 'SHOP/staff' (see lib/session.mjs) or null

export const pages = [{ name: 'front', path: '/', who: null }];

export const pathOf = (page, demo) =>
  typeof page.path === 'function' ? page.path(demo) : page.path;
