//! The mall: members, values, acceptance, exchange, positions, clearing.

use crate::support::{World, completed, tokens, want};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use scrip_domain::customer::{State, customer_by_id};
use scrip_domain::exchange::{
    ExchangeError, ExchangeQuote, Exchanged, exchange_do, exchange_quote, exchangeable,
};
use scrip_domain::id::CustomerId;
use scrip_domain::mall::{
    Mall, MallError, Member, MemberState, Terms, acceptance_set, accepted_from, accepters_of,
    clearing_close, mall_create, mall_kept, member_bar_set, member_join, member_of,
    member_state_set, position, statement, terms_set, value_at, value_set, values,
};
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::verify::{Dues, Report, book_dues, dues_verify};
use scrip_ledger::{CURRENCY_SCALE, Origin, books, lots_available};
use scrip_testkit::TestDb;
use std::collections::BTreeMap;

both!(
    the_example_of_the_specification_comes_out_to_the_cent,
    tokens_pass_in_any_direction_and_among_any_number,
    what_stands_in_the_way_is_said_and_nothing_moves,
    a_quote_holds_its_rates_and_lapses,
    a_quote_is_used_once,
    free_tokens_do_not_leave_their_vendor,
    a_visitor_buys_without_registering,
    values_are_kept_with_their_history,
    acceptance_is_found_both_ways,
    positions_are_cleared_in_whole_cents,
    a_statement_has_a_line_for_each_event,
    random_exchanges_agree_with_a_model,
);

fn money(text: &str) -> Amount {
    Amount::parse(text, CURRENCY_SCALE).unwrap()
}

/// A mall with three members that take each other's tokens.
pub struct Riverside {
    pub mall: Mall,
    pub worlds: Vec<World>,
}

impl Riverside {
    pub fn new(db: &TestDb) -> Riverside {
        let first = World::with(db, "0.10", "0");
        let more = [first.beside("second", "0"), first.beside("third", "0")];
        let worlds: Vec<World> = [first].into_iter().chain(more).collect();
        let create = |tx: &mut scrip_engine::Tx<'_>| {
            mall_create(tx, Actor::System, "riverside", "Riverside", "GBP")
        };
        let mall = worlds[0].write(create).unwrap();
        for (world, value) in worlds.iter().zip(["0.10", "0.04", "0.03"]) {
            let (mall, vendor) = (mall.clone(), world.vendor.clone());
            world
                .write(move |tx| {
                    let member = member_join(tx, Actor::System, &mall, &vendor)?;
                    let now = tx.now();
                    value_set(tx, Actor::System, &member, money(value), now)
                })
                .unwrap();
        }
        let riverside = Riverside { mall, worlds };
        for acceptor in 0..3 {
            for issuer in (0..3).filter(|i| *i != acceptor) {
                riverside.accept(acceptor, issuer, true).unwrap();
            }
        }
        riverside
    }

    pub fn member(&self, place: usize) -> Member {
        let world = &self.worlds[place];
        let found = world.node.engine.read(|tx| member_of(tx, world.book()));
        found.unwrap().unwrap()
    }

    pub fn accept(&self, acceptor: usize, issuer: usize, takes: bool) -> Result<(), MallError> {
        let (acceptor, issuer) = (self.member(acceptor), self.member(issuer));
        self.worlds[0].write(move |tx| acceptance_set(tx, Actor::System, &acceptor, &issuer, takes))
    }

    pub fn stand(&self, place: usize, to: MemberState) {
        let member = self.member(place);
        self.worlds[0]
            .write(move |tx| member_state_set(tx, Actor::System, &member, to))
            .unwrap();
    }

    fn quote(
        &self,
        (from, customer): (usize, CustomerId),
        to: usize,
        given: Amount,
    ) -> Result<ExchangeQuote, ExchangeError> {
        let (vendor, target) = (self.worlds[from].vendor.clone(), self.worlds[to].book());
        self.worlds[from].write(move |tx| {
            let actor = Actor::Customer(customer);
            exchange_quote(tx, actor, &vendor, customer, target, given)
        })
    }

    fn take(&self, from: usize, quote: &ExchangeQuote) -> Result<Exchanged, ExchangeError> {
        let world = &self.worlds[from];
        let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
        let (customer, id) = (quote.customer_id, quote.exchange_id);
        world.write(move |tx| exchange_do(tx, &vault, Actor::Customer(customer), &vendor, id))
    }

    pub fn exchange(
        &self,
        from: (usize, CustomerId),
        to: usize,
        given: Amount,
    ) -> Result<Exchanged, ExchangeError> {
        let quote = self.quote(from, to, given)?;
        self.take(from.0, &quote)
    }

    pub fn position(&self, place: usize) -> Amount {
        let member = self.member(place);
        let engine = &self.worlds[0].node.engine;
        engine.read(|tx| position(tx, &member)).unwrap()
    }

    pub fn kept(&self) -> Amount {
        let engine = &self.worlds[0].node.engine;
        engine.read(|tx| mall_kept(tx, &self.mall)).unwrap()
    }

    /// What is due from one book is due to the other.
    pub fn dues_agree(&self) {
        let report = self.worlds[0].node.engine.read(|tx| {
            let (mut dues, mut report) = (Dues::new(), Report::default());
            for book in books(tx)? {
                book_dues(tx, book.book_id, &mut dues)?;
            }
            dues_verify(&dues, &mut report);
            Ok::<_, scrip_ledger::Error>(report)
        });
        assert_eq!(report.unwrap().findings, []);
    }
}

