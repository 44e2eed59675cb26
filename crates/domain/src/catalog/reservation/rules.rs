//! Pure decisions about reservations.

use super::{Kept, PERIODS};
use crate::id::CustomerId;
use scrip_engine::Timestamp;

pub(super) fn seconds(minutes: i64) -> i64 {
    minutes.saturating_mul(60)
}

/// From when until when a reservation holds that is made now. `old` is what the same customer had of
/// the same offer, ended or not. `None` while it rests.
pub(super) fn span(
    old: Option<(Timestamp, Timestamp)>,
    minutes: i64,
    now: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let period = seconds(minutes);
    let until = now.plus_seconds(period);
    let Some((since, _)) = old else {
        return Some((now, until));
    };
    let last = since.plus_seconds(period.saturating_mul(PERIODS));
    if now >= last.plus_seconds(period) {
        return Some((now, until));
    }
    let until = until.min(last);
    (until > now).then_some((since, until))
}

/// Pieces that a buyer can have where these reservations live. When there are fewer pieces than are
/// reserved, because they were counted anew, those come first who reserved first.
pub(super) fn usable(on_hand: i64, live: &[Kept], buyer: Option<CustomerId>) -> i64 {
    let mut in_turn: Vec<&Kept> = live.iter().collect();
    in_turn.sort_by_key(|kept| (kept.since, kept.customer_id));
    let (mut free, mut own) = (on_hand.max(0), 0);
    for kept in in_turn {
        let granted = kept.pieces.min(free);
        free = free.saturating_sub(granted);
        if Some(kept.customer_id) == buyer {
            own = granted;
        }
    }
    free.saturating_add(own)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::{Kept, span, usable};
    use crate::id::{CustomerId, OfferId};
    use scrip_engine::Timestamp;
    use uuid::Uuid;

    fn at(minute: i64) -> Timestamp {
        Timestamp(0).plus_seconds(minute * 60)
    }

    fn customer(n: u128) -> CustomerId {
        CustomerId(Uuid::from_u128(n))
    }

    fn kept(n: u128, pieces: i64, since: i64) -> Kept {
        Kept {
            offer_id: OfferId(Uuid::nil()),
            customer_id: customer(n),
            pieces,
            since: at(since),
            until: at(since + 10),
        }
    }

    /// SHP-13: renewed up to four lengths, then a rest of one, then anew.
    #[test]
    fn a_reservation_is_not_renewed_for_ever() {
        let old = Some((at(0), at(10)));
        for (now, expected) in [
            (5, Some((0, 15))),
            (20, Some((0, 30))),
            (35, Some((0, 40))),
            (40, None),
            (49, None),
            (50, Some((50, 60))),
        ] {
            let expected = expected.map(|(since, until)| (at(since), at(until)));
            assert_eq!(span(old, 10, at(now)), expected, "minute {now}");
        }
        assert_eq!(span(None, 10, at(3)), Some((at(3), at(13))));
    }

    /// SHP-09: what a buyer can have is what others have not reserved; who came first has it when
    /// fewer pieces are there than were reserved.
    #[test]
    fn what_is_free_is_what_others_left() {
        let live = [kept(2, 3, 0), kept(1, 2, 5)];
        for (on_hand, buyer, expected) in [
            (10, None, 5),
            (10, Some(1), 7),
            (10, Some(2), 8),
            (10, Some(3), 5),
            (5, Some(3), 0),
            (4, Some(1), 1),
            (4, Some(2), 3),
            (2, Some(2), 2),
            (2, Some(1), 0),
            (0, Some(2), 0),
        ] {
            let found = usable(on_hand, &live, buyer.map(customer));
            assert_eq!(found, expected, "{on_hand} at hand, buyer {buyer:?}");
        }
        assert_eq!(usable(-1, &[], None), 0);
    }
}
