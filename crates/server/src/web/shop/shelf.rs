//! What is sold, as a page of it shows: the matrix of a software shop (SHP-08), the grid of a shop
//! for goods, and which of it is on the order list.

use super::image::image_at;
use super::sale::Sales;
use super::words::{self, Stock};
use crate::web::session::{Guest, Shop};
use crate::web::view::format::{self, tokens};
use crate::web::view::{Choice, Shown, art};
use scrip_domain::catalog::images::Image;
use scrip_domain::catalog::{Offer, OfferKind, ProductDetail};
use scrip_domain::order::gate::Sight;
use scrip_domain::order::{ListLine, OrderList};
use scrip_domain::policy::Part;
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
    /// Which promotion reduces it, and until when; empty for none.
    pub sale: String,
    /// True when it is on the order list and ticked.
    pub ticked: bool,
    /// True when none is left.
    pub is_out: bool,
}

/// A price and what is granted for it.
pub struct Face {
    /// What the price was; none where it is not reduced.
    pub was: Option<Shown>,
    /// The quantity that stands for the tier; empty where there is only one price.
    pub tier: String,
    /// The price; none where it is hidden.
    pub price: Option<Shown>,
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
    /// The price, of the cheapest kind where there are several; none where it is hidden.
    pub price: Option<Shown>,
    /// What this price was; none where it is not reduced.
    pub was: Option<Shown>,
    /// Which promotion reduces it, and until when; empty for none.
    pub sale: String,
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
pub fn row(
    guest: &Guest,
    (product, sales): (&ProductDetail, &Sales),
    list: Option<&OrderList>,
) -> Row {
    let sells = words::sort_of(&guest.shop, &product.product);
    let cells = WAYS.map(|way| {
        let of_way = |(offer, _): &&(Offer, Option<i64>)| offer.kind == way;
        let offers = product.offers.iter().filter(of_way);
        offers
            .map(|(offer, on_hand)| ticket((sells, &guest.sight, sales), offer, *on_hand, list))
            .collect()
    });
    Row {
        title: product.product.title.clone(),
        about: words::beginning(&product.product.description),
        details: words::product_at(&guest.shop, &product.product.handle),
        cells: cells.into(),
    }
}

fn ticket(
    (sells, sight, sales): (Sells, &Sight, &Sales),
    offer: &Offer,
    on_hand: Option<i64>,
    list: Option<&OrderList>,
) -> Ticket {
    let price = |price| sight.sees(Part::Prices).then(|| tokens(price));
    let line = listed(list, offer);
    let taken = taken(offer, line.as_ref());
    let what = |granted| words::counted(offer.kind, sells, granted);
    let faces = if offer.tiers.is_empty() {
        vec![Face {
            was: sales.was(offer, 0),
            tier: String::new(),
            price: price(offer.price),
            what: match offer.kind {
                OfferKind::Purchase => "for good".to_owned(),
                _ => what(1),
            },
            shown: true,
        }]
    } else {
        let several = offer.tiers.len() > 1;
        let face = |(place, tier): (usize, &scrip_domain::catalog::Tier)| Face {
            was: sales.was(offer, place),
            tier: if several {
                tier.up_to.to_string()
            } else {
                String::new()
            },
            price: price(tier.price),
            what: match several && Some(tier) == offer.tiers.first() {
                true => format!("{}, or more", what(tier.up_to)),
                false => what(tier.up_to),
            },
            shown: tier.up_to == taken,
        };
        offer.tiers.iter().enumerate().map(face).collect()
    };
    Ticket {
        sale: sales.words(offer),
        offer: offer.offer_id.to_string(),
        way: words::way_short(offer.kind),
        variant: offer.variant.clone(),
        faces,
        ticked: line.is_some_and(|line| line.is_counted()),
        is_out: sight.sees(Part::Stock) && words::stock(on_hand).is_out,
    }
}

/// The choice of an offer with several tiers.
pub fn tier_choice(
    shop: &Shop,
    (product, sales): (&ProductDetail, &Sales),
    offer: &Offer,
    list: Option<&OrderList>,
) -> Option<TierChoice> {
    if offer.tiers.len() < 2 {
        return None;
    }
    let line = listed(list, offer);
    let taken = taken(offer, line.as_ref());
    let tier = |(place, tier): (usize, &scrip_domain::catalog::Tier)| {
        let label = format!("Up to {}", format::count(tier.up_to));
        let value = tier.up_to.to_string();
        let was = sales.was(offer, place);
        let was = was.map_or_else(String::new, |was| format!("reduced, was {was}"));
        Choice::new("quantity", value, label, tier.up_to == taken)
            .note(was)
            .tokens(tokens(tier.price))
    };
    let (_, many) = words::unit(offer.kind, words::sort_of(shop, &product.product));
    Some(TierChoice {
        offer: offer.offer_id.to_string(),
        asks: many,
        title: match offer.variant.is_empty() {
            true => product.product.title.clone(),
            false => offer.title.clone(),
        },
        tiers: offer.tiers.iter().enumerate().map(tier).collect(),
        had: taken.to_string(),
        ticked: line.is_some_and(|line| line.is_counted()),
    })
}

/// A product of the grid. A product without offers is on no page.
pub fn item(
    guest: &Guest,
    (product, sales): (&ProductDetail, &Sales),
    list: Option<&OrderList>,
    image: Option<&Image>,
) -> Option<Item> {
    let (shop, sight) = (&guest.shop, &guest.sight);
    let offers = &product.offers;
    let price = |offer: &Offer| match offer.tiers.first() {
        Some(tier) => tier.price,
        None => offer.price,
    };
    let cheapest = offers.iter().map(|(offer, _)| price(offer)).min()?;
    let dearest = offers.iter().map(|(offer, _)| price(offer)).max()?;
    let first = offers.iter().map(|(offer, _)| offer);
    let first = first.min_by_key(|offer| price(offer));
    let stock = match sight.sees(Part::Stock) {
        true => stock(offers),
        false => Stock::untold(),
    };
    let only = match offers.as_slice() {
        [(offer, _)] if offer.tiers.len() < 2 => Some(offer),
        _ => None,
    };
    let tiered = offers.iter().any(|(offer, _)| offer.tiers.len() > 1);
    let line = only.and_then(|offer| listed(list, offer));
    let about = &product.product;
    Some(Item {
        title: about.title.clone(),
        art: match sight.sees(Part::Images) {
            true => art::art(&about.title, &about.category, words::sort_of(shop, about)),
            false => art::usual(words::sort_of(shop, about)),
        },
        picture: image.map(|image| Picture::of(shop, image)),
        details: words::product_at(shop, &about.handle),
        flag: match offers.iter().any(|(offer, _)| offer.on_sale) {
            true => "On sale",
            false => "",
        },
        price: sight.sees(Part::Prices).then(|| tokens(cheapest)),
        was: first.and_then(|offer| sales.was(offer, 0)),
        sale: first.map_or_else(String::new, |offer| sales.words(offer)),
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
