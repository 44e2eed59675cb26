//! Seals, roll-ups and the tail.

use super::{Book, Report};
use crate::amount::Amount;
use crate::entry::Transfer;
use crate::error::Result;
use crate::seal::{members_decode, seal_hash};
use scrip_engine::{Read, Row, Timestamp, params};
use std::collections::{BTreeMap, HashSet};

/// What the seals are, taken together.
pub(super) struct Seals {
    /// The number of the last one.
    last: i64,
    /// False where one is missing or cannot be read: then nobody knows what was sealed.
    whole: bool,
}

/// Each seal hashes what it covers, in an unbroken chain; no entry is sealed twice.
pub(super) fn check(tx: &mut dyn Read, book: &mut Book, report: &mut Report) -> Result<Seals> {
    let rows = tx.query(
        "SELECT seal_no, last_entry, entries, members, hash, sealed_at FROM seal
         WHERE book_id = $1 ORDER BY seal_no",
        params![book.book_id],
    )?;
    let mut seals = Seals {
        last: 0,
        whole: true,
    };
    let mut before = Some(Vec::new());
    let mut highest = 0;
    for row in &rows {
        let no = row.int(0)?;
        if no != seals.last.saturating_add(1) {
            report.wrong("seal", seals.last.saturating_add(1), "is missing");
            seals.whole = false;
            before = None;
        }
        seals.last = no;
        report.seals = report.seals.saturating_add(1);
        if !check_one(row, book, before.as_deref(), &mut highest, report)? {
            seals.whole = false;
        }
        before = Some(row.blob(4)?.to_vec());
    }
    Ok(seals)
}

/// Checks a seal and notes what it covers; false when that cannot be read.
fn check_one(
    row: &Row,
    book: &mut Book,
    before: Option<&[u8]>,
    highest: &mut i64,
    report: &mut Report,
) -> Result<bool> {
    let no = row.int(0)?;
    let Ok(members) = members_decode(row.blob(3)?) else {
        report.wrong("seal", no, "its list of entries cannot be read");
        return Ok(false);
    };
    let mut digests = Vec::with_capacity(members.len());
    let mut gone = false;
    for id in &members {
        if !book.sealed.insert(*id) {
            report.wrong("seal", no, format!("entry {id} is sealed twice"));
        }
        match book.entries.get(id) {
            Some(entry) => digests.push((*id, entry.digest.as_slice())),
            None => {
                gone = true;
                report.wrong("entry", id, format!("is missing, seal {no} covers it"));
            }
        }
    }
    let first = members.first().copied().unwrap_or_default();
    let last = members.last().copied().unwrap_or_default();
    *highest = last.max(*highest);
    if row.int(1)? != *highest || usize::try_from(row.int(2)?) != Ok(members.len()) {
        let problem = format!("covers {} entries up to {highest}", members.len());
        report.wrong("seal", no, problem);
    }
    let Some(before) = before else {
        return Ok(true);
    };
    let at = Timestamp(row.int(5)?);
    let hash = seal_hash(before, book.book_id, no, at, digests.into_iter());
    if !gone && hash != row.blob(4)? {
        let problem = format!("does not match its entries {first} to {last}");
        report.wrong("seal", no, problem);
    }
    Ok(true)
}

/// What transfers add to each summed account.
#[derive(Default)]
struct Sums(BTreeMap<i64, Amount>);

impl Sums {
    fn add(&mut self, transfer: &Transfer) {
        let sides = [
            (
                transfer.debit,
                transfer.debit_link,
                transfer.amount.negated(),
            ),
            (transfer.credit, transfer.credit_link, Ok(transfer.amount)),
        ];
        for (account, link, change) in sides {
            if let (None, Ok(change)) = (link, change) {
                let sum = self.0.entry(account).or_default();
                *sum = sum.plus(change).unwrap_or(*sum);
            }
        }
    }

    /// Accounts whose roll-up differs: (account, stored, added up).
    fn differ(&self, stored: &BTreeMap<i64, Amount>) -> Vec<(i64, Amount, Amount)> {
        let keys: std::collections::BTreeSet<&i64> = self.0.keys().chain(stored.keys()).collect();
        keys.into_iter()
            .map(|id| {
                let of = |map: &BTreeMap<i64, Amount>| map.get(id).copied().unwrap_or_default();
                (*id, of(stored), of(&self.0))
            })
            .filter(|(_, stored, sum)| stored != sum)
            .collect()
    }
}

