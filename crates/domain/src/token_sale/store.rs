//! The tables of token sales.

use super::price::{Deal, Discount};
use crate::customer::Customer;
use crate::id::{CustomerId, PackId, PaymentSessionId, TokenOrderId};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;
use serde::{Deserialize, Serialize};

/// A series of attempts to pay.
pub(super) struct Session {
    pub declines: i64,
    pub open: bool,
}

/// How far an order of tokens is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// The processor has not answered yet.
    Awaiting,
    /// It was paid; the tokens were credited.
    Cleared,
    /// The card was declined.
    Declined,
}

pub(super) struct TokenOrder {
    pub id: TokenOrderId,
    pub customer: CustomerId,
    pub session: PaymentSessionId,
    pub quantity: Amount,
    pub price: Amount,
    pub deal: Deal,
    pub card: String,
    pub reference: String,
    pub effective_at: Timestamp,
    pub state: OrderState,
    pub reason: String,
    pub created_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// True when it made the account active.
    pub activated: bool,
    /// What its decline left.
    pub attempts_left: Option<i64>,
}

pub(super) fn insert_session(
    tx: &mut Tx<'_>,
    customer: &Customer,
    id: PaymentSessionId,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO payment_session (book_id, session_id, customer_id, declines, open, created_at)
         VALUES ($1, $2, $3, 0, 1, $4)",
        params![customer.book_id, &id, &customer.customer_id, now.0],
    )
}

pub(super) fn session_locked(
    tx: &mut Tx<'_>,
    customer: &Customer,
    id: PaymentSessionId,
) -> Result<Option<Session>> {
    let rows = tx.query_locked(
        "SELECT declines, open FROM payment_session
         WHERE book_id = $1 AND session_id = $2 AND customer_id = $3",
        params![customer.book_id, &id, &customer.customer_id],
    )?;
    rows.first()
        .map(|r| {
            Ok(Session {
                declines: r.int(0)?,
                open: r.bool(1)?,
            })
        })
        .transpose()
}

pub(super) fn set_session(
    tx: &mut Tx<'_>,
    customer: &Customer,
    id: PaymentSessionId,
    session: &Session,
) -> Result<()> {
    tx.put(
        "UPDATE payment_session SET declines = $3, open = $4
         WHERE book_id = $1 AND session_id = $2",
        params![customer.book_id, &id, session.declines, session.open],
    )
}

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, order: &TokenOrder) -> Result<()> {
    tx.put(
        "INSERT INTO token_order (book_id, token_order_id, customer_id, session_id, quantity,
           price, means, card, state, processor_reference, reason, reference, entry_id,
           effective_at, created_at, closed_at,
           pack_id, packs, list_price, discount, restriction, life_days)
         VALUES ($1, $2, $3, $4, $5, $6, 'card', $7, 'awaiting', NULL, NULL, $8, NULL, $9, $10,
                 NULL, $11, $12, $13, $14, $15, $16)",
        params![
            book,
            &order.id,
            &order.customer,
            &order.session,
            order.quantity.units(),
            order.price.units(),
            &order.card,
            &order.reference,
            order.effective_at.0,
            order.created_at.0,
            order.deal.pack.as_ref().map(|(id, _)| id),
            order.deal.pack.map_or(0, |(_, count)| count),
            order.deal.list_price.units(),
            &discounts_text(&order.deal.discounts)?,
            order.deal.restriction.as_deref(),
            order.deal.life_days
        ],
    )?;
    tx.put(
        "INSERT INTO token_order_awaiting (book_id, token_order_id) VALUES ($1, $2)",
        params![book, &order.id],
    )
}

/// Discounts as they are kept; empty for none.
pub(super) fn discounts_text(discounts: &[Discount]) -> Result<String> {
    if discounts.is_empty() {
        return Ok(String::new());
    }
    serde_json::to_string(discounts)
        .map_err(|e| Error::Statement(format!("discounts as JSON: {e}")))
}

