//! Orders as they were placed: one of them, a customer's, a vendor's (SHP-19).

mod store;

use super::by_card::{CardPaid, card_orders_listed, card_paid};
use super::request::RefundAsked;
use super::taxing::{OrderTax, taxes_of};
use super::{OrderError, Result, Supply, request};
use crate::actor::Actor;
use crate::catalog::OfferKind;
use crate::customer::{Customer, customer_by_id};
use crate::id::{CustomerId, OfferId, OrderId, ids_between};
use crate::page::Page;
use crate::promotion::{Line as OffLine, lines_of};
use crate::tax::LineTax;
use scrip_engine::{Read, ReadTx, Timestamp};
use scrip_ledger::{Amount, account_history, entries_by_id, entry_transfers};
use serde::{Deserialize, Serialize};

pub use store::order_with_reference;

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// It was paid.
    Completed,
    /// It was not; nothing was debited.
    Refused,
}

/// An order on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSummary {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// How it ended.
    pub state: OrderState,
    /// Why it was refused: the short name of a [`super::Refusal`].
    pub reason: Option<String>,
    /// Tokens that it needed.
    pub total: Amount,
    /// How many lines it has.
    pub lines: i64,
    /// Who placed it.
    pub actor: String,
    /// The vendor's other name for it; empty for none.
    pub reference: String,
    /// When it counts.
    pub effective_at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// How a card paid it; `None` where tokens did (SHP-17).
    pub card: Option<CardPaid>,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderDetailLine {
    /// Its place, from 1.
    pub line_no: i64,
    /// The offer.
    pub offer_id: OfferId,
    /// Stock-keeping unit, as it was then.
    pub sku: String,
    /// Name, as it was then.
    pub title: String,
    /// What the customer gets.
    pub kind: OfferKind,
    /// How many were asked for.
    pub quantity: i64,
    /// How many were granted: the upper bound of a tier.
    pub granted: i64,
    /// Tokens for one, or for the tier.
    pub unit_price: Amount,
    /// Tokens for the line.
    pub amount: Amount,
    /// How a program was to be handed over, where the buyer was asked (SHP-12).
    pub supply: Option<Supply>,
    /// Pieces given back.
    pub refunded_quantity: i64,
    /// Tokens given back for them.
    pub refunded: Amount,
    /// The tax in them.
    pub refunded_tax: Amount,
    /// What promotions took off: the list price is the price and these (ADV-06).
    pub off: Vec<OffLine>,
    /// The tax in the amount, where the vendor had a rate.
    pub tax: Option<LineTax>,
}

/// An order with all that became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderDetail {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// How it ended.
    pub state: OrderState,
    /// Why it was refused: the short name of a [`super::Refusal`].
    pub reason: Option<String>,
    /// What was bought, or was to be.
    pub lines: Vec<OrderDetailLine>,
    /// Tokens that it needed.
    pub total: Amount,
    /// Tokens given back since.
    pub refunded: Amount,
    /// The vendor's other name for it; empty for none.
    pub reference: String,
    /// Who placed it.
    pub actor: String,
    /// When it counts.
    pub effective_at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// The wallet's balance after it was paid, with tokens that had expired but were still there;
    /// `None` where nothing was paid.
    pub remaining_after: Option<Amount>,
    /// What the customer asked about it.
    pub request: Option<RefundAsked>,
    /// How a card paid it; `None` where tokens did (SHP-17).
    pub card: Option<CardPaid>,
    /// The taxes in it, one for each rate; none where the vendor had no rate.
    pub taxes: Vec<OrderTax>,
}

/// An order with its lines and refunds, for its customer and the vendor's staff. One that does
/// not exist and another customer's get the same answer.
pub fn order_by_id(
    tx: &mut dyn Read,
    actor: Actor,
    book_id: i64,
    order_id: OrderId,
) -> Result<OrderDetail> {
    let unknown = || OrderError::Unknown(order_id);
    let (order, entry_id) = store::by_id(tx, book_id, order_id)?.ok_or_else(unknown)?;
    if !actor.may_act_for(order.customer_id) {
        return Err(unknown());
    }
    let mut lines = store::lines(tx, book_id, order_id)?;
    let mut refunded = Amount::ZERO;
    for back in store::refunded_lines(tx, book_id, order_id)? {
        refunded = refunded.plus(back.amount)?;
        if let Some(line) = lines.iter_mut().find(|l| l.line_no == back.line_no) {
            line.refunded_quantity = line.refunded_quantity.saturating_add(back.pieces);
            line.refunded = line.refunded.plus(back.amount)?;
            line.refunded_tax = line.refunded_tax.plus(back.tax)?;
        }
    }
    for off in lines_of(tx, book_id, order_id)? {
        if let Some(line) = lines.iter_mut().find(|l| l.line_no == off.line_no) {
            line.off.push(off);
        }
    }
    let remaining_after = match entry_id {
        Some(entry) => balance_after(tx, book_id, order.customer_id, entry)?,
        None => None,
    };
    let request = request::refund_request_of(tx, book_id, order_id)?;
    let card = card_paid(tx, book_id, order_id)?;
    let price = card.as_ref().map(|card| card.price);
    let taxes = taxes_of(tx, book_id, &lines, order.effective_at, price)?;
    Ok(OrderDetail {
        order_id,
        customer_id: order.customer_id,
        state: order.state,
        reason: order.reason,
        lines,
        total: order.total,
        refunded,
        reference: order.reference,
        actor: order.actor,
        effective_at: order.effective_at,
        recorded_at: order.recorded_at,
        remaining_after,
        request,
        card,
        taxes,
    })
}

