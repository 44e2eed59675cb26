//! The tables of orders that a card pays.

use super::close::actor_of;
use super::{Agreed, CardOrderState, Frozen};
use crate::id::{CardOrderId, CustomerId, OrderId, PaymentSessionId};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

#[derive(Clone)]
pub(super) struct CardOrder {
    pub id: CardOrderId,
    pub customer: CustomerId,
    pub session: PaymentSessionId,
    pub price: Amount,
    pub card: String,
    pub last_four: String,
    pub state: CardOrderState,
    /// Once the processor has answered.
    pub order_id: Option<OrderId>,
    /// 0 where nothing was posted.
    pub entry_id: i64,
    pub wallet_head: i64,
    pub processor_reference: String,
    pub reason: String,
    pub attempts_left: i64,
    pub created_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

impl CardOrder {
    pub fn awaiting(
        id: CardOrderId,
        customer: CustomerId,
        session: PaymentSessionId,
        price: Amount,
        created_at: Timestamp,
    ) -> CardOrder {
        CardOrder {
            id,
            customer,
            session,
            price,
            card: String::new(),
            last_four: String::new(),
            state: CardOrderState::Awaiting,
            order_id: None,
            entry_id: 0,
            wallet_head: 0,
            processor_reference: String::new(),
            reason: String::new(),
            attempts_left: 0,
            created_at,
            closed_at: None,
        }
    }

    /// The order of one that has its answer.
    pub fn order(&self) -> Result<OrderId> {
        self.order_id
            .ok_or_else(|| Error::Corrupt(format!("{} is closed and has no order", self.id)))
    }
}

fn order_row(row: &Row) -> Result<CardOrder> {
    let id = CardOrderId::from_row(row, 0)?;
    Ok(CardOrder {
        id,
        customer: CustomerId::from_row(row, 1)?,
        session: PaymentSessionId::from_row(row, 2)?,
        price: Amount::from_units(row.int(3)?),
        card: row.text(4)?.to_owned(),
        last_four: row.text(5)?.to_owned(),
        state: CardOrderState::parse(row.text(6)?)
            .map_err(|e| Error::Corrupt(format!("order by card {id}: {e}")))?,
        order_id: row.opt_uuid(7)?.map(OrderId),
        entry_id: row.int(8)?,
        wallet_head: row.int(9)?,
        processor_reference: row.text(10)?.to_owned(),
        reason: row.text(11)?.to_owned(),
        attempts_left: row.int(12)?,
        created_at: Timestamp(row.int(13)?),
        closed_at: row.opt_int(14)?.map(Timestamp),
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, order: &CardOrder, frozen: &Frozen) -> Result<()> {
    let frozen = serde_json::to_string(frozen)
        .map_err(|e| Error::Statement(format!("an order as JSON: {e}")))?;
    tx.put(
        "INSERT INTO card_order (book_id, card_order_id, customer_id, session_id, price, card,
           last_four, state, frozen, order_id, entry_id, wallet_head, processor_reference, reason,
           attempts_left, created_at, closed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'awaiting', $8, NULL, 0, 0, '', '', 0, $9, NULL)",
        params![
            book,
            &order.id,
            &order.customer,
            &order.session,
            order.price.units(),
            &order.card,
            &order.last_four,
            &frozen,
            order.created_at.0
        ],
    )
}

const BY_ID: &str = "SELECT card_order_id, customer_id, session_id, price, card, last_four, state,
        order_id, entry_id, wallet_head, processor_reference, reason, attempts_left, created_at,
        closed_at
    FROM card_order WHERE book_id = $1 AND card_order_id = $2";

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: CardOrderId) -> Result<Option<CardOrder>> {
    let row = tx.query_opt(BY_ID, params![book, &id])?;
    row.as_ref().map(order_row).transpose()
}

pub(super) fn by_id_locked(
    tx: &mut Tx<'_>,
    book: i64,
    id: CardOrderId,
) -> Result<Option<CardOrder>> {
    let rows = tx.query_locked(BY_ID, params![book, &id])?;
    rows.first().map(order_row).transpose()
}

/// The one that paid an order, or was declined for it.
pub(super) fn of_order(tx: &mut dyn Read, book: i64, order: OrderId) -> Result<Option<CardOrder>> {
    let row = tx.query_opt(
        "SELECT card_order_id, customer_id, session_id, price, card, last_four, state, order_id,
                entry_id, wallet_head, processor_reference, reason, attempts_left, created_at,
                closed_at
         FROM card_order WHERE book_id = $1 AND order_id = $2",
        params![book, &order],
    )?;
    row.as_ref().map(order_row).transpose()
}

/// What was agreed of one that has no answer yet.
pub(super) fn agreed(tx: &mut Tx<'_>, book: i64, order: &CardOrder) -> Result<Agreed> {
    let row = tx.query_one(
        "SELECT frozen FROM card_order WHERE book_id = $1 AND card_order_id = $2",
        params![book, &order.id],
    )?;
    let frozen: Frozen = serde_json::from_str(row.text(0)?)
        .map_err(|e| Error::Corrupt(format!("what was agreed of {}: {e}", order.id)))?;
    Ok(Agreed {
        actor: actor_of(&frozen.actor)?,
        customer: order.customer,
        at: order.created_at,
        frozen,
    })
}

/// Writes the answer; what was frozen is in the order from now on.
pub(super) fn close(tx: &mut Tx<'_>, book: i64, order: &CardOrder) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE card_order SET state = $3, order_id = $4, entry_id = $5, wallet_head = $6,
                processor_reference = $7, reason = $8, attempts_left = $9, closed_at = $10,
                last_four = $11, frozen = ''
         WHERE book_id = $1 AND card_order_id = $2",
        params![
            book,
            &order.id,
            order.state.name(),
            order.order_id.as_ref(),
            order.entry_id,
            order.wallet_head,
            &order.processor_reference,
            &order.reason,
            order.attempts_left,
            now.0,
            &order.last_four
        ],
    )
}

