//! The workers: each takes a command, runs it, and runs it again when others were in the way.

use super::{Failure, PgConn};
use crate::error::Error;
use crate::ids::{Ids, Random};
use crate::job::{Job, Queue, panicked, run_guarded};
use crate::memory::Memory;
use crate::options::Options;
use crate::tx::{Conn, Tx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a command is run again because of others before it is given up.
const RETRIES: u32 = 30;
/// How long it is run again at most: waiting for a lock takes its time too.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a command is run again because of a key that is taken. The first time it should
/// find whoever took it; one that does not look will not learn to.
const DUPLICATE_RETRIES: u32 = 5;
/// How long a worker tries to reach a server that went away.
const RECONNECT: Duration = Duration::from_secs(10);

/// One of the writers of a database.
pub(crate) struct Worker {
    conn: Option<PgConn>,
    url: String,
    options: Options,
    memory: Box<dyn Memory>,
    random: Random,
    /// Not `random`: a retry must not shift the ids of a test.
    jitter: Random,
    ids: Arc<Ids>,
}

/// The writers of a database. The first takes `conn`, the others connect when they are needed.
pub(crate) fn workers(
    conn: PgConn,
    url: &str,
    options: &Options,
    ids: &Arc<Ids>,
) -> impl Iterator<Item = Worker> {
    let random = Random::new(options.seed);
    let mut first = Some(conn);
    (0..options.workers.max(1)).map(move |_| Worker {
        conn: first.take(),
        url: url.to_owned(),
        options: options.clone(),
        memory: (options.memory)(),
        random: random.another(),
        jitter: Random::new(None),
        ids: ids.clone(),
    })
}

impl Worker {
    pub(crate) fn work(mut self, queue: &Queue) {
        let mut batch: Vec<Box<dyn Job>> = Vec::new();
        while queue.take(1, &mut batch).is_some() {
            for mut job in batch.drain(..) {
                let failure = catch_unwind(AssertUnwindSafe(|| self.run(job.as_mut())));
                job.answer(failure.unwrap_or_else(|panic| {
                    // Not in the command: in its memory. The transaction ends with its connection.
                    self.conn = None;
                    Some(panicked(panic.as_ref()))
                }));
            }
        }
    }

    /// Runs one command until it stands, fails, or was in the way too often.
    fn run(&mut self, job: &mut dyn Job) -> Option<Error> {
        let begun = Instant::now();
        let mut retries = 0;
        let mut duplicates = 0;
        let mut waited = Duration::ZERO;
        loop {
            match self.run_once(job) {
                Ok(()) => return None,
                Err(Failure::Final(error)) => return Some(error),
                Err(Failure::Conflict(text)) => {
                    retries += 1;
                    if retries > RETRIES || begun.elapsed() > PATIENCE {
                        return Some(Error::Contention(text));
                    }
                    std::thread::sleep(self.jitter(1 << retries.min(6)));
                }
                Err(Failure::Duplicate(text)) => {
                    duplicates += 1;
                    if duplicates > DUPLICATE_RETRIES {
                        return Some(Error::Statement(text));
                    }
                    std::thread::sleep(self.jitter(4));
                }
                Err(Failure::Lost(text)) => {
                    self.conn = None;
                    if waited >= RECONNECT {
                        return Some(Error::Unavailable(text));
                    }
                    let pause = Duration::from_millis(50) + self.jitter(50);
                    std::thread::sleep(pause);
                    waited += pause;
                }
            }
        }
    }

    /// A random pause of up to `most_ms`.
    fn jitter(&mut self, most_ms: u64) -> Duration {
        let mut bytes = [0; 2];
        // Without randomness all wait the same; slower, not wrong.
        drop(self.jitter.fill(&mut bytes));
        Duration::from_micros(u64::from(u16::from_le_bytes(bytes)) * most_ms * 1000 / 65_535)
    }

    fn run_once(&mut self, job: &mut dyn Job) -> std::result::Result<(), Failure> {
        let conn = match self.conn.take() {
            Some(conn) if !conn.is_lost() => conn,
            _ => PgConn::connect(&self.url, &self.options)
                .map_err(|e| Failure::Lost(e.to_string()))?,
        };
        let conn = self.conn.insert(conn);
        self.memory.clear();
        if let Err(error) = conn.begin("BEGIN") {
            return Err(conn.failed.take().unwrap_or(Failure::Final(error)));
        }
        let mut tx = Tx {
            now: self.options.clock.now(),
            conn: Conn::Postgres(conn),
            random: &mut self.random,
            ids: &self.ids,
            memory: self.memory.as_mut(),
        };
        let ran = run_guarded(job, &mut tx);
        // A failure of the database counts even where the command went on regardless.
        if let Some(failure) = conn.failed.take() {
            conn.rollback();
            self.memory.clear();
            return match (failure, ran) {
                // The command has said it in its own words.
                (Failure::Final(_), Ok(false)) => Ok(()),
                (failure, _) => Err(failure),
            };
        }
        if !matches!(ran, Ok(true)) {
            conn.rollback();
            self.memory.clear();
            return ran.map(|_| ()).map_err(Failure::Final);
        }
        let committed = self.memory.flush(conn).and_then(|()| conn.commit());
        if let Err(error) = committed {
            let failure = conn.failed.take().unwrap_or(Failure::Final(error));
            conn.rollback();
            self.memory.clear();
            return Err(failure);
        }
        self.memory.committed();
        Ok(())
    }
}
