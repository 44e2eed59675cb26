//! Accounts of one person, and the one that pays (TOK-15).

use crate::support::{World, completed, tokens, want};
use scrip_domain::Actor;
use scrip_domain::closing::{customer_close, customer_erase, customer_merge};
use scrip_domain::customer::{
    CustomerError, LINKS_AT_MOST, account_link, account_unlink, linked_accounts, secret_hash,
};
use scrip_domain::family::family_link;
use scrip_domain::id::CustomerId;
use scrip_domain::order::{order_list, order_list_carry, order_list_set};
use scrip_domain::secret::SecretKind;
use scrip_domain::session::{
    SessionError, Subject, pin_replace, session_find, session_open, session_pay_from,
};
use scrip_testkit::TestDb;

both!(
    the_chosen_account_alone_is_debited,
    a_link_holds_for_both_and_ends_by_either,
    only_linked_accounts_are_chosen,
    accounts_that_cannot_be_linked,
    what_ends_an_account_ends_its_links,
    the_list_goes_along_to_the_account_that_pays,
);

fn link(world: &World, own: CustomerId, other: CustomerId) -> Result<(), CustomerError> {
    let (own, other) = (world.customer(own), world.customer(other));
    let actor = Actor::Customer(own.customer_id);
    world.write(move |tx| account_link(tx, actor, &own, &other))
}

fn linked(world: &World, own: CustomerId) -> Vec<CustomerId> {
    let own = world.customer(own);
    let found = world.node.engine.read(|tx| linked_accounts(tx, &own));
    found.unwrap().iter().map(|one| one.customer_id).collect()
}

fn open(world: &World, id: CustomerId) -> String {
    let (book, subject) = (world.book(), Subject::Customer(id));
    world
        .write(move |tx| session_open(tx, book, subject))
        .unwrap()
}

fn pay_from(
    world: &World,
    own: CustomerId,
    token: &str,
    chosen: Option<CustomerId>,
) -> Result<(), SessionError> {
    let (own, token) = (world.customer(own), token.to_owned());
    world.write(move |tx| session_pay_from(tx, &own, &token, chosen))
}

fn paying(world: &World, token: &str) -> Option<CustomerId> {
    let book = world.book();
    let found = world.node.engine.read(|tx| session_find(tx, book, token));
    found.unwrap().unwrap().paying
}

/// TOK-15: of two accounts the one that was chosen pays; the other one keeps what it has.
fn the_chosen_account_alone_is_debited(db: &TestDb) {
    let world = World::new(db);
    let (private, business) = (world.buyer(500), world.buyer(300));
    let pot = world.offer("pot", 120);
    link(&world, private, business).unwrap();
    let token = open(&world, private);
    pay_from(&world, private, &token, Some(business)).unwrap();
    let payer = paying(&world, &token).unwrap();
    assert_eq!(payer, business);
    completed(world.place(payer, &[want(pot, 1)]));
    assert_eq!(world.balance(business), tokens(180));
    assert_eq!(world.balance(private), tokens(500));
    pay_from(&world, private, &token, None).unwrap();
    assert_eq!(paying(&world, &token), None);
    world.verify();
}

fn a_link_holds_for_both_and_ends_by_either(db: &TestDb) {
    let world = World::new(db);
    let (a, b, c) = (world.buyer(50), world.buyer(50), world.buyer(50));
    link(&world, a, b).unwrap();
    link(&world, b, a).unwrap();
    link(&world, c, b).unwrap();
    assert_eq!(linked(&world, a), [b]);
    assert_eq!(linked(&world, b).len(), 2, "no chain: a does not reach c");
    let unlink = |own: CustomerId, other: CustomerId| {
        let own = world.customer(own);
        let actor = Actor::Customer(own.customer_id);
        world.write(move |tx| account_unlink(tx, actor, &own, other))
    };
    unlink(b, a).unwrap();
    unlink(b, a).unwrap();
    assert_eq!(linked(&world, a), []);
    assert_eq!(linked(&world, b), [c]);
    let (own, other) = (world.customer(a), world.customer(c));
    let stranger = Actor::Customer(b);
    let refused = world.write(move |tx| account_link(tx, stranger, &own, &other));
    assert!(matches!(refused, Err(CustomerError::Forbidden)));
}

