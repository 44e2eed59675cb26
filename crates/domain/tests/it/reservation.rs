//! Pieces that the order list reserves for a while (SHP-09, SHP-13).

use crate::support::{DAY_S, World, completed, plain_offer, refused, tokens, want};
use scrip_domain::Actor;
use scrip_domain::catalog::reservation::{Hold, Reserved, reservations_expire};
use scrip_domain::catalog::{NewOffer, stock_correct};
use scrip_domain::closing::{customer_close, customer_erase};
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::order::kept::{Keep, list_keep, list_load, list_resume, list_set_aside};
use scrip_domain::order::{
    ListLine, OrderOutcome, Refusal, list_reserve, order_list, order_list_clear, order_list_select,
    order_list_set,
};
use scrip_domain::policy::{CheckoutPolicy, PolicyError, policy_set, policy_version};
use scrip_testkit::TestDb;
use std::sync::Barrier;

both!(
    the_list_reserves_and_others_are_told,
    looking_and_other_people_renew_nothing,
    a_reservation_ends_in_each_of_its_ways,
    nobody_keeps_a_shop_s_stock_from_others,
    kept_lists_reserve_only_when_they_are_loaded,
    what_is_counted_anew_goes_to_who_came_first,
    a_shop_that_reserves_nothing_writes_nothing,
    the_last_piece_is_reserved_and_sold_once,
    an_order_at_the_moment_of_the_lapse,
);

impl World {
    /// Reserves for so many minutes from now on.
    fn reserving(&self, minutes: i64) -> Result<i64, PolicyError> {
        let vendor = self.vendor.clone();
        self.write(move |tx| {
            let held = policy_version(tx, vendor.book_id)?;
            let mut new = held.policy;
            new.checkout = CheckoutPolicy {
                reserve_minutes: minutes,
                ..new.checkout
            };
            policy_set(tx, Actor::System, &vendor, held.number, &new)
        })
    }

    fn list_set(&self, id: CustomerId, offer: OfferId, quantity: i64) {
        let book = self.book();
        self.write(move |tx| order_list_set(tx, Actor::Customer(id), book, id, offer, quantity))
            .unwrap();
    }

    fn line(&self, id: CustomerId, offer: OfferId) -> ListLine {
        let book = self.book();
        let list = self
            .node
            .engine
            .read(|tx| order_list(tx, Actor::Customer(id), book, id))
            .unwrap();
        let mut lines = list.lines.into_iter();
        lines
            .find(|l| l.line.offer_id == offer)
            .expect("on the list")
    }

    fn hold(&self, id: CustomerId, offer: OfferId) -> Hold {
        self.line(id, offer).hold
    }

    fn own(&self, id: CustomerId, offer: OfferId) -> i64 {
        self.hold(id, offer).own.map_or(0, |own| own.pieces)
    }

    fn minutes(&self, minutes: i64) {
        self.clock.advance_seconds(minutes * 60);
    }

    fn rows_kept(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM reservation WHERE book_id = $1")
    }
}

/// SHP-09, SHP-13: putting on the list reserves; others see what is left, are refused the rest and
/// told why; time ends it without any job.
fn the_list_reserves_and_others_are_told(db: &TestDb) {
    let world = World::new(db);
    world.reserving(15).unwrap();
    let (ana, ben) = (world.buyer(100), world.buyer(100));
    let pen = world.stocked_offer("pen", 5, 3);
    world.list_set(ana, pen, 2);
    let until = world.now().plus_seconds(15 * 60);
    let line = world.line(ana, pen);
    assert_eq!(line.hold.own, Some(Reserved { pieces: 2, until }));
    assert_eq!((line.hold.others, line.free()), (0, Some(3)));
    world.list_set(ben, pen, 3);
    let line = world.line(ben, pen);
    assert_eq!((line.hold.others, line.free()), (2, Some(1)));
    assert_eq!(world.own(ben, pen), 1, "as far as they are free");
    let told = refused(world.place(ben, &[want(pen, 3)]));
    let expected = Refusal::Reserved {
        title: "The pen".into(),
        free: 1,
        reserved: 2,
    };
    assert_eq!(told, expected);
    assert_eq!((world.stock(pen), world.balance(ben)), (3, tokens(100)));
    completed(world.place(ben, &[want(pen, 1)]));
    completed(world.place(ana, &[want(pen, 2)]));
    assert_eq!(world.stock(pen), 0);
    let told = refused(world.place(ben, &[want(pen, 1)]));
    assert!(matches!(told, Refusal::OutOfStock { on_hand: 0, .. }));
    // A list that somebody forgot about stops nobody.
    let cup = world.stocked_offer("cup", 5, 1);
    world.list_set(ana, cup, 1);
    world.minutes(15);
    completed(world.place(ben, &[want(cup, 1)]));
}

