//! Tokens bought by themselves with a kept card: by a limit or by days, a fixed number or up to a
//! target; once a round, and no more after too many declines.

use crate::support::{DAY_S, World, tokens};
use scrip_domain::Actor;
use scrip_domain::card::{Looks, card_keep, card_remove, method_withdrawn};
use scrip_domain::id::{CardId, CustomerId};
use scrip_domain::token_sale::{LOOK_UP_AFTER_S, token_orders_resolve};
use scrip_domain::top_up::{
    HowMany, LOOK_EVERY_S, TopUp, TopUpError, Wanted, When, card_gone, top_up_of, top_up_off,
    top_up_set, top_ups_run,
};
use scrip_testkit::TestDb;

both!(
    tokens_are_bought_below_the_limit,
    tokens_are_bought_every_so_many_days,
    declines_stop_a_rule_and_say_why,
    a_round_without_an_answer_is_not_repeated,
    a_rule_without_its_card_stops,
    rules_that_cannot_be_are_refused,
    eight_rounds_at_once_buy_once,
);

fn keep(world: &World, id: CustomerId, method: &'static str) -> CardId {
    let customer = world.customer(id);
    let looks = Looks {
        brand: "Test card".to_owned(),
        last_four: "0001".to_owned(),
        expiry_year: 2099,
        expiry_month: 12,
    };
    world
        .node
        .engine
        .write(move |tx| card_keep(tx, Actor::Customer(id), &customer, method, &looks))
        .unwrap()
}

fn set(world: &World, id: CustomerId, wanted: Wanted) -> Result<(), TopUpError> {
    let (vendor, customer) = (world.vendor.clone(), world.customer(id));
    world
        .node
        .engine
        .write(move |tx| top_up_set(tx, Actor::Customer(id), &vendor, &customer, &wanted))
}

fn rule(world: &World, id: CustomerId) -> TopUp {
    let customer = world.customer(id);
    let engine = &world.node.engine;
    let found = engine.read(|tx| top_up_of(tx, Actor::Customer(id), &customer));
    found.unwrap().unwrap()
}

fn run(world: &World) -> usize {
    top_ups_run(&world.node, world.cards.as_ref(), &world.vendor).unwrap()
}

fn after(world: &World, seconds: i64) -> usize {
    world.clock.advance_seconds(seconds);
    run(world)
}

fn wanted(card: CardId, when: When, how_many: HowMany) -> Wanted {
    Wanted {
        card,
        when,
        how_many,
    }
}

fn failures(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM outbox WHERE book_id = $1 AND topic = 'top_up.failed'")
}

/// TOK-08: below the limit the target is reached again, in a fixed number or exactly; above it
/// nothing is bought, however often it is looked at.
fn tokens_are_bought_below_the_limit(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(60);
    let card = keep(&world, id, "test_ok");
    let below = When::Below(tokens(60));
    set(&world, id, wanted(card, below, HowMany::UpTo(tokens(100)))).unwrap();
    assert_eq!(
        (run(&world), world.balance(id)),
        (0, tokens(60)),
        "not below"
    );
    let below = When::Below(tokens(61));
    set(&world, id, wanted(card, below, HowMany::UpTo(tokens(100)))).unwrap();
    assert_eq!((run(&world), run(&world)), (1, 0));
    assert_eq!(world.balance(id), tokens(100));
    for _ in 0..3 {
        assert_eq!(after(&world, LOOK_EVERY_S), 0);
    }
    let below = When::Below(tokens(150));
    set(&world, id, wanted(card, below, HowMany::Fixed(tokens(30)))).unwrap();
    assert_eq!((run(&world), world.balance(id)), (1, tokens(130)));
    assert_eq!(after(&world, LOOK_EVERY_S - 1), 0, "not so soon");
    assert_eq!((after(&world, 1), world.balance(id)), (1, tokens(160)));
    assert_eq!(after(&world, LOOK_EVERY_S), 0);
    let customer = world.customer(id);
    let engine = &world.node.engine;
    engine
        .write(move |tx| top_up_off(tx, Actor::Customer(id), &customer))
        .unwrap();
    assert_eq!(after(&world, 10 * DAY_S), 0);
    assert_eq!(failures(&world), 0);
}

/// TOK-08: by days, whatever is there; with a target only what is missing.
fn tokens_are_bought_every_so_many_days(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(60);
    let card = keep(&world, id, "test_ok");
    let every = When::EveryDays(7);
    set(&world, id, wanted(card, every, HowMany::Fixed(tokens(10)))).unwrap();
    assert_eq!(run(&world), 0, "the first one comes after a week");
    assert_eq!(after(&world, 7 * DAY_S - 1), 0);
    assert_eq!((after(&world, 1), run(&world)), (1, 0));
    assert_eq!(after(&world, 6 * DAY_S), 0);
    // The node stood still for three weeks: what was missed is not bought in a heap.
    assert_eq!((after(&world, 21 * DAY_S), run(&world)), (1, 0));
    assert_eq!(world.balance(id), tokens(80));
    set(&world, id, wanted(card, every, HowMany::UpTo(tokens(80)))).unwrap();
    assert_eq!(after(&world, 7 * DAY_S), 0, "nothing is missing");
    set(&world, id, wanted(card, every, HowMany::UpTo(tokens(81)))).unwrap();
    assert_eq!(
        (after(&world, 7 * DAY_S), world.balance(id)),
        (1, tokens(81))
    );
}

