//! What tokens cost: one decision over base price, packs, tiers and standing (TOK-01 to TOK-04).
//!
//! Everything is computed exactly in 128 bits and rounded up once, to what can be paid. The best
//! single price counts; where the vendor lets discounts add up, their rates are added.

use super::{Discount, DiscountKind, Pack, Tier};
use scrip_ledger::{Amount, Error, Result};

/// A rate of all of it, in basis points.
pub(super) const ALL: i64 = 10_000;

/// What holds when the price is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    /// Price of a whole token, in the smallest unit of the currency.
    pub base: Amount,
    /// Smallest units that a whole token has.
    pub whole: i64,
    /// Smallest units of the currency that the least payable amount has: a cent.
    pub cent: i64,
    /// Packs on sale to this customer.
    pub packs: &'a [Pack],
    /// All tiers.
    pub tiers: &'a [Tier],
    /// True for a preferred customer.
    pub preferred: bool,
    /// True when discounts add up.
    pub stacking: bool,
}

/// A price, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Priced {
    /// What is paid.
    pub price: Amount,
    /// What it would be without discounts.
    pub list: Amount,
    /// Which counted; none at the list price.
    pub discounts: Vec<Discount>,
}

/// `top / bottom`, rounded up to a multiple of `cent`.
fn payable(top: i128, bottom: i128, cent: i64) -> Result<Amount> {
    let step = bottom
        .checked_mul(i128::from(cent))
        .ok_or(Error::Overflow)?;
    let whole = top.checked_div(step).ok_or(Error::Overflow)?;
    let rest = top.checked_rem(step).ok_or(Error::Overflow)?;
    let steps = if rest > 0 {
        whole.checked_add(1)
    } else {
        Some(whole)
    };
    steps
        .and_then(|n| n.checked_mul(i128::from(cent)))
        .and_then(|n| i64::try_from(n).ok())
        .map(Amount::from_units)
        .ok_or(Error::Overflow)
}

/// What is left of all after rates were taken off; never nothing.
fn left(off: i64) -> i64 {
    ALL.saturating_sub(off).max(1)
}

/// So many tokens at the base price, less a rate.
fn at_base(quantity: Amount, off: i64, terms: &Terms<'_>) -> Result<Amount> {
    let top = i128::from(quantity.units())
        .checked_mul(i128::from(terms.base.units()))
        .and_then(|n| n.checked_mul(i128::from(left(off))))
        .ok_or(Error::Overflow)?;
    let bottom = i128::from(terms.whole)
        .checked_mul(i128::from(ALL))
        .ok_or(Error::Overflow)?;
    payable(top, bottom, terms.cent)
}

/// A pack so many times, less a further rate.
fn of_pack(pack: &Pack, quantity: Amount, off: i64, terms: &Terms<'_>) -> Result<Amount> {
    let Some(own) = pack.price else {
        return at_base(quantity, pack.off.saturating_add(off), terms);
    };
    let count = times(pack, quantity).ok_or(Error::Overflow)?;
    let top = i128::from(own.units())
        .checked_mul(i128::from(count))
        .and_then(|n| n.checked_mul(i128::from(left(off))))
        .ok_or(Error::Overflow)?;
    payable(top, i128::from(ALL), terms.cent)
}

/// How often a pack makes the quantity; `None` where it does not.
pub(super) fn times(pack: &Pack, quantity: Amount) -> Option<i64> {
    let rest = quantity.units().checked_rem(pack.tokens.units())?;
    let times = quantity.units().checked_div(pack.tokens.units())?;
    (rest == 0 && times > 0).then_some(times)
}

/// The rate of the highest tier that the quantity reaches.
fn tier(tiers: &[Tier], preferred: bool, quantity: Amount) -> Option<Discount> {
    let reached = tiers
        .iter()
        .filter(|t| t.preferred == preferred && t.from_tokens <= quantity);
    let best = reached.max_by_key(|t| t.from_tokens)?;
    Some(Discount {
        kind: if preferred {
            DiscountKind::Preferred
        } else {
            DiscountKind::Volume
        },
        name: String::new(),
        off: best.off,
    })
}

fn named(pack: &Pack) -> Discount {
    Discount {
        kind: DiscountKind::Pack,
        name: pack.name.clone(),
        off: pack.off,
    }
}

/// The price of a quantity: of a chosen pack so many times, or of just tokens. Tokens without
/// conditions also get the price of a pack without conditions that makes their number.
pub(super) fn price(quantity: Amount, chosen: Option<&Pack>, terms: &Terms<'_>) -> Result<Priced> {
    let list = at_base(quantity, 0, terms)?;
    let volume = tier(terms.tiers, false, quantity);
    let standing = tier(terms.tiers, true, quantity).filter(|_| terms.preferred);
    let single: Vec<Discount> = volume.into_iter().chain(standing).collect();
    let packs: Vec<&Pack> = match chosen {
        Some(pack) => vec![pack],
        None => terms
            .packs
            .iter()
            .filter(|p| p.is_plain() && times(p, quantity).is_some())
            .collect(),
    };
    let mut found: Vec<(Amount, Vec<Discount>)> = Vec::new();
    let (extra, rates) = if terms.stacking {
        let sum = single
            .iter()
            .fold(0_i64, |sum, d| sum.saturating_add(d.off));
        (single.clone(), sum)
    } else {
        (Vec::new(), 0)
    };
    for pack in &packs {
        let discounts = [named(pack)].into_iter().chain(extra.clone()).collect();
        found.push((of_pack(pack, quantity, rates, terms)?, discounts));
    }
    if terms.stacking {
        found.push((at_base(quantity, rates, terms)?, single));
    } else {
        for discount in single {
            found.push((at_base(quantity, discount.off, terms)?, vec![discount]));
        }
        if chosen.is_none() {
            found.push((list, Vec::new()));
        }
    }
    // A chosen pack without further discounts costs what it costs, the base price does not count.
    found.retain(|(_, discounts)| chosen.is_none() || !discounts.is_empty());
    let best = found.into_iter().min_by_key(|(price, _)| *price);
    let (price, discounts) = best.unwrap_or((list, Vec::new()));
    let discounts = if price < list || chosen.is_some() {
        discounts
    } else {
        Vec::new()
    };
    Ok(Priced {
        price,
        list,
        discounts,
    })
}
