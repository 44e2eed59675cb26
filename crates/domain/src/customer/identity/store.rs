//! The tables of answers, wrong answers and right ones.

use super::super::Customer;
use crate::id::CustomerId;
use crate::secret::Attempts;
use scrip_engine::{Read, Result, Store, Timestamp, Tx, params};

pub(super) fn set(
    tx: &mut Tx<'_>,
    book: i64,
    id: CustomerId,
    question: &[u8],
    hash: &str,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO identity_answer (book_id, customer_id, question_hash, hash, changed_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (book_id, customer_id, question_hash) DO UPDATE SET hash = excluded.hash,
            changed_at = excluded.changed_at",
        params![book, &id, question, hash, now.0],
    )
}

/// Hashes of the questions that were answered.
pub(super) fn answered(tx: &mut dyn Read, customer: &Customer) -> Result<Vec<Vec<u8>>> {
    let rows = tx.query(
        "SELECT question_hash FROM identity_answer WHERE book_id = $1 AND customer_id = $2",
        params![customer.book_id, &customer.customer_id],
    )?;
    rows.iter().map(|row| Ok(row.blob(0)?.to_vec())).collect()
}

pub(super) fn answer(
    tx: &mut dyn Read,
    customer: &Customer,
    question: &[u8],
) -> Result<Option<String>> {
    let row = tx.query_opt(
        "SELECT hash FROM identity_answer
         WHERE book_id = $1 AND customer_id = $2 AND question_hash = $3",
        params![customer.book_id, &customer.customer_id, question],
    )?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Locked, and made when it is not there, so that attempts at once are counted one by one.
pub(super) fn attempts_locked(tx: &mut Tx<'_>, customer: &Customer) -> Result<Attempts> {
    tx.put(
        "INSERT INTO identity_attempt (book_id, customer_id, failures, locked_until)
         VALUES ($1, $2, 0, 0) ON CONFLICT (book_id, customer_id) DO NOTHING",
        params![customer.book_id, &customer.customer_id],
    )?;
    let rows = tx.query_locked(
        "SELECT failures, locked_until FROM identity_attempt
         WHERE book_id = $1 AND customer_id = $2",
        params![customer.book_id, &customer.customer_id],
    )?;
    rows.first().map_or(Ok(Attempts::NONE), |row| {
        Ok(Attempts {
            failures: row.int(0)?,
            locked_until: Timestamp(row.int(1)?),
        })
    })
}

pub(super) fn set_attempts(tx: &mut Tx<'_>, customer: &Customer, attempts: Attempts) -> Result<()> {
    tx.put(
        "UPDATE identity_attempt SET failures = $3, locked_until = $4
         WHERE book_id = $1 AND customer_id = $2",
        params![
            customer.book_id,
            &customer.customer_id,
            attempts.failures,
            attempts.locked_until.0
        ],
    )
}

pub(super) fn checked_until(
    tx: &mut dyn Read,
    customer: &Customer,
    checker: &str,
) -> Result<Option<Timestamp>> {
    let row = tx.query_opt(
        "SELECT checked_until FROM identity_check
         WHERE book_id = $1 AND customer_id = $2 AND checker = $3",
        params![customer.book_id, &customer.customer_id, checker],
    )?;
    row.map(|row| Ok(Timestamp(row.int(0)?))).transpose()
}

/// Those that are over go, so that they do not pile up.
pub(super) fn set_checked(
    tx: &mut Tx<'_>,
    customer: &Customer,
    checker: &str,
    until: Timestamp,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "DELETE FROM identity_check
         WHERE book_id = $1 AND customer_id = $2 AND checked_until <= $3",
        params![customer.book_id, &customer.customer_id, now.0],
    )?;
    tx.put(
        "INSERT INTO identity_check (book_id, customer_id, checker, checked_until)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, customer_id, checker)
            DO UPDATE SET checked_until = excluded.checked_until",
        params![customer.book_id, &customer.customer_id, checker, until.0],
    )
}

pub(super) fn forget_check(tx: &mut Tx<'_>, customer: &Customer, checker: &str) -> Result<()> {
    tx.put(
        "DELETE FROM identity_check WHERE book_id = $1 AND customer_id = $2 AND checker = $3",
        params![customer.book_id, &customer.customer_id, checker],
    )
}

pub(super) fn erase(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    for sql in [
        "DELETE FROM identity_answer WHERE book_id = $1 AND customer_id = $2",
        "DELETE FROM identity_attempt WHERE book_id = $1 AND customer_id = $2",
        "DELETE FROM identity_check WHERE book_id = $1 AND customer_id = $2",
    ] {
        tx.put(sql, params![customer.book_id, &customer.customer_id])?;
    }
    Ok(())
}
