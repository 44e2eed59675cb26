//! Accounts of a vendor's book that are opened when they are first needed: bank, receivable,
//! earned, breakage, sales, charges (TOK-11, TOK-12, SHP-17).

mod store;

use crate::vendor::Vendor;
use scrip_engine::{Read, Tx};
use scrip_ledger::{AccountKind, Asset, NewAccount, Result, account_open};

/// The vendor's account of a kind in its currency; opened now if there is none.
pub fn account(tx: &mut Tx<'_>, vendor: &Vendor, kind: AccountKind) -> Result<i64> {
    account_of(tx, vendor.book_id, &vendor.currency, kind)
}

/// The account of a book, a kind and an asset; opened now if there is none.
pub fn account_of(tx: &mut Tx<'_>, book_id: i64, asset: &Asset, kind: AccountKind) -> Result<i64> {
    if let Some(known) = store::find(tx, book_id, kind, asset.asset_id)? {
        return Ok(known);
    }
    // Of two that find none at once, one opens it and the other one finds it.
    store::lock_vendor(tx, book_id)?;
    if let Some(known) = store::find(tx, book_id, kind, asset.asset_id)? {
        return Ok(known);
    }
    let new = NewAccount {
        book_id,
        asset_id: asset.asset_id,
        kind,
        label: &asset.code,
        owner: None,
        counterparty: None,
    };
    let opened = account_open(tx, &new)?;
    store::insert(tx, book_id, kind, asset.asset_id, opened)?;
    Ok(opened)
}

/// The vendor's account of a kind in its currency, for those who only look; `None` when it was
/// never needed.
pub fn account_found(tx: &mut dyn Read, vendor: &Vendor, kind: AccountKind) -> Result<Option<i64>> {
    store::find(tx, vendor.book_id, kind, vendor.currency.asset_id)
}
