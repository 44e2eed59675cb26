//! The quote, the purchase and its refusals.

use crate::support::{World, completed, plain_offer, refused, request, tokens, want};
use scrip_domain::catalog::{CatalogError, NewOffer, Tier};
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::order::{
    Change, Fit, OrderError, OrderOutcome, OrderRequest, Refusal, Wanted, order_reference_taken,
    quote, quote_with_fits,
};
use scrip_domain::vendor::TOKENS_AT_MOST;
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::Origin;
use scrip_testkit::TestDb;

both!(
    looking_debits_nothing,
    a_short_quote_tells_what_fits,
    an_order_of_all_tokens_leaves_none,
    a_shortage_is_named_and_nothing_is_debited,
    a_price_that_changed_is_refused,
    what_is_not_sold_is_refused,
    inactive_and_closed_accounts_buy_nothing,
    completed_and_refused_orders_are_stored,
    a_tenth_of_a_cent_buys_something,
    a_thousand_purchases_call_no_card_processor,
    restricted_tokens_pay_for_sales_only,
    soonest_expiring_tokens_are_spent_first,
    staff_enter_prices_and_earlier_times,
    references_of_orders_are_taken_once,
    awkward_orders,
);

/// SHP-12: a quote names products, kinds, tokens each, RT, AT and the new AT, and debits nothing.
fn looking_debits_nothing(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.stocked_offer("pen", 30, 5);
    for _ in 0..10 {
        let seen = world.quote(id, &[want(pen, 2)]);
        let line = &seen.lines[0];
        assert_eq!(
            (line.title.as_str(), line.kind.name()),
            ("The pen", "purchase")
        );
        assert_eq!((line.unit_price, line.amount), (tokens(30), tokens(60)));
        assert_eq!((seen.required, seen.available), (tokens(60), tokens(100)));
        assert_eq!(seen.remaining, tokens(40), "the new AT");
    }
    assert_eq!((world.balance(id), world.stock(pen)), (tokens(100), 5));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM orders WHERE book_id = $1"),
        0
    );
    let stranger = world.register().customer_id;
    let spied = world
        .node
        .engine
        .read(|tx| quote(tx, Actor::Customer(stranger), world.book(), id, &[], None));
    assert!(matches!(spied, Err(OrderError::Forbidden)));
}

/// SHP-14: what is short can be left out or taken smaller; a price that was entered for a tier
/// holds for that tier alone.
fn a_short_quote_tells_what_fits(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 30);
    let tier = |up_to, price| Tier {
        up_to,
        price: tokens(price),
    };
    let scans = world.offer_of(NewOffer {
        tiers: vec![tier(100, 10), tier(1_000, 80)],
        ..plain_offer("scans", tokens(0))
    });
    let fits = |lines: &[Wanted]| {
        let quoted = world
            .node
            .engine
            .read(|tx| quote_with_fits(tx, Actor::System, world.book(), id, lines, None));
        let single = quoted.unwrap().1.single;
        let change = |fit: Fit| (fit.offer_id, fit.change, fit.remaining);
        single.into_iter().map(change).collect::<Vec<_>>()
    };
    let take = |quantity| Change::Take {
        quantity,
        granted: quantity,
    };
    assert_eq!(fits(&[want(pen, 3)]), [], "it fits as it is");
    let all = fits(&[want(pen, 1), want(scans, 500)]);
    let expected = [
        (pen, Change::LeaveOut, tokens(20)),
        (scans, take(100), tokens(60)),
        (scans, Change::LeaveOut, tokens(70)),
    ];
    assert_eq!(all, expected);
    let entered = Wanted {
        entered: Some(tokens(90)),
        ..want(scans, 500)
    };
    let expected = [
        (pen, Change::LeaveOut, tokens(10)),
        (scans, Change::LeaveOut, tokens(70)),
    ];
    assert_eq!(fits(&[want(pen, 1), entered]), expected);
    let cheap = Wanted {
        entered: Some(tokens(40)),
        ..want(pen, 3)
    };
    assert_eq!(
        fits(&[cheap]),
        [(pen, take(2), tokens(20))],
        "at its own price"
    );
    for (lines, many) in [(vec![], 0), (vec![want(pen, 1); 10_001], 10_001)] {
        let refused = world
            .node
            .engine
            .read(|tx| quote_with_fits(tx, Actor::System, world.book(), id, &lines, None));
        match refused {
            Err(OrderError::Empty) => assert_eq!(many, 0),
            Err(OrderError::TooManyLines { lines, .. }) => assert_eq!(lines, many),
            other => panic!("{other:?}"),
        }
    }
}

