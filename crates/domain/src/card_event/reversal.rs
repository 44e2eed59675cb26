//! Money of a cleared token order that the processor takes back, and sometimes gives again.

use super::decision::{Decision, give_again, wallet_lots};
use super::{CardEventError, Result, Told, store};
use crate::actor::Actor;
use crate::audit;
use crate::books;
use crate::card::of_minor_units;
use crate::id::Payable;
use crate::order::by_card::card_refund_given;
use crate::text::named;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{AccountKind, Amount, Leg, Posting, entry_post};
use serde_json::json;

named! {
    /// Why money went back.
    ReversalKind, "the kind of reversal" {
        /// The owner of the card disputes the payment.
        Dispute = "dispute",
        /// It was refunded at the processor.
        Refund = "refund",
    }
}

named! {
    /// How a reversal stands.
    ReversalState, "the state of the reversal" {
        /// Nobody has decided yet; the money is gone meanwhile.
        Open = "open",
        /// The money came back.
        Won = "won",
        /// The money is gone.
        Lost = "lost",
    }
}

/// True while somebody must say what becomes of the tokens that the money had paid for. A dispute that
/// was won leaves nothing to decide, nor does money that had paid for goods.
pub fn asks_for_decision(reversal: &Reversal) -> bool {
    reversal.decision.is_none()
        && reversal.state != ReversalState::Won
        && !matches!(reversal.order, Payable::Goods(_))
}

/// Money that the processor took back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The processor's name for it.
    pub name: String,
    /// The order that it had paid.
    pub order: Payable,
    /// Why.
    pub kind: ReversalKind,
    /// How much.
    pub amount: Amount,
    /// The processor's word for the reason; empty where there is none.
    pub reason: String,
    /// How it stands.
    pub state: ReversalState,
    /// When it was booked.
    pub created_at: Timestamp,
    /// When it was decided.
    pub closed_at: Option<Timestamp>,
    /// What staff decided about the tokens.
    pub decision: Option<Decision>,
    /// Who decided: an actor's id; empty for nobody yet.
    pub decided_by: String,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why, in staff's words.
    pub note: String,
    /// Tokens that were taken back.
    pub taken: Amount,
    /// Tokens that were given again when the money came back.
    pub returned: Amount,
}

impl Reversal {
    /// One that nobody has decided about.
    fn new(name: String, order: Payable, kind: ReversalKind, amount: Amount) -> Reversal {
        Reversal {
            name,
            order,
            kind,
            amount,
            reason: String::new(),
            state: ReversalState::Open,
            created_at: Timestamp(0),
            closed_at: None,
            decision: None,
            decided_by: String::new(),
            decided_at: None,
            note: String::new(),
            taken: Amount::ZERO,
            returned: Amount::ZERO,
        }
    }
}

