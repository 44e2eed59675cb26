//! What the checks read.

use super::Moved;
use crate::tax::contained;
use scrip_engine::{Error, Read, ReadTx, Result, params};
use scrip_ledger::Amount;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What each entry moved of tokens (transfers that name a grant).
pub(super) fn moved(tx: &mut ReadTx<'_>, book: i64) -> Result<BTreeMap<i64, Moved>> {
    let mut entries = BTreeMap::new();
    tx.query_each(
        "SELECT entry_id, code, event_id FROM entry WHERE book_id = $1",
        params![book],
        &mut |row| {
            let code = row.text(1)?.to_owned();
            let moved = Moved {
                code,
                event_id: row.uuid(2)?,
                tokens: Amount::ZERO,
            };
            entries.insert(row.int(0)?, moved);
            Ok(())
        },
    )?;
    tx.query_each(
        "SELECT entry_id, amount FROM transfer WHERE book_id = $1 AND grant_id IS NOT NULL",
        params![book],
        &mut |row| {
            if let Some(entry) = entries.get_mut(&row.int(0)?) {
                entry.tokens = add(entry.tokens, row.int(1)?)?;
            }
            Ok(())
        },
    )?;
    Ok(entries)
}

fn add(sum: Amount, units: i64) -> Result<Amount> {
    sum.plus(Amount::from_units(units))
        .map_err(|e| Error::Corrupt(e.to_string()))
}

pub(super) struct Order {
    pub id: Uuid,
    pub completed: bool,
    pub total: Amount,
    pub lines: i64,
    pub entry_id: Option<i64>,
}

pub(super) fn orders(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Order>> {
    let mut orders = Vec::new();
    tx.query_each(
        "SELECT order_id, state, total, lines, entry_id FROM orders WHERE book_id = $1",
        params![book],
        &mut |row| {
            orders.push(Order {
                id: row.uuid(0)?,
                completed: row.text(1)? == "completed",
                total: Amount::from_units(row.int(2)?),
                lines: row.int(3)?,
                entry_id: row.opt_int(4)?,
            });
            Ok(())
        },
    )?;
    Ok(orders)
}

/// order -> how many lines it has, and their sum.
pub(super) fn line_totals(tx: &mut ReadTx<'_>, book: i64) -> Result<BTreeMap<Uuid, (i64, Amount)>> {
    let mut totals: BTreeMap<Uuid, (i64, Amount)> = BTreeMap::new();
    tx.query_each(
        "SELECT order_id, amount FROM order_line WHERE book_id = $1",
        params![book],
        &mut |row| {
            let total = totals.entry(row.uuid(0)?).or_default();
            *total = (total.0.saturating_add(1), add(total.1, row.int(1)?)?);
            Ok(())
        },
    )?;
    Ok(totals)
}

/// Lines that say another tax than their rate makes of their amount.
pub(super) fn taxes_wrong(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<(Uuid, i64)>> {
    let mut wrong = Vec::new();
    tx.query_each(
        "SELECT order_id, line_no, amount, tax_rate, tax FROM order_line
         WHERE book_id = $1 AND (tax_name <> '' OR tax <> 0)",
        params![book],
        &mut |row| {
            let tax = contained(Amount::from_units(row.int(2)?), row.int(3)?);
            if tax.ok() != Some(Amount::from_units(row.int(4)?)) {
                wrong.push((row.uuid(0)?, row.int(1)?));
            }
            Ok(())
        },
    )?;
    Ok(wrong)
}

/// Lines of refunds that do not give back the tax that was in them. Of a line that came back in
/// parts, the parts make up the tax of all of them.
pub(super) fn taxes_back_wrong(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<(Uuid, i64)>> {
    let mut back: BTreeMap<(Uuid, i64), (Amount, Amount, i64)> = BTreeMap::new();
    tx.query_each(
        "SELECT b.order_id, b.line_no, b.amount, b.tax, l.tax_rate FROM refund_line b
         JOIN order_line l ON l.book_id = b.book_id AND l.order_id = b.order_id
            AND l.line_no = b.line_no
         WHERE b.book_id = $1 AND (l.tax_name <> '' OR b.tax <> 0)",
        params![book],
        &mut |row| {
            let sums = back.entry((row.uuid(0)?, row.int(1)?)).or_default();
            *sums = (
                add(sums.0, row.int(2)?)?,
                add(sums.1, row.int(3)?)?,
                row.int(4)?,
            );
            Ok(())
        },
    )?;
    let is_wrong =
        |(amount, tax, rate): &(Amount, Amount, i64)| contained(*amount, *rate).ok() != Some(*tax);
    let wrong = back.into_iter().filter(|(_, sums)| is_wrong(sums));
    Ok(wrong.map(|(line, _)| line).collect())
}

pub(super) struct Refund {
    pub order: Uuid,
    pub no: i64,
    pub entry_id: i64,
    pub amount: Amount,
    /// The sum of its lines.
    pub lines: Amount,
}

pub(super) fn refunds(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Refund>> {
    let mut lines: BTreeMap<(Uuid, i64), Amount> = BTreeMap::new();
    tx.query_each(
        "SELECT order_id, refund_no, amount FROM refund_line WHERE book_id = $1",
        params![book],
        &mut |row| {
            let sum = lines.entry((row.uuid(0)?, row.int(1)?)).or_default();
            *sum = add(*sum, row.int(2)?)?;
            Ok(())
        },
    )?;
    let rows = tx.query(
        "SELECT order_id, refund_no, entry_id, amount FROM refund WHERE book_id = $1
         ORDER BY order_id, refund_no",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            let key = (row.uuid(0)?, row.int(1)?);
            Ok(Refund {
                order: key.0,
                no: key.1,
                entry_id: row.int(2)?,
                amount: Amount::from_units(row.int(3)?),
                lines: lines.get(&key).copied().unwrap_or_default(),
            })
        })
        .collect()
}

/// Token orders that credited tokens, or should have.
pub(super) fn credited_token_orders(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Order>> {
    let rows = tx.query(
        "SELECT token_order_id, quantity, entry_id FROM token_order
         WHERE book_id = $1 AND (state = 'cleared' OR entry_id IS NOT NULL)",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Order {
                id: row.uuid(0)?,
                completed: true,
                total: Amount::from_units(row.int(1)?),
                lines: 0,
                entry_id: row.opt_int(2)?,
            })
        })
        .collect()
}

/// What an off-line order says of its money.
#[derive(Clone, Copy, Default)]
pub(super) struct Money {
    pub paid: Amount,
    pub owed: Amount,
}

/// Off-line orders with their money.
pub(super) fn offline_orders(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<(Uuid, Money)>> {
    let rows = tx.query(
        "SELECT token_order_id, paid, owed FROM token_order
         WHERE book_id = $1 AND means <> 'card'",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            let money = Money {
                paid: Amount::from_units(row.int(1)?),
                owed: Amount::from_units(row.int(2)?),
            };
            Ok((row.uuid(0)?, money))
        })
        .collect()
}

