//! Where a customer's time zone is kept.

use crate::id::CustomerId;
use scrip_engine::{Read, Result, Store, Tx, params};

pub(super) fn time_zone(tx: &mut dyn Read, book: i64, id: CustomerId) -> Result<String> {
    let row = tx.query_one(
        "SELECT time_zone FROM customer WHERE book_id = $1 AND customer_id = $2",
        params![book, &id],
    )?;
    Ok(row.text(0)?.to_owned())
}

pub(super) fn set_time_zone(tx: &mut Tx<'_>, book: i64, id: CustomerId, zone: &str) -> Result<()> {
    tx.put(
        "UPDATE customer SET time_zone = $3 WHERE book_id = $1 AND customer_id = $2",
        params![book, &id, zone],
    )
}
