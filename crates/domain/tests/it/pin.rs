//! A new PIN: changed by who knows the old one, reset by who has a code.

use crate::support::World;
use scrip_domain::closing::customer_close;
use scrip_domain::customer::{
    CustomerError, Details, ResetOutcome, SignIn, pin_reset_start, sign_in,
};
use scrip_domain::id::CustomerId;
use scrip_domain::secret::{SecretError, SecretKind, secret_hash};
use scrip_domain::session::{
    NewSecrets, PinChange, SessionError, Subject, pin_change_keyed, pin_reset_finish,
    pin_reset_finish_named, session_find, session_open,
};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Keyed};
use scrip_testkit::TestDb;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a code sets here.
fn new() -> NewSecrets<'static> {
    NewSecrets {
        pin: &hashes()[1],
        password: None,
    }
}

both!(
    a_change_takes_the_old_pin_and_ends_other_sessions,
    wrong_old_pins_lock_like_wrong_sign_ins,
    changes_at_once_have_one_outcome,
    a_code_sets_a_new_pin_once,
    codes_are_given_out_by_staff,
    five_wrong_codes_end_the_reset,
    guesses_at_once_get_five_tries,
    a_code_lasts_an_hour_and_until_the_next_one,
    a_code_is_taken_with_a_number_or_a_name,
);

const OLD: &str = "2580";
const NEW: &str = "90871";

/// Hashes of [`OLD`] and [`NEW`]: they take long.
fn hashes() -> &'static [String; 2] {
    static HASHES: OnceLock<[String; 2]> = OnceLock::new();
    HASHES.get_or_init(|| [OLD, NEW].map(|pin| secret_hash(SecretKind::Pin, pin).unwrap()))
}

fn register(world: &World) -> CustomerId {
    let details = Details {
        pin_hash: Some(hashes()[0].clone()),
        ..Details::default()
    };
    world.register_with(details).customer_id
}

fn sign(world: &World, id: CustomerId, pin: &str) -> SignIn {
    let number = world.customer(id).number.to_string();
    sign_in(&world.node, &world.vendor, &number, SecretKind::Pin, pin).unwrap()
}

fn is_pin(world: &World, id: CustomerId, pin: &str) -> bool {
    matches!(sign(world, id, pin), SignIn::Proven(_))
}

fn open(world: &World, id: CustomerId) -> String {
    let book = world.book();
    world
        .write(move |tx| session_open(tx, book, Subject::Customer(id)))
        .unwrap()
}

fn is_open(world: &World, token: &str) -> bool {
    let book = world.book();
    let found = world.node.engine.read(|tx| session_find(tx, book, token));
    found.unwrap().is_some()
}

fn change(
    world: &World,
    id: CustomerId,
    old: &str,
    new: &str,
    current: Option<&str>,
) -> Result<PinChange, SessionError> {
    static KEYS: AtomicU64 = AtomicU64::new(0);
    // Refused before it costs an attempt.
    let hash = secret_hash(SecretKind::Pin, new)?;
    let keyed = Keyed {
        book_id: world.book(),
        actor: Actor::Customer(id),
        key: Some(format!("pin-{}", KEYS.fetch_add(1, Ordering::Relaxed))),
        request: Vec::new(),
        subject: Some(id),
    };
    let customer = world.customer(id);
    let changed = pin_change_keyed(&world.node, keyed, &customer, old, &hash, current)?;
    Ok(changed.value)
}

fn start(world: &World, id: CustomerId) -> String {
    let (vault, customer) = (world.node.vault.clone(), world.customer(id));
    world
        .write(move |tx| pin_reset_start(tx, &vault, Actor::System, &customer))
        .unwrap()
}

fn finish(world: &World, id: CustomerId, code: &str) -> ResetOutcome {
    let (vault, customer) = (world.node.vault.clone(), world.customer(id));
    let code = code.to_owned();
    world
        .write(move |tx| pin_reset_finish(tx, &vault, &customer, &code, new()))
        .unwrap()
}

/// SHP-03: who knows the old PIN sets a new one; sessions but the present one end.
fn a_change_takes_the_old_pin_and_ends_other_sessions(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (register(&world), register(&world));
    let [here, elsewhere] = [open(&world, id), open(&world, id)];
    let theirs = open(&world, other);
    let wrong = change(&world, id, NEW, NEW, Some(&here)).unwrap();
    assert_eq!(wrong, PinChange::Wrong);
    assert!(is_open(&world, &elsewhere) && is_pin(&world, id, OLD));
    let done = change(&world, id, OLD, NEW, Some(&here)).unwrap();
    assert_eq!(done, PinChange::Done);
    assert!(is_pin(&world, id, NEW) && !is_pin(&world, id, OLD));
    assert!(is_open(&world, &here) && !is_open(&world, &elsewhere));
    assert!(is_open(&world, &theirs) && is_pin(&world, other, OLD));
    assert_eq!(
        change(&world, id, NEW, OLD, None).unwrap(),
        PinChange::Done,
        "and back"
    );
    assert!(!is_open(&world, &here));
    let without = world.register().customer_id;
    let none = change(&world, without, OLD, NEW, None).unwrap();
    assert_eq!(none, PinChange::Wrong, "there is no old one");
}

