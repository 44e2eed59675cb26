//! Commands on their way to a writer, and their answers on the way back.

use crate::error::{Error, Result};
use crate::tx::Tx;
use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// Waiting commands beyond which new ones are turned away.
const QUEUE_LIMIT: usize = 65_536;

pub(crate) trait Job: Send {
    /// Runs the command; true when what it wrote is to stand. May be called again from the start.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers the caller; a failure replaces the command's own result.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

/// The answer of a submitted command: wait for it on a thread, or await it.
#[derive(Debug)]
pub struct Ticket<T, E>(oneshot::Receiver<std::result::Result<T, E>>);

impl<T, E: From<Error>> Ticket<T, E> {
    /// Blocks until the command is durable, or failed. Not for async threads: await it there.
    pub fn wait(self) -> std::result::Result<T, E> {
        self.0
            .blocking_recv()
            .unwrap_or_else(|_| Err(Error::Closed.into()))
    }
}

impl<T, E: From<Error>> Future for Ticket<T, E> {
    type Output = std::result::Result<T, E>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|answer| answer.unwrap_or_else(|_| Err(Error::Closed.into())))
    }
}

struct Command<T, E, F> {
    run: F,
    result: Option<std::result::Result<T, E>>,
    reply: oneshot::Sender<std::result::Result<T, E>>,
}

impl<T, E, F> Job for Command<T, E, F>
where
    F: FnMut(&mut Tx<'_>) -> std::result::Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let result = (self.run)(tx);
        let stands = result.is_ok();
        self.result = Some(result);
        stands
    }
    fn answer(self: Box<Self>, failure: Option<Error>) {
        let result = match (failure, self.result) {
            (Some(error), _) => Err(error.into()),
            (None, Some(result)) => result,
            (None, None) => Err(Error::Closed.into()),
        };
        // Nobody may be waiting any more; the outcome stands all the same.
        drop(self.reply.send(result));
    }
}

pub(crate) fn command<T, E, F>(run: F) -> (Box<dyn Job>, Ticket<T, E>)
where
    F: FnMut(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    (
        Box::new(Command {
            run,
            result: None,
            reply,
        }),
        Ticket(receiver),
    )
}

/// Runs a command and turns a panic into an error.
pub(crate) fn run_guarded(job: &mut dyn Job, tx: &mut Tx<'_>) -> Result<bool> {
    catch_unwind(AssertUnwindSafe(|| job.run(tx))).map_err(|panic| panicked(panic.as_ref()))
}

/// The error for a panic.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Error::Panicked(text)
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Box<dyn Job>>,
    closed: bool,
}

/// The queue between callers and writers.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, job: Box<dyn Job>) {
        let mut waiting = self.lock();
        let refusal = if waiting.closed {
            Some(Error::Closed)
        } else if waiting.jobs.len() >= QUEUE_LIMIT {
            Some(Error::Unavailable(format!(
                "{QUEUE_LIMIT} commands are already waiting"
            )))
        } else {
            None
        };
        if refusal.is_some() {
            drop(waiting);
            return job.answer(refusal);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.filled.notify_one();
    }

    /// Up to `most` commands, waiting for the first; `None` once closed and empty.
    pub(crate) fn take(&self, most: usize, batch: &mut Vec<Box<dyn Job>>) -> Option<()> {
        let mut waiting = self.lock();
        loop {
            if !waiting.jobs.is_empty() {
                let n = most.min(waiting.jobs.len());
                batch.extend(waiting.jobs.drain(..n));
                return Some(());
            }
            if waiting.closed {
                return None;
            }
            waiting = self
                .filled
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }
}
