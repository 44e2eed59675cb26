//! Promotions and coupons: dates, products, limits, and what is kept of them (ADV-06).

mod coupons;

use crate::support::{DAY_S, World, completed, plain_offer, refused, request, tokens, want};
use scrip_domain::audit::{Filter, trail};
use scrip_domain::catalog::{NewOffer, NewProduct, Tier, offer_put, product_put};
use scrip_domain::customer::{Standing, standing, standing_set};
use scrip_domain::id::{CustomerId, OfferId, PromotionId};
use scrip_domain::order::{
    OrderOutcome, RefundLines, RefundRequest, Refusal, Wanted, order_by_id, order_list,
    order_list_set, order_refund, quote_with_fits,
};
use scrip_domain::policy::{policy_set, policy_version};
use scrip_domain::promotion::{
    CouponTerms, Cut, NewPromotion, Promotion, PromotionError, Scope, State, Terms,
    promotion_by_id, promotion_preview, promotion_put, promotion_stop, promotions, scope_in_words,
    scope_read,
};
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;

both!(
    a_promotion_holds_between_its_dates,
    only_its_products_get_cheaper,
    the_best_single_price_or_all_together,
    tiers_are_reduced_by_piece,
    a_promotion_that_ends_before_confirming_changes_the_price,
    only_those_whom_it_is_for,
    a_refund_gives_back_what_was_paid,
    staff_plan_change_and_stop,
    what_is_off_sale_or_entered_stays_as_it_is,
);

/// Terms for ten days from now on.
pub fn terms(world: &World, cut: Cut) -> Terms {
    let now = world.now();
    Terms {
        name: "Spring sale".into(),
        begins_at: now.0,
        ends_at: now.plus_seconds(10 * DAY_S).0,
        scope: Scope::All,
        cut,
        preferred_only: false,
        per_customer: 0,
        in_total: 0,
        minimum: Amount::ZERO,
        coupon: None,
    }
}

pub fn try_put(world: &World, new: NewPromotion) -> Result<Promotion, PromotionError> {
    let (vendor, vault) = (world.vendor.clone(), world.node.vault.clone());
    world.write(move |tx| promotion_put(tx, &vault, Actor::System, &vendor, &new))
}

pub fn put(world: &World, terms: Terms) -> Promotion {
    let change = None;
    try_put(world, NewPromotion { change, terms }).unwrap()
}

fn stop(world: &World, id: PromotionId) -> Promotion {
    let vendor = world.vendor.clone();
    let stopped = world.write(move |tx| promotion_stop(tx, Actor::System, &vendor, id));
    stopped.unwrap()
}

/// An offer of a product with a category and a manufacturer.
pub fn offer_of(world: &World, sku: &'static str, price: i64, of: (&str, &str)) -> OfferId {
    let vendor = world.vendor.clone();
    let product = NewProduct {
        handle: sku.to_owned(),
        title: format!("The {sku}"),
        category: of.0.to_owned(),
        manufacturer: of.1.to_owned(),
        ..NewProduct::default()
    };
    let entered = world.write(move |tx| {
        let (product, _) = product_put(tx, &vendor, &product)?;
        offer_put(tx, &vendor, product, &plain_offer(sku, tokens(price)))
    });
    entered.unwrap().0
}

fn unit_price(world: &World, id: CustomerId, offer: OfferId) -> Amount {
    world.quote(id, &[want(offer, 1)]).lines[0].unit_price
}

pub fn stacking(world: &World, stacking: bool, uses_back: bool) {
    let (vendor, book) = (world.vendor.clone(), world.book());
    let set = world.write(move |tx| {
        let held = policy_version(tx, book)?;
        let mut policy = held.policy;
        policy.promotions.stacking = stacking;
        policy.promotions.uses_back = uses_back;
        policy_set(tx, Actor::System, &vendor, held.number, &policy)
    });
    set.unwrap();
}