/// TOK-09, REG-09: the third decline in a row stops the rule; it says why, and tells it once.
fn declines_stop_a_rule_and_say_why(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(60);
    let card = keep(&world, id, "test_declined");
    let below = When::Below(tokens(100));
    set(&world, id, wanted(card, below, HowMany::Fixed(tokens(50)))).unwrap();
    assert_eq!(
        (run(&world), after(&world, DAY_S - 1), after(&world, 1)),
        (1, 0, 1)
    );
    assert_eq!(rule(&world, id).stopped, None);
    assert_eq!((after(&world, DAY_S), failures(&world)), (1, 1));
    let why = rule(&world, id).stopped.unwrap();
    assert!(why.contains("declined"), "{why}");
    assert_eq!((after(&world, 30 * DAY_S), failures(&world)), (0, 1));
    assert_eq!(world.balance(id), tokens(60));
    let good = keep(&world, id, "test_ok");
    set(&world, id, wanted(good, below, HowMany::Fixed(tokens(50)))).unwrap();
    assert_eq!((run(&world), world.balance(id)), (1, tokens(110)));
    assert_eq!(rule(&world, id).stopped, None);
}

/// A processor that does not answer is asked about the same order, and no second one is opened.
fn a_round_without_an_answer_is_not_repeated(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(60);
    let card = keep(&world, id, "test_timeout");
    let below = When::Below(tokens(100));
    set(&world, id, wanted(card, below, HowMany::Fixed(tokens(50)))).unwrap();
    assert_eq!((run(&world), world.balance(id)), (1, tokens(60)));
    assert_eq!(after(&world, 120), 0);
    set(&world, id, wanted(card, below, HowMany::Fixed(tokens(50)))).unwrap();
    assert_eq!(
        after(&world, 120),
        0,
        "a changed rule has the same order under way"
    );
    let cards = world.cards.as_ref();
    let resolved = token_orders_resolve(&world.node, cards, &world.vendor, LOOK_UP_AFTER_S);
    assert_eq!((resolved.unwrap(), world.balance(id)), (1, tokens(110)));
    assert_eq!(after(&world, DAY_S), 0, "there is enough now");
    let orders = "SELECT COUNT(*) FROM token_order WHERE book_id = $1";
    assert_eq!(world.number(orders), 2);
}

/// A card that was withdrawn, removed or forgotten stops the rule with a clear word.
fn a_rule_without_its_card_stops(db: &TestDb) {
    let world = World::new(db);
    let (book, engine) = (world.book(), &world.node.engine);
    for (n, how) in ["withdrawn", "removed", "told"].into_iter().enumerate() {
        let id = world.buyer(60);
        let card = keep(&world, id, "test_ok");
        let below = When::Below(tokens(100));
        set(&world, id, wanted(card, below, HowMany::Fixed(tokens(50)))).unwrap();
        let customer = world.customer(id);
        match how {
            "withdrawn" => drop(engine.write(move |tx| method_withdrawn(tx, book, "test_ok"))),
            "removed" => {
                drop(engine.write(move |tx| card_remove(tx, Actor::Customer(id), &customer, card)))
            }
            _ => drop(engine.write(move |tx| card_gone(tx, book, id, card))),
        }
        assert_eq!((run(&world), world.balance(id)), (0, tokens(60)), "{how}");
        let why = rule(&world, id).stopped.unwrap();
        assert!(why.contains("card"), "{how}: {why}");
        assert_eq!(failures(&world), i64::try_from(n).unwrap() + 1);
    }
}

/// Bad input: numbers that cannot be, another customer's card, a closed account.
fn rules_that_cannot_be_are_refused(db: &TestDb) {
    let world = World::new(db);
    let (ana, bo) = (world.buyer(60), world.buyer(60));
    let card = keep(&world, ana, "test_ok");
    let (good, most) = (tokens(10), scrip_domain::vendor::TOKENS_AT_MOST);
    let above = most.plus(tokens(1)).unwrap();
    for (when, how_many) in [
        (When::Below(tokens(0)), HowMany::Fixed(good)),
        (When::Below(tokens(-1)), HowMany::Fixed(good)),
        (When::Below(above), HowMany::Fixed(good)),
        (When::Below(good), HowMany::Fixed(tokens(0))),
        (When::Below(good), HowMany::Fixed(above)),
        (When::Below(good), HowMany::UpTo(tokens(9))),
        (When::EveryDays(0), HowMany::Fixed(good)),
        (When::EveryDays(-7), HowMany::Fixed(good)),
        (When::EveryDays(367), HowMany::Fixed(good)),
        (When::EveryDays(i64::MAX), HowMany::Fixed(good)),
    ] {
        let refused = set(&world, ana, wanted(card, when, how_many));
        assert!(refused.is_err(), "{when:?} {how_many:?}");
    }
    let rule = wanted(card, When::Below(good), HowMany::Fixed(good));
    assert!(matches!(set(&world, bo, rule), Err(TopUpError::Card(_))));
    let (vendor, customer) = (world.vendor.clone(), world.customer(ana));
    let other = world
        .node
        .engine
        .write(move |tx| top_up_set(tx, Actor::Customer(bo), &vendor, &customer, &rule));
    assert!(matches!(other, Err(TopUpError::Forbidden)));
    let customer = world.customer(ana);
    let engine = &world.node.engine;
    let none = engine.read(|tx| top_up_of(tx, Actor::Customer(ana), &customer));
    assert_eq!(none.unwrap(), None);
}

/// Two processes whose rounds meet buy once.
fn eight_rounds_at_once_buy_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(60);
    let card = keep(&world, id, "test_ok");
    let below = When::Below(tokens(100));
    set(&world, id, wanted(card, below, HowMany::Fixed(tokens(50)))).unwrap();
    let opened: usize = std::thread::scope(|scope| {
        let rounds: Vec<_> = (0..8).map(|_| scope.spawn(|| run(&world))).collect();
        rounds.into_iter().map(|r| r.join().unwrap()).sum()
    });
    assert_eq!((opened, world.balance(id)), (1, tokens(110)));
}
