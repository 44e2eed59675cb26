//! Orders (SHP-12, SHP-13, SHP-14, SHP-19).

use super::auth::{May, OrdersWrite};
use super::bounded::{List, Quantity};
use super::catalog::OfferKindWord;
use super::field::{self, Decimal, Line200, Moment, OptionalLine60, OptionalLine200, words};
use super::promotion::{OffBody, coupon_key, list_price, off};
use super::shape::{Money, ProblemBody};
use super::shipment::AddressBody;
use super::tax::LineTaxBody;
use super::{IdempotencyKey, Repeatable, answer, mark, submit};
use crate::error::{Problem, Result, refused};
use crate::http::body::BatchJson;
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use scrip_domain::catalog::{CatalogError, offer_by_sku};
use scrip_domain::id::OfferId;
use scrip_domain::order::shipment::order_address;
use scrip_domain::order::{
    Extras, OrderError, OrderOutcome, OrderRequest, QuoteLine, Receipt, Refusal, Supply, Wanted,
    order_place,
};
use scrip_domain::promotion::CouponKey;
use scrip_domain::vault::Vault;
use scrip_domain::{Actor, Answer};
use scrip_engine::Tx;
use scrip_ledger::{Amount, Asset};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(place))
        .routes(routes!(place_batch))
}

/// A line that is wanted: an offer by its id or by its SKU.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"sku": "software-a", "quantity": 1}))]
pub struct LineBody {
    /// The offer.
    pub offer_id: Option<field::Offer>,
    /// The offer's stock-keeping unit, instead of its id.
    pub sku: Option<Line200>,
    /// How many; of an offer sold by tiers, the quantity whose tier is wanted.
    pub quantity: Quantity,
    /// The price in tokens that the buyer was shown, for one or for the tier: when it is another
    /// one now, the order is refused.
    pub quoted: Option<Decimal>,
    /// A price in tokens instead of the offer's, for one or for the tier.
    pub entered: Option<Decimal>,
    /// Of a program: whether its download comes with the code. In a quote it changes nothing.
    pub supply: Option<SupplyWord>,
}

words! {
    SupplyWord: Supply, Supply::ALL.iter().map(|supply| supply.name()).collect::<Vec<_>>();
}

/// The lines of an order.
pub type LineList = List<LineBody, 1, 10_000>;

/// An order to be placed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": "cus_01kb3v8z9mfxmr4x1qk2s7b0de",
    "lines": [{"sku": "software-a", "quantity": 1}],
}))]
pub struct OrderBody {
    /// Whose tokens pay.
    pub customer_id: field::Customer,
    /// What is bought.
    pub lines: LineList,
    /// The name by which your other systems call the order; each is taken once.
    pub reference: Option<OptionalLine200>,
    /// When it counts, if that was earlier than now.
    pub effective_at: Option<Moment>,
    /// The code of a coupon: one that takes nothing off refuses the order and says why.
    pub coupon: Option<OptionalLine60>,
    /// Where it is sent to; needed when something of it is a product that is shipped. It is kept
    /// encrypted, apart from the order.
    #[serde(skip_serializing)]
    pub delivery_address: Option<AddressBody>,
}

/// A line with its price.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuotedLine {
    /// The offer.
    pub offer_id: field::Offer,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name.
    pub title: String,
    /// What the customer gets: to keep, or for so many days, uses or processings.
    pub kind: OfferKindWord,
    /// How many were asked for.
    pub quantity: i64,
    /// How many are granted: the upper bound of a tier.
    pub granted: i64,
    /// Tokens for one, or for the tier.
    pub unit_price: Money,
    /// Tokens for the line.
    pub amount: Money,
    /// Tokens for one, or for the tier, without promotions.
    pub list_price: Money,
    /// What promotions and the coupon take off.
    pub off: Vec<OffBody>,
    /// The tax in the amount; null where there is no rate.
    pub tax: Option<LineTaxBody>,
}

/// A purchase that went through.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceiptBody {
    /// The order.
    pub order_id: field::Order,
    /// Always `completed`.
    #[schema(example = "completed")]
    pub state: &'static str,
    /// What was bought.
    pub lines: Vec<QuotedLine>,
    /// Tokens that were debited.
    pub total: Money,
    /// Tokens that the account can spend after it.
    pub remaining: Money,
}

