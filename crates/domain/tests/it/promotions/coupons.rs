//! Coupons: codes, what each says when it takes nothing off, limits under many orders at once.

use super::{offer_of, put, refund, stacking, terms, try_put};
use crate::support::{DAY_S, World, completed, refused, request, tokens, want};
use scrip_domain::closing::customer_merge;
use scrip_domain::id::{CustomerId, OfferId, PromotionId};
use scrip_domain::order::{
    Extras, OrderOutcome, OrderRequest, Quote, RefundLines, RefundRequest, Refusal, order_list,
    order_list_set, quote,
};
use scrip_domain::promotion::{
    CodeCount, CouponFault, CouponKey, CouponTerms, Cut, NewPromotion, Promotion, PromotionError,
    Scope, Terms, codes_count, codes_issue, coupon_clear, coupon_enter, promotion_stop,
    uses_between,
};
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_testkit::TestDb;

both!(
    a_coupon_obeys_dates_and_products,
    wrong_codes_are_counted_by_account,
    codes_are_good_once,
    the_last_use_goes_to_one,
    a_code_that_is_good_once_goes_to_one,
    a_coupon_is_on_the_list_until_it_is_taken_off,
    a_code_can_be_taken_when_its_coupon_is_over,
    uses_follow_a_merged_account,
    a_refused_order_uses_nothing,
);

fn key(world: &World, code: &str) -> CouponKey {
    CouponKey::of(&world.node.vault, world.book(), code)
}

fn coupon_terms(world: &World, code: &str, cut: Cut) -> Terms {
    Terms {
        name: "Autumn coupon".into(),
        coupon: Some(CouponTerms {
            code: code.into(),
            ..CouponTerms::default()
        }),
        ..terms(world, cut)
    }
}

fn quoted(world: &World, id: CustomerId, offer: OfferId, code: &str) -> Quote {
    let key = key(world, code);
    let (book, actor) = (world.book(), Actor::Customer(id));
    let found = world
        .node
        .engine
        .read(|tx| quote(tx, actor, book, id, &[want(offer, 1)], Some(&key)));
    found.unwrap()
}

fn fault(world: &World, id: CustomerId, offer: OfferId, code: &str) -> Option<CouponFault> {
    quoted(world, id, offer, code).coupon.unwrap().fault
}

fn with_coupon(world: &World, id: CustomerId, offer: OfferId, code: &str) -> OrderRequest {
    OrderRequest {
        extras: Extras {
            coupon: Some(key(world, code)),
            ..Extras::default()
        },
        ..request(id, &[want(offer, 1)])
    }
}

fn place(world: &World, id: CustomerId, offer: OfferId, code: &str) -> OrderOutcome {
    let order = with_coupon(world, id, offer, code);
    world.place_as(Actor::Customer(id), &order).unwrap()
}

fn enter(world: &World, id: CustomerId, code: &str) -> Option<CouponFault> {
    let (customer, key) = (world.customer(id), key(world, code));
    let entered = world.write(move |tx| coupon_enter(tx, Actor::Customer(id), &customer, &key));
    entered.unwrap()
}

fn issue(world: &World, id: PromotionId, count: i64) -> Result<Vec<String>, PromotionError> {
    let (vendor, vault) = (world.vendor.clone(), world.node.vault.clone());
    world.write(move |tx| codes_issue(tx, &vault, Actor::System, &vendor, id, count))
}

fn whole(order: OrderOutcome) -> RefundRequest {
    RefundRequest {
        order_id: completed(order).order_id,
        lines: RefundLines::Whole,
        restock: false,
        reference: String::new(),
        effective_at: None,
    }
}

