//! Franchises: exchange inside, one value, what the parent sees (FIG. 16).

use super::plaza::{MAKER, Plaza, money};
use crate::support::tokens;
use scrip_domain::mall::{
    Clearing, Clears, MallError, Party, adjustment_make, clearing_close, franchise_clear,
    franchise_interval_set, franchise_join, franchise_leave, franchise_statement,
    franchise_value_set, franchises_due, invoice, value_at, value_set,
};
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, Timestamp};
use scrip_testkit::TestDb;

both!(
    members_take_each_others_tokens_and_outsiders_do_not,
    the_parent_fixes_one_value,
    a_tree_has_one_level,
    a_franchise_clears_at_an_interval_of_its_own,
    what_is_carried_stays_with_its_own_clearings,
);

impl Plaza {
    /// The manufacturer as the parent of members.
    fn franchise(&self, places: &[usize]) {
        for place in places {
            self.join(MAKER, *place).unwrap();
        }
    }

    fn join(&self, parent: usize, child: usize) -> Result<(), MallError> {
        let (parent, child) = (self.member(parent), self.member(child));
        self.world(0)
            .write(move |tx| franchise_join(tx, Actor::System, &parent, &child))
    }

    fn take_nobodys(&self) {
        for acceptor in 0..3 {
            for issuer in (0..3).filter(|i| *i != acceptor) {
                self.mall.accept(acceptor, issuer, false).unwrap();
            }
        }
    }
}

/// OPN-07, OPN-06: without acceptance of each other; A2 owes A3; who is outside is refused; the parent sees it.
fn members_take_each_others_tokens_and_outsiders_do_not(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.take_nobodys();
    let ana = (0, plaza.world(0).buyer(100));
    assert!(plaza.mall.exchange(ana, 1, tokens(10)).is_err());
    plaza.franchise(&[0, 1]);
    let begin = plaza.world(0).now();
    let done = plaza.mall.exchange(ana, 1, tokens(10)).unwrap();
    assert_eq!(plaza.world(1).balance(done.visitor), tokens(25));
    assert_eq!(plaza.mall.position(0), money("1"));
    let outside = plaza.mall.exchange(ana, 2, tokens(10));
    assert!(outside.unwrap_err().to_string().contains("takes no tokens"));
    plaza.world(0).clock.advance_seconds(1);
    let (parent, end) = (plaza.member(MAKER), begin.plus_seconds(1));
    let engine = &plaza.world(0).node.engine;
    let seen = engine.read(|tx| franchise_statement(tx, &parent, begin, end));
    assert_eq!(seen.unwrap().len(), 1);
    let member = plaza.member(1);
    plaza
        .world(0)
        .write(move |tx| franchise_leave(tx, Actor::System, &member))
        .unwrap();
    assert!(plaza.mall.exchange(ana, 1, tokens(10)).is_err());
}

/// OPN-07, GOV-01: the override is blocked until the parent lifts it.
fn the_parent_fixes_one_value(db: &TestDb) {
    let plaza = Plaza::new(db);
    let fix = |place: usize, value: Option<&str>| {
        let (parent, value) = (plaza.member(place), value.map(money));
        plaza
            .world(0)
            .write(move |tx| franchise_value_set(tx, Actor::System, &parent, value))
    };
    assert!(matches!(
        fix(MAKER, Some("0.05")),
        Err(MallError::NoFranchise(_))
    ));
    plaza.franchise(&[0, 1]);
    fix(MAKER, Some("0.05")).unwrap();
    let value = |place: usize| {
        let member = plaza.member(place);
        let engine = &plaza.world(0).node.engine;
        let now = engine.now();
        engine.read(|tx| value_at(tx, &member, now)).unwrap()
    };
    assert_eq!(
        (value(0), value(1)),
        (Some(money("0.05")), Some(money("0.05")))
    );
    assert_eq!(value(2), Some(money("0.03")), "not of the franchise");
    let set = || {
        let member = plaza.member(0);
        plaza.world(0).write(move |tx| {
            let now = tx.now();
            value_set(tx, Actor::System, &member, money("0.08"), now)
        })
    };
    assert!(matches!(set(), Err(MallError::ValueFixed(_))));
    fix(MAKER, None).unwrap();
    set().unwrap();
    assert!(matches!(
        fix(MAKER, Some("0")),
        Err(MallError::ValueInvalid)
    ));
}

/// OPN-07: A member belongs to one franchise, and a parent to none.
fn a_tree_has_one_level(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.franchise(&[0]);
    for (parent, child) in [(2, 0), (0, 2), (2, MAKER)] {
        assert!(matches!(
            plaza.join(parent, child),
            Err(MallError::FranchiseTree)
        ));
    }
    assert!(matches!(plaza.join(1, 1), Err(MallError::SameMember)));
}

