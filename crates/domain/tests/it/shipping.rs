//! Orders that are sent to an address (SHP-12, SHP-13, REG-13).

use crate::support::{World, completed, plain_offer, refused, request, tokens, want};
use scrip_domain::Actor;
use scrip_domain::catalog::{Delivery, NewProduct, offer_put, product_put};
use scrip_domain::closing::customer_erase;
use scrip_domain::customer::{Address, CustomerError, Details, Person};
use scrip_domain::id::{CustomerId, OfferId, OrderId};
use scrip_domain::order::shipment::{
    Shipment, ShipmentMove, ShipmentOpened, ShipmentState, Tracking, address_suggested,
    order_address, shipment_move, shipment_of, shipment_opened, shipments, shipments_waiting,
};
use scrip_domain::order::{
    OrderError, OrderRequest, RefundLines, RefundRequest, Refusal, order_refund,
};
use scrip_testkit::TestDb;

both!(
    an_order_of_goods_needs_an_address,
    a_parcel_goes_its_way,
    two_staff_at_once,
    what_is_given_back_is_not_sent,
    an_address_is_for_those_who_may,
    an_erased_person_has_no_address,
    the_queue_is_oldest_first,
);

pub fn address(name: &str) -> Address {
    Address {
        name: name.into(),
        lines: "17 Unusual Street".into(),
        postal_code: "OD1 7XX".into(),
        city: "Oddtown".into(),
        country: "Ireland".into(),
    }
}

impl World {
    /// An offer that is sent to an address.
    pub fn shipped_offer(&self, sku: &str, price: i64) -> OfferId {
        let vendor = self.vendor.clone();
        let product = NewProduct {
            handle: sku.to_owned(),
            title: format!("The {sku}"),
            delivery: Delivery::Shipped,
            ..NewProduct::default()
        };
        let new = plain_offer(sku, tokens(price));
        let put = self.write(move |tx| {
            let (product, _) = product_put(tx, &vendor, &product)?;
            offer_put(tx, &vendor, product, &new)
        });
        put.unwrap().0
    }

    /// An order with an address.
    pub fn request_to(
        &self,
        id: CustomerId,
        offers: &[OfferId],
        to: &Address,
    ) -> Result<OrderRequest, OrderError> {
        let (vault, book, to) = (self.node.vault.clone(), self.book(), to.clone());
        let sealed = self.write(move |tx| order_address(tx, &vault, book, id, &to))?;
        let lines: Vec<_> = offers.iter().map(|offer| want(*offer, 1)).collect();
        let mut request = request(id, &lines);
        request.extras.address = Some(sealed);
        Ok(request)
    }

    fn order_to(&self, id: CustomerId, offers: &[OfferId]) -> OrderId {
        let request = self
            .request_to(id, offers, &address("Wilma Quack"))
            .unwrap();
        let outcome = self.place_as(Actor::Customer(id), &request).unwrap();
        completed(outcome).order_id
    }

    fn shipment(&self, actor: Actor, order: OrderId) -> Option<Shipment> {
        let read = |tx: &mut scrip_engine::ReadTx<'_>| shipment_of(tx, actor, self.book(), order);
        self.node.engine.read(read).unwrap()
    }

    fn opened(&self, order: OrderId) -> ShipmentOpened {
        let shipment = self.shipment(Actor::System, order).expect("a parcel");
        let vault = &self.node.vault;
        let read =
            |tx: &mut scrip_engine::ReadTx<'_>| shipment_opened(tx, vault, self.book(), &shipment);
        self.node.engine.read(read).unwrap()
    }

    fn parcel_move(
        &self,
        order: OrderId,
        from: ShipmentState,
        step: ShipmentMove,
    ) -> Result<Shipment, OrderError> {
        let (vault, vendor) = (self.node.vault.clone(), self.vendor.clone());
        let staff = Actor::System;
        self.write(move |tx| shipment_move(tx, &vault, staff, &vendor, (order, from), &step))
    }

    /// Parcels that wait to be packed.
    pub fn waiting(&self) -> i64 {
        let read = |tx: &mut scrip_engine::ReadTx<'_>| shipments_waiting(tx, self.book(), 100);
        self.node.engine.read(read).unwrap()
    }
}

fn ship(carrier: &str) -> ShipmentMove {
    ShipmentMove::Ship {
        tracking: Tracking {
            carrier: carrier.into(),
            number: "1Z 999 AA1".into(),
        },
        shipped_at: None,
    }
}

