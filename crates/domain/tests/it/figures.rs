//! The day, the sales of a span, the journal, the list of customers.

use crate::history::{all_pages, refund};
use crate::support::{DAY_S, World, completed, refused, request, tokens, want};
use scrip_domain::customer::{Details, State, customers, reference_set};
use scrip_domain::id::{CustomerId, OrderId};
use scrip_domain::order::{OrderRequest, RefundLines};
use scrip_domain::report::{JournalEntry, Today, journal, sales, sales_between, today};
use scrip_domain::statement::customers_find;
use scrip_domain::token_sale::token_orders_resolve;
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::{Entry, Origin, account_balance, seal_next};
use scrip_testkit::TestDb;

both!(
    a_day_is_what_the_ledger_says_of_it,
    a_paid_order_counts_when_it_was_paid,
    sales_of_a_span_are_part_of_all_sales,
    the_journal_is_all_entries_newest_first,
    customers_are_listed_and_found,
);

fn day(world: &World, from: Timestamp, to: Timestamp) -> Today {
    let engine = &world.node.engine;
    engine
        .read(|tx| today(tx, &world.vendor, from, to))
        .unwrap()
}

fn whole_journal(world: &World, limit: usize) -> Vec<JournalEntry> {
    all_pages(limit, |before| {
        let engine = &world.node.engine;
        engine.read(|tx| journal(tx, world.book(), before, limit))
    })
}

/// What the entries of a span moved into an account, by their code.
fn moved(world: &World, code: &str, into: i64, span: (Timestamp, Timestamp)) -> Amount {
    let written = |e: &Entry| e.code == code && e.recorded_at >= span.0 && e.recorded_at < span.1;
    let journal = whole_journal(world, 1000);
    let transfers = journal
        .iter()
        .filter(|e| written(&e.entry))
        .flat_map(|e| &e.transfers);
    let amounts = transfers.map(|t| {
        if t.credit == into {
            t.amount
        } else if t.debit == into {
            t.amount.negated().unwrap()
        } else {
            Amount::ZERO
        }
    });
    Amount::sum(amounts).unwrap()
}

fn equals_ledger(world: &World, from: Timestamp, to: Timestamp) -> Today {
    let day = day(world, from, to);
    let accounts = world.vendor.accounts;
    let moved = |code, into| moved(world, code, into, (from, to));
    assert_eq!(day.tokens_spent, moved("order", accounts.spent));
    let back = moved("refund", accounts.spent).negated().unwrap();
    assert_eq!(day.refunded, back);
    let sold = moved("token_sale", accounts.issued).negated().unwrap();
    assert_eq!(day.tokens_sold, sold);
    assert_eq!(day.money_received, moved("token_sale", accounts.deferred));
    let hours = |f: fn(&scrip_domain::report::Turnover) -> Amount| {
        Amount::sum(day.hours.iter().map(f)).unwrap()
    };
    assert_eq!(hours(|h| h.sales), day.tokens_spent);
    assert_eq!(hours(|h| h.refunds), day.refunded);
    assert_eq!(day.hours.iter().map(|h| h.orders).sum::<u64>(), day.orders);
    let customers = world.rows("SELECT customer_id FROM customer WHERE book_id = $1");
    let holdings = customers
        .iter()
        .map(|row| world.balance(CustomerId(row.uuid(0).unwrap())));
    assert_eq!(day.outstanding, Amount::sum(holdings).unwrap());
    let issued = world
        .node
        .engine
        .read(|tx| account_balance(tx, world.book(), accounts.issued));
    let spent = world
        .node
        .engine
        .read(|tx| account_balance(tx, world.book(), accounts.spent));
    let left = issued.unwrap().plus(spent.unwrap()).unwrap();
    assert_eq!(day.outstanding, left.negated().unwrap());
    day
}

