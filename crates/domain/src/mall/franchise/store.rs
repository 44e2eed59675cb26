//! The table of franchises.

use super::Franchise;
use crate::mall::{Member, Result};
use scrip_engine::{Read, Store, Tx, params};

pub(super) fn franchise(tx: &mut dyn Read, child: &Member) -> Result<Option<Franchise>> {
    let row = tx.query_opt(
        "SELECT parent_book, is_fixed FROM mall_franchise WHERE book_id = $1 AND member_book = $2",
        params![child.mall_book, child.book_id],
    )?;
    let row = row.map(|row| {
        Ok(Franchise {
            parent: row.int(0)?,
            is_fixed: row.bool(1)?,
        })
    });
    row.transpose()
}

pub(super) fn insert(tx: &mut Tx<'_>, parent: &Member, child: &Member) -> Result<()> {
    tx.put(
        "INSERT INTO mall_franchise (book_id, member_book, parent_book, is_fixed)
         VALUES ($1, $2, $3, 0)",
        params![parent.mall_book, child.book_id, parent.book_id],
    )?;
    Ok(())
}

pub(super) fn remove(tx: &mut Tx<'_>, child: &Member) -> Result<()> {
    tx.put(
        "DELETE FROM mall_franchise WHERE book_id = $1 AND member_book = $2",
        params![child.mall_book, child.book_id],
    )?;
    Ok(())
}

/// The members of a parent's franchise, by book.
pub fn franchise_members(tx: &mut dyn Read, parent: &Member) -> Result<Vec<i64>> {
    let rows = tx.query(
        "SELECT member_book FROM mall_franchise WHERE book_id = $1 AND parent_book = $2
         ORDER BY member_book",
        params![parent.mall_book, parent.book_id],
    )?;
    rows.iter().map(|row| Ok(row.int(0)?)).collect()
}

pub(super) fn set_fixed(tx: &mut Tx<'_>, parent: &Member, is_fixed: bool) -> Result<()> {
    tx.put(
        "UPDATE mall_franchise SET is_fixed = $3 WHERE book_id = $1 AND parent_book = $2",
        params![parent.mall_book, parent.book_id, is_fixed],
    )?;
    Ok(())
}