/// SHP-12, SHP-13: without an address nothing is stored and nothing debited; a bad one is told with
/// its field; what is not sent needs none, and then none is kept.
fn an_order_of_goods_needs_an_address(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (pot, pen) = (world.shipped_offer("pot", 30), world.offer("pen", 10));
    let me = Actor::Customer(id);
    let missing = world.place_as(me, &request(id, &[want(pen, 1), want(pot, 1)]));
    let Err(OrderError::AddressMissing { title }) = missing else {
        panic!("{missing:?}");
    };
    assert_eq!(title, "The pot");
    let orders = || world.number("SELECT COUNT(*) FROM orders WHERE book_id = $1");
    assert_eq!((orders(), world.balance(id)), (0, tokens(100)));
    let bad = Address {
        city: " ".into(),
        ..address("Wilma Quack")
    };
    match world.request_to(id, &[pot], &bad) {
        Err(OrderError::Customer(CustomerError::Address(e))) => assert_eq!(e.field, "city"),
        other => panic!("{other:?}"),
    }
    let order = world.order_to(id, &[pen, pot]);
    let parcel = world.shipment(me, order).expect("a parcel");
    assert_eq!(
        (parcel.state, parcel.lines.as_slice()),
        (ShipmentState::ToPack, &[2][..])
    );
    assert_eq!(world.opened(order).address, Some(address("Wilma Quack")));
    let order = world.order_to(id, &[pen]);
    assert_eq!(world.shipment(me, order), None, "nothing is sent");
    let dear = world.shipped_offer("piano", 90);
    let short = world
        .request_to(id, &[dear], &address("Wilma Quack"))
        .unwrap();
    let refusal = refused(world.place_as(me, &short).unwrap());
    assert!(matches!(refusal, Refusal::Shortage { .. }));
    assert_eq!(world.waiting(), 1, "a refused order is not sent");
}

/// SHP-13: packed, sent with carrier and number, arrived, sent back; each step is told to the
/// outside and noted, without saying where to.
fn a_parcel_goes_its_way(db: &TestDb) {
    use ShipmentState::{Delivered, Returned, Shipped, ToPack};
    let world = World::new(db);
    let id = world.buyer(100);
    let pot = world.shipped_offer("pot", 30);
    let order = world.order_to(id, &[pot]);
    for (carrier, day, is_text) in [
        ("", None, true),
        ("Post", Some(world.now().0 + 1), false),
        ("Post", Some(world.now().0 - 1), false),
    ] {
        let step = ShipmentMove::Ship {
            tracking: Tracking {
                carrier: carrier.into(),
                number: String::new(),
            },
            shipped_at: day,
        };
        match world.parcel_move(order, ToPack, step) {
            Err(OrderError::Text(_)) => assert!(is_text),
            Err(OrderError::ShippedWhen) => assert!(!is_text),
            other => panic!("{other:?}"),
        }
    }
    let early = world.parcel_move(order, ToPack, ShipmentMove::Deliver);
    assert!(matches!(early, Err(OrderError::ShipmentStep { .. })));
    world.clock.advance_seconds(60);
    let sent = world.parcel_move(order, ToPack, ship("Post")).unwrap();
    assert_eq!((sent.state, sent.shipped_at), (Shipped, Some(world.now())));
    let tracking = world.opened(order).tracking.expect("a number");
    assert_eq!(
        (tracking.carrier.as_str(), tracking.number.as_str()),
        ("Post", "1Z 999 AA1")
    );
    world
        .parcel_move(order, Shipped, ShipmentMove::Deliver)
        .unwrap();
    world
        .parcel_move(order, Delivered, ShipmentMove::Return)
        .unwrap();
    let over = world.parcel_move(order, Returned, ship("Post"));
    assert!(matches!(over, Err(OrderError::ShipmentStep { .. })));
    let subject = order.to_string();
    for topic in ["order.shipped", "order.delivered", "order.returned"] {
        assert_eq!(world.messages(topic, &subject), 1, "{topic}");
    }
    let lines = "SELECT COUNT(*) FROM audit WHERE book_id = $1 AND action = 'order.shipment'";
    assert_eq!(world.number(lines), 3, "each step leaves a line");
    let pen = world.offer("pen", 1);
    let plain = completed(world.place(id, &[want(pen, 1)])).order_id;
    let none = world.parcel_move(plain, ToPack, ship("Post"));
    assert!(matches!(none, Err(OrderError::NotShipped(_))));
    let (vault, vendor, me) = (
        world.node.vault.clone(),
        world.vendor.clone(),
        Actor::Customer(id),
    );
    let own = world.write(move |tx| {
        shipment_move(
            tx,
            &vault,
            me,
            &vendor,
            (order, Returned),
            &ShipmentMove::Cancel,
        )
    });
    assert!(matches!(own, Err(OrderError::StaffOnly)));
}

/// SHP-13: two staff at once: one wins, the other is told what holds.
fn two_staff_at_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pot = world.shipped_offer("pot", 10);
    for _ in 0..5 {
        let order = world.order_to(id, &[pot]);
        let step = |n: usize| match n {
            0 => ship("Post"),
            _ => ShipmentMove::Cancel,
        };
        let barrier = std::sync::Barrier::new(2);
        let ends: Vec<_> = std::thread::scope(|scope| {
            let (world, barrier) = (&world, &barrier);
            let staff = [0, 1].map(|n| {
                scope.spawn(move || {
                    barrier.wait();
                    world.parcel_move(order, ShipmentState::ToPack, step(n))
                })
            });
            staff.into_iter().map(|s| s.join().unwrap()).collect()
        });
        let won = ends.iter().filter(|end| end.is_ok()).count();
        assert_eq!(won, 1);
        let lost = ends.into_iter().find_map(Result::err).expect("the other");
        let now = world.shipment(Actor::System, order).unwrap().state;
        assert!(matches!(lost, OrderError::ShipmentMoved { now: told } if told == now));
    }
}

