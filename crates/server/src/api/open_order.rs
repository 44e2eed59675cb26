//! Paying at a member with open tokens (OPN-08, OPN-18 to OPN-23).

use super::auth::{May, OrdersWrite, RefundsWrite};
use super::customer::CustomerPath;
use super::field::{self, Line100, OptionalLine60, words};
use super::open_token::OpenKindWord;
use super::order::{LineList, QuotedLine, lines, quoted_line, wanted};
use super::promotion::coupon_key;
use super::shape::{Money, ProblemBody};
use super::shipment::AddressBody;
use super::{IdempotencyKey, Repeatable, answer, mark, submit};
use crate::error::{Failed, Problem, Result, refused};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use scrip_domain::checkout::{
    CheckoutOutcome, Left, OpenQuote, OpenReceipt, Pays, Purchase, Reversed, Split, checkout_place,
    checkout_quote, checkout_reverse, checkout_switch,
};
use scrip_domain::customer::customer_by_id;
use scrip_domain::order::Refusal;
use scrip_domain::vendor::{Vendor, vendor_by_book, vendor_by_slug};
use scrip_ledger::Asset;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    PaysWord: Pays, ["manufacturer", "group", "gift", "universal"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(quote))
        .routes(routes!(place))
        .routes(routes!(switch))
        .routes(routes!(reverse))
}

/// What a customer wants to buy at a member.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "at": "hearth-and-fern", "lines": [{"sku": "software-a", "quantity": 1}],
}))]
struct OpenOrderBody {
    /// The short name of the member that sells; the customer's home is one, too.
    at: Line100,
    /// What is bought there. Prices are the seller's, in its tokens.
    lines: LineList,
    /// The code of a coupon of the seller.
    coupon: Option<OptionalLine60>,
    /// The one kind of tokens that is to pay all of it; the mall chooses unless given.
    pay_with: Option<PaysWord>,
    /// Where it is sent to; the seller is told for this order alone.
    #[serde(skip_serializing)]
    delivery_address: Option<AddressBody>,
    /// True at a till: what certificates leave over is paid out in cash by the seller.
    #[serde(default)]
    at_till: bool,
}

/// A part of a payment.
#[derive(Debug, Serialize, ToSchema)]
struct PartBody {
    /// What kind of tokens.
    kind: OpenKindWord,
    /// The short name of the member that owes them.
    debtor: String,
    /// What they pay.
    amount: Money,
    /// What a certificate leaves over.
    surplus: Money,
}

/// What is left of a kind.
#[derive(Debug, Serialize, ToSchema)]
struct LeftBody {
    /// What kind.
    kind: OpenKindWord,
    /// How many.
    amount: Money,
}

/// What an order comes to.
#[derive(Debug, Serialize, ToSchema)]
struct OpenQuoteBody {
    /// The lines, in the seller's tokens.
    lines: Vec<QuotedLine>,
    /// What they come to, in the mall's currency.
    price: Money,
    /// What would pay; empty where nothing can.
    paid_with: Vec<PartBody>,
    /// The kinds that could pay all of it alone.
    choices: Vec<PaysWord>,
    /// Why nothing can pay; null where something can.
    #[schema(value_type = Option<ProblemBody>)]
    problem: Option<serde_json::Value>,
}

/// An order that open tokens paid.
#[derive(Debug, Serialize, ToSchema)]
struct OpenReceiptBody {
    /// The order, at the seller.
    order_id: field::Order,
    /// What was bought.
    lines: Vec<QuotedLine>,
    /// What it cost, in the mall's currency.
    price: Money,
    /// What paid.
    paid_with: Vec<PartBody>,
    /// What the customer has left of each kind.
    left: Vec<LeftBody>,
}

/// Who is who, for answers.
struct Names {
    currency: Asset,
    token: Asset,
    debtors: Vec<(i64, String)>,
}

impl Names {
    async fn new(app: &App, seller: &Vendor, split: &[Split]) -> Result<Names> {
        let mut books: Vec<i64> = split.iter().map(|part| part.debtor).collect();
        books.dedup();
        let debtors = app.read(move |tx| {
            let mut named = Vec::new();
            for book in books {
                named.push((book, vendor_by_book(tx, book)?.slug));
            }
            Ok::<_, Failed>(named)
        });
        Ok(Names {
            currency: seller.currency.clone(),
            token: seller.token.clone(),
            debtors: debtors.await?,
        })
    }

    fn parts(&self, split: Vec<Split>) -> Vec<PartBody> {
        let name = |book: i64| {
            let found = self.debtors.iter().find(|(of, _)| *of == book);
            found.map_or_else(String::new, |(_, slug)| slug.clone())
        };
        let parts = split.into_iter().map(|part| PartBody {
            kind: field::Named(part.kind),
            debtor: name(part.debtor),
            amount: Money::new(part.amount, &self.currency),
            surplus: Money::new(part.surplus, &self.currency),
        });
        parts.collect()
    }

