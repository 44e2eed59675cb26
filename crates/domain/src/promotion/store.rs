//! The tables of promotions.

use super::{CouponTerms, Cut, Promotion, Result, Scope, Terms};
use crate::id::{CustomerId, OfferId, OrderId, ProductId, PromotionId};
use crate::secret::Attempts;
use scrip_engine::{Error as EngineError, Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;
use std::collections::BTreeMap;

macro_rules! promotion_columns {
    () => {
        "SELECT p.promotion_id, p.name, p.begins_at, p.ends_at, p.stopped_at, p.scope, p.chosen,
                p.cut, p.cut_value, p.preferred_only, p.per_customer, p.in_total, p.minimum,
                p.is_coupon, p.manufacturer, p.combinable, p.code, p.version, p.changed_at
         FROM promotion p "
    };
}

fn corrupt(id: PromotionId, what: &str) -> EngineError {
    EngineError::Corrupt(format!("{what} of {id}"))
}

fn scope_row(id: PromotionId, kind: &str, chosen: &str) -> Result<Scope> {
    let names = || chosen.lines().map(str::to_owned).collect();
    match kind {
        "all" => Ok(Scope::All),
        "categories" => Ok(Scope::Categories(names())),
        "manufacturers" => Ok(Scope::Manufacturers(names())),
        "chosen" => {
            let (mut products, mut offers) = (Vec::new(), Vec::new());
            for name in chosen.lines() {
                match (name.parse(), name.parse()) {
                    (Ok(product), _) => products.push(product),
                    (_, Ok(offer)) => offers.push(offer),
                    _ => return Err(corrupt(id, "a chosen product").into()),
                }
            }
            Ok(Scope::Chosen { products, offers })
        }
        _ => Err(corrupt(id, "the scope").into()),
    }
}

fn scope_kept(scope: &Scope) -> (&'static str, String) {
    match scope {
        Scope::All => ("all", String::new()),
        Scope::Categories(names) => ("categories", names.join("\n")),
        Scope::Manufacturers(names) => ("manufacturers", names.join("\n")),
        Scope::Chosen { products, offers } => {
            let products = products.iter().map(ToString::to_string);
            let all: Vec<String> = products
                .chain(offers.iter().map(ToString::to_string))
                .collect();
            ("chosen", all.join("\n"))
        }
    }
}

fn promotion_row(row: &Row) -> Result<Promotion> {
    let id = PromotionId::from_row(row, 0)?;
    let value = row.int(8)?;
    let cut = match row.text(7)? {
        "rate" => Cut::Rate(value),
        "each" => Cut::Each(Amount::from_units(value)),
        "price" => Cut::Price(Amount::from_units(value)),
        _ => return Err(corrupt(id, "the cut").into()),
    };
    let coupon = CouponTerms {
        manufacturer: row.text(14)?.to_owned(),
        combinable: row.bool(15)?,
        code: row.text(16)?.to_owned(),
    };
    Ok(Promotion {
        id,
        terms: Terms {
            name: row.text(1)?.to_owned(),
            begins_at: row.int(2)?,
            ends_at: row.int(3)?,
            scope: scope_row(id, row.text(5)?, row.text(6)?)?,
            cut,
            preferred_only: row.bool(9)?,
            per_customer: row.int(10)?,
            in_total: row.int(11)?,
            minimum: Amount::from_units(row.int(12)?),
            coupon: row.bool(13)?.then_some(coupon),
        },
        stopped_at: row.opt_int(4)?.map(Timestamp),
        version: row.int(17)?,
        changed_at: Timestamp(row.int(18)?),
    })
}

/// Changes of one vendor's promotions wait for each other.
pub(super) fn lock(tx: &mut Tx<'_>, book: i64) -> Result<()> {
    Ok(tx.lock_name(&format!("promotions {book}"))?)
}

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: PromotionId) -> Result<Option<Promotion>> {
    let row = tx.query_opt(
        concat!(
            promotion_columns!(),
            "WHERE p.book_id = $1 AND p.promotion_id = $2"
        ),
        params![book, &id],
    )?;
    row.map(|row| promotion_row(&row)).transpose()
}

/// Those without a code that hold at a time, the oldest first.
pub(super) fn running(tx: &mut dyn Read, book: i64, now: Timestamp) -> Result<Vec<Promotion>> {
    let rows = tx.query(
        concat!(
            promotion_columns!(),
            "WHERE p.book_id = $1 AND p.is_coupon = 0 AND p.ends_at > $2 AND p.begins_at <= $2
               AND p.stopped_at IS NULL
             ORDER BY p.promotion_id"
        ),
        params![book, now.0],
    )?;
    rows.iter().map(promotion_row).collect()
}

