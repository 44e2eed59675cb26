//! The one place where errors of the rules become answers of HTTP.
//!
//! Every error is a [`Problem`]: a status, a code that programs can compare, and a text that says
//! what to do. The API writes it as RFC 9457 JSON, the pages as words.
//!
//! `error/domain.rs` and `error/money.rs` have the errors of the nouns; the rest is here.

mod domain;
mod money;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
pub use domain::refused;
use scrip_domain::command::CommandError;
use scrip_engine::Error as EngineError;
use scrip_ledger::Error as LedgerError;
use serde_json::{Map, Value, json};

/// Why a request was not done, for programs and for people.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// What programs compare: letters and underscores. `problem_codes.rs` explains each.
    pub code: &'static str,
    /// What happened and what to do about it.
    pub detail: String,
    /// More members of the JSON form.
    pub more: Map<String, Value>,
    /// When trying again makes sense.
    pub retry_after_s: Option<u32>,
}

/// What handlers return.
pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    /// A problem of a kind, with its text.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            code,
            detail: detail.into(),
            more: Map::new(),
            retry_after_s: None,
        }
    }

    /// The same with one more member.
    pub fn with(mut self, name: &str, value: Value) -> Problem {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The same, to be tried again after some seconds.
    pub fn retry_after(mut self, seconds: u32) -> Problem {
        self.retry_after_s = Some(seconds);
        self
    }

    /// What was asked for is not here, or belongs to somebody else: both look the same.
    pub fn not_found(what: &str) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}: check the id"),
        )
    }

    /// The request itself cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// The request can be read, but not done as it stands.
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// Too much to do at the moment.
    pub fn busy() -> Problem {
        let text = "the node has too much to do at the moment: try again in a few seconds";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text).retry_after(5)
    }

    /// A defect: the details go to the log, not to the caller.
    pub fn internal(what: &dyn std::fmt::Display) -> Problem {
        tracing::error!(error = %what, "request failed");
        let text = "something went wrong inside scrip and nothing of this request was kept; \
                    the operator finds the reason in the log";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text)
    }

    /// The title: the code in words.
    pub fn title(&self) -> String {
        let words = self.code.replace('_', " ");
        let mut letters = words.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect())
            .unwrap_or_default()
    }

    /// The RFC 9457 form.
    pub fn json(&self) -> Value {
        let mut all = Map::new();
        all.insert("type".into(), json!(format!("/docs#{}", self.code)));
        all.insert("title".into(), json!(self.title()));
        all.insert("status".into(), json!(self.status.as_u16()));
        all.insert("detail".into(), json!(sentence(&self.detail)));
        all.insert("code".into(), json!(self.code));
        all.extend(self.more.clone());
        Value::Object(all)
    }

    /// The text as a sentence.
    pub fn sentence(&self) -> String {
        sentence(&self.detail)
    }
}

/// Errors of the rules begin small, so that they can be joined; alone they are sentences.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut whole: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    if !whole.ends_with(['.', '?', '!']) {
        whole.push('.');
    }
    whole
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.json().to_string();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"scrip\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        // Pages show the same problem in words.
        response.extensions_mut().insert(self);
        response
    }
}

/// Errors that carry a kind of their own; those from below are asked there.
trait Kind {
    fn problem(self) -> Problem;
}

impl Kind for EngineError {
    fn problem(self) -> Problem {
        let unavailable = |code, text: &str| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, text).retry_after(2)
        };
        match &self {
            EngineError::OutcomeUnknown(_) => {
                tracing::error!(error = %self, "outcome unknown");
                unavailable(
                    "outcome_unknown",
                    "the database failed while it kept this request: repeat it under the same \
                     idempotency key to learn its outcome",
                )
            }
            EngineError::Unavailable(_)
            | EngineError::Contention(_)
            | EngineError::Closed
            | EngineError::InUse(_) => {
                tracing::error!(error = %self, "database not available");
                unavailable(
                    "unavailable",
                    "the database cannot serve now and nothing of this request was kept: try again",
                )
            }
            _ => Problem::internal(&self),
        }
    }
}

impl Kind for CommandError {
    fn problem(self) -> Problem {
        match self {
            CommandError::KeyReused => Problem::invalid("idempotency_key_reused", self.to_string()),
            CommandError::KeyInvalid => {
                Problem::bad_request("idempotency_key_invalid", self.to_string())
            }
            CommandError::UnderWay => {
                Problem::new(StatusCode::CONFLICT, "under_way", self.to_string()).retry_after(1)
            }
            CommandError::Engine(e) => e.problem(),
        }
    }
}

impl Kind for LedgerError {
    fn problem(self) -> Problem {
        match self {
            LedgerError::Engine(e) => e.problem(),
            LedgerError::Overflow
            | LedgerError::NotAnAmount { .. }
            | LedgerError::NotPositive
            | LedgerError::CurrencyInvalid(_)
            | LedgerError::SlugInvalid(_) => Problem::invalid("amount_invalid", self.to_string()),
            LedgerError::EntryUnknown { .. } => Problem::not_found("entry"),
            // A cursor named it.
            LedgerError::TransferUnknown { .. } => Problem::invalid(
                "cursor_invalid",
                "this cursor is not one of this list: use `next` of the page before",
            ),
            LedgerError::EntrySize(_) => Problem::invalid("too_large", self.to_string()),
            // The rules look first; what the ledger still refuses is a defect above it.
            other => Problem::internal(&other),
        }
    }
}

/// An error of any noun, for commands that use several. It becomes a [`Problem`], and perhaps a
/// line in the log, only when it is the last word: a command may fail and run again.
pub struct Failed(Box<dyn FnOnce() -> Problem + Send>);

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Problem {
        failed.0()
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Failed {
        Failed(Box::new(|| problem))
    }
}

macro_rules! problems {
    ($($error:ident),+ $(,)?) => {
        $(
            impl From<$error> for Problem {
                fn from(e: $error) -> Problem {
                    e.problem()
                }
            }
            impl From<$error> for Failed {
                fn from(e: $error) -> Failed {
                    Failed(Box::new(|| e.problem()))
                }
            }
        )+
    };
}

use problems;

problems!(EngineError, CommandError, LedgerError);

#[cfg(test)]
mod tests {
    use super::{EngineError, Problem};
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;

    /// A full disk or a lost database is no fault of the caller: nothing was kept, try again.
    #[test]
    fn a_database_that_cannot_serve_is_told_as_such() {
        for (error, code) in [
            (EngineError::Unavailable("disk full".into()), "unavailable"),
            (EngineError::Contention("rows".into()), "unavailable"),
            (
                EngineError::OutcomeUnknown("lost".into()),
                "outcome_unknown",
            ),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.code, code);
            assert!(!problem.detail.contains("disk full"), "{}", problem.detail);
            let answer = problem.into_response();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key(header::RETRY_AFTER));
        }
    }

    /// What went wrong inside is for the log alone.
    #[test]
    fn defects_tell_the_caller_nothing_of_the_inside() {
        for error in [
            EngineError::Statement("SELECT secret".into()),
            EngineError::Corrupt("row 17 of secret".into()),
            EngineError::Panicked("secret".into()),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert!(!problem.json().to_string().contains("secret"));
        }
    }
}
