//! Orders of tokens that no card pays: taken, accepted, paid, failed; what is owed and how old.

mod steps;

use crate::support::{DAY_S, World, completed, tokens, want};
use scrip_domain::credit::{Facts, Verdict};
use scrip_domain::customer::State;
use scrip_domain::policy::{Channel, Means, policy};
use scrip_domain::statement::LotKind;
use scrip_domain::token_sale::TokenSaleError;
use scrip_domain::token_sale::offline::{
    Ageing, NewOfflineOrder, OfflineError, OfflineState, offline_ageing, offline_credit_facts,
    offline_order_accept, offline_order_by_id, offline_order_cancel, offline_order_fail,
    offline_order_pay, offline_orders_by_reference, offline_orders_in, offline_orders_of,
    offline_owed, offline_payments,
};
use scrip_domain::vendor::token_price_set;
use scrip_domain::{Actor, Amount};
use scrip_ledger::AccountKind;
use scrip_testkit::TestDb;
use steps::{
    accept, accept_as, books, deferred, fail, kinds, on_acceptance, open, open_as, pay, pounds,
    set, wish,
};

both!(
    upon_receipt_each_means_credits_after_clearance_and_never_on_failure,
    upon_acceptance_the_money_is_owed_until_it_comes,
    a_part_payment_is_taken_where_money_is_owed_and_nowhere_else,
    failing_takes_back_what_is_there_and_keeps_what_is_owed,
    the_credit_check_declines_and_is_recorded,
    two_staff_clear_one_order_once,
    what_nobody_may_do,
    customers_order_on_the_web_within_the_policy,
    money_owed_is_shown_by_age,
    a_price_that_changes_leaves_open_orders_alone,
);

/// TOK-10, TOK-11: nothing is credited before the money came, by whatever means, and nothing when
/// it never comes.
fn upon_receipt_each_means_credits_after_clearance_and_never_on_failure(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let mut there = 0;
    for (n, means) in Means::ALL.iter().filter(|m| m.is_offline()).enumerate() {
        let order = open(&world, id, 100, *means);
        assert_eq!(order.reference, format!("T-{:06}", 2 * n + 1));
        assert_eq!((order.state, order.price), (OfflineState::Open, pounds(1)));
        let order = accept(&world, order.id);
        assert_eq!(order.state, OfflineState::Awaiting);
        assert_eq!(
            world.balance(id),
            tokens(there),
            "{means}: not before the money"
        );
        let order = pay(&world, order.id, None).unwrap();
        there += 100;
        assert_eq!(
            (order.state, order.owed),
            (OfflineState::Cleared, Amount::ZERO)
        );
        assert_eq!(
            (order.paid, order.payment_reference.as_str()),
            (pounds(1), "no 17")
        );
        assert_eq!((order.activated, world.state(id)), (n == 0, State::Active));
        assert_eq!(world.balance(id), tokens(there), "{means}");
        let lost = open(&world, id, 7, *means);
        accept(&world, lost.id);
        let lost = fail(&world, lost.id).unwrap();
        assert_eq!(lost.state, OfflineState::Failed);
        assert_eq!(lost.reason, "the cheque bounced");
        assert_eq!(world.balance(id), tokens(there), "{means}: none on failure");
        for what in ["opened", "awaiting", "cleared"] {
            let topic = format!("token_order.{what}");
            assert_eq!(world.messages(&topic, &order.id.to_string()), 1, "{topic}");
        }
        assert_eq!(
            world.messages("token_order.failed", &lost.id.to_string()),
            1
        );
    }
    assert_eq!(kinds(&world, id), [(LotKind::Paid, tokens(there))]);
    assert_eq!(books(&world, AccountKind::Bank), pounds(-5));
    assert_eq!(books(&world, AccountKind::Receivable), Amount::ZERO);
    assert_eq!(deferred(&world), pounds(5));
    // Money may come before anybody has accepted the order.
    let early = open(&world, id, 100, Means::Check);
    assert_eq!(
        pay(&world, early.id, None).unwrap().state,
        OfflineState::Cleared
    );
    assert_eq!(world.balance(id), tokens(there + 100));
}

