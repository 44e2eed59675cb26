//! The catalogue for staff: products, offers, stock, pictures, imports (SHP-09).

mod import;
mod offer;
mod pictures;
mod product;

use super::super::frame::{link, page, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::{counted, tokens};
use super::super::view::{Action, Pager, Shell, Shown};
use super::{May, at, permission};
use crate::error::Result;
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::catalog::ProductDetail;
use scrip_domain::catalog::shelf::{ShelfFilter, Sold, Sort, Start, shelf};
use scrip_domain::id::ProductId;
use scrip_domain::vendor::Permission;
use serde::Deserialize;

/// Who may change the catalogue.
type Keeper = May<permission::Catalogue>;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/products"), get(products))
        .route(
            &at("/products/new"),
            get(product::new).post(product::create),
        )
        .route(
            &at("/products/{id}"),
            get(product::product).post(product::edit),
        )
        .route(&at("/products/{id}/sale"), post(product::sale))
        .route(
            &at("/products/{id}/offers"),
            get(offer::new).post(offer::edit),
        )
        .route(&at("/products/{id}/offers/{offer}"), get(offer::offer))
        .route(
            &at("/products/{id}/offers/{offer}/stock"),
            post(offer::stock),
        )
        .route(&at("/products/{id}/pictures"), post(pictures::add))
        .route(
            &at("/products/{id}/pictures/{image}"),
            post(pictures::change),
        )
        .route(&at("/imports"), get(import::imports).post(import::upload))
        .route(&at("/imports/export.csv"), get(import::export))
        .route(&at("/imports/{id}"), get(import::import).post(import::go))
}

const AT_ONCE: usize = 25;

#[derive(Template)]
#[template(path = "staff/catalogue/products.html")]
struct ProductsPage {
    shell: Shell,
    here: String,
    q: String,
    show: String,
    count: String,
    rows: Vec<Row>,
    pager: Pager,
    may: bool,
    new: String,
    imports: String,
}

/// A product on the list.
struct Row {
    title: String,
    handle: String,
    href: String,
    category: String,
    price: Shown,
    stock: String,
    state: &'static str,
    class: &'static str,
}

/// Which part of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Part {
    q: String,
    show: String,
    after: Option<ProductId>,
    before: Option<ProductId>,
}

/// `GET /shops/{slug}/staff/products`.
async fn products(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let filter = ShelfFilter {
        search: part.q.clone(),
        sold: match part.show.as_str() {
            "sold" => Sold::ForSale,
            "off" => Sold::NotForSale,
            _ => Sold::All,
        },
        sort: if part.q.trim().is_empty() {
            Sort::Name
        } else {
            Sort::Match
        },
        start: match (part.after, part.before) {
            (Some(after), _) => Start::After(after),
            (None, Some(before)) => Start::Before(before),
            (None, None) => Start::Beginning,
        },
        limit: AT_ONCE,
        ..ShelfFilter::default()
    };
    let book = member.shop.vendor.book_id;
    let found = app.read(move |tx| shelf(tx, book, &filter)).await?;
    let here = member.shop.at("/staff/products");
    let to = |label: &str, name: &str, id: Option<ProductId>| {
        id.map(|id| Action {
            label: label.to_owned(),
            href: link(
                &here,
                &[
                    ("q", &part.q),
                    ("show", &part.show),
                    (name, &id.to_string()),
                ],
            ),
        })
    };
    let count = match found.total {
        Some(total) => counted(total, "product", "products"),
        None => "very many products".to_owned(),
    };
    page(&ProductsPage {
        shell: staff_shell(&member, "Products", "/staff/products"),
        rows: found.items.iter().map(|d| row(&here, d)).collect(),
        pager: Pager {
            text: count.clone(),
            previous: to("Previous", "before", found.previous),
            next: to("Next", "after", found.next),
        },
        count,
        q: part.q.clone(),
        show: part.show.clone(),
        may: member.staff.role.may(Permission::Catalogue),
        new: format!("{here}/new"),
        imports: member.shop.at("/staff/imports"),
        here,
    })
}

fn row(here: &str, detail: &ProductDetail) -> Row {
    let sold = detail.offers.iter().any(|(offer, _)| offer.active);
    let price = detail
        .offers
        .iter()
        .map(|(offer, _)| match offer.tiers.first() {
            Some(tier) => tier.price,
            None => offer.price,
        });
    let counts: Option<Vec<i64>> = detail.offers.iter().map(|(_, left)| *left).collect();
    let (state, class) = match (sold, detail.offers.is_empty()) {
        (true, _) => ("For sale", "status good"),
        (false, true) => ("No offer yet", "status waits"),
        (false, false) => ("Off sale", "status stopped"),
    };
    Row {
        title: detail.product.title.clone(),
        handle: detail.product.handle.clone(),
        href: format!("{here}/{}", detail.product_id),
        category: detail.product.category.clone(),
        price: tokens(price.min().unwrap_or(scrip_domain::Amount::ZERO)),
        stock: match counts {
            _ if detail.offers.is_empty() => String::new(),
            Some(all) => all
                .iter()
                .fold(0_i64, |sum, n| sum.saturating_add(*n))
                .to_string(),
            None => "not counted".to_owned(),
        },
        state,
        class,
    }
}
