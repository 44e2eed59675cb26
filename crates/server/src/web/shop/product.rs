//! A product: what there is to say about it, and the ways to buy it (SHP-09, SHP-10).

use super::sale::Sales;
use super::shelf::Picture;
use super::{Quantity, Side, framed, own_list, shelf, words};
use crate::error::{Problem, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use crate::web::frame::{self, link};
use crate::web::session::Guest;
use crate::web::view::format::{self, tokens};
use crate::web::view::{Choice, Shell, Shown, When, art};
use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use scrip_domain::catalog::images::of_product;
use scrip_domain::catalog::reservation::{Hold, holds};
use scrip_domain::catalog::{Offer, OfferKind, ProductDetail, offers_shown, product_detail};
use scrip_domain::id::OfferId;
use scrip_domain::order::OrderList;
use scrip_domain::policy::Part;
use scrip_domain::vendor::Sells;
use scrip_engine::ReadTx;
use serde::Deserialize;
use std::collections::BTreeMap;
use words::Stock;

#[derive(Template)]
#[template(path = "shop/product.html")]
struct ProductPage {
    shell: Shell,
    title: String,
    art: &'static str,
    pictures: Vec<Picture>,
    options: Vec<OptionView>,
    all: String,
    description: String,
    facts: Vec<(&'static str, String)>,
    offers: Vec<OfferView>,
    shelf: String,
    list_at: String,
    side: Side,
}

/// Something to choose among the variants: `Size`.
struct OptionView {
    name: String,
    values: Vec<ValueView>,
}

/// A value to choose; the link keeps what else is chosen.
struct ValueView {
    label: String,
    href: String,
    on: bool,
}

/// What of the variants is chosen: a value for each option, empty for any.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chosen {
    option: Vec<String>,
}

impl Chosen {
    /// True for an offer that has what is chosen.
    fn has(&self, offer: &Offer) -> bool {
        let mut chosen = self.option.iter().enumerate();
        chosen.all(|(n, value)| value.is_empty() || offer.options.get(n) == Some(value))
    }

    /// The options of a product with several variants, as links.
    fn views(
        &self,
        at: &str,
        detail: &ProductDetail,
        sold: &[&(Offer, Option<i64>)],
    ) -> Vec<OptionView> {
        let several = sold.len() > 1;
        let names = detail
            .product
            .options
            .iter()
            .enumerate()
            .filter(|_| several);
        let view = |(n, name): (usize, &String)| {
            let mut values: Vec<&str> = Vec::new();
            for (offer, _) in sold {
                match offer.options.get(n).map(String::as_str) {
                    Some(value) if !value.is_empty() && !values.contains(&value) => {
                        values.push(value)
                    }
                    _ => {}
                }
            }
            let value = |value: &str| {
                let on = self.option.get(n).is_some_and(|chosen| chosen == value);
                let of = |k: usize| match (k == n, on) {
                    (true, true) => "",
                    (true, false) => value,
                    (false, _) => self.option.get(k).map_or("", String::as_str),
                };
                let all = 0..detail.product.options.len();
                let query: Vec<(&str, &str)> = all.map(|k| ("option", of(k))).collect();
                ValueView {
                    label: value.to_owned(),
                    href: link(at, &query),
                    on,
                }
            };
            OptionView {
                name: name.clone(),
                values: values.into_iter().map(value).collect(),
            }
        };
        names
            .map(view)
            .filter(|option| option.values.len() > 1)
            .collect()
    }
}

/// A way to buy it.
struct OfferView {
    /// The offer's id.
    offer: String,
    /// `Large`, `Rent by time`, or nothing where it is the only one.
    name: String,
    /// What is asked of a tier: `How many processings?`
    asks: &'static str,
    /// The price, or that of the first tier; none where it is hidden.
    price: Option<Shown>,
    /// What this price was; none where it is not reduced.
    was: Option<Shown>,
    /// Which promotion reduces it, and until when; empty for none.
    sale: String,
    /// The same in money.
    money: String,
    /// What is granted for it: `for good`, `30 days`, `each`.
    what: String,
    /// How many are left.
    stock: Stock,
    /// True where pieces are counted.
    is_counted: bool,
    /// What of them is reserved.
    hold: HoldView,
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
    Query(chosen): Query<Chosen>,
) -> Result<Response> {
    if guest.sight.is_outside() {
        return frame::see(&guest.shop.at("/enter"));
    }
    let of = guest.clone();
    let (detail, sales, images, held, list) = app
        .read(move |tx| {
            let book = of.shop.vendor.book_id;
            let mut detail = product_detail(tx, book, &asked.handle)?;
            let sales = Sales::applied(tx, &of, std::slice::from_mut(&mut detail))?;
            of.sight.veil(&mut detail);
            let held = held(tx, &of, &mut detail)?;
            let images = match of.sight.sees(Part::Images) {
                true => of_product(tx, book, detail.product_id)?,
                false => Vec::new(),
            };
            Ok::<_, Problem>((detail, sales, images, held, own_list(tx, &of)?))
        })
        .await?;
    let here = uri.path_and_query().map_or("", |at| at.as_str());
    let mut page = page(&guest, (&detail, &sales), list.as_ref(), here, &chosen);
    let picture = |image| Picture::of(&guest.shop, image);
    for offer in &mut page.offers {
        offer.hold = held.get(&offer.offer).cloned().unwrap_or_default();
    }
    page.pictures = images.iter().map(picture).collect();
    frame::page(&page)
}

/// What is reserved of an offer, in words.
#[derive(Clone, Default)]
struct HoldView {
    /// `2 reserved for you until`, and then.
    own: Option<(String, When)>,
    /// Pieces that others have reserved; empty for none.
    others: String,
}

/// What is reserved of the offers of a product. What others have reserved is taken from the pieces
/// at hand. Nothing is read where the vendor reserves nothing.
fn held(
    tx: &mut ReadTx<'_>,
    guest: &Guest,
    detail: &mut ProductDetail,
) -> Result<BTreeMap<String, HoldView>> {
    let is_told = guest.sight.sees(Part::Stock);
    if guest.shop.policy.checkout.reserve_minutes <= 0 || !is_told {
        return Ok(BTreeMap::new());
    }
    let book = guest.shop.vendor.book_id;
    let ids: Vec<OfferId> = detail.offers.iter().map(|(o, _)| o.offer_id).collect();
    let shown = offers_shown(tx, book, &ids)?;
    let customer = guest.me.as_ref().map(|me| me.customer.customer_id);
    let holds = holds(tx, book, customer, &shown)?;
    for (offer, on_hand) in &mut detail.offers {
        let others = holds.get(&offer.offer_id).map_or(0, |hold| hold.others);
        *on_hand = on_hand.map(|pieces| pieces.saturating_sub(others));
    }
    let view = |hold: &Hold| HoldView {
        own: hold.own.map(|own| {
            let words = format!("{} reserved for you until", format::count(own.pieces));
            (words, When::minute(own.until))
        }),
        others: match hold.others {
            ..=0 => String::new(),
            others => format!("{} reserved by others for now", format::count(others)),
        },
    };
    let views = holds.iter();
    Ok(views
        .map(|(id, hold)| (id.to_string(), view(hold)))
        .collect())
}

fn page(
    guest: &Guest,
    (detail, sales): (&ProductDetail, &Sales),
    list: Option<&OrderList>,
    here: &str,
    chosen: &Chosen,
) -> ProductPage {
    let shop = &guest.shop;
    let about = &detail.product;
    let (shell, side) = framed(guest, &about.title, here, list);
    let sold = detail.offers.iter().filter(|(offer, _)| offer.active);
    let sold: Vec<&(Offer, Option<i64>)> = sold.collect();
    let is_only = sold.len() == 1;
    let at = words::product_at(shop, &about.handle);
    let options = chosen.views(&at, detail, &sold);
    let wanted = sold
        .iter()
        .filter(|(offer, _)| options.is_empty() || chosen.has(offer));
    let wanted: Vec<&(Offer, Option<i64>)> = wanted.copied().collect();
    let view = |(offer, on_hand): &&(Offer, Option<i64>)| {
        view(guest, (detail, sales), (offer, *on_hand), list, is_only)
    };
    ProductPage {
        title: about.title.clone(),
        art: match guest.sight.sees(Part::Images) {
            true => art::art(&about.title, &about.category, words::sort_of(shop, about)),
            false => art::usual(words::sort_of(shop, about)),
        },
        description: about.description.clone(),
        facts: facts(guest, detail, &sold),
        offers: wanted.iter().map(view).collect(),
        pictures: Vec::new(),
        options,
        all: at,
        shelf: shop.at("/shop"),
        list_at: shop.at("/list"),
        shell,
        side,
    }
}

/// Manufacturer, category, stock, size and time of the download, how it is paid (SHP-09).
fn facts(
    guest: &Guest,
    detail: &ProductDetail,
    sold: &[&(Offer, Option<i64>)],
) -> Vec<(&'static str, String)> {
    let (shop, about) = (&guest.shop, &detail.product);
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
        [(_, on_hand)] if guest.sight.sees(Part::Stock) => {
            facts.push(("Availability", availability(*on_hand)))
        }
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
    guest: &Guest,
    (detail, sales): (&ProductDetail, &Sales),
    (offer, on_hand): (&Offer, Option<i64>),
    list: Option<&OrderList>,
    is_only: bool,
) -> OfferView {
    let (shop, sight) = (&guest.shop, &guest.sight);
    let sells = words::sort_of(shop, &detail.product);
    let line = shelf::listed(list, offer);
    let choice = shelf::tier_choice(shop, (detail, sales), offer, list);
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
        price: sight.sees(Part::Prices).then(|| tokens(price)),
        was: sales.was(offer, 0),
        sale: sales.words(offer),
        money: words::cash(shop, price),
        what: match (offer.kind, first) {
            (kind, Some(tier)) => words::counted(kind, sells, tier.up_to),
            (OfferKind::Purchase, None) if sells == Sells::Software => "for good".to_owned(),
            (OfferKind::Purchase, None) => String::new(),
            (kind, None) => format!("a {}", words::unit(kind, sells).0),
        },
        stock: words::stock(on_hand),
        hold: HoldView::default(),
        is_counted: sight.sees(Part::Stock) && on_hand.is_some(),
        tiers: choice.map(|choice| choice.tiers).unwrap_or_default(),
        number: (!is_single).then(|| had.clone()),
        had,
        ticked: line.is_some_and(|line| line.is_counted()),
    }
}

fn name(detail: &ProductDetail, offer: &Offer, sells: Sells, is_only: bool) -> String {
    let variant = offer.variant.clone();
    match (offer.kind, sells) {
        (OfferKind::Purchase, Sells::Goods | Sells::Both) if is_only => variant,
        (OfferKind::Purchase, Sells::Goods | Sells::Both) if variant.is_empty() => {
            detail.product.title.clone()
        }
        (OfferKind::Purchase, Sells::Goods | Sells::Both) => variant,
        (kind, _) if variant.is_empty() => words::way(kind).to_owned(),
        (kind, _) => format!("{}, {variant}", words::way(kind)),
    }
}
