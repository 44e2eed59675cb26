//! Seals and roll-ups: one pass over the entries that are new.
//!
//! Each seal hashes the digests of its entries together with the seal before, so an entry cannot
//! be changed, removed or slipped in unnoticed. The same pass adds the entries to the roll-up
//! balances of summed accounts. What is not sealed yet is the tail. Where numbers commit in order
//! (SQLite) the tail is everything above the last sealed entry; elsewhere each entry leaves a row
//! in `entry_tail`, because a lower number may commit later. A database that was restored from a
//! backup of the other sort has rows for what its own rule does not find ([`tail_restore`]).

use crate::amount::Amount;
use crate::entry::{Entry, Transfer, entry_row, transfer_row};
use crate::error::{Error, Result};
use scrip_engine::{Error as EngineError, Read, Row, Store, Timestamp, Tx, params};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a pass did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The seal's number in its book.
    pub seal_no: i64,
    /// How many entries it covers.
    pub entries: i64,
}

/// The last seal of a book: number, last entry, hash.
#[derive(Clone, Debug, Default)]
struct Last {
    seal_no: i64,
    /// The highest number sealed so far.
    last_entry: i64,
    hash: Vec<u8>,
}

fn last_seal(tx: &mut dyn Read, book: i64) -> Result<Last> {
    let row = tx.query_opt(
        "SELECT seal_no, last_entry, hash FROM seal
         WHERE book_id = $1 ORDER BY seal_no DESC LIMIT 1",
        params![book],
    )?;
    let Some(row) = row else {
        return Ok(Last::default());
    };
    Ok(Last {
        seal_no: row.int(0)?,
        last_entry: row.int(1)?,
        hash: row.blob(2)?.to_vec(),
    })
}

const TAIL_IN_ORDER: &str =
    "SELECT entry_id, event_id, code, actor, reference, effective_at, recorded_at, transfers,
            digest
     FROM entry WHERE book_id = $1 AND entry_id > $2 ORDER BY entry_id LIMIT $3";
const TAIL_BY_ROWS: &str =
    "SELECT e.entry_id, e.event_id, e.code, e.actor, e.reference, e.effective_at, e.recorded_at,
            e.transfers, e.digest
     FROM entry_tail t JOIN entry e ON e.book_id = t.book_id AND e.entry_id = t.entry_id
     WHERE t.book_id = $1 AND t.entry_id > $2 ORDER BY t.entry_id LIMIT $3";

/// (entry, transfers, digest) of the tail's first entries.
fn tail(tx: &mut dyn Read, book: i64, limit: i64) -> Result<Vec<(i64, i64, Vec<u8>)>> {
    let mut rows = tx.query(TAIL_BY_ROWS, params![book, 0_i64, limit])?;
    if tx.numbers_commit_in_order() {
        let room = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(limit));
        let last = last_seal(tx, book)?;
        rows.extend(tx.query(TAIL_IN_ORDER, params![book, last.last_entry, room])?);
    }
    rows.iter()
        .map(|row| entry_row(row).map(|e| (e.entry_id, e.transfers, e.digest)))
        .collect()
}

/// The transfers of the given entries, which are sorted.
fn transfers_of(
    tx: &mut dyn Read,
    book: i64,
    entries: &[(i64, i64, Vec<u8>)],
) -> Result<Vec<Transfer>> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(Vec::new());
    };
    let wanted: HashSet<i64> = entries.iter().map(|e| e.0).collect();
    let rows = tx.query(
        "SELECT transfer_id, entry_id, debit_id, credit_id, asset_id, amount, grant_id,
                debit_previous, debit_balance, credit_previous, credit_balance
         FROM transfer WHERE book_id = $1 AND transfer_id >= $2 AND transfer_id < $3
         ORDER BY transfer_id",
        params![book, first.0, last.0.saturating_add(last.1)],
    )?;
    let mut transfers = Vec::with_capacity(rows.len());
    for row in &rows {
        let transfer = transfer_row(row)?;
        if wanted.contains(&transfer.entry_id) {
            transfers.push(transfer);
        }
    }
    Ok(transfers)
}

/// The transfers that no seal covers yet.
pub(crate) fn tail_transfers(tx: &mut dyn Read, book: i64) -> Result<Vec<Transfer>> {
    let entries = tail(tx, book, i64::MAX)?;
    transfers_of(tx, book, &entries)
}

/// An entry with its transfers.
pub type Whole = (Entry, Vec<Transfer>);

/// Entries in the order in which they were sealed, up to the seal `seal_no`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRun {
    /// The last seal of the run.
    pub seal_no: i64,
    /// Its entries.
    pub entries: Vec<Whole>,
}

