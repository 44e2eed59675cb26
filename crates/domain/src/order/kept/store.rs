//! The tables of kept lists. A list without a name is the one that is set aside.

use super::KeptList;
use crate::id::{CustomerId, KeptListId, OfferId};
use crate::order::Result;
use crate::order::list::Listed;
use scrip_engine::{Read, Store, Timestamp, Tx, params};

pub(super) fn insert(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    id: KeptListId,
    name: Option<&str>,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO kept_list (book_id, customer_id, list_id, name, kept_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![book, &customer, &id, name, now.0],
    )?;
    Ok(())
}

/// A line that is there already gets the new quantity.
pub(super) fn insert_lines(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    id: KeptListId,
    lines: &[Listed],
) -> Result<()> {
    for (line, place) in lines.iter().zip(1_i64..) {
        tx.put(
            "INSERT INTO kept_list_line (book_id, customer_id, list_id, offer_id, place, quantity,
                                         selected)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (book_id, customer_id, list_id, offer_id)
                DO UPDATE SET quantity = excluded.quantity, selected = excluded.selected",
            params![
                book,
                &customer,
                &id,
                &line.offer_id,
                place,
                line.quantity,
                line.selected
            ],
        )?;
    }
    Ok(())
}

pub(super) fn named(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<Vec<KeptList>> {
    let rows = tx.query(
        "SELECT k.list_id, k.name, k.kept_at,
                (SELECT COUNT(*) FROM kept_list_line l WHERE l.book_id = k.book_id
                 AND l.customer_id = k.customer_id AND l.list_id = k.list_id)
         FROM kept_list k
         WHERE k.book_id = $1 AND k.customer_id = $2 AND k.name IS NOT NULL",
        params![book, &customer],
    )?;
    let mut lists = Vec::with_capacity(rows.len());
    for row in &rows {
        lists.push(KeptList {
            list_id: KeptListId::from_row(row, 0)?,
            name: row.text(1)?.to_owned(),
            kept_at: Timestamp(row.int(2)?),
            lines: row.int(3)?,
        });
    }
    lists.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(lists)
}

pub(super) fn aside(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Option<KeptListId>> {
    let row = tx.query_opt(
        "SELECT list_id FROM kept_list
         WHERE book_id = $1 AND customer_id = $2 AND name IS NULL",
        params![book, &customer],
    )?;
    Ok(row.map(|row| KeptListId::from_row(&row, 0)).transpose()?)
}

pub(super) fn lines(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
    id: KeptListId,
) -> Result<Vec<Listed>> {
    let rows = tx.query(
        "SELECT offer_id, quantity, selected FROM kept_list_line
         WHERE book_id = $1 AND customer_id = $2 AND list_id = $3 ORDER BY place, offer_id",
        params![book, &customer, &id],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                offer_id: OfferId::from_row(row, 0)?,
                quantity: row.int(1)?,
                selected: row.bool(2)?,
            })
        })
        .collect()
}

pub(super) fn forget(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    id: KeptListId,
) -> Result<()> {
    tx.put(
        "DELETE FROM kept_list_line WHERE book_id = $1 AND customer_id = $2 AND list_id = $3",
        params![book, &customer, &id],
    )?;
    tx.put(
        "DELETE FROM kept_list WHERE book_id = $1 AND customer_id = $2 AND list_id = $3",
        params![book, &customer, &id],
    )?;
    Ok(())
}

/// All lists of a customer; their names were typed by a person.
pub(super) fn forget_all(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
) -> std::result::Result<(), scrip_engine::Error> {
    tx.put(
        "DELETE FROM kept_list_line WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    tx.put(
        "DELETE FROM kept_list WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}

/// Puts lines on the order list, in their order.
pub(super) fn put_back(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    lines: &[Listed],
) -> Result<()> {
    let now = tx.now();
    for (line, place) in lines.iter().zip(0_i64..) {
        tx.put(
            "INSERT INTO order_list (book_id, customer_id, offer_id, quantity, added_at, selected)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (book_id, customer_id, offer_id)
                DO UPDATE SET quantity = excluded.quantity, selected = excluded.selected",
            params![
                book,
                &customer,
                &line.offer_id,
                line.quantity,
                now.0.saturating_add(place),
                line.selected
            ],
        )?;
    }
    Ok(())
}
