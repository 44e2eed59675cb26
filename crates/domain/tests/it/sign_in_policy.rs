//! What a vendor's policy asks for at sign-in (SHP-03).

use crate::support::World;
use scrip_domain::customer::{
    CustomerError, Details, Given, SignIn, customer_verify_with, pin_reset_start, sign_in_with,
};
use scrip_domain::policy::{Policy, Secrets, SignInPolicy, policy_set, policy_version};
use scrip_domain::secret::{Proof, SecretKind, secret_hash};
use scrip_domain::session::{NewSecrets, pin_reset_finish};
use scrip_domain::{Actor, Keyed};
use scrip_testkit::TestDb;
use std::sync::OnceLock;

both!(
    a_policy_asks_for_what_it_says,
    of_two_secrets_each_is_counted_by_itself,
    who_has_no_password_sets_one_with_a_code,
);

const PIN: &str = "40712";
const PASSWORD: &str = "eleven geese fly";

fn hashes() -> &'static [String; 2] {
    static HASHES: OnceLock<[String; 2]> = OnceLock::new();
    HASHES.get_or_init(|| {
        [(SecretKind::Pin, PIN), (SecretKind::Password, PASSWORD)]
            .map(|(kind, secret)| secret_hash(kind, secret).unwrap())
    })
}

fn given(pin: &str, password: &str) -> Given {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Given {
        pin: some(pin),
        password: some(password),
    }
}

fn asks(world: &World, secrets: Secrets) {
    let vendor = world.vendor.clone();
    let set = world.write(move |tx| {
        let began = policy_version(tx, vendor.book_id)?.number;
        let policy = Policy {
            sign_in: SignInPolicy { secrets },
            ..Policy::default()
        };
        policy_set(tx, Actor::System, &vendor, began, &policy)
    });
    set.unwrap();
}

fn try_it(world: &World, name: &str, pin: &str, password: &str) -> SignIn {
    sign_in_with(&world.node, &world.vendor, name, &given(pin, password)).unwrap()
}

/// SHP-03: PIN, password, either or both; what is missing is wrong, and what is not asked for does
/// not help. Programs are told what to send.
fn a_policy_asks_for_what_it_says(db: &TestDb) {
    let world = World::new(db);
    let [pin, password] = hashes().clone();
    let who = world.register_with(Details {
        pin_hash: Some(pin),
        password_hash: Some(password),
        ..Details::default()
    });
    let (name, customer) = (who.number.to_string(), world.customer(who.customer_id));
    let wrong = "nine geese walk";
    for (secrets, right) in [
        (Secrets::Either, [true, true, true, true]),
        (Secrets::Pin, [true, false, true, true]),
        (Secrets::Password, [false, true, true, false]),
        (Secrets::Both, [false, false, true, false]),
    ] {
        asks(&world, secrets);
        let tries = [(PIN, ""), ("", PASSWORD), (PIN, PASSWORD), (PIN, wrong)];
        for ((pin, password), right) in tries.into_iter().zip(right) {
            let found = try_it(&world, &name, pin, password);
            let what = format!("{secrets:?} {pin:?} {password:?}");
            assert_eq!(matches!(found, SignIn::Proven(_)), right, "{what}");
            if !right {
                assert_eq!(found, SignIn::Wrong, "{what}");
            }
            let keyed = Keyed {
                book_id: world.book(),
                actor: Actor::System,
                key: Some(what.replace(' ', "_")),
                request: what.clone().into_bytes(),
                subject: None,
            };
            let given = given(pin, password);
            let is_fit = given.fits(secrets);
            for again in [false, true] {
                match customer_verify_with(&world.node, &keyed, &customer, &given) {
                    Ok(answer) => {
                        assert!(is_fit, "{what}");
                        assert_eq!(answer.value == Proof::Proven(()), right, "{what}");
                        assert_eq!(answer.replayed, again, "{what}");
                    }
                    Err(CustomerError::SecretsAsked(asked)) => {
                        assert!(!is_fit && asked == secrets, "{what}");
                    }
                    Err(e) => panic!("{what}: {e}"),
                }
            }
        }
        assert_eq!(try_it(&world, "nobody", PIN, PASSWORD), SignIn::Wrong);
        // The right ones let the count begin anew.
        try_it(&world, &name, PIN, PASSWORD);
    }
}

/// SHP-03: a right PIN does not help to find the password; five wrong ones lock, and the lock
/// takes not even what is right.
fn of_two_secrets_each_is_counted_by_itself(db: &TestDb) {
    let world = World::new(db);
    let [pin, password] = hashes().clone();
    let who = world.register_with(Details {
        pin_hash: Some(pin),
        password_hash: Some(password),
        ..Details::default()
    });
    asks(&world, Secrets::Both);
    let name = who.number.to_string();
    for n in 0..5 {
        let found = try_it(&world, &name, PIN, &format!("{n} geese walked"));
        assert_eq!(found, SignIn::Wrong);
    }
    let locked = try_it(&world, &name, PIN, PASSWORD);
    assert!(matches!(locked, SignIn::Locked { .. }), "{locked:?}");
    let stray = try_it(&world, "nobody", PIN, PASSWORD);
    assert_eq!(stray, SignIn::Wrong);
    world.clock.advance_seconds(16 * 60);
    let open = try_it(&world, &name, PIN, PASSWORD);
    assert!(matches!(open, SignIn::Proven(_)), "{open:?}");
}

/// SHP-03: who registered before the policy asked for passwords gets in with a code from staff.
fn who_has_no_password_sets_one_with_a_code(db: &TestDb) {
    let world = World::new(db);
    let [pin, password] = hashes().clone();
    let who = world.register_with(Details {
        pin_hash: Some(pin),
        ..Details::default()
    });
    asks(&world, Secrets::Both);
    let name = who.number.to_string();
    assert_eq!(try_it(&world, &name, PIN, PASSWORD), SignIn::Wrong);
    assert_eq!(try_it(&world, &name, PIN, ""), SignIn::Wrong);
    let customer = world.customer(who.customer_id);
    let vault = world.node.vault.clone();
    let done = world.write(move |tx| {
        let code = pin_reset_start(tx, &vault, Actor::System, &customer).unwrap();
        let new = NewSecrets {
            pin: &hashes()[0],
            password: Some(&password),
        };
        pin_reset_finish(tx, &vault, &customer, &code, new)
    });
    done.unwrap();
    let open = try_it(&world, &name, PIN, PASSWORD);
    assert!(matches!(open, SignIn::Proven(_)), "{open:?}");
}
