//! Gift certificates (OPN-15, GOV-07).

use super::auth::{May, OrdersWrite, ReportsRead, TokensWrite, VendorWrite};
use super::bounded::Whole;
use super::customer::CustomerPath;
use super::exchange::IssuerPath;
use super::field::{self, Decimal, Line100, Moment, words};
use super::open_token::{OpenOrigin, ends, no_gift_code};
use super::shape::{Money, ProblemBody};
use super::{IdempotencyKey, Repeatable, answer, done, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::customer_by_id;
use scrip_domain::gift::{
    CertificateState, Claim, NewCertificates, Printed, gift_acceptance_set, gift_claim, gift_issue,
    gifts_of,
};
use scrip_domain::mall::{mall_by_book, membership};
use scrip_domain::vendor::vendor_by_slug;
use scrip_engine::{Read, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    CertificateStanding: CertificateState, ["issued", "held", "spent"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(issue, listed))
        .routes(routes!(claim))
        .routes(routes!(honour, honour_not))
}

/// Certificates to be issued.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"face": "50", "count": 10, "origin": "paid"}))]
struct CertificatesBody {
    /// What each is worth, in the mall's currency.
    face: Decimal,
    /// How many.
    count: Whole<1, 1000>,
    /// Whether they are paid for.
    origin: OpenOrigin,
    /// When they expire; never unless given.
    expires_at: Option<Moment>,
}

/// A certificate with its code.
#[derive(Debug, Serialize, ToSchema)]
struct PrintedBody {
    /// The certificate.
    certificate_id: field::Certificate,
    /// Its code, to print: it is shown now and never again.
    #[schema(example = "7Q2XK-M4T9A")]
    code: String,
}

/// Certificates that were issued.
#[derive(Debug, Serialize, ToSchema)]
struct CertificatesAnswer {
    /// One for each.
    items: Vec<PrintedBody>,
}

/// Issue gift certificates
///
/// One or many, with codes to print. Whoever enters a code holds the certificate; it is spent whole.
#[utoipa::path(
    post, path = "/v1/gift-certificates", tag = "open tokens", operation_id = "gift_certificates_issue",
    security(("key" = ["tokens:write"])),
    params(Repeatable),
    request_body = CertificatesBody,
    responses(
        (status = 201, description = "Issued", body = CertificatesAnswer),
        (status = 409, description = "This vendor may not issue them now", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn issue(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<CertificatesBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let new = NewCertificates {
        face: body.face.of(&vendor.currency)?,
        count: body.count.0,
        origin: body.origin.into(),
        expires_at: body.expires_at.map_or(Timestamp::NEVER, |at| at.0),
    };
    let vault = app.node.vault.clone();
    let request = ("POST /v1/gift-certificates", &body);
    let printed = submit(&app, &caller, key, request, None, move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let of = (&mall, &member, vendor.as_ref());
        Ok::<Vec<Printed>, Failed>(gift_issue(tx, &vault, actor, of, &new)?)
    });
    let printed = printed.await?;
    let items = printed.value.into_iter().map(|one| PrintedBody {
        certificate_id: field::Id(one.id),
        code: one.code,
    });
    let body = CertificatesAnswer {
        items: items.collect(),
    };
    Ok(answer(StatusCode::CREATED, &body, printed.replayed))
}

/// A certificate as its issuer sees it.
#[derive(Debug, Serialize, ToSchema)]
struct CertificateBody {
    /// The certificate.
    certificate_id: field::Certificate,
    /// What it is worth; nothing of it once it is spent.
    face: Money,
    /// Where it stands.
    state: CertificateStanding,
    /// When it was issued.
    issued_at: Moment,
    /// Until when it can be spent; null for ever.
    expires_at: Option<Moment>,
}

/// Certificates of an issuer.
#[derive(Debug, Serialize, ToSchema)]
struct CertificatesList {
    /// Newest first, 1,000 at most.
    items: Vec<CertificateBody>,
}

/// List this vendor's gift certificates
///
/// Codes are not shown: they are kept as hashes.
#[utoipa::path(
    get, path = "/v1/gift-certificates", tag = "open tokens", operation_id = "gift_certificates",
    security(("key" = ["reports:read"])),
    responses(
        (status = 200, description = "The certificates", body = CertificatesList),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn listed(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
) -> Result<axum::Json<CertificatesList>> {
    let vendor = app.vendor(caller.book()).await?;
    let all = app.read(move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let all = gifts_of(tx, &mall, vendor.book_id, 1_000)?.into_iter();
        let items = all.map(|gift| CertificateBody {
            certificate_id: field::Id(gift.id),
            face: Money::new(gift.face, &mall.currency),
            state: field::Named(gift.state),
            issued_at: Moment(gift.issued_at),
            expires_at: ends(gift.expires_at),
        });
        Ok::<_, Failed>(CertificatesList {
            items: items.collect(),
        })
    });
    Ok(axum::Json(all.await?))
}

/// A code that is entered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "7Q2XK-M4T9A"}))]
struct ClaimBody {
    /// As printed: case, spaces and hyphens make no difference.
    #[serde(skip_serializing)]
    code: Line100,
}

/// A certificate that the customer holds now.
#[derive(Debug, Serialize, ToSchema)]
struct ClaimAnswer {
    /// The certificate.
    certificate_id: field::Certificate,
    /// What it is worth.
    face: Money,
}

/// Enter the code of a gift certificate
///
/// The customer holds it from then on. Codes that are unknown, entered by somebody else, spent or
/// expired give the same answer; after too many of them none is looked at for a while.
#[utoipa::path(
    post, path = "/v1/customers/{id}/gift-certificates", tag = "open tokens",
    operation_id = "gift_certificate_claim",
    security(("key" = ["orders:write"])),
    params(CustomerPath, Repeatable),
    request_body = ClaimBody,
    responses(
        (status = 201, description = "The customer holds it", body = ClaimAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "No certificate can be had by this code", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong codes", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn claim(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<ClaimBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let (vault, currency) = (app.node.vault.clone(), vendor.currency.clone());
    // The code itself is not kept with the request: its keyed hash tells two of them apart.
    let hash = vault.hash("gift code request", &[body.code.0.as_bytes()]);
    let request = ("POST /v1/customers/{id}/gift-certificates", &(id, hash));
    let claimed = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let customer = customer_by_id(tx, vendor.book_id, id.0)?;
        let code = body.code.0.as_str();
        let claim = gift_claim(tx, &vault, actor, &mall, &customer, code)?;
        Ok::<Claim, Failed>(claim)
    });
    let claimed = claimed.await?;
    match claimed.value {
        Claim::Held { id, face } => {
            let body = ClaimAnswer {
                certificate_id: field::Id(id),
                face: Money::new(face, &currency),
            };
            Ok(answer(StatusCode::CREATED, &body, claimed.replayed))
        }
        Claim::Unknown => Err(no_gift_code()),
        Claim::TooMany { until } => {
            let wait = app.read(|tx| Ok::<_, Failed>(tx.now())).await?;
            let seconds = until
                .saturating_sub(wait.0)
                .saturating_div(1_000_000)
                .max(1);
            let text = "too many wrong codes were entered with this account: wait a while";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", text);
            Err(problem.retry_after(u32::try_from(seconds).unwrap_or(u32::MAX)))
        }
    }
}

async fn set(
    app: App,
    caller: super::auth::Caller,
    key: IdempotencyKey,
    route: &'static str,
    issuer: String,
    takes: bool,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let request = (route, &issuer.clone());
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let acceptor = membership(tx, &vendor)?;
        let other = vendor_by_slug(tx, &issuer)?;
        let issuer = membership(tx, &other)?;
        Ok::<_, Failed>(gift_acceptance_set(tx, actor, (&acceptor, &issuer), takes)?)
    });
    Ok(done(set.await?.replayed))
}

