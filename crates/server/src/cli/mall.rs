//! `scrip mall`: the operator of the node acts for the mall.

mod clear;
mod group;
mod money;
mod settle;
mod show;
mod statement;

use super::{open::Database, say};
use crate::failure::Failure;
use clap::{Args, Subcommand, ValueEnum};
use clear::{Clear, Interval};
use group::{Franchise, Group, Rules};
use money::{Deposit, Mirror, Royalty, Toll, Uses};
use scrip_domain::mall::{
    Mall as MallData, MallError, Member, MemberState, acceptance_set, mall_by_slug, mall_create,
    malls, member_bar_set, member_join, member_quota_sell, member_quota_set, member_state_set,
    members, membership, office_set, terms_at, terms_set, value_set,
};
use scrip_domain::vendor::vendor_by_slug;
use scrip_domain::{Actor, Amount};
use scrip_engine::Read;
use scrip_ledger::TOKEN_SCALE;
use settle::{Adjust, Dispute, Invoices, Pay, Settling, Transfers};
use show::{Show, in_words};
use statement::Statement;
use std::collections::BTreeMap;

#[derive(Debug, Subcommand)]
pub enum Mall {
    /// Create a mall: the clearing house between vendors
    Create(Create),
    /// List the malls of this node
    List(List),
    /// Take a vendor into a mall; its token is worth what it sells it for until told otherwise
    Join(Join),
    /// Say what one token of a member is worth from now on
    Value(Value),
    /// Say what was agreed with a member from now on; what is left out stays as it was
    Terms(AgreedTerms),
    /// Let a member take another one's tokens, or no longer
    Accept(Accept),
    /// Suspend a member, take it back, let it go
    Standing(Standing),
    /// Keep a member's tokens at home, or let them go again
    Bar(Bar),
    /// Show members, what their tokens are worth, and what each owes or is owed
    Show(Show),
    /// Groups of members that take each other's group tokens
    #[command(subcommand)]
    Group(Group),
    /// Take a member into the franchise of another one, or let it leave
    Franchise(Franchise),
    /// Say which tokens may be put together, and whether given ones may leave their vendor
    Rules(Rules),
    /// Note money that a member paid into its deposit
    Deposit(Deposit),
    /// Say how the royalty on sales for a member's own tokens is taken
    Royalty(Royalty),
    /// Say what each event costs that the mall takes a toll for
    Toll(Toll),
    /// Say what of a member's records the mall mirrors
    Mirror(Mirror),
    /// What the mall heard of a member: issues, sales, refusals, with their royalty
    Uses(Uses),
    /// Say how many tokens a member may issue in all
    Quota(Quota),
    /// Clear all that happened since the last clearing: one amount for each member
    Clear(Clear),
    /// Say whose owners and managers run a mall on pages
    Office(Office),
    /// The invoices of clearings: what each member pays or is paid, and whether it was paid
    Invoices(Invoices),
    /// Note that what a clearing came to was paid
    Pay(Pay),
    /// Say how a member settles what it owes for its tokens that pay elsewhere
    Settling(Settling),
    /// What members are to transfer to the mall at once, as CSV
    Transfers(Transfers),
    /// Disputes of members about lines of their statements
    #[command(subcommand)]
    Dispute(Dispute),
    /// Move money between two members, or between a member and the mall, by a decision
    Adjust(Adjust),
    /// Let a running node clear by itself after each day, week or month
    Interval(Interval),
    /// Every event between a member and the others in a span of time, as CSV
    Statement(Statement),
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
    /// The currency in which it settles, ISO 4217
    #[arg(long, default_value = "USD")]
    currency: String,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub struct Join {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
}

#[derive(Debug, Args)]
pub struct Value {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// What one token is worth, in the mall's currency
    value: String,
}

#[derive(Debug, Args)]
pub struct AgreedTerms {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// What each exchange costs its customers, in the mall's currency
    #[arg(long)]
    charge: Option<String>,
    /// What an exchange costs them of what is exchanged, in percent
    #[arg(long)]
    charge_percent: Option<String>,
    /// What the member keeps of what its open tokens pay elsewhere, in percent
    #[arg(long)]
    service: Option<String>,
    /// What the mall keeps of what the member sells, in percent
    #[arg(long)]
    royalty: Option<String>,
    /// What the member keeps of what its gift certificates pay elsewhere, in percent
    #[arg(long)]
    commission: Option<String>,
}

#[derive(Debug, Args)]
pub struct Accept {
    #[command(flatten)]
    database: Database,
    /// The member that takes them
    #[arg(long)]
    vendor: String,
    /// Whose tokens
    #[arg(long)]
    issuer: String,
    /// Take them no longer
    #[arg(long)]
    stop: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StandingName {
    /// Its tokens pass
    Active,
    /// Cut off until it is back
    Suspended,
    /// Gone; joining takes it back
    Left,
}

#[derive(Debug, Args)]
pub struct Standing {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// Where it stands from now on
    standing: StandingName,
}

#[derive(Debug, Args)]
pub struct Bar {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// Let them go again
    #[arg(long)]
    lift: bool,
}

#[derive(Debug, Args)]
pub struct Quota {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// Tokens that it may issue in all, counted from its first quota on
    #[arg(required_unless_present = "none")]
    tokens: Option<String>,
    /// Without a limit
    #[arg(long, conflicts_with = "tokens")]
    none: bool,
    /// Sell so many more, at this rate for each in the mall's currency
    #[arg(long, conflicts_with = "none")]
    rate: Option<String>,
}

#[derive(Debug, Args)]
pub struct Office {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// The vendor's short name: a member or not
    #[arg(required_unless_present = "none")]
    vendor: Option<String>,
    /// Nobody's: the command line alone
    #[arg(long, conflicts_with = "vendor")]
    none: bool,
}

impl Mall {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Mall::Create(command) => command.run(),
            Mall::List(command) => command.run(),
            Mall::Join(command) => command.run(),
            Mall::Value(command) => command.run(),
            Mall::Terms(command) => command.run(),
            Mall::Accept(command) => command.run(),
            Mall::Standing(command) => command.run(),
            Mall::Bar(command) => command.run(),
            Mall::Show(command) => command.run(),
            Mall::Group(command) => command.run(),
            Mall::Franchise(command) => command.run(),
            Mall::Rules(command) => command.run(),
            Mall::Deposit(command) => command.run(),
            Mall::Royalty(command) => command.run(),
            Mall::Toll(command) => command.run(),
            Mall::Mirror(command) => command.run(),
            Mall::Uses(command) => command.run(),
            Mall::Quota(command) => command.run(),
            Mall::Clear(command) => command.run(),
            Mall::Office(command) => command.run(),
            Mall::Invoices(command) => command.run(),
            Mall::Pay(command) => command.run(),
            Mall::Settling(command) => command.run(),
            Mall::Transfers(command) => command.run(),
            Mall::Dispute(command) => command.run(),
            Mall::Adjust(command) => command.run(),
            Mall::Interval(command) => command.run(),
            Mall::Statement(command) => command.run(),
        }
    }
}

