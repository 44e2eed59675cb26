//! Orders that a card pays instead of tokens (SHP-17), where the vendor allows it.
//!
//! Like a token order it takes two transactions. The first one checks everything, takes the stock,
//! freezes lines and price, and writes a row under an id that is also the processor's idempotency
//! key. The card is asked outside. The second one completes the order, or refuses it and puts the
//! stock back. A row without an answer stays *awaiting* and is resolved by asking. AT does not
//! change in any of this.
//!
//! The gate holds as for other orders: ordering is for active accounts with T tokens (SHP-04 and
//! SHP-05 make no difference between ways to pay). Only the test of AT against RT falls away.
//!
//! Read on: `open.rs`, `close.rs`, `refund.rs` (money back), `view.rs`.

mod close;
mod open;
mod refund;
mod rules;
mod store;
mod view;

use super::shipment::order_address;
use super::{OrderError, Refusal, Result};
use crate::Node;
use crate::actor::Actor;
use crate::command::{Answer, Keyed};
use crate::id::{CardOrderId, CustomerId, OrderId, PaymentSessionId};
use crate::text::named;
use crate::token_sale::{CardProcessor, Charge, ChargeOutcome, LOOK_UP_AFTER_S};
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp};
use scrip_ledger::Amount;
use serde::{Deserialize, Serialize};

pub use close::card_order_close;
pub(super) use open::counted;
pub use open::{ByCard, Opening, card_order_open};
pub use refund::{
    CardRefunded, RefundBegun, card_refund_given, card_refund_settle, card_refunds_settle,
    order_refund_begin,
};
pub(super) use store::list as card_orders_listed;
pub use view::{
    CardOrderView, CardPaid, card_order_by_id, card_order_price, card_orders_awaiting,
    card_orders_forget, card_paid,
};

named! {
    /// How far an order is that a card is to pay.
    CardOrderState, "the state of the order by card" {
        /// The processor has not answered yet.
        Awaiting = "awaiting",
        /// The card paid.
        Completed = "completed",
        /// The card did not pay.
        Declined = "declined",
    }
}

/// Where an order by card stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The card paid it.
    Completed {
        /// The order.
        order_id: OrderId,
    },
    /// The card was declined; nothing was taken.
    Declined {
        /// The record of it.
        order_id: OrderId,
        /// What the processor said.
        reason: String,
        /// Attempts left in this session; 0 when it is over.
        attempts_left: i64,
    },
    /// The processor has not answered. The goods are set aside until it does.
    Awaiting,
}

/// What became of an order that was to be paid by card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was refused before any card was asked.
    Refused {
        /// The record of it.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
    /// The card was asked.
    Asked {
        /// What the card was asked for.
        id: CardOrderId,
        /// The next attempt names it, so that declines are counted (REG-09, TOK-09).
        payment_session: PaymentSessionId,
        /// What it costs.
        price: Amount,
        /// How it ended, or that it has not.
        outcome: Outcome,
    },
}

/// Up to this age an order without an answer is charged again when its key comes again; see
/// `token_sale/keyed.rs`.
const CHARGE_AGAIN_S: i64 = 20;

