//! The catalogue: what is said of a product, stock, tiers, and real export files.

use crate::support::{World, completed, plain_offer, refused, tokens, want};
use scrip_domain::catalog::reservation::TooFew;
use scrip_domain::catalog::{
    CatalogError, Delivery, NewOffer, NewProduct, Tier, offer_by_sku, offer_put, product_detail,
    product_put, shop_export, stock_add, stock_deliver, stock_take,
};
use scrip_domain::id::OfferId;
use scrip_domain::order::Refusal;
use scrip_domain::vendor::token_price_at;
use scrip_testkit::TestDb;

both!(
    a_product_has_its_fields,
    entering_again_changes_and_keeps_stock,
    stock_falls_with_sales_and_cannot_be_oversold,
    a_tier_grants_its_upper_bound_and_takes_it_from_stock,
    stock_is_taken_all_or_none,
    deliveries_go_to_counted_offers,
    names_that_cannot_be_are_unknown,
    a_real_export_is_entered,
);

fn lamp() -> NewProduct {
    NewProduct {
        handle: "lamp".to_owned(),
        title: "Desk lamp".to_owned(),
        description: "Bright.\nWarm.".to_owned(),
        manufacturer: "Lumen & Sons".to_owned(),
        category: "Home".to_owned(),
        image_url: "https://shop.example/lamp.jpg".to_owned(),
        download_kb: 1_200,
        delivery: Delivery::Download,
        options: vec!["Colour".into()],
    }
}

/// SHP-09: a product shows its name, price, description, image, manufacturer and stock on
/// request.
fn a_product_has_its_fields(db: &TestDb) {
    let world = World::new(db);
    let vendor = world.vendor.clone();
    let red = NewOffer {
        variant: "Red".to_owned(),
        stock: Some(7),
        on_sale: true,
        ..plain_offer("lamp/red", tokens(12))
    };
    let blue = plain_offer("lamp/blue", tokens(15));
    let offers = [red, blue];
    world
        .write(move |tx| {
            let (product, new) = product_put(tx, &vendor, &lamp())?;
            assert!(new);
            for offer in &offers {
                offer_put(tx, &vendor, product, offer)?;
            }
            Ok::<_, CatalogError>(())
        })
        .unwrap();
    let book = world.book();
    let detail = world
        .node
        .engine
        .read(|tx| product_detail(tx, book, "lamp"))
        .unwrap();
    assert_eq!(detail.product, lamp());
    let shown: Vec<_> = detail
        .offers
        .iter()
        .map(|(o, stock)| (o.title.as_str(), o.price, *stock, o.on_sale))
        .collect();
    assert_eq!(shown.len(), 2);
    assert!(shown.contains(&("Desk lamp, Red", tokens(12), Some(7), true)));
    assert!(shown.contains(&("Desk lamp", tokens(15), None, false)));
    let unknown = world
        .node
        .engine
        .read(|tx| product_detail(tx, book, "lampe"));
    assert!(matches!(unknown, Err(CatalogError::ProductUnknown(_))));
    let other = world.other_vendor("other-shop").book_id;
    let elsewhere = world
        .node
        .engine
        .read(|tx| product_detail(tx, other, "lamp"));
    assert!(matches!(elsewhere, Err(CatalogError::ProductUnknown(_))));
}

fn entering_again_changes_and_keeps_stock(db: &TestDb) {
    let world = World::new(db);
    let first = world.stocked_offer("pen", 5, 10);
    let id = world.buyer(100);
    completed(world.place(id, &[want(first, 4)]));
    let again = world.stocked_offer("pen", 6, 10);
    assert_eq!(first, again);
    assert_eq!(world.stock(first), 6, "sales have counted it since");
    assert_eq!(world.quote(id, &[want(first, 1)]).required, tokens(6));
    let found = world
        .node
        .engine
        .read(|tx| offer_by_sku(tx, world.book(), "pen"));
    assert_eq!(found.unwrap(), Some(first));
    let count = "SELECT COUNT(*) FROM product WHERE book_id = $1";
    assert_eq!(world.number(count), 1);
}

