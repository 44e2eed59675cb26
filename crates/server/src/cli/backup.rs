//! `scrip backup` and `scrip restore`.

use super::{open::Database, say};
use crate::failure::Failure;
use crate::portable;
use clap::Args;
use scrip_engine::Options;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    database: Database,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    database: Database,
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

impl Backup {
    pub fn run(self) -> Result<(), Failure> {
        self.database.keep_off(&self.to)?;
        let engine = self.database.reader()?;
        let rows = portable::backup(&engine, &self.to)?;
        say(&format!(
            "{rows} rows written to {}\nthe key is not in it: keep {} apart from it",
            self.to.display(),
            self.database.key_path().display()
        ))
    }
}

impl Restore {
    pub fn run(self) -> Result<(), Failure> {
        // Before a database is made for it.
        let backup = portable::Checked::read(&self.from)?;
        let engine = scrip_ledger::open(&self.database.database, Options::default())?;
        let rows = portable::restore(&engine, backup)?;
        say(&format!(
            "{rows} rows restored\nput the node's key file at {}, then run `scrip verify`",
            self.database.key_path().display()
        ))
    }
}
