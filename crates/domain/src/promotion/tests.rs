//! What a price becomes, by table and by property.

#![allow(clippy::arithmetic_side_effects)]

use super::coupon::CouponKey;
use super::rules::{best, checked, code_normal, together};
use super::{CouponTerms, Cut, Promotion, Scope, State, Terms};
use crate::id::PromotionId;
use crate::vault::{SecretKey, Vault};
use proptest::prelude::*;
use scrip_engine::Timestamp;
use scrip_ledger::Amount;

const NOW: i64 = 1_780_000_000_000_000;
const DAY: i64 = 24 * 3600 * 1_000_000;

fn units(n: i64) -> Amount {
    Amount::from_units(n)
}

fn terms() -> Terms {
    Terms {
        name: "Autumn".into(),
        begins_at: NOW,
        ends_at: NOW + DAY,
        scope: Scope::All,
        cut: Cut::Rate(1_000),
        preferred_only: false,
        per_customer: 0,
        in_total: 0,
        minimum: Amount::ZERO,
        coupon: None,
    }
}

/// ADV-06: one cut alone; of a tier each piece counts; nothing goes below zero.
#[test]
fn one_promotion_makes_this_price() {
    for (list, count, cut, price) in [
        (100, 1, Cut::Rate(1_000), 90),
        (99, 1, Cut::Rate(1_500), 85),
        (1, 1, Cut::Rate(9_999), 1),
        (1, 1, Cut::Rate(10_000), 0),
        (100, 1, Cut::Each(units(30)), 70),
        (100, 1, Cut::Each(units(130)), 0),
        (100, 1, Cut::Price(units(60)), 60),
        (100, 1, Cut::Price(units(0)), 0),
        (100, 1, Cut::Price(units(160)), 100),
        (0, 1, Cut::Rate(5_000), 0),
        (1_000, 100, Cut::Each(units(3)), 700),
        (1_000, 100, Cut::Price(units(8)), 800),
        (1_000, 100, Cut::Rate(2_500), 750),
        (1_000, i64::MAX, Cut::Each(units(3)), 0),
        (1_000, i64::MAX, Cut::Price(units(3)), 1_000),
        (i64::MAX, 1, Cut::Rate(1), i64::MAX - i64::MAX / 10_000),
    ] {
        let found = best(units(list), count, &[(0, cut)], false, None).unwrap();
        assert_eq!(found.price, units(price), "{list} {count} {cut:?}");
        let off: i64 = found.off.iter().map(|o| o.1.units()).sum();
        assert_eq!(off, list - price);
    }
}

/// ADV-06, as TOK-04: the best single price, unless they add up; then rates are added.
#[test]
fn the_best_counts_or_all_together() {
    let cuts = [
        (0, Cut::Rate(1_000)),
        (1, Cut::Each(units(15))),
        (2, Cut::Rate(2_000)),
        (3, Cut::Price(units(90))),
    ];
    let single = best(units(100), 1, &cuts, false, None).unwrap();
    assert_eq!(
        (single.price, single.off),
        (units(80), vec![(2, units(20))])
    );
    // 90, less 15, less 30 %: 52.5, rounded up.
    let all = best(units(100), 1, &cuts, true, None).unwrap();
    assert_eq!(all.price, units(53));
    assert_eq!(
        all.off,
        vec![
            (3, units(10)),
            (1, units(15)),
            (0, units(7)),
            (2, units(15))
        ]
    );
    let too_much = [(0, Cut::Rate(6_000)), (1, Cut::Rate(6_000))];
    assert_eq!(together(units(100), 1, &too_much).unwrap().price, units(0));
}

/// ADV-06: a coupon that may be combined comes off the promotion's price; another one is compared.
#[test]
fn a_coupon_is_compared_or_comes_off_as_well() {
    let cuts = [(0, Cut::Rate(2_000)), (1, Cut::Each(units(10)))];
    let of = |stacking, combinable| {
        let best = best(units(100), 1, &cuts, stacking, Some((1, combinable))).unwrap();
        (best.price.units(), best.off.len())
    };
    assert_eq!(of(false, false), (80, 1), "the promotion is better");
    assert_eq!(of(true, false), (80, 1), "this coupon adds up with nothing");
    assert_eq!(of(false, true), (72, 2), "100 - 10, less 20 %");
    let alone = [(0, Cut::Rate(500)), (1, Cut::Each(units(10)))];
    let found = best(units(100), 1, &alone, false, Some((1, false))).unwrap();
    assert_eq!((found.price, found.off), (units(90), vec![(1, units(10))]));
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        (1_i64..=10_000).prop_map(Cut::Rate),
        (1_i64..2_000).prop_map(|n| Cut::Each(units(n))),
        (0_i64..2_000).prop_map(|n| Cut::Price(units(n))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..Default::default() })]

    /// ADV-06: the price is never worse than under any single promotion, and never below zero; what
    /// comes off is what is missing from the list price.
    #[test]
    fn the_best_is_never_worse_than_any_single_one(
        list in 0_i64..5_000,
        count in 1_i64..50,
        cuts in prop::collection::vec(cut(), 0..6),
        stacking in any::<bool>(),
        coupon in prop::option::of((0_usize..6, any::<bool>())),
    ) {
        let list = units(list);
        let cuts: Vec<(usize, Cut)> = cuts.into_iter().enumerate().collect();
        let found = best(list, count, &cuts, stacking, coupon).unwrap();
        prop_assert!(found.price >= Amount::ZERO && found.price <= list);
        for one in &cuts {
            let single = together(list, count, &[*one]).unwrap();
            prop_assert!(found.price <= single.price, "{one:?} alone makes {}", single.price);
        }
        let off = Amount::sum(found.off.iter().map(|off| off.1)).unwrap();
        prop_assert_eq!(found.price.plus(off).unwrap(), list);
        prop_assert!(found.off.iter().all(|off| off.1.is_positive()));
        if !stacking && coupon.is_none() {
            prop_assert!(found.off.len() <= 1);
        }
    }
}

