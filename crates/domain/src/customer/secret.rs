//! PINs and passwords: Argon2id, attempts counted in the database.
//!
//! Hashing takes long and stays outside transactions. One transaction counts the attempt before
//! anything is compared, so parallel guesses cannot outrun the lock; a second one records success.

use super::{Customer, CustomerError, Result, rules, store};
use crate::Node;
use crate::id::CustomerId;
use crate::vendor::Vendor;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};

/// What is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Four to eight digits, for keypads.
    Pin,
    /// At least ten characters.
    Password,
}

impl SecretKind {
    pub(super) fn name(self) -> &'static str {
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
}

/// A PIN or password as it is kept. Takes some 60 ms: call it outside transactions.
pub fn secret_hash(kind: SecretKind, secret: &str) -> Result<String> {
    check(kind, secret)?;
    Argon2::default()
        .hash_password(secret.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| EngineError::Statement(format!("argon2: {e}")).into())
}

fn check(kind: SecretKind, secret: &str) -> std::result::Result<(), SecretError> {
    match kind {
        SecretKind::Pin => {
            let digits = secret.bytes().all(|b| b.is_ascii_digit());
            if !digits || !(4..=8).contains(&secret.len()) {
                return Err(SecretError::PinShape);
            }
            let bytes = secret.as_bytes();
            let steps: Vec<i16> = bytes
                .windows(2)
                .map(|w| i16::from(w[1]).saturating_sub(i16::from(w[0])))
                .collect();
            let same_step = steps.windows(2).all(|w| w[0] == w[1]);
            if same_step && steps.first().is_some_and(|s| s.abs() <= 1) {
                return Err(SecretError::PinWeak);
            }
            Ok(())
        }
        SecretKind::Password if (10..=200).contains(&secret.chars().count()) => Ok(()),
        SecretKind::Password => Err(SecretError::PasswordShape),
    }
}

/// Sets or replaces a secret by its hash.
pub fn secret_set(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
    kind: SecretKind,
    hash: &str,
) -> Result<()> {
    Ok(store::set_secret(tx, book_id, customer, kind, hash)?)
}

/// What the first of the two transactions says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Compare with this hash, then report with [`attempt_end`].
    Compare {
        /// The Argon2id hash; `None` when the customer has no such secret.
        hash: Option<String>,
    },
    /// Too many wrong attempts.
    Locked {
        /// When the next attempt is allowed.
        until: Timestamp,
    },
}

/// Counts an attempt, before it is known whether it is right.
pub fn attempt_begin(tx: &mut Tx<'_>, customer: &Customer, kind: SecretKind) -> Result<Attempt> {
    let Some(secret) = store::secret_locked(tx, customer, kind)? else {
        return Ok(Attempt::Compare { hash: None });
    };
    let now = tx.now();
    if secret.locked_until > now {
        return Ok(Attempt::Locked {
            until: secret.locked_until,
        });
    }
    let failures = secret.failures.saturating_add(1);
    let locked_until = rules::locked_until(failures, now).unwrap_or(Timestamp(0));
    store::set_attempts(tx, customer, kind, failures, locked_until)?;
    Ok(Attempt::Compare {
        hash: Some(secret.hash),
    })
}

/// Records that an attempt was right: the count starts over.
pub fn attempt_end(tx: &mut Tx<'_>, customer: &Customer, kind: SecretKind) -> Result<()> {
    Ok(store::set_attempts(tx, customer, kind, 0, Timestamp(0))?)
}

/// The outcome of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// It is the customer.
    Proven(Customer),
    /// Number and secret do not belong together. Which of them is wrong is not said.
    Wrong,
    /// Too many wrong attempts.
    Locked {
        /// When the next attempt is allowed.
        until: Timestamp,
    },
}

/// Proves that someone is the customer of an account number.
pub fn sign_in(
    node: &Node,
    vendor: &Vendor,
    number: &str,
    kind: SecretKind,
    secret: &str,
) -> Result<SignIn> {
    let found = node
        .engine
        .read(|tx| match super::customer_by_number(tx, vendor, number) {
            Ok(customer) => Ok(Some(customer)),
            Err(CustomerError::Unknown(_) | CustomerError::Number(_)) => Ok(None),
            Err(other) => Err(other),
        })?;
    let Some(customer) = found else {
        // As slow as for an account that exists, so that time tells nothing.
        compare(None, secret);
        return Ok(SignIn::Wrong);
    };
    let begun = customer.clone();
    let attempt = node
        .engine
        .write(move |tx| attempt_begin(tx, &begun, kind))?;
    let hash = match attempt {
        Attempt::Locked { until } => return Ok(SignIn::Locked { until }),
        Attempt::Compare { hash } => hash,
    };
    if !compare(hash.as_deref(), secret) {
        return Ok(SignIn::Wrong);
    }
    let proven = customer.clone();
    node.engine
        .write(move |tx| attempt_end(tx, &proven, kind))?;
    Ok(SignIn::Proven(customer))
}

/// What is compared with where there is no secret: as costly as a real one.
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2NyaXAtbm9ib2R5LXNhbHQ\
                                 $VO0S+RU9kZLyJ6pDmXcuGY0Q2u2vTWXBdYrO5mYG7wk";

/// True when the secret has this hash. Without a hash it takes as long and is false.
pub(super) fn compare(hash: Option<&str>, secret: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else {
        return false;
    };
    let right = Argon2::default()
        .verify_password(secret.as_bytes(), &parsed)
        .is_ok();
    right && hash.is_some()
}
