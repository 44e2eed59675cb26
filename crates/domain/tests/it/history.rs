//! Orders, movements and balances, as they are looked at.

use crate::support::{DAY_S, World, completed, request, tokens, want};
use scrip_domain::id::{CustomerId, OrderId};
use scrip_domain::order::{
    OrderDetail, OrderError, OrderOutcome, OrderState, OrderSummary, RefundLines, RefundRequest,
    order_by_id, order_refund, orders, orders_between, orders_of,
};
use scrip_domain::page::Page;
use scrip_domain::statement::{Balance, LotKind, Movement, balance, history};
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::{Origin, Piece, Posting, hold_place, lots_available};
use scrip_testkit::TestDb;
use std::collections::BTreeMap;

both!(
    an_order_is_shown_with_all_that_became_of_it,
    a_foreign_order_looks_like_an_unknown_one,
    orders_come_newest_first_page_by_page,
    orders_of_a_span_are_found_by_their_ids,
    a_customers_orders_are_its_own_and_appear_once,
    the_movements_of_an_account_come_to_its_balance,
    many_lots_make_one_movement,
    a_place_in_another_account_is_refused,
    a_balance_is_shown_by_kind,
);

/// All pages of a list, which hold no more than they may.
pub fn all_pages<T, C: Copy, E: std::fmt::Debug>(
    limit: usize,
    mut page: impl FnMut(Option<C>) -> Result<Page<T, C>, E>,
) -> Vec<T> {
    let mut all = Vec::new();
    let mut at = None;
    loop {
        let found = page(at).unwrap();
        assert!(found.items.len() <= limit);
        assert!(!found.items.is_empty() || found.next.is_none());
        all.extend(found.items);
        at = found.next;
        if at.is_none() {
            return all;
        }
    }
}

fn detail(world: &World, actor: Actor, order: OrderId) -> Result<OrderDetail, OrderError> {
    world
        .node
        .engine
        .read(|tx| order_by_id(tx, actor, world.book(), order))
}

/// Gives back what is asked for of an order.
pub fn refund(world: &World, order_id: OrderId, lines: RefundLines, reference: &str) -> Amount {
    let vendor = world.vendor.clone();
    let request = RefundRequest {
        order_id,
        lines,
        restock: false,
        reference: reference.to_owned(),
        effective_at: None,
    };
    world
        .write(move |tx| order_refund(tx, Actor::System, &vendor, &request))
        .unwrap()
        .amount
}

fn refused_id(outcome: OrderOutcome) -> OrderId {
    match outcome {
        OrderOutcome::Refused { order_id, .. } => order_id,
        OrderOutcome::Completed(receipt) => panic!("completed: {receipt:?}"),
    }
}

