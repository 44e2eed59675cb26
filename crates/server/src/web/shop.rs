//! What a shop sells: its pages of products (SHP-06 to SHP-08), and each product (SHP-09).

mod product;
mod shelf;
pub mod words;

use super::frame::{self, link};
use super::list::view::{ListView, Place, Quantity};
use super::session::{Guest, Me, Member, Shop};
use super::view::{Action, Pager, Shell, format};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use scrip_domain::catalog::{ProductFilter, ProductPage, categories, products};
use scrip_domain::id::ProductId;
use scrip_domain::order::{OrderList, order_list};
use scrip_domain::vendor::Sells;
use scrip_engine::ReadTx;
use serde::Deserialize;
use shelf::{Item, Row, TierChoice};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/shop", get(shelves))
        .route("/shops/{slug}/shop/p/{*handle}", get(product::product))
}

/// Products on one page.
const ON_PAGE: usize = 24;

/// Categories that are shown at once; the others are behind a word.
const TAGS_AT_ONCE: usize = 12;

/// Which part of the shop is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// Categories that are ticked.
    category: Vec<String>,
    /// The last product of the page before.
    after: Option<ProductId>,
    /// How many products the pages before had, for the words of the pager.
    seen: Option<u32>,
}

/// A page of a software shop: the matrix.
#[derive(Template)]
#[template(path = "shop/software.html")]
struct SoftwarePage {
    shell: Shell,
    tags: Tags,
    rows: Vec<Row>,
    programs: String,
    tiers: Vec<TierChoice>,
    is_filtered: bool,
    here: String,
    pager: Pager,
    list_at: String,
    side: Side,
}

/// A page of a shop for goods: the grid.
#[derive(Template)]
#[template(path = "shop/goods.html")]
struct GoodsPage {
    shell: Shell,
    headline: String,
    tags: Tags,
    items: Vec<Item>,
    is_filtered: bool,
    here: String,
    pager: Pager,
    list_at: String,
    side: Side,
}

/// What stands beside a page of the shop.
enum Side {
    /// The order list of whoever is signed in.
    List(Box<ListView>),
    /// How to get one.
    Visitor(Visitor),
}

impl Side {
    /// True when there is a list to put things on.
    fn is_list(&self) -> bool {
        matches!(self, Side::List(_))
    }
}

/// Ways in for those who are not signed in.
struct Visitor {
    sign_in: String,
    register: String,
}

/// Categories to tick (SHP-07).
struct Tags {
    first: Vec<TagLink>,
    more: Vec<TagLink>,
}

/// A category as a link that ticks or unticks it.
struct TagLink {
    label: String,
    href: String,
    on: bool,
}

/// What a page reads, from one snapshot.
struct Read {
    categories: Vec<(String, i64)>,
    page: ProductPage,
    count: i64,
    list: Option<OrderList>,
}

/// `GET /shops/{slug}/shop` (SHP-06, SHP-07, SHP-08).
async fn shelves(
    State(app): State<App>,
    guest: Guest,
    uri: Uri,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let (of, wanted) = (guest.clone(), asked.clone());
    let read = app.read(move |tx| read(tx, &of, &wanted)).await?;
    let here = uri.path_and_query().map_or("", |at| at.as_str());
    match guest.shop.front.sells {
        Sells::Software => frame::page(&software(&guest, &asked, &read, here)),
        Sells::Goods => frame::page(&goods(&guest, &asked, &read, here)),
    }
}

fn read(tx: &mut ReadTx<'_>, guest: &Guest, asked: &Asked) -> Result<Read> {
    let book = guest.shop.vendor.book_id;
    let filter = ProductFilter {
        categories: asked.category.clone(),
        after: asked.after,
        limit: ON_PAGE,
        for_sale_only: true,
    };
    let categories = categories(tx, book)?;
    // Every product is in one category: counting them again would cost as much as the page.
    let count = categories
        .iter()
        .filter(|(name, _)| asked.category.is_empty() || asked.category.contains(name))
        .fold(0, |sum: i64, (_, products)| sum.saturating_add(*products));
    Ok(Read {
        categories,
        page: products(tx, book, &filter)?,
        count,
        list: own_list(tx, guest)?,
    })
}

/// The order list of whoever is signed in.
fn own_list(tx: &mut ReadTx<'_>, guest: &Guest) -> Result<Option<OrderList>> {
    let Some(Me { customer, .. }) = &guest.me else {
        return Ok(None);
    };
    let actor = scrip_domain::Actor::Customer(customer.customer_id);
    let book = guest.shop.vendor.book_id;
    let list = order_list(tx, actor, book, customer.customer_id);
    list.map(Some).map_err(Problem::from)
}

/// The frame, and what stands beside the page.
fn framed(guest: &Guest, title: &str, here: &str, list: Option<&OrderList>) -> (Shell, Side) {
    let shell = frame::guest_shell(guest, title, "/shop");
    let shop = &guest.shop;
    match (list, &guest.me) {
        (Some(list), Some(me)) => {
            let member = Member {
                shop: shop.clone(),
                me: me.clone(),
                now: guest.now,
            };
            let view = ListView::new(&member, list, Place::Shelf, &Vec::new());
            (frame::with_list(shell, list), Side::List(Box::new(view)))
        }
        _ => {
            let visitor = Visitor {
                sign_in: link(&shop.at("/sign-in"), &[("next", here)]),
                register: shop.at("/register"),
            };
            (shell, Side::Visitor(visitor))
        }
    }
}

