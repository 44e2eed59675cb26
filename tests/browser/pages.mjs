// Every page: what `scripts/screenshots` draws and pages.test.mjs checks.
//
// name  of the picture
// path  or a function of demo.json's content that gives it
// who   is signed in: 'SHOP/CUSTOMER', 'SHOP/staff' (see lib/session.mjs) or null

export const pages = [
  { name: 'front', path: '/', who: null },
  { name: 'docs', path: '/docs', who: null },
  { name: 'introduction', path: '/shops/rasterworks', who: null },
  { name: 'enter', path: '/shops/rasterworks/enter', who: null },
  { name: 'sign-in', path: '/shops/rasterworks/sign-in', who: null },
  { name: 'forgot', path: '/shops/rasterworks/forgot', who: null },
  { name: 'goodbye', path: '/shops/rasterworks/goodbye', who: null },
  { name: 'register', path: '/shops/rasterworks/register', who: null },
  { name: 'register-off-line', path: '/shops/rasterworks/register/off-line', who: null },
  { name: 'staff-sign-in', path: '/shops/rasterworks/staff/sign-in', who: null },
];

export const pathOf = (page, demo) =>
  typeof page.path === 'function' ? page.path(demo) : page.path;
