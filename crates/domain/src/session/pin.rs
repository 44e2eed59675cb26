//! A new PIN, for one who knows the old one or has a code: sessions that others may have opened
//! with the old one end, and so do links with other accounts.

use super::{Result, SessionError, Subject, sessions_end_of};
use crate::Node;
use crate::actor::Actor;
use crate::audit;
use crate::command::{Answer, Keyed};
use crate::customer::{
    Checker, Customer, CustomerError, ResetOutcome, State, attempt_begin, attempt_end,
    customer_named, links_end, pin_reset_take, require_check, require_check_by, secret_set,
};
use crate::policy::{Sensitive, policy};
use crate::secret::{Proof, SecretKind, prove_keyed, stray_attempt};
use crate::vault::Vault;
use crate::vendor::Vendor;
use scrip_engine::{Timestamp, Tx, outbox};
use serde_json::json;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinChange {
    /// The new PIN is set, and the other sessions have ended.
    Done,
    /// The old one is wrong; the attempt counts as in signing in.
    Wrong,
    /// Too many wrong attempts.
    Locked {
        /// When the next attempt is allowed.
        until: Timestamp,
    },
}

impl<T> From<Proof<T>> for PinChange {
    fn from(proof: Proof<T>) -> PinChange {
        match proof {
            Proof::Proven(_) => PinChange::Done,
            Proof::Wrong => PinChange::Wrong,
            Proof::Locked { until } => PinChange::Locked { until },
        }
    }
}

/// Replaces a PIN under an idempotency key, by the new one's hash, for one who knows the old one.
/// All sessions of the customer end, but the one of the token `current`. Where the vendor's policy
/// wants an answer first, it is refused before it costs an attempt (REG-05).
pub fn pin_change_keyed(
    node: &Node,
    keyed: Keyed,
    customer: &Customer,
    old: &str,
    new_hash: &str,
    current: Option<&str>,
) -> Result<Answer<PinChange>> {
    let (vault, new) = (node.vault.clone(), new_hash.to_owned());
    let current = current.map(str::to_owned);
    let actor = keyed.actor;
    let checker = match &current {
        Some(token) => Checker::Session(token.clone()),
        None => Checker::Actor(actor),
    };
    let ended = prove_keyed(
        node,
        keyed,
        customer.clone(),
        old,
        move |tx, customer| {
            let policy = policy(tx, customer.book_id)?;
            require_check(tx, &policy, customer, &checker, Sensitive::PinChange)?;
            Ok(attempt_begin(tx, &vault, customer, SecretKind::Pin)?)
        },
        move |tx, customer, old| {
            if !attempt_end(tx, customer, SecretKind::Pin, old)? {
                return Ok(false);
            }
            pin_set(tx, actor, customer, &new, current.as_deref())?;
            Ok::<_, SessionError>(true)
        },
    )?;
    Ok(ended.map(PinChange::from))
}

/// Sets a PIN, by its hash, for a customer whom the vendor knows; the customer's sessions end.
pub fn pin_replace(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    new_hash: &str,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden.into());
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    require_check_by(tx, actor, customer, Sensitive::PinChange)?;
    pin_set(tx, actor, customer, new_hash, None)
}

fn pin_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    hash: &str,
    current: Option<&str>,
) -> Result<()> {
    let (book, id) = (customer.book_id, customer.customer_id);
    secret_set(tx, book, id, SecretKind::Pin, hash)?;
    noted(tx, actor, customer)?;
    tell(tx, customer)?;
    links_end(tx, book, id)?;
    sessions_end_of(tx, book, Subject::Customer(id), current)
}

/// A changed PIN is told in the audit trail, whoever changed it (REG-11).
fn noted(tx: &mut Tx<'_>, actor: Actor, customer: &Customer) -> Result<()> {
    let subject = customer.customer_id.to_string();
    let (book, nothing) = (customer.book_id, json!({}));
    audit::note_always(tx, book, actor, "customer.pin", &subject, &nothing)?;
    Ok(())
}

/// Who did not do it must learn of it.
fn tell(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    let id = customer.customer_id.to_string();
    let details = json!({"customer_id": id}).to_string();
    let topic = "customer.pin_changed";
    Ok(outbox::add(tx, customer.book_id, topic, &id, &details)?)
}

/// What a code sets, by their hashes.
#[derive(Clone, Copy)]
pub struct NewSecrets<'a> {
    /// The PIN.
    pub pin: &'a str,
    /// The password, where the vendor's policy asks for one (SHP-03).
    pub password: Option<&'a str>,
}

/// Sets a new PIN and password for one who has a code from [`crate::customer::pin_reset_start`];
/// the customer's sessions end.
pub fn pin_reset_finish(
    tx: &mut Tx<'_>,
    vault: &Vault,
    customer: &Customer,
    code: &str,
    new: NewSecrets<'_>,
) -> Result<ResetOutcome> {
    let outcome = pin_reset_take(tx, vault, customer, code, new.pin)?;
    if outcome == ResetOutcome::Done {
        if let Some(hash) = new.password {
            let (book, id) = (customer.book_id, customer.customer_id);
            secret_set(tx, book, id, SecretKind::Password, hash)?;
        }
        noted(tx, Actor::Customer(customer.customer_id), customer)?;
        tell(tx, customer)?;
        links_end(tx, customer.book_id, customer.customer_id)?;
        let subject = Subject::Customer(customer.customer_id);
        sessions_end_of(tx, customer.book_id, subject, None)?;
    }
    Ok(outcome)
}

/// The same for one who is only named, by account number or sign-in name. An unknown name ends like
/// one without a code, and takes as long.
pub fn pin_reset_finish_named(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    name: &str,
    code: &str,
    new: NewSecrets<'_>,
) -> Result<ResetOutcome> {
    let outcome = match customer_named(tx, vault, vendor, name)? {
        Some(customer) => pin_reset_finish(tx, vault, &customer, code, new)?,
        None => ResetOutcome::Expired,
    };
    if outcome == ResetOutcome::Expired {
        // Written like a wrong code is, so that time tells nothing. Nothing is locked by it: a
        // code has its own few tries.
        drop(stray_attempt(tx, vault, vendor.book_id, "reset", name)?);
    }
    Ok(outcome)
}
