//! The taxes in prices: at which rate a line was sold, what comes back of it, what is reported.

use crate::by_card::after::refund as money_back;
use crate::by_card::{allow, decide, order, paid, pay, pounds};
use crate::support::{DAY_S, World, completed, plain_offer, tokens, want};
use scrip_domain::catalog::{NewProduct, offer_put, product_put};
use scrip_domain::id::{OfferId, OrderId};
use scrip_domain::order::{OrderDetail, RefundLines, RefundRequest, order_by_id, order_refund};
use scrip_domain::policy::{PolicyError, policy_set, policy_version};
use scrip_domain::report::calendar::{Day, Span, Step, zone_of};
use scrip_domain::report::taxes::{Taxed, taxes};
use scrip_domain::vendor::token_price_set;
use scrip_domain::verify::vendor_verify;
use scrip_domain::{Actor, Amount};
use scrip_engine::{Store, params};
use scrip_ledger::verify::book_verify;
use scrip_testkit::TestDb;

both!(
    a_line_keeps_the_rate_at_which_it_was_sold,
    what_comes_back_takes_its_tax_along,
    without_a_rate_nothing_is_said,
    a_card_pays_the_tax_in_money,
    rates_that_cannot_be_are_refused,
    verify_finds_another_tax,
);

fn rates(world: &World, rates: &'static [&'static str]) {
    decide(world, |policy| {
        policy.tax.rates = rates.iter().map(|rate| (*rate).to_owned()).collect();
    });
}

/// An offer of a category.
fn offer(world: &World, sku: &str, category: &str, price: i64) -> OfferId {
    let vendor = world.vendor.clone();
    let product = NewProduct {
        handle: sku.to_owned(),
        title: sku.to_owned(),
        category: category.to_owned(),
        ..NewProduct::default()
    };
    let new = plain_offer(sku, tokens(price));
    let made = world.write(move |tx| {
        let (product, _) = product_put(tx, &vendor, &product)?;
        offer_put(tx, &vendor, product, &new)
    });
    made.unwrap().0
}

fn detail(world: &World, id: OrderId) -> OrderDetail {
    let engine = &world.node.engine;
    let read = engine.read(|tx| order_by_id(tx, Actor::System, world.book(), id));
    read.unwrap()
}

/// Name, rate, gross and tax of each rate.
fn told(order: &OrderDetail) -> Vec<(String, Amount, Amount)> {
    let taxes = order.taxes.iter();
    let one = |tax: &scrip_domain::order::OrderTax| (tax.sum.label(), tax.sum.gross, tax.sum.tax);
    taxes.map(one).collect()
}

fn one(label: &str, gross: i64, tax: i64) -> (String, Amount, Amount) {
    (label.to_owned(), tokens(gross), tokens(tax))
}

fn give_back(world: &World, order_id: OrderId, lines: RefundLines) {
    let vendor = world.vendor.clone();
    let request = RefundRequest {
        order_id,
        lines,
        restock: false,
        reference: String::new(),
        effective_at: None,
    };
    let done = world.write(move |tx| order_refund(tx, Actor::System, &vendor, &request));
    done.unwrap();
}

/// By month: (rate, what was sold at it).
fn reported(world: &World) -> Vec<Vec<(String, Taxed)>> {
    let day = |text: &str| text.parse::<Day>().unwrap();
    let span = Span::new(day("2026-03-01"), day("2026-05-31"), Step::Month).unwrap();
    let found = world.node.engine.read(|tx| {
        let zone = zone_of(tx, world.book())?;
        taxes(tx, world.book(), &zone, &span)
    });
    let month = |rates: std::collections::BTreeMap<(i64, String), Taxed>| {
        let rates = rates.into_iter();
        rates
            .map(|((rate, name), t)| (scrip_domain::tax::label(&name, rate), t))
            .collect()
    };
    found.unwrap().into_iter().map(month).collect()
}

