//! Buying tokens by card: approved, declined, timed out and resolved later.

use crate::support::{World, token_order, tokens};
use scrip_domain::customer::State;
use scrip_domain::id::{CustomerId, TokenOrderId};
use scrip_domain::token_sale::{
    CardProcessor, Charge, ChargeOutcome, NewTokenOrder, Outcome, TestCards, TokenSaleError,
    token_order_close, token_order_open, token_orders_resolve,
};
use scrip_domain::vendor::TOKENS_AT_MOST;
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::{Origin, account_balance};
use scrip_testkit::TestDb;
use std::sync::Mutex;

both!(
    approval_credits_and_a_decline_does_not,
    the_third_decline_ends_the_session,
    an_approval_starts_the_count_of_declines_over,
    attempts_at_once_cannot_outrun_the_count_of_declines,
    an_attempt_waits_for_the_answer_to_the_one_before,
    a_time_out_is_resolved_and_never_guessed,
    a_lost_charge_is_a_decline,
    eight_resolvers_credit_once,
    saying_it_again_changes_nothing,
    money_and_tokens_are_both_booked,
    what_cannot_be_bought,
    the_vendor_may_enter_an_earlier_time,
);

fn declined(outcome: Result<Outcome, TokenSaleError>) -> i64 {
    match outcome {
        Ok(Outcome::Declined {
            attempts_left,
            reason,
        }) => {
            assert!(!reason.is_empty(), "the customer is told why");
            attempts_left
        }
        other => panic!("{other:?}"),
    }
}

fn resolve(world: &World, cards: &dyn CardProcessor) -> usize {
    token_orders_resolve(&world.node, cards, &world.vendor, 0).unwrap()
}

fn awaiting(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM token_order_awaiting WHERE book_id = $1")
}

/// TOK-08: approved 100 on AT 20 gives 120 with a record; a decline leaves AT.
fn approval_credits_and_a_decline_does_not(db: &TestDb) {
    let world = World::with(db, "0.01", "20");
    let id = world.buyer(20);
    assert_eq!(declined(world.buy(id, tokens(100), "test_declined")), 2);
    assert_eq!(declined(world.buy(id, tokens(100), "no such card")), 2);
    assert_eq!(world.quote(id, &[]).available, tokens(20), "AT");
    let outcome = world.buy(id, tokens(100), "test_ok").unwrap();
    let cleared = Outcome::Cleared {
        quantity: tokens(100),
        price: scrip_domain::Amount::from_units(100_000_000),
        activated: false,
    };
    assert_eq!(outcome, cleared);
    assert_eq!(world.quote(id, &[]).available, tokens(120), "AT + NT");
    let states = world.rows(
        "SELECT state, COUNT(*) FROM token_order WHERE book_id = $1 GROUP BY state ORDER BY state",
    );
    let states: Vec<(&str, i64)> = states
        .iter()
        .map(|r| (r.text(0).unwrap(), r.int(1).unwrap()))
        .collect();
    assert_eq!(states, [("cleared", 2), ("declined", 2)], "all recorded");
}

/// REG-09, TOK-09: a declined card leads to another try; the third decline in a row ends the
/// session, the account stays inactive, and a fourth attempt needs a new session.
fn the_third_decline_ends_the_session(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let session = world.session(id);
    let decline = || declined(world.buy_in(session, id, tokens(50), "test_declined"));
    assert_eq!([decline(), decline(), decline()], [2, 1, 0]);
    let calls = world.cards.calls();
    let fourth = world.buy_in(session, id, tokens(50), "test_ok");
    assert!(matches!(fourth, Err(TokenSaleError::SessionOver)));
    assert_eq!(world.cards.calls(), calls, "the card is not even asked");
    assert_eq!(world.state(id), State::Inactive);
    assert_eq!(world.balance(id), tokens(0));
    world.buy(id, tokens(50), "test_ok").unwrap();
    assert_eq!(world.state(id), State::Active, "in a new session");
}

