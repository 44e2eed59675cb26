//! Stylesheet, scripts and pictures, carried inside the program.

use crate::error::{Problem, Result};
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// Changes whenever an asset changes; part of every address, so that assets can be kept for good.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort_unstable();
    for name in names {
        if let Some(file) = Assets::get(&name) {
            digest.update(name.as_bytes());
            digest.update(file.data);
        }
    }
    let bytes = digest.finalize();
    bytes.iter().take(6).map(|b| format!("{b:02x}")).collect()
});

/// One asset.
pub async fn asset(Path(name): Path<String>) -> Result<Response> {
    let file = Assets::get(&name).ok_or_else(|| Problem::not_found("file"))?;
    let kind = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    Ok((headers, file.data.into_owned()).into_response())
}
