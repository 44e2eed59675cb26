//! Planning promotions: making, changing and stopping them, and looking at what they would do.

use super::rules::{self, Facts, best, is_for};
use super::{Cut, Promotion, PromotionError, Result, Scope, State, Terms, coupon, store};
use crate::actor::Actor;
use crate::audit;
use crate::catalog::{
    CatalogError, ProductDetail, ProductFilter, offer_by_sku, offers_by_id, product_by_id,
    product_detail, products,
};
use crate::id::{OfferId, PromotionId};
use crate::page::Page;
use crate::vault::Vault;
use crate::vendor::Vendor;
use scrip_engine::{Error as EngineError, Read, Tx};
use scrip_ledger::Amount;
use serde_json::{Value, json};

/// Promotions that can be planned or running at once.
const OPEN_AT_MOST: usize = 200;

/// Pages of a hundred products that a preview looks at: it must not walk through all of them.
const PAGES_LOOKED_AT: usize = 20;

/// A promotion to be made or changed.
#[derive(Clone, Debug)]
pub struct NewPromotion {
    /// Which one is changed, and the version that was seen; `None` makes one.
    pub change: Option<(PromotionId, i64)>,
    /// What it is.
    pub terms: Terms,
}

pub(super) fn for_vendor(actor: Actor) -> Result<()> {
    if actor.for_vendor() {
        Ok(())
    } else {
        Err(PromotionError::Forbidden)
    }
}

/// What the trail says of the terms. A shared code is in it; random ones are nowhere.
fn told(terms: &Terms) -> Value {
    json!(terms)
}

/// Makes a promotion, or changes one that has not begun. For the vendor.
pub fn promotion_put(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    new: &NewPromotion,
) -> Result<Promotion> {
    for_vendor(actor)?;
    let (book, now) = (vendor.book_id, tx.now());
    let terms = rules::checked(&new.terms, now)?;
    store::lock(tx, book)?;
    let (id, version, before) = match new.change {
        None => {
            if store::open(tx, book, now)?.len() >= OPEN_AT_MOST {
                return Err(PromotionError::TooMany(
                    i64::try_from(OPEN_AT_MOST).unwrap_or(i64::MAX),
                ));
            }
            (PromotionId(tx.new_id()?), 1, Value::Null)
        }
        Some((id, seen)) => {
            let held = store::by_id(tx, book, id)?.ok_or(PromotionError::Unknown(id))?;
            if held.version != seen {
                return Err(PromotionError::Changed);
            }
            if held.state(now) != State::Planned {
                return Err(PromotionError::Begun);
            }
            if held.is_coupon() != terms.coupon.is_some() {
                return Err(PromotionError::Invalid(
                    "a coupon stays a coupon, and a promotion without a code stays one: make a new \
                     one instead",
                ));
            }
            (id, held.version.saturating_add(1), told(&held.terms))
        }
    };
    let promotion = Promotion {
        id,
        terms,
        stopped_at: None,
        version,
        changed_at: now,
    };
    store::put(tx, book, &promotion)?;
    coupon::share(tx, vault, book, &promotion, now)?;
    store::set_until(tx, book)?;
    let action = if before.is_null() {
        "promotion.created"
    } else {
        "promotion.changed"
    };
    let detail = json!({"from": before, "to": told(&promotion.terms)});
    audit::note(tx, book, actor, action, &id.to_string(), &detail)?;
    Ok(promotion)
}

/// Stops a promotion, from now on. Orders that had it keep what they paid. Stopping one that is
/// stopped or over changes nothing.
pub fn promotion_stop(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: PromotionId,
) -> Result<Promotion> {
    for_vendor(actor)?;
    let (book, now) = (vendor.book_id, tx.now());
    store::lock(tx, book)?;
    let mut promotion = store::by_id(tx, book, id)?.ok_or(PromotionError::Unknown(id))?;
    if matches!(promotion.state(now), State::Over | State::Stopped) {
        return Ok(promotion);
    }
    promotion.stopped_at = Some(now);
    promotion.version = promotion.version.saturating_add(1);
    promotion.changed_at = now;
    store::put(tx, book, &promotion)?;
    store::set_until(tx, book)?;
    let detail = json!({"name": promotion.terms.name});
    let subject = id.to_string();
    audit::note(tx, book, actor, "promotion.stopped", &subject, &detail)?;
    Ok(promotion)
}

