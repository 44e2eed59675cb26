//! A second factor at sign-in: one-time codes of an app that the person carries (RFC 6238), with
//! recovery codes for when it is lost (SHP-03). For customers and staff alike.
//!
//! The secret is kept encrypted, recovery codes as keyed hashes; each code is taken once. Wrong
//! codes are counted and locked like wrong PINs. Between PIN and code there is a session that
//! waits: it opens nothing, lasts five minutes, and becomes a real one with the right code.

mod rules;
mod store;
#[cfg(test)]
mod tests;

use super::{Result, Session, SessionError, Subject, session_open, staff_session_open};
use crate::actor::Actor;
use crate::audit;
use crate::customer::Customer;
use crate::secret;
use crate::vault::{self, SecretKey, Vault};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use serde_json::json;

/// How long the code may take after the PIN.
const WAITS_S: i64 = 5 * 60;
/// Recovery codes that a person is given.
const RECOVERY_CODES: usize = 10;

/// What became of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// It was right.
    Right(T),
    /// Not a code of this person, or one that was used.
    Wrong,
    /// Too many wrong ones.
    Locked {
        /// When the next one is taken.
        until: Timestamp,
    },
    /// There is nothing to give a code for: not begun, or its time is over.
    Over,
}

/// Whose second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// At which vendor.
    pub book_id: i64,
    /// Who.
    pub subject: Subject,
}

impl Holder {
    /// Of a customer.
    pub fn customer(customer: &Customer) -> Holder {
        Holder {
            book_id: customer.book_id,
            subject: Subject::Customer(customer.customer_id),
        }
    }

    fn id(&self) -> [u8; 16] {
        match self.subject {
            Subject::Customer(id) => *id.0.as_bytes(),
            Subject::Staff(id) => *id.0.as_bytes(),
        }
    }

    fn actor(&self) -> Actor {
        match self.subject {
            Subject::Customer(id) => Actor::Customer(id),
            Subject::Staff(id) => Actor::Staff(id),
        }
    }

    fn key(&self, vault: &Vault) -> SecretKey {
        let book = self.book_id.to_le_bytes();
        vault.derived("second factor", &[&book, &self.id()])
    }

    fn recovery_hash(&self, vault: &Vault, code: &str) -> [u8; 32] {
        let book = self.book_id.to_le_bytes();
        vault.hash("recovery code", &[&book, &self.id(), code.as_bytes()])
    }

    fn note(&self, tx: &mut Tx<'_>, actor: Actor, action: &str) -> Result<()> {
        let id = match self.subject {
            Subject::Customer(id) => id.to_string(),
            Subject::Staff(id) => id.to_string(),
        };
        audit::note_always(tx, self.book_id, actor, action, &id, &json!({}))?;
        Ok(())
    }
}

const LABEL: &str = "second factor";

/// Makes a secret for an app, in base 32, in place of one that was begun and not confirmed. It
/// counts for nothing until [`factor_confirm`]. Refused while a second factor is on.
pub fn factor_begin(tx: &mut Tx<'_>, vault: &Vault, holder: Holder) -> Result<String> {
    if factor_is_on(tx, holder)? {
        return Err(SessionError::FactorOn);
    }
    let mut bytes = [0; rules::SECRET_BYTES];
    tx.random(&mut bytes)?;
    let sealed = vault::seal(tx, &holder.key(vault), LABEL, &bytes)?;
    store::begin(tx, holder, &sealed)?;
    Ok(rules::base32(&bytes))
}

/// The secret that was begun, to be shown again after a mistyped code.
pub fn factor_begun(tx: &mut dyn Read, vault: &Vault, holder: Holder) -> Result<Option<String>> {
    let found = store::factor(tx, holder)?.filter(|found| !found.is_on);
    found
        .map(|found| Ok(rules::base32(&opened(vault, holder, &found.sealed)?)))
        .transpose()
}

fn opened(vault: &Vault, holder: Holder, sealed: &[u8]) -> Result<Vec<u8>> {
    Ok(vault::open(&holder.key(vault), LABEL, sealed)?)
}

/// True when sign-in needs a code too.
pub fn factor_is_on(tx: &mut dyn Read, holder: Holder) -> Result<bool> {
    Ok(store::factor(tx, holder)?.is_some_and(|found| found.is_on))
}

/// Recovery codes that are left.
pub fn factor_codes_left(tx: &mut dyn Read, holder: Holder) -> Result<i64> {
    Ok(store::codes_left(tx, holder)?)
}

/// Turns the second factor on with a first right code; returns the recovery codes, which are shown
/// once.
pub fn factor_confirm(
    tx: &mut Tx<'_>,
    vault: &Vault,
    holder: Holder,
    code: &str,
) -> Result<Taken<Vec<String>>> {
    match store::factor(tx, holder)? {
        Some(found) if !found.is_on => {}
        _ => return Ok(Taken::Over),
    }
    match taken(tx, vault, holder, code)? {
        Taken::Right(()) => {}
        Taken::Wrong => return Ok(Taken::Wrong),
        Taken::Locked { until } => return Ok(Taken::Locked { until }),
        Taken::Over => return Ok(Taken::Over),
    }
    store::turn_on(tx, holder)?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    while codes.len() < RECOVERY_CODES {
        let code = secret::code(tx)?;
        let plain = secret::code_read(&code).unwrap_or_default();
        store::add_code(tx, holder, &holder.recovery_hash(vault, &plain))?;
        codes.push(code);
    }
    holder.note(tx, holder.actor(), "second_factor.on")?;
    Ok(Taken::Right(codes))
}

