//! What Stripe tells by itself: once, twice, too early, too late, out of order, or never.

use super::fake::{Fake, Fault};
use super::world::{World, approved, declined, token_order};
use scrip_domain::Actor;
use scrip_domain::books::account_found;
use scrip_domain::card_event::{
    CardEventError, Decision, NewDecision, Reversal, ReversalState, Told, event_note,
    events_handle, reversal_decide, reversal_tokens, reversals, reversals_of_order,
};
use scrip_domain::id::{Payable, TokenOrderId};
use scrip_domain::payback::{Settled, payback_ask, payback_by_processor, payback_of};
use scrip_domain::token_sale::{Outcome, PAY_BACK, TokenOrderState};
use scrip_ledger::{AccountKind, Amount, account_balance};
use scrip_testkit::TestDb;

scrip_testkit::on_both_engines!(resolved_once, an_event_resolves_its_order_once);
scrip_testkit::on_both_engines!(unknown_waits, an_event_of_an_unknown_payment_waits);
scrip_testkit::on_both_engines!(late_money, money_after_a_decline_goes_back);
scrip_testkit::on_both_engines!(disputes, a_dispute_is_booked_and_decided_once);
scrip_testkit::on_both_engines!(refunds, refunds_at_the_processor_are_booked);
scrip_testkit::on_both_engines!(decided, staff_take_tokens_back_or_leave_them);
scrip_testkit::on_both_engines!(closed, money_for_a_closed_account_is_left_to_staff);

/// Notes an event as the webhook does; true when it is new.
fn tell(world: &World, event: &'static str, told: &Told) -> bool {
    let (book, told) = (world.book(), told.clone());
    let noted = world
        .node
        .engine
        .write(move |tx| event_note(tx, book, event, &told));
    noted.unwrap()
}

fn handle(world: &World) -> usize {
    events_handle(&world.node, &world.stripe, &world.vendor).unwrap()
}

fn ended(payment: &str, order: Option<TokenOrderId>, paid: bool) -> Told {
    Told::Payment {
        payment: payment.to_owned(),
        order: order.map(Payable::from),
        paid,
    }
}

fn dispute(payment: &str, state: ReversalState) -> Told {
    Told::Dispute {
        payment: payment.to_owned(),
        dispute: "du_1".to_owned(),
        minor: 300,
        reason: "fraudulent".to_owned(),
        state,
    }
}

/// What the processor owes and what was lost, in pence.
fn money(world: &World) -> (i64, i64) {
    let (book, vendor) = (world.book(), &world.vendor);
    let found = world.node.engine.read(|tx| {
        let owed = account_balance(tx, book, vendor.accounts.processor)?;
        let lost = match account_found(tx, vendor, AccountKind::Charges)? {
            Some(account) => account_balance(tx, book, account)?,
            None => Amount::ZERO,
        };
        Ok::<_, scrip_ledger::Error>((owed, lost))
    });
    let (owed, lost) = found.unwrap();
    let pence = |amount: Amount| amount.units().abs() / 1_000_000;
    (pence(owed), pence(lost))
}

/// TOK-08: an event that comes before anybody asked closes the order; twice, it changes nothing.
fn an_event_resolves_its_order_once(db: &TestDb) {
    let peer = Fake::start();
    let world = World::new(db, &peer.url);
    let id = world.customer();
    peer.fail("confirm", Fault::Unanswered);
    let (order, outcome) = world.buy(id, 500, "pm_ok");
    assert_eq!(outcome, Outcome::Awaiting);
    let told = ended(&world.payment(order), Some(order), true);
    assert!(tell(&world, "evt_1", &told));
    assert!(!tell(&world, "evt_1", &told), "the same event again");
    assert_eq!(handle(&world), 1);
    assert_eq!(world.state(order), TokenOrderState::Cleared);
    assert!(
        tell(&world, "evt_2", &told),
        "another event that tells the same"
    );
    assert!(tell(
        &world,
        "evt_3",
        &ended(&world.payment(order), Some(order), false)
    ));
    assert_eq!((handle(&world), handle(&world)), (2, 0));
    assert_eq!((world.balance(id), peer.state().refunds()), (500, 0));
}

/// An event that comes before its payment is known is kept, and looked at again for a week.
fn an_event_of_an_unknown_payment_waits(db: &TestDb) {
    let peer = Fake::start();
    let world = World::new(db, &peer.url);
    let id = world.customer();
    // The first name that the peer gives.
    assert!(tell(&world, "evt_1", &ended("pi_0001", None, true)));
    assert!(tell(&world, "evt_2", &ended("pi_nobodys", None, true)));
    assert_eq!(handle(&world), 0);
    peer.fail("confirm", Fault::Unanswered);
    let (order, _) = world.buy(id, 500, "pm_ok");
    assert_eq!(world.payment(order), "pi_0001");
    peer.fail("pi_0001", Fault::Unheard);
    assert_eq!(handle(&world), 0, "the peer does not answer");
    assert_eq!(handle(&world), 1);
    assert_eq!(world.balance(id), 500);
    let wrong = ended(
        "pi_0001",
        Some(token_order(&world.open(id, 1, "pm_ok"))),
        true,
    );
    assert!(tell(&world, "evt_3", &wrong), "it names another order");
    world.clock.advance_seconds(7 * 24 * 3600);
    assert_eq!(handle(&world), 0);
    world.clock.advance_seconds(1);
    assert_eq!(handle(&world), 2, "nobody asks about them any more");
    assert_eq!(world.balance(id), 500);
}