/// The operator.
const US: Actor = Actor::System;

fn member(tx: &mut dyn Read, slug: &str) -> Result<Member, MallError> {
    let vendor = vendor_by_slug(tx, slug)?;
    membership(tx, &vendor)
}

/// The short names of members, by book.
fn slugs(tx: &mut dyn Read, mall: &MallData) -> Result<BTreeMap<i64, String>, MallError> {
    let all = members(tx, mall)?.into_iter();
    Ok(all.map(|m| (m.book_id, m.slug)).collect())
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, name, currency) = (self.slug, self.name, self.currency);
        let made = node
            .engine
            .write(move |tx| mall_create(tx, US, &slug, &name, &currency))?;
        say(&format!(
            "mall {} created: book {}, settles in {}; `scrip mall join` takes vendors in",
            made.slug, made.book_id, made.currency.code
        ))
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let all = self.database.reader()?.read(|tx| malls(tx))?;
        if all.is_empty() {
            return say("no malls yet: `scrip mall create` makes one");
        }
        for mall in all {
            let code = &mall.currency.code;
            say(&format!(
                "{:<20} book {:<4} {code} {}",
                mall.slug, mall.book_id, mall.name
            ))?;
        }
        Ok(())
    }
}

impl Join {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (mall, vendor) = (self.mall, self.vendor);
        let joined = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &mall)?;
            let vendor = vendor_by_slug(tx, &vendor)?;
            member_join(tx, US, &mall, &vendor)
        })?;
        say(&format!(
            "{} is a member; it takes nobody's tokens yet: `scrip mall accept` says whose",
            joined.name
        ))
    }
}

impl Value {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, text) = (self.vendor, self.value.clone());
        let set = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            let value = Amount::parse(&text, scrip_ledger::CURRENCY_SCALE)?;
            let now = tx.now();
            value_set(tx, US, &member, value, now)?;
            Ok::<_, MallError>(member)
        })?;
        say(&format!(
            "one token of {} is worth {} from now on",
            set.name, self.value
        ))
    }
}

