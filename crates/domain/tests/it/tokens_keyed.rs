//! Buying tokens under an idempotency key: repeated, at once, after a crash between the steps.

use crate::support::{World, token_order, tokens};
use scrip_domain::customer::State;
use scrip_domain::id::{CustomerId, PaymentSessionId, TokenOrderId};
use scrip_domain::token_sale::{
    Bought, CardProcessor, Charge, ChargeOutcome, LOOK_UP_AFTER_S, Outcome, TestCards,
    TokenOrderState, TokenPurchase, TokenSaleError, token_buy_keyed, token_order_by_id,
    token_orders_of, token_orders_resolve, token_price_quote,
};
use scrip_domain::vendor::TOKENS_AT_MOST;
use scrip_domain::{Actor, Amount, Answer, CommandError, Keyed};
use scrip_testkit::TestDb;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

both!(
    the_same_key_charges_and_credits_once,
    a_repeated_answer_says_what_was_said,
    declines_are_counted_over_the_attempts_of_a_session,
    a_crash_before_the_charge_is_made_good,
    a_crash_after_the_charge_is_made_good,
    an_old_order_is_looked_up_and_not_charged,
    eight_at_once_under_one_key_credit_once,
    orders_of_tokens_are_shown_to_their_customer_alone,
    a_quote_is_what_the_card_is_charged,
    another_price_than_the_one_shown_is_refused,
);

fn purchase(customer: CustomerId, quantity: i64, card: &str) -> TokenPurchase {
    TokenPurchase {
        customer,
        payment_session: None,
        quantity: tokens(quantity),
        pack: None,
        quoted: None,
        card: card.to_owned(),
        reference: String::new(),
        effective_at: None,
    }
}

fn buy_by(
    world: &World,
    processor: &dyn CardProcessor,
    key: &str,
    new: &TokenPurchase,
) -> Result<Answer<Bought>, TokenSaleError> {
    let keyed = Keyed {
        book_id: world.book(),
        actor: Actor::Customer(new.customer),
        key: Some(key.to_owned()),
        request: format!("{new:?}").into_bytes(),
        subject: Some(new.customer),
    };
    token_buy_keyed(&world.node, processor, keyed, &world.vendor, new.clone())
}

fn buy(world: &World, key: &str, new: &TokenPurchase) -> Answer<Bought> {
    buy_by(world, world.cards.as_ref(), key, new).unwrap()
}

fn cleared(quantity: i64, activated: bool) -> Outcome {
    Outcome::Cleared {
        quantity: tokens(quantity),
        price: Amount::from_units(quantity * 1_000_000),
        activated,
    }
}

fn attempts_left(bought: &Bought) -> i64 {
    match &bought.outcome {
        Outcome::Declined { attempts_left, .. } => *attempts_left,
        other => panic!("{other:?}"),
    }
}

/// TOK-08, ARC-08: the same key again gives the first outcome, and asks no card.
fn the_same_key_charges_and_credits_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let new = purchase(id, 60, "test_ok");
    let first = buy(&world, "a", &new);
    assert!(!first.replayed);
    assert_eq!(first.value.outcome, cleared(60, true));
    assert_eq!(world.cards.calls(), 1);
    for _ in 0..3 {
        let again = buy(&world, "a", &new);
        assert!(again.replayed);
        assert_eq!(again.value, first.value, "activated too");
    }
    assert_eq!(world.cards.calls(), 1);
    assert_eq!(world.balance(id), tokens(60));
    let other = buy_by(
        &world,
        world.cards.as_ref(),
        "a",
        &purchase(id, 61, "test_ok"),
    );
    assert!(matches!(
        other,
        Err(TokenSaleError::Command(CommandError::KeyReused))
    ));
    let second = buy(&world, "b", &new);
    assert_eq!(second.value.outcome, cleared(60, false), "active already");
    assert_ne!(second.value.payment_session, first.value.payment_session);
    assert_eq!(buy(&world, "a", &new).value, first.value);
    assert_eq!(world.balance(id), tokens(120));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM token_order WHERE book_id = $1"),
        2
    );
}

