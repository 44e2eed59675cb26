//! The table of money that is to be paid back.

use super::{Payback, PaybackState, Way};
use crate::id::{CustomerId, TokenOrderId};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

macro_rules! paybacks {
    ($rest:literal) => {
        concat!(
            "SELECT token_order_id, customer_id, amount, processor_reference, created_at, state,
                    way, reference, asked_by, refusal, settled_by, settled_at, came_entry_id,
                    back_entry_id
             FROM payback WHERE book_id = $1 ",
            $rest
        )
    };
}

fn payback_row(row: &Row) -> Result<Payback> {
    let order = TokenOrderId::from_row(row, 0)?;
    let wrong = |e| Error::Corrupt(format!("pay-back of {order}: {e}"));
    let way = row.opt_text(6)?.map(Way::parse).transpose();
    Ok(Payback {
        order,
        customer: CustomerId::from_row(row, 1)?,
        amount: Amount::from_units(row.int(2)?),
        payment: row.text(3)?.to_owned(),
        created_at: Timestamp(row.int(4)?),
        state: PaybackState::parse(row.text(5)?).map_err(wrong)?,
        way: way.map_err(wrong)?,
        reference: row.text(7)?.to_owned(),
        asked_by: row.opt_text(8)?.unwrap_or_default().to_owned(),
        refusal: row.text(9)?.to_owned(),
        settled_by: row.opt_text(10)?.unwrap_or_default().to_owned(),
        settled_at: row.opt_int(11)?.map(Timestamp),
        came_entry: row.opt_int(12)?,
        back_entry: row.opt_int(13)?,
    })
}

pub(super) fn by_order(
    tx: &mut dyn Read,
    book: i64,
    order: TokenOrderId,
) -> Result<Option<Payback>> {
    let row = tx.query_opt(paybacks!("AND token_order_id = $2"), params![book, &order])?;
    row.as_ref().map(payback_row).transpose()
}

pub(super) fn by_order_locked(
    tx: &mut Tx<'_>,
    book: i64,
    order: TokenOrderId,
) -> Result<Option<Payback>> {
    let rows = tx.query_locked(paybacks!("AND token_order_id = $2"), params![book, &order])?;
    rows.first().map(payback_row).transpose()
}

/// What is not settled, oldest first.
pub(super) fn open(tx: &mut dyn Read, book: i64, limit: i64) -> Result<Vec<Payback>> {
    let rows = tx.query(
        paybacks!("AND state IN ('due', 'asked') ORDER BY created_at, token_order_id LIMIT $2"),
        params![book, limit],
    )?;
    rows.iter().map(payback_row).collect()
}

pub(super) fn asked(tx: &mut dyn Read, book: i64) -> Result<Vec<Payback>> {
    let rows = tx.query(
        paybacks!("AND state = 'asked' ORDER BY created_at, token_order_id"),
        params![book],
    )?;
    rows.iter().map(payback_row).collect()
}

pub(super) fn settled(
    tx: &mut dyn Read,
    book: i64,
    before: Option<TokenOrderId>,
    limit: i64,
) -> Result<Vec<Payback>> {
    let before = before.unwrap_or(TokenOrderId(uuid::Uuid::max()));
    let rows = tx.query(
        paybacks!(
            "AND token_order_id < $2 AND state = 'settled'
             ORDER BY token_order_id DESC LIMIT $3"
        ),
        params![book, &before, limit],
    )?;
    rows.iter().map(payback_row).collect()
}

pub(super) fn all(tx: &mut dyn Read, book: i64) -> Result<Vec<Payback>> {
    let rows = tx.query(paybacks!("ORDER BY token_order_id"), params![book])?;
    rows.iter().map(payback_row).collect()
}

pub(super) fn update(tx: &mut Tx<'_>, book: i64, payback: &Payback) -> Result<()> {
    let now = tx.now();
    let said = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
    let (asked_by, settled_by) = (said(&payback.asked_by), said(&payback.settled_by));
    let asked_at = asked_by.as_ref().map(|_| now.0);
    tx.put(
        "UPDATE payback SET state = $3, way = $4, reference = $5, asked_by = $6, refusal = $7,
                settled_by = $8, settled_at = $9, came_entry_id = $10, back_entry_id = $11,
                asked_at = COALESCE(asked_at, $12)
         WHERE book_id = $1 AND token_order_id = $2",
        params![
            book,
            &payback.order,
            payback.state.name(),
            payback.way.map(Way::name),
            &payback.reference,
            asked_by.as_deref(),
            &payback.refusal,
            settled_by.as_deref(),
            payback.settled_at.map(|at| at.0),
            payback.came_entry,
            payback.back_entry,
            asked_at
        ],
    )
}
