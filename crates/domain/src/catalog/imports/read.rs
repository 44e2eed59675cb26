//! Reading a file of any format, encoding and separator that is taken.

use super::LINES_AT_MOST;
use crate::catalog::sheet;
use crate::catalog::shop_export::{self, Parsed, Prices, RowError};

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Its products, and its rows that are wrong.
    pub parsed: Parsed,
    /// True for our own format, false for a shop program's export.
    pub is_own: bool,
    /// The encoding in which the file was found.
    pub encoding: &'static str,
    /// Rows of the file.
    pub lines: usize,
}

/// Reads a file in our own format, or a shop program's export. Only a file that has too many rows,
/// or a header that lacks a needed column, fails as a whole.
pub fn file_read(bytes: &[u8], prices: &Prices) -> Result<Contents, RowError> {
    let (text, encoding) = sheet::decoded(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let (text, skipped) = match after_hint(text) {
        Some(rest) => (rest, 1),
        None => (text, 0),
    };
    let lines = lines_of(text);
    if lines > LINES_AT_MOST {
        return Err(RowError {
            row: u64::try_from(LINES_AT_MOST).unwrap_or(u64::MAX),
            problem: format!("a file has at most {LINES_AT_MOST} rows: split it"),
        });
    }
    let is_own = sheet::is_own(text);
    let parsed = match is_own {
        true => sheet::parse(text, &prices.token),
        false => shop_export::parse(text.as_bytes(), prices),
    };
    let below = |row: u64| row.saturating_add(skipped);
    let mut parsed = parsed.map_err(|e| RowError {
        row: below(e.row),
        ..e
    })?;
    for draft in &mut parsed.drafts {
        draft.row = below(draft.row);
    }
    for error in &mut parsed.errors {
        error.row = below(error.row);
    }
    Ok(Contents {
        parsed,
        is_own,
        encoding,
        lines,
    })
}

/// What comes after the line `sep=;`, by which some spreadsheets tell each other the separator.
fn after_hint(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("sep=")?;
    let (hint, rest) = rest.split_once('\n')?;
    (hint.trim_end_matches('\r').chars().count() <= 1).then_some(rest)
}

/// Lines end as they do on any system, old ones too.
fn lines_of(text: &str) -> usize {
    match text.contains('\n') {
        true => text.lines().count(),
        false => text.split_terminator('\r').count(),
    }
}
