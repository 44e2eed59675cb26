//! FIG. 20 by tables, and against a search that knows no preference.

use super::rules::{Line, Paid, Pays, Purse, candidate, certificates, decide};
use crate::open_token::OpenKind;
use proptest::prelude::*;
use scrip_ledger::Amount;
use std::collections::BTreeMap;

const MAKER: i64 = 7;
const OTHER: i64 = 8;

fn units(n: i64) -> Amount {
    Amount::from_units(n)
}

fn listed(price: i64, cap: i64) -> Line {
    Line {
        price: units(price),
        maker: Some(MAKER),
        cap: units(cap),
    }
}

fn plain(price: i64) -> Line {
    Line {
        price: units(price),
        maker: None,
        cap: Amount::ZERO,
    }
}

fn by(maker: i64, held: i64) -> BTreeMap<i64, Amount> {
    match held {
        0 => BTreeMap::new(),
        held => BTreeMap::from([(maker, units(held))]),
    }
}

/// M1, M2, group, gift, universal.
fn purse(held: [i64; 5]) -> Purse {
    let [m1, m2, group, gift, universal] = held;
    Purse {
        m1: by(MAKER, m1),
        m2: by(MAKER, m2),
        group: units(group),
        gift: units(gift),
        universal: units(universal),
    }
}

/// OPN-18: a test for each row and branch of FIG. 20A.
#[test]
fn each_row_and_branch_of_fig_20a() {
    use Pays::{Gift, Group, Manufacturer, Universal};
    let on = listed(10, 2);
    let off = plain(10);
    for (row, line, held, expected) in [
        ("1 yes, M1", on, [5, 0, 5, 5, 5], Some(Manufacturer)),
        ("1 yes, M2", on, [0, 5, 5, 5, 5], Some(Manufacturer)),
        ("1 no, 2 yes", on, [0, 0, 5, 5, 5], Some(Universal)),
        ("1 no, 2 no", on, [0, 0, 5, 5, 0], None),
        ("3 yes", off, [5, 5, 5, 5, 5], Some(Group)),
        ("3 no, 4 yes", off, [5, 5, 0, 5, 5], Some(Gift)),
        ("3 no, 4 no, 5 yes", off, [5, 5, 0, 0, 5], Some(Universal)),
        ("3 no, 4 no, 5 no", off, [5, 5, 0, 0, 0], None),
    ] {
        assert_eq!(candidate(&line, &purse(held)), expected, "row {row}");
    }
    // Tokens of another manufacturer are none of this one.
    let other = Purse {
        m1: by(OTHER, 50),
        ..purse([0, 0, 0, 0, 5])
    };
    assert_eq!(candidate(&on, &other), Some(Universal));
}

/// OPN-19: each branch of S.
#[test]
fn each_branch_of_fig_20b() {
    use OpenKind::{Gift, Group, M1, M2, Universal};
    let on = listed(10, 2);
    let off = plain(10);
    let one = |kind, n| vec![(kind, units(n))];
    let two = |a, n, b, m| vec![(a, units(n)), (b, units(m))];
    for (line, held, combines, expected) in [
        // (i) the candidate covers
        (on, [10, 9, 10, 10, 10], true, Some(one(M1, 10))),
        (on, [0, 9, 10, 10, 10], true, Some(two(M2, 2, Universal, 8))),
        (off, [0, 0, 10, 10, 10], true, Some(one(Group, 10))),
        (off, [0, 0, 0, 10, 10], true, Some(one(Gift, 10))),
        (on, [0, 0, 10, 10, 10], true, Some(one(Universal, 10))),
        // (ii) another one does alone, in the order M, G, C, U
        (on, [6, 0, 10, 10, 10], true, Some(one(Group, 10))),
        (on, [6, 0, 6, 10, 10], true, Some(one(Gift, 10))),
        (off, [0, 0, 6, 0, 10], true, Some(one(Universal, 10))),
        (on, [0, 0, 10, 0, 6], true, Some(one(Group, 10))),
        // (iii) together
        (off, [0, 0, 6, 5, 0], true, Some(two(Group, 6, Gift, 4))),
        (on, [6, 0, 0, 0, 4], true, Some(two(M1, 6, Universal, 4))),
        // (iv)
        (off, [0, 0, 6, 5, 0], false, None),
        (off, [0, 0, 6, 0, 3], true, None),
        (off, [10, 0, 0, 0, 0], true, None),
        // M2 alone, M2 with others than U, and more than the cap
        (on, [0, 10, 0, 0, 0], true, None),
        (on, [0, 10, 10, 0, 0], false, Some(one(Group, 10))),
        (on, [0, 10, 0, 0, 7], true, None),
    ] {
        let found = decide(&[line], &purse(held), combines, None).unwrap();
        let expected = expected.map(|paid| vec![paid]);
        assert_eq!(found, expected, "{line:?} {held:?} {combines}");
    }
}

