//! Orders placed at once, and orders repeated: one effect each, never an overdraft.

use crate::support::{World, completed, refused, request, tokens, want};
use scrip_domain::id::CustomerId;
use scrip_domain::order::{OrderError, OrderOutcome, OrderRequest, Refusal};
use scrip_domain::{Actor, Answer, CommandError};
use scrip_testkit::TestDb;
use std::sync::Barrier;

both!(
    the_same_key_debits_once,
    sixteen_at_once_with_one_key_have_one_effect,
    sixteen_at_once_with_one_key_and_reference_have_one_effect,
    a_refusal_is_replayed_too,
    thirty_two_buyers_at_once_never_overdraw,
    the_last_pieces_are_sold_once,
);

/// Runs `command` on so many threads that begin together.
fn at_once<T: Send>(threads: usize, command: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        let (barrier, command) = (&barrier, &command);
        let threads: Vec<_> = (0..threads)
            .map(|i| {
                scope.spawn(move || {
                    barrier.wait();
                    command(i)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

fn place(
    world: &World,
    id: CustomerId,
    key: &str,
    request: &OrderRequest,
) -> Result<Answer<OrderOutcome>, OrderError> {
    world.place_keyed(Actor::Customer(id), Some(key), request)
}

/// SHP-13: confirming twice under one key debits once and gives the first answer again.
fn the_same_key_debits_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.stocked_offer("pen", 30, 10);
    let order = request(id, &[want(pen, 1)]);
    let first = place(&world, id, "click", &order).unwrap();
    assert!(!first.replayed);
    for _ in 0..3 {
        let again = place(&world, id, "click", &order).unwrap();
        assert!(again.replayed);
        assert_eq!(again.value, first.value);
    }
    assert_eq!((world.balance(id), world.stock(pen)), (tokens(70), 9));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM orders WHERE book_id = $1"),
        1
    );
    place(&world, id, "another-click", &order).unwrap();
    assert_eq!(world.balance(id), tokens(40));
}

fn one_effect(world: &World, id: CustomerId, key: &str, order: &OrderRequest) {
    let before = world.balance(id);
    let answers = at_once(16, |_| place(world, id, key, order).expect("an answer"));
    let ran = answers.iter().filter(|a| !a.replayed).count();
    assert_eq!(ran, 1);
    let first = &answers[0].value;
    assert!(
        answers.iter().all(|a| a.value == *first),
        "all the same answer"
    );
    let receipt = completed(first.clone());
    assert_eq!(world.balance(id), before.minus(receipt.total).unwrap());
}

/// SHP-13, ARC-08: sixteen requests at once under one key have one effect and one answer.
fn sixteen_at_once_with_one_key_have_one_effect(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(200);
    let pen = world.stocked_offer("pen", 30, 100);
    for round in 0..5 {
        one_effect(
            &world,
            id,
            &format!("k{round}"),
            &request(id, &[want(pen, 1)]),
        );
    }
    assert_eq!((world.balance(id), world.stock(pen)), (tokens(50), 95));
}

/// ARC-08: a reference that the first of them takes is no obstacle to the others.
fn sixteen_at_once_with_one_key_and_reference_have_one_effect(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pen = world.offer("pen", 10);
    for round in 0..10 {
        let order = OrderRequest {
            reference: format!("invoice {round}"),
            ..request(id, &[want(pen, 1)])
        };
        one_effect(&world, id, &format!("k{round}"), &order);
    }
}

/// SHP-19: the answer to a refused order is kept like any other.
fn a_refusal_is_replayed_too(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(50);
    let pen = world.offer("pen", 60);
    let order = request(id, &[want(pen, 1)]);
    let first = place(&world, id, "k", &order).unwrap();
    assert!(matches!(
        refused(first.value.clone()),
        Refusal::Shortage { .. }
    ));
    world.buy(id, tokens(50), "test_ok").unwrap();
    let again = place(&world, id, "k", &order).unwrap();
    assert_eq!((again.value, again.replayed), (first.value, true));
    let other = place(&world, id, "k", &request(id, &[want(pen, 2)]));
    assert!(matches!(
        other,
        Err(OrderError::Command(CommandError::KeyReused))
    ));
    completed(place(&world, id, "k2", &order).unwrap().value);
}

/// ARC-08: of 32 purchases at once exactly as many succeed as the tokens pay for.
fn thirty_two_buyers_at_once_never_overdraw(db: &TestDb) {
    let world = World::new(db);
    let pen = world.offer("pen", 10);
    for round in 0..10 {
        let id = world.buyer(105);
        let outcomes = at_once(32, |_| world.place(id, &[want(pen, 1)]));
        let done = outcomes
            .iter()
            .filter(|o| matches!(o, OrderOutcome::Completed(_)))
            .count();
        assert_eq!(done, 10, "round {round}");
        assert_eq!(world.balance(id), tokens(5));
    }
}

/// SHP-09: the last pieces are sold once, whoever asks at the same time.
fn the_last_pieces_are_sold_once(db: &TestDb) {
    let world = World::new(db);
    let buyers: Vec<CustomerId> = (0..16).map(|_| world.buyer(100)).collect();
    let (pen, cup) = (
        world.stocked_offer("pen", 1, 5),
        world.stocked_offer("cup", 1, 100),
    );
    let outcomes = at_once(16, |i| {
        // In either order of lines: locks are taken in one.
        let mut lines = [want(pen, 1), want(cup, 1)];
        lines.rotate_left(i % 2);
        world.place(buyers[i], &lines)
    });
    let sold = |o: &&OrderOutcome| matches!(o, OrderOutcome::Completed(_));
    assert_eq!(outcomes.iter().filter(sold).count(), 5);
    assert_eq!((world.stock(pen), world.stock(cup)), (0, 95));
    for outcome in outcomes.into_iter().filter(|o| !sold(&o)) {
        assert!(matches!(
            refused(outcome),
            Refusal::OutOfStock { on_hand: 0, .. }
        ));
    }
}
