//! What is sold, as a page of it shows: the matrix of a software shop (SHP-08), the grid of a shop
//! for goods, and which of it is on the order list.

use super::image::image_at;
use super::words::{self, Stock};
use crate::web::session::Shop;
use crate::web::view::format::{self, tokens};
use crate::web::view::{Choice, Shown, art};
use scrip_domain::catalog::images::Image;
use scrip_domain::catalog::{Offer, OfferKind, ProductDetail};
use scrip_domain::order::{ListLine, OrderList};
use scrip_domain::vendor::Sells;

/// The columns of the matrix.
pub const WAYS: [OfferKind; 4] = [
    OfferKind::Purchase,
    OfferKind::Time,
    OfferKind::Uses,
    OfferKind::Processings,
];

/// A program with the ways in which it is sold.
pub struct Row {
    /// Its name.
    pub title: String,
    /// What it is, in a few words; may be empty.
    pub about: String,
    /// Its page.
    pub details: String,
    /// What is offered in each of [`WAYS`].
    pub cells: Vec<Vec<Ticket>>,
}

/// An offer in the matrix.
pub struct Ticket {
    /// Its id.
    pub offer: String,
    /// How it is sold, for screens without columns.
    pub way: &'static str,
    /// What tells it from the product's other offers of this way; may be empty.
    pub variant: String,
    /// What it costs, once for each tier.
    pub faces: Vec<Face>,
    /// True when it is on the order list and ticked.
    pub ticked: bool,
    /// True when none is left.
    pub is_out: bool,
}

/// A price and what is granted for it.
pub struct Face {
    /// The quantity that stands for the tier; empty where there is only one price.
    pub tier: String,
    /// The price.
    pub price: Shown,
    /// `for good`, `30 days`.
    pub what: String,
    /// True for the tier that is taken, or would be.
    pub shown: bool,
}

/// The choice between the tiers of an offer (SHP-10).
pub struct TierChoice {
    /// The offer's id.
    pub offer: String,
    /// `How many processings of Software D?`, in two parts.
    pub asks: &'static str,
    /// The product's name.
    pub title: String,
    /// The tiers.
    pub tiers: Vec<Choice>,
    /// The tier that was taken when the page was drawn.
    pub had: String,
    /// True when the offer is on the order list and ticked.
    pub ticked: bool,
}

/// A product in the grid.
pub struct Item {
    /// Its name.
    pub title: String,
    /// Its drawing.
    pub art: &'static str,
    /// Its picture; the drawing stands in where there is none.
    pub picture: Option<Picture>,
    /// Its page.
    pub details: String,
    /// `In stock`, `4 kinds, in stock`.
    pub stock: Stock,
    /// `On sale`, or empty.
    pub flag: &'static str,
    /// The price, of the cheapest kind where there are several.
    pub price: Shown,
    /// True when other kinds cost more.
    pub is_from: bool,
    /// The price in money.
    pub money: String,
    /// The only offer, where it can be put on the list from here.
    pub offer: Option<String>,
    /// True when it is on the order list and ticked.
    pub ticked: bool,
}

/// A picture of a product.
pub struct Picture {
    /// Its address.
    pub src: String,
    /// What it shows.
    pub alt: String,
    /// Pixels.
    pub width: i64,
    /// Pixels.
    pub height: i64,
}

impl Picture {
    /// A picture as a page shows it.
    pub fn of(shop: &Shop, image: &Image) -> Picture {
        Picture {
            src: image_at(shop, image.image_id),
            alt: image.alt.clone(),
            width: image.width,
            height: image.height,
        }
    }
}

/// The line of an offer on a list.
pub fn listed(list: Option<&OrderList>, offer: &Offer) -> Option<ListLine> {
    let lines = list.map(|list| list.lines.as_slice()).unwrap_or_default();
    lines
        .iter()
        .find(|line| line.line.offer_id == offer.offer_id)
        .cloned()
}

/// The tier that is taken, or would be by a tick: its upper bound. 0 without tiers.
fn taken(offer: &Offer, line: Option<&ListLine>) -> i64 {
    let known = |granted: &i64| offer.tiers.iter().any(|tier| tier.up_to == *granted);
    line.map(|line| line.line.granted)
        .filter(known)
        .or_else(|| offer.tiers.first().map(|tier| tier.up_to))
        .unwrap_or(0)
}

/// A row of the matrix.
pub fn row(shop: &Shop, product: &ProductDetail, list: Option<&OrderList>) -> Row {
    let sells = words::sort_of(shop, &product.product);
    let cells = WAYS.map(|way| {
        let of_way = |(offer, _): &&(Offer, Option<i64>)| offer.kind == way;
        let offers = product.offers.iter().filter(of_way);
        offers
            .map(|(offer, on_hand)| ticket(sells, offer, *on_hand, list))
            .collect()
    });
    Row {
        title: product.product.title.clone(),
        about: words::beginning(&product.product.description),
        details: words::product_at(shop, &product.product.handle),
        cells: cells.into(),
    }
}

