//! Prices of tokens: packs, tiers, countries, history; what tokens of a pack may pay for.

use crate::support::{DAY_S, World, completed, plain_offer, refused, tokens, want};
use scrip_domain::audit::{Filter, trail};
use scrip_domain::catalog::{NewOffer, NewProduct, offer_put, product_put};
use scrip_domain::id::{CustomerId, OfferId, PackId};
use scrip_domain::order::Refusal;
use scrip_domain::policy::{policy_set, policy_version};
use scrip_domain::token_sale::price::{
    Buyer, NewPack, Pack, Tier, country_price_set, country_prices, pack_put, pack_withdraw, packs,
    price_change, price_history, tiers, tiers_set, token_deal,
};
use scrip_domain::token_sale::{
    Deal, DiscountKind, NewTokenOrder, Outcome, TokenSaleError, token_buy, token_price_quote,
};
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, Timestamp};
use scrip_testkit::TestDb;

both!(
    gold_credits_ten_tokens_for_95_cents,
    bundles_and_tiers_are_the_vendors_to_set,
    restricted_tokens_pay_for_sales_only,
    tokens_for_a_category_pay_for_it_only,
    tokens_of_a_pack_live_as_long_as_it_says,
    prices_differ_by_country_and_are_kept,
    what_no_price_can_be,
    of_two_who_change_a_price_the_second_is_told,
);

fn cents(n: i64) -> Amount {
    Amount::from_units(n * 1_000_000)
}

fn pack(name: &str, size: i64) -> NewPack {
    NewPack {
        change: None,
        name: name.to_owned(),
        tokens: tokens(size),
        price: None,
        off: 0,
        restriction: String::new(),
        life_days: None,
        country: String::new(),
        sold_from: None,
        sold_until: None,
    }
}

fn put(world: &World, new: NewPack) -> Result<Pack, TokenSaleError> {
    let vendor = world.vendor.clone();
    world.write(move |tx| pack_put(tx, Actor::System, &vendor, &new))
}

fn deal(world: &World, buyer: &Buyer, quantity: i64, pack: Option<PackId>) -> Deal {
    let found = world.node.engine.read(|tx| {
        let now = Read::now(tx);
        token_deal(tx, &world.vendor, buyer, tokens(quantity), pack, now)
    });
    found.unwrap()
}

fn buy(
    world: &World,
    id: CustomerId,
    quantity: i64,
    pack: PackId,
) -> Result<Outcome, TokenSaleError> {
    let new = NewTokenOrder {
        customer: id,
        session: world.session(id),
        quantity: tokens(quantity),
        pack: Some(pack),
        card: "test_ok".to_owned(),
        reference: String::new(),
        effective_at: None,
    };
    let actor = Actor::Customer(id);
    token_buy(&world.node, world.cards.as_ref(), actor, &world.vendor, new)
}

fn paid(outcome: Result<Outcome, TokenSaleError>) -> Amount {
    match outcome {
        Ok(Outcome::Cleared { price, .. }) => price,
        other => panic!("{other:?}"),
    }
}

/// TOK-02: silver is a token at its price; gold is ten tokens at 95 cents.
fn gold_credits_ten_tokens_for_95_cents(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    let id = world.register().customer_id;
    let gold = NewPack {
        price: Some(cents(95)),
        ..pack("Gold", 10)
    };
    let gold = put(&world, gold).unwrap();
    assert_eq!(paid(buy(&world, id, 10, gold.id)), cents(95));
    assert_eq!(world.balance(id), tokens(10));
    assert_eq!(paid(buy(&world, id, 30, gold.id)), cents(285));
    assert_eq!(
        paid(world.buy(id, tokens(1), "test_ok")),
        cents(10),
        "silver"
    );
    assert_eq!(world.balance(id), tokens(41));
    let rows = world.rows(
        "SELECT packs, list_price, discount FROM token_order
         WHERE book_id = $1 AND packs > 0 ORDER BY packs",
    );
    assert_eq!((rows[0].int(0).unwrap(), rows[1].int(0).unwrap()), (1, 3));
    assert_eq!(rows[1].int(1).unwrap(), cents(300).units());
    assert!(
        rows[1].text(2).unwrap().contains("Gold"),
        "which discount it was"
    );
    for odd in [5, 15] {
        let part = buy(&world, id, odd, gold.id);
        assert!(
            matches!(part, Err(TokenSaleError::PackNotWhole)),
            "{part:?}"
        );
    }
    let vendor = world.vendor.clone();
    let off = world.write(move |tx| pack_withdraw(tx, Actor::System, &vendor, gold.id));
    assert!(!off.unwrap().is_sold(world.now()));
    let late = buy(&world, id, 10, gold.id);
    assert!(matches!(late, Err(TokenSaleError::PackNotSold)), "{late:?}");
    let held = world
        .node
        .engine
        .read(|tx| packs(tx, world.book()))
        .unwrap();
    assert_eq!(held.len(), 1, "kept for the history");
}

