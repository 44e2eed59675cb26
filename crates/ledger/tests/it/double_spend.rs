//! 32 threads spend from one wallet at the same time; and the same with the guard taken out,
//! which must be noticed.

use crate::world::{Shop, World, both, refused};
use scrip_ledger::memory_without_floor;
use scrip_testkit::TestDb;
use std::sync::{Barrier, Mutex};

const THREADS: usize = 32;
const ROUNDS: usize = 200;

both!(exactly_the_possible_spends_succeed);

/// What each thread asked for, and whether it got it.
type Attempts = Vec<(i64, String)>;

/// One round after the other, each with a wallet of its own: (tokens, attempts, left).
fn rounds(w: &World<'_>, shop: Shop, rounds: usize) -> Vec<(i64, Attempts, i64)> {
    let barrier = Barrier::new(THREADS + 1);
    let target = Mutex::new((0, 0));
    let attempts = Mutex::new(Attempts::new());
    let mut outcome = Vec::new();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (barrier, target, attempts) = (&barrier, &target, &attempts);
            scope.spawn(move || {
                for round in 0..rounds {
                    barrier.wait();
                    let (wallet, grant) = *target.lock().expect("no panic");
                    let amount = 1 + i64::try_from((thread + round) % 3).expect("small");
                    let spent = shop.spend(w, wallet, grant, amount);
                    // A panic here would keep all others waiting.
                    let attempt = (amount, refused(spent));
                    attempts.lock().expect("no panic").push(attempt);
                    barrier.wait();
                }
            });
        }
        for round in 0..rounds {
            let tokens = 1 + i64::try_from(round % 40).expect("small");
            let wallet = shop.wallet(w, "one of many");
            let grant = shop.issue(w, wallet, tokens);
            *target.lock().expect("no panic") = (wallet, grant);
            barrier.wait();
            barrier.wait();
            let attempts = std::mem::take(&mut *attempts.lock().expect("no panic"));
            outcome.push((tokens, attempts, shop.balance(w, wallet)));
        }
    });
    outcome
}

fn spent(attempts: &Attempts) -> i64 {
    let served = attempts.iter().filter(|a| a.1 == "Ok");
    served.map(|a| a.0).sum()
}

/// ARC-08: of all that spend the same tokens at once, exactly those succeed that can.
fn exactly_the_possible_spends_succeed(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("race");
    for (round, (tokens, attempts, left)) in rounds(&w, shop, ROUNDS).iter().enumerate() {
        assert_eq!(attempts.len(), THREADS);
        assert_eq!(spent(attempts) + left, *tokens, "round {round}");
        assert!(*left >= 0, "round {round}");
        // Nobody was turned away who could have been served.
        for (amount, outcome) in attempts {
            let refused = outcome == "Insufficient" && amount > left;
            assert!(
                refused || outcome == "Ok",
                "round {round}: {amount} {outcome}"
            );
        }
    }
    shop.assert_clean(&w);
}

/// Without the row locks of PostgreSQL, the test above would fail.
#[test]
fn without_row_locks_it_is_noticed() {
    let db = TestDb::postgres();
    let w = World::with(&db, |options| options.without_row_locks = true);
    let shop = w.shop("unlocked");
    let outcome = rounds(&w, shop, 20);
    let wrong = outcome
        .iter()
        .filter(|(tokens, attempts, left)| spent(attempts) + left != *tokens);
    assert!(wrong.count() > 0, "tokens were spent twice");
    let overspent = outcome.iter().filter(|o| spent(&o.1) > o.0);
    assert!(overspent.count() > 0, "more than there were");
    assert!(!shop.findings(&w).is_empty(), "and verify says so");
}

/// Without the floor, the test above would fail on SQLite, whose one writer needs no lock.
#[test]
fn without_the_floor_it_is_noticed() {
    let db = TestDb::sqlite();
    let w = World::with(&db, |options| options.memory = memory_without_floor());
    let shop = w.shop("floorless");
    let outcome = rounds(&w, shop, 20);
    assert!(outcome.iter().all(|o| spent(&o.1) > o.0), "all were served");
    assert!(outcome.iter().all(|o| o.2 < 0), "wallets are overdrawn");
    assert!(!shop.findings(&w).is_empty(), "and verify says so");
}
