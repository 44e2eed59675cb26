//! What the mall hears of its members, and what it takes for it.

use super::plaza::{Plaza, money, paid};
use crate::support::{tokens, want};
use scrip_domain::closing::customer_erase;
use scrip_domain::customer::{Details, Person, customer_balance, person_set};
use scrip_domain::id::CustomerId;
use scrip_domain::mall::{
    TakesRoyalty, Toll, deposit, deposit_add, royalty_taking_set, statement, toll_set,
};
use scrip_domain::mirror::{Mirrored, Mirrors, Use, mall_hears, mirror_of, mirrors_set, uses};
use scrip_domain::open_token::OpenKind;
use scrip_domain::{Actor, Amount};
use scrip_engine::Read;
use scrip_engine::outbox::hand_over;
use scrip_testkit::TestDb;

both!(
    each_use_is_a_row_and_a_message_has_one_effect,
    the_royalty_is_the_same_billed_or_from_a_deposit,
    the_mirror_is_what_the_vendor_keeps,
    a_vendor_mirrors_wholly_in_part_or_not,
    each_event_costs_its_toll,
    a_thousand_fractions_come_to_five_cents,
);

impl Plaza {
    /// Hands what lies in a member's outbox to the mall; twice, as after a power cut.
    fn hear(&self, place: usize) {
        let world = self.world(place);
        let heard = hand_over(&world.node.engine, world.book(), 1_000, |tx, messages| {
            mall_hears(tx, messages)?;
            mall_hears(tx, messages)
        });
        assert_eq!(heard.unwrap().failed, 0);
    }

    fn uses(&self, place: usize) -> Vec<Use> {
        let member = self.member(place);
        let engine = &self.world(0).node.engine;
        let mut uses = engine.read(|tx| uses(tx, &member, 100)).unwrap();
        uses.reverse();
        uses
    }

    fn mirrored(&self, place: usize, id: CustomerId) -> Option<Mirrored> {
        let member = self.member(place);
        let engine = &self.world(0).node.engine;
        engine.read(|tx| mirror_of(tx, &member, id)).unwrap()
    }

    fn deposit(&self, place: usize, amount: &str, low: &str) {
        let (member, amount, low) = (self.member(place), money(amount), money(low));
        self.world(0)
            .write(move |tx| {
                deposit_add(tx, Actor::System, &member, amount, Some(low))?;
                royalty_taking_set(tx, Actor::System, &member, TakesRoyalty::Deposit)
            })
            .unwrap();
    }

    fn deposit_left(&self, place: usize) -> Amount {
        let member = self.member(place);
        let engine = &self.world(0).node.engine;
        let found = engine.read(|tx| deposit(tx, &member)).unwrap();
        found.unwrap().remaining
    }
}

/// MSP-05, MSP-09, MSP-10, GOV-03, GOV-15: issue, sale, refusal, with counts, types, reasons; heard twice it is
/// heard once.
fn each_use_is_a_row_and_a_message_has_one_effect(db: &TestDb) {
    let plaza = Plaza::new(db);
    let world = plaza.world(0);
    let ana = world.buyer(100);
    plaza.hear(0);
    let lamp = world.offer("lamp", 30);
    let dear = world.offer("dear", 500);
    world.place(ana, &[want(lamp, 1)]);
    world.place(ana, &[want(dear, 1)]);
    plaza.hear(0);
    plaza.hear(0);
    let uses = plaza.uses(0);
    let told: Vec<(&str, Amount, &str)> = uses
        .iter()
        .map(|one| (one.what.as_str(), one.tokens, one.reason.as_str()))
        .collect();
    assert_eq!(told[0].0, "customer.registered");
    assert!(told.contains(&("token_order.cleared", told[1].1, "")));
    assert!(told.contains(&("order.completed", tokens(30), "")));
    assert!(told.contains(&("order.refused", tokens(500), "shortage")));
    assert!(uses.iter().all(|one| one.token == "closed"));
    let (away, lamp) = ((1, plaza.customer(1)), plaza.world(0).offer("rug", 100));
    plaza.sold(1, away, OpenKind::Universal, "10");
    paid(plaza.buy(away, 0, lamp));
    plaza.hear(1);
    let open = plaza.uses(1);
    let open = open.iter().filter(|one| one.token == "open");
    let open: Vec<&str> = open.map(|one| one.what.as_str()).collect();
    assert_eq!(
        open,
        [
            "open_token.issued",
            "customer.known_at",
            "open_order.completed"
        ]
    );
}

