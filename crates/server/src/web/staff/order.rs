//! One order, as staff see it: what was bought, what of it is left to give back, and giving it
//! back; answering a customer who asks for that.

use super::super::account::moves::{Area, granted, line_words};
use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::order::parcel::parcel;
use super::super::session::{Shop, StaffMember};
use super::super::shop::words::{TaxView, off_of, taxes_of};
use super::super::view::format::{count, money, tokens};
use super::super::view::{Field, Notice, Shell, Shown, Tone, When};
use super::orders::refusal;
use super::shipping::Parcel;
use super::{May, Who, permission, said, who};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::catalog::{OfferKind, offers_shown};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::{OfferId, OrderId};
use scrip_domain::order::by_card::{RefundBegun, card_refund_settle, order_refund_begin};
use scrip_domain::order::{
    AskState, OrderDetail, OrderDetailLine, OrderState, RefundAsked, RefundLines, RefundRequest,
    order_by_id, refund_request_decline, refund_request_opened,
};
use scrip_domain::vendor::Permission;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "staff/order.html")]
pub struct OrderPage {
    pub shell: Shell,
    id: String,
    reference: String,
    who: Who,
    at: When,
    is_paid: bool,
    refused: String,
    lines: Vec<Line>,
    total: Shown,
    given_back: Option<Shown>,
    /// What a card paid, or was to pay.
    by_card: Option<ByCard>,
    /// The taxes in it.
    taxes: Vec<TaxView>,
    refund: Option<Refund>,
    asked: Option<Asked>,
    pub parcel: Option<Parcel>,
    may: bool,
    here: String,
    key: String,
}

/// What a card paid, or was to pay.
struct ByCard {
    money: String,
    last_four: String,
    declined: String,
    is_refund_due: bool,
}

/// A line of the order.
struct Line {
    no: i64,
    what: String,
    sku: String,
    amount: Shown,
    back: String,
    /// What promotions took off; empty for nothing (ADV-06).
    off: String,
    choices: Vec<Pieces>,
}

/// How many pieces of a line can go back: all of them, some, or none.
struct Pieces {
    value: i64,
    label: String,
}

/// What is left to give back.
struct Refund {
    tokens: Shown,
    /// True when a part of it can go back alone.
    in_parts: bool,
    /// True when pieces are counted, so that they can go back on the shelf.
    stocked: bool,
}

/// What the customer asked.
struct Asked {
    reason: String,
    at: When,
    state: &'static str,
    class: &'static str,
    is_open: bool,
    answer: String,
    field: Field,
}

/// The address.
#[derive(Deserialize)]
pub struct At {
    pub id: OrderId,
}

/// What was just done.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Refunded,
    Declined,
    Moved,
}

/// What the page says besides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    done: Option<Done>,
}

/// `GET /shops/{slug}/staff/orders/{id}`.
pub async fn order(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(said): Query<Said>,
) -> Result<Response> {
    let mut page_of = order_page(&app, &member, at.id, "").await?;
    page_of.shell.notice = match (said.done, &page_of.given_back) {
        (Some(Done::Refunded), back) if page_of.by_card.is_some() => {
            Some(money_back(back.is_some()))
        }
        (Some(Done::Refunded), Some(back)) => {
            let text = format!("{back} of this order are back in the customer's account.");
            Some(Notice::new(Tone::Good, "Tokens were given back.", text))
        }
        (Some(Done::Declined), _) => Some(Notice::new(
            Tone::Good,
            "The refund is declined.",
            "No tokens moved. The customer sees your answer with the order.",
        )),
        (Some(Done::Moved), _) => page_of.parcel.as_ref().map(|parcel| {
            let text = format!("It is now: {}.", parcel.view.state.to_lowercase());
            Notice::new(Tone::Good, "The parcel moved on.", text)
        }),
        _ => None,
    };
    page(&page_of)
}

/// What became of a refund to a card.
fn money_back(is_done: bool) -> Notice {
    match is_done {
        true => Notice::new(
            Tone::Good,
            "The money went back.",
            "The card processor gave it back to the card. No tokens moved.",
        ),
        false => Notice::new(
            Tone::Warn,
            "The card processor has not answered.",
            "The money is on its way back: it is asked again by itself until it has confirmed. \
             Nothing goes back twice.",
        ),
    }
}

