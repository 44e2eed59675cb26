//! Things that are put on the shelf, and what a look at it shows.

use crate::support::{World, plain_offer, tokens};
use scrip_domain::catalog::shelf::{ShelfFilter, ShelfPage, Sort, shelf};
use scrip_domain::catalog::{NewOffer, NewProduct, offer_put, product_put};

pub(super) struct Thing<'a> {
    pub(super) handle: &'a str,
    pub(super) title: &'a str,
    pub(super) maker: &'a str,
    pub(super) category: &'a str,
    pub(super) price: i64,
}

pub(super) fn thing<'a>(handle: &'a str, title: &'a str, price: i64) -> Thing<'a> {
    Thing {
        handle,
        title,
        maker: "",
        category: "",
        price,
    }
}

pub(super) fn enter(
    world: &World,
    thing: &Thing<'_>,
    change: impl Fn(&mut NewProduct, &mut NewOffer),
) {
    let mut product = NewProduct {
        handle: thing.handle.to_owned(),
        title: thing.title.to_owned(),
        manufacturer: thing.maker.to_owned(),
        category: thing.category.to_owned(),
        ..NewProduct::default()
    };
    let mut offer = plain_offer(thing.handle, tokens(thing.price));
    change(&mut product, &mut offer);
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let (id, _) = product_put(tx, &vendor, &product)?;
            offer_put(tx, &vendor, id, &offer)
        })
        .unwrap();
    // Ids of one millisecond have no order among themselves.
    world.clock.advance_seconds(1);
}

pub(super) fn plain(world: &World, thing: &Thing<'_>) {
    enter(world, thing, |_, _| {});
}

pub(super) fn page(world: &World, filter: &ShelfFilter) -> ShelfPage {
    let engine = &world.node.engine;
    engine.read(|tx| shelf(tx, world.book(), filter)).unwrap()
}

pub(super) fn handles(page: &ShelfPage) -> Vec<String> {
    let items = page.items.iter();
    items.map(|p| p.product.handle.clone()).collect()
}

pub(super) fn found(world: &World, search: &str) -> String {
    let filter = ShelfFilter {
        search: search.to_owned(),
        sort: Sort::Name,
        ..ShelfFilter::default()
    };
    let page = page(world, &filter);
    assert_eq!(page.total, Some(page.items.len() as i64), "{search}");
    handles(&page).join(" ")
}
