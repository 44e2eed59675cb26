//! What a sequence is made of. Accounts, grants, holds and entries are named by their place among
//! those that there are, so that a shorter sequence still means something.

use proptest::prelude::*;
use std::fmt;

pub const WALLETS: usize = 3;

/// (grant, amount)
pub type Pick = (usize, i64);

#[derive(Clone, Debug)]
pub enum Step {
    Issue {
        wallet: usize,
        amount: i64,
        lives_seconds: i64,
    },
    Spend {
        wallet: usize,
        picks: Vec<Pick>,
    },
    Move {
        from: usize,
        to: usize,
        picks: Vec<Pick>,
    },
    /// Moves and spends, then fails on purpose.
    Fail {
        wallet: usize,
        picks: Vec<Pick>,
    },
    Hold {
        wallet: usize,
        picks: Vec<Pick>,
        lives_seconds: i64,
    },
    Post {
        hold: usize,
        amount: i64,
    },
    Release {
        hold: usize,
    },
    ExpireHold {
        hold: usize,
    },
    /// What is left of expired grants leaves the wallet.
    ExpireLots {
        wallet: usize,
    },
    Reverse {
        entry: usize,
    },
    Seal {
        limit: i64,
    },
    Advance {
        seconds: i64,
    },
    Reopen,
}

#[derive(Clone, Debug)]
pub struct Sequence {
    /// All steps up to the next `Reopen` wait together.
    pub together: bool,
    pub steps: Vec<Step>,
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.together {
            "together"
        } else {
            "one by one"
        };
        writeln!(f, "{} steps, {how}:", self.steps.len())?;
        self.steps
            .iter()
            .try_for_each(|step| writeln!(f, "  {step:?}"))
    }
}

fn picks() -> impl Strategy<Value = Vec<Pick>> {
    prop::collection::vec((0..12_usize, 0..60_i64), 1..=3)
}

fn step() -> impl Strategy<Value = Step> {
    let wallet = || 0..WALLETS;
    let hold = || 0..8_usize;
    prop_oneof![
        5 => (wallet(), 0..150_i64, 1..200_i64).prop_map(|(wallet, amount, lives_seconds)| {
            Step::Issue { wallet, amount, lives_seconds }
        }),
        6 => (wallet(), picks()).prop_map(|(wallet, picks)| Step::Spend { wallet, picks }),
        4 => (wallet(), wallet(), picks())
            .prop_map(|(from, to, picks)| Step::Move { from, to, picks }),
        2 => (wallet(), picks()).prop_map(|(wallet, picks)| Step::Fail { wallet, picks }),
        5 => (wallet(), picks(), 0..100_i64).prop_map(|(wallet, picks, lives_seconds)| {
            Step::Hold { wallet, picks, lives_seconds }
        }),
        3 => (hold(), 0..60_i64).prop_map(|(hold, amount)| Step::Post { hold, amount }),
        2 => hold().prop_map(|hold| Step::Release { hold }),
        2 => hold().prop_map(|hold| Step::ExpireHold { hold }),
        2 => wallet().prop_map(|wallet| Step::ExpireLots { wallet }),
        4 => (0..40_usize).prop_map(|entry| Step::Reverse { entry }),
        3 => (0..6_i64).prop_map(|limit| Step::Seal { limit }),
        3 => (1..80_i64).prop_map(|seconds| Step::Advance { seconds }),
        1 => Just(Step::Reopen),
    ]
}

/// Sequences of up to `most` steps.
pub fn sequence(most: usize) -> impl Strategy<Value = Sequence> {
    (any::<bool>(), prop::collection::vec(step(), 1..=most))
        .prop_map(|(together, steps)| Sequence { together, steps })
}
