//! The catalogue: products, their offers, quantity tiers and stock (SHP-09, SHP-10).

mod browse;
pub mod edit;
pub mod images;
pub mod imports;
pub mod reservation;
mod rules;
pub mod sheet;
pub mod shelf;
pub mod shop_export;
mod stock;
mod store;
#[cfg(test)]
mod tests;

use crate::id::{OfferId, ProductId};
use crate::text::TextError;
use crate::vendor::Vendor;
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use scrip_ledger::{Amount, Error as LedgerError};
use serde::{Deserialize, Serialize};

pub use browse::{
    PRODUCTS_AT_MOST, ProductFilter, ProductPage, categories, product_by_id, product_detail,
    products,
};
pub use rules::{Priced, price};
pub use stock::{
    Correction, stock_add, stock_correct, stock_corrections, stock_deliver, stock_take,
};

/// What a customer gets from an offer (LIC-01 adds the ways to extend a rental).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// To keep.
    Purchase,
    /// Rented by time.
    Time,
    /// Rented by uses.
    Uses,
    /// Rented by processings.
    Processings,
}

impl OfferKind {
    /// All kinds.
    pub const ALL: [OfferKind; 4] = [
        OfferKind::Purchase,
        OfferKind::Time,
        OfferKind::Uses,
        OfferKind::Processings,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            OfferKind::Purchase => "purchase",
            OfferKind::Time => "time",
            OfferKind::Uses => "uses",
            OfferKind::Processings => "processings",
        }
    }

    pub(crate) fn of_row(text: &str, offer: OfferId) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|k| k.name() == text)
            .ok_or_else(|| EngineError::Corrupt(format!("kind {text:?} of {offer}")).into())
    }
}

crate::text::named! {
    /// How a product reaches its buyer.
    #[derive(Default)]
    Delivery, "the delivery" {
        /// As the vendor's products usually do: software is downloaded, and nobody is
        /// asked where other things go.
        #[default]
        Usual = "usual",
        /// It is downloaded: software (SHP-06).
        Download = "download",
        /// It is sent to an address, which the order asks for.
        Shipped = "shipped",
        /// It is handed over or done where the buyer comes to.
        InPerson = "in_person",
    }
}

/// A product as entered. A name and the price of an offer are compulsory, the rest may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewProduct {
    /// Short name, unique in the catalogue; entering it again changes the product.
    pub handle: String,
    /// Name.
    pub title: String,
    /// Description.
    pub description: String,
    /// Manufacturer.
    pub manufacturer: String,
    /// Category.
    pub category: String,
    /// Address of an image.
    pub image_url: String,
    /// The size of what is downloaded, in kilobytes; 0 where nothing is (SHP-09).
    pub download_kb: i64,
    /// How it reaches its buyer.
    pub delivery: Delivery,
    /// What a buyer chooses among its variants: `Size`, `Colour`.
    pub options: Vec<String>,
}

/// A quantity tier (SHP-10): more than the tier before and up to `up_to` costs `price` and
/// grants `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The largest quantity, and what is granted.
    pub up_to: i64,
    /// Tokens for the tier.
    pub price: Amount,
}

/// An offer as entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOffer {
    /// Stock-keeping unit, unique in the catalogue; entering it again changes the offer.
    pub sku: String,
    /// What tells it from the product's other offers, for example `Large`.
    pub variant: String,
    /// What the customer gets.
    pub kind: OfferKind,
    /// Tokens for one; not used with tiers.
    pub price: Amount,
    /// True when restricted tokens may pay for it (TOK-05).
    pub on_sale: bool,
    /// False to keep it in the catalogue without selling it.
    pub active: bool,
    /// Pieces at hand; `None` when they are not counted.
    pub stock: Option<i64>,
    /// Quantity tiers, ascending; empty for a price each.
    pub tiers: Vec<Tier>,
    /// Its values of the product's options, in their order: `Large`, `Red`.
    pub options: Vec<String>,
}

impl NewOffer {
    /// The least that it costs: its price, or that of its cheapest tier.
    fn least(&self) -> Amount {
        let tiers = self.tiers.iter().map(|tier| tier.price);
        tiers.min().unwrap_or(self.price)
    }
}