/// TOK-10, TOK-12: acceptance credits tokens of origin credit and a receivable; payment clears it
/// and makes them paid ones.
fn upon_acceptance_the_money_is_owed_until_it_comes(db: &TestDb) {
    let world = World::new(db);
    on_acceptance(&world);
    let id = world.register().customer_id;
    let order = open(&world, id, 100, Means::BillMe);
    assert_eq!(world.balance(id), Amount::ZERO);
    let order = accept(&world, order.id);
    assert_eq!(
        (order.state, order.owed),
        (OfflineState::Awaiting, pounds(1))
    );
    assert_eq!(order.due_at, Some(world.now().plus_seconds(30 * DAY_S)));
    assert!(order.activated && world.state(id) == State::Active);
    assert_eq!(kinds(&world, id), [(LotKind::Credit, tokens(100))]);
    assert_eq!(books(&world, AccountKind::Receivable), pounds(-1));
    assert_eq!(deferred(&world), pounds(1));
    let offer = world.offer("book", 40);
    completed(world.place(id, &[want(offer, 1)]));
    let order = pay(&world, order.id, None).unwrap();
    assert_eq!(
        (order.state, order.owed),
        (OfflineState::Cleared, Amount::ZERO)
    );
    assert_eq!(
        kinds(&world, id),
        [(LotKind::Paid, tokens(60))],
        "re-tagged"
    );
    assert_eq!(books(&world, AccountKind::Receivable), Amount::ZERO);
    assert_eq!(books(&world, AccountKind::Bank), pounds(-1));
    assert_eq!(deferred(&world), pounds(1), "booked once");
    // Cash is there when it is accepted: nothing is owed for it.
    let cash = open(&world, id, 10, Means::Cash);
    let cash = accept(&world, cash.id);
    assert_eq!((cash.owed, cash.grant), (Amount::ZERO, None));
    pay(&world, cash.id, None).unwrap();
    assert_eq!(world.balance(id), tokens(70));
}

/// TOK-12: parts of what is owed are taken; where tokens come with the money, all of it must.
fn a_part_payment_is_taken_where_money_is_owed_and_nowhere_else(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let receipt = open(&world, id, 100, Means::Check);
    accept(&world, receipt.id);
    let part = pay(&world, receipt.id, Some(Amount::from_units(1)));
    assert!(matches!(part, Err(OfflineError::NotWhole)), "{part:?}");
    let much = pay(&world, receipt.id, Some(pounds(2)));
    assert!(matches!(much, Err(OfflineError::TooMuch)), "{much:?}");
    for wrong in [0, -1, i64::MIN] {
        let none = pay(&world, receipt.id, Some(Amount::from_units(wrong)));
        assert!(
            matches!(none, Err(OfflineError::AmountNotPositive)),
            "{none:?}"
        );
    }
    assert_eq!(world.balance(id), Amount::ZERO);
    on_acceptance(&world);
    let order = open(&world, id, 300, Means::PurchaseOrder);
    accept(&world, order.id);
    let first = pay(&world, order.id, Some(pounds(1))).unwrap();
    assert_eq!(
        (first.state, first.owed),
        (OfflineState::Awaiting, pounds(2))
    );
    assert_eq!(
        kinds(&world, id),
        [(LotKind::Credit, tokens(300))],
        "not yet"
    );
    let much = pay(&world, order.id, Some(pounds(3)));
    assert!(matches!(much, Err(OfflineError::TooMuch)), "{much:?}");
    let last = pay(&world, order.id, Some(pounds(2))).unwrap();
    assert_eq!((last.state, last.paid), (OfflineState::Cleared, pounds(3)));
    assert_eq!(kinds(&world, id), [(LotKind::Paid, tokens(300))]);
    let payments = world
        .node
        .engine
        .read(|tx| offline_payments(tx, world.book(), order.id))
        .unwrap();
    let payments: Vec<_> = payments.iter().map(|p| (p.number, p.amount)).collect();
    assert_eq!(payments, [(1, pounds(1)), (2, pounds(2))]);
}

