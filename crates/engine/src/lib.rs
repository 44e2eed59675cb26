//! One SQL interface over SQLite and PostgreSQL.
//!
//! - [`Engine::write`] runs a command in one transaction, as if writers had run one after
//!   another, and returns only once it is durable.
//! - [`Engine::read`] sees one consistent snapshot and never blocks writers.
//! - Commands take time, ids and randomness from their transaction ([`Tx`]), and may be run again
//!   from the start: they do nothing else that lasts.
//!
//! Read on: `sqlite.rs` (group commit), `postgres.rs` (workers, retries), `migrate.rs`,
//! `outbox.rs`, `schema.rs`; the same tests run on both engines (`tests/it/main.rs`).

mod clock;
mod error;
mod ids;
mod job;
mod memory;
pub mod migrate;
mod options;
pub mod outbox;
mod postgres;
mod read_pool;
pub mod schema;
mod sqlite;
mod tx;
mod value;

pub use clock::{Clock, SetClock, SystemClock, Timestamp};
pub use error::{Error, Result};
pub use ids::Sequence;
pub use job::Ticket;
pub use memory::{Memory, NoMemory};
pub use options::{DatabaseUrl, Durability, Options};
pub use tx::{Query, Read, ReadTx, Store, Tx};
pub use value::{Param, Row, Value};

use ids::Ids;
use job::Queue;
use read_pool::ReadPool;
use std::sync::Arc;
use std::thread::JoinHandle;

/// A database, open. Clones share it; the last one closes it.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    options: Options,
    queue: Arc<Queue>,
    writers: Vec<JoinHandle<()>>,
    readers: ReadPool,
}

impl Engine {
    /// Opens a database; creates and migrates it unless `options.read_only`.
    pub fn open(url: &DatabaseUrl, options: &Options) -> Result<Engine> {
        let ids = Arc::new(Ids::new());
        let queue = Arc::new(Queue::default());
        let mut writers = Vec::new();
        match url {
            DatabaseUrl::Sqlite(path) if options.read_only => {
                migrate::check_sqlite(&mut sqlite::SqliteConn::open(path, options, true)?)?;
            }
            DatabaseUrl::Sqlite(path) => {
                // Held by the writer for as long as it lives, so that no second process writes.
                let lock = sqlite::lock_file(path)?;
                let mut conn = sqlite::SqliteConn::open(path, options, false)?;
                migrate::migrate_sqlite(&mut conn, options.clock.now())?;
                let writer = sqlite::Writer::new(conn, path, options, ids)?;
                writers.push(spawn("scrip-writer", &queue, move |queue| {
                    writer.work(queue);
                    // Closing is not enough: a process that is being started by another thread
                    // has a copy for a moment.
                    drop(lock.unlock());
                })?);
            }
            DatabaseUrl::Postgres(address) => {
                let mut conn = postgres::PgConn::connect(address, options)?;
                if options.read_only {
                    migrate::check_postgres(&mut conn)?;
                } else {
                    migrate::migrate_postgres(&mut conn, options.clock.now())?;
                    for worker in postgres::workers(conn, address, options, &ids) {
                        writers.push(spawn("scrip-worker", &queue, move |q| worker.work(q))?);
                    }
                }
            }
        }
        let readers = ReadPool::new(url.clone(), options.clone());
        let options = options.clone();
        let url = url.clone();
        Ok(Engine(Arc::new(Inner {
            url,
            options,
            queue,
            writers,
            readers,
        })))
    }

    /// Runs a command and waits until it is durable. `Ok` stands, `Err` leaves nothing behind.
    ///
    /// Not for async threads: use [`Engine::submit`] and await the ticket there.
    pub fn write<T, E, F>(&self, command: F) -> std::result::Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit(command).wait()
    }

    /// Queues a command and returns at once.
    pub fn submit<T, E, F>(&self, command: F) -> Ticket<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, ticket) = job::command(command);
        if self.0.options.read_only {
            job.answer(Some(Error::Unavailable(
                "the database was opened for reading only".into(),
            )));
        } else {
            self.0.queue.push(job);
        }
        ticket
    }

    /// Reads from one consistent snapshot. Not for async threads.
    pub fn read<T, E, F>(&self, read: F) -> std::result::Result<T, E>
    where
        F: FnOnce(&mut ReadTx<'_>) -> std::result::Result<T, E>,
        E: From<Error>,
    {
        self.0.readers.read(read)
    }

    /// Where the database is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.0.url
    }

    /// The time now, for what happens outside transactions.
    pub fn now(&self) -> Timestamp {
        self.0.options.clock.now()
    }
}

fn spawn(
    name: &str,
    queue: &Arc<Queue>,
    work: impl FnOnce(&Queue) + Send + 'static,
) -> Result<JoinHandle<()>> {
    let queue = queue.clone();
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || work(&queue))
        .map_err(|e| Error::Unavailable(format!("cannot start a thread: {e}")))
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Before the writer: the last connection to a SQLite file copies the log into it, and a
        // reader may not.
        self.readers.close();
        self.queue.close();
        for writer in self.writers.drain(..) {
            // The engine may be dropped by one of its own writers; that one cannot wait for itself.
            if writer.thread().id() != std::thread::current().id() {
                drop(writer.join());
            }
        }
    }
}