/// TOK-09: only declines in a row count.
fn an_approval_starts_the_count_of_declines_over(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let session = world.session(id);
    let buy = |card| world.buy_in(session, id, tokens(10), card);
    for _ in 0..3 {
        assert_eq!(declined(buy("test_declined")), 2);
        assert_eq!(declined(buy("test_declined")), 1);
        assert!(matches!(buy("test_ok"), Ok(Outcome::Cleared { .. })));
    }
    assert_eq!(world.balance(id), tokens(30));
    let other = world.register().customer_id;
    let theirs = world.buy_in(session, other, tokens(10), "test_ok");
    assert!(
        matches!(theirs, Err(TokenSaleError::SessionUnknown)),
        "not their session"
    );
}

/// REG-09, TOK-09: of sixteen attempts in one session at once, no more cards are charged than may
/// be declined.
fn attempts_at_once_cannot_outrun_the_count_of_declines(db: &TestDb) {
    let world = World::new(db);
    for _ in 0..5 {
        let id = world.register().customer_id;
        let session = world.session(id);
        let calls = world.cards.calls();
        let tries = std::thread::scope(|scope| {
            let buy = || world.buy_in(session, id, tokens(50), "test_declined");
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(buy)).collect();
            let ended = threads.into_iter().map(|t| t.join().unwrap());
            ended.collect::<Vec<_>>()
        });
        let charged = tries.iter().filter(|t| t.is_ok()).count();
        assert!((1..=3).contains(&charged), "{charged} of {tries:?}");
        assert_eq!(world.cards.calls() - calls, charged as u64);
        for refused in tries.into_iter().filter_map(Result::err) {
            let known = matches!(
                refused,
                TokenSaleError::UnderWay | TokenSaleError::SessionOver
            );
            assert!(known, "{refused}");
        }
    }
}

/// TOK-09: a second attempt in a session waits for the first, at most two minutes; other sessions
/// do not wait.
fn an_attempt_waits_for_the_answer_to_the_one_before(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let session = world.session(id);
    let buy = |card| world.buy_in(session, id, tokens(50), card);
    assert_eq!(buy("test_timeout_long").unwrap(), Outcome::Awaiting);
    let calls = world.cards.calls();
    for wait in [0, 119] {
        world.clock.advance_seconds(wait);
        assert!(matches!(buy("test_ok"), Err(TokenSaleError::UnderWay)));
    }
    assert_eq!(world.cards.calls(), calls, "the card is not even asked");
    let beside = world.buy(id, tokens(1), "test_ok").unwrap();
    assert!(matches!(beside, Outcome::Cleared { .. }));
    world.clock.advance_seconds(1);
    assert!(matches!(buy("test_ok"), Ok(Outcome::Cleared { .. })));
}

/// TOK-08: without an answer nothing is credited; the answer credits once.
fn a_time_out_is_resolved_and_never_guessed(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    assert_eq!(
        world.buy(id, tokens(60), "test_timeout").unwrap(),
        Outcome::Awaiting
    );
    let other = world.register().customer_id;
    assert_eq!(
        world.buy(other, tokens(60), "test_timeout_long").unwrap(),
        Outcome::Awaiting
    );
    assert_eq!(
        (world.balance(id), world.state(id)),
        (tokens(0), State::Inactive)
    );
    assert_eq!(awaiting(&world), 2);
    let none = token_orders_resolve(&world.node, world.cards.as_ref(), &world.vendor, 60);
    assert_eq!(none.unwrap(), 0, "too young: the charge may be under way");
    world.clock.advance_seconds(60);
    let one = token_orders_resolve(&world.node, world.cards.as_ref(), &world.vendor, 60);
    assert_eq!(one.unwrap(), 1);
    assert_eq!(
        (world.balance(id), world.state(id)),
        (tokens(60), State::Active)
    );
    assert_eq!(world.messages("customer.activated", &id.to_string()), 1);
    for _ in 0..3 {
        assert_eq!(resolve(&world, world.cards.as_ref()), 0);
    }
    assert_eq!(awaiting(&world), 1, "the long one waits on");
    assert_eq!(world.balance(other), tokens(0));
    assert_eq!(world.balance(id), tokens(60), "once");
}

