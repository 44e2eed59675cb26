//! Selling tokens for money (TOK-01, TOK-08, TOK-09; REG-07, REG-09).

use super::auth::{CustomersRead, May, TokensWrite, VendorRead};
use super::customer::CustomerPath;
use super::field::{self, Decimal, Line200, Moment, OptionalLine200, words};
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, keyed, mark, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::PaymentSessionId;
use scrip_domain::token_sale::price::{Buyer, price_buyer};
use scrip_domain::token_sale::{
    Discount, DiscountKind, LOOK_UP_AFTER_S, Outcome, TokenOrderState, TokenOrderView,
    TokenPurchase, TokenSaleError, payment_session_open, token_buy_keyed, token_deal,
    token_order_by_id, token_orders_of, token_orders_resolve,
};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_engine::Read;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    DiscountSource: DiscountKind, ["pack", "volume", "preferred"];
    TokenOrderStanding: TokenOrderState, ["awaiting", "cleared", "declined"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(price))
        .routes(routes!(open_session))
        .routes(routes!(buy, of_customer))
        .routes(routes!(one))
        .routes(routes!(resolve))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PriceQuery {
    /// How many tokens.
    #[param(inline)]
    tokens: Decimal,
    /// For whom: prices may go by the customer's country and standing.
    #[param(inline)]
    customer: Option<field::Customer>,
    /// The pack that is bought, so often that it makes that number.
    #[param(inline)]
    pack: Option<field::Pack>,
}

/// A discount that counted in a price.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiscountBody {
    /// Where it comes from: a pack, a volume tier, or the standing of the customer.
    kind: DiscountSource,
    /// The name of the pack.
    name: Option<String>,
    /// Its rate in basis points (500 is 5 %); null for a pack with a price of its own.
    off: Option<i64>,
}

impl DiscountBody {
    /// In its JSON shape.
    pub fn new(discount: &Discount) -> DiscountBody {
        DiscountBody {
            kind: field::Named(discount.kind),
            name: Some(discount.name.clone()).filter(|name| !name.is_empty()),
            off: Some(discount.off).filter(|off| *off > 0),
        }
    }
}

/// What tokens cost.
#[derive(Debug, Serialize, ToSchema)]
struct PriceQuote {
    /// How many.
    tokens: Money,
    /// What a card is charged for them now, in whole cents.
    price: Money,
    /// What it would be without discounts.
    list_price: Money,
    /// The discounts that counted: one, unless the policy lets them add up.
    discounts: Vec<DiscountBody>,
    /// What the tokens may pay for; null for everything.
    restriction: Option<String>,
    /// Days that they live; null for ever.
    life_days: Option<i64>,
}

/// Ask what tokens cost
///
/// What a card would be charged for so many tokens now, and which discount that is owed to: the
/// best of pack, volume tier and preferred price, unless the policy lets them add up.
#[utoipa::path(
    get, path = "/v1/token-price", tag = "tokens", operation_id = "token_price",
    security(("key" = ["vendor:read"])),
    params(PriceQuery),
    responses(
        (status = 200, description = "The price", body = PriceQuote),
        (status = 404, description = "No such customer or pack of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such quantity can be bought", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn price(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
    Query(query): Query<PriceQuery>,
) -> Result<axum::Json<PriceQuote>> {
    let book = caller.book();
    let quote = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let tokens = query.tokens.of(&vendor.token)?;
        let buyer = match query.customer {
            Some(id) => {
                let customer = customer_by_id(tx, book, id.0)?;
                price_buyer(tx, &customer)?
            }
            None => Buyer::default(),
        };
        let (pack, now) = (query.pack.map(|pack| pack.0), tx.now());
        let deal = token_deal(tx, &vendor, &buyer, tokens, pack, now)?;
        Ok::<_, Failed>(PriceQuote {
            tokens: Money::new(tokens, &vendor.token),
            price: Money::new(deal.price, &vendor.currency),
            list_price: Money::new(deal.list_price, &vendor.currency),
            discounts: deal.discounts.iter().map(DiscountBody::new).collect(),
            restriction: deal.restriction,
            life_days: deal.life_days,
        })
    });
    quote.await.map(axum::Json)
}

/// A series of attempts to pay.
#[derive(Debug, Serialize, ToSchema)]
struct SessionBody {
    /// Attempts that name it are counted together.
    session: field::PaymentSession,
}