/// SHP-09: stock falls with each sale, and what is not there is not sold.
fn stock_falls_with_sales_and_cannot_be_oversold(db: &TestDb) {
    let world = World::new(db);
    let pen = world.stocked_offer("pen", 5, 3);
    let cup = world.stocked_offer("cup", 5, 1);
    let (first, second) = (world.buyer(100), world.buyer(100));
    let seen = world.quote(first, &[want(pen, 2)]);
    assert_eq!(seen.remaining, tokens(90));
    completed(world.place(second, &[want(pen, 2)]));
    assert_eq!(world.stock(pen), 1);
    let out = refused(world.place(first, &[want(cup, 1), want(pen, 2)]));
    assert_eq!(
        out,
        Refusal::OutOfStock {
            title: "The pen".to_owned(),
            on_hand: 1
        }
    );
    assert_eq!((world.stock(pen), world.stock(cup)), (1, 1), "all or none");
    assert_eq!(world.balance(first), tokens(100), "nothing debited");
    // Two lines of one offer are one demand.
    let out = refused(world.place(first, &[want(pen, 1), want(pen, 1)]));
    assert!(matches!(out, Refusal::OutOfStock { on_hand: 1, .. }));
    completed(world.place(first, &[want(pen, 1), want(cup, 1)]));
    assert_eq!((world.stock(pen), world.stock(cup)), (0, 0));
    let out = refused(world.place(first, &[want(pen, 1)]));
    assert!(matches!(out, Refusal::OutOfStock { on_hand: 0, .. }));
}

/// SHP-10: tiers 1-100, 101-1,000, 1,001-10,000 at 10, 80, 600 tokens: asking for 101 pays 80 and
/// grants 1,000, which is what leaves the stock.
fn a_tier_grants_its_upper_bound_and_takes_it_from_stock(db: &TestDb) {
    let world = World::new(db);
    let tiers = [(100, 10), (1_000, 80), (10_000, 600)];
    let offer = world.offer_of(NewOffer {
        stock: Some(2_500),
        tiers: tiers
            .map(|(up_to, price)| Tier {
                up_to,
                price: tokens(price),
            })
            .to_vec(),
        ..plain_offer("stamps", tokens(0))
    });
    let id = world.buyer(1_000);
    for (quantity, price, granted) in [
        (1, 10, 100),
        (100, 10, 100),
        (101, 80, 1_000),
        (1_000, 80, 1_000),
        (1_001, 600, 10_000),
        (10_000, 600, 10_000),
    ] {
        let quote = world.quote(id, &[want(offer, quantity)]);
        assert_eq!(quote.required, tokens(price), "{quantity}");
        assert_eq!(quote.lines[0].granted, granted, "{quantity}");
    }
    let receipt = completed(world.place(id, &[want(offer, 101)]));
    assert_eq!(
        (receipt.total, receipt.lines[0].granted),
        (tokens(80), 1_000)
    );
    assert_eq!(world.stock(offer), 1_500);
    let out = refused(world.place(id, &[want(offer, 1_001)]));
    assert!(matches!(out, Refusal::OutOfStock { on_hand: 1_500, .. }));
    for wrong in [0, -1, 10_001, i64::MIN, i64::MAX] {
        let order = world.place_as(
            scrip_domain::Actor::System,
            &crate::support::request(id, &[want(offer, wrong)]),
        );
        let e = order.unwrap_err();
        let text = e.to_string();
        assert!(text.contains("take 1 to 10000"), "{text}");
    }
    assert_eq!(world.balance(id), tokens(920));
}

