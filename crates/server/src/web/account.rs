//! A customer's own account: what it holds, how it came to that, orders, the PIN (MIC-05, REG-06,
//! REG-11, SHP-19).

mod cards;
mod check;
mod child;
mod family;
pub mod holdings;
mod mall;
mod messages;
pub mod moves;
mod person;
mod pin;
pub mod statement;

use super::frame::{link, member_shell, page};
use super::session::{Member, Shop};
use super::view::format::{price_each, tokens};
use super::view::{Meter, Notice, Pager, Shell, Shown, Tone};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use holdings::Holdings;
use moves::{AT_ONCE, Area, Awaiting, Move, OrderRow, awaiting, moves, order_rows, pager};
use scrip_domain::Amount;
use scrip_domain::customer::{Customer, tokens_to_activate};
use scrip_domain::statement::balance;
use serde::Deserialize;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/account", get(account))
        .route(
            "/shops/{slug}/account/statement",
            get(statement::statement_page),
        )
        .route(
            "/shops/{slug}/account/statement.csv",
            get(statement::statement_file),
        )
        .route("/shops/{slug}/orders", get(orders))
        .route(
            "/shops/{slug}/account/messages",
            get(messages::form).post(messages::choose),
        )
        .route(
            "/shops/{slug}/account/mall",
            get(mall::form).post(mall::claim),
        )
        .route(
            "/shops/{slug}/account/pin",
            get(pin::form).post(pin::change),
        )
        .route("/shops/{slug}/account/cards", get(cards::cards))
        .route(
            "/shops/{slug}/account/cards/add",
            get(cards::new).post(cards::add),
        )
        .route("/shops/{slug}/account/cards/remove", post(cards::remove))
        .route(
            "/shops/{slug}/account/top-up",
            get(cards::top_up_form).post(cards::top_up),
        )
        .route("/shops/{slug}/account/top-up/off", post(cards::off))
        .route(
            "/shops/{slug}/account/person",
            get(person::form).post(person::change),
        )
        .route("/shops/{slug}/account/export", get(person::export))
        .route("/shops/{slug}/account/erase", post(person::erase))
        .route(
            "/shops/{slug}/account/check",
            get(check::form).post(check::answer),
        )
        .route(
            "/shops/{slug}/account/family",
            get(family::form).post(family::act),
        )
        .route(
            "/shops/{slug}/account/family/child",
            get(child::form).post(child::register),
        )
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    shell: Shell,
    name: String,
    number: String,
    total: Shown,
    price: String,
    holdings: Holdings,
    waits: Option<Waiting>,
    moves: Vec<Move>,
    pager: Option<Pager>,
    buy: String,
    orders: String,
    bought: String,
    statement: String,
    pin: String,
    cards: String,
    person: String,
    family: String,
    linked: String,
    factor: String,
    is_own: bool,
    messages: String,
    mall: Option<String>,
    quit: String,
}

/// An account that is not active yet (REG-06, REG-07).
pub struct Waiting {
    /// What it has of what it needs.
    pub meter: Meter,
    /// What is missing.
    pub missing: Shown,
    /// The page that sells it.
    pub buy: String,
    /// What it costs.
    pub money: Option<String>,
}

/// What was just done.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Pin,
}

/// Which part of the account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    before: Option<i64>,
    done: Option<Done>,
}

/// What an account still needs; none for one that is active.
pub fn waiting(shop: &Shop, customer: &Customer, has: Amount) -> Result<Option<Waiting>> {
    let missing = tokens_to_activate(&shop.vendor, customer, has)?;
    if !missing.is_positive() {
        return Ok(None);
    }
    let minimum = shop.vendor.minimum_for(&customer.country);
    let number = missing.decimal(shop.vendor.token.scale);
    let back = shop.at("/account");
    Ok(Some(Waiting {
        meter: Meter {
            words: format!("of {}", tokens(minimum)),
            ..Meter::of_tokens(has, minimum)
        },
        missing: tokens(missing),
        buy: link(&shop.at("/buy"), &[("tokens", &number), ("return", &back)]),
        money: holdings::worth(missing, shop),
    }))
}

