//! Imports of a catalogue: looked through, entered, undone; files of all sorts; pictures.

mod files;

use crate::support::{World, plain_offer, tokens, want};
use proptest::prelude::*;
use scrip_domain::Actor;
use scrip_domain::catalog::edit::{offer_edit, product_edit, product_sale, seen};
use scrip_domain::catalog::images::{content, image_add, image_change, of_product, picture};
use scrip_domain::catalog::imports::{
    Action, File, Import, Row, State, import_apply, import_by_id, import_check, import_rows,
    import_step, import_undo, imports_expire,
};
use scrip_domain::catalog::shop_export::Prices;
use scrip_domain::catalog::{
    CatalogError, Delivery, NewOffer, NewProduct, OfferKind, ProductDetail, Tier, offer_by_sku,
    product_by_id, product_detail, sheet,
};
use scrip_domain::id::ImportId;
use scrip_domain::order::{order_list, order_list_set};
use scrip_ledger::export::{is_formula, plain_cell};
use scrip_testkit::TestDb;

both!(
    a_file_is_looked_through_entered_and_undone,
    an_export_that_is_imported_changes_nothing,
    what_a_file_does_not_name_goes_off_sale_and_stays_on_lists,
    an_import_goes_on_where_it_stopped,
    what_changed_since_is_not_undone,
    wrong_rows_are_told_with_their_column,
    old_imports_are_forgotten,
    stale_changes_of_staff_are_refused,
    pictures_are_taken_by_their_content,
);

fn check(world: &World, text: &[u8], take_off: bool) -> Result<ImportId, CatalogError> {
    let file = File {
        name: "goods.csv".into(),
        bytes: text.to_vec(),
        take_off,
    };
    let prices = prices(world);
    import_check(&world.node, Actor::System, &world.vendor, &prices, &file)
}

fn prices(world: &World) -> Prices {
    Prices {
        currency: world.vendor.currency.clone(),
        token: world.vendor.token.clone(),
        token_price: scrip_domain::Amount::from_units(1),
    }
}

fn state(world: &World, id: ImportId) -> (Import, Vec<Row>) {
    let book = world.book();
    let engine = &world.node.engine;
    engine
        .read(|tx| {
            Ok::<_, CatalogError>((import_by_id(tx, book, id)?, import_rows(tx, book, id, 500)?))
        })
        .unwrap()
}

fn run(world: &World) {
    let vendor = world.vendor.clone();
    while world
        .write({
            let vendor = vendor.clone();
            move |tx| import_step(tx, &vendor)
        })
        .unwrap()
    {}
}

fn apply(world: &World, id: ImportId) {
    let book = world.book();
    world
        .write(move |tx| import_apply(tx, Actor::System, book, id))
        .unwrap();
    run(world);
}

fn undo(world: &World, id: ImportId) {
    let book = world.book();
    world
        .write(move |tx| import_undo(tx, Actor::System, book, id))
        .unwrap();
    run(world);
}

fn detail(world: &World, handle: &str) -> ProductDetail {
    let engine = &world.node.engine;
    engine
        .read(|tx| product_detail(tx, world.book(), handle))
        .unwrap()
}

fn sold(world: &World, handle: &str) -> bool {
    detail(world, handle).offers.iter().any(|(o, _)| o.active)
}

const HEAD: &str = "handle,title,sku,price,stock\n";

/// SHP-09: products come with all their fields from a file that is looked through first.
fn a_file_is_looked_through_entered_and_undone(db: &TestDb) {
    let world = World::new(db);
    world.stocked_offer("pen", 5, 7);
    world.offer("same", 3);
    let text =
        format!("{HEAD}pen,The pen,pen,6,99\nsame,The same,same,3,\ncup,A cup,cup,\"2,5\",4\n");
    let id = check(&world, text.as_bytes(), false).unwrap();
    let (import, rows) = state(&world, id);
    assert_eq!(import.state, State::Checked);
    assert_eq!(
        (
            import.new_products,
            import.changed_products,
            import.unchanged_products,
            import.errors
        ),
        (1, 1, 1, 0)
    );
    assert_eq!(rows.len(), 2);
    assert_eq!(
        detail(&world, "pen").offers[0].0.price,
        tokens(5),
        "nothing is written"
    );
    apply(&world, id);
    assert_eq!(state(&world, id).0.state, State::Applied);
    assert_eq!(detail(&world, "pen").offers[0].0.price, tokens(6));
    assert_eq!(
        detail(&world, "pen").offers[0].1,
        Some(7),
        "sales and deliveries move stock"
    );
    assert_eq!(detail(&world, "cup").offers[0].1, Some(4));
    let book = world.book();
    let twice = world.write(move |tx| import_apply(tx, Actor::System, book, id));
    assert!(matches!(twice, Err(CatalogError::ImportState(_))));
    undo(&world, id);
    assert_eq!(detail(&world, "pen").offers[0].0.price, tokens(5));
    assert!(!sold(&world, "cup"), "what was new is off sale");
    let (import, rows) = state(&world, id);
    assert_eq!(import.state, State::Undone);
    assert!(
        rows.iter().any(|r| r.note.contains("off sale now")),
        "{rows:?}"
    );
}

