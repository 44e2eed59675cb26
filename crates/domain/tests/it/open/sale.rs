//! Buying at a member with open tokens: settlement, each kind of token, what stands in the way.

use super::plaza::{MAKER, Plaza, by_kind, money, paid};
use crate::support::{DAY_S, tokens, want};
use scrip_domain::audit::{Filter, trail};
use scrip_domain::checkout::{CheckoutError, CheckoutOutcome, Pays};
use scrip_domain::customer::Address;
use scrip_domain::mall::{MallError, MemberState, mall_rules_set, member_bar_set, statement};
use scrip_domain::open_token::{
    OpenError, OpenKind, group_leave, holdings, open_discount_set, open_pay_off, outstanding,
    product_delist,
};
use scrip_domain::order::{OrderError, Refusal};
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_ledger::Origin;
use scrip_testkit::TestDb;

both!(
    a_sale_is_settled_between_debtor_seller_and_mall,
    at_home_only_the_mall_takes_its_share,
    manufacturers_tokens_buy_their_products_alone,
    discount_tokens_pay_up_to_the_cap_beside_universal_ones,
    group_tokens_pay_inside_the_group,
    the_largest_part_comes_first_and_types_combine,
    what_was_given_stays_with_its_issuer,
    who_is_cut_off_or_barred_is_refused_and_nothing_moves,
    too_few_tokens_are_told_and_nothing_moves,
    two_purchases_at_once_do_not_spend_twice,
    paid_credit_and_free_are_told_apart,
    what_expires_is_broken,
    a_choice_is_kept_or_refused,
    odd_issues_are_refused,
    the_mall_may_let_given_tokens_leave,
    goods_go_to_an_address_that_is_told_once,
);

/// OPN-10, OPN-08, OPN-09, OPN-20, OPN-24, GOV-04: P 10, s 2 percent, r 1 percent.
fn a_sale_is_settled_between_debtor_seller_and_mall(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.terms(1, 2, 0, 0);
    plaza.terms(0, 0, 1, 0);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "25");
    let offer = plaza.world(0).stocked_offer("lamp", 100, 5);
    let begin = plaza.world(0).now();
    let receipt = paid(plaza.buy(ana, 0, offer));
    assert_eq!(receipt.price, money("10"));
    assert_eq!(by_kind(&receipt), [(OpenKind::Universal, money("10"))]);
    assert_eq!(plaza.has(ana, OpenKind::Universal), money("15"));
    assert_eq!(receipt.left[0].amount, money("15"));
    assert_eq!(
        plaza.mall.position(1),
        money("9.80"),
        "the debtor pays P - s"
    );
    assert_eq!(
        plaza.mall.position(0),
        money("-9.70"),
        "the seller gets P - s - r"
    );
    assert_eq!(plaza.mall.kept(), money("0.10"), "the mall keeps r");
    plaza.mall.dues_agree();
    assert_eq!(plaza.world(0).stock(offer), 4);
    plaza.world(0).clock.advance_seconds(1);
    let engine = &plaza.world(0).node.engine;
    let (member, end) = (plaza.member(1), begin.plus_seconds(1));
    let lines = engine
        .read(|tx| statement(tx, &member, begin, end))
        .unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].money.kept, money("0.20"), "the debtor keeps s");
    assert_eq!(lines[0].money.royalty, money("0.10"));
}

/// OPN-09: where the seller owes the tokens itself, nothing passes but the royalty.
fn at_home_only_the_mall_takes_its_share(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.terms(0, 5, 1, 0);
    let ana = (0, plaza.customer(0));
    plaza.sold(0, ana, OpenKind::Universal, "25");
    let offer = plaza.world(0).offer("lamp", 100);
    paid(plaza.buy(ana, 0, offer));
    assert_eq!(plaza.mall.position(0), money("0.10"));
    assert_eq!(plaza.mall.kept(), money("0.10"));
    assert_eq!(plaza.world(0).balance(ana.1), tokens(1), "own tokens stay");
}

