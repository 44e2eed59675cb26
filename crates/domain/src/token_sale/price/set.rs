//! Setting prices: the price of a token, packs, tiers, prices by country. All are the vendor's
//! alone, and all are told in the audit trail (TOK-01).

use super::rules::ALL;
use super::{Pack, Tier, store};
use crate::actor::Actor;
use crate::audit;
use crate::id::PackId;
use crate::page::Page;
use crate::text;
use crate::token_sale::{Result, TokenSaleError};
use crate::vendor::{TOKENS_AT_MOST, Vendor, token_price_set};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::Amount;
use serde_json::{Value, json};

/// Packs that a vendor may have.
const PACKS_AT_MOST: usize = 100;
/// Tiers that a vendor may have.
const TIERS_AT_MOST: usize = 50;

/// A pack to be made or changed.
#[derive(Clone, Debug)]
pub struct NewPack {
    /// Which pack is changed, and the version that was seen; `None` makes one.
    pub change: Option<(PackId, i64)>,
    /// Its name.
    pub name: String,
    /// Tokens in one, in their smallest unit.
    pub tokens: Amount,
    /// Its own price; `None` when it goes by the base price.
    pub price: Option<Amount>,
    /// The rate off the base price in basis points; 0 where it has a price of its own.
    pub off: i64,
    /// What its tokens may pay for; empty for everything.
    pub restriction: String,
    /// Days that its tokens live.
    pub life_days: Option<i64>,
    /// The country in which it is sold; empty for everywhere.
    pub country: String,
    /// From when on it is sold; `None` for now.
    pub sold_from: Option<Timestamp>,
    /// Until when; `None` without an end.
    pub sold_until: Option<Timestamp>,
}

/// A price of a token, from a time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceSet {
    /// From when on.
    pub effective_at: Timestamp,
    /// Per whole token, in the currency's smallest unit.
    pub price: Amount,
}

/// A price of a token in a country, from a time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryPrice {
    /// ISO 3166-1, two letters.
    pub country: String,
    /// From when on.
    pub effective_at: Timestamp,
    /// Per whole token; `None` where the general price holds again.
    pub price: Option<Amount>,
}

fn for_vendor(actor: Actor) -> Result<()> {
    if actor.for_vendor() {
        Ok(())
    } else {
        Err(TokenSaleError::Forbidden)
    }
}

fn wrong(problem: &'static str) -> TokenSaleError {
    TokenSaleError::Price(problem)
}

/// A country as it is kept: two capital letters, or empty.
fn country(typed: &str) -> Result<String> {
    let country = typed.trim().to_ascii_uppercase();
    let two = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    if country.is_empty() || two {
        Ok(country)
    } else {
        Err(wrong("a country is two letters, as in DE: write its code"))
    }
}

/// A restriction as it is kept.
pub(crate) fn restriction(typed: &str) -> Result<Option<String>> {
    let text = text::optional_line("what the tokens may pay for", typed, 120)?;
    match text.as_str() {
        "" => Ok(None),
        "sale" => Ok(Some(text)),
        other => match other.strip_prefix("category:").map(str::trim) {
            Some(category) if !category.is_empty() => Ok(Some(format!("category:{category}"))),
            _ => Err(wrong(
                "tokens may be restricted to `sale`, or to `category:` and a category",
            )),
        },
    }
}

/// All packs of a vendor, sold or not, the oldest first.
pub fn packs(tx: &mut dyn Read, book_id: i64) -> Result<Vec<Pack>> {
    Ok(store::packs(tx, book_id)?)
}

