//! Files that pages send (`multipart/form-data`), within limits of size and time.

use super::body::collect_within;
use crate::error::{Problem, Result};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use futures_util::stream;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

/// A file must be here by then.
const TIME: Duration = Duration::from_secs(45);
/// Bytes of a field that is no file.
const FIELD_AT_MOST: usize = 10_000;

/// A posted form with a file of at most `MOST` bytes.
#[derive(Debug)]
pub struct Upload<const MOST: usize> {
    /// Its other fields.
    pub fields: BTreeMap<String, String>,
    /// The file's name and content; empty when none was chosen.
    pub file: (String, Vec<u8>),
}

impl<const MOST: usize> Upload<MOST> {
    /// A field; empty when it was not sent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

fn wrong() -> Problem {
    let text = "the form cannot be read: send it again from the page";
    Problem::bad_request("form_invalid", text)
}

impl<const MOST: usize, S: Send + Sync> FromRequest<S> for Upload<MOST> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(|_| {
            let text = "the body must be sent with content-type multipart/form-data";
            Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type_unsupported",
                text,
            )
        })?;
        let most = MOST.saturating_add(100_000);
        let body = collect_within(request.into_body(), most, TIME).await?;
        let body = stream::once(async move { Ok::<_, Infallible>(body) });
        let mut parts = multer::Multipart::new(body, boundary);
        let mut upload = Upload {
            fields: BTreeMap::new(),
            file: (String::new(), Vec::new()),
        };
        while let Some(part) = parts.next_field().await.map_err(|_| wrong())? {
            let name = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|_| wrong())?;
            match file {
                Some(file) if name == "file" => upload.file = (file, bytes.to_vec()),
                _ if bytes.len() > FIELD_AT_MOST || upload.fields.len() > 50 => return Err(wrong()),
                _ => {
                    let text = String::from_utf8(bytes.to_vec()).map_err(|_| wrong())?;
                    upload.fields.insert(name, text);
                }
            }
        }
        Ok(upload)
    }
}