/// An offer as sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The id.
    pub offer_id: OfferId,
    /// The product.
    pub product_id: ProductId,
    /// The product's name with the variant.
    pub title: String,
    /// What tells it from the product's other offers; may be empty.
    pub variant: String,
    /// Stock-keeping unit.
    pub sku: String,
    /// What the customer gets.
    pub kind: OfferKind,
    /// Tokens for one.
    pub price: Amount,
    /// True when restricted tokens may pay for it.
    pub on_sale: bool,
    /// False when it is not sold any more.
    pub active: bool,
    /// True when pieces are counted.
    pub stocked: bool,
    /// True when it is sent to an address.
    pub shipped: bool,
    /// True when it is sold by tiers.
    pub tiered: bool,
    /// The tiers.
    pub tiers: Vec<Tier>,
    /// Its values of the product's options, in their order.
    pub options: Vec<String>,
}

/// A product with what there is to say about it (SHP-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductDetail {
    /// The product.
    pub product: NewProduct,
    /// Its id.
    pub product_id: ProductId,
    /// Its offers, each with the pieces at hand where they are counted.
    pub offers: Vec<(Offer, Option<i64>)>,
}

/// Why the catalogue was not changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// A handle with other characters.
    #[error(
        "{0:?} is no handle: use letters, digits, spaces and . - _ / +, at most 200, not only . or .."
    )]
    HandleInvalid(String),
    /// A price below nothing.
    #[error("the price of {0:?} is below zero")]
    PriceNegative(String),
    /// Stock below nothing.
    #[error("the stock of {0:?} is below zero")]
    StockNegative(String),
    /// A download of no size that there can be.
    #[error("{handle:?}: a download has 0 to {most} kilobytes, not {kb}")]
    DownloadInvalid {
        /// The product.
        handle: String,
        /// The size given.
        kb: i64,
        /// The largest size.
        most: i64,
    },
    /// Tiers out of order.
    #[error("the tiers of {0:?} must rise, from a quantity of at least 1, none free of sense")]
    TiersDisordered(String),
    /// More categories than a page looks through.
    #[error("at most {most} categories can be chosen at once, not {chosen}: choose fewer, or none")]
    TooManyCategories {
        /// Categories chosen.
        chosen: usize,
        /// Categories that can be.
        most: usize,
    },
    /// A file that is no picture, or too large a one.
    #[error("this picture cannot be taken: {0}")]
    ImageInvalid(String),
    /// More pictures than a page shows.
    #[error("a product has at most {0} pictures: remove one first")]
    TooManyImages(usize),
    /// No such picture.
    #[error("there is no such picture")]
    ImageUnknown,
    /// A file that cannot be read at all.
    #[error("row {row}: {problem}")]
    FileInvalid {
        /// The row, the header being row 1.
        row: u64,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// No such import.
    #[error("there is no such import: it may have expired")]
    ImportUnknown,
    /// An import that is not in the state for this.
    #[error("{0}")]
    ImportState(&'static str),
    /// Somebody else changed it meanwhile.
    #[error("somebody changed this meanwhile: {0}")]
    Stale(String),
    /// No such product.
    #[error("there is no product {0:?}")]
    ProductUnknown(String),
    /// No such offer.
    #[error("there is no offer {0:?}")]
    OfferUnknown(String),
    /// A quantity that cannot be had.
    #[error("{title}: quantity {quantity} cannot be ordered, take 1 to {most}")]
    QuantityInvalid {
        /// The offer.
        title: String,
        /// The quantity asked for.
        quantity: i64,
        /// The largest one.
        most: i64,
    },
    /// A delivery to an offer that has no stock.
    #[error("the pieces of {0:?} are not counted: enter a new offer with a stock instead")]
    NotCounted(String),
    /// Options that nobody could choose from.
    #[error("{0:?} has options that cannot be told apart: name at most 5, each once")]
    OptionsInvalid(String),
    /// Stock that moved while it was counted.
    #[error(
        "the stock of {sku:?} is {}, not {} as when you looked: count again", pieces(*has), pieces(*had)
    )]
    StockMoved {
        /// The offer.
        sku: String,
        /// Pieces that were thought to be there.
        had: Option<i64>,
        /// Pieces that are.
        has: Option<i64>,
    },
    /// A delivery of nothing.
    #[error("a delivery has at least one piece, this one has {0}")]
    DeliveryEmpty(i64),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn pieces(count: Option<i64>) -> String {
    count.map_or_else(|| "not counted".to_owned(), |count| count.to_string())
}