/// SHP-13: looking never renews; neither does what others do.
fn looking_and_other_people_renew_nothing(db: &TestDb) {
    let world = World::new(db);
    world.reserving(10).unwrap();
    let (ana, ben) = (world.buyer(100), world.buyer(100));
    let pen = world.stocked_offer("pen", 5, 3);
    world.list_set(ana, pen, 1);
    let until = world.now().plus_seconds(600);
    world.minutes(9);
    world.quote(ana, &[want(pen, 1)]);
    world.list_set(ben, pen, 1);
    let own = world.hold(ana, pen).own.expect("still there");
    assert_eq!(own.until, until);
    world.minutes(1);
    assert_eq!(world.hold(ana, pen).own, None);
    let book = world.book();
    let stranger = Actor::Customer(ben);
    let renewed = world.write(move |tx| list_reserve(tx, stranger, book, ana));
    assert!(renewed.is_err(), "only for one's own list");
    world
        .write(move |tx| list_reserve(tx, Actor::Customer(ana), book, ana))
        .unwrap();
    assert_eq!(world.own(ana, pen), 1, "asked for anew");
}

/// SHP-13, REG-13: it ends with the order, with unticking and taking off, with closing and erasing
/// the account.
fn a_reservation_ends_in_each_of_its_ways(db: &TestDb) {
    let world = World::new(db);
    world.reserving(30).unwrap();
    let book = world.book();
    let pen = world.stocked_offer("pen", 5, 1);
    let other = world.buyer(100);
    world.list_set(other, pen, 1);
    let is_free = || {
        world.list_set(other, pen, 0);
        world.list_set(other, pen, 1);
        let free = world.line(other, pen).free() == Some(1);
        world.list_set(other, pen, 0);
        world.list_set(other, pen, 0);
        free
    };
    assert!(is_free());
    let put = |id: CustomerId| {
        world.list_set(id, pen, 1);
        assert_eq!(world.own(id, pen), 1);
        assert!(!is_free());
    };
    let id = world.buyer(50);
    let me = Actor::Customer(id);
    put(id);
    world
        .write(move |tx| order_list_select(tx, me, book, id, pen, false))
        .unwrap();
    assert!(is_free(), "unticked");
    put(id);
    world
        .write(move |tx| order_list_clear(tx, me, book, id, &[pen]))
        .unwrap();
    assert!(is_free(), "taken off");
    put(id);
    completed(world.place(id, &[want(pen, 1)]));
    assert_eq!(world.rows_kept(), 1, "the other one's ended row alone");
    let vendor = world.vendor.clone();
    world
        .write(move |tx| stock_correct(tx, Actor::System, &vendor, pen, (Some(0), 1), "found one"))
        .unwrap();
    let poor = world.buyer(50);
    put(poor);
    let vault = world.node.vault.clone();
    let customer = world.customer(poor);
    world
        .write(move |tx| customer_erase(tx, &vault, Actor::System, &customer))
        .unwrap();
    assert!(is_free(), "erased");
    // An account without tokens can reserve what costs nothing, and be closed.
    let gift = world.stocked_offer("gift", 0, 1);
    let spent = world.buyer(50);
    let all = world.offer("all", 50);
    completed(world.place(spent, &[want(all, 1)]));
    world.list_set(spent, gift, 1);
    assert_eq!(world.own(spent, gift), 1);
    let customer = world.customer(spent);
    world
        .write(move |tx| customer_close(tx, Actor::System, &customer))
        .unwrap();
    world.list_set(other, gift, 1);
    assert_eq!(world.own(other, gift), 1, "closed");
}

