//! Which tokens pay for which lines, against trying every way.
// Small numbers, chosen here.
#![allow(clippy::arithmetic_side_effects)]

use crate::order::allocation::{Need, allocate};
use proptest::prelude::*;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, GrantInfo, Lot, Origin, Piece};
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_000);
const TOMORROW: Timestamp = Timestamp(2_000);

fn lot(
    grant_id: i64,
    remaining: i64,
    restriction: Option<&str>,
    origin: Origin,
    expires_at: Timestamp,
) -> Lot {
    Lot {
        grant: Arc::new(GrantInfo {
            grant_id,
            asset_id: 1,
            origin,
            restriction: restriction.map(str::to_owned),
            expires_at,
            quantity: Amount::from_units(remaining.max(1)),
            paid: Amount::ZERO,
            paid_asset_id: None,
            granted_at: Timestamp(10 * grant_id),
        }),
        remaining: Amount::from_units(remaining),
    }
}

fn plain(grant_id: i64, remaining: i64, expires_at: Timestamp) -> Lot {
    lot(grant_id, remaining, None, Origin::Paid, expires_at)
}

fn restricted(grant_id: i64, remaining: i64, expires_at: Timestamp) -> Lot {
    lot(grant_id, remaining, Some("sale"), Origin::Paid, expires_at)
}

fn need(amount: i64, on_sale: bool) -> Need {
    Need {
        amount: Amount::from_units(amount),
        on_sale,
        category: String::new(),
    }
}

fn paid(lots: &[Lot], needs: &[Need]) -> Option<Vec<(i64, i64)>> {
    let pieces = allocate(lots, needs, NOW).unwrap()?;
    Some(pieces.iter().map(|p| (p.grant, p.amount.units())).collect())
}

/// TOK-05, TOK-07: 50 ordinary tokens that expire tomorrow and 50 restricted ones pay for a line
/// on sale of 50 and an ordinary one of 50, in either order, though the soonest-expiring first
/// line by line would not.
#[test]
fn a_preference_never_makes_a_payable_order_fail() {
    let lots = [plain(1, 50, TOMORROW), restricted(2, 50, Timestamp::NEVER)];
    let (sale, ordinary) = (need(50, true), need(50, false));
    let both = Some(vec![(1, 50), (2, 50)]);
    assert_eq!(paid(&lots, &[sale.clone(), ordinary.clone()]), both);
    assert_eq!(paid(&lots, &[ordinary, sale]), both);
    let pieces: Vec<Need> = (0..50)
        .flat_map(|_| [need(1, true), need(1, false)])
        .collect();
    assert_eq!(paid(&lots, &pieces), both, "line by line too");
    assert_eq!(paid(&lots, &[need(51, false), need(49, true)]), None);
    assert_eq!(paid(&lots, &[need(50, false), need(51, true)]), None);
}

/// TOK-07: soonest expiry first, then restricted before ordinary, free before credit before paid,
/// older before newer.
#[test]
fn tokens_are_spent_in_the_order_of_preference() {
    let never = Timestamp::NEVER;
    let lots = [
        plain(9, 1, never),
        plain(8, 1, never),
        lot(7, 1, None, Origin::Credit, never),
        lot(6, 1, None, Origin::Free, never),
        restricted(5, 1, never),
        lot(4, 1, None, Origin::Paid, Timestamp(9_000)),
        plain(3, 1, TOMORROW),
        plain(2, 1, NOW),
        plain(1, 1, Timestamp(0)),
    ];
    let order = [3, 4, 5, 6, 7, 8, 9];
    for n in 1..=order.len() {
        let mut expected: Vec<(i64, i64)> = order[..n].iter().map(|g| (*g, 1)).collect();
        let found = paid(&lots, &[need(i64::try_from(n).unwrap(), true)]).unwrap();
        assert_eq!(found, expected, "{n}, in that order");
        // Ordinary products pass the restricted lot over.
        let ordinary: Vec<i64> = order.into_iter().filter(|g| *g != 5).take(n).collect();
        expected = ordinary.iter().map(|g| (*g, 1)).collect();
        let found = paid(&lots, &[need(i64::try_from(n).unwrap(), false)]);
        assert_eq!(found, (n < order.len()).then_some(expected));
    }
}

/// TOK-05: a restriction that is not known pays for nothing.
#[test]
fn an_unknown_restriction_pays_for_nothing() {
    let lots = [lot(1, 50, Some("books"), Origin::Paid, Timestamp::NEVER)];
    assert_eq!(paid(&lots, &[need(1, true)]), None);
    assert_eq!(paid(&lots, &[need(1, false)]), None);
}

