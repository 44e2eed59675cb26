//! Pure decisions about gifts.

use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Result, Rounding};

/// One day, in microseconds.
const DAY_US: i64 = 24 * 3_600_000_000;

/// Rewards that tokens spent come to, less those that were given already.
pub(super) fn rewards_due(spent: Amount, every: Amount, given: i64) -> i64 {
    let reached = spent.units().checked_div(every.units()).unwrap_or(0);
    reached.saturating_sub(given).max(0)
}

/// The interest-like gift to a balance: a rate in basis points, rounded down.
pub(super) fn interest(balance: Amount, rate: i64) -> Result<Amount> {
    balance.ratio(rate, 10_000, Rounding::Down)
}

/// The number of the period that holds a time: periods of so many days, counted from 1970.
pub(super) fn period(now: Timestamp, days: i64) -> i64 {
    now.0.div_euclid(DAY_US).div_euclid(days.max(1))
}

/// True when nothing has moved for so many days.
pub(super) fn is_idle(last: Timestamp, now: Timestamp, days: i64) -> bool {
    now.0.saturating_sub(last.0) >= days.saturating_mul(DAY_US)
}

#[cfg(test)]
mod tests {
    use super::{DAY_US, interest, is_idle, period, rewards_due};
    use scrip_engine::Timestamp;
    use scrip_ledger::Amount;

    /// TOK-06: each whole step is one reward.
    #[test]
    fn rewards_come_in_whole_steps() {
        for (spent, every, given, due) in [
            (99, 100, 0, 0),
            (100, 100, 0, 1),
            (399, 100, 1, 2),
            (399, 100, 3, 0),
            (399, 100, 5, 0),
            (100, 0, 0, 0),
            (-5, 100, 0, 0),
        ] {
            let units = Amount::from_units;
            assert_eq!(
                rewards_due(units(spent), units(every), given),
                due,
                "{spent} {given}"
            );
        }
    }

    /// TOK-06, MIC-01: the gift is exact and never more than the rate says.
    #[test]
    fn interest_is_rounded_down() {
        for (balance, rate, expected) in [
            (1_000_000, 100, 10_000),
            (999, 100, 9),
            (99, 100, 0),
            (i64::MAX, 10_000, i64::MAX),
            (0, 100, 0),
        ] {
            let found = interest(Amount::from_units(balance), rate).unwrap();
            assert_eq!(found.units(), expected, "{balance} {rate}");
        }
    }

    #[test]
    fn periods_and_idleness_count_whole_days() {
        let day = |n: i64| Timestamp(n * DAY_US);
        assert_eq!(period(day(29), 30), 0);
        assert_eq!(period(day(30), 30), 1);
        assert!(is_idle(day(10), day(40), 30));
        assert!(!is_idle(Timestamp(day(10).0 + 1), day(40), 30));
    }
}
