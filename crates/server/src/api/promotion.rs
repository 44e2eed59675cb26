//! Promotions and coupons (ADV-06).

use super::auth::{May, VendorRead, VendorWrite};
use super::bounded::{List, Whole};
use super::field::{self, Decimal, Moment, OptionalLine60, OptionalLine200, Text, words};
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::id::PromotionId;
use scrip_domain::order::QuoteCoupon;
use scrip_domain::promotion::{
    CouponFault, CouponKey, CouponTerms, Cut, Line, NewPromotion, Off, Promotion, State as Stands,
    Terms, codes_count, codes_issue, promotion_by_id, promotion_put, promotion_stop, promotions,
    scope_in_words, scope_read,
};
use scrip_domain::promotion::{PromotionError, Scope};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_domain::{Amount, Answer};
use scrip_engine::{Read, ReadTx, Timestamp};
use scrip_ledger::Asset;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change))
        .routes(routes!(stop))
        .routes(routes!(issue))
}

type Name60 = Text<1, 60, false>;
type Uses = Whole<1, 1_000_000_000>;
type Rate = Whole<1, 10_000>;
/// Of another length than other lists, so that it has a name of its own in the document.
type Name250 = Text<1, 250, false>;
type Names = List<Name250, 1, 500>;

words! {
    PromotionStateWord: Stands, Stands::ALL.iter().map(|s| s.name()).collect::<Vec<_>>();
}

/// What a promotion or the coupon takes off a line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OffBody {
    /// The promotion.
    promotion_id: field::Promotion,
    /// Its name.
    name: String,
    /// Tokens off one, or off the tier.
    each: Money,
    /// Tokens off the line.
    amount: Money,
}

/// What comes off, in its JSON shape.
pub fn off(off: Off, token: &Asset) -> OffBody {
    OffBody {
        promotion_id: field::Id(off.promotion_id),
        each: Money::new(off.each, token),
        amount: Money::new(off.amount, token),
        name: off.name,
    }
}

/// What came off an order.
pub fn off_kept(off: Line, token: &Asset) -> OffBody {
    OffBody {
        promotion_id: field::Id(off.promotion_id),
        each: Money::new(off.each, token),
        amount: Money::new(off.amount, token),
        name: off.name,
    }
}

/// The price without what comes off it.
pub fn list_price(price: Amount, off: impl Iterator<Item = Amount>, token: &Asset) -> Money {
    let list = Amount::sum(off).and_then(|off| off.plus(price));
    Money::new(list.unwrap_or(price), token)
}

/// The key of a coupon that a body names; an empty text is none.
pub fn coupon_key(app: &App, book: i64, code: Option<&OptionalLine60>) -> Option<CouponKey> {
    let code = code.map(|code| code.0.trim()).filter(|c| !c.is_empty())?;
    Some(CouponKey::of(&app.node.vault, book, code))
}

/// Why a coupon takes nothing off, as a word for programs.
pub fn why(fault: &CouponFault) -> serde_json::Value {
    serde_json::to_value(fault)
        .ok()
        .and_then(|mut all| all.get_mut("why").map(serde_json::Value::take))
        .unwrap_or_default()
}

/// What became of a coupon.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CouponSeen {
    /// Its name; empty where no coupon has the code.
    name: String,
    /// What it takes off all lines; nothing where promotions take off more.
    off: Money,
    /// Why it takes nothing off: `unknown`, `too_many`, `not_yet`, `over`, `used_up`,
    /// `used_by_you`, `not_for_you`, `too_small`, `not_for_these`; null when it is good.
    #[schema(value_type = Option<String>)]
    why: Option<serde_json::Value>,
    /// The same in words; null when it is good.
    problem: Option<String>,
}