pub fn refund(world: &World, request: RefundRequest) -> Amount {
    let vendor = world.vendor.clone();
    let done = world.write(move |tx| order_refund(tx, Actor::System, &vendor, &request));
    done.unwrap().amount
}

/// ADV-06: a promotion holds from its beginning on and from its end on no more; what is kept of an
/// order says what it took off.
fn a_promotion_holds_between_its_dates(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pen = world.offer("pen", 30);
    let now = world.now();
    let sale = put(
        &world,
        Terms {
            begins_at: now.plus_seconds(DAY_S).0,
            ..terms(&world, Cut::Rate(1_000))
        },
    );
    assert_eq!(sale.state(world.now()), State::Planned);
    world.clock.set(now.plus_seconds(DAY_S - 1));
    assert_eq!(unit_price(&world, id, pen), tokens(30), "a second before");
    world.clock.set(now.plus_seconds(DAY_S));
    assert_eq!(unit_price(&world, id, pen), tokens(27), "from then on");
    let receipt = completed(world.place(id, &[want(pen, 3)]));
    assert_eq!(receipt.total, tokens(81));
    world.clock.set(now.plus_seconds(10 * DAY_S - 1));
    assert_eq!(unit_price(&world, id, pen), tokens(27), "a second before");
    world.clock.set(now.plus_seconds(10 * DAY_S));
    assert_eq!(unit_price(&world, id, pen), tokens(30), "from then on");
    assert_eq!(
        completed(world.place(id, &[want(pen, 1)])).total,
        tokens(30)
    );
    assert_eq!(world.balance(id), tokens(1_000 - 81 - 30));

    let order = world
        .node
        .engine
        .read(|tx| order_by_id(tx, Actor::Customer(id), world.book(), receipt.order_id));
    let line = order.unwrap().lines.remove(0);
    assert_eq!((line.unit_price, line.amount), (tokens(27), tokens(81)));
    let off: Vec<_> = line.off.iter().map(|o| (o.each, o.amount)).collect();
    assert_eq!(off, [(tokens(3), tokens(9))]);
    assert_eq!(line.off[0].promotion_id, sale.id);
}

/// ADV-06: by category, by manufacturer, by chosen products and SKUs.
fn only_its_products_get_cheaper(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pot = offer_of(&world, "pot", 100, ("Garden", "Acme"));
    let spade = offer_of(&world, "spade", 100, ("Garden", "Bolt"));
    let lamp = offer_of(&world, "lamp", 100, ("House", "Acme"));
    let prices = |scope: Scope| {
        let sale = put(
            &world,
            Terms {
                scope,
                ..terms(&world, Cut::Each(tokens(1)))
            },
        );
        let quote = world.quote(id, &[want(pot, 1), want(spade, 1), want(lamp, 1)]);
        stop(&world, sale.id);
        quote
            .lines
            .iter()
            .map(|l| l.unit_price.units() / 1_000_000)
            .collect::<Vec<_>>()
    };
    assert_eq!(prices(Scope::All), [99, 99, 99]);
    assert_eq!(
        prices(Scope::Categories(vec!["Garden".into()])),
        [99, 99, 100]
    );
    assert_eq!(
        prices(Scope::Manufacturers(vec!["Acme".into()])),
        [99, 100, 99]
    );
    let (book, names) = (world.book(), vec!["pot".to_owned(), "lamp".to_owned()]);
    let chosen = world
        .node
        .engine
        .read(|tx| scope_read(tx, book, &names))
        .unwrap();
    let words = world
        .node
        .engine
        .read(|tx| scope_in_words(tx, book, &chosen));
    assert_eq!(words.unwrap(), names);
    assert_eq!(prices(chosen), [99, 100, 99]);
    let one = Scope::Chosen {
        products: Vec::new(),
        offers: vec![spade],
    };
    assert_eq!(prices(one), [100, 99, 100]);
    let gone = world
        .node
        .engine
        .read(|tx| scope_read(tx, book, &["shed".into()]));
    let gone = gone.unwrap_err().to_string();
    assert!(gone.contains("\"shed\""), "{gone}");
}