/// Those that are planned or hold, with coupons, the oldest first.
pub(super) fn open(tx: &mut dyn Read, book: i64, now: Timestamp) -> Result<Vec<Promotion>> {
    let mut open = Vec::new();
    for is_coupon in [false, true] {
        let rows = tx.query(
            concat!(
                promotion_columns!(),
                "WHERE p.book_id = $1 AND p.is_coupon = $3 AND p.ends_at > $2
                   AND p.stopped_at IS NULL
                 ORDER BY p.promotion_id"
            ),
            params![book, now.0, is_coupon],
        )?;
        for row in &rows {
            open.push(promotion_row(row)?);
        }
    }
    Ok(open)
}

const NEWEST: &str = concat!(
    promotion_columns!(),
    "WHERE p.book_id = $1 ORDER BY p.promotion_id DESC LIMIT $2"
);
const OLDER: &str = concat!(
    promotion_columns!(),
    "WHERE p.book_id = $1 AND p.promotion_id < $3 ORDER BY p.promotion_id DESC LIMIT $2"
);

pub(super) fn before(
    tx: &mut dyn Read,
    book: i64,
    before: Option<PromotionId>,
    limit: i64,
) -> Result<Vec<Promotion>> {
    let rows = match &before {
        Some(before) => tx.query(OLDER, params![book, limit, before])?,
        None => tx.query(NEWEST, params![book, limit])?,
    };
    rows.iter().map(promotion_row).collect()
}

pub(super) fn put(tx: &mut Tx<'_>, book: i64, new: &Promotion) -> Result<()> {
    let terms = &new.terms;
    let (scope, chosen) = scope_kept(&terms.scope);
    let (cut, value) = match terms.cut {
        Cut::Rate(rate) => ("rate", rate),
        Cut::Each(off) => ("each", off.units()),
        Cut::Price(price) => ("price", price.units()),
    };
    let coupon = terms.coupon.clone().unwrap_or_default();
    tx.put(
        "INSERT INTO promotion (book_id, promotion_id, name, begins_at, ends_at, stopped_at, scope,
                                chosen, cut, cut_value, preferred_only, per_customer, in_total,
                                minimum, is_coupon, manufacturer, combinable, code, version,
                                changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20)
         ON CONFLICT (book_id, promotion_id) DO UPDATE SET name = excluded.name,
            begins_at = excluded.begins_at, ends_at = excluded.ends_at,
            stopped_at = excluded.stopped_at, scope = excluded.scope, chosen = excluded.chosen,
            cut = excluded.cut, cut_value = excluded.cut_value,
            preferred_only = excluded.preferred_only, per_customer = excluded.per_customer,
            in_total = excluded.in_total, minimum = excluded.minimum,
            manufacturer = excluded.manufacturer, combinable = excluded.combinable,
            code = excluded.code, version = excluded.version, changed_at = excluded.changed_at",
        params![
            book,
            &new.id,
            &terms.name,
            terms.begins_at,
            terms.ends_at,
            new.stopped_at.map(|at| at.0),
            scope,
            &chosen,
            cut,
            value,
            terms.preferred_only,
            terms.per_customer,
            terms.in_total,
            terms.minimum.units(),
            terms.coupon.is_some(),
            &coupon.manufacturer,
            coupon.combinable,
            &coupon.code,
            new.version,
            new.changed_at.0
        ],
    )?;
    tx.put(
        "INSERT INTO promotion_count (book_id, promotion_id, uses) VALUES ($1, $2, 0)
         ON CONFLICT (book_id, promotion_id) DO NOTHING",
        params![book, &new.id],
    )?;
    Ok(())
}

/// Keeps with the vendor when the last promotion without a code ends.
pub(super) fn set_until(tx: &mut Tx<'_>, book: i64) -> Result<()> {
    let row = tx.query_opt(
        "SELECT ends_at FROM promotion
         WHERE book_id = $1 AND is_coupon = 0 AND stopped_at IS NULL
         ORDER BY ends_at DESC LIMIT 1",
        params![book],
    )?;
    let until = row.map_or(Ok(0), |row| row.int(0))?;
    tx.put(
        "UPDATE vendor SET promotions_until = $2 WHERE book_id = $1",
        params![book, until],
    )?;
    Ok(())
}

