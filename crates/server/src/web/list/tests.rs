//! What forms change on a list.

use super::form::{ListForm, Step};
use scrip_domain::Amount;
use scrip_domain::catalog::{Offer, OfferKind, Tier};
use scrip_domain::id::{OfferId, ProductId};
use scrip_domain::order::{ListLine, OrderList, Quote, QuoteLine};
use uuid::Uuid;

fn id(n: u128) -> OfferId {
    OfferId(Uuid::from_u128(n))
}

fn tiers(bounds: &[i64]) -> Vec<Tier> {
    let tier = |up_to: &i64| Tier {
        up_to: *up_to,
        price: Amount::from_units(*up_to),
    };
    bounds.iter().map(tier).collect()
}

fn line(n: u128, quantity: i64, selected: bool, bounds: &[i64]) -> ListLine {
    ListLine {
        line: QuoteLine {
            offer_id: id(n),
            sku: String::new(),
            title: String::new(),
            kind: OfferKind::Purchase,
            quantity,
            granted: quantity,
            unit_price: Amount::ZERO,
            amount: Amount::ZERO,
            on_sale: false,
            stocked: false,
            off: Vec::new(),
            tax: None,
        },
        selected,
        tiers: tiers(bounds),
        on_hand: None,
        hold: scrip_domain::catalog::reservation::Hold::default(),
        active: true,
        handle: String::new(),
        download_kb: 0,
        problem: None,
    }
}

/// On the list: 1 ticked, 2 unticked, 3 ticked in its second tier.
fn list() -> OrderList {
    OrderList {
        lines: vec![
            line(1, 1, true, &[]),
            line(2, 5, false, &[]),
            line(3, 1000, true, &[100, 1000]),
        ],
        quote: Quote {
            lines: Vec::new(),
            required: Amount::ZERO,
            available: Amount::ZERO,
            remaining: Amount::ZERO,
            coupon: None,
        },
        coupon: None,
        active: true,
    }
}

fn offer(n: u128, bounds: &[i64]) -> Offer {
    Offer {
        offer_id: id(n),
        product_id: ProductId(Uuid::nil()),
        title: String::new(),
        variant: String::new(),
        sku: String::new(),
        kind: OfferKind::Purchase,
        price: Amount::ZERO,
        on_sale: false,
        active: true,
        stocked: false,
        shipped: false,
        tiered: !bounds.is_empty(),
        options: Vec::new(),
        tiers: tiers(bounds),
    }
}

/// A form of these fields; numbers of offers stand for their ids.
fn form(fields: &[(&str, &str)]) -> ListForm {
    let ids = [
        "was_on", "was_off", "on", "line", "put", "remove", "changed",
    ];
    let pairs: Vec<(&str, String)> = fields
        .iter()
        .map(|(name, value)| match ids.contains(name) {
            true => (*name, id(value.parse().unwrap()).to_string()),
            false => (*name, (*value).to_owned()),
        })
        .collect();
    let text = serde_html_form::to_string(pairs).unwrap();
    serde_html_form::from_str(&text).unwrap()
}

fn steps(fields: &[(&str, &str)]) -> Vec<Step> {
    let (steps, faults) = form(fields).steps(&list(), &[offer(8, &[]), offer(9, &[30, 60])]);
    assert_eq!(faults, []);
    steps
}

fn set(n: u128, quantity: i64, ticked: bool) -> Step {
    Step::Set {
        offer: id(n),
        quantity,
        ticked,
    }
}

/// SHP-07, SHP-11
#[test]
fn only_boxes_that_differ_from_the_page_are_changed() {
    let shown = [("was_on", "1"), ("was_off", "2"), ("was_off", "8")];
    let with = |on: &[&'static str]| {
        let on = on.iter().map(|n| ("on", *n));
        steps(&shown.into_iter().chain(on).collect::<Vec<_>>())
    };
    assert_eq!(with(&["1"]), []);
    assert_eq!(with(&[]), [Step::Tick(id(1), false)]);
    assert_eq!(with(&["1", "2"]), [Step::Tick(id(2), true)]);
    assert_eq!(with(&["1", "8"]), [set(8, 1, true)]);
}

