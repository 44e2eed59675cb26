//! Requests, refusals and reversed draws; which tokens pay for which lines.

use super::rules::{check_request, priced, quoted, reason, reversed_draws};
use super::{OrderError, OrderRequest, Refusal, Wanted};
use crate::actor::Actor;
use crate::catalog::{Offer, OfferKind};
use crate::customer::AccountNumber;
use crate::id::{CustomerId, OfferId, ProductId, StaffId};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Piece};
use uuid::Uuid;

mod allocating;
mod fitting;

fn units(n: i64) -> Amount {
    Amount::from_units(n)
}

fn piece(grant: i64, n: i64) -> Piece {
    Piece {
        grant,
        amount: units(n),
    }
}

#[test]
fn draws_are_reversed_last_first_after_what_was_given_back() {
    let draws = [piece(1, 10), piece(2, 20), piece(3, 5)];
    for (before, amount, expected) in [
        (0, 1, vec![piece(3, 1)]),
        (0, 5, vec![piece(3, 5)]),
        (0, 6, vec![piece(3, 5), piece(2, 1)]),
        (0, 35, vec![piece(3, 5), piece(2, 20), piece(1, 10)]),
        (3, 2, vec![piece(3, 2)]),
        (3, 4, vec![piece(3, 2), piece(2, 2)]),
        (5, 20, vec![piece(2, 20)]),
        (24, 3, vec![piece(2, 1), piece(1, 2)]),
        (25, 10, vec![piece(1, 10)]),
        (34, 1, vec![piece(1, 1)]),
        (35, 0, vec![]),
    ] {
        let back = reversed_draws(&draws, units(before), units(amount));
        assert_eq!(back.unwrap(), expected, "{amount} after {before}");
    }
    for (before, amount) in [(0, 36), (35, 1), (30, 6), (0, i64::MAX)] {
        assert!(reversed_draws(&draws, units(before), units(amount)).is_err());
    }
    assert!(reversed_draws(&[], units(0), units(1)).is_err());
}

/// Refunded token by token, every draw comes back exactly once.
#[test]
fn draws_come_back_piece_by_piece() {
    let draws = [piece(1, 3), piece(2, 1), piece(3, 4), piece(1, 2)];
    let mut back = Vec::new();
    for before in 0..10 {
        let one = reversed_draws(&draws, units(before), units(1)).unwrap();
        back.extend(one.iter().map(|p| (p.grant, p.amount.units())));
    }
    let grants: Vec<i64> = back.iter().map(|b| b.0).collect();
    assert_eq!(grants, [1, 1, 3, 3, 3, 3, 2, 1, 1, 1]);
    assert!(back.iter().all(|b| b.1 == 1));
}

fn wanted(quantity: i64, entered: Option<i64>) -> Wanted {
    Wanted {
        offer_id: OfferId(Uuid::from_u128(1)),
        quantity,
        quoted: None,
        entered: entered.map(units),
    }
}

fn request(lines: Vec<Wanted>) -> OrderRequest {
    OrderRequest {
        customer_id: CustomerId(Uuid::from_u128(1)),
        lines,
        reference: String::new(),
        effective_at: None,
        extras: super::Extras::default(),
    }
}

#[test]
fn requests_are_checked_before_anything_is_loaded() {
    let own = Actor::Customer(CustomerId(Uuid::from_u128(1)));
    let staff = Actor::Staff(StaffId(Uuid::from_u128(2)));
    let now = Timestamp(1_000);
    let check = |actor, lines, at| check_request(actor, &request(lines), Timestamp(at), now);
    let one = || vec![wanted(1, None)];
    let entered = || vec![wanted(1, None), wanted(1, Some(0))];
    assert!(check(own, one(), 1_000).is_ok());
    assert!(matches!(check(own, vec![], 1_000), Err(OrderError::Empty)));
    assert!(check(own, vec![wanted(1, None); 10_000], 1_000).is_ok());
    let many = check(own, vec![wanted(1, None); 10_001], 1_000);
    assert!(matches!(
        many,
        Err(OrderError::TooManyLines { lines: 10_001, .. })
    ));
    for actor in [own, staff, Actor::System] {
        let ahead = check(actor, one(), 1_001);
        assert!(matches!(ahead, Err(OrderError::InFuture)));
    }
    assert!(matches!(check(own, one(), 999), Err(OrderError::StaffOnly)));
    assert!(matches!(
        check(own, entered(), 1_000),
        Err(OrderError::StaffOnly)
    ));
    for actor in [staff, Actor::System] {
        assert!(check(actor, one(), 999).is_ok());
        assert!(check(actor, entered(), 1_000).is_ok());
    }
}

fn offer(price: i64) -> Offer {
    Offer {
        offer_id: OfferId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(2)),
        title: "Pen".to_owned(),
        variant: String::new(),
        sku: "pen".to_owned(),
        kind: OfferKind::Purchase,
        price: units(price),
        on_sale: false,
        active: true,
        stocked: false,
        shipped: false,
        tiered: false,
        tiers: Vec::new(),
        options: Vec::new(),
    }
}

/// SHP-11: RT is the sum of the lines, the remainder AT - RT; what is no amount is an error.
#[test]
fn a_quote_adds_up() {
    let lines = priced(
        &[wanted(2, None), wanted(3, Some(5))],
        &[offer(10), offer(10)],
    );
    let quote = quoted(lines.unwrap(), &[], Timestamp(0)).unwrap();
    assert_eq!((quote.required, quote.available), (units(35), units(0)));
    assert_eq!(
        (quote.remaining, quote.shortage()),
        (units(-35), Some(units(35)))
    );
    let empty = quoted(Vec::new(), &[], Timestamp(0)).unwrap();
    assert_eq!(empty.shortage(), None);
    let negative = priced(&[wanted(1, Some(-1))], &[offer(10)]);
    assert!(matches!(negative, Err(OrderError::Ledger(_))));
    let huge = priced(&[wanted(1, None); 2], &[offer(i64::MAX), offer(1)]).unwrap();
    assert!(
        quoted(huge, &[], Timestamp(0)).is_err(),
        "the sum is no amount"
    );
}

/// SHP-19: each refusal has a name of its own, and words that say what to do.
#[test]
fn refusals_have_names_and_words() {
    let number = AccountNumber::parse("001-4827-1003-86").unwrap();
    let title = || "Pen".to_owned();
    let (required, available, short) = (units(3), units(2), units(1));
    let all = [
        Refusal::Shortage {
            required,
            available,
            short,
        },
        Refusal::Restricted {
            required,
            available,
        },
        Refusal::PriceChanged {
            title: title(),
            quoted: short,
            now: required,
        },
        Refusal::OutOfStock {
            title: title(),
            on_hand: 2,
        },
        Refusal::NotForSale { title: title() },
        Refusal::Inactive { number },
        Refusal::Closed { number },
    ];
    let mut names: Vec<&str> = all.iter().map(reason).collect();
    for refusal in &all {
        let json = serde_json::to_string(refusal).unwrap();
        assert!(json.contains(reason(refusal)), "{json}");
        assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), *refusal);
        assert!(refusal.to_string().len() > 20);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 7);
}
