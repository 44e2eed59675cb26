//! Opening: who may, at which version, and what is refused.

use crate::support::{insert, items, open};
use scrip_engine::{DatabaseUrl, Engine, Error, Options, migrate::MIGRATIONS};
use scrip_testkit::{TestDb, on_both_engines};
use std::thread;

fn read_only() -> Options {
    Options {
        read_only: true,
        ..Options::default()
    }
}

on_both_engines!(
    read_only_reads_beside_a_writer_and_writes_nothing,
    |db: &TestDb| {
        let engine = open(db);
        let reader = Engine::open(db.url(), &read_only()).unwrap();
        engine.write(|tx| insert(tx, 1, 10)).unwrap();
        assert_eq!(items(&reader), [(1, 10)]);
        let answer = reader.write(|tx| insert(tx, 2, 20));
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        let answer = reader.read(|tx| {
            scrip_engine::Read::query(tx, "INSERT INTO item (id) VALUES (3) RETURNING id", &[])
        });
        assert!(answer.is_err());
        engine.write(|tx| insert(tx, 4, 40)).unwrap();
        assert_eq!(items(&reader), [(1, 10), (4, 40)]);
        drop(engine);
        assert_eq!(items(&reader), [(1, 10), (4, 40)]);
        drop(reader);
        // Alone, too.
        assert_eq!(
            items(&Engine::open(db.url(), &read_only()).unwrap()),
            [(1, 10), (4, 40)]
        );
    }
);

on_both_engines!(read_only_needs_a_database_that_is_there, |db: &TestDb| {
    let answer = Engine::open(db.url(), &read_only()).map(drop);
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
});

#[test]
fn a_second_writer_on_one_file_is_refused() {
    let db = TestDb::sqlite();
    let engine = open(&db);
    let second = Engine::open(db.url(), &Options::default()).map(drop);
    assert!(matches!(second, Err(Error::InUse(_))), "{second:?}");
    engine.write(|tx| insert(tx, 1, 10)).unwrap();
    drop(engine);
    assert_eq!(items(&db.open()), [(1, 10)]);
}

on_both_engines!(a_newer_database_is_refused, |db: &TestDb| {
    drop(open(db));
    db.run_sql(if db.is_sqlite() {
        "INSERT INTO schema_migration (number, checksum, applied_at) VALUES (999, x'00', 0)"
    } else {
        "INSERT INTO schema_migration (number, checksum, applied_at) VALUES (999, '\\x00', 0)"
    });
    for options in [Options::default(), read_only()] {
        let answer = Engine::open(db.url(), &options).map(drop);
        let known = MIGRATIONS.last().unwrap().number;
        match answer {
            Err(Error::NewerDatabase {
                found: 999,
                known: k,
            }) => assert_eq!(k, known),
            other => panic!("{other:?}"),
        }
    }
});

on_both_engines!(a_changed_migration_is_refused, |db: &TestDb| {
    drop(open(db));
    db.run_sql(if db.is_sqlite() {
        "UPDATE schema_migration SET checksum = x'00' WHERE number = 2"
    } else {
        "UPDATE schema_migration SET checksum = '\\x00' WHERE number = 2"
    });
    for options in [Options::default(), read_only()] {
        let answer = Engine::open(db.url(), &options).map(drop);
        assert!(
            matches!(answer, Err(Error::MigrationChanged(2))),
            "{answer:?}"
        );
    }
});

#[test]
fn many_may_migrate_one_empty_database_at_once() {
    let db = TestDb::postgres();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| drop(db.open()));
        }
    });
    drop(open(&db));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let db = TestDb::sqlite();
    let DatabaseUrl::Sqlite(path) = db.url() else {
        panic!("an SQLite address")
    };
    std::fs::write(
        path,
        "a shopping list, much longer than the header of a database. ".repeat(40),
    )
    .unwrap();
    let before = std::fs::read(path).unwrap();
    let answer = Engine::open(db.url(), &Options::default()).map(drop);
    assert!(matches!(answer, Err(Error::Corrupt(_))), "{answer:?}");
    assert_eq!(std::fs::read(path).unwrap(), before);
}

#[test]
fn addresses_that_lead_nowhere_are_said_to() {
    let missing = DatabaseUrl::Sqlite("/nowhere/at/all/x.db".into());
    assert!(matches!(
        Engine::open(&missing, &Options::default()),
        Err(Error::Unavailable(_))
    ));
    let closed: DatabaseUrl = "postgres://nobody:secret@127.0.0.1:1/none".parse().unwrap();
    assert!(matches!(
        Engine::open(&closed, &Options::default()),
        Err(Error::Unavailable(_))
    ));
    assert!(!format!("{closed} {closed:?}").contains("secret"));
    for wrong in ["", "sqlite:", "mysql://a@b/c", "postgres://a@b", "/a/path"] {
        let answer = wrong.parse::<DatabaseUrl>();
        assert!(
            matches!(answer, Err(Error::Address(_))),
            "{wrong}: {answer:?}"
        );
    }
}
