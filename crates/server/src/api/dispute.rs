//! Money of card payments that goes back past the shop: payments that the processor took back, and
//! money that came for an account which was closed meanwhile (TOK-08, TOK-09).

use super::auth::{May, RefundsWrite, ReportsRead};
use super::field::{self, Line200, Moment, Text, words};
use super::shape::{Money, Page, ProblemBody, cursor, limit};
use super::{IdempotencyKey, Repeatable, answer, done, submit};
use crate::error::{Failed, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::card_event::{
    Decision, NewDecision, Reversal, ReversalKind, ReversalState, reversal_decide, reversals,
};
use scrip_domain::id::{Payable, TokenOrderId};
use scrip_domain::payback::{
    Payback, PaybackState, Settled, Way, payback_ask, payback_by_processor, payback_note_paid,
    paybacks_due, paybacks_settled,
};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(disputes))
        .routes(routes!(decide))
        .routes(routes!(paybacks))
        .routes(routes!(settle))
}

words! {
    ReversalKindWord: ReversalKind, ["dispute", "refund"];
    ReversalStateWord: ReversalState, ["open", "won", "lost"];
    DecisionWord: Decision, ["take", "leave"];
    PaybackStateWord: PaybackState, ["due", "asked", "settled"];
    WayWord: Way, ["processor", "other"];
}

/// A card payment whose money the processor took back.
#[derive(Debug, Serialize, ToSchema)]
struct DisputeAnswer {
    /// The processor's name for it.
    #[schema(example = "du_1")]
    dispute: String,
    /// Why the money went back.
    kind: ReversalKindWord,
    /// How it stands: with `won` the money came back.
    state: ReversalStateWord,
    /// How much.
    amount: Money,
    /// The processor's word for the reason; empty where there is none.
    reason: String,
    /// The order of tokens that it had paid; null where it had paid for goods.
    token_order_id: Option<field::TokenOrder>,
    /// The order of goods that it had paid; null where it had paid for tokens.
    card_order_id: Option<field::CardOrder>,
    /// What was decided about the tokens; null while nobody has.
    decision: Option<DecisionWord>,
    /// Why it was decided so; empty while nobody has.
    note: String,
    /// Tokens that were taken back.
    taken: Money,
    /// Tokens that were given again when the money came back.
    returned: Money,
    /// When it was booked.
    created_at: Moment,
    /// When it ended; null while it is open.
    closed_at: Option<Moment>,
}

impl DisputeAnswer {
    fn new(reversal: Reversal, vendor: &Vendor) -> DisputeAnswer {
        let (tokens, goods) = match reversal.order {
            Payable::Tokens(id) => (Some(field::Id(id)), None),
            Payable::Goods(id) => (None, Some(field::Id(id))),
        };
        DisputeAnswer {
            dispute: reversal.name,
            kind: field::Named(reversal.kind),
            state: field::Named(reversal.state),
            amount: Money::new(reversal.amount, &vendor.currency),
            reason: reversal.reason,
            token_order_id: tokens,
            card_order_id: goods,
            decision: reversal.decision.map(field::Named),
            note: reversal.note,
            taken: Money::new(reversal.taken, &vendor.token),
            returned: Money::new(reversal.returned, &vendor.token),
            created_at: Moment(reversal.created_at),
            closed_at: reversal.closed_at.map(Moment),
        }
    }
}

/// Card payments whose money was taken back.
#[derive(Debug, Serialize, ToSchema)]
struct DisputesAnswer {
    /// Newest first, 200 at most.
    items: Vec<DisputeAnswer>,
}

/// Disputes on the list at most.
const DISPUTES: usize = 200;

