//! The cards that a customer keeps at the card processor, and buying tokens by itself with one of
//! them (TOK-08). Cards are added on the customer's own page or kept with a purchase: a program
//! never has a card number.

use super::auth::{CustomersRead, May, TokensWrite};
use super::bounded::Days;
use super::customer::CustomerPath;
use super::field::{self, Decimal, Moment, words};
use super::shape::{Money, ProblemBody};
use super::{IdempotencyKey, Repeatable, done, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::card::{CardState, SavedCard, cards_of};
use scrip_domain::customer::customer_by_id;
use scrip_domain::top_up::{
    HowMany, TopUp, Wanted, When, card_off, top_up_of, top_up_off, top_up_set,
};
use scrip_domain::vendor::vendor_by_book;
use scrip_ledger::Asset;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(remove))
        .routes(routes!(rule, set, off))
}

words! {
    CardStateWord: CardState, ["usable", "withdrawn"];
}

/// A card that a customer keeps.
#[derive(Debug, Serialize, ToSchema)]
struct CardAnswer {
    /// The card.
    card_id: field::Card,
    /// The brand, as people say it; empty where it is not known.
    #[schema(example = "Visa")]
    brand: String,
    /// The last four digits.
    #[schema(example = "4242")]
    last_four: String,
    /// The last year in which it is valid; 0 where it is not known.
    expiry_year: i64,
    /// The last month of that year.
    expiry_month: i64,
    /// Whether it can pay. A card that was withdrawn stays on the list until it is taken off.
    state: CardStateWord,
}

impl From<SavedCard> for CardAnswer {
    fn from(card: SavedCard) -> CardAnswer {
        CardAnswer {
            card_id: field::Id(card.id),
            brand: card.looks.brand,
            last_four: card.looks.last_four,
            expiry_year: card.looks.expiry_year,
            expiry_month: card.looks.expiry_month,
            state: field::Named(card.state),
        }
    }
}

/// The cards that a customer keeps.
#[derive(Debug, Serialize, ToSchema)]
struct CardsAnswer {
    /// The cards, in the order in which they were added.
    items: Vec<CardAnswer>,
}

