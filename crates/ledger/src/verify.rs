//! Recomputes a book from its rows and names each row that is wrong.
//!
//! Nothing stored is trusted: balances follow from transfers, lots from transfers by grant,
//! roll-ups and seals from entries. A finding names a table and a key.

use crate::account::AccountKind;
use crate::amount::Amount;
use crate::entry::{Entry, Transfer, entry_digest, entry_row, transfer_row};
use crate::error::Result;
use crate::hold::HoldState;
use crate::seal::{members_decode, seal_hash};
use scrip_engine::{Error as EngineError, Read, Row, params};
use std::collections::{BTreeMap, HashMap, HashSet};

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
    kind: AccountKind,
    counterparty: Option<i64>,
    /// Head and balance of a chained account.
    head: Option<(i64, Amount)>,
    /// Sum over all transfers.
    total: Amount,
    /// Sum over sealed transfers, of a summed account.
    sealed: Amount,
    /// transfer -> (previous, balance after), of a chained account.
    chain: HashMap<i64, (i64, Amount)>,
}

struct Book {
    book_id: i64,
    accounts: BTreeMap<i64, Account>,
    entries: BTreeMap<i64, Entry>,
    transfers: BTreeMap<i64, Transfer>,
    grants: HashMap<i64, (i64, Amount)>,
    /// (account, grant) -> what the transfers leave.
    lots: BTreeMap<(i64, i64), Amount>,
    sealed: HashSet<i64>,
}

