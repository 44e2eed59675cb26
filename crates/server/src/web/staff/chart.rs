//! The chart of a day: tokens spent and given back in each hour, as lengths that the template
//! writes into SVG. Whole numbers only, in tenths of the drawing's unit.

use super::super::view::Shown;
use super::super::view::format::{counted, tokens};
use scrip_domain::Amount;
use scrip_domain::report::Turnover;

/// Where the axis lies, in tenths.
const GROUND: i64 = 2_140;
/// The longest bar.
const HIGHEST: i64 = 1_800;
/// Where the first hour begins, and how wide one is.
const LEFT: i64 = 640;
const HOUR: i64 = 240;

/// The chart.
pub struct Chart {
    /// What it shows, in one sentence.
    pub title: String,
    /// Lines across, with what they stand for.
    pub guides: Vec<Guide>,
    /// The hours.
    pub hours: Vec<Hour>,
}

/// A line across.
pub struct Guide {
    /// Its height.
    pub y: String,
    /// Where the baseline of its number lies.
    pub text_y: String,
    /// What it stands for.
    pub label: String,
}

/// An hour.
pub struct Hour {
    /// `14:00`.
    pub name: String,
    /// True when the axis names it.
    pub named: bool,
    /// Where its name stands.
    pub middle: String,
    /// Tokens spent: begin, top, width, height; none for none.
    pub spent: Option<Bar>,
    /// The same of tokens given back.
    pub back: Option<Bar>,
    /// The number above the highest bar.
    pub peak: Option<(String, String)>,
    /// The row of the table that says the same; none where nothing happened.
    pub row: Option<Row>,
}

/// A bar, as SVG wants it.
pub struct Bar {
    /// Where it begins.
    pub x: String,
    /// Its top.
    pub y: String,
    /// Its width.
    pub width: String,
    /// Its height.
    pub height: String,
}

/// An hour in numbers.
pub struct Row {
    /// Completed orders.
    pub orders: String,
    /// Tokens spent.
    pub spent: Shown,
    /// Tokens given back.
    pub back: Shown,
}

/// The chart of some hours; none when nothing happened in them.
pub fn chart(hours: &[Turnover]) -> Option<Chart> {
    let most = |of: fn(&Turnover) -> Amount| hours.iter().map(of).max().unwrap_or_default();
    let (spent, back) = (most(|h| h.sales), most(|h| h.refunds));
    let highest = spent.max(back);
    if !highest.is_positive() {
        return None;
    }
    let (step, lines) = scale(highest);
    let top = step.saturating_mul(lines);
    let guides = (1..=lines)
        .map(|line| step.saturating_mul(line))
        .map(|at| {
            let y = GROUND - height(at, top);
            Guide {
                y: tenths(y),
                text_y: tenths(y + 40),
                label: tokens(Amount::from_units(at)).number,
            }
        })
        .collect();
    let peak = hours
        .iter()
        .position(|h| h.sales == spent && spent.is_positive());
    Some(Chart {
        title: title(hours, spent),
        guides,
        hours: hours
            .iter()
            .enumerate()
            .map(|(at, turnover)| hour(at, turnover, top, peak == Some(at)))
            .collect(),
    })
}

fn title(hours: &[Turnover], most: Amount) -> String {
    let orders: u64 = hours.iter().map(|h| h.orders).sum();
    let orders = counted(i64::try_from(orders).unwrap_or(i64::MAX), "order", "orders");
    format!(
        "Tokens spent and given back by hour: {orders}, {} in the busiest hour",
        tokens(most)
    )
}

fn hour(at: usize, turnover: &Turnover, top: i64, is_peak: bool) -> Hour {
    let place = i64::try_from(at).unwrap_or_default();
    let left = LEFT + place * HOUR;
    let bar = |amount: Amount, from: i64, width: i64| {
        amount.is_positive().then(|| {
            // What is there is seen.
            let height = height(amount.units(), top).max(15);
            Bar {
                x: tenths(left + from),
                y: tenths(GROUND - height),
                width: tenths(width),
                height: tenths(height),
            }
        })
    };
    let spent = bar(turnover.sales, 20, 120);
    let peak = spent
        .as_ref()
        .filter(|_| is_peak)
        .map(|_| GROUND - height(turnover.sales.units(), top).max(15) - 70)
        .map(|y| (tenths(y), tokens(turnover.sales).number));
    let happened = turnover.orders > 0 || turnover.refunds.is_positive();
    Hour {
        name: format!("{:02}:00", place.rem_euclid(24)),
        named: place % 3 == 0,
        middle: tenths(left + 80),
        back: bar(turnover.refunds, 150, 70),
        spent,
        peak,
        row: happened.then(|| Row {
            orders: turnover.orders.to_string(),
            spent: tokens(turnover.sales),
            back: tokens(turnover.refunds),
        }),
    }
}

