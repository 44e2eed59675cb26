//! Card payments whose money the processor took back: disputes, and refunds that were made there.
//! Staff say what becomes of the tokens that it had paid for.

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::{money, tokens};
use super::super::view::{Notice, Shell, Shown, Tone, When};
use super::{May, Who, at, permission, said, who};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use scrip_domain::card_event::{
    Decision, NewDecision, Reversal, ReversalKind, ReversalState, asks_for_decision,
    reversal_decide, reversal_tokens, reversals,
};
use scrip_domain::id::Payable;
use scrip_domain::order::by_card::card_order_by_id;
use scrip_domain::token_sale::token_order_by_id;
use scrip_domain::vendor::Permission;
use scrip_engine::{Read, ReadTx};
use serde::Deserialize;

/// The routes below `/shops/{slug}/staff`.
pub fn router() -> Router<App> {
    Router::new().route(&at("/disputes"), get(list).post(decide))
}

const AT_MOST: usize = 100;

struct Row {
    at: When,
    who: Who,
    money: String,
    what: &'static str,
    state: &'static str,
    class: &'static str,
    where_is: &'static str,
    reason: String,
    order: String,
    /// The page of an order of goods; empty for one of tokens.
    href: String,
    decided: String,
    note: String,
}

/// One about whose tokens nobody has decided.
struct Ask {
    name: String,
    what: &'static str,
    money: String,
    who: Who,
    where_is: &'static str,
    /// How many tokens could be taken back; none where none is left.
    tokens: Option<Shown>,
    key: String,
}

#[derive(Template)]
#[template(path = "staff/disputes.html")]
struct DisputesPage {
    shell: Shell,
    here: String,
    asks: Vec<Ask>,
    rows: Vec<Row>,
    /// What was typed and could not be taken: for which, and why.
    typed: (String, String),
}

fn what(reversal: &Reversal) -> &'static str {
    match reversal.kind {
        ReversalKind::Dispute => "Dispute",
        ReversalKind::Refund => "Refund at the processor",
    }
}

/// A word, its class, and where the money is.
fn state(reversal: &Reversal) -> (&'static str, &'static str, &'static str) {
    match (reversal.kind, reversal.state) {
        (ReversalKind::Refund, _) => ("Refunded", "status stopped", "the money went back"),
        (_, ReversalState::Open) => ("Open", "status waits", "the money is gone meanwhile"),
        (_, ReversalState::Won) => ("Won", "status good", "the money is back"),
        (_, ReversalState::Lost) => ("Lost", "status stopped bad", "the money is gone"),
    }
}

/// What was decided about the tokens, in words.
fn decided(reversal: &Reversal) -> String {
    match reversal.decision {
        None if asks_for_decision(reversal) => "Nobody has decided about the tokens".to_owned(),
        None => "Nothing to decide".to_owned(),
        Some(Decision::Leave) => "The tokens stay".to_owned(),
        Some(Decision::Take) if reversal.returned.is_positive() => {
            format!("{} taken back, and given again", tokens(reversal.taken))
        }
        Some(Decision::Take) => format!("{} taken back", tokens(reversal.taken)),
    }
}

/// What the order is called that was paid, and the page of an order of goods.
fn paid(
    tx: &mut ReadTx<'_>,
    member: &StaffMember,
    reversal: &Reversal,
) -> std::result::Result<(String, String), Failed> {
    let (book, actor) = (member.shop.vendor.book_id, member.actor());
    match reversal.order {
        Payable::Tokens(id) => {
            let order = token_order_by_id(tx, actor, book, id)?;
            Ok((order.reference, String::new()))
        }
        Payable::Goods(id) => {
            let paid = card_order_by_id(tx, actor, book, id)?;
            let order = paid.order_id.map(|id| id.to_string()).unwrap_or_default();
            let href = member.shop.at(&format!("/staff/orders/{order}"));
            Ok((order, href))
        }
    }
}

