//! What an order would be now, and what about it is not as it was shown: the page that asks to
//! confirm says so (SHP-12, SHP-13).

use super::address::To;
use crate::web::view::format::{count, tokens};
use scrip_domain::Actor;
use scrip_domain::catalog::reservation::{Hold, holds};
use scrip_domain::catalog::{Offer, Shown, offers_shown, price};
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::order::{OrderError, Quote, QuoteLine, Supply, Wanted, quote};
use scrip_domain::promotion::CouponKey;
use scrip_engine::ReadTx;
use std::collections::BTreeMap;

/// An order as it would be placed now.
pub struct Review {
    /// Its lines, RT, AT and what would remain.
    pub quote: Quote,
    /// What is known of its offers.
    pub shown: BTreeMap<OfferId, Shown>,
    /// What of them is reserved.
    pub holds: BTreeMap<OfferId, Hold>,
    /// What differs from what was asked for, a sentence each.
    pub changes: Vec<String>,
    /// How programs are to be handed over, as far as it was chosen.
    pub supply: BTreeMap<OfferId, Supply>,
    /// The coupon.
    pub coupon: Option<CouponKey>,
    /// Where goods are sent to, as far as it was typed or is known.
    pub to: To,
}

/// Looks at what is wanted with today's prices and stock. Nothing is debited by it.
pub fn review(
    tx: &mut ReadTx<'_>,
    book: i64,
    customer: CustomerId,
    wanted: &[Wanted],
    coupon: Option<CouponKey>,
) -> Result<Review, OrderError> {
    let ids: Vec<OfferId> = wanted.iter().map(|w| w.offer_id).collect();
    let shown: BTreeMap<OfferId, Shown> = offers_shown(tx, book, &ids)?
        .into_iter()
        .map(|shown| (shown.offer.offer_id, shown))
        .collect();
    let holds = holds(tx, book, Some(customer), shown.values())?;
    let (mut possible, mut changes) = (Vec::new(), Vec::new());
    for one in wanted {
        if let Some(shown) = shown.get(&one.offer_id) {
            let others = holds.get(&one.offer_id).map_or(0, |hold| hold.others);
            let (left, change) = adjusted(one, shown, others);
            possible.extend(left);
            changes.extend(change);
        }
    }
    let actor = Actor::Customer(customer);
    let quote = quote(tx, actor, book, customer, &possible, coupon.as_ref())?;
    for line in &quote.lines {
        let one = wanted.iter().find(|w| w.offer_id == line.offer_id);
        changes.extend(one.and_then(|one| repriced(one, line)));
    }
    Ok(Review {
        quote,
        shown,
        holds,
        changes,
        supply: BTreeMap::new(),
        coupon,
        to: To::default(),
    })
}

/// What is said of a price that is not the one that was shown. A line that takes fewer says so
/// already.
fn repriced(wanted: &Wanted, line: &QuoteLine) -> Option<String> {
    let same = wanted.quantity == line.quantity;
    let quoted = wanted.quoted.filter(|q| same && *q != line.unit_price)?;
    let (old, new) = (tokens(quoted), tokens(line.unit_price));
    Some(format!("{} was {old} and is {new} now.", line.title))
}

/// A line as it can be ordered now, and what is different about it. `others` is how many pieces
/// other customers have reserved.
fn adjusted(wanted: &Wanted, shown: &Shown, others: i64) -> (Option<Wanted>, Option<String>) {
    let offer = &shown.offer;
    let title = &offer.title;
    let out = |why: &str| (None, Some(format!("{title} {why} and was left out.")));
    if !offer.active {
        return out("is not sold any more");
    }
    let Ok(now) = price(offer, wanted.quantity, None) else {
        return out("cannot be had in this quantity any more");
    };
    let today = Wanted {
        quoted: None,
        ..*wanted
    };
    let free = shown.on_hand.map(|on_hand| on_hand.saturating_sub(others));
    if let Some(free) = free.filter(|free| *free < now.granted) {
        return match (at_most(offer, free), others > 0) {
            (0, true) => out("is reserved by others for a while"),
            (0, false) => out("is out of stock"),
            (quantity, is_reserved) => {
                let why = match is_reserved {
                    true => "are free, because others have reserved the rest",
                    false => "are left",
                };
                let change = format!(
                    "Only {} of {title} {why}, so the order takes {}.",
                    count(free),
                    count(quantity)
                );
                (Some(Wanted { quantity, ..today }), Some(change))
            }
        };
    }
    (Some(today), None)
}

/// The largest quantity for which so many pieces are enough; 0 for none.
fn at_most(offer: &Offer, on_hand: i64) -> i64 {
    if !offer.tiered {
        return on_hand.max(0);
    }
    let fits = offer.tiers.iter().rev().find(|tier| tier.up_to <= on_hand);
    fits.map_or(0, |tier| tier.up_to)
}

