//! The power goes, the disk is full, a sync fails: nothing acknowledged is lost on SQLite.

use crate::support::{insert, items};
use scrip_engine::{DatabaseUrl, Durability, Engine, Error, Options, Read, params};
use scrip_testkit::power::PowerVfs;
use scrip_testkit::{PowerRounds, Workload, power_rounds};
use std::collections::HashSet;

/// Each command inserts a row, and overwrites one of a few large ones so that the log fills and
/// is copied into the database now and then.
struct Rows;

const LARGE: usize = 64;

fn create(engine: &Engine) {
    engine
        .write(|tx| {
            // No key: a row that was written twice must be seen.
            tx.execute(
                "CREATE TABLE item (id INTEGER NOT NULL, n INTEGER) STRICT",
                &[],
            )?;
            tx.execute(
                "CREATE TABLE large (id INTEGER PRIMARY KEY, b BLOB) STRICT",
                &[],
            )
        })
        .unwrap();
}

impl Workload for Rows {
    type Id = i64;

    fn prepare(&self, engine: &Engine) {
        create(engine);
    }

    fn write(&self, engine: &Engine, writer: usize, n: u64) -> Option<i64> {
        let id = (writer as i64) << 32 | n as i64;
        let large = (writer as i64 * 31 + n as i64) % LARGE as i64;
        let written = engine.write(move |tx| {
            insert(tx, id, 0)?;
            tx.execute(
                "INSERT OR REPLACE INTO large (id, b) VALUES ($1, randomblob(50000))",
                params![large],
            )
        });
        written.map(|_| id).ok()
    }

    fn faults(&self, engine: &Engine, acknowledged: &[i64]) -> Vec<String> {
        let rows = engine
            .read(|tx| tx.query("SELECT id FROM item", &[]))
            .unwrap();
        let mut found = HashSet::new();
        let mut faults = Vec::new();
        for row in &rows {
            let id = row.int(0).unwrap();
            if !found.insert(id) {
                faults.push(format!("{id} is there twice"));
            }
        }
        let lost = acknowledged.iter().filter(|id| !found.contains(*id));
        faults.extend(lost.map(|id| format!("{id} is lost")));
        faults
    }
}

fn rounds(durability: Durability) -> PowerRounds {
    PowerRounds {
        rounds: 20,
        writers: 8,
        options: Options::default(),
        durability,
        seed: 2024,
    }
}

#[test]
fn what_was_acknowledged_survives_a_power_loss() {
    let report = power_rounds(&Rows, &rounds(Durability::Full));
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(report.acknowledged > 200, "{report:?}");
    assert!(
        report.checkpoints > 0,
        "no checkpoint was made meanwhile: {report:?}"
    );
}

#[test]
fn without_syncing_the_power_loss_test_fails() {
    let report = power_rounds(&Rows, &rounds(Durability::Off));
    let lost = report
        .faults
        .iter()
        .filter(|fault| fault.ends_with("is lost"))
        .count();
    assert!(lost > 0, "{report:?}");
}

fn open_on(vfs: &PowerVfs, directory: &tempfile::TempDir) -> Engine {
    let url = DatabaseUrl::Sqlite(directory.path().join("test.db"));
    let options = Options {
        vfs: Some(vfs.name().to_owned()),
        ..Options::default()
    };
    Engine::open(&url, &options).unwrap()
}

#[test]
fn a_full_disk_fails_commands_and_harms_nothing() {
    let (vfs, directory) = (PowerVfs::register(), tempfile::tempdir().unwrap());
    let engine = open_on(&vfs, &directory);
    create(&engine);
    for round in 0..3 {
        engine.write(move |tx| insert(tx, round * 10, 0)).unwrap();
        vfs.set_full(true);
        for n in 1..4 {
            let answer = engine.write(move |tx| insert(tx, round * 10 + n, 0));
            assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        }
        assert_eq!(items(&engine).len() as i64, round + 1);
        vfs.set_full(false);
    }
    drop(engine);
    assert_eq!(
        items(&open_on(&vfs, &directory)),
        [(0, 0), (10, 0), (20, 0)]
    );
}

#[test]
fn a_large_command_that_meets_a_full_disk_is_undone_whole() {
    // More than the cache holds, so that SQLite writes, and fails, in the middle of the command.
    let (vfs, directory) = (PowerVfs::register(), tempfile::tempdir().unwrap());
    let engine = open_on(&vfs, &directory);
    create(&engine);
    engine.write(|tx| insert(tx, 1, 0)).unwrap();
    let release = crate::support::hold_up(&engine, 1);
    let before = engine.submit(|tx| insert(tx, 2, 0));
    let large = engine.submit(|tx| {
        for id in 0..40 {
            tx.execute(
                "INSERT OR REPLACE INTO large (id, b) VALUES ($1, randomblob(10000000))",
                params![id],
            )?;
        }
        Ok::<_, Error>(())
    });
    let after = engine.submit(|tx| insert(tx, 3, 0));
    vfs.set_full(true);
    drop(release);
    // Whatever happened to each, what was answered is what is there.
    let answers = [(2, before.wait()), (3, after.wait())];
    assert!(large.wait().is_err());
    vfs.set_full(false);
    let mut expected = vec![(1, 0)];
    expected.extend(
        answers
            .iter()
            .filter(|(_, answer)| answer.is_ok())
            .map(|(id, _)| (*id, 0)),
    );
    assert_eq!(items(&engine), expected);
    engine.write(|tx| insert(tx, 4, 0)).unwrap();
    let large = engine
        .read(|tx| tx.query("SELECT id FROM large", &[]))
        .unwrap();
    assert!(large.is_empty());
}

#[test]
fn a_sync_that_fails_leaves_the_outcome_open() {
    let (vfs, directory) = (PowerVfs::register(), tempfile::tempdir().unwrap());
    let engine = open_on(&vfs, &directory);
    create(&engine);
    engine.write(|tx| insert(tx, 1, 0)).unwrap();
    vfs.set_sync_fails(true);
    let answer = engine.write(|tx| insert(tx, 2, 0));
    assert!(
        matches!(answer, Err(Error::OutcomeUnknown(_))),
        "{answer:?}"
    );
    vfs.set_sync_fails(false);
    engine.write(|tx| insert(tx, 3, 0)).unwrap();
    let kept = items(&engine);
    assert!(
        kept == [(1, 0), (3, 0)] || kept == [(1, 0), (2, 0), (3, 0)],
        "{kept:?}"
    );
}
