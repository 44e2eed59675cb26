//! What comes after an order by card: refunds, late money, disputes, figures, what verify finds.

use super::{allow, order, paid, pay, pay_with, pounds, sales};
use crate::promotions;
use crate::reports::read;
use crate::support::{World, tokens, want};
use scrip_domain::books::account_found;
use scrip_domain::card::payment_begin;
use scrip_domain::card_event::{
    ReversalKind, ReversalState, Told, event_note, events_handle, reversals,
};
use scrip_domain::id::{CardOrderId, OrderId, Payable};
use scrip_domain::order::by_card::{
    CardRefunded, Outcome, Placed, RefundBegun, card_refund_settle, card_refunds_settle,
    order_refund_begin,
};
use scrip_domain::order::{
    OrderError, OrderState, RefundLines, RefundRequest, Refusal, order_by_id, order_refund,
};
use scrip_domain::promotion::{Cut, Terms, lines_of};
use scrip_domain::report::calendar::{Span, Step};
use scrip_domain::report::rollup::Way;
use scrip_domain::report::selling::{assortment, selling};
use scrip_domain::report::{sales as turnover, today};
use scrip_domain::revenue::control;
use scrip_domain::token_sale::{CardProcessor, Charge, ChargeOutcome, ProcessorError};
use scrip_domain::verify::vendor_verify;
use scrip_domain::{Actor, Amount};
use scrip_engine::{Timestamp, params};
use scrip_ledger::verify::{Finding, Report};
use scrip_ledger::{AccountKind, account_balance};
use scrip_testkit::TestDb;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

both!(
    money_goes_back_once_and_no_tokens,
    a_refund_without_an_answer_is_asked_for_again,
    money_that_comes_after_a_decline_goes_back,
    a_dispute_of_goods_is_booked,
    figures_keep_tokens_and_cards_apart,
    verify_finds_an_order_whose_entry_is_missing,
    promotions_count_and_limited_ones_want_tokens,
);

fn request(order_id: OrderId, restock: bool) -> RefundRequest {
    RefundRequest {
        order_id,
        lines: RefundLines::Whole,
        restock,
        reference: String::new(),
        effective_at: None,
    }
}

fn begin(world: &World, actor: Actor, wanted: RefundRequest) -> Result<RefundBegun, OrderError> {
    let vendor = world.vendor.clone();
    world.write(move |tx| order_refund_begin(tx, actor, &vendor, &wanted))
}

fn settle(world: &World, processor: &dyn CardProcessor, id: CardOrderId) -> CardRefunded {
    card_refund_settle(&world.node, processor, &world.vendor, id).unwrap()
}

/// Refunds an order that a card paid.
pub fn refund(world: &World, order: OrderId, restock: bool) -> Result<CardRefunded, OrderError> {
    match begin(world, Actor::System, request(order, restock))? {
        RefundBegun::Due(id) => Ok(settle(world, world.cards.as_ref(), id)),
        RefundBegun::Done(refunded) => panic!("in tokens: {refunded:?}"),
    }
}

fn money(world: &World, kind: AccountKind) -> Amount {
    let found = world
        .node
        .engine
        .read(|tx| match account_found(tx, &world.vendor, kind)? {
            Some(account) => account_balance(tx, world.book(), account),
            None => Ok(Amount::ZERO),
        });
    found.unwrap()
}

/// SHP-17: the whole order, by the processor, once; stock where staff say so; no tokens.
fn money_goes_back_once_and_no_tokens(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let order_id = paid(pay(&world, &order(id, pot, 2, "test_ok")).unwrap());
    let customer = begin(&world, Actor::Customer(id), request(order_id, true));
    assert!(matches!(customer, Err(OrderError::StaffOnly)));
    let part = RefundRequest {
        lines: RefundLines::Lines(vec![(1, 1)]),
        ..request(order_id, true)
    };
    let part = begin(&world, Actor::System, part);
    assert!(matches!(part, Err(OrderError::CardRefundIsWhole)));
    let vendor = world.vendor.clone();
    let in_tokens =
        world.write(move |tx| order_refund(tx, Actor::System, &vendor, &request(order_id, true)));
    assert!(matches!(in_tokens, Err(OrderError::PaidByCard)));

    let calls = world.cards.calls();
    let done = refund(&world, order_id, true).unwrap();
    assert_eq!((done.price, done.is_done), (pounds("1.20"), true));
    assert_eq!(world.cards.calls(), calls + 1);
    assert_eq!((world.balance(id), world.stock(pot)), (tokens(100), 5));
    assert_eq!(sales(&world), Amount::ZERO);
    let found = world
        .node
        .engine
        .read(|tx| order_by_id(tx, Actor::System, world.book(), order_id))
        .unwrap();
    assert_eq!(found.refunded, found.total);
    assert!(!found.card.unwrap().is_refund_due);
    assert_eq!(world.messages("order.refunded", &order_id.to_string()), 1);
    let again = refund(&world, order_id, true);
    assert!(matches!(again, Err(OrderError::NothingToRefund)));
    assert_eq!(world.stock(pot), 5);
    let in_tokens = crate::support::completed(world.place(id, &[want(pot, 1)]));
    let done = begin(&world, Actor::System, request(in_tokens.order_id, false));
    assert!(matches!(done, Ok(RefundBegun::Done(_))));
    assert_eq!(world.balance(id), tokens(100));
}