/// OPN-07, GOV-09: what passed between two of them is netted at the parent's interval; the mall's own
/// clearing counts the rest, and nothing is counted twice.
fn a_franchise_clears_at_an_interval_of_its_own(db: &TestDb) {
    let plaza = Plaza::new(db);
    let parent = plaza.member(MAKER);
    let interval = |clears| {
        let parent = parent.clone();
        plaza
            .world(0)
            .write(move |tx| franchise_interval_set(tx, Actor::System, &parent, clears))
    };
    let none = interval(Clears::Day);
    assert!(matches!(none, Err(MallError::NoFranchise(_))));
    plaza.franchise(&[0, 1]);
    let clock = &plaza.world(0).clock;
    clock.set(Timestamp::parse("2026-06-01T12:00:00Z").unwrap());
    interval(Clears::Day).unwrap();
    let due = || {
        let mall = plaza.mall.mall.clone();
        let engine = &plaza.world(0).node.engine;
        engine.read(|tx| franchises_due(tx, &mall)).unwrap().len()
    };
    let ana = (0, plaza.world(0).buyer(100));
    plaza.mall.exchange(ana, 1, tokens(10)).unwrap();
    plaza.mall.exchange(ana, 2, tokens(30)).unwrap();
    assert_eq!(due(), 0, "its day is not over");
    clock.set(Timestamp::parse("2026-06-02T00:00:00Z").unwrap());
    assert_eq!(due(), 1);
    let nets = |clearing: &Clearing| -> Vec<(i64, Amount)> {
        let some = clearing.positions.iter().filter(|(_, p)| !p.net.is_zero());
        some.map(|(book, p)| (*book, p.net)).collect()
    };
    let (mall, of) = (plaza.mall.mall.clone(), parent.clone());
    let inside = plaza
        .world(0)
        .write(move |tx| franchise_clear(tx, Actor::System, &mall, &of))
        .unwrap();
    let books: Vec<i64> = (0..3).map(|place| plaza.member(place).book_id).collect();
    assert_eq!(inside.franchise, Some(parent.book_id));
    assert_eq!(
        nets(&inside),
        [(books[0], money("1")), (books[1], money("-1"))]
    );
    assert_eq!(due(), 0);
    let mall = plaza.mall.mall.clone();
    let rest = plaza
        .world(0)
        .write(move |tx| clearing_close(tx, Actor::System, &mall))
        .unwrap();
    assert_eq!((rest.number, rest.franchise), (2, None));
    assert_eq!(
        nets(&rest),
        [(books[0], money("3")), (books[2], money("-3"))]
    );
    // Both are what is due in all, and the next ones begin with what these carry: nothing.
    assert_eq!(plaza.mall.position(0), money("4"));
    let mall = plaza.mall.mall.clone();
    let empty = plaza
        .world(0)
        .write(move |tx| clearing_close(tx, Actor::System, &mall))
        .unwrap();
    assert_eq!(nets(&empty), []);
    let customer = Actor::Customer(ana.1);
    let refused = {
        let parent = parent.clone();
        plaza
            .world(0)
            .write(move |tx| franchise_interval_set(tx, customer, &parent, Clears::Week))
    };
    assert!(matches!(refused, Err(MallError::OperatorOnly)));
}

/// OPN-07, MIC-03: a fraction is carried to the next clearing of the same kind, also when a franchise has
/// cleared between the two; the invoice says so.
fn what_is_carried_stays_with_its_own_clearings(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.franchise(&[0, 1]);
    let (mall, parent) = (plaza.mall.mall.clone(), plaza.member(MAKER));
    let world = plaza.world(0);
    let clear = || {
        let mall = mall.clone();
        world
            .write(move |tx| clearing_close(tx, Actor::System, &mall))
            .unwrap()
            .number
    };
    let (of, payer) = (mall.clone(), plaza.member(0));
    world
        .write(move |tx| {
            let sides = (Party::Member(&payer), Party::Mall);
            let what = (money("1.234"), "agreed");
            adjustment_make(tx, Actor::System, &of, sides, what)
        })
        .unwrap();
    assert_eq!(clear(), 1);
    let of = mall.clone();
    let inside = world.write(move |tx| franchise_clear(tx, Actor::System, &of, &parent));
    assert_eq!(inside.unwrap().number, 2);
    assert_eq!(clear(), 3);
    let member = plaza.member(0);
    let carried = |number| {
        let found = world.node.engine.read(|tx| invoice(tx, &member, number));
        found.unwrap().map(|(_, carried)| carried)
    };
    assert_eq!(carried(1), Some(Amount::ZERO));
    assert_eq!(carried(2), Some(Amount::ZERO));
    assert_eq!(carried(3), Some(money("0.004")));
    assert_eq!(carried(4), None);
}
