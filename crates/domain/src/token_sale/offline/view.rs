//! Off-line orders as people look at them, and what is owed, by age.

use super::{OfflineError, OfflineOrder, OfflineState, Paid, Result, store};
use crate::actor::Actor;
use crate::customer::Customer;
use crate::id::TokenOrderId;
use crate::page::Page;
use scrip_engine::{Error as EngineError, Read, ReadTx, Timestamp};
use scrip_ledger::Amount;

/// An off-line order, for its customer and the vendor's staff.
pub fn offline_order_by_id(
    tx: &mut dyn Read,
    actor: Actor,
    book_id: i64,
    id: TokenOrderId,
) -> Result<OfflineOrder> {
    store::by_id(tx, book_id, id)?
        .filter(|order| actor.may_act_for(order.customer))
        .ok_or(OfflineError::Unknown(id))
}

/// The money that came for an order, in the order in which it came.
pub fn offline_payments(tx: &mut dyn Read, book_id: i64, id: TokenOrderId) -> Result<Vec<Paid>> {
    Ok(store::payments(tx, book_id, id)?)
}

fn further(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// A customer's off-line orders, newest first: `limit` of them, older than `before`.
pub fn offline_orders_of(
    tx: &mut dyn Read,
    actor: Actor,
    customer: &Customer,
    before: Option<TokenOrderId>,
    limit: usize,
) -> Result<Page<OfflineOrder, TokenOrderId>> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(OfflineError::Forbidden);
    }
    let (book, id) = (customer.book_id, customer.customer_id);
    let before = before.unwrap_or(TokenOrderId(uuid::Uuid::max()));
    let found = store::of_customer(tx, book, id, before, further(limit))?;
    Ok(Page::of(found, limit, |order| order.id))
}

/// The vendor's off-line orders in a state, newest first.
pub fn offline_orders_in(
    tx: &mut dyn Read,
    book_id: i64,
    state: OfflineState,
    before: Option<TokenOrderId>,
    limit: usize,
) -> Result<Page<OfflineOrder, TokenOrderId>> {
    let before = before.unwrap_or(TokenOrderId(uuid::Uuid::max()));
    let found = store::in_state(tx, book_id, state, before, further(limit))?;
    Ok(Page::of(found, limit, |order| order.id))
}

/// How many orders are in a state, counted up to a hundred.
pub fn offline_orders_waiting(tx: &mut dyn Read, book_id: i64, state: OfflineState) -> Result<i64> {
    Ok(store::count(tx, book_id, state, 100)?)
}

/// The vendor's off-line orders of a reference as typed.
pub fn offline_orders_by_reference(
    tx: &mut dyn Read,
    book_id: i64,
    reference: &str,
) -> Result<Vec<OfflineOrder>> {
    let reference: String = reference.trim().chars().take(200).collect();
    Ok(store::by_reference(tx, book_id, &reference)?)
}

/// Orders with money owed, the longest due first: `limit` of them, after the one named.
pub fn offline_owed(
    tx: &mut dyn Read,
    book_id: i64,
    after: Option<(Timestamp, TokenOrderId)>,
    limit: usize,
) -> Result<Page<OfflineOrder, (Timestamp, TokenOrderId)>> {
    let start = (Timestamp(i64::MIN), TokenOrderId(uuid::Uuid::nil()));
    let found = store::owed(tx, book_id, after.unwrap_or(start), further(limit))?;
    Ok(Page::of(found, limit, |order| {
        (order.due_at.unwrap_or(Timestamp(0)), order.id)
    }))
}

/// Money owed for tokens issued before payment, by how long it is overdue, in the smallest unit
/// of the vendor's currency (TOK-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ageing {
    /// Not due yet.
    pub current: Amount,
    /// Overdue for up to 30 days.
    pub days_30: Amount,
    /// For 31 to 60 days.
    pub days_60: Amount,
    /// For 61 to 90 days.
    pub days_90: Amount,
    /// For longer.
    pub older: Amount,
    /// All of it.
    pub total: Amount,
}

impl Ageing {
    fn add(&mut self, now: Timestamp, due: Timestamp, owed: Amount) -> scrip_ledger::Result<()> {
        let bucket = match Ageing::days_overdue(now, due) {
            None => &mut self.current,
            Some(0..=30) => &mut self.days_30,
            Some(31..=60) => &mut self.days_60,
            Some(61..=90) => &mut self.days_90,
            Some(_) => &mut self.older,
        };
        *bucket = bucket.plus(owed)?;
        self.total = self.total.plus(owed)?;
        Ok(())
    }

    /// Whole days that money has been overdue; `None` before it is due.
    pub fn days_overdue(now: Timestamp, due: Timestamp) -> Option<i64> {
        let late = now.0.saturating_sub(due.0);
        (late > 0).then(|| late.div_euclid(24 * 3600 * 1_000_000))
    }
}

/// What is owed to the vendor, by age.
pub fn offline_ageing(tx: &mut ReadTx<'_>, book_id: i64) -> Result<Ageing> {
    let now = Read::now(tx);
    let mut ageing = Ageing::default();
    store::each_owed(tx, book_id, &mut |due, owed| {
        let added = ageing.add(now, due, owed);
        added.map_err(|e| EngineError::Corrupt(format!("money owed to book {book_id}: {e}")))
    })?;
    Ok(ageing)
}
