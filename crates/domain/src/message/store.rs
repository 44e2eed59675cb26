//! The tables of deliveries and of customers' choices.

use super::delivery::{Delivery, DeliveryState, Target};
use super::{Choice, Kind, Language};
use crate::id::{CustomerId, MessageId, ids_between};
use scrip_engine::outbox::Message;
use scrip_engine::{Error, Param, Read, Result, Row, Store, Timestamp, Tx, params};

fn delivery(row: &Row) -> Result<Delivery> {
    let message_id = MessageId::from_row(row, 1)?;
    let odd = |what: &str, text: &str| Error::Corrupt(format!("{what} {text:?} of {message_id}"));
    let (target, state) = (row.text(2)?, row.text(7)?);
    let has_customer = row.opt_blob(6)?.is_some();
    Ok(Delivery {
        book_id: row.int(0)?,
        message_id,
        target: Target::read(target).ok_or_else(|| odd("target", target))?,
        topic: row.text(3)?.to_owned(),
        subject: row.text(4)?.to_owned(),
        payload: row.text(5)?.to_owned(),
        customer_id: has_customer
            .then(|| CustomerId::from_row(row, 6))
            .transpose()?,
        state: DeliveryState::parse(state).map_err(|_| odd("state", state))?,
        attempts: row.int(8)?,
        next_at: Timestamp(row.int(9)?),
        answer: row.text(10)?.to_owned(),
        occurred_at: Timestamp(row.int(11)?),
        closed_at: row.opt_int(12)?.map(Timestamp),
    })
}

/// A delivery to be made.
pub(super) struct NewDelivery<'a> {
    pub message_id: MessageId,
    pub message: &'a Message,
    pub target: Target,
    pub customer_id: Option<CustomerId>,
}

/// Once for each message and receiver, however often it is tried.
pub(super) fn insert(tx: &mut Tx<'_>, new: &NewDelivery<'_>) -> Result<()> {
    let (now, message) = (tx.now(), new.message);
    let target = new.target.written();
    let customer = new.customer_id.as_ref().map(Param::from);
    tx.put(
        "INSERT INTO message_delivery (book_id, message_id, outbox_id, target, topic, subject,
            payload, customer_id, state, attempts, next_at, answer, occurred_at, closed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', 0, $9, '', $10, NULL)
         ON CONFLICT (book_id, outbox_id, target) DO NOTHING",
        &[
            Param::Int(message.book_id),
            Param::from(&new.message_id),
            Param::Int(message.outbox_id),
            Param::Text(&target),
            Param::Text(&message.topic),
            Param::Text(&message.subject),
            Param::Text(&message.payload),
            customer.unwrap_or(Param::Null),
            Param::Int(now.0),
            Param::Int(message.created_at.0),
        ],
    )
}

pub(super) fn is_due(tx: &mut dyn Read, book: i64, target: Target) -> Result<bool> {
    let now = tx.now();
    let target = target.written();
    let row = tx.query_opt(
        "SELECT attempts FROM message_delivery
         WHERE book_id = $1 AND target = $2 AND state = 'waiting' AND next_at <= $3 LIMIT 1",
        params![book, &target, now.0],
    )?;
    Ok(row.is_some())
}

/// The guard on the state lets one of several workers have it.
pub(super) fn claim(
    tx: &mut Tx<'_>,
    book: i64,
    target: Target,
    lease: Timestamp,
) -> Result<Option<Delivery>> {
    let now = tx.now();
    let target = target.written();
    let rows = tx.execute_returning(
        "UPDATE message_delivery SET state = 'claimed', attempts = attempts + 1, next_at = $4
         WHERE book_id = $1 AND state = 'waiting' AND message_id = (
            SELECT message_id FROM message_delivery
            WHERE book_id = $1 AND target = $2 AND state = 'waiting' AND next_at <= $3
            ORDER BY next_at LIMIT 1)
         RETURNING book_id, message_id, target, topic, subject, payload, customer_id, state,
                   attempts, next_at, answer, occurred_at, closed_at",
        params![book, &target, now.0, lease.0],
    )?;
    rows.first().map(delivery).transpose()
}