/// What scopes ask of an offer.
pub(super) type Fact = (ProductId, String, String);

/// Ids that fit one query; longer lists take several.
const AT_ONCE: usize = 8;

/// The product, the category and the manufacturer of offers.
pub(super) fn facts(
    tx: &mut dyn Read,
    book: i64,
    offers: &[OfferId],
) -> Result<BTreeMap<OfferId, Fact>> {
    let mut wanted = offers.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut facts = BTreeMap::new();
    for some in wanted.chunks(AT_ONCE) {
        let id = |i: usize| some.get(i).or(some.first());
        let rows = tx.query(
            "SELECT o.offer_id, o.product_id, p.category, p.manufacturer
             FROM offer o JOIN product p ON p.book_id = o.book_id AND p.product_id = o.product_id
             WHERE o.book_id = $1 AND o.offer_id IN ($2, $3, $4, $5, $6, $7, $8, $9)",
            params![book, id(0), id(1), id(2), id(3), id(4), id(5), id(6), id(7)],
        )?;
        for row in &rows {
            let fact = (
                ProductId::from_row(row, 1)?,
                row.text(2)?.to_owned(),
                row.text(3)?.to_owned(),
            );
            facts.insert(OfferId::from_row(row, 0)?, fact);
        }
    }
    Ok(facts)
}

/// Uses that count towards the limit in total.
pub(super) fn count(tx: &mut dyn Read, book: i64, id: PromotionId) -> Result<i64> {
    let row = tx.query_opt(
        "SELECT uses FROM promotion_count WHERE book_id = $1 AND promotion_id = $2",
        params![book, &id],
    )?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// Until this transaction ends, nobody else uses up a limit in total.
pub(super) fn count_lock(tx: &mut Tx<'_>, book: i64, id: PromotionId) -> Result<()> {
    tx.query_locked(
        "SELECT uses FROM promotion_count WHERE book_id = $1 AND promotion_id = $2",
        params![book, &id],
    )?;
    Ok(())
}

pub(super) fn count_add(tx: &mut Tx<'_>, book: i64, id: PromotionId, more: i64) -> Result<()> {
    tx.put(
        "UPDATE promotion_count SET uses = uses + $3 WHERE book_id = $1 AND promotion_id = $2",
        params![book, &id, more],
    )?;
    Ok(())
}

/// Orders for which a customer has used a promotion.
pub(super) fn uses_of(
    tx: &mut dyn Read,
    book: i64,
    id: PromotionId,
    customer: CustomerId,
) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COUNT(*) FROM promotion_use
         WHERE book_id = $1 AND customer_id = $3 AND promotion_id = $2 AND is_back = 0",
        params![book, &id, &customer],
    )?;
    Ok(row.int(0)?)
}

/// Orders that have used a promotion and were not given back whole.
pub(super) fn uses(tx: &mut dyn Read, book: i64, id: PromotionId) -> Result<i64> {
    let row = tx.query_one(
        "SELECT COUNT(*) FROM promotion_use
         WHERE book_id = $1 AND promotion_id = $2 AND is_back = 0",
        params![book, &id],
    )?;
    Ok(row.int(0)?)
}

/// A code, as kept.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub hash: Vec<u8>,
    pub promotion_id: PromotionId,
    pub is_single: bool,
    pub used_by: Option<OrderId>,
}

const CODE: &str = "SELECT code_hash, promotion_id, is_single, used_by FROM coupon_code
    WHERE book_id = $1 AND code_hash = $2";

fn code_row(row: &Row) -> Result<Code> {
    Ok(Code {
        hash: row.blob(0)?.to_vec(),
        promotion_id: PromotionId::from_row(row, 1)?,
        is_single: row.bool(2)?,
        used_by: row.opt_uuid(3)?.map(OrderId),
    })
}

pub(super) fn code(tx: &mut dyn Read, book: i64, hash: &[u8]) -> Result<Option<Code>> {
    let row = tx.query_opt(CODE, params![book, hash])?;
    row.map(|row| code_row(&row)).transpose()
}

/// Until this transaction ends, nobody else uses the code.
pub(super) fn code_lock(tx: &mut Tx<'_>, book: i64, hash: &[u8]) -> Result<()> {
    tx.query_locked(CODE, params![book, hash])?;
    Ok(())
}

