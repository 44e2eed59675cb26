//! Orders that a card pays, as people look at them.

use super::{CardOrderState, Result, found, rules, store};
use crate::actor::Actor;
use crate::id::{CardOrderId, CustomerId, OrderId, PaymentSessionId};
use crate::order::OrderError;
use crate::vendor::{Vendor, token_price_at};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use scrip_ledger::Amount;

/// An order that a card is to pay, or has. The card is shown to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardOrderView {
    /// What the card was asked for.
    pub id: CardOrderId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// The payment session that it belongs to.
    pub session: PaymentSessionId,
    /// What it costs.
    pub price: Amount,
    /// The card's last four digits; empty where they are not known.
    pub last_four: String,
    /// How far it is.
    pub state: CardOrderState,
    /// The order, once the processor has answered.
    pub order_id: Option<OrderId>,
    /// What the processor said of a declined card; empty otherwise.
    pub reason: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When the processor's answer was written.
    pub closed_at: Option<Timestamp>,
}

impl From<store::CardOrder> for CardOrderView {
    fn from(order: store::CardOrder) -> Self {
        CardOrderView {
            id: order.id,
            customer_id: order.customer,
            session: order.session,
            price: order.price,
            last_four: order.last_four,
            state: order.state,
            order_id: order.order_id,
            reason: order.reason,
            created_at: order.created_at,
            closed_at: order.closed_at,
        }
    }
}

/// An order by card, for its customer and the vendor's staff. One that does not exist and another
/// customer's get the same answer.
pub fn card_order_by_id(
    tx: &mut dyn Read,
    actor: Actor,
    book_id: i64,
    id: CardOrderId,
) -> Result<CardOrderView> {
    let order = found(tx, book_id, id)?;
    if !actor.may_act_for(order.customer) {
        return Err(OrderError::CardOrderUnknown(id));
    }
    Ok(order.into())
}

/// Orders whose cards have not answered, newest first: of one customer, or of all.
pub fn card_orders_awaiting(
    tx: &mut dyn Read,
    book_id: i64,
    customer: Option<CustomerId>,
    limit: usize,
) -> Result<Vec<CardOrderView>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = store::awaiting(tx, book_id, customer, limit)?;
    Ok(found.into_iter().map(CardOrderView::from).collect())
}

/// What a card pays now for what needs so many tokens.
pub fn card_order_price(tx: &mut dyn Read, vendor: &Vendor, tokens: Amount) -> Result<Amount> {
    let now = tx.now();
    let each = token_price_at(tx, vendor.book_id, now)?;
    let price = rules::price(tokens, each, &vendor.token, &vendor.currency)?;
    Ok(price)
}

/// How a card paid an order, or was declined for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPaid {
    /// What the card was asked for.
    pub id: CardOrderId,
    /// The money.
    pub price: Amount,
    /// The card's last four digits; empty where they are not known.
    pub last_four: String,
    /// What the processor said of a declined card; empty otherwise.
    pub declined: String,
    /// True when money is on its way back, and the processor has not confirmed it.
    pub is_refund_due: bool,
}

/// How a card paid an order; `None` where tokens did, or were to.
pub fn card_paid(tx: &mut dyn Read, book_id: i64, order: OrderId) -> Result<Option<CardPaid>> {
    let Some(paid) = store::of_order(tx, book_id, order)? else {
        return Ok(None);
    };
    let refund = match paid.state {
        CardOrderState::Completed => store::refund(tx, book_id, paid.id)?,
        CardOrderState::Awaiting | CardOrderState::Declined => None,
    };
    Ok(Some(CardPaid {
        id: paid.id,
        price: paid.price,
        last_four: paid.last_four,
        declined: paid.reason,
        is_refund_due: refund.is_some_and(|refund| !refund.is_done),
    }))
}

/// Forgets how cards look that paid a customer's orders: part of erasing a person.
pub fn card_orders_forget(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
) -> std::result::Result<(), EngineError> {
    store::forget(tx, book_id, customer)
}
