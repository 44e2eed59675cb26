//! Changes that staff make by hand: refused when somebody else changed the same meanwhile.

use super::{
    CatalogError, NewOffer, NewProduct, OfferKind, Result, offer_put, product_by_id, product_put,
    rules, store,
};
use crate::actor::Actor;
use crate::audit;
use crate::id::{OfferId, ProductId};
use crate::vendor::Vendor;
use scrip_engine::Tx;
use serde_json::json;
use sha2::{Digest, Sha256};

/// A product as a form remembers it: the description only by its digest, because it may be long.
pub fn seen(product: &NewProduct) -> NewProduct {
    let digest = Sha256::digest(product.description.as_bytes());
    let hex = digest.iter().take(12).map(|b| format!("{b:02x}"));
    NewProduct {
        description: hex.collect(),
        ..product.clone()
    }
}

/// Enters a product that is new (`was` is `None`), or changes one that still is as it was seen.
pub fn product_edit(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    was: Option<&NewProduct>,
    new: &NewProduct,
) -> Result<ProductId> {
    let book = vendor.book_id;
    tx.lock_name(&format!("catalog {book}"))?;
    let checked = rules::product_checked(new)?;
    let found = store::product_by_handle(tx, book, &checked.handle)?;
    match (found, was) {
        (None, _) => {}
        (Some(_), None) => {
            let text = format!(
                "a product {:?} is there already: change that one",
                checked.handle
            );
            return Err(CatalogError::Stale(text));
        }
        (Some(id), Some(was)) => {
            let now = seen(&product_by_id(tx, book, id)?.product);
            let mut changed = Vec::new();
            for (field, is_same, value) in [
                ("the name", now.title == was.title, &now.title),
                (
                    "the manufacturer",
                    now.manufacturer == was.manufacturer,
                    &now.manufacturer,
                ),
                ("the category", now.category == was.category, &now.category),
            ] {
                if !is_same {
                    changed.push(format!("{field} is now {value:?}"));
                }
            }
            if changed.is_empty() && now != *was {
                let text = "the description, the options or the delivery are others now";
                changed.push(text.to_owned());
            }
            if !changed.is_empty() {
                return Err(CatalogError::Stale(changed.join(", ")));
            }
        }
    }
    let (id, is_new) = product_put(tx, vendor, &checked)?;
    let what = json!({ "handle": checked.handle, "new": is_new });
    audit::note(tx, book, actor, "catalogue.product", &id.to_string(), &what)?;
    Ok(id)
}

/// Enters an offer that is new (`was` is `None`), or changes one that still is as it was seen.
pub fn offer_edit(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    product: ProductId,
    was: Option<&NewOffer>,
    new: &NewOffer,
) -> Result<OfferId> {
    let book = vendor.book_id;
    tx.lock_name(&format!("catalog {book}"))?;
    let checked = rules::offer_checked(new)?;
    let found = store::offer_by_sku(tx, book, &checked.sku)?;
    match (found, was) {
        (None, _) => {}
        (Some((offer, of)), Some(was)) if of == product => {
            let now = super::offers_by_id(tx, book, &[offer])?.pop();
            let now = now
                .map(|now| NewOffer::of(&now))
                .unwrap_or_else(|| was.clone());
            if now != *was {
                return Err(CatalogError::Stale(differences(&now, was, vendor)));
            }
        }
        (Some(_), _) => {
            let text = format!(
                "an offer {:?} is there already: take another SKU",
                checked.sku
            );
            return Err(CatalogError::Stale(text));
        }
    }
    let (id, is_new) = offer_put(tx, vendor, product, &checked)?;
    let what = json!({
        "sku": checked.sku, "new": is_new, "price": checked.price.units(),
        "active": checked.active, "on_sale": checked.on_sale,
    });
    audit::note(tx, book, actor, "catalogue.offer", &id.to_string(), &what)?;
    Ok(id)
}

fn differences(now: &NewOffer, was: &NewOffer, vendor: &Vendor) -> String {
    let price = |offer: &NewOffer| offer.price.decimal(vendor.token.scale);
    let mut changed = Vec::new();
    if now.price != was.price {
        changed.push(format!(
            "the price is now {}, it was {}",
            price(now),
            price(was)
        ));
    }
    if now.active != was.active {
        let text = if now.active {
            "it is for sale now"
        } else {
            "it is off sale now"
        };
        changed.push(text.to_owned());
    }
    if changed.is_empty() {
        changed.push("the variant, the kind or the tiers are others now".to_owned());
    }
    changed.join(", ")
}

impl NewOffer {
    /// An offer as it would be entered again, without stock.
    pub fn of(offer: &super::Offer) -> NewOffer {
        NewOffer {
            sku: offer.sku.clone(),
            variant: offer.variant.clone(),
            kind: offer.kind,
            price: offer.price,
            on_sale: offer.on_sale,
            active: offer.active,
            stock: None,
            tiers: offer.tiers.clone(),
            options: offer.options.clone(),
        }
    }

    /// An empty offer, for a form.
    pub fn empty() -> NewOffer {
        NewOffer {
            sku: String::new(),
            variant: String::new(),
            kind: OfferKind::Purchase,
            price: scrip_ledger::Amount::ZERO,
            on_sale: false,
            active: true,
            stock: None,
            tiers: Vec::new(),
            options: Vec::new(),
        }
    }
}

/// Takes all offers of a product off sale, or brings them back.
pub fn product_sale(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    product: ProductId,
    active: bool,
) -> Result<()> {
    let book = vendor.book_id;
    tx.lock_name(&format!("catalog {book}"))?;
    let detail = product_by_id(tx, book, product)?;
    for (offer, _) in detail.offers.iter().filter(|(o, _)| o.active != active) {
        let new = NewOffer {
            active,
            ..NewOffer::of(offer)
        };
        offer_put(tx, vendor, product, &new)?;
    }
    let what = json!({ "handle": detail.product.handle, "for_sale": active });
    Ok(audit::note(
        tx,
        book,
        actor,
        "catalogue.sale",
        &product.to_string(),
        &what,
    )?)
}
