//! What the mall hears of its members, once for each message (MSP-02 to MSP-06, MSP-09, MSP-10,
//! GOV-14, GOV-15): every use with its royalty, records of customers and of what they hold, tolls.
//!
//! A member's messages are rows of its outbox, written with the change. The same hand-over that turns
//! them into mails and calls tells the mall, in one transaction with their removal: while the mall is
//! away they wait, and each has one effect. This is where the line between a vendor and its mall
//! stands; nothing on it is needed for a sale.

mod store;

use crate::checkout::open_order;
use crate::customer::{Customer, State, customer_by_id};
use crate::id::{CustomerId, OrderId};
use crate::mall::{
    LineKind, Mall, MallError, Member, MemberState, Toll, deposit_take, mall_by_book, member_of,
    share, terms_at, toll_price, value_at,
};
use crate::text::named;
use crate::vendor::{Vendor, vendor_by_book, vendor_by_slug};
use scrip_engine::outbox::Message;
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use scrip_ledger::{Amount, Rounding, TOKEN_SCALE, lots_locked};
use serde_json::Value;
use std::collections::BTreeSet;

pub use store::{mirror_of, uses};

named! {
    /// What of a member's records the mall mirrors (MSP-04).
    Mirrors, "what the mall mirrors" {
        /// Customers and what they hold.
        All = "all",
        /// What customers hold, without their data.
        Tokens = "tokens",
        /// Nothing.
        Nothing = "none",
    }
}

/// A use of tokens at a member, or an issue, as the mall heard of it (MSP-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The number of the member's message.
    pub source: i64,
    /// What happened: `order.completed`, `token_order.cleared` …
    pub what: String,
    /// To what: an id.
    pub subject: String,
    /// The type of token: `closed`, or kinds of open ones.
    pub token: String,
    /// How many; of open ones what they paid, in the mall's currency.
    pub tokens: Amount,
    /// What the mall took.
    pub royalty: Amount,
    /// Why it was refused; empty otherwise.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What the mall mirrors of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// Where the account stands.
    pub state: String,
    /// The personal data as the member keeps it: sealed with a key that stays there (MSP-02).
    pub person: Option<Vec<u8>>,
    /// What the customer holds of the member's own tokens (MSP-03).
    pub balance: Amount,
    /// When the mall heard of it last.
    pub heard_at: Timestamp,
}

type Result<T> = std::result::Result<T, MallError>;

/// Says what of a member's records the mall mirrors from now on. What is not mirrored any more is
/// forgotten.
pub fn mirrors_set(tx: &mut Tx<'_>, member: &Member, mirrors: Mirrors) -> Result<()> {
    store::set_mirrors(tx, member, mirrors)
}

/// Tells the mall of messages of one member. Doing it again changes nothing.
pub fn mall_hears(tx: &mut Tx<'_>, messages: &[Message]) -> Result<()> {
    let Some(first) = messages.first() else {
        return Ok(());
    };
    let Some(member) = member_of(tx, first.book_id)? else {
        return Ok(());
    };
    if member.state == MemberState::Left {
        return Ok(());
    }
    let mall = mall_by_book(tx, member.mall_book)?;
    let vendor = vendor_by_book(tx, member.book_id).map_err(MallError::Vendor)?;
    let mirrors = store::mirrors(tx, member.book_id)?;
    let mut touched: BTreeSet<CustomerId> = BTreeSet::new();
    for message in messages {
        let details: Value = serde_json::from_str(&message.payload).unwrap_or_default();
        if let Some(mut one) = used(message, &details)
            && store::insert_use(tx, &member, &one)?
        {
            one.royalty = take(tx, (&mall, &member, &vendor), message, &details)?;
            if one.royalty.is_positive() {
                store::set_royalty(tx, &member, &one)?;
            }
        }
        touched.extend(customer_of(message, &details));
    }
    if mirrors != Mirrors::Nothing {
        for customer in touched {
            mirror(tx, &member, mirrors, customer)?;
        }
    }
    Ok(())
}

/// The row that a message makes; `None` for what is no use and no issue.
fn used(message: &Message, details: &Value) -> Option<Use> {
    let (token, scale) = match message.topic.as_str() {
        "order.completed"
        | "order.refused"
        | "order.refunded"
        | "token_order.cleared"
        | "tokens.given"
        | "exchange.done"
        | "customer.registered" => ("closed", TOKEN_SCALE),
        "open_token.issued" | "open_order.completed" | "customer.known_at" => {
            ("open", scrip_ledger::CURRENCY_SCALE)
        }
        _ => return None,
    };
    let amount = ["tokens", "price"].iter().find_map(|name| {
        let text = details.get(name)?.as_str()?;
        Amount::parse(text, scale).ok()
    });
    Some(Use {
        source: message.outbox_id,
        what: message.topic.clone(),
        subject: message.subject.clone(),
        token: token.to_owned(),
        tokens: amount.unwrap_or_default(),
        royalty: Amount::ZERO,
        reason: details["reason"].as_str().unwrap_or_default().to_owned(),
        at: message.created_at,
    })
}

