//! Orders as they were placed (SHP-19).

use super::auth::{May, OrdersRead};
use super::catalog::OfferKindWord;
use super::customer::CustomerPath;
use super::field::{self, Line200, Moment};
use super::promotion::{OffBody, list_price, off_kept};
use super::refund::RefundRequestAnswer;
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor, limit};
use super::tax::{LineTaxBody, OrderTaxBody};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use axum::extract::State;
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::OrderId;
use scrip_domain::order::by_card::CardPaid;
use scrip_domain::order::{
    OrderDetail, OrderDetailLine, OrderError, OrderState, OrderSummary, order_by_id,
    order_with_reference, orders, orders_between, orders_of,
};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, page};
use scrip_engine::{ReadTx, Timestamp};
use scrip_ledger::Asset;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(of_customer))
}

/// Which order.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OrderPath {
    /// The order.
    #[param(inline)]
    pub id: field::Order,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderStateWord {
    /// It was paid.
    Completed,
    /// It was not; nothing was debited.
    Refused,
}

impl From<OrderState> for OrderStateWord {
    fn from(state: OrderState) -> OrderStateWord {
        match state {
            OrderState::Completed => OrderStateWord::Completed,
            OrderState::Refused => OrderStateWord::Refused,
        }
    }
}

/// The code of the problem with which the order was refused.
fn code(reason: String) -> String {
    match reason.as_str() {
        "shortage" => "tokens_short".into(),
        "restricted" => "tokens_restricted".into(),
        "inactive" => "account_inactive".into(),
        "closed" => "account_closed".into(),
        "coupon" => "coupon_refused".into(),
        _ => reason,
    }
}

/// An order on a list.
#[derive(Debug, Serialize, ToSchema)]
struct OrderSummaryAnswer {
    /// The order.
    order_id: field::Order,
    /// Who bought.
    customer_id: field::Customer,
    /// How it ended.
    state: OrderStateWord,
    /// Why it was refused, as the code of the problem; null when it was paid.
    reason: Option<String>,
    /// Tokens that it needed, whoever paid.
    total: Money,
    /// How many lines it has.
    lines: i64,
    /// Who placed it: the id of a customer, a key or a member of staff, or `system`.
    placed_by: String,
    /// The name by which your other systems call it; empty for none.
    reference: String,
    /// When it counts.
    effective_at: Moment,
    /// When it was written.
    recorded_at: Moment,
    /// How a card paid it, or was to; null where tokens did. Then the account had no part in it.
    card: Option<CardPaidAnswer>,
}

/// How a card paid an order, or was to.
#[derive(Debug, Serialize, ToSchema)]
struct CardPaidAnswer {
    /// What the card was asked for.
    card_order_id: field::CardOrder,
    /// The money.
    price: Money,
    /// The card's last four digits, where they are known.
    last_four: Option<String>,
    /// What the processor said of a declined card.
    reason: Option<String>,
    /// True while money is on its way back, and the processor has not confirmed it.
    refund_due: bool,
}

impl CardPaidAnswer {
    fn new(paid: CardPaid, currency: &Asset) -> CardPaidAnswer {
        CardPaidAnswer {
            card_order_id: field::Id(paid.id),
            price: Money::new(paid.price, currency),
            last_four: Some(paid.last_four).filter(|digits| !digits.is_empty()),
            reason: Some(paid.declined).filter(|reason| !reason.is_empty()),
            refund_due: paid.is_refund_due,
        }
    }
}