/// Places an order that a card pays. The same key again gives the same order and its outcome, and
/// no second charge, wherever the first attempt stopped.
pub fn order_by_card_keyed(
    node: &Node,
    processor: &dyn CardProcessor,
    keyed: Keyed,
    vendor: &Vendor,
    new: ByCard,
) -> Result<Answer<Placed>> {
    let actor = keyed.actor;
    let own = vendor.clone();
    let vault = node.vault.clone();
    let opened: Answer<Opening> = node.run(keyed, move |tx| {
        let mut new = new.clone();
        if let Some(to) = new.to.take() {
            let sealed = order_address(tx, &vault, own.book_id, new.customer, &to)?;
            new.extras.address = Some(sealed);
        }
        card_order_open(tx, actor, &own, &new)
    })?;
    let (id, payment_session) = match opened.value {
        Opening::Refused { order_id, refusal } => {
            return Ok(Answer {
                value: Placed::Refused { order_id, refusal },
                replayed: opened.replayed,
            });
        }
        Opening::Opened {
            id,
            payment_session,
        } => (id, payment_session),
    };
    let order = node.engine.read(|tx| found(tx, vendor.book_id, id))?;
    let charge = charge(vendor, &order);
    let now = node.engine.now();
    let younger_than = |seconds| now < order.created_at.plus_seconds(seconds);
    let said = if order.state != CardOrderState::Awaiting {
        ChargeOutcome::Unknown
    } else if !opened.replayed || younger_than(CHARGE_AGAIN_S) {
        processor.charge(&charge)
    } else if younger_than(LOOK_UP_AFTER_S) {
        ChargeOutcome::Unknown
    } else {
        processor.lookup(&charge)
    };
    let own = vendor.clone();
    let outcome = node
        .engine
        .write(move |tx| card_order_close(tx, &own, id, &said))?;
    Ok(Answer {
        value: Placed::Asked {
            id,
            payment_session,
            price: order.price,
            outcome,
        },
        replayed: opened.replayed,
    })
}

fn found(tx: &mut dyn Read, book: i64, id: CardOrderId) -> Result<store::CardOrder> {
    store::by_id(tx, book, id)?.ok_or(OrderError::CardOrderUnknown(id))
}

fn charge(vendor: &Vendor, order: &store::CardOrder) -> Charge {
    Charge {
        book_id: vendor.book_id,
        order: order.id.into(),
        customer: order.customer,
        amount: order.price,
        currency: vendor.currency.clone(),
        card: order.card.clone(),
        is_absent: false,
    }
}

/// What the processor is asked about an order, and how the order stands.
pub fn card_order_charge(
    tx: &mut dyn Read,
    vendor: &Vendor,
    id: CardOrderId,
) -> Result<(Charge, CardOrderState)> {
    let order = found(tx, vendor.book_id, id)?;
    Ok((charge(vendor, &order), order.state))
}

/// Asks the processor about one order that may await an answer. Nothing may be under way for it:
/// it is old enough, or its customer comes back from the bank.
pub fn card_order_resolve(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    id: CardOrderId,
) -> Result<Outcome> {
    let (charge, state) = node.engine.read(|tx| card_order_charge(tx, vendor, id))?;
    let said = match state {
        CardOrderState::Awaiting => processor.lookup(&charge),
        CardOrderState::Completed | CardOrderState::Declined => ChargeOutcome::Unknown,
    };
    let own = vendor.clone();
    node.engine
        .write(move |tx| card_order_close(tx, &own, id, &said))
}

/// Asks the processor about every order that still awaits an answer; returns how many have one
/// now. `older_than_s` leaves charges alone that may be under way. One that fails does not stop
/// the others; the first failure is returned after them.
pub fn card_orders_resolve(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    older_than_s: i64,
) -> Result<usize> {
    let before = node
        .engine
        .now()
        .plus_seconds(older_than_s.saturating_neg());
    let waiting = node
        .engine
        .read(|tx| store::awaiting_before(tx, vendor.book_id, before))?;
    let mut resolved: usize = 0;
    let mut failed = None;
    for id in waiting {
        match card_order_resolve(node, processor, vendor, id) {
            Ok(Outcome::Awaiting) => {}
            Ok(_) => resolved = resolved.saturating_add(1),
            Err(e) => drop(failed.get_or_insert(e)),
        }
    }
    failed.map_or(Ok(resolved), Err)
}

/// What was agreed, as it is kept until the processor has answered.
#[derive(Debug, Serialize, Deserialize)]
struct Frozen {
    request: super::OrderRequest,
    quote: super::Quote,
    /// Who placed it.
    actor: String,
    /// True when its offers leave the customer's order list once it is paid.
    from_list: bool,
}

/// What is needed to write the order of a row that has its answer.
struct Agreed {
    frozen: Frozen,
    actor: Actor,
    customer: CustomerId,
    at: Timestamp,
}
