//! Pure decisions of a token sale.

use super::store::Session;
use scrip_engine::Timestamp;

/// An attempt that has had no answer for so long keeps the next one waiting no more: the processor
/// is silent, and the order is resolved by asking it later.
const UNDER_WAY_S: i64 = 120;

/// Attempts opened after this time, and without an answer, are under way.
pub(super) fn under_way_since(now: Timestamp) -> Timestamp {
    now.plus_seconds(UNDER_WAY_S.saturating_neg())
}

/// Attempts that a payment session has left.
pub(super) fn attempts_left(session: &Session, declines_allowed: i64) -> i64 {
    declines_allowed.saturating_sub(session.declines).max(0)
}