impl CouponSeen {
    /// In its JSON shape.
    pub fn new(coupon: &QuoteCoupon, token: &Asset) -> CouponSeen {
        CouponSeen {
            name: coupon.name.clone(),
            off: Money::new(coupon.off, token),
            why: coupon.fault.as_ref().map(why),
            problem: coupon
                .fault
                .as_ref()
                .map(|f| crate::error::sentence(&f.to_string())),
        }
    }
}

/// What makes a promotion a coupon.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"code": "AUTUMN10"}))]
struct CouponBody {
    /// The one code for everybody, 4 to 24 letters and digits. Without one, codes are issued that
    /// are good once.
    code: Option<OptionalLine60>,
    /// Who pays for it, and whose products alone it is good for; without one, you do.
    manufacturer: Option<OptionalLine200>,
    /// True when it comes off a promotion's price too; otherwise the better of the two counts.
    combinable: Option<bool>,
}

/// A promotion, or a coupon. It takes off a rate, or so many tokens each, or sets a price: one of
/// the three. It is for all products, or for those of categories, of manufacturers, or those named.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Autumn sale",
    "begins_at": "2026-11-21T00:00:00Z",
    "ends_at": "2027-12-05T23:00:00Z",
    "rate": 1000,
}))]
struct PromotionBody {
    /// Its name; customers see it.
    name: Name60,
    /// From when on it holds; without it, from now on.
    begins_at: Option<Moment>,
    /// Until when.
    ends_at: Moment,
    /// A rate off, in basis points (1000 is 10 %).
    rate: Option<Rate>,
    /// Tokens off each piece.
    each: Option<Decimal>,
    /// The price of each piece in tokens.
    price: Option<Decimal>,
    /// Only products of these categories.
    categories: Option<Names>,
    /// Only products of these manufacturers.
    manufacturers: Option<Names>,
    /// Only these: handles of products, or stock-keeping units.
    products: Option<Names>,
    /// True when it is for preferred customers only.
    preferred_only: Option<bool>,
    /// Orders that one customer may use it for; without it, any number.
    per_customer: Option<Uses>,
    /// Orders that all together may use it for; without it, any number.
    in_total: Option<Uses>,
    /// What an order comes to at least, in tokens at the prices without promotions.
    minimum: Option<Decimal>,
    /// What makes it a coupon; without it, it needs no code.
    coupon: Option<CouponBody>,
}

fn one_of(problem: &'static str) -> Problem {
    Problem::invalid("promotion_invalid", problem)
}

impl PromotionBody {
    fn cut(&self, token: &Asset) -> Result<Cut> {
        match (self.rate, &self.each, &self.price) {
            (Some(rate), None, None) => Ok(Cut::Rate(rate.0)),
            (None, Some(each), None) => Ok(Cut::Each(each.of(token)?)),
            (None, None, Some(price)) => Ok(Cut::Price(price.of(token)?)),
            _ => Err(one_of("a promotion has one of rate, each and price")),
        }
    }

    fn scope(&self, tx: &mut dyn Read, book: i64) -> Result<Scope> {
        let names = |list: &Names| list.0.iter().map(|l| l.0.clone()).collect();
        match (&self.categories, &self.manufacturers, &self.products) {
            (None, None, None) => Ok(Scope::All),
            (Some(list), None, None) => Ok(Scope::Categories(names(list))),
            (None, Some(list), None) => Ok(Scope::Manufacturers(names(list))),
            (None, None, Some(list)) => {
                let named: Vec<String> = names(list);
                Ok(scope_read(tx, book, &named)?)
            }
            _ => Err(one_of(
                "a promotion names one of categories, manufacturers and products",
            )),
        }
    }