/// MSP-06, OPN-20: based on RT; both ways come to the same; what the deposit does not cover is billed.
fn the_royalty_is_the_same_billed_or_from_a_deposit(db: &TestDb) {
    let plaza = Plaza::new(db);
    for place in [0, 1] {
        plaza.terms(place, 0, 2, 0);
    }
    plaza.deposit(1, "1", "0.50");
    let mut totals = Vec::new();
    for place in [0, 1] {
        let world = plaza.world(place);
        let ana = world.buyer(3_000);
        let lamp = world.offer("lamp", 333);
        for _ in 0..6 {
            world.place(ana, &[want(lamp, 1)]);
        }
        plaza.hear(place);
        let royalty = plaza.uses(place).into_iter().map(|one| one.royalty);
        totals.push(Amount::sum(royalty).unwrap());
    }
    // 333 tokens at 0.10 and at 0.04, 2 percent, six times.
    assert_eq!(totals, [money("3.996"), money("1.5984")]);
    assert_eq!(plaza.mall.position(0), money("3.996"), "billed");
    assert_eq!(plaza.deposit_left(1), Amount::ZERO);
    assert_eq!(plaza.mall.position(1), money("0.5984"), "the deposit had 1");
    assert_eq!(plaza.mall.kept(), money("5.5944"));
    assert_eq!(plaza.world(1).messages("mall.deposit_low", "riverside"), 1);
    plaza.mall.dues_agree();
}

fn person(name: &str, address: &str) -> Person {
    Person {
        name: name.to_owned(),
        address: address.to_owned(),
        ..Person::default()
    }
}

/// MSP-02, MSP-03, MSP-08: after each event; as ciphertext; an edit reaches the mall; an erased person is gone
/// there, too.
fn the_mirror_is_what_the_vendor_keeps(db: &TestDb) {
    let plaza = Plaza::new(db);
    let world = plaza.world(0);
    let details = Details {
        person: person("Ana Example", "1 Long Road"),
        ..Details::default()
    };
    let ana = world.register_with(details).customer_id;
    let balance = || {
        let customer = world.customer(ana);
        let engine = &world.node.engine;
        engine.read(|tx| customer_balance(tx, &customer)).unwrap()
    };
    let agrees = || {
        plaza.hear(0);
        let mirrored = plaza.mirrored(0, ana).unwrap();
        assert_eq!(mirrored.balance, balance());
        mirrored
    };
    let first = agrees().person.unwrap();
    let shown = String::from_utf8_lossy(&first).to_string();
    assert!(!shown.contains("Ana") && !shown.contains("Road"));
    world.buy(ana, tokens(50), "test_ok").unwrap();
    agrees();
    world.place(ana, &[want(world.offer("lamp", 30), 1)]);
    let spent = agrees();
    assert_eq!(spent.balance, tokens(20));
    let (vault, customer) = (world.node.vault.clone(), world.customer(ana));
    world
        .write(move |tx| {
            let actor = Actor::Customer(ana);
            person_set(
                tx,
                &vault,
                actor,
                &customer,
                &person("Ana Example", "2 New Street"),
            )
        })
        .unwrap();
    let edited = agrees().person.unwrap();
    assert_ne!(first, edited, "the edit reached the mall");
    let (vault, customer) = (world.node.vault.clone(), world.customer(ana));
    world
        .write(move |tx| customer_erase(tx, &vault, Actor::System, &customer))
        .unwrap();
    assert_eq!(agrees().person, None);
}

