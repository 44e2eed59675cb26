//! The catalogue's tables.

use super::{
    Correction, Delivery, NewOffer, NewProduct, Offer, OfferKind, ProductFilter, Result, Shown,
    Tier,
};
use crate::id::{OfferId, ProductId};
use scrip_engine::{Error as EngineError, Param, Query, Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn product_by_handle(
    tx: &mut dyn Read,
    book: i64,
    handle: &str,
) -> Result<Option<ProductId>> {
    let row = tx.query_opt(
        "SELECT product_id FROM product WHERE book_id = $1 AND handle = $2",
        params![book, handle],
    )?;
    Ok(row.map(|row| ProductId::from_row(&row, 0)).transpose()?)
}

/// Options are kept a line each; names and values have no line breaks.
fn lines(text: &str) -> Vec<String> {
    match text.is_empty() {
        true => Vec::new(),
        false => text.split('\n').map(str::to_owned).collect(),
    }
}

/// Ids that fit one query of products; a page has no more.
pub(super) const PRODUCTS_AT_ONCE: usize = 100;

/// `$2` to `$101`: the ids of a page. A shorter page repeats its last id, so that the statement
/// stays the same.
macro_rules! hundred_ids {
    () => {
        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
          $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38,
          $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56,
          $57, $58, $59, $60, $61, $62, $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74,
          $75, $76, $77, $78, $79, $80, $81, $82, $83, $84, $85, $86, $87, $88, $89, $90, $91, $92,
          $93, $94, $95, $96, $97, $98, $99, $100, $101)"
    };
}

/// The book and a hundred ids as parameters; nothing for no ids.
fn hundred<'a, T>(book: i64, ids: &'a [T]) -> Vec<Param<'a>>
where
    &'a T: Into<Param<'a>>,
{
    let Some(last) = ids.last() else {
        return Vec::new();
    };
    let ids = ids.iter().chain(std::iter::repeat(last));
    std::iter::once(Param::Int(book))
        .chain(ids.take(PRODUCTS_AT_ONCE).map(Into::into))
        .collect()
}

/// The products among these ids, at most a hundred, in any order.
pub(super) fn products(
    tx: &mut dyn Read,
    book: i64,
    ids: &[ProductId],
) -> Result<Vec<(ProductId, NewProduct)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.query(
        concat!(
            "SELECT product_id, handle, title, description, manufacturer, category, image_url,
                    download_kb, delivery, options
             FROM product WHERE book_id = $1 AND product_id IN ",
            hundred_ids!()
        ),
        &hundred(book, ids),
    )?;
    rows.iter()
        .map(|row| {
            let product = NewProduct {
                handle: row.text(1)?.to_owned(),
                title: row.text(2)?.to_owned(),
                description: row.text(3)?.to_owned(),
                manufacturer: row.text(4)?.to_owned(),
                category: row.text(5)?.to_owned(),
                image_url: row.text(6)?.to_owned(),
                download_kb: row.int(7)?,
                delivery: Delivery::parse(row.text(8)?)
                    .map_err(|e| EngineError::Corrupt(e.to_string()))?,
                options: lines(row.text(9)?),
            };
            Ok((ProductId::from_row(row, 0)?, product))
        })
        .collect()
}

