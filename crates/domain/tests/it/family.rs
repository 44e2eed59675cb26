//! Families: a parent funds a child's account, caps it, limits it to categories (ADV-01, ADV-02).

use crate::support::{World, completed, refused, request, tokens, want};
use scrip_domain::catalog::{NewOffer, NewProduct, OfferKind, offer_put, product_put};
use scrip_domain::customer::{CustomerError, State};
use scrip_domain::family::{
    FamilyError, Limits, family_accept, family_children, family_end, family_fund, family_invite,
    family_limit, family_link, family_of, family_spending,
};
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::order::{OrderOutcome, RefundLines, RefundRequest, Refusal, order_refund};
use scrip_domain::{Actor, Amount};
use scrip_ledger::Origin;
use scrip_testkit::TestDb;

both!(
    both_prove_themselves_before_they_are_a_family,
    a_parent_moves_own_tokens_with_their_grants,
    an_order_over_a_cap_is_refused,
    two_orders_at_once_do_not_pass_a_cap_together,
    a_refund_gives_the_cap_back,
    a_child_buys_from_allowed_categories_alone,
    only_the_parent_sets_limits,
    a_parent_registers_a_child_without_an_account,
);

fn link(world: &World, parent: CustomerId, child: CustomerId) -> Result<(), FamilyError> {
    let (parent, child) = (world.customer(parent), world.customer(child));
    world.write(move |tx| family_link(tx, Actor::System, &parent, &child))
}

fn limit(
    world: &World,
    actor: Actor,
    child: CustomerId,
    limits: Limits,
) -> Result<(), FamilyError> {
    let child = world.customer(child);
    world.write(move |tx| family_limit(tx, actor, &child, &limits))
}

fn fund(world: &World, actor: Actor, child: CustomerId, amount: Amount) -> Result<(), FamilyError> {
    let (vendor, child) = (world.vendor.clone(), world.customer(child));
    world.write(move |tx| family_fund(tx, actor, &vendor, &child, amount))
}

/// A parent with 500 tokens and a child with 100.
pub fn family(world: &World) -> (CustomerId, CustomerId) {
    let (parent, child) = (world.buyer(500), world.buyer(100));
    link(world, parent, child).unwrap();
    (parent, child)
}

fn caps(day: Option<i64>, week: Option<i64>) -> Limits {
    Limits {
        day: day.map(tokens),
        week: week.map(tokens),
        ..Limits::default()
    }
}

/// The child spends so much in a day at most.
pub fn cap_day(world: &World, parent: CustomerId, child: CustomerId, most: i64) {
    limit(
        world,
        Actor::Customer(parent),
        child,
        caps(Some(most), None),
    )
    .unwrap();
}

fn offer_in(world: &World, sku: &str, category: &str) -> OfferId {
    let (vendor, sku, category) = (world.vendor.clone(), sku.to_owned(), category.to_owned());
    let write = move |tx: &mut scrip_engine::Tx<'_>| {
        let product = NewProduct {
            handle: sku.clone(),
            title: sku.clone(),
            category: category.clone(),
            ..NewProduct::default()
        };
        let (product, _) = product_put(tx, &vendor, &product)?;
        let offer = NewOffer {
            sku: sku.clone(),
            kind: OfferKind::Purchase,
            price: tokens(5),
            ..crate::support::plain_offer(&sku, tokens(5))
        };
        offer_put(tx, &vendor, product, &offer)
    };
    world.node.engine.write(write).unwrap().0
}