/// SHP-13: AT = RT succeeds and leaves 0; the debit, the order and its lines are one.
fn an_order_of_all_tokens_leaves_none(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let (pen, cup) = (world.offer("pen", 30), world.offer("cup", 10));
    let receipt = completed(world.place(id, &[want(pen, 3), want(cup, 1)]));
    assert_eq!((receipt.total, receipt.remaining), (tokens(100), tokens(0)));
    assert_eq!(world.balance(id), tokens(0));
    let order =
        &world.rows("SELECT state, total, lines, entry_id FROM orders WHERE book_id = $1")[0];
    assert_eq!(order.text(0).unwrap(), "completed");
    assert_eq!(order.int(1).unwrap(), tokens(100).units());
    assert!(order.opt_int(3).unwrap().is_some(), "its entry");
    let sold = world
        .rows("SELECT sku, quantity, amount FROM order_line WHERE book_id = $1 ORDER BY line_no");
    assert_eq!(
        (sold[0].text(0).unwrap(), sold[0].int(1).unwrap()),
        ("pen", 3)
    );
    assert_eq!(sold[1].int(2).unwrap(), tokens(10).units());
    assert_eq!(
        world.messages("order.completed", &receipt.order_id.to_string()),
        1
    );
    // With nothing left something free can still be had.
    let leaflet = world.offer("leaflet", 0);
    let free = completed(world.place(id, &[want(leaflet, 2)]));
    assert_eq!(free.total, Amount::ZERO);
}

/// SHP-14: RT above AT: the shortfall is RT - AT, and nothing is debited.
fn a_shortage_is_named_and_nothing_is_debited(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.stocked_offer("pen", 30, 50);
    let short = refused(world.place(id, &[want(pen, 5)]));
    assert_eq!(
        short,
        Refusal::Shortage {
            required: tokens(150),
            available: tokens(100),
            short: tokens(50)
        }
    );
    assert_eq!((world.balance(id), world.stock(pen)), (tokens(100), 50));
    world.buy(id, tokens(50), "test_ok").unwrap();
    completed(world.place(id, &[want(pen, 5)]));
    // Expired tokens are not available.
    let soon = world.now().plus_seconds(10);
    world.give(id, tokens(60), Origin::Free, None, soon);
    assert_eq!(world.quote(id, &[]).available, tokens(60));
    world.clock.advance_seconds(10);
    assert_eq!(world.quote(id, &[]).available, tokens(0));
    let short = refused(world.place(id, &[want(pen, 1)]));
    let is_all = |r| matches!(r, Refusal::Shortage { short, .. } if short == tokens(30));
    assert!(is_all(short));
}

/// SHP-13: prices are checked again: another than the one shown is refused.
fn a_price_that_changed_is_refused(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 30);
    let shown = Wanted {
        quoted: Some(tokens(30)),
        ..want(pen, 2)
    };
    world.offer("pen", 20);
    let changed = refused(world.place(id, &[shown]));
    assert_eq!(
        changed,
        Refusal::PriceChanged {
            title: "The pen".to_owned(),
            quoted: tokens(30),
            now: tokens(20)
        }
    );
    assert_eq!(
        world.balance(id),
        tokens(100),
        "cheaper, but not what was confirmed"
    );
    let again = Wanted {
        quoted: Some(tokens(20)),
        ..want(pen, 2)
    };
    assert_eq!(completed(world.place(id, &[again])).total, tokens(40));
}

fn what_is_not_sold_is_refused(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 30);
    world.offer_of(NewOffer {
        active: false,
        ..plain_offer("pen", tokens(30))
    });
    let gone = refused(world.place(id, &[want(pen, 1)]));
    let title = "The pen".to_owned();
    assert_eq!(gone, Refusal::NotForSale { title });
    let unknown = OfferId(id.0);
    let order = world.place_as(Actor::System, &request(id, &[want(unknown, 1)]));
    let is_unknown = |e| matches!(e, OrderError::Catalog(CatalogError::OfferUnknown(_)));
    assert!(is_unknown(order.unwrap_err()));
    assert_eq!(world.balance(id), tokens(100));
}

/// REG-02: before the payment is confirmed nothing can be bought.
fn inactive_and_closed_accounts_buy_nothing(db: &TestDb) {
    let world = World::new(db);
    let pen = world.offer("pen", 30);
    let told = world.register();
    world.buy(told.customer_id, tokens(49), "test_ok").unwrap();
    let inactive = refused(world.place(told.customer_id, &[want(pen, 1)]));
    let number = told.number;
    assert_eq!(inactive, Refusal::Inactive { number });
    assert_eq!(world.balance(told.customer_id), tokens(49));
    let nobody = CustomerId(pen.0);
    let order = world.place_as(Actor::System, &request(nobody, &[want(pen, 1)]));
    assert!(matches!(order, Err(OrderError::Customer(_))));
    let other = world.register().customer_id;
    let theirs = world.place_as(
        Actor::Customer(other),
        &request(told.customer_id, &[want(pen, 1)]),
    );
    assert!(matches!(theirs, Err(OrderError::Forbidden)));
}

