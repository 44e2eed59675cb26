//! What a customer's account holds, and how it came to that (MIC-05).

use super::auth::{CustomersRead, May};
use super::customer::CustomerPath;
use super::field::{Moment, words};
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor};
use crate::error::{Failed, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use axum::extract::State;
use scrip_domain::customer::customer_by_id;
use scrip_domain::statement::{self, Balance, LotKind, Movement};
use scrip_ledger::Asset;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    TokenKind: LotKind, [LotKind::Free.name(), LotKind::Credit.name(), LotKind::Paid.name()];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(history))
}

/// A part of a customer's tokens: what is left of one grant.
#[derive(Debug, Serialize, ToSchema)]
struct LotBody {
    /// How they were acquired.
    #[schema(value_type = TokenKind)]
    kind: &'static str,
    /// True when they pay for products on sale only.
    restricted: bool,
    /// What is left.
    remaining: Money,
    /// When they expire; null for never.
    expires_at: Option<Moment>,
}

/// Tokens of one kind.
#[derive(Debug, Serialize, ToSchema)]
struct KindBody {
    /// How they were acquired.
    #[schema(value_type = TokenKind)]
    kind: &'static str,
    /// How many can be spent.
    available: Money,
}

/// What a customer has.
#[derive(Debug, Serialize, ToSchema)]
struct BalanceBody {
    /// Tokens that can be spent now, some of them perhaps on sales only.
    available: Money,
    /// Tokens that holds have set aside.
    held: Money,
    /// All of them, expired ones that are still there included.
    total: Money,
    /// The available ones by kind.
    by_kind: Vec<KindBody>,
    /// The available ones by grant, those that expire soonest first.
    lots: Vec<LotBody>,
}

impl BalanceBody {
    fn new(balance: Balance, token: &Asset) -> BalanceBody {
        BalanceBody {
            available: Money::new(balance.available, token),
            held: Money::new(balance.held, token),
            total: Money::new(balance.total, token),
            by_kind: balance
                .by_kind
                .into_iter()
                .map(|(kind, amount)| KindBody {
                    kind: kind.name(),
                    available: Money::new(amount, token),
                })
                .collect(),
            lots: balance
                .lots
                .into_iter()
                .map(|lot| LotBody {
                    kind: lot.kind.name(),
                    restricted: lot.restricted,
                    remaining: Money::new(lot.remaining, token),
                    expires_at: lot.expires_at.map(Moment),
                })
                .collect(),
        }
    }
}

/// See what a customer has
///
/// What can be spent now, what is set aside, and of which kinds it is.
#[utoipa::path(
    get, path = "/v1/customers/{id}/balance", tag = "customers",
    operation_id = "customer_balance",
    security(("key" = ["customers:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "The balance", body = BalanceBody),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn balance(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<BalanceBody>> {
    let (book, actor) = (caller.book(), caller.actor());
    let token = app.vendor(book).await?.token.clone();
    let balance = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(statement::balance(tx, actor, &customer)?)
    });
    Ok(axum::Json(BalanceBody::new(balance.await?, &token)))
}

/// What one event did to a customer's account.
#[derive(Debug, Serialize, ToSchema)]
struct MovementBody {
    /// When it counts.
    at: Moment,
    /// When it was written.
    recorded_at: Moment,
    /// What happened: `token_sale`, `order`, `refund`, `reversal` …
    #[schema(example = "token_sale")]
    code: String,
    /// Tokens that came in; below zero where they went out.
    amount: Money,
    /// What was in the account after it, expired tokens that were still there included.
    balance: Money,
    /// The name by which people find it.
    reference: String,
    /// The business event.
    #[schema(format = "uuid")]
    event_id: String,
    /// The order that it paid or gave back, where that is known.
    order_id: Option<String>,
    /// The kind of the tokens that moved; null where they were of several kinds.
    #[schema(value_type = Option<TokenKind>)]
    kind: Option<&'static str>,
}

impl MovementBody {
    fn new(movement: Movement, token: &Asset) -> MovementBody {
        MovementBody {
            at: Moment(movement.at),
            recorded_at: Moment(movement.recorded_at),
            code: movement.code,
            amount: Money::new(movement.amount, token),
            balance: Money::new(movement.balance, token),
            reference: movement.reference,
            event_id: movement.event_id.to_string(),
            order_id: movement.order_id.map(|id| id.to_string()),
            kind: movement.kind.map(LotKind::name),
        }
    }
}

/// See what happened in a customer's account
///
/// Newest first; each movement with the balance after it.
#[utoipa::path(
    get, path = "/v1/customers/{id}/history", tag = "customers",
    operation_id = "customer_history",
    security(("key" = ["customers:read"])),
    params(CustomerPath, PageQuery),
    responses(
        (status = 200, description = "A page of movements", body = Page<MovementBody>),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn history(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<MovementBody>>> {
    let (book, actor) = (caller.book(), caller.actor());
    let token = app.vendor(book).await?.token.clone();
    let (limit, before) = (query.limit()?, cursor(query.cursor.as_deref())?);
    let page = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(statement::history(tx, actor, &customer, before, limit)?)
    });
    let page = page.await?;
    Ok(axum::Json(Page::new(page, |m| {
        MovementBody::new(m, &token)
    })))
}
