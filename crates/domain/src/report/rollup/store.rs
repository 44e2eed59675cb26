//! The tables of what is kept added up, and what is looked up for it.

use super::super::calendar::{Day, Zone};
use super::{Flow, Goods, GoodsKey, Held, HeldKey, Tally};
use crate::id::{OfferId, ids_between};
use scrip_engine::{Error, Param, Query, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::{Amount, GrantInfo, Origin, Result as LedgerResult, grants_stored};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// (last seal, time zone).
pub(super) fn mark(tx: &mut dyn Read, book: i64) -> Result<Option<(i64, String)>> {
    let row = tx.query_opt(
        "SELECT seal_no, zone FROM report_mark WHERE book_id = $1",
        params![book],
    )?;
    row.map(|row| Ok((row.int(0)?, row.text(1)?.to_owned())))
        .transpose()
}

pub(super) fn set_mark(tx: &mut Tx<'_>, book: i64, seal_no: i64, zone: &str) -> Result<()> {
    tx.put(
        "INSERT INTO report_mark (book_id, seal_no, zone) VALUES ($1, $2, $3)
         ON CONFLICT (book_id) DO UPDATE SET seal_no = excluded.seal_no, zone = excluded.zone",
        params![book, seal_no, zone],
    )
}

/// Forgets everything of a book.
pub(super) fn forget(tx: &mut Tx<'_>, book: i64) -> Result<()> {
    for sql in [
        "DELETE FROM report_flow WHERE book_id = $1",
        "DELETE FROM report_goods WHERE book_id = $1",
        "DELETE FROM report_held WHERE book_id = $1",
        "DELETE FROM report_grant WHERE book_id = $1",
        "DELETE FROM report_customer WHERE book_id = $1",
    ] {
        tx.execute(sql, params![book])?;
    }
    Ok(())
}

/// The rows of one query for each key, many at a time.
fn for_each_key<K>(
    tx: &mut dyn Read,
    sql: &'static str,
    book: i64,
    keys: impl IntoIterator<Item = K>,
    param: impl for<'k> Fn(&'k K) -> Param<'k>,
    each: &mut dyn FnMut(&K, &Row) -> Result<()>,
) -> Result<()> {
    let keys: Vec<K> = keys.into_iter().collect();
    for some in keys.chunks(500) {
        let params: Vec<[Param<'_>; 2]> =
            some.iter().map(|k| [Param::Int(book), param(k)]).collect();
        let queries: Vec<Query<'_>> = params.iter().map(|p| (sql, &p[..])).collect();
        for (key, rows) in some.iter().zip(tx.query_all(&queries)?) {
            rows.iter().try_for_each(|row| each(key, row))?;
        }
    }
    Ok(())
}

pub(super) fn grants(
    tx: &mut dyn Read,
    book: i64,
    ids: &BTreeSet<i64>,
) -> LedgerResult<HashMap<i64, GrantInfo>> {
    let found = grants_stored(tx, book, ids)?;
    Ok(found.into_iter().map(|g| (g.grant_id, g)).collect())
}

pub(super) fn grants_held(
    tx: &mut dyn Read,
    book: i64,
    ids: &BTreeSet<i64>,
) -> Result<HashMap<i64, Amount>> {
    let mut held = HashMap::new();
    for_each_key(
        tx,
        "SELECT held FROM report_grant WHERE book_id = $1 AND grant_id = $2",
        book,
        ids.iter().copied(),
        |grant| Param::Int(*grant),
        &mut |grant, row| {
            held.insert(*grant, Amount::from_units(row.int(0)?));
            Ok(())
        },
    )?;
    Ok(held)
}

/// What an order bought.
pub(super) struct Bought {
    pub customer: Uuid,
    pub lines: Vec<(OfferId, Goods)>,
}

pub(super) fn bought(
    tx: &mut dyn Read,
    book: i64,
    orders: &[Uuid],
) -> Result<HashMap<Uuid, Bought>> {
    let mut found: HashMap<Uuid, Bought> = HashMap::new();
    for_each_key(
        tx,
        "SELECT customer_id FROM orders WHERE book_id = $1 AND order_id = $2",
        book,
        orders.iter().copied(),
        |order| Param::from(order),
        &mut |order, row| {
            let bought = Bought {
                customer: row.uuid(0)?,
                lines: Vec::new(),
            };
            found.insert(*order, bought);
            Ok(())
        },
    )?;
    for_each_key(
        tx,
        "SELECT offer_id, quantity, amount FROM order_line WHERE book_id = $1 AND order_id = $2",
        book,
        orders.iter().copied(),
        |order| Param::from(order),
        &mut |order, row| {
            if let Some(bought) = found.get_mut(order) {
                bought.lines.push(goods_row(row)?);
            }
            Ok(())
        },
    )?;
    Ok(found)
}

fn goods_row(row: &Row) -> Result<(OfferId, Goods)> {
    let goods = Goods {
        lines: 1,
        pieces: row.int(1)?,
        tokens: Amount::from_units(row.int(2)?),
    };
    Ok((OfferId(row.uuid(0)?), goods))
}

/// What came back by the refunds that some entries paid.
pub(super) fn came_back(
    tx: &mut dyn Read,
    book: i64,
    entries: &[i64],
) -> Result<HashMap<i64, Vec<(OfferId, Goods)>>> {
    let mut found: HashMap<i64, Vec<(OfferId, Goods)>> = HashMap::new();
    for_each_key(
        tx,
        "SELECT s.offer_id, l.quantity, l.amount FROM refund r
         JOIN refund_line l ON l.book_id = r.book_id AND l.order_id = r.order_id
           AND l.refund_no = r.refund_no
         JOIN order_line s ON s.book_id = l.book_id AND s.order_id = l.order_id
           AND s.line_no = l.line_no
         WHERE r.book_id = $1 AND r.entry_id = $2",
        book,
        entries.iter().copied(),
        |entry| Param::Int(*entry),
        &mut |entry, row| {
            found.entry(*entry).or_default().push(goods_row(row)?);
            Ok(())
        },
    )?;
    Ok(found)
}

pub(super) fn customers(
    tx: &mut dyn Read,
    book: i64,
    ids: &HashSet<Uuid>,
) -> Result<HashMap<Uuid, i64>> {
    let mut orders = HashMap::new();
    for_each_key(
        tx,
        "SELECT orders FROM report_customer WHERE book_id = $1 AND customer_id = $2",
        book,
        ids.iter().copied(),
        |customer| Param::from(customer),
        &mut |customer, row| {
            orders.insert(*customer, row.int(0)?);
            Ok(())
        },
    )?;
    Ok(orders)
}

fn day_of(number: i64) -> Result<Day> {
    Day::of_number(number).ok_or_else(|| Error::Corrupt(format!("day {number} of a report")))
}

fn flow_row(row: &Row, at: usize) -> Result<Flow> {
    let amount = |i: usize| Ok::<_, Error>(Amount::from_units(row.int(at.saturating_add(i))?));
    let mut flow = Flow {
        orders: row.int(at)?,
        refunds: row.int(at.saturating_add(1))?,
        money: amount(2)?,
        ..Flow::default()
    };
    for (place, tokens) in (3..).zip(&mut flow.tokens) {
        *tokens = amount(place)?;
    }
    for (place, worth) in (9..).zip(&mut flow.worth) {
        *worth = amount(place)?;
    }
    Ok(flow)
}

/// (day, hour, what counts) from one day on, before another, as numbers.
pub(super) fn flows(
    tx: &mut dyn Read,
    book: i64,
    from: i64,
    to: i64,
) -> Result<Vec<(Day, i64, Flow)>> {
    let rows = tx.query(
        "SELECT day, hour, orders, refunds, money, issued, withdrawn, spent, returned, expired,
                restored, issued_worth, withdrawn_worth, spent_worth, returned_worth,
                expired_worth, restored_worth
         FROM report_flow WHERE book_id = $1 AND day >= $2 AND day < $3",
        params![book, from, to],
    )?;
    rows.iter()
        .map(|row| Ok((day_of(row.int(0)?)?, row.int(1)?, flow_row(row, 2)?)))
        .collect()
}

pub(super) type OfGoods = ((OfferId, i64), Goods);

/// ((offer, band), what was sold) from one period on, before another.
pub(super) fn goods(tx: &mut dyn Read, book: i64, from: i64, to: i64) -> Result<Vec<OfGoods>> {
    let rows = tx.query(
        "SELECT offer_id, band, lines, pieces, tokens FROM report_goods
         WHERE book_id = $1 AND period >= $2 AND period < $3",
        params![book, from, to],
    )?;
    rows.iter()
        .map(|row| {
            let goods = Goods {
                lines: row.int(2)?,
                pieces: row.int(3)?,
                tokens: Amount::from_units(row.int(4)?),
            };
            Ok(((OfferId(row.uuid(0)?), row.int(1)?), goods))
        })
        .collect()
}

/// Lines of orders that moved nothing, which no entry names.
pub(super) fn goods_free(
    tx: &mut dyn Read,
    book: i64,
    zone: &Zone,
    span: (Day, Day),
    each: &mut dyn FnMut(OfferId, Goods) -> Result<()>,
) -> Result<()> {
    let free = orders_free(tx, book, zone.begin(span.0), zone.begin(span.1))?;
    for_each_key(
        tx,
        "SELECT offer_id, quantity, amount FROM order_line WHERE book_id = $1 AND order_id = $2",
        book,
        free.into_iter().map(|(order, _)| order),
        |order| Param::from(order),
        &mut |_, row| {
            let (offer, goods) = goods_row(row)?;
            each(offer, goods)
        },
    )
}

/// (order, when it counts) of orders that moved nothing. Nothing counts from a time to come, so
/// what was written before the span does not.
pub(super) fn orders_free(
    tx: &mut dyn Read,
    book: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Uuid, Timestamp)>> {
    let (low, _) = ids_between(from, to);
    let rows = tx.query(
        "SELECT order_id, effective_at FROM orders
         WHERE book_id = $1 AND order_id >= $2 AND entry_id IS NULL AND state = 'completed'
           AND effective_at >= $3 AND effective_at < $4",
        params![book, &low, from.0, to.0],
    )?;
    rows.iter()
        .map(|row| Ok((row.uuid(0)?, Timestamp(row.int(1)?))))
        .collect()
}

fn origin_of(name: &str) -> Result<Origin> {
    [Origin::Free, Origin::Credit, Origin::Paid]
        .into_iter()
        .find(|origin| origin.name() == name)
        .ok_or_else(|| Error::Corrupt(format!("origin {name:?} of a report")))
}

pub(super) fn held(tx: &mut dyn Read, book: i64) -> Result<BTreeMap<HeldKey, Held>> {
    let rows = tx.query(
        "SELECT granted_day, expires_quarter, origin, tokens, worth FROM report_held
         WHERE book_id = $1",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            let key = (day_of(row.int(0)?)?, row.int(1)?, origin_of(row.text(2)?)?);
            let held = Held {
                tokens: Amount::from_units(row.int(3)?),
                worth: Amount::from_units(row.int(4)?),
            };
            Ok((key, held))
        })
        .collect()
}

