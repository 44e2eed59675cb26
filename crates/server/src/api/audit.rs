//! The audit trail: who did what for the vendor, and when (REG-03).

use super::auth::{May, VendorRead};
use super::field::{self, Line100, Moment};
use super::shape::{Page, ProblemBody, cursor, limit};
use crate::error::Result;
use crate::http::body::Query;
use crate::state::App;
use axum::extract::State;
use scrip_domain::audit::{Filter, Noted, trail};
use scrip_domain::id::AuditId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(audit))
}

/// A line of the trail.
#[derive(Debug, Serialize, ToSchema)]
struct NotedBody {
    /// The id; ids rise with time.
    audit_id: field::Audit,
    /// When.
    at: Moment,
    /// By whom: an id, or `system`.
    actor: String,
    /// What was done: `customer.closed`.
    action: String,
    /// To what: an id; empty for what concerns the whole vendor.
    subject: String,
    /// What was set, from what and to what.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

impl From<Noted> for NotedBody {
    fn from(noted: Noted) -> NotedBody {
        NotedBody {
            audit_id: field::Id(noted.id),
            at: Moment(noted.at),
            actor: noted.actor,
            action: noted.action,
            subject: noted.subject,
            detail: noted.detail,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only what this one did: an id, or `system`.
    #[param(inline)]
    #[serde(default, deserialize_with = "field::given")]
    actor: Option<Line100>,
    /// Only what was done to this: an id.
    #[param(inline)]
    #[serde(default, deserialize_with = "field::given")]
    subject: Option<Line100>,
    /// Only what was done so: `customer.closed`.
    #[param(inline)]
    #[serde(default, deserialize_with = "field::given")]
    action: Option<Line100>,
    /// Where the page begins: `next` of the page before.
    #[serde(default, deserialize_with = "field::given")]
    cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default, deserialize_with = "field::given")]
    limit: Option<i64>,
}

/// See the audit trail
///
/// Who did what for the vendor, newest first. Nothing is ever taken out of it; details carry no
/// personal data.
#[utoipa::path(
    get, path = "/v1/audit", tag = "vendor", operation_id = "audit",
    security(("key" = ["vendor:read"])),
    params(AuditQuery),
    responses(
        (status = 200, description = "A page of lines", body = Page<NotedBody>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn audit(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
) -> Result<axum::Json<Page<NotedBody>>> {
    let book = caller.book();
    let (limit, before) = (
        limit(query.limit)?,
        cursor::<AuditId>(query.cursor.as_deref())?,
    );
    let filter = Filter {
        actor: query.actor.map(|text| text.0),
        subject: query.subject.map(|text| text.0),
        action: query.action.map(|text| text.0),
        ..Filter::default()
    };
    let found = app
        .read(move |tx| trail(tx, book, &filter, before, limit))
        .await?;
    Ok(axum::Json(Page::new(found, NotedBody::from)))
}