/// All promotions and coupons, newest first: `limit` of them, older than `before`.
pub fn promotions(
    tx: &mut dyn Read,
    book_id: i64,
    before: Option<PromotionId>,
    limit: usize,
) -> Result<Page<Promotion, PromotionId>> {
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::before(tx, book_id, before, further)?;
    Ok(Page::of(found, limit, |promotion| promotion.id))
}

/// The promotion of an id.
pub fn promotion_by_id(tx: &mut dyn Read, book_id: i64, id: PromotionId) -> Result<Promotion> {
    store::by_id(tx, book_id, id)?.ok_or(PromotionError::Unknown(id))
}

fn catalogue(error: CatalogError) -> PromotionError {
    match error {
        CatalogError::Engine(e) => e.into(),
        CatalogError::Ledger(e) => e.into(),
        CatalogError::Text(e) => e.into(),
        other => EngineError::Corrupt(other.to_string()).into(),
    }
}

/// Reads which products are meant: their handles or SKUs.
pub fn scope_read(tx: &mut dyn Read, book_id: i64, names: &[String]) -> Result<Scope> {
    let (mut products, mut offers) = (Vec::new(), Vec::new());
    for name in names {
        match product_detail(tx, book_id, name) {
            Ok(detail) => products.push(detail.product_id),
            Err(CatalogError::ProductUnknown(_)) => {
                let offer = offer_by_sku(tx, book_id, name).map_err(catalogue)?;
                let unknown = || PromotionError::NothingCalled(name.chars().take(60).collect());
                offers.push(offer.ok_or_else(unknown)?);
            }
            Err(error) => return Err(catalogue(error)),
        }
    }
    Ok(Scope::Chosen { products, offers })
}

/// What a scope names, as it was typed: categories, manufacturers, handles and SKUs. What is gone
/// from the catalogue is left out.
pub fn scope_in_words(tx: &mut dyn Read, book_id: i64, scope: &Scope) -> Result<Vec<String>> {
    match scope {
        Scope::All => Ok(Vec::new()),
        Scope::Categories(names) | Scope::Manufacturers(names) => Ok(names.clone()),
        Scope::Chosen { products, offers } => {
            let mut names = Vec::new();
            for id in products {
                match product_by_id(tx, book_id, *id) {
                    Ok(detail) => names.push(detail.product.handle),
                    Err(CatalogError::ProductUnknown(_)) => {}
                    Err(error) => return Err(catalogue(error)),
                }
            }
            for id in offers {
                match offers_by_id(tx, book_id, &[*id]) {
                    Ok(found) => names.extend(found.into_iter().map(|offer| offer.sku)),
                    Err(CatalogError::OfferUnknown(_)) => {}
                    Err(error) => return Err(catalogue(error)),
                }
            }
            Ok(names)
        }
    }
}

/// An offer that a promotion would be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The offer.
    pub offer_id: OfferId,
    /// Its name.
    pub title: String,
    /// Its stock-keeping unit.
    pub sku: String,
    /// What a tier grants; 1 for a price each.
    pub granted: i64,
    /// Tokens for it now.
    pub list: Amount,
    /// Tokens for it with the promotion alone.
    pub price: Amount,
    /// False where it is off sale.
    pub active: bool,
}

/// What a promotion would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Prices that it would be for, the first of them.
    pub examples: Vec<Example>,
    /// How many prices it would be for, of those that were looked at.
    pub affected: i64,
    /// Those of them that would not be lower.
    pub unchanged: i64,
    /// Those that would be nothing.
    pub free: i64,
    /// False when there are more products than were looked at.
    pub is_all: bool,
    /// Names of other promotions for some of the same time; the best price counts, or they add up.
    pub beside: Vec<String>,
}