/// ADV-06: a coupon is good between its dates, for its products, for orders of its size; each
/// other case says so, however the code is written.
fn a_coupon_obeys_dates_and_products(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(2_000);
    let pot = offer_of(&world, "pot", 100, ("Garden", "Acme"));
    let lamp = offer_of(&world, "lamp", 100, ("House", "Acme"));
    let spade = offer_of(&world, "spade", 300, ("Garden", "Bolt"));
    let now = world.now();
    let mut coupon = Terms {
        begins_at: now.plus_seconds(DAY_S).0,
        scope: Scope::Categories(vec!["Garden".into()]),
        minimum: tokens(100),
        per_customer: 2,
        ..coupon_terms(&world, "autumn-10", Cut::Rate(1_000))
    };
    if let Some(coupon) = &mut coupon.coupon {
        coupon.manufacturer = "Acme".into();
    }
    let made = put(&world, coupon);
    assert_eq!(made.terms.coupon.unwrap().code, "AUTUMN10");
    let from = now.plus_seconds(DAY_S).0;
    let not_yet = Some(CouponFault::NotYet { from });
    assert_eq!(fault(&world, id, pot, "AUTUMN10"), not_yet);
    world.clock.advance_seconds(DAY_S);
    assert_eq!(fault(&world, id, pot, " autumn 10"), None);
    assert_eq!(quoted(&world, id, pot, "AUTUMN10").required, tokens(90));
    assert_eq!(
        fault(&world, id, lamp, "AUTUMN10"),
        Some(CouponFault::NotForThese)
    );
    assert_eq!(
        fault(&world, id, spade, "AUTUMN10"),
        Some(CouponFault::NotForThese),
        "a manufacturer's coupon is for its own products"
    );
    let small = world.offer("pin", 1);
    assert_eq!(
        fault(&world, id, small, "AUTUMN10"),
        Some(CouponFault::NotForThese)
    );
    assert_eq!(
        completed(place(&world, id, pot, "AUTUMN10")).total,
        tokens(90)
    );
    assert_eq!(
        completed(place(&world, id, pot, "Autumn_10")).total,
        tokens(90)
    );
    assert_eq!(
        fault(&world, id, pot, "AUTUMN10"),
        Some(CouponFault::UsedByYou)
    );
    let other = world.buyer(500);
    world.clock.advance_seconds(9 * DAY_S);
    let over = Refusal::Coupon {
        fault: CouponFault::Over,
    };
    assert_eq!(refused(place(&world, other, pot, "AUTUMN10")), over);
    assert_eq!(world.balance(other), tokens(500));
    let all = world
        .node
        .engine
        .read(|tx| uses_between(tx, world.book(), Timestamp(i64::MIN), Timestamp::NEVER));
    let sum = all
        .unwrap()
        .uses
        .iter()
        .map(|u| u.amount.units())
        .sum::<i64>();
    assert_eq!(
        Amount::from_units(sum),
        tokens(20),
        "what the manufacturer owes for"
    );
}

/// ADV-06: an unknown code says nothing but that, and five lock the account's entries for a while,
/// the right code too.
fn wrong_codes_are_counted_by_account(db: &TestDb) {
    let world = World::new(db);
    let (id, other) = (world.buyer(500), world.buyer(500));
    let pen = world.offer("pen", 100);
    put(&world, coupon_terms(&world, "RIGHT", Cut::Rate(1_000)));
    for wrong in ["WRONG", "", "\u{1F600}", "RIGHT1"] {
        assert_eq!(
            enter(&world, id, wrong),
            Some(CouponFault::Unknown),
            "{wrong}"
        );
        assert_eq!(
            enter(&world, id, "RIGHT"),
            None,
            "a right one takes nothing back"
        );
    }
    let unknown = Refusal::Coupon {
        fault: CouponFault::Unknown,
    };
    assert_eq!(
        refused(place(&world, id, pen, "WRONG")),
        unknown,
        "an order counts too"
    );
    let until = world.now().plus_seconds(15 * 60).0;
    let locked = Some(CouponFault::TooMany { until });
    assert_eq!(enter(&world, id, "RIGHT"), locked);
    assert_eq!(
        enter(&world, id, "WRONG"),
        locked,
        "nothing more is counted"
    );
    assert_eq!(enter(&world, other, "RIGHT"), None, "another account");
    world.clock.advance_seconds(15 * 60);
    assert_eq!(enter(&world, id, "RIGHT"), None);
}