/// SHP-13: the limits: what the tokens pay for, so many pieces, so long.
fn nobody_keeps_a_shop_s_stock_from_others(db: &TestDb) {
    let world = World::new(db);
    for (minutes, is_taken) in [(-1, false), (1441, false), (0, true), (10, true)] {
        assert_eq!(world.reserving(minutes).is_ok(), is_taken, "{minutes}");
    }
    let (rich, poor) = (world.buyer(10_000), world.buyer(60));
    let pen = world.stocked_offer("pen", 25, 500);
    world.list_set(rich, pen, 400);
    assert_eq!(world.own(rich, pen), 10, "the vendor's limit");
    world.list_set(poor, pen, 400);
    assert_eq!(world.own(poor, pen), 2, "what AT pays for");
    completed(world.place(poor, &[want(pen, 2)]));
    // Renewed for four lengths, whatever is done with the list.
    for _ in 0..4 {
        world.minutes(9);
        world.list_set(rich, pen, 0);
        world.list_set(rich, pen, 3);
        assert_eq!(world.own(rich, pen), 3);
    }
    world.minutes(4);
    world.list_set(rich, pen, 3);
    assert_eq!(world.own(rich, pen), 0, "it rests");
    let book = world.book();
    let expire = move |tx: &mut scrip_engine::Tx<'_>| reservations_expire(tx, book, 10);
    assert_eq!(world.write(expire).unwrap(), 0, "the rest is remembered");
    world.minutes(10);
    assert_eq!(world.write(expire).unwrap(), 1);
    world.list_set(rich, pen, 3);
    assert_eq!(world.own(rich, pen), 3, "and begins anew");
    assert_eq!(world.write(expire).unwrap(), 0, "what lives stays");
}

/// SHP-15: lists that are kept or set aside reserve nothing; loading one does.
fn kept_lists_reserve_only_when_they_are_loaded(db: &TestDb) {
    let world = World::new(db);
    world.reserving(10).unwrap();
    let book = world.book();
    let (id, other) = (world.buyer(100), world.buyer(100));
    let me = Actor::Customer(id);
    let pen = world.stocked_offer("pen", 5, 1);
    world.list_set(id, pen, 1);
    let kept = world
        .write(move |tx| list_keep(tx, me, book, id, "For later"))
        .unwrap();
    world
        .write(move |tx| list_set_aside(tx, me, book, id, Keep::Yes))
        .unwrap();
    world.list_set(other, pen, 1);
    assert_eq!(world.own(other, pen), 1, "set aside and kept: free");
    world.list_set(other, pen, 0);
    world.write(move |tx| list_resume(tx, book, id)).unwrap();
    assert_eq!(world.own(id, pen), 1, "back at the sign-in");
    world.list_set(id, pen, 0);
    world
        .write(move |tx| list_load(tx, me, book, id, kept))
        .unwrap();
    assert_eq!(world.own(id, pen), 1, "loaded");
}

/// SHP-09: a recount below what is reserved, an offer that goes off sale, one that is counted from
/// now on.
fn what_is_counted_anew_goes_to_who_came_first(db: &TestDb) {
    let world = World::new(db);
    world.reserving(10).unwrap();
    let (ana, ben) = (world.buyer(100), world.buyer(100));
    let pen = world.stocked_offer("pen", 5, 4);
    world.list_set(ana, pen, 2);
    world.minutes(1);
    world.list_set(ben, pen, 2);
    let vendor = world.vendor.clone();
    world
        .write(move |tx| stock_correct(tx, Actor::System, &vendor, pen, (Some(4), 2), "theft"))
        .unwrap();
    let told = refused(world.place(ben, &[want(pen, 1)]));
    assert!(matches!(told, Refusal::Reserved { free: 0, .. }), "{told}");
    completed(world.place(ana, &[want(pen, 2)]));
    let off = NewOffer {
        active: false,
        ..plain_offer("pen", tokens(5))
    };
    world.offer_of(off);
    world.list_set(ben, pen, 1);
    assert_eq!(world.own(ben, pen), 0, "off sale");
    let cup = world.offer("cup", 5);
    world.list_set(ana, cup, 1);
    assert_eq!(world.own(ana, cup), 0, "not counted");
    let vendor = world.vendor.clone();
    world
        .write(move |tx| stock_correct(tx, Actor::System, &vendor, cup, (None, 1), "counted"))
        .unwrap();
    completed(world.place(ben, &[want(cup, 1)]));
    assert_eq!(world.stock(cup), 0);
}

