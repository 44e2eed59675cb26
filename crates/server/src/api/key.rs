//! Keys of programs that use this API.

use super::auth::{KeysWrite, May};
use super::field::{self, Line100, Moment, words};
use super::once::ShownOnce;
use super::shape::{Page, PageQuery, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::api_key::{ApiKey, NewApiKey, Scope, api_key_create, api_key_revoke, api_keys};
use scrip_domain::id::ApiKeyId;
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    ScopeName: Scope, Scope::ALL.iter().map(|s| s.name()).collect::<Vec<_>>();
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// A key, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct KeyBody {
    /// The id.
    key_id: field::ApiKey,
    /// What people call it.
    name: String,
    /// What it may do.
    scopes: Vec<ScopeName>,
    /// When it was made.
    created_at: Moment,
    /// By whom: an id, or `system`.
    created_by: String,
    /// When it ends by itself; null when it lasts until it is revoked.
    expires_at: Option<Moment>,
    /// When it was taken back.
    revoked_at: Option<Moment>,
}

impl From<ApiKey> for KeyBody {
    fn from(key: ApiKey) -> KeyBody {
        KeyBody {
            key_id: field::Id(key.key_id),
            name: key.name,
            scopes: key.scopes.into_iter().map(field::Named).collect(),
            created_at: Moment(key.created_at),
            created_by: key.created_by,
            expires_at: key.expires_at.map(Moment),
            revoked_at: key.revoked_at.map(Moment),
        }
    }
}

/// List keys
///
/// Oldest first, with those that were revoked or expired. Their secrets are not kept.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "keys", operation_id = "api_keys",
    security(("key" = ["keys:write"])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of keys", body = Page<KeyBody>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<KeysWrite>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<KeyBody>>> {
    let book = caller.book();
    let (limit, after) = (query.limit()?, cursor::<ApiKeyId>(query.cursor.as_deref())?);
    let page = app.read(move |tx| api_keys(tx, book, after, limit)).await?;
    Ok(axum::Json(Page::new(page, KeyBody::from)))
}

/// A key to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Web shop", "scopes": ["customers:read", "orders:write"]}))]
#[serde(deny_unknown_fields)]
struct NewKeyBody {
    /// What people call it.
    name: Line100,
    /// What it may do: nothing that the key of this request may not.
    #[schema(min_items = 1)]
    scopes: Vec<ScopeName>,
    /// When it ends by itself; without it the key lasts until it is revoked.
    expires_at: Option<Moment>,
}

/// A key that was made just now.
#[derive(Debug, Serialize, ToSchema)]
struct NewKeyAnswer {
    #[serde(flatten)]
    about: KeyBody,
    /// The key itself, shown in the first answer only.
    key: Option<String>,
    /// What to do where the key is not shown.
    note: Option<&'static str>,
}

const KEY_SHOWN: &str = "The key was in the first answer only: if it is lost, revoke it and make \
                         another under a fresh Idempotency-Key.";

/// Make a key
///
/// It is shown in this answer only, not when the request is repeated. A key can give the scopes
/// that it has itself.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "keys", operation_id = "api_key_create",
    security(("key" = ["keys:write"])),
    params(Repeatable),
    request_body = NewKeyBody,
    responses(
        (status = 201, description = "Made", body = NewKeyAnswer),
        (status = 403, description = "The key of this request lacks a scope", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn create(
    May(caller, ..): May<KeysWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<NewKeyBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let new = NewApiKey {
        name: body.name.0.clone(),
        scopes: body.scopes.iter().map(|s| s.0).collect(),
        expires_at: body.expires_at.map(|at: Moment| -> Timestamp { at.0 }),
    };
    let once = ShownOnce::new();
    let put = once.clone();
    let request = ("POST /v1/api-keys", &body);
    let made = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let (made, whole) = api_key_create(tx, actor, &vendor, &new)?;
        put.put(made.key_id, whole);
        Ok::<_, Failed>(KeyBody::from(made))
    })
    .await?;
    let key = once.take(&made.value.key_id.0);
    let body = NewKeyAnswer {
        about: made.value,
        note: key.is_none().then_some(KEY_SHOWN),
        key,
    };
    Ok(answer(StatusCode::CREATED, &body, made.replayed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct KeyPath {
    /// The key.
    #[param(inline)]
    id: field::ApiKey,
}

/// Revoke a key
///
/// For good. Every node refuses it within a second. Doing it again changes nothing.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", tag = "keys", operation_id = "api_key_revoke",
    security(("key" = ["keys:write"])),
    params(KeyPath, Repeatable),
    responses(
        (status = 200, description = "Revoked", body = KeyBody),
        (status = 404, description = "No such key of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn revoke(
    May(caller, ..): May<KeysWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(KeyPath { id }): Path<KeyPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("DELETE /v1/api-keys/{id}", &id);
    let revoked = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let revoked = api_key_revoke(tx, actor, &vendor, id.0)?;
        Ok::<_, Failed>(KeyBody::from(revoked))
    })
    .await?;
    app.keys.forget();
    Ok(answer(StatusCode::OK, &revoked.value, revoked.replayed))
}
