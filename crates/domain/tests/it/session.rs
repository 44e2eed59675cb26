//! Sessions: tokens, idleness, age, closing, erasure.

use crate::support::World;
use scrip_domain::Actor;
use scrip_domain::closing::customer_close;
use scrip_domain::customer::CustomerError;
use scrip_domain::id::{CustomerId, StaffId};
use scrip_domain::secret::{SecretKind, secret_hash};
use scrip_domain::session::{
    Session, SessionError, Subject, session_end, session_find, session_open, session_touch,
    sessions_end_of, sessions_expire, staff_password_set,
};
use scrip_domain::vendor::VendorError;
use scrip_testkit::TestDb;
use std::collections::HashSet;

both!(
    a_session_is_found_by_its_token_alone,
    idle_sessions_end,
    used_sessions_end_by_age,
    a_session_that_ended_cannot_be_touched_back,
    the_session_of_a_closed_customer_is_none,
    sessions_end_one_by_one_or_all,
    sessions_that_are_over_are_erased,
    a_new_password_ends_the_sessions_of_staff,
);

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3600;

fn open(world: &World, subject: Subject) -> String {
    let book = world.book();
    world
        .write(move |tx| session_open(tx, book, subject))
        .unwrap()
}

fn customer(world: &World) -> Subject {
    Subject::Customer(world.register().customer_id)
}

fn find_at(world: &World, book: i64, token: &str) -> Option<Session> {
    world
        .node
        .engine
        .read(|tx| session_find(tx, book, token))
        .unwrap()
}

fn find(world: &World, token: &str) -> Option<Session> {
    find_at(world, world.book(), token)
}

fn touch(world: &World, token: &str) {
    let (book, token) = (world.book(), token.to_owned());
    world
        .write(move |tx| session_touch(tx, book, &token))
        .unwrap();
}

fn expire(world: &World, most: usize) -> usize {
    world.write(move |tx| sessions_expire(tx, most)).unwrap()
}

fn kept(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM session WHERE book_id = $1")
}

/// SHP-03: a session is known to whoever has its token, at its own vendor, and to nobody else.
fn a_session_is_found_by_its_token_alone(db: &TestDb) {
    let world = World::new(db);
    let (id, staff) = (world.register().customer_id, world.staff("Ada"));
    let other = world.other_vendor("other-shop");
    let mut tokens = HashSet::new();
    for subject in [Subject::Customer(id), Subject::Staff(staff)] {
        let token = open(&world, subject);
        assert_eq!(token.len(), 43);
        let session = find(&world, &token).unwrap();
        assert_eq!((session.subject, session.book_id), (subject, world.book()));
        assert_eq!(session.created_at, world.now());
        assert_eq!(find_at(&world, other.book_id, &token), None);
        for changed in [
            token.to_lowercase(),
            token[1..].to_owned(),
            format!("{token}A"),
            format!(" {token}"),
            String::new(),
            "é".repeat(43),
            "A".repeat(43),
            "A".repeat(100_000),
        ] {
            assert_eq!(find(&world, &changed), None, "{changed:.50}");
        }
        tokens.insert(token);
    }
    let again = open(&world, Subject::Customer(id));
    assert!(tokens.insert(again), "each has its own");
    for row in world.rows("SELECT token_hash FROM session WHERE book_id = $1") {
        let hash = row.blob(0).unwrap();
        assert_eq!(hash.len(), 32);
        assert!(tokens.iter().all(|t| t.as_bytes() != hash));
    }
    let book = world.book();
    let nobody = Subject::Customer(CustomerId(staff.0));
    let refused = world.write(move |tx| session_open(tx, book, nobody));
    let unknown = SessionError::Customer(CustomerError::Unknown(CustomerId(staff.0).to_string()));
    assert_eq!(refused.unwrap_err().to_string(), unknown.to_string());
    let nobody = Subject::Staff(StaffId(id.0));
    let refused = world.write(move |tx| session_open(tx, book, nobody));
    assert!(matches!(
        refused,
        Err(SessionError::Vendor(VendorError::StaffUnknown(_)))
    ));
    assert_eq!(kept(&world), 3);
}

/// SHP-03: half an hour for staff, two hours for customers; use keeps a session alive.
fn idle_sessions_end(db: &TestDb) {
    let world = World::new(db);
    let staff = Subject::Staff(world.staff("Ada"));
    for (subject, idle) in [(staff, 30 * MINUTE_S), (customer(&world), 2 * HOUR_S)] {
        let (used, unused) = (open(&world, subject), open(&world, subject));
        world.clock.advance_seconds(59);
        assert!(!find(&world, &used).unwrap().touch_due(world.now()));
        touch(&world, &used);
        let seen = find(&world, &used).unwrap().seen_at;
        assert_eq!(seen, world.now().plus_seconds(-59), "not worth a write");
        world.clock.advance_seconds(idle - 60);
        assert!(find(&world, &unused).is_some());
        assert!(find(&world, &used).unwrap().touch_due(world.now()));
        touch(&world, &used);
        assert_eq!(find(&world, &used).unwrap().seen_at, world.now());
        world.clock.advance_seconds(1);
        assert_eq!(find(&world, &unused), None);
        assert!(find(&world, &used).is_some());
        world.clock.advance_seconds(idle - 2);
        assert!(find(&world, &used).is_some());
        world.clock.advance_seconds(1);
        assert_eq!(find(&world, &used), None);
    }
}