/// OPN-12: even where all of the price may be discounted, universal tokens are beside.
#[test]
fn discount_tokens_never_pay_alone() {
    let line = listed(10, 10);
    assert_eq!(
        decide(&[line], &purse([0, 50, 0, 0, 0]), true, None).unwrap(),
        None
    );
    let paid = decide(&[line], &purse([0, 50, 0, 0, 1]), true, None).unwrap();
    let expected = vec![(OpenKind::M2, units(9)), (OpenKind::Universal, units(1))];
    assert_eq!(paid, Some(vec![expected]));
}

/// OPN-18: line by line, without spending a token twice: where the first line's preferred type would
/// leave the second one unpaid, it takes the next.
#[test]
fn a_mixed_cart_is_one_decision() {
    use OpenKind::{Group, M1, Universal};
    let cart = [listed(10, 0), plain(10)];
    let paid = decide(&cart, &purse([10, 0, 10, 0, 0]), true, None).unwrap();
    let expected = vec![vec![(M1, units(10))], vec![(Group, units(10))]];
    assert_eq!(paid, Some(expected));
    // One wallet of 10 cannot pay both.
    assert_eq!(
        decide(&cart, &purse([0, 0, 0, 0, 10]), true, None).unwrap(),
        None
    );
    // The plain line needs U; the listed one would have taken it as its candidate.
    let cart = [listed(10, 0), plain(15)];
    let paid = decide(&cart, &purse([0, 0, 10, 0, 15]), false, None).unwrap();
    let expected = vec![vec![(Group, units(10))], vec![(Universal, units(15))]];
    assert_eq!(paid, Some(expected));
}

/// The customer's choice pays every line, or nothing is paid.
#[test]
fn a_choice_pays_all_or_nothing() {
    let cart = [listed(10, 2), plain(10)];
    let held = purse([20, 5, 20, 20, 20]);
    for (pays, can) in [
        (Pays::Manufacturer, false),
        (Pays::Group, true),
        (Pays::Gift, true),
        (Pays::Universal, true),
    ] {
        let paid = decide(&cart, &held, true, Some(pays)).unwrap();
        assert_eq!(paid.is_some(), can, "{pays}");
    }
}

/// True where some allowed way pays all lines; it tries every split in whole units.
fn payable(lines: &[Line], held: [i64; 5], combines: bool) -> bool {
    let Some((line, rest)) = lines.split_first() else {
        return true;
    };
    let price = line.price.units();
    let cap = line.cap.units();
    let [m1, m2, group, gift, universal] = held;
    let on_list = line.maker.is_some();
    if on_list {
        for part in 1..=cap.min(m2).min(price.saturating_sub(1)) {
            let by_u = price.saturating_sub(part);
            let left = [
                m1,
                m2.saturating_sub(part),
                group,
                gift,
                universal.saturating_sub(by_u),
            ];
            if by_u <= universal && payable(rest, left, combines) {
                return true;
            }
        }
    }
    let most_m1 = if on_list { m1.min(price) } else { 0 };
    for a in 0..=most_m1 {
        for b in 0..=group.min(price.saturating_sub(a)) {
            let after = price.saturating_sub(a).saturating_sub(b);
            for c in 0..=gift.min(after) {
                let d = after.saturating_sub(c);
                let types = [a, b, c, d].iter().filter(|n| **n > 0).count();
                if d > universal || (!combines && types > 1) {
                    continue;
                }
                let left = [
                    m1.saturating_sub(a),
                    m2,
                    group.saturating_sub(b),
                    gift.saturating_sub(c),
                    universal.saturating_sub(d),
                ];
                if payable(rest, left, combines) {
                    return true;
                }
            }
        }
    }
    false
}

