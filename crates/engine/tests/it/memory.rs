//! What a writer holds in memory: undone with a failed command, written once a batch, and thrown
//! away when in doubt.

use crate::support::{hold_up, items, open_with};
use scrip_engine::{Error, Memory, Options, Result, Store, Tx, params};
use scrip_testkit::{TestDb, on_both_engines};
use std::sync::{Arc, Mutex};

/// Rows that wait to be written, and a record of what was asked of the memory.
struct Rows {
    held: Vec<(i64, i64)>,
    calls: Calls,
}

type Calls = Arc<Mutex<Vec<&'static str>>>;

/// A row that makes the flush panic.
const PANICS: i64 = -1;

impl Rows {
    fn call(&self, name: &'static str) {
        self.calls.lock().unwrap().push(name);
    }
}

impl Memory for Rows {
    fn mark(&mut self) -> usize {
        self.held.len()
    }
    fn rollback(&mut self, mark: usize) {
        self.call("rollback");
        self.held.truncate(mark);
    }
    fn flush(&mut self, store: &mut dyn Store) -> Result<()> {
        self.call("flush");
        for (id, n) in &self.held {
            assert_ne!(*id, PANICS, "on purpose");
            store.put("INSERT INTO item (id, n) VALUES ($1, $2)", params![*id, *n])?;
        }
        Ok(())
    }
    fn committed(&mut self) {
        self.call("committed");
        self.held.clear();
    }
    fn clear(&mut self) {
        self.held.clear();
    }
}

fn options(calls: &Calls) -> Options {
    let calls = calls.clone();
    Options {
        workers: 1,
        memory: Arc::new(move || {
            Box::new(Rows {
                held: Vec::new(),
                calls: calls.clone(),
            })
        }),
        ..Options::default()
    }
}

fn hold(tx: &mut Tx<'_>, id: i64, n: i64) -> Result<()> {
    tx.memory::<Rows>()?.held.push((id, n));
    Ok(())
}

fn count(calls: &Calls, name: &str) -> usize {
    calls
        .lock()
        .unwrap()
        .iter()
        .filter(|call| **call == name)
        .count()
}

on_both_engines!(
    memory_is_written_with_the_commands_that_stand,
    |db: &TestDb| {
        let calls = Calls::default();
        let engine = open_with(db, &options(&calls));
        let release = hold_up(&engine, 1);
        let tickets: Vec<_> = (1..=10)
            .map(|id| {
                engine.submit(move |tx| {
                    hold(tx, id, id)?;
                    match id {
                        3 => Err(Error::Closed),
                        7 => panic!("on purpose"),
                        _ => Ok(()),
                    }
                })
            })
            .collect();
        // Between the two batches.
        calls.lock().unwrap().clear();
        drop(release);
        let done: Vec<bool> = tickets
            .into_iter()
            .map(|ticket| ticket.wait().is_ok())
            .collect();
        assert_eq!(done.iter().filter(|done| **done).count(), 8);
        assert!(!done[2] && !done[6]);
        let ids: Vec<i64> = items(&engine).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, [1, 2, 4, 5, 6, 8, 9, 10]);
        drop(engine);
        if db.is_sqlite() {
            assert_eq!(count(&calls, "rollback"), 2);
            // The batch of the command that held the writer up, and one for all the others.
            assert_eq!(count(&calls, "flush"), 2);
            assert_eq!(count(&calls, "committed"), 2);
        } else {
            // Each command that stands has a transaction of its own, the one that waited too.
            assert_eq!((count(&calls, "flush"), count(&calls, "committed")), (9, 9));
        }
    }
);

on_both_engines!(
    what_one_command_left_unwritable_harms_nobody_else,
    |db: &TestDb| {
        for wrong in [(13, 13), (PANICS, 0)] {
            let calls = Calls::default();
            let db = if db.is_sqlite() {
                TestDb::sqlite()
            } else {
                TestDb::postgres()
            };
            let engine = open_with(&db, &options(&calls));
            let release = hold_up(&engine, 1);
            let before = engine.submit(|tx| hold(tx, 1, 10));
            let fails = engine.submit(move |tx| hold(tx, wrong.0, wrong.1));
            let after = engine.submit(|tx| hold(tx, 2, 20));
            drop(release);
            before.wait().unwrap();
            let answer = fails.wait();
            assert!(
                matches!(answer, Err(Error::Statement(_) | Error::Panicked(_))),
                "{answer:?}"
            );
            after.wait().unwrap();
            assert_eq!(items(&engine), [(1, 10), (2, 20)]);
            engine.write(|tx| hold(tx, 3, 30)).unwrap();
        }
    }
);

on_both_engines!(memory_of_another_type_is_a_defect, |db: &TestDb| {
    let engine = db.open();
    let answer = engine.write(|tx| hold(tx, 1, 1));
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
});