/// SHP-13: an order that is given back whole before it was packed leaves the queue; a part does
/// not.
fn what_is_given_back_is_not_sent(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (pot, cup) = (
        world.shipped_offer("pot", 10),
        world.shipped_offer("cup", 10),
    );
    let order = world.order_to(id, &[pot, cup]);
    let refund = |lines: RefundLines| {
        let vendor = world.vendor.clone();
        let request = RefundRequest {
            order_id: order,
            lines,
            restock: false,
            reference: String::new(),
            effective_at: None,
        };
        world
            .write(move |tx| order_refund(tx, Actor::System, &vendor, &request))
            .unwrap();
    };
    refund(RefundLines::Lines(vec![(1, 1)]));
    assert_eq!(world.waiting(), 1);
    refund(RefundLines::Whole);
    assert_eq!(world.waiting(), 0);
    let state = world.shipment(Actor::System, order).unwrap().state;
    assert_eq!(state, ShipmentState::Cancelled);
    assert_eq!(world.messages("order.not_sent", &order.to_string()), 1);
}

/// REG-13: strangers see no parcel; a form begins with the last address only for those who gave the
/// shop their data.
fn an_address_is_for_those_who_may(db: &TestDb) {
    let world = World::new(db);
    let nobody = world.buyer(100);
    let known = world
        .register_with(Details {
            person: Person {
                name: "Wilma Quack".into(),
                address: "1 Old Road\nTown".into(),
                ..Person::default()
            },
            ..Details::default()
        })
        .customer_id;
    world.buy(known, tokens(100), "test_ok").unwrap();
    let pot = world.shipped_offer("pot", 10);
    let suggested = |id: CustomerId| {
        let (customer, vault) = (world.customer(id), world.node.vault.clone());
        world
            .node
            .engine
            .read(|tx| address_suggested(tx, &vault, Actor::Customer(id), &customer))
            .unwrap()
    };
    assert_eq!(suggested(nobody), None);
    let first = suggested(known).expect("from the personal data");
    assert_eq!(
        (first.name.as_str(), first.lines.as_str()),
        ("Wilma Quack", "1 Old Road\nTown")
    );
    let order = world.order_to(known, &[pot]);
    assert_eq!(
        suggested(known),
        Some(address("Wilma Quack")),
        "the last one"
    );
    world.order_to(nobody, &[pot]);
    assert_eq!(suggested(nobody), None, "for one order only");
    assert!(world.shipment(Actor::Customer(known), order).is_some());
    assert_eq!(world.shipment(Actor::Customer(nobody), order), None);
}

/// REG-13: with the person the address goes, and what the carrier said; what waits cannot be sent,
/// and says so.
fn an_erased_person_has_no_address(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pot = world.shipped_offer("pot", 10);
    let (waits, sent) = (world.order_to(id, &[pot]), world.order_to(id, &[pot]));
    world
        .parcel_move(sent, ShipmentState::ToPack, ship("Post"))
        .unwrap();
    let (vault, customer) = (world.node.vault.clone(), world.customer(id));
    world
        .write(move |tx| customer_erase(tx, &vault, Actor::System, &customer))
        .unwrap();
    for order in [waits, sent] {
        let opened = world.opened(order);
        assert_eq!((opened.address, opened.tracking), (None, None));
    }
    let step = world.parcel_move(waits, ShipmentState::ToPack, ship("Post"));
    assert!(matches!(step, Err(OrderError::AddressErased)), "{step:?}");
    world
        .parcel_move(waits, ShipmentState::ToPack, ShipmentMove::Cancel)
        .unwrap();
    world
        .parcel_move(sent, ShipmentState::Shipped, ShipmentMove::Deliver)
        .unwrap();
}

/// SHP-13: what has waited longest is packed first; pages go on where they left off.
fn the_queue_is_oldest_first(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pot = world.shipped_offer("pot", 10);
    let orders: Vec<OrderId> = (0..5)
        .map(|_| {
            world.clock.advance_seconds(1);
            world.order_to(id, &[pot])
        })
        .collect();
    let page = |state, after| {
        let read = |tx: &mut scrip_engine::ReadTx<'_>| shipments(tx, world.book(), state, after, 3);
        let page = world.node.engine.read(read).unwrap();
        let ids: Vec<OrderId> = page.items.iter().map(|s| s.order_id).collect();
        (ids, page.next)
    };
    let (first, next) = page(ShipmentState::ToPack, None);
    assert_eq!(first, orders[..3]);
    assert_eq!(page(ShipmentState::ToPack, next).0, orders[3..]);
    for order in &orders[..2] {
        world
            .parcel_move(*order, ShipmentState::ToPack, ship("Post"))
            .unwrap();
    }
    assert_eq!(world.waiting(), 3);
    let (sent, _) = page(ShipmentState::Shipped, None);
    assert_eq!(sent, [orders[1], orders[0]], "the newest first");
}
