//! Holds and reversals: each agrees with the entries that it names.

use super::{Book, Report};
use crate::account::AccountKind;
use crate::amount::Amount;
use crate::entry::Transfer;
use crate::error::Result;
use crate::hold::HoldState;
use scrip_engine::{Read, Row, params};
use std::collections::{BTreeMap, HashSet};

struct Stored {
    hold: i64,
    account: i64,
    held: i64,
    amount: Amount,
    posted: Amount,
    state: HoldState,
    opened: i64,
    closed: Option<i64>,
}

fn stored(row: &Row) -> Result<Stored> {
    let hold = row.int(0)?;
    Ok(Stored {
        hold,
        account: row.int(1)?,
        held: row.int(2)?,
        amount: Amount::from_units(row.int(3)?),
        posted: Amount::from_units(row.int(4)?),
        state: HoldState::of_row(row.text(5)?, hold)?,
        opened: row.int(6)?,
        closed: row.opt_int(7)?,
    })
}

/// Each hold is what its entries moved; each held account keeps its open holds; what moved into a
/// held account belongs to a hold.
pub(super) fn check(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let rows = tx.query(
        "SELECT hold_id, account_id, held_id, amount, posted, state, opened_entry, closed_entry
         FROM hold WHERE book_id = $1 ORDER BY hold_id",
        params![book.book_id],
    )?;
    let mut used = HashSet::new();
    let mut open = Vec::new();
    for row in &rows {
        let hold = stored(row)?;
        for entry in [Some(hold.opened), hold.closed].into_iter().flatten() {
            if !used.insert(entry) {
                let problem = format!("entry {entry} belongs to another hold");
                report.wrong("hold", hold.hold, problem);
            }
        }
        if let Some(problem) = problem_of(book, &hold) {
            report.wrong("hold", hold.hold, problem);
        }
        if hold.closed.is_none() {
            open.push(hold);
        }
    }
    check_held_accounts(tx, book, report)?;
    let is_held = |id: i64| {
        let account = book.accounts.get(&id);
        account.is_some_and(|a| a.kind == Some(AccountKind::Held))
    };
    let mut orphans: BTreeMap<i64, ()> = BTreeMap::new();
    for t in book.transfers.values() {
        if (is_held(t.debit) || is_held(t.credit)) && !used.contains(&t.entry_id) {
            orphans.insert(t.entry_id, ());
        }
    }
    for entry in orphans.into_keys() {
        let closes: Vec<i64> = open
            .iter()
            .filter(|hold| may_close(book, hold, entry))
            .map(|hold| hold.hold)
            .collect();
        for hold in &closes {
            report.wrong(
                "hold",
                hold,
                format!("is open, but entry {entry} closed it"),
            );
        }
        if closes.is_empty() {
            let key = format!("of entry {entry}");
            report.wrong("hold", key, "is missing, or does not name its entry");
        }
    }
    Ok(())
}

/// True where an entry takes out of the held account just what the hold put in.
fn may_close(book: &Book, hold: &Stored, entry: i64) -> bool {
    let pieces = |entry: i64, closing: bool| -> Option<BTreeMap<Option<i64>, i128>> {
        let mut sums: BTreeMap<Option<i64>, i128> = BTreeMap::new();
        for t in book.transfers_of(book.entries.get(&entry)?) {
            if (if closing { t.debit } else { t.credit }) != hold.held {
                return None;
            }
            let sum = sums.entry(t.grant_id).or_default();
            *sum = sum.saturating_add(i128::from(t.amount.units()));
        }
        Some(sums)
    };
    let closed = pieces(entry, true);
    closed.is_some() && closed == pieces(hold.opened, false)
}

