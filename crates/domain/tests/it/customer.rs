//! Registration stage by stage, account numbers, activation, closing.

use crate::support::{World, completed, refused, tokens, want};
use scrip_domain::closing::customer_close;
use scrip_domain::customer::{
    Channel, CustomerError, Details, Means, NumberError, Person, Stage, State, customer_by_login,
    customer_by_number, customer_by_reference, reference_set, registration_details,
    registration_means, registration_stage, registration_start, registrations_expire,
};
use scrip_domain::id::{CustomerId, RegistrationId};
use scrip_domain::order::Refusal;
use scrip_domain::token_sale::{Outcome, TokenSaleError, payment_session_open};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;
use std::collections::HashSet;

both!(
    a_stage_cannot_be_skipped,
    a_registration_lapses_after_an_hour,
    a_registration_shows_its_stage,
    nothing_is_kept_of_a_registration_that_lapsed,
    an_account_number_is_no_sign_in_name,
    a_new_account_is_inactive_and_told_its_number,
    the_minimum_activates_the_account,
    without_a_minimum_an_account_is_active_at_once,
    purchases_at_once_activate_once,
    login_names_are_unique_on_the_node,
    numbers_are_of_one_vendor,
    references_of_customers_are_taken_once,
    only_an_empty_account_is_closed_and_for_good,
    awkward_details,
);

/// The stages of one registration.
struct Stages<'a> {
    world: &'a World,
    vendor: Vendor,
}

impl Stages<'_> {
    fn start(&self) -> RegistrationId {
        let vendor = self.vendor.clone();
        let told = self
            .world
            .write(move |tx| {
                registration_start(tx, scrip_domain::Actor::System, &vendor, Channel::Online)
            })
            .unwrap();
        assert_eq!(told.minimum_tokens, tokens(50), "the page names MT");
        assert_eq!(told.means, [Means::Card], "and the ways to pay");
        told.registration_id
    }
    fn details(&self, id: RegistrationId, details: &Details) -> Result<(), CustomerError> {
        let (vendor, vault) = (self.vendor.clone(), self.world.node.vault.clone());
        let details = details.clone();
        self.world
            .write(move |tx| registration_details(tx, &vault, &vendor, id, &details))
    }
    fn means(&self, id: RegistrationId) -> Result<CustomerId, CustomerError> {
        let (vendor, vault) = (self.vendor.clone(), self.world.node.vault.clone());
        self.world
            .write(move |tx| registration_means(tx, &vault, &vendor, id, Means::Card))
            .map(|r| r.customer_id)
    }
}

fn stages(world: &World) -> Stages<'_> {
    Stages {
        world,
        vendor: world.vendor.clone(),
    }
}

fn wrong_stage<T>(result: Result<T, CustomerError>) -> bool {
    matches!(result, Err(CustomerError::WrongStage { .. }))
}

/// REG-02: information, details, means, number, payment, active: each stage needs the one before.
fn a_stage_cannot_be_skipped(db: &TestDb) {
    let world = World::new(db);
    let stages = stages(&world);
    let id = stages.start();
    assert!(wrong_stage(stages.means(id)), "details cannot be skipped");
    assert_eq!(
        world.number("SELECT COUNT(*) FROM customer WHERE book_id = $1"),
        0
    );
    stages.details(id, &Details::default()).unwrap();
    assert!(wrong_stage(stages.details(id, &Details::default())));
    let customer = stages.means(id).unwrap();
    assert_eq!(world.state(customer), State::Inactive);
    assert!(
        wrong_stage(stages.means(id)),
        "one registration, one customer"
    );
    assert!(wrong_stage(stages.details(id, &Details::default())));
    // The payment cannot be skipped either.
    let offer = world.offer("pen", 0);
    let outcome = world.place(customer, &[want(offer, 1)]);
    assert!(matches!(refused(outcome), Refusal::Inactive { .. }));
    world.buy(customer, tokens(50), "test_ok").unwrap();
    assert_eq!(world.state(customer), State::Active);
    completed(world.place(customer, &[want(offer, 1)]));
    // Another vendor's registration is not to be had here.
    let elsewhere = Stages {
        world: &world,
        vendor: world.other_vendor("other-shop"),
    };
    let unknown = elsewhere.details(stages.start(), &Details::default());
    assert!(matches!(unknown, Err(CustomerError::RegistrationUnknown)));
}

