//! The mall as a member sees it, and exchanging tokens through it (OPN-01 to OPN-05, GOV-01).

use super::auth::{May, OrdersWrite, ReportsRead, VendorRead, VendorWrite};
use super::customer::CustomerPath;
use super::field::{self, Decimal, Moment, words};
use super::shape::{Money, ProblemBody};
use super::{IdempotencyKey, Repeatable, answer, done, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::exchange::{ExchangeQuote, Exchanged, exchange_do, exchange_quote};
use scrip_domain::mall::{
    Mall, MallError, Member, MemberState, acceptance_set, accepted_from, accepters_of,
    mall_by_book, members, membership, owed_in_all, position, statement, value_at,
};
use scrip_domain::vendor::{Vendor, quota, vendor_by_book, vendor_by_slug};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{Amount, Asset};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    MemberStanding: MemberState, ["active", "suspended", "left"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(lines))
        .routes(routes!(accept, refuse))
        .routes(routes!(quote))
        .routes(routes!(exchange))
}

/// An event between this vendor and another member.
#[derive(Debug, Serialize, ToSchema)]
struct StatementLine {
    /// The id that its entries have in the books of both and of the mall.
    event_id: String,
    /// What happened.
    #[schema(example = "exchange")]
    kind: &'static str,
    /// Whose tokens they were: the short name of the vendor.
    debtor: String,
    /// Who took them.
    creditor: String,
    /// What the debtor owes the mall.
    owed: Money,
    /// What the mall owes the creditor.
    received: Money,
    /// The fraction that the mall keeps.
    fraction: Money,
    /// What the mall keeps as its royalty; below zero where it gives one back. What is owed is what
    /// is received, the fraction and the royalty.
    royalty: Money,
    /// What the mall took at once from the debtor's deposit: nothing of it is owed.
    from_deposit: Money,
    /// What the debtor kept: its charge for an exchange, its service charge of a sale.
    kept: Money,
    /// When.
    at: Moment,
}

