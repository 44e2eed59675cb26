//! Pure decisions about deliveries: when one is tried again, and what a customer may not decline.

use super::delivery::{DeliveryState, End};
use scrip_engine::Timestamp;
use scrip_ledger::Amount;

/// Tries after which a delivery is parked: about ten hours.
pub const ATTEMPTS: i64 = 20;

/// Characters of an answer that are kept.
const ANSWER_AT_MOST: usize = 500;

/// Where a delivery stands after a try, and when it is tried next.
pub(super) fn after(end: &End, attempts: i64, now: Timestamp) -> (DeliveryState, Timestamp) {
    match end {
        End::Done(_) => (DeliveryState::Done, Timestamp::NEVER),
        End::Uncertain(_) => (DeliveryState::Uncertain, Timestamp::NEVER),
        End::Skipped(_) => (DeliveryState::Skipped, Timestamp::NEVER),
        End::Refused(_) => (DeliveryState::Parked, Timestamp::NEVER),
        End::Again(_) if attempts >= ATTEMPTS => (DeliveryState::Parked, Timestamp::NEVER),
        End::Again(_) => (DeliveryState::Waiting, next_try(now, attempts)),
    }
}

/// 2, 4, 8 … seconds, an hour at most.
fn next_try(now: Timestamp, attempts: i64) -> Timestamp {
    let seconds = 1_i64 << attempts.clamp(1, 12);
    now.plus_seconds(seconds.min(3600))
}

/// An answer as it is kept: short, on one line, without what cannot be shown.
pub(super) fn answer_kept(answer: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    answer
        .chars()
        .take(ANSWER_AT_MOST)
        .map(clean)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// True where the balance has just fallen below the threshold.
pub(super) fn has_become_low(before: Amount, after: Amount, threshold: Amount) -> bool {
    threshold.is_positive() && before >= threshold && after < threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_ever_more_rarely_and_parked() {
        let now = Timestamp(0);
        let again = End::Again("no".into());
        let seconds = |n| after(&again, n, now).1.0 / 1_000_000;
        assert_eq!(
            [seconds(1), seconds(2), seconds(3), seconds(19)],
            [2, 4, 8, 3600]
        );
        let state = |end: &End, n| after(end, n, now).0;
        assert_eq!(state(&again, ATTEMPTS), DeliveryState::Parked);
        assert_eq!(state(&End::Refused("no".into()), 1), DeliveryState::Parked);
        assert_eq!(
            state(&End::Uncertain("no".into()), 1),
            DeliveryState::Uncertain
        );
    }

    #[test]
    fn low_is_told_when_the_line_is_crossed() {
        for (before, after, threshold, told) in [
            (10, 4, 5, true),
            (5, 4, 5, true),
            (4, 3, 5, false),
            (10, 5, 5, false),
            (10, 0, 0, false),
        ] {
            let [b, a, t] = [before, after, threshold].map(Amount::from_units);
            assert_eq!(has_become_low(b, a, t), told, "{before} {after}");
        }
    }

    #[test]
    fn answers_are_kept_short_and_harmless() {
        assert_eq!(answer_kept("a\r\nb\u{0}c"), "a  b c");
        assert_eq!(answer_kept(&"x".repeat(10_000)).len(), ANSWER_AT_MOST);
    }
}
