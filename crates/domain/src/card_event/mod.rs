//! What the card processor tells by itself: payments that ended, refunds, disputes, cards that are
//! gone (TOK-08, TOK-09).
//!
//! Each event is kept once, under the processor's id for it, before anything is done about it. An
//! event says where to look: how a payment stands is asked then, so that events may come late,
//! twice, in any order or never. One whose order is not known yet waits for a week.
//!
//! Money that comes after an order was declined goes back: its customer was told that nothing was
//! charged, and may have paid another way. Money that the processor takes back from an order that
//! was paid is booked by an entry of its own; tokens stay in the account until staff decide
//! (`decision.rs`), and goods with the customer. Money for an account that was closed meanwhile is
//! staff's too (`payback`).

mod decision;
mod paid;
mod reversal;
mod store;

use crate::actor::Actor;
use crate::card::{
    CardError, Looks, PaymentState, method_renewed, method_withdrawn, payment_named, payment_of,
    payment_set_state, payments_to_return,
};
use crate::command::CommandError;
use crate::customer::CustomerError;
use crate::id::Payable;
use crate::order::OrderError;
use crate::payback::payback_of;
use crate::text::TextError;
use crate::token_sale::{CardProcessor, ChargeOutcome, TokenSaleError};
use crate::top_up::{TopUpError, method_gone};
use crate::vendor::Vendor;
use crate::{Node, audit};
use paid::{Standing, resolve, standing};
use scrip_engine::{Error as EngineError, Timestamp, Tx};
use scrip_ledger::Error as LedgerError;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use decision::{Decision, NewDecision, reversal_decide, reversal_tokens};
pub use reversal::{
    Reversal, ReversalKind, ReversalState, asks_for_decision, reversals, reversals_of_order,
};

/// What an event tells, without anything personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Told {
    /// A payment ended.
    Payment {
        /// The processor's name for it.
        payment: String,
        /// The order that it was made for, as the processor was told.
        order: Option<Payable>,
        /// True when money came.
        paid: bool,
    },
    /// Money of a payment was given back at the processor.
    Refund {
        /// The payment.
        payment: String,
        /// The processor's name for what was refunded.
        charge: String,
        /// All that was given back of it so far, in the processor's unit of the currency.
        minor: i64,
    },
    /// The owner of a card disputes a payment.
    Dispute {
        /// The payment.
        payment: String,
        /// The processor's name for the dispute.
        dispute: String,
        /// How much, in the processor's unit of the currency.
        minor: i64,
        /// Why, as the processor calls it.
        reason: String,
        /// How it stands.
        state: ReversalState,
    },
    /// The processor has a card no longer.
    CardGone {
        /// The processor's token for it.
        method: String,
    },
    /// A card was renewed.
    CardRenewed {
        /// The processor's token for it.
        method: String,
        /// How it looks now.
        looks: Looks,
    },
}

