//! The end of an account: closing, erasing, merging.

use crate::registration::decide;
use crate::support::{World, completed, tokens, want};
use scrip_domain::closing::{
    Erased, customer_close, customer_erase, customer_merge, merged_accounts,
};
use scrip_domain::customer::{
    CustomerError, Details, Person, SecretKind, SignIn, State, answer_hash, customer_by_login,
    customer_by_reference, customer_person, person_set, reference_set, secret_hash, sign_in,
};
use scrip_domain::id::CustomerId;
use scrip_domain::order::kept::list_keep;
use scrip_domain::order::shipment::{ShipmentMove, ShipmentState, Tracking, shipment_move};
use scrip_domain::order::{
    order_by_id, order_list_set, refund_ask, refund_request_decline, refund_request_opened,
};
use scrip_domain::token_sale::payment_session_open;
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::Origin;
use scrip_testkit::TestDb;

both!(
    an_account_that_waits_for_something_is_not_closed,
    an_empty_account_is_closed_by_its_erasure,
    an_account_with_tokens_stays_without_a_name,
    strangers_erase_nobody,
    a_duplicate_is_merged_into_the_account_that_is_kept,
    merges_that_cannot_be,
);

fn close(world: &World, id: CustomerId) -> Result<(), CustomerError> {
    let customer = world.customer(id);
    world.write(move |tx| customer_close(tx, Actor::System, &customer))
}

fn erase(world: &World, actor: Actor, id: CustomerId) -> Result<Erased, CustomerError> {
    let (vault, customer) = (world.node.vault.clone(), world.customer(id));
    world.write(move |tx| customer_erase(tx, &vault, actor, &customer))
}

fn merge(
    world: &World,
    actor: Actor,
    from: CustomerId,
    into: CustomerId,
) -> Result<Amount, CustomerError> {
    let vendor = world.vendor.clone();
    world
        .write(move |tx| customer_merge(tx, actor, &vendor, from, into))
        .map(|merged| merged.tokens)
}

const LOGIN: &str = "wilhelmina-login";

fn details() -> Details {
    Details {
        person: Person {
            name: "Wilhelmina Quackenbush".to_owned(),
            address: "17 Unusual Street".to_owned(),
            email: "wilhelmina@quackenbush.example".to_owned(),
            ..Person::default()
        },
        login: Some(LOGIN.to_owned()),
        pin_hash: Some(secret_hash(SecretKind::Pin, "4071").unwrap()),
        answers: vec![answer_hash("Pet?", "Quackers").unwrap()],
        ..Details::default()
    }
}

fn person(world: &World) -> CustomerId {
    decide(world, |p| p.registration.questions = vec!["Pet?".into()]);
    world.register_with(details()).customer_id
}

fn ask(world: &World, id: CustomerId) -> scrip_domain::id::OrderId {
    let pen = world.offer("pen", 10);
    let order = completed(world.place(id, &[want(pen, 1)])).order_id;
    let (vault, book) = (world.node.vault.clone(), world.book());
    let actor = Actor::Customer(id);
    world
        .write(move |tx| refund_ask(tx, &vault, actor, book, order, "my cat Quackers ate it"))
        .unwrap();
    order
}

/// Closing waits for payments without an outcome and for requests without an answer.
fn an_account_that_waits_for_something_is_not_closed(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    world.buy(id, tokens(50), "test_timeout").unwrap();
    let told = close(&world, id).unwrap_err();
    assert!(matches!(told, CustomerError::Unfinished { .. }), "{told}");
    assert_eq!(world.state(id), State::Inactive);
    let asked = world.buyer(10_000);
    let order = ask(&world, asked);
    // All else is spent, so only the request is in the way.
    let all = world.balance(asked);
    let rest = world.offer("rest", all.units() / 1_000_000);
    completed(world.place(asked, &[want(rest, 1)]));
    let told = close(&world, asked).unwrap_err();
    assert!(matches!(told, CustomerError::Unfinished { .. }), "{told}");
    let vendor = world.vendor.clone();
    world
        .write(move |tx| refund_request_decline(tx, Actor::System, &vendor, order, "no"))
        .unwrap();
    close(&world, asked).unwrap();
    let again = close(&world, asked);
    assert!(matches!(again, Err(CustomerError::Closed(_))));
    let customer = world.customer(asked);
    let paid = world.write(move |tx| payment_session_open(tx, Actor::System, &customer));
    assert!(paid.is_err(), "nothing is bought for it");
}

