//! Pure decisions about offers.

use super::{CatalogError, NewOffer, NewProduct, Offer, Result};
use crate::id::OfferId;
use crate::text;
use scrip_ledger::{Amount, Error as LedgerError};
use std::collections::BTreeMap;

/// Pieces in one order line at most, without tiers.
const QUANTITY_AT_MOST: i64 = 1_000_000_000;

/// Kilobytes of one download at most: a petabyte.
const DOWNLOAD_AT_MOST: i64 = 1_000_000_000_000;

/// What a quantity of an offer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    /// Tokens for one, or for the tier.
    pub unit_price: Amount,
    /// Tokens for all.
    pub amount: Amount,
    /// What the customer gets: the quantity, or the upper bound of its tier.
    pub granted: i64,
}

/// Prices a quantity. `unit_price` replaces the offer's own price, where staff enter another.
pub fn price(offer: &Offer, quantity: i64, unit_price: Option<Amount>) -> Result<Priced> {
    let invalid = |most: i64| CatalogError::QuantityInvalid {
        title: offer.title.clone(),
        quantity,
        most,
    };
    if offer.tiered {
        let most = offer.tiers.last().map_or(0, |t| t.up_to);
        let tier = offer
            .tiers
            .iter()
            .find(|t| quantity <= t.up_to)
            .filter(|_| quantity > 0);
        let tier = tier.ok_or_else(|| invalid(most))?;
        let price = unit_price.unwrap_or(tier.price);
        return Ok(Priced {
            unit_price: price,
            amount: price,
            granted: tier.up_to,
        });
    }
    if !(1..=QUANTITY_AT_MOST).contains(&quantity) {
        return Err(invalid(QUANTITY_AT_MOST));
    }
    let unit_price = unit_price.unwrap_or(offer.price);
    Ok(Priced {
        unit_price,
        amount: unit_price.times(quantity)?,
        granted: quantity,
    })
}

/// True for what a handle or a SKU may contain.
pub(super) fn handle_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | ' ')
}

/// False for what cannot be in the catalogue, and perhaps not in the database either.
pub(super) fn may_be_handle(text: &str) -> bool {
    text.chars().all(handle_letter)
}

fn handle_checked(field: &'static str, handle: &str) -> Result<String> {
    let handle = text::line(field, handle, 200)?;
    // No address ends in `.` or `..`: browsers take those as places.
    if may_be_handle(&handle) && handle != "." && handle != ".." {
        Ok(handle)
    } else {
        Err(CatalogError::HandleInvalid(handle))
    }
}

pub(super) fn product_checked(new: &NewProduct) -> Result<NewProduct> {
    let handle = handle_checked("the handle", &new.handle)?;
    if !(0..=DOWNLOAD_AT_MOST).contains(&new.download_kb) {
        return Err(CatalogError::DownloadInvalid {
            handle,
            kb: new.download_kb,
            most: DOWNLOAD_AT_MOST,
        });
    }
    let options = options_checked(&handle, &new.options)?;
    let named: std::collections::BTreeSet<&String> = options.iter().collect();
    if named.len() != options.len() || options.iter().any(String::is_empty) {
        return Err(CatalogError::OptionsInvalid(handle));
    }
    Ok(NewProduct {
        delivery: new.delivery,
        options,
        handle,
        title: text::line("the name", &new.title, 500)?,
        description: text::paragraph("the description", &new.description, 100_000)?,
        manufacturer: text::optional_line("the manufacturer", &new.manufacturer, 200)?,
        category: text::optional_line("the category", &new.category, 200)?,
        image_url: text::optional_line("the image address", &new.image_url, 2000)?,
        download_kb: new.download_kb,
    })
}

/// Options of one product at most.
const OPTIONS_AT_MOST: usize = 5;

fn options_checked(of: &str, options: &[String]) -> Result<Vec<String>> {
    if options.len() > OPTIONS_AT_MOST {
        return Err(CatalogError::OptionsInvalid(of.to_owned()));
    }
    let checked = options
        .iter()
        .map(|o| text::optional_line("the option", o, 200));
    Ok(checked.collect::<std::result::Result<_, _>>()?)
}

pub(super) fn offer_checked(new: &NewOffer) -> Result<NewOffer> {
    let sku = handle_checked("the SKU", &new.sku)?;
    if new.price < Amount::ZERO || new.tiers.iter().any(|t| t.price < Amount::ZERO) {
        return Err(CatalogError::PriceNegative(sku));
    }
    if new.stock.is_some_and(|s| s < 0) {
        return Err(CatalogError::StockNegative(sku));
    }
    let rises = new.tiers.windows(2).all(|w| w[0].up_to < w[1].up_to);
    if !rises || new.tiers.first().is_some_and(|t| t.up_to < 1) {
        return Err(CatalogError::TiersDisordered(sku));
    }
    let variant = text::optional_line("the variant", &new.variant, 200)?;
    let mut options = options_checked(&sku, &new.options)?;
    // What was not chosen at the end says nothing.
    while options.last().is_some_and(String::is_empty) {
        options.pop();
    }
    Ok(NewOffer {
        sku,
        variant,
        options,
        ..new.clone()
    })
}

/// Quantities by offer, in the order in which their rows are locked.
pub(super) fn sum_by_offer(wanted: &[(OfferId, i64)]) -> Result<BTreeMap<OfferId, i64>> {
    let mut sums = BTreeMap::new();
    for (offer, quantity) in wanted {
        let sum: &mut i64 = sums.entry(*offer).or_default();
        *sum = sum.checked_add(*quantity).ok_or(LedgerError::Overflow)?;
    }
    Ok(sums)
}
