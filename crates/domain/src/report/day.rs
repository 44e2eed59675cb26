//! A day at a glance.

use super::{Turnover, store};
use crate::vendor::Vendor;
use scrip_engine::{Error as EngineError, ReadTx, Timestamp};
use scrip_ledger::{Amount, Result, account_balances};

/// What was written in a span of time, a day as a rule, and what is outstanding now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Tokens sold for money.
    pub tokens_sold: Amount,
    /// Money paid for them.
    pub money_received: Amount,
    /// Tokens spent on completed orders.
    pub tokens_spent: Amount,
    /// Money that cards paid for goods, without what went back.
    pub goods_by_card: Amount,
    /// Completed orders.
    pub orders: u64,
    /// Refunds made.
    pub refunds: u64,
    /// Tokens that they gave back.
    pub refunded: Amount,
    /// Customers who were registered.
    pub new_customers: i64,
    /// Accounts that became active.
    pub activated: i64,
    /// Orders and refunds by the hour from the beginning on, one for each hour that has begun
    /// before the end: 24 for a day. A week's at most; what comes later is in the last.
    pub hours: Vec<Turnover>,
    /// Tokens that customers hold now: issued, and neither spent nor expired.
    pub outstanding: Amount,
}

/// A week.
const HOURS_AT_MOST: usize = 7 * 24;
const HOUR_US: i64 = 3_600_000_000;

/// A vendor's day, from `from` on, with `to` left out: what was written then, whenever it counts.
/// Each figure is what the ledger says of the same time.
pub fn today(
    tx: &mut ReadTx<'_>,
    vendor: &Vendor,
    from: Timestamp,
    to: Timestamp,
) -> Result<Today> {
    let book = vendor.book_id;
    let mut day = Today {
        hours: vec![Turnover::default(); hours(from, to)],
        ..Today::default()
    };
    store::orders_written(tx, book, from, to, &mut |at, amount, money| {
        day.goods_by_card = day.goods_by_card.plus(money).map_err(too_much)?;
        let sum = day.tokens_spent.plus(amount).map_err(too_much)?;
        day.tokens_spent = sum;
        day.orders = day.orders.saturating_add(1);
        if let Some(hour) = hour_of(&mut day.hours, from, at) {
            hour.orders = hour.orders.saturating_add(1);
            hour.sales = hour.sales.plus(amount).map_err(too_much)?;
            hour.money = hour.money.plus(money).map_err(too_much)?;
        }
        Ok(())
    })?;
    store::refunds_written(tx, book, from, to, &mut |at, amount, money| {
        day.goods_by_card = day.goods_by_card.minus(money).map_err(too_much)?;
        day.refunded = day.refunded.plus(amount).map_err(too_much)?;
        day.refunds = day.refunds.saturating_add(1);
        if let Some(hour) = hour_of(&mut day.hours, from, at) {
            hour.refunds = hour.refunds.plus(amount).map_err(too_much)?;
            hour.money = hour.money.minus(money).map_err(too_much)?;
        }
        Ok(())
    })?;
    store::tokens_paid(tx, book, from, to, &mut |tokens, money| {
        day.tokens_sold = day.tokens_sold.plus(tokens).map_err(too_much)?;
        day.money_received = day.money_received.plus(money).map_err(too_much)?;
        Ok(())
    })?;
    (day.new_customers, day.activated) = store::customers(tx, book, from, to)?;
    let accounts = [
        vendor.accounts.issued,
        vendor.accounts.spent,
        vendor.accounts.expired,
    ];
    // What was issued stands below zero, what came back above.
    day.outstanding = Amount::sum(account_balances(tx, book, &accounts)?)?.negated()?;
    Ok(day)
}

/// A sum of amounts that were all taken from wallets cannot pass what was issued, but it may be
/// issued, spent and issued again.
fn too_much(e: scrip_ledger::Error) -> EngineError {
    EngineError::Statement(format!("the figures of the day: {e}"))
}

fn hours(from: Timestamp, to: Timestamp) -> usize {
    let span = to.0.saturating_sub(from.0).max(0);
    let begun = span.saturating_add(HOUR_US - 1).checked_div(HOUR_US);
    usize::try_from(begun.unwrap_or(0))
        .unwrap_or(HOURS_AT_MOST)
        .min(HOURS_AT_MOST)
}

fn hour_of(hours: &mut [Turnover], from: Timestamp, at: Timestamp) -> Option<&mut Turnover> {
    let hour = at.0.saturating_sub(from.0).checked_div(HOUR_US)?;
    let last = hours.len().checked_sub(1)?;
    hours.get_mut(usize::try_from(hour).ok()?.min(last))
}
