//! Signing in by PIN and password: lock-out under parallel guesses, release, no hints.

use crate::support::World;
use scrip_domain::customer::{
    AccountNumber, Attempt, Details, Registered, SecretError, SecretKind, SignIn, attempt_begin,
    attempt_end, secret_hash, secret_set, sign_in,
};
use scrip_domain::secret::stray_attempts_expire;
use scrip_engine::Timestamp;
use scrip_testkit::TestDb;
use std::sync::OnceLock;

both!(
    pin_and_password_prove_the_customer,
    wrong_guesses_at_once_get_five_comparisons,
    sixteen_wrong_sign_ins_lock_the_pin,
    a_right_secret_starts_the_count_over,
    an_unknown_number_is_answered_like_a_wrong_pin,
    a_sign_in_name_does_as_well_as_the_number,
    a_lock_does_not_tell_who_has_an_account,
    wrong_guesses_at_once_at_nobody_get_five_tries,
    attempts_at_nobody_are_forgotten,
);

const PIN: &str = "2580";
const PASSWORD: &str = "correct horse battery";

/// Hashes of [`PIN`] and [`PASSWORD`]: they take long.
fn hashes() -> &'static (String, String) {
    static HASHES: OnceLock<(String, String)> = OnceLock::new();
    HASHES.get_or_init(|| {
        (
            secret_hash(SecretKind::Pin, PIN).unwrap(),
            secret_hash(SecretKind::Password, PASSWORD).unwrap(),
        )
    })
}

fn register(world: &World) -> Registered {
    let (pin, password) = hashes().clone();
    world.register_with(Details {
        pin_hash: Some(pin),
        password_hash: Some(password),
        ..Details::default()
    })
}

fn pin(world: &World, who: &Registered, pin: &str) -> SignIn {
    let number = who.number.to_string();
    sign_in(&world.node, &world.vendor, &number, SecretKind::Pin, pin).unwrap()
}

fn proven(sign_in: &SignIn) -> bool {
    matches!(sign_in, SignIn::Proven(_))
}

fn pin_and_password_prove_the_customer(db: &TestDb) {
    let world = World::new(db);
    let who = register(&world);
    let number = who.number.to_string();
    let try_it =
        |kind, secret: &str| sign_in(&world.node, &world.vendor, &number, kind, secret).unwrap();
    match try_it(SecretKind::Pin, PIN) {
        SignIn::Proven(customer) => assert_eq!(customer.customer_id, who.customer_id),
        other => panic!("{other:?}"),
    }
    assert!(proven(&try_it(SecretKind::Password, PASSWORD)));
    assert_eq!(try_it(SecretKind::Pin, PASSWORD), SignIn::Wrong);
    assert_eq!(try_it(SecretKind::Password, PIN), SignIn::Wrong);
    assert_eq!(try_it(SecretKind::Password, ""), SignIn::Wrong);
    let weak = secret_hash(SecretKind::Pin, "1234");
    assert_eq!(weak, Err(SecretError::PinWeak));
    // A new PIN ends the old one.
    let customer = world.customer(who.customer_id);
    let fresh = secret_hash(SecretKind::Pin, "90871").unwrap();
    world
        .write(move |tx| {
            let (book, id) = (customer.book_id, customer.customer_id);
            secret_set(tx, book, id, SecretKind::Pin, &fresh)
        })
        .unwrap();
    assert_eq!(try_it(SecretKind::Pin, PIN), SignIn::Wrong);
    assert!(proven(&try_it(SecretKind::Pin, "90871")));
}

/// SHP-03: guesses cannot outrun the lock: of 16 attempts begun at once, five may compare.
fn wrong_guesses_at_once_get_five_comparisons(db: &TestDb) {
    let world = World::new(db);
    for _ in 0..10 {
        let who = register(&world);
        let customer = world.customer(who.customer_id);
        let attempts: Vec<Attempt> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    let (customer, vault) = (customer.clone(), world.node.vault.clone());
                    let world = &world;
                    scope.spawn(move || {
                        world.write(move |tx| attempt_begin(tx, &vault, &customer, SecretKind::Pin))
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().unwrap().unwrap())
                .collect()
        });
        let compared = |a: &&Attempt| matches!(a, Attempt::Compare { hash: Some(_) });
        assert_eq!(attempts.iter().filter(compared).count(), 5);
        let until = world.now().plus_seconds(15 * 60);
        let locked = |a: &&Attempt| **a == Attempt::Locked { until };
        assert_eq!(attempts.iter().filter(locked).count(), 11);
    }
}

