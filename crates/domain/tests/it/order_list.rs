//! The order list: lines, ticks, what can no longer be ordered, what makes a short order fit.

use crate::support::{World, completed, plain_offer, refused, request, tokens, want};
use scrip_domain::catalog::{CatalogError, NewOffer, NewProduct, Tier, offer_put, product_put};
use scrip_domain::closing::customer_close;
use scrip_domain::customer::{CustomerError, State};
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::order::{
    Change, LIST_AT_MOST, OrderError, OrderList, OrderRequest, Refusal, fits, order_list,
    order_list_clear, order_list_select, order_list_set, order_place,
};
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;

both!(
    required_available_and_remaining_follow_each_tick,
    the_list_is_set_quoted_and_emptied,
    lines_say_what_a_page_shows,
    a_tier_is_chosen_and_granted_whole,
    what_cannot_be_ordered_stays_and_is_not_counted,
    more_than_any_order_is_still_a_list,
    a_list_has_an_end,
    only_active_accounts_have_lists_and_closed_ones_do_not_change_theirs,
    what_was_bought_leaves_the_list,
    a_shortage_comes_with_changes_that_fit,
    what_was_shown_is_what_is_granted,
);

fn list_set(
    world: &World,
    actor: Actor,
    id: CustomerId,
    offer: OfferId,
    quantity: i64,
) -> Result<(), OrderError> {
    let book = world.book();
    world.write(move |tx| order_list_set(tx, actor, book, id, offer, quantity))
}

/// Puts an offer on one's own list, a second after what is there.
fn put(world: &World, id: CustomerId, offer: OfferId, quantity: i64) {
    world.clock.advance_seconds(1);
    list_set(world, Actor::Customer(id), id, offer, quantity).unwrap();
}

fn select(
    world: &World,
    actor: Actor,
    id: CustomerId,
    offer: OfferId,
    selected: bool,
) -> Result<(), OrderError> {
    let book = world.book();
    world.write(move |tx| order_list_select(tx, actor, book, id, offer, selected))
}

fn tick(world: &World, id: CustomerId, offer: OfferId, selected: bool) {
    select(world, Actor::Customer(id), id, offer, selected).unwrap();
}

fn list(world: &World, id: CustomerId) -> OrderList {
    let list = world
        .node
        .engine
        .read(|tx| order_list(tx, Actor::Customer(id), world.book(), id));
    list.unwrap()
}

/// RT, AT, AT - RT.
fn figures(world: &World, id: CustomerId) -> [Amount; 3] {
    let quote = list(world, id).quote;
    [quote.required, quote.available, quote.remaining]
}

fn tiers(tiers: &[(i64, i64)]) -> Vec<Tier> {
    let tier = |(up_to, price): &(i64, i64)| Tier {
        up_to: *up_to,
        price: tokens(*price),
    };
    tiers.iter().map(tier).collect()
}

fn tiered(world: &World, sku: &str, of: &[(i64, i64)]) -> OfferId {
    world.offer_of(NewOffer {
        tiers: tiers(of),
        ..plain_offer(sku, tokens(0))
    })
}

/// SHP-11: A (100) and D (80) on AT 500: 180, 500, 320; untick D: 100, 500, 400. SHP-07: unticked
/// it stays on the list, and the second click restores what was.
fn required_available_and_remaining_follow_each_tick(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let (a, d) = (world.offer("A", 100), world.offer("D", 80));
    put(&world, id, a, 1);
    put(&world, id, d, 1);
    assert_eq!(figures(&world, id), [180, 500, 320].map(tokens));
    tick(&world, id, d, false);
    assert_eq!(figures(&world, id), [100, 500, 400].map(tokens));
    let seen = list(&world, id);
    let lines: Vec<_> = seen
        .lines
        .iter()
        .map(|l| (l.line.sku.as_str(), l.selected, l.line.amount))
        .collect();
    assert_eq!(lines, [("A", true, tokens(100)), ("D", false, tokens(80))]);
    assert_eq!(seen.quote.lines.len(), 1, "D is not in the order");
    assert!(seen.active, "AT is shown");
    tick(&world, id, d, false);
    assert_eq!(figures(&world, id), [100, 500, 400].map(tokens));
    tick(&world, id, d, true);
    assert_eq!(figures(&world, id), [180, 500, 320].map(tokens));
    tick(&world, id, a, false);
    put(&world, id, a, 6);
    assert_eq!(
        figures(&world, id),
        [680, 500, -180].map(tokens),
        "set is ticked"
    );
    assert_eq!(list(&world, id).quote.shortage(), Some(tokens(180)));
    assert_eq!(world.balance(id), tokens(500), "nothing is debited");
}

