//! Migrations: numbered, checksummed, in pairs, and run under a lock.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::postgres::PgConn;
use crate::sqlite::SqliteConn;
use crate::value::{Param, Row};
use sha2::{Digest, Sha256};

/// One step of the schema, for both engines.
#[derive(Debug)]
pub struct Migration {
    /// Its number; they run in this order.
    pub number: i64,
    /// Its text for SQLite.
    pub sqlite: &'static str,
    /// Its text for PostgreSQL.
    pub postgres: &'static str,
}

macro_rules! migration {
    ($number:literal, $stem:literal) => {
        Migration {
            number: $number,
            sqlite: include_str!(concat!("../../../migrations/", $stem, ".sqlite.sql")),
            postgres: include_str!(concat!("../../../migrations/", $stem, ".postgres.sql")),
        }
    };
}

/// Every migration, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_ledger"),
    migration!(2, "0002_shop"),
    migration!(3, "0003_front"),
    migration!(4, "0004_policy"),
    migration!(5, "0005_card"),
    migration!(6, "0006_message"),
    migration!(7, "0007_shelf"),
    migration!(8, "0008_account"),
    migration!(9, "0009_sale"),
    migration!(10, "0010_checkout"),
    migration!(11, "0011_report"),
    migration!(12, "0012_console"),
    migration!(13, "0013_card_order"),
    migration!(14, "0014_goods"),
    migration!(15, "0015_people"),
    migration!(16, "0016_promotion"),
    migration!(17, "0017_office"),
    migration!(20, "0020_mall"),
    migration!(21, "0021_tax"),
    migration!(22, "0022_entity"),
    migration!(23, "0023_quota"),
    migration!(24, "0024_open"),
    migration!(25, "0025_mirror"),
    migration!(26, "0026_settlement"),
];

const APPLIED: &str = "SELECT number, checksum FROM schema_migration ORDER BY number";
const RECORD: &str =
    "INSERT INTO schema_migration (number, checksum, applied_at) VALUES ($1, $2, $3)";
const TABLE_SQLITE: &str = "CREATE TABLE IF NOT EXISTS schema_migration
    (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT";
const TABLE_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS schema_migration
    (number BIGINT PRIMARY KEY, checksum BYTEA NOT NULL, applied_at BIGINT NOT NULL)";
/// Any number, as long as every scrip takes the same.
const LOCK_POSTGRES: &str = "SET lock_timeout = 0; SELECT pg_advisory_lock(7313121)";
const UNLOCK_POSTGRES: &str = "SELECT pg_advisory_unlock(7313121); SET lock_timeout = '20s'";

fn checksum(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

/// Compares what is applied with what this program carries; returns how many are applied.
fn check(applied: &[Row], text: impl Fn(&Migration) -> &'static str) -> Result<usize> {
    let known = MIGRATIONS.last().map_or(0, |m| m.number);
    for (i, row) in applied.iter().enumerate() {
        let number = row.int(0)?;
        match MIGRATIONS.get(i) {
            Some(migration) if migration.number == number => {
                if row.blob(1)? != checksum(text(migration)) {
                    return Err(Error::MigrationChanged(number));
                }
            }
            _ => {
                return Err(Error::NewerDatabase {
                    found: number,
                    known,
                });
            }
        }
    }
    Ok(applied.len())
}

fn complete(applied: usize) -> Result<()> {
    if applied < MIGRATIONS.len() {
        return Err(Error::Unavailable(
            "the database is empty or older than this program; run a command that writes first, \
             for example `scrip vendor create`"
                .into(),
        ));
    }
    Ok(())
}

pub(crate) fn check_sqlite(conn: &mut SqliteConn) -> Result<()> {
    let there = conn.query(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'",
        &[],
    )?;
    let applied = if there.is_empty() {
        Vec::new()
    } else {
        conn.query(APPLIED, &[])?
    };
    complete(check(&applied, |m| m.sqlite)?)
}

pub(crate) fn check_postgres(conn: &mut PgConn) -> Result<()> {
    let there = conn.query("SELECT to_regclass('schema_migration')::TEXT", &[], false)?;
    let there = there.first().map_or(Ok(None), |r| r.opt_text(0))?.is_some();
    let applied = if there {
        conn.query(APPLIED, &[], false)?
    } else {
        Vec::new()
    };
    complete(check(&applied, |m| m.postgres)?)
}

/// The caller holds the file lock.
pub(crate) fn migrate_sqlite(conn: &mut SqliteConn, now: Timestamp) -> Result<()> {
    conn.batch(TABLE_SQLITE)?;
    let done = check(&conn.query(APPLIED, &[])?, |m| m.sqlite)?;
    for migration in &MIGRATIONS[done..] {
        conn.batch("BEGIN IMMEDIATE")?;
        conn.batch(migration.sqlite)?;
        let sum = checksum(migration.sqlite);
        conn.execute_plain(RECORD, &record(migration, &sum, now))?;
        conn.batch("COMMIT")?;
    }
    Ok(())
}

pub(crate) fn migrate_postgres(conn: &mut PgConn, now: Timestamp) -> Result<()> {
    conn.batch(LOCK_POSTGRES)?;
    let migrated = migrate_postgres_locked(conn, now);
    if migrated.is_err() {
        conn.rollback();
    }
    conn.batch(UNLOCK_POSTGRES)?;
    migrated
}

fn migrate_postgres_locked(conn: &mut PgConn, now: Timestamp) -> Result<()> {
    conn.batch(TABLE_POSTGRES)?;
    let done = check(&conn.query(APPLIED, &[], false)?, |m| m.postgres)?;
    for migration in &MIGRATIONS[done..] {
        conn.batch("BEGIN")?;
        conn.batch(migration.postgres)?;
        let sum = checksum(migration.postgres);
        conn.execute(RECORD, &record(migration, &sum, now))?;
        conn.batch("COMMIT")?;
    }
    Ok(())
}

fn record<'a>(migration: &Migration, sum: &'a Vec<u8>, now: Timestamp) -> [Param<'a>; 3] {
    [
        Param::Int(migration.number),
        Param::from(sum),
        Param::Int(now.0),
    ]
}

/// The tables that the migrations make, each after those that it refers to.
pub fn tables() -> Vec<&'static str> {
    let made = |line: &'static str| {
        line.strip_prefix("CREATE TABLE ")?
            .split_whitespace()
            .next()
    };
    MIGRATIONS
        .iter()
        .flat_map(|m| m.sqlite.lines())
        .filter_map(made)
        .collect()
}
