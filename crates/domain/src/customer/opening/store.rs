//! The table of opening tokens.

use super::super::Customer;
use super::Opening;
use crate::id::TokenOrderId;
use scrip_engine::{Read, Result, Store, Tx, params};
use scrip_ledger::Amount;

pub(super) fn insert(
    tx: &mut Tx<'_>,
    customer: &Customer,
    opening: Opening,
    state: &str,
) -> Result<()> {
    tx.put(
        "INSERT INTO opening (book_id, customer_id, tokens, fee, state, token_order_id)
         VALUES ($1, $2, $3, $4, $5, NULL)",
        params![
            customer.book_id,
            &customer.customer_id,
            opening.tokens.units(),
            opening.fee.units(),
            state
        ],
    )
}

pub(super) fn due(tx: &mut dyn Read, customer: &Customer) -> Result<Option<Opening>> {
    let row = tx.query_opt(
        "SELECT tokens, fee FROM opening
         WHERE book_id = $1 AND customer_id = $2 AND state = 'due'",
        params![customer.book_id, &customer.customer_id],
    )?;
    row.map(|row| {
        Ok(Opening {
            tokens: Amount::from_units(row.int(0)?),
            fee: Amount::from_units(row.int(1)?),
        })
    })
    .transpose()
}

pub(super) fn set_order(tx: &mut Tx<'_>, customer: &Customer, order: TokenOrderId) -> Result<()> {
    tx.put(
        "UPDATE opening SET token_order_id = $3
         WHERE book_id = $1 AND customer_id = $2 AND state = 'due'",
        params![customer.book_id, &customer.customer_id, &order],
    )
}

/// False when nothing was due, or another order buys it.
pub(super) fn give(tx: &mut Tx<'_>, customer: &Customer, order: TokenOrderId) -> Result<bool> {
    let rows = tx.execute_returning(
        "UPDATE opening SET state = 'given'
         WHERE book_id = $1 AND customer_id = $2 AND state = 'due' AND token_order_id = $3
         RETURNING tokens",
        params![customer.book_id, &customer.customer_id, &order],
    )?;
    Ok(!rows.is_empty())
}
