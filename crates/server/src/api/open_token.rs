//! Open tokens: issuing them, what a customer holds, what manufacturers make (OPN-10 to OPN-14).

use super::auth::{CustomersRead, May, TokensWrite, VendorRead, VendorWrite};
use super::bounded::Whole;
use super::customer::CustomerPath;
use super::field::{self, Decimal, Line100, Moment, words};
use super::shape::{Money, ProblemBody};
use super::{IdempotencyKey, Repeatable, answer, done, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::customer_by_id;
use scrip_domain::gift::gifts_held;
use scrip_domain::mall::{mall_by_book, members, membership};
use scrip_domain::open_token::{
    NewOpen, OpenKind, group_by_slug, group_members, groups, holdings, open_discount_set,
    open_issue, open_pay_off, outstanding, product_delist, product_list, products,
};
use scrip_domain::vendor::{vendor_by_book, vendor_by_slug};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{Amount, Asset, Origin};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    OpenKindWord: OpenKind, ["universal", "m1", "m2", "group", "gift"];
}

/// How tokens come to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpenOrigin {
    /// The money is in hand.
    Paid,
    /// The customer owes it.
    Credit,
    /// Given.
    Free,
}

impl From<OpenOrigin> for Origin {
    fn from(origin: OpenOrigin) -> Origin {
        match origin {
            OpenOrigin::Paid => Origin::Paid,
            OpenOrigin::Credit => Origin::Credit,
            OpenOrigin::Free => Origin::Free,
        }
    }
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(issue))
        .routes(routes!(pay_off))
        .routes(routes!(discount))
        .routes(routes!(held))
        .routes(routes!(state))
        .routes(routes!(list, delist))
}

/// Open tokens to be issued.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": "cus_01kb3v8z9mfxmr4x1qk2s7b0de", "kind": "universal", "tokens": "25",
    "origin": "paid",
}))]
struct OpenIssueBody {
    /// Who gets them.
    customer_id: field::Customer,
    /// The short name of the member whose customer it is; this vendor unless given.
    home: Option<Line100>,
    /// What kind. `m1` and `m2` are for manufacturers; certificates have a route of their own.
    kind: OpenKindWord,
    /// The short name of the group, for its tokens.
    group: Option<Line100>,
    /// How many: each is worth one of the mall's currency.
    tokens: Decimal,
    /// Whether they are paid for.
    origin: OpenOrigin,
    /// When they expire; never unless given.
    expires_at: Option<Moment>,
}

/// Open tokens that were issued.
#[derive(Debug, Serialize, ToSchema)]
struct OpenIssueAnswer {
    /// By which those on credit are paid off.
    grant_id: i64,
    /// How many.
    tokens: Money,
    /// What they cost the customer.
    price: Money,
}

/// Issue open tokens
///
/// They stand in the mall's book, and this vendor owes them: when they are spent at another member,
/// it pays.
#[utoipa::path(
    post, path = "/v1/open-tokens", tag = "open tokens", operation_id = "open_issue",
    security(("key" = ["tokens:write"])),
    params(Repeatable),
    request_body = OpenIssueBody,
    responses(
        (status = 201, description = "Issued", body = OpenIssueAnswer),
        (status = 404, description = "No such customer, member or group", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "This vendor may not issue them now", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn issue(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<OpenIssueBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let tokens = body.tokens.of(&vendor.currency)?;
    let request = ("POST /v1/open-tokens", &body.clone());
    let currency = vendor.currency.clone();
    let issued = submit(&app, &caller, key, request, None, move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let home = match &body.home {
            Some(slug) => vendor_by_slug(tx, &slug.0)?.book_id,
            None => vendor.book_id,
        };
        let customer = customer_by_id(tx, home, body.customer_id.0)?;
        let group = match &body.group {
            Some(slug) => Some(group_by_slug(tx, &mall, &slug.0)?),
            None => None,
        };
        let new = NewOpen {
            kind: body.kind.0,
            group,
            tokens,
            origin: body.origin.into(),
            expires_at: body.expires_at.map_or(Timestamp::NEVER, |at| at.0),
        };
        let issued = open_issue(tx, actor, (&mall, &member, &vendor), &customer, &new)?;
        Ok::<(i64, Amount, Amount), Failed>((issued.grant_id, issued.tokens, issued.price))
    });
    let issued = issued.await?;
    let (grant_id, tokens, price) = issued.value;
    let body = OpenIssueAnswer {
        grant_id,
        tokens: Money::new(tokens, &currency),
        price: Money::new(price, &currency),
    };
    Ok(answer(StatusCode::CREATED, &body, issued.replayed))
}

/// Tokens on credit that were paid.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenPaidBody {
    /// The grant.
    grant_id: Whole<1, { i64::MAX }>,
}

