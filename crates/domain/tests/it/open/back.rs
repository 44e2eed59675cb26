//! Paying with another type afterwards, and giving an order back.

use super::plaza::{MAKER, Plaza, by_kind, money, paid};
use crate::support::want;
use scrip_domain::Amount;
use scrip_domain::checkout::{CheckoutError, Pays};
use scrip_domain::open_token::OpenKind;
use scrip_domain::order::{OrderError, RefundLines, RefundRequest, order_refund};
use scrip_ledger::Origin;
use scrip_testkit::TestDb;

both!(
    another_type_pays_once,
    a_type_that_cannot_pay_changes_nothing,
    an_order_goes_back_whole,
    a_spent_surplus_keeps_a_certificate_spent,
);

/// OPN-23: universal to certificate; a second change is refused.
fn another_type_pays_once(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.honour(0, 2, true);
    plaza.terms(1, 2, 0, 0);
    plaza.terms(2, 0, 0, 10);
    plaza.terms(0, 0, 1, 0);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "10");
    let offer = plaza.world(0).stocked_offer("lamp", 100, 3);
    let order = paid(plaza.buy(ana, 0, offer)).order_id;
    plaza.gift(2, ana, "15");
    let receipt = plaza.switch(ana, (0, order), Pays::Gift).unwrap();
    assert_eq!(by_kind(&receipt), [(OpenKind::Gift, money("10"))]);
    assert_eq!(
        plaza.has(ana, OpenKind::Universal),
        money("15"),
        "10 back, 5 over"
    );
    assert_eq!(plaza.mall.position(1), Amount::ZERO, "its debt is reversed");
    assert_eq!(plaza.mall.position(2), money("9"));
    assert_eq!(plaza.mall.position(0), money("-8.90"));
    assert_eq!(
        plaza.mall.kept(),
        money("0.10"),
        "the first royalty went back"
    );
    assert_eq!(plaza.world(0).stock(offer), 2, "the goods stay sold");
    plaza.mall.dues_agree();
    let again = plaza.switch(ana, (0, order), Pays::Universal);
    assert!(matches!(again, Err(CheckoutError::Switched)));
    let ben = (1, plaza.customer(1));
    let stranger = plaza.switch(ben, (0, order), Pays::Universal);
    assert!(matches!(stranger, Err(CheckoutError::Unknown(_))));
}

/// OPN-23: not eligible, or not enough: nothing changed, and it can be tried with another type.
fn a_type_that_cannot_pay_changes_nothing(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.list("kettle", 50);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "10");
    plaza.sold(MAKER, ana, OpenKind::M1, "10");
    let lamp = plaza.world(0).offer("lamp", 100);
    let order = paid(plaza.buy(ana, 0, lamp)).order_id;
    for pays in [Pays::Manufacturer, Pays::Gift, Pays::Group] {
        let refused = plaza.switch(ana, (0, order), pays);
        assert!(
            matches!(refused, Err(CheckoutError::CannotPay(_))),
            "{pays}"
        );
        assert_eq!(plaza.has(ana, OpenKind::Universal), Amount::ZERO);
        assert_eq!(plaza.has(ana, OpenKind::M1), money("10"));
        assert_eq!(plaza.mall.position(1), money("10"));
    }
}

/// A refund of an open order reverses every part of it, once; the ordinary refund refuses it.
fn an_order_goes_back_whole(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.list("kettle", 20);
    plaza.terms(1, 2, 0, 0);
    plaza.terms(0, 0, 1, 0);
    let ana = (1, plaza.customer(1));
    plaza
        .issue(MAKER, ana, (OpenKind::M2, "5"), Origin::Free)
        .unwrap();
    plaza.sold(1, ana, OpenKind::Universal, "18");
    let kettle = plaza.world(0).stocked_offer("kettle", 100, 3);
    let lamp = plaza.world(0).offer("lamp", 100);
    let lines = vec![want(kettle, 1), want(lamp, 1)];
    let order = paid(plaza.try_place(ana, plaza.purchase(0, lines, None))).order_id;
    assert_eq!(plaza.has(ana, OpenKind::M2), money("3"));
    let vendor = plaza.world(0).vendor.clone();
    let refund = plaza.world(0).write(move |tx| {
        let request = RefundRequest {
            order_id: order,
            lines: RefundLines::Whole,
            restock: true,
            reference: String::new(),
            effective_at: None,
        };
        order_refund(tx, scrip_domain::Actor::System, &vendor, &request)
    });
    assert!(matches!(refund, Err(OrderError::PaidOpen)));
    assert_eq!(plaza.reverse(0, order).unwrap().price, money("20"));
    assert!(matches!(
        plaza.reverse(0, order),
        Err(CheckoutError::Reversed)
    ));
    assert_eq!(plaza.has(ana, OpenKind::M2), money("5"));
    assert_eq!(plaza.has(ana, OpenKind::Universal), money("18"));
    assert_eq!(plaza.world(0).stock(kettle), 3);
    for place in [0, 1, MAKER] {
        assert_eq!(plaza.mall.position(place), Amount::ZERO);
    }
    assert_eq!(plaza.mall.kept(), Amount::ZERO);
    plaza.mall.dues_agree();
}

/// What a certificate left over went on: then it cannot be taken back, and nothing moves.
fn a_spent_surplus_keeps_a_certificate_spent(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.honour(0, 2, true);
    let ana = (1, plaza.customer(1));
    plaza.gift(2, ana, "20");
    let lamp = plaza.world(0).offer("lamp", 100);
    let order = paid(plaza.buy(ana, 0, lamp)).order_id;
    let next = paid(plaza.buy(ana, 0, lamp)).order_id;
    assert!(matches!(
        plaza.reverse(0, order),
        Err(CheckoutError::SurplusSpent)
    ));
    assert_eq!(plaza.mall.position(2), money("20"));
    plaza.reverse(0, next).unwrap();
    plaza.reverse(0, order).unwrap();
    assert_eq!(plaza.has(ana, OpenKind::Gift), money("20"));
    assert_eq!(plaza.has(ana, OpenKind::Universal), Amount::ZERO);
}
