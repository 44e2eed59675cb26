//! Pictures of products (SHP-09).

use super::auth::{CatalogRead, CatalogWrite, May};
use super::catalog::ProductPath;
use super::field::{self, OptionalLine200};
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, answer, done, submit};
use crate::error::{Failed, Result};
use crate::http::body::{File, Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::catalog::images::{
    BYTES_AT_MOST, Image, image_add, image_change, image_remove, of_product, picture,
};
use scrip_domain::catalog::product_detail;
use scrip_domain::id::{ImageId, ProductId};
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::ReadTx;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
}

/// A picture of a product.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct ImageAnswer {
    /// The picture. The shop shows it at `/shops/{slug}/images/{image_id}`.
    image_id: field::Image,
    /// Its place among the pictures of the product; the first stands for it.
    place: i64,
    /// What it shows, for those who do not see it.
    alt: String,
    /// Its media type.
    #[schema(example = "image/png")]
    media_type: String,
    /// Pixels.
    width: i64,
    /// Pixels.
    height: i64,
}

impl From<Image> for ImageAnswer {
    fn from(image: Image) -> ImageAnswer {
        ImageAnswer {
            image_id: field::Id(image.image_id),
            place: image.place,
            alt: image.alt,
            media_type: image.media,
            width: image.width,
            height: image.height,
        }
    }
}

/// The pictures of a product.
#[derive(Debug, Serialize, ToSchema)]
struct ImagesAnswer {
    /// In their order.
    items: Vec<ImageAnswer>,
}

/// The product of a short name.
fn product(tx: &mut ReadTx<'_>, book: i64, handle: &str) -> std::result::Result<ProductId, Failed> {
    Ok(product_detail(tx, book, handle.trim())?.product_id)
}

/// List the pictures of a product
///
/// In the order in which they are shown.
#[utoipa::path(
    get, path = "/v1/products/{handle}/images", tag = "catalog", operation_id = "images",
    security(("key" = ["catalog:read"])),
    params(ProductPath),
    responses(
        (status = 200, description = "The pictures", body = ImagesAnswer),
        (status = 404, description = "No such product of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<CatalogRead>,
    State(app): State<App>,
    Path(ProductPath { handle }): Path<ProductPath>,
) -> Result<axum::Json<ImagesAnswer>> {
    let book = caller.book();
    let found = app.read(move |tx| {
        let product = product(tx, book, &handle)?;
        Ok::<_, Failed>(of_product(tx, book, product)?)
    });
    let items = found.await?.into_iter().map(ImageAnswer::from).collect();
    Ok(axum::Json(ImagesAnswer { items }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AltQuery {
    /// What the picture shows, for those who do not see it.
    #[param(inline)]
    #[serde(default)]
    alt: OptionalLine200,
}

/// Add a picture to a product
///
/// The body is the file: PNG, JPEG or WebP, told by its content. The first picture stands for the
/// product.
#[utoipa::path(
    post, path = "/v1/products/{handle}/images", tag = "catalog", operation_id = "image_add",
    security(("key" = ["catalog:write"])),
    params(ProductPath, AltQuery, Repeatable),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "Added", body = ImageAnswer),
        (status = 404, description = "No such product of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn add(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(ProductPath { handle }): Path<ProductPath>,
    Query(AltQuery { alt }): Query<AltQuery>,
    File(bytes): File<BYTES_AT_MOST>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let name = handle.clone();
    let product = app.read(move |tx| product(tx, book, &name)).await?;
    let request = (handle, alt.0.clone(), Sha256::digest(&bytes).to_vec());
    // Decoding takes a while: as much of it at once as the machine can carry.
    let picture = app.slow(move |_| picture(bytes)).await??;
    let request = ("POST /v1/products/{handle}/images", &request);
    let added = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let image = image_add(tx, actor, &vendor, product, &picture, &alt.0)?;
        Ok::<_, Failed>(ImageAnswer::from(image))
    })
    .await?;
    Ok(answer(StatusCode::CREATED, &added.value, added.replayed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ImagePath {
    /// The product's short name, percent-encoded: `/` as `%2F`, a space as `%20`.
    #[param(min_length = 1, max_length = 200, example = "software-a")]
    handle: String,
    /// The picture.
    #[param(inline)]
    image_id: field::Image,
}

/// What is to become of a picture.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"alt": "The lamp from the front", "first": true}))]
struct ImageBody {
    /// What it shows, for those who do not see it.
    alt: OptionalLine200,
    /// True to let it stand for the product.
    #[serde(default)]
    first: bool,
}

/// Change a picture
///
/// Describes it anew, and puts it first where that is wanted.
#[utoipa::path(
    put, path = "/v1/products/{handle}/images/{image_id}", tag = "catalog",
    operation_id = "image_change",
    security(("key" = ["catalog:write"])),
    params(ImagePath, Repeatable),
    request_body = ImageBody,
    responses(
        (status = 204, description = "Changed"),
        (status = 404, description = "No such product of this vendor, or no such picture of the product", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn change(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(ImagePath { handle, image_id }): Path<ImagePath>,
    Json(body): Json<ImageBody>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let name = handle.clone();
    let product = app.read(move |tx| product(tx, book, &name)).await?;
    let request = (handle, image_id, body.clone());
    let request = ("PUT /v1/products/{handle}/images/{image_id}", &request);
    let image: ImageId = image_id.0;
    let changed = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let to = (body.alt.0.as_str(), body.first);
        image_change(tx, actor, &vendor, product, image, to)?;
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(changed.replayed))
}

/// Take a picture away
///
/// For good. The next one stands for the product.
#[utoipa::path(
    delete, path = "/v1/products/{handle}/images/{image_id}", tag = "catalog",
    operation_id = "image_remove",
    security(("key" = ["catalog:write"])),
    params(ImagePath, Repeatable),
    responses(
        (status = 204, description = "Taken away"),
        (status = 404, description = "No such product of this vendor, or no such picture of the product", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn remove(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(ImagePath { handle, image_id }): Path<ImagePath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let name = handle.clone();
    let product = app.read(move |tx| product(tx, book, &name)).await?;
    let request = (handle, image_id);
    let request = ("DELETE /v1/products/{handle}/images/{image_id}", &request);
    let image: ImageId = image_id.0;
    let removed = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        image_remove(tx, actor, &vendor, product, image)?;
        Ok::<_, Failed>(())
    })
    .await?;
    Ok(done(removed.replayed))
}
