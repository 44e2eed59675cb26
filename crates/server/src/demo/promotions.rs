//! A promotion that runs and a coupon, in the shop for clothes.

use crate::failure::Failure;
use scrip_domain::promotion::{
    CouponTerms, Cut, NewPromotion, Scope, Terms, promotion_put, scope_read,
};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Amount, Node};
use scrip_engine::Read;

/// The shop that has them.
pub(super) const SHOP: &str = "loom";

const DAY_S: i64 = 24 * 3600;

/// Two jackets cost a fifth less for two months; whoever is new has a coupon.
pub(super) fn plan(node: &Node, vendor: &Vendor) -> Result<(), Failure> {
    let (of, vault) = (vendor.clone(), node.vault.clone());
    node.engine.write(move |tx| {
        let now = tx.now();
        let jackets = ["navy-sport-jacket", "dark-winter-jacket"].map(str::to_owned);
        let sale = Terms {
            name: "Jacket weeks".into(),
            begins_at: now.0,
            ends_at: now.plus_seconds(60 * DAY_S).0,
            scope: scope_read(tx, of.book_id, &jackets)?,
            cut: Cut::Rate(2_000),
            preferred_only: false,
            per_customer: 0,
            in_total: 0,
            minimum: Amount::ZERO,
            coupon: None,
        };
        let coupon = Terms {
            name: "Welcome coupon".into(),
            scope: Scope::All,
            cut: Cut::Rate(1_000),
            per_customer: 1,
            coupon: Some(CouponTerms {
                code: "WELCOME10".into(),
                ..CouponTerms::default()
            }),
            ..sale.clone()
        };
        for terms in [sale, coupon] {
            let new = NewPromotion {
                change: None,
                terms,
            };
            promotion_put(tx, &vault, Actor::System, &of, &new)?;
        }
        Ok::<_, Failure>(())
    })
}
