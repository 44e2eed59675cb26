//! Finding products: words, filters, order, pages there and back; stock that is counted anew.

mod things;

use crate::support::{World, plain_offer, tokens, want};
use crate::watched::Watched;
use scrip_domain::catalog::shelf::{
    Branch, ShelfFilter, Sold, Sort, Start, categories, manufacturers, shelf, shelf_is_due,
    shelf_refresh,
};
use scrip_domain::catalog::{
    CatalogError, Delivery, NewProduct, OfferKind, offer_put, product_put, stock_correct,
    stock_corrections, stock_deliver,
};
use scrip_domain::vendor::{Sells, Storefront, storefront_set};
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;
use things::{Thing, enter, found, handles, page, plain, thing};

both!(
    all_words_must_be_there_and_the_last_may_be_begun,
    what_is_found_follows_every_change,
    the_best_match_comes_first,
    filters_narrow_what_is_shown,
    each_order_has_pages_there_and_back,
    common_words_are_walked_and_rare_ones_gathered,
    no_page_walks_the_book,
    a_branch_shows_software_or_the_rest,
    the_last_piece_and_a_delivery_turn_the_stock,
    odd_searches_find_nothing_and_break_nothing,
    stock_is_corrected_up_and_down_with_a_reason,
    pieces_that_were_not_counted_are_counted_from_now_on,
    handles_that_are_places_are_refused,
);

/// SHP-09
fn all_words_must_be_there_and_the_last_may_be_begun(db: &TestDb) {
    let world = World::new(db);
    let brulee = Thing {
        maker: "Société Générale",
        category: "Kitchen",
        ..thing("brulee", "Crème Brûlée Set", 5)
    };
    enter(&world, &brulee, |product, offer| {
        product.description = "With a torch, in 2 sizes.".into();
        offer.variant = "Größe XL".into();
    });
    plain(&world, &thing("lamp", "Red Desk Lamp", 5));
    plain(&world, &thing("lampshade", "Red Lampshade", 5));
    for (search, expected) in [
        ("creme brulee", "brulee"),
        ("CRÈME BRÛ", "brulee"),
        ("cre\u{300}me", "brulee"),
        ("creme bru set", ""),
        ("brulee set cr", "brulee"),
        ("societe", "brulee"),
        ("kitchen torch", "brulee"),
        ("grosse xl", "brulee"),
        ("red lamp", "lamp lampshade"),
        ("lamp red", "lamp"),
        ("red la", "lamp lampshade"),
        ("lamp desk", "lamp"),
        ("red creme", ""),
        ("lamps", "lampshade"),
        ("shade", ""),
        ("", "brulee lamp lampshade"),
    ] {
        assert_eq!(found(&world, search), expected, "{search:?}");
    }
    let other = world.beside("other-shop", "50");
    assert_eq!(found(&other, "lamp"), "", "each vendor its own");
}

fn what_is_found_follows_every_change(db: &TestDb) {
    let world = World::new(db);
    plain(&world, &thing("lamp", "Desk lamp", 5));
    plain(&world, &thing("lamp", "Desk light", 5));
    assert_eq!(
        (
            found(&world, "lamp").as_str(),
            found(&world, "light").as_str()
        ),
        ("lamp", "lamp")
    );
    // Its handle still has the word; another product's title does not any more.
    plain(&world, &thing("x1", "Old name", 5));
    plain(&world, &thing("x1", "New name", 5));
    assert_eq!(
        (found(&world, "old").as_str(), found(&world, "new").as_str()),
        ("", "x1")
    );
    let off = |active| {
        enter(&world, &thing("x1", "New name", 5), |_, o| {
            o.active = active
        })
    };
    off(false);
    assert_eq!(found(&world, "new"), "");
    let all = ShelfFilter {
        search: "new".into(),
        sold: Sold::NotForSale,
        ..ShelfFilter::default()
    };
    assert_eq!(handles(&page(&world, &all)), ["x1"], "staff find it");
    off(true);
    assert_eq!(found(&world, "new"), "x1");
}

fn the_best_match_comes_first(db: &TestDb) {
    let world = World::new(db);
    for (handle, title, about) in [
        ("a", "About clay", "Says more of a clay pot."),
        ("b", "Pot of clay", ""),
        ("c", "Clay pot for herbs", ""),
        ("d", "Clay pot", ""),
        ("e", "A clay plant pot", ""),
    ] {
        enter(&world, &thing(handle, title, 5), |p, _| {
            p.description = about.into()
        });
    }
    let best = ShelfFilter {
        search: "clay pot".into(),
        sort: Sort::Match,
        ..ShelfFilter::default()
    };
    assert_eq!(handles(&page(&world, &best)), ["d", "c", "e", "b", "a"]);
    let first = page(
        &world,
        &ShelfFilter {
            limit: 2,
            ..best.clone()
        },
    );
    let second = ShelfFilter {
        limit: 2,
        start: Start::After(first.next.unwrap()),
        ..best.clone()
    };
    let second = page(&world, &second);
    assert_eq!(handles(&second), ["e", "b"]);
    let back = ShelfFilter {
        limit: 2,
        start: Start::Before(second.previous.unwrap()),
        ..best
    };
    assert_eq!(page(&world, &back), first);
}

