//! The tables of deposits and tolls.

use super::{Deposit, Kept, Settles, TakesRoyalty, Toll};
use crate::mall::{Mall, Member, Result};
use scrip_engine::{Error, Read, Store, Tx, params};
use scrip_ledger::Amount;

pub(super) fn kept(tx: &mut dyn Read, member: &Member) -> Result<Option<Kept>> {
    let row = tx.query_opt(
        "SELECT d.member_account, d.mall_account, d.remaining, d.low_water, d.is_warned,
                COALESCE((SELECT CAST(SUM(s.remaining) AS BIGINT) FROM mall_deposit_slice s
                          WHERE s.book_id = $1 AND s.member_book = $2), 0)
         FROM mall_deposit d WHERE d.book_id = $1 AND d.member_book = $2",
        params![member.mall_book, member.book_id],
    )?;
    let row = row.map(|row| {
        let main = Amount::from_units(row.int(2)?);
        Ok(Kept {
            deposit: Deposit {
                member_account: row.int(0)?,
                mall_account: row.int(1)?,
                remaining: main.plus(Amount::from_units(row.int(5)?))?,
                low_water: Amount::from_units(row.int(3)?),
            },
            main,
            is_warned: row.bool(4)?,
        })
    });
    row.transpose()
}

/// The accounts of a deposit, and what a slice of it holds.
pub(super) fn slice(
    tx: &mut dyn Read,
    member: &Member,
    slice: i64,
) -> Result<Option<((i64, i64), Amount)>> {
    let row = tx.query_opt(
        "SELECT d.member_account, d.mall_account, COALESCE(s.remaining, 0)
         FROM mall_deposit d LEFT JOIN mall_deposit_slice s
            ON s.book_id = $1 AND s.member_book = $2 AND s.slice_no = $3
         WHERE d.book_id = $1 AND d.member_book = $2",
        params![member.mall_book, member.book_id, slice],
    )?;
    let row = row.map(|row| {
        let held = Amount::from_units(row.int(2)?);
        Ok(((row.int(0)?, row.int(1)?), held))
    });
    row.transpose()
}

pub(super) fn set_slice(
    tx: &mut Tx<'_>,
    member: &Member,
    slice: i64,
    remaining: Amount,
) -> Result<()> {
    tx.put(
        "INSERT INTO mall_deposit_slice (book_id, member_book, slice_no, remaining)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, member_book, slice_no)
            DO UPDATE SET remaining = excluded.remaining",
        params![member.mall_book, member.book_id, slice, remaining.units()],
    )?;
    Ok(())
}

pub(super) fn insert_deposit(tx: &mut Tx<'_>, member: &Member, new: &Deposit) -> Result<()> {
    tx.put(
        "INSERT INTO mall_deposit (book_id, member_book, member_account, mall_account, remaining,
                                   low_water)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            member.mall_book,
            member.book_id,
            new.member_account,
            new.mall_account,
            new.remaining.units(),
            new.low_water.units()
        ],
    )?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, member: &Member, new: &Kept) -> Result<()> {
    tx.put(
        "UPDATE mall_deposit SET remaining = $3, low_water = $4, is_warned = $5
         WHERE book_id = $1 AND member_book = $2",
        params![
            member.mall_book,
            member.book_id,
            new.main.units(),
            new.deposit.low_water.units(),
            new.is_warned
        ],
    )?;
    Ok(())
}

/// The mall's account of money at its bank.
pub(super) fn mall_bank(tx: &mut dyn Read, mall: &Mall) -> Result<Option<i64>> {
    let known = tx.query_opt(
        "SELECT account_id FROM account WHERE book_id = $1 AND kind = 'bank' ORDER BY account_id",
        params![mall.book_id],
    )?;
    Ok(known.map(|row| row.int(0)).transpose()?)
}

pub(super) fn set_settles(tx: &mut Tx<'_>, book: i64, settles: Settles) -> Result<()> {
    tx.put(
        "UPDATE mall_member SET settles = $2 WHERE book_id = $1",
        params![book, settles.name()],
    )?;
    Ok(())
}

pub(super) fn takes_royalty(tx: &mut dyn Read, book: i64) -> Result<TakesRoyalty> {
    let row = tx.query_one(
        "SELECT takes_royalty FROM mall_member WHERE book_id = $1",
        params![book],
    )?;
    let takes = TakesRoyalty::parse(row.text(0)?);
    Ok(takes.map_err(|e| Error::Corrupt(format!("member {book}: {e}")))?)
}

pub(super) fn set_takes_royalty(tx: &mut Tx<'_>, book: i64, takes: TakesRoyalty) -> Result<()> {
    tx.put(
        "UPDATE mall_member SET takes_royalty = $2 WHERE book_id = $1",
        params![book, takes.name()],
    )?;
    Ok(())
}

pub(super) fn toll(tx: &mut dyn Read, mall: i64, toll: Toll) -> Result<Amount> {
    let row = tx.query_opt(
        "SELECT price FROM mall_toll WHERE book_id = $1 AND kind = $2",
        params![mall, toll.name()],
    )?;
    Ok(row.map_or(Ok(Amount::ZERO), |row| row.int(0).map(Amount::from_units))?)
}

pub(super) fn set_toll(tx: &mut Tx<'_>, mall: i64, toll: Toll, price: Amount) -> Result<()> {
    tx.put(
        "INSERT INTO mall_toll (book_id, kind, price) VALUES ($1, $2, $3)
         ON CONFLICT (book_id, kind) DO UPDATE SET price = excluded.price",
        params![mall, toll.name(), price.units()],
    )?;
    Ok(())
}