    fn terms(self, tx: &mut dyn Read, vendor: &Vendor) -> Result<Terms> {
        let (cut, scope) = (self.cut(&vendor.token)?, self.scope(tx, vendor.book_id)?);
        let begins_at = self.begins_at.map_or(tx.now(), |at| at.0);
        Ok(Terms {
            name: self.name.0,
            begins_at: begins_at.0,
            ends_at: self.ends_at.0.0,
            scope,
            cut,
            preferred_only: self.preferred_only.unwrap_or_default(),
            per_customer: self.per_customer.map_or(0, |n| n.0),
            in_total: self.in_total.map_or(0, |n| n.0),
            minimum: match self.minimum {
                Some(minimum) => minimum.of(&vendor.token)?,
                None => Amount::ZERO,
            },
            coupon: self.coupon.map(|coupon| CouponTerms {
                manufacturer: coupon.manufacturer.unwrap_or_default().0,
                combinable: coupon.combinable.unwrap_or_default(),
                code: coupon.code.unwrap_or_default().0,
            }),
        })
    }
}

/// What makes a promotion a coupon.
#[derive(Debug, Serialize, ToSchema)]
struct CouponAnswer {
    /// The one code for everybody; null where codes are good once.
    code: Option<String>,
    /// Who pays for it; null for you.
    manufacturer: Option<String>,
    /// True when it comes off a promotion's price too.
    combinable: bool,
    /// Codes that were issued and are good once.
    codes_issued: i64,
    /// Those of them that are used.
    codes_used: i64,
}

/// A promotion, or a coupon.
#[derive(Debug, Serialize, ToSchema)]
struct PromotionAnswer {
    /// The promotion.
    promotion_id: field::Promotion,
    /// Counts its changes: who changes it says which version was seen.
    version: i64,
    /// Where it stands.
    state: PromotionStateWord,
    /// Its name.
    name: String,
    /// From when on it holds.
    begins_at: Moment,
    /// Until when.
    ends_at: Moment,
    /// When it was stopped.
    stopped_at: Option<Moment>,
    /// A rate off, in basis points.
    rate: Option<i64>,
    /// Tokens off each piece.
    each: Option<Money>,
    /// The price of each piece.
    price: Option<Money>,
    /// Only products of these categories; null for others.
    categories: Option<Vec<String>>,
    /// Only products of these manufacturers; null for others.
    manufacturers: Option<Vec<String>>,
    /// Only these handles and stock-keeping units; null for others.
    products: Option<Vec<String>>,
    /// True when it is for preferred customers only.
    preferred_only: bool,
    /// Orders that one customer may use it for; null for any number.
    per_customer: Option<i64>,
    /// Orders that all together may use it for; null for any number.
    in_total: Option<i64>,
    /// What an order comes to at least.
    minimum: Money,
    /// What makes it a coupon; null for one without a code.
    coupon: Option<CouponAnswer>,
}

fn shown(
    tx: &mut ReadTx<'_>,
    vendor: &Vendor,
    promotion: Promotion,
) -> std::result::Result<PromotionAnswer, PromotionError> {
    let (book, token) = (vendor.book_id, &vendor.token);
    let names = scope_in_words(tx, book, &promotion.terms.scope)?;
    let state = promotion.state(tx.now());
    let count = match promotion.is_coupon() {
        true => codes_count(tx, book, promotion.id)?,
        false => scrip_domain::promotion::CodeCount::default(),
    };
    let terms = promotion.terms;
    let kept = |is: bool| is.then(|| names.clone());
    let limit = |n: i64| (n > 0).then_some(n);
    let (rate, each, price) = match terms.cut {
        Cut::Rate(rate) => (Some(rate), None, None),
        Cut::Each(each) => (None, Some(Money::new(each, token)), None),
        Cut::Price(price) => (None, None, Some(Money::new(price, token))),
    };
    Ok(PromotionAnswer {
        promotion_id: field::Id(promotion.id),
        version: promotion.version,
        state: field::Named(state),
        name: terms.name,
        begins_at: Moment(Timestamp(terms.begins_at)),
        ends_at: Moment(Timestamp(terms.ends_at)),
        stopped_at: promotion.stopped_at.map(Moment),
        rate,
        each,
        price,
        categories: kept(matches!(terms.scope, Scope::Categories(_))),
        manufacturers: kept(matches!(terms.scope, Scope::Manufacturers(_))),
        products: kept(matches!(terms.scope, Scope::Chosen { .. })),
        preferred_only: terms.preferred_only,
        per_customer: limit(terms.per_customer),
        in_total: limit(terms.in_total),
        minimum: Money::new(terms.minimum, token),
        coupon: terms.coupon.map(|coupon| CouponAnswer {
            code: Some(coupon.code).filter(|code| !code.is_empty()),
            manufacturer: Some(coupon.manufacturer).filter(|name| !name.is_empty()),
            combinable: coupon.combinable,
            codes_issued: count.issued,
            codes_used: count.used,
        }),
    })
}

