//! Tokens back: refunds, requests for them, goods that come back.

use super::auth::{Caller, May, OrdersRead, OrdersWrite, RefundsWrite};
use super::bounded::{LineNumber, List, Quantity};
use super::field::{self, Decimal, FilledParagraph1000, Line200, Moment, OptionalLine200};
use super::order_history::OrderPath;
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, done, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::{CardOrderId, CustomerId};
use scrip_domain::order::by_card::{RefundBegun, card_refund_settle, order_refund_begin};
use scrip_domain::order::{
    AskState, GoodsReturn, OrderError, RefundAsked, RefundLines, RefundRequest, Returned,
    ReturnedGoods, goods_return, order_by_id, refund_ask, refund_request_decline,
    refund_request_opened, refund_requests,
};
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::Read;
use scrip_ledger::{Amount, Asset};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(refund))
        .routes(routes!(ask))
        .routes(routes!(decline))
        .routes(routes!(asked))
        .routes(routes!(goods))
}

/// Pieces of a line to be refunded.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefundLine {
    /// The line, from 1.
    line_no: LineNumber,
    /// Pieces of it; a tier is refunded whole.
    quantity: Quantity,
}

type RefundLinesBody = List<RefundLine, 1, 10_000>;

/// What is to be refunded.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": [{"line_no": 1, "quantity": 1}], "restock": true}))]
struct RefundBody {
    /// Which lines; null for all that is left of the order.
    lines: Option<RefundLinesBody>,
    /// True when the pieces go back on the shelf.
    #[serde(default)]
    restock: bool,
    /// The name by which people find it; empty takes the order's id.
    #[serde(default)]
    reference: OptionalLine200,
    /// When it counts, if that was earlier than now.
    effective_at: Option<Moment>,
}

/// A refund that was made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct RefundAnswer {
    /// The order.
    order_id: field::Order,
    /// Its place among the order's refunds, from 1.
    refund_no: i64,
    /// Tokens given back; money, where a card paid.
    amount: Money,
}

/// What is kept under the key of a refund.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Begun {
    Done(RefundAnswer),
    /// A card paid: the processor gives the money back.
    Due {
        card_order: CardOrderId,
    },
}

/// Who placed an order: stored answers about it are erased with the person.
async fn buyer(app: &App, caller: &Caller, order: field::Order) -> Result<CustomerId> {
    let (book, actor) = (caller.book(), caller.actor());
    let order = app.read(move |tx| order_by_id(tx, actor, book, order.0));
    Ok(order.await?.customer_id)
}

/// Refund an order
///
/// Gives tokens back for all that is left of a paid order, or for some pieces. They go back as the
/// kind of tokens that paid; those that have expired since come back with a period of grace. An
/// open request for a refund of the order is closed. Where a card paid, all of the money goes back
/// to it by the card processor; 202 says that the processor has not confirmed it yet, and is asked
/// again by itself.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refunds", tag = "refunds", operation_id = "order_refund",
    security(("key" = ["refunds:write"])),
    params(OrderPath, Repeatable),
    request_body = RefundBody,
    responses(
        (status = 201, description = "Given back", body = RefundAnswer),
        (status = 202, description = "On its way back to the card", body = RefundAnswer),
        (status = 404, description = "No such paid order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "More than is left", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn refund(
    May(caller, ..): May<RefundsWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OrderPath { id }): Path<OrderPath>,
    Json(body): Json<RefundBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let subject = Some(buyer(&app, &caller, id).await?);
    let request = (id, body.clone());
    let lines = body.lines.map_or(RefundLines::Whole, |lines| {
        let pair = |line: RefundLine| (line.line_no.0, line.quantity.0);
        RefundLines::Lines(lines.0.into_iter().map(pair).collect())
    });
    let wanted = RefundRequest {
        order_id: id.0,
        lines,
        restock: body.restock,
        reference: body.reference.0,
        effective_at: body.effective_at.map(|at| at.0.0),
    };
    let request = ("POST /v1/orders/{id}/refunds", &request);
    let made = submit(&app, &caller, key, request, subject, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(match order_refund_begin(tx, actor, &vendor, &wanted)? {
            RefundBegun::Due(card_order) => Begun::Due { card_order },
            RefundBegun::Done(made) => Begun::Done(RefundAnswer {
                order_id: id,
                refund_no: made.refund_no,
                amount: Money::new(made.amount, &vendor.token),
            }),
        })
    })
    .await?;
    let card_order = match made.value {
        Begun::Done(refund) => return Ok(answer(StatusCode::CREATED, &refund, made.replayed)),
        Begun::Due { card_order } => card_order,
    };
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let own = vendor.clone();
    let settled = app.by_card(move |node, cards| card_refund_settle(node, cards, &own, card_order));
    let settled = settled.await??;
    let refund = RefundAnswer {
        order_id: id,
        refund_no: 1,
        amount: Money::new(settled.price, &vendor.currency),
    };
    let status = match settled.is_done {
        true => StatusCode::CREATED,
        false => StatusCode::ACCEPTED,
    };
    Ok(answer(status, &refund, made.replayed))
}

