//! Which promotions an order has, and what they make of its prices.

use super::coupon::{self, CouponFault, CouponKey};
use super::rules::{Facts, best, cuts_for, is_for};
use super::store::{self, Fact};
use super::{Promotion, Result};
use crate::catalog::ProductDetail;
use crate::customer::{Customer, standing};
use crate::id::{OfferId, PromotionId};
use crate::policy::policy;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::Amount;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose order it is, and what it has.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Whose shop.
    pub book_id: i64,
    /// Who buys; `None` for a visitor.
    pub customer: Option<&'a Customer>,
    /// When the vendor's last promotion ends; later than that none is looked for.
    pub until: Timestamp,
    /// The coupon.
    pub coupon: Option<&'a CouponKey>,
    /// What the order comes to at the list prices; `None` where no order is known.
    pub list: Option<Amount>,
}

/// What a promotion took off a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// The promotion.
    pub promotion_id: PromotionId,
    /// Its name.
    pub name: String,
    /// True for a coupon.
    pub is_coupon: bool,
    /// Until when it holds. Microseconds.
    pub ends_at: i64,
    /// Tokens off one, or off the tier.
    pub each: Amount,
    /// Tokens off the line; zero where no line is known.
    pub amount: Amount,
}

/// A price, and what took off how much of the list price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    /// Tokens for one, or for the tier.
    pub price: Amount,
    /// What came off.
    pub off: Vec<Off>,
}

/// What an order has.
#[derive(Clone, Debug, Default)]
pub struct Held {
    promotions: Vec<Promotion>,
    stacking: bool,
    facts: BTreeMap<OfferId, Fact>,
    /// The place of the coupon among them, and whether it may be combined.
    coupon_at: Option<(usize, bool)>,
    /// The coupon, where there is one that was asked for and known.
    pub coupon: Option<Promotion>,
    /// Why the coupon takes nothing off.
    pub fault: Option<CouponFault>,
    pub(super) code_hash: Option<Vec<u8>>,
    pub(super) is_single: bool,
}

/// True for a preferred customer.
pub(super) fn is_preferred(tx: &mut dyn Read, customer: Option<&Customer>) -> Result<bool> {
    match customer {
        Some(customer) => Ok(standing(tx, customer)?.preferred),
        None => Ok(false),
    }
}

/// True when an order could have any promotion: the way of a purchase without one ends here.
pub fn found(asked: &Asked<'_>, now: Timestamp) -> bool {
    asked.until > now || asked.coupon.is_some()
}

/// What an order for these offers has. Nothing is used by looking.
pub fn held(tx: &mut dyn Read, asked: &Asked<'_>, offers: &[OfferId]) -> Result<Held> {
    let now = tx.now();
    if !found(asked, now) {
        return Ok(Held::default());
    }
    let running = match asked.until > now {
        true => store::running(tx, asked.book_id, now)?,
        false => Vec::new(),
    };
    decide(tx, asked, running, offers)
}

/// The same for an order that is being placed: until the transaction ends, nobody else takes the
/// last use. Locks codes before counts, and those by id.
pub fn held_locked(tx: &mut Tx<'_>, asked: &Asked<'_>, offers: &[OfferId]) -> Result<Held> {
    let now = tx.now();
    if !found(asked, now) {
        return Ok(Held::default());
    }
    let book = asked.book_id;
    let mut limited: Vec<PromotionId> = Vec::new();
    if let Some(key) = asked.coupon {
        coupon::lock(tx, book, key)?;
        let coupon = coupon::find(tx, book, asked.customer, key)?.promotion;
        limited.extend(coupon.filter(|c| c.terms.in_total > 0).map(|c| c.id));
    }
    let running = match asked.until > now {
        true => store::running(tx, book, now)?,
        false => Vec::new(),
    };
    let with_limit = running.iter().filter(|p| p.terms.in_total > 0);
    limited.extend(with_limit.map(|p| p.id));
    limited.sort_unstable();
    for id in limited {
        store::count_lock(tx, book, id)?;
    }
    decide(tx, asked, running, offers)
}

fn decide(
    tx: &mut dyn Read,
    asked: &Asked<'_>,
    running: Vec<Promotion>,
    offers: &[OfferId],
) -> Result<Held> {
    let mut held = Held {
        promotions: allowed(tx, asked, running)?,
        ..Held::default()
    };
    let coupon = match asked.coupon {
        Some(key) => Some(coupon::find(tx, asked.book_id, asked.customer, key)?),
        None => None,
    };
    if held.promotions.is_empty() && coupon.is_none() {
        return Ok(held);
    }
    held.facts = store::facts(tx, asked.book_id, offers)?;
    held.stacking = policy(tx, asked.book_id)?.promotions.stacking;
    if let Some(mut found) = coupon {
        if let (None, Some(promotion)) = (&found.fault, &found.promotion) {
            let facts: Vec<Facts<'_>> = held.facts.iter().map(fact).collect();
            found.fault = coupon::fits(promotion, asked.list, &facts);
        }
        held.take(found);
    }
    Ok(held)
}

