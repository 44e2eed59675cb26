//! Prices, tiers, and export files of every awkward sort.
// Small numbers, chosen here.
#![allow(clippy::arithmetic_side_effects)]

use super::rules::{offer_checked, product_checked, sum_by_offer};
use super::shop_export::{Parsed, Prices, RowError, parse};
use super::{CatalogError, NewOffer, NewProduct, Offer, OfferKind, Tier, price};
use crate::id::{OfferId, ProductId};
use crate::text::TextError;
use scrip_ledger::{Amount, Asset, AssetKind};
use uuid::Uuid;

fn tokens(n: i64) -> Amount {
    Amount::from_units(n * 1_000_000)
}

fn offer(tiers: &[(i64, i64)]) -> Offer {
    Offer {
        offer_id: OfferId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(2)),
        title: "Stamps".to_owned(),
        variant: String::new(),
        sku: "stamps".to_owned(),
        kind: OfferKind::Uses,
        price: tokens(3),
        on_sale: false,
        active: true,
        stocked: false,
        shipped: false,
        tiered: !tiers.is_empty(),
        tiers: tiers
            .iter()
            .map(|(up_to, price)| Tier {
                up_to: *up_to,
                price: tokens(*price),
            })
            .collect(),
        options: Vec::new(),
    }
}

/// SHP-10: tiers 1-100, 101-1,000, 1,001-10,000 at 10, 80, 600 tokens; each grants its upper
/// bound; what lies outside is refused.
#[test]
fn a_tier_costs_its_price_and_grants_its_upper_bound() {
    let offer = offer(&[(100, 10), (1_000, 80), (10_000, 600)]);
    for (quantity, expected) in [
        (1, Some((10, 100))),
        (100, Some((10, 100))),
        (101, Some((80, 1_000))),
        (500, Some((80, 1_000))),
        (1_000, Some((80, 1_000))),
        (1_001, Some((600, 10_000))),
        (10_000, Some((600, 10_000))),
        (0, None),
        (-1, None),
        (i64::MIN, None),
        (10_001, None),
        (i64::MAX, None),
    ] {
        let priced = price(&offer, quantity, None);
        let found = priced.as_ref().ok().map(|p| (p.amount, p.granted));
        let expected = expected.map(|(price, granted)| (tokens(price), granted));
        assert_eq!(found, expected, "{quantity}");
        if let Err(error) = priced {
            let says = matches!(error, CatalogError::QuantityInvalid { most: 10_000, .. });
            assert!(says, "{quantity}");
        }
    }
    let entered = price(&offer, 500, Some(tokens(7))).unwrap();
    assert_eq!((entered.amount, entered.granted), (tokens(7), 1_000));
}

#[test]
fn without_tiers_each_piece_costs_the_price() {
    let offer = offer(&[]);
    for (quantity, entered, expected) in [
        (1, None, Some(tokens(3))),
        (7, None, Some(tokens(21))),
        (7, Some(tokens(1)), Some(tokens(7))),
        (1_000_000_000, None, Some(tokens(3_000_000_000))),
        (0, None, None),
        (-1, None, None),
        (1_000_000_001, None, None),
        (2, Some(Amount::from_units(i64::MAX)), None),
    ] {
        let found = price(&offer, quantity, entered).ok().map(|p| p.amount);
        assert_eq!(found, expected, "{quantity}");
    }
}

fn new_offer(change: impl FnOnce(&mut NewOffer)) -> NewOffer {
    let mut new = NewOffer {
        sku: "a-1".to_owned(),
        variant: String::new(),
        kind: OfferKind::Purchase,
        price: tokens(1),
        on_sale: false,
        active: true,
        stock: None,
        tiers: Vec::new(),
        options: Vec::new(),
    };
    change(&mut new);
    new
}

fn tier(up_to: i64, price: i64) -> Tier {
    Tier {
        up_to,
        price: tokens(price),
    }
}