fn sixteen_wrong_sign_ins_lock_the_pin(db: &TestDb) {
    let world = World::new(db);
    let who = register(&world);
    let answers: Vec<SignIn> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|i| {
                scope.spawn({
                    let (world, who) = (&world, &who);
                    move || pin(world, who, &format!("77{i:02}"))
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let wrong = answers.iter().filter(|a| **a == SignIn::Wrong).count();
    let locked = answers
        .iter()
        .filter(|a| matches!(a, SignIn::Locked { .. }));
    assert_eq!((wrong, locked.count()), (5, 11));
    let until = world.now().plus_seconds(15 * 60);
    assert_eq!(
        pin(&world, &who, PIN),
        SignIn::Locked { until },
        "the right one too"
    );
    // The other secret has a count of its own.
    let number = who.number.to_string();
    let kind = SecretKind::Password;
    assert!(proven(
        &sign_in(&world.node, &world.vendor, &number, kind, PASSWORD).unwrap()
    ));
    world.clock.advance_seconds(15 * 60 - 1);
    assert!(!proven(&pin(&world, &who, PIN)));
    world.clock.advance_seconds(1);
    assert_eq!(pin(&world, &who, "7799"), SignIn::Wrong, "one more guess");
    let until = world.now().plus_seconds(30 * 60);
    assert_eq!(
        pin(&world, &who, PIN),
        SignIn::Locked { until },
        "twice as long"
    );
    world.clock.advance_seconds(30 * 60);
    assert!(proven(&pin(&world, &who, PIN)));
}

fn a_right_secret_starts_the_count_over(db: &TestDb) {
    let world = World::new(db);
    let who = register(&world);
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(pin(&world, &who, "7799"), SignIn::Wrong);
        }
        assert!(proven(&pin(&world, &who, PIN)), "the fifth is right");
    }
    let customer = world.customer(who.customer_id);
    let ended = customer.clone();
    let end = |hash: &'static str| {
        let ended = ended.clone();
        world.write(move |tx| attempt_end(tx, &ended, SecretKind::Pin, hash))
    };
    assert!(end(&hashes().0).unwrap());
    assert!(!end(&hashes().1).unwrap(), "not what is kept");
    let count = world.number("SELECT failures FROM credential WHERE book_id = $1 AND kind = 'pin'");
    assert_eq!(count, 0);
}

/// SHP-03: number and secret that do not belong together are answered alike, whichever is wrong.
fn an_unknown_number_is_answered_like_a_wrong_pin(db: &TestDb) {
    let world = World::new(db);
    let who = register(&world);
    let nobody = world.register();
    let other = world.other_vendor("other-shop");
    let number = who.number.to_string();
    let try_it =
        |vendor, number: &str| sign_in(&world.node, vendor, number, SecretKind::Pin, PIN).unwrap();
    assert_eq!(try_it(&world.vendor, "001-0000-0000-00"), SignIn::Wrong);
    assert_eq!(try_it(&world.vendor, "no number"), SignIn::Wrong);
    assert_eq!(try_it(&other, &number), SignIn::Wrong, "another vendor's");
    let without = nobody.number.to_string();
    assert_eq!(try_it(&world.vendor, &without), SignIn::Wrong, "has no PIN");
    assert!(proven(&try_it(&world.vendor, &number)));
    assert_ne!(world.now(), Timestamp(0));
}

