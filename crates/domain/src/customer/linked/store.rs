//! The table of links: one row for a pair, the lower id first.

use crate::actor::Actor;
use crate::id::CustomerId;
use scrip_engine::{Read, Result, Store, Tx, params};

pub(super) fn lock(tx: &mut Tx<'_>, book: i64, id: CustomerId) -> Result<()> {
    tx.query_locked(
        "SELECT has_parent FROM customer WHERE book_id = $1 AND customer_id = $2",
        params![book, &id],
    )?;
    Ok(())
}

pub(super) fn of(tx: &mut dyn Read, book: i64, id: CustomerId) -> Result<Vec<CustomerId>> {
    let rows = tx.query(
        "SELECT second_id FROM account_link WHERE book_id = $1 AND first_id = $2
         UNION ALL
         SELECT first_id FROM account_link WHERE book_id = $1 AND second_id = $2",
        params![book, &id],
    )?;
    rows.iter()
        .map(|row| CustomerId::from_row(row, 0))
        .collect()
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    book: i64,
    [first, second]: [CustomerId; 2],
    actor: Actor,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO account_link (book_id, first_id, second_id, linked_at, linked_by)
         VALUES ($1, $2, $3, $4, $5)",
        params![book, &first, &second, now.0, &actor.to_string()],
    )
}

/// False when there is none.
pub(super) fn remove(tx: &mut Tx<'_>, book: i64, [first, second]: [CustomerId; 2]) -> Result<bool> {
    let touched = tx.execute(
        "DELETE FROM account_link WHERE book_id = $1 AND first_id = $2 AND second_id = $3",
        params![book, &first, &second],
    )?;
    Ok(touched > 0)
}

pub(super) fn remove_all(tx: &mut Tx<'_>, book: i64, id: CustomerId) -> Result<()> {
    for sql in [
        "DELETE FROM account_link WHERE book_id = $1 AND first_id = $2",
        "DELETE FROM account_link WHERE book_id = $1 AND second_id = $2",
    ] {
        tx.put(sql, params![book, &id])?;
    }
    Ok(())
}
