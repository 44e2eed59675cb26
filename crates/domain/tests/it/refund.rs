//! Refunds and returns: whole, by line, repeated, after expiry.

use crate::support::{DAY_S, World, completed, plain_offer, refused, tokens, want};
use scrip_domain::catalog::{NewOffer, Tier};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::{CustomerId, OrderId};
use scrip_domain::order::{
    GoodsReturn, OrderError, RefundLines, RefundRequest, Refunded, Returned, ReturnedGoods,
    goods_return, order_refund, return_reference_taken,
};
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::Origin;
use scrip_testkit::TestDb;

both!(
    a_whole_order_is_refunded_once,
    lines_are_refunded_piece_by_piece,
    too_much_is_refused,
    a_tier_is_refunded_whole,
    nothing_paid_is_nothing_to_refund,
    refunded_tokens_go_back_where_they_came_from,
    an_expired_grant_comes_back_with_grace,
    refunds_at_once_give_each_piece_back_once,
    only_staff_refund_and_not_ahead,
    goods_come_back_newest_sale_first,
    goods_without_a_sale_are_answered_so,
    goods_cannot_come_back_ahead,
);

fn refund(
    world: &World,
    order_id: OrderId,
    lines: RefundLines,
    restock: bool,
) -> Result<Refunded, OrderError> {
    let vendor = world.vendor.clone();
    let request = RefundRequest {
        order_id,
        lines,
        restock,
        reference: String::new(),
        effective_at: None,
    };
    world.write(move |tx| order_refund(tx, Actor::System, &vendor, &request))
}

fn nothing_left<T>(result: Result<T, OrderError>) -> bool {
    matches!(result, Err(OrderError::NothingToRefund))
}

fn a_whole_order_is_refunded_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (pen, cup) = (
        world.stocked_offer("pen", 30, 9),
        world.stocked_offer("cup", 10, 9),
    );
    let order = completed(world.place(id, &[want(pen, 2), want(cup, 1)])).order_id;
    assert_eq!(world.balance(id), tokens(30));
    let back = refund(&world, order, RefundLines::Whole, true).unwrap();
    assert_eq!((back.refund_no, back.amount), (1, tokens(70)));
    assert_eq!(world.balance(id), tokens(100));
    assert_eq!(
        (world.stock(pen), world.stock(cup)),
        (9, 9),
        "back on the shelf"
    );
    assert_eq!(world.messages("order.refunded", &order.to_string()), 1);
    assert!(nothing_left(refund(
        &world,
        order,
        RefundLines::Whole,
        true
    )));
    assert_eq!((world.balance(id), world.stock(pen)), (tokens(100), 9));
    let unknown = refund(&world, OrderId(id.0), RefundLines::Whole, false);
    assert!(matches!(unknown, Err(OrderError::Unknown(_))));
    let dear = world.offer("dear", 500);
    let outcome = world.place(id, &[want(dear, 1)]);
    let scrip_domain::order::OrderOutcome::Refused { order_id, .. } = outcome else {
        panic!("the order went through");
    };
    let never_paid = refund(&world, order_id, RefundLines::Whole, false);
    assert!(
        matches!(never_paid, Err(OrderError::Unknown(_))),
        "a refused order"
    );
}

fn lines_are_refunded_piece_by_piece(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (pen, cup) = (world.stocked_offer("pen", 7, 9), world.offer("cup", 10));
    let order = completed(world.place(id, &[want(pen, 5), want(cup, 2)])).order_id;
    assert_eq!(world.balance(id), tokens(45));
    let by =
        |lines: Vec<(i64, i64)>, restock| refund(&world, order, RefundLines::Lines(lines), restock);
    let first = by(vec![(1, 2)], false).unwrap();
    assert_eq!((first.refund_no, first.amount), (1, tokens(14)));
    assert_eq!(world.stock(pen), 4, "not restocked");
    let second = by(vec![(1, 1), (2, 1), (1, 1)], true).unwrap();
    assert_eq!((second.refund_no, second.amount), (2, tokens(24)));
    assert_eq!(world.stock(pen), 6);
    let rest = refund(&world, order, RefundLines::Whole, true).unwrap();
    assert_eq!((rest.refund_no, rest.amount), (3, tokens(17)));
    assert_eq!((world.balance(id), world.stock(pen)), (tokens(100), 7));
    assert!(nothing_left(refund(
        &world,
        order,
        RefundLines::Whole,
        true
    )));
}