/// Checks one book.
pub fn book_verify(tx: &mut dyn Read, book_id: i64) -> Result<Report> {
    let mut report = Report::default();
    let mut book = Book {
        book_id,
        accounts: read_accounts(tx, book_id)?,
        entries: BTreeMap::new(),
        transfers: BTreeMap::new(),
        grants: read_grants(tx, book_id)?,
        lots: BTreeMap::new(),
        sealed: HashSet::new(),
    };
    read_entries(tx, &mut book)?;
    check_entries(&book, &mut report);
    check_seals(tx, &mut book, &mut report)?;
    add_up(&mut book, &mut report);
    check_chains(&book, &mut report);
    check_assets(&book, &mut report);
    check_lots(tx, &book, &mut report)?;
    check_roll_ups(tx, &book, &mut report)?;
    check_holds(tx, &book, &mut report)?;
    report.entries = count(book.entries.len());
    report.transfers = count(book.transfers.len());
    report.accounts = count(book.accounts.len());
    Ok(report)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn read_accounts(tx: &mut dyn Read, book: i64) -> Result<BTreeMap<i64, Account>> {
    let mut accounts = BTreeMap::new();
    tx.query_each(
        "SELECT account_id, asset_id, kind, mode, counterparty FROM account WHERE book_id = $1",
        params![book],
        &mut |row| {
            let kind = AccountKind::parse(row.text(2)?)
                .map_err(|_| EngineError::Corrupt(format!("account {}: its kind", row.0.len())))?;
            let chained = row.text(3)? == "chained";
            let account = Account {
                asset_id: row.int(1)?,
                kind,
                counterparty: row.opt_int(4)?,
                head: chained.then_some((0, Amount::ZERO)),
                total: Amount::ZERO,
                sealed: Amount::ZERO,
                chain: HashMap::new(),
            };
            accounts.insert(row.int(0)?, account);
            Ok(())
        },
    )?;
    tx.query_each(
        "SELECT account_id, head, balance FROM account_head WHERE book_id = $1",
        params![book],
        &mut |row| {
            if let Some(account) = accounts.get_mut(&row.int(0)?) {
                account.head = Some((row.int(1)?, Amount::from_units(row.int(2)?)));
            }
            Ok(())
        },
    )?;
    Ok(accounts)
}

fn read_grants(tx: &mut dyn Read, book: i64) -> Result<HashMap<i64, (i64, Amount)>> {
    let mut grants = HashMap::new();
    tx.query_each(
        "SELECT grant_id, asset_id, quantity FROM token_grant WHERE book_id = $1",
        params![book],
        &mut |row| {
            grants.insert(row.int(0)?, (row.int(1)?, Amount::from_units(row.int(2)?)));
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

/// Each entry has all its transfers, and its digest is that of its rows.
fn check_entries(book: &Book, report: &mut Report) {
    for (id, entry) in &book.entries {
        let end = id.saturating_add(entry.transfers);
        let own: Vec<Transfer> = book
            .transfers
            .range(*id..end)
            .map(|t| t.1.clone())
            .collect();
        let mut whole = true;
        for missing in (*id..end).filter(|t| !book.transfers.contains_key(t)) {
            whole = false;
            report.wrong("transfer", missing, format!("is missing from entry {id}"));
        }
        if whole && entry_digest(book.book_id, entry, &own) != entry.digest {
            report.wrong(
                "entry",
                id,
                "it or one of its transfers was changed: wrong digest",
            );
        }
    }
    for (id, transfer) in &book.transfers {
        let home = book.entries.get(&transfer.entry_id);
        let end = |e: &Entry| e.entry_id.saturating_add(e.transfers);
        if !home.is_some_and(|e| *id >= e.entry_id && *id < end(e)) {
            report.wrong(
                "transfer",
                id,
                format!("entry {} is missing", transfer.entry_id),
            );
        }
    }
}

/// Each seal hashes what it covers, in an unbroken chain; no entry is sealed twice.
fn check_seals(tx: &mut dyn Read, book: &mut Book, report: &mut Report) -> Result<()> {
    let rows = tx.query(
        "SELECT seal_no, entries, members, hash FROM seal WHERE book_id = $1 ORDER BY seal_no",
        params![book.book_id],
    )?;
    let mut before: Vec<u8> = Vec::new();
    for (row, expected) in rows.iter().zip(1_i64..) {
        let no = row.int(0)?;
        if no != expected {
            report.wrong("seal", expected, "is missing");
            return Ok(());
        }
        report.seals = report.seals.saturating_add(1);
        let Ok(members) = members_decode(row.blob(2)?) else {
            report.wrong("seal", no, "its list of entries cannot be read");
            return Ok(());
        };
        let mut digests = Vec::with_capacity(members.len());
        for id in &members {
            if !book.sealed.insert(*id) {
                report.wrong("seal", no, format!("entry {id} is sealed twice"));
            }
            match book.entries.get(id) {
                Some(entry) => digests.push((*id, entry.digest.as_slice())),
                None => report.wrong("entry", id, format!("is missing, seal {no} covers it")),
            }
        }
        let hash = seal_hash(&before, book.book_id, no, digests.into_iter());
        if hash != row.blob(3)? {
            let first = members.first().copied().unwrap_or_default();
            let last = members.last().copied().unwrap_or_default();
            report.wrong(
                "seal",
                no,
                format!("does not match its entries {first} to {last}"),
            );
        }
        before = row.blob(3)?.to_vec();
    }
    Ok(())
}

/// Adds every transfer to its accounts and lots.
fn add_up(book: &mut Book, report: &mut Report) {
    for (id, t) in &book.transfers {
        if !t.amount.is_positive() {
            report.wrong("transfer", id, format!("moves {} units", t.amount));
        }
        let sealed = book.sealed.contains(&t.entry_id);
        let sides = [
            (t.debit, t.amount.negated(), t.debit_link),
            (t.credit, Ok(t.amount), t.credit_link),
        ];
        for (account_id, change, link) in sides {
            let Some(account) = book.accounts.get_mut(&account_id) else {
                report.wrong("transfer", id, format!("account {account_id} is missing"));
                continue;
            };
            if account.asset_id != t.asset_id {
                report.wrong(
                    "transfer",
                    id,
                    format!("account {account_id} holds another asset"),
                );
            }
            let Ok(change) = change else { continue };
            match account.total.plus(change) {
                Ok(total) => account.total = total,
                Err(_) => report.wrong("account", account_id, "its transfers overflow"),
            }
            match (account.head.is_some(), link) {
                (true, Some(link)) => {
                    account.chain.insert(*id, link);
                }
                (false, None) if sealed => {
                    account.sealed = account.sealed.plus(change).unwrap_or(account.sealed);
                }
                (false, None) => {}
                (true, None) => report.wrong("transfer", id, "has no link to a chained account"),
                (false, Some(_)) => report.wrong("transfer", id, "has a link to a summed account"),
            }
            if let (Some(grant), Some(_)) = (t.grant_id, account.head) {
                let lot = book.lots.entry((account_id, grant)).or_default();
                *lot = lot.plus(change).unwrap_or(*lot);
            }
        }
    }
}

/// Each chained account: from its head back to its beginning, every transfer once, every balance
/// the one before plus the transfer, none below zero.
fn check_chains(book: &Book, report: &mut Report) {
    for (id, account) in &book.accounts {
        let Some((head, balance)) = account.head else {
            continue;
        };
        let mut at = head;
        let mut after = balance;
        let mut seen = 0_usize;
        while at != 0 {
            let (Some((previous, stored)), Some(transfer)) =
                (account.chain.get(&at), book.transfers.get(&at))
            else {
                report.wrong(
                    "transfer",
                    at,
                    format!("is missing from the chain of account {id}"),
                );
                break;
            };
            seen = seen.saturating_add(1);
            if *stored != after {
                let row = if at == head {
                    "account_head"
                } else {
                    "transfer"
                };
                let key = if at == head { *id } else { at };
                let problem = format!(
                    "balance of account {id} after transfer {at} is {stored}, expected {after}"
                );
                report.wrong(row, key, problem);
            }
            if *stored < Amount::ZERO {
                report.wrong("transfer", at, format!("account {id} falls to {stored}"));
            }
            let change = if transfer.credit == *id {
                transfer.amount.negated()
            } else {
                Ok(transfer.amount)
            };
            after = change.and_then(|c| stored.plus(c)).unwrap_or(*stored);
            if *previous >= at && seen > account.chain.len() {
                report.wrong(
                    "transfer",
                    at,
                    format!("the chain of account {id} runs in a circle"),
                );
                break;
            }
            at = *previous;
        }
        if at == 0 && !after.is_zero() {
            report.wrong(
                "account",
                id,
                format!("its chain begins with {after} units"),
            );
        }
        if at == 0 && seen != account.chain.len() {
            let problem = format!(
                "its chain reaches {seen} of {} transfers",
                account.chain.len()
            );
            report.wrong("account", id, problem);
        }
        if account.total != balance {
            let problem = format!("balance is {balance}, its transfers make {}", account.total);
            report.wrong("account_head", id, problem);
        }
    }
}

/// Debits equal credits in each asset.
fn check_assets(book: &Book, report: &mut Report) {
    let mut sums: BTreeMap<i64, i128> = BTreeMap::new();
    for account in book.accounts.values() {
        let sum = sums.entry(account.asset_id).or_default();
        *sum = sum.saturating_add(i128::from(account.total.units()));
    }
    for (asset, sum) in sums.into_iter().filter(|s| s.1 != 0) {
        report.wrong(
            "asset",
            asset,
            format!("debits and credits differ by {sum}"),
        );
    }
}

/// Stored lots are those that the transfers leave, and no grant gave out more than it has.
fn check_lots(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let mut stored: BTreeMap<(i64, i64), Amount> = BTreeMap::new();
    tx.query_each(
        "SELECT account_id, grant_id, remaining FROM lot WHERE book_id = $1",
        params![book.book_id],
        &mut |row| {
            stored.insert((row.int(0)?, row.int(1)?), Amount::from_units(row.int(2)?));
            Ok(())
        },
    )?;
    let mut outstanding: HashMap<i64, Amount> = HashMap::new();
    for ((account, grant), expected) in &book.lots {
        let found = stored.remove(&(*account, *grant)).unwrap_or_default();
        if found != *expected {
            let problem = format!("has {found} units, its transfers leave {expected}");
            report.wrong("lot", format!("{account}/{grant}"), problem);
        }
        let sum = outstanding.entry(*grant).or_default();
        *sum = sum.plus(*expected).unwrap_or(*sum);
    }
    for ((account, grant), found) in stored {
        report.wrong(
            "lot",
            format!("{account}/{grant}"),
            format!("has {found} units, no transfer"),
        );
    }
    for (grant, held) in outstanding {
        match book.grants.get(&grant) {
            None => report.wrong(
                "token_grant",
                grant,
                "is missing, but tokens of it are held",
            ),
            Some((_, quantity)) if held > *quantity => {
                let problem = format!("granted {quantity} units, {held} are held");
                report.wrong("token_grant", grant, problem);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Roll-ups equal the sealed transfers of their accounts.
fn check_roll_ups(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let rows = tx.query(
        "SELECT account_id, balance FROM rollup WHERE book_id = $1",
        params![book.book_id],
    )?;
    let mut stored: BTreeMap<i64, Amount> = BTreeMap::new();
    for row in &rows {
        stored.insert(row.int(0)?, Amount::from_units(row.int(1)?));
    }
    for (id, account) in book.accounts.iter().filter(|a| a.1.head.is_none()) {
        let found = stored.remove(id).unwrap_or_default();
        if found != account.sealed {
            let problem = format!("is {found}, the sealed transfers make {}", account.sealed);
            report.wrong("rollup", id, problem);
        }
    }
    for id in stored.keys() {
        report.wrong("rollup", id, "belongs to no summed account");
    }
    Ok(())
}

/// Open holds are what their accounts keep; closed ones have an entry that closed them.
fn check_holds(tx: &mut dyn Read, book: &Book, report: &mut Report) -> Result<()> {
    let mut open: BTreeMap<i64, Amount> = BTreeMap::new();
    let rows = tx.query(
        "SELECT hold_id, held_id, amount, state, posted, opened_entry, closed_entry FROM hold
         WHERE book_id = $1 ORDER BY hold_id",
        params![book.book_id],
    )?;
    for row in &rows {
        let id = row.int(0)?;
        let amount = Amount::from_units(row.int(2)?);
        let is_open = row.text(3)? == HoldState::Open.name();
        if is_open {
            let sum = open.entry(row.int(1)?).or_default();
            *sum = sum.plus(amount).unwrap_or(*sum);
        }
        if Amount::from_units(row.int(4)?) > amount {
            report.wrong("hold", id, "more was posted than held");
        }
        let closed = row.opt_int(6)?;
        if is_open != closed.is_none() {
            report.wrong("hold", id, "its state and its closing entry disagree");
        }
        for entry in [Some(row.int(5)?), closed].into_iter().flatten() {
            if !book.entries.contains_key(&entry) {
                report.wrong("hold", id, format!("entry {entry} is missing"));
            }
        }
    }
    for (id, account) in book
        .accounts
        .iter()
        .filter(|a| a.1.kind == AccountKind::Held)
    {
        let expected = open.remove(id).unwrap_or_default();
        if account.total != expected {
            let problem = format!("keeps {} units, open holds make {expected}", account.total);
            report.wrong("account", id, problem);
        }
    }
    for id in open.keys() {
        report.wrong("account", id, "is missing, but open holds are kept in it");
    }
    Ok(())
}

/// What each book owes another: (book, counterparty, asset) -> balance.
pub type Dues = BTreeMap<(i64, i64, i64), Amount>;

/// The balances of a book's due accounts, recomputed from its transfers.
pub fn book_dues(tx: &mut dyn Read, book_id: i64, dues: &mut Dues) -> Result<()> {
    let mut accounts = read_accounts(tx, book_id)?;
    accounts.retain(|_, a| a.kind == AccountKind::Due);
    if accounts.is_empty() {
        return Ok(());
    }
    tx.query_each(
        "SELECT debit_id, credit_id, amount FROM transfer WHERE book_id = $1",
        params![book_id],
        &mut |row| {
            let amount = Amount::from_units(row.int(2)?);
            for (id, change) in [(row.int(0)?, amount.negated()), (row.int(1)?, Ok(amount))] {
                if let Some(account) = accounts.get_mut(&id) {
                    account.total = change
                        .and_then(|c| account.total.plus(c))
                        .map_err(corrupt)?;
                }
            }
            Ok(())
        },
    )?;
    for account in accounts.values() {
        let key = (
            book_id,
            account.counterparty.unwrap_or_default(),
            account.asset_id,
        );
        let due = dues.entry(key).or_default();
        *due = due.plus(account.total)?;
    }
    Ok(())
}

/// Over all books: what one owes another is what the other is owed.
pub fn dues_verify(dues: &Dues, report: &mut Report) {
    for ((book, counterparty, asset), balance) in dues {
        let other = dues
            .get(&(*counterparty, *book, *asset))
            .copied()
            .unwrap_or_default();
        if balance.plus(other).is_ok_and(|sum| !sum.is_zero()) {
            let problem = format!(
                "owes book {counterparty} {balance} of asset {asset}, which expects {other}"
            );
            report.wrong("account", format!("due of book {book}"), problem);
        }
    }
}
