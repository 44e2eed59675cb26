//! PINs under an idempotency key: repeated, at once, after a crash between the two transactions.

use crate::support::World;
use scrip_domain::closing::customer_close;
use scrip_domain::customer::{CustomerError, Details, SignIn, customer_verify_keyed, sign_in};
use scrip_domain::id::CustomerId;
use scrip_domain::secret::{Proof, SecretKind, prove_keyed, secret_hash};
use scrip_domain::session::{
    PinChange, SessionError, Subject, pin_change_keyed, pin_replace, session_find, session_open,
};
use scrip_domain::{Actor, Answer, CommandError, Keyed};
use scrip_testkit::TestDb;
use std::sync::OnceLock;

both!(
    a_repeated_verification_is_one_attempt,
    a_lock_is_told_and_told_again,
    verifications_at_once_under_one_key_have_one_outcome,
    one_that_broke_off_half_way_is_told_apart,
    nothing_of_the_secret_is_stored,
    a_closed_account_is_not_verified,
    a_repeated_change_is_done_once,
    staff_replace_a_pin_and_end_the_sessions,
);

const PIN: &str = "2580";
const NEW: &str = "90871";

/// Hashes of [`PIN`] and [`NEW`]: they take long.
fn hashes() -> &'static [String; 2] {
    static HASHES: OnceLock<[String; 2]> = OnceLock::new();
    HASHES.get_or_init(|| [PIN, NEW].map(|pin| secret_hash(SecretKind::Pin, pin).unwrap()))
}

fn register(world: &World) -> CustomerId {
    let details = Details {
        pin_hash: Some(hashes()[0].clone()),
        ..Details::default()
    };
    world.register_with(details).customer_id
}

fn keyed(world: &World, id: CustomerId, key: &str, request: &str) -> Keyed {
    Keyed {
        book_id: world.book(),
        actor: Actor::System,
        key: Some(key.to_owned()),
        request: request.as_bytes().to_vec(),
        subject: Some(id),
    }
}

fn verify(
    world: &World,
    id: CustomerId,
    key: &str,
    pin: &str,
) -> Result<Answer<Proof<()>>, CustomerError> {
    let keyed = keyed(world, id, key, pin);
    customer_verify_keyed(
        &world.node,
        keyed,
        &world.customer(id),
        SecretKind::Pin,
        pin,
    )
}

fn is_pin(world: &World, id: CustomerId, pin: &str) -> bool {
    let number = world.customer(id).number.to_string();
    let sign_in = sign_in(&world.node, &world.vendor, &number, SecretKind::Pin, pin).unwrap();
    matches!(sign_in, SignIn::Proven(_))
}

/// ARC-04, ARC-08: the same request under the same key costs no second attempt.
fn a_repeated_verification_is_one_attempt(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    for again in 0..8 {
        let wrong = verify(&world, id, "w", "7799").unwrap();
        assert_eq!((wrong.value, wrong.replayed), (Proof::Wrong, again > 0));
    }
    let proven = verify(&world, id, "a", PIN).unwrap();
    assert_eq!((proven.value, proven.replayed), (Proof::Proven(()), false));
    let again = verify(&world, id, "a", PIN).unwrap();
    assert_eq!((again.value, again.replayed), (Proof::Proven(()), true));
    let other = verify(&world, id, "a", "7799");
    assert!(matches!(
        other,
        Err(CustomerError::Command(CommandError::KeyReused))
    ));
    let nobody = world.register().customer_id;
    assert_eq!(
        verify(&world, nobody, "n", PIN).unwrap().value,
        Proof::Wrong
    );
}

/// SHP-03: five wrong attempts lock, whichever way they come.
fn a_lock_is_told_and_told_again(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    for n in 0..5 {
        let wrong = verify(&world, id, &format!("w{n}"), "7799").unwrap();
        assert_eq!(wrong.value, Proof::Wrong);
    }
    let until = world.now().plus_seconds(15 * 60);
    for again in [false, true] {
        let locked = verify(&world, id, "a", PIN).unwrap();
        assert_eq!(locked.value, Proof::Locked { until });
        assert_eq!(locked.replayed, again);
    }
    assert!(!is_pin(&world, id, PIN), "signing in is locked, too");
}

/// ARC-08: of several at once one is the attempt; the others get its outcome, or are told that
/// there is none yet.
fn verifications_at_once_under_one_key_have_one_outcome(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    for (key, pin, expected) in [("a", PIN, Proof::Proven(())), ("b", "7799", Proof::Wrong)] {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| verify(&world, id, key, pin)))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let mut first = 0;
        for answer in answers {
            match answer {
                Ok(answer) => {
                    assert_eq!(answer.value, expected);
                    first += i32::from(!answer.replayed);
                }
                Err(CustomerError::Command(CommandError::UnderWay)) => {}
                Err(e) => panic!("{e:?}"),
            }
        }
        assert_eq!(first, 1);
        assert_eq!(verify(&world, id, key, pin).unwrap().value, expected);
    }
    // The eight wrong ones were one attempt: the fifth locks.
    for n in 0..4 {
        let wrong = verify(&world, id, &format!("w{n}"), "7799").unwrap();
        assert_eq!(wrong.value, Proof::Wrong, "{n}");
    }
    let locked = verify(&world, id, "l", PIN).unwrap();
    assert!(matches!(locked.value, Proof::Locked { .. }));
}