fn a_lost_charge_is_a_decline(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let session = world.session(id);
    let lost = || {
        world
            .buy_in(session, id, tokens(50), "test_timeout_lost")
            .unwrap()
    };
    for _ in 0..3 {
        assert_eq!(lost(), Outcome::Awaiting);
        world.clock.advance_seconds(120);
    }
    assert_eq!(resolve(&world, world.cards.as_ref()), 3);
    assert_eq!((world.balance(id), awaiting(&world)), (tokens(0), 0));
    let over = world.buy_in(session, id, tokens(50), "test_ok");
    assert!(
        matches!(over, Err(TokenSaleError::SessionOver)),
        "they count as declines"
    );
}

/// TOK-08: an answer that eight hear at once is credited once.
fn eight_resolvers_credit_once(db: &TestDb) {
    let world = World::new(db);
    for _ in 0..5 {
        let id = world.register().customer_id;
        for _ in 0..3 {
            world.buy(id, tokens(30), "test_timeout").unwrap();
        }
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| resolve(&world, world.cards.as_ref()));
            }
        });
        assert_eq!(world.balance(id), tokens(90));
        assert_eq!(world.messages("customer.activated", &id.to_string()), 1);
    }
}

/// Notes what it is asked and answers nothing.
#[derive(Default)]
struct Silent(Mutex<Vec<Charge>>);

impl CardProcessor for Silent {
    fn charge(&self, charge: &Charge) -> ChargeOutcome {
        self.0.lock().unwrap().push(charge.clone());
        ChargeOutcome::Unknown
    }
    fn lookup(&self, charge: &Charge) -> ChargeOutcome {
        self.charge(charge)
    }
}

fn close(world: &World, order: TokenOrderId, said: &ChargeOutcome) -> Outcome {
    let (vendor, said) = (world.vendor.clone(), said.clone());
    world
        .write(move |tx| token_order_close(tx, Actor::System, &vendor, order, &said))
        .unwrap()
}

fn saying_it_again_changes_nothing(db: &TestDb) {
    let world = World::new(db);
    let silent = Silent::default();
    let approved = ChargeOutcome::Approved {
        reference: "p1".to_owned(),
    };
    let refusal = ChargeOutcome::Declined {
        reason: "no".to_owned(),
    };
    let id = world.register().customer_id;
    let session = world.session(id);
    let order = || {
        world
            .buy_by(&silent, session, id, tokens(50), "any")
            .unwrap();
        world.clock.advance_seconds(120);
        token_order(silent.0.lock().unwrap().last().unwrap().order)
    };
    let (first, second) = (order(), order());
    assert_eq!(
        close(&world, first, &ChargeOutcome::Unknown),
        Outcome::Awaiting
    );
    assert_eq!(resolve(&world, &silent), 0);
    let asked = silent.0.lock().unwrap().clone();
    let mut asked: Vec<TokenOrderId> = asked.iter().map(|c| token_order(c.order)).collect();
    asked[2..].sort_unstable();
    let mut expected = [first, second, first, second];
    expected[2..].sort_unstable();
    assert_eq!(asked, expected, "each by its own id");
    let cleared = close(&world, first, &approved);
    assert!(matches!(
        cleared,
        Outcome::Cleared {
            activated: true,
            ..
        }
    ));
    for said in [&approved, &refusal, &ChargeOutcome::Unknown] {
        let again = close(&world, first, said);
        assert!(matches!(
            again,
            Outcome::Cleared {
                activated: true,
                ..
            }
        ));
        assert_eq!(world.balance(id), tokens(50));
    }
    for said in [&refusal, &approved, &refusal] {
        let left = declined(Ok(close(&world, second, said)));
        assert_eq!(left, 2, "counted once");
    }
    assert_eq!(world.balance(id), tokens(50));
    assert_eq!(world.messages("token_order.cleared", &first.to_string()), 1);
    assert_eq!(awaiting(&world), 0);
}

/// TOK-08: the tokens and the money are both in the ledger.
fn money_and_tokens_are_both_booked(db: &TestDb) {
    let world = World::with(db, "0.015", "0");
    let id = world.buyer(101);
    let accounts = world.vendor.accounts;
    let balance = |account| {
        let balance = world
            .node
            .engine
            .read(|tx| account_balance(tx, world.book(), account));
        balance.unwrap()
    };
    // 1.515 GBP, rounded up to whole cents.
    assert_eq!(balance(accounts.deferred).decimal(8), "1.52");
    assert_eq!(balance(accounts.processor).decimal(8), "-1.52");
    assert_eq!(balance(accounts.issued), tokens(-101));
    assert_eq!(world.balance(id), tokens(101));
    let grant = &world
        .rows("SELECT quantity, paid, origin, expires_at FROM token_grant WHERE book_id = $1")[0];
    assert_eq!(grant.int(0).unwrap(), tokens(101).units());
    assert_eq!(
        grant.int(1).unwrap(),
        152_000_000,
        "what was paid is kept exactly"
    );
    assert_eq!(grant.text(2).unwrap(), "paid");
}

