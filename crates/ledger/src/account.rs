//! Accounts: opening them, what is in them, how it came there.

use crate::amount::Amount;
use crate::entry::{Entry, Transfer, entries_by_id, transfer_row};
use crate::error::{Error, Result};
use crate::grant::{GrantInfo, Origin, grant_by_id, grant_info};
use crate::memory::{LedgerMemory, State};
use crate::seal::tail_transfers;
use scrip_engine::{
    Error as EngineError, Param, Query, Read, ReadTx, Sequence, Store, Timestamp, Tx, params,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// What an account is for. The kind decides the mode: what has a floor is chained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// A customer's tokens; never below zero.
    Wallet,
    /// What holds have set aside of a wallet; never below zero.
    Held,
    /// The other side of tokens issued.
    Issued,
    /// Tokens that came back by sales.
    Spent,
    /// Tokens that expired.
    Expired,
    /// Money that a card processor owes.
    Processor,
    /// Money received for tokens not yet spent.
    Deferred,
    /// What this book owes the counterparty's, or is owed when negative.
    Due,
    /// Money that came in without a card processor: cheques, transfers, cash.
    Bank,
    /// Money that customers owe for tokens issued before payment.
    Receivable,
    /// Money for tokens that were spent: deferred until a period was closed.
    Earned,
    /// Money for tokens that expired unspent.
    Breakage,
    /// Money for goods that were paid without tokens.
    Sales,
    /// Money that is lost by fees and disputes.
    Charges,
    /// Money that came for nothing, and has to go back.
    Payback,
    /// Money owed to others for tokens of this book that they took (OPN-04).
    Settled,
    /// Fractions that exchanges leave over (OPN-02).
    Residue,
    /// What the mall keeps of what its members sell (OPN-09, MSP-06).
    Royalty,
}

impl AccountKind {
    const ALL: [AccountKind; 18] = [
        AccountKind::Wallet,
        AccountKind::Held,
        AccountKind::Issued,
        AccountKind::Spent,
        AccountKind::Expired,
        AccountKind::Processor,
        AccountKind::Deferred,
        AccountKind::Due,
        AccountKind::Bank,
        AccountKind::Receivable,
        AccountKind::Earned,
        AccountKind::Breakage,
        AccountKind::Sales,
        AccountKind::Charges,
        AccountKind::Payback,
        AccountKind::Settled,
        AccountKind::Residue,
        AccountKind::Royalty,
    ];

    /// Its name in the database and in exports.
    pub fn name(self) -> &'static str {
        match self {
            AccountKind::Wallet => "wallet",
            AccountKind::Held => "held",
            AccountKind::Issued => "issued",
            AccountKind::Spent => "spent",
            AccountKind::Expired => "expired",
            AccountKind::Processor => "processor",
            AccountKind::Deferred => "deferred",
            AccountKind::Due => "due",
            AccountKind::Bank => "bank",
            AccountKind::Receivable => "receivable",
            AccountKind::Earned => "earned",
            AccountKind::Breakage => "breakage",
            AccountKind::Sales => "sales",
            AccountKind::Charges => "charges",
            AccountKind::Payback => "payback",
            AccountKind::Settled => "settled",
            AccountKind::Residue => "residue",
            AccountKind::Royalty => "royalty",
        }
    }

    /// The kind in the row of an account.
    pub(crate) fn of_row(text: &str, account: i64) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|k| k.name() == text)
            .ok_or_else(|| {
                EngineError::Corrupt(format!("kind {text:?} of account {account}")).into()
            })
    }

    /// True for accounts that never fall below zero.
    pub fn chained(self) -> bool {
        matches!(self, AccountKind::Wallet | AccountKind::Held)
    }
}

/// What never changes of an account and every transfer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// The asset that it holds.
    pub asset_id: i64,
    /// What it is for.
    pub kind: AccountKind,
    /// True when it is chained, false when it is summed.
    pub chained: bool,
}

