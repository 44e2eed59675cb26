//! Secrets: PINs and passwords that people know, tokens that programs carry (SHP-03).
//!
//! Hashing with Argon2id takes long and stays outside transactions. One transaction counts the
//! attempt before anything is compared, so parallel guesses cannot outrun the lock; a second one
//! records success.
//!
//! Names that nobody has are counted and locked like those that exist, in a table of their own
//! under a keyed hash. The simpler ways leak: "wrong" without ever a lock tells that there is no
//! account, and a lock that is told only to the right secret tells a guesser that it is right.
//! This way the owner is told how long to wait, and a guesser learns nothing.

mod keyed;
mod rules;
mod store;
#[cfg(test)]
mod tests;

use crate::Node;
use crate::vault::{self, Vault};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};

pub use keyed::prove_keyed;

/// Characters of a [`token`].
pub const TOKEN_LENGTH: usize = 43;

/// What is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Four to eight digits, for keypads.
    Pin,
    /// At least ten characters.
    Password,
}

impl SecretKind {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            SecretKind::Pin => "pin",
            SecretKind::Password => "password",
        }
    }
}

/// Why a secret was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not a PIN.
    #[error("a PIN has 4 to 8 digits")]
    PinShape,
    /// Too easy to guess.
    #[error("this PIN is among the first that others would try: choose digits that differ")]
    PinWeak,
    /// Not a password.
    #[error("a password has 10 to 200 characters")]
    PasswordShape,
    /// Nothing was answered, or too much.
    #[error("an answer has 2 to 200 characters")]
    AnswerShape,
    /// Argon2 failed.
    #[error("the secret cannot be hashed: {0}")]
    Hashing(String),
}

/// A PIN or password as it is kept. Takes some 60 ms: call it outside transactions.
pub fn secret_hash(kind: SecretKind, secret: &str) -> Result<String, SecretError> {
    rules::acceptable(kind, secret)?;
    Argon2::default()
        .hash_password(secret.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| SecretError::Hashing(e.to_string()))
}

/// An answer to a question as it is kept (REG-05): without case and superfluous space. Takes some
/// 60 ms: call it outside transactions.
pub fn answer_hash(answer: &str) -> Result<String, SecretError> {
    let answer = answer_normal(answer);
    if !(2..=200).contains(&answer.chars().count()) {
        return Err(SecretError::AnswerShape);
    }
    Argon2::default()
        .hash_password(answer.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| SecretError::Hashing(e.to_string()))
}

/// An answer in the form that is compared: people do not remember how they wrote it.
pub fn answer_normal(answer: &str) -> String {
    let words: Vec<&str> = answer.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Refuses what [`secret_hash`] refuses, at once.
pub fn secret_check(kind: SecretKind, secret: &str) -> Result<(), SecretError> {
    rules::acceptable(kind, secret)
}

/// What is compared with where there is no secret: as costly as a real one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2NyaXAtbm9ib2R5LXNhbHQ\
                      $VO0S+RU9kZLyJ6pDmXcuGY0Q2u2vTWXBdYrO5mYG7wk";

/// True when the secret has this hash. Without a hash it takes as long and is false.
pub fn compare(hash: Option<&str>, secret: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else {
        return false;
    };
    let right = Argon2::default()
        .verify_password(secret.as_bytes(), &parsed)
        .is_ok();
    right && hash.is_some()
}

/// A secret as kept, with its wrong attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its Argon2id hash.
    pub hash: String,
    /// The wrong attempts.
    pub attempts: Attempts,
}

/// Wrong attempts in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub failures: i64,
    /// When the next one is allowed; the time of the last one where it was not locked.
    pub locked_until: Timestamp,
}

impl Attempts {
    /// None: after a right attempt, or with a new secret.
    pub const NONE: Attempts = Attempts {
        failures: 0,
        locked_until: Timestamp(0),
    };

    /// One attempt more, before it is known whether it is right; or until when none is allowed.
    pub fn counted(self, now: Timestamp) -> Result<Attempts, Timestamp> {
        rules::counted(self, now)
    }
}

/// What the first of the two transactions says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Compare with this hash.
    Compare {
        /// The Argon2id hash; `None` where there is no such secret.
        hash: Option<String>,
    },
    /// Too many wrong attempts.
    Locked {
        /// When the next attempt is allowed.
        until: Timestamp,
    },
}

/// The outcome of proving who one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof<T> {
    /// It is this one.
    Proven(T),
    /// Name and secret do not belong together. Which of them is wrong is not said.
    Wrong,
    /// Too many wrong attempts.
    Locked {
        /// When the next attempt is allowed.
        until: Timestamp,
    },
}