#[cfg(test)]
mod tests {
    use super::{adjusted, repriced};
    use scrip_domain::Amount;
    use scrip_domain::catalog::{Offer, OfferKind, Shown, Tier};
    use scrip_domain::id::{OfferId, ProductId};
    use scrip_domain::order::{QuoteLine, Wanted};
    use uuid::Uuid;

    const TOKEN: i64 = 1_000_000;

    fn shown(price: i64, on_hand: Option<i64>, bounds: &[i64]) -> Shown {
        let tier = |up_to: &i64| Tier {
            up_to: *up_to,
            price: Amount::from_units(price * TOKEN),
        };
        Shown {
            offer: Offer {
                options: Vec::new(),
                offer_id: OfferId(Uuid::nil()),
                product_id: ProductId(Uuid::nil()),
                title: "Pot".into(),
                variant: String::new(),
                sku: "pot".into(),
                kind: OfferKind::Purchase,
                price: Amount::from_units(price * TOKEN),
                on_sale: false,
                active: true,
                stocked: on_hand.is_some(),
                shipped: false,
                tiered: !bounds.is_empty(),
                tiers: bounds.iter().map(tier).collect(),
            },
            on_hand,
            handle: "pot".into(),
            download_kb: 0,
            delivery: scrip_domain::catalog::Delivery::Usual,
            reserved_until: scrip_engine::Timestamp(0),
        }
    }

    /// What becomes of a wish for some at 100 tokens: the quantity, and what is said.
    fn of(quantity: i64, shown: &Shown) -> (Option<i64>, String) {
        of_reserved(quantity, shown, 0)
    }

    /// The same where others have reserved so many.
    fn of_reserved(quantity: i64, shown: &Shown, others: i64) -> (Option<i64>, String) {
        let wanted = Wanted {
            offer_id: OfferId(Uuid::nil()),
            quantity,
            quoted: Some(Amount::from_units(100 * TOKEN)),
            entered: None,
        };
        let (left, change) = adjusted(&wanted, shown, others);
        assert!(left.is_none_or(|w| w.quoted.is_none()));
        (left.map(|w| w.quantity), change.unwrap_or_default())
    }

    /// What is said of so many that were shown at 100 tokens.
    fn priced(wanted: i64, quantity: i64, now: i64) -> Option<String> {
        let amount = |n: i64| Amount::from_units(n * TOKEN);
        let wanted = Wanted {
            offer_id: OfferId(Uuid::nil()),
            quantity: wanted,
            quoted: Some(amount(100)),
            entered: None,
        };
        let line = QuoteLine {
            offer_id: wanted.offer_id,
            sku: "pot".into(),
            title: "Pot".into(),
            kind: OfferKind::Purchase,
            quantity,
            granted: quantity,
            unit_price: amount(now),
            amount: amount(now * quantity),
            on_sale: false,
            stocked: false,
            off: Vec::new(),
            tax: None,
        };
        repriced(&wanted, &line)
    }

    /// SHP-13, ADV-06
    #[test]
    fn what_changed_is_said_with_old_and_new() {
        let none = String::new();
        assert_eq!(of(2, &shown(100, None, &[])), (Some(2), none.clone()));
        assert_eq!(of(2, &shown(100, Some(2), &[])), (Some(2), none));
        let dearer = "Pot was 100 tokens and is 120 tokens now.".to_owned();
        assert_eq!(priced(2, 2, 120), Some(dearer));
        assert_eq!(priced(2, 2, 100), None);
        assert_eq!(priced(5, 3, 120), None, "fewer is said already");
        let few = "Only 3 of Pot are left, so the order takes 3.".to_owned();
        assert_eq!(of(5, &shown(100, Some(3), &[])), (Some(3), few));
        let some = "Only 2 of Pot are free, because others have reserved the rest, so the order \
                    takes 2."
            .to_owned();
        assert_eq!(
            of_reserved(5, &shown(100, Some(6), &[]), 4),
            (Some(2), some)
        );
        let held = "Pot is reserved by others for a while and was left out.".to_owned();
        assert_eq!(of_reserved(1, &shown(100, Some(4), &[]), 4), (None, held));
        let gone = "Pot is out of stock and was left out.".to_owned();
        assert_eq!(of(5, &shown(100, Some(0), &[])), (None, gone));
        let mut old = shown(100, None, &[]);
        old.offer.active = false;
        let old = of(1, &old);
        assert_eq!(
            old,
            (None, "Pot is not sold any more and was left out.".into())
        );
    }

    /// SHP-10, SHP-13
    #[test]
    fn a_tier_shrinks_to_one_that_is_there() {
        let tiers = [10, 100, 1000];
        let few = "Only 150 of Pot are left, so the order takes 100.".to_owned();
        assert_eq!(of(1000, &shown(100, Some(150), &tiers)), (Some(100), few));
        assert_eq!(of(1000, &shown(100, Some(9), &tiers)).0, None);
        let gone = of(2000, &shown(100, None, &tiers));
        assert_eq!(gone.0, None, "{}", gone.1);
    }
}
