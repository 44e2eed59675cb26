//! The shelf: finding products by words, filters and order, a page at a time (SHP-06 to SHP-09).
//!
//! Each product has one narrow row with what pages filter and sort by, and its words without case
//! and accents. Commands of the catalogue make both anew with each change; a sale that takes the
//! last piece only notes that it is due, and a job does it a moment later.

mod fold;
mod store;

use super::browse::{check_categories, details};
use super::{Delivery, NewProduct, OfferKind, PRODUCTS_AT_MOST, ProductDetail, Result};
use crate::id::{OfferId, ProductId};
use crate::text::named;
use scrip_engine::{Read, Tx};
use scrip_ledger::Amount;
use std::collections::{BTreeMap, BTreeSet};

named! {
    /// The order of products.
    Sort, "the order" {
        /// As they were entered.
        Entered = "entered",
        /// The best match of a search first; without one, as they were entered.
        Match = "match",
        /// By name.
        Name = "name",
        /// By price, the lowest first.
        Cheapest = "cheapest",
        /// By price, the highest first.
        Dearest = "dearest",
        /// The newest first.
        Newest = "newest",
    }
}

named! {
    /// The two branches of a shop (SHP-06).
    Branch, "the branch" {
        /// Software.
        Software = "software",
        /// Anything else.
        Goods = "goods",
    }
}

/// Which products are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sold {
    /// Those that customers see, without offers that are not sold.
    #[default]
    ForSale,
    /// Those without an offer that is sold.
    NotForSale,
    /// All.
    All,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At the beginning.
    #[default]
    Beginning,
    /// After a product. If that stands elsewhere by now, the page goes on from there.
    After(ProductId),
    /// Before a product.
    Before(ProductId),
}

/// What a page of the shelf shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelfFilter {
    /// Words that must all be there, the last perhaps only begun; empty for any.
    pub search: String,
    /// Categories; none are all (SHP-07).
    pub categories: Vec<String>,
    /// A manufacturer.
    pub manufacturer: Option<String>,
    /// A kind of sale (SHP-08).
    pub kind: Option<OfferKind>,
    /// The lowest price: tokens for one, or for the first tier, of the cheapest offer.
    pub price_from: Option<Amount>,
    /// The highest such price.
    pub price_to: Option<Amount>,
    /// Only what can be had now.
    pub in_stock: bool,
    /// Only what restricted tokens may pay for.
    pub on_sale: bool,
    /// Software or other products, where a vendor sells both (SHP-06).
    pub branch: Option<Branch>,
    /// Which products are meant.
    pub sold: Sold,
    /// The order.
    pub sort: Sort,
    /// Where the page begins.
    pub start: Start,
    /// Products on the page, 1 to [`PRODUCTS_AT_MOST`]; other numbers are taken as the nearest.
    pub limit: usize,
}

impl Default for ShelfFilter {
    fn default() -> Self {
        ShelfFilter {
            search: String::new(),
            categories: Vec::new(),
            manufacturer: None,
            kind: None,
            price_from: None,
            price_to: None,
            in_stock: false,
            on_sale: false,
            branch: None,
            sold: Sold::ForSale,
            sort: Sort::Entered,
            start: Start::Beginning,
            limit: 24,
        }
    }
}

impl ShelfFilter {
    /// True when nothing but categories, branch and what is sold narrows it.
    fn is_plain(&self) -> bool {
        self.manufacturer.is_none() && self.is_unfiltered()
    }

    fn is_unfiltered(&self) -> bool {
        self.search.trim().is_empty()
            && self.kind.is_none()
            && self.price_from.is_none()
            && self.price_to.is_none()
            && !self.in_stock
            && !self.on_sale
    }
}

/// A page of the shelf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShelfPage {
    /// The products.
    pub items: Vec<ProductDetail>,
    /// The page before this one ends before this product.
    pub previous: Option<ProductId>,
    /// The next page comes after this product.
    pub next: Option<ProductId>,
    /// All products that match; `None` for a search whose words are in very many products.
    pub total: Option<i64>,
}

/// A value that products are filtered by, and how many for sale have it.
pub type Facet = (String, i64);

