//! A member's statement as a file: each line, and control totals (GOV-06, MIC-05).

use crate::http::csv::Sheet;
use scrip_domain::mall::{Line, MallError, Member};
use scrip_ledger::Amount;
use std::collections::BTreeMap;

const HEAD: [&str; 13] = [
    "event",
    "time",
    "what",
    "debtor",
    "creditor",
    "owed",
    "received",
    "fraction",
    "royalty",
    "taken_at_once",
    "settled_by",
    "kept_by_debtor",
    "you_owe",
];

/// The lines of a member with their totals, and how many lines there are. `names` has the short name
/// of each book.
pub fn statement_sheet(
    lines: &[Line],
    member: &Member,
    names: &BTreeMap<i64, String>,
    scale: u32,
) -> Result<String, MallError> {
    let mut sheet = Sheet::new(&HEAD);
    let name = |book| names.get(&book).cloned().unwrap_or_default();
    let mut totals = [Amount::ZERO; 7];
    for line in lines {
        let money = &line.money;
        let amounts = [
            money.owed,
            money.received,
            money.residue,
            money.royalty,
            money.drawn,
            money.kept,
            line.owes(member.book_id)?,
        ];
        for (total, amount) in totals.iter_mut().zip(amounts) {
            *total = total.plus(amount)?;
        }
        let what = [
            line.event_id.to_string(),
            line.at.to_string(),
            line.kind.name().to_owned(),
            name(line.debtor),
            name(line.creditor),
        ];
        row(&mut sheet, what, amounts, money.means.name(), scale);
    }
    let total = ["total", "", "", "", ""].map(str::to_owned);
    row(&mut sheet, total, totals, "", scale);
    sheet.row(&["lines", &lines.len().to_string()]);
    Ok(sheet.text())
}

fn row(sheet: &mut Sheet, what: [String; 5], amounts: [Amount; 7], means: &str, scale: u32) {
    let mut cells: Vec<String> = what.into_iter().collect();
    cells.extend(amounts.map(|amount| amount.decimal(scale)));
    // How it was settled stands beside what was taken at once.
    cells.insert(10, means.to_owned());
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    sheet.row(&cells);
}