fn the_list_is_set_quoted_and_emptied(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let own = Actor::Customer(id);
    let (pen, cup) = (world.offer("pen", 30), world.offer("cup", 10));
    assert_eq!(list(&world, id).lines, []);
    put(&world, id, pen, 2);
    put(&world, id, cup, 1);
    put(&world, id, pen, 3);
    let shown: Vec<_> = list(&world, id)
        .lines
        .into_iter()
        .map(|l| (l.line.sku, l.line.quantity))
        .collect();
    assert_eq!(shown, [("pen".to_owned(), 3), ("cup".to_owned(), 1)]);
    let invalid = list_set(&world, own, id, pen, -1);
    let is_invalid = |e| matches!(e, OrderError::Catalog(CatalogError::QuantityInvalid { .. }));
    assert!(is_invalid(invalid.unwrap_err()));
    let unknown = list_set(&world, own, id, OfferId(id.0), 1);
    assert!(matches!(
        unknown,
        Err(OrderError::Catalog(CatalogError::OfferUnknown(_)))
    ));
    let stranger = Actor::Customer(world.register().customer_id);
    let book = world.book();
    let meddling = [
        list_set(&world, stranger, id, pen, 1),
        list_set(&world, stranger, id, pen, 0),
        select(&world, stranger, id, pen, false),
        world.write(move |tx| order_list_clear(tx, stranger, book, id, &[pen])),
    ];
    for outcome in meddling {
        assert!(matches!(outcome, Err(OrderError::Forbidden)));
    }
    let spied = world
        .node
        .engine
        .read(|tx| order_list(tx, stranger, book, id));
    assert!(matches!(spied, Err(OrderError::Forbidden)));
    assert_eq!(figures(&world, id), [100, 100, 0].map(tokens));
    list_set(&world, Actor::System, id, pen, 0).unwrap();
    list_set(&world, own, id, pen, 0).unwrap();
    for selected in [true, false] {
        let gone = select(&world, own, id, pen, selected);
        assert!(matches!(gone, Err(OrderError::NotOnList(offer)) if offer == pen));
    }
    list_set(&world, own, id, cup, 0).unwrap();
    assert_eq!(list(&world, id).lines, []);
    assert_eq!(list(&world, id).quote.required, tokens(0));
}

/// SHP-10: a line has its cost, its tiers and the way to the details; SHP-09: its stock and what
/// is downloaded.
fn lines_say_what_a_page_shows(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let vendor = world.vendor.clone();
    let stamps = tiers(&[(100, 10), (1_000, 80)]);
    let offer = NewOffer {
        variant: "Large".to_owned(),
        stock: Some(5_000),
        tiers: stamps.clone(),
        ..plain_offer("stamps-l", tokens(0))
    };
    let entered = world.write(move |tx| {
        let product = NewProduct {
            handle: "stamps".to_owned(),
            title: "Stamps".to_owned(),
            download_kb: 2_500,
            ..NewProduct::default()
        };
        let (product, _) = product_put(tx, &vendor, &product)?;
        offer_put(tx, &vendor, product, &offer)
    });
    let (offer, _) = entered.unwrap();
    let plain = world.offer("pen", 3);
    put(&world, id, offer, 100);
    put(&world, id, plain, 2);
    let lines = list(&world, id).lines;
    let [large, pen] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(
        (large.handle.as_str(), large.download_kb),
        ("stamps", 2_500)
    );
    assert_eq!(large.line.title, "Stamps, Large");
    assert_eq!((large.on_hand, &large.tiers), (Some(5_000), &stamps));
    assert_eq!((pen.handle.as_str(), pen.download_kb), ("pen", 0));
    assert_eq!((pen.on_hand, &pen.tiers), (None, &Vec::new()));
    assert_eq!(
        (pen.line.unit_price, pen.line.amount),
        (tokens(3), tokens(6))
    );
    for line in [large, pen] {
        assert!(line.active && line.selected && line.problem.is_none());
    }
}

