//! Vendors: token prices over time, staff, short names, the master key.

use crate::support::{DAY_S, MASTER, World, tokens};
use scrip_domain::Node;
use scrip_domain::token_sale::Outcome;
use scrip_domain::vault::{SecretKey, Vault};
use scrip_domain::vendor::{
    EntityKind, NewVendor, Role, VendorError, staff_by_name, staff_create, token_price_at,
    token_price_set, vendor_by_slug, vendor_create, vendors,
};
use scrip_domain::{Actor, Amount};
use scrip_engine::{Error as EngineError, Timestamp};
use scrip_ledger::Error as LedgerError;
use scrip_testkit::TestDb;

both!(
    a_price_change_affects_later_sales_only,
    prices_that_held_stay_as_they_were,
    issue_writes_to_the_vendors_ledger_alone,
    a_vendor_is_checked,
    names_of_staff_are_taken_once,
    another_master_key_is_refused,
);

fn set_price(world: &World, price: &str, effective_at: Timestamp) -> Result<(), VendorError> {
    let vendor = world.vendor.clone();
    let price = Amount::parse(price, vendor.currency.scale).unwrap();
    world.write(move |tx| {
        token_price_set(
            tx,
            scrip_domain::Actor::System,
            &vendor,
            price,
            effective_at,
        )
    })
}

fn paid(outcome: Outcome) -> String {
    match outcome {
        Outcome::Cleared { price, .. } => price.decimal(8),
        other => panic!("{other:?}"),
    }
}

/// TOK-01: the vendor sets the price at any time and at any level; a change affects later sales
/// only, and what was paid before stays recorded as it was.
fn a_price_change_affects_later_sales_only(db: &TestDb) {
    let world = World::new(db);
    let id = world.register().customer_id;
    let buy = || paid(world.buy(id, tokens(100), "test_ok").unwrap());
    assert_eq!(buy(), "1");
    set_price(&world, "12.5", world.now()).unwrap();
    assert_eq!(buy(), "1250");
    set_price(&world, "0.00000001", world.now().plus_seconds(DAY_S)).unwrap();
    assert_eq!(buy(), "1250", "it does not hold yet");
    world.clock.advance_seconds(DAY_S);
    assert_eq!(buy(), "0.01", "rounded up to a whole cent");
    let prices: Vec<i64> = world
        .rows("SELECT price FROM token_order WHERE book_id = $1 ORDER BY created_at, price DESC")
        .iter()
        .map(|row| row.int(0).unwrap())
        .collect();
    assert_eq!(prices.len(), 4);
    assert!(prices.contains(&100_000_000), "the first sale is unchanged");
    assert_eq!(world.balance(id), tokens(400));
}

/// TOK-01: prior prices are kept.
fn prices_that_held_stay_as_they_were(db: &TestDb) {
    let world = World::new(db);
    let begin = world.now();
    world.clock.advance_seconds(10);
    set_price(&world, "0.02", world.now()).unwrap();
    world.clock.advance_seconds(10);
    for past in [
        Timestamp(0),
        begin,
        begin.plus_seconds(10),
        begin.plus_seconds(15),
    ] {
        let refused = set_price(&world, "0.03", past);
        assert!(matches!(refused, Err(VendorError::PriceInPast)), "{past}");
    }
    for nothing in ["0", "-1"] {
        let refused = set_price(&world, nothing, world.now());
        assert!(matches!(refused, Err(VendorError::PriceNotPositive)));
    }
    let at = |time: Timestamp| {
        let price = world
            .node
            .engine
            .read(|tx| token_price_at(tx, world.book(), time));
        price.unwrap().decimal(8)
    };
    assert_eq!(at(Timestamp(0)), "0.01");
    assert_eq!(at(begin.plus_seconds(9)), "0.01");
    assert_eq!(at(begin.plus_seconds(10)), "0.02");
    assert_eq!(at(Timestamp::NEVER), "0.02");
}

/// TOK-01: tokens are issued in the vendor's ledger alone, with no call to a financial
/// institution, also while the payment provider is down.
fn issue_writes_to_the_vendors_ledger_alone(db: &TestDb) {
    let world = World::new(db);
    let other = world.other_vendor("other-shop");
    let id = world.register().customer_id;
    world.give(
        id,
        tokens(60),
        scrip_ledger::Origin::Free,
        None,
        Timestamp::NEVER,
    );
    assert_eq!(world.cards.calls(), 0);
    assert_eq!(world.balance(id), tokens(60));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM entry WHERE book_id = $1"),
        1
    );
    let elsewhere = world.node.engine.read(|tx| {
        use scrip_engine::Read;
        tx.query_one(
            "SELECT COUNT(*) FROM transfer WHERE book_id = $1",
            scrip_engine::params![other.book_id],
        )?
        .int(0)
    });
    assert_eq!(elsewhere.unwrap(), 0);
}

