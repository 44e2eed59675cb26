//! How money between a member and its mall is settled: invoices and payments, deposits drawn in
//! slices, transfers at once, disputes and adjustments, quotas at a rate.

use super::plaza::{Plaza, money, paid};
use crate::support::tokens;
use scrip_domain::checkout::CheckoutError;
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::mall::{
    Clearing, Dispute, DisputeState, Invoice, Line, LineKind, MallError, Party, Ruling, Settles,
    adjustment_make, clearing_close, clearing_pay, deposit, deposit_add, dispute_close,
    dispute_open, disputes, invoices, mall_lines, member_quota_sell, settling_set, transfers,
};
use scrip_domain::open_token::OpenKind;
use scrip_domain::{Actor, Amount};
use scrip_engine::Timestamp;
use scrip_testkit::TestDb;
use uuid::Uuid;

both!(
    what_a_clearing_came_to_is_paid_once,
    a_deposit_pays_at_once_or_nothing_moves,
    purchases_at_once_never_overdraw_a_deposit,
    whole_cents_are_transferred_at_once,
    what_was_drawn_goes_back_with_the_sale,
    a_dispute_is_answered_once,
    adjustments_pass_between_any_two,
    a_quota_is_sold_at_a_rate,
);

impl Plaza {
    fn settles(&self, place: usize, settles: Settles) {
        let member = self.member(place);
        self.world(0)
            .write(move |tx| settling_set(tx, Actor::System, &member, settles))
            .unwrap();
    }

    fn pay_in(&self, place: usize, amount: &str, low: &str) {
        let (member, amount, low) = (self.member(place), money(amount), money(low));
        self.world(0)
            .write(move |tx| deposit_add(tx, Actor::System, &member, amount, Some(low)))
            .unwrap();
    }

    fn left_of_deposit(&self, place: usize) -> Amount {
        let member = self.member(place);
        let engine = &self.world(0).node.engine;
        let found = engine.read(|tx| deposit(tx, &member)).unwrap();
        found.unwrap().remaining
    }

    fn close(&self) -> Clearing {
        let mall = self.mall.mall.clone();
        self.world(0)
            .write(move |tx| clearing_close(tx, Actor::System, &mall))
            .unwrap()
    }

    fn pay(&self, place: usize, number: i64) -> Result<Invoice, MallError> {
        let (mall, member) = (self.mall.mall.clone(), self.member(place));
        self.world(0)
            .write(move |tx| clearing_pay(tx, Actor::System, &mall, &member, (number, "SEPA 1")))
    }

    fn adjust(
        &self,
        (from, to): (Option<usize>, Option<usize>),
        amount: &str,
    ) -> Result<Line, MallError> {
        let (mall, amount) = (self.mall.mall.clone(), money(amount));
        let (from, to) = (from.map(|p| self.member(p)), to.map(|p| self.member(p)));
        self.world(0).write(move |tx| {
            let sides = (
                from.as_ref().map_or(Party::Mall, Party::Member),
                to.as_ref().map_or(Party::Mall, Party::Member),
            );
            adjustment_make(tx, Actor::System, &mall, sides, (amount, "agreed"))
        })
    }

    fn dispute(&self, place: usize, event: Uuid) -> Result<Dispute, MallError> {
        let member = self.member(place);
        self.world(0)
            .write(move |tx| dispute_open(tx, Actor::System, &member, event, "never delivered"))
    }

    fn rule(&self, number: i64, ruling: Ruling) -> Result<Dispute, MallError> {
        let mall = self.mall.mall.clone();
        self.world(0)
            .write(move |tx| dispute_close(tx, Actor::System, &mall, number, (ruling, "we looked")))
    }

    fn lines(&self) -> Vec<Line> {
        let engine = &self.world(0).node.engine;
        engine.read(|tx| mall_lines(tx, &self.mall.mall)).unwrap()
    }

    /// All rows of all books are what the ledgers make.
    fn verified(&self) {
        self.world(0).verify();
        self.mall.dues_agree();
    }
}