/// MIC-05: each figure of a day equals the journal of that day, sealed or not.
fn a_day_is_what_the_ledger_says_of_it(db: &TestDb) {
    let world = World::new(db);
    world
        .clock
        .set(Timestamp::parse("2026-03-01T23:59:59.999999Z").unwrap());
    let id = world.buyer(500);
    let pen = world.offer("pen", 7);
    let midnight = Timestamp::parse("2026-03-02T00:00:00Z").unwrap();
    let next = midnight.plus_seconds(DAY_S);
    let before = completed(world.place(id, &[want(pen, 1)])).order_id;
    let nothing = day(&world, midnight, next);
    assert_eq!(nothing.hours.len(), 24);
    assert_eq!((nothing.orders, nothing.new_customers), (0, 0));
    assert_eq!(nothing.outstanding, tokens(493));

    world.clock.set(midnight);
    let order = completed(world.place(id, &[want(pen, 3)])).order_id;
    world.clock.set(midnight.plus_seconds(13 * 3600 + 1800));
    world.buyer(60);
    world.register();
    refund(&world, order, RefundLines::Lines(vec![(1, 1)]), "");
    refund(&world, before, RefundLines::Whole, "");
    completed(world.place(id, &[want(pen, 2)]));
    refused(world.place(id, &[want(pen, 200)]));
    let yesterday = OrderRequest {
        effective_at: Some(midnight.0 - 5),
        ..request(id, &[want(pen, 1)])
    };
    completed(world.place_as(Actor::System, &yesterday).unwrap());
    assert!(world.buy(id, tokens(10), "test_declined").is_ok());
    let book = world.book();
    world.write(move |tx| seal_next(tx, book, 5)).unwrap();

    world.clock.set(next);
    world.buyer(70);
    completed(world.place(id, &[want(pen, 4)]));
    let day = equals_ledger(&world, midnight, next);
    assert_eq!((day.orders, day.tokens_spent), (3, tokens(42)));
    assert_eq!((day.refunds, day.refunded), (2, tokens(14)));
    assert_eq!((day.tokens_sold, day.new_customers), (tokens(60), 2));
    assert_eq!(
        (day.money_received.decimal(8).as_str(), day.activated),
        ("0.6", 1)
    );
    assert_eq!((day.hours[0].orders, day.hours[0].sales), (1, tokens(21)));
    assert_eq!(
        (day.hours[13].orders, day.hours[13].refunds),
        (2, tokens(14))
    );
    let around = equals_ledger(&world, Timestamp(midnight.0 - 1), Timestamp(next.0 + 1));
    assert_eq!((around.orders, around.activated), (5, 3));
    assert_eq!(around.hours.len(), 25);
    let both = equals_ledger(&world, Timestamp(0), Timestamp::NEVER);
    assert_eq!((both.orders, both.new_customers), (5, 4));
}

/// TOK-08: tokens that were ordered before midnight and paid after it are sold after it.
fn a_paid_order_counts_when_it_was_paid(db: &TestDb) {
    let world = World::new(db);
    let midnight = Timestamp::parse("2026-03-02T00:00:00Z").unwrap();
    world.clock.set(Timestamp(midnight.0 - 1));
    let id = world.register().customer_id;
    world.buy(id, tokens(60), "test_timeout").unwrap();
    world.clock.set(midnight);
    let cards = world.cards.as_ref();
    let resolved = token_orders_resolve(&world.node, cards, &world.vendor, 0);
    assert_eq!(resolved.unwrap(), 1);
    let eve = equals_ledger(&world, midnight.plus_seconds(-DAY_S), midnight);
    assert_eq!((eve.tokens_sold, eve.activated), (tokens(0), 0));
    assert_eq!(eve.new_customers, 1);
    let day = equals_ledger(&world, midnight, midnight.plus_seconds(DAY_S));
    assert_eq!((day.tokens_sold, day.activated), (tokens(60), 1));
    assert_eq!(day.new_customers, 0);
}

fn sales_of_a_span_are_part_of_all_sales(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let pen = world.offer("pen", 7);
    let start = world.now();
    let at = |hours: i64| start.plus_seconds(hours * 3600);
    for hour in 0..5 {
        world.clock.set(at(hour));
        let order = completed(world.place(id, &[want(pen, 1)])).order_id;
        if hour % 2 == 0 {
            refund(&world, order, RefundLines::Whole, "");
        }
    }
    // Entered at the end, counting from before.
    let late = OrderRequest {
        effective_at: Some(at(1).0),
        ..request(id, &[want(pen, 10)])
    };
    completed(world.place_as(Actor::System, &late).unwrap());
    let engine = &world.node.engine;
    let span = |from, to| {
        let sales = engine.read(|tx| sales_between(tx, world.book(), at(from), at(to)));
        let total = sales.unwrap().total;
        (total.orders, total.sales, total.refunds)
    };
    assert_eq!(span(0, 1), (1, tokens(7), tokens(7)));
    assert_eq!(span(1, 2), (2, tokens(77), tokens(0)));
    assert_eq!(span(2, 9), (3, tokens(21), tokens(14)));
    assert_eq!(span(-9, 0), (0, tokens(0), tokens(0)));
    assert_eq!(span(0, 9), (6, tokens(105), tokens(21)));
    let all = engine.read(|tx| sales(tx, world.book())).unwrap();
    let whole = engine.read(|tx| sales_between(tx, world.book(), at(0), at(9)));
    assert_eq!(all, whole.unwrap());
}

