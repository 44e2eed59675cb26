//! Pictures of products, from our own origin: nobody else learns who looks at what.

use crate::error::Result;
use crate::http::body::Path;
use crate::state::App;
use crate::web::session::{Guest, Shop};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use scrip_domain::catalog::images::content;
use scrip_domain::id::ImageId;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct At {
    id: ImageId,
}

/// Who may look at pictures: the one place to ask (SHP-04).
pub fn gate(_guest: &Guest) -> Result<()> {
    Ok(())
}

/// The address of a picture.
pub fn image_at(shop: &Shop, id: ImageId) -> String {
    shop.at(&format!("/images/{id}"))
}

/// `GET /shops/{slug}/images/{id}`. A picture never changes under its id, so a browser may keep it;
/// only its own user's, because who may look is asked each time.
pub async fn image(
    State(app): State<App>,
    guest: Guest,
    headers: HeaderMap,
    Path(at): Path<At>,
) -> Result<Response> {
    gate(&guest)?;
    let book = guest.shop.vendor.book_id;
    let tag = format!("\"{}\"", at.id);
    let (media, bytes) = app.read(move |tx| content(tx, book, at.id)).await?;
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v == tag.as_str());
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => bytes.into_response(),
    };
    let own = response.headers_mut();
    let cache = HeaderValue::from_static("private, max-age=86400");
    own.insert(header::CACHE_CONTROL, cache);
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    own.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [(header::CONTENT_TYPE, media), (header::ETAG, tag)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            own.insert(name, value);
        }
    }
    Ok(response)
}
