//! What promotions and a coupon take off an order (ADV-06).
//!
//! A vendor without promotions costs a purchase nothing here: when the last one ends was loaded
//! with the buyer. A price that staff entered stays what they entered.

use super::list::ListLine;
use super::{Purchase, Quote, QuoteCoupon, QuoteLine, Refusal, Result, Wanted};
use crate::catalog::{Offer, Tier};
use crate::customer::{Buyer, State};
use crate::id::OfferId;
use crate::promotion::{
    Asked, CouponFault, CouponKey, Held, Off, coupon_use_check, found, held, held_locked, uses_keep,
};
use scrip_engine::{Read, Tx};
use scrip_ledger::Amount;

/// What an order has that comes to so much at the list prices.
fn asked<'a>(buyer: &'a Buyer, coupon: Option<&'a CouponKey>, list: Amount) -> Asked<'a> {
    Asked {
        book_id: buyer.customer.book_id,
        customer: Some(&buyer.customer),
        until: buyer.promotions_until,
        coupon,
        list: Some(list),
    }
}

fn sum(lines: &[QuoteLine]) -> Result<Amount> {
    Ok(Amount::sum(lines.iter().map(|line| line.amount))?)
}

fn ids(offers: &[Offer]) -> Vec<OfferId> {
    offers.iter().map(|offer| offer.offer_id).collect()
}

/// The lines of a quote at the prices that promotions make.
pub(super) fn reduced(
    tx: &mut dyn Read,
    buyer: &Buyer,
    wanted: &[Wanted],
    offers: &[Offer],
    lines: Vec<QuoteLine>,
    coupon: Option<&CouponKey>,
) -> Result<(Vec<QuoteLine>, Held)> {
    let asked = asked(buyer, coupon, Amount::ZERO);
    if !found(&asked, tx.now()) {
        return Ok((lines, Held::default()));
    }
    let list = Some(sum(&lines)?);
    let held = held(tx, &Asked { list, ..asked }, &ids(offers))?;
    let lines = apply(&held, wanted, offers, lines)?;
    Ok((lines, held))
}

/// The same for an order that is being placed.
pub(super) fn locked(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    offers: &[Offer],
    lines: Vec<QuoteLine>,
) -> Result<(Vec<QuoteLine>, Held)> {
    let coupon = purchase.request.extras.coupon.as_ref();
    let asked = asked(&purchase.buyer, coupon, Amount::ZERO);
    if !found(&asked, tx.now()) {
        return Ok((lines, Held::default()));
    }
    let list = Some(sum(&lines)?);
    let held = held_locked(tx, &Asked { list, ..asked }, &ids(offers))?;
    let lines = apply(&held, &purchase.request.lines, offers, lines)?;
    Ok((lines, held))
}

fn apply(
    held: &Held,
    wanted: &[Wanted],
    offers: &[Offer],
    mut lines: Vec<QuoteLine>,
) -> Result<Vec<QuoteLine>> {
    for ((wanted, offer), line) in wanted.iter().zip(offers).zip(&mut lines) {
        if wanted.entered.is_none() {
            cut(held, offer.tiered, line)?;
        }
    }
    Ok(lines)
}

/// Gives a line its reduced price. Of a tier, its price is that of the whole line.
fn cut(held: &Held, tiered: bool, line: &mut QuoteLine) -> Result<()> {
    let tier = tiered.then_some(line.granted);
    let priced = held.price(line.offer_id, line.unit_price, tier)?;
    if priced.off.is_empty() {
        return Ok(());
    }
    let times = if tiered { 1 } else { line.quantity };
    line.unit_price = priced.price;
    line.amount = priced.price.times(times)?;
    for off in priced.off {
        let amount = off.each.times(times)?;
        line.off.push(Off { amount, ..off });
    }
    Ok(())
}

