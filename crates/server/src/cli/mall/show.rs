//! `scrip mall show`: members, what their tokens are worth, what each owes or is owed.

use super::{Database, say};
use crate::cli::say_json;
use crate::failure::Failure;
use clap::Args;
use scrip_domain::Amount;
use scrip_domain::mall::{
    Mall as MallData, MallError, Member, accepted_from, mall_by_slug, mall_kept, members, position,
    value_at,
};
use scrip_domain::vendor::{Quota as QuotaData, quota};
use scrip_engine::{Engine, Read};
use scrip_ledger::TOKEN_SCALE;
use serde_json::json;

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a member may issue, in words.
pub fn in_words(quota: Option<&QuotaData>) -> Result<String, Failure> {
    let text = |amount: Amount| amount.decimal(TOKEN_SCALE);
    let Some(quota) = quota else {
        return Ok("issues without a limit".to_owned());
    };
    let issued = text(quota.issued);
    let mut words = match (quota.authorised, quota.available()?) {
        (Some(authorised), Some(left)) => format!(
            "issued {issued} of {} tokens, {} are available",
            text(authorised),
            text(left)
        ),
        _ => format!("issued {issued} tokens, without a limit"),
    };
    if quota.is_stopped {
        words.push_str("; its issue is stopped");
    }
    Ok(words)
}

/// A member as it is shown: its token's value, what it owes, whose tokens it takes.
pub struct Shown {
    pub member: Member,
    value: Option<Amount>,
    pub position: Amount,
    takes: Vec<String>,
    quota: Option<QuotaData>,
}

pub fn shown(engine: &Engine, slug: &str) -> Result<(MallData, Vec<Shown>, Amount), Failure> {
    let read = engine.read(|tx| {
        let mall = mall_by_slug(tx, slug)?;
        let now = tx.now();
        let all = members(tx, &mall)?;
        let name = |book: &i64| {
            let found = all.iter().find(|m| m.book_id == *book);
            found.map_or_else(String::new, |m| m.slug.clone())
        };
        let mut rows = Vec::new();
        for member in &all {
            rows.push(Shown {
                value: value_at(tx, member, now)?,
                position: position(tx, member)?,
                takes: accepted_from(tx, member)?.iter().map(name).collect(),
                quota: quota(tx, member.book_id)?,
                member: member.clone(),
            });
        }
        let kept = mall_kept(tx, &mall)?;
        Ok::<_, MallError>((mall, rows, kept))
    })?;
    Ok(read)
}

impl Show {
    pub fn run(self) -> Result<(), Failure> {
        let (mall, rows, kept) = shown(&self.database.reader()?, &self.mall)?;
        let scale = mall.currency.scale;
        let text = |amount: Amount| amount.decimal(scale);
        if self.json {
            let members: Vec<_> = rows
                .iter()
                .map(|row| {
                    json!({
                        "vendor": row.member.slug, "state": row.member.state.name(),
                        "barred": row.member.is_barred, "value": row.value.map(text),
                        "owes": text(row.position), "takes": row.takes,
                        "issued": row.quota.map(|q| q.issued.decimal(TOKEN_SCALE)),
                        "authorised": row.quota.and_then(|q| q.authorised)
                            .map(|amount| amount.decimal(TOKEN_SCALE)),
                    })
                })
                .collect();
            return say_json(&json!({
                "mall": mall.slug, "currency": mall.currency.code, "members": members,
                "clears": mall.clears.name(), "kept": text(kept),
            }));
        }
        let code = &mall.currency.code;
        say(&format!("{} settles in {code}", mall.name))?;
        for row in &rows {
            let standing = match row.member.is_barred {
                true => format!("{}, tokens stay at home", row.member.state),
                false => row.member.state.to_string(),
            };
            let owes = match row.position.is_positive() || row.position.is_zero() {
                true => format!("owes {}", text(row.position)),
                false => format!("is owed {}", text(row.position.negated()?)),
            };
            say(&format!(
                "{:<20} {standing}; {}; one token {} {code}; {owes} {code}; takes {}",
                row.member.slug,
                in_words(row.quota.as_ref())?,
                row.value.map_or_else(|| "?".into(), text),
                if row.takes.is_empty() {
                    "nobody's".into()
                } else {
                    row.takes.join(", ")
                },
            ))?;
        }
        say(&format!(
            "kept by the mall, fractions, royalties and tolls: {} {code}",
            text(kept)
        ))
    }
}
