//! Payment sessions: attempts to pay in a row, of tokens or of goods, in which declined cards are
//! counted (REG-09, TOK-09).

use super::{Result, TokenSaleError, rules, store};
use crate::actor::Actor;
use crate::customer::{Customer, CustomerError, State};
use crate::id::PaymentSessionId;
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx};

/// Opens a series of attempts to pay, in which declines are counted.
pub fn payment_session_open(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
) -> Result<PaymentSessionId> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(TokenSaleError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    let id = PaymentSessionId(tx.new_id()?);
    store::insert_session(tx, customer, id)?;
    Ok(id)
}

/// Checks that a session has an attempt left and none under way. One attempt comes after the
/// other, so that each decline counts before the next card is charged. The session is locked: of
/// two attempts at once, the second one sees the first.
pub(crate) fn attempt_begin(
    tx: &mut Tx<'_>,
    customer: &Customer,
    id: PaymentSessionId,
) -> Result<()> {
    let session = store::session_locked(tx, customer, id)?.ok_or(TokenSaleError::SessionUnknown)?;
    if !session.open {
        return Err(TokenSaleError::SessionOver);
    }
    let since = rules::under_way_since(tx.now());
    if store::is_under_way(tx, customer.book_id, id, since)? {
        return Err(TokenSaleError::UnderWay);
    }
    Ok(())
}

/// Counts a declined card; returns the attempts that are left.
pub(crate) fn attempt_declined(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    customer: &Customer,
    id: PaymentSessionId,
) -> Result<i64> {
    let mut session =
        store::session_locked(tx, customer, id)?.ok_or(TokenSaleError::SessionUnknown)?;
    session.declines = session.declines.saturating_add(1);
    let left = rules::attempts_left(&session, vendor.declines_allowed);
    session.open = session.open && left > 0;
    store::set_session(tx, customer, id, &session)?;
    Ok(left)
}

/// A card paid: the count of declines starts over.
pub(crate) fn attempt_paid(
    tx: &mut Tx<'_>,
    customer: &Customer,
    id: PaymentSessionId,
) -> Result<()> {
    if let Some(mut session) = store::session_locked(tx, customer, id)? {
        session.declines = 0;
        store::set_session(tx, customer, id, &session)?;
    }
    Ok(())
}

/// Attempts that a session has left.
pub(crate) fn attempts_left(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    customer: &Customer,
    id: PaymentSessionId,
) -> Result<i64> {
    let session = store::session_locked(tx, customer, id)?;
    Ok(session.map_or(0, |s| rules::attempts_left(&s, vendor.declines_allowed)))
}
