//! Random sequences of commands against an independent model.
//!
//! `steps.rs` says what a sequence is made of, `reference.rs` is the model (plain maps, none of
//! the ledger's code), `run.rs` plays a sequence on a real book and compares everything. Proptest
//! shrinks a sequence that fails and prints the shortest.

mod reference;
mod run;
mod steps;

use crate::world::World;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use scrip_ledger::memory_without_floor;
use scrip_testkit::TestDb;
use std::sync::atomic::{AtomicU64, Ordering};
use steps::{Sequence, sequence};

/// So many cases, more when `PROPTEST_CASES` is set above its usual 256.
fn config(cases: u32) -> Config {
    Config {
        cases: Config::default().cases * cases / 256,
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..Config::default()
    }
}

/// Plays random sequences, each in a book of its own.
fn play(
    w: &mut World<'_>,
    runner: &mut TestRunner,
    strategy: &impl Strategy<Value = Sequence>,
) -> Result<(), TestError<Sequence>> {
    let books = AtomicU64::new(0);
    let w = std::cell::RefCell::new(w);
    runner.run(strategy, |sequence| {
        let slug = format!("book-{}", books.fetch_add(1, Ordering::Relaxed));
        run::play(&mut w.borrow_mut(), &slug, &sequence).map_err(TestCaseError::fail)
    })
}

/// Prints the shortest sequence that fails.
fn assert_agreed(outcome: Result<(), TestError<Sequence>>) {
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, shortest)) => panic!("{reason}\n{shortest}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// ARC-08, MIC-07: on PostgreSQL, whatever is done in whichever order, the ledger says and keeps
/// what the model does; value comes and goes only by issue, spending and expiry.
#[test]
fn sequences_agree_with_the_model_on_postgres() {
    let db = TestDb::postgres();
    let mut w = World::new(&db);
    let outcome = play(&mut w, &mut TestRunner::new(config(48)), &sequence(60));
    assert_agreed(outcome);
}

/// ARC-08, MIC-07: the same on SQLite, where half of the sequences wait together for one commit.
#[test]
fn sequences_agree_with_the_model_on_sqlite() {
    let db = TestDb::sqlite();
    let mut w = World::new(&db);
    let outcome = play(&mut w, &mut TestRunner::new(config(96)), &sequence(60));
    assert_agreed(outcome);
}

/// The comparison is worth something: without the floor it fails, and says so in a few steps.
#[test]
fn a_missing_floor_is_found_and_shrunk() {
    let db = TestDb::sqlite();
    let mut w = World::with(&db, |options| options.memory = memory_without_floor());
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config(256), rng);
    match play(&mut w, &mut runner, &sequence(60)) {
        Err(TestError::Fail(reason, shortest)) => {
            assert!(shortest.steps.len() <= 3, "{reason}: {shortest}");
        }
        other => panic!("it must be found: {other:?}"),
    }
}
