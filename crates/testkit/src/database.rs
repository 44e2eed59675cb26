//! Fresh databases, one for each test, gone when it ends.

use crate::server::{PostgresServer, run_sql};
use scrip_engine::{DatabaseUrl, Engine, Options};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The server that tests use when there is one already, for example
/// `postgres://postgres@127.0.0.1:5433/postgres`.
const SERVER_VARIABLE: &str = "SCRIP_TEST_POSTGRES";

/// A database of its own on the tests' PostgreSQL server; dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    admin: String,
    name: String,
    url: String,
}

impl PostgresDatabase {
    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name within the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends every connection to it, as an administrator or a crash would.
    pub fn terminate_backends(&self) {
        run_sql(&self.admin, &terminate_sql(&self.name)).expect("end the connections");
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        // A server that is gone has taken the database with it, or keeps one that hurts nobody.
        drop(run_sql(
            &self.admin,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        ));
    }
}

/// Ends all connections to a database.
pub(crate) fn terminate_sql(name: &str) -> String {
    format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )
}

/// Creates a database on the server named by `SCRIP_TEST_POSTGRES`, or else on one that is
/// started once for this process.
pub fn postgres_database() -> PostgresDatabase {
    static SHARED: OnceLock<PostgresServer> = OnceLock::new();
    let admin = match std::env::var(SERVER_VARIABLE) {
        Ok(url) if !url.is_empty() => url,
        // Nothing of this server has to outlive a crash, so it need not wait for the disk.
        _ => SHARED
            .get_or_init(PostgresServer::without_sync)
            .url("postgres"),
    };
    create(&admin)
}

/// Creates a database of a fresh name beside the one that `admin` names.
pub(crate) fn create(admin: &str) -> PostgresDatabase {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let name = format!(
        "scrip_test_{}_{}_{}",
        std::process::id(),
        since.as_micros(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let sql = format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    );
    if let Err(e) = run_sql(admin, &sql) {
        panic!("cannot create a test database with {admin}: {e}");
    }
    let (server, _) = admin.rsplit_once('/').expect("an address ends in /NAME");
    PostgresDatabase {
        admin: admin.to_owned(),
        url: format!("{server}/{name}"),
        name,
    }
}

/// A fresh database of either engine.
#[derive(Debug)]
pub struct TestDb {
    url: DatabaseUrl,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(TempDir),
    Server(PostgresDatabase),
}

impl TestDb {
    /// A database file in a directory of its own.
    pub fn sqlite() -> TestDb {
        let dir = tempfile::tempdir().expect("create a temporary directory");
        TestDb {
            url: DatabaseUrl::Sqlite(dir.path().join("test.db")),
            place: Place::Directory(dir),
        }
    }

    /// A database on the tests' PostgreSQL server.
    pub fn postgres() -> TestDb {
        let database = postgres_database();
        let url = database
            .url()
            .parse()
            .expect("an address that the engine reads");
        TestDb {
            url,
            place: Place::Server(database),
        }
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// True for SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Directory(_))
    }

    /// The directory of the database file, where it is one.
    pub fn directory(&self) -> Option<&Path> {
        match &self.place {
            Place::Directory(dir) => Some(dir.path()),
            Place::Server(_) => None,
        }
    }

    /// The PostgreSQL database, where it is one.
    pub fn as_postgres(&self) -> Option<&PostgresDatabase> {
        match &self.place {
            Place::Server(database) => Some(database),
            Place::Directory(_) => None,
        }
    }

    /// Opens it with default options, but fewer workers than a server has.
    pub fn open(&self) -> Engine {
        self.open_with(&Options {
            workers: 4,
            ..Options::default()
        })
    }

    /// Opens it.
    pub fn open_with(&self, options: &Options) -> Engine {
        Engine::open(&self.url, options).expect("open the test database")
    }

    /// Runs statements behind the engine's back, for example to plant a fault.
    pub fn run_sql(&self, sql: &str) {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let conn = rusqlite::Connection::open(path).expect("open the file");
                conn.execute_batch(sql).expect("run the statements");
            }
            DatabaseUrl::Postgres(url) => {
                run_sql(url, sql).expect("run the statements");
            }
        }
    }
}
