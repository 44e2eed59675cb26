//! What a command may rely on: all or nothing, a snapshot, its own writes, time and ids.

use crate::support::{hold_up, insert, items, items_in, open, open_with};
use scrip_engine::{Error, Options, Read, Sequence, SetClock, Store, Timestamp, params};
use scrip_testkit::{TestDb, on_both_engines};
use std::sync::Arc;

on_both_engines!(write_commits_and_is_read_back, |db: &TestDb| {
    let engine = open(db);
    let answer = engine
        .write(|tx| insert(tx, 1, 10).map(|()| "done"))
        .unwrap();
    assert_eq!(answer, "done");
    assert_eq!(items(&engine), [(1, 10)]);
    drop(engine);
    assert_eq!(items(&db.open()), [(1, 10)]);
});

on_both_engines!(err_leaves_nothing, |db: &TestDb| {
    let engine = open(db);
    let refused = engine.write(|tx| {
        insert(tx, 1, 10)?;
        tx.execute("INSERT INTO item (id, n) VALUES ($1, $2)", params![2, 20])?;
        tx.execute_returning(
            "INSERT INTO item (id, n) VALUES ($1, $2) RETURNING id",
            params![3, 30],
        )?;
        Err::<(), _>(Error::Closed)
    });
    assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
    assert_eq!(items(&engine), []);
});

on_both_engines!(panic_is_rolled_back_and_harms_nobody, |db: &TestDb| {
    let engine = open_with(
        db,
        &Options {
            workers: 1,
            ..Options::default()
        },
    );
    let release = hold_up(&engine, 1);
    let before = engine.submit(|tx| insert(tx, 1, 10));
    let panics = engine.submit(|tx| -> Result<(), Error> {
        insert(tx, 2, 20)?;
        panic!("on purpose");
    });
    let after = engine.submit(|tx| insert(tx, 3, 30));
    drop(release);
    before.wait().unwrap();
    let answer = panics.wait();
    assert!(
        matches!(&answer, Err(Error::Panicked(t)) if t == "on purpose"),
        "{answer:?}"
    );
    after.wait().unwrap();
    assert_eq!(items(&engine), [(1, 10), (3, 30)]);
});

on_both_engines!(failures_among_waiting_commands_stay_alone, |db: &TestDb| {
    let engine = open_with(
        db,
        &Options {
            workers: 1,
            ..Options::default()
        },
    );
    let release = hold_up(&engine, 1);
    let tickets: Vec<_> = (0..60)
        .map(|id| {
            engine.submit(move |tx| {
                insert(tx, id, id)?;
                match id % 7 {
                    3 => insert(tx, id, id),
                    5 => Err(Error::Closed),
                    _ => Ok(()),
                }
            })
        })
        .collect();
    drop(release);
    let mut expected = Vec::new();
    for (id, ticket) in (0..60).zip(tickets) {
        let answer = ticket.wait();
        // 13 is no allowed n.
        if id % 7 == 3 || id % 7 == 5 || id == 13 {
            assert!(answer.is_err(), "{id}");
        } else {
            answer.unwrap();
            expected.push((id, id));
        }
    }
    assert_eq!(items(&engine), expected);
});

on_both_engines!(
    a_read_sees_one_snapshot_and_blocks_no_writer,
    |db: &TestDb| {
        let engine = open(db);
        engine.write(|tx| insert(tx, 1, 10)).unwrap();
        engine
            .read(|tx| {
                assert_eq!(items_in(tx)?, [(1, 10)]);
                engine.write(|tx| insert(tx, 2, 20))?;
                engine.write(|tx| tx.execute("UPDATE item SET n = 11 WHERE id = 1", &[]))?;
                assert_eq!(items_in(tx)?, [(1, 10)]);
                Ok::<_, Error>(())
            })
            .unwrap();
        assert_eq!(items(&engine), [(1, 11), (2, 20)]);
    }
);

on_both_engines!(
    an_uncommitted_write_is_seen_by_nobody_else,
    |db: &TestDb| {
        let engine = open(db);
        let reader = engine.clone();
        engine
            .write(move |tx| {
                insert(tx, 1, 10)?;
                assert_eq!(items_in(tx)?, [(1, 10)]);
                assert_eq!(items(&reader), []);
                Ok::<_, Error>(())
            })
            .unwrap();
    }
);

on_both_engines!(a_command_sees_its_own_writes, |db: &TestDb| {
    let engine = open(db);
    engine
        .write(|tx| {
            for id in 1..=100 {
                insert(tx, id, 100 + id)?;
            }
            assert_eq!(items_in(tx)?.len(), 100);
            tx.put("DELETE FROM item WHERE id > $1", params![2])?;
            assert_eq!(items_in(tx)?, [(1, 101), (2, 102)]);
            tx.put("UPDATE item SET n = $1 WHERE id = 1", params![7])?;
            let all = tx.query_all(&[
                ("SELECT n FROM item WHERE id = $1", params![1]),
                ("SELECT COUNT(*) FROM item", &[]),
            ])?;
            assert_eq!((all[0][0].int(0)?, all[1][0].int(0)?), (7, 2));
            tx.put("UPDATE item SET n = $1 WHERE id = 2", params![8])?;
            assert_eq!(
                tx.execute("UPDATE item SET t = 'x' WHERE n IN (7, 8)", &[])?,
                2
            );
            let mut seen = Vec::new();
            tx.put("DELETE FROM item WHERE id = $1", params![1])?;
            tx.query_each("SELECT id FROM item ORDER BY id", &[], &mut |row| {
                seen.push(row.int(0)?);
                Ok(())
            })?;
            assert_eq!(seen, [2]);
            Ok::<_, Error>(())
        })
        .unwrap();
});

