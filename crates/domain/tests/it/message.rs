//! Messages: from the outbox to deliveries, tries, and what is never sent twice.

use crate::support::{World, tokens};
use scrip_domain::Actor;
use scrip_domain::customer::{Details, Person, customer_by_id};
use scrip_domain::id::{CustomerId, EndpointId};
use scrip_domain::message::{
    ATTEMPTS, Choice, Delivery, DeliveryState, End, Kind, LEASE_S, Language, MessageError, Routes,
    Target, choice, choice_set, deliveries, deliveries_lapse, delivery_again, delivery_claim,
    delivery_end, delivery_sending, endpoint_delete, endpoint_gone, endpoint_test, fan_out,
    targets_due,
};
use scrip_domain::webhook::{
    EndpointState, NewEndpoint, OLD_SECRET_S, WebhookError, endpoint_create, endpoint_rotate,
    endpoint_sign, endpoints,
};
use scrip_engine::Error;
use scrip_engine::outbox::hand_over;
use scrip_testkit::{TestDb, on_both_engines};

impl World {
    fn spread(&self) {
        let vault = self.node.vault.clone();
        let routes = Routes { mail: true };
        let done = hand_over(&self.node.engine, self.book(), 1000, move |tx, messages| {
            fan_out(tx, &vault, routes, messages)
        });
        assert_eq!(done.unwrap().failed, 0);
    }

    fn log(&self, target: Target) -> Vec<Delivery> {
        let book = self.book();
        let read =
            |tx: &mut scrip_engine::ReadTx<'_>| deliveries(tx, book, target, None, None, 100);
        self.node.engine.read(read).unwrap().items
    }

    fn topics(&self, target: Target) -> Vec<String> {
        self.log(target)
            .into_iter()
            .rev()
            .map(|d| d.topic)
            .collect()
    }

    fn claim(&self, target: Target) -> Option<Delivery> {
        let book = self.book();
        let claim = move |tx: &mut scrip_engine::Tx<'_>| delivery_claim(tx, book, target);
        self.node.engine.write(claim).unwrap()
    }

    fn end(&self, claimed: &Delivery, end: End) -> bool {
        let claimed = claimed.clone();
        let write = move |tx: &mut scrip_engine::Tx<'_>| delivery_end(tx, &claimed, &end);
        self.node.engine.write(write).unwrap()
    }

    fn lapse(&self) -> u64 {
        let book = self.book();
        self.node
            .engine
            .write(move |tx| deliveries_lapse(tx, book))
            .unwrap()
    }

    fn endpoint(&self, topics: &[&str]) -> (EndpointId, String) {
        let new = NewEndpoint {
            url: "https://shop.example/hook".into(),
            topics: topics.iter().map(|t| (*t).to_owned()).collect(),
            ..NewEndpoint::default()
        };
        let (vault, vendor) = (self.node.vault.clone(), self.vendor.clone());
        let made = self
            .node
            .engine
            .write(move |tx| endpoint_create(tx, &vault, Actor::System, &vendor, &new, false));
        let (endpoint, secret) = made.unwrap();
        (endpoint.endpoint_id, secret)
    }

    fn with_address(&self) -> CustomerId {
        let person = Person {
            email: "ada@example.org".into(),
            ..Person::default()
        };
        let details = Details {
            person,
            ..Details::default()
        };
        self.register_with(details).customer_id
    }
}

on_both_engines!(
    one_delivery_for_each_receiver,
    one_delivery_for_each_receiver
);

/// REG-07: what happens reaches the customer's mail and each endpoint that wants it, once.
fn one_delivery_for_each_receiver(db: &TestDb) {
    let world = World::new(db);
    let (all, _) = world.endpoint(&[]);
    let (some, _) = world.endpoint(&["customer.activated"]);
    let known = world.with_address();
    world.buy(known, tokens(60), "test_ok").unwrap();
    world.buyer(60);
    world.spread();
    let told = [
        "customer.registered",
        "customer.activated",
        "token_order.cleared",
    ];
    assert_eq!(
        world.topics(Target::Mail),
        told,
        "one without an address gets no mail"
    );
    let twice = [told, told].concat();
    assert_eq!(world.topics(Target::Endpoint(all)), twice);
    let twice = ["customer.activated"; 2];
    assert_eq!(world.topics(Target::Endpoint(some)), twice);
    assert_eq!(
        world.number("SELECT COUNT(*) FROM outbox WHERE book_id = $1"),
        0
    );
    // A second spreading finds nothing to spread.
    world.spread();
    assert_eq!(world.topics(Target::Mail).len(), 3);
}

