//! One-time codes as a second factor at sign-in (SHP-03). Which code belongs to which time is
//! tested beside the rules.

use crate::support::World;
use hmac::{Hmac, KeyInit, Mac};
use scrip_domain::Actor;
use scrip_domain::customer::CustomerError;
use scrip_domain::session::{
    Entrance, Holder, SessionError, Subject, Taken, factor_begin, factor_codes_left,
    factor_confirm, factor_end, factor_is_on, factor_lift, session_enter, session_find,
    session_pass, session_waiting,
};
use scrip_testkit::TestDb;
use sha1::Sha1;

both!(
    a_second_factor_stands_between_pin_and_session,
    a_code_opens_once_and_a_recovery_code_too,
    wrong_codes_lock,
    the_vendor_lifts_it_for_one_who_lost_the_app,
);

/// What an app shows for a secret in base 32 at the world's time, by so many half minutes.
fn app(world: &World, secret: &str, steps: i64) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut key, mut value, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in secret.chars() {
        value = value << 5 | u32::try_from(LETTERS.find(letter).unwrap()).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key.push((value >> bits & 255) as u8);
        }
    }
    let step = world.now().0 / 30_000_000 + steps;
    let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&key).unwrap();
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let from = usize::from(hash[19] & 15);
    let four: [u8; 4] = hash[from..from + 4].try_into().unwrap();
    format!(
        "{:06}",
        (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
    )
}

struct On {
    holder: Holder,
    secret: String,
    codes: Vec<String>,
}

fn turn_on(world: &World, subject: Subject) -> On {
    let holder = Holder {
        book_id: world.book(),
        subject,
    };
    let vault = world.node.vault.clone();
    let secret = world
        .write(move |tx| factor_begin(tx, &vault, holder))
        .unwrap();
    assert!(!is_on(world, holder), "not before a code was right");
    let (vault, code) = (world.node.vault.clone(), app(world, &secret, 0));
    let wrong = vault.clone();
    let not = world.write(move |tx| factor_confirm(tx, &wrong, holder, "12345"));
    assert_eq!(not.unwrap(), Taken::Wrong);
    let done = world.write(move |tx| factor_confirm(tx, &vault, holder, &code));
    let Taken::Right(codes) = done.unwrap() else {
        panic!("the code is right");
    };
    assert_eq!(codes.len(), 10);
    On {
        holder,
        secret,
        codes,
    }
}

fn is_on(world: &World, holder: Holder) -> bool {
    world
        .node
        .engine
        .read(|tx| factor_is_on(tx, holder))
        .unwrap()
}

fn enter(world: &World, holder: Holder) -> Entrance {
    world.write(move |tx| session_enter(tx, holder)).unwrap()
}

fn waits(world: &World, holder: Holder) -> String {
    match enter(world, holder) {
        Entrance::Waits(token) => token,
        Entrance::Open(_) => panic!("a code is needed"),
    }
}

fn pass(world: &World, token: &str, code: &str) -> Taken<(Subject, String)> {
    let (vault, book) = (world.node.vault.clone(), world.book());
    let (token, code) = (token.to_owned(), code.to_owned());
    world
        .write(move |tx| session_pass(tx, &vault, book, &token, &code))
        .unwrap()
}

fn is_session(world: &World, token: &str) -> bool {
    let book = world.book();
    let found = world.node.engine.read(|tx| session_find(tx, book, token));
    found.unwrap().is_some()
}

/// SHP-03: with PIN or password alone there is no session, for customers and for staff; the right
/// code makes one under another token.
fn a_second_factor_stands_between_pin_and_session(db: &TestDb) {
    let world = World::new(db);
    let customer = Subject::Customer(world.register().customer_id);
    let staff = Subject::Staff(world.staff("Ada"));
    for subject in [customer, staff] {
        let holder = Holder {
            book_id: world.book(),
            subject,
        };
        assert!(matches!(enter(&world, holder), Entrance::Open(_)));
        let on = turn_on(&world, subject);
        let token = waits(&world, holder);
        assert!(!is_session(&world, &token));
        let (found, open) = match pass(&world, &token, &app(&world, &on.secret, 1)) {
            Taken::Right(right) => right,
            other => panic!("{other:?}"),
        };
        assert_eq!(found, subject);
        assert!(is_session(&world, &open) && !is_session(&world, &token));
        assert_eq!(pass(&world, &token, &on.codes[0]), Taken::Over);
        let late = waits(&world, holder);
        world.clock.advance_seconds(5 * 60);
        assert_eq!(pass(&world, &late, &on.codes[0]), Taken::Over, "too late");
        let book = world.book();
        let waiting = world
            .node
            .engine
            .read(|tx| session_waiting(tx, book, &late));
        assert_eq!(waiting.unwrap(), None);
    }
    world.verify();
}

