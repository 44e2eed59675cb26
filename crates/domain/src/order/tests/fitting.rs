//! What makes a short order fit.

use super::units;
use crate::catalog::{OfferKind, Tier};
use crate::id::OfferId;
use crate::order::{Change, Fit, ListLine, OrderList, Quote, QuoteLine, fits};
use scrip_ledger::Amount;
use uuid::Uuid;

fn line(no: u128, quantity: i64, granted: i64, unit_price: i64, amount: i64) -> ListLine {
    ListLine {
        line: QuoteLine {
            offer_id: OfferId(Uuid::from_u128(no)),
            sku: format!("sku-{no}"),
            title: format!("Item {no}"),
            kind: OfferKind::Purchase,
            quantity,
            granted,
            unit_price: units(unit_price),
            amount: units(amount),
            on_sale: false,
            stocked: false,
            off: Vec::new(),
            tax: None,
        },
        selected: true,
        tiers: Vec::new(),
        hold: crate::catalog::reservation::Hold::default(),
        on_hand: None,
        active: true,
        handle: String::new(),
        download_kb: 0,
        problem: None,
    }
}

/// So many pieces at a price each.
fn pieces(no: u128, quantity: i64, price: i64) -> ListLine {
    line(
        no,
        quantity,
        quantity,
        price,
        quantity.saturating_mul(price),
    )
}

/// A tier of those given, `(up to, price)`.
fn tier(no: u128, chosen: usize, tiers: &[(i64, i64)]) -> ListLine {
    let (up_to, price) = tiers[chosen];
    let tiers = tiers.iter().map(|(up_to, price)| Tier {
        up_to: *up_to,
        price: units(*price),
    });
    ListLine {
        tiers: tiers.collect(),
        ..line(no, up_to, up_to, price, price)
    }
}

fn list(available: i64, lines: &[ListLine]) -> OrderList {
    let counted = lines.iter().filter(|l| l.is_counted());
    let counted: Vec<QuoteLine> = counted.map(|l| l.line.clone()).collect();
    let required = Amount::sum(counted.iter().map(|l| l.amount)).unwrap();
    OrderList {
        lines: lines.to_vec(),
        quote: Quote {
            lines: counted,
            required,
            available: units(available),
            remaining: units(available).minus(required).unwrap(),
            coupon: None,
        },
        coupon: None,
        active: true,
    }
}

/// `-2` for line 2 left out, `2=100` for 100 of line 2; then what it saves and what remains.
fn short(fits: &[Fit]) -> Vec<(String, i64, i64)> {
    fits.iter()
        .map(|fit| {
            let no = fit.offer_id.0.as_u128();
            assert_eq!(fit.title, format!("Item {no}"));
            let change = match fit.change {
                Change::LeaveOut => format!("-{no}"),
                Change::Take { quantity, granted } => {
                    assert_eq!(quantity, granted);
                    format!("{no}={quantity}")
                }
            };
            (change, fit.saves.units(), fit.remaining.units())
        })
        .collect()
}

fn row(rows: &[(&str, i64, i64)]) -> Vec<(String, i64, i64)> {
    rows.iter()
        .map(|(c, s, r)| ((*c).to_owned(), *s, *r))
        .collect()
}

type Rows = &'static [(&'static str, i64, i64)];

/// Single changes are suggested, and nothing else.
fn singles(name: &str, available: i64, lines: &[ListLine], expected: Rows) {
    let found = fits(&list(available, lines));
    assert_eq!(short(&found.single), row(expected), "{name}");
    assert_eq!(found.together, [], "{name}");
}

const STAMPS: [(i64, i64); 3] = [(100, 10), (1_000, 80), (10_000, 600)];