/// ADV-06, TOK-04: the best single price counts; where the policy says so, they add up.
fn the_best_single_price_or_all_together(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pen = world.offer("pen", 100);
    for cut in [Cut::Rate(1_000), Cut::Rate(2_000), Cut::Each(tokens(15))] {
        put(&world, terms(&world, cut));
    }
    assert_eq!(unit_price(&world, id, pen), tokens(80));
    stacking(&world, true, true);
    let receipt = completed(world.place(id, &[want(pen, 2)]));
    // 100 - 15, less 30 %.
    assert_eq!(receipt.lines[0].unit_price, Amount::from_units(59_500_000));
    assert_eq!(receipt.lines[0].off.len(), 3);
    assert_eq!(
        world.number("SELECT COUNT(*) FROM promotion_use WHERE book_id = $1"),
        3
    );
}

/// ADV-06, SHP-10: of a tier each of the pieces counts that it grants; the list shows its prices,
/// and what makes a short order fit counts with them.
fn tiers_are_reduced_by_piece(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(80);
    let pages = world.offer_of(NewOffer {
        tiers: vec![
            Tier {
                up_to: 100,
                price: tokens(50),
            },
            Tier {
                up_to: 1_000,
                price: tokens(400),
            },
        ],
        ..plain_offer("pages", tokens(0))
    });
    put(
        &world,
        terms(&world, Cut::Each(Amount::from_units(100_000))),
    );
    let line = &world.quote(id, &[want(pages, 60)]).lines[0];
    assert_eq!((line.granted, line.unit_price), (100, tokens(40)));
    let (book, actor) = (world.book(), Actor::Customer(id));
    world
        .write(move |tx| order_list_set(tx, actor, book, id, pages, 1_000))
        .unwrap();
    let list = world.node.engine.read(|tx| order_list(tx, actor, book, id));
    let list = list.unwrap();
    let tiers: Vec<Amount> = list.lines[0].tiers.iter().map(|t| t.price).collect();
    assert_eq!(tiers, [tokens(40), tokens(300)]);
    assert_eq!(list.quote.required, tokens(300));
    let short = world
        .node
        .engine
        .read(|tx| quote_with_fits(tx, actor, book, id, &[want(pages, 1_000)], None));
    let (_, fits) = short.unwrap();
    assert_eq!(
        fits.single[0].remaining,
        tokens(40),
        "80 less the tier at 40"
    );
    let receipt = completed(world.place(id, &list_as_shown(&world, id, pages)));
    assert_eq!(receipt.total, tokens(40));
    assert_eq!(receipt.lines[0].off[0].amount, tokens(10));
}

fn list_as_shown(world: &World, id: CustomerId, pages: OfferId) -> Vec<Wanted> {
    let quote = world.quote(id, &[want(pages, 100)]);
    quote.lines.iter().map(|l| l.as_shown()).collect()
}

/// ADV-06, SHP-13: who confirms what was shown before a promotion ended is told the new price, and
/// nothing is taken; the same where it was stopped.
fn a_promotion_that_ends_before_confirming_changes_the_price(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pen = world.offer("pen", 100);
    let sale = put(&world, terms(&world, Cut::Price(tokens(60))));
    let shown: Vec<Wanted> = {
        let quote = world.quote(id, &[want(pen, 1)]);
        quote.lines.iter().map(|l| l.as_shown()).collect()
    };
    let changed = Refusal::PriceChanged {
        title: "The pen".into(),
        quoted: tokens(60),
        now: tokens(100),
    };
    world.clock.advance_seconds(10 * DAY_S);
    assert_eq!(refused(world.place(id, &shown)), changed);
    world.clock.advance_seconds(-5 * DAY_S);
    assert_eq!(stop(&world, sale.id).state(world.now()), State::Stopped);
    assert_eq!(refused(world.place(id, &shown)), changed);
    assert_eq!(world.balance(id), tokens(1_000));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM promotion_use WHERE book_id = $1"),
        0
    );
    assert_eq!(
        world.number("SELECT promotions_until FROM vendor WHERE book_id = $1"),
        0
    );
}