fn export(world: &World) -> String {
    let mut text = format!("\u{feff}{}", sheet::head());
    let filter = scrip_domain::catalog::ProductFilter {
        limit: 100,
        ..Default::default()
    };
    let page = world
        .node
        .engine
        .read(|tx| scrip_domain::catalog::products(tx, world.book(), &filter));
    for detail in page.unwrap().items {
        text.push_str(&sheet::rows(&detail, &world.vendor.token));
    }
    text
}

fn an_export_that_is_imported_changes_nothing(db: &TestDb) {
    let world = World::new(db);
    let vendor = world.vendor.clone();
    let product = NewProduct {
        handle: "=cmd/x".replace('=', "+"),
        title: "=SUM(A1)".into(),
        description: "-1\r\nsecond \"line\"; with, all\ttabs".into(),
        manufacturer: "@home".into(),
        category: "'=quoted".into(),
        image_url: "https://x.example/a.png".into(),
        download_kb: 12,
        delivery: Delivery::Shipped,
        options: vec!["Size|\\".into(), "Colour".into()],
    };
    let offer = NewOffer {
        options: vec!["".into(), "red|blue".into()],
        variant: "'+".into(),
        kind: OfferKind::Uses,
        tiers: vec![
            Tier {
                up_to: 5,
                price: tokens(1),
            },
            Tier {
                up_to: 50,
                price: tokens(9),
            },
        ],
        on_sale: true,
        active: false,
        ..plain_offer("+1", tokens(0))
    };
    world
        .write(move |tx| {
            let id = product_edit(tx, Actor::System, &vendor, None, &product)?;
            offer_edit(tx, Actor::System, &vendor, id, None, &offer)
        })
        .unwrap();
    world.stocked_offer("pen", 0, 3);
    let text = export(&world);
    assert!(
        !text
            .split('\n')
            .any(|line| line.starts_with(['=', '+', '-', '@'])),
        "{text}"
    );
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let plain = text.trim_start_matches('\u{feff}');
    let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [text.as_bytes(), plain.as_bytes(), &utf16, &wide] {
        let (import, rows) = state(&world, check(&world, bytes, true).unwrap());
        assert_eq!(
            (import.steps, import.errors, import.unchanged_products),
            (0, 0, 2),
            "{rows:?}\n{text}"
        );
    }
}

fn what_a_file_does_not_name_goes_off_sale_and_stays_on_lists(db: &TestDb) {
    let world = World::new(db);
    let (pen, buyer) = (world.offer("pen", 5), world.buyer(100));
    world.offer("cup", 5);
    let book = world.book();
    let actor = Actor::Customer(buyer);
    world
        .write(move |tx| order_list_set(tx, actor, book, buyer, pen, 2))
        .unwrap();
    let text = format!("{HEAD}cup,The cup,cup,5,\n");
    let id = check(&world, text.as_bytes(), true).unwrap();
    let (import, rows) = state(&world, id);
    assert_eq!(
        (import.taken_off, import.on_lists, import.unchanged_products),
        (1, 1, 1)
    );
    assert!(
        rows[0].note.contains("1 order list") && rows[0].action == Action::Off,
        "{rows:?}"
    );
    apply(&world, id);
    assert!(!sold(&world, "pen") && sold(&world, "cup"));
    let list = world
        .node
        .engine
        .read(|tx| order_list(tx, actor, book, buyer))
        .unwrap();
    assert_eq!(list.lines.len(), 1, "the line stays");
    assert!(
        list.lines[0].problem.is_some() && !list.lines[0].is_counted(),
        "with a note"
    );
    undo(&world, id);
    assert!(sold(&world, "pen"));
    let list = world
        .node
        .engine
        .read(|tx| order_list(tx, actor, book, buyer))
        .unwrap();
    assert!(list.lines[0].problem.is_none());
}