/// Pays, declines or says nothing as it is told, and counts what it gives back.
#[derive(Default)]
struct Moody {
    declines: AtomicBool,
    silent: AtomicBool,
    returned: AtomicU64,
    asked: Mutex<Vec<Charge>>,
}

impl CardProcessor for Moody {
    fn charge(&self, charge: &Charge) -> ChargeOutcome {
        self.asked.lock().unwrap().push(charge.clone());
        if self.declines.load(Ordering::SeqCst) {
            ChargeOutcome::Declined {
                reason: "no".to_owned(),
            }
        } else {
            self.lookup(charge)
        }
    }
    fn lookup(&self, charge: &Charge) -> ChargeOutcome {
        ChargeOutcome::Approved {
            reference: format!("pi_{}", charge.order),
        }
    }
    fn give_back(&self, charge: &Charge, payment: &str) -> Result<(), ProcessorError> {
        assert_eq!(payment, format!("pi_{}", charge.order));
        if self.silent.load(Ordering::SeqCst) {
            return Err(ProcessorError::NoAnswer);
        }
        self.returned.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// SHP-17: a refund is booked when the processor has done it, and not before.
fn a_refund_without_an_answer_is_asked_for_again(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let cards = Moody::default();
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let placed = pay_with(&world, &cards, None, &order(id, pot, 1, "any"));
    let order_id = paid(placed.unwrap().value);
    cards.silent.store(true, Ordering::SeqCst);
    let begun = begin(&world, Actor::System, request(order_id, true)).unwrap();
    let RefundBegun::Due(card_order) = begun else {
        panic!("{begun:?}");
    };
    assert!(!settle(&world, &cards, card_order).is_done);
    assert_eq!((sales(&world), world.stock(pot)), (pounds("0.60"), 4));
    let again = begin(&world, Actor::System, request(order_id, true)).unwrap();
    assert_eq!(again, RefundBegun::Due(card_order), "still on its way");
    cards.silent.store(false, Ordering::SeqCst);
    let round = || card_refunds_settle(&world.node, &cards, &world.vendor).unwrap();
    assert_eq!((round(), round()), (1, 0));
    assert_eq!((sales(&world), world.stock(pot)), (Amount::ZERO, 5));
    assert_eq!(cards.returned.load(Ordering::SeqCst), 1);
}

fn tell(world: &World, name: &'static str, told: Told) {
    let book = world.book();
    let new = world.write(move |tx| event_note(tx, book, name, &told));
    assert!(new.unwrap());
}

/// Names the payment of an order as the processor's adapter does.
fn named(world: &World, order: CardOrderId) -> String {
    let (book, name) = (world.book(), format!("pi_{order}"));
    let payment = name.clone();
    world
        .write(move |tx| payment_begin(tx, book, order, &name))
        .unwrap();
    payment
}

/// SHP-17: a decline was told, so the money goes back, and the order stays refused.
fn money_that_comes_after_a_decline_goes_back(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let cards = Moody::default();
    cards.declines.store(true, Ordering::SeqCst);
    let (id, pot) = (world.buyer(100), world.stocked_offer("pot", 60, 5));
    let placed = pay_with(&world, &cards, None, &order(id, pot, 1, "any"));
    let Placed::Asked {
        id: card_order,
        outcome: Outcome::Declined { order_id, .. },
        ..
    } = placed.unwrap().value
    else {
        panic!("it was to be declined");
    };
    let payment = named(&world, card_order);
    let told = Told::Payment {
        payment,
        order: Some(Payable::Goods(card_order)),
        paid: true,
    };
    tell(&world, "evt_1", told);
    assert_eq!(
        events_handle(&world.node, &cards, &world.vendor).unwrap(),
        1
    );
    assert_eq!(cards.returned.load(Ordering::SeqCst), 1);
    assert_eq!(
        events_handle(&world.node, &cards, &world.vendor).unwrap(),
        0
    );
    assert_eq!(cards.returned.load(Ordering::SeqCst), 1);
    let found = world
        .node
        .engine
        .read(|tx| order_by_id(tx, Actor::System, world.book(), order_id));
    assert_eq!(found.unwrap().state, OrderState::Refused);
    assert_eq!((sales(&world), world.stock(pot)), (Amount::ZERO, 5));
}

/// SHP-17: what the processor takes back of an order is booked once and known to staff; what staff
/// gave back is not booked again when the processor tells of it.
fn a_dispute_of_goods_is_booked(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let cards = Moody::default();
    let (id, pot) = (world.buyer(100), world.offer("pot", 60));
    let buy = || {
        let placed = pay_with(&world, &cards, None, &order(id, pot, 1, "any"));
        match placed.unwrap().value {
            Placed::Asked {
                id,
                outcome: Outcome::Completed { order_id },
                ..
            } => (id, order_id, named(&world, id)),
            other => panic!("{other:?}"),
        }
    };
    let (card_order, order_id, payment) = buy();
    let dispute = Told::Dispute {
        payment,
        dispute: "du_1".to_owned(),
        minor: 60,
        reason: "fraudulent".to_owned(),
        state: ReversalState::Open,
    };
    tell(&world, "evt_1", dispute);
    events_handle(&world.node, &cards, &world.vendor).unwrap();
    assert_eq!(money(&world, AccountKind::Charges), pounds("-0.60"));
    let known = world
        .node
        .engine
        .read(|tx| reversals(tx, world.book(), 10))
        .unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].kind, ReversalKind::Dispute);
    assert_eq!(known[0].order, Payable::Goods(card_order));
    let disputed = begin(&world, Actor::System, request(order_id, false));
    assert!(matches!(disputed, Err(OrderError::MoneyWentBack)));

