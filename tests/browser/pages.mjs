// Every page: what `scripts/screenshots` draws and pages.test.mjs checks.
//
// name  of the picture
// path  or a function of demo.json's content that gives it
// who   is signed in: 'SHOP/CUSTOMER', 'SHOP/staff' (see lib/session.mjs) or null

export const pages = [
  { name: 'front', path: '/', who: null },
  { name: 'docs', path: '/docs', who: null },
  { name: 'shop', path: '/shops/rasterworks', who: null },
  { name: 'sign-in', path: '/shops/rasterworks/sign-in', who: null },
  { name: 'staff-sign-in', path: '/shops/rasterworks/staff/sign-in', who: null },
];

export const pathOf = (page, demo) =>
  typeof page.path === 'function' ? page.path(demo) : page.path;
