//! Days, and the periods that they make up. All reports take the days of one time zone, which is
//! asked for here and nowhere else.

use crate::policy::policy;
use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Span as Length, ToSpan};
use scrip_engine::{Read, Result, Timestamp};
use std::fmt;
use std::str::FromStr;

/// A vendor's time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// The time zone in which a vendor's days are.
pub fn zone_of(tx: &mut dyn Read, book_id: i64) -> Result<Zone> {
    Ok(Zone::named(&policy(tx, book_id)?.time_zone))
}

impl Zone {
    /// A zone of the IANA database; UTC where it has no such name.
    pub fn named(name: &str) -> Zone {
        match TimeZone::get(name) {
            Ok(zone) => Zone {
                name: name.to_owned(),
                zone,
            },
            Err(_) => Zone {
                name: "UTC".to_owned(),
                zone: TimeZone::UTC,
            },
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day and the hour of a time. Times that no calendar has count as the first.
    pub fn hour_of(&self, at: Timestamp) -> (Day, i64) {
        let time = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let zoned = time.to_zoned(self.zone.clone());
        (Day(zoned.date()), i64::from(zoned.hour()))
    }

    /// The day of a time.
    pub fn day_of(&self, at: Timestamp) -> Day {
        self.hour_of(at).0
    }

    /// The time of day: `14:02`.
    pub fn clock(&self, at: Timestamp) -> String {
        let time = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        time.to_zoned(self.zone.clone())
            .strftime("%H:%M")
            .to_string()
    }

    /// When a day begins.
    pub fn begin(&self, day: Day) -> Timestamp {
        let zoned = day.0.to_zoned(self.zone.clone());
        zoned.map_or(Timestamp(0), |z| Timestamp(z.timestamp().as_microsecond()))
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub(super) Date);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no day: write it as 2026-11-21")]
pub struct NoDay;

impl FromStr for Day {
    type Err = NoDay;
    /// `2026-11-21`, from 1970 to 9998.
    fn from_str(text: &str) -> std::result::Result<Day, NoDay> {
        let plain = text.len() == 10 && text.is_ascii();
        let day = text.parse().ok().filter(|_| plain).ok_or(NoDay)?;
        if (date(1970, 1, 1)..date(9999, 1, 1)).contains(&day) {
            Ok(Day(day))
        } else {
            Err(NoDay)
        }
    }
}

impl Day {
    /// The first day of a month.
    pub fn first_of(year: i16, month: i8) -> Option<Day> {
        Date::new(year, month, 1).ok().map(Day)
    }

    /// 20261121 for 2026-11-21: in the order of the days.
    pub fn number(self) -> i64 {
        let day = i64::from(self.0.day());
        self.month().saturating_mul(100).saturating_add(day)
    }

    /// 202611 for 2026-11-21.
    pub fn month(self) -> i64 {
        let month = i64::from(self.0.month());
        i64::from(self.0.year())
            .saturating_mul(100)
            .saturating_add(month)
    }

    /// The day of a number.
    pub fn of_number(number: i64) -> Option<Day> {
        let day = i8::try_from(number.rem_euclid(100)).ok()?;
        let month = i8::try_from(number.div_euclid(100).rem_euclid(100)).ok()?;
        let year = i16::try_from(number.div_euclid(10_000)).ok()?;
        Date::new(year, month, day).ok().map(Day)
    }

    /// Monday is 0.
    pub fn weekday(self) -> usize {
        usize::try_from(self.0.weekday().to_monday_zero_offset()).unwrap_or(0)
    }

    /// A day later or, below zero, earlier; the last or first of the calendar where it ends.
    pub fn plus(self, days: i32) -> Day {
        self.shifted(Length::new().days(days))
    }

    fn shifted(self, by: Length) -> Day {
        Day(self.0.saturating_add(by))
    }

    /// How many days later another one is; below zero for an earlier one.
    pub fn until(self, later: Day) -> i64 {
        self.0
            .until(later.0)
            .map_or(0, |length| i64::from(length.get_days()))
    }

    /// The date, for those who write it in words.
    pub fn date(self) -> Date {
        self.0
    }
}

/// How a span is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// By day.
    Day,
    /// By week, from Monday on.
    Week,
    /// By month.
    Month,
    /// By quarter of the year.
    Quarter,
    /// By year.
    Year,
}

impl Step {
    /// All of them.
    pub const ALL: [Step; 5] = [
        Step::Day,
        Step::Week,
        Step::Month,
        Step::Quarter,
        Step::Year,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Step::Day => "day",
            Step::Week => "week",
            Step::Month => "month",
            Step::Quarter => "quarter",
            Step::Year => "year",
        }
    }

    /// The step of a name.
    pub fn of_name(name: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.name() == name)
    }