fn a_line_keeps_the_rate_at_which_it_was_sold(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(2_000);
    let pot = offer(&world, "pot", "Pots", 119);
    let book = offer(&world, "book", "Books", 107);
    let free = offer(&world, "leaflet", "Books", 0);
    rates(&world, &["VAT 7%: Books; Food, Drink", " VAT  19,00% "]);
    let wanted = [want(pot, 2), want(book, 1), want(free, 1)];
    let quoted = world.quote(id, &wanted).taxes().unwrap();
    let of_quote: Vec<_> = quoted.iter().map(|t| (t.label(), t.gross, t.tax)).collect();
    let expected = [one("VAT 19%", 238, 38), one("VAT 7%", 107, 7)];
    assert_eq!(of_quote, expected);
    let receipt = completed(world.place(id, &wanted));
    assert_eq!(receipt.total, tokens(345), "the price has the tax in it");
    rates(&world, &["GST 100%"]);
    let old = detail(&world, receipt.order_id);
    assert_eq!(told(&old), expected, "the rates of then");
    // 238 tokens at 0.01.
    let money = |i: usize| (old.taxes[i].money, old.taxes[i].money_tax);
    assert_eq!(money(0), (pounds("2.38"), pounds("0.38")));
    assert_eq!(money(1), (pounds("1.07"), pounds("0.07")));
    let new = completed(world.place(id, &[want(pot, 1)])).order_id;
    assert_eq!(told(&detail(&world, new))[0].0, "GST 100%");
    rates(&world, &["VAT 7%: Books"]);
    let untaxed = completed(world.place(id, &[want(pot, 1)])).order_id;
    assert_eq!(told(&detail(&world, untaxed)), []);
}

fn what_comes_back_takes_its_tax_along(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(10_000);
    // 100 / 1.077 does not come out even.
    let pot = offer(&world, "pot", "", 100);
    rates(&world, &["VAT 7.7%"]);
    let order = completed(world.place(id, &[want(pot, 7)])).order_id;
    let vendor = world.vendor.clone();
    world.clock.advance_seconds(DAY_S);
    let now = world.now();
    let dearer = move |tx: &mut scrip_engine::Tx<'_>| {
        token_price_set(tx, Actor::System, &vendor, pounds("0.05"), now)
    };
    world.write(dearer).unwrap();
    let sold = reported(&world)[0].clone();
    let (tax, money) = (sold[0].1.tax, sold[0].1.kept);
    assert_eq!(
        (sold[0].0.as_str(), sold[0].1.tokens),
        ("VAT 7.7%", tokens(700))
    );
    assert_eq!((tax, money), (Amount::from_units(50_046_425), pounds("7")));
    assert_eq!(sold[0].1.money_tax, pounds("0.50046425"));
    // The next month two pieces come back, one by one, then the rest.
    world.clock.advance_seconds(31 * DAY_S);
    for pieces in [1, 1] {
        give_back(&world, order, RefundLines::Lines(vec![(1, pieces)]));
    }
    let month = &reported(&world)[1][0].1;
    assert_eq!(
        (month.back, month.kept),
        (pounds("2"), pounds("-2")),
        "its price of then"
    );
    give_back(&world, order, RefundLines::Whole);
    let found = detail(&world, order);
    assert_eq!(
        found.lines[0].refunded_tax,
        found.lines[0].tax.clone().unwrap().amount
    );
    assert_eq!(
        (found.taxes[0].back, found.taxes[0].tax_back),
        (tokens(700), tax)
    );
    let [march, april, may]: [_; 3] = reported(&world).try_into().unwrap();
    assert_eq!(march, sold, "what was reported stays");
    let (out, back) = (&march[0].1, &april[0].1);
    assert_eq!(out.tax.plus(back.tax).unwrap(), Amount::ZERO);
    assert_eq!(out.kept.plus(back.kept).unwrap(), Amount::ZERO);
    assert_eq!(out.money_tax.plus(back.money_tax).unwrap(), Amount::ZERO);
    assert_eq!(may, []);
}