/// OPN-11, OPN-13, GOV-05: sold for less, taken at list price by any member, for what is listed.
fn manufacturers_tokens_buy_their_products_alone(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.list("kettle", 20);
    let ana = (1, plaza.customer(1));
    let (mall, maker) = (plaza.mall.mall.clone(), plaza.member(MAKER));
    let vendor = plaza.world(MAKER).vendor.clone();
    plaza
        .world(0)
        .write(move |tx| {
            let of = (&mall, &maker, &vendor);
            open_discount_set(tx, Actor::System, of, (OpenKind::M1, None), 100_000)
        })
        .unwrap();
    let issued = plaza.issue(MAKER, ana, (OpenKind::M1, "20"), Origin::Paid);
    assert_eq!(issued.unwrap().price, money("18"), "the customer's price");
    let kettle = plaza.world(0).offer("kettle", 100);
    let other = plaza.world(0).offer("lamp", 100);
    assert!(matches!(
        plaza.buy(ana, 0, other).unwrap(),
        CheckoutOutcome::Refused {
            refusal: Refusal::OpenShort { .. },
            ..
        }
    ));
    paid(plaza.buy(ana, 0, kettle));
    assert_eq!(
        plaza.mall.position(0),
        money("-10"),
        "the dealer's entitlement"
    );
    assert_eq!(plaza.mall.position(MAKER), money("10"));
    let (mall, maker) = (plaza.mall.mall.clone(), plaza.member(MAKER));
    plaza
        .world(0)
        .write(move |tx| product_delist(tx, Actor::System, (&mall, &maker), "kettle"))
        .unwrap();
    assert!(matches!(
        plaza.buy(ana, 0, kettle).unwrap(),
        CheckoutOutcome::Refused { .. }
    ));
    assert_eq!(plaza.has(ana, OpenKind::M1), money("10"));
}

/// GOV-11, OPN-12, OPN-13: P 100, cap 20 percent: 20 of M2 and 80 of U; M2 alone pays nothing.
fn discount_tokens_pay_up_to_the_cap_beside_universal_ones(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.list("kettle", 20);
    let ana = (1, plaza.customer(1));
    plaza
        .issue(MAKER, ana, (OpenKind::M2, "500"), Origin::Free)
        .unwrap();
    assert!(matches!(
        plaza.issue(MAKER, ana, (OpenKind::M2, "500"), Origin::Paid),
        Err(OpenError::GivenOnly)
    ));
    let kettle = plaza.world(0).offer("kettle", 1_000);
    assert!(matches!(
        plaza.buy(ana, 0, kettle).unwrap(),
        CheckoutOutcome::Refused { .. }
    ));
    plaza.sold(1, ana, OpenKind::Universal, "80");
    let receipt = paid(plaza.buy(ana, 0, kettle));
    let split = [
        (OpenKind::Universal, money("80")),
        (OpenKind::M2, money("20")),
    ];
    assert_eq!(by_kind(&receipt), split);
    assert_eq!(plaza.mall.position(MAKER), money("20"));
    assert_eq!(plaza.mall.position(1), money("80"));
    assert_eq!(plaza.mall.position(0), money("-100"));
}

/// OPN-14, GOV-08: outsiders neither issue nor take them; who leaves is refused from then on.
fn group_tokens_pay_inside_the_group(db: &TestDb) {
    let plaza = Plaza::new(db);
    let group = plaza.arcade(&[0, 1]);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Group, "30");
    assert!(matches!(
        plaza.issue(2, ana, (OpenKind::Group, "30"), Origin::Paid),
        Err(OpenError::OutsideGroup { .. })
    ));
    let inside = plaza.world(0).offer("lamp", 100);
    let outside = plaza.world(2).offer("lamp", 100);
    paid(plaza.buy(ana, 0, inside));
    assert!(matches!(
        plaza.buy(ana, 2, outside).unwrap(),
        CheckoutOutcome::Refused { .. }
    ));
    let (mall, member) = (plaza.mall.mall.clone(), plaza.member(0));
    plaza
        .world(0)
        .write(move |tx| group_leave(tx, Actor::System, (&mall, &group), &member))
        .unwrap();
    assert!(matches!(
        plaza.buy(ana, 0, inside).unwrap(),
        CheckoutOutcome::Refused { .. }
    ));
    assert_eq!(
        plaza.has(ana, OpenKind::Group),
        money("20"),
        "it stays theirs"
    );
}

/// OPN-19: group 6 and a certificate of 5 pay 10 together; group 6 and 10 universal: universal alone;
/// group 6 and 3 universal pay nothing.
fn the_largest_part_comes_first_and_types_combine(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.arcade(&[0, 1]);
    plaza.honour(0, 2, true);
    let offer = plaza.world(0).offer("lamp", 100);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Group, "6");
    plaza.gift(2, ana, "5");
    let receipt = paid(plaza.buy(ana, 0, offer));
    let split = [(OpenKind::Group, money("6")), (OpenKind::Gift, money("4"))];
    assert_eq!(by_kind(&receipt), split);
    assert_eq!(plaza.has(ana, OpenKind::Universal), money("1"), "surplus");
    let ben = (1, plaza.customer(1));
    plaza.sold(1, ben, OpenKind::Group, "6");
    plaza.sold(1, ben, OpenKind::Universal, "10");
    let receipt = paid(plaza.buy(ben, 0, offer));
    assert_eq!(by_kind(&receipt), [(OpenKind::Universal, money("10"))]);
    let eva = (1, plaza.customer(1));
    plaza.sold(1, eva, OpenKind::Group, "6");
    plaza.sold(1, eva, OpenKind::Universal, "3");
    assert!(matches!(
        plaza.buy(eva, 0, offer).unwrap(),
        CheckoutOutcome::Refused { .. }
    ));
}

