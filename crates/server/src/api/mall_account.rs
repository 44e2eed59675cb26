//! What clearings came to, and disputes about lines of the statement (GOV-09, MIC-03, MIC-05).

use super::auth::{May, ReportsRead, VendorWrite};
use super::field::{self, Moment, words};
use super::shape::{Money, ProblemBody};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::Json;
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::mall::{
    Dispute, DisputeState, Invoice, Mall, dispute_open, disputes, invoices, mall_by_book,
    membership,
};
use scrip_engine::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

words! {
    DisputeStanding: DisputeState, ["open", "rejected", "adjusted"];
}

/// Rows at most.
const AT_MOST: i64 = 200;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(billed))
        .routes(routes!(listed, open))
}

/// What a clearing came to for this vendor.
#[derive(Debug, Serialize, ToSchema)]
struct InvoiceBody {
    /// The number of the clearing.
    clearing: i64,
    /// When it was closed: what happened later belongs to the next one.
    closed_at: Moment,
    /// What this vendor owes exactly, with what was carried; below zero what it is owed.
    net: Money,
    /// Whole cents of it, which are paid.
    due: Money,
    /// The fraction, which the next clearing counts again.
    carried: Money,
    /// When it was paid; null while it is open.
    paid_at: Option<Moment>,
    /// What the bank's statement says of the payment.
    reference: Option<String>,
}

impl InvoiceBody {
    fn new(invoice: Invoice, mall: &Mall) -> InvoiceBody {
        let money = |amount| Money::new(amount, &mall.currency);
        InvoiceBody {
            clearing: invoice.number,
            closed_at: Moment(invoice.closed_at),
            net: money(invoice.position.net),
            due: money(invoice.position.paid),
            carried: money(invoice.position.carried),
            paid_at: invoice.payment.as_ref().map(|payment| Moment(payment.at)),
            reference: invoice.payment.map(|payment| payment.reference),
        }
    }
}

/// The invoices of this vendor.
#[derive(Debug, Serialize, ToSchema)]
struct InvoicesBody {
    /// Newest first, 200 at most.
    items: Vec<InvoiceBody>,
}

/// See what clearings came to
///
/// One invoice for each clearing of the mall, in whole cents; the fraction is carried to the next one.
#[utoipa::path(
    get, path = "/v1/mall/invoices", tag = "mall", operation_id = "mall_invoices",
    security(("key" = ["reports:read"])),
    responses(
        (status = 200, description = "The invoices", body = InvoicesBody),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn billed(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
) -> Result<axum::Json<InvoicesBody>> {
    let vendor = app.vendor(caller.book()).await?;
    let found = app.read(move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let all = invoices(tx, &mall, Some(&member), AT_MOST)?.into_iter();
        Ok::<_, Failed>(InvoicesBody {
            items: all.map(|one| InvoiceBody::new(one, &mall)).collect(),
        })
    });
    Ok(axum::Json(found.await?))
}

/// A dispute about a line.
#[derive(Debug, Serialize, ToSchema)]
struct DisputeBody {
    /// Its number in the mall.
    dispute: i64,
    /// The event of the line.
    event_id: String,
    /// Where it stands.
    state: DisputeStanding,
    /// What this vendor says.
    reason: String,
    /// What the mall answered; empty while it is open.
    answer: String,
    /// The event of the adjustment, where money passed back.
    adjustment: Option<String>,
    /// When it was opened.
    opened_at: Moment,
    /// When it was answered.
    closed_at: Option<Moment>,
}

impl From<Dispute> for DisputeBody {
    fn from(dispute: Dispute) -> DisputeBody {
        DisputeBody {
            dispute: dispute.number,
            event_id: dispute.event_id.to_string(),
            state: field::Named(dispute.state),
            reason: dispute.reason,
            answer: dispute.answer,
            adjustment: dispute.adjustment.map(|event| event.to_string()),
            opened_at: Moment(dispute.opened_at),
            closed_at: dispute.closed_at.map(Moment),
        }
    }
}

/// The disputes of this vendor.
#[derive(Debug, Serialize, ToSchema)]
struct DisputesBody {
    /// Newest first, 200 at most.
    items: Vec<DisputeBody>,
}

/// List the disputes
///
/// Those that this vendor opened, with the mall's answers.
#[utoipa::path(
    get, path = "/v1/mall/disputes", tag = "mall", operation_id = "mall_disputes",
    security(("key" = ["reports:read"])),
    responses(
        (status = 200, description = "The disputes", body = DisputesBody),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn listed(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
) -> Result<axum::Json<DisputesBody>> {
    let vendor = app.vendor(caller.book()).await?;
    let found = app.read(move |tx| {
        let member = membership(tx, &vendor)?;
        let all = disputes(tx, member.mall_book, Some(member.book_id), AT_MOST)?;
        Ok::<_, Failed>(DisputesBody {
            items: all.into_iter().map(DisputeBody::from).collect(),
        })
    });
    Ok(axum::Json(found.await?))
}

/// A line that is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "event_id": "0198b2c4-7d10-7a3e-9c55-2f6d0e1b4a77", "reason": "The goods came back",
}))]
struct DisputeWantedBody {
    /// The event of the line, from the statement.
    #[schema(min_length = 36, max_length = 36)]
    event_id: field::Text<36, 36, false>,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: field::Text<1, 500, false>,
}

/// Dispute a line of the statement
///
/// The line stays as it is until the mall answers; if money passes back, that is a line of its own.
#[utoipa::path(
    post, path = "/v1/mall/disputes", tag = "mall", operation_id = "mall_dispute",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = DisputeWantedBody,
    responses(
        (status = 201, description = "It is open", body = DisputeBody),
        (status = 404, description = "No such line of this vendor's", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The line is in dispute, or the vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn open(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<DisputeWantedBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let event: Uuid = body.event_id.0.parse().map_err(|_| {
        let text = "event_id is a UUID: copy it from a line of the statement";
        Problem::invalid("mall_invalid", text)
    })?;
    let reason = body.reason.0.clone();
    let request = ("POST /v1/mall/disputes", &body);
    let opened = submit(&app, &caller, key, request, None, move |tx| {
        let member = membership(tx, &vendor)?;
        let opened = dispute_open(tx, actor, &member, event, &reason)?;
        Ok::<(i64, i64), Failed>((opened.number, opened.opened_at.0))
    });
    let opened = opened.await?;
    let (dispute, opened_at) = opened.value;
    let shown = DisputeBody {
        dispute,
        event_id: event.to_string(),
        state: field::Named(DisputeState::Open),
        reason: body.reason.0,
        answer: String::new(),
        adjustment: None,
        opened_at: Moment(Timestamp(opened_at)),
        closed_at: None,
    };
    Ok(answer(StatusCode::CREATED, &shown, opened.replayed))
}
