//! Pure decisions about customers.

use super::CustomerError;
use scrip_engine::Timestamp;
use scrip_ledger::Amount;

/// The stages of a registration, in order (REG-02).
const STAGES: [&str; 3] = ["informed", "details", "account"];

/// Refuses a stage that does not come next.
pub(super) fn stage_follows(at: &str, wanted: &'static str) -> Result<(), CustomerError> {
    let place = |stage: &str| STAGES.iter().position(|s| *s == stage);
    let next = place(at).and_then(|p| STAGES.get(p.saturating_add(1)));
    if next == Some(&wanted) {
        Ok(())
    } else {
        Err(CustomerError::WrongStage {
            at: at.to_owned(),
            wanted,
        })
    }
}

/// REG-07: acquired tokens reach MT.
pub(super) fn activates(acquired: Amount, minimum: Amount) -> bool {
    acquired >= minimum
}

/// Wrong attempts in a row before a secret is locked.
pub(super) const ATTEMPTS_ALLOWED: i64 = 5;
/// The first lock; each further wrong attempt doubles it.
const FIRST_LOCK_S: i64 = 15 * 60;
/// A day: the longest lock.
const LONGEST_LOCK_S: i64 = 24 * 3600;

/// Until when a secret is locked after `failures` wrong attempts in a row; `None` when it is not.
pub(super) fn locked_until(failures: i64, now: Timestamp) -> Option<Timestamp> {
    let beyond = failures.checked_sub(ATTEMPTS_ALLOWED).filter(|b| *b >= 0)?;
    let shift = u32::try_from(beyond).unwrap_or(u32::MAX).min(16);
    let seconds = FIRST_LOCK_S.saturating_mul(1_i64.checked_shl(shift).unwrap_or(i64::MAX));
    Some(now.plus_seconds(seconds.min(LONGEST_LOCK_S)))
}