/// SHP-08: filters narrow the shelf to what is offered in a way.
fn filters_narrow_what_is_shown(db: &TestDb) {
    let world = World::new(db);
    let of = |handle, maker, category, price| Thing {
        maker,
        category,
        ..thing(handle, handle, price)
    };
    plain(&world, &of("pen", "Acme", "Office", 1));
    enter(&world, &of("ink", "Acme", "Office", 10), |_, o| {
        o.on_sale = true
    });
    enter(&world, &of("desk", "Birch", "Home", 100), |_, o| {
        o.stock = Some(0)
    });
    enter(&world, &of("app", "Birch", "", 7), |_, o| {
        o.kind = OfferKind::Time
    });
    let with = |change: &dyn Fn(&mut ShelfFilter)| {
        let mut filter = ShelfFilter {
            sort: Sort::Cheapest,
            ..ShelfFilter::default()
        };
        change(&mut filter);
        let page = page(&world, &filter);
        assert_eq!(page.total, Some(page.items.len() as i64), "{filter:?}");
        handles(&page).join(" ")
    };
    assert_eq!(with(&|_| {}), "pen app ink desk");
    assert_eq!(with(&|f| f.manufacturer = Some("Acme".into())), "pen ink");
    assert_eq!(with(&|f| f.manufacturer = Some(String::new())), "");
    assert_eq!(
        with(&|f| f.categories = vec!["Office".into(), "Home".into()]),
        "pen ink desk"
    );
    assert_eq!(with(&|f| f.on_sale = true), "ink");
    assert_eq!(with(&|f| f.in_stock = true), "pen app ink");
    assert_eq!(with(&|f| f.kind = Some(OfferKind::Time)), "app");
    assert_eq!(with(&|f| f.kind = Some(OfferKind::Uses)), "");
    assert_eq!(with(&|f| f.price_from = Some(tokens(7))), "app ink desk");
    assert_eq!(with(&|f| f.price_to = Some(tokens(7))), "pen app");
    assert_eq!(
        with(&|f| {
            f.price_from = Some(tokens(8));
            f.price_to = Some(tokens(2));
        }),
        ""
    );
    assert_eq!(
        with(&|f| f.price_from = Some(Amount::from_units(i64::MIN))),
        "pen app ink desk"
    );
    assert_eq!(
        with(&|f| {
            f.search = "i".into();
            f.manufacturer = Some("Acme".into());
            f.on_sale = true;
        }),
        "ink"
    );
    let engine = &world.node.engine;
    let makers = engine
        .read(|tx| manufacturers(tx, world.book(), None))
        .unwrap();
    assert_eq!(makers, [("Acme".to_owned(), 2), ("Birch".to_owned(), 2)]);
}

/// Every product is on one page and no other, forwards and backwards, in each order.
fn each_order_has_pages_there_and_back(db: &TestDb) {
    let world = World::new(db);
    for n in 0..13 {
        // Several have the same name and price.
        let (handle, title) = (format!("p{n:02}"), format!("Thing {}", n % 5));
        plain(&world, &thing(&handle, &title, [3, 1, 2][n % 3]));
    }
    for sort in Sort::ALL.iter().copied() {
        for search in ["", "thing"] {
            let all = ShelfFilter {
                sort,
                search: search.into(),
                limit: 100,
                ..ShelfFilter::default()
            };
            let whole = page(&world, &all);
            assert_eq!(
                (whole.items.len(), whole.previous, whole.next),
                (13, None, None)
            );
            let of = |start| {
                page(
                    &world,
                    &ShelfFilter {
                        limit: 4,
                        start,
                        ..all.clone()
                    },
                )
            };
            let mut pages = vec![of(Start::Beginning)];
            while let Some(next) = pages.last().unwrap().next {
                pages.push(of(Start::After(next)));
            }
            assert_eq!(pages.len(), 4, "{sort} {search:?}");
            let seen: Vec<String> = pages.iter().flat_map(handles).collect();
            assert_eq!(seen, handles(&whole), "{sort} {search:?}");
            let mut at = pages.len() - 1;
            while let Some(previous) = pages[at].previous {
                at -= 1;
                assert_eq!(
                    handles(&of(Start::Before(previous))),
                    handles(&pages[at]),
                    "{sort}"
                );
            }
            assert_eq!(at, 0, "back to the first page");
        }
    }
}

