//! Order lists that are kept under names, and the one that is set aside.

use crate::support::{World, tokens};
use scrip_domain::Actor;
use scrip_domain::closing::customer_close;
use scrip_domain::id::{CustomerId, KeptListId, OfferId};
use scrip_domain::order::kept::{
    KEPT_AT_MOST, Keep, KeptList, list_forget, list_keep, list_load, list_resume, list_set_aside,
    lists_kept,
};
use scrip_domain::order::{
    OrderError, order_list, order_list_clear, order_list_select, order_list_set,
};
use scrip_testkit::TestDb;

both!(
    a_list_is_kept_under_a_name_and_loaded_again,
    names_and_their_number_have_bounds,
    a_list_set_aside_is_back_at_the_next_sign_in,
    what_is_on_the_list_by_then_stays,
    lists_are_their_own_customers,
    two_who_keep_at_once_make_one_list,
);

/// Puts an offer on the list, a second after what is there.
fn put(world: &World, id: CustomerId, offer: OfferId, quantity: i64) {
    world.clock.advance_seconds(1);
    let book = world.book();
    let set =
        world.write(move |tx| order_list_set(tx, Actor::Customer(id), book, id, offer, quantity));
    set.unwrap();
}

/// Offer, quantity, tick of each line of the order list.
fn listed(world: &World, id: CustomerId) -> Vec<(OfferId, i64, bool)> {
    let (actor, book) = (Actor::Customer(id), world.book());
    let list = world
        .node
        .engine
        .read(|tx| order_list(tx, actor, book, id))
        .unwrap();
    let lines = list.lines.iter();
    lines
        .map(|l| (l.line.offer_id, l.line.quantity, l.selected))
        .collect()
}

fn keep(world: &World, id: CustomerId, name: &str) -> Result<KeptListId, OrderError> {
    let (actor, book, name) = (Actor::Customer(id), world.book(), name.to_owned());
    world.write(move |tx| list_keep(tx, actor, book, id, &name))
}

fn load(world: &World, id: CustomerId, list: KeptListId) -> Result<usize, OrderError> {
    let (actor, book) = (Actor::Customer(id), world.book());
    world.write(move |tx| list_load(tx, actor, book, id, list))
}

fn kept(world: &World, id: CustomerId) -> Vec<KeptList> {
    let (actor, book) = (Actor::Customer(id), world.book());
    let lists = world.node.engine.read(|tx| lists_kept(tx, actor, book, id));
    lists.unwrap()
}

fn set_aside(world: &World, id: CustomerId, keep: Keep) -> usize {
    let (actor, book) = (Actor::Customer(id), world.book());
    let aside = world.write(move |tx| list_set_aside(tx, actor, book, id, keep));
    aside.unwrap()
}

fn resume(world: &World, id: CustomerId) -> usize {
    let book = world.book();
    let back = world.write(move |tx| list_resume(tx, book, id));
    back.unwrap()
}

fn empty(world: &World, id: CustomerId) {
    let (actor, book) = (Actor::Customer(id), world.book());
    let offers: Vec<OfferId> = listed(world, id).iter().map(|l| l.0).collect();
    let cleared = world.write(move |tx| order_list_clear(tx, actor, book, id, &offers));
    cleared.unwrap();
}

/// SHP-15: quantities and ticks come back in their order; keeping again replaces.
fn a_list_is_kept_under_a_name_and_loaded_again(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let [pen, cup, jug] = ["pen", "cup", "jug"].map(|sku| world.offer(sku, 10));
    put(&world, id, cup, 3);
    put(&world, id, pen, 1);
    let book = world.book();
    let untick =
        world.write(move |tx| order_list_select(tx, Actor::Customer(id), book, id, pen, false));
    untick.unwrap();
    let weekly = keep(&world, id, " Weekly ").unwrap();
    let of_weekly = [(cup, 3, true), (pen, 1, false)];
    assert_eq!(listed(&world, id), of_weekly, "the list stays");
    empty(&world, id);
    assert_eq!(load(&world, id, weekly).unwrap(), 2);
    assert_eq!(listed(&world, id), of_weekly);
    put(&world, id, cup, 9);
    put(&world, id, jug, 2);
    load(&world, id, weekly).unwrap();
    assert_eq!(
        listed(&world, id),
        [(cup, 3, true), (pen, 1, false), (jug, 2, true)]
    );
    assert_eq!(keep(&world, id, "Weekly").unwrap(), weekly);
    let lists = kept(&world, id);
    assert_eq!(lists.len(), 1);
    assert_eq!((lists[0].name.as_str(), lists[0].lines), ("Weekly", 3));
    let actor = Actor::Customer(id);
    for _ in 0..2 {
        let gone = world.write(move |tx| list_forget(tx, actor, book, id, weekly));
        gone.unwrap();
    }
    assert!(kept(&world, id).is_empty());
    let unknown = load(&world, id, weekly).unwrap_err();
    assert!(matches!(unknown, OrderError::KeptUnknown(list) if list == weekly));
}