on_both_engines!(a_broken_constraint_fails_the_command, |db: &TestDb| {
    let engine = open(db);
    engine.write(|tx| insert(tx, 1, 10)).unwrap();
    let check = engine.write(|tx| {
        insert(tx, 2, 20)?;
        insert(tx, 3, 13)
    });
    assert!(matches!(check, Err(Error::Statement(_))), "{check:?}");
    let taken = engine.write(|tx| {
        insert(tx, 2, 20)?;
        insert(tx, 1, 11)
    });
    assert!(matches!(taken, Err(Error::Statement(_))), "{taken:?}");
    let foreign = engine.write(|tx| {
        tx.put(
            "INSERT INTO counter (book_id, name, value) VALUES (1, 'of no vendor', 0)",
            &[],
        )
    });
    assert!(matches!(foreign, Err(Error::Statement(_))), "{foreign:?}");
    assert_eq!(items(&engine), [(1, 10)]);
});

on_both_engines!(a_failure_that_the_command_ignores_counts, |db: &TestDb| {
    let engine = open(db);
    let answer = engine.write(|tx| {
        insert(tx, 1, 10)?;
        drop(tx.execute("INSERT INTO item (id, n) VALUES (2, 13)", &[]));
        Ok::<_, Error>(())
    });
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
    assert_eq!(items(&engine), []);
    engine.write(|tx| insert(tx, 3, 30)).unwrap();
});

#[test]
fn a_query_that_writes_is_refused_on_sqlite() {
    // It would stand even if its command failed: the savepoint opens at the first known write.
    let db = TestDb::sqlite();
    let engine = open(&db);
    let answer = engine.write(|tx| tx.query("INSERT INTO item (id) VALUES (1) RETURNING id", &[]));
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
    assert_eq!(items(&engine), []);
}

on_both_engines!(time_stands_still_within_a_command, |db: &TestDb| {
    let clock = Arc::new(SetClock::new(Timestamp(1_000_000)));
    let engine = open_with(
        db,
        &Options {
            clock: clock.clone(),
            ..Options::default()
        },
    );
    let ticking = clock.clone();
    engine
        .write(move |tx| {
            let before = tx.now();
            ticking.advance_seconds(60);
            assert_eq!(tx.now(), before);
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(
        engine.write(|tx| Ok::<_, Error>(tx.now())).unwrap(),
        Timestamp(61_000_000)
    );
    assert_eq!(
        engine.read(|tx| Ok::<_, Error>(tx.now())).unwrap(),
        Timestamp(61_000_000)
    );
});

on_both_engines!(seeded_ids_come_again_and_never_twice, |db: &TestDb| {
    let ids = |seed| {
        let clock = Arc::new(SetClock::new(Timestamp(1_700_000_000_000_000)));
        let engine = db.open_with(&Options {
            clock,
            seed,
            workers: 3,
            ..Options::default()
        });
        let mut ids = Vec::new();
        for _ in 0..30 {
            let id = engine.write(|tx| {
                let mut bytes = [0; 11];
                tx.random(&mut bytes)?;
                Ok::<_, Error>((tx.new_id()?, bytes))
            });
            ids.push(id.unwrap());
        }
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.iter().all(|(id, _)| id.get_version_num() == 7));
        ids
    };
    assert_eq!(ids(Some(7)), ids(Some(7)));
    assert_ne!(ids(Some(7)), ids(Some(8)));
    assert_ne!(ids(None), ids(None));
});

on_both_engines!(
    numbers_follow_each_other_and_are_never_used_twice,
    |db: &TestDb| {
        let mut last = 0;
        for _ in 0..3 {
            let engine = db.open();
            for n in [1, 3, 999, 1000, 2500, 1] {
                let first = engine
                    .write(move |tx| tx.next_numbers(Sequence::Transfer, n))
                    .unwrap();
                assert!(first > last, "{first} after {last}");
                last = first + n - 1;
                let refused = engine.write(move |tx| {
                    let first = tx.next_numbers(Sequence::Transfer, n)?;
                    Err::<(), _>(Error::Corrupt(first.to_string()))
                });
                let Err(Error::Corrupt(first)) = refused else {
                    panic!("{refused:?}")
                };
                let first: i64 = first.parse().unwrap();
                assert!(first > last, "{first} after {last}");
                last = first + n - 1;
            }
            // Another sequence goes its own way.
            let grant = engine
                .write(|tx| tx.next_numbers(Sequence::Grant, 1))
                .unwrap();
            assert!(grant < last);
            for wrong in [0, -1, i64::MIN] {
                let answer = engine.write(move |tx| tx.next_numbers(Sequence::Transfer, wrong));
                assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
            }
        }
    }
);
