//! The model: what a book should do, in plain maps.

use super::steps::{Pick, Step, WALLETS};
use std::collections::BTreeMap;

/// An account of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Wallet(usize),
    Held(usize),
    Issued,
    Spent,
    Expired,
}

impl Place {
    fn has_floor(self) -> bool {
        matches!(self, Place::Wallet(_) | Place::Held(_))
    }
}

/// A movement: from, to, grant, amount.
pub type Movement = (Place, Place, usize, i64);

#[derive(Clone, Debug)]
struct Entry {
    movements: Vec<Movement>,
    reversed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    Posted,
    Released,
    Expired,
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub wallet: usize,
    pub pieces: Vec<Pick>,
    pub expires_s: i64,
    pub state: State,
    pub posted: i64,
}

impl Hold {
    pub fn amount(&self) -> i64 {
        self.pieces.iter().map(|p| p.1).sum()
    }
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub now_s: i64,
    /// When each grant expires.
    pub grants: Vec<i64>,
    /// What accounts have of each grant; summed ones may be below zero.
    pub lots: BTreeMap<(Place, usize), i64>,
    pub holds: Vec<Hold>,
    /// (change, balance after) of each wallet, oldest first.
    pub histories: [Vec<(i64, i64)>; WALLETS],
    entries: Vec<Entry>,
}

/// What became of a step: the name of the error where it was refused.
pub type Outcome = Result<(), &'static str>;

impl Model {
    pub fn new(now_s: i64) -> Self {
        Model {
            now_s,
            ..Model::default()
        }
    }

    pub fn balance(&self, place: Place) -> i64 {
        let own = self.lots.iter().filter(|((p, _), _)| *p == place);
        own.map(|(_, amount)| amount).sum()
    }

    /// (grant, remaining) of an account, without empty ones.
    pub fn lots_of(&self, place: Place) -> Vec<(usize, i64)> {
        let own = self
            .lots
            .iter()
            .filter(|((p, _), n)| *p == place && **n != 0);
        own.map(|((_, grant), n)| (*grant, *n)).collect()
    }

    fn post(&mut self, movements: Vec<Movement>) -> Outcome {
        let mut after = self.clone();
        for (from, to, grant, amount) in &movements {
            if *amount <= 0 {
                return Err("NotPositive");
            }
            if from == to {
                return Err("SameAccount");
            }
            if from.has_floor() {
                if after.balance(*from) < *amount {
                    return Err("Insufficient");
                }
                if after.lots.get(&(*from, *grant)).copied().unwrap_or(0) < *amount {
                    return Err("LotInsufficient");
                }
            }
            for (place, change) in [(*from, -amount), (*to, *amount)] {
                *after.lots.entry((place, *grant)).or_default() += change;
                if let Place::Wallet(n) = place {
                    let balance = after.balance(place);
                    after.histories[n].push((change, balance));
                }
            }
        }
        after.entries.push(Entry {
            movements,
            reversed: false,
        });
        *self = after;
        Ok(())
    }

    fn movements(&self, from: Place, to: Place, picks: &[Pick]) -> Vec<Movement> {
        let grants = self.grants.len();
        let named = picks.iter().map(|(g, n)| (from, to, g % grants, *n));
        named.collect()
    }

    fn close(&mut self, hold: usize, state: State, posted: i64) -> Outcome {
        if state == State::Posted && posted <= 0 {
            return Err("NotPositive");
        }
        let found = self.holds[hold].clone();
        if found.state != State::Open {
            return Err("HoldClosed");
        }
        if state == State::Expired && found.expires_s > self.now_s {
            return Err("HoldNotDue");
        }
        if posted > found.amount() {
            return Err("HoldTooSmall");
        }
        let (held, wallet) = (Place::Held(found.wallet), Place::Wallet(found.wallet));
        let mut open = posted;
        let mut movements = Vec::new();
        for (grant, amount) in &found.pieces {
            let spent = open.min(*amount);
            open -= spent;
            for (to, amount) in [(Place::Spent, spent), (wallet, amount - spent)] {
                if amount > 0 {
                    movements.push((held, to, *grant, amount));
                }
            }
        }
        self.post(movements)?;
        self.holds[hold].state = state;
        self.holds[hold].posted = posted;
        Ok(())
    }

