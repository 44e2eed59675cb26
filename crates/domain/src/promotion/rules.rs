//! Pure decisions about promotions: what can be one, and what a price becomes.
//!
//! Everything is computed exactly in 128 bits. A rate is rounded up once, to the smallest unit of
//! the token, as prices of tokens are (TOK-04); no price goes below zero.

use super::{CouponTerms, Cut, Promotion, PromotionError, Result, Scope, Terms};
use crate::text;
use crate::vendor::TOKENS_AT_MOST;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Rounding};

/// A rate of all of it, in basis points.
pub(super) const ALL: i64 = 10_000;

/// The longest time that a promotion holds, and the latest that one begins: in seconds.
const SPAN_S: i64 = 5 * 366 * 24 * 3600;

/// Names in one scope at most.
const NAMED_AT_MOST: usize = 500;

/// Uses that a limit can have at most.
const USES_AT_MOST: i64 = 1_000_000_000;

fn wrong(problem: &'static str) -> PromotionError {
    PromotionError::Invalid(problem)
}

/// The terms as they are kept, or what is wrong with them.
pub(super) fn checked(terms: &Terms, now: Timestamp) -> Result<Terms> {
    let mut terms = terms.clone();
    terms.name = text::line("the name", &terms.name, 60)?;
    let ends = Timestamp(terms.ends_at);
    if terms.ends_at <= terms.begins_at {
        return Err(wrong(
            "a promotion ends later than it begins: choose a later end, or an earlier beginning",
        ));
    }
    if ends <= now {
        return Err(wrong(
            "this promotion would be over already: choose an end that is to come",
        ));
    }
    if ends > Timestamp(terms.begins_at.max(now.0)).plus_seconds(SPAN_S)
        || Timestamp(terms.begins_at) > now.plus_seconds(SPAN_S)
        || terms.begins_at < now.plus_seconds(SPAN_S.saturating_neg()).0
    {
        return Err(wrong(
            "a promotion begins and ends within five years: look at the year again",
        ));
    }
    cut(terms.cut)?;
    for limit in [terms.per_customer, terms.in_total] {
        if !(0..=USES_AT_MOST).contains(&limit) {
            return Err(wrong(
                "a limit is 1 to 1000000000 orders; leave it empty for none",
            ));
        }
    }
    if terms.minimum < Amount::ZERO || terms.minimum > TOKENS_AT_MOST {
        return Err(wrong("an order comes to 0 to 1000000000 tokens at least"));
    }
    scope(&mut terms.scope)?;
    if let Some(coupon) = &mut terms.coupon {
        *coupon = CouponTerms {
            manufacturer: text::optional_line("the manufacturer", &coupon.manufacturer, 200)?,
            code: code_new(&coupon.code)?,
            ..coupon.clone()
        };
    }
    Ok(terms)
}

fn cut(cut: Cut) -> Result<()> {
    match cut {
        Cut::Rate(rate) if !(1..=ALL).contains(&rate) => Err(wrong("a rate is 0.01 to 100 % off")),
        Cut::Each(off) if !off.is_positive() || off > TOKENS_AT_MOST => {
            Err(wrong("more than 0 tokens are taken off each piece"))
        }
        Cut::Price(price) if price < Amount::ZERO || price > TOKENS_AT_MOST => Err(wrong(
            "a price is 0 to 1000000000 tokens; at 0 things are free",
        )),
        _ => Ok(()),
    }
}

fn scope(scope: &mut Scope) -> Result<()> {
    let count = match scope {
        Scope::All => return Ok(()),
        Scope::Categories(names) | Scope::Manufacturers(names) => {
            for name in names.iter_mut() {
                *name = text::line("a category or manufacturer", name, 200)?;
            }
            names.sort();
            names.dedup();
            names.len()
        }
        Scope::Chosen { products, offers } => {
            products.sort_unstable();
            products.dedup();
            offers.sort_unstable();
            offers.dedup();
            products.len().saturating_add(offers.len())
        }
    };
    match count {
        0 => Err(wrong(
            "say which products it is for: at least one, or choose all products",
        )),
        1..=NAMED_AT_MOST => Ok(()),
        _ => Err(wrong(
            "at most 500 products, SKUs, categories or manufacturers are named: choose by category",
        )),
    }
}

/// A shared code as staff choose it.
fn code_new(typed: &str) -> Result<String> {
    if typed.trim().is_empty() {
        return Ok(String::new());
    }
    match code_normal(typed) {
        Some(code) if code.len() >= 4 => Ok(code),
        _ => Err(wrong(
            "a code has 4 to 24 letters A to Z and digits, as in AUTUMN10; spaces and hyphens do \
             not count",
        )),
    }
}