/// GOV-11: tokens that a vendor gave pay at that vendor alone.
fn what_was_given_stays_with_its_issuer(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    plaza
        .issue(1, ana, (OpenKind::Universal, "10"), Origin::Free)
        .unwrap();
    let away = plaza.world(0).offer("lamp", 100);
    let home = plaza.world(1).offer("lamp", 100);
    let CheckoutOutcome::Refused { refusal, .. } = plaza.buy(ana, 0, away).unwrap() else {
        panic!("free tokens left");
    };
    let available = Amount::ZERO;
    let required = money("10");
    assert_eq!(
        refusal,
        Refusal::OpenShort {
            required,
            available
        }
    );
    let receipt = paid(plaza.buy(ana, 1, home));
    assert_eq!(receipt.price, money("4"));
    assert_eq!(plaza.has(ana, OpenKind::Universal), money("6"));
}

/// OPN-05, GOV-10, GOV-12, OPN-10: at the next request; what customers hold stays theirs.
fn who_is_cut_off_or_barred_is_refused_and_nothing_moves(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "25");
    let away = plaza.world(0).offer("lamp", 100);
    let home = plaza.world(1).offer("lamp", 100);
    plaza.mall.stand(0, MemberState::Suspended);
    assert!(matches!(
        plaza.buy(ana, 0, away),
        Err(CheckoutError::Mall(MallError::Suspended(_)))
    ));
    plaza.mall.stand(0, MemberState::Active);
    plaza.mall.stand(1, MemberState::Suspended);
    assert!(matches!(
        plaza.buy(ana, 0, away).unwrap(),
        CheckoutOutcome::Refused { .. }
    ));
    assert!(matches!(
        plaza.issue(1, ana, (OpenKind::Universal, "1"), Origin::Paid),
        Err(OpenError::Mall(MallError::Suspended(_)))
    ));
    plaza.mall.stand(1, MemberState::Active);
    let member = plaza.member(1);
    plaza
        .world(0)
        .write(move |tx| member_bar_set(tx, Actor::System, &member, true))
        .unwrap();
    assert!(matches!(
        plaza.buy(ana, 0, away).unwrap(),
        CheckoutOutcome::Refused { .. }
    ));
    assert_eq!(plaza.has(ana, OpenKind::Universal), money("25"));
    paid(plaza.buy(ana, 1, home));
}

/// OPN-21, MSP-09: a refusal is stored with its reason, and debits nothing.
fn too_few_tokens_are_told_and_nothing_moves(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "9.99999999");
    let offer = plaza.world(0).stocked_offer("lamp", 100, 3);
    let quote = plaza.quote(ana, plaza.purchase(0, vec![want(offer, 1)], None));
    assert!(quote.refusal.is_some() && quote.choices.is_empty());
    let CheckoutOutcome::Refused { refusal, .. } = plaza.buy(ana, 0, offer).unwrap() else {
        panic!("it was short");
    };
    let (required, available) = (money("10"), money("9.99999999"));
    assert_eq!(
        refusal,
        Refusal::OpenShort {
            required,
            available
        }
    );
    assert_eq!(plaza.has(ana, OpenKind::Universal), available);
    assert_eq!(plaza.world(0).stock(offer), 3);
    let stored = "SELECT COUNT(*) FROM orders WHERE book_id = $1 AND reason = 'open_short'";
    assert_eq!(plaza.world(0).number(stored), 1);
    assert_eq!(plaza.mall.position(0), Amount::ZERO);
}

