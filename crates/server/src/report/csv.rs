//! Tables as CSV files.

use super::{Report, Table};
use crate::http::csv::Sheet;

/// A table as a file for spreadsheets: a head, the lines, a line of sums where there are any, and
/// how many lines there are, so that a file that was cut off shows. Cells that a spreadsheet would
/// take for formulas get a quote in front.
pub fn csv(report: &Report, table: &Table) -> String {
    let columns = table.columns.iter();
    let about = table.about.to_lowercase();
    let head: Vec<&str> = std::iter::once(about.as_str())
        .chain(columns.clone().map(|c| c.name))
        .collect();
    let mut sheet = Sheet::new(&head);
    let mut line = |fields: Vec<String>| {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        sheet.row(&fields);
    };
    for row in &table.rows {
        let cells = columns.clone().zip(&row.cells);
        let cells = cells.map(|(column, cell)| report.plain(column.unit, cell));
        line(std::iter::once(row.key.clone()).chain(cells).collect());
    }
    if let Some(total) = &table.total {
        let cells = columns.clone().zip(total);
        let cells = cells.map(|(column, cell)| report.plain(column.unit, cell));
        line(std::iter::once("total".to_owned()).chain(cells).collect());
    }
    line(vec!["lines".to_owned(), table.rows.len().to_string()]);
    sheet.text()
}