/// Counts an attempt at a name that nobody has, or at a secret that somebody does not have.
/// `kind` keeps the names of customers and staff, PINs and passwords apart.
pub fn stray_attempt(
    tx: &mut Tx<'_>,
    vault: &Vault,
    book_id: i64,
    kind: &str,
    name: &str,
) -> Result<Attempt, EngineError> {
    let hash = stray_hash(vault, book_id, kind, name);
    let attempts = store::stray_locked(tx, book_id, &hash)?;
    let now = tx.now();
    match attempts.counted(now) {
        Err(until) => Ok(Attempt::Locked { until }),
        Ok(counted) => {
            store::set_stray(tx, book_id, &hash, counted)?;
            Ok(Attempt::Compare { hash: None })
        }
    }
}

/// Until when attempts of this kind at a name are not looked at; counts nothing. For secrets that
/// many right attempts may be made at: only wrong ones are counted, by [`stray_attempt`].
pub fn stray_locked_until(
    tx: &mut Tx<'_>,
    vault: &Vault,
    book_id: i64,
    kind: &str,
    name: &str,
) -> Result<Option<Timestamp>, EngineError> {
    let hash = stray_hash(vault, book_id, kind, name);
    let attempts = store::stray_locked(tx, book_id, &hash)?;
    let now = tx.now();
    Ok(attempts.counted(now).err())
}

fn stray_hash(vault: &Vault, book_id: i64, kind: &str, name: &str) -> [u8; 32] {
    let name = name.trim().to_lowercase();
    let book = book_id.to_le_bytes();
    vault.hash("stray attempt", &[&book, kind.as_bytes(), name.as_bytes()])
}

/// Forgets attempts at names that nobody has, when they no longer count; returns how many.
pub fn stray_attempts_expire(tx: &mut Tx<'_>, book_id: i64) -> Result<u64, EngineError> {
    let before = rules::forgotten_before(tx.now());
    store::forget_strays(tx, book_id, before)
}

/// Proves that someone is `found`: counts the attempt with `begin`, compares, and records a right
/// one with `end`, which is given the hash that was compared with and says whether it still holds.
pub fn prove<T, E>(
    node: &Node,
    found: Option<T>,
    secret: &str,
    mut begin: impl FnMut(&mut Tx<'_>, Option<&T>) -> Result<Attempt, E> + Send + 'static,
    mut end: impl FnMut(&mut Tx<'_>, &T, &str) -> Result<bool, E> + Send + 'static,
) -> Result<Proof<T>, E>
where
    T: Clone + Send + 'static,
    E: From<EngineError> + Send + 'static,
{
    let begun = found.clone();
    let attempt = node.engine.write(move |tx| begin(tx, begun.as_ref()))?;
    let hash = match attempt {
        Attempt::Locked { until } => return Ok(Proof::Locked { until }),
        Attempt::Compare { hash } => hash,
    };
    // As slow where there is nobody, so that time tells nothing.
    let right = compare(hash.as_deref(), secret);
    let (Some(subject), Some(hash), true) = (found, hash, right) else {
        return Ok(Proof::Wrong);
    };
    let proven = subject.clone();
    // The secret may have been replaced while it was compared: then the old one proves nothing.
    if node.engine.write(move |tx| end(tx, &proven, &hash))? {
        Ok(Proof::Proven(subject))
    } else {
        Ok(Proof::Wrong)
    }
}

/// A fresh token that nobody can guess: 256 random bits in [`TOKEN_LENGTH`] characters that stand
/// in URLs and headers as they are.
pub fn token(tx: &mut Tx<'_>) -> Result<String, EngineError> {
    let mut bytes = [0; 32];
    tx.random(&mut bytes)?;
    Ok(rules::base64url(&bytes))
}

/// True for what [`token`] can have made.
pub fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// What is kept of a token. It is as random as a key, so a fast hash is enough.
pub fn token_hash(token: &str) -> [u8; 32] {
    vault::digest(token.as_bytes())
}

/// Compares hashes in a time that does not depend on where they differ.
pub fn same_hash(kept: &[u8], presented: &[u8]) -> bool {
    let differ = kept
        .iter()
        .zip(presented)
        .fold(0_u8, |differ, (a, b)| differ | (a ^ b));
    kept.len() == presented.len() && std::hint::black_box(differ) == 0
}

/// Characters of a [`code`].
const CODE_LENGTH: usize = 10;

/// A fresh code for people to read aloud and type: `XXXXX-XXXXX`, in Crockford's base 32.
pub fn code(tx: &mut Tx<'_>) -> Result<String, EngineError> {
    let mut bytes = [0; CODE_LENGTH];
    tx.random(&mut bytes)?;
    Ok(rules::code(&bytes))
}

/// A code as typed, in its one form: without case and hyphens, O read as 0, I and L as 1. `None`
/// when it is no code.
pub fn code_read(typed: &str) -> Option<String> {
    rules::code_read(typed)
}