/// Books what an event tells of a cleared order. Told again, or out of order, it changes nothing.
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    order: Payable,
    told: &Told,
) -> Result<()> {
    match told {
        Told::Refund { charge, minor, .. } => {
            let total = of_minor_units(*minor, &vendor.currency)?;
            store::lock_order(tx, vendor.book_id, order)?;
            let known = store::of_order(tx, vendor.book_id, order)?;
            let before = known.iter().filter(|r| r.kind == ReversalKind::Refund);
            // What staff gave back here is told by the processor too, and booked already.
            let given = match order {
                Payable::Goods(order) => card_refund_given(tx, vendor.book_id, order)?,
                Payable::Tokens(_) => Amount::ZERO,
            };
            let more = total
                .minus(Amount::sum(before.map(|r| r.amount))?)?
                .minus(given)?;
            if !more.is_positive() {
                return Ok(());
            }
            let name = format!("{charge}:{minor}");
            let reversal = Reversal {
                state: ReversalState::Lost,
                created_at: tx.now(),
                closed_at: Some(tx.now()),
                ..Reversal::new(name, order, ReversalKind::Refund, more)
            };
            book(tx, vendor, &reversal)
        }
        Told::Dispute {
            dispute,
            minor,
            reason,
            state,
            ..
        } => {
            // Tokens may have to go into the wallet: it is locked before the order.
            wallet_lots(tx, vendor, order)?;
            store::lock_order(tx, vendor.book_id, order)?;
            let known = store::by_name(tx, vendor.book_id, dispute)?;
            if known.is_none() {
                let amount = of_minor_units(*minor, &vendor.currency)?;
                let words = reason.chars().filter(|c| !c.is_control());
                let reversal = Reversal {
                    reason: words.take(60).collect(),
                    created_at: tx.now(),
                    ..Reversal::new(dispute.clone(), order, ReversalKind::Dispute, amount)
                };
                if !reversal.amount.is_positive() {
                    return Ok(());
                }
                book(tx, vendor, &reversal)?;
            }
            let is_open = known.is_none_or(|r| r.state == ReversalState::Open);
            match state {
                ReversalState::Open => Ok(()),
                decided if is_open => decide(tx, vendor, dispute, *decided),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn book(tx: &mut Tx<'_>, vendor: &Vendor, reversal: &Reversal) -> Result<()> {
    let code = match reversal.kind {
        ReversalKind::Dispute => "card_dispute",
        ReversalKind::Refund => "card_refund",
    };
    let entry = post(tx, vendor, reversal, code, true)?;
    store::insert_reversal(tx, vendor.book_id, reversal, entry)?;
    tell(tx, vendor, reversal, code)
}

fn decide(tx: &mut Tx<'_>, vendor: &Vendor, name: &str, state: ReversalState) -> Result<()> {
    let Some(reversal) = store::by_name(tx, vendor.book_id, name)? else {
        return Ok(());
    };
    let (back, action) = if state == ReversalState::Won {
        let entry = post(tx, vendor, &reversal, "card_dispute_won", false)?;
        give_again(tx, vendor, &reversal)?;
        (Some(entry), "card_dispute_won")
    } else {
        (None, "card_dispute_lost")
    };
    store::decide(tx, vendor.book_id, name, state, back)?;
    tell(tx, vendor, &reversal, action)
}

/// The money leaves what the processor owes, or comes back to it.
fn post(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    reversal: &Reversal,
    code: &str,
    is_taken: bool,
) -> Result<i64> {
    let charges = books::account(tx, vendor, AccountKind::Charges)?;
    let processor = vendor.accounts.processor;
    let (debit, credit) = if is_taken {
        (charges, processor)
    } else {
        (processor, charges)
    };
    let event_id = tx.new_id()?;
    let now = tx.now();
    let entry = entry_post(
        tx,
        &Posting {
            book_id: vendor.book_id,
            event_id,
            code,
            actor: &Actor::System.to_string(),
            reference: &reversal.order.to_string(),
            effective_at: now,
            legs: &[Leg {
                debit,
                credit,
                amount: reversal.amount,
                grant: None,
            }],
        },
    )?;
    Ok(entry)
}

fn tell(tx: &mut Tx<'_>, vendor: &Vendor, reversal: &Reversal, code: &str) -> Result<()> {
    let order = reversal.order.to_string();
    let amount = reversal.amount.decimal(vendor.currency.scale);
    let detail = json!({ "reversal": reversal.name, "amount": amount });
    let (book, action) = (vendor.book_id, code.replacen('_', ".", 1));
    audit::note(tx, book, Actor::System, &action, &order, &detail)?;
    outbox::add(tx, book, &action, &order, &detail.to_string())?;
    Ok(())
}

/// Money that was taken back, newest first: `limit` of them at most.
pub fn reversals(
    tx: &mut dyn Read,
    book_id: i64,
    limit: usize,
) -> std::result::Result<Vec<Reversal>, CardEventError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(store::recent(tx, book_id, limit)?)
}

/// Money of one order that was taken back, oldest first.
pub fn reversals_of_order(
    tx: &mut dyn Read,
    book_id: i64,
    order: impl Into<Payable>,
) -> std::result::Result<Vec<Reversal>, CardEventError> {
    Ok(store::of_order(tx, book_id, order.into())?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Reversal, ReversalKind};
    use crate::id::TokenOrderId;
    use scrip_ledger::Amount;

    /// A dispute that nobody has decided about.
    pub fn reversal(name: &str, amount: Amount) -> Reversal {
        let order = TokenOrderId(uuid::Uuid::nil());
        Reversal::new(name.to_owned(), order.into(), ReversalKind::Dispute, amount)
    }
}
