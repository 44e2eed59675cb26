//! PostgreSQL: worker threads with one connection each, and a pool of readers.
//!
//! Each connection has a current-thread runtime of its own, so that commands stay synchronous
//! while writes without an answer are buffered and travel in one round trip with the next read or
//! the commit. READ COMMITTED with explicit row locks; serialisation failures, deadlocks and
//! unique violations (another command was first) run the command again from the start.

use crate::error::{Error, Result};
use crate::ids::{Ids, Random};
use crate::job::{Job, Queue, panicked, run_guarded};
use crate::memory::Memory;
use crate::options::{Durability, Options};
use crate::tx::{Conn, Query, Store, Tx};
use crate::value::{Param, Row, Value};
use futures_util::future::{join, join_all};
use futures_util::{StreamExt, pin_mut};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement};

/// How often a command is run again because of others before it is given up.
const RETRIES: u32 = 30;
/// How long it is run again at most: waiting for a lock takes its time too.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a command is run again because of a key that is taken. The first time it should
/// find whoever took it; one that does not look will not learn to.
const DUPLICATE_RETRIES: u32 = 5;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a worker tries to reach a server that went away.
const RECONNECT: Duration = Duration::from_secs(10);

/// Why a transaction cannot go on.
#[derive(Clone, Debug)]
enum Failure {
    /// Another transaction was in the way: run again.
    Conflict(String),
    /// A unique key is taken, perhaps since the command looked: run again a few times.
    Duplicate(String),
    /// The connection is gone: connect and run again.
    Lost(String),
    /// Running again would not help.
    Final(Error),
}

impl Failure {
    fn error(self) -> Error {
        match self {
            Failure::Conflict(text) => Error::Contention(text),
            Failure::Duplicate(text) => Error::Statement(text),
            Failure::Lost(text) => Error::Unavailable(text),
            Failure::Final(error) => error,
        }
    }
}

fn failure(e: &tokio_postgres::Error) -> Failure {
    let text = match e.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => e.to_string(),
    };
    let Some(code) = e.code() else {
        return if e.is_closed()
            || std::error::Error::source(e).is_some_and(|s| s.is::<std::io::Error>())
        {
            Failure::Lost(text)
        } else {
            Failure::Final(Error::Statement(text))
        };
    };
    match code.code() {
        "40001" | "40P01" | "55P03" => Failure::Conflict(text),
        "23505" => Failure::Duplicate(text),
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Failure::Lost(text),
        c if c.starts_with("08") => Failure::Lost(text),
        // Out of disk, memory, connections.
        c if c.starts_with("53") || c.starts_with("58") => Failure::Final(Error::Unavailable(text)),
        _ if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => {
            Failure::Final(Error::Corrupt(text))
        }
        _ => Failure::Final(Error::Statement(text)),
    }
}

struct Pending {
    statement: Statement,
    params: Vec<Value>,
}

/// A connection with its statements. One owner at a time.
pub(crate) struct PgConn {
    runtime: Runtime,
    client: Client,
    /// By the address and length of their text, and whether they lock.
    statements: HashMap<(usize, usize, bool), Statement>,
    pending: Vec<Pending>,
    failed: Option<Failure>,
    row_locks: bool,
}

