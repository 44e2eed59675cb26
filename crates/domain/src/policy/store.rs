//! The policy's table.

use super::{Decided, Policy, Version};
use crate::Actor;
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};

const NEWEST: &str = "SELECT version, body FROM policy WHERE book_id = $1
    ORDER BY version DESC LIMIT 1";

pub(super) fn newest(tx: &mut dyn Read, book: i64) -> Result<Option<Version>> {
    let row = tx.query_opt(NEWEST, params![book])?;
    row.map(|row| version(&row)).transpose()
}

/// With the vendor locked, so that versions follow one another.
pub(super) fn newest_locked(tx: &mut Tx<'_>, book: i64) -> Result<Option<Version>> {
    tx.query_locked(
        "SELECT book_id FROM vendor WHERE book_id = $1",
        params![book],
    )?;
    newest(tx, book)
}

fn version(row: &Row) -> Result<Version> {
    let number = row.int(0)?;
    let policy = serde_json::from_str(row.text(1)?)
        .map_err(|e| Error::Corrupt(format!("policy {number}: {e}")))?;
    Ok(Version { number, policy })
}

pub(super) fn history(tx: &mut dyn Read, book: i64, limit: i64) -> Result<Vec<Decided>> {
    let rows = tx.query(
        "SELECT version, body, changed_at, changed_by FROM policy WHERE book_id = $1
         ORDER BY version DESC LIMIT $2",
        params![book, limit],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Decided {
                version: version(row)?,
                at: Timestamp(row.int(2)?),
                by: row.text(3)?.to_owned(),
            })
        })
        .collect()
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    book: i64,
    number: i64,
    policy: &Policy,
    actor: Actor,
) -> Result<()> {
    let body = serde_json::to_string(policy)
        .map_err(|e| Error::Statement(format!("policy as JSON: {e}")))?;
    let now = tx.now();
    tx.put(
        "INSERT INTO policy (book_id, version, body, changed_at, changed_by)
         VALUES ($1, $2, $3, $4, $5)",
        params![book, number, &body, now.0, &actor.to_string()],
    )
}
