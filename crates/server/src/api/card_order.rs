//! Orders that a card pays instead of tokens (SHP-17).

use super::auth::{May, OrdersRead, OrdersWrite};
use super::field::{self, Decimal, Line200, Moment, OptionalLine200, words};
use super::order::{LineList, address_hash, lines, refusal_problem, wanted};
use super::shape::{Money, ProblemBody};
use super::shipment::AddressBody;
use super::{IdempotencyKey, Repeatable, answer, keyed, mark};
use crate::config::Cards;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use scrip_domain::card::{card_by_method, card_to_pay_with};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::CardId;
use scrip_domain::order::Extras;
use scrip_domain::order::by_card::{
    ByCard, CardOrderState, CardOrderView, Outcome, Placed, card_order_by_id, order_by_card_keyed,
};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    CardOrderStanding: CardOrderState, ["awaiting", "completed", "declined"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(place))
        .routes(routes!(one))
}

/// An order that a card is to pay.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": "cus_01kb3v8z9mfxmr4x1qk2s7b0de",
    "lines": [{"sku": "software-a", "quantity": 1}],
    "card": "test_ok",
}))]
struct CardOrderBody {
    /// Who buys. The account is active and has the tokens with which ordering begins; they stay
    /// where they are.
    customer_id: field::Customer,
    /// What is bought. Promotions count as in other orders, those that are limited with tokens
    /// alone.
    lines: LineList,
    /// The card processor's token for a card, never a card number. A node with the test processor
    /// takes `test_ok`, `test_declined`, `test_timeout`. Or the id of a card that the customer
    /// keeps.
    card: Line200,
    /// The money that the buyer was told it costs: another price now is refused.
    quoted: Option<Decimal>,
    /// The payment session of the attempt before; without one, a new session begins.
    session: Option<field::PaymentSession>,
    /// Where it is sent to; needed when something of it is a product that is shipped. It is kept
    /// encrypted, apart from the order.
    #[serde(skip_serializing)]
    delivery_address: Option<AddressBody>,
    /// The name by which your other systems call the order; each is taken once.
    reference: Option<OptionalLine200>,
}

/// An order that a card is to pay, or has.
#[derive(Debug, Serialize, ToSchema)]
struct CardOrderAnswer {
    /// What the card was asked for.
    card_order_id: field::CardOrder,
    /// Who buys.
    customer_id: field::Customer,
    /// The payment session that it belongs to.
    session: field::PaymentSession,
    /// How far it is. While it is awaiting, the goods are set aside.
    state: CardOrderStanding,
    /// The order, once the processor has answered: completed, or refused with `card_declined`.
    order_id: Option<field::Order>,
    /// What it costs: the tokens at today's price of a token, rounded up to whole cents.
    price: Money,
    /// The card's last four digits, where they are known.
    last_four: Option<String>,
    /// What the processor said of a declined card.
    reason: Option<String>,
    /// When it was opened.
    created_at: Moment,
    /// When the processor's answer was written.
    closed_at: Option<Moment>,
}

impl CardOrderAnswer {
    fn new(order: CardOrderView, vendor: &Vendor) -> CardOrderAnswer {
        CardOrderAnswer {
            card_order_id: field::Id(order.id),
            customer_id: field::Id(order.customer_id),
            session: field::Id(order.session),
            state: field::Named(order.state),
            order_id: order.order_id.map(field::Id),
            price: Money::new(order.price, &vendor.currency),
            last_four: Some(order.last_four).filter(|digits| !digits.is_empty()),
            reason: Some(order.reason).filter(|reason| !reason.is_empty()),
            created_at: Moment(order.created_at),
            closed_at: order.closed_at.map(Moment),
        }
    }
}

