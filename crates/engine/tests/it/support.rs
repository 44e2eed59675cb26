//! A small table that the tests write to, and short ways to do so.

use scrip_engine::{Engine, Error, Options, Read, Result, Store, Tx, params};
use scrip_testkit::TestDb;
use std::sync::mpsc::{Sender, channel};

const ITEM_SQLITE: &str = "CREATE TABLE item (
    id INTEGER NOT NULL, n INTEGER CHECK (n <> 13), t TEXT, b BLOB, PRIMARY KEY (id)) STRICT";
const ITEM_POSTGRES: &str = "CREATE TABLE item (
    id BIGINT NOT NULL, n BIGINT CHECK (n <> 13), t TEXT, b BYTEA, PRIMARY KEY (id))";

/// Opens the database, with the table `item (id, n, t, b)`; 13 is no allowed `n`.
pub fn open(db: &TestDb) -> Engine {
    open_with(
        db,
        &Options {
            workers: 4,
            ..Options::default()
        },
    )
}

pub fn open_with(db: &TestDb, options: &Options) -> Engine {
    let engine = db.open_with(options);
    db.run_sql(if db.is_sqlite() {
        ITEM_SQLITE
    } else {
        ITEM_POSTGRES
    });
    engine
}

pub fn insert(tx: &mut Tx<'_>, id: i64, n: i64) -> Result<()> {
    tx.put("INSERT INTO item (id, n) VALUES ($1, $2)", params![id, n])
}

/// All (id, n) in the order of the ids.
pub fn items(engine: &Engine) -> Vec<(i64, i64)> {
    engine.read(|tx| items_in(tx)).expect("read the items")
}

pub fn items_in<R: Read>(tx: &mut R) -> Result<Vec<(i64, i64)>> {
    let rows = tx.query("SELECT id, n FROM item ORDER BY id", &[])?;
    rows.iter()
        .map(|row| Ok((row.int(0)?, row.int(1)?)))
        .collect()
}

/// Keeps all writers of the engine busy until the returned sender is dropped, so that what is
/// submitted meanwhile waits together.
pub fn hold_up(engine: &Engine, writers: usize) -> Vec<Sender<()>> {
    let mut release = Vec::new();
    for _ in 0..writers {
        let (sender, receiver) = channel::<()>();
        let (begun, begins) = channel();
        let mut receiver = Some(receiver);
        drop(engine.submit(move |_| {
            begun.send(()).expect("the test waits");
            // Ends when the sender is dropped.
            let _ = receiver.take().map(|r| r.recv());
            Ok::<_, Error>(())
        }));
        begins.recv().expect("the command begins");
        release.push(sender);
    }
    release
}
