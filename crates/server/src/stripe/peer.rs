//! Calls of Stripe's HTTP interface: one at a time, each with an end.

use crate::config::StripeSettings;
use serde_json::Value;
use std::time::{Duration, Instant};
use ureq::http::Request;
use ureq::{Agent, Body};

/// What an answer may weigh.
const ANSWER_AT_MOST: u64 = 1024 * 1024;
/// How long one call may take, even where there is more time.
const CALL: Duration = Duration::from_secs(12);

/// By when everything about one charge is said, so that nobody looks it up while it is under way.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So far from now.
    pub fn within(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    fn left(self) -> Option<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.min(CALL))
    }
}

/// What came of a call.
#[derive(Clone, Debug)]
pub enum Said {
    /// It was done; the object.
    Done(Value),
    /// It was not done, and Stripe says why.
    Refused(Refusal),
    /// No answer, or one that says nothing: it may have been done.
    Nothing,
}

/// Why Stripe did not do what was asked.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// `card_error` and the like.
    pub kind: String,
    /// `card_declined` and the like.
    pub code: String,
    /// `insufficient_funds` and the like.
    pub decline: String,
}

/// Whoever speaks Stripe's interface.
pub struct Peer {
    agent: Agent,
    settings: StripeSettings,
}

impl Peer {
    /// Prepares; no connection is opened.
    pub fn new(settings: StripeSettings) -> Peer {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(CALL))
            .user_agent("scrip")
            .build();
        Peer {
            agent: config.into(),
            settings,
        }
    }

    /// True for Stripe itself. Peers for tests refuse parameters that they do not know, and get
    /// only those without which there is no payment.
    pub fn is_real(&self) -> bool {
        self.settings.is_real()
    }

    /// Looks at something.
    pub fn get(&self, path: &str, deadline: Deadline) -> Said {
        let request = Request::get(self.url(path));
        let request = self.headed(request).body(());
        let Ok(request) = request else {
            return Said::Nothing;
        };
        let Some(left) = deadline.left() else {
            return Said::Nothing;
        };
        let agent = &self.agent;
        let request = agent.configure_request(request);
        let request = request.timeout_global(Some(left)).build();
        said(path, agent.run(request))
    }

    /// Does something; under the same key it is done once.
    pub fn post(&self, path: &str, key: &str, fields: &[(&str, &str)], deadline: Deadline) -> Said {
        let (Ok(body), Some(left)) = (serde_html_form::to_string(fields), deadline.left()) else {
            return Said::Nothing;
        };
        let request = Request::post(self.url(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", body.len().to_string())
            .header("idempotency-key", key);
        let request = self.headed(request);
        let agent = &self.agent;
        // A body without a byte would be sent in chunks.
        let answer = if body.is_empty() {
            request.body(()).map(|request| {
                let request = agent.configure_request(request);
                agent.run(request.timeout_global(Some(left)).build())
            })
        } else {
            request.body(body).map(|request| {
                let request = agent.configure_request(request);
                agent.run(request.timeout_global(Some(left)).build())
            })
        };
        answer.map_or(Said::Nothing, |answer| said(path, answer))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.settings.url)
    }

    fn headed(&self, request: ureq::http::request::Builder) -> ureq::http::request::Builder {
        let key = self.settings.secret_key.reveal();
        request.header("authorization", format!("Bearer {key}"))
    }
}

/// The path without ids, for the log.
fn plain(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn said(path: &str, answer: Result<ureq::http::Response<Body>, ureq::Error>) -> Said {
    let answer = match answer {
        Ok(answer) => answer,
        Err(e) => {
            tracing::warn!(call = plain(path), error = %e, "no answer from stripe");
            return Said::Nothing;
        }
    };
    let (parts, mut body) = answer.into_parts();
    let status = parts.status.as_u16();
    let text = body.with_config().limit(ANSWER_AT_MOST).read_to_string();
    let json = text
        .ok()
        .and_then(|t| serde_json::from_str::<Value>(&t).ok());
    match (status, json) {
        (200..300, Some(json)) => Said::Done(json),
        (400..500, json) => {
            let refusal = refusal(status, &json.unwrap_or_default());
            // Another call under the same key is not over, or there are too many: done or not.
            if status == 409 || status == 429 {
                return Said::Nothing;
            }
            if status == 401 || status == 403 {
                tracing::error!(status, "stripe refuses the secret key");
            }
            Said::Refused(refusal)
        }
        _ => {
            tracing::warn!(call = plain(path), status, "no answer from stripe");
            Said::Nothing
        }
    }
}

fn refusal(status: u16, json: &Value) -> Refusal {
    let error = &json["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    Refusal {
        status,
        kind: text("type"),
        code: text("code"),
        decline: text("decline_code"),
    }
}
