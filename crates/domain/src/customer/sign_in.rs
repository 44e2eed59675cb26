//! Signing in: proving that someone is a customer (SHP-03). How attempts are counted and why is
//! told in `secret/mod.rs`.

use super::{AccountNumber, Customer, CustomerError, Result, State, customer_by_login, store};
use crate::Node;
use crate::command::{Answer, Keyed};
use crate::id::CustomerId;
use crate::policy::{Secrets, policy};
use crate::secret::{Attempt, Attempts, Proof, SecretKind, prove, prove_keyed, stray_attempt};
use crate::vault::Vault;
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx};

/// The outcome of a sign-in.
pub type SignIn = Proof<Customer>;

/// What somebody gives to prove who it is. It is never printed.
#[derive(Clone, Default)]
pub struct Given {
    /// A PIN, as typed.
    pub pin: Option<String>,
    /// A password, as typed.
    pub password: Option<String>,
}

impl Given {
    /// What is compared under a vendor's policy, in this order. What is missing is compared as
    /// nothing, which is never right; what is not asked for is left out.
    pub fn asked(&self, secrets: Secrets) -> Vec<(SecretKind, String)> {
        let pin = || (SecretKind::Pin, self.pin.clone().unwrap_or_default());
        let password = || {
            let typed = self.password.clone().unwrap_or_default();
            (SecretKind::Password, typed)
        };
        match secrets {
            Secrets::Either if self.pin.is_some() => vec![pin()],
            Secrets::Either | Secrets::Password => vec![password()],
            Secrets::Pin => vec![pin()],
            Secrets::Both => vec![pin(), password()],
        }
    }

    /// True when exactly what the policy asks for is here.
    pub fn fits(&self, secrets: Secrets) -> bool {
        let is_here = (self.pin.is_some(), self.password.is_some());
        match secrets {
            Secrets::Either => is_here.0 != is_here.1,
            Secrets::Pin => is_here == (true, false),
            Secrets::Password => is_here == (false, true),
            Secrets::Both => is_here == (true, true),
        }
    }
}

/// All of them, or what stands in the way. A lock comes first: of several secrets, the answer does
/// not tell which one was right.
fn all_proven<T>(proofs: Vec<Proof<T>>) -> Proof<T> {
    let mut all = Proof::Wrong;
    let mut is_wrong = proofs.is_empty();
    for proof in proofs {
        match proof {
            Proof::Locked { until } => return Proof::Locked { until },
            Proof::Wrong => is_wrong = true,
            Proof::Proven(who) => all = Proof::Proven(who),
        }
    }
    if is_wrong { Proof::Wrong } else { all }
}

/// Proves that someone is a customer with what the vendor's policy asks for. Each secret is
/// compared and counted by itself, also when an earlier one was wrong: so time tells nothing.
pub fn sign_in_with(node: &Node, vendor: &Vendor, name: &str, given: &Given) -> Result<SignIn> {
    let book = vendor.book_id;
    let policy = node.engine.read(|tx| policy(tx, book))?;
    let asked = given.asked(policy.sign_in.secrets);
    let proofs = asked
        .iter()
        .map(|(kind, secret)| sign_in(node, vendor, name, *kind, secret));
    Ok(all_proven(proofs.collect::<Result<Vec<_>>>()?))
}