/// TOK-12: a payment that fails after the tokens were credited takes back those that are there;
/// what was spent stays owed until it is paid.
fn failing_takes_back_what_is_there_and_keeps_what_is_owed(db: &TestDb) {
    let world = World::new(db);
    on_acceptance(&world);
    let id = world.register().customer_id;
    let order = open(&world, id, 100, Means::Check);
    accept(&world, order.id);
    let offer = world.offer("book", 30);
    completed(world.place(id, &[want(offer, 1)]));
    let failed = fail(&world, order.id).unwrap();
    assert_eq!(failed.state, OfflineState::Failed);
    assert_eq!(failed.taken_back, tokens(70));
    assert_eq!(failed.owed, Amount::from_units(30_000_000));
    assert_eq!(world.balance(id), Amount::ZERO);
    assert_eq!(
        books(&world, AccountKind::Receivable),
        failed.owed.negated().unwrap()
    );
    assert_eq!(deferred(&world), failed.owed, "for what was spent");
    // It is paid after all.
    let settled = pay(&world, order.id, None).unwrap();
    assert_eq!(
        (settled.state, settled.owed),
        (OfflineState::Failed, Amount::ZERO)
    );
    assert_eq!(books(&world, AccountKind::Receivable), Amount::ZERO);
    let again = pay(&world, order.id, None);
    assert!(matches!(again, Err(OfflineError::Over { .. })), "{again:?}");
    // Half paid: the other half goes back, and nothing is owed.
    let half = open(&world, id, 100, Means::Check);
    accept(&world, half.id);
    pay(&world, half.id, Some(Amount::from_units(50_000_000))).unwrap();
    let half = fail(&world, half.id).unwrap();
    assert_eq!((half.taken_back, half.owed), (tokens(50), Amount::ZERO));
    assert_eq!(kinds(&world, id), [(LotKind::Paid, tokens(50))]);
}

/// TOK-13: the check approves or declines; its word is kept, and a declined order credits nothing.
fn the_credit_check_declines_and_is_recorded(db: &TestDb) {
    let world = World::new(db);
    on_acceptance(&world);
    set(&world, |p| p.sale.credit_limit = Some(pounds(3)));
    let id = world.register().customer_id;
    let first = open(&world, id, 200, Means::BillMe);
    let second = open(&world, id, 200, Means::PurchaseOrder);
    let unchecked = open(&world, id, 200, Means::Check);
    assert_eq!(accept(&world, first.id).credit, Some(Verdict::Approved));
    let declined = accept(&world, second.id);
    assert_eq!(declined.state, OfflineState::Failed);
    assert!(matches!(&declined.credit, Some(Verdict::Declined(why)) if why.contains("limit")));
    assert!(declined.reason.contains("limit"), "{}", declined.reason);
    assert_eq!(world.balance(id), tokens(200), "AT unchanged");
    assert_eq!(
        accept(&world, unchecked.id).credit,
        None,
        "the policy asks for none"
    );
    // A verdict about other debts than today's is not used.
    let third = open(&world, id, 1, Means::BillMe);
    let vendor = world.vendor.clone();
    let facts = world
        .node
        .engine
        .read(|tx| offline_credit_facts(tx, &vendor, third.id))
        .unwrap()
        .unwrap();
    assert_eq!(facts.owed, pounds(4));
    let stale = Facts {
        owed: Amount::ZERO,
        ..facts
    };
    for said in [None, Some((stale, Verdict::Approved))] {
        let vendor = world.vendor.clone();
        let outcome = world.write(move |tx| {
            offline_order_accept(tx, Actor::System, &vendor, third.id, said.as_ref())
        });
        assert!(
            matches!(outcome, Err(OfflineError::CreditChanged)),
            "{outcome:?}"
        );
    }
    // What is overdue declines, whatever the limit.
    set(&world, |p| p.sale.credit_limit = None);
    world.clock.advance_seconds(31 * DAY_S);
    let late = accept(&world, third.id);
    assert!(late.reason.contains("overdue"), "{}", late.reason);
}