/// A line in its JSON shape.
pub fn quoted_line(line: QuoteLine, token: &Asset) -> QuotedLine {
    QuotedLine {
        offer_id: field::Id(line.offer_id),
        kind: field::Named(line.kind),
        quantity: line.quantity,
        granted: line.granted,
        unit_price: Money::new(line.unit_price, token),
        amount: Money::new(line.amount, token),
        list_price: list_price(line.unit_price, line.off.iter().map(|o| o.each), token),
        off: line.off.into_iter().map(|o| off(o, token)).collect(),
        tax: line.tax.map(|tax| LineTaxBody::new(tax, token)),
        sku: line.sku,
        title: line.title,
    }
}

fn receipt(receipt: Receipt, token: &Asset) -> ReceiptBody {
    ReceiptBody {
        order_id: field::Id(receipt.order_id),
        state: "completed",
        lines: receipt
            .lines
            .into_iter()
            .map(|l| quoted_line(l, token))
            .collect(),
        total: Money::new(receipt.total, token),
        remaining: Money::new(receipt.remaining, token),
    }
}

/// A line with its amounts read and its offer still to be found by SKU.
#[derive(Clone, Debug)]
pub struct Line {
    offer: OfferNamed,
    quantity: i64,
    quoted: Option<Amount>,
    entered: Option<Amount>,
    supply: Option<Supply>,
}

#[derive(Clone, Debug)]
enum OfferNamed {
    Id(OfferId),
    Sku(String),
}

impl Line {
    /// How a program is handed over, where that was said.
    pub fn supply(&self) -> Option<Supply> {
        self.supply
    }
}

/// Reads the lines of a body.
pub fn lines(bodies: &[LineBody], token: &Asset) -> Result<Vec<Line>> {
    let tokens = |given: &Option<Decimal>| given.as_ref().map(|d| d.of(token)).transpose();
    bodies
        .iter()
        .map(|line| {
            let offer = match (&line.offer_id, &line.sku) {
                (Some(id), None) => OfferNamed::Id(id.0),
                (None, Some(sku)) => OfferNamed::Sku(sku.0.clone()),
                _ => {
                    let text = "each line names its offer by offer_id or by sku, not by both";
                    return Err(Problem::invalid("line_invalid", text));
                }
            };
            Ok(Line {
                offer,
                quantity: line.quantity.0,
                quoted: tokens(&line.quoted)?,
                entered: tokens(&line.entered)?,
                supply: line.supply.map(|supply| supply.0),
            })
        })
        .collect()
}

/// Finds the offers of lines that name them by SKU.
pub fn wanted(
    tx: &mut dyn scrip_engine::Read,
    book: i64,
    lines: &[Line],
) -> std::result::Result<Vec<Wanted>, OrderError> {
    lines
        .iter()
        .map(|line| {
            let offer_id = match &line.offer {
                OfferNamed::Id(id) => *id,
                OfferNamed::Sku(sku) => offer_by_sku(tx, book, sku)?
                    .ok_or_else(|| CatalogError::OfferUnknown(sku.chars().take(60).collect()))?,
            };
            Ok(Wanted {
                offer_id,
                quantity: line.quantity,
                quoted: line.quoted,
                entered: line.entered,
            })
        })
        .collect()
}

/// A body with everything read that can be read without the database.
#[derive(Clone, Debug)]
struct Prepared {
    body: OrderBody,
    lines: Vec<Line>,
    coupon: Option<CouponKey>,
}

fn prepare(app: &App, book: i64, body: OrderBody, token: &Asset) -> Result<Prepared> {
    Ok(Prepared {
        lines: lines(&body.lines.0, token)?,
        coupon: coupon_key(app, book, body.coupon.as_ref()),
        body,
    })
}

