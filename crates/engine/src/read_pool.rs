//! Connections for reading, lent out one snapshot at a time.

use crate::error::{Error, Result};
use crate::options::{DatabaseUrl, Options};
use crate::postgres::PgConn;
use crate::sqlite::SqliteConn;
use crate::tx::{Conn, ReadTx};
use std::sync::{Condvar, Mutex, PoisonError};

/// Connections at most; further readers wait.
const LIMIT: usize = 8;

enum Reader {
    Sqlite(Box<SqliteConn>),
    Postgres(Box<PgConn>),
}

#[derive(Default)]
struct Shelf {
    idle: Vec<Reader>,
    lent: usize,
}

pub(crate) struct ReadPool {
    url: DatabaseUrl,
    options: Options,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

impl ReadPool {
    pub(crate) fn new(url: DatabaseUrl, options: Options) -> Self {
        ReadPool {
            url,
            options,
            shelf: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    pub(crate) fn read<T, E: From<Error>>(
        &self,
        read: impl FnOnce(&mut ReadTx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut loan = self.take()?;
        loan.begin()?;
        let conn = match loan.reader.as_mut() {
            Some(Reader::Sqlite(conn)) => Conn::Sqlite(conn),
            Some(Reader::Postgres(conn)) => Conn::Postgres(conn),
            None => return Err(Error::Closed.into()),
        };
        let mut tx = ReadTx {
            conn,
            now: self.options.clock.now(),
        };
        let result = read(&mut tx);
        loan.end();
        result
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn close(&self) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.idle.clear();
    }

    fn take(&self) -> Result<Loan<'_>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        while shelf.idle.is_empty() && shelf.lent >= LIMIT {
            shelf = self
                .returned
                .wait(shelf)
                .unwrap_or_else(PoisonError::into_inner);
        }
        shelf.lent += 1;
        let mut loan = Loan {
            pool: self,
            reader: shelf.idle.pop(),
        };
        drop(shelf);
        if matches!(&loan.reader, Some(Reader::Postgres(conn)) if conn.is_lost()) {
            loan.reader = None;
        }
        if loan.reader.is_none() {
            loan.reader = Some(self.connect()?);
        }
        Ok(loan)
    }

    fn connect(&self) -> Result<Reader> {
        Ok(match &self.url {
            DatabaseUrl::Sqlite(path) => {
                Reader::Sqlite(Box::new(SqliteConn::open(path, &self.options, true)?))
            }
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConn::connect(url, &self.options)?;
                // A reader holds nobody up, however long it thinks about what it has read.
                conn.batch("SET idle_in_transaction_session_timeout = 0")?;
                Reader::Postgres(Box::new(conn))
            }
        })
    }
}

/// A reader on loan; goes back when dropped, unless its snapshot did not end properly.
struct Loan<'a> {
    pool: &'a ReadPool,
    reader: Option<Reader>,
}

impl Loan<'_> {
    fn begin(&mut self) -> Result<()> {
        let begun = match self.reader.as_mut() {
            Some(Reader::Sqlite(conn)) => conn.run("BEGIN"),
            Some(Reader::Postgres(conn)) => {
                conn.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            }
            None => Err(Error::Closed),
        };
        if begun.is_err() {
            self.reader = None;
        }
        begun
    }

    fn end(&mut self) {
        let ended = match self.reader.as_mut() {
            Some(Reader::Sqlite(conn)) => conn.run("COMMIT").is_ok(),
            Some(Reader::Postgres(conn)) => {
                conn.rollback();
                true
            }
            None => true,
        };
        if !ended {
            self.reader = None;
        }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut shelf = self
            .pool
            .shelf
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        shelf.lent -= 1;
        // After a panic the snapshot is still open: let the connection go.
        if let (Some(reader), false) = (self.reader.take(), std::thread::panicking()) {
            shelf.idle.push(reader);
        }
        drop(shelf);
        self.pool.returned.notify_one();
    }
}
