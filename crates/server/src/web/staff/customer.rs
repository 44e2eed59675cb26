//! One customer, as staff see it: state, balance, movements, orders; a code for a forgotten PIN;
//! closing the account.

use super::super::account::holdings::Holdings;
use super::super::account::moves::{Area, Move, OrderRow, moves, order_rows, pager};
use super::super::account::{Waiting, waiting};
use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::tokens;
use super::super::view::{Notice, Pager, Shell, Shown, Tone, When};
use super::check::to_check;
use super::customers::channel_words;
use super::{May, permission, said, state_words, who};
use crate::api::once::ShownOnce;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::closing::{customer_close, merged_accounts};
use scrip_domain::customer::{
    Customer, CustomerSummary, Person, Standing, State as AccountState, customer_by_id,
    customer_person, customer_summary, fate, pin_reset_start, require_check_by, standing,
};
use scrip_domain::id::CustomerId;
use scrip_domain::policy::Sensitive;
use scrip_domain::session::{Holder, factor_is_on, factor_lift};
use scrip_domain::statement::balance;
use scrip_domain::vendor::Permission;
use serde::Deserialize;

/// Orders on this page; more are among the movements.
const ORDERS: usize = 5;

#[derive(Template)]
#[template(path = "staff/customer.html")]
struct CustomerPage {
    shell: Shell,
    name: String,
    number: String,
    state: &'static str,
    class: &'static str,
    is_closed: bool,
    total: Shown,
    holdings: Holdings,
    waits: Option<Waiting>,
    person: Person,
    since: String,
    moves: Vec<Move>,
    pager: Option<Pager>,
    orders: Vec<OrderRow>,
    may: bool,
    may_adjust: bool,
    has_factor: bool,
    give: String,
    standing: Standing,
    merged: Vec<(String, String)>,
    kept: Option<(String, String)>,
    here: String,
    key: String,
    minimum: Shown,
}

/// The address.
#[derive(Deserialize)]
pub struct At {
    /// The customer.
    pub id: CustomerId,
}

/// What was just done.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Registered,
    Closed,
    Adjusted,
    Standing,
    Merged,
    Erased,
    Factor,
}

/// Which part of the movements.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    before: Option<i64>,
    done: Option<Done>,
}

/// A form with nothing but its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    key: String,
}

/// `GET /shops/{slug}/staff/customers/{id}`.
pub async fn customer(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(part): Query<Part>,
) -> Result<Response> {
    let mut page_of = customer_page(&app, &member, at.id, part.before).await?;
    page_of.shell.notice = part.done.map(|done| match done {
        Done::Registered => Notice::new(
            Tone::Good,
            "The account is open.",
            format!(
                "Tell the customer the account number: {}.{}",
                page_of.number,
                page_of.waits.as_ref().map_or_else(String::new, |waits| {
                    format!(" It becomes active with {}.", waits.missing)
                })
            ),
        ),
        Done::Closed => Notice::new(
            Tone::Good,
            "The account is closed.",
            "Its movements and orders stay here.",
        ),
        Done::Adjusted => Notice::new(
            Tone::Good,
            "The tokens are taken back.",
            "The movement stands below, with the reason. The customer sees both.",
        ),
        Done::Standing => Notice::new(
            Tone::Good,
            "What the shop thinks of the customer is changed.",
            "Prices and credit go by it from now on.",
        ),
        Done::Merged => Notice::new(
            Tone::Good,
            "The accounts are merged into this one.",
            "The other one is closed. Its sign-in name leads here.",
        ),
        Done::Factor => Notice::new(
            Tone::Good,
            "One-time codes are off.",
            "The customer signs in with PIN or password alone, and may turn them on anew.",
        ),
        Done::Erased => Notice::new(
            Tone::Good,
            "The person is erased.",
            "Orders and movements stay, without a name.",
        ),
    });
    page(&page_of)
}

async fn customer_page(
    app: &App,
    member: &StaffMember,
    id: CustomerId,
    before: Option<i64>,
) -> Result<CustomerPage> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (standing, merged, kept, has_factor) = app
        .read({
            let book = member.shop.vendor.book_id;
            move |tx| {
                let customer = customer_by_id(tx, book, id)?;
                let kept = match fate(tx, &customer)?.merged_into {
                    Some(kept) => Some(customer_by_id(tx, book, kept)?),
                    None => None,
                };
                let merged = merged_accounts(tx, &customer)?;
                let has_factor = factor_is_on(tx, Holder::customer(&customer))?;
                Ok::<_, Problem>((standing(tx, &customer)?, merged, kept, has_factor))
            }
        })
        .await?;
    let (customer, who, person, summary, balance, moves, orders) = app
        .read(move |tx| {
            let (actor, shop) = (of.actor(), &of.shop);
            let customer = customer_by_id(tx, shop.vendor.book_id, id)?;
            let who = who(tx, &vault, actor, shop, &customer)?;
            let person = customer_person(tx, &vault, actor, &customer)?;
            let summary = customer_summary(tx, &customer)?;
            let balance = balance(tx, actor, &customer)?;
            let moves = moves(tx, actor, shop, &customer, before, Area::Staff)?;
            let most = (Area::Staff, ORDERS);
            let orders = order_rows(tx, actor, shop, &customer, None, most)?;
            Ok::<_, Problem>((customer, who, person, summary, balance, moves, orders))
        })
        .await?;
    let (state, class) = state_words(customer.state);
    let next = moves.next.map(|seq| seq.to_string());
    let path = format!("/staff/customers/{id}");
    Ok(CustomerPage {
        shell: staff_shell(member, who.name.clone(), &path),
        name: who.name,
        number: who.number,
        state,
        class,
        is_closed: customer.state == AccountState::Closed,
        waits: waiting(&member.shop, &customer, balance.total)?,
        total: tokens(balance.total),
        holdings: Holdings::of(&balance, &member.shop, member.now),
        person: person.unwrap_or_default(),
        since: since(&summary),
        moves: moves.items,
        pager: pager(&who.href, "movements", before.is_none(), next),
        orders: orders.items,
        may: member.staff.role.may(Permission::Customers),
        has_factor,
        may_adjust: member.staff.role.may(Permission::Adjust),
        give: link(
            &member.shop.at("/staff/gifts"),
            &[("account", &customer.number.to_string())],
        ),
        standing,
        merged: merged.iter().map(|one| linked(member, one)).collect(),
        kept: kept.as_ref().map(|one| linked(member, one)),
        here: who.href,
        key: form_key(),
        minimum: tokens(member.shop.vendor.minimum_for(&customer.country)),
    })
}

