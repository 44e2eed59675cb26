//! The vendor's settings as one document (REG-04, SHP-05, SHP-17).

use super::auth::{May, VendorRead, VendorWrite};
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::Json;
use crate::settings::{Assets, read_json, shown_json};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::policy::{Version, policy_set, policy_version};
use scrip_domain::vendor::vendor_by_book;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(policy, set_policy))
}

/// The settings of a vendor.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"version": 3, "policy": {"checkout": {"cash_shown": true}}}))]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    /// Counts from 1; 0 before anything was set. A change names the version that it began with.
    #[schema(minimum = 0)]
    version: i64,
    /// The settings, in parts: `registration`, `sale`, `browsing` and so on. Amounts are decimals.
    /// In a change, what is left out stays as it is.
    #[schema(value_type = Object)]
    policy: Map<String, Value>,
}

fn shown(version: &Version, assets: &Assets) -> PolicyBody {
    let policy = match shown_json(&version.policy, assets) {
        Value::Object(policy) => policy,
        _ => Map::new(),
    };
    PolicyBody {
        version: version.number,
        policy,
    }
}

/// See the settings
///
/// All settings with their version. Those that every purchase needs stand with the vendor.
#[utoipa::path(
    get, path = "/v1/vendor/policy", tag = "vendor", operation_id = "policy",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "What holds", body = PolicyBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn policy(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<PolicyBody>> {
    let book = caller.book();
    let body = app.read(move |tx| {
        let assets = Assets::of(&vendor_by_book(tx, book)?);
        Ok::<_, Failed>(shown(&policy_version(tx, book)?, &assets))
    });
    body.await.map(axum::Json)
}

/// Change the settings
///
/// What is left out stays. The version says what the change began with: when somebody changed
/// something meanwhile, nothing is changed and the problem has the version that holds.
#[utoipa::path(
    put, path = "/v1/vendor/policy", tag = "vendor", operation_id = "policy_set",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = PolicyBody,
    responses(
        (status = 200, description = "What holds now", body = PolicyBody),
        (status = 409, description = "Changed by somebody else meanwhile", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_policy(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<PolicyBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let (began, document) = (body.version, Value::Object(body.policy.clone()));
    let request = ("PUT /v1/vendor/policy", &body);
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let assets = Assets::of(&vendor);
        let held = policy_version(tx, book)?;
        let new = read_json(&held.policy, &document, &assets)
            .map_err(|wrong| Problem::invalid("policy_invalid", wrong))?;
        policy_set(tx, actor, &vendor, began, &new)?;
        Ok::<_, Failed>(shown(&policy_version(tx, book)?, &assets))
    })
    .await?;
    Ok(answer(StatusCode::OK, &set.value, set.replayed))
}
