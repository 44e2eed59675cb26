//! What a file takes off sale, and how many customers have it on their order lists.

use super::store;
use crate::catalog::shop_export::Draft;
use crate::catalog::{Result, offer_by_sku, offers_by_id};
use scrip_engine::Read;

/// An offer that a file takes off sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffSale {
    /// The row of the file on which its product begins.
    pub row: u64,
    /// The offer's SKU.
    pub sku: String,
    /// Order lists that hold it.
    pub order_lists: i64,
}

impl std::fmt::Display for OffSale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is taken off sale", self.sku)?;
        match self.order_lists {
            0 => Ok(()),
            lists => write!(f, ": {}", lists_words(lists)),
        }
    }
}

/// Offers that are for sale and would not be after these drafts.
pub fn off_sale(tx: &mut dyn Read, book_id: i64, drafts: &[Draft]) -> Result<Vec<OffSale>> {
    let mut found = Vec::new();
    for draft in drafts {
        for offer in draft.offers.iter().filter(|offer| !offer.active) {
            let Some(id) = offer_by_sku(tx, book_id, &offer.sku)? else {
                continue;
            };
            let current = offers_by_id(tx, book_id, &[id])?;
            if current.iter().any(|current| current.active) {
                found.push(OffSale {
                    row: draft.row,
                    sku: offer.sku.clone(),
                    order_lists: store::lists_with(tx, book_id, id)?,
                });
            }
        }
    }
    Ok(found)
}

/// Where customers find it afterwards; empty when nobody has it.
pub(super) fn lists_words(lists: i64) -> String {
    match lists {
        0 => String::new(),
        1 => "it is on 1 order list, which keeps it with a note".to_owned(),
        n => format!("it is on {n} order lists, which keep it with a note"),
    }
}
