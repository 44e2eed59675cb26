//! When sessions are over: tables without a database.

use super::rules::{is_alive, longest_s, touch_due};
use super::{Session, Subject};
use crate::id::{CustomerId, StaffId};
use scrip_engine::Timestamp;
use uuid::Uuid;

const START: Timestamp = Timestamp(1_000_000_000_000);

fn session(subject: Subject, seen_after_s: i64) -> Session {
    Session {
        book_id: 1,
        subject,
        paying: None,
        created_at: START,
        seen_at: START.plus_seconds(seen_after_s),
        expires_at: START.plus_seconds(longest_s(subject)),
    }
}

/// SHP-03: staff have half an hour and half a day, customers two hours and a week.
#[test]
fn sessions_end_idle_and_by_age() {
    let customer = Subject::Customer(CustomerId(Uuid::nil()));
    let staff = Subject::Staff(StaffId(Uuid::nil()));
    let (minute, hour, day) = (60, 3600, 24 * 3600);
    for (subject, idle, longest) in [
        (staff, 30 * minute, 12 * hour),
        (customer, 2 * hour, 7 * day),
    ] {
        for (seen, at, alive) in [
            (0, 0, true),
            (0, idle - 1, true),
            (0, idle, false),
            (hour, hour + idle - 1, true),
            (hour, hour + idle, false),
            (longest - minute, longest - 1, true),
            (longest - minute, longest, false),
        ] {
            let now = START.plus_seconds(at);
            assert_eq!(is_alive(&session(subject, seen), now), alive, "{seen} {at}");
        }
    }
}

#[test]
fn use_is_noted_once_a_minute() {
    let session = session(Subject::Staff(StaffId(Uuid::nil())), 0);
    for (after, due) in [(0, false), (59, false), (60, true), (600, true)] {
        assert_eq!(
            touch_due(&session, START.plus_seconds(after)),
            due,
            "{after}"
        );
    }
    assert!(!session.touch_due(START) && session.touch_due(Timestamp::NEVER));
}
