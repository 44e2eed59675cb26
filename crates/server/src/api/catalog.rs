//! Products, their offers and stock (SHP-07 to SHP-10).
//!
//! Handles and SKUs stand in addresses percent-encoded, so that those with `/` or spaces can be
//! named, too.

use super::auth::{CatalogRead, CatalogWrite, May};
use super::bounded::{Kilobytes, List, Pieces, PiecesOrNone};
use super::field::{
    self, Decimal, Line200, Line500, OptionalLine200, OptionalLine2000, Paragraph100000, words,
};
use super::shape::{Money, Page, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{BatchJson, Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::audit;
use scrip_domain::catalog::shelf::{ShelfFilter, Sold, Sort, Start, shelf};
use scrip_domain::catalog::{
    CatalogError, Delivery, NewOffer, NewProduct, Offer, OfferKind, PRODUCTS_AT_MOST,
    ProductDetail, Shown, Tier, categories, offer_put, offers_shown, product_detail, product_put,
};
use scrip_domain::id::OfferId;
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::Read;
use scrip_ledger::{Amount, Asset};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    OfferKindWord: OfferKind, OfferKind::ALL.map(OfferKind::name);
    SortWord: Sort, Sort::ALL.iter().map(|s| s.name()).collect::<Vec<_>>();
    DeliveryWord: Delivery, Delivery::ALL.iter().map(|d| d.name()).collect::<Vec<_>>();
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(category_list))
        .routes(routes!(product_list))
        .routes(routes!(product, set_product))
        .routes(routes!(set_offer))
}

/// A quantity tier: more than the tier before and up to `up_to` costs `price` and grants `up_to`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TierAnswer {
    /// The largest quantity of the tier, and what it grants.
    up_to: i64,
    /// Tokens for the tier.
    price: Money,
}

/// An offer of a product.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfferAnswer {
    /// The id.
    offer_id: field::Offer,
    /// Stock-keeping unit.
    #[schema(example = "software-a")]
    sku: String,
    /// The product's name with the variant.
    title: String,
    /// What tells it from the product's other offers; may be empty.
    variant: String,
    /// What the customer gets: to keep, or for so many days, uses or processings.
    kind: OfferKindWord,
    /// Tokens for one; null when it is sold by tiers.
    price: Option<Money>,
    /// The tiers, ascending; empty for a price each.
    tiers: Vec<TierAnswer>,
    /// True when restricted tokens may pay for it.
    on_sale: bool,
    /// False when it is not sold any more.
    active: bool,
    /// Pieces at hand; null when they are not counted.
    on_hand: Option<i64>,
    /// Its values of the product's options, in their order.
    options: Vec<String>,
}

impl OfferAnswer {
    fn new(offer: Offer, on_hand: Option<i64>, token: &Asset) -> OfferAnswer {
        let tier = |tier: Tier| TierAnswer {
            up_to: tier.up_to,
            price: Money::new(tier.price, token),
        };
        OfferAnswer {
            offer_id: field::Id(offer.offer_id),
            kind: field::Named(offer.kind),
            price: (!offer.tiered).then(|| Money::new(offer.price, token)),
            tiers: offer.tiers.into_iter().map(tier).collect(),
            on_sale: offer.on_sale,
            active: offer.active,
            on_hand,
            sku: offer.sku,
            title: offer.title,
            variant: offer.variant,
            options: offer.options,
        }
    }
}

/// A product with its offers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct ProductAnswer {
    /// The id.
    product_id: field::Product,
    /// Short name, unique in the catalogue.
    #[schema(example = "software-a")]
    handle: String,
    /// Name.
    title: String,
    /// Description.
    description: String,
    /// Manufacturer.
    manufacturer: String,
    /// Category; may be empty.
    category: String,
    /// Address of an image; may be empty.
    image_url: String,
    /// The size of what is downloaded, in kilobytes; 0 where nothing is.
    download_kb: i64,
    /// How it reaches its buyer.
    delivery: DeliveryWord,
    /// What a buyer chooses among its variants.
    options: Vec<String>,
    /// The ways in which it is sold.
    offers: Vec<OfferAnswer>,
}

impl ProductAnswer {
    fn new(detail: ProductDetail, token: &Asset) -> ProductAnswer {
        let product = detail.product;
        ProductAnswer {
            product_id: field::Id(detail.product_id),
            handle: product.handle,
            title: product.title,
            description: product.description,
            manufacturer: product.manufacturer,
            category: product.category,
            image_url: product.image_url,
            download_kb: product.download_kb,
            delivery: field::Named(product.delivery),
            options: product.options,
            offers: detail
                .offers
                .into_iter()
                .map(|(offer, on_hand)| OfferAnswer::new(offer, on_hand, token))
                .collect(),
        }
    }
}

