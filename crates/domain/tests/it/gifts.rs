//! Tokens that are given: by staff and programs, for loyalty, to balances that are left alone.

use crate::by_card;
use crate::support::{DAY_S, World, completed, tokens, want};
use scrip_domain::audit::{Filter, trail};
use scrip_domain::customer::State;
use scrip_domain::gift_tokens::{
    Gift, GiftError, NewGift, Route, gift_give, gifts, gifts_of, gifts_round,
};
use scrip_domain::id::CustomerId;
use scrip_domain::order::{RefundLines, RefundRequest, order_refund};
use scrip_domain::policy::{GiftPolicy, policy_set, policy_version};
use scrip_domain::statement::{LotKind, balance};
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;

both!(
    each_route_makes_free_tokens,
    what_is_given_once_is_given_once,
    loyalty_rewards_what_was_spent_and_not_what_came_back,
    idle_balances_get_their_share_once_a_period,
    what_cannot_be_given,
);

fn gift(customer: CustomerId, quantity: i64, once: &str) -> NewGift {
    NewGift {
        customer,
        route: Route::Contest,
        tokens: tokens(quantity),
        reason: "First prize".to_owned(),
        once: once.to_owned(),
    }
}

fn give(world: &World, new: NewGift) -> Result<Gift, GiftError> {
    let vendor = world.vendor.clone();
    world.write(move |tx| gift_give(tx, Actor::System, &vendor, &new))
}

fn set(world: &World, gifts: GiftPolicy) {
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let held = policy_version(tx, vendor.book_id)?;
            let mut new = held.policy;
            new.gifts = gifts.clone();
            policy_set(tx, Actor::System, &vendor, held.number, &new)
        })
        .unwrap();
}

/// Rounds until nothing more is due.
fn rounds(world: &World) {
    loop {
        let vendor = world.vendor.clone();
        if !world.write(move |tx| gifts_round(tx, &vendor)).unwrap() {
            return;
        }
    }
}

fn free(world: &World, id: CustomerId) -> Amount {
    let customer = world.customer(id);
    let held = world
        .node
        .engine
        .read(|tx| balance(tx, Actor::System, &customer));
    let by_kind = held.unwrap().by_kind;
    by_kind.get(&LotKind::Free).copied().unwrap_or_default()
}

/// TOK-06: whatever a gift is for, its tokens are of origin free; it is recorded and audited, and
/// may activate an account.
fn each_route_makes_free_tokens(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    for (n, route) in Route::ALL.iter().enumerate() {
        let new = NewGift {
            route: *route,
            ..gift(id, 20, "")
        };
        let given = give(&world, new).unwrap();
        let so_far = tokens(20 * (i64::try_from(n).unwrap() + 1));
        assert_eq!((given.route, free(&world, id)), (*route, so_far));
    }
    assert_eq!(world.state(id), State::Active, "100 reach the 50");
    let customer = world.customer(id);
    let read = &world.node.engine;
    let own = Actor::Customer(id);
    let mine = read
        .read(|tx| gifts_of(tx, own, &customer, None, 3))
        .unwrap();
    assert_eq!(
        (mine.items.len(), mine.items[0].route),
        (3, Route::Goodwill)
    );
    let all = read
        .read(|tx| gifts(tx, world.book(), mine.next, 10))
        .unwrap();
    assert_eq!(all.items.len(), 2, "the rest of them");
    let told = read
        .read(|tx| trail(tx, world.book(), &Filter::default(), None, 10))
        .unwrap();
    assert!(told.items.iter().all(|n| n.action == "tokens.given"));
    assert_eq!(told.items.len(), 5);
    assert_eq!(
        world.number("SELECT COUNT(*) FROM entry WHERE book_id = $1 AND code = 'token_gift'"),
        5
    );
}

/// TOK-06: what a customer gets once comes once, however often and by how many it is sent.
fn what_is_given_once_is_given_once(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (world.register().customer_id, world.register().customer_id);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| give(&world, gift(id, 10, "survey 7"))))
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
    let refused = outcomes.iter().filter_map(|o| o.as_ref().err());
    for told in refused {
        assert!(matches!(told, GiftError::GivenBefore(_)), "{told:?}");
    }
    assert_eq!(free(&world, id), tokens(10));
    give(&world, gift(other, 10, "survey 7")).unwrap();
    give(&world, gift(id, 10, "survey 8")).unwrap();
    assert_eq!(free(&world, id), tokens(20));
}

