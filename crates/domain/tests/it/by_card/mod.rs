//! Orders that a card pays (SHP-17): the tokens stay where they are.
//!
//! Here the ways in which an order ends; `after.rs` has what comes later: refunds, late money,
//! disputes, figures.

pub mod after;

use crate::shipping::address;
use crate::support::{World, completed, tokens, want};
use scrip_domain::books::account_found;
use scrip_domain::id::{CustomerId, OfferId, OrderId, PaymentSessionId};
use scrip_domain::order::by_card::{
    ByCard, Outcome, Placed, card_order_by_id, card_order_price, card_orders_awaiting,
    card_orders_resolve, order_by_card_keyed,
};
use scrip_domain::order::{
    Extras, OrderError, OrderOutcome, OrderState, Refusal, order_by_id, order_list, order_list_set,
    orders_of,
};
use scrip_domain::policy::{Policy, policy_set, policy_version};
use scrip_domain::token_sale::{CardProcessor, TokenSaleError};
use scrip_domain::{Actor, Amount, Answer, CommandError, Keyed};
use scrip_ledger::{AccountKind, account_balance};
use scrip_testkit::TestDb;
use std::thread;

both!(
    a_card_pays_and_leaves_the_tokens_alone,
    what_the_vendor_withdraws_is_not_charged,
    a_declined_card_leaves_everything_as_it_was,
    the_third_decline_ends_the_session,
    a_lost_answer_is_resolved_by_asking,
    one_key_is_one_order_and_one_charge,
    the_last_piece_is_sold_once,
    the_gate_holds_and_the_balance_does_not,
    a_price_that_changed_is_asked_about,
    a_child_keeps_to_its_limits,
    a_list_of_orders_has_both_kinds_in_turn,
    goods_are_sent_to_the_address_that_was_given,
);

/// Changes what the vendor decided.
pub fn decide(world: &World, change: impl Fn(&mut Policy) + Send + 'static) {
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let mut version = policy_version(tx, vendor.book_id)?;
            change(&mut version.policy);
            policy_set(tx, Actor::System, &vendor, version.number, &version.policy)
        })
        .unwrap();
}

/// The vendor takes cards for orders, or no longer.
pub fn allow(world: &World, card: bool) {
    decide(world, move |policy| policy.checkout.card = card);
}

fn begin_ordering_with(world: &World, threshold: i64) {
    decide(world, move |policy| {
        policy.browsing.threshold = Some(tokens(threshold));
    });
}

pub fn order(customer: CustomerId, offer: OfferId, quantity: i64, card: &str) -> ByCard {
    ByCard {
        customer,
        lines: vec![want(offer, quantity)],
        reference: String::new(),
        extras: Extras::default(),
        to: None,
        payment_session: None,
        card: card.to_owned(),
        last_four: "4242".to_owned(),
        quoted: None,
        from_list: false,
    }
}

pub fn pay_with(
    world: &World,
    processor: &dyn CardProcessor,
    key: Option<&str>,
    new: &ByCard,
) -> Result<Answer<Placed>, OrderError> {
    let keyed = Keyed {
        book_id: world.book(),
        actor: Actor::Customer(new.customer),
        key: key.map(str::to_owned),
        request: format!("{new:?}").into_bytes(),
        subject: Some(new.customer),
    };
    order_by_card_keyed(&world.node, processor, keyed, &world.vendor, new.clone())
}

pub fn pay(world: &World, new: &ByCard) -> Result<Placed, OrderError> {
    Ok(pay_with(world, world.cards.as_ref(), None, new)?.value)
}

/// The order of a card that paid.
pub fn paid(placed: Placed) -> OrderId {
    match placed {
        Placed::Asked {
            outcome: Outcome::Completed { order_id },
            ..
        } => order_id,
        other => panic!("not paid: {other:?}"),
    }
}

fn not_placed(placed: Placed) -> Refusal {
    match placed {
        Placed::Refused { refusal, .. } => refusal,
        other => panic!("the card was asked: {other:?}"),
    }
}