/// The parent asks while signed in, the child agrees while signed in; neither can do it alone.
fn both_prove_themselves_before_they_are_a_family(db: &TestDb) {
    let world = World::new(db);
    let (p, c) = (world.buyer(50), world.register().customer_id);
    let (parent, child) = (world.customer(p), world.customer(c));
    let invite = |actor: Actor| {
        let (parent, child) = (parent.clone(), child.clone());
        world.write(move |tx| family_invite(tx, actor, &parent, &child))
    };
    let accept = |actor: Actor| {
        let (parent, child) = (parent.clone(), child.clone());
        world.write(move |tx| family_accept(tx, actor, &child, &parent))
    };
    let early = accept(Actor::Customer(c));
    assert!(matches!(early, Err(FamilyError::NotInvited)));
    let stranger = invite(Actor::Customer(c));
    assert!(matches!(
        stranger,
        Err(FamilyError::Customer(CustomerError::Forbidden))
    ));
    invite(Actor::Customer(p)).unwrap();
    let own = accept(Actor::Customer(p));
    assert!(matches!(
        own,
        Err(FamilyError::Customer(CustomerError::Forbidden))
    ));
    world.clock.advance_seconds(7 * 24 * 3600);
    assert!(
        matches!(accept(Actor::Customer(c)), Err(FamilyError::NotInvited)),
        "it lapsed"
    );
    invite(Actor::Customer(p)).unwrap();
    accept(Actor::Customer(c)).unwrap();
    let found = world
        .node
        .engine
        .read(|tx| family_of(tx, &child))
        .unwrap()
        .unwrap();
    assert_eq!((found.parent, found.limits), (p, Limits::default()));
    let children = world
        .node
        .engine
        .read(|tx| family_children(tx, &parent))
        .unwrap();
    assert_eq!(children.len(), 1);
    for (one, other) in [(c, p), (p, p), (world.buyer(50), c), (c, world.buyer(50))] {
        assert!(matches!(
            link(&world, one, other),
            Err(FamilyError::Impossible)
        ));
    }
    let end = |actor: Actor| {
        let child = child.clone();
        world.write(move |tx| family_end(tx, actor, &child))
    };
    assert!(
        matches!(end(Actor::Customer(c)), Err(FamilyError::NoChild)),
        "not the child"
    );
    end(Actor::Customer(p)).unwrap();
    assert_eq!(
        world.node.engine.read(|tx| family_of(tx, &child)).unwrap(),
        None
    );
}

/// ADV-02: funding moves tokens and makes none; origin, expiry and restriction stay; an account
/// that reaches the minimum by it is active.
fn a_parent_moves_own_tokens_with_their_grants(db: &TestDb) {
    let world = World::new(db);
    let (parent, child) = (world.buyer(100), world.register().customer_id);
    link(&world, parent, child).unwrap();
    let soon = world.now().plus_seconds(5000);
    let grant = world.give(parent, tokens(20), Origin::Free, Some("sale"), soon);
    fund(&world, Actor::Customer(parent), child, tokens(60)).unwrap();
    assert_eq!(
        (world.balance(parent), world.balance(child)),
        (tokens(60), tokens(60))
    );
    assert_eq!(world.state(child), State::Active);
    let lots = world.rows("SELECT grant_id FROM lot WHERE book_id = $1 AND remaining = 20000000");
    assert_eq!(lots.len(), 1, "what expires soonest moves first, whole");
    assert_eq!(lots[0].int(0).unwrap(), grant);
    let most = fund(&world, Actor::Customer(parent), child, tokens(61));
    assert!(matches!(most, Err(FamilyError::TooFewTokens)));
    for odd in [Amount::ZERO, tokens(-1)] {
        assert!(fund(&world, Actor::Customer(parent), child, odd).is_err());
    }
    let own = fund(&world, Actor::Customer(child), child, tokens(1));
    assert!(
        matches!(own, Err(FamilyError::NoChild)),
        "a child does not take from its parent"
    );
}

