//! The table: who may come in by which route, and what a form leaves in the audit trail.

use crate::club::{PASSWORD, PIN};
use scrip_domain::vendor::Permission;

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Door {
    /// Nobody is signed in yet.
    Open,
    /// Every role.
    Look,
    /// The roles with the permission.
    Needs(Permission),
}

/// What a form leaves in the trail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Leaves {
    /// A line with this action.
    Line(&'static str),
    /// A line, as the test of its own page shows, because its fields are many.
    Elsewhere,
}

use Door::{Look, Needs, Open};
use Leaves::{Elsewhere, Line};

/// Pages: path and door. Words in braces are ids of the shop that the tests make.
pub(super) const PAGES: &[(&str, Door)] = &[
    ("", Look),
    ("/sign-in", Open),
    ("/sign-in/code", Open),
    ("/second-factor", Look),
    ("/today", Look),
    ("/requests", Look),
    ("/customers", Look),
    ("/customers/new", Needs(Permission::Customers)),
    ("/customers/{customer}", Look),
    ("/customers/{customer}/check", Needs(Permission::Customers)),
    ("/orders", Look),
    ("/orders/{order}", Look),
    ("/orders/{parcel}/packing-slip", Look),
    ("/shipping", Look),
    ("/disputes", Look),
    ("/paybacks", Look),
    ("/customers/{customer}/statement", Look),
    ("/customers/{customer}/statement.csv", Look),
    ("/reports", Look),
    ("/reports/{report}", Look),
    ("/reports/{report}/{table}", Look),
    ("/token-orders", Look),
    ("/token-orders/owed", Look),
    ("/token-orders/owed.csv", Look),
    ("/token-orders/new", Needs(Permission::TokenOrders)),
    ("/token-orders/{open}", Look),
    ("/prices", Look),
    ("/promotions", Look),
    ("/promotions/new", Needs(Permission::Prices)),
    ("/promotions/{promotion}", Look),
    ("/gifts", Look),
    ("/products", Look),
    ("/products/new", Needs(Permission::Catalogue)),
    ("/products/{product}", Look),
    ("/products/{product}/offers", Needs(Permission::Catalogue)),
    ("/products/{product}/offers/{offer}", Look),
    ("/imports", Look),
    ("/imports/export.csv", Look),
    ("/imports/{import}", Look),
    ("/messages", Look),
    ("/messages/{message}", Look),
    ("/webhooks", Look),
    ("/webhooks/{webhook}", Look),
    ("/people", Look),
    ("/people/{person}", Look),
    ("/password", Look),
    ("/keys", Look),
    ("/mall", Look),
    ("/mall/statement", Look),
    ("/mall/statement.csv", Look),
    ("/mall/invoices/{clearing}", Look),
    ("/office/{mall}", Look),
    ("/office/{mall}/members", Look),
    ("/office/{mall}/members/{member}", Look),
    ("/office/{mall}/lists", Look),
    ("/office/{mall}/statements", Look),
    ("/audit", Look),
    ("/audit.csv", Look),
    ("/settings", Look),
    ("/settings/history", Look),
    ("/settings/limits", Look),
    ("/settings/front", Look),
];