/// What cards paid for goods, in the smallest unit of the money.
pub fn sales(world: &World) -> Amount {
    let found =
        world.node.engine.read(
            |tx| match account_found(tx, &world.vendor, AccountKind::Sales)? {
                Some(account) => account_balance(tx, world.book(), account),
                None => Ok(Amount::ZERO),
            },
        );
    found.unwrap()
}

pub fn pounds(text: &str) -> Amount {
    Amount::parse(text, 8).unwrap()
}

/// SHP-17: AT is as it was, the goods are sold, the money is earned at once; the order says how it
/// was paid.
fn a_card_pays_and_leaves_the_tokens_alone(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let customer = world.customer(id);
    let book = world.book();
    world
        .write(move |tx| order_list_set(tx, Actor::Customer(id), book, id, pot, 3))
        .unwrap();
    let price = world
        .node
        .engine
        .read(|tx| card_order_price(tx, &world.vendor, tokens(180)));
    assert_eq!(price.unwrap(), pounds("1.80"));
    let new = ByCard {
        quoted: Some(pounds("1.80")),
        reference: "INV-1".into(),
        from_list: true,
        ..order(id, pot, 3, "test_ok")
    };
    let order_id = paid(pay(&world, &new).unwrap());
    assert_eq!(world.balance(id), tokens(100), "AT is as it was");
    assert_eq!(world.stock(pot), 2);
    assert_eq!(sales(&world), pounds("1.80"));
    let read = |actor| {
        let engine = &world.node.engine;
        engine.read(|tx| order_by_id(tx, actor, book, order_id))
    };
    let found = read(Actor::Customer(id)).unwrap();
    assert_eq!(found.state, OrderState::Completed);
    assert_eq!((found.total, found.remaining_after), (tokens(180), None));
    let card = found.card.unwrap();
    assert_eq!(
        (card.price, card.last_four.as_str()),
        (pounds("1.80"), "4242")
    );
    assert!(read(Actor::Customer(world.register().customer_id)).is_err());
    let listed = world
        .node
        .engine
        .read(|tx| orders_of(tx, Actor::System, &customer, None, 10))
        .unwrap();
    assert_eq!(listed.items.len(), 1);
    assert!(listed.items[0].card.is_some());
    let list = world
        .node
        .engine
        .read(|tx| order_list(tx, Actor::Customer(id), book, id));
    assert!(list.unwrap().lines.is_empty(), "it left the list");
    assert_eq!(world.messages("order.completed", &order_id.to_string()), 1);
    let again = pay(&world, &new);
    assert!(matches!(again, Err(OrderError::ReferenceTaken(_))));
    assert_eq!(world.cards.calls(), 2, "one for the tokens, one for this");
}

/// SHP-17: the option is looked at when the order is placed, not when the page was drawn.
fn what_the_vendor_withdraws_is_not_charged(db: &TestDb) {
    let world = World::new(db);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let calls = world.cards.calls();
    let new = order(id, pot, 1, "test_ok");
    let first = pay_with(&world, world.cards.as_ref(), Some("a"), &new).unwrap();
    let Placed::Refused { order_id, refusal } = &first.value else {
        panic!("{first:?}");
    };
    assert_eq!(*refusal, Refusal::CardNotTaken);
    let topic = world.messages("order.refused", &order_id.to_string());
    assert_eq!(topic, 1, "it is stored and told");
    allow(&world, true);
    let same = pay_with(&world, world.cards.as_ref(), Some("a"), &new).unwrap();
    assert_eq!((same.value, same.replayed), (first.value, true));
    paid(pay(&world, &new).unwrap());
    allow(&world, false);
    assert_eq!(
        not_placed(pay(&world, &new).unwrap()),
        Refusal::CardNotTaken
    );
    assert_eq!(world.cards.calls(), calls + 1);
    assert_eq!(world.stock(pot), 4);
}