    fn reverse(&mut self, entry: usize) -> Outcome {
        let found = self.entries[entry].clone();
        if found.reversed {
            return Err("AlreadyReversed");
        }
        let is_held = |p: &Place| matches!(p, Place::Held(_));
        if found
            .movements
            .iter()
            .any(|(a, b, ..)| is_held(a) || is_held(b))
        {
            return Err("HeldAccount");
        }
        let back = found.movements.iter().rev();
        self.post(back.map(|(a, b, g, n)| (*b, *a, *g, *n)).collect())?;
        self.entries[entry].reversed = true;
        Ok(())
    }

    /// What a step refers to, where there is none, makes it do nothing.
    pub fn can(&self, step: &Step) -> bool {
        match step {
            Step::Spend { .. } | Step::Move { .. } | Step::Fail { .. } | Step::Hold { .. } => {
                !self.grants.is_empty()
            }
            Step::Post { .. } | Step::Release { .. } | Step::ExpireHold { .. } => {
                !self.holds.is_empty()
            }
            Step::Reverse { .. } => !self.entries.is_empty(),
            Step::ExpireLots { wallet } => !self.expired_lots(*wallet).is_empty(),
            _ => true,
        }
    }

    fn expired_lots(&self, wallet: usize) -> Vec<(usize, i64)> {
        let lots = self.lots_of(Place::Wallet(wallet)).into_iter();
        lots.filter(|(grant, _)| self.grants[*grant] <= self.now_s)
            .collect()
    }

    /// Does a step that it can do.
    pub fn apply(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Issue {
                wallet,
                amount,
                lives_seconds,
            } => {
                if *amount <= 0 {
                    return Err("NotPositive");
                }
                self.grants.push(self.now_s + lives_seconds);
                let grant = self.grants.len() - 1;
                let to = Place::Wallet(*wallet);
                self.post(vec![(Place::Issued, to, grant, *amount)])
            }
            Step::Spend { wallet, picks } => {
                self.post(self.movements(Place::Wallet(*wallet), Place::Spent, picks))
            }
            Step::Move { from, to, picks } => {
                self.post(self.movements(Place::Wallet(*from), Place::Wallet(*to), picks))
            }
            Step::Fail { .. } => Err("HoldUnknown"),
            Step::Hold {
                wallet,
                picks,
                lives_seconds,
            } => {
                let (from, to) = (Place::Wallet(*wallet), Place::Held(*wallet));
                let movements = self.movements(from, to, picks);
                let pieces = movements.iter().map(|m| (m.2, m.3)).collect();
                self.post(movements)?;
                self.holds.push(Hold {
                    wallet: *wallet,
                    pieces,
                    expires_s: self.now_s + lives_seconds,
                    state: State::Open,
                    posted: 0,
                });
                Ok(())
            }
            Step::Post { hold, amount } => {
                self.close(hold % self.holds.len(), State::Posted, *amount)
            }
            Step::Release { hold } => self.close(hold % self.holds.len(), State::Released, 0),
            Step::ExpireHold { hold } => self.close(hold % self.holds.len(), State::Expired, 0),
            Step::ExpireLots { wallet } => {
                let lots = self.expired_lots(*wallet).into_iter();
                let from = Place::Wallet(*wallet);
                self.post(lots.map(|(g, n)| (from, Place::Expired, g, n)).collect())
            }
            Step::Reverse { entry } => self.reverse(entry % self.entries.len()),
            Step::Seal { .. } | Step::Reopen => Ok(()),
            Step::Advance { seconds } => {
                self.now_s += seconds;
                Ok(())
            }
        }
    }
}
