//! Files as spreadsheets and old systems write them, large ones, and what they take off sale.

use super::{HEAD, apply, check, detail, prices, state};
use crate::support::World;
use scrip_domain::Actor;
use scrip_domain::catalog::imports::{State, file_read, import_apply, import_step, off_sale};
use scrip_domain::catalog::offer_by_sku;
use scrip_domain::order::{order_list, order_list_set};
use scrip_testkit::TestDb;

both!(
    offers_that_a_file_takes_off_lists_are_told_one_by_one,
    files_of_every_encoding_are_read,
    a_hundred_thousand_rows_are_looked_through_and_entered,
);

/// SHP-09: what customers have on their lists is not taken away unsaid.
fn offers_that_a_file_takes_off_lists_are_told_one_by_one(db: &TestDb) {
    let world = World::new(db);
    let (book, buyer) = (world.book(), world.buyer(100));
    let head = "handle,title,sku,price,active\n";
    let both = format!("{head}pen,The pen,red,5,\npen,,blue,5,\ncup,The cup,cup,5,\n");
    apply(&world, check(&world, both.as_bytes(), false).unwrap());
    let actor = Actor::Customer(buyer);
    for sku in ["red", "blue"] {
        let engine = &world.node.engine;
        let offer = engine.read(|tx| offer_by_sku(tx, book, sku));
        let offer = offer.unwrap().unwrap();
        world
            .write(move |tx| order_list_set(tx, actor, book, buyer, offer, 1))
            .unwrap();
    }
    // The file says no to one of them, and does not name the other.
    let less = format!("{head}pen,The pen,red,5,no\ncup,The cup,cup,5,no\n");
    let id = check(&world, less.as_bytes(), true).unwrap();
    let (import, rows) = state(&world, id);
    assert_eq!((import.changed_products, import.on_lists), (2, 2));
    let note = |handle: &str| {
        let row = rows.iter().find(|r| r.subject == handle).unwrap();
        row.note.clone()
    };
    let told = "is taken off sale: it is on 1 order list, which keeps it with a note";
    let pen = note("pen");
    assert!(
        pen.contains(&format!("red {told}")) && pen.contains(&format!("blue {told}")),
        "{pen}"
    );
    assert_eq!(note("cup"), "cup is taken off sale", "nobody has it");
    let read = file_read(less.as_bytes(), &prices(&world)).unwrap();
    let engine = &world.node.engine;
    let off = engine.read(|tx| off_sale(tx, book, &read.parsed.drafts));
    let off: Vec<_> = off
        .unwrap()
        .into_iter()
        .map(|o| (o.row, o.sku, o.order_lists))
        .collect();
    assert_eq!(off, [(2, "red".to_owned(), 1), (3, "cup".to_owned(), 0)]);
    apply(&world, id);
    let list = engine
        .read(|tx| order_list(tx, actor, book, buyer))
        .unwrap();
    assert_eq!(list.lines.len(), 2);
    assert!(list.lines.iter().all(|line| line.problem.is_some()));
    let (_, rows) = state(&world, check(&world, less.as_bytes(), true).unwrap());
    assert!(rows.is_empty(), "what is off sale is not told again");
}

/// SHP-09: whatever spreadsheets and old systems write.
fn files_of_every_encoding_are_read(db: &TestDb) {
    let world = World::new(db);
    let own = "handle,title,sku,price\r\ncafe,Café 5 €,cafe,\"1,5\"\r\n";
    let semicolons = "handle;title;sku;price\ncafe;Café 5 €;cafe;1,5\n";
    let shop = "Handle,Title,Variant SKU,Variant Price\ncafe,Café 5 €,cafe,1.5\n";
    let windows = |text: &str| -> Vec<u8> {
        let byte = |c: char| match c {
            'é' => 0xe9,
            '€' => 0x80,
            c => u8::try_from(c).unwrap(),
        };
        text.chars().map(byte).collect()
    };
    let marked = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for text in [own, semicolons, shop] {
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), "UTF-8"),
            (marked(b"\xef\xbb\xbf", text.as_bytes().to_vec()), "UTF-8"),
            (marked(b"\xff\xfe", little(text)), "UTF-16LE"),
            (marked(b"\xfe\xff", big(text)), "UTF-16BE"),
            (windows(text), "windows-1252"),
            (
                windows(&format!(
                    "sep={}\r\n{text}",
                    if text == semicolons { ';' } else { ',' }
                )),
                "windows-1252",
            ),
            (
                text.replace("\r\n", "\n").replace('\n', "\r").into_bytes(),
                "UTF-8",
            ),
        ] {
            let read = file_read(&bytes, &prices(&world)).unwrap();
            assert_eq!(read.encoding, encoding, "{text}");
            assert_eq!(read.parsed.errors, [], "{text} {encoding}");
            assert_eq!(read.lines, 2, "{text} {encoding}");
            let [draft] = &read.parsed.drafts[..] else {
                panic!("{text} {encoding}");
            };
            assert_eq!(draft.product.title, "Café 5 €", "{text} {encoding}");
        }
    }
    // Letters that nobody can read are no reason to enter something else.
    let broken = b"handle,title,sku,price\ncafe,Caf\xc3\xa9,cafe,1\ntee,T\xe9e,tee,1\n";
    let half = [&b"\xff\xfe"[..], &little(own), b"x"].concat();
    for (bytes, row) in [(&broken[..], 3), (&half, 3)] {
        let wrong = file_read(bytes, &prices(&world)).unwrap().parsed.errors;
        assert_eq!(wrong.iter().map(|e| e.row).collect::<Vec<_>>(), [row]);
    }
    let wrong = b"sep=,\nhandle,title,sku,price\na,A,a,cheap\n";
    let wrong = file_read(wrong, &prices(&world)).unwrap().parsed.errors;
    assert_eq!(wrong[0].row, 3, "rows are those that a spreadsheet shows");
}

/// SHP-09: a large file is looked through and entered in parts, none of them long, and
/// one that is too large is told so. PostgreSQL gets a tenth: only each query's way is longer there.
fn a_hundred_thousand_rows_are_looked_through_and_entered(db: &TestDb) {
    let world = World::new(db);
    world.offer("pen", 5);
    let products = if db.is_sqlite() { 20_000 } else { 2_000 };
    let mut text = HEAD.to_owned();
    for product in 0..products {
        for variant in 0..5 {
            let title = if variant == 0 { "Thing" } else { "" };
            text.push_str(&format!("p{product},{title},p{product}-{variant},1.25,\n"));
        }
    }
    let id = check(&world, text.as_bytes(), true).unwrap();
    let (import, rows) = state(&world, id);
    let counts = (import.new_products, import.taken_off, import.errors);
    assert_eq!((import.lines, counts), (products * 5 + 1, (products, 1, 0)));
    assert_eq!(rows.len(), 500);
    let (book, vendor) = (world.book(), world.vendor.clone());
    world
        .write(move |tx| import_apply(tx, Actor::System, book, id))
        .unwrap();
    for _ in 0..4 {
        let vendor = vendor.clone();
        assert!(world.write(move |tx| import_step(tx, &vendor)).unwrap());
    }
    let import = state(&world, id).0;
    assert_eq!((import.done, import.state), (200, State::Applying));
    assert_eq!(detail(&world, "p199").offers.len(), 5);
    let long = format!("{HEAD}{}", "x\n".repeat(200_001));
    let refused = check(&world, long.as_bytes(), false).unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("at most 200000 rows: split it"),
        "{refused}"
    );
}