fn check_allowed(
    lines: &[Line],
    held: [i64; 5],
    paid: &[Paid],
    combines: bool,
) -> Result<(), TestCaseError> {
    let mut sums = [0_i64; 5];
    for (line, parts) in lines.iter().zip(paid) {
        let total = Amount::sum(parts.iter().map(|part| part.1)).unwrap();
        prop_assert_eq!(total, line.price);
        let discount = parts.iter().find(|part| part.0 == OpenKind::M2);
        if let Some((_, amount)) = discount {
            prop_assert!(line.maker.is_some() && *amount <= line.cap);
            let others = parts.iter().filter(|part| part.0 != OpenKind::M2);
            let others: Vec<OpenKind> = others.map(|part| part.0).collect();
            prop_assert_eq!(others, vec![OpenKind::Universal]);
        } else if !combines {
            prop_assert_eq!(parts.len(), 1);
        }
        for (kind, amount) in parts {
            let place = match kind {
                OpenKind::M1 => 0,
                OpenKind::M2 => 1,
                OpenKind::Group => 2,
                OpenKind::Gift => 3,
                OpenKind::Universal => 4,
            };
            prop_assert!(place > 1 || line.maker.is_some());
            sums[place] = sums[place].saturating_add(amount.units());
        }
    }
    for (sum, has) in sums.iter().zip(held) {
        prop_assert!(*sum <= has, "spent twice: {:?} of {:?}", sums, held);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// OPN-19: an order is refused only when no allowed way pays all of it, and what pays is allowed.
    #[test]
    fn refused_only_when_nothing_pays(
        lines in prop::collection::vec((1_i64..7, any::<bool>(), 0_i64..7), 1..4),
        held in prop::array::uniform5(0_i64..9),
        combines in any::<bool>(),
    ) {
        let lines: Vec<Line> = lines
            .into_iter()
            .map(|(price, on_list, cap)| match on_list {
                true => listed(price, cap.min(price)),
                false => plain(price),
            })
            .collect();
        let found = decide(&lines, &purse(held), combines, None).unwrap();
        let can = payable(&lines, held, combines);
        prop_assert_eq!(found.is_some(), can, "{:?} {:?}", lines, held);
        if let Some(paid) = found {
            check_allowed(&lines, held, &paid, combines)?;
        }
    }

    /// OPN-19: the fewest certificates that cover, and of those the least surplus.
    #[test]
    fn certificates_are_few_and_close(
        faces in prop::collection::vec(1_i64..50, 0..9),
        need in 1_i64..120,
    ) {
        let faces: Vec<Amount> = faces.into_iter().map(units).collect();
        let sum = |set: u32| -> i64 {
            let chosen = faces.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
            chosen.map(|(_, face)| face.units()).sum()
        };
        let sets = 0..1_u32 << faces.len();
        let best = sets
            .filter(|set| sum(*set) >= need)
            .map(|set| (set.count_ones(), sum(set)))
            .min();
        let found = certificates(&faces, units(need)).unwrap();
        let total: i64 = found.iter().map(|place| faces[*place].units()).sum();
        if let Some((count, least)) = best {
            prop_assert_eq!(found.len(), usize::try_from(count).unwrap());
            prop_assert_eq!(total, least);
        }
    }
}
