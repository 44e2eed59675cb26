//! Figures for people, added up from the orders and refunds as stored.

mod store;

use scrip_engine::{ReadTx, Timestamp};
use scrip_ledger::{Amount, Result};
use std::collections::BTreeMap;

/// What was sold and what was given back, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Completed orders.
    pub orders: u64,
    /// Tokens spent.
    pub sales: Amount,
    /// Tokens given back.
    pub refunds: Amount,
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
    amount: Amount,
    refund: bool,
}

/// The turnover of a vendor.
pub fn sales(tx: &mut ReadTx<'_>, book_id: i64) -> Result<Sales> {
    let names = store::customer_references(tx, book_id)?;
    let mut sales = Sales::default();
    for movement in store::movements(tx, book_id)? {
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
    } else {
        turnover.orders = turnover.orders.saturating_add(1);
        turnover.sales = turnover.sales.plus(movement.amount)?;
    }
    Ok(())
}