/// TOK-09, ARC-08: what has happened in the session since changes no earlier answer.
fn a_repeated_answer_says_what_was_said(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let bad = purchase(id, 60, "test_declined");
    let first = buy(&world, "a", &bad).value;
    assert_eq!(attempts_left(&first), 2);
    let session = Some(first.payment_session);
    let bad_again = TokenPurchase {
        payment_session: session,
        ..bad.clone()
    };
    assert_eq!(attempts_left(&buy(&world, "b", &bad_again).value), 1);
    let good = TokenPurchase {
        payment_session: session,
        ..purchase(id, 60, "test_ok")
    };
    assert_eq!(buy(&world, "c", &good).value.outcome, cleared(60, true));
    let calls = world.cards.calls();
    assert_eq!(buy(&world, "a", &bad).value, first);
    assert_eq!(attempts_left(&buy(&world, "b", &bad_again).value), 1);
    assert_eq!(world.cards.calls(), calls);
}

/// REG-09, TOK-09: the third decline in a row ends the session that the first answer named.
fn declines_are_counted_over_the_attempts_of_a_session(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let first = buy(&world, "a", &purchase(id, 60, "test_declined")).value;
    let next = |key: &str, card| {
        let new = TokenPurchase {
            payment_session: Some(first.payment_session),
            ..purchase(id, 60, card)
        };
        buy_by(&world, world.cards.as_ref(), key, &new)
    };
    for (key, left) in [("b", 1), ("c", 0), ("c", 0)] {
        let bought = next(key, "test_declined").unwrap().value;
        assert_eq!(bought.payment_session, first.payment_session);
        assert_eq!(attempts_left(&bought), left);
    }
    let calls = world.cards.calls();
    let over = next("d", "test_ok");
    assert!(matches!(over, Err(TokenSaleError::SessionOver)));
    assert_eq!(world.cards.calls(), calls);
    assert_eq!(world.state(id), State::Inactive);
    let strange = TokenPurchase {
        payment_session: Some(PaymentSessionId(id.0)),
        ..purchase(id, 60, "test_ok")
    };
    let unknown = buy_by(&world, world.cards.as_ref(), "e", &strange);
    assert!(matches!(unknown, Err(TokenSaleError::SessionUnknown)));
    let anew = buy(&world, "f", &purchase(id, 60, "test_ok")).value;
    assert_eq!(anew.outcome, cleared(60, true), "a new session");
}

/// Test cards that end the caller once, before or after the card is charged, and note which
/// orders were charged.
struct Crash {
    cards: TestCards,
    before: bool,
    crashed: AtomicBool,
    charged: Mutex<BTreeSet<TokenOrderId>>,
}

impl Crash {
    fn new(before: bool) -> Crash {
        Crash {
            cards: TestCards::default(),
            before,
            crashed: AtomicBool::new(false),
            charged: Mutex::default(),
        }
    }
}

impl CardProcessor for Crash {
    fn charge(&self, charge: &Charge) -> ChargeOutcome {
        let first = !self.crashed.swap(true, Ordering::SeqCst);
        assert!(!(first && self.before), "crash before the charge");
        let said = self.cards.charge(charge);
        let order = token_order(charge.order);
        self.charged.lock().unwrap().insert(order);
        assert!(!first, "crash after the charge");
        said
    }
    fn lookup(&self, charge: &Charge) -> ChargeOutcome {
        self.cards.lookup(charge)
    }
}