/// Each step is a transaction of its own; a process that stops between two goes on there.
fn an_import_goes_on_where_it_stopped(db: &TestDb) {
    let world = World::new(db);
    let mut text = HEAD.to_owned();
    for n in 0..120 {
        text.push_str(&format!("p{n},Thing {n},p{n},1,\n"));
    }
    let id = check(&world, text.as_bytes(), false).unwrap();
    let (vendor, book) = (world.vendor.clone(), world.book());
    world
        .write(move |tx| import_apply(tx, Actor::System, book, id))
        .unwrap();
    let step = || {
        let vendor = vendor.clone();
        world.write(move |tx| import_step(tx, &vendor)).unwrap()
    };
    assert!(step());
    assert_eq!(state(&world, id).0.done, 50);
    let other = check(&world, text.as_bytes(), false).unwrap();
    let busy = world.write(move |tx| import_apply(tx, Actor::System, book, other));
    assert!(
        matches!(busy, Err(CatalogError::ImportState(_))),
        "one at a time"
    );
    assert!(step());
    assert!(!step());
    assert!(!step(), "nothing is left to do");
    assert_eq!(
        (state(&world, id).0.done, state(&world, id).0.state),
        (120, State::Applied)
    );
    undo(&world, id);
    assert!(!sold(&world, "p0") && !sold(&world, "p119"));
}

fn what_changed_since_is_not_undone(db: &TestDb) {
    let world = World::new(db);
    world.offer("pen", 5);
    world.offer("cup", 5);
    let text = format!("{HEAD}pen,The pen,pen,6,\ncup,The cup,cup,6,\n");
    let id = check(&world, text.as_bytes(), false).unwrap();
    apply(&world, id);
    world.offer("pen", 8);
    let cup = world
        .node
        .engine
        .read(|tx| offer_by_sku(tx, world.book(), "cup"))
        .unwrap()
        .unwrap();
    world.place(world.buyer(100), &[want(cup, 1)]);
    undo(&world, id);
    assert_eq!(detail(&world, "pen").offers[0].0.price, tokens(8));
    assert_eq!(detail(&world, "cup").offers[0].0.price, tokens(5));
    let (_, rows) = state(&world, id);
    let note = |handle| {
        rows.iter()
            .find(|r| r.subject == handle)
            .unwrap()
            .note
            .clone()
    };
    assert!(note("pen").contains("changed since"), "{rows:?}");
    assert!(note("cup").contains("sold since"), "{rows:?}");
}

fn wrong_rows_are_told_with_their_column(db: &TestDb) {
    let world = World::new(db);
    world.offer("mine", 1);
    let long = "x".repeat(600_000);
    let rows = [
        "a,A,a,-1,",
        "b,B,b,99999999999999999999,",
        "c,C,c,,",
        "d,D,d,1,x",
        "e,E,e,1,",
        "e2,E2,e,1,",
        ",F,f,1,",
        "g,,g,1,",
        "h,H,h,\"1,234.5\",",
        "i,I,mine,1,",
        "j,J\0,j,1,",
        "k,K,k,1",
        &format!("l,{long},l,1,"),
        "..,M,m,1,",
        "n,N,n,1,-4",
    ];
    let text = format!("{HEAD}{}\n", rows.join("\n"));
    let id = check(&world, text.as_bytes(), false).unwrap();
    let (import, told) = state(&world, id);
    assert_eq!((import.new_products, import.errors), (1, 14), "{told:#?}");
    let lines: Vec<i64> = told
        .iter()
        .filter(|r| r.action == Action::Wrong)
        .map(|r| r.line)
        .collect();
    assert!(
        (2..=16).filter(|n| *n != 6).all(|n| lines.contains(&n)),
        "{lines:?}"
    );
    for (line, words) in [
        (4, "price:"),
        (5, "stock:"),
        (7, "sku:"),
        (8, "handle:"),
        (11, "another product"),
    ] {
        let row = told.iter().find(|r| r.line == line).unwrap();
        assert!(row.note.contains(words), "{row:?}");
    }
    for wrong in [
        "",
        "x\n",
        "handle,title,sku\n",
        "handle,sku,price,title,extra\n",
        "handle,handle,sku\n",
    ] {
        let refused = check(&world, wrong.as_bytes(), true);
        assert!(
            matches!(refused, Err(CatalogError::FileInvalid { row: 1, .. })),
            "{wrong:?}"
        );
    }
    let latin = b"handle;title;sku;price\ncafe;Caf\xe9;cafe;1,5\n";
    apply(&world, check(&world, latin, false).unwrap());
    assert_eq!(detail(&world, "cafe").product.title, "Café");
    assert_eq!(detail(&world, "cafe").offers[0].0.price.units(), 1_500_000);
}

fn old_imports_are_forgotten(db: &TestDb) {
    let world = World::new(db);
    let text = format!("{HEAD}cup,The cup,cup,5,\n");
    let id = check(&world, text.as_bytes(), true).unwrap();
    let book = world.book();
    let expire = || while world.write(move |tx| imports_expire(tx, book)).unwrap() {};
    expire();
    assert_eq!(state(&world, id).1.len(), 1);
    world.clock.advance_seconds(25 * 3600);
    expire();
    let gone = world.node.engine.read(|tx| import_by_id(tx, book, id));
    assert!(matches!(gone, Err(CatalogError::ImportUnknown)));
}

