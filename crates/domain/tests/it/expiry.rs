//! Lots that expire: what can be spent, the entry by which they leave, holds and refunds.

use crate::history::refund;
use crate::support::{DAY_S, World, completed, tokens, want};
use scrip_domain::Actor;
use scrip_domain::Amount;
use scrip_domain::expiry::Expired;
use scrip_domain::id::CustomerId;
use scrip_domain::order::RefundLines;
use scrip_domain::statement::{balance, history};
use scrip_engine::{Read, Store, Timestamp, params};
use scrip_ledger::verify::book_verify;
use scrip_ledger::{
    Origin, Piece, Posting, account_balance, hold_place, hold_release, lots_available, wallets_due,
};
use scrip_testkit::TestDb;
use std::sync::Barrier;

both!(
    at_expiry_the_remainder_leaves_and_nothing_else,
    what_is_set_aside_expires_when_it_is_given_back,
    several_at_once_take_each_lot_once,
    a_refund_of_expired_tokens_has_its_grace_and_its_value,
    a_wrong_index_of_expiries_is_named,
);

fn available(world: &World, id: CustomerId) -> Amount {
    let customer = world.customer(id);
    let found = world
        .node
        .engine
        .read(|tx| balance(tx, Actor::System, &customer));
    found.unwrap().available
}

fn expired_account(world: &World) -> Amount {
    let (book, account) = (world.book(), world.vendor.accounts.expired);
    let read = |tx: &mut scrip_engine::ReadTx<'_>| account_balance(tx, book, account);
    world.node.engine.read(read).unwrap()
}

fn entries(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM entry WHERE book_id = $1 AND code = 'expiry'")
}

/// TOK-07: at its expiry, not a microsecond before, AT falls by exactly what is left of a lot; one
/// entry for a wallet takes it out, with a leg for each lot, and doing it again changes nothing.
fn at_expiry_the_remainder_leaves_and_nothing_else(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 30);
    let day = |n: i64| world.now().plus_seconds(n * DAY_S);
    let (first, second) = (day(1), day(2));
    world.give(id, tokens(50), Origin::Free, None, first);
    world.give(id, tokens(7), Origin::Free, None, second);
    world.give(id, tokens(5), Origin::Free, None, Timestamp(second.0 + 1));
    completed(world.place(id, &[want(pen, 1)]));
    world.clock.set(Timestamp(first.0 - 1));
    assert_eq!(available(&world, id), tokens(132));
    assert_eq!(world.expire(), Expired::default());
    world.clock.set(first);
    assert_eq!(available(&world, id), tokens(112), "20 were left of 50");
    assert_eq!(world.balance(id), tokens(132), "no entry yet");
    let expected = Expired {
        wallets: 1,
        lots: 1,
        tokens: tokens(20),
    };
    assert_eq!(world.expire(), expected);
    assert_eq!(world.balance(id), tokens(112));
    assert_eq!(expired_account(&world), tokens(20));
    assert_eq!(world.expire(), Expired::default());
    assert_eq!(entries(&world), 1);

    world.clock.set(day(9));
    assert_eq!((world.expire().lots, entries(&world)), (2, 2));
    assert_eq!(available(&world, id), tokens(100));
    assert_eq!(world.balance(id), tokens(100));
    assert_eq!(expired_account(&world), tokens(32));
    let customer = world.customer(id);
    let found = world
        .node
        .engine
        .read(|tx| history(tx, Actor::Customer(id), &customer, None, 10));
    let newest = &found.unwrap().items[0];
    assert_eq!(
        (newest.code.as_str(), newest.amount),
        ("expiry", Amount::from_units(-12_000_000))
    );
    assert_eq!(
        newest.at,
        Timestamp(second.0 + 1),
        "when the last of them expired"
    );
    assert_eq!(newest.reference, "Expiry of 2026-03-03");
}

/// TOK-07: a hold keeps what it has set aside past its expiry; given back, it expires.
fn what_is_set_aside_expires_when_it_is_given_back(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (customer, book) = (world.customer(id), world.book());
    let end = world.now().plus_seconds(DAY_S);
    let grant = world.give(id, tokens(50), Origin::Free, None, end);
    let wallet = customer.wallet;
    let hold = world
        .write(move |tx| {
            let posting = Posting {
                book_id: book,
                event_id: tx.new_id()?,
                code: "hold",
                actor: "tester",
                reference: "",
                effective_at: tx.now(),
                legs: &[],
            };
            let piece = Piece {
                grant,
                amount: tokens(30),
            };
            hold_place(tx, &posting, wallet, &[piece], end.plus_seconds(DAY_S))
        })
        .unwrap();
    world.clock.set(end);
    assert_eq!(world.expire().tokens, tokens(20));
    assert_eq!(world.expire(), Expired::default(), "the rest is held");
    assert_eq!(world.balance(id), tokens(100));
    world
        .write(move |tx| {
            let event = tx.new_id()?;
            hold_release(tx, book, hold, event, "tester")
        })
        .unwrap();
    assert_eq!(available(&world, id), tokens(100), "given back, too late");
    assert_eq!(world.expire().tokens, tokens(30));
    assert_eq!(expired_account(&world), tokens(50));
}

