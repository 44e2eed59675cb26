//! Personal data: encrypted under the customer's key, readable for those who may.

use crate::support::{MASTER, World, tokens};
use scrip_domain::customer::{CustomerError, Details, Person, customer_by_login, customer_person};
use scrip_domain::vault::{SecretKey, Vault};
use scrip_domain::{Actor, Keyed};
use scrip_engine::{Error as EngineError, Read, params};
use scrip_testkit::TestDb;

both!(
    person_data_is_read_by_those_who_may,
    stored_answers_are_encrypted
);

const LOGIN: &str = "wilhelmina-login";

fn person() -> Person {
    Person {
        name: "Wilhelmina Quackenbush".to_owned(),
        address: "17 Unusual Street\nOddtown".to_owned(),
        fax: String::new(),
        phone: "+44 1632 960961".to_owned(),
        email: "wilhelmina@quackenbush.example".to_owned(),
    }
}

fn details() -> Details {
    Details {
        person: person(),
        login: Some(LOGIN.to_owned()),
        ..Details::default()
    }
}

fn person_data_is_read_by_those_who_may(db: &TestDb) {
    let world = World::new(db);
    let id = world.register_with(details()).customer_id;
    let pseudonymous = world.register().customer_id;
    let read = |vault: &Vault, actor: Actor, id| {
        let customer = world.customer(id);
        world
            .node
            .engine
            .read(|tx| customer_person(tx, vault, actor, &customer))
    };
    let vault = &world.node.vault;
    for actor in [
        Actor::Customer(id),
        Actor::System,
        Actor::Staff(world.staff("Ada")),
    ] {
        assert_eq!(read(vault, actor, id).unwrap(), Some(person()));
    }
    let stranger = read(vault, Actor::Customer(pseudonymous), id);
    assert!(matches!(stranger, Err(CustomerError::Forbidden)));
    assert_eq!(read(vault, Actor::System, pseudonymous).unwrap(), None);
    let mut key = MASTER;
    key[0] ^= 1;
    let wrong = read(&Vault::new(SecretKey::new(key)), Actor::System, id);
    let corrupt = |e| matches!(e, CustomerError::Engine(EngineError::Corrupt(_)));
    assert!(corrupt(wrong.unwrap_err()));
    // A ciphertext of another customer does not open.
    let swap = "UPDATE person_data SET customer_id =
        (SELECT customer_id FROM customer WHERE customer_id NOT IN
            (SELECT customer_id FROM person_data))";
    db.run_sql(swap);
    let moved = read(vault, Actor::System, pseudonymous);
    assert!(corrupt(moved.unwrap_err()));
    let found = world
        .node
        .engine
        .read(|tx| customer_by_login(tx, vault, LOGIN));
    assert_eq!(found.unwrap().customer_id, id);
}

fn stored_answers_are_encrypted(db: &TestDb) {
    let world = World::new(db);
    let keyed = Keyed {
        book_id: world.book(),
        actor: Actor::System,
        key: Some("key-1".to_owned()),
        request: b"request".to_vec(),
        subject: None,
    };
    world
        .node
        .run(keyed, |_| {
            Ok::<_, scrip_domain::order::OrderError>("a telling answer".to_owned())
        })
        .unwrap();
    let answer = world.node.engine.read(|tx| {
        let row = tx.query_one(
            "SELECT answer, key_hash FROM idempotency WHERE book_id = $1",
            params![world.book()],
        )?;
        Ok::<_, EngineError>([row.blob(0)?, row.blob(1)?].concat())
    });
    let answer = answer.unwrap();
    assert!(!contains(&answer, b"telling") && !contains(&answer, b"key-1"));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

/// REG-13: neither name nor login stands in the bytes of the database, before and after the
/// registration is complete; the account number's owner is found all the same.
#[test]
fn the_database_file_holds_no_personal_data() {
    let db = TestDb::sqlite();
    let world = World::new(&db);
    let id = world.register_with(details()).customer_id;
    let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
    world
        .write(move |tx| {
            use scrip_domain::customer::{Channel, registration_details, registration_start};
            let begun =
                registration_start(tx, scrip_domain::Actor::System, &vendor, Channel::Online)?;
            let mut unfinished = details();
            unfinished.login = Some(format!("{LOGIN}-2"));
            registration_details(tx, &vault, &vendor, begun.registration_id, &unfinished)
        })
        .unwrap();
    world.buy(id, tokens(50), "test_ok").unwrap();
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(db.directory().unwrap()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let whole = person();
    for part in [
        whole.name.as_str(),
        "Quackenbush",
        "quackenbush",
        "Unusual Street",
        "960961",
        "wilhelmina",
        LOGIN,
    ] {
        assert!(!contains(&bytes, part.as_bytes()), "{part} lies open");
    }
    assert!(
        contains(&bytes, b"corner-shop"),
        "the bytes are the database's"
    );
    assert!(!contains(&bytes, &MASTER), "nor does the master key");
}
