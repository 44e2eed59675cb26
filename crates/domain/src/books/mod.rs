//! Accounts of a vendor's book that are opened when they are first needed: bank, receivable,
//! earned, breakage, sales, charges, payback (TOK-11, TOK-12, SHP-17).

mod store;

use crate::actor::Actor;
use crate::id::TokenOrderId;
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx};
use scrip_ledger::{
    AccountKind, Amount, Asset, Leg, NewAccount, Posting, Result, account_open, entry_post,
};

/// The code of the entry by which money came that has to go back.
pub const PAYBACK_CAME: &str = "payback_came";

/// Books money that a card paid for nothing: the processor owes it, and it has to go back. The
/// event is the token order; returns the entry.
pub fn payback_came(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    order: TokenOrderId,
    amount: Amount,
) -> Result<i64> {
    let payback = account(tx, vendor, AccountKind::Payback)?;
    let effective_at = tx.now();
    entry_post(
        tx,
        &Posting {
            book_id: vendor.book_id,
            event_id: order.0,
            code: PAYBACK_CAME,
            actor: &Actor::System.to_string(),
            reference: &order.to_string(),
            effective_at,
            legs: &[Leg {
                debit: vendor.accounts.processor,
                credit: payback,
                amount,
                grant: None,
            }],
        },
    )
}

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
