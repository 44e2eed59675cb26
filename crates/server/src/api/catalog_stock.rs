//! Offers by their stock-keeping unit, and their stock: deliveries and corrections (SHP-09).

use super::auth::{CatalogRead, CatalogWrite, May};
use super::bounded::{PiecesOrNone, Quantity};
use super::catalog::{OfferAnswer, shown};
use super::field::Line200;
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::audit;
use scrip_domain::catalog::{CatalogError, offer_by_sku, stock_correct, stock_deliver};
use scrip_domain::id::OfferId;
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::Read;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(offer))
        .routes(routes!(deliver))
        .routes(routes!(count))
}

fn by_sku(tx: &mut dyn Read, book: i64, sku: &str) -> std::result::Result<OfferId, CatalogError> {
    let unknown = || CatalogError::OfferUnknown(sku.chars().take(60).collect());
    offer_by_sku(tx, book, sku)?.ok_or_else(unknown)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OfferPath {
    /// The offer's stock-keeping unit, percent-encoded: `/` as `%2F`, a space as `%20`.
    #[param(min_length = 1, max_length = 200, example = "software-a")]
    sku: String,
}

/// See an offer
///
/// By its stock-keeping unit.
#[utoipa::path(
    get, path = "/v1/offers/{sku}", tag = "catalog", operation_id = "offer",
    security(("key" = ["catalog:read"])),
    params(OfferPath),
    responses(
        (status = 200, description = "The offer", body = OfferAnswer),
        (status = 404, description = "No such offer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn offer(
    May(caller, ..): May<CatalogRead>,
    State(app): State<App>,
    Path(OfferPath { sku }): Path<OfferPath>,
) -> Result<axum::Json<OfferAnswer>> {
    let book = caller.book();
    let token = app.vendor(book).await?.token.clone();
    let offer = app.read(move |tx| {
        let id = by_sku(tx, book, sku.trim())?;
        shown(tx, book, id, &token)
    });
    Ok(axum::Json(offer.await?))
}

/// Stock that was counted anew.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"had": 25, "has": 23, "reason": "two were broken"}))]
struct CountBody {
    /// Pieces that the shop believes to be there; null when they were not counted so far. If others
    /// are there by now, nothing is changed.
    had: Option<PiecesOrNone>,
    /// Pieces that are there.
    has: PiecesOrNone,
    /// Why they differ.
    reason: Line200,
}

/// Correct the stock
///
/// Sets the pieces at hand to what was counted, up or down, and keeps a record with the reason. An
/// offer whose pieces were not counted is counted from now on.
#[utoipa::path(
    post, path = "/v1/offers/{sku}/stock-corrections", tag = "catalog", operation_id = "stock_correct",
    security(("key" = ["catalog:write"])),
    params(OfferPath, Repeatable),
    request_body = CountBody,
    responses(
        (status = 200, description = "Corrected", body = OfferAnswer),
        (status = 404, description = "No such offer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The stock moved meanwhile: count again", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn count(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OfferPath { sku }): Path<OfferPath>,
    Json(body): Json<CountBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (sku.clone(), body.clone());
    let request = ("POST /v1/offers/{sku}/stock-corrections", &request);
    let counted = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let offer = by_sku(tx, book, sku.trim())?;
        let pieces = (body.had.map(|n| n.0), body.has.0);
        stock_correct(tx, actor, &vendor, offer, pieces, &body.reason.0)?;
        Ok::<_, Failed>(shown(tx, book, offer, &vendor.token)?)
    })
    .await?;
    Ok(answer(StatusCode::OK, &counted.value, counted.replayed))
}

/// A delivery.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"add": 10}))]
struct DeliveryBody {
    /// Pieces that came.
    add: Quantity,
}

/// Add a delivery to the stock
///
/// Only for offers whose pieces are counted.
#[utoipa::path(
    post, path = "/v1/offers/{sku}/stock", tag = "catalog", operation_id = "stock_add",
    security(("key" = ["catalog:write"])),
    params(OfferPath, Repeatable),
    request_body = DeliveryBody,
    responses(
        (status = 200, description = "Added", body = OfferAnswer),
        (status = 404, description = "No such offer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Pieces of this offer are not counted", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn deliver(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OfferPath { sku }): Path<OfferPath>,
    Json(body): Json<DeliveryBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (sku.clone(), body.clone());
    let request = ("POST /v1/offers/{sku}/stock", &request);
    let added = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let offer = by_sku(tx, book, sku.trim())?;
        stock_deliver(tx, book, offer, body.add.0)?;
        let what = json!({ "add": body.add.0 });
        audit::note(
            tx,
            book,
            actor,
            "catalogue.delivery",
            &offer.to_string(),
            &what,
        )?;
        Ok::<_, Failed>(shown(tx, book, offer, &vendor.token)?)
    })
    .await?;
    Ok(answer(StatusCode::OK, &added.value, added.replayed))
}