fn wrong_old_pins_lock_like_wrong_sign_ins(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    for weak in ["1234", "12", "abcd"] {
        let refused = change(&world, id, "7799", weak, None);
        assert!(matches!(
            refused,
            Err(SessionError::Secret(
                SecretError::PinWeak | SecretError::PinShape
            ))
        ));
    }
    for _ in 0..4 {
        let wrong = change(&world, id, "7799", NEW, None).unwrap();
        assert_eq!(wrong, PinChange::Wrong, "weak ones were not counted");
    }
    assert_eq!(sign(&world, id, "7799"), SignIn::Wrong, "one count");
    let until = world.now().plus_seconds(15 * 60);
    let locked = change(&world, id, OLD, NEW, None).unwrap();
    assert_eq!(locked, PinChange::Locked { until });
    assert_eq!(sign(&world, id, OLD), SignIn::Locked { until });
    world.clock.set(until);
    assert_eq!(change(&world, id, OLD, NEW, None).unwrap(), PinChange::Done);
}

/// Of two changes from one old PIN, one wins: the other's proof no longer holds.
fn changes_at_once_have_one_outcome(db: &TestDb) {
    let world = World::new(db);
    for _ in 0..3 {
        let id = register(&world);
        let news = ["9087", "8642", "7531", "6420"];
        let outcomes = std::thread::scope(|scope| {
            let threads = news.map(|new| {
                let world = &world;
                scope.spawn(move || change(world, id, OLD, new, None).unwrap())
            });
            threads.map(|t| t.join().unwrap())
        });
        let done = |o: &&PinChange| **o == PinChange::Done;
        assert_eq!(outcomes.iter().filter(done).count(), 1, "{outcomes:?}");
        let won = outcomes.iter().position(|o| *o == PinChange::Done).unwrap();
        assert!(is_pin(&world, id, news[won]));
    }
}

/// A code sets a PIN, once; locks and sessions from before end. It is read as people type it.
fn a_code_sets_a_new_pin_once(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (register(&world), register(&world));
    let token = open(&world, id);
    for _ in 0..5 {
        assert_eq!(sign(&world, id, "7799"), SignIn::Wrong);
    }
    assert!(matches!(sign(&world, id, OLD), SignIn::Locked { .. }));
    let code = start(&world, id);
    assert_eq!((code.len(), code.find('-')), (11, Some(5)));
    let row = &world.rows("SELECT code_hash FROM pin_reset WHERE book_id = $1")[0];
    assert_eq!(row.blob(0).unwrap().len(), 32);
    let theirs = start(&world, other);
    assert_eq!(
        finish(&world, other, &code),
        ResetOutcome::Wrong { left: 4 }
    );
    assert_eq!(finish(&world, id, &theirs), ResetOutcome::Wrong { left: 4 });
    assert!(is_open(&world, &token), "a wrong code ends nothing");
    let typed = code.to_lowercase().replace('-', " ").replace('0', "o");
    assert_eq!(finish(&world, id, &typed), ResetOutcome::Done);
    assert!(is_pin(&world, id, NEW), "and no longer locked");
    assert!(!is_open(&world, &token));
    assert_eq!(finish(&world, id, &code), ResetOutcome::Expired);
    assert!(is_pin(&world, other, OLD));
    let without = world.register().customer_id;
    let code = start(&world, without);
    assert_eq!(finish(&world, without, &code), ResetOutcome::Done);
    assert!(is_pin(&world, without, NEW), "the first PIN");
}

fn codes_are_given_out_by_staff(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    let give = |actor| {
        let (vault, customer) = (world.node.vault.clone(), world.customer(id));
        world.write(move |tx| pin_reset_start(tx, &vault, actor, &customer))
    };
    let own = give(Actor::Customer(id));
    assert!(matches!(own, Err(CustomerError::Forbidden)));
    assert_eq!(finish(&world, id, "00000-00000"), ResetOutcome::Expired);
    let ada = Actor::Staff(world.staff("Ada"));
    let code = give(ada).unwrap();
    let by = &world.rows("SELECT created_by FROM pin_reset WHERE book_id = $1")[0];
    assert_eq!(by.text(0).unwrap(), ada.to_string());
    let customer = world.customer(id);
    world
        .write(move |tx| customer_close(tx, Actor::System, &customer))
        .unwrap();
    assert!(matches!(give(ada), Err(CustomerError::Closed(_))));
    assert_eq!(finish(&world, id, &code), ResetOutcome::Expired);
}

