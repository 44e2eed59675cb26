//! The tables of gifts.

use super::{Gift, Route};
use crate::id::{CustomerId, GiftId, OrderId};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

pub(super) fn is_given(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    once: &str,
) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT gift_id FROM token_gift WHERE book_id = $1 AND customer_id = $2 AND once = $3",
        params![book, &customer, once],
    )?;
    Ok(row.is_some())
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    book: i64,
    gift: &Gift,
    once: &str,
    grant: i64,
    entry: i64,
) -> Result<()> {
    tx.put(
        "INSERT INTO token_gift (book_id, gift_id, customer_id, route, once, tokens, reason,
           given_by, grant_id, entry_id, given_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            book,
            &gift.id,
            &gift.customer,
            gift.route.name(),
            once,
            gift.tokens.units(),
            &gift.reason,
            &gift.given_by,
            grant,
            entry,
            gift.given_at.0
        ],
    )
}

fn gift_row(row: &Row) -> Result<Gift> {
    let id = GiftId::from_row(row, 0)?;
    Ok(Gift {
        id,
        customer: CustomerId::from_row(row, 1)?,
        route: Route::parse(row.text(2)?).map_err(|e| Error::Corrupt(format!("gift {id}: {e}")))?,
        tokens: Amount::from_units(row.int(3)?),
        reason: row.text(4)?.to_owned(),
        given_by: row.text(5)?.to_owned(),
        given_at: Timestamp(row.int(6)?),
    })
}

pub(super) fn of_customer(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
    before: GiftId,
    limit: i64,
) -> Result<Vec<Gift>> {
    let rows = tx.query(
        "SELECT gift_id, customer_id, route, tokens, reason, given_by, given_at FROM token_gift
         WHERE book_id = $1 AND customer_id = $2 AND gift_id < $3
         ORDER BY gift_id DESC LIMIT $4",
        params![book, &customer, &before, limit],
    )?;
    rows.iter().map(gift_row).collect()
}

pub(super) fn all(tx: &mut dyn Read, book: i64, before: GiftId, limit: i64) -> Result<Vec<Gift>> {
    let rows = tx.query(
        "SELECT gift_id, customer_id, route, tokens, reason, given_by, given_at FROM token_gift
         WHERE book_id = $1 AND gift_id < $2 ORDER BY gift_id DESC LIMIT $3",
        params![book, &before, limit],
    )?;
    rows.iter().map(gift_row).collect()
}

/// How far a round is.
pub(super) struct Round {
    pub at: Vec<u8>,
    pub done: bool,
}

/// The round of a period, locked; begun now, at `start`, when there is none.
pub(super) fn round_begin(
    tx: &mut Tx<'_>,
    book: i64,
    route: Route,
    period: &str,
    start: &[u8],
) -> Result<Round> {
    tx.put(
        "INSERT INTO gift_round (book_id, route, period, reached, done)
         VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (book_id, route, period) DO NOTHING",
        params![book, route.name(), period, start],
    )?;
    let rows = tx.query_locked(
        "SELECT reached, done FROM gift_round
         WHERE book_id = $1 AND route = $2 AND period = $3",
        params![book, route.name(), period],
    )?;
    let row = rows
        .first()
        .ok_or_else(|| Error::Corrupt(format!("round {route} {period}")))?;
    Ok(Round {
        at: row.blob(0)?.to_vec(),
        done: row.bool(1)?,
    })
}

pub(super) fn round_reached(
    tx: &mut Tx<'_>,
    book: i64,
    route: Route,
    period: &str,
    at: &[u8],
    done: bool,
) -> Result<()> {
    tx.put(
        "UPDATE gift_round SET reached = $4, done = $5
         WHERE book_id = $1 AND route = $2 AND period = $3",
        params![book, route.name(), period, at, done],
    )
}

/// An order that counts for loyalty.
pub(super) struct Counted {
    pub id: OrderId,
    pub customer: CustomerId,
    /// Its total, less what was given back of it; nothing where a card paid.
    pub spent: Amount,
}

/// Completed orders between two ids, the oldest first.
pub(super) fn orders_after(
    tx: &mut Tx<'_>,
    book: i64,
    after: OrderId,
    end: OrderId,
    limit: usize,
) -> Result<Vec<Counted>> {
    let rows = tx.query(
        "SELECT o.order_id, o.customer_id, o.total, c.price
         FROM orders o
         LEFT JOIN card_order c ON c.book_id = o.book_id AND c.order_id = o.order_id
         WHERE o.book_id = $1 AND o.order_id > $2 AND o.order_id < $3 AND o.state = 'completed'
         ORDER BY o.order_id LIMIT $4",
        params![book, &after, &end, i64::try_from(limit).unwrap_or(i64::MAX)],
    )?;
    let mut orders = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = OrderId::from_row(row, 0)?;
        let mut spent = 0;
        if row.opt_int(3)?.is_none() {
            spent = row.int(2)?;
            let refunds = tx.query(
                "SELECT amount FROM refund WHERE book_id = $1 AND order_id = $2",
                params![book, &id],
            )?;
            for refund in &refunds {
                spent = spent.saturating_sub(refund.int(0)?);
            }
        }
        orders.push(Counted {
            id,
            customer: CustomerId::from_row(row, 1)?,
            spent: Amount::from_units(spent),
        });
    }
    Ok(orders)
}

/// What a customer has spent, and the rewards for it.
pub(super) struct Spent {
    pub spent: Amount,
    pub rewards: i64,
}

pub(super) fn loyalty_locked(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<Spent> {
    let rows = tx.query_locked(
        "SELECT spent, rewards FROM loyalty WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    let Some(row) = rows.first() else {
        return Ok(Spent {
            spent: Amount::ZERO,
            rewards: 0,
        });
    };
    Ok(Spent {
        spent: Amount::from_units(row.int(0)?),
        rewards: row.int(1)?,
    })
}

pub(super) fn set_loyalty(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    counted: &Spent,
) -> Result<()> {
    tx.put(
        "INSERT INTO loyalty (book_id, customer_id, spent, rewards) VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, customer_id)
         DO UPDATE SET spent = excluded.spent, rewards = excluded.rewards",
        params![book, &customer, counted.spent.units(), counted.rewards],
    )
}

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: GiftId) -> Result<Option<Gift>> {
    let row = tx.query_opt(
        "SELECT gift_id, customer_id, route, tokens, reason, given_by, given_at
         FROM token_gift WHERE book_id = $1 AND gift_id = $2",
        params![book, &id],
    )?;
    row.as_ref().map(gift_row).transpose()
}