/// SHP-07: a page that was open before does not undo what was done elsewhere since.
#[test]
fn a_page_that_is_old_leaves_alone_what_it_does_not_know() {
    // Drawn while 3 was not on the list; since then 3 was ticked in another tab.
    let old = [("was_off", "3"), ("was_off", "8"), ("on", "8")];
    assert_eq!(steps(&old), [set(8, 1, true)]);
}

/// SHP-11: a script keeps the page up to date, so what was drawn does not count.
#[test]
fn a_script_names_what_was_changed() {
    let drawn = [("was_off", "1"), ("was_on", "2"), ("changed", "1")];
    assert_eq!(steps(&drawn), [Step::Tick(id(1), false)]);
    let both = [
        ("was_off", "1"),
        ("was_on", "2"),
        ("on", "1"),
        ("changed", "1"),
    ];
    assert_eq!(steps(&both), [Step::Tick(id(1), true)]);
}

/// SHP-07: ticking again gives back what was there.
#[test]
fn unticking_on_the_shelf_takes_off_what_ticking_brings_back() {
    let shelf = |n| steps(&[("shelf", "1"), ("was_on", n)]);
    assert_eq!(shelf("1"), [Step::Remove(id(1))]);
    assert_eq!(
        shelf("3"),
        [Step::Tick(id(3), false)],
        "its tier was chosen"
    );
    let first = steps(&[("shelf", "1"), ("was_off", "9"), ("on", "9")]);
    assert_eq!(first, [set(9, 30, true)], "the first tier");
}

/// SHP-10
#[test]
fn quantities_and_tiers_are_set_and_ticks_stay() {
    let quantity = |n, had, now| steps(&[("line", n), ("had", had), ("quantity", now)]);
    assert_eq!(quantity("1", "1", "1"), []);
    assert_eq!(quantity("1", "1", " 4 "), [set(1, 4, true)]);
    assert_eq!(
        quantity("2", "5", "6"),
        [set(2, 6, false)],
        "stays unticked"
    );
    assert_eq!(quantity("3", "1000", "100"), [set(3, 100, true)]);
    assert_eq!(quantity("1", "1", "0"), [Step::Remove(id(1))]);
    assert_eq!(quantity("8", "1", "3"), [], "not on the list");
    let named = [
        ("line", "1"),
        ("had", "9"),
        ("quantity", "2"),
        ("changed", "2"),
    ];
    assert_eq!(steps(&named), [], "not what was changed");
}

/// SHP-10
#[test]
fn buttons_put_on_and_take_off() {
    assert_eq!(steps(&[("put", "8")]), [set(8, 1, true)]);
    assert_eq!(steps(&[("put", "9")]), [set(9, 30, true)]);
    assert_eq!(
        steps(&[("put", "2")]),
        [Step::Tick(id(2), true)],
        "keeps its five"
    );
    assert_eq!(steps(&[("remove", "3")]), [Step::Remove(id(3))]);
    let two = [("line", "8"), ("had", "1"), ("quantity", "2"), ("put", "8")];
    assert_eq!(steps(&two), [set(8, 2, true)]);
    let again = [("line", "2"), ("had", "5"), ("quantity", "5"), ("put", "2")];
    assert_eq!(steps(&again), [Step::Tick(id(2), true)]);
}

#[test]
fn what_is_no_number_is_told_and_the_rest_is_done() {
    let long = "9".repeat(10_000);
    for odd in ["", "two", "1.5", "1,5", "\u{202e}2", &long] {
        let form = form(&[
            ("line", "1"),
            ("had", "1"),
            ("quantity", odd),
            ("was_off", "2"),
            ("on", "2"),
        ]);
        let (steps, faults) = form.steps(&list(), &[]);
        assert_eq!(steps, [Step::Tick(id(2), true)], "{odd:.10}");
        assert_eq!(faults.len(), 1, "{odd:.10}");
        assert!(faults[0].said.contains("whole number"));
        assert!(faults[0].typed.len() <= 40);
    }
}

#[test]
fn forms_that_are_not_ours_are_told_apart() {
    assert!(form(&[("line", "1"), ("quantity", "2")]).fault().is_some());
    assert!(
        form(&[("line", "1"), ("had", "1"), ("quantity", "2")])
            .fault()
            .is_none()
    );
    let many: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|n| ("on", n.as_str())).collect();
    assert!(form(&many).fault().is_some());
}
