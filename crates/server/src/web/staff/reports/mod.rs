//! Reports: the figures with charts, each table as CSV, and the booking of revenue (ADV-08).
//! All staff may look, auditors too.

mod bars;

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::{Notice, Shell, Tone};
use super::{May, at, permission, said};
use crate::error::{Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::http::csv::download;
use crate::report::{Asked, Cell, Column, Kind, Report, Table, Unit, csv, period_words, report};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use bars::{Bars, bars};
use scrip_domain::report::calendar::{Day, Step};
use scrip_domain::revenue::revenue_book;
use scrip_domain::vendor::Permission;
use serde::{Deserialize, Serialize};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/reports"), get(index))
        .route(&at("/reports/revenue/book"), post(book))
        .route(&at("/reports/{report}"), get(show))
        .route(&at("/reports/{report}/{table}"), get(file))
}

const PATH: &str = "/staff/reports";

/// A report to go to.
struct Entry {
    title: &'static str,
    about: &'static str,
    href: String,
    here: bool,
}

fn entries(member: &StaffMember, here: Option<Kind>) -> Vec<Entry> {
    let entry = |kind: Kind| Entry {
        title: kind.title(),
        about: kind.about(),
        href: member.shop.at(&format!("{PATH}/{}", kind.name())),
        here: here == Some(kind),
    };
    Kind::ALL.into_iter().map(entry).collect()
}

#[derive(Template)]
#[template(path = "staff/reports.html")]
struct IndexPage {
    shell: Shell,
    entries: Vec<Entry>,
}

/// `GET /shops/{slug}/staff/reports`.
async fn index(member: StaffMember) -> Result<Response> {
    page(&IndexPage {
        shell: staff_shell(&member, "Reports", PATH),
        entries: entries(&member, None),
    })
}

/// A cell of the page.
struct Shown {
    text: String,
    is_number: bool,
}

/// A line of the page.
struct Line {
    label: String,
    cells: Vec<Shown>,
}

/// A table of the page.
struct Sheet {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    columns: Vec<Column>,
    chart: Option<Bars>,
    lines: Vec<Line>,
    total: Option<Vec<Shown>>,
    note: String,
    /// Lines that only the file has.
    more: usize,
    file: String,
}

/// Lines of a table that a page shows; the file has all of them.
const LINES: usize = 100;

fn sheet(of: &Report, table: &Table, path: &str, query: &[(&str, &str)]) -> Sheet {
    let cells = |cells: &[Cell]| {
        let cells = table.columns.iter().zip(cells);
        let shown = cells.map(|(column, cell)| Shown {
            text: of.shown(column.unit, cell),
            is_number: column.unit != Unit::Text,
        });
        shown.collect()
    };
    // The head shows the tail of days, where the latest are.
    let rows = table.rows.iter().take(LINES).map(|row| Line {
        label: row.label.clone(),
        cells: cells(&row.cells),
    });
    Sheet {
        name: table.name,
        title: table.title,
        about: table.about,
        columns: table.columns.clone(),
        chart: bars(of, table),
        lines: rows.collect(),
        total: table.total.as_deref().map(cells),
        note: table.note.clone(),
        more: table.rows.len().saturating_sub(LINES),
        file: link(&format!("{path}/{}.csv", table.name), query),
    }
}

/// A span to go to.
struct Quick {
    label: String,
    href: String,
}

/// A way of dividing.
struct By {
    name: &'static str,
    chosen: bool,
}

/// The form that chooses the days.
struct Filter {
    from: String,
    to: String,
    by: Vec<By>,
    quick: Vec<Quick>,
}

/// The form that books revenue.
struct Booking {
    action: String,
    key: String,
    last: String,
}

#[derive(Template)]
#[template(path = "staff/report.html")]
struct ReportPage {
    shell: Shell,
    title: &'static str,
    about: &'static str,
    when: String,
    entries: Vec<Entry>,
    filter: Option<Filter>,
    here: String,
    sheets: Vec<Sheet>,
    booking: Option<Booking>,
}

/// Which days.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    from: Option<String>,
    to: Option<String>,
    by: Option<String>,
    done: Option<String>,
}

impl Which {
    fn asked(&self) -> Asked {
        Asked {
            from: self.from.clone(),
            to: self.to.clone(),
            by: self.by.clone(),
        }
    }
}

#[derive(Deserialize)]
struct AtReport {
    report: String,
}

fn kind_of(name: &str) -> Result<Kind> {
    Kind::of_name(name).ok_or_else(|| Problem::not_found("report"))
}

async fn worked_out(app: &App, member: &StaffMember, kind: Kind, asked: Asked) -> Result<Report> {
    let vendor = member.shop.vendor.clone();
    app.read(move |tx| report(tx, &vendor, kind, &asked)).await
}

/// Spans that one goes to with a click.
fn quick(today: Day, path: &str) -> Vec<Quick> {
    let month = Step::Month.begin(today);
    let before = Step::Month.begin(month.plus(-1));
    let quarter = Step::Quarter.begin(today);
    let year = Step::Year.begin(today);
    [
        ("This month", month, today, Step::Day),
        ("Last month", before, month.plus(-1), Step::Day),
        ("This quarter", quarter, today, Step::Week),
        ("This year", year, today, Step::Month),
    ]
    .into_iter()
    .map(|(label, from, to, step)| Quick {
        label: label.to_owned(),
        href: link(
            path,
            &[
                ("from", &from.to_string()),
                ("to", &to.to_string()),
                ("by", step.name()),
            ],
        ),
    })
    .collect()
}