/// What an entry left in a customer's wallet.
fn balance_after(
    tx: &mut dyn Read,
    book_id: i64,
    customer: CustomerId,
    entry_id: i64,
) -> Result<Option<Amount>> {
    let wallet = customer_by_id(tx, book_id, customer)?.wallet;
    let entry = entries_by_id(tx, book_id, entry_id)?;
    let transfers = entry_transfers(tx, book_id, &entry)?;
    let last = transfers.iter().rev().find(|t| t.debit == wallet);
    Ok(last.and_then(|t| t.debit_link).map(|link| link.1))
}

/// A vendor's orders, completed and refused, newest first: `limit` of them, older than `before`.
pub fn orders(
    tx: &mut dyn Read,
    book_id: i64,
    before: Option<OrderId>,
    limit: usize,
) -> Result<Page<OrderSummary, OrderId>> {
    let found = store::before(tx, book_id, before, one_more(limit))?;
    let found = with_cards(tx, book_id, found)?;
    Ok(Page::of(found, limit, |o| o.order_id))
}

/// A vendor's orders that were written in a span of time, the end left out, newest first: `limit`
/// of them, older than `before`.
pub fn orders_between(
    tx: &mut dyn Read,
    book_id: i64,
    from: Timestamp,
    to: Timestamp,
    before: Option<OrderId>,
    limit: usize,
) -> Result<Page<OrderSummary, OrderId>> {
    let (low, high) = ids_between(from, to);
    let high = before.map_or(high, |before| before.0.min(high));
    let found = store::between(tx, book_id, (low, high), (from, to), one_more(limit))?;
    let found = with_cards(tx, book_id, found)?;
    Ok(Page::of(found, limit, |o| o.order_id))
}

/// Orders with how cards paid them.
fn with_cards(
    tx: &mut dyn Read,
    book_id: i64,
    mut orders: Vec<OrderSummary>,
) -> Result<Vec<OrderSummary>> {
    for order in &mut orders {
        order.card = card_paid(tx, book_id, order.order_id)?;
    }
    Ok(orders)
}

/// One row further shows whether more follow.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// Transfers of a wallet that are read at a time, at most.
const STEP: usize = 32;

/// A customer's paid orders, newest first: `limit` of them, from `before` on, which is where the
/// page before left off. A walk along the wallet's chain, because no index finds them: an order
/// that moved nothing (refused, or free) is on [`orders`] alone. Orders that a card paid moved
/// nothing in the wallet; they stand between its movements by the number of their entry.
pub fn orders_of(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    customer: &Customer,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<OrderSummary, i64>> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(OrderError::Forbidden);
    }
    let (book, wallet) = (customer.book_id, customer.wallet);
    let up_to = before.unwrap_or(i64::MAX);
    let cards = card_orders_listed(tx, book, customer.customer_id, up_to, one_more(limit))?;
    let mut listed = Listed {
        page: Page {
            items: Vec::new(),
            next: None,
        },
        limit,
    };
    // Where the page begins with an order that a card paid, the wallet goes on before it.
    let mut next = match cards.first() {
        Some((_, entry, wallet_head)) if before == Some(*entry) => Some(*wallet_head),
        _ => before,
    };
    let mut cards = cards.into_iter().peekable();
    let mut last = None;
    while next != Some(0) {
        let missing = limit.saturating_sub(listed.page.items.len());
        let step = missing.saturating_add(1).min(STEP);
        let step = account_history(tx, book, wallet, next, step)?;
        for (transfer, entry) in &step {
            while let Some((id, entry_id, _)) = cards.next_if(|c| c.1 > transfer.transfer_id) {
                if !listed.take(tx, book, id, entry_id)? {
                    return Ok(listed.page);
                }
            }
            // An order that several grants paid for has several transfers in a row.
            if entry.code != "order" || last == Some(entry.entry_id) {
                continue;
            }
            last = Some(entry.entry_id);
            let id = OrderId(entry.event_id);
            if !listed.take(tx, book, id, transfer.transfer_id)? {
                return Ok(listed.page);
            }
        }
        let previous = step.last().and_then(|(oldest, _)| oldest.previous(wallet));
        next = Some(previous.unwrap_or(0));
    }
    for (id, entry_id, _) in cards {
        if !listed.take(tx, book, id, entry_id)? {
            break;
        }
    }
    Ok(listed.page)
}

/// A page of a customer's orders that is being filled.
struct Listed {
    page: Page<OrderSummary, i64>,
    limit: usize,
}

impl Listed {
    /// Puts an order on the page; false when it is full, and begins the next one with it.
    fn take(&mut self, tx: &mut dyn Read, book: i64, id: OrderId, place: i64) -> Result<bool> {
        if self.page.items.len() >= self.limit {
            self.page.next = Some(place);
            return Ok(false);
        }
        if let Some((order, _)) = store::by_id(tx, book, id)? {
            let card = card_paid(tx, book, id)?;
            self.page.items.push(OrderSummary { card, ..order });
        }
        Ok(true)
    }
}
