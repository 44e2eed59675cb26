//! Prices of tokens: what the vendor sets, and what so many tokens cost a customer (TOK-01 to
//! TOK-05).
//!
//! A *pack* is tokens sold together: a denomination with a price of its own (gold: 10 tokens for
//! 95 cents), or a bundle at a rate off the base price (100 tokens at 5 % off). Its tokens may be
//! restricted, and may live for a number of days. A *tier* takes a rate off for so many tokens and
//! more, for everybody or for preferred customers.

mod rules;
mod set;
mod store;
#[cfg(test)]
mod tests;

use super::{Result, TokenSaleError};
use crate::card::payable_decimals;
use crate::customer::{Customer, opening_due, standing};
use crate::id::PackId;
use crate::policy::policy;
use crate::text::named;
use crate::vendor::{TOKENS_AT_MOST, Vendor, token_price_at};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{Amount, Error as LedgerError};
use serde::{Deserialize, Serialize};

pub use set::{
    CountryPrice, NewPack, PriceSet, country_price_set, country_prices, pack_put, pack_withdraw,
    packs, price_change, price_history, tiers, tiers_set,
};

named! {
    /// Where a discount comes from.
    DiscountKind, "the kind of discount" {
        /// A pack.
        Pack = "pack",
        /// A volume tier.
        Volume = "volume",
        /// The standing of the customer.
        Preferred = "preferred",
    }
}

/// A discount that counted in a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// Where it comes from.
    pub kind: DiscountKind,
    /// The name of the pack; empty otherwise.
    pub name: String,
    /// Its rate in basis points (500 is 5 %); 0 for a pack with a price of its own.
    pub off: i64,
}

/// Tokens sold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The pack.
    pub id: PackId,
    /// Its name.
    pub name: String,
    /// Tokens in one, in their smallest unit.
    pub tokens: Amount,
    /// Its own price, in the currency's smallest unit; `None` when it goes by the base price.
    pub price: Option<Amount>,
    /// The rate off the base price in basis points, where it has no price of its own.
    pub off: i64,
    /// What its tokens may pay for: `sale`, or `category:` and a category; `None` for everything.
    pub restriction: Option<String>,
    /// Days that its tokens live; `None` for as long as the policy says.
    pub life_days: Option<i64>,
    /// The country in which it is sold; empty for everywhere.
    pub country: String,
    /// From when on it is sold.
    pub sold_from: Timestamp,
    /// Until when; [`Timestamp::NEVER`] without an end.
    pub sold_until: Timestamp,
    /// Counts changes: who changes it says which one was seen.
    pub version: i64,
    /// When it was changed last.
    pub changed_at: Timestamp,
}

impl Pack {
    /// True while it is sold.
    pub fn is_sold(&self, now: Timestamp) -> bool {
        self.sold_from <= now && now < self.sold_until
    }

    /// True when its tokens are as good as any.
    pub(crate) fn is_plain(&self) -> bool {
        self.restriction.is_none() && self.life_days.is_none()
    }
}

/// A rate for so many tokens and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// True when it is for preferred customers only.
    pub preferred: bool,
    /// From so many tokens on, in their smallest unit.
    pub from_tokens: Amount,
    /// The rate off the base price, in basis points.
    pub off: i64,
}

/// What tokens cost, and on which terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// How many tokens.
    pub quantity: Amount,
    /// What is paid, in the currency's smallest unit.
    pub price: Amount,
    /// What it would be without discounts.
    pub list_price: Amount,
    /// The discounts that counted.
    pub discounts: Vec<Discount>,
    /// The pack that was chosen, and how often.
    pub pack: Option<(PackId, i64)>,
    /// What the tokens may pay for; `None` for everything.
    pub restriction: Option<String>,
    /// Days that they live; `None` for ever.
    pub life_days: Option<i64>,
}

impl Deal {
    /// When the tokens expire that are granted at a time.
    pub(crate) fn expires_at(&self, granted_at: Timestamp) -> Timestamp {
        self.life_days.map_or(Timestamp::NEVER, |days| {
            granted_at.plus_seconds(days.saturating_mul(24 * 3600))
        })
    }
}