/// Those without an answer that were opened before a time, oldest first.
pub(super) fn awaiting_before(
    tx: &mut dyn Read,
    book: i64,
    before: Timestamp,
) -> Result<Vec<CardOrderId>> {
    let rows = tx.query(
        "SELECT card_order_id FROM card_order
         WHERE book_id = $1 AND state = 'awaiting' AND created_at <= $2 ORDER BY card_order_id",
        params![book, before.0],
    )?;
    rows.iter()
        .map(|row| CardOrderId::from_row(row, 0))
        .collect()
}

/// Those without an answer, newest first.
pub(super) fn awaiting(
    tx: &mut dyn Read,
    book: i64,
    customer: Option<CustomerId>,
    limit: i64,
) -> Result<Vec<CardOrder>> {
    let rows = match customer {
        None => tx.query(
            "SELECT card_order_id, customer_id, session_id, price, card, last_four, state,
                    order_id, entry_id, wallet_head, processor_reference, reason, attempts_left,
                    created_at, closed_at
             FROM card_order WHERE book_id = $1 AND state = 'awaiting'
             ORDER BY card_order_id DESC LIMIT $2",
            params![book, limit],
        )?,
        // Entry 0 is that of those that were not paid.
        Some(customer) => tx.query(
            "SELECT card_order_id, customer_id, session_id, price, card, last_four, state,
                    order_id, entry_id, wallet_head, processor_reference, reason, attempts_left,
                    created_at, closed_at
             FROM card_order
             WHERE book_id = $1 AND customer_id = $3 AND entry_id = 0 AND state = 'awaiting'
             ORDER BY card_order_id DESC LIMIT $2",
            params![book, limit, &customer],
        )?,
    };
    rows.iter().map(order_row).collect()
}

