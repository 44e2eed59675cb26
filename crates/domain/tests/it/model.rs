//! Random commands against an independent model in plain maps. A failure prints the shortest
//! sequence of commands that still fails. `PROPTEST_CASES` sets how many sequences are tried.

mod drive;
mod shadow;

use crate::support::World;
use drive::Driver;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scrip_testkit::TestDb;
use std::cell::Cell;

both!(random_commands_agree_with_a_model);

/// A command; who, offer and order count round what there is.
#[derive(Clone, Debug)]
pub enum Command {
    Register,
    Buy {
        who: usize,
        tokens: i64,
        card: &'static str,
    },
    Resolve,
    TokenPrice {
        tenths: i64,
    },
    Give {
        who: usize,
        tokens: i64,
        restricted: bool,
        days: i64,
    },
    List {
        who: usize,
        offer: usize,
        quantity: i64,
    },
    Place {
        who: usize,
        lines: Vec<Line>,
        key: Option<u8>,
    },
    Refund {
        order: usize,
        lines: Vec<(i64, i64)>,
        restock: bool,
    },
    Price {
        offer: usize,
        price: i64,
    },
    Deliver {
        offer: usize,
        pieces: i64,
    },
    Close {
        who: usize,
    },
    /// The job that takes expired lots out.
    Expire,
    Step {
        seconds: i64,
    },
}

/// A line of an order.
#[derive(Clone, Debug)]
pub struct Line {
    pub offer: usize,
    pub quantity: i64,
    pub quoted: Quoted,
}

/// The price that the buyer says to have been shown.
#[derive(Clone, Debug)]
pub enum Quoted {
    Nothing,
    Today,
    BeforeTheLastChange,
}

fn line() -> impl Strategy<Value = Line> {
    let quoted = prop_oneof![
        3 => Just(Quoted::Nothing),
        2 => Just(Quoted::Today),
        1 => Just(Quoted::BeforeTheLastChange),
    ];
    let quantity = prop_oneof![9 => 1_i64..5, 1 => 0_i64..13];
    (0..drive::OFFERS, quantity, quoted).prop_map(|(offer, quantity, quoted)| Line {
        offer,
        quantity,
        quoted,
    })
}

fn command() -> impl Strategy<Value = Command> {
    let who = 0..4_usize;
    let cards = prop_oneof![
        5 => Just("test_ok"),
        1 => Just("test_declined"),
        2 => Just("test_timeout"),
        1 => Just("test_timeout_lost"),
        1 => Just("test_timeout_long"),
    ];
    let lines = prop::collection::vec(line(), 1..4);
    let key = prop::option::of(0..3_u8);
    let pieces = prop::collection::vec((0..4_i64, 0..4_i64), 0..3);
    let seconds = prop_oneof![1_i64..100, 10_000_i64..400_000];
    prop_oneof![
        2 => Just(Command::Register),
        6 => (who.clone(), 0..40_i64, cards)
            .prop_map(|(who, tokens, card)| Command::Buy { who, tokens, card }),
        1 => Just(Command::Resolve),
        1 => (1..30_i64).prop_map(|tenths| Command::TokenPrice { tenths }),
        4 => (who.clone(), 1..30_i64, any::<bool>(), 0..6_i64).prop_map(
            |(who, tokens, restricted, days)| Command::Give { who, tokens, restricted, days }
        ),
        2 => (who.clone(), 0..drive::OFFERS, 0..5_i64)
            .prop_map(|(who, offer, quantity)| Command::List { who, offer, quantity }),
        12 => (who.clone(), lines, key)
            .prop_map(|(who, lines, key)| Command::Place { who, lines, key }),
        5 => (0..8_usize, pieces, any::<bool>())
            .prop_map(|(order, lines, restock)| Command::Refund { order, lines, restock }),
        1 => (0..drive::OFFERS, 0..9_i64)
            .prop_map(|(offer, price)| Command::Price { offer, price }),
        1 => (0..drive::OFFERS, 1..9_i64)
            .prop_map(|(offer, pieces)| Command::Deliver { offer, pieces }),
        1 => who.prop_map(|who| Command::Close { who }),
        2 => Just(Command::Expire),
        3 => seconds.prop_map(|seconds| Command::Step { seconds }),
    ]
}

/// MIC-07, ARC-08: whatever is registered, bought, given, spent, refunded and repeated in
/// whatever order, states, tokens by grant, stock and orders are those of the model, and no value
/// comes or goes except by issue and spending.
fn random_commands_agree_with_a_model(db: &TestDb) {
    let world = World::new(db);
    let mut config = Config {
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 40;
    }
    let case = Cell::new(0);
    let commands = prop::collection::vec(command(), 1..60);
    let result = TestRunner::new(config).run(&commands, |commands| {
        case.set(case.get() + 1);
        let own = world.beside(&format!("case-{}", case.get()), "20");
        let mut driver = Driver::new(own);
        for command in &commands {
            driver.run(command);
        }
        driver.compare();
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