/// Where a customer is and what the vendor thinks of it, as prices need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buyer {
    /// True for a preferred customer.
    pub preferred: bool,
    /// ISO 3166-1, two letters; empty when not known.
    pub country: String,
}

/// What prices need to know of a customer.
pub fn price_buyer(tx: &mut dyn Read, customer: &Customer) -> Result<Buyer> {
    let standing = standing(tx, customer)?;
    Ok(Buyer {
        preferred: standing.preferred,
        country: standing.country,
    })
}

/// What so many tokens cost a customer at a time; true where they open the account and cost its
/// fee (REG-08).
pub(crate) fn deal_for(
    tx: &mut dyn Read,
    vendor: &Vendor,
    customer: &Customer,
    quantity: Amount,
    pack: Option<PackId>,
    at: Timestamp,
) -> Result<(Deal, bool)> {
    let buyer = price_buyer(tx, customer)?;
    let mut deal = token_deal(tx, vendor, &buyer, quantity, pack, at)?;
    let opening = opening_due(tx, customer)?.filter(|o| o.tokens == quantity && pack.is_none());
    let opens = opening.is_some();
    if let Some(opening) = opening {
        deal.price = opening.fee;
        deal.list_price = opening.fee;
        deal.discounts = Vec::new();
    }
    Ok((deal, opens))
}

/// Smallest units of the currency in the least amount that can be paid: a cent.
fn cent(vendor: &Vendor) -> Result<i64> {
    let decimals = payable_decimals(&vendor.currency.code);
    let finer = vendor.currency.scale.saturating_sub(decimals);
    Ok(10_i64.checked_pow(finer).ok_or(LedgerError::Overflow)?)
}

/// What so many tokens cost at a time (TOK-01 to TOK-05): of a pack, where one is chosen, which
/// must make the quantity a whole number of times.
pub fn token_deal(
    tx: &mut dyn Read,
    vendor: &Vendor,
    buyer: &Buyer,
    quantity: Amount,
    pack: Option<PackId>,
    at: Timestamp,
) -> Result<Deal> {
    if !quantity.is_positive() {
        return Err(TokenSaleError::QuantityNotPositive);
    }
    if quantity > TOKENS_AT_MOST {
        return Err(TokenSaleError::QuantityTooLarge);
    }
    let book = vendor.book_id;
    let held = policy(tx, book)?;
    let on_sale = |p: &Pack| p.is_sold(at) && (p.country.is_empty() || p.country == buyer.country);
    let sold: Vec<Pack> = packs(tx, book)?.into_iter().filter(on_sale).collect();
    let chosen = match pack {
        None => None,
        Some(id) => {
            let found = sold.iter().find(|p| p.id == id);
            let found = found.ok_or(TokenSaleError::PackNotSold)?;
            let count = rules::times(found, quantity).ok_or(TokenSaleError::PackNotWhole)?;
            Some((found, count))
        }
    };
    let own = store::country_price_at(tx, book, &buyer.country, at)?;
    let base = match own {
        Some(price) => price,
        None => token_price_at(tx, book, at)?,
    };
    let terms = rules::Terms {
        base,
        whole: 10_i64
            .checked_pow(vendor.token.scale)
            .ok_or(LedgerError::Overflow)?,
        cent: cent(vendor)?,
        packs: &sold,
        tiers: &tiers(tx, book)?,
        preferred: buyer.preferred,
        stacking: held.sale.stacking,
    };
    let priced = rules::price(quantity, chosen.map(|(pack, _)| pack), &terms)?;
    let life = chosen.and_then(|(pack, _)| pack.life_days);
    Ok(Deal {
        quantity,
        price: priced.price,
        list_price: priced.list,
        discounts: priced.discounts,
        pack: chosen.map(|(pack, count)| (pack.id, count)),
        restriction: chosen.and_then(|(pack, _)| pack.restriction.clone()),
        life_days: life.or(held.sale.life_days),
    })
}

/// The base price of a token now, where the customer is.
pub fn token_base_price(tx: &mut dyn Read, vendor: &Vendor, buyer: &Buyer) -> Result<Amount> {
    let now = tx.now();
    match store::country_price_at(tx, vendor.book_id, &buyer.country, now)? {
        Some(price) => Ok(price),
        None => Ok(token_price_at(tx, vendor.book_id, now)?),
    }
}