/// TOK-03, TOK-04: sets at a rate, tiers for all and for preferred customers, told in the trail.
fn bundles_and_tiers_are_the_vendors_to_set(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    for (name, size, off) in [("Silver set", 100, 500), ("Gold set", 200, 1000)] {
        let new = NewPack {
            off,
            ..pack(name, size)
        };
        put(&world, new).unwrap();
    }
    let anybody = Buyer::default();
    assert_eq!(deal(&world, &anybody, 100, None).price, cents(950));
    assert_eq!(deal(&world, &anybody, 200, None).price, cents(1800));
    let tier = |preferred, from, off| Tier {
        preferred,
        from_tokens: tokens(from),
        off,
    };
    let wanted = [tier(true, 0, 200), tier(false, 500, 1500)];
    let vendor = world.vendor.clone();
    world
        .write(move |tx| tiers_set(tx, Actor::System, &vendor, &[], &wanted))
        .unwrap();
    let held = world
        .node
        .engine
        .read(|tx| tiers(tx, world.book()))
        .unwrap();
    assert_eq!(held, [wanted[1], wanted[0]], "in order");
    assert_eq!(deal(&world, &anybody, 499, None).price, cents(4990));
    let many = deal(&world, &anybody, 500, None);
    assert_eq!((many.price, many.list_price), (cents(4250), cents(5000)));
    assert_eq!(many.discounts[0].kind, DiscountKind::Volume);
    let friend = Buyer {
        preferred: true,
        ..Buyer::default()
    };
    assert_eq!(deal(&world, &friend, 10, None).price, cents(98));
    assert_eq!(
        deal(&world, &friend, 100, None).price,
        cents(950),
        "the best one"
    );
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let held = policy_version(tx, vendor.book_id)?;
            let mut new = held.policy;
            new.sale.stacking = true;
            policy_set(tx, Actor::System, &vendor, held.number, &new)
        })
        .unwrap();
    assert_eq!(
        deal(&world, &friend, 100, None).price,
        cents(930),
        "5 and 2 %"
    );
    let told = world
        .node
        .engine
        .read(|tx| trail(tx, world.book(), &Filter::default(), None, 10))
        .unwrap();
    let told: Vec<&str> = told.items.iter().map(|n| n.action.as_str()).collect();
    let expected = [
        "policy.changed",
        "token_tiers.changed",
        "pack.created",
        "pack.created",
    ];
    assert_eq!(told, expected);
}

/// An offer of a product in a category.
fn offer_in(world: &World, category: &str, sku: &str, price: i64) -> OfferId {
    let vendor = world.vendor.clone();
    let product = NewProduct {
        handle: sku.to_owned(),
        title: sku.to_owned(),
        category: category.to_owned(),
        ..NewProduct::default()
    };
    let new = plain_offer(sku, tokens(price));
    world
        .write(move |tx| {
            let (product, _) = product_put(tx, &vendor, &product)?;
            offer_put(tx, &vendor, product, &new)
        })
        .unwrap()
        .0
}

/// TOK-05: restricted tokens at a discount are refused on what is not on sale, and accepted there.
fn restricted_tokens_pay_for_sales_only(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    let id = world.register().customer_id;
    let new = NewPack {
        off: 9000,
        restriction: "sale".to_owned(),
        ..pack("Sale tokens", 100)
    };
    let sale = put(&world, new).unwrap();
    assert_eq!(paid(buy(&world, id, 100, sale.id)), cents(100), "90 % off");
    let plain = world.offer("plain", 10);
    let flagged = world.offer_of(NewOffer {
        on_sale: true,
        ..plain_offer("flagged", tokens(10))
    });
    let refusal = refused(world.place(id, &[want(plain, 1)]));
    assert!(matches!(refusal, Refusal::Restricted { .. }), "{refusal}");
    completed(world.place(id, &[want(flagged, 1)]));
    assert_eq!(world.balance(id), tokens(90));
    // Who asks for just so many tokens does not get them.
    assert_eq!(
        deal(&world, &Buyer::default(), 100, None).price,
        cents(1000)
    );
}

