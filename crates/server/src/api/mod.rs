//! The JSON API under `/v1`: parses, authorises, gives commands, renders. No rules.
//!
//! Each noun has a file; its handlers carry their part of the OpenAPI document, so the document
//! cannot drift from the code.

mod asker;
mod audit;
pub mod auth;
mod bounded;
mod card_order;
mod catalog;
mod catalog_import;
mod catalog_stock;
mod customer;
mod dispute;
mod docs;
mod document;
mod exchange;
mod field;
mod figures;
mod franchise;
mod gift;
mod gift_certificate;
mod identity;
mod image;
mod kept_card;
mod key;
mod ledger;
mod mall_account;
mod mall_use;
mod offline;
pub mod once;
mod open_order;
mod open_token;
mod order;
mod order_history;
mod order_list;
mod pin;
mod policy;
mod price;
mod promotion;
mod quote;
mod refund;
mod registration;
mod report;
mod shape;
mod shipment;
mod statement;
mod tax;
mod token;
mod vendor;
mod webhook;

use crate::error::{Problem, Result};
use crate::state::App;
use auth::Caller;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::{HeaderName, HeaderValue, StatusCode, request::Parts};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use scrip_domain::command::CommandError;
use scrip_domain::id::CustomerId;
use scrip_domain::{Answer, Keyed};
use scrip_engine::{Error as EngineError, Tx};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::LazyLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoParams, OpenApi};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Scrip",
        description = "Issue prepaid tokens, sell for them, keep the books.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    security(("key" = [])),
    components(schemas(shape::ProblemBody)),
    tags(
        (name = "registrations", description = "Opening accounts, stage by stage"),
        (name = "customers", description = "Accounts and whose they are"),
        (name = "tokens", description = "Selling tokens for money"),
        (name = "cards", description = "Kept cards, buying by itself, money that goes back"),
        (name = "catalog", description = "Products, offers, stock"),
        (name = "promotions", description = "Reduced prices for a time, and coupons"),
        (name = "order list", description = "What a customer thinks of buying"),
        (name = "orders", description = "Buying with tokens"),
        (name = "refunds", description = "Tokens back"),
        (name = "mall", description = "Tokens of other vendors"),
        (name = "open tokens", description = "Tokens that pay at every member, gift certificates"),
        (name = "reports", description = "Figures"),
        (name = "ledger", description = "Entries, exports, verification"),
        (name = "vendor", description = "Settings, storefront, prices, staff"),
        (name = "webhooks", description = "Telling the vendor's systems"),
        (name = "keys", description = "Keys of programs"),
    ),
    modifiers(&KeyScheme),
)]
struct Document;

struct KeyScheme;

impl utoipa::Modify for KeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key of the vendor: `scrip api-key create` makes one",
            ))
            .build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(registration::router())
        .merge(shipment::router())
        .merge(customer::router())
        .merge(statement::router())
        .merge(identity::router())
        .merge(pin::router())
        .merge(token::router())
        .merge(offline::router())
        .merge(price::router())
        .merge(promotion::router())
        .merge(gift::router())
        .merge(catalog::router())
        .merge(catalog_import::router())
        .merge(catalog_stock::router())
        .merge(image::router())
        .merge(order_list::router())
        .merge(quote::router())
        .merge(order::router())
        .merge(card_order::router())
        .merge(order_history::router())
        .merge(refund::router())
        .merge(kept_card::router())
        .merge(dispute::router())
        .merge(report::router())
        .merge(figures::router())
        .merge(exchange::router())
        .merge(franchise::router())
        .merge(mall_account::router())
        .merge(mall_use::router())
        .merge(open_token::router())
        .merge(gift_certificate::router())
        .merge(open_order::router())
        .merge(ledger::router())
        .merge(vendor::router())
        .merge(key::router())
        .merge(webhook::router())
        .merge(audit::router())
        .merge(policy::router())
}

/// The OpenAPI document.
pub static OPENAPI: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| {
    let (_, mut whole) = routes().split_for_parts();
    document::complete(&mut whole);
    whole
});
static OPENAPI_TEXT: LazyLock<String> = LazyLock::new(|| OPENAPI.to_json().unwrap_or_default());

/// The routes, with the document at `/v1/openapi.json` and for people at `/docs`.
pub fn router() -> Router<App> {
    let (router, _) = routes().split_for_parts();
    router
        .route("/v1/openapi.json", get(openapi))
        .route_layer(from_fn(document::no_stray_query))
        .merge(docs::router())
}

async fn openapi() -> impl IntoResponse {
    let json = HeaderValue::from_static("application/json");
    (
        [(axum::http::header::CONTENT_TYPE, json)],
        OPENAPI_TEXT.as_str(),
    )
}

/// The header that makes a write safe to repeat.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub String);

/// The header in the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)] // Only its description is used.
struct Repeatable {
    /// Makes the request safe to repeat: the same request under the same key is done once, and
    /// its answer is kept for two days. A random UUID will do.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    key: String,
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let value = parts.headers.get(IDEMPOTENCY_KEY).ok_or_else(|| {
            Problem::bad_request(
                "idempotency_key_missing",
                "every write needs the header Idempotency-Key, for example a random UUID: \
                 repeat a request under the same key and it is done once",
            )
        })?;
        let text = value.to_str().map_err(|_| CommandError::KeyInvalid)?;
        // Not every request that takes a key comes to where the rules check it.
        if !(1..=255).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(CommandError::KeyInvalid.into());
        }
        Ok(IdempotencyKey(text.to_owned()))
    }
}

/// What a repeated request is compared by: where it went and what it said.
fn request_bytes(route: &str, request: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(&(route, request)).map_err(|e| Problem::internal(&e))
}

/// The envelope of a command under the caller's idempotency key.
fn keyed(
    caller: &Caller,
    key: IdempotencyKey,
    (route, request): (&str, &impl Serialize),
    subject: Option<CustomerId>,
) -> Result<Keyed> {
    Ok(Keyed {
        book_id: caller.book(),
        actor: caller.actor(),
        key: Some(key.0),
        request: request_bytes(route, request)?,
        subject,
    })
}

/// Runs a command under the caller's idempotency key.
async fn submit<T, E, F>(
    app: &App,
    caller: &Caller,
    key: IdempotencyKey,
    request: (&str, &impl Serialize),
    subject: Option<CustomerId>,
    run: F,
) -> Result<Answer<T>>
where
    F: FnMut(&mut Tx<'_>) -> std::result::Result<T, E> + Clone + Send + 'static,
    T: Serialize + DeserializeOwned + Send + 'static,
    E: From<CommandError> + From<EngineError> + Into<Problem> + Send + 'static,
{
    app.submit(keyed(caller, key, request, subject)?, run).await
}

/// An answer as JSON, with a header when it is a repeated one.
fn answer<T: Serialize>(status: StatusCode, body: &T, replayed: bool) -> Response {
    let mut response = (status, axum::Json(body)).into_response();
    mark(&mut response, replayed);
    response
}

/// Done, with nothing to say.
fn done(replayed: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    mark(&mut response, replayed);
    response
}

fn mark(response: &mut Response, replayed: bool) {
    if replayed {
        let headers = response.headers_mut();
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
}
