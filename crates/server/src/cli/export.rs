//! `scrip export`.

use super::{open::Database, say};
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use scrip_ledger::export::{Format, book_export};
use scrip_ledger::{Error as LedgerError, book_by_slug};
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    /// Beancount 3, for `bean-check`
    Beancount,
    /// hledger journal, for `hledger check`
    Hledger,
    /// One line per posting, for spreadsheets
    Csv,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// The file format
    #[arg(long, value_enum)]
    format: FormatName,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub fn run(self) -> Result<(), Failure> {
        if let Some(path) = &self.output {
            self.database.keep_off(path)?;
        }
        let engine = self.database.reader()?;
        let format = match self.format {
            FormatName::Beancount => Format::Beancount,
            FormatName::Hledger => Format::Hledger,
            FormatName::Csv => Format::Csv,
        };
        let text = engine
            .read(|tx| {
                let book = book_by_slug(tx, &self.vendor)?;
                book.map(|book| book_export(tx, &book, format)).transpose()
            })
            .map_err(|e: LedgerError| Failure::from(e))?;
        let text = text.ok_or_else(|| {
            let name = &self.vendor;
            Failure::Refused(format!(
                "no vendor is called {name:?}: see `scrip vendor list`"
            ))
        })?;
        match self.output {
            Some(path) => std::fs::write(&path, text).map_err(|e| Failure::file(&path, e)),
            None => say(text.trim_end()),
        }
    }
}
