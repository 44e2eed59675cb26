//! Which payment of the processor belongs to an order of tokens or of goods.
//!
//! The name of a payment is written before the processor may take money for it, and only one
//! payment of an order ever is. So whoever asks later knows what to ask about; and where no name
//! was written no money can have moved.

use super::{Result, store};
use crate::id::Payable;
use crate::text::{self, named};
use scrip_engine::{Read, Timestamp, Tx};

named! {
    /// How far a payment is.
    PaymentState, "the state of the payment" {
        /// The processor knows it.
        Begun = "begun",
        /// The customer's bank wants to hear from the customer first (3-D Secure).
        Action = "action",
        /// Its outcome is known.
        Ended = "ended",
        /// Money came after the order had been declined; it has to go back.
        ReturnDue = "return_due",
        /// It went back.
        Returned = "returned",
    }
}

/// The processor's payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The order.
    pub order: Payable,
    /// What the processor calls it; empty where no money may ever be taken for the order.
    pub name: String,
    /// How far it is.
    pub state: PaymentState,
    /// When it was noted.
    pub created_at: Timestamp,
}

impl Payment {
    /// True where no money may ever be taken for the order.
    pub fn is_forbidden(&self) -> bool {
        self.name.is_empty()
    }
}

/// Notes the payment of an order before money is taken for it. The first note stays: what is
/// returned is the payment that counts, or that none may be.
pub fn payment_begin(
    tx: &mut Tx<'_>,
    book_id: i64,
    order: impl Into<Payable>,
    name: &str,
) -> Result<Payment> {
    let name = text::line("the processor's name for the payment", name, 200)?;
    Ok(store::payment_first(tx, book_id, order.into(), &name)?)
}

/// Notes that no money may be taken for an order any more, unless a payment was begun: that is
/// returned then.
pub fn payment_forbid(tx: &mut Tx<'_>, book_id: i64, order: impl Into<Payable>) -> Result<Payment> {
    Ok(store::payment_first(tx, book_id, order.into(), "")?)
}

/// The payment of an order, if one was noted.
pub fn payment_of(
    tx: &mut dyn Read,
    book_id: i64,
    order: impl Into<Payable>,
) -> Result<Option<Payment>> {
    Ok(store::payment(tx, book_id, order.into())?)
}

/// The order that a payment belongs to.
pub fn payment_named(tx: &mut dyn Read, book_id: i64, name: &str) -> Result<Option<Payment>> {
    if name.is_empty() {
        return Ok(None);
    }
    Ok(store::payment_named(tx, book_id, name)?)
}

/// Notes how far a payment is. Money that has to go back, or has gone, stays so.
pub fn payment_set_state(
    tx: &mut Tx<'_>,
    book_id: i64,
    order: impl Into<Payable>,
    state: PaymentState,
) -> Result<()> {
    Ok(store::set_payment_state(tx, book_id, order.into(), state)?)
}

/// Payments whose money has to go back.
pub fn payments_to_return(tx: &mut dyn Read, book_id: i64) -> Result<Vec<Payment>> {
    Ok(store::payments_to_return(tx, book_id)?)
}