fn too_much_is_refused(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 7);
    let order = completed(world.place(id, &[want(pen, 5)])).order_id;
    let by = |lines: Vec<(i64, i64)>| refund(&world, order, RefundLines::Lines(lines), false);
    by(vec![(1, 3)]).unwrap();
    for lines in [
        vec![(1, 3)],
        vec![(1, 1), (1, 2)],
        vec![(1, 0)],
        vec![(1, -1)],
        vec![(1, i64::MAX), (1, i64::MAX)],
        vec![(1, i64::MIN)],
        vec![(2, 1)],
        vec![(0, 1)],
    ] {
        let refused = by(lines.clone());
        assert!(
            matches!(refused, Err(OrderError::RefundTooLarge { .. })),
            "{lines:?}"
        );
    }
    assert!(nothing_left(by(vec![])));
    assert_eq!(
        world.balance(id),
        tokens(86),
        "nothing stands of what was refused"
    );
    by(vec![(1, 2)]).unwrap();
    assert_eq!(world.balance(id), tokens(100));
}

/// SHP-10: a tier comes back as a whole, with all the pieces that it granted.
fn a_tier_is_refunded_whole(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let tier = |up_to, price| Tier {
        up_to,
        price: tokens(price),
    };
    let stamps = world.offer_of(NewOffer {
        stock: Some(1_000),
        tiers: vec![tier(100, 10), tier(1_000, 80)],
        ..plain_offer("stamps", tokens(0))
    });
    let order = completed(world.place(id, &[want(stamps, 500)])).order_id;
    assert_eq!((world.balance(id), world.stock(stamps)), (tokens(20), 0));
    let part = refund(&world, order, RefundLines::Lines(vec![(1, 100)]), true);
    assert!(matches!(
        part,
        Err(OrderError::TierIsWhole {
            line: 1,
            quantity: 500
        })
    ));
    let whole = RefundLines::Lines(vec![(1, 500)]);
    assert_eq!(
        refund(&world, order, whole, true).unwrap().amount,
        tokens(80)
    );
    assert_eq!(
        (world.balance(id), world.stock(stamps)),
        (tokens(100), 1_000)
    );
    // A tier so dear that its price times its quantity is no amount.
    let dear = world.offer_of(NewOffer {
        tiers: vec![Tier {
            up_to: 1_000_000,
            price: Amount::from_units(1_000_000_000_000_000),
        }],
        ..plain_offer("dear", tokens(0))
    });
    let rich = world.register().customer_id;
    let much = Amount::from_units(1_000_000_000_000_000);
    world.give(rich, much, Origin::Free, None, Timestamp::NEVER);
    let order = completed(world.place(rich, &[want(dear, 1_000_000)])).order_id;
    assert_eq!(
        refund(&world, order, RefundLines::Whole, false)
            .unwrap()
            .amount,
        much
    );
}

fn nothing_paid_is_nothing_to_refund(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (leaflet, pen) = (world.offer("leaflet", 0), world.offer("pen", 10));
    let free = completed(world.place(id, &[want(leaflet, 3)])).order_id;
    assert!(nothing_left(refund(
        &world,
        free,
        RefundLines::Whole,
        false
    )));
    let mixed = completed(world.place(id, &[want(leaflet, 3), want(pen, 1)])).order_id;
    let line = RefundLines::Lines(vec![(1, 1)]);
    assert!(nothing_left(refund(&world, mixed, line, false)));
    let whole = refund(&world, mixed, RefundLines::Whole, false).unwrap();
    assert_eq!(whole.amount, tokens(10));
}

/// (grant, what is left of it) of all wallets, by grant.
fn lots(world: &World) -> Vec<(i64, i64)> {
    world
        .rows("SELECT grant_id, remaining FROM lot WHERE book_id = $1 ORDER BY grant_id")
        .iter()
        .map(|r| (r.int(0).unwrap(), r.int(1).unwrap() / 1_000_000))
        .collect()
}

/// The draws of a payment are reversed, last first.
fn refunded_tokens_go_back_where_they_came_from(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let day = |n: i64| world.now().plus_seconds(n * DAY_S);
    let first = world.give(id, tokens(20), Origin::Free, None, day(10));
    let second = world.give(id, tokens(20), Origin::Paid, Some("sale"), day(20));
    let third = world.give(id, tokens(60), Origin::Paid, None, Timestamp::NEVER);
    let sale = world.offer_of(NewOffer {
        on_sale: true,
        ..plain_offer("sale", tokens(10))
    });
    let order = completed(world.place(id, &[want(sale, 5)])).order_id;
    assert_eq!(lots(&world), [(third, 50)]);
    let back = |pieces| {
        let lines = RefundLines::Lines(vec![(1, pieces)]);
        refund(&world, order, lines, false).unwrap();
        lots(&world)
    };
    assert_eq!(back(2), [(second, 10), (third, 60)]);
    assert_eq!(back(1), [(second, 20), (third, 60)]);
    assert_eq!(back(2), [(first, 20), (second, 20), (third, 60)]);
    let plain = world.offer("plain", 90);
    refused(world.place(id, &[want(plain, 1)]));
}

