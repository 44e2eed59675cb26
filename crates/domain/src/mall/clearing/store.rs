//! The tables of clearings.

use super::{Clearing, Clears, Position};
use crate::mall::{Member, Result};
use scrip_engine::{Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

/// What a clearing counts of a line.
pub(super) struct Cleared {
    pub debtor: i64,
    pub creditor: i64,
    pub owed: Amount,
    pub received: Amount,
    pub residue: Amount,
    pub royalty: Amount,
    pub drawn: Amount,
}

/// Marks every line that no clearing has counted yet as counted by this one, and returns them. A
/// line that is written meanwhile stays for the next clearing, whatever its time is.
pub(super) fn lines_clear(
    tx: &mut Tx<'_>,
    mall: i64,
    clearing: i64,
    franchise: Option<i64>,
) -> Result<Vec<Cleared>> {
    let rows = match franchise {
        None => tx.execute_returning(
            "UPDATE settlement SET clearing_no = $2 WHERE book_id = $1 AND clearing_no IS NULL
             RETURNING debtor_book, creditor_book, owed, received, residue, royalty, drawn",
            params![mall, clearing],
        )?,
        Some(parent) => tx.execute_returning(
            "UPDATE settlement SET clearing_no = $2 WHERE book_id = $1 AND clearing_no IS NULL
               AND (debtor_book = $3 OR debtor_book IN (SELECT f.member_book FROM mall_franchise f
                    WHERE f.book_id = $1 AND f.parent_book = $3))
               AND (creditor_book = $3 OR creditor_book IN (SELECT f.member_book
                    FROM mall_franchise f WHERE f.book_id = $1 AND f.parent_book = $3))
             RETURNING debtor_book, creditor_book, owed, received, residue, royalty, drawn",
            params![mall, clearing, parent],
        )?,
    };
    rows.iter()
        .map(|row| {
            Ok(Cleared {
                debtor: row.int(0)?,
                creditor: row.int(1)?,
                owed: Amount::from_units(row.int(2)?),
                received: Amount::from_units(row.int(3)?),
                residue: Amount::from_units(row.int(4)?),
                royalty: Amount::from_units(row.int(5)?),
                drawn: Amount::from_units(row.int(6)?),
            })
        })
        .collect()
}

pub(super) fn insert_clearing(tx: &mut Tx<'_>, mall: i64, clearing: &Clearing) -> Result<()> {
    tx.put(
        "INSERT INTO clearing (book_id, clearing_no, closed_at, franchise_book)
         VALUES ($1, $2, $3, $4)",
        params![
            mall,
            clearing.number,
            clearing.closed_at.0,
            clearing.franchise.unwrap_or(0)
        ],
    )?;
    for (member, position) in &clearing.positions {
        tx.put(
            "INSERT INTO clearing_position (book_id, clearing_no, member_book, net, paid, carried)
             VALUES ($1, $2, $3, $4, $5, $6)",
            params![
                mall,
                clearing.number,
                *member,
                position.net.units(),
                position.paid.units(),
                position.carried.units()
            ],
        )?;
    }
    Ok(())
}

/// The number of the newest clearing, of whomever; 0 before the first.
pub(super) fn newest_number(tx: &mut dyn Read, mall: i64) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COALESCE(MAX(clearing_no), 0) FROM clearing WHERE book_id = $1",
        params![mall],
    )?;
    Ok(row.int(0)?)
}

pub(super) fn newest_clearing(
    tx: &mut dyn Read,
    mall: i64,
    franchise: Option<i64>,
) -> Result<Option<Clearing>> {
    let row = tx.query_opt(
        "SELECT clearing_no, closed_at, franchise_book FROM clearing
         WHERE book_id = $1 AND franchise_book = $2 ORDER BY clearing_no DESC LIMIT 1",
        params![mall, franchise.unwrap_or(0)],
    )?;
    row.map(|row| clearing(tx, mall, &row)).transpose()
}

fn clearing(tx: &mut dyn Read, mall: i64, row: &Row) -> Result<Clearing> {
    let number = row.int(0)?;
    let positions = tx.query(
        "SELECT member_book, net, paid, carried FROM clearing_position
         WHERE book_id = $1 AND clearing_no = $2 ORDER BY member_book",
        params![mall, number],
    )?;
    let positions = positions.iter().map(|row| {
        let position = Position {
            net: Amount::from_units(row.int(1)?),
            paid: Amount::from_units(row.int(2)?),
            carried: Amount::from_units(row.int(3)?),
        };
        Ok((row.int(0)?, position))
    });
    let franchise = row.int(2)?;
    Ok(Clearing {
        number,
        franchise: (franchise != 0).then_some(franchise),
        closed_at: Timestamp(row.int(1)?),
        positions: positions.collect::<Result<_>>()?,
    })
}

pub(super) fn clearings(tx: &mut dyn Read, mall: i64, limit: i64) -> Result<Vec<Clearing>> {
    let rows = tx.query(
        "SELECT clearing_no, closed_at, franchise_book FROM clearing WHERE book_id = $1
         ORDER BY clearing_no DESC LIMIT $2",
        params![mall, limit],
    )?;
    rows.iter().map(|row| clearing(tx, mall, row)).collect()
}

pub(super) fn set_franchise_clears(tx: &mut Tx<'_>, parent: &Member, clears: Clears) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO mall_franchise_clears (book_id, parent_book, clears, since)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, parent_book) DO UPDATE SET clears = excluded.clears",
        params![parent.mall_book, parent.book_id, clears.name(), now.0],
    )?;
    Ok(())
}

/// Parents, how often their franchises clear, and since when they do.
pub(super) fn franchise_clears(
    tx: &mut dyn Read,
    mall: i64,
) -> Result<Vec<(i64, Clears, Timestamp)>> {
    let rows = tx.query(
        "SELECT parent_book, clears, since FROM mall_franchise_clears WHERE book_id = $1
         ORDER BY parent_book",
        params![mall],
    )?;
    rows.iter()
        .map(|row| {
            let clears = Clears::parse(row.text(1)?)?;
            Ok((row.int(0)?, clears, Timestamp(row.int(2)?)))
        })
        .collect()
}

pub(super) fn set_clears(tx: &mut Tx<'_>, mall: i64, clears: Clears) -> Result<()> {
    tx.put(
        "UPDATE mall SET clears = $2 WHERE book_id = $1",
        params![mall, clears.name()],
    )?;
    Ok(())
}