/// Products after one, in order of entry, at most `limit`. Each category is one range of the
/// index; no categories are all.
pub(super) fn product_ids(
    tx: &mut dyn Read,
    book: i64,
    filter: &ProductFilter,
    limit: i64,
) -> Result<Vec<ProductId>> {
    // No id comes before the empty text of bytes.
    let after: &[u8] = filter.after.as_ref().map_or(&[], |id| id.0.as_bytes());
    let base = [Param::Int(book), Param::Blob(after), Param::Int(limit)];
    let in_category = |category| [base[0], base[1], base[2], Param::Text(category)];
    let categories: BTreeSet<&str> = filter.categories.iter().map(String::as_str).collect();
    let by_category: Vec<[Param<'_>; 4]> = categories.into_iter().map(in_category).collect();
    let queries: Vec<Query<'_>> = match (by_category.is_empty(), filter.for_sale_only) {
        (true, false) => vec![(ALL_IDS, &base[..])],
        (true, true) => vec![(ALL_IDS_FOR_SALE, &base[..])],
        (false, false) => by_category.iter().map(|p| (CATEGORY_IDS, &p[..])).collect(),
        (false, true) => by_category
            .iter()
            .map(|p| (CATEGORY_IDS_FOR_SALE, &p[..]))
            .collect(),
    };
    let mut ids = Vec::new();
    for row in tx.query_all(&queries)?.iter().flatten() {
        ids.push(ProductId::from_row(row, 0)?);
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Whether a product `p` has an offer that is sold; the index alone knows.
macro_rules! for_sale {
    () => {
        "EXISTS (SELECT 1 FROM offer o WHERE o.book_id = p.book_id
                 AND o.product_id = p.product_id AND o.active = 1)"
    };
}

const ALL_IDS: &str = "SELECT product_id FROM product
    WHERE book_id = $1 AND product_id > $2 ORDER BY product_id LIMIT $3";
const ALL_IDS_FOR_SALE: &str = concat!(
    "SELECT product_id FROM product p WHERE book_id = $1 AND product_id > $2 AND ",
    for_sale!(),
    " ORDER BY product_id LIMIT $3"
);
const CATEGORY_IDS: &str = "SELECT product_id FROM product
    WHERE book_id = $1 AND category = $4 AND product_id > $2 ORDER BY product_id LIMIT $3";
const CATEGORY_IDS_FOR_SALE: &str = concat!(
    "SELECT product_id FROM product p
     WHERE book_id = $1 AND category = $4 AND product_id > $2 AND ",
    for_sale!(),
    " ORDER BY product_id LIMIT $3"
);
pub(super) fn insert_product(
    tx: &mut Tx<'_>,
    book: i64,
    id: ProductId,
    new: &NewProduct,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO product (book_id, product_id, handle, title, description, manufacturer,
                              category, image_url, created_at, download_kb, delivery, options)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            book,
            &id,
            &new.handle,
            &new.title,
            &new.description,
            &new.manufacturer,
            &new.category,
            &new.image_url,
            now.0,
            new.download_kb,
            new.delivery.name(),
            &new.options.join("\n")
        ],
    )?;
    Ok(())
}

pub(super) fn update_product(
    tx: &mut Tx<'_>,
    book: i64,
    id: ProductId,
    new: &NewProduct,
) -> Result<()> {
    tx.put(
        "UPDATE product SET title = $3, description = $4, manufacturer = $5, category = $6,
                            image_url = $7, download_kb = $8, delivery = $9, options = $10
         WHERE book_id = $1 AND product_id = $2",
        params![
            book,
            &id,
            &new.title,
            &new.description,
            &new.manufacturer,
            &new.category,
            &new.image_url,
            new.download_kb,
            new.delivery.name(),
            &new.options.join("\n")
        ],
    )?;
    Ok(())
}

pub(super) fn offer_by_sku(
    tx: &mut dyn Read,
    book: i64,
    sku: &str,
) -> Result<Option<(OfferId, ProductId)>> {
    let row = tx.query_opt(
        "SELECT offer_id, product_id FROM offer WHERE book_id = $1 AND sku = $2",
        params![book, sku],
    )?;
    row.map(|row| Ok((OfferId::from_row(&row, 0)?, ProductId::from_row(&row, 1)?)))
        .transpose()
}

pub(super) fn insert_offer(
    tx: &mut Tx<'_>,
    book: i64,
    id: OfferId,
    product: ProductId,
    new: &NewOffer,
) -> Result<()> {
    tx.put(
        "INSERT INTO offer (book_id, offer_id, product_id, sku, variant, kind, price, on_sale,
                            active, stocked, tiered, options)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            book,
            &id,
            &product,
            &new.sku,
            &new.variant,
            new.kind.name(),
            new.price.units(),
            new.on_sale,
            new.active,
            new.stock.is_some(),
            !new.tiers.is_empty(),
            &new.options.join("\n")
        ],
    )?;
    Ok(())
}