/// REG-02: what is left unfinished lapses.
fn a_registration_lapses_after_an_hour(db: &TestDb) {
    let world = World::new(db);
    let stages = stages(&world);
    let late = stages.start();
    let later = stages.start();
    world.clock.advance_seconds(3599);
    stages.details(later, &Details::default()).unwrap();
    world.clock.advance_seconds(1);
    let lapsed = |r| matches!(r, Err(CustomerError::RegistrationUnknown));
    assert!(lapsed(stages.details(late, &Details::default())));
    assert!(lapsed(stages.means(later).map(|_| ())));
    let nobody = RegistrationId(late.0);
    assert!(lapsed(stages.details(nobody, &Details::default())));
}

/// REG-02: a page can ask at which stage a registration is; one that lapsed, or is another vendor's,
/// is unknown.
fn a_registration_shows_its_stage(db: &TestDb) {
    let world = World::new(db);
    let stages = stages(&world);
    let stage_at = |vendor: &Vendor, id| {
        let read = world
            .node
            .engine
            .read(|tx| registration_stage(tx, vendor, id));
        read.map_err(|e| matches!(e, CustomerError::RegistrationUnknown))
    };
    let stage = |id| stage_at(&world.vendor, id);
    let id = stages.start();
    assert_eq!(stage(id), Ok(Stage::Informed));
    stages.details(id, &Details::default()).unwrap();
    assert_eq!(stage(id), Ok(Stage::Details));
    let customer = stages.means(id).unwrap();
    let made = world.customer(customer);
    assert_eq!(stage(id), Ok(Stage::Account(made.clone())));
    assert_eq!(stage_at(&world.other_vendor("other-shop"), id), Err(true));
    assert_eq!(stage(RegistrationId(customer.0)), Err(true));
    world.clock.advance_seconds(3599);
    assert_eq!(stage(id), Ok(Stage::Account(made)));
    world.clock.advance_seconds(1);
    assert_eq!(stage(id), Err(true));
}

/// REG-10: what is left unfinished is erased when its hour is over; accounts that were made stay.
fn nothing_is_kept_of_a_registration_that_lapsed(db: &TestDb) {
    let world = World::new(db);
    let stages = stages(&world);
    let (book, other) = (world.book(), world.other_vendor("other-shop"));
    let expire = |book| {
        world
            .write(move |tx| registrations_expire(tx, book))
            .unwrap()
    };
    let kept = || world.number("SELECT COUNT(*) FROM registration WHERE book_id = $1");
    let made = stages.start();
    stages.details(made, &Details::default()).unwrap();
    let customer = stages.means(made).unwrap();
    stages.details(stages.start(), &Details::default()).unwrap();
    world.clock.advance_seconds(1);
    let late = stages.start();
    world.clock.advance_seconds(3598);
    assert_eq!((expire(book), kept()), (0, 3));
    world.clock.advance_seconds(1);
    assert_eq!(expire(other.book_id), 0, "each vendor's own");
    assert_eq!((expire(book), kept()), (2, 1));
    assert_eq!(world.state(customer), State::Inactive);
    stages.details(late, &Details::default()).unwrap();
}

/// SHP-03: who types an account number means that account, so nobody can be called so.
fn an_account_number_is_no_sign_in_name(db: &TestDb) {
    let world = World::new(db);
    let stages = stages(&world);
    let number = world.register().number.to_string();
    for login in [
        number.clone(),
        number.replace('-', " "),
        format!(" {number} "),
    ] {
        let details = Details {
            login: Some(login),
            ..Details::default()
        };
        let refused = stages.details(stages.start(), &details);
        assert!(
            matches!(refused, Err(CustomerError::LoginTaken)),
            "{refused:?}"
        );
    }
}

/// REG-06: complete details give a unique number in state inactive with AT 0, and the customer is
/// told the number and what activates it.
fn a_new_account_is_inactive_and_told_its_number(db: &TestDb) {
    let world = World::new(db);
    let mut numbers = HashSet::new();
    for _ in 0..30 {
        let told = world.register();
        assert_eq!(told.state, State::Inactive);
        assert_eq!(told.tokens_to_activate, tokens(50));
        assert_eq!(world.balance(told.customer_id), Amount::ZERO);
        let quote = world.quote(told.customer_id, &[]);
        assert_eq!(quote.available, Amount::ZERO, "AT");
        let typed = told.number.to_string();
        let found = world
            .node
            .engine
            .read(|tx| customer_by_number(tx, &world.vendor, &typed))
            .unwrap();
        assert_eq!(found.customer_id, told.customer_id);
        assert!(numbers.insert(typed));
    }
}