/// Takes what the mall is owed for it: the royalty of a sale for the member's own tokens, based on RT
/// (MSP-06), and tolls. Returns the royalty.
fn take(
    tx: &mut Tx<'_>,
    (mall, member, vendor): (&Mall, &Member, &Vendor),
    message: &Message,
    details: &Value,
) -> Result<Amount> {
    match message.topic.as_str() {
        "order.completed" => royalty(tx, (mall, member, vendor), message, details),
        "open_order.completed" => {
            tolls(tx, mall, message, details)?;
            Ok(Amount::ZERO)
        }
        "customer.known_at" => {
            let seller = details["at"].as_str().unwrap_or_default();
            toll(tx, mall, seller, Toll::Customer)?;
            Ok(Amount::ZERO)
        }
        _ => Ok(Amount::ZERO),
    }
}

fn royalty(
    tx: &mut Tx<'_>,
    (mall, member, vendor): (&Mall, &Member, &Vendor),
    message: &Message,
    details: &Value,
) -> Result<Amount> {
    let Ok(order) = message.subject.parse::<OrderId>() else {
        return Ok(Amount::ZERO);
    };
    let ppm = terms_at(tx, member, message.created_at)?.royalty_ppm;
    // What open tokens paid was settled with its royalty; a card is none of the mall's business.
    let is_card = details["paid_by"] == "card";
    if ppm == 0 || is_card || is_open(tx, member, order)? {
        return Ok(Amount::ZERO);
    }
    let tokens = details["tokens"].as_str().unwrap_or("0");
    let tokens = Amount::parse(tokens, TOKEN_SCALE)?;
    let value = value_at(tx, member, message.created_at)?.unwrap_or_default();
    let whole = 10_i64.checked_pow(TOKEN_SCALE);
    let whole = whole.ok_or(scrip_ledger::Error::Overflow)?;
    let worth = tokens.ratio(value.units(), whole, Rounding::Down)?;
    let amount = share(worth, ppm)?;
    let event = (LineKind::Royalty, order.0);
    deposit_take(tx, (mall, member, vendor), event, amount)?;
    Ok(amount)
}

fn is_open(tx: &mut Tx<'_>, member: &Member, order: OrderId) -> Result<bool> {
    match open_order(tx, member.book_id, order) {
        Ok(found) => Ok(found.is_some()),
        Err(e) => Err(EngineError::Corrupt(e.to_string()).into()),
    }
}

/// The tolls of an order that open tokens paid: the seller's for the authorisation, each debtor's for
/// its reimbursement.
fn tolls(tx: &mut Tx<'_>, mall: &Mall, message: &Message, details: &Value) -> Result<()> {
    let seller = details["seller"].as_str().unwrap_or_default().to_owned();
    toll(tx, mall, &seller, Toll::Information)?;
    let Ok(order) = message.subject.parse::<OrderId>() else {
        return Ok(());
    };
    let book = vendor_by_slug(tx, &seller)
        .map_err(MallError::Vendor)?
        .book_id;
    let found = open_order(tx, book, order);
    let found = found.map_err(|e| EngineError::Corrupt(e.to_string()))?;
    let parts = found.map(|(_, parts)| parts).unwrap_or_default();
    let passed = parts.iter().filter(|part| part.debtor != book);
    for part in passed.filter(|part| part.reversed_by.is_none()) {
        let debtor = vendor_by_book(tx, part.debtor).map_err(MallError::Vendor)?;
        toll(tx, mall, &debtor.slug, Toll::Reimbursement)?;
    }
    Ok(())
}

fn toll(tx: &mut Tx<'_>, mall: &Mall, payer: &str, toll: Toll) -> Result<()> {
    let price = toll_price(tx, mall, toll)?;
    if !price.is_positive() {
        return Ok(());
    }
    let vendor = vendor_by_slug(tx, payer).map_err(MallError::Vendor)?;
    let Some(member) = member_of(tx, vendor.book_id)? else {
        return Ok(());
    };
    let event = (LineKind::Toll, tx.new_id()?);
    deposit_take(tx, (mall, &member, &vendor), event, price)?;
    Ok(())
}

/// The customer whom a message is about.
fn customer_of(message: &Message, details: &Value) -> Option<CustomerId> {
    let named = details.get("customer_id").and_then(Value::as_str);
    named.unwrap_or(&message.subject).parse().ok()
}

/// Writes what the member keeps of a customer now: the newest state, whatever the message said.
fn mirror(tx: &mut Tx<'_>, member: &Member, mirrors: Mirrors, id: CustomerId) -> Result<()> {
    let Ok(customer) = customer_by_id(tx, member.book_id, id) else {
        return Ok(());
    };
    let Customer { wallet, state, .. } = customer;
    let lots = lots_locked(tx, member.book_id, wallet)?;
    let person = match mirrors {
        Mirrors::All => store::sealed_person(tx, member.book_id, id)?,
        Mirrors::Tokens | Mirrors::Nothing => None,
    };
    let mirrored = Mirrored {
        state: match state {
            State::Inactive => "inactive",
            State::Active => "active",
            State::Closed => "closed",
        }
        .to_owned(),
        person,
        balance: Amount::sum(lots.iter().map(|lot| lot.remaining))?,
        heard_at: tx.now(),
    };
    store::put_mirror(tx, member, id, &mirrored)
}