pub(super) fn update_offer(
    tx: &mut Tx<'_>,
    book: i64,
    id: OfferId,
    product: ProductId,
    new: &NewOffer,
) -> Result<()> {
    tx.put(
        "UPDATE offer SET product_id = $3, variant = $4, kind = $5, price = $6, on_sale = $7,
                          active = $8, tiered = $9, options = $10
         WHERE book_id = $1 AND offer_id = $2",
        params![
            book,
            &id,
            &product,
            &new.variant,
            new.kind.name(),
            new.price.units(),
            new.on_sale,
            new.active,
            !new.tiers.is_empty(),
            &new.options.join("\n")
        ],
    )?;
    Ok(())
}

pub(super) fn set_tiers(tx: &mut Tx<'_>, book: i64, id: OfferId, tiers: &[Tier]) -> Result<()> {
    tx.put(
        "DELETE FROM offer_tier WHERE book_id = $1 AND offer_id = $2",
        params![book, &id],
    )?;
    for tier in tiers {
        tx.put(
            "INSERT INTO offer_tier (book_id, offer_id, up_to, price) VALUES ($1, $2, $3, $4)",
            params![book, &id, tier.up_to, tier.price.units()],
        )?;
    }
    Ok(())
}

pub(super) fn set_least(tx: &mut Tx<'_>, book: i64, id: OfferId, least: Amount) -> Result<()> {
    tx.put(
        "UPDATE offer SET lowest_price = $3 WHERE book_id = $1 AND offer_id = $2",
        params![book, &id, least.units()],
    )?;
    Ok(())
}

/// The first row of an index: nothing is walked.
pub(super) fn cheapest(tx: &mut dyn Read, book: i64) -> Result<Option<Amount>> {
    let row = tx.query_opt(
        "SELECT lowest_price FROM offer WHERE book_id = $1 AND active = 1 ORDER BY lowest_price LIMIT 1",
        params![book],
    )?;
    row.map(|row| Ok(Amount::from_units(row.int(0)?)))
        .transpose()
}

/// Ids that fit one query; longer lists take several.
const AT_ONCE: usize = 8;

/// The offers among these ids, in any order, each once.
pub(super) fn offers(tx: &mut dyn Read, book: i64, ids: &[OfferId]) -> Result<Vec<Offer>> {
    let mut wanted = ids.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut offers = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(AT_ONCE) {
        // A shorter list repeats its first id: the statement stays the same.
        let id = |i: usize| some.get(i).or(some.first());
        let rows = tx.query(
            "SELECT o.offer_id, o.product_id, p.title, o.variant, o.sku, o.kind, o.price,
                    o.on_sale, o.active, o.stocked, o.tiered, o.options, p.delivery
             FROM offer o JOIN product p ON p.book_id = o.book_id AND p.product_id = o.product_id
             WHERE o.book_id = $1 AND o.offer_id IN ($2, $3, $4, $5, $6, $7, $8, $9)",
            params![book, id(0), id(1), id(2), id(3), id(4), id(5), id(6), id(7)],
        )?;
        for row in &rows {
            let mut offer = offer_row(row)?;
            offer.shipped = delivery(row.text(12)?)? == Delivery::Shipped;
            offers.push(offer);
        }
    }
    add_tiers(tx, book, offers.iter_mut())?;
    Ok(offers)
}

fn offer_row(row: &Row) -> Result<Offer> {
    let variant = row.text(3)?;
    let title = row.text(2)?;
    let offer_id = OfferId::from_row(row, 0)?;
    Ok(Offer {
        offer_id,
        product_id: ProductId::from_row(row, 1)?,
        title: if variant.is_empty() {
            title.to_owned()
        } else {
            format!("{title}, {variant}")
        },
        variant: variant.to_owned(),
        sku: row.text(4)?.to_owned(),
        kind: OfferKind::of_row(row.text(5)?, offer_id)?,
        price: Amount::from_units(row.int(6)?),
        on_sale: row.bool(7)?,
        active: row.bool(8)?,
        stocked: row.bool(9)?,
        shipped: false,
        tiered: row.bool(10)?,
        tiers: Vec::new(),
        options: lines(row.text(11)?),
    })
}

