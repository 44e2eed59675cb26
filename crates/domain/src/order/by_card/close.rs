//! The second transaction: what the processor said is written.

use super::open::counted;
use super::store::CardOrder;
use super::{Agreed, CardOrderState, Outcome, store};
use crate::actor::Actor;
use crate::books;
use crate::card::{CardError, card_by_method};
use crate::catalog::stock_add;
use crate::customer::buyer;
use crate::family::spending_back;
use crate::id::{CardOrderId, OrderId};
use crate::order::{OrderError, Purchase, Result, load_offers, shipment, store as order_store};
use crate::promotion::{Held, Off, uses_keep};
use crate::token_sale::{ChargeOutcome, attempt_declined, attempt_paid};
use crate::vendor::Vendor;
use scrip_engine::{Tx, outbox};
use scrip_ledger::{AccountKind, Leg, Posting, account_head_locked, entry_post};
use serde_json::json;

/// The short name of the reason, as stored.
const DECLINED: &str = "card_declined";

/// Writes what the processor said. Saying it again changes nothing.
pub fn card_order_close(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    id: CardOrderId,
    said: &ChargeOutcome,
) -> Result<Outcome> {
    let found = store::by_id_locked(tx, vendor.book_id, id)?;
    let order = found.ok_or(OrderError::CardOrderUnknown(id))?;
    match (order.state, said) {
        (CardOrderState::Completed, _) => Ok(Outcome::Completed {
            order_id: order.order()?,
        }),
        (CardOrderState::Declined, _) => Ok(Outcome::Declined {
            order_id: order.order()?,
            reason: order.reason.clone(),
            attempts_left: order.attempts_left,
        }),
        (CardOrderState::Awaiting, ChargeOutcome::Unknown) => Ok(Outcome::Awaiting),
        (CardOrderState::Awaiting, ChargeOutcome::Declined { reason }) => {
            decline(tx, vendor, &order, reason)
        }
        (CardOrderState::Awaiting, ChargeOutcome::Approved { reference }) => {
            complete(tx, vendor, &order, reference)
        }
    }
}

/// The order as it was agreed, under an id of now: figures of a day find orders by their ids.
fn purchase<'a>(tx: &mut Tx<'_>, vendor: &Vendor, agreed: &'a Agreed) -> Result<Purchase<'a>> {
    let book_id = vendor.book_id;
    Ok(Purchase {
        actor: agreed.actor,
        book_id,
        order_id: OrderId(tx.new_id()?),
        request: &agreed.frozen.request,
        reference: agreed.frozen.request.reference.clone(),
        effective_at: agreed.at,
        buyer: buyer(tx, book_id, agreed.customer)?,
    })
}

fn complete(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    order: &CardOrder,
    processor_reference: &str,
) -> Result<Outcome> {
    let book = vendor.book_id;
    let agreed = store::agreed(tx, book, order)?;
    let purchase = purchase(tx, vendor, &agreed)?;
    let quote = &agreed.frozen.quote;
    let customer = &purchase.buyer.customer;
    // Locked, so that what the wallet does later has later numbers.
    let wallet_head = account_head_locked(tx, book, customer.wallet)?;
    let entry = post(tx, vendor, &purchase, order)?;
    order_store::insert(tx, &purchase, quote, None, Some(entry))?;
    promotions_keep(tx, &purchase, quote)?;
    let offers = load_offers(tx, book, &purchase.request.lines)?;
    shipment::open(tx, &purchase, &offers)?;
    if !purchase.reference.is_empty() {
        store::reference_of(tx, book, &purchase.reference, purchase.order_id)?;
    }
    let done = CardOrder {
        last_four: last_four(tx, book, order)?,
        state: CardOrderState::Completed,
        order_id: Some(purchase.order_id),
        entry_id: entry,
        wallet_head,
        processor_reference: processor_reference.to_owned(),
        ..order.clone()
    };
    store::close(tx, book, &done)?;
    attempt_paid(tx, customer, order.session)?;
    if agreed.frozen.from_list {
        for line in &agreed.frozen.request.lines {
            order_store::list_remove(tx, book, order.customer, line.offer_id)?;
        }
    }
    tell(tx, vendor, "order.completed", &done, quote.required, None)?;
    Ok(Outcome::Completed {
        order_id: purchase.order_id,
    })
}

