//! The day at a glance: figures, the hours as a chart, what needs a person, the latest orders.

use super::super::account::holdings::worth;
use super::super::frame::{link, page, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::{counted, money, tokens};
use super::super::view::{Shell, Shown};
use super::chart::{Chart, chart};
use super::orders::{Row, rows};
use super::requests::{Asked, asked};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::card_event::{asks_for_decision, reversals};
use scrip_domain::order::{orders, refund_requests};
use scrip_domain::payback::paybacks_due;
use scrip_domain::report::calendar::{Day, Zone};
use scrip_domain::report::{Today, today as figures_of};
use scrip_engine::{ReadTx, Timestamp};
use serde::Deserialize;

/// Requests and orders on this page.
const REQUESTS: usize = 4;
const ORDERS: usize = 8;

#[derive(Template)]
#[template(path = "staff/today.html")]
struct TodayPage {
    shell: Shell,
    find: String,
    title: String,
    day: String,
    before: String,
    after: Option<String>,
    tally: Vec<Figure>,
    chart: Option<Chart>,
    requests: Vec<Asked>,
    all_requests: Option<String>,
    /// Money that waits for a decision, with the page that has it.
    waiting: Vec<Waiting>,
    rows: Vec<Row>,
    all_orders: String,
}

/// Something that waits for somebody.
struct Waiting {
    text: String,
    href: String,
}

/// One of the figures: what, how many, and more about it.
struct Figure {
    label: &'static str,
    tokens: Option<Shown>,
    count: String,
    sub: String,
}

/// Another day than today, as `2026-11-21`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    day: Option<String>,
}

/// A day in the shop's time zone.
struct OneDay {
    day: Day,
    is_today: bool,
    from: Timestamp,
    to: Timestamp,
}

impl OneDay {
    fn of(wanted: Option<&str>, zone: &Zone, now: Timestamp) -> Option<OneDay> {
        let today = zone.day_of(now);
        let day = match wanted {
            Some(text) => text.parse().ok()?,
            None => today,
        };
        Some(OneDay {
            from: zone.begin(day),
            to: zone.begin(day.plus(1)),
            is_today: day == today,
            day,
        })
    }

    fn words(&self) -> String {
        self.day.date().strftime("%A %-d %B %Y").to_string()
    }
}

/// Pay-backs and disputes that are counted at most.
const WAITING: usize = 100;

/// Money that waits for somebody: how often, and where.
fn waiting(tx: &mut ReadTx<'_>, of: &StaffMember) -> std::result::Result<Vec<Waiting>, Problem> {
    let book = of.shop.vendor.book_id;
    let due = paybacks_due(tx, book, WAITING)?.len();
    let disputes = reversals(tx, book, WAITING)?;
    let open = disputes.iter().filter(|one| asks_for_decision(one)).count();
    let mut waiting = Vec::new();
    for (count, one, many, page) in [
        (due, "pay-back is due", "pay-backs are due", "paybacks"),
        (
            open,
            "dispute waits for a decision",
            "disputes wait for a decision",
            "disputes",
        ),
    ] {
        if count > 0 {
            waiting.push(Waiting {
                text: counted(i64::try_from(count).unwrap_or(i64::MAX), one, many),
                href: of.shop.at(&format!("/staff/{page}")),
            });
        }
    }
    Ok(waiting)
}

/// `GET /shops/{slug}/staff/today`, and `?day=2026-11-20` for another day.
pub async fn today(
    State(app): State<App>,
    member: StaffMember,
    Query(which): Query<Which>,
) -> Result<Response> {
    let zone = Zone::named(&member.shop.policy.time_zone);
    let day = OneDay::of(which.day.as_deref(), &zone, member.now)
        .ok_or_else(|| Problem::invalid("day_invalid", "this is no day: write it as 2026-11-21"))?;
    let (of, vault, span) = (member.clone(), app.node.vault.clone(), (day.from, day.to));
    let (figures, requests, more, rows, waiting) = app
        .read(move |tx| {
            let (shop, actor) = (&of.shop, of.actor());
            let book = shop.vendor.book_id;
            let figures = figures_of(tx, &shop.vendor, span.0, span.1)?;
            let open = refund_requests(tx, book, None, REQUESTS)?;
            let more = open.next.is_some();
            let requests = asked(tx, &vault, actor, shop, open.items)?;
            let latest = orders(tx, book, None, ORDERS)?;
            let rows = rows(tx, &vault, actor, shop, latest.items)?;
            Ok::<_, Problem>((figures, requests, more, rows, waiting(tx, &of)?))
        })
        .await?;
    let shop = &member.shop;
    let path = shop.at("/staff/today");
    let at = |day: Day| link(&path, &[("day", &day.to_string())]);
    let title = if day.is_today {
        "Today".to_owned()
    } else {
        day.words()
    };
    page(&TodayPage {
        shell: staff_shell(&member, title.clone(), "/staff/today"),
        find: shop.at("/staff/customers"),
        title,
        day: if day.is_today {
            let time = zone.clock(member.now);
            format!("{}, until {time} {}", day.words(), zone.name())
        } else {
            format!("The whole day, {}", zone.name())
        },
        before: at(day.day.plus(-1)),
        after: (!day.is_today).then(|| at(day.day.plus(1))),
        tally: tally(&member, &figures, day.is_today),
        chart: chart(&figures.hours),
        requests,
        waiting,
        all_requests: more.then(|| shop.at("/staff/requests")),
        rows,
        all_orders: shop.at("/staff/orders"),
    })
}