/// A customer of member 1 with universal tokens of it, and a thing of member 0 for ten of them.
fn shopper(plaza: &Plaza, universal: &str) -> ((usize, CustomerId), OfferId) {
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, universal);
    (ana, plaza.world(0).offer("lamp", 100))
}

/// GOV-09, MIC-03, OPN-20: whole cents pass between the banks, once; the fraction stays due.
fn what_a_clearing_came_to_is_paid_once(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.terms(0, 0, 1, 0);
    plaza.terms(1, 2, 0, 0);
    let (ana, lamp) = shopper(&plaza, "30");
    paid(plaza.buy(ana, 0, lamp));
    let closed = plaza.close();
    let (mall, one) = (plaza.mall.mall.clone(), plaza.member(1));
    let open = plaza
        .world(0)
        .node
        .engine
        .read(|tx| invoices(tx, &mall, Some(&one), 10))
        .unwrap();
    assert_eq!(open.len(), 1);
    assert!(open[0].is_open());
    assert_eq!(open[0].position.paid, money("9.80"));
    let done = plaza.pay(1, closed.number).unwrap();
    assert_eq!(done.payment.unwrap().reference, "SEPA 1");
    assert_eq!(plaza.mall.position(1), Amount::ZERO);
    assert!(matches!(
        plaza.pay(1, closed.number),
        Err(MallError::Paid { .. })
    ));
    assert_eq!(plaza.mall.position(0), money("-9.70"));
    plaza.pay(0, closed.number).unwrap();
    assert_eq!(plaza.mall.position(0), Amount::ZERO);
    for (place, number) in [(2, closed.number), (0, 99)] {
        let refused = plaza.pay(place, number);
        assert!(matches!(refused, Err(MallError::NothingDue { .. })));
    }
    plaza.verified();
    // What happens after it is not mixed up with it.
    paid(plaza.buy(ana, 0, lamp));
    let next = plaza.close();
    let (_, position) = next
        .positions
        .iter()
        .find(|(b, _)| *b == one.book_id)
        .unwrap();
    assert_eq!(position.net, money("9.80"));
    plaza.verified();
}

/// OPN-20: the deposit covers it whole or the purchase is refused and nothing moves; the member is
/// warned once.
fn a_deposit_pays_at_once_or_nothing_moves(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.terms(0, 0, 1, 0);
    plaza.terms(1, 2, 0, 0);
    let (ana, lamp) = shopper(&plaza, "100");
    plaza.settles(1, Settles::Deposit);
    let refused = plaza.buy(ana, 0, lamp);
    assert!(
        matches!(
            refused,
            Err(CheckoutError::Mall(MallError::DepositShort(_)))
        ),
        "without a deposit"
    );
    plaza.pay_in(1, "25", "12");
    for left in ["15.20", "5.40"] {
        paid(plaza.buy(ana, 0, lamp));
        assert_eq!(plaza.left_of_deposit(1), money(left));
        plaza.verified();
    }
    assert_eq!(plaza.world(1).messages("mall.deposit_low", "riverside"), 1);
    assert!(plaza.buy(ana, 0, lamp).is_err(), "5.40 do not cover 9.80");
    assert_eq!(plaza.left_of_deposit(1), money("5.40"));
    assert_eq!(plaza.mall.position(1), Amount::ZERO, "nothing is owed");
    assert_eq!(plaza.mall.position(0), money("-19.40"));
    assert_eq!(plaza.mall.kept(), money("0.20"));
    let line = plaza.lines().pop().unwrap();
    assert_eq!(
        (line.money.drawn, line.money.owed, line.money.means),
        (money("9.80"), Amount::ZERO, Settles::Deposit)
    );
    plaza.pay_in(1, "20", "12");
    paid(plaza.buy(ana, 0, lamp));
    assert_eq!(plaza.left_of_deposit(1), money("15.60"));
    let closed = plaza.close();
    let paid: Vec<Amount> = closed.positions.iter().map(|(_, p)| p.paid).collect();
    assert_eq!(paid[..2], [money("-29.10"), Amount::ZERO]);
    plaza.verified();
}