#[test]
fn offers_are_checked() {
    let checked = |change: fn(&mut NewOffer)| offer_checked(&new_offer(change));
    assert!(checked(|_| {}).is_ok());
    assert!(
        checked(|o| o.price = Amount::ZERO).is_ok(),
        "free is a price"
    );
    let free = checked(|o| o.tiers = vec![tier(1, 0), tier(2, 0)]);
    assert!(free.is_ok());
    let negative = checked(|o| o.price = Amount::from_units(-1));
    assert!(matches!(negative, Err(CatalogError::PriceNegative(_))));
    let negative = checked(|o| o.tiers = vec![tier(1, 1), tier(2, -1)]);
    assert!(matches!(negative, Err(CatalogError::PriceNegative(_))));
    let stock = checked(|o| o.stock = Some(-1));
    assert!(matches!(stock, Err(CatalogError::StockNegative(_))));
    for wrong in [
        |o: &mut NewOffer| o.tiers = vec![tier(0, 1)],
        |o: &mut NewOffer| o.tiers = vec![tier(5, 1), tier(5, 2)],
        |o: &mut NewOffer| o.tiers = vec![tier(5, 1), tier(4, 2)],
    ] {
        assert!(matches!(
            checked(wrong),
            Err(CatalogError::TiersDisordered(_))
        ));
    }
    for wrong in ["a&b", "a\"b", "a,b", "a(b)", "a\u{200b}b"] {
        let sku = offer_checked(&new_offer(|o| o.sku = wrong.to_owned()));
        assert!(
            matches!(sku, Err(CatalogError::HandleInvalid(_))),
            "{wrong:?}"
        );
    }
    for good in [
        "gift_0001_40",
        "15056BL",
        "BANK CHARGES",
        "Größe-42",
        "a/b+c.d",
    ] {
        assert!(offer_checked(&new_offer(|o| o.sku = good.to_owned())).is_ok());
    }
}

