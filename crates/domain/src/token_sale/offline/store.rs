//! Off-line orders in the table of token orders.

use super::{OfflineOrder, OfflineState};
use crate::id::{CustomerId, TokenOrderId};
use crate::policy::{Channel, CreditPoint, Means};
use crate::token_sale::store::{deal_row, discounts_text};
use scrip_engine::{Error, Read, ReadTx, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT token_order_id, customer_id, quantity, price, means, channel, state, reference,
                    payment_reference, credit_point, taken_by, accepted_by, accepted_at, closed_by,
                    closed_at, due_at, paid, owed, taken_back, credit_verdict, reason, created_at,
                    activated, grant_id, entry_id, pack_id, packs, list_price, discount,
                    restriction, life_days, quantity, price
             FROM token_order ",
            $rest
        )
    };
}

fn named<T>(id: TokenOrderId, found: std::result::Result<T, crate::text::TextError>) -> Result<T> {
    found.map_err(|e| Error::Corrupt(format!("token order {id}: {e}")))
}

fn order_row(row: &Row) -> Result<OfflineOrder> {
    let id = TokenOrderId::from_row(row, 0)?;
    let verdict = row.text(19)?;
    let credit = if verdict.is_empty() {
        None
    } else {
        let read = serde_json::from_str(verdict);
        Some(read.map_err(|e| Error::Corrupt(format!("credit check of {id}: {e}")))?)
    };
    Ok(OfflineOrder {
        id,
        customer: CustomerId::from_row(row, 1)?,
        quantity: Amount::from_units(row.int(2)?),
        price: Amount::from_units(row.int(3)?),
        means: named(id, Means::parse(row.text(4)?))?,
        channel: named(id, Channel::parse(row.text(5)?))?,
        state: named(id, OfflineState::parse(row.text(6)?))?,
        reference: row.text(7)?.to_owned(),
        payment_reference: row.text(8)?.to_owned(),
        credit_point: named(id, CreditPoint::parse(row.text(9)?))?,
        taken_by: row.text(10)?.to_owned(),
        accepted_by: row.text(11)?.to_owned(),
        accepted_at: row.opt_int(12)?.map(Timestamp),
        closed_by: row.text(13)?.to_owned(),
        closed_at: row.opt_int(14)?.map(Timestamp),
        due_at: Some(row.int(15)?).filter(|due| *due > 0).map(Timestamp),
        paid: Amount::from_units(row.int(16)?),
        owed: Amount::from_units(row.int(17)?),
        taken_back: Amount::from_units(row.int(18)?),
        credit,
        reason: row.opt_text(20)?.unwrap_or_default().to_owned(),
        created_at: Timestamp(row.int(21)?),
        activated: row.bool(22)?,
        grant: row.opt_int(23)?,
        entry: row.opt_int(24)?,
        deal: deal_row(row, 25)?,
    })
}

/// The next number of a vendor's off-line orders.
pub(super) fn next_number(tx: &mut Tx<'_>, book: i64) -> Result<i64> {
    let rows = tx.execute_returning(
        "INSERT INTO counter (book_id, name, value) VALUES ($1, 'token_order', 1)
         ON CONFLICT (book_id, name) DO UPDATE SET value = counter.value + 1
         RETURNING value",
        params![book],
    )?;
    rows.first()
        .ok_or_else(|| Error::Corrupt(format!("counter of book {book}")))?
        .int(0)
}

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, order: &OfflineOrder) -> Result<()> {
    tx.put(
        "INSERT INTO token_order (book_id, token_order_id, customer_id, session_id, quantity,
           price, means, card, state, reference, effective_at, created_at, channel, list_price,
           discount, restriction, life_days, credit_point, taken_by, payment_reference, pack_id,
           packs)
         VALUES ($1, $2, $3, NULL, $4, $5, $6, '', 'open', $7, $8, $8, $9, $10, $11, $12, $13,
                 $14, $15, $16, $17, $18)",
        params![
            book,
            &order.id,
            &order.customer,
            order.quantity.units(),
            order.price.units(),
            order.means.name(),
            &order.reference,
            order.created_at.0,
            order.channel.name(),
            order.deal.list_price.units(),
            &discounts_text(&order.deal.discounts)?,
            order.deal.restriction.as_deref(),
            order.deal.life_days,
            order.credit_point.name(),
            &order.taken_by,
            &order.payment_reference,
            order.deal.pack.as_ref().map(|(id, _)| id),
            order.deal.pack.map_or(0, |(_, count)| count)
        ],
    )
}

/// Writes all of an order that can change.
pub(super) fn update(tx: &mut Tx<'_>, book: i64, order: &OfflineOrder) -> Result<()> {
    let verdict = match &order.credit {
        Some(said) => serde_json::to_string(said)
            .map_err(|e| Error::Statement(format!("credit check as JSON: {e}")))?,
        None => String::new(),
    };
    tx.put(
        "UPDATE token_order SET state = $3, payment_reference = $4, credit_point = $5,
           accepted_by = $6, accepted_at = $7, closed_by = $8, closed_at = $9, due_at = $10,
           paid = $11, owed = $12, taken_back = $13, credit_verdict = $14, reason = $15,
           activated = $16, grant_id = $17, entry_id = $18
         WHERE book_id = $1 AND token_order_id = $2",
        params![
            book,
            &order.id,
            order.state.name(),
            &order.payment_reference,
            order.credit_point.name(),
            &order.accepted_by,
            order.accepted_at.map(|at| at.0),
            &order.closed_by,
            order.closed_at.map(|at| at.0),
            order.due_at.map_or(0, |at| at.0),
            order.paid.units(),
            order.owed.units(),
            order.taken_back.units(),
            &verdict,
            &order.reason,
            order.activated,
            order.grant,
            order.entry
        ],
    )
}