pub(super) fn code_put(
    tx: &mut Tx<'_>,
    book: i64,
    hash: &[u8],
    of: PromotionId,
    is_single: bool,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO coupon_code (book_id, code_hash, promotion_id, is_single, used_by, issued_at)
         VALUES ($1, $2, $3, $4, NULL, $5)
         ON CONFLICT (book_id, code_hash) DO UPDATE SET promotion_id = excluded.promotion_id,
            issued_at = excluded.issued_at",
        params![book, hash, &of, is_single, now.0],
    )?;
    Ok(())
}

/// Takes the shared code of a coupon away.
pub(super) fn code_drop(tx: &mut Tx<'_>, book: i64, of: PromotionId) -> Result<()> {
    tx.put(
        "DELETE FROM coupon_code WHERE book_id = $1 AND promotion_id = $2 AND is_single = 0",
        params![book, &of],
    )?;
    Ok(())
}

pub(super) fn code_used(
    tx: &mut Tx<'_>,
    book: i64,
    hash: &[u8],
    order: Option<OrderId>,
) -> Result<()> {
    tx.put(
        "UPDATE coupon_code SET used_by = $3 WHERE book_id = $1 AND code_hash = $2",
        params![book, hash, order.as_ref()],
    )?;
    Ok(())
}

/// Codes of a coupon that are good once: all, and those that are used.
pub(super) fn codes(tx: &mut dyn Read, book: i64, of: PromotionId) -> Result<(i64, i64)> {
    let row = tx.query_one(
        "SELECT COUNT(*), COUNT(used_by) FROM coupon_code
         WHERE book_id = $1 AND promotion_id = $2 AND is_single = 1",
        params![book, &of],
    )?;
    Ok((row.int(0)?, row.int(1)?))
}

pub(super) fn entered(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Option<Vec<u8>>> {
    let row = tx.query_opt(
        "SELECT code_hash FROM coupon_entered WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    Ok(row.map(|row| row.blob(0).map(<[u8]>::to_vec)).transpose()?)
}

pub(super) fn enter(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    hash: Option<&[u8]>,
) -> Result<()> {
    let now = tx.now();
    match hash {
        Some(hash) => tx.put(
            "INSERT INTO coupon_entered (book_id, customer_id, code_hash, entered_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (book_id, customer_id) DO UPDATE SET code_hash = excluded.code_hash,
                entered_at = excluded.entered_at",
            params![book, &customer, hash, now.0],
        )?,
        None => tx.put(
            "DELETE FROM coupon_entered WHERE book_id = $1 AND customer_id = $2",
            params![book, &customer],
        )?,
    }
    Ok(())
}

const ATTEMPTS: &str = "SELECT failures, locked_until FROM coupon_attempt
    WHERE book_id = $1 AND customer_id = $2";

pub(super) fn attempts(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<Attempts> {
    let row = tx.query_opt(ATTEMPTS, params![book, &customer])?;
    attempts_row(row.as_ref())
}

fn attempts_row(row: Option<&Row>) -> Result<Attempts> {
    row.map_or(Ok(Attempts::NONE), |row| {
        Ok(Attempts {
            failures: row.int(0)?,
            locked_until: Timestamp(row.int(1)?),
        })
    })
}

/// Locked, and made when it is not there, so that attempts at once are counted one by one.
pub(super) fn attempts_locked(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
) -> Result<Attempts> {
    tx.put(
        "INSERT INTO coupon_attempt (book_id, customer_id, failures, locked_until)
         VALUES ($1, $2, 0, 0) ON CONFLICT (book_id, customer_id) DO NOTHING",
        params![book, &customer],
    )?;
    let rows = tx.query_locked(ATTEMPTS, params![book, &customer])?;
    attempts_row(rows.first())
}

pub(super) fn set_attempts(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    attempts: Attempts,
) -> Result<()> {
    tx.put(
        "UPDATE coupon_attempt SET failures = $3, locked_until = $4
         WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer, attempts.failures, attempts.locked_until.0],
    )?;
    Ok(())
}

/// Codes that are good once and used, with their order.
pub(super) fn codes_used(tx: &mut dyn Read, book: i64) -> Result<Vec<Code>> {
    let rows = tx.query(
        "SELECT code_hash, promotion_id, is_single, used_by FROM coupon_code
         WHERE book_id = $1 AND used_by IS NOT NULL",
        params![book],
    )?;
    rows.iter().map(code_row).collect()
}