/// REG-13: with nothing in it, the account ends with its person; nobody signs in to it, and the
/// sign-in name is free again.
fn an_empty_account_is_closed_by_its_erasure(db: &TestDb) {
    let world = World::new(db);
    let id = person(&world);
    assert_eq!(
        erase(&world, Actor::Customer(id), id).unwrap(),
        Erased::Closed
    );
    assert_eq!(world.state(id), State::Closed);
    let customer = world.customer(id);
    let vault = &world.node.vault;
    let read =
        |tx: &mut scrip_engine::ReadTx<'_>| customer_person(tx, vault, Actor::System, &customer);
    assert_eq!(world.node.engine.read(read).unwrap(), None);
    for table in ["credential", "person_data", "directory", "identity_answer"] {
        let sql: &'static str = match table {
            "credential" => "SELECT book_id FROM credential WHERE book_id = $1",
            "person_data" => "SELECT book_id FROM person_data WHERE book_id = $1",
            "directory" => "SELECT book_id FROM directory WHERE book_id = $1",
            _ => "SELECT book_id FROM identity_answer WHERE book_id = $1",
        };
        assert!(world.rows(sql).is_empty(), "{table}");
    }
    let key = world.rows("SELECT data_key FROM customer WHERE book_id = $1");
    assert!(key[0].blob(0).unwrap().is_empty(), "the key is gone");
    let number = customer.number.to_string();
    let proof = sign_in(&world.node, &world.vendor, &number, SecretKind::Pin, "4071").unwrap();
    assert_eq!(proof, SignIn::Wrong);
    let (vault, actor) = (world.node.vault.clone(), Actor::Customer(id));
    let back = world.write(move |tx| person_set(tx, &vault, actor, &customer, &details().person));
    assert!(matches!(back, Err(CustomerError::Closed(_))));
    world.register_with(Details {
        person: Person::default(),
        ..details()
    });
}

/// REG-13: what is in an account stays its owner's, without a name; orders stay, the words in them
/// go; what is entered afterwards is kept under another key.
fn an_account_with_tokens_stays_without_a_name(db: &TestDb) {
    let world = World::new(db);
    let id = person(&world);
    world.buy(id, tokens(100), "test_ok").unwrap();
    let order = ask(&world, id);
    let before = world.rows("SELECT data_key FROM customer WHERE book_id = $1");
    assert_eq!(
        erase(&world, Actor::System, id).unwrap(),
        Erased::Pseudonymous
    );
    assert_eq!(world.state(id), State::Active);
    assert_eq!(world.balance(id), tokens(90));
    let after = world.rows("SELECT data_key FROM customer WHERE book_id = $1");
    assert_ne!(before[0].blob(0).unwrap(), after[0].blob(0).unwrap());
    let (vault, book) = (&world.node.vault, world.book());
    let words = world.node.engine.read(|tx| {
        let asked = order_by_id(tx, Actor::System, book, order)?
            .request
            .unwrap();
        Ok::<_, scrip_domain::order::OrderError>(
            refund_request_opened(tx, vault, book, asked)?.reason,
        )
    });
    assert_eq!(words.unwrap(), "");
    let found = world
        .node
        .engine
        .read(|tx| customer_by_login(tx, vault, LOGIN));
    assert!(matches!(found, Err(CustomerError::Unknown(_))));
    let number = world.customer(id).number.to_string();
    let proof = sign_in(&world.node, &world.vendor, &number, SecretKind::Pin, "4071").unwrap();
    assert!(
        matches!(proof, SignIn::Proven(_)),
        "number and PIN still open it"
    );
    let (vault, customer) = (world.node.vault.clone(), world.customer(id));
    let anew = Person {
        name: "W".to_owned(),
        ..Person::default()
    };
    world
        .write(move |tx| person_set(tx, &vault, Actor::Customer(id), &customer, &anew))
        .unwrap();
    let customer = world.customer(id);
    let vault = &world.node.vault;
    let read = world
        .node
        .engine
        .read(|tx| customer_person(tx, vault, Actor::System, &customer));
    assert_eq!(read.unwrap().unwrap().name, "W");
}