/// An account to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    /// The book.
    pub book_id: i64,
    /// What it holds.
    pub asset_id: i64,
    /// What it is for.
    pub kind: AccountKind,
    /// How exports name it, for example a customer's account number.
    pub label: &'a str,
    /// The customer whose wallet it is.
    pub owner: Option<&'a Uuid>,
    /// The other book of a due account.
    pub counterparty: Option<i64>,
}

/// Opens an account and returns its number.
pub fn account_open(tx: &mut Tx<'_>, new: &NewAccount<'_>) -> Result<i64> {
    let id = tx.next_numbers(Sequence::Account, 1)?;
    let chained = new.kind.chained();
    let now = tx.now();
    tx.put(
        "INSERT INTO account
           (book_id, account_id, asset_id, kind, mode, label, owner, counterparty, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            new.book_id,
            id,
            new.asset_id,
            new.kind.name(),
            if chained { "chained" } else { "summed" },
            new.label,
            new.owner,
            new.counterparty,
            now.0
        ],
    )?;
    if chained {
        tx.put(
            "INSERT INTO account_head (book_id, account_id, head, balance) VALUES ($1, $2, 0, 0)",
            params![new.book_id, id],
        )?;
    }
    let info = AccountInfo {
        asset_id: new.asset_id,
        kind: new.kind,
        chained,
    };
    tx.memory::<LedgerMemory>()?
        .opened_account((new.book_id, id), info);
    Ok(id)
}

/// What never changes of an account.
pub(crate) fn account_info(tx: &mut Tx<'_>, book: i64, account: i64) -> Result<AccountInfo> {
    if let Some(info) = tx.memory::<LedgerMemory>()?.facts.account((book, account)) {
        return Ok(info);
    }
    let row = tx
        .query_opt(
            "SELECT asset_id, kind, mode FROM account WHERE book_id = $1 AND account_id = $2",
            params![book, account],
        )?
        .ok_or(Error::AccountUnknown { book, account })?;
    let info = AccountInfo {
        asset_id: row.int(0)?,
        kind: AccountKind::of_row(row.text(1)?, account)?,
        chained: row.text(2)? == "chained",
    };
    // A wallet taken for a summed account could fall below zero.
    if info.chained != info.kind.chained() {
        let problem = format!("mode {:?} of account {account}", row.text(2)?);
        return Err(EngineError::Corrupt(problem).into());
    }
    tx.memory::<LedgerMemory>()?
        .facts
        .set_account((book, account), info);
    Ok(info)
}

/// Brings the head and lots of a chained account into memory, locked. Callers go by account
/// number, ascending.
pub(crate) fn account_load(tx: &mut Tx<'_>, book: i64, account: i64) -> Result<()> {
    if tx
        .memory::<LedgerMemory>()?
        .state((book, account))
        .is_some()
    {
        return Ok(());
    }
    let (head, lots) = tx.query_locked_with(
        (
            "SELECT head, balance FROM account_head WHERE book_id = $1 AND account_id = $2",
            params![book, account],
        ),
        (
            "SELECT grant_id, remaining FROM lot
             WHERE book_id = $1 AND account_id = $2 ORDER BY grant_id",
            params![book, account],
        ),
    )?;
    let head = head
        .first()
        .ok_or(Error::AccountUnknown { book, account })?;
    let mut state = State {
        head: head.int(0)?,
        balance: head.int(1)?,
        lots: Vec::new(),
    };
    for row in &lots {
        state.lots.push((row.int(0)?, row.int(1)?));
    }
    tx.memory::<LedgerMemory>()?.loaded((book, account), state);
    Ok(())
}

/// A part of a wallet: what it has left of one grant.
#[derive(Clone, Debug)]
pub struct Lot {
    /// The grant.
    pub grant: Arc<GrantInfo>,
    /// What is left.
    pub remaining: Amount,
}

impl Lot {
    /// True while the tokens can be spent.
    pub fn usable(&self, now: Timestamp) -> bool {
        self.grant.expires_at > now
    }
}

