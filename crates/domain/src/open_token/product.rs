//! What manufacturers make, so that their tokens can pay for it wherever a member carries it
//! (OPN-11, OPN-12, GOV-05).

use super::{OpenError, Result, store};
use crate::actor::Actor;
use crate::audit;
use crate::mall::{Mall, Member};
use crate::text;
use crate::vendor::{EntityKind, Vendor};
use scrip_engine::{Read, Tx};
use serde_json::json;

/// A product on a manufacturer's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The stock-keeping unit under which members sell it.
    pub sku: String,
    /// Who makes it.
    pub maker_book: i64,
    /// How much of its price M2 tokens may pay, in millionths (OPN-12).
    pub cap_ppm: i64,
}

/// Puts a product on a manufacturer's list, or changes what M2 tokens may pay of it.
pub fn product_list(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, maker, vendor): (&Mall, &Member, &Vendor),
    (sku, cap_ppm): (&str, i64),
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(OpenError::Forbidden);
    }
    if vendor.kind != EntityKind::Manufacturer {
        return Err(OpenError::NoManufacturer(vendor.name.clone()));
    }
    if !(0..=1_000_000).contains(&cap_ppm) {
        return Err(OpenError::CapInvalid);
    }
    let sku = text::line("the stock-keeping unit", sku, 100)?;
    let product = Listed {
        sku,
        maker_book: maker.book_id,
        cap_ppm,
    };
    if !store::put_product(tx, mall.book_id, &product)? {
        return Err(OpenError::ListedBy(product.sku));
    }
    let detail = json!({"sku": product.sku, "cap_ppm": cap_ppm});
    audit::note(tx, maker.book_id, actor, "mall.product_listed", "", &detail)?;
    Ok(())
}

/// Takes a product off a manufacturer's list: from the next order on its tokens do not pay for it.
pub fn product_delist(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, maker): (&Mall, &Member),
    sku: &str,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(OpenError::Forbidden);
    }
    if !store::remove_product(tx, mall.book_id, maker.book_id, sku)? {
        return Err(OpenError::NotListed(sku.chars().take(100).collect()));
    }
    let detail = json!({"sku": sku});
    audit::note(
        tx,
        maker.book_id,
        actor,
        "mall.product_delisted",
        "",
        &detail,
    )?;
    Ok(())
}

/// All products on manufacturers' lists, by stock-keeping unit.
pub fn products(tx: &mut dyn Read, mall: &Mall) -> Result<Vec<Listed>> {
    store::products(tx, mall.book_id)
}

/// Those of the stock-keeping units that are on a list.
pub fn listed(tx: &mut dyn Read, mall: &Mall, skus: &[&str]) -> Result<Vec<Listed>> {
    store::listed(tx, mall.book_id, skus)
}