fn problem_of(book: &Book, hold: &Stored) -> Option<String> {
    let transfers = |entry: i64| -> Option<Vec<&Transfer>> {
        Some(book.transfers_of(book.entries.get(&entry)?).collect())
    };
    let sum = |transfers: &[&Transfer]| Amount::sum(transfers.iter().map(|t| t.amount)).ok();
    let Some(opened) = transfers(hold.opened) else {
        return Some(format!("entry {} is missing", hold.opened));
    };
    if opened
        .iter()
        .any(|t| t.debit != hold.account || t.credit != hold.held)
    {
        return Some(format!(
            "entry {} moves between other accounts",
            hold.opened
        ));
    }
    if sum(&opened) != Some(hold.amount) {
        let problem = format!("is {} units, its entry set other aside", hold.amount);
        return Some(problem);
    }
    let closed = match (hold.state, hold.closed) {
        (HoldState::Open, None) => {
            return (!hold.posted.is_zero()).then(|| "is open, but was posted".into());
        }
        (HoldState::Posted | HoldState::Released | HoldState::Expired, Some(entry)) => entry,
        _ => return Some("its state and its closing entry disagree".into()),
    };
    let Some(closing) = transfers(closed) else {
        return Some(format!("entry {closed} is missing"));
    };
    if closing.iter().any(|t| t.debit != hold.held) || sum(&closing) != Some(hold.amount) {
        return Some(format!("entry {closed} gives back another amount"));
    }
    let spent: Vec<&Transfer> = closing
        .into_iter()
        .filter(|t| t.credit != hold.account)
        .collect();
    if sum(&spent) != Some(hold.posted) {
        return Some(format!(
            "{} units were posted by entry {closed} at most",
            hold.posted
        ));
    }
    let is_posted = hold.state == HoldState::Posted;
    (is_posted == hold.posted.is_zero()).then(|| "its state and what was posted disagree".into())
}

/// Each wallet has one held account of its own, of the same asset.
fn check_held_accounts(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let rows = tx.query(
        "SELECT account_id, held_id FROM held_account WHERE book_id = $1 ORDER BY account_id",
        params![book.book_id],
    )?;
    let mut seen = HashSet::new();
    for row in &rows {
        let (account, held) = (row.int(0)?, row.int(1)?);
        let asset = book.accounts.get(&account).map(|a| a.asset_id);
        let fits = book
            .accounts
            .get(&held)
            .is_some_and(|h| h.kind == Some(AccountKind::Held) && Some(h.asset_id) == asset);
        if !fits || !seen.insert(held) {
            let problem = format!("{held} is no held account of its own");
            report.wrong("held_account", account, problem);
        }
    }
    Ok(())
}

/// Each reversal turns every movement of its entry round, and each entry that is one is noted, so
/// that nothing is reversed twice.
pub(super) fn check_reversals(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let rows = tx.query(
        "SELECT reversed_entry, entry_id FROM reversal WHERE book_id = $1 ORDER BY reversed_entry",
        params![book.book_id],
    )?;
    let mut noted = HashSet::new();
    for row in &rows {
        let (reversed, by) = (row.int(0)?, row.int(1)?);
        noted.insert(by);
        let moves = |entry: i64, turned: bool| -> Option<Vec<_>> {
            let entry = book.entries.get(&entry)?;
            let mut all: Vec<_> = book
                .transfers_of(entry)
                .map(|t| {
                    let (from, to) = if turned {
                        (t.credit, t.debit)
                    } else {
                        (t.debit, t.credit)
                    };
                    (from, to, t.amount, t.grant_id)
                })
                .collect();
            if turned {
                all.reverse();
            }
            Some(all)
        };
        let turned = moves(reversed, true);
        if turned.is_none() || turned != moves(by, false) {
            let problem = format!("entry {by} does not turn entry {reversed} round");
            report.wrong("reversal", reversed, problem);
        }
    }
    for (id, entry) in &book.entries {
        if entry.code == "reversal" && !noted.contains(id) {
            let key = format!("by entry {id}");
            report.wrong(
                "reversal",
                key,
                "is missing: the entry could be reversed again",
            );
        }
    }
    Ok(())
}
