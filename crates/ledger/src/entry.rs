//! Entries and their transfers: the only way in which value moves (MIC-07).

use crate::account::{AccountKind, account_info, account_load};
use crate::amount::Amount;
use crate::error::{Error, Result};
use crate::grant::grant_by_id;
use crate::memory::{Due, LedgerMemory, State, lot, set_lot};
use scrip_engine::{Read, Row, Sequence, Store, Timestamp, Tx, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Transfers in one entry at most.
pub(crate) const TRANSFERS_AT_MOST: usize = 100_000;

/// One movement of an entry to be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The account that gives.
    pub debit: i64,
    /// The account that receives.
    pub credit: i64,
    /// How much; above zero.
    pub amount: Amount,
    /// The grant whose tokens move; required where a wallet is on either side.
    pub grant: Option<i64>,
}

/// An entry to be posted.
#[derive(Clone, Debug)]
pub struct Posting<'a> {
    /// The book.
    pub book_id: i64,
    /// The business event, the same in every book that it touches.
    pub event_id: Uuid,
    /// What happened: `order`, `token_sale`, `refund` …
    pub code: &'a str,
    /// Who did it.
    pub actor: &'a str,
    /// The name by which people find it: an order number, an invoice.
    pub reference: &'a str,
    /// When it counts.
    pub effective_at: Timestamp,
    /// The movements, applied in this order.
    pub legs: &'a [Leg],
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: that of its first transfer.
    pub entry_id: i64,
    /// The business event.
    pub event_id: Uuid,
    /// What happened.
    pub code: String,
    /// Who did it.
    pub actor: String,
    /// The name by which people find it.
    pub reference: String,
    /// When it counts.
    pub effective_at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// How many transfers it has.
    pub transfers: i64,
    /// The hash of all of this and of the transfers.
    pub digest: Vec<u8>,
}

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its number.
    pub transfer_id: i64,
    /// The entry that it belongs to.
    pub entry_id: i64,
    /// The account that gave.
    pub debit: i64,
    /// The account that received.
    pub credit: i64,
    /// What moved.
    pub asset_id: i64,
    /// How much.
    pub amount: Amount,
    /// The grant whose tokens moved.
    pub grant_id: Option<i64>,
    /// Of a chained debit account: its previous transfer, and its balance after.
    pub debit_link: Option<(i64, Amount)>,
    /// Of a chained credit account: its previous transfer, and its balance after.
    pub credit_link: Option<(i64, Amount)>,
}

impl Transfer {
    /// The transfer before this one in the chain of `account`.
    pub fn previous(&self, account: i64) -> Option<i64> {
        let link = match account {
            a if a == self.debit => self.debit_link,
            a if a == self.credit => self.credit_link,
            _ => None,
        };
        link.map(|l| l.0)
    }
}

/// Accounts in play while an entry is worked out, by number.
type Working = Vec<(i64, Option<State>)>;

fn side(working: &mut Working, account: i64) -> Option<&mut State> {
    let at = working.binary_search_by_key(&account, |w| w.0).ok()?;
    working.get_mut(at).and_then(|w| w.1.as_mut())
}

/// Posts an entry: checks everything, then changes everything. Returns the entry's number.
///
/// The first of these that applies is the error: [`Error::EntrySize`], [`Error::AccountUnknown`];
/// then leg by leg [`Error::NotPositive`], [`Error::SameAccount`], [`Error::AssetMismatch`],
/// [`Error::HeldAccount`], [`Error::GrantMissing`], [`Error::GrantUnknown`],
/// [`Error::GrantMismatch`], [`Error::Insufficient`], [`Error::LotInsufficient`],
/// [`Error::Overflow`].
pub fn entry_post(tx: &mut Tx<'_>, posting: &Posting<'_>) -> Result<i64> {
    post(tx, posting, false)
}

/// Posts an entry of a hold, which alone moves to and from held accounts.
pub(crate) fn entry_post_held(tx: &mut Tx<'_>, posting: &Posting<'_>) -> Result<i64> {
    post(tx, posting, true)
}