/// SHP-17, SHP-19: stock, tokens and the reference are as they were; the refusal is stored and told.
fn a_declined_card_leaves_everything_as_it_was(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 1));
    let new = ByCard {
        reference: "INV-1".into(),
        ..order(id, pot, 1, "test_declined")
    };
    let placed = pay(&world, &new).unwrap();
    let Placed::Asked { outcome, .. } = placed else {
        panic!("{placed:?}");
    };
    let Outcome::Declined {
        order_id,
        attempts_left,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(attempts_left, 2);
    assert_eq!((world.balance(id), world.stock(pot)), (tokens(100), 1));
    assert_eq!(sales(&world), Amount::ZERO);
    let found = world
        .node
        .engine
        .read(|tx| order_by_id(tx, Actor::Customer(id), world.book(), order_id))
        .unwrap();
    assert_eq!(found.state, OrderState::Refused);
    assert_eq!(found.reason.as_deref(), Some("card_declined"));
    assert_eq!(world.messages("order.refused", &order_id.to_string()), 1);
    paid(
        pay(
            &world,
            &ByCard {
                card: "test_ok".into(),
                ..new
            },
        )
        .unwrap(),
    );
}

/// SHP-17 after REG-09 and TOK-09: declines are counted in the payment session, whatever they were
/// to pay.
fn the_third_decline_ends_the_session(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 1));
    let session: PaymentSessionId = world.session(id);
    let new = |card| ByCard {
        payment_session: Some(session),
        ..order(id, pot, 1, card)
    };
    for left in [2, 1] {
        let placed = pay(&world, &new("test_declined")).unwrap();
        let declined = matches!(placed, Placed::Asked { outcome: Outcome::Declined { attempts_left, .. }, .. } if attempts_left == left);
        assert!(declined, "{placed:?}");
    }
    let tokens_too = world.buy_in(session, id, tokens(60), "test_declined");
    assert!(matches!(
        tokens_too.unwrap(),
        scrip_domain::token_sale::Outcome::Declined {
            attempts_left: 0,
            ..
        }
    ));
    let calls = world.cards.calls();
    let over = pay(&world, &new("test_ok")).unwrap_err();
    assert!(matches!(
        over,
        OrderError::TokenSale(TokenSaleError::SessionOver)
    ));
    assert_eq!((world.cards.calls(), world.stock(pot)), (calls, 1));
    paid(pay(&world, &order(id, pot, 1, "test_ok")).unwrap());
}

/// SHP-17: nothing is guessed, and nothing is charged twice.
fn a_lost_answer_is_resolved_by_asking(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let mut ids = Vec::new();
    for card in ["test_timeout", "test_timeout_lost", "test_timeout_long"] {
        let placed = pay(&world, &order(id, pot, 1, card)).unwrap();
        let Placed::Asked {
            id,
            outcome: Outcome::Awaiting,
            ..
        } = placed
        else {
            panic!("{placed:?}");
        };
        ids.push(id);
    }
    assert_eq!(world.stock(pot), 2, "set aside while nobody knows");
    let waiting = |world: &World| {
        let read = |tx: &mut scrip_engine::ReadTx<'_>| {
            card_orders_awaiting(tx, world.book(), Some(id), 10)
        };
        world.node.engine.read(read).unwrap().len()
    };
    assert_eq!(waiting(&world), 3);
    let resolve = |older_than_s| {
        let cards = world.cards.as_ref();
        card_orders_resolve(&world.node, cards, &world.vendor, older_than_s).unwrap()
    };
    assert_eq!(resolve(60), 0, "too young: the charge may be under way");
    world.clock.advance_seconds(90);
    assert_eq!(resolve(60), 2);
    assert_eq!((waiting(&world), world.stock(pot)), (1, 3));
    assert_eq!(sales(&world), pounds("0.60"));
    let states: Vec<String> = ids
        .iter()
        .map(|id| {
            let engine = &world.node.engine;
            let found = engine.read(|tx| card_order_by_id(tx, Actor::System, world.book(), *id));
            found.unwrap().state.to_string()
        })
        .collect();
    assert_eq!(states, ["completed", "declined", "awaiting"]);
    assert_eq!(resolve(60), 0);
    assert_eq!(sales(&world), pounds("0.60"));
}

