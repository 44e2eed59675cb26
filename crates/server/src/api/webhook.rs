//! Webhook endpoints: where a vendor's systems are told what happens.

use super::auth::{May, WebhooksWrite};
use super::field::{self, Line500, Moment, OptionalLine120, words};
use super::once::ShownOnce;
use super::shape::{Page, ProblemBody};
use super::{IdempotencyKey, Repeatable, answer, done, submit};
use crate::error::{Failed, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::message::{endpoint_delete, endpoint_test};
use scrip_domain::page::Page as Part;
use scrip_domain::vendor::vendor_by_book;
use scrip_domain::webhook::{
    Endpoint, EndpointState, NewEndpoint, endpoint_create, endpoint_rotate, endpoints,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    EndpointStateName: EndpointState, EndpointState::ALL.iter().map(|s| s.name()).collect::<Vec<_>>();
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(delete))
        .routes(routes!(rotate))
        .routes(routes!(test))
}

/// An endpoint, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct EndpointBody {
    /// The id.
    endpoint_id: field::WebhookEndpoint,
    /// Where it is.
    url: String,
    /// What people call it.
    description: String,
    /// The topics that it is told of; empty for all.
    topics: Vec<String>,
    /// Whether it is called.
    state: EndpointStateName,
    /// Why it is not called.
    reason: String,
    /// Failed calls in a row.
    failures: i64,
    /// When it was made.
    created_at: Moment,
}

impl From<Endpoint> for EndpointBody {
    fn from(endpoint: Endpoint) -> EndpointBody {
        EndpointBody {
            endpoint_id: field::Id(endpoint.endpoint_id),
            url: endpoint.url,
            description: endpoint.description,
            topics: endpoint.topics,
            state: field::Named(endpoint.state),
            reason: endpoint.reason,
            failures: endpoint.failures,
            created_at: Moment(endpoint.created_at),
        }
    }
}