fn run(
    tx: &mut Tx<'_>,
    actor: Actor,
    book: i64,
    vault: &Vault,
    order: &Prepared,
) -> std::result::Result<OrderOutcome, OrderError> {
    let lines = wanted(tx, book, &order.lines)?;
    let supply = lines.iter().zip(&order.lines);
    let supply = supply.filter_map(|(line, body)| Some((line.offer_id, body.supply?)));
    let request = OrderRequest {
        extras: Extras {
            supply: supply.collect(),
            coupon: order.coupon.clone(),
            address: match &order.body.delivery_address {
                Some(to) => {
                    let customer = order.body.customer_id.0;
                    Some(order_address(tx, vault, book, customer, &to.address())?)
                }
                None => None,
            },
        },
        customer_id: order.body.customer_id.0,
        lines,
        reference: order.body.reference.clone().unwrap_or_default().0,
        effective_at: order.body.effective_at.map(|at| at.0.0),
    };
    order_place(tx, actor, book, &request)
}

const ROUTE: &str = "POST /v1/orders";

/// Place an order
///
/// The order's customer is the account that pays, and the only one that is debited: of a person
/// with several accounts send the one that was chosen.
///
/// Pays the whole order or refuses it. A refusal is an answer with a problem: nothing was debited,
/// the order is kept as refused with its `order_id`, and the same key gives the same refusal again,
/// so try again under a new key.
#[utoipa::path(
    post, path = "/v1/orders", tag = "orders", operation_id = "order_place",
    security(("key" = ["orders:write"])),
    params(Repeatable),
    request_body = OrderBody,
    responses(
        (status = 201, description = "Paid", body = ReceiptBody),
        (status = 402, description = "Refused: tokens are short, or may not pay for this", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such customer or offer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Refused: price, stock, coupon, account or reference", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn place(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    BatchJson(body): BatchJson<OrderBody>,
) -> Result<Response> {
    let vendor = app.vendor(caller.book()).await?;
    let placed = place_one(&app, &caller, key, body, &vendor.token).await?;
    Ok(placed_answer(&app, placed, &vendor.token))
}

fn placed_answer(app: &App, placed: Answer<OrderOutcome>, token: &Asset) -> Response {
    match placed.value {
        OrderOutcome::Completed(done) => {
            app.metrics.order(true);
            answer(StatusCode::CREATED, &receipt(done, token), placed.replayed)
        }
        OrderOutcome::Refused { order_id, refusal } => {
            app.metrics.order(false);
            let problem = refusal_problem(&order_id.to_string(), &refusal, token);
            let mut response = problem.into_response();
            mark(&mut response, placed.replayed);
            response
        }
    }
}

/// A refusal with its figures.
pub fn refusal_problem(order_id: &str, refusal: &Refusal, token: &Asset) -> Problem {
    let problem = refused(order_id, refusal);
    let tokens = |a: &Amount| serde_json::json!(Money::new(*a, token));
    match refusal {
        Refusal::Shortage {
            required,
            available,
            short,
        } => problem
            .with("required", tokens(required))
            .with("available", tokens(available))
            .with("short", tokens(short)),
        Refusal::Restricted {
            required,
            available,
        } => problem
            .with("required", tokens(required))
            .with("available", tokens(available)),
        Refusal::PriceChanged { quoted, now, .. } => problem
            .with("quoted", tokens(quoted))
            .with("now", tokens(now)),
        Refusal::BelowThreshold {
            threshold,
            available,
            ..
        } => problem
            .with("threshold", tokens(threshold))
            .with("available", tokens(available)),
        Refusal::Coupon { fault } => problem.with("why", super::promotion::why(fault)),
        Refusal::OutOfStock { on_hand, .. } => problem.with("on_hand", serde_json::json!(on_hand)),
        Refusal::Reserved { free, reserved, .. } => problem
            .with("on_hand", serde_json::json!(free))
            .with("reserved", serde_json::json!(reserved)),
        _ => problem,
    }
}

/// Several orders at once.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"orders": [{
    "customer_id": "cus_01kb3v8z9mfxmr4x1qk2s7b0de",
    "lines": [{"sku": "software-a", "quantity": 1}],
}]}))]
pub struct BatchBody {
    /// The orders; each is done or refused by itself.
    #[schema(max_items = 1000, min_items = 1)]
    pub orders: Vec<OrderBody>,
}

/// What became of one order of a batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchItem {
    /// The status that the order would have had alone.
    pub status: u16,
    /// True when it was done before under the same key.
    pub replayed: bool,
    /// The receipt of a paid order.
    pub order: Option<ReceiptBody>,
    /// Why an order was not paid.
    #[schema(value_type = Option<ProblemBody>)]
    pub problem: Option<serde_json::Value>,
}