/// OPN-02, OPN-03, OPN-04, MSP-01: 100 A at 10 cents, charge 10 cents, B at 4 cents.
fn the_example_of_the_specification_comes_out_to_the_cent(db: &TestDb) {
    let mall = Riverside::new(db);
    let member = mall.member(0);
    let terms = Terms {
        charge_flat: money("0.10"),
        charge_ppm: 0,
        ..Terms::default()
    };
    mall.worlds[0]
        .write(move |tx| terms_set(tx, Actor::System, &member, &terms))
        .unwrap();
    let ana = mall.worlds[0].buyer(130);
    let done = mall.exchange((0, ana), 1, tokens(100)).unwrap();
    assert_eq!(done.quote.receives, Amount::parse("247.5", 6).unwrap());
    assert_eq!(done.quote.charge, money("0.10"));
    assert_eq!(done.left, tokens(30));
    assert_eq!(mall.worlds[0].balance(ana), tokens(30));
    assert_eq!(mall.worlds[1].balance(done.visitor), done.quote.receives);
    assert_eq!(mall.position(0), money("9.90"), "A owes what B issued");
    assert_eq!(mall.position(1), money("-9.90"));
    assert_eq!(mall.kept(), Amount::ZERO);
    mall.dues_agree();
}

/// OPN-01: A to B, B to A, A to C, and on from there.
fn tokens_pass_in_any_direction_and_among_any_number(db: &TestDb) {
    let mall = Riverside::new(db);
    let ana = mall.worlds[0].buyer(100);
    let at_b = mall.exchange((0, ana), 1, tokens(40)).unwrap();
    let back = mall.exchange((1, at_b.visitor), 0, tokens(10)).unwrap();
    let at_c = mall.exchange((0, ana), 2, tokens(30)).unwrap();
    let on = mall.exchange((2, at_c.visitor), 1, tokens(4)).unwrap();
    assert_eq!(mall.worlds[0].balance(ana), tokens(30));
    // One account at each vendor for each home account, found again.
    assert_eq!(
        mall.exchange((0, ana), 1, tokens(1)).unwrap().visitor,
        at_b.visitor
    );
    assert_ne!(back.visitor, ana);
    assert_eq!(mall.worlds[0].balance(back.visitor), tokens(4));
    assert_eq!(mall.worlds[1].balance(on.visitor), tokens(3));
    let sum = (0..3).map(|place| mall.position(place));
    assert_eq!(Amount::sum(sum).unwrap(), mall.kept());
    mall.dues_agree();
}

/// OPN-05, OPN-06, GOV-10, GOV-12: each barrier, also with a quote in hand; what customers hold
/// stays theirs.
fn what_stands_in_the_way_is_said_and_nothing_moves(db: &TestDb) {
    let mall = Riverside::new(db);
    let ana = mall.worlds[0].buyer(100);
    let quote = mall.quote((0, ana), 1, tokens(10)).unwrap();
    let refused = |what: &str| {
        for outcome in [
            mall.quote((0, ana), 1, tokens(10)).map(|_| ()),
            mall.take(0, &quote).map(|_| ()),
        ] {
            let text = outcome.unwrap_err().to_string();
            assert!(text.contains(what), "{text}");
        }
        assert_eq!(mall.worlds[0].balance(ana), tokens(100));
    };
    mall.accept(1, 0, false).unwrap();
    refused("takes no tokens of");
    mall.accept(1, 0, true).unwrap();
    for place in [0, 1] {
        mall.stand(place, MemberState::Suspended);
        refused("suspended");
        mall.stand(place, MemberState::Left);
        refused("has left");
        let (of, vendor) = (mall.mall.clone(), mall.worlds[place].vendor.clone());
        mall.worlds[0]
            .write(move |tx| member_join(tx, Actor::System, &of, &vendor))
            .unwrap();
    }
    let member = mall.member(0);
    mall.worlds[0]
        .write(move |tx| member_bar_set(tx, Actor::System, &member, true))
        .unwrap();
    refused("lets no tokens");
    // At home they pay as always.
    let offer = mall.worlds[0].offer("tea", 5);
    completed(mall.worlds[0].place(ana, &[want(offer, 1)]));
    let outside = mall.worlds[0].other_vendor("outside");
    let vendor = mall.worlds[0].vendor.clone();
    let none = mall.worlds[0].write(move |tx| {
        let actor = Actor::Customer(ana);
        exchange_quote(tx, actor, &vendor, ana, outside.book_id, tokens(1))
    });
    assert!(none.unwrap_err().to_string().contains("belongs to no mall"));
}