/// SHP-03: a code that was taken is not taken again within its window, nor an earlier one; each
/// recovery code works once.
fn a_code_opens_once_and_a_recovery_code_too(db: &TestDb) {
    let world = World::new(db);
    let on = turn_on(&world, Subject::Customer(world.register().customer_id));
    let replay = waits(&world, on.holder);
    let first = app(&world, &on.secret, 0);
    assert_eq!(
        pass(&world, &replay, &first),
        Taken::Wrong,
        "it turned them on"
    );
    let next = app(&world, &on.secret, 1);
    assert!(matches!(pass(&world, &replay, &next), Taken::Right(_)));
    let again = waits(&world, on.holder);
    assert_eq!(pass(&world, &again, &next), Taken::Wrong);
    let typed = on.codes[3].to_lowercase().replace('-', " ");
    assert!(matches!(pass(&world, &again, &typed), Taken::Right(_)));
    let third = waits(&world, on.holder);
    assert_eq!(pass(&world, &third, &on.codes[3]), Taken::Wrong, "used");
    let left = world
        .node
        .engine
        .read(|tx| factor_codes_left(tx, on.holder));
    assert_eq!(left.unwrap(), 9);
    let kept = world.rows("SELECT code_hash FROM recovery_code WHERE book_id = $1");
    assert!(kept.iter().all(|row| row.blob(0).unwrap().len() == 32));
    let vault = world.node.vault.clone();
    let holder = on.holder;
    let again = world.write(move |tx| factor_begin(tx, &vault, holder));
    assert!(matches!(again, Err(SessionError::FactorOn)));
}

/// SHP-03: five wrong codes, and none is taken for a quarter of an hour, over all visits.
fn wrong_codes_lock(db: &TestDb) {
    let world = World::new(db);
    let on = turn_on(&world, Subject::Customer(world.register().customer_id));
    for _ in 0..5 {
        let token = waits(&world, on.holder);
        assert_eq!(pass(&world, &token, "000000 "), Taken::Wrong);
    }
    let token = waits(&world, on.holder);
    let code = app(&world, &on.secret, 1);
    let until = world.now().plus_seconds(15 * 60);
    assert_eq!(pass(&world, &token, &code), Taken::Locked { until });
    assert_eq!(pass(&world, &token, &on.codes[0]), Taken::Locked { until });
    world.clock.advance_seconds(15 * 60);
    let token = waits(&world, on.holder);
    assert!(matches!(
        pass(&world, &token, &on.codes[0]),
        Taken::Right(_)
    ));
}

fn the_vendor_lifts_it_for_one_who_lost_the_app(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let on = turn_on(&world, Subject::Customer(id));
    let holder = on.holder;
    let own = world.write(move |tx| factor_lift(tx, Actor::Customer(id), holder));
    assert!(matches!(
        own,
        Err(SessionError::Customer(CustomerError::Forbidden))
    ));
    let staff = Actor::Staff(world.staff("Ada"));
    world
        .write(move |tx| factor_lift(tx, staff, holder))
        .unwrap();
    assert!(matches!(enter(&world, holder), Entrance::Open(_)));
    let again = turn_on(&world, Subject::Customer(id));
    assert_ne!(again.secret, on.secret);
    let (vault, code) = (world.node.vault.clone(), again.codes[0].clone());
    let ended = world.write(move |tx| factor_end(tx, &vault, holder, &code));
    assert_eq!(ended.unwrap(), Taken::Right(()));
    assert!(!is_on(&world, holder));
    let noted = world.rows(
        "SELECT action FROM audit WHERE book_id = $1 AND action LIKE 'second_factor.%'
         ORDER BY audit_id",
    );
    let noted: Vec<_> = noted
        .iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect();
    assert_eq!(
        noted,
        [
            "second_factor.on",
            "second_factor.lifted",
            "second_factor.on",
            "second_factor.recovery_code",
            "second_factor.off",
        ]
    );
}
