//! Invoices and their payment, how members settle, disputes and adjustments.

use super::{Database, US, member, say, slugs};
use crate::cli::api_key::time;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use scrip_domain::Amount;
use scrip_domain::mall::{
    Dispute as DisputeData, Invoice, MallError, Party, Ruling, Settles, adjustment_make,
    clearing_pay, dispute_close, disputes, invoices, mall_by_slug, settling_set, transfers,
};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::CURRENCY_SCALE;
use scrip_ledger::export::csv_field;

#[derive(Debug, Args)]
pub struct Invoices {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// Those alone for which money is to flow yet
    #[arg(long)]
    open: bool,
    /// How many, newest first
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
}

#[derive(Debug, Args)]
pub struct Pay {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// The number of the clearing
    clearing: i64,
    /// What the bank's statement says of it
    #[arg(long, default_value = "")]
    reference: String,
}

#[derive(Debug, Args)]
pub struct Settling {
    #[command(flatten)]
    database: Database,
    /// The member's short name
    #[arg(long)]
    vendor: String,
    /// invoice: with the clearing; deposit: at once, from its deposit, and refused where that does
    /// not cover it; transfer: at once, whole cents from bank to bank
    #[arg(value_parser = Settles::parse)]
    settles: Settles,
}

#[derive(Debug, Args)]
pub struct Transfers {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// From when on, as 2026-11-01T00:00:00Z
    #[arg(long, value_parser = time)]
    from: Timestamp,
    /// Until when, the moment itself left out; now unless given
    #[arg(long, value_parser = time)]
    to: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
pub enum Dispute {
    /// List the disputes of a mall, newest first
    List(Disputes),
    /// Answer a dispute: the line stays, or money passes back
    Close(Close),
}

#[derive(Debug, Args)]
pub struct Disputes {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// How many
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
}

#[derive(Debug, Args)]
pub struct Close {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// The number of the dispute
    dispute: i64,
    /// What the member is told
    #[arg(long)]
    answer: String,
    /// So much passes back to the member, in the mall's currency
    #[arg(long, required_unless_present = "reject")]
    adjust: Option<String>,
    /// The line stays as it is
    #[arg(long, conflicts_with = "adjust")]
    reject: bool,
}

#[derive(Debug, Args)]
pub struct Adjust {
    #[command(flatten)]
    database: Database,
    /// The mall's short name
    #[arg(long)]
    mall: String,
    /// Who pays: a member's short name; the mall unless given
    #[arg(long)]
    from: Option<String>,
    /// Who is paid: a member's short name; the mall unless given
    #[arg(long)]
    to: Option<String>,
    /// How much, in the mall's currency
    amount: String,
    /// Why
    #[arg(long)]
    reason: String,
}

fn money(amount: Amount) -> String {
    amount.decimal(CURRENCY_SCALE)
}

fn invoice_line(name: &str, invoice: &Invoice) -> Result<String, MallError> {
    let word = match invoice.position.paid < Amount::ZERO {
        true => "is paid",
        false => "pays",
    };
    let paid = match &invoice.payment {
        Some(payment) => format!("paid {} {}", payment.at, payment.reference),
        None if invoice.is_open() => "open".to_owned(),
        None => "nothing to pay".to_owned(),
    };
    Ok(format!(
        "{:>6} {} {name:<20} {word} {}; carried {}; {}",
        invoice.number,
        invoice.closed_at,
        money(invoice.position.due()?),
        money(invoice.position.carried),
        paid.trim_end()
    ))
}

impl Invoices {
    pub fn run(self) -> Result<(), Failure> {
        let (slug, limit) = (self.mall, self.limit);
        let (names, found) = self.database.reader()?.read(|tx| {
            let mall = mall_by_slug(tx, &slug)?;
            let names = slugs(tx, &mall)?;
            Ok::<_, MallError>((names, invoices(tx, &mall, None, limit)?))
        })?;
        let shown = found.iter().filter(|i| !self.open || i.is_open());
        let mut none = true;
        for invoice in shown {
            none = false;
            let name = names.get(&invoice.member).map_or("?", String::as_str);
            say(&invoice_line(name, invoice)?)?;
        }
        match none {
            true => say("no invoices: `scrip mall clear` makes them"),
            false => Ok(()),
        }
    }
}

impl Pay {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (name, paid) = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            let member = member(tx, &self.vendor)?;
            let of = (self.clearing, self.reference.as_str());
            let paid = clearing_pay(tx, US, &mall, &member, of)?;
            Ok::<_, MallError>((member.slug, paid))
        })?;
        say(&invoice_line(&name, &paid)?)
    }
}

