//! PINs and passwords: verified, changed, replaced (SHP-03, REG-11, ARC-04).

use super::asker::{AskedFor, Asker};
use super::auth::{CustomersRead, CustomersWrite, May};
use super::customer::CustomerPath;
use super::field::{self, Line100, Moment, Password, Pin, Presented, words};
use super::once::ShownOnce;
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, answer, keyed, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::command::{Answer, Keyed};
use scrip_domain::customer::{
    Customer, Given, ResetOutcome, SecretKind, customer_by_id, customer_verify_with,
    pin_reset_start, secret_hash,
};
use scrip_domain::secret::Proof;
use scrip_domain::session::{
    Holder, NewSecrets, PinChange, Taken, factor_is_on, factor_prove, pin_change_keyed,
    pin_replace, pin_reset_finish,
};
use scrip_engine::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(verify))
        .routes(routes!(set))
        .routes(routes!(change))
        .routes(routes!(reset_start))
        .routes(routes!(reset_finish))
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    Proven,
    Wrong,
    Locked,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    Done,
    Wrong,
    Locked,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeUse {
    Done,
    Wrong,
    Expired,
}

words! {
    VerificationOutcome: Tried, ["proven", "wrong", "locked"];
    PinChangeOutcome: Changed, ["done", "wrong", "locked"];
    PinResetOutcome: CodeUse, ["done", "wrong", "expired"];
}

/// The hash of a new PIN; takes long.
async fn hashed(app: &App, pin: &Pin) -> Result<String> {
    let pin = pin.clone();
    let hash = app.slow(move |_| secret_hash(SecretKind::Pin, pin.reveal()));
    Ok(hash.await??)
}

/// What is compared: what the vendor's setting `sign_in.secrets` asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"pin": "4719"}))]
struct VerificationBody {
    /// The PIN as typed.
    pin: Option<Presented>,
    /// The password as typed.
    password: Option<Presented>,
    /// The one-time code as typed, needed where the customer has turned codes on.
    code: Option<Presented>,
}

impl VerificationBody {
    fn given(&self) -> Given {
        let text = |secret: &Option<Presented>| secret.as_ref().map(|s| s.reveal().to_owned());
        Given {
            pin: text(&self.pin),
            password: text(&self.password),
        }
    }
}

/// Stored of a one-time code that was tried.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum CodeTried {
    /// Right, or there is none to give.
    Right,
    Wrong,
    Locked {
        until_us: i64,
    },
}

/// Refuses a request without a code where the customer has turned codes on (SHP-03): before
/// anything is compared, so that it costs no attempt.
async fn code_asked(app: &App, customer: &Customer, code: Option<&Presented>) -> Result<()> {
    let holder = Holder::customer(customer);
    let is_on = app.read(move |tx| factor_is_on(tx, holder)).await?;
    if !is_on || code.is_some() {
        return Ok(());
    }
    let text = "this customer has turned one-time codes on: ask for one, and send it as code";
    Err(Problem::invalid("code_needed", text))
}

/// Takes a one-time code, once under the request's key.
async fn code_tried(
    app: &App,
    keyed: &Keyed,
    customer: &Customer,
    code: Option<&Presented>,
) -> Result<Proof<()>> {
    let (holder, vault) = (Holder::customer(customer), app.node.vault.clone());
    let code = code.map(|c| c.reveal().to_owned()).unwrap_or_default();
    let tried = app.submit(keyed.part("code"), move |tx| {
        let taken = factor_prove(tx, &vault, holder, &code)?;
        Ok::<_, Failed>(match taken {
            Taken::Right(()) | Taken::Over => CodeTried::Right,
            Taken::Wrong => CodeTried::Wrong,
            Taken::Locked { until } => CodeTried::Locked { until_us: until.0 },
        })
    });
    Ok(match tried.await?.value {
        CodeTried::Right => Proof::Proven(()),
        CodeTried::Wrong => Proof::Wrong,
        CodeTried::Locked { until_us } => Proof::Locked {
            until: Timestamp(until_us),
        },
    })
}

/// What became of an attempt.
#[derive(Debug, Serialize, ToSchema)]
struct VerificationAnswer {
    /// Whether it was right.
    outcome: VerificationOutcome,
    /// After too many wrong attempts: when the next one is allowed.
    until: Option<Moment>,
}

impl From<Proof<()>> for VerificationAnswer {
    fn from(proof: Proof<()>) -> VerificationAnswer {
        let (outcome, until) = match proof {
            Proof::Proven(()) => (Tried::Proven, None),
            Proof::Wrong => (Tried::Wrong, None),
            Proof::Locked { until } => (Tried::Locked, Some(Moment(until))),
        };
        VerificationAnswer {
            outcome: field::Named(outcome),
            until,
        }
    }
}

