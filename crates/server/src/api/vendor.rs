//! The vendor: its settings, its storefront, the price of its token, its staff (TOK-01, MIC-02).

use super::auth::{May, VendorRead, VendorWrite};
use super::field::{
    self, Decimal, Line200, Moment, OptionalLine120, Paragraph4000, Password, words,
};
use super::shape::{Money, Page, ProblemBody};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{SecretKind, secret_hash};
use scrip_domain::session::staff_password_set;
use scrip_domain::token_sale::price::price_change;
use scrip_domain::vendor::{
    Hue, Mark, Minimums, Role, Sells, Staff, Storefront, staff_by_id, staff_create, staff_list,
    storefront, storefront_set, token_price_at, vendor_by_book,
};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{Amount, Asset};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    HueName: Hue, Hue::ALL.iter().map(|h| h.name()).collect::<Vec<_>>();
    MarkName: Mark, Mark::ALL.iter().map(|m| m.name()).collect::<Vec<_>>();
    SellsName: Sells, Sells::ALL.iter().map(|s| s.name()).collect::<Vec<_>>();
    RoleName: Role, Role::ALL.iter().map(|r| r.name()).collect::<Vec<_>>();
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(vendor))
        .routes(routes!(front, set_front))
        .routes(routes!(price, set_price))
        .routes(routes!(staff, add_staff))
        .routes(routes!(set_password))
}

/// A token or a currency.
#[derive(Debug, Serialize, ToSchema)]
struct AssetBody {
    /// Its code, as in amounts.
    code: String,
    /// Decimals that its amounts can have.
    decimals: u32,
}

impl From<&Asset> for AssetBody {
    fn from(asset: &Asset) -> AssetBody {
        AssetBody {
            code: asset.code.clone(),
            decimals: asset.scale,
        }
    }
}

/// How many tokens customers of a country must acquire.
#[derive(Debug, Serialize, ToSchema)]
pub struct MinimumBody {
    /// Two letters of ISO 3166.
    #[schema(example = "DE")]
    country: String,
    /// Tokens that make the account active.
    minimum_tokens: Money,
}

impl MinimumBody {
    /// All of them.
    pub fn all(minimums: &Minimums, token: &Asset) -> Vec<MinimumBody> {
        let body = |(country, least): (&str, Amount)| MinimumBody {
            country: country.to_owned(),
            minimum_tokens: Money::new(least, token),
        };
        minimums.iter().map(body).collect()
    }
}

/// A vendor.
#[derive(Debug, Serialize, ToSchema)]
struct VendorBody {
    /// Its short name, as in addresses.
    slug: String,
    /// Its name for people.
    name: String,
    /// Its token.
    token: AssetBody,
    /// The currency in which it sells its token.
    currency: AssetBody,
    /// What one token costs now.
    token_price: Money,
    /// Tokens that a customer must acquire before the account is active.
    minimum_tokens: Money,
    /// Countries in which another number is needed.
    minimums: Vec<MinimumBody>,
    /// What kind of business it is.
    #[schema(value_type = String, example = "vendor")]
    kind: &'static str,
    /// Declined cards in a row that end a payment session.
    declines_allowed: i64,
    /// How long tokens stay usable that a refund gives back after they had expired, in seconds.
    refund_grace_s: i64,
}

/// See the vendor
///
/// The vendor whose key this is, with its settings.
#[utoipa::path(
    get, path = "/v1/vendor", tag = "vendor", operation_id = "vendor",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "The vendor", body = VendorBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn vendor(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<VendorBody>> {
    let book = caller.book();
    let body = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let now = tx.now();
        let price = token_price_at(tx, book, now)?;
        Ok::<_, Failed>(VendorBody {
            token: AssetBody::from(&vendor.token),
            currency: AssetBody::from(&vendor.currency),
            token_price: Money::new(price, &vendor.currency),
            minimum_tokens: Money::new(vendor.minimum_tokens, &vendor.token),
            minimums: MinimumBody::all(&vendor.minimums, &vendor.token),
            kind: vendor.kind.name(),
            declines_allowed: vendor.declines_allowed,
            refund_grace_s: vendor.refund_grace_s,
            slug: vendor.slug,
            name: vendor.name,
        })
    });
    body.await.map(axum::Json)
}

