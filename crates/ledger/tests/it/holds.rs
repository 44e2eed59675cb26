//! Holds: placed, posted whole or in part, released, expired; each closed once.

use crate::world::{START, Shop, World, both, leg, refused, units};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{
    Hold, HoldState, Posting, Result, hold_by_id, hold_expire, hold_post, hold_release, holds_due,
    lots_available,
};
use scrip_testkit::TestDb;

both!(
    a_hold_takes_its_pieces_out_of_the_wallet,
    a_hold_is_posted_whole,
    a_hold_posted_in_part_gives_the_rest_back_to_the_same_lots,
    a_hold_that_is_due_expires,
    a_hold_is_closed_once,
    a_hold_cannot_be_posted_wrongly,
    a_released_piece_of_an_expired_grant_is_given_back,
    holds_placed_at_once_never_exceed_the_balance,
);

/// Posts a hold within a transaction.
fn post(tx: &mut Tx<'_>, shop: Shop, hold: i64, to: i64, amount: i64) -> Result<i64> {
    let event_id = tx.new_id()?;
    let posting = Posting {
        book_id: shop.book,
        event_id,
        code: "order",
        actor: "tester",
        reference: "",
        effective_at: tx.now(),
        legs: &[],
    };
    hold_post(tx, &posting, hold, to, units(amount))
}

fn post_to(w: &World<'_>, shop: Shop, hold: i64, to: i64, amount: i64) -> Result<i64> {
    w.write(move |tx| post(tx, shop, hold, to, amount))
}

fn release(w: &World<'_>, shop: Shop, hold: i64) -> Result<i64> {
    w.write(move |tx| {
        let event = tx.new_id()?;
        hold_release(tx, shop.book, hold, event, "tester")
    })
}

fn expire(w: &World<'_>, shop: Shop, hold: i64) -> Result<i64> {
    w.write(move |tx| {
        let event = tx.new_id()?;
        hold_expire(tx, shop.book, hold, event)
    })
}

fn by_id(w: &World<'_>, shop: Shop, hold: i64) -> Hold {
    w.read(|tx| hold_by_id(tx, shop.book, hold))
}

/// A wallet of 10 of one grant and 20 of another.
fn wallet_of_two(w: &World<'_>, shop: Shop) -> (i64, i64, i64) {
    let alice = shop.wallet(w, "alice");
    let first = shop.issue(w, alice, 10);
    (alice, first, shop.issue(w, alice, 20))
}

fn a_hold_takes_its_pieces_out_of_the_wallet(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("place");
    let (alice, first, second) = wallet_of_two(&w, shop);
    let pieces = [(first, 4), (second, 5), (first, 1)];
    let hold = shop.hold(&w, alice, &pieces).expect("a hold");
    let stored = by_id(&w, shop, hold);
    assert_eq!(stored.account, alice);
    assert_eq!((stored.amount, stored.posted), (units(10), units(0)));
    assert_eq!(stored.state, HoldState::Open);
    assert_eq!(stored.expires_at, START.plus_seconds(3600));
    // What is available never counts what is held.
    assert_eq!(shop.balance(&w, alice), 20);
    assert_eq!(shop.lots(&w, alice), [(first, 5), (second, 15)]);
    assert_eq!(shop.lots(&w, stored.held), [(first, 5), (second, 5)]);
    let again = shop.hold(&w, alice, &[(first, 5)]).expect("another");
    assert_eq!(
        by_id(&w, shop, again).held,
        stored.held,
        "one account for all"
    );
    assert_eq!(refused(shop.spend(&w, alice, first, 1)), "LotInsufficient");
    assert_eq!(
        refused(shop.hold(&w, alice, &[(first, 1)])),
        "LotInsufficient"
    );
    assert_eq!(
        refused(shop.hold(&w, alice, &[(second, 16)])),
        "Insufficient"
    );
    assert_eq!(refused(shop.hold(&w, alice, &[(second, 0)])), "NotPositive");
    assert_eq!(refused(shop.hold(&w, alice, &[])), "EntrySize");
    assert_eq!(
        refused(shop.hold(&w, 999_999, &[(first, 1)])),
        "AccountUnknown"
    );
    assert_eq!(
        refused(shop.hold(&w, shop.spent, &[(first, 1)])),
        "AccountUnknown"
    );
    assert_eq!(shop.lots(&w, alice), [(second, 15)]);
    shop.assert_clean(&w);
}