/// Reads the tiers of those offers that have any, a hundred offers at once.
fn add_tiers<'a>(
    tx: &mut dyn Read,
    book: i64,
    offers: impl Iterator<Item = &'a mut Offer>,
) -> Result<()> {
    let mut tiered: BTreeMap<OfferId, &mut Offer> = offers
        .filter(|o| o.tiered)
        .map(|o| (o.offer_id, o))
        .collect();
    let ids: Vec<OfferId> = tiered.keys().copied().collect();
    for some in ids.chunks(PRODUCTS_AT_ONCE) {
        let rows = tx.query(
            concat!(
                "SELECT offer_id, up_to, price FROM offer_tier WHERE book_id = $1 AND offer_id IN ",
                hundred_ids!(),
                " ORDER BY offer_id, up_to"
            ),
            &hundred(book, some),
        )?;
        put_tiers(&rows, &mut tiered)?;
    }
    Ok(())
}

/// Gives each offer its tiers, which come in order.
fn put_tiers(rows: &[Row], offers: &mut BTreeMap<OfferId, &mut Offer>) -> Result<()> {
    for row in rows {
        if let Some(offer) = offers.get_mut(&OfferId::from_row(row, 0)?) {
            offer.tiers.push(Tier {
                up_to: row.int(1)?,
                price: Amount::from_units(row.int(2)?),
            });
        }
    }
    Ok(())
}

fn delivery(word: &str) -> Result<Delivery> {
    let known = Delivery::parse(word);
    Ok(known.map_err(|e| EngineError::Corrupt(format!("delivery of a product: {e}")))?)
}

fn shown_row(row: &Row) -> Result<Shown> {
    let delivery = delivery(row.text(15)?)?;
    let mut offer = offer_row(row)?;
    offer.shipped = delivery == Delivery::Shipped;
    Ok(Shown {
        offer,
        on_hand: row.opt_int(12)?,
        handle: row.text(13)?.to_owned(),
        download_kb: row.int(14)?,
        delivery,
        reserved_until: Timestamp(row.opt_int(16)?.unwrap_or_default()),
    })
}

macro_rules! shown_offers {
    () => {
        "SELECT o.offer_id, o.product_id, p.title, o.variant, o.sku, o.kind, o.price, o.on_sale,
                o.active, o.stocked, o.tiered, o.options, s.on_hand, p.handle, p.download_kb,
                p.delivery, s.reserved_until
         FROM offer o
         JOIN product p ON p.book_id = o.book_id AND p.product_id = o.product_id
         LEFT JOIN stock s ON s.book_id = o.book_id AND s.offer_id = o.offer_id
         WHERE o.book_id = $1 AND "
    };
}

/// The offers among these ids as lists show them, in any order, each once.
pub(super) fn shown(tx: &mut dyn Read, book: i64, ids: &[OfferId]) -> Result<Vec<Shown>> {
    let mut shown = Vec::with_capacity(ids.len());
    for some in ids.chunks(PRODUCTS_AT_ONCE) {
        let rows = tx.query(
            concat!(shown_offers!(), "o.offer_id IN ", hundred_ids!()),
            &hundred(book, some),
        )?;
        for row in &rows {
            shown.push(shown_row(row)?);
        }
    }
    add_tiers(tx, book, shown.iter_mut().map(|s| &mut s.offer))?;
    Ok(shown)
}

/// The ids of the offers of a hundred products, from the index alone: asked for whole rows, SQLite
/// would go through all offers of the book.
macro_rules! offers_of_hundred {
    () => {
        concat!(
            "(SELECT x.offer_id FROM offer x WHERE x.book_id = $1 AND x.product_id IN ",
            hundred_ids!(),
            ")"
        )
    };
}

