//! `scrip verify`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::Args;
use scrip_domain::verify::{mall_verify, vendor_verify};
use scrip_ledger::verify::{Dues, Report, book_dues, book_verify, dues_verify};
use scrip_ledger::{Book, BookKind, books};
use serde_json::json;

#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    database: Database,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(self) -> Result<(), Failure> {
        let engine = self.database.reader()?;
        // One snapshot: what is checked belongs together.
        let checked: Vec<(Book, Report)> = engine.read(|tx| {
            let mut checked = Vec::new();
            let mut dues = Dues::new();
            for book in books(tx)? {
                let mut report = book_verify(tx, book.book_id)?;
                match book.kind {
                    BookKind::Vendor => vendor_verify(tx, book.book_id, &mut report)?,
                    BookKind::Mall => mall_verify(tx, book.book_id, &mut report)?,
                    BookKind::Manufacturer | BookKind::GiftIssuer => {}
                }
                book_dues(tx, book.book_id, &mut dues)?;
                checked.push((book, report));
            }
            if let Some((_, first)) = checked.first_mut() {
                dues_verify(&dues, first);
            }
            Ok::<_, scrip_ledger::Error>(checked)
        })?;
        let wrong: usize = checked.iter().map(|(_, r)| r.findings.len()).sum();
        if self.json {
            say_json(
                &checked
                    .iter()
                    .map(|(book, report)| as_json(book, report))
                    .collect(),
            )?;
        } else {
            for (book, report) in &checked {
                say(&as_text(book, report))?;
            }
        }
        if wrong == 0 {
            Ok(())
        } else {
            Err(Failure::Refused(format!("{wrong} rows are wrong")))
        }
    }
}

fn as_json(book: &Book, report: &Report) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|f| json!({ "table": f.table, "key": f.key, "problem": f.problem }))
        .collect();
    json!({
        "book": book.slug, "entries": report.entries, "transfers": report.transfers,
        "accounts": report.accounts, "seals": report.seals, "findings": findings,
    })
}

fn as_text(book: &Book, report: &Report) -> String {
    let mut text = format!(
        "{}: {} entries, {} transfers, {} accounts, {} seals: {}",
        book.slug,
        report.entries,
        report.transfers,
        report.accounts,
        report.seals,
        if report.findings.is_empty() {
            "all is well"
        } else {
            "wrong:"
        }
    );
    for finding in &report.findings {
        text += &format!("\n  {} {}: {}", finding.table, finding.key, finding.problem);
    }
    text
}
