//! The tables of what the processor told and took back.

use super::{Decision, Reversal, ReversalKind, ReversalState, Told};
use crate::id::Payable;
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

/// Events handled in one round.
const AT_ONCE: i64 = 200;

pub(super) struct Event {
    pub name: String,
    pub told: Told,
    pub received_at: Timestamp,
}

/// True when it was not there.
pub(super) fn insert(tx: &mut Tx<'_>, book: i64, name: &str, told: &Told) -> Result<bool> {
    let now = tx.now();
    let body = serde_json::to_string(told)
        .map_err(|e| Error::Statement(format!("an event as JSON: {e}")))?;
    let rows = tx.execute_returning(
        "INSERT INTO card_event (book_id, event, body, state, received_at)
         VALUES ($1, $2, $3, 'waiting', $4)
         ON CONFLICT (book_id, event) DO NOTHING RETURNING book_id",
        params![book, name, &body, now.0],
    )?;
    Ok(!rows.is_empty())
}

pub(super) fn waiting(tx: &mut dyn Read, book: i64) -> Result<Vec<Event>> {
    let rows = tx.query(
        "SELECT event, body, received_at FROM card_event
         WHERE book_id = $1 AND state = 'waiting' ORDER BY received_at LIMIT $2",
        params![book, AT_ONCE],
    )?;
    rows.iter()
        .map(|row| {
            let name = row.text(0)?.to_owned();
            Ok(Event {
                told: serde_json::from_str(row.text(1)?)
                    .map_err(|e| Error::Corrupt(format!("card event {name}: {e}")))?,
                received_at: Timestamp(row.int(2)?),
                name,
            })
        })
        .collect()
}

pub(super) fn set_state(tx: &mut Tx<'_>, book: i64, name: &str, state: &str) -> Result<()> {
    tx.put(
        "UPDATE card_event SET state = $3 WHERE book_id = $1 AND event = $2",
        params![book, name, state],
    )
}

/// Whoever books something about an order does so one after the other.
pub(super) fn lock_order(tx: &mut Tx<'_>, book: i64, order: Payable) -> Result<()> {
    let sql = match order {
        Payable::Tokens(_) => {
            "SELECT token_order_id FROM token_order WHERE book_id = $1 AND token_order_id = $2"
        }
        Payable::Goods(_) => {
            "SELECT card_order_id FROM card_order WHERE book_id = $1 AND card_order_id = $2"
        }
    };
    tx.query_locked(sql, params![book, order.uuid()]).map(drop)
}

fn reversal_row(row: &Row) -> Result<Reversal> {
    let name = row.text(0)?.to_owned();
    let wrong = |e| Error::Corrupt(format!("reversal {name}: {e}"));
    let decision = row.opt_text(9)?.map(Decision::parse).transpose();
    Ok(Reversal {
        order: Payable::from_row(row, 1)?,
        kind: ReversalKind::parse(row.text(3)?).map_err(wrong)?,
        amount: Amount::from_units(row.int(4)?),
        reason: row.text(5)?.to_owned(),
        state: ReversalState::parse(row.text(6)?).map_err(wrong)?,
        created_at: Timestamp(row.int(7)?),
        closed_at: row.opt_int(8)?.map(Timestamp),
        decision: decision.map_err(wrong)?,
        decided_by: row.opt_text(10)?.unwrap_or_default().to_owned(),
        decided_at: row.opt_int(11)?.map(Timestamp),
        note: row.text(12)?.to_owned(),
        taken: Amount::from_units(row.int(13)?),
        returned: Amount::from_units(row.int(14)?),
        name,
    })
}

pub(super) fn by_name(tx: &mut dyn Read, book: i64, name: &str) -> Result<Option<Reversal>> {
    let row = tx.query_opt(
        "SELECT reversal, paid, paid_id, kind, amount, reason, state, created_at, closed_at,
                decision, decided_by, decided_at, note, taken, returned
         FROM card_reversal WHERE book_id = $1 AND reversal = $2",
        params![book, name],
    )?;
    row.as_ref().map(reversal_row).transpose()
}

pub(super) fn of_order(tx: &mut dyn Read, book: i64, order: Payable) -> Result<Vec<Reversal>> {
    let rows = tx.query(
        "SELECT reversal, paid, paid_id, kind, amount, reason, state, created_at, closed_at,
                decision, decided_by, decided_at, note, taken, returned
         FROM card_reversal WHERE book_id = $1 AND paid_id = $2
         ORDER BY created_at, reversal",
        params![book, order.uuid()],
    )?;
    rows.iter().map(reversal_row).collect()
}

pub(super) fn recent(tx: &mut dyn Read, book: i64, limit: i64) -> Result<Vec<Reversal>> {
    // With a bound on the time: it keeps SQLite on the index.
    let rows = tx.query(
        "SELECT reversal, paid, paid_id, kind, amount, reason, state, created_at, closed_at,
                decision, decided_by, decided_at, note, taken, returned
         FROM card_reversal WHERE book_id = $1 AND created_at < $3
         ORDER BY created_at DESC, reversal DESC LIMIT $2",
        params![book, limit, i64::MAX],
    )?;
    rows.iter().map(reversal_row).collect()
}

pub(super) fn insert_reversal(
    tx: &mut Tx<'_>,
    book: i64,
    reversal: &Reversal,
    entry: i64,
) -> Result<()> {
    tx.put(
        "INSERT INTO card_reversal (book_id, reversal, paid, paid_id, kind, amount, reason,
           state, entry_id, back_entry_id, created_at, closed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, $11)",
        params![
            book,
            &reversal.name,
            reversal.order.kind(),
            reversal.order.uuid(),
            reversal.kind.name(),
            reversal.amount.units(),
            &reversal.reason,
            reversal.state.name(),
            entry,
            reversal.created_at.0,
            reversal.closed_at.map(|at| at.0)
        ],
    )
}

pub(super) fn decide(
    tx: &mut Tx<'_>,
    book: i64,
    name: &str,
    state: ReversalState,
    back: Option<i64>,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE card_reversal SET state = $3, back_entry_id = $4, closed_at = $5
         WHERE book_id = $1 AND reversal = $2",
        params![book, name, state.name(), back, now.0],
    )
}

/// What staff decided.
pub(super) fn set_decision(tx: &mut Tx<'_>, book: i64, reversal: &Reversal) -> Result<()> {
    tx.put(
        "UPDATE card_reversal SET decision = $3, decided_by = $4, decided_at = $5, note = $6,
                taken = $7
         WHERE book_id = $1 AND reversal = $2",
        params![
            book,
            &reversal.name,
            reversal.decision.map(Decision::name),
            &reversal.decided_by,
            reversal.decided_at.map(|at| at.0),
            &reversal.note,
            reversal.taken.units()
        ],
    )
}

pub(super) fn set_returned(tx: &mut Tx<'_>, book: i64, name: &str, tokens: Amount) -> Result<()> {
    tx.put(
        "UPDATE card_reversal SET returned = $3 WHERE book_id = $1 AND reversal = $2",
        params![book, name, tokens.units()],
    )
}