fn a_hold_is_posted_whole(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("whole");
    let (alice, first, second) = wallet_of_two(&w, shop);
    let hold = shop.hold(&w, alice, &[(first, 10), (second, 5)]);
    let hold = hold.expect("a hold");
    post_to(&w, shop, hold, shop.spent, 15).expect("posted");
    let stored = by_id(&w, shop, hold);
    assert_eq!(
        (stored.state, stored.posted),
        (HoldState::Posted, units(15))
    );
    assert_eq!(shop.lots(&w, alice), [(second, 15)]);
    assert_eq!(shop.lots(&w, stored.held), []);
    assert_eq!(shop.balance(&w, shop.spent), 15);
    shop.assert_clean(&w);
}

fn a_hold_posted_in_part_gives_the_rest_back_to_the_same_lots(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("part");
    let (alice, first, second) = wallet_of_two(&w, shop);
    let bob = shop.wallet(&w, "bob");
    let hold = shop.hold(&w, alice, &[(first, 6), (second, 5)]);
    let hold = hold.expect("a hold");
    post_to(&w, shop, hold, bob, 8).expect("posted");
    assert_eq!(shop.lots(&w, alice), [(first, 4), (second, 18)]);
    assert_eq!(shop.lots(&w, bob), [(first, 6), (second, 2)]);
    let stored = by_id(&w, shop, hold);
    assert_eq!((stored.state, stored.posted), (HoldState::Posted, units(8)));
    // Released, all of it goes back.
    let hold = shop.hold(&w, alice, &[(first, 4), (second, 18)]);
    let hold = hold.expect("everything");
    assert_eq!(shop.balance(&w, alice), 0);
    release(&w, shop, hold).expect("released");
    assert_eq!(shop.lots(&w, alice), [(first, 4), (second, 18)]);
    assert_eq!(by_id(&w, shop, hold).state, HoldState::Released);
    shop.assert_clean(&w);
}

fn a_hold_that_is_due_expires(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("due");
    let (alice, first, _) = wallet_of_two(&w, shop);
    let due = |limit| w.read(|tx| holds_due(tx, shop.book, limit));
    let early = shop.hold(&w, alice, &[(first, 3)]).expect("a hold");
    w.clock.advance_seconds(10);
    let late = shop.hold(&w, alice, &[(first, 2)]).expect("a hold");
    w.clock.advance_seconds(3589);
    assert_eq!(due(10), []);
    assert_eq!(refused(expire(&w, shop, early)), "HoldNotDue");
    w.clock.advance_seconds(1);
    assert_eq!(due(10), [early]);
    w.clock.advance_seconds(10);
    assert_eq!(due(10), [early, late]);
    assert_eq!(due(1), [early]);
    expire(&w, shop, early).expect("expired");
    assert_eq!(by_id(&w, shop, early).state, HoldState::Expired);
    assert_eq!(due(10), [late]);
    assert_eq!(shop.balance(&w, alice), 28);
    expire(&w, shop, late).expect("expired");
    assert_eq!(due(10), []);
    assert_eq!(shop.balance(&w, alice), 30);
    shop.assert_clean(&w);
}

/// ARC-08: of all that try to close a hold, at the same time or later, one does.
fn a_hold_is_closed_once(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("once");
    let (alice, first, second) = wallet_of_two(&w, shop);
    for round in 0..10 {
        let hold = shop.hold(&w, alice, &[(second, 2)]).expect("a hold");
        w.clock.advance_seconds(3600);
        let results: Vec<String> = std::thread::scope(|scope| {
            let w = &w;
            let threads: Vec<_> = (0..9)
                .map(|n| {
                    scope.spawn(move || match n % 3 {
                        0 => post_to(w, shop, hold, shop.spent, 1),
                        1 => release(w, shop, hold),
                        _ => expire(w, shop, hold),
                    })
                })
                .collect();
            let joined = threads.into_iter().map(|t| t.join().expect("no panic"));
            joined.map(refused).collect()
        });
        assert_eq!(results.iter().filter(|r| *r == "Ok").count(), 1, "{round}");
        assert_eq!(results.iter().filter(|r| *r == "HoldClosed").count(), 8);
    }
    let spent = shop.balance(&w, shop.spent);
    assert_eq!(shop.lots(&w, alice), [(first, 10), (second, 20 - spent)]);
    shop.assert_clean(&w);
}

