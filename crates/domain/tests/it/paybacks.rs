//! Money that a card paid for a closed account goes back, once.

use crate::support::{World, tokens};
use scrip_domain::books::account_found;
use scrip_domain::id::{Payable, TokenOrderId};
use scrip_domain::payback::{
    PaybackError, PaybackState, Settled, Way, payback_ask, payback_by_processor, payback_note_paid,
    paybacks_due, paybacks_resolve, paybacks_settled,
};
use scrip_domain::token_sale::{
    CardProcessor, Charge, ChargeOutcome, ProcessorError, token_orders_resolve,
};
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::{AccountKind, account_balance};
use scrip_testkit::TestDb;
use std::sync::Mutex;

both!(
    the_processor_pays_back_once,
    a_lost_answer_closes_every_other_way,
    a_refusal_opens_another_way,
    money_noted_before_it_was_booked_is_booked,
    only_staff_pay_back_and_only_what_is_due,
);

/// A processor that answers as it is told, one answer after the other, and then pays.
#[derive(Default)]
struct Told {
    answers: Mutex<Vec<ProcessorError>>,
    calls: Mutex<Vec<(Payable, String)>>,
}

impl CardProcessor for Told {
    fn charge(&self, _: &Charge) -> ChargeOutcome {
        ChargeOutcome::Unknown
    }
    fn lookup(&self, _: &Charge) -> ChargeOutcome {
        ChargeOutcome::Unknown
    }
    fn give_back(&self, charge: &Charge, payment: &str) -> Result<(), ProcessorError> {
        let call = (charge.order, payment.to_owned());
        self.calls.lock().unwrap().push(call);
        self.answers.lock().unwrap().pop().map_or(Ok(()), Err)
    }
}

/// A payment of 50 pence that came for an account which was closed meanwhile.
fn late(db: &TestDb, world: &World) -> TokenOrderId {
    let id = world.register().customer_id;
    world.buy(id, tokens(50), "test_timeout").unwrap();
    // The rules do not let this happen; a copy of an older database might.
    db.run_sql("UPDATE customer SET state = 'closed'");
    world.clock.advance_seconds(600);
    let cards = world.cards.as_ref();
    token_orders_resolve(&world.node, cards, &world.vendor, 60).unwrap();
    due(world)[0]
}

fn due(world: &World) -> Vec<TokenOrderId> {
    let found = world
        .node
        .engine
        .read(|tx| paybacks_due(tx, world.book(), 10));
    found.unwrap().into_iter().map(|p| p.order).collect()
}

fn settled(world: &World) -> Vec<(PaybackState, Option<Way>, String)> {
    let found = world
        .node
        .engine
        .read(|tx| paybacks_settled(tx, world.book(), None, 10));
    let found = found.unwrap().items.into_iter();
    found.map(|p| (p.state, p.way, p.reference)).collect()
}

/// In pence: what the processor and the bank have, and what has to go back.
fn money(world: &World) -> (i64, i64, i64) {
    let of = |kind| {
        let found = world.node.engine.read(|tx| {
            let account = match kind {
                AccountKind::Processor => Some(world.vendor.accounts.processor),
                _ => account_found(tx, &world.vendor, kind)?,
            };
            account.map_or(Ok(Amount::ZERO), |account| {
                account_balance(tx, world.book(), account)
            })
        });
        found.unwrap().units() / 1_000_000
    };
    (
        of(AccountKind::Processor),
        of(AccountKind::Bank),
        of(AccountKind::Payback),
    )
}

fn ask(world: &World, actor: Actor, order: TokenOrderId) -> Result<(), PaybackError> {
    let vendor = world.vendor.clone();
    world
        .write(move |tx| payback_ask(tx, actor, &vendor, order))
        .map(drop)
}

fn pay(world: &World, cards: &Told, order: TokenOrderId) -> Settled {
    payback_by_processor(&world.node, cards, &world.vendor, order).unwrap()
}

fn note(world: &World, order: TokenOrderId, number: &'static str) -> Result<(), PaybackError> {
    let vendor = world.vendor.clone();
    world.write(move |tx| payback_note_paid(tx, Actor::System, &vendor, order, number))
}

fn lines(world: &World) -> Vec<String> {
    let rows = world.rows(
        "SELECT action FROM audit WHERE book_id = $1 AND action LIKE 'payback.%'
         ORDER BY audit_id",
    );
    rows.iter().map(|r| r.text(0).unwrap().to_owned()).collect()
}

