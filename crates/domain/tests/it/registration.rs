//! Registering by the vendor's policy: fields, means, time limits, opening tokens, channels, who
//! opened the account.

use crate::support::{World, tokens};
use scrip_domain::customer::{
    Channel, CreditStatus, CustomerError, Details, Entry, Means, Opener, Person, Registered,
    Standing, State, activation_sweep, answer_hash, customer_by_id, customer_enter,
    customer_register, customer_summary, fate, registration_details, registration_means,
    registration_stage, registration_start, registrations_expire, standing, standing_set,
};
use scrip_domain::id::{ApiKeyId, CustomerId};
use scrip_domain::policy::{Need, Policy, policy_set, policy_version};
use scrip_domain::token_sale::{Outcome, token_price_quote_for};
use scrip_domain::vendor::{EntityKind, Limits, NewVendor, Vendor, limits_set, vendor_create};
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;
use uuid::Uuid;

both!(
    the_policy_decides_which_fields_are_asked_for,
    unfinished_registrations_last_as_long_as_the_policy_says,
    means_outside_the_policy_are_refused,
    staff_register_by_every_way_off_line,
    free_opening_tokens_activate_whatever_the_minimum_is,
    the_fee_for_opening_tokens_activates_when_it_is_paid,
    other_quantities_are_no_opening,
    an_account_tells_who_opened_it,
    each_kind_of_business_opens_accounts_of_its_own,
    a_country_has_its_own_minimum,
    standing_is_the_vendors_to_set,
    answers_are_asked_for_on_line,
);

/// Changes the policy of a world's vendor.
pub fn decide(world: &World, change: impl Fn(&mut Policy) + Send + 'static) {
    let vendor = world.vendor.clone();
    world
        .node
        .engine
        .write(move |tx| {
            let held = policy_version(tx, vendor.book_id)?;
            let mut policy = held.policy;
            change(&mut policy);
            policy_set(tx, Actor::System, &vendor, held.number, &policy)
        })
        .unwrap();
}

fn enter(world: &World, entry: Entry, details: Details) -> Result<Registered, CustomerError> {
    enter_as(world, Actor::System, entry, details)
}

fn enter_as(
    world: &World,
    actor: Actor,
    entry: Entry,
    details: Details,
) -> Result<Registered, CustomerError> {
    let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
    world.write(move |tx| customer_enter(tx, &vault, actor, &vendor, &entry, &details))
}

const COUNTER: Entry = Entry {
    channel: Channel::Staff,
    means: None,
};

fn named(name: &str, fax: &str) -> Details {
    Details {
        person: Person {
            name: name.to_owned(),
            fax: fax.to_owned(),
            ..Person::default()
        },
        ..Details::default()
    }
}

/// All stages on line.
fn on_line(world: &World, details: Details, means: Means) -> Result<Registered, CustomerError> {
    let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
    world.write(move |tx| {
        let begun = registration_start(tx, Actor::System, &vendor, Channel::Online)?;
        let id = begun.registration_id;
        registration_details(tx, &vault, &vendor, id, &details)?;
        registration_means(tx, &vault, &vendor, id, means)
    })
}

/// REG-04: hidden, optional and required fields, on line and by staff alike; a change of the
/// policy counts from the next registration.
fn the_policy_decides_which_fields_are_asked_for(db: &TestDb) {
    let world = World::new(db);
    let hidden = enter(&world, COUNTER, named("Ada", "123"));
    assert!(matches!(
        hidden,
        Err(CustomerError::FieldHidden("the fax number"))
    ));
    assert!(enter(&world, COUNTER, named("", "")).is_ok());
    decide(&world, |p| {
        p.registration.fields.fax = Need::Required;
        p.registration.fields.name = Need::Required;
    });
    for (name, fax, missing) in [
        ("", "123", "the name"),
        ("Ada", "", "the fax number"),
        ("Ada", " \t", "the fax number"),
    ] {
        for result in [
            enter(&world, COUNTER, named(name, fax)),
            on_line(&world, named(name, fax), Means::Card),
        ] {
            let field = |e| matches!(e, CustomerError::FieldRequired(f) if f == missing);
            assert!(field(result.unwrap_err()), "{name:?} {fax:?}");
        }
    }
    assert!(enter(&world, COUNTER, named("Ada", "123")).is_ok());
    assert!(on_line(&world, named("Ada", "123"), Means::Card).is_ok());
    decide(&world, |p| p.registration.fields.fax = Need::Hidden);
    assert!(enter(&world, COUNTER, named("Ada", "123")).is_err());
}

