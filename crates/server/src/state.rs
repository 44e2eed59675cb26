//! What every request handler shares: the node, the card processor, limits on slow work, figures.

use crate::config::Settings;
use crate::demo::DemoNotes;
use crate::error::{Problem, Result};
use crate::http::guesses::Guesses;
use crate::http::metrics::Metrics;
use crate::web::view::zone;
use scrip_domain::command::CommandError;
use scrip_domain::token_sale::CardProcessor;
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_domain::{Answer, Keyed, Node};
use scrip_engine::{Error as EngineError, ReadTx, Tx};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Handle on what handlers share; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What is shared.
pub struct Inner {
    /// Database and master key.
    pub node: Node,
    /// Whoever charges cards.
    pub cards: Arc<dyn CardProcessor>,
    /// Figures for the operator.
    pub metrics: Metrics,
    /// API keys that were looked up a moment ago.
    pub keys: crate::api::auth::KeyCache,
    /// Wrong guesses at secrets, by where they come from.
    pub guesses: Guesses,
    vendors: Mutex<HashMap<i64, (Arc<Vendor>, Instant)>>,
    /// What the demo's first page tells; `None` outside the demo.
    pub demo: Option<DemoNotes>,
    /// The node's settings.
    pub settings: Settings,
    /// Argon2 takes 19 MiB and 60 ms of one core: as many at once as there are cores.
    hashing: Arc<Semaphore>,
    charging: Arc<Semaphore>,
    stopping: AtomicBool,
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// How long a request may wait for its turn to do something slow.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// Calls of the card processor at once: fewer than there are threads for what blocks.
const CHARGES_AT_ONCE: usize = 24;
const VENDOR_REMEMBERED: Duration = Duration::from_secs(1);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does blocking work when it is its turn, or says that too much waits for one.
async fn in_turn<T, F>(turns: &Arc<Semaphore>, work: F) -> Result<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let turn = tokio::time::timeout(TURN_WAIT, turns.clone().acquire_owned());
    let Ok(Ok(permit)) = turn.await else {
        return Err(Problem::busy());
    };
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    done.await.map_err(|e| Problem::internal(&e))
}

/// Tries of a command whose outcome the database did not tell.
const TRIES: usize = 3;

impl App {
    /// Puts it together.
    pub fn new(
        node: Node,
        cards: Arc<dyn CardProcessor>,
        settings: Settings,
        demo: Option<DemoNotes>,
    ) -> App {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        App(Arc::new(Inner {
            node,
            cards,
            metrics: Metrics::new(),
            keys: crate::api::auth::KeyCache::default(),
            guesses: Guesses::default(),
            vendors: Mutex::default(),
            demo,
            settings,
            hashing: Arc::new(Semaphore::new(cores)),
            charging: Arc::new(Semaphore::new(CHARGES_AT_ONCE)),
            stopping: AtomicBool::new(false),
        }))
    }

    /// Reads from one snapshot, off the async threads.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T>
    where
        F: FnOnce(&mut ReadTx<'_>) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<EngineError> + Into<Problem> + Send + 'static,
    {
        let engine = self.node.engine.clone();
        let zones = zone::current();
        let read = move || zone::within(zones, || engine.read(read));
        let done = tokio::task::spawn_blocking(read).await;
        done.map_err(|e| Problem::internal(&e))?.map_err(Into::into)
    }

    /// Runs a command that is safe to repeat.
    pub async fn write<T, E, F>(&self, run: F) -> Result<T>
    where
        F: FnMut(&mut Tx<'_>) -> std::result::Result<T, E> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<EngineError> + Into<Problem> + Send + 'static,
    {
        self.node.engine.submit(run).await.map_err(Into::into)
    }

    /// Runs a command under its idempotency key. When the database fails to say whether the
    /// command stands, asking again under the same key tells.
    pub async fn submit<T, E, F>(&self, keyed: Keyed, run: F) -> Result<Answer<T>>
    where
        F: FnMut(&mut Tx<'_>) -> std::result::Result<T, E> + Clone + Send + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        E: From<CommandError> + From<EngineError> + Into<Problem> + Send + 'static,
    {
        let mut tries = 1;
        loop {
            let answer = self.node.submit(keyed.clone(), run.clone()).await;
            let problem: Problem = match answer {
                Ok(answer) => return Ok(answer),
                Err(e) => e.into(),
            };
            if problem.code != "outcome_unknown" || keyed.key.is_none() || tries == TRIES {
                return Err(problem);
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The vendor of a book, as it was at most a second ago: for showing. Commands load it anew.
    pub async fn vendor(&self, book: i64) -> Result<Arc<Vendor>> {
        let known = lock(&self.vendors).get(&book).cloned();
        if let Some((vendor, at)) = known
            && at.elapsed() < VENDOR_REMEMBERED
        {
            return Ok(vendor);
        }
        let vendor = Arc::new(self.read(move |tx| vendor_by_book(tx, book)).await?);
        lock(&self.vendors).insert(book, (vendor.clone(), Instant::now()));
        Ok(vendor)
    }

    /// Slow work that keeps a core busy (Argon2): off the async threads, and only as much of it at
    /// once as the machine can carry.
    pub async fn slow<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Node) -> T + Send + 'static,
        T: Send + 'static,
    {
        let node = self.node.clone();
        in_turn(&self.hashing, move || work(&node)).await
    }

    /// Work that asks the card processor, which waits more than it computes. It has a limit of its
    /// own: a processor that is slow keeps nobody from signing in.
    pub async fn by_card<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Node, &dyn CardProcessor) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (node, cards) = (self.node.clone(), self.cards.clone());
        in_turn(&self.charging, move || work(&node, cards.as_ref())).await
    }

    /// The processor forgets a card that was taken off an account; where it does not answer, the card
    /// is off all the same.
    pub async fn card_forget(&self, method: String) {
        let forgotten = self.by_card(move |_, cards| cards.card_forget(&method));
        if !matches!(forgotten.await, Ok(Ok(()))) {
            tracing::warn!("the card processor did not forget a card that was removed");
        }
    }

    /// From now on `/readyz` says no, so that a balancer sends new requests elsewhere.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// True once [`App::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