    let (card_order, order_id, payment) = buy();
    begin(&world, Actor::System, request(order_id, false)).unwrap();
    let told = Told::Refund {
        payment,
        charge: "ch_1".to_owned(),
        minor: 60,
    };
    tell(&world, "evt_2", told);
    events_handle(&world.node, &cards, &world.vendor).unwrap();
    assert!(settle(&world, &cards, card_order).is_done);
    assert_eq!(money(&world, AccountKind::Charges), pounds("-0.60"));
    assert_eq!(sales(&world), pounds("0.60"));
}

/// SHP-17, ADV-08: tokens spent are those of orders in tokens alone; money of cards is earned at
/// once, and beside them; every figure is that of the ledger.
fn figures_keep_tokens_and_cards_apart(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.offer("pot", 10));
    let began = world.now();
    crate::support::completed(world.place(id, &[want(pot, 2)]));
    paid(pay(&world, &order(id, pot, 3, "test_ok")).unwrap());
    let back = paid(pay(&world, &order(id, pot, 1, "test_ok")).unwrap());
    refund(&world, back, false).unwrap();
    // An order whose card answers only tomorrow is tomorrow's.
    pay(&world, &order(id, pot, 5, "test_timeout")).unwrap();
    let tonight = Timestamp(began.0 + 12 * 3_600_000_000);
    let engine = &world.node.engine;
    let day = engine.read(|tx| today(tx, &world.vendor, began, tonight));
    let day = day.unwrap();
    assert_eq!((day.orders, day.refunds), (3, 1));
    assert_eq!((day.tokens_spent, day.refunded), (tokens(20), Amount::ZERO));
    assert_eq!(day.goods_by_card, pounds("0.30"));
    world.clock.advance_seconds(24 * 3600);
    let resolved = scrip_domain::order::by_card::card_orders_resolve(
        &world.node,
        world.cards.as_ref(),
        &world.vendor,
        60,
    );
    assert_eq!(resolved.unwrap(), 1);
    let later = Timestamp(tonight.0 + 24 * 3_600_000_000);
    let next = engine.read(|tx| today(tx, &world.vendor, tonight, later));
    let next = next.unwrap();
    assert_eq!((next.orders, next.goods_by_card), (1, pounds("0.50")));

    let all = engine.read(|tx| turnover(tx, world.book())).unwrap();
    assert_eq!((all.total.orders, all.total.sales), (4, tokens(20)));
    assert_eq!(
        (all.total.refunds, all.total.money),
        (Amount::ZERO, sales(&world))
    );
    assert_eq!(sales(&world), pounds("0.80"));

    let span = Span::new(
        "2026-03-01".parse().unwrap(),
        "2026-03-31".parse().unwrap(),
        Step::Day,
    );
    let span = span.unwrap();
    let (sold, goods, books) = read(&world, |tx, figures| {
        let sold = selling(tx, figures, &span)?;
        let goods = assortment(tx, figures, &span)?;
        let books = control(tx, &world.vendor, figures).expect("the accounts");
        Ok((sold, goods, books))
    });
    assert_eq!((sold.total.orders, sold.total.refunds), (4, 1));
    assert_eq!(sold.total.tokens(Way::Spent), tokens(20));
    assert_eq!(sold.total.money, sales(&world));
    assert_eq!((goods.total.sold.pieces, goods.total.back.pieces), (11, 1));
    assert_eq!(goods.total.sold.tokens, tokens(20));
    assert_eq!(goods.total.back.tokens, Amount::ZERO);
    assert_eq!(books.closing, books.outstanding);
    assert_eq!(books.deferred_after_booking().unwrap(), books.closing);
}

