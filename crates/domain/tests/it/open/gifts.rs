//! Gift certificates: codes, redemption, surplus, who honours them.

use super::plaza::{Plaza, by_kind, money, paid};
use crate::support::want;
use scrip_domain::checkout::CheckoutOutcome;
use scrip_domain::gift::{CertificateState, Claim};
use scrip_domain::mall::MemberState;
use scrip_domain::open_token::OpenKind;
use scrip_domain::{Actor, Amount};
use scrip_testkit::TestDb;

both!(
    a_certificate_is_spent_whole_and_the_surplus_is_universal,
    at_a_till_the_surplus_is_cash,
    who_does_not_honour_them_refuses,
    a_code_is_entered_once_and_a_wrong_one_tells_nothing,
    one_of_many_claims_gets_it,
    the_fewest_certificates_with_the_least_surplus,
);

/// OPN-15, OPN-16: 50 for 32 leaves 18 of U; the issuer keeps its commission and the 18.
fn a_certificate_is_spent_whole_and_the_surplus_is_universal(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.honour(0, 2, true);
    plaza.terms(2, 0, 0, 10);
    let ana = (1, plaza.customer(1));
    plaza.gift(2, ana, "50");
    assert_eq!(plaza.has(ana, OpenKind::Gift), money("50"));
    let offer = plaza.world(0).offer("lamp", 320);
    let receipt = paid(plaza.buy(ana, 0, offer));
    assert_eq!(by_kind(&receipt), [(OpenKind::Gift, money("32"))]);
    assert_eq!(receipt.split[0].surplus, money("18"));
    assert_eq!(plaza.has(ana, OpenKind::Universal), money("18"));
    assert_eq!(plaza.has(ana, OpenKind::Gift), Amount::ZERO);
    assert_eq!(plaza.gift_states(2), [CertificateState::Spent]);
    assert_eq!(plaza.mall.position(2), money("28.80"), "commission on 32");
    assert_eq!(plaza.mall.position(0), money("-28.80"));
    // The surplus pays anywhere, and its issuer owes it.
    let small = plaza.world(0).offer("bulb", 180);
    paid(plaza.buy(ana, 0, small));
    assert_eq!(plaza.mall.position(2), money("46.80"));
}

/// OPN-16: off line the seller pays the surplus out, and the issuer owes the full face.
fn at_a_till_the_surplus_is_cash(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.honour(0, 2, true);
    let ana = (1, plaza.customer(1));
    plaza.gift(2, ana, "50");
    let offer = plaza.world(0).offer("lamp", 320);
    let mut purchase = plaza.purchase(0, vec![want(offer, 1)], None);
    purchase.at_till = true;
    let receipt = paid(plaza.try_place(ana, purchase));
    assert_eq!(receipt.split[0].surplus, money("18"));
    assert_eq!(plaza.has(ana, OpenKind::Universal), Amount::ZERO);
    assert_eq!(plaza.mall.position(2), money("50"));
    assert_eq!(plaza.mall.position(0), money("-50"));
}

/// GOV-07, GOV-10: unlisted vendors refuse, and so does everybody when the issuer is cut off.
fn who_does_not_honour_them_refuses(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    plaza.gift(2, ana, "50");
    let offer = plaza.world(0).offer("lamp", 320);
    let refused = || {
        let outcome = plaza.buy(ana, 0, offer).unwrap();
        assert!(matches!(outcome, CheckoutOutcome::Refused { .. }));
    };
    refused();
    plaza.honour(0, 2, true);
    plaza.mall.stand(2, MemberState::Suspended);
    refused();
    plaza.mall.stand(2, MemberState::Active);
    plaza.honour(0, 2, false);
    refused();
    plaza.honour(0, 2, true);
    paid(plaza.buy(ana, 0, offer));
}

