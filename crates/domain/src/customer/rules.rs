//! Pure decisions about customers.

use super::CustomerError;
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

/// Wrong codes that end a reset.
const CODES_ALLOWED: i64 = 5;

/// Tries that a reset code has left.
pub(super) fn codes_left(failures: i64) -> i64 {
    CODES_ALLOWED.saturating_sub(failures).max(0)
}
