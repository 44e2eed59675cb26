//! Reading orders.

use super::{OrderDetailLine, OrderState, OrderSummary};
use crate::catalog::OfferKind;
use crate::id::{CustomerId, OfferId, OrderId};
use crate::order::Supply;
use crate::tax::LineTax;
use scrip_engine::{Error, Read, Result, Row, Timestamp, params};
use scrip_ledger::Amount;
use uuid::Uuid;

fn summary(row: &Row) -> Result<OrderSummary> {
    let order_id = OrderId::from_row(row, 0)?;
    let state = match row.text(2)? {
        "completed" => OrderState::Completed,
        "refused" => OrderState::Refused,
        other => return Err(Error::Corrupt(format!("state {other:?} of {order_id}"))),
    };
    Ok(OrderSummary {
        order_id,
        customer_id: CustomerId::from_row(row, 1)?,
        state,
        reason: row.opt_text(3)?.map(str::to_owned),
        total: Amount::from_units(row.int(4)?),
        lines: row.int(5)?,
        actor: row.text(6)?.to_owned(),
        reference: row.text(7)?.to_owned(),
        effective_at: Timestamp(row.int(8)?),
        recorded_at: Timestamp(row.int(9)?),
        card: None,
    })
}

/// An order, and its entry where it has one.
pub(super) fn by_id(
    tx: &mut dyn Read,
    book: i64,
    order: OrderId,
) -> Result<Option<(OrderSummary, Option<i64>)>> {
    let row = tx.query_opt(
        "SELECT order_id, customer_id, state, reason, total, lines, actor, reference,
                effective_at, recorded_at, entry_id
         FROM orders WHERE book_id = $1 AND order_id = $2",
        params![book, &order],
    )?;
    row.map(|row| Ok((summary(&row)?, row.opt_int(10)?)))
        .transpose()
}

const NEWEST: &str = "SELECT order_id, customer_id, state, reason, total, lines, actor, reference,
        effective_at, recorded_at
    FROM orders WHERE book_id = $1 ORDER BY order_id DESC LIMIT $2";
const OLDER: &str = "SELECT order_id, customer_id, state, reason, total, lines, actor, reference,
        effective_at, recorded_at
    FROM orders WHERE book_id = $1 AND order_id < $3 ORDER BY order_id DESC LIMIT $2";

pub(super) fn before(
    tx: &mut dyn Read,
    book: i64,
    before: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderSummary>> {
    let rows = match &before {
        Some(before) => tx.query(OLDER, params![book, limit, before])?,
        None => tx.query(NEWEST, params![book, limit])?,
    };
    rows.iter().map(summary).collect()
}

/// The ids find them, their times decide.
pub(super) fn between(
    tx: &mut dyn Read,
    book: i64,
    ids: (Uuid, Uuid),
    times: (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<OrderSummary>> {
    let rows = tx.query(
        "SELECT order_id, customer_id, state, reason, total, lines, actor, reference,
                effective_at, recorded_at
         FROM orders
         WHERE book_id = $1 AND order_id >= $2 AND order_id < $3
           AND recorded_at >= $4 AND recorded_at < $5
         ORDER BY order_id DESC LIMIT $6",
        params![book, &ids.0, &ids.1, times.0.0, times.1.0, limit],
    )?;
    rows.iter().map(summary).collect()
}

pub(super) fn lines(
    tx: &mut dyn Read,
    book: i64,
    order: OrderId,
) -> super::Result<Vec<OrderDetailLine>> {
    let rows = tx.query(
        "SELECT line_no, offer_id, sku, title, kind, quantity, granted, unit_price, amount,
                supply, tax_name, tax_rate, tax
         FROM order_line WHERE book_id = $1 AND order_id = $2 ORDER BY line_no",
        params![book, &order],
    )?;
    rows.iter()
        .map(|row| {
            let offer_id = OfferId::from_row(row, 1)?;
            Ok(OrderDetailLine {
                line_no: row.int(0)?,
                offer_id,
                sku: row.text(2)?.to_owned(),
                title: row.text(3)?.to_owned(),
                kind: OfferKind::of_row(row.text(4)?, offer_id)?,
                quantity: row.int(5)?,
                granted: row.int(6)?,
                unit_price: Amount::from_units(row.int(7)?),
                amount: Amount::from_units(row.int(8)?),
                supply: match row.text(9)? {
                    "" => None,
                    word => Some(
                        Supply::parse(word)
                            .map_err(|e| Error::Corrupt(format!("line of {order}: {e}")))?,
                    ),
                },
                refunded_quantity: 0,
                refunded: Amount::ZERO,
                refunded_tax: Amount::ZERO,
                off: Vec::new(),
                tax: tax(row, 10)?,
            })
        })
        .collect()
}

/// The tax of a line, in three columns.
fn tax(row: &Row, first: usize) -> Result<Option<LineTax>> {
    let name = row.text(first)?;
    if name.is_empty() {
        return Ok(None);
    }
    Ok(Some(LineTax {
        name: name.to_owned(),
        rate: row.int(first.saturating_add(1))?,
        amount: Amount::from_units(row.int(first.saturating_add(2))?),
    }))
}

/// What came back of a line.
pub(super) struct LineBack {
    pub line_no: i64,
    pub pieces: i64,
    pub amount: Amount,
    pub tax: Amount,
}

/// What came back by every refund of an order.
pub(super) fn refunded_lines(
    tx: &mut dyn Read,
    book: i64,
    order: OrderId,
) -> Result<Vec<LineBack>> {
    let rows = tx.query(
        "SELECT line_no, quantity, amount, tax FROM refund_line
         WHERE book_id = $1 AND order_id = $2 ORDER BY refund_no, line_no",
        params![book, &order],
    )?;
    rows.iter()
        .map(|row| {
            Ok(LineBack {
                line_no: row.int(0)?,
                pieces: row.int(1)?,
                amount: Amount::from_units(row.int(2)?),
                tax: Amount::from_units(row.int(3)?),
            })
        })
        .collect()
}

/// The completed order that bears a reference.
pub fn order_with_reference(
    tx: &mut dyn Read,
    book: i64,
    reference: &str,
) -> Result<Option<OrderId>> {
    let row = tx.query_opt(
        "SELECT target FROM reference WHERE book_id = $1 AND kind = 'order' AND reference = $2",
        params![book, reference],
    )?;
    row.map(|row| OrderId::from_row(&row, 0)).transpose()
}
