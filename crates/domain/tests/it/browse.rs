//! Looking through the catalogue: categories, pages, what they cost.

use crate::support::{World, plain_offer, tokens};
use crate::watched::Watched;
use scrip_domain::catalog::shelf::{ShelfFilter, shelf};
use scrip_domain::catalog::{
    CatalogError, NewOffer, NewProduct, OfferKind, PRODUCTS_AT_MOST, ProductDetail, ProductFilter,
    ProductPage, Tier, categories, offer_put, product_detail, product_put, products,
};
use scrip_domain::page::Page;
use scrip_testkit::TestDb;

both!(
    ticked_categories_are_merged_in_order_of_entry,
    pages_follow_each_other_without_gaps,
    a_page_shows_what_can_be_bought_how,
    what_is_not_sold_is_not_in_the_shop,
    a_page_takes_as_many_queries_whatever_its_size,
    awkward_filters,
);

/// Enters a product with offers named after it.
fn product(world: &World, handle: &str, category: &str, offers: Vec<NewOffer>) {
    let vendor = world.vendor.clone();
    let new = NewProduct {
        handle: handle.to_owned(),
        title: handle.to_uppercase(),
        category: category.to_owned(),
        ..NewProduct::default()
    };
    world
        .write(move |tx| {
            let (product, _) = product_put(tx, &vendor, &new)?;
            for offer in &offers {
                offer_put(tx, &vendor, product, offer)?;
            }
            Ok::<_, CatalogError>(())
        })
        .unwrap();
    // Ids of one millisecond have no order among themselves.
    world.clock.advance_seconds(1);
}

fn simple(world: &World, handle: &str, category: &str) {
    product(
        world,
        handle,
        category,
        vec![plain_offer(handle, tokens(1))],
    );
}

