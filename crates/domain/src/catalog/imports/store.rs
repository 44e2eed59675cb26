//! The tables of imports.

use super::{Action, Import, Row as ImportRow, State, Work};
use crate::catalog::Result;
use crate::id::{ImportId, OfferId, ids_between};
use crate::text::TextError;
use scrip_engine::{Error, Param, Read, Row, Store, Timestamp, Tx, params};
use std::collections::HashSet;

fn corrupt(e: TextError) -> Error {
    Error::Corrupt(e.to_string())
}

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, new: &Import) -> Result<()> {
    tx.put(
        "INSERT INTO catalog_import (book_id, import_id, file, format, encoding, state, running,
            lines, new_products, changed_products, unchanged_products, taken_off, on_lists, errors,
            steps, done, created_by, created_at, changed_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, 0, 0, 0, 0, 0, 0, 0, $8, $9, $9, $10)",
        params![
            book,
            &new.import_id,
            &new.file,
            if new.is_own { "own" } else { "shop" },
            &new.encoding,
            new.state.name(),
            new.lines,
            &new.created_by,
            new.created_at.0,
            new.expires_at.0
        ],
    )?;
    Ok(())
}

pub(super) fn set(tx: &mut Tx<'_>, book: i64, import: &Import, running: bool) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE catalog_import SET state = $3, running = $4, new_products = $5,
            changed_products = $6, unchanged_products = $7, taken_off = $8, on_lists = $9,
            errors = $10, steps = $11, done = $12, changed_at = $13, expires_at = $14
         WHERE book_id = $1 AND import_id = $2",
        params![
            book,
            &import.import_id,
            import.state.name(),
            running,
            import.new_products,
            import.changed_products,
            import.unchanged_products,
            import.taken_off,
            import.on_lists,
            import.errors,
            import.steps,
            import.done,
            now.0,
            import.expires_at.0
        ],
    )?;
    Ok(())
}

macro_rules! imports {
    ($where:literal) => {
        concat!(
            "SELECT import_id, file, format, encoding, state, lines, new_products,
                    changed_products, unchanged_products, taken_off, on_lists, errors, steps, done,
                    created_by, created_at, expires_at
             FROM catalog_import WHERE book_id = $1 AND ",
            $where
        )
    };
}

fn import_row(row: &Row) -> Result<Import> {
    Ok(Import {
        import_id: ImportId::from_row(row, 0)?,
        file: row.text(1)?.to_owned(),
        is_own: row.text(2)? == "own",
        encoding: row.text(3)?.to_owned(),
        state: State::parse(row.text(4)?).map_err(corrupt)?,
        lines: row.int(5)?,
        new_products: row.int(6)?,
        changed_products: row.int(7)?,
        unchanged_products: row.int(8)?,
        taken_off: row.int(9)?,
        on_lists: row.int(10)?,
        errors: row.int(11)?,
        steps: row.int(12)?,
        done: row.int(13)?,
        created_by: row.text(14)?.to_owned(),
        created_at: Timestamp(row.int(15)?),
        expires_at: Timestamp(row.int(16)?),
    })
}

pub(super) fn import(tx: &mut dyn Read, book: i64, id: ImportId) -> Result<Option<Import>> {
    let row = tx.query_opt(imports!("import_id = $2"), params![book, &id])?;
    row.as_ref().map(import_row).transpose()
}

pub(super) fn imports(tx: &mut dyn Read, book: i64, at_most: i64) -> Result<Vec<Import>> {
    let rows = tx.query(
        imports!("import_id > $3 ORDER BY import_id DESC LIMIT $2"),
        &[Param::Int(book), Param::Int(at_most), Param::Blob(&[])],
    )?;
    rows.iter().map(import_row).collect()
}

pub(super) fn running(tx: &mut dyn Read, book: i64) -> Result<Option<Import>> {
    let rows = tx.query(imports!("running = 1 LIMIT 1"), params![book])?;
    rows.first().map(import_row).transpose()
}

pub(super) fn insert_row(tx: &mut Tx<'_>, book: i64, id: ImportId, work: &Work) -> Result<()> {
    tx.put(
        "INSERT INTO catalog_import_row (book_id, import_id, row_no, line, action, subject, note,
                                         content, had, has)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '')",
        params![
            book,
            &id,
            work.row_no,
            work.row.line,
            work.row.action.name(),
            &work.row.subject,
            &work.row.note,
            &work.content
        ],
    )?;
    Ok(())
}