/// The purchase ends between its steps, and is repeated under its key.
fn crashed(db: &TestDb, before: bool) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let crash = Crash::new(before);
    let new = purchase(id, 60, "test_ok");
    let died = catch_unwind(AssertUnwindSafe(|| buy_by(&world, &crash, "a", &new)));
    assert!(died.is_err(), "it did not come to the charge");
    assert_eq!(world.balance(id), tokens(0));
    let bought = buy_by(&world, &crash, "a", &new).unwrap();
    assert!(bought.replayed, "the order was opened before");
    assert_eq!(bought.value.outcome, cleared(60, true));
    let calls = if before { 1 } else { 2 };
    assert_eq!(crash.cards.calls(), calls);
    assert_eq!(
        *crash.charged.lock().unwrap(),
        BTreeSet::from([bought.value.order]),
        "one order: to the processor one charge"
    );
    let again = buy_by(&world, &crash, "a", &new).unwrap();
    assert_eq!(again.value, bought.value);
    assert_eq!(crash.cards.calls(), calls, "closed by now");
    assert_eq!(world.balance(id), tokens(60));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM token_order WHERE book_id = $1"),
        1
    );
}

/// ARC-08: the order is there and the card was not asked.
fn a_crash_before_the_charge_is_made_good(db: &TestDb) {
    crashed(db, true);
}

/// ARC-08, TOK-08: the card was charged and nobody wrote it down.
fn a_crash_after_the_charge_is_made_good(db: &TestDb) {
    crashed(db, false);
}

/// TOK-08: an order that the resolver may look up is never charged again.
fn an_old_order_is_looked_up_and_not_charged(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let new = purchase(id, 60, "test_timeout");
    let first = buy(&world, "a", &new).value;
    assert_eq!(first.outcome, Outcome::Awaiting);
    assert_eq!(buy(&world, "a", &new).value.outcome, Outcome::Awaiting);
    assert_eq!(world.cards.calls(), 2, "young: charged again, to no effect");
    world.clock.advance_seconds(LOOK_UP_AFTER_S - 1);
    assert_eq!(buy(&world, "a", &new).value.outcome, Outcome::Awaiting);
    assert_eq!(world.cards.calls(), 2, "neither charged nor looked up");
    world.clock.advance_seconds(1);
    // The test card's charge never answers, its look-up does.
    let found = buy(&world, "a", &new);
    assert_eq!(found.value.outcome, cleared(60, true));
    assert!(found.replayed);
    assert_eq!(world.balance(id), tokens(60));

    // What the resolver closed, the key finds closed.
    let other = world.register().customer_id;
    let new = purchase(other, 60, "test_timeout");
    buy(&world, "a", &new);
    let resolved = token_orders_resolve(&world.node, world.cards.as_ref(), &world.vendor, 0);
    assert_eq!(resolved.unwrap(), 1);
    let calls = world.cards.calls();
    assert_eq!(buy(&world, "a", &new).value.outcome, cleared(60, true));
    assert_eq!(world.cards.calls(), calls);
    assert_eq!(world.balance(other), tokens(60));
}

/// ARC-08: at once, under one key, there is one order and one credit.
fn eight_at_once_under_one_key_credit_once(db: &TestDb) {
    let world = World::new(db);
    for card in ["test_ok", "test_declined"] {
        let id = world.register().customer_id;
        let new = purchase(id, 60, card);
        let orders = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let bought = buy(&world, "a", &new).value;
                    orders.lock().unwrap().push(bought);
                });
            }
        });
        let orders = orders.into_inner().unwrap();
        assert!(orders.iter().all(|o| *o == orders[0]), "{orders:?}");
        let credited = if card == "test_ok" { 60 } else { 0 };
        assert_eq!(world.balance(id), tokens(credited));
        if card == "test_declined" {
            assert_eq!(attempts_left(&orders[0]), 2, "counted once");
        }
    }
}

