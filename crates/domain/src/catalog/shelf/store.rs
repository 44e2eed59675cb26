//! The shelf's tables.

use super::fold::{LAST, Range, WORDS_ASKED};
use super::{Branch, Row, ShelfFilter, Sold, Sort, Sorted, Source, SourceOffer, way};
use crate::catalog::{Delivery, NewProduct, OfferKind, Result};
use crate::id::{OfferId, ProductId};
use scrip_engine::{Error, Param, Read, Store, Tx, params};
use scrip_ledger::Amount;
use std::collections::{BTreeMap, BTreeSet};

/// Products that are gathered and sorted here; of commoner words the shelf is walked in its order.
const FEW: i64 = 1_000;

/// Words with an empty range are not asked for. `$14` is how many there are.
macro_rules! word {
    ($nth:literal, $from:literal, $below:literal) => {
        concat!(
            " AND ($14 < ",
            $nth,
            " OR EXISTS (SELECT 1 FROM shelf_word w WHERE w.book_id = s.book_id
                AND w.product_id = s.product_id AND w.word >= ",
            $from,
            " AND w.word < ",
            $below,
            "))"
        )
    };
}

/// What a row must fulfil. The plus keeps SQLite, which knows nothing of the sizes, from leaving
/// the index that has the order. `$27` to `$126` are categories, the last one repeated.
macro_rules! fits {
    () => {
        concat!(
            "s.book_id = $1 AND +s.for_sale >= $2 AND +s.for_sale <= $3
             AND +s.software >= $4 AND +s.software <= $5 AND (s.ways & $6) <> 0
             AND +s.price >= $7 AND +s.price <= $8 AND +s.in_stock >= $9 AND +s.on_sale >= $10
             AND ($11 = 0 OR s.manufacturer = $12)
             AND ($13 = 0 OR s.category IN ($27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37,
                $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53,
                $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66, $67, $68, $69,
                $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, $83, $84, $85,
                $86, $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101,
                $102, $103, $104, $105, $106, $107, $108, $109, $110, $111, $112, $113, $114,
                $115, $116, $117, $118, $119, $120, $121, $122, $123, $124, $125, $126))",
            word!(1, "$15", "$16"),
            word!(2, "$17", "$18"),
            word!(3, "$19", "$20"),
            word!(4, "$21", "$22"),
            word!(5, "$23", "$24"),
            word!(6, "$25", "$26"),
        )
    };
}

/// A page in the order of an index, from a place on.
macro_rules! walk {
    ($after:literal, $order:literal) => {
        concat!(
            "SELECT s.product_id FROM shelf s WHERE ",
            fits!(),
            " AND ",
            $after,
            " ORDER BY ",
            $order,
            " LIMIT $129"
        )
    };
}

const BY_ID: &str = walk!("s.product_id > $128 AND $127 = 0", "s.product_id");
const BY_ID_DOWN: &str = walk!("s.product_id < $128 AND $127 = 0", "s.product_id DESC");
const BY_TITLE: &str = walk!(
    "(s.title_key, s.product_id) > ($127, $128)",
    "s.title_key, s.product_id"
);
const BY_TITLE_DOWN: &str = walk!(
    "(s.title_key, s.product_id) < ($127, $128)",
    "s.title_key DESC, s.product_id DESC"
);
const BY_PRICE: &str = walk!(
    "(s.price, s.product_id) > ($127, $128)",
    "s.price, s.product_id"
);
const BY_PRICE_DOWN: &str = walk!(
    "(s.price, s.product_id) < ($127, $128)",
    "s.price DESC, s.product_id DESC"
);
const COUNT: &str = concat!("SELECT COUNT(*) FROM shelf s WHERE ", fits!());
/// From the products of one word, as few as they are.
const GATHER: &str = concat!(
    "SELECT s.product_id, s.title_key, s.price FROM shelf_word d CROSS JOIN shelf s
     WHERE d.book_id = $1 AND d.word >= $127 AND d.word < $128
       AND s.product_id = d.product_id AND ",
    fits!()
);

/// Below all ids, and above them.
const NO_ID: &[u8] = &[];
const ALL_IDS: &[u8] = &[0xff; 17];