/// Where a request for a refund stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RefundRequestState {
    /// Nobody has answered yet.
    Open,
    /// Tokens were given back.
    Refunded,
    /// It was declined.
    Declined,
}

/// A request for a refund.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RefundRequestAnswer {
    /// The order.
    order_id: field::Order,
    /// Who bought.
    customer_id: field::Customer,
    /// Why, in the customer's words.
    reason: String,
    /// Where it stands.
    state: RefundRequestState,
    /// What staff said when they declined; empty otherwise.
    answer: String,
    /// When it was asked.
    asked_at: Moment,
    /// When it was answered.
    closed_at: Option<Moment>,
    /// Who answered.
    closed_by: Option<String>,
}

impl From<RefundAsked> for RefundRequestAnswer {
    fn from(asked: RefundAsked) -> RefundRequestAnswer {
        RefundRequestAnswer {
            order_id: field::Id(asked.order_id),
            customer_id: field::Id(asked.customer_id),
            reason: asked.reason,
            state: match asked.state {
                AskState::Open => RefundRequestState::Open,
                AskState::Refunded => RefundRequestState::Refunded,
                AskState::Declined => RefundRequestState::Declined,
            },
            answer: asked.answer,
            asked_at: Moment(asked.asked_at),
            closed_at: asked.closed_at.map(Moment),
            closed_by: asked.closed_by,
        }
    }
}

/// What a customer says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "It does not fit."}))]
struct AskBody {
    /// Why, in the customer's words.
    reason: FilledParagraph1000,
}

/// Ask for a refund
///
/// On behalf of the customer: staff answer it with a refund or decline it. One request is open for
/// an order at most; asking again changes its reason. What was declined stays declined.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refund-requests", tag = "refunds", operation_id = "refund_ask",
    security(("key" = ["orders:write"])),
    params(OrderPath, Repeatable),
    request_body = AskBody,
    responses(
        (status = 201, description = "Asked", body = RefundRequestAnswer),
        (status = 404, description = "No such paid order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Declined before, or nothing is left to refund", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn ask(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OrderPath { id }): Path<OrderPath>,
    Json(body): Json<AskBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let subject = Some(buyer(&app, &caller, id).await?);
    let request = (id, body.clone());
    let vault = app.node.vault.clone();
    let request = ("POST /v1/orders/{id}/refund-requests", &request);
    let asked = submit(&app, &caller, key, request, subject, move |tx| {
        let asked = refund_ask(tx, &vault, actor, book, id.0, &body.reason.0)?;
        Ok::<_, Failed>(RefundRequestAnswer::from(asked))
    })
    .await?;
    Ok(answer(StatusCode::CREATED, &asked.value, asked.replayed))
}

/// List requests for refunds
///
/// Those that nobody has answered, oldest first.
#[utoipa::path(
    get, path = "/v1/refund-requests", tag = "refunds", operation_id = "refund_requests",
    security(("key" = ["orders:read"])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of requests", body = Page<RefundRequestAnswer>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn asked(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<RefundRequestAnswer>>> {
    let (limit, after) = (query.limit()?, cursor(query.cursor.as_deref())?);
    let (book, vault) = (caller.book(), app.node.vault.clone());
    let page = app.read(move |tx| {
        let mut page = refund_requests(tx, book, after, limit)?;
        let mut opened = Vec::with_capacity(page.items.len());
        for asked in page.items {
            opened.push(refund_request_opened(tx, &vault, book, asked)?);
        }
        page.items = opened;
        Ok::<_, OrderError>(page)
    });
    Ok(axum::Json(Page::new(
        page.await?,
        RefundRequestAnswer::from,
    )))
}

/// What staff say.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"answer": "It was used."}))]
struct DeclineBody {
    /// Why not, for the customer.
    answer: FilledParagraph1000,
}

/// Decline a request for a refund
///
/// For good: the customer cannot ask again, staff can still refund.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refund-requests/decline", tag = "refunds",
    operation_id = "refund_request_decline",
    security(("key" = ["refunds:write"])),
    params(OrderPath, Repeatable),
    request_body = DeclineBody,
    responses(
        (status = 204, description = "Declined"),
        (status = 404, description = "No open request about such an order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn decline(
    May(caller, ..): May<RefundsWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OrderPath { id }): Path<OrderPath>,
    Json(body): Json<DeclineBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, body.clone());
    let request = ("POST /v1/orders/{id}/refund-requests/decline", &request);
    let declined = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        refund_request_decline(tx, actor, &vendor, id.0, &body.answer.0)?;
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(declined.replayed))
}