    /// The first day of the period in which a day is.
    pub fn begin(self, day: Day) -> Day {
        let Day(of) = day;
        let first = |month: i8| Date::new(of.year(), month, 1).map_or(day, Day);
        match self {
            Step::Day => day,
            Step::Week if of.weekday() == Weekday::Monday => day,
            Step::Week => {
                let back = i32::from(of.weekday().to_monday_zero_offset());
                day.plus(back.saturating_neg())
            }
            Step::Month => first(of.month()),
            Step::Quarter => first(
                of.month()
                    .saturating_sub(1)
                    .div_euclid(3)
                    .saturating_mul(3)
                    .saturating_add(1),
            ),
            Step::Year => first(1),
        }
    }

    /// The first day of the period after that of a day.
    pub fn next(self, day: Day) -> Day {
        let length = match self {
            Step::Day => 1.day(),
            Step::Week => 1.week(),
            Step::Month => 1.month(),
            Step::Quarter => 3.months(),
            Step::Year => 1.year(),
        };
        self.begin(day).shifted(length)
    }
}

/// Periods in a report at most.
pub const PERIODS_AT_MOST: usize = 400;

/// A span of days, the end left out, and how it is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: Day,
    to: Day,
    step: Step,
}

/// Why a span was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// It ends before it begins.
    #[error("the last day comes before the first: exchange them")]
    Backwards,
    /// Too many periods.
    #[error("this has more than 400 periods: choose a shorter time, or longer periods")]
    TooLong,
}

impl Span {
    /// From the first day to the last, both of them in it.
    pub fn new(first: Day, last: Day, step: Step) -> std::result::Result<Span, SpanError> {
        if last < first {
            return Err(SpanError::Backwards);
        }
        let span = Span {
            from: first,
            to: last.plus(1),
            step,
        };
        if span.begins().nth(PERIODS_AT_MOST).is_some() {
            return Err(SpanError::TooLong);
        }
        Ok(span)
    }

    /// The first day.
    pub fn from(&self) -> Day {
        self.from
    }

    /// The day after the last.
    pub fn to(&self) -> Day {
        self.to
    }

    /// The last day.
    pub fn last(&self) -> Day {
        self.to.plus(-1)
    }

    /// How it is divided.
    pub fn step(&self) -> Step {
        self.step
    }

    /// True when a day is in it.
    pub fn contains(&self, day: Day) -> bool {
        (self.from..self.to).contains(&day)
    }

    fn begins(&self) -> impl Iterator<Item = Day> {
        let (step, to) = (self.step, self.to);
        std::iter::successors(Some(self.from), move |day| {
            // The calendar's last day has no next one.
            Some(step.next(*day)).filter(|next| *next < to && next > day)
        })
    }

    /// Its periods in order, as first day and the day after the last; those at both ends may be
    /// cut off.
    pub fn periods(&self) -> Vec<(Day, Day)> {
        let begins: Vec<Day> = self.begins().collect();
        let ends = begins.iter().skip(1).copied().chain([self.to]);
        begins.iter().copied().zip(ends).collect()
    }