/// Take a member's gift certificates
///
/// From the next order on.
#[utoipa::path(
    put, path = "/v1/mall/gift-acceptance/{vendor}", tag = "open tokens",
    operation_id = "gift_acceptance_set",
    security(("key" = ["vendor:write"])),
    params(IssuerPath, Repeatable),
    responses(
        (status = 204, description = "They are taken"),
        (status = 404, description = "No such vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "One of the two belongs to no mall, or to another one", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn honour(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(IssuerPath { vendor }): Path<IssuerPath>,
) -> Result<Response> {
    let route = "PUT /v1/mall/gift-acceptance/{vendor}";
    set(app, caller, key, route, vendor, true).await
}

/// Take a member's gift certificates no longer
///
/// What was paid with them stays paid.
#[utoipa::path(
    delete, path = "/v1/mall/gift-acceptance/{vendor}", tag = "open tokens",
    operation_id = "gift_acceptance_remove",
    security(("key" = ["vendor:write"])),
    params(IssuerPath, Repeatable),
    responses(
        (status = 204, description = "They are not taken"),
        (status = 404, description = "No such vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "One of the two belongs to no mall, or to another one", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn honour_not(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(IssuerPath { vendor }): Path<IssuerPath>,
) -> Result<Response> {
    let route = "DELETE /v1/mall/gift-acceptance/{vendor}";
    set(app, caller, key, route, vendor, false).await
}
