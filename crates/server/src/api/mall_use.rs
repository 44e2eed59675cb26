//! What the mall heard of a member (MSP-09, MSP-10).

use super::auth::{May, ReportsRead};
use super::field::Moment;
use super::shape::{Money, ProblemBody};
use crate::error::{Failed, Result};
use crate::state::App;
use axum::extract::State;
use scrip_domain::mall::{mall_by_book, membership};
use scrip_domain::mirror::uses;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Rows at most.
const AT_MOST: i64 = 500;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(listed))
}

/// An issue, a sale or a refusal, as the mall heard of it.
#[derive(Debug, Serialize, ToSchema)]
struct UseBody {
    /// What happened: the topic of the message.
    #[schema(example = "order.completed")]
    what: String,
    /// To what: an id.
    subject: String,
    /// `closed` for this vendor's own tokens, `open` for others.
    #[schema(example = "closed")]
    token: String,
    /// How many; of open ones what they paid.
    tokens: Money,
    /// What the mall took of it.
    royalty: Money,
    /// Why it was refused; empty otherwise.
    reason: String,
    /// When.
    at: Moment,
}

/// What the mall heard.
#[derive(Debug, Serialize, ToSchema)]
struct UsesBody {
    /// Newest first, 500 at most.
    items: Vec<UseBody>,
}

/// See what the mall heard of this vendor
///
/// Each issue, sale and refusal, with its royalty. The mall hears of them a moment later, once each.
#[utoipa::path(
    get, path = "/v1/mall/uses", tag = "mall", operation_id = "mall_uses",
    security(("key" = ["reports:read"])),
    responses(
        (status = 200, description = "What it heard", body = UsesBody),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn listed(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
) -> Result<axum::Json<UsesBody>> {
    let vendor = app.vendor(caller.book()).await?;
    let heard = app.read(move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let all = uses(tx, &member, AT_MOST)?.into_iter();
        let items = all.map(|one| UseBody {
            tokens: match one.token.as_str() {
                "closed" => Money::new(one.tokens, &vendor.token),
                _ => Money::new(one.tokens, &mall.currency),
            },
            royalty: Money::new(one.royalty, &mall.currency),
            what: one.what,
            subject: one.subject,
            token: one.token,
            reason: one.reason,
            at: Moment(one.at),
        });
        Ok::<_, Failed>(UsesBody {
            items: items.collect(),
        })
    });
    Ok(axum::Json(heard.await?))
}
