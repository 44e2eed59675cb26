//! The schema of a PostgreSQL database, from its catalogue.

use super::{Column, ForeignKey, Index, Schema, Table, check_text};
use crate::error::{Error, Result};
use crate::tx::{Read, ReadTx};
use crate::value::Row;

const COLUMNS: &str = "
    SELECT c.relname::TEXT, a.attname::TEXT, format_type(a.atttypid, a.atttypmod),
           a.attnotnull::INT::BIGINT, l.collname::TEXT
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    ORDER BY c.relname, a.attnum";

const CONSTRAINTS: &str = "
    SELECT c.relname::TEXT, k.contype::TEXT, pg_get_constraintdef(k.oid),
           (SELECT string_agg(a.attname::TEXT, ',' ORDER BY u.place)
            FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
           (SELECT t.relname::TEXT FROM pg_class t WHERE t.oid = k.confrelid),
           (SELECT string_agg(a.attname::TEXT, ',' ORDER BY u.place)
            FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number)
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = current_schema()::regnamespace
    ORDER BY c.relname, k.conname";

const INDEXES: &str = "
    SELECT c.relname::TEXT, n.relname::TEXT, i.indisunique::INT::BIGINT,
           (i.indpred IS NOT NULL)::INT::BIGINT,
           (SELECT string_agg(
                       CASE WHEN i.indkey[p - 1] = 0 THEN '(expression)'
                            ELSE pg_get_indexdef(i.indexrelid, p, true) END
                       || CASE WHEN i.indoption[p - 1] & 1 = 1 THEN ' desc' ELSE '' END,
                       ',' ORDER BY p)
            FROM generate_series(1, i.indnkeyatts) AS p)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_class n ON n.oid = i.indexrelid
    WHERE c.relnamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k
                      WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))
    ORDER BY c.relname, n.relname";

pub(super) fn read(tx: &mut ReadTx<'_>) -> Result<Schema> {
    let mut schema = Schema::default();
    for row in tx.query(COLUMNS, &[])? {
        let table = schema.tables.entry(row.text(0)?.to_owned()).or_default();
        let kind = match (row.text(2)?, row.opt_text(4)?) {
            ("bigint", _) => "int".to_owned(),
            ("text", Some("C")) => "text".to_owned(),
            // Sorts otherwise than SQLite does.
            ("text", collation) => format!("text collate {}", collation.unwrap_or("none")),
            ("bytea", _) => "blob".to_owned(),
            (other, _) => other.to_owned(),
        };
        table.columns.insert(
            row.text(1)?.to_owned(),
            Column {
                kind,
                nullable: !row.bool(3)?,
            },
        );
    }
    for row in tx.query(CONSTRAINTS, &[])? {
        constraint(table(&mut schema, row.text(0)?)?, &row)?;
    }
    for row in tx.query(INDEXES, &[])? {
        let index = Index {
            columns: names(&row, 4)?,
            unique: row.bool(2)?,
            partial: row.bool(3)?,
        };
        table(&mut schema, row.text(0)?)?
            .indexes
            .insert(row.text(1)?.to_owned(), index);
    }
    Ok(schema)
}

fn table<'a>(schema: &'a mut Schema, name: &str) -> Result<&'a mut Table> {
    let found = schema.tables.get_mut(name);
    found.ok_or_else(|| Error::Corrupt(format!("a constraint of no table: {name}")))
}

fn constraint(table: &mut Table, row: &Row) -> Result<()> {
    match row.text(1)? {
        "p" => table.primary_key = names(row, 3)?,
        "u" => {
            table.unique_keys.insert(names(row, 3)?);
        }
        "f" => {
            table.foreign_keys.insert(ForeignKey {
                columns: names(row, 3)?,
                table: row.text(4)?.to_owned(),
                targets: names(row, 5)?,
            });
        }
        "c" => table
            .checks
            .extend(check_text::in_create_table(row.text(2)?)),
        other => table.checks.push(format!("a constraint of kind {other}")),
    }
    Ok(())
}

fn names(row: &Row, i: usize) -> Result<Vec<String>> {
    Ok(row
        .opt_text(i)?
        .unwrap_or_default()
        .split(',')
        .map(str::to_owned)
        .collect())
}
