//! Tables as CSV files that spreadsheets open without running anything.

use crate::error::{Problem, Result};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;

/// A file under way.
pub struct Sheet(csv::Writer<Vec<u8>>);

impl Sheet {
    /// A file with these columns.
    pub fn new(head: &[&str]) -> Result<Sheet> {
        let mut sheet = Sheet(csv::Writer::from_writer(Vec::new()));
        sheet.row(head)?;
        Ok(sheet)
    }

    /// One more row; cells that a spreadsheet would take for a formula are made plain.
    pub fn row(&mut self, cells: &[&str]) -> Result<()> {
        let plain = cells.iter().map(|text| cell(text));
        let plain: Vec<_> = plain.collect();
        let written = self.0.write_record(plain.iter().map(|c| c.as_bytes()));
        written.map_err(|e| Problem::internal(&e))
    }
}

/// A cell as text: what begins like a formula gets an apostrophe, but numbers stay numbers.
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_formula && !is_number {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The file as an answer; its name without the ending.
pub fn download(sheet: Sheet, name: &str) -> Result<Response> {
    let bytes = sheet.0.into_inner().map_err(|e| Problem::internal(&e))?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    let place = format!("attachment; filename=\"{name}.csv\"");
    let place = HeaderValue::from_str(&place).map_err(|e| Problem::internal(&e))?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, place),
    ];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn formulas_are_made_plain_and_numbers_stay() {
        for text in [
            "=1+1",
            "+A1",
            "-cmd|' /C calc'!A0",
            "@SUM(A1)",
            "\t=1",
            "-",
            "+1=2",
        ] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        for text in ["", "-12.50", "+3", "a=b", "1,5", "'x"] {
            assert_eq!(cell(text), text);
        }
    }
}