/// `$1` to `$126`.
fn fitting<'a>(book: i64, filter: &'a ShelfFilter, words: &'a [Range]) -> Vec<Param<'a>> {
    let (least, most) = match filter.sold {
        Sold::ForSale => (1, 1),
        Sold::NotForSale => (0, 0),
        Sold::All => (0, 1),
    };
    let (other, software) = match filter.branch {
        None => (0, 1),
        Some(Branch::Goods) => (0, 0),
        Some(Branch::Software) => (1, 1),
    };
    let mut all: Vec<Param<'a>> = vec![
        book.into(),
        Param::Int(least),
        Param::Int(most),
        Param::Int(other),
        Param::Int(software),
        Param::Int(filter.kind.map_or(16, way)),
        Param::Int(filter.price_from.map_or(i64::MIN, Amount::units)),
        Param::Int(filter.price_to.map_or(i64::MAX, Amount::units)),
        filter.in_stock.into(),
        filter.on_sale.into(),
        filter.manufacturer.is_some().into(),
        Param::Text(filter.manufacturer.as_deref().unwrap_or_default()),
        Param::Int(i64::from(!filter.categories.is_empty())),
        Param::Int(i64::try_from(words.len()).unwrap_or(0)),
    ];
    for nth in 0..WORDS_ASKED {
        let word = words.get(nth);
        all.push(Param::Text(word.map_or("", |w| &w.from)));
        all.push(Param::Text(word.map_or("", |w| &w.below)));
    }
    let last = filter.categories.last().map_or("", String::as_str);
    let categories = filter.categories.iter().map(String::as_str);
    let filled = categories.chain(std::iter::repeat(last));
    all.extend(
        filled
            .take(super::super::store::PRODUCTS_AT_ONCE)
            .map(Param::Text),
    );
    all
}

/// What a product is sorted by; `None` for one that does not exist.
pub(super) fn place(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<Option<Sorted>> {
    let row = tx.query_opt(
        "SELECT title_key, price FROM shelf WHERE book_id = $1 AND product_id = $2",
        params![book, &id],
    )?;
    row.map(|row| {
        Ok(Sorted {
            id,
            key: row.text(0)?.to_owned(),
            price: row.int(1)?,
        })
    })
    .transpose()
}

/// The word that the fewest products have, where those are few.
pub(super) fn rarest(tx: &mut dyn Read, book: i64, words: &[Range]) -> Result<Option<Range>> {
    let mut best: Option<(i64, &Range)> = None;
    for word in words {
        let row = tx.query_one(
            "SELECT COUNT(*) FROM (SELECT 1 FROM shelf_word WHERE book_id = $1 AND word >= $2
                AND word < $3 LIMIT $4) AS found",
            params![book, &word.from, &word.below, FEW.saturating_add(1)],
        )?;
        let count = row.int(0)?;
        if count <= FEW && best.is_none_or(|(least, _)| count < least) {
            best = Some((count, word));
        }
    }
    Ok(best.map(|(_, word)| word.clone()))
}

/// All matches, from the products of one word; each once.
pub(super) fn gathered(
    tx: &mut dyn Read,
    book: i64,
    filter: &ShelfFilter,
    words: &[Range],
    rare: &Range,
) -> Result<Vec<Sorted>> {
    let mut all = fitting(book, filter, words);
    all.extend([Param::Text(&rare.from), Param::Text(&rare.below)]);
    let mut found: BTreeMap<ProductId, Sorted> = BTreeMap::new();
    for row in tx.query(GATHER, &all)? {
        let id = ProductId::from_row(&row, 0)?;
        let (key, price) = (row.text(1)?.to_owned(), row.int(2)?);
        found.insert(id, Sorted { id, key, price });
    }
    Ok(found.into_values().collect())
}

/// One page and one more, from a place on, in an order or backwards.
pub(super) fn walked(
    tx: &mut dyn Read,
    book: i64,
    filter: &ShelfFilter,
    words: &[Range],
    (sort, back): (Sort, bool),
    at: Option<Sorted>,
    limit: usize,
) -> Result<Vec<ProductId>> {
    let falls = matches!(sort, Sort::Dearest | Sort::Newest);
    let down = falls != back;
    let last = LAST.to_string();
    let edge = if down { ALL_IDS } else { NO_ID };
    let id = at.as_ref().map_or(edge, |at| at.id.0.as_bytes());
    let (sql, key) = match sort {
        Sort::Entered | Sort::Match | Sort::Newest => {
            (if down { BY_ID_DOWN } else { BY_ID }, Param::Int(0))
        }
        Sort::Name => {
            let edge = if down { last.as_str() } else { "" };
            let key = at.as_ref().map_or(edge, |at| &at.key);
            (
                if down { BY_TITLE_DOWN } else { BY_TITLE },
                Param::Text(key),
            )
        }
        Sort::Cheapest | Sort::Dearest => {
            let edge = match (down, filter.price_from, filter.price_to) {
                (false, from, _) => from.map_or(i64::MIN, Amount::units),
                (true, _, to) => to.map_or(i64::MAX, Amount::units),
            };
            let key = at.as_ref().map_or(edge, |at| at.price);
            (if down { BY_PRICE_DOWN } else { BY_PRICE }, Param::Int(key))
        }
    };
    let one_more = i64::try_from(limit).map_or(i64::MAX, |l| l.saturating_add(1));
    let mut all = fitting(book, filter, words);
    all.extend([key, Param::Blob(id), Param::Int(one_more)]);
    let rows = tx.query(sql, &all)?;
    rows.iter()
        .map(|row| Ok(ProductId::from_row(row, 0)?))
        .collect()
}

