//! What the parent of a franchise decides (OPN-07).

use super::auth::{May, VendorWrite};
use super::field::Decimal;
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, done, submit};
use crate::error::{Failed, Result};
use crate::http::body::Json;
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::mall::{franchise_value_set, membership};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(value))
}

/// What one token of each member of the franchise is worth.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"value": "0.01"}))]
struct FranchiseValueBody {
    /// In the mall's currency; null lets each have its own again.
    value: Option<Decimal>,
}

/// Fix the value of a franchise's tokens
///
/// For its parent. It holds for all members of the franchise from now on, and none of them can have
/// another one until it is lifted.
#[utoipa::path(
    put, path = "/v1/mall/franchise-value", tag = "mall", operation_id = "franchise_value_set",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = FranchiseValueBody,
    responses(
        (status = 204, description = "Fixed, or lifted"),
        (status = 409, description = "This vendor is the parent of no franchise", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn value(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<FranchiseValueBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let value = body.value.as_ref().map(|value| value.of(&vendor.currency));
    let value = value.transpose()?;
    let request = ("PUT /v1/mall/franchise-value", &body);
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let parent = membership(tx, &vendor)?;
        Ok::<_, Failed>(franchise_value_set(tx, actor, &parent, value)?)
    });
    Ok(done(set.await?.replayed))
}
