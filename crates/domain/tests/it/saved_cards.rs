//! Cards that customers keep at the processor: whose they are, how many, when they are gone.

use crate::support::World;
use scrip_domain::Actor;
use scrip_domain::card::{
    CardError, CardState, Looks, Payment, PaymentState, card_by_method, card_keep, card_remove,
    card_to_pay_with, card_wish, cards_forget, cards_of, holder_of, holder_set, method_renewed,
    method_withdrawn, payment_begin, payment_forbid, payment_named, payment_set_state,
};
use scrip_domain::id::{CardId, CustomerId, TokenOrderId};
use scrip_testkit::TestDb;

both!(
    a_card_is_its_owners_alone,
    a_wished_card_is_shown_when_its_payment_succeeded,
    a_card_that_is_gone_says_so,
    an_account_keeps_ten_cards,
    the_first_payment_of_an_order_stays,
);

fn looks(last_four: &str, expiry_year: i64) -> Looks {
    Looks {
        brand: "Visa".to_owned(),
        last_four: last_four.to_owned(),
        expiry_year,
        expiry_month: 12,
    }
}

fn keep(world: &World, id: CustomerId, method: &str, looks: &Looks) -> Result<CardId, CardError> {
    let (customer, method, looks) = (world.customer(id), method.to_owned(), looks.clone());
    world
        .node
        .engine
        .write(move |tx| card_keep(tx, Actor::Customer(id), &customer, &method, &looks))
}

fn pay_with(world: &World, by: CustomerId, of: CustomerId, card: CardId) -> Result<(), CardError> {
    let customer = world.customer(of);
    let found = world
        .node
        .engine
        .read(|tx| card_to_pay_with(tx, Actor::Customer(by), &customer, card));
    found.map(drop)
}

/// TOK-08: a card belongs to one customer of one shop; nobody else lists, uses or removes it.
fn a_card_is_its_owners_alone(db: &TestDb) {
    let world = World::new(db);
    let (ana, bo) = (world.register().customer_id, world.register().customer_id);
    let card = keep(&world, ana, "pm_1", &looks("4242", 2030)).unwrap();
    assert_eq!(
        keep(&world, ana, "pm_1", &looks("4242", 2031)).unwrap(),
        card
    );
    pay_with(&world, ana, ana, card).unwrap();
    let other = pay_with(&world, bo, bo, card);
    assert!(matches!(other, Err(CardError::Unknown)));
    let other = pay_with(&world, bo, ana, card);
    assert!(matches!(other, Err(CardError::Forbidden)));
    let engine = &world.node.engine;
    let by_method = |id| engine.read(|tx| card_by_method(tx, world.book(), id, "pm_1"));
    assert_eq!(by_method(ana).unwrap().unwrap().id, card);
    assert!(matches!(by_method(bo), Err(CardError::OfAnother)));
    for (actor, of) in [(bo, bo), (bo, ana)] {
        let customer = world.customer(of);
        let removed =
            engine.write(move |tx| card_remove(tx, Actor::Customer(actor), &customer, card));
        assert!(removed.is_err());
        let customer = world.customer(of);
        let listed = engine.read(|tx| cards_of(tx, Actor::Customer(actor), &customer));
        assert!(listed.is_err() || listed.unwrap().is_empty());
    }
    let beside = world.beside("second", "0");
    let stranger = beside.register().customer_id;
    let elsewhere = pay_with(&beside, stranger, stranger, card);
    assert!(matches!(elsewhere, Err(CardError::Unknown)));

    let customer = world.customer(ana);
    let method = engine.write(move |tx| card_remove(tx, Actor::Customer(ana), &customer, card));
    assert_eq!(method.unwrap(), "pm_1");
    assert!(matches!(
        pay_with(&world, ana, ana, card),
        Err(CardError::Unknown)
    ));
    assert_eq!(by_method(bo).unwrap(), None);
}

/// A card to be kept with a purchase is nobody's until that purchase was paid.
fn a_wished_card_is_shown_when_its_payment_succeeded(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let actor = Actor::Customer(id);
    let engine = &world.node.engine;
    let listed = || {
        let customer = world.customer(id);
        engine.read(|tx| cards_of(tx, actor, &customer)).unwrap()
    };
    for method in ["pm_first", "pm_second", "pm_second"] {
        let customer = world.customer(id);
        engine
            .write(move |tx| card_wish(tx, actor, &customer, method))
            .unwrap();
        assert!(listed().is_empty());
    }
    let wished = engine.read(|tx| card_by_method(tx, world.book(), id, "pm_second"));
    let wished = wished.unwrap().unwrap();
    assert_eq!(wished.state, CardState::Wished);
    assert!(pay_with(&world, id, id, wished.id).is_err());
    let card = keep(&world, id, "pm_second", &looks("4242", 2030)).unwrap();
    assert_eq!(card, wished.id);
    assert_eq!(listed().len(), 1);
    let rows = "SELECT COUNT(*) FROM saved_card WHERE book_id = $1";
    assert_eq!(world.number(rows), 1, "the first wish is forgotten");
    // Wishing what is kept changes nothing.
    let customer = world.customer(id);
    engine
        .write(move |tx| card_wish(tx, actor, &customer, "pm_second"))
        .unwrap();
    assert_eq!(listed()[0].state, CardState::Usable);
}

