//! A customer's orders of tokens and how far each is: paid, declined, or without an answer.

use super::back_to;
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use crate::web::account::moves::{AT_ONCE, pager};
use crate::web::frame::{link, member_shell, page};
use crate::web::session::{Member, Shop};
use crate::web::view::format::{money, tokens};
use crate::web::view::{Notice, Pager, Shell, Shown, Tone, When};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use scrip_domain::id::TokenOrderId;
use scrip_domain::token_sale::offline::{OfflineOrder, offline_orders_of};
use scrip_domain::token_sale::{
    TokenOrderState, TokenOrderView, TokenSaleError, token_order_by_id, token_orders_of,
};
use scrip_engine::Timestamp;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "buy/orders.html")]
struct OrdersPage {
    shell: Shell,
    rows: Vec<Row>,
    pager: Option<Pager>,
    offline: Vec<OfflineRow>,
    waits: bool,
    buy: String,
}

struct Row {
    at: When,
    tokens: Shown,
    money: String,
    state: &'static str,
    class: &'static str,
    note: String,
    reference: String,
}

/// An order that no card pays.
struct OfflineRow {
    href: String,
    reference: String,
    at: When,
    tokens: Shown,
    money: String,
    state: &'static str,
    class: &'static str,
}

/// Which part of the list; and the order that was just sent, with the page to go back to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    before: Option<String>,
    order: Option<String>,
    #[serde(rename = "return")]
    back: Option<String>,
}

/// `GET /shops/{slug}/buy/orders` (TOK-08).
pub async fn orders(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Query(part): Query<Part>,
) -> Result<Response> {
    let before: Option<TokenOrderId> = match &part.before {
        Some(before) => Some(before.parse().map_err(|_| Problem::not_found("order"))?),
        None => None,
    };
    let sent: Option<TokenOrderId> = part.order.as_deref().and_then(|id| id.parse().ok());
    let of = member.clone();
    let (found, sent, offline) = app
        .read(move |tx| {
            let (actor, customer) = (of.me.actor(), &of.me.customer);
            let sent = match sent {
                Some(id) => match token_order_by_id(tx, actor, customer.book_id, id) {
                    Ok(order) => Some(order),
                    Err(TokenSaleError::Unknown(_)) => None,
                    Err(e) => return Err(e.into()),
                },
                None => None,
            };
            let found = token_orders_of(tx, actor, customer, before, AT_ONCE)?;
            let offline = match before {
                None => offline_orders_of(tx, actor, customer, None, AT_ONCE)?.items,
                Some(_) => Vec::new(),
            };
            Ok::<_, Problem>((found, sent, offline))
        })
        .await?;
    let shop = &member.shop;
    let path = shop.at("/buy/orders");
    let back = back_to(shop, part.back.as_deref(), &headers);
    let mut shell = member_shell(&member, "Tokens bought", "/buy");
    if let Some(sent) = &sent {
        shell.notice = Some(became(shop, sent, &back));
    }
    let waiting = |order: &TokenOrderView| order.state == TokenOrderState::Awaiting;
    let next = found.next.map(|id| id.to_string());
    page(&OrdersPage {
        shell,
        waits: found.items.iter().any(waiting),
        rows: found
            .items
            .iter()
            .map(|order| row(shop, order, member.now))
            .collect(),
        offline: offline
            .iter()
            .map(|o| offline_row(shop, o, member.now))
            .collect(),
        pager: pager(&path, "orders of tokens", before.is_none(), next),
        buy: shop.at("/buy"),
    })
}

/// What became of the order that was just sent, and the ways on.
fn became(shop: &Shop, order: &TokenOrderView, back: &str) -> Notice {
    let (bought, cost) = (
        tokens(order.quantity),
        money(order.price, &shop.vendor.currency),
    );
    let number = order.quantity.decimal(shop.vendor.token.scale);
    match order.state {
        TokenOrderState::Awaiting => {
            let id = order.id.to_string();
            let again = [("order", id.as_str()), ("return", back)];
            let text = format!(
                "You ordered {bought} for {cost}. The card is asked until it answers; then the \
                 tokens arrive by themselves, or nothing is charged. Nothing is charged twice. \
                 Your order list is kept, and this page shows how it ends."
            );
            Notice::new(Tone::Warn, "The card has not answered yet.", text)
                .action("Look again", link(&shop.at("/buy/orders"), &again))
                .action("Back to where you were", back)
        }
        TokenOrderState::Cleared => {
            let headline = format!("{bought} for {cost} have arrived.");
            Notice::new(Tone::Good, headline, "").action("Back to where you were", back)
        }
        TokenOrderState::Declined => {
            let anew = [("tokens", number.as_str()), ("return", back)];
            let text = format!("{bought} were not bought, and nothing was charged.");
            Notice::new(Tone::Bad, "The card was declined.", text)
                .action("Try another card", link(&shop.at("/buy"), &anew))
                .action("Back to where you were", back)
        }
    }
}

fn offline_row(shop: &Shop, order: &OfflineOrder, now: Timestamp) -> OfflineRow {
    let (state, class) = super::offline_words(order);
    OfflineRow {
        href: shop.at(&format!("/buy/offline/{}", order.id)),
        reference: order.reference.clone(),
        at: When::day_near(order.created_at, now),
        tokens: tokens(order.quantity),
        money: money(order.price, &shop.vendor.currency),
        state,
        class,
    }
}

fn row(shop: &Shop, order: &TokenOrderView, now: Timestamp) -> Row {
    let (state, class) = match order.state {
        TokenOrderState::Awaiting => ("Waits for the card", "status waits"),
        TokenOrderState::Cleared => ("Paid", "status good"),
        TokenOrderState::Declined => ("Declined", "status stopped bad"),
    };
    let id = order.id.to_string();
    let note = match order.state {
        TokenOrderState::Declined => Problem::invalid("declined", &*order.reason).sentence(),
        TokenOrderState::Cleared if order.activated => "made the account active".to_owned(),
        _ => String::new(),
    };
    Row {
        at: if now.0 - order.created_at.0 < DAY_US {
            When::minute(order.created_at)
        } else {
            When::day_near(order.created_at, now)
        },
        tokens: tokens(order.quantity),
        money: money(order.price, &shop.vendor.currency),
        state,
        class,
        note,
        reference: if order.reference.is_empty() {
            id
        } else {
            order.reference.clone()
        },
    }
}

const DAY_US: i64 = 24 * 3_600_000_000;