/// How a vendor's shop looks, and what its first page says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"hue": "moss", "mark": "leaf", "sells": "goods", "headline": "All for tokens"}))]
#[serde(deny_unknown_fields)]
struct StorefrontBody {
    /// Its colour.
    hue: HueName,
    /// Its sign.
    mark: MarkName,
    /// What it sells.
    sells: SellsName,
    /// One line, may be empty.
    #[serde(default)]
    headline: OptionalLine120,
    /// Some paragraphs; a shop without them has no first page.
    #[serde(default)]
    introduction: Paragraph4000,
}

impl From<Storefront> for StorefrontBody {
    fn from(front: Storefront) -> StorefrontBody {
        StorefrontBody {
            hue: field::Named(front.hue),
            mark: field::Named(front.mark),
            sells: field::Named(front.sells),
            headline: field::Text(front.headline),
            introduction: field::Text(front.introduction),
        }
    }
}

impl From<StorefrontBody> for Storefront {
    fn from(body: StorefrontBody) -> Storefront {
        Storefront {
            hue: body.hue.0,
            mark: body.mark.0,
            sells: body.sells.0,
            headline: body.headline.0,
            introduction: body.introduction.0,
        }
    }
}

/// See the storefront
///
/// How the vendor's shop looks, and what its first page says.
#[utoipa::path(
    get, path = "/v1/vendor/storefront", tag = "vendor", operation_id = "storefront",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "The storefront", body = StorefrontBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn front(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<StorefrontBody>> {
    let book = caller.book();
    let front = app.read(move |tx| storefront(tx, book)).await?;
    Ok(axum::Json(front.into()))
}

/// Set the storefront
///
/// The whole of it: what is left out becomes empty.
#[utoipa::path(
    put, path = "/v1/vendor/storefront", tag = "vendor", operation_id = "storefront_set",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = StorefrontBody,
    responses(
        (status = 200, description = "Set", body = StorefrontBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_front(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<StorefrontBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let new = Storefront::from(body.clone());
    let request = ("PUT /v1/vendor/storefront", &body);
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        storefront_set(tx, actor, &vendor, &new)?;
        Ok::<_, Failed>(StorefrontBody::from(storefront(tx, book)?))
    })
    .await?;
    Ok(answer(StatusCode::OK, &set.value, set.replayed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PriceQuery {
    /// At which time; without it, now.
    #[param(inline)]
    #[serde(default, deserialize_with = "field::given")]
    at: Option<Moment>,
}

/// The price of one token.
#[derive(Debug, Serialize, ToSchema)]
struct PriceBody {
    /// What one token costs.
    price: Money,
    /// At this time.
    at: Moment,
}

/// See the price of a token
///
/// The price of one token now, or at another time: earlier prices are kept, later ones may be set
/// already.
#[utoipa::path(
    get, path = "/v1/vendor/token-prices", tag = "vendor", operation_id = "token_price_at",
    security(("key" = ["vendor:read"])),
    params(PriceQuery),
    responses(
        (status = 200, description = "The price at the time", body = PriceBody),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn price(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
    Query(query): Query<PriceQuery>,
) -> Result<axum::Json<PriceBody>> {
    let book = caller.book();
    let body = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let at = query.at.map_or_else(|| tx.now(), |at| at.0);
        if at < Timestamp(0) {
            let text = "no token had a price before 1970: ask for a later time";
            return Err(Problem::invalid("time_invalid", text).into());
        }
        let price = token_price_at(tx, book, at)?;
        Ok::<_, Failed>(PriceBody {
            price: Money::new(price, &vendor.currency),
            at: Moment(at),
        })
    });
    body.await.map(axum::Json)
}

/// A new price of one token.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"price": "0.01"}))]
#[serde(deny_unknown_fields)]
struct NewPriceBody {
    /// In the vendor's currency.
    price: Decimal,
    /// From when on it holds, not in the past; without it, from now on.
    effective_at: Option<Moment>,
}

/// A price that was set.
#[derive(Debug, Serialize, ToSchema)]
struct PriceSet {
    /// What one token costs.
    price: Money,
    /// From then on.
    effective_at: Moment,
}

/// Set the price of a token
///
/// From a time on. Tokens that were sold keep what was paid for them, and earlier prices are kept.
#[utoipa::path(
    post, path = "/v1/vendor/token-prices", tag = "vendor", operation_id = "token_price_set",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = NewPriceBody,
    responses(
        (status = 201, description = "Set", body = PriceSet),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_price(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<NewPriceBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let currency = app.vendor(book).await?.currency.clone();
    let price = body.price.of(&currency)?;
    let from = body.effective_at.map(|at| at.0);
    let request = ("POST /v1/vendor/token-prices", &body);
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let set = price_change(tx, actor, &vendor, price, from)?;
        Ok::<(Amount, i64), Failed>((set.price, set.effective_at.0))
    })
    .await?;
    let (price, from) = set.value;
    let body = PriceSet {
        price: Money::new(price, &currency),
        effective_at: Moment(Timestamp(from)),
    };
    Ok(answer(StatusCode::CREATED, &body, set.replayed))
}

/// A member of staff.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct StaffBody {
    /// The id.
    staff_id: field::StaffMember,
    /// The name, which is also what the person signs in with.
    name: String,
    /// What the person may do.
    role: RoleName,
}

impl From<Staff> for StaffBody {
    fn from(staff: Staff) -> StaffBody {
        StaffBody {
            staff_id: field::Id(staff.staff_id),
            name: staff.name,
            role: field::Named(staff.role),
        }
    }
}

/// List staff
///
/// All members, by name.
#[utoipa::path(
    get, path = "/v1/staff", tag = "vendor", operation_id = "staff",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "All of them", body = Page<StaffBody>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn staff(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<Page<StaffBody>>> {
    let book = caller.book();
    let all = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        staff_list(tx, &vendor)
    });
    Ok(axum::Json(Page {
        items: all.await?.into_iter().map(StaffBody::from).collect(),
        next: None,
    }))
}

