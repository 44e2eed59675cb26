//! One order of tokens without a card: accepted, cleared, failed (FIG. 4, s205 to s208).

use super::super::super::buy::{discount_words, offline_words};
use super::super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::super::register::means_words;
use super::super::super::session::StaffMember;
use super::super::super::view::format::{money, tokens};
use super::super::super::view::{Field, Notice, Shell, Shown, Tone, When};
use super::super::{May, Who, permission, said, who};
use super::order_path;
use crate::error::{Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::credit::{CreditCheck, OwnBooks, Verdict};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::TokenOrderId;
use scrip_domain::policy::CreditPoint;
use scrip_domain::token_sale::offline::{
    OfflineError, OfflineOrder, OfflineState, Paid, offline_credit_facts, offline_order_accept,
    offline_order_by_id, offline_order_cancel, offline_order_fail, offline_order_pay,
    offline_payments,
};
use scrip_domain::vendor::Permission;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "staff/token_order.html")]
struct OrderPage {
    shell: Shell,
    reference: String,
    who: Who,
    tokens: Shown,
    money: String,
    state: &'static str,
    class: &'static str,
    facts: Vec<(&'static str, String)>,
    payments: Vec<(When, String, String)>,
    here: String,
    key: String,
    accept: Option<&'static str>,
    pay: Option<(Field, Field)>,
    fail: Option<Field>,
    cancel: bool,
}

#[derive(Deserialize)]
pub struct At {
    id: String,
}

impl At {
    fn order(&self) -> Result<TokenOrderId> {
        self.id
            .parse()
            .map_err(|_| Problem::not_found("token order"))
    }
}

/// What was just done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    done: Option<String>,
}

/// What was typed and could not be taken.
#[derive(Default)]
struct Typed {
    amount: String,
    payment: String,
    reason: String,
}

async fn order_page(
    app: &App,
    member: &StaffMember,
    id: TokenOrderId,
    typed: &Typed,
) -> Result<OrderPage> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let read = app.read(move |tx| {
        let (shop, actor) = (&of.shop, of.actor());
        let book = shop.vendor.book_id;
        let order = offline_order_by_id(tx, actor, book, id)?;
        let customer = customer_by_id(tx, book, order.customer)?;
        let who = who(tx, &vault, actor, shop, &customer)?;
        let payments = offline_payments(tx, book, id)?;
        Ok::<_, Problem>((order, who, payments))
    });
    let (order, who, payments) = read.await?;
    Ok(drawn(member, &order, who, &payments, typed))
}

fn drawn(
    member: &StaffMember,
    order: &OfflineOrder,
    who: Who,
    payments: &[Paid],
    typed: &Typed,
) -> OrderPage {
    let shop = &member.shop;
    let currency = &shop.vendor.currency;
    let (state, class) = offline_words(order);
    let may = member.staff.role.may(Permission::TokenOrders);
    let is_open = order.state == OfflineState::Open;
    let waits = is_open || order.state == OfflineState::Awaiting;
    let unpaid = if order.owed.is_positive() {
        order.owed
    } else {
        order.price
    };
    let pays = may && (waits || order.owed.is_positive());
    let acceptance = shop.policy.sale.credit_point == CreditPoint::Acceptance;
    OrderPage {
        shell: staff_shell(
            member,
            format!("Token order {}", order.reference),
            "/staff/token-orders",
        ),
        reference: order.reference.clone(),
        who,
        tokens: tokens(order.quantity),
        money: money(order.price, currency),
        state,
        class,
        facts: facts(member, order),
        payments: payments
            .iter()
            .map(|p| {
                (
                    When::minute(p.at),
                    money(p.amount, currency),
                    p.reference.clone(),
                )
            })
            .collect(),
        here: order_path(shop, order.id),
        key: form_key(),
        accept: (may && is_open).then_some(if acceptance {
            "The tokens are credited now, and the money is owed."
        } else {
            "The tokens are credited when the money is there."
        }),
        pay: pays.then(|| {
            let amount = if typed.amount.is_empty() {
                unpaid.decimal(currency.scale)
            } else {
                typed.amount.clone()
            };
            let amount = Field::number("amount", format!("Money that came, in {}", currency.code))
                .value(amount);
            let payment = Field::text("payment", "Number of the payment")
                .value(typed.payment.as_str())
                .help("Of the cheque, the money order, the transfer.")
                .max(200)
                .optional();
            (amount, payment)
        }),
        fail: (may && waits).then(|| {
            Field::text("reason", "Why")
                .value(typed.reason.as_str())
                .help("The customer reads it.")
                .max(500)
        }),
        cancel: may && is_open,
    }
}

