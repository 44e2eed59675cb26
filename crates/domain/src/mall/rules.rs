//! Pure decisions about members and their positions.

use super::{Clearing, Clears, MallError, Member, MemberState, Position, Result};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, CURRENCY_SCALE, Rounding};

/// What one token may be worth at most, in the smallest unit: ten thousand of the currency.
pub(super) const VALUE_AT_MOST: Amount = Amount::from_units(1_000_000_000_000);
/// A flat charge at most, the same.
pub(super) const CHARGE_AT_MOST: Amount = VALUE_AT_MOST;
/// The whole, in millionths.
pub(super) const WHOLE_PPM: i64 = 1_000_000;

/// A value that a token can have.
pub(super) fn value(value: Amount) -> Result<Amount> {
    if value.is_positive() && value <= VALUE_AT_MOST {
        Ok(value)
    } else {
        Err(MallError::ValueInvalid)
    }
}

/// Where a member may go from where it stands. Who has left does not come back by a word: it joins
/// again.
pub(super) fn moves(from: MemberState, to: MemberState) -> bool {
    use MemberState::{Active, Left, Suspended};
    matches!(
        (from, to),
        (Active, Suspended | Left) | (Suspended, Active | Left) | (Left, Active)
    )
}

/// Why tokens of one member cannot become tokens of another one now; the first reason counts.
pub(super) fn barrier(from: &Member, to: &Member, is_accepted: bool) -> Option<MallError> {
    if from.book_id == to.book_id {
        return Some(MallError::SameMember);
    }
    if from.mall_book != to.mall_book {
        return Some(MallError::Outside);
    }
    for member in [from, to] {
        match member.state {
            MemberState::Active => {}
            MemberState::Suspended => return Some(MallError::Suspended(member.name.clone())),
            MemberState::Left => return Some(MallError::Left(member.name.clone())),
        }
    }
    if from.is_barred {
        return Some(MallError::Barred(from.name.clone()));
    }
    (!is_accepted).then(|| MallError::NotAccepted {
        acceptor: to.name.clone(),
        issuer: from.name.clone(),
    })
}

/// One cent of a currency, in its smallest unit.
fn cent() -> Result<i64> {
    let below = CURRENCY_SCALE.checked_sub(2);
    let cent = below.and_then(|decimals| 10_i64.checked_pow(decimals));
    cent.ok_or_else(|| scrip_ledger::Error::Overflow.into())
}

/// What is paid of what a member owes: whole cents, rounded toward nothing; the rest is carried
/// (MIC-03).
pub(super) fn cleared(net: Amount) -> Result<Position> {
    let cent = cent()?;
    let cents = net.ratio(1, cent, Rounding::Down)?;
    let paid = cents.times(cent)?;
    Ok(Position {
        net,
        paid,
        carried: net.minus(paid)?,
    })
}

/// Checks that the positions of a clearing and what the mall has kept come to nothing.
pub(super) fn balanced(clearing: &Clearing, kept: Amount) -> Result<bool> {
    let net = Amount::sum(clearing.positions.iter().map(|(_, p)| p.net))?;
    Ok(net == kept)
}