fn stock_is_taken_all_or_none(db: &TestDb) {
    let world = World::new(db);
    let (pen, cup) = (
        world.stocked_offer("pen", 5, 3),
        world.stocked_offer("cup", 5, 3),
    );
    let book = world.book();
    let take =
        |wanted: Vec<(OfferId, i64)>| world.write(move |tx| stock_take(tx, book, None, &wanted));
    let few = TooFew {
        offer_id: cup,
        free: 3,
        reserved: 0,
    };
    assert_eq!(take(vec![(pen, 1), (cup, 4)]).unwrap(), Err(few));
    assert_eq!((world.stock(pen), world.stock(cup)), (3, 3));
    assert_eq!(take(vec![(pen, 2), (cup, 3), (pen, 1)]).unwrap(), Ok(()));
    assert_eq!((world.stock(pen), world.stock(cup)), (0, 0));
    let too_many = take(vec![(pen, i64::MAX), (pen, 1)]);
    assert!(matches!(too_many, Err(CatalogError::Ledger(_))));
    let add = |n: i64| world.write(move |tx| stock_add(tx, book, &[(pen, n)]));
    add(i64::MAX).unwrap();
    assert!(matches!(add(1), Err(CatalogError::Ledger(_))));
    assert_eq!(world.stock(pen), i64::MAX);
}

fn deliveries_go_to_counted_offers(db: &TestDb) {
    let world = World::new(db);
    let (pen, advice) = (world.stocked_offer("pen", 1, 5), world.offer("advice", 1));
    let book = world.book();
    let deliver =
        |offer: OfferId, pieces: i64| world.write(move |tx| stock_deliver(tx, book, offer, pieces));
    deliver(pen, 3).unwrap();
    assert_eq!(world.stock(pen), 8);
    let uncounted = deliver(advice, 1);
    assert!(matches!(uncounted, Err(CatalogError::NotCounted(sku)) if sku == "advice"));
    for pieces in [0, -1, i64::MIN] {
        let empty = deliver(pen, pieces);
        assert!(matches!(empty, Err(CatalogError::DeliveryEmpty(n)) if n == pieces));
    }
    assert!(matches!(
        deliver(pen, i64::MAX),
        Err(CatalogError::Ledger(_))
    ));
    let nobody = OfferId(uuid::Uuid::nil());
    assert!(matches!(
        deliver(nobody, 1),
        Err(CatalogError::OfferUnknown(_))
    ));
    assert_eq!(world.stock(pen), 8);
}

/// Names with letters that no handle has are unknown, even those that no database takes.
fn names_that_cannot_be_are_unknown(db: &TestDb) {
    let world = World::new(db);
    world.offer("pen", 1);
    for name in ["a\u{0}b", "\u{0}", "a&b", "pen\n", "\u{202e}pen", ""] {
        let engine = &world.node.engine;
        let product = engine.read(|tx| product_detail(tx, world.book(), name));
        assert!(
            matches!(product, Err(CatalogError::ProductUnknown(_))),
            "{name:?}"
        );
        let offer = engine.read(|tx| offer_by_sku(tx, world.book(), name));
        assert!(matches!(offer, Ok(None)), "{name:?}");
    }
}

/// SHP-09: the files of real shops, where they are at hand, are entered and shown.
fn a_real_export_is_entered(db: &TestDb) {
    let world = World::new(db);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    for name in ["apparel", "home-and-garden", "jewelery"] {
        let Ok(bytes) = std::fs::read(format!("{folder}/{name}.csv")) else {
            continue;
        };
        let now = world.now();
        let prices = shop_export::Prices {
            currency: world.vendor.currency.clone(),
            token: world.vendor.token.clone(),
            token_price: world
                .node
                .engine
                .read(|tx| token_price_at(tx, world.book(), now))
                .unwrap(),
        };
        let parsed = shop_export::parse(&bytes, &prices).unwrap();
        assert_eq!(parsed.errors, [], "{name}");
        assert!(parsed.drafts.len() >= 19, "{name}");
        let handle = parsed.drafts[0].product.handle.clone();
        let offers = parsed.drafts[0].offers.clone();
        let vendor = world.vendor.clone();
        world
            .write(move |tx| {
                for draft in &parsed.drafts {
                    let (product, _) = product_put(tx, &vendor, &draft.product)?;
                    for offer in &draft.offers {
                        offer_put(tx, &vendor, product, offer)?;
                    }
                }
                Ok::<_, CatalogError>(())
            })
            .unwrap();
        let shown = world
            .node
            .engine
            .read(|tx| product_detail(tx, world.book(), &handle));
        assert_eq!(shown.unwrap().offers.len(), offers.len());
    }
}
