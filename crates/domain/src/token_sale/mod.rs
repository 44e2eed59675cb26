//! Selling tokens for money (TOK-01, TOK-08, TOK-09, TOK-12; REG-07, REG-09).
//!
//! A token order is written before the card is asked, under an id that is also the processor's
//! idempotency key. What the processor answers is written by a second transaction. An order
//! without an answer stays *awaiting*, and is resolved later by asking: it is never guessed, and
//! never charged twice.

mod keyed;
pub mod offline;
pub mod price;
mod processor;
mod rules;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod view;

use crate::Node;
use crate::actor::Actor;
use crate::books;
use crate::command::CommandError;
use crate::customer::{
    Customer, CustomerError, State, activate_if_due, customer_by_id, opening_begun, opening_given,
};
use crate::id::{CustomerId, PackId, PaymentSessionId, TokenOrderId};
use crate::text::{self, TextError};
use crate::vendor::{TOKENS_AT_MOST, Vendor, VendorError, issue_give_back, issue_take};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx, outbox};
use scrip_ledger::{
    Amount, Error as LedgerError, Leg, NewGrant, Origin, Posting, entry_post, grant_open,
    lots_locked,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use keyed::{Bought, LOOK_UP_AFTER_S, TokenPurchase, token_buy_keyed};
pub use price::{Deal, Discount, DiscountKind, token_deal};
pub use processor::{CardEntry, CardProcessor, Charge, ChargeOutcome, ProcessorError, TestCards};
pub use session::payment_session_open;
pub(crate) use session::{attempt_begin, attempt_declined, attempt_paid, attempts_left};
pub use store::OrderState as TokenOrderState;
pub use view::{
    TokenOrderView, token_order_by_id, token_order_grant, token_orders_of, token_price_quote,
    token_price_quote_for, token_quote,
};

/// A token order to be opened.
#[derive(Clone, Debug)]
pub struct NewTokenOrder {
    /// For whom.
    pub customer: CustomerId,
    /// The payment session that counts declines.
    pub session: PaymentSessionId,
    /// Tokens, in their smallest unit.
    pub quantity: Amount,
    /// The pack that is bought, so often that it makes the quantity; `None` for just tokens.
    pub pack: Option<PackId>,
    /// The processor's token for a card; never a card number.
    pub card: String,
    /// The name by which people find it; empty takes the order's id.
    pub reference: String,
    /// When it counts; only the vendor may say another time than now.
    pub effective_at: Option<Timestamp>,
}

/// Where a token order stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    /// Paid; the tokens are in the account.
    Cleared {
        /// Tokens credited.
        quantity: Amount,
        /// Money paid.
        price: Amount,
        /// True when this activated the account.
        activated: bool,
    },
    /// The card was declined; nothing was credited.
    Declined {
        /// What the processor said.
        reason: String,
        /// Attempts left in this session; 0 when it is over.
        attempts_left: i64,
    },
    /// The processor has not answered. Nothing is credited until it does.
    Awaiting,
}