/// TOK-07: processes that take the same lots at once, while the customers buy, take each once.
fn several_at_once_take_each_lot_once(db: &TestDb) {
    let world = World::new(db);
    let pen = world.offer("pen", 3);
    let end = world.now().plus_seconds(DAY_S);
    let customers: Vec<CustomerId> = (0..6).map(|_| world.buyer(50)).collect();
    for id in &customers {
        world.give(*id, tokens(10), Origin::Free, None, end);
    }
    world.clock.set(end);
    let barrier = Barrier::new(8);
    let taken: Vec<Expired> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|i| {
                let (world, customers, barrier) = (&world, &customers, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    if i % 4 == 0 {
                        for id in customers {
                            completed(world.place(*id, &[want(pen, 1)]));
                        }
                    }
                    world.expire()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let lots: usize = taken.iter().map(|e| e.lots).sum();
    assert_eq!((lots, entries(&world)), (6, 6));
    assert_eq!(expired_account(&world), tokens(60));
    for id in customers {
        assert_eq!(world.balance(id), tokens(44));
    }
}

/// TOK-07: what a refund gives back of tokens that have expired is a lot of its own with the
/// vendor's grace and the value that was paid for it, and expires at the end of that.
fn a_refund_of_expired_tokens_has_its_grace_and_its_value(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 30);
    let end = world.now().plus_seconds(DAY_S);
    let money = Amount::from_units(1_000_000_000_001);
    let grant = world.give_paid(id, tokens(70), money, end);
    let order = completed(world.place(id, &[want(pen, 1)])).order_id;
    world.clock.set(end);
    assert_eq!(world.expire().tokens, tokens(40));
    refund(&world, order, RefundLines::Whole, "");
    assert_eq!(available(&world, id), tokens(130));
    let customer = world.customer(id);
    let lots = world
        .node
        .engine
        .read(|tx| lots_available(tx, world.book(), customer.wallet))
        .unwrap();
    let back = lots.iter().find(|l| l.grant.granted_at == end).unwrap();
    assert_ne!(back.grant.grant_id, grant);
    assert_eq!(back.remaining, tokens(30));
    // 30 of 70, rounded down to the smallest unit.
    assert_eq!(back.grant.paid.units(), 428_571_428_571);
    let grace = end.plus_seconds(world.vendor.refund_grace_s);
    assert_eq!(back.grant.expires_at, grace);
    world.clock.set(Timestamp(grace.0 - 1));
    assert_eq!(world.expire(), Expired::default());
    world.clock.set(grace);
    assert_eq!(world.expire().tokens, tokens(30));
    assert_eq!(world.balance(id), tokens(100));
}

/// TOK-07, MIC-07: a row that the index of expiries lacks, or has too many, is found.
fn a_wrong_index_of_expiries_is_named(db: &TestDb) {
    let world = World::new(db);
    let (id, book) = (world.buyer(100), world.book());
    let end = world.now().plus_seconds(DAY_S);
    let grant = world.give(id, tokens(5), Origin::Free, None, end);
    let wallet = world.customer(id).wallet;
    let move_to = |expires_at: i64| {
        world
            .write(move |tx| {
                tx.put(
                    "UPDATE lot_due SET expires_at = $2 WHERE book_id = $1",
                    params![book, expires_at],
                )
            })
            .unwrap();
    };
    move_to(end.0 + 1);
    let found = world.node.engine.read(|tx| book_verify(tx, book)).unwrap();
    let key = format!("{wallet}/{grant}");
    let named: Vec<_> = found
        .findings
        .iter()
        .map(|f| (f.table, f.key.as_str(), f.problem.as_str()))
        .collect();
    let expected = [
        ("lot_due", key.as_str(), "is missing"),
        ("lot_due", key.as_str(), "has no lot"),
    ];
    assert_eq!(named, expected);
    move_to(end.0);
    world.clock.set(end);
    let due = world.node.engine.read(|tx| wallets_due(tx, book, 10));
    assert_eq!(due.unwrap().into_iter().collect::<Vec<_>>(), [wallet]);
}
