//! The tables of orders that open tokens paid.

use super::Result;
use crate::id::{CustomerId, OrderId};
use crate::open_token::OpenKind;
use scrip_engine::{Read, Row, Store, Tx, params};
use scrip_ledger::Amount;
use uuid::Uuid;

/// An order that open tokens paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// The order, in the seller's book.
    pub order_id: OrderId,
    /// The mall's book.
    pub mall_book: i64,
    /// The customer's home.
    pub home_book: i64,
    /// The customer there.
    pub customer_id: CustomerId,
    /// What it cost, in the mall's currency.
    pub price: Amount,
    /// What one of the seller's tokens was worth then.
    pub value: Amount,
    /// True when the payment was taken back.
    pub is_reversed: bool,
    /// How often what pays was changed (OPN-23).
    pub switches: i64,
}

/// A part of its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPart {
    /// Counts from 1; parts that replaced others come after them.
    pub number: i64,
    /// What kind of token.
    pub kind: OpenKind,
    /// The type.
    pub asset_id: i64,
    /// The book that owed it.
    pub debtor: i64,
    /// The account in the mall's book.
    pub account: i64,
    /// What it paid.
    pub amount: Amount,
    /// What a certificate left over.
    pub surplus: Amount,
    /// Where that went, if not in cash.
    pub surplus_account: Option<i64>,
    /// What the debtor kept.
    pub service: Amount,
    /// What the mall kept.
    pub royalty: Amount,
    /// The event, in all three books.
    pub event_id: Uuid,
    /// The event by which it was taken back.
    pub reversed_by: Option<Uuid>,
}

pub(super) fn insert(tx: &mut Tx<'_>, seller: i64, order: &OpenOrder) -> Result<()> {
    tx.put(
        "INSERT INTO open_order (book_id, order_id, mall_book, home_book, customer_id, price, value,
                                 state, switches)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'paid', $8)",
        params![
            seller,
            &order.order_id,
            order.mall_book,
            order.home_book,
            &order.customer_id,
            order.price.units(),
            order.value.units(),
            order.switches
        ],
    )?;
    Ok(())
}

pub(super) fn insert_part(
    tx: &mut Tx<'_>,
    seller: i64,
    order: OrderId,
    part: &OpenPart,
) -> Result<()> {
    tx.put(
        "INSERT INTO open_part (book_id, order_id, part_no, kind, asset_id, debtor_book, account_id,
                                amount, surplus, surplus_account, service, royalty, event_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params![
            seller,
            &order,
            part.number,
            part.kind.name(),
            part.asset_id,
            part.debtor,
            part.account,
            part.amount.units(),
            part.surplus.units(),
            part.surplus_account,
            part.service.units(),
            part.royalty.units(),
            &part.event_id
        ],
    )?;
    Ok(())
}

fn order_row(row: &Row) -> Result<OpenOrder> {
    Ok(OpenOrder {
        order_id: OrderId::from_row(row, 0)?,
        mall_book: row.int(1)?,
        home_book: row.int(2)?,
        customer_id: CustomerId::from_row(row, 3)?,
        price: Amount::from_units(row.int(4)?),
        value: Amount::from_units(row.int(5)?),
        is_reversed: row.text(6)? == "reversed",
        switches: row.int(7)?,
    })
}

const ORDER: &str = "SELECT order_id, mall_book, home_book, customer_id, price, value, state,
        switches
    FROM open_order WHERE book_id = $1 AND order_id = $2";

pub(super) fn order_locked(
    tx: &mut Tx<'_>,
    seller: i64,
    order: OrderId,
) -> Result<Option<OpenOrder>> {
    let rows = tx.query_locked(ORDER, params![seller, &order])?;
    rows.first().map(order_row).transpose()
}

/// An order that open tokens paid, with the parts of its payment; `None` for any other order.
pub fn open_order(
    tx: &mut dyn Read,
    seller: i64,
    order: OrderId,
) -> Result<Option<(OpenOrder, Vec<OpenPart>)>> {
    let row = tx.query_opt(ORDER, params![seller, &order])?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((order_row(&row)?, parts(tx, seller, order)?)))
}

/// The orders that customers of other members paid at a seller, newest first.
pub fn open_orders_of(tx: &mut dyn Read, seller: i64, limit: i64) -> Result<Vec<OpenOrder>> {
    let rows = tx.query(
        "SELECT order_id, mall_book, home_book, customer_id, price, value, state, switches
         FROM open_order WHERE book_id = $1 ORDER BY order_id DESC LIMIT $2",
        params![seller, limit],
    )?;
    rows.iter().map(order_row).collect()
}

pub(super) fn parts(tx: &mut dyn Read, seller: i64, order: OrderId) -> Result<Vec<OpenPart>> {
    let rows = tx.query(
        "SELECT part_no, kind, asset_id, debtor_book, account_id, amount, surplus, surplus_account,
                service, royalty, event_id, reversed_by
         FROM open_part WHERE book_id = $1 AND order_id = $2 ORDER BY part_no",
        params![seller, &order],
    )?;
    let each = rows.iter().map(|row| {
        Ok(OpenPart {
            number: row.int(0)?,
            kind: OpenKind::parse(row.text(1)?)?,
            asset_id: row.int(2)?,
            debtor: row.int(3)?,
            account: row.int(4)?,
            amount: Amount::from_units(row.int(5)?),
            surplus: Amount::from_units(row.int(6)?),
            surplus_account: row.opt_int(7)?,
            service: Amount::from_units(row.int(8)?),
            royalty: Amount::from_units(row.int(9)?),
            event_id: row.uuid(10)?,
            reversed_by: row.opt_uuid(11)?,
        })
    });
    each.collect()
}

pub(super) fn part_reversed(
    tx: &mut Tx<'_>,
    seller: i64,
    order: OrderId,
    part: i64,
    by: Uuid,
) -> Result<()> {
    tx.put(
        "UPDATE open_part SET reversed_by = $4
         WHERE book_id = $1 AND order_id = $2 AND part_no = $3",
        params![seller, &order, part, &by],
    )?;
    Ok(())
}

pub(super) fn set_reversed(tx: &mut Tx<'_>, seller: i64, order: OrderId) -> Result<()> {
    tx.put(
        "UPDATE open_order SET state = 'reversed' WHERE book_id = $1 AND order_id = $2",
        params![seller, &order],
    )?;
    Ok(())
}

pub(super) fn set_switched(tx: &mut Tx<'_>, seller: i64, order: OrderId) -> Result<()> {
    tx.put(
        "UPDATE open_order SET switches = switches + 1 WHERE book_id = $1 AND order_id = $2",
        params![seller, &order],
    )?;
    Ok(())
}