/// The number of the try tells one claim from the next.
pub(super) fn sending(tx: &mut Tx<'_>, claimed: &Delivery, lease: Timestamp) -> Result<bool> {
    let rows = tx.execute_returning(
        "UPDATE message_delivery SET state = 'sending', next_at = $4
         WHERE book_id = $1 AND message_id = $2 AND state = 'claimed' AND attempts = $3
         RETURNING attempts",
        params![
            claimed.book_id,
            &claimed.message_id,
            claimed.attempts,
            lease.0
        ],
    )?;
    Ok(!rows.is_empty())
}

pub(super) fn end(
    tx: &mut Tx<'_>,
    claimed: &Delivery,
    state: DeliveryState,
    next_at: Timestamp,
    answer: &str,
) -> Result<bool> {
    let now = tx.now();
    let closed_at = (state != DeliveryState::Waiting).then_some(now.0);
    let rows = tx.execute_returning(
        "UPDATE message_delivery SET state = $4, next_at = $5, answer = $6, closed_at = $7
         WHERE book_id = $1 AND message_id = $2 AND attempts = $3
           AND state IN ('claimed', 'sending')
         RETURNING attempts",
        params![
            claimed.book_id,
            &claimed.message_id,
            claimed.attempts,
            state.name(),
            next_at.0,
            answer,
            closed_at
        ],
    )?;
    Ok(!rows.is_empty())
}

pub(super) fn lapse(tx: &mut Tx<'_>, book: i64, target: Target) -> Result<u64> {
    let now = tx.now();
    let target = target.written();
    let waiting = tx.execute(
        "UPDATE message_delivery SET state = 'waiting', answer = 'the sender stopped'
         WHERE book_id = $1 AND target = $2 AND state = 'claimed' AND next_at <= $3",
        params![book, &target, now.0],
    )?;
    let uncertain = tx.execute(
        "UPDATE message_delivery SET state = 'uncertain', closed_at = $3,
            answer = 'the sender stopped while it was being handed over'
         WHERE book_id = $1 AND target = $2 AND state = 'sending' AND next_at <= $3",
        params![book, &target, now.0],
    )?;
    Ok(waiting.saturating_add(uncertain))
}

pub(super) fn skip_waiting(tx: &mut Tx<'_>, book: i64, target: Target) -> Result<()> {
    let now = tx.now();
    let target = target.written();
    tx.put(
        "UPDATE message_delivery SET state = 'skipped', closed_at = $3
         WHERE book_id = $1 AND target = $2 AND state = 'waiting'",
        params![book, &target, now.0],
    )
}

/// By ids, which carry their time.
pub(super) fn forget(tx: &mut Tx<'_>, book: i64, before: Timestamp) -> Result<u64> {
    let (_, end) = ids_between(before, before);
    let end = MessageId(end);
    tx.execute(
        "DELETE FROM message_delivery WHERE book_id = $1 AND message_id < $2
            AND state IN ('done', 'skipped')",
        params![book, &end],
    )
}

/// Waits again from now on, unless it is on its way.
pub(super) fn again(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<bool> {
    let now = tx.now();
    let rows = tx.execute_returning(
        "UPDATE message_delivery SET state = 'waiting', attempts = 0, next_at = $3, closed_at = NULL
         WHERE book_id = $1 AND message_id = $2
           AND state IN ('done', 'uncertain', 'parked', 'skipped')
         RETURNING attempts",
        params![delivery.book_id, &delivery.message_id, now.0],
    )?;
    Ok(!rows.is_empty())
}

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: MessageId) -> Result<Option<Delivery>> {
    let row = tx.query_opt(
        "SELECT book_id, message_id, target, topic, subject, payload, customer_id, state, attempts,
                next_at, answer, occurred_at, closed_at
         FROM message_delivery WHERE book_id = $1 AND message_id = $2",
        params![book, &id],
    )?;
    row.as_ref().map(delivery).transpose()
}