fn orders_of_tokens_are_shown_to_their_customer_alone(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let stranger = world.register().customer_id;
    let mut bought = Vec::new();
    for (key, card) in [
        ("a", "test_ok"),
        ("b", "test_declined"),
        ("c", "test_timeout"),
    ] {
        bought.push(buy(&world, key, &purchase(id, 60, card)).value);
        world.clock.advance_seconds(1);
    }
    let read = |actor, order| {
        world
            .node
            .engine
            .read(|tx| token_order_by_id(tx, actor, world.book(), order))
    };
    let own = read(Actor::Customer(id), bought[0].order).unwrap();
    assert_eq!(
        (own.quantity, own.state),
        (tokens(60), TokenOrderState::Cleared)
    );
    assert_eq!(own.price, Amount::from_units(60_000_000));
    assert_eq!(own.closed_at, Some(own.created_at));
    assert_eq!(own.reference, own.id.to_string());
    let declined = read(Actor::System, bought[1].order).unwrap();
    assert_eq!(declined.state, TokenOrderState::Declined);
    assert!(!declined.reason.is_empty(), "why");
    let waiting = read(Actor::Customer(id), bought[2].order).unwrap();
    assert_eq!(
        (waiting.state, waiting.closed_at),
        (TokenOrderState::Awaiting, None)
    );
    for order in [bought[0].order, TokenOrderId(id.0)] {
        let unknown = read(Actor::Customer(stranger), order);
        assert!(matches!(unknown, Err(TokenSaleError::Unknown(o)) if o == order));
    }
    let customer = world.customer(id);
    let page = |actor, before, limit| {
        world
            .node
            .engine
            .read(|tx| token_orders_of(tx, actor, &customer, before, limit))
    };
    let mut expected: Vec<TokenOrderId> = bought.iter().map(|b| b.order).collect();
    expected.reverse();
    let all = page(Actor::Customer(id), None, 10).unwrap();
    assert_eq!(all.next, None);
    assert_eq!(all.items.iter().map(|o| o.id).collect::<Vec<_>>(), expected);
    let first = page(Actor::Customer(id), None, 2).unwrap();
    assert_eq!(first.items, all.items[..2]);
    let second = page(Actor::Customer(id), first.next, 2).unwrap();
    assert_eq!(
        (second.items.as_slice(), second.next),
        (&all.items[2..], None)
    );
    let foreign = page(Actor::Customer(stranger), None, 10);
    assert!(matches!(foreign, Err(TokenSaleError::Forbidden)));
}

/// TOK-01: the page says what the card is charged, to the cent.
fn a_quote_is_what_the_card_is_charged(db: &TestDb) {
    let world = World::with(db, "0.015", "0");
    let quote = |quantity| {
        world
            .node
            .engine
            .read(|tx| token_price_quote(tx, &world.vendor, quantity))
    };
    let id = world.register().customer_id;
    for (quantity, price) in [(200, "3"), (101, "1.52"), (1, "0.02")] {
        let quoted = quote(tokens(quantity)).unwrap();
        assert_eq!(quoted.decimal(8), price);
        let key = quantity.to_string();
        let bought = buy(&world, &key, &purchase(id, quantity, "test_ok")).value;
        let Outcome::Cleared { price, .. } = bought.outcome else {
            panic!("{bought:?}");
        };
        assert_eq!(price, quoted);
    }
    assert!(matches!(
        quote(tokens(0)),
        Err(TokenSaleError::QuantityNotPositive)
    ));
    let too_much = TOKENS_AT_MOST.plus(Amount::from_units(1)).unwrap();
    assert!(matches!(
        quote(too_much),
        Err(TokenSaleError::QuantityTooLarge)
    ));
}

/// TOK-08: a price that changed after the page was shown is refused, with nothing charged; the
/// same key may then buy at the new one.
fn another_price_than_the_one_shown_is_refused(db: &TestDb) {
    let world = World::with(db, "0.01", "0");
    let id = world.register().customer_id;
    let shown = |cents: i64| TokenPurchase {
        quoted: Some(Amount::from_units(cents * 1_000_000)),
        ..purchase(id, 200, "test_ok")
    };
    let calls = world.cards.calls();
    let refused = buy_by(&world, world.cards.as_ref(), "a", &shown(199));
    assert!(matches!(refused, Err(TokenSaleError::PriceChanged)));
    assert_eq!(world.cards.calls(), calls);
    assert_eq!(world.balance(id), Amount::ZERO);
    let bought = buy(&world, "a", &shown(200));
    assert!(!bought.replayed);
    assert_eq!(bought.value.outcome, cleared(200, false));
}
