//! Account heads and lots, as the writer holds them.
//!
//! On SQLite they stay in memory from batch to batch and are written back once a batch; on
//! PostgreSQL they live for one transaction, in which their rows are locked. What never changes
//! (an account's asset, a grant's expiry) is kept for the life of the process.

use crate::account::AccountInfo;
use crate::grant::GrantInfo;
use rustc_hash::FxHashMap;
use scrip_engine::{Memory, Result, Store, params};
use std::sync::{Arc, PoisonError, RwLock};

/// Accounts held at most between batches.
const HELD_AT_MOST: usize = 2_000_000;
/// Facts held at most.
const FACTS_AT_MOST: usize = 4_000_000;

/// (book, account) or (book, grant).
pub(crate) type Key = (i64, i64);

/// (book, expiry, account, grant): a lot of a wallet that may expire.
pub(crate) type Due = (i64, i64, i64, i64);

/// The moving part of a chained account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Its last transfer, 0 for none.
    pub head: i64,
    /// Its balance after that.
    pub balance: i64,
    /// (grant, remaining), by grant.
    pub lots: Vec<(i64, i64)>,
}

/// What never changes, shared by all writers of a process.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    accounts: RwLock<FxHashMap<Key, AccountInfo>>,
    grants: RwLock<FxHashMap<Key, Arc<GrantInfo>>>,
}

impl Facts {
    pub(crate) fn account(&self, key: Key) -> Option<AccountInfo> {
        self.accounts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .copied()
    }
    pub(crate) fn set_account(&self, key: Key, info: AccountInfo) {
        let mut map = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if map.len() >= FACTS_AT_MOST {
            map.clear();
        }
        map.insert(key, info);
    }
    fn forget_account(&self, key: Key) {
        let mut map = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        map.remove(&key);
    }
    fn forget_grant(&self, key: Key) {
        let mut map = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        map.remove(&key);
    }
    pub(crate) fn grant(&self, key: Key) -> Option<Arc<GrantInfo>> {
        self.grants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned()
    }
    pub(crate) fn set_grant(&self, key: Key, info: Arc<GrantInfo>) {
        let mut map = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= FACTS_AT_MOST {
            map.clear();
        }
        map.insert(key, info);
    }
}

/// What a change replaced, or added to the facts before it was committed.
#[derive(Debug)]
enum Undo {
    State(Key, State),
    Account(Key),
    Grant(Key),
}

/// The ledger's memory of a writer.
#[derive(Debug)]
pub struct LedgerMemory {
    pub(crate) facts: Arc<Facts>,
    states: FxHashMap<Key, State>,
    /// Sorted and freed of doubles when they are written.
    changed: Vec<Key>,
    changed_lots: Vec<(i64, i64, i64)>,
    /// Those among them that may expire.
    changed_dues: Vec<Due>,
    /// How to take back each change, oldest first.
    undo: Vec<Undo>,
    /// False only in the test that shows that the floor is what prevents a double spend.
    pub(crate) floor: bool,
}

impl LedgerMemory {
    pub(crate) fn state(&self, key: Key) -> Option<&State> {
        self.states.get(&key)
    }

    /// Holds what was just read.
    pub(crate) fn loaded(&mut self, key: Key, state: State) {
        self.states.insert(key, state);
    }

    /// Replaces a state that is held, noting which lots differ.
    pub(crate) fn change(&mut self, key: Key, state: State) {
        let old = self.states.insert(key, state).unwrap_or_default();
        self.changed.push(key);
        let new = &self.states[&key];
        for (grant, remaining) in &new.lots {
            if lot(&old.lots, *grant) != *remaining {
                self.changed_lots.push((key.0, key.1, *grant));
            }
        }
        for (grant, _) in &old.lots {
            if lot(&new.lots, *grant) == 0 {
                self.changed_lots.push((key.0, key.1, *grant));
            }
        }
        self.undo.push(Undo::State(key, old));
    }

    /// Notes that a lot changed that may expire.
    pub(crate) fn expiring(&mut self, due: Due) {
        self.changed_dues.push(due);
    }

    /// What is left of a grant in an account that is held.
    fn remaining(&self, account: Key, grant: i64) -> i64 {
        self.states.get(&account).map_or(0, |s| lot(&s.lots, grant))
    }

    /// Keeps the index of lots by expiry as the lots are.
    fn flush_dues(&mut self, store: &mut dyn Store) -> Result<()> {
        self.changed_dues.sort_unstable();
        self.changed_dues.dedup();
        for (book, expires_at, account, grant) in &self.changed_dues {
            let sql = if self.remaining((*book, *account), *grant) > 0 {
                "INSERT INTO lot_due (book_id, expires_at, account_id, grant_id)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (book_id, expires_at, account_id, grant_id) DO NOTHING"
            } else {
                "DELETE FROM lot_due
                 WHERE book_id = $1 AND expires_at = $2 AND account_id = $3 AND grant_id = $4"
            };
            store.put(sql, params![*book, *expires_at, *account, *grant])?;
        }
        Ok(())
    }

