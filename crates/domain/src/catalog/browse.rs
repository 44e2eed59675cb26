//! Looking through the catalogue, a page at a time (SHP-07 to SHP-09).

use super::{CatalogError, ProductDetail, Result, rules, shelf, store};
use crate::id::ProductId;
use crate::page::Page;
use scrip_engine::Read;
use std::collections::BTreeMap;

/// Products on one page at most.
pub const PRODUCTS_AT_MOST: usize = store::PRODUCTS_AT_ONCE;

/// Categories in one filter at most; each costs a look into the index.
const CATEGORIES_AT_MOST: usize = 100;

/// Which products a page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductFilter {
    /// Categories that are ticked (SHP-07); none are all.
    pub categories: Vec<String>,
    /// The last product of the page before.
    pub after: Option<ProductId>,
    /// Products on the page, 1 to [`PRODUCTS_AT_MOST`]; other numbers are taken as the nearest.
    pub limit: usize,
    /// True for shop pages: without offers that are not sold, and without products that have no
    /// other ones.
    pub for_sale_only: bool,
}

impl Default for ProductFilter {
    fn default() -> Self {
        ProductFilter {
            categories: Vec::new(),
            after: None,
            limit: 24,
            for_sale_only: false,
        }
    }
}

/// Products, and the id after which the next page begins.
pub type ProductPage = Page<ProductDetail, ProductId>;

/// The categories by name, each with its number of products for sale (SHP-07): those with an
/// offer that is sold. Products without a category are under the empty name.
pub fn categories(tx: &mut dyn Read, book_id: i64) -> Result<Vec<(String, i64)>> {
    shelf::categories(tx, book_id, None)
}

/// A page of products with all there is to say about them, in order of entry (SHP-08, SHP-09).
/// The number of queries does not depend on the size of the page.
pub fn products(tx: &mut dyn Read, book_id: i64, filter: &ProductFilter) -> Result<ProductPage> {
    check_categories(&filter.categories)?;
    let limit = filter.limit.clamp(1, PRODUCTS_AT_MOST);
    let one_more = i64::try_from(limit).map_or(i64::MAX, |l| l.saturating_add(1));
    let ids = store::product_ids(tx, book_id, filter, one_more)?;
    let ids = Page::of(ids, limit, |id| *id);
    let mut items = details(tx, book_id, &ids.items)?;
    if filter.for_sale_only {
        for item in &mut items {
            item.offers.retain(|(offer, _)| offer.active);
        }
    }
    Ok(Page {
        items,
        next: ids.next,
    })
}

pub(super) fn check_categories(wanted: &[String]) -> Result<()> {
    if wanted.len() > CATEGORIES_AT_MOST {
        return Err(CatalogError::TooManyCategories {
            chosen: wanted.len(),
            most: CATEGORIES_AT_MOST,
        });
    }
    Ok(())
}

/// All about one product (SHP-09).
pub fn product_detail(tx: &mut dyn Read, book_id: i64, handle: &str) -> Result<ProductDetail> {
    let unknown = || CatalogError::ProductUnknown(handle.chars().take(60).collect());
    if !rules::may_be_handle(handle) {
        return Err(unknown());
    }
    let id = store::product_by_handle(tx, book_id, handle)?.ok_or_else(unknown)?;
    details(tx, book_id, &[id])?.pop().ok_or_else(unknown)
}

/// All about the product of an id.
pub fn product_by_id(tx: &mut dyn Read, book_id: i64, id: ProductId) -> Result<ProductDetail> {
    let found = details(tx, book_id, &[id])?.pop();
    found.ok_or_else(|| CatalogError::ProductUnknown(id.to_string()))
}

/// The products of these ids, at most [`PRODUCTS_AT_MOST`], in their order.
pub(super) fn details(
    tx: &mut dyn Read,
    book_id: i64,
    ids: &[ProductId],
) -> Result<Vec<ProductDetail>> {
    let mut products: BTreeMap<_, _> = store::products(tx, book_id, ids)?.into_iter().collect();
    let mut offers: BTreeMap<ProductId, Vec<_>> = BTreeMap::new();
    for shown in store::offers_of(tx, book_id, ids)? {
        let of_product = offers.entry(shown.offer.product_id).or_default();
        of_product.push((shown.offer, shown.on_hand));
    }
    Ok(ids
        .iter()
        .filter_map(|id| {
            Some(ProductDetail {
                product: products.remove(id)?,
                product_id: *id,
                offers: offers.remove(id).unwrap_or_default(),
            })
        })
        .collect())
}