/// SHP-19: what was bought, what was paid, what came back and what was left is all there later.
fn an_order_is_shown_with_all_that_became_of_it(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (pen, cup) = (world.offer("pen", 7), world.offer("cup", 10));
    let mut wanted = request(id, &[want(pen, 5), want(cup, 2)]);
    wanted.reference = "invoice 7".to_owned();
    let staff = Actor::Staff(world.staff("Ada"));
    let receipt = completed(world.place_as(staff, &wanted).unwrap());
    let order = receipt.order_id;
    world.clock.advance_seconds(60);
    refund(&world, order, RefundLines::Lines(vec![(1, 2)]), "");
    refund(&world, order, RefundLines::Lines(vec![(1, 1), (2, 2)]), "");
    let seen = detail(&world, Actor::Customer(id), order).unwrap();
    assert_eq!((seen.customer_id, seen.state), (id, OrderState::Completed));
    assert_eq!((seen.reason.as_ref(), seen.request.as_ref()), (None, None));
    assert_eq!(seen.reference, "invoice 7");
    assert_eq!(seen.actor, staff.to_string());
    assert_eq!(seen.recorded_at.plus_seconds(60), world.now());
    assert_eq!(seen.effective_at, seen.recorded_at);
    assert_eq!((seen.total, seen.refunded), (tokens(55), tokens(41)));
    assert_eq!(seen.remaining_after, Some(receipt.remaining));
    assert_eq!(receipt.remaining, tokens(45));
    let lines: Vec<_> = seen
        .lines
        .iter()
        .map(|l| (l.line_no, l.sku.as_str(), l.quantity, l.refunded_quantity))
        .collect();
    assert_eq!(lines, [(1, "pen", 5, 3), (2, "cup", 2, 2)]);
    assert_eq!(
        (
            seen.lines[0].unit_price,
            seen.lines[0].amount,
            seen.lines[0].refunded
        ),
        (tokens(7), tokens(35), tokens(21))
    );
    assert_eq!(seen.lines[1].title, "The cup");
    assert_eq!(seen.lines[1].offer_id, cup);

    let refused = refused_id(world.place(id, &[want(cup, 50)]));
    let seen = detail(&world, Actor::Customer(id), refused).unwrap();
    assert_eq!(seen.state, OrderState::Refused);
    assert_eq!(seen.reason.as_deref(), Some("shortage"));
    assert_eq!((seen.total, seen.remaining_after), (tokens(500), None));
    assert_eq!(seen.lines.len(), 1, "what was wanted is kept");

    let free = world.offer("leaflet", 0);
    let free = completed(world.place(id, &[want(free, 1)])).order_id;
    let seen = detail(&world, Actor::Customer(id), free).unwrap();
    assert_eq!(
        (seen.state, seen.remaining_after),
        (OrderState::Completed, None)
    );
}

fn a_foreign_order_looks_like_an_unknown_one(db: &TestDb) {
    let world = World::new(db);
    let (id, stranger) = (world.buyer(100), world.buyer(100));
    let pen = world.offer("pen", 7);
    let order = completed(world.place(id, &[want(pen, 1)])).order_id;
    let nowhere = OrderId(id.0);
    let text = |actor, order: OrderId| match detail(&world, actor, order) {
        Err(e @ OrderError::Unknown(_)) => e.to_string().replace(&order.to_string(), "X"),
        other => panic!("{other:?}"),
    };
    let foreign = text(Actor::Customer(stranger), order);
    assert_eq!(foreign, text(Actor::Customer(stranger), nowhere));
    assert_eq!(foreign, text(Actor::System, nowhere));
    let other = world.beside("other-shop", "0");
    let elsewhere = detail(&other, Actor::System, order);
    assert!(
        matches!(elsewhere, Err(OrderError::Unknown(_))),
        "its own book"
    );
    assert_eq!(
        detail(&world, Actor::System, order).unwrap().order_id,
        order
    );
}

/// SHP-19: approved and declined orders are both on the vendor's list.
fn orders_come_newest_first_page_by_page(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 7);
    let mut expected = Vec::new();
    for n in 1..=7 {
        world.clock.advance_seconds(1);
        // Every third one is too dear.
        let quantity = if n % 3 == 0 { 100 } else { 1 };
        expected.push(match world.place(id, &[want(pen, quantity)]) {
            OrderOutcome::Completed(receipt) => (receipt.order_id, OrderState::Completed),
            OrderOutcome::Refused { order_id, .. } => (order_id, OrderState::Refused),
        });
    }
    expected.reverse();
    assert_eq!(
        expected
            .iter()
            .filter(|o| o.1 == OrderState::Refused)
            .count(),
        2
    );
    for limit in [1, 2, 3, 7, 50] {
        let seen: Vec<OrderSummary> = all_pages(limit, |before| {
            let engine = &world.node.engine;
            engine.read(|tx| orders(tx, world.book(), before, limit))
        });
        let seen: Vec<_> = seen.iter().map(|o| (o.order_id, o.state)).collect();
        assert_eq!(seen, expected, "pages of {limit}");
    }
    let other = world.beside("other-shop", "0");
    let none = world
        .node
        .engine
        .read(|tx| orders(tx, other.book(), None, 9));
    assert_eq!(none.unwrap().items, []);
}

