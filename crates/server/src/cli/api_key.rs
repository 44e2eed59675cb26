//! `scrip api-key`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use scrip_domain::Actor;
use scrip_domain::api_key::{
    ApiKey as Key, ApiKeyError, NewApiKey, Scope, api_key_create, api_key_revoke, api_keys,
};
use scrip_domain::id::ApiKeyId;
use scrip_domain::vendor::vendor_by_slug;
use scrip_engine::{Read, ReadTx, Timestamp};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum ApiKey {
    /// Make a key; it is shown this once
    Create(Create),
    /// List a vendor's keys, without their secrets
    List(List),
    /// Take a key back for good
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// What the key is for, for people
    #[arg(long)]
    name: String,
    /// What it may do; repeat it, or put commas between: customers:read, customers:write,
    /// tokens:write, orders:read, orders:write, refunds:write, catalog:read, catalog:write,
    /// vendor:read, vendor:write, reports:read, ledger:read, keys:write
    #[arg(long = "scope", required = true, value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// When it ends by itself: 2027-01-01 (its first moment, UTC) or 2027-01-01T08:00:00Z
    #[arg(long, value_parser = time)]
    expires: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// The key's id, as listed: key_…
    key: ApiKeyId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ApiKey {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            ApiKey::Create(create) => create.run(),
            ApiKey::List(list) => list.run(),
            ApiKey::Revoke(revoke) => revoke.run(),
        }
    }
}

pub fn time(text: &str) -> Result<Timestamp, String> {
    let day = |date: Date| date.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
    text.parse::<jiff::Timestamp>()
        .or_else(|_| text.parse::<Date>().and_then(day))
        .map(|at| Timestamp(at.as_microsecond()))
        .map_err(|_| "a day like 2027-01-01 or a time like 2027-01-01T08:00:00Z is wanted".into())
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let vendor = node.engine.read(|tx| vendor_by_slug(tx, &self.vendor))?;
        let new = NewApiKey {
            name: self.name,
            scopes: self.scopes,
            expires_at: self.expires,
        };
        let made = node
            .engine
            .write(move |tx| api_key_create(tx, Actor::System, &vendor, &new));
        let (key, whole) = made?;
        if self.json {
            let mut shown = shown(&key);
            shown["key"] = json!(whole);
            return say_json(&shown);
        }
        say(&format!(
            "{}\n{whole}\nThis is the only time that the key is shown: give it to its program now.",
            line(&key)
        ))
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let engine = self.database.reader()?;
        let book = engine.read(|tx| vendor_by_slug(tx, &self.vendor))?.book_id;
        let (keys, now) = engine.read(|tx| all(tx, book).map(|keys| (keys, tx.now())))?;
        if self.json {
            return say_json(&keys.iter().map(shown).collect());
        }
        let state = |key: &Key| match (key.revoked_at, key.usable(now)) {
            (Some(at), _) => format!("revoked {at}"),
            (None, true) => "usable".to_owned(),
            (None, false) => "expired".to_owned(),
        };
        let lines: Vec<_> = keys
            .iter()
            .map(|key| format!("{}, {}", line(key), state(key)))
            .collect();
        if lines.is_empty() {
            return say("no keys: `scrip api-key create` makes one");
        }
        say(&lines.join("\n"))
    }
}

fn all(tx: &mut ReadTx<'_>, book: i64) -> Result<Vec<Key>, ApiKeyError> {
    let mut page = api_keys(tx, book, None, 1_000)?;
    let mut keys = std::mem::take(&mut page.items);
    while let Some(after) = page.next {
        page = api_keys(tx, book, Some(after), 1_000)?;
        keys.append(&mut page.items);
    }
    Ok(keys)
}

impl Revoke {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let vendor = node.engine.read(|tx| vendor_by_slug(tx, &self.vendor))?;
        let id = self.key;
        let revoked = node
            .engine
            .write(move |tx| api_key_revoke(tx, Actor::System, &vendor, id));
        let key = revoked?;
        if self.json {
            return say_json(&shown(&key));
        }
        say(&format!("{} is revoked", line(&key)))
    }
}

fn shown(key: &Key) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": key.key_id.to_string(), "name": key.name, "scopes": key.scopes,
        "created_at": key.created_at.to_string(), "created_by": key.created_by,
        "expires_at": time(key.expires_at), "revoked_at": time(key.revoked_at),
    })
}

fn line(key: &Key) -> String {
    let scopes: Vec<_> = key.scopes.iter().map(|s| s.name()).collect();
    let end = key.expires_at.unwrap_or(Timestamp::NEVER);
    let (id, name, scopes) = (key.key_id, &key.name, scopes.join(" "));
    format!("{id} {name}: {scopes}; expires {end}")
}
