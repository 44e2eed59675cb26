//! SQLite: one writer thread with group commit, and a pool of readers.
//!
//! The writer drains its queue, runs each command, commits once, then answers all. A command that
//! fails after it has written takes the batch back with it, and the batch is run again with a
//! savepoint for each. Invariants:
//! - SQLite may end the whole transaction by itself (full disk, I/O error). What is written after
//!   that would commit on its own, so a command writes nothing after a failure, and after each
//!   command the transaction is checked; if it is gone, the whole batch fails and everything held
//!   in memory is dropped.
//! - What memory holds equals the database whenever no batch is running.

use crate::error::{Error, Result};
use crate::ids::{BLOCK, Ids, Random, Sequence};
use crate::job::{Job, Queue, panicked, run_guarded};
use crate::memory::Memory;
use crate::options::{Durability, Options};
use crate::tx::{Conn, Store, Tx};
use crate::value::{Param, Row, Value};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Commands in one commit at most.
const BATCH: usize = 8192;
/// Pages in the write-ahead log (4 KiB each) after which they are copied into the database.
const CHECKPOINT_PAGES: i64 = 16_000;

/// Page cache of a reader.
const READ_CACHE_KIB: i64 = 32 * 1024;
/// Page cache of the writer. SQLite walks through it at each commit, so more is not faster.
const WRITE_CACHE_KIB: i64 = 64 * 1024;

/// A connection with its statements. One owner at a time.
pub(crate) struct SqliteConn {
    conn: Connection,
    /// Rewritten statements, by the address and length of the original text.
    texts: HashMap<(usize, usize), Arc<str>>,
    /// Whether each command has a savepoint of its own.
    savepoints: bool,
    /// Whether the command has written.
    wrote: bool,
    /// The first statement of the current command that failed.
    failed: Option<Error>,
}

