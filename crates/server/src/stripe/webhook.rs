//! Messages that Stripe sends by itself: `POST /webhooks/stripe/{slug}`.
//!
//! A message counts when one of the signing secrets made its signature just now. What it tells is
//! kept under Stripe's id for it before the answer is given, so Stripe may stop telling it. Then
//! it is handled; what cannot be handled yet is looked at again every minute.

use super::{keep, signature};
use crate::error::{Problem, Result};
use crate::http::body::{Path, Raw};
use crate::state::App;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use scrip_domain::card_event::{ReversalState, Told, event_note, events_handle};
use scrip_domain::vendor::{Vendor, vendor_by_slug};
use serde::Deserialize;
use serde_json::Value;

/// The route.
pub fn router() -> Router<App> {
    Router::new().route("/webhooks/stripe/{slug}", post(take))
}

#[derive(Deserialize)]
struct Slug {
    slug: String,
}

async fn take(
    State(app): State<App>,
    Path(Slug { slug }): Path<Slug>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<StatusCode> {
    let Some(settings) = &app.settings.stripe else {
        return Err(Problem::not_found("webhook"));
    };
    let header = headers.get("stripe-signature");
    let header = header.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let secrets: Vec<&str> = settings
        .webhook_secrets
        .iter()
        .map(|s| s.reveal())
        .collect();
    let now_s = app.node.engine.now().0.div_euclid(1_000_000);
    if let Err(wrong) = signature::check(header, &body, &secrets, now_s) {
        tracing::warn!(
            ?wrong,
            "a message to the webhook of stripe was not signed by it"
        );
        return Err(Problem::bad_request(
            "signature_wrong",
            "the header Stripe-Signature does not sign this body now with a secret of this node",
        ));
    }
    let vendor = app
        .read(move |tx| vendor_by_slug(tx, &slug))
        .await
        .map_err(|_| Problem::not_found("webhook"))?;
    let event: Value = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("json_invalid", "the body is no JSON"))?;
    let Some(told) = told(&event, &vendor) else {
        return Ok(StatusCode::OK);
    };
    let name = event["id"].as_str().unwrap_or_default().to_owned();
    if name.is_empty() || name.len() > 255 {
        return Err(Problem::bad_request(
            "event_without_id",
            "the event has no id",
        ));
    }
    let book = vendor.book_id;
    app.write(move |tx| event_note(tx, book, &name, &told))
        .await?;
    // Also one that was there: it may be the reason for which Stripe tells it again.
    tokio::spawn(async move {
        let handled = app
            .by_card(move |node, cards| events_handle(node, cards, &vendor))
            .await;
        if let Ok(Err(e)) = handled {
            tracing::warn!(error = %e, "a message of stripe is handled later");
        }
    });
    Ok(StatusCode::OK)
}

/// What an event tells this vendor; `None` for what concerns nobody here.
fn told(event: &Value, vendor: &Vendor) -> Option<Told> {
    let object = &event["data"]["object"];
    let text = |name: &str| object[name].as_str().map(str::to_owned);
    if let Some(book) = object["metadata"]["scrip_book"].as_str()
        && book != vendor.book_id.to_string()
    {
        return None;
    }
    match event["type"].as_str()? {
        kind @ ("payment_intent.succeeded"
        | "payment_intent.payment_failed"
        | "payment_intent.canceled") => Some(Told::Payment {
            payment: text("id")?,
            order: object["metadata"]["scrip_order"]
                .as_str()
                .and_then(|order| order.parse().ok()),
            paid: kind == "payment_intent.succeeded",
        }),
        "charge.refunded" => Some(Told::Refund {
            payment: text("payment_intent")?,
            charge: text("id")?,
            minor: object["amount_refunded"].as_i64()?,
        }),
        "charge.dispute.created"
        | "charge.dispute.updated"
        | "charge.dispute.closed"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated" => dispute(object),
        "payment_method.detached" => Some(Told::CardGone {
            method: text("id")?,
        }),
        "payment_method.updated"
        | "payment_method.automatically_updated"
        | "payment_method.card_automatically_updated" => Some(Told::CardRenewed {
            method: text("id")?,
            looks: keep::looks(object)?,
        }),
        _ => None,
    }
}

/// A dispute. What is only a question to the vendor takes no money, and is none.
fn dispute(object: &Value) -> Option<Told> {
    let text = |name: &str| object[name].as_str().map(str::to_owned);
    let state = match object["status"].as_str()? {
        "won" => ReversalState::Won,
        "lost" => ReversalState::Lost,
        "needs_response" | "under_review" => ReversalState::Open,
        _ => return None,
    };
    Some(Told::Dispute {
        payment: text("payment_intent")?,
        dispute: text("id")?,
        minor: object["amount"].as_i64()?,
        reason: text("reason").unwrap_or_default(),
        state,
    })
}
