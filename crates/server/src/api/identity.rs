//! Answers to a vendor's questions: given when registering, asked for before what is sensitive
//! (REG-05).

use super::asker::{AskedFor, Asker};
use super::auth::{CustomersRead, CustomersWrite, May};
use super::customer::CustomerPath;
use super::field::{self, Line200, Moment};
use super::pin::{Tried, VerificationOutcome};
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, answer, done, keyed, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    AnswerHash, Checker, SecretError, StepUp, answer_hash, answers_set_by_staff,
    check_identity_keyed, customer_by_id, step_up,
};
use scrip_domain::policy::{Sensitive, policy};
use scrip_domain::secret::Proof;
use scrip_domain::vault::Vault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(needed))
        .routes(routes!(check))
        .routes(routes!(set_answers))
}

/// An answer to one of the vendor's questions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    /// The question, as the vendor's policy has it.
    question: Line200,
    /// The answer. Only a slow hash of it is kept.
    answer: Line200,
}

impl AnswerBody {
    /// Its words.
    pub fn reveal(self) -> (String, String) {
        (self.question.0, self.answer.0)
    }
    /// What equal answers have in common, which does not tell them.
    pub fn digest(&self, vault: &Vault) -> [u8; 32] {
        let parts = [self.question.0.as_bytes(), self.answer.0.as_bytes()];
        vault.hash("answer in a request", &parts)
    }
}

/// What sensitive actions of your key need first.
#[derive(Debug, Serialize, ToSchema)]
struct NeededAnswer {
    /// The customer.
    customer_id: field::Customer,
    /// True when nothing is needed now: the policy asks for nothing, or an answer holds.
    free: bool,
    /// The question to ask the customer; always the same one for a customer.
    question: Option<String>,
    /// Questions that the customer never answered: take the answers down first.
    unanswered: Vec<String>,
}

/// See which question a sensitive action needs
///
/// Actions that the policy names in `registration.step_up` need a right answer first when your
/// program acts for a customer: a new PIN, changed personal data, closing, orders without a card.
/// An answer holds for your key and this customer for five minutes.
#[utoipa::path(
    get, path = "/v1/customers/{id}/identity-check", tag = "customers",
    operation_id = "customer_identity_question",
    security(("key" = ["customers:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "What is needed", body = NeededAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn needed(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<NeededAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let need = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        let (held, checker) = (policy(tx, book)?, Checker::Actor(actor));
        for action in Sensitive::ALL {
            let need = step_up(tx, &held, &customer, &checker, *action)?;
            if need != StepUp::Free {
                return Ok::<_, Failed>(need);
            }
        }
        Ok(StepUp::Free)
    });
    let (free, question, unanswered) = match need.await? {
        StepUp::Free => (true, None, Vec::new()),
        StepUp::Ask { question } => (false, Some(question), Vec::new()),
        StepUp::Unanswered { questions } => (false, None, questions),
    };
    Ok(axum::Json(NeededAnswer {
        customer_id: id,
        free,
        question,
        unanswered,
    }))
}

/// What became of an answer.
#[derive(Debug, Serialize, ToSchema)]
struct CheckAnswer {
    /// Whether it was right.
    outcome: VerificationOutcome,
    /// After too many wrong answers: when the next one is taken.
    until: Option<Moment>,
}

/// Give a customer's answer
///
/// A right one opens sensitive actions of your key for this customer for five minutes. Wrong ones
/// are counted like wrong PINs, whoever they are given to.
#[utoipa::path(
    post, path = "/v1/customers/{id}/identity-checks", tag = "customers",
    operation_id = "customer_identity_check",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable, AskedFor),
    request_body = AnswerBody,
    responses(
        (status = 200, description = "Whether it was right", body = CheckAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account is closed, or the first request under this key is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn check(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    asker: Asker,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<AnswerBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, body.digest(&app.node.vault));
    let route = "POST /v1/customers/{id}/identity-checks";
    let keyed = keyed(&caller, key, (route, &request), Some(id.0))?;
    let customer = app.read(move |tx| customer_by_id(tx, book, id.0)).await?;
    let guess = asker.guess(&app, &caller)?;
    let proof = app.slow(move |node| {
        let (question, answer) = body.reveal();
        let checker = Checker::Actor(actor);
        check_identity_keyed(node, keyed, &customer, checker, &question, &answer)
    });
    let proof = proof.await??;
    if proof.replayed || proof.value == Proof::Proven(()) {
        guess.right();
    }
    let (outcome, until) = match proof.value {
        Proof::Proven(()) => (Tried::Proven, None),
        Proof::Wrong => (Tried::Wrong, None),
        Proof::Locked { until } => (Tried::Locked, Some(Moment(until))),
    };
    let body = CheckAnswer {
        outcome: field::Named(outcome),
        until,
    };
    Ok(answer(StatusCode::OK, &body, proof.replayed))
}

/// Answers of a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswersBody {
    /// One to each question of the policy.
    #[schema(min_items = 1, max_items = 5)]
    answers: Vec<AnswerBody>,
}

/// Take down answers that a customer never gave
///
/// For customers who registered before the vendor had questions, and whom you know. Answers that
/// are there are not replaced.
#[utoipa::path(
    put, path = "/v1/customers/{id}/identity-answers", tag = "customers",
    operation_id = "customer_identity_answers",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable),
    request_body = AnswersBody,
    responses(
        (status = 204, description = "Taken down"),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The questions were answered before", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_answers(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<AnswersBody>,
) -> Result<Response> {
    if !(1..=5).contains(&body.answers.len()) {
        let text = "send one answer to each question of the policy, five at most";
        return Err(Problem::invalid("field_invalid", text));
    }
    let (book, actor) = (caller.book(), caller.actor());
    let vault = app.node.vault.clone();
    let digests: Vec<_> = body.answers.iter().map(|a| a.digest(&vault)).collect();
    let hashes = app.slow(move |_| {
        let all = body.answers.into_iter().map(|one| {
            let (question, answer) = one.reveal();
            answer_hash(&question, &answer)
        });
        all.collect::<std::result::Result<Vec<AnswerHash>, SecretError>>()
    });
    let hashes = hashes.await??;
    let request = (id, digests);
    let request = ("PUT /v1/customers/{id}/identity-answers", &request);
    let kept = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        let held = policy(tx, book)?;
        answers_set_by_staff(tx, actor, &held, &customer, &hashes)?;
        Ok::<_, Failed>(())
    });
    Ok(done(kept.await?.replayed))
}