/// ADV-06: before, at and after its dates.
#[test]
fn a_promotion_holds_from_its_beginning_until_its_end() {
    let mut promotion = Promotion {
        id: PromotionId(uuid::Uuid::nil()),
        terms: terms(),
        stopped_at: None,
        version: 1,
        changed_at: Timestamp(0),
    };
    for (at, state) in [
        (NOW - 1, State::Planned),
        (NOW, State::Running),
        (NOW + DAY - 1, State::Running),
        (NOW + DAY, State::Over),
    ] {
        assert_eq!(promotion.state(Timestamp(at)), state);
    }
    promotion.stopped_at = Some(Timestamp(NOW));
    assert_eq!(promotion.state(Timestamp(NOW)), State::Stopped);
}

/// ADV-06: what no promotion can be, with what would be right.
#[test]
fn what_no_promotion_can_be() {
    let wrong = |terms: &Terms, says: &str| {
        let error = checked(terms, Timestamp(NOW)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    assert!(checked(&terms(), Timestamp(NOW)).is_ok());
    let with = |change: &dyn Fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        terms
    };
    wrong(&with(&|t| t.name = " ".into()), "the name is empty");
    wrong(&with(&|t| t.ends_at = t.begins_at), "ends later");
    wrong(
        &with(&|t| (t.begins_at, t.ends_at) = (NOW - DAY, NOW)),
        "over already",
    );
    wrong(&with(&|t| t.ends_at = NOW + DAY * 3_000), "five years");
    wrong(
        &with(&|t| (t.begins_at, t.ends_at) = (i64::MAX - 1, i64::MAX)),
        "five years",
    );
    wrong(&with(&|t| t.begins_at = i64::MIN), "five years");
    for rate in [0, -1, 10_001] {
        wrong(&with(&|t| t.cut = Cut::Rate(rate)), "0.01 to 100 %");
    }
    wrong(&with(&|t| t.cut = Cut::Each(units(0))), "more than 0");
    wrong(&with(&|t| t.cut = Cut::Price(units(-1))), "0 to 1000000000");
    assert!(checked(&with(&|t| t.cut = Cut::Price(units(0))), Timestamp(NOW)).is_ok());
    wrong(&with(&|t| t.per_customer = -1), "limit");
    wrong(&with(&|t| t.minimum = units(-1)), "at least");
    wrong(
        &with(&|t| t.scope = Scope::Categories(Vec::new())),
        "which products",
    );
    let many: Vec<String> = (0..501).map(|n| n.to_string()).collect();
    wrong(
        &with(&|t| t.scope = Scope::Categories(many.clone())),
        "at most 500",
    );
    for code in ["abc", "AUTUMN%", "ÄPFEL10", "1234567890123456789012345"] {
        let coupon = CouponTerms {
            code: code.into(),
            ..CouponTerms::default()
        };
        wrong(&with(&|t| t.coupon = Some(coupon.clone())), "4 to 24");
    }
}

/// ADV-06: a code is the same however it is written.
#[test]
fn codes_have_one_form() {
    for typed in ["AUTUMN10", " autumn 10 ", "Autumn-10", "AUTUMN\u{a0}10"] {
        assert_eq!(code_normal(typed).as_deref(), Some("AUTUMN10"), "{typed}");
    }
    for odd in ["", " - ", "Ａ", "'; DROP", "\0"] {
        assert_eq!(code_normal(odd), None, "{odd:?}");
    }
    let vault = Vault::new(SecretKey::new([7; 32]));
    let of = |typed: &str| CouponKey::of(&vault, 1, typed);
    assert_eq!(of("autumn 10"), of("AUTUMN10"));
    assert_ne!(of("AUTUMN10"), CouponKey::of(&vault, 2, "AUTUMN10"));
    assert_ne!(of("\u{1F600}"), of("\u{1F601}"), "what can be no code");
    let random = String::from(of("01ABC-DEFGH"));
    let misread = String::from(of("oLabc defgh"));
    assert_eq!(misread.split('.').nth(1), Some(random.as_str()));
    for key in [of("AUTUMN10"), of("oLabc defgh")] {
        assert_eq!(String::from(key.clone()).parse(), Ok(key));
    }
    for odd in ["", "ab", "é", &"x".repeat(64), &"0".repeat(63)] {
        assert!(odd.parse::<CouponKey>().is_err(), "{odd}");
    }
}