/// More than a thousand products have the word: the same page, without a total.
fn common_words_are_walked_and_rare_ones_gathered(db: &TestDb) {
    let world = World::new(db);
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            for n in 0..1_010 {
                let product = NewProduct {
                    handle: format!("p{n:04}"),
                    title: format!(
                        "Common thing {}",
                        if n % 500 == 7 { "rare" } else { "usual" }
                    ),
                    ..NewProduct::default()
                };
                let (id, _) = product_put(tx, &vendor, &product)?;
                offer_put(tx, &vendor, id, &plain_offer(&product.handle, tokens(1)))?;
            }
            Ok::<_, CatalogError>(())
        })
        .unwrap();
    let of = |search: &str, sort| {
        page(
            &world,
            &ShelfFilter {
                search: search.into(),
                sort,
                ..ShelfFilter::default()
            },
        )
    };
    for sort in Sort::ALL.iter().copied() {
        let common = of("thing comm", sort);
        assert_eq!((common.items.len(), common.total), (24, None), "{sort}");
        assert!(common.next.is_some() && common.previous.is_none());
        let rare = of("common rare", sort);
        assert_eq!((rare.items.len(), rare.total), (3, Some(3)), "{sort}");
    }
}

/// SQLite knows nothing of the sizes; still every page is a bounded range of an index that has
/// all that is asked for, or the rows of one word.
fn no_page_walks_the_book(db: &TestDb) {
    let world = World::new(db);
    for n in 0..30 {
        plain(&world, &thing(&format!("p{n}"), "Thing", 5));
    }
    for sort in Sort::ALL.iter().copied() {
        for search in ["", "thing"] {
            let filter = ShelfFilter {
                sort,
                search: search.into(),
                price_to: Some(tokens(9)),
                ..ShelfFilter::default()
            };
            let engine = &world.node.engine;
            let steps = engine.read(|tx| {
                let mut tx = Watched::new(tx);
                shelf(&mut tx, world.book(), &filter)?;
                assert!(tx.queries <= 8, "{} queries", tx.queries);
                Ok::<_, CatalogError>(tx.plans)
            });
            for step in steps.unwrap() {
                assert!(!step.starts_with("SCAN s"), "{step}");
                assert!(
                    !step.contains("TEMP B-TREE FOR ORDER BY") || step.contains("RIGHT"),
                    "{step}"
                );
                if step.starts_with("SEARCH s USING INDEX") {
                    panic!("not covering: {step}");
                }
            }
        }
    }
}

/// SHP-06
fn a_branch_shows_software_or_the_rest(db: &TestDb) {
    let world = World::new(db);
    let sells = |sells| {
        let vendor = world.vendor.clone();
        let front = Storefront {
            sells,
            ..Storefront::default()
        };
        world
            .write(move |tx| storefront_set(tx, scrip_domain::Actor::System, &vendor, &front))
            .unwrap();
        while world
            .node
            .engine
            .read(|tx| shelf_is_due(tx, world.book()))
            .unwrap()
        {
            let book = world.book();
            world.write(move |tx| shelf_refresh(tx, book, 2)).unwrap();
        }
    };
    sells(Sells::Both);
    let of = |handle, category| Thing {
        category,
        ..thing(handle, handle, 5)
    };
    plain(&world, &of("cup", "Home"));
    enter(&world, &of("app", "Tools"), |p, _| {
        p.delivery = Delivery::Download
    });
    enter(&world, &of("class", "Home"), |p, _| {
        p.delivery = Delivery::InPerson
    });
    let shown = |branch| {
        let filter = ShelfFilter {
            branch,
            ..ShelfFilter::default()
        };
        let engine = &world.node.engine;
        let counts = engine
            .read(|tx| categories(tx, world.book(), branch))
            .unwrap();
        let counts: i64 = counts.into_iter().map(|(_, n)| n).sum();
        let page = page(&world, &filter);
        assert_eq!(page.total, Some(counts));
        handles(&page).join(" ")
    };
    assert_eq!(shown(None), "cup app class");
    assert_eq!(shown(Some(Branch::Software)), "app");
    assert_eq!(shown(Some(Branch::Goods)), "cup class");
    sells(Sells::Software);
    assert_eq!(
        shown(Some(Branch::Software)),
        "cup app",
        "what is usual has changed"
    );
    sells(Sells::Goods);
    assert_eq!(shown(Some(Branch::Goods)), "cup class");
}

