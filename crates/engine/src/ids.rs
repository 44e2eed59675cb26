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

/// Random bytes, and ids in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Random {
    source: Source,
    stamps: Stamps,
}

/// What orders ids: milliseconds, and 12 bits that count within them, beginning with the fraction of
/// the millisecond. Shared by all writers of an engine.
#[derive(Clone, Debug, Default)]
struct Stamps(Arc<AtomicU64>);

impl Stamps {
    const COUNTS: u64 = 1 << 12;
    /// So many milliseconds may ids run ahead of the clock when many are made at once; a clock that
    /// was set back by more is followed.
    const AHEAD: u64 = 1000;

    /// The next (milliseconds, count) at a time.
    fn next(&self, now: Timestamp) -> (u64, u16) {
        let micros = u64::try_from(now.0).unwrap_or(0);
        let fresh = micros / 1000 * Stamps::COUNTS + micros % 1000 * Stamps::COUNTS / 1000;
        let after = |last: u64| {
            if last < fresh || last > fresh + Stamps::AHEAD * Stamps::COUNTS {
                fresh
            } else {
                last + 1
            }
        };
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(after(last))
            })
            .unwrap_or_default();
        let stamp = after(last);
        let count = u16::try_from(stamp % Stamps::COUNTS).unwrap_or(0);
        (stamp / Stamps::COUNTS, count)
    }
}

/// Where random bytes come from.
#[derive(Debug)]
enum Source {
    /// The operating system, fetched a page at a time.
    System { page: Box<[u8; 4096]>, used: usize },
    /// A fixed stream, shared by all writers of an engine lest two make the same id: for tests.
    Seeded(Arc<AtomicU64>),
}

impl Random {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        let source = match seed {
            None => Source::System {
                page: Box::new([0; 4096]),
                used: 4096,
            },
            Some(seed) => Source::Seeded(Arc::new(AtomicU64::new(seed))),
        };
        Random {
            source,
            stamps: Stamps::default(),
        }
    }

    /// The source of another writer of the same engine.
    pub(crate) fn another(&self) -> Self {
        let source = match &self.source {
            Source::System { .. } => Random::new(None).source,
            Source::Seeded(state) => Source::Seeded(state.clone()),
        };
        Random {
            source,
            stamps: self.stamps.clone(),
        }
    }

    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        match &mut self.source {
            Source::System { page, used } => {
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
            Source::Seeded(state) => {
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

    /// An id (UUIDv7). Ids of one engine rise, also within a millisecond, so that what was made
    /// first is listed first; 62 bits are random.
    pub(crate) fn uuid(&mut self, now: Timestamp) -> Result<uuid::Uuid> {
        let mut bytes = [0; 10];
        self.fill(&mut bytes)?;
        let (millis, count) = self.stamps.next(now);
        bytes[..2].copy_from_slice(&count.to_be_bytes());
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, Stamps};
    use crate::clock::Timestamp;

    #[test]
    fn ids_rise_also_within_a_moment() {
        let mut random = Random::new(Some(7));
        let now = Timestamp(1_700_000_000_000_999);
        let ids: Vec<_> = (0..10_000).map(|_| random.uuid(now).unwrap()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        let later = random.uuid(Timestamp(now.0 + 3000)).unwrap();
        assert!(ids.iter().all(|id| *id < later));
    }

    #[test]
    fn a_clock_that_was_set_back_is_followed() {
        let stamps = Stamps::default();
        let at = |millis: i64| stamps.next(Timestamp(millis * 1000)).0;
        assert_eq!(at(10_000), 10_000);
        assert_eq!(at(9_500), 10_000);
        assert_eq!(at(10_001), 10_001);
        assert_eq!(at(8_000), 8_000);
    }
}
