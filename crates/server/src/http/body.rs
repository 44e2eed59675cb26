//! Reading requests. Everything that arrives is bad input until checked: size, time, encoding,
//! syntax, unknown and repeated fields.

use super::strict;
use crate::error::{Problem, Result};
use crate::state::App;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The largest ordinary body.
pub const BODY_AT_MOST: usize = 256 * 1024;
/// The largest body of a batch or an import.
pub const BATCH_AT_MOST: usize = 8 * 1024 * 1024;
/// A body must be here by then.
const BODY_TIME: Duration = Duration::from_secs(15);

/// Collects a body within its limits of size and time.
async fn collect(body: Body, most: usize) -> Result<Bytes> {
    collect_within(body, most, BODY_TIME).await
}

/// Collects a body of so many bytes within a time.
pub async fn collect_within(body: Body, most: usize, time: Duration) -> Result<Bytes> {
    match tokio::time::timeout(time, Limited::new(body, most).collect()).await {
        Ok(Ok(all)) => Ok(all.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body has more than {most} bytes: send less, or several requests"),
        )),
        Ok(Err(_)) => Err(Problem::bad_request(
            "body_truncated",
            "the body ended before its announced length: send it again",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            format!(
                "the body did not arrive within {} seconds: send it again",
                time.as_secs()
            ),
        )),
    }
}

fn media_type(request: &Request) -> &str {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .map(str::trim)
        .unwrap_or_default()
}

fn wrong_media_type(wanted: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media_type_unsupported",
        format!("the body must be sent with content-type {wanted}"),
    )
}

/// A body as it came, of at most [`BODY_AT_MOST`] bytes.
#[derive(Debug)]
pub struct Raw(pub Bytes);

impl FromRequest<App> for Raw {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &App) -> Result<Self> {
        collect(request.into_body(), BODY_AT_MOST).await.map(Raw)
    }
}

/// A JSON body of at most [`BODY_AT_MOST`] bytes.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A JSON body of at most [`BATCH_AT_MOST`] bytes.
#[derive(Debug)]
pub struct BatchJson<T>(pub T);

/// A body of at most [`BATCH_AT_MOST`] bytes that is a table, in whatever encoding, for imports.
#[derive(Debug)]
pub struct Table(pub Bytes);

/// A posted form.
#[derive(Debug)]
pub struct Form<T>(pub T);

/// The query of the address.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The parameters of the path. An id that cannot be one is not found.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        json(request, BODY_AT_MOST).await.map(Json)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for BatchJson<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        json(request, BATCH_AT_MOST).await.map(BatchJson)
    }
}

async fn json<T: DeserializeOwned>(request: Request, most: usize) -> Result<T> {
    if media_type(&request) != "application/json" {
        return Err(wrong_media_type("application/json"));
    }
    let bytes = collect(request.into_body(), most).await?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    let value = match strict::deserialize(tracked) {
        Ok(value) => value,
        Err(e) => return Err(unreadable(&track.path().to_string(), &e)),
    };
    reader
        .end()
        .map_err(|e| Problem::bad_request("json_invalid", format!("the body is not JSON: {e}")))?;
    Ok(value)
}

/// What the reader says, without all of a long text that it cannot take.
fn short(said: impl std::fmt::Display) -> String {
    const MOST: usize = 400;
    let said = said.to_string();
    match said.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &said[..end]),
        None => said,
    }
}

fn unreadable(path: &str, inner: &serde_json::Error) -> Problem {
    if inner.is_data() {
        let place = if path == "." {
            "the body".to_owned()
        } else {
            format!("the field {}", short(path))
        };
        let why = short(inner);
        Problem::invalid("field_invalid", format!("{place} cannot be taken: {why}"))
    } else {
        Problem::bad_request("json_invalid", format!("the body is not JSON: {inner}"))
    }
}

impl<S: Send + Sync> FromRequest<S> for Table {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if !matches!(media_type(&request), "text/csv" | "text/plain") {
            return Err(wrong_media_type("text/csv"));
        }
        let bytes = collect(request.into_body(), BATCH_AT_MOST).await?;
        Ok(Table(bytes))
    }
}

/// A file of at most `MOST` bytes, whatever it is.
#[derive(Debug)]
pub struct File<const MOST: usize>(pub Vec<u8>);

impl<const MOST: usize, S: Send + Sync> FromRequest<S> for File<MOST> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if media_type(&request) != "application/octet-stream" {
            return Err(wrong_media_type("application/octet-stream"));
        }
        collect(request.into_body(), MOST)
            .await
            .map(|bytes| File(bytes.into()))
    }
}

/// True when percent-encoded text is UTF-8. The reader would put other characters for what is not.
fn decodes(text: &[u8]) -> bool {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    std::str::from_utf8(&plain).is_ok()
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if media_type(&request) != "application/x-www-form-urlencoded" {
            return Err(wrong_media_type("application/x-www-form-urlencoded"));
        }
        let bytes = collect(request.into_body(), BODY_AT_MOST).await?;
        if !decodes(&bytes) {
            let text = "the form is not UTF-8: send it again from the page";
            return Err(Problem::bad_request("not_utf8", text));
        }
        serde_html_form::from_bytes(&bytes).map(Form).map_err(|e| {
            Problem::invalid(
                "form_invalid",
                format!("the form cannot be read: {}", short(e)),
            )
        })
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        if !decodes(query.as_bytes()) {
            let text = "the query is not UTF-8: encode it as UTF-8 before it is percent-encoded";
            return Err(Problem::invalid("query_invalid", text));
        }
        serde_html_form::from_str(query).map(Query).map_err(|e| {
            Problem::invalid(
                "query_invalid",
                format!("the query cannot be taken: {}", short(e)),
            )
        })
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(path)| Path(path))
            .map_err(|_| Problem::not_found("thing at this address"))
    }
}

#[cfg(test)]
mod tests {
    use super::decodes;

    #[test]
    fn percent_encoded_text_is_utf8() {
        for good in ["", "a=b&c=%e7%8C%AB", "a=%41+%", "%zz", "%4", "%", "é=1"] {
            assert!(decodes(good.as_bytes()), "{good}");
        }
        for bad in ["%ff", "a=%e7%8c", "%c3a", "%ed%a0%80"] {
            assert!(!decodes(bad.as_bytes()), "{bad}");
        }
        assert!(!decodes(b"a=\xff"));
    }
}
