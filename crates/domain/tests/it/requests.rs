//! Asking for a refund, declining it, refunding it.

use crate::support::{World, completed, tokens, want};
use scrip_domain::Actor;
use scrip_domain::id::{CustomerId, OrderId};
use scrip_domain::order::{
    AskState, OrderError, OrderOutcome, RefundAsked, RefundLines, RefundRequest, Refunded,
    order_by_id, order_refund, refund_ask, refund_request_decline, refund_request_opened,
    refund_requests,
};
use scrip_testkit::TestDb;

both!(
    a_request_is_asked_changed_and_refunded,
    what_is_declined_stays_declined,
    a_part_refunded_may_be_asked_about_again,
    strangers_and_orders_without_payment_ask_in_vain,
    open_requests_come_oldest_first_page_by_page,
    a_refund_and_a_request_at_once_leave_no_open_request,
);

fn ask(
    world: &World,
    actor: Actor,
    order: OrderId,
    reason: &'static str,
) -> Result<RefundAsked, OrderError> {
    let (book, vault) = (world.book(), world.node.vault.clone());
    world.write(move |tx| refund_ask(tx, &vault, actor, book, order, reason))
}

fn decline(world: &World, actor: Actor, order: OrderId, answer: &str) -> Result<(), OrderError> {
    let (vendor, answer) = (world.vendor.clone(), answer.to_owned());
    world.write(move |tx| refund_request_decline(tx, actor, &vendor, order, &answer))
}

fn refund(world: &World, order_id: OrderId, lines: RefundLines) -> Result<Refunded, OrderError> {
    let vendor = world.vendor.clone();
    let request = RefundRequest {
        order_id,
        lines,
        restock: false,
        reference: String::new(),
        effective_at: None,
    };
    world.write(move |tx| order_refund(tx, Actor::System, &vendor, &request))
}

/// The open requests, all pages of `limit` together.
fn open(world: &World, limit: usize) -> Vec<OrderId> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = world
            .node
            .engine
            .read(|tx| refund_requests(tx, world.book(), after, limit))
            .unwrap();
        assert!(page.items.len() <= limit);
        all.extend(page.items.iter().map(|asked| asked.order_id));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn request_of(world: &World, order: OrderId) -> Option<RefundAsked> {
    let detail = world
        .node
        .engine
        .read(|tx| order_by_id(tx, Actor::System, world.book(), order));
    let asked = detail.unwrap().request?;
    let (vault, book) = (&world.node.vault, world.book());
    let opened = world
        .node
        .engine
        .read(|tx| refund_request_opened(tx, vault, book, asked.clone()));
    Some(opened.unwrap())
}

/// A paid order of three pieces at 10.
fn bought(world: &World, id: CustomerId) -> OrderId {
    let pen = world.offer("pen", 10);
    completed(world.place(id, &[want(pen, 3)])).order_id
}

/// SHP-19: a request is kept with the order; asking again changes its reason and makes no second
/// one; the refund closes it.
fn a_request_is_asked_changed_and_refunded(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let order = bought(&world, id);
    assert_eq!(request_of(&world, order), None);
    let asked = ask(&world, Actor::Customer(id), order, " broken\nin half ").unwrap();
    assert_eq!(asked.reason, "broken\nin half");
    assert_eq!(asked.state, AskState::Open);
    assert_eq!(open(&world, 10), [order]);
    let first_asked = asked.asked_at;
    world.clock.advance_seconds(60);
    let again = ask(&world, Actor::Customer(id), order, "too small").unwrap();
    assert_eq!(
        (again.reason.as_str(), again.asked_at),
        ("too small", first_asked)
    );
    assert_eq!(request_of(&world, order), Some(again));
    assert_eq!(open(&world, 10), [order], "still one");
    assert_eq!(world.messages("refund.requested", &order.to_string()), 1);
    assert_eq!(world.balance(id), tokens(70), "asking gives nothing back");
    refund(&world, order, RefundLines::Whole).unwrap();
    assert_eq!(open(&world, 10), []);
    let closed = request_of(&world, order).unwrap();
    assert_eq!(closed.state, AskState::Refunded);
    assert_eq!(closed.closed_at, Some(world.now()));
    assert_eq!(closed.closed_by.as_deref(), Some("system"));
    let nothing = ask(&world, Actor::Customer(id), order, "again");
    assert!(matches!(nothing, Err(OrderError::NothingToRefund)));
}