/// What goes back to a grant that has expired becomes a new one of the same sort, with grace.
fn an_expired_grant_comes_back_with_grace(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let soon = world.now().plus_seconds(DAY_S);
    let old = world.give(id, tokens(40), Origin::Free, Some("sale"), soon);
    world.give(id, tokens(60), Origin::Paid, None, Timestamp::NEVER);
    let sale = world.offer_of(NewOffer {
        on_sale: true,
        ..plain_offer("sale", tokens(10))
    });
    let order = completed(world.place(id, &[want(sale, 5)])).order_id;
    world.clock.advance_seconds(DAY_S);
    let back = refund(&world, order, RefundLines::Whole, false).unwrap();
    assert_eq!(back.amount, tokens(50));
    let grants = world.rows(
        "SELECT grant_id, origin, restriction, expires_at, quantity, paid FROM token_grant
         WHERE book_id = $1 ORDER BY grant_id DESC LIMIT 1",
    );
    let new = &grants[0];
    assert_ne!(new.int(0).unwrap(), old);
    assert_eq!(new.text(1).unwrap(), "free");
    assert_eq!(
        new.opt_text(2).unwrap(),
        Some("sale"),
        "as restricted as before"
    );
    let grace = world.now().plus_seconds(world.vendor.refund_grace_s);
    assert_eq!(new.int(3).unwrap(), grace.0);
    assert_eq!(
        (new.int(4).unwrap(), new.int(5).unwrap()),
        (tokens(40).units(), 0)
    );
    assert_eq!(
        world.quote(id, &[]).available,
        tokens(100),
        "all of it can be spent"
    );
    world.clock.advance_seconds(world.vendor.refund_grace_s);
    assert_eq!(
        world.quote(id, &[]).available,
        tokens(60),
        "until the grace is over"
    );
}

fn refunds_at_once_give_each_piece_back_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.stocked_offer("pen", 10, 100);
    for _ in 0..5 {
        let order = completed(world.place(id, &[want(pen, 5)])).order_id;
        let done: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let lines = RefundLines::Lines(vec![(1, 2)]);
                    scope.spawn(|| refund(&world, order, lines, true))
                })
                .collect();
            threads
                .into_iter()
                .filter(|_| true)
                .map(|t| usize::from(t.join().unwrap().is_ok()))
                .sum()
        });
        assert_eq!(done, 2, "two times two of five");
        refund(&world, order, RefundLines::Whole, true).unwrap();
        assert_eq!((world.balance(id), world.stock(pen)), (tokens(100), 100));
    }
}

fn only_staff_refund_and_not_ahead(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 10);
    let order = completed(world.place(id, &[want(pen, 5)])).order_id;
    let other = world.other_vendor("other-shop");
    let by = |actor: Actor, vendor: &scrip_domain::vendor::Vendor, effective_at| {
        let vendor = vendor.clone();
        let request = RefundRequest {
            order_id: order,
            lines: RefundLines::Whole,
            restock: false,
            reference: "note 1".to_owned(),
            effective_at,
        };
        world.write(move |tx| order_refund(tx, actor, &vendor, &request))
    };
    let own = by(Actor::Customer(id), &world.vendor, None);
    assert!(matches!(own, Err(OrderError::StaffOnly)));
    let ahead = Some(world.now().plus_seconds(1).0);
    let ahead = by(Actor::System, &world.vendor, ahead);
    assert!(matches!(ahead, Err(OrderError::InFuture)));
    let elsewhere = by(Actor::System, &other, None);
    assert!(matches!(elsewhere, Err(OrderError::Unknown(_))));
    let staff = Actor::Staff(world.staff("Ada"));
    by(staff, &world.vendor, Some(world.now().0 - 1)).unwrap();
    let row = &world.rows("SELECT actor, reference FROM refund WHERE book_id = $1")[0];
    assert_eq!(row.text(0).unwrap(), staff.to_string());
    assert_eq!(row.text(1).unwrap(), "note 1");
}

