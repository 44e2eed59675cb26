//! A lowered minimum makes accounts active that have enough already (REG-06): looked for in
//! bounded batches, each in a transaction of its own, until all have been looked at.

use super::{Result, State, activate_if_due, customer_by_id, store};
use crate::vendor::vendor_by_book;
use scrip_engine::Tx;

/// Accounts that one batch looks at.
const AT_ONCE: usize = 200;

/// Looks at the next accounts, where the minimum of a vendor was lowered; returns how many became
/// active, `None` when nothing is left to look at.
pub fn activation_sweep(tx: &mut Tx<'_>, book_id: i64) -> Result<Option<usize>> {
    let Some(after) = store::sweep_locked(tx, book_id)? else {
        return Ok(None);
    };
    let vendor = vendor_by_book(tx, book_id)?;
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let found = store::list(tx, book_id, after, limit)?;
    let mut active: usize = 0;
    for summary in found.iter().filter(|c| c.state == State::Inactive) {
        let customer = customer_by_id(tx, book_id, summary.customer_id)?;
        let became = activate_if_due(tx, &vendor, &customer)?;
        active = active.saturating_add(usize::from(became));
    }
    match found.last() {
        Some(last) if found.len() == AT_ONCE => {
            store::set_sweep(tx, book_id, last.number.serial())?;
        }
        _ => store::end_sweep(tx, book_id)?,
    }
    Ok(Some(active))
}
