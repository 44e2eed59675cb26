//! Chained accounts: from the head back to the beginning, every transfer once, every balance the
//! one before plus the transfer, none below zero.

use super::{Account, Book, Report};
use crate::amount::Amount;
use std::collections::HashSet;

/// The way back from the head.
struct Path {
    /// Transfers, newest first.
    transfers: Vec<i64>,
    /// False where it ended before the account's beginning.
    whole: bool,
}

pub(super) fn check(book: &Book, report: &mut Report) {
    for (id, account) in &book.accounts {
        let Some((head, balance)) = account.head else {
            continue;
        };
        let path = walk(book, *id, account, head, report);
        if path.whole && path.transfers.len() != account.chain.len() {
            check_left_out(book, *id, account, &path, report);
        }
        check_balances(book, *id, account, &path, balance, report);
    }
}

fn walk(book: &Book, id: i64, account: &Account, head: i64, report: &mut Report) -> Path {
    let mut path = Path {
        transfers: Vec::new(),
        whole: true,
    };
    let mut seen = HashSet::new();
    let mut at = head;
    while at != 0 {
        let from = path.transfers.last().copied();
        if let Some((previous, _)) = account.chain.get(&at) {
            if seen.insert(at) {
                path.transfers.push(at);
                at = *previous;
                continue;
            }
            let culprit = from.unwrap_or(at);
            let problem = format!("the chain of account {id} runs in a circle");
            report.wrong("transfer", culprit, problem);
        } else if !book.missing.contains(&at) {
            let problem = format!("is not in account {id}, whose chain leads there");
            match from {
                None if !book.transfer_is_altered(at) => {
                    let problem = format!("its head is transfer {at}, which is not in it");
                    report.wrong("account_head", id, problem);
                }
                Some(from) if book.transfer_is_altered(from) => {
                    let problem = format!("its previous of account {id} is said to be {at}");
                    report.wrong("transfer", from, problem);
                }
                _ => report.wrong("transfer", at, problem),
            }
        }
        path.whole = false;
        return path;
    }
    path
}

/// Some transfers of the account are not on the path: who leads past them?
fn check_left_out(book: &Book, id: i64, account: &Account, path: &Path, report: &mut Report) {
    let on_path: HashSet<i64> = path.transfers.iter().copied().collect();
    let altered = |t: &&i64| book.transfer_is_altered(**t);
    let mut culprits: Vec<i64> = account
        .chain
        .keys()
        .filter(|t| !on_path.contains(t))
        .filter(altered)
        .copied()
        .collect();
    if culprits.is_empty() {
        culprits = path.transfers.iter().filter(altered).copied().collect();
    }
    culprits.sort_unstable();
    for transfer in &culprits {
        let problem = format!("breaks the chain of account {id}");
        report.wrong("transfer", *transfer, problem);
    }
    if culprits.is_empty() {
        let problem = format!(
            "its chain reaches {} of {} transfers",
            path.transfers.len(),
            account.chain.len()
        );
        report.wrong("account_head", id, problem);
    }
}

/// From the oldest on. A transfer that does not fit may have the wrong amount (then the next one
/// fits its balance) or the wrong balance (then the next one fits what it should have been).
fn check_balances(
    book: &Book,
    id: i64,
    account: &Account,
    path: &Path,
    balance: Amount,
    report: &mut Report,
) {
    let mut expected = path.whole.then_some(Amount::ZERO);
    let mut said = expected;
    for at in path.transfers.iter().rev() {
        let (Some((_, after)), Some(transfer)) = (account.chain.get(at), book.transfers.get(at))
        else {
            continue;
        };
        let change = if transfer.credit == id {
            Ok(transfer.amount)
        } else {
            transfer.amount.negated()
        };
        let next = |before: Option<Amount>| {
            let change = change.as_ref().ok()?;
            before?.plus(*change).ok()
        };
        let (by_sum, by_balance) = (next(expected), next(said));
        let fits = expected.is_none() || by_sum == Some(*after) || by_balance == Some(*after);
        expected = if fits { Some(*after) } else { by_sum };
        said = Some(*after);
        if !fits {
            let sum = by_sum.map_or("an overflow".to_owned(), |s| s.to_string());
            let problem = format!("leaves account {id} with {after}, the transfers make {sum}");
            report.wrong("transfer", *at, problem);
        } else if *after < Amount::ZERO {
            report.wrong("transfer", *at, format!("account {id} falls to {after}"));
        }
    }
    let unknown = said.is_none();
    if !unknown && said != Some(balance) && expected != Some(balance) {
        let last = said.unwrap_or_default();
        let problem = format!("its balance is {balance}, after its last transfer it is {last}");
        report.wrong("account_head", id, problem);
    }
}
