//! Pieces that are kept for a customer for a while (SHP-09, SHP-13).
//!
//! Time decides whether a reservation holds: nothing need be cleaned up for it to end. The stock
//! row is the lock: whoever reserves or sells pieces of an offer has it.
//!
//! A reservation is renewed up to [`PERIODS`] times its length, counted from its beginning, and
//! then rests for one more. So nobody keeps pieces from others without end by looking again and
//! again.

mod rules;
pub(super) mod store;

use super::{Result, Shown, store as catalog_store};
use crate::id::{CustomerId, OfferId};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use std::collections::BTreeMap;

/// How many times its length a reservation lasts in all.
pub const PERIODS: i64 = 4;

/// One customer's pieces of one offer, as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub offer_id: OfferId,
    pub customer_id: CustomerId,
    pub pieces: i64,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// Pieces that are reserved for a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// How many.
    pub pieces: i64,
    /// Until when.
    pub until: Timestamp,
}

/// Who has reserved what of an offer, as one customer sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// What the customer has reserved.
    pub own: Option<Reserved>,
    /// Pieces that the customer cannot have now, because others have reserved them.
    pub others: i64,
}

/// Too few pieces of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFew {
    /// The offer.
    pub offer_id: OfferId,
    /// Pieces that the buyer can have.
    pub free: i64,
    /// Pieces that are there and reserved by others.
    pub reserved: i64,
}

/// Reserves pieces for a customer, as far as they are free; what else the customer had reserved is
/// free again. Offers whose pieces are not counted must not be among the wishes.
pub fn reserve(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
    wishes: &BTreeMap<OfferId, i64>,
    minutes: i64,
) -> Result<()> {
    let now = tx.now();
    let held = store::of_customer(tx, book_id, customer)?;
    for old in &held {
        if old.until > now && !wishes.contains_key(&old.offer_id) {
            store::end(tx, book_id, old.offer_id, customer)?;
        }
    }
    // A map is in the order in which stock rows are locked.
    for (offer, wish) in wishes {
        let stock = catalog_store::stock_row_locked(tx, book_id, *offer)?;
        let live = store::live(tx, book_id, *offer)?;
        let old = held.iter().find(|kept| kept.offer_id == *offer);
        let pieces = rules::usable(stock.on_hand, &live, Some(customer)).min(*wish);
        let span = rules::span(old.map(|kept| (kept.since, kept.until)), minutes, now);
        match span.filter(|_| pieces > 0) {
            Some((since, until)) => {
                let kept = Kept {
                    offer_id: *offer,
                    customer_id: customer,
                    pieces,
                    since,
                    until,
                };
                store::put(tx, book_id, &kept)?;
                if until > stock.reserved_until {
                    store::mark(tx, book_id, *offer, until)?;
                }
            }
            None => store::end(tx, book_id, *offer, customer)?,
        }
    }
    Ok(())
}

/// Ends what a customer has reserved of an offer.
pub fn release(tx: &mut Tx<'_>, book_id: i64, customer: CustomerId, offer: OfferId) -> Result<()> {
    Ok(store::end(tx, book_id, offer, customer)?)
}

/// Forgets all that a customer has reserved, as when the account is closed.
pub fn reservations_forget(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
) -> std::result::Result<(), EngineError> {
    store::forget(tx, book_id, customer)
}

/// What is reserved of some offers, as a customer sees it; a visitor is nobody. Offers of which
/// nothing is reserved are left out, and cost no query.
pub fn holds<'a>(
    tx: &mut dyn Read,
    book_id: i64,
    customer: Option<CustomerId>,
    shown: impl IntoIterator<Item = &'a Shown>,
) -> Result<BTreeMap<OfferId, Hold>> {
    let now = tx.now();
    let mut holds = BTreeMap::new();
    for one in shown {
        let Some(on_hand) = one.on_hand.filter(|_| one.reserved_until > now) else {
            continue;
        };
        let offer = one.offer.offer_id;
        let live = store::live(tx, book_id, offer)?;
        let own = live.iter().find(|kept| Some(kept.customer_id) == customer);
        let own = own.map(|kept| Reserved {
            pieces: kept.pieces,
            until: kept.until,
        });
        let usable = rules::usable(on_hand, &live, customer);
        let others = on_hand.saturating_sub(usable).max(0);
        holds.insert(offer, Hold { own, others });
    }
    Ok(holds)
}

/// What a buyer may take of an offer whose stock row is locked.
pub(super) fn usable_locked(
    tx: &mut Tx<'_>,
    book_id: i64,
    offer: OfferId,
    stock: catalog_store::StockRow,
    buyer: Option<CustomerId>,
) -> Result<i64> {
    if stock.reserved_until <= tx.now() {
        return Ok(stock.on_hand);
    }
    let live = store::live(tx, book_id, offer)?;
    Ok(rules::usable(stock.on_hand, &live, buyer))
}

/// Forgets reservations that are over and have rested. Returns how many.
pub fn reservations_expire(
    tx: &mut Tx<'_>,
    book_id: i64,
    minutes: i64,
) -> std::result::Result<u64, EngineError> {
    let rest = rules::seconds(minutes.max(1)).saturating_mul(PERIODS.saturating_add(1));
    let before = tx.now().plus_seconds(rest.saturating_neg());
    store::expire(tx, book_id, before)
}
