//! Idempotency keys: scope, other requests, expiry, what is no key.

use crate::support::{DAY_S, World};
use scrip_domain::command::answers_expire;
use scrip_domain::id::CustomerId;
use scrip_domain::order::OrderError;
use scrip_domain::{Actor, Answer, CommandError, Keyed};
use scrip_engine::{Store, params};
use scrip_testkit::TestDb;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

both!(
    another_request_under_a_key_is_refused,
    keys_are_scoped_by_book_and_actor,
    an_answer_is_kept_for_48_hours,
    what_failed_leaves_the_key_free,
    what_is_no_key,
);

/// Counts how often its command ran.
struct Counter<'a> {
    world: &'a World,
    ran: Arc<AtomicI64>,
}

impl Counter<'_> {
    fn run(&self, keyed: Keyed) -> Result<Answer<i64>, OrderError> {
        let ran = self.ran.clone();
        self.world
            .node
            .run(keyed, move |_| Ok(ran.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

fn counter(world: &World) -> Counter<'_> {
    Counter {
        world,
        ran: Arc::new(AtomicI64::new(0)),
    }
}

fn keyed(world: &World, key: &str, request: &str) -> Keyed {
    Keyed {
        book_id: world.book(),
        actor: Actor::System,
        key: Some(key.to_owned()),
        request: request.as_bytes().to_vec(),
        subject: None,
    }
}

fn value(answer: Result<Answer<i64>, OrderError>) -> (i64, bool) {
    let answer = answer.unwrap();
    (answer.value, answer.replayed)
}

/// ARC-08: the same key with another request is refused; the first answer stays.
fn another_request_under_a_key_is_refused(db: &TestDb) {
    let world = World::new(db);
    let counter = counter(&world);
    assert_eq!(value(counter.run(keyed(&world, "k", "a"))), (1, false));
    let other = counter.run(keyed(&world, "k", "b"));
    assert!(matches!(
        other,
        Err(OrderError::Command(CommandError::KeyReused))
    ));
    assert_eq!(value(counter.run(keyed(&world, "k", "a"))), (1, true));
    let without = Keyed {
        key: None,
        ..keyed(&world, "", "a")
    };
    assert_eq!(value(counter.run(without.clone())), (2, false));
    assert_eq!(value(counter.run(without)), (3, false));
}

/// ARC-08: a key is one book's and one actor's.
fn keys_are_scoped_by_book_and_actor(db: &TestDb) {
    let world = World::new(db);
    let counter = counter(&world);
    let other = world.other_vendor("other-shop");
    let customer = CustomerId(world.register().customer_id.0);
    let staff = world.staff("Ada");
    let scopes = [
        (world.book(), Actor::System),
        (other.book_id, Actor::System),
        (world.book(), Actor::Customer(customer)),
        (world.book(), Actor::Staff(staff)),
    ];
    let run = |(book_id, actor)| {
        counter.run(Keyed {
            book_id,
            actor,
            ..keyed(&world, "k", "the same")
        })
    };
    for (scope, n) in scopes.into_iter().zip(1..) {
        assert_eq!(value(run(scope)), (n, false));
    }
    for (scope, n) in scopes.into_iter().zip(1..) {
        assert_eq!(value(run(scope)), (n, true));
    }
}

/// ARC-08: answers are kept for 48 hours; then the key is free again.
fn an_answer_is_kept_for_48_hours(db: &TestDb) {
    let world = World::new(db);
    let counter = counter(&world);
    let (book, held) = (
        world.book(),
        "SELECT COUNT(*) FROM idempotency WHERE book_id = $1",
    );
    for key in ["k", "l"] {
        counter.run(keyed(&world, key, "a")).unwrap();
    }
    world.clock.advance_seconds(2 * DAY_S - 1);
    assert_eq!(value(counter.run(keyed(&world, "k", "a"))), (1, true));
    assert_eq!(world.write(move |tx| answers_expire(tx, book)).unwrap(), 0);
    world.clock.advance_seconds(1);
    assert_eq!(value(counter.run(keyed(&world, "k", "b"))), (3, false));
    assert_eq!(value(counter.run(keyed(&world, "k", "b"))), (3, true));
    assert_eq!(world.number(held), 2);
    assert_eq!(world.write(move |tx| answers_expire(tx, book)).unwrap(), 1);
    assert_eq!(world.number(held), 1);
}

/// A command that fails stores nothing, so that it can be tried again under its key.
fn what_failed_leaves_the_key_free(db: &TestDb) {
    let world = World::new(db);
    let book = world.book();
    let failing = world.node.run(keyed(&world, "k", "a"), move |tx| {
        tx.put(
            "INSERT INTO counter (book_id, name, value) VALUES ($1, 'half', 1)",
            params![book],
        )?;
        Err::<i64, _>(OrderError::Empty)
    });
    assert!(matches!(failing, Err(OrderError::Empty)));
    let half = "SELECT COUNT(*) FROM counter WHERE book_id = $1 AND name = 'half'";
    assert_eq!(world.number(half), 0, "nothing stands of it");
    assert_eq!(
        value(counter(&world).run(keyed(&world, "k", "a"))),
        (1, false)
    );
}

fn what_is_no_key(db: &TestDb) {
    let world = World::new(db);
    let counter = counter(&world);
    for wrong in ["", " ", "a b", "a\n", "\u{0}", "a\u{a0}b", &"k".repeat(256)] {
        let refused = counter.run(keyed(&world, wrong, "a"));
        let invalid = matches!(refused, Err(OrderError::Command(CommandError::KeyInvalid)));
        assert!(invalid, "{wrong:?}");
    }
    for good in ["k".repeat(255), "é".repeat(255), "🔑".to_owned()] {
        assert!(!counter.run(keyed(&world, &good, "a")).unwrap().replayed);
    }
    assert_eq!(counter.ran.load(Ordering::SeqCst), 3);
}

/// ARC-08: a command that fails because the same one has committed meanwhile gives that one's
/// answer. Only on PostgreSQL do two run side by side.
#[test]
fn a_failure_that_the_same_key_has_caused_is_not_the_answer() {
    let db = TestDb::postgres();
    let world = World::new(&db);
    let (node, same) = (world.node.clone(), keyed(&world, "k", "a"));
    let mut runs = 0;
    let answer = world.node.run(same.clone(), move |_| {
        runs += 1;
        assert_eq!(runs, 1, "the second time there is an answer already");
        let other = node.run(same.clone(), |_| Ok::<i64, OrderError>(7));
        assert_eq!(value(other), (7, false));
        Err(OrderError::Empty)
    });
    assert_eq!(value(answer), (7, true));
}
