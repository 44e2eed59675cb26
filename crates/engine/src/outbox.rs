//! Messages to the outside, written with the change that causes them.
//!
//! A message is handed over once: what its receiver writes and the message's removal are one
//! transaction. Messages may come out of order. What cannot be handed over is tried again, ever more
//! rarely, and parked at last.

use crate::error::{Error, Result};
use crate::ids::Sequence;
use crate::tx::{Read, ReadTx, Store, Tx};
use crate::value::Row;
use crate::{Engine, Timestamp, params};

/// Tries after which a message is parked: kept, but not tried any more.
pub const ATTEMPTS: i64 = 16;

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The book that it belongs to.
    pub book_id: i64,
    /// Its number, unique within the book.
    pub outbox_id: i64,
    /// What happened, for example `order.completed`.
    pub topic: String,
    /// What it happened to: an id.
    pub subject: String,
    /// The details, as JSON without personal data.
    pub payload: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// How often handing it over has failed so far.
    pub attempts: i64,
}

/// What a round of [`hand_over`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// Messages handed over and removed.
    pub done: usize,
    /// Messages that wait for another try, or were parked.
    pub failed: usize,
}

/// Adds a message to the transaction.
pub fn add(tx: &mut Tx<'_>, book_id: i64, topic: &str, subject: &str, payload: &str) -> Result<()> {
    let id = tx.next_numbers(Sequence::Outbox, 1)?;
    let now = tx.now();
    tx.put(
        "INSERT INTO outbox (book_id, outbox_id, topic, subject, payload, created_at, next_at, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        params![book_id, id, topic, subject, payload, now.0, now.0],
    )
}

fn message(row: &Row) -> Result<Message> {
    Ok(Message {
        book_id: row.int(0)?,
        outbox_id: row.int(1)?,
        topic: row.text(2)?.to_owned(),
        subject: row.text(3)?.to_owned(),
        payload: row.text(4)?.to_owned(),
        created_at: Timestamp(row.int(5)?),
        attempts: row.int(6)?,
    })
}

/// True when a book has messages that are due.
pub fn is_due(tx: &mut ReadTx<'_>, book_id: i64) -> Result<bool> {
    let now = tx.now();
    let row = tx.query_opt(
        "SELECT outbox_id FROM outbox WHERE book_id = $1 AND next_at <= $2 LIMIT 1",
        params![book_id, now.0],
    )?;
    Ok(row.is_some())
}

/// Hands up to `limit` messages of a book that are due to `receive`, in the order of their ids, and
/// removes them in the same transaction. When that fails, they are handed over one by one, and
/// those that fail are put off.
///
/// Several processes may call it at once: each message goes to one of them.
pub fn hand_over<E, F>(
    engine: &Engine,
    book_id: i64,
    limit: i64,
    receive: F,
) -> std::result::Result<HandedOver, E>
where
    E: From<Error> + Send + 'static,
    F: Fn(&mut Tx<'_>, &[Message]) -> std::result::Result<(), E> + Clone + Send + 'static,
{
    let whole = receive.clone();
    let taken = engine.write(move |tx| {
        let due = due(tx, book_id, limit)?;
        if !due.is_empty() {
            whole(tx, &due)?;
        }
        remove(tx, &due)?;
        Ok::<_, E>(due.len())
    });
    if let Ok(done) = taken {
        return Ok(HandedOver { done, failed: 0 });
    }
    // Which of them was it? A database that is gone fails here again, and that is the answer.
    let ids = engine.write(move |tx| {
        let due = due(tx, book_id, limit)?;
        Ok::<_, E>(due.iter().map(|m| m.outbox_id).collect::<Vec<_>>())
    })?;
    let mut all = HandedOver::default();
    for id in ids {
        let one = receive.clone();
        let handed = engine.write(move |tx| {
            let due = one_due(tx, book_id, id)?;
            if !due.is_empty() {
                one(tx, &due)?;
            }
            remove(tx, &due)?;
            Ok::<_, E>(due.len())
        });
        match handed {
            Ok(done) => all.done += done,
            Err(_) => {
                engine.write(move |tx| put_off(tx, book_id, id).map_err(E::from))?;
                all.failed += 1;
            }
        }
    }
    Ok(all)
}

/// Locked, so that no other process takes them as well.
fn due(tx: &mut Tx<'_>, book_id: i64, limit: i64) -> Result<Vec<Message>> {
    let now = tx.now();
    let rows = tx.query_locked(
        "SELECT book_id, outbox_id, topic, subject, payload, created_at, attempts FROM outbox
         WHERE book_id = $1 AND next_at <= $2 ORDER BY outbox_id LIMIT $3",
        params![book_id, now.0, limit],
    )?;
    rows.iter().map(message).collect()
}

fn one_due(tx: &mut Tx<'_>, book_id: i64, outbox_id: i64) -> Result<Vec<Message>> {
    let now = tx.now();
    let rows = tx.query_locked(
        "SELECT book_id, outbox_id, topic, subject, payload, created_at, attempts FROM outbox
         WHERE book_id = $1 AND outbox_id = $2 AND next_at <= $3",
        params![book_id, outbox_id, now.0],
    )?;
    rows.iter().map(message).collect()
}

fn remove(tx: &mut Tx<'_>, messages: &[Message]) -> Result<()> {
    for message in messages {
        tx.put(
            "DELETE FROM outbox WHERE book_id = $1 AND outbox_id = $2",
            params![message.book_id, message.outbox_id],
        )?;
    }
    Ok(())
}

fn put_off(tx: &mut Tx<'_>, book_id: i64, outbox_id: i64) -> Result<()> {
    for message in one_due(tx, book_id, outbox_id)? {
        let attempts = message.attempts.saturating_add(1);
        let next = next_try(tx.now(), attempts);
        tx.put(
            "UPDATE outbox SET attempts = $3, next_at = $4 WHERE book_id = $1 AND outbox_id = $2",
            params![book_id, outbox_id, attempts, next.0],
        )?;
    }
    Ok(())
}

/// 2, 4, 8 … seconds, an hour at most; never again after [`ATTEMPTS`].
fn next_try(now: Timestamp, attempts: i64) -> Timestamp {
    if attempts >= ATTEMPTS {
        return Timestamp::NEVER;
    }
    let seconds = 1_i64 << attempts.clamp(1, 12);
    now.plus_seconds(seconds.min(3600))
}
