//! Staff put a balance right: they take tokens back that are too many (TOK-06). Tokens are given
//! as gifts (`gift_tokens`), whatever for.
//!
//! The reason is kept as the reference of the entry, where the customer reads it too.

use crate::actor::Actor;
use crate::audit;
use crate::customer::{Customer, CustomerError, State, activate_if_due, customer_by_id};
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx, outbox};
use scrip_ledger::{Amount, Leg, Lot, Origin, Posting, entry_post, lots_locked};
use serde_json::json;

type Result<T> = std::result::Result<T, CustomerError>;

/// Takes tokens back, never more than there are. For the vendor's staff; returns the entry.
pub fn balance_take_back(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    amount: Amount,
    reason: &str,
) -> Result<i64> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden);
    }
    let reason = text::line("the reason", reason, 200)?;
    let book = vendor.book_id;
    // The wallet is the lock; then the account's state holds.
    let lots = lots_locked(tx, book, customer.wallet)?;
    let customer = customer_by_id(tx, book, customer.customer_id)?;
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number));
    }
    if !amount.is_positive() {
        return Err(scrip_ledger::Error::NotPositive.into());
    }
    let legs = taken(vendor, &customer, lots, amount)?;
    let posting = Posting {
        book_id: book,
        event_id: tx.new_id()?,
        code: "adjustment",
        actor: &actor.to_string(),
        reference: &reason,
        effective_at: tx.now(),
        legs: &legs,
    };
    let entry = entry_post(tx, &posting)?;
    activate_if_due(tx, vendor, &customer)?;
    let subject = customer.customer_id.to_string();
    let detail = json!({"amount": amount.negated()?.units(), "entry": entry});
    audit::note(tx, book, actor, "customer.adjusted", &subject, &detail)?;
    outbox::add(tx, book, "customer.adjusted", &subject, "{}")?;
    Ok(entry)
}

/// Takes free tokens first and the newest first: what was given in error came last. Free ones are
/// as if never issued; what was paid for is forfeited, like what expires.
fn taken(
    vendor: &Vendor,
    customer: &Customer,
    mut lots: Vec<Lot>,
    amount: Amount,
) -> Result<Vec<Leg>> {
    lots.sort_by_key(|lot| {
        let is_free = lot.grant.origin == Origin::Free;
        (!is_free, std::cmp::Reverse(lot.grant.grant_id))
    });
    let mut open = amount;
    let mut legs = Vec::new();
    for lot in &lots {
        let piece = lot.remaining.min(open);
        if !piece.is_positive() {
            continue;
        }
        open = open.minus(piece)?;
        legs.push(Leg {
            debit: customer.wallet,
            credit: match lot.grant.origin {
                Origin::Free => vendor.accounts.issued,
                Origin::Paid | Origin::Credit => vendor.accounts.expired,
            },
            amount: piece,
            grant: Some(lot.grant.grant_id),
        });
    }
    if open.is_positive() {
        let has = amount.minus(open)?;
        return Err(CustomerError::TooFewTokens {
            has: has.decimal(vendor.token.scale),
        });
    }
    Ok(legs)
}
