//! The tables of orders and refunds.

use super::list::Listed;
use super::refund::{Refund, Sold};
use super::{OrderError, Purchase, Quote, Result};
use crate::actor::Actor;
use crate::id::{CustomerId, OfferId, OrderId};
use scrip_engine::{Param, Query, Read, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn list_set(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    offer: OfferId,
    quantity: i64,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO order_list (book_id, customer_id, offer_id, quantity, added_at, selected)
         VALUES ($1, $2, $3, $4, $5, 1)
         ON CONFLICT (book_id, customer_id, offer_id)
            DO UPDATE SET quantity = excluded.quantity, selected = 1",
        params![book, &customer, &offer, quantity, now.0],
    )?;
    Ok(())
}

/// False when the offer is not on the list.
pub(super) fn list_select(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    offer: OfferId,
    selected: bool,
) -> Result<bool> {
    let touched = tx.execute(
        "UPDATE order_list SET selected = $4
         WHERE book_id = $1 AND customer_id = $2 AND offer_id = $3",
        params![book, &customer, &offer, selected],
    )?;
    Ok(touched > 0)
}

/// Lines on a list, without that of an offer.
pub(super) fn list_others(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
    offer: OfferId,
) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COUNT(*) FROM order_list
         WHERE book_id = $1 AND customer_id = $2 AND offer_id <> $3",
        params![book, &customer, &offer],
    )?;
    Ok(row.int(0)?)
}

pub(super) fn list_remove(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    offer: OfferId,
) -> Result<()> {
    tx.put(
        "DELETE FROM order_list WHERE book_id = $1 AND customer_id = $2 AND offer_id = $3",
        params![book, &customer, &offer],
    )?;
    Ok(())
}

pub(super) fn list(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<Vec<Listed>> {
    let rows = tx.query(
        "SELECT offer_id, quantity, selected FROM order_list
         WHERE book_id = $1 AND customer_id = $2 ORDER BY added_at, offer_id",
        params![book, &customer],
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

const ORDER: &str = "order";
const RETURN: &str = "return";

fn reference_taken(tx: &mut dyn Read, book: i64, kind: &str, reference: &str) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT target FROM reference WHERE book_id = $1 AND kind = $2 AND reference = $3",
        params![book, kind, reference],
    )?;
    Ok(row.is_some())
}

fn reference_insert(
    tx: &mut Tx<'_>,
    book: i64,
    kind: &str,
    reference: &str,
    order: OrderId,
) -> Result<()> {
    tx.put(
        "INSERT INTO reference (book_id, kind, reference, target) VALUES ($1, $2, $3, $4)",
        params![book, kind, reference, &order],
    )?;
    Ok(())
}

/// True when a completed order bears this reference.
pub fn order_reference_taken(tx: &mut dyn Read, book: i64, reference: &str) -> Result<bool> {
    reference_taken(tx, book, ORDER, reference)
}

/// True when a return of goods bears this reference.
pub fn return_reference_taken(tx: &mut dyn Read, book: i64, reference: &str) -> Result<bool> {
    reference_taken(tx, book, RETURN, reference)
}

pub(super) fn insert_reference(
    tx: &mut Tx<'_>,
    book: i64,
    reference: &str,
    order: OrderId,
) -> Result<()> {
    reference_insert(tx, book, ORDER, reference, order)
}

pub(super) fn insert_return_reference(
    tx: &mut Tx<'_>,
    book: i64,
    reference: &str,
    noted: OrderId,
) -> Result<()> {
    reference_insert(tx, book, RETURN, reference, noted)
}

/// Stores an order with its lines; refused ones with their reason.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: &Quote,
    reason: Option<&'static str>,
    entry_id: Option<i64>,
) -> Result<()> {
    let book = purchase.book_id;
    let now = tx.now();
    let lines = i64::try_from(quote.lines.len()).map_err(|_| OrderError::Empty)?;
    let state = if reason.is_some() {
        "refused"
    } else {
        "completed"
    };
    tx.put(
        "INSERT INTO orders (book_id, order_id, customer_id, state, reason, total, lines, entry_id,
                             actor, reference, effective_at, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            book,
            &purchase.order_id,
            &purchase.request.customer_id,
            state,
            reason,
            quote.required.units(),
            lines,
            entry_id,
            &purchase.actor.to_string(),
            &purchase.reference,
            purchase.effective_at.0,
            now.0
        ],
    )?;
    let supply = &purchase.request.extras.supply;
    for (line, no) in quote.lines.iter().zip(1_i64..) {
        let tax = line.tax.as_ref();
        tx.put(
            "INSERT INTO order_line (book_id, order_id, line_no, offer_id, sku, title, kind,
                                     quantity, granted, unit_price, amount, supply,
                                     tax_name, tax_rate, tax)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            params![
                book,
                &purchase.order_id,
                no,
                &line.offer_id,
                &line.sku,
                &line.title,
                line.kind.name(),
                line.quantity,
                line.granted,
                line.unit_price.units(),
                line.amount.units(),
                supply
                    .get(&line.offer_id)
                    .map_or("", |supply| supply.name()),
                tax.map_or("", |tax| tax.name.as_str()),
                tax.map_or(0, |tax| tax.rate),
                tax.map_or(0, |tax| tax.amount.units())
            ],
        )?;
    }
    Ok(())
}

/// A completed order.
pub(super) struct Completed {
    pub customer_id: CustomerId,
    pub entry_id: Option<i64>,
    pub recorded_at: Timestamp,
}