    /// The place among the periods of the one in which a day of the span is.
    pub fn place(periods: &[(Day, Day)], day: Day) -> usize {
        periods
            .partition_point(|period| period.0 <= day)
            .saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::{Day, PERIODS_AT_MOST, Span, SpanError, Step, Zone};
    use scrip_engine::Timestamp;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        for (step, begin, next) in [
            (Step::Day, "2026-11-21", "2026-11-22"),
            (Step::Week, "2026-11-16", "2026-11-23"),
            (Step::Month, "2026-11-01", "2026-12-01"),
            (Step::Quarter, "2026-10-01", "2027-01-01"),
            (Step::Year, "2026-01-01", "2027-01-01"),
        ] {
            let of = day("2026-11-21");
            assert_eq!((step.begin(of), step.next(of)), (day(begin), day(next)));
            assert_eq!(step.begin(day(begin)), day(begin), "{step:?}");
            assert_eq!(Step::of_name(step.name()), Some(step));
        }
        let span = Span::new(day("2024-02-28"), day("2024-04-02"), Step::Month).unwrap();
        let periods = span.periods();
        let ends = [
            ("2024-02-28", "2024-03-01"),
            ("2024-03-01", "2024-04-01"),
            ("2024-04-01", "2024-04-03"),
        ];
        assert_eq!(periods, ends.map(|(a, b)| (day(a), day(b))));
        for (of, place) in [("2024-02-29", 0), ("2024-03-01", 1), ("2024-04-02", 2)] {
            assert_eq!(Span::place(&periods, day(of)), place);
        }
    }

    #[test]
    fn odd_days_and_spans_are_refused() {
        for odd in [
            "",
            "2026-02-30",
            "1969-12-31",
            "9999-01-01",
            "-00001-01-01",
            "20261121",
            "2026-11-21T00:00:00Z",
            "<b>2026</b>",
            "\u{202e}2026-11-21",
        ] {
            assert!(odd.parse::<Day>().is_err(), "{odd}");
        }
        let span = |a, b, step| Span::new(day(a), day(b), step);
        let backwards = span("2026-11-21", "2026-11-20", Step::Day);
        assert_eq!(backwards.unwrap_err(), SpanError::Backwards);
        let long = span("1970-01-01", "9998-12-31", Step::Day);
        assert_eq!(long.unwrap_err(), SpanError::TooLong);
        let most = span("2026-01-01", "2027-02-04", Step::Day).unwrap();
        assert_eq!(most.periods().len(), PERIODS_AT_MOST);
        assert!(span("2026-01-01", "2027-02-05", Step::Day).is_err());
        let one = span("9998-12-31", "9998-12-31", Step::Year).unwrap();
        assert_eq!(one.periods().len(), 1);
    }

    #[test]
    fn a_day_is_one_of_its_time_zone() {
        let berlin = Zone::named("Europe/Berlin");
        let at = |text| Timestamp::parse(text).unwrap();
        let hour = berlin.hour_of(at("2026-06-30T22:15:00Z"));
        assert_eq!(hour, (day("2026-07-01"), 0));
        assert_eq!(berlin.begin(day("2026-07-01")), at("2026-06-30T22:00:00Z"));
        assert_eq!(Zone::named("Nowhere/At_all").name(), "UTC");
        assert_eq!(berlin.day_of(Timestamp::NEVER), day("1970-01-01"));
        let number = day("2026-07-01").number();
        assert_eq!((number, day("2026-07-01").month()), (20_260_701, 202_607));
        assert_eq!(Day::of_number(number), Some(day("2026-07-01")));
        assert_eq!(Day::of_number(20_260_732), None);
        assert_eq!(day("2026-02-27").until(day("2026-03-02")), 3);
        assert_eq!(day("2026-11-22").weekday(), 6);
    }
}