    /// Notes an account of this transaction.
    pub(crate) fn opened_account(&mut self, key: Key, info: AccountInfo) {
        self.facts.set_account(key, info);
        self.undo.push(Undo::Account(key));
    }

    /// Notes a grant of this transaction.
    pub(crate) fn opened_grant(&mut self, key: Key, info: Arc<GrantInfo>) {
        self.facts.set_grant(key, info);
        self.undo.push(Undo::Grant(key));
    }
}

/// What is left of a grant in `lots`.
pub(crate) fn lot(lots: &[(i64, i64)], grant: i64) -> i64 {
    lots.binary_search_by_key(&grant, |l| l.0)
        .ok()
        .and_then(|i| lots.get(i))
        .map_or(0, |l| l.1)
}

/// Sets what is left of a grant.
pub(crate) fn set_lot(lots: &mut Vec<(i64, i64)>, grant: i64, remaining: i64) {
    match lots.binary_search_by_key(&grant, |l| l.0) {
        Ok(i) if remaining == 0 => {
            lots.remove(i);
        }
        Ok(i) => lots[i].1 = remaining,
        Err(_) if remaining == 0 => {}
        Err(i) => lots.insert(i, (grant, remaining)),
    }
}

impl Memory for LedgerMemory {
    fn mark(&mut self) -> usize {
        self.undo.len()
    }

    fn rollback(&mut self, mark: usize) {
        // Newest first. What stays in the sets of changes is written again, unchanged.
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some(Undo::State(key, state)) => {
                    self.states.insert(key, state);
                }
                Some(Undo::Account(key)) => {
                    self.facts.forget_account(key);
                    self.states.remove(&key);
                }
                Some(Undo::Grant(key)) => self.facts.forget_grant(key),
                None => {}
            }
        }
    }

    fn flush(&mut self, store: &mut dyn Store) -> Result<()> {
        self.changed.sort_unstable();
        self.changed.dedup();
        self.changed_lots.sort_unstable();
        self.changed_lots.dedup();
        for key in &self.changed {
            // An account whose opening was undone is not held any more.
            let Some(state) = self.states.get(key) else {
                continue;
            };
            store.put(
                "UPDATE account_head SET head = $3, balance = $4
                 WHERE book_id = $1 AND account_id = $2",
                params![key.0, key.1, state.head, state.balance],
            )?;
        }
        for (book, account, grant) in &self.changed_lots {
            let remaining = self.remaining((*book, *account), *grant);
            if remaining > 0 {
                store.put(
                    "INSERT INTO lot (book_id, account_id, grant_id, remaining)
                     VALUES ($1, $2, $3, $4)
                     ON CONFLICT (book_id, account_id, grant_id)
                     DO UPDATE SET remaining = excluded.remaining",
                    params![*book, *account, *grant, remaining],
                )?;
            } else {
                store.put(
                    "DELETE FROM lot WHERE book_id = $1 AND account_id = $2 AND grant_id = $3",
                    params![*book, *account, *grant],
                )?;
            }
        }
        self.flush_dues(store)
    }

    fn committed(&mut self) {
        self.changed.clear();
        self.changed_lots.clear();
        self.changed_dues.clear();
        self.undo.clear();
        if self.states.len() > HELD_AT_MOST {
            self.states.clear();
        }
    }

    fn clear(&mut self) {
        // Facts of a transaction that did not commit are none.
        self.rollback(0);
        self.states.clear();
        self.changed.clear();
        self.changed_lots.clear();
        self.changed_dues.clear();
        self.undo.clear();
    }
}

type Factory = Arc<dyn Fn() -> Box<dyn Memory> + Send + Sync>;

fn factory(floor: bool) -> Factory {
    let facts = Arc::new(Facts::default());
    Arc::new(move || {
        Box::new(LedgerMemory {
            facts: facts.clone(),
            states: FxHashMap::default(),
            changed: Vec::new(),
            changed_lots: Vec::new(),
            changed_dues: Vec::new(),
            undo: Vec::new(),
            floor,
        })
    })
}

/// Makes the ledger's memory, for [`scrip_engine::Options`].
pub fn memory() -> Factory {
    factory(true)
}

/// A ledger that lets wallets fall below zero: only for the test that must fail with it.
#[doc(hidden)]
pub fn memory_without_floor() -> Factory {
    factory(false)
}
