//! PostgreSQL: worker threads with one connection each, and a pool of readers.
//!
//! Each connection has a current-thread runtime of its own, so that commands stay synchronous
//! while writes without an answer are buffered and travel in one round trip with the next read or
//! the commit. READ COMMITTED with explicit row locks; serialisation failures, deadlocks and
//! unique violations (another command was first) run the command again from the start.

mod combine;
mod worker;

use crate::error::{Error, Result};
use crate::options::{Durability, Options};
use crate::tx::{Query, Store};
use crate::value::{Param, Row, Value};
use futures_util::future::{join, join_all};
use futures_util::{StreamExt, pin_mut};
use std::collections::HashMap;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement};

pub(crate) use worker::workers;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Commands look rows up by key. A plan that was made while a table was empty must not go on
/// scanning it when it is full.
const PLANS: &str = "SET enable_seqscan = off; SET enable_hashjoin = off;
                     SET enable_mergejoin = off;";

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

/// A buffered write.
struct Pending {
    sql: &'static str,
    params: Vec<Value>,
}

/// A statement with its parameters, ready to be sent.
struct Ready {
    statement: Statement,
    params: Vec<Value>,
}

/// Several writes that were sent together before.
#[derive(Default)]
struct Shape {
    seen: u32,
    statement: Option<Statement>,
}

/// How often a combination of writes is seen before it is prepared as one statement.
const SEEN: u32 = 3;
/// Combinations remembered at most.
const SHAPES: usize = 256;

/// A connection with its statements. One owner at a time.
pub(crate) struct PgConn {
    runtime: Runtime,
    client: Client,
    /// By the address and length of their text, and whether they lock.
    statements: HashMap<(usize, usize, bool), Statement>,
    /// Combined statements, by the addresses of their parts.
    shapes: HashMap<Vec<(usize, usize)>, Shape>,
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
            shapes: HashMap::new(),
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
             SET plan_cache_mode = force_generic_plan; {PLANS}
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
        let params = params.iter().map(|p| Value::from(*p)).collect();
        self.pending.push(Pending { sql, params });
        Ok(())
    }

    /// The buffered writes as statements, several put together where that changes nothing.
    fn ready(&mut self) -> Result<Vec<Ready>> {
        let mut pending = std::mem::take(&mut self.pending).into_iter();
        let texts: Vec<&'static str> = pending.as_slice().iter().map(|p| p.sql).collect();
        let mut ready = Vec::new();
        for length in combine::runs(&texts) {
            let run: Vec<Pending> = pending.by_ref().take(length).collect();
            match self.combined(&run)? {
                Some(statement) => {
                    let params = run.into_iter().flat_map(|p| p.params).collect();
                    ready.push(Ready { statement, params });
                }
                None => {
                    for one in run {
                        let params: Vec<_> = one.params.iter().map(Value::as_param).collect();
                        let statement = self.prepare(one.sql, &params, false)?;
                        ready.push(Ready {
                            statement,
                            params: one.params,
                        });
                    }
                }
            }
        }
        Ok(ready)
    }

    /// One statement for a run of writes, once the combination has been seen a few times.
    fn combined(&mut self, run: &[Pending]) -> Result<Option<Statement>> {
        if run.len() < 2 {
            return Ok(None);
        }
        let key: Vec<_> = run
            .iter()
            .map(|p| (p.sql.as_ptr() as usize, p.sql.len()))
            .collect();
        if self.shapes.len() >= SHAPES && !self.shapes.contains_key(&key) {
            self.shapes.clear();
        }
        let shape = self.shapes.entry(key.clone()).or_default();
        shape.seen += 1;
        if shape.statement.is_some() || shape.seen < SEEN {
            return Ok(shape.statement.clone());
        }
        let parts: Vec<_> = run.iter().map(|p| (p.sql, p.params.len())).collect();
        let text = combine::statement(&parts);
        let types: Vec<Type> = run
            .iter()
            .flat_map(|p| &p.params)
            .map(|v| declared_type(&v.as_param()))
            .collect();
        let prepared = self
            .runtime
            .block_on(self.client.prepare_typed(&text, &types));
        let statement = prepared.map_err(|e| self.fail(&e))?;
        self.shapes.entry(key).or_default().statement = Some(statement.clone());
        Ok(Some(statement))
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        let statement = self.prepare(sql, params, false)?;
        let pending = self.ready()?;
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
        let pending = self.ready()?;
        let args = args(params);
        let (before, rows) = self.runtime.block_on(join(
            send(&self.client, &pending),
            self.client.query(&statement, &args),
        ));
        before.map_err(|e| self.fail(&e))?;
        rows.map_err(|e| self.fail(&e))?.iter().map(row).collect()
    }

    /// Runs a query before the buffered writes.
    pub(crate) fn query_ahead(&mut self, sql: &'static str) -> Result<Vec<Row>> {
        let statement = self.prepare(sql, &[], false)?;
        let rows = self.runtime.block_on(self.client.query(&statement, &[]));
        rows.map_err(|e| self.fail(&e))?.iter().map(row).collect()
    }

    /// All queries in one round trip; the first `locked` of them lock their rows.
    pub(crate) fn query_all(
        &mut self,
        queries: &[Query<'_>],
        locked: usize,
    ) -> Result<Vec<Vec<Row>>> {
        let mut statements = Vec::with_capacity(queries.len());
        for (i, (sql, params)) in queries.iter().enumerate() {
            statements.push(self.prepare(sql, params, i < locked)?);
        }
        let pending = self.ready()?;
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
        let pending = self.ready()?;
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
        let pending = self.ready()?;
        if self.is_lost() {
            // Nothing of the commit has left yet: the command can still be run again.
            self.failed = Some(Failure::Lost("the server closed the connection".into()));
            return Err(Error::Unavailable(
                "the server closed the connection".into(),
            ));
        }
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
    pending: &[Ready],
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
