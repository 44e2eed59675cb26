//! Balances of summed accounts: before, between and after seals, and while transactions commit
//! out of the order of their numbers.

use crate::world::{Shop, World, both, leg, plain};
use scrip_ledger::{Sealed, seal_next};
use scrip_testkit::TestDb;
use std::sync::mpsc::channel;

both!(
    a_balance_is_the_same_before_between_and_after_seals,
    nothing_is_lost_when_numbers_commit_out_of_order,
    two_sealers_seal_each_entry_once,
    balances_survive_a_restart,
);

fn seal(w: &World<'_>, shop: Shop, limit: i64) -> Option<Sealed> {
    w.write(move |tx| seal_next(tx, shop.book, limit))
        .expect("seal")
}

fn seal_all(w: &World<'_>, shop: Shop) -> i64 {
    let mut entries = 0;
    while let Some(sealed) = seal(w, shop, 3) {
        entries += sealed.entries;
    }
    entries
}

fn a_balance_is_the_same_before_between_and_after_seals(db: &TestDb) {
    let w = World::new(db);
    let (shop, other) = (w.shop("seals"), w.shop("beside"));
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 1000);
    assert_eq!(seal(&w, other, 10), None, "nothing to seal");
    assert_eq!(seal(&w, shop, 0), None, "nothing asked for");
    let mut spent = 0;
    for n in 1..=20 {
        let legs = [
            leg(alice, shop.spent, n, grant),
            plain(shop.deferred, shop.processor, 2 * n),
        ];
        shop.entry(&w, &legs).expect("an order");
        other
            .entry(&w, &[plain(other.deferred, other.processor, 1)])
            .expect("beside it");
        spent += n;
        if n % 4 == 0 {
            let sealed = seal(&w, shop, 3).expect("something to seal");
            assert_eq!((sealed.seal_no, sealed.entries), (n / 4, 3));
        }
        assert_eq!(shop.balance(&w, shop.spent), spent);
        assert_eq!(shop.balance(&w, shop.processor), 2 * spent);
        assert_eq!(shop.balance(&w, shop.deferred), -2 * spent);
        assert_eq!(shop.balance(&w, shop.issued), -1000);
    }
    shop.assert_clean(&w);
    assert_eq!(seal_all(&w, shop), 21 - 15);
    assert_eq!(shop.balance(&w, shop.spent), spent);
    assert_eq!(other.balance(&w, other.processor), 20);
    shop.assert_clean(&w);
    other.assert_clean(&w);
}

/// ARC-08: an entry that commits after a seal covered higher numbers is in the balance at once and
/// in the next seal. On SQLite such a thing cannot happen: there the second command waits.
fn nothing_is_lost_when_numbers_commit_out_of_order(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("order");
    let (alice, bob) = (shop.wallet(&w, "alice"), shop.wallet(&w, "bob"));
    let (first, second) = (shop.issue(&w, alice, 10), shop.issue(&w, bob, 10));
    let (go, wait) = channel::<()>();
    let (started, has_started) = channel();
    let late = w.engine().submit(move |tx| {
        let entry = shop.post(tx, "order", &[leg(alice, shop.spent, 1, first)])?;
        let _ = started.send(entry);
        let _ = wait.recv();
        Ok::<_, scrip_ledger::Error>(entry)
    });
    let lower = has_started.recv().expect("it has its numbers");
    if db.is_sqlite() {
        let next = w
            .engine()
            .submit(move |tx| shop.post(tx, "order", &[leg(bob, shop.spent, 2, second)]));
        drop(go);
        assert!(late.wait().expect("first") < next.wait().expect("second"));
        assert_eq!(seal_all(&w, shop), 4);
        shop.assert_clean(&w);
        return;
    }
    let higher = shop.spend(&w, bob, second, 2).expect("beside it");
    assert!(lower < higher);
    assert_eq!(seal_all(&w, shop), 3, "all but the late one");
    assert_eq!(shop.balance(&w, shop.spent), 2);
    shop.assert_clean(&w);
    drop(go);
    assert_eq!(late.wait().expect("the late one"), lower);
    assert_eq!(shop.balance(&w, shop.spent), 3);
    shop.assert_clean(&w);
    assert_eq!(seal_all(&w, shop), 1, "the late one");
    assert_eq!(shop.balance(&w, shop.spent), 3);
    assert_eq!(shop.balance(&w, shop.issued), -20);
    shop.assert_clean(&w);
}

/// ARC-08: while orders come in, several sealers share the work without counting twice.
fn two_sealers_seal_each_entry_once(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("sealers");
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 1000);
    let sealed: i64 = std::thread::scope(|scope| {
        let sealers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    (0..40)
                        .filter_map(|_| seal(&w, shop, 4))
                        .map(|s| s.entries)
                        .sum()
                })
            })
            .collect();
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    shop.spend(&w, alice, grant, 1).expect("one token");
                    let spent = shop.balance(&w, shop.spent);
                    assert!((1..=100).contains(&spent), "{spent}");
                }
            });
        }
        sealers
            .into_iter()
            .map(|s| -> i64 { s.join().expect("no panic") })
            .sum()
    });
    assert_eq!(sealed + seal_all(&w, shop), 101);
    assert_eq!(shop.balance(&w, shop.spent), 100);
    shop.assert_clean(&w);
}

fn balances_survive_a_restart(db: &TestDb) {
    let mut w = World::new(db);
    let shop = w.shop("restart");
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 10);
    for left in [9, 8, 7] {
        shop.spend(&w, alice, grant, 1).expect("one token");
        w.reopen();
        assert_eq!(shop.lots(&w, alice), [(grant, left)]);
        assert_eq!(shop.balance(&w, alice), left);
        assert_eq!(shop.balance(&w, shop.spent), 10 - left);
        seal(&w, shop, 1);
    }
    shop.assert_clean(&w);
}