fn software(guest: &Guest, asked: &Asked, read: &Read, here: &str) -> SoftwarePage {
    let (shop, list) = (&guest.shop, read.list.as_ref());
    let (shell, side) = framed(guest, "Software", here, list);
    let all = &read.page.items;
    let tiers = all.iter().flat_map(|product| {
        let choice = move |(offer, _): &_| shelf::tier_choice(shop, product, offer, list);
        product.offers.iter().filter_map(choice)
    });
    SoftwarePage {
        tiers: tiers.filter(|_| side.is_list()).collect(),
        rows: all.iter().map(|p| shelf::row(shop, p, list)).collect(),
        programs: format::counted(read.count, "program", "programs"),
        tags: tags(shop, asked, &read.categories),
        is_filtered: !asked.category.is_empty(),
        here: shop.at("/shop"),
        pager: pager(shop, asked, read, "program", "programs"),
        list_at: shop.at("/list"),
        shell,
        side,
    }
}

fn goods(guest: &Guest, asked: &Asked, read: &Read, here: &str) -> GoodsPage {
    let (shop, list) = (&guest.shop, read.list.as_ref());
    let (shell, side) = framed(guest, "Shop", here, list);
    let items = read.page.items.iter();
    GoodsPage {
        headline: shop.front.headline.clone(),
        items: items.filter_map(|p| shelf::item(shop, p, list)).collect(),
        tags: tags(shop, asked, &read.categories),
        is_filtered: !asked.category.is_empty(),
        here: shop.at("/shop"),
        pager: pager(shop, asked, read, "product", "products"),
        list_at: shop.at("/list"),
        shell,
        side,
    }
}

/// Links that tick a category, or untick it (SHP-07).
fn tags(shop: &Shop, asked: &Asked, categories: &[(String, i64)]) -> Tags {
    // One category is no choice; it is shown when it is ticked, so that it can be unticked.
    if categories.len() < 2 && asked.category.is_empty() {
        return Tags {
            first: Vec::new(),
            more: Vec::new(),
        };
    }
    let names: Vec<&str> = categories.iter().map(|(name, _)| name.as_str()).collect();
    let ticked = |name: &str| asked.category.iter().any(|c| c == name);
    let tag = |name: &str| {
        let others = names
            .iter()
            .filter(|other| ticked(other) && **other != name);
        let mut query: Vec<(&str, &str)> = others.map(|other| ("category", *other)).collect();
        if !ticked(name) {
            query.push(("category", name));
        }
        TagLink {
            label: if name.is_empty() { "Other" } else { name }.to_owned(),
            href: at_shelf(shop, &query),
            on: ticked(name),
        }
    };
    let mut first = Vec::new();
    let mut more = Vec::new();
    for name in &names {
        if ticked(name) || first.len() < TAGS_AT_ONCE {
            first.push(tag(name));
        } else {
            more.push(tag(name));
        }
    }
    Tags { first, more }
}

fn at_shelf(shop: &Shop, query: &[(&str, &str)]) -> String {
    match query.is_empty() {
        true => shop.at("/shop"),
        false => link(&shop.at("/shop"), query),
    }
}

/// `1 to 24 of 310 products`, and the ways on. Pages are found by the product that they come
/// after; how many came before is only for the words.
fn pager(shop: &Shop, asked: &Asked, read: &Read, one: &str, many: &str) -> Pager {
    let shown = i64::try_from(read.page.items.len()).unwrap_or(i64::MAX);
    let before = match asked.after {
        Some(_) => i64::from(asked.seen.unwrap_or(0)).min((read.count - shown).max(0)),
        None => 0,
    };
    let last = before.saturating_add(shown);
    let text = match shown {
        0 => format::counted(read.count, one, many),
        _ if shown == read.count => format::counted(read.count, one, many),
        _ => format!(
            "{} to {} of {}",
            format::count(before.saturating_add(1)),
            format::count(last),
            format::counted(read.count, one, many)
        ),
    };
    let ticked = asked.category.iter().map(|c| ("category", c.as_str()));
    let ticked: Vec<(&str, &str)> = ticked.collect();
    let next = read.page.next.map(|next| {
        let (after, seen) = (next.to_string(), last.to_string());
        let mut query = ticked.clone();
        query.extend([("after", after.as_str()), ("seen", seen.as_str())]);
        let rest = read.count.saturating_sub(last);
        let rest = rest.clamp(1, i64::try_from(ON_PAGE).unwrap_or(i64::MAX));
        Action {
            label: format!("Next {}", format::count(rest)),
            href: at_shelf(shop, &query),
        }
    });
    Pager {
        text,
        previous: asked.after.map(|_| Action {
            label: "From the beginning".to_owned(),
            href: at_shelf(shop, &ticked),
        }),
        next,
    }
}