/// Products that match, in their order. The time does not depend on the size of the page, and
/// hardly on that of the catalogue.
pub fn shelf(tx: &mut dyn Read, book_id: i64, filter: &ShelfFilter) -> Result<ShelfPage> {
    check_categories(&filter.categories)?;
    let words = fold::asked(&filter.search);
    if words.is_empty() && !filter.search.trim().is_empty() {
        return Ok(ShelfPage {
            total: Some(0),
            ..ShelfPage::default()
        });
    }
    let limit = filter.limit.clamp(1, PRODUCTS_AT_MOST);
    let at = match filter.start {
        Start::Beginning => None,
        Start::After(id) | Start::Before(id) => store::place(tx, book_id, id)?,
    };
    let (begins, back) = (
        at.is_none(),
        matches!(filter.start, Start::Before(_)) && at.is_some(),
    );
    let rare = store::rarest(tx, book_id, &words)?;
    let (mut found, total) = match rare {
        Some(rare) => {
            let all = store::gathered(tx, book_id, filter, &words, &rare)?;
            let total = i64::try_from(all.len()).ok();
            (part(all, filter, &words, at.as_ref(), back, limit), total)
        }
        None => {
            let sort = match filter.sort {
                Sort::Match if !words.is_empty() => Sort::Name,
                other => other,
            };
            let found = store::walked(tx, book_id, filter, &words, (sort, back), at, limit)?;
            (found, total(tx, book_id, filter, &words)?)
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    if back {
        found.reverse();
    }
    let (first, last) = (found.first().copied(), found.last().copied());
    let mut items = details(tx, book_id, &found)?;
    if filter.sold == Sold::ForSale {
        for item in &mut items {
            item.offers.retain(|(offer, _)| offer.active);
        }
    }
    Ok(ShelfPage {
        items,
        previous: first.filter(|_| if back { more } else { !begins }),
        next: last.filter(|_| back || more),
        total,
    })
}

fn total(
    tx: &mut dyn Read,
    book: i64,
    filter: &ShelfFilter,
    words: &[fold::Range],
) -> Result<Option<i64>> {
    if !words.is_empty() {
        return Ok(None);
    }
    if filter.is_plain() && filter.sold == Sold::ForSale {
        let facets = store::facets(tx, book, "category", filter.branch)?;
        let wanted =
            |name: &String| filter.categories.is_empty() || filter.categories.contains(name);
        let counts = facets.iter().filter(|(name, _)| wanted(name));
        return Ok(Some(counts.fold(0, |sum, (_, n)| sum.saturating_add(*n))));
    }
    store::counted(tx, book, filter).map(Some)
}

/// What a product is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sorted {
    id: ProductId,
    key: String,
    price: i64,
}

/// How well a product matches: 0 is best.
fn rank(key: &str, words: &[fold::Range]) -> u8 {
    let phrase: Vec<&str> = words.iter().map(|w| w.from.as_str()).collect();
    let phrase = phrase.join(" ");
    let in_title = |word: &fold::Range| {
        let mut title = key.split(' ');
        title.any(|w| (word.from.as_str()..word.below.as_str()).contains(&w))
    };
    match () {
        () if key == phrase => 0,
        () if key.starts_with(&phrase) => 1,
        () if words.iter().all(in_title) => 2,
        () => 3,
    }
}

/// The part of all matches that a page shows, and one more; backwards for the page before.
fn part(
    mut all: Vec<Sorted>,
    filter: &ShelfFilter,
    words: &[fold::Range],
    at: Option<&Sorted>,
    back: bool,
    limit: usize,
) -> Vec<ProductId> {
    let order = |one: &Sorted, other: &Sorted| {
        let order = match filter.sort {
            Sort::Match => {
                let rank = |it: &Sorted| rank(&it.key, words);
                (rank(one), &one.key, one.id).cmp(&(rank(other), &other.key, other.id))
            }
            Sort::Name => (&one.key, one.id).cmp(&(&other.key, other.id)),
            Sort::Cheapest | Sort::Dearest => (one.price, one.id).cmp(&(other.price, other.id)),
            Sort::Entered | Sort::Newest => one.id.cmp(&other.id),
        };
        let falls = matches!(filter.sort, Sort::Dearest | Sort::Newest);
        if falls != back {
            order.reverse()
        } else {
            order
        }
    };
    all.sort_by(order);
    let begin = at.map_or(0, |at| all.partition_point(|one| order(one, at).is_le()));
    let rest = all.into_iter().skip(begin).take(limit.saturating_add(1));
    rest.map(|one| one.id).collect()
}

/// The categories by name, each with its products for sale (SHP-07); of one branch, or of all.
pub fn categories(tx: &mut dyn Read, book_id: i64, branch: Option<Branch>) -> Result<Vec<Facet>> {
    store::facets(tx, book_id, "category", branch)
}

/// The manufacturers by name, each with its products for sale.
pub fn manufacturers(
    tx: &mut dyn Read,
    book_id: i64,
    branch: Option<Branch>,
) -> Result<Vec<Facet>> {
    let mut all = store::facets(tx, book_id, "manufacturer", branch)?;
    all.retain(|(name, _)| !name.is_empty());
    Ok(all)
}

/// Makes the shelf's row and words of a product anew.
pub(super) fn refresh(tx: &mut Tx<'_>, book: i64, id: ProductId) -> Result<()> {
    let Some(source) = store::source(tx, book, id)? else {
        return Ok(());
    };
    let usual = is_software_usual(tx, book)?;
    store::set(tx, book, id, &row(&source, usual))?;
    store::set_words(tx, book, id, &source.words())
}

/// What a row of the shelf is made of.
struct Source {
    product: NewProduct,
    offers: Vec<SourceOffer>,
}

struct SourceOffer {
    sku: String,
    variant: String,
    kind: OfferKind,
    price: Amount,
    on_sale: bool,
    active: bool,
    on_hand: Option<i64>,
}

impl Source {
    fn words(&self) -> BTreeSet<String> {
        let product = &self.product;
        let mut names = vec![
            product.title.as_str(),
            product.manufacturer.as_str(),
            product.category.as_str(),
            product.handle.as_str(),
        ];
        for offer in &self.offers {
            names.extend([offer.variant.as_str(), offer.sku.as_str()]);
        }
        fold::product_words(names.into_iter(), &product.description)
    }
}

fn is_software_usual(tx: &mut dyn Read, book: i64) -> Result<bool> {
    let front = crate::vendor::storefront(tx, book);
    let front = front.map_err(|e| scrip_engine::Error::Corrupt(e.to_string()))?;
    Ok(front.is_software_usual())
}

/// What the shelf keeps of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    key: String,
    category: String,
    manufacturer: String,
    price: Amount,
    ways: i64,
    on_sale: bool,
    in_stock: bool,
    software: bool,
    for_sale: bool,
}

