//! Orders of tokens without a card, for staff (TOK-10, TOK-11, FIG. 4): those in a state, one of a
//! reference, and what is owed, by age. `token_orders/take.rs` takes one, `token_orders/one.rs`
//! shows one and accepts, clears or fails it.

mod one;
mod take;

use super::super::buy::offline_words;
use super::super::frame::{link, page, staff_shell};
use super::super::register::means_words;
use super::super::session::{Shop, StaffMember};
use super::super::view::format::{counted, money, tokens};
use super::super::view::{Action, Pager, Shell, Shown, When};
use super::{Who, at, who};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::http::csv::{Sheet, download};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::Actor;
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::TokenOrderId;
use scrip_domain::token_sale::offline::{
    Ageing, OfflineOrder, OfflineState, offline_ageing, offline_orders_by_reference,
    offline_orders_in, offline_orders_waiting, offline_owed,
};
use scrip_domain::vault::Vault;
use scrip_domain::vendor::Permission;
use scrip_engine::{Read, Timestamp};
use serde::Deserialize;

/// The routes below `/shops/{slug}/staff`.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/token-orders"), get(list))
        .route(&at("/token-orders/owed"), get(owed))
        .route(&at("/token-orders/owed.csv"), get(owed_csv))
        .route(&at("/token-orders/new"), get(take::form).post(take::take))
        .route(&at("/token-orders/{id}"), get(one::one))
        .route(&at("/token-orders/{id}/accept"), post(one::accept))
        .route(&at("/token-orders/{id}/pay"), post(one::pay))
        .route(&at("/token-orders/{id}/fail"), post(one::fail))
        .route(&at("/token-orders/{id}/cancel"), post(one::cancel))
}

const AT_ONCE: usize = 20;

/// An order on a list.
struct Row {
    href: String,
    reference: String,
    at: When,
    who: Who,
    tokens: Shown,
    money: String,
    means: &'static str,
    state: &'static str,
    class: &'static str,
}

/// A state as a link, with how many are in it where that matters.
struct Tab {
    label: String,
    href: String,
    on: bool,
}

#[derive(Template)]
#[template(path = "staff/token_orders.html")]
struct ListPage {
    shell: Shell,
    here: String,
    q: String,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    pager: Option<Pager>,
    take: Option<String>,
    owed: String,
}

/// Which part of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    state: Option<String>,
    before: Option<String>,
    q: Option<String>,
}

/// The page of an order.
fn order_path(shop: &Shop, id: TokenOrderId) -> String {
    shop.at(&format!("/staff/token-orders/{id}"))
}

fn rows(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    shop: &Shop,
    orders: Vec<OfflineOrder>,
) -> std::result::Result<Vec<Row>, Problem> {
    let mut rows = Vec::with_capacity(orders.len());
    for order in orders {
        let customer = customer_by_id(tx, shop.vendor.book_id, order.customer)?;
        let (state, class) = offline_words(&order);
        rows.push(Row {
            href: order_path(shop, order.id),
            at: When::day_near(order.created_at, tx.now()),
            who: who(tx, vault, actor, shop, &customer)?,
            tokens: tokens(order.quantity),
            money: money(order.price, &shop.vendor.currency),
            means: means_words(order.means),
            state,
            class,
            reference: order.reference,
        });
    }
    Ok(rows)
}

/// A state as staff say it.
fn tab_words(state: OfflineState) -> &'static str {
    match state {
        OfflineState::Open => "To accept",
        OfflineState::Awaiting => "Waiting for money",
        OfflineState::Cleared => "Paid",
        OfflineState::Failed => "Failed",
        OfflineState::Cancelled => "Cancelled",
    }
}

