//! The bank's question about a payment (3-D Secure): the customer's browser answers it, then the
//! order is asked about (TOK-08).

use super::card::{Entry, with_script};
use super::{back_to, bought};
use crate::error::{Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use crate::web::frame::{link, member_shell, page, see};
use crate::web::session::Member;
use crate::web::view::Shell;
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use scrip_domain::card::{PaymentState, payment_of};
use scrip_domain::id::TokenOrderId;
use scrip_domain::token_sale::{
    Outcome, TokenOrderState, token_order_by_id, token_order_charge, token_order_resolve,
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "buy/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    entry: Entry,
    secret: String,
    action: String,
    order: String,
    back: String,
}

/// Which order, and where the customer goes on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    order: TokenOrderId,
    #[serde(default, rename = "return")]
    back: String,
}

/// The page on which the bank's question is answered, if there is one.
pub async fn question(app: &App, member: &Member, order: TokenOrderId) -> Result<bool> {
    let book = member.shop.vendor.book_id;
    let payment = app.read(move |tx| payment_of(tx, book, order)).await?;
    Ok(payment.is_some_and(|payment| payment.state == PaymentState::Action))
}

/// The address of that page.
pub fn at(member: &Member, order: TokenOrderId, back: &str) -> String {
    let order = order.to_string();
    let query = [("order", order.as_str()), ("return", back)];
    link(&member.shop.at("/buy/confirm"), &query)
}

fn orders(member: &Member, order: TokenOrderId, back: &str) -> Result<Response> {
    let order = order.to_string();
    let query = [("order", order.as_str()), ("return", back)];
    see(&link(&member.shop.at("/buy/orders"), &query))
}

/// `GET /shops/{slug}/buy/confirm`.
pub async fn form(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let back = back_to(&member.shop, Some(&asked.back), &headers);
    let (vendor, actor, order) = (member.shop.vendor.clone(), member.me.actor(), asked.order);
    let charge = app
        .read(move |tx| {
            token_order_by_id(tx, actor, vendor.book_id, order)?;
            token_order_charge(tx, &vendor, order)
        })
        .await?
        .0;
    let secret = app.by_card(move |_, cards| cards.question(&charge)).await?;
    let (Some(entry), Some(secret)) = (Entry::of(&app), secret?) else {
        return orders(&member, order, &back);
    };
    let shown = page(&ConfirmPage {
        shell: member_shell(&member, "Confirm the payment", "/buy"),
        entry,
        secret,
        action: member.shop.at("/buy/confirm"),
        order: order.to_string(),
        back,
    })?;
    Ok(with_script(&app, shown))
}

/// `POST /shops/{slug}/buy/confirm`: the customer comes back from the bank. Asking twice does no
/// harm, so the form has no key.
pub async fn answered(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Result<Response> {
    let back = back_to(&member.shop, Some(&asked.back), &headers);
    let (vendor, actor, order) = (member.shop.vendor.clone(), member.me.actor(), asked.order);
    let own = vendor.clone();
    let found = app
        .read(move |tx| token_order_by_id(tx, actor, own.book_id, order))
        .await?;
    // Only where the bank was to be asked nothing else can be under way for the order.
    if found.state == TokenOrderState::Awaiting && !question(&app, &member, order).await? {
        return orders(&member, order, &back);
    }
    let outcome = app
        .by_card(move |node, cards| token_order_resolve(node, cards, &vendor, order))
        .await?
        .map_err(Problem::from)?;
    match outcome {
        Outcome::Cleared { .. } => see(&bought::with_flag(&back, order)),
        _ => orders(&member, order, &back),
    }
}
