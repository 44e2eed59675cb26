//! The order list of a customer (SHP-07, SHP-10, SHP-11, SHP-14).

use super::auth::{May, OrdersRead, OrdersWrite};
use super::bounded::Quantity;
use super::customer::CustomerPath;
use super::field::{self, Moment};
use super::order::{QuotedLine, quoted_line};
use super::promotion::CouponSeen;
use super::quote::FitsBody;
use super::shape::{Money, ProblemBody};
use super::{IdempotencyKey, Repeatable, done, submit};
use crate::error::{Failed, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::order::{
    Fits, ListLine, OrderError, OrderList, fits, order_list, order_list_select, order_list_set,
};
use scrip_ledger::Asset;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(set, remove))
}

/// A tier to choose.
#[derive(Debug, Serialize, ToSchema)]
struct TierChoice {
    /// The largest quantity of the tier, and what it grants.
    up_to: i64,
    /// Tokens for the tier.
    price: Money,
}

/// A line of an order list.
#[derive(Debug, Serialize, ToSchema)]
struct ListLineAnswer {
    /// The line at today's price; granted and amount are 0 where it has none.
    #[serde(flatten)]
    line: QuotedLine,
    /// True when it is ticked.
    selected: bool,
    /// The tiers to choose from; empty for a price each.
    tiers: Vec<TierChoice>,
    /// Pieces at hand; null when they are not counted.
    on_hand: Option<i64>,
    /// What of them is reserved for this customer; null for nothing.
    reserved: Option<ReservedAnswer>,
    /// Pieces at hand that the customer cannot have now, because others have reserved them.
    reserved_by_others: i64,
    /// False when the offer is not sold any more.
    active: bool,
    /// The product's short name.
    handle: String,
    /// What is downloaded, in kilobytes; 0 where nothing is.
    download_kb: i64,
    /// Why it cannot be ordered as it is, and what to do; null when it can. Such a line is not
    /// counted.
    problem: Option<String>,
}

/// Pieces that are reserved for a customer.
#[derive(Debug, Serialize, ToSchema)]
struct ReservedAnswer {
    /// How many.
    pieces: i64,
    /// Until when. A change of the list renews it for a while.
    until: Moment,
}

impl ListLineAnswer {
    fn new(line: ListLine, token: &Asset) -> ListLineAnswer {
        let tiers = line.tiers.into_iter().map(|tier| TierChoice {
            up_to: tier.up_to,
            price: Money::new(tier.price, token),
        });
        ListLineAnswer {
            tiers: tiers.collect(),
            line: quoted_line(line.line, token),
            selected: line.selected,
            on_hand: line.on_hand,
            reserved: line.hold.own.map(|own| ReservedAnswer {
                pieces: own.pieces,
                until: Moment(own.until),
            }),
            reserved_by_others: line.hold.others,
            active: line.active,
            handle: line.handle,
            download_kb: line.download_kb,
            problem: line.problem,
        }
    }
}

/// An order list with what it comes to.
#[derive(Debug, Serialize, ToSchema)]
struct OrderListAnswer {
    /// All lines, in the order in which they were put on.
    lines: Vec<ListLineAnswer>,
    /// Tokens that the lines need that are ticked and have no problem.
    required: Money,
    /// Tokens that the account has and can spend.
    available: Money,
    /// Available less required; below zero when tokens are short.
    remaining: Money,
    /// Tokens that are missing; null when there are enough.
    short: Option<Money>,
    /// What makes it fit when tokens are short.
    fits: FitsBody,
    /// True when the account is active: only then may customers see what is available.
    account_active: bool,
    /// What became of the coupon that the customer entered; null without one.
    coupon: Option<CouponSeen>,
}

impl OrderListAnswer {
    fn new(list: OrderList, fits: Fits, token: &Asset) -> OrderListAnswer {
        let lines = list.lines.into_iter();
        OrderListAnswer {
            lines: lines.map(|l| ListLineAnswer::new(l, token)).collect(),
            required: Money::new(list.quote.required, token),
            available: Money::new(list.quote.available, token),
            remaining: Money::new(list.quote.remaining, token),
            short: list.quote.shortage().map(|short| Money::new(short, token)),
            fits: FitsBody::new(fits, token),
            coupon: list
                .quote
                .coupon
                .as_ref()
                .map(|c| CouponSeen::new(c, token)),
            account_active: list.active,
        }
    }
}

/// See an order list
///
/// What the customer thinks of buying at today's prices, and what of it comes to.
#[utoipa::path(
    get, path = "/v1/customers/{id}/order-list", tag = "order list", operation_id = "order_list",
    security(("key" = ["orders:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "The order list", body = OrderListAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn show(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<OrderListAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let token = app.vendor(book).await?.token.clone();
    let list = app
        .read(move |tx| order_list(tx, actor, book, id.0))
        .await?;
    let fits = fits(&list);
    Ok(axum::Json(OrderListAnswer::new(list, fits, &token)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ListLinePath {
    /// The customer.
    #[param(inline)]
    id: field::Customer,
    /// The offer.
    #[param(inline)]
    offer_id: field::Offer,
}

/// A line as it is to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 1}))]
struct ListLineBody {
    /// How many; of an offer sold by tiers, the quantity whose tier is wanted.
    quantity: Quantity,
    /// False to keep the line without counting it.
    #[serde(default = "yes")]
    #[schema(default = true)]
    selected: bool,
}

fn yes() -> bool {
    true
}

/// Put an offer on an order list
///
/// Or change its line. A list has at most 200 lines.
#[utoipa::path(
    put, path = "/v1/customers/{id}/order-list/{offer_id}", tag = "order list",
    operation_id = "order_list_set",
    security(("key" = ["orders:write"])),
    params(ListLinePath, Repeatable),
    request_body = ListLineBody,
    responses(
        (status = 204, description = "The line is as the body says"),
        (status = 404, description = "No such customer or offer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The list is full, or the account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(ListLinePath { id, offer_id }): Path<ListLinePath>,
    Json(body): Json<ListLineBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, offer_id, body);
    let request = ("PUT /v1/customers/{id}/order-list/{offer_id}", &request);
    let set = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        order_list_set(tx, actor, book, id.0, offer_id.0, body.quantity.0)?;
        if !body.selected {
            order_list_select(tx, actor, book, id.0, offer_id.0, false)?;
        }
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(set.replayed))
}

/// Take an offer off an order list
///
/// Where it is not on the list, nothing changes.
#[utoipa::path(
    delete, path = "/v1/customers/{id}/order-list/{offer_id}", tag = "order list",
    operation_id = "order_list_remove",
    security(("key" = ["orders:write"])),
    params(ListLinePath, Repeatable),
    responses(
        (status = 204, description = "The offer is not on the list"),
        (status = 404, description = "No such customer or offer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn remove(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(ListLinePath { id, offer_id }): Path<ListLinePath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, offer_id);
    let request = ("DELETE /v1/customers/{id}/order-list/{offer_id}", &request);
    let removed = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        order_list_set(tx, actor, book, id.0, offer_id.0, 0)?;
        Ok::<_, OrderError>(())
    })
    .await?;
    Ok(done(removed.replayed))
}