pub async fn order_page(
    app: &App,
    member: &StaffMember,
    id: OrderId,
    answer: &str,
) -> Result<OrderPage> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (order, who, stocked, parcel) = app
        .read(move |tx| {
            let (shop, actor) = (&of.shop, of.actor());
            let book = shop.vendor.book_id;
            let mut order = order_by_id(tx, actor, book, id)?;
            if let Some(asked) = order.request.take() {
                order.request = Some(refund_request_opened(tx, &vault, book, asked)?);
            }
            let customer = customer_by_id(tx, book, order.customer_id)?;
            let who = who(tx, &vault, actor, shop, &customer)?;
            let offers: BTreeSet<OfferId> = order.lines.iter().map(|l| l.offer_id).collect();
            let offers: Vec<OfferId> = offers.into_iter().collect();
            let shown = offers_shown(tx, book, &offers)?;
            let stocked = shown.iter().any(|offer| offer.on_hand.is_some());
            let parcel = parcel(tx, &vault, actor, book, id)?;
            Ok::<_, Problem>((order, who, stocked, parcel))
        })
        .await?;
    let shop = &member.shop;
    let left = order.total.minus(order.refunded)?;
    let is_paid = order.state == OrderState::Completed;
    let mut shell = staff_shell(member, "Order", &format!("/staff/orders/{id}"));
    shell.title = format!("Order of {}", who.name);
    Ok(OrderPage {
        shell,
        is_paid,
        refused: match order.state {
            OrderState::Completed => String::new(),
            OrderState::Refused => refusal(order.reason.as_deref()),
        },
        by_card: order.card.as_ref().map(|card| ByCard {
            money: money(card.price, &shop.vendor.currency),
            last_four: card.last_four.clone(),
            declined: card.declined.clone(),
            is_refund_due: card.is_refund_due,
        }),
        refund: (is_paid && left.is_positive()).then(|| Refund {
            tokens: tokens(left),
            in_parts: order.card.is_none() && is_divisible(&order),
            stocked,
        }),
        lines: order.lines.iter().map(line).collect(),
        taxes: taxes_of(&order, &shop.vendor),
        total: tokens(order.total),
        given_back: order.refunded.is_positive().then(|| tokens(order.refunded)),
        at: When::minute(order.effective_at),
        asked: order.request.map(|request| asked(request, answer)),
        reference: order.reference,
        parcel: parcel.map(|view| Parcel::new(view, &here(shop, id))),
        who,
        may: member.staff.role.may(Permission::Orders),
        here: here(shop, id),
        key: form_key(),
        id: id.to_string(),
    })
}

fn here(shop: &Shop, id: OrderId) -> String {
    Area::Staff.order(shop, id)
}

/// Pieces of a line that are not given back yet.
fn left_of(line: &OrderDetailLine) -> i64 {
    line.quantity.saturating_sub(line.refunded_quantity).max(0)
}

/// True when a line can go back piece by piece; a tier goes back whole.
fn by_piece(line: &OrderDetailLine) -> bool {
    line.unit_price.times(line.quantity).ok() == Some(line.amount)
}

/// True when more than one choice of what to give back is left.
fn is_divisible(order: &OrderDetail) -> bool {
    let open: Vec<_> = order.lines.iter().filter(|l| left_of(l) > 0).collect();
    open.len() > 1 || open.iter().any(|line| by_piece(line) && left_of(line) > 1)
}

/// Choices of one line at most; beyond that only all or nothing.
const CHOICES: i64 = 100;

fn line(line: &OrderDetailLine) -> Line {
    let left = left_of(line);
    let word = |pieces: i64| match pieces {
        0 => "none".to_owned(),
        all if all == left && line.kind == OfferKind::Purchase && left > 1 => {
            format!("all {}", count(all))
        }
        all if line.kind == OfferKind::Purchase => count(all),
        _ => "all of it".to_owned(),
    };
    let whole = !by_piece(line) || left > CHOICES;
    let numbers: Vec<i64> = match (line.amount.is_positive() && left > 0, whole) {
        (false, _) => Vec::new(),
        (true, true) => vec![0, left],
        (true, false) => (0..=left).collect(),
    };
    let choices = numbers
        .into_iter()
        .map(|pieces| Pieces {
            value: pieces,
            label: word(pieces),
        })
        .collect();
    let back = match line.refunded_quantity {
        0 => String::new(),
        _ if line.refunded == line.amount => "all given back".to_owned(),
        some => format!("{} given back", granted(some, line.kind)),
    };
    let off = line.off.iter().map(|off| (off.name.as_str(), off.amount));
    let off: Vec<_> = off.collect();
    Line {
        no: line.line_no,
        what: line_words(line),
        sku: line.sku.clone(),
        amount: tokens(line.amount),
        back,
        off: off_of(&off),
        choices,
    }
}

