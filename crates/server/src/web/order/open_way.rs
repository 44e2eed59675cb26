//! The part of the confirmation in which open tokens may pay (OPN-18, OPN-22): what the mall proposes,
//! what else could pay, and the purchase.

use super::address;
use super::confirm::{no_address, not_placed};
use super::form::Confirmed;
use super::review::Review;
use crate::error::{Failed, Problem, Result, refused};
use crate::http::body::Form;
use crate::state::App;
use crate::web::frame;
use crate::web::payer::check_payer;
use crate::web::session::Member;
use crate::web::view::format::money;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Actor;
use scrip_domain::checkout::{
    CheckoutError, CheckoutOutcome, Left, OpenPart, Pays, Purchase, checkout_place, checkout_quote,
    open_balance, open_order,
};
use scrip_domain::exchange::home_of;
use scrip_domain::id::{CustomerId, OrderId};
use scrip_domain::mall::member_of;
use scrip_domain::order::{OrderError, order_list_bought};
use scrip_domain::promotion::coupon_clear;
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_engine::Read;
use scrip_ledger::Asset;

/// Paying with open tokens instead of the shop's own.
pub struct OpenWay {
    /// What it costs.
    pub money: String,
    /// What the mall proposes: kind, amount, what a certificate leaves over.
    pub parts: Vec<(&'static str, String, String)>,
    /// The kinds that could pay all of it alone: name, words.
    pub choices: Vec<(&'static str, &'static str)>,
    /// Where the form goes.
    pub action: String,
}

fn has_some(left: &Left) -> bool {
    left.amount.is_positive()
}

/// Who pays: the customer at its home, which is this shop unless it visits (OPN-24).
pub fn home(
    tx: &mut dyn Read,
    member: &Member,
) -> std::result::Result<(Vendor, CustomerId), CheckoutError> {
    let (vendor, id) = (&member.shop.vendor, member.me.customer.customer_id);
    match home_of(tx, vendor.book_id, id)? {
        Some((book, at_home)) => Ok((vendor_by_book(tx, book)?, at_home)),
        None => Ok((vendor.clone(), id)),
    }
}

/// How open tokens may pay, where the customer holds enough of them.
pub async fn open_way(app: &App, member: &Member, review: &Review) -> Result<Option<OpenWay>> {
    if !review.quote.required.is_positive() {
        return Ok(None);
    }
    let of = member.clone();
    let held = app.read(move |tx| {
        if member_of(tx, of.shop.vendor.book_id)?.is_none() {
            return Ok::<_, CheckoutError>(None);
        }
        let (home, id) = home(tx, &of)?;
        let held = open_balance(tx, Actor::Customer(id), &home, id)?;
        Ok(held.iter().any(has_some).then_some((home, id)))
    });
    let Some((home, id)) = held.await? else {
        return Ok(None);
    };
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let purchase = Purchase {
        seller_book: of.shop.vendor.book_id,
        lines: review.quote.lines.iter().map(|l| l.as_shown()).collect(),
        coupon: review.coupon.clone(),
        to: None,
        pays: None,
        at_till: false,
    };
    let quote =
        app.write(move |tx| checkout_quote(tx, &vault, Actor::Customer(id), &home, id, &purchase));
    let quote = match quote.await {
        Ok(quote) => quote,
        // The mall has cut the shop off, or a child may not: the shop's own tokens pay as always.
        Err(problem) if problem.status.is_client_error() => return Ok(None),
        Err(problem) => return Err(problem),
    };
    if quote.refusal.is_some() {
        return Ok(None);
    }
    let currency = &member.shop.vendor.currency;
    let parts = quote.split.iter().map(|part| {
        let over = match part.surplus.is_positive() {
            true => money(part.surplus, currency),
            false => String::new(),
        };
        (part.kind.words(), money(part.amount, currency), over)
    });
    Ok(Some(OpenWay {
        money: money(quote.price, currency),
        parts: parts.collect(),
        choices: quote
            .choices
            .iter()
            .map(|pays| (pays.name(), pays.words()))
            .collect(),
        action: member.shop.at("/confirm/open"),
    }))
}

/// `POST /shops/{slug}/confirm/open`: places the order that was shown, and open tokens pay it.
pub async fn pay(
    State(app): State<App>,
    member: Member,
    Form(form): Form<Confirmed>,
) -> Result<Response> {
    check_payer(&member, &form.account)?;
    let pays = match form.pay_with.as_str() {
        "" => None,
        word => {
            Some(Pays::parse(word).map_err(|e| Problem::invalid("form_invalid", e.to_string()))?)
        }
    };
    let chosen = form.chosen(&member.shop)?;
    if chosen.to.wrong.is_some() {
        return no_address(&app, &member, chosen, None).await;
    }
    let vault = app.node.vault.clone();
    let purchase = Purchase {
        seller_book: member.shop.vendor.book_id,
        lines: chosen.wanted.clone(),
        coupon: chosen.coupon.clone(),
        to: chosen.to.given(),
        pays,
        at_till: false,
    };
    let asked = format!(
        "open {:?} {:?} {pays:?} {}",
        purchase.lines,
        purchase.coupon,
        address::hashed(&vault, purchase.to.as_ref())?
    );
    let keyed = member.keyed(form.key.clone(), asked.into_bytes());
    let (of, offers, has_coupon) = (member.clone(), form.offer.clone(), chosen.coupon.is_some());
    let placed = app.submit(keyed, move |tx| {
        let (home, at_home) = home(tx, &of)?;
        let payer = Actor::Customer(at_home);
        let outcome = checkout_place(tx, &vault, payer, &home, at_home, &purchase)?;
        if let CheckoutOutcome::Paid(_) = outcome {
            let (actor, id) = (of.me.actor(), of.me.customer.customer_id);
            let book = of.shop.vendor.book_id;
            order_list_bought(tx, actor, book, id, &offers).map_err(Failed::from)?;
            if has_coupon {
                coupon_clear(tx, actor, &of.me.customer).map_err(OrderError::from)?;
            }
        }
        Ok::<_, Failed>(outcome)
    });
    let placed = match placed.await {
        Err(problem) if problem.code == "address_missing" => {
            return no_address(&app, &member, chosen, None).await;
        }
        placed => placed?,
    };
    match placed.value {
        CheckoutOutcome::Paid(receipt) => {
            app.metrics.order(true);
            frame::see(&member.shop.at(&format!("/orders/{}", receipt.order_id)))
        }
        CheckoutOutcome::Refused { order_id, refusal } => {
            app.metrics.order(false);
            let problem = refused(&order_id.to_string(), &refusal);
            not_placed(&app, &member, chosen, &refusal, problem, None).await
        }
    }
}

/// What open tokens paid of an order (OPN-22), in words; none for an order that they did not pay.
pub fn paid_with(
    tx: &mut dyn Read,
    seller: i64,
    currency: &Asset,
    order: OrderId,
) -> std::result::Result<Option<PaidOpen>, OrderError> {
    let found = open_order(tx, seller, order);
    let found = found.map_err(|e| scrip_engine::Error::Corrupt(e.to_string()))?;
    let Some((order, parts)) = found else {
        return Ok(None);
    };
    let stands = |part: &&OpenPart| order.is_reversed || part.reversed_by.is_none();
    let parts = parts.iter().filter(stands);
    Ok(Some(PaidOpen {
        money: money(order.price, currency),
        is_back: order.is_reversed,
        parts: parts
            .map(|part| (part.kind.words(), money(part.amount, currency)))
            .collect(),
    }))
}

/// What open tokens paid.
pub struct PaidOpen {
    /// All of it.
    pub money: String,
    /// True when it was given back.
    pub is_back: bool,
    /// By kind.
    pub parts: Vec<(&'static str, String)>,
}