/// Seals that are read at once.
const SEALS_AT_ONCE: i64 = 64;

/// The entries of the seals after `seal_no`: of so many seals that `limit` entries are there, or
/// of a few at most. `None` when there is no further seal.
pub fn sealed_after(
    tx: &mut dyn Read,
    book: i64,
    seal_no: i64,
    limit: usize,
) -> Result<Option<SealedRun>> {
    let rows = tx.query(
        "SELECT seal_no, members FROM seal WHERE book_id = $1 AND seal_no > $2
         ORDER BY seal_no LIMIT $3",
        params![book, seal_no, SEALS_AT_ONCE],
    )?;
    let mut ids = Vec::new();
    let mut last = None;
    for row in &rows {
        if ids.len() >= limit {
            break;
        }
        ids.extend(members_decode(row.blob(1)?)?);
        last = Some(row.int(0)?);
    }
    let Some(seal_no) = last else {
        return Ok(None);
    };
    let entries = entries_whole(tx, book, &ids)?;
    Ok(Some(SealedRun { seal_no, entries }))
}

/// The entries that no seal covers yet, in the order in which they will be sealed.
pub fn unsealed(tx: &mut dyn Read, book: i64) -> Result<Vec<Whole>> {
    let ids: Vec<i64> = tail(tx, book, i64::MAX)?.iter().map(|e| e.0).collect();
    entries_whole(tx, book, &ids)
}

/// Entries with their transfers, in the given order.
fn entries_whole(tx: &mut dyn Read, book: i64, ids: &[i64]) -> Result<Vec<Whole>> {
    let (Some(low), Some(high)) = (ids.iter().min(), ids.iter().max()) else {
        return Ok(Vec::new());
    };
    let wanted: HashSet<i64> = ids.iter().copied().collect();
    let mut found: HashMap<i64, Whole> = HashMap::with_capacity(ids.len());
    let mut end = *high;
    let rows = tx.query(
        "SELECT entry_id, event_id, code, actor, reference, effective_at, recorded_at, transfers,
                digest
         FROM entry WHERE book_id = $1 AND entry_id >= $2 AND entry_id <= $3",
        params![book, *low, *high],
    )?;
    for row in &rows {
        let entry = entry_row(row)?;
        end = end.max(entry.entry_id.saturating_add(entry.transfers));
        if wanted.contains(&entry.entry_id) {
            found.insert(entry.entry_id, (entry, Vec::new()));
        }
    }
    let rows = tx.query(
        "SELECT transfer_id, entry_id, debit_id, credit_id, asset_id, amount, grant_id,
                debit_previous, debit_balance, credit_previous, credit_balance
         FROM transfer WHERE book_id = $1 AND transfer_id >= $2 AND transfer_id < $3
         ORDER BY transfer_id",
        params![book, *low, end],
    )?;
    for row in &rows {
        let transfer = transfer_row(row)?;
        if let Some((_, transfers)) = found.get_mut(&transfer.entry_id) {
            transfers.push(transfer);
        }
    }
    ids.iter()
        .map(|id| {
            let missing = || EngineError::Corrupt(format!("entry {id} is missing"));
            Ok(found.remove(id).ok_or_else(missing)?)
        })
        .collect()
}

/// Seals up to `limit` entries of a book, oldest number first, and rolls them up. `None` when
/// there is nothing to seal.
pub fn seal_next(tx: &mut Tx<'_>, book: i64, limit: i64) -> Result<Option<Sealed>> {
    tx.lock_name(&format!("seal {book}"))?;
    let entries = tail(tx, book, limit)?;
    let Some(last_entry) = entries.last().map(|e| e.0) else {
        return Ok(None);
    };
    let transfers = transfers_of(tx, book, &entries)?;
    roll_up(tx, book, &transfers)?;
    let before = last_seal(tx, book)?;
    let highest = last_entry.max(before.last_entry);
    let seal_no = before.seal_no.checked_add(1).ok_or(Error::Overflow)?;
    let count = i64::try_from(entries.len()).map_err(|_| Error::Overflow)?;
    let ids: Vec<i64> = entries.iter().map(|e| e.0).collect();
    let digests = entries.iter().map(|e| (e.0, e.2.as_slice()));
    let now = tx.now();
    let hash = seal_hash(&before.hash, book, seal_no, now, digests);
    tx.put(
        "INSERT INTO seal (book_id, seal_no, last_entry, entries, members, hash, sealed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            book,
            seal_no,
            highest,
            count,
            &members_encode(&ids),
            &hash,
            now.0
        ],
    )?;
    let in_order = tx.numbers_commit_in_order();
    for id in ids {
        if !in_order || id < before.last_entry {
            tx.put(
                "DELETE FROM entry_tail WHERE book_id = $1 AND entry_id = $2",
                params![book, id],
            )?;
        }
    }
    Ok(Some(Sealed {
        seal_no,
        entries: count,
    }))
}

