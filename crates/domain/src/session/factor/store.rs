//! The tables of second factors and their recovery codes.

use super::Holder;
use crate::secret::Attempts;
use crate::session::Subject;
use scrip_engine::{Read, Result, Row, Store, Timestamp, Tx, params};

/// A second factor as kept.
pub(super) struct Factor {
    pub sealed: Vec<u8>,
    pub is_on: bool,
    pub last_step: i64,
    pub attempts: Attempts,
}

fn kind(holder: Holder) -> &'static str {
    match holder.subject {
        Subject::Customer(_) => "customer",
        Subject::Staff(_) => "staff",
    }
}

fn row(row: &Row) -> Result<Factor> {
    Ok(Factor {
        sealed: row.blob(0)?.to_vec(),
        is_on: row.bool(1)?,
        last_step: row.int(2)?,
        attempts: Attempts {
            failures: row.int(3)?,
            locked_until: Timestamp(row.int(4)?),
        },
    })
}

pub(super) fn factor(tx: &mut dyn Read, holder: Holder) -> Result<Option<Factor>> {
    let found = tx.query_opt(
        "SELECT sealed, is_on, last_step, failures, locked_until FROM second_factor
         WHERE book_id = $1 AND kind = $2 AND subject = $3",
        params![holder.book_id, kind(holder), &holder.id()],
    )?;
    found.map(|found| row(&found)).transpose()
}

pub(super) fn factor_locked(tx: &mut Tx<'_>, holder: Holder) -> Result<Option<Factor>> {
    let found = tx.query_locked(
        "SELECT sealed, is_on, last_step, failures, locked_until FROM second_factor
         WHERE book_id = $1 AND kind = $2 AND subject = $3",
        params![holder.book_id, kind(holder), &holder.id()],
    )?;
    found.first().map(row).transpose()
}

pub(super) fn begin(tx: &mut Tx<'_>, holder: Holder, sealed: &[u8]) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO second_factor (book_id, kind, subject, sealed, is_on, last_step, failures,
                                    locked_until, changed_at)
         VALUES ($1, $2, $3, $4, 0, 0, 0, 0, $5)
         ON CONFLICT (book_id, kind, subject) DO UPDATE SET sealed = excluded.sealed,
            last_step = 0, changed_at = excluded.changed_at",
        params![holder.book_id, kind(holder), &holder.id(), sealed, now.0],
    )
}

pub(super) fn turn_on(tx: &mut Tx<'_>, holder: Holder) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE second_factor SET is_on = 1, changed_at = $4
         WHERE book_id = $1 AND kind = $2 AND subject = $3",
        params![holder.book_id, kind(holder), &holder.id(), now.0],
    )
}

/// A right code: the count of wrong ones starts over.
pub(super) fn set_right(tx: &mut Tx<'_>, holder: Holder, step: i64) -> Result<()> {
    tx.put(
        "UPDATE second_factor SET last_step = $4, failures = 0, locked_until = 0
         WHERE book_id = $1 AND kind = $2 AND subject = $3",
        params![holder.book_id, kind(holder), &holder.id(), step],
    )
}

pub(super) fn set_attempts(tx: &mut Tx<'_>, holder: Holder, attempts: Attempts) -> Result<()> {
    tx.put(
        "UPDATE second_factor SET failures = $4, locked_until = $5
         WHERE book_id = $1 AND kind = $2 AND subject = $3",
        params![
            holder.book_id,
            kind(holder),
            &holder.id(),
            attempts.failures,
            attempts.locked_until.0
        ],
    )
}

pub(super) fn add_code(tx: &mut Tx<'_>, holder: Holder, hash: &[u8]) -> Result<()> {
    tx.put(
        "INSERT INTO recovery_code (book_id, kind, subject, code_hash) VALUES ($1, $2, $3, $4)",
        params![holder.book_id, kind(holder), &holder.id(), hash],
    )
}

/// False when there is no such code; one that is taken is gone.
pub(super) fn take_code(tx: &mut Tx<'_>, holder: Holder, hash: &[u8]) -> Result<bool> {
    let touched = tx.execute(
        "DELETE FROM recovery_code
         WHERE book_id = $1 AND kind = $2 AND subject = $3 AND code_hash = $4",
        params![holder.book_id, kind(holder), &holder.id(), hash],
    )?;
    Ok(touched > 0)
}

pub(super) fn codes_left(tx: &mut dyn Read, holder: Holder) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COUNT(*) FROM recovery_code WHERE book_id = $1 AND kind = $2 AND subject = $3",
        params![holder.book_id, kind(holder), &holder.id()],
    )?;
    row.int(0)
}

pub(super) fn forget(tx: &mut Tx<'_>, holder: Holder) -> Result<()> {
    for sql in [
        "DELETE FROM recovery_code WHERE book_id = $1 AND kind = $2 AND subject = $3",
        "DELETE FROM second_factor WHERE book_id = $1 AND kind = $2 AND subject = $3",
    ] {
        tx.put(sql, params![holder.book_id, kind(holder), &holder.id()])?;
    }
    Ok(())
}