/// List disputes
///
/// Card payments whose money the processor took back, newest first: disputes, and refunds that were
/// made at the processor.
#[utoipa::path(
    get, path = "/v1/disputes", tag = "cards", operation_id = "disputes",
    security(("key" = ["reports:read"])),
    responses(
        (status = 200, description = "The disputes", body = DisputesAnswer),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn disputes(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
) -> Result<axum::Json<DisputesAnswer>> {
    let book = caller.book();
    let vendor = app.vendor(book).await?;
    let found = app.read(move |tx| reversals(tx, book, DISPUTES));
    let items = found.await?.into_iter();
    let items = items.map(|one| DisputeAnswer::new(one, &vendor)).collect();
    Ok(axum::Json(DisputesAnswer { items }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct DisputePath {
    /// The processor's name for the dispute.
    #[param(min_length = 1, max_length = 200, example = "du_1")]
    dispute: String,
}

/// What becomes of the tokens.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"decision": "take", "reason": "The payment is disputed"}))]
struct DecisionBody {
    /// Whether what is left of them leaves the account.
    decision: DecisionWord,
    /// Why; the customer reads it where tokens are taken.
    reason: Text<1, 300, false>,
}

/// Decide about the tokens of a dispute
///
/// The tokens that the disputed money had paid for are taken back, as far as they are left, or stay.
/// If the dispute is won later, what was taken is given again by itself.
#[utoipa::path(
    post, path = "/v1/disputes/{dispute}/decision", tag = "cards", operation_id = "dispute_decide",
    security(("key" = ["refunds:write"])),
    params(DisputePath, Repeatable),
    request_body = DecisionBody,
    responses(
        (status = 204, description = "Decided"),
        (status = 404, description = "No such dispute of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It was decided before, or there is nothing to decide", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn decide(
    May(caller, ..): May<RefundsWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(DisputePath { dispute }): Path<DisputePath>,
    Json(body): Json<DecisionBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let new = NewDecision {
        reversal: dispute.clone(),
        decision: body.decision.0,
        reason: body.reason.0.clone(),
    };
    let request = (dispute, body);
    let request = ("POST /v1/disputes/{dispute}/decision", &request);
    let decided = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        reversal_decide(tx, actor, &vendor, &new)?;
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(decided.replayed))
}

/// Money that is to be paid back, or was.
#[derive(Debug, Serialize, ToSchema)]
struct PaybackAnswer {
    /// The order of tokens that the card had paid.
    token_order_id: field::TokenOrder,
    /// Who paid.
    customer_id: field::Customer,
    /// How much.
    amount: Money,
    /// How far it is.
    state: PaybackStateWord,
    /// How it went back, or is going back; null while nothing was done.
    way: Option<WayWord>,
    /// The number of a transfer or cheque; empty otherwise.
    reference: String,
    /// What the processor said when it refused; empty otherwise.
    refusal: String,
    /// When it came.
    created_at: Moment,
    /// When it was paid back; null before.
    settled_at: Option<Moment>,
}

impl PaybackAnswer {
    fn new(payback: Payback, vendor: &Vendor) -> PaybackAnswer {
        PaybackAnswer {
            token_order_id: field::Id(payback.order),
            customer_id: field::Id(payback.customer),
            amount: Money::new(payback.amount, &vendor.currency),
            state: field::Named(payback.state),
            way: payback.way.map(field::Named),
            reference: payback.reference,
            refusal: payback.refusal,
            created_at: Moment(payback.created_at),
            settled_at: payback.settled_at.map(Moment),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PaybacksQuery {
    /// True for those that were paid back, newest first; otherwise those that are due, oldest first.
    #[serde(default)]
    settled: bool,
    /// Where the page begins: `next` of the page before. What is due is one page.
    cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default, deserialize_with = "field::given")]
    limit: Option<i64>,
}

/// List pay-backs
///
/// Money that a card paid for an account which was closed meanwhile: it goes back.
#[utoipa::path(
    get, path = "/v1/paybacks", tag = "cards", operation_id = "paybacks",
    security(("key" = ["reports:read"])),
    params(PaybacksQuery),
    responses(
        (status = 200, description = "A page of pay-backs", body = Page<PaybackAnswer>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn paybacks(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
    Query(query): Query<PaybacksQuery>,
) -> Result<axum::Json<Page<PaybackAnswer>>> {
    let (book, limit) = (caller.book(), limit(query.limit)?);
    let before: Option<TokenOrderId> = cursor(query.cursor.as_deref())?;
    let vendor = app.vendor(book).await?;
    let page = app.read(move |tx| {
        if query.settled {
            return Ok::<_, Failed>(paybacks_settled(tx, book, before, limit)?);
        }
        Ok(scrip_domain::page::Page {
            items: paybacks_due(tx, book, limit)?,
            next: None,
        })
    });
    let one = |payback| PaybackAnswer::new(payback, &vendor);
    Ok(axum::Json(Page::new(page.await?, one)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PaybackPath {
    /// The order of tokens that the card had paid.
    #[param(inline)]
    id: field::TokenOrder,
}

/// How the money goes back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reference": "TR 2026-118"}))]
struct SettleBody {
    /// The number of the transfer or cheque by which you paid it back; null to let the card processor
    /// pay it back to the card.
    reference: Option<Line200>,
}

/// What became of a pay-back.
#[derive(Debug, Serialize, ToSchema)]
struct SettledAnswer {
    /// The order of tokens.
    token_order_id: field::TokenOrder,
    /// `paid`, `refused` by the processor, or `asked` while it has not answered.
    #[schema(example = "paid")]
    outcome: &'static str,
    /// What the processor said when it refused; null otherwise.
    reason: Option<String>,
}

/// Pay back
///
/// By the card processor, or note that you paid it back another way. Done again by the processor, the
/// money goes back once.
#[utoipa::path(
    post, path = "/v1/paybacks/{id}/settlement", tag = "cards", operation_id = "payback_settle",
    security(("key" = ["refunds:write"])),
    params(PaybackPath, Repeatable),
    request_body = SettleBody,
    responses(
        (status = 200, description = "What became of it", body = SettledAnswer),
        (status = 404, description = "No such pay-back of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It was paid back before", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn settle(
    May(caller, ..): May<RefundsWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(PaybackPath { id }): Path<PaybackPath>,
    Json(body): Json<SettleBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = (*app.vendor(book).await?).clone();
    let by_hand = body.reference.clone().map(|reference| reference.0);
    let is_by_hand = by_hand.is_some();
    let own = vendor.clone();
    let request = (id, body);
    let request = ("POST /v1/paybacks/{id}/settlement", &request);
    let begun = submit(&app, &caller, key, request, None, move |tx| {
        match &by_hand {
            Some(reference) => payback_note_paid(tx, actor, &own, id.0, reference)?,
            None => drop(payback_ask(tx, actor, &own, id.0)?),
        }
        Ok::<_, Failed>(())
    })
    .await?;
    let settled = match is_by_hand {
        true => Settled::Paid,
        false => {
            let work =
                app.by_card(move |node, cards| payback_by_processor(node, cards, &vendor, id.0));
            work.await?.map_err(Failed::from)?
        }
    };
    let (outcome, reason) = match settled {
        Settled::Paid => ("paid", None),
        Settled::Refused { reason } => ("refused", Some(reason)),
        Settled::Asked => ("asked", None),
    };
    let body = SettledAnswer {
        token_order_id: id,
        outcome,
        reason,
    };
    Ok(answer(StatusCode::OK, &body, begun.replayed))
}
