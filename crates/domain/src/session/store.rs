//! The sessions' table.

use super::{Session, Subject, rules};
use crate::customer::Customer;
use crate::id::{CustomerId, StaffId};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};

fn kind(subject: Subject) -> &'static str {
    match subject {
        Subject::Customer(_) => "customer",
        Subject::Staff(_) => "staff",
    }
}

fn id(subject: &Subject) -> &[u8; 16] {
    match subject {
        Subject::Customer(id) => id.0.as_bytes(),
        Subject::Staff(id) => id.0.as_bytes(),
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, session: &Session, token_hash: &[u8]) -> Result<()> {
    tx.put(
        "INSERT INTO session (book_id, token_hash, kind, subject, created_at, seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            session.book_id,
            token_hash,
            kind(session.subject),
            id(&session.subject),
            session.created_at.0,
            session.seen_at.0,
            session.expires_at.0
        ],
    )
}

pub(super) fn by_token(tx: &mut dyn Read, book: i64, token_hash: &[u8]) -> Result<Option<Session>> {
    let row = tx.query_opt(
        "SELECT book_id, kind, subject, created_at, seen_at, expires_at, paying FROM session
         WHERE book_id = $1 AND token_hash = $2 AND waits = 0",
        params![book, token_hash],
    )?;
    row.map(|row| session(&row)).transpose()
}

/// A session that waits for a code.
pub(super) fn waiting(tx: &mut dyn Read, book: i64, token_hash: &[u8]) -> Result<Option<Session>> {
    let row = tx.query_opt(
        "SELECT book_id, kind, subject, created_at, seen_at, expires_at, paying FROM session
         WHERE book_id = $1 AND token_hash = $2 AND waits = 1",
        params![book, token_hash],
    )?;
    row.map(|row| session(&row)).transpose()
}

/// Makes a session wait for a code, until then.
pub(super) fn set_waiting(
    tx: &mut Tx<'_>,
    book: i64,
    token_hash: &[u8],
    until: Timestamp,
) -> Result<()> {
    tx.put(
        "UPDATE session SET waits = 1, expires_at = $3 WHERE book_id = $1 AND token_hash = $2",
        params![book, token_hash, until.0],
    )
}

fn session(row: &Row) -> Result<Session> {
    let subject = match row.text(1)? {
        "customer" => Subject::Customer(CustomerId::from_row(row, 2)?),
        "staff" => Subject::Staff(StaffId::from_row(row, 2)?),
        other => return Err(Error::Corrupt(format!("kind {other:?} of a session"))),
    };
    let paying = row.opt_blob(6)?.is_some();
    Ok(Session {
        book_id: row.int(0)?,
        subject,
        paying: paying.then(|| CustomerId::from_row(row, 6)).transpose()?,
        created_at: Timestamp(row.int(3)?),
        seen_at: Timestamp(row.int(4)?),
        expires_at: Timestamp(row.int(5)?),
    })
}

pub(super) fn set_seen(tx: &mut Tx<'_>, book: i64, token_hash: &[u8]) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE session SET seen_at = $3 WHERE book_id = $1 AND token_hash = $2",
        params![book, token_hash, now.0],
    )
}

pub(super) fn set_paying(
    tx: &mut Tx<'_>,
    own: &Customer,
    token_hash: &[u8],
    paying: Option<CustomerId>,
) -> Result<()> {
    let chosen = paying.as_ref().map(|id| id.0.as_bytes().as_slice());
    tx.put(
        "UPDATE session SET paying = $4
         WHERE book_id = $1 AND token_hash = $2 AND kind = 'customer' AND subject = $3",
        params![own.book_id, token_hash, &own.customer_id, chosen],
    )
}

pub(super) fn end(tx: &mut Tx<'_>, book: i64, token_hash: &[u8]) -> Result<()> {
    tx.put(
        "DELETE FROM session WHERE book_id = $1 AND token_hash = $2",
        params![book, token_hash],
    )
}

/// No token has the empty hash: with it, all end.
pub(super) fn end_of(tx: &mut Tx<'_>, book: i64, subject: Subject, except: &[u8]) -> Result<()> {
    tx.put(
        "DELETE FROM session
         WHERE book_id = $1 AND subject = $2 AND kind = $3 AND token_hash <> $4",
        params![book, id(&subject), kind(subject), except],
    )
}

/// Sessions that are over: book and hash.
pub(super) fn over(tx: &mut dyn Read, now: Timestamp, most: usize) -> Result<Vec<(i64, Vec<u8>)>> {
    let idle = |seconds: i64| now.plus_seconds(seconds.saturating_neg()).0;
    let rows = tx.query(
        "SELECT book_id, token_hash FROM session
         WHERE expires_at <= $1 OR (kind = 'customer' AND seen_at <= $2)
            OR (kind = 'staff' AND seen_at <= $3)
         ORDER BY book_id, token_hash LIMIT $4",
        params![
            now.0,
            idle(rules::CUSTOMER_IDLE_S),
            idle(rules::STAFF_IDLE_S),
            i64::try_from(most).unwrap_or(i64::MAX)
        ],
    )?;
    rows.iter()
        .map(|row| Ok((row.int(0)?, row.blob(1)?.to_vec())))
        .collect()
}
