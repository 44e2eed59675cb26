//! Each figure of the reports against a count from the rows of the journal that shares nothing
//! with them, over a random month of business.

mod business;
mod recount;

use crate::support::World;
use business::Business;
use recount::{Recount, day_number};
use scrip_domain::report::calendar::{Day, Span, Step};
use scrip_domain::report::owing::{AGES, deferrals, expiries, liability};
use scrip_domain::report::rollup::{BANDS, Figures, Flow, figures, pass_next, pass_write};
use scrip_domain::report::selling::{assortment, preferences, selling};
use scrip_domain::revenue::{Control, RevenueError, bookings, control, revenue_book};
use scrip_domain::statement::statement;
use scrip_domain::{Actor, Amount};
use scrip_engine::{ReadTx, Timestamp};
use scrip_ledger::export::{Format, book_export};
use scrip_ledger::{AccountKind, books, seal_next};
use scrip_testkit::TestDb;
use std::collections::BTreeMap;

both!(
    every_figure_is_that_of_the_journal,
    every_figure_is_that_of_another_journal,
    what_is_kept_says_what_the_journal_says,
    the_export_comes_to_the_same,
    revenue_is_booked_once_for_a_period_that_is_over,
    another_time_zone_has_other_days,
    statements_come_to_what_the_journal_says,
);