/// TOK-01: prices differ by product category through tokens that are for it alone.
fn tokens_for_a_category_pay_for_it_only(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    let id = world.register().customer_id;
    let new = NewPack {
        off: 2000,
        restriction: " category: Books ".to_owned(),
        ..pack("Book tokens", 100)
    };
    let books = put(&world, new).unwrap();
    assert_eq!(books.restriction.as_deref(), Some("category:Books"));
    assert_eq!(paid(buy(&world, id, 100, books.id)), cents(800));
    let novel = offer_in(&world, "Books", "novel", 30);
    let chess = offer_in(&world, "Games", "chess", 30);
    let refusal = refused(world.place(id, &[want(chess, 1)]));
    assert!(matches!(refusal, Refusal::Restricted { .. }), "{refusal}");
    completed(world.place(id, &[want(novel, 2)]));
    world.buy(id, tokens(30), "test_ok").unwrap();
    completed(world.place(id, &[want(chess, 1), want(novel, 1)]));
    assert_eq!(world.balance(id), tokens(10));
}

/// TOK-07: a pack's life, else the policy's, is the life of the tokens.
fn tokens_of_a_pack_live_as_long_as_it_says(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    let id = world.register().customer_id;
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let held = policy_version(tx, vendor.book_id)?;
            let mut new = held.policy;
            new.sale.life_days = Some(365);
            policy_set(tx, Actor::System, &vendor, held.number, &new)
        })
        .unwrap();
    let new = NewPack {
        life_days: Some(30),
        off: 3000,
        ..pack("Summer", 100)
    };
    let summer = put(&world, new).unwrap();
    buy(&world, id, 100, summer.id).unwrap();
    world.buy(id, tokens(10), "test_ok").unwrap();
    assert_eq!(world.quote(id, &[]).available, tokens(110));
    world.clock.advance_seconds(30 * DAY_S);
    assert_eq!(world.quote(id, &[]).available, tokens(10));
    world.clock.advance_seconds(335 * DAY_S);
    assert_eq!(world.quote(id, &[]).available, Amount::ZERO);
}

/// TOK-01: a country's own price, planned prices, and the history of them all.
fn prices_differ_by_country_and_are_kept(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    let swiss = Buyer {
        country: "CH".to_owned(),
        ..Buyer::default()
    };
    let in_ch = |world: &World, price: Option<Amount>, at: Option<Timestamp>| {
        let vendor = world.vendor.clone();
        world.write(move |tx| country_price_set(tx, Actor::System, &vendor, " ch ", price, at))
    };
    in_ch(&world, Some(cents(20)), None).unwrap();
    let planned = world.now().plus_seconds(DAY_S);
    in_ch(&world, None, Some(planned)).unwrap();
    assert_eq!(deal(&world, &swiss, 100, None).price, cents(2000));
    assert_eq!(
        deal(&world, &Buyer::default(), 100, None).price,
        cents(1000)
    );
    let local = put(
        &world,
        NewPack {
            country: "ch".to_owned(),
            off: 5000,
            ..pack("Alp", 100)
        },
    );
    let local = local.unwrap();
    assert_eq!(deal(&world, &swiss, 100, Some(local.id)).price, cents(1000));
    let elsewhere = world.node.engine.read(|tx| {
        let now = Read::now(tx);
        let anybody = Buyer::default();
        token_deal(
            tx,
            &world.vendor,
            &anybody,
            tokens(100),
            Some(local.id),
            now,
        )
    });
    assert!(matches!(elsewhere, Err(TokenSaleError::PackNotSold)));
    world.clock.set(planned);
    assert_eq!(
        deal(&world, &swiss, 10, None).price,
        cents(100),
        "general again"
    );
    let past = in_ch(&world, Some(cents(1)), Some(Timestamp(planned.0 - 1)));
    assert!(matches!(past, Err(TokenSaleError::Price(_))), "{past:?}");
    let kept = world
        .node
        .engine
        .read(|tx| country_prices(tx, world.book()));
    assert_eq!(kept.unwrap().len(), 2);
    let vendor = world.vendor.clone();
    world
        .write(move |tx| price_change(tx, Actor::System, &vendor, cents(12), None))
        .unwrap();
    let quote = |world: &World| {
        let read = world
            .node
            .engine
            .read(|tx| token_price_quote(tx, &world.vendor, tokens(10)));
        read.unwrap()
    };
    assert_eq!(quote(&world), cents(120));
    let history = world
        .node
        .engine
        .read(|tx| price_history(tx, world.book(), None, 10))
        .unwrap();
    let prices: Vec<Amount> = history.items.iter().map(|p| p.price).collect();
    assert_eq!(prices, [cents(12), cents(10)], "the newest first");
}

