//! Cards at the card processor: those that a customer keeps, and which payment of the processor
//! belongs to which token order (TOK-08, MIC-04). No number of a card is ever here.
//!
//! A card that is kept with a purchase is first *wished*: the payment decides whether the
//! processor keeps it. A card that the processor no longer has is *withdrawn*, and stays on the
//! list until its owner takes it off, because payments by themselves may depend on it.

mod payment;
mod rules;
mod store;
#[cfg(test)]
mod tests;

use crate::actor::Actor;
use crate::customer::{Customer, CustomerError, State};
use crate::id::{CardId, CustomerId};
use crate::text::{self, TextError, named};
use scrip_engine::{Error as EngineError, Read, Tx};
use serde::{Deserialize, Serialize};

pub use payment::{
    Payment, PaymentState, payment_begin, payment_forbid, payment_named, payment_of,
    payment_set_state, payments_to_return,
};
pub use rules::{minor_decimals, minor_units, of_minor_units, payable_decimals};

named! {
    /// Whether a kept card can pay.
    CardState, "the state of the card" {
        /// The payment that keeps it has not succeeded yet; it is shown to nobody.
        Wished = "wished",
        /// It can be used.
        Usable = "usable",
        /// The processor has it no longer.
        Withdrawn = "withdrawn",
    }
}

/// How a card is told from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks {
    /// The brand, as people say it: `Visa`.
    pub brand: String,
    /// The last four digits.
    pub last_four: String,
    /// The last year in which it is valid, such as 2030.
    pub expiry_year: i64,
    /// The last month of that year in which it is valid, 1 to 12.
    pub expiry_month: i64,
}

/// A card that a customer keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCard {
    /// Its id.
    pub id: CardId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The processor's token for it.
    pub method: String,
    /// How it is told from others.
    pub looks: Looks,
    /// Whether it can pay.
    pub state: CardState,
}

/// Why a card cannot be kept or used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// No such card of this customer.
    #[error("there is no such card in this account: choose another one")]
    Unknown,
    /// The processor has it no longer.
    #[error("this card was withdrawn: choose another card, or add it again")]
    Withdrawn,
    /// Its time is over.
    #[error("this card has expired: choose another card, or add the new one")]
    Expired,
    /// More than one account may keep.
    #[error("an account keeps at most 10 cards: remove one first")]
    TooMany,
    /// Another account keeps it.
    #[error("this card is kept by another account: enter it again")]
    OfAnother,
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, CardError>;

/// Cards that one account keeps at most.
const CARDS_AT_MOST: usize = 10;

fn own(actor: Actor, customer: &Customer) -> Result<()> {
    if actor.may_act_for(customer.customer_id) {
        Ok(())
    } else {
        Err(CardError::Forbidden)
    }
}

/// The processor's name for a customer, if it was told of the customer.
pub fn holder_of(tx: &mut dyn Read, book_id: i64, customer: CustomerId) -> Result<Option<String>> {
    Ok(store::holder(tx, book_id, customer)?)
}

/// Notes the processor's name for a customer; the first one stays and is returned.
pub fn holder_set(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
    holder: &str,
) -> Result<String> {
    let holder = text::line("the processor's name for the customer", holder, 200)?;
    Ok(store::set_holder(tx, book_id, customer, &holder)?)
}

/// Notes that the card of the next payment is to be kept, if that payment succeeds.
pub fn card_wish(tx: &mut Tx<'_>, actor: Actor, customer: &Customer, method: &str) -> Result<()> {
    insert(
        tx,
        actor,
        customer,
        method,
        &Looks::default(),
        CardState::Wished,
    )
    .map(drop)
}

/// Keeps a card. Keeping it again renews how it looks.
pub fn card_keep(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    method: &str,
    looks: &Looks,
) -> Result<CardId> {
    insert(tx, actor, customer, method, looks, CardState::Usable)
}