/// OPN-20: open tokens from two vendors at once, spent at two sellers by many purchases: as often as
/// there are tokens for, and no more.
fn two_purchases_at_once_do_not_spend_twice(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "15");
    plaza.sold(2, ana, OpenKind::Universal, "17");
    let at_first = plaza.world(0).offer("lamp", 100);
    let at_third = plaza.world(2).offer("lamp", 1_000);
    let bought = std::thread::scope(|scope| {
        let plaza = &plaza;
        let threads: Vec<_> = (0..8)
            .map(|i| {
                scope.spawn(move || match i % 2 {
                    0 => plaza.buy(ana, 0, at_first),
                    _ => plaza.buy(ana, 2, at_third),
                })
            })
            .collect();
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
        outcomes
            .map(|outcome| match outcome.unwrap() {
                CheckoutOutcome::Paid(receipt) => receipt.price,
                CheckoutOutcome::Refused { .. } => Amount::ZERO,
            })
            .collect::<Vec<_>>()
    });
    let spent = Amount::sum(bought).unwrap();
    let left = plaza.has(ana, OpenKind::Universal);
    assert_eq!(spent.plus(left).unwrap(), money("32"));
    assert!(left < money("10"), "{left} would pay for one more");
    let sum = Amount::sum((0..4).map(|place| plaza.mall.position(place)));
    assert_eq!(sum.unwrap(), plaza.mall.kept());
    plaza.mall.dues_agree();
}

/// GOV-13: the three come to the balance; credit that is paid counts as paid.
fn paid_credit_and_free_are_told_apart(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "3");
    let credit = plaza.issue(1, ana, (OpenKind::Universal, "5"), Origin::Credit);
    plaza
        .issue(1, ana, (OpenKind::Universal, "7"), Origin::Free)
        .unwrap();
    let origins = || {
        let engine = &plaza.world(0).node.engine;
        let book = plaza.world(1).book();
        let held = engine.read(|tx| holdings(tx, &plaza.mall.mall, book, ana.1));
        held.unwrap()[0].by_origin().unwrap()
    };
    let held = origins();
    assert_eq!(held[&Origin::Paid], money("3"));
    assert_eq!(held[&Origin::Credit], money("5"));
    assert_eq!(held[&Origin::Free], money("7"));
    assert_eq!(
        Amount::sum(held.values().copied()).unwrap(),
        plaza.has(ana, OpenKind::Universal)
    );
    let grant = credit.unwrap().grant_id;
    let pay = |place: usize| {
        let (mall, vendor) = (plaza.mall.mall.clone(), plaza.world(place).vendor.clone());
        plaza
            .world(0)
            .write(move |tx| open_pay_off(tx, Actor::System, (&mall, &vendor), grant))
    };
    assert!(matches!(pay(0), Err(OpenError::NothingOwed)), "not its own");
    assert_eq!(pay(1).unwrap(), money("5"));
    assert!(matches!(pay(1), Err(OpenError::NothingOwed)), "paid before");
    assert_eq!(origins()[&Origin::Paid], money("8"));
}

/// TOK-07 for open tokens: nobody spends them, they leave with an entry, their money is broken.
fn what_expires_is_broken(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    let soon = plaza.world(0).now().plus_seconds(DAY_S);
    plaza
        .issue_until(1, ana, (OpenKind::Universal, "12"), (Origin::Paid, soon))
        .unwrap();
    plaza
        .certificates_as(2, ("50", 2), (Origin::Paid, soon))
        .unwrap();
    assert_eq!(plaza.expire(), Amount::ZERO);
    plaza.world(0).clock.advance_seconds(DAY_S);
    assert_eq!(plaza.has(ana, OpenKind::Universal), Amount::ZERO);
    assert_eq!(plaza.expire(), money("112"));
    assert_eq!(plaza.expire(), Amount::ZERO);
    let broken = |place: usize| {
        let rows = plaza.world(place).rows(
            "SELECT t.amount FROM transfer t
             JOIN entry e ON e.book_id = t.book_id AND e.entry_id = t.entry_id
             WHERE t.book_id = $1 AND e.code = 'open_expiry'",
        );
        let amounts = rows
            .iter()
            .map(|row| Amount::from_units(row.int(0).unwrap()));
        Amount::sum(amounts).unwrap()
    };
    assert_eq!(broken(1), money("12"));
    assert_eq!(broken(2), money("100"));
    let engine = &plaza.world(0).node.engine;
    let out = engine.read(|tx| outstanding(tx, &plaza.mall.mall)).unwrap();
    assert!(out.iter().all(|(_, _, tokens)| tokens.is_zero()), "{out:?}");
}

