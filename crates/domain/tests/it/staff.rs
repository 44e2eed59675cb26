//! Staff: who they are, and how they sign in; and how the shop looks that they keep.

use crate::support::World;
use scrip_domain::id::StaffId;
use scrip_domain::secret::{SecretKind, secret_hash};
use scrip_domain::vendor::{
    Hue, Mark, Role, Sells, StaffSignIn, Storefront, VendorError, staff_by_id, staff_create,
    staff_list, staff_secret_set, staff_sign_in, storefront, storefront_set,
};
use scrip_testkit::TestDb;
use std::sync::OnceLock;

both!(
    staff_are_found_by_id_and_listed_by_name,
    staff_sign_in_by_name_and_password,
    a_lock_does_not_tell_who_is_on_the_staff,
    wrong_guesses_at_once_get_five_tries,
    a_storefront_is_kept_as_it_is_set,
);

const PASSWORD: &str = "correct horse battery";

fn hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| secret_hash(SecretKind::Password, PASSWORD).unwrap())
}

fn set(world: &World, id: StaffId, hash: &str) -> Result<(), VendorError> {
    let (vendor, hash) = (world.vendor.clone(), hash.to_owned());
    world.write(move |tx| staff_secret_set(tx, scrip_domain::Actor::System, &vendor, id, &hash))
}

fn with_password(world: &World, name: &'static str) -> StaffId {
    let id = world.staff(name);
    set(world, id, hash()).unwrap();
    id
}

fn sign(world: &World, name: &str, password: &str) -> StaffSignIn {
    staff_sign_in(&world.node, &world.vendor, name, password).unwrap()
}

fn staff_are_found_by_id_and_listed_by_name(db: &TestDb) {
    let world = World::new(db);
    let other = world.beside("other-shop", "0");
    let vendor = world.vendor.clone();
    let bob = world.write(move |tx| {
        staff_create(tx, scrip_domain::Actor::System, &vendor, "Bob", Role::Owner)
    });
    let bob = bob.unwrap();
    let (ada, theirs) = (world.staff("Ada"), other.staff("Carl"));
    let by_id = |id| {
        world
            .node
            .engine
            .read(|tx| staff_by_id(tx, world.book(), id))
    };
    assert_eq!(by_id(bob.staff_id).unwrap(), bob);
    assert!(matches!(by_id(theirs), Err(VendorError::StaffUnknown(_))));
    let list = world.node.engine.read(|tx| staff_list(tx, &world.vendor));
    let list = list.unwrap();
    let names: Vec<_> = list.iter().map(|s| (s.name.as_str(), s.role)).collect();
    assert_eq!(names, [("Ada", Role::Cashier), ("Bob", Role::Owner)]);
    assert_eq!(list[0].staff_id, ada);
    // No password without its person.
    assert!(matches!(
        set(&world, theirs, hash()),
        Err(VendorError::StaffUnknown(_))
    ));
}

/// SHP-03: staff prove who they are at their own vendor.
fn staff_sign_in_by_name_and_password(db: &TestDb) {
    let world = World::new(db);
    let other = world.beside("other-shop", "0");
    let ada = with_password(&world, "Ada");
    other.staff("Ada");
    world.staff("Bob");
    for name in ["Ada", " Ada "] {
        match sign(&world, name, PASSWORD) {
            StaffSignIn::Proven(staff) => assert_eq!(staff.staff_id, ada),
            other => panic!("{other:?}"),
        }
    }
    for (at, name, password) in [
        (&world, "Ada", "correct horse"),
        (&world, "Ada", ""),
        (&world, "Bob", PASSWORD),
        (&world, "Carl", PASSWORD),
        (&world, "", PASSWORD),
        (&other, "Ada", PASSWORD),
    ] {
        assert_eq!(sign(at, name, password), StaffSignIn::Wrong, "{name}");
    }
    let fresh = secret_hash(SecretKind::Password, "another password").unwrap();
    set(&world, ada, &fresh).unwrap();
    assert_eq!(sign(&world, "Ada", PASSWORD), StaffSignIn::Wrong);
    assert!(matches!(
        sign(&world, "Ada", "another password"),
        StaffSignIn::Proven(_)
    ));
}

/// SHP-03: names that nobody has, and staff without a password, are locked like any other.
fn a_lock_does_not_tell_who_is_on_the_staff(db: &TestDb) {
    let world = World::new(db);
    with_password(&world, "Ada");
    world.staff("Bob");
    let names = ["Ada", "Bob", "Carl", ""];
    let mut answers = vec![Vec::new(); names.len()];
    for wait in [0, 0, 0, 0, 0, 0, 15 * 60, 0, 30 * 60, 8 * 24 * 3600, 0] {
        world.clock.advance_seconds(wait);
        for (name, answers) in names.iter().zip(&mut answers) {
            answers.push(sign(&world, name, "wrong password"));
        }
    }
    let until = answers[0][5].clone();
    assert!(matches!(until, StaffSignIn::Locked { .. }));
    for (name, theirs) in names.iter().zip(&answers) {
        assert_eq!(*theirs, answers[0], "{name}");
    }
}

/// SHP-03: of 16 attempts at once, five are compared, whoever the name is.
fn wrong_guesses_at_once_get_five_tries(db: &TestDb) {
    let world = World::new(db);
    with_password(&world, "Ada");
    for name in ["Ada", "Nobody"] {
        let answers: Vec<StaffSignIn> = std::thread::scope(|scope| {
            let guess = || sign(&world, name, "wrong password");
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(guess)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let wrong = answers.iter().filter(|a| **a == StaffSignIn::Wrong).count();
        assert_eq!(wrong, 5, "{name}");
        let until = world.now().plus_seconds(15 * 60);
        assert_eq!(sign(&world, name, PASSWORD), StaffSignIn::Locked { until });
        world.clock.set(until);
    }
    assert!(matches!(
        sign(&world, "Ada", PASSWORD),
        StaffSignIn::Proven(_)
    ));
}

fn a_storefront_is_kept_as_it_is_set(db: &TestDb) {
    let world = World::new(db);
    let other = world.other_vendor("other-shop");
    let read = |book| world.node.engine.read(|tx| storefront(tx, book)).unwrap();
    let set = |new: &Storefront| {
        let (vendor, new) = (world.vendor.clone(), new.clone());
        world.write(move |tx| storefront_set(tx, scrip_domain::Actor::System, &vendor, &new))
    };
    let default = Storefront::default();
    assert_eq!(read(world.book()), default);
    assert!(default.introduction.is_empty(), "no first page");
    for hue in Hue::ALL {
        for (mark, sells) in [(Mark::Leaf, Sells::Software), (Mark::Plus, Sells::Goods)] {
            let new = Storefront {
                hue: *hue,
                mark,
                headline: "Café 猫".to_owned(),
                introduction: "One.\n\nTwo.".to_owned(),
                sells,
            };
            set(&new).unwrap();
            assert_eq!(read(world.book()), new);
        }
    }
    assert_eq!(read(other.book_id), default, "another vendor's stays");
    let last = read(world.book());
    for (headline, introduction) in [
        ("x".repeat(121), String::new()),
        ("a\nb".to_owned(), String::new()),
        (String::new(), "x".repeat(4001)),
        (String::new(), "\u{1b}[31m".to_owned()),
    ] {
        let bad = Storefront {
            headline,
            introduction,
            ..Storefront::default()
        };
        assert!(matches!(set(&bad), Err(VendorError::Text(_))));
    }
    assert_eq!(read(world.book()), last);
    for name in ["Ink", "ink ", "red", ""] {
        assert!(Hue::parse(name).is_err());
    }
}