/// (order, entry, last movement of the wallet before it) of a customer's orders that cards paid,
/// up to an entry, newest first.
pub(in crate::order) fn list(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
    up_to: i64,
    limit: i64,
) -> Result<Vec<(OrderId, i64, i64)>> {
    let rows = tx.query(
        "SELECT order_id, entry_id, wallet_head FROM card_order
         WHERE book_id = $1 AND customer_id = $2 AND entry_id > 0 AND entry_id <= $3
         ORDER BY entry_id DESC LIMIT $4",
        params![book, &customer, up_to, limit],
    )?;
    rows.iter()
        .map(|row| Ok((OrderId::from_row(row, 0)?, row.int(1)?, row.int(2)?)))
        .collect()
}

/// A reference that was kept for an order names it from now on.
pub(super) fn reference_of(
    tx: &mut Tx<'_>,
    book: i64,
    reference: &str,
    order: OrderId,
) -> Result<()> {
    tx.put(
        "UPDATE reference SET target = $3
         WHERE book_id = $1 AND kind = 'order' AND reference = $2",
        params![book, reference, &order],
    )
}

/// A reference that was kept for an order is free again.
pub(super) fn reference_free(tx: &mut Tx<'_>, book: i64, reference: &str) -> Result<()> {
    tx.put(
        "DELETE FROM reference WHERE book_id = $1 AND kind = 'order' AND reference = $2",
        params![book, reference],
    )
}

/// Forgets how cards look that paid a customer's orders.
pub(super) fn forget(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.put(
        "UPDATE card_order SET last_four = '' WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}

/// A refund on its way, or done.
pub(super) struct CardRefund {
    pub is_done: bool,
    pub restock: bool,
    pub reference: String,
    pub actor: String,
}

const REFUND: &str = "SELECT state, restock, reference, actor FROM card_refund
    WHERE book_id = $1 AND card_order_id = $2";

pub(super) fn refund(tx: &mut dyn Read, book: i64, id: CardOrderId) -> Result<Option<CardRefund>> {
    let row = tx.query_opt(REFUND, params![book, &id])?;
    row.map(|row| {
        Ok(CardRefund {
            is_done: row.text(0)? == "done",
            restock: row.bool(1)?,
            reference: row.text(2)?.to_owned(),
            actor: row.text(3)?.to_owned(),
        })
    })
    .transpose()
}

pub(super) fn insert_refund(
    tx: &mut Tx<'_>,
    book: i64,
    id: CardOrderId,
    refund: &CardRefund,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO card_refund (book_id, card_order_id, state, restock, reference, actor,
                                  created_at, entry_id)
         VALUES ($1, $2, 'due', $3, $4, $5, $6, NULL)",
        params![
            book,
            &id,
            refund.restock,
            &refund.reference,
            &refund.actor,
            now.0
        ],
    )
}

pub(super) fn refund_done(tx: &mut Tx<'_>, book: i64, id: CardOrderId, entry: i64) -> Result<()> {
    tx.put(
        "UPDATE card_refund SET state = 'done', entry_id = $3
         WHERE book_id = $1 AND card_order_id = $2",
        params![book, &id, entry],
    )
}

/// Refunds that the processor has not done yet.
pub(super) fn refunds_due(tx: &mut dyn Read, book: i64) -> Result<Vec<CardOrderId>> {
    let rows = tx.query(
        "SELECT card_order_id FROM card_refund
         WHERE book_id = $1 AND state = 'due' ORDER BY card_order_id LIMIT 1000",
        params![book],
    )?;
    rows.iter()
        .map(|row| CardOrderId::from_row(row, 0))
        .collect()
}

/// True when the processor took money of the order back, or gave some back, by itself.
pub(super) fn is_reversed(tx: &mut dyn Read, book: i64, id: CardOrderId) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT reversal FROM card_reversal
         WHERE book_id = $1 AND paid_id = $2 AND state <> 'won' LIMIT 1",
        params![book, &id],
    )?;
    Ok(row.is_some())
}
