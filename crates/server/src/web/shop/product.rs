//! A product: what there is to say about it, and the ways to buy it (SHP-09, SHP-10).

use super::{Quantity, Side, framed, own_list, shelf, words};
use crate::error::{Problem, Result};
use crate::http::body::Path;
use crate::state::App;
use crate::web::frame;
use crate::web::session::{Guest, Shop};
use crate::web::view::format::{self, tokens};
use crate::web::view::{Choice, Shell, Shown, art};
use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use scrip_domain::catalog::{Offer, OfferKind, ProductDetail, product_detail};
use scrip_domain::order::OrderList;
use scrip_domain::vendor::Sells;
use serde::Deserialize;
use words::Stock;

#[derive(Template)]
#[template(path = "shop/product.html")]
struct ProductPage {
    shell: Shell,
    title: String,
    art: &'static str,
    description: String,
    facts: Vec<(&'static str, String)>,
    offers: Vec<OfferView>,
    shelf: String,
    list_at: String,
    side: Side,
}

/// A way to buy it.
struct OfferView {
    /// The offer's id.
    offer: String,
    /// `Large`, `Rent by time`, or nothing where it is the only one.
    name: String,
    /// What is asked of a tier: `How many processings?`
    asks: &'static str,
    /// The price, or that of the first tier.
    price: Shown,
    /// The same in money.
    money: String,
    /// What is granted for it: `for good`, `30 days`, `each`.
    what: String,
    /// How many are left.
    stock: Stock,
    /// True where pieces are counted.
    is_counted: bool,
    /// Tiers to choose from; empty for a number or for one.
    tiers: Vec<Choice>,
    /// The number to choose; `None` for one.
    number: Option<String>,
    /// What was on the list when the page was drawn.
    had: String,
    /// True when it is on the order list and ticked.
    ticked: bool,
}

#[derive(Deserialize)]
pub struct Asked {
    handle: String,
}

/// `GET /shops/{slug}/shop/p/{handle}`.
pub async fn product(
    State(app): State<App>,
    guest: Guest,
    uri: Uri,
    Path(asked): Path<Asked>,
) -> Result<Response> {
    let of = guest.clone();
    let (detail, list) = app
        .read(move |tx| {
            let book = of.shop.vendor.book_id;
            let detail = product_detail(tx, book, &asked.handle)?;
            Ok::<_, Problem>((detail, own_list(tx, &of)?))
        })
        .await?;
    let here = uri.path_and_query().map_or("", |at| at.as_str());
    frame::page(&page(&guest, &detail, list.as_ref(), here))
}

fn page(
    guest: &Guest,
    detail: &ProductDetail,
    list: Option<&OrderList>,
    here: &str,
) -> ProductPage {
    let shop = &guest.shop;
    let about = &detail.product;
    let (shell, side) = framed(guest, &about.title, here, list);
    let sold = detail.offers.iter().filter(|(offer, _)| offer.active);
    let sold: Vec<&(Offer, Option<i64>)> = sold.collect();
    let is_only = sold.len() == 1;
    let view = |(offer, on_hand): &&(Offer, Option<i64>)| {
        view(shop, detail, (offer, *on_hand), list, is_only)
    };
    ProductPage {
        title: about.title.clone(),
        art: art::art(&about.title, &about.category, shop.front.sells),
        description: about.description.clone(),
        facts: facts(shop, detail, &sold),
        offers: sold.iter().map(view).collect(),
        shelf: shop.at("/shop"),
        list_at: shop.at("/list"),
        shell,
        side,
    }
}

/// Manufacturer, category, stock, size and time of the download, how it is paid (SHP-09).
fn facts(
    shop: &Shop,
    detail: &ProductDetail,
    sold: &[&(Offer, Option<i64>)],
) -> Vec<(&'static str, String)> {
    let about = &detail.product;
    let mut facts = Vec::new();
    for (name, value) in [
        ("Made by", &about.manufacturer),
        ("Category", &about.category),
    ] {
        if !value.is_empty() {
            facts.push((name, value.clone()));
        }
    }
    match sold {
        [] => facts.push(("Availability", "Not sold any more".to_owned())),
        [(_, on_hand)] => facts.push(("Availability", availability(*on_hand))),
        _ => {}
    }
    if about.download_kb > 0 {
        let size = format::size(about.download_kb);
        let time = format::download_time(about.download_kb);
        facts.push(("Download", format!("{size}, {time} at 8 Mbit/s")));
    }
    let each = format::price_each(shop.token_price, &shop.vendor.currency);
    let payment = format!("Tokens, {each} each; no card is asked for");
    facts.push(("Payment", payment));
    facts
}

fn availability(on_hand: Option<i64>) -> String {
    match on_hand {
        Some(pieces @ 1..) => format!("In stock, {} left", format::count(pieces)),
        Some(_) => "Out of stock".to_owned(),
        None => "In stock".to_owned(),
    }
}

fn view(
    shop: &Shop,
    detail: &ProductDetail,
    (offer, on_hand): (&Offer, Option<i64>),
    list: Option<&OrderList>,
    is_only: bool,
) -> OfferView {
    let sells = shop.front.sells;
    let line = shelf::listed(list, offer);
    let choice = shelf::tier_choice(shop, detail, offer, list);
    let first = offer.tiers.first();
    let price = first.map_or(offer.price, |tier| tier.price);
    let is_single =
        !offer.tiers.is_empty() || (offer.kind == OfferKind::Purchase && sells == Sells::Software);
    let had = match (&choice, &line) {
        (Some(choice), _) => choice.had.clone(),
        (None, Some(line)) => line.line.quantity.to_string(),
        (None, None) => first.map_or(1, |tier| tier.up_to).to_string(),
    };
    OfferView {
        offer: offer.offer_id.to_string(),
        name: name(detail, offer, sells, is_only),
        asks: words::unit(offer.kind, sells).1,
        price: tokens(price),
        money: words::cash(shop, price),
        what: match (offer.kind, first) {
            (kind, Some(tier)) => words::counted(kind, sells, tier.up_to),
            (OfferKind::Purchase, None) if sells == Sells::Software => "for good".to_owned(),
            (OfferKind::Purchase, None) => String::new(),
            (kind, None) => format!("a {}", words::unit(kind, sells).0),
        },
        stock: words::stock(on_hand),
        is_counted: on_hand.is_some(),
        tiers: choice.map(|choice| choice.tiers).unwrap_or_default(),
        number: (!is_single).then(|| had.clone()),
        had,
        ticked: line.is_some_and(|line| line.is_counted()),
    }
}

fn name(detail: &ProductDetail, offer: &Offer, sells: Sells, is_only: bool) -> String {
    let variant = offer.variant.clone();
    match (offer.kind, sells) {
        (OfferKind::Purchase, Sells::Goods) if is_only => variant,
        (OfferKind::Purchase, Sells::Goods) if variant.is_empty() => detail.product.title.clone(),
        (OfferKind::Purchase, Sells::Goods) => variant,
        (kind, _) if variant.is_empty() => words::way(kind).to_owned(),
        (kind, _) => format!("{}, {variant}", words::way(kind)),
    }
}