/// SHP-17, ADV-06: what a promotion takes off comes off the money too; what is good so often only
/// counts with tokens alone, because a card may answer late.
fn promotions_count_and_limited_ones_want_tokens(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.offer("pot", 60));
    promotions::put(&world, promotions::terms(&world, Cut::Rate(1_000)));
    let order_id = paid(pay(&world, &order(id, pot, 2, "test_ok")).unwrap());
    assert_eq!(sales(&world), pounds("1.08"));
    let lines = world
        .node
        .engine
        .read(|tx| lines_of(tx, world.book(), order_id))
        .unwrap();
    assert_eq!(lines[0].amount, tokens(12));
    world.verify();
    refund(&world, order_id, false).unwrap();
    world.verify();
    let calls = world.cards.calls();
    for (per_customer, in_total) in [(0, 5), (1, 0)] {
        let limited = Terms {
            per_customer,
            in_total,
            ..promotions::terms(&world, Cut::Rate(2_000))
        };
        promotions::put(&world, limited);
        let placed = pay(&world, &order(id, pot, 1, "test_ok")).unwrap();
        let is_refused = matches!(
            placed,
            Placed::Refused {
                refusal: Refusal::TokensOnly,
                ..
            }
        );
        assert!(is_refused, "{placed:?}");
    }
    assert_eq!(world.cards.calls(), calls);
}

/// SHP-17: an order by card says what its entry moved, or verify says that it does not.
fn verify_finds_an_order_whose_entry_is_missing(db: &TestDb) {
    let world = World::new(db);
    allow(&world, true);
    let (id, pot) = (world.buyer(100), world.offer("pot", 10));
    paid(pay(&world, &order(id, pot, 3, "test_ok")).unwrap());
    world.verify();
    let entry = world.number("SELECT entry_id FROM card_order WHERE book_id = $1");
    let book = world.book();
    let found = || {
        let report = world.node.engine.read(|tx| {
            let mut report = Report::default();
            vendor_verify(tx, book, &mut report)?;
            Ok::<_, scrip_engine::Error>(report)
        });
        let findings = report.unwrap().findings;
        let about = |f: &Finding| format!("{} {}: {}", f.table, f.key, f.problem);
        findings.iter().map(about).collect::<Vec<_>>()
    };
    for (away, back) in [
        (
            "UPDATE transfer SET entry_id = entry_id + 1000000 WHERE book_id = $1 AND entry_id = $2",
            "UPDATE transfer SET entry_id = $2 WHERE book_id = $1 AND entry_id = $2 + 1000000",
        ),
        (
            "UPDATE card_order SET price = price + 1 WHERE book_id = $1 AND entry_id = $2",
            "UPDATE card_order SET price = price - 1 WHERE book_id = $1 AND entry_id = $2",
        ),
        (
            "UPDATE orders SET entry_id = entry_id + 1 WHERE book_id = $1 AND entry_id = $2",
            "UPDATE orders SET entry_id = entry_id - 1 WHERE book_id = $1 AND entry_id = $2 + 1",
        ),
    ] {
        let run = |sql: &'static str| {
            world
                .write(move |tx| tx.execute(sql, params![book, entry]))
                .unwrap()
        };
        assert_eq!(run(away), 1, "{away}");
        let findings = found();
        assert!(
            findings.iter().any(|f| f.contains("card_order")),
            "{away}: {findings:?}"
        );
        assert_eq!(run(back), 1, "{back}");
        assert_eq!(found(), [""; 0]);
    }
}