/// REG-07: MT 50: 49 stays inactive, one more activates with AT 50 and notice; 80 at once gives
/// 80, and means that are no purchase count too.
fn the_minimum_activates_the_account(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let activated = |outcome| match outcome {
        Ok(Outcome::Cleared { activated, .. }) => activated,
        other => panic!("{other:?}"),
    };
    assert!(!activated(world.buy(id, tokens(49), "test_ok")));
    assert_eq!(world.state(id), State::Inactive);
    assert_eq!(world.messages("customer.activated", &id.to_string()), 0);
    let almost = Amount::from_units(999_999);
    assert!(!activated(world.buy(id, almost, "test_ok")), "49.999999");
    assert!(activated(world.buy(id, Amount::from_units(1), "test_ok")));
    assert_eq!(world.state(id), State::Active);
    assert_eq!(world.quote(id, &[]).available, tokens(50), "AT");
    assert_eq!(world.messages("customer.activated", &id.to_string()), 1);
    assert!(
        !activated(world.buy(id, tokens(60), "test_ok")),
        "only once"
    );
    assert_eq!(world.messages("customer.activated", &id.to_string()), 1);
    let at_once = world.register().customer_id;
    assert!(activated(world.buy(at_once, tokens(80), "test_ok")));
    assert_eq!(world.quote(at_once, &[]).available, tokens(80));
    let given = world.register().customer_id;
    assert!(!activated(world.buy(given, tokens(20), "test_ok")));
    let never = scrip_engine::Timestamp::NEVER;
    world.give(given, tokens(30), scrip_ledger::Origin::Free, None, never);
    assert_eq!(world.state(given), State::Active, "otherwise obtained");
}

fn without_a_minimum_an_account_is_active_at_once(db: &TestDb) {
    let world = World::with(db, "0.01", "0");
    let told = world.register();
    assert_eq!(told.state, State::Active);
    assert_eq!(world.state(told.customer_id), State::Active);
}

/// REG-07: eight payments at once that reach MT together activate the account once.
fn purchases_at_once_activate_once(db: &TestDb) {
    let world = World::new(db);
    for _ in 0..5 {
        let id = world.register().customer_id;
        let activations: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| world.buy(id, tokens(10), "test_ok").unwrap()))
                .collect();
            let outcomes = threads.into_iter().map(|t| t.join().unwrap());
            let activated = |o: &Outcome| {
                matches!(
                    o,
                    Outcome::Cleared {
                        activated: true,
                        ..
                    }
                )
            };
            outcomes.filter(activated).count()
        });
        assert_eq!(activations, 1);
        assert_eq!(world.messages("customer.activated", &id.to_string()), 1);
        assert_eq!(world.balance(id), tokens(80));
        assert_eq!(world.state(id), State::Active);
    }
}

fn login_names_are_unique_on_the_node(db: &TestDb) {
    let world = World::new(db);
    let named = |login: &str| Details {
        login: Some(login.to_owned()),
        ..Details::default()
    };
    let here = stages(&world);
    let there = Stages {
        world: &world,
        vendor: world.other_vendor("other-shop"),
    };
    let (first, second) = (here.start(), there.start());
    here.details(first, &named("Ada Lovelace")).unwrap();
    there.details(second, &named("ada lovelace ")).unwrap();
    let ada = here.means(first).unwrap();
    let taken = |r| matches!(r, Err(CustomerError::LoginTaken));
    assert!(
        taken(there.means(second).map(|_| ())),
        "the directory decides"
    );
    let third = there.start();
    assert!(
        taken(there.details(third, &named("ADA LOVELACE"))),
        "said early"
    );
    there.details(third, &named("ada2")).unwrap();
    there.means(third).unwrap();
    let vault = &world.node.vault;
    let found = |login: &str| {
        world
            .node
            .engine
            .read(|tx| customer_by_login(tx, vault, login))
    };
    assert_eq!(found(" ADA lovelace").unwrap().customer_id, ada);
    assert_eq!(found("ada2").unwrap().book_id, there.vendor.book_id);
    assert!(matches!(found("eve"), Err(CustomerError::Unknown(_))));
    // Many at once: one gets it.
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let id = here.start();
                scope.spawn({
                    let here = &here;
                    move || {
                        here.details(id, &named("grace"))?;
                        here.means(id)
                    }
                })
            })
            .collect();
        let made = threads.into_iter().map(|t| t.join().unwrap());
        made.filter(Result::is_ok).count()
    });
    assert_eq!(made, 1);
}