impl OrderSummaryAnswer {
    fn new(order: OrderSummary, vendor: &Vendor) -> OrderSummaryAnswer {
        let token = &vendor.token;
        OrderSummaryAnswer {
            order_id: field::Id(order.order_id),
            customer_id: field::Id(order.customer_id),
            state: order.state.into(),
            reason: order.reason.map(code),
            total: Money::new(order.total, token),
            lines: order.lines,
            placed_by: order.actor,
            reference: order.reference,
            effective_at: Moment(order.effective_at),
            recorded_at: Moment(order.recorded_at),
            card: order
                .card
                .map(|paid| CardPaidAnswer::new(paid, &vendor.currency)),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrdersQuery {
    /// Only the order that your other systems call so; refused orders have given theirs back.
    #[param(inline)]
    reference: Option<Line200>,
    /// Only orders written at this time or later.
    #[param(inline)]
    from: Option<Moment>,
    /// Only orders written before this time.
    #[param(inline)]
    to: Option<Moment>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default, deserialize_with = "field::given")]
    limit: Option<i64>,
}

/// List orders
///
/// Those that were paid and those that were refused, newest first.
#[utoipa::path(
    get, path = "/v1/orders", tag = "orders", operation_id = "orders",
    security(("key" = ["orders:read"])),
    params(OrdersQuery),
    responses(
        (status = 200, description = "A page of orders", body = Page<OrderSummaryAnswer>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    Query(query): Query<OrdersQuery>,
) -> Result<axum::Json<Page<OrderSummaryAnswer>>> {
    let (book, limit) = (caller.book(), limit(query.limit)?);
    let before: Option<OrderId> = cursor(query.cursor.as_deref())?;
    let is_span = query.from.is_some() || query.to.is_some();
    if query.reference.is_some() && (is_span || before.is_some()) {
        let text = "a reference finds one order: leave from, to and cursor out";
        return Err(Problem::invalid("query_invalid", text));
    }
    let vendor = app.vendor(book).await?;
    let page = app.read(move |tx| {
        if let Some(reference) = &query.reference {
            return with_reference(tx, book, reference.0.trim());
        }
        if is_span {
            let from = query.from.map_or(Timestamp(0), |m| m.0);
            let to = query.to.map_or(Timestamp::NEVER, |m| m.0);
            return orders_between(tx, book, from, to, before, limit);
        }
        orders(tx, book, before, limit)
    });
    let order = |order| OrderSummaryAnswer::new(order, &vendor);
    Ok(axum::Json(Page::new(page.await?, order)))
}

/// The order of a reference as a list.
fn with_reference(
    tx: &mut ReadTx<'_>,
    book: i64,
    reference: &str,
) -> std::result::Result<page::Page<OrderSummary, OrderId>, OrderError> {
    let mut page = page::Page {
        items: Vec::new(),
        next: None,
    };
    if let Some(id) = order_with_reference(tx, book, reference)? {
        let order = order_by_id(tx, Actor::System, book, id)?;
        page.items.push(OrderSummary {
            order_id: order.order_id,
            customer_id: order.customer_id,
            state: order.state,
            reason: order.reason,
            total: order.total,
            lines: i64::try_from(order.lines.len()).unwrap_or(i64::MAX),
            actor: order.actor,
            reference: order.reference,
            effective_at: order.effective_at,
            recorded_at: order.recorded_at,
            card: order.card,
        });
    }
    Ok(page)
}

/// A line of an order.
#[derive(Debug, Serialize, ToSchema)]
struct OrderLineAnswer {
    /// Its place, from 1.
    line_no: i64,
    /// The offer.
    offer_id: field::Offer,
    /// Stock-keeping unit, as it was then.
    sku: String,
    /// Name, as it was then.
    title: String,
    /// What the customer gets.
    kind: OfferKindWord,
    /// How many were asked for.
    quantity: i64,
    /// How many were granted: the upper bound of a tier.
    granted: i64,
    /// Tokens for one, or for the tier.
    unit_price: Money,
    /// Tokens for the line.
    amount: Money,
    /// Of a program: whether its download was to come with the code; null where nobody was asked.
    supply: Option<super::order::SupplyWord>,
    /// Pieces given back.
    refunded_quantity: i64,
    /// Tokens given back for them.
    refunded: Money,
    /// Tokens for one, or for the tier, without promotions.
    list_price: Money,
    /// What promotions and the coupon took off.
    off: Vec<OffBody>,
    /// The tax in the amount; null where there was no rate.
    tax: Option<LineTaxBody>,
    /// The tax in what was given back.
    refunded_tax: Money,
}

impl OrderLineAnswer {
    fn new(line: OrderDetailLine, token: &Asset) -> OrderLineAnswer {
        OrderLineAnswer {
            line_no: line.line_no,
            offer_id: field::Id(line.offer_id),
            sku: line.sku,
            title: line.title,
            kind: field::Named(line.kind),
            quantity: line.quantity,
            granted: line.granted,
            unit_price: Money::new(line.unit_price, token),
            amount: Money::new(line.amount, token),
            supply: line.supply.map(field::Named),
            refunded_quantity: line.refunded_quantity,
            refunded: Money::new(line.refunded, token),
            list_price: list_price(line.unit_price, line.off.iter().map(|o| o.each), token),
            off: line.off.into_iter().map(|o| off_kept(o, token)).collect(),
            tax: line.tax.map(|tax| LineTaxBody::new(tax, token)),
            refunded_tax: Money::new(line.refunded_tax, token),
        }
    }
}

/// An order with all that became of it.
#[derive(Debug, Serialize, ToSchema)]
struct OrderAnswer {
    /// The order.
    order_id: field::Order,
    /// Who bought.
    customer_id: field::Customer,
    /// How it ended.
    state: OrderStateWord,
    /// Why it was refused, as the code of the problem; null when it was paid.
    reason: Option<String>,
    /// What was bought, or was to be.
    lines: Vec<OrderLineAnswer>,
    /// Tokens that it needed.
    total: Money,
    /// Tokens given back since.
    refunded: Money,
    /// The name by which your other systems call it; empty for none.
    reference: String,
    /// Who placed it: the id of a customer, a key or a member of staff, or `system`.
    placed_by: String,
    /// When it counts.
    effective_at: Moment,
    /// When it was written.
    recorded_at: Moment,
    /// What was in the account after it was paid; null where nothing was paid.
    remaining_after: Option<Money>,
    /// What the customer asked about it.
    refund_request: Option<RefundRequestAnswer>,
    /// How a card paid it, or was to; null where tokens did. Then the account had no part in it.
    card: Option<CardPaidAnswer>,
    /// The taxes in it, one for each rate; none where the vendor had no rate.
    taxes: Vec<OrderTaxBody>,
}

impl OrderAnswer {
    fn new(order: OrderDetail, vendor: &Vendor) -> OrderAnswer {
        let token = &vendor.token;
        let lines = order.lines.into_iter();
        let taxes = order.taxes.into_iter();
        OrderAnswer {
            taxes: taxes.map(|tax| OrderTaxBody::new(tax, vendor)).collect(),
            order_id: field::Id(order.order_id),
            customer_id: field::Id(order.customer_id),
            state: order.state.into(),
            reason: order.reason.map(code),
            lines: lines.map(|l| OrderLineAnswer::new(l, token)).collect(),
            total: Money::new(order.total, token),
            refunded: Money::new(order.refunded, token),
            reference: order.reference,
            placed_by: order.actor,
            effective_at: Moment(order.effective_at),
            recorded_at: Moment(order.recorded_at),
            remaining_after: order.remaining_after.map(|left| Money::new(left, token)),
            refund_request: order.request.map(RefundRequestAnswer::from),
            card: order
                .card
                .map(|paid| CardPaidAnswer::new(paid, &vendor.currency)),
        }
    }
}

/// See an order
///
/// With its lines, what was given back of each, and what the customer asked about it.
#[utoipa::path(
    get, path = "/v1/orders/{id}", tag = "orders", operation_id = "order",
    security(("key" = ["orders:read"])),
    params(OrderPath),
    responses(
        (status = 200, description = "The order", body = OrderAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn one(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    Path(OrderPath { id }): Path<OrderPath>,
) -> Result<axum::Json<OrderAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.vendor(book).await?;
    let order = app.read(move |tx| order_by_id(tx, actor, book, id.0));
    Ok(axum::Json(OrderAnswer::new(order.await?, &vendor)))
}

/// List a customer's orders
///
/// Those that were paid, newest first. Orders that were refused, or that were free, are on the list
/// of all orders alone.
#[utoipa::path(
    get, path = "/v1/customers/{id}/orders", tag = "orders", operation_id = "customer_orders",
    security(("key" = ["orders:read"])),
    params(CustomerPath, PageQuery),
    responses(
        (status = 200, description = "A page of orders", body = Page<OrderSummaryAnswer>),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn of_customer(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<OrderSummaryAnswer>>> {
    let (book, actor) = (caller.book(), caller.actor());
    let (limit, before) = (query.limit()?, cursor(query.cursor.as_deref())?);
    let vendor = app.vendor(book).await?;
    let page = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(orders_of(tx, actor, &customer, before, limit)?)
    });
    let order = |order| OrderSummaryAnswer::new(order, &vendor);
    Ok(axum::Json(Page::new(page.await?, order)))
}
