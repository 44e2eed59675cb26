//! The order list: what a customer thinks of buying, with boxes to tick (SHP-10, SHP-11).

use super::reserving::list_reserve;
use super::{OrderError, Quote, QuoteLine, Refusal, Result, Wanted, gate, reduce, rules, store};
use crate::actor::Actor;
use crate::catalog::reservation::{Hold, holds};
use crate::catalog::{Shown, Tier, offers_by_id, offers_shown};
use crate::customer::{CustomerError, State, buyer, customer_by_id};
use crate::id::{CustomerId, OfferId};
use crate::promotion::{CouponKey, coupon_of};
use scrip_engine::{Read, ReadTx, Tx};
use scrip_ledger::lots_available;
use std::collections::BTreeMap;

/// Lines on one order list at most.
pub const LIST_AT_MOST: usize = 200;

/// A line of an order list, as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub offer_id: OfferId,
    pub quantity: i64,
    pub selected: bool,
}

/// A line of an order list with today's price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListLine {
    /// Its price; granted and amount are 0 where it has none.
    pub line: QuoteLine,
    /// True when its box is ticked.
    pub selected: bool,
    /// The tiers to choose from; empty for a price each.
    pub tiers: Vec<Tier>,
    /// Pieces at hand, where they are counted.
    pub on_hand: Option<i64>,
    /// What of them is reserved: for the customer, and by others.
    pub hold: Hold,
    /// False when the offer is not sold any more.
    pub active: bool,
    /// The product's handle.
    pub handle: String,
    /// What is downloaded, in kilobytes; 0 where nothing is.
    pub download_kb: i64,
    /// Why it cannot be ordered as it is, and what to do. Such a line is not counted.
    pub problem: Option<String>,
}

impl ListLine {
    /// True when the line belongs to the order: ticked, and there is no problem with it.
    pub fn is_counted(&self) -> bool {
        self.selected && self.problem.is_none()
    }

    /// Pieces that the customer can have, where they are counted.
    pub fn free(&self) -> Option<i64> {
        let others = self.hold.others;
        self.on_hand.map(|on_hand| on_hand.saturating_sub(others))
    }
}

/// An order list with what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderList {
    /// All lines, in the order in which they were put on.
    pub lines: Vec<ListLine>,
    /// RT, AT and AT - RT of the lines that are counted.
    pub quote: Quote,
    /// True when the account is active: only then is AT shown (SHP-11).
    pub active: bool,
    /// The coupon that was entered (ADV-06).
    pub coupon: Option<CouponKey>,
}

impl OrderList {
    /// The order of the counted lines at the prices shown.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.quote.lines.iter().map(QuoteLine::as_shown).collect()
    }
}

impl QuoteLine {
    /// This line, to be ordered as it was shown: what is granted is asked for in full, so that a
    /// tier that has become smaller since does not grant less at the same price.
    pub fn as_shown(&self) -> Wanted {
        Wanted {
            offer_id: self.offer_id,
            quantity: self.granted,
            quoted: Some(self.unit_price),
            entered: None,
        }
    }
}

/// Refuses those who may not change a list, and accounts that are closed.
pub(super) fn check_change(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
) -> Result<()> {
    if !actor.may_act_for(customer) {
        return Err(OrderError::Forbidden);
    }
    let customer = customer_by_id(tx, book_id, customer)?;
    match customer.state {
        State::Inactive | State::Active => Ok(()),
        State::Closed => Err(CustomerError::Closed(customer.number).into()),
    }
}

/// Puts a quantity of an offer on the customer's order list and ticks it, replacing what is
/// there; 0 takes it off (SHP-10).
pub fn order_list_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    offer: OfferId,
    quantity: i64,
) -> Result<()> {
    check_change(tx, actor, book_id, customer)?;
    let offers = offers_by_id(tx, book_id, &[offer])?;
    if quantity == 0 {
        store::list_remove(tx, book_id, customer, offer)?;
        return list_reserve(tx, actor, book_id, customer);
    }
    let buyer = buyer(tx, book_id, customer)?;
    gate::check_ordering(tx, &buyer)?;
    for offer in &offers {
        rules::line(&at_todays_price(offer.offer_id, quantity), offer)
            .and_then(rules::affordable_at_all)?;
    }
    // Two new lines at once would each see room for one.
    tx.lock_name(&format!("order list {customer}"))?;
    let most = i64::try_from(LIST_AT_MOST).unwrap_or(i64::MAX);
    if store::list_others(tx, book_id, customer, offer)? >= most {
        return Err(OrderError::ListFull { most: LIST_AT_MOST });
    }
    store::list_set(tx, book_id, customer, offer, quantity)?;
    list_reserve(tx, actor, book_id, customer)
}