/// TOK-08: the money is owed from when it comes; the processor pays it back once, however often
/// it is asked, and the money accounts are even again.
fn the_processor_pays_back_once(db: &TestDb) {
    let world = World::new(db);
    let order = late(db, &world);
    let (held, _, owed) = money(&world);
    assert_eq!((held.abs(), owed.abs()), (50, 50));
    assert_eq!(held, -owed, "what the processor has is to go back");
    let cards = Told::default();
    let ada = Actor::Staff(world.staff("Ada"));
    assert!(
        matches!(pay(&world, &cards, order), Settled::Refused { .. }),
        "nobody asked yet"
    );
    assert!(cards.calls.lock().unwrap().is_empty());
    ask(&world, ada, order).unwrap();
    assert_eq!(pay(&world, &cards, order), Settled::Paid);
    assert_eq!(pay(&world, &cards, order), Settled::Paid);
    let calls = cards.calls.lock().unwrap().clone();
    assert_eq!(calls, [(order.into(), format!("test_{order}"))]);
    assert_eq!(money(&world), (0, 0, 0));
    assert!(due(&world).is_empty());
    let way = Some(Way::Processor);
    let paid = (PaybackState::Settled, way, String::new());
    assert_eq!(settled(&world), [paid]);
    assert!(matches!(
        ask(&world, ada, order),
        Err(PaybackError::SettledBefore)
    ));
    assert!(matches!(
        note(&world, order, "TR 1"),
        Err(PaybackError::SettledBefore)
    ));
    assert_eq!(lines(&world), ["payback.asked", "payback.settled"]);
    let told = world
        .rows("SELECT topic FROM outbox WHERE book_id = $1 AND topic = 'token_order.paid_back'");
    assert_eq!(told.len(), 1);
}

/// While the processor has not answered, the money may be on its way: it is asked again, and
/// nobody pays another way.
fn a_lost_answer_closes_every_other_way(db: &TestDb) {
    let world = World::new(db);
    let order = late(db, &world);
    let cards = Told::default();
    let lost = [ProcessorError::NoAnswer, ProcessorError::NoAnswer];
    *cards.answers.lock().unwrap() = lost.to_vec();
    ask(&world, Actor::Staff(world.staff("Ada")), order).unwrap();
    assert_eq!(pay(&world, &cards, order), Settled::Asked);
    assert!(matches!(
        note(&world, order, "TR 1"),
        Err(PaybackError::UnderWay)
    ));
    let again = || paybacks_resolve(&world.node, &cards, &world.vendor).unwrap();
    assert_eq!((again(), due(&world).len()), (0, 1));
    assert_eq!((again(), due(&world).len()), (1, 0));
    assert_eq!(again(), 0, "nothing is asked about what is settled");
    assert_eq!(cards.calls.lock().unwrap().len(), 3);
    assert_eq!(money(&world), (0, 0, 0));
}

/// What the processor will not do is said, and may be done another way, once.
fn a_refusal_opens_another_way(db: &TestDb) {
    let world = World::new(db);
    let order = late(db, &world);
    let held = money(&world).0;
    let cards = Told::default();
    let why = "the payment is too old";
    *cards.answers.lock().unwrap() = vec![ProcessorError::Refused(why.to_owned())];
    ask(&world, Actor::Staff(world.staff("Ada")), order).unwrap();
    let refused = Settled::Refused {
        reason: why.to_owned(),
    };
    assert_eq!(pay(&world, &cards, order), refused);
    assert_eq!(pay(&world, &cards, order), refused, "it is not asked again");
    assert_eq!(cards.calls.lock().unwrap().len(), 1);
    assert!(matches!(
        note(&world, order, "  "),
        Err(PaybackError::Text(_))
    ));
    note(&world, order, "TR 77").unwrap();
    assert!(matches!(
        note(&world, order, "TR 78"),
        Err(PaybackError::SettledBefore)
    ));
    assert_eq!(money(&world), (held, -held, 0), "the bank paid");
    let paid = (PaybackState::Settled, Some(Way::Other), "TR 77".to_owned());
    assert_eq!(settled(&world), [paid]);
    assert_eq!(
        lines(&world),
        ["payback.asked", "payback.refused", "payback.settled"]
    );
}

/// A row of an older Scrip has no entry of its coming: it gets one with that of its going.
fn money_noted_before_it_was_booked_is_booked(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(60);
    let before = money(&world);
    db.run_sql(
        "INSERT INTO payback (book_id, token_order_id, customer_id, amount, processor_reference,
                              created_at)
         SELECT book_id, token_order_id, customer_id, price, 'pi_old', created_at
         FROM token_order",
    );
    let order = due(&world)[0];
    note(&world, order, "cash").unwrap();
    let after = money(&world);
    assert_eq!(after.2, 0);
    assert_eq!(after.0 - before.0, before.1 - after.1);
    assert_eq!(world.balance(id), tokens(60));
}

fn only_staff_pay_back_and_only_what_is_due(db: &TestDb) {
    let world = World::new(db);
    let order = late(db, &world);
    let customer = world.rows("SELECT customer_id FROM payback WHERE book_id = $1");
    let customer = Actor::Customer(scrip_domain::id::CustomerId(customer[0].uuid(0).unwrap()));
    assert!(matches!(
        ask(&world, customer, order),
        Err(PaybackError::Forbidden)
    ));
    let other = TokenOrderId(uuid::Uuid::from_u128(1));
    assert!(matches!(
        ask(&world, Actor::System, other),
        Err(PaybackError::Unknown(_))
    ));
    let foreign = world.other_vendor("other-shop");
    let asked = world.write(move |tx| payback_ask(tx, Actor::System, &foreign, order));
    assert!(matches!(asked, Err(PaybackError::Unknown(_))));
    assert_eq!(due(&world), [order]);
    assert!(world.now() > Timestamp(0));
}