/// SHP-15: empty names and lists, long names, too many lists.
fn names_and_their_number_have_bounds(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    assert!(matches!(
        keep(&world, id, "None").unwrap_err(),
        OrderError::Empty
    ));
    let pen = world.offer("pen", 10);
    put(&world, id, pen, 1);
    for odd in ["", "  ", "a\nb", &"x".repeat(61)] {
        let refused = keep(&world, id, odd).unwrap_err();
        assert!(matches!(refused, OrderError::Text(_)), "{odd:?}");
    }
    keep(&world, id, "<b>\u{202e}&").unwrap();
    for n in 1..KEPT_AT_MOST {
        keep(&world, id, &format!("List {n}")).unwrap();
    }
    let full = keep(&world, id, "One more").unwrap_err();
    assert!(matches!(
        full,
        OrderError::TooManyKept { most: KEPT_AT_MOST }
    ));
    keep(&world, id, "List 1").unwrap();
}

/// SHP-15: yes stores it as incomplete and the next sign-in restores it; no empties it.
fn a_list_set_aside_is_back_at_the_next_sign_in(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let [pen, cup] = ["pen", "cup"].map(|sku| world.offer(sku, 10));
    put(&world, id, pen, 2);
    put(&world, id, cup, 1);
    assert_eq!(set_aside(&world, id, Keep::Yes), 2);
    assert!(listed(&world, id).is_empty());
    assert!(kept(&world, id).is_empty(), "it has no name");
    assert_eq!(set_aside(&world, id, Keep::Yes), 0, "again, with nothing");
    assert_eq!(resume(&world, id), 2);
    assert_eq!(listed(&world, id), [(pen, 2, true), (cup, 1, true)]);
    assert_eq!(resume(&world, id), 0, "once");
    assert_eq!(set_aside(&world, id, Keep::No), 2);
    assert_eq!(resume(&world, id), 0);
    assert!(listed(&world, id).is_empty());
    assert_eq!(world.balance(id), tokens(500));
}

/// SHP-15: a second browser may have begun another list, and set that aside too.
fn what_is_on_the_list_by_then_stays(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let [pen, cup] = ["pen", "cup"].map(|sku| world.offer(sku, 10));
    put(&world, id, pen, 2);
    set_aside(&world, id, Keep::Yes);
    put(&world, id, pen, 5);
    put(&world, id, cup, 1);
    set_aside(&world, id, Keep::Yes);
    put(&world, id, cup, 7);
    assert_eq!(resume(&world, id), 1);
    let mut now = listed(&world, id);
    now.sort();
    let mut expected = [(pen, 5, true), (cup, 7, true)];
    expected.sort();
    assert_eq!(now, expected);
}

/// SHP-15: another customer's list is not there, and a closed account changes none.
fn lists_are_their_own_customers(db: &TestDb) {
    let world = World::new(db);
    let [id, other] = [500, 60].map(|n| world.buyer(n));
    let pen = world.offer("pen", 10);
    put(&world, id, pen, 2);
    let list = keep(&world, id, "Mine").unwrap();
    assert!(load(&world, other, list).is_err());
    let book = world.book();
    let foreign = Actor::Customer(other);
    let look = world
        .node
        .engine
        .read(|tx| lists_kept(tx, foreign, book, id));
    assert!(matches!(look.unwrap_err(), OrderError::Forbidden));
    let forget = world.write(move |tx| list_forget(tx, foreign, book, other, list));
    forget.unwrap();
    assert_eq!(kept(&world, id).len(), 1);
    let stolen = world.write(move |tx| list_load(tx, foreign, book, id, list));
    assert!(matches!(stolen.unwrap_err(), OrderError::Forbidden));
    put(&world, other, pen, 1);
    let empty_now = world.write(move |tx| list_set_aside(tx, foreign, book, other, Keep::No));
    assert_eq!(empty_now.unwrap(), 1);
    let customer = world.customer(other);
    let spent = crate::support::completed(world.place(other, &[crate::support::want(pen, 6)]));
    assert_eq!(spent.total, tokens(60));
    let own = keep(&world, id, "Mine").unwrap();
    crate::support::completed(world.place(id, &[crate::support::want(pen, 50)]));
    let none_left = load(&world, id, own).unwrap_err();
    assert!(matches!(none_left, OrderError::NotYet(_)), "{none_left}");
    let closed = world.write(move |tx| customer_close(tx, Actor::System, &customer));
    closed.unwrap();
    assert!(keep(&world, other, "Late").is_err());
}

/// SHP-15: a double click keeps one list.
fn two_who_keep_at_once_make_one_list(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let pen = world.offer("pen", 10);
    put(&world, id, pen, 2);
    std::thread::scope(|scope| {
        let kept: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| keep(&world, id, "Weekly")))
            .collect();
        for one in kept {
            one.join().unwrap().unwrap();
        }
    });
    assert_eq!(kept(&world, id).len(), 1);
}