/// Writes the tail of a book whose entries and seals were restored from a backup, which may be
/// another engine's: a row for each entry that is not sealed and would not be found without one.
pub fn tail_restore(tx: &mut Tx<'_>, book: i64) -> Result<()> {
    let mut sealed = Vec::new();
    tx.query_each(
        "SELECT members FROM seal WHERE book_id = $1",
        params![book],
        &mut |row| {
            let members = members_decode(row.blob(0)?);
            sealed.extend(members.map_err(|e| EngineError::Corrupt(e.to_string()))?);
            Ok(())
        },
    )?;
    sealed.sort_unstable();
    let end = match sealed.last() {
        Some(last) if tx.numbers_commit_in_order() => *last,
        None if tx.numbers_commit_in_order() => 0,
        _ => i64::MAX,
    };
    let mut missing = Vec::new();
    tx.query_each(
        "SELECT entry_id FROM entry WHERE book_id = $1 AND entry_id < $2",
        params![book, end],
        &mut |row| {
            let id = row.int(0)?;
            if sealed.binary_search(&id).is_err() {
                missing.push(id);
            }
            Ok(())
        },
    )?;
    for id in missing {
        tx.put(
            "INSERT INTO entry_tail (book_id, entry_id) VALUES ($1, $2)",
            params![book, id],
        )?;
    }
    Ok(())
}

fn roll_up(tx: &mut Tx<'_>, book: i64, transfers: &[Transfer]) -> Result<()> {
    let mut change: BTreeMap<i64, Amount> = BTreeMap::new();
    for t in transfers {
        if t.debit_link.is_none() {
            let at = change.entry(t.debit).or_default();
            *at = at.minus(t.amount)?;
        }
        if t.credit_link.is_none() {
            let at = change.entry(t.credit).or_default();
            *at = at.plus(t.amount)?;
        }
    }
    for (account, by) in change {
        let row = tx.query_opt(
            "SELECT balance FROM rollup WHERE book_id = $1 AND account_id = $2",
            params![book, account],
        )?;
        let old = Amount::from_units(row.map_or(Ok(0), |r: Row| r.int(0))?);
        tx.put(
            "INSERT INTO rollup (book_id, account_id, balance) VALUES ($1, $2, $3)
             ON CONFLICT (book_id, account_id) DO UPDATE SET balance = excluded.balance",
            params![book, account, old.plus(by)?.units()],
        )?;
    }
    Ok(())
}

/// The hash of a seal: over the seal before, its place and time, and the digest of each entry.
pub(crate) fn seal_hash<'a>(
    before: &[u8],
    book: i64,
    seal_no: i64,
    sealed_at: Timestamp,
    entries: impl Iterator<Item = (i64, &'a [u8])>,
) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(book.to_le_bytes());
    hash.update(seal_no.to_le_bytes());
    hash.update(sealed_at.0.to_le_bytes());
    for (id, digest) in entries {
        hash.update(id.to_le_bytes());
        hash.update(digest);
    }
    hash.finalize().to_vec()
}

/// Entry ids, ascending, as differences of seven bits a byte.
fn members_encode(ids: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ids.len());
    let mut before = 0_i64;
    for id in ids {
        let mut rest = id.wrapping_sub(before).unsigned_abs();
        before = *id;
        while rest > 0x7f {
            out.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        out.push(rest.to_le_bytes()[0]);
    }
    out
}

/// The entry ids of a seal.
pub(crate) fn members_decode(bytes: &[u8]) -> Result<Vec<i64>> {
    let broken = || EngineError::Corrupt("members of a seal".into());
    let mut ids = Vec::new();
    let (mut id, mut value, mut shift) = (0_i64, 0_i64, 0_u32);
    for byte in bytes {
        let part = i64::from(byte & 0x7f)
            .checked_shl(shift)
            .ok_or_else(broken)?;
        value |= part;
        shift = shift.saturating_add(7);
        if byte & 0x80 == 0 {
            id = id.checked_add(value).ok_or_else(broken)?;
            ids.push(id);
            (value, shift) = (0, 0);
        }
    }
    if shift != 0 {
        return Err(broken().into());
    }
    Ok(ids)
}
