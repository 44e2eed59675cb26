//! What a vendor decides, and the trail of who did it.

use crate::support::{World, tokens};
use scrip_domain::Actor;
use scrip_domain::audit::{self, Filter, Noted};
use scrip_domain::books;
use scrip_domain::policy::{PolicyError, policy_history, policy_set, policy_version};
use scrip_ledger::AccountKind;
use scrip_testkit::TestDb;
use serde_json::json;

fn trail(world: &World, filter: &Filter) -> Vec<Noted> {
    let book = world.book();
    let page = world
        .node
        .engine
        .read(|tx| audit::trail(tx, book, filter, None, 100))
        .unwrap();
    assert!(page.next.is_none());
    page.items
}

both!(
    each_change_is_a_version_and_in_the_trail,
    a_change_of_what_somebody_changed_meanwhile_is_refused,
    accounts_of_the_book_are_opened_once,
);

/// REG-04, SHP-05: settings are kept in versions, each change is in the trail with what it
/// changed and who did it, and setting what holds already changes nothing.
fn each_change_is_a_version_and_in_the_trail(db: &TestDb) {
    let world = World::new(db);
    let actor = Actor::Staff(world.staff("Olga"));
    let (vendor, book) = (world.vendor.clone(), world.book());
    let held = world
        .node
        .engine
        .read(|tx| policy_version(tx, book))
        .unwrap();
    assert_eq!(held.number, 0, "nothing was decided yet");
    let mut new = held.policy.clone();
    new.browsing.threshold = Some(tokens(7));
    for _ in 0..2 {
        let (vendor, new) = (vendor.clone(), new.clone());
        let began = world
            .node
            .engine
            .read(|tx| policy_version(tx, book))
            .unwrap()
            .number;
        let number = world.write(move |tx| policy_set(tx, actor, &vendor, began, &new));
        assert_eq!(number.unwrap(), 1);
    }
    let held = world
        .node
        .engine
        .read(|tx| policy_version(tx, book))
        .unwrap();
    assert_eq!(held.policy, new);
    let noted = trail(&world, &Filter::default());
    let changes: Vec<_> = noted
        .iter()
        .filter(|n| n.action == "policy.changed")
        .collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].actor, actor.to_string());
    let detail = json!({"browsing.threshold": {"from": null, "to": 7_000_000}});
    assert_eq!(changes[0].detail, detail);
    let history = world
        .node
        .engine
        .read(|tx| policy_history(tx, book, 10))
        .unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].by, actor.to_string());
    let filter = Filter {
        actor: Some("system".into()),
        ..Filter::default()
    };
    assert!(trail(&world, &filter).iter().all(|n| n.actor == "system"));
}

/// REG-04: of two who change the settings at once, the second one is told and loses nothing.
fn a_change_of_what_somebody_changed_meanwhile_is_refused(db: &TestDb) {
    let world = World::new(db);
    let book = world.book();
    let set = |stacking: bool, days: i64| {
        let vendor = world.vendor.clone();
        world.write(move |tx| {
            let mut new = scrip_domain::policy::Policy::default();
            new.sale.stacking = stacking;
            new.sale.life_days = Some(days);
            policy_set(tx, Actor::System, &vendor, 0, &new)
        })
    };
    assert_eq!(set(true, 30).unwrap(), 1);
    let error = set(false, 60).unwrap_err();
    assert!(
        matches!(error, PolicyError::Stale { now: 1, began: 0 }),
        "{error}"
    );
    let held = world
        .node
        .engine
        .read(|tx| policy_version(tx, book))
        .unwrap();
    assert_eq!(held.policy.sale.life_days, Some(30));
}

/// TOK-12: an account that is needed for the first time by several at once is opened once.
fn accounts_of_the_book_are_opened_once(db: &TestDb) {
    let world = World::new(db);
    let opened: Vec<i64> = std::thread::scope(|scope| {
        let open = || {
            let vendor = world.vendor.clone();
            world.write(move |tx| books::account(tx, &vendor, AccountKind::Receivable))
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap().unwrap())
            .collect()
    });
    assert!(opened.iter().all(|id| *id == opened[0]), "{opened:?}");
    let count = "SELECT count(*) FROM account WHERE book_id = $1 AND kind = 'receivable'";
    assert_eq!(world.number(count), 1);
    world.verify();
}