async fn drawn(app: &App, member: &StaffMember) -> Result<DisputesPage> {
    let of = member.clone();
    let vault = app.node.vault.clone();
    let may = member.staff.role.may(Permission::Adjust);
    let (asks, rows) = app
        .read(move |tx| {
            let vendor = &of.shop.vendor;
            let (mut asks, mut rows) = (Vec::new(), Vec::new());
            for reversal in reversals(tx, vendor.book_id, AT_MOST)? {
                let (order, href) = paid(tx, &of, &reversal)?;
                let (customer, left) = reversal_tokens(tx, vendor, &reversal)?;
                let who = who(tx, &vault, of.actor(), &of.shop, &customer)?;
                let money = money(reversal.amount, &vendor.currency);
                let (state, class, where_is) = state(&reversal);
                if may && asks_for_decision(&reversal) {
                    asks.push(Ask {
                        name: reversal.name.clone(),
                        what: what(&reversal),
                        money: money.clone(),
                        who: who.clone(),
                        where_is,
                        tokens: left.is_positive().then(|| tokens(left)),
                        key: form_key(),
                    });
                }
                rows.push(Row {
                    at: When::day_near(reversal.created_at, tx.now()),
                    who,
                    money,
                    what: what(&reversal),
                    state,
                    class,
                    where_is,
                    decided: decided(&reversal),
                    reason: reversal.reason.replace('_', " "),
                    note: reversal.note,
                    order,
                    href,
                });
            }
            Ok::<_, Problem>((asks, rows))
        })
        .await?;
    Ok(DisputesPage {
        shell: staff_shell(member, "Disputes", "/staff/disputes"),
        here: member.shop.at("/staff/disputes"),
        asks,
        rows,
        typed: (String::new(), String::new()),
    })
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    done: Option<String>,
}

/// `GET /shops/{slug}/staff/disputes`.
async fn list(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let mut all = drawn(&app, &member).await?;
    all.shell.notice = match part.done.as_deref() {
        Some("take") => Some(Notice::new(
            Tone::Good,
            "The tokens are taken back.",
            "The customer sees the movement with your reason. If the dispute is won, they come \
             again by themselves.",
        )),
        Some("leave") => Some(Notice::new(Tone::Good, "The tokens stay. It is noted.", "")),
        _ => None,
    };
    page(&all)
}

/// What staff decided.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    reversal: String,
    #[serde(default)]
    decision: String,
    reason: String,
    key: String,
}

/// `POST /shops/{slug}/staff/disputes`.
async fn decide(
    State(app): State<App>,
    May(member, _): May<permission::Adjust>,
    Form(sent): Form<Decided>,
) -> Result<Response> {
    let typed = (sent.reversal.clone(), sent.reason.clone());
    let problem = match taken(&app, &member, sent).await {
        Ok(done) => {
            let here = member.shop.at("/staff/disputes");
            return see(&link(&here, &[("done", done)]));
        }
        Err(problem) => problem,
    };
    let (status, notice) = said(problem)?;
    let mut all = drawn(&app, &member).await?;
    all.shell.notice = Some(notice);
    all.typed = typed;
    page_with(status, &all)
}

async fn taken(app: &App, member: &StaffMember, sent: Decided) -> Result<&'static str> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let decision = Decision::parse(&sent.decision).map_err(|_| {
        let text = "say what becomes of the tokens: take them back, or leave them";
        Problem::invalid("text_invalid", text)
    })?;
    let new = NewDecision {
        reversal: sent.reversal,
        decision,
        reason: sent.reason,
    };
    let request = format!("decide {new:?}").into_bytes();
    let keyed = member.keyed(format!("dispute-{}", sent.key), request, None);
    let done = app.submit(keyed, move |tx| {
        reversal_decide(tx, actor, &vendor, &new)?;
        Ok::<_, Failed>(())
    });
    done.await.map(|_| decision.name())
}