// REG-13: what is kept of a message names nobody.
on_both_engines!(deliveries_have_no_personal_data, |db: &TestDb| {
    let world = World::new(db);
    world.with_address();
    world.spread();
    let claimed = world.claim(Target::Mail).unwrap();
    assert!(!format!("{claimed:?}").contains("ada"));
});

on_both_engines!(customers_choose, |db: &TestDb| {
    let world = World::new(db);
    let id = world.with_address();
    let book = world.book();
    let set = |chosen: Choice| {
        world.node.engine.write(move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            choice_set(tx, Actor::Customer(id), &customer, &chosen)
        })
    };
    let wanted = Choice {
        language: Some(Language::German),
        declined: vec![Kind::Activated, Kind::Expiry],
    };
    set(wanted.clone()).unwrap();
    let kept = world.node.engine.read(|tx| {
        let customer = customer_by_id(tx, book, id)?;
        choice(tx, &customer)
    });
    assert_eq!(kept.unwrap(), wanted);
    let receipts = Choice {
        language: None,
        declined: vec![Kind::Order],
    };
    assert!(matches!(
        set(receipts),
        Err(MessageError::AlwaysSent(Kind::Order))
    ));
    world.buy(id, tokens(60), "test_ok").unwrap();
    world.spread();
    assert_eq!(
        world.topics(Target::Mail),
        ["customer.registered", "token_order.cleared"]
    );
    // Another customer may not choose for this one.
    let other = world.register().customer_id;
    let foreign = world.node.engine.write(move |tx| {
        let customer = customer_by_id(tx, book, id)?;
        let none = Choice {
            language: None,
            declined: vec![],
        };
        choice_set(tx, Actor::Customer(other), &customer, &none)
    });
    assert!(matches!(foreign, Err(MessageError::Forbidden)));
});

on_both_engines!(of_many_workers_one_gets_it, |db: &TestDb| {
    let world = World::new(db);
    for _ in 0..10 {
        world.with_address();
    }
    world.spread();
    let claimed: Vec<_> = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    let mut mine = Vec::new();
                    // One that loses a race gets none, and asks again.
                    let book = world.book();
                    while !world
                        .node
                        .engine
                        .read(|tx| targets_due(tx, book, true))
                        .unwrap()
                        .is_empty()
                    {
                        mine.extend(world.claim(Target::Mail));
                    }
                    mine
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap())
            .collect()
    });
    let mut ids: Vec<_> = claimed.iter().map(|d| d.message_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((claimed.len(), ids.len()), (10, 10));
});

on_both_engines!(what_may_have_arrived_is_not_sent_again, |db: &TestDb| {
    let world = World::new(db);
    world.with_address();
    world.spread();
    // A worker that vanishes before it hands anything over: tried again.
    let first = world.claim(Target::Mail).unwrap();
    assert_eq!(world.lapse(), 0);
    world.clock.advance_seconds(LEASE_S);
    assert_eq!(world.lapse(), 1);
    assert!(
        !world.end(&first, End::Done("250".into())),
        "its claim is over"
    );
    let late = first.clone();
    let sending = world
        .node
        .engine
        .write(move |tx| delivery_sending(tx, &late));
    assert!(!sending.unwrap());
    // One that vanishes while it hands it over: nobody knows.
    let second = world.claim(Target::Mail).unwrap();
    assert_eq!((second.message_id, second.attempts), (first.message_id, 2));
    let marked = second.clone();
    assert!(
        world
            .node
            .engine
            .write(move |tx| delivery_sending(tx, &marked))
            .unwrap()
    );
    world.clock.advance_seconds(LEASE_S);
    assert_eq!(world.lapse(), 1);
    world.clock.advance_seconds(1_000_000);
    assert_eq!(world.claim(Target::Mail), None);
    let log = world.log(Target::Mail);
    assert_eq!(log[0].state, DeliveryState::Uncertain);
    let vendor = world.vendor.clone();
    let again = world
        .node
        .engine
        .write(move |tx| delivery_again(tx, Actor::System, &vendor, second.message_id));
    assert!(matches!(again, Err(MessageError::MayHaveArrived)));
});

