//! The figures counted from rows of the journal, in plain integers and by other ways than the
//! reports go.

use crate::support::World;
use scrip_domain::report::calendar::Day;
use scrip_engine::{Row, Timestamp};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

const DAY_US: i64 = 86_400_000_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub orders: i64,
    pub refunds: i64,
    /// Issued, withdrawn, spent, returned, expired, restored.
    pub tokens: [i64; 6],
    pub worth: [i64; 6],
    /// Money that cards paid for goods, less what went back.
    pub money: i64,
}

struct Moved {
    at: i64,
    way: usize,
    tokens: i64,
    worth: i64,
}

struct Grant {
    quantity: i128,
    paid: i128,
    expires_at: i64,
    origin: String,
    granted_at: i64,
    /// In wallets and held accounts.
    held: i128,
}

impl Grant {
    fn worth(&self) -> i128 {
        self.paid * self.held / self.quantity
    }
}

pub struct Line {
    pub sku: String,
    pub category: String,
    pub kind: String,
    at: i64,
    pieces: i64,
    tokens: i64,
    back: bool,
    /// Which of the customer's orders it was; none where nothing was paid, or it came back.
    nth: Option<i64>,
}

pub struct Recount {
    moved: Vec<Moved>,
    orders: Vec<i64>,
    refunds: Vec<i64>,
    /// When, and how much.
    money: Vec<(i64, i64)>,
    grants: BTreeMap<i64, Grant>,
    lines: Vec<Line>,
}

/// In Berlin the clocks went forward on 29 March 2026 at one o'clock UTC.
fn local(at: i64) -> i64 {
    let summer = Timestamp::parse("2026-03-29T01:00:00Z").unwrap().0;
    let winter = Timestamp::parse("2026-10-25T01:00:00Z").unwrap().0;
    let hours = if (summer..winter).contains(&at) { 2 } else { 1 };
    at + hours * 3_600_000_000
}

/// Days since 1970.
pub fn day_number(day: Day) -> i64 {
    let midnight = Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap();
    midnight.0.div_euclid(DAY_US)
}

fn day_of(at: i64) -> i64 {
    local(at).div_euclid(DAY_US)
}

fn month_of(at: i64) -> String {
    Timestamp(local(at)).to_string().chars().take(7).collect()
}

impl Recount {
    pub fn of(world: &World) -> Recount {
        let int = |row: &Row, i| row.int(i).unwrap();
        let mut recount = Recount {
            moved: Vec::new(),
            orders: Vec::new(),
            refunds: Vec::new(),
            money: money(world),
            grants: BTreeMap::new(),
            lines: lines(world),
        };
        for row in
            world.rows("SELECT effective_at FROM orders WHERE book_id = $1 AND state = 'completed'")
        {
            recount.orders.push(int(&row, 0));
        }
        for row in world.rows("SELECT effective_at FROM refund WHERE book_id = $1") {
            recount.refunds.push(int(&row, 0));
        }
        for row in world.rows(
            "SELECT grant_id, quantity, paid, expires_at, origin, granted_at FROM token_grant
             WHERE book_id = $1",
        ) {
            let grant = Grant {
                quantity: int(&row, 1).into(),
                paid: int(&row, 2).into(),
                expires_at: int(&row, 3),
                origin: row.text(4).unwrap().to_owned(),
                granted_at: int(&row, 5),
                held: 0,
            };
            recount.grants.insert(int(&row, 0), grant);
        }
        for row in world.rows(
            "SELECT e.effective_at, d.kind, c.kind, t.amount, t.grant_id
             FROM transfer t
             JOIN entry e ON e.book_id = t.book_id AND e.entry_id = t.entry_id
             JOIN account d ON d.book_id = t.book_id AND d.account_id = t.debit_id
             JOIN account c ON c.book_id = t.book_id AND c.account_id = t.credit_id
             WHERE t.book_id = $1 AND t.grant_id IS NOT NULL ORDER BY t.transfer_id",
        ) {
            let way = match (row.text(1).unwrap(), row.text(2).unwrap()) {
                ("issued", "wallet") => 0,
                ("wallet", "issued") => 1,
                ("wallet", "spent") => 2,
                ("spent", "wallet") => 3,
                ("wallet", "expired") => 4,
                ("expired", "wallet") => 5,
                ("wallet", "held") | ("held", "wallet") => continue,
                other => panic!("{other:?}"),
            };
            let grant = recount.grants.get_mut(&int(&row, 4)).unwrap();
            let (before, tokens) = (grant.worth(), int(&row, 3));
            grant.held += i128::from(tokens)
                * if way % 2 == usize::from(way > 1) {
                    1
                } else {
                    -1
                };
            let worth = i64::try_from((grant.worth() - before).abs()).unwrap();
            recount.moved.push(Moved {
                at: int(&row, 0),
                way,
                tokens,
                worth,
            });
        }
        recount
    }

