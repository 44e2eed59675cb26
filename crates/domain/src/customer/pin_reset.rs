//! A forgotten PIN: staff who know the customer give out a code, with which a new PIN is set.

use super::{Customer, CustomerError, Result, State, require_check_by, rules, secret_set, store};
use crate::actor::Actor;
use crate::audit;
use crate::policy::Sensitive;
use crate::secret::{self, SecretKind};
use crate::vault::Vault;
use scrip_engine::{Read, Tx};
use serde_json::json;

/// How long a code can be used.
const VALID_S: i64 = 3600;

/// What became of a code as typed. To those who are not signed in, wrong and expired look the
/// same: otherwise the answer tells that the account exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetOutcome {
    /// The new PIN is set.
    Done,
    /// Not this code.
    Wrong {
        /// Tries left; with 0 the code is dead.
        left: i64,
    },
    /// There is no code, or its time or its tries are over.
    Expired,
}

/// Makes a code for a customer, in place of an earlier one; only staff may. Shown once.
pub fn pin_reset_start(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    customer: &Customer,
) -> Result<String> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number));
    }
    require_check_by(tx, actor, customer, Sensitive::PinChange)?;
    let code = secret::code(tx)?;
    let plain = secret::code_read(&code).unwrap_or_default();
    let reset = store::Reset {
        code_hash: code_hash(vault, customer, &plain).to_vec(),
        failures: 0,
        expires_at: tx.now().plus_seconds(VALID_S),
    };
    store::set_reset(tx, customer, &reset, &actor.to_string())?;
    let (book, subject) = (customer.book_id, customer.customer_id.to_string());
    audit::note(
        tx,
        book,
        actor,
        "customer.pin_code_made",
        &subject,
        &json!({}),
    )?;
    Ok(code)
}

/// A code has 50 bits: few enough that its hash needs the master key.
fn code_hash(vault: &Vault, customer: &Customer, code: &str) -> [u8; 32] {
    let id = customer.customer_id.0;
    vault.hash("PIN reset", &[id.as_bytes(), code.as_bytes()])
}

/// Sets a new PIN, by its hash, to whoever has the code. Ending the customer's sessions is left to
/// `session`, which stands above.
pub(crate) fn pin_reset_take(
    tx: &mut Tx<'_>,
    vault: &Vault,
    customer: &Customer,
    code: &str,
    new_hash: &str,
) -> Result<ResetOutcome> {
    let Some(reset) = store::reset_locked(tx, customer)? else {
        return Ok(ResetOutcome::Expired);
    };
    let left = rules::codes_left(reset.failures);
    if reset.expires_at <= tx.now() || left == 0 || customer.state == State::Closed {
        return Ok(ResetOutcome::Expired);
    }
    let right = secret::code_read(code)
        .is_some_and(|c| secret::same_hash(&reset.code_hash, &code_hash(vault, customer, &c)));
    if !right {
        let failures = reset.failures.saturating_add(1);
        store::set_reset_failures(tx, customer, failures)?;
        let left = rules::codes_left(failures);
        return Ok(ResetOutcome::Wrong { left });
    }
    store::end_reset(tx, customer)?;
    secret_set(
        tx,
        customer.book_id,
        customer.customer_id,
        SecretKind::Pin,
        new_hash,
    )?;
    Ok(ResetOutcome::Done)
}