/// Takes a code of one who shows who it is without a session: a shop's own page asks for it
/// (ARC-04). Over when the second factor is off.
pub fn factor_prove(
    tx: &mut Tx<'_>,
    vault: &Vault,
    holder: Holder,
    code: &str,
) -> Result<Taken<()>> {
    if !factor_is_on(tx, holder)? {
        return Ok(Taken::Over);
    }
    taken(tx, vault, holder, code)
}

/// Turns it off, by the person, who has a code.
pub fn factor_end(tx: &mut Tx<'_>, vault: &Vault, holder: Holder, code: &str) -> Result<Taken<()>> {
    if !factor_is_on(tx, holder)? {
        return Ok(Taken::Over);
    }
    let taken = taken(tx, vault, holder, code)?;
    if taken == Taken::Right(()) {
        store::forget(tx, holder)?;
        holder.note(tx, holder.actor(), "second_factor.off")?;
    }
    Ok(taken)
}

/// Turns it off for one who lost the app and the recovery codes, by those who know the person.
pub fn factor_lift(tx: &mut Tx<'_>, actor: Actor, holder: Holder) -> Result<()> {
    if !actor.for_vendor() {
        return Err(crate::customer::CustomerError::Forbidden.into());
    }
    if store::factor(tx, holder)?.is_some() {
        store::forget(tx, holder)?;
        holder.note(tx, actor, "second_factor.lifted")?;
    }
    Ok(())
}

/// Forgets it with the account.
pub(crate) fn factor_forget(
    tx: &mut Tx<'_>,
    holder: Holder,
) -> std::result::Result<(), EngineError> {
    store::forget(tx, holder)
}

/// Counts a try at a code and takes it, when it is right: each code once.
fn taken(tx: &mut Tx<'_>, vault: &Vault, holder: Holder, code: &str) -> Result<Taken<()>> {
    let Some(found) = store::factor_locked(tx, holder)? else {
        return Ok(Taken::Over);
    };
    let now = tx.now();
    let counted = match found.attempts.counted(now) {
        Err(until) => return Ok(Taken::Locked { until }),
        Ok(counted) => counted,
    };
    let secret = opened(vault, holder, &found.sealed)?;
    if let Some(step) = rules::step_of(&secret, code, now, found.last_step) {
        store::set_right(tx, holder, step)?;
        return Ok(Taken::Right(()));
    }
    if found.is_on
        && let Some(plain) = secret::code_read(code)
        && store::take_code(tx, holder, &holder.recovery_hash(vault, &plain))?
    {
        store::set_right(tx, holder, found.last_step)?;
        holder.note(tx, holder.actor(), "second_factor.recovery_code")?;
        return Ok(Taken::Right(()));
    }
    store::set_attempts(tx, holder, counted)?;
    Ok(Taken::Wrong)
}

/// What signing in comes to once PIN or password are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// A session; its token.
    Open(String),
    /// A session that waits for a code; its token.
    Waits(String),
}

/// Begins a session, or one that waits where there is a second factor.
pub fn session_enter(tx: &mut Tx<'_>, holder: Holder) -> Result<Entrance> {
    if factor_is_on(tx, holder)? {
        let token = session_open(tx, holder.book_id, holder.subject)?;
        let until = tx.now().plus_seconds(WAITS_S);
        super::store::set_waiting(tx, holder.book_id, &secret::token_hash(&token), until)?;
        return Ok(Entrance::Waits(token));
    }
    opened_session(tx, holder).map(Entrance::Open)
}

fn opened_session(tx: &mut Tx<'_>, holder: Holder) -> Result<String> {
    match holder.subject {
        Subject::Customer(_) => session_open(tx, holder.book_id, holder.subject),
        Subject::Staff(id) => staff_session_open(tx, holder.book_id, id),
    }
}

/// The session that waits under a token; `None` when there is none, or no longer.
pub fn session_waiting(tx: &mut dyn Read, book_id: i64, token: &str) -> Result<Option<Session>> {
    if !secret::is_token(token) {
        return Ok(None);
    }
    let found = super::store::waiting(tx, book_id, &secret::token_hash(token))?;
    Ok(found.filter(|session| tx.now() < session.expires_at))
}

/// A code for a session that waits: the right one opens a session under a fresh token.
pub fn session_pass(
    tx: &mut Tx<'_>,
    vault: &Vault,
    book_id: i64,
    token: &str,
    code: &str,
) -> Result<Taken<(Subject, String)>> {
    let Some(session) = session_waiting(tx, book_id, token)? else {
        return Ok(Taken::Over);
    };
    let holder = Holder {
        book_id,
        subject: session.subject,
    };
    Ok(match taken(tx, vault, holder, code)? {
        Taken::Right(()) => {
            super::session_end(tx, book_id, token)?;
            Taken::Right((holder.subject, opened_session(tx, holder)?))
        }
        Taken::Wrong => Taken::Wrong,
        Taken::Locked { until } => Taken::Locked { until },
        Taken::Over => Taken::Over,
    })
}
