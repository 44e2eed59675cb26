//! Money that cards paid for accounts which were closed meanwhile: staff pay it back, by the card
//! processor or in another way (TOK-08).

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::{counted, money};
use super::super::view::{Action, Notice, Pager, Shell, Tone, When};
use super::{May, Who, at, permission, said, who};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::TokenOrderId;
use scrip_domain::payback::{
    Payback, PaybackState, Settled, Way, payback_ask, payback_by_processor, payback_note_paid,
    paybacks_due, paybacks_settled,
};
use scrip_domain::token_sale::token_order_by_id;
use scrip_domain::vault::Vault;
use scrip_domain::vendor::Permission;
use scrip_engine::{Read, Timestamp};
use serde::Deserialize;

/// The routes below `/shops/{slug}/staff`.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/paybacks"), get(list))
        .route(&at("/paybacks/{order}/processor"), post(by_processor))
        .route(&at("/paybacks/{order}/other"), post(other))
}

/// Due ones on the page: there are few at any time.
const DUE: usize = 50;
/// Settled ones on one page.
const AT_ONCE: usize = 20;
const DAY_S: i64 = 24 * 3600;

/// One that is due.
struct Due {
    here: String,
    who: Who,
    money: String,
    reference: String,
    came: When,
    age: String,
    waits: bool,
    refusal: String,
    key: String,
}

/// One that is settled.
struct Row {
    at: When,
    who: Who,
    money: String,
    how: String,
    reference: String,
}

#[derive(Template)]
#[template(path = "staff/paybacks.html")]
struct PaybacksPage {
    shell: Shell,
    due: Vec<Due>,
    rows: Vec<Row>,
    pager: Option<Pager>,
    may: bool,
}

/// Which part of the list, and what was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    before: Option<TokenOrderId>,
    done: Option<String>,
}

/// For how long it waits, in whole days.
fn age(from: Timestamp, now: Timestamp) -> String {
    let seconds = now.0.saturating_sub(from.0) / 1_000_000;
    match seconds / DAY_S {
        0 => "since today".to_owned(),
        days => format!("for {}", counted(days, "day", "days")),
    }
}

fn how(payback: &Payback) -> String {
    match payback.way {
        Some(Way::Other) => format!("Paid another way: {}", payback.reference),
        _ => "Back to the card".to_owned(),
    }
}

/// Who paid, how much, and the name of the order.
fn about(
    tx: &mut dyn Read,
    vault: &Vault,
    of: &StaffMember,
    payback: &Payback,
) -> std::result::Result<(Who, String, String), Problem> {
    let (shop, actor) = (&of.shop, of.actor());
    let customer = customer_by_id(tx, shop.vendor.book_id, payback.customer)?;
    let order = token_order_by_id(tx, actor, shop.vendor.book_id, payback.order)?;
    let who = who(tx, vault, actor, shop, &customer)?;
    let money = money(payback.amount, &shop.vendor.currency);
    Ok((who, money, order.reference))
}

async fn drawn(
    app: &App,
    member: &StaffMember,
    before: Option<TokenOrderId>,
) -> Result<PaybacksPage> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let here = member.shop.at("/staff/paybacks");
    let base = here.clone();
    let (due, rows, next) = app
        .read(move |tx| {
            let book = of.shop.vendor.book_id;
            let now = tx.now();
            let mut due = Vec::new();
            for payback in paybacks_due(tx, book, DUE)? {
                let (who, money, reference) = about(tx, &vault, &of, &payback)?;
                due.push(Due {
                    here: format!("{base}/{}", payback.order),
                    who,
                    money,
                    reference,
                    came: When::day_near(payback.created_at, now),
                    age: age(payback.created_at, now),
                    waits: payback.state == PaybackState::Asked,
                    refusal: payback.refusal,
                    key: form_key(),
                });
            }
            let settled = paybacks_settled(tx, book, before, AT_ONCE)?;
            let mut rows = Vec::new();
            for payback in settled.items {
                let (who, money, reference) = about(tx, &vault, &of, &payback)?;
                rows.push(Row {
                    at: When::day_near(payback.settled_at.unwrap_or(now), now),
                    how: how(&payback),
                    who,
                    money,
                    reference,
                });
            }
            Ok::<_, Problem>((due, rows, settled.next))
        })
        .await?;
    Ok(PaybacksPage {
        shell: staff_shell(member, "Pay-backs", "/staff/paybacks"),
        due,
        rows,
        pager: (before.is_some() || next.is_some()).then(|| Pager {
            text: "Newest first".to_owned(),
            previous: before.map(|_| Action {
                label: "The newest".to_owned(),
                href: here.clone(),
            }),
            next: next.map(|id| Action {
                label: "Earlier ones".to_owned(),
                href: link(&here, &[("before", &id.to_string())]),
            }),
        }),
        may: member.staff.role.may(Permission::Books),
    })
}

