//! One product: what is said of it, its offers and pictures, on sale or off.

use super::super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::super::session::StaffMember;
use super::super::super::view::format::tokens;
use super::super::super::view::{Choice, Field, Notice, Shell, Shown, Tone};
use super::super::said;
use super::Keeper;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use crate::web::shop::{image_at, words};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::catalog::edit::{product_edit, product_sale, seen};
use scrip_domain::catalog::images::{IMAGES_AT_MOST, Image, of_product};
use scrip_domain::catalog::{Delivery, NewProduct, Offer, ProductDetail, product_by_id};
use scrip_domain::id::ProductId;
use scrip_domain::vendor::Permission;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct At {
    pub id: ProductId,
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Done {
    done: String,
}

#[derive(Template)]
#[template(path = "staff/catalogue/product.html")]
struct ProductPage {
    shell: Shell,
    heading: String,
    here: String,
    list: String,
    shop_page: Option<String>,
    fields: Vec<Field>,
    deliveries: Vec<Choice>,
    was: String,
    key: String,
    is_new: bool,
    may: bool,
    for_sale: bool,
    offers: Vec<OfferRow>,
    pictures: Vec<Picture>,
    pictures_at_most: usize,
}

/// An offer of the product.
struct OfferRow {
    name: String,
    sku: String,
    href: String,
    price: Shown,
    stock: String,
    state: &'static str,
    class: &'static str,
}

/// A picture of the product.
struct Picture {
    id: String,
    src: String,
    alt: String,
    width: i64,
    height: i64,
    is_first: bool,
}

/// What was typed.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    key: String,
    was: String,
    handle: String,
    title: String,
    description: String,
    category: String,
    manufacturer: String,
    download_kb: String,
    delivery: String,
    options: String,
}

impl Typed {
    fn of(product: &NewProduct) -> Typed {
        Typed {
            handle: product.handle.clone(),
            title: product.title.clone(),
            description: product.description.clone(),
            category: product.category.clone(),
            manufacturer: product.manufacturer.clone(),
            download_kb: product.download_kb.to_string(),
            delivery: product.delivery.name().to_owned(),
            options: product.options.join(", "),
            ..Typed::default()
        }
    }

