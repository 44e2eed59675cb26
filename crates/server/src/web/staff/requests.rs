//! Refunds that customers ask for: what needs a person.

use super::super::account::moves::order_words;
use super::super::frame::{link, page, staff_shell};
use super::super::session::{Shop, StaffMember};
use super::super::view::format::tokens;
use super::super::view::{Action, Pager, Shell, Shown, When};
use super::{Who, who};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Actor;
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::OrderId;
use scrip_domain::order::{RefundAsked, order_by_id, refund_request_opened, refund_requests};
use scrip_domain::vault::Vault;
use scrip_engine::Read;
use serde::Deserialize;

const AT_ONCE: usize = 20;

/// A request, as staff see it.
pub struct Asked {
    /// Who asks.
    pub who: Who,
    /// What was bought.
    pub what: String,
    /// What was paid for it.
    pub paid: Shown,
    /// Why, in the customer's words.
    pub reason: String,
    /// When.
    pub at: When,
    /// The page of the order.
    pub href: String,
}

#[derive(Template)]
#[template(path = "staff/requests.html")]
struct RequestsPage {
    shell: Shell,
    requests: Vec<Asked>,
    pager: Option<Pager>,
    today: String,
}

/// Which part of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    after: Option<String>,
}

/// Requests in words.
pub fn asked(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    shop: &Shop,
    open: Vec<RefundAsked>,
) -> std::result::Result<Vec<Asked>, Problem> {
    let book = shop.vendor.book_id;
    let mut all = Vec::with_capacity(open.len());
    for request in open {
        let request = refund_request_opened(tx, vault, book, request)?;
        let customer = customer_by_id(tx, book, request.customer_id)?;
        let order = order_by_id(tx, actor, book, request.order_id)?;
        all.push(Asked {
            who: who(tx, vault, actor, shop, &customer)?,
            what: order_words(&order.lines),
            paid: tokens(order.total),
            reason: request.reason,
            at: When::day_near(request.asked_at, tx.now()),
            href: shop.at(&format!("/staff/orders/{}", request.order_id)),
        });
    }
    Ok(all)
}

/// `GET /shops/{slug}/staff/requests`.
pub async fn requests(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let after: Option<OrderId> = match &part.after {
        Some(after) => Some(after.parse().map_err(|_| Problem::not_found("request"))?),
        None => None,
    };
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (requests, next) = app
        .read(move |tx| {
            let book = of.shop.vendor.book_id;
            let open = refund_requests(tx, book, after, AT_ONCE)?;
            let next = open.next;
            Ok::<_, Problem>((asked(tx, &vault, of.actor(), &of.shop, open.items)?, next))
        })
        .await?;
    let path = member.shop.at("/staff/requests");
    let is_whole = after.is_none() && next.is_none();
    let pager = (!is_whole).then(|| Pager {
        text: "Oldest first".to_owned(),
        previous: after.map(|_| Action {
            label: "The oldest".to_owned(),
            href: path.clone(),
        }),
        next: next.map(|id| Action {
            label: "Later requests".to_owned(),
            href: link(&path, &[("after", &id.to_string())]),
        }),
    });
    page(&RequestsPage {
        shell: staff_shell(&member, "Refunds asked for", "/staff/requests"),
        requests,
        pager,
        today: member.shop.at("/staff/today"),
    })
}
