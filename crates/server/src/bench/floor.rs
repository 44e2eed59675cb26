//! The floor of the ledger benchmark: a bare loop that appends, for each transfer, rows with the
//! bytes of an entry, a transfer, an account head and a lot; prepared statements, one commit per
//! batch, the same pragmas; nothing is read, checked, changed or looked for.

use crate::failure::Failure;
use rusqlite::{Connection, params};
use scrip_engine::Error as EngineError;
use std::path::Path;
use std::time::Instant;

const TABLES: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -262144;
    PRAGMA wal_autocheckpoint = 16000;
    CREATE TABLE entry (a INTEGER, b INTEGER, c BLOB, d TEXT, e TEXT, f TEXT, g INTEGER, h INTEGER,
        i INTEGER, j BLOB, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID;
    CREATE TABLE transfer (a INTEGER, b INTEGER, c INTEGER, d INTEGER, e INTEGER, f INTEGER,
        g INTEGER, h INTEGER, i INTEGER, j INTEGER, k INTEGER, l INTEGER, PRIMARY KEY (a, b))
        STRICT, WITHOUT ROWID;
    CREATE TABLE head (a INTEGER, b INTEGER, c INTEGER, d INTEGER, PRIMARY KEY (a, b))
        STRICT, WITHOUT ROWID;
    CREATE TABLE lot (a INTEGER, b INTEGER, c INTEGER, d INTEGER, PRIMARY KEY (a, b, c))
        STRICT, WITHOUT ROWID;";

/// A bare append loop on a database of its own.
pub struct Floor {
    conn: Connection,
    next: i64,
}

fn failed(e: rusqlite::Error) -> Failure {
    Failure::Database(EngineError::Unavailable(e.to_string()))
}

impl Floor {
    /// A new database.
    pub fn new(path: &Path) -> Result<Self, Failure> {
        let conn = Connection::open(path).map_err(failed)?;
        conn.execute_batch(TABLES).map_err(failed)?;
        Ok(Floor { conn, next: 1 })
    }

    /// Appends `total` entries with one transfer each, `batch` in each commit; rows per second.
    pub fn run(&mut self, total: usize, batch: usize) -> Result<f64, Failure> {
        let begun = Instant::now();
        let mut done = 0;
        while done < total {
            let n = batch.min(total - done);
            self.commit(n).map_err(failed)?;
            done += n;
        }
        Ok(total as f64 / begun.elapsed().as_secs_f64())
    }

    fn commit(&mut self, n: usize) -> rusqlite::Result<()> {
        let time = 1_700_000_000_000_000_i64;
        let transaction = self.conn.transaction()?;
        {
            let mut entry = transaction
                .prepare_cached("INSERT INTO entry VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")?;
            let mut transfer = transaction.prepare_cached(
                "INSERT INTO transfer VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
            )?;
            let mut head = transaction.prepare_cached("INSERT INTO head VALUES (?1,?2,?3,?4)")?;
            let mut lot = transaction.prepare_cached("INSERT INTO lot VALUES (?1,?2,?3,?4)")?;
            for _ in 0..n {
                let id = self.next;
                self.next += 1;
                let event = [0x5a_u8; 16];
                entry.execute(params![
                    1, id, &event, "transfer", "system", "", 0, time, 1, &event
                ])?;
                let balance = 1_000_000_000_000_i64 - id;
                transfer.execute(params![
                    1,
                    id,
                    id,
                    9_999,
                    10_000,
                    1,
                    17,
                    1,
                    id - 1,
                    balance,
                    id - 2,
                    balance
                ])?;
                head.execute(params![1, id, id, balance])?;
                lot.execute(params![1, id, 17, balance])?;
            }
        }
        transaction.commit()
    }
}
