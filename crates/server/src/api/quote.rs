//! What an order would come to (SHP-10 to SHP-12, SHP-14).

use super::auth::{May, OrdersRead};
use super::field;
use super::order::{LineList, QuotedLine, lines, quoted_line, wanted};
use super::promotion::{CouponSeen, coupon_key};
use super::shape::{Money, ProblemBody};
use super::tax::TaxBody;
use crate::error::{Failed, Result};
use crate::http::body::BatchJson;
use crate::state::App;
use axum::extract::State;
use scrip_domain::customer::customer_by_id;
use scrip_domain::order::{Change, Fit, Fits, Quote, quote_with_fits};
use scrip_domain::promotion::coupon_use_check;
use scrip_ledger::Asset;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(make))
}

/// An order to be priced.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": "cus_01kb3v8z9mfxmr4x1qk2s7b0de",
    "lines": [{"sku": "software-a", "quantity": 2}],
}))]
struct QuoteBody {
    /// Whose tokens would pay.
    customer_id: field::Customer,
    /// What would be bought.
    lines: LineList,
    /// The code of a coupon. A wrong one counts as an attempt of the customer's account.
    coupon: Option<field::OptionalLine60>,
}

/// A change that makes an order fit.
#[derive(Debug, Serialize, ToSchema)]
pub struct FitBody {
    /// The line.
    offer_id: field::Offer,
    /// Its name.
    title: String,
    /// The quantity to take instead; 0 to leave the line out.
    quantity: i64,
    /// What would be granted for it.
    granted: i64,
    /// Tokens that it saves.
    saves: Money,
    /// Tokens that would remain; below zero while more changes are needed.
    remaining: Money,
}

/// What makes a short order fit.
#[derive(Debug, Serialize, ToSchema)]
pub struct FitsBody {
    /// Changes of which each is enough by itself, the smallest saving first.
    single: Vec<FitBody>,
    /// Where none is enough by itself: lines to leave out together.
    together: Vec<FitBody>,
}

impl FitsBody {
    /// In its JSON shape.
    pub fn new(fits: Fits, token: &Asset) -> FitsBody {
        let all = |fits: Vec<Fit>| fits.into_iter().map(|f| FitBody::new(f, token)).collect();
        FitsBody {
            single: all(fits.single),
            together: all(fits.together),
        }
    }
}

impl FitBody {
    fn new(fit: Fit, token: &Asset) -> FitBody {
        let (quantity, granted) = match fit.change {
            Change::LeaveOut => (0, 0),
            Change::Take { quantity, granted } => (quantity, granted),
        };
        FitBody {
            offer_id: field::Id(fit.offer_id),
            title: fit.title,
            quantity,
            granted,
            saves: Money::new(fit.saves, token),
            remaining: Money::new(fit.remaining, token),
        }
    }
}

/// What an order would come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuoteAnswer {
    /// The lines.
    lines: Vec<QuotedLine>,
    /// Tokens that the order needs.
    required: Money,
    /// Tokens that the account has and can spend.
    available: Money,
    /// Available less required; below zero when tokens are short.
    remaining: Money,
    /// Tokens that are missing; null when there are enough.
    short: Option<Money>,
    /// What makes it fit when tokens are short.
    fits: FitsBody,
    /// What became of the coupon; null without one.
    coupon: Option<CouponSeen>,
    /// The taxes in it, one for each rate; none where the vendor has no rate.
    taxes: Vec<TaxBody>,
}

impl QuoteAnswer {
    /// In its JSON shape.
    pub fn new(quote: Quote, fits: Fits, token: &Asset) -> QuoteAnswer {
        let taxes = quote.taxes().unwrap_or_default().into_iter();
        QuoteAnswer {
            taxes: taxes.map(|sum| TaxBody::new(sum, token)).collect(),
            required: Money::new(quote.required, token),
            available: Money::new(quote.available, token),
            remaining: Money::new(quote.remaining, token),
            short: quote.shortage().map(|short| Money::new(short, token)),
            coupon: quote.coupon.as_ref().map(|c| CouponSeen::new(c, token)),
            fits: FitsBody::new(fits, token),
            lines: quote
                .lines
                .into_iter()
                .map(|l| quoted_line(l, token))
                .collect(),
        }
    }
}

/// Price an order
///
/// Tells what an order would need, what the account has, what would remain, and when tokens are
/// short what to change. Nothing is debited and nothing is kept, so no idempotency key is needed.
/// With a coupon, what it takes off each line, or why it takes nothing off.
/// Stock is not looked at, nor whether the offers are still sold: the order itself does.
#[utoipa::path(
    post, path = "/v1/quotes", tag = "orders", operation_id = "quote",
    security(("key" = ["orders:read"])),
    request_body = QuoteBody,
    responses(
        (status = 200, description = "The quote", body = QuoteAnswer),
        (status = 404, description = "No such customer or offer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn make(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    BatchJson(body): BatchJson<QuoteBody>,
) -> Result<axum::Json<QuoteAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let token = app.vendor(book).await?.token.clone();
    let lines = lines(&body.lines.0, &token)?;
    let id = body.customer_id.0;
    let coupon = coupon_key(&app, book, body.coupon.as_ref());
    if let Some(key) = coupon.clone() {
        // A quote keeps nothing but a wrong code, so that codes are not guessed here.
        let counted = app.write(move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            Ok::<_, Failed>(coupon_use_check(tx, &customer, &key)?)
        });
        counted.await?;
    }
    let quoted = app.read(move |tx| {
        let wanted = wanted(tx, book, &lines)?;
        let quoted = quote_with_fits(tx, actor, book, id, &wanted, coupon.as_ref())?;
        Ok::<_, Failed>(quoted)
    });
    let (quote, fits) = quoted.await?;
    Ok(axum::Json(QuoteAnswer::new(quote, fits, &token)))
}