fn give_back(
    world: &World,
    id: CustomerId,
    reference: &str,
    goods: &[(&str, i64, i64)],
) -> Result<Vec<(i64, Amount)>, OrderError> {
    let vendor = world.vendor.clone();
    let new = GoodsReturn {
        reference: reference.to_owned(),
        goods: goods
            .iter()
            .map(|(sku, price, quantity)| ReturnedGoods {
                sku: (*sku).to_owned(),
                unit_price: tokens(*price),
                quantity: *quantity,
            })
            .collect(),
        effective_at: world.now(),
    };
    let returned = world.write(move |tx| {
        let customer = customer_by_id(tx, vendor.book_id, id)?;
        goods_return(tx, Actor::System, &vendor, Some(&customer), &new)
    })?;
    let pair = |r: Returned| (r.quantity, r.amount);
    Ok(returned.into_iter().map(pair).collect())
}

fn goods_come_back_newest_sale_first(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    // Several grants, so that one order has several transfers.
    world.buy(id, tokens(5), "test_ok").unwrap();
    let (pen, cup) = (world.offer("pen", 10), world.offer("cup", 10));
    let old = completed(world.place(id, &[want(pen, 3), want(cup, 1)])).order_id;
    let new = completed(world.place(id, &[want(pen, 1), want(pen, 2)])).order_id;
    world.offer("pen", 12);
    completed(world.place(id, &[want(pen, 5)]));
    let before = world.balance(id);
    let back = give_back(
        &world,
        id,
        "C1",
        &[("pen", 10, 4), ("cup", 10, 2), ("cup", 9, 1)],
    );
    let none = (0, Amount::ZERO);
    assert_eq!(back.unwrap(), [(4, tokens(40)), (1, tokens(10)), none]);
    assert_eq!(world.balance(id), before.plus(tokens(50)).unwrap());
    let left = |order: OrderId| {
        let rows = world.rows("SELECT order_id, quantity FROM refund_line WHERE book_id = $1");
        let of = rows.iter().filter(|r| r.uuid(0).unwrap() == order.0);
        of.map(|r| r.int(1).unwrap()).sum::<i64>()
    };
    assert_eq!((left(new), left(old)), (3, 2), "the newest first");
    let again = give_back(&world, id, "C1", &[("pen", 10, 1)]);
    assert!(matches!(again, Err(OrderError::ReferenceTaken(_))));
    let rest = give_back(&world, id, "C2", &[("pen", 10, 9)]);
    assert_eq!(rest.unwrap(), [(2, tokens(20))], "as far as they go");
}

fn goods_without_a_sale_are_answered_so(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 10);
    let none = (0, Amount::ZERO);
    assert_eq!(
        give_back(&world, id, "C1", &[("pen", 10, 1)]).unwrap(),
        [none]
    );
    let other = world.buyer(100);
    completed(world.place(other, &[want(pen, 1)]));
    assert_eq!(
        give_back(&world, id, "C2", &[("pen", 10, 1)]).unwrap(),
        [none],
        "another's"
    );
    let taken = world
        .node
        .engine
        .read(|tx| return_reference_taken(tx, world.book(), "C1"));
    assert!(
        taken.unwrap(),
        "noted: later it would come to something else"
    );
    let again = give_back(&world, id, "C1", &[("pen", 10, 1)]);
    assert!(matches!(again, Err(OrderError::ReferenceTaken(_))));
    completed(world.place(id, &[want(pen, 2)]));
    let odd = give_back(
        &world,
        id,
        "C3",
        &[("pen", 10, 0), ("pen", 10, -3), ("pen", 10, 1)],
    );
    assert_eq!(odd.unwrap(), [none, none, (1, tokens(10))]);
    // What was free is nothing to give back, and stops nothing.
    let leaflet = world.offer("leaflet", 0);
    completed(world.place(id, &[want(leaflet, 1), want(pen, 1)]));
    assert_eq!(
        give_back(&world, id, "C4", &[("leaflet", 0, 1)]).unwrap(),
        [none]
    );
    let both = give_back(&world, id, "C5", &[("leaflet", 0, 1), ("pen", 10, 2)]);
    assert_eq!(both.unwrap(), [none, (2, tokens(20))]);
    assert_eq!(world.balance(id), tokens(100));
}

/// Refused before the reference is noted, whether or not there is a sale.
fn goods_cannot_come_back_ahead(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    world.offer("pen", 10);
    for sku in ["pen", "unheard of"] {
        let vendor = world.vendor.clone();
        let new = GoodsReturn {
            reference: "C1".to_owned(),
            goods: vec![ReturnedGoods {
                sku: sku.to_owned(),
                unit_price: tokens(10),
                quantity: 1,
            }],
            effective_at: Timestamp(world.now().0 + 1),
        };
        let refused = world.write(move |tx| goods_return(tx, Actor::System, &vendor, None, &new));
        assert!(matches!(refused, Err(OrderError::InFuture)), "{sku}");
    }
    give_back(&world, id, "C1", &[("pen", 10, 1)]).unwrap();
}
