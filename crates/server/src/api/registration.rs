//! Registrations, stage by stage (REG-02, REG-06).

use super::auth::{CustomersRead, CustomersWrite, May};
use super::customer::{DetailsBody, MeansWord, RegisteredBody};
use super::field::{self, Moment, words};
use super::shape::{Money, ProblemBody};
use super::vendor::MinimumBody;
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    Channel, Means, Stage, registration_details, registration_means, registration_stage,
    registration_start,
};
use scrip_domain::id::RegistrationId;
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::Timestamp;
use scrip_ledger::Amount;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    RegistrationStage: At, ["informed", "details", "account"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(stage))
        .routes(routes!(details))
        .routes(routes!(account))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct RegistrationPath {
    /// The registration.
    #[param(inline)]
    id: field::Registration,
}

/// What whoever registers should know.
#[derive(Debug, Serialize, ToSchema)]
struct InformationBody {
    /// The registration that goes on from here.
    registration_id: field::Registration,
    /// Tokens that must be acquired before the account is active.
    minimum_tokens: Money,
    /// Countries in which another number is needed.
    minimums: Vec<MinimumBody>,
    /// Ways to pay for them.
    means: Vec<MeansWord>,
    /// Tokens that the account is opened with; null for none (REG-08).
    opening: Option<OpeningBody>,
    /// An unfinished registration lapses then.
    expires_at: Moment,
}

/// Tokens that an account is opened with.
#[derive(Debug, Serialize, ToSchema)]
struct OpeningBody {
    /// How many. With them the account is active at once, whatever the minimum is.
    tokens: Money,
    /// What they cost; zero when they are free.
    fee: Money,
}

/// What is stored of it.
#[derive(Serialize, Deserialize)]
struct Started {
    id: RegistrationId,
    minimum: Amount,
    /// Of countries, as written.
    #[serde(default)]
    minimums: String,
    means: Vec<Means>,
    opening: Option<(Amount, Amount)>,
    expires_at: i64,
}

/// Begin a registration
///
/// Tells what activates an account and how that can be paid. The customer's details follow with
/// `PUT /v1/registrations/{id}/details`, then the account with `POST
/// /v1/registrations/{id}/account`; a stage cannot be skipped or repeated.
#[utoipa::path(
    post, path = "/v1/registrations", tag = "registrations", operation_id = "registration_start",
    security(("key" = ["customers:write"])),
    params(Repeatable),
    responses(
        (status = 201, description = "Begun", body = InformationBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn start(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
) -> Result<Response> {
    let book = caller.book();
    let vendor = app.vendor(book).await?;
    let token = vendor.token.clone();
    let actor = caller.actor();
    let request = ("POST /v1/registrations", &());
    let started = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let told = registration_start(tx, actor, &vendor, Channel::Online)?;
        Ok::<_, Failed>(Started {
            id: told.registration_id,
            minimum: told.minimum_tokens,
            minimums: told.minimums.to_string(),
            means: told.means,
            opening: told.opening.map(|o| (o.tokens, o.fee)),
            expires_at: told.expires_at.0,
        })
    })
    .await?;
    let told = started.value;
    let body = InformationBody {
        registration_id: field::Id(told.id),
        minimum_tokens: Money::new(told.minimum, &token),
        minimums: MinimumBody::all(&told.minimums.parse()?, &token),
        means: told.means.into_iter().map(field::Named).collect(),
        opening: told.opening.map(|(tokens, fee)| OpeningBody {
            tokens: Money::new(tokens, &vendor.token),
            fee: Money::new(fee, &vendor.currency),
        }),
        expires_at: Moment(Timestamp(told.expires_at)),
    };
    Ok(answer(StatusCode::CREATED, &body, started.replayed))
}

/// Where a registration stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    Informed,
    Details,
    Account,
}

/// Where a registration stands.
#[derive(Debug, Serialize, ToSchema)]
struct StageBody {
    /// The registration.
    registration_id: field::Registration,
    /// The stage that it is at.
    stage: RegistrationStage,
    /// The customer whom it made.
    customer_id: Option<field::Customer>,
}

