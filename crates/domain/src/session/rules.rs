//! Pure decisions about sessions.

use super::{Session, Subject};
use scrip_engine::Timestamp;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3600;

/// How long a session may stand unused.
pub(super) fn idle_s(subject: Subject) -> i64 {
    match subject {
        Subject::Customer(_) => CUSTOMER_IDLE_S,
        Subject::Staff(_) => STAFF_IDLE_S,
    }
}

/// For customers, who read and come back.
pub(super) const CUSTOMER_IDLE_S: i64 = 2 * HOUR_S;
/// For staff, who can do more and may share a screen.
pub(super) const STAFF_IDLE_S: i64 = 30 * MINUTE_S;

/// How long a session lasts at most, however much it is used.
pub(super) fn longest_s(subject: Subject) -> i64 {
    match subject {
        Subject::Customer(_) => 7 * 24 * HOUR_S,
        Subject::Staff(_) => 12 * HOUR_S,
    }
}

pub(super) fn is_alive(session: &Session, now: Timestamp) -> bool {
    now < session.expires_at && now < session.seen_at.plus_seconds(idle_s(session.subject))
}

pub(super) fn touch_due(session: &Session, now: Timestamp) -> bool {
    now >= session.seen_at.plus_seconds(MINUTE_S)
}
