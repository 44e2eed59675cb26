//! `scrip maintain`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use crate::jobs::{
    expire_answers, expire_attempts, expire_holds, expire_lots, expire_malls, expire_registrations,
    expire_sessions, roll_up, seal,
};
use clap::Args;
use scrip_domain::vendor::vendors;
use scrip_ledger::books;
use serde_json::json;

/// Does what waits: seals and rolls up new entries, gives holds back whose time is over, takes
/// expired tokens out of accounts, forgets stored answers, sessions, registrations and attempts to
/// sign in whose time is over. Run it by a
/// timer; running it twice does no harm.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct Maintain {
    #[command(flatten)]
    database: Database,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Entries in one transaction.
const AT_ONCE: i64 = 10_000;

#[derive(Clone, Copy, Debug, Default)]
struct Done {
    sealed: i64,
    holds: usize,
    lots: usize,
    answers: u64,
}

impl Maintain {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let all = node.engine.read(|tx| books(tx))?;
        let mut done = Done::default();
        for book in &all {
            done.holds += expire_holds(&node.engine, book.book_id)?;
            done.answers += expire_answers(&node.engine, book.book_id)?;
            expire_attempts(&node.engine, book.book_id)?;
            expire_registrations(&node.engine, book.book_id)?;
        }
        let vendors = node.engine.read(|tx| vendors(tx))?;
        for vendor in &vendors {
            done.lots += expire_lots(&node.engine, vendor)?.lots;
        }
        done.lots += expire_malls(&node.engine)?.lots;
        for book in &all {
            done.sealed += seal(&node.engine, book.book_id, AT_ONCE)?;
        }
        for vendor in &vendors {
            roll_up(&node.engine, vendor)?;
        }
        expire_sessions(&node.engine)?;
        if self.json {
            return say_json(&json!({
                "books": all.len(), "entries_sealed": done.sealed,
                "holds_expired": done.holds, "lots_expired": done.lots,
                "answers_forgotten": done.answers,
            }));
        }
        say(&format!(
            "{} books: {} entries sealed, {} holds given back, {} lots expired, \
             {} stored answers forgotten",
            all.len(),
            done.sealed,
            done.holds,
            done.lots,
            done.answers
        ))
    }
}