/// List promotions
///
/// Promotions and coupons, newest first, those too that are over.
#[utoipa::path(
    get, path = "/v1/promotions", tag = "promotions", operation_id = "promotions",
    security(("key" = ["vendor:read"])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of promotions", body = Page<PromotionAnswer>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<PromotionAnswer>>> {
    let (book, limit) = (caller.book(), query.limit()?);
    let before: Option<PromotionId> = cursor(query.cursor.as_deref())?;
    let read = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let page = promotions(tx, book, before, limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for promotion in page.items {
            items.push(shown(tx, &vendor, promotion)?);
        }
        Ok::<_, Failed>(Page {
            items,
            next: page.next.map(|id| id.to_string()),
        })
    });
    Ok(axum::Json(read.await?))
}

async fn read(app: &App, book: i64, id: PromotionId) -> Result<PromotionAnswer> {
    app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let promotion = promotion_by_id(tx, book, id)?;
        Ok::<_, Failed>(shown(tx, &vendor, promotion)?)
    })
    .await
}

/// The promotion as it stands; what is stored under the key is its id.
async fn promotion_answer(
    app: &App,
    book: i64,
    status: StatusCode,
    done: Answer<PromotionId>,
) -> Result<Response> {
    let body = read(app, book, done.value).await?;
    Ok(answer(status, &body, done.replayed))
}

/// Create a promotion
///
/// Or a coupon. It is applied by itself to what it is for, between its dates: per line the best
/// single price counts, unless your policy lets promotions add up.
#[utoipa::path(
    post, path = "/v1/promotions", tag = "promotions", operation_id = "promotion_create",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = PromotionBody,
    responses(
        (status = 201, description = "Created", body = PromotionAnswer),
        (status = 409, description = "Another coupon has the code, or there are too many", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such promotion can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn create(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<PromotionBody>,
) -> Result<Response> {
    let (book, request) = (caller.book(), body.clone());
    let request = ("POST /v1/promotions", &request);
    let done = put(&app, &caller, key, request, (body, None)).await?;
    promotion_answer(&app, book, StatusCode::CREATED, done).await
}

/// Makes or changes a promotion, with its names looked up in the same transaction.
async fn put(
    app: &App,
    caller: &super::auth::Caller,
    key: IdempotencyKey,
    request: (&str, &impl Serialize),
    (body, change): (PromotionBody, Option<(PromotionId, i64)>),
) -> Result<Answer<PromotionId>> {
    let (book, actor, vault) = (caller.book(), caller.actor(), app.node.vault.clone());
    submit(app, caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let terms = body.clone().terms(tx, &vendor)?;
        let new = NewPromotion { change, terms };
        Ok::<_, Failed>(promotion_put(tx, &vault, actor, &vendor, &new)?.id)
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PromotionPath {
    /// The promotion.
    #[param(inline)]
    id: field::Promotion,
}

/// See a promotion
///
/// Its terms and where it stands; of a coupon also how many of its codes are used.
#[utoipa::path(
    get, path = "/v1/promotions/{id}", tag = "promotions", operation_id = "promotion",
    security(("key" = ["vendor:read"])),
    params(PromotionPath),
    responses(
        (status = 200, description = "The promotion", body = PromotionAnswer),
        (status = 404, description = "No such promotion of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn show(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
    Path(PromotionPath { id }): Path<PromotionPath>,
) -> Result<axum::Json<PromotionAnswer>> {
    Ok(axum::Json(read(&app, caller.book(), id.0).await?))
}

/// A changed promotion.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"version": 1, "promotion": {
    "name": "Autumn sale", "ends_at": "2027-12-05T23:00:00Z", "rate": 1500,
}}))]
struct PromotionChange {
    /// The version that was seen: of two who change it at once, the second one is told.
    #[schema(minimum = 1)]
    version: i64,
    /// What it is from now on, all of it.
    promotion: PromotionBody,
}