/// A category.
#[derive(Debug, Serialize, ToSchema)]
struct CategoryAnswer {
    /// Its name; empty for products without one.
    category: String,
    /// Products in it that are for sale.
    products: i64,
}

/// All categories.
#[derive(Debug, Serialize, ToSchema)]
struct CategoriesAnswer {
    /// The categories by name.
    items: Vec<CategoryAnswer>,
}

/// List categories
///
/// Those that have a product for sale, each with the number of such products.
#[utoipa::path(
    get, path = "/v1/categories", tag = "catalog", operation_id = "categories",
    security(("key" = ["catalog:read"])),
    responses(
        (status = 200, description = "The categories", body = CategoriesAnswer),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn category_list(
    May(caller, ..): May<CatalogRead>,
    State(app): State<App>,
) -> Result<axum::Json<CategoriesAnswer>> {
    let book = caller.book();
    let counts = app.read(move |tx| categories(tx, book)).await?;
    let item = |(category, products)| CategoryAnswer { category, products };
    Ok(axum::Json(CategoriesAnswer {
        items: counts.into_iter().map(item).collect(),
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProductsQuery {
    /// Only products of this category; repeat it for several, at most 100.
    #[serde(default)]
    #[param(inline, max_items = 100)]
    category: Vec<OptionalLine200>,
    /// True for what customers see: without offers that are not sold, and without products that
    /// have no other ones.
    #[serde(default)]
    for_sale: bool,
    /// Only products that have all these words, without regard to case and accents; the last one
    /// may be the beginning of a word.
    #[param(inline)]
    search: Option<OptionalLine200>,
    /// Only products of this manufacturer.
    #[param(inline)]
    manufacturer: Option<OptionalLine200>,
    /// Only products with an offer of this kind.
    #[param(inline)]
    kind: Option<OfferKindWord>,
    /// Only products that cost at least so many tokens.
    #[param(inline)]
    price_from: Option<Decimal>,
    /// Only products that cost at most so many tokens.
    #[param(inline)]
    price_to: Option<Decimal>,
    /// True for products that can be had now.
    #[serde(default)]
    in_stock: bool,
    /// True for products that restricted tokens may pay for.
    #[serde(default)]
    on_sale: bool,
    /// The order.
    #[param(inline)]
    sort: Option<SortWord>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
    /// Products at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    #[serde(default, deserialize_with = "field::given")]
    limit: Option<i64>,
}

/// List products
///
/// With their offers, in the order in which they were entered unless another one is asked for. The
/// price of a product is that of its cheapest offer: for one, or for the first tier.
#[utoipa::path(
    get, path = "/v1/products", tag = "catalog", operation_id = "products",
    security(("key" = ["catalog:read"])),
    params(ProductsQuery),
    responses(
        (status = 200, description = "A page of products", body = Page<ProductAnswer>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn product_list(
    May(caller, ..): May<CatalogRead>,
    State(app): State<App>,
    Query(query): Query<ProductsQuery>,
) -> Result<axum::Json<Page<ProductAnswer>>> {
    let limit = usize::try_from(query.limit.unwrap_or(50)).unwrap_or(0);
    if !(1..=PRODUCTS_AT_MOST).contains(&limit) {
        let text = format!("limit is a number from 1 to {PRODUCTS_AT_MOST}");
        return Err(Problem::invalid("limit_invalid", text));
    }
    let book = caller.book();
    let token = app.vendor(book).await?.token.clone();
    let price = |price: Option<Decimal>| price.map(|p| p.of(&token)).transpose();
    let after = cursor(query.cursor.as_deref())?;
    let filter = ShelfFilter {
        search: query.search.map(|s| s.0).unwrap_or_default(),
        categories: query.category.into_iter().map(|c| c.0).collect(),
        manufacturer: query.manufacturer.map(|m| m.0),
        kind: query.kind.map(|k| k.0),
        price_from: price(query.price_from)?,
        price_to: price(query.price_to)?,
        in_stock: query.in_stock,
        on_sale: query.on_sale,
        sold: if query.for_sale {
            Sold::ForSale
        } else {
            Sold::All
        },
        sort: query.sort.map_or(Sort::Entered, |s| s.0),
        start: after.map_or(Start::Beginning, Start::After),
        limit,
        ..ShelfFilter::default()
    };
    let page = app.read(move |tx| shelf(tx, book, &filter)).await?;
    let product = |detail| ProductAnswer::new(detail, &token);
    let page = scrip_domain::page::Page {
        items: page.items,
        next: page.next,
    };
    Ok(axum::Json(Page::new(page, product)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProductPath {
    /// The product's short name, percent-encoded: `/` as `%2F`, a space as `%20`.
    #[param(min_length = 1, max_length = 200, example = "software-a")]
    pub handle: String,
}

/// See a product
///
/// With all its offers, those that are not sold included.
#[utoipa::path(
    get, path = "/v1/products/{handle}", tag = "catalog", operation_id = "product",
    security(("key" = ["catalog:read"])),
    params(ProductPath),
    responses(
        (status = 200, description = "The product", body = ProductAnswer),
        (status = 404, description = "No such product of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn product(
    May(caller, ..): May<CatalogRead>,
    State(app): State<App>,
    Path(ProductPath { handle }): Path<ProductPath>,
) -> Result<axum::Json<ProductAnswer>> {
    let book = caller.book();
    let token = app.vendor(book).await?.token.clone();
    let detail = app.read(move |tx| product_detail(tx, book, handle.trim()));
    Ok(axum::Json(ProductAnswer::new(detail.await?, &token)))
}

type OptionNames = List<Line200, 0, 5>;

/// A product as it is to be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "Software A",
    "description": "Repairs scanned drawings.",
    "category": "Document Raster Editing",
    "download_kb": 86_000,
}))]
struct ProductBody {
    /// Name.
    title: Line500,
    /// Description.
    #[serde(default)]
    description: Paragraph100000,
    /// Manufacturer.
    #[serde(default)]
    manufacturer: OptionalLine200,
    /// Category.
    #[serde(default)]
    category: OptionalLine200,
    /// Address of an image.
    #[serde(default)]
    image_url: OptionalLine2000,
    /// The size of what is downloaded, in kilobytes; 0 where nothing is.
    #[serde(default = "no_download")]
    download_kb: Kilobytes,
    /// How it reaches its buyer. `usual` is what the vendor sells: software is downloaded, goods
    /// are sent.
    #[serde(default = "usual")]
    delivery: DeliveryWord,
    /// What a buyer chooses among its variants: `Size`, `Colour`.
    #[serde(default)]
    options: OptionNames,
}

fn usual() -> DeliveryWord {
    field::Named(Delivery::Usual)
}

fn no_download() -> Kilobytes {
    super::bounded::Whole(0)
}

/// Enter or change a product
///
/// The product becomes what the body says; fields that are left out become empty. Its offers stay.
/// A short name has letters, digits, spaces and `. - _ / +`, at most 200.
#[utoipa::path(
    put, path = "/v1/products/{handle}", tag = "catalog", operation_id = "product_put",
    security(("key" = ["catalog:write"])),
    params(ProductPath, Repeatable),
    request_body = ProductBody,
    responses(
        (status = 200, description = "Changed", body = ProductAnswer),
        (status = 201, description = "Entered", body = ProductAnswer),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_product(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(ProductPath { handle }): Path<ProductPath>,
    BatchJson(body): BatchJson<ProductBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (handle.clone(), body.clone());
    let new = NewProduct {
        handle,
        title: body.title.0,
        description: body.description.0,
        manufacturer: body.manufacturer.0,
        category: body.category.0,
        image_url: body.image_url.0,
        download_kb: body.download_kb.0,
        delivery: body.delivery.0,
        options: body.options.0.into_iter().map(|o| o.0).collect(),
    };
    let request = ("PUT /v1/products/{handle}", &request);
    let put = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let (id, is_new) = product_put(tx, &vendor, &new)?;
        let what = json!({ "handle": new.handle });
        audit::note(tx, book, actor, "catalogue.product", &id.to_string(), &what)?;
        let detail = product_detail(tx, book, new.handle.trim())?;
        Ok::<_, Failed>((ProductAnswer::new(detail, &vendor.token), is_new))
    })
    .await?;
    let (product, is_new) = put.value;
    Ok(answer(entered(is_new), &product, put.replayed))
}

fn entered(is_new: bool) -> StatusCode {
    if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ProductOfferPath {
    /// The product's short name, percent-encoded.
    #[param(min_length = 1, max_length = 200, example = "software-a")]
    handle: String,
    /// The offer's stock-keeping unit, percent-encoded: `/` as `%2F`, a space as `%20`.
    #[param(min_length = 1, max_length = 200, example = "software-a")]
    sku: String,
}

/// A tier as it is to be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TierBody {
    /// The largest quantity of the tier, and what it grants.
    up_to: Pieces,
    /// Tokens for the tier.
    price: Decimal,
}

type Tiers = List<TierBody, 0, 100>;
type OptionValues = List<OptionalLine200, 0, 5>;

/// An offer as it is to be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "purchase", "price": "100", "initial_stock": 25}))]
struct OfferBody {
    /// What tells it from the product's other offers, for example `Large`.
    #[serde(default)]
    variant: OptionalLine200,
    /// What the customer gets: to keep, or for so many days, uses or processings.
    kind: OfferKindWord,
    /// Tokens for one. Either this or tiers must be given, not both.
    price: Option<Decimal>,
    /// Quantity tiers, ascending.
    #[serde(default)]
    tiers: Tiers,
    /// Its values of the product's options, in their order: `Large`, `Red`.
    #[serde(default)]
    options: OptionValues,
    /// True when restricted tokens may pay for it.
    #[serde(default)]
    on_sale: bool,
    /// False to keep it in the catalogue without selling it.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// Pieces at hand when the offer is new; null when they are not counted. The stock of an offer
    /// that exists is not changed by this: it comes from sales and deliveries.
    initial_stock: Option<PiecesOrNone>,
}

fn yes() -> bool {
    true
}

impl OfferBody {
    fn offer(self, sku: String, token: &Asset) -> Result<NewOffer> {
        let price = match (&self.price, self.tiers.0.is_empty()) {
            (Some(price), true) => price.of(token)?,
            (None, false) => Amount::ZERO,
            _ => {
                let text = "an offer has a price for one or tiers: give one of them";
                return Err(Problem::invalid("catalog_invalid", text));
            }
        };
        let tier = |tier: TierBody| {
            Ok(Tier {
                up_to: tier.up_to.0,
                price: tier.price.of(token)?,
            })
        };
        Ok(NewOffer {
            sku,
            variant: self.variant.0,
            kind: self.kind.0,
            price,
            on_sale: self.on_sale,
            active: self.active,
            stock: self.initial_stock.map(|pieces| pieces.0),
            tiers: self.tiers.0.into_iter().map(tier).collect::<Result<_>>()?,
            options: self.options.0.into_iter().map(|o| o.0).collect(),
        })
    }
}

/// Enter or change an offer
///
/// The offer becomes what the body says and belongs to this product from now on. Orders that were
/// placed keep what they were placed with. A stock-keeping unit has letters, digits, spaces and
/// `. - _ / +`, at most 200, and is unique in the catalogue.
#[utoipa::path(
    put, path = "/v1/products/{handle}/offers/{sku}", tag = "catalog", operation_id = "offer_put",
    security(("key" = ["catalog:write"])),
    params(ProductOfferPath, Repeatable),
    request_body = OfferBody,
    responses(
        (status = 200, description = "Changed", body = OfferAnswer),
        (status = 201, description = "Entered", body = OfferAnswer),
        (status = 404, description = "No such product of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_offer(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(ProductOfferPath { handle, sku }): Path<ProductOfferPath>,
    Json(body): Json<OfferBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let token = app.vendor(book).await?.token.clone();
    let request = (handle.clone(), sku.clone(), body.clone());
    let new = body.offer(sku, &token)?;
    let request = ("PUT /v1/products/{handle}/offers/{sku}", &request);
    let put = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let product = product_detail(tx, book, handle.trim())?.product_id;
        let (offer, is_new) = offer_put(tx, &vendor, product, &new)?;
        let what = json!({ "sku": new.sku, "price": new.price.units(), "active": new.active });
        audit::note(
            tx,
            book,
            actor,
            "catalogue.offer",
            &offer.to_string(),
            &what,
        )?;
        Ok::<_, Failed>((shown(tx, book, offer, &vendor.token)?, is_new))
    })
    .await?;
    let (offer, is_new) = put.value;
    Ok(answer(entered(is_new), &offer, put.replayed))
}

/// An offer as it stands.
pub(super) fn shown(
    tx: &mut dyn Read,
    book: i64,
    offer: OfferId,
    token: &Asset,
) -> std::result::Result<OfferAnswer, CatalogError> {
    let Shown { offer, on_hand, .. } = offers_shown(tx, book, &[offer])?
        .pop()
        .ok_or_else(|| CatalogError::OfferUnknown(offer.to_string()))?;
    Ok(OfferAnswer::new(offer, on_hand, token))
}