pub(super) fn completed(tx: &mut dyn Read, book: i64, id: OrderId) -> Result<Option<Completed>> {
    let row = tx.query_opt(
        "SELECT customer_id, entry_id, recorded_at FROM orders
         WHERE book_id = $1 AND order_id = $2 AND state = 'completed'",
        params![book, &id],
    )?;
    row.map(|row| {
        Ok(Completed {
            customer_id: CustomerId::from_row(&row, 0)?,
            entry_id: row.opt_int(1)?,
            recorded_at: Timestamp(row.int(2)?),
        })
    })
    .transpose()
}

/// True for the account of another member's customer.
pub(super) fn is_visiting(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT home_book FROM visitor WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    Ok(row.is_some())
}

/// True for an order that open tokens paid.
pub(super) fn paid_open(tx: &mut dyn Read, book: i64, order: OrderId) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT order_id FROM open_order WHERE book_id = $1 AND order_id = $2",
        params![book, &order],
    )?;
    Ok(row.is_some())
}

/// The lines of an order; `left` is filled in by the caller.
pub(super) fn sold(tx: &mut dyn Read, book: i64, order: OrderId) -> Result<Vec<Sold>> {
    let rows = tx.query(
        "SELECT line_no, offer_id, sku, quantity, granted, unit_price, amount, tax_rate
         FROM order_line
         WHERE book_id = $1 AND order_id = $2 ORDER BY line_no",
        params![book, &order],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Sold {
                order_id: order,
                line_no: row.int(0)?,
                offer_id: OfferId::from_row(row, 1)?,
                sku: row.text(2)?.to_owned(),
                quantity: row.int(3)?,
                granted: row.int(4)?,
                unit_price: Amount::from_units(row.int(5)?),
                amount: Amount::from_units(row.int(6)?),
                left: 0,
                tax_rate: row.int(7)?,
            })
        })
        .collect()
}

/// line -> pieces refunded.
pub(super) fn refunded_pieces(
    tx: &mut dyn Read,
    book: i64,
    order: OrderId,
) -> Result<BTreeMap<i64, i64>> {
    let rows = tx.query(
        "SELECT line_no, quantity FROM refund_line WHERE book_id = $1 AND order_id = $2",
        params![book, &order],
    )?;
    let mut pieces: BTreeMap<i64, i64> = BTreeMap::new();
    for row in &rows {
        let sum = pieces.entry(row.int(0)?).or_default();
        *sum = sum.saturating_add(row.int(1)?);
    }
    Ok(pieces)
}

/// The amounts of an order's refunds.
pub(super) fn refunds(tx: &mut dyn Read, book: i64, order: OrderId) -> Result<Vec<Amount>> {
    let rows = tx.query(
        "SELECT amount FROM refund WHERE book_id = $1 AND order_id = $2 ORDER BY refund_no",
        params![book, &order],
    )?;
    rows.iter()
        .map(|row| Ok(Amount::from_units(row.int(0)?)))
        .collect()
}

/// Those of the offers whose pieces are counted.
pub(super) fn stocked(
    tx: &mut dyn Read,
    book: i64,
    pieces: &[(OfferId, i64)],
) -> Result<Vec<(OfferId, i64)>> {
    let ids: Vec<OfferId> = pieces.iter().map(|p| p.0).collect();
    let offers = crate::catalog::offers_by_id(tx, book, &ids)?;
    Ok(pieces
        .iter()
        .zip(&offers)
        .filter(|(_, o)| o.stocked)
        .map(|(p, _)| *p)
        .collect())
}

/// A refund to be stored.
pub(super) struct NewRefund<'a> {
    pub order_id: OrderId,
    pub refund_no: i64,
    pub entry_id: i64,
    pub actor: Actor,
    pub reference: &'a str,
    pub effective_at: Timestamp,
}

pub(super) fn insert_refund(
    tx: &mut Tx<'_>,
    book: i64,
    new: &NewRefund<'_>,
    refund: &Refund,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO refund (book_id, order_id, refund_no, entry_id, amount, actor, reference,
                             effective_at, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            book,
            &new.order_id,
            new.refund_no,
            new.entry_id,
            refund.amount.units(),
            &new.actor.to_string(),
            new.reference,
            new.effective_at.0,
            now.0
        ],
    )?;
    for (sold, pieces, amount) in &refund.lines {
        tx.put(
            "INSERT INTO refund_line (book_id, order_id, refund_no, line_no, quantity, amount, tax)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            params![
                book,
                &new.order_id,
                new.refund_no,
                sold.line_no,
                *pieces,
                amount.units(),
                sold.tax_back(*amount)?.units()
            ],
        )?;
    }
    Ok(())
}

/// The categories of the offers' products.
pub(super) fn categories_of(
    tx: &mut dyn Read,
    book: i64,
    offers: impl Iterator<Item = OfferId>,
) -> Result<BTreeMap<OfferId, String>> {
    let offers: BTreeSet<OfferId> = offers.collect();
    let params: Vec<[Param<'_>; 2]> = offers
        .iter()
        .map(|offer| [Param::Int(book), Param::from(offer)])
        .collect();
    let mut categories = BTreeMap::new();
    for some in params.chunks(500) {
        let queries: Vec<Query<'_>> = some.iter().map(|p| (CATEGORY, &p[..])).collect();
        for row in tx.query_all(&queries)?.iter().flatten() {
            categories.insert(OfferId::from_row(row, 0)?, row.text(1)?.to_owned());
        }
    }
    Ok(categories)
}

const CATEGORY: &str = "SELECT o.offer_id, p.category FROM offer o
    JOIN product p ON p.book_id = o.book_id AND p.product_id = o.product_id
    WHERE o.book_id = $1 AND o.offer_id = $2";