/// Begin a payment session
///
/// A series of attempts to pay in which declined cards are counted: after as many in a row as the
/// vendor allows the session is over, and the next attempt needs a new one.
#[utoipa::path(
    post, path = "/v1/customers/{id}/payment-sessions", tag = "tokens",
    operation_id = "payment_session_open",
    security(("key" = ["tokens:write"])),
    params(CustomerPath, Repeatable),
    responses(
        (status = 201, description = "Begun", body = SessionBody),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn open_session(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("POST /v1/customers/{id}/payment-sessions", &id);
    let opened = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        let session: PaymentSessionId = payment_session_open(tx, actor, &customer)?;
        Ok::<_, Failed>(session)
    })
    .await?;
    let body = SessionBody {
        session: field::Id(opened.value),
    };
    Ok(answer(StatusCode::CREATED, &body, opened.replayed))
}

/// Tokens to be bought.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"tokens": "500", "card": "test_ok"}))]
#[serde(deny_unknown_fields)]
struct TokenOrderBody {
    /// How many tokens.
    tokens: Decimal,
    /// The pack that is bought, so often that it makes that number; without one, just tokens.
    pack: Option<field::Pack>,
    /// The money that the buyer was told they cost: another price now is refused.
    quoted: Option<Decimal>,
    /// The card processor's token for a card, never a card number. A node with the test processor
    /// takes `test_ok`, `test_declined`, `test_timeout`.
    card: Line200,
    /// The payment session of the attempt before; without one, a new session begins.
    session: Option<field::PaymentSession>,
    /// The name by which people find it.
    reference: Option<OptionalLine200>,
    /// When it counts, if that was earlier than now: the price of that time holds.
    effective_at: Option<Moment>,
}

impl TokenOrderBody {
    fn purchase(self, customer: field::Customer, vendor: &Vendor) -> Result<TokenPurchase> {
        let quoted = self.quoted.map(|q| q.of(&vendor.currency)).transpose()?;
        Ok(TokenPurchase {
            customer: customer.0,
            payment_session: self.session.map(|s| s.0),
            quantity: self.tokens.of(&vendor.token)?,
            pack: self.pack.map(|pack| pack.0),
            quoted,
            card: self.card.0,
            reference: self.reference.unwrap_or_default().0,
            effective_at: self.effective_at.map(|at| at.0),
        })
    }
}

/// An order of tokens.
#[derive(Debug, Serialize, ToSchema)]
struct TokenOrderAnswer {
    /// The order.
    token_order_id: field::TokenOrder,
    /// For whom.
    customer_id: field::Customer,
    /// The payment session that it belongs to.
    session: field::PaymentSession,
    /// How far it is. While it is awaiting, nothing is credited.
    state: TokenOrderStanding,
    /// How many tokens.
    tokens: Money,
    /// What they cost.
    price: Money,
    /// True when it made the account active.
    activated: bool,
    /// What the processor said of a declined card.
    reason: Option<String>,
    /// The name by which people find it.
    reference: String,
    /// When it counts.
    effective_at: Moment,
    /// When it was opened.
    created_at: Moment,
    /// When the processor's answer was written.
    closed_at: Option<Moment>,
}

impl TokenOrderAnswer {
    fn new(order: TokenOrderView, vendor: &Vendor) -> TokenOrderAnswer {
        TokenOrderAnswer {
            token_order_id: field::Id(order.id),
            customer_id: field::Id(order.customer_id),
            session: field::Id(order.session),
            state: field::Named(order.state),
            tokens: Money::new(order.quantity, &vendor.token),
            price: Money::new(order.price, &vendor.currency),
            activated: order.activated,
            reason: Some(order.reason).filter(|reason| !reason.is_empty()),
            reference: order.reference,
            effective_at: Moment(order.effective_at),
            created_at: Moment(order.created_at),
            closed_at: order.closed_at.map(Moment),
        }
    }
}