impl Settling {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let (slug, settles) = (self.vendor, self.settles);
        let name = node.engine.write(move |tx| {
            let member = member(tx, &slug)?;
            settling_set(tx, US, &member, settles)?;
            Ok::<_, MallError>(member.name)
        })?;
        say(&match settles {
            Settles::Invoice => format!("{name} settles with each clearing"),
            Settles::Deposit => {
                format!("{name} settles at once, from its deposit: `scrip mall deposit` adds to it")
            }
            Settles::Transfer => format!(
                "{name} settles at once: `scrip mall transfers` lists what its bank is to transfer"
            ),
        })
    }
}

impl Transfers {
    pub fn run(self) -> Result<(), Failure> {
        let (slug, from, to) = (self.mall, self.from, self.to);
        let (names, found) = self.database.reader()?.read(|tx| {
            let mall = mall_by_slug(tx, &slug)?;
            let names = slugs(tx, &mall)?;
            let to = to.unwrap_or(tx.now());
            Ok::<_, MallError>((names, transfers(tx, &mall, from, to)?))
        })?;
        say("event,time,payer,amount")?;
        let mut sum = Amount::ZERO;
        for line in &found {
            sum = sum.plus(line.money.drawn)?;
            let fields = [
                line.event_id.to_string(),
                line.at.to_string(),
                names.get(&line.debtor).cloned().unwrap_or_default(),
                money(line.money.drawn),
            ];
            let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
            say(&fields.join(","))?;
        }
        say(&format!("total,,,{}", money(sum)))?;
        say(&format!("lines,{}", found.len()))
    }
}

impl Dispute {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Dispute::List(command) => command.run(),
            Dispute::Close(command) => command.run(),
        }
    }
}

fn dispute_line(name: &str, dispute: &DisputeData) -> String {
    let answer = match dispute.answer.as_str() {
        "" => String::new(),
        answer => format!("; answer: {answer}"),
    };
    format!(
        "{:>6} {} {name:<20} {} line {}: {}{answer}",
        dispute.number,
        dispute.opened_at,
        dispute.state.name(),
        dispute.event_id,
        dispute.reason
    )
}

impl Disputes {
    fn run(self) -> Result<(), Failure> {
        let (slug, limit) = (self.mall, self.limit);
        let (names, found) = self.database.reader()?.read(|tx| {
            let mall = mall_by_slug(tx, &slug)?;
            let names = slugs(tx, &mall)?;
            Ok::<_, MallError>((names, disputes(tx, mall.book_id, None, limit)?))
        })?;
        if found.is_empty() {
            return say("no disputes");
        }
        for dispute in &found {
            let name = names.get(&dispute.member).map_or("?", String::as_str);
            say(&dispute_line(name, dispute))?;
        }
        Ok(())
    }
}

impl Close {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let ruling = match &self.adjust {
            Some(amount) => Ruling::Adjust(Amount::parse(amount, CURRENCY_SCALE)?),
            None => Ruling::Reject,
        };
        let closed = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            let with = (ruling, self.answer.as_str());
            dispute_close(tx, US, &mall, self.dispute, with)
        })?;
        say(&format!(
            "dispute {} is {}",
            closed.number,
            closed.state.name()
        ))
    }
}

impl Adjust {
    pub fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let amount = Amount::parse(&self.amount, CURRENCY_SCALE)?;
        let line = node.engine.write(move |tx| {
            let mall = mall_by_slug(tx, &self.mall)?;
            let named = |tx: &mut Tx<'_>, slug: Option<&String>| {
                slug.map(|slug| member(tx, slug)).transpose()
            };
            let (from, to) = (named(tx, self.from.as_ref())?, named(tx, self.to.as_ref())?);
            let sides = (
                from.as_ref().map_or(Party::Mall, Party::Member),
                to.as_ref().map_or(Party::Mall, Party::Member),
            );
            adjustment_make(tx, US, &mall, sides, (amount, &self.reason))
        })?;
        say(&format!(
            "adjusted by {}: event {}",
            money(amount),
            line.event_id
        ))
    }
}