/// Change a promotion
///
/// As long as it has not begun.
#[utoipa::path(
    put, path = "/v1/promotions/{id}", tag = "promotions", operation_id = "promotion_change",
    security(("key" = ["vendor:write"])),
    params(PromotionPath, Repeatable),
    request_body = PromotionChange,
    responses(
        (status = 200, description = "Changed", body = PromotionAnswer),
        (status = 404, description = "No such promotion of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It has begun, or somebody changed it meanwhile", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such promotion can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn change(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(PromotionPath { id }): Path<PromotionPath>,
    Json(body): Json<PromotionChange>,
) -> Result<Response> {
    let (book, request) = (caller.book(), (id, body.clone()));
    let request = ("PUT /v1/promotions/{id}", &request);
    let change = Some((id.0, body.version));
    let done = put(&app, &caller, key, request, (body.promotion, change)).await?;
    promotion_answer(&app, book, StatusCode::OK, done).await
}

/// Stop a promotion
///
/// From now on it takes nothing off. Orders that had it keep what they paid.
#[utoipa::path(
    post, path = "/v1/promotions/{id}/stop", tag = "promotions", operation_id = "promotion_stop",
    security(("key" = ["vendor:write"])),
    params(PromotionPath, Repeatable),
    responses(
        (status = 200, description = "Stopped, or over", body = PromotionAnswer),
        (status = 404, description = "No such promotion of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn stop(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(PromotionPath { id }): Path<PromotionPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("POST /v1/promotions/{id}/stop", &id);
    let done = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(promotion_stop(tx, actor, &vendor, id.0)?.id)
    });
    promotion_answer(&app, book, StatusCode::OK, done.await?).await
}

/// How many codes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"count": 10}))]
struct CodesBody {
    /// Codes to make.
    count: Whole<1, 5_000>,
}

/// Codes that are good once.
#[derive(Debug, Serialize, ToSchema)]
struct CodesAnswer {
    /// The codes. They are told this once: keep them.
    codes: Vec<String>,
}

/// Issue codes of a coupon
///
/// Each is good for one order. Only their hashes are kept, so they are told this once; repeated
/// under the same key within two days, the same codes are answered.
#[utoipa::path(
    post, path = "/v1/promotions/{id}/codes", tag = "promotions", operation_id = "coupon_codes_issue",
    security(("key" = ["vendor:write"])),
    params(PromotionPath, Repeatable),
    request_body = CodesBody,
    responses(
        (status = 201, description = "The codes", body = CodesAnswer),
        (status = 404, description = "No such promotion of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It has a code for everybody, needs none, or is over", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn issue(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(PromotionPath { id }): Path<PromotionPath>,
    Json(body): Json<CodesBody>,
) -> Result<Response> {
    let (book, actor, vault) = (caller.book(), caller.actor(), app.node.vault.clone());
    let request = ("POST /v1/promotions/{id}/codes", &(id, body));
    let made = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let count = body.count.0;
        Ok::<_, Failed>(codes_issue(tx, &vault, actor, &vendor, id.0, count)?)
    });
    let made = made.await?;
    let codes = CodesAnswer { codes: made.value };
    Ok(answer(StatusCode::CREATED, &codes, made.replayed))
}
