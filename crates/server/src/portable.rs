//! Backups that either engine can read: gzip, one JSON line per row.
//!
//! The first line says the format and the schema's version, the last how many rows there are and
//! their SHA-256, so that a file that was cut off or changed is noticed before anything is
//! written. A backup is one snapshot. A restore fills an empty database.

use crate::cli::progress;
use crate::failure::Failure;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use scrip_engine::migrate::{MIGRATIONS, tables};
use scrip_engine::schema::{Schema, describe};
use scrip_engine::{Engine, Error as EngineError, Param, Read as _, ReadTx, Sequence, Store, Tx};
use scrip_engine::{Row, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

const FORMAT: &str = "scrip backup 1";
/// Rows that a restore sends at once.
const AT_ONCE: usize = 5_000;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    schema: i64,
    columns: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    rows: u64,
    sha256: String,
}

/// A value in a backup: text is tagged by its JSON type, bytes are hexadecimal in an array.
fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(n) => (*n).into(),
        Value::Text(s) => s.as_str().into(),
        Value::Blob(b) => vec![b.iter().map(|b| format!("{b:02x}")).collect::<String>()].into(),
    }
}

fn from_json(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::Null => Some(Value::Null),
        serde_json::Value::Number(n) => n.as_i64().map(Value::Int),
        serde_json::Value::String(s) => Some(Value::Text(s.clone())),
        serde_json::Value::Array(parts) => {
            let hex = parts.first()?.as_str()?;
            let digits = |i: usize| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok();
            (0..hex.len())
                .step_by(2)
                .map(digits)
                .collect::<Option<_>>()
                .map(Value::Blob)
        }
        _ => None,
    }
}

/// The tables in the order in which they refer to each other, with their columns.
fn layout(schema: &Schema) -> Vec<(&'static str, Vec<String>)> {
    let known = |name: &&'static str| schema.tables.contains_key(*name) && *name != "sequence";
    let columns = |name: &str| schema.tables[name].columns.keys().cloned().collect();
    tables()
        .into_iter()
        .filter(known)
        .map(|name| (name, columns(name)))
        .collect()
}

/// Statements are made once per table and run of the program.
fn statement(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

struct Writer {
    out: GzEncoder<BufWriter<File>>,
    hash: Sha256,
    rows: u64,
}

impl Writer {
    fn line(&mut self, value: &impl Serialize) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.out.write_all(&line)
    }
}

/// Writes a snapshot of everything to a file; returns the number of rows.
pub fn backup(engine: &Engine, path: &Path) -> Result<u64, Failure> {
    let schema = describe(engine)?;
    let layout = layout(&schema);
    // Written beside and renamed: an old backup stays until the new one is whole.
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = backup_to(engine, &layout, &part, path);
    if written.is_err() {
        drop(std::fs::remove_file(&part));
    }
    written
}