/// SHP-17, ARC-08: the same key again, also by two at once, is one order and one charge; another
/// request under it is refused.
fn one_key_is_one_order_and_one_charge(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let new = order(id, pot, 1, "test_ok");
    let placed: Vec<Answer<Placed>> = thread::scope(|scope| {
        let send = || pay_with(&world, world.cards.as_ref(), Some("k"), &new).unwrap();
        let threads = [scope.spawn(send), scope.spawn(send)];
        threads.map(|t| t.join().unwrap()).into()
    });
    let orders: Vec<OrderId> = placed.iter().map(|p| paid(p.value.clone())).collect();
    assert_eq!(orders[0], orders[1]);
    assert_eq!(placed.iter().filter(|p| p.replayed).count(), 1);
    assert_eq!((world.stock(pot), sales(&world)), (4, pounds("0.60")));
    let other = pay_with(
        &world,
        world.cards.as_ref(),
        Some("k"),
        &order(id, pot, 2, "test_ok"),
    );
    assert!(matches!(
        other.unwrap_err(),
        OrderError::Command(CommandError::KeyReused)
    ));
    let later = pay_with(&world, world.cards.as_ref(), Some("k"), &new).unwrap();
    assert_eq!(paid(later.value), orders[0]);
}

/// SHP-17: of an order in tokens and one by card for the last piece one gets it.
fn the_last_piece_is_sold_once(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (a, b) = (world.buyer(100), world.buyer(100));
    for round in 0..4 {
        let pot = world.stocked_offer(&format!("pot-{round}"), 20, 1);
        let (by_tokens, by_card) = thread::scope(|scope| {
            let one = scope.spawn(|| world.place(a, &[want(pot, 1)]));
            let two = scope.spawn(|| pay(&world, &order(b, pot, 1, "test_ok")).unwrap());
            (one.join().unwrap(), two.join().unwrap())
        });
        let first = matches!(by_tokens, OrderOutcome::Completed(_));
        let second = matches!(by_card, Placed::Asked { .. });
        assert!(first != second, "{by_tokens:?} {by_card:?}");
        assert_eq!(world.stock(pot), 0);
    }
}

/// SHP-04, SHP-05, SHP-17: the account is active and has T tokens; RT may be more than AT.
fn the_gate_holds_and_the_balance_does_not(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let pot = world.offer("pot", 60);
    let leaflet = world.offer("leaflet", 0);
    let inactive = world.register().customer_id;
    let refusal = not_placed(pay(&world, &order(inactive, pot, 1, "test_ok")).unwrap());
    assert!(matches!(refusal, Refusal::Inactive { .. }));
    let id = world.buyer(50);
    begin_ordering_with(&world, 51);
    let refusal = not_placed(pay(&world, &order(id, pot, 1, "test_ok")).unwrap());
    assert!(
        matches!(refusal, Refusal::BelowThreshold { .. }),
        "{refusal}"
    );
    begin_ordering_with(&world, 50);
    paid(pay(&world, &order(id, pot, 10, "test_ok")).unwrap());
    assert_eq!(world.balance(id), tokens(50));
    let free = pay(&world, &order(id, leaflet, 1, "test_ok")).unwrap_err();
    assert!(matches!(free, OrderError::NothingToPay));
    let other = world.buyer(50);
    let new = order(other, pot, 1, "test_ok");
    let keyed = Keyed {
        book_id: world.book(),
        actor: Actor::Customer(id),
        key: None,
        request: Vec::new(),
        subject: None,
    };
    let spy = order_by_card_keyed(&world.node, world.cards.as_ref(), keyed, &world.vendor, new);
    assert!(matches!(spy.unwrap_err(), OrderError::Forbidden));
}