/// The bit of a kind of sale.
fn way(kind: OfferKind) -> i64 {
    match kind {
        OfferKind::Purchase => 1,
        OfferKind::Time => 2,
        OfferKind::Uses => 4,
        OfferKind::Processings => 8,
    }
}

fn row(source: &Source, usual: bool) -> Row {
    let product = &source.product;
    let for_sale = source.offers.iter().any(|offer| offer.active);
    // What is not sold is sorted by what it cost.
    let counts = |offer: &&SourceOffer| offer.active || !for_sale;
    let offers: Vec<&SourceOffer> = source.offers.iter().filter(counts).collect();
    let price = offers.iter().map(|offer| offer.price).min();
    Row {
        key: fold::key(&product.title),
        category: product.category.clone(),
        manufacturer: product.manufacturer.clone(),
        price: price.unwrap_or(Amount::ZERO),
        ways: offers.iter().fold(16, |ways, o| ways | way(o.kind)),
        on_sale: offers.iter().any(|offer| offer.on_sale),
        in_stock: offers.iter().any(|o| o.on_hand.is_none_or(|n| n > 0)),
        software: match product.delivery {
            Delivery::Download => true,
            Delivery::Shipped | Delivery::InPerson => false,
            Delivery::Usual => usual,
        },
        for_sale,
    }
}

/// Notes that the last piece of an offer went, or that the first came back.
pub(super) fn stock_turned(tx: &mut Tx<'_>, book: i64, offer: OfferId) -> Result<()> {
    store::due(tx, book, offer)
}

/// Makes the shelf's rows anew that are due, at most so many; returns how many were.
pub fn shelf_refresh(tx: &mut Tx<'_>, book_id: i64, at_most: i64) -> Result<usize> {
    tx.lock_name(&format!("catalog {book_id}"))?;
    let due = store::all_due(tx, book_id, at_most)?;
    for id in &due {
        refresh(tx, book_id, *id)?;
        store::is_done(tx, book_id, *id)?;
    }
    Ok(due.len())
}

/// True when rows of the shelf are to be made anew.
pub fn shelf_is_due(tx: &mut dyn Read, book_id: i64) -> Result<bool> {
    Ok(!store::all_due(tx, book_id, 1)?.is_empty())
}

/// Rows of the shelf that differ from what they are made of, for `verify`: the handles.
pub fn shelf_faults(tx: &mut dyn Read, book_id: i64) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut counts: BTreeMap<(String, String, bool), i64> = BTreeMap::new();
    let usual = is_software_usual(tx, book_id)?;
    let mut after = None;
    loop {
        let filter = super::ProductFilter {
            after,
            limit: PRODUCTS_AT_MOST,
            ..super::ProductFilter::default()
        };
        let page = super::products(tx, book_id, &filter)?;
        for detail in &page.items {
            let source = store::source(tx, book_id, detail.product_id)?;
            let wanted = source.map(|source| row(&source, usual));
            let kept = store::row(tx, book_id, detail.product_id)?;
            let stale = store::is_due(tx, book_id, detail.product_id)?;
            if kept != wanted && !stale {
                faults.push(detail.product.handle.clone());
            }
            if let Some(kept) = kept.filter(|kept| kept.for_sale) {
                for (facet, value) in [
                    ("category", kept.category),
                    ("manufacturer", kept.manufacturer),
                ] {
                    let count = counts
                        .entry((facet.to_owned(), value, kept.software))
                        .or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        if page.next.is_none() {
            break;
        }
        after = page.next;
    }
    if store::all_facets(tx, book_id)? != counts {
        faults.push("the counts of categories and manufacturers".to_owned());
    }
    Ok(faults)
}