fn report_page(member: &StaffMember, of: &Report) -> ReportPage {
    let kind = of.kind;
    let place = format!("{PATH}/{}", kind.name());
    let path = member.shop.at(&place);
    let days = of.span.map(|span| {
        let (from, to) = (span.from().to_string(), span.last().to_string());
        (from, to, span.step())
    });
    let query: Vec<(&str, &str)> = match &days {
        Some((from, to, step)) => vec![("from", from), ("to", to), ("by", step.name())],
        None => Vec::new(),
    };
    let when = match of.span {
        Some(span) => period_words(Step::Year, span.from(), span.to()),
        None => format!(
            "Now, {}",
            period_words(Step::Day, of.today, of.today.plus(1))
        ),
    };
    let may_book = member.staff.role.may(Permission::Books) && kind == Kind::Revenue;
    ReportPage {
        shell: staff_shell(member, kind.title(), PATH),
        title: kind.title(),
        about: kind.about(),
        when: format!("{when}, days of {}", of.zone),
        entries: entries(member, Some(kind)),
        filter: days.as_ref().map(|(from, to, step)| Filter {
            from: from.clone(),
            to: to.clone(),
            by: Step::ALL
                .map(|one| By {
                    name: one.name(),
                    chosen: one == *step,
                })
                .into(),
            quick: quick(of.today, &path),
        }),
        sheets: of
            .tables
            .iter()
            .map(|t| sheet(of, t, &path, &query))
            .collect(),
        booking: may_book.then(|| Booking {
            action: format!("{path}/book"),
            key: form_key(),
            last: Step::Month.begin(of.today).plus(-1).to_string(),
        }),
        here: path,
    }
}

/// `GET /shops/{slug}/staff/reports/{report}`.
async fn show(
    State(app): State<App>,
    member: StaffMember,
    Path(AtReport { report }): Path<AtReport>,
    Query(which): Query<Which>,
) -> Result<Response> {
    let kind = kind_of(&report)?;
    let found = worked_out(&app, &member, kind, which.asked()).await;
    let (status, notice, found) = match found {
        Ok(found) => (StatusCode::OK, None, found),
        // Days that cannot be: said on the page of this month.
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let notice = Notice {
                headline: "These days cannot be shown; this is the month until today.".into(),
                ..notice
            };
            let found = worked_out(&app, &member, kind, Asked::default()).await?;
            (status, Some(notice), found)
        }
    };
    let mut page_of = report_page(&member, &found);
    page_of.shell.notice = notice;
    if which.done.is_some() {
        let text = "The entry is in the journal; booking the same day again changes nothing.";
        let notice = Notice::new(Tone::Good, "Revenue is booked.", text);
        page_of.shell.notice = Some(notice);
    }
    page_with(status, &page_of)
}

#[derive(Deserialize)]
struct AtTable {
    report: String,
    table: String,
}

/// `GET /shops/{slug}/staff/reports/{report}/{table}.csv`.
async fn file(
    State(app): State<App>,
    member: StaffMember,
    Path(AtTable { report, table }): Path<AtTable>,
    Query(which): Query<Which>,
) -> Result<Response> {
    let kind = kind_of(&report)?;
    let unknown = || Problem::not_found("table of a report");
    let name = table.strip_suffix(".csv").ok_or_else(unknown)?;
    let found = worked_out(&app, &member, kind, which.asked()).await?;
    let table = found
        .tables
        .iter()
        .find(|t| t.name == name)
        .ok_or_else(unknown)?;
    let days = match found.span {
        Some(span) => format!("{}-{}", span.from(), span.last()),
        None => found.today.to_string(),
    };
    let (slug, report) = (&member.shop.vendor.slug, kind.name());
    let name = format!("{slug}-{report}-{}-{days}", table.name);
    download(csv(&found, table), &name)
}

/// Until which day.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookForm {
    key: String,
    last: String,
}

/// `POST /shops/{slug}/staff/reports/revenue/book`: books what was earned until a day, once.
async fn book(
    State(app): State<App>,
    May(member, _): May<permission::Books>,
    Form(form): Form<BookForm>,
) -> Result<Response> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let last = form.last.trim().parse::<Day>();
    let done = match last {
        Ok(last) => {
            let request = format!("revenue until {last}").into_bytes();
            let keyed = member.keyed(form.key, request, None);
            app.submit(keyed, move |tx| {
                revenue_book(tx, actor, &vendor, last).map(|booking| booking.until.to_string())
            })
            .await
            .map(drop)
        }
        Err(e) => Err(Problem::invalid("day_invalid", e.to_string())),
    };
    let path = member.shop.at(&format!("{PATH}/revenue"));
    match done {
        Ok(()) => see(&link(&path, &[("done", "booked")])),
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let found = worked_out(&app, &member, Kind::Revenue, Asked::default()).await?;
            let mut page_of = report_page(&member, &found);
            page_of.shell.notice = Some(notice);
            page_with(status, &page_of)
        }
    }
}