/// SHP-14: single changes of which each is enough, the smallest saving first.
#[test]
fn single_changes_that_fit() {
    let unticked = |line| ListLine {
        selected: false,
        ..line
    };
    let broken = |line| ListLine {
        problem: Some("gone".to_owned()),
        ..line
    };
    let (a, b) = (|q| pieces(1, q, 30), |q| pieces(2, q, 7));
    let table: Vec<(&str, i64, Vec<ListLine>, Rows)> = vec![
        ("enough", 37, vec![a(1), b(1)], &[]),
        ("nothing ticked", 0, vec![unticked(a(1))], &[]),
        (
            "one short",
            36,
            vec![a(1), b(1)],
            &[("-2", 7, 6), ("-1", 30, 29)],
        ),
        (
            "too much for the small one",
            29,
            vec![a(1), b(1)],
            &[("-1", 30, 22)],
        ),
        ("the last line is not left out", 29, vec![a(1)], &[]),
        (
            "not even beside others that do not count",
            29,
            vec![a(1), unticked(b(1)), broken(b(9))],
            &[],
        ),
        ("fewer of one", 89, vec![a(3)], &[("1=2", 30, 29)]),
        ("exactly fewer", 60, vec![a(3)], &[("1=2", 30, 0)]),
        ("two fewer", 59, vec![a(3)], &[("1=1", 60, 29)]),
        ("none is no order", 29, vec![a(3)], &[]),
        (
            "fewer, or none of one",
            90,
            vec![a(3), b(2)],
            &[("-2", 14, 0), ("1=2", 30, 16), ("-1", 90, 76)],
        ),
        (
            "free ones save nothing",
            29,
            vec![a(1), pieces(3, 5, 0)],
            &[("-1", 30, 29)],
        ),
    ];
    for (name, available, lines, expected) in table {
        singles(name, available, &lines, expected);
    }
}

/// SHP-10, SHP-14: of the smaller tiers the largest one that fits.
#[test]
fn tiers_that_fit() {
    let table: Vec<(&str, i64, Vec<ListLine>, Rows)> = vec![
        (
            "the largest tier that fits",
            599,
            vec![tier(1, 2, &STAMPS)],
            &[("1=1000", 520, 519)],
        ),
        (
            "a smaller one",
            79,
            vec![tier(1, 2, &STAMPS)],
            &[("1=100", 590, 69)],
        ),
        ("no tier fits", 9, vec![tier(1, 2, &STAMPS)], &[]),
        (
            "the smallest has no smaller",
            9,
            vec![tier(1, 0, &STAMPS)],
            &[],
        ),
        (
            "a smaller tier that costs more is passed over",
            49,
            vec![tier(1, 2, &[(10, 40), (20, 70), (30, 50)])],
            &[("1=10", 10, 9)],
        ),
    ];
    for (name, available, lines, expected) in table {
        singles(name, available, &lines, expected);
    }
}

/// SHP-14: five suggestions at most, those that save least; of equal ones the first on the list.
#[test]
fn few_suggestions_are_enough() {
    let lines: Vec<ListLine> = (1..=4).map(|n| pieces(n, 2, 10)).collect();
    let found = fits(&list(71, &lines));
    let expected = [
        ("1=1", 10, 1),
        ("2=1", 10, 1),
        ("3=1", 10, 1),
        ("4=1", 10, 1),
        ("-1", 20, 11),
    ];
    assert_eq!(short(&found.single), row(&expected));
}

/// SHP-14: where no single change is enough, the fewest lines go, and no more than is needed.
#[test]
fn lines_that_go_together() {
    let of = |amounts: &[i64]| -> Vec<ListLine> {
        let lines = (1..).zip(amounts);
        lines.map(|(no, amount)| pieces(no, 1, *amount)).collect()
    };
    let table: [(i64, &[i64], Rows); 6] = [
        (100, &[20, 90, 10, 80], &[("-2", 90, -10), ("-3", 10, 0)]),
        (99, &[20, 90, 10, 80], &[("-2", 90, -11), ("-1", 20, 9)]),
        (
            25,
            &[20, 90, 10, 80],
            &[("-2", 90, -85), ("-4", 80, -5), ("-3", 10, 5)],
        ),
        (
            10,
            &[20, 90, 10, 80],
            &[("-2", 90, -100), ("-4", 80, -20), ("-1", 20, 0)],
        ),
        (9, &[20, 90, 10, 80], &[]),
        (0, &[50, 50], &[]),
    ];
    for (available, amounts, expected) in table {
        let found = fits(&list(available, &of(amounts)));
        assert_eq!(found.single, [], "{available}");
        assert_eq!(short(&found.together), row(expected), "{available}");
    }
}

/// Amounts at the end of what there is make no suggestion, and no wrong one.
#[test]
fn awkward_amounts() {
    let most = i64::MAX;
    let one = fits(&list(0, &[pieces(1, 1, most)]));
    assert_eq!((one.single, one.together), (vec![], vec![]));
    let found = fits(&list(0, &[pieces(1, 1, most), pieces(2, 3, 0)]));
    assert_eq!(short(&found.single), row(&[("-1", most, 0)]));
    let found = fits(&list(most - 1, &[pieces(1, most, 1)]));
    let fewer = format!("1={}", most - 1);
    assert_eq!(short(&found.single), [(fewer, 1, 0)]);
}
