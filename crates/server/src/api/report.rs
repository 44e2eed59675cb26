//! Figures: turnover, the day.

use super::auth::{May, ReportsRead};
use super::field::Moment;
use super::shape::{Money, ProblemBody};
use crate::error::{Failed, Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use axum::extract::State;
use scrip_domain::report::{self, Sales, Today, Turnover};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_engine::{Read, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sales))
        .routes(routes!(today))
}

/// What was sold and what was given back.
#[derive(Debug, Serialize, ToSchema)]
struct TurnoverBody {
    /// Completed orders.
    orders: u64,
    /// Tokens spent.
    sales: Money,
    /// Tokens given back.
    refunds: Money,
    /// Money that cards paid for goods, without what went back.
    by_card: Money,
}

impl TurnoverBody {
    fn new(turnover: Turnover, vendor: &Vendor) -> TurnoverBody {
        let token = &vendor.token;
        TurnoverBody {
            orders: turnover.orders,
            sales: Money::new(turnover.sales, token),
            refunds: Money::new(turnover.refunds, token),
            by_card: Money::new(turnover.money, &vendor.currency),
        }
    }
}

/// The turnover of a day.
#[derive(Debug, Serialize, ToSchema)]
struct DayBody {
    /// The day on which it counts, UTC.
    #[schema(example = "2026-11-21", format = Date)]
    day: String,
    #[serde(flatten)]
    turnover: TurnoverBody,
}

/// The turnover with a customer.
#[derive(Debug, Serialize, ToSchema)]
struct CustomerTurnoverBody {
    /// The customer's name in your other systems, else the customer's id.
    customer: String,
    #[serde(flatten)]
    turnover: TurnoverBody,
}

/// Turnover.
#[derive(Debug, Serialize, ToSchema)]
struct SalesBody {
    /// All of it.
    total: TurnoverBody,
    /// By day; days without turnover are left out.
    days: Vec<DayBody>,
    /// By customer; null unless asked for.
    customers: Option<Vec<CustomerTurnoverBody>>,
}

impl SalesBody {
    fn new(sales: Sales, with_customers: bool, vendor: &Vendor) -> SalesBody {
        let day = |(day, turnover)| DayBody {
            day,
            turnover: TurnoverBody::new(turnover, vendor),
        };
        let customer = |(customer, turnover)| CustomerTurnoverBody {
            customer,
            turnover: TurnoverBody::new(turnover, vendor),
        };
        SalesBody {
            total: TurnoverBody::new(sales.total, vendor),
            days: sales.days.into_iter().map(day).collect(),
            customers: with_customers.then(|| sales.customers.into_iter().map(customer).collect()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SalesQuery {
    /// Only what counts from this time on.
    #[param(inline)]
    from: Option<Moment>,
    /// Only what counts before this time.
    #[param(inline)]
    to: Option<Moment>,
    /// True for the turnover with each customer, too.
    #[serde(default)]
    customers: bool,
}

/// See the turnover
///
/// What was sold and what was given back, by the time from which it counts.
#[utoipa::path(
    get, path = "/v1/reports/sales", tag = "reports", operation_id = "report_sales",
    security(("key" = ["reports:read"])),
    params(SalesQuery),
    responses(
        (status = 200, description = "The turnover", body = SalesBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn sales(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
    Query(query): Query<SalesQuery>,
) -> Result<axum::Json<SalesBody>> {
    let book = caller.book();
    let vendor = app.vendor(book).await?;
    let from = query.from.map_or(Timestamp(i64::MIN), |at| at.0);
    let to = query.to.map_or(Timestamp::NEVER, |at| at.0);
    let sales = app.read(move |tx| report::sales_between(tx, book, from, to));
    let body = SalesBody::new(sales.await?, query.customers, &vendor);
    Ok(axum::Json(body))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TodayQuery {
    /// When the day begins; the first moment of today, UTC, unless given.
    #[param(inline)]
    from: Option<Moment>,
    /// When it ends, a week later at most; now unless given.
    #[param(inline)]
    to: Option<Moment>,
}

/// A day at a glance.
#[derive(Debug, Serialize, ToSchema)]
struct TodayBody {
    /// When it begins.
    from: Moment,
    /// When it ends.
    to: Moment,
    /// Tokens sold for money.
    tokens_sold: Money,
    /// Money paid for them.
    money_received: Money,
    /// Tokens spent on completed orders.
    tokens_spent: Money,
    /// Money that cards paid for goods, without what went back.
    goods_by_card: Money,
    /// Completed orders.
    orders: u64,
    /// Refunds made.
    refunds: u64,
    /// Tokens that they gave back.
    refunded: Money,
    /// Customers who were registered.
    new_customers: i64,
    /// Accounts that became active.
    activated: i64,
    /// Orders and refunds by the hour, from the beginning on.
    hours: Vec<TurnoverBody>,
    /// Tokens that customers hold now.
    outstanding: Money,
}

impl TodayBody {
    fn new(day: Today, from: Timestamp, to: Timestamp, vendor: &Vendor) -> TodayBody {
        let token = &vendor.token;
        let hours = day.hours.into_iter();
        TodayBody {
            from: Moment(from),
            to: Moment(to),
            tokens_sold: Money::new(day.tokens_sold, token),
            money_received: Money::new(day.money_received, &vendor.currency),
            tokens_spent: Money::new(day.tokens_spent, token),
            goods_by_card: Money::new(day.goods_by_card, &vendor.currency),
            orders: day.orders,
            refunds: day.refunds,
            refunded: Money::new(day.refunded, token),
            new_customers: day.new_customers,
            activated: day.activated,
            hours: hours.map(|h| TurnoverBody::new(h, vendor)).collect(),
            outstanding: Money::new(day.outstanding, token),
        }
    }
}

const DAY_US: i64 = 86_400_000_000;
const WEEK_US: i64 = 7 * DAY_US;

/// See the day
///
/// What was written today, whenever it counts, and what customers hold now.
#[utoipa::path(
    get, path = "/v1/reports/today", tag = "reports", operation_id = "report_today",
    security(("key" = ["reports:read"])),
    params(TodayQuery),
    responses(
        (status = 200, description = "The day", body = TodayBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn today(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
    Query(query): Query<TodayQuery>,
) -> Result<axum::Json<TodayBody>> {
    let book = caller.book();
    let day = app.read(move |tx| {
        let now = tx.now();
        let midnight = Timestamp(now.0.saturating_sub(now.0.rem_euclid(DAY_US)));
        let from = query.from.map_or(midnight, |at| at.0);
        let to = query.to.map_or(now, |at| at.0);
        let span = to.0.saturating_sub(from.0);
        if !(0..=WEEK_US).contains(&span) {
            let text = "the day ends after it begins, a week later at most";
            return Err(Failed::from(Problem::invalid("span_invalid", text)));
        }
        let vendor = vendor_by_book(tx, book)?;
        let day = report::today(tx, &vendor, from, to)?;
        Ok(TodayBody::new(day, from, to, &vendor))
    });
    Ok(axum::Json(day.await?))
}