/// REG-10: the limit is the vendor's; past it nothing is kept.
fn unfinished_registrations_last_as_long_as_the_policy_says(db: &TestDb) {
    let world = World::new(db);
    decide(&world, |p| p.registration.unfinished_s = 600);
    let vendor = world.vendor.clone();
    let start = move |tx: &mut scrip_engine::Tx<'_>| {
        registration_start(tx, Actor::System, &vendor, Channel::Online)
    };
    let id = world.write(start).unwrap().registration_id;
    let stage = || {
        let read = |tx: &mut scrip_engine::ReadTx<'_>| registration_stage(tx, &world.vendor, id);
        world.node.engine.read(read)
    };
    world.clock.advance_seconds(599);
    assert!(stage().is_ok());
    world.clock.advance_seconds(1);
    assert!(matches!(stage(), Err(CustomerError::RegistrationUnknown)));
    let book = world.book();
    assert_eq!(
        world
            .write(move |tx| registrations_expire(tx, book))
            .unwrap(),
        1
    );
    assert!(
        world
            .rows("SELECT book_id FROM registration WHERE book_id = $1")
            .is_empty()
    );
}

/// REG-12: on line cards alone unless the vendor allows more; off line what the policy accepts;
/// what was agreed is kept.
fn means_outside_the_policy_are_refused(db: &TestDb) {
    let world = World::new(db);
    let refused = |result: Result<Registered, CustomerError>| {
        matches!(result, Err(CustomerError::MeansRefused { .. }))
    };
    assert!(refused(on_line(&world, Details::default(), Means::Check)));
    decide(&world, |p| {
        p.registration.means_online = vec![Means::Card, Means::Check];
        p.registration.means_offline = vec![Means::BillMe];
    });
    assert!(on_line(&world, Details::default(), Means::Check).is_ok());
    for (means, fits) in [
        (Some(Means::Cash), false),
        (Some(Means::Card), false),
        (Some(Means::BillMe), true),
        (None, true),
    ] {
        let entry = Entry { means, ..COUNTER };
        let result = enter(&world, entry, Details::default());
        assert_eq!(result.is_ok(), fits, "{means:?}");
    }
    let kept = world.rows("SELECT means FROM customer WHERE book_id = $1 ORDER BY means");
    let kept: Vec<&str> = kept.iter().map(|row| row.text(0).unwrap()).collect();
    assert_eq!(kept, ["bill_me", "bill_me", "check"]);
}

/// REG-03: telephone, fax, letter, e-mail, counter: the same account, with its channel; only the
/// vendor enters customers.
fn staff_register_by_every_way_off_line(db: &TestDb) {
    let world = World::new(db);
    let by_web = on_line(&world, Details::default(), Means::Card).unwrap();
    for channel in [
        Channel::Phone,
        Channel::Fax,
        Channel::Mail,
        Channel::Email,
        Channel::Staff,
    ] {
        let entry = Entry {
            channel,
            means: None,
        };
        let made = enter(&world, entry, Details::default()).unwrap();
        assert_eq!(
            (made.state, made.tokens_to_activate),
            (by_web.state, by_web.tokens_to_activate)
        );
        let customer = world.customer(made.customer_id);
        let seen = world
            .node
            .engine
            .read(|tx| customer_summary(tx, &customer))
            .unwrap();
        assert_eq!(seen.channel, channel);
        let bought = world.buy(made.customer_id, tokens(50), "test_ok").unwrap();
        assert!(matches!(
            bought,
            Outcome::Cleared {
                activated: true,
                ..
            }
        ));
    }
    let own = enter_as(
        &world,
        Actor::Customer(by_web.customer_id),
        COUNTER,
        Details::default(),
    );
    assert!(matches!(own, Err(CustomerError::Forbidden)));
}

/// REG-08: grant 5 with MT 50: active at once, AT 5, of free origin.
fn free_opening_tokens_activate_whatever_the_minimum_is(db: &TestDb) {
    let world = World::new(db);
    decide(&world, |p| p.registration.opening_tokens = tokens(5));
    let made = on_line(&world, Details::default(), Means::Card).unwrap();
    assert_eq!(made.state, State::Active);
    assert_eq!(made.tokens_to_activate, Amount::ZERO);
    assert_eq!(world.state(made.customer_id), State::Active);
    assert_eq!(world.balance(made.customer_id), tokens(5));
    let origins = world.rows("SELECT origin FROM token_grant WHERE book_id = $1");
    assert_eq!(origins.len(), 1);
    assert_eq!(origins[0].text(0).unwrap(), "free");
}

