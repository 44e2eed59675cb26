//! What tokens cost, by table and by property.

#![allow(clippy::arithmetic_side_effects)]

use super::rules::{Terms, price, times};
use super::{Discount, DiscountKind, Pack, Tier};
use crate::id::PackId;
use scrip_engine::Timestamp;
use scrip_ledger::Amount;

const TOKEN: i64 = 1_000_000;
const CENT: i64 = 1_000_000;

fn tokens(n: i64) -> Amount {
    Amount::from_units(n * TOKEN)
}

fn pack(name: &str, size: i64, price: Option<i64>, off: i64) -> Pack {
    Pack {
        id: PackId(uuid::Uuid::nil()),
        name: name.to_owned(),
        tokens: tokens(size),
        price: price.map(|cents| Amount::from_units(cents * CENT)),
        off,
        restriction: None,
        life_days: None,
        country: String::new(),
        sold_from: Timestamp(0),
        sold_until: Timestamp::NEVER,
        version: 1,
        changed_at: Timestamp(0),
    }
}

fn tier(preferred: bool, from: i64, off: i64) -> Tier {
    Tier {
        preferred,
        from_tokens: tokens(from),
        off,
    }
}

/// The packs of the requirements: gold is 10 at 95 cents; the sets are 100 at 5 % and 200 at 10 %.
fn packs() -> Vec<Pack> {
    vec![
        pack("Gold", 10, Some(95), 0),
        pack("Silver set", 100, None, 500),
        pack("Gold set", 200, None, 1000),
    ]
}

/// A token at 10 cents.
fn terms<'a>(packs: &'a [Pack], tiers: &'a [Tier]) -> Terms<'a> {
    Terms {
        base: Amount::from_units(10 * CENT),
        whole: TOKEN,
        cent: CENT,
        packs,
        tiers,
        preferred: false,
        stacking: false,
    }
}

fn cents(n: i64) -> Amount {
    Amount::from_units(n * CENT)
}

/// TOK-02, TOK-03: silver is a token at its price, gold ten at a price of its own, the sets are
/// bundles at a rate: $0.95, $9.50 and $18.00.
#[test]
fn denominations_and_bundles_cost_what_the_claims_say() {
    let packs = packs();
    let terms = terms(&packs, &[]);
    for (name, quantity, expected) in [
        ("Gold", 10, 95),
        ("Gold", 30, 285),
        ("Silver set", 100, 950),
        ("Silver set", 300, 2850),
        ("Gold set", 200, 1800),
    ] {
        let chosen = packs.iter().find(|p| p.name == name).unwrap();
        let found = price(tokens(quantity), Some(chosen), &terms).unwrap();
        assert_eq!(found.price, cents(expected), "{name} {quantity}");
        assert_eq!(found.list, cents(quantity * 10));
        assert_eq!(found.discounts[0].name, name, "the quote tells which");
    }
    let silver = price(tokens(1), None, &terms).unwrap();
    assert_eq!((silver.price, silver.discounts), (cents(10), vec![]));
}

/// TOK-04: quantities at and around the boundary of a tier; the best single price applies.
#[test]
fn the_best_single_price_applies() {
    let packs = packs();
    let tiers = [
        tier(false, 50, 300),
        tier(false, 500, 1200),
        tier(true, 0, 800),
    ];
    use DiscountKind::{Pack as OfPack, Preferred, Volume};
    for (quantity, preferred, expected, kind) in [
        // Boundaries of the tiers; 49 and 51 are no whole number of a pack.
        (1, false, 10, None),
        (49, false, 490, None),
        (51, false, 495, Some(Volume)),
        (499, false, 4841, Some(Volume)),
        (501, false, 4409, Some(Volume)),
        // 50 is 5 gold: 4.75 beats 4.85.
        (50, false, 475, Some(OfPack)),
        (500, false, 4400, Some(Volume)),
        (100, false, 950, Some(OfPack)),
        (200, false, 1800, Some(OfPack)),
        // A preferred customer: 8 % off everything, unless something is better.
        (1, true, 10, Some(Preferred)),
        (49, true, 451, Some(Preferred)),
        (100, true, 920, Some(Preferred)),
        (200, true, 1800, Some(OfPack)),
        (501, true, 4409, Some(Volume)),
    ] {
        let terms = Terms {
            preferred,
            ..terms(&packs, &tiers)
        };
        let found = price(tokens(quantity), None, &terms).unwrap();
        assert_eq!(found.price, cents(expected), "{quantity} {preferred}");
        let kind = kind.filter(|_| found.price < found.list);
        assert_eq!(
            found.discounts.first().map(|d| d.kind),
            kind,
            "{quantity} {preferred}"
        );
        assert!(found.discounts.len() <= 1, "one at a time");
    }
}