/// The lots of a wallet, by grant, locked until the transaction ends.
pub fn lots_locked(tx: &mut Tx<'_>, book: i64, account: i64) -> Result<Vec<Lot>> {
    account_load(tx, book, account)?;
    let lots = tx
        .memory::<LedgerMemory>()?
        .state((book, account))
        .map_or(Vec::new(), |s| s.lots.clone());
    lots.into_iter()
        .map(|(grant, remaining)| {
            Ok(Lot {
                grant: grant_by_id(tx, book, grant)?,
                remaining: Amount::from_units(remaining),
            })
        })
        .collect()
}

/// The lots of a wallet, by grant, as committed. Credit that was paid off counts as paid (TOK-12).
pub fn lots_available(tx: &mut ReadTx<'_>, book: i64, account: i64) -> Result<Vec<Lot>> {
    // In the order of the lot's column: by the grant's, SQLite walks all grants of the book.
    let rows = tx.query(
        "SELECT l.remaining, g.grant_id, g.asset_id, g.origin, g.restriction, g.expires_at,
                g.quantity, g.paid, g.paid_asset_id, g.granted_at, e.kind
         FROM lot l JOIN token_grant g ON g.book_id = l.book_id AND g.grant_id = l.grant_id
         LEFT JOIN grant_event e
           ON e.book_id = l.book_id AND e.grant_id = l.grant_id AND e.event_no = 1
         WHERE l.book_id = $1 AND l.account_id = $2 ORDER BY l.grant_id",
        params![book, account],
    )?;
    rows.iter()
        .map(|row| {
            let mut grant = grant_info(row, 1)?;
            if row.opt_text(10)?.is_some() {
                grant.origin = Origin::Paid;
            }
            Ok(Lot {
                remaining: Amount::from_units(row.int(0)?),
                grant: Arc::new(grant),
            })
        })
        .collect()
}

/// Wallets in which lots have expired, as committed, ascending: those of the `limit` lots that
/// expired first.
pub fn wallets_due(tx: &mut dyn Read, book: i64, limit: i64) -> Result<BTreeSet<i64>> {
    let now = tx.now();
    let rows = tx.query(
        "SELECT account_id FROM lot_due WHERE book_id = $1 AND expires_at <= $2
         ORDER BY expires_at, account_id, grant_id LIMIT $3",
        params![book, now.0, limit],
    )?;
    rows.iter().map(|row| Ok(row.int(0)?)).collect()
}

/// The balance (credits minus debits) of any account, as committed.
pub fn account_balance(tx: &mut ReadTx<'_>, book: i64, account: i64) -> Result<Amount> {
    let balances = account_balances(tx, book, &[account])?;
    Ok(balances.first().copied().unwrap_or_default())
}

/// The balances of several accounts, in their order: the tail is read once for all of them.
pub fn account_balances(tx: &mut ReadTx<'_>, book: i64, accounts: &[i64]) -> Result<Vec<Amount>> {
    let mut balances = Vec::with_capacity(accounts.len());
    let mut summed = Vec::new();
    for (account, place) in accounts.iter().zip(0_usize..) {
        let head = tx.query_opt(
            "SELECT balance FROM account_head WHERE book_id = $1 AND account_id = $2",
            params![book, *account],
        )?;
        let stored = match head {
            Some(row) => Some(row),
            None => {
                summed.push((*account, place));
                tx.query_opt(
                    "SELECT balance FROM rollup WHERE book_id = $1 AND account_id = $2",
                    params![book, *account],
                )?
            }
        };
        balances.push(Amount::from_units(stored.map_or(Ok(0), |row| row.int(0))?));
    }
    if summed.is_empty() {
        return Ok(balances);
    }
    for transfer in tail_transfers(tx, book)? {
        for (account, place) in &summed {
            let Some(balance) = balances.get_mut(*place) else {
                continue;
            };
            if transfer.credit == *account {
                *balance = balance.plus(transfer.amount)?;
            }
            if transfer.debit == *account {
                *balance = balance.minus(transfer.amount)?;
            }
        }
    }
    Ok(balances)
}

