//! The chart of a table: one bar for each line, or two. Whole numbers only, in tenths of the
//! drawing's unit.

use super::super::chart::{Bar, Guide, height, scale, tenths};
use crate::report::{Cell, Report, Table};
use scrip_domain::Amount;

const GROUND: i64 = 2_140;
const LEFT: i64 = 640;
const WIDTH: i64 = 5_760;
/// Lines that a chart shows at most: more would be a smear.
const LINES_AT_MOST: usize = 100;
/// Lines that the axis names at most.
const NAMED: usize = 6;
/// Letters of a name on the axis at most.
const LETTERS: usize = 16;

/// The chart.
pub struct Bars {
    /// What it shows, in one sentence.
    pub title: String,
    /// What the bars stand for, in their order.
    pub series: Vec<&'static str>,
    /// Lines across.
    pub guides: Vec<Guide>,
    /// The lines of the table.
    pub lines: Vec<Line>,
}

/// A line of the table.
pub struct Line {
    /// Its name, where the axis has it.
    pub name: Option<String>,
    /// Where that stands.
    pub middle: String,
    /// The first bar.
    pub solid: Option<Bar>,
    /// The second.
    pub half: Option<Bar>,
}

fn amount(cell: Option<&Cell>) -> Amount {
    match cell {
        Some(Cell::Amount(amount)) if amount.is_positive() => *amount,
        _ => Amount::ZERO,
    }
}

/// The chart of a table; none where it has none, or nothing to show.
pub fn bars(report: &Report, table: &Table) -> Option<Bars> {
    let columns: Vec<_> = table
        .bars
        .iter()
        .filter_map(|at| Some((*at, table.columns.get(*at)?)))
        .collect();
    let unit = columns.first()?.1.unit;
    let of = |row: &crate::report::Row, nth: usize| {
        columns
            .get(nth)
            .map_or(Amount::ZERO, |(at, _)| amount(row.cells.get(*at)))
    };
    let highest = table
        .rows
        .iter()
        .map(|row| of(row, 0).max(of(row, 1)))
        .max()?;
    let count = i64::try_from(table.rows.len()).ok()?;
    if !highest.is_positive() || table.rows.len() > LINES_AT_MOST {
        return None;
    }
    let (step, guides) = scale(highest);
    let top = step.saturating_mul(guides);
    let guides = (1..=guides)
        .map(|guide| step.saturating_mul(guide))
        .map(|at| {
            let y = GROUND - height(at, top);
            Guide {
                y: tenths(y),
                text_y: tenths(y + 40),
                label: report.shown(unit, &Cell::Amount(Amount::from_units(at))),
            }
        })
        .collect();
    let every = table.rows.len().div_ceil(NAMED).max(1);
    let part = |left: i64, tenth: i64| left + WIDTH * tenth / (count * 10);
    let bar = |left: i64, amount: Amount, from: i64, to: i64| {
        amount.is_positive().then(|| {
            // What is there is seen.
            let height = height(amount.units(), top).max(15);
            let x = part(left, from);
            Bar {
                x: tenths(x),
                y: tenths(GROUND - height),
                width: tenths((part(left, to) - x).max(1)),
                height: tenths(height),
            }
        })
    };
    let two = columns.len() > 1;
    let lines = table.rows.iter().zip(0_i64..).enumerate();
    let lines = lines.map(|(nth, (row, place))| {
        let left = LEFT + WIDTH * place / count;
        Line {
            name: (nth % every == 0).then(|| short(&row.label)),
            middle: tenths(part(left, 5)),
            solid: bar(left, of(row, 0), 1, if two { 6 } else { 9 }),
            half: bar(left, of(row, 1), 6, 9),
        }
    });
    Some(Bars {
        title: title(report, table, &columns),
        series: columns.iter().map(|(_, column)| column.label).collect(),
        guides,
        lines: lines.collect(),
    })
}

fn title(report: &Report, table: &Table, columns: &[(usize, &crate::report::Column)]) -> String {
    let sums = columns.iter().filter_map(|(at, column)| {
        let sum = table.total.as_ref()?.get(*at)?;
        Some(format!(
            "{} {}",
            column.label,
            report.shown(column.unit, sum)
        ))
    });
    let sums: Vec<String> = sums.collect();
    format!("{}. All together: {}", table.title, sums.join("; "))
}

fn short(label: &str) -> String {
    if label.chars().count() <= LETTERS {
        return label.to_owned();
    }
    let cut: String = label.chars().take(LETTERS - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_are_cut_where_the_axis_has_no_room() {
        assert_eq!(short("November 2026"), "November 2026");
        assert_eq!(short("30 Nov 2026 – 6 Dec 2026"), "30 Nov 2026 – 6…");
        assert_eq!(short(&"é".repeat(40)).chars().count(), 16);
    }
}
