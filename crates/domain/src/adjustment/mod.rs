//! Staff put a balance right: give free tokens, or take tokens back (TOK-06).
//!
//! The reason is kept as the reference of the entry, where the customer reads it too.

use crate::actor::Actor;
use crate::audit;
use crate::customer::{Customer, CustomerError, State, activate_if_due, customer_by_id};
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{
    Amount, Leg, Lot, NewGrant, Origin, Posting, entry_post, grant_open, lots_locked,
};
use serde_json::json;

type Result<T> = std::result::Result<T, CustomerError>;

/// Gives tokens of free origin (`amount` above zero) or takes tokens back (below zero), never more
/// than there are. For the vendor's staff; returns the entry.
pub fn balance_adjust(
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
    if amount.is_zero() {
        return Err(scrip_ledger::Error::NotPositive.into());
    }
    let legs = if amount.is_positive() {
        // What does not fit the account cannot be credited.
        Amount::sum(lots.iter().map(|lot| lot.remaining))?.plus(amount)?;
        vec![given(tx, vendor, &customer, amount)?]
    } else {
        taken(vendor, &customer, lots.to_vec(), amount.negated()?)?
    };
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
    let detail = json!({"amount": amount.units(), "entry": entry});
    audit::note(tx, book, actor, "customer.adjusted", &subject, &detail)?;
    outbox::add(tx, book, "customer.adjusted", &subject, "{}")?;
    Ok(entry)
}

fn given(tx: &mut Tx<'_>, vendor: &Vendor, customer: &Customer, amount: Amount) -> Result<Leg> {
    let now = tx.now();
    let new = NewGrant {
        asset_id: vendor.token.asset_id,
        origin: Origin::Free,
        restriction: None,
        expires_at: Timestamp::NEVER,
        quantity: amount,
        paid: Amount::ZERO,
        paid_asset_id: None,
        granted_at: now,
    };
    let grant = grant_open(tx, vendor.book_id, &new)?;
    Ok(Leg {
        debit: vendor.accounts.issued,
        credit: customer.wallet,
        amount,
        grant: Some(grant),
    })
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