/// SHP-19: approved and declined purchases are both stored with their lines, and the buyer is
/// told which it was.
fn completed_and_refused_orders_are_stored(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(50);
    let pen = world.offer("pen", 30);
    let OrderOutcome::Completed(receipt) = world.place(id, &[want(pen, 1)]) else {
        panic!("told of a refusal");
    };
    let OrderOutcome::Refused { order_id, refusal } = world.place(id, &[want(pen, 1)]) else {
        panic!("told of a purchase");
    };
    assert!(refusal.to_string().contains("more tokens"), "in words");
    let stored = |wanted: scrip_domain::id::OrderId| {
        let rows = world.rows(
            "SELECT o.order_id, o.state, o.reason, o.entry_id, l.sku FROM orders o
             JOIN order_line l ON l.book_id = o.book_id AND l.order_id = o.order_id
             WHERE o.book_id = $1",
        );
        let row = rows.iter().find(|r| r.uuid(0).unwrap() == wanted.0);
        let row = row.expect("the order is stored");
        assert_eq!(row.text(4).unwrap(), "pen", "with its lines");
        let state = row.text(1).unwrap().to_owned();
        let reason = row.opt_text(2).unwrap().map(str::to_owned);
        (state, reason, row.opt_int(3).unwrap().is_some())
    };
    assert_eq!(
        stored(receipt.order_id),
        ("completed".to_owned(), None, true)
    );
    let reason = Some("shortage".to_owned());
    assert_eq!(stored(order_id), ("refused".to_owned(), reason, false));
}

/// MIC-02: a token worth 0.1 cent buys an item of one token.
fn a_tenth_of_a_cent_buys_something(db: &TestDb) {
    let world = World::with(db, "0.001", "10");
    let id = world.buyer(10);
    let article = world.offer("article", 1);
    let receipt = completed(world.place(id, &[want(article, 1)]));
    assert_eq!((receipt.total, receipt.remaining), (tokens(1), tokens(9)));
    let word = world.offer_of(plain_offer("word", Amount::from_units(1)));
    completed(world.place(id, &[want(word, 3)]));
    assert_eq!(world.balance(id), Amount::from_units(8_999_997));
}

/// MIC-04: a thousand purchases ask no card processor.
fn a_thousand_purchases_call_no_card_processor(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let article = world.offer("article", 1);
    let calls = world.cards.calls();
    for _ in 0..1_000 {
        completed(world.place(id, &[want(article, 1)]));
    }
    assert_eq!(world.cards.calls(), calls);
    assert_eq!(world.balance(id), tokens(0));
}

/// TOK-05: restricted tokens pay for products on sale and for nothing else.
fn restricted_tokens_pay_for_sales_only(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    world.give(id, tokens(50), Origin::Paid, Some("sale"), Timestamp::NEVER);
    let plain = world.offer("plain", 10);
    let sale = world.offer_of(NewOffer {
        on_sale: true,
        ..plain_offer("sale", tokens(10))
    });
    let no = refused(world.place(id, &[want(plain, 1)]));
    let (required, available) = (tokens(10), tokens(50));
    assert_eq!(
        no,
        Refusal::Restricted {
            required,
            available
        }
    );
    assert_eq!(world.balance(id), tokens(50));
    completed(world.place(id, &[want(sale, 1)]));
    // A mixed order takes each kind of token where it is good for something.
    let tomorrow = world.now().plus_seconds(crate::support::DAY_S);
    world.give(id, tokens(40), Origin::Paid, None, tomorrow);
    completed(world.place(id, &[want(sale, 4), want(plain, 4)]));
    assert_eq!(world.balance(id), tokens(0));
}

/// TOK-07: the tokens that expire soonest are spent first, unless that would make the order fail.
fn soonest_expiring_tokens_are_spent_first(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let day = |n: i64| world.now().plus_seconds(n * crate::support::DAY_S);
    let late = world.give(id, tokens(20), Origin::Free, None, day(9));
    let soon = world.give(id, tokens(20), Origin::Paid, None, day(1));
    let never = world.give(id, tokens(20), Origin::Free, None, Timestamp::NEVER);
    let pen = world.offer("pen", 30);
    completed(world.place(id, &[want(pen, 1)]));
    let mut left: Vec<(i64, i64)> = world
        .rows("SELECT grant_id, remaining FROM lot WHERE book_id = $1")
        .iter()
        .map(|r| (r.int(0).unwrap(), r.int(1).unwrap() / 1_000_000))
        .collect();
    left.sort_unstable();
    let mut expected = vec![(late, 10), (never, 20)];
    expected.sort_unstable();
    assert_eq!(left, expected, "and nothing of {soon}");
    world.clock.advance_seconds(9 * crate::support::DAY_S);
    let available = world.quote(id, &[]).available;
    assert_eq!(
        available,
        tokens(20),
        "AT has dropped by exactly the remainder"
    );
}

