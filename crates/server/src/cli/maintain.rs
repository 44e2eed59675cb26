//! `scrip maintain`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::Args;
use scrip_domain::command::answers_expire;
use scrip_engine::{Engine, Error as EngineError};
use scrip_ledger::{Error as LedgerError, books, hold_expire, holds_due, seal_next};
use serde_json::json;

/// Does what waits: seals and rolls up new entries, gives holds back whose time is over, forgets
/// stored answers whose time is over. Run it by a timer; running it twice does no harm.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct Maintain {
    #[command(flatten)]
    database: Database,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Entries, holds or answers in one transaction.
const AT_ONCE: i64 = 10_000;

#[derive(Clone, Copy, Debug, Default)]
struct Done {
    sealed: i64,
    holds: usize,
    answers: u64,
}

impl Maintain {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let all = node.engine.read(|tx| books(tx))?;
        let mut done = Done::default();
        for book in &all {
            done.sealed += seal(&node.engine, book.book_id)?;
            done.holds += expire_holds(&node.engine, book.book_id)?;
            done.answers += expire_answers(&node.engine, book.book_id)?;
        }
        if self.json {
            return say_json(&json!({
                "books": all.len(), "entries_sealed": done.sealed,
                "holds_expired": done.holds, "answers_forgotten": done.answers,
            }));
        }
        say(&format!(
            "{} books: {} entries sealed, {} holds given back, {} stored answers forgotten",
            all.len(),
            done.sealed,
            done.holds,
            done.answers
        ))
    }
}

fn seal(engine: &Engine, book: i64) -> Result<i64, LedgerError> {
    let mut entries = 0;
    while let Some(sealed) = engine.write(move |tx| seal_next(tx, book, AT_ONCE))? {
        entries += sealed.entries;
    }
    Ok(entries)
}

fn expire_holds(engine: &Engine, book: i64) -> Result<usize, LedgerError> {
    let due = engine.read(|tx| holds_due(tx, book, AT_ONCE))?;
    let mut expired = 0;
    for hold in due {
        let outcome = engine.write(move |tx| {
            let event_id = tx.new_id()?;
            hold_expire(tx, book, hold, event_id)
        });
        match outcome {
            Ok(_) => expired += 1,
            // Posted or released since it was looked for.
            Err(LedgerError::HoldClosed { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(expired)
}

fn expire_answers(engine: &Engine, book: i64) -> Result<u64, EngineError> {
    engine.write(move |tx| answers_expire(tx, book))
}