/// OPN-18: the customer sees the split before confirming and may choose another type that can pay.
fn a_choice_is_kept_or_refused(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.arcade(&[0, 1]);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Group, "30");
    plaza.sold(1, ana, OpenKind::Universal, "30");
    let offer = plaza.world(0).offer("lamp", 100);
    let lines = || vec![want(offer, 1)];
    let quote = plaza.quote(ana, plaza.purchase(0, lines(), None));
    assert_eq!(quote.choices, [Pays::Group, Pays::Universal]);
    assert_eq!(quote.split[0].kind, OpenKind::Group, "the proposal");
    let receipt = paid(plaza.try_place(ana, plaza.purchase(0, lines(), Some(Pays::Universal))));
    assert_eq!(by_kind(&receipt), [(OpenKind::Universal, money("10"))]);
    let gift = plaza.try_place(ana, plaza.purchase(0, lines(), Some(Pays::Gift)));
    assert!(matches!(gift.unwrap(), CheckoutOutcome::Refused { .. }));
}

/// What nobody may issue is refused, whoever asks.
fn odd_issues_are_refused(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    for tokens in ["0", "-1", "1000000.00000001"] {
        assert!(matches!(
            plaza.issue(1, ana, (OpenKind::Universal, tokens), Origin::Paid),
            Err(OpenError::Quantity)
        ));
    }
    let past = plaza.world(0).now();
    assert!(matches!(
        plaza.issue_until(1, ana, (OpenKind::Universal, "1"), (Origin::Paid, past)),
        Err(OpenError::Expiry)
    ));
    for kind in [OpenKind::M1, OpenKind::M2] {
        let issued = plaza.issue(1, ana, (kind, "1"), Origin::Free);
        assert!(matches!(issued, Err(OpenError::NoManufacturer(_))));
    }
    assert!(matches!(
        plaza.issue(1, ana, (OpenKind::Gift, "1"), Origin::Paid),
        Err(OpenError::GiftByCode)
    ));
    let never = Timestamp::NEVER;
    for (face, count) in [("0", 1), ("-5", 1), ("10000.01", 1), ("5", 0), ("5", 1_001)] {
        let made = plaza.certificates_as(1, (face, count), (Origin::Paid, never));
        assert!(
            matches!(made, Err(OpenError::Certificates)),
            "{face} {count}"
        );
    }
}

/// GOV-11: relaxed, given tokens pay elsewhere and are exchanged.
fn the_mall_may_let_given_tokens_leave(db: &TestDb) {
    let plaza = Plaza::new(db);
    let mall = plaza.mall.mall.clone();
    plaza
        .world(0)
        .write(move |tx| mall_rules_set(tx, Actor::System, &mall, (true, true)))
        .unwrap();
    let ana = (1, plaza.customer(1));
    plaza
        .issue(1, ana, (OpenKind::Universal, "10"), Origin::Free)
        .unwrap();
    let lamp = plaza.world(0).offer("lamp", 100);
    paid(plaza.buy(ana, 0, lamp));
    let never = Timestamp::NEVER;
    plaza
        .world(1)
        .give(ana.1, tokens(5), Origin::Free, None, never);
    let done = plaza.mall.exchange(ana, 0, tokens(5)).unwrap();
    assert_eq!(plaza.world(0).balance(done.visitor), tokens(2));
}

/// GOV-03: the seller is told the address of this order, nothing else of the person, and the home notes
/// what it told.
fn goods_go_to_an_address_that_is_told_once(db: &TestDb) {
    let plaza = Plaza::new(db);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "30");
    let lamp = plaza.world(0).shipped_offer("lamp", 100);
    let lines = || vec![want(lamp, 1)];
    let missing = plaza.try_place(ana, plaza.purchase(0, lines(), None));
    assert!(matches!(
        missing,
        Err(CheckoutError::Order(OrderError::AddressMissing { .. }))
    ));
    let mut purchase = plaza.purchase(0, lines(), None);
    purchase.to = Some(Address {
        name: "Ana".to_owned(),
        lines: "1 Long Road".to_owned(),
        postal_code: String::new(),
        city: "Town".to_owned(),
        country: "Ireland".to_owned(),
    });
    paid(plaza.try_place(ana, purchase));
    let home = plaza.world(1).book();
    let engine = &plaza.world(0).node.engine;
    let noted = engine.read(|tx| {
        let filter = Filter {
            action: Some("customer.disclosed".to_owned()),
            ..Filter::default()
        };
        trail(tx, home, &filter, None, 10)
    });
    let noted = noted.unwrap().items;
    let told: Vec<String> = noted
        .iter()
        .map(|n| n.detail["fields"].to_string())
        .collect();
    assert_eq!(told, ["[\"address\"]", "[]"]);
    assert!(!format!("{noted:?}").contains("Long Road"));
    let persons = "SELECT COUNT(*) FROM person_data WHERE book_id = $1";
    assert_eq!(plaza.world(0).number(persons), 0, "nothing of the person");
}