/// OPN-02: the rates are those of the quote, for as long as it holds.
fn a_quote_holds_its_rates_and_lapses(db: &TestDb) {
    let mall = Riverside::new(db);
    let ana = mall.worlds[0].buyer(100);
    let kept = mall.quote((0, ana), 1, tokens(10)).unwrap();
    let lapsing = mall.quote((0, ana), 1, tokens(10)).unwrap();
    let member = mall.member(1);
    mall.worlds[0]
        .write(move |tx| {
            let now = tx.now();
            value_set(tx, Actor::System, &member, money("0.08"), now)
        })
        .unwrap();
    mall.worlds[0].clock.advance_seconds(299);
    let done = mall.take(0, &kept).unwrap();
    assert_eq!(mall.worlds[1].balance(done.visitor), tokens(25));
    mall.worlds[0].clock.advance_seconds(1);
    assert!(matches!(mall.take(0, &lapsing), Err(ExchangeError::Lapsed)));
    let now = mall.quote((0, ana), 1, tokens(10)).unwrap();
    assert_eq!(now.receives, Amount::parse("12.5", 6).unwrap());
}

/// OPN-02: sixteen at once with one quote have one effect.
fn a_quote_is_used_once(db: &TestDb) {
    let mall = Riverside::new(db);
    let ana = mall.worlds[0].buyer(100);
    let quote = mall.quote((0, ana), 1, tokens(10)).unwrap();
    let done: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| mall.take(0, &quote).is_ok()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(done.iter().filter(|ok| **ok).count(), 1);
    assert!(matches!(mall.take(0, &quote), Err(ExchangeError::Done)));
    assert_eq!(mall.worlds[0].balance(ana), tokens(90));
    // Nobody else has it.
    let other = mall.worlds[0].buyer(10);
    let strange = ExchangeQuote {
        customer_id: other,
        ..quote
    };
    assert!(matches!(
        mall.take(0, &strange),
        Err(ExchangeError::Unknown)
    ));
}

/// GOV-15, GOV-11: of 60 paid and 40 free tokens 60 may leave.
fn free_tokens_do_not_leave_their_vendor(db: &TestDb) {
    let mall = Riverside::new(db);
    let home = &mall.worlds[0];
    let ana = home.buyer(60);
    home.give(ana, tokens(40), Origin::Free, None, Timestamp::NEVER);
    let vendor = home.vendor.clone();
    let can = home
        .node
        .engine
        .read(|tx| exchangeable(tx, Actor::Customer(ana), &vendor, ana));
    assert_eq!(can.unwrap(), tokens(60));
    let more = mall.quote((0, ana), 1, tokens(61)).unwrap_err();
    assert!(matches!(more, ExchangeError::Insufficient { .. }), "{more}");
    mall.exchange((0, ana), 1, tokens(60)).unwrap();
    assert_eq!(home.balance(ana), tokens(40));
}

/// OPN-24, OPN-06: the first purchase at B needs no registration, and B knows no personal data.
fn a_visitor_buys_without_registering(db: &TestDb) {
    let mall = Riverside::new(db);
    let ana = mall.worlds[0].buyer(100);
    let soon = mall.worlds[0].now().plus_seconds(3600);
    mall.worlds[0].give_paid(ana, tokens(10), money("1"), soon);
    let done = mall.exchange((0, ana), 1, tokens(20)).unwrap();
    let there = &mall.worlds[1];
    assert_eq!(there.state(done.visitor), State::Active);
    let wallet = there.customer(done.visitor).wallet;
    let lots = there
        .node
        .engine
        .read(|tx| lots_available(tx, there.book(), wallet));
    let expiries: Vec<Timestamp> = lots.unwrap().iter().map(|l| l.grant.expires_at).collect();
    assert_eq!(expiries, [soon, Timestamp::NEVER], "none lives longer");
    let offer = there.offer("tea", 50);
    completed(there.place(done.visitor, &[want(offer, 1)]));
    assert_eq!(there.balance(done.visitor), Amount::ZERO);
    let found = there
        .node
        .engine
        .read(|tx| customer_by_id(tx, there.book(), done.visitor));
    assert_eq!(found.unwrap().number, done.number);
    assert_eq!(
        there.number("SELECT COUNT(*) FROM person_data WHERE book_id = $1"),
        0
    );
}