/// order -> what its payments make, and what its entries left in the receivable account.
pub(super) fn offline_money(tx: &mut ReadTx<'_>, book: i64) -> Result<BTreeMap<Uuid, Money>> {
    let mut all: BTreeMap<Uuid, Money> = BTreeMap::new();
    tx.query_each(
        "SELECT token_order_id, amount FROM token_payment WHERE book_id = $1",
        params![book],
        &mut |row| {
            let money = all.entry(row.uuid(0)?).or_default();
            money.paid = add(money.paid, row.int(1)?)?;
            Ok(())
        },
    )?;
    let accounts = tx.query(
        "SELECT account_id FROM account WHERE book_id = $1 AND kind = 'receivable'",
        params![book],
    )?;
    for account in &accounts {
        let account = account.int(0)?;
        tx.query_each(
            "SELECT e.event_id, t.amount, t.debit_id FROM transfer t
             JOIN entry e ON e.book_id = t.book_id AND e.entry_id = t.entry_id
             WHERE t.book_id = $1 AND (t.debit_id = $2 OR t.credit_id = $2)",
            params![book, account],
            &mut |row| {
                let money = all.entry(row.uuid(0)?).or_default();
                let amount = row.int(1)?;
                let debited = row.int(2)? == account;
                money.owed = add(
                    money.owed,
                    if debited {
                        amount
                    } else {
                        amount.saturating_neg()
                    },
                )?;
                Ok(())
            },
        )?;
    }
    Ok(all)
}

