//! Recomputes a book from its rows and names each row that is wrong.
//!
//! Nothing stored is trusted: balances follow from transfers, lots from transfers by grant,
//! roll-ups and seals from entries, holds from the entries that opened and closed them. A finding
//! names a table and a key. One wrong row may make others look wrong too; the cause is named
//! among them, and rows that follow from it are left out where that can be told.
//!
//! Read on: `entries.rs`, `chains.rs`, `lots.rs`, `seals.rs`, `holds.rs`, `dues.rs`.

mod chains;
mod dues;
mod entries;
mod holds;
mod lots;
mod seals;

use crate::account::AccountKind;
use crate::amount::Amount;
use crate::entry::{Entry, Transfer, entry_row, transfer_row};
use crate::error::Result;
use scrip_engine::{Error as EngineError, Read, ReadTx, Row, Timestamp, params};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub use dues::{Dues, book_dues, dues_verify};

/// A row that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: &'static str,
    /// The row's key within the book.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What was checked, and what was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// Transfers read.
    pub transfers: u64,
    /// Accounts read.
    pub accounts: u64,
    /// Seals read.
    pub seals: u64,
    /// Rows that are wrong; empty when all is well.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Notes a wrong row.
    pub fn wrong(&mut self, table: &'static str, key: impl ToString, problem: impl Into<String>) {
        self.findings.push(Finding {
            table,
            key: key.to_string(),
            problem: problem.into(),
        });
    }
}

/// An account as stored, and what its transfers add up to.
struct Account {
    asset_id: i64,
    kind: Option<AccountKind>,
    counterparty: Option<i64>,
    chained: bool,
    /// Head and balance of a chained account.
    head: Option<(i64, Amount)>,
    /// Sum over all transfers.
    total: Amount,
    /// transfer -> (previous, balance after), of a chained account.
    chain: HashMap<i64, (i64, Amount)>,
}

/// A grant as stored, and how much of it the book issued.
struct Grant {
    asset_id: i64,
    quantity: Amount,
    expires_at: Timestamp,
    issued: Amount,
}

struct Book {
    book_id: i64,
    accounts: BTreeMap<i64, Account>,
    entries: BTreeMap<i64, Entry>,
    transfers: BTreeMap<i64, Transfer>,
    grants: BTreeMap<i64, Grant>,
    /// (account, grant) -> what the transfers leave.
    lots: BTreeMap<(i64, i64), Amount>,
    /// Entries that do not have the bytes that were hashed.
    altered: HashSet<i64>,
    /// Transfers that their entry counts and that are not there.
    missing: BTreeSet<i64>,
    /// Entries that seals cover.
    sealed: HashSet<i64>,
}

impl Book {
    fn transfer_is_altered(&self, transfer: i64) -> bool {
        self.transfers
            .get(&transfer)
            .is_some_and(|t| self.altered.contains(&t.entry_id))
    }

    /// The transfers of an entry that are there.
    fn transfers_of(&self, entry: &Entry) -> impl Iterator<Item = &Transfer> {
        let end = entry.entry_id.saturating_add(entry.transfers);
        self.transfers.range(entry.entry_id..end).map(|t| t.1)
    }
}

