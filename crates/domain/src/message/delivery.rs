//! Deliveries: what is on its way to one receiver, and how each try ended.
//!
//! A worker takes one with [`delivery_claim`]: a guarded update, so that of several processes one
//! gets it. A mail is marked [`delivery_sending`] before its text is handed to the mail server;
//! whoever vanishes before that leaves a delivery that is tried again, whoever vanishes after it one
//! that is *uncertain* and never sent again by itself.

use super::{MessageError, Result, rules, store};
use crate::actor::Actor;
use crate::audit;
use crate::id::{CustomerId, EndpointId, MessageId};
use crate::page::Page;
use crate::text::named;
use crate::vendor::Vendor;
use crate::webhook::{
    Endpoint, EndpointState, TEST_TOPIC, WebhookError, endpoint_by_id, endpoint_called,
    endpoint_disable, endpoint_noted, endpoint_remove, endpoints,
};
use scrip_engine::{Read, Timestamp, Tx, outbox};
use serde_json::json;

named! {
    /// How far a delivery is.
    DeliveryState, "the state" {
        /// It waits for its next try.
        Waiting = "waiting",
        /// A worker has it; nothing was handed over yet.
        Claimed = "claimed",
        /// It is being handed over.
        Sending = "sending",
        /// The receiver took it.
        Done = "done",
        /// It was handed over, but whether it was taken is not known.
        Uncertain = "uncertain",
        /// The receiver refused it for good, or too many tries failed.
        Parked = "parked",
        /// There was nobody to send it to any more.
        Skipped = "skipped",
    }
}

/// To whom a delivery goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The customer, by mail.
    Mail,
    /// A system of the vendor.
    Endpoint(EndpointId),
}

impl Target {
    /// As the column has it.
    pub(super) fn written(self) -> String {
        match self {
            Target::Mail => "mail".into(),
            Target::Endpoint(id) => id.to_string(),
        }
    }

    pub(super) fn read(text: &str) -> Option<Target> {
        match text {
            "mail" => Some(Target::Mail),
            id => id.parse().ok().map(Target::Endpoint),
        }
    }
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The id, the same in every try.
    pub message_id: MessageId,
    /// The book.
    pub book_id: i64,
    /// To whom.
    pub target: Target,
    /// What happened, for example `order.completed`.
    pub topic: String,
    /// What it happened to: an id.
    pub subject: String,
    /// The details: JSON with ids and amounts.
    pub payload: String,
    /// Whom it is about, where that is known.
    pub customer_id: Option<CustomerId>,
    /// How far it is.
    pub state: DeliveryState,
    /// Tries so far, the one under way included.
    pub attempts: i64,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// What came of the last try.
    pub answer: String,
    /// When that happened which it tells of.
    pub occurred_at: Timestamp,
    /// When it came to its end.
    pub closed_at: Option<Timestamp>,
}

/// A delivery that a worker has.
pub type Claimed = Delivery;

/// How a try ended, with a short answer: codes of a mail server, the first characters of a
/// system's answer. Never an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The receiver took it.
    Done(String),
    /// It was not taken this time.
    Again(String),
    /// It is not going to be taken.
    Refused(String),
    /// It was handed over, and nobody knows what became of it.
    Uncertain(String),
    /// There is nobody to send it to any more.
    Skipped(String),
}

impl End {
    pub(super) fn answer(&self) -> &str {
        match self {
            End::Done(a)
            | End::Again(a)
            | End::Refused(a)
            | End::Uncertain(a)
            | End::Skipped(a) => a,
        }
    }
}

/// How long a worker may have a delivery, in seconds: longer than all its time-outs together.
pub const LEASE_S: i64 = 300;

/// Receivers of a book that something is due for. An endpoint that failed lately is left alone for
/// a while.
pub fn targets_due(tx: &mut dyn Read, book_id: i64, mail: bool) -> Result<Vec<Target>> {
    let now = tx.now();
    let callable = |e: &Endpoint| e.state == EndpointState::Enabled && e.retry_at <= now;
    let mut targets = Vec::new();
    if mail {
        targets.push(Target::Mail);
    }
    let all = endpoints(tx, book_id)?;
    let ready = all.iter().filter(|e| callable(e));
    targets.extend(ready.map(|e| Target::Endpoint(e.endpoint_id)));
    let mut due = Vec::new();
    for target in targets {
        if store::is_due(tx, book_id, target)? {
            due.push(target);
        }
    }
    Ok(due)
}

/// Takes the delivery to a receiver that has waited longest, for a try. Of several workers that ask
/// at once, each gets another one, or none.
pub fn delivery_claim(tx: &mut Tx<'_>, book_id: i64, target: Target) -> Result<Option<Claimed>> {
    let lease = tx.now().plus_seconds(LEASE_S);
    Ok(store::claim(tx, book_id, target, lease)?)
}

/// Marks a mail as being handed over; false when the claim has lapsed, and nothing may be handed
/// over any more.
pub fn delivery_sending(tx: &mut Tx<'_>, claimed: &Claimed) -> Result<bool> {
    let lease = tx.now().plus_seconds(LEASE_S);
    Ok(store::sending(tx, claimed, lease)?)
}