pub(super) fn read<T>(
    world: &World,
    of: impl Fn(&mut ReadTx<'_>, &Figures) -> scrip_ledger::Result<T>,
) -> T {
    let engine = &world.node.engine;
    engine
        .read(|tx| {
            let figures = figures(tx, &world.vendor)?;
            of(tx, &figures)
        })
        .unwrap()
}

fn seal(world: &World, limit: i64) -> bool {
    let book = world.book();
    world
        .write(move |tx| seal_next(tx, book, limit))
        .unwrap()
        .is_some()
}

/// One pass over what is sealed; false when there is nothing to do.
fn roll_up(world: &World) -> bool {
    let vendor = world.vendor.clone();
    let pass = world.node.engine.read(|tx| pass_next(tx, &vendor)).unwrap();
    let Some(pass) = pass else {
        return false;
    };
    let pass = std::sync::Arc::new(pass);
    let again = pass.clone();
    assert!(world.write(move |tx| pass_write(tx, &pass)).unwrap());
    // The same pass from another process comes too late.
    assert!(!world.write(move |tx| pass_write(tx, &again)).unwrap());
    true
}

fn span(first: &str, last: &str, step: Step) -> Span {
    let day = |text: &str| text.parse::<Day>().unwrap();
    Span::new(day(first), day(last), step).unwrap()
}

/// Whole months, parts of them, weeks across their ends, and times without business.
fn spans() -> [Span; 8] {
    [
        span("2026-03-01", "2026-04-30", Step::Day),
        span("2026-03-01", "2026-04-30", Step::Week),
        span("2026-01-01", "2026-12-31", Step::Month),
        span("2026-03-03", "2026-04-02", Step::Month),
        span("2025-10-01", "2026-12-31", Step::Quarter),
        span("2020-01-01", "2030-12-31", Step::Year),
        span("2026-03-29", "2026-03-29", Step::Day),
        span("2026-06-01", "2026-06-30", Step::Day),
    ]
}

fn compare(world: &World) {
    let recount = Recount::of(world);
    for span in spans() {
        let periods: Vec<(i64, i64)> = span
            .periods()
            .iter()
            .map(|(a, b)| (day_number(*a), day_number(*b)))
            .collect();
        compare_selling(world, &recount, &span, &periods);
        compare_goods(world, &recount, &span);
        compare_owing(world, &recount, &span, &periods);
    }
    compare_liability(world, &recount);
}

fn compare_selling(world: &World, recount: &Recount, span: &Span, periods: &[(i64, i64)]) {
    let found = read(world, |tx, figures| selling(tx, figures, span));
    let whole = (day_number(span.from()), day_number(span.to()));
    let same = |flow: &Flow, expected: recount::Counted, what: &str| {
        let found = recount::Counted {
            orders: flow.orders,
            refunds: flow.refunds,
            tokens: flow.tokens.map(Amount::units),
            worth: flow.worth.map(Amount::units),
            money: flow.money.units(),
        };
        assert_eq!(found, expected, "{what} of {span:?}");
    };
    same(&found.total, recount.count(whole, |_, _| true), "total");
    assert_eq!(found.periods.len(), periods.len());
    for (flow, period) in found.periods.iter().zip(periods) {
        same(flow, recount.count(*period, |_, _| true), "period");
    }
    for (flow, hour) in found.hours.iter().zip(0..) {
        same(flow, recount.count(whole, |_, h| h == hour), "hour");
    }
    for (flow, weekday) in found.weekdays.iter().zip(0..) {
        // 1970-01-01 was a Thursday.
        let on = |day: i64| (day + 3).rem_euclid(7) == weekday;
        same(flow, recount.count(whole, |d, _| on(d)), "weekday");
    }
}

fn compare_goods(world: &World, recount: &Recount, span: &Span) {
    let whole = (day_number(span.from()), day_number(span.to()));
    let found = read(world, |tx, figures| assortment(tx, figures, span));
    let numbers = |s: &scrip_domain::report::selling::Sold| {
        [
            s.sold.pieces,
            s.sold.tokens.units(),
            s.back.pieces,
            s.back.tokens.units(),
        ]
    };
    let articles: BTreeMap<String, [i64; 4]> = found
        .articles
        .iter()
        .map(|(article, sold)| (article.sku.clone(), numbers(sold)))
        .collect();
    assert_eq!(articles, recount.articles(whole, |l| l.sku.clone()));
    let of = |list: &[(String, scrip_domain::report::selling::Sold)]| -> BTreeMap<_, _> {
        list.iter().map(|(k, s)| (k.clone(), numbers(s))).collect()
    };
    let categories = recount.articles(whole, |l| l.category.clone());
    assert_eq!(of(&found.categories), categories);
    assert_eq!(
        of(&found.kinds),
        recount.articles(whole, |l| l.kind.clone())
    );
    let best: Vec<i64> = found
        .articles
        .iter()
        .map(|a| a.1.sold.tokens.units())
        .collect();
    assert!(best.is_sorted_by(|a, b| a >= b), "best sellers first");
    let groups = read(world, |tx, figures| preferences(tx, figures, span));
    assert_eq!(groups.len(), BANDS.len());
    for (group, until) in groups.iter().zip([1, 3, 9, i64::MAX]) {
        let expected = recount.preferred(whole, group.from..=until);
        let found: BTreeMap<String, [i64; 2]> = group
            .categories
            .iter()
            .map(|(c, g)| (c.clone(), [g.pieces, g.tokens.units()]))
            .collect();
        assert_eq!(found, expected, "from order {} of {span:?}", group.from);
    }
}

fn compare_owing(world: &World, recount: &Recount, span: &Span, periods: &[(i64, i64)]) {
    let found = read(world, |tx, figures| deferrals(tx, figures, span));
    for (period, days) in found.periods.iter().zip(periods) {
        let [issued, withdrawn, spent, returned, expired, restored] =
            recount.count(*days, |_, _| true).worth;
        let opening = recount.deferred_before(days.0);
        let expected = [
            opening,
            issued,
            spent,
            returned,
            expired - restored,
            withdrawn,
            recount.deferred_before(days.1),
        ];
        let found = [
            period.opening,
            period.received,
            period.earned,
            period.reversed,
            period.breakage,
            period.paid_back,
            period.closing,
        ];
        assert_eq!(found.map(Amount::units), expected, "{days:?} of {span:?}");
    }
    let first = found.periods.first().unwrap();
    let last = found.periods.last().unwrap();
    assert_eq!(found.total.opening, first.opening);
    assert_eq!(found.total.closing, last.closing);
    let found = read(world, |tx, figures| expiries(tx, figures, span));
    for (held, days) in found.periods.iter().zip(periods) {
        let counted = recount.count(*days, |_, _| true);
        let tokens = counted.tokens[4] - counted.tokens[5];
        assert_eq!(held.tokens.units(), tokens);
        assert_eq!(held.worth.units(), counted.worth[4] - counted.worth[5]);
    }
    let coming: BTreeMap<String, [i64; 2]> = found
        .coming
        .iter()
        .map(|(month, held)| {
            let month = month.to_string().chars().take(7).collect();
            (month, [held.tokens.units(), held.worth.units()])
        })
        .collect();
    let (expected, never) = recount.coming();
    assert_eq!(coming, expected);
    assert_eq!(
        [found.never.tokens.units(), found.never.worth.units()],
        never
    );
}

fn compare_liability(world: &World, recount: &Recount) {
    let found = read(world, |tx, figures| liability(tx, &world.vendor, figures));
    let expected = recount.liability(world.now());
    for (place, aged) in found.ages.iter().enumerate() {
        assert_eq!(aged.from, AGES[place]);
        let found = aged.origins.map(|h| [h.tokens.units(), h.worth.units()]);
        assert_eq!(found, expected[place], "from {} days on", aged.from);
    }
    assert_eq!(found.total.total.tokens, found.ledger);
    let control = controlled(world);
    assert_eq!(control.outstanding, found.total.total.worth);
    assert_eq!(control.closing, control.outstanding);
    assert_eq!(control.deferred_after_booking().unwrap(), control.closing);
}

fn controlled(world: &World) -> Control {
    let engine = &world.node.engine;
    engine
        .read(|tx| {
            let figures = figures(tx, &world.vendor)?;
            control(tx, &world.vendor, &figures)
        })
        .unwrap()
}

/// ADV-08, MIC-05: sales, liability, expiries, deferred and earned revenue, best sellers and
/// preferences are those of the journal, whether it is added up not at all, in part or wholly.
fn every_figure_is_that_of_the_journal(db: &TestDb) {
    figures_of_a_month(db, 1);
}

/// ADV-08: the same with other numbers; `SCRIP_REPORTS_SEED` says which.
fn every_figure_is_that_of_another_journal(db: &TestDb) {
    let seed = std::env::var("SCRIP_REPORTS_SEED").map_or(Ok(2), |seed| seed.parse());
    figures_of_a_month(db, seed.unwrap());
}

fn figures_of_a_month(db: &TestDb, seed: u64) {
    let world = World::new(db);
    let mut business = Business::open(&world, seed);
    business.days(40);
    compare(&world);
    // In part.
    for _ in 0..4 {
        assert!(seal(&world, 25));
    }
    assert!(roll_up(&world));
    compare(&world);
    business.days(20);
    compare(&world);
    while seal(&world, 64) {}
    while roll_up(&world) {}
    compare(&world);
    business.days(3);
    compare(&world);
}

/// ADV-08: what is kept is what a count from the beginning comes to, row by row.
fn what_is_kept_says_what_the_journal_says(db: &TestDb) {
    let world = World::new(db);
    let mut business = Business::open(&world, 11);
    let tables = [
        "SELECT day, hour, orders, spent, spent_worth, returned_worth, expired_worth
         FROM report_flow WHERE book_id = $1 ORDER BY day, hour",
        "SELECT period, band, lines, pieces, tokens FROM report_goods WHERE book_id = $1
         ORDER BY period, offer_id, band",
        "SELECT granted_day, expires_quarter, tokens, worth FROM report_held WHERE book_id = $1
         ORDER BY granted_day, expires_quarter, origin",
        "SELECT grant_id, held FROM report_grant WHERE book_id = $1 ORDER BY grant_id",
        "SELECT orders FROM report_customer WHERE book_id = $1 ORDER BY customer_id",
    ];
    let kept = |world: &World| -> Vec<Vec<Vec<i64>>> {
        let rows = tables.map(|sql| world.rows(sql));
        let numbers = |row: &scrip_engine::Row| -> Vec<i64> {
            (0..row.0.len()).map(|i| row.int(i).unwrap()).collect()
        };
        rows.iter()
            .map(|rows| rows.iter().map(numbers).collect())
            .collect()
    };
    for _ in 0..6 {
        business.days(5);
        seal(&world, 20);
        seal(&world, 1000);
        roll_up(&world);
    }
    let first = kept(&world);
    assert!(first.iter().all(|rows| !rows.is_empty()));
    let book = world.book();
    let forget = "DELETE FROM report_mark WHERE book_id = $1";
    world
        .write(move |tx| tx.execute(forget, scrip_engine::params![book]))
        .unwrap();
    compare(&world);
    while roll_up(&world) {}
    assert_eq!(kept(&world), first);
}

/// ADV-08: the file that `scrip export` writes for accountants has the same sums.
fn the_export_comes_to_the_same(db: &TestDb) {
    let world = World::new(db);
    Business::open(&world, 5).days(30);
    let all = span("2026-01-01", "2026-12-31", Step::Year);
    let last: Day = "2026-03-20".parse().unwrap();
    let vendor = world.vendor.clone();
    world
        .write(move |tx| revenue_book(tx, Actor::System, &vendor, last))
        .unwrap();
    let found = read(&world, |tx, figures| selling(tx, figures, &all)).total;
    let control = controlled(&world);
    let text = world.node.engine.read(|tx| {
        let book = books(tx)?
            .into_iter()
            .find(|b| b.slug == "corner-shop")
            .unwrap();
        book_export(tx, &book, Format::Csv)
    });
    // account kind -> (sum of what came, sum of what went), in millionths as the file has them.
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for line in text.unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.rsplitn(4, ',').collect();
        let (amount, asset, account) = (fields[0], fields[1], fields[2]);
        let kind = account.split(':').nth(1).unwrap().to_owned();
        let decimals = if asset.ends_with("TOKEN") { 6 } else { 8 };
        let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
        let digits = format!("{whole}{part:0<decimals$}");
        *sums.entry(kind).or_default() += digits.parse::<i128>().unwrap();
    }
    let sum = |kind: AccountKind| sums.get(kind.name()).copied().unwrap_or_default();
    let tokens = found.tokens.map(|t| i128::from(t.units()));
    assert_eq!(sum(AccountKind::Issued), tokens[1] - tokens[0]);
    assert_eq!(sum(AccountKind::Spent), tokens[2] - tokens[3]);
    assert_eq!(sum(AccountKind::Expired), tokens[4] - tokens[5]);
    let units = |amount: Amount| i128::from(amount.units());
    assert_eq!(sum(AccountKind::Deferred), units(control.deferred));
    assert_eq!(sum(AccountKind::Earned), units(control.earned));
    assert_eq!(sum(AccountKind::Breakage), units(control.breakage));
    let worth = found.worth.map(units);
    let closing = worth[0] - worth[1] - worth[2] + worth[3] - worth[4] + worth[5];
    assert_eq!(closing, units(control.closing));
    assert!(control.earned.is_positive() && control.breakage.is_positive());
}