/// List a customer's cards
///
/// What tells them apart, never their numbers.
#[utoipa::path(
    get, path = "/v1/customers/{id}/cards", tag = "cards", operation_id = "cards",
    security(("key" = ["customers:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "The cards", body = CardsAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<CardsAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let cards = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(cards_of(tx, actor, &customer)?)
    });
    let items = cards.await?.into_iter().map(CardAnswer::from).collect();
    Ok(axum::Json(CardsAnswer { items }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct CardPath {
    /// The customer.
    #[param(inline)]
    id: field::Customer,
    /// The card.
    #[param(inline)]
    card_id: field::Card,
}

/// Take a card off an account
///
/// It pays for nothing any more, the processor is told to forget it, and buying tokens by itself with
/// it stops.
#[utoipa::path(
    delete, path = "/v1/customers/{id}/cards/{card_id}", tag = "cards", operation_id = "card_remove",
    security(("key" = ["tokens:write"])),
    params(CardPath, Repeatable),
    responses(
        (status = 204, description = "Taken off"),
        (status = 404, description = "No such customer of this vendor, or no such card of the customer", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn remove(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CardPath { id, card_id }): Path<CardPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, card_id);
    let request = ("DELETE /v1/customers/{id}/cards/{card_id}", &request);
    let removed = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(card_off(tx, actor, &customer, card_id.0)?)
    })
    .await?;
    app.card_forget(removed.value).await;
    Ok(done(removed.replayed))
}

/// When tokens are bought by themselves, and how many: one of `below` and `every_days`, one of
/// `tokens` and `up_to`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"card_id": "crd_01kb3v8z9mfxmr4x1qk2s7b0de", "below": "20", "up_to": "100"}))]
struct RuleBody {
    /// The kept card that pays.
    card_id: field::Card,
    /// When there are fewer tokens than these.
    below: Option<Decimal>,
    /// Every so many days.
    every_days: Option<Days>,
    /// Always so many.
    tokens: Option<Decimal>,
    /// As many as are missing to so many.
    up_to: Option<Decimal>,
}

impl RuleBody {
    fn wanted(&self, token: &Asset) -> Result<Wanted> {
        let wrong = |text: &str| Problem::invalid("top_up_invalid", text);
        let when = match (&self.below, self.every_days) {
            (Some(below), None) => When::Below(below.of(token)?),
            (None, Some(days)) => When::EveryDays(days.0),
            _ => return Err(wrong("say when: either below, or every_days")),
        };
        let how_many = match (&self.tokens, &self.up_to) {
            (Some(tokens), None) => HowMany::Fixed(tokens.of(token)?),
            (None, Some(target)) => HowMany::UpTo(target.of(token)?),
            _ => return Err(wrong("say how many: either tokens, or up_to")),
        };
        Ok(Wanted {
            card: self.card_id.0,
            when,
            how_many,
        })
    }
}

/// How tokens are bought by themselves.
#[derive(Debug, Serialize, ToSchema)]
struct RuleAnswer {
    /// The kept card that pays.
    card_id: field::Card,
    /// When there are fewer tokens than these; null where days decide.
    below: Option<Money>,
    /// Every so many days; null where the balance decides.
    every_days: Option<i64>,
    /// Always so many; null where a target decides.
    tokens: Option<Money>,
    /// As many as are missing to so many; null where the number is fixed.
    up_to: Option<Money>,
    /// Why it does nothing any more; null while it is on.
    stopped: Option<String>,
    /// When it is looked at next.
    due_at: Moment,
}

impl RuleAnswer {
    fn new(rule: TopUp, token: &Asset) -> RuleAnswer {
        let money = |amount| Some(Money::new(amount, token));
        let (below, every_days) = match rule.wanted.when {
            When::Below(limit) => (money(limit), None),
            When::EveryDays(days) => (None, Some(days)),
        };
        let (tokens, up_to) = match rule.wanted.how_many {
            HowMany::Fixed(many) => (money(many), None),
            HowMany::UpTo(target) => (None, money(target)),
        };
        RuleAnswer {
            card_id: field::Id(rule.wanted.card),
            below,
            every_days,
            tokens,
            up_to,
            stopped: rule.stopped,
            due_at: Moment(rule.due_at),
        }
    }
}

/// The rule of a customer.
#[derive(Debug, Serialize, ToSchema)]
struct TopUpAnswer {
    /// The rule; null for none.
    rule: Option<RuleAnswer>,
}

/// See how a customer buys tokens by itself
///
/// The rule that holds, and why it does nothing any more where it stopped.
#[utoipa::path(
    get, path = "/v1/customers/{id}/top-up", tag = "cards", operation_id = "top_up",
    security(("key" = ["customers:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "The rule, or none", body = TopUpAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn rule(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<TopUpAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let token = app.vendor(book).await?.token.clone();
    let rule = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        Ok::<_, Failed>(top_up_of(tx, actor, &customer)?)
    });
    let rule = rule.await?.map(|rule| RuleAnswer::new(rule, &token));
    Ok(axum::Json(TopUpAnswer { rule }))
}

/// Let a customer buy tokens by itself
///
/// With a kept card, below a number of tokens or every so many days, always so many or what is missing
/// to a number. An earlier rule gives way.
#[utoipa::path(
    put, path = "/v1/customers/{id}/top-up", tag = "cards", operation_id = "top_up_set",
    security(("key" = ["tokens:write"])),
    params(CustomerPath, Repeatable),
    request_body = RuleBody,
    responses(
        (status = 204, description = "It holds from now on"),
        (status = 404, description = "No such customer of this vendor, or no such card of the customer", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<RuleBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let wanted = body.wanted(&app.vendor(book).await?.token)?;
    let request = (id, body);
    let request = ("PUT /v1/customers/{id}/top-up", &request);
    let set = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let customer = customer_by_id(tx, book, id.0)?;
        top_up_set(tx, actor, &vendor, &customer, &wanted)?;
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(set.replayed))
}

/// Stop buying tokens by itself
///
/// Where there is no rule, nothing changes. The cards are kept.
#[utoipa::path(
    delete, path = "/v1/customers/{id}/top-up", tag = "cards", operation_id = "top_up_off",
    security(("key" = ["tokens:write"])),
    params(CustomerPath, Repeatable),
    responses(
        (status = 204, description = "Nothing is bought by itself"),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn off(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("DELETE /v1/customers/{id}/top-up", &id);
    let off = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        top_up_off(tx, actor, &customer)?;
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(off.replayed))
}