/// ADV-02: a day, seven days; refused with the cap and what is spent of it.
fn an_order_over_a_cap_is_refused(db: &TestDb) {
    let world = World::new(db);
    let (parent, child) = family(&world);
    let pen = world.offer("pen", 5);
    limit(
        &world,
        Actor::Customer(parent),
        child,
        caps(Some(10), Some(15)),
    )
    .unwrap();
    completed(world.place(child, &[want(pen, 2)]));
    match refused(world.place(child, &[want(pen, 1)])) {
        Refusal::OverCap {
            cap,
            spent,
            required,
            ..
        } => {
            assert_eq!((cap, spent, required), (tokens(10), tokens(10), tokens(5)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.balance(child), tokens(90));
    world.clock.advance_seconds(24 * 3600);
    completed(world.place(child, &[want(pen, 1)]));
    let week = refused(world.place(child, &[want(pen, 1)]));
    assert!(
        matches!(week, Refusal::OverCap { .. }),
        "fifteen in seven days"
    );
    world.clock.advance_seconds(6 * 24 * 3600);
    completed(world.place(child, &[want(pen, 1)]));
    let of = world.customer(child);
    let seen = |actor: Actor| world.node.engine.read(|tx| family_spending(tx, actor, &of));
    let spent = seen(Actor::Customer(parent)).unwrap();
    assert_eq!(
        (spent.day, spent.week, spent.month),
        (tokens(5), tokens(10), tokens(20))
    );
    assert!(seen(Actor::Customer(child)).is_ok());
    assert!(seen(Actor::Customer(world.buyer(50))).is_err());
    // Grown-ups have no caps.
    completed(world.place(parent, &[want(pen, 20)]));
}

/// ADV-02: the wallet's lock keeps orders at once below the cap.
fn two_orders_at_once_do_not_pass_a_cap_together(db: &TestDb) {
    let world = World::new(db);
    let (_, child) = family(&world);
    let pen = world.offer("pen", 5);
    limit(&world, Actor::System, child, caps(Some(10), None)).unwrap();
    let outcomes: Vec<OrderOutcome> = std::thread::scope(|scope| {
        let order = || world.place_as(Actor::Customer(child), &request(child, &[want(pen, 1)]));
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(order)).collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap().unwrap())
            .collect()
    });
    let done = outcomes
        .iter()
        .filter(|o| matches!(o, OrderOutcome::Completed(_)));
    assert_eq!(done.count(), 2);
    assert_eq!(world.balance(child), tokens(90));
}

/// ADV-02: what comes back may be spent again.
fn a_refund_gives_the_cap_back(db: &TestDb) {
    let world = World::new(db);
    let (_, child) = family(&world);
    let pen = world.offer("pen", 5);
    limit(&world, Actor::System, child, caps(Some(10), None)).unwrap();
    let order = completed(world.place(child, &[want(pen, 2)])).order_id;
    assert!(matches!(
        refused(world.place(child, &[want(pen, 1)])),
        Refusal::OverCap { .. }
    ));
    let vendor = world.vendor.clone();
    let back = RefundRequest {
        order_id: order,
        lines: RefundLines::Lines(vec![(1, 1)]),
        restock: false,
        reference: String::new(),
        effective_at: None,
    };
    world
        .write(move |tx| order_refund(tx, Actor::System, &vendor, &back))
        .unwrap();
    completed(world.place(child, &[want(pen, 1)]));
    assert!(matches!(
        refused(world.place(child, &[want(pen, 1)])),
        Refusal::OverCap { .. }
    ));
}

/// ADV-01: categories within the vendor's network; refused with the line.
fn a_child_buys_from_allowed_categories_alone(db: &TestDb) {
    let world = World::new(db);
    let (parent, child) = family(&world);
    let (book, game) = (
        offer_in(&world, "book", "Books"),
        offer_in(&world, "game", "Games"),
    );
    let limits = Limits {
        categories: Some(vec!["Books".into(), "Books".into()]),
        ..Limits::default()
    };
    limit(&world, Actor::Customer(parent), child, limits).unwrap();
    completed(world.place(child, &[want(book, 1)]));
    match refused(world.place(child, &[want(book, 1), want(game, 1)])) {
        Refusal::NotAllowed { title } => assert_eq!(title, "game"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.balance(child), tokens(95));
    limit(&world, Actor::Customer(parent), child, Limits::default()).unwrap();
    completed(world.place(child, &[want(game, 1)]));
}

/// ADV-02: neither the child nor a stranger; and no caps that cannot be.
fn only_the_parent_sets_limits(db: &TestDb) {
    let world = World::new(db);
    let (parent, child) = family(&world);
    for actor in [Actor::Customer(child), Actor::Customer(world.buyer(50))] {
        let set = limit(&world, actor, child, Limits::default());
        assert!(matches!(set, Err(FamilyError::NoChild)));
    }
    let negative = limit(&world, Actor::Customer(parent), child, caps(Some(-1), None));
    assert!(matches!(negative, Err(FamilyError::CapNegative)));
    let many = Limits {
        categories: Some((0..101).map(|n| n.to_string()).collect()),
        ..Limits::default()
    };
    let many = limit(&world, Actor::Customer(parent), child, many);
    assert!(matches!(many, Err(FamilyError::TooManyCategories)));
}

/// ADV-02: the child has a number and a PIN of its own and the parent's limits from the start; the
/// field policy applies; it gets no credit.
fn a_parent_registers_a_child_without_an_account(db: &TestDb) {
    use scrip_domain::customer::{Details, SecretKind, secret_hash, sign_in};
    use scrip_domain::family::family_register;
    use scrip_domain::policy::{Channel, Means};
    use scrip_domain::secret::Proof;
    use scrip_domain::token_sale::offline::{NewOfflineOrder, OfflineError, offline_order_open};
    let world = World::new(db);
    let p = world.buyer(500);
    let register = |actor: Actor, parent: CustomerId, pin: bool| {
        let (vendor, vault) = (world.vendor.clone(), world.node.vault.clone());
        let parent = world.customer(parent);
        let hash = pin.then(|| secret_hash(SecretKind::Pin, "40712").unwrap());
        let details = Details {
            pin_hash: hash,
            ..Details::default()
        };
        world.write(move |tx| family_register(tx, &vault, actor, &vendor, &parent, &details))
    };
    let stranger = Actor::Customer(world.buyer(50));
    assert!(register(stranger, p, true).is_err());
    let none = register(Actor::Customer(p), p, false);
    assert!(matches!(
        none,
        Err(FamilyError::Customer(CustomerError::FieldRequired(_)))
    ));
    let made = register(Actor::Customer(p), p, true).unwrap();
    let child = made.customer_id;
    let found = world
        .node
        .engine
        .read(|tx| family_of(tx, &world.customer(child)));
    assert_eq!(found.unwrap().unwrap().parent, p);
    let number = made.number.to_string();
    let proof = sign_in(
        &world.node,
        &world.vendor,
        &number,
        SecretKind::Pin,
        "40712",
    );
    assert!(matches!(proof.unwrap(), Proof::Proven(who) if who.customer_id == child));
    limit(&world, Actor::Customer(p), child, caps(Some(5), None)).unwrap();
    fund(&world, Actor::Customer(p), child, tokens(100)).unwrap();
    assert_eq!(world.state(child), State::Active);
    let no_grandchild = register(Actor::Customer(child), child, true);
    assert!(matches!(no_grandchild, Err(FamilyError::Impossible)));
    let order = |who: CustomerId, means: Means| {
        let vendor = world.vendor.clone();
        let new = NewOfflineOrder {
            customer: who,
            quantity: tokens(100),
            pack: None,
            means,
            channel: Channel::Phone,
            quoted: None,
            payment_reference: String::new(),
        };
        world.write(move |tx| offline_order_open(tx, Actor::System, &vendor, &new))
    };
    for means in [Means::BillMe, Means::PurchaseOrder] {
        assert!(matches!(order(child, means), Err(OfflineError::NoCredit)));
    }
    order(child, Means::Check).unwrap();
    order(p, Means::BillMe).unwrap();
    for _ in 1..10 {
        register(Actor::Customer(p), p, true).unwrap();
    }
    let eleventh = register(Actor::Customer(p), p, true);
    assert!(matches!(eleventh, Err(FamilyError::TooManyChildren)));
}
