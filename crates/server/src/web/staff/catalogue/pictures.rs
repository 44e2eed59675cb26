//! Pictures of a product: added, described, put first, removed.

use super::super::super::frame::{link, see};
use super::Keeper;
use super::product::At as OfProduct;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path};
use crate::http::upload::Upload;
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::catalog::images::{
    BYTES_AT_MOST, image_add, image_change, image_remove, picture,
};
use scrip_domain::id::{ImageId, ProductId};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct At {
    id: ProductId,
    image: ImageId,
}

fn back(keeper: &Keeper, id: ProductId) -> Result<Response> {
    let path = keeper.0.shop.at(&format!("/staff/products/{id}"));
    see(&link(&path, &[("done", "picture")]))
}

/// `POST /shops/{slug}/staff/products/{id}/pictures`.
pub async fn add(
    State(app): State<App>,
    keeper: Keeper,
    Path(at): Path<OfProduct>,
    upload: Upload<BYTES_AT_MOST>,
) -> Result<Response> {
    let key = upload.field("key").to_owned();
    let alt = upload.field("alt").to_owned();
    let bytes = upload.file.1;
    let request = {
        use sha2::{Digest, Sha256};
        Sha256::digest(&bytes).to_vec()
    };
    // Decoding takes a while: as much of it at once as the machine can carry.
    let picture = app.slow(move |_| picture(bytes)).await??;
    let (vendor, actor) = (keeper.0.shop.vendor.clone(), keeper.0.actor());
    let keyed = keeper.0.keyed(key, request, None);
    app.submit(keyed, move |tx| {
        let image = image_add(tx, actor, &vendor, at.id, &picture, &alt)?;
        Ok::<_, Failed>(image.image_id.to_string())
    })
    .await?;
    back(&keeper, at.id)
}

/// What is to become of a picture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    key: String,
    alt: String,
    r#do: String,
}

/// `POST /shops/{slug}/staff/products/{id}/pictures/{image}`.
pub async fn change(
    State(app): State<App>,
    keeper: Keeper,
    Path(at): Path<At>,
    Form(form): Form<Change>,
) -> Result<Response> {
    let (vendor, actor) = (keeper.0.shop.vendor.clone(), keeper.0.actor());
    let request = format!("{} {} {}", at.image, form.alt, form.r#do).into_bytes();
    let keyed = keeper.0.keyed(form.key.clone(), request, None);
    if !matches!(form.r#do.as_str(), "keep" | "first" | "remove") {
        let text = "choose what is to become of the picture";
        return Err(Problem::invalid("form_invalid", text));
    }
    app.submit(keyed, move |tx| {
        match form.r#do.as_str() {
            "remove" => image_remove(tx, actor, &vendor, at.id, at.image)?,
            what => {
                let change = (form.alt.as_str(), what == "first");
                image_change(tx, actor, &vendor, at.id, at.image, change)?;
            }
        }
        Ok::<_, Failed>(())
    })
    .await?;
    back(&keeper, at.id)
}
