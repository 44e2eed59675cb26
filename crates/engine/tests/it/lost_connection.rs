//! PostgreSQL ends connections, or stops: a command is run again, or says what it does not know.

use crate::support::{insert, items, open};
use scrip_engine::{Engine, Error, Options, Read};
use scrip_testkit::{PostgresServer, TestDb};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Runs a command whose connection is ended at `point` the first time, and returns how often it
/// ran.
fn ended_at(point: u32) -> (Result<(), Error>, u32, Vec<(i64, i64)>) {
    let db = Arc::new(TestDb::postgres());
    let engine = open(&db);
    let runs = Arc::new(AtomicU32::new(0));
    let (ends, counted) = (db.clone(), runs.clone());
    let answer = engine.write(move |tx| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        let end_at = |here| {
            if first && here == point {
                ends.as_postgres().unwrap().terminate_backends();
                thread::sleep(Duration::from_millis(100));
            }
        };
        end_at(0);
        insert(tx, 1, 10)?;
        end_at(1);
        tx.execute("UPDATE item SET n = 11 WHERE id = 1", &[])?;
        end_at(2);
        Ok::<_, Error>(())
    });
    (answer, runs.load(Ordering::SeqCst), items(&engine))
}

#[test]
fn a_command_whose_connection_ends_is_run_again() {
    for point in 0..3 {
        let (answer, runs, items) = ended_at(point);
        answer.unwrap();
        assert_eq!((runs, items), (2, vec![(1, 11)]), "ended at {point}");
    }
}

#[test]
fn connections_that_ended_while_idle_are_not_used() {
    let db = TestDb::postgres();
    let engine = open(&db);
    for round in 100..110 {
        engine.write(move |tx| insert(tx, round, round)).unwrap();
        assert_eq!(items(&engine).last(), Some(&(round, round)));
        db.as_postgres().unwrap().terminate_backends();
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_read_whose_connection_ends_says_so_and_the_next_succeeds() {
    let db = TestDb::postgres();
    let engine = open(&db);
    let answer = engine.read(|tx| {
        tx.query("SELECT id FROM item", &[])?;
        db.as_postgres().unwrap().terminate_backends();
        tx.query("SELECT n FROM item", &[])
    });
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(items(&engine), []);
}

/// Inserts rows until told to stop; returns the acknowledged ones and those of unknown outcome.
fn write_on(engine: &Engine, writer: i64, stop: &AtomicU32) -> (Vec<i64>, Vec<i64>) {
    let (mut done, mut unknown) = (Vec::new(), Vec::new());
    for n in 0.. {
        if stop.load(Ordering::SeqCst) != 0 {
            break;
        }
        let id = writer * 1_000_000 + n;
        match engine.write(move |tx| insert(tx, id, writer)) {
            Ok(()) => done.push(id),
            Err(Error::OutcomeUnknown(_)) => unknown.push(id),
            Err(Error::Unavailable(_)) => {}
            // A row whose first commit was not answered may be there already; it was not retried.
            Err(other) => panic!("{other}"),
        }
    }
    (done, unknown)
}

#[test]
fn what_was_acknowledged_survives_immediate_stops() {
    let server = PostgresServer::new();
    let database = server.database();
    let url = database.url().parse().unwrap();
    let engine = Engine::open(
        &url,
        &Options {
            workers: 8,
            ..Options::default()
        },
    )
    .unwrap();
    engine_table(&engine);
    let stop = AtomicU32::new(0);
    let (done, unknown) = thread::scope(|scope| {
        let (engine, stop) = (&engine, &stop);
        let writers: Vec<_> = (1..=8)
            .map(|writer| scope.spawn(move || write_on(engine, writer, stop)))
            .collect();
        for round in 0..4 {
            thread::sleep(Duration::from_millis(150));
            if round % 2 == 0 {
                server.terminate_backends(database.name());
            } else {
                server.stop_immediate();
                server.start();
            }
        }
        thread::sleep(Duration::from_millis(150));
        stop.store(1, Ordering::SeqCst);
        let (mut done, mut unknown) = (Vec::new(), Vec::new());
        for writer in writers {
            let (d, u) = writer.join().unwrap();
            done.extend(d);
            unknown.extend(u);
        }
        (done, unknown)
    });
    let kept: Vec<i64> = ids(&engine);
    assert!(done.len() > 100, "only {} commands were done", done.len());
    for id in &done {
        assert!(
            kept.binary_search(id).is_ok(),
            "{id} was acknowledged and is gone"
        );
    }
    for id in kept {
        assert!(
            done.contains(&id) || unknown.contains(&id),
            "{id} was said to have failed"
        );
    }
}

fn engine_table(engine: &Engine) {
    engine
        .write(|tx| {
            tx.execute(
                "CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, n BIGINT)",
                &[],
            )
        })
        .unwrap();
}

fn ids(engine: &Engine) -> Vec<i64> {
    items(engine).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_server_that_stays_away_is_said_to_be_unavailable() {
    let server = PostgresServer::new();
    let database = server.database();
    let url = database.url().parse().unwrap();
    let engine = Engine::open(
        &url,
        &Options {
            workers: 1,
            ..Options::default()
        },
    )
    .unwrap();
    server.stop_immediate();
    let answer = engine.write(|tx| tx.query("SELECT 1::BIGINT", &[]));
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    let answer = engine.read(|tx| tx.query("SELECT 1::BIGINT", &[]));
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    server.start();
    engine
        .write(|tx| tx.query("SELECT 1::BIGINT", &[]))
        .unwrap();
    engine.read(|tx| tx.query("SELECT 1::BIGINT", &[])).unwrap();
}