/// A card that is withdrawn, expired or forgotten pays no more, and says what to do.
fn a_card_that_is_gone_says_so(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let old = keep(&world, id, "pm_old", &looks("0001", 2025)).unwrap();
    assert!(matches!(
        pay_with(&world, id, id, old),
        Err(CardError::Expired)
    ));
    let (book, engine) = (world.book(), &world.node.engine);
    let renewed = looks("0009", 2031);
    let changed = engine.write(move |tx| method_renewed(tx, book, "pm_old", &renewed));
    assert_eq!(changed.unwrap(), 1);
    pay_with(&world, id, id, old).unwrap();
    for _ in 0..2 {
        engine
            .write(move |tx| method_withdrawn(tx, book, "pm_old"))
            .unwrap();
        let gone = pay_with(&world, id, id, old).unwrap_err();
        assert!(matches!(gone, CardError::Withdrawn));
        assert!(gone.to_string().contains("choose another card"));
    }
    let nobody = engine.write(move |tx| method_withdrawn(tx, book, "pm_nobody"));
    assert_eq!(nobody.unwrap(), 0);
    keep(&world, id, "pm_old", &looks("0009", 2031)).unwrap();
    pay_with(&world, id, id, old).unwrap();

    for holder in ["cus_1", "cus_2"] {
        let kept = engine.write(move |tx| holder_set(tx, book, id, holder));
        assert_eq!(kept.unwrap(), "cus_1", "the first one stays");
    }
    engine.write(move |tx| cards_forget(tx, book, id)).unwrap();
    assert_eq!(engine.read(|tx| holder_of(tx, book, id)).unwrap(), None);
    assert!(matches!(
        pay_with(&world, id, id, old),
        Err(CardError::Unknown)
    ));
}

/// Bad input: too many cards, and texts that are none.
fn an_account_keeps_ten_cards(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    for n in 0..10 {
        keep(&world, id, &format!("pm_{n}"), &looks("4242", 2030)).unwrap();
    }
    let more = keep(&world, id, "pm_10", &looks("4242", 2030));
    assert!(matches!(more, Err(CardError::TooMany)));
    keep(&world, id, "pm_9", &looks("4243", 2030)).unwrap();
    let other = world.register().customer_id;
    for odd in ["", "  ", "pm\u{0}1", &"x".repeat(201)] {
        let kept = keep(&world, other, odd, &looks("4242", 2030));
        assert!(matches!(kept, Err(CardError::Text(_))), "{odd:?}");
    }
    let long = keep(&world, other, "pm_1x", &looks("42424", 2030));
    assert!(
        matches!(long, Err(CardError::Text(_))),
        "more than four digits"
    );
}

/// TOK-08: only one payment of an order may take money, and after it was forbidden none.
fn the_first_payment_of_an_order_stays(db: &TestDb) {
    let world = World::new(db);
    let (book, engine) = (world.book(), &world.node.engine);
    let order = |n: u128| TokenOrderId(uuid::Uuid::from_u128(n));
    let begin = |n: u128, name: &'static str| -> Payment {
        engine
            .write(move |tx| payment_begin(tx, book, order(n), name))
            .unwrap()
    };
    assert_eq!(begin(1, "pi_1").name, "pi_1");
    assert_eq!(begin(1, "pi_2").name, "pi_1");
    let forbidden = engine
        .write(move |tx| payment_forbid(tx, book, order(1)))
        .unwrap();
    assert!(!forbidden.is_forbidden(), "it was begun before");
    let forbidden = engine
        .write(move |tx| payment_forbid(tx, book, order(2)))
        .unwrap();
    assert!(forbidden.is_forbidden());
    assert!(begin(2, "pi_3").is_forbidden(), "it comes too late");
    let named = |name| engine.read(|tx| payment_named(tx, book, name)).unwrap();
    assert_eq!(named("pi_1").unwrap().order, order(1).into());
    assert_eq!((named("pi_3"), named("")), (None, None));
    for (state, then) in [
        (PaymentState::Action, PaymentState::Action),
        (PaymentState::Ended, PaymentState::Ended),
        (PaymentState::ReturnDue, PaymentState::ReturnDue),
        (PaymentState::Ended, PaymentState::ReturnDue),
        (PaymentState::Returned, PaymentState::Returned),
        (PaymentState::ReturnDue, PaymentState::Returned),
    ] {
        engine
            .write(move |tx| payment_set_state(tx, book, order(1), state))
            .unwrap();
        assert_eq!(named("pi_1").unwrap().state, then, "after {state}");
    }
}
