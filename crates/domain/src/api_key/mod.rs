//! Keys of programs that use the API for a vendor.
//!
//! A key is `scrip_<book>_<id>_<secret>`: it carries its book, so one read finds it, and a prefix
//! that scanners for leaked secrets can look for. It is shown once; only its hash is kept.

mod rules;
mod store;
#[cfg(test)]
mod tests;

use crate::actor::Actor;
use crate::audit;
use crate::id::ApiKeyId;
use crate::page::Page;
use crate::secret;
use crate::text::{self, TextError};
use crate::vendor::Vendor;
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use serde_json::json;

pub use rules::Scope;

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub key_id: ApiKeyId,
    /// Of which vendor.
    pub book_id: i64,
    /// What people call it.
    pub name: String,
    /// What it may do, in the order of [`Scope::ALL`].
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom: an id, or `system`.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// True when it may do this.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// True while it is neither revoked nor expired.
    pub fn usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends by itself; `None` for a key that lasts until it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// Why a command about keys failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// No such key.
    #[error("there is no key {0} at this vendor")]
    Unknown(ApiKeyId),
    /// A customer asked.
    #[error("only the vendor's staff and programs may handle keys")]
    Forbidden,
    /// A key that may do nothing.
    #[error("a key needs at least one scope: say what it may do")]
    NoScope,
    /// It would be over before it begins.
    #[error("the key would expire at {0}, which has passed: choose a later time")]
    ExpiryInPast(Timestamp),
    /// A key may not give what it does not have.
    #[error("this key does not have the scope {0}, so it cannot give it to another")]
    ScopeNotHeld(Scope),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, ApiKeyError>;

/// Makes a key; returns it with the whole text that its program presents, which is shown this
/// once. When the actor is a key itself, it needs [`Scope::KeysWrite`] and every scope that it
/// gives.
pub fn api_key_create(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    new: &NewApiKey,
) -> Result<(ApiKey, String)> {
    let name = text::line("the name of the key", &new.name, 100)?;
    let scopes = rules::ordered(&new.scopes);
    if scopes.is_empty() {
        return Err(ApiKeyError::NoScope);
    }
    let now = tx.now();
    if let Some(end) = new.expires_at.filter(|end| *end <= now) {
        return Err(ApiKeyError::ExpiryInPast(end));
    }
    match actor {
        Actor::Customer(_) => return Err(ApiKeyError::Forbidden),
        Actor::Key(id) => {
            // Read here and locked, so that a key that is being revoked makes no other.
            let creator = store::by_id_locked(tx, vendor.book_id, id)?;
            let creator = creator.filter(|key| key.usable(now));
            let creator = creator.ok_or(ApiKeyError::Unknown(id))?;
            rules::may_give(&creator, &scopes).map_err(ApiKeyError::ScopeNotHeld)?;
        }
        Actor::Staff(_) | Actor::System => {}
    }
    let key = ApiKey {
        key_id: ApiKeyId(tx.new_id()?),
        book_id: vendor.book_id,
        name,
        scopes,
        created_at: now,
        created_by: actor.to_string(),
        expires_at: new.expires_at,
        revoked_at: None,
    };
    let whole = rules::written(key.book_id, key.key_id, &secret::token(tx)?);
    store::insert(tx, &key, &secret::token_hash(&whole))?;
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.name()).collect();
    let detail = json!({"scopes": scopes, "expires_at": key.expires_at.map(|at| at.0)});
    let subject = key.key_id.to_string();
    audit::note(tx, key.book_id, actor, "api_key.created", &subject, &detail)?;
    Ok((key, whole))
}

/// The key of a text as presented. `None` when it is malformed, unknown, wrong, revoked or
/// expired: the answer is the same for all.
pub fn api_key_find(tx: &mut dyn Read, presented: &str) -> Result<Option<ApiKey>> {
    let Some((book_id, id)) = rules::read(presented) else {
        return Ok(None);
    };
    let Some((key, kept)) = store::by_id_with_hash(tx, book_id, id)? else {
        return Ok(None);
    };
    let is_right = secret::same_hash(&kept, &secret::token_hash(presented));
    let now = tx.now();
    Ok(is_right.then_some(key).filter(|key| key.usable(now)))
}

/// Keys of a vendor, oldest first, with those that were revoked or expired: at most `limit` that
/// follow `after`.
pub fn api_keys(
    tx: &mut dyn Read,
    book_id: i64,
    after: Option<ApiKeyId>,
    limit: usize,
) -> Result<Page<ApiKey, ApiKeyId>> {
    let after = after.unwrap_or(ApiKeyId(uuid::Uuid::nil()));
    let found = store::list(tx, book_id, after, limit.saturating_add(1))?;
    Ok(Page::of(found, limit, |key| key.key_id))
}

/// Takes a key back for good. Doing it again changes nothing.
pub fn api_key_revoke(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: ApiKeyId,
) -> Result<ApiKey> {
    if !actor.for_vendor() {
        return Err(ApiKeyError::Forbidden);
    }
    let mut key = store::by_id_locked(tx, vendor.book_id, id)?.ok_or(ApiKeyError::Unknown(id))?;
    if key.revoked_at.is_none() {
        key.revoked_at = Some(tx.now());
        store::set_revoked(tx, vendor.book_id, id)?;
        let subject = id.to_string();
        audit::note(
            tx,
            vendor.book_id,
            actor,
            "api_key.revoked",
            &subject,
            &json!({}),
        )?;
    }
    Ok(key)
}