fn orders_of_a_span_are_found_by_their_ids(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 1);
    let start = world.now();
    // Microseconds apart: within one millisecond the ids do not say which comes first.
    let mut placed = Vec::new();
    for step in [0, 1, 400, 999, 1000, 1001, 5_000_000] {
        let at = Timestamp(start.0 + step);
        world.clock.set(at);
        let order = completed(world.place(id, &[want(pen, 1)])).order_id;
        placed.push((at, order));
    }
    let found = |from: i64, to: i64, limit: usize| {
        let span = (Timestamp(start.0 + from), Timestamp(start.0 + to));
        let mut ids: Vec<OrderId> = all_pages(limit, |before| {
            let engine = &world.node.engine;
            engine.read(|tx| orders_between(tx, world.book(), span.0, span.1, before, limit))
        })
        .iter()
        .map(|o| o.order_id)
        .collect();
        let mut expected: Vec<OrderId> = placed
            .iter()
            .filter(|(at, _)| *at >= span.0 && *at < span.1)
            .map(|(_, order)| *order)
            .collect();
        assert!(ids.is_sorted_by(|a, b| a > b), "newest first");
        ids.sort();
        expected.sort();
        assert_eq!(ids, expected, "{from}..{to} by {limit}");
        ids.len()
    };
    for limit in [1, 3, 50] {
        assert_eq!(found(0, 1, limit), 1);
        assert_eq!(found(0, 1000, limit), 4);
        assert_eq!(found(1, 1001, limit), 4);
        assert_eq!(found(1001, 5_000_000, limit), 1);
        assert_eq!(found(-5, 9_000_000, limit), 7);
        assert_eq!(found(7, 7, limit), 0);
        assert_eq!(found(9, 2, limit), 0);
    }
    let all = |tx: &mut scrip_engine::ReadTx<'_>| {
        let (from, to) = (Timestamp(i64::MIN), Timestamp::NEVER);
        orders_between(tx, world.book(), from, to, None, 50)
    };
    assert_eq!(world.node.engine.read(all).unwrap().items.len(), 7);
}

fn own_orders(world: &World, id: CustomerId, limit: usize) -> Vec<OrderId> {
    let customer = world.customer(id);
    let seen: Vec<OrderSummary> = all_pages(limit, |before| {
        let engine = &world.node.engine;
        engine.read(|tx| orders_of(tx, Actor::Customer(id), &customer, before, limit))
    });
    seen.iter().map(|o| o.order_id).collect()
}

/// SHP-19: a customer finds its own orders, each once, however many lots paid for it.
fn a_customers_orders_are_its_own_and_appear_once(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (world.buyer(100), world.buyer(200));
    for n in 0..40 {
        let at = world.now().plus_seconds(DAY_S * (n + 1));
        world.give(id, tokens(1), Origin::Free, None, at);
    }
    let (pen, dear) = (world.offer("pen", 35), world.offer("dear", 5000));
    let mut expected = Vec::new();
    for n in 0..3 {
        world.clock.advance_seconds(1);
        let order = completed(world.place(id, &[want(pen, 1)])).order_id;
        expected.push(order);
        completed(world.place(other, &[want(pen, 1)]));
        refused_id(world.place(id, &[want(dear, 1)]));
        if n == 0 {
            refund(&world, order, RefundLines::Whole, "");
        }
        let gift = Timestamp::NEVER;
        world.give(id, tokens(1), Origin::Free, None, gift);
    }
    expected.reverse();
    for limit in [1, 2, 3, 50] {
        assert_eq!(own_orders(&world, id, limit), expected, "pages of {limit}");
    }
    let stranger = Actor::Customer(other);
    let customer = world.customer(id);
    let engine = &world.node.engine;
    let spied = engine.read(|tx| orders_of(tx, stranger, &customer, None, 10));
    assert!(matches!(spied, Err(OrderError::Forbidden)));
    assert_eq!(own_orders(&world, world.register().customer_id, 10), []);
}