/// Place an order that a card pays
///
/// For shops that take cards for orders; AT stays as it is. Everything is checked and the goods are
/// set aside before the card is charged, under an id that the processor knows it by, so the same
/// request under the same key is one charge, wherever an earlier attempt stopped. 202 says that the
/// processor has not answered: it is asked again by itself. 402 says how many attempts the payment
/// session has left; the goods are on the shelf again.
#[utoipa::path(
    post, path = "/v1/card-orders", tag = "orders", operation_id = "card_order_place",
    security(("key" = ["orders:write"])),
    params(Repeatable),
    request_body = CardOrderBody,
    responses(
        (status = 201, description = "Paid", body = CardOrderAnswer),
        (status = 202, description = "The card processor has not answered yet", body = CardOrderAnswer),
        (status = 402, description = "The card was declined", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such customer or offer of this vendor, or no such payment session", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Refused: no cards are taken, price, stock, account, reference; or the session is over or has an attempt under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn place(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<CardOrderBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let address = address_hash(&app.node.vault, body.delivery_address.as_ref())?;
    let request = ("POST /v1/card-orders", &(body.clone(), address));
    let keyed = keyed(&caller, key, request, Some(body.customer_id.0))?;
    cards_taken(app.settings.cards)?;
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let bodies = lines(&body.lines.0, &vendor.token)?;
    let quoted = body.quoted.map(|q| q.of(&vendor.currency)).transpose()?;
    let (customer, card) = (body.customer_id.0, body.card.0);
    let new = app
        .read(move |tx| {
            let (mut method, mut last_four) = (card, String::new());
            if let Ok(id) = method.parse::<CardId>() {
                let of = customer_by_id(tx, book, customer)?;
                method = card_to_pay_with(tx, actor, &of, id)?.method;
            }
            if let Some(kept) = card_by_method(tx, book, customer, &method)? {
                last_four = kept.looks.last_four;
            }
            let lines = wanted(tx, book, &bodies)?;
            let supply = lines.iter().zip(&bodies);
            let supply = supply.filter_map(|(line, body)| Some((line.offer_id, body.supply()?)));
            Ok::<_, Failed>(ByCard {
                customer,
                extras: Extras {
                    supply: supply.collect(),
                    ..Extras::default()
                },
                lines,
                reference: body.reference.clone().unwrap_or_default().0,
                to: body.delivery_address.as_ref().map(AddressBody::address),
                payment_session: body.session.map(|session| session.0),
                card: method,
                last_four,
                quoted,
                from_list: false,
            })
        })
        .await?;
    let own = vendor.clone();
    let placed = app.by_card(move |node, cards| order_by_card_keyed(node, cards, keyed, &own, new));
    let placed = placed.await??;
    let replayed = placed.replayed;
    let problem = match placed.value {
        Placed::Refused { order_id, refusal } => {
            app.metrics.order(false);
            refusal_problem(&order_id.to_string(), &refusal, &vendor.token)
        }
        Placed::Asked { id, outcome, .. } => {
            let order = app.read(move |tx| card_order_by_id(tx, actor, book, id));
            let order = CardOrderAnswer::new(order.await?, &vendor);
            match outcome {
                Outcome::Completed { .. } => {
                    app.metrics.order(true);
                    return Ok(answer(StatusCode::CREATED, &order, replayed));
                }
                Outcome::Awaiting => return Ok(answer(StatusCode::ACCEPTED, &order, replayed)),
                Outcome::Declined {
                    reason,
                    attempts_left,
                    ..
                } => {
                    app.metrics.order(false);
                    declined(&order, &reason, attempts_left)
                }
            }
        }
    };
    let mut response = problem.into_response();
    mark(&mut response, replayed);
    Ok(response)
}

/// A node without a card processor takes no such order.
fn cards_taken(cards: Cards) -> Result<()> {
    if cards == Cards::None {
        let text = "this node takes no cards: pay with tokens";
        return Err(Problem::new(StatusCode::CONFLICT, "card_not_taken", text));
    }
    Ok(())
}

fn declined(order: &CardOrderAnswer, reason: &str, attempts_left: i64) -> Problem {
    let text = if attempts_left > 0 {
        reason.to_owned()
    } else {
        format!("{reason}; this payment session is over: begin a new one")
    };
    Problem::new(StatusCode::PAYMENT_REQUIRED, "card_declined", text)
        .with("card_order_id", json!(order.card_order_id))
        .with("order_id", json!(order.order_id))
        .with("session", json!(order.session))
        .with("attempts_left", json!(attempts_left))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct CardOrderPath {
    /// What the card was asked for.
    #[param(inline)]
    id: field::CardOrder,
}

/// See an order that a card pays
///
/// How far it is. One that awaits the processor's answer changes by itself.
#[utoipa::path(
    get, path = "/v1/card-orders/{id}", tag = "orders", operation_id = "card_order",
    security(("key" = ["orders:read"])),
    params(CardOrderPath),
    responses(
        (status = 200, description = "The order", body = CardOrderAnswer),
        (status = 404, description = "No such order of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn one(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    Path(CardOrderPath { id }): Path<CardOrderPath>,
) -> Result<axum::Json<CardOrderAnswer>> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.vendor(book).await?;
    let order = app.read(move |tx| card_order_by_id(tx, actor, book, id.0));
    Ok(axum::Json(CardOrderAnswer::new(order.await?, &vendor)))
}