/// A process that dies while it compares leaves an attempt without an outcome: its key never
/// becomes a second attempt.
fn one_that_broke_off_half_way_is_told_apart(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    let broken = prove_keyed(
        &world.node,
        keyed(&world, id, "a", PIN),
        (),
        PIN,
        |_, ()| {
            Ok(scrip_domain::customer::Attempt::Compare {
                hash: Some(hashes()[0].clone()),
            })
        },
        |_, (), _| Err(CustomerError::RegistrationUnknown),
    );
    assert!(matches!(broken, Err(CustomerError::RegistrationUnknown)));
    for _ in 0..2 {
        let again = verify(&world, id, "a", PIN);
        assert!(matches!(
            again,
            Err(CustomerError::Command(CommandError::UnderWay))
        ));
    }
    assert_eq!(
        verify(&world, id, "b", PIN).unwrap().value,
        Proof::Proven(())
    );
}

/// The stored answers have neither the secret nor its hash, even for one who knows the key.
fn nothing_of_the_secret_is_stored(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    verify(&world, id, "a", PIN).unwrap();
    let envelope = keyed(&world, id, "a", PIN);
    let stored: Answer<serde_json::Value> = world
        .node
        .run(envelope, |_| {
            Err::<_, CustomerError>(CommandError::UnderWay.into())
        })
        .unwrap();
    assert!(stored.replayed);
    let text = stored.value.to_string();
    assert_eq!(text, "\"Compare\"");
}

fn a_closed_account_is_not_verified(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    let earlier = verify(&world, id, "e", PIN).unwrap();
    let customer = world.customer(id);
    world
        .write(move |tx| customer_close(tx, Actor::System, &customer))
        .unwrap();
    let again = verify(&world, id, "e", PIN).unwrap();
    assert_eq!((again.value, again.replayed), (earlier.value, true));
    let refused = verify(&world, id, "a", PIN);
    assert!(matches!(refused, Err(CustomerError::Closed(_))));
}

/// REG-11, ARC-08: the same change again neither fails because the old PIN is gone nor ends
/// sessions that were opened since.
fn a_repeated_change_is_done_once(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    let book = world.book();
    let open = || {
        world
            .write(move |tx| session_open(tx, book, Subject::Customer(id)))
            .unwrap()
    };
    let is_open = |token: &str| {
        let found = world.node.engine.read(|tx| session_find(tx, book, token));
        found.unwrap().is_some()
    };
    let change = |key: &str, old: &str| {
        let keyed = keyed(&world, id, key, old);
        let customer = world.customer(id);
        pin_change_keyed(&world.node, keyed, &customer, old, &hashes()[1], None).unwrap()
    };
    let before = open();
    let wrong = change("w", "7799");
    assert_eq!((wrong.value, wrong.replayed), (PinChange::Wrong, false));
    assert!(is_open(&before) && is_pin(&world, id, PIN));
    assert_eq!(change("a", PIN).value, PinChange::Done);
    assert!(!is_open(&before) && is_pin(&world, id, NEW));
    let since = open();
    let again = change("a", PIN);
    assert_eq!((again.value, again.replayed), (PinChange::Done, true));
    assert!(is_open(&since));
    assert_eq!(
        change("b", PIN).value,
        PinChange::Wrong,
        "the old one is gone"
    );
}

fn staff_replace_a_pin_and_end_the_sessions(db: &TestDb) {
    let world = World::new(db);
    let (id, book) = (register(&world), world.book());
    let token = world
        .write(move |tx| session_open(tx, book, Subject::Customer(id)))
        .unwrap();
    let replace = |actor: Actor| {
        let customer = world.customer(id);
        world.write(move |tx| pin_replace(tx, actor, &customer, &hashes()[1]))
    };
    let own = replace(Actor::Customer(id));
    assert!(matches!(
        own,
        Err(SessionError::Customer(CustomerError::Forbidden))
    ));
    // A lock is lifted with the new PIN.
    for n in 0..5 {
        verify(&world, id, &format!("w{n}"), "7799").unwrap();
    }
    replace(Actor::Staff(world.staff("Ada"))).unwrap();
    assert!(is_pin(&world, id, NEW) && !is_pin(&world, id, PIN));
    let found = world.node.engine.read(|tx| session_find(tx, book, &token));
    assert!(found.unwrap().is_none());
    // Even where there was none.
    let without = world.register().customer_id;
    let customer = world.customer(without);
    world
        .write(move |tx| pin_replace(tx, Actor::System, &customer, &hashes()[0]))
        .unwrap();
    assert!(is_pin(&world, without, PIN));
    let customer = world.customer(without);
    world
        .write(move |tx| customer_close(tx, Actor::System, &customer))
        .unwrap();
    let customer = world.customer(without);
    let closed = world.write(move |tx| pin_replace(tx, Actor::System, &customer, &hashes()[1]));
    assert!(matches!(
        closed,
        Err(SessionError::Customer(CustomerError::Closed(_)))
    ));
}