/// Why no token order was opened or closed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenSaleError {
    /// The quantity is no positive number.
    #[error("buy at least some tokens: the quantity must be above zero")]
    QuantityNotPositive,
    /// More than one purchase may be.
    #[error("one purchase is at most 1000000000 tokens: split it")]
    QuantityTooLarge,
    /// The session ended after too many declines (REG-09, TOK-09).
    #[error("this payment session is over after too many declined cards: begin a new one")]
    SessionOver,
    /// An earlier attempt of the session has no answer yet.
    #[error(
        "another payment of this session is under way: wait for its answer, two minutes at most"
    )]
    UnderWay,
    /// No such session of this customer.
    #[error("there is no such payment session: begin a new one")]
    SessionUnknown,
    /// The pack does not exist, or is not sold now or not here.
    #[error("this pack is not sold: choose another one, or a number of tokens")]
    PackNotSold,
    /// The quantity is no whole number of packs.
    #[error("this pack is sold whole: choose how many of it")]
    PackNotWhole,
    /// Somebody else changed it.
    #[error("somebody changed this meanwhile: look at what holds now and change it again")]
    PackChanged,
    /// A price that cannot be.
    #[error("{0}")]
    Price(&'static str),
    /// The price is not the one that the buyer was told.
    #[error("the price of these tokens has changed: look at the new one and buy again")]
    PriceChanged,
    /// No such order.
    #[error("there is no token order {0}")]
    Unknown(TokenOrderId),
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// Only the vendor back-dates, and nobody dates ahead.
    #[error("the time of a purchase is now; staff may enter an earlier one, nobody a later one")]
    EffectiveTime,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

use price::deal_for;

type Result<T> = std::result::Result<T, TokenSaleError>;

/// Writes a token order and says what to charge. Nothing is credited yet.
pub fn token_order_open(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    new: &NewTokenOrder,
) -> Result<(TokenOrderId, Charge)> {
    let customer = customer_by_id(tx, vendor.book_id, new.customer)?;
    if !actor.may_act_for(customer.customer_id) {
        return Err(TokenSaleError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    let card = text::line("the card", &new.card, 200)?;
    let reference = text::optional_line("the reference", &new.reference, 200)?;
    if !new.quantity.is_positive() {
        return Err(TokenSaleError::QuantityNotPositive);
    }
    if new.quantity > TOKENS_AT_MOST {
        return Err(TokenSaleError::QuantityTooLarge);
    }
    // Before the card is charged: what does not fit the account cannot be credited.
    let lots = lots_locked(tx, customer.book_id, customer.wallet)?;
    // It may have been closed until the wallet was locked.
    let customer = customer_by_id(tx, vendor.book_id, new.customer)?;
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    Amount::sum(lots.iter().map(|l| l.remaining))?.plus(new.quantity)?;
    attempt_begin(tx, &customer, new.session)?;
    let now = tx.now();
    let effective_at = new.effective_at.unwrap_or(now);
    let early = effective_at < Timestamp(0) || !actor.for_vendor();
    if effective_at > now || (effective_at != now && early) {
        return Err(TokenSaleError::EffectiveTime);
    }
    // Before the card is charged, too.
    issue_take(tx, vendor.book_id, new.quantity)?;
    let (deal, opens) = deal_for(tx, vendor, &customer, new.quantity, new.pack, effective_at)?;
    let id = TokenOrderId(tx.new_id()?);
    if opens {
        opening_begun(tx, &customer, id)?;
    }
    let order = store::TokenOrder {
        id,
        customer: customer.customer_id,
        session: new.session,
        quantity: new.quantity,
        price: deal.price,
        deal,
        card,
        reference: if reference.is_empty() {
            id.to_string()
        } else {
            reference
        },
        effective_at,
        state: store::OrderState::Awaiting,
        reason: String::new(),
        created_at: now,
        closed_at: None,
        activated: false,
        attempts_left: None,
    };
    store::insert(tx, vendor.book_id, &order)?;
    Ok((id, charge(vendor, &order)))
}

fn charge(vendor: &Vendor, order: &store::TokenOrder) -> Charge {
    Charge {
        book_id: vendor.book_id,
        order: order.id.into(),
        customer: order.customer,
        is_absent: false,
        amount: order.price,
        currency: vendor.currency.clone(),
        card: order.card.clone(),
    }
}

/// Writes what the processor said. Saying it again changes nothing.
pub fn token_order_close(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: TokenOrderId,
    said: &ChargeOutcome,
) -> Result<Outcome> {
    let order = store::by_id_locked(tx, vendor.book_id, id)?.ok_or(TokenSaleError::Unknown(id))?;
    let customer = customer_by_id(tx, vendor.book_id, order.customer)?;
    match (&order.state, said) {
        (store::OrderState::Cleared, _) => Ok(Outcome::Cleared {
            quantity: order.quantity,
            price: order.price,
            activated: order.activated,
        }),
        (store::OrderState::Declined, _) => {
            let attempts_left = match order.attempts_left {
                Some(left) => left,
                None => attempts_left(tx, vendor, &customer, order.session)?,
            };
            Ok(Outcome::Declined {
                reason: order.reason,
                attempts_left,
            })
        }
        (store::OrderState::Awaiting, ChargeOutcome::Unknown) => Ok(Outcome::Awaiting),
        (store::OrderState::Awaiting, ChargeOutcome::Declined { reason }) => {
            decline(tx, vendor, &customer, &order, reason)
        }
        (store::OrderState::Awaiting, ChargeOutcome::Approved { reference }) => {
            clear(tx, actor, vendor, &customer, &order, reference)
        }
    }
}

fn decline(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    customer: &Customer,
    order: &store::TokenOrder,
    reason: &str,
) -> Result<Outcome> {
    let attempts_left = attempt_declined(tx, vendor, customer, order.session)?;
    issue_give_back(tx, vendor.book_id, order.quantity)?;
    store::set_declined(tx, vendor.book_id, order.id, reason, attempts_left)?;
    Ok(Outcome::Declined {
        reason: reason.to_owned(),
        attempts_left,
    })
}

/// What a payment for a closed account is told as.
pub const PAY_BACK: &str = "the account was closed before the card paid: nothing is credited, the money is to be paid back";

/// A card paid late for an account that is closed: nothing is credited. That the money is to be
/// paid back is noted for staff.
fn to_pay_back(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    order: &store::TokenOrder,
    processor_reference: &str,
) -> Result<Outcome> {
    issue_give_back(tx, vendor.book_id, order.quantity)?;
    store::set_declined(tx, vendor.book_id, order.id, PAY_BACK, 0)?;
    let entry = books::payback_came(tx, vendor, order.id, order.price)?;
    store::insert_payback(tx, vendor.book_id, order, processor_reference, entry)?;
    let subject = order.id.to_string();
    outbox::add(tx, vendor.book_id, "token_order.pay_back", &subject, "{}")?;
    Ok(Outcome::Declined {
        reason: PAY_BACK.to_owned(),
        attempts_left: 0,
    })
}

/// Clears a paid order: its tokens are credited, and the account is activated when it is due.
fn clear(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    order: &store::TokenOrder,
    processor_reference: &str,
) -> Result<Outcome> {
    if customer.state == State::Closed {
        return to_pay_back(tx, vendor, order, processor_reference);
    }
    let entry = credit(tx, actor, vendor, customer, order)?;
    let opened = opening_given(tx, customer, order.id)?;
    let activated = opened || activate_if_due(tx, vendor, customer)?;
    store::set_cleared(
        tx,
        vendor.book_id,
        order.id,
        processor_reference,
        entry,
        activated,
    )?;
    attempt_paid(tx, customer, order.session)?;
    outbox::add(
        tx,
        vendor.book_id,
        "token_order.cleared",
        &order.id.to_string(),
        &json!({
            "customer_id": customer.customer_id,
            "tokens": order.quantity.decimal(scrip_ledger::TOKEN_SCALE),
            "price": order.price.decimal(vendor.currency.scale),
            "currency": vendor.currency.code,
        })
        .to_string(),
    )?;
    Ok(Outcome::Cleared {
        quantity: order.quantity,
        price: order.price,
        activated,
    })
}

/// Tokens of orders whose card has not answered.
pub(crate) fn tokens_awaited(
    tx: &mut dyn Read,
    book_id: i64,
) -> std::result::Result<Amount, LedgerError> {
    let awaiting = store::awaiting(tx, book_id, Timestamp::NEVER)?;
    Amount::sum(awaiting.iter().map(|order| order.quantity))
}

/// Opens the grant of a paid order and posts its entry, whose number it returns.
fn credit(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    order: &store::TokenOrder,
) -> Result<i64> {
    let grant = grant_open(
        tx,
        vendor.book_id,
        &NewGrant {
            asset_id: vendor.token.asset_id,
            origin: Origin::Paid,
            restriction: order.deal.restriction.as_deref(),
            expires_at: order.deal.expires_at(order.effective_at),
            quantity: order.quantity,
            paid: order.price,
            paid_asset_id: Some(vendor.currency.asset_id),
            granted_at: order.effective_at,
        },
    )?;
    let accounts = vendor.accounts;
    Ok(entry_post(
        tx,
        &Posting {
            book_id: vendor.book_id,
            event_id: order.id.0,
            code: "token_sale",
            actor: &actor.to_string(),
            reference: &order.reference,
            effective_at: order.effective_at,
            legs: &[
                Leg {
                    debit: accounts.issued,
                    credit: customer.wallet,
                    amount: order.quantity,
                    grant: Some(grant),
                },
                Leg {
                    debit: accounts.processor,
                    credit: accounts.deferred,
                    amount: order.price,
                    grant: None,
                },
            ],
        },
    )?)
}

/// Buys tokens by card: writes the order, asks the processor, writes the answer.
pub fn token_buy(
    node: &Node,
    processor: &dyn CardProcessor,
    actor: Actor,
    vendor: &Vendor,
    new: NewTokenOrder,
) -> Result<Outcome> {
    let opened = vendor.clone();
    let (id, charge) = node
        .engine
        .write(move |tx| token_order_open(tx, actor, &opened, &new))?;
    let said = processor.charge(&charge);
    let vendor = vendor.clone();
    node.engine
        .write(move |tx| token_order_close(tx, actor, &vendor, id, &said))
}

/// What the processor is asked about an order, and how the order stands.
pub fn token_order_charge(
    tx: &mut dyn Read,
    vendor: &Vendor,
    id: TokenOrderId,
) -> Result<(Charge, TokenOrderState)> {
    let order = store::by_id(tx, vendor.book_id, id)?.ok_or(TokenSaleError::Unknown(id))?;
    Ok((charge(vendor, &order), order.state))
}

/// Asks the processor about one order that may await an answer. Nothing may be under way for it:
/// it is old enough, or its customer comes back from the bank.
pub fn token_order_resolve(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    id: TokenOrderId,
) -> Result<Outcome> {
    let own = vendor.clone();
    let (charge, state) = node
        .engine
        .read(move |tx| token_order_charge(tx, &own, id))?;
    let said = match state {
        TokenOrderState::Awaiting => processor.lookup(&charge),
        TokenOrderState::Cleared | TokenOrderState::Declined => ChargeOutcome::Unknown,
    };
    let own = vendor.clone();
    node.engine
        .write(move |tx| token_order_close(tx, Actor::System, &own, id, &said))
}

/// Asks the processor about every order that still awaits an answer; returns how many have one
/// now. `older_than_s` leaves charges alone that may be under way. One that fails does not stop
/// the others; the first failure is returned after them.
pub fn token_orders_resolve(
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
        .read(|tx| store::awaiting(tx, vendor.book_id, before))?;
    let mut resolved: usize = 0;
    let mut failed = None;
    for order in waiting {
        let said = processor.lookup(&charge(vendor, &order));
        let vendor = vendor.clone();
        let outcome = node
            .engine
            .write(move |tx| token_order_close(tx, Actor::System, &vendor, order.id, &said));
        match outcome {
            Ok(Outcome::Awaiting) => {}
            Ok(_) => resolved = resolved.saturating_add(1),
            Err(e) => drop(failed.get_or_insert(e)),
        }
    }
    failed.map_or(Ok(resolved), Err)
}