#[test]
fn exactly_what_is_needed_is_taken() {
    let lots = [plain(1, 7, TOMORROW), plain(2, 100, Timestamp::NEVER)];
    assert_eq!(
        paid(&lots, &[need(3, false), need(5, true)]),
        Some(vec![(1, 7), (2, 1)])
    );
    assert_eq!(paid(&lots, &[need(7, false)]), Some(vec![(1, 7)]));
    assert_eq!(
        paid(&lots, &[need(107, true)]),
        Some(vec![(1, 7), (2, 100)])
    );
    assert_eq!(paid(&lots, &[need(108, true)]), None);
    assert_eq!(paid(&lots, &[]), Some(vec![]));
    assert_eq!(paid(&[], &[need(0, false)]), Some(vec![]));
    assert_eq!(paid(&[], &[need(1, false)]), None);
    let huge = [plain(1, i64::MAX, Timestamp::NEVER)];
    let all = Some(vec![(1, i64::MAX)]);
    assert_eq!(
        paid(&huge, &[need(i64::MAX - 1, false), need(1, true)]),
        all
    );
    let beyond = allocate(&huge, &[need(i64::MAX, true), need(1, true)], NOW);
    assert!(beyond.is_err(), "the needs are no amount");
}

/// Every vector of usage that pays exactly, found by trying all, in the order of preference; the
/// greatest one, compared from the most preferred lot on.
fn best_of_all(lots: &[(i64, bool)], for_sales: i64, ordinary: i64) -> Option<Vec<i64>> {
    let mut best: Option<Vec<i64>> = None;
    let mut used = vec![0; lots.len()];
    loop {
        let sum = |only_restricted: bool| -> i64 {
            let counts = lots.iter().zip(&used);
            counts
                .filter(|c| !only_restricted || c.0.1)
                .map(|c| c.1)
                .sum()
        };
        let pays = sum(false) == for_sales + ordinary && sum(true) <= for_sales;
        if pays && best.as_ref().is_none_or(|b| used > *b) {
            best = Some(used.clone());
        }
        let Some(next) = (0..lots.len()).find(|i| used[*i] < lots[*i].0) else {
            return best;
        };
        used[next] += 1;
        used[..next].fill(0);
    }
}

fn any_lot() -> impl Strategy<Value = (i64, bool, u8, u8)> {
    (0..5_i64, any::<bool>(), 0..3_u8, 0..4_u8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..Default::default() })]

    /// TOK-05, TOK-07: an order is paid if and only if some split pays it, and then by the first
    /// split in the order of preference.
    #[test]
    fn the_preferred_of_all_ways_is_taken(
        made in prop::collection::vec(any_lot(), 0..6),
        sales in prop::collection::vec(0..5_i64, 0..3),
        ordinary in prop::collection::vec(0..5_i64, 0..3),
    ) {
        let mut lots: Vec<Lot> = made
            .iter()
            .zip(1..)
            .map(|((n, restricted, origin, days), id)| {
                let origin = [Origin::Free, Origin::Credit, Origin::Paid][usize::from(*origin)];
                // 0 days: expired already.
                let expires_at = Timestamp(1_000 + 100 * i64::from(*days));
                lot(id, *n, restricted.then_some("sale"), origin, expires_at)
            })
            .collect();
        let needs: Vec<Need> = sales
            .iter()
            .map(|n| need(*n, true))
            .chain(ordinary.iter().map(|n| need(*n, false)))
            .collect();
        let found = allocate(&lots, &needs, NOW).unwrap();
        lots.retain(|l| l.grant.expires_at > NOW);
        lots.sort_by_key(|l| {
            let g = &l.grant;
            (g.expires_at, g.restriction.is_none(), g.origin, g.grant_id)
        });
        let plain: Vec<(i64, bool)> = lots
            .iter()
            .map(|l| (l.remaining.units(), l.grant.restriction.is_some()))
            .collect();
        let best = best_of_all(&plain, sales.iter().sum(), ordinary.iter().sum());
        let usage = found.map(|pieces| {
            let of = |l: &Lot| -> i64 {
                let same = |p: &&Piece| p.grant == l.grant.grant_id;
                pieces.iter().filter(same).map(|p| p.amount.units()).sum()
            };
            lots.iter().map(of).collect::<Vec<i64>>()
        });
        prop_assert_eq!(usage, best);
    }
}

/// TOK-01: tokens for a category pay for that one alone, and leave the others for what they
/// cannot pay.
#[test]
fn tokens_for_a_category_pay_for_nothing_else() {
    let of = |amount, category: &str| Need {
        category: category.to_owned(),
        ..need(amount, false)
    };
    let books = lot(
        1,
        50,
        Some("category:Books"),
        Origin::Paid,
        Timestamp::NEVER,
    );
    let lots = [books, plain(2, 50, Timestamp::NEVER)];
    assert_eq!(paid(&lots, &[of(50, "Books")]), Some(vec![(1, 50)]));
    assert_eq!(
        paid(&lots, &[of(50, "Games"), of(50, "Books")]),
        Some(vec![(1, 50), (2, 50)])
    );
    assert_eq!(paid(&lots, &[of(51, "Games")]), None);
    assert_eq!(
        paid(&lots, &[of(51, "books")]),
        None,
        "as the vendor writes it"
    );
    assert_eq!(paid(&lots, &[of(51, "")]), None);
}
