//! The table of payments.

use super::{Invoice, Payment};
use crate::mall::{Position, Result};
use scrip_engine::{Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

const OF_MEMBER: &str =
    "SELECT c.clearing_no, p.member_book, c.closed_at, p.net, p.paid, p.carried,
        y.event_id, y.reference, y.paid_at, y.member_entry, y.mall_entry
    FROM clearing_position p
    JOIN clearing c ON c.book_id = p.book_id AND c.clearing_no = p.clearing_no
    LEFT JOIN clearing_payment y ON y.book_id = p.book_id AND y.clearing_no = p.clearing_no
        AND y.member_book = p.member_book
    WHERE p.book_id = $1 AND p.member_book = $2
    ORDER BY c.clearing_no DESC LIMIT $3";
const OF_ALL: &str = "SELECT c.clearing_no, p.member_book, c.closed_at, p.net, p.paid, p.carried,
        y.event_id, y.reference, y.paid_at, y.member_entry, y.mall_entry
    FROM clearing_position p
    JOIN clearing c ON c.book_id = p.book_id AND c.clearing_no = p.clearing_no
    LEFT JOIN clearing_payment y ON y.book_id = p.book_id AND y.clearing_no = p.clearing_no
        AND y.member_book = p.member_book
    WHERE p.book_id = $1
    ORDER BY c.clearing_no DESC, p.member_book LIMIT $2";
const ONE: &str = "SELECT c.clearing_no, p.member_book, c.closed_at, p.net, p.paid, p.carried,
        y.event_id, y.reference, y.paid_at, y.member_entry, y.mall_entry
    FROM clearing_position p
    JOIN clearing c ON c.book_id = p.book_id AND c.clearing_no = p.clearing_no
    LEFT JOIN clearing_payment y ON y.book_id = p.book_id AND y.clearing_no = p.clearing_no
        AND y.member_book = p.member_book
    WHERE p.book_id = $1 AND p.member_book = $2 AND p.clearing_no = $3";

fn invoice(row: &Row) -> Result<Invoice> {
    let amount = |column| Ok::<_, scrip_engine::Error>(Amount::from_units(row.int(column)?));
    let payment = match row.opt_int(8)? {
        Some(at) => Some(Payment {
            event_id: row.uuid(6)?,
            reference: row.text(7)?.to_owned(),
            at: Timestamp(at),
            entries: (row.int(9)?, row.int(10)?),
        }),
        None => None,
    };
    Ok(Invoice {
        number: row.int(0)?,
        member: row.int(1)?,
        closed_at: Timestamp(row.int(2)?),
        position: Position {
            net: amount(3)?,
            paid: amount(4)?,
            carried: amount(5)?,
        },
        payment,
    })
}

pub(super) fn of_member(
    tx: &mut dyn Read,
    mall: i64,
    member: i64,
    limit: i64,
) -> Result<Vec<Invoice>> {
    let rows = tx.query(OF_MEMBER, params![mall, member, limit])?;
    rows.iter().map(invoice).collect()
}

pub(super) fn of_all(tx: &mut dyn Read, mall: i64, limit: i64) -> Result<Vec<Invoice>> {
    let rows = tx.query(OF_ALL, params![mall, limit])?;
    rows.iter().map(invoice).collect()
}

pub(super) fn one(
    tx: &mut dyn Read,
    mall: i64,
    member: i64,
    number: i64,
) -> Result<Option<Invoice>> {
    let row = tx.query_opt(ONE, params![mall, member, number])?;
    row.as_ref().map(invoice).transpose()
}

/// What the clearing before carried: the one before it of all, or of the same franchise.
pub(super) fn carried_into(
    tx: &mut dyn Read,
    mall: i64,
    member: i64,
    number: i64,
) -> Result<Amount> {
    let row = tx.query_opt(
        "SELECT p.carried FROM clearing c
         JOIN clearing b ON b.book_id = c.book_id AND b.franchise_book = c.franchise_book
            AND b.clearing_no < c.clearing_no
         JOIN clearing_position p ON p.book_id = b.book_id AND p.clearing_no = b.clearing_no
            AND p.member_book = $2
         WHERE c.book_id = $1 AND c.clearing_no = $3
         ORDER BY b.clearing_no DESC LIMIT 1",
        params![mall, member, number],
    )?;
    let carried = row.map(|row| row.int(0)).transpose()?;
    Ok(carried.map_or(Amount::ZERO, Amount::from_units))
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    (mall, member): (i64, i64),
    number: i64,
    payment: &Payment,
) -> Result<()> {
    tx.put(
        "INSERT INTO clearing_payment (book_id, clearing_no, member_book, event_id, member_entry,
                                       mall_entry, reference, paid_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            mall,
            number,
            member,
            &payment.event_id,
            payment.entries.0,
            payment.entries.1,
            payment.reference.as_str(),
            payment.at.0
        ],
    )?;
    Ok(())
}