/// A decline that was told stays one: money that came all the same goes back, once.
fn money_after_a_decline_goes_back(db: &TestDb) {
    let peer = Fake::start();
    let world = World::new(db, &peer.url);
    let id = world.customer();
    let (order, outcome) = world.buy(id, 500, "pm_declined");
    assert!(!declined(&outcome).is_empty());
    let name = world.payment(order);
    assert!(tell(&world, "evt_1", &ended(&name, Some(order), true)));
    assert_eq!(handle(&world), 1, "the processor says that no money came");
    assert_eq!(peer.state().refunds(), 0);

    peer.set(&name, "succeeded");
    assert!(tell(&world, "evt_2", &ended(&name, Some(order), true)));
    peer.fail("refunds", Fault::Unanswered);
    assert_eq!(handle(&world), 1);
    for event in ["evt_3", "evt_4"] {
        assert!(tell(&world, event, &ended(&name, Some(order), true)));
        assert_eq!(handle(&world), 1);
    }
    assert_eq!(
        peer.state().refunds(),
        1,
        "under one key, however often it was tried"
    );
    assert!(tell(&world, "evt_5", &dispute(&name, ReversalState::Open)));
    assert_eq!(
        handle(&world),
        1,
        "nothing was booked that could be taken back"
    );
    assert_eq!(world.balance(id), 0);
    assert_eq!(money(&world), (0, 0));
    assert_eq!(world.state(order), TokenOrderState::Declined);
}

/// A dispute takes the money by an entry of its own, and a dispute that is won brings it back.
fn a_dispute_is_booked_and_decided_once(db: &TestDb) {
    for (first, then, taken) in [
        (ReversalState::Open, ReversalState::Won, 0),
        (ReversalState::Open, ReversalState::Lost, 300),
        // The end comes before the beginning.
        (ReversalState::Won, ReversalState::Open, 0),
        (ReversalState::Lost, ReversalState::Won, 300),
    ] {
        let peer = Fake::start();
        let world = World::named(db, &peer.url, &format!("shop-{first}-{then}"));
        let id = world.customer();
        let (order, outcome) = world.buy(id, 500, "pm_ok");
        assert!(approved(&outcome));
        let name = world.payment(order);
        assert_eq!(money(&world), (500, 0));
        assert!(tell(&world, "evt_1", &dispute(&name, first)));
        assert_eq!(handle(&world), 1);
        if first == ReversalState::Open {
            assert_eq!(money(&world), (200, 300));
        }
        for event in ["evt_2", "evt_3"] {
            assert!(tell(&world, event, &dispute(&name, then)));
            assert_eq!(handle(&world), 1);
        }
        assert_eq!(money(&world), (500 - taken, taken), "{first} then {then}");
        let found: Vec<Reversal> = world
            .node
            .engine
            .read(|tx| reversals(tx, world.book(), 10))
            .unwrap();
        assert_eq!(found.len(), 1);
        let open = found[0].state == ReversalState::Open;
        assert_eq!((open, found[0].order), (false, order.into()));
        assert_eq!(world.balance(id), 500, "tokens are a matter of staff");
    }
}

/// Refunds that staff make at the processor: each part is booked once, whatever comes first.
fn refunds_at_the_processor_are_booked(db: &TestDb) {
    let peer = Fake::start();
    let world = World::new(db, &peer.url);
    let (order, _) = world.buy(world.customer(), 500, "pm_ok");
    let refund = |minor| Told::Refund {
        payment: world.payment(order),
        charge: "ch_1".to_owned(),
        minor,
    };
    for (event, minor, lost) in [
        ("evt_1", 100, 100),
        ("evt_2", 100, 100),
        ("evt_3", 500, 500),
        ("evt_4", 300, 500),
    ] {
        assert!(tell(&world, event, &refund(minor)));
        assert_eq!(handle(&world), 1);
        assert_eq!(money(&world), (500 - lost, lost), "{event}");
    }
    let engine = &world.node.engine;
    let found = engine.read(|tx| reversals_of_order(tx, world.book(), order));
    assert_eq!(found.unwrap().len(), 2);
}

/// What staff decide about the only reversal.
fn decide(world: &World, decision: Decision, reason: &str) -> Result<Reversal, CardEventError> {
    let name = reversed(world)[0].name.clone();
    let (vendor, reason) = (world.vendor.clone(), reason.to_owned());
    world.node.engine.write(move |tx| {
        let new = NewDecision {
            reversal: name.clone(),
            decision,
            reason: reason.clone(),
        };
        reversal_decide(tx, Actor::System, &vendor, &new)
    })
}