/// `GET /shops/{slug}/staff/token-orders`.
async fn list(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let state = match part.state.as_deref() {
        None | Some("") => OfflineState::Open,
        Some(name) => OfflineState::parse(name).map_err(|_| Problem::not_found("page"))?,
    };
    let before: Option<TokenOrderId> = match &part.before {
        Some(before) => Some(before.parse().map_err(|_| Problem::not_found("order"))?),
        None => None,
    };
    let q = part.q.unwrap_or_default().trim().to_owned();
    let (of, vault, typed) = (member.clone(), app.node.vault.clone(), q.clone());
    let (rows, next, counts) = app
        .read(move |tx| {
            let (shop, actor) = (&of.shop, of.actor());
            let book = shop.vendor.book_id;
            let (found, next) = if typed.is_empty() {
                let found = offline_orders_in(tx, book, state, before, AT_ONCE)?;
                (found.items, found.next)
            } else {
                (offline_orders_by_reference(tx, book, &typed)?, None)
            };
            let mut counts = Vec::new();
            for state in OfflineState::ALL {
                let waits = matches!(state, OfflineState::Open | OfflineState::Awaiting);
                let count = if waits {
                    offline_orders_waiting(tx, book, *state)?
                } else {
                    0
                };
                counts.push((*state, count));
            }
            Ok::<_, Problem>((rows(tx, &vault, actor, shop, found)?, next, counts))
        })
        .await?;
    let here = member.shop.at("/staff/token-orders");
    let tabs = counts.into_iter().map(|(tab, count)| Tab {
        label: match count {
            0 => tab_words(tab).to_owned(),
            100.. => format!("{}: 100 or more", tab_words(tab)),
            n => format!("{}: {n}", tab_words(tab)),
        },
        href: link(&here, &[("state", tab.name())]),
        on: q.is_empty() && tab == state,
    });
    let pager = (before.is_some() || next.is_some()).then(|| Pager {
        text: "Newest first".to_owned(),
        previous: before.map(|_| Action {
            label: "The newest".to_owned(),
            href: link(&here, &[("state", state.name())]),
        }),
        next: next.map(|id| Action {
            label: "Earlier ones".to_owned(),
            href: link(
                &here,
                &[("state", state.name()), ("before", &id.to_string())],
            ),
        }),
    });
    let may = member.staff.role.may(Permission::TokenOrders);
    page(&ListPage {
        shell: staff_shell(&member, "Token orders", "/staff/token-orders"),
        tabs: tabs.collect(),
        rows,
        pager,
        q,
        take: may.then(|| format!("{here}/new")),
        owed: format!("{here}/owed"),
        here,
    })
}

/// An order for which money is owed.
struct Debt {
    href: String,
    reference: String,
    who: Who,
    due: When,
    late: String,
    owed: String,
}

#[derive(Template)]
#[template(path = "staff/owed.html")]
struct OwedPage {
    shell: Shell,
    buckets: Vec<(&'static str, String)>,
    total: String,
    rows: Vec<Debt>,
    pager: Option<Pager>,
    csv: String,
    here: String,
}

/// Where the page begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    due: Option<i64>,
    after: Option<String>,
}

impl After {
    fn cursor(&self) -> Result<Option<(Timestamp, TokenOrderId)>> {
        match (self.due, &self.after) {
            (Some(due), Some(after)) => {
                let after = after.parse().map_err(|_| Problem::not_found("order"))?;
                Ok(Some((Timestamp(due), after)))
            }
            _ => Ok(None),
        }
    }
}

fn late_words(now: Timestamp, due: Timestamp) -> String {
    match Ageing::days_overdue(now, due) {
        None => "not due yet".to_owned(),
        Some(0) => "due today".to_owned(),
        Some(days) => format!("{} late", counted(days, "day", "days")),
    }
}