/// The day on which the period of a time begins, as a text that sorts by time. UTC.
pub(super) fn period(clears: Clears, at: Timestamp) -> String {
    const DAY_S: i64 = 24 * 3600;
    let days = at.0.div_euclid(1_000_000).div_euclid(DAY_S);
    let begin = match clears {
        Clears::ByHand => return String::new(),
        Clears::Day | Clears::Month => days,
        // The first day of 1970 was a Thursday.
        Clears::Week => days.saturating_sub(days.saturating_add(3).rem_euclid(7)),
    };
    let at = Timestamp(0).plus_seconds(begin.saturating_mul(DAY_S));
    let length = if clears == Clears::Month { 7 } else { 10 };
    at.to_string().chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GOV-09: a period ends with its last moment.
    #[test]
    fn periods_begin_with_days_weeks_and_months() {
        let of = |clears, at: &str| period(clears, Timestamp::parse(at).unwrap());
        for (clears, at, begins) in [
            (Clears::Day, "2026-03-01T00:00:00Z", "2026-03-01"),
            (Clears::Day, "2026-03-01T23:59:59Z", "2026-03-01"),
            (Clears::Week, "2026-03-01T23:59:59Z", "2026-02-23"),
            (Clears::Week, "2026-03-02T00:00:00Z", "2026-03-02"),
            (Clears::Month, "2026-02-28T23:59:59Z", "2026-02"),
            (Clears::Month, "2026-03-01T00:00:00Z", "2026-03"),
            (Clears::ByHand, "2026-03-01T00:00:00Z", ""),
        ] {
            assert_eq!(of(clears, at), begins, "{at}");
        }
    }

    fn member(book_id: i64) -> Member {
        Member {
            book_id,
            mall_book: 9,
            name: format!("Member {book_id}"),
            slug: format!("member-{book_id}"),
            state: MemberState::Active,
            is_barred: false,
            accounts: super::super::MemberAccounts {
                member_due: 1,
                mall_due: 2,
                settled: 3,
            },
            settles: super::super::Settles::Invoice,
        }
    }

    /// GOV-10, GOV-12, OPN-05, OPN-06: each reason, in its order.
    #[test]
    fn each_reason_stops_an_exchange() {
        let (a, b) = (member(1), member(2));
        assert!(barrier(&a, &b, true).is_none());
        assert!(matches!(barrier(&a, &a, true), Some(MallError::SameMember)));
        let outside = Member {
            mall_book: 8,
            ..member(2)
        };
        assert!(matches!(
            barrier(&a, &outside, true),
            Some(MallError::Outside)
        ));
        for (state, which) in [(MemberState::Suspended, "1"), (MemberState::Left, "1")] {
            let off = Member { state, ..member(1) };
            let text = barrier(&off, &b, true).unwrap().to_string();
            assert!(text.contains(&format!("Member {which}")), "{text}");
            let off = Member { state, ..member(2) };
            assert!(
                barrier(&a, &off, true)
                    .unwrap()
                    .to_string()
                    .contains("Member 2")
            );
        }
        let barred = Member {
            is_barred: true,
            ..member(1)
        };
        assert!(matches!(
            barrier(&barred, &b, true),
            Some(MallError::Barred(_))
        ));
        // What comes in to a barred one is no export.
        assert!(barrier(&b, &barred, true).is_none());
        assert!(matches!(
            barrier(&a, &b, false),
            Some(MallError::NotAccepted { .. })
        ));
    }

    /// MIC-03: whole cents are paid, in either direction, and the fraction stays.
    #[test]
    fn whole_cents_are_paid_and_fractions_carried() {
        for (net, paid, carried) in [
            ("9.90", "9.9", "0"),
            ("0.00005", "0", "0.00005"),
            ("1.23456789", "1.23", "0.00456789"),
            ("-1.23456789", "-1.23", "-0.00456789"),
            ("0", "0", "0"),
        ] {
            let net = Amount::parse(net, CURRENCY_SCALE).unwrap();
            let position = cleared(net).unwrap();
            assert_eq!(position.paid.decimal(CURRENCY_SCALE), paid);
            assert_eq!(position.carried.decimal(CURRENCY_SCALE), carried);
        }
    }

    /// Values of nothing, below it and beyond reason are refused.
    #[test]
    fn absurd_values_are_refused() {
        for bad in [0, -1, i64::MAX, i64::MIN] {
            assert!(value(Amount::from_units(bad)).is_err(), "{bad}");
        }
        assert!(value(Amount::from_units(1)).is_ok());
        assert!(value(VALUE_AT_MOST).is_ok());
    }

    #[test]
    fn who_left_joins_again_and_is_not_suspended() {
        use MemberState::{Active, Left, Suspended};
        let allowed = [
            (Active, Suspended),
            (Active, Left),
            (Suspended, Active),
            (Suspended, Left),
            (Left, Active),
        ];
        for from in [Active, Suspended, Left] {
            for to in [Active, Suspended, Left] {
                assert_eq!(moves(from, to), allowed.contains(&(from, to)));
            }
        }
    }
}