/// How many products match, words left aside.
pub(super) fn counted(tx: &mut dyn Read, book: i64, filter: &ShelfFilter) -> Result<i64> {
    Ok(tx.query_one(COUNT, &fitting(book, filter, &[]))?.int(0)?)
}

/// Values by name, with their products for sale.
pub(super) fn facets(
    tx: &mut dyn Read,
    book: i64,
    facet: &str,
    branch: Option<Branch>,
) -> Result<Vec<(String, i64)>> {
    let rows = tx.query(
        "SELECT value, software, products FROM shelf_facet
         WHERE book_id = $1 AND facet = $2 ORDER BY value",
        params![book, facet],
    )?;
    let mut found: Vec<(String, i64)> = Vec::new();
    for row in &rows {
        let of_branch =
            branch.is_none_or(|b| (b == Branch::Software) == row.bool(1).unwrap_or(false));
        let (value, products) = (row.text(0)?, row.int(2)?);
        if !of_branch || products == 0 {
            continue;
        }
        match found.last_mut().filter(|(last, _)| last == value) {
            Some((_, sum)) => *sum = sum.saturating_add(products),
            None => found.push((value.to_owned(), products)),
        }
    }
    Ok(found)
}

/// All counts, for `verify`.
pub(super) fn all_facets(
    tx: &mut dyn Read,
    book: i64,
) -> Result<BTreeMap<(String, String, bool), i64>> {
    let rows = tx.query(
        "SELECT facet, value, software, products FROM shelf_facet
         WHERE book_id = $1 AND products <> 0",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            let key = (
                row.text(0)?.to_owned(),
                row.text(1)?.to_owned(),
                row.bool(2)?,
            );
            Ok((key, row.int(3)?))
        })
        .collect()
}

