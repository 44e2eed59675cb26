//! Webhooks: a vendor's own systems are told what happens, by the Standard Webhooks specification.
//!
//! An endpoint is an address with a secret that signs what is sent there. The secret is shown once
//! and kept encrypted under the vendor's key. A rotation lets the old one sign beside the new one
//! for a day. What is on its way to an endpoint belongs to the noun `message`.

mod rules;
mod store;

use crate::actor::Actor;
use crate::audit;
use crate::id::EndpointId;
use crate::text::{self, TextError, named};
use crate::vault::{self, Vault};
use crate::vendor::{Vendor, VendorError, vendor_data_key};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use serde_json::json;

pub use rules::{TEST_TOPIC, TOPICS};

named! {
    /// Whether an endpoint is called.
    EndpointState, "the state" {
        /// It is called.
        Enabled = "enabled",
        /// It is not.
        Disabled = "disabled",
    }
}

/// An address that is told what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The id.
    pub endpoint_id: EndpointId,
    /// Of which vendor.
    pub book_id: i64,
    /// Where it is.
    pub url: String,
    /// What people call it; may be empty.
    pub description: String,
    /// The topics that it wants; none for all.
    pub topics: Vec<String>,
    /// Whether it is called.
    pub state: EndpointState,
    /// Why it is not called; empty while it is.
    pub reason: String,
    /// Failures in a row.
    pub failures: i64,
    /// It is not called before.
    pub retry_at: Timestamp,
    /// Until when the secret before a rotation signs as well.
    pub old_secret_until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

impl Endpoint {
    /// True when it is told of this topic.
    pub fn wants(&self, topic: &str) -> bool {
        self.state == EndpointState::Enabled
            && (self.topics.is_empty() || self.topics.iter().any(|t| t == topic))
    }
}

/// An endpoint to be made.
#[derive(Clone, Debug, Default)]
pub struct NewEndpoint {
    /// Where it is.
    pub url: String,
    /// What people call it; may be empty.
    pub description: String,
    /// The topics that it wants, see [`TOPICS`]; none for all.
    pub topics: Vec<String>,
}

/// Why a command about webhooks failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// No such endpoint.
    #[error("there is no webhook endpoint {0} at this vendor")]
    Unknown(EndpointId),
    /// The address cannot be called.
    #[error("this address cannot be called: {why}")]
    Address {
        /// Why not.
        why: &'static str,
    },
    /// A topic that does not exist.
    #[error("no topic is called {0:?}: leave topics out to be told of all")]
    TopicUnknown(String),
    /// Too many endpoints.
    #[error("a vendor has at most {ENDPOINTS_AT_MOST} webhook endpoints: delete one first")]
    TooMany,
    /// The endpoint is off.
    #[error("this endpoint is disabled: enable it first")]
    Disabled,
    /// A customer asked.
    #[error("only the vendor's staff and programs may handle webhooks")]
    Forbidden,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, WebhookError>;

/// Endpoints of one vendor.
pub const ENDPOINTS_AT_MOST: usize = 20;
/// How long the secret before a rotation signs as well: a day.
pub const OLD_SECRET_S: i64 = 24 * 3600;

fn for_vendor(actor: Actor) -> Result<()> {
    if actor.for_vendor() {
        Ok(())
    } else {
        Err(WebhookError::Forbidden)
    }
}

fn label(id: EndpointId) -> String {
    format!("secret of {id}")
}

/// Notes in the audit trail what was done with an endpoint.
pub(crate) fn endpoint_noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    endpoint: &Endpoint,
    action: &str,
) -> Result<()> {
    let detail = json!({"url": endpoint.url, "topics": endpoint.topics});
    let id = endpoint.endpoint_id.to_string();
    Ok(audit::note(
        tx,
        endpoint.book_id,
        actor,
        action,
        &id,
        &detail,
    )?)
}

/// A fresh secret as it is shown, and as it is kept.
fn fresh_secret(
    tx: &mut Tx<'_>,
    vault: &Vault,
    book: i64,
    id: EndpointId,
) -> Result<(String, Vec<u8>)> {
    let mut bytes = [0; 32];
    tx.random(&mut bytes)?;
    let key = vendor_data_key(tx, vault, book)?;
    let sealed = vault::seal(tx, &key, &label(id), &bytes)?;
    Ok((rules::secret_written(&bytes), sealed))
}