/// One kind of goods that came back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GoodsBody {
    /// Stock-keeping unit.
    sku: Line200,
    /// Tokens for which one was sold.
    unit_price: Decimal,
    /// Pieces.
    quantity: Quantity,
}

type GoodsList = List<GoodsBody, 1, 1_000>;

/// Goods that came back without an order number.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": "cus_01kb3v8z9mfxmr4x1qk2s7b0de",
    "reference": "CN-1042",
    "goods": [{"sku": "software-a", "unit_price": "100", "quantity": 1}],
}))]
struct GoodsReturnBody {
    /// Whose purchases are looked through; null when that is not known, and then nothing is
    /// refunded.
    customer_id: Option<field::Customer>,
    /// Your own name for it, for example a credit note; each is taken once.
    reference: Line200,
    /// What came back.
    goods: GoodsList,
    /// When it counts, if that was earlier than now. Purchases after it are left alone.
    effective_at: Option<Moment>,
}

impl GoodsReturnBody {
    fn goods(&self, token: &Asset) -> Result<Vec<ReturnedGoods>> {
        let goods = |goods: &GoodsBody| {
            Ok::<_, Problem>(ReturnedGoods {
                sku: goods.sku.0.clone(),
                unit_price: goods.unit_price.of(token)?,
                quantity: goods.quantity.0,
            })
        };
        self.goods.0.iter().map(goods).collect()
    }
}

/// What became of one kind of goods.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct ReturnedLine {
    /// Stock-keeping unit.
    sku: String,
    /// Pieces for which a purchase was found and refunded.
    quantity: i64,
    /// Tokens given back.
    amount: Money,
}

/// What became of goods that came back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct GoodsReturnAnswer {
    /// One for each kind of goods, in their order.
    goods: Vec<ReturnedLine>,
    /// Tokens given back for all.
    amount: Money,
}

/// Take goods back
///
/// For goods that come back without an order number: the customer's purchases of the same goods at
/// the same price are refunded, the last one first, as far as they go. The reference is noted either
/// way and cannot be used again. Stock is not changed.
#[utoipa::path(
    post, path = "/v1/goods-returns", tag = "refunds", operation_id = "goods_return",
    security(("key" = ["refunds:write"])),
    params(Repeatable),
    request_body = GoodsReturnBody,
    responses(
        (status = 201, description = "Entered", body = GoodsReturnAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The reference was used", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn goods(
    May(caller, ..): May<RefundsWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<GoodsReturnBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let token = app.vendor(book).await?.token.clone();
    let goods = body.goods(&token)?;
    let subject = body.customer_id.map(|id| id.0);
    let request = ("POST /v1/goods-returns", &body.clone());
    let returned = submit(&app, &caller, key, request, subject, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let customer = subject.map(|id| customer_by_id(tx, book, id)).transpose()?;
        let new = GoodsReturn {
            reference: body.reference.0.clone(),
            goods: goods.clone(),
            effective_at: body.effective_at.map_or(tx.now(), |at| at.0),
        };
        let returned = goods_return(tx, actor, &vendor, customer.as_ref(), &new)?;
        Ok::<_, Failed>(goods_answer(&new.goods, &returned, &vendor.token)?)
    })
    .await?;
    Ok(answer(
        StatusCode::CREATED,
        &returned.value,
        returned.replayed,
    ))
}

fn goods_answer(
    goods: &[ReturnedGoods],
    returned: &[Returned],
    token: &Asset,
) -> scrip_ledger::Result<GoodsReturnAnswer> {
    let line = |(goods, returned): (&ReturnedGoods, &Returned)| ReturnedLine {
        sku: goods.sku.clone(),
        quantity: returned.quantity,
        amount: Money::new(returned.amount, token),
    };
    let amount = Amount::sum(returned.iter().map(|r| r.amount))?;
    Ok(GoodsReturnAnswer {
        goods: goods.iter().zip(returned).map(line).collect(),
        amount: Money::new(amount, token),
    })
}