/// ADV-08: a period is booked when it is over, once; what is entered for it later is in the next.
fn revenue_is_booked_once_for_a_period_that_is_over(db: &TestDb) {
    let world = World::new(db);
    let mut business = Business::open(&world, 7);
    business.days(20);
    let book = |last: &str| {
        let (vendor, last): (_, Day) = (world.vendor.clone(), last.parse().unwrap());
        world.write(move |tx| revenue_book(tx, Actor::System, &vendor, last))
    };
    let earned_until = |last: &str| {
        let counted = Recount::of(&world)
            .count((0, day_number(last.parse::<Day>().unwrap()) + 1), |_, _| {
                true
            });
        let [_, _, spent, returned, expired, restored] = counted.worth;
        (spent - returned, expired - restored)
    };
    let today: Day = world.now().to_string()[..10].parse().unwrap();
    let open = book(&today.to_string());
    assert!(matches!(open, Err(RevenueError::Open { .. })));
    let (first, same) = (book("2026-03-10").unwrap(), book("2026-03-10").unwrap());
    assert_eq!(first, same);
    let booked = (first.earned.units(), first.breakage.units());
    assert_eq!(booked, earned_until("2026-03-10"));
    let before = book("2026-03-09");
    assert!(matches!(before, Err(RevenueError::Booked { .. })));
    assert_eq!(
        before.unwrap_err().to_string().split(' ').nth(2),
        Some("2026-03-10")
    );

    // For the fifth, entered now.
    business.order_back_dated(Timestamp::parse("2026-03-05T12:00:00Z").unwrap());
    let second = book("2026-03-15").unwrap();
    let (earned, breakage) = earned_until("2026-03-15");
    assert_eq!(second.earned.units(), earned - first.earned.units());
    assert_eq!(second.breakage.units(), breakage - first.breakage.units());
    let (late, _) = earned_until("2026-03-10");
    assert!(
        late > first.earned.units(),
        "the late order is not in the first"
    );

    let control = controlled(&world);
    assert_eq!(control.earned.units(), earned);
    assert_eq!(
        control.deferred_after_booking().unwrap(),
        control.outstanding
    );
    let all = world.node.engine.read(|tx| bookings(tx, &world.vendor));
    assert_eq!(all.unwrap(), [first, second]);
    let vendor = world.vendor.clone();
    let stranger = Actor::Customer(world.register().customer_id);
    let last: Day = "2026-03-16".parse().unwrap();
    let refused = world.write(move |tx| revenue_book(tx, stranger, &vendor, last));
    assert!(matches!(refused, Err(RevenueError::StaffOnly)));
}