/// The tiers of offers at the prices that they have in this order.
pub(super) fn tiers(
    tx: &mut dyn Read,
    buyer: &Buyer,
    wanted: &[Wanted],
    offers: &mut [Offer],
    coupon: Option<&CouponKey>,
) -> Result<()> {
    let asked = asked(buyer, coupon, Amount::ZERO);
    if !found(&asked, tx.now()) {
        return Ok(());
    }
    let lines = super::rules::priced(wanted, offers)?;
    let list = Some(sum(&lines)?);
    let held = held(tx, &Asked { list, ..asked }, &ids(offers))?;
    for offer in offers {
        tiers_of(&held, offer.offer_id, &mut offer.tiers)?;
    }
    Ok(())
}

fn tiers_of(held: &Held, offer: OfferId, tiers: &mut [Tier]) -> Result<()> {
    for tier in tiers {
        tier.price = held.price(offer, tier.price, Some(tier.up_to))?.price;
    }
    Ok(())
}

/// The lines of an order list, ticked or not. What an order comes to is what is counted.
pub(super) fn list(
    tx: &mut dyn Read,
    buyer: &Buyer,
    lines: &mut [ListLine],
    coupon: Option<&CouponKey>,
) -> Result<Held> {
    let asked = asked(buyer, coupon, Amount::ZERO);
    if !found(&asked, tx.now()) {
        return Ok(Held::default());
    }
    let counted = lines.iter().filter(|line| line.is_counted());
    let list = Some(Amount::sum(counted.map(|line| line.line.amount))?);
    // What is ticked decides whether a coupon fits; other lines are priced along with it.
    let counted = lines.iter().filter(|line| line.is_counted());
    let mut offers: Vec<OfferId> = counted.map(|line| line.line.offer_id).collect();
    let mut held = held(tx, &Asked { list, ..asked }, &offers)?;
    if offers.len() < lines.len() {
        offers = lines.iter().map(|line| line.line.offer_id).collect();
        held.know(tx, buyer.customer.book_id, &offers)?;
    }
    for listed in lines {
        if listed.line.granted > 0 {
            cut(&held, !listed.tiers.is_empty(), &mut listed.line)?;
        }
        tiers_of(&held, listed.line.offer_id, &mut listed.tiers)?;
    }
    Ok(held)
}

/// A quote that says what became of its coupon.
pub(super) fn told(mut quote: Quote, held: &Held) -> Result<Quote> {
    if held.coupon.is_none() && held.fault.is_none() {
        return Ok(quote);
    }
    let off = quote.lines.iter().flat_map(|line| &line.off);
    let off = off.filter(|off| off.is_coupon).map(|off| off.amount);
    let known = held.coupon.as_ref();
    quote.coupon = Some(QuoteCoupon {
        name: known.map_or(String::new(), |coupon| coupon.terms.name.clone()),
        off: Amount::sum(off)?,
        fault: held.fault.clone(),
    });
    Ok(quote)
}

/// Why an order is refused for its coupon. A wrong code counts as one more attempt.
pub(super) fn refusal(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    held: &Held,
) -> Result<Option<Refusal>> {
    let (Some(key), Some(fault)) = (&purchase.request.extras.coupon, &held.fault) else {
        return Ok(None);
    };
    let customer = &purchase.buyer.customer;
    if customer.state != State::Active {
        return Ok(None);
    }
    if *fault == CouponFault::Unknown {
        coupon_use_check(tx, customer, key)?;
    }
    let fault = fault.clone();
    Ok(Some(Refusal::Coupon { fault }))
}

/// Keeps what came off, with the order.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: &Quote,
    held: &Held,
) -> Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    let lines = (1_i64..).zip(&quote.lines);
    let lines: Vec<(i64, &[Off])> = lines
        .filter(|(_, line)| !line.off.is_empty())
        .map(|(no, line)| (no, line.off.as_slice()))
        .collect();
    let of = (purchase.order_id, purchase.buyer.customer.customer_id);
    uses_keep(
        tx,
        purchase.book_id,
        of,
        purchase.effective_at,
        &lines,
        held,
    )?;
    Ok(())
}
