//! All orders of a shop, newest first (SHP-19).

use super::super::account::moves::{
    AT_ONCE, Area, Awaiting, awaiting, by_card, given_back, order_words, pager,
};
use super::super::frame::{page, staff_shell};
use super::super::session::{Shop, StaffMember};
use super::super::view::format::tokens;
use super::super::view::{Pager, Shell, Shown, When};
use super::{Who, who};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::OrderId;
use scrip_domain::order::{OrderState, OrderSummary, order_by_id, orders as orders_of_book};
use scrip_domain::vault::Vault;
use scrip_domain::{Actor, Amount};
use scrip_engine::Read;
use serde::Deserialize;

/// An order on the list.
pub struct Row {
    /// When.
    pub at: When,
    /// Who bought.
    pub who: Who,
    /// What was bought.
    pub what: String,
    /// Its page.
    pub href: String,
    /// What it took, or would have.
    pub tokens: Shown,
    /// How it ended.
    pub state: String,
    /// The class of that.
    pub class: &'static str,
}

#[derive(Template)]
#[template(path = "staff/orders.html")]
struct OrdersPage {
    shell: Shell,
    find: String,
    /// Orders whose cards have not answered.
    waiting: Vec<Awaiting>,
    rows: Vec<Row>,
    pager: Option<Pager>,
}

/// Which part of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    before: Option<String>,
}

/// Orders in words.
pub fn rows(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    shop: &Shop,
    found: Vec<OrderSummary>,
) -> std::result::Result<Vec<Row>, Problem> {
    let book = shop.vendor.book_id;
    let mut rows = Vec::with_capacity(found.len());
    for order in found {
        let customer = customer_by_id(tx, book, order.customer_id)?;
        let detail = order_by_id(tx, actor, book, order.order_id)?;
        let back = given_back(&detail);
        let by_card = by_card(shop, order.card.as_ref());
        let (state, class) = match order.state {
            OrderState::Refused => (refusal(order.reason.as_deref()), "status stopped bad"),
            OrderState::Completed if back.is_empty() => match &order.card {
                Some(card) if card.is_refund_due => {
                    ("Refund on its way".to_owned(), "status waits")
                }
                Some(_) => (format!("Paid {by_card}"), "status good"),
                None => ("Paid".to_owned(), "status good"),
            },
            OrderState::Completed => (capital(&back), "status waits"),
        };
        rows.push(Row {
            at: When::minute(order.effective_at),
            who: who(tx, vault, actor, shop, &customer)?,
            what: order_words(&detail.lines),
            href: Area::Staff.order(shop, order.order_id),
            tokens: match order.card {
                Some(_) => tokens(Amount::ZERO),
                None => tokens(order.total),
            },
            state,
            class,
        });
    }
    Ok(rows)
}

/// Why an order was refused, in words.
pub fn refusal(reason: Option<&str>) -> String {
    let why = match reason.unwrap_or_default() {
        "shortage" => "too few tokens",
        "restricted" => "tokens for sales only",
        "price_changed" => "the price had changed",
        "out_of_stock" => "too few pieces",
        "reserved" => "others had reserved the pieces",
        "below_threshold" => "fewer tokens than ordering begins with",
        "not_for_sale" => "not sold any more",
        "inactive" => "the account was not active",
        "closed" => "the account was closed",
        "coupon" => "the coupon took nothing off",
        "card_declined" => "the card was declined",
        "tokens_only" => "what is off counts with tokens alone",
        "card_not_taken" => "cards do not pay orders",
        _ => return "Refused".to_owned(),
    };
    format!("Refused: {why}")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// `GET /shops/{slug}/staff/orders`.
pub async fn orders(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let before: Option<OrderId> = match &part.before {
        Some(before) => Some(before.parse().map_err(|_| Problem::not_found("order"))?),
        None => None,
    };
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (rows, next, waiting) = app
        .read(move |tx| {
            let found = orders_of_book(tx, of.shop.vendor.book_id, before, AT_ONCE)?;
            let rows = rows(tx, &vault, of.actor(), &of.shop, found.items)?;
            let waiting = awaiting(tx, &of.shop, None)?;
            Ok::<_, Problem>((rows, found.next, waiting))
        })
        .await?;
    let path = member.shop.at("/staff/orders");
    let next = next.map(|id| id.to_string());
    page(&OrdersPage {
        shell: staff_shell(&member, "Orders", "/staff/orders"),
        find: member.shop.at("/staff/customers"),
        waiting,
        rows,
        pager: pager(&path, "orders", before.is_none(), next),
    })
}