impl AgreedTerms {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (member, terms) = node.engine.write(move |tx| {
            let member = member(tx, &self.vendor)?;
            let now = tx.now();
            let mut terms = terms_at(tx, &member, now)?;
            if let Some(flat) = &self.charge {
                terms.charge_flat = Amount::parse(flat, scrip_ledger::CURRENCY_SCALE)?;
            }
            for (percent, ppm) in [
                (&self.charge_percent, &mut terms.charge_ppm),
                (&self.service, &mut terms.service_ppm),
                (&self.royalty, &mut terms.royalty_ppm),
                (&self.commission, &mut terms.commission_ppm),
            ] {
                if let Some(percent) = percent {
                    // Four decimals of a percent are a millionth.
                    *ppm = Amount::parse(percent, 4)?.units();
                }
            }
            terms_set(tx, US, &member, &terms)?;
            Ok::<_, MallError>((member, terms))
        })?;
        let percent = |ppm| Amount::from_units(ppm).decimal(4);
        say(&format!(
            "{} from now on: an exchange costs {} and {} percent; it keeps {} percent of what its \
             open tokens pay elsewhere and {} percent of its gift certificates; the mall keeps {} \
             percent of its sales",
            member.name,
            terms.charge_flat.decimal(scrip_ledger::CURRENCY_SCALE),
            percent(terms.charge_ppm),
            percent(terms.service_ppm),
            percent(terms.commission_ppm),
            percent(terms.royalty_ppm)
        ))
    }
}

impl Accept {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, issuer, takes) = (self.vendor, self.issuer, !self.stop);
        let (acceptor, issuer) = node.engine.write(move |tx| {
            let acceptor = member(tx, &slug)?;
            let issuer = member(tx, &issuer)?;
            acceptance_set(tx, US, &acceptor, &issuer, takes)?;
            Ok::<_, MallError>((acceptor, issuer))
        })?;
        let word = if takes { "takes" } else { "takes no" };
        say(&format!(
            "{} {word} tokens of {}",
            acceptor.name, issuer.name
        ))
    }
}

impl Standing {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let to = match self.standing {
            StandingName::Active => MemberState::Active,
            StandingName::Suspended => MemberState::Suspended,
            StandingName::Left => MemberState::Left,
        };
        let slug = self.vendor;
        let set = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            member_state_set(tx, US, &member, to)
        })?;
        say(&format!("{} is {}", set.name, set.state))
    }
}

impl Bar {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, is_barred) = (self.vendor, !self.lift);
        let set = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            member_bar_set(tx, US, &member, is_barred)
        })?;
        let word = if set.is_barred {
            "stay at home"
        } else {
            "may leave it"
        };
        say(&format!("tokens of {} {word}", set.name))
    }
}

impl Quota {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let slug = self.vendor;
        let tokens = self.tokens.map(|text| Amount::parse(&text, TOKEN_SCALE));
        let tokens = tokens.transpose()?;
        if let (Some(tokens), Some(rate)) = (tokens, self.rate) {
            let rate = Amount::parse(&rate, scrip_ledger::CURRENCY_SCALE)?;
            let (name, quota, price) = node.engine.write(move |tx| {
                let member = member(tx, &slug)?;
                let (quota, price) = member_quota_sell(tx, US, &member, (tokens, rate))?;
                Ok::<_, MallError>((member.name, quota, price))
            })?;
            let price = price.decimal(scrip_ledger::CURRENCY_SCALE);
            return say(&format!(
                "{name} owes {price} for it, and {}",
                in_words(Some(&quota))?
            ));
        }
        let (name, quota) = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            let quota = member_quota_set(tx, US, &member, tokens)?;
            Ok::<_, MallError>((member.name, quota))
        })?;
        say(&format!("{name} {}", in_words(Some(&quota))?))
    }
}

impl Office {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, office) = (self.mall, self.vendor);
        let (mall, office) = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &slug)?;
            let office = office.as_deref().map(|slug| vendor_by_slug(tx, slug));
            let office = office.transpose()?;
            office_set(tx, US, &mall, office.as_ref())?;
            Ok::<_, MallError>((mall, office))
        })?;
        say(&match office {
            Some(office) => format!(
                "owners and managers of {} run {}: /shops/{}/staff/office/{}",
                office.name, mall.name, office.slug, mall.slug
            ),
            None => format!("{} is run by the command line alone", mall.name),
        })
    }
}
