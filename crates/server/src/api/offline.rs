//! Orders of tokens that no card pays (TOK-10 to TOK-13).

mod form;

use super::auth::{CustomersRead, May, TokensWrite};
use super::customer::CustomerPath;
use super::field::{self, Decimal, Line500, OptionalLine200};
use super::shape::{Page, PageQuery, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use form::{AgeingBody, OfflineAnswer, OfflineBody, OfflineStanding};
use scrip_domain::credit::{CreditCheck, OwnBooks};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::TokenOrderId;
use scrip_domain::policy::Channel;
use scrip_domain::token_sale::offline::{
    NewOfflineOrder, OfflineOrder, OfflineState, offline_ageing, offline_credit_facts,
    offline_order_accept, offline_order_by_id, offline_order_cancel, offline_order_fail,
    offline_order_open, offline_order_pay, offline_orders_by_reference, offline_orders_in,
    offline_orders_of,
};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_domain::{Actor, Answer};
use scrip_engine::Tx;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open, of_customer))
        .routes(routes!(in_state))
        .routes(routes!(ageing))
        .routes(routes!(one))
        .routes(routes!(accept))
        .routes(routes!(pay))
        .routes(routes!(fail))
        .routes(routes!(cancel))
}

/// The order as it stands after a command; what is stored under the key is its id.
async fn stands(
    app: &App,
    book: i64,
    actor: Actor,
    status: StatusCode,
    done: Answer<TokenOrderId>,
) -> Result<Response> {
    let read = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let order = offline_order_by_id(tx, actor, book, done.value)?;
        Ok::<_, Failed>(OfflineAnswer::new(order, &vendor))
    });
    Ok(answer(status, &read.await?, done.replayed))
}

/// Open an order of tokens without a card
///
/// By cheque, money order, purchase order, invoice or cash, as it came by telephone, fax, mail,
/// e-mail or over the counter. Nothing is credited yet: accept the order, and enter its payment.
#[utoipa::path(
    post, path = "/v1/customers/{id}/offline-orders", tag = "tokens",
    operation_id = "offline_order_open",
    security(("key" = ["tokens:write"])),
    params(CustomerPath, Repeatable),
    request_body = OfflineBody,
    responses(
        (status = 201, description = "Opened", body = OfflineAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The price changed, too many orders are open, or the account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such quantity or pack, or these means are not taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn open(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<OfflineBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, body.clone());
    let route = "POST /v1/customers/{id}/offline-orders";
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let quoted = body.quoted.map(|q| q.of(&vendor.currency)).transpose()?;
    let new = NewOfflineOrder {
        customer: id.0,
        quantity: body.tokens.of(&vendor.token)?,
        pack: body.pack.map(|pack| pack.0),
        means: body.means.0.0,
        channel: body.channel.map_or(Channel::Staff, |channel| channel.0),
        quoted,
        payment_reference: body.payment_reference.unwrap_or_default().0,
    };
    let opened = submit(
        &app,
        &caller,
        key,
        (route, &request),
        Some(id.0),
        move |tx| Ok::<_, Failed>(offline_order_open(tx, actor, &vendor, &new)?.id),
    );
    stands(&app, book, actor, StatusCode::CREATED, opened.await?).await
}

/// List a customer's orders without a card
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/customers/{id}/offline-orders", tag = "tokens",
    operation_id = "offline_orders_of_customer",
    security(("key" = ["customers:read"])),
    params(CustomerPath, PageQuery),
    responses(
        (status = 200, description = "A page of orders", body = Page<OfflineAnswer>),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn of_customer(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<OfflineAnswer>>> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.vendor(book).await?;
    let (limit, before) = (query.limit()?, cursor(query.cursor.as_deref())?);
    let page = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(offline_orders_of(tx, actor, &customer, before, limit)?)
    });
    Ok(axum::Json(Page::new(page.await?, |order| {
        OfflineAnswer::new(order, &vendor)
    })))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StateQuery {
    /// Orders in this state; without one, those that are open.
    #[param(inline)]
    state: Option<OfflineStanding>,
    /// Orders of this reference, in whatever state, instead.
    #[param(inline)]
    reference: Option<field::Line200>,
    /// Where the page begins: `next` of the page before.
    #[serde(default, deserialize_with = "super::field::given")]
    cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default, deserialize_with = "super::field::given")]
    limit: Option<i64>,
}

