//! One round of a rule: is it due, what is bought, how did it end.

use super::{DAY_S, HowMany, Result, TopUp, TopUpError, When, stop, store};
use crate::Node;
use crate::actor::Actor;
use crate::card::card_to_pay_with;
use crate::customer::{State, customer_by_id};
use crate::id::{CustomerId, Payable};
use crate::token_sale::{
    CardProcessor, Charge, ChargeOutcome, NewTokenOrder, Outcome, payment_session_open,
    token_order_close, token_order_open,
};
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, lots_locked};

/// How often a rule with a limit is looked at, in seconds.
pub const LOOK_EVERY_S: i64 = 300;
/// When an order under way is looked at again, in seconds.
const UNDER_WAY_S: i64 = 120;

/// Does what the rules of a vendor want now; returns how many orders were opened. A rule that
/// fails does not stop the others; the first failure is returned after them.
pub fn top_ups_run(node: &Node, processor: &dyn CardProcessor, vendor: &Vendor) -> Result<usize> {
    let (book, now) = (vendor.book_id, node.engine.now());
    let due = node.engine.read(|tx| store::due(tx, book, now))?;
    let mut opened: usize = 0;
    let mut failed = None;
    for customer in due {
        match run(node, processor, vendor, customer) {
            Ok(true) => opened = opened.saturating_add(1),
            Ok(false) => {}
            Err(e) => {
                failed = failed.or(Some(e));
                // It must not keep the others from their turn.
                node.engine.write(move |tx| put_off(tx, book, customer))?;
            }
        }
    }
    failed.map_or(Ok(opened), Err)
}

fn put_off(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    let later = tx.now().plus_seconds(LOOK_EVERY_S);
    if let Some(rule) = store::locked(tx, book, customer)? {
        let rule = TopUp {
            due_at: later,
            ..rule
        };
        store::set(tx, book, customer, &rule)?;
    }
    Ok(())
}

/// True when an order was opened.
fn run(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    customer: CustomerId,
) -> Result<bool> {
    let own = vendor.clone();
    let begun = node.engine.write(move |tx| begin(tx, &own, customer))?;
    let Some(charge) = begun else {
        return Ok(false);
    };
    let said = processor.charge(&charge);
    let own = vendor.clone();
    node.engine
        .write(move |tx| end(tx, &own, customer, &charge, &said))?;
    Ok(true)
}

/// Opens the order of a rule that is due.
fn begin(tx: &mut Tx<'_>, vendor: &Vendor, id: CustomerId) -> Result<Option<Charge>> {
    let (book, now) = (vendor.book_id, tx.now());
    let Some(rule) = store::locked(tx, book, id)? else {
        return Ok(None);
    };
    if rule.stopped.is_some() || rule.due_at > now {
        return Ok(None);
    }
    if let Some(order) = rule.order {
        let outcome = token_order_close(tx, Actor::System, vendor, order, &ChargeOutcome::Unknown)?;
        settle(tx, book, id, rule, &outcome)?;
        return Ok(None);
    }
    let customer = customer_by_id(tx, book, id)?;
    if customer.state == State::Closed {
        stop(tx, book, id, rule, "the account is closed")?;
        return Ok(None);
    }
    let card = match card_to_pay_with(tx, Actor::System, &customer, rule.wanted.card) {
        Ok(card) => card,
        Err(crate::card::CardError::Engine(e)) => return Err(e.into()),
        Err(e) => {
            stop(tx, book, id, rule, &e.to_string())?;
            return Ok(None);
        }
    };
    let lots = lots_locked(tx, book, customer.wallet)?;
    let usable = lots.iter().filter(|lot| lot.usable(now));
    let has = Amount::sum(usable.map(|lot| lot.remaining))?;
    let Some(quantity) = quantity(&rule, has)? else {
        let rule = TopUp {
            due_at: next(&rule, now),
            ..rule
        };
        store::set(tx, book, id, &rule)?;
        return Ok(None);
    };
    let session = match rule.session {
        Some(session) => session,
        None => payment_session_open(tx, Actor::System, &customer)?,
    };
    let new = NewTokenOrder {
        customer: id,
        session,
        quantity,
        pack: None,
        card: card.method,
        reference: String::new(),
        effective_at: None,
    };
    let (order, charge) = token_order_open(tx, Actor::System, vendor, &new)?;
    let under_way = TopUp {
        session: Some(session),
        order: Some(order),
        due_at: now.plus_seconds(UNDER_WAY_S),
        ..rule
    };
    store::set(tx, book, id, &under_way)?;
    Ok(Some(Charge {
        is_absent: true,
        ..charge
    }))
}

/// Tokens to buy now, if any.
fn quantity(rule: &TopUp, has: Amount) -> Result<Option<Amount>> {
    if let When::Below(limit) = rule.wanted.when
        && has >= limit
    {
        return Ok(None);
    }
    Ok(match rule.wanted.how_many {
        HowMany::Fixed(many) => Some(many),
        HowMany::UpTo(target) => Some(target.minus(has)?).filter(|many| many.is_positive()),
    })
}

/// When a rule whose work is done is looked at again.
fn next(rule: &TopUp, now: Timestamp) -> Timestamp {
    match rule.wanted.when {
        When::Below(_) => now.plus_seconds(LOOK_EVERY_S),
        When::EveryDays(days) => now.plus_seconds(days.saturating_mul(DAY_S)),
    }
}

fn end(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    id: CustomerId,
    charge: &Charge,
    said: &ChargeOutcome,
) -> Result<()> {
    let Payable::Tokens(order) = charge.order else {
        return Ok(());
    };
    // The rule first: its row is locked before those of the order, here as in `begin`.
    let rule = store::locked(tx, vendor.book_id, id)?;
    let outcome = token_order_close(tx, Actor::System, vendor, order, said)?;
    match rule.filter(|rule| rule.order == Some(order)) {
        Some(rule) => settle(tx, vendor.book_id, id, rule, &outcome),
        None => Ok(()),
    }
}

/// What the outcome of its order makes of a rule.
fn settle(
    tx: &mut Tx<'_>,
    book: i64,
    id: CustomerId,
    rule: TopUp,
    outcome: &Outcome,
) -> std::result::Result<(), TopUpError> {
    let now = tx.now();
    let settled = match outcome {
        Outcome::Awaiting => TopUp {
            due_at: now.plus_seconds(UNDER_WAY_S),
            ..rule
        },
        Outcome::Cleared { .. } => TopUp {
            due_at: next(&rule, now),
            session: None,
            order: None,
            ..rule
        },
        Outcome::Declined {
            reason,
            attempts_left,
        } if *attempts_left <= 0 => return stop(tx, book, id, rule, reason),
        // A card that had no money today may have some tomorrow.
        Outcome::Declined { .. } => TopUp {
            due_at: now.plus_seconds(DAY_S),
            order: None,
            ..rule
        },
    };
    Ok(store::set(tx, book, id, &settled)?)
}