/// Forms: path, door, fields with which an owner can send it, what it leaves. They are sent in
/// this order, on one shop. `key` is filled in where it is empty.
pub(super) type Form = (
    &'static str,
    Door,
    &'static [(&'static str, &'static str)],
    Leaves,
);
pub(super) const FORMS: &[Form] = &[
    (
        "/sign-in",
        Open,
        &[("name", "Ada the owner"), ("password", PASSWORD)],
        Line("staff.signed_in"),
    ),
    // Its lines are tested in pages_second_factor.rs: it needs codes of the moment.
    ("/sign-in/code", Open, &[], Elsewhere),
    ("/second-factor", Look, &[], Elsewhere),
    // Leaves a line where a question is asked: pages_identity.rs.
    (
        "/customers/{customer}/check",
        Needs(Permission::Customers),
        &[],
        Elsewhere,
    ),
    (
        "/customers/{customer}/second-factor-off",
        Needs(Permission::Customers),
        &[("key", "")],
        Elsewhere,
    ),
    (
        "/customers/new",
        Needs(Permission::Customers),
        &[
            ("name", "Eve"),
            ("address", ""),
            ("phone", ""),
            ("email", ""),
            ("login", ""),
            ("reference", ""),
            ("pin", ""),
            ("key", ""),
        ],
        Line("customer.registered"),
    ),
    (
        "/customers/{customer}/pin-reset",
        Needs(Permission::Customers),
        &[("key", "")],
        Line("customer.pin_code_made"),
    ),
    (
        "/orders/{order}/decline",
        Needs(Permission::Orders),
        &[("answer", "No.")],
        Line("order.refund_declined"),
    ),
    (
        "/orders/{order}/refund",
        Needs(Permission::Orders),
        &[("what", "whole"), ("key", "")],
        Line("order.refunded"),
    ),
    (
        "/orders/{parcel}/shipment",
        Needs(Permission::Orders),
        &[
            ("from", "to_pack"),
            ("to", "shipped"),
            ("carrier", "Post"),
            ("number", "17"),
        ],
        Line("order.shipment"),
    ),
    (
        "/customers/{empty}/close",
        Needs(Permission::Customers),
        &[("key", "")],
        Line("customer.closed"),
    ),
    (
        "/customers/{customer}/adjust",
        Needs(Permission::Adjust),
        &[
            ("tokens", "5"),
            ("reason", "The parcel was late."),
            ("key", ""),
        ],
        Line("customer.adjusted"),
    ),
    (
        "/disputes",
        Needs(Permission::Adjust),
        &[
            ("reversal", "du_1"),
            ("decision", "take"),
            ("reason", "The card was stolen."),
            ("key", ""),
        ],
        Line("card.dispute_decided"),
    ),
    (
        "/paybacks/{by_card}/processor",
        Needs(Permission::Books),
        &[("key", "")],
        Line("payback.settled"),
    ),
    (
        "/paybacks/{by_bank}/other",
        Needs(Permission::Books),
        &[("reference", "TR 77"), ("key", "")],
        Line("payback.settled"),
    ),
    (
        "/customers/{customer}/standing",
        Needs(Permission::Customers),
        &[
            ("preferred", "yes"),
            ("credit", "watch"),
            ("country", "DE"),
            ("key", ""),
        ],
        Line("customer.standing"),
    ),
    (
        "/customers/{double}/merge",
        Needs(Permission::Adjust),
        &[("number", "{number}"), ("key", "")],
        Line("customer.merged"),
    ),
    (
        "/customers/{empty}/erase",
        Needs(Permission::Adjust),
        &[("sure", "yes"), ("key", "")],
        Line("customer.erased"),
    ),
    (
        "/token-orders/new",
        Needs(Permission::TokenOrders),
        &[
            ("account", "{number}"),
            ("pin", PIN),
            ("tokens", "70"),
            ("pack", ""),
            ("means", "check"),
            ("channel", "phone"),
            ("payment", ""),
            ("key", ""),
        ],
        Line("token_order.opened"),
    ),
    (
        "/token-orders/{open}/accept",
        Needs(Permission::TokenOrders),
        &[("key", "")],
        Line("token_order.awaiting"),
    ),
    (
        "/token-orders/{open}/pay",
        Needs(Permission::TokenOrders),
        &[("amount", "9.00"), ("payment", "17"), ("key", "")],
        Line("token_order.cleared"),
    ),
    (
        "/token-orders/{lost}/fail",
        Needs(Permission::TokenOrders),
        &[("reason", "Lost in the post."), ("key", "")],
        Line("token_order.failed"),
    ),
    (
        "/token-orders/{dropped}/cancel",
        Needs(Permission::TokenOrders),
        &[("key", "")],
        Line("token_order.cancelled"),
    ),
    (
        "/gifts",
        Needs(Permission::Adjust),
        &[
            ("account", "{number}"),
            ("tokens", "5"),
            ("route", "contest"),
            ("reason", "First prize"),
            ("once", ""),
            ("key", ""),
        ],
        Line("tokens.given"),
    ),
    (
        "/prices/token",
        Needs(Permission::Prices),
        &[("price", "0.11"), ("from", ""), ("key", "")],
        Line("token_price.set"),
    ),
    (
        "/prices/country",
        Needs(Permission::Prices),
        &[("country", "DE"), ("country_price", "0.12"), ("key", "")],
        Line("token_price.set"),
    ),
    (
        "/prices/tiers",
        Needs(Permission::Prices),
        &[("tiers", "100 5"), ("seen", ""), ("key", "")],
        Line("token_tiers.changed"),
    ),
    (
        "/prices/packs",
        Needs(Permission::Prices),
        &[
            ("name", "Dozen"),
            ("tokens", "12"),
            ("pack_price", "1.00"),
            ("restriction", ""),
            ("key", ""),
        ],
        Line("pack.created"),
    ),
    (
        "/prices/packs/{pack}/withdraw",
        Needs(Permission::Prices),
        &[("key", "")],
        Line("pack.withdrawn"),
    ),
    // Its dates are to come: the test of its page has them.
    ("/promotions", Needs(Permission::Prices), &[], Elsewhere),
    (
        "/promotions/{promotion}/codes",
        Needs(Permission::Prices),
        &[("count", "2"), ("key", "")],
        Line("coupon.codes_issued"),
    ),
    (
        "/promotions/{promotion}/stop",
        Needs(Permission::Prices),
        &[("key", "")],
        Line("promotion.stopped"),
    ),
    (
        "/products/new",
        Needs(Permission::Catalogue),
        &[
            ("handle", "jug"),
            ("title", "Jug"),
            ("delivery", "usual"),
            ("key", ""),
        ],
        Line("catalogue.product"),
    ),
    (
        "/products/{product}",
        Needs(Permission::Catalogue),
        &[
            ("title", "Clay pot, red"),
            ("delivery", "usual"),
            ("key", ""),
        ],
        Line("catalogue.product"),
    ),
    (
        "/products/{product}/offers",
        Needs(Permission::Catalogue),
        &[
            ("sku", "pot-2"),
            ("variant", "Large"),
            ("kind", "purchase"),
            ("price", "70"),
            ("active", "yes"),
            ("key", ""),
        ],
        Line("catalogue.offer"),
    ),
    (
        "/products/{product}/offers/{offer}/stock",
        Needs(Permission::Catalogue),
        &[
            ("had", "8"),
            ("has", "7"),
            ("reason", "One broke."),
            ("key", ""),
        ],
        Line("catalogue.stock"),
    ),
    (
        "/products/{product}/sale",
        Needs(Permission::Catalogue),
        &[("sell", "no"), ("key", "")],
        Line("catalogue.sale"),
    ),
    (
        "/products/{product}/pictures",
        Needs(Permission::Catalogue),
        &[],
        Elsewhere,
    ),
    (
        "/products/{product}/pictures/{image}",
        Needs(Permission::Catalogue),
        &[("alt", ""), ("do", "remove"), ("key", "")],
        Line("catalogue.image_removed"),
    ),
    ("/imports", Needs(Permission::Catalogue), &[], Elsewhere),
    (
        "/imports/{import}",
        Needs(Permission::Catalogue),
        &[("do", "apply"), ("key", "")],
        Line("catalogue.import_applying"),
    ),
    (
        "/reports/revenue/book",
        Needs(Permission::Books),
        &[("last", "2020-01-31"), ("key", "")],
        Line("revenue.booked"),
    ),
    (
        "/messages/{message}/again",
        Needs(Permission::Messages),
        &[],
        Elsewhere,
    ),
    (
        "/webhooks",
        Needs(Permission::Messages),
        &[
            ("url", "https://till.invalid/hook"),
            ("description", "Till"),
            ("topic", "order.completed"),
            ("key", ""),
        ],
        Line("webhook_endpoint.create"),
    ),
    (
        "/webhooks/{webhook}/test",
        Needs(Permission::Messages),
        &[("key", "")],
        Line("webhook_endpoint.test"),
    ),
    (
        "/webhooks/{webhook}/rotate",
        Needs(Permission::Messages),
        &[("key", "")],
        Line("webhook_endpoint.rotate"),
    ),
    (
        "/webhooks/{webhook}/enable",
        Needs(Permission::Messages),
        &[("key", "")],
        Line("webhook_endpoint.enable"),
    ),
    (
        "/webhooks/{webhook}/delete",
        Needs(Permission::Messages),
        &[("key", "")],
        Line("webhook_endpoint.delete"),
    ),
    (
        "/people",
        Needs(Permission::Staff),
        &[
            ("name", "Grace"),
            ("role", "owner"),
            ("password", PASSWORD),
            ("key", ""),
        ],
        Line("staff.created"),
    ),
    (
        "/people/{person}/role",
        Needs(Permission::Staff),
        &[("role", "manager"), ("key", "")],
        Line("staff.role_set"),
    ),
    (
        "/people/{person}/password",
        Needs(Permission::Staff),
        &[("password", PASSWORD), ("key", "")],
        Line("staff.password_set"),
    ),
    (
        "/people/{person}/leave",
        Needs(Permission::Staff),
        &[("key", "")],
        Line("staff.ended"),
    ),
    (
        "/people/{person}/return",
        Needs(Permission::Staff),
        &[("key", "")],
        Line("staff.returned"),
    ),
    (
        "/keys",
        Needs(Permission::Staff),
        &[
            ("name", "Shop"),
            ("scope", "orders:read"),
            ("expires", ""),
            ("key", ""),
        ],
        Line("api_key.created"),
    ),
    // They need a mall: pages_mall.rs, pages_mall_account.rs, pages_office.rs.
    ("/mall/accept", Needs(Permission::Policy), &[], Elsewhere),
    ("/mall/disputes", Needs(Permission::Books), &[], Elsewhere),
    (
        "/office/{mall}/act",
        Needs(Permission::Mall),
        &[],
        Elsewhere,
    ),
    (
        "/keys/{api_key}/revoke",
        Needs(Permission::Staff),
        &[("key", "")],
        Line("api_key.revoked"),
    ),
    ("/settings", Needs(Permission::Policy), &[], Elsewhere),
    ("/settings/front", Needs(Permission::Policy), &[], Elsewhere),
    (
        "/settings/limits",
        Needs(Permission::Policy),
        &[
            ("minimum", "40"),
            ("declines", "3"),
            ("grace", "30"),
            ("began", "50000000 3 2592000 "),
            ("key", ""),
        ],
        Line("vendor.limits_set"),
    ),
    (
        "/password",
        Look,
        &[
            ("old", PASSWORD),
            ("new", "twelve geese fly"),
            ("again", "twelve geese fly"),
        ],
        Line("staff.password_set"),
    ),
    ("/quit", Look, &[], Line("staff.signed_out")),
];