fn what_no_price_can_be(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    type Change = fn(&mut NewPack);
    let wrong: [(&str, Change); 11] = [
        ("empty", |p| p.name = " ".to_owned()),
        ("characters", |p| p.name = "x".repeat(61)),
        ("some tokens", |p| p.tokens = Amount::ZERO),
        ("at most", |p| p.tokens = Amount::from_units(i64::MAX)),
        ("above zero", |p| p.price = Some(Amount::ZERO)),
        ("99.99", |p| p.off = 10_000),
        ("99.99", |p| p.off = -1),
        ("not both", |p| {
            p.off = 1;
            p.price = Some(Amount::from_units(1));
        }),
        ("days", |p| p.life_days = Some(0)),
        ("restricted to", |p| p.restriction = "everything".to_owned()),
        ("two letters", |p| p.country = "Germany".to_owned()),
    ];
    for (said, change) in wrong {
        let mut new = pack("Pack", 10);
        change(&mut new);
        let error = put(&world, new).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let customer = world.register().customer_id;
    let vendor = world.vendor.clone();
    let own = Actor::Customer(customer);
    let foreign = world.write(move |tx| pack_put(tx, own, &vendor, &pack("Mine", 1)));
    assert!(matches!(foreign, Err(TokenSaleError::Forbidden)));
    for set in [
        vec![(0, 0)],
        vec![(0, 10_000)],
        vec![(-1, 1)],
        vec![(5, 1), (5, 2)],
        (0..51).map(|n| (n, 1)).collect(),
    ] {
        let tiers: Vec<Tier> = set
            .iter()
            .map(|(from, off)| Tier {
                preferred: false,
                from_tokens: tokens(*from),
                off: *off,
            })
            .collect();
        let vendor = world.vendor.clone();
        let odd = world.write(move |tx| tiers_set(tx, Actor::System, &vendor, &[], &tiers));
        assert!(matches!(odd, Err(TokenSaleError::Price(_))), "{odd:?}");
    }
}

fn of_two_who_change_a_price_the_second_is_told(db: &TestDb) {
    let world = World::with(db, "0.10", "0");
    let made = put(&world, pack("Pack", 10)).unwrap();
    let change = |off| NewPack {
        change: Some((made.id, made.version)),
        off,
        ..pack("Pack", 10)
    };
    let changed = put(&world, change(100)).unwrap();
    assert_eq!((changed.version, changed.sold_from), (2, made.sold_from));
    let second = put(&world, change(200));
    assert!(
        matches!(second, Err(TokenSaleError::PackChanged)),
        "{second:?}"
    );
    let twin = put(&world, pack("Pack", 20));
    assert!(twin.unwrap_err().to_string().contains("name"));
    let one = Tier {
        preferred: false,
        from_tokens: tokens(1),
        off: 1,
    };
    let set = |seen: &'static [Tier]| {
        let vendor = world.vendor.clone();
        world.write(move |tx| tiers_set(tx, Actor::System, &vendor, seen, &[one]))
    };
    set(&[]).unwrap();
    assert!(matches!(set(&[]), Err(TokenSaleError::PackChanged)));
    let elsewhere = world.other_vendor("elsewhere");
    let foreign = world.write(move |tx| pack_withdraw(tx, Actor::System, &elsewhere, made.id));
    assert!(
        matches!(foreign, Err(TokenSaleError::PackNotSold)),
        "{foreign:?}"
    );
}