/// Checks one book.
pub fn book_verify(tx: &mut ReadTx<'_>, book_id: i64) -> Result<Report> {
    let mut report = Report::default();
    let mut book = Book {
        book_id,
        accounts: read_accounts(tx, book_id, &mut report)?,
        entries: BTreeMap::new(),
        transfers: BTreeMap::new(),
        grants: read_grants(tx, book_id)?,
        lots: BTreeMap::new(),
        altered: HashSet::new(),
        missing: BTreeSet::new(),
        sealed: HashSet::new(),
    };
    read_entries(tx, &mut book)?;
    entries::check(&mut book, &mut report);
    let seals = seals::check(tx, &mut book, &mut report)?;
    entries::add_up(&mut book, &mut report);
    chains::check(&book, &mut report);
    lots::check(tx, &book, &mut report)?;
    seals::check_roll_ups(tx, &book, &seals, &mut report)?;
    holds::check(tx, &book, &mut report)?;
    holds::check_reversals(tx, &book, &mut report)?;
    report.entries = count(book.entries.len());
    report.transfers = count(book.transfers.len());
    report.accounts = count(book.accounts.len());
    Ok(report)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn read_accounts(
    tx: &mut dyn Read,
    book: i64,
    report: &mut Report,
) -> Result<BTreeMap<i64, Account>> {
    let mut accounts = BTreeMap::new();
    tx.query_each(
        "SELECT account_id, asset_id, kind, mode, counterparty FROM account WHERE book_id = $1",
        params![book],
        &mut |row| {
            let id = row.int(0)?;
            let kind = AccountKind::of_row(row.text(2)?, id).ok();
            let chained = row.text(3)? == "chained";
            if kind.is_none_or(|k| k.chained() != chained) {
                report.wrong("account", id, "its kind and its mode disagree");
            }
            let account = Account {
                asset_id: row.int(1)?,
                kind,
                counterparty: row.opt_int(4)?,
                chained,
                head: None,
                total: Amount::ZERO,
                chain: HashMap::new(),
            };
            accounts.insert(id, account);
            Ok(())
        },
    )?;
    tx.query_each(
        "SELECT account_id, head, balance FROM account_head WHERE book_id = $1",
        params![book],
        &mut |row| {
            let id = row.int(0)?;
            match accounts.get_mut(&id) {
                Some(account) if account.chained => {
                    account.head = Some((row.int(1)?, Amount::from_units(row.int(2)?)));
                }
                Some(_) => report.wrong("account_head", id, "belongs to a summed account"),
                None => report.wrong("account", id, "is missing, but its head is there"),
            }
            Ok(())
        },
    )?;
    for (id, _) in accounts
        .iter()
        .filter(|(_, a)| a.chained && a.head.is_none())
    {
        report.wrong("account_head", id, "is missing");
    }
    Ok(accounts)
}

fn read_grants(tx: &mut dyn Read, book: i64) -> Result<BTreeMap<i64, Grant>> {
    let mut grants = BTreeMap::new();
    tx.query_each(
        "SELECT grant_id, asset_id, quantity, expires_at FROM token_grant WHERE book_id = $1",
        params![book],
        &mut |row| {
            let grant = Grant {
                asset_id: row.int(1)?,
                quantity: Amount::from_units(row.int(2)?),
                expires_at: Timestamp(row.int(3)?),
                issued: Amount::ZERO,
            };
            grants.insert(row.int(0)?, grant);
            Ok(())
        },
    )?;
    Ok(grants)
}

/// The engine's error where a row of the ledger cannot be read.
fn corrupt(e: crate::Error) -> EngineError {
    EngineError::Corrupt(e.to_string())
}

fn read_entries(tx: &mut dyn Read, book: &mut Book) -> Result<()> {
    let entries = &mut book.entries;
    tx.query_each(
        "SELECT entry_id, event_id, code, actor, reference, effective_at, recorded_at, transfers,
                digest
         FROM entry WHERE book_id = $1",
        params![book.book_id],
        &mut |row: Row| {
            let entry = entry_row(&row).map_err(corrupt)?;
            entries.insert(entry.entry_id, entry);
            Ok(())
        },
    )?;
    let transfers = &mut book.transfers;
    tx.query_each(
        "SELECT transfer_id, entry_id, debit_id, credit_id, asset_id, amount, grant_id,
                debit_previous, debit_balance, credit_previous, credit_balance
         FROM transfer WHERE book_id = $1",
        params![book.book_id],
        &mut |row: Row| {
            let transfer = transfer_row(&row).map_err(corrupt)?;
            transfers.insert(transfer.transfer_id, transfer);
            Ok(())
        },
    )?;
    Ok(())
}