/// Roll-ups equal the sealed transfers of their accounts, and what is not sealed is in the tail.
pub(super) fn check_roll_ups(
    tx: &mut dyn Read,
    book: &Book,
    seals: &Seals,
    report: &mut Report,
) -> Result<()> {
    let mut stored: BTreeMap<i64, Amount> = BTreeMap::new();
    for row in tx.query(
        "SELECT account_id, balance FROM rollup WHERE book_id = $1",
        params![book.book_id],
    )? {
        stored.insert(row.int(0)?, Amount::from_units(row.int(1)?));
    }
    for id in stored.keys() {
        if book.accounts.get(id).is_none_or(|a| a.chained) {
            report.wrong("rollup", id, "belongs to no summed account");
        }
    }
    let lost = check_tail(tx, book, seals, report)?;
    if !seals.whole {
        return Ok(());
    }
    let mut sums = Sums::default();
    let sealed = |t: &&Transfer| book.sealed.contains(&t.entry_id);
    for transfer in book.transfers.values().filter(sealed) {
        sums.add(transfer);
    }
    let differ = sums.differ(&stored);
    if !differ.is_empty()
        && let Some(last) = entry_up_to_which_they_match(book, sums, &stored, lost.as_ref())
    {
        let problem = format!("is missing: the roll-ups count entries up to {last}");
        report.wrong("seal", seals.last.saturating_add(1), problem);
        return Ok(());
    }
    for (id, found, sum) in differ {
        let problem = format!("is {found}, the sealed transfers make {sum}");
        report.wrong("rollup", id, problem);
    }
    for entry in lost.into_iter().flatten() {
        report.wrong(
            "entry_tail",
            entry,
            "is missing: the entry would never be sealed",
        );
    }
    Ok(())
}

/// When the last seals were removed, the roll-ups still count what they covered.
fn entry_up_to_which_they_match(
    book: &Book,
    mut sums: Sums,
    stored: &BTreeMap<i64, Amount>,
    lost: Option<&Vec<i64>>,
) -> Option<i64> {
    let lost: Option<HashSet<i64>> = lost.map(|l| l.iter().copied().collect());
    let mut last = None;
    for (id, entry) in &book.entries {
        if book.sealed.contains(id) || lost.as_ref().is_some_and(|l| !l.contains(id)) {
            continue;
        }
        book.transfers_of(entry).for_each(|t| sums.add(t));
        last = Some(*id);
        if lost.is_none() && sums.differ(stored).is_empty() {
            return last;
        }
    }
    last.filter(|_| lost.is_some() && sums.differ(stored).is_empty())
}

/// Returns, where the tail is kept in rows, the entries that are neither sealed nor in it.
fn check_tail(
    tx: &mut dyn Read,
    book: &Book,
    seals: &Seals,
    report: &mut Report,
) -> Result<Option<Vec<i64>>> {
    let rows = tx.query(
        "SELECT entry_id FROM entry_tail WHERE book_id = $1 ORDER BY entry_id",
        params![book.book_id],
    )?;
    let mut tail = HashSet::new();
    for row in &rows {
        let id = row.int(0)?;
        tail.insert(id);
        if book.sealed.contains(&id) {
            report.wrong("entry_tail", id, "is sealed already");
        } else if !book.entries.contains_key(&id) {
            report.wrong("entry", id, "is missing, it waits to be sealed");
        }
    }
    let unsealed = book.entries.keys().filter(|id| !book.sealed.contains(id));
    if tx.numbers_commit_in_order() {
        let last = book.sealed.iter().max().copied().filter(|_| seals.whole);
        let last = last.unwrap_or_default();
        for id in unsealed.filter(|id| **id < last && !tail.contains(id)) {
            report.wrong("entry", id, "is not sealed, though later ones are");
        }
        return Ok(None);
    }
    Ok(Some(
        unsealed.filter(|id| !tail.contains(id)).copied().collect(),
    ))
}
