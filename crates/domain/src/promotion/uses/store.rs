//! What promotions took off: uses, their lines, what went back.

use super::super::{Off, Result};
use super::{Line, Taken, Use};
use crate::id::{CustomerId, OrderId, PromotionId};
use scrip_engine::{Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

pub(in crate::promotion) fn use_put(tx: &mut Tx<'_>, book: i64, new: &Use) -> Result<()> {
    tx.put(
        "INSERT INTO promotion_use (book_id, promotion_id, order_id, customer_id, amount, code_hash,
                                    is_back, effective_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            book,
            &new.promotion_id,
            &new.order_id,
            &new.customer_id,
            new.amount.units(),
            new.code_hash.as_deref(),
            new.is_back,
            new.effective_at.0
        ],
    )?;
    Ok(())
}

pub(in crate::promotion) fn line_put(
    tx: &mut Tx<'_>,
    book: i64,
    order: OrderId,
    line_no: i64,
    off: &Off,
) -> Result<()> {
    tx.put(
        "INSERT INTO promotion_line (book_id, order_id, line_no, promotion_id, name, off_each,
                                     amount)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            book,
            &order,
            line_no,
            &off.promotion_id,
            &off.name,
            off.each.units(),
            off.amount.units()
        ],
    )?;
    Ok(())
}

/// What promotions took off the lines of an order.
pub(in crate::promotion) fn lines(
    tx: &mut dyn Read,
    book: i64,
    order: OrderId,
) -> Result<Vec<Line>> {
    let rows = tx.query(
        "SELECT line_no, promotion_id, name, off_each, amount FROM promotion_line
         WHERE book_id = $1 AND order_id = $2 ORDER BY line_no, promotion_id",
        params![book, &order],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Line {
                line_no: row.int(0)?,
                promotion_id: PromotionId::from_row(row, 1)?,
                name: row.text(2)?.to_owned(),
                each: Amount::from_units(row.int(3)?),
                amount: Amount::from_units(row.int(4)?),
            })
        })
        .collect()
}

macro_rules! use_columns {
    () => {
        "SELECT promotion_id, order_id, customer_id, amount, code_hash, is_back, effective_at
         FROM promotion_use WHERE book_id = $1 "
    };
}

fn use_row(row: &Row) -> Result<Use> {
    Ok(Use {
        promotion_id: PromotionId::from_row(row, 0)?,
        order_id: OrderId::from_row(row, 1)?,
        customer_id: CustomerId::from_row(row, 2)?,
        amount: Amount::from_units(row.int(3)?),
        code_hash: row.opt_blob(4)?.map(<[u8]>::to_vec),
        is_back: row.bool(5)?,
        effective_at: Timestamp(row.int(6)?),
    })
}

/// Uses that count in a span of time, the end left out.
pub(in crate::promotion) fn uses_between(
    tx: &mut dyn Read,
    book: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Use>> {
    let rows = tx.query(
        concat!(
            use_columns!(),
            "AND effective_at >= $2 AND effective_at < $3"
        ),
        params![book, from.0, to.0],
    )?;
    rows.iter().map(use_row).collect()
}

/// The use of a promotion for an order.
pub(in crate::promotion) fn use_of(
    tx: &mut dyn Read,
    book: i64,
    id: PromotionId,
    order: OrderId,
) -> Result<Option<Use>> {
    let row = tx.query_opt(
        concat!(use_columns!(), "AND promotion_id = $2 AND order_id = $3"),
        params![book, &id, &order],
    )?;
    row.map(|row| use_row(&row)).transpose()
}

pub(in crate::promotion) fn use_back(
    tx: &mut Tx<'_>,
    book: i64,
    id: PromotionId,
    order: OrderId,
) -> Result<()> {
    tx.put(
        "UPDATE promotion_use SET is_back = 1
         WHERE book_id = $1 AND promotion_id = $2 AND order_id = $3",
        params![book, &id, &order],
    )?;
    Ok(())
}

pub(in crate::promotion) fn uses_move(
    tx: &mut Tx<'_>,
    book: i64,
    from: CustomerId,
    into: CustomerId,
) -> Result<()> {
    tx.put(
        "UPDATE promotion_use SET customer_id = $3 WHERE book_id = $1 AND customer_id = $2",
        params![book, &from, &into],
    )?;
    Ok(())
}

pub(in crate::promotion) fn back_put(
    tx: &mut Tx<'_>,
    book: i64,
    (order, refund_no): (OrderId, i64),
    (id, amount): (PromotionId, Amount),
    effective_at: Timestamp,
) -> Result<()> {
    tx.put(
        "INSERT INTO promotion_back (book_id, order_id, refund_no, promotion_id, amount,
                                     effective_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![book, &order, refund_no, &id, amount.units(), effective_at.0],
    )?;
    Ok(())
}

/// What went back with refunds in a span of time, the end left out.
pub(in crate::promotion) fn backs_between(
    tx: &mut dyn Read,
    book: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Taken>> {
    let rows = tx.query(
        "SELECT promotion_id, order_id, amount FROM promotion_back
         WHERE book_id = $1 AND effective_at >= $2 AND effective_at < $3",
        params![book, from.0, to.0],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Taken {
                promotion_id: PromotionId::from_row(row, 0)?,
                order_id: OrderId::from_row(row, 1)?,
                amount: Amount::from_units(row.int(2)?),
            })
        })
        .collect()
}

/// All lines with what they were made of: (order, promotion, each, amount, pieces, line amount);
/// no pieces where the line is missing.
pub(in crate::promotion) type Made = (OrderId, PromotionId, i64, i64, Option<i64>);

pub(in crate::promotion) fn all_lines(tx: &mut dyn Read, book: i64) -> Result<Vec<Made>> {
    let rows = tx.query(
        "SELECT p.order_id, p.promotion_id, p.off_each, p.amount, l.quantity
         FROM promotion_line p
         LEFT JOIN order_line l ON l.book_id = p.book_id AND l.order_id = p.order_id
            AND l.line_no = p.line_no
         WHERE p.book_id = $1",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            Ok((
                OrderId::from_row(row, 0)?,
                PromotionId::from_row(row, 1)?,
                row.int(2)?,
                row.int(3)?,
                row.opt_int(4)?,
            ))
        })
        .collect()
}

/// Uses whose order was not completed.
pub(in crate::promotion) fn uses_of_nothing(tx: &mut dyn Read, book: i64) -> Result<Vec<OrderId>> {
    let rows = tx.query(
        "SELECT u.order_id FROM promotion_use u
         LEFT JOIN orders o ON o.book_id = u.book_id AND o.order_id = u.order_id
            AND o.state = 'completed'
         WHERE u.book_id = $1 AND o.order_id IS NULL",
        params![book],
    )?;
    rows.iter()
        .map(|row| Ok(OrderId::from_row(row, 0)?))
        .collect()
}