impl SqliteConn {
    pub(crate) fn open(path: &Path, options: &Options, read_only: bool) -> Result<Self> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= if read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
        let conn = match &options.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
            None => Connection::open_with_flags(path, flags),
        }
        .map_err(error)?;
        conn.set_prepared_statement_cache_capacity(256);
        // Else SQLite plans a statement anew whenever its parameters change.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(error)?;
        let synchronous = match options.durability {
            Durability::Full => "FULL",
            Durability::Off => "OFF",
        };
        conn.execute_batch(&format!(
            "PRAGMA busy_timeout = 10000; PRAGMA synchronous = {synchronous};
             PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{}; PRAGMA foreign_keys = ON;",
            if read_only {
                READ_CACHE_KIB
            } else {
                WRITE_CACHE_KIB
            }
        ))
        .map_err(error)?;
        if read_only {
            conn.execute_batch("PRAGMA query_only = ON")
                .map_err(error)?;
        } else {
            let mode: String = conn
                .query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))
                .map_err(error)?;
            if mode != "wal" {
                return Err(Error::Unavailable(format!(
                    "{} cannot use a write-ahead log (journal mode {mode}); put it on a local disk",
                    path.display()
                )));
            }
            conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
                .map_err(error)?;
            // What is deleted is overwritten with zeros, in pages that become free too: an erased
            // person must not be read from the file. What it costs: docs/decisions/0017.
            conn.pragma_update(None, "secure_delete", true)
                .map_err(error)?;
        }
        Ok(SqliteConn {
            conn,
            texts: HashMap::new(),
            savepoints: false,
            wrote: false,
            failed: None,
        })
    }

    fn text(&mut self, sql: &'static str) -> Arc<str> {
        self.texts
            .entry((sql.as_ptr() as usize, sql.len()))
            .or_insert_with(|| sql.replace('$', "?").into())
            .clone()
    }

    /// Notes that the command writes, and opens its savepoint where it has one.
    fn before_write(&mut self) -> Result<()> {
        if let Some(failed) = &self.failed {
            // SQLite may have ended the transaction: what is written now would stand alone.
            return Err(failed.clone());
        }
        if !self.wrote && self.savepoints {
            self.run("SAVEPOINT command")?;
        }
        self.wrote = true;
        Ok(())
    }

    pub(crate) fn run(&mut self, sql: &'static str) -> Result<()> {
        let mut statement = self.conn.prepare_cached(sql).map_err(error)?;
        statement.raw_execute().map_err(error)?;
        Ok(())
    }

    pub(crate) fn execute_plain(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        let text = self.text(sql);
        let run = || {
            let mut statement = self.conn.prepare_cached(&text).map_err(error)?;
            bind(&mut statement, params)?;
            statement.raw_execute().map_err(error)
        };
        match run() {
            Ok(n) => Ok(n as u64),
            Err(e) => {
                self.failed.get_or_insert_with(|| e.clone());
                Err(e)
            }
        }
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        self.before_write()?;
        self.execute_plain(sql, params)
    }

    pub(crate) fn put(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<()> {
        self.execute(sql, params).map(|_| ())
    }

    pub(crate) fn execute_returning(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>> {
        self.before_write()?;
        let mut rows = Vec::new();
        self.step_each(sql, params, true, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    pub(crate) fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.query_each(sql, params, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    pub(crate) fn query_each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        self.step_each(sql, params, false, each)
    }

    fn step_each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        writes: bool,
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let text = self.text(sql);
        let failed = &mut self.failed;
        let mut note = |e: Error| {
            failed.get_or_insert_with(|| e.clone());
            e
        };
        let prepared = self.conn.prepare_cached(&text).map_err(error);
        let mut statement = prepared.map_err(&mut note)?;
        if !writes && !statement.readonly() {
            // It would write outside the command's savepoint, and so survive its failure.
            return Err(note(Error::Statement(format!(
                "a query that writes: {sql}"
            ))));
        }
        bind(&mut statement, params).map_err(&mut note)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(error).map_err(&mut note)? {
            let mut values = Vec::with_capacity(columns);
            for i in 0..columns {
                values.push(value(row.get_ref(i).map_err(error)?)?);
            }
            each(Row(values))?;
        }
        Ok(())
    }

    /// Runs statements of a migration.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.conn.execute_batch(sql).map_err(error)
    }

    fn in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }

    /// Ends a command; false when what it wrote can only be undone with the whole batch.
    fn end_command(&mut self, stands: bool) -> Result<bool> {
        let wrote = std::mem::take(&mut self.wrote);
        if !wrote || (stands && !self.savepoints) {
            return Ok(true);
        }
        if !self.savepoints {
            return Ok(false);
        }
        if !stands {
            self.run("ROLLBACK TO command")?;
        }
        self.run("RELEASE command")?;
        Ok(true)
    }

    fn commit(&mut self) -> Result<()> {
        let committed = self
            .conn
            .prepare_cached("COMMIT")
            .and_then(|mut s| s.raw_execute());
        match committed {
            Ok(_) => Ok(()),
            // Everything was written, and nobody can say whether it reached the disk.
            Err(e)
                if e.sqlite_error().map(|e| e.extended_code) == Some(ffi::SQLITE_IOERR_FSYNC) =>
            {
                Err(Error::OutcomeUnknown(e.to_string()))
            }
            Err(e) => Err(error(e)),
        }
    }

    fn rollback(&mut self) {
        self.wrote = false;
        if self.in_transaction() {
            // The connection is reopened after a failure; this only frees the file sooner.
            drop(self.run("ROLLBACK"));
        }
    }
}

