//! Messages to the outside, written with the change that causes them.
//!
//! A message is delivered at least once, and may come twice or out of order: receivers go by its
//! (book, id). What cannot be delivered is tried again, ever more rarely, and parked at last.

use crate::error::{Error, Result};
use crate::ids::Sequence;
use crate::tx::{Read, Store, Tx};
use crate::value::Param;
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
    /// How often delivery has failed so far.
    pub attempts: i64,
}

/// Whoever takes messages to where they belong.
pub trait Receiver {
    /// Delivers one message; an error is tried again later.
    fn deliver(&self, message: &Message) -> std::result::Result<(), String>;
}

/// What a round of [`dispatch`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Messages delivered and removed.
    pub delivered: usize,
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

/// Delivers up to `limit` messages that are due.
pub fn dispatch(engine: &Engine, receiver: &dyn Receiver, limit: i64) -> Result<Dispatched> {
    let due = engine.read(|tx| {
        let now = tx.now();
        tx.query(
            "SELECT book_id, outbox_id, topic, subject, payload, attempts FROM outbox
             WHERE next_at <= $1 ORDER BY book_id, outbox_id LIMIT $2",
            params![now.0, limit],
        )
    })?;
    let mut delivered = Vec::new();
    let mut failed = Vec::new();
    for row in &due {
        let message = Message {
            book_id: row.int(0)?,
            outbox_id: row.int(1)?,
            topic: row.text(2)?.to_owned(),
            subject: row.text(3)?.to_owned(),
            payload: row.text(4)?.to_owned(),
            attempts: row.int(5)?,
        };
        let key = (message.book_id, message.outbox_id, message.attempts + 1);
        if receiver.deliver(&message).is_ok() {
            delivered.push(key);
        } else {
            failed.push(key);
        }
    }
    let done = Dispatched {
        delivered: delivered.len(),
        failed: failed.len(),
    };
    if done == Dispatched::default() {
        return Ok(done);
    }
    engine.write(move |tx| {
        for (book_id, outbox_id, _) in &delivered {
            tx.put(
                "DELETE FROM outbox WHERE book_id = $1 AND outbox_id = $2",
                params![*book_id, *outbox_id],
            )?;
        }
        for (book_id, outbox_id, attempts) in &failed {
            let next = next_try(tx.now(), *attempts);
            tx.put(
                "UPDATE outbox SET attempts = $3, next_at = $4 WHERE book_id = $1 AND outbox_id = $2",
                &[
                    Param::Int(*book_id),
                    Param::Int(*outbox_id),
                    Param::Int(*attempts),
                    Param::Int(next.0),
                ],
            )?;
        }
        Ok::<_, Error>(())
    })?;
    Ok(done)
}

/// 2, 4, 8 … seconds, an hour at most; never again after [`ATTEMPTS`].
fn next_try(now: Timestamp, attempts: i64) -> Timestamp {
    if attempts >= ATTEMPTS {
        return Timestamp::NEVER;
    }
    let seconds = 1_i64 << attempts.clamp(1, 12);
    now.plus_seconds(seconds.min(3600))
}