/// Makes an endpoint; returns it with its secret, which is shown this once. `open` says that the
/// operator allows addresses without TLS.
pub fn endpoint_create(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    new: &NewEndpoint,
    open: bool,
) -> Result<(Endpoint, String)> {
    for_vendor(actor)?;
    let endpoint = Endpoint {
        endpoint_id: EndpointId(tx.new_id()?),
        book_id: vendor.book_id,
        url: rules::url_checked(&new.url, open)?,
        description: text::optional_line("the description", &new.description, 100)?,
        topics: rules::topics_checked(&new.topics)?,
        state: EndpointState::Enabled,
        reason: String::new(),
        failures: 0,
        retry_at: Timestamp(0),
        old_secret_until: Timestamp(0),
        created_at: tx.now(),
        created_by: actor.to_string(),
    };
    // Two at once may pass the limit by one: it guards against loops, not against people.
    if store::all(tx, vendor.book_id)?.len() >= ENDPOINTS_AT_MOST {
        return Err(WebhookError::TooMany);
    }
    let (shown, sealed) = fresh_secret(tx, vault, vendor.book_id, endpoint.endpoint_id)?;
    store::insert(tx, &endpoint, &sealed)?;
    endpoint_noted(tx, actor, &endpoint, "webhook_endpoint.create")?;
    Ok((endpoint, shown))
}

/// The endpoints of a vendor, oldest first.
pub fn endpoints(tx: &mut dyn Read, book_id: i64) -> Result<Vec<Endpoint>> {
    Ok(store::all(tx, book_id)?)
}

/// An endpoint.
pub fn endpoint_by_id(tx: &mut dyn Read, book_id: i64, id: EndpointId) -> Result<Endpoint> {
    store::by_id(tx, book_id, id)?.ok_or(WebhookError::Unknown(id))
}

/// Gives an endpoint another secret, shown this once; the old one signs as well for a day.
pub fn endpoint_rotate(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    id: EndpointId,
) -> Result<(Endpoint, String)> {
    for_vendor(actor)?;
    let mut endpoint = endpoint_by_id(tx, vendor.book_id, id)?;
    let (shown, sealed) = fresh_secret(tx, vault, vendor.book_id, id)?;
    endpoint.old_secret_until = tx.now().plus_seconds(OLD_SECRET_S);
    store::rotate(tx, &endpoint, &sealed)?;
    endpoint_noted(tx, actor, &endpoint, "webhook_endpoint.rotate")?;
    Ok((endpoint, shown))
}

/// Calls a disabled endpoint again.
pub fn endpoint_enable(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: EndpointId,
) -> Result<Endpoint> {
    for_vendor(actor)?;
    let mut endpoint = endpoint_by_id(tx, vendor.book_id, id)?;
    endpoint.state = EndpointState::Enabled;
    endpoint.reason = String::new();
    endpoint.failures = 0;
    endpoint.retry_at = Timestamp(0);
    store::set_state(tx, &endpoint)?;
    endpoint_noted(tx, actor, &endpoint, "webhook_endpoint.enable")?;
    Ok(endpoint)
}

/// Calls an endpoint no more, and says why.
pub fn endpoint_disable(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: EndpointId,
    reason: &str,
) -> Result<Endpoint> {
    let mut endpoint = endpoint_by_id(tx, book_id, id)?;
    endpoint.state = EndpointState::Disabled;
    endpoint.reason = text::optional_line("the reason", reason, 200)?;
    store::set_state(tx, &endpoint)?;
    Ok(endpoint)
}

/// Removes an endpoint with its secrets.
pub(crate) fn endpoint_remove(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: EndpointId,
) -> Result<Endpoint> {
    for_vendor(actor)?;
    let endpoint = endpoint_by_id(tx, vendor.book_id, id)?;
    store::delete(tx, vendor.book_id, id)?;
    endpoint_noted(tx, actor, &endpoint, "webhook_endpoint.delete")?;
    Ok(endpoint)
}

/// Notes how a call of an endpoint ended: one that fails is left alone for a while, so that its
/// messages do not keep workers busy.
pub(crate) fn endpoint_called(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: EndpointId,
    well: bool,
) -> Result<()> {
    let Some(mut endpoint) = store::by_id(tx, book_id, id)? else {
        return Ok(());
    };
    if well && endpoint.failures == 0 {
        return Ok(());
    }
    let now = tx.now();
    (endpoint.failures, endpoint.retry_at) = if well {
        (0, Timestamp(0))
    } else {
        let failures = endpoint.failures.saturating_add(1);
        (failures, rules::paused_until(now, failures))
    };
    Ok(store::set_state(tx, &endpoint)?)
}

/// Signs a body with each secret of an endpoint that is good now: the header
/// `webhook-signature`.
pub fn endpoint_sign(
    tx: &mut dyn Read,
    vault: &Vault,
    book_id: i64,
    id: EndpointId,
    message: &str,
    body: &str,
) -> Result<(i64, String)> {
    let now = tx.now();
    let sealed = store::secrets(tx, book_id, id, now)?;
    let key = vendor_data_key(tx, vault, book_id)?;
    let mut secrets = Vec::with_capacity(sealed.len());
    for one in sealed {
        secrets.push(vault::open(&key, &label(id), &one)?);
    }
    let seconds = now.0.div_euclid(1_000_000);
    Ok((seconds, rules::signatures(&secrets, message, seconds, body)))
}