fn facts(member: &StaffMember, order: &OfflineOrder) -> Vec<(&'static str, String)> {
    let currency = &member.shop.vendor.currency;
    let mut facts = vec![
        ("Ordered", When::minute(order.created_at).words),
        ("How it came", order.channel.name().to_owned()),
        ("Paid", means_words(order.means).to_owned()),
        ("Taken by", order.taken_by.clone()),
    ];
    let why: Vec<String> = order.deal.discounts.iter().map(discount_words).collect();
    if !why.is_empty() {
        facts.push(("Price", why.join(", and ")));
    }
    if let Some(restriction) = &order.deal.restriction {
        facts.push(("Pays only for", restriction.clone()));
    }
    if !order.payment_reference.is_empty() {
        facts.push(("Number of the payment", order.payment_reference.clone()));
    }
    if let Some(at) = order.accepted_at {
        facts.push(("Accepted", When::minute(at).words));
        facts.push(("Accepted by", order.accepted_by.clone()));
    }
    match &order.credit {
        None => {}
        Some(Verdict::Approved) => facts.push(("Credit", "approved".to_owned())),
        Some(Verdict::Declined(why)) => facts.push(("Credit", format!("declined: {why}"))),
    }
    if let Some(at) = order.due_at {
        facts.push(("Due", When::day(at).words));
    }
    if order.owed.is_positive() {
        facts.push(("Owed", money(order.owed, currency)));
    }
    if order.taken_back.is_positive() {
        facts.push(("Taken back", tokens(order.taken_back).to_string()));
    }
    if !order.reason.is_empty() {
        facts.push(("Why it failed", order.reason.clone()));
    }
    if let Some(at) = order.closed_at {
        facts.push(("Closed", When::minute(at).words));
        facts.push(("Closed by", order.closed_by.clone()));
    }
    facts
}

/// `GET /shops/{slug}/staff/token-orders/{id}`.
pub async fn one(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut drawn = order_page(&app, &member, at.order()?, &Typed::default()).await?;
    drawn.shell.notice = match done.done.as_deref() {
        Some("taken") => Some(Notice::new(Tone::Good, "The order is taken.", "")),
        Some("accepted") => Some(Notice::new(Tone::Good, "The order is accepted.", "")),
        Some("declined") => Some(Notice::new(
            Tone::Bad,
            "The credit was declined.",
            "The order failed and nothing was credited. Take another one with payment first.",
        )),
        Some("paid") => Some(Notice::new(Tone::Good, "The payment is entered.", "")),
        Some("failed") => Some(Notice::new(Tone::Note, "The order has failed.", "")),
        Some("cancelled") => Some(Notice::new(Tone::Note, "The order is cancelled.", "")),
        _ => None,
    };
    page(&drawn)
}