fn of(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn page(world: &World, filter: &ProductFilter) -> ProductPage {
    let page = world
        .node
        .engine
        .read(|tx| products(tx, world.book(), filter));
    page.unwrap()
}

fn handles(items: &[ProductDetail]) -> Vec<&str> {
    items.iter().map(|p| p.product.handle.as_str()).collect()
}

fn all_categories(world: &World) -> Vec<(String, i64)> {
    let found = world.node.engine.read(|tx| categories(tx, world.book()));
    found.unwrap()
}

/// Products for sale in some categories; none are all.
fn counted(world: &World, wanted: &[&str]) -> i64 {
    let filter = ShelfFilter {
        categories: of(wanted),
        ..ShelfFilter::default()
    };
    let page = world
        .node
        .engine
        .read(|tx| shelf(tx, world.book(), &filter));
    page.unwrap().total.unwrap()
}

/// SHP-07: a tick adds a category, taking it away restores what was there, none shows all.
fn ticked_categories_are_merged_in_order_of_entry(db: &TestDb) {
    let world = World::new(db);
    for (handle, category) in [
        ("ball", "Sport"),
        ("axe", "Tools"),
        ("cup", "Home"),
        ("net", "Sport"),
        ("bed", "Home"),
        ("odd", ""),
    ] {
        simple(&world, handle, category);
    }
    let shown = |names: &[&str]| {
        let filter = ProductFilter {
            categories: of(names),
            ..ProductFilter::default()
        };
        let page = page(&world, &filter);
        assert_eq!(page.next, None, "{names:?}");
        assert_eq!(page.items.len() as i64, counted(&world, names), "{names:?}");
        handles(&page.items).join(" ")
    };
    assert_eq!(shown(&[]), "ball axe cup net bed odd");
    assert_eq!(shown(&["Home"]), "cup bed");
    assert_eq!(shown(&["Home", "Sport"]), "ball cup net bed");
    assert_eq!(shown(&["Sport", "Home"]), "ball cup net bed");
    assert_eq!(
        shown(&["Home", "Home"]),
        "cup bed",
        "ticked twice is ticked"
    );
    assert_eq!(shown(&[""]), "odd");
    assert_eq!(shown(&["home"]), "", "another category");
    let names: Vec<_> = all_categories(&world);
    let expected = [("", 1), ("Home", 2), ("Sport", 2), ("Tools", 1)];
    assert_eq!(names, expected.map(|(n, c)| (n.to_owned(), c)));
    let other = world.other_vendor("other-shop").book_id;
    let elsewhere = world.node.engine.read(|tx| {
        let page = products(tx, other, &ProductFilter::default())?;
        Ok::<_, CatalogError>((page.items.len(), categories(tx, other)?.len()))
    });
    assert_eq!(elsewhere.unwrap(), (0, 0), "each vendor its own");
}

/// Every product is on one page and no other, whatever the size, with and without categories.
fn pages_follow_each_other_without_gaps(db: &TestDb) {
    let world = World::new(db);
    let names: Vec<String> = (0..17).map(|n| format!("p{n:02}")).collect();
    for (n, name) in names.iter().enumerate() {
        simple(&world, name, ["A", "B", "C"][n % 3]);
    }
    let in_a_or_c = names.iter().enumerate().filter(|(n, _)| n % 3 != 1);
    let in_a_or_c: Vec<&str> = in_a_or_c.map(|(_, name)| name.as_str()).collect();
    let everything: Vec<&str> = names.iter().map(String::as_str).collect();
    for (categories, expected) in [(of(&[]), everything), (of(&["A", "C"]), in_a_or_c)] {
        for limit in [1, 2, 5, 6, 16, 17, 18, 100] {
            let mut found: Vec<String> = Vec::new();
            let mut filter = ProductFilter {
                categories: categories.clone(),
                limit,
                for_sale_only: limit % 2 == 0,
                after: None,
            };
            loop {
                let Page { items, next } = page(&world, &filter);
                assert!(!items.is_empty() && items.len() <= limit);
                found.extend(items.into_iter().map(|p| p.product.handle));
                if next.is_none() {
                    break;
                }
                filter.after = next;
            }
            assert_eq!(found, expected, "{limit} on a page");
        }
    }
}

/// SHP-08: A: purchase; B: purchase and time; C: purchase and uses; D: processings only. SHP-09:
/// prices, stock, tiers and the size of the download come with the page.
fn a_page_shows_what_can_be_bought_how(db: &TestDb) {
    let world = World::new(db);
    let kind = |sku: &str, kind| NewOffer {
        kind,
        ..plain_offer(sku, tokens(3))
    };
    let tier = |up_to, price| Tier {
        up_to,
        price: tokens(price),
    };
    let tiers = vec![tier(100, 10), tier(1_000, 80), tier(10_000, 600)];
    use OfferKind::{Processings, Purchase, Time, Uses};
    product(
        &world,
        "a",
        "",
        vec![NewOffer {
            stock: Some(4),
            ..kind("a-buy", Purchase)
        }],
    );
    product(
        &world,
        "b",
        "",
        vec![kind("b-buy", Purchase), kind("b-time", Time)],
    );
    product(
        &world,
        "c",
        "",
        vec![kind("c-buy", Purchase), kind("c-uses", Uses)],
    );
    product(
        &world,
        "d",
        "",
        vec![NewOffer {
            tiers: tiers.clone(),
            ..kind("d-jobs", Processings)
        }],
    );
    let page = page(&world, &ProductFilter::default());
    let matrix: Vec<(&str, Vec<OfferKind>)> = page
        .items
        .iter()
        .map(|p| {
            let mut kinds: Vec<OfferKind> = p.offers.iter().map(|(o, _)| o.kind).collect();
            kinds.sort();
            (p.product.title.as_str(), kinds)
        })
        .collect();
    let expected = [
        ("A", vec![Purchase]),
        ("B", vec![Purchase, Time]),
        ("C", vec![Purchase, Uses]),
        ("D", vec![Processings]),
    ];
    assert_eq!(matrix, expected);
    assert_eq!(page.items[0].offers[0].1, Some(4), "in stock");
    assert_eq!(page.items[1].offers[0].1, None, "not counted");
    assert_eq!(page.items[3].offers[0].0.tiers, tiers);
    for item in &page.items {
        let alone = world
            .node
            .engine
            .read(|tx| product_detail(tx, world.book(), &item.product.handle));
        assert_eq!(alone.unwrap(), *item, "on its own page the same");
    }
}

/// SHP-08: only what is available can be chosen; the vendor sees the rest too.
fn what_is_not_sold_is_not_in_the_shop(db: &TestDb) {
    let world = World::new(db);
    let off = |sku: &str| NewOffer {
        active: false,
        ..plain_offer(sku, tokens(1))
    };
    simple(&world, "sold", "Home");
    product(
        &world,
        "half",
        "Home",
        vec![plain_offer("h1", tokens(1)), off("h2")],
    );
    product(&world, "gone", "Home", vec![off("g1"), off("g2")]);
    product(&world, "bare", "Attic", Vec::new());
    for categories in [of(&[]), of(&["Attic", "Home"])] {
        let vendors = ProductFilter {
            categories,
            ..ProductFilter::default()
        };
        let shops = ProductFilter {
            for_sale_only: true,
            ..vendors.clone()
        };
        let seen = page(&world, &vendors);
        assert_eq!(handles(&seen.items), ["sold", "half", "gone", "bare"]);
        let offers =
            |items: &[ProductDetail]| items.iter().map(|p| p.offers.len()).collect::<Vec<_>>();
        assert_eq!(offers(&seen.items), [1, 2, 2, 0]);
        let seen = page(&world, &shops);
        assert_eq!(handles(&seen.items), ["sold", "half"]);
        assert_eq!(offers(&seen.items), [1, 1]);
        // A page of one goes on after what is left out.
        let first = page(
            &world,
            &ProductFilter {
                limit: 1,
                ..shops.clone()
            },
        );
        let rest = ProductFilter {
            after: first.next,
            ..shops
        };
        assert_eq!(handles(&page(&world, &rest).items), ["half"]);
    }
    assert_eq!(all_categories(&world), [("Home".to_owned(), 2)]);
    let counts = [&[][..], &["Home"], &["Attic"], &["Home", "Attic"]];
    assert_eq!(counts.map(|c| counted(&world, c)), [2, 2, 0, 2]);
}

/// The page of one product and the page of sixty make as many queries, and none of them goes
/// through the whole book, though SQLite knows nothing of the sizes.
fn a_page_takes_as_many_queries_whatever_its_size(db: &TestDb) {
    let world = World::new(db);
    for n in 0..60 {
        let (name, category) = (format!("p{n}"), format!("c{}", n % 4));
        let tiers = [(10, 1), (20, 2)].map(|(up_to, price)| Tier {
            up_to,
            price: tokens(price),
        });
        let offers = ["x", "y"].map(|variant| NewOffer {
            stock: Some(n),
            tiers: tiers.to_vec(),
            ..plain_offer(&format!("{name}/{variant}"), tokens(1))
        });
        product(&world, &name, &category, offers.to_vec());
    }
    for categories in [of(&[]), of(&["c1"]), of(&["c0", "c1", "c2", "c3"])] {
        for for_sale_only in [false, true] {
            let ranges = categories.len().max(1);
            let there = if categories.len() == 1 { 15 } else { 60 };
            for limit in [1, 7, 60] {
                let filter = ProductFilter {
                    categories: categories.clone(),
                    limit,
                    for_sale_only,
                    after: None,
                };
                let queries = world.node.engine.read(|tx| {
                    let mut tx = Watched::new(tx);
                    let page = products(&mut tx, world.book(), &filter)?;
                    assert_eq!(page.items.len(), limit.min(there));
                    let tiers = page.items.iter().flat_map(|p| &p.offers);
                    assert!(
                        tiers
                            .into_iter()
                            .all(|(o, s)| o.tiers.len() == 2 && s.is_some())
                    );
                    let of_book = tx.walks();
                    assert_eq!(of_book, [""; 0], "{filter:?}");
                    Ok::<_, CatalogError>(tx.queries)
                });
                assert_eq!(queries.unwrap(), ranges + 3, "{filter:?}");
            }
        }
    }
    let walks = world.node.engine.read(|tx| {
        let mut tx = Watched::new(tx);
        categories(&mut tx, world.book())?;
        let walks: Vec<String> = tx.walks().iter().map(|w| (*w).to_owned()).collect();
        Ok::<_, CatalogError>(walks)
    });
    assert_eq!(walks.unwrap(), [""; 0], "counts are kept");
}

fn awkward_filters(db: &TestDb) {
    let world = World::new(db);
    for n in 0..PRODUCTS_AT_MOST + 1 {
        let vendor = world.vendor.clone();
        let new = NewProduct {
            handle: format!("p{n}"),
            title: "P".to_owned(),
            ..NewProduct::default()
        };
        world
            .write(move |tx| product_put(tx, &vendor, &new))
            .unwrap();
    }
    let of_limit = |limit| {
        let filter = ProductFilter {
            limit,
            ..ProductFilter::default()
        };
        page(&world, &filter)
    };
    assert_eq!(of_limit(0).items.len(), 1, "the nearest size there is");
    let most = of_limit(usize::MAX);
    assert_eq!(most.items.len(), PRODUCTS_AT_MOST);
    let rest = ProductFilter {
        after: most.next,
        ..ProductFilter::default()
    };
    let last = page(&world, &rest);
    assert_eq!((last.items.len(), last.next), (1, None));
    let beyond = ProductFilter {
        after: Some(last.items[0].product_id),
        ..ProductFilter::default()
    };
    assert_eq!(page(&world, &beyond).items, []);
    let filter = ProductFilter {
        categories: vec!["'; DROP TABLE product; --".to_owned(); 101],
        ..ProductFilter::default()
    };
    let book = world.book();
    let many = world.node.engine.read(|tx| products(tx, book, &filter));
    assert!(many.unwrap_err().to_string().contains("choose fewer"));
    let filter = ShelfFilter {
        categories: filter.categories,
        ..ShelfFilter::default()
    };
    let many = world.node.engine.read(|tx| shelf(tx, book, &filter));
    assert!(matches!(
        many,
        Err(CatalogError::TooManyCategories { chosen: 101, .. })
    ));
    assert_eq!(
        counted(&world, &["'; DROP TABLE product; --", "\u{1F980}"]),
        0
    );
}