/// The transfers of a chained account with their entries, newest first: `limit` of them, from
/// transfer `before` on, which is the first of them (`None` for the newest). The next page begins
/// at [`Transfer::previous`] of the last.
pub fn account_history(
    tx: &mut ReadTx<'_>,
    book: i64,
    account: i64,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<(Transfer, Entry)>> {
    let from = match before {
        Some(transfer) => transfer,
        None => {
            let head = tx.query_opt(
                "SELECT head FROM account_head WHERE book_id = $1 AND account_id = $2",
                params![book, account],
            )?;
            head.ok_or(Error::AccountUnknown { book, account })?
                .int(0)?
        }
    };
    account_walk(tx, book, account, from, limit).map_err(|e| match (e, before) {
        // The head named it, not the caller.
        (Error::TransferUnknown { .. }, None) => {
            EngineError::Corrupt(format!("head {from} of account {account}")).into()
        }
        (e, _) => e,
    })
}

/// What some accounts are: kind and label by number. Those that do not exist are left out.
pub fn accounts_named(
    tx: &mut dyn Read,
    book: i64,
    accounts: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, (AccountKind, String)>> {
    let params: Vec<[Param<'_>; 2]> = accounts
        .iter()
        .map(|account| [Param::Int(book), Param::Int(*account)])
        .collect();
    let queries: Vec<Query<'_>> = params.iter().map(|p| (NAMED, &p[..])).collect();
    let mut named = BTreeMap::new();
    for row in tx.query_all(&queries)?.iter().flatten() {
        let account = row.int(0)?;
        let kind = AccountKind::of_row(row.text(1)?, account)?;
        named.insert(account, (kind, row.text(2)?.to_owned()));
    }
    Ok(named)
}

const NAMED: &str = "SELECT account_id, kind, label FROM account
    WHERE book_id = $1 AND account_id = $2";

/// The last transfer of a chained account, 0 for none, locked until the transaction ends. In a
/// write transaction the stored row may be behind what the writer holds; this is not.
pub fn account_head_locked(tx: &mut Tx<'_>, book: i64, account: i64) -> Result<i64> {
    account_load(tx, book, account)?;
    Ok(tx
        .memory::<LedgerMemory>()?
        .state((book, account))
        .map_or(0, |s| s.head))
}

/// A walk along the chain of an account: `limit` transfers with their entries, newest first,
/// beginning with the transfer `from`; none from 0.
pub fn account_walk(
    tx: &mut dyn Read,
    book: i64,
    account: i64,
    from: i64,
    limit: usize,
) -> Result<Vec<(Transfer, Entry)>> {
    let mut next = from;
    let mut history: Vec<(Transfer, Entry)> = Vec::new();
    while next != 0 && history.len() < limit {
        let row = tx.query_opt(
            "SELECT transfer_id, entry_id, debit_id, credit_id, asset_id, amount, grant_id,
                    debit_previous, debit_balance, credit_previous, credit_balance
             FROM transfer WHERE book_id = $1 AND transfer_id = $2",
            params![book, next],
        )?;
        let transfer = row.as_ref().map(transfer_row).transpose()?;
        let Some((transfer, previous)) = transfer.and_then(|t| {
            let previous = t.previous(account)?;
            Some((t, previous))
        }) else {
            // The caller's mistake where it names the first one, a broken chain further on.
            if history.is_empty() {
                let transfer = from;
                return Err(Error::TransferUnknown { account, transfer });
            }
            let problem = format!("transfer {next} of account {account}");
            return Err(EngineError::Corrupt(problem).into());
        };
        next = previous;
        let entry = match history.last() {
            Some((_, last)) if last.entry_id == transfer.entry_id => last.clone(),
            _ => entries_by_id(tx, book, transfer.entry_id)?,
        };
        history.push((transfer, entry));
    }
    Ok(history)
}
