//! Prices of tokens: packs, tiers, prices by country, history (TOK-01 to TOK-05).

use super::auth::{May, VendorRead, VendorWrite};
use super::field::{self, Decimal, Moment, OptionalLine120, Text};
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::id::PackId;
use scrip_domain::token_sale::price::{
    CountryPrice, NewPack, Pack, Tier, country_price_set, country_prices, pack_put, pack_withdraw,
    packs, price_history, tiers, tiers_set,
};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use scrip_engine::{Read, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(all_packs, create_pack))
        .routes(routes!(change_pack))
        .routes(routes!(withdraw_pack))
        .routes(routes!(all_tiers, set_tiers))
        .routes(routes!(by_country, set_by_country))
        .routes(routes!(history))
}

type Name60 = Text<1, 60, false>;

/// Tokens sold together.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Gold", "tokens": "10", "price": "0.95"}))]
struct PackBody {
    /// Its name.
    name: Name60,
    /// Tokens in one.
    tokens: Decimal,
    /// Its own price; without one it goes by the price of single tokens.
    price: Option<Decimal>,
    /// The rate off the price of single tokens in basis points (500 is 5 %), where it has no
    /// price of its own.
    #[schema(minimum = 0, maximum = 9999)]
    off: Option<i64>,
    /// What its tokens may pay for: `sale`, or `category:` and a category. Without it, everything.
    restriction: Option<OptionalLine120>,
    /// Days that its tokens live; without it, as the policy says.
    #[schema(minimum = 1, maximum = 36500)]
    life_days: Option<i64>,
    /// The country in which it is sold, as in ISO 3166-1; without one, everywhere.
    country: Option<Country>,
    /// From when on it is sold; without it, from now on.
    sold_from: Option<Moment>,
    /// Until when; without it, without an end.
    sold_until: Option<Moment>,
}

type Country = Text<0, 2, false>;

impl PackBody {
    fn new_pack(self, vendor: &Vendor, change: Option<(PackId, i64)>) -> Result<NewPack> {
        Ok(NewPack {
            change,
            name: self.name.0,
            tokens: self.tokens.of(&vendor.token)?,
            price: self.price.map(|p| p.of(&vendor.currency)).transpose()?,
            off: self.off.unwrap_or(0),
            restriction: self.restriction.unwrap_or_default().0,
            life_days: self.life_days,
            country: self.country.unwrap_or_default().0,
            sold_from: self.sold_from.map(|at| at.0),
            sold_until: self.sold_until.map(|at| at.0),
        })
    }
}

/// A pack.
#[derive(Debug, Serialize, ToSchema)]
struct PackAnswer {
    /// The pack.
    pack_id: field::Pack,
    /// Counts its changes: who changes it says which version was seen.
    version: i64,
    /// Its name.
    name: String,
    /// Tokens in one.
    tokens: Money,
    /// Its own price.
    price: Option<Money>,
    /// The rate off the price of single tokens in basis points.
    off: i64,
    /// What its tokens may pay for; null for everything.
    restriction: Option<String>,
    /// Days that its tokens live.
    life_days: Option<i64>,
    /// The country in which it is sold; null for everywhere.
    country: Option<String>,
    /// From when on it is sold.
    sold_from: Moment,
    /// Until when; null without an end.
    sold_until: Option<Moment>,
    /// True while it is sold.
    is_sold: bool,
}

impl PackAnswer {
    fn new(pack: Pack, vendor: &Vendor, now: Timestamp) -> PackAnswer {
        PackAnswer {
            pack_id: field::Id(pack.id),
            version: pack.version,
            tokens: Money::new(pack.tokens, &vendor.token),
            price: pack.price.map(|p| Money::new(p, &vendor.currency)),
            off: pack.off,
            life_days: pack.life_days,
            sold_from: Moment(pack.sold_from),
            sold_until: (pack.sold_until != Timestamp::NEVER).then_some(Moment(pack.sold_until)),
            is_sold: pack.is_sold(now),
            country: Some(pack.country).filter(|c| !c.is_empty()),
            restriction: pack.restriction,
            name: pack.name,
        }
    }
}

