//! Who may order: T, and what changes it.

use crate::support::{World, completed, plain_offer, refused, request, tokens, want};
use crate::watched::Watched;
use scrip_domain::catalog::{NewOffer, NewProduct, Tier, cheapest, offer_put, product_put};
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::order::gate::{Standing, gate, threshold};
use scrip_domain::order::{OrderError, OrderOutcome, Refusal, order_list_set};
use scrip_domain::policy::{BrowsingPolicy, Policy, policy_set, policy_version};
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;

both!(
    one_token_less_is_too_few,
    a_threshold_of_the_vendor_holds_for_every_order,
    the_threshold_follows_the_cheapest_offer,
    programs_of_the_vendor_meet_the_same_test,
    the_cheapest_of_many_is_not_looked_for,
);

/// Decides what is seen.
fn decide(world: &World, browsing: BrowsingPolicy) {
    let (vendor, book) = (world.vendor.clone(), world.book());
    let decided = world.write(move |tx| {
        let began = policy_version(tx, book)?.number;
        let policy = Policy {
            browsing: browsing.clone(),
            ..Policy::default()
        };
        policy_set(tx, Actor::System, &vendor, began, &policy)
    });
    decided.unwrap();
}

fn set(threshold: Option<Amount>) -> BrowsingPolicy {
    BrowsingPolicy {
        threshold,
        ..BrowsingPolicy::default()
    }
}

fn put(world: &World, id: CustomerId, offer: OfferId) -> Result<(), OrderError> {
    let book = world.book();
    world.write(move |tx| order_list_set(tx, Actor::Customer(id), book, id, offer, 1))
}

/// T by default, as a page asks for it.
fn by_default(world: &World) -> Amount {
    let book = world.book();
    let read = |tx: &mut scrip_engine::ReadTx<'_>| threshold(tx, book, &BrowsingPolicy::default());
    world.node.engine.read(read).unwrap()
}

/// SHP-05: AT = T - 1 is blocked, AT = T is not, with T the cheapest offer's price.
fn one_token_less_is_too_few(db: &TestDb) {
    let world = World::with(db, "0.01", "0");
    let cup = world.offer("cup", 60);
    world.offer("jug", 90);
    let [few, enough] = [59, 60].map(|n| world.buyer(n));
    let blocked = put(&world, few, cup).unwrap_err();
    let OrderError::NotYet(Refusal::BelowThreshold {
        threshold,
        available,
        ..
    }) = blocked
    else {
        panic!("{blocked}");
    };
    assert_eq!((threshold, available), (tokens(60), tokens(59)));
    put(&world, enough, cup).unwrap();
    assert!(matches!(
        refused(world.place(few, &[want(cup, 1)])),
        Refusal::Shortage { .. }
    ));
    completed(world.place(enough, &[want(cup, 1)]));
}

/// SHP-05: with T of its own, a vendor takes not even an order that could be paid; the order is
/// stored as refused, and nothing is debited. A change while somebody shops counts at once.
fn a_threshold_of_the_vendor_holds_for_every_order(db: &TestDb) {
    let world = World::with(db, "0.01", "0");
    let pen = world.offer("pen", 5);
    let id = world.buyer(99);
    put(&world, id, pen).unwrap();
    decide(&world, set(Some(tokens(100))));
    let out = refused(world.place(id, &[want(pen, 1)]));
    let Refusal::BelowThreshold { threshold, .. } = out else {
        panic!("{out}");
    };
    assert_eq!(threshold, tokens(100));
    assert!(put(&world, id, pen).is_err());
    assert_eq!(world.balance(id), tokens(99));
    let stored = "SELECT COUNT(*) FROM orders
         WHERE book_id = $1 AND state = 'refused' AND reason = 'below_threshold'";
    assert_eq!(world.number(stored), 1);
    world.buy(id, tokens(1), "test_ok").unwrap();
    completed(world.place(id, &[want(pen, 1)]));
    assert!(matches!(
        refused(world.place(id, &[want(pen, 1)])),
        Refusal::BelowThreshold { .. }
    ));
    decide(&world, set(None));
    completed(world.place(id, &[want(pen, 1)]));
}