fn staff_enter_prices_and_earlier_times(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 30);
    let staff = Actor::Staff(world.staff("Ada"));
    let before = world.now();
    world.clock.advance_seconds(60);
    let entered = Wanted {
        entered: Some(tokens(7)),
        ..want(pen, 2)
    };
    let at = |time: Timestamp| OrderRequest {
        effective_at: Some(time.0),
        ..request(id, &[entered])
    };
    let own = world.place_as(Actor::Customer(id), &request(id, &[entered]));
    assert!(matches!(own, Err(OrderError::StaffOnly)));
    let earlier = OrderRequest {
        effective_at: Some(before.0),
        ..request(id, &[want(pen, 1)])
    };
    let own = world.place_as(Actor::Customer(id), &earlier);
    assert!(matches!(own, Err(OrderError::StaffOnly)));
    for actor in [staff, Actor::Customer(id)] {
        let ahead = world.place_as(actor, &at(world.now().plus_seconds(1)));
        assert!(matches!(ahead, Err(OrderError::InFuture)));
    }
    let receipt = completed(world.place_as(staff, &at(before)).unwrap());
    assert_eq!(receipt.total, tokens(14));
    let times = &world.rows(
        "SELECT o.effective_at, o.recorded_at, e.effective_at FROM orders o
         JOIN entry e ON e.book_id = o.book_id AND e.entry_id = o.entry_id
         WHERE o.book_id = $1",
    )[0];
    let times: Vec<i64> = (0..3).map(|i| times.int(i).unwrap()).collect();
    assert_eq!(times, [before.0, world.now().0, before.0]);
    let negative = Wanted {
        entered: Some(tokens(-1)),
        ..want(pen, 1)
    };
    let order = world.place_as(staff, &request(id, &[negative]));
    assert!(matches!(order, Err(OrderError::Ledger(_))));
    assert_eq!(world.balance(id), tokens(86));
}

fn references_of_orders_are_taken_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let pen = world.offer("pen", 60);
    let invoice = OrderRequest {
        reference: " 536365 ".to_owned(),
        ..request(id, &[want(pen, 1)])
    };
    let dear = OrderRequest {
        lines: vec![want(pen, 9)],
        ..invoice.clone()
    };
    refused(world.place_as(Actor::System, &dear).unwrap());
    completed(world.place_as(Actor::System, &invoice).unwrap());
    let again = world.place_as(Actor::System, &invoice);
    assert!(matches!(again, Err(OrderError::ReferenceTaken(r)) if r == "536365"));
    let taken = |book: i64| {
        let taken = world
            .node
            .engine
            .read(|tx| order_reference_taken(tx, book, "536365"));
        taken.unwrap()
    };
    assert!(taken(world.book()));
    assert!(!taken(world.other_vendor("other-shop").book_id));
    assert_eq!(world.balance(id), tokens(40));
}

fn awkward_orders(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let dear = world.offer_of(plain_offer("dear", Amount::from_units(i64::MAX)));
    let pen = world.offer("pen", 1);
    let place = |lines: &[Wanted]| world.place_as(Actor::System, &request(id, lines));
    assert!(matches!(place(&[]), Err(OrderError::Empty)));
    let many = vec![want(pen, 1); 10_001];
    assert!(matches!(place(&many), Err(OrderError::TooManyLines { .. })));
    for too_much in [vec![want(dear, 2)], vec![want(dear, 1), want(pen, 1)]] {
        let order = place(&too_much);
        assert!(order.unwrap_err().to_string().contains("too large"));
    }
    assert!(matches!(place(&[want(dear, 1)]), Err(OrderError::TooLarge)));
    let largest = world.offer_of(plain_offer("largest", TOKENS_AT_MOST));
    let short = refused(place(&[want(largest, 1)]).unwrap());
    assert!(matches!(short, Refusal::Shortage { .. }));
    for quantity in [0, -1, 1_000_000_001, i64::MAX, i64::MIN] {
        assert!(matches!(
            place(&[want(pen, quantity)]),
            Err(OrderError::Catalog(_))
        ));
    }
    let long = OrderRequest {
        reference: "r".repeat(10_000),
        ..request(id, &[want(pen, 1)])
    };
    let order = world.place_as(Actor::System, &long);
    assert!(matches!(order, Err(OrderError::Text(_))));
    let all = completed(place(&vec![want(pen, 1); 100]).unwrap());
    assert_eq!(all.lines.len(), 100);
    assert_eq!(world.balance(id), tokens(0));
}