/// What became of a batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// One result for each order, in their order.
    pub results: Vec<BatchItem>,
}

const ORDERS_AT_MOST: usize = 1000;

/// Place several orders
///
/// Up to 1,000 orders, each paid or refused by itself; a body that cannot be read does nothing.
/// Order number n is done under the key of the request with `#n` behind it, so a repeated batch
/// does only what was not done.
#[utoipa::path(
    post, path = "/v1/orders:batch", tag = "orders", operation_id = "order_place_batch",
    security(("key" = ["orders:write"])),
    params(("Idempotency-Key" = String, Header,
        description = "Makes the request safe to repeat: a random UUID will do",
        min_length = 1, max_length = 240, pattern = "^[!-~]+$")),
    request_body = BatchBody,
    responses(
        (status = 200, description = "A result for each order", body = BatchAnswer),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn place_batch(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    BatchJson(body): BatchJson<BatchBody>,
) -> Result<axum::Json<BatchAnswer>> {
    if body.orders.is_empty() || body.orders.len() > ORDERS_AT_MOST {
        let text = format!("a batch has 1 to {ORDERS_AT_MOST} orders: split it");
        return Err(Problem::invalid("batch_size", text));
    }
    if key.0.chars().count() > 240 {
        let text = "the key of a batch has at most 240 characters: each order adds its number";
        return Err(Problem::bad_request("idempotency_key_invalid", text));
    }
    let vendor = app.vendor(caller.book()).await?;
    let token = &vendor.token;
    let items = body.orders.into_iter().enumerate().map(|(n, body)| {
        let (app, caller) = (&app, &caller);
        let key = IdempotencyKey(format!("{}#{}", key.0, n + 1));
        async move {
            let placed = place_one(app, caller, key, body, token).await;
            batch_item(app, placed, token)
        }
    });
    let results = join_all(items).await;
    Ok(axum::Json(BatchAnswer { results }))
}

/// What equal requests have in common: the address as a hash under the master key, because what is
/// kept of a request must not tell where somebody lives.
#[derive(Serialize)]
struct Asked {
    #[serde(flatten)]
    body: OrderBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<[u8; 32]>,
}

impl Asked {
    fn new(vault: &Vault, body: &OrderBody) -> Result<Asked> {
        Ok(Asked {
            body: body.clone(),
            address: address_hash(vault, body.delivery_address.as_ref())?,
        })
    }
}

/// What stands for an address where equal requests are recognised.
pub fn address_hash(vault: &Vault, to: Option<&AddressBody>) -> Result<Option<[u8; 32]>> {
    let Some(to) = to else { return Ok(None) };
    let text = serde_json::to_vec(to).map_err(|e| Problem::internal(&e))?;
    Ok(Some(vault.hash("delivery address", &[&text])))
}

async fn place_one(
    app: &App,
    caller: &super::auth::Caller,
    key: IdempotencyKey,
    body: OrderBody,
    token: &Asset,
) -> Result<Answer<OrderOutcome>> {
    let (actor, book) = (caller.actor(), caller.book());
    let order = prepare(app, book, body, token)?;
    let subject = Some(order.body.customer_id.0);
    let vault = app.node.vault.clone();
    let request = Asked::new(&vault, &order.body)?;
    submit(app, caller, key, (ROUTE, &request), subject, move |tx| {
        run(tx, actor, book, &vault, &order)
    })
    .await
}

fn batch_item(app: &App, placed: Result<Answer<OrderOutcome>>, token: &Asset) -> BatchItem {
    let failed = |problem: Problem, replayed| BatchItem {
        status: problem.status.as_u16(),
        replayed,
        order: None,
        problem: Some(problem.json()),
    };
    let placed = match placed {
        Ok(placed) => placed,
        Err(problem) => return failed(problem, false),
    };
    let completed = matches!(placed.value, OrderOutcome::Completed(_));
    app.metrics.order(completed);
    match placed.value {
        OrderOutcome::Completed(done) => BatchItem {
            status: 201,
            replayed: placed.replayed,
            order: Some(receipt(done, token)),
            problem: None,
        },
        OrderOutcome::Refused { order_id, refusal } => failed(
            refusal_problem(&order_id.to_string(), &refusal, token),
            placed.replayed,
        ),
    }
}