/// MSP-04: on, without data, off.
fn a_vendor_mirrors_wholly_in_part_or_not(db: &TestDb) {
    let plaza = Plaza::new(db);
    let world = plaza.world(0);
    let details = || Details {
        person: person("Ana Example", "1 Long Road"),
        ..Details::default()
    };
    let set = |mirrors| {
        let member = plaza.member(0);
        plaza
            .world(0)
            .write(move |tx| mirrors_set(tx, &member, mirrors))
            .unwrap();
    };
    let first = world.register_with(details()).customer_id;
    plaza.hear(0);
    assert!(plaza.mirrored(0, first).unwrap().person.is_some());
    set(Mirrors::Tokens);
    assert!(plaza.mirrored(0, first).unwrap().person.is_none());
    let second = world.register_with(details()).customer_id;
    plaza.hear(0);
    assert!(plaza.mirrored(0, second).unwrap().person.is_none());
    set(Mirrors::Nothing);
    let third = world.register_with(details()).customer_id;
    plaza.hear(0);
    for id in [first, second, third] {
        assert_eq!(plaza.mirrored(0, id), None);
    }
    assert!(!plaza.uses(0).is_empty(), "uses are told all the same");
}

/// GOV-14, MIC-01: one for each event, in fractions of a cent; the seller pays for information and the
/// customer, the debtor for the reimbursement.
fn each_event_costs_its_toll(db: &TestDb) {
    let plaza = Plaza::new(db);
    for (toll, price) in [
        (Toll::Information, "0.0005"),
        (Toll::Customer, "0.00025"),
        (Toll::Reimbursement, "0.001"),
    ] {
        let (mall, price) = (plaza.mall.mall.clone(), money(price));
        plaza
            .world(0)
            .write(move |tx| toll_set(tx, Actor::System, &mall, toll, price))
            .unwrap();
    }
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "30");
    let lamp = plaza.world(0).offer("lamp", 100);
    let begin = plaza.world(0).now();
    for _ in 0..3 {
        paid(plaza.buy(ana, 0, lamp));
    }
    plaza.hear(1);
    assert_eq!(
        plaza.mall.position(1),
        money("30.003"),
        "three reimbursements"
    );
    assert_eq!(
        plaza.mall.position(0),
        money("-29.99825"),
        "three authorisations and one customer"
    );
    assert_eq!(plaza.mall.kept(), money("0.00475"));
    plaza.world(0).clock.advance_seconds(1);
    let (member, end) = (plaza.member(0), begin.plus_seconds(1));
    let engine = &plaza.world(0).node.engine;
    let lines = engine
        .read(|tx| statement(tx, &member, begin, end))
        .unwrap();
    let tolls = lines.iter().filter(|line| line.kind.name() == "toll");
    assert_eq!(tolls.count(), 4);
    let owes = lines.iter().map(|line| line.owes(member.book_id).unwrap());
    assert_eq!(Amount::sum(owes).unwrap(), plaza.mall.position(0));
    let now = engine.read(|tx| Ok::<_, scrip_engine::Error>(tx.now()));
    assert!(now.unwrap() >= end);
    plaza.mall.dues_agree();
}

/// MIC-01, MIC-03: 0.5 percent of a cent is 0.00005; a thousand of them bill 5 cents.
fn a_thousand_fractions_come_to_five_cents(db: &TestDb) {
    let plaza = Plaza::new(db);
    let member = plaza.member(0);
    let terms = scrip_domain::mall::Terms {
        royalty_ppm: 5_000,
        ..Default::default()
    };
    plaza
        .world(0)
        .write(move |tx| scrip_domain::mall::terms_set(tx, Actor::System, &member, &terms))
        .unwrap();
    let world = plaza.world(0);
    let ana = world.buyer(101);
    // A tenth of a token, worth a cent.
    let cent = world.offer_of(crate::support::plain_offer(
        "cent",
        Amount::from_units(100_000),
    ));
    for _ in 0..1_000 {
        world.place(ana, &[want(cent, 1)]);
    }
    for _ in 0..3 {
        plaza.hear(0);
    }
    assert_eq!(plaza.mall.position(0), money("0.05"));
    let mall = plaza.mall.mall.clone();
    let closed =
        world.write(move |tx| scrip_domain::mall::clearing_close(tx, Actor::System, &mall));
    let (_, position) = closed.unwrap().positions[0];
    assert_eq!(
        (position.paid, position.carried),
        (money("0.05"), Amount::ZERO)
    );
}
