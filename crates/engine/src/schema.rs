//! What schema a database really has, read from its catalogue, so that the two engines can be
//! compared and the rules for spreading books over several servers can be checked.
//!
//! A migration comes in two texts, and they drift unless something compares what they made.
//! PostgreSQL rewrites CHECKs; `check_text.rs` brings both engines' to one form.
//!
//! Read on: `read_sqlite.rs`, `read_postgres.rs` (the catalogues), `check_text.rs`.

mod check_text;
mod read_postgres;
mod read_sqlite;

use crate::Engine;
use crate::error::Result;
use crate::options::DatabaseUrl;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};

/// Tables that belong to no book: small, and copied to every server. `docs/` and the migrations
/// name them too; another one needs a reason.
pub const SHARED: [&str; 5] = ["meta", "book", "asset", "directory", "schema_migration"];

/// SQLite keeps in this table what PostgreSQL has sequence objects for.
const SQLITE_ONLY: &str = "sequence";

/// The tables of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// By name.
    pub tables: BTreeMap<String, Table>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// By name.
    pub columns: BTreeMap<String, Column>,
    /// The columns of the primary key, in order.
    pub primary_key: Vec<String>,
    /// The columns of each UNIQUE constraint, in order.
    pub unique_keys: BTreeSet<Vec<String>>,
    /// Its foreign keys.
    pub foreign_keys: BTreeSet<ForeignKey>,
    /// Its CHECKs, in the form of `check_text.rs`. The same one may stand twice.
    pub checks: Vec<String>,
    /// Its indexes besides the keys, by name.
    pub indexes: BTreeMap<String, Index>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// `int`, `text`, `blob`, or what the engine calls another type.
    pub kind: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// Its columns.
    pub targets: Vec<String>,
}

/// An index that is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its columns in order, with ` desc` where descending.
    pub columns: Vec<String>,
    /// Whether it allows each value once.
    pub unique: bool,
    /// Whether it holds only some rows.
    pub partial: bool,
}

/// Reads the schema of an open database.
pub fn describe(engine: &Engine) -> Result<Schema> {
    engine.read(|tx| match engine.url() {
        DatabaseUrl::Sqlite(_) => read_sqlite::read(tx),
        DatabaseUrl::Postgres(_) => read_postgres::read(tx),
    })
}

impl Schema {
    /// What this schema and another do not share, one sentence each; empty when they agree.
    pub fn differences(&self, other: &Schema) -> Vec<String> {
        let mut found = Vec::new();
        each_pair(&self.tables, &other.tables, |name, a, b| match (a, b) {
            _ if name == SQLITE_ONLY => {}
            (Some(a), Some(b)) => table_differences(name, a, b, &mut found),
            (a, _) => found.push(format!("table {name} is only in the {}", side(a.is_some()))),
        });
        found
    }

    /// Where a table of a book does not lead with `book_id`, one sentence each. Without it the
    /// rows of a book cannot live on one server together.
    pub fn tenant_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, table) in &self.tables {
            if name == SQLITE_ONLY {
                continue;
            }
            if SHARED.contains(&name.as_str()) {
                for key in &table.foreign_keys {
                    if !SHARED.contains(&key.table.as_str()) {
                        faults.push(format!("{name} is shared, but refers to {}", key.table));
                    }
                }
                continue;
            }
            table_tenant_faults(name, table, &mut faults);
        }
        faults
    }
}

fn table_tenant_faults(name: &str, table: &Table, faults: &mut Vec<String>) {
    let leads = |columns: &[String]| columns.first().is_some_and(|c| c == "book_id");
    if !leads(&table.primary_key) {
        faults.push(format!(
            "the primary key of {name} does not begin with book_id"
        ));
    }
    for key in table.unique_keys.iter().filter(|key| !leads(key)) {
        faults.push(format!(
            "unique key {key:?} of {name} does not begin with book_id"
        ));
    }
    for (index, _) in table
        .indexes
        .iter()
        .filter(|(_, i)| i.unique && !leads(&i.columns))
    {
        faults.push(format!(
            "unique index {index} of {name} does not begin with book_id"
        ));
    }
    for key in &table.foreign_keys {
        let good = match key.table.as_str() {
            "book" => key.columns == ["book_id"],
            "asset" => true,
            _ => leads(&key.columns) && leads(&key.targets),
        };
        if !good {
            faults.push(format!(
                "foreign key {key} of {name} does not begin with book_id"
            ));
        }
    }
}

impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ForeignKey {
            columns,
            table,
            targets,
        } = self;
        write!(
            f,
            "({}) to {table} ({})",
            columns.join(", "),
            targets.join(", ")
        )
    }
}

fn side(first: bool) -> &'static str {
    if first { "first" } else { "second" }
}

/// Calls `with` for each key of either map.
fn each_pair<V>(
    a: &BTreeMap<String, V>,
    b: &BTreeMap<String, V>,
    mut with: impl FnMut(&str, Option<&V>, Option<&V>),
) {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names {
        with(name, a.get(name), b.get(name));
    }
}

fn table_differences(name: &str, a: &Table, b: &Table, found: &mut Vec<String>) {
    let mut compare = |what: String, a: &dyn Debug, b: &dyn Debug| {
        let (a, b) = (format!("{a:?}"), format!("{b:?}"));
        if a != b {
            found.push(format!("{what}: {a} in the first, {b} in the second"));
        }
    };
    each_pair(&a.columns, &b.columns, |column, a, b| {
        compare(format!("column {name}.{column}"), &a, &b);
    });
    compare(
        format!("primary key of {name}"),
        &a.primary_key,
        &b.primary_key,
    );
    compare(
        format!("unique keys of {name}"),
        &a.unique_keys,
        &b.unique_keys,
    );
    compare(
        format!("foreign keys of {name}"),
        &a.foreign_keys,
        &b.foreign_keys,
    );
    compare(
        format!("checks of {name}"),
        &sorted(&a.checks),
        &sorted(&b.checks),
    );
    each_pair(&a.indexes, &b.indexes, |index, a, b| {
        compare(format!("index {index} of {name}"), &a, &b);
    });
}

fn sorted(texts: &[String]) -> Vec<&String> {
    let mut texts: Vec<&String> = texts.iter().collect();
    texts.sort();
    texts
}
