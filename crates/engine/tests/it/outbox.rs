//! Messages leave at least once, failures wait ever longer, and nothing is forgotten.

use scrip_engine::outbox::{ATTEMPTS, Dispatched, Message, Receiver, add, dispatch};
use scrip_engine::{Engine, Error, Options, SetClock, Timestamp};
use scrip_testkit::{TestDb, on_both_engines};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// Notes what it gets; refuses, or crashes after noting, what it is told to.
#[derive(Default)]
struct Inbox {
    seen: Mutex<Vec<Message>>,
    refuses: Option<&'static str>,
    crashes: bool,
}

impl Receiver for Inbox {
    fn deliver(&self, message: &Message) -> Result<(), String> {
        self.seen.lock().unwrap().push(message.clone());
        assert!(!self.crashes, "on purpose");
        if self.refuses == Some(message.subject.as_str()) {
            return Err("not today".into());
        }
        Ok(())
    }
}

impl Inbox {
    fn subjects(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|m| m.subject.clone())
            .collect()
    }
}

fn open(db: &TestDb) -> (Engine, Arc<SetClock>) {
    let clock = Arc::new(SetClock::new(Timestamp(1_000_000)));
    let options = Options {
        clock: clock.clone(),
        workers: 2,
        ..Options::default()
    };
    (db.open_with(&options), clock)
}

fn send(engine: &Engine, subject: &'static str) {
    engine
        .write(move |tx| add(tx, 5, "order.completed", subject, "{\"lines\":1}"))
        .unwrap();
}

fn did(delivered: usize, failed: usize) -> Dispatched {
    Dispatched { delivered, failed }
}

on_both_engines!(a_message_is_delivered_and_removed, |db: &TestDb| {
    let (engine, _) = open(db);
    let inbox = Inbox::default();
    send(&engine, "a");
    send(&engine, "b");
    let failed = engine.write(|tx| {
        add(tx, 5, "order.completed", "never", "{}")?;
        Err::<(), _>(Error::Closed)
    });
    assert!(failed.is_err());
    assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(2, 0));
    assert_eq!(inbox.subjects(), ["a", "b"]);
    let first = inbox.seen.lock().unwrap()[0].clone();
    assert_eq!((first.book_id, first.attempts), (5, 0));
    assert_eq!(
        (first.topic.as_str(), first.payload.as_str()),
        ("order.completed", "{\"lines\":1}")
    );
    assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(0, 0));
    assert_eq!(inbox.subjects().len(), 2);
});

on_both_engines!(a_round_takes_no_more_than_it_is_told, |db: &TestDb| {
    let (engine, _) = open(db);
    let inbox = Inbox::default();
    ["a", "b", "c"]
        .iter()
        .for_each(|subject| send(&engine, subject));
    assert_eq!(dispatch(&engine, &inbox, 2).unwrap(), did(2, 0));
    assert_eq!(dispatch(&engine, &inbox, 2).unwrap(), did(1, 0));
    assert_eq!(inbox.subjects(), ["a", "b", "c"]);
});

on_both_engines!(
    a_refused_message_waits_and_holds_up_no_other,
    |db: &TestDb| {
        let (engine, clock) = open(db);
        let mut inbox = Inbox {
            refuses: Some("a"),
            ..Inbox::default()
        };
        send(&engine, "a");
        send(&engine, "b");
        assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(1, 1));
        assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(0, 0));
        clock.advance_seconds(1);
        assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(0, 0));
        clock.advance_seconds(1);
        assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(0, 1));
        // The wait doubles.
        clock.advance_seconds(2);
        assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(0, 0));
        clock.advance_seconds(2);
        inbox.refuses = None;
        assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(1, 0));
        assert_eq!(
            inbox.seen.lock().unwrap().last().map(|m| m.attempts),
            Some(2)
        );
    }
);

on_both_engines!(a_message_that_is_always_refused_is_parked, |db: &TestDb| {
    let (engine, clock) = open(db);
    let inbox = Inbox {
        refuses: Some("a"),
        ..Inbox::default()
    };
    send(&engine, "a");
    for attempt in 1..=ATTEMPTS {
        assert_eq!(
            dispatch(&engine, &inbox, 100).unwrap(),
            did(0, 1),
            "attempt {attempt}"
        );
        clock.advance_seconds(3600);
    }
    clock.advance_seconds(1_000_000_000);
    assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(0, 0));
    // Kept for somebody to look at.
    let kept = engine
        .read(|tx| scrip_engine::Read::query_one(tx, "SELECT attempts FROM outbox", &[])?.int(0));
    assert_eq!(kept.unwrap(), ATTEMPTS);
});

on_both_engines!(messages_survive_closing, |db: &TestDb| {
    let (engine, _) = open(db);
    send(&engine, "a");
    drop(engine);
    let (engine, _) = open(db);
    send(&engine, "b");
    let inbox = Inbox::default();
    assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(2, 0));
    assert_eq!(inbox.subjects(), ["a", "b"]);
});

on_both_engines!(a_crash_after_delivery_delivers_again, |db: &TestDb| {
    let (engine, _) = open(db);
    send(&engine, "a");
    let mut inbox = Inbox {
        crashes: true,
        ..Inbox::default()
    };
    assert!(catch_unwind(AssertUnwindSafe(|| dispatch(&engine, &inbox, 100))).is_err());
    drop(engine);
    inbox.crashes = false;
    let (engine, _) = open(db);
    assert_eq!(dispatch(&engine, &inbox, 100).unwrap(), did(1, 0));
    let seen = inbox.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    // The receiver knows the second by its id.
    assert_eq!(seen[0].outbox_id, seen[1].outbox_id);
});