fn post(tx: &mut Tx<'_>, posting: &Posting<'_>, holds: bool) -> Result<i64> {
    let count = posting.legs.len();
    if count == 0 || count > TRANSFERS_AT_MOST {
        return Err(Error::EntrySize(count));
    }
    let mut working = load(tx, posting)?;
    let floor = tx.memory::<LedgerMemory>()?.floor;
    let transfers = i64::try_from(count).map_err(|_| Error::EntrySize(count))?;
    let entry_id = tx.next_numbers(Sequence::Transfer, transfers)?;
    let mut planned = Vec::with_capacity(count);
    let mut expiring = Vec::new();
    for (leg, transfer_id) in posting.legs.iter().zip(entry_id..) {
        let asset_id = check(tx, posting.book_id, leg, holds, &mut expiring)?;
        let debit_link = side(&mut working, leg.debit)
            .map(|s| take(s, leg, transfer_id, floor))
            .transpose()?;
        let credit_link = side(&mut working, leg.credit)
            .map(|s| give(s, leg, transfer_id))
            .transpose()?;
        planned.push(Transfer {
            transfer_id,
            entry_id,
            debit: leg.debit,
            credit: leg.credit,
            asset_id,
            amount: leg.amount,
            grant_id: leg.grant,
            debit_link,
            credit_link,
        });
    }
    // From here on nothing is refused.
    store(tx, posting, entry_id, transfers, &planned)?;
    let memory = tx.memory::<LedgerMemory>()?;
    for (account, state) in working {
        if let Some(state) = state {
            memory.change((posting.book_id, account), state);
        }
    }
    for due in expiring {
        memory.expiring(due);
    }
    Ok(entry_id)
}

/// The states of all chained accounts of a posting, locked in the order of their numbers.
fn load(tx: &mut Tx<'_>, posting: &Posting<'_>) -> Result<Working> {
    let mut ids: Vec<i64> = posting
        .legs
        .iter()
        .flat_map(|l| [l.debit, l.credit])
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut working = Vec::with_capacity(ids.len());
    for id in ids {
        let state = if account_info(tx, posting.book_id, id)?.chained {
            account_load(tx, posting.book_id, id)?;
            tx.memory::<LedgerMemory>()?
                .state((posting.book_id, id))
                .cloned()
        } else {
            None
        };
        working.push((id, state));
    }
    Ok(working)
}

/// Checks what does not depend on balances; returns the asset that moves, and notes the lots of
/// wallets that change and may expire.
fn check(
    tx: &mut Tx<'_>,
    book: i64,
    leg: &Leg,
    holds: bool,
    expiring: &mut Vec<Due>,
) -> Result<i64> {
    if !leg.amount.is_positive() {
        return Err(Error::NotPositive);
    }
    if leg.debit == leg.credit {
        return Err(Error::SameAccount(leg.debit));
    }
    let debit = account_info(tx, book, leg.debit)?;
    let credit = account_info(tx, book, leg.credit)?;
    if debit.asset_id != credit.asset_id {
        return Err(Error::AssetMismatch {
            debit: leg.debit,
            credit: leg.credit,
        });
    }
    for (id, account) in [(leg.debit, debit), (leg.credit, credit)] {
        if account.kind == AccountKind::Held && !holds {
            return Err(Error::HeldAccount(id));
        }
    }
    let Some(grant) = leg.grant else {
        if !debit.chained && !credit.chained {
            return Ok(debit.asset_id);
        }
        let wallet = if debit.chained { leg.debit } else { leg.credit };
        return Err(Error::GrantMissing(wallet));
    };
    let info = grant_by_id(tx, book, grant)?;
    if info.asset_id != debit.asset_id {
        return Err(Error::GrantMismatch {
            grant,
            account: leg.debit,
        });
    }
    if info.expires_at != Timestamp::NEVER {
        for (account, side) in [(leg.debit, debit), (leg.credit, credit)] {
            if side.kind == AccountKind::Wallet {
                expiring.push((book, info.expires_at.0, account, grant));
            }
        }
    }
    Ok(debit.asset_id)
}

/// Takes a leg's amount out of its debit account; returns the link for the transfer.
fn take(state: &mut State, leg: &Leg, transfer_id: i64, floor: bool) -> Result<(i64, Amount)> {
    let has = Amount::from_units(state.balance);
    let after = has.minus(leg.amount)?;
    if floor && after < Amount::ZERO {
        return Err(Error::Insufficient {
            account: leg.debit,
            has,
            needs: leg.amount,
        });
    }
    if let Some(grant) = leg.grant {
        let has = Amount::from_units(lot(&state.lots, grant));
        let left = has.minus(leg.amount)?;
        if floor && left < Amount::ZERO {
            let needs = leg.amount;
            return Err(Error::LotInsufficient {
                account: leg.debit,
                grant,
                has,
                needs,
            });
        }
        set_lot(&mut state.lots, grant, left.units());
    }
    Ok(link(state, transfer_id, after))
}