pub(super) fn row(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<Option<Row>> {
    let row = tx.query_opt(
        "SELECT title_key, category, manufacturer, price, ways, on_sale, in_stock, software,
                for_sale
         FROM shelf WHERE book_id = $1 AND product_id = $2",
        params![book, &id],
    )?;
    row.map(|row| {
        Ok(Row {
            key: row.text(0)?.to_owned(),
            category: row.text(1)?.to_owned(),
            manufacturer: row.text(2)?.to_owned(),
            price: Amount::from_units(row.int(3)?),
            ways: row.int(4)?,
            on_sale: row.bool(5)?,
            in_stock: row.bool(6)?,
            software: row.bool(7)?,
            for_sale: row.bool(8)?,
        })
    })
    .transpose()
}

/// What the row of a product is made of. By itself, because it is asked for with every change.
pub(super) fn source(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<Option<Source>> {
    let product = tx.query_opt(
        "SELECT handle, title, description, manufacturer, category, delivery FROM product
         WHERE book_id = $1 AND product_id = $2",
        params![book, &id],
    )?;
    let Some(product) = product else {
        return Ok(None);
    };
    let rows = tx.query(
        "SELECT o.offer_id, o.sku, o.variant, o.kind, o.price, o.on_sale, o.active, o.stocked,
                (SELECT s.on_hand FROM stock s
                 WHERE s.book_id = o.book_id AND s.offer_id = o.offer_id),
                (SELECT t.price FROM offer_tier t
                 WHERE t.book_id = o.book_id AND t.offer_id = o.offer_id
                 ORDER BY t.up_to LIMIT 1)
         FROM offer o WHERE o.book_id = $1 AND o.product_id = $2",
        params![book, &id],
    )?;
    let mut offers = Vec::with_capacity(rows.len());
    for row in &rows {
        let offer = OfferId::from_row(row, 0)?;
        offers.push(SourceOffer {
            sku: row.text(1)?.to_owned(),
            variant: row.text(2)?.to_owned(),
            kind: OfferKind::of_row(row.text(3)?, offer)?,
            price: Amount::from_units(row.opt_int(9)?.unwrap_or(row.int(4)?)),
            on_sale: row.bool(5)?,
            active: row.bool(6)?,
            on_hand: if row.bool(7)? { row.opt_int(8)? } else { None },
        });
    }
    let delivery = Delivery::parse(product.text(5)?);
    Ok(Some(Source {
        product: NewProduct {
            handle: product.text(0)?.to_owned(),
            title: product.text(1)?.to_owned(),
            description: product.text(2)?.to_owned(),
            manufacturer: product.text(3)?.to_owned(),
            category: product.text(4)?.to_owned(),
            delivery: delivery.map_err(|e| Error::Corrupt(e.to_string()))?,
            ..NewProduct::default()
        },
        offers,
    }))
}

/// Sets the row of a product, and the counts that it changes. Under the catalogue's lock.
pub(super) fn set(tx: &mut Tx<'_>, book: i64, id: ProductId, new: &Row) -> Result<()> {
    let old = row(tx, book, id)?;
    if old.as_ref() == Some(new) {
        return Ok(());
    }
    tx.put(
        "INSERT INTO shelf (book_id, product_id, title_key, category, manufacturer, price, ways,
                            on_sale, in_stock, software, for_sale)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (book_id, product_id) DO UPDATE SET title_key = excluded.title_key,
            category = excluded.category, manufacturer = excluded.manufacturer,
            price = excluded.price, ways = excluded.ways, on_sale = excluded.on_sale,
            in_stock = excluded.in_stock, software = excluded.software,
            for_sale = excluded.for_sale",
        params![
            book,
            &id,
            &new.key,
            &new.category,
            &new.manufacturer,
            new.price.units(),
            new.ways,
            new.on_sale,
            new.in_stock,
            new.software,
            new.for_sale
        ],
    )?;
    let before = old.as_ref().filter(|old| old.for_sale);
    let after = Some(new).filter(|new| new.for_sale);
    let facets = |row: &Row| {
        [
            ("category", row.category.clone(), row.software),
            ("manufacturer", row.manufacturer.clone(), row.software),
        ]
    };
    let (before, after) = (before.map(facets), after.map(facets));
    if before == after {
        return Ok(());
    }
    for (facets, by) in [(before, -1), (after, 1)] {
        for (facet, value, software) in facets.into_iter().flatten() {
            tx.put(
                "INSERT INTO shelf_facet (book_id, facet, value, software, products)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (book_id, facet, value, software)
                 DO UPDATE SET products = shelf_facet.products + excluded.products",
                params![book, facet, &value, software, by],
            )?;
        }
    }
    Ok(())
}

/// Sets the words of a product.
pub(super) fn set_words(
    tx: &mut Tx<'_>,
    book: i64,
    id: ProductId,
    new: &BTreeSet<String>,
) -> Result<()> {
    let rows = tx.query(
        "SELECT word FROM shelf_word WHERE book_id = $1 AND product_id = $2",
        params![book, &id],
    )?;
    let mut old = BTreeSet::new();
    for row in &rows {
        old.insert(row.text(0)?.to_owned());
    }
    for word in old.difference(new) {
        tx.put(
            "DELETE FROM shelf_word WHERE book_id = $1 AND product_id = $2 AND word = $3",
            params![book, &id, word],
        )?;
    }
    for word in new.difference(&old) {
        tx.put(
            "INSERT INTO shelf_word (book_id, product_id, word) VALUES ($1, $2, $3)",
            params![book, &id, word],
        )?;
    }
    Ok(())
}

/// Notes that the row of an offer's product is due.
pub(super) fn due(tx: &mut Tx<'_>, book: i64, offer: OfferId) -> Result<()> {
    tx.put(
        "INSERT INTO shelf_due (book_id, product_id)
         SELECT book_id, product_id FROM offer WHERE book_id = $1 AND offer_id = $2
         ON CONFLICT (book_id, product_id) DO NOTHING",
        params![book, &offer],
    )?;
    Ok(())
}

/// Products that are due, at most so many.
pub(super) fn all_due(tx: &mut dyn Read, book: i64, at_most: i64) -> Result<Vec<ProductId>> {
    let rows = tx.query(
        "SELECT product_id FROM shelf_due WHERE book_id = $1 ORDER BY product_id LIMIT $2",
        params![book, at_most],
    )?;
    rows.iter()
        .map(|row| Ok(ProductId::from_row(row, 0)?))
        .collect()
}

pub(super) fn is_due(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT product_id FROM shelf_due WHERE book_id = $1 AND product_id = $2",
        params![book, &id],
    )?;
    Ok(row.is_some())
}

pub(super) fn is_done(tx: &mut Tx<'_>, book: i64, id: ProductId) -> Result<()> {
    tx.put(
        "DELETE FROM shelf_due WHERE book_id = $1 AND product_id = $2",
        params![book, &id],
    )?;
    Ok(())
}
