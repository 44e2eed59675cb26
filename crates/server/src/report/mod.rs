//! Reports as tables: one form from which pages, CSV and the API are made, so that all three say
//! the same.

mod build;
mod csv;
mod mall;
mod promotions;
mod taxes;

use crate::error::Problem;
use crate::web::view::format;
use jiff::civil::Date;
use scrip_domain::report::calendar::{Day, NoDay, Span, SpanError, Step, Zone, zone_of};
use scrip_domain::report::rollup::figures;
use scrip_domain::vendor::Vendor;
use scrip_engine::{Read, ReadTx, Timestamp};
use scrip_ledger::{Amount, Asset};

pub use csv::csv;
pub use mall::statement_sheet;

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was sold, by time.
    Sales,
    /// What was sold, by article, category and kind.
    Products,
    /// What groups of customers bought.
    Preferences,
    /// What is owed to customers.
    Liability,
    /// What expired and will.
    Breakage,
    /// Deferred and earned revenue.
    Revenue,
    /// What customers owe.
    Receivables,
    /// What promotions and coupons took off.
    Promotions,
    /// The taxes in what was sold.
    Taxes,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 9] = [
        Kind::Sales,
        Kind::Products,
        Kind::Preferences,
        Kind::Liability,
        Kind::Breakage,
        Kind::Revenue,
        Kind::Receivables,
        Kind::Promotions,
        Kind::Taxes,
    ];

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sales => "sales",
            Kind::Products => "products",
            Kind::Preferences => "preferences",
            Kind::Liability => "liability",
            Kind::Breakage => "breakage",
            Kind::Revenue => "revenue",
            Kind::Receivables => "receivables",
            Kind::Promotions => "promotions",
            Kind::Taxes => "taxes",
        }
    }

    /// The report of a name.
    pub fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Sales => "Sales",
            Kind::Products => "Best sellers",
            Kind::Preferences => "Preferences",
            Kind::Liability => "Outstanding tokens",
            Kind::Breakage => "Expiry and breakage",
            Kind::Revenue => "Deferred and earned revenue",
            Kind::Receivables => "Receivables",
            Kind::Promotions => "Promotions and coupons",
            Kind::Taxes => "Taxes",
        }
    }

    /// What it tells, in a sentence or two.
    pub fn about(self) -> &'static str {
        match self {
            Kind::Sales => {
                "Orders, tokens spent and tokens given back, by the time from which they count."
            }
            Kind::Products => {
                "What was sold of each article, category and kind, and what came back of it."
            }
            Kind::Preferences => {
                "What customers buy with their first order and what with later ones. Groups, not \
                 people: nobody is named."
            }
            Kind::Liability => {
                "What customers hold now, by the age of the grant and by how it was acquired, \
                 with what was paid for it."
            }
            Kind::Breakage => {
                "Tokens that expired unspent, and those that will if nobody spends them."
            }
            Kind::Revenue => {
                "Money for tokens is deferred when it is received, earned when the tokens are \
                 spent, owed again for orders given back, and breakage when tokens expire."
            }
            Kind::Receivables => {
                "Money that customers owe for tokens issued before payment, by how long it is \
                 overdue."
            }
            Kind::Promotions => {
                "What promotions and coupons took off, for how many orders, and what \
                 manufacturers owe for theirs."
            }
            Kind::Taxes => "The taxes in what was sold at each rate, less those in what came back.",
        }
    }

    /// False for reports of what is now.
    pub fn has_span(self) -> bool {
        !matches!(self, Kind::Liability | Kind::Receivables)
    }
}

/// What a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words.
    Text,
    /// A number of things.
    Count,
    /// Tokens.
    Tokens,
    /// Money.
    Money,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in CSV and in the API.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it has.
    pub unit: Unit,
}

