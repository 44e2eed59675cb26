//! Tables as CSV files.

use super::{Report, Table};
use scrip_ledger::export::csv_field;

/// A table as a file for spreadsheets: a head, the lines, a line of sums where there are any, and
/// how many lines there are, so that a file that was cut off shows. Cells that a spreadsheet would
/// take for formulas get a quote in front.
pub fn csv(report: &Report, table: &Table) -> String {
    let mut out = String::new();
    let mut line = |fields: Vec<String>| {
        let fields: Vec<String> = fields.iter().map(|f| csv_field(f)).collect();
        out.push_str(&fields.join(","));
        out.push_str("\r\n");
    };
    let columns = table.columns.iter();
    let head = std::iter::once(table.about.to_lowercase());
    line(
        head.chain(columns.clone().map(|c| c.name.to_owned()))
            .collect(),
    );
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
    out
}
