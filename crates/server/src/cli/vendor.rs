//! `scrip vendor`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use scrip_domain::Node;
use scrip_domain::vendor::{EntityKind, NewVendor, Vendor as VendorData, vendor_create, vendors};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Vendor {
    /// Create a vendor with its token
    Create(Create),
    /// List the vendors
    List(List),
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    database: Database,
    /// Name for people
    #[arg(long)]
    name: String,
    /// Short name: 2 to 40 of a-z, 0-9 and -
    #[arg(long)]
    slug: String,
    /// What kind of business it is
    #[arg(long, default_value = "vendor", value_parser = EntityKind::parse)]
    kind: EntityKind,
    /// Currency of the token's price, ISO 4217
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Price of one token in that currency
    #[arg(long, default_value = "0.01")]
    token_price: String,
    /// Tokens that a customer must acquire before the account is active
    #[arg(long, default_value = "0")]
    minimum_tokens: String,
    /// Declined cards in a row that end a payment session
    #[arg(long, default_value_t = 3)]
    declines_allowed: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    database: Database,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Vendor {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Vendor::Create(create) => create.run(),
            Vendor::List(list) => list.run(),
        }
    }
}

fn as_json(v: &VendorData) -> serde_json::Value {
    json!({
        "slug": v.slug, "name": v.name, "kind": v.kind.name(), "book": v.book_id, "token": v.token.code,
        "currency": v.currency.code, "minimum_tokens": v.minimum_tokens.decimal(v.token.scale),
    })
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let new = NewVendor {
            kind: self.kind,
            slug: self.slug,
            name: self.name,
            currency: self.currency,
            token_price: self.token_price,
            minimum_tokens: self.minimum_tokens,
            declines_allowed: self.declines_allowed,
        };
        let price = new.token_price.clone();
        let Node { engine, vault } = node;
        let vendor = engine.write(move |tx| vendor_create(tx, &vault, &new))?;
        if self.json {
            return say_json(&as_json(&vendor));
        }
        say(&format!(
            "vendor {} created: book {}, token {} at {price} {}\nkeep a copy of the key file {}",
            vendor.slug,
            vendor.book_id,
            vendor.token.code,
            vendor.currency.code,
            self.database.key_path().display()
        ))
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let engine = self.database.reader()?;
        let all = engine.read(|tx| vendors(tx))?;
        if self.json {
            return say_json(&all.iter().map(as_json).collect());
        }
        if all.is_empty() {
            return say("no vendors yet: `scrip vendor create` makes one");
        }
        for v in &all {
            say(&format!(
                "{:<20} book {:<4} {:<24} {}",
                v.slug, v.book_id, v.token.code, v.name
            ))?;
        }
        Ok(())
    }
}
