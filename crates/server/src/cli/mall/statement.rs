//! `scrip mall statement`: every event between a member and the others, as CSV (GOV-06).

use super::{Database, member, say, slugs};
use crate::cli::api_key::time;
use crate::failure::Failure;
use crate::report::statement_sheet;
use clap::Args;
use scrip_domain::mall::{MallError, mall_by_book, statement};
use scrip_engine::{Read, Timestamp};

#[derive(Debug, Args)]
pub struct Statement {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// From when on, as 2026-11-01T00:00:00Z
    #[arg(long, value_parser = time)]
    from: Timestamp,
    /// Until when, the moment itself left out; now unless given
    #[arg(long, value_parser = time)]
    to: Option<Timestamp>,
}

impl Statement {
    pub fn run(self) -> Result<(), Failure> {
        let engine = self.database.reader()?;
        let (slug, from, to) = (self.vendor, self.from, self.to);
        let (member, scale, names, lines) = engine.read(|tx| {
            let member = member(tx, &slug)?;
            let mall = mall_by_book(tx, member.mall_book)?;
            let names = slugs(tx, &mall)?;
            let to = to.unwrap_or(tx.now());
            let lines = statement(tx, &member, from, to)?;
            Ok::<_, MallError>((member, mall.currency.scale, names, lines))
        })?;
        let text = statement_sheet(&lines, &member, &names, scale)?;
        say(text.trim_end())
    }
}