fn without_a_rate_nothing_is_said(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(200);
    let pot = offer(&world, "pot", "", 100);
    assert_eq!(world.quote(id, &[want(pot, 1)]).taxes().unwrap(), []);
    let order = completed(world.place(id, &[want(pot, 1)])).order_id;
    assert_eq!(detail(&world, order).taxes, []);
    assert!(reported(&world).iter().all(Vec::is_empty));
    // A rate of nothing is said: the goods are free of tax.
    rates(&world, &["VAT 0%"]);
    let order = completed(world.place(id, &[want(pot, 1)])).order_id;
    assert_eq!(told(&detail(&world, order)), [one("VAT 0%", 100, 0)]);
}

fn a_card_pays_the_tax_in_money(db: &TestDb) {
    let world = World::with(db, "0.013", "50");
    allow(&world, true);
    rates(&world, &["VAT 19%", "VAT 7%: Books"]);
    let id = world.buyer(500);
    let (pot, book) = (
        offer(&world, "pot", "", 77),
        offer(&world, "book", "Books", 50),
    );
    let mut new = order(id, pot, 3, "test_ok");
    new.lines.push(want(book, 1));
    let order = paid(pay(&world, &new).unwrap());
    // 281 tokens at 0.013 are 3.653: the card pays 3.66, of which 231/281 are at 19 %.
    let found = detail(&world, order);
    let money: Vec<_> = found.taxes.iter().map(|tax| tax.money).collect();
    assert_eq!(Amount::sum(money.iter().copied()).unwrap(), pounds("3.66"));
    assert_eq!(money[0], pounds("3.00875444"));
    assert_eq!(found.taxes[0].money_tax, pounds("0.48038936"));
    let month = reported(&world)[0].clone();
    let sold: Vec<_> = month.iter().map(|(_, t)| (t.tokens, t.kept)).collect();
    assert_eq!(sold, [(Amount::ZERO, money[1]), (Amount::ZERO, money[0])]);
    money_back(&world, order, false).unwrap();
    for (_, taxed) in &reported(&world)[0] {
        let nothing = (Amount::ZERO, Amount::ZERO);
        assert_eq!((taxed.kept, taxed.money_tax), nothing);
    }
}

fn rates_that_cannot_be_are_refused(db: &TestDb) {
    let world = World::new(db);
    let many: Vec<String> = (0..21).map(|n| format!("VAT {n}%: c{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (wrong, said) in [
        (vec!["19"], "write a name and a percentage"),
        (vec!["VAT 101%"], "write a name and a percentage"),
        (
            vec!["VAT 7%: Books", "VAT 5%: Books"],
            "name \"Books\" twice",
        ),
        (vec!["VAT 7%", "VAT 5%"], "two for all that is not named"),
        (many, "20 at most"),
    ] {
        let vendor = world.vendor.clone();
        let wrong: Vec<String> = wrong.into_iter().map(str::to_owned).collect();
        let refused = world.write(move |tx| {
            let mut version = policy_version(tx, vendor.book_id)?;
            version.policy.tax.rates.clone_from(&wrong);
            policy_set(tx, Actor::System, &vendor, version.number, &version.policy)
        });
        let refused: PolicyError = refused.unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}

fn verify_finds_another_tax(db: &TestDb) {
    let world = World::new(db);
    let id = world.buyer(500);
    let pot = offer(&world, "pot", "", 119);
    rates(&world, &["VAT 19%"]);
    let order = completed(world.place(id, &[want(pot, 2)])).order_id;
    give_back(&world, order, RefundLines::Lines(vec![(1, 1)]));
    let book = world.book();
    let findings = || {
        let report = world.node.engine.read(|tx| {
            let mut report = book_verify(tx, book)?;
            vendor_verify(tx, book, &mut report)?;
            Ok::<_, scrip_ledger::Error>(report)
        });
        report.unwrap().findings.len()
    };
    assert_eq!(findings(), 0);
    for change in [
        "UPDATE order_line SET tax = tax + $2 WHERE book_id = $1",
        "UPDATE refund_line SET tax = tax + $2 WHERE book_id = $1",
    ] {
        for by in [1_i64, -1] {
            let changed = world.write(move |tx| {
                tx.put(change, params![book, by])?;
                Ok::<_, scrip_engine::Error>(())
            });
            changed.unwrap();
            assert_eq!(findings(), usize::from(by == 1), "{change}");
        }
    }
}