/// All packs.
#[derive(Debug, Serialize, ToSchema)]
struct PackList {
    /// The oldest first, with those that are not sold any more.
    items: Vec<PackAnswer>,
}

/// List packs
///
/// Tokens sold together: denominations with a price of their own, bundles at a rate off the price
/// of single tokens. 100 at most, the withdrawn ones too.
#[utoipa::path(
    get, path = "/v1/token-packs", tag = "vendor", operation_id = "token_packs",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "All packs", body = PackList),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn all_packs(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<PackList>> {
    let book = caller.book();
    let read = app.read(move |tx| {
        let (vendor, now) = (vendor_by_book(tx, book)?, tx.now());
        let all = packs(tx, book)?;
        let shown = |pack| PackAnswer::new(pack, &vendor, now);
        Ok::<_, Failed>(all.into_iter().map(shown).collect())
    });
    Ok(axum::Json(PackList { items: read.await? }))
}

/// The pack as it stands; what is stored under the key is its id.
async fn pack_answer(
    app: &App,
    book: i64,
    status: StatusCode,
    done: scrip_domain::Answer<PackId>,
) -> Result<Response> {
    let read = app.read(move |tx| {
        let (vendor, now) = (vendor_by_book(tx, book)?, tx.now());
        let found = packs(tx, book)?.into_iter().find(|p| p.id == done.value);
        let pack = found.ok_or_else(|| Problem::not_found("pack"))?;
        Ok::<_, Problem>(PackAnswer::new(pack, &vendor, now))
    });
    Ok(answer(status, &read.await?, done.replayed))
}

/// Create a pack
///
/// A denomination has a price of its own, a bundle a discount on the price of its tokens.
#[utoipa::path(
    post, path = "/v1/token-packs", tag = "vendor", operation_id = "token_pack_create",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = PackBody,
    responses(
        (status = 201, description = "Created", body = PackAnswer),
        (status = 422, description = "No such pack can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn create_pack(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<PackBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("POST /v1/token-packs", &body.clone());
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let new = body.new_pack(&vendor, None)?;
    let done = submit(&app, &caller, key, request, None, move |tx| {
        Ok::<_, Failed>(pack_put(tx, actor, &vendor, &new)?.id)
    });
    pack_answer(&app, book, StatusCode::CREATED, done.await?).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PackPath {
    /// The pack.
    #[param(inline)]
    id: field::Pack,
}

/// A changed pack.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"version": 1, "pack": {"name": "Gold", "tokens": "10", "price": "0.93"}}))]
struct PackChange {
    /// The version that was seen: of two who change it at once, the second one is told.
    #[schema(minimum = 1)]
    version: i64,
    /// What holds from now on, all of it.
    pack: PackBody,
}

/// Change a pack
///
/// Orders that are open keep their price. What it was stays in the audit trail.
#[utoipa::path(
    put, path = "/v1/token-packs/{id}", tag = "vendor", operation_id = "token_pack_change",
    security(("key" = ["vendor:write"])),
    params(PackPath, Repeatable),
    request_body = PackChange,
    responses(
        (status = 200, description = "Changed", body = PackAnswer),
        (status = 404, description = "No such pack of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed it meanwhile", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such pack can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn change_pack(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(PackPath { id }): Path<PackPath>,
    Json(body): Json<PackChange>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("PUT /v1/token-packs/{id}", &(id, body.clone()));
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let new = body.pack.new_pack(&vendor, Some((id.0, body.version)))?;
    let done = submit(&app, &caller, key, request, None, move |tx| {
        Ok::<_, Failed>(pack_put(tx, actor, &vendor, &new)?.id)
    });
    pack_answer(&app, book, StatusCode::OK, done.await?).await
}

/// Withdraw a pack
///
/// From now on it is not sold. Tokens that were bought with it stay as they are.
#[utoipa::path(
    post, path = "/v1/token-packs/{id}/withdraw", tag = "vendor",
    operation_id = "token_pack_withdraw",
    security(("key" = ["vendor:write"])),
    params(PackPath, Repeatable),
    responses(
        (status = 200, description = "Withdrawn", body = PackAnswer),
        (status = 404, description = "No such pack of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn withdraw_pack(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(PackPath { id }): Path<PackPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("POST /v1/token-packs/{id}/withdraw", &id);
    let done = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(pack_withdraw(tx, actor, &vendor, id.0)?.id)
    });
    pack_answer(&app, book, StatusCode::OK, done.await?).await
}

/// A rate for so many tokens and more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriceTierBody {
    /// True when it is for preferred customers only.
    preferred: bool,
    /// From so many tokens on.
    from_tokens: Decimal,
    /// The rate off the price of single tokens, in basis points.
    #[schema(minimum = 1, maximum = 9999)]
    off: i64,
}

/// All tiers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"seen": [], "tiers": [{"preferred": false, "from_tokens": "500", "off": 1000}]}))]
struct TierChange {
    /// The tiers that the change began with: of two who change them at once, the second one is
    /// told.
    #[schema(max_items = 50)]
    seen: Vec<PriceTierBody>,
    /// What holds from now on, 50 at most.
    #[schema(max_items = 50)]
    tiers: Vec<PriceTierBody>,
}

/// All tiers, those for everybody first.
#[derive(Debug, Serialize, ToSchema)]
struct TierList {
    /// The lowest first.
    items: Vec<PriceTierAnswer>,
}

/// A tier.
#[derive(Debug, Serialize, ToSchema)]
struct PriceTierAnswer {
    /// True when it is for preferred customers only.
    preferred: bool,
    /// From so many tokens on, in decimal digits.
    from_tokens: String,
    /// The rate off the price of single tokens, in basis points.
    off: i64,
}

impl TierList {
    fn new(tiers: Vec<Tier>, vendor: &Vendor) -> TierList {
        let shown = |tier: Tier| PriceTierAnswer {
            preferred: tier.preferred,
            from_tokens: tier.from_tokens.decimal(vendor.token.scale),
            off: tier.off,
        };
        TierList {
            items: tiers.into_iter().map(shown).collect(),
        }
    }
}

fn read_tiers(bodies: &[PriceTierBody], vendor: &Vendor) -> Result<Vec<Tier>> {
    let read = |body: &PriceTierBody| {
        Ok(Tier {
            preferred: body.preferred,
            from_tokens: body.from_tokens.clone().of(&vendor.token)?,
            off: body.off,
        })
    };
    bodies.iter().map(read).collect()
}

/// List volume tiers
///
/// Those that hold now, by the least quantity that each is for.
#[utoipa::path(
    get, path = "/v1/token-tiers", tag = "vendor", operation_id = "token_tiers",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "All tiers", body = TierList),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn all_tiers(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<TierList>> {
    let book = caller.book();
    let read = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(TierList::new(tiers(tx, book)?, &vendor))
    });
    Ok(axum::Json(read.await?))
}

/// Set the volume tiers
///
/// All of them. The best single price applies, unless the policy lets discounts add up.
#[utoipa::path(
    put, path = "/v1/token-tiers", tag = "vendor", operation_id = "token_tiers_set",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = TierChange,
    responses(
        (status = 200, description = "Set", body = TierList),
        (status = 409, description = "Somebody changed them meanwhile", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such tiers can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_tiers(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<TierChange>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let seen = read_tiers(&body.seen, &vendor)?;
    let new = read_tiers(&body.tiers, &vendor)?;
    let request = ("PUT /v1/token-tiers", &body);
    let own = vendor.clone();
    let done = submit(&app, &caller, key, request, None, move |tx| {
        tiers_set(tx, actor, &own, &seen, &new)?;
        Ok::<_, Failed>(())
    });
    let replayed = done.await?.replayed;
    let held = app.read(move |tx| tiers(tx, book)).await?;
    let list = TierList::new(held, &vendor);
    Ok(answer(StatusCode::OK, &list, replayed))
}

/// The price of a token in a country, from a time on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"country": "CH", "price": "0.12"}))]
struct CountryBody {
    /// Two letters, as in ISO 3166-1.
    country: Text<2, 2, false>,
    /// Per token; without one the general price holds there again.
    price: Option<Decimal>,
    /// From when on; without it, from now on.
    effective_at: Option<Moment>,
}

/// The price of a token in a country, from a time on.
#[derive(Debug, Serialize, ToSchema)]
struct CountryAnswer {
    /// Two letters, as in ISO 3166-1.
    country: String,
    /// Per token; null where the general price holds.
    price: Option<Money>,
    /// From when on.
    effective_at: Moment,
}

/// Prices by country.
#[derive(Debug, Serialize, ToSchema)]
struct CountryList {
    /// By country, the newest first.
    items: Vec<CountryAnswer>,
}

impl CountryAnswer {
    fn new(set: CountryPrice, vendor: &Vendor) -> CountryAnswer {
        CountryAnswer {
            country: set.country,
            price: set.price.map(|p| Money::new(p, &vendor.currency)),
            effective_at: Moment(set.effective_at),
        }
    }
}

/// List prices by country
///
/// Where none is listed, the general price holds.
#[utoipa::path(
    get, path = "/v1/vendor/country-prices", tag = "vendor", operation_id = "country_prices",
    security(("key" = ["vendor:read"])),
    responses(
        (status = 200, description = "Prices by country, earlier and planned ones too", body = CountryList),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn by_country(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
) -> Result<axum::Json<CountryList>> {
    let book = caller.book();
    let read = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let all = country_prices(tx, book)?;
        let shown = |set| CountryAnswer::new(set, &vendor);
        Ok::<_, Failed>(all.into_iter().map(shown).collect())
    });
    Ok(axum::Json(CountryList { items: read.await? }))
}

/// Set the price in a country
///
/// From a time on. It holds for customers of that country instead of the general price.
#[utoipa::path(
    post, path = "/v1/vendor/country-prices", tag = "vendor", operation_id = "country_price_set",
    security(("key" = ["vendor:write"])),
    params(Repeatable),
    request_body = CountryBody,
    responses(
        (status = 201, description = "Set", body = CountryAnswer),
        (status = 422, description = "No such price can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_by_country(
    May(caller, ..): May<VendorWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<CountryBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let vendor = app.read(move |tx| vendor_by_book(tx, book)).await?;
    let price = body
        .price
        .clone()
        .map(|p| p.of(&vendor.currency))
        .transpose()?;
    let (country, at) = (body.country.0.clone(), body.effective_at.map(|at| at.0));
    let request = ("POST /v1/vendor/country-prices", &body);
    let own = vendor.clone();
    let set = submit(&app, &caller, key, request, None, move |tx| {
        let set = country_price_set(tx, actor, &own, &country, price, at)?;
        Ok::<(String, Option<Amount>, i64), Failed>((set.country, set.price, set.effective_at.0))
    })
    .await?;
    let (country, price, at) = set.value;
    let body = CountryAnswer::new(
        CountryPrice {
            country,
            price,
            effective_at: Timestamp(at),
        },
        &vendor,
    );
    Ok(answer(StatusCode::CREATED, &body, set.replayed))
}

/// A price of one token that was set.
#[derive(Debug, Serialize, ToSchema)]
struct HistoricPrice {
    /// The price.
    price: Money,
    /// From when on it holds.
    effective_at: Moment,
}

/// List the prices of a token
///
/// All that were set, planned ones too, the newest first.
#[utoipa::path(
    get, path = "/v1/vendor/token-price-history", tag = "vendor",
    operation_id = "token_price_history",
    security(("key" = ["vendor:read"])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of prices", body = Page<HistoricPrice>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn history(
    May(caller, ..): May<VendorRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<HistoricPrice>>> {
    let book = caller.book();
    let vendor = app.vendor(book).await?;
    let before: Option<i64> = cursor(query.cursor.as_deref())?;
    let limit = query.limit()?;
    let page = app.read(move |tx| price_history(tx, book, before.map(Timestamp), limit));
    let page = page.await?;
    Ok(axum::Json(Page {
        next: page.next.map(|at| at.0.to_string()),
        items: page
            .items
            .into_iter()
            .map(|set| HistoricPrice {
                price: Money::new(set.price, &vendor.currency),
                effective_at: Moment(set.effective_at),
            })
            .collect(),
    }))
}