fn tally(member: &StaffMember, day: &Today, is_today: bool) -> Vec<Figure> {
    let shop = &member.shop;
    let many = |number: u64, one: &str, many: &str| {
        counted(i64::try_from(number).unwrap_or(i64::MAX), one, many)
    };
    let of_tokens = |label, amount, sub: String| Figure {
        label,
        tokens: Some(tokens(amount)),
        count: String::new(),
        sub,
    };
    let paid = money(day.money_received, &shop.vendor.currency);
    let orders = many(day.orders, "order", "orders");
    let refunds = many(day.refunds, "refund", "refunds");
    let face = worth(day.outstanding, shop).unwrap_or_default();
    let unit = |amount| tokens(amount).unit;
    vec![
        of_tokens(
            "Tokens sold",
            day.tokens_sold,
            format!("{}, for {paid}", unit(day.tokens_sold)),
        ),
        of_tokens(
            "Tokens spent",
            day.tokens_spent,
            match day.goods_by_card.is_zero() {
                true => format!("{}, in {orders}", unit(day.tokens_spent)),
                false => {
                    let cards = money(day.goods_by_card, &shop.vendor.currency);
                    format!(
                        "{}, and {cards} by card, in {orders}",
                        unit(day.tokens_spent)
                    )
                }
            },
        ),
        of_tokens(
            "Given back",
            day.refunded,
            format!("{}, in {refunds}", unit(day.refunded)),
        ),
        of_tokens(
            if is_today {
                "Outstanding"
            } else {
                "Outstanding now"
            },
            day.outstanding,
            format!("{}, {face} at today's price", unit(day.outstanding)),
        ),
        Figure {
            label: "New accounts",
            tokens: None,
            count: scrip_count(day.new_customers),
            sub: format!("{} became active", scrip_count(day.activated)),
        },
    ]
}

fn scrip_count(number: i64) -> String {
    super::super::view::format::count(number)
}

#[cfg(test)]
mod tests {
    use super::OneDay;
    use scrip_domain::report::calendar::Zone;
    use scrip_engine::Timestamp;

    #[test]
    fn a_day_begins_and_ends_at_midnight_of_the_shop() {
        let now = Timestamp::parse("2026-11-21T14:02:00Z").unwrap();
        let utc = Zone::named("UTC");
        let today = OneDay::of(None, &utc, now).unwrap();
        assert!(today.is_today);
        assert_eq!(today.words(), "Saturday 21 November 2026");
        assert_eq!(today.from.to_string(), "2026-11-21T00:00:00Z");
        assert_eq!(today.to.to_string(), "2026-11-22T00:00:00Z");
        let leap = OneDay::of(Some("2024-02-29"), &utc, now).unwrap();
        assert!(!leap.is_today);
        assert_eq!(leap.to.to_string(), "2024-03-01T00:00:00Z");
        for text in ["", "2026-02-30", "yesterday", "9999-12-31", "-009999-01-01"] {
            assert!(OneDay::of(Some(text), &utc, now).is_none(), "{text}");
        }
        // Tomorrow already, and a day of 23 hours.
        let auckland = Zone::named("Pacific/Auckland");
        let today = OneDay::of(None, &auckland, now).unwrap();
        assert_eq!(today.words(), "Sunday 22 November 2026");
        assert_eq!(today.from.to_string(), "2026-11-21T11:00:00Z");
        let short = OneDay::of(Some("2026-03-29"), &Zone::named("Europe/Berlin"), now).unwrap();
        assert_eq!(short.to.0 - short.from.0, 23 * 3_600_000_000);
    }
}