/// OPN-15: whoever enters the code holds it; codes are read as people type them; spent, taken and
/// invented codes look the same; after too many wrong ones not even right ones are looked at.
fn a_code_is_entered_once_and_a_wrong_one_tells_nothing(db: &TestDb) {
    let plaza = Plaza::new(db);
    let (ana, ben) = ((1, plaza.customer(1)), (0, plaza.customer(0)));
    let printed = plaza.certificates(2, "20", 3);
    let typed = printed[0].code.to_lowercase().replace('-', " ");
    assert!(matches!(plaza.claim(ana, &typed), Claim::Held { .. }));
    assert!(
        matches!(plaza.claim(ana, &typed), Claim::Held { .. }),
        "again changes nothing"
    );
    assert_eq!(plaza.claim(ben, &typed), Claim::Unknown);
    assert_eq!(plaza.has(ana, OpenKind::Gift), money("20"));
    let mut locked = false;
    for guess in 0..50 {
        let code = format!("{:05}-{:05}", 10_000 + guess, 99_999 - guess);
        match plaza.claim(ben, &code) {
            Claim::Unknown => assert!(!locked, "the lock holds"),
            Claim::TooMany { .. } => locked = true,
            Claim::Held { .. } => panic!("a guess was right"),
        }
    }
    assert!(locked, "a guesser is stopped");
    assert!(matches!(
        plaza.claim(ben, &printed[1].code),
        Claim::TooMany { .. }
    ));
    plaza.world(0).clock.advance_seconds(7 * 24 * 3600);
    assert!(matches!(
        plaza.claim(ben, &printed[1].code),
        Claim::Held { .. }
    ));
    // The codes themselves stand nowhere.
    let engine = &plaza.world(0).node.engine;
    let audit = engine
        .read(|tx| {
            let filter = scrip_domain::audit::Filter::default();
            scrip_domain::audit::trail(tx, plaza.world(2).book(), &filter, None, 100)
        })
        .unwrap();
    let text = format!("{:?}", audit.items);
    assert!(printed.iter().all(|one| !text.contains(&one.code)));
    let _ = Actor::System;
}

/// OPN-15: of many who enter a code at once, one holds it.
fn one_of_many_claims_gets_it(db: &TestDb) {
    let plaza = Plaza::new(db);
    let all: Vec<_> = (0..6).map(|_| (1, plaza.customer(1))).collect();
    let printed = plaza.certificates(2, "20", 1);
    let held = std::thread::scope(|scope| {
        let (plaza, code) = (&plaza, &printed[0].code);
        let threads: Vec<_> = all
            .iter()
            .map(|who| scope.spawn(move || plaza.claim(*who, code)))
            .collect();
        let claims = threads.into_iter().map(|thread| thread.join().unwrap());
        claims.filter(|c| matches!(c, Claim::Held { .. })).count()
    });
    assert_eq!(held, 1);
    let sum = Amount::sum(all.iter().map(|who| plaza.has(*who, OpenKind::Gift)));
    assert_eq!(sum.unwrap(), money("20"));
}

/// OPN-19: fewest certificates, then least surplus.
fn the_fewest_certificates_with_the_least_surplus(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.honour(0, 2, true);
    let ana = (1, plaza.customer(1));
    for face in ["10", "40", "25", "30", "5"] {
        plaza.gift(2, ana, face);
    }
    // 32: one of 40 covers alone.
    let receipt = paid(plaza.buy(ana, 0, plaza.world(0).offer("lamp", 320)));
    assert_eq!(receipt.split.len(), 1);
    assert_eq!(receipt.split[0].surplus, money("8"));
    // 34 of 10, 25, 30, 5: two, and of those 30 with 5.
    let mut purchase = plaza.purchase(0, vec![want(plaza.world(0).offer("rug", 340), 1)], None);
    purchase.pays = Some(scrip_domain::checkout::Pays::Gift);
    let receipt = paid(plaza.try_place(ana, purchase));
    assert_eq!(receipt.split.len(), 2);
    assert_eq!(plaza.has(ana, OpenKind::Gift), money("35"));
}
