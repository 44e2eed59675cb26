//! Card payments whose money the processor took back: disputes, and refunds that were made there.

use super::super::frame::{page, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::money;
use super::super::view::{Shell, When};
use super::{Who, who};
use crate::error::{Problem, Result};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::card_event::{Reversal, ReversalKind, ReversalState, reversals};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::Payable;
use scrip_domain::order::by_card::card_order_by_id;
use scrip_domain::token_sale::token_order_by_id;

const AT_MOST: usize = 100;

struct Row {
    at: When,
    who: Who,
    money: String,
    what: &'static str,
    state: &'static str,
    reason: String,
    order: String,
    /// The page of an order of goods; empty for one of tokens.
    href: String,
}

#[derive(Template)]
#[template(path = "staff/disputes.html")]
struct DisputesPage {
    shell: Shell,
    rows: Vec<Row>,
}

fn state(reversal: &Reversal) -> &'static str {
    match (reversal.kind, reversal.state) {
        (ReversalKind::Refund, _) => "the money went back",
        (_, ReversalState::Open) => "not decided; the money is gone meanwhile",
        (_, ReversalState::Won) => "won; the money is back",
        (_, ReversalState::Lost) => "lost; the money is gone",
    }
}

/// `GET /shops/{slug}/staff/disputes`.
pub async fn disputes(State(app): State<App>, member: StaffMember) -> Result<Response> {
    let of = member.clone();
    let vault = app.node.vault.clone();
    let rows = app
        .read(move |tx| {
            let vendor = &of.shop.vendor;
            let mut rows = Vec::new();
            for reversal in reversals(tx, vendor.book_id, AT_MOST)? {
                let (book, actor) = (vendor.book_id, of.actor());
                let (buyer, order, href) = match reversal.order {
                    Payable::Tokens(id) => {
                        let order = token_order_by_id(tx, actor, book, id)?;
                        (order.customer_id, order.reference, String::new())
                    }
                    Payable::Goods(id) => {
                        let paid = card_order_by_id(tx, actor, book, id)?;
                        let order = paid.order_id.map(|id| id.to_string()).unwrap_or_default();
                        let href = of.shop.at(&format!("/staff/orders/{order}"));
                        (paid.customer_id, order, href)
                    }
                };
                let customer = customer_by_id(tx, book, buyer)?;
                rows.push(Row {
                    at: When::day(reversal.created_at),
                    who: who(tx, &vault, of.actor(), &of.shop, &customer)?,
                    money: money(reversal.amount, &vendor.currency),
                    what: match reversal.kind {
                        ReversalKind::Dispute => "Dispute",
                        ReversalKind::Refund => "Refund at the processor",
                    },
                    state: state(&reversal),
                    reason: reversal.reason.replace('_', " "),
                    order,
                    href,
                });
            }
            Ok::<_, Problem>(rows)
        })
        .await?;
    page(&DisputesPage {
        shell: staff_shell(&member, "Disputes", "/staff/disputes"),
        rows,
    })
}