impl Column {
    const fn new(name: &'static str, label: &'static str, unit: Unit) -> Column {
        Column { name, label, unit }
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number of things.
    Count(i64),
    /// An amount of what the column says.
    Amount(Amount),
    /// Nothing, as below words in a line of sums.
    Empty,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about, for programs: `2026-11-01`.
    pub key: String,
    /// What it is about, for people: `November 2026`.
    pub label: String,
    /// Its cells.
    pub cells: Vec<Cell>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name in addresses.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What its lines are about, as the head of the first column.
    pub about: &'static str,
    /// Its columns after the first.
    pub columns: Vec<Column>,
    /// Its lines.
    pub rows: Vec<Row>,
    /// The sums of all lines; none where they add up to nothing that means something.
    pub total: Option<Vec<Cell>>,
    /// The places of the columns that the chart shows, one or two of one unit; none for no chart.
    pub bars: Vec<usize>,
    /// What must be known to read it; empty for nothing.
    pub note: String,
}

/// A report with its figures.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which.
    pub kind: Kind,
    /// Of which days; none for now.
    pub span: Option<Span>,
    /// The time zone of the days.
    pub zone: String,
    /// The day on which it was made.
    pub today: Day,
    /// Its tables.
    pub tables: Vec<Table>,
    /// The vendor's token.
    pub token: Asset,
    /// The vendor's currency.
    pub currency: Asset,
}

impl Report {
    /// A cell as a plain number or text.
    pub fn plain(&self, unit: Unit, cell: &Cell) -> String {
        match (cell, unit) {
            (Cell::Text(text), _) => text.clone(),
            (Cell::Count(count), _) => count.to_string(),
            (Cell::Amount(amount), Unit::Money) => amount.decimal(self.currency.scale),
            (Cell::Amount(amount), _) => amount.decimal(self.token.scale),
            (Cell::Empty, _) => String::new(),
        }
    }

    /// A cell as people read it.
    pub fn shown(&self, unit: Unit, cell: &Cell) -> String {
        match (cell, unit) {
            (Cell::Text(text), _) => text.clone(),
            (Cell::Count(count), _) => format::count(*count),
            (Cell::Amount(amount), Unit::Money) => format::money(*amount, &self.currency),
            (Cell::Amount(amount), _) => format::tokens(*amount).number,
            (Cell::Empty, _) => String::new(),
        }
    }
}

/// What is asked of a report.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The first day, as `2026-11-01`.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    /// The name of a step.
    pub by: Option<String>,
}

fn invalid_day(_: NoDay) -> Problem {
    Problem::invalid("day_invalid", NoDay.to_string())
}

impl Asked {
    /// The days that are asked for: this month by day where nothing is said.
    pub fn span(&self, today: Day) -> Result<Span, Problem> {
        let given = |text: &Option<String>| match text.as_deref().map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => text.parse::<Day>().map(Some).map_err(invalid_day),
        };
        let last = given(&self.to)?.unwrap_or(today);
        let first = given(&self.from)?.unwrap_or_else(|| Step::Month.begin(last));
        let step = match self.by.as_deref() {
            None | Some("") => Step::Day,
            Some(name) => Step::of_name(name).ok_or_else(|| {
                let text = "a report goes by day, week, month, quarter or year";
                Problem::invalid("step_invalid", text)
            })?,
        };
        let wrong = |e: SpanError| Problem::invalid("span_invalid", e.to_string());
        Span::new(first, last, step).map_err(wrong)
    }
}

/// The days of a statement: of this month unless they are said.
pub struct StatementDays {
    /// From the first to the last.
    pub span: Span,
    /// The vendor's time zone.
    pub zone: String,
    /// The day on which it was asked for.
    pub today: Day,
    /// When the first begins, and when the last is over.
    pub bounds: (Timestamp, Timestamp),
}

impl StatementDays {
    /// Those that are asked for, in the time zone of a vendor.
    pub fn asked(
        tx: &mut dyn Read,
        book: i64,
        (from, to): (Option<String>, Option<String>),
    ) -> Result<StatementDays, Problem> {
        let zone = zone_of(tx, book)?;
        let today = zone.day_of(tx.now());
        let by = Some(Step::Year.name().to_owned());
        let span = Asked { from, to, by }.span(today)?;
        Ok(StatementDays {
            bounds: (zone.begin(span.from()), zone.begin(span.to())),
            zone: zone.name().to_owned(),
            span,
            today,
        })
    }

