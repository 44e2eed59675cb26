//! The table of reservations.

use super::Kept;
use crate::id::{CustomerId, OfferId};
use scrip_engine::{Read, Result, Row, Store, Timestamp, Tx, params};

fn kept(row: &Row) -> Result<Kept> {
    Ok(Kept {
        offer_id: OfferId::from_row(row, 0)?,
        customer_id: CustomerId::from_row(row, 1)?,
        pieces: row.int(2)?,
        since: Timestamp(row.int(3)?),
        until: Timestamp(row.int(4)?),
    })
}

/// Those of an offer that hold now.
pub(super) fn live(tx: &mut dyn Read, book: i64, offer: OfferId) -> Result<Vec<Kept>> {
    let now = tx.now();
    let rows = tx.query(
        "SELECT offer_id, customer_id, pieces, began_at, ends_at FROM reservation
         WHERE book_id = $1 AND offer_id = $2 AND ends_at > $3",
        params![book, &offer, now.0],
    )?;
    rows.iter().map(kept).collect()
}

/// All that a customer has and had.
pub(super) fn of_customer(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<Vec<Kept>> {
    let rows = tx.query(
        "SELECT offer_id, customer_id, pieces, began_at, ends_at FROM reservation
         WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    rows.iter().map(kept).collect()
}

pub(super) fn put(tx: &mut Tx<'_>, book: i64, kept: &Kept) -> Result<()> {
    tx.put(
        "INSERT INTO reservation (book_id, offer_id, customer_id, pieces, began_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (book_id, offer_id, customer_id) DO UPDATE SET pieces = excluded.pieces,
            began_at = excluded.began_at, ends_at = excluded.ends_at",
        params![
            book,
            &kept.offer_id,
            &kept.customer_id,
            kept.pieces,
            kept.since.0,
            kept.until.0
        ],
    )
}

/// Says in the stock row that something is reserved until then.
pub(super) fn mark(tx: &mut Tx<'_>, book: i64, offer: OfferId, until: Timestamp) -> Result<()> {
    tx.put(
        "UPDATE stock SET reserved_until = $3 WHERE book_id = $1 AND offer_id = $2",
        params![book, &offer, until.0],
    )
}

/// Ends a reservation; its beginning is remembered.
pub(super) fn end(tx: &mut Tx<'_>, book: i64, offer: OfferId, customer: CustomerId) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE reservation SET ends_at = $4
         WHERE book_id = $1 AND offer_id = $2 AND customer_id = $3 AND ends_at > $4",
        params![book, &offer, &customer, now.0],
    )
}

/// Ends a reservation whose pieces were bought: the next one begins anew.
pub(in crate::catalog) fn bought(
    tx: &mut Tx<'_>,
    book: i64,
    offer: OfferId,
    customer: CustomerId,
) -> Result<()> {
    tx.put(
        "DELETE FROM reservation WHERE book_id = $1 AND offer_id = $2 AND customer_id = $3",
        params![book, &offer, &customer],
    )
}

pub(super) fn forget(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.put(
        "DELETE FROM reservation WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}

pub(super) fn expire(tx: &mut Tx<'_>, book: i64, before: Timestamp) -> Result<u64> {
    let now = tx.now();
    tx.execute(
        "DELETE FROM reservation WHERE book_id = $1 AND began_at <= $2 AND ends_at <= $3",
        params![book, before.0, now.0],
    )
}