/// ADV-06: preferred customers, orders of a size, so many orders of one customer.
fn only_those_whom_it_is_for(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (world.buyer(1_000), world.buyer(1_000));
    let pen = world.offer("pen", 100);
    let for_few = Terms {
        preferred_only: true,
        per_customer: 2,
        in_total: 3,
        minimum: tokens(200),
        ..terms(&world, Cut::Rate(5_000))
    };
    put(&world, for_few);
    assert_eq!(
        world.quote(id, &[want(pen, 2)]).required,
        tokens(200),
        "not preferred"
    );
    for id in [id, other] {
        let customer = world.customer(id);
        let set = world.write(move |tx| {
            let held = standing(tx, &customer)?;
            let new = Standing {
                preferred: true,
                ..held
            };
            standing_set(tx, Actor::System, &customer, &new)
        });
        set.unwrap();
    }
    let total = |id, pieces| completed(world.place(id, &[want(pen, pieces)])).total;
    assert_eq!(total(id, 1), tokens(100), "too small an order");
    assert_eq!(total(id, 2), tokens(100));
    assert_eq!(total(id, 2), tokens(100));
    assert_eq!(total(id, 2), tokens(200), "the third of one customer");
    assert_eq!(total(other, 2), tokens(100));
    assert_eq!(total(other, 2), tokens(200), "the fourth of all");
}

/// ADV-06: refunds give back what was paid, in parts and whole; with the whole order the use goes
/// back, where the policy says so.
fn a_refund_gives_back_what_was_paid(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pen = world.offer("pen", 30);
    let limited = Terms {
        per_customer: 1,
        in_total: 1,
        ..terms(&world, Cut::Rate(1_000))
    };
    put(&world, limited);
    let receipt = completed(world.place(id, &[want(pen, 3)]));
    assert_eq!(
        (receipt.total, unit_price(&world, id, pen)),
        (tokens(81), tokens(30))
    );
    let back = |lines| RefundRequest {
        order_id: receipt.order_id,
        lines,
        restock: false,
        reference: String::new(),
        effective_at: None,
    };
    assert_eq!(
        refund(&world, back(RefundLines::Lines(vec![(1, 1)]))),
        tokens(27)
    );
    assert_eq!(
        unit_price(&world, id, pen),
        tokens(30),
        "a part gives no use back"
    );
    assert_eq!(refund(&world, back(RefundLines::Whole)), tokens(54));
    assert_eq!(world.balance(id), tokens(1_000));
    assert_eq!(unit_price(&world, id, pen), tokens(27), "the use is back");
    world.verify();

    stacking(&world, false, false);
    let receipt = completed(world.place(id, &[want(pen, 1)]));
    let whole = RefundRequest {
        order_id: receipt.order_id,
        lines: RefundLines::Whole,
        restock: false,
        reference: String::new(),
        effective_at: None,
    };
    assert_eq!(refund(&world, whole), tokens(27));
    assert_eq!(
        unit_price(&world, id, pen),
        tokens(30),
        "the policy keeps it"
    );
}

/// What the trail says of a promotion, newest first.
fn noted_about(world: &World, id: PromotionId) -> Vec<String> {
    let book = world.book();
    let noted = world.node.engine.read(|tx| {
        let filter = Filter {
            subject: Some(id.to_string()),
            ..Filter::default()
        };
        trail(tx, book, &filter, None, 10)
    });
    noted.unwrap().items.into_iter().map(|n| n.action).collect()
}