/// SHP-03: the name is read without case and space around it, and counts with the number.
fn a_sign_in_name_does_as_well_as_the_number(db: &TestDb) {
    let world = World::new(db);
    let other = world.other_vendor("other-shop");
    let who = world.register_with(Details {
        login: Some("Ada Lovelace".to_owned()),
        pin_hash: Some(hashes().0.clone()),
        ..Details::default()
    });
    let by = |vendor, name: &str, pin: &str| {
        sign_in(&world.node, vendor, name, SecretKind::Pin, pin).unwrap()
    };
    for name in ["Ada Lovelace", " ada LOVELACE "] {
        match by(&world.vendor, name, PIN) {
            SignIn::Proven(customer) => assert_eq!(customer.customer_id, who.customer_id),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(by(&other, "Ada Lovelace", PIN), SignIn::Wrong, "not here");
    assert_eq!(by(&world.vendor, "Ada", PIN), SignIn::Wrong);
    for _ in 0..4 {
        assert_eq!(by(&world.vendor, "ada lovelace", "7799"), SignIn::Wrong);
    }
    assert_eq!(pin(&world, &who, "7799"), SignIn::Wrong, "the fifth");
    let until = world.now().plus_seconds(15 * 60);
    assert_eq!(
        by(&world.vendor, "Ada Lovelace", PIN),
        SignIn::Locked { until }
    );
}

/// SHP-03: whoever guesses is answered and locked alike, whether or not there is an account, for
/// as long as attempts count.
fn a_lock_does_not_tell_who_has_an_account(db: &TestDb) {
    let world = World::new(db);
    let known = world.register_with(Details {
        login: Some("known".to_owned()),
        pin_hash: Some(hashes().0.clone()),
        ..Details::default()
    });
    let foreign = world.beside("other-shop", "0");
    let names = [
        known.number.to_string(),
        "unknown".to_owned(),
        "001-0000-0000-00".to_owned(),
        // Numbers of nobody, of one without a PIN, and of another vendor's customer.
        "001-7882-9297-98".to_owned(),
        world.register().number.to_string(),
        register(&foreign).number.to_string(),
        String::new(),
        "x".repeat(10_000),
    ];
    assert!(AccountNumber::parse(&names[3]).is_ok());
    let (minute, day) = (60, 24 * 3600);
    let mut answers: Vec<Vec<SignIn>> = vec![Vec::new(); names.len()];
    let waits = [15 * minute - 1, 1, 30 * minute, 0];
    let later = [60 * minute + 7 * day - 1, 0, 120 * minute + 7 * day];
    let six = [0; 6];
    for wait in [&six[..], &waits, &later, &six].concat() {
        world.clock.advance_seconds(wait);
        for (name, answers) in names.iter().zip(&mut answers) {
            let kind = SecretKind::Pin;
            let answer = sign_in(&world.node, &world.vendor, name, kind, "7799");
            answers.push(answer.unwrap());
        }
    }
    let wrong = |a: &&SignIn| **a == SignIn::Wrong;
    assert_eq!(answers[0].iter().filter(wrong).count(), 13, "{answers:?}");
    for (name, theirs) in names.iter().zip(&answers) {
        assert_eq!(*theirs, answers[0], "{name:.40}");
    }
}

fn wrong_guesses_at_once_at_nobody_get_five_tries(db: &TestDb) {
    let world = World::new(db);
    for name in ["nobody", "001-0000-0000-00"] {
        // All ways to write a number have one count.
        let ways = [name.to_owned(), format!(" {} ", name.to_uppercase())];
        let answers: Vec<SignIn> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|i| {
                    let (world, name) = (&world, &ways[i % 2]);
                    let kind = SecretKind::Pin;
                    scope.spawn(move || sign_in(&world.node, &world.vendor, name, kind, PIN))
                })
                .collect();
            let ended = threads.into_iter().map(|t| t.join().unwrap().unwrap());
            ended.collect()
        });
        let wrong = answers.iter().filter(|a| **a == SignIn::Wrong).count();
        assert_eq!(wrong, 5);
        let until = world.now().plus_seconds(15 * 60);
        let locked = |a: &&SignIn| **a == SignIn::Locked { until };
        assert_eq!(answers.iter().filter(locked).count(), 11);
    }
}

/// Names that nobody has fill the database for a week at most.
fn attempts_at_nobody_are_forgotten(db: &TestDb) {
    let world = World::new(db);
    let book = world.book();
    let guess =
        |name: &str| sign_in(&world.node, &world.vendor, name, SecretKind::Pin, PIN).unwrap();
    for name in ["one", "two"] {
        assert_eq!(guess(name), SignIn::Wrong);
    }
    for _ in 0..4 {
        assert_eq!(guess("two"), SignIn::Wrong);
    }
    let expire = || {
        world
            .write(move |tx| stray_attempts_expire(tx, book))
            .unwrap()
    };
    let week = 7 * 24 * 3600;
    world.clock.advance_seconds(week - 1);
    assert_eq!(expire(), 0);
    world.clock.advance_seconds(1);
    assert_eq!(expire(), 1, "the other one was locked until later");
    world.clock.advance_seconds(15 * 60);
    assert_eq!(expire(), 1);
    let left = world.number("SELECT COUNT(*) FROM stray_attempt WHERE book_id = $1");
    assert_eq!(left, 0);
}
