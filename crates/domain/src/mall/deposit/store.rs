//! The tables of deposits and tolls.

use super::{Deposit, TakesRoyalty, Toll};
use crate::mall::{Mall, Member, Result};
use scrip_engine::{Error, Read, Store, Tx, params};
use scrip_ledger::{AccountKind, Amount, NewAccount, account_open};

pub(super) fn deposit(tx: &mut dyn Read, mall: i64, member: i64) -> Result<Option<Deposit>> {
    let row = tx.query_opt(
        "SELECT member_account, mall_account, remaining, low_water FROM mall_deposit
         WHERE book_id = $1 AND member_book = $2",
        params![mall, member],
    )?;
    let row = row.map(|row| {
        Ok(Deposit {
            member_account: row.int(0)?,
            mall_account: row.int(1)?,
            remaining: Amount::from_units(row.int(2)?),
            low_water: Amount::from_units(row.int(3)?),
        })
    });
    row.transpose()
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

pub(super) fn update_deposit(tx: &mut Tx<'_>, member: &Member, new: &Deposit) -> Result<()> {
    tx.put(
        "UPDATE mall_deposit SET remaining = $3, low_water = $4
         WHERE book_id = $1 AND member_book = $2",
        params![
            member.mall_book,
            member.book_id,
            new.remaining.units(),
            new.low_water.units()
        ],
    )?;
    Ok(())
}

/// The mall's account of money at its bank; opened now if there is none.
pub(super) fn mall_bank(tx: &mut Tx<'_>, mall: &Mall) -> Result<i64> {
    let known = tx.query_opt(
        "SELECT account_id FROM account WHERE book_id = $1 AND kind = 'bank' ORDER BY account_id",
        params![mall.book_id],
    )?;
    if let Some(row) = known {
        return Ok(row.int(0)?);
    }
    let new = NewAccount {
        book_id: mall.book_id,
        asset_id: mall.currency.asset_id,
        kind: AccountKind::Bank,
        label: &mall.currency.code,
        owner: None,
        counterparty: None,
    };
    Ok(account_open(tx, &new)?)
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
