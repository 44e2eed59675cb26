//! Reports as tables (ADV-08).

use super::auth::{May, ReportsRead};
use super::shape::ProblemBody;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Path, Query};
use crate::report::{Asked, Column, Kind, Report, Row, Table, Unit, report};
use crate::state::App;
use axum::extract::State;
use scrip_domain::report::calendar::Day;
use scrip_domain::vendor::vendor_by_book;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(figures))
}

/// A report.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReportName {
    Sales,
    Products,
    Preferences,
    Liability,
    Breakage,
    Revenue,
    Receivables,
    Promotions,
}

impl ReportName {
    fn kind(self) -> Kind {
        match self {
            ReportName::Sales => Kind::Sales,
            ReportName::Products => Kind::Products,
            ReportName::Preferences => Kind::Preferences,
            ReportName::Liability => Kind::Liability,
            ReportName::Breakage => Kind::Breakage,
            ReportName::Revenue => Kind::Revenue,
            ReportName::Receivables => Kind::Receivables,
            ReportName::Promotions => Kind::Promotions,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ReportPath {
    /// Which report.
    #[param(inline)]
    report: ReportName,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FiguresQuery {
    /// The first day; that of the month of the last unless given. Days are those of your time zone.
    #[param(example = "2026-11-01", format = Date)]
    from: Option<String>,
    /// The last day; today unless given.
    #[param(example = "2026-11-30", format = Date)]
    to: Option<String>,
    /// How the days are divided: `day`, `week`, `month`, `quarter` or `year`; by day unless given.
    #[param(example = "month")]
    by: Option<String>,
}

/// A column of a table.
#[derive(Debug, Serialize, ToSchema)]
struct ColumnBody {
    /// Its name.
    name: &'static str,
    /// What it has: `text`, `count`, or the code of the token or currency of its amounts.
    unit: String,
}

/// A line of a table.
#[derive(Debug, Serialize, ToSchema)]
struct RowBody {
    /// What it is about; the first day of a period.
    key: String,
    /// Its cells, in the order of the columns: decimal digits, or text.
    cells: Vec<String>,
}

/// A table of a report.
#[derive(Debug, Serialize, ToSchema)]
struct TableBody {
    /// Its name.
    name: &'static str,
    /// Its columns.
    columns: Vec<ColumnBody>,
    /// Its lines.
    rows: Vec<RowBody>,
    /// The sums of the lines, empty where a column has none; null where lines do not add up.
    total: Option<Vec<String>>,
}

/// A report.
#[derive(Debug, Serialize, ToSchema)]
struct FiguresBody {
    /// The first day; null for reports of what is now.
    #[schema(format = Date)]
    from: Option<String>,
    /// The last day; null for reports of what is now.
    #[schema(format = Date)]
    to: Option<String>,
    /// The time zone of the days.
    time_zone: String,
    /// Its tables.
    tables: Vec<TableBody>,
}

fn unit(of: &Report, column: &Column) -> String {
    match column.unit {
        Unit::Text => "text".to_owned(),
        Unit::Count => "count".to_owned(),
        Unit::Tokens => of.token.code.clone(),
        Unit::Money => of.currency.code.clone(),
    }
}

fn table(of: &Report, table: &Table) -> TableBody {
    let cells = |cells: &[crate::report::Cell]| {
        let cells = table.columns.iter().zip(cells);
        cells
            .map(|(column, cell)| of.plain(column.unit, cell))
            .collect()
    };
    let row = |row: &Row| RowBody {
        key: row.key.clone(),
        cells: cells(&row.cells),
    };
    TableBody {
        name: table.name,
        columns: table
            .columns
            .iter()
            .map(|column| ColumnBody {
                name: column.name,
                unit: unit(of, column),
            })
            .collect(),
        rows: table.rows.iter().map(row).collect(),
        total: table.total.as_deref().map(cells),
    }
}

/// See a report
///
/// Sales, best sellers, preferences, outstanding tokens, expiry, deferred and earned revenue,
/// promotions: the tables of the reports, whole. `docs/reports.md` says how each figure is made.
#[utoipa::path(
    get, path = "/v1/reports/figures/{report}", tag = "reports", operation_id = "report_figures",
    security(("key" = ["reports:read"])),
    params(ReportPath, FiguresQuery),
    responses(
        (status = 200, description = "The report", body = FiguresBody),
        (status = 422, description = "Days or periods that cannot be", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn figures(
    May(caller, ..): May<ReportsRead>,
    State(app): State<App>,
    Path(ReportPath { report: name }): Path<ReportPath>,
    Query(query): Query<FiguresQuery>,
) -> Result<axum::Json<FiguresBody>> {
    let book = caller.book();
    // An address of a page may have fields that were left empty; a program's has not.
    let day = |text: Option<String>| {
        let day = text.map(|text| text.parse::<Day>().map(|day| day.to_string()));
        day.transpose()
            .map_err(|e| Problem::invalid("day_invalid", e.to_string()))
    };
    let asked = Asked {
        from: day(query.from)?,
        to: day(query.to)?,
        by: query.by,
    };
    let found = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        Ok::<_, Failed>(report(tx, &vendor, name.kind(), &asked)?)
    });
    let found = found.await?;
    Ok(axum::Json(FiguresBody {
        from: found.span.map(|span| span.from().to_string()),
        to: found.span.map(|span| span.last().to_string()),
        time_zone: found.zone.clone(),
        tables: found.tables.iter().map(|t| table(&found, t)).collect(),
    }))
}