/// How high an amount stands below a top that is not lower.
pub(super) fn height(units: i64, top: i64) -> i64 {
    let height = i128::from(units) * i128::from(HIGHEST) / i128::from(top.max(1));
    i64::try_from(height).unwrap_or(HIGHEST).min(HIGHEST)
}

/// A step of 1, 2 or 5 times a power of ten, and how many of them reach above everything: four at
/// most.
pub(super) fn scale(highest: Amount) -> (i64, i64) {
    let highest = highest.units();
    let mut decade = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let step = decade.saturating_mul(factor);
            let lines = (highest / step).saturating_add(i64::from(highest % step != 0));
            if lines <= 4 {
                return (step, lines);
            }
        }
        decade = decade.saturating_mul(10);
    }
}

/// `24.5` for 245.
pub(super) fn tenths(value: i64) -> String {
    match (value / 10, value % 10) {
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{chart, scale, tenths};
    use scrip_domain::Amount;
    use scrip_domain::report::Turnover;

    fn tokens(number: i64) -> Amount {
        Amount::from_units(number * 1_000_000)
    }

    #[test]
    fn the_lines_across_are_round_numbers() {
        for (highest, step, lines) in [
            (4, 1, 4),
            (180, 50, 4),
            (200, 50, 4),
            (201, 100, 3),
            (420, 200, 3),
            (3_615, 1_000, 4),
        ] {
            let found = scale(tokens(highest));
            assert_eq!(found, (tokens(step).units(), lines), "{highest}");
        }
        assert_eq!(scale(Amount::from_units(1)), (1, 1));
        let (step, lines) = scale(Amount::from_units(i64::MAX));
        assert_eq!((step, lines), (5_000_000_000_000_000_000, 2));
    }

    #[test]
    fn a_bar_is_as_long_as_the_hour_was_good() {
        let mut hours = vec![Turnover::default(); 24];
        assert!(chart(&hours).is_none());
        hours[9] = Turnover {
            orders: 2,
            sales: tokens(100),
            refunds: Amount::ZERO,
            money: Amount::ZERO,
        };
        hours[10] = Turnover {
            orders: 1,
            sales: tokens(200),
            refunds: tokens(50),
            money: Amount::ZERO,
        };
        let drawn = chart(&hours).unwrap();
        assert_eq!(
            drawn.title,
            "Tokens spent and given back by hour: 3 orders, 200 tokens in the busiest hour"
        );
        let heights: Vec<_> = drawn
            .hours
            .iter()
            .filter_map(|h| h.spent.as_ref())
            .map(|bar| bar.height.as_str())
            .collect();
        assert_eq!(heights, ["90", "180"]);
        let ten = &drawn.hours[10];
        assert_eq!(ten.back.as_ref().unwrap().height, "45");
        assert_eq!(ten.peak.as_ref().unwrap().1, "200");
        assert!(drawn.hours[9].peak.is_none() && drawn.hours[8].row.is_none());
        assert_eq!(drawn.guides.last().unwrap().label, "200");
    }

    /// Neither the largest amounts nor the smallest break the drawing.
    #[test]
    fn extremes_are_drawn() {
        for (large, small) in [(i64::MAX, 1), (1, 1)] {
            let sale = |units| Turnover {
                orders: 1,
                sales: Amount::from_units(units),
                refunds: Amount::ZERO,
                money: Amount::ZERO,
            };
            let drawn = chart(&[sale(large), sale(small)]).unwrap();
            assert!(drawn.guides.len() <= 4);
            let bar = drawn.hours[1].spent.as_ref().unwrap();
            assert!(bar.height != "0");
        }
        assert_eq!(tenths(2_145), "214.5");
    }
}