/// TOK-04: where the vendor lets discounts add up, their rates are added.
#[test]
fn discounts_add_up_where_the_vendor_lets_them() {
    let packs = packs();
    let tiers = [tier(false, 100, 300), tier(true, 0, 200)];
    for (quantity, preferred, expected, count) in [
        (100, false, 920, 2), // 5 + 3 %
        (100, true, 900, 3),  // 5 + 3 + 2 %
        (200, true, 1700, 3), // 10 + 3 + 2 %
        (10, true, 94, 2),    // 0.95 less 2 %, rounded up
        (99, true, 971, 1),   // 2 %, rounded up
        (101, false, 980, 1), // 3 %, rounded up
    ] {
        let terms = Terms {
            preferred,
            stacking: true,
            ..terms(&packs, &tiers)
        };
        let found = price(tokens(quantity), None, &terms).unwrap();
        assert_eq!(found.price, cents(expected), "{quantity} {preferred}");
        assert_eq!(found.discounts.len(), count, "{quantity} {preferred}");
    }
    // More than everything off is never a gift.
    let much = [pack("Much", 10, None, 9000)];
    let tiers = [tier(false, 0, 9000)];
    let terms = Terms {
        stacking: true,
        ..terms(&much, &tiers)
    };
    assert_eq!(
        price(tokens(10), Some(&much[0]), &terms).unwrap().price,
        cents(1)
    );
}

/// TOK-03, TOK-05: only who chooses a pack with conditions gets its price and its conditions.
#[test]
fn packs_with_conditions_must_be_chosen() {
    let mut sale = pack("Sale tokens", 100, None, 5000);
    sale.restriction = Some("sale".to_owned());
    let mut summer = pack("Summer", 100, Some(700), 0);
    summer.life_days = Some(30);
    let packs = [sale, summer];
    let terms = terms(&packs, &[]);
    assert_eq!(price(tokens(100), None, &terms).unwrap().price, cents(1000));
    assert_eq!(
        price(tokens(100), Some(&packs[0]), &terms).unwrap().price,
        cents(500)
    );
    assert_eq!(
        price(tokens(100), Some(&packs[1]), &terms).unwrap().price,
        cents(700)
    );
    // A vendor may ask more for a pack; a plain quantity does not pay that.
    let dear = [pack("Gift box", 10, Some(150), 0)];
    let terms = Terms {
        packs: &dear,
        ..terms
    };
    assert_eq!(price(tokens(10), None, &terms).unwrap().price, cents(100));
    assert_eq!(
        price(tokens(10), Some(&dear[0]), &terms).unwrap().price,
        cents(150)
    );
}

#[test]
fn a_pack_makes_a_quantity_a_whole_number_of_times() {
    let gold = pack("Gold", 10, Some(95), 0);
    for (quantity, expected) in [(10, Some(1)), (30, Some(3)), (5, None), (15, None)] {
        assert_eq!(times(&gold, tokens(quantity)), expected);
    }
    assert_eq!(times(&gold, Amount::from_units(10 * TOKEN + 1)), None);
    assert_eq!(times(&gold, Amount::ZERO), None);
}

/// Numbers without end from a seed, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        i64::try_from((self.0 >> 20) % u64::try_from(end).unwrap()).unwrap()
    }
}