/// The offers of at most a hundred products, in order of entry.
pub(super) fn offers_of(tx: &mut dyn Read, book: i64, ids: &[ProductId]) -> Result<Vec<Shown>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let params = hundred(book, ids);
    let rows = tx.query(
        concat!(
            shown_offers!(),
            "o.offer_id IN ",
            offers_of_hundred!(),
            " ORDER BY o.offer_id"
        ),
        &params,
    )?;
    let mut shown = rows.iter().map(shown_row).collect::<Result<Vec<_>>>()?;
    let mut tiered: BTreeMap<OfferId, &mut Offer> = shown
        .iter_mut()
        .filter(|s| s.offer.tiered)
        .map(|s| (s.offer.offer_id, &mut s.offer))
        .collect();
    if !tiered.is_empty() {
        let rows = tx.query(
            concat!(
                "SELECT offer_id, up_to, price FROM offer_tier WHERE book_id = $1 AND offer_id IN ",
                offers_of_hundred!(),
                " ORDER BY offer_id, up_to"
            ),
            &params,
        )?;
        put_tiers(&rows, &mut tiered)?;
    }
    Ok(shown)
}

pub(super) fn insert_stock(tx: &mut Tx<'_>, book: i64, id: OfferId, on_hand: i64) -> Result<()> {
    tx.put(
        "INSERT INTO stock (book_id, offer_id, on_hand) VALUES ($1, $2, $3)",
        params![book, &id, on_hand],
    )?;
    Ok(())
}

/// The stock of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StockRow {
    pub on_hand: i64,
    /// Nothing is reserved after this.
    pub reserved_until: Timestamp,
}

pub(super) fn stock_row_locked(tx: &mut Tx<'_>, book: i64, id: OfferId) -> Result<StockRow> {
    let rows = tx.query_locked(
        "SELECT on_hand, reserved_until FROM stock WHERE book_id = $1 AND offer_id = $2",
        params![book, &id],
    )?;
    let row = rows
        .first()
        .ok_or_else(|| EngineError::Corrupt(format!("{id} has no stock row")))?;
    Ok(StockRow {
        on_hand: row.int(0)?,
        reserved_until: Timestamp(row.int(1)?),
    })
}

pub(super) fn stock_locked(tx: &mut Tx<'_>, book: i64, id: OfferId) -> Result<i64> {
    Ok(stock_row_locked(tx, book, id)?.on_hand)
}

pub(super) fn set_stock(tx: &mut Tx<'_>, book: i64, id: OfferId, on_hand: i64) -> Result<()> {
    tx.put(
        "UPDATE stock SET on_hand = $3 WHERE book_id = $1 AND offer_id = $2",
        params![book, &id, on_hand],
    )?;
    Ok(())
}

/// From now on the pieces of this offer are counted.
pub(super) fn set_stocked(tx: &mut Tx<'_>, book: i64, id: OfferId) -> Result<()> {
    tx.put(
        "UPDATE offer SET stocked = 1 WHERE book_id = $1 AND offer_id = $2",
        params![book, &id],
    )?;
    Ok(())
}

pub(super) fn insert_correction(
    tx: &mut Tx<'_>,
    book: i64,
    offer: OfferId,
    new: &Correction,
) -> Result<()> {
    let id = tx.new_id()?;
    tx.put(
        "INSERT INTO stock_correction (book_id, correction_id, offer_id, had, has, reason, actor,
                                       corrected_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            book,
            &id,
            &offer,
            new.had,
            new.has,
            &new.reason,
            &new.actor,
            new.at.0
        ],
    )?;
    Ok(())
}

/// The newest corrections of an offer's stock.
pub(super) fn corrections(
    tx: &mut dyn Read,
    book: i64,
    offer: OfferId,
    at_most: i64,
) -> Result<Vec<Correction>> {
    let rows = tx.query(
        "SELECT had, has, reason, actor, corrected_at FROM stock_correction
         WHERE book_id = $1 AND offer_id = $2 ORDER BY correction_id DESC LIMIT $3",
        params![book, &offer, at_most],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Correction {
                had: row.opt_int(0)?,
                has: row.int(1)?,
                reason: row.text(2)?.to_owned(),
                actor: row.text(3)?.to_owned(),
                at: Timestamp(row.int(4)?),
            })
        })
        .collect()
}