/// Adds the stored rows of the same keys to a tally.
pub(super) fn add_stored(tx: &mut dyn Read, book: i64, tally: &mut Tally) -> LedgerResult<()> {
    for ((day, hour), flow) in &mut tally.flows {
        let row = tx.query_opt(
            "SELECT orders, refunds, money, issued, withdrawn, spent, returned, expired, restored,
                    issued_worth, withdrawn_worth, spent_worth, returned_worth, expired_worth,
                    restored_worth
             FROM report_flow WHERE book_id = $1 AND day = $2 AND hour = $3",
            params![book, day.number(), *hour],
        )?;
        if let Some(row) = row {
            flow.add(&flow_row(&row, 0)?)?;
        }
    }
    for ((granted, expires, origin), held) in &mut tally.held {
        let row = tx.query_opt(
            "SELECT tokens, worth FROM report_held WHERE book_id = $1 AND granted_day = $2
               AND expires_quarter = $3 AND origin = $4",
            params![book, granted.number(), *expires, origin.name()],
        )?;
        if let Some(row) = row {
            held.add(&Held {
                tokens: Amount::from_units(row.int(0)?),
                worth: Amount::from_units(row.int(1)?),
            })?;
        }
    }
    add_stored_goods(tx, book, &mut tally.goods)
}