/// Wallets whose account is not in this book's ledger: (customer, account).
pub(super) fn dangling_wallets(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<(Uuid, i64)>> {
    let rows = tx.query(
        "SELECT w.customer_id, w.account_id FROM wallet_link w
         LEFT JOIN account a ON a.book_id = w.debtor_book AND a.account_id = w.account_id
         WHERE w.book_id = $1 AND w.debtor_book = $1 AND a.account_id IS NULL",
        params![book],
    )?;
    rows.iter()
        .map(|row| Ok((row.uuid(0)?, row.int(1)?)))
        .collect()
}

/// A transfer of an entry of one code.
pub(super) struct MovedBy {
    pub entry: i64,
    pub transfer: i64,
    pub recorded_at: i64,
    pub debit: String,
    pub credit: String,
    pub amount: Amount,
    /// Of the grant that moved.
    pub expires_at: Option<i64>,
}

/// SQLite takes the tables of a CROSS JOIN in their order: from entries to their transfers, not
/// from each transfer to all entries before it.
pub(super) fn moved_by(tx: &mut ReadTx<'_>, book: i64, code: &str) -> Result<Vec<MovedBy>> {
    let rows = tx.query(
        "SELECT e.entry_id, t.transfer_id, e.recorded_at, d.kind, c.kind, t.amount, g.expires_at
         FROM entry e
         CROSS JOIN transfer t
         JOIN account d ON d.book_id = t.book_id AND d.account_id = t.debit_id
         JOIN account c ON c.book_id = t.book_id AND c.account_id = t.credit_id
         LEFT JOIN token_grant g ON g.book_id = t.book_id AND g.grant_id = t.grant_id
         WHERE e.book_id = $1 AND e.code = $2
           AND t.book_id = e.book_id AND t.transfer_id >= e.entry_id
           AND t.transfer_id < e.entry_id + e.transfers",
        params![book, code],
    )?;
    rows.iter()
        .map(|row| {
            Ok(MovedBy {
                entry: row.int(0)?,
                transfer: row.int(1)?,
                recorded_at: row.int(2)?,
                debit: row.text(3)?.to_owned(),
                credit: row.text(4)?.to_owned(),
                amount: Amount::from_units(row.int(5)?),
                expires_at: row.opt_int(6)?,
            })
        })
        .collect()
}

/// A booking of revenue: its day, its entry, earned and broken.
pub(super) type Booked = (i64, Option<i64>, [Amount; 2]);

/// The bookings of revenue.
pub(super) fn bookings(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Booked>> {
    let rows = tx.query(
        "SELECT until_day, entry_id, earned, breakage FROM revenue_close
         WHERE book_id = $1 ORDER BY until_day",
        params![book],
    )?;
    let amount = |row: &scrip_engine::Row, i| Ok::<_, Error>(Amount::from_units(row.int(i)?));
    rows.iter()
        .map(|row| {
            Ok((
                row.int(0)?,
                row.opt_int(1)?,
                [amount(row, 2)?, amount(row, 3)?],
            ))
        })
        .collect()
}

/// An order that a card was to pay and that has its answer.
pub(super) struct CardOrder {
    pub id: Uuid,
    pub is_paid: bool,
    pub price: Amount,
    pub entry_id: i64,
    /// The entry that the order itself names.
    pub order_entry: Option<i64>,
    pub refund_entry: Option<i64>,
}

/// A part of the payment of an open order.
pub(super) struct OpenPart {
    pub account: i64,
    pub amount: Amount,
    pub surplus: Amount,
    pub event: Uuid,
    pub is_back: bool,
}

/// An order that open tokens paid.
pub(super) struct OpenOrder {
    pub id: Uuid,
    pub mall: i64,
    pub price: Amount,
    pub is_reversed: bool,
    pub parts: Vec<OpenPart>,
}

/// The orders that open tokens paid, with their parts.
pub(super) fn open_orders(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<OpenOrder>> {
    let rows = tx.query(
        "SELECT o.order_id, o.mall_book, o.price, o.state, p.account_id, p.amount, p.surplus,
                p.event_id, p.reversed_by
         FROM open_order o
         JOIN open_part p ON p.book_id = o.book_id AND p.order_id = o.order_id
         WHERE o.book_id = $1 ORDER BY o.order_id, p.part_no",
        params![book],
    )?;
    let mut orders: Vec<OpenOrder> = Vec::new();
    for row in &rows {
        let id = row.uuid(0)?;
        let part = OpenPart {
            account: row.int(4)?,
            amount: Amount::from_units(row.int(5)?),
            surplus: Amount::from_units(row.int(6)?),
            event: row.uuid(7)?,
            is_back: row.opt_uuid(8)?.is_some(),
        };
        match orders.last_mut().filter(|order| order.id == id) {
            Some(order) => order.parts.push(part),
            None => orders.push(OpenOrder {
                id,
                mall: row.int(1)?,
                price: Amount::from_units(row.int(2)?),
                is_reversed: row.text(3)? == "reversed",
                parts: vec![part],
            }),
        }
    }
    Ok(orders)
}

/// The orders that open tokens paid.
pub(super) fn paid_open(tx: &mut ReadTx<'_>, book: i64) -> Result<BTreeSet<Uuid>> {
    let rows = tx.query(
        "SELECT order_id FROM open_order WHERE book_id = $1",
        params![book],
    )?;
    rows.iter().map(|row| row.uuid(0)).collect()
}

/// order -> how a card paid it, or did not.
pub(super) fn card_orders(tx: &mut ReadTx<'_>, book: i64) -> Result<BTreeMap<Uuid, CardOrder>> {
    let mut found = BTreeMap::new();
    tx.query_each(
        "SELECT c.order_id, c.card_order_id, c.state, c.price, c.entry_id, o.entry_id, r.entry_id
         FROM card_order c
         LEFT JOIN orders o ON o.book_id = c.book_id AND o.order_id = c.order_id
         LEFT JOIN card_refund r ON r.book_id = c.book_id AND r.card_order_id = c.card_order_id
         WHERE c.book_id = $1 AND c.state <> 'awaiting'",
        params![book],
        &mut |row| {
            let id = row.uuid(1)?;
            let order = CardOrder {
                id,
                is_paid: row.text(2)? == "completed",
                price: Amount::from_units(row.int(3)?),
                entry_id: row.int(4)?,
                order_entry: row.opt_int(5)?,
                refund_entry: row.opt_int(6)?,
            };
            // One without an order is found by its own id, and is wrong.
            found.insert(row.opt_uuid(0)?.unwrap_or(id), order);
            Ok(())
        },
    )?;
    Ok(found)
}

/// entry -> money that it brought to the accounts of sales by card, less what it took.
pub(super) fn sales_moved(tx: &mut ReadTx<'_>, book: i64) -> Result<BTreeMap<i64, Amount>> {
    let mut moved: BTreeMap<i64, Amount> = BTreeMap::new();
    let accounts = tx.query(
        "SELECT a.account_id FROM account a
         LEFT JOIN open_money m ON m.book_id = a.book_id AND m.sales = a.account_id
         WHERE a.book_id = $1 AND a.kind = 'sales' AND m.book_id IS NULL",
        params![book],
    )?;
    for account in &accounts {
        let account = account.int(0)?;
        tx.query_each(
            "SELECT entry_id, amount, credit_id FROM transfer
             WHERE book_id = $1 AND (debit_id = $2 OR credit_id = $2)",
            params![book, account],
            &mut |row| {
                let sum = moved.entry(row.int(0)?).or_default();
                let amount = row.int(1)?;
                let credited = row.int(2)? == account;
                *sum = add(
                    *sum,
                    if credited {
                        amount
                    } else {
                        amount.saturating_neg()
                    },
                )?;
                Ok(())
            },
        )?;
    }
    Ok(moved)
}

fn ids(tx: &mut ReadTx<'_>, book: i64, sql: &'static str) -> Result<Vec<Uuid>> {
    let rows = tx.query(sql, params![book])?;
    rows.iter().map(|row| row.uuid(0)).collect()
}

/// Offers with a reservation that their stock row does not know of.
pub(super) fn reserved_longer(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Uuid>> {
    ids(
        tx,
        book,
        "SELECT r.offer_id FROM reservation r
         JOIN stock s ON s.book_id = r.book_id AND s.offer_id = r.offer_id
         WHERE r.book_id = $1 AND r.ends_at > s.reserved_until ORDER BY r.offer_id",
    )
}

/// Orders with a parcel that were not paid.
pub(super) fn sent_unpaid(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Uuid>> {
    ids(
        tx,
        book,
        "SELECT p.order_id FROM shipment p
         LEFT JOIN orders o ON o.book_id = p.book_id AND o.order_id = p.order_id
            AND o.state = 'completed'
         WHERE p.book_id = $1 AND o.order_id IS NULL ORDER BY p.order_id",
    )
}
