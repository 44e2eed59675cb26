//! The schema of an SQLite database, from its catalogue and pragmas.

use super::{Column, ForeignKey, Index, Schema, Table, check_text};
use crate::error::Result;
use crate::params;
use crate::tx::{Read, ReadTx};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn read(tx: &mut ReadTx<'_>) -> Result<Schema> {
    let mut schema = Schema::default();
    let tables = tx.query(
        "SELECT name, sql FROM sqlite_master
         WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        &[],
    )?;
    for row in &tables {
        let name = row.text(0)?;
        let mut table = Table {
            checks: check_text::in_create_table(row.text(1)?),
            ..Table::default()
        };
        columns(tx, name, &mut table)?;
        keys_and_indexes(tx, name, &mut table)?;
        table.foreign_keys = foreign_keys(tx, name)?;
        schema.tables.insert(name.to_owned(), table);
    }
    Ok(schema)
}

fn columns(tx: &mut ReadTx<'_>, name: &str, table: &mut Table) -> Result<()> {
    let mut key = BTreeMap::new();
    for row in tx.query(
        "SELECT name, lower(type), \"notnull\", pk FROM pragma_table_info($1)",
        params![name],
    )? {
        let (column, place) = (row.text(0)?.to_owned(), row.int(3)?);
        let kind = match row.text(1)? {
            "integer" => "int",
            other => other,
        };
        let nullable = !row.bool(2)? && place == 0;
        table.columns.insert(
            column.clone(),
            Column {
                kind: kind.to_owned(),
                nullable,
            },
        );
        if place > 0 {
            key.insert(place, column);
        }
    }
    table.primary_key = key.into_values().collect();
    Ok(())
}

fn keys_and_indexes(tx: &mut ReadTx<'_>, name: &str, table: &mut Table) -> Result<()> {
    for row in tx.query(
        "SELECT name, \"unique\", origin, partial FROM pragma_index_list($1)",
        params![name],
    )? {
        let index = row.text(0)?;
        let mut columns = Vec::new();
        for part in tx.query(
            "SELECT name, \"desc\" FROM pragma_index_xinfo($1) WHERE key = 1 ORDER BY seqno",
            params![index],
        )? {
            // Without a name it is an expression.
            let column = part.opt_text(0)?.unwrap_or("(expression)");
            columns.push(if part.bool(1)? {
                format!("{column} desc")
            } else {
                column.to_owned()
            });
        }
        match row.text(2)? {
            "pk" => {}
            "u" => {
                table.unique_keys.insert(columns);
            }
            _ => {
                let index = index.to_owned();
                let (unique, partial) = (row.bool(1)?, row.bool(3)?);
                table.indexes.insert(
                    index,
                    Index {
                        columns,
                        unique,
                        partial,
                    },
                );
            }
        }
    }
    Ok(())
}

fn foreign_keys(tx: &mut ReadTx<'_>, name: &str) -> Result<BTreeSet<ForeignKey>> {
    let mut keys: BTreeMap<i64, ForeignKey> = BTreeMap::new();
    for row in tx.query(
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list($1) ORDER BY id, seq",
        params![name],
    )? {
        let key = keys.entry(row.int(0)?).or_insert_with(|| ForeignKey {
            columns: Vec::new(),
            table: String::new(),
            targets: Vec::new(),
        });
        key.table = row.text(1)?.to_owned();
        key.columns.push(row.text(2)?.to_owned());
        key.targets
            .push(row.opt_text(3)?.unwrap_or("(primary key)").to_owned());
    }
    Ok(keys.into_values().collect())
}