/// Where staff go after a command; or the page again with what was refused.
async fn after(
    app: &App,
    member: &StaffMember,
    id: TokenOrderId,
    done: Result<&'static str>,
    typed: &Typed,
) -> Result<Response> {
    match done {
        Ok(done) => see(&link(&order_path(&member.shop, id), &[("done", done)])),
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let mut drawn = order_page(app, member, id, typed).await?;
            drawn.shell.notice = Some(notice);
            page_with(status, &drawn)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyed {
    key: String,
}

/// Asks about the credit where the policy wants it, and accepts; what to say of it.
pub async fn accepted(
    app: &App,
    member: &StaffMember,
    id: TokenOrderId,
    key: String,
) -> Result<&'static str> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let own = vendor.clone();
    let facts = app
        .read(move |tx| offline_credit_facts(tx, &own, id))
        .await?;
    let said = facts.map(|facts| (facts, OwnBooks.check(&facts)));
    let keyed = member.keyed(key, format!("accept {id}").into_bytes(), None);
    let done = app.submit(keyed, move |tx| {
        let order = offline_order_accept(tx, actor, &vendor, id, said.as_ref())?;
        Ok::<_, OfflineError>(order.state == OfflineState::Failed)
    });
    Ok(if done.await?.value {
        "declined"
    } else {
        "accepted"
    })
}

/// `POST /shops/{slug}/staff/token-orders/{id}/accept`.
pub async fn accept(
    State(app): State<App>,
    May(member, _): May<permission::TokenOrders>,
    Path(at): Path<At>,
    Form(form): Form<Keyed>,
) -> Result<Response> {
    let id = at.order()?;
    let done = accepted(&app, &member, id, form.key).await;
    after(&app, &member, id, done, &Typed::default()).await
}

/// A payment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    amount: String,
    #[serde(default)]
    payment: String,
    key: String,
}

/// `POST /shops/{slug}/staff/token-orders/{id}/pay`.
pub async fn pay(
    State(app): State<App>,
    May(member, _): May<permission::TokenOrders>,
    Path(at): Path<At>,
    Form(form): Form<Payment>,
) -> Result<Response> {
    let id = at.order()?;
    let typed = Typed {
        amount: form.amount.clone(),
        payment: form.payment.clone(),
        ..Typed::default()
    };
    let done = paid(&app, &member, id, &form).await;
    after(&app, &member, id, done, &typed).await
}

async fn paid(
    app: &App,
    member: &StaffMember,
    id: TokenOrderId,
    form: &Payment,
) -> Result<&'static str> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let amount = Amount::parse(form.amount.trim(), vendor.currency.scale)?;
    let payment = form.payment.clone();
    let request = format!("pay {id} {amount} {payment}");
    let keyed = member.keyed(form.key.clone(), request.into_bytes(), None);
    let done = app.submit(keyed, move |tx| {
        offline_order_pay(tx, actor, &vendor, id, Some(amount), &payment)?;
        Ok::<_, OfflineError>(())
    });
    done.await.map(|_| "paid")
}

/// Why an order fails.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    reason: String,
    key: String,
}

/// `POST /shops/{slug}/staff/token-orders/{id}/fail`.
pub async fn fail(
    State(app): State<App>,
    May(member, _): May<permission::TokenOrders>,
    Path(at): Path<At>,
    Form(form): Form<Failure>,
) -> Result<Response> {
    let id = at.order()?;
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let reason = form.reason.clone();
    let request = format!("fail {id} {reason}");
    let keyed = member.keyed(form.key, request.into_bytes(), None);
    let done = app.submit(keyed, move |tx| {
        offline_order_fail(tx, actor, &vendor, id, &reason)?;
        Ok::<_, OfflineError>(())
    });
    let done = done.await.map(|_| "failed");
    let typed = Typed {
        reason: form.reason,
        ..Typed::default()
    };
    after(&app, &member, id, done, &typed).await
}

/// `POST /shops/{slug}/staff/token-orders/{id}/cancel`.
pub async fn cancel(
    State(app): State<App>,
    May(member, _): May<permission::TokenOrders>,
    Path(at): Path<At>,
    Form(form): Form<Keyed>,
) -> Result<Response> {
    let id = at.order()?;
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let keyed = member.keyed(form.key, format!("cancel {id}").into_bytes(), None);
    let done = app.submit(keyed, move |tx| {
        offline_order_cancel(tx, actor, &vendor, id)?;
        Ok::<_, OfflineError>(())
    });
    let done = done.await.map(|_| "cancelled");
    after(&app, &member, id, done, &Typed::default()).await
}