/// What promotions took off. None of them is a coupon or limited: nothing is counted.
fn promotions_keep(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: &crate::order::Quote,
) -> Result<()> {
    let lines = (1_i64..).zip(&quote.lines);
    let lines: Vec<(i64, &[Off])> = lines
        .filter(|(_, line)| !line.off.is_empty())
        .map(|(no, line)| (no, line.off.as_slice()))
        .collect();
    let of = (purchase.order_id, purchase.request.customer_id);
    let none = Held::default();
    Ok(uses_keep(
        tx,
        purchase.book_id,
        of,
        purchase.effective_at,
        &lines,
        &none,
    )?)
}

/// The card's last four digits: a card that was to be kept with this payment is known by now.
fn last_four(tx: &mut Tx<'_>, book: i64, order: &CardOrder) -> Result<String> {
    if !order.last_four.is_empty() {
        return Ok(order.last_four.clone());
    }
    match card_by_method(tx, book, order.customer, &order.card) {
        Ok(kept) => Ok(kept.map(|card| card.looks.last_four).unwrap_or_default()),
        Err(CardError::Engine(e)) => Err(e.into()),
        // Another account keeps it: the digits stay unknown.
        Err(_) => Ok(String::new()),
    }
}

/// The money is earned at once: the goods are sold. No token moves.
fn post(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    purchase: &Purchase<'_>,
    order: &CardOrder,
) -> Result<i64> {
    let sales = books::account(tx, vendor, AccountKind::Sales)?;
    let id = purchase.order_id.to_string();
    Ok(entry_post(
        tx,
        &Posting {
            book_id: vendor.book_id,
            event_id: purchase.order_id.0,
            code: "order",
            actor: &purchase.actor.to_string(),
            reference: if purchase.reference.is_empty() {
                &id
            } else {
                &purchase.reference
            },
            effective_at: purchase.effective_at,
            legs: &[Leg {
                debit: vendor.accounts.processor,
                credit: sales,
                amount: order.price,
                grant: None,
            }],
        },
    )?)
}

/// The order is stored as refused, and everything that was set aside for it is free again.
fn decline(tx: &mut Tx<'_>, vendor: &Vendor, order: &CardOrder, reason: &str) -> Result<Outcome> {
    let book = vendor.book_id;
    let agreed = store::agreed(tx, book, order)?;
    let purchase = purchase(tx, vendor, &agreed)?;
    let quote = &agreed.frozen.quote;
    let customer = &purchase.buyer.customer;
    let attempts_left = attempt_declined(tx, vendor, customer, order.session)?;
    let back = order_store::stocked(tx, book, &counted(quote))?;
    stock_add(tx, book, &back)?;
    spending_back(tx, customer, order.created_at, quote.required)?;
    if !purchase.reference.is_empty() {
        store::reference_free(tx, book, &purchase.reference)?;
    }
    order_store::insert(tx, &purchase, quote, Some(DECLINED), None)?;
    let done = CardOrder {
        state: CardOrderState::Declined,
        order_id: Some(purchase.order_id),
        reason: reason.to_owned(),
        attempts_left,
        ..order.clone()
    };
    store::close(tx, book, &done)?;
    let why = Some(DECLINED);
    tell(tx, vendor, "order.refused", &done, quote.required, why)?;
    Ok(Outcome::Declined {
        order_id: purchase.order_id,
        reason: reason.to_owned(),
        attempts_left,
    })
}

/// What a message about the order says: ids and amounts only.
fn tell(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    topic: &str,
    order: &CardOrder,
    tokens: scrip_ledger::Amount,
    reason: Option<&str>,
) -> Result<()> {
    let mut details = json!({
        "customer_id": order.customer,
        "tokens": tokens.decimal(scrip_ledger::TOKEN_SCALE),
        "paid_by": "card",
        "price": order.price.decimal(vendor.currency.scale),
        "currency": vendor.currency.code,
    });
    if let Some(reason) = reason {
        details["reason"] = json!(reason);
    }
    let subject = order.order()?.to_string();
    outbox::add(tx, vendor.book_id, topic, &subject, &details.to_string())?;
    Ok(())
}

/// Who placed it, as it was frozen.
pub(super) fn actor_of(text: &str) -> std::result::Result<Actor, scrip_engine::Error> {
    text.parse()
        .map_err(|e| scrip_engine::Error::Corrupt(format!("who placed an order: {e}")))
}