pub(super) fn list(
    tx: &mut dyn Read,
    book: i64,
    target: Target,
    state: Option<DeliveryState>,
    before: MessageId,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let target = target.written();
    let rows = match state {
        None => tx.query(
            "SELECT book_id, message_id, target, topic, subject, payload, customer_id, state,
                    attempts, next_at, answer, occurred_at, closed_at
             FROM message_delivery WHERE book_id = $1 AND target = $2 AND message_id < $3
             ORDER BY message_id DESC LIMIT $4",
            params![book, &target, &before, limit],
        )?,
        Some(state) => tx.query(
            "SELECT book_id, message_id, target, topic, subject, payload, customer_id, state,
                    attempts, next_at, answer, occurred_at, closed_at
             FROM message_delivery
             WHERE book_id = $1 AND target = $2 AND message_id < $3 AND state = $5
             ORDER BY message_id DESC LIMIT $4",
            params![book, &target, &before, limit, state.name()],
        )?,
    };
    rows.iter().map(delivery).collect()
}

pub(super) fn choice(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<Option<Choice>> {
    let row = tx.query_opt(
        "SELECT language, declined FROM message_choice WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    row.map(|row| {
        // A word of a later version is as good as none.
        Ok(Choice {
            language: Language::parse(row.text(0)?).ok(),
            declined: row
                .text(1)?
                .split_whitespace()
                .filter_map(|kind| Kind::parse(kind).ok())
                .collect(),
        })
    })
    .transpose()
}

pub(super) fn set_choice(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    chosen: &Choice,
) -> Result<()> {
    let language = chosen.language.map_or("", Language::name);
    let declined: Vec<&str> = chosen.declined.iter().map(|k| k.name()).collect();
    let declined = declined.join(" ");
    tx.put(
        "INSERT INTO message_choice (book_id, customer_id, language, declined)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, customer_id) DO UPDATE SET language = excluded.language,
            declined = excluded.declined",
        params![book, &customer, language, &declined],
    )
}

/// A lot that is going to expire.
pub(super) struct Soon {
    pub account_id: i64,
    pub grant_id: i64,
    pub expires_at: Timestamp,
}

/// Lots that expire from now to `until` and were not told of.
pub(super) fn lots_soon(
    tx: &mut dyn Read,
    book: i64,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Soon>> {
    let now = tx.now();
    let rows = tx.query(
        "SELECT d.account_id, d.grant_id, d.expires_at FROM lot_due d
         WHERE d.book_id = $1 AND d.expires_at > $2 AND d.expires_at <= $3
           AND NOT EXISTS (SELECT 1 FROM lot_notice n WHERE n.book_id = d.book_id
                AND n.account_id = d.account_id AND n.grant_id = d.grant_id)
         ORDER BY d.expires_at, d.account_id, d.grant_id LIMIT $4",
        params![book, now.0, until.0, limit],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Soon {
                account_id: row.int(0)?,
                grant_id: row.int(1)?,
                expires_at: Timestamp(row.int(2)?),
            })
        })
        .collect()
}

/// False when it was told of before.
pub(super) fn insert_notice(tx: &mut Tx<'_>, book: i64, account: i64, grant: i64) -> Result<bool> {
    let now = tx.now();
    let rows = tx.execute_returning(
        "INSERT INTO lot_notice (book_id, account_id, grant_id, noticed_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, account_id, grant_id) DO NOTHING RETURNING noticed_at",
        params![book, account, grant, now.0],
    )?;
    Ok(!rows.is_empty())
}

/// Whose a wallet is.
pub(super) fn owner(tx: &mut dyn Read, book: i64, account: i64) -> Result<Option<CustomerId>> {
    let row = tx.query_opt(
        "SELECT owner FROM account WHERE book_id = $1 AND account_id = $2 AND owner IS NOT NULL",
        params![book, account],
    )?;
    row.map(|row| CustomerId::from_row(&row, 0)).transpose()
}