fn add_stored_goods(
    tx: &mut dyn Read,
    book: i64,
    goods: &mut BTreeMap<GoodsKey, Goods>,
) -> LedgerResult<()> {
    let keys: Vec<GoodsKey> = goods.keys().copied().collect();
    for some in keys.chunks(500) {
        let params: Vec<[Param<'_>; 4]> = some
            .iter()
            .map(|(period, offer, band)| {
                let (period, band) = (Param::Int(*period), Param::Int(*band));
                [Param::Int(book), period, Param::from(offer), band]
            })
            .collect();
        let sql = "SELECT lines, pieces, tokens FROM report_goods
             WHERE book_id = $1 AND period = $2 AND offer_id = $3 AND band = $4";
        let queries: Vec<Query<'_>> = params.iter().map(|p| (sql, &p[..])).collect();
        for (key, rows) in some.iter().zip(tx.query_all(&queries)?) {
            if let (Some(row), Some(sum)) = (rows.first(), goods.get_mut(key)) {
                sum.add(&Goods {
                    lines: row.int(0)?,
                    pieces: row.int(1)?,
                    tokens: Amount::from_units(row.int(2)?),
                })?;
            }
        }
    }
    Ok(())
}

/// Writes the sums.
pub(super) fn write(tx: &mut Tx<'_>, book: i64, tally: &Tally) -> Result<()> {
    for ((day, hour), flow) in &tally.flows {
        write_flow(tx, book, *day, *hour, flow)?;
    }
    for ((period, offer, band), goods) in &tally.goods {
        tx.put(
            "INSERT INTO report_goods (book_id, period, offer_id, band, lines, pieces, tokens)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (book_id, period, offer_id, band) DO UPDATE SET
               lines = excluded.lines, pieces = excluded.pieces, tokens = excluded.tokens",
            params![
                book,
                *period,
                offer,
                *band,
                goods.lines,
                goods.pieces,
                goods.tokens.units()
            ],
        )?;
    }
    for ((granted, expires, origin), held) in &tally.held {
        let key = (granted.number(), *expires, origin.name());
        if *held == Held::default() {
            tx.put(
                "DELETE FROM report_held WHERE book_id = $1 AND granted_day = $2
                   AND expires_quarter = $3 AND origin = $4",
                params![book, key.0, key.1, key.2],
            )?;
            continue;
        }
        tx.put(
            "INSERT INTO report_held
               (book_id, granted_day, expires_quarter, origin, tokens, worth)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (book_id, granted_day, expires_quarter, origin) DO UPDATE SET
               tokens = excluded.tokens, worth = excluded.worth",
            params![
                book,
                key.0,
                key.1,
                key.2,
                held.tokens.units(),
                held.worth.units()
            ],
        )?;
    }
    write_states(tx, book, tally)
}

fn write_flow(tx: &mut Tx<'_>, book: i64, day: Day, hour: i64, flow: &Flow) -> Result<()> {
    let [issued, withdrawn, spent, returned, expired, restored] = flow.tokens.map(Amount::units);
    let worth = flow.worth.map(Amount::units);
    tx.put(
        "INSERT INTO report_flow
           (book_id, day, hour, orders, refunds, money, issued, withdrawn, spent, returned,
            expired, restored, issued_worth, withdrawn_worth, spent_worth, returned_worth,
            expired_worth, restored_worth)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (book_id, day, hour) DO UPDATE SET
           orders = excluded.orders, refunds = excluded.refunds, money = excluded.money,
           issued = excluded.issued, withdrawn = excluded.withdrawn, spent = excluded.spent,
           returned = excluded.returned, expired = excluded.expired,
           restored = excluded.restored, issued_worth = excluded.issued_worth,
           withdrawn_worth = excluded.withdrawn_worth, spent_worth = excluded.spent_worth,
           returned_worth = excluded.returned_worth, expired_worth = excluded.expired_worth,
           restored_worth = excluded.restored_worth",
        params![
            book,
            day.number(),
            hour,
            flow.orders,
            flow.refunds,
            flow.money.units(),
            issued,
            withdrawn,
            spent,
            returned,
            expired,
            restored,
            worth[0],
            worth[1],
            worth[2],
            worth[3],
            worth[4],
            worth[5]
        ],
    )
}

fn write_states(tx: &mut Tx<'_>, book: i64, tally: &Tally) -> Result<()> {
    // In the order of their keys, where pages of the table lie together.
    let grants: BTreeMap<i64, Amount> = tally.grants.iter().map(|(g, h)| (*g, *h)).collect();
    for (grant, held) in grants {
        if held.is_zero() {
            tx.put(
                "DELETE FROM report_grant WHERE book_id = $1 AND grant_id = $2",
                params![book, grant],
            )?;
            continue;
        }
        tx.put(
            "INSERT INTO report_grant (book_id, grant_id, held) VALUES ($1, $2, $3)
             ON CONFLICT (book_id, grant_id) DO UPDATE SET held = excluded.held",
            params![book, grant, held.units()],
        )?;
    }
    let customers: BTreeMap<Uuid, i64> = tally.customers.iter().map(|(c, n)| (*c, *n)).collect();
    for (customer, orders) in customers {
        tx.put(
            "INSERT INTO report_customer (book_id, customer_id, orders) VALUES ($1, $2, $3)
             ON CONFLICT (book_id, customer_id) DO UPDATE SET orders = excluded.orders",
            params![book, &customer, orders],
        )?;
    }
    Ok(())
}