/// Why an event was not handled, which is tried again; or why a decision was not taken.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardEventError {
    /// No such reversal.
    #[error("no money was taken back under the name {0:?}")]
    Unknown(String),
    /// It was decided before.
    #[error("this was decided before: look at what stands there")]
    DecidedBefore,
    /// The dispute was won.
    #[error("the money came back: there are no tokens to take back, note that you leave them")]
    CameBack,
    /// Nothing is left of the order's tokens.
    #[error("none of these tokens are left in the account: note that you leave them")]
    NothingLeft,
    /// Only for the vendor.
    #[error("only the vendor's staff may decide about a dispute")]
    Forbidden,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From a card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// From the token sale.
    #[error(transparent)]
    TokenSale(#[from] TokenSaleError),
    /// From the order of goods.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// From payments by themselves.
    #[error(transparent)]
    TopUp(#[from] TopUpError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, CardEventError>;

/// How long an event waits for its order, in seconds.
const WAIT_S: i64 = 7 * 24 * 3600;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handled {
    Done,
    /// It is looked at again.
    Waits,
}

/// Keeps an event; true when it is new.
pub fn event_note(tx: &mut Tx<'_>, book_id: i64, event: &str, told: &Told) -> Result<bool> {
    Ok(store::insert(tx, book_id, event, told)?)
}

/// Handles the events of a vendor that wait, oldest first, and gives money back that has to go
/// back; returns how many are done. One that fails does not stop the others; the first failure is
/// returned after them.
pub fn events_handle(node: &Node, processor: &dyn CardProcessor, vendor: &Vendor) -> Result<usize> {
    let book = vendor.book_id;
    let waiting = node.engine.read(|tx| store::waiting(tx, book))?;
    let mut done: usize = 0;
    let mut failed = None;
    for event in waiting {
        let state = match handle(node, processor, vendor, &event.told) {
            Ok(Handled::Done) => "done",
            Ok(Handled::Waits) if is_over(event.received_at, node.engine.now()) => "foreign",
            Ok(Handled::Waits) => continue,
            Err(e) => {
                failed = failed.or(Some(e));
                continue;
            }
        };
        let name = event.name;
        node.engine
            .write(move |tx| store::set_state(tx, book, &name, state))?;
        done = done.saturating_add(1);
    }
    if let Err(e) = returns_settle(node, processor, vendor) {
        failed = failed.or(Some(e));
    }
    failed.map_or(Ok(done), Err)
}

fn is_over(received_at: Timestamp, now: Timestamp) -> bool {
    received_at.plus_seconds(WAIT_S) < now
}

fn handle(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    told: &Told,
) -> Result<Handled> {
    let book = vendor.book_id;
    match told {
        Told::Payment {
            payment,
            order,
            paid,
        } => {
            let Some(order) = order_of(node, book, payment, *order)? else {
                return Ok(Handled::Waits);
            };
            payment_ended(node, processor, vendor, order, *paid)
        }
        Told::Refund { payment, .. } | Told::Dispute { payment, .. } => {
            let Some(order) = order_of(node, book, payment, None)? else {
                return Ok(Handled::Waits);
            };
            match standing(node, vendor, order)?.1 {
                Standing::Paid => {}
                Standing::Declined => return Ok(Handled::Done),
                // Money that is taken back was there: the order is asked about first.
                Standing::Awaiting => {
                    resolve(node, processor, vendor, order)?;
                    return Ok(Handled::Waits);
                }
            }
            let (vendor, told) = (vendor.clone(), told.clone());
            node.engine
                .write(move |tx| reversal::take_back(tx, &vendor, order, &told))?;
            Ok(Handled::Done)
        }
        Told::CardGone { method } => {
            let method = method.clone();
            node.engine.write(move |tx| {
                method_withdrawn(tx, book, &method)?;
                method_gone(tx, book, &method)?;
                Ok::<_, CardEventError>(())
            })?;
            Ok(Handled::Done)
        }
        Told::CardRenewed { method, looks } => {
            let (method, looks) = (method.clone(), looks.clone());
            node.engine
                .write(move |tx| method_renewed(tx, book, &method, &looks))?;
            Ok(Handled::Done)
        }
    }
}

/// The order of a payment: the one whose payment it is, which the processor's word must not
/// contradict.
fn order_of(
    node: &Node,
    book: i64,
    payment: &str,
    told: Option<Payable>,
) -> Result<Option<Payable>> {
    let payment = payment.to_owned();
    let found = node
        .engine
        .read(move |tx| payment_named(tx, book, &payment))?;
    Ok(found
        .map(|payment| payment.order)
        .filter(|order| told.is_none_or(|told| told == *order)))
}

fn payment_ended(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    order: Payable,
    paid: bool,
) -> Result<Handled> {
    if standing(node, vendor, order)?.1 == Standing::Awaiting {
        resolve(node, processor, vendor, order)?;
    }
    let (charge, now) = standing(node, vendor, order)?;
    match now {
        Standing::Declined if paid => {}
        Standing::Awaiting => return Ok(Handled::Waits),
        _ => return Ok(Handled::Done),
    }
    let book = vendor.book_id;
    // Where the account was closed it is known that money came: staff pay it back.
    if let Payable::Tokens(id) = order
        && node.engine.read(|tx| payback_of(tx, book, id))?.is_some()
    {
        return Ok(Handled::Done);
    }
    // A decline was told, and money is said to have come: only the processor knows.
    match processor.lookup(&charge) {
        ChargeOutcome::Unknown => Ok(Handled::Waits),
        ChargeOutcome::Declined { .. } => Ok(Handled::Done),
        ChargeOutcome::Approved { .. } => {
            node.engine
                .write(move |tx| payment_set_state(tx, book, order, PaymentState::ReturnDue))?;
            Ok(Handled::Done)
        }
    }
}

/// Gives the money back that came for orders which had been declined.
fn returns_settle(node: &Node, processor: &dyn CardProcessor, vendor: &Vendor) -> Result<()> {
    let book = vendor.book_id;
    let due = node.engine.read(|tx| payments_to_return(tx, book))?;
    for payment in due {
        let order = payment.order;
        let (charge, _) = standing(node, vendor, order)?;
        if processor.give_back(&charge, &payment.name).is_err() {
            continue;
        }
        node.engine.write(move |tx| {
            let still = payment_of(tx, book, order)?;
            if still.is_none_or(|p| p.state != PaymentState::ReturnDue) {
                return Ok::<_, CardEventError>(());
            }
            payment_set_state(tx, book, order, PaymentState::Returned)?;
            let detail = json!({ "why": "the money came after the order had been declined" });
            let subject = order.to_string();
            audit::note(
                tx,
                book,
                Actor::System,
                "card.money_returned",
                &subject,
                &detail,
            )?;
            Ok(())
        })?;
    }
    Ok(())
}