on_both_engines!(
    a_delivery_that_fails_is_parked_and_sent_again_by_staff,
    |db: &TestDb| {
        let world = World::new(db);
        let (endpoint, _) = world.endpoint(&[]);
        world.register();
        world.spread();
        let target = Target::Endpoint(endpoint);
        for attempt in 1..=ATTEMPTS {
            let claimed = world.claim(target).expect("it is due");
            assert_eq!(claimed.attempts, attempt);
            assert!(world.end(&claimed, End::Again("500 no".into())));
            let book = world.book();
            let due = world
                .node
                .engine
                .read(|tx| targets_due(tx, book, true))
                .unwrap();
            assert_eq!(due, [], "it waits");
            world.clock.advance_seconds(3600);
        }
        assert_eq!(world.claim(target), None);
        let log = world.log(target);
        assert_eq!(
            (log[0].state, log[0].answer.as_str()),
            (DeliveryState::Parked, "500 no")
        );
        let (vendor, id) = (world.vendor.clone(), log[0].message_id);
        world
            .node
            .engine
            .write(move |tx| delivery_again(tx, Actor::System, &vendor, id))
            .unwrap();
        let claimed = world.claim(target).unwrap();
        assert_eq!(
            (claimed.message_id, claimed.attempts),
            (id, 1),
            "the same id"
        );
        world.end(&claimed, End::Done("200".into()));
        let other = world.other_vendor("another");
        let foreign = world
            .node
            .engine
            .write(move |tx| delivery_again(tx, Actor::System, &other, id));
        assert!(matches!(foreign, Err(MessageError::Unknown(_))));
    }
);

on_both_engines!(endpoints_end_and_rotate, |db: &TestDb| {
    let world = World::new(db);
    let (endpoint, secret) = world.endpoint(&[]);
    assert!(secret.starts_with("whsec_"));
    let (book, vault) = (world.book(), world.node.vault.clone());
    let signatures = || {
        let read = |tx: &mut scrip_engine::ReadTx<'_>| {
            endpoint_sign(tx, &vault, book, endpoint, "msg_1", "{}")
        };
        let (_, header) = world.node.engine.read(read).unwrap();
        header.split(' ').count()
    };
    assert_eq!(signatures(), 1);
    let (v, vendor) = (world.node.vault.clone(), world.vendor.clone());
    let rotated = world
        .node
        .engine
        .write(move |tx| endpoint_rotate(tx, &v, Actor::System, &vendor, endpoint));
    assert_ne!(rotated.unwrap().1, secret);
    assert_eq!(signatures(), 2);
    world.clock.advance_seconds(OLD_SECRET_S);
    assert_eq!(signatures(), 1);
    // Gone: what waits is skipped, and nothing follows.
    world.register();
    world.spread();
    world
        .node
        .engine
        .write(move |tx| endpoint_gone(tx, book, endpoint, "410"))
        .unwrap();
    world.register();
    world.spread();
    let log = world.log(Target::Endpoint(endpoint));
    let states: Vec<_> = log.iter().map(|d| d.state).collect();
    assert_eq!(states, [DeliveryState::Skipped]);
    let all = world.node.engine.read(|tx| endpoints(tx, book)).unwrap();
    assert_eq!(all[0].state, EndpointState::Disabled);
    let vendor = world.vendor.clone();
    let test = world
        .node
        .engine
        .write(move |tx| endpoint_test(tx, Actor::System, &vendor, endpoint));
    assert!(matches!(
        test,
        Err(MessageError::Webhook(WebhookError::Disabled))
    ));
    let foreign = world.other_vendor("another");
    let other = world
        .node
        .engine
        .write(move |tx| endpoint_delete(tx, Actor::System, &foreign, endpoint));
    assert!(matches!(
        other,
        Err(MessageError::Webhook(WebhookError::Unknown(_)))
    ));
    let customer = world.register().customer_id;
    let vendor = world.vendor.clone();
    let forbidden = world
        .node
        .engine
        .write(move |tx| endpoint_delete(tx, Actor::Customer(customer), &vendor, endpoint));
    assert!(forbidden.is_err());
});

on_both_engines!(a_broken_message_does_not_hold_up_others, |db: &TestDb| {
    let world = World::new(db);
    let book = world.book();
    world
        .node
        .engine
        .write(move |tx| {
            let nobody = "ord_01h455vb4pex5vsknk084sn02q";
            scrip_engine::outbox::add(tx, book, "order.completed", nobody, "not JSON")
        })
        .map_err(|e: Error| e)
        .unwrap();
    world.with_address();
    let vault = world.node.vault.clone();
    let done = hand_over(&world.node.engine, book, 1000, move |tx, messages| {
        fan_out(tx, &vault, Routes { mail: true }, messages)
    });
    let done = done.unwrap();
    assert_eq!((done.done, done.failed), (1, 1));
    assert_eq!(world.topics(Target::Mail), ["customer.registered"]);
});
