//! Giving tokens (TOK-06).

use super::auth::{CustomersRead, May, TokensWrite};
use super::customer::CustomerPath;
use super::field::{self, Decimal, Moment, OptionalLine120, Text, words};
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::customer_by_id;
use scrip_domain::gift_tokens::{Gift, NewGift, Route, gift_give, gifts_of};
use scrip_domain::id::GiftId;
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_engine::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    GiftRoute: Route, ["loyalty", "contest", "activity", "interest", "goodwill"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(give, of_customer))
}

/// Tokens to be given.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"tokens": "10", "route": "activity", "reason": "For your review", "once": "review 7"}))]
struct GiftBody {
    /// How many tokens.
    tokens: Decimal,
    /// What for.
    route: GiftRoute,
    /// Why; the customer sees it.
    reason: Text<1, 300, false>,
    /// What a customer gets once: the name of the contest, survey or review.
    once: Option<OptionalLine120>,
}

/// Tokens that were given.
#[derive(Debug, Serialize, ToSchema)]
struct GiftAnswer {
    /// The gift.
    gift_id: field::Gift,
    /// To whom.
    customer_id: field::Customer,
    /// How many tokens.
    tokens: Money,
    /// What for.
    route: GiftRoute,
    /// Why.
    reason: String,
    /// When.
    given_at: Moment,
}

impl GiftAnswer {
    fn new(gift: Gift, vendor: &Vendor) -> GiftAnswer {
        GiftAnswer {
            gift_id: field::Id(gift.id),
            customer_id: field::Id(gift.customer),
            tokens: Money::new(gift.tokens, &vendor.token),
            route: field::Named(gift.route),
            reason: gift.reason,
            given_at: Moment(gift.given_at),
        }
    }
}

/// Give tokens
///
/// They are of origin free, and spent before bought ones. What is given once comes once to each
/// customer: 409 says that it came before.
#[utoipa::path(
    post, path = "/v1/customers/{id}/gifts", tag = "tokens", operation_id = "gift_give",
    security(("key" = ["tokens:write"])),
    params(CustomerPath, Repeatable),
    request_body = GiftBody,
    responses(
        (status = 201, description = "Given", body = GiftAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It was given before, or the account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn give(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<GiftBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let new = NewGift {
        customer: id.0,
        route: body.route.0,
        tokens: body.tokens.of(&vendor.token)?,
        reason: body.reason.0.clone(),
        once: body.once.clone().unwrap_or_default().0,
    };
    let request = ("POST /v1/customers/{id}/gifts", &(id, body));
    let (own, asked) = (vendor.clone(), new.clone());
    let given = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let gift = gift_give(tx, actor, &own, &asked)?;
        Ok::<(GiftId, i64), Failed>((gift.id, gift.given_at.0))
    });
    let given = given.await?;
    let gift = Gift {
        id: given.value.0,
        customer: new.customer,
        route: new.route,
        tokens: new.tokens,
        reason: new.reason.trim().to_owned(),
        given_by: actor.to_string(),
        given_at: Timestamp(given.value.1),
    };
    let body = GiftAnswer::new(gift, &vendor);
    Ok(answer(StatusCode::CREATED, &body, given.replayed))
}

/// List a customer's gifts
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/customers/{id}/gifts", tag = "tokens", operation_id = "gifts",
    security(("key" = ["customers:read"])),
    params(CustomerPath, PageQuery),
    responses(
        (status = 200, description = "A page of gifts", body = Page<GiftAnswer>),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn of_customer(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<GiftAnswer>>> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.vendor(book).await?;
    let (limit, before) = (query.limit()?, cursor(query.cursor.as_deref())?);
    let page = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(gifts_of(tx, actor, &customer, before, limit)?)
    });
    Ok(axum::Json(Page::new(page.await?, |gift| {
        GiftAnswer::new(gift, &vendor)
    })))
}