/// SHP-13: where nothing is reserved, nothing is kept about it, and turning it off frees what was
/// reserved with its time.
fn a_shop_that_reserves_nothing_writes_nothing(db: &TestDb) {
    let world = World::new(db);
    let (ana, ben) = (world.buyer(100), world.buyer(100));
    let pen = world.stocked_offer("pen", 5, 1);
    world.list_set(ana, pen, 1);
    assert_eq!((world.rows_kept(), world.own(ana, pen)), (0, 0));
    assert_eq!(
        world.number("SELECT reserved_until FROM stock WHERE book_id = $1"),
        0,
        "a purchase has no reason to look further"
    );
    completed(world.place(ben, &[want(pen, 1)]));
    world.reserving(10).unwrap();
    let cup = world.stocked_offer("cup", 5, 1);
    world.list_set(ana, cup, 1);
    world.reserving(0).unwrap();
    let told = refused(world.place(ben, &[want(cup, 1)]));
    assert!(matches!(told, Refusal::Reserved { .. }), "a promise holds");
    world.minutes(10);
    completed(world.place(ben, &[want(cup, 1)]));
    world.clock.advance_seconds(DAY_S);
    let book = world.book();
    world
        .write(move |tx| reservations_expire(tx, book, 0))
        .unwrap();
    assert_eq!(world.rows_kept(), 0);
}

/// Runs `command` for each customer, all at once.
fn at_once<T: Send>(ids: &[CustomerId], command: impl Fn(CustomerId) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(ids.len());
    std::thread::scope(|scope| {
        let (barrier, command) = (&barrier, &command);
        let threads: Vec<_> = ids
            .iter()
            .map(|id| {
                scope.spawn(move || {
                    barrier.wait();
                    command(*id)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

/// SHP-09, SHP-13: of many who reserve the last pieces at once, as many have them as there are, and
/// they alone can buy.
fn the_last_piece_is_reserved_and_sold_once(db: &TestDb) {
    let world = World::new(db);
    world.reserving(10).unwrap();
    let ids: Vec<CustomerId> = (0..8).map(|_| world.buyer(100)).collect();
    let pen = world.stocked_offer("pen", 5, 2);
    at_once(&ids, |id| world.list_set(id, pen, 1));
    let lucky: Vec<CustomerId> = ids
        .iter()
        .copied()
        .filter(|id| world.own(*id, pen) == 1)
        .collect();
    assert_eq!(lucky.len(), 2);
    let outcomes = at_once(&ids, |id| (id, world.place(id, &[want(pen, 1)])));
    for (id, outcome) in outcomes {
        let is_done = matches!(outcome, OrderOutcome::Completed(_));
        assert_eq!(is_done, lucky.contains(&id));
    }
    assert_eq!(world.stock(pen), 0);
}

/// SHP-13: at the moment when a reservation lapses, the piece is sold once, to either.
fn an_order_at_the_moment_of_the_lapse(db: &TestDb) {
    let world = World::new(db);
    world.reserving(10).unwrap();
    let pen = world.stocked_offer("pen", 5, 1);
    for round in 0..5 {
        let ids = [world.buyer(100), world.buyer(100)];
        world.list_set(ids[0], pen, 1);
        assert_eq!(world.own(ids[0], pen), 1, "round {round}");
        world.clock.advance_seconds(599);
        let outcomes = at_once(&ids, |id| {
            if id == ids[0] {
                world.clock.advance_seconds(1);
            }
            world.place(id, &[want(pen, 1)])
        });
        let sold = |o: &&OrderOutcome| matches!(o, OrderOutcome::Completed(_));
        assert_eq!(outcomes.iter().filter(sold).count(), 1, "round {round}");
        assert_eq!(world.stock(pen), 0);
        let vendor = world.vendor.clone();
        world
            .write(move |tx| {
                stock_correct(tx, Actor::System, &vendor, pen, (Some(0), 1), "another")
            })
            .unwrap();
        world.minutes(60);
    }
}