/// ADV-06: codes that are good once, kept as hashes; a whole refund makes one good again.
fn codes_are_good_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pen = world.offer("pen", 100);
    let coupon = put(&world, coupon_terms(&world, "", Cut::Each(tokens(25))));
    let codes = issue(&world, coupon.id, 3).unwrap();
    let kept = world.rows("SELECT code_hash FROM coupon_code WHERE book_id = $1");
    assert_eq!(kept.len(), 3);
    let raw = |code: &str| code.replace('-', "").into_bytes();
    for row in &kept {
        let hash = row.blob(0).unwrap();
        assert!(
            codes.iter().all(|code| raw(code) != hash),
            "no code lies open"
        );
    }
    let order = place(&world, id, pen, &codes[0].to_lowercase());
    assert_eq!(completed(order.clone()).total, tokens(75));
    let used_up = Refusal::Coupon {
        fault: CouponFault::UsedUp,
    };
    assert_eq!(refused(place(&world, id, pen, &codes[0])), used_up);
    assert_eq!(
        completed(place(&world, id, pen, &codes[1])).total,
        tokens(75)
    );
    let count = || {
        let found = world
            .node
            .engine
            .read(|tx| codes_count(tx, world.book(), coupon.id));
        found.unwrap()
    };
    assert_eq!(count(), CodeCount { issued: 3, used: 2 });
    assert_eq!(refund(&world, whole(order)), tokens(75));
    assert_eq!(count(), CodeCount { issued: 3, used: 1 });
    assert_eq!(
        completed(place(&world, id, pen, &codes[0])).total,
        tokens(75)
    );
    for count in [0, -1, 5_001] {
        assert!(matches!(
            issue(&world, coupon.id, count),
            Err(PromotionError::CodesTooMany(_))
        ));
    }
    let shared = put(&world, coupon_terms(&world, "SHARED", Cut::Rate(1)));
    assert!(matches!(
        issue(&world, shared.id, 1),
        Err(PromotionError::NoCodes)
    ));
}