/// Verify a PIN or a password
///
/// For a page of yours that asks for account and PIN, password or both, as the setting
/// `sign_in.secrets` says. Each request counts as an attempt until a right one: five wrong ones in
/// a row lock the secret for a quarter of an hour, each further one for twice as long. Where the
/// customer has turned one-time codes on, `code` is needed; without it the problem is
/// `code_needed`, and no attempt is counted. The same request under the same key is one attempt.
// Whoever may only look needs it: it gives nothing but yes or no.
#[utoipa::path(
    post, path = "/v1/customers/{id}/verifications", tag = "customers",
    operation_id = "customer_verify",
    security(("key" = ["customers:read"])),
    params(CustomerPath, Repeatable, AskedFor),
    request_body = VerificationBody,
    responses(
        (status = 200, description = "Whether it was right", body = VerificationAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account is closed, or the first request under this key is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn verify(
    May(caller, ..): May<CustomersRead>,
    key: IdempotencyKey,
    asker: Asker,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<VerificationBody>,
) -> Result<Response> {
    let book = caller.book();
    let digest = |secret: &Option<Presented>| secret.as_ref().map(|s| s.digest(&app.node.vault));
    let request = (id, [&body.pin, &body.password, &body.code].map(digest));
    let route = "POST /v1/customers/{id}/verifications";
    let keyed = keyed(&caller, key, (route, &request), Some(id.0))?;
    let customer = app.read(move |tx| customer_by_id(tx, book, id.0)).await?;
    code_asked(&app, &customer, body.code.as_ref()).await?;
    let guess = asker.guess(&app, &caller)?;
    let (given, of, under) = (body.given(), customer.clone(), keyed.clone());
    let proof = app.slow(move |node| customer_verify_with(node, &under, &of, &given));
    let mut proof = proof.await??;
    if proof.value == Proof::Proven(()) {
        proof.value = code_tried(&app, &keyed, &customer, body.code.as_ref()).await?;
    }
    if proof.replayed || proof.value == Proof::Proven(()) {
        guess.right();
    }
    let body = VerificationAnswer::from(proof.value);
    Ok(answer(StatusCode::OK, &body, proof.replayed))
}

/// A new PIN.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"pin": "4719"}))]
#[serde(deny_unknown_fields)]
struct PinBody {
    /// The new PIN.
    pin: Pin,
}

/// A customer whose sign-in changed.
#[derive(Debug, Serialize, ToSchema)]
struct PinSet {
    /// The customer.
    customer_id: field::Customer,
}

/// Set a customer's PIN
///
/// For staff who know the customer. The customer's sessions end, and a lock after wrong attempts
/// is lifted.
#[utoipa::path(
    put, path = "/v1/customers/{id}/pin", tag = "customers", operation_id = "customer_pin_set",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable),
    request_body = PinBody,
    responses(
        (status = 200, description = "Set", body = PinSet),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<PinBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, body.pin.digest(&app.node.vault));
    let hash = hashed(&app, &body.pin).await?;
    let request = ("PUT /v1/customers/{id}/pin", &request);
    let done = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        pin_replace(tx, actor, &customer, &hash)
    })
    .await?;
    Ok(answer(
        StatusCode::OK,
        &PinSet { customer_id: id },
        done.replayed,
    ))
}

/// The old PIN and the new one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"old_pin": "4719", "pin": "8305"}))]
#[serde(deny_unknown_fields)]
struct PinChangeBody {
    /// The PIN until now, as typed.
    old_pin: Presented,
    /// The new one.
    pin: Pin,
    /// The one-time code as typed, needed where the customer has turned codes on.
    code: Option<Presented>,
}

/// What became of a change.
#[derive(Debug, Serialize, ToSchema)]
struct PinChangeAnswer {
    /// Whether the new PIN is set.
    outcome: PinChangeOutcome,
    /// After too many wrong attempts: when the next one is allowed.
    until: Option<Moment>,
}

