//! The tables of exchanges and visitors.

use super::{ExchangeQuote, Result};
use crate::customer::Customer;
use crate::id::{CustomerId, ExchangeId};
use scrip_engine::{Read, Store, Tx, params};
use scrip_ledger::Amount;

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, quote: &ExchangeQuote) -> Result<()> {
    tx.put(
        "INSERT INTO exchange (book_id, exchange_id, customer_id, target_book, tokens, value_from,
                               value_to, charge, receives, state, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'quoted', $10)",
        params![
            book,
            &quote.exchange_id,
            &quote.customer_id,
            quote.target_book,
            quote.tokens.units(),
            quote.value_from.units(),
            quote.value_to.units(),
            quote.charge.units(),
            quote.receives.units(),
            quote.expires_at
        ],
    )?;
    Ok(())
}

/// A quote, locked, and whether it was used.
pub(super) fn locked(
    tx: &mut Tx<'_>,
    book: i64,
    id: ExchangeId,
) -> Result<Option<(ExchangeQuote, bool)>> {
    let rows = tx.query_locked(
        "SELECT customer_id, target_book, tokens, value_from, value_to, charge, receives,
                expires_at, state
         FROM exchange WHERE book_id = $1 AND exchange_id = $2",
        params![book, &id],
    )?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let amount = |column| Ok::<_, scrip_engine::Error>(Amount::from_units(row.int(column)?));
    let quote = ExchangeQuote {
        exchange_id: id,
        customer_id: CustomerId::from_row(row, 0)?,
        target_book: row.int(1)?,
        tokens: amount(2)?,
        value_from: amount(3)?,
        value_to: amount(4)?,
        charge: amount(5)?,
        receives: amount(6)?,
        expires_at: row.int(7)?,
    };
    Ok(Some((quote, row.text(8)? == "done")))
}

pub(super) fn set_done(
    tx: &mut Tx<'_>,
    book: i64,
    id: ExchangeId,
    visitor: CustomerId,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE exchange SET state = 'done', visitor = $3, done_at = $4
         WHERE book_id = $1 AND exchange_id = $2",
        params![book, &id, &visitor, now.0],
    )?;
    Ok(())
}

pub(super) fn visitor(tx: &mut dyn Read, book: i64, home: &Customer) -> Result<Option<CustomerId>> {
    let row = tx.query_opt(
        "SELECT customer_id FROM visitor
         WHERE book_id = $1 AND home_book = $2 AND home_customer = $3",
        params![book, home.book_id, &home.customer_id],
    )?;
    Ok(row.map(|row| CustomerId::from_row(&row, 0)).transpose()?)
}

pub(super) fn insert_visitor(
    tx: &mut Tx<'_>,
    book: i64,
    home: &Customer,
    visitor: CustomerId,
) -> Result<()> {
    tx.put(
        "INSERT INTO visitor (book_id, home_book, home_customer, customer_id)
         VALUES ($1, $2, $3, $4)",
        params![book, home.book_id, &home.customer_id, &visitor],
    )?;
    Ok(())
}

/// The home of a visitor, and the customer there.
pub(super) fn home_of(
    tx: &mut dyn Read,
    book: i64,
    visitor: CustomerId,
) -> Result<Option<(i64, CustomerId)>> {
    let row = tx.query_opt(
        "SELECT home_book, home_customer FROM visitor WHERE book_id = $1 AND customer_id = $2",
        params![book, &visitor],
    )?;
    let row = row.map(|row| Ok((row.int(0)?, CustomerId::from_row(&row, 1)?)));
    row.transpose()
}
