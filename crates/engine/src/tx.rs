//! The transaction that commands work on.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{Ids, Random, Sequence, at_least_one};
use crate::memory::Memory;
use crate::postgres::PgConn;
use crate::sqlite::SqliteConn;
use crate::value::{Param, Row};
use std::any::Any;

/// A statement with its parameters.
pub type Query<'a> = (&'static str, &'a [Param<'a>]);

/// Reading, in a write transaction or in a snapshot.
///
/// Statements use `$1`, `$2` … on both engines. They do no arithmetic on amounts (it would
/// overflow differently) and order NULLs nowhere.
pub trait Read {
    /// The time of this transaction, the same for its whole length.
    fn now(&self) -> Timestamp;

    /// True where numbers of a sequence become visible in their order, so that a consumer may
    /// take "all above the last one". On PostgreSQL a lower number may commit later.
    fn numbers_commit_in_order(&self) -> bool;

    /// All rows of a query.
    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>>;

    /// All rows of several queries, in one round trip where the engine has round trips.
    fn query_all(&mut self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>>;

    /// Hands each row to `each`, without holding them all.
    fn query_each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()>;

    /// The row of a query that has one at most.
    fn query_opt(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>> {
        let mut rows = self.query(sql, params)?;
        if rows.len() > 1 {
            return Err(Error::Corrupt(format!(
                "{} rows where one was expected: {sql}",
                rows.len()
            )));
        }
        Ok(rows.pop())
    }

    /// The row of a query that always has one.
    fn query_one(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Row> {
        self.query_opt(sql, params)?
            .ok_or_else(|| Error::Corrupt(format!("no row where one was expected: {sql}")))
    }
}

/// Writing without an answer.
pub trait Store {
    /// Queues a write whose outcome is not needed; a failure surfaces before the commit. On
    /// PostgreSQL such writes travel together.
    fn put(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<()>;
}

pub(crate) enum Conn<'a> {
    Sqlite(&'a mut SqliteConn),
    Postgres(&'a mut PgConn),
}

/// A write transaction; see [`crate::Engine::write`].
pub struct Tx<'a> {
    pub(crate) conn: Conn<'a>,
    pub(crate) now: Timestamp,
    pub(crate) random: &'a mut Random,
    pub(crate) ids: &'a Ids,
    pub(crate) memory: &'a mut dyn Memory,
}

/// A read transaction: one consistent snapshot; see [`crate::Engine::read`].
pub struct ReadTx<'a> {
    pub(crate) conn: Conn<'a>,
    pub(crate) now: Timestamp,
}

impl Tx<'_> {
    /// A fresh UUIDv7.
    pub fn new_id(&mut self) -> Result<uuid::Uuid> {
        self.random.uuid(self.now)
    }

    /// Fills `out` with random bytes.
    pub fn random(&mut self, out: &mut [u8]) -> Result<()> {
        self.random.fill(out)
    }

    /// `n` fresh numbers in a row; the first is returned.
    pub fn next_numbers(&mut self, sequence: Sequence, n: i64) -> Result<i64> {
        let conn = &mut self.conn;
        let ids = self.ids;
        match conn {
            // The one writer reserves by writing the ceiling with the batch (SqliteConn).
            Conn::Sqlite(_) => {
                at_least_one(n)?;
                let mut range = ids.range(sequence);
                let first = range.next;
                range.next = first
                    .checked_add(n)
                    .ok_or_else(|| Error::Corrupt(format!("{sequence:?} is used up")))?;
                Ok(first)
            }
            Conn::Postgres(pg) => ids.take(sequence, n, || {
                // Ahead of the buffered writes: those may wait for a row of another worker, and
                // that worker for the sequence, which nobody would see as a deadlock.
                let rows = pg.query_ahead(sequence.nextval_sql())?;
                rows.first().ok_or(Error::Closed)?.int(0)
            }),
        }
    }

    /// Reads rows and keeps other writers from changing them until this transaction ends.
    /// Callers lock in a fixed order: tables by name, rows by key.
    pub fn query_locked(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        match &mut self.conn {
            Conn::Sqlite(c) => c.query(sql, params),
            Conn::Postgres(c) => c.query(sql, params, true),
        }
    }

    /// Locks and reads rows like [`Tx::query_locked`], then reads what they guard, in one round
    /// trip: the second query sees what the last holder of the lock left.
    pub fn query_locked_with(
        &mut self,
        locked: Query<'_>,
        then: Query<'_>,
    ) -> Result<(Vec<Row>, Vec<Row>)> {
        match &mut self.conn {
            Conn::Sqlite(c) => Ok((c.query(locked.0, locked.1)?, c.query(then.0, then.1)?)),
            Conn::Postgres(c) => {
                let mut both = c.query_all(&[locked, then], 1)?.into_iter();
                Ok((
                    both.next().unwrap_or_default(),
                    both.next().unwrap_or_default(),
                ))
            }
        }
    }

    /// Keeps out other holders of the same name until this transaction ends.
    pub fn lock_name(&mut self, name: &str) -> Result<()> {
        match &mut self.conn {
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(c) => c
                .query(
                    "SELECT 1::BIGINT FROM (SELECT pg_advisory_xact_lock(hashtextextended($1, 0))) AS l",
                    &[Param::Text(name)],
                    false,
                )
                .map(|_| ()),
        }
    }

    /// Runs a write and returns how many rows it touched.
    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        match &mut self.conn {
            Conn::Sqlite(c) => c.execute(sql, params),
            Conn::Postgres(c) => c.execute(sql, params),
        }
    }

    /// Runs a write that returns rows (`… RETURNING …`).
    pub fn execute_returning(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>> {
        match &mut self.conn {
            Conn::Sqlite(c) => c.execute_returning(sql, params),
            Conn::Postgres(c) => c.query(sql, params, false),
        }
    }

    /// The writer's memory, which must be of type `M`.
    pub fn memory<M: Memory>(&mut self) -> Result<&mut M> {
        let any: &mut dyn Any = self.memory;
        any.downcast_mut().ok_or_else(|| {
            Error::Statement("the engine was opened without the ledger's memory".into())
        })
    }
}

macro_rules! reads {
    ($($transaction:ty),+) => {$(
        impl Read for $transaction {
            fn now(&self) -> Timestamp {
                self.now
            }
            fn numbers_commit_in_order(&self) -> bool {
                matches!(self.conn, Conn::Sqlite(_))
            }
            fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>> {
                self.conn.query(sql, params)
            }
            fn query_all(&mut self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>> {
                self.conn.query_all(queries)
            }
            fn query_each(
                &mut self,
                sql: &'static str,
                params: &[Param<'_>],
                each: &mut dyn FnMut(Row) -> Result<()>,
            ) -> Result<()> {
                self.conn.query_each(sql, params, each)
            }
        }
    )+};
}

reads!(Tx<'_>, ReadTx<'_>);

impl Store for Tx<'_> {
    fn put(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<()> {
        match &mut self.conn {
            Conn::Sqlite(c) => c.put(sql, params),
            Conn::Postgres(c) => c.put(sql, params),
        }
    }
}

impl Conn<'_> {
    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        match self {
            Conn::Sqlite(c) => c.query(sql, params),
            Conn::Postgres(c) => c.query(sql, params, false),
        }
    }
    fn query_all(&mut self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>> {
        match self {
            Conn::Sqlite(c) => queries
                .iter()
                .map(|(sql, params)| c.query(sql, params))
                .collect(),
            Conn::Postgres(c) => c.query_all(queries, 0),
        }
    }
    fn query_each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        match self {
            Conn::Sqlite(c) => c.query_each(sql, params, each),
            Conn::Postgres(c) => c.query_each(sql, params, each),
        }
    }
}