/// `GET /shops/{slug}/account`: balance and movements (MIC-05).
async fn account(
    State(app): State<App>,
    member: Member,
    Query(part): Query<Part>,
) -> Result<Response> {
    let of = member.clone();
    let (balance, moves, mall) = app
        .read(move |tx| {
            let (actor, customer) = (of.me.actor(), &of.me.customer);
            let balance = balance(tx, actor, customer)?;
            let moves = moves(tx, actor, &of.shop, customer, part.before, Area::Own)?;
            let mall = mall::place(tx, &of)?;
            Ok::<_, Problem>((balance, moves, mall))
        })
        .await?;
    let shop = &member.shop;
    let path = shop.at("/account");
    let mut shell = member_shell(&member, "Your account", "/account");
    if let Some(Done::Pin) = part.done {
        shell.notice = Some(Notice::new(
            Tone::Good,
            "Your PIN is changed.",
            "If you were signed in elsewhere too, that has ended.",
        ));
    }
    let next = moves.next.map(|seq| seq.to_string());
    page(&AccountPage {
        shell,
        name: member.me.name.clone(),
        number: member.me.customer.number.to_string(),
        waits: waiting(shop, &member.me.customer, balance.total)?,
        total: tokens(balance.available),
        price: price_each(shop.token_price, &shop.vendor.currency),
        holdings: Holdings::of(&balance, shop, member.now),
        moves: moves.items,
        pager: pager(&path, "movements", part.before.is_none(), next),
        buy: link(&shop.at("/buy"), &[("return", &path)]),
        orders: shop.at("/orders"),
        bought: shop.at("/buy/orders"),
        statement: shop.at("/account/statement"),
        pin: shop.at("/account/pin"),
        cards: shop.at("/account/cards"),
        person: shop.at("/account/person"),
        family: shop.at("/account/family"),
        linked: shop.at("/account/linked"),
        factor: shop.at("/account/second-factor"),
        is_own: member.me.own == member.me.customer.customer_id,
        messages: shop.at("/account/messages"),
        mall,
        quit: shop.at("/quit"),
    })
}

#[derive(Template)]
#[template(path = "account/orders.html")]
struct OrdersPage {
    shell: Shell,
    /// The account that paid, where the customer has several.
    number: Option<String>,
    /// Orders whose cards have not answered.
    waiting: Vec<Awaiting>,
    rows: Vec<OrderRow>,
    pager: Option<Pager>,
    shop: String,
    account: String,
}

/// Which part of the orders.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrdersPart {
    before: Option<i64>,
}

/// The number of the account that pays, for those who have several.
pub fn paid_from(member: &Member) -> Option<String> {
    let has_several = !member.me.accounts.is_empty();
    has_several.then(|| member.me.customer.number.to_string())
}

/// `GET /shops/{slug}/orders`: the customer's own orders (SHP-19).
async fn orders(
    State(app): State<App>,
    member: Member,
    Query(part): Query<OrdersPart>,
) -> Result<Response> {
    let of = member.clone();
    let (found, waiting) = app
        .read(move |tx| {
            let (actor, customer) = (of.me.actor(), &of.me.customer);
            let most = (Area::Own, AT_ONCE);
            let waiting = awaiting(tx, &of.shop, Some(customer.customer_id))?;
            let found = order_rows(tx, actor, &of.shop, customer, part.before, most)?;
            Ok::<_, Problem>((found, waiting))
        })
        .await?;
    let shop = &member.shop;
    let next = found.next.map(|seq| seq.to_string());
    page(&OrdersPage {
        shell: member_shell(&member, "Your orders", "/orders"),
        number: paid_from(&member),
        waiting,
        rows: found.items,
        pager: pager(&shop.at("/orders"), "orders", part.before.is_none(), next),
        shop: shop.at("/shop"),
        account: shop.at("/account"),
    })
}
