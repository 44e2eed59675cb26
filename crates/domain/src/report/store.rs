//! What the reports read.

use super::Movement;
use scrip_engine::{Read, ReadTx, Result, Row, Timestamp, params};
use scrip_ledger::Amount;
use std::collections::HashMap;
use uuid::Uuid;

pub(super) fn customer_references(tx: &mut ReadTx<'_>, book: i64) -> Result<HashMap<Uuid, String>> {
    let rows = tx.query(
        "SELECT target, reference FROM reference WHERE book_id = $1 AND kind = 'customer'",
        params![book],
    )?;
    rows.iter()
        .map(|row| Ok((row.uuid(0)?, row.text(1)?.to_owned())))
        .collect()
}

fn movement(row: &Row, refund: bool) -> Result<Movement> {
    Ok(Movement {
        customer: row.uuid(0)?,
        at: Timestamp(row.int(1)?),
        amount: Amount::from_units(row.int(2)?),
        refund,
    })
}

pub(super) fn movements(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Movement>> {
    let mut movements = Vec::new();
    tx.query_each(
        "SELECT customer_id, effective_at, total FROM orders
         WHERE book_id = $1 AND state = 'completed'",
        params![book],
        &mut |row| {
            movements.push(movement(&row, false)?);
            Ok(())
        },
    )?;
    tx.query_each(
        "SELECT o.customer_id, r.effective_at, r.amount FROM refund r
         JOIN orders o ON o.book_id = r.book_id AND o.order_id = r.order_id
         WHERE r.book_id = $1",
        params![book],
        &mut |row| {
            movements.push(movement(&row, true)?);
            Ok(())
        },
    )?;
    Ok(movements)
}