/// MIC-01, TOK-01 to TOK-04: over many vendors and quantities: above zero, whole cents, never
/// dearer than the base price, never dearer by a further discount, and exact to the cent.
#[test]
fn prices_hold_their_promises() {
    let mut n = Numbers(4);
    for round in 0..20_000 {
        let packs: Vec<Pack> = (0..n.below(4))
            .map(|i| pack(&format!("p{i}"), 1 + n.below(200), None, n.below(9999)))
            .collect();
        let tiers: Vec<Tier> = (0..n.below(4))
            .map(|i| tier(i % 2 == 1, n.below(300), 1 + n.below(9998)))
            .collect();
        let base = Amount::from_units(1 + n.below(200 * CENT));
        let quantity = match n.below(3) {
            0 => Amount::from_units(1 + n.below(500 * TOKEN)),
            _ => tokens(1 + n.below(500)),
        };
        let of = |preferred, stacking| Terms {
            base,
            whole: TOKEN,
            cent: CENT,
            packs: &packs,
            tiers: &tiers,
            preferred,
            stacking,
        };
        let plain = price(quantity, None, &of(false, false)).unwrap();
        let preferred = price(quantity, None, &of(true, false)).unwrap();
        let stacked = price(quantity, None, &of(true, true)).unwrap();
        for (priced, is_single) in [(&plain, true), (&preferred, true), (&stacked, false)] {
            assert!(priced.price.is_positive(), "round {round}");
            assert_eq!(priced.price.units() % CENT, 0, "whole cents");
            assert!(
                priced.price <= priced.list,
                "round {round}: dearer than the base"
            );
            if is_single {
                assert!(priced.discounts.len() <= 1);
                let off = priced.discounts.first().map_or(0, |d| d.off);
                let exact = i128::from(quantity.units())
                    * i128::from(base.units())
                    * i128::from(10_000 - off);
                let step = i128::from(TOKEN) * 10_000 * i128::from(CENT);
                let expected = (exact + step - 1) / step * i128::from(CENT);
                assert_eq!(i128::from(priced.price.units()), expected, "round {round}");
            }
        }
        assert!(preferred.price <= plain.price && stacked.price <= preferred.price);
    }
}

/// TOK-08, MIC-02: tokens times price, rounded up to whole cents, because no card pays less.
#[test]
fn a_card_pays_whole_cents() {
    for (count, base, charged) in [
        ("100", "0.01", "1"),
        ("1", "0.01", "0.01"),
        ("1", "0.001", "0.01"),
        ("10", "0.001", "0.01"),
        ("11", "0.001", "0.02"),
        ("1000", "0.001", "1"),
        ("0.000001", "0.001", "0.01"),
        ("101", "0.015", "1.52"),
        ("200", "0.09", "18"),
        ("1", "0.00000001", "0.01"),
        ("3", "33.333333", "100"),
        ("1000000", "100", "100000000"),
    ] {
        let terms = Terms {
            base: Amount::parse(base, 8).unwrap(),
            ..terms(&[], &[])
        };
        let found = price(Amount::parse(count, 6).unwrap(), None, &terms).unwrap();
        assert_eq!(found.price.decimal(8), charged, "{count} at {base}");
    }
    let coarse = Terms {
        base: Amount::from_units(150),
        cent: 1,
        ..terms(&[], &[])
    };
    let found = price(tokens(3), None, &coarse).unwrap();
    assert_eq!(
        found.price.decimal(2),
        "4.5",
        "a currency without finer units"
    );
}

#[test]
fn prices_beyond_all_amounts_are_refused() {
    let terms = Terms {
        base: Amount::from_units(i64::MAX),
        ..terms(&[], &[])
    };
    assert!(price(Amount::from_units(i64::MAX), None, &terms).is_err());
}

#[test]
fn discounts_are_kept_as_text_and_read_again() {
    let discount = Discount {
        kind: DiscountKind::Volume,
        name: String::new(),
        off: 500,
    };
    let text = serde_json::to_string(std::slice::from_ref(&discount)).unwrap();
    let read: Vec<Discount> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, [discount]);
}