fn a_vendor_is_checked(db: &TestDb) {
    let world = World::new(db);
    let good = NewVendor {
        kind: EntityKind::Vendor,
        slug: "second".to_owned(),
        name: "Второй магазин".to_owned(),
        currency: "EUR".to_owned(),
        token_price: "0.1".to_owned(),
        minimum_tokens: "0".to_owned(),
        declines_allowed: 1,
    };
    let create = |new: NewVendor| {
        let vault = world.node.vault.clone();
        world.write(move |tx| vendor_create(tx, &vault, &new))
    };
    let wrong = |change: fn(&mut NewVendor)| {
        let mut new = good.clone();
        change(&mut new);
        create(new).unwrap_err()
    };
    let slug = wrong(|v| v.slug = "corner-shop".into());
    assert!(matches!(
        slug,
        VendorError::Ledger(LedgerError::SlugTaken(_))
    ));
    let slug = wrong(|v| v.slug = "Ünmöglich".into());
    assert!(matches!(
        slug,
        VendorError::Ledger(LedgerError::SlugInvalid(_))
    ));
    let currency = wrong(|v| v.currency = "euro".into());
    assert!(matches!(
        currency,
        VendorError::Ledger(LedgerError::CurrencyInvalid(_))
    ));
    let price = wrong(|v| v.token_price = "0".into());
    assert!(matches!(price, VendorError::PriceNotPositive));
    let price = wrong(|v| v.token_price = "0.000000001".into());
    assert!(matches!(
        price,
        VendorError::Ledger(LedgerError::NotAnAmount { .. })
    ));
    let minimum = wrong(|v| v.minimum_tokens = "-1".into());
    assert!(matches!(
        minimum,
        VendorError::Ledger(LedgerError::NotPositive)
    ));
    let declines = wrong(|v| v.declines_allowed = 0);
    assert!(matches!(declines, VendorError::DeclinesNotPositive));
    let name = wrong(|v| v.name = "x".repeat(10_000));
    assert!(matches!(name, VendorError::Text(_)));
    let made = create(good.clone()).unwrap();
    let slugs: Vec<String> = world
        .node
        .engine
        .read(|tx| vendors(tx))
        .unwrap()
        .into_iter()
        .map(|v| v.slug)
        .collect();
    assert_eq!(
        slugs,
        ["corner-shop", "second"],
        "nothing stands of what failed"
    );
    let found = world.node.engine.read(|tx| vendor_by_slug(tx, "second"));
    assert_eq!(found.unwrap(), made);
    let unknown = world.node.engine.read(|tx| vendor_by_slug(tx, "third"));
    assert!(matches!(unknown, Err(VendorError::Unknown(_))));
}

fn names_of_staff_are_taken_once(db: &TestDb) {
    let world = World::new(db);
    let id = world.staff("Ada");
    let vendor = world.vendor.clone();
    let again = world.write(move |tx| {
        staff_create(
            tx,
            scrip_domain::Actor::System,
            &vendor,
            " Ada ",
            Role::Owner,
        )
    });
    assert!(matches!(again, Err(VendorError::StaffNameTaken(_))));
    let other = world.other_vendor("other-shop");
    let there = other.clone();
    let theirs = world.write(move |tx| {
        staff_create(
            tx,
            scrip_domain::Actor::System,
            &there,
            "Ada",
            Role::Auditor,
        )
    });
    assert_ne!(theirs.unwrap().staff_id, id, "another vendor has its own");
    let found = world
        .node
        .engine
        .read(|tx| staff_by_name(tx, &world.vendor, "Ada"))
        .unwrap();
    assert_eq!((found.staff_id, found.role), (id, Role::Cashier));
    let nobody = world
        .node
        .engine
        .read(|tx| staff_by_name(tx, &world.vendor, "Bob"));
    assert!(matches!(nobody, Err(VendorError::StaffUnknown(_))));
    assert!(Actor::Staff(id).for_vendor());
}

fn another_master_key_is_refused(db: &TestDb) {
    let world = World::new(db);
    let engine = world.node.engine.clone();
    let mut key = MASTER;
    key[31] ^= 1;
    let refused = Node::new(engine.clone(), Vault::new(SecretKey::new(key)));
    assert!(matches!(refused, Err(EngineError::Unavailable(text)) if text.contains("key")));
    assert!(Node::new(engine, Vault::new(SecretKey::new(MASTER))).is_ok());
}