    /// What counts on some days and hours.
    pub fn count(&self, days: (i64, i64), on: impl Fn(i64, i64) -> bool) -> Counted {
        let counts = |at: i64| {
            let (day, hour) = (day_of(at), local(at).rem_euclid(DAY_US) / 3_600_000_000);
            (days.0..days.1).contains(&day) && on(day, hour)
        };
        let number = |times: &[i64]| times.iter().filter(|at| counts(**at)).count();
        let mut counted = Counted {
            orders: i64::try_from(number(&self.orders)).unwrap(),
            refunds: i64::try_from(number(&self.refunds)).unwrap(),
            ..Counted::default()
        };
        let money = self.money.iter().filter(|(at, _)| counts(*at));
        counted.money = money.map(|(_, amount)| amount).sum();
        for moved in self.moved.iter().filter(|m| counts(m.at)) {
            counted.tokens[moved.way] += moved.tokens;
            counted.worth[moved.way] += moved.worth;
        }
        counted
    }

    /// What was received before a day and not earned, broken or paid back before it.
    pub fn deferred_before(&self, day: i64) -> i64 {
        let signs = [1, -1, -1, 1, -1, 1];
        let before = self.moved.iter().filter(|m| day_of(m.at) < day);
        before.map(|m| signs[m.way] * m.worth).sum()
    }

    /// By the month in which it expires, and what never does: tokens and worth.
    pub fn coming(&self) -> (BTreeMap<String, [i64; 2]>, [i64; 2]) {
        let (mut months, mut never) = (BTreeMap::<String, [i64; 2]>::new(), [0; 2]);
        for grant in self.grants.values().filter(|g| g.held > 0) {
            let sum = if grant.expires_at == i64::MAX {
                &mut never
            } else {
                months.entry(month_of(grant.expires_at)).or_default()
            };
            sum[0] += i64::try_from(grant.held).unwrap();
            sum[1] += i64::try_from(grant.worth()).unwrap();
        }
        (months, never)
    }

    /// By age and origin (free, credit, paid): tokens and worth.
    pub fn liability(&self, now: Timestamp) -> [[[i64; 2]; 3]; 5] {
        let mut found = [[[0; 2]; 3]; 5];
        for grant in self.grants.values() {
            let age = match day_of(now.0) - day_of(grant.granted_at) {
                0..=30 => 0,
                31..=90 => 1,
                91..=180 => 2,
                181..=365 => 3,
                _ => 4,
            };
            let origin = ["free", "credit", "paid"];
            let origin = origin.iter().position(|o| *o == grant.origin).unwrap();
            found[age][origin][0] += i64::try_from(grant.held).unwrap();
            found[age][origin][1] += i64::try_from(grant.worth()).unwrap();
        }
        found
    }

    /// Pieces and tokens sold, pieces and tokens that came back.
    pub fn articles(
        &self,
        days: (i64, i64),
        key: impl Fn(&Line) -> String,
    ) -> BTreeMap<String, [i64; 4]> {
        let mut found: BTreeMap<String, [i64; 4]> = BTreeMap::new();
        let counts = |l: &&Line| (days.0..days.1).contains(&day_of(l.at));
        for line in self.lines.iter().filter(counts) {
            let sums = found.entry(key(line)).or_default();
            let at = if line.back { 2 } else { 0 };
            sums[at] += line.pieces;
            sums[at + 1] += line.tokens;
        }
        found
    }