/// What was paid.
#[derive(Debug, Serialize, ToSchema)]
struct OpenPaidAnswer {
    /// The money.
    paid: Money,
}

/// Note that open tokens were paid for
///
/// Tokens issued on credit count as paid from now on.
#[utoipa::path(
    post, path = "/v1/open-tokens/payments", tag = "open tokens", operation_id = "open_pay_off",
    security(("key" = ["tokens:write"])),
    params(Repeatable),
    request_body = OpenPaidBody,
    responses(
        (status = 201, description = "Noted", body = OpenPaidAnswer),
        (status = 409, description = "Nothing is owed for them", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn pay_off(
    May(caller, ..): May<TokensWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<OpenPaidBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let currency = vendor.currency.clone();
    let (request, grant) = (("POST /v1/open-tokens/payments", &body), body.grant_id.0);
    let paid = submit(&app, &caller, key, request, None, move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        Ok::<Amount, Failed>(open_pay_off(tx, actor, (&mall, &vendor), grant)?)
    });
    let paid = paid.await?;
    let body = OpenPaidAnswer {
        paid: Money::new(paid.value, &currency),
    };
    Ok(answer(StatusCode::CREATED, &body, paid.replayed))
}

/// By how much tokens are sold below what they buy.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "m1", "percent": "10"}))]
struct OpenDiscountBody {
    /// Which tokens.
    kind: OpenKindWord,
    /// The group, for its tokens.
    group: Option<Line100>,
    /// The discount, with up to four decimals.
    percent: Decimal,
}

/// Hundredths of a percent of a percent: four decimals.
pub fn ppm(percent: &Decimal) -> Result<i64> {
    let millionths = Asset {
        asset_id: 0,
        code: "percent".to_owned(),
        kind: scrip_ledger::AssetKind::Currency,
        book_id: None,
        scale: 4,
    };
    Ok(percent.of(&millionths)?.units())
}

/// Set the discount of open tokens
///
/// It holds for what this vendor sells of them from now on.
#[utoipa::path(
    put, path = "/v1/open-tokens/discount", tag = "open tokens", operation_id = "open_discount_set",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = OpenDiscountBody,
    responses(
        (status = 204, description = "Set"),
        (status = 409, description = "This vendor may not issue them", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn discount(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<OpenDiscountBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let ppm = ppm(&body.percent)?;
    let request = ("PUT /v1/open-tokens/discount", &body.clone());
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let group = match &body.group {
            Some(slug) => Some(group_by_slug(tx, &mall, &slug.0)?),
            None => None,
        };
        let (of, kind) = ((&mall, &member, vendor.as_ref()), (body.kind.0, group));
        Ok::<_, Failed>(open_discount_set(tx, actor, of, kind, ppm)?)
    });
    Ok(done(set.await?.replayed))
}

/// What a customer holds of a kind, owed by one member.
#[derive(Debug, Serialize, ToSchema)]
struct HeldBody {
    /// What kind.
    kind: OpenKindWord,
    /// The short name of the member that owes them.
    debtor: String,
    /// What can be spent.
    available: Money,
    /// Of all of it: what was paid for.
    paid: Money,
    /// What is owed for.
    credit: Money,
    /// What was given.
    free: Money,
}

/// A gift certificate that a customer holds.
#[derive(Debug, Serialize, ToSchema)]
struct HeldGift {
    /// The certificate.
    certificate_id: field::Certificate,
    /// The short name of its issuer.
    issuer: String,
    /// What it is worth.
    face: Money,
    /// Until when it can be spent; null for ever.
    expires_at: Option<Moment>,
}

/// Everything open that a customer holds.
#[derive(Debug, Serialize, ToSchema)]
struct HeldAnswer {
    /// Tokens.
    tokens: Vec<HeldBody>,
    /// Gift certificates.
    gifts: Vec<HeldGift>,
}

/// See a customer's open tokens
///
/// Certificates that have expired are left out. Paid, credit and free tokens come to the balance.
#[utoipa::path(
    get, path = "/v1/customers/{id}/open-tokens", tag = "open tokens", operation_id = "open_tokens",
    security(("key" = ["customers:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "What the customer holds", body = HeldAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn held(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<HeldAnswer>> {
    let vendor = app.vendor(caller.book()).await?;
    let held = app.read(move |tx| {
        customer_by_id(tx, vendor.book_id, id.0)?;
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let now = tx.now();
        let money = |amount| Money::new(amount, &mall.currency);
        let mut tokens = Vec::new();
        for holding in holdings(tx, &mall, vendor.book_id, id.0)? {
            let origins = holding.by_origin()?;
            let of = |origin| money(origins.get(&origin).copied().unwrap_or_default());
            tokens.push(HeldBody {
                kind: field::Named(holding.token.kind),
                debtor: vendor_by_book(tx, holding.debtor)?.slug,
                available: money(holding.usable(now)?),
                paid: of(Origin::Paid),
                credit: of(Origin::Credit),
                free: of(Origin::Free),
            });
        }
        let mut gifts = Vec::new();
        for gift in gifts_held(tx, &mall, vendor.book_id, id.0)? {
            gifts.push(HeldGift {
                certificate_id: field::Id(gift.id),
                issuer: vendor_by_book(tx, gift.issuer)?.slug,
                face: money(gift.face),
                expires_at: ends(gift.expires_at),
            });
        }
        Ok::<_, Failed>(HeldAnswer { tokens, gifts })
    });
    Ok(axum::Json(held.await?))
}

/// A time that may never come.
pub fn ends(at: Timestamp) -> Option<Moment> {
    (at != Timestamp::NEVER).then_some(Moment(at))
}

/// Tokens of a kind that are out.
#[derive(Debug, Serialize, ToSchema)]
struct OutBody {
    /// What kind.
    kind: OpenKindWord,
    /// The group; null outside groups.
    group: Option<String>,
    /// The short name of the member that owes them.
    debtor: String,
    /// How many customers hold.
    outstanding: Money,
}

/// A group of members.
#[derive(Debug, Serialize, ToSchema)]
struct GroupBody {
    /// Its short name.
    group: String,
    /// Its name for people.
    name: String,
    /// The short names of those that belong to it now.
    members: Vec<String>,
}

/// A product on a manufacturer's list.
#[derive(Debug, Serialize, ToSchema)]
struct ListedBody {
    /// The stock-keeping unit under which members sell it.
    sku: String,
    /// The short name of the manufacturer.
    maker: String,
    /// How much of its price discount tokens may pay, in percent.
    #[schema(example = "20")]
    cap_percent: String,
}

/// What the mall keeps of open tokens.
#[derive(Debug, Serialize, ToSchema)]
struct OpenStateBody {
    /// What is out.
    tokens: Vec<OutBody>,
    /// The groups.
    groups: Vec<GroupBody>,
    /// What manufacturers make.
    products: Vec<ListedBody>,
}

/// See the mall's open tokens
///
/// What is out of each kind and who owes it, the groups, and the manufacturers' products.
#[utoipa::path(
    get, path = "/v1/mall/open-tokens", tag = "open tokens", operation_id = "mall_open_tokens",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "What the mall keeps", body = OpenStateBody),
        (status = 409, description = "The vendor belongs to no mall", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn state(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<OpenStateBody>> {
    let vendor = app.vendor(caller.book()).await?;
    let state = app.read(move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let named = members(tx, &mall)?;
        let name = |book: i64| {
            let found = named.iter().find(|member| member.book_id == book);
            found.map_or_else(String::new, |member| member.slug.clone())
        };
        let all = groups(tx, &mall)?;
        let now = tx.now();
        let joined = group_members(tx, &mall)?;
        let tokens = outstanding(tx, &mall)?.into_iter();
        let tokens = tokens.map(|(token, debtor, out)| OutBody {
            kind: field::Named(token.kind),
            group: all
                .iter()
                .find(|group| group.group_no == token.group_no)
                .map(|group| group.slug.clone()),
            debtor: name(debtor),
            outstanding: Money::new(out, &mall.currency),
        });
        let tokens = tokens.collect();
        let groups = all.iter().map(|group| GroupBody {
            group: group.slug.clone(),
            name: group.name.clone(),
            members: joined
                .iter()
                .filter(|m| m.group_no == group.group_no)
                .filter(|m| m.joins_at <= now && m.leaves_at > now)
                .map(|m| name(m.member_book))
                .collect(),
        });
        let products = products(tx, &mall)?.into_iter();
        let products = products.map(|listed| ListedBody {
            maker: name(listed.maker_book),
            cap_percent: Amount::from_units(listed.cap_ppm).decimal(4),
            sku: listed.sku,
        });
        Ok::<_, Failed>(OpenStateBody {
            tokens,
            groups: groups.collect(),
            products: products.collect(),
        })
    });
    Ok(axum::Json(state.await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct CodePath {
    /// The stock-keeping unit under which members sell the product.
    #[param(example = "software-a", min_length = 1, max_length = 100)]
    code: String,
}

/// How a product is listed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cap_percent": "20"}))]
struct ListBody {
    /// How much of its price discount tokens may pay, in percent.
    cap_percent: Decimal,
}

/// List a product of this manufacturer
///
/// Its tokens pay for it from the next order on, wherever a member sells it under this stock-keeping
/// unit.
#[utoipa::path(
    put, path = "/v1/mall/products/{code}", tag = "open tokens", operation_id = "product_list",
    security(("key" = ["vendor:write"])),
    params(CodePath, Repeatable),
    request_body = ListBody,
    responses(
        (status = 204, description = "Listed"),
        (status = 409, description = "No manufacturer, or another one lists it", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CodePath { code: sku }): Path<CodePath>,
    Json(body): Json<ListBody>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let cap = ppm(&body.cap_percent)?;
    let request = ("PUT /v1/mall/products/{code}", &(sku.clone(), body));
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        let of = (&mall, &member, vendor.as_ref());
        Ok::<_, Failed>(product_list(tx, actor, of, (&sku, cap))?)
    });
    Ok(done(set.await?.replayed))
}

/// Take a product off this manufacturer's list
///
/// From the next order on its tokens do not pay for it.
#[utoipa::path(
    delete, path = "/v1/mall/products/{code}", tag = "open tokens", operation_id = "product_delist",
    security(("key" = ["vendor:write"])),
    params(CodePath, Repeatable),
    responses(
        (status = 204, description = "Off the list"),
        (status = 404, description = "It is not on the list", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn delist(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CodePath { code: sku }): Path<CodePath>,
) -> Result<Response> {
    let actor = caller.actor();
    let vendor = app.vendor(caller.book()).await?;
    let request = ("DELETE /v1/mall/products/{code}", &sku.clone());
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let member = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, member.mall_book)?;
        Ok::<_, Failed>(product_delist(tx, actor, (&mall, &member), &sku)?)
    });
    Ok(done(set.await?.replayed))
}

/// A problem when a customer of a vendor without a mall asks for what a mall has.
pub fn no_gift_code() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "gift_code_unknown",
        "no certificate has this code, or it was entered or spent before: look at it again, letter \
         by letter",
    )
}