/// Another account of the same person: its page and its number.
fn linked(member: &StaffMember, customer: &Customer) -> (String, String) {
    let path = format!("/staff/customers/{}", customer.customer_id);
    (member.shop.at(&path), customer.number.to_string())
}

fn since(summary: &CustomerSummary) -> String {
    let day = When::day(summary.created_at);
    let channel = channel_words(summary.channel);
    match summary.activated_at {
        Some(at) => format!(
            "Registered {channel} on {day}, active since {}",
            When::day(at)
        ),
        None => format!("Registered {channel} on {day}"),
    }
}

#[derive(Template)]
#[template(path = "staff/code.html")]
struct CodePage {
    shell: Shell,
    name: String,
    code: Option<String>,
    forgot: String,
    back: String,
}

/// `POST /shops/{slug}/staff/customers/{id}/pin-reset`: a code with which the customer chooses a
/// new PIN (REG-11). It is shown once; sending the form again shows none.
pub async fn pin_reset(
    State(app): State<App>,
    May(member, _): May<permission::Customers>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (id, book, actor) = (at.id, member.shop.vendor.book_id, member.actor());
    let request = format!("a code for {id}").into_bytes();
    let keyed = member.keyed(format!("code-{}", sent.key), request, Some(id));
    let (once, vault) = (ShownOnce::new(), app.node.vault.clone());
    let (put, of) = (once.clone(), sent.key.clone());
    let made = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            let code = pin_reset_start(tx, &vault, actor, &customer)?;
            put.put(of.clone(), code);
            Ok::<_, Failed>(())
        })
        .await;
    if let Err(problem) = made {
        return again(&app, &member, id, problem).await;
    }
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let who = app
        .read(move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            who(tx, &vault, of.actor(), &of.shop, &customer)
        })
        .await?;
    page(&CodePage {
        shell: staff_shell(&member, "A code for a new PIN", "/staff/customers"),
        code: once.take(&sent.key),
        name: who.name,
        forgot: member.shop.at("/forgot"),
        back: who.href,
    })
}

/// `POST /shops/{slug}/staff/customers/{id}/second-factor-off`: for one who lost the app and the
/// recovery codes (SHP-03).
pub async fn second_factor_off(
    State(app): State<App>,
    May(member, _): May<permission::Customers>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (id, book, actor) = (at.id, member.shop.vendor.book_id, member.actor());
    let request = format!("no second factor of {id}").into_bytes();
    let keyed = member.keyed(format!("factor-{}", sent.key), request, Some(id));
    let done = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            require_check_by(tx, actor, &customer, Sensitive::PinChange)?;
            factor_lift(tx, actor, Holder::customer(&customer))?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(_) => {
            let here = member.shop.at(&format!("/staff/customers/{id}"));
            see(&link(&here, &[("done", "factor")]))
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// `POST /shops/{slug}/staff/customers/{id}/close`: an account with tokens stays open.
pub async fn close(
    State(app): State<App>,
    May(member, _): May<permission::Customers>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (id, book, actor) = (at.id, member.shop.vendor.book_id, member.actor());
    let request = format!("close {id}").into_bytes();
    let keyed = member.keyed(format!("close-{}", sent.key), request, Some(id));
    let done = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            customer_close(tx, actor, &customer)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(_) => {
            let here = member.shop.at(&format!("/staff/customers/{id}"));
            see(&link(&here, &[("done", "closed")]))
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// The page again, with what was refused.
pub async fn again(
    app: &App,
    member: &StaffMember,
    id: CustomerId,
    problem: Problem,
) -> Result<Response> {
    let here = format!("/staff/customers/{id}");
    let problem = match to_check(member, id, &here, problem) {
        Ok(asked) => return asked,
        Err(problem) => problem,
    };
    let (status, notice): (StatusCode, Notice) = said(problem)?;
    let mut page_of = customer_page(app, member, id, None).await?;
    page_of.shell.notice = Some(notice);
    page_with(status, &page_of)
}
