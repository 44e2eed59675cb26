//! Tables as CSV files that spreadsheets open without running anything. Every file that the server
//! hands out is made of [`csv_field`]s.

use crate::error::{Problem, Result};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use scrip_ledger::export::csv_field;

/// A file under way.
pub struct Sheet(String);

impl Sheet {
    /// A file with these columns.
    pub fn new(head: &[&str]) -> Sheet {
        let mut sheet = Sheet(String::new());
        sheet.row(head);
        sheet
    }

    /// One more row; cells that a spreadsheet would take for a formula are made plain.
    pub fn row(&mut self, cells: &[&str]) {
        let fields: Vec<String> = cells.iter().map(|cell| csv_field(cell)).collect();
        self.0.push_str(&fields.join(","));
        self.0.push_str("\r\n");
    }

    /// The file as text.
    pub fn text(self) -> String {
        self.0
    }
}

/// A text of [`csv_field`]s as an answer; its name without the ending.
pub fn download(text: String, name: &str) -> Result<Response> {
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    let place = format!("attachment; filename=\"{name}.csv\"");
    let place = HeaderValue::from_str(&place).map_err(|e| Problem::internal(&e))?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, place),
    ];
    Ok((headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::Sheet;

    #[test]
    fn formulas_are_made_plain_and_numbers_stay() {
        let mut sheet = Sheet::new(&["a", "b"]);
        sheet.row(&["=1+1", "-12.50"]);
        sheet.row(&["@x;y", "say \"no\""]);
        assert_eq!(
            sheet.text(),
            "a,b\r\n'=1+1,-12.50\r\n\"'@x;y\",\"say \"\"no\"\"\"\r\n"
        );
    }
}