/// OPN-20: many at once draw from slices; all that fits is sold, and not one more.
fn purchases_at_once_never_overdraw_a_deposit(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.settles(1, Settles::Deposit);
    plaza.pay_in(1, "105", "0");
    let (_, lamp) = shopper(&plaza, "1");
    let buyers: Vec<(usize, CustomerId)> = (0..5).map(|_| (1, plaza.customer(1))).collect();
    for buyer in &buyers {
        plaza.sold(1, *buyer, OpenKind::Universal, "40");
    }
    let sold: usize = std::thread::scope(|scope| {
        let plaza = &plaza;
        let all: Vec<_> = buyers
            .iter()
            .map(|buyer| {
                scope.spawn(move || {
                    let tries = (0..4).map(|_| plaza.buy(*buyer, 0, lamp).is_ok());
                    tries.filter(|is_sold| *is_sold).count()
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(sold, 10, "105 cover ten of the twenty");
    assert_eq!(plaza.left_of_deposit(1), money("5"));
    plaza.verified();
}

/// OPN-20: whole cents go from bank to bank with the sale, the fraction with the clearing.
fn whole_cents_are_transferred_at_once(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.terms(1, 3, 0, 0);
    plaza.settles(1, Settles::Transfer);
    let ana = (1, plaza.customer(1));
    plaza.sold(1, ana, OpenKind::Universal, "30");
    let begin = plaza.world(0).now();
    // 3.33 less 3 percent are 3.2301.
    let thing = plaza.world(2).offer("thing", 111);
    paid(plaza.buy(ana, 2, thing));
    assert_eq!(plaza.mall.position(1), money("0.0001"));
    assert_eq!(plaza.mall.position(2), money("-3.2301"));
    let mall = plaza.mall.mall.clone();
    let listed = plaza
        .world(0)
        .node
        .engine
        .read(|tx| transfers(tx, &mall, begin, Timestamp::NEVER))
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].money.drawn, money("3.23"));
    assert_eq!(listed[0].debtor, plaza.member(1).book_id);
    plaza.verified();
}

/// OPN-23: a sale that a deposit settled is taken back: who drew owes it, and the debtor is owed all.
fn what_was_drawn_goes_back_with_the_sale(db: &TestDb) {
    let plaza = Plaza::new(db);
    plaza.terms(0, 0, 1, 0);
    plaza.terms(1, 2, 0, 0);
    plaza.settles(1, Settles::Deposit);
    plaza.pay_in(1, "20", "0");
    let (ana, lamp) = shopper(&plaza, "30");
    let receipt = paid(plaza.buy(ana, 0, lamp));
    plaza.reverse(0, receipt.order_id).unwrap();
    assert_eq!(plaza.left_of_deposit(1), money("10.20"));
    assert_eq!(plaza.mall.position(1), money("-9.80"));
    assert_eq!(plaza.mall.position(0), Amount::ZERO);
    assert_eq!(plaza.mall.kept(), Amount::ZERO);
    plaza.verified();
}

/// MIC-05, GOV-06: by either side of a line, one at a time; the line stays, money passes by a line of
/// its own, and never more than passed.
fn a_dispute_is_answered_once(db: &TestDb) {
    let plaza = Plaza::new(db);
    let (ana, lamp) = shopper(&plaza, "30");
    paid(plaza.buy(ana, 0, lamp));
    let line = plaza.lines().pop().unwrap();
    assert!(matches!(
        plaza.dispute(2, line.event_id),
        Err(MallError::LineUnknown)
    ));
    assert!(matches!(
        plaza.dispute(1, Uuid::nil()),
        Err(MallError::LineUnknown)
    ));
    let open = plaza.dispute(1, line.event_id).unwrap();
    assert!(matches!(
        plaza.dispute(0, line.event_id),
        Err(MallError::InDispute(1))
    ));
    let too_much = plaza.rule(open.number, Ruling::Adjust(money("10.01")));
    assert!(matches!(too_much, Err(MallError::AdjustmentInvalid(_))));
    let closed = plaza.rule(open.number, Ruling::Adjust(money("4"))).unwrap();
    assert_eq!(closed.state, DisputeState::Adjusted);
    assert_eq!(plaza.mall.position(1), money("6"));
    assert_eq!(plaza.mall.position(0), money("-6"));
    assert!(matches!(
        plaza.rule(open.number, Ruling::Reject),
        Err(MallError::DisputeClosed(1))
    ));
    assert!(matches!(
        plaza.rule(7, Ruling::Reject),
        Err(MallError::DisputeUnknown(7))
    ));
    // Of ten, six are left to dispute.
    let again = plaza.dispute(1, line.event_id).unwrap();
    let too_much = plaza.rule(again.number, Ruling::Adjust(money("6.01")));
    assert!(matches!(too_much, Err(MallError::AdjustmentInvalid(_))));
    plaza.rule(again.number, Ruling::Reject).unwrap();
    assert_eq!(plaza.mall.position(1), money("6"), "it stays");
    let (mall, book) = (plaza.mall.mall.book_id, plaza.member(1).book_id);
    let engine = &plaza.world(0).node.engine;
    let all = engine
        .read(|tx| disputes(tx, mall, Some(book), 10))
        .unwrap();
    let states: Vec<DisputeState> = all.iter().map(|d| d.state).collect();
    assert_eq!(states, [DisputeState::Rejected, DisputeState::Adjusted]);
    let kinds = plaza.lines().into_iter().map(|l| l.kind);
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [LineKind::Sale, LineKind::Adjustment]
    );
    plaza.verified();
}

/// GOV-06: between members, to the mall, and from it; the clearing counts them, and all comes to nothing.
fn adjustments_pass_between_any_two(db: &TestDb) {
    let plaza = Plaza::new(db);
    for (sides, amount) in [
        ((Some(0), Some(1)), "2.50"),
        ((Some(1), None), "1.005"),
        ((None, Some(2)), "0.75"),
    ] {
        plaza.adjust(sides, amount).unwrap();
    }
    for sides in [(None, None), (Some(1), Some(1))] {
        assert!(plaza.adjust(sides, "1").is_err(), "{sides:?}");
    }
    for amount in ["0", "-1", "10000.01"] {
        assert!(
            plaza.adjust((Some(0), Some(1)), amount).is_err(),
            "{amount}"
        );
    }
    let owes: Vec<Amount> = (0..3).map(|place| plaza.mall.position(place)).collect();
    assert_eq!(owes, [money("2.50"), money("-1.495"), money("-0.75")]);
    assert_eq!(plaza.mall.kept(), money("0.255"));
    let closed = plaza.close();
    let paid: Vec<Amount> = closed.positions.iter().map(|(_, p)| p.paid).collect();
    assert_eq!(paid[..3], [money("2.50"), money("-1.49"), money("-0.75")]);
    plaza.verified();
}

/// MSP-01: bought at an agreed rate; what it costs is billed, and the quota grows by it.
fn a_quota_is_sold_at_a_rate(db: &TestDb) {
    let plaza = Plaza::new(db);
    let sell = |amount: Amount, rate: &'static str| {
        let member = plaza.member(0);
        plaza
            .world(0)
            .write(move |tx| member_quota_sell(tx, Actor::System, &member, (amount, money(rate))))
    };
    let (quota, price) = sell(tokens(500), "0.003").unwrap();
    assert_eq!(quota.authorised, Some(tokens(500)));
    assert_eq!(price, money("1.5"));
    let (quota, _) = sell(tokens(100), "0").unwrap();
    assert_eq!(quota.authorised, Some(tokens(600)));
    assert_eq!(plaza.mall.position(0), money("1.5"));
    assert_eq!(plaza.mall.kept(), money("1.5"));
    for (amount, rate) in [(Amount::ZERO, "1"), (tokens(1), "-1"), (tokens(1), "10001")] {
        assert!(matches!(sell(amount, rate), Err(MallError::QuotaInvalid)));
    }
    plaza.verified();
}
