//! What a mall lets its members issue, and when it clears by itself.

use crate::mall::Riverside;
use crate::support::{World, completed, tokens, want};
use scrip_domain::gift_tokens::{GiftError, NewGift, Route, gift_give};
use scrip_domain::id::CustomerId;
use scrip_domain::mall::{
    Clears, MallError, MemberState, clearing_close, clearing_due, clearing_interval_set,
    mall_by_slug, member_quota_set,
};
use scrip_domain::order::{RefundLines, RefundRequest, order_refund};
use scrip_domain::token_sale::{Outcome, TokenSaleError, token_orders_resolve};
use scrip_domain::vendor::{Quota, VendorError, quota};
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_testkit::TestDb;
use std::thread;

both!(
    issue_beyond_the_quota_is_refused,
    a_card_that_does_not_pay_gives_its_tokens_back,
    sales_at_once_stay_within_the_quota,
    a_member_that_is_cut_off_issues_nothing,
    a_mall_clears_by_itself_when_its_period_is_over,
);

fn limit(mall: &Riverside, place: usize, most: Option<i64>) -> Result<Quota, MallError> {
    let member = mall.member(place);
    mall.worlds[place]
        .write(move |tx| member_quota_set(tx, Actor::System, &member, most.map(tokens)))
}

fn issued(world: &World) -> Amount {
    let held = world.node.engine.read(|tx| quota(tx, world.book()));
    held.unwrap().unwrap().issued
}

/// What is left, where a sale was refused for the quota.
fn short(result: Result<Outcome, TokenSaleError>) -> Amount {
    match result {
        Err(TokenSaleError::Vendor(VendorError::QuotaShort { left })) => left,
        other => panic!("not refused: {other:?}"),
    }
}

fn give(world: &World, id: CustomerId, many: i64) -> Result<(), GiftError> {
    let vendor = world.vendor.clone();
    let gift = NewGift {
        customer: id,
        tokens: tokens(many),
        route: Route::Goodwill,
        reason: "Sorry".to_owned(),
        once: String::new(),
    };
    world.write(move |tx| gift_give(tx, Actor::System, &vendor, &gift).map(drop))
}

/// MSP-01: what is sold, given and exchanged into counts from the first quota on; what comes back
/// for an order was issued before; a larger quota lets it go on; without one, as on its own.
fn issue_beyond_the_quota_is_refused(db: &TestDb) {
    let mall = Riverside::new(db);
    let world = &mall.worlds[0];
    let id = world.buyer(500);
    let held = limit(&mall, 0, Some(100)).unwrap();
    assert_eq!(
        (held.issued, held.available().unwrap()),
        (Amount::ZERO, Some(tokens(100)))
    );
    let calls = world.cards.calls();
    assert_eq!(short(world.buy(id, tokens(101), "test_ok")), tokens(100));
    assert_eq!(world.cards.calls(), calls, "no card was asked");
    world.buy(id, tokens(60), "test_ok").unwrap();
    give(world, id, 30).unwrap();
    let refused = give(world, id, 11).unwrap_err();
    assert!(
        refused.to_string().contains("may issue 10 more tokens"),
        "{refused}"
    );
    assert_eq!(
        (issued(world), world.balance(id)),
        (tokens(90), tokens(590))
    );
    // Tokens of another member become these: 25 at 0.04 are 10 at 0.10.
    let other = mall.worlds[1].buyer(100);
    mall.exchange((1, other), 0, tokens(25)).unwrap();
    assert_eq!(issued(world), tokens(100));
    assert!(mall.exchange((1, other), 0, tokens(25)).is_err());
    assert_eq!(mall.worlds[1].balance(other), tokens(75), "nothing moved");
    // What was issued before is spent and comes back.
    let pot = world.offer("pot", 50);
    let order_id = completed(world.place(id, &[want(pot, 1)])).order_id;
    let (vendor, request) = (
        world.vendor.clone(),
        RefundRequest {
            order_id,
            lines: RefundLines::Whole,
            restock: false,
            reference: String::new(),
            effective_at: None,
        },
    );
    world
        .write(move |tx| order_refund(tx, Actor::System, &vendor, &request))
        .unwrap();
    assert_eq!(issued(world), tokens(100));
    limit(&mall, 0, Some(150)).unwrap();
    assert_eq!(short(world.buy(id, tokens(51), "test_ok")), tokens(50));
    world.buy(id, tokens(50), "test_ok").unwrap();
    assert_eq!(short(world.buy(id, tokens(1), "test_ok")), Amount::ZERO);
    limit(&mall, 0, None).unwrap();
    world.buy(id, tokens(1_000), "test_ok").unwrap();
    let negative = limit(&mall, 0, Some(-1)).unwrap_err();
    assert!(
        matches!(negative, MallError::Vendor(_) | MallError::Ledger(_)),
        "{negative}"
    );
    let as_staff = {
        let member = mall.member(0);
        let staff = Actor::Staff(world.staff("Ada"));
        world.write(move |tx| member_quota_set(tx, staff, &member, None))
    };
    assert!(matches!(as_staff, Err(MallError::OperatorOnly)));
    // The others have none.
    mall.worlds[1].buy(other, tokens(5_000), "test_ok").unwrap();
}