type Result<T> = std::result::Result<T, CatalogError>;

/// Enters a product, or changes the one with this handle. True when it is new.
pub fn product_put(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    new: &NewProduct,
) -> Result<(ProductId, bool)> {
    let product = rules::product_checked(new)?;
    tx.lock_name(&format!("catalog {}", vendor.book_id))?;
    if let Some(id) = store::product_by_handle(tx, vendor.book_id, &product.handle)? {
        store::update_product(tx, vendor.book_id, id, &product)?;
        shelf::refresh(tx, vendor.book_id, id)?;
        return Ok((id, false));
    }
    let id = ProductId(tx.new_id()?);
    store::insert_product(tx, vendor.book_id, id, &product)?;
    shelf::refresh(tx, vendor.book_id, id)?;
    Ok((id, true))
}

/// Enters an offer of a product, or changes the one with this SKU. True when it is new. Stock is
/// set when the offer is new, and only then: later counts come from sales and deliveries.
pub fn offer_put(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    product: ProductId,
    new: &NewOffer,
) -> Result<(OfferId, bool)> {
    let offer = rules::offer_checked(new)?;
    tx.lock_name(&format!("catalog {}", vendor.book_id))?;
    let book = vendor.book_id;
    if let Some((old, of)) = store::offer_by_sku(tx, book, &offer.sku)? {
        store::update_offer(tx, book, old, product, &offer)?;
        store::set_tiers(tx, book, old, &offer.tiers)?;
        store::set_least(tx, book, old, offer.least())?;
        shelf::refresh(tx, book, product)?;
        if of != product {
            shelf::refresh(tx, book, of)?;
        }
        return Ok((old, false));
    }
    let id = OfferId(tx.new_id()?);
    store::insert_offer(tx, book, id, product, &offer)?;
    store::set_tiers(tx, book, id, &offer.tiers)?;
    store::set_least(tx, book, id, offer.least())?;
    if let Some(stock) = offer.stock {
        store::insert_stock(tx, book, id, stock)?;
    }
    shelf::refresh(tx, book, product)?;
    Ok((id, true))
}

/// Offers by id, in the order asked for. One that does not exist is an error.
pub fn offers_by_id(tx: &mut dyn Read, book_id: i64, ids: &[OfferId]) -> Result<Vec<Offer>> {
    let found = store::offers(tx, book_id, ids)?;
    ids.iter()
        .map(|id| {
            let offer = found.iter().find(|o| o.offer_id == *id).cloned();
            offer.ok_or_else(|| CatalogError::OfferUnknown(id.to_string()))
        })
        .collect()
}

/// The least for which something is sold now; `None` where nothing is (SHP-05).
pub fn cheapest(tx: &mut dyn Read, book_id: i64) -> Result<Option<Amount>> {
    store::cheapest(tx, book_id)
}

/// The offer of a SKU; a text that cannot be one has none.
pub fn offer_by_sku(tx: &mut dyn Read, book_id: i64, sku: &str) -> Result<Option<OfferId>> {
    if !rules::may_be_handle(sku) {
        return Ok(None);
    }
    Ok(store::offer_by_sku(tx, book_id, sku)?.map(|(offer, _)| offer))
}

/// An offer with what a list of offers says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The offer, with its tiers.
    pub offer: Offer,
    /// Pieces at hand where they are counted.
    pub on_hand: Option<i64>,
    /// The product's handle.
    pub handle: String,
    /// What is downloaded, in kilobytes.
    pub download_kb: i64,
    /// How the product reaches its buyer.
    pub delivery: Delivery,
    /// Nothing of it is reserved after this.
    pub reserved_until: Timestamp,
}

/// Offers as a list shows them, in any order, each once. Those that do not exist are left out.
pub fn offers_shown(tx: &mut dyn Read, book_id: i64, ids: &[OfferId]) -> Result<Vec<Shown>> {
    store::shown(tx, book_id, ids)
}