/// The same for a customer who is known, under an idempotency key. What does not fit the policy is
/// refused before it costs an attempt.
pub fn customer_verify_with(
    node: &Node,
    keyed: &Keyed,
    customer: &Customer,
    given: &Given,
) -> Result<Answer<Proof<()>>> {
    let book = customer.book_id;
    let policy = node.engine.read(|tx| policy(tx, book))?;
    let secrets = policy.sign_in.secrets;
    if !given.fits(secrets) {
        return Err(CustomerError::SecretsAsked(secrets));
    }
    let (mut proofs, mut replayed) = (Vec::new(), true);
    for (place, (kind, secret)) in given.asked(secrets).into_iter().enumerate() {
        let keyed = match place {
            0 => keyed.clone(),
            _ => keyed.part(kind.name()),
        };
        let proof = customer_verify_keyed(node, keyed, customer, kind, &secret)?;
        replayed &= proof.replayed;
        proofs.push(proof.value);
    }
    let value = all_proven(proofs);
    Ok(Answer { value, replayed })
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

/// Counts an attempt, before it is known whether it is right.
pub fn attempt_begin(
    tx: &mut Tx<'_>,
    vault: &Vault,
    customer: &Customer,
    kind: SecretKind,
) -> Result<Attempt> {
    let Some(kept) = store::secret_locked(tx, customer, kind)? else {
        let name = customer.customer_id.to_string();
        return Ok(stray_attempt(
            tx,
            vault,
            customer.book_id,
            kind.name(),
            &name,
        )?);
    };
    let now = tx.now();
    match kept.attempts.counted(now) {
        Err(until) => Ok(Attempt::Locked { until }),
        Ok(counted) => {
            store::set_attempts(tx, customer, kind, counted)?;
            let hash = Some(kept.hash);
            Ok(Attempt::Compare { hash })
        }
    }
}

/// Records that an attempt was right: the count starts over. False when the secret is no longer
/// the one of this hash.
pub fn attempt_end(
    tx: &mut Tx<'_>,
    customer: &Customer,
    kind: SecretKind,
    hash: &str,
) -> Result<bool> {
    let kept = store::secret_locked(tx, customer, kind)?;
    if kept.is_none_or(|kept| kept.hash != hash) {
        return Ok(false);
    }
    store::set_attempts(tx, customer, kind, Attempts::NONE)?;
    Ok(true)
}

/// Proves that someone is the customer of an account number, or of a sign-in name where the text
/// is no account number. A name at another vendor is unknown here.
pub fn sign_in(
    node: &Node,
    vendor: &Vendor,
    name: &str,
    kind: SecretKind,
    secret: &str,
) -> Result<SignIn> {
    let found = node
        .engine
        .read(|tx| customer_named(tx, &node.vault, vendor, name))?;
    let (vault, book_id) = (node.vault.clone(), vendor.book_id);
    // One count for all ways to write a number.
    let stray = AccountNumber::parse(name).map_or_else(|_| name.to_owned(), |n| n.to_string());
    prove(
        node,
        found,
        secret,
        move |tx, found| match found {
            Some(customer) => attempt_begin(tx, &vault, customer, kind),
            None => Ok(stray_attempt(tx, &vault, book_id, kind.name(), &stray)?),
        },
        move |tx, customer, hash| attempt_end(tx, customer, kind, hash),
    )
}

/// Proves that someone is a customer who is known already, under an idempotency key: a shop's own
/// page asks for account and PIN (ARC-04).
pub fn customer_verify_keyed(
    node: &Node,
    keyed: Keyed,
    customer: &Customer,
    kind: SecretKind,
    secret: &str,
) -> Result<Answer<Proof<()>>> {
    let vault = node.vault.clone();
    prove_keyed(
        node,
        keyed,
        customer.clone(),
        secret,
        move |tx, customer| match customer.state {
            State::Closed => Err(CustomerError::Closed(customer.number)),
            State::Inactive | State::Active => attempt_begin(tx, &vault, customer, kind),
        },
        move |tx, customer, hash| attempt_end(tx, customer, kind, hash),
    )
}

/// The customer of this vendor who is called so: by account number, or by sign-in name where the
/// text is no account number.
pub(crate) fn customer_named(
    tx: &mut dyn Read,
    vault: &Vault,
    vendor: &Vendor,
    name: &str,
) -> Result<Option<Customer>> {
    let customer = match AccountNumber::parse(name) {
        Ok(number) => store::by_number(tx, number)?,
        Err(_) => match customer_by_login(tx, vault, name) {
            Ok(customer) => Some(customer),
            Err(CustomerError::Unknown(_)) => None,
            Err(other) => return Err(other),
        },
    };
    Ok(customer.filter(|c| c.book_id == vendor.book_id))
}
