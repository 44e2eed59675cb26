//! Wrong guesses at PINs, passwords, codes and answers, by where they come from (SHP-03).
//!
//! The lock of an account keeps one account safe. This keeps a node in service while guesses come
//! by the million, spread over accounts: it refuses before a secret is compared, which is what
//! costs. Only wrong guesses count: what was right is given back.
//!
//! An address (of IPv6, the first half: a home has that much) has [`ADDRESS`]. While a vendor has
//! more wrong guesses than [`VENDOR`], addresses that guessed wrong lately have [`STRAINED`] only;
//! who did not guess wrong is served as ever, so nobody can lock the others out. Programs of a
//! vendor guess for its customers: a key has [`PROGRAM`], unless it says for whom it asks.
//!
//! What is kept has one size, whatever comes: where a place is needed, whoever may guess soonest
//! is forgotten.

use super::client::Client;
use crate::api::auth::Caller;
use crate::error::{Problem, Result};
use crate::state::App;
use axum::http::StatusCode;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many wrong guesses at once, and one more after each span.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    at_once: i64,
    again_ms: i64,
}

const ADDRESS: Allowance = Allowance {
    at_once: 20,
    again_ms: 30_000,
};
const STRAINED: Allowance = Allowance {
    at_once: 3,
    ..ADDRESS
};
const PROGRAM: Allowance = Allowance {
    at_once: 600,
    again_ms: 100,
};
const VENDOR: Allowance = Allowance {
    at_once: 300,
    again_ms: 1_000,
};

/// Places: 65,536 of 16 bytes, a megabyte.
const SETS: usize = 16_384;
const WAYS: usize = 4;

/// One who guessed wrong. `free_ms` is when all of it is forgotten: each wrong guess moves it on.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    name: u64,
    free_ms: i64,
}

/// Who guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guesser {
    /// Whoever is at this address.
    Address(IpAddr),
    /// A program with this key.
    Program(uuid::Uuid),
}

impl Guesser {
    /// Addresses of one home are one.
    fn home(self) -> Guesser {
        match self {
            Guesser::Address(IpAddr::V6(address)) => {
                let half = address.to_bits() >> 64 << 64;
                Guesser::Address(IpAddr::V6(half.into()))
            }
            other => other,
        }
    }
}

/// What all handlers count with.
#[derive(Debug)]
pub struct Guesses {
    hasher: RandomState,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    cells: Vec<Cell>,
    /// By book: vendors are few, and not made by those who guess.
    vendors: HashMap<i64, i64>,
}

impl Default for Guesses {
    fn default() -> Self {
        Guesses {
            hasher: RandomState::new(),
            kept: Mutex::new(Kept {
                cells: vec![Cell::default(); SETS * WAYS],
                vendors: HashMap::new(),
            }),
        }
    }
}

/// When everything is forgotten after one wrong guess more; or how long to wait before it.
fn one_more(free_ms: i64, now_ms: i64, allowance: Allowance) -> std::result::Result<i64, i64> {
    let begun = free_ms.max(now_ms);
    let next = begun.saturating_add(allowance.again_ms);
    let most = now_ms.saturating_add(allowance.again_ms.saturating_mul(allowance.at_once));
    if next > most {
        return Err(next.saturating_sub(most));
    }
    Ok(next)
}

impl Kept {
    /// The place of a name in its set: its own, or that of whoever may guess soonest.
    fn place(&mut self, name: u64) -> Option<&mut Cell> {
        let sets = u64::try_from(SETS).unwrap_or(1);
        let set = usize::try_from(name % sets).unwrap_or(0);
        let ways = self.cells.get_mut(set * WAYS..(set + 1) * WAYS)?;
        let own = ways.iter().position(|cell| cell.name == name);
        let soonest = ways.iter().enumerate().min_by_key(|(_, cell)| cell.free_ms);
        let at = own.or(soonest.map(|(at, _)| at))?;
        let cell = ways.get_mut(at)?;
        if cell.name != name {
            *cell = Cell { name, free_ms: 0 };
        }
        Some(cell)
    }
}

impl Guesses {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a guess, before it is known whether it is right; or tells how many milliseconds to
    /// wait.
    fn begin(&self, now_ms: i64, book: i64, who: Guesser) -> std::result::Result<(), i64> {
        let name = self.hasher.hash_one(who.home());
        let mut kept = self.lock();
        let at_vendor = kept.vendors.get(&book).copied().unwrap_or(0);
        let vendor = one_more(at_vendor, now_ms, VENDOR);
        let Some(cell) = kept.place(name) else {
            return Ok(());
        };
        let allowance = match who {
            Guesser::Program(_) => PROGRAM,
            Guesser::Address(_) if vendor.is_err() && cell.free_ms > now_ms => STRAINED,
            Guesser::Address(_) => ADDRESS,
        };
        cell.free_ms = one_more(cell.free_ms, now_ms, allowance)?;
        if let Ok(free_ms) = vendor {
            kept.vendors.insert(book, free_ms);
        }
        Ok(())
    }

    /// Gives a guess back that was right.
    fn give_back(&self, book: i64, who: Guesser) {
        let name = self.hasher.hash_one(who.home());
        let mut kept = self.lock();
        if let Some(free_ms) = kept.vendors.get_mut(&book) {
            *free_ms = free_ms.saturating_sub(VENDOR.again_ms);
        }
        let again_ms = match who {
            Guesser::Program(_) => PROGRAM.again_ms,
            Guesser::Address(_) => ADDRESS.again_ms,
        };
        if let Some(cell) = kept.place(name) {
            cell.free_ms = cell.free_ms.saturating_sub(again_ms);
        }
    }
}