fn backup_to(
    engine: &Engine,
    layout: &[(&'static str, Vec<String>)],
    part: &Path,
    path: &Path,
) -> Result<u64, Failure> {
    let file = File::create(part).map_err(|e| Failure::file(part, e))?;
    let out = GzEncoder::new(BufWriter::new(file), Compression::fast());
    let mut writer = Writer {
        out,
        hash: Sha256::new(),
        rows: 0,
    };
    let head = Head {
        format: FORMAT.into(),
        schema: MIGRATIONS.last().map_or(0, |m| m.number),
        columns: layout
            .iter()
            .map(|(name, columns)| ((*name).to_owned(), columns.clone()))
            .collect(),
    };
    writer.line(&head).map_err(|e| Failure::file(part, e))?;
    let bar = progress::bar(layout.len() as u64, "tables");
    engine.read(|tx| {
        for (table, columns) in layout {
            table_out(tx, table, columns, &mut writer)?;
            bar.inc(1);
        }
        Ok::<_, EngineError>(())
    })?;
    bar.finish_and_clear();
    finish(writer, part, path)
}

fn table_out(
    tx: &mut ReadTx<'_>,
    table: &str,
    columns: &[String],
    writer: &mut Writer,
) -> Result<(), EngineError> {
    let sql = statement(format!("SELECT {} FROM {table}", columns.join(", ")));
    tx.query_each(sql, &[], &mut |row: Row| {
        let mut line = vec![serde_json::Value::from(table)];
        line.extend(row.0.iter().map(to_json));
        writer.rows += 1;
        writer
            .line(&line)
            .map_err(|e| EngineError::Unavailable(format!("the backup file: {e}")))
    })
}

fn finish(writer: Writer, part: &Path, path: &Path) -> Result<u64, Failure> {
    let rows = writer.rows;
    let sha256 = hex(&writer.hash.clone().finalize());
    let mut out = writer.out;
    let done = serde_json::to_vec(&Tail { rows, sha256 })
        .map_err(std::io::Error::from)
        .and_then(|line| out.write_all(&line))
        .and_then(|()| out.finish())
        .and_then(|buffer| buffer.into_inner().map_err(|e| e.into_error()))
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(part, path))
        // The new name must last too.
        .and_then(|()| File::open(folder_of(path))?.sync_all());
    done.map_err(|e| Failure::file(path, e))?;
    Ok(rows)
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn lines(path: &Path) -> Result<impl Iterator<Item = std::io::Result<String>>, Failure> {
    let file = File::open(path).map_err(|e| Failure::file(path, e))?;
    Ok(BufReader::new(GzDecoder::new(BufReader::new(file))).lines())
}

/// A backup that is whole and of this program's version.
pub struct Checked {
    path: PathBuf,
    head: Head,
    rows: u64,
}

impl Checked {
    /// Reads the whole file once.
    pub fn read(path: &Path) -> Result<Checked, Failure> {
        let (head, rows) = check(path)?;
        let known = MIGRATIONS.last().map_or(0, |m| m.number);
        if head.schema != known {
            return Err(Failure::Refused(format!(
                "the backup is of version {}, this program of {known}: use the scrip that wrote \
                 it, then update",
                head.schema
            )));
        }
        Ok(Checked {
            path: path.to_owned(),
            head,
            rows,
        })
    }
}

fn check(path: &Path) -> Result<(Head, u64), Failure> {
    let broken =
        |what: &str| Failure::Refused(format!("{}: {what}; nothing was restored", path.display()));
    let mut hash = Sha256::new();
    let mut head: Option<Head> = None;
    let mut count = 0;
    let mut tail: Option<Tail> = None;
    for line in lines(path)? {
        let line = line.map_err(|e| broken(&format!("cannot be read to its end ({e})")))?;
        if tail.is_some() {
            return Err(broken("goes on after its end"));
        }
        if head.is_none() {
            head = Some(parse_head(&line).map_err(broken)?);
        } else if line.starts_with('{') {
            tail = serde_json::from_str(&line).ok();
            continue;
        } else {
            count += 1;
        }
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    let tail = tail.ok_or_else(|| broken("is cut off"))?;
    if tail.rows != count || tail.sha256 != hex(&hash.finalize()) {
        return Err(broken("was changed or damaged"));
    }
    let head = head.ok_or_else(|| broken("is empty"))?;
    Ok((head, count))
}

fn parse_head(line: &str) -> Result<Head, &'static str> {
    let foreign = "is no scrip backup";
    let head: serde_json::Value = serde_json::from_str(line).map_err(|_| foreign)?;
    let format = head["format"].as_str().unwrap_or_default();
    if format != FORMAT && format.starts_with("scrip backup ") {
        return Err("was written by a newer scrip: use that one");
    }
    serde_json::from_value(head)
        .ok()
        .filter(|head: &Head| head.format == FORMAT)
        .ok_or(foreign)
}

/// Fills an empty database from a backup, in one transaction; returns the number of rows.
pub fn restore(engine: &Engine, backup: Checked) -> Result<u64, Failure> {
    let inserts = inserts(&describe(engine)?, &backup.head)?;
    let rows = backup.rows;
    let bar = progress::bar(rows, "rows");
    let shown = bar.clone();
    engine.write(move |tx| {
        shown.reset();
        restore_into(tx, &backup, &inserts, &|| shown.inc(1))
    })?;
    bar.finish_and_clear();
    Ok(rows)
}

/// The statement for each table of a backup. A backup brings rows, not names: those must be the
/// database's own.
fn inserts(schema: &Schema, head: &Head) -> Result<HashMap<String, &'static str>, Failure> {
    let layout = layout(schema);
    let mut inserts = HashMap::new();
    for (table, columns) in &head.columns {
        let known = layout.iter().find(|(name, _)| name == table);
        if known.is_none_or(|(_, own)| own != columns) {
            return Err(Failure::Refused(format!(
                "the backup has a table {table:?} that this program does not know; nothing was \
                 restored"
            )));
        }
        let places: Vec<String> = (1..=columns.len()).map(|i| format!("${i}")).collect();
        let text = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            places.join(", ")
        );
        inserts.insert(table.clone(), statement(text));
    }
    Ok(inserts)
}