fn only_linked_accounts_are_chosen(db: &TestDb) {
    let world = World::new(db);
    let (a, b) = (world.buyer(50), world.buyer(50));
    let token = open(&world, a);
    let refused = pay_from(&world, a, &token, Some(b));
    assert!(matches!(
        refused,
        Err(SessionError::Customer(CustomerError::NotLinked))
    ));
    assert_eq!(paying(&world, &token), None);
}

fn accounts_that_cannot_be_linked(db: &TestDb) {
    let world = World::new(db);
    let (parent, child, other) = (world.buyer(50), world.buyer(50), world.buyer(50));
    let impossible = |own, other| {
        let refused = link(&world, own, other);
        assert!(
            matches!(refused, Err(CustomerError::LinkImpossible)),
            "{refused:?}"
        );
    };
    impossible(parent, parent);
    link(&world, child, other).unwrap();
    // An account that becomes a child's has caps, and nothing to pay with beside them.
    let (p, c) = (world.customer(parent), world.customer(child));
    world
        .write(move |tx| family_link(tx, Actor::System, &p, &c))
        .unwrap();
    assert_eq!(linked(&world, other), []);
    impossible(child, other);
    impossible(parent, child);
    for _ in 0..LINKS_AT_MOST {
        link(&world, other, world.buyer(50)).unwrap();
    }
    let full = link(&world, parent, other);
    assert!(matches!(full, Err(CustomerError::TooManyLinks)), "{full:?}");
}

/// A link is worth no more than the proof that made it: a new PIN ends it, and so do closing,
/// erasing and merging.
fn what_ends_an_account_ends_its_links(db: &TestDb) {
    let world = World::new(db);
    let own = world.buyer(50);
    let hash = secret_hash(SecretKind::Pin, "40712").unwrap();
    let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
    let linked_one = || {
        let other = world.register().customer_id;
        link(&world, own, other).unwrap();
        assert_eq!(linked(&world, own), [other]);
        world.customer(other)
    };
    let other = linked_one();
    world
        .write(move |tx| pin_replace(tx, Actor::System, &other, &hash))
        .unwrap();
    assert_eq!(linked(&world, own), []);
    let other = linked_one();
    world
        .write(move |tx| customer_close(tx, Actor::System, &other))
        .unwrap();
    assert_eq!(linked(&world, own), []);
    let other = linked_one();
    world
        .write(move |tx| customer_erase(tx, &vault, Actor::System, &other))
        .unwrap();
    assert_eq!(linked(&world, own), []);
    let (other, kept) = (linked_one(), world.buyer(50));
    world
        .write(move |tx| customer_merge(tx, Actor::System, &vendor, other.customer_id, kept))
        .unwrap();
    assert_eq!(linked(&world, own), []);
    assert_eq!(linked(&world, kept), []);
}

fn the_list_goes_along_to_the_account_that_pays(db: &TestDb) {
    let world = World::new(db);
    let (a, b) = (world.buyer(500), world.buyer(500));
    let book = world.book();
    let (pot, jug, cup) = (
        world.offer("pot", 5),
        world.offer("jug", 5),
        world.offer("cup", 5),
    );
    let put = |id, offer, quantity| {
        let actor = Actor::Customer(id);
        world
            .write(move |tx| order_list_set(tx, actor, book, id, offer, quantity))
            .unwrap();
    };
    put(a, pot, 2);
    put(a, jug, 1);
    put(b, pot, 7);
    put(b, cup, 4);
    world
        .write(move |tx| order_list_carry(tx, book, a, b))
        .unwrap();
    let list = |id| {
        let actor = Actor::Customer(id);
        let read = |tx: &mut scrip_engine::ReadTx<'_>| order_list(tx, actor, book, id);
        let list = world.node.engine.read(read).unwrap();
        let mut lines: Vec<_> = list
            .lines
            .iter()
            .map(|l| (l.line.offer_id, l.line.quantity))
            .collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(list(a), []);
    let mut all = vec![(pot, 2), (jug, 1), (cup, 4)];
    all.sort_unstable();
    assert_eq!(list(b), all);
}
