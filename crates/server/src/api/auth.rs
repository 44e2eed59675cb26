//! Who calls the API, and what the key may do.
//!
//! `Authorization: Bearer scrip_…`. A key belongs to one vendor and carries its book inside, so
//! there is no vendor in any address: what belongs to another book does not exist for it.

use crate::error::{Problem, Result};
use crate::state::App;
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use scrip_domain::Actor;
use scrip_domain::api_key::{ApiKey, Scope, api_key_find};
use scrip_domain::vault::digest;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A revoked key is refused within this time by every process of the node.
const REMEMBERED: Duration = Duration::from_secs(1);
/// Keys remembered at most.
const KEYS_AT_MOST: usize = 10_000;

/// The key of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key.
    pub key: Arc<ApiKey>,
}

impl Caller {
    /// The vendor's book.
    pub fn book(&self) -> i64 {
        self.key.book_id
    }

    /// As whom commands are given.
    pub fn actor(&self) -> Actor {
        Actor::Key(self.key.key_id)
    }
}

/// A caller whose key has a scope. Part of the handler's signature, so that it is checked before
/// the body is read.
#[derive(Clone, Debug)]
pub struct May<S>(pub Caller, pub PhantomData<S>);

/// A scope as a type.
pub trait Needed: Send {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($name:ident),+ $(,)?) => {
        $(
            #[doc = concat!("The scope `", stringify!($name), "`.")]
            #[derive(Clone, Debug)]
            pub struct $name;
            impl Needed for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )+
    };
}

scopes!(
    CustomersRead,
    CustomersWrite,
    TokensWrite,
    OrdersRead,
    OrdersWrite,
    RefundsWrite,
    CatalogRead,
    CatalogWrite,
    VendorRead,
    VendorWrite,
    ReportsRead,
    LedgerRead,
    WebhooksWrite,
    KeysWrite,
);

impl<S: Needed> FromRequestParts<App> for May<S> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = caller(parts, app).await?;
        if !caller.key.allows(S::SCOPE) {
            let scope = S::SCOPE.name();
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "scope_missing",
                format!("this key does not have the scope {scope}: use a key that has it"),
            ));
        }
        Ok(May(caller, PhantomData))
    }
}

async fn caller(parts: &Parts, app: &App) -> Result<Caller> {
    let presented = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim());
    let Some(presented) = presented else {
        return Err(unauthorized(
            "send your key in the header Authorization: Bearer scrip_…",
        ));
    };
    app.keys
        .find(app, presented)
        .await?
        .map(|key| Caller { key })
        .ok_or_else(|| {
            unauthorized("this key is not valid, has expired, or was revoked: use another")
        })
}

fn unauthorized(text: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "key_invalid", text)
}

/// Keys with the time when they were looked up, by the digest of what was presented.
type Remembered = HashMap<[u8; 32], (Arc<ApiKey>, Instant)>;

/// Keys that were looked up a moment ago.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<Remembered>);

impl KeyCache {
    async fn find(&self, app: &App, presented: &str) -> Result<Option<Arc<ApiKey>>> {
        let name = digest(presented.as_bytes());
        let known = self.lock().get(&name).cloned();
        if let Some((key, at)) = known
            && at.elapsed() < REMEMBERED
        {
            return Ok(Some(key).filter(|k| k.usable(app.node.engine.now())));
        }
        let presented = presented.to_owned();
        let found = app
            .read(move |tx| api_key_find(tx, &presented))
            .await?
            .map(Arc::new);
        let mut keys = self.lock();
        match &found {
            Some(key) => {
                if keys.len() >= KEYS_AT_MOST {
                    keys.clear();
                }
                keys.insert(name, (key.clone(), Instant::now()));
            }
            None => drop(keys.remove(&name)),
        }
        Ok(found)
    }

    /// Forgets all, so that a revoked key is refused by this process at once.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
