//! What a shop sells: its pages of products (SHP-06 to SHP-08), and each product (SHP-09).

mod filter;
mod image;
mod product;
pub mod sale;
mod shelf;
pub mod words;

pub use image::image_at;

use super::frame::{self, link};
use super::gate;
use super::list::view::{ListView, Place, Quantity};
use super::session::{Guest, Me, Member, Shop};
use super::view::format::tokens;
use super::view::{Action, Notice, Pager, Shell, Shown, format};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use filter::{Asked, Finder};
use sale::Sales;
use scrip_domain::catalog::images::{Image, firsts};
use scrip_domain::catalog::shelf::{Branch, Facet, ShelfPage, categories, manufacturers, shelf};
use scrip_domain::id::ProductId;
use scrip_domain::order::gate::Standing;
use scrip_domain::order::{OrderList, order_list};
use scrip_domain::policy::Part;
use scrip_domain::vendor::Sells;
use scrip_engine::ReadTx;
use shelf::{Item, Row, TierChoice};
use std::collections::BTreeMap;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/shop", get(shelves))
        .route("/shops/{slug}/shop/p/{*handle}", get(product::product))
        .route("/shops/{slug}/images/{id}", get(image::image))
}

/// Products on one page.
const ON_PAGE: usize = 24;

/// Categories that are shown at once; the others are behind a word.
const TAGS_AT_ONCE: usize = 12;

/// A page of a software shop: the matrix.
#[derive(Template)]
#[template(path = "shop/software.html")]
struct SoftwarePage {
    shell: Shell,
    finder: Finder,
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
    finder: Finder,
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
    /// How many tokens it takes until there is one (SHP-04).
    Closed(Closed),
}

impl Side {
    /// True when there is a list to put things on.
    fn is_list(&self) -> bool {
        matches!(self, Side::List(_))
    }

    /// True when the account may not order yet.
    fn is_closed(&self) -> bool {
        matches!(self, Side::Closed(_))
    }
}

/// Ways in for those who are not signed in.
struct Visitor {
    sign_in: String,
    register: String,
    /// True when they see no prices.
    is_priceless: bool,
}