/// Two of the staff clear one order: one does, the others are told.
fn two_staff_clear_one_order_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let order = open(&world, id, 100, Means::MoneyOrder);
    accept(&world, order.id);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| pay(&world, order.id, None)))
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
    for told in outcomes.iter().filter_map(|o| o.as_ref().err()) {
        assert!(told.to_string().contains("cleared already"), "{told}");
    }
    assert_eq!(world.balance(id), tokens(100));
    assert_eq!(
        world.messages("token_order.cleared", &order.id.to_string()),
        1
    );
    let late = fail(&world, order.id);
    assert!(
        matches!(late, Err(OfflineError::NotOpen { .. })),
        "{late:?}"
    );
}

fn what_nobody_may_do(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (world.register().customer_id, world.register().customer_id);
    let order = open(&world, id, 100, Means::Check);
    let vendor = world.vendor.clone();
    // Customers accept and clear nothing, not even their own.
    for actor in [Actor::Customer(id), Actor::Customer(other)] {
        let own = vendor.clone();
        let paid = world.write(move |tx| offline_order_pay(tx, actor, &own, order.id, None, ""));
        assert!(matches!(paid, Err(OfflineError::Forbidden)), "{paid:?}");
        let accepted = accept_as(&world, actor, order.id);
        assert!(
            matches!(accepted, Err(OfflineError::Forbidden)),
            "{accepted:?}"
        );
        let own = vendor.clone();
        let failed = world.write(move |tx| offline_order_fail(tx, actor, &own, order.id, "x"));
        assert!(matches!(failed, Err(OfflineError::Forbidden)), "{failed:?}");
    }
    // Another customer, and another shop, do not know the order.
    let own = vendor.clone();
    let foreign =
        world.write(move |tx| offline_order_cancel(tx, Actor::Customer(other), &own, order.id));
    assert!(
        matches!(foreign, Err(OfflineError::Unknown(_))),
        "{foreign:?}"
    );
    let elsewhere = world.other_vendor("elsewhere");
    let foreign =
        world.write(move |tx| offline_order_pay(tx, Actor::System, &elsewhere, order.id, None, ""));
    assert!(
        matches!(foreign, Err(OfflineError::Unknown(_))),
        "{foreign:?}"
    );
    // A reason is asked for, a card is no off-line means, texts have their limits.
    let own = vendor.clone();
    let silent = world.write(move |tx| offline_order_fail(tx, Actor::System, &own, order.id, " "));
    assert!(matches!(silent, Err(OfflineError::Text(_))), "{silent:?}");
    let card = open_as(&world, Actor::System, wish(id, 1, Means::Card));
    assert!(
        matches!(card, Err(OfflineError::MeansNotTaken(_))),
        "{card:?}"
    );
    let long = NewOfflineOrder {
        payment_reference: "9".repeat(201),
        ..wish(id, 1, Means::Check)
    };
    assert!(open_as(&world, Actor::System, long).is_err());
    for quantity in [0, -1, 2_000_000_000] {
        let odd = open_as(&world, Actor::System, wish(id, quantity, Means::Check));
        assert!(matches!(odd, Err(OfflineError::Sale(_))), "{odd:?}");
    }
    // An order that was cancelled is over.
    let own = vendor.clone();
    world
        .write(move |tx| offline_order_cancel(tx, Actor::Customer(id), &own, order.id))
        .unwrap();
    assert!(pay(&world, order.id, None).is_err());
    assert!(accept_as(&world, Actor::System, order.id).is_err());
    assert_eq!(world.balance(id), Amount::ZERO);
}