/// A code in its one form: capital letters and digits. `None` for what can be none.
pub(super) fn code_normal(typed: &str) -> Option<String> {
    let mut code = String::new();
    for c in typed.chars() {
        if c.is_whitespace() || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}') {
            continue;
        }
        if !c.is_ascii_alphanumeric() || code.len() == 24 {
            return None;
        }
        code.push(c.to_ascii_uppercase());
    }
    (!code.is_empty()).then_some(code)
}

/// What is known of something that is sold, as scopes name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts<'a> {
    pub offer: crate::id::OfferId,
    pub product: crate::id::ProductId,
    pub category: &'a str,
    pub manufacturer: &'a str,
}

/// True when a promotion is for this.
pub(super) fn is_for(terms: &Terms, of: &Facts<'_>) -> bool {
    let maker = terms
        .coupon
        .as_ref()
        .map_or("", |c| c.manufacturer.as_str());
    if !maker.is_empty() && maker != of.manufacturer {
        return false;
    }
    match &terms.scope {
        Scope::All => true,
        Scope::Categories(names) => names.iter().any(|n| n == of.category),
        Scope::Manufacturers(names) => names.iter().any(|n| n == of.manufacturer),
        Scope::Chosen { products, offers } => {
            products.contains(&of.product) || offers.contains(&of.offer)
        }
    }
}

/// A price with what each promotion took off it, by its place among those that were tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reduced {
    pub price: Amount,
    pub off: Vec<(usize, Amount)>,
}

/// A price less a rate, rounded up to the smallest unit.
fn less(price: Amount, rate: i64) -> Result<Amount> {
    let left = ALL.saturating_sub(rate).max(0);
    Ok(price.ratio(left, ALL, Rounding::Up)?)
}

/// So much for each piece; what is more than can be counted is more than any price.
fn pieces(each: Amount, count: i64) -> Amount {
    each.times(count).unwrap_or(Amount::from_units(i64::MAX))
}

/// A price under all of these together: the lowest price of a piece first, then what comes off
/// each piece, then the rates, which are added (TOK-04).
pub(super) fn together(list: Amount, count: i64, cuts: &[(usize, Cut)]) -> Result<Reduced> {
    let mut reduced = Reduced {
        price: list,
        off: Vec::new(),
    };
    let to = |reduced: &mut Reduced, place: usize, price: Amount| -> Result<()> {
        let price = price.max(Amount::ZERO);
        if price < reduced.price {
            reduced.off.push((place, reduced.price.minus(price)?));
            reduced.price = price;
        }
        Ok(())
    };
    let own = cuts.iter().filter_map(|(place, cut)| match cut {
        Cut::Price(price) => Some((pieces(*price, count), *place)),
        _ => None,
    });
    if let Some((price, place)) = own.min() {
        to(&mut reduced, place, price)?;
    }
    for (place, cut) in cuts {
        if let Cut::Each(off) = cut {
            let off = pieces(*off, count).min(reduced.price);
            let price = reduced.price.minus(off)?;
            to(&mut reduced, *place, price)?;
        }
    }
    let (base, mut sum) = (reduced.price, 0_i64);
    for (place, cut) in cuts {
        if let Cut::Rate(rate) = cut {
            sum = sum.saturating_add(*rate);
            to(&mut reduced, *place, less(base, sum)?)?;
        }
    }
    Ok(reduced)
}

/// The best price: of each alone, or of all that may add up. `coupon` is the place of the coupon
/// among the cuts, and whether it may be combined. Of equal prices the first counts.
pub(super) fn best(
    list: Amount,
    count: i64,
    cuts: &[(usize, Cut)],
    stacking: bool,
    coupon: Option<(usize, bool)>,
) -> Result<Reduced> {
    let is_coupon = |place: usize| coupon.is_some_and(|(own, _)| own == place);
    let timed: Vec<(usize, Cut)> = cuts.iter().copied().filter(|c| !is_coupon(c.0)).collect();
    let own = cuts.iter().copied().find(|c| is_coupon(c.0));
    let mut sets: Vec<Vec<(usize, Cut)>> = timed.iter().map(|one| vec![*one]).collect();
    if stacking && timed.len() > 1 {
        sets.push(timed);
    }
    if let Some(own) = own {
        if coupon.is_some_and(|(_, combinable)| combinable) {
            let combined: Vec<_> = sets
                .iter()
                .map(|set| set.iter().copied().chain([own]).collect())
                .collect();
            sets.extend(combined);
        }
        sets.push(vec![own]);
    }
    let mut best = Reduced {
        price: list,
        off: Vec::new(),
    };
    for set in &sets {
        let reduced = together(list, count, set)?;
        if reduced.price < best.price {
            best = reduced;
        }
    }
    Ok(best)
}

/// The cuts of those promotions that are for something, by place.
pub(super) fn cuts_for(all: &[Promotion], of: &Facts<'_>) -> Vec<(usize, Cut)> {
    let all = all.iter().enumerate();
    all.filter(|(_, p)| is_for(&p.terms, of))
        .map(|(place, p)| (place, p.terms.cut))
        .collect()
}