fn reversed(world: &World) -> Vec<Reversal> {
    let found = world.node.engine.read(|tx| reversals(tx, world.book(), 10));
    found.unwrap()
}

/// The money of tokens that are not spent, in pence.
fn deferred(world: &World) -> i64 {
    let found = world
        .node
        .engine
        .read(|tx| account_balance(tx, world.book(), world.vendor.accounts.deferred));
    found.unwrap().units().abs() / 1_000_000
}

/// TOK-09: the tokens of a disputed payment are taken back as far as its money paid for them and
/// they are left, or they stay, with a reason, once; a dispute that is won gives them again. What
/// is deferred is always the worth of what customers hold.
fn staff_take_tokens_back_or_leave_them(db: &TestDb) {
    let cases = [
        // money in dispute of 500, decision, then, tokens after, deferred after
        (300, Decision::Take, None, 200, 200),
        (500, Decision::Take, None, 0, 0),
        (300, Decision::Leave, None, 500, 500),
        (300, Decision::Take, Some(ReversalState::Lost), 200, 200),
        (300, Decision::Take, Some(ReversalState::Won), 500, 500),
    ];
    for (n, (minor, decision, then, tokens, worth)) in cases.into_iter().enumerate() {
        let peer = Fake::start();
        let world = World::named(db, &peer.url, &format!("shop-{n}"));
        let id = world.customer();
        let (order, outcome) = world.buy(id, 500, "pm_ok");
        assert!(approved(&outcome));
        let name = world.payment(order);
        let told = |state| match dispute(&name, state) {
            Told::Dispute {
                payment,
                dispute,
                reason,
                state,
                ..
            } => Told::Dispute {
                payment,
                dispute,
                minor,
                reason,
                state,
            },
            other => other,
        };
        assert!(tell(&world, "evt_1", &told(ReversalState::Open)));
        assert_eq!(handle(&world), 1);
        let left = world
            .node
            .engine
            .read(|tx| reversal_tokens(tx, &world.vendor, &reversed(&world)[0]));
        assert_eq!(left.unwrap().1.units(), minor * 1_000_000);
        assert!(matches!(
            decide(&world, decision, " "),
            Err(CardEventError::Text(_))
        ));
        decide(&world, decision, "The card was stolen.").unwrap();
        assert!(matches!(
            decide(&world, Decision::Take, "again"),
            Err(CardEventError::DecidedBefore)
        ));
        if let Some(then) = then {
            for event in ["evt_2", "evt_3"] {
                assert!(tell(&world, event, &told(then)));
                assert_eq!(handle(&world), 1);
            }
        }
        assert_eq!(world.balance(id), tokens, "case {n}");
        assert_eq!(deferred(&world), worth, "case {n}");
        let found = &reversed(&world)[0];
        assert_eq!(found.decision, Some(decision));
        assert_eq!(found.note, "The card was stolen.");
        let again = then == Some(ReversalState::Won);
        assert_eq!(found.returned.is_positive(), again);
    }
}

/// The event that tells of a payment for a closed account starts no second way of paying back:
/// staff do it, and the processor is asked once.
fn money_for_a_closed_account_is_left_to_staff(db: &TestDb) {
    let peer = Fake::start();
    let world = World::new(db, &peer.url);
    let id = world.customer();
    peer.fail("confirm", Fault::Unanswered);
    let (order, outcome) = world.buy(id, 500, "pm_ok");
    assert_eq!(outcome, Outcome::Awaiting);
    // The rules do not let this happen; a copy of an older database might.
    db.run_sql("UPDATE customer SET state = 'closed'");
    let told = ended(&world.payment(order), Some(order), true);
    assert!(tell(&world, "evt_1", &told));
    assert_eq!(handle(&world), 1);
    assert!(tell(&world, "evt_2", &told));
    assert_eq!(handle(&world), 1);
    assert_eq!(peer.state().refunds(), 0, "nothing goes back by itself");
    assert_eq!(declined(&world.resolve(order)), PAY_BACK);
    assert_eq!(money(&world), (500, 0));
    let vendor = world.vendor.clone();
    let asked = world
        .node
        .engine
        .write(move |tx| payback_ask(tx, Actor::System, &vendor, order));
    asked.unwrap();
    peer.fail("refunds", Fault::Unanswered);
    let pay = || payback_by_processor(&world.node, &world.stripe, &world.vendor, order).unwrap();
    assert_eq!(pay(), Settled::Asked);
    assert_eq!((pay(), pay()), (Settled::Paid, Settled::Paid));
    assert_eq!(peer.state().refunds(), 1, "under one key");
    assert_eq!(money(&world), (0, 0));
    let found = world
        .node
        .engine
        .read(|tx| payback_of(tx, world.book(), order));
    assert!(found.unwrap().unwrap().settled_at.is_some());
}