#[test]
fn texts_of_a_product_are_checked() {
    let product = |title: &str, description: &str| {
        product_checked(&NewProduct {
            handle: " lamp ".to_owned(),
            title: title.to_owned(),
            description: description.to_owned(),
            ..NewProduct::default()
        })
    };
    let good = product(" Lampe für Übergrößen 🪔 ", "two\nlines\tand a tab").unwrap();
    assert_eq!(
        (good.handle.as_str(), good.title.as_str()),
        ("lamp", "Lampe für Übergrößen 🪔")
    );
    let text = |result: Result<NewProduct, CatalogError>| match result {
        Err(CatalogError::Text(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        text(product(" \u{a0}", "")),
        TextError::Empty { .. }
    ));
    let long = text(product(&"ü".repeat(10_000), ""));
    assert!(matches!(
        long,
        TextError::TooLong {
            length: 10_000,
            most: 500,
            ..
        }
    ));
    assert!(
        product(&"ü".repeat(500), "").is_ok(),
        "characters are counted, not bytes"
    );
    assert!(matches!(
        text(product("two\nlines", "")),
        TextError::Control { code: 10, .. }
    ));
    assert!(matches!(
        text(product("x", "\u{0}")),
        TextError::Control { code: 0, .. }
    ));
    let huge = text(product("x", &"d".repeat(100_001)));
    assert!(matches!(huge, TextError::TooLong { .. }));
}

/// SHP-09: the size of a download is a number of kilobytes, 0 where there is none.
#[test]
fn downloads_have_a_size() {
    let product = |download_kb| {
        product_checked(&NewProduct {
            handle: "lamp".to_owned(),
            title: "Lamp".to_owned(),
            download_kb,
            ..NewProduct::default()
        })
    };
    for kb in [0, 1, 1_000_000_000_000] {
        assert_eq!(product(kb).unwrap().download_kb, kb);
    }
    for kb in [-1, i64::MIN, 1_000_000_000_001, i64::MAX] {
        let invalid = product(kb).unwrap_err();
        assert!(matches!(invalid, CatalogError::DownloadInvalid { .. }));
        assert!(invalid.to_string().contains(&kb.to_string()));
    }
}

#[test]
fn demands_on_one_offer_are_added_up() {
    let id = |n| OfferId(Uuid::from_u128(n));
    let sums = sum_by_offer(&[(id(2), 3), (id(1), 1), (id(2), 4)]).unwrap();
    assert_eq!(
        sums.into_iter().collect::<Vec<_>>(),
        [(id(1), 1), (id(2), 7)]
    );
    assert!(sum_by_offer(&[(id(1), i64::MAX), (id(1), 1)]).is_err());
}

fn prices() -> Prices {
    let asset = |kind, scale| Asset {
        asset_id: 1,
        code: "X".to_owned(),
        kind,
        book_id: None,
        scale,
    };
    Prices {
        currency: asset(AssetKind::Currency, 8),
        token: asset(AssetKind::Token, 6),
        token_price: Amount::parse("0.01", 8).unwrap(),
    }
}

const HEADER: &str = "Handle,Title,Option1 Value,Variant SKU,Variant Inventory Tracker,\
                      Variant Inventory Qty,Variant Price,Image Src,Published,Type,Tags";

fn file(rows: &[&str]) -> Parsed {
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    parse(text.as_bytes(), &prices()).unwrap()
}

/// (row, part of the problem) of each row that was left out.
fn problems(parsed: &Parsed, expected: &[(u64, &str)]) {
    let found: Vec<u64> = parsed.errors.iter().map(|e| e.row).collect();
    let rows: Vec<u64> = expected.iter().map(|e| e.0).collect();
    assert_eq!(found, rows, "{:?}", parsed.errors);
    for (RowError { row, problem }, (_, part)) in parsed.errors.iter().zip(expected) {
        assert!(problem.contains(part), "row {row}: {problem}");
    }
}

#[test]
fn a_product_takes_its_variants_and_passes_over_images() {
    let parsed = file(&[
        "lamp,Desk lamp,Red,L-R,shop,5,12.50,https://x/1.jpg,true,Home,",
        "lamp,,Blue,,,,13,,true,,",
        "lamp,,,,,,,https://x/2.jpg,,,",
        "pen,Pen,Default Title,,shop,0,0.005,,FALSE,,\"blue,office\"",
    ]);
    problems(&parsed, &[]);
    let [lamp, pen] = &parsed.drafts[..] else {
        panic!("{:?}", parsed.drafts);
    };
    assert_eq!((lamp.row, lamp.product.category.as_str()), (2, "Home"));
    let offers: Vec<_> = lamp
        .offers
        .iter()
        .map(|o| (o.sku.as_str(), o.variant.as_str(), o.price, o.stock))
        .collect();
    assert_eq!(
        offers,
        [
            ("L-R", "Red", tokens(1_250), Some(5)),
            ("lamp/Blue", "Blue", tokens(1_300), None)
        ]
    );
    let pen_offer = &pen.offers[0];
    assert_eq!((pen.row, pen.product.category.as_str()), (5, "blue"));
    assert_eq!(
        (pen_offer.sku.as_str(), pen_offer.variant.as_str()),
        ("pen", "")
    );
    assert_eq!(pen_offer.price, Amount::from_units(500_000), "half a token");
    assert_eq!((pen_offer.stock, pen_offer.active), (Some(0), false));
}

#[test]
fn a_file_without_its_columns_is_no_export() {
    for (header, missing) in [
        ("", "Handle"),
        ("Title,Variant Price", "Handle"),
        ("Handle,Variant Price", "Title"),
        ("Handle,Title,variant price", "Variant Price"),
        ("invoice,stock_code,description", "Handle"),
    ] {
        let error = parse(format!("{header}\na,b,c\n").as_bytes(), &prices()).unwrap_err();
        assert_eq!(error.row, 1);
        assert!(error.problem.contains(missing), "{}", error.problem);
    }
    let other = parse(b"Handle,T\xfftle,Variant Price\n", &prices());
    assert!(other.unwrap_err().problem.contains("header"));
    assert!(
        parse(HEADER.as_bytes(), &prices())
            .unwrap()
            .drafts
            .is_empty()
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_nothing() {
    let text = format!("\u{feff}{HEADER}\r\npen,Pen,,,,,1,,true,,\r\n\r\n");
    let parsed = parse(text.as_bytes(), &prices()).unwrap();
    problems(&parsed, &[]);
    assert_eq!(parsed.drafts[0].product.handle, "pen");
}

#[test]
fn a_row_that_cannot_be_read_stops_no_other() {
    let mut bytes = format!("{HEADER}\npen,Pen,,,,,1,,true,,\n").into_bytes();
    bytes.extend(b"cup,C\xfcp,,,,,1,,true,,\n");
    bytes.extend(b"ragged,Ragged,,,,,1\n");
    bytes.extend(b"wide,Wide,,,,,1,,true,,,,,,\n");
    bytes.extend(b"mug,Mug,,,,,1,,true,,\n");
    let parsed = parse(&bytes, &prices()).unwrap();
    problems(
        &parsed,
        &[(3, "UTF-8"), (4, "7 columns"), (5, "15 columns")],
    );
    let handles: Vec<&str> = parsed
        .drafts
        .iter()
        .map(|d| d.product.handle.as_str())
        .collect();
    assert_eq!(handles, ["pen", "mug"]);
}

#[test]
fn a_quote_left_open_is_named() {
    let mut text = format!("{HEADER}\npen,Pen,,,,,1,,true,,\ncup,\"Cup,,,,,1,,true,,\n");
    for _ in 0..10_000 {
        text.push_str("mug,Mug,,,,,1,,true,,\n");
    }
    let parsed = parse(text.as_bytes(), &prices()).unwrap();
    assert_eq!(parsed.drafts.len(), 1);
    assert_eq!(parsed.errors.len(), 1, "the rest of the file is one row");
    let huge = format!(
        "{HEADER}\ncup,Cup,\"{}\",,,,1,,true,,\n",
        "x".repeat(300_000)
    );
    problems(
        &parse(huge.as_bytes(), &prices()).unwrap(),
        &[(2, "quote left open")],
    );
}

#[test]
fn prices_and_stock_are_read_exactly_or_not_at_all() {
    let row = |price: &str, stock: &str| format!("p,P,,,shop,{stock},\"{price}\",,true,,");
    for (price, stock, part) in [
        ("-1", "1", "below zero"),
        ("-0.00000001", "1", "below zero"),
        ("1,000.00", "1", "no amount"),
        ("1e3", "1", "no amount"),
        ("£1", "1", "no amount"),
        ("NaN", "1", "no amount"),
        ("1.000000001", "1", "no amount"),
        (".5", "1", "no amount"),
        ("99999999999999999999", "1", "too large"),
        ("92233720368.54775808", "1", "too large"),
        ("1", "-1", "stock"),
        ("1", "", "no number"),
        ("1", "1.5", "no number"),
        ("1", "99999999999999999999", "no number"),
    ] {
        let parsed = file(&[&row(price, stock)]);
        problems(&parsed, &[(2, part)]);
        assert!(parsed.drafts.is_empty(), "{price} {stock}");
    }
    let exact = file(&[&row("0.00000001", "9223372036854775807")]);
    let offer = &exact.drafts[0].offers[0];
    assert_eq!(offer.price, Amount::from_units(1), "a millionth of a token");
    assert_eq!(offer.stock, Some(i64::MAX));
    let third = Prices {
        token_price: Amount::parse("0.03", 8).unwrap(),
        ..prices()
    };
    let text = format!("{HEADER}\n{}\n", row("0.01", "1"));
    let rounded = parse(text.as_bytes(), &third).unwrap();
    assert_eq!(
        rounded.drafts[0].offers[0].price,
        Amount::from_units(333_334),
        "up"
    );
}

#[test]
fn rows_that_do_not_make_a_product_are_named() {
    let long = format!("long,{},,,,,1,,true,,", "t".repeat(10_000));
    let parsed = file(&[
        ",No handle,,,,,1,,true,,",
        "orphan,,,,,,1,,true,,",
        "bare,Bare,,,,,,,true,,",
        "image,Image only,,,,,,https://x/1.jpg,true,,",
        "twice,Twice,,SKU-1,,,1,,true,,",
        "twice,,,SKU-1,,,2,,true,,",
        "other,Other,,SKU-1,,,2,,true,,",
        &long,
        "b&d,Bad handle,,ok,,,1,,true,,",
        "control,Con\u{7}trol,,ok,,,1,,true,,",
    ]);
    problems(
        &parsed,
        &[
            (2, "no handle"),
            (3, "no row with a title"),
            (4, "no price"),
            (5, "no price"),
            (7, "earlier row"),
            (8, "earlier row"),
            (9, "10000 characters"),
            (10, "no handle"),
            (11, "U+0007"),
        ],
    );
    assert_eq!(parsed.drafts[0].offers.len(), 1);
}

#[test]
fn options_make_a_sku_where_there_is_none() {
    let parsed = file(&["ring,Ring,\"6\"\" / rose & gold (50%)\",,,,1,,true,,"]);
    problems(&parsed, &[]);
    let offer = &parsed.drafts[0].offers[0];
    assert_eq!(offer.sku, "ring/6- / rose - gold -50--");
    assert_eq!(offer.variant, "6\" / rose & gold (50%)");
}

#[test]
fn descriptions_lose_their_tags() {
    let header = "Handle,Title,Variant Price,Body (HTML)";
    let described = |body: &str| {
        let text = format!("{header}\np,P,1,\"{body}\"\n");
        let parsed = parse(text.as_bytes(), &prices()).unwrap();
        parsed.drafts[0].product.description.clone()
    };
    assert_eq!(
        described("<p>Warm<br>and <b>bright</b></p>"),
        "Warm and bright"
    );
    assert_eq!(
        described("5 &lt; 6 &amp;amp; &quot;x&quot;&nbsp;"),
        "5 < 6 &amp; \"x\""
    );
    assert_eq!(described("<script>alert(1)"), "alert(1)");
    assert_eq!(described("a > b"), "a > b");
    assert_eq!(described("never closed <p"), "never closed");
}

/// SHP-09: the files of real shops, where they are at hand, are read without an error.
#[test]
fn real_exports_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    for (name, products, offers) in [
        ("apparel", 20, 22),
        ("home-and-garden", 20, 21),
        ("jewelery", 20, 23),
    ] {
        let Ok(bytes) = std::fs::read(format!("{folder}/{name}.csv")) else {
            continue;
        };
        let parsed = parse(&bytes, &prices()).unwrap();
        problems(&parsed, &[]);
        let count: usize = parsed.drafts.iter().map(|d| d.offers.len()).sum();
        assert_eq!((parsed.drafts.len(), count), (products, offers), "{name}");
        assert!(parsed.drafts.iter().all(|d| !d.offers.is_empty()), "{name}");
    }
}