/// Memory is flushed outside the savepoints, straight into the batch.
impl Store for SqliteConn {
    fn put(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<()> {
        self.execute_plain(sql, params).map(|_| ())
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Param<'_>]) -> Result<()> {
    for (i, param) in params.iter().enumerate() {
        let value = match *param {
            Param::Null => ValueRef::Null,
            Param::Int(v) => ValueRef::Integer(v),
            // PostgreSQL cannot store it, and what works on one engine must work on the other.
            Param::Text(v) if v.contains('\0') => {
                return Err(Error::Statement("text with a zero byte".into()));
            }
            Param::Text(v) => ValueRef::Text(v.as_bytes()),
            Param::Blob(v) => ValueRef::Blob(v),
        };
        statement
            .raw_bind_parameter(i + 1, ToSqlOutput::Borrowed(value))
            .map_err(error)?;
    }
    Ok(())
}

fn value(v: ValueRef<'_>) -> Result<Value> {
    match v {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(v) => Ok(Value::Int(v)),
        ValueRef::Text(v) => String::from_utf8(v.to_vec())
            .map(Value::Text)
            .map_err(|_| Error::Corrupt("text that is not UTF-8".into())),
        ValueRef::Blob(v) => Ok(Value::Blob(v.to_vec())),
        ValueRef::Real(v) => Err(Error::Corrupt(format!("a floating point value: {v}"))),
    }
}

pub(crate) fn error(e: rusqlite::Error) -> Error {
    match e.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory,
        ) => Error::Unavailable(e.to_string()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt(e.to_string()),
        _ => Error::Statement(e.to_string()),
    }
}

/// Keeps a second process out for as long as it lives.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|e| Error::Unavailable(format!("cannot open {}: {e}", name.display())))?;
    file.try_lock().map_err(|e| match e {
        std::fs::TryLockError::WouldBlock => Error::InUse(path.display().to_string()),
        std::fs::TryLockError::Error(e) => {
            Error::Unavailable(format!("cannot lock {}: {e}", name.display()))
        }
    })?;
    Ok(file)
}

/// The one writer of a database.
pub(crate) struct Writer {
    conn: SqliteConn,
    path: PathBuf,
    options: Options,
    memory: Box<dyn Memory>,
    random: Random,
    ids: Arc<Ids>,
}

impl Writer {
    pub(crate) fn new(
        conn: SqliteConn,
        path: &Path,
        options: &Options,
        ids: Arc<Ids>,
    ) -> Result<Self> {
        let mut writer = Writer {
            conn,
            path: path.to_owned(),
            options: options.clone(),
            memory: (options.memory)(),
            random: Random::new(options.seed),
            ids,
        };
        writer.load_sequences()?;
        Ok(writer)
    }

    fn load_sequences(&mut self) -> Result<()> {
        for sequence in Sequence::ALL {
            let rows = self.conn.query(
                "SELECT ceiling FROM sequence WHERE name = $1",
                &[Param::Text(sequence.name())],
            )?;
            let ceiling = rows.first().map_or(Ok(0), |row| row.int(0))?;
            let mut range = self.ids.range(sequence);
            // A reload keeps numbers already handed out of circulation.
            range.next = range.next.max(ceiling + 1);
            range.end = ceiling + 1;
        }
        Ok(())
    }

    /// Reserves, with this batch, the numbers that it took.
    fn flush_sequences(&mut self) -> Result<()> {
        for sequence in Sequence::ALL {
            let (next, end) = {
                let range = self.ids.range(sequence);
                (range.next, range.end)
            };
            if next > end {
                let ceiling = (next - 1 + BLOCK - 1) / BLOCK * BLOCK;
                self.conn.execute_plain(
                    "INSERT INTO sequence (name, ceiling) VALUES ($1, $2)
                     ON CONFLICT (name) DO UPDATE SET ceiling = excluded.ceiling",
                    &[Param::Text(sequence.name()), Param::Int(ceiling)],
                )?;
                self.ids.range(sequence).end = ceiling + 1;
            }
        }
        Ok(())
    }

    pub(crate) fn work(mut self, queue: &Queue) {
        let mut batch: Vec<Box<dyn Job>> = Vec::new();
        while queue.take(BATCH, &mut batch).is_some() {
            self.write_and_answer(&mut batch);
        }
    }

