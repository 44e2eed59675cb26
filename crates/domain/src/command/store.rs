//! Stored answers.

use crate::id::CustomerId;
use scrip_engine::{Read, Result, Store, Timestamp, Tx, params};

/// A stored answer, encrypted.
pub(super) struct Stored {
    pub request_hash: Vec<u8>,
    pub answer: Vec<u8>,
    pub expires_at: Timestamp,
}

pub(super) fn answer(tx: &mut Tx<'_>, book: i64, key_hash: &[u8]) -> Result<Option<Stored>> {
    let row = tx.query_opt(
        "SELECT request_hash, answer, expires_at FROM idempotency
         WHERE book_id = $1 AND key_hash = $2",
        params![book, key_hash],
    )?;
    row.map(|row| {
        Ok(Stored {
            request_hash: row.blob(0)?.to_vec(),
            answer: row.blob(1)?.to_vec(),
            expires_at: Timestamp(row.int(2)?),
        })
    })
    .transpose()
}

pub(super) fn forget(tx: &mut Tx<'_>, book: i64, key_hash: &[u8]) -> Result<()> {
    tx.put(
        "DELETE FROM idempotency WHERE book_id = $1 AND key_hash = $2",
        params![book, key_hash],
    )
}

/// Writes what is there already, at once, so that the engine runs the command again.
pub(super) fn collide(tx: &mut Tx<'_>, book: i64, key_hash: &[u8], stored: &Stored) -> Result<u64> {
    tx.execute(
        "INSERT INTO idempotency (book_id, key_hash, request_hash, answer, subject, expires_at)
         VALUES ($1, $2, $3, $4, NULL, $5)",
        params![
            book,
            key_hash,
            &stored.request_hash,
            &stored.answer,
            stored.expires_at.0
        ],
    )
}

pub(super) fn keep(
    tx: &mut Tx<'_>,
    book: i64,
    key_hash: &[u8],
    stored: &Stored,
    subject: Option<&CustomerId>,
) -> Result<()> {
    tx.put(
        "INSERT INTO idempotency (book_id, key_hash, request_hash, answer, subject, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            book,
            key_hash,
            &stored.request_hash,
            &stored.answer,
            subject,
            stored.expires_at.0
        ],
    )
}

pub(super) fn forget_expired(tx: &mut Tx<'_>, book: i64) -> Result<u64> {
    let now = tx.now();
    tx.execute(
        "DELETE FROM idempotency WHERE book_id = $1 AND expires_at <= $2",
        params![book, now.0],
    )
}

pub(super) fn forget_about(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.put(
        "DELETE FROM idempotency WHERE book_id = $1 AND subject = $2",
        params![book, &customer],
    )
}