fn what_is_declined_stays_declined(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let order = bought(&world, id);
    let staff = Actor::Staff(world.staff("Ada"));
    let early = decline(&world, staff, order, "no");
    assert!(matches!(early, Err(OrderError::NotAsked(_))));
    ask(&world, Actor::Customer(id), order, "why not").unwrap();
    let own = decline(&world, Actor::Customer(id), order, "no");
    assert!(matches!(own, Err(OrderError::StaffOnly)));
    let silent = decline(&world, staff, order, " ");
    assert!(matches!(silent, Err(OrderError::Text(_))), "with a reason");
    decline(&world, staff, order, "it was used").unwrap();
    let declined = request_of(&world, order).unwrap();
    assert_eq!(declined.state, AskState::Declined);
    assert_eq!(declined.answer, "it was used");
    assert_eq!(declined.closed_by, Some(staff.to_string()));
    assert_eq!(open(&world, 10), []);
    assert_eq!(world.messages("refund.declined", &order.to_string()), 1);
    let twice = decline(&world, staff, order, "no");
    assert!(matches!(twice, Err(OrderError::NotAsked(_))));
    let again = ask(&world, Actor::Customer(id), order, "but");
    match again {
        Err(OrderError::RefundDeclined { answer }) => assert_eq!(answer, "it was used"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.balance(id), tokens(70));
    refund(&world, order, RefundLines::Whole).unwrap();
    let after = request_of(&world, order).unwrap();
    assert_eq!(after.state, AskState::Declined, "the record stays");
}

fn a_part_refunded_may_be_asked_about_again(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let order = bought(&world, id);
    ask(&world, Actor::Customer(id), order, "one is broken").unwrap();
    refund(&world, order, RefundLines::Lines(vec![(1, 1)])).unwrap();
    assert_eq!(request_of(&world, order).unwrap().state, AskState::Refunded);
    world.clock.advance_seconds(5);
    let again = ask(&world, Actor::Customer(id), order, "now another").unwrap();
    assert_eq!((again.state, again.closed_by), (AskState::Open, None));
    assert_eq!(again.asked_at, world.now());
    assert_eq!(open(&world, 10), [order]);
    assert_eq!(world.messages("refund.requested", &order.to_string()), 2);
}

/// SHP-19: an order of somebody else looks like one that does not exist.
fn strangers_and_orders_without_payment_ask_in_vain(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let order = bought(&world, id);
    let stranger = world.buyer(100);
    let nowhere = OrderId(id.0);
    let text = |result: Result<RefundAsked, OrderError>| match result {
        Err(e @ OrderError::Unknown(_)) => e.to_string(),
        other => panic!("{other:?}"),
    };
    let foreign = text(ask(&world, Actor::Customer(stranger), order, "mine"));
    let unknown = text(ask(&world, Actor::Customer(stranger), nowhere, "mine"));
    assert_eq!(
        foreign.replace(&order.to_string(), "X"),
        unknown.replace(&nowhere.to_string(), "X")
    );
    let dear = world.offer("dear", 5000);
    let OrderOutcome::Refused { order_id, .. } = world.place(id, &[want(dear, 1)]) else {
        panic!("the order went through");
    };
    text(ask(
        &world,
        Actor::Customer(id),
        order_id,
        "nothing was paid",
    ));
    let gift = world.offer("gift", 0);
    let free = completed(world.place(id, &[want(gift, 1)])).order_id;
    let nothing = ask(&world, Actor::Customer(id), free, "it cost nothing");
    assert!(matches!(nothing, Err(OrderError::NothingToRefund)));
    for bad in ["", " \n ", "a\u{7}b"] {
        let refused = ask(&world, Actor::Customer(id), order, bad);
        assert!(matches!(refused, Err(OrderError::Text(_))), "{bad:?}");
    }
    assert_eq!(open(&world, 10), []);
    ask(&world, Actor::System, order, "called on the telephone").unwrap();
}

fn open_requests_come_oldest_first_page_by_page(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let mut asked = Vec::new();
    for n in 0..7 {
        let order = bought(&world, id);
        ask(&world, Actor::Customer(id), order, "broken").unwrap();
        asked.push((world.now(), order));
        // Some at the same time.
        world.clock.advance_seconds(n % 2);
    }
    asked.sort();
    let mut expected: Vec<OrderId> = asked.iter().map(|a| a.1).collect();
    for limit in [1, 2, 3, 7, 100] {
        assert_eq!(open(&world, limit), expected, "pages of {limit}");
    }
    // A page begins after a request that was answered meanwhile.
    let answered = expected.remove(2);
    decline(&world, Actor::System, answered, "no").unwrap();
    let rest = world
        .node
        .engine
        .read(|tx| refund_requests(tx, world.book(), Some(answered), 10))
        .unwrap();
    let rest: Vec<OrderId> = rest.items.iter().map(|a| a.order_id).collect();
    assert_eq!(rest, expected[2..]);
    let other = World::beside(&world, "other-shop", "0");
    assert_eq!(open(&other, 10), [], "each vendor has its own");
}

/// Both at once: whichever comes first, nothing is open about an order that is wholly refunded.
fn a_refund_and_a_request_at_once_leave_no_open_request(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(2000);
    for _ in 0..10 {
        let order = bought(&world, id);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let asked = ask(&world, Actor::Customer(id), order, "quick");
                assert!(matches!(asked, Ok(_) | Err(OrderError::NothingToRefund)));
            });
            scope.spawn(|| refund(&world, order, RefundLines::Whole).unwrap());
        });
        assert_eq!(open(&world, 10), []);
    }
}