    /// Pieces and tokens by category, of orders that were their customers' n-th.
    pub fn preferred(
        &self,
        days: (i64, i64),
        nth: RangeInclusive<i64>,
    ) -> BTreeMap<String, [i64; 2]> {
        let mut found: BTreeMap<String, [i64; 2]> = BTreeMap::new();
        for line in &self.lines {
            let of_group = line.nth.is_some_and(|n| nth.contains(&n));
            if of_group && (days.0..days.1).contains(&day_of(line.at)) {
                let sums = found.entry(line.category.clone()).or_default();
                sums[0] += line.pieces;
                sums[1] += line.tokens;
            }
        }
        found
    }
}

/// When, and how much cards paid for goods, or got back.
fn money(world: &World) -> Vec<(i64, i64)> {
    let int = |row: &Row, i| row.int(i).unwrap();
    let paid = world.rows(
        "SELECT o.effective_at, c.price FROM card_order c
         JOIN orders o ON o.book_id = c.book_id AND o.order_id = c.order_id
         WHERE c.book_id = $1 AND c.state = 'completed'",
    );
    let back = world.rows(
        "SELECT r.effective_at, c.price FROM card_order c
         JOIN refund r ON r.book_id = c.book_id AND r.order_id = c.order_id
         WHERE c.book_id = $1",
    );
    let paid = paid.iter().map(|row| (int(row, 0), int(row, 1)));
    let back = back.iter().map(|row| (int(row, 0), -int(row, 1)));
    paid.chain(back).collect()
}

fn lines(world: &World) -> Vec<Line> {
    let line = |row: &Row, at: usize, back: bool| Line {
        sku: row.text(at).unwrap().to_owned(),
        category: row.text(at + 1).unwrap().to_owned(),
        kind: row.text(at + 2).unwrap().to_owned(),
        at: row.int(at + 3).unwrap(),
        pieces: row.int(at + 4).unwrap(),
        tokens: row.int(at + 5).unwrap(),
        back,
        nth: None,
    };
    let mut placed: BTreeMap<uuid::Uuid, i64> = BTreeMap::new();
    let mut last = None;
    let mut lines = Vec::new();
    for row in world.rows(
        "SELECT o.order_id, o.customer_id, o.entry_id, l.sku, p.category, f.kind, o.effective_at,
                l.quantity,
                CASE WHEN EXISTS (SELECT 1 FROM card_order c
                                  WHERE c.book_id = o.book_id AND c.order_id = o.order_id)
                     THEN 0 ELSE l.amount END
         FROM orders o
         JOIN order_line l ON l.book_id = o.book_id AND l.order_id = o.order_id
         JOIN offer f ON f.book_id = l.book_id AND f.offer_id = l.offer_id
         JOIN product p ON p.book_id = f.book_id AND p.product_id = f.product_id
         WHERE o.book_id = $1 AND o.state = 'completed'
         ORDER BY o.recorded_at, o.order_id, l.line_no",
    ) {
        let (order, customer) = (row.uuid(0).unwrap(), row.uuid(1).unwrap());
        let paid = row.opt_int(2).unwrap().is_some();
        let nth = placed.entry(customer).or_default();
        if paid && last != Some(order) {
            *nth += 1;
            last = Some(order);
        }
        lines.push(Line {
            nth: paid.then_some(*nth),
            ..line(&row, 3, false)
        });
    }
    for row in world.rows(
        "SELECT s.sku, p.category, f.kind, r.effective_at, l.quantity,
                CASE WHEN EXISTS (SELECT 1 FROM card_order c
                                  WHERE c.book_id = r.book_id AND c.order_id = r.order_id)
                     THEN 0 ELSE l.amount END
         FROM refund r
         JOIN refund_line l ON l.book_id = r.book_id AND l.order_id = r.order_id
           AND l.refund_no = r.refund_no
         JOIN order_line s ON s.book_id = l.book_id AND s.order_id = l.order_id
           AND s.line_no = l.line_no
         JOIN offer f ON f.book_id = s.book_id AND f.offer_id = s.offer_id
         JOIN product p ON p.book_id = f.book_id AND p.product_id = f.product_id
         WHERE r.book_id = $1",
    ) {
        lines.push(line(&row, 0, true));
    }
    lines
}