/// `GET /shops/{slug}/staff/paybacks`.
async fn list(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let mut all = drawn(&app, &member, part.before).await?;
    all.shell.notice = match part.done.as_deref() {
        Some("paid") => Some(Notice::new(
            Tone::Good,
            "The money is on its way back to the card.",
            "The card processor has taken the order. A bank may need some days to show it.",
        )),
        Some("noted") => Some(Notice::new(Tone::Good, "The pay-back is noted.", "")),
        Some("refused") => Some(Notice::new(
            Tone::Bad,
            "The card processor does not pay this back.",
            "Its answer stands below. Pay the money back another way, and note it.",
        )),
        Some("asked") => Some(Notice::new(
            Tone::Warn,
            "The card processor has not answered.",
            "It is asked again by itself. Do not pay another way before it answers.",
        )),
        _ => None,
    };
    page(&all)
}

/// Where staff go after a form; or the page again with what was refused.
async fn after(app: &App, member: &StaffMember, done: Result<&'static str>) -> Result<Response> {
    match done {
        Ok(done) => {
            let here = member.shop.at("/staff/paybacks");
            see(&link(&here, &[("done", done)]))
        }
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let mut all = drawn(app, member, None).await?;
            all.shell.notice = Some(notice);
            page_with(status, &all)
        }
    }
}

/// The address.
#[derive(Deserialize)]
struct Of {
    order: TokenOrderId,
}

/// A form with nothing but its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    key: String,
}

/// `POST /shops/{slug}/staff/paybacks/{order}/processor`: a row before the call, the outcome
/// after it. Sent again, it asks again, and the money goes back once.
async fn by_processor(
    State(app): State<App>,
    May(member, _): May<permission::Books>,
    Path(of): Path<Of>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (order, vendor, actor) = (of.order, member.shop.vendor.clone(), member.actor());
    let request = format!("pay back {order}").into_bytes();
    let keyed = member.keyed(format!("payback-{}", sent.key), request, None);
    let own = vendor.clone();
    let asked = app.submit(keyed, move |tx| {
        payback_ask(tx, actor, &own, order)?;
        Ok::<_, Failed>(())
    });
    if let Err(problem) = asked.await {
        return after(&app, &member, Err(problem)).await;
    }
    let settled = app
        .by_card(move |node, cards| payback_by_processor(node, cards, &vendor, order))
        .await?;
    let done = match settled {
        Ok(Settled::Paid) => Ok("paid"),
        Ok(Settled::Refused { .. }) => Ok("refused"),
        Ok(Settled::Asked) => Ok("asked"),
        Err(e) => Err(e.into()),
    };
    after(&app, &member, done).await
}

/// The number under which it was paid.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    reference: String,
    key: String,
}

/// `POST /shops/{slug}/staff/paybacks/{order}/other`: it was paid by a transfer, a cheque, in cash.
async fn other(
    State(app): State<App>,
    May(member, _): May<permission::Books>,
    Path(of): Path<Of>,
    Form(sent): Form<Noted>,
) -> Result<Response> {
    let (order, vendor, actor) = (of.order, member.shop.vendor.clone(), member.actor());
    let request = format!("paid back {order} {}", sent.reference).into_bytes();
    let keyed = member.keyed(format!("paid-back-{}", sent.key), request, None);
    let done = app.submit(keyed, move |tx| {
        payback_note_paid(tx, actor, &vendor, order, &sent.reference)?;
        Ok::<_, Failed>(())
    });
    let done = done.await.map(|_| "noted");
    after(&app, &member, done).await
}