/// Change a PIN
///
/// For a page of yours on which a customer enters the old PIN and a new one. The customer's
/// sessions end. A wrong old PIN counts as an attempt to sign in. Where the customer has turned
/// one-time codes on, `code` is needed, and the problem without it is `code_needed`.
#[utoipa::path(
    post, path = "/v1/customers/{id}/pin-changes", tag = "customers",
    operation_id = "customer_pin_change",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable, AskedFor),
    request_body = PinChangeBody,
    responses(
        (status = 200, description = "Whether it was changed", body = PinChangeAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The first request under this key is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn change(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    asker: Asker,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<PinChangeBody>,
) -> Result<Response> {
    let book = caller.book();
    let vault = &app.node.vault;
    let code = body.code.as_ref().map(|code| code.digest(vault));
    let request = (id, body.old_pin.digest(vault), body.pin.digest(vault), code);
    let route = "POST /v1/customers/{id}/pin-changes";
    let keyed = keyed(&caller, key, (route, &request), Some(id.0))?;
    let customer = app.read(move |tx| customer_by_id(tx, book, id.0)).await?;
    code_asked(&app, &customer, body.code.as_ref()).await?;
    let guess = asker.guess(&app, &caller)?;
    let changed = match code_tried(&app, &keyed, &customer, body.code.as_ref()).await? {
        Proof::Proven(()) => {
            let changed = app.slow(move |node| {
                let hash = secret_hash(SecretKind::Pin, body.pin.reveal())?;
                pin_change_keyed(node, keyed, &customer, body.old_pin.reveal(), &hash, None)
            });
            changed.await??
        }
        other => Answer {
            value: PinChange::from(other),
            replayed: false,
        },
    };
    if changed.replayed || changed.value == PinChange::Done {
        guess.right();
    }
    let (outcome, until) = match changed.value {
        PinChange::Done => (Changed::Done, None),
        PinChange::Wrong => (Changed::Wrong, None),
        PinChange::Locked { until } => (Changed::Locked, Some(Moment(until))),
    };
    let body = PinChangeAnswer {
        outcome: field::Named(outcome),
        until,
    };
    Ok(answer(StatusCode::OK, &body, changed.replayed))
}

/// A code with which a forgotten PIN is replaced.
#[derive(Debug, Serialize, ToSchema)]
struct CodeAnswer {
    /// The customer.
    customer_id: field::Customer,
    /// The code, shown in the first answer only.
    #[schema(example = "7Q2XK-M4T9A")]
    code: Option<String>,
    /// What to do where the code is not shown.
    note: Option<&'static str>,
}

const CODE_SHOWN: &str =
    "The code was in the first answer only: make another under a fresh Idempotency-Key.";

/// Make a code for a customer who forgot the PIN
///
/// For staff who know the customer. Whoever has the code sets a new PIN with it, within an hour
/// and five tries. It takes the place of an earlier one. It is shown in this answer only, not when
/// the request is repeated.
#[utoipa::path(
    post, path = "/v1/customers/{id}/pin-resets", tag = "customers",
    operation_id = "customer_pin_reset",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable),
    responses(
        (status = 201, description = "Made", body = CodeAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn reset_start(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let vault = app.node.vault.clone();
    let once = ShownOnce::new();
    let put = once.clone();
    let request = ("POST /v1/customers/{id}/pin-resets", &id);
    let made = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        // Only tells this code from one that a lost run made.
        let made = tx.new_id()?.to_string();
        put.put(made.clone(), pin_reset_start(tx, &vault, actor, &customer)?);
        Ok::<_, Failed>(made)
    })
    .await?;
    let code = once.take(&made.value);
    let body = CodeAnswer {
        customer_id: id,
        note: code.is_none().then_some(CODE_SHOWN),
        code,
    };
    Ok(answer(StatusCode::CREATED, &body, made.replayed))
}

/// A code and a new PIN.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"code": "7Q2XK-M4T9A", "pin": "8305"}))]
#[serde(deny_unknown_fields)]
struct CodeBody {
    /// The code as typed: case and hyphens do not matter.
    code: Line100,
    /// The new PIN.
    pin: Pin,
    /// The new password, where the setting `sign_in.secrets` asks for one.
    password: Option<Password>,
}

/// What became of a code.
#[derive(Debug, Serialize, ToSchema)]
struct CodeUseAnswer {
    /// Whether the new PIN is set.
    outcome: PinResetOutcome,
    /// Tries that a wrong code leaves.
    attempts_left: Option<i64>,
}

/// What is stored of it.
#[derive(Debug, Serialize, Deserialize)]
struct CodeUsed {
    outcome: CodeUse,
    left: Option<i64>,
}

/// Set a new PIN with a code
///
/// For a page of yours on which a customer enters the code from staff and a new PIN. The
/// customer's sessions end.
#[utoipa::path(
    post, path = "/v1/customers/{id}/pin-resets:finish", tag = "customers",
    operation_id = "customer_pin_reset_finish",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable, AskedFor),
    request_body = CodeBody,
    responses(
        (status = 200, description = "Whether the new PIN is set", body = CodeUseAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn reset_finish(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    asker: Asker,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<CodeBody>,
) -> Result<Response> {
    let book = caller.book();
    let vault = app.node.vault.clone();
    let code = body.code.0;
    let code_digest = vault.hash("code in a request", &[code.as_bytes()]);
    let password = body.password;
    let password_digest = password.as_ref().map(|p| p.digest(&vault));
    let request = (id, code_digest, body.pin.digest(&vault), password_digest);
    let guess = asker.guess(&app, &caller)?;
    let hash = hashed(&app, &body.pin).await?;
    let password = app.slow(move |_| {
        let hash = password.map(|p| secret_hash(SecretKind::Password, p.reveal()));
        hash.transpose()
    });
    let password = password.await??;
    let request = ("POST /v1/customers/{id}/pin-resets:finish", &request);
    let used = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        let new = NewSecrets {
            pin: &hash,
            password: password.as_deref(),
        };
        let used = pin_reset_finish(tx, &vault, &customer, &code, new)?;
        let (outcome, left) = match used {
            ResetOutcome::Done => (CodeUse::Done, None),
            ResetOutcome::Wrong { left } => (CodeUse::Wrong, Some(left)),
            ResetOutcome::Expired => (CodeUse::Expired, None),
        };
        Ok::<_, Failed>(CodeUsed { outcome, left })
    })
    .await?;
    if used.replayed || matches!(used.value.outcome, CodeUse::Done) {
        guess.right();
    }
    let body = CodeUseAnswer {
        outcome: field::Named(used.value.outcome),
        attempts_left: used.value.left,
    };
    Ok(answer(StatusCode::OK, &body, used.replayed))
}