/// GOV-01: the value of any past instant.
fn values_are_kept_with_their_history(db: &TestDb) {
    let mall = Riverside::new(db);
    let (member, clock) = (mall.member(0), &mall.worlds[0].clock);
    let before = mall.worlds[0].now();
    clock.advance_seconds(10);
    let set = |value: &'static str, at: Timestamp| {
        let member = member.clone();
        mall.worlds[0].write(move |tx| value_set(tx, Actor::System, &member, money(value), at))
    };
    let now = mall.worlds[0].now();
    set("0.20", now).unwrap();
    set("0.30", now.plus_seconds(100)).unwrap();
    assert!(matches!(set("0.40", before), Err(MallError::InPast)));
    assert!(matches!(set("0", now), Err(MallError::ValueInvalid)));
    assert!(matches!(set("-1", now), Err(MallError::ValueInvalid)));
    let at = |at| {
        mall.worlds[0]
            .node
            .engine
            .read(|tx| value_at(tx, &member, at))
            .unwrap()
    };
    assert_eq!(at(before), Some(money("0.10")));
    assert_eq!(at(now), Some(money("0.20")));
    assert_eq!(at(now.plus_seconds(99)), Some(money("0.20")));
    assert_eq!(at(now.plus_seconds(100)), Some(money("0.30")));
    assert_eq!(at(Timestamp(0)), None, "it was no member then");
    let all = mall.worlds[0]
        .node
        .engine
        .read(|tx| values(tx, &member))
        .unwrap();
    assert_eq!(all.len(), 3);
}

/// GOV-02: who takes whose, both ways.
fn acceptance_is_found_both_ways(db: &TestDb) {
    let mall = Riverside::new(db);
    mall.accept(1, 0, false).unwrap();
    let (a, b) = (mall.member(0), mall.member(1));
    let books: Vec<i64> = mall.worlds.iter().map(World::book).collect();
    let engine = &mall.worlds[0].node.engine;
    assert_eq!(engine.read(|tx| accepted_from(tx, &b)).unwrap(), [books[2]]);
    assert_eq!(engine.read(|tx| accepters_of(tx, &a)).unwrap(), [books[2]]);
    assert!(matches!(
        mall.accept(1, 1, true),
        Err(MallError::SameMember)
    ));
}

/// GOV-09, MIC-03: positions come to nothing over all parties; whole cents are paid and the rest
/// is carried; a second clearing has nothing new.
fn positions_are_cleared_in_whole_cents(db: &TestDb) {
    let mall = Riverside::new(db);
    let ana = mall.worlds[0].buyer(100);
    mall.exchange((0, ana), 2, Amount::parse("12.345678", 6).unwrap())
        .unwrap();
    let close = || {
        let of = mall.mall.clone();
        mall.worlds[0]
            .write(move |tx| clearing_close(tx, Actor::System, &of))
            .unwrap()
    };
    let first = close();
    let nets: Vec<Amount> = first.positions.iter().map(|(_, p)| p.net).collect();
    assert_eq!(nets[0], mall.position(0));
    assert_eq!(Amount::sum(nets).unwrap(), mall.kept());
    let (_, owing) = first.positions[0];
    assert_eq!(owing.net, money("1.2345678"));
    assert_eq!(
        (owing.paid, owing.carried),
        (money("1.23"), money("0.0045678"))
    );
    let second = close();
    assert_eq!(second.number, 2);
    assert_eq!(second.positions[0].1.net, owing.carried);
    assert_eq!(second.positions[0].1.paid, Amount::ZERO);
    mall.exchange((0, ana), 2, Amount::parse("0.1", 6).unwrap())
        .unwrap();
    let third = close();
    assert_eq!(third.positions[0].1.net, money("0.0145678"));
    assert_eq!(third.positions[0].1.paid, money("0.01"));
}