fn asked(request: RefundAsked, answer: &str) -> Asked {
    let (state, class) = match request.state {
        AskState::Open => ("Waits for an answer", "status waits"),
        AskState::Refunded => ("Refunded", "status good"),
        AskState::Declined => ("Declined", "status stopped"),
    };
    Asked {
        reason: request.reason,
        at: When::minute(request.asked_at),
        state,
        class,
        is_open: request.state == AskState::Open,
        answer: request.answer,
        field: Field::area("answer", "Your answer to the customer")
            .value(answer)
            .help("The customer reads it with the order."),
    }
}

/// What is to be given back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundForm {
    key: String,
    what: What,
    #[serde(default)]
    line: Vec<i64>,
    #[serde(default)]
    pieces: Vec<i64>,
    restock: Option<String>,
}

/// All that is left, or pieces of some lines.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Whole,
    Lines,
}

/// `POST /shops/{slug}/staff/orders/{id}/refund`: whole or by line, once however often it is sent.
pub async fn refund(
    State(app): State<App>,
    May(member, _): May<permission::Orders>,
    Path(at): Path<At>,
    Form(form): Form<RefundForm>,
) -> Result<Response> {
    let lines = match form.what {
        What::Whole => RefundLines::Whole,
        What::Lines => {
            let lines = form.line.iter().copied().zip(form.pieces.iter().copied());
            let some: Vec<_> = lines.filter(|(_, pieces)| *pieces != 0).collect();
            if some.is_empty() || form.line.len() != form.pieces.len() {
                let text = "choose how many pieces of a line go back";
                let problem = Problem::invalid("nothing_chosen", text);
                return again(&app, &member, at.id, "", problem).await;
            }
            RefundLines::Lines(some)
        }
    };
    let request = RefundRequest {
        order_id: at.id,
        lines,
        restock: form.restock.is_some(),
        reference: String::new(),
        effective_at: None,
    };
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let keyed = member.keyed(form.key, format!("{request:?}").into_bytes(), None);
    let own = vendor.clone();
    let begun = app
        .submit(keyed, move |tx| {
            order_refund_begin(tx, actor, &own, &request)
        })
        .await;
    let done = match begun.map(|begun| begun.value) {
        Ok(RefundBegun::Done(_)) => Ok(()),
        // What the processor does not confirm now is asked again by itself.
        Ok(RefundBegun::Due(id)) => app
            .by_card(move |node, cards| card_refund_settle(node, cards, &vendor, id))
            .await?
            .map(drop)
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => {
            let path = here(&member.shop, at.id);
            see(&link(&path, &[("done", "refunded")]))
        }
        Err(problem) => again(&app, &member, at.id, "", problem).await,
    }
}

/// An answer to a customer who asks for tokens back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    answer: String,
}

/// `POST /shops/{slug}/staff/orders/{id}/decline`.
pub async fn decline(
    State(app): State<App>,
    May(member, _): May<permission::Orders>,
    Path(at): Path<At>,
    Form(form): Form<Answered>,
) -> Result<Response> {
    let (vendor, actor, id) = (member.shop.vendor.clone(), member.actor(), at.id);
    let answer = form.answer.clone();
    let done = app
        .write(move |tx| {
            refund_request_decline(tx, actor, &vendor, id, &answer)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(()) => {
            let path = here(&member.shop, id);
            see(&link(&path, &[("done", "declined")]))
        }
        // No request is open; the page of an order that is not there is not there either.
        Err(problem) if problem.status == StatusCode::NOT_FOUND => {
            let mut page_of = order_page(&app, &member, id, "").await?;
            page_of.shell.notice = Some(Notice::new(
                Tone::Warn,
                "This was answered already.",
                "Nothing was changed now. What stands is below.",
            ));
            page_with(StatusCode::CONFLICT, &page_of)
        }
        Err(problem) => again(&app, &member, id, &form.answer, problem).await,
    }
}

/// The page again, with what was refused and what was typed.
async fn again(
    app: &App,
    member: &StaffMember,
    id: OrderId,
    answer: &str,
    problem: Problem,
) -> Result<Response> {
    let (status, notice): (StatusCode, Notice) = said(problem)?;
    let mut page_of = order_page(app, member, id, answer).await?;
    if let Some(asked) = page_of
        .asked
        .as_mut()
        .filter(|a| a.is_open && !answer.is_empty())
    {
        asked.field.error.clone_from(&notice.text);
    }
    page_of.shell.notice = Some(notice);
    page_with(status, &page_of)
}