    fn receipt(&self, receipt: OpenReceipt) -> OpenReceiptBody {
        let left = receipt.left.into_iter();
        let lines = receipt.lines.into_iter();
        OpenReceiptBody {
            order_id: field::Id(receipt.order_id),
            lines: lines.map(|line| quoted_line(line, &self.token)).collect(),
            price: Money::new(receipt.price, &self.currency),
            paid_with: self.parts(receipt.split),
            left: left
                .map(|Left { kind, amount }| LeftBody {
                    kind: field::Named(kind),
                    amount: Money::new(amount, &self.currency),
                })
                .collect(),
        }
    }
}

/// A refusal with its figures, those of open tokens in the mall's currency.
fn problem(order_id: &str, refusal: &Refusal, names: &Names) -> Problem {
    match refusal {
        Refusal::OpenShort {
            required,
            available,
        } => {
            let money = |amount| serde_json::json!(Money::new(amount, &names.currency));
            refused(order_id, refusal)
                .with("required", money(*required))
                .with("available", money(*available))
        }
        other => super::order::refusal_problem(order_id, other, &names.token),
    }
}

async fn seller(app: &App, slug: &str) -> Result<Vendor> {
    let slug = slug.to_owned();
    app.read(move |tx| vendor_by_slug(tx, &slug)).await
}

/// A body with everything read that can be read without the database.
#[derive(Clone)]
struct Prepared {
    lines: Vec<super::order::Line>,
    purchase: Purchase,
}

fn prepared(app: &App, body: &OpenOrderBody, seller: &Vendor) -> Result<Prepared> {
    if body.lines.0.iter().any(|line| line.entered.is_some()) {
        let text = "prices at a member are the member's own: leave entered out";
        return Err(Problem::invalid("line_invalid", text));
    }
    let book = seller.book_id;
    Ok(Prepared {
        lines: lines(&body.lines.0, &seller.token)?,
        purchase: Purchase {
            seller_book: book,
            lines: Vec::new(),
            coupon: coupon_key(app, book, body.coupon.as_ref()),
            to: body.delivery_address.as_ref().map(AddressBody::address),
            pays: body.pay_with.map(|word| word.0),
            at_till: body.at_till,
        },
    })
}

impl Prepared {
    fn purchase(&self, tx: &mut dyn scrip_engine::Read) -> std::result::Result<Purchase, Failed> {
        let lines = wanted(tx, self.purchase.seller_book, &self.lines)?;
        Ok(Purchase {
            lines,
            ..self.purchase.clone()
        })
    }
}

/// Ask what an order at a member comes to
///
/// And what would pay it of the open tokens that the customer holds. Nothing moves.
#[utoipa::path(
    post, path = "/v1/customers/{id}/open-quotes", tag = "open tokens", operation_id = "open_quote",
    security(("key" = ["orders:write"])),
    params(CustomerPath, Repeatable),
    request_body = OpenOrderBody,
    responses(
        (status = 201, description = "What it comes to", body = OpenQuoteBody),
        (status = 404, description = "No such customer, member or offer", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The two do not meet in a mall now", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn quote(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<OpenOrderBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let home = app.vendor(caller.book()).await?;
    let seller = seller(&app, &body.at.0).await?;
    let prepared = prepared(&app, &body, &seller)?;
    let vault = app.node.vault.clone();
    let request = ("POST /v1/customers/{id}/open-quotes", &(id, body));
    let quoted = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        customer_by_id(tx, home.book_id, id.0)?;
        let purchase = prepared.purchase(tx)?;
        let quote = checkout_quote(tx, &vault, actor, &home, id.0, &purchase)?;
        Ok::<OpenQuote, Failed>(quote)
    });
    let quoted = quoted.await?;
    let names = Names::new(&app, &seller, &quoted.value.split).await?;
    let quote = quoted.value;
    let why = quote.refusal.as_ref();
    let why = why.map(|refusal| {
        let mut why = problem("", refusal, &names);
        // No order was placed.
        why.more.remove("order_id");
        why.json()
    });
    let lines = quote.lines.into_iter();
    let body = OpenQuoteBody {
        lines: lines.map(|line| quoted_line(line, &names.token)).collect(),
        price: Money::new(quote.price, &names.currency),
        paid_with: names.parts(quote.split),
        choices: quote.choices.into_iter().map(field::Named).collect(),
        problem: why,
    };
    Ok(answer(StatusCode::CREATED, &body, quoted.replayed))
}

