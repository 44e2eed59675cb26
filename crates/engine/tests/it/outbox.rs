//! Messages are handed over once, failures wait ever longer, and nothing is forgotten.

use scrip_engine::outbox::{ATTEMPTS, HandedOver, Message, add, hand_over, is_due};
use scrip_engine::{Engine, Error, Options, SetClock, Store, Timestamp, Tx, params};
use scrip_testkit::{TestDb, on_both_engines};
use std::sync::{Arc, Mutex};

const BOOK: i64 = 5;

/// Notes what it gets; refuses what it is told to, after it has noted and written.
#[derive(Clone, Default)]
struct Inbox {
    seen: Arc<Mutex<Vec<Message>>>,
    refuses: Option<&'static str>,
}

impl Inbox {
    fn take(&self, engine: &Engine, limit: i64) -> HandedOver {
        let inbox = self.clone();
        hand_over(engine, BOOK, limit, move |tx, messages| {
            inbox.receive(tx, messages)
        })
        .unwrap()
    }

    fn receive(&self, tx: &mut Tx<'_>, messages: &[Message]) -> Result<(), Error> {
        for message in messages {
            // Something of the receiver's own, which stands or falls with the removal.
            tx.put(
                "INSERT INTO meta (name, value) VALUES ($1, $2)",
                params![&message.subject, &message.topic],
            )?;
            if self.refuses == Some(message.subject.as_str()) {
                return Err(Error::Statement("not today".into()));
            }
        }
        self.seen.lock().unwrap().extend(messages.iter().cloned());
        Ok(())
    }

    fn subjects(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|m| m.subject.clone()).collect()
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
        .write(move |tx| add(tx, BOOK, "order.completed", subject, "{\"lines\":1}"))
        .unwrap();
}

fn number(engine: &Engine, sql: &'static str) -> i64 {
    engine
        .read(|tx| scrip_engine::Read::query_one(tx, sql, &[])?.int(0))
        .unwrap()
}

fn did(done: usize, failed: usize) -> HandedOver {
    HandedOver { done, failed }
}

on_both_engines!(a_message_is_handed_over_and_removed, |db: &TestDb| {
    let (engine, _) = open(db);
    let inbox = Inbox::default();
    send(&engine, "a");
    send(&engine, "b");
    let failed = engine.write(|tx| {
        add(tx, BOOK, "order.completed", "never", "{}")?;
        Err::<(), _>(Error::Closed)
    });
    assert!(failed.is_err());
    assert!(engine.read(|tx| is_due(tx, BOOK)).unwrap());
    assert_eq!(inbox.take(&engine, 100), did(2, 0));
    assert_eq!(inbox.subjects(), ["a", "b"]);
    let first = inbox.seen.lock().unwrap()[0].clone();
    assert_eq!((first.book_id, first.attempts), (BOOK, 0));
    assert_eq!(
        (
            first.topic.as_str(),
            first.payload.as_str(),
            first.created_at
        ),
        ("order.completed", "{\"lines\":1}", Timestamp(1_000_000))
    );
    assert!(!engine.read(|tx| is_due(tx, BOOK)).unwrap());
    assert_eq!(inbox.take(&engine, 100), did(0, 0));
    assert_eq!(inbox.subjects().len(), 2);
});

on_both_engines!(a_round_takes_no_more_than_it_is_told, |db: &TestDb| {
    let (engine, _) = open(db);
    let inbox = Inbox::default();
    ["a", "b", "c"]
        .iter()
        .for_each(|subject| send(&engine, subject));
    assert_eq!(inbox.take(&engine, 2), did(2, 0));
    assert_eq!(inbox.take(&engine, 2), did(1, 0));
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
        assert_eq!(inbox.take(&engine, 100), did(1, 1));
        // What it wrote for the refused one is gone.
        assert_eq!(
            number(
                &engine,
                "SELECT COUNT(*) FROM meta WHERE name IN ('a', 'b')"
            ),
            1
        );
        assert_eq!(inbox.take(&engine, 100), did(0, 0));
        clock.advance_seconds(1);
        assert_eq!(inbox.take(&engine, 100), did(0, 0));
        clock.advance_seconds(1);
        assert_eq!(inbox.take(&engine, 100), did(0, 1));
        // The wait doubles.
        clock.advance_seconds(2);
        assert_eq!(inbox.take(&engine, 100), did(0, 0));
        clock.advance_seconds(2);
        inbox.refuses = None;
        assert_eq!(inbox.take(&engine, 100), did(1, 0));
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
        assert_eq!(inbox.take(&engine, 100), did(0, 1), "attempt {attempt}");
        clock.advance_seconds(3600);
    }
    clock.advance_seconds(1_000_000_000);
    assert_eq!(inbox.take(&engine, 100), did(0, 0));
    // Kept for somebody to look at.
    assert_eq!(number(&engine, "SELECT attempts FROM outbox"), ATTEMPTS);
});

on_both_engines!(messages_survive_closing, |db: &TestDb| {
    let (engine, _) = open(db);
    send(&engine, "a");
    drop(engine);
    let (engine, _) = open(db);
    send(&engine, "b");
    let inbox = Inbox::default();
    assert_eq!(inbox.take(&engine, 100), did(2, 0));
    assert_eq!(inbox.subjects(), ["a", "b"]);
});

on_both_engines!(two_takers_share_the_messages, |db: &TestDb| {
    let (engine, _) = open(db);
    for _ in 0..40 {
        engine
            .write(|tx| {
                let id = tx.new_id()?.to_string();
                add(tx, BOOK, "order.completed", &id, "{}")
            })
            .unwrap();
    }
    let inbox = Inbox::default();
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while engine.read(|tx| is_due(tx, BOOK)).unwrap() {
                    inbox.take(&engine, 3);
                }
            });
        }
    });
    // The receiver's rows: one each, or the second would have failed.
    assert_eq!(
        number(
            &engine,
            "SELECT COUNT(*) FROM meta WHERE value = 'order.completed'"
        ),
        40
    );
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM outbox"), 0);
});
