//! Figures for people, added up from what is stored: turnover, a day, the journal. Tokens and the
//! money that cards paid for goods are never added to each other.

pub mod calendar;
mod day;
pub mod owing;
pub mod rollup;
pub mod selling;
mod store;
pub mod taxes;

use crate::page::Page;
use scrip_engine::{Read, ReadTx, Timestamp};
use scrip_ledger::{Amount, Entry, Result, Transfer, entries_before};
use std::collections::BTreeMap;

pub use day::{Today, today};

/// What was sold and what was given back, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Completed orders.
    pub orders: u64,
    /// Tokens spent.
    pub sales: Amount,
    /// Tokens given back.
    pub refunds: Amount,
    /// Money that cards paid for goods, without what went back.
    pub money: Amount,
}

/// A vendor's turnover, whole and by two keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sales {
    /// All of it.
    pub total: Turnover,
    /// By day (UTC, `2010-12-01`) on which it counts.
    pub days: BTreeMap<String, Turnover>,
    /// By the customer's name in the vendor's other system, else by the customer's id.
    pub customers: BTreeMap<String, Turnover>,
}

/// One order or refund.
struct Movement {
    customer: uuid::Uuid,
    at: Timestamp,
    /// Tokens.
    amount: Amount,
    /// Money, where a card paid.
    money: Amount,
    refund: bool,
}

/// The turnover of a vendor.
pub fn sales(tx: &mut ReadTx<'_>, book_id: i64) -> Result<Sales> {
    sales_between(tx, book_id, Timestamp(i64::MIN), Timestamp::NEVER)
}

/// The turnover of a vendor that counts in a span of time, the end left out.
pub fn sales_between(
    tx: &mut ReadTx<'_>,
    book_id: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Sales> {
    let names = store::customer_references(tx, book_id)?;
    let mut sales = Sales::default();
    for movement in store::movements(tx, book_id, from, to)? {
        let day: String = movement.at.to_string().chars().take(10).collect();
        let id = crate::id::CustomerId(movement.customer);
        let name = names
            .get(&movement.customer)
            .cloned()
            .unwrap_or_else(|| id.to_string());
        add(&mut sales.total, &movement)?;
        add(sales.days.entry(day).or_default(), &movement)?;
        add(sales.customers.entry(name).or_default(), &movement)?;
    }
    Ok(sales)
}

fn add(turnover: &mut Turnover, movement: &Movement) -> Result<()> {
    if movement.refund {
        turnover.refunds = turnover.refunds.plus(movement.amount)?;
        turnover.money = turnover.money.minus(movement.money)?;
    } else {
        turnover.money = turnover.money.plus(movement.money)?;
        turnover.orders = turnover.orders.saturating_add(1);
        turnover.sales = turnover.sales.plus(movement.amount)?;
    }
    Ok(())
}

/// An entry of the ledger with what it moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// The entry.
    pub entry: Entry,
    /// Its transfers, in order.
    pub transfers: Vec<Transfer>,
}

/// A book's journal, newest entry first: `limit` of them, before the entry `before`.
pub fn journal(
    tx: &mut dyn Read,
    book_id: i64,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<JournalEntry, i64>> {
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = entries_before(tx, book_id, before, further)?;
    let found = found
        .into_iter()
        .map(|(entry, transfers)| JournalEntry { entry, transfers })
        .collect();
    Ok(Page::of(found, limit, |e: &JournalEntry| e.entry.entry_id))
}
