//! Sessions: customers and staff who signed in (SHP-03).
//!
//! A session is a random token. Only its hash is kept, so that whoever has the database cannot
//! use it. It ends by signing out, by standing idle, and by its age; a change of the PIN ends the
//! customer's others.

mod factor;
mod pin;
mod rules;
mod staff;
mod store;
#[cfg(test)]
mod tests;

use crate::command::CommandError;
use crate::customer::{Customer, CustomerError, State, customer_by_id, linked_accounts};
use crate::id::{CustomerId, StaffId};
use crate::secret::{self, SecretError};
use crate::vendor::{VendorError, staff_at_work, staff_by_id};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};

pub(crate) use factor::factor_forget;
pub use factor::{
    Entrance, Holder, Taken, factor_begin, factor_begun, factor_codes_left, factor_confirm,
    factor_end, factor_is_on, factor_lift, factor_prove, session_enter, session_pass,
    session_waiting,
};
pub use pin::{
    NewSecrets, PinChange, pin_change_keyed, pin_replace, pin_reset_finish, pin_reset_finish_named,
};
pub use staff::{
    staff_leave, staff_password_change, staff_password_set, staff_session_end, staff_session_open,
};

/// Who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A customer.
    Customer(CustomerId),
    /// A member of staff.
    Staff(StaffId),
}

/// Someone signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// At which vendor.
    pub book_id: i64,
    /// Who.
    pub subject: Subject,
    /// The linked account that a customer chose to pay from; whether it still is one is looked up
    /// at each use (TOK-15).
    pub paying: Option<CustomerId>,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When it ends, used or not.
    pub expires_at: Timestamp,
}

impl Session {
    /// True when [`session_touch`] has something to write.
    pub fn touch_due(&self, now: Timestamp) -> bool {
        rules::touch_due(self, now)
    }
}

/// Why a command about sessions failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A secret that cannot be taken.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A second factor is on already.
    #[error("one-time codes are asked for already: turn them off first, with a code")]
    FactorOn,
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, SessionError>;

/// Begins a session for someone who proved who it is; returns its token.
pub fn session_open(tx: &mut Tx<'_>, book_id: i64, subject: Subject) -> Result<String> {
    match subject {
        Subject::Customer(id) => {
            let customer = customer_by_id(tx, book_id, id)?;
            if customer.state == State::Closed {
                return Err(CustomerError::Closed(customer.number).into());
            }
        }
        Subject::Staff(id) => drop(staff_at_work(tx, book_id, id)?),
    }
    let token = secret::token(tx)?;
    let now = tx.now();
    let session = Session {
        book_id,
        subject,
        paying: None,
        created_at: now,
        seen_at: now,
        expires_at: now.plus_seconds(rules::longest_s(subject)),
    };
    store::insert(tx, &session, &secret::token_hash(&token))?;
    Ok(token)
}

/// The session of a token. `None` when there is none, when it stood idle too long or is too old,
/// and when the customer's account was closed or the member of staff has left.
pub fn session_find(tx: &mut dyn Read, book_id: i64, token: &str) -> Result<Option<Session>> {
    if !secret::is_token(token) {
        return Ok(None);
    }
    let now = tx.now();
    let found = store::by_token(tx, book_id, &secret::token_hash(token))?
        .filter(|session| rules::is_alive(session, now));
    if let Some(Session {
        subject: Subject::Customer(id),
        ..
    }) = found
        && customer_by_id(tx, book_id, id)?.state == State::Closed
    {
        return Ok(None);
    }
    if let Some(Session {
        subject: Subject::Staff(id),
        ..
    }) = found
        && staff_by_id(tx, book_id, id)?.ended_at.is_some()
    {
        return Ok(None);
    }
    Ok(found)
}

/// Notes that a session is being used, at most once a minute.
pub fn session_touch(tx: &mut Tx<'_>, book_id: i64, token: &str) -> Result<()> {
    let now = tx.now();
    // Looked for again: a session that ended meanwhile must not come back.
    if let Some(session) = session_find(tx, book_id, token)?
        && session.touch_due(now)
    {
        store::set_seen(tx, book_id, &secret::token_hash(token))?;
    }
    Ok(())
}

/// Chooses the account that a session pays from: `None` for its own. Refused where the two are not
/// linked (TOK-15).
pub fn session_pay_from(
    tx: &mut Tx<'_>,
    own: &Customer,
    token: &str,
    chosen: Option<CustomerId>,
) -> Result<()> {
    if let Some(chosen) = chosen {
        let linked = linked_accounts(tx, own)?;
        if linked.iter().all(|one| one.customer_id != chosen) {
            return Err(CustomerError::NotLinked.into());
        }
    }
    let hash = secret::token_hash(token);
    Ok(store::set_paying(tx, own, &hash, chosen)?)
}

/// Ends a session; one that is not there has ended already.
pub fn session_end(tx: &mut Tx<'_>, book_id: i64, token: &str) -> Result<()> {
    Ok(store::end(tx, book_id, &secret::token_hash(token))?)
}

/// Ends all sessions of someone, but the one of the token `except`.
pub fn sessions_end_of(
    tx: &mut Tx<'_>,
    book_id: i64,
    subject: Subject,
    except: Option<&str>,
) -> Result<()> {
    let except = except.map(secret::token_hash);
    Ok(store::end_of(
        tx,
        book_id,
        subject,
        except.as_ref().map_or(&[], |hash| hash),
    )?)
}

/// Ends all sessions of a customer whose account ends.
pub(crate) fn sessions_end_all(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: CustomerId,
) -> std::result::Result<(), EngineError> {
    store::end_of(tx, book_id, Subject::Customer(id), &[])
}

/// Erases sessions that are over, of all vendors, at most so many; returns how many.
pub fn sessions_expire(tx: &mut Tx<'_>, most: usize) -> Result<usize> {
    let now = tx.now();
    let over = store::over(tx, now, most)?;
    for (book_id, token_hash) in &over {
        store::end(tx, *book_id, token_hash)?;
    }
    Ok(over.len())
}