fn five_wrong_codes_end_the_reset(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    let code = start(&world, id);
    for (guess, left) in ["", "00000-00000", "no code", "ZZZZZ-ZZZZZ", &code[1..]]
        .into_iter()
        .zip([4, 3, 2, 1, 0])
    {
        assert_eq!(finish(&world, id, guess), ResetOutcome::Wrong { left });
    }
    assert_eq!(finish(&world, id, &code), ResetOutcome::Expired, "dead");
    assert!(is_pin(&world, id, OLD));
    let again = start(&world, id);
    assert_eq!(finish(&world, id, &again), ResetOutcome::Done);
}

/// Guesses cannot outrun the count, and a right code cannot be used twice.
fn guesses_at_once_get_five_tries(db: &TestDb) {
    let world = World::new(db);
    let at_once = |id, code: &str| {
        std::thread::scope(|scope| {
            let guess = || finish(&world, id, code);
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(guess)).collect();
            let outcomes = threads.into_iter().map(|t| t.join().unwrap());
            outcomes.collect::<Vec<_>>()
        })
    };
    for _ in 0..5 {
        let id = register(&world);
        let code = start(&world, id);
        let outcomes = at_once(id, "00000-00000");
        let mut left: Vec<i64> = outcomes
            .iter()
            .filter_map(|o| match o {
                ResetOutcome::Wrong { left } => Some(*left),
                _ => None,
            })
            .collect();
        left.sort_unstable();
        assert_eq!(left, [0, 1, 2, 3, 4]);
        assert_eq!(finish(&world, id, &code), ResetOutcome::Expired);
        let code = start(&world, id);
        let outcomes = at_once(id, &code);
        let done = |o: &&ResetOutcome| **o == ResetOutcome::Done;
        assert_eq!(outcomes.iter().filter(done).count(), 1, "{outcomes:?}");
    }
}

fn a_code_lasts_an_hour_and_until_the_next_one(db: &TestDb) {
    let world = World::new(db);
    let id = register(&world);
    let first = start(&world, id);
    let second = start(&world, id);
    assert_ne!(first, second);
    assert_eq!(finish(&world, id, &first), ResetOutcome::Wrong { left: 4 });
    world.clock.advance_seconds(3599);
    assert_eq!(finish(&world, id, &first), ResetOutcome::Wrong { left: 3 });
    world.clock.advance_seconds(1);
    assert_eq!(finish(&world, id, &second), ResetOutcome::Expired);
    let third = start(&world, id);
    world.clock.advance_seconds(3599);
    assert_eq!(finish(&world, id, &third), ResetOutcome::Done);
}

/// SHP-03: a code goes with an account number or a sign-in name of this vendor; a name that nobody
/// has, or somebody elsewhere, ends like an account without a code.
fn a_code_is_taken_with_a_number_or_a_name(db: &TestDb) {
    let world = World::new(db);
    let details = Details {
        login: Some("Wren".into()),
        pin_hash: Some(hashes()[0].clone()),
        ..Details::default()
    };
    let id = world.register_with(details).customer_id;
    let elsewhere = world.other_vendor("other-shop");
    let finish = |vendor: &Vendor, name: &str, code: &str| {
        let (vault, vendor) = (world.node.vault.clone(), vendor.clone());
        let (name, code) = (name.to_owned(), code.to_owned());
        let done =
            world.write(move |tx| pin_reset_finish_named(tx, &vault, &vendor, &name, &code, new()));
        done.unwrap()
    };
    let number = world.customer(id).number.to_string();
    for name in [" wren ", &number, &number.replace('-', "")] {
        let code = start(&world, id);
        for unknown in ["nobody", "001-0000-0001-00", ""] {
            assert_eq!(finish(&world.vendor, unknown, &code), ResetOutcome::Expired);
        }
        assert_eq!(finish(&elsewhere, name, &code), ResetOutcome::Expired);
        let wrong = finish(&world.vendor, name, "00000-00000");
        assert_eq!(wrong, ResetOutcome::Wrong { left: 4 });
        assert_eq!(finish(&world.vendor, name, &code), ResetOutcome::Done);
        assert_eq!(
            finish(&world.vendor, name, &code),
            ResetOutcome::Expired,
            "once"
        );
    }
    assert!(is_pin(&world, id, NEW) && !is_pin(&world, id, OLD));
    // Guesses at a name lock nothing: a code has its own few tries.
    for _ in 0..10 {
        assert_eq!(
            finish(&world.vendor, &number, "00000-00000"),
            ResetOutcome::Expired
        );
    }
    let code = start(&world, id);
    assert_eq!(finish(&world.vendor, &number, &code), ResetOutcome::Done);
}
