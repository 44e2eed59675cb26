//! The table of accounts that are opened late.

use scrip_engine::{Read, Store, Tx, params};
use scrip_ledger::{AccountKind, Result};

pub(super) fn find(
    tx: &mut dyn Read,
    book: i64,
    kind: AccountKind,
    asset: i64,
) -> Result<Option<i64>> {
    let row = tx.query_opt(
        "SELECT account_id FROM book_account
         WHERE book_id = $1 AND kind = $2 AND asset_id = $3",
        params![book, kind.name(), asset],
    )?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    book: i64,
    kind: AccountKind,
    asset: i64,
    account: i64,
) -> Result<()> {
    tx.put(
        "INSERT INTO book_account (book_id, kind, asset_id, account_id) VALUES ($1, $2, $3, $4)",
        params![book, kind.name(), asset, account],
    )?;
    Ok(())
}

pub(super) fn lock_vendor(tx: &mut Tx<'_>, book: i64) -> Result<()> {
    tx.query_locked(
        "SELECT book_id FROM vendor WHERE book_id = $1",
        params![book],
    )?;
    Ok(())
}