/// What an account needs that may not order yet.
struct Closed {
    is_inactive: bool,
    begins_with: Shown,
    needed: Shown,
    buy: String,
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

/// The question which branch is meant (SHP-06).
#[derive(Template)]
#[template(path = "shop/branch.html")]
struct BranchPage {
    shell: Shell,
    headline: String,
    exits: Vec<Exit>,
    finder: Finder,
}

/// A branch to choose.
struct Exit {
    title: &'static str,
    about: &'static str,
    count: String,
    href: String,
}

/// What a page reads, from one snapshot.
struct Read {
    categories: Vec<Facet>,
    makers: Vec<Facet>,
    page: ShelfPage,
    sales: Sales,
    pictures: BTreeMap<ProductId, Image>,
    odd: Option<Notice>,
    list: Option<OrderList>,
}

/// `GET /shops/{slug}/shop` (SHP-06, SHP-07, SHP-08).
async fn shelves(
    State(app): State<App>,
    guest: Guest,
    uri: Uri,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    if guest.sight.is_outside() {
        return frame::see(&guest.shop.at("/enter"));
    }
    let asked = asked.seen_by(&guest.sight);
    let sells = guest.shop.front.sells;
    if sells == Sells::Both && asked.branch().is_none() && !asked.is_filtered() {
        return branches(&app, &guest, &asked).await;
    }
    let (of, wanted) = (guest.clone(), asked.clone());
    let read = app.read(move |tx| read(tx, &of, &wanted)).await?;
    let here = uri.path_and_query().map_or("", |at| at.as_str());
    match (sells, asked.branch()) {
        (Sells::Software, _) | (Sells::Both, Some(Branch::Software)) => {
            frame::page(&software(&guest, &asked, &read, here))
        }
        _ => frame::page(&goods(&guest, &asked, &read, here)),
    }
}

/// A vendor that sells both asks first; one that sells one kind does not.
async fn branches(app: &App, guest: &Guest, asked: &Asked) -> Result<Response> {
    let book = guest.shop.vendor.book_id;
    let both = [Branch::Software, Branch::Goods];
    let counts = app.read(move |tx| {
        let counts = both.map(|branch| categories(tx, book, Some(branch)));
        let mut sums = Vec::new();
        for count in counts {
            sums.push(
                count?
                    .iter()
                    .fold(0, |sum: i64, (_, n)| sum.saturating_add(*n)),
            );
        }
        Ok::<_, Problem>(sums)
    });
    let counts = counts.await?;
    let exit = |(branch, count): (Branch, i64)| Exit {
        title: match branch {
            Branch::Software => "Software",
            Branch::Goods => "Other products",
        },
        about: match branch {
            Branch::Software => "Programs to keep for good or to rent.",
            Branch::Goods => "All the rest of this shop.",
        },
        count: match branch {
            Branch::Software => format::counted(count, "program", "programs"),
            Branch::Goods => format::counted(count, "product", "products"),
        },
        href: link(&guest.shop.at("/shop"), &[("part", branch.name())]),
    };
    frame::page(&BranchPage {
        shell: frame::guest_shell(guest, "Shop", "/shop"),
        headline: guest.shop.front.headline.clone(),
        exits: both.into_iter().zip(counts).map(exit).collect(),
        finder: asked.finder(&guest.shop, &[]),
    })
}

fn read(tx: &mut ReadTx<'_>, guest: &Guest, asked: &Asked) -> Result<Read> {
    let book = guest.shop.vendor.book_id;
    let (filter, odd) = asked.filter(&guest.shop, ON_PAGE);
    let mut page = shelf(tx, book, &filter)?;
    let sales = Sales::applied(tx, guest, &mut page.items)?;
    for product in &mut page.items {
        guest.sight.veil(product);
    }
    let mut shown: Vec<ProductId> = page.items.iter().map(|p| p.product_id).collect();
    if !guest.sight.sees(Part::Images) {
        shown.clear();
    }
    Ok(Read {
        pictures: firsts(tx, book, &shown)?,
        categories: categories(tx, book, filter.branch)?,
        makers: manufacturers(tx, book, filter.branch)?,
        page,
        sales,
        odd,
        list: own_list(tx, guest)?,
    })
}

/// The order list of whoever is signed in and may order.
fn own_list(tx: &mut ReadTx<'_>, guest: &Guest) -> Result<Option<OrderList>> {
    let Some(Me { customer, .. }) = guest.me.as_ref().filter(|_| guest.sight.may_order()) else {
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
    let member = guest.me.as_ref().map(|me| Member {
        shop: shop.clone(),
        me: me.clone(),
        sight: guest.sight.clone(),
        last: guest.last.clone(),
        now: guest.now,
    });
    match (list, member) {
        (Some(list), Some(member)) => {
            let view = ListView::new(&member, list, Place::Shelf, &Vec::new());
            (frame::with_list(shell, list), Side::List(Box::new(view)))
        }
        (None, Some(member)) => {
            let closed = Closed {
                is_inactive: guest.sight.standing == Standing::Inactive,
                begins_with: tokens(gate::begins_with(&member)),
                needed: tokens(gate::needed(&member)),
                buy: gate::buy(&member, "/shop"),
            };
            (shell, Side::Closed(closed))
        }
        (_, None) => {
            let visitor = Visitor {
                sign_in: link(&shop.at("/sign-in"), &[("next", here)]),
                register: shop.at("/register"),
                is_priceless: !guest.sight.sees(Part::Prices),
            };
            (shell, Side::Visitor(visitor))
        }
    }
}

fn software(guest: &Guest, asked: &Asked, read: &Read, here: &str) -> SoftwarePage {
    let (shop, list) = (&guest.shop, read.list.as_ref());
    let (mut shell, side) = framed(guest, "Software", here, list);
    shell.notice = read.odd.clone().or(shell.notice);
    let all = &read.page.items;
    let tiers = all.iter().flat_map(|product| {
        let of = (product, &read.sales);
        let choice = move |(offer, _): &_| shelf::tier_choice(shop, of, offer, list);
        product.offers.iter().filter_map(choice)
    });
    SoftwarePage {
        tiers: tiers.filter(|_| side.is_list()).collect(),
        rows: all
            .iter()
            .map(|p| shelf::row(guest, (p, &read.sales), list))
            .collect(),
        programs: read.page.total.map_or_else(
            || "Programs".to_owned(),
            |total| format::counted(total, "program", "programs"),
        ),
        finder: asked.finder(shop, &read.makers),
        tags: tags(shop, asked, &read.categories),
        is_filtered: asked.is_filtered(),
        here: asked.finder(shop, &[]).all,
        pager: pager(shop, asked, read, "program", "programs"),
        list_at: shop.at("/list"),
        shell,
        side,
    }
}

fn goods(guest: &Guest, asked: &Asked, read: &Read, here: &str) -> GoodsPage {
    let (shop, list) = (&guest.shop, read.list.as_ref());
    let (mut shell, side) = framed(guest, "Shop", here, list);
    shell.notice = read.odd.clone().or(shell.notice);
    let items = read.page.items.iter();
    GoodsPage {
        headline: shop.front.headline.clone(),
        finder: asked.finder(shop, &read.makers),
        items: items
            .filter_map(|p| {
                let image = read.pictures.get(&p.product_id);
                shelf::item(guest, (p, &read.sales), list, image)
            })
            .collect(),
        tags: tags(shop, asked, &read.categories),
        is_filtered: asked.is_filtered(),
        here: asked.finder(shop, &[]).all,
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
        let mut chosen: Vec<&str> = others.copied().collect();
        if !ticked(name) {
            chosen.push(name);
        }
        let query = asked.query(&chosen);
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
/// after or before; how many came before is only for the words.
fn pager(shop: &Shop, asked: &Asked, read: &Read, one: &str, many: &str) -> Pager {
    let page = &read.page;
    let shown = i64::try_from(page.items.len()).unwrap_or(i64::MAX);
    let size = i64::try_from(ON_PAGE).unwrap_or(i64::MAX);
    let most = page
        .total
        .map_or(i64::MAX, |total| total.saturating_sub(shown))
        .max(0);
    let before = match (page.previous, page.next) {
        (None, _) => 0,
        (_, None) if page.total.is_some() => most,
        _ => i64::from(asked.seen.unwrap_or(0)).min(most),
    };
    let last = before.saturating_add(shown);
    let span = |of: &str| {
        format!(
            "{} to {}{of}",
            format::count(before.saturating_add(1)),
            format::count(last)
        )
    };
    let text = match (page.total, shown) {
        (Some(total), _) if shown == 0 || shown == total => format::counted(total, one, many),
        (Some(total), _) => span(&format!(" of {}", format::counted(total, one, many))),
        (None, 0) => format!("no {many}"),
        (None, _) => format!("{} of very many", span("")),
    };
    let categories: Vec<&str> = asked.category.iter().map(String::as_str).collect();
    let to = |label: String, name: &'static str, id: String, seen: i64| {
        let seen = seen.max(0).to_string();
        let mut query = asked.query(&categories);
        query.extend([(name, id.as_str()), ("seen", seen.as_str())]);
        Action {
            label,
            href: at_shelf(shop, &query),
        }
    };
    let next = page.next.map(|next| {
        let rest = page.total.map_or(size, |total| total.saturating_sub(last));
        let label = format!("Next {}", format::count(rest.clamp(1, size)));
        to(label, "after", next.to_string(), last)
    });
    let previous = page.previous.map(|previous| {
        let label = "Previous".to_owned();
        to(
            label,
            "before",
            previous.to_string(),
            before.saturating_sub(size),
        )
    });
    Pager {
        text,
        previous,
        next,
    }
}
