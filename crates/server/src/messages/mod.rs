//! Delivery of messages: from the outbox to mail and webhooks, beside everything else.
//!
//! One thread fans the outbox out and hands receivers for which something is due to workers. Each
//! receiver has one worker at a time, so a receiver that hangs delays nobody but itself.

mod addresses;
mod compose;
mod hook;
mod smtp;
mod words;

use crate::config::Settings;
use hook::Caller;
use scrip_domain::Node;
use scrip_domain::message::{
    Claimed, End, MessageError, Routes, Target, deliveries_forget, deliveries_lapse,
    delivery_claim, delivery_end, fan_out, lots_notice, targets_due,
};
use scrip_engine::outbox::{hand_over, is_due};
use scrip_ledger::books;
use smtp::{Line, Post};
use std::collections::HashSet;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Messages fanned out in one transaction.
const AT_ONCE: i64 = 200;
/// Deliveries to one receiver before another has its turn.
const IN_A_ROW: usize = 50;
const HOOK_WORKERS: usize = 8;
const MAIL_WORKERS: usize = 2;
/// Lots that are told of in one transaction.
const LOTS_AT_ONCE: i64 = 500;
const TICK: Duration = Duration::from_millis(500);
/// Ticks between two rounds of what is not urgent.
const ROUND: u32 = 120;
/// How long the end of the program waits for calls under way.
const PATIENCE: Duration = Duration::from_secs(5);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A receiver with something due.
type Job = (i64, Target);

struct Shared {
    node: Node,
    routes: Routes,
    caller: Caller,
    post: Option<Post>,
    /// Receivers that a worker has.
    busy: Mutex<HashSet<Job>>,
    stopping: AtomicBool,
}

/// The threads that deliver messages beside a running server; dropping it stops them.
pub struct Messenger {
    shared: Arc<Shared>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Messenger {
    /// Begins.
    pub fn start(node: Node, settings: &Settings) -> std::io::Result<Messenger> {
        let post = settings.mail.clone();
        let post = post.map(|mail| Post::new(mail, &settings.public_url));
        let post = post.transpose().map_err(std::io::Error::other)?;
        let shared = Arc::new(Shared {
            node,
            routes: Routes {
                mail: post.is_some(),
            },
            post,
            caller: Caller::new(settings.webhooks_anywhere),
            busy: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let hooks = workers(&shared, "scrip-webhook", HOOK_WORKERS)?;
        let mails = workers(&shared, "scrip-mail", MAIL_WORKERS)?;
        let (stop, stopped) = channel();
        let own = shared.clone();
        let thread = std::thread::Builder::new()
            .name("scrip-messages".into())
            .spawn(move || dispatch(&own, &Queues { hooks, mails }, &stopped))?;
        Ok(Messenger {
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Messenger {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        // A call that does not end by then ends with the program; its delivery lapses.
        let began = Instant::now();
        while !lock(&self.shared.busy).is_empty() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Threads that take jobs from one channel, until its sender is gone.
fn workers(shared: &Arc<Shared>, name: &str, number: usize) -> std::io::Result<Sender<Job>> {
    let (sender, receiver) = channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..number {
        let (shared, receiver) = (shared.clone(), receiver.clone());
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                loop {
                    let job = lock(&receiver).recv();
                    let Ok(job) = job else { return };
                    noted("delivery", deliver(&shared, job));
                    lock(&shared.busy).remove(&job);
                }
            })?;
    }
    Ok(sender)
}

/// A hanging mail server and hanging endpoints do not wait for each other.
struct Queues {
    hooks: Sender<Job>,
    mails: Sender<Job>,
}

fn dispatch(shared: &Shared, queues: &Queues, stopped: &Receiver<()>) {
    let mut tick: u32 = 0;
    while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let all = match shared.node.engine.read(|tx| books(tx)) {
            Ok(all) => all,
            Err(e) => {
                failed("list of books", &e);
                continue;
            }
        };
        for book in all {
            let book = book.book_id;
            noted("fan-out", fan_out_all(shared, book));
            noted("messages", hand_out(shared, book, queues));
            if tick.is_multiple_of(ROUND) {
                noted("lapsed messages", tidy(shared, book));
            }
        }
        tick = tick.wrapping_add(1);
    }
}

/// Turns what lies in the outbox of a book into deliveries.
fn fan_out_all(shared: &Shared, book: i64) -> Result<(), MessageError> {
    let engine = &shared.node.engine;
    let routes = shared.routes;
    while !shared.stopping.load(Ordering::Relaxed) && engine.read(|tx| is_due(tx, book))? {
        let vault = shared.node.vault.clone();
        let handed = hand_over(engine, book, AT_ONCE, move |tx, messages| {
            fan_out(tx, &vault, routes, messages)
        })?;
        if handed.failed > 0 {
            tracing::error!(
                book,
                failed = handed.failed,
                "messages could not be handed over"
            );
        }
    }
    Ok(())
}

/// Gives receivers with something due to workers.
fn hand_out(shared: &Shared, book: i64, queues: &Queues) -> Result<(), MessageError> {
    let mail = shared.routes.mail;
    let due = shared.node.engine.read(|tx| targets_due(tx, book, mail))?;
    for target in due {
        let job = (book, target);
        let queue = match target {
            Target::Mail => &queues.mails,
            Target::Endpoint(_) => &queues.hooks,
        };
        if lock(&shared.busy).insert(job) && queue.send(job).is_err() {
            lock(&shared.busy).remove(&job);
        }
    }
    Ok(())
}

fn tidy(shared: &Shared, book: i64) -> Result<(), MessageError> {
    let engine = &shared.node.engine;
    engine.write(move |tx| deliveries_lapse(tx, book))?;
    engine.write(move |tx| deliveries_forget(tx, book))?;
    while !shared.stopping.load(Ordering::Relaxed) {
        if engine.write(move |tx| lots_notice(tx, book, LOTS_AT_ONCE))? == 0 {
            break;
        }
    }
    Ok(())
}

/// Delivers what is due to one receiver, until a try fails.
fn deliver(shared: &Shared, (book, target): Job) -> Result<(), MessageError> {
    let engine = &shared.node.engine;
    let mut line = Line::default();
    for _ in 0..IN_A_ROW {
        if shared.stopping.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some(claimed) = engine.write(move |tx| delivery_claim(tx, book, target))? else {
            return Ok(());
        };
        let end = match (target, &shared.post) {
            (Target::Endpoint(id), _) => Some(shared.caller.deliver(&shared.node, &claimed, id)),
            (Target::Mail, Some(post)) => post.deliver(&shared.node, &claimed, &mut line),
            (Target::Mail, None) => Some(End::Skipped("this node sends no mail".into())),
        };
        // Without an end the claim was over, and somebody else has it.
        let Some(end) = end else { continue };
        let goes_on = !matches!(end, End::Again(_));
        ended(shared, claimed, end)?;
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

fn ended(shared: &Shared, claimed: Claimed, end: End) -> Result<(), MessageError> {
    let engine = &shared.node.engine;
    engine.write(move |tx| delivery_end(tx, &claimed, &end))?;
    Ok(())
}

/// A job that failed is tried again in its next round.
fn noted<T, E: Display>(job: &str, done: Result<T, E>) {
    if let Err(e) = done {
        failed(job, &e);
    }
}

fn failed<E: Display>(job: &str, e: &E) {
    tracing::error!(job, error = %e, "a message job failed and will be tried again");
}
