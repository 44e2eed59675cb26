//! Stock: what sales take, what deliveries and corrections bring (SHP-09).

use super::reservation::{self, TooFew, usable_locked};
use super::{CatalogError, Result, offers_by_id, rules, shelf, store};
use crate::actor::Actor;
use crate::audit;
use crate::id::{CustomerId, OfferId};
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::Error as LedgerError;
use serde_json::json;

/// Takes pieces out of stock for several offers, all or none. What others have reserved is left to
/// them; what the buyer has reserved ends with it. `Err` carries the first offer that has too few.
pub fn stock_take(
    tx: &mut Tx<'_>,
    book_id: i64,
    buyer: Option<CustomerId>,
    wanted: &[(OfferId, i64)],
) -> Result<std::result::Result<(), TooFew>> {
    let sums = rules::sum_by_offer(wanted)?;
    let now = tx.now();
    let mut left = Vec::with_capacity(sums.len());
    for (offer, quantity) in sums {
        let stock = store::stock_row_locked(tx, book_id, offer)?;
        let free = usable_locked(tx, book_id, offer, stock, buyer)?;
        match stock.on_hand.checked_sub(quantity) {
            Some(rest) if rest >= 0 && quantity <= free => {
                left.push((offer, rest, stock.reserved_until > now));
            }
            _ => {
                return Ok(Err(TooFew {
                    offer_id: offer,
                    free,
                    reserved: stock.on_hand.saturating_sub(free),
                }));
            }
        }
    }
    for (offer, rest, is_reserved) in left {
        store::set_stock(tx, book_id, offer, rest)?;
        if let Some(buyer) = buyer.filter(|_| is_reserved) {
            reservation::store::bought(tx, book_id, offer, buyer)?;
        }
        if rest == 0 {
            shelf::stock_turned(tx, book_id, offer)?;
        }
    }
    Ok(Ok(()))
}

/// Adds a delivery to the stock of an offer whose pieces are counted.
pub fn stock_deliver(tx: &mut Tx<'_>, book_id: i64, offer: OfferId, pieces: i64) -> Result<()> {
    if pieces < 1 {
        return Err(CatalogError::DeliveryEmpty(pieces));
    }
    if let Some(offer) = offers_by_id(tx, book_id, &[offer])?.pop()
        && !offer.stocked
    {
        return Err(CatalogError::NotCounted(offer.sku));
    }
    stock_add(tx, book_id, &[(offer, pieces)])
}

/// Puts pieces back into stock, or adds a delivery.
pub fn stock_add(tx: &mut Tx<'_>, book_id: i64, added: &[(OfferId, i64)]) -> Result<()> {
    for (offer, quantity) in rules::sum_by_offer(added)? {
        let on_hand = store::stock_locked(tx, book_id, offer)?;
        let now = on_hand.checked_add(quantity).ok_or(LedgerError::Overflow)?;
        store::set_stock(tx, book_id, offer, now)?;
        if on_hand == 0 {
            shelf::stock_turned(tx, book_id, offer)?;
        }
    }
    Ok(())
}

/// Stock that was counted anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Pieces before; `None` when they were not counted.
    pub had: Option<i64>,
    /// Pieces since.
    pub has: i64,
    /// Why.
    pub reason: String,
    /// Who counted.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// Sets the pieces at hand to what was counted, up or down, and keeps a record with the reason.
/// An offer whose pieces were not counted is counted from now on. `had` is what the one who counts
/// believes to be there: pieces that were sold since are told, not lost.
pub fn stock_correct(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    offer: OfferId,
    (had, has): (Option<i64>, i64),
    reason: &str,
) -> Result<Correction> {
    let book = vendor.book_id;
    let reason = text::line("the reason", reason, 200)?;
    tx.lock_name(&format!("catalog {book}"))?;
    let found = offers_by_id(tx, book, &[offer])?.pop();
    let found = found.ok_or_else(|| CatalogError::OfferUnknown(offer.to_string()))?;
    if has < 0 {
        return Err(CatalogError::StockNegative(found.sku));
    }
    let now_there = match found.stocked {
        true => Some(store::stock_locked(tx, book, offer)?),
        false => None,
    };
    if now_there != had {
        return Err(CatalogError::StockMoved {
            sku: found.sku,
            had,
            has: now_there,
        });
    }
    match now_there {
        Some(_) => store::set_stock(tx, book, offer, has)?,
        None => {
            store::insert_stock(tx, book, offer, has)?;
            store::set_stocked(tx, book, offer)?;
        }
    }
    let correction = Correction {
        had,
        has,
        reason,
        actor: actor.to_string(),
        at: tx.now(),
    };
    store::insert_correction(tx, book, offer, &correction)?;
    let what = json!({ "had": correction.had, "has": correction.has });
    audit::note(
        tx,
        book,
        actor,
        "catalogue.stock",
        &offer.to_string(),
        &what,
    )?;
    shelf::refresh(tx, book, found.product_id)?;
    Ok(correction)
}

/// The newest corrections of an offer's stock, newest first.
pub fn stock_corrections(
    tx: &mut dyn Read,
    book_id: i64,
    offer: OfferId,
    at_most: i64,
) -> Result<Vec<Correction>> {
    store::corrections(tx, book_id, offer, at_most)
}