/// All events of a span.
#[derive(Debug, Serialize, ToSchema)]
struct StatementBody {
    /// Oldest first.
    items: Vec<StatementLine>,
    /// What this vendor owes by them in all; below zero what it is owed.
    owes: Money,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatementQuery {
    /// From this time on; the last 31 days unless given.
    #[param(inline)]
    from: Option<Moment>,
    /// Before this time, which has passed; until now unless given.
    #[param(inline)]
    to: Option<Moment>,
}

/// The longest span of a statement.
const STATEMENT_DAYS: i64 = 92;
const DAY_S: i64 = 24 * 3600;

/// See what passed between members
///
/// A line for each event between this vendor and the others, valued in the mall's currency. A span is
/// 92 days at most.
#[utoipa::path(
    get, path = "/v1/mall/statement", tag = "mall", operation_id = "mall_statement",
    security(("key" = ["reports:read"])),
    params(StatementQuery),
    responses(
        (status = 200, description = "The statement", body = StatementBody),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn lines(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
    Query(query): Query<StatementQuery>,
) -> Result<axum::Json<StatementBody>> {
    let vendor = app.vendor(caller.book()).await?;
    let body = app.read(move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let to = query.to.map_or(tx.now(), |at| at.0);
        let month = to.plus_seconds(-31 * DAY_S);
        let from = query.from.map_or(month, |at| at.0);
        if to.0 < from.0 || from.plus_seconds(STATEMENT_DAYS * DAY_S).0 < to.0 {
            let text = "a statement ends after it begins, and has 92 days at most: ask for less";
            return Err(Failed::from(Problem::invalid("span_invalid", text)));
        }
        let named = members(tx, &mall)?;
        let name = |book: i64| {
            let found = named.iter().find(|member| member.book_id == book);
            found.map_or_else(String::new, |member| member.slug.clone())
        };
        let money = |amount| Money::new(amount, &mall.currency);
        let found = statement(tx, &member, from, to)?;
        let owes = owed_in_all(&found, member.book_id)?;
        let mut items = Vec::new();
        for line in found {
            items.push(StatementLine {
                event_id: line.event_id.to_string(),
                kind: line.kind.name(),
                debtor: name(line.debtor),
                creditor: name(line.creditor),
                owed: money(line.money.owed),
                received: money(line.money.received),
                fraction: money(line.money.residue),
                royalty: money(line.money.royalty),
                kept: money(line.money.kept),
                from_deposit: money(line.money.drawn),
                at: Moment(line.at),
            });
        }
        Ok(StatementBody {
            items,
            owes: money(owes),
        })
    });
    Ok(axum::Json(body.await?))
}

/// Another member.
#[derive(Debug, Serialize, ToSchema)]
struct MemberBody {
    /// The vendor's short name.
    #[schema(example = "hearth-and-fern")]
    vendor: String,
    /// The vendor's name for people.
    name: String,
    /// Where it stands.
    state: MemberStanding,
    /// What one of its tokens is worth, in the mall's currency.
    value: Option<Money>,
    /// True when it takes this vendor's tokens.
    takes_ours: bool,
    /// True when this vendor takes its tokens.
    we_take_theirs: bool,
}

/// The mall that the vendor belongs to.
#[derive(Debug, Serialize, ToSchema)]
struct MallBody {
    /// The mall's short name.
    mall: String,
    /// Its name for people.
    name: String,
    /// Where this vendor stands in it.
    state: MemberStanding,
    /// True while the mall keeps this vendor's tokens at home.
    barred: bool,
    /// What one token of this vendor is worth, in the mall's currency.
    value: Option<Money>,
    /// What this vendor owes the mall; below zero what it is owed.
    owes: Money,
    /// Tokens that the mall lets this vendor issue in all; null for no limit.
    authorised: Option<Money>,
    /// Tokens that it has issued of them; null for no limit.
    issued: Option<Money>,
    /// How often the mall clears by itself: `by_hand`, `day`, `week` or `month`.
    #[schema(example = "month")]
    clears: &'static str,
    /// The other members.
    members: Vec<MemberBody>,
}

fn worth(
    tx: &mut dyn Read,
    mall: &Mall,
    member: &Member,
) -> std::result::Result<Option<Money>, MallError> {
    let now = tx.now();
    Ok(value_at(tx, member, now)?.map(|value| Money::new(value, &mall.currency)))
}

/// See the mall
///
/// What the vendor's tokens are worth there, what it owes, and who takes whose tokens.
#[utoipa::path(
    get, path = "/v1/mall", tag = "mall", operation_id = "mall",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "The mall", body = MallBody),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn show(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<MallBody>> {
    let vendor = app.vendor(caller.book()).await?;
    let body = app.read(move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let (ours, theirs) = (accepters_of(tx, &member)?, accepted_from(tx, &member)?);
        let mut others = Vec::new();
        for other in members(tx, &mall)? {
            if other.book_id == member.book_id {
                continue;
            }
            others.push(MemberBody {
                value: worth(tx, &mall, &other)?,
                takes_ours: ours.contains(&other.book_id),
                we_take_theirs: theirs.contains(&other.book_id),
                vendor: other.slug,
                name: other.name,
                state: field::Named(other.state),
            });
        }
        let quota = quota(tx, vendor.book_id)?.filter(|quota| quota.authorised.is_some());
        let tokens = |amount| Money::new(amount, &vendor.token);
        Ok::<_, Failed>(MallBody {
            authorised: quota.and_then(|quota| quota.authorised).map(tokens),
            issued: quota.map(|quota| tokens(quota.issued)),
            clears: mall.clears.name(),
            value: worth(tx, &mall, &member)?,
            owes: Money::new(position(tx, &member)?, &mall.currency),
            mall: mall.slug,
            name: mall.name,
            state: field::Named(member.state),
            barred: member.is_barred,
            members: others,
        })
    });
    Ok(axum::Json(body.await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct IssuerPath {
    /// The short name of another member.
    #[param(example = "hearth-and-fern", min_length = 2, max_length = 40)]
    pub vendor: String,
}

async fn set_acceptance(
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
        Ok::<_, Failed>(acceptance_set(tx, actor, &acceptor, &issuer, takes)?)
    });
    Ok(done(set.await?.replayed))
}

/// Take a member's tokens
///
/// From the next request on, its customers may exchange their tokens for this vendor's.
#[utoipa::path(
    put, path = "/v1/mall/acceptance/{vendor}", tag = "mall", operation_id = "acceptance_set",
    security(("key" = ["vendor:write"])),
    params(IssuerPath, Repeatable),
    responses(
        (status = 204, description = "They are taken"),
        (status = 404, description = "No such vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "One of the two belongs to no mall, or to another one", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn accept(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(IssuerPath { vendor }): Path<IssuerPath>,
) -> Result<Response> {
    let route = "PUT /v1/mall/acceptance/{vendor}";
    set_acceptance(app, caller, key, route, vendor, true).await
}

/// Take a member's tokens no longer
///
/// What was exchanged stays; open quotes are refused from now on.
#[utoipa::path(
    delete, path = "/v1/mall/acceptance/{vendor}", tag = "mall",
    operation_id = "acceptance_remove",
    security(("key" = ["vendor:write"])),
    params(IssuerPath, Repeatable),
    responses(
        (status = 204, description = "They are not taken"),
        (status = 404, description = "No such vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "One of the two belongs to no mall, or to another one", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn refuse(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(IssuerPath { vendor }): Path<IssuerPath>,
) -> Result<Response> {
    let route = "DELETE /v1/mall/acceptance/{vendor}";
    set_acceptance(app, caller, key, route, vendor, false).await
}

/// What is to be exchanged.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "hearth-and-fern", "tokens": "1"}))]
struct ExchangeWantedBody {
    /// The short name of the vendor whose tokens are wanted.
    #[schema(min_length = 2, max_length = 40)]
    to: field::Text<2, 40, false>,
    /// How many tokens are given.
    tokens: Decimal,
}

/// What an exchange comes to.
#[derive(Debug, Serialize, ToSchema)]
struct ExchangeQuoteBody {
    /// Under which it can be done until it lapses.
    exchange_id: field::Exchange,
    /// Whose tokens.
    customer_id: field::Customer,
    /// Tokens given.
    gives: Money,
    /// What one of them is worth.
    value_from: Money,
    /// What one of the others is worth.
    value_to: Money,
    /// What it costs; it is in the figures already.
    charge: Money,
    /// Tokens received.
    receives: Money,
    /// Until when this holds.
    expires_at: Moment,
}

/// Both tokens and the currency in which they are compared.
struct Assets {
    own: Asset,
    other: Asset,
    currency: Asset,
}

fn assets(tx: &mut dyn Read, own: &Vendor, other_book: i64) -> std::result::Result<Assets, Failed> {
    let other = vendor_by_book(tx, other_book)?;
    Ok(Assets {
        own: own.token.clone(),
        other: other.token,
        currency: own.currency.clone(),
    })
}

impl ExchangeQuoteBody {
    fn new(quote: &ExchangeQuote, assets: &Assets) -> ExchangeQuoteBody {
        let money = |amount: Amount| Money::new(amount, &assets.currency);
        ExchangeQuoteBody {
            exchange_id: field::Id(quote.exchange_id),
            customer_id: field::Id(quote.customer_id),
            gives: Money::new(quote.tokens, &assets.own),
            value_from: money(quote.value_from),
            value_to: money(quote.value_to),
            charge: money(quote.charge),
            receives: Money::new(quote.receives, &assets.other),
            expires_at: Moment(Timestamp(quote.expires_at)),
        }
    }
}

/// Ask what an exchange comes to
///
/// Nothing moves. The rates are those of this moment and hold until the quote lapses.
#[utoipa::path(
    post, path = "/v1/customers/{id}/exchange-quotes", tag = "mall",
    operation_id = "exchange_quote",
    security(("key" = ["orders:write"])),
    params(CustomerPath, Repeatable),
    request_body = ExchangeWantedBody,
    responses(
        (status = 201, description = "The quote", body = ExchangeQuoteBody),
        (status = 404, description = "No such customer or vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Tokens cannot pass between the two now", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn quote(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<ExchangeWantedBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let tokens = body.tokens.of(&vendor.token)?;
    let request = (
        "POST /v1/customers/{id}/exchange-quotes",
        &(id, body.clone()),
    );
    let own = vendor.clone();
    let quoted = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let target = vendor_by_slug(tx, &body.to.0)?;
        let quote = exchange_quote(tx, actor, &own, id.0, target.book_id, tokens)?;
        Ok::<_, Failed>(quote)
    });
    let quoted = quoted.await?;
    let target = quoted.value.target_book;
    let assets = app.read(move |tx| assets(tx, &vendor, target)).await?;
    let body = ExchangeQuoteBody::new(&quoted.value, &assets);
    Ok(answer(StatusCode::CREATED, &body, quoted.replayed))
}

/// Which quote is taken.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExchangeTakeBody {
    /// The quote.
    exchange_id: field::Exchange,
}

/// An exchange that was done.
#[derive(Debug, Serialize, ToSchema)]
struct ExchangeBody {
    /// What was promised, and kept.
    #[serde(flatten)]
    quote: ExchangeQuoteBody,
    /// Tokens that the customer has left.
    left: Money,
    /// The customer's account number at the other vendor.
    #[schema(example = "2 1000 0012 34")]
    account_there: String,
}

/// Exchange tokens
///
/// Does what a quote promised. The customer needs no registration at the other vendor: an account
/// is opened there at the first exchange.
#[utoipa::path(
    post, path = "/v1/exchanges", tag = "mall", operation_id = "exchange",
    security(("key" = ["orders:write"])),
    params(Repeatable),
    request_body = ExchangeTakeBody,
    responses(
        (status = 201, description = "Exchanged", body = ExchangeBody),
        (status = 404, description = "No such quote", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The quote lapsed or was used, or tokens cannot pass now", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn exchange(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<ExchangeTakeBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let (own, vault, id) = (vendor.clone(), app.node.vault.clone(), body.exchange_id.0);
    let request = ("POST /v1/exchanges", &body);
    let done = submit(&app, &caller, key, request, None, move |tx| {
        Ok::<Exchanged, Failed>(exchange_do(tx, &vault, actor, &own, id)?)
    });
    let done = done.await?;
    let target = done.value.quote.target_book;
    let own = vendor.clone();
    let assets = app.read(move |tx| assets(tx, &own, target)).await?;
    let body = ExchangeBody {
        quote: ExchangeQuoteBody::new(&done.value.quote, &assets),
        left: Money::new(done.value.left, &vendor.token),
        account_there: done.value.number.to_string(),
    };
    Ok(answer(StatusCode::CREATED, &body, done.replayed))
}