/// TOK-11: customers order on the web by the means that the vendor takes there.
fn customers_order_on_the_web_within_the_policy(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let own = Actor::Customer(id);
    let early = open_as(&world, own, wish(id, 100, Means::Check));
    assert!(
        matches!(early, Err(OfflineError::MeansNotTaken(_))),
        "{early:?}"
    );
    set(&world, |p| {
        p.registration.means_online = vec![Means::Card, Means::Check];
    });
    let order = open_as(&world, own, wish(id, 100, Means::Check)).unwrap();
    assert_eq!(order.channel, Channel::Online, "whatever was said");
    assert_eq!(order.taken_by, id.to_string());
    let cash = open_as(&world, own, wish(id, 100, Means::Cash));
    assert!(
        matches!(cash, Err(OfflineError::MeansNotTaken(_))),
        "{cash:?}"
    );
    let other = world.register().customer_id;
    let foreign = open_as(&world, Actor::Customer(other), wish(id, 1, Means::Check));
    assert!(
        matches!(foreign, Err(OfflineError::Forbidden)),
        "{foreign:?}"
    );
    for _ in 0..19 {
        open_as(&world, own, wish(id, 1, Means::Check)).unwrap();
    }
    let more = open_as(&world, own, wish(id, 1, Means::Check));
    assert!(matches!(more, Err(OfflineError::TooManyOpen)), "{more:?}");
    let (book, customer) = (world.book(), world.customer(id));
    let read = &world.node.engine;
    let mine = read
        .read(|tx| offline_orders_of(tx, own, &customer, None, 15))
        .unwrap();
    assert_eq!((mine.items.len(), mine.next.is_some()), (15, true));
    let rest = read
        .read(|tx| offline_orders_of(tx, own, &customer, mine.next, 15))
        .unwrap();
    assert_eq!((rest.items.len(), rest.next), (5, None));
    assert_eq!(rest.items[4], order);
    let found = read
        .read(|tx| offline_orders_by_reference(tx, book, " T-000001 "))
        .unwrap();
    assert_eq!(found, std::slice::from_ref(&order));
    let open = read
        .read(|tx| offline_orders_in(tx, book, OfflineState::Open, None, 100))
        .unwrap();
    assert_eq!(open.items.len(), 20);
    let seen = read.read(|tx| offline_order_by_id(tx, Actor::Customer(other), book, order.id));
    assert!(matches!(seen, Err(OfflineError::Unknown(_))), "{seen:?}");
}

/// TOK-12: what is owed, by how long it is overdue.
fn money_owed_is_shown_by_age(db: &TestDb) {
    let world = World::new(db);
    on_acceptance(&world);
    let id = world.register().customer_id;
    for _ in 0..5 {
        let order = open(&world, id, 100, Means::Check);
        accept(&world, order.id);
        world.clock.advance_seconds(30 * DAY_S + 1);
    }
    // Accepted 150, 120, 90, 60 and 30 days ago, due after 30.
    let ageing = world
        .node
        .engine
        .read(|tx| offline_ageing(tx, world.book()))
        .unwrap();
    let expected = Ageing {
        current: Amount::ZERO,
        days_30: pounds(2),
        days_60: pounds(1),
        days_90: pounds(1),
        older: pounds(1),
        total: pounds(5),
    };
    assert_eq!(ageing, expected);
    let read = |after| {
        let page = world
            .node
            .engine
            .read(|tx| offline_owed(tx, world.book(), after, 3));
        page.unwrap()
    };
    let first = read(None);
    let second = read(first.next);
    assert_eq!(
        (first.items.len(), second.items.len(), second.next),
        (3, 2, None)
    );
    let due: Vec<_> = first
        .items
        .iter()
        .chain(&second.items)
        .map(|o| o.due_at)
        .collect();
    assert!(due.is_sorted(), "the longest due first");
}

/// TOK-01: a new price is for later orders.
fn a_price_that_changes_leaves_open_orders_alone(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let order = open(&world, id, 100, Means::Check);
    let (vendor, price) = (world.vendor.clone(), Amount::from_units(2_000_000));
    world.clock.advance_seconds(1);
    world
        .write(move |tx| {
            let now = scrip_engine::Read::now(tx);
            token_price_set(tx, Actor::System, &vendor, price, now)
        })
        .unwrap();
    accept(&world, order.id);
    assert_eq!(pay(&world, order.id, None).unwrap().paid, pounds(1));
    let quoted = NewOfflineOrder {
        quoted: Some(pounds(1)),
        ..wish(id, 100, Means::Check)
    };
    let stale = open_as(&world, Actor::System, quoted);
    assert!(
        matches!(stale, Err(OfflineError::Sale(TokenSaleError::PriceChanged))),
        "{stale:?}"
    );
    assert_eq!(open(&world, id, 100, Means::Check).price, pounds(2));
    let held = world
        .node
        .engine
        .read(|tx| policy(tx, world.book()))
        .unwrap();
    assert_eq!(held.sale.due_days, 30);
}
