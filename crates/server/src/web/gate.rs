//! What those meet who may not order yet (SHP-04, SHP-05): how many tokens open the shop, and the
//! way to them.

use super::frame::{self, link, member_shell};
use super::session::Member;
use super::view::format::{money, tokens};
use super::view::{Shell, Shown};
use crate::error::Result;
use crate::state::App;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::customer::tokens_to_activate;
use scrip_domain::order::gate::Standing;
use scrip_domain::token_sale::token_price_quote;

/// Ordering has not begun yet.
#[derive(Template)]
#[template(path = "order/closed.html")]
struct ClosedPage {
    shell: Shell,
    /// True for an account that is not active.
    is_inactive: bool,
    threshold: Shown,
    has: Shown,
    needed: Shown,
    money: String,
    buy: String,
    shelf: String,
}

/// How many tokens it begins with: MT for an account that is not active, T for one that is.
pub fn begins_with(member: &Member) -> Amount {
    match member.sight.standing {
        Standing::Inactive => {
            let me = &member.me.customer;
            member.shop.vendor.minimum_for(&me.country)
        }
        _ => member.sight.threshold,
    }
}

/// Tokens that are missing until orders are taken.
pub fn needed(member: &Member) -> Amount {
    let me = &member.me;
    let missing = match member.sight.standing {
        Standing::Below => member.sight.threshold.minus(me.available),
        _ => return activating(member),
    };
    missing.unwrap_or(Amount::ZERO).max(Amount::ZERO)
}

fn activating(member: &Member) -> Amount {
    let me = &member.me;
    tokens_to_activate(&member.shop.vendor, &me.customer, me.available).unwrap_or(Amount::ZERO)
}

/// The page where tokens are bought, with the number that is missing, and back from there.
pub fn buy(member: &Member, back: &str) -> String {
    let shop = &member.shop;
    let number = needed(member).decimal(shop.vendor.token.scale);
    link(
        &shop.at("/buy"),
        &[("tokens", &number), ("return", &shop.at(back))],
    )
}

/// The page that stands in place of the order list and of the page that confirms.
pub async fn closed(app: &App, member: &Member, status: StatusCode) -> Result<Response> {
    let shop = &member.shop;
    let needed = needed(member);
    let vendor = shop.vendor.clone();
    let price = match needed.is_positive() {
        true => {
            let price = app.read(move |tx| token_price_quote(tx, &vendor, needed));
            money(price.await?, &shop.vendor.currency)
        }
        false => String::new(),
    };
    let is_inactive = member.sight.standing == Standing::Inactive;
    let title = match is_inactive {
        true => "Not active yet",
        false => "Tokens needed",
    };
    frame::page_with(
        status,
        &ClosedPage {
            shell: member_shell(member, title, "/list"),
            is_inactive,
            threshold: tokens(begins_with(member)),
            has: tokens(member.me.available),
            needed: tokens(needed),
            money: price,
            buy: buy(member, "/list"),
            shelf: shop.at("/shop"),
        },
    )
}