fn insert(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    method: &str,
    looks: &Looks,
    state: CardState,
) -> Result<CardId> {
    own(actor, customer)?;
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    let method = text::line("the card", method, 200)?;
    let looks = Looks {
        brand: text::optional_line("the brand", &looks.brand, 40)?,
        last_four: text::optional_line("the last four digits", &looks.last_four, 4)?,
        ..*looks
    };
    store::lock_cards(tx, customer.book_id, customer.customer_id)?;
    let cards = store::of_customer(tx, customer.book_id, customer.customer_id)?;
    let known = cards.iter().find(|card| card.method == method);
    if let Some(known) = known {
        if state == CardState::Usable {
            store::set_looks(tx, customer.book_id, known.id, &looks)?;
            store::set_state(tx, customer.book_id, known.id, state)?;
        }
        return Ok(known.id);
    }
    let kept = cards.iter().filter(|c| c.state != CardState::Wished);
    if kept.count() >= CARDS_AT_MOST {
        return Err(CardError::TooMany);
    }
    // Wishes that no payment fulfilled make room for the new one.
    for stale in cards.iter().filter(|c| c.state == CardState::Wished) {
        store::delete(tx, customer.book_id, stale.id)?;
    }
    let card = SavedCard {
        id: CardId(tx.new_id()?),
        customer: customer.customer_id,
        method,
        looks,
        state,
    };
    store::insert(tx, customer.book_id, &card)?;
    Ok(card.id)
}

/// The cards that a customer keeps, oldest first; withdrawn ones too.
pub fn cards_of(tx: &mut dyn Read, actor: Actor, customer: &Customer) -> Result<Vec<SavedCard>> {
    own(actor, customer)?;
    let mut cards = store::of_customer(tx, customer.book_id, customer.customer_id)?;
    cards.retain(|card| card.state != CardState::Wished);
    Ok(cards)
}

/// A kept card that can pay now; otherwise the error says what to do.
pub fn card_to_pay_with(
    tx: &mut dyn Read,
    actor: Actor,
    customer: &Customer,
    id: CardId,
) -> Result<SavedCard> {
    own(actor, customer)?;
    let card = store::by_id(tx, customer.book_id, id)?
        .filter(|card| card.customer == customer.customer_id)
        .ok_or(CardError::Unknown)?;
    match card.state {
        CardState::Wished => Err(CardError::Unknown),
        CardState::Withdrawn => Err(CardError::Withdrawn),
        CardState::Usable if rules::has_expired(&card.looks, tx.now()) => Err(CardError::Expired),
        CardState::Usable => Ok(card),
    }
}

/// A customer's card by the processor's token, as the processor needs it for a charge. A card that
/// only another customer keeps is refused.
pub fn card_by_method(
    tx: &mut dyn Read,
    book_id: i64,
    customer: CustomerId,
    method: &str,
) -> Result<Option<SavedCard>> {
    let cards = store::by_method(tx, book_id, method)?;
    let others = cards.iter().any(|card| card.state == CardState::Usable);
    match cards.into_iter().find(|card| card.customer == customer) {
        None if others => Err(CardError::OfAnother),
        own => Ok(own),
    }
}

/// Takes a card off a customer's list; what is returned is the processor's token for it.
pub fn card_remove(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    id: CardId,
) -> Result<String> {
    own(actor, customer)?;
    let card = store::by_id(tx, customer.book_id, id)?
        .filter(|card| card.customer == customer.customer_id && card.state != CardState::Wished)
        .ok_or(CardError::Unknown)?;
    store::delete(tx, customer.book_id, id)?;
    crate::audit::note(
        tx,
        customer.book_id,
        actor,
        "card.removed",
        &customer.customer_id.to_string(),
        &serde_json::json!({ "card": id.to_string() }),
    )?;
    Ok(card.method)
}

/// Forgets all of a customer's cards, and what the processor calls the customer: part of erasing a
/// person.
pub fn cards_forget(tx: &mut Tx<'_>, book_id: i64, customer: CustomerId) -> Result<()> {
    Ok(store::forget(tx, book_id, customer)?)
}

/// The processor has a card no longer: whoever keeps it is told so from now on.
pub fn method_withdrawn(tx: &mut Tx<'_>, book_id: i64, method: &str) -> Result<usize> {
    let cards = store::by_method(tx, book_id, method)?;
    for card in &cards {
        store::set_state(tx, book_id, card.id, CardState::Withdrawn)?;
    }
    Ok(cards.len())
}

/// The processor renewed a card: it looks different now.
pub fn method_renewed(tx: &mut Tx<'_>, book_id: i64, method: &str, looks: &Looks) -> Result<usize> {
    let cards = store::by_method(tx, book_id, method)?;
    for card in &cards {
        store::set_looks(tx, book_id, card.id, looks)?;
    }
    Ok(cards.len())
}