/// Order at a member
///
/// Open tokens pay the whole order, or it is refused and nothing is debited. The customer needs no
/// registration there. Debtors, seller and mall settle in the same moment.
#[utoipa::path(
    post, path = "/v1/customers/{id}/open-orders", tag = "open tokens",
    operation_id = "open_order_place",
    security(("key" = ["orders:write"])),
    params(CustomerPath, Repeatable),
    request_body = OpenOrderBody,
    responses(
        (status = 201, description = "Paid", body = OpenReceiptBody),
        (status = 402, description = "Refused: the tokens that are taken there do not pay for it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such customer, member or offer", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Refused: price, stock, coupon, account or membership", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn place(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<OpenOrderBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let home = app.vendor(caller.book()).await?;
    let seller = seller(&app, &body.at.0).await?;
    let prepared = prepared(&app, &body, &seller)?;
    let vault = app.node.vault.clone();
    // The address is part of the request; it is not kept with it.
    let to = serde_json::to_vec(&body.delivery_address).unwrap_or_default();
    let to = vault.hash("open order address", &[&to]);
    let request = ("POST /v1/customers/{id}/open-orders", &(id, body, to));
    let placed = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        customer_by_id(tx, home.book_id, id.0)?;
        let purchase = prepared.purchase(tx)?;
        let outcome = checkout_place(tx, &vault, actor, &home, id.0, &purchase)?;
        Ok::<CheckoutOutcome, Failed>(outcome)
    });
    let placed = placed.await?;
    match placed.value {
        CheckoutOutcome::Paid(receipt) => {
            app.metrics.order(true);
            let names = Names::new(&app, &seller, &receipt.split).await?;
            let body = names.receipt(receipt);
            Ok(answer(StatusCode::CREATED, &body, placed.replayed))
        }
        CheckoutOutcome::Refused { order_id, refusal } => {
            app.metrics.order(false);
            let names = Names::new(&app, &seller, &[]).await?;
            let problem = problem(&order_id.to_string(), &refusal, &names);
            let mut response = problem.into_response();
            mark(&mut response, placed.replayed);
            Ok(response)
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OpenOrderPath {
    /// The customer.
    #[param(inline)]
    id: field::Customer,
    /// The order.
    #[param(inline)]
    order: field::Order,
}

/// What is to pay instead.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at": "hearth-and-fern", "pay_with": "gift"}))]
struct SwitchBody {
    /// The short name of the member that sold.
    at: Line100,
    /// The one kind that is to pay all of it.
    pay_with: PaysWord,
}

/// Pay an order with other tokens
///
/// The first payment is taken back and the order is paid anew, once. Where the other kind cannot pay,
/// nothing changes.
#[utoipa::path(
    put, path = "/v1/customers/{id}/open-orders/{order}/payment", tag = "open tokens",
    operation_id = "open_order_switch",
    security(("key" = ["orders:write"])),
    params(OpenOrderPath, Repeatable),
    request_body = SwitchBody,
    responses(
        (status = 200, description = "Paid anew", body = OpenReceiptBody),
        (status = 404, description = "No such customer, member or order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It was changed before, or the other kind cannot pay", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn switch(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OpenOrderPath { id, order }): Path<OpenOrderPath>,
    Json(body): Json<SwitchBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let home = app.vendor(caller.book()).await?;
    let seller = seller(&app, &body.at.0).await?;
    let (book, pays) = (seller.book_id, body.pay_with.0);
    let route = "PUT /v1/customers/{id}/open-orders/{order}/payment";
    let request = (route, &(id, order, body));
    let paid = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let of = (book, order.0);
        let receipt = checkout_switch(tx, actor, &home, id.0, of, pays)?;
        Ok::<OpenReceipt, Failed>(receipt)
    });
    let paid = paid.await?;
    let names = Names::new(&app, &seller, &paid.value.split).await?;
    let body = names.receipt(paid.value);
    Ok(answer(StatusCode::OK, &body, paid.replayed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct SoldPath {
    /// The order, at this vendor.
    #[param(inline)]
    id: field::Order,
}

/// How an order is given back.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReverseBody {
    /// True when the pieces go back on the shelf.
    #[serde(default)]
    restock: bool,
}

/// A payment that was taken back.
#[derive(Debug, Serialize, ToSchema)]
struct ReversedBody {
    /// The order.
    order_id: field::Order,
    /// What went back.
    price: Money,
}

/// Give an order back that open tokens paid
///
/// For the seller: whole, and once. Debtors, seller and mall take back what they settled.
#[utoipa::path(
    post, path = "/v1/orders/{id}/open-reversal", tag = "open tokens",
    operation_id = "open_order_reverse",
    security(("key" = ["refunds:write"])),
    params(SoldPath, Repeatable),
    request_body = ReverseBody,
    responses(
        (status = 201, description = "Taken back", body = ReversedBody),
        (status = 404, description = "Open tokens paid no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It was taken back, or what came of it is spent", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn reverse(
    May(caller, ..): May<RefundsWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(SoldPath { id }): Path<SoldPath>,
    Json(body): Json<ReverseBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let currency = vendor.currency.clone();
    let (order, restock) = (id.0, body.restock);
    let request = ("POST /v1/orders/{id}/open-reversal", &(id, body));
    let back = submit(&app, &caller, key, request, None, move |tx| {
        let back = checkout_reverse(tx, actor, &vendor, order, restock)?;
        Ok::<Reversed, Failed>(back)
    });
    let back = back.await?;
    let body = ReversedBody {
        order_id: field::Id(back.value.order_id),
        price: Money::new(back.value.price, &currency),
    };
    Ok(answer(StatusCode::CREATED, &body, back.replayed))
}