/// SHP-10: tiers 1-100, 101-1,000, 1,001-10,000 at 10, 80, 600 tokens; the middle tier grants
/// 1,000, on the list as in the order.
fn a_tier_is_chosen_and_granted_whole(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let offer = tiered(&world, "stamps", &[(100, 10), (1_000, 80), (10_000, 600)]);
    for (quantity, price, granted) in [(100, 10, 100), (10_000, 600, 10_000), (500, 80, 1_000)] {
        put(&world, id, offer, quantity);
        let seen = list(&world, id);
        let line = &seen.lines[0].line;
        assert_eq!((line.quantity, line.granted), (quantity, granted));
        assert_eq!(
            (line.amount, seen.quote.required),
            (tokens(price), tokens(price))
        );
    }
    let receipt = completed(world.place(id, &list(&world, id).wanted()));
    assert_eq!(
        (receipt.total, receipt.lines[0].granted),
        (tokens(80), 1_000)
    );
}

/// SHP-10: what was put on and cannot be ordered now is shown with the reason; the rest of the
/// list is as good as before.
fn what_cannot_be_ordered_stays_and_is_not_counted(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let stamps = tiered(&world, "stamps", &[(100, 10), (1_000, 80)]);
    let (pen, cup) = (world.offer("pen", 30), world.offer("cup", 7));
    put(&world, id, stamps, 1_000);
    put(&world, id, pen, 2);
    put(&world, id, cup, 1);
    assert_eq!(figures(&world, id), [147, 500, 353].map(tokens));
    tiered(&world, "stamps", &[(100, 10), (500, 50)]);
    world.offer_of(NewOffer {
        active: false,
        ..plain_offer("pen", tokens(30))
    });
    assert_eq!(figures(&world, id), [7, 500, 493].map(tokens));
    let seen = list(&world, id);
    let [large, old, sold] = &seen.lines[..] else {
        panic!("{seen:?}");
    };
    let problem = large.problem.as_deref().unwrap();
    assert!(problem.contains("take 1 to 500"), "{problem}");
    assert!(large.active && large.selected && !large.is_counted());
    assert_eq!((large.line.quantity, large.line.granted), (1_000, 0));
    assert_eq!((large.line.amount, large.tiers.len()), (Amount::ZERO, 2));
    let problem = old.problem.as_deref().unwrap();
    assert!(problem.contains("not sold any more"), "{problem}");
    assert!(!old.active && !old.is_counted());
    assert_eq!(old.line.amount, tokens(60), "what it was");
    assert!(sold.is_counted());
    // What is counted can be ordered; what is not can be put right.
    assert_eq!(completed(world.place(id, &seen.wanted())).total, tokens(7));
    put(&world, id, stamps, 500);
    put(&world, id, pen, 0);
    assert_eq!(figures(&world, id), [57, 493, 436].map(tokens));
}

/// Amounts that no order may have make no list unusable.
fn more_than_any_order_is_still_a_list(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(100);
    let offers = [("gold", 1), ("land", 900_000_000), ("pen", 30)];
    let [gold, land, pen] = offers.map(|(sku, price)| world.offer(sku, price));
    let own = Actor::Customer(id);
    put(&world, id, gold, 1_000_000_000);
    put(&world, id, pen, 1);
    assert!(fits(&list(&world, id)).single.len() > 1);
    for (price, part) in [(9_000_000_000, "large"), (2, "split it")] {
        world.offer("gold", price);
        let seen = list(&world, id);
        let problem = seen.lines[0].problem.as_deref().unwrap();
        assert!(problem.contains(part), "{problem}");
        assert_eq!(seen.quote.required, tokens(30), "only the pen counts");
        let again = list_set(&world, own, id, gold, 1_000_000_000);
        assert!(again.unwrap_err().to_string().contains(part));
    }
    put(&world, id, gold, 0);
    let estate = world.offer("estate", 900_000_000);
    put(&world, id, land, 1);
    put(&world, id, estate, 1);
    let seen = list(&world, id);
    assert_eq!(seen.quote.required, tokens(1_800_000_030));
    let placed = world.place_as(Actor::Customer(id), &request(id, &seen.wanted()));
    assert!(matches!(placed, Err(OrderError::TooLarge)));
    tick(&world, id, land, false);
    tick(&world, id, estate, false);
    completed(world.place(id, &list(&world, id).wanted()));
}