    fn write_and_answer(&mut self, batch: &mut Vec<Box<dyn Job>>) {
        let mut failures: Vec<Option<Error>> = Vec::with_capacity(batch.len());
        let written = catch_unwind(AssertUnwindSafe(|| self.write_batch(batch, &mut failures)));
        if let Err(whole) = written.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))) {
            self.reload();
            let one_did_it = matches!(
                whole,
                Error::Statement(_) | Error::Panicked(_) | Error::Corrupt(_)
            );
            if one_did_it && batch.len() > 1 {
                // What one of them left in memory cannot be written. Alone, only that one fails.
                for job in batch.drain(..) {
                    self.write_and_answer(&mut vec![job]);
                }
                return;
            }
            failures.clear();
            failures.resize(batch.len(), Some(whole));
        }
        for (job, failure) in batch.drain(..).zip(failures) {
            job.answer(failure);
        }
    }

    /// Without savepoints first: they cost a copy of each page that a command touches, and
    /// commands check before they write. Should one fail after all, the batch is run again with
    /// a savepoint for each.
    fn write_batch(
        &mut self,
        batch: &mut [Box<dyn Job>],
        failures: &mut Vec<Option<Error>>,
    ) -> Result<()> {
        if !self.try_batch(batch, failures, false)? {
            failures.clear();
            self.try_batch(batch, failures, true)?;
        }
        Ok(())
    }

    /// False when the batch was undone because a command failed after it had written.
    fn try_batch(
        &mut self,
        batch: &mut [Box<dyn Job>],
        failures: &mut Vec<Option<Error>>,
        savepoints: bool,
    ) -> Result<bool> {
        self.conn.savepoints = savepoints;
        self.conn.run("BEGIN IMMEDIATE")?;
        let mark = self.memory.mark();
        let alone = batch.len() == 1;
        for job in batch {
            let (failure, undone) = self.run_one(job.as_mut())?;
            failures.push(failure);
            if !undone {
                self.conn.run("ROLLBACK")?;
                self.memory.rollback(mark);
                return Ok(alone);
            }
        }
        self.memory.flush(&mut self.conn)?;
        self.flush_sequences()?;
        self.conn.commit()?;
        self.memory.committed();
        Ok(true)
    }

    /// Runs one command: what failed it beside its own words, and whether it left nothing behind
    /// where it failed. `Err`: the batch is lost.
    fn run_one(&mut self, job: &mut dyn Job) -> Result<(Option<Error>, bool)> {
        let mark = self.memory.mark();
        self.conn.failed = None;
        let mut tx = Tx {
            now: self.options.clock.now(),
            conn: Conn::Sqlite(&mut self.conn),
            random: &mut self.random,
            ids: &self.ids,
            memory: self.memory.as_mut(),
        };
        let ran = run_guarded(job, &mut tx);
        let failed = self.conn.failed.take();
        if !self.conn.in_transaction() {
            return Err(Error::Unavailable(
                "SQLite ended the transaction (disk full or I/O error)".into(),
            ));
        }
        // A failure of the database counts even where the command went on regardless.
        let stands = matches!(ran, Ok(true)) && failed.is_none();
        let undone = self.conn.end_command(stands)?;
        if !stands {
            self.memory.rollback(mark);
        }
        let failure = match (ran, failed) {
            (Err(panic), _) => Some(panic),
            // In its own words.
            (Ok(false), _) => None,
            (Ok(true), failed) => failed,
        };
        Ok((failure, undone))
    }

    /// After a failed batch nothing held can be trusted, the connection included.
    fn reload(&mut self) {
        self.conn.rollback();
        self.memory.clear();
        match SqliteConn::open(&self.path, &self.options, false) {
            Ok(conn) => self.conn = conn,
            // Still no room or no disk: the old connection stays, and the next batch says so.
            Err(_) => self.conn.rollback(),
        }
        for sequence in Sequence::ALL {
            let mut range = self.ids.range(sequence);
            // Write the ceiling again with the next batch: this one's may be lost.
            range.end = range.end.min(range.next - 1).max(1);
        }
    }
}