/// Writes how a try ended; false when the claim had lapsed.
pub fn delivery_end(tx: &mut Tx<'_>, claimed: &Claimed, end: &End) -> Result<bool> {
    let now = tx.now();
    let (state, next_at) = rules::after(end, claimed.attempts, now);
    let answer = rules::answer_kept(end.answer());
    if !store::end(tx, claimed, state, next_at, &answer)? {
        return Ok(false);
    }
    if let Target::Endpoint(id) = claimed.target {
        endpoint_called(tx, claimed.book_id, id, matches!(end, End::Done(_)))?;
    }
    Ok(true)
}

/// Deliveries whose worker vanished: those that were not handed over yet wait again, the others are
/// uncertain. Returns how many.
pub fn deliveries_lapse(tx: &mut Tx<'_>, book_id: i64) -> Result<u64> {
    let mut targets = vec![Target::Mail];
    let all = endpoints(tx, book_id)?;
    targets.extend(all.iter().map(|e| Target::Endpoint(e.endpoint_id)));
    let mut lapsed: u64 = 0;
    for target in targets {
        lapsed = lapsed.saturating_add(store::lapse(tx, book_id, target)?);
    }
    Ok(lapsed)
}

/// How long deliveries are kept that came to a good end: 90 days.
const KEPT_S: i64 = 90 * 24 * 3600;

/// Forgets deliveries that came to a good end long ago.
pub fn deliveries_forget(tx: &mut Tx<'_>, book_id: i64) -> Result<u64> {
    let before = tx.now().plus_seconds(KEPT_S.saturating_neg());
    Ok(store::forget(tx, book_id, before)?)
}

/// Deliveries to a receiver, newest first, perhaps of one state only: `limit` of them, older than
/// `before`.
pub fn deliveries(
    tx: &mut dyn Read,
    book_id: i64,
    target: Target,
    state: Option<DeliveryState>,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Delivery, MessageId>> {
    let before = before.unwrap_or(MessageId(uuid::Uuid::max()));
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::list(tx, book_id, target, state, before, further)?;
    Ok(Page::of(found, limit, |d| d.message_id))
}

/// A delivery.
pub fn delivery_by_id(tx: &mut dyn Read, book_id: i64, id: MessageId) -> Result<Delivery> {
    store::by_id(tx, book_id, id)?.ok_or(MessageError::Unknown(id))
}

/// Sends a delivery once more, under the same id: one that arrived at an endpoint or was given up.
/// A mail that arrived or may have arrived is not sent again.
pub fn delivery_again(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: MessageId,
) -> Result<Delivery> {
    if !actor.for_vendor() {
        return Err(MessageError::Forbidden);
    }
    let mut delivery = delivery_by_id(tx, vendor.book_id, id)?;
    match (delivery.state, delivery.target) {
        (DeliveryState::Waiting | DeliveryState::Claimed | DeliveryState::Sending, _) => {
            return Err(MessageError::OnItsWay);
        }
        (DeliveryState::Uncertain | DeliveryState::Done, Target::Mail) => {
            return Err(MessageError::MayHaveArrived);
        }
        (_, Target::Endpoint(endpoint)) => {
            let endpoint = endpoint_by_id(tx, vendor.book_id, endpoint)?;
            if endpoint.state == EndpointState::Disabled {
                return Err(WebhookError::Disabled.into());
            }
        }
        (_, Target::Mail) => {}
    }
    if !store::again(tx, &delivery)? {
        return Err(MessageError::OnItsWay);
    }
    let detail = json!({"topic": delivery.topic, "target": delivery.target.written()});
    let action = "message.send_again";
    audit::note(tx, vendor.book_id, actor, action, &id.to_string(), &detail)?;
    delivery.state = DeliveryState::Waiting;
    delivery.attempts = 0;
    delivery.next_at = tx.now();
    delivery.closed_at = None;
    Ok(delivery)
}

/// Sends a trial to one endpoint.
pub fn endpoint_test(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: EndpointId,
) -> Result<Endpoint> {
    if !actor.for_vendor() {
        return Err(MessageError::Forbidden);
    }
    let endpoint = endpoint_by_id(tx, vendor.book_id, id)?;
    if endpoint.state == EndpointState::Disabled {
        return Err(WebhookError::Disabled.into());
    }
    outbox::add(tx, vendor.book_id, TEST_TOPIC, &id.to_string(), "{}")?;
    endpoint_noted(tx, actor, &endpoint, "webhook_endpoint.test")?;
    Ok(endpoint)
}

/// Removes an endpoint; what waits for it is not sent any more.
pub fn endpoint_delete(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: EndpointId,
) -> Result<Endpoint> {
    let removed = endpoint_remove(tx, actor, vendor, id)?;
    store::skip_waiting(tx, vendor.book_id, Target::Endpoint(id))?;
    Ok(removed)
}

/// Disables an endpoint whose receiver says that it is gone; what waits for it is not sent.
pub fn endpoint_gone(tx: &mut Tx<'_>, book_id: i64, id: EndpointId, reason: &str) -> Result<()> {
    endpoint_disable(tx, book_id, id, reason)?;
    store::skip_waiting(tx, book_id, Target::Endpoint(id))?;
    Ok(())
}