/// What terms would do, before anything is kept. `id` is the promotion that is changed.
pub fn promotion_preview(
    tx: &mut dyn Read,
    book_id: i64,
    terms: &Terms,
    id: Option<PromotionId>,
    at_most: usize,
) -> Result<Preview> {
    let now = tx.now();
    let terms = rules::checked(terms, now)?;
    let mut preview = Preview {
        is_all: true,
        ..Preview::default()
    };
    let mut look = |details: &[ProductDetail]| -> Result<()> {
        for detail in details {
            examples(&terms, detail, at_most, &mut preview)?;
        }
        Ok(())
    };
    let is_all = match &terms.scope {
        Scope::Chosen { products, offers } => {
            let mut ids = products.clone();
            let of = offers_by_id(tx, book_id, offers).map_err(catalogue)?;
            ids.extend(of.iter().map(|offer| offer.product_id));
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                look(&[product_by_id(tx, book_id, id).map_err(catalogue)?])?;
            }
            true
        }
        Scope::Categories(names) => walked(tx, book_id, names, &mut look)?,
        Scope::All | Scope::Manufacturers(_) => walked(tx, book_id, &[], &mut look)?,
    };
    preview.is_all = is_all;
    let same_time = |other: &&Promotion| {
        Some(other.id) != id
            && other.terms.begins_at < terms.ends_at
            && terms.begins_at < other.terms.ends_at
    };
    let open = store::open(tx, book_id, now)?;
    preview.beside = open
        .iter()
        .filter(same_time)
        .map(|other| other.terms.name.clone())
        .collect();
    Ok(preview)
}

/// Looks through the catalogue, as far as a page may; true when that was all of it.
fn walked(
    tx: &mut dyn Read,
    book: i64,
    categories: &[String],
    look: &mut dyn FnMut(&[ProductDetail]) -> Result<()>,
) -> Result<bool> {
    let mut filter = ProductFilter {
        categories: categories.to_vec(),
        limit: crate::catalog::PRODUCTS_AT_MOST,
        ..ProductFilter::default()
    };
    for _ in 0..PAGES_LOOKED_AT {
        let page = products(tx, book, &filter).map_err(|e| match e {
            CatalogError::TooManyCategories { .. } => {
                PromotionError::Invalid("at most 100 categories are named: choose fewer")
            }
            other => catalogue(other),
        })?;
        look(&page.items)?;
        if page.next.is_none() {
            return Ok(true);
        }
        filter.after = page.next;
    }
    Ok(false)
}

fn examples(
    terms: &Terms,
    detail: &ProductDetail,
    at_most: usize,
    preview: &mut Preview,
) -> Result<()> {
    for (offer, _) in &detail.offers {
        let facts = Facts {
            offer: offer.offer_id,
            product: detail.product_id,
            category: &detail.product.category,
            manufacturer: &detail.product.manufacturer,
        };
        if !is_for(terms, &facts) {
            continue;
        }
        let tiers = offer.tiers.iter().map(|tier| (tier.up_to, tier.price));
        let mut prices: Vec<(i64, Amount)> = tiers.collect();
        if prices.is_empty() {
            prices.push((1, offer.price));
        }
        for (granted, list) in prices {
            let price = alone(terms.cut, list, granted)?;
            preview.affected = preview.affected.saturating_add(1);
            if price == list {
                preview.unchanged = preview.unchanged.saturating_add(1);
            }
            if price.is_zero() {
                preview.free = preview.free.saturating_add(1);
            }
            if preview.examples.len() < at_most {
                preview.examples.push(Example {
                    offer_id: offer.offer_id,
                    title: offer.title.clone(),
                    sku: offer.sku.clone(),
                    granted,
                    list,
                    price,
                    active: offer.active,
                });
            }
        }
    }
    Ok(())
}

/// A price with one promotion alone.
fn alone(cut: Cut, list: Amount, granted: i64) -> Result<Amount> {
    Ok(best(list, granted, &[(0, cut)], false, None)?.price)
}