pub(super) fn by_id(
    tx: &mut dyn Read,
    book: i64,
    id: TokenOrderId,
) -> Result<Option<OfflineOrder>> {
    let row = tx.query_opt(
        select!("WHERE book_id = $1 AND token_order_id = $2 AND means <> 'card'"),
        params![book, &id],
    )?;
    row.as_ref().map(order_row).transpose()
}

pub(super) fn by_id_locked(
    tx: &mut Tx<'_>,
    book: i64,
    id: TokenOrderId,
) -> Result<Option<OfflineOrder>> {
    let rows = tx.query_locked(
        select!("WHERE book_id = $1 AND token_order_id = $2 AND means <> 'card'"),
        params![book, &id],
    )?;
    rows.first().map(order_row).transpose()
}

/// Orders of a reference, which is one unless staff enter a customer's own.
pub(super) fn by_reference(
    tx: &mut dyn Read,
    book: i64,
    reference: &str,
) -> Result<Vec<OfflineOrder>> {
    let rows = tx.query(
        select!("WHERE book_id = $1 AND reference = $2 AND means <> 'card' LIMIT 20"),
        params![book, reference],
    )?;
    rows.iter().map(order_row).collect()
}

/// A customer's off-line orders, newest first, older than `before`.
pub(super) fn of_customer(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
    before: TokenOrderId,
    limit: i64,
) -> Result<Vec<OfflineOrder>> {
    let rows = tx.query(
        select!(
            "WHERE book_id = $1 AND customer_id = $2 AND token_order_id < $3 AND means <> 'card'
             ORDER BY token_order_id DESC LIMIT $4"
        ),
        params![book, &customer, &before, limit],
    )?;
    rows.iter().map(order_row).collect()
}

/// A vendor's off-line orders in a state, newest first, older than `before`.
pub(super) fn in_state(
    tx: &mut dyn Read,
    book: i64,
    state: OfflineState,
    before: TokenOrderId,
    limit: i64,
) -> Result<Vec<OfflineOrder>> {
    let rows = tx.query(
        select!(
            "WHERE book_id = $1 AND state = $2 AND token_order_id < $3 AND means <> 'card'
             ORDER BY token_order_id DESC LIMIT $4"
        ),
        params![book, state.name(), &before, limit],
    )?;
    rows.iter().map(order_row).collect()
}

/// How many off-line orders are in a state; counts no further than `most`.
pub(super) fn count(tx: &mut dyn Read, book: i64, state: OfflineState, most: i64) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COUNT(*) FROM (SELECT token_order_id FROM token_order
           WHERE book_id = $1 AND state = $2 AND means <> 'card' LIMIT $3) found",
        params![book, state.name(), most],
    )?;
    row.int(0)
}

/// Orders with money owed, the longest due first, after the one named.
pub(super) fn owed(
    tx: &mut dyn Read,
    book: i64,
    after: (Timestamp, TokenOrderId),
    limit: i64,
) -> Result<Vec<OfflineOrder>> {
    let rows = tx.query(
        select!(
            "WHERE book_id = $1 AND owed > 0
               AND (due_at > $2 OR (due_at = $2 AND token_order_id > $3))
             ORDER BY due_at, token_order_id LIMIT $4"
        ),
        params![book, after.0.0, &after.1, limit],
    )?;
    rows.iter().map(order_row).collect()
}

/// (due, owed) of every order with money owed.
pub(super) fn each_owed(
    tx: &mut ReadTx<'_>,
    book: i64,
    each: &mut dyn FnMut(Timestamp, Amount) -> Result<()>,
) -> Result<()> {
    tx.query_each(
        "SELECT due_at, owed FROM token_order WHERE book_id = $1 AND owed > 0",
        params![book],
        &mut |row| each(Timestamp(row.int(0)?), Amount::from_units(row.int(1)?)),
    )
}

/// (due, owed) of a customer's orders with money owed.
pub(super) fn owed_by(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Vec<(Timestamp, Amount)>> {
    let rows = tx.query(
        "SELECT due_at, owed FROM token_order
         WHERE book_id = $1 AND customer_id = $2 AND owed > 0",
        params![book, &customer],
    )?;
    rows.iter()
        .map(|row| Ok((Timestamp(row.int(0)?), Amount::from_units(row.int(1)?))))
        .collect()
}

pub(super) fn insert_payment(
    tx: &mut Tx<'_>,
    book: i64,
    id: TokenOrderId,
    payment: &super::Paid,
) -> Result<()> {
    tx.put(
        "INSERT INTO token_payment (book_id, token_order_id, payment_no, amount, reference,
           taken_by, entry_id, paid_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            book,
            &id,
            payment.number,
            payment.amount.units(),
            &payment.reference,
            &payment.taken_by,
            payment.entry,
            payment.at.0
        ],
    )
}

pub(super) fn payments(tx: &mut dyn Read, book: i64, id: TokenOrderId) -> Result<Vec<super::Paid>> {
    let rows = tx.query(
        "SELECT payment_no, amount, reference, taken_by, entry_id, paid_at FROM token_payment
         WHERE book_id = $1 AND token_order_id = $2 ORDER BY payment_no",
        params![book, &id],
    )?;
    rows.iter()
        .map(|row| {
            Ok(super::Paid {
                number: row.int(0)?,
                amount: Amount::from_units(row.int(1)?),
                reference: row.text(2)?.to_owned(),
                taken_by: row.text(3)?.to_owned(),
                entry: row.int(4)?,
                at: Timestamp(row.int(5)?),
            })
        })
        .collect()
}