/// SHP-17: what was shown in tokens or in money and is not so any more is not charged.
fn a_price_that_changed_is_asked_about(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let calls = world.cards.calls();
    let new = ByCard {
        quoted: Some(pounds("0.59")),
        ..order(id, pot, 1, "test_ok")
    };
    let changed = pay(&world, &new).unwrap_err();
    assert!(matches!(changed, OrderError::CardPriceChanged));
    let mut new = order(id, pot, 1, "test_ok");
    new.lines[0].quoted = Some(tokens(59));
    let refusal = not_placed(pay(&world, &new).unwrap());
    assert!(matches!(refusal, Refusal::PriceChanged { .. }));
    let many = not_placed(pay(&world, &order(id, pot, 6, "test_ok")).unwrap());
    assert!(matches!(many, Refusal::OutOfStock { on_hand: 5, .. }));
    assert_eq!((world.cards.calls(), world.stock(pot)), (calls, 5));
}

/// ADV-02, SHP-17: a card is no way around a parent's cap; what was declined does not count.
fn a_child_keeps_to_its_limits(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (parent, child) = crate::family::family(&world);
    crate::family::cap_day(&world, parent, child, 100);
    let pot = world.offer("pot", 60);
    let placed = pay(&world, &order(child, pot, 1, "test_declined")).unwrap();
    assert!(matches!(placed, Placed::Asked { .. }));
    let order_id = paid(pay(&world, &order(child, pot, 1, "test_ok")).unwrap());
    let refusal = not_placed(pay(&world, &order(child, pot, 1, "test_ok")).unwrap());
    assert!(matches!(refusal, Refusal::OverCap { .. }), "{refusal}");
    after::refund(&world, order_id, true).unwrap();
    paid(pay(&world, &order(child, pot, 1, "test_ok")).unwrap());
}

/// SHP-19, SHP-17: page by page, newest first, orders in tokens and by card in their turn.
fn a_list_of_orders_has_both_kinds_in_turn(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(500), world.offer("pot", 10));
    let mut placed = Vec::new();
    // 1 by card, 0 in tokens; more of one kind in a row than fit a page.
    for by_card in [1, 0, 1, 1, 1, 0, 0, 0, 1] {
        placed.push(if by_card == 1 {
            paid(pay(&world, &order(id, pot, 1, "test_ok")).unwrap())
        } else {
            completed(world.place(id, &[want(pot, 1)])).order_id
        });
    }
    placed.reverse();
    let customer = world.customer(id);
    for limit in [1, 2, 3, 20] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = world
                .node
                .engine
                .read(|tx| orders_of(tx, Actor::Customer(id), &customer, before, limit))
                .unwrap();
            assert!(page.items.len() <= limit);
            found.extend(page.items.iter().map(|o| o.order_id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, placed, "{limit} at a time");
    }
    let only = world.buyer(60);
    let bought = paid(pay(&world, &order(only, pot, 1, "test_ok")).unwrap());
    let customer = world.customer(only);
    let page = world
        .node
        .engine
        .read(|tx| orders_of(tx, Actor::System, &customer, None, 1));
    let page = page.unwrap();
    assert_eq!((page.items[0].order_id, page.next), (bought, None));
}

/// SHP-12, SHP-17: what is sent needs an address, and leaves the queue when the money goes back.
fn goods_are_sent_to_the_address_that_was_given(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.shipped_offer("pot", 60));
    let calls = world.cards.calls();
    let nowhere = pay(&world, &order(id, pot, 1, "test_ok"));
    assert!(matches!(nowhere, Err(OrderError::AddressMissing { .. })));
    assert_eq!(world.cards.calls(), calls, "no card was asked");
    let new = ByCard {
        to: Some(address("Wilma Quack")),
        ..order(id, pot, 1, "test_ok")
    };
    let order_id = paid(pay(&world, &new).unwrap());
    assert_eq!(world.waiting(), 1);
    after::refund(&world, order_id, false).unwrap();
    assert_eq!(world.waiting(), 0);
}