/// Puts a leg's amount into its credit account; returns the link for the transfer.
fn give(state: &mut State, leg: &Leg, transfer_id: i64) -> Result<(i64, Amount)> {
    let after = Amount::from_units(state.balance).plus(leg.amount)?;
    if let Some(grant) = leg.grant {
        let left = Amount::from_units(lot(&state.lots, grant)).plus(leg.amount)?;
        set_lot(&mut state.lots, grant, left.units());
    }
    Ok(link(state, transfer_id, after))
}

fn link(state: &mut State, transfer_id: i64, after: Amount) -> (i64, Amount) {
    let previous = std::mem::replace(&mut state.head, transfer_id);
    state.balance = after.units();
    (previous, after)
}

fn store(
    tx: &mut Tx<'_>,
    posting: &Posting<'_>,
    entry_id: i64,
    transfers: i64,
    planned: &[Transfer],
) -> Result<()> {
    let book = posting.book_id;
    let entry = Entry {
        entry_id,
        event_id: posting.event_id,
        code: posting.code.to_owned(),
        actor: posting.actor.to_owned(),
        reference: posting.reference.to_owned(),
        effective_at: posting.effective_at,
        recorded_at: tx.now(),
        transfers,
        digest: Vec::new(),
    };
    tx.put(
        "INSERT INTO entry (book_id, entry_id, event_id, code, actor, reference, effective_at,
                            recorded_at, transfers, digest)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            book,
            entry_id,
            &entry.event_id,
            &entry.code,
            &entry.actor,
            &entry.reference,
            entry.effective_at.0,
            entry.recorded_at.0,
            transfers,
            &entry_digest(book, &entry, planned)
        ],
    )?;
    if !tx.numbers_commit_in_order() {
        tx.put(
            "INSERT INTO entry_tail (book_id, entry_id) VALUES ($1, $2)",
            params![book, entry_id],
        )?;
    }
    for t in planned {
        tx.put(
            "INSERT INTO transfer (book_id, transfer_id, entry_id, debit_id, credit_id, asset_id,
               amount, grant_id, debit_previous, debit_balance, credit_previous, credit_balance)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            params![
                book,
                t.transfer_id,
                entry_id,
                t.debit,
                t.credit,
                t.asset_id,
                t.amount.units(),
                t.grant_id,
                t.debit_link.map(|l| l.0),
                t.debit_link.map(|l| l.1.units()),
                t.credit_link.map(|l| l.0),
                t.credit_link.map(|l| l.1.units())
            ],
        )?;
    }
    Ok(())
}

