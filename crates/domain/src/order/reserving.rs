//! The order list reserves what is ticked on it, where the vendor wants that (SHP-09, SHP-13).
//!
//! A change of the list reserves, looking at it never does. Nobody reserves more than AT pays for,
//! nor more pieces of one offer than the vendor allows; in this way nobody keeps from others what
//! could not be bought at once.

use super::list::Listed;
use super::{Result, account_refusal, available, rules, store};
use crate::actor::Actor;
use crate::catalog::reservation::reserve;
use crate::catalog::{Offer, offers_by_id};
use crate::customer::buyer;
use crate::id::{CustomerId, OfferId};
use crate::policy::policy;
use scrip_engine::{Read, Tx};
use scrip_ledger::{Amount, lots_locked};
use std::collections::BTreeMap;

/// Reserves what is ticked on the customer's list, as far as pieces are free, and frees the rest.
/// Where the vendor reserves nothing, nothing is done: what was reserved before ends with its time.
pub fn list_reserve(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
) -> Result<()> {
    if !actor.may_act_for(customer) {
        return Err(super::OrderError::Forbidden);
    }
    let checkout = policy(tx, book_id)?.checkout;
    if checkout.reserve_minutes <= 0 {
        return Ok(());
    }
    let buyer = buyer(tx, book_id, customer)?;
    let lots = lots_locked(tx, book_id, buyer.customer.wallet)?;
    // Two changes at once would each reserve for all tokens.
    tx.lock_name(&format!("order list {customer}"))?;
    let now = tx.now();
    let wishes = match account_refusal(&buyer) {
        Some(_) => BTreeMap::new(),
        None => {
            let mut listed = store::list(tx, book_id, customer)?;
            listed.retain(|line| line.selected);
            let ids: Vec<OfferId> = listed.iter().map(|line| line.offer_id).collect();
            let offers = offers_by_id(tx, book_id, &ids)?;
            let budget = available(&lots, now)?;
            wishes(&listed, &offers, budget, checkout.reserve_pieces)
        }
    };
    Ok(reserve(
        tx,
        book_id,
        customer,
        &wishes,
        checkout.reserve_minutes,
    )?)
}

/// How many pieces of each offer a list may reserve, line by line until the tokens are used up.
/// Offers come in the order of the lines.
fn wishes(
    listed: &[Listed],
    offers: &[Offer],
    budget: Amount,
    at_most: i64,
) -> BTreeMap<OfferId, i64> {
    let mut left = budget;
    let mut wishes = BTreeMap::new();
    for (line, offer) in listed.iter().zip(offers) {
        if !offer.stocked || !offer.active {
            continue;
        }
        let wanted = super::list::at_todays_price(line.offer_id, line.quantity);
        let Ok(priced) = rules::line(&wanted, offer).and_then(rules::affordable_at_all) else {
            continue;
        };
        let (pieces, worth) = match offer.tiered {
            true if priced.amount <= left => (priced.granted.min(at_most), priced.amount),
            true => (0, Amount::ZERO),
            false => {
                let pays = left.units().checked_div(priced.unit_price.units());
                let pieces = priced.granted.min(at_most).min(pays.unwrap_or(i64::MAX));
                let worth = priced.unit_price.times(pieces).unwrap_or(left);
                (pieces, worth)
            }
        };
        if pieces > 0 {
            left = left.minus(worth).unwrap_or(Amount::ZERO);
            wishes.insert(line.offer_id, pieces);
        }
    }
    wishes
}

#[cfg(test)]
mod tests {
    use super::wishes;
    use crate::catalog::{Offer, OfferKind, Tier};
    use crate::id::{OfferId, ProductId};
    use crate::order::list::Listed;
    use scrip_ledger::Amount;
    use uuid::Uuid;

    fn offer(n: u128, price: i64, tiers: &[(i64, i64)]) -> Offer {
        let tier = |(up_to, price): &(i64, i64)| Tier {
            up_to: *up_to,
            price: Amount::from_units(*price),
        };
        Offer {
            offer_id: OfferId(Uuid::from_u128(n)),
            product_id: ProductId(Uuid::nil()),
            title: "Pot".into(),
            variant: String::new(),
            sku: "pot".into(),
            kind: OfferKind::Purchase,
            price: Amount::from_units(price),
            on_sale: false,
            active: true,
            stocked: true,
            shipped: false,
            tiered: !tiers.is_empty(),
            tiers: tiers.iter().map(tier).collect(),
            options: Vec::new(),
        }
    }

    fn of(lines: &[(i64, Offer)], budget: i64) -> Vec<i64> {
        let listed: Vec<Listed> = lines
            .iter()
            .map(|(quantity, offer)| Listed {
                offer_id: offer.offer_id,
                quantity: *quantity,
                selected: true,
            })
            .collect();
        let offers: Vec<Offer> = lines.iter().map(|(_, offer)| offer.clone()).collect();
        let found = wishes(&listed, &offers, Amount::from_units(budget), 10);
        let ids = offers.iter().map(|o| o.offer_id);
        ids.map(|id| found.get(&id).copied().unwrap_or(0)).collect()
    }

    /// SHP-13: no more than the tokens pay for, than the limit allows, than is counted and sold.
    #[test]
    fn nobody_reserves_more_than_could_be_bought() {
        assert_eq!(of(&[(3, offer(1, 5, &[]))], 100), [3]);
        assert_eq!(of(&[(30, offer(1, 5, &[]))], 1000), [10], "the limit");
        assert_eq!(of(&[(3, offer(1, 50, &[]))], 100), [2], "AT");
        let two = [(3, offer(1, 30, &[])), (3, offer(2, 5, &[]))];
        assert_eq!(of(&two, 100), [3, 2], "line by line");
        assert_eq!(
            of(&[(3, offer(1, 0, &[]))], 0),
            [3],
            "what is free of charge"
        );
        let tiers = [(5, 40), (50, 90)];
        assert_eq!(of(&[(6, offer(1, 0, &tiers))], 100), [10]);
        assert_eq!(of(&[(6, offer(1, 0, &tiers))], 80), [0]);
        let mut other = offer(1, 5, &[]);
        other.stocked = false;
        assert_eq!(of(&[(3, other.clone())], 100), [0]);
        other.stocked = true;
        other.active = false;
        assert_eq!(of(&[(3, other)], 100), [0]);
    }
}