fn a_list_has_an_end(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let (vendor, book) = (world.vendor.clone(), world.book());
    let filled = world.write(move |tx| {
        let product = NewProduct {
            handle: "all".to_owned(),
            title: "All".to_owned(),
            ..NewProduct::default()
        };
        let (product, _) = product_put(tx, &vendor, &product)?;
        let mut offers = Vec::new();
        for n in 0..=LIST_AT_MOST {
            // Tiers on every second one: they are read a hundred at once.
            let offer = NewOffer {
                tiers: if n % 2 == 0 {
                    tiers(&[(5, 1)])
                } else {
                    Vec::new()
                },
                ..plain_offer(&format!("sku-{n}"), tokens(1))
            };
            offers.push(offer_put(tx, &vendor, product, &offer)?.0);
        }
        for offer in &offers[..LIST_AT_MOST] {
            order_list_set(tx, Actor::System, book, id, *offer, 1)?;
        }
        Ok::<_, OrderError>(offers)
    });
    let offers = filled.unwrap();
    let seen = list(&world, id);
    assert_eq!((seen.lines.len(), seen.quote.required), (200, tokens(200)));
    let read_right = |l: &&scrip_domain::order::ListLine| l.line.granted == 5;
    assert_eq!(seen.lines.iter().filter(read_right).count(), 100);
    let own = Actor::Customer(id);
    let full = list_set(&world, own, id, offers[LIST_AT_MOST], 1).unwrap_err();
    assert!(matches!(full, OrderError::ListFull { most: 200 }));
    assert!(full.to_string().contains("at most 200 lines"));
    list_set(&world, own, id, offers[1], 3).unwrap();
    assert_eq!(
        figures(&world, id)[0],
        tokens(202),
        "what is there can change"
    );
    list_set(&world, own, id, offers[0], 0).unwrap();
    list_set(&world, own, id, offers[LIST_AT_MOST], 1).unwrap();
    assert_eq!(list(&world, id).lines.len(), 200);
}

/// SHP-04, SHP-11: the list and AT are for active accounts only.
fn only_active_accounts_have_lists_and_closed_ones_do_not_change_theirs(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let pen = world.offer("pen", 30);
    assert_eq!(world.state(id), State::Inactive);
    let closed = list_set(&world, Actor::Customer(id), id, pen, 2).unwrap_err();
    assert!(matches!(
        closed,
        OrderError::NotYet(Refusal::Inactive { .. })
    ));
    assert!(!list(&world, id).active && list(&world, id).lines.is_empty());
    let out = refused(world.place(id, &[want(pen, 2)]));
    assert!(matches!(out, Refusal::Inactive { .. }));
    world.buy(id, tokens(90), "test_ok").unwrap();
    put(&world, id, pen, 2);
    let seen = list(&world, id);
    assert!(seen.active);
    completed(world.place(id, &seen.wanted()));
    completed(world.place(id, &[want(pen, 1)]));

    let customer = world.customer(id);
    world
        .write(move |tx| customer_close(tx, Actor::System, &customer))
        .unwrap();
    let (own, book) = (Actor::Customer(id), world.book());
    let closed = [
        list_set(&world, own, id, pen, 1),
        list_set(&world, Actor::System, id, pen, 0),
        select(&world, own, id, pen, false),
        world.write(move |tx| order_list_clear(tx, own, book, id, &[pen])),
    ];
    for outcome in closed {
        let closed = OrderError::Customer(CustomerError::Closed(world.customer(id).number));
        assert_eq!(outcome.unwrap_err().to_string(), closed.to_string());
    }
    let seen = list(&world, id);
    assert_eq!((seen.lines.len(), seen.active), (1, false), "as it was");
}

