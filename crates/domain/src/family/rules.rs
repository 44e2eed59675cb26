//! Pure decisions about families.

use super::{Limits, Span, Spending, Stop};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Lot, Result};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// The day of a time, from 1970, in UTC.
pub(super) fn day(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_US)
}

/// The cap that a purchase would pass, the shortest span first.
pub(super) fn over_cap(limits: &Limits, spent: &Spending, total: Amount) -> Result<Option<Stop>> {
    for (span, cap, spent) in [
        (Span::Day, limits.day, spent.day),
        (Span::Week, limits.week, spent.week),
        (Span::Month, limits.month, spent.month),
    ] {
        if let Some(cap) = cap
            && spent.plus(total)? > cap
        {
            return Ok(Some(Stop::OverCap { span, cap, spent }));
        }
    }
    Ok(None)
}

/// Pieces of lots for an amount, those that expire soonest first; `None` when there are too few.
pub(super) fn soonest(
    lots: &[Lot],
    amount: Amount,
    now: Timestamp,
) -> Result<Option<Vec<(i64, Amount)>>> {
    let mut usable: Vec<&Lot> = lots.iter().filter(|lot| lot.usable(now)).collect();
    usable.sort_by_key(|lot| (lot.grant.expires_at, lot.grant.grant_id));
    let mut open = amount;
    let mut pieces = Vec::new();
    for lot in usable {
        let piece = lot.remaining.min(open);
        if piece.is_positive() {
            open = open.minus(piece)?;
            pieces.push((lot.grant.grant_id, piece));
        }
    }
    Ok(open.is_zero().then_some(pieces))
}

#[cfg(test)]
mod tests {
    use super::{day, over_cap};
    use crate::family::{Limits, Span, Spending, Stop};
    use scrip_engine::Timestamp;
    use scrip_ledger::Amount;

    #[test]
    fn days_change_at_midnight_in_utc() {
        let at = |text: &str| day(Timestamp::parse(text).unwrap());
        assert_eq!(at("1970-01-01T23:59:59Z"), 0);
        assert_eq!(at("1970-01-02T00:00:00Z"), 1);
    }

    /// ADV-02: up to a cap, not beyond it; the shortest span is named.
    #[test]
    fn caps_hold_to_the_last_token() {
        let n = Amount::from_units;
        let limits = Limits {
            day: Some(n(10)),
            week: Some(n(15)),
            month: None,
            categories: None,
        };
        let spent = |day, week| Spending {
            day: n(day),
            week: n(week),
            month: n(10_000),
        };
        let stop = |spent, total| over_cap(&limits, &spent, n(total)).unwrap();
        assert_eq!(stop(spent(0, 0), 10), None);
        assert_eq!(stop(spent(4, 9), 6), None);
        let over = |span, cap, spent| {
            Some(Stop::OverCap {
                span,
                cap: n(cap),
                spent: n(spent),
            })
        };
        assert_eq!(stop(spent(4, 9), 7), over(Span::Day, 10, 4));
        assert_eq!(stop(spent(0, 9), 7), over(Span::Week, 15, 9));
        assert_eq!(
            stop(spent(i64::MAX - 1, 0), 1),
            over(Span::Day, 10, i64::MAX - 1)
        );
        assert!(over_cap(&limits, &spent(i64::MAX, 0), n(1)).is_err());
    }
}