/// Those that this customer may have for an order of this size.
fn allowed(
    tx: &mut dyn Read,
    asked: &Asked<'_>,
    running: Vec<Promotion>,
) -> Result<Vec<Promotion>> {
    let mut allowed = Vec::with_capacity(running.len());
    let mut preferred = None;
    for promotion in running {
        let terms = &promotion.terms;
        // Where no order is known, only what every order gets is promised.
        if asked.list.unwrap_or(Amount::ZERO) < terms.minimum {
            continue;
        }
        if terms.preferred_only {
            let known = match preferred {
                Some(known) => known,
                None => is_preferred(tx, asked.customer)?,
            };
            preferred = Some(known);
            if !known {
                continue;
            }
        }
        let (book, id) = (asked.book_id, promotion.id);
        if terms.in_total > 0 && store::count(tx, book, id)? >= terms.in_total {
            continue;
        }
        if let Some(customer) = asked.customer.filter(|_| terms.per_customer > 0)
            && store::uses_of(tx, book, id, customer.customer_id)? >= terms.per_customer
        {
            continue;
        }
        allowed.push(promotion);
    }
    Ok(allowed)
}

fn fact<'a>((offer, (product, category, manufacturer)): (&OfferId, &'a Fact)) -> Facts<'a> {
    Facts {
        offer: *offer,
        product: *product,
        category,
        manufacturer,
    }
}

impl Held {
    fn take(&mut self, found: coupon::Found) {
        self.fault = found.fault;
        self.coupon = found.promotion;
        self.code_hash = found.hash;
        self.is_single = found.is_single;
        if let (None, Some(coupon)) = (&self.fault, &self.coupon) {
            let combinable = coupon.terms.coupon.as_ref().is_some_and(|c| c.combinable);
            self.coupon_at = Some((self.promotions.len(), combinable));
            self.promotions.push(coupon.clone());
        }
    }

    /// True when nothing comes off anything.
    pub fn is_empty(&self) -> bool {
        self.promotions.is_empty()
    }

    /// Those that were tried.
    pub fn promotions(&self) -> &[Promotion] {
        &self.promotions
    }

    /// Learns of more offers, whose prices are asked for too.
    pub fn know(&mut self, tx: &mut dyn Read, book_id: i64, offers: &[OfferId]) -> Result<()> {
        if !self.promotions.is_empty() {
            self.facts = store::facts(tx, book_id, offers)?;
        }
        Ok(())
    }

    /// The best price of an offer: `list` for one, or for the tier that grants so many.
    pub fn price(&self, offer: OfferId, list: Amount, tier: Option<i64>) -> Result<Priced> {
        match self.facts.get_key_value(&offer).map(fact) {
            Some(facts) => self.price_of(&facts, list, tier.unwrap_or(1)),
            None => Ok(Priced {
                price: list,
                off: Vec::new(),
            }),
        }
    }

    fn price_of(&self, facts: &Facts<'_>, list: Amount, count: i64) -> Result<Priced> {
        let cuts = cuts_for(&self.promotions, facts);
        let reduced = best(list, count, &cuts, self.stacking, self.coupon_at)?;
        let off = reduced.off.iter().filter_map(|(place, each)| {
            let promotion = self.promotions.get(*place)?;
            Some(Off {
                promotion_id: promotion.id,
                name: promotion.terms.name.clone(),
                is_coupon: promotion.is_coupon(),
                ends_at: promotion.terms.ends_at,
                each: *each,
                amount: Amount::ZERO,
            })
        });
        Ok(Priced {
            price: reduced.price,
            off: off.collect(),
        })
    }
}

/// The reduced prices of what a page of the shop shows: for each offer that has any, one for each
/// of its tiers, or one. What only a large order gets is not promised here.
pub fn promotions_of_shelf(
    tx: &mut dyn Read,
    book_id: i64,
    customer: Option<&Customer>,
    products: &[ProductDetail],
) -> Result<BTreeMap<OfferId, Vec<Priced>>> {
    let mut reduced = BTreeMap::new();
    let now = tx.now();
    let running = store::running(tx, book_id, now)?;
    if running.is_empty() {
        return Ok(reduced);
    }
    let asked = Asked {
        book_id,
        customer,
        until: Timestamp::NEVER,
        coupon: None,
        list: None,
    };
    let held = Held {
        promotions: allowed(tx, &asked, running)?,
        stacking: policy(tx, book_id)?.promotions.stacking,
        ..Held::default()
    };
    for detail in products {
        for (offer, _) in &detail.offers {
            let facts = Facts {
                offer: offer.offer_id,
                product: detail.product_id,
                category: &detail.product.category,
                manufacturer: &detail.product.manufacturer,
            };
            if !held.promotions.iter().any(|p| is_for(&p.terms, &facts)) {
                continue;
            }
            let mut prices = Vec::new();
            for tier in &offer.tiers {
                prices.push(held.price_of(&facts, tier.price, tier.up_to)?);
            }
            if offer.tiers.is_empty() {
                prices.push(held.price_of(&facts, offer.price, 1)?);
            }
            if prices.iter().any(|price| !price.off.is_empty()) {
                reduced.insert(offer.offer_id, prices);
            }
        }
    }
    Ok(reduced)
}