/// ADV-08: days are those of the vendor's time zone, also when it changes later.
fn another_time_zone_has_other_days(db: &TestDb) {
    let world = World::new(db);
    Business::open(&world, 3).days(12);
    while seal(&world, 64) {}
    while roll_up(&world) {}
    let by_day = |world: &World| {
        let days = span("2026-02-01", "2026-03-31", Step::Day);
        read(world, |tx, figures| selling(tx, figures, &days))
    };
    let berlin = by_day(&world);
    business::set_zone(&world, 1, "Pacific/Auckland");
    let auckland = by_day(&world);
    assert_ne!(auckland.periods, berlin.periods);
    assert_eq!(auckland.total, berlin.total);
    while roll_up(&world) {}
    assert_eq!(by_day(&world), auckland);
}

/// MIC-05: a statement's opening, movements, sums and closing are those of the customer's wallet in
/// the journal, also of what was entered late; no stranger sees it.
fn statements_come_to_what_the_journal_says(db: &TestDb) {
    let world = World::new(db);
    let mut business = Business::open(&world, 13);
    business.days(25);
    business.order_back_dated(Timestamp::parse("2026-03-03T12:00:00Z").unwrap());
    let at = |day: &str| Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap();
    let customers = world.rows("SELECT customer_id FROM customer WHERE book_id = $1");
    let mut moved = 0;
    for row in &customers {
        let id = scrip_domain::id::CustomerId(row.uuid(0).unwrap());
        let customer = world.customer(id);
        let own = own_movements(&world, customer.wallet);
        for (from, to) in [
            ("2026-03-01", "2026-04-01"),
            ("2026-03-05", "2026-03-12"),
            ("2026-01-01", "2027-01-01"),
            ("2026-05-01", "2026-05-02"),
            ("2026-01-01", "2026-01-02"),
        ] {
            let (from, to) = (at(from), at(to));
            let engine = &world.node.engine;
            let read = |actor| engine.read(|tx| statement(tx, actor, &customer, from, to));
            let found = read(Actor::Customer(id)).unwrap();
            let before =
                |end: Timestamp| -> i64 { own.iter().filter(|m| m.0 < end.0).map(|m| m.2).sum() };
            assert_eq!(found.opening.units(), before(from));
            assert_eq!(found.closing.units(), before(to));
            let inside = own.iter().filter(|m| (from.0..to.0).contains(&m.0));
            let mut sums: BTreeMap<String, i64> = BTreeMap::new();
            for (_, code, amount) in inside {
                *sums.entry(code.clone()).or_default() += amount;
                moved += 1;
            }
            let told: BTreeMap<String, i64> = found
                .sums
                .iter()
                .map(|(c, a)| (c.clone(), a.units()))
                .collect();
            assert_eq!(told, sums);
            let times: Vec<i64> = found.movements.iter().map(|m| m.at.0).collect();
            assert!(times.is_sorted());
            if let Some(last) = found.movements.last() {
                assert_eq!(last.balance, found.closing);
            }
            let stranger = Actor::Customer(world.register().customer_id);
            assert!(read(stranger).is_err());
        }
    }
    assert!(moved > 50, "{moved}");
}

/// (when it counts, what, tokens) of the transfers of a wallet.
fn own_movements(world: &World, wallet: i64) -> Vec<(i64, String, i64)> {
    let rows = world.rows(
        "SELECT e.effective_at, e.code, t.debit_id, t.credit_id, t.amount FROM transfer t
         JOIN entry e ON e.book_id = t.book_id AND e.entry_id = t.entry_id
         WHERE t.book_id = $1",
    );
    let of = |row: &scrip_engine::Row| {
        let int = |i| row.int(i).unwrap();
        let sign = i64::from(int(3) == wallet) - i64::from(int(2) == wallet);
        (int(0), row.text(1).unwrap().to_owned(), sign * int(4))
    };
    rows.iter().map(of).filter(|m| m.2 != 0).collect()
}