/// Orders of one customer each that begin together; how many got the reduced price.
fn race(world: &World, buyers: &[CustomerId], pen: OfferId, code: &str) -> usize {
    let barrier = std::sync::Barrier::new(buyers.len());
    let reduced = std::thread::scope(|scope| {
        let barrier = &barrier;
        let threads: Vec<_> = buyers
            .iter()
            .map(|id| {
                scope.spawn(move || {
                    barrier.wait();
                    match place(world, *id, pen, code) {
                        OrderOutcome::Completed(receipt) => {
                            assert_eq!(receipt.total, tokens(75));
                            true
                        }
                        OrderOutcome::Refused { refusal, .. } => {
                            let fault = CouponFault::UsedUp;
                            assert_eq!(refusal, Refusal::Coupon { fault });
                            false
                        }
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap())
            .filter(|r| *r)
            .count()
    });
    let paid = buyers
        .iter()
        .filter(|id| world.balance(**id) == tokens(125))
        .count();
    assert_eq!(paid, reduced, "nobody else paid");
    reduced
}

/// ADV-06: of many orders at once, a limit in total is never passed.
fn the_last_use_goes_to_one(db: &TestDb) {
    let world = World::new(db);
    let pen = world.offer("pen", 100);
    let limited = Terms {
        in_total: 3,
        ..coupon_terms(&world, "FIRST3", Cut::Each(tokens(25)))
    };
    put(&world, limited);
    let buyers: Vec<CustomerId> = (0..12).map(|_| world.buyer(200)).collect();
    assert_eq!(race(&world, &buyers, pen, "FIRST3"), 3);
}

/// ADV-06: of many orders at once with one code that is good once, one has it.
fn a_code_that_is_good_once_goes_to_one(db: &TestDb) {
    let world = World::new(db);
    let pen = world.offer("pen", 100);
    let coupon = put(&world, coupon_terms(&world, "", Cut::Each(tokens(25))));
    let code = issue(&world, coupon.id, 1).unwrap().remove(0);
    let buyers: Vec<CustomerId> = (0..12).map(|_| world.buyer(200)).collect();
    assert_eq!(race(&world, &buyers, pen, &code), 1);
}

/// ADV-06: a coupon that was entered is in the list's prices, line by line, until it is taken off.
fn a_coupon_is_on_the_list_until_it_is_taken_off(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(1_000);
    let pot = offer_of(&world, "pot", 100, ("Garden", "Acme"));
    let lamp = offer_of(&world, "lamp", 50, ("House", "Bolt"));
    let (book, actor) = (world.book(), Actor::Customer(id));
    world
        .write(move |tx| {
            order_list_set(tx, actor, book, id, pot, 2)?;
            order_list_set(tx, actor, book, id, lamp, 1)
        })
        .unwrap();
    let garden = Terms {
        scope: Scope::Categories(vec!["Garden".into()]),
        ..coupon_terms(&world, "GARDEN", Cut::Rate(1_000))
    };
    let made: Promotion = put(&world, garden);
    assert_eq!(enter(&world, id, "garden"), None);
    let list = || {
        world
            .node
            .engine
            .read(|tx| order_list(tx, actor, book, id))
            .unwrap()
    };
    let off: Vec<Vec<Amount>> = list()
        .quote
        .lines
        .iter()
        .map(|line| line.off.iter().map(|off| off.amount).collect())
        .collect();
    assert_eq!(off, [vec![tokens(20)], vec![]]);
    assert_eq!(list().quote.required, tokens(230));
    let said = list().quote.coupon.unwrap();
    assert_eq!(
        (said.name, said.off, said.fault),
        (made.terms.name, tokens(20), None)
    );
    let vendor = world.vendor.clone();
    world
        .write(move |tx| promotion_stop(tx, Actor::System, &vendor, made.id))
        .unwrap();
    assert_eq!(list().quote.coupon.unwrap().fault, Some(CouponFault::Over));
    assert_eq!(list().quote.required, tokens(250));
    let customer = world.customer(id);
    world
        .write(move |tx| coupon_clear(tx, actor, &customer))
        .unwrap();
    assert_eq!(list().quote.coupon, None);
    assert_eq!(
        enter(&world, id, "GARDEN"),
        Some(CouponFault::Over),
        "not entered again"
    );
    assert_eq!(list().quote.coupon, None);
}

/// ADV-06: two coupons that hold have two codes; the code of one that is over may be taken.
fn a_code_can_be_taken_when_its_coupon_is_over(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let pen = world.offer("pen", 100);
    put(&world, coupon_terms(&world, "AUTUMN", Cut::Rate(1_000)));
    let again = |world: &World| NewPromotion {
        change: None,
        terms: coupon_terms(world, "autumn", Cut::Rate(2_000)),
    };
    let taken = try_put(&world, again(&world));
    assert!(matches!(taken, Err(PromotionError::CodeTaken(_))));
    world.clock.advance_seconds(10 * DAY_S);
    assert_eq!(fault(&world, id, pen, "AUTUMN"), Some(CouponFault::Over));
    try_put(&world, again(&world)).unwrap();
    assert_eq!(quoted(&world, id, pen, "AUTUMN").required, tokens(80));
}

/// ADV-06, REG-13: who merges two accounts has used what both have.
fn uses_follow_a_merged_account(db: &TestDb) {
    let world = World::new(db);
    let (old, new) = (world.buyer(500), world.buyer(500));
    let pen = world.offer("pen", 100);
    let once = Terms {
        per_customer: 1,
        ..coupon_terms(&world, "ONCE", Cut::Rate(1_000))
    };
    put(&world, once);
    completed(place(&world, old, pen, "ONCE"));
    assert_eq!(fault(&world, new, pen, "ONCE"), None);
    let vendor = world.vendor.clone();
    world
        .write(move |tx| customer_merge(tx, Actor::System, &vendor, old, new))
        .unwrap();
    assert_eq!(
        fault(&world, new, pen, "ONCE"),
        Some(CouponFault::UsedByYou)
    );
}

/// ADV-06, SHP-14: an order that is refused uses nothing; a coupon that promotions beat is kept.
fn a_refused_order_uses_nothing(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(60);
    let (pen, dear) = (world.offer("pen", 50), world.offer("ring", 1_000));
    let coupon = put(&world, coupon_terms(&world, "", Cut::Rate(1_000)));
    let code = issue(&world, coupon.id, 1).unwrap().remove(0);
    let short = refused(place(&world, id, dear, &code));
    assert!(matches!(short, Refusal::Shortage { required, .. } if required == tokens(900)));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM promotion_use WHERE book_id = $1"),
        0
    );
    let sale = put(&world, terms(&world, Cut::Rate(2_000)));
    let seen = quoted(&world, id, pen, &code);
    assert_eq!(seen.required, tokens(40));
    let coupon = seen.coupon.unwrap();
    assert_eq!((coupon.off, coupon.fault), (Amount::ZERO, None));
    assert_eq!(completed(place(&world, id, pen, &code)).total, tokens(40));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM coupon_code WHERE book_id = $1 AND used_by IS NOT NULL"),
        0
    );
    assert_eq!(
        world.number("SELECT COUNT(*) FROM promotion_use WHERE book_id = $1"),
        1
    );
    stacking(&world, true, true);
    assert_eq!(
        quoted(&world, id, pen, &code).required,
        tokens(40),
        "not combinable"
    );
    let vendor = world.vendor.clone();
    world
        .write(move |tx| promotion_stop(tx, Actor::System, &vendor, sale.id))
        .unwrap();
    assert_eq!(quoted(&world, id, pen, &code).required, tokens(45));
}
