//! Rounds of power loss over a workload: several writers go on while the disk is photographed as
//! a power cut would leave it, and each photograph is opened and checked.

use crate::power::{PowerVfs, Unsynced};
use scrip_engine::{DatabaseUrl, Durability, Engine, Options};
use std::fmt::Debug;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What the writers do, and how it is found again.
pub trait Workload: Sync {
    /// Names one acknowledged command.
    type Id: Clone + Debug + Send;

    /// Called once, before the writers begin; what it writes is durable whatever the rounds say.
    fn prepare(&self, engine: &Engine);

    /// Runs the `n`th command of a writer; its id if it was acknowledged as done.
    fn write(&self, engine: &Engine, writer: usize, n: u64) -> Option<Self::Id>;

    /// What is wrong with a database in which all these were acknowledged; empty if nothing is.
    fn faults(&self, engine: &Engine, acknowledged: &[Self::Id]) -> Vec<String>;
}

/// How the rounds run.
#[derive(Clone, Debug)]
pub struct PowerRounds {
    /// How many photographs are taken.
    pub rounds: u64,
    /// How many threads write.
    pub writers: usize,
    /// How the database is opened; the VFS and the durability are set here.
    pub options: Options,
    /// Whether commits wait for the disk.
    pub durability: Durability,
    /// Chooses the instants, and what survives unsynced.
    pub seed: u64,
}

/// What the rounds showed.
#[derive(Clone, Debug)]
pub struct PowerReport {
    /// Commands acknowledged until the last photograph.
    pub acknowledged: usize,
    /// How often the database file itself was synced meanwhile: that happens when the log is
    /// copied into it, the more delicate moment.
    pub checkpoints: u64,
    /// What was wrong, each with its round.
    pub faults: Vec<String>,
}

const FILE: &str = "power.db";

/// Runs the rounds.
pub fn power_rounds<W: Workload>(workload: &W, how: &PowerRounds) -> PowerReport {
    let vfs = PowerVfs::register();
    let home = tempfile::tempdir().expect("create a temporary directory");
    let url = DatabaseUrl::Sqlite(home.path().join(FILE));
    let mut options = how.options.clone();
    options.vfs = Some(vfs.name().to_owned());
    options.durability = Durability::Full;
    let engine = Engine::open(&url, &options).expect("create the database");
    workload.prepare(&engine);
    drop(engine);
    options.durability = how.durability;
    let engine = Engine::open(&url, &options).expect("open the database");
    let synced = vfs.syncs(FILE);

    let acknowledged = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let mut random = crate::power::Random(how.seed);
    let faults = thread::scope(|scope| {
        // The writers end also when a round panics.
        let _stopping = SetOnDrop(&stop);
        for writer in 0..how.writers {
            let (engine, acknowledged, stop) = (&engine, &acknowledged, &stop);
            scope.spawn(move || {
                for n in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    if let Some(id) = workload.write(engine, writer, n) {
                        acknowledged
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(id);
                    }
                }
            });
        }
        let mut faults = Vec::new();
        for round in 0..how.rounds {
            thread::sleep(Duration::from_micros(random.below(60_000)));
            let before = acknowledged
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let photograph = tempfile::tempdir().expect("create a temporary directory");
            // The first loses everything that it may.
            let unsynced = if round == 0 {
                Unsynced::Lost
            } else {
                Unsynced::Some(how.seed ^ (round << 32))
            };
            vfs.snapshot_to(photograph.path(), unsynced);
            let found = check(workload, photograph.path(), &how.options, &before);
            faults.extend(
                found
                    .into_iter()
                    .map(|f| format!("round {round} ({unsynced:?}): {f}")),
            );
        }
        faults
    });
    let acknowledged = acknowledged
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .len();
    PowerReport {
        acknowledged,
        checkpoints: vfs.syncs(FILE) - synced,
        faults,
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Opens what a power cut left, as the next start of the program would.
fn check<W: Workload>(
    workload: &W,
    directory: &Path,
    options: &Options,
    acknowledged: &[W::Id],
) -> Vec<String> {
    let path = directory.join(FILE);
    let whole = rusqlite::Connection::open(&path)
        .and_then(|conn| conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)));
    match whole {
        Ok(said) if said == "ok" => {}
        Ok::<String, _>(said) => return vec![format!("integrity_check: {said}")],
        Err(e) => return vec![format!("the database cannot be read: {e}")],
    }
    match Engine::open(&DatabaseUrl::Sqlite(path), options) {
        Ok(engine) => workload.faults(&engine, acknowledged),
        Err(e) => vec![format!("the database cannot be opened: {e}")],
    }
}