fn told(row: &Row) -> Result<ImportRow> {
    Ok(ImportRow {
        line: row.int(0)?,
        action: Action::parse(row.text(1)?).map_err(corrupt)?,
        subject: row.text(2)?.to_owned(),
        note: row.text(3)?.to_owned(),
    })
}

/// What has a note comes first, and of that what is wrong: such rows have the highest numbers.
pub(super) fn rows(
    tx: &mut dyn Read,
    book: i64,
    id: ImportId,
    at_most: i64,
) -> Result<Vec<ImportRow>> {
    let rows = tx.query(
        "SELECT line, action, subject, note FROM catalog_import_row
         WHERE book_id = $1 AND import_id = $2
         ORDER BY CASE WHEN note = '' THEN 0 ELSE 1 END DESC, row_no DESC LIMIT $3",
        params![book, &id, at_most],
    )?;
    rows.iter().map(told).collect()
}

pub(super) fn works(
    tx: &mut dyn Read,
    book: i64,
    id: ImportId,
    first: i64,
    last: i64,
) -> Result<Vec<Work>> {
    let rows = tx.query(
        "SELECT line, action, subject, note, row_no, content, had, has FROM catalog_import_row
         WHERE book_id = $1 AND import_id = $2 AND row_no >= $3 AND row_no <= $4 ORDER BY row_no",
        params![book, &id, first, last],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Work {
                row: told(row)?,
                row_no: row.int(4)?,
                content: row.text(5)?.to_owned(),
                had: row.text(6)?.to_owned(),
                has: row.text(7)?.to_owned(),
            })
        })
        .collect()
}

pub(super) fn set_row(tx: &mut Tx<'_>, book: i64, id: ImportId, work: &Work) -> Result<()> {
    tx.put(
        "UPDATE catalog_import_row SET note = $4, had = $5, has = $6
         WHERE book_id = $1 AND import_id = $2 AND row_no = $3",
        params![book, &id, work.row_no, &work.row.note, &work.had, &work.has],
    )?;
    Ok(())
}

/// Order lists that hold an offer.
pub(super) fn lists_with(tx: &mut dyn Read, book: i64, offer: OfferId) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COUNT(*) FROM order_list WHERE book_id = $1 AND offer_id = $2",
        params![book, &offer],
    )?;
    Ok(row.int(0)?)
}

/// Lines that are looked through for what was sold since; ids of orders rise with time.
const LINES_LOOKED_THROUGH: i64 = 100_000;

/// Offers that were sold since.
pub(super) fn sold_since(
    tx: &mut dyn Read,
    book: i64,
    since: Timestamp,
) -> Result<HashSet<OfferId>> {
    let (first, _) = ids_between(since, Timestamp::NEVER);
    let rows = tx.query(
        "SELECT DISTINCT offer_id FROM (SELECT offer_id FROM order_line
         WHERE book_id = $1 AND order_id >= $2 LIMIT $3) AS sold",
        params![book, &first, LINES_LOOKED_THROUGH],
    )?;
    rows.iter()
        .map(|row| Ok(OfferId::from_row(row, 0)?))
        .collect()
}

/// Rows forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 2_000;

pub(super) fn expire(tx: &mut Tx<'_>, book: i64) -> Result<bool> {
    let now = tx.now();
    let over = tx.query(
        "SELECT import_id, steps, errors FROM catalog_import
         WHERE book_id = $1 AND running = 0 AND expires_at <= $2 ORDER BY import_id LIMIT 1",
        params![book, now.0],
    )?;
    let Some(row) = over.first() else {
        return Ok(false);
    };
    let id = ImportId::from_row(row, 0)?;
    let last = tx.query(
        "SELECT row_no FROM catalog_import_row WHERE book_id = $1 AND import_id = $2
         ORDER BY row_no LIMIT $3",
        params![book, &id, FORGOTTEN_AT_ONCE],
    )?;
    let Some(last) = last.last() else {
        tx.put(
            "DELETE FROM catalog_import WHERE book_id = $1 AND import_id = $2",
            params![book, &id],
        )?;
        return Ok(true);
    };
    tx.put(
        "DELETE FROM catalog_import_row WHERE book_id = $1 AND import_id = $2 AND row_no <= $3",
        params![book, &id, last.int(0)?],
    )?;
    Ok(true)
}