fn what_cannot_be_bought(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let stranger = world.register().customer_id;
    for nothing in [tokens(0), tokens(-5)] {
        let refused = world.buy(id, nothing, "test_ok");
        assert!(matches!(refused, Err(TokenSaleError::QuantityNotPositive)));
    }
    let calls = world.cards.calls();
    let too_much = TOKENS_AT_MOST.plus(Amount::from_units(1)).unwrap();
    let refused = world.buy(id, too_much, "test_ok");
    assert!(matches!(refused, Err(TokenSaleError::QuantityTooLarge)));
    let nearly_all = Amount::from_units(i64::MAX - 10);
    world.give(id, nearly_all, Origin::Free, None, Timestamp::NEVER);
    let more = world.buy(id, TOKENS_AT_MOST, "test_ok");
    assert!(
        matches!(more, Err(TokenSaleError::Ledger(_))),
        "a wallet holds no more"
    );
    assert_eq!(
        world.cards.calls(),
        calls,
        "which is seen before the card is charged"
    );
    for card in ["", " ", "a\u{7}b", &"x".repeat(201)] {
        let refused = world.buy(stranger, tokens(1), card);
        assert!(matches!(refused, Err(TokenSaleError::Text(_))));
    }
    let open = |actor: Actor, customer: CustomerId| {
        let (vendor, session) = (world.vendor.clone(), world.session(customer));
        let new = NewTokenOrder {
            customer,
            session,
            quantity: tokens(1),
            pack: None,
            card: "test_ok".to_owned(),
            reference: String::new(),
            effective_at: None,
        };
        world.write(move |tx| token_order_open(tx, actor, &vendor, &new))
    };
    let forbidden = open(Actor::Customer(stranger), id);
    assert!(matches!(forbidden, Err(TokenSaleError::Forbidden)));
    let unknown = {
        let vendor = world.vendor.clone();
        let nobody = TokenOrderId(id.0);
        let said = ChargeOutcome::Unknown;
        world.write(move |tx| token_order_close(tx, Actor::System, &vendor, nobody, &said))
    };
    assert!(matches!(unknown, Err(TokenSaleError::Unknown(_))));
}

/// TOK-01: a purchase entered for an earlier time takes the price of that time.
fn the_vendor_may_enter_an_earlier_time(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let before = world.now();
    world.clock.advance_seconds(100);
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let now = scrip_engine::Read::now(tx);
            let price = scrip_domain::Amount::from_units(5_000_000);
            scrip_domain::vendor::token_price_set(
                tx,
                scrip_domain::Actor::System,
                &vendor,
                price,
                now,
            )
        })
        .unwrap();
    let open = |actor: Actor, effective_at| {
        let (vendor, session) = (world.vendor.clone(), world.session(id));
        let new = NewTokenOrder {
            customer: id,
            session,
            quantity: tokens(100),
            pack: None,
            card: "test_ok".to_owned(),
            reference: "receipt 7".to_owned(),
            effective_at: Some(effective_at),
        };
        let charge = world.write(move |tx| token_order_open(tx, actor, &vendor, &new));
        charge.map(|c| c.1.amount.decimal(8))
    };
    let staff = Actor::Staff(world.staff("Ada"));
    assert_eq!(open(staff, before).unwrap(), "1");
    assert_eq!(open(staff, world.now()).unwrap(), "5");
    assert_eq!(open(Actor::Customer(id), world.now()).unwrap(), "5");
    let own = open(Actor::Customer(id), before);
    assert!(matches!(own, Err(TokenSaleError::EffectiveTime)));
    let ahead = open(staff, world.now().plus_seconds(1));
    assert!(matches!(ahead, Err(TokenSaleError::EffectiveTime)));
    assert_eq!(TestCards::default().calls(), 0);
}
