//! What the reports read.

use super::Movement;
use super::selling::Article;
use super::taxes::Line;
use crate::id::{OfferId, ids_between};
use crate::tax::share;
use scrip_engine::{Param, Query, Read, ReadTx, Result, Row, Timestamp, params};
use scrip_ledger::Amount;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

pub(super) fn customer_references(tx: &mut ReadTx<'_>, book: i64) -> Result<HashMap<Uuid, String>> {
    let rows = tx.query(
        "SELECT target, reference FROM reference WHERE book_id = $1 AND kind = 'customer'",
        params![book],
    )?;
    rows.iter()
        .map(|row| Ok((row.uuid(0)?, row.text(1)?.to_owned())))
        .collect()
}

fn movement(row: &Row, refund: bool) -> Result<Movement> {
    Ok(Movement {
        customer: row.uuid(0)?,
        at: Timestamp(row.int(1)?),
        amount: Amount::from_units(row.int(2)?),
        money: Amount::from_units(row.int(3)?),
        refund,
    })
}

/// Orders and refunds that count in a span of time. Nothing counts from a time to come, so what
/// was written before the span does not.
pub(super) fn movements(
    tx: &mut ReadTx<'_>,
    book: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Movement>> {
    let mut movements = Vec::new();
    let (low, _) = ids_between(from, to);
    tx.query_each(
        "SELECT o.customer_id, o.effective_at,
                CASE WHEN COALESCE(c.price, p.price) IS NULL THEN o.total ELSE 0 END, COALESCE(c.price, p.price, 0)
         FROM orders o
         LEFT JOIN card_order c ON c.book_id = o.book_id AND c.order_id = o.order_id
         LEFT JOIN open_order p ON p.book_id = o.book_id AND p.order_id = o.order_id
         WHERE o.book_id = $1 AND o.order_id >= $2 AND o.effective_at >= $3
           AND o.effective_at < $4 AND o.state = 'completed'",
        params![book, &low, from.0, to.0],
        &mut |row| {
            movements.push(movement(&row, false)?);
            Ok(())
        },
    )?;
    tx.query_each(
        "SELECT o.customer_id, r.effective_at,
                CASE WHEN COALESCE(c.price, p.price) IS NULL THEN r.amount ELSE 0 END, COALESCE(c.price, p.price, 0)
         FROM refund r
         JOIN orders o ON o.book_id = r.book_id AND o.order_id = r.order_id
         LEFT JOIN card_order c ON c.book_id = r.book_id AND c.order_id = r.order_id
         LEFT JOIN open_order p ON p.book_id = r.book_id AND p.order_id = r.order_id
         WHERE r.book_id = $1 AND r.recorded_at >= $2 AND r.effective_at >= $2
           AND r.effective_at < $3",
        params![book, from.0, to.0],
        &mut |row| {
            movements.push(movement(&row, true)?);
            Ok(())
        },
    )?;
    Ok(movements)
}

/// What some offers sell. Those that do not exist any more are left out.
pub(super) fn articles(
    tx: &mut dyn Read,
    book: i64,
    offers: impl Iterator<Item = OfferId>,
) -> Result<HashMap<OfferId, Article>> {
    let offers: BTreeSet<OfferId> = offers.collect();
    let params: Vec<[Param<'_>; 2]> = offers
        .iter()
        .map(|offer| [Param::Int(book), Param::from(offer)])
        .collect();
    let mut found = HashMap::with_capacity(params.len());
    for some in params.chunks(500) {
        let queries: Vec<Query<'_>> = some.iter().map(|p| (ARTICLE, &p[..])).collect();
        for row in tx.query_all(&queries)?.iter().flatten() {
            let article = Article {
                sku: row.text(1)?.to_owned(),
                variant: row.text(2)?.to_owned(),
                kind: row.text(3)?.to_owned(),
                title: row.text(4)?.to_owned(),
                category: row.text(5)?.to_owned(),
            };
            found.insert(OfferId(row.uuid(0)?), article);
        }
    }
    Ok(found)
}

const ARTICLE: &str = "SELECT o.offer_id, o.sku, o.variant, o.kind, p.title, p.category
    FROM offer o JOIN product p ON p.book_id = o.book_id AND p.product_id = o.product_id
    WHERE o.book_id = $1 AND o.offer_id = $2";

/// Takes when, tokens and money of a card.
type Written<'a> = &'a mut dyn FnMut(Timestamp, Amount, Amount) -> Result<()>;

fn written(row: &Row, each: Written<'_>) -> Result<()> {
    let amount = |i| Ok::<_, scrip_engine::Error>(Amount::from_units(row.int(i)?));
    each(Timestamp(row.int(0)?), amount(1)?, amount(2)?)
}

/// (when, tokens, money of a card) of the completed orders written in a span of time: their ids find
/// them, their times decide.
pub(super) fn orders_written(
    tx: &mut ReadTx<'_>,
    book: i64,
    from: Timestamp,
    to: Timestamp,
    each: Written<'_>,
) -> Result<()> {
    let (low, high) = ids_between(from, to);
    tx.query_each(
        "SELECT o.recorded_at, CASE WHEN COALESCE(c.price, p.price) IS NULL THEN o.total ELSE 0 END,
                COALESCE(c.price, p.price, 0)
         FROM orders o
         LEFT JOIN card_order c ON c.book_id = o.book_id AND c.order_id = o.order_id
         LEFT JOIN open_order p ON p.book_id = o.book_id AND p.order_id = o.order_id
         WHERE o.book_id = $1 AND o.order_id >= $2 AND o.order_id < $3
           AND o.recorded_at >= $4 AND o.recorded_at < $5 AND o.state = 'completed'",
        params![book, &low, &high, from.0, to.0],
        &mut |row| written(&row, each),
    )
}

/// (when, tokens, money of a card) of the refunds written in a span of time.
pub(super) fn refunds_written(
    tx: &mut ReadTx<'_>,
    book: i64,
    from: Timestamp,
    to: Timestamp,
    each: Written<'_>,
) -> Result<()> {
    tx.query_each(
        "SELECT r.recorded_at, CASE WHEN COALESCE(c.price, p.price) IS NULL THEN r.amount ELSE 0 END,
                COALESCE(c.price, p.price, 0)
         FROM refund r
         LEFT JOIN card_order c ON c.book_id = r.book_id AND c.order_id = r.order_id
         LEFT JOIN open_order p ON p.book_id = r.book_id AND p.order_id = r.order_id
         WHERE r.book_id = $1 AND r.recorded_at >= $2 AND r.recorded_at < $3",
        params![book, from.0, to.0],
        &mut |row| written(&row, each),
    )
}

/// (tokens, money) of the token orders that were paid in a span of time.
pub(super) fn tokens_paid(
    tx: &mut ReadTx<'_>,
    book: i64,
    from: Timestamp,
    to: Timestamp,
    each: &mut dyn FnMut(Amount, Amount) -> Result<()>,
) -> Result<()> {
    tx.query_each(
        "SELECT quantity, price FROM token_order
         WHERE book_id = $1 AND closed_at >= $2 AND closed_at < $3 AND state = 'cleared'
           AND credit_point = 'receipt'",
        params![book, from.0, to.0],
        &mut |row| {
            each(
                Amount::from_units(row.int(0)?),
                Amount::from_units(row.int(1)?),
            )
        },
    )
}

/// How many customers came in a span of time, and how many accounts became active.
pub(super) fn customers(
    tx: &mut ReadTx<'_>,
    book: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<(i64, i64)> {
    let (low, high) = ids_between(from, to);
    let came = tx.query_one(
        "SELECT COUNT(*) FROM customer
         WHERE book_id = $1 AND customer_id >= $2 AND customer_id < $3
           AND created_at >= $4 AND created_at < $5",
        params![book, &low, &high, from.0, to.0],
    )?;
    let activated = tx.query_one(
        "SELECT COUNT(*) FROM customer
         WHERE book_id = $1 AND activated_at >= $2 AND activated_at < $3",
        params![book, from.0, to.0],
    )?;
    Ok((came.int(0)?, activated.int(0)?))
}

/// What a token cost, by the time from which it did.
pub(super) fn token_prices(tx: &mut ReadTx<'_>, book: i64) -> Result<BTreeMap<Timestamp, Amount>> {
    let rows = tx.query(
        "SELECT effective_at, price FROM token_price WHERE book_id = $1",
        params![book],
    )?;
    rows.iter()
        .map(|row| Ok((Timestamp(row.int(0)?), Amount::from_units(row.int(1)?))))
        .collect()
}

/// Takes the lines of orders one after the other, and gives each its share of what a card paid.
struct TaxedLines {
    lines: Vec<Line>,
    is_back: bool,
    /// Whose lines are being read, and what they came to until now.
    of: Option<(Uuid, i64)>,
    before: Amount,
}

impl TaxedLines {
    fn take(&mut self, row: &Row) -> scrip_ledger::Result<()> {
        let of = (row.uuid(0)?, row.int(1)?);
        if self.of != Some(of) {
            (self.of, self.before) = (Some(of), Amount::ZERO);
        }
        let amount = Amount::from_units(row.int(6)?);
        let name = row.text(4)?;
        if !name.is_empty() {
            let (tokens, tax, money) = match row.opt_int(8)? {
                None => (amount, Amount::from_units(row.int(7)?), Amount::ZERO),
                Some(price) => {
                    let (price, total) = (Amount::from_units(price), row.int(9)?);
                    let total = Amount::from_units(total);
                    let money = share(price, self.before, amount, total)?;
                    (Amount::ZERO, Amount::ZERO, money)
                }
            };
            self.lines.push(Line {
                at: Timestamp(row.int(2)?),
                sold_at: Timestamp(row.int(3)?),
                name: name.to_owned(),
                rate: row.int(5)?,
                tokens,
                tax,
                money,
                is_back: self.is_back,
            });
        }
        self.before = self.before.plus(amount)?;
        Ok(())
    }
}

/// Lines with tax of orders, and of what came back, that count in a span of time. Of an order that
/// a card paid, all lines come back at once.
pub(super) fn taxed_lines(
    tx: &mut ReadTx<'_>,
    book: i64,
    from: Timestamp,
    to: Timestamp,
) -> scrip_ledger::Result<Vec<Line>> {
    let (low, _) = ids_between(from, to);
    let mut found = TaxedLines {
        lines: Vec::new(),
        is_back: false,
        of: None,
        before: Amount::ZERO,
    };
    let mut failed = Ok(());
    let mut take = |found: &mut TaxedLines, row: &Row| {
        if failed.is_ok() {
            failed = found.take(row);
        }
        Ok(())
    };
    tx.query_each(
        "SELECT l.order_id, CAST(0 AS BIGINT), o.effective_at, o.effective_at, l.tax_name, l.tax_rate, l.amount,
                l.tax, COALESCE(c.price, p.price), o.total
         FROM orders o
         JOIN order_line l ON l.book_id = o.book_id AND l.order_id = o.order_id
         LEFT JOIN card_order c ON c.book_id = o.book_id AND c.order_id = o.order_id
         LEFT JOIN open_order p ON p.book_id = o.book_id AND p.order_id = o.order_id
         WHERE o.book_id = $1 AND o.order_id >= $2 AND o.effective_at >= $3
           AND o.effective_at < $4 AND o.state = 'completed'
         ORDER BY l.order_id, l.line_no",
        params![book, &low, from.0, to.0],
        &mut |row| take(&mut found, &row),
    )?;
    found.is_back = true;
    tx.query_each(
        "SELECT l.order_id, b.refund_no, r.effective_at, o.effective_at, l.tax_name, l.tax_rate,
                b.amount, b.tax, COALESCE(c.price, p.price), o.total
         FROM refund r
         JOIN orders o ON o.book_id = r.book_id AND o.order_id = r.order_id
         JOIN refund_line b ON b.book_id = r.book_id AND b.order_id = r.order_id
            AND b.refund_no = r.refund_no
         JOIN order_line l ON l.book_id = b.book_id AND l.order_id = b.order_id
            AND l.line_no = b.line_no
         LEFT JOIN card_order c ON c.book_id = r.book_id AND c.order_id = r.order_id
         LEFT JOIN open_order p ON p.book_id = r.book_id AND p.order_id = r.order_id
         WHERE r.book_id = $1 AND r.recorded_at >= $2 AND r.effective_at >= $2
           AND r.effective_at < $3
         ORDER BY l.order_id, b.refund_no, l.line_no",
        params![book, from.0, to.0],
        &mut |row| take(&mut found, &row),
    )?;
    failed?;
    Ok(found.lines)
}
