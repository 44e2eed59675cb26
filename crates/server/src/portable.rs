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
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

const FORMAT: &str = "scrip backup 1";
/// Rows restored in one transaction.
const AT_ONCE: usize = 5_000;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    schema: i64,
    columns: HashMap<String, Vec<String>>,
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
    let part = path.with_extension("part");
    let file = File::create(&part).map_err(|e| Failure::file(&part, e))?;
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
    writer.line(&head).map_err(|e| Failure::file(&part, e))?;
    let bar = progress::bar(layout.len() as u64, "tables");
    engine.read(|tx| {
        for (table, columns) in &layout {
            table_out(tx, table, columns, &mut writer)?;
            bar.inc(1);
        }
        Ok::<_, EngineError>(())
    })?;
    bar.finish_and_clear();
    finish(writer, &part, path)
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
        .and_then(|()| std::fs::rename(part, path));
    done.map_err(|e| Failure::file(path, e))?;
    Ok(rows)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn lines(path: &Path) -> Result<impl Iterator<Item = std::io::Result<String>>, Failure> {
    let file = File::open(path).map_err(|e| Failure::file(path, e))?;
    Ok(BufReader::new(GzDecoder::new(BufReader::new(file))).lines())
}

/// Reads the whole file once and checks it; returns its head and its rows.
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
            let parsed: Head =
                serde_json::from_str(&line).map_err(|_| broken("is no scrip backup"))?;
            head = Some(parsed);
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
    let head = head
        .filter(|h| h.format == FORMAT)
        .ok_or_else(|| broken("is no scrip backup"))?;
    Ok((head, count))
}

/// Fills an empty database from a backup; returns the number of rows.
pub fn restore(engine: &Engine, path: &Path) -> Result<u64, Failure> {
    let (head, count) = check(path)?;
    let known = MIGRATIONS.last().map_or(0, |m| m.number);
    if head.schema != known {
        return Err(Failure::Refused(format!(
            "the backup is of version {}, this program of {known}: use the scrip that wrote it, \
             then update",
            head.schema
        )));
    }
    let used = engine.read(|tx| tx.query("SELECT book_id FROM book LIMIT 1", &[]))?;
    if !used.is_empty() {
        return Err(Failure::Refused(
            "the database is not empty: restore into a new one".into(),
        ));
    }
    let mut inserts: HashMap<String, &'static str> = HashMap::new();
    for (table, columns) in &head.columns {
        let places: Vec<String> = (1..=columns.len()).map(|i| format!("${i}")).collect();
        let text = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            places.join(", ")
        );
        inserts.insert(table.clone(), statement(text));
    }
    let bar = progress::bar(count, "rows");
    let mut batch: Vec<(&'static str, Vec<Value>)> = Vec::with_capacity(AT_ONCE);
    let mut highest = Highest::default();
    for line in lines(path)?.skip(1) {
        let line = line.map_err(|e| Failure::file(path, e))?;
        if line.starts_with('{') {
            break;
        }
        let (table, values) = parse_row(&line)
            .ok_or_else(|| Failure::Refused(format!("{}: a row cannot be read", path.display())))?;
        highest.note(&table, &head.columns, &values);
        let insert = inserts.get(&table).ok_or_else(|| {
            Failure::Refused(format!("the backup has an unknown table {table:?}"))
        })?;
        batch.push((insert, values));
        if batch.len() == AT_ONCE {
            bar.inc(batch.len() as u64);
            write_rows(engine, std::mem::take(&mut batch))?;
        }
    }
    write_rows(engine, batch)?;
    engine.write(move |tx| highest.reserve(tx))?;
    bar.finish_and_clear();
    Ok(count)
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

fn write_rows(engine: &Engine, rows: Vec<(&'static str, Vec<Value>)>) -> Result<(), EngineError> {
    engine.write(move |tx| {
        for (insert, values) in &rows {
            let params: Vec<Param<'_>> = values.iter().map(Value::as_param).collect();
            tx.put(insert, &params)?;
        }
        Ok(())
    })
}

/// The highest number of each sequence in the backup: they go on from there.
#[derive(Clone, Debug, Default)]
struct Highest(HashMap<&'static str, i64>);

const NUMBERED: [(&str, &str, Sequence); 5] = [
    ("transfer", "transfer_id", Sequence::Transfer),
    ("account", "account_id", Sequence::Account),
    ("token_grant", "grant_id", Sequence::Grant),
    ("hold", "hold_id", Sequence::Hold),
    ("outbox", "outbox_id", Sequence::Outbox),
];

impl Highest {
    fn note(&mut self, table: &str, columns: &HashMap<String, Vec<String>>, values: &[Value]) {
        let Some((name, column, _)) = NUMBERED.iter().find(|n| n.0 == table) else {
            return;
        };
        let place = columns[table].iter().position(|c| c == column);
        if let Some(Value::Int(n)) = place.and_then(|p| values.get(p)) {
            let highest = self.0.entry(name).or_default();
            *highest = (*highest).max(*n);
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