/// What was agreed, from eight columns beginning at `at`: pack, how often, list price, discounts,
/// restriction, life, quantity, price.
pub(super) fn deal_row(row: &Row, at: usize) -> Result<Deal> {
    let column = |i: usize| at.saturating_add(i);
    let text = row.text(column(3))?;
    let discounts = if text.is_empty() {
        Vec::new()
    } else {
        serde_json::from_str(text).map_err(|e| Error::Corrupt(format!("discounts: {e}")))?
    };
    let count = row.int(column(1))?;
    let pack = if count > 0 {
        Some((PackId::from_row(row, column(0))?, count))
    } else {
        None
    };
    Ok(Deal {
        pack,
        list_price: Amount::from_units(row.int(column(2))?),
        discounts,
        restriction: row.opt_text(column(4))?.map(str::to_owned),
        life_days: row.opt_int(column(5))?,
        quantity: Amount::from_units(row.int(column(6))?),
        price: Amount::from_units(row.int(column(7))?),
    })
}

fn order_row(row: &Row) -> Result<TokenOrder> {
    let id = TokenOrderId::from_row(row, 0)?;
    let state = match row.text(8)? {
        "awaiting" => OrderState::Awaiting,
        "cleared" => OrderState::Cleared,
        "declined" => OrderState::Declined,
        other => return Err(Error::Corrupt(format!("state {other:?} of {id}"))),
    };
    Ok(TokenOrder {
        id,
        customer: CustomerId::from_row(row, 1)?,
        session: PaymentSessionId::from_row(row, 2)?,
        quantity: Amount::from_units(row.int(3)?),
        price: Amount::from_units(row.int(4)?),
        deal: deal_row(row, 14)?,
        card: row.text(5)?.to_owned(),
        reference: row.text(6)?.to_owned(),
        effective_at: Timestamp(row.int(7)?),
        state,
        reason: row.opt_text(9)?.unwrap_or_default().to_owned(),
        created_at: Timestamp(row.int(10)?),
        closed_at: row.opt_int(11)?.map(Timestamp),
        activated: row.bool(12)?,
        attempts_left: row.opt_int(13)?,
    })
}

pub(super) fn by_id_locked(
    tx: &mut Tx<'_>,
    book: i64,
    id: TokenOrderId,
) -> Result<Option<TokenOrder>> {
    let rows = tx.query_locked(
        "SELECT token_order_id, customer_id, session_id, quantity, price, card, reference,
                effective_at, state, reason, created_at, closed_at, activated, attempts_left,
                pack_id, packs, list_price, discount, restriction, life_days, quantity, price
         FROM token_order WHERE book_id = $1 AND token_order_id = $2 AND means = 'card'",
        params![book, &id],
    )?;
    rows.first().map(order_row).transpose()
}

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: TokenOrderId) -> Result<Option<TokenOrder>> {
    let row = tx.query_opt(
        "SELECT token_order_id, customer_id, session_id, quantity, price, card, reference,
                effective_at, state, reason, created_at, closed_at, activated, attempts_left,
                pack_id, packs, list_price, discount, restriction, life_days, quantity, price
         FROM token_order WHERE book_id = $1 AND token_order_id = $2 AND means = 'card'",
        params![book, &id],
    )?;
    row.as_ref().map(order_row).transpose()
}

// With an upper bound also on the first page: without it SQLite walks the orders of all customers.
const OLDER: &str = "SELECT token_order_id, customer_id, session_id, quantity, price, card,
        reference, effective_at, state, reason, created_at, closed_at, activated, attempts_left,
                pack_id, packs, list_price, discount, restriction, life_days, quantity, price
    FROM token_order WHERE book_id = $1 AND customer_id = $2 AND token_order_id < $4
      AND means = 'card' ORDER BY token_order_id DESC LIMIT $3";

/// A customer's orders, newest first.
pub(super) fn of_customer(
    tx: &mut dyn Read,
    customer: &Customer,
    before: Option<TokenOrderId>,
    limit: i64,
) -> Result<Vec<TokenOrder>> {
    let (book, id) = (customer.book_id, &customer.customer_id);
    let before = before.unwrap_or(TokenOrderId(uuid::Uuid::max()));
    let rows = tx.query(OLDER, params![book, id, limit, &before])?;
    rows.iter().map(order_row).collect()
}