/// SHP-13: the order and the list change together; what was left unticked stays.
fn what_was_bought_leaves_the_list(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let offers = ["A", "B", "C"].map(|sku| world.offer(sku, 10));
    for offer in offers {
        put(&world, id, offer, 1);
    }
    tick(&world, id, offers[1], false);
    let lines = list(&world, id).wanted();
    let (book, own) = (world.book(), Actor::Customer(id));
    let order: OrderRequest = request(id, &lines);
    let outcome = world.write(move |tx| {
        let outcome = order_place(tx, own, book, &order)?;
        let bought: Vec<OfferId> = order.lines.iter().map(|l| l.offer_id).collect();
        order_list_clear(tx, own, book, id, &bought)?;
        Ok::<_, OrderError>(outcome)
    });
    assert_eq!(completed(outcome.unwrap()).total, tokens(20));
    let left: Vec<_> = list(&world, id)
        .lines
        .into_iter()
        .map(|l| (l.line.offer_id, l.selected))
        .collect();
    assert_eq!(left, [(offers[1], false)]);
    world
        .write(move |tx| order_list_clear(tx, own, book, id, &[]))
        .unwrap();
    assert_eq!(list(&world, id).lines.len(), 1);
}

/// SHP-14: each suggested change, carried out, makes the order go through.
fn a_shortage_comes_with_changes_that_fit(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let stamps = tiered(&world, "stamps", &[(100, 100), (1_000, 300), (9_000, 450)]);
    let (pen, cup) = (world.offer("pen", 40), world.offer("cup", 25));
    put(&world, id, stamps, 9_000);
    put(&world, id, pen, 4);
    put(&world, id, cup, 1);
    let short = list(&world, id);
    assert_eq!(short.quote.shortage(), Some(tokens(135)));
    let out = refused(world.place(id, &short.wanted()));
    assert!(matches!(out, Refusal::Shortage { short, .. } if short == tokens(135)));
    let found = fits(&short);
    assert_eq!(found.together, []);
    let shown: Vec<_> = found
        .single
        .iter()
        .map(|f| (f.offer_id, f.change, f.saves, f.remaining))
        .collect();
    let take = |n| Change::Take {
        quantity: n,
        granted: n,
    };
    let expected = [
        (stamps, take(1_000), tokens(150), tokens(15)),
        (pen, Change::LeaveOut, tokens(160), tokens(25)),
        (stamps, Change::LeaveOut, tokens(450), tokens(315)),
    ];
    assert_eq!(shown, expected);
    for fit in found.single {
        match fit.change {
            Change::LeaveOut => tick(&world, id, fit.offer_id, false),
            Change::Take { quantity, .. } => put(&world, id, fit.offer_id, quantity),
        }
        let now = list(&world, id);
        assert_eq!(now.quote.remaining, fit.remaining);
        assert_eq!(fits(&now), Default::default(), "nothing is short");
        put(&world, id, stamps, 9_000);
        tick(&world, id, pen, true);
    }
    assert_eq!(world.balance(id), tokens(500));
}

/// SHP-12, SHP-13: what is confirmed is what was shown. A tier that has become smaller at the
/// same price does not go through in silence.
fn what_was_shown_is_what_is_granted(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let stamps = tiered(&world, "stamps", &[(100, 10), (1_000, 80)]);
    put(&world, id, stamps, 40);
    let shown = list(&world, id);
    assert_eq!(shown.quote.lines[0].granted, 100);
    // 40 are still had for 10 tokens, but they would grant 50 now.
    tiered(&world, "stamps", &[(50, 10), (1_000, 80)]);
    let out = refused(world.place(id, &shown.wanted()));
    let changed = Refusal::PriceChanged {
        title: "The stamps".to_owned(),
        quoted: tokens(10),
        now: tokens(80),
    };
    assert_eq!(out, changed);
    tiered(&world, "stamps", &[(50, 10)]);
    let order = world.place_as(Actor::Customer(id), &request(id, &shown.wanted()));
    let error = order.unwrap_err().to_string();
    assert!(error.contains("take 1 to 50"), "{error}");
    assert_eq!(world.balance(id), tokens(500), "nothing debited");
    // A tier that has become larger grants more than was shown for the same price.
    tiered(&world, "stamps", &[(200, 10)]);
    let receipt = completed(world.place(id, &shown.wanted()));
    assert_eq!((receipt.total, receipt.lines[0].granted), (tokens(10), 200));
    // And the list shows what it is now.
    let line = &list(&world, id).lines[0].line;
    assert_eq!((line.quantity, line.granted), (40, 200));
    let at_today = completed(world.place(id, &[want(stamps, 40)]));
    assert_eq!(at_today.total, tokens(10));
}