/// Ticks a line of the order list, or unticks it (SHP-07, SHP-11).
pub fn order_list_select(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    offer: OfferId,
    selected: bool,
) -> Result<()> {
    check_change(tx, actor, book_id, customer)?;
    if !store::list_select(tx, book_id, customer, offer, selected)? {
        return Err(OrderError::NotOnList(offer));
    }
    list_reserve(tx, actor, book_id, customer)
}

/// Takes offers off the order list; what was reserved of them is free again.
pub fn order_list_clear(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    offers: &[OfferId],
) -> Result<()> {
    order_list_bought(tx, actor, book_id, customer, offers)?;
    list_reserve(tx, actor, book_id, customer)
}

/// Takes offers off the order list after their purchase, which has ended what was reserved.
pub fn order_list_bought(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    offers: &[OfferId],
) -> Result<()> {
    check_change(tx, actor, book_id, customer)?;
    for offer in offers {
        store::list_remove(tx, book_id, customer, *offer)?;
    }
    Ok(())
}

/// What is on one account's list goes along to the account that is to pay instead (TOK-15). Where
/// both have an offer, what the person just looked at counts; what finds no room stays behind.
pub fn order_list_carry(
    tx: &mut Tx<'_>,
    book_id: i64,
    from: CustomerId,
    to: CustomerId,
) -> Result<()> {
    if from == to {
        return Ok(());
    }
    let mut both = [from, to];
    both.sort_unstable();
    for one in both {
        tx.lock_name(&format!("order list {one}"))?;
    }
    let there = store::list(tx, book_id, to)?;
    let is_there = |offer| there.iter().any(|line| line.offer_id == offer);
    let mut room = LIST_AT_MOST.saturating_sub(there.len());
    for line in store::list(tx, book_id, from)? {
        if !is_there(line.offer_id) {
            match room.checked_sub(1) {
                Some(rest) => room = rest,
                None => continue,
            }
        }
        store::list_set(tx, book_id, to, line.offer_id, line.quantity)?;
        store::list_select(tx, book_id, to, line.offer_id, line.selected)?;
        store::list_remove(tx, book_id, from, line.offer_id)?;
    }
    Ok(())
}

/// The customer's order list with today's prices, and RT, AT, remaining of what is ticked
/// (SHP-10, SHP-11).
pub fn order_list(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
) -> Result<OrderList> {
    if !actor.may_act_for(customer) {
        return Err(OrderError::Forbidden);
    }
    let buyer = buyer(tx, book_id, customer)?;
    let listed = store::list(tx, book_id, customer)?;
    let ids: Vec<OfferId> = listed.iter().map(|l| l.offer_id).collect();
    let mut shown: BTreeMap<OfferId, Shown> = offers_shown(tx, book_id, &ids)?
        .into_iter()
        .map(|s| (s.offer.offer_id, s))
        .collect();
    let mut reserved = holds(tx, book_id, Some(customer), shown.values())?;
    let mut lines: Vec<ListLine> = listed
        .iter()
        .filter_map(|l| Some((*l, shown.remove(&l.offer_id)?)))
        .map(|(listed, shown)| line(listed, shown))
        .collect();
    for line in &mut lines {
        line.hold = reserved.remove(&line.line.offer_id).unwrap_or_default();
    }
    let coupon = coupon_of(tx, book_id, customer)?;
    let held = reduce::list(tx, &buyer, &mut lines, coupon.as_ref())?;
    let counted = lines.iter().filter(|l| l.is_counted());
    let counted = counted.map(|l| l.line.clone()).collect();
    let lots = lots_available(tx, book_id, buyer.customer.wallet)?;
    Ok(OrderList {
        quote: reduce::told(rules::summed(counted, &lots, tx.now())?, &held)?,
        coupon,
        lines,
        active: buyer.customer.state == State::Active,
    })
}

pub(super) fn at_todays_price(offer_id: OfferId, quantity: i64) -> Wanted {
    Wanted {
        offer_id,
        quantity,
        quoted: None,
        entered: None,
    }
}

/// A line with today's price, or with the reason why it has none.
fn line(listed: Listed, shown: Shown) -> ListLine {
    let offer = &shown.offer;
    let wanted = at_todays_price(listed.offer_id, listed.quantity);
    let priced = rules::line(&wanted, offer).and_then(rules::affordable_at_all);
    let not_for_sale = || Refusal::NotForSale {
        title: offer.title.clone(),
    };
    let (line, problem) = match priced {
        Ok(line) if offer.active => (line, None),
        Ok(line) => (line, Some(not_for_sale().to_string())),
        Err(_) if !offer.active => {
            let problem = not_for_sale().to_string();
            (rules::unpriced(&wanted, offer), Some(problem))
        }
        Err(error) => (rules::unpriced(&wanted, offer), Some(error.to_string())),
    };
    ListLine {
        line,
        selected: listed.selected,
        active: offer.active,
        problem,
        on_hand: shown.on_hand,
        hold: Hold::default(),
        handle: shown.handle,
        download_kb: shown.download_kb,
        tiers: shown.offer.tiers,
    }
}