fn checked(tx: &mut Tx<'_>, new: &NewPack) -> Result<Pack> {
    let name = text::line("the name of the pack", &new.name, 60)?;
    if !new.tokens.is_positive() {
        return Err(wrong("a pack has at least some tokens"));
    }
    if new.tokens > TOKENS_AT_MOST {
        return Err(wrong("a pack has at most 1000000000 tokens"));
    }
    if new.price.is_some_and(|price| !price.is_positive()) {
        return Err(wrong(
            "the price of a pack must be above zero; gifts are given, not sold",
        ));
    }
    if !(0..ALL).contains(&new.off) {
        return Err(wrong("a rate is 0 to 99.99 %"));
    }
    if new.price.is_some() && new.off != 0 {
        return Err(wrong("a pack has a price of its own or a rate, not both"));
    }
    if new
        .life_days
        .is_some_and(|days| !(1..=36_500).contains(&days))
    {
        return Err(wrong("tokens live for 1 to 36500 days"));
    }
    let now = tx.now();
    let sold_from = new.sold_from.unwrap_or(now);
    let sold_until = new.sold_until.unwrap_or(Timestamp::NEVER);
    if sold_until <= sold_from {
        return Err(wrong(
            "a pack is sold until later than from when on it is sold",
        ));
    }
    Ok(Pack {
        id: match new.change {
            Some((id, _)) => id,
            None => PackId(tx.new_id()?),
        },
        name,
        tokens: new.tokens,
        price: new.price,
        off: new.off,
        restriction: restriction(&new.restriction)?,
        life_days: new.life_days,
        country: country(&new.country)?,
        sold_from,
        sold_until,
        version: 1,
        changed_at: now,
    })
}

fn told(pack: &Pack, vendor: &Vendor) -> Value {
    json!({
        "name": pack.name,
        "tokens": pack.tokens.decimal(vendor.token.scale),
        "price": pack.price.map(|price| price.decimal(vendor.currency.scale)),
        "off": pack.off,
        "restriction": pack.restriction,
        "life_days": pack.life_days,
        "country": pack.country,
        "sold_from": pack.sold_from.0,
        "sold_until": pack.sold_until.0,
    })
}

/// Makes a pack or changes one. Orders that are open keep their price.
pub fn pack_put(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, new: &NewPack) -> Result<Pack> {
    for_vendor(actor)?;
    store::lock(tx, vendor.book_id)?;
    let mut pack = checked(tx, new)?;
    let all = store::packs(tx, vendor.book_id)?;
    let now = tx.now();
    let taken = |other: &&Pack| other.id != pack.id && other.name == pack.name;
    if all.iter().filter(|p| p.sold_until > now).any(|p| taken(&p)) {
        return Err(wrong("another pack has this name: choose another one"));
    }
    let before = match new.change {
        None => {
            if all.len() >= PACKS_AT_MOST {
                return Err(wrong("there are 100 packs already: change one of them"));
            }
            Value::Null
        }
        Some((id, seen)) => {
            let held = all.iter().find(|p| p.id == id);
            let held = held.ok_or(TokenSaleError::PackNotSold)?;
            if held.version != seen {
                return Err(TokenSaleError::PackChanged);
            }
            pack.version = held.version.saturating_add(1);
            if new.sold_from.is_none() {
                pack.sold_from = held.sold_from;
            }
            told(held, vendor)
        }
    };
    store::put_pack(tx, vendor.book_id, &pack)?;
    let action = if before.is_null() {
        "pack.created"
    } else {
        "pack.changed"
    };
    let detail = json!({"from": before, "to": told(&pack, vendor)});
    let subject = pack.id.to_string();
    audit::note(tx, vendor.book_id, actor, action, &subject, &detail)?;
    Ok(pack)
}

/// Takes a pack off sale, from now on. It stays in the history.
pub fn pack_withdraw(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, id: PackId) -> Result<Pack> {
    for_vendor(actor)?;
    store::lock(tx, vendor.book_id)?;
    let found = store::packs(tx, vendor.book_id)?
        .into_iter()
        .find(|p| p.id == id);
    let mut pack = found.ok_or(TokenSaleError::PackNotSold)?;
    let now = tx.now();
    if pack.sold_until <= now {
        return Ok(pack);
    }
    pack.sold_until = now;
    pack.version = pack.version.saturating_add(1);
    pack.changed_at = now;
    store::put_pack(tx, vendor.book_id, &pack)?;
    let (subject, detail) = (id.to_string(), json!({"name": pack.name}));
    audit::note(
        tx,
        vendor.book_id,
        actor,
        "pack.withdrawn",
        &subject,
        &detail,
    )?;
    Ok(pack)
}