/// SHP-05: prices and tiers that change, offers that are free or not sold any more.
fn the_threshold_follows_the_cheapest_offer(db: &TestDb) {
    let world = World::with(db, "0.01", "0");
    assert_eq!(by_default(&world), Amount::ZERO, "nothing is sold");
    world.offer("cup", 60);
    let tiers = |least: i64| NewOffer {
        tiers: vec![
            Tier {
                up_to: 10,
                price: tokens(least),
            },
            Tier {
                up_to: 100,
                price: tokens(300),
            },
        ],
        ..plain_offer("stamps", tokens(1))
    };
    world.offer_of(tiers(40));
    assert_eq!(
        by_default(&world),
        tokens(40),
        "the price beside tiers is none"
    );
    world.offer_of(tiers(80));
    assert_eq!(by_default(&world), tokens(60));
    world.offer("cup", 70);
    assert_eq!(by_default(&world), tokens(70));
    world.offer("gift", 0);
    assert_eq!(by_default(&world), Amount::ZERO);
    let id = world.register().customer_id;
    let gift = world.offer("gift", 0);
    put(&world, id, gift).unwrap();
    completed(world.place(id, &[want(gift, 1)]));
    world.offer_of(NewOffer {
        active: false,
        ..plain_offer("gift", tokens(0))
    });
    assert_eq!(by_default(&world), tokens(70));
    let at = |state, tokens| gate(state, tokens, by_default(&world), &set(None)).standing;
    let customer = world.customer(id);
    assert_eq!(at(Some(customer.state), tokens(69)), Standing::Below);
    assert_eq!(at(Some(customer.state), tokens(70)), Standing::Open);
}

/// SHP-04: who acts for the customer makes no difference.
fn programs_of_the_vendor_meet_the_same_test(db: &TestDb) {
    let world = World::with(db, "0.01", "0");
    let pen = world.offer("pen", 5);
    let id = world.buyer(9);
    decide(&world, set(Some(tokens(10))));
    let staff = Actor::Staff(world.staff("Olga"));
    for actor in [Actor::System, staff, Actor::Customer(id)] {
        let placed = world
            .place_as(actor, &request(id, &[want(pen, 1)]))
            .unwrap();
        assert!(matches!(
            placed,
            OrderOutcome::Refused {
                refusal: Refusal::BelowThreshold { .. },
                ..
            }
        ));
    }
}

/// SHP-05: one look into an index, with 3,000 offers.
fn the_cheapest_of_many_is_not_looked_for(db: &TestDb) {
    let world = World::new(db);
    let (vendor, book) = (world.vendor.clone(), world.book());
    let filled = world.write(move |tx| {
        let new = NewProduct {
            handle: "all".into(),
            title: "All".into(),
            ..NewProduct::default()
        };
        let (product, _) = product_put(tx, &vendor, &new)?;
        for n in 0..3_000 {
            let offer = NewOffer {
                active: n % 2 == 0,
                ..plain_offer(&format!("sku-{n}"), tokens(3_001 - n))
            };
            offer_put(tx, &vendor, product, &offer)?;
        }
        Ok::<_, OrderError>(())
    });
    filled.unwrap();
    let read = |tx: &mut scrip_engine::ReadTx<'_>| {
        let mut watched = Watched::new(tx);
        let least = cheapest(&mut watched, book)?;
        assert_eq!(least, Some(tokens(3)));
        assert_eq!(watched.queries, 1);
        assert!(
            watched
                .plans
                .iter()
                .all(|p| p.contains("offer_lowest_price")),
            "{:?}",
            watched.plans
        );
        Ok::<_, OrderError>(())
    };
    world.node.engine.read(read).unwrap();
}