fn movements(world: &World, id: CustomerId, limit: usize) -> Vec<Movement> {
    let customer = world.customer(id);
    all_pages(limit, |before| {
        let engine = &world.node.engine;
        engine.read(|tx| history(tx, Actor::Customer(id), &customer, before, limit))
    })
}

/// MIC-05: each movement leaves the balance that the next begins with, and the whole comes to
/// what is there.
fn the_movements_of_an_account_come_to_its_balance(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 7);
    let bought = world.now();
    world.clock.advance_seconds(60);
    let mut wanted = request(id, &[want(pen, 3)]);
    wanted.reference = "invoice 7".to_owned();
    wanted.effective_at = Some(bought.0);
    let order = completed(world.place_as(Actor::System, &wanted).unwrap()).order_id;
    refund(&world, order, RefundLines::Lines(vec![(1, 1)]), "");
    refund(
        &world,
        order,
        RefundLines::Lines(vec![(1, 1)]),
        "credit note",
    );
    world.give(id, tokens(5), Origin::Free, None, Timestamp::NEVER);
    let seen = movements(&world, id, 50);
    let told: Vec<_> = seen
        .iter()
        .map(|m| (m.code.as_str(), m.amount, m.balance, m.kind))
        .collect();
    let paid = Some(LotKind::Paid);
    assert_eq!(
        told,
        [
            ("gift", tokens(5), tokens(98), Some(LotKind::Free)),
            ("refund", tokens(7), tokens(93), paid),
            ("refund", tokens(7), tokens(86), paid),
            ("order", tokens(-21), tokens(79), paid),
            ("token_sale", tokens(100), tokens(100), paid),
        ]
    );
    let orders: Vec<_> = seen.iter().map(|m| m.order_id).collect();
    assert_eq!(orders, [None, None, Some(order), Some(order), None]);
    assert_eq!(seen[3].event_id, order.0);
    assert_eq!(seen[3].reference, "invoice 7");
    assert_eq!((seen[3].at, seen[3].recorded_at), (bought, world.now()));
    assert!(seen.is_sorted_by(|a, b| a.seq > b.seq));
    let sum = Amount::sum(seen.iter().map(|m| m.amount)).unwrap();
    assert_eq!(sum, world.balance(id));
    for limit in [1, 2, 3, 5] {
        assert_eq!(movements(&world, id, limit), seen, "pages of {limit}");
    }
    assert_eq!(movements(&world, world.register().customer_id, 5), []);
}

/// MIC-05: an order that seventy lots pay for is one line of a statement.
fn many_lots_make_one_movement(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    for _ in 0..70 {
        world.give(id, tokens(1), Origin::Free, None, Timestamp::NEVER);
    }
    let pen = world.offer("pen", 70);
    let only_free = completed(world.place(id, &[want(pen, 1)])).order_id;
    world.give(id, tokens(1), Origin::Free, None, Timestamp::NEVER);
    let mixed = completed(world.place(id, &[want(pen, 1)])).order_id;
    for limit in [1, 2, 3, 100] {
        let seen = movements(&world, id, limit);
        assert_eq!(seen.len(), 74);
        let [last, gift, first] = &seen[..3] else {
            panic!("{seen:?}");
        };
        assert_eq!(
            (last.order_id, first.order_id),
            (Some(mixed), Some(only_free))
        );
        assert_eq!((last.amount, last.balance), (tokens(-70), tokens(31)));
        assert_eq!((gift.amount, gift.balance), (tokens(1), tokens(101)));
        assert_eq!((first.amount, first.balance), (tokens(-70), tokens(100)));
        assert_eq!((last.kind, first.kind), (None, Some(LotKind::Free)));
        let sum = Amount::sum(seen.iter().map(|m| m.amount)).unwrap();
        assert_eq!(sum, world.balance(id));
    }
}

