//! Many commands at once: no lost update, locks that exclude, retries that end.

use crate::support::{hold_up, insert, items, open, open_with};
use scrip_engine::{Engine, Error, Options, Read, Result, Tx, params};
use scrip_testkit::{TestDb, on_both_engines};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

fn increment(tx: &mut Tx<'_>) -> Result<()> {
    let rows = tx.query_locked("SELECT n FROM item WHERE id = $1", params![1])?;
    let n = rows.first().ok_or(Error::Closed)?.int(0)?;
    // Time for another to read the same number, if only it could.
    thread::sleep(Duration::from_micros(300));
    tx.execute("UPDATE item SET n = $1 WHERE id = 1", params![n + 1])?;
    Ok(())
}

/// 8 threads add 25 times each.
fn count_together(engine: &Engine) -> i64 {
    engine.write(|tx| insert(tx, 1, 1000)).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..25).for_each(|_| engine.write(increment).unwrap()));
        }
    });
    items(engine)[0].1 - 1000
}

on_both_engines!(no_update_is_lost, |db: &TestDb| {
    assert_eq!(
        count_together(&open_with(
            db,
            &Options {
                workers: 8,
                ..Options::default()
            }
        )),
        200
    );
});

#[test]
fn without_row_locks_updates_are_lost_on_postgres() {
    // Shows that the test above can fail.
    let db = TestDb::postgres();
    let options = Options {
        workers: 8,
        without_row_locks: true,
        ..Options::default()
    };
    assert!(count_together(&open_with(&db, &options)) < 200);
}

on_both_engines!(a_locked_name_keeps_others_out, |db: &TestDb| {
    let engine = open_with(
        db,
        &Options {
            workers: 8,
            ..Options::default()
        },
    );
    let inside = Arc::new(AtomicI64::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let inside = inside.clone();
                    let most = engine.write(move |tx| {
                        tx.lock_name("the only one")?;
                        let now = inside.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(1));
                        inside.fetch_sub(1, Ordering::SeqCst);
                        Ok::<_, Error>(now)
                    });
                    assert_eq!(most.unwrap(), 0);
                }
            });
        }
    });
});

#[test]
fn different_names_do_not_wait_for_each_other_on_postgres() {
    let db = TestDb::postgres();
    let engine = open(&db);
    let meet = Arc::new(Barrier::new(2));
    let tickets = ["a", "b"].map(|name| {
        let meet = meet.clone();
        engine.submit(move |tx| {
            tx.lock_name(name)?;
            meet.wait();
            Ok::<_, Error>(())
        })
    });
    tickets
        .into_iter()
        .for_each(|ticket| ticket.wait().unwrap());
}

#[test]
fn a_deadlock_ends_with_both_commands_done() {
    let db = TestDb::postgres();
    let engine = open(&db);
    engine
        .write(|tx| insert(tx, 1, 0).and_then(|()| insert(tx, 2, 0)))
        .unwrap();
    let meet = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    let tickets = [[1, 2], [2, 1]].map(|order| {
        let (meet, runs, mut first) = (meet.clone(), runs.clone(), true);
        engine.submit(move |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            for id in order {
                let rows =
                    tx.query_locked("SELECT n FROM item WHERE id = $1", params![id as i64])?;
                if std::mem::take(&mut first) {
                    meet.wait();
                }
                let n = rows.first().ok_or(Error::Closed)?.int(0)?;
                tx.execute(
                    "UPDATE item SET n = $1 WHERE id = $2",
                    params![n + 1, id as i64],
                )?;
            }
            Ok::<_, Error>(())
        })
    });
    tickets
        .into_iter()
        .for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(items(&engine), [(1, 2), (2, 2)]);
    assert!(runs.load(Ordering::SeqCst) > 2, "there was no deadlock");
}

#[test]
fn a_command_that_always_conflicts_is_given_up() {
    let db = TestDb::postgres();
    let engine = open(&db);
    db.run_sql(
        "CREATE FUNCTION conflict() RETURNS BIGINT LANGUAGE plpgsql AS
         $$ BEGIN RAISE 'somebody else' USING ERRCODE = '40001'; END $$",
    );
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let begun = Instant::now();
    let answer = engine.write(move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        tx.query("SELECT conflict()", &[])
    });
    assert!(matches!(answer, Err(Error::Contention(_))), "{answer:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 31);
    assert!(begun.elapsed() < Duration::from_secs(10));
    engine.write(|tx| insert(tx, 1, 1)).unwrap();
}

on_both_engines!(
    of_two_that_look_and_insert_one_finds_the_other,
    |db: &TestDb| {
        let engine = open(db);
        let looked = Arc::new(Barrier::new(2));
        let inserted = [0, 1].map(|_| {
            let looked = looked.clone();
            // On SQLite the second looks only when the first has committed.
            let mut wait = !db.is_sqlite();
            engine.submit(move |tx| {
                let there = tx
                    .query_opt("SELECT n FROM item WHERE id = 1", &[])?
                    .is_some();
                if std::mem::take(&mut wait) {
                    looked.wait();
                }
                if !there {
                    insert(tx, 1, 10)?;
                }
                Ok::<_, Error>(!there)
            })
        });
        let inserted = inserted.map(|ticket| ticket.wait().unwrap());
        assert_eq!(inserted.iter().filter(|did| **did).count(), 1);
    }
);

#[test]
fn numbers_do_not_wait_behind_a_row_lock() {
    // One command holds a row and asks for a number; the other asks for one with a write to
    // that row still buffered. If the number travelled behind the write, each would wait for
    // the other, and PostgreSQL would see only one of the two waits.
    let db = TestDb::postgres();
    let engine = open(&db);
    engine.write(|tx| insert(tx, 1, 10)).unwrap();
    let (locked, has_locked) = std::sync::mpsc::channel();
    let buffered = Arc::new(AtomicBool::new(false));
    let asks = buffered.clone();
    let begun = Instant::now();
    let holder = engine.submit(move |tx| {
        tx.query_locked("SELECT n FROM item WHERE id = $1", params![1])?;
        let _ = locked.send(());
        while !asks.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(100));
        tx.next_numbers(scrip_engine::Sequence::Hold, 5000)
    });
    has_locked.recv().unwrap();
    let other = engine.submit(move |tx| {
        scrip_engine::Store::put(tx, "UPDATE item SET n = 11 WHERE id = 1", &[])?;
        buffered.store(true, Ordering::SeqCst);
        tx.next_numbers(scrip_engine::Sequence::Hold, 5000)
    });
    assert_ne!(holder.wait().unwrap(), other.wait().unwrap());
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_full_queue_turns_commands_away() {
    let db = TestDb::sqlite();
    let engine = open(&db);
    let release = hold_up(&engine, 1);
    let tickets: Vec<_> = (0..65_537)
        .map(|_| engine.submit(|_| Ok::<_, Error>(())))
        .collect();
    drop(release);
    let mut answers = tickets.into_iter().map(scrip_engine::Ticket::wait);
    assert!(answers.by_ref().take(65_536).all(|answer| answer.is_ok()));
    let last = answers.next().unwrap();
    assert!(matches!(last, Err(Error::Unavailable(_))), "{last:?}");
}

on_both_engines!(
    commands_that_wait_at_the_end_are_still_done,
    |db: &TestDb| {
        let engine = open(db);
        let tickets: Vec<_> = (100..200)
            .map(|id| engine.submit(move |tx| insert(tx, id, id)))
            .collect();
        drop(engine);
        tickets
            .into_iter()
            .for_each(|ticket| ticket.wait().unwrap());
        assert_eq!(items(&db.open()).len(), 100);
    }
);