/// Orders without an answer, opened before a time.
pub(super) fn awaiting(tx: &mut dyn Read, book: i64, before: Timestamp) -> Result<Vec<TokenOrder>> {
    let rows = tx.query(
        "SELECT o.token_order_id, o.customer_id, o.session_id, o.quantity, o.price, o.card,
                o.reference, o.effective_at, o.state, o.reason, o.created_at, o.closed_at,
                o.activated, o.attempts_left, o.pack_id, o.packs, o.list_price, o.discount,
                o.restriction, o.life_days, o.quantity, o.price
         FROM token_order_awaiting a
         JOIN token_order o ON o.book_id = a.book_id AND o.token_order_id = a.token_order_id
         WHERE a.book_id = $1 AND o.created_at <= $2 ORDER BY a.token_order_id",
        params![book, before.0],
    )?;
    rows.iter().map(order_row).collect()
}

/// True when an order of the session, of tokens or of goods, was opened after a time and has no
/// answer.
pub(super) fn is_under_way(
    tx: &mut Tx<'_>,
    book: i64,
    session: PaymentSessionId,
    since: Timestamp,
) -> Result<bool> {
    let rows = tx.query(
        "SELECT o.token_order_id FROM token_order_awaiting a
         JOIN token_order o ON o.book_id = a.book_id AND o.token_order_id = a.token_order_id
         WHERE a.book_id = $1 AND o.session_id = $2 AND o.created_at > $3 LIMIT 1",
        params![book, &session, since.0],
    )?;
    if !rows.is_empty() {
        return Ok(true);
    }
    let rows = tx.query(
        "SELECT card_order_id FROM card_order
         WHERE book_id = $1 AND state = 'awaiting' AND session_id = $2 AND created_at > $3 LIMIT 1",
        params![book, &session, since.0],
    )?;
    Ok(!rows.is_empty())
}

fn end_awaiting(tx: &mut Tx<'_>, book: i64, id: TokenOrderId) -> Result<()> {
    tx.put(
        "DELETE FROM token_order_awaiting WHERE book_id = $1 AND token_order_id = $2",
        params![book, &id],
    )
}

pub(super) fn set_declined(
    tx: &mut Tx<'_>,
    book: i64,
    id: TokenOrderId,
    reason: &str,
    attempts_left: i64,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE token_order SET state = 'declined', reason = $3, closed_at = $4,
                attempts_left = $5
         WHERE book_id = $1 AND token_order_id = $2",
        params![book, &id, reason, now.0, attempts_left],
    )?;
    end_awaiting(tx, book, id)
}

pub(super) fn set_cleared(
    tx: &mut Tx<'_>,
    book: i64,
    id: TokenOrderId,
    processor_reference: &str,
    entry: i64,
    activated: bool,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE token_order SET state = 'cleared', processor_reference = $3, entry_id = $4,
                closed_at = $5, activated = $6
         WHERE book_id = $1 AND token_order_id = $2",
        params![book, &id, processor_reference, entry, now.0, activated],
    )?;
    end_awaiting(tx, book, id)
}

/// Money that came for a closed account.
pub(super) fn insert_payback(
    tx: &mut Tx<'_>,
    book: i64,
    order: &TokenOrder,
    processor_reference: &str,
    came_entry: i64,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO payback (book_id, token_order_id, customer_id, amount, processor_reference,
                              created_at, settled_at, settled_by, came_entry_id)
         VALUES ($1, $2, $3, $4, $5, $6, NULL, NULL, $7)
         ON CONFLICT (book_id, token_order_id) DO NOTHING",
        params![
            book,
            &order.id,
            &order.customer,
            order.price.units(),
            processor_reference,
            now.0,
            came_entry
        ],
    )?;
    Ok(())
}

/// The entry that credited an order; `None` while none has.
pub(super) fn entry_of(tx: &mut dyn Read, book: i64, id: TokenOrderId) -> Result<Option<i64>> {
    let row = tx.query_opt(
        "SELECT entry_id FROM token_order WHERE book_id = $1 AND token_order_id = $2",
        params![book, &id],
    )?;
    row.map_or(Ok(None), |row| row.opt_int(0))
}
