//! The catalogue's tables.

use super::{NewOffer, NewProduct, Offer, OfferKind, Result, Tier};
use crate::id::{OfferId, ProductId};
use scrip_engine::{Error as EngineError, Read, Row, Store, Tx, params};
use scrip_ledger::Amount;

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

pub(super) fn product(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<NewProduct> {
    let row = tx.query_one(
        "SELECT handle, title, description, manufacturer, category, image_url
         FROM product WHERE book_id = $1 AND product_id = $2",
        params![book, &id],
    )?;
    Ok(NewProduct {
        handle: row.text(0)?.to_owned(),
        title: row.text(1)?.to_owned(),
        description: row.text(2)?.to_owned(),
        manufacturer: row.text(3)?.to_owned(),
        category: row.text(4)?.to_owned(),
        image_url: row.text(5)?.to_owned(),
    })
}

pub(super) fn insert_product(
    tx: &mut Tx<'_>,
    book: i64,
    id: ProductId,
    new: &NewProduct,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO product (book_id, product_id, handle, title, description, manufacturer,
                              category, image_url, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            book,
            &id,
            &new.handle,
            &new.title,
            &new.description,
            &new.manufacturer,
            &new.category,
            &new.image_url,
            now.0
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
                            image_url = $7
         WHERE book_id = $1 AND product_id = $2",
        params![
            book,
            &id,
            &new.title,
            &new.description,
            &new.manufacturer,
            &new.category,
            &new.image_url
        ],
    )?;
    Ok(())
}

pub(super) fn offer_by_sku(tx: &mut dyn Read, book: i64, sku: &str) -> Result<Option<OfferId>> {
    let row = tx.query_opt(
        "SELECT offer_id FROM offer WHERE book_id = $1 AND sku = $2",
        params![book, sku],
    )?;
    Ok(row.map(|row| OfferId::from_row(&row, 0)).transpose()?)
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
                            active, stocked, tiered)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
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
            !new.tiers.is_empty()
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
                          active = $8, tiered = $9
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
            !new.tiers.is_empty()
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
                    o.on_sale, o.active, o.stocked, o.tiered
             FROM offer o JOIN product p ON p.book_id = o.book_id AND p.product_id = o.product_id
             WHERE o.book_id = $1 AND o.offer_id IN ($2, $3, $4, $5, $6, $7, $8, $9)",
            params![book, id(0), id(1), id(2), id(3), id(4), id(5), id(6), id(7)],
        )?;
        for row in &rows {
            let mut offer = offer_row(row)?;
            if offer.tiered {
                offer.tiers = tiers(tx, book, offer.offer_id)?;
            }
            offers.push(offer);
        }
    }
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
        sku: row.text(4)?.to_owned(),
        kind: OfferKind::of_row(row.text(5)?, offer_id)?,
        price: Amount::from_units(row.int(6)?),
        on_sale: row.bool(7)?,
        active: row.bool(8)?,
        stocked: row.bool(9)?,
        tiered: row.bool(10)?,
        tiers: Vec::new(),
    })
}

fn tiers(tx: &mut dyn Read, book: i64, id: OfferId) -> Result<Vec<Tier>> {
    let rows = tx.query(
        "SELECT up_to, price FROM offer_tier WHERE book_id = $1 AND offer_id = $2 ORDER BY up_to",
        params![book, &id],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Tier {
                up_to: row.int(0)?,
                price: Amount::from_units(row.int(1)?),
            })
        })
        .collect()
}

pub(super) fn offers_of(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<Vec<OfferId>> {
    let rows = tx.query(
        "SELECT offer_id FROM offer WHERE book_id = $1 AND product_id = $2 ORDER BY offer_id",
        params![book, &id],
    )?;
    rows.iter()
        .map(|row| Ok(OfferId::from_row(row, 0)?))
        .collect()
}

pub(super) fn insert_stock(tx: &mut Tx<'_>, book: i64, id: OfferId, on_hand: i64) -> Result<()> {
    tx.put(
        "INSERT INTO stock (book_id, offer_id, on_hand) VALUES ($1, $2, $3)",
        params![book, &id, on_hand],
    )?;
    Ok(())
}

pub(super) fn stock(tx: &mut dyn Read, book: i64, id: OfferId) -> Result<Option<i64>> {
    let row = tx.query_opt(
        "SELECT on_hand FROM stock WHERE book_id = $1 AND offer_id = $2",
        params![book, &id],
    )?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

pub(super) fn stock_locked(tx: &mut Tx<'_>, book: i64, id: OfferId) -> Result<i64> {
    let rows = tx.query_locked(
        "SELECT on_hand FROM stock WHERE book_id = $1 AND offer_id = $2",
        params![book, &id],
    )?;
    let row = rows
        .first()
        .ok_or_else(|| EngineError::Corrupt(format!("{id} has no stock row")))?;
    Ok(row.int(0)?)
}

pub(super) fn set_stock(tx: &mut Tx<'_>, book: i64, id: OfferId, on_hand: i64) -> Result<()> {
    tx.put(
        "UPDATE stock SET on_hand = $3 WHERE book_id = $1 AND offer_id = $2",
        params![book, &id, on_hand],
    )?;
    Ok(())
}
