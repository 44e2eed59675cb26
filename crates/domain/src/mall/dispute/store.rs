//! The table of disputes.

use super::{Dispute, DisputeState};
use crate::mall::Result;
use scrip_engine::{Error, Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) fn insert(tx: &mut Tx<'_>, mall: i64, new: &Dispute) -> Result<()> {
    tx.put(
        "INSERT INTO mall_dispute (book_id, dispute_no, event_id, member_book, state, reason, answer,
                                   opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            mall,
            new.number,
            &new.event_id,
            new.member,
            new.state.name(),
            new.reason.as_str(),
            new.answer.as_str(),
            new.opened_at.0
        ],
    )?;
    Ok(())
}

pub(super) fn close(tx: &mut Tx<'_>, mall: i64, closed: &Dispute) -> Result<()> {
    tx.put(
        "UPDATE mall_dispute SET state = $3, answer = $4, adjustment = $5, closed_at = $6
         WHERE book_id = $1 AND dispute_no = $2",
        params![
            mall,
            closed.number,
            closed.state.name(),
            closed.answer.as_str(),
            closed.adjustment.as_ref(),
            closed.closed_at.map(|at| at.0)
        ],
    )?;
    Ok(())
}

/// The number of the newest one; 0 before the first.
pub(super) fn newest(tx: &mut dyn Read, mall: i64) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COALESCE(MAX(dispute_no), 0) FROM mall_dispute WHERE book_id = $1",
        params![mall],
    )?;
    Ok(row.int(0)?)
}

/// The number of the one that is open about a line.
pub(super) fn open_of(tx: &mut dyn Read, mall: i64, event: Uuid) -> Result<Option<i64>> {
    let row = tx.query_opt(
        "SELECT dispute_no FROM mall_dispute
         WHERE book_id = $1 AND event_id = $2 AND state = 'open'",
        params![mall, &event],
    )?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

pub(super) fn open_lines(tx: &mut dyn Read, mall: i64, member: i64) -> Result<BTreeSet<Uuid>> {
    let rows = tx.query(
        "SELECT event_id FROM mall_dispute
         WHERE book_id = $1 AND member_book = $2 AND state = 'open'",
        params![mall, member],
    )?;
    rows.iter().map(|row| Ok(row.uuid(0)?)).collect()
}

/// What adjustments of disputes about a line came to.
pub(super) fn adjusted(tx: &mut dyn Read, mall: i64, event: Uuid) -> Result<Amount> {
    let rows = tx.query(
        "SELECT s.received, s.owed FROM mall_dispute d
         JOIN settlement s ON s.book_id = d.book_id AND s.event_id = d.adjustment
         WHERE d.book_id = $1 AND d.event_id = $2",
        params![mall, &event],
    )?;
    let mut sum = Amount::ZERO;
    for row in &rows {
        let moved = row.int(0)?.max(row.int(1)?);
        sum = sum.plus(Amount::from_units(moved))?;
    }
    Ok(sum)
}

fn found(row: &Row) -> Result<Dispute> {
    let number = row.int(0)?;
    let state = DisputeState::parse(row.text(3)?)
        .map_err(|e| Error::Corrupt(format!("dispute {number}: {e}")))?;
    Ok(Dispute {
        number,
        event_id: row.uuid(1)?,
        member: row.int(2)?,
        state,
        reason: row.text(4)?.to_owned(),
        answer: row.text(5)?.to_owned(),
        adjustment: row.opt_uuid(6)?,
        opened_at: Timestamp(row.int(7)?),
        closed_at: row.opt_int(8)?.map(Timestamp),
    })
}

pub(super) fn dispute(tx: &mut dyn Read, mall: i64, number: i64) -> Result<Option<Dispute>> {
    let row = tx.query_opt(
        "SELECT dispute_no, event_id, member_book, state, reason, answer, adjustment, opened_at,
                closed_at
         FROM mall_dispute WHERE book_id = $1 AND dispute_no = $2",
        params![mall, number],
    )?;
    row.as_ref().map(found).transpose()
}

pub(super) fn disputes(
    tx: &mut dyn Read,
    mall: i64,
    member: Option<i64>,
    limit: i64,
) -> Result<Vec<Dispute>> {
    let rows = match member {
        Some(member) => tx.query(
            "SELECT dispute_no, event_id, member_book, state, reason, answer, adjustment, opened_at,
                    closed_at
             FROM mall_dispute WHERE book_id = $1 AND member_book = $2
             ORDER BY dispute_no DESC LIMIT $3",
            params![mall, member, limit],
        )?,
        None => tx.query(
            "SELECT dispute_no, event_id, member_book, state, reason, answer, adjustment, opened_at,
                    closed_at
             FROM mall_dispute WHERE book_id = $1 ORDER BY dispute_no DESC LIMIT $2",
            params![mall, limit],
        )?,
    };
    rows.iter().map(found).collect()
}
