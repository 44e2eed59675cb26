//! Orders of tokens and prices, as people look at them.

use super::price::{Buyer, Deal, deal_for, token_deal};
use super::{Result, TokenOrderState, TokenSaleError, store};
use crate::actor::Actor;
use crate::customer::Customer;
use crate::id::{CustomerId, PackId, PaymentSessionId, TokenOrderId};
use crate::page::Page;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{Amount, entries_by_id, entry_transfers};

/// An order of tokens. The card is not shown to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOrderView {
    /// The order.
    pub id: TokenOrderId,
    /// For whom.
    pub customer_id: CustomerId,
    /// The payment session that it belongs to.
    pub session: PaymentSessionId,
    /// Tokens.
    pub quantity: Amount,
    /// What they cost.
    pub price: Amount,
    /// On which terms.
    pub deal: Deal,
    /// How far it is.
    pub state: TokenOrderState,
    /// What the processor said of a declined card; empty otherwise.
    pub reason: String,
    /// The name by which people find it.
    pub reference: String,
    /// When it counts.
    pub effective_at: Timestamp,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When the processor's answer was written.
    pub closed_at: Option<Timestamp>,
    /// True when it made the account active.
    pub activated: bool,
}

impl From<store::TokenOrder> for TokenOrderView {
    fn from(order: store::TokenOrder) -> Self {
        TokenOrderView {
            id: order.id,
            customer_id: order.customer,
            session: order.session,
            quantity: order.quantity,
            price: order.price,
            deal: order.deal,
            state: order.state,
            reason: order.reason,
            reference: order.reference,
            effective_at: order.effective_at,
            created_at: order.created_at,
            closed_at: order.closed_at,
            activated: order.activated,
        }
    }
}

/// An order of tokens, for its customer and the vendor's staff. One that does not exist and
/// another customer's get the same answer.
pub fn token_order_by_id(
    tx: &mut dyn Read,
    actor: Actor,
    book_id: i64,
    id: TokenOrderId,
) -> Result<TokenOrderView> {
    store::by_id(tx, book_id, id)?
        .filter(|order| actor.may_act_for(order.customer))
        .map(TokenOrderView::from)
        .ok_or(TokenSaleError::Unknown(id))
}

/// The grant of the tokens that an order credited; `None` while it has credited none.
pub fn token_order_grant(tx: &mut dyn Read, book_id: i64, id: TokenOrderId) -> Result<Option<i64>> {
    let Some(entry) = store::entry_of(tx, book_id, id)? else {
        return Ok(None);
    };
    let entry = entries_by_id(tx, book_id, entry)?;
    let transfers = entry_transfers(tx, book_id, &entry)?;
    Ok(transfers.iter().find_map(|transfer| transfer.grant_id))
}

/// A customer's orders of tokens, newest first: `limit` of them, older than `before`.
pub fn token_orders_of(
    tx: &mut dyn Read,
    actor: Actor,
    customer: &Customer,
    before: Option<TokenOrderId>,
    limit: usize,
) -> Result<Page<TokenOrderView, TokenOrderId>> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(TokenSaleError::Forbidden);
    }
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::of_customer(tx, customer, before, further)?;
    let found = found.into_iter().map(TokenOrderView::from).collect();
    Ok(Page::of(found, limit, |order: &TokenOrderView| order.id))
}

/// What a card is charged when this customer buys so many tokens now: the fee where they open the
/// account (REG-08), else the price (TOK-01).
pub fn token_price_quote_for(
    tx: &mut dyn Read,
    vendor: &Vendor,
    customer: &Customer,
    quantity: Amount,
) -> Result<Amount> {
    Ok(token_quote(tx, vendor, customer, quantity, None)?.price)
}

/// What so many tokens cost a customer about whom nothing is known, bought now (TOK-01).
pub fn token_price_quote(tx: &mut dyn Read, vendor: &Vendor, quantity: Amount) -> Result<Amount> {
    let now = tx.now();
    Ok(token_deal(tx, vendor, &Buyer::default(), quantity, None, now)?.price)
}

/// What so many tokens cost a customer now: of a pack, where one is chosen (TOK-01 to TOK-05).
pub fn token_quote(
    tx: &mut dyn Read,
    vendor: &Vendor,
    customer: &Customer,
    quantity: Amount,
    pack: Option<PackId>,
) -> Result<Deal> {
    let now = tx.now();
    Ok(deal_for(tx, vendor, customer, quantity, pack, now)?.0)
}
