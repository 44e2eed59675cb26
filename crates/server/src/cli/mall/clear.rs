//! Clearing: when it is said, and by itself (GOV-09, OPN-07).

use super::show::{Shown, shown};
use super::{Database, US, member, say};
use crate::cli::say_json;
use crate::failure::Failure;
use clap::Args;
use scrip_domain::Amount;
use scrip_domain::mall::{
    Clearing, Clears, Mall as MallData, MallError, clearing_close, clearing_interval_set,
    clearings, franchise_interval_set, mall_by_slug,
};
use serde_json::json;

#[derive(Debug, Args)]
pub struct Interval {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// Among the members of a franchise alone: the parent's short name
    #[arg(long)]
    franchise: Option<String>,
    /// by_hand, day, week or month; UTC, weeks begin on Monday
    #[arg(value_parser = Clears::parse)]
    clears: Clears,
}

#[derive(Debug, Args)]
pub struct Clear {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Interval {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, clears) = (self.mall, self.clears);
        let franchise = self.franchise;
        let name = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &slug)?;
            let Some(parent) = &franchise else {
                clearing_interval_set(tx, US, &mall, clears)?;
                return Ok(mall.name);
            };
            let parent = member(tx, parent)?;
            franchise_interval_set(tx, US, &parent, clears)?;
            Ok::<_, MallError>(format!("the franchise of {}", parent.name))
        })?;
        say(&match clears {
            Clears::ByHand => format!("{name} clears when told to"),
            _ => format!("{name} clears by itself after each {clears}"),
        })
    }
}

impl Clear {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let slug = self.mall.clone();
        let cleared = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &slug)?;
            clearing_close(tx, US, &mall)
        })?;
        let (mall, rows, _) = shown(&node.engine, &self.mall)?;
        let before = node.engine.read(|tx| clearings(tx, &mall, 2))?;
        let before = before.into_iter().find(|c| c.number < cleared.number);
        if self.json {
            return say_json(&as_json(&mall, &rows, &cleared));
        }
        let since = before.map_or_else(|| "the beginning".into(), |c| c.closed_at.to_string());
        say(&format!(
            "clearing {} of {}, since {since}",
            cleared.number, mall.name
        ))?;
        for (book, position) in &cleared.positions {
            let word = match position.paid < Amount::ZERO {
                true => "is paid",
                false => "pays",
            };
            let text = |amount: Amount| amount.decimal(mall.currency.scale);
            say(&format!(
                "{:<20} {word} {} {}; carried {}",
                name_of(&rows, *book),
                text(position.due()?),
                mall.currency.code,
                text(position.carried)
            ))?;
        }
        Ok(())
    }
}

fn name_of(rows: &[Shown], book: i64) -> &str {
    let found = rows.iter().find(|row| row.member.book_id == book);
    found.map_or("?", |row| row.member.slug.as_str())
}

fn as_json(mall: &MallData, rows: &[Shown], cleared: &Clearing) -> serde_json::Value {
    let text = |amount: Amount| amount.decimal(mall.currency.scale);
    let positions: Vec<_> = cleared
        .positions
        .iter()
        .map(|(book, position)| {
            json!({
                "vendor": name_of(rows, *book), "net": text(position.net),
                "paid": text(position.paid), "carried": text(position.carried),
            })
        })
        .collect();
    json!({
        "mall": mall.slug, "clearing": cleared.number, "currency": mall.currency.code,
        "positions": positions,
    })
}