/// Buy tokens by card
///
/// The order is written before the card is charged, under an id that the processor knows it by, so
/// the same request under the same key is one charge, wherever an earlier attempt stopped. 202 says
/// that the processor has not answered: nothing is credited, and it is asked again by itself;
/// repeat the request, or look at the order, to learn how it ended. 402 says how many attempts the
/// payment session has left.
#[utoipa::path(
    post, path = "/v1/customers/{id}/token-orders", tag = "tokens",
    operation_id = "token_buy",
    security(("key" = ["tokens:write"])),
    params(CustomerPath, Repeatable),
    request_body = TokenOrderBody,
    responses(
        (status = 201, description = "Paid and credited", body = TokenOrderAnswer),
        (status = 202, description = "The card processor has not answered yet", body = TokenOrderAnswer),
        (status = 402, description = "The card was declined", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such customer of this vendor, or no such payment session", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The session is over, another attempt is under way, the price changed, or the account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn buy(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<TokenOrderBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, body.clone());
    let route = "POST /v1/customers/{id}/token-orders";
    let keyed = keyed(&caller, key, (route, &request), Some(id.0))?;
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let purchase = body.purchase(id, &vendor)?;
    let own = vendor.clone();
    let bought =
        app.by_card(move |node, cards| token_buy_keyed(node, cards, keyed, &own, purchase));
    let bought = bought.await??;
    let order = bought.value.order;
    let order = app.read(move |tx| token_order_by_id(tx, actor, book, order));
    let order = TokenOrderAnswer::new(order.await?, &vendor);
    let replayed = bought.replayed;
    Ok(match bought.value.outcome {
        Outcome::Cleared { .. } => answer(StatusCode::CREATED, &order, replayed),
        Outcome::Awaiting => answer(StatusCode::ACCEPTED, &order, replayed),
        Outcome::Declined {
            reason,
            attempts_left,
        } => {
            let mut response = declined(&order, &reason, attempts_left).into_response();
            mark(&mut response, replayed);
            response
        }
    })
}

fn declined(order: &TokenOrderAnswer, reason: &str, attempts_left: i64) -> Problem {
    let text = if attempts_left > 0 {
        reason.to_owned()
    } else {
        format!("{reason}; this payment session is over: begin a new one")
    };
    Problem::new(StatusCode::PAYMENT_REQUIRED, "card_declined", text)
        .with("token_order_id", json!(order.token_order_id))
        .with("session", json!(order.session))
        .with("attempts_left", json!(attempts_left))
}

/// List a customer's orders of tokens
///
/// Newest first, declined and awaiting ones too.
#[utoipa::path(
    get, path = "/v1/customers/{id}/token-orders", tag = "tokens", operation_id = "token_orders",
    security(("key" = ["customers:read"])),
    params(CustomerPath, PageQuery),
    responses(
        (status = 200, description = "A page of orders", body = Page<TokenOrderAnswer>),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn of_customer(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<TokenOrderAnswer>>> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.vendor(book).await?;
    let (limit, before) = (query.limit()?, cursor(query.cursor.as_deref())?);
    let page = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(token_orders_of(tx, actor, &customer, before, limit)?)
    });
    let page = page.await?;
    Ok(axum::Json(Page::new(page, |order| {
        TokenOrderAnswer::new(order, &vendor)
    })))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct TokenOrderPath {
    /// The order of tokens.
    #[param(inline)]
    id: field::TokenOrder,
}

/// See an order of tokens
///
/// How far it is. An order that awaits the processor's answer changes by itself.
#[utoipa::path(
    get, path = "/v1/token-orders/{id}", tag = "tokens", operation_id = "token_order",
    security(("key" = ["customers:read"])),
    params(TokenOrderPath),
    responses(
        (status = 200, description = "The order", body = TokenOrderAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn one(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(TokenOrderPath { id }): Path<TokenOrderPath>,
) -> Result<axum::Json<TokenOrderAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.vendor(book).await?;
    let order = app.read(move |tx| token_order_by_id(tx, actor, book, id.0));
    Ok(axum::Json(TokenOrderAnswer::new(order.await?, &vendor)))
}

/// What asking came to.
#[derive(Debug, Serialize, ToSchema)]
struct ResolvedBody {
    /// Orders that have an answer now.
    #[schema(minimum = 0)]
    resolved: usize,
}

/// Ask about orders that await an answer
///
/// Asks the card processor about each order of tokens that has had no answer for a minute. A node
/// does so by itself every minute.
#[utoipa::path(
    post, path = "/v1/token-orders:resolve", tag = "tokens", operation_id = "token_orders_resolve",
    security(("key" = ["tokens:write"])),
    params(Repeatable),
    responses(
        (status = 200, description = "Asked", body = ResolvedBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn resolve(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
) -> Result<Response> {
    let book = caller.book();
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let request = ("POST /v1/token-orders:resolve", &());
    let keyed = keyed(&caller, key, request, None)?;
    let kept = app.by_card(move |node, cards| {
        if let Some(kept) = node.earlier::<usize>(&keyed)? {
            return Ok(kept);
        }
        // Asking twice does no harm, so the answer is stored after it.
        let resolved = token_orders_resolve(node, cards, &vendor, LOOK_UP_AFTER_S)?;
        node.run(keyed, move |_| Ok::<_, TokenSaleError>(resolved))
    });
    let kept = kept.await??;
    let body = ResolvedBody {
        resolved: kept.value,
    };
    Ok(answer(StatusCode::OK, &body, kept.replayed))
}