fn restore_into(
    tx: &mut Tx<'_>,
    backup: &Checked,
    inserts: &HashMap<String, &'static str>,
    each: &dyn Fn(),
) -> Result<(), Failure> {
    const USED: &str = "SELECT book_id FROM book LIMIT 1";
    let Checked { path, head, .. } = backup;
    if !tx.query(USED, &[])?.is_empty() {
        return Err(Failure::Refused(
            "the database is not empty: restore into a new one".into(),
        ));
    }
    // A command that was refused before there was anything may have bound it to a key.
    tx.execute("DELETE FROM meta", &[])?;
    let broken = || {
        let path = path.display();
        Failure::Refused(format!(
            "{path}: a row cannot be read; nothing was restored"
        ))
    };
    let mut highest = Highest::default();
    let mut books = Vec::new();
    for (line, n) in lines(path)?.skip(1).zip(1_usize..) {
        let line = line.map_err(|e| Failure::file(path, e))?;
        if line.starts_with('{') {
            break;
        }
        let (table, values) = parse_row(&line).ok_or_else(broken)?;
        let (columns, insert) = head
            .columns
            .get(&table)
            .zip(inserts.get(&table))
            .filter(|(columns, _)| columns.len() == values.len())
            .ok_or_else(broken)?;
        each();
        highest.note(&table, columns, &values);
        if table == "book" {
            books.push(int_of(columns, &values, "book_id").ok_or_else(broken)?);
        }
        // Which entries are not sealed is kept differently on each engine.
        if table != "entry_tail" {
            let params: Vec<Param<'_>> = values.iter().map(Value::as_param).collect();
            tx.put(insert, &params)?;
        }
        if n % AT_ONCE == 0 {
            // A query sends what has been buffered.
            tx.query(USED, &[])?;
        }
    }
    for book in books {
        scrip_ledger::tail_restore(tx, book)?;
    }
    Ok(highest.reserve(tx)?)
}

fn int_of(columns: &[String], values: &[Value], column: &str) -> Option<i64> {
    let place = columns.iter().position(|c| c == column)?;
    match values.get(place)? {
        Value::Int(n) => Some(*n),
        _ => None,
    }
}

fn parse_row(line: &str) -> Option<(String, Vec<Value>)> {
    let values: Vec<serde_json::Value> = serde_json::from_str(line).ok()?;
    let (table, values) = values.split_first()?;
    let values = values
        .iter()
        .map(from_json)
        .collect::<Option<Vec<Value>>>()?;
    Some((table.as_str()?.to_owned(), values))
}

/// The highest number of each sequence in the backup: they go on from there.
#[derive(Debug, Default)]
struct Highest(HashMap<&'static str, i64>);

const NUMBERED: [(&str, &str, Sequence); 5] = [
    ("transfer", "transfer_id", Sequence::Transfer),
    ("account", "account_id", Sequence::Account),
    ("token_grant", "grant_id", Sequence::Grant),
    ("hold", "hold_id", Sequence::Hold),
    ("outbox", "outbox_id", Sequence::Outbox),
];

impl Highest {
    fn note(&mut self, table: &str, columns: &[String], values: &[Value]) {
        let Some((name, column, _)) = NUMBERED.iter().find(|n| n.0 == table) else {
            return;
        };
        if let Some(n) = int_of(columns, values, column) {
            let highest = self.0.entry(name).or_default();
            *highest = (*highest).max(n);
        }
    }

    fn reserve(&self, tx: &mut Tx<'_>) -> Result<(), EngineError> {
        for (table, _, sequence) in NUMBERED {
            let highest = self.0.get(table).copied().unwrap_or_default();
            if highest > 0 {
                tx.next_numbers(sequence, highest)?;
            }
        }
        Ok(())
    }
}