/// The hash of an entry and its transfers. Each part has a fixed width or carries its length, so
/// that no two entries have the same bytes.
pub(crate) fn entry_digest(book: i64, entry: &Entry, transfers: &[Transfer]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let mut number = |n: i64| bytes.extend_from_slice(&n.to_le_bytes());
    number(book);
    number(entry.entry_id);
    number(entry.effective_at.0);
    number(entry.recorded_at.0);
    number(entry.transfers);
    for t in transfers {
        let debit = t.debit_link.map_or((-1, 0), |l| (l.0, l.1.units()));
        let credit = t.credit_link.map_or((-1, 0), |l| (l.0, l.1.units()));
        for n in [
            t.transfer_id,
            t.entry_id,
            t.debit,
            t.credit,
            t.asset_id,
            t.amount.units(),
            t.grant_id.unwrap_or(0),
            debit.0,
            debit.1,
            credit.0,
            credit.1,
        ] {
            number(n);
        }
    }
    bytes.extend_from_slice(entry.event_id.as_bytes());
    for text in [&entry.code, &entry.actor, &entry.reference] {
        bytes.extend_from_slice(&text.len().to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    Sha256::digest(&bytes).iter().copied().take(16).collect()
}

/// Undoes an entry by another one with each movement turned round. Tokens that have been spent
/// since cannot come back: then it is refused. So is undoing the entry of a hold: that is closed
/// by [`crate::hold_release`], and once spent by another sale.
pub fn entry_reverse(
    tx: &mut Tx<'_>,
    book: i64,
    entry_id: i64,
    event_id: Uuid,
    actor: &str,
) -> Result<i64> {
    let reversed = entries_by_id(tx, book, entry_id)?;
    let done = tx.query_opt(
        "SELECT entry_id FROM reversal WHERE book_id = $1 AND reversed_entry = $2",
        params![book, entry_id],
    )?;
    if done.is_some() {
        return Err(Error::AlreadyReversed(entry_id));
    }
    let mut legs: Vec<Leg> = entry_transfers(tx, book, &reversed)?
        .iter()
        .map(|t| Leg {
            debit: t.credit,
            credit: t.debit,
            amount: t.amount,
            grant: t.grant_id,
        })
        .collect();
    legs.reverse();
    let now = tx.now();
    let id = entry_post(
        tx,
        &Posting {
            book_id: book,
            event_id,
            code: "reversal",
            actor,
            reference: &reversed.reference,
            effective_at: now,
            legs: &legs,
        },
    )?;
    tx.put(
        "INSERT INTO reversal (book_id, reversed_entry, entry_id) VALUES ($1, $2, $3)",
        params![book, entry_id, id],
    )?;
    Ok(id)
}

/// An entry.
pub fn entries_by_id(tx: &mut dyn Read, book: i64, entry: i64) -> Result<Entry> {
    let row = tx.query_opt(
        "SELECT entry_id, event_id, code, actor, reference, effective_at, recorded_at, transfers,
                digest
         FROM entry WHERE book_id = $1 AND entry_id = $2",
        params![book, entry],
    )?;
    entry_row(&row.ok_or(Error::EntryUnknown { book, entry })?)
}

/// The transfers of an entry, in order.
pub fn entry_transfers(tx: &mut dyn Read, book: i64, entry: &Entry) -> Result<Vec<Transfer>> {
    let end = entry.entry_id.saturating_add(entry.transfers);
    let rows = tx.query(
        "SELECT transfer_id, entry_id, debit_id, credit_id, asset_id, amount, grant_id,
                debit_previous, debit_balance, credit_previous, credit_balance
         FROM transfer WHERE book_id = $1 AND transfer_id >= $2 AND transfer_id < $3
         ORDER BY transfer_id",
        params![book, entry.entry_id, end],
    )?;
    rows.iter().map(transfer_row).collect()
}

const NEWEST: &str =
    "SELECT entry_id, event_id, code, actor, reference, effective_at, recorded_at, transfers,
            digest
     FROM entry WHERE book_id = $1 AND entry_id < $2 ORDER BY entry_id DESC LIMIT $3";

/// Entries of a book with their transfers, newest number first: `limit` of them, below the number
/// `before` (`None` for the newest).
pub fn entries_before(
    tx: &mut dyn Read,
    book: i64,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(Entry, Vec<Transfer>)>> {
    let rows = tx.query(NEWEST, params![book, before.unwrap_or(i64::MAX), limit])?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        entries.push((entry_row(row)?, Vec::new()));
    }
    let (Some((newest, _)), Some((oldest, _))) = (entries.first(), entries.last()) else {
        return Ok(entries);
    };
    // The numbers between belong to these entries and to no other of this book.
    let end = newest.entry_id.saturating_add(newest.transfers);
    let rows = tx.query(
        "SELECT transfer_id, entry_id, debit_id, credit_id, asset_id, amount, grant_id,
                debit_previous, debit_balance, credit_previous, credit_balance
         FROM transfer WHERE book_id = $1 AND transfer_id >= $2 AND transfer_id < $3
         ORDER BY transfer_id",
        params![book, oldest.entry_id, end],
    )?;
    for row in &rows {
        let transfer = transfer_row(row)?;
        let of = |(e, _): &&mut (Entry, Vec<Transfer>)| e.entry_id == transfer.entry_id;
        if let Some((_, transfers)) = entries.iter_mut().find(of) {
            transfers.push(transfer);
        }
    }
    Ok(entries)
}

/// Reads an entry from its columns in the order of the table.
pub(crate) fn entry_row(row: &Row) -> Result<Entry> {
    Ok(Entry {
        entry_id: row.int(0)?,
        event_id: row.uuid(1)?,
        code: row.text(2)?.to_owned(),
        actor: row.text(3)?.to_owned(),
        reference: row.text(4)?.to_owned(),
        effective_at: Timestamp(row.int(5)?),
        recorded_at: Timestamp(row.int(6)?),
        transfers: row.int(7)?,
        digest: row.blob(8)?.to_vec(),
    })
}

/// Reads a transfer from its columns in the order of the table.
pub(crate) fn transfer_row(row: &Row) -> Result<Transfer> {
    let link = |previous: usize, balance: usize| -> Result<Option<(i64, Amount)>> {
        let Some(previous) = row.opt_int(previous)? else {
            return Ok(None);
        };
        Ok(Some((previous, Amount::from_units(row.int(balance)?))))
    };
    Ok(Transfer {
        transfer_id: row.int(0)?,
        entry_id: row.int(1)?,
        debit: row.int(2)?,
        credit: row.int(3)?,
        asset_id: row.int(4)?,
        amount: Amount::from_units(row.int(5)?),
        grant_id: row.opt_int(6)?,
        debit_link: link(7, 8)?,
        credit_link: link(9, 10)?,
    })
}
