// Every page: what `scripts/screenshots` draws and pages.test.mjs checks.
//
// name  of the picture
// path  or a function of demo.json's content that gives it
// who   is signed in: 'SHOP/CUSTOMER', 'SHOP/staff' (see lib/session.mjs) or null

// The page about a customer of the demo, as staff see it.
const customerOf = (slug, nth) => (demo) => {
  const { customers } = demo.vendors.find((vendor) => vendor.slug === slug);
  return `/shops/${slug}/staff/customers/${customers[nth].customer_id}`;
};

// The order of the demo that is to be sent.
const parcelOf = (slug, path) => (demo) => {
  const { customers } = demo.vendors.find((vendor) => vendor.slug === slug);
  const { parcel } = customers.find((customer) => customer.parcel);
  return `/shops/${slug}${path.replace('{order}', parcel)}`;
};

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
  { name: 'shop', path: '/shops/rasterworks/shop', who: 'rasterworks/Ana' },
  { name: 'shop-visitor', path: '/shops/rasterworks/shop', who: null },
  { name: 'shop-inactive', path: '/shops/rasterworks/shop', who: 'rasterworks/Mara' },
  { name: 'shop-nothing', path: '/shops/rasterworks/shop?category=none', who: null },
  { name: 'goods', path: '/shops/hearth-and-fern/shop', who: 'hearth-and-fern/Ana' },
  { name: 'goods-visitor', path: '/shops/loom/shop', who: null },
  { name: 'program', path: '/shops/rasterworks/shop/p/software-d', who: 'rasterworks/Ana' },
  { name: 'program-visitor', path: '/shops/rasterworks/shop/p/software-b', who: null },
  { name: 'product', path: '/shops/hearth-and-fern/shop/p/clay-plant-pot', who: 'hearth-and-fern/Ana' },
  { name: 'list', path: '/shops/rasterworks/list', who: 'rasterworks/Jonas' },
  { name: 'list-empty', path: '/shops/rasterworks/list', who: 'rasterworks/Mara' },
  { name: 'confirm', path: '/shops/rasterworks/confirm', who: 'rasterworks/Ana' },
  { name: 'confirm-nothing', path: '/shops/rasterworks/confirm', who: 'rasterworks/Mara' },
  { name: 'confirm-card', path: '/shops/loom/confirm/card', who: 'loom/Nora' },
  { name: 'shortage-card', path: '/shops/loom/confirm', who: 'loom/Nora' },
  { name: 'off-line', path: '/shops/rasterworks/off-line', who: 'rasterworks/Jonas' },
  { name: 'shortage', path: '/shops/rasterworks/confirm', who: 'rasterworks/Jonas' },
  { name: 'account', path: '/shops/rasterworks/account', who: 'rasterworks/Ana' },
  { name: 'account-inactive', path: '/shops/rasterworks/account', who: 'rasterworks/Mara' },
  { name: 'cards', path: '/shops/rasterworks/account/cards', who: 'rasterworks/Ana' },
  { name: 'card-add', path: '/shops/rasterworks/account/cards/add', who: 'rasterworks/Ana' },
  { name: 'top-up', path: '/shops/rasterworks/account/top-up', who: 'rasterworks/Ana' },
  { name: 'person', path: '/shops/rasterworks/account/person', who: 'rasterworks/Ana' },
  { name: 'family', path: '/shops/rasterworks/account/family', who: 'rasterworks/Ana' },
  { name: 'linked', path: '/shops/rasterworks/account/linked', who: 'rasterworks/Ana' },
  { name: 'second-factor', path: '/shops/rasterworks/account/second-factor', who: 'rasterworks/Ana' },
  { name: 'family-child', path: '/shops/rasterworks/account/family/child', who: 'rasterworks/Ana' },
  { name: 'statement', path: '/shops/rasterworks/account/statement', who: 'rasterworks/Ana' },
  { name: 'account-messages', path: '/shops/rasterworks/account/messages', who: 'rasterworks/Ana' },
  { name: 'pin', path: '/shops/rasterworks/account/pin', who: 'rasterworks/Ana' },
  { name: 'orders', path: '/shops/rasterworks/orders', who: 'rasterworks/Ana' },
  { name: 'buy', path: '/shops/rasterworks/buy', who: 'rasterworks/Jonas' },
  { name: 'buy-inactive', path: '/shops/rasterworks/buy', who: 'rasterworks/Mara' },
  { name: 'buy-orders', path: '/shops/rasterworks/buy/orders', who: 'rasterworks/Ana' },
  { name: 'staff-messages', path: '/shops/rasterworks/staff/messages', who: 'rasterworks/staff' },
  { name: 'staff-webhooks', path: '/shops/rasterworks/staff/webhooks', who: 'rasterworks/staff' },
  { name: 'buy-packs', path: '/shops/loom/buy', who: 'loom/Tomas' },
  { name: 'buy-orders-offline', path: '/shops/loom/buy/orders', who: 'loom/Tomas' },
  { name: 'buy-offline', path: '/shops/loom/buy/offline', who: 'loom/Tomas' },
  { name: 'staff-token-orders', path: '/shops/loom/staff/token-orders', who: 'loom/staff' },
  { name: 'staff-token-orders-new', path: '/shops/loom/staff/token-orders/new', who: 'loom/staff' },
  { name: 'staff-token-orders-owed', path: '/shops/loom/staff/token-orders/owed', who: 'loom/staff' },
  { name: 'staff-gifts', path: '/shops/loom/staff/gifts', who: 'loom/staff' },
  { name: 'shop-reduced', path: '/shops/loom/shop?q=jacket', who: 'loom/Ana' },
  { name: 'product-reduced', path: '/shops/loom/shop/p/navy-sport-jacket', who: 'loom/Ana' },
  { name: 'staff-promotions', path: '/shops/loom/staff/promotions', who: 'loom/staff' },
  { name: 'staff-promotion-new', path: '/shops/loom/staff/promotions/new', who: 'loom/staff' },
  { name: 'staff-coupon-new', path: '/shops/loom/staff/promotions/new?coupon=1', who: 'loom/staff' },
  { name: 'staff-report-promotions', path: '/shops/loom/staff/reports/promotions', who: 'loom/staff' },
  { name: 'staff-report-taxes', path: '/shops/loom/staff/reports/taxes', who: 'loom/staff' },
  { name: 'staff-prices', path: '/shops/loom/staff/prices', who: 'loom/staff' },
  { name: 'staff-today', path: '/shops/rasterworks/staff/today', who: 'rasterworks/staff' },
  { name: 'staff-requests', path: '/shops/rasterworks/staff/requests', who: 'rasterworks/staff' },
  { name: 'staff-customers', path: '/shops/rasterworks/staff/customers', who: 'rasterworks/staff' },
  { name: 'staff-customer', path: customerOf('rasterworks', 0), who: 'rasterworks/staff' },
  { name: 'staff-register', path: '/shops/rasterworks/staff/customers/new', who: 'rasterworks/staff' },
  { name: 'staff-reports', path: '/shops/rasterworks/staff/reports', who: 'rasterworks/staff' },
  { name: 'staff-report-sales', path: '/shops/rasterworks/staff/reports/sales', who: 'rasterworks/staff' },
  { name: 'staff-report-products', path: '/shops/rasterworks/staff/reports/products', who: 'rasterworks/staff' },
  { name: 'staff-report-preferences', path: '/shops/rasterworks/staff/reports/preferences', who: 'rasterworks/staff' },
  { name: 'staff-report-liability', path: '/shops/rasterworks/staff/reports/liability', who: 'rasterworks/staff' },
  { name: 'staff-report-breakage', path: '/shops/rasterworks/staff/reports/breakage', who: 'rasterworks/staff' },
  { name: 'staff-report-receivables', path: '/shops/rasterworks/staff/reports/receivables', who: 'rasterworks/staff' },
  { name: 'staff-report-revenue', path: '/shops/rasterworks/staff/reports/revenue', who: 'rasterworks/staff' },
  { name: 'staff-orders', path: '/shops/rasterworks/staff/orders', who: 'rasterworks/staff' },
  { name: 'staff-paybacks', path: '/shops/rasterworks/staff/paybacks', who: 'rasterworks/staff' },
  { name: 'staff-shipping', path: '/shops/hearth-and-fern/staff/shipping', who: 'hearth-and-fern/staff' },
  { name: 'confirm-goods', path: '/shops/hearth-and-fern/confirm', who: 'hearth-and-fern/Nils' },
  { name: 'list-reserved', path: '/shops/hearth-and-fern/list', who: 'hearth-and-fern/Nils' },
  { name: 'product-reserved', path: '/shops/hearth-and-fern/shop/p/yellow-watering-can', who: 'hearth-and-fern/Nils' },
  { name: 'receipt-parcel', path: parcelOf('hearth-and-fern', '/orders/{order}'), who: 'hearth-and-fern/Nils' },
  { name: 'staff-parcel', path: parcelOf('hearth-and-fern', '/staff/orders/{order}'), who: 'hearth-and-fern/staff' },
  { name: 'staff-packing-slip', path: parcelOf('hearth-and-fern', '/staff/orders/{order}/packing-slip'), who: 'hearth-and-fern/staff' },
  { name: 'staff-disputes', path: '/shops/rasterworks/staff/disputes', who: 'rasterworks/staff' },
  { name: 'staff-products', path: '/shops/rasterworks/staff/products', who: 'rasterworks/staff' },
  { name: 'staff-product-new', path: '/shops/rasterworks/staff/products/new', who: 'rasterworks/staff' },
  { name: 'staff-imports', path: '/shops/rasterworks/staff/imports', who: 'rasterworks/staff' },
  { name: 'staff-settings', path: '/shops/rasterworks/staff/settings', who: 'rasterworks/staff' },
  { name: 'staff-settings-history', path: '/shops/rasterworks/staff/settings/history', who: 'rasterworks/staff' },
  { name: 'staff-limits', path: '/shops/rasterworks/staff/settings/limits', who: 'rasterworks/staff' },
  { name: 'staff-storefront', path: '/shops/rasterworks/staff/settings/front', who: 'rasterworks/staff' },
  { name: 'staff-people', path: '/shops/rasterworks/staff/people', who: 'rasterworks/staff' },
  { name: 'staff-password', path: '/shops/rasterworks/staff/password', who: 'rasterworks/staff' },
  { name: 'staff-second-factor', path: '/shops/rasterworks/staff/second-factor', who: 'rasterworks/staff' },
  { name: 'staff-keys', path: '/shops/rasterworks/staff/keys', who: 'rasterworks/staff' },
  { name: 'staff-mall', path: '/shops/rasterworks/staff/mall', who: 'rasterworks/staff' },
  { name: 'staff-audit', path: '/shops/rasterworks/staff/audit', who: 'rasterworks/staff' },
];

export const pathOf = (page, demo) =>
  typeof page.path === 'function' ? page.path(demo) : page.path;
