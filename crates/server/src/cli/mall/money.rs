//! Deposits, tolls, royalties, and what the mall heard of its members.

use super::{Database, US, member, say};
use crate::failure::Failure;
use clap::Args;
use scrip_domain::Amount;
use scrip_domain::mall::{
    MallError, TakesRoyalty, Toll as TollKind, deposit_add, mall_by_slug, royalty_taking_set,
    toll_set,
};
use scrip_domain::mirror::{Mirrors, mirrors_set, uses};
use scrip_ledger::{CURRENCY_SCALE, TOKEN_SCALE};

#[derive(Debug, Args)]
pub struct Deposit {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// What it paid in, in the mall's currency; 0 to change the warning alone
    amount: String,
    /// Below which the member is warned; stays as it was unless given
    #[arg(long)]
    low: Option<String>,
}

#[derive(Debug, Args)]
pub struct Royalty {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// billed: with the next clearing; deposit: at once, from the deposit
    #[arg(value_parser = TakesRoyalty::parse)]
    takes: TakesRoyalty,
}

#[derive(Debug, Args)]
pub struct Toll {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// information, customer or reimbursement
    #[arg(value_parser = TollKind::parse)]
    toll: TollKind,
    /// What each event costs, in the mall's currency
    price: String,
}

#[derive(Debug, Args)]
pub struct Mirror {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// all: customers and what they hold; tokens: what they hold; none: nothing
    #[arg(value_parser = Mirrors::parse)]
    mirrors: Mirrors,
}

#[derive(Debug, Args)]
pub struct Uses {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// How many, newest first
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

impl Deposit {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let amount = Amount::parse(&self.amount, CURRENCY_SCALE)?;
        let low = self.low.map(|text| Amount::parse(&text, CURRENCY_SCALE));
        let (low, slug) = (low.transpose()?, self.vendor);
        let (name, held) = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            let held = deposit_add(tx, US, &member, amount, low)?;
            Ok::<_, MallError>((member.name, held))
        })?;
        say(&format!(
            "{name} has a deposit of {}, and is warned below {}",
            held.remaining.decimal(CURRENCY_SCALE),
            held.low_water.decimal(CURRENCY_SCALE)
        ))
    }
}

impl Royalty {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, takes) = (self.vendor, self.takes);
        let name = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            royalty_taking_set(tx, US, &member, takes)?;
            Ok::<_, MallError>(member.name)
        })?;
        say(&match takes {
            TakesRoyalty::Billed => format!("royalties of {name} are billed with the clearing"),
            TakesRoyalty::Deposit => format!("royalties of {name} are taken from its deposit"),
        })
    }
}

impl Toll {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let price = Amount::parse(&self.price, CURRENCY_SCALE)?;
        let (slug, toll) = (self.mall, self.toll);
        node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &slug)?;
            toll_set(tx, US, &mall, toll, price)
        })?;
        say(&format!(
            "each {toll} costs {} from now on",
            price.decimal(CURRENCY_SCALE)
        ))
    }
}

impl Mirror {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, mirrors) = (self.vendor, self.mirrors);
        let name = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            mirrors_set(tx, &member, mirrors)?;
            Ok::<_, MallError>(member.name)
        })?;
        say(&match mirrors {
            Mirrors::All => format!("the mall mirrors customers of {name} and what they hold"),
            Mirrors::Tokens => format!("the mall mirrors what customers of {name} hold"),
            Mirrors::Nothing => format!("the mall mirrors nothing of {name}"),
        })
    }
}

impl Uses {
    pub fn run(self) -> Result<(), Failure> {
        let found = self.database.reader()?.read(|tx| {
            let member = member(tx, &self.vendor)?;
            uses(tx, &member, self.limit)
        })?;
        if found.is_empty() {
            return say("the mall has heard of nothing yet");
        }
        for one in found {
            let scale = match one.token.as_str() {
                "closed" => TOKEN_SCALE,
                _ => CURRENCY_SCALE,
            };
            let reason = match one.reason.as_str() {
                "" => String::new(),
                reason => format!("; {reason}"),
            };
            say(&format!(
                "{} {:<22} {} {}, royalty {}{reason}",
                one.at,
                one.what,
                one.tokens.decimal(scale),
                one.token,
                one.royalty.decimal(CURRENCY_SCALE)
            ))?;
        }
        Ok(())
    }
}