fn stale_changes_of_staff_are_refused(db: &TestDb) {
    let world = World::new(db);
    world.offer("pen", 5);
    let vendor = world.vendor.clone();
    let now = detail(&world, "pen");
    let (was, id) = (seen(&now.product), now.product_id);
    let change = |title: &str| {
        let new = NewProduct {
            title: title.to_owned(),
            ..now.product.clone()
        };
        let (vendor, was) = (vendor.clone(), was.clone());
        world.write(move |tx| product_edit(tx, Actor::System, &vendor, Some(&was), &new))
    };
    change("First").unwrap();
    let stale = change("Second").unwrap_err();
    assert!(
        stale.to_string().contains("the name is now \"First\""),
        "{stale}"
    );
    let offer = NewOffer::of(&now.offers[0].0);
    let price = |units| {
        let (vendor, was) = (vendor.clone(), offer.clone());
        let new = NewOffer {
            price: tokens(units),
            ..offer.clone()
        };
        world.write(move |tx| offer_edit(tx, Actor::System, &vendor, id, Some(&was), &new))
    };
    price(0).unwrap();
    let stale = price(9).unwrap_err();
    assert!(
        stale.to_string().contains("the price is now 0, it was 5"),
        "{stale}"
    );
    let v = vendor.clone();
    world
        .write(move |tx| product_sale(tx, Actor::System, &v, id, false))
        .unwrap();
    assert!(!sold(&world, "pen"));
    let v = vendor.clone();
    world
        .write(move |tx| product_sale(tx, Actor::System, &v, id, true))
        .unwrap();
    assert!(sold(&world, "pen"));
    let again = NewProduct {
        handle: "pen".into(),
        title: "x".into(),
        ..NewProduct::default()
    };
    let v = vendor.clone();
    let taken = world.write(move |tx| product_edit(tx, Actor::System, &v, None, &again));
    assert!(matches!(taken, Err(CatalogError::Stale(_))));
}

/// A PNG of one pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53,
    0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00,
    0x00, 0x03, 0x01, 0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

/// SHP-09
fn pictures_are_taken_by_their_content(db: &TestDb) {
    let world = World::new(db);
    world.offer("pen", 5);
    let (vendor, id) = (world.vendor.clone(), detail(&world, "pen").product_id);
    for bad in [
        &b""[..],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a\x01\x00\x01\x00",
        &PNG[..40],
        &[0xff, 0xd8, 0xff, 0xe0],
    ] {
        assert!(
            matches!(picture(bad.to_vec()), Err(CatalogError::ImageInvalid(_))),
            "{bad:?}"
        );
    }
    let mut huge = PNG.to_vec();
    huge[16..20].copy_from_slice(&7_000_u32.to_be_bytes());
    assert!(
        picture(huge).is_err(),
        "a small file that claims a huge picture"
    );
    assert!(picture(vec![0; 5_000_000]).is_err());
    let one = picture(PNG.to_vec()).unwrap();
    let add = |alt: &'static str| {
        let (vendor, one) = (vendor.clone(), one.clone());
        world.write(move |tx| image_add(tx, Actor::System, &vendor, id, &one, alt))
    };
    let first = add("red").unwrap();
    let second = add("blue").unwrap();
    let v = vendor.clone();
    let change = second.image_id;
    world
        .write(move |tx| image_change(tx, Actor::System, &v, id, change, ("green", true)))
        .unwrap();
    let engine = &world.node.engine;
    let all = engine.read(|tx| of_product(tx, world.book(), id)).unwrap();
    let alts: Vec<&str> = all.iter().map(|i| i.alt.as_str()).collect();
    assert_eq!(alts, ["green", "red"]);
    let (media, bytes) = engine
        .read(|tx| content(tx, world.book(), first.image_id))
        .unwrap();
    assert_eq!((media.as_str(), bytes.as_slice()), ("image/png", PNG));
    let elsewhere = world.other_vendor("other").book_id;
    assert!(
        engine
            .read(|tx| content(tx, elsewhere, first.image_id))
            .is_err()
    );
    assert!(engine.read(|tx| product_by_id(tx, elsewhere, id)).is_err());
}

proptest! {
    /// Whatever a cell holds: written and read, it is what it was, and no formula.
    #[test]
    fn cells_come_back_as_they_were(cell in "['=+@\\t\\r\\-]{0,4}\\PC{0,20}") {
        let safe = plain_cell(&cell);
        let is_first = safe.starts_with(['=', '+', '-', '@', '\t', '\r']);
        prop_assert!(!is_first || !is_formula(&safe), "{} is run", safe);
        prop_assert_eq!(sheet::unescaped(&safe), &cell);
    }
}