/// What a query finds in the customer's rows: bytes that say who it was, sealed or plain.
fn secrets(world: &World, sql: &'static str) -> Vec<Vec<u8>> {
    let rows = world.rows(sql);
    let bytes = rows.iter().filter_map(|row| row.opt_blob(0).unwrap());
    bytes.map(<[u8]>::to_vec).collect()
}

/// REG-13: after an erasure neither the words of the person nor what was sealed of them, nor the
/// key that opened it, stand in the file of the database; the ledger sums as before.
#[test]
fn nothing_personal_outlives_erasure() {
    let db = TestDb::sqlite();
    let world = World::new(&db);
    let id = person(&world);
    world.buy(id, tokens(100), "test_ok").unwrap();
    ask(&world, id);
    let pot = world.shipped_offer("pot", 1);
    let to = crate::shipping::address("Wilhelmina Quackenbush");
    let order = world.request_to(id, &[pot], &to).unwrap();
    let order = completed(world.place_as(Actor::Customer(id), &order).unwrap()).order_id;
    let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
    let step = ShipmentMove::Ship {
        tracking: Tracking {
            carrier: "Quack Express".to_owned(),
            number: "1".to_owned(),
        },
        shipped_at: None,
    };
    world
        .write(move |tx| {
            let seen = (order, ShipmentState::ToPack);
            shipment_move(tx, &vault, Actor::System, &vendor, seen, &step)
        })
        .unwrap();
    let (actor, book, cup) = (Actor::Customer(id), world.book(), world.offer("cup", 5));
    world
        .write(move |tx| {
            order_list_set(tx, actor, book, id, cup, 1)?;
            list_keep(tx, actor, book, id, "Wilhelmina's birthday")
        })
        .unwrap();
    let sealed: Vec<Vec<u8>> = [
        "SELECT sealed FROM person_data WHERE book_id = $1",
        "SELECT sealed_reason FROM refund_request WHERE book_id = $1",
        "SELECT sealed_address FROM shipment WHERE book_id = $1",
        "SELECT sealed_tracking FROM shipment WHERE book_id = $1",
        "SELECT data_key FROM customer WHERE book_id = $1",
        "SELECT login_hash FROM directory WHERE book_id = $1",
        "SELECT question_hash FROM identity_answer WHERE book_id = $1",
    ]
    .into_iter()
    .flat_map(|sql| {
        let found = secrets(&world, sql);
        assert!(!found.is_empty(), "{sql} finds nothing to look for");
        found
    })
    .collect();
    let found = |bytes: &[u8]| {
        let words: [&[u8]; 4] = [b"Wilhelmina", b"Quack", b"quack", b"Unusual Street"];
        let all = words
            .into_iter()
            .chain(sealed.iter().map(Vec::as_slice))
            .filter(|part| bytes.windows(part.len()).any(|w| w == *part));
        all.count()
    };
    let file = || {
        db.run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
        db.run_sql("VACUUM");
        db.run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(db.directory().unwrap()).unwrap() {
            bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        bytes
    };
    assert!(found(&file()) > sealed.len(), "it is there before");
    erase(&world, Actor::System, id).unwrap();
    assert_eq!(found(&file()), 0, "something of the person is left");
    assert_eq!(world.balance(id), tokens(89));
}

fn strangers_erase_nobody(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (
        person(&world),
        world
            .register_with(Details {
                login: None,
                ..details()
            })
            .customer_id,
    );
    let result = erase(&world, Actor::Customer(other), id);
    assert!(matches!(result, Err(CustomerError::Forbidden)));
    assert_eq!(world.state(id), State::Inactive);
}

/// Tokens move with their grants; sign-in name and references lead to the kept account; the
/// history stays with each.
fn a_duplicate_is_merged_into_the_account_that_is_kept(db: &TestDb) {
    let world = World::new(db);
    let from = person(&world);
    world.buy(from, tokens(70), "test_ok").unwrap();
    let expires = world.now().plus_seconds(1000);
    world.give(from, tokens(5), Origin::Free, Some("sale"), expires);
    let order = ask_and_decline(&world, from);
    let kept = world.register().customer_id;
    let customer = world.customer(from);
    world
        .write(move |tx| reference_set(tx, &customer, "CRM-1"))
        .unwrap();
    let staff = Actor::Staff(world.staff("Ada"));
    assert_eq!(merge(&world, staff, from, kept).unwrap(), tokens(65));
    assert_eq!(world.state(from), State::Closed);
    assert_eq!(
        world.state(kept),
        State::Active,
        "it is one person, who was active"
    );
    assert_eq!(
        (world.balance(from), world.balance(kept)),
        (Amount::ZERO, tokens(65))
    );
    let vault = &world.node.vault;
    let (by_login, by_reference, merged) = world
        .node
        .engine
        .read(|tx| {
            let by_login = customer_by_login(tx, vault, LOGIN)?;
            let by_reference = customer_by_reference(tx, world.book(), "CRM-1")?;
            let customer = scrip_domain::customer::customer_by_id(tx, world.book(), kept)?;
            Ok::<_, CustomerError>((by_login, by_reference, merged_accounts(tx, &customer)?))
        })
        .unwrap();
    assert_eq!(by_login.customer_id, kept);
    assert_eq!(by_reference.unwrap().customer_id, kept);
    assert_eq!(
        merged.iter().map(|c| c.customer_id).collect::<Vec<_>>(),
        [from]
    );
    let seen = world
        .node
        .engine
        .read(|tx| order_by_id(tx, Actor::System, world.book(), order));
    assert_eq!(
        seen.unwrap().customer_id,
        from,
        "the order stays with its account"
    );
    // The restricted lot is still restricted, and still expires.
    let lots = world.rows(
        "SELECT g.restriction, g.expires_at FROM lot l
         JOIN token_grant g ON g.book_id = l.book_id AND g.grant_id = l.grant_id
         WHERE l.book_id = $1 AND l.remaining > 0 AND g.restriction IS NOT NULL",
    );
    assert_eq!(lots.len(), 1);
    assert_eq!(Timestamp(lots[0].int(1).unwrap()), expires);
}

fn ask_and_decline(world: &World, id: CustomerId) -> scrip_domain::id::OrderId {
    let order = ask(world, id);
    let vendor = world.vendor.clone();
    world
        .write(move |tx| refund_request_decline(tx, Actor::System, &vendor, order, "no"))
        .unwrap();
    order
}

fn merges_that_cannot_be(db: &TestDb) {
    let world = World::new(db);
    let (one, two) = (world.buyer(50), world.buyer(50));
    let own = merge(&world, Actor::Customer(one), two, one);
    assert!(matches!(own, Err(CustomerError::Forbidden)));
    let same = merge(&world, Actor::System, one, one);
    assert!(matches!(same, Err(CustomerError::MergeWithItself)));
    let gone = merge(
        &world,
        Actor::System,
        one,
        world.beside("other", "50").register().customer_id,
    );
    assert!(
        matches!(gone, Err(CustomerError::Unknown(_))),
        "another shop's account"
    );
    merge(&world, Actor::System, one, two).unwrap();
    let again = merge(&world, Actor::System, one, two);
    assert!(matches!(again, Err(CustomerError::Closed(_))));
    let back = merge(&world, Actor::System, two, one);
    assert!(matches!(back, Err(CustomerError::Closed(_))));
    assert_eq!(world.balance(two), tokens(100));
}