/// A member of staff to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Grace Hopper", "role": "cashier"}))]
#[serde(deny_unknown_fields)]
struct NewStaffBody {
    /// The name; each is taken once.
    name: Line200,
    /// What the person may do.
    role: RoleName,
    /// The password; without one the person cannot sign in yet.
    password: Option<Password>,
}

/// The hash of a password; takes long.
async fn hashed(app: &App, password: Password) -> Result<String> {
    let hash = app.slow(move |_| secret_hash(SecretKind::Password, password.reveal()));
    Ok(hash.await??)
}

/// Add a member of staff
///
/// With a password the person can sign in to the vendor's own pages.
#[utoipa::path(
    post, path = "/v1/staff", tag = "vendor", operation_id = "staff_create",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = NewStaffBody,
    responses(
        (status = 201, description = "Added", body = StaffBody),
        (status = 409, description = "The name is taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn add_staff(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<NewStaffBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let digest = body.password.as_ref().map(|p| p.digest(&app.node.vault));
    let request = (body.name.clone(), body.role, digest);
    let hash = match body.password {
        Some(password) => Some(hashed(&app, password).await?),
        None => None,
    };
    let (name, role) = (body.name.0, body.role.0);
    let request = ("POST /v1/staff", &request);
    let added = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let staff = staff_create(tx, actor, &vendor, &name, role)?;
        if let Some(hash) = &hash {
            staff_password_set(tx, actor, &vendor, staff.staff_id, hash)?;
        }
        Ok::<_, Failed>(StaffBody::from(staff))
    })
    .await?;
    Ok(answer(StatusCode::CREATED, &added.value, added.replayed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct StaffPath {
    /// The member of staff.
    #[param(inline)]
    id: field::StaffMember,
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    /// The new password.
    password: Password,
}

/// Set a password of staff
///
/// The person's sessions end.
#[utoipa::path(
    put, path = "/v1/staff/{id}/password", tag = "vendor", operation_id = "staff_password_set",
    security(("key" = ["vendor:write"])),
    params(StaffPath, Repeatable),
    request_body = PasswordBody,
    responses(
        (status = 200, description = "Set", body = StaffBody),
        (status = 404, description = "No such member of this vendor's staff", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_password(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(StaffPath { id }): Path<StaffPath>,
    Json(body): Json<PasswordBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = (id, body.password.digest(&app.node.vault));
    let hash = hashed(&app, body.password).await?;
    let request = ("PUT /v1/staff/{id}/password", &request);
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let staff = staff_by_id(tx, book, id.0)?;
        staff_password_set(tx, actor, &vendor, staff.staff_id, &hash)?;
        Ok::<_, Failed>(StaffBody::from(staff))
    })
    .await?;
    Ok(answer(StatusCode::OK, &set.value, set.replayed))
}