/// List orders without a card
///
/// Those in a state, newest first; or those of a reference.
#[utoipa::path(
    get, path = "/v1/offline-orders", tag = "tokens", operation_id = "offline_orders",
    security(("key" = ["customers:read"])),
    params(StateQuery),
    responses(
        (status = 200, description = "A page of orders", body = Page<OfflineAnswer>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn in_state(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Query(query): Query<StateQuery>,
) -> Result<axum::Json<Page<OfflineAnswer>>> {
    let book = caller.book();
    let vendor = app.vendor(book).await?;
    let limit = super::shape::limit(query.limit)?;
    let before = cursor(query.cursor.as_deref())?;
    let state = query.state.map_or(OfflineState::Open, |state| state.0);
    let page = app.read(move |tx| match &query.reference {
        Some(reference) => {
            let items = offline_orders_by_reference(tx, book, &reference.0)?;
            Ok::<_, Failed>(scrip_domain::page::Page { items, next: None })
        }
        None => Ok(offline_orders_in(tx, book, state, before, limit)?),
    });
    Ok(axum::Json(Page::new(page.await?, |order| {
        OfflineAnswer::new(order, &vendor)
    })))
}

/// See what is owed, by age
///
/// Money for tokens that were credited before payment, by how long it is overdue.
#[utoipa::path(
    get, path = "/v1/offline-orders/ageing", tag = "tokens", operation_id = "offline_ageing",
    security(("key" = ["customers:read"])),
    responses(
        (status = 200, description = "What is owed", body = AgeingBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn ageing(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
) -> Result<axum::Json<AgeingBody>> {
    let book = caller.book();
    let vendor = app.vendor(book).await?;
    let ageing = app.read(move |tx| offline_ageing(tx, book)).await?;
    Ok(axum::Json(AgeingBody::new(ageing, &vendor)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OfflinePath {
    /// The order.
    #[param(inline)]
    id: field::TokenOrder,
}

/// See an order without a card
///
/// With its state, its means of payment, and what was paid so far.
#[utoipa::path(
    get, path = "/v1/offline-orders/{id}", tag = "tokens", operation_id = "offline_order",
    security(("key" = ["customers:read"])),
    params(OfflinePath),
    responses(
        (status = 200, description = "The order", body = OfflineAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn one(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(OfflinePath { id }): Path<OfflinePath>,
) -> Result<axum::Json<OfflineAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.vendor(book).await?;
    let order = app.read(move |tx| offline_order_by_id(tx, actor, book, id.0));
    Ok(axum::Json(OfflineAnswer::new(order.await?, &vendor)))
}

/// Runs a command on an order under the caller's key.
async fn changed<F>(
    app: App,
    caller: super::auth::Caller,
    key: IdempotencyKey,
    route: &'static str,
    request: impl Serialize,
    run: F,
) -> Result<Response>
where
    F: FnMut(&mut Tx<'_>, &Vendor) -> std::result::Result<OfflineOrder, Failed>
        + Clone
        + Send
        + 'static,
{
    let (book, actor) = (caller.book(), caller.actor());
    let mut run = run;
    let done = submit(&app, &caller, key, (route, &request), None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(run(tx, &vendor)?.id)
    });
    stands(&app, book, actor, StatusCode::OK, done.await?).await
}

/// Accept an order without a card
///
/// Where the policy says so the customer's credit is checked first: a declined one ends the order
/// as failed. Tokens are credited now where the policy credits upon acceptance, and the money is
/// owed then.
#[utoipa::path(
    post, path = "/v1/offline-orders/{id}/accept", tag = "tokens",
    operation_id = "offline_order_accept",
    security(("key" = ["tokens:write"])),
    params(OfflinePath, Repeatable),
    responses(
        (status = 200, description = "Accepted, or failed by the check of the credit", body = OfflineAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not open, or the account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn accept(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OfflinePath { id }): Path<OfflinePath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let facts = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(offline_credit_facts(tx, &vendor, id.0)?)
    });
    let said = facts.await?.map(|facts| (facts, OwnBooks.check(&facts)));
    let route = "POST /v1/offline-orders/{id}/accept";
    changed(app, caller, key, route, id, move |tx, vendor| {
        Ok(offline_order_accept(
            tx,
            actor,
            vendor,
            id.0,
            said.as_ref(),
        )?)
    })
    .await
}

/// Money that came.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"payment_reference": "cheque 1042"}))]
struct PaymentBody {
    /// How much; without it, all that is open of the order.
    amount: Option<Decimal>,
    /// The number of the payment.
    payment_reference: Option<OptionalLine200>,
}

/// Enter a payment
///
/// The whole payment clears the order; a part is taken where tokens were credited before payment.
/// Of two who enter the same payment, the second one is told that the order is cleared.
#[utoipa::path(
    post, path = "/v1/offline-orders/{id}/payments", tag = "tokens",
    operation_id = "offline_order_pay",
    security(("key" = ["tokens:write"])),
    params(OfflinePath, Repeatable),
    request_body = PaymentBody,
    responses(
        (status = 200, description = "Entered", body = OfflineAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The order is over", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "This amount cannot be taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn pay(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OfflinePath { id }): Path<OfflinePath>,
    Json(body): Json<PaymentBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let currency = app.vendor(caller.book()).await?.currency.clone();
    let amount = body.amount.as_ref().map(|a| a.of(&currency)).transpose()?;
    let reference = body.payment_reference.clone().unwrap_or_default().0;
    let route = "POST /v1/offline-orders/{id}/payments";
    changed(app, caller, key, route, (id, body), move |tx, vendor| {
        Ok(offline_order_pay(
            tx, actor, vendor, id.0, amount, &reference,
        )?)
    })
    .await
}

/// Why an order fails.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the cheque bounced"}))]
struct FailureBody {
    /// Why; the customer sees it.
    reason: Line500,
}

/// Fail an order without a card
///
/// No money comes. Tokens that were credited before payment and are still there are taken back;
/// what was spent of them stays owed.
#[utoipa::path(
    post, path = "/v1/offline-orders/{id}/fail", tag = "tokens",
    operation_id = "offline_order_fail",
    security(("key" = ["tokens:write"])),
    params(OfflinePath, Repeatable),
    request_body = FailureBody,
    responses(
        (status = 200, description = "Failed", body = OfflineAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is over already", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn fail(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OfflinePath { id }): Path<OfflinePath>,
    Json(body): Json<FailureBody>,
) -> Result<Response> {
    let (actor, reason) = (caller.actor(), body.reason.0.clone());
    let route = "POST /v1/offline-orders/{id}/fail";
    changed(app, caller, key, route, (id, body), move |tx, vendor| {
        Ok(offline_order_fail(tx, actor, vendor, id.0, &reason)?)
    })
    .await
}

/// Cancel an order without a card
///
/// Only while it is open.
#[utoipa::path(
    post, path = "/v1/offline-orders/{id}/cancel", tag = "tokens",
    operation_id = "offline_order_cancel",
    security(("key" = ["tokens:write"])),
    params(OfflinePath, Repeatable),
    responses(
        (status = 200, description = "Cancelled", body = OfflineAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not open", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn cancel(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OfflinePath { id }): Path<OfflinePath>,
) -> Result<Response> {
    let actor = caller.actor();
    let route = "POST /v1/offline-orders/{id}/cancel";
    changed(app, caller, key, route, id, move |tx, vendor| {
        Ok(offline_order_cancel(tx, actor, vendor, id.0)?)
    })
    .await
}
