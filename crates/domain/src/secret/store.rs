//! Attempts at names that nobody has.

use super::Attempts;
use scrip_engine::{Result, Store, Timestamp, Tx, params};

/// Locked, and made when it is not there, so that attempts at once are counted one by one.
pub(super) fn stray_locked(tx: &mut Tx<'_>, book: i64, name_hash: &[u8]) -> Result<Attempts> {
    tx.put(
        "INSERT INTO stray_attempt (book_id, name_hash, failures, locked_until)
         VALUES ($1, $2, 0, 0) ON CONFLICT (book_id, name_hash) DO NOTHING",
        params![book, name_hash],
    )?;
    let rows = tx.query_locked(
        "SELECT failures, locked_until FROM stray_attempt WHERE book_id = $1 AND name_hash = $2",
        params![book, name_hash],
    )?;
    // Forgotten between the two statements: then it counted for nothing.
    rows.first().map_or(Ok(Attempts::NONE), |row| {
        Ok(Attempts {
            failures: row.int(0)?,
            locked_until: Timestamp(row.int(1)?),
        })
    })
}

pub(super) fn set_stray(
    tx: &mut Tx<'_>,
    book: i64,
    name_hash: &[u8],
    attempts: Attempts,
) -> Result<()> {
    tx.put(
        "INSERT INTO stray_attempt (book_id, name_hash, failures, locked_until)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, name_hash) DO UPDATE SET failures = excluded.failures,
            locked_until = excluded.locked_until",
        params![book, name_hash, attempts.failures, attempts.locked_until.0],
    )
}

pub(super) fn forget_strays(tx: &mut Tx<'_>, book: i64, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM stray_attempt WHERE book_id = $1 AND locked_until <= $2",
        params![book, before.0],
    )
}
