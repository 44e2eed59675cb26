//! Ordering: the page that asks to confirm, what is short, the receipt (SHP-12 to SHP-14, SHP-19).
//!
//! Read on: `order/confirm.rs` (what is shown is what is placed), `order/review.rs` (what is not
//! as it was shown), `order/card.rs` (paid by card), `order/shortage.rs`, `order/receipt.rs`.

mod address;
mod card;
mod card_way;
mod confirm;
pub mod coupon;
mod form;
pub mod open_way;
pub mod parcel;
mod receipt;
mod review;
mod shortage;

use crate::state::App;
use axum::Router;
use axum::routing::{get, post};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(
            "/shops/{slug}/confirm",
            get(confirm::show).post(confirm::place),
        )
        .route("/shops/{slug}/confirm/open", post(open_way::pay))
        .route(
            "/shops/{slug}/confirm/card",
            get(card::form).post(card::pay),
        )
        .route(
            "/shops/{slug}/card-orders/{order}",
            get(card::show).post(card::confirmed),
        )
        .route("/shops/{slug}/coupon", post(coupon::change))
        .route("/shops/{slug}/orders/{order}", get(receipt::show))
        .route(
            "/shops/{slug}/orders/{order}/refund-request",
            post(receipt::ask),
        )
}
