//! `scrip mall statement`: every event between a member and the others, as CSV (GOV-06).

use super::{Database, say};
use crate::cli::api_key::time;
use crate::failure::Failure;
use clap::Args;
use scrip_domain::Amount;
use scrip_domain::mall::{MallError, mall_by_book, member_of, members, statement};
use scrip_domain::vendor::vendor_by_slug;
use scrip_engine::{Read, Timestamp};
use scrip_ledger::export::csv_field;
use std::collections::BTreeMap;

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
            let vendor = vendor_by_slug(tx, &slug)?;
            let member = member_of(tx, vendor.book_id)?;
            let member = member.ok_or_else(|| MallError::NoMember(vendor.name.clone()))?;
            let mall = mall_by_book(tx, member.mall_book)?;
            let named = members(tx, &mall)?.into_iter();
            let names: BTreeMap<i64, String> = named.map(|m| (m.book_id, m.slug)).collect();
            let to = to.unwrap_or(tx.now());
            let lines = statement(tx, &member, from, to)?;
            Ok::<_, MallError>((member, mall.currency.scale, names, lines))
        })?;
        say(
            "event,time,what,debtor,creditor,owed,received,fraction,royalty,from_deposit,kept_by_debtor,you_owe",
        )?;
        let mut sum = Amount::ZERO;
        for line in &lines {
            let owes = line.owes(member.book_id)?;
            sum = sum.plus(owes)?;
            let name = |book| names.get(&book).map_or("?", String::as_str);
            let money = &line.money;
            let amounts = [
                money.owed,
                money.received,
                money.residue,
                money.royalty,
                money.drawn,
                money.kept,
                owes,
            ];
            let mut fields = vec![
                line.event_id.to_string(),
                line.at.to_string(),
                line.kind.name().to_owned(),
                name(line.debtor).to_owned(),
                name(line.creditor).to_owned(),
            ];
            fields.extend(amounts.map(|amount| amount.decimal(scale)));
            let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
            say(&fields.join(","))?;
        }
        say(&format!("total,,,,,,,,,,,{}", sum.decimal(scale)))?;
        say(&format!("lines,{}", lines.len()))
    }
}