/// ADV-06: made, changed before it begins, stopped; of two who change it the second is told; the
/// trail says all of it; a preview says what it would do.
fn staff_plan_change_and_stop(db: &TestDb) {
    let world = World::new(db);
    world.offer("pen", 30);
    world.offer("gift", 0);
    let planned = Terms {
        begins_at: world.now().plus_seconds(DAY_S).0,
        ..terms(&world, Cut::Price(tokens(20)))
    };
    let book = world.book();
    let look = planned.clone();
    let preview = world
        .node
        .engine
        .read(|tx| promotion_preview(tx, book, &look, None, 10));
    let preview = preview.unwrap();
    let prices = preview.examples.iter().map(|e| (e.list, e.price));
    assert_eq!(
        prices.collect::<Vec<_>>(),
        [(tokens(30), tokens(20)), (tokens(0), tokens(0))]
    );
    let counts = (preview.affected, preview.unchanged, preview.free);
    assert_eq!((counts, preview.is_all), ((2, 1, 1), true));
    let made = put(&world, planned.clone());
    let change = |seen, cut| NewPromotion {
        change: Some((made.id, seen)),
        terms: Terms {
            cut,
            ..planned.clone()
        },
    };
    let changed = try_put(&world, change(1, Cut::Rate(500))).unwrap();
    assert_eq!((changed.version, changed.terms.cut), (2, Cut::Rate(500)));
    let second = try_put(&world, change(1, Cut::Rate(600)));
    assert!(matches!(second, Err(PromotionError::Changed)));
    let coupon = NewPromotion {
        change: Some((made.id, 2)),
        terms: Terms {
            coupon: Some(CouponTerms::default()),
            ..planned.clone()
        },
    };
    assert!(matches!(
        try_put(&world, coupon),
        Err(PromotionError::Invalid(_))
    ));
    world.clock.advance_seconds(2 * DAY_S);
    let late = try_put(&world, change(2, Cut::Rate(600)));
    assert!(matches!(late, Err(PromotionError::Begun)));
    assert_eq!(stop(&world, made.id).version, 3);
    assert_eq!(
        stop(&world, made.id).version,
        3,
        "stopping it again changes nothing"
    );
    let stranger = world.register().customer_id;
    let (vendor, id) = (world.vendor.clone(), made.id);
    let other = world.write(move |tx| promotion_stop(tx, Actor::Customer(stranger), &vendor, id));
    assert!(matches!(other, Err(PromotionError::Forbidden)));
    let noted = ["stopped", "changed", "created"].map(|verb| format!("promotion.{verb}"));
    assert_eq!(noted_about(&world, made.id), noted);
    let all = world.node.engine.read(|tx| promotions(tx, book, None, 10));
    assert_eq!(all.unwrap().items.len(), 1);
    let found = world
        .node
        .engine
        .read(|tx| promotion_by_id(tx, book, made.id));
    assert_eq!(found.unwrap().state(world.now()), State::Stopped);
}

/// ADV-06, SHP-13: what a promotion names and is off sale stays so; a price that staff enter is
/// not reduced; what is free stays free and costs no use.
fn what_is_off_sale_or_entered_stays_as_it_is(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pen = world.offer("pen", 30);
    let gift = world.offer("gift", 0);
    put(&world, terms(&world, Cut::Rate(1_000)));
    let entered = Wanted {
        entered: Some(tokens(10)),
        ..want(pen, 1)
    };
    let order = world.place_as(Actor::System, &request(id, &[entered, want(gift, 1)]));
    let receipt = completed(order.unwrap());
    assert_eq!(receipt.total, tokens(10));
    assert!(receipt.lines.iter().all(|line| line.off.is_empty()));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM promotion_use WHERE book_id = $1"),
        0
    );
    world.offer_of(NewOffer {
        active: false,
        ..plain_offer("pen", tokens(30))
    });
    let gone = world.place(id, &[want(pen, 1)]);
    assert!(matches!(
        gone,
        OrderOutcome::Refused {
            refusal: Refusal::NotForSale { .. },
            ..
        }
    ));
}
