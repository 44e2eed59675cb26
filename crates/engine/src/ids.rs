//! Fresh ids and randomness.
//!
//! Rows that people see carry UUIDv7. Rows of the hot path (entries, transfers, accounts, grants)
//! carry 64-bit numbers from a sequence: half the bytes, and appended at the end of their table.
//! A sequence is shared by all writers of a process and only goes up; numbers of a command that
//! failed are not used again.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How many numbers are reserved at a time. A restart begins at the next block.
pub(crate) const BLOCK: i64 = 1000;

/// The sequences, each with a table row (SQLite) or a sequence object (PostgreSQL) of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Sequence {
    /// Transfers; an entry has the number of its first transfer.
    Transfer = 0,
    /// Ledger accounts.
    Account = 1,
    /// Grants of tokens.
    Grant = 2,
    /// Holds.
    Hold = 3,
    /// Messages in the outbox.
    Outbox = 4,
}

impl Sequence {
    pub(crate) const ALL: [Sequence; 5] = [
        Sequence::Transfer,
        Sequence::Account,
        Sequence::Grant,
        Sequence::Hold,
        Sequence::Outbox,
    ];

    pub(crate) fn name(self) -> &'static str {
        ["transfer", "account", "grant", "hold", "outbox"][self as usize]
    }

    /// The statement that reserves the next block on PostgreSQL.
    pub(crate) fn nextval_sql(self) -> &'static str {
        [
            "SELECT nextval('sequence_transfer')",
            "SELECT nextval('sequence_account')",
            "SELECT nextval('sequence_grant')",
            "SELECT nextval('sequence_hold')",
            "SELECT nextval('sequence_outbox')",
        ][self as usize]
    }
}

/// The next free number and the end (exclusive) of what is reserved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub next: i64,
    pub end: i64,
}

/// All sequences of a process.
#[derive(Debug)]
pub(crate) struct Ids([Mutex<Range>; Sequence::ALL.len()]);

impl Ids {
    pub(crate) fn new() -> Self {
        Ids(std::array::from_fn(|_| {
            Mutex::new(Range { next: 1, end: 1 })
        }))
    }

    pub(crate) fn range(&self, sequence: Sequence) -> std::sync::MutexGuard<'_, Range> {
        self.0[sequence as usize]
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes `n` numbers in a row; `reserve` is asked for the start of a further block.
    pub(crate) fn take(
        &self,
        sequence: Sequence,
        n: i64,
        mut reserve: impl FnMut() -> Result<i64>,
    ) -> Result<i64> {
        at_least_one(n)?;
        let mut range = self.range(sequence);
        while range.end - range.next < n {
            let start = reserve()?;
            if start != range.end {
                range.next = start;
            }
            range.end = start.checked_add(BLOCK).ok_or_else(|| {
                Error::Corrupt(format!("sequence {} is used up", sequence.name()))
            })?;
        }
        let first = range.next;
        range.next += n;
        Ok(first)
    }
}

/// Fewer than one would hand out numbers a second time.
pub(crate) fn at_least_one(n: i64) -> Result<()> {
    if n < 1 {
        return Err(Error::Statement(format!("{n} numbers were asked for")));
    }
    Ok(())
}

/// Where random bytes come from.
#[derive(Debug)]
pub(crate) enum Random {
    /// The operating system, fetched a page at a time.
    System { page: Box<[u8; 4096]>, used: usize },
    /// A fixed stream, shared by all writers of an engine lest two make the same id: for tests.
    Seeded(Arc<AtomicU64>),
}

impl Random {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        match seed {
            None => Random::System {
                page: Box::new([0; 4096]),
                used: 4096,
            },
            Some(seed) => Random::Seeded(Arc::new(AtomicU64::new(seed))),
        }
    }

    /// The source of another writer of the same engine.
    pub(crate) fn another(&self) -> Self {
        match self {
            Random::System { .. } => Random::new(None),
            Random::Seeded(state) => Random::Seeded(state.clone()),
        }
    }

    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        match self {
            Random::System { page, used } => {
                if *used + out.len() > page.len() {
                    getrandom::fill(&mut page[..])
                        .map_err(|e| Error::Unavailable(format!("no randomness: {e}")))?;
                    *used = 0;
                }
                let Some(from) = page.get_mut(*used..*used + out.len()) else {
                    return getrandom::fill(out)
                        .map_err(|e| Error::Unavailable(format!("no randomness: {e}")));
                };
                out.copy_from_slice(from);
                from.fill(0);
                *used += out.len();
            }
            Random::Seeded(state) => {
                for chunk in out.chunks_mut(8) {
                    // SplitMix64.
                    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
                    let mut z = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    z ^= z >> 31;
                    chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn uuid(&mut self, now: Timestamp) -> Result<uuid::Uuid> {
        let mut bytes = [0; 10];
        self.fill(&mut bytes)?;
        let millis = u64::try_from(now.0 / 1000).unwrap_or(0);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}