/// REG-08: against a fee, the account is active when it is paid and not before; the fee is the
/// price of exactly these tokens, once.
fn the_fee_for_opening_tokens_activates_when_it_is_paid(db: &TestDb) {
    let world = World::new(db);
    let fee = Amount::parse("3.00", world.vendor.currency.scale).unwrap();
    decide(&world, move |p| {
        p.registration.opening_tokens = tokens(5);
        p.registration.opening_fee = fee;
    });
    let id = on_line(&world, Details::default(), Means::Card)
        .unwrap()
        .customer_id;
    assert_eq!(
        (world.state(id), world.balance(id)),
        (State::Inactive, Amount::ZERO)
    );
    let price = |id: CustomerId| {
        let customer = world.customer(id);
        let quote = world
            .node
            .engine
            .read(|tx| token_price_quote_for(tx, &world.vendor, &customer, tokens(5)));
        quote.unwrap()
    };
    assert_eq!(price(id), fee);
    let declined = world.buy(id, tokens(5), "test_declined").unwrap();
    assert!(matches!(declined, Outcome::Declined { .. }));
    assert_eq!(world.state(id), State::Inactive);
    match world.buy(id, tokens(5), "test_ok").unwrap() {
        Outcome::Cleared {
            price, activated, ..
        } => assert_eq!((price, activated), (fee, true)),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        (world.state(id), world.balance(id)),
        (State::Active, tokens(5))
    );
    assert!(price(id) < fee, "the next five have their usual price");
}

/// REG-08: other quantities have their price and activate by the minimum, and then no fee is due.
fn other_quantities_are_no_opening(db: &TestDb) {
    let world = World::new(db);
    let fee = Amount::parse("3.00", world.vendor.currency.scale).unwrap();
    decide(&world, move |p| {
        p.registration.opening_tokens = tokens(5);
        p.registration.opening_fee = fee;
    });
    let id = world.register().customer_id;
    world.buy(id, tokens(6), "test_ok").unwrap();
    assert_eq!(world.state(id), State::Inactive);
    world.buy(id, tokens(44), "test_ok").unwrap();
    assert_eq!(world.state(id), State::Active);
    match world.buy(id, tokens(5), "test_ok").unwrap() {
        Outcome::Cleared { price, .. } => assert!(price < fee),
        other => panic!("{other:?}"),
    }
}

/// REG-01: the vendor's own accounts and those that an affiliate opened with its key.
fn an_account_tells_who_opened_it(db: &TestDb) {
    let world = World::new(db);
    let key = ApiKeyId(Uuid::from_u128(7));
    let staff = Actor::Staff(world.staff("Ada"));
    for (actor, opener) in [
        (Actor::System, Opener::Vendor),
        (staff, Opener::Vendor),
        (Actor::Key(key), Opener::Affiliate(key)),
    ] {
        let id = enter_as(&world, actor, COUNTER, Details::default())
            .unwrap()
            .customer_id;
        let customer = world.customer(id);
        let told = world.node.engine.read(|tx| fate(tx, &customer)).unwrap();
        assert_eq!(told.opener, opener);
    }
}

/// REG-04: preferred flag, credit status and country are the vendor's to set, and noted.
fn standing_is_the_vendors_to_set(db: &TestDb) {
    let world = World::new(db);
    let customer = world.customer(world.register().customer_id);
    let of = customer.clone();
    let read = || world.node.engine.read(|tx| standing(tx, &of)).unwrap();
    assert_eq!(
        read(),
        Standing {
            preferred: false,
            credit_status: CreditStatus::Good,
            country: String::new(),
        }
    );
    let new = Standing {
        preferred: true,
        credit_status: CreditStatus::Poor,
        country: " gb ".to_owned(),
    };
    let set = |actor: Actor, new: Standing| {
        let customer = customer.clone();
        world.write(move |tx| standing_set(tx, actor, &customer, &new))
    };
    let own = set(Actor::Customer(customer.customer_id), new.clone());
    assert!(matches!(own, Err(CustomerError::Forbidden)));
    for odd in ["GBR", "1A", "<b", "\u{202e}G"] {
        let odd = Standing {
            country: odd.to_owned(),
            ..new.clone()
        };
        assert!(set(Actor::System, odd).is_err());
    }
    set(Actor::System, new).unwrap();
    set(Actor::System, read()).unwrap();
    assert_eq!(read().country, "GB");
    assert!(read().preferred && read().credit_status == CreditStatus::Poor);
    let noted =
        world.rows("SELECT action FROM audit WHERE book_id = $1 AND action = 'customer.standing'");
    assert_eq!(noted.len(), 1, "what changes nothing is not noted");
}

/// REG-05: on line all questions are answered when registering, and no others.
fn answers_are_asked_for_on_line(db: &TestDb) {
    let world = World::new(db);
    decide(&world, |p| {
        p.registration.questions = vec!["First school?".into(), "Pet?".into()]
    });
    let with = |questions: &[&str]| Details {
        answers: questions
            .iter()
            .map(|q| answer_hash(q, "an answer").unwrap())
            .collect(),
        ..Details::default()
    };
    for few in [&[][..], &["Pet?"]] {
        let result = on_line(&world, with(few), Means::Card);
        assert!(
            matches!(result, Err(CustomerError::AnswersMissing)),
            "{few:?}"
        );
    }
    let odd = on_line(
        &world,
        with(&["Pet?", "First school?", "Shoe size?"]),
        Means::Card,
    );
    assert!(matches!(odd, Err(CustomerError::QuestionUnknown(_))));
    assert!(on_line(&world, with(&["Pet?", "First school?"]), Means::Card).is_ok());
    assert!(
        enter(&world, COUNTER, Details::default()).is_ok(),
        "staff may leave them open"
    );
    let kept = world.rows("SELECT hash FROM identity_answer WHERE book_id = $1");
    assert_eq!(kept.len(), 2);
    assert!(
        kept.iter()
            .all(|row| row.text(0).unwrap().starts_with("$argon2id$"))
    );
}