/// All tiers: those for everybody first, the lowest first.
pub fn tiers(tx: &mut dyn Read, book_id: i64) -> Result<Vec<Tier>> {
    Ok(store::tiers(tx, book_id)?)
}

/// Sets all tiers. `seen` are those that the change began with: of two who change them at once,
/// the second one is told.
pub fn tiers_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    seen: &[Tier],
    new: &[Tier],
) -> Result<()> {
    for_vendor(actor)?;
    if new.len() > TIERS_AT_MOST {
        return Err(wrong("there are 50 tiers at most"));
    }
    let mut sorted = new.to_vec();
    sorted.sort_by_key(|t| (t.preferred, t.from_tokens));
    for tier in &sorted {
        if !(1..ALL).contains(&tier.off) {
            return Err(wrong("the rate of a tier is 0.01 to 99.99 %"));
        }
        if tier.from_tokens < Amount::ZERO || tier.from_tokens > TOKENS_AT_MOST {
            return Err(wrong("a tier begins at 0 to 1000000000 tokens"));
        }
    }
    let same = |pair: &[Tier]| {
        pair[0].preferred == pair[1].preferred && pair[0].from_tokens == pair[1].from_tokens
    };
    if sorted.windows(2).any(same) {
        return Err(wrong(
            "two tiers begin at the same number of tokens: keep one of them",
        ));
    }
    store::lock(tx, vendor.book_id)?;
    let held = store::tiers(tx, vendor.book_id)?;
    if held != seen {
        return Err(TokenSaleError::PackChanged);
    }
    if held == sorted {
        return Ok(());
    }
    store::set_tiers(tx, vendor.book_id, &sorted)?;
    let detail = json!({"from": held, "to": sorted});
    audit::note(
        tx,
        vendor.book_id,
        actor,
        "token_tiers.changed",
        "",
        &detail,
    )?;
    Ok(())
}

/// Sets the price of a token from a time on, `None` for now (TOK-01). Later sales only.
pub fn price_change(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    price: Amount,
    effective_at: Option<Timestamp>,
) -> Result<PriceSet> {
    for_vendor(actor)?;
    let effective_at = effective_at.unwrap_or(tx.now());
    token_price_set(tx, actor, vendor, price, effective_at)?;
    Ok(PriceSet {
        effective_at,
        price,
    })
}

/// Prices of a token, planned ones too, newest first: `limit` of them, earlier than `before`.
pub fn price_history(
    tx: &mut dyn Read,
    book_id: i64,
    before: Option<Timestamp>,
    limit: usize,
) -> Result<Page<PriceSet, Timestamp>> {
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::history(tx, book_id, before.unwrap_or(Timestamp::NEVER), further)?;
    Ok(Page::of(found, limit, |set| set.effective_at))
}

/// Sets the price of a token in a country from a time on; without a price the general one holds
/// there again (TOK-01).
pub fn country_price_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    typed: &str,
    price: Option<Amount>,
    effective_at: Option<Timestamp>,
) -> Result<CountryPrice> {
    for_vendor(actor)?;
    let country = country(typed)?;
    if country.is_empty() {
        return Err(wrong("a country is two letters, as in DE: write its code"));
    }
    if price.is_some_and(|price| !price.is_positive()) {
        return Err(wrong("the price of a token must be above zero"));
    }
    let now = tx.now();
    let new = CountryPrice {
        country,
        effective_at: effective_at.unwrap_or(now),
        price,
    };
    if new.effective_at < now {
        return Err(wrong(
            "prices that held stay as they were: set the new price from now on, or later",
        ));
    }
    store::set_country_price(tx, vendor.book_id, &new)?;
    let detail = json!({
        "country": new.country,
        "price": price.map(|price| price.decimal(vendor.currency.scale)),
        "effective_at": new.effective_at.0,
    });
    audit::note(tx, vendor.book_id, actor, "token_price.set", "", &detail)?;
    Ok(new)
}

/// Prices by country, each country's newest first, 500 at most.
pub fn country_prices(tx: &mut dyn Read, book_id: i64) -> Result<Vec<CountryPrice>> {
    Ok(store::country_prices(tx, book_id, 500)?)
}