/// See where a registration stands
///
/// Its stage, and the customer when it has come so far. Details are not shown.
#[utoipa::path(
    get, path = "/v1/registrations/{id}", tag = "registrations", operation_id = "registration",
    security(("key" = ["customers:read"])),
    params(RegistrationPath),
    responses(
        (status = 200, description = "The stage", body = StageBody),
        (status = 404, description = "No such registration, or it has lapsed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn stage(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(RegistrationPath { id }): Path<RegistrationPath>,
) -> Result<axum::Json<StageBody>> {
    let book = caller.book();
    let stage = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(registration_stage(tx, &vendor, id.0)?)
    });
    let (stage, customer_id) = match stage.await? {
        Stage::Informed => (At::Informed, None),
        Stage::Details => (At::Details, None),
        Stage::Account(customer) => (At::Account, Some(field::Id(customer.customer_id))),
    };
    Ok(axum::Json(StageBody {
        registration_id: id,
        stage: field::Named(stage),
        customer_id,
    }))
}

/// Give the details of a registration
///
/// All of them are optional: a customer may stay without a name. A PIN or a password is needed to
/// sign in. 409 when the registration is at another stage, and when the sign-in name is taken.
#[utoipa::path(
    put, path = "/v1/registrations/{id}/details", tag = "registrations",
    operation_id = "registration_details",
    security(("key" = ["customers:write"])),
    params(RegistrationPath, Repeatable),
    request_body = DetailsBody,
    responses(
        (status = 200, description = "Taken", body = StageBody),
        (status = 404, description = "No such registration, or it has lapsed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another stage is due, or the sign-in name is taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn details(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(RegistrationPath { id }): Path<RegistrationPath>,
    Json(body): Json<DetailsBody>,
) -> Result<Response> {
    let book = caller.book();
    if body.channel.is_some() || body.means.is_some() {
        let text = "a registration is on line, and its means follow with its account: leave \
                    channel and means out";
        return Err(Problem::invalid("customer_invalid", text));
    }
    let request = (id, body.request(&app.node.vault));
    let details = body.details(&app).await?;
    let vault = app.node.vault.clone();
    let route = "PUT /v1/registrations/{id}/details";
    let taken = submit(&app, &caller, key, (route, &request), None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        registration_details(tx, &vault, &vendor, id.0, &details)?;
        Ok::<_, Failed>(())
    })
    .await?;
    let body = StageBody {
        registration_id: id,
        stage: field::Named(At::Details),
        customer_id: None,
    };
    Ok(answer(StatusCode::OK, &body, taken.replayed))
}

/// How the minimum is going to be paid.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeansBody {
    /// One of the means that the start of the registration told.
    means: MeansWord,
}

/// Open the account of a registration
///
/// Agrees how the minimum is paid, and makes the customer. The account is inactive until tokens
/// reach the minimum. 409 when the registration has no details yet, and when it has its account.
#[utoipa::path(
    post, path = "/v1/registrations/{id}/account", tag = "registrations",
    operation_id = "registration_account",
    security(("key" = ["customers:write"])),
    params(RegistrationPath, Repeatable),
    request_body = MeansBody,
    responses(
        (status = 201, description = "Registered", body = RegisteredBody),
        (status = 404, description = "No such registration, or it has lapsed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another stage is due, or the sign-in name was taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn account(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(RegistrationPath { id }): Path<RegistrationPath>,
    Json(body): Json<MeansBody>,
) -> Result<Response> {
    let book = caller.book();
    let token = app.vendor(book).await?.token.clone();
    let request = (id, &body);
    let (vault, means) = (app.node.vault.clone(), body.means.0);
    let route = "POST /v1/registrations/{id}/account";
    let made = submit(&app, &caller, key, (route, &request), None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let registered = registration_means(tx, &vault, &vendor, id.0, means)?;
        Ok::<_, Failed>(registered)
    })
    .await?;
    let body = RegisteredBody::new(&made.value, &token);
    Ok(answer(StatusCode::CREATED, &body, made.replayed))
}
