//! The table of refund requests.

use super::{AskState, RefundAsked, Result};
use crate::actor::Actor;
use crate::id::{CustomerId, OrderId};
use scrip_engine::{Error, Read, Row, Store, Timestamp, Tx, params};

fn asked(row: &Row) -> Result<RefundAsked> {
    let order_id = OrderId::from_row(row, 0)?;
    let state = match row.text(3)? {
        "open" => AskState::Open,
        "refunded" => AskState::Refunded,
        "declined" => AskState::Declined,
        other => {
            let problem = format!("state {other:?} of the refund request about {order_id}");
            return Err(Error::Corrupt(problem).into());
        }
    };
    Ok(RefundAsked {
        order_id,
        customer_id: CustomerId::from_row(row, 1)?,
        reason: row.text(2)?.to_owned(),
        sealed: row.opt_blob(8)?.map(<[u8]>::to_vec),
        state,
        answer: row.text(4)?.to_owned(),
        asked_at: Timestamp(row.int(5)?),
        closed_at: row.opt_int(6)?.map(Timestamp),
        closed_by: row.opt_text(7)?.map(str::to_owned),
    })
}

const BY_ORDER: &str = "SELECT order_id, customer_id, reason, state, answer, asked_at, closed_at,
        closed_by, sealed_reason
    FROM refund_request WHERE book_id = $1 AND order_id = $2";

pub(super) fn by_order(
    tx: &mut dyn Read,
    book: i64,
    order: OrderId,
) -> Result<Option<RefundAsked>> {
    let row = tx.query_opt(BY_ORDER, params![book, &order])?;
    row.as_ref().map(asked).transpose()
}

pub(super) fn locked(tx: &mut Tx<'_>, book: i64, order: OrderId) -> Result<Option<RefundAsked>> {
    let rows = tx.query_locked(BY_ORDER, params![book, &order])?;
    rows.first().map(asked).transpose()
}

/// A request that is new, or opened again after a refund.
pub(super) fn put(tx: &mut Tx<'_>, book: i64, new: &RefundAsked, sealed: &[u8]) -> Result<()> {
    tx.put(
        "INSERT INTO refund_request (book_id, order_id, customer_id, reason, state, answer,
                                     asked_at, closed_at, closed_by, sealed_reason)
         VALUES ($1, $2, $3, '', 'open', '', $5, NULL, NULL, $4)
         ON CONFLICT (book_id, order_id) DO UPDATE SET reason = '', state = 'open',
            sealed_reason = excluded.sealed_reason, answer = '', asked_at = excluded.asked_at, closed_at = NULL, closed_by = NULL",
        params![
            book,
            &new.order_id,
            &new.customer_id,
            sealed,
            new.asked_at.0
        ],
    )?;
    Ok(())
}

pub(super) fn set_reason(tx: &mut Tx<'_>, book: i64, order: OrderId, sealed: &[u8]) -> Result<()> {
    tx.put(
        "UPDATE refund_request SET reason = '', sealed_reason = $3
         WHERE book_id = $1 AND order_id = $2 AND state = 'open'",
        params![book, &order, sealed],
    )?;
    Ok(())
}

const OPEN: &str = "SELECT order_id, customer_id, reason, state, answer, asked_at, closed_at,
        closed_by, sealed_reason
    FROM refund_request WHERE book_id = $1 AND state = 'open'
    ORDER BY asked_at, order_id LIMIT $2";
const OPEN_AFTER: &str = "SELECT order_id, customer_id, reason, state, answer, asked_at,
        closed_at, closed_by, sealed_reason
    FROM refund_request WHERE book_id = $1 AND state = 'open'
        AND asked_at >= $3 AND (asked_at > $3 OR order_id > $4)
    ORDER BY asked_at, order_id LIMIT $2";

pub(super) fn open(
    tx: &mut dyn Read,
    book: i64,
    after: Option<&RefundAsked>,
    limit: i64,
) -> Result<Vec<RefundAsked>> {
    let rows = match after {
        Some(last) => tx.query(
            OPEN_AFTER,
            params![book, limit, last.asked_at.0, &last.order_id],
        )?,
        None => tx.query(OPEN, params![book, limit])?,
    };
    rows.iter().map(asked).collect()
}

/// False when no request is open.
pub(super) fn decline(
    tx: &mut Tx<'_>,
    book: i64,
    order: OrderId,
    answer: &str,
    actor: Actor,
) -> Result<bool> {
    let now = tx.now();
    let rows = tx.execute_returning(
        "UPDATE refund_request SET state = 'declined', answer = $3, closed_at = $4,
                closed_by = $5
         WHERE book_id = $1 AND order_id = $2 AND state = 'open' RETURNING asked_at",
        params![book, &order, answer, now.0, &actor.to_string()],
    )?;
    Ok(!rows.is_empty())
}

pub(super) fn refunded(tx: &mut Tx<'_>, book: i64, order: OrderId, actor: Actor) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE refund_request SET state = 'refunded', closed_at = $3, closed_by = $4
         WHERE book_id = $1 AND order_id = $2 AND state = 'open'",
        params![book, &order, now.0, &actor.to_string()],
    )?;
    Ok(())
}

pub(super) fn forget_words(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
) -> std::result::Result<(), Error> {
    tx.put(
        "UPDATE refund_request SET reason = '', answer = '', sealed_reason = NULL
         WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}