fn a_place_in_another_account_is_refused(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (world.buyer(100), world.buyer(100));
    let theirs = movements(&world, other, 1)[0].seq;
    let customer = world.customer(id);
    for before in [theirs, i64::MAX, -1] {
        let engine = &world.node.engine;
        let own = Actor::Customer(id);
        let seen = engine.read(|tx| history(tx, own, &customer, Some(before), 5));
        assert!(matches!(seen, Err(OrderError::Ledger(_))), "{before}");
        let seen = engine.read(|tx| orders_of(tx, own, &customer, Some(before), 5));
        assert!(matches!(seen, Err(OrderError::Ledger(_))), "{before}");
    }
    let stranger = Actor::Customer(other);
    let spied = world
        .node
        .engine
        .read(|tx| history(tx, stranger, &customer, None, 5));
    assert!(spied.is_err());
    let spied = world
        .node
        .engine
        .read(|tx| balance(tx, stranger, &customer));
    assert!(spied.is_err());
}

/// TOK-05, TOK-06: what is there, what can be spent, what is set aside and of which kinds.
fn a_balance_is_shown_by_kind(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let soon = world.now().plus_seconds(DAY_S);
    let later = world.now().plus_seconds(9 * DAY_S);
    world.give(id, tokens(3), Origin::Free, None, soon);
    world.give(id, tokens(5), Origin::Free, Some("on_sale"), later);
    world.give(id, tokens(7), Origin::Credit, None, Timestamp::NEVER);
    let customer = world.customer(id);
    let now = || -> Balance {
        let engine = &world.node.engine;
        let own = Actor::Customer(id);
        engine.read(|tx| balance(tx, own, &customer)).unwrap()
    };
    let kinds = |free: i64, credit: i64, paid: i64| {
        BTreeMap::from([
            (LotKind::Free, tokens(free)),
            (LotKind::Credit, tokens(credit)),
            (LotKind::Paid, tokens(paid)),
        ])
    };
    let all = now();
    assert_eq!((all.available, all.total), (tokens(115), tokens(115)));
    assert_eq!(all.held, tokens(0));
    assert_eq!(all.by_kind, kinds(8, 7, 100));
    let lots: Vec<_> = all
        .lots
        .iter()
        .map(|l| (l.kind, l.restricted, l.remaining, l.expires_at))
        .collect();
    assert_eq!(
        lots,
        [
            (LotKind::Free, false, tokens(3), Some(soon)),
            (LotKind::Free, true, tokens(5), Some(later)),
            (LotKind::Paid, false, tokens(100), None),
            (LotKind::Credit, false, tokens(7), None),
        ]
    );
    let book = world.book();
    let bought = world.node.engine.read(|tx| {
        let lots = lots_available(tx, book, customer.wallet)?;
        let paid = lots.iter().find(|l| l.grant.origin == Origin::Paid);
        Ok::<_, scrip_ledger::Error>(paid.unwrap().grant.grant_id)
    });
    let grant = bought.unwrap();
    let wallet = customer.wallet;
    world
        .write(move |tx| {
            let posting = Posting {
                book_id: book,
                event_id: tx.new_id()?,
                code: "hold",
                actor: "system",
                reference: "bid",
                effective_at: scrip_engine::Read::now(tx),
                legs: &[],
            };
            let amount = tokens(40);
            hold_place(tx, &posting, wallet, &[Piece { grant, amount }], later)
        })
        .unwrap();
    world.clock.set(soon);
    let after = now();
    assert_eq!(
        after.available,
        tokens(72),
        "of 115, 40 are held and 3 expired"
    );
    assert_eq!((after.held, after.total), (tokens(40), tokens(115)));
    assert_eq!(after.by_kind, kinds(5, 7, 60));
    assert_eq!(after.lots.len(), 3);
    assert_eq!(after.available, world.quote(id, &[]).available, "AT");
}