    fn product(&self, image_url: String) -> Result<NewProduct> {
        let size = self.download_kb.trim();
        let no_size = |_| {
            let text = "the size of the download is a whole number of kilobytes, or 0";
            Problem::invalid("catalog_invalid", text)
        };
        let options = self.options.split(',').map(str::trim);
        Ok(NewProduct {
            handle: self.handle.clone(),
            title: self.title.clone(),
            // Browsers send line breaks in their own way.
            description: self.description.replace("\r\n", "\n"),
            manufacturer: self.manufacturer.clone(),
            category: self.category.clone(),
            image_url,
            download_kb: if size.is_empty() {
                0
            } else {
                size.parse().map_err(no_size)?
            },
            delivery: Delivery::parse(&self.delivery)
                .map_err(|e| Problem::invalid("catalog_invalid", e.to_string()))?,
            options: options
                .filter(|o| !o.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }

    fn fields(&self, is_new: bool) -> Vec<Field> {
        let mut fields = Vec::new();
        if is_new {
            let help = "Stands in addresses and never changes: letters, digits, . - _ / +";
            let handle = Field::text("handle", "Short name")
                .value(&*self.handle)
                .max(200);
            fields.push(handle.help(help));
        }
        fields.extend([
            Field::text("title", "Name").value(&*self.title).max(500),
            Field::area("description", "Description").value(&*self.description).optional(),
            Field::text("category", "Category").value(&*self.category).optional().max(200),
            Field::text("manufacturer", "Manufacturer").value(&*self.manufacturer).optional().max(200),
            Field::number("download_kb", "Size of the download")
                .value(&*self.download_kb)
                .help("In kilobytes; 0 where nothing is downloaded.")
                .optional()
                .max(15),
            Field::text("options", "What buyers choose")
                .value(&*self.options)
                .help("Such as Size, Colour: with commas between. Each offer then has a value for each.")
                .optional()
                .max(500),
        ]);
        fields
    }

    fn deliveries(&self) -> Vec<Choice> {
        let words = |delivery| match delivery {
            Delivery::Usual => "As usual for this shop",
            Delivery::Download => "Downloaded: software",
            Delivery::Shipped => "Sent to an address that the order asks for",
            Delivery::InPerson => "Handed over or done on the spot",
        };
        let chosen = Delivery::parse(&self.delivery).unwrap_or_default();
        let all = Delivery::ALL.iter().copied();
        all.map(|d| Choice::new("delivery", d.name(), words(d), d == chosen))
            .collect()
    }
}

/// A product as it stands, with its pictures.
struct Found {
    detail: ProductDetail,
    images: Vec<Image>,
}

async fn found(app: &App, member: &StaffMember, id: ProductId) -> Result<Found> {
    let book = member.shop.vendor.book_id;
    app.read(move |tx| {
        let detail = product_by_id(tx, book, id)?;
        let images = of_product(tx, book, id)?;
        Ok::<_, Problem>(Found { detail, images })
    })
    .await
}

fn page_of(member: &StaffMember, found: Option<&Found>, typed: &Typed) -> ProductPage {
    let shop = &member.shop;
    let list = shop.at("/staff/products");
    let title = found.map_or("Enter a product", |f| &f.detail.product.title);
    let here = match found {
        Some(found) => format!("{list}/{}", found.detail.product_id),
        None => format!("{list}/new"),
    };
    let offers = found
        .map(|f| f.detail.offers.as_slice())
        .unwrap_or_default();
    let images = found.map(|f| f.images.as_slice()).unwrap_or_default();
    let was = found.and_then(|f| serde_json::to_string(&seen(&f.detail.product)).ok());
    ProductPage {
        shell: staff_shell(member, title, "/staff/products"),
        heading: title.to_owned(),
        shop_page: found.map(|f| words::product_at(shop, &f.detail.product.handle)),
        fields: typed.fields(found.is_none()),
        deliveries: typed.deliveries(),
        was: was.unwrap_or_default(),
        key: form_key(),
        is_new: found.is_none(),
        may: member.staff.role.may(Permission::Catalogue),
        for_sale: offers.iter().any(|(offer, _)| offer.active),
        offers: offers
            .iter()
            .map(|(o, left)| offer_row(&here, o, *left))
            .collect(),
        pictures: images
            .iter()
            .enumerate()
            .map(|(n, image)| Picture {
                id: image.image_id.to_string(),
                src: image_at(shop, image.image_id),
                alt: image.alt.clone(),
                width: image.width,
                height: image.height,
                is_first: n == 0,
            })
            .collect(),
        pictures_at_most: IMAGES_AT_MOST,
        here,
        list,
    }
}

fn offer_row(here: &str, offer: &Offer, left: Option<i64>) -> OfferRow {
    let way = words::way(offer.kind);
    OfferRow {
        name: match offer.variant.is_empty() {
            true => way.to_owned(),
            false => format!("{way}, {}", offer.variant),
        },
        sku: offer.sku.clone(),
        href: format!("{here}/offers/{}", offer.offer_id),
        price: tokens(offer.tiers.first().map_or(offer.price, |tier| tier.price)),
        stock: left.map_or_else(|| "not counted".to_owned(), |n| n.to_string()),
        state: if offer.active { "For sale" } else { "Off sale" },
        class: if offer.active {
            "status good"
        } else {
            "status stopped"
        },
    }
}

/// `GET /shops/{slug}/staff/products/{id}`.
pub async fn product(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let found = found(&app, &member, at.id).await?;
    let mut shown = page_of(&member, Some(&found), &Typed::of(&found.detail.product));
    let text = match done.done.as_str() {
        "kept" => "The product is kept.",
        "off" => "It is off sale. Order lists keep it with a note.",
        "on" => "It is for sale again.",
        "offer" => "The offer is kept.",
        "picture" => "The pictures are kept.",
        _ => "",
    };
    if !text.is_empty() {
        shown.shell.notice = Some(Notice::new(Tone::Good, text, ""));
    }
    page(&shown)
}

/// `GET /shops/{slug}/staff/products/new`.
pub async fn new(keeper: Keeper) -> Result<Response> {
    page(&page_of(&keeper.0, None, &Typed::default()))
}

/// `POST /shops/{slug}/staff/products/new`.
pub async fn create(
    State(app): State<App>,
    keeper: Keeper,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    keep(&app, &keeper.0, None, typed).await
}

/// `POST /shops/{slug}/staff/products/{id}`.
pub async fn edit(
    State(app): State<App>,
    keeper: Keeper,
    Path(at): Path<At>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let found = found(&app, &keeper.0, at.id).await?;
    keep(&app, &keeper.0, Some(found), typed).await
}

async fn keep(
    app: &App,
    member: &StaffMember,
    found: Option<Found>,
    mut typed: Typed,
) -> Result<Response> {
    let mut image_url = String::new();
    if let Some(found) = &found {
        typed.handle = found.detail.product.handle.clone();
        image_url = found.detail.product.image_url.clone();
    }
    let was: Option<NewProduct> = match (&found, serde_json::from_str(&typed.was)) {
        (None, _) => None,
        (Some(_), Ok(was)) => Some(was),
        (Some(found), Err(_)) => Some(seen(&found.detail.product)),
    };
    let done = match typed.product(image_url) {
        Ok(new) => {
            let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
            let request = format!("{was:?} {new:?}").into_bytes();
            let keyed = member.keyed(typed.key.clone(), request, None);
            app.submit(keyed, move |tx| {
                let id = product_edit(tx, actor, &vendor, was.as_ref(), &new)?;
                Ok::<_, Failed>(id.to_string())
            })
            .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(id) => {
            let at = member.shop.at(&format!("/staff/products/{}", id.value));
            see(&link(&at, &[("done", "kept")]))
        }
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let mut shown = page_of(member, found.as_ref(), &typed);
            shown.shell.notice = Some(notice);
            page_with(status, &shown)
        }
    }
}

/// Off sale, or back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sale {
    key: String,
    sell: String,
}

/// `POST /shops/{slug}/staff/products/{id}/sale`.
pub async fn sale(
    State(app): State<App>,
    keeper: Keeper,
    Path(at): Path<At>,
    Form(form): Form<Sale>,
) -> Result<Response> {
    let member = keeper.0;
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let sell = form.sell == "yes";
    let keyed = member.keyed(form.key, format!("{} {sell}", at.id).into_bytes(), None);
    app.submit(keyed, move |tx| {
        product_sale(tx, actor, &vendor, at.id, sell)?;
        Ok::<_, Failed>(())
    })
    .await?;
    let path = member.shop.at(&format!("/staff/products/{}", at.id));
    see(&link(&path, &[("done", if sell { "on" } else { "off" })]))
}
