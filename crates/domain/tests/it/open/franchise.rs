//! Franchises: exchange inside, one value, what the parent sees (FIG. 16).

use super::plaza::{MAKER, Plaza, money};
use crate::support::tokens;
use scrip_domain::Actor;
use scrip_domain::mall::{
    MallError, franchise_join, franchise_leave, franchise_statement, franchise_value_set, value_at,
    value_set,
};
use scrip_engine::Read;
use scrip_testkit::TestDb;

both!(
    members_take_each_others_tokens_and_outsiders_do_not,
    the_parent_fixes_one_value,
    a_tree_has_one_level,
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