fn a_hold_cannot_be_posted_wrongly(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("wrongly");
    let (alice, first, second) = wallet_of_two(&w, shop);
    let hold = shop.hold(&w, alice, &[(first, 5)]).expect("a hold");
    let held = by_id(&w, shop, hold).held;
    let cases = [
        ("HoldTooSmall", hold, shop.spent, 6),
        ("NotPositive", hold, shop.spent, 0),
        ("NotPositive", hold, shop.spent, -1),
        ("HoldUnknown", 999_999, shop.spent, 1),
        ("SameAccount", hold, alice, 1),
        ("SameAccount", hold, held, 1),
        ("AssetMismatch", hold, shop.processor, 1),
        ("AccountUnknown", hold, 999_999, 1),
    ];
    for (expected, hold, to, amount) in cases {
        assert_eq!(refused(post_to(&w, shop, hold, to, amount)), expected);
    }
    assert_eq!(refused(release(&w, shop, 999_999)), "HoldUnknown");
    let other = w.shop("other");
    assert_eq!(refused(release(&w, other, hold)), "HoldUnknown");
    // A refused hold opens no account and leaves no hold.
    let bob = shop.wallet(&w, "bob");
    let entry = shop.hold(&w, bob, &[(second, 1)]);
    assert_eq!(refused(entry), "Insufficient");
    assert_eq!(by_id(&w, shop, hold).state, HoldState::Open);
    assert_eq!(shop.lots(&w, held), [(first, 5)]);
    shop.assert_clean(&w);
}

/// What a hold keeps outlives its grant, and can be told as expired when it comes back.
fn a_released_piece_of_an_expired_grant_is_given_back(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("late");
    let alice = shop.wallet(&w, "alice");
    let (grant, _) = shop.issue_until(&w, alice, 10, START.plus_seconds(60));
    let hold = shop.hold(&w, alice, &[(grant, 7)]).expect("a hold");
    w.clock.advance_seconds(60);
    shop.entry(&w, &[leg(alice, shop.expired, 3, grant)])
        .expect("what is left expires");
    assert_eq!(shop.lots(&w, alice), []);
    release(&w, shop, hold).expect("released");
    let lots = w.read(|tx| {
        let now = tx.now();
        let lots = lots_available(tx, shop.book, alice)?;
        Ok(lots
            .iter()
            .map(|l| {
                (
                    l.remaining.units(),
                    l.usable(now),
                    l.usable(Timestamp(now.0 - 1)),
                )
            })
            .collect::<Vec<_>>())
    });
    assert_eq!(lots, [(7, false, true)]);
    shop.entry(&w, &[leg(alice, shop.expired, 7, grant)])
        .expect("the piece expires");
    assert_eq!(shop.balance(&w, shop.expired), 10);
    shop.assert_clean(&w);
}

/// ARC-08: 16 threads place holds on one wallet; together they never hold more than it has.
fn holds_placed_at_once_never_exceed_the_balance(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("together");
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 100);
    let attempts: Vec<(i64, bool)> = std::thread::scope(|scope| {
        let w = &w;
        let threads: Vec<_> = (0..16)
            .map(|thread| {
                scope.spawn(move || {
                    let amounts = (0..8).map(|n| 1 + (thread + n) % 5);
                    amounts
                        .map(|amount| (amount, shop.hold(w, alice, &[(grant, amount)])))
                        .map(|(amount, hold)| match refused(hold).as_str() {
                            "Ok" => (amount, true),
                            "Insufficient" => (amount, false),
                            other => panic!("{other}"),
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let joined = threads.into_iter().map(|t| t.join().expect("no panic"));
        joined.flatten().collect()
    });
    let held: i64 = attempts.iter().filter(|a| a.1).map(|a| a.0).sum();
    let left = shop.balance(&w, alice);
    assert_eq!(held + left, 100);
    assert!(held > 90, "{held}");
    // Whoever was refused would be refused still.
    assert!(
        attempts
            .iter()
            .all(|(amount, placed)| *placed || *amount > left)
    );
    shop.assert_clean(&w);
}
