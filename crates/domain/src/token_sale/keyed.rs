//! Buying tokens under an idempotency key (TOK-08, TOK-09, ARC-08).
//!
//! What is stored under the key is which order was opened, not how it ended: the order itself
//! says that. So the same key finds the order again wherever an earlier attempt stopped, and goes
//! on from there.

use super::{
    CardProcessor, ChargeOutcome, NewTokenOrder, Outcome, Result, TokenOrderState, TokenSaleError,
    charge, payment_session_open, store, token_order_close, token_order_open,
};
use crate::Node;
use crate::command::{Answer, Keyed};
use crate::customer::customer_by_id;
use crate::id::{CustomerId, PackId, PaymentSessionId, TokenOrderId};
use crate::vendor::Vendor;
use scrip_engine::{Timestamp, Tx};
use scrip_ledger::Amount;
use serde::{Deserialize, Serialize};

/// An order without an answer is looked up when it is so old, in seconds, and not before, here and
/// by whoever resolves orders. A processor gives up on a charge within half of it.
pub const LOOK_UP_AFTER_S: i64 = 60;

/// Up to this age an order without an answer is charged again when its key comes again: the
/// processor knows the order, so that has no second effect, and it is over before anybody looks
/// the order up. A charge and a look-up at once could disagree.
const CHARGE_AGAIN_S: i64 = 20;

/// Tokens to be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPurchase {
    /// For whom.
    pub customer: CustomerId,
    /// The payment session that counts declines; `None` begins one.
    pub payment_session: Option<PaymentSessionId>,
    /// Tokens, in their smallest unit.
    pub quantity: Amount,
    /// The pack that is bought, so often that it makes the quantity; `None` for just tokens.
    pub pack: Option<PackId>,
    /// The money that the buyer was told they cost: another price now is refused.
    pub quoted: Option<Amount>,
    /// The processor's token for a card; never a card number.
    pub card: String,
    /// The name by which people find it; empty takes the order's id.
    pub reference: String,
    /// When it counts; only the vendor may say another time than now.
    pub effective_at: Option<Timestamp>,
}

/// How a purchase of tokens stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bought {
    /// The order.
    pub order: TokenOrderId,
    /// Its payment session: the next attempt names it, so that declines are counted (REG-09).
    pub payment_session: PaymentSessionId,
    /// How it ended, or that it has not.
    pub outcome: Outcome,
}

/// What is stored under the key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Opened {
    order: TokenOrderId,
    payment_session: PaymentSessionId,
}

/// Buys tokens by card. The same key again gives the same order and its outcome, and neither a
/// second charge nor a second credit, wherever the first attempt stopped.
pub fn token_buy_keyed(
    node: &Node,
    processor: &dyn CardProcessor,
    keyed: Keyed,
    vendor: &Vendor,
    new: TokenPurchase,
) -> Result<Answer<Bought>> {
    let actor = keyed.actor;
    let own = vendor.clone();
    let opened: Answer<Opened> = node.run(keyed, move |tx| open(tx, actor, &own, &new))?;
    let Opened {
        order: id,
        payment_session,
    } = opened.value;
    let order = node
        .engine
        .read(|tx| store::by_id(tx, vendor.book_id, id))?
        .ok_or(TokenSaleError::Unknown(id))?;
    let now = node.engine.now();
    let younger_than = |seconds| now < order.created_at.plus_seconds(seconds);
    let said = if order.state != TokenOrderState::Awaiting {
        ChargeOutcome::Unknown
    } else if !opened.replayed || younger_than(CHARGE_AGAIN_S) {
        processor.charge(&charge(vendor, &order))
    } else if younger_than(LOOK_UP_AFTER_S) {
        ChargeOutcome::Unknown
    } else {
        processor.lookup(&charge(vendor, &order))
    };
    let own = vendor.clone();
    let outcome: Outcome = node
        .engine
        .write(move |tx| token_order_close(tx, actor, &own, id, &said))?;
    Ok(Answer {
        value: Bought {
            order: id,
            payment_session,
            outcome,
        },
        replayed: opened.replayed,
    })
}

fn open(
    tx: &mut Tx<'_>,
    actor: crate::Actor,
    vendor: &Vendor,
    new: &TokenPurchase,
) -> Result<Opened> {
    let payment_session = match new.payment_session {
        Some(session) => session,
        None => {
            let customer = customer_by_id(tx, vendor.book_id, new.customer)?;
            payment_session_open(tx, actor, &customer)?
        }
    };
    let order = NewTokenOrder {
        customer: new.customer,
        session: payment_session,
        quantity: new.quantity,
        pack: new.pack,
        card: new.card.clone(),
        reference: new.reference.clone(),
        effective_at: new.effective_at,
    };
    let (id, charge) = token_order_open(tx, actor, vendor, &order)?;
    if new.quoted.is_some_and(|quoted| quoted != charge.amount) {
        return Err(TokenSaleError::PriceChanged);
    }
    Ok(Opened {
        order: id,
        payment_session,
    })
}