    /// Them in words.
    pub fn words(&self) -> String {
        let days = period_words(Step::Month, self.span.from(), self.span.to());
        format!("{days}, days of {}", self.zone)
    }

    /// The first and the last, as forms have them.
    pub fn ends(&self) -> (String, String) {
        (self.span.from().to_string(), self.span.last().to_string())
    }
}

/// Works a report out.
pub fn report(
    tx: &mut ReadTx<'_>,
    vendor: &Vendor,
    kind: Kind,
    asked: &Asked,
) -> Result<Report, Problem> {
    let zone: Zone = zone_of(tx, vendor.book_id)?;
    let today = zone.day_of(tx.now());
    let span = asked.span(today)?;
    let figures = figures(tx, vendor)?;
    Ok(Report {
        kind,
        span: kind.has_span().then_some(span),
        zone: zone.name().to_owned(),
        today,
        tables: build::tables(tx, vendor, kind, &figures, &span)?,
        token: vendor.token.clone(),
        currency: vendor.currency.clone(),
    })
}

/// A period in words: `21 Nov 2026`, `16–22 Nov 2026`, `November 2026`, `Q4 2026`, `2026`; what is
/// cut off by the ends of the span with both its days.
pub fn period_words(step: Step, from: Day, to: Day) -> String {
    let (first, last): (Date, Date) = (from.date(), to.plus(-1).date());
    let whole = step.begin(from) == from && step.next(from) == to;
    match step {
        _ if first == last => first.strftime("%-d %b %Y").to_string(),
        Step::Month if whole => first.strftime("%B %Y").to_string(),
        Step::Quarter if whole => {
            format!("Q{} {}", (first.month() - 1) / 3 + 1, first.year())
        }
        Step::Year if whole => first.year().to_string(),
        _ if first.first_of_month() == last.first_of_month() => {
            format!("{}–{}", first.day(), last.strftime("%-d %b %Y"))
        }
        _ => format!(
            "{} – {}",
            first.strftime("%-d %b %Y"),
            last.strftime("%-d %b %Y")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Kind, period_words};
    use scrip_domain::report::calendar::{Day, Step};

    #[test]
    fn periods_read_like_a_calendar() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        for (step, from, to, words) in [
            (Step::Day, "2026-11-21", "2026-11-22", "21 Nov 2026"),
            (Step::Week, "2026-11-16", "2026-11-23", "16–22 Nov 2026"),
            (
                Step::Week,
                "2026-11-30",
                "2026-12-07",
                "30 Nov 2026 – 6 Dec 2026",
            ),
            (Step::Month, "2026-11-01", "2026-12-01", "November 2026"),
            (Step::Month, "2026-11-05", "2026-12-01", "5–30 Nov 2026"),
            (Step::Quarter, "2026-10-01", "2027-01-01", "Q4 2026"),
            (Step::Year, "2026-01-01", "2027-01-01", "2026"),
            (Step::Year, "2026-01-01", "2026-01-02", "1 Jan 2026"),
        ] {
            assert_eq!(period_words(step, day(from), day(to)), words);
        }
    }

    #[test]
    fn a_span_is_this_month_unless_said() {
        let today: Day = "2026-11-21".parse().unwrap();
        let span = Asked::default().span(today).unwrap();
        assert_eq!(span.from().to_string(), "2026-11-01");
        assert_eq!(span.last(), today);
        let asked = |from: &str, to: &str, by: &str| Asked {
            from: Some(from.into()),
            to: Some(to.into()),
            by: Some(by.into()),
        };
        assert!(asked("", " ", "").span(today).is_ok());
        for (wrong, code) in [
            (asked("yesterday", "", ""), "day_invalid"),
            (asked("2026-11-22", "2026-11-21", ""), "span_invalid"),
            (asked("1970-01-01", "2026-11-21", "day"), "span_invalid"),
            (asked("", "", "=1+1"), "step_invalid"),
        ] {
            assert_eq!(wrong.span(today).unwrap_err().code, code);
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::of_name(kind.name()), Some(kind));
        }
    }
}