/// MSP-01: tokens that a card is charged for are taken before, and given back when it declines.
fn a_card_that_does_not_pay_gives_its_tokens_back(db: &TestDb) {
    let mall = Riverside::new(db);
    let world = &mall.worlds[0];
    let id = world.buyer(10);
    let slow = world.buy(id, tokens(30), "test_timeout").unwrap();
    assert_eq!(slow, Outcome::Awaiting);
    let held = limit(&mall, 0, Some(100)).unwrap();
    assert_eq!(held.issued, tokens(30), "what is under way counts");
    let lost = world.buy(id, tokens(70), "test_timeout_lost").unwrap();
    assert_eq!(lost, Outcome::Awaiting);
    assert_eq!(short(world.buy(id, tokens(1), "test_ok")), Amount::ZERO);
    world.clock.advance_seconds(3600);
    token_orders_resolve(&world.node, world.cards.as_ref(), &world.vendor, 60).unwrap();
    assert_eq!((issued(world), world.balance(id)), (tokens(30), tokens(40)));
    let declined = world.buy(id, tokens(70), "test_declined").unwrap();
    assert!(matches!(declined, Outcome::Declined { .. }));
    assert_eq!(issued(world), tokens(30));
}

/// MSP-01: of sales at once, those that fit go through, and no token more.
fn sales_at_once_stay_within_the_quota(db: &TestDb) {
    let mall = Riverside::new(db);
    let world = &mall.worlds[0];
    let customers: Vec<CustomerId> = (0..8).map(|_| world.buyer(10)).collect();
    limit(&mall, 0, Some(50)).unwrap();
    let sold: usize = thread::scope(|scope| {
        let sales: Vec<_> = customers
            .iter()
            .map(|id| scope.spawn(|| world.buy(*id, tokens(10), "test_ok").is_ok()))
            .collect();
        sales
            .into_iter()
            .map(|sale| usize::from(sale.join().unwrap()))
            .sum()
    });
    assert_eq!((sold, issued(world)), (5, tokens(50)));
}

/// GOV-10: who is cut off issues nothing from then on, whatever its customers have stays theirs; back,
/// it goes on; and who leaves is on its own.
fn a_member_that_is_cut_off_issues_nothing(db: &TestDb) {
    let mall = Riverside::new(db);
    let world = &mall.worlds[0];
    let id = world.buyer(100);
    limit(&mall, 0, Some(10)).unwrap();
    mall.stand(0, MemberState::Suspended);
    let stopped = world.buy(id, tokens(1), "test_ok").unwrap_err();
    assert!(
        stopped.to_string().contains("has suspended this shop"),
        "{stopped}"
    );
    let stopped = give(world, id, 1).unwrap_err();
    assert!(
        stopped.to_string().contains("has suspended this shop"),
        "{stopped}"
    );
    let pot = world.offer("pot", 40);
    completed(world.place(id, &[want(pot, 1)]));
    assert_eq!(world.balance(id), tokens(60));
    mall.stand(0, MemberState::Active);
    world.buy(id, tokens(5), "test_ok").unwrap();
    assert_eq!(
        short(world.buy(id, tokens(6), "test_ok")),
        tokens(5),
        "the quota is as it was"
    );
    mall.stand(0, MemberState::Left);
    world.buy(id, tokens(500), "test_ok").unwrap();
    let gone = limit(&mall, 0, Some(5)).unwrap_err();
    assert!(matches!(gone, MallError::Left(_)), "{gone}");
}

/// GOV-09: after each day, week or month, once; by hand in between changes nothing about that.
fn a_mall_clears_by_itself_when_its_period_is_over(db: &TestDb) {
    let mall = Riverside::new(db);
    let world = &mall.worlds[0];
    let is_due = || {
        let due = world.node.engine.read(|tx| {
            let now = mall_by_slug(tx, "riverside")?;
            clearing_due(tx, &now)
        });
        due.unwrap()
    };
    let clear = || {
        let of = mall.mall.clone();
        world
            .write(move |tx| clearing_close(tx, Actor::System, &of))
            .unwrap()
    };
    let at = |time: &str| world.clock.set(Timestamp::parse(time).unwrap());
    let every = |clears: Clears| {
        let of = mall.mall.clone();
        world
            .write(move |tx| clearing_interval_set(tx, Actor::System, &of, clears))
            .unwrap();
    };
    at("2026-06-01T00:00:00Z");
    assert!(!is_due(), "nobody said so");
    every(Clears::Month);
    assert!(is_due(), "the mall is older than this month");
    assert_eq!(clear().number, 1);
    for (time, due) in [
        ("2026-06-15T12:00:00Z", false),
        ("2026-06-30T23:59:59Z", false),
    ] {
        at(time);
        assert_eq!(is_due(), due, "{time}");
    }
    every(Clears::Day);
    assert!(is_due());
    every(Clears::Week);
    assert!(is_due());
    every(Clears::Month);
    assert_eq!(clear().number, 2, "by hand");
    at("2026-07-01T00:00:00Z");
    assert!(is_due());
    assert_eq!(clear().number, 3);
    assert!(!is_due());
}