/// A guess that was counted.
#[must_use]
pub struct Guess {
    app: App,
    book: i64,
    who: Guesser,
}

impl Guess {
    /// It was right: it counts no more.
    pub fn right(self) {
        self.app.guesses.give_back(self.book, self.who);
    }
}

/// Counts a guess of whoever is at an address; refused before anything is compared when it guessed
/// wrong too often.
pub fn guess(app: &App, book: i64, client: Client) -> Result<Guess> {
    guess_at(app, book, client.0)
}

/// The same for an address that a program of the vendor names.
pub fn guess_at(app: &App, book: i64, address: IpAddr) -> Result<Guess> {
    counted(app, book, Guesser::Address(address.to_canonical()))
}

/// The same for a program of the vendor that names none.
pub fn guess_by(app: &App, caller: &Caller) -> Result<Guess> {
    counted(app, caller.book(), Guesser::Program(caller.key.key_id.0))
}

fn counted(app: &App, book: i64, who: Guesser) -> Result<Guess> {
    let now_ms = app.node.engine.now().0 / 1_000;
    match app.guesses.begin(now_ms, book, who) {
        Ok(()) => Ok(Guess {
            app: app.clone(),
            book,
            who,
        }),
        Err(wait_ms) => {
            app.metrics.guess_refused();
            let seconds = u32::try_from(wait_ms / 1_000 + 1).unwrap_or(u32::MAX);
            let wait = match seconds {
                1 => "a second".to_owned(),
                seconds => format!("{seconds} seconds"),
            };
            Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                format!(
                    "too many wrong tries came from where you are, so nothing was compared: try \
                     again in {wait}"
                ),
            )
            .retry_after(seconds))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS, Guesser, Guesses, PROGRAM, SETS, STRAINED, VENDOR, WAYS};
    use std::net::IpAddr;

    const NOW: i64 = 1_700_000_000_000;

    fn at(address: &str) -> Guesser {
        Guesser::Address(address.parse::<IpAddr>().unwrap())
    }

    fn numbered(n: u32) -> Guesser {
        Guesser::Address(IpAddr::V4((0x0b00_0000 + n).into()))
    }

    /// Wrong guesses until one is refused, with the wait.
    fn until_refused(guesses: &Guesses, now: i64, who: Guesser) -> (i64, i64) {
        let mut taken = 0;
        loop {
            match guesses.begin(now, 1, who) {
                Ok(()) => taken += 1,
                Err(wait_ms) => return (taken, wait_ms),
            }
        }
    }

    /// SHP-03: an address guesses wrong so often, then once in a while; others are not held back.
    #[test]
    fn an_address_has_so_many_wrong_guesses() {
        let guesses = Guesses::default();
        let (taken, wait_ms) = until_refused(&guesses, NOW, at("203.0.113.5"));
        assert_eq!((taken, wait_ms), (ADDRESS.at_once, ADDRESS.again_ms));
        assert_eq!(guesses.begin(NOW, 1, at("203.0.113.6")), Ok(()));
        let later = NOW + wait_ms;
        assert_eq!(until_refused(&guesses, later, at("203.0.113.5")).0, 1);
        // What is right costs nothing, however often.
        for _ in 0..1_000 {
            guesses.begin(NOW, 1, at("203.0.113.7")).unwrap();
            guesses.give_back(1, at("203.0.113.7"));
        }
        let program = Guesser::Program(uuid::Uuid::nil());
        assert_eq!(until_refused(&guesses, NOW, program).0, PROGRAM.at_once);
    }

    /// A home of IPv6 has more addresses than anybody can count.
    #[test]
    fn the_first_half_of_ipv6_is_one_address() {
        let guesses = Guesses::default();
        let mut taken = 0;
        for n in 0..100 {
            let who = at(&format!("2001:db8:1:2::{n:x}"));
            taken += i64::from(guesses.begin(NOW, 1, who).is_ok());
        }
        assert_eq!(taken, ADDRESS.at_once);
        assert_eq!(guesses.begin(NOW, 1, at("2001:db8:1:3::1")), Ok(()));
    }

    /// SHP-03: a million wrong guesses from a million addresses take no more room than the first,
    /// and who did not guess wrong is served.
    #[test]
    fn a_million_wrong_guesses_leave_others_in_service() {
        let guesses = Guesses::default();
        for n in 0..1_000_000 {
            let _ = guesses.begin(NOW, 1, numbered(n));
        }
        let kept = guesses.lock();
        assert_eq!(kept.cells.len(), SETS * WAYS);
        assert_eq!(kept.cells.capacity(), SETS * WAYS);
        assert_eq!(kept.vendors.len(), 1);
        drop(kept);
        // The vendor is strained by now: who guesses wrong has less, but nobody has nothing.
        let clean = at("2001:db8::1");
        assert_eq!(until_refused(&guesses, NOW, clean).0, STRAINED.at_once);
        assert_eq!(guesses.begin(NOW, 2, at("198.51.100.9")), Ok(()));
        let after = NOW + VENDOR.again_ms * VENDOR.at_once;
        let other = at("198.51.100.10");
        assert_eq!(until_refused(&guesses, after, other).0, ADDRESS.at_once);
    }
}
