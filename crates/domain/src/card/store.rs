//! The tables of cards and of their payments.

use super::{CardState, Looks, Payment, PaymentState, SavedCard};
use crate::id::{CardId, CustomerId, Payable};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};

/// Returns at once.
const RETURNS_AT_ONCE: i64 = 100;

pub(super) fn holder(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<Option<String>> {
    let row = tx.query_opt(
        "SELECT holder FROM card_holder WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

pub(super) fn set_holder(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    name: &str,
) -> Result<String> {
    // The change that changes nothing makes the row that stays come back.
    let rows = tx.execute_returning(
        "INSERT INTO card_holder (book_id, customer_id, holder) VALUES ($1, $2, $3)
         ON CONFLICT (book_id, customer_id) DO UPDATE SET holder = card_holder.holder
         RETURNING holder",
        params![book, &customer, name],
    )?;
    let row = rows.first();
    let row = row.ok_or_else(|| Error::Corrupt(format!("no holder of {customer}")))?;
    Ok(row.text(0)?.to_owned())
}

fn card_row(row: &Row) -> Result<SavedCard> {
    let id = CardId::from_row(row, 0)?;
    Ok(SavedCard {
        id,
        customer: CustomerId::from_row(row, 1)?,
        method: row.text(2)?.to_owned(),
        looks: Looks {
            brand: row.text(3)?.to_owned(),
            last_four: row.text(4)?.to_owned(),
            expiry_year: row.int(5)?,
            expiry_month: row.int(6)?,
        },
        state: CardState::parse(row.text(7)?)
            .map_err(|e| Error::Corrupt(format!("card {id}: {e}")))?,
    })
}

/// Whoever changes a customer's cards does so one after the other.
pub(super) fn lock_cards(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.query_locked(
        "SELECT customer_id FROM customer WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
    .map(drop)
}

pub(super) fn of_customer(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Vec<SavedCard>> {
    let rows = tx.query(
        "SELECT card_id, customer_id, method, brand, last_four, expiry_year, expiry_month, state
         FROM saved_card WHERE book_id = $1 AND customer_id = $2 ORDER BY card_id",
        params![book, &customer],
    )?;
    rows.iter().map(card_row).collect()
}

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: CardId) -> Result<Option<SavedCard>> {
    let row = tx.query_opt(
        "SELECT card_id, customer_id, method, brand, last_four, expiry_year, expiry_month, state
         FROM saved_card WHERE book_id = $1 AND card_id = $2",
        params![book, &id],
    )?;
    row.as_ref().map(card_row).transpose()
}

pub(super) fn by_method(tx: &mut dyn Read, book: i64, method: &str) -> Result<Vec<SavedCard>> {
    let rows = tx.query(
        "SELECT card_id, customer_id, method, brand, last_four, expiry_year, expiry_month, state
         FROM saved_card WHERE book_id = $1 AND method = $2 ORDER BY card_id LIMIT 1000",
        params![book, method],
    )?;
    rows.iter().map(card_row).collect()
}

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, card: &SavedCard) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO saved_card (book_id, card_id, customer_id, method, brand, last_four,
           expiry_year, expiry_month, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            book,
            &card.id,
            &card.customer,
            &card.method,
            &card.looks.brand,
            &card.looks.last_four,
            card.looks.expiry_year,
            card.looks.expiry_month,
            card.state.name(),
            now.0
        ],
    )
}

pub(super) fn set_looks(tx: &mut Tx<'_>, book: i64, id: CardId, looks: &Looks) -> Result<()> {
    tx.put(
        "UPDATE saved_card SET brand = $3, last_four = $4, expiry_year = $5, expiry_month = $6
         WHERE book_id = $1 AND card_id = $2",
        params![
            book,
            &id,
            &looks.brand,
            &looks.last_four,
            looks.expiry_year,
            looks.expiry_month
        ],
    )
}

pub(super) fn set_state(tx: &mut Tx<'_>, book: i64, id: CardId, state: CardState) -> Result<()> {
    tx.put(
        "UPDATE saved_card SET state = $3 WHERE book_id = $1 AND card_id = $2",
        params![book, &id, state.name()],
    )
}

pub(super) fn delete(tx: &mut Tx<'_>, book: i64, id: CardId) -> Result<()> {
    tx.put(
        "DELETE FROM saved_card WHERE book_id = $1 AND card_id = $2",
        params![book, &id],
    )
}

pub(super) fn forget(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    for sql in [
        "DELETE FROM saved_card WHERE book_id = $1 AND customer_id = $2",
        "DELETE FROM card_holder WHERE book_id = $1 AND customer_id = $2",
        "DELETE FROM top_up WHERE book_id = $1 AND customer_id = $2",
    ] {
        tx.put(sql, params![book, &customer])?;
    }
    Ok(())
}

fn payment_row(row: &Row) -> Result<Payment> {
    let order = Payable::from_row(row, 0)?;
    Ok(Payment {
        order,
        name: row.text(2)?.to_owned(),
        state: PaymentState::parse(row.text(3)?)
            .map_err(|e| Error::Corrupt(format!("payment of {order}: {e}")))?,
        created_at: Timestamp(row.int(4)?),
    })
}

/// Inserts a payment, or finds the one that was first.
pub(super) fn payment_first(
    tx: &mut Tx<'_>,
    book: i64,
    order: Payable,
    name: &str,
) -> Result<Payment> {
    let now = tx.now();
    let rows = tx.execute_returning(
        "INSERT INTO card_payment (book_id, paid, paid_id, payment, state, created_at)
         VALUES ($1, $2, $3, $4, 'begun', $5)
         ON CONFLICT (book_id, paid_id) DO UPDATE SET payment = card_payment.payment
         RETURNING paid, paid_id, payment, state, created_at",
        params![book, order.kind(), order.uuid(), name, now.0],
    )?;
    let row = rows.first();
    payment_row(row.ok_or_else(|| Error::Corrupt(format!("no payment of {order}")))?)
}

pub(super) fn payment(tx: &mut dyn Read, book: i64, order: Payable) -> Result<Option<Payment>> {
    let row = tx.query_opt(
        "SELECT paid, paid_id, payment, state, created_at FROM card_payment
         WHERE book_id = $1 AND paid_id = $2",
        params![book, order.uuid()],
    )?;
    row.as_ref().map(payment_row).transpose()
}

pub(super) fn payment_named(tx: &mut dyn Read, book: i64, name: &str) -> Result<Option<Payment>> {
    let row = tx.query_opt(
        "SELECT paid, paid_id, payment, state, created_at FROM card_payment
         WHERE book_id = $1 AND payment = $2 LIMIT 1",
        params![book, name],
    )?;
    row.as_ref().map(payment_row).transpose()
}

pub(super) fn set_payment_state(
    tx: &mut Tx<'_>,
    book: i64,
    order: Payable,
    state: PaymentState,
) -> Result<()> {
    tx.put(
        "UPDATE card_payment SET state = $3 WHERE book_id = $1 AND paid_id = $2
           AND state <> 'returned' AND (state <> 'return_due' OR $3 = 'returned')",
        params![book, order.uuid(), state.name()],
    )
}

pub(super) fn payments_to_return(tx: &mut dyn Read, book: i64) -> Result<Vec<Payment>> {
    let rows = tx.query(
        "SELECT paid, paid_id, payment, state, created_at FROM card_payment
         WHERE book_id = $1 AND state = 'return_due' ORDER BY paid_id LIMIT $2",
        params![book, RETURNS_AT_ONCE],
    )?;
    rows.iter().map(payment_row).collect()
}
