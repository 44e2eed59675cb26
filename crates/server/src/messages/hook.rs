//! Calling a vendor's system by the Standard Webhooks specification.
//!
//! A call that gets no answer is repeated under the same `webhook-id`: the receiver goes by that.

use super::addresses::Guarded;
use scrip_domain::Node;
use scrip_domain::id::EndpointId;
use scrip_domain::message::{Claimed, End, endpoint_gone};
use scrip_domain::webhook::{WebhookError, endpoint_by_id, endpoint_sign};
use scrip_engine::Timestamp;
use serde_json::{Value, json};
use std::io::Read as _;
use std::time::Duration;
use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

/// A whole call, from the look-up of the name to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read and kept.
const ANSWER_AT_MOST: u64 = 300;
/// The status by which a receiver says that it is gone.
const GONE: u16 = 410;

/// Calls endpoints.
pub struct Caller {
    agent: Agent,
}

impl Caller {
    /// `open` allows addresses without TLS and private ones.
    pub fn new(open: bool) -> Caller {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .https_only(!open)
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("scrip/", env!("CARGO_PKG_VERSION")))
            .build();
        let names = DefaultResolver::default();
        let guarded = Guarded { open, names };
        Caller {
            agent: Agent::with_parts(config, DefaultConnector::default(), guarded),
        }
    }

    /// Delivers a message to an endpoint.
    pub fn deliver(&self, node: &Node, message: &Claimed, endpoint: EndpointId) -> End {
        match self.call(node, message, endpoint) {
            Ok((status, answer)) => ended(node, message, endpoint, status, &answer),
            Err(CallError::Deleted) => End::Skipped("the endpoint was deleted".into()),
            Err(CallError::Failed(text)) => End::Again(text),
        }
    }

    fn call(
        &self,
        node: &Node,
        message: &Claimed,
        endpoint: EndpointId,
    ) -> Result<(u16, String), CallError> {
        let (id, body) = (message.message_id.to_string(), body(message));
        let vault = node.vault.clone();
        let (url, seconds, signatures) = node.engine.read(|tx| {
            let url = endpoint_by_id(tx, message.book_id, endpoint)?.url;
            let (seconds, signed) =
                endpoint_sign(tx, &vault, message.book_id, endpoint, &id, &body)?;
            Ok::<_, WebhookError>((url, seconds, signed))
        })?;
        let answer = self
            .agent
            .post(&url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", &signatures)
            .send(&body);
        let mut answer = answer.map_err(|e| CallError::Failed(reason(&e)))?;
        let mut start = Vec::new();
        // What comes after the status changes nothing, and may never end.
        let body = answer.body_mut().as_reader().take(ANSWER_AT_MOST);
        drop({ body }.read_to_end(&mut start));
        let text = String::from_utf8_lossy(&start).into_owned();
        Ok((answer.status().as_u16(), text))
    }
}

enum CallError {
    Deleted,
    Failed(String),
}

impl From<WebhookError> for CallError {
    fn from(e: WebhookError) -> CallError {
        match e {
            WebhookError::Unknown(_) => CallError::Deleted,
            other => CallError::Failed(other.to_string()),
        }
    }
}

fn ended(node: &Node, message: &Claimed, endpoint: EndpointId, status: u16, said: &str) -> End {
    let answer = format!("{status} {said}");
    match status {
        200..=299 => End::Done(answer),
        GONE => {
            let book = message.book_id;
            let done = node
                .engine
                .write(move |tx| endpoint_gone(tx, book, endpoint, "it answered 410 Gone"));
            match done {
                Ok(()) => End::Refused(answer),
                // Said again at the next try.
                Err(e) => End::Again(e.to_string()),
            }
        }
        300..=399 => End::Again(format!("{status}: redirects are not followed")),
        _ => End::Again(answer),
    }
}

fn reason(e: &ureq::Error) -> String {
    match e {
        ureq::Error::Timeout(_) => "no answer within 10 seconds".into(),
        ureq::Error::HostNotFound => "no such host".into(),
        other => other.to_string(),
    }
}

/// What is sent: type, time, ids and amounts.
fn body(message: &Claimed) -> String {
    let mut data = match serde_json::from_str(&message.payload) {
        Ok(Value::Object(data)) => data,
        _ => serde_json::Map::new(),
    };
    data.insert("id".into(), json!(message.subject));
    json!({
        "type": message.topic,
        "timestamp": written(message.occurred_at),
        "data": data,
    })
    .to_string()
}

/// RFC 3339 in UTC.
fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| String::new(), |t| t.to_string())
}