/// List webhook endpoints
///
/// All of them, oldest first. Their secrets are not shown.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints", tag = "webhooks", operation_id = "webhook_endpoints",
    security(("key" = ["webhooks:write"])),
    responses(
        (status = 200, description = "The endpoints", body = Page<EndpointBody>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<WebhooksWrite>,
    State(app): State<App>,
) -> Result<axum::Json<Page<EndpointBody>>> {
    let book = caller.book();
    let items = app.read(move |tx| endpoints(tx, book)).await?;
    let all = Part::<Endpoint, String> { items, next: None };
    Ok(axum::Json(Page::new(all, EndpointBody::from)))
}

/// An endpoint to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"url": "https://shop.example/scrip", "topics": ["order.completed"]}))]
#[serde(deny_unknown_fields)]
struct NewEndpointBody {
    /// Where it is: an address that begins with https, of a public host.
    url: Line500,
    /// What people call it.
    #[serde(default)]
    description: OptionalLine120,
    /// The topics that it is told of; left out or empty for all.
    #[serde(default)]
    topics: Vec<String>,
}

/// An endpoint with a secret that was made just now.
#[derive(Debug, Serialize, ToSchema)]
struct SecretAnswer {
    #[serde(flatten)]
    about: EndpointBody,
    /// The secret that signs, shown in the first answer only.
    secret: Option<String>,
    /// What to do where the secret is not shown.
    note: Option<&'static str>,
}

const SECRET_SHOWN: &str = "The secret was in the first answer only: if it is lost, rotate it under a \
                            fresh Idempotency-Key.";

impl SecretAnswer {
    fn new(about: EndpointBody, secret: Option<String>) -> SecretAnswer {
        SecretAnswer {
            about,
            note: secret.is_none().then_some(SECRET_SHOWN),
            secret,
        }
    }
}

/// Make a webhook endpoint
///
/// Its secret is shown in this answer only, not when the request is repeated. Messages are signed
/// with it by the Standard Webhooks specification.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints", tag = "webhooks", operation_id = "webhook_endpoint_create",
    security(("key" = ["webhooks:write"])),
    params(Repeatable),
    request_body = NewEndpointBody,
    responses(
        (status = 201, description = "Made", body = SecretAnswer),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn create(
    May(caller, ..): May<WebhooksWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<NewEndpointBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let (vault, open) = (app.node.vault.clone(), app.settings.webhooks_anywhere);
    let new = NewEndpoint {
        url: body.url.0.clone(),
        description: body.description.0.clone(),
        topics: body.topics.clone(),
    };
    let once = ShownOnce::new();
    let put = once.clone();
    let request = ("POST /v1/webhook-endpoints", &body);
    let made = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let (made, secret) = endpoint_create(tx, &vault, actor, &vendor, &new, open)?;
        put.put(made.endpoint_id, secret);
        Ok::<_, Failed>(EndpointBody::from(made))
    })
    .await?;
    let secret = once.take(&made.value.endpoint_id.0);
    let body = SecretAnswer::new(made.value, secret);
    Ok(answer(StatusCode::CREATED, &body, made.replayed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct EndpointPath {
    /// The endpoint.
    #[param(inline)]
    id: field::WebhookEndpoint,
}

/// Delete a webhook endpoint
///
/// What waits for it is not sent any more.
#[utoipa::path(
    delete, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", operation_id = "webhook_endpoint_delete",
    security(("key" = ["webhooks:write"])),
    params(EndpointPath, Repeatable),
    responses(
        (status = 200, description = "Deleted; the endpoint as it was", body = EndpointBody),
        (status = 404, description = "No such endpoint of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn delete(
    May(caller, ..): May<WebhooksWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(EndpointPath { id }): Path<EndpointPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("DELETE /v1/webhook-endpoints/{id}", &id);
    let deleted = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let deleted = endpoint_delete(tx, actor, &vendor, id.0)?;
        Ok::<_, Failed>(EndpointBody::from(deleted))
    })
    .await?;
    Ok(answer(StatusCode::OK, &deleted.value, deleted.replayed))
}

/// Rotate the secret of a webhook endpoint
///
/// The new secret is shown in this answer only. For a day messages carry a signature of the old
/// one as well, so that the receiver can change over without losing any.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/secrets", tag = "webhooks", operation_id = "webhook_endpoint_rotate",
    security(("key" = ["webhooks:write"])),
    params(EndpointPath, Repeatable),
    responses(
        (status = 201, description = "Rotated", body = SecretAnswer),
        (status = 404, description = "No such endpoint of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn rotate(
    May(caller, ..): May<WebhooksWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(EndpointPath { id }): Path<EndpointPath>,
) -> Result<Response> {
    let (book, actor, vault) = (caller.book(), caller.actor(), app.node.vault.clone());
    let once = ShownOnce::new();
    let put = once.clone();
    let request = ("POST /v1/webhook-endpoints/{id}/secrets", &id);
    let made = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let (endpoint, secret) = endpoint_rotate(tx, &vault, actor, &vendor, id.0)?;
        put.put(endpoint.endpoint_id, secret);
        Ok::<_, Failed>(EndpointBody::from(endpoint))
    })
    .await?;
    let secret = once.take(&made.value.endpoint_id.0);
    let body = SecretAnswer::new(made.value, secret);
    Ok(answer(StatusCode::CREATED, &body, made.replayed))
}

/// Send a trial to a webhook endpoint
///
/// A message of the type `webhook.test` goes to this endpoint only.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/tests", tag = "webhooks", operation_id = "webhook_endpoint_test",
    security(("key" = ["webhooks:write"])),
    params(EndpointPath, Repeatable),
    responses(
        (status = 204, description = "It is on its way"),
        (status = 404, description = "No such endpoint of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The endpoint is disabled", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn test(
    May(caller, ..): May<WebhooksWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(EndpointPath { id }): Path<EndpointPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("POST /v1/webhook-endpoints/{id}/tests", &id);
    let sent = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        endpoint_test(tx, actor, &vendor, id.0)?;
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(sent.replayed))
}