impl PgConn {
    pub(crate) fn connect(url: &str, options: &Options) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::Unavailable(e.to_string()))?;
        let mut config: tokio_postgres::Config = url
            .parse()
            .map_err(|e| Error::Unavailable(with_source(&e)))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        let client = runtime.block_on(async {
            let (client, connection) = config
                .connect(NoTls)
                .await
                .map_err(|e| Error::Unavailable(with_source(&e)))?;
            // Ends with the connection; its error also reaches the statement that waits.
            tokio::spawn(async move { drop(connection.await) });
            Ok::<_, Error>(client)
        })?;
        let mut conn = PgConn {
            runtime,
            client,
            statements: HashMap::new(),
            pending: Vec::new(),
            failed: None,
            row_locks: !options.without_row_locks,
        };
        let commit = match options.durability {
            Durability::Full => "on",
            Durability::Off => "off",
        };
        conn.batch(&format!(
            "SET synchronous_commit = {commit}; SET client_min_messages = warning;
             SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '20s'"
        ))?;
        Ok(conn)
    }

    /// Runs statements of a migration or setting.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        let done = self.runtime.block_on(self.client.batch_execute(sql));
        done.map_err(|e| self.fail(&e))
    }

    fn fail(&mut self, e: &tokio_postgres::Error) -> Error {
        let failure = failure(e);
        // The first failure ends the transaction; what follows from it says less.
        self.failed.get_or_insert(failure).clone().error()
    }

    fn prepare(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        lock: bool,
    ) -> Result<Statement> {
        let lock = lock && self.row_locks;
        let key = (sql.as_ptr() as usize, sql.len(), lock);
        if let Some(statement) = self.statements.get(&key) {
            return Ok(statement.clone());
        }
        let text = if lock {
            format!("{sql} FOR UPDATE")
        } else {
            sql.to_owned()
        };
        let types: Vec<Type> = params.iter().map(declared_type).collect();
        let prepared = self
            .runtime
            .block_on(self.client.prepare_typed(&text, &types));
        let statement = prepared.map_err(|e| self.fail(&e))?;
        self.statements.insert(key, statement.clone());
        Ok(statement)
    }

    pub(crate) fn put(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<()> {
        let statement = self.prepare(sql, params, false)?;
        let params = params.iter().map(|p| Value::from(*p)).collect();
        self.pending.push(Pending { statement, params });
        Ok(())
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        let statement = self.prepare(sql, params, false)?;
        let pending = std::mem::take(&mut self.pending);
        let args = args(params);
        let (before, done) = self.runtime.block_on(join(
            send(&self.client, &pending),
            self.client.execute(&statement, &args),
        ));
        before.map_err(|e| self.fail(&e))?;
        done.map_err(|e| self.fail(&e))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        lock: bool,
    ) -> Result<Vec<Row>> {
        let statement = self.prepare(sql, params, lock)?;
        let pending = std::mem::take(&mut self.pending);
        let args = args(params);
        let (before, rows) = self.runtime.block_on(join(
            send(&self.client, &pending),
            self.client.query(&statement, &args),
        ));
        before.map_err(|e| self.fail(&e))?;
        rows.map_err(|e| self.fail(&e))?.iter().map(row).collect()
    }

    /// All queries in one round trip; the first `locked` of them lock their rows.
    /// Runs a query before the buffered writes.
    pub(crate) fn query_ahead(&mut self, sql: &'static str) -> Result<Vec<Row>> {
        let statement = self.prepare(sql, &[], false)?;
        let rows = self.runtime.block_on(self.client.query(&statement, &[]));
        rows.map_err(|e| self.fail(&e))?.iter().map(row).collect()
    }

    pub(crate) fn query_all(
        &mut self,
        queries: &[Query<'_>],
        locked: usize,
    ) -> Result<Vec<Vec<Row>>> {
        let mut statements = Vec::with_capacity(queries.len());
        for (i, (sql, params)) in queries.iter().enumerate() {
            statements.push(self.prepare(sql, params, i < locked)?);
        }
        let pending = std::mem::take(&mut self.pending);
        let all_args: Vec<_> = queries.iter().map(|(_, params)| args(params)).collect();
        let reads = statements
            .iter()
            .zip(&all_args)
            .map(|(s, a)| self.client.query(s, a));
        let (before, results) = self
            .runtime
            .block_on(join(send(&self.client, &pending), join_all(reads)));
        before.map_err(|e| self.fail(&e))?;
        let mut all = Vec::with_capacity(results.len());
        for rows in results {
            all.push(
                rows.map_err(|e| self.fail(&e))?
                    .iter()
                    .map(row)
                    .collect::<Result<_>>()?,
            );
        }
        Ok(all)
    }

    pub(crate) fn query_each(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        self.flush_pending()?;
        let statement = self.prepare(sql, params, false)?;
        let args = args(params);
        let client = &self.client;
        let done: std::result::Result<Result<()>, tokio_postgres::Error> =
            self.runtime.block_on(async {
                let rows = client.query_raw(&statement, args).await?;
                pin_mut!(rows);
                while let Some(next) = rows.next().await {
                    if let Err(e) = row(&next?).and_then(&mut *each) {
                        return Ok(Err(e));
                    }
                }
                Ok(Ok(()))
            });
        match done {
            Ok(done) => done,
            Err(e) => Err(self.fail(&e)),
        }
    }

    fn flush_pending(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let sent = self.runtime.block_on(send(&self.client, &pending));
        sent.map_err(|e| self.fail(&e))
    }

    pub(crate) fn begin(&mut self, mode: &'static str) -> Result<()> {
        self.failed = None;
        self.pending.clear();
        self.put(mode, &[])
    }

    /// Sends what is pending together with the commit. PostgreSQL turns the commit of a failed
    /// transaction into a rollback, and the failed write is reported.
    fn commit(&mut self) -> Result<()> {
        let commit = self.prepare("COMMIT", &[], false)?;
        if self.is_lost() {
            // Nothing of the commit has left yet: the command can still be run again.
            self.failed = Some(Failure::Lost("the server closed the connection".into()));
            return Err(Error::Unavailable(
                "the server closed the connection".into(),
            ));
        }
        let pending = std::mem::take(&mut self.pending);
        let (before, done) = self.runtime.block_on(join(
            send(&self.client, &pending),
            self.client.execute(&commit, &[]),
        ));
        // The server may have committed even where the answer to an earlier write is missing: all
        // of them travelled together.
        before.and(done.map(|_| ())).map_err(|e| match failure(&e) {
            Failure::Lost(text) => {
                let unknown = Error::OutcomeUnknown(text);
                self.failed = Some(Failure::Final(unknown.clone()));
                unknown
            }
            _ => self.fail(&e),
        })
    }

    pub(crate) fn rollback(&mut self) {
        self.pending.clear();
        // A lost connection has rolled back by itself.
        drop(self.runtime.block_on(self.client.batch_execute("ROLLBACK")));
    }

    /// Whether the server has hung up. It may have done so while nobody listened, so listen.
    pub(crate) fn is_lost(&self) -> bool {
        self.runtime.block_on(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
        self.client.is_closed()
    }
}

/// Sends writes one behind the other, waiting for their answers together.
async fn send(
    client: &Client,
    pending: &[Pending],
) -> std::result::Result<(), tokio_postgres::Error> {
    let args: Vec<Vec<Param<'_>>> = pending
        .iter()
        .map(|p| p.params.iter().map(Value::as_param).collect())
        .collect();
    let sent = pending
        .iter()
        .zip(&args)
        .map(|(p, args)| async move { client.execute(&p.statement, &self::args(args)).await });
    for done in join_all(sent).await {
        done?;
    }
    Ok(())
}

impl Store for PgConn {
    fn put(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<()> {
        PgConn::put(self, sql, params)
    }
}

fn with_source(e: &tokio_postgres::Error) -> String {
    match std::error::Error::source(e) {
        Some(source) => format!("{e}: {source}"),
        None => e.to_string(),
    }
}

fn declared_type(p: &Param<'_>) -> Type {
    match p {
        Param::Null => Type::UNKNOWN,
        Param::Int(_) => Type::INT8,
        Param::Text(_) => Type::TEXT,
        Param::Blob(_) => Type::BYTEA,
    }
}

fn args<'a>(params: &'a [Param<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|p| p as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        // A statement keeps the types of its first use; bytes of another type would be taken for
        // a value of that one.
        match *self {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(v) if *ty == Type::INT8 => v.to_sql(ty, out),
            Param::Text(v) if *ty == Type::TEXT => v.to_sql(ty, out),
            Param::Blob(v) if *ty == Type::BYTEA => v.to_sql(ty, out),
            _ => Err(format!("a parameter should be {ty}").into()),
        }
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::INT8 || *ty == Type::TEXT || *ty == Type::BYTEA
    }
    to_sql_checked!();
}

fn row(from: &tokio_postgres::Row) -> Result<Row> {
    let mut values = Vec::with_capacity(from.len());
    for (i, column) in from.columns().iter().enumerate() {
        let wrong = |e: tokio_postgres::Error| Error::Corrupt(e.to_string());
        let value = match *column.type_() {
            Type::INT8 => from
                .try_get::<_, Option<i64>>(i)
                .map_err(wrong)?
                .map(Value::Int),
            Type::TEXT => from
                .try_get::<_, Option<String>>(i)
                .map_err(wrong)?
                .map(Value::Text),
            Type::BYTEA => from
                .try_get::<_, Option<Vec<u8>>>(i)
                .map_err(wrong)?
                .map(Value::Blob),
            ref other => {
                return Err(Error::Statement(format!(
                    "column {} is {other}",
                    column.name()
                )));
            }
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(Row(values))
}

/// One of the writers of a database.
pub(crate) struct Worker {
    conn: Option<PgConn>,
    url: String,
    options: Options,
    memory: Box<dyn Memory>,
    random: Random,
    /// Not `random`: a retry must not shift the ids of a test.
    jitter: Random,
    ids: Arc<Ids>,
}

/// The writers of a database. The first takes `conn`, the others connect when they are needed.
pub(crate) fn workers(
    conn: PgConn,
    url: &str,
    options: &Options,
    ids: &Arc<Ids>,
) -> impl Iterator<Item = Worker> {
    let random = Random::new(options.seed);
    let mut first = Some(conn);
    (0..options.workers.max(1)).map(move |_| Worker {
        conn: first.take(),
        url: url.to_owned(),
        options: options.clone(),
        memory: (options.memory)(),
        random: random.another(),
        jitter: Random::new(None),
        ids: ids.clone(),
    })
}

impl Worker {
    pub(crate) fn work(mut self, queue: &Queue) {
        let mut batch: Vec<Box<dyn Job>> = Vec::new();
        while queue.take(1, &mut batch).is_some() {
            for mut job in batch.drain(..) {
                let failure = catch_unwind(AssertUnwindSafe(|| self.run(job.as_mut())));
                job.answer(failure.unwrap_or_else(|panic| {
                    // Not in the command: in its memory. The transaction ends with its connection.
                    self.conn = None;
                    Some(panicked(panic.as_ref()))
                }));
            }
        }
    }

    /// Runs one command until it stands, fails, or was in the way too often.
    fn run(&mut self, job: &mut dyn Job) -> Option<Error> {
        let begun = Instant::now();
        let mut retries = 0;
        let mut duplicates = 0;
        let mut waited = Duration::ZERO;
        loop {
            match self.run_once(job) {
                Ok(()) => return None,
                Err(Failure::Final(error)) => return Some(error),
                Err(Failure::Conflict(text)) => {
                    retries += 1;
                    if retries > RETRIES || begun.elapsed() > PATIENCE {
                        return Some(Error::Contention(text));
                    }
                    std::thread::sleep(self.jitter(1 << retries.min(6)));
                }
                Err(Failure::Duplicate(text)) => {
                    duplicates += 1;
                    if duplicates > DUPLICATE_RETRIES {
                        return Some(Error::Statement(text));
                    }
                    std::thread::sleep(self.jitter(4));
                }
                Err(Failure::Lost(text)) => {
                    self.conn = None;
                    if waited >= RECONNECT {
                        return Some(Error::Unavailable(text));
                    }
                    let pause = Duration::from_millis(50) + self.jitter(50);
                    std::thread::sleep(pause);
                    waited += pause;
                }
            }
        }
    }

    /// A random pause of up to `most_ms`.
    fn jitter(&mut self, most_ms: u64) -> Duration {
        let mut bytes = [0; 2];
        // Without randomness all wait the same; slower, not wrong.
        drop(self.jitter.fill(&mut bytes));
        Duration::from_micros(u64::from(u16::from_le_bytes(bytes)) * most_ms * 1000 / 65_535)
    }

    fn run_once(&mut self, job: &mut dyn Job) -> std::result::Result<(), Failure> {
        let conn = match self.conn.take() {
            Some(conn) if !conn.is_lost() => conn,
            _ => PgConn::connect(&self.url, &self.options)
                .map_err(|e| Failure::Lost(e.to_string()))?,
        };
        let conn = self.conn.insert(conn);
        self.memory.clear();
        if let Err(error) = conn.begin("BEGIN") {
            return Err(conn.failed.take().unwrap_or(Failure::Final(error)));
        }
        let mut tx = Tx {
            now: self.options.clock.now(),
            conn: Conn::Postgres(conn),
            random: &mut self.random,
            ids: &self.ids,
            memory: self.memory.as_mut(),
        };
        let ran = run_guarded(job, &mut tx);
        // A failure of the database counts even where the command went on regardless.
        if let Some(failure) = conn.failed.take() {
            conn.rollback();
            self.memory.clear();
            return match (failure, ran) {
                // The command has said it in its own words.
                (Failure::Final(_), Ok(false)) => Ok(()),
                (failure, _) => Err(failure),
            };
        }
        if !matches!(ran, Ok(true)) {
            conn.rollback();
            self.memory.clear();
            return ran.map(|_| ()).map_err(Failure::Final);
        }
        let committed = self.memory.flush(conn).and_then(|()| conn.commit());
        if let Err(error) = committed {
            let failure = conn.failed.take().unwrap_or(Failure::Final(error));
            conn.rollback();
            self.memory.clear();
            return Err(failure);
        }
        self.memory.committed();
        Ok(())
    }
}