/// GOV-06: a line for each event, and the lines are what the journal says.
fn a_statement_has_a_line_for_each_event(db: &TestDb) {
    let mall = Riverside::new(db);
    let ana = mall.worlds[0].buyer(100);
    let begin = mall.worlds[0].now();
    for given in [3, 5, 7] {
        mall.exchange((0, ana), 2, tokens(given)).unwrap();
    }
    let member = mall.member(0);
    let ask = |from, to| {
        let engine = &mall.worlds[0].node.engine;
        engine.read(|tx| statement(tx, &member, from, to))
    };
    let open = ask(begin, begin.plus_seconds(60));
    assert!(matches!(open, Err(MallError::PeriodOpen)));
    mall.worlds[0].clock.advance_seconds(60);
    let lines = ask(begin, begin.plus_seconds(60)).unwrap();
    assert_eq!(lines.len(), 3);
    let owed = lines.iter().map(|l| l.money.owed);
    assert_eq!(Amount::sum(owed).unwrap(), mall.position(0));
    assert!(
        ask(begin.plus_seconds(60), begin.plus_seconds(60))
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        mall.worlds[0]
            .number("SELECT COUNT(*) FROM entry WHERE book_id = $1 AND code = 'exchange'"),
        3
    );
}

#[derive(Clone, Debug)]
enum Step {
    Exchange { from: usize, to: usize, given: i64 },
    Value { of: usize, value: i64 },
    Suspend { of: usize, is_off: bool },
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let exchange = (0_usize..3, 0_usize..3, 1_i64..30_000_000)
        .prop_map(|(from, to, given)| Step::Exchange { from, to, given });
    let value = (0_usize..3, 1_i64..20_000_000).prop_map(|(of, value)| Step::Value { of, value });
    let suspend = (0_usize..3, any::<bool>()).prop_map(|(of, is_off)| Step::Suspend { of, is_off });
    let step = prop_oneof![8 => exchange, 2 => value, 1 => suspend, 1 => Just(Step::Clear)];
    prop::collection::vec(step, 1..25)
}

/// MIC-07, OPN-04, GOV-09: over random exchanges, values and suspensions nothing is created or lost, and
/// every position is what an independent model says.
fn random_exchanges_agree_with_a_model(db: &TestDb) {
    let mall = Riverside::new(db);
    let customers: Vec<CustomerId> = mall.worlds.iter().map(|w| w.buyer(1_000)).collect();
    let mut values: Vec<i128> = vec![10_000_000, 4_000_000, 3_000_000];
    let mut off = [false; 3];
    let mut owes: BTreeMap<usize, i128> = BTreeMap::new();
    let mut kept: i128 = 0;
    let mut runner = TestRunner::new(Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = steps();
    for _ in 0..12 {
        let steps = strategy.new_tree(&mut runner).unwrap().current();
        for step in steps {
            match step {
                Step::Exchange { from, to, given } => {
                    let before = mall.worlds[from].balance(customers[from]);
                    let done =
                        mall.exchange((from, customers[from]), to, Amount::from_units(given));
                    let worth = i128::from(given) * values[from] / 1_000_000;
                    let receives = worth * 1_000_000 / values[to];
                    let possible = from != to
                        && !off[from]
                        && !off[to]
                        && i128::from(before.units()) >= i128::from(given)
                        && receives > 0;
                    assert_eq!(done.is_ok(), possible, "{step:?}: {done:?}");
                    if done.is_ok() {
                        let received = (receives * values[to] + 999_999) / 1_000_000;
                        *owes.entry(from).or_default() += worth;
                        *owes.entry(to).or_default() -= received;
                        kept += worth - received;
                    }
                }
                Step::Value { of, value } => {
                    let member = mall.member(of);
                    // Two values of one moment: the later word counts.
                    mall.worlds[0]
                        .write(move |tx| {
                            let (now, value) = (tx.now(), Amount::from_units(value));
                            value_set(tx, Actor::System, &member, value, now)
                        })
                        .unwrap();
                    values[of] = i128::from(value);
                }
                Step::Suspend { of, is_off } => {
                    let to = if is_off {
                        MemberState::Suspended
                    } else {
                        MemberState::Active
                    };
                    mall.stand(of, to);
                    off[of] = is_off;
                }
                Step::Clear => {
                    let of = mall.mall.clone();
                    mall.worlds[0]
                        .write(move |tx| clearing_close(tx, Actor::System, &of))
                        .unwrap();
                }
            }
            mall.worlds[0].clock.advance_seconds(1);
        }
    }
    for place in 0..3 {
        let expected = owes.get(&place).copied().unwrap_or_default();
        assert_eq!(i128::from(mall.position(place).units()), expected);
    }
    assert_eq!(i128::from(mall.kept().units()), kept);
    mall.dues_agree();
}
