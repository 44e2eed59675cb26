//! Answers that are lost, calls that never arrive, banks that ask: the customer pays once or not
//! at all, and what the customer is told stays true (TOK-08, TOK-09, REG-09).

use super::fake::{Fake, Fault};
use super::world::{World, approved, declined, token_order};
use scrip_domain::id::TokenOrderId;
use scrip_domain::token_sale::{CardProcessor, ChargeOutcome, Outcome, TokenOrderState};
use scrip_testkit::TestDb;

/// Runs a story with a fresh world on its peer.
fn with(story: impl FnOnce(&Fake, &World)) {
    let peer = Fake::start();
    let db = TestDb::sqlite();
    story(&peer, &World::new(&db, &peer.url));
}

#[test]
fn one_charge_is_one_payment_however_often_it_is_asked_for() {
    with(|peer, world| {
        let id = world.customer();
        let charge = world.open(id, 500, "pm_ok");
        for _ in 0..3 {
            assert!(approved(&world.charge_and_close(&charge)));
            assert!(approved(&world.resolve(token_order(&charge))));
        }
        let state = peer.state();
        assert_eq!((state.paid(), state.payments()), (1, 1));
        assert_eq!(world.balance(id), 500);
    });
}

/// TOK-08: the answer to each call gets lost in each way, and asking later says what happened.
#[test]
fn a_lost_answer_is_resolved_by_asking() {
    for (end, fault, is_paid) in [
        ("payment_intents", Fault::Unheard, false),
        ("payment_intents", Fault::Unanswered, false),
        ("payment_intents", Fault::Defect, false),
        ("payment_intents", Fault::Status(429), false),
        ("payment_intents", Fault::Status(409), false),
        ("confirm", Fault::Unheard, false),
        ("confirm", Fault::Status(429), false),
        ("confirm", Fault::Unanswered, true),
        ("confirm", Fault::Defect, true),
    ] {
        with(|peer, world| {
            let id = world.customer();
            peer.fail(end, fault);
            let (order, outcome) = world.buy(id, 500, "pm_ok");
            assert_eq!(outcome, Outcome::Awaiting, "{end} {fault:?}");
            let outcome = world.resolve(order);
            assert_eq!(approved(&outcome), is_paid, "{end} {fault:?}: {outcome:?}");
            assert_eq!(peer.state().paid(), usize::from(is_paid), "{end} {fault:?}");
            assert_eq!(world.balance(id), if is_paid { 500 } else { 0 });
            // What was held up on its way arrives now, and changes nothing.
            let late = world.stripe.charge(&world.charge(order));
            let still = matches!(late, ChargeOutcome::Approved { .. });
            assert_eq!(still, is_paid, "{end} {fault:?}: {late:?}");
            assert_eq!(peer.state().paid(), usize::from(is_paid), "{end} {fault:?}");
        });
    }
}

/// A peer that takes a call and says nothing is given up before anybody looks the charge up.
#[test]
fn a_silent_peer_leaves_the_order_awaiting() {
    with(|peer, world| {
        let id = world.customer();
        peer.fail("confirm", Fault::Silence);
        let (order, outcome) = world.buy(id, 500, "pm_ok");
        assert_eq!(outcome, Outcome::Awaiting);
        assert!(approved(&world.resolve(order)));
        assert_eq!((peer.state().paid(), world.balance(id)), (1, 500));
    });
}

/// While asking fails nothing is decided.
#[test]
fn nothing_is_guessed_while_the_peer_does_not_answer() {
    for fault in [
        Fault::Unheard,
        Fault::Defect,
        Fault::Status(401),
        Fault::Status(404),
    ] {
        with(|peer, world| {
            let id = world.customer();
            peer.fail("confirm", Fault::Unanswered);
            let (order, _) = world.buy(id, 500, "pm_ok");
            peer.fail("", fault);
            assert_eq!(world.resolve(order), Outcome::Awaiting, "{fault:?}");
            assert!(approved(&world.resolve(order)));
        });
    }
    with(|peer, world| {
        let (order, outcome) = world.buy(world.customer(), 500, "pm_slow");
        assert_eq!(outcome, Outcome::Awaiting);
        assert_eq!(
            world.resolve(order),
            Outcome::Awaiting,
            "it is still processed"
        );
        peer.set(&world.payment(order), "succeeded");
        assert!(approved(&world.resolve(order)));
    });
}

/// REG-09: what is declined cannot succeed later, also where cancelling takes a second try.
#[test]
fn a_declined_payment_is_cancelled() {
    with(|peer, world| {
        let id = world.customer();
        let (order, outcome) = world.buy(id, 500, "pm_declined");
        assert!(declined(&outcome).contains("not enough money"));
        let status = peer.state().objects[&world.payment(order)]["status"].clone();
        assert_eq!(status, "canceled");
        assert_eq!(world.balance(id), 0);

        peer.fail("confirm", Fault::Unheard);
        let (order, outcome) = world.buy(id, 500, "pm_ok");
        assert_eq!(outcome, Outcome::Awaiting);
        peer.fail("cancel", Fault::Unheard);
        assert_eq!(
            world.resolve(order),
            Outcome::Awaiting,
            "it could still be confirmed"
        );
        assert!(declined(&world.resolve(order)).contains("did not reach"));
        assert_eq!(world.state(order), TokenOrderState::Declined);
    });
}

/// 3-D Secure: the order waits for the customer, not for ever; whoever is absent is not asked.
#[test]
fn a_question_of_the_bank_waits_for_its_customer() {
    with(|peer, world| {
        let id = world.customer();
        let (order, outcome) = world.buy(id, 500, "pm_question");
        assert_eq!(outcome, Outcome::Awaiting);
        let question = |order: TokenOrderId| world.stripe.question(&world.charge(order));
        assert!(question(order).unwrap().is_some());
        assert_eq!(world.resolve(order), Outcome::Awaiting, "there is time");
        peer.set(&world.payment(order), "succeeded");
        assert!(approved(&world.resolve(order)));
        assert_eq!(question(order), Ok(None));

        let (order, _) = world.buy(id, 500, "pm_question");
        peer.set(&world.payment(order), "requires_payment_method");
        assert!(declined(&world.resolve(order)).contains("card"));

        let (order, _) = world.buy(id, 500, "pm_question");
        world.clock.advance_seconds(901);
        assert!(declined(&world.resolve(order)).contains("confirm"));

        let mut charge = world.open(id, 500, "pm_question");
        charge.is_absent = true;
        let outcome = world.charge_and_close(&charge);
        assert!(declined(&outcome).contains("confirm"));
        assert_eq!((peer.state().paid(), world.balance(id)), (1, 500));
    });
}

/// What Stripe refuses to make a payment of charges nothing, and says what to do.
#[test]
fn what_is_refused_is_declined_in_words() {
    with(|peer, world| {
        let id = world.customer();
        let (_, outcome) = world.buy(id, 500, "4242 4242 4242 4242");
        assert!(declined(&outcome).contains("enter it again"));
        for status in [400, 401, 403] {
            peer.fail("payment_intents", Fault::Status(status));
            let (_, outcome) = world.buy(id, 500, "pm_ok");
            assert!(declined(&outcome).contains("cannot take cards"), "{status}");
        }
        assert_eq!(peer.state().paid(), 0);
    });
}