fn numbers_are_of_one_vendor(db: &TestDb) {
    let world = World::new(db);
    let number = world.register().number.to_string();
    let other = world.other_vendor("other-shop");
    let find = |vendor: &Vendor, typed: &str| {
        let found = world
            .node
            .engine
            .read(|tx| customer_by_number(tx, vendor, typed));
        found.map(|c| c.number.to_string())
    };
    assert_eq!(find(&world.vendor, &number).unwrap(), number);
    let spaced = format!(" {} ", number.replace('-', " "));
    assert_eq!(find(&world.vendor, &spaced).unwrap(), number);
    assert!(matches!(
        find(&other, &number),
        Err(CustomerError::Unknown(_))
    ));
    let mut typo = number.clone().into_bytes();
    typo[5] = if typo[5] == b'9' { b'8' } else { typo[5] + 1 };
    let typo = String::from_utf8(typo).unwrap();
    let wrong = find(&world.vendor, &typo);
    let is_check = |e| matches!(e, CustomerError::Number(NumberError::CheckDigits(_)));
    assert!(is_check(wrong.unwrap_err()));
    for malformed in ["", "42", "ada", "001-8271-0007-4x", &"9".repeat(10_000)] {
        let wrong = find(&world.vendor, malformed);
        assert!(
            matches!(wrong, Err(CustomerError::Number(_))),
            "{malformed:.20}"
        );
    }
}

fn references_of_customers_are_taken_once(db: &TestDb) {
    let world = World::new(db);
    let (a, b) = (world.register().customer_id, world.register().customer_id);
    let set = |id: CustomerId, reference: &'static str| {
        let customer = world.customer(id);
        world.write(move |tx| reference_set(tx, &customer, reference))
    };
    set(a, "17850").unwrap();
    set(a, "old 17850").unwrap();
    set(a, "17850").unwrap();
    let taken = set(b, "17850");
    assert!(matches!(taken, Err(CustomerError::ReferenceTaken(_))));
    assert!(matches!(set(b, " "), Err(CustomerError::Text(_))));
    let find = |reference: &str| {
        let found = world
            .node
            .engine
            .read(|tx| customer_by_reference(tx, world.book(), reference));
        found.unwrap().map(|c| c.customer_id)
    };
    assert_eq!(find("17850"), Some(a));
    assert_eq!(find("17851"), None);
    assert_eq!(world.other_vendor("other-shop").book_id, 2);
}

fn only_an_empty_account_is_closed_and_for_good(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(50);
    let close = |actor: Actor| {
        let customer = world.customer(id);
        world.write(move |tx| customer_close(tx, actor, &customer))
    };
    let stranger = Actor::Customer(world.register().customer_id);
    assert!(matches!(close(stranger), Err(CustomerError::Forbidden)));
    assert!(matches!(
        close(Actor::System),
        Err(CustomerError::NotEmpty { .. })
    ));
    let offer = world.offer("pen", 50);
    completed(world.place(id, &[want(offer, 1)]));
    let open = world.customer(id);
    close(Actor::Customer(id)).unwrap();
    assert_eq!(world.state(id), State::Closed);
    assert!(matches!(
        close(Actor::System),
        Err(CustomerError::Closed(_))
    ));
    let before = open.clone();
    let again = world.write(move |tx| customer_close(tx, Actor::System, &before));
    assert!(
        matches!(again, Err(CustomerError::Closed(_))),
        "though read as open"
    );
    let free = world.offer("leaflet", 0);
    let outcome = world.place(id, &[want(free, 1)]);
    assert!(matches!(refused(outcome), Refusal::Closed { .. }));
    let customer = world.customer(id);
    let session = world.write(move |tx| payment_session_open(tx, Actor::System, &customer));
    let closed = |e| matches!(e, TokenSaleError::Customer(CustomerError::Closed(_)));
    assert!(closed(session.unwrap_err()));
}

fn awkward_details(db: &TestDb) {
    let world = World::new(db);
    let stages = stages(&world);
    let name = |name: &str| Details {
        person: Person {
            name: name.to_owned(),
            ..Person::default()
        },
        ..Details::default()
    };
    for bad in ["x".repeat(10_000), "a\u{0}b".to_owned(), "a\nb".to_owned()] {
        let refused = stages.details(stages.start(), &name(&bad));
        assert!(matches!(refused, Err(CustomerError::Text(_))));
    }
    let long = Details {
        login: Some("x".repeat(201)),
        ..Details::default()
    };
    let refused = stages.details(stages.start(), &long);
    assert!(matches!(refused, Err(CustomerError::Text(_))));
    let empty = Details {
        login: Some("  ".to_owned()),
        ..Details::default()
    };
    let refused = stages.details(stages.start(), &empty);
    assert!(matches!(refused, Err(CustomerError::Text(_))));
    for good in ["名前", "Zoë O’Brien", "🦊", "عمر"] {
        let id = stages.start();
        stages.details(id, &name(good)).unwrap();
        stages.means(id).unwrap();
    }
}