/// MIC-05: the journal has every entry with its transfers, once.
fn the_journal_is_all_entries_newest_first(db: &TestDb) {
    let world = World::new(db);
    let other = world.beside("other-shop", "0");
    let (id, theirs) = (world.buyer(100), other.buyer(100));
    let pen = world.offer("pen", 60);
    let cup = other.offer("cup", 1);
    for _ in 0..3 {
        world.give(id, tokens(50), Origin::Free, None, Timestamp::NEVER);
        completed(world.place(id, &[want(pen, 1)]));
        completed(other.place(theirs, &[want(cup, 1)]));
    }
    let all = whole_journal(&world, 100);
    let codes: Vec<&str> = all.iter().map(|e| e.entry.code.as_str()).collect();
    let expected = [
        "order",
        "gift",
        "order",
        "gift",
        "order",
        "gift",
        "token_sale",
    ];
    assert_eq!(codes, expected);
    for JournalEntry { entry, transfers } in &all {
        let count = i64::try_from(transfers.len()).unwrap();
        assert_eq!(count, entry.transfers);
        assert_eq!(transfers[0].transfer_id, entry.entry_id);
        assert!(transfers.iter().all(|t| t.entry_id == entry.entry_id));
    }
    assert_eq!(all[4].transfers.len(), 2, "two lots paid");
    for limit in [1, 2, 3, 7] {
        assert_eq!(whole_journal(&world, limit), all, "pages of {limit}");
    }
    assert_eq!(whole_journal(&other, 2).len(), 4);
}

/// REG-06: staff find a customer by whatever names it exactly, and only in their own shop.
fn customers_are_listed_and_found(db: &TestDb) {
    let world = World::new(db);
    let details = Details {
        login: Some("grace".to_owned()),
        ..Details::default()
    };
    let named = world.register_with(details);
    let buyer = world.buyer(100);
    let third = world.register();
    for limit in [1, 2, 3, 10] {
        let all = all_pages(limit, |after| {
            let engine = &world.node.engine;
            engine.read(|tx| customers(tx, world.book(), after, limit))
        });
        let mut ids: Vec<_> = all.iter().map(|c| c.customer_id).collect();
        ids.sort();
        let mut expected = [named.customer_id, buyer, third.customer_id];
        expected.sort();
        assert_eq!(ids, expected);
        let active = all.iter().find(|c| c.customer_id == buyer).unwrap();
        assert_eq!(
            (active.state, active.activated_at),
            (State::Active, Some(world.now()))
        );
        let new = all.iter().find(|c| c.customer_id == third.customer_id);
        assert_eq!(
            (new.unwrap().state, new.unwrap().activated_at),
            (State::Inactive, None)
        );
        assert_eq!(new.unwrap().number, third.number);
    }
    let customer = world.customer(third.customer_id);
    world
        .write(move |tx| reference_set(tx, &customer, "C-77"))
        .unwrap();
    let pen = world.offer("pen", 7);
    let wanted = OrderRequest {
        reference: "invoice 7".to_owned(),
        ..request(buyer, &[want(pen, 1)])
    };
    let order = completed(world.place_as(Actor::System, &wanted).unwrap()).order_id;
    let found = |vendor: &World, typed: &str| -> Vec<CustomerId> {
        let node = &vendor.node;
        let found = node
            .engine
            .read(|tx| customers_find(tx, &node.vault, &vendor.vendor, typed));
        found.unwrap().iter().map(|c| c.customer_id).collect()
    };
    let number = third.number.to_string();
    let other = world.beside("other-shop", "0");
    for (typed, id) in [
        (number.as_str(), third.customer_id),
        (&number.replace('-', " "), third.customer_id),
        (" grace ", named.customer_id),
        ("C-77", third.customer_id),
        ("invoice 7", buyer),
        (&order.to_string(), buyer),
        (&buyer.to_string(), buyer),
    ] {
        assert_eq!(found(&world, typed), [id], "{typed:?}");
        assert_eq!(found(&other, typed), [], "{typed:?} elsewhere");
    }
    for nobody in [
        "",
        " ",
        "grac",
        "invoice",
        "ord_",
        &OrderId(buyer.0).to_string(),
    ] {
        assert_eq!(found(&world, nobody), [], "{nobody:?}");
    }
}
