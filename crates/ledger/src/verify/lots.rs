//! Lots and grants.

use super::{Book, Report};
use crate::account::AccountKind;
use crate::amount::Amount;
use crate::error::Result;
use scrip_engine::{Read, Timestamp, params};
use std::collections::{BTreeMap, BTreeSet};

/// Stored lots are those that the transfers leave, and no grant gave out more than it has.
pub(super) fn check(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let mut stored: BTreeMap<(i64, i64), Amount> = BTreeMap::new();
    tx.query_each(
        "SELECT account_id, grant_id, remaining FROM lot WHERE book_id = $1",
        params![book.book_id],
        &mut |row| {
            stored.insert((row.int(0)?, row.int(1)?), Amount::from_units(row.int(2)?));
            Ok(())
        },
    )?;
    let mut held: BTreeMap<i64, Amount> = BTreeMap::new();
    for ((account, grant), expected) in &book.lots {
        let found = stored.remove(&(*account, *grant)).unwrap_or_default();
        if found != *expected {
            let problem = format!("has {found} units, its transfers leave {expected}");
            report.wrong("lot", format!("{account}/{grant}"), problem);
        }
        let sum = held.entry(*grant).or_default();
        *sum = sum.plus(*expected).unwrap_or(*sum);
    }
    for ((account, grant), found) in stored {
        let problem = format!("has {found} units, no transfer");
        report.wrong("lot", format!("{account}/{grant}"), problem);
    }
    check_grants(book, &held, report);
    check_dues(tx, book, report)
}

/// The index of lots by expiry has each lot of a wallet that may expire, and no other.
fn check_dues(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let mut stored: BTreeSet<(i64, i64, i64)> = BTreeSet::new();
    tx.query_each(
        "SELECT expires_at, account_id, grant_id FROM lot_due WHERE book_id = $1",
        params![book.book_id],
        &mut |row| {
            stored.insert((row.int(0)?, row.int(1)?, row.int(2)?));
            Ok(())
        },
    )?;
    for ((account, grant), left) in &book.lots {
        let wallet = book.accounts.get(account).and_then(|a| a.kind) == Some(AccountKind::Wallet);
        let expires_at = book
            .grants
            .get(grant)
            .map_or(Timestamp::NEVER, |g| g.expires_at);
        let may_expire = wallet && left.is_positive() && expires_at != Timestamp::NEVER;
        if may_expire && !stored.remove(&(expires_at.0, *account, *grant)) {
            report.wrong("lot_due", format!("{account}/{grant}"), "is missing");
        }
    }
    for (_, account, grant) in stored {
        report.wrong("lot_due", format!("{account}/{grant}"), "has no lot");
    }
    Ok(())
}

fn check_grants(book: &Book, held: &BTreeMap<i64, Amount>, report: &mut Report) {
    for (id, grant) in &book.grants {
        let held = held.get(id).copied().unwrap_or_default();
        let most = grant.issued.max(held);
        if most > grant.quantity {
            let problem = format!("granted {} units, {most} were issued", grant.quantity);
            report.wrong("token_grant", id, problem);
        }
    }
    let mut missing = BTreeSet::new();
    let mut other_asset = BTreeSet::new();
    for transfer in book.transfers.values() {
        let Some(grant) = transfer.grant_id else {
            continue;
        };
        match book.grants.get(&grant) {
            None => drop(missing.insert(grant)),
            Some(g) if g.asset_id == transfer.asset_id => {}
            Some(_) if book.altered.contains(&transfer.entry_id) => {
                let problem = format!("moves grant {grant}, which is of another asset");
                report.wrong("transfer", transfer.transfer_id, problem);
            }
            Some(_) => drop(other_asset.insert(grant)),
        }
    }
    for grant in missing {
        report.wrong("token_grant", grant, "is missing, transfers move it");
    }
    for grant in other_asset {
        report.wrong(
            "token_grant",
            grant,
            "is of another asset than its transfers",
        );
    }
}