/// `GET /shops/{slug}/staff/token-orders/owed`: receivables by age (TOK-12).
async fn owed(
    State(app): State<App>,
    member: StaffMember,
    Query(after): Query<After>,
) -> Result<Response> {
    let cursor = after.cursor()?;
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (ageing, rows, next) = app
        .read(move |tx| {
            let (shop, actor) = (&of.shop, of.actor());
            let (book, now) = (shop.vendor.book_id, Read::now(tx));
            let ageing = offline_ageing(tx, book)?;
            let found = offline_owed(tx, book, cursor, AT_ONCE)?;
            let mut rows = Vec::with_capacity(found.items.len());
            for order in found.items {
                let customer = customer_by_id(tx, book, order.customer)?;
                let due = order.due_at.unwrap_or(order.created_at);
                rows.push(Debt {
                    href: order_path(shop, order.id),
                    who: who(tx, &vault, actor, shop, &customer)?,
                    due: When::day(due),
                    late: late_words(now, due),
                    owed: money(order.owed, &shop.vendor.currency),
                    reference: order.reference,
                });
            }
            Ok::<_, Problem>((ageing, rows, found.next))
        })
        .await?;
    let here = member.shop.at("/staff/token-orders/owed");
    let shown = |amount| money(amount, &member.shop.vendor.currency);
    page(&OwedPage {
        shell: staff_shell(&member, "Money owed", "/staff/token-orders"),
        buckets: buckets(&ageing)
            .map(|(label, sum)| (label, shown(sum)))
            .into(),
        total: shown(ageing.total),
        rows,
        pager: (cursor.is_some() || next.is_some()).then(|| Pager {
            text: "The longest due first".to_owned(),
            previous: cursor.map(|_| Action {
                label: "The longest due".to_owned(),
                href: here.clone(),
            }),
            next: next.map(|(due, id)| Action {
                label: "Later ones".to_owned(),
                href: link(
                    &here,
                    &[("due", &due.0.to_string()), ("after", &id.to_string())],
                ),
            }),
        }),
        csv: format!("{here}.csv"),
        here: member.shop.at("/staff/token-orders"),
    })
}

fn buckets(ageing: &Ageing) -> [(&'static str, scrip_domain::Amount); 5] {
    [
        ("Not due yet", ageing.current),
        ("Up to 30 days late", ageing.days_30),
        ("31 to 60 days late", ageing.days_60),
        ("61 to 90 days late", ageing.days_90),
        ("More than 90 days late", ageing.older),
    ]
}

/// Rows of one file; further ones are on the pages.
const CSV_ROWS: usize = 10_000;

/// `GET /shops/{slug}/staff/token-orders/owed.csv`. Without names: account numbers tell who it is.
async fn owed_csv(State(app): State<App>, member: StaffMember) -> Result<Response> {
    let of = member.clone();
    let sheet = app
        .read(move |tx| {
            let vendor = &of.shop.vendor;
            let (book, now) = (vendor.book_id, Read::now(tx));
            let mut sheet = Sheet::new(&[
                "reference",
                "account",
                "means",
                "due",
                "days_late",
                "owed",
                "currency",
            ]);
            for order in offline_owed(tx, book, None, CSV_ROWS)?.items {
                let customer = customer_by_id(tx, book, order.customer)?;
                let due = order.due_at.unwrap_or(order.created_at);
                sheet.row(&[
                    &order.reference,
                    &customer.number.to_string(),
                    order.means.name(),
                    &due.to_string(),
                    &Ageing::days_overdue(now, due).unwrap_or(0).to_string(),
                    &order.owed.decimal(vendor.currency.scale),
                    &vendor.currency.code,
                ]);
            }
            Ok::<_, Problem>(sheet)
        })
        .await?;
    download(sheet.text(), "money-owed")
}

#[cfg(test)]
mod tests {
    use super::late_words;
    use scrip_engine::Timestamp;

    #[test]
    fn lateness_in_words() {
        let day = 24 * 3_600_000_000;
        let due = Timestamp(100 * day);
        for (now, words) in [
            (100 * day, "not due yet"),
            (100 * day + 1, "due today"),
            (101 * day, "1 day late"),
            (131 * day, "31 days late"),
        ] {
            assert_eq!(late_words(Timestamp(now), due), words);
        }
    }
}