fn the_last_piece_and_a_delivery_turn_the_stock(db: &TestDb) {
    let world = World::new(db);
    let (pen, buyer) = (world.stocked_offer("pen", 1, 2), world.buyer(500));
    let book = world.book();
    let there = || {
        world.write(move |tx| shelf_refresh(tx, book, 10)).unwrap();
        let filter = ShelfFilter {
            in_stock: true,
            ..ShelfFilter::default()
        };
        page(&world, &filter).items.len()
    };
    world.place(buyer, &[want(pen, 1)]);
    assert!(
        !world.node.engine.read(|tx| shelf_is_due(tx, book)).unwrap(),
        "one is left"
    );
    assert_eq!(there(), 1);
    world.place(buyer, &[want(pen, 1)]);
    assert_eq!(there(), 0);
    world
        .write(move |tx| stock_deliver(tx, book, pen, 4))
        .unwrap();
    assert_eq!(there(), 1);
}

fn odd_searches_find_nothing_and_break_nothing(db: &TestDb) {
    let world = World::new(db);
    plain(&world, &thing("pen", "50% pen_", 5));
    for odd in [
        "%",
        "_",
        "\u{0}",
        "\u{202e}",
        "' OR 1=1 --",
        "\u{10FFFF}",
        "🦀",
        "x\0pen2",
    ] {
        assert_eq!(found(&world, odd), "", "{odd:?}");
    }
    for fine in [
        "pen\u{0}",
        "  pen  ",
        "<pen>",
        &format!("{} pen", "50 ".repeat(1000)),
    ] {
        assert!(
            page(
                &world,
                &ShelfFilter {
                    search: fine.into(),
                    ..ShelfFilter::default()
                }
            )
            .items
            .len()
                == 1,
            "{fine:.20}"
        );
    }
    assert_eq!(found(&world, &"x".repeat(100_000)), "");
}

/// SHP-09
fn stock_is_corrected_up_and_down_with_a_reason(db: &TestDb) {
    let world = World::new(db);
    let (pen, buyer) = (world.stocked_offer("pen", 1, 10), world.buyer(500));
    let actor = Actor::Staff(world.staff("Kim"));
    let correct = |had, has, reason: &'static str| {
        let vendor = world.vendor.clone();
        world.write(move |tx| stock_correct(tx, actor, &vendor, pen, (had, has), reason))
    };
    correct(Some(10), 7, "three were broken").unwrap();
    assert_eq!(world.stock(pen), 7);
    world.place(buyer, &[want(pen, 2)]);
    let moved = correct(Some(7), 9, "counted").unwrap_err();
    assert!(moved.to_string().contains("is 5, not 7"), "{moved}");
    correct(Some(5), 9, "found a box").unwrap();
    assert_eq!(world.stock(pen), 9);
    for (has, reason) in [(-1, "x"), (1, ""), (i64::MIN, "x")] {
        correct(Some(9), has, reason).unwrap_err();
    }
    correct(Some(9), 0, "lost").unwrap();
    let kept = world
        .node
        .engine
        .read(|tx| stock_corrections(tx, world.book(), pen, 10))
        .unwrap();
    let kept: Vec<_> = kept
        .iter()
        .map(|c| (c.had, c.has, c.reason.as_str()))
        .collect();
    let expected = [
        (Some(9), 0, "lost"),
        (Some(5), 9, "found a box"),
        (Some(10), 7, "three were broken"),
    ];
    assert_eq!(kept, expected);
}

fn pieces_that_were_not_counted_are_counted_from_now_on(db: &TestDb) {
    let world = World::new(db);
    let (advice, buyer) = (world.offer("advice", 1), world.buyer(500));
    let actor = Actor::Staff(world.staff("Kim"));
    let correct = |had, has| {
        let vendor = world.vendor.clone();
        world.write(move |tx| stock_correct(tx, actor, &vendor, advice, (had, has), "stocktaking"))
    };
    correct(Some(0), 3).unwrap_err();
    correct(None, 3).unwrap();
    assert_eq!(world.stock(advice), 3);
    world.place(buyer, &[want(advice, 3)]);
    assert_eq!(world.stock(advice), 0);
    correct(None, 3).unwrap_err();
}

/// No address can end in them.
fn handles_that_are_places_are_refused(db: &TestDb) {
    let world = World::new(db);
    for handle in [".", "..", " .. "] {
        let vendor = world.vendor.clone();
        let product = NewProduct {
            handle: handle.to_owned(),
            title: "Dot".to_owned(),
            ..NewProduct::default()
        };
        let refused = world.write(move |tx| product_put(tx, &vendor, &product));
        assert!(
            matches!(refused, Err(CatalogError::HandleInvalid(_))),
            "{handle:?}"
        );
    }
    plain(&world, &thing("...", "Dots", 5));
}