fn ticket(sells: Sells, offer: &Offer, on_hand: Option<i64>, list: Option<&OrderList>) -> Ticket {
    let line = listed(list, offer);
    let taken = taken(offer, line.as_ref());
    let what = |granted| words::counted(offer.kind, sells, granted);
    let faces = if offer.tiers.is_empty() {
        vec![Face {
            tier: String::new(),
            price: tokens(offer.price),
            what: match offer.kind {
                OfferKind::Purchase => "for good".to_owned(),
                _ => what(1),
            },
            shown: true,
        }]
    } else {
        let several = offer.tiers.len() > 1;
        let face = |tier: &scrip_domain::catalog::Tier| Face {
            tier: if several {
                tier.up_to.to_string()
            } else {
                String::new()
            },
            price: tokens(tier.price),
            what: match several && Some(tier) == offer.tiers.first() {
                true => format!("{}, or more", what(tier.up_to)),
                false => what(tier.up_to),
            },
            shown: tier.up_to == taken,
        };
        offer.tiers.iter().map(face).collect()
    };
    Ticket {
        offer: offer.offer_id.to_string(),
        way: words::way_short(offer.kind),
        variant: offer.variant.clone(),
        faces,
        ticked: line.is_some_and(|line| line.is_counted()),
        is_out: words::stock(on_hand).is_out,
    }
}

/// The choice of an offer with several tiers.
pub fn tier_choice(
    shop: &Shop,
    product: &ProductDetail,
    offer: &Offer,
    list: Option<&OrderList>,
) -> Option<TierChoice> {
    if offer.tiers.len() < 2 {
        return None;
    }
    let line = listed(list, offer);
    let taken = taken(offer, line.as_ref());
    let tier = |tier: &scrip_domain::catalog::Tier| {
        let label = format!("Up to {}", format::count(tier.up_to));
        let value = tier.up_to.to_string();
        Choice::new("quantity", value, label, tier.up_to == taken).tokens(tokens(tier.price))
    };
    let (_, many) = words::unit(offer.kind, words::sort_of(shop, &product.product));
    Some(TierChoice {
        offer: offer.offer_id.to_string(),
        asks: many,
        title: match offer.variant.is_empty() {
            true => product.product.title.clone(),
            false => offer.title.clone(),
        },
        tiers: offer.tiers.iter().map(tier).collect(),
        had: taken.to_string(),
        ticked: line.is_some_and(|line| line.is_counted()),
    })
}

/// A product of the grid. A product without offers is on no page.
pub fn item(
    shop: &Shop,
    product: &ProductDetail,
    list: Option<&OrderList>,
    image: Option<&Image>,
) -> Option<Item> {
    let offers = &product.offers;
    let price = |offer: &Offer| match offer.tiers.first() {
        Some(tier) => tier.price,
        None => offer.price,
    };
    let cheapest = offers.iter().map(|(offer, _)| price(offer)).min()?;
    let dearest = offers.iter().map(|(offer, _)| price(offer)).max()?;
    let stock = stock(offers);
    let only = match offers.as_slice() {
        [(offer, _)] if offer.tiers.len() < 2 => Some(offer),
        _ => None,
    };
    let tiered = offers.iter().any(|(offer, _)| offer.tiers.len() > 1);
    let line = only.and_then(|offer| listed(list, offer));
    let about = &product.product;
    Some(Item {
        title: about.title.clone(),
        art: art::art(&about.title, &about.category, words::sort_of(shop, about)),
        picture: image.map(|image| Picture::of(shop, image)),
        details: words::product_at(shop, &about.handle),
        flag: match offers.iter().any(|(offer, _)| offer.on_sale) {
            true => "On sale",
            false => "",
        },
        price: tokens(cheapest),
        is_from: dearest > cheapest || tiered,
        money: words::cash(shop, cheapest),
        offer: only
            .filter(|_| !stock.is_out)
            .map(|offer| offer.offer_id.to_string()),
        ticked: line.is_some_and(|line| line.is_counted()),
        stock,
    })
}

/// The stock of all kinds together.
fn stock(offers: &[(Offer, Option<i64>)]) -> Stock {
    let counted: Option<Vec<i64>> = offers.iter().map(|(_, on_hand)| *on_hand).collect();
    let pieces = counted.map(|all| all.into_iter().fold(0, i64::saturating_add));
    let stock = words::stock(pieces);
    if offers.len() == 1 {
        return stock;
    }
    let kinds = format::counted(
        i64::try_from(offers.len()).unwrap_or(i64::MAX),
        "kind",
        "kinds",
    );
    Stock {
        text: format!("{kinds}, {}", stock.text.to_lowercase()),
        ..stock
    }
}