/// TOK-06: a reward for so many tokens spent, counted when goods come back no more.
fn loyalty_rewards_what_was_spent_and_not_what_came_back(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1000);
    let offer = world.offer("book", 60);
    completed(world.place(id, &[want(offer, 1)]));
    set(
        &world,
        GiftPolicy {
            loyalty_every: tokens(100),
            loyalty_tokens: tokens(5),
            ..GiftPolicy::default()
        },
    );
    rounds(&world);
    world.clock.advance_seconds(2);
    // What a card pays spends no tokens.
    by_card::allow(&world, true);
    by_card::paid(by_card::pay(&world, &by_card::order(id, offer, 9, "test_ok")).unwrap());
    for _ in 0..4 {
        completed(world.place(id, &[want(offer, 1)]));
    }
    let back = completed(world.place(id, &[want(offer, 5)]));
    let vendor = world.vendor.clone();
    let request = RefundRequest {
        order_id: back.order_id,
        lines: RefundLines::Whole,
        restock: false,
        reference: String::new(),
        effective_at: None,
    };
    world
        .write(move |tx| order_refund(tx, Actor::System, &vendor, &request))
        .unwrap();
    rounds(&world);
    assert_eq!(free(&world, id), Amount::ZERO, "goods may come back yet");
    world.clock.advance_seconds(15 * DAY_S);
    rounds(&world);
    // 240 since it was switched on: two rewards, and the 300 came back.
    assert_eq!(free(&world, id), tokens(10));
    rounds(&world);
    assert_eq!(free(&world, id), tokens(10), "once");
    completed(world.place(id, &[want(offer, 1)]));
    world.clock.advance_seconds(15 * DAY_S);
    rounds(&world);
    // Free tokens were spent first: 10 of the 60; the next reward is for 300.
    assert_eq!(free(&world, id), tokens(5));
}

/// TOK-06, MIC-01: balances that were left alone get a share, rounded down, once in a period.
fn idle_balances_get_their_share_once_a_period(db: &TestDb) {
    let world = World::new(db);
    let (idle, busy) = (world.buyer(333), world.buyer(500));
    let inactive = world.register().customer_id;
    world.buy(inactive, tokens(10), "test_ok").unwrap();
    set(
        &world,
        GiftPolicy {
            interest_rate: 125,
            interest_days: 30,
            interest_idle_days: 20,
            life_days: Some(90),
            ..GiftPolicy::default()
        },
    );
    rounds(&world);
    assert_eq!(free(&world, idle), Amount::ZERO, "it moved today");
    // A new period begins: the round before counts for its own.
    world.clock.advance_seconds(30 * DAY_S);
    world.buy(busy, tokens(1), "test_ok").unwrap();
    rounds(&world);
    // 1.25 % of 333 tokens.
    assert_eq!(free(&world, idle), Amount::from_units(4_162_500));
    for other in [busy, inactive] {
        assert_eq!(free(&world, other), Amount::ZERO);
    }
    rounds(&world);
    assert_eq!(
        free(&world, idle),
        Amount::from_units(4_162_500),
        "once a period"
    );
    world.clock.advance_seconds(30 * DAY_S);
    rounds(&world);
    // The gift before is no movement of the customer's; it counts to the balance.
    assert_eq!(
        free(&world, idle),
        Amount::from_units(4_162_500 + 4_214_531)
    );
    assert!(free(&world, busy).is_positive());
    world.clock.advance_seconds(200 * DAY_S);
    assert_eq!(
        free(&world, idle),
        Amount::ZERO,
        "given tokens expire as the policy says"
    );
}

fn what_cannot_be_given(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    for quantity in [0, -1, 2_000_000_000] {
        let odd = give(&world, gift(id, quantity, ""));
        assert!(matches!(odd, Err(GiftError::Tokens)), "{odd:?}");
    }
    for reason in ["", " ", "line\nbreak", &"x".repeat(301)] {
        let new = NewGift {
            reason: reason.to_owned(),
            ..gift(id, 1, "")
        };
        let odd = give(&world, new);
        assert!(matches!(odd, Err(GiftError::Text(_))), "{odd:?}");
    }
    let vendor = world.vendor.clone();
    let own = Actor::Customer(id);
    let selfish = world.write(move |tx| gift_give(tx, own, &vendor, &gift(id, 1, "")));
    assert!(matches!(selfish, Err(GiftError::Forbidden)), "{selfish:?}");
    let elsewhere = world.other_vendor("elsewhere");
    let foreign = world.write(move |tx| gift_give(tx, Actor::System, &elsewhere, &gift(id, 1, "")));
    assert!(
        matches!(foreign, Err(GiftError::Customer(_))),
        "{foreign:?}"
    );
    assert_eq!(free(&world, id), Amount::ZERO);
}
