//! Entries and transfers: all there, unchanged, between accounts that exist.

use super::{Book, Report};
use crate::account::AccountKind;
use crate::entry::{Entry, TRANSFERS_AT_MOST, Transfer, entry_digest};
use std::collections::BTreeSet;

/// Each entry has all its transfers, its digest is that of its rows, and each transfer has its
/// entry.
pub(super) fn check(book: &mut Book, report: &mut Report) {
    for (id, entry) in &book.entries {
        let possible = usize::try_from(entry.transfers).is_ok_and(|n| n <= TRANSFERS_AT_MOST);
        if !possible {
            let problem = format!("cannot have {} transfers", entry.transfers);
            report.wrong("entry", id, problem);
            book.altered.insert(*id);
            continue;
        }
        let own: Vec<Transfer> = book.transfers_of(entry).cloned().collect();
        if entry_digest(book.book_id, entry, &own) == entry.digest {
            continue;
        }
        book.altered.insert(*id);
        let end = id.saturating_add(entry.transfers);
        let missing: Vec<i64> = (*id..end)
            .filter(|t| !book.transfers.contains_key(t))
            .collect();
        if missing.is_empty() || counts_too_many(book, entry, &own) {
            let problem = "it or one of its transfers was changed: wrong digest";
            report.wrong("entry", id, problem);
            continue;
        }
        for transfer in missing {
            report.wrong("transfer", transfer, format!("is missing from entry {id}"));
            book.missing.insert(transfer);
        }
    }
    check_homes(book, report);
}

/// True where the entry is whole and only says that it has more transfers.
fn counts_too_many(book: &Book, entry: &Entry, own: &[Transfer]) -> bool {
    let own: Vec<Transfer> = own
        .iter()
        .filter(|t| t.entry_id == entry.entry_id)
        .cloned()
        .collect();
    let counted = Entry {
        transfers: i64::try_from(own.len()).unwrap_or(i64::MAX),
        ..entry.clone()
    };
    entry_digest(book.book_id, &counted, &own) == entry.digest
}

fn check_homes(book: &Book, report: &mut Report) {
    let covers =
        |e: &Entry, id: i64| id >= e.entry_id && id < e.entry_id.saturating_add(e.transfers);
    let mut missing = BTreeSet::new();
    for (id, transfer) in &book.transfers {
        if book
            .entries
            .get(&transfer.entry_id)
            .is_some_and(|e| covers(e, *id))
        {
            continue;
        }
        let around = book.entries.range(..=*id).next_back();
        match around.filter(|(_, e)| covers(e, *id)) {
            Some((entry, _)) => {
                let problem = format!("lies in entry {entry} and names {}", transfer.entry_id);
                report.wrong("transfer", id, problem);
            }
            None if book.entries.contains_key(&transfer.entry_id) => {
                let problem = format!("is not counted by entry {}", transfer.entry_id);
                report.wrong("transfer", id, problem);
            }
            None => {
                missing.insert(transfer.entry_id);
            }
        }
    }
    for entry in missing {
        report.wrong("entry", entry, "is missing, transfers of it are there");
    }
}

/// Adds every transfer to its accounts and lots.
pub(super) fn add_up(book: &mut Book, report: &mut Report) {
    let mut missing = BTreeSet::new();
    let mut overflowed = BTreeSet::new();
    for (id, t) in &book.transfers {
        let sides = [
            (t.debit, t.amount.negated(), t.debit_link),
            (t.credit, Ok(t.amount), t.credit_link),
        ];
        for (account_id, change, link) in sides {
            let Some(account) = book.accounts.get_mut(&account_id) else {
                missing.insert(account_id);
                continue;
            };
            if account.asset_id != t.asset_id {
                let problem = format!("account {account_id} holds another asset");
                report.wrong("transfer", id, problem);
            }
            let Ok(change) = change else { continue };
            match account.total.plus(change) {
                Ok(total) => account.total = total,
                Err(_) => drop(overflowed.insert(account_id)),
            }
            match (account.chained, link) {
                (true, Some(link)) => drop(account.chain.insert(*id, link)),
                (false, None) => {}
                (true, None) => report.wrong("transfer", id, "has no link to a chained account"),
                (false, Some(_)) => report.wrong("transfer", id, "has a link to a summed account"),
            }
            let Some(grant) = t.grant_id else { continue };
            if account.chained {
                let lot = book.lots.entry((account_id, grant)).or_default();
                *lot = lot.plus(change).unwrap_or(*lot);
            }
            if let (Some(AccountKind::Issued), Some(grant)) =
                (account.kind, book.grants.get_mut(&grant))
            {
                grant.issued = grant.issued.minus(change).unwrap_or(grant.issued);
            }
        }
    }
    for account in missing {
        report.wrong("account", account, "is missing, transfers of it are there");
    }
    for account in overflowed {
        report.wrong("account", account, "its transfers overflow");
    }
}