/// SHP-03: half a day for staff, a week for customers, however much they are used.
fn used_sessions_end_by_age(db: &TestDb) {
    let world = World::new(db);
    let staff = Subject::Staff(world.staff("Ada"));
    for (subject, longest) in [(staff, 12 * HOUR_S), (customer(&world), 7 * 24 * HOUR_S)] {
        let token = open(&world, subject);
        let began = world.now();
        let ends = began.plus_seconds(longest);
        while world.now().plus_seconds(20 * MINUTE_S) < ends {
            world.clock.advance_seconds(20 * MINUTE_S);
            touch(&world, &token);
        }
        world.clock.set(ends.plus_seconds(-1));
        let session = find(&world, &token).unwrap();
        assert_eq!((session.created_at, session.expires_at), (began, ends));
        world.clock.set(ends);
        assert_eq!(find(&world, &token), None);
    }
}

fn a_session_that_ended_cannot_be_touched_back(db: &TestDb) {
    let world = World::new(db);
    let token = open(&world, customer(&world));
    world.clock.advance_seconds(2 * HOUR_S);
    touch(&world, &token);
    assert_eq!(find(&world, &token), None);
    touch(&world, "no token");
}

fn the_session_of_a_closed_customer_is_none(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let (subject, book) = (Subject::Customer(id), world.book());
    let token = open(&world, subject);
    let closed = world.customer(id);
    world
        .write(move |tx| customer_close(tx, Actor::System, &closed))
        .unwrap();
    assert_eq!(find(&world, &token), None);
    let refused = world.write(move |tx| session_open(tx, book, subject));
    assert!(matches!(
        refused,
        Err(SessionError::Customer(CustomerError::Closed(_)))
    ));
}

fn sessions_end_one_by_one_or_all(db: &TestDb) {
    let world = World::new(db);
    let (subject, other) = (customer(&world), customer(&world));
    let book = world.book();
    let tokens: Vec<String> = (0..4).map(|_| open(&world, subject)).collect();
    let theirs = open(&world, other);
    let alive = || -> Vec<bool> { tokens.iter().map(|t| find(&world, t).is_some()).collect() };
    for _ in 0..2 {
        let token = tokens[0].clone();
        world
            .write(move |tx| session_end(tx, book, &token))
            .unwrap();
        assert_eq!(alive(), [false, true, true, true]);
    }
    let keep = tokens[2].clone();
    world
        .write(move |tx| sessions_end_of(tx, book, subject, Some(&keep)))
        .unwrap();
    assert_eq!(alive(), [false, false, true, false]);
    // The token of someone else saves nothing.
    let keep = theirs.clone();
    world
        .write(move |tx| sessions_end_of(tx, book, subject, Some(&keep)))
        .unwrap();
    assert_eq!(alive(), [false; 4]);
    let mine = open(&world, subject);
    world
        .write(move |tx| sessions_end_of(tx, book, subject, None))
        .unwrap();
    assert_eq!(find(&world, &mine), None);
    assert!(find(&world, &theirs).is_some(), "another customer's stays");
}

/// What is over is erased, so many at a time; what is not, stays.
fn sessions_that_are_over_are_erased(db: &TestDb) {
    let world = World::new(db);
    let staff = Subject::Staff(world.staff("Ada"));
    let beside = world.beside("other-shop", "0");
    let old = [open(&world, staff), open(&world, staff)];
    open(&beside, Subject::Staff(beside.staff("Bob")));
    let token = open(&world, customer(&world));
    assert_eq!(expire(&world, 100), 0);
    world.clock.advance_seconds(30 * MINUTE_S);
    assert_eq!(expire(&world, 0), 0);
    assert_eq!(expire(&world, 2), 2, "no more than asked for");
    assert_eq!(expire(&world, 100), 1, "of every vendor");
    assert_eq!((kept(&world), kept(&beside)), (1, 0));
    assert!(old.iter().all(|t| find(&world, t).is_none()));
    assert!(find(&world, &token).is_some());
    // By age: used all the time.
    let began = world.now();
    while world.now() < began.plus_seconds(7 * 24 * HOUR_S - 2 * HOUR_S) {
        assert_eq!(expire(&world, 100), 0);
        world.clock.advance_seconds(HOUR_S);
        touch(&world, &token);
    }
    world.clock.advance_seconds(2 * HOUR_S - 1);
    assert_eq!((expire(&world, 100), kept(&world)), (1, 0));
}

fn a_new_password_ends_the_sessions_of_staff(db: &TestDb) {
    let world = World::new(db);
    let (ada, bob) = (world.staff("Ada"), world.staff("Bob"));
    let tokens = [ada, bob].map(|id| open(&world, Subject::Staff(id)));
    let hash = secret_hash(SecretKind::Password, "correct horse battery").unwrap();
    let vendor = world.vendor.clone();
    world
        .write(move |tx| staff_password_set(tx, scrip_domain::Actor::System, &vendor, ada, &hash))
        .unwrap();
    assert_eq!(find(&world, &tokens[0]), None);
    assert!(find(&world, &tokens[1]).is_some());
}