/// REG-01: a vendor, a manufacturer and a credit institution each open accounts in their own book;
/// an account of one is none of another.
fn each_kind_of_business_opens_accounts_of_its_own(db: &TestDb) {
    let world = World::new(db);
    let made = EntityKind::ALL.iter().map(|kind| {
        let new = NewVendor {
            kind: *kind,
            slug: kind.name().replace('_', "-"),
            name: kind.words().to_owned(),
            currency: "GBP".to_owned(),
            token_price: "0.01".to_owned(),
            minimum_tokens: "0".to_owned(),
            declines_allowed: 3,
        };
        let vault = world.node.vault.clone();
        world
            .write(move |tx| {
                let vendor = vendor_create(tx, &vault, &new)?;
                let customer = customer_register(tx, &vault, &vendor, &Details::default())?;
                Ok::<_, CustomerError>((vendor, customer))
            })
            .unwrap()
    });
    let made: Vec<(Vendor, Registered)> = made.collect();
    for ((vendor, customer), kind) in made.iter().zip(EntityKind::ALL) {
        assert_eq!(vendor.kind, *kind);
        assert_eq!(customer.number.book_id(), vendor.book_id);
        for (other, _) in &made {
            let id = customer.customer_id;
            let found = world
                .node
                .engine
                .read(|tx| customer_by_id(tx, other.book_id, id));
            assert_eq!(found.is_ok(), other.book_id == vendor.book_id);
        }
    }
}

/// TOK-01, REG-07: MT goes by the customer's country, where the vendor has set one for it.
fn a_country_has_its_own_minimum(db: &TestDb) {
    let mut world = World::new(db);
    let set = |world: &World, minimums: &'static str| {
        let vendor = world.vendor.clone();
        world
            .write(move |tx| {
                let began = Limits::of(&scrip_domain::vendor::vendor_by_book(tx, vendor.book_id)?);
                let new = Limits {
                    minimums: minimums.parse()?,
                    ..began.clone()
                };
                limits_set(tx, Actor::System, &vendor, &began, &new)?;
                scrip_domain::vendor::vendor_by_book(tx, vendor.book_id)
            })
            .unwrap()
    };
    world.vendor = set(&world, "de 100\nAT 0");
    let of = |world: &World, country: &str| {
        let details = Details {
            country: country.to_owned(),
            ..Details::default()
        };
        enter(world, COUNTER, details).unwrap()
    };
    let [german, british, austrian] = ["DE", "gb", "AT"].map(|country| of(&world, country));
    let told = |made: &Registered| (made.state, made.tokens_to_activate);
    assert_eq!(told(&german), (State::Inactive, tokens(100)));
    assert_eq!(told(&british), (State::Inactive, tokens(50)));
    assert_eq!(told(&austrian), (State::Active, Amount::ZERO));
    for made in [&german, &british] {
        world.buy(made.customer_id, tokens(50), "test_ok").unwrap();
    }
    let state = |world: &World, made: &Registered| world.state(made.customer_id);
    assert_eq!(state(&world, &british), State::Active);
    assert_eq!(state(&world, &german), State::Inactive);
    // Another country with a lower one: what is there is enough.
    let moved = of(&world, "DE");
    world.buy(moved.customer_id, tokens(60), "test_ok").unwrap();
    let customer = world.customer(moved.customer_id);
    let new = Standing {
        country: "FR".to_owned(),
        preferred: false,
        credit_status: CreditStatus::Good,
    };
    world
        .write(move |tx| standing_set(tx, Actor::System, &customer, &new))
        .unwrap();
    assert_eq!(state(&world, &moved), State::Active);
    // The vendor lowers that of the country.
    world.vendor = set(&world, "DE 50.5");
    let sweep = |world: &World| {
        let book = world.book();
        world.write(move |tx| activation_sweep(tx, book)).unwrap()
    };
    assert_eq!(sweep(&world), Some(0));
    world.vendor = set(&world, "DE 50");
    assert_eq!(sweep(&world), Some(1));
    assert_eq!(state(&world, &german), State::Active);
    world.vendor = set(&world, "");
    assert_eq!(sweep(&world), None, "nothing became lower");
}
