//! What the vendor thinks of a customer: preferred or not, good for credit or not, and where the
//! customer lives (REG-04, TOK-01, TOK-04, TOK-12). Prices and credit go by it.

mod store;

use super::{Customer, CustomerError, Result};
use crate::actor::Actor;
use crate::audit;
use crate::id::{ApiKeyId, CustomerId};
use crate::text::{TextError, named};
use crate::vendor::vendor_by_book;
use scrip_engine::{Read, Timestamp, Tx};
use serde_json::json;

named! {
    /// Whether a customer is trusted with credit (TOK-12).
    CreditStatus, "the credit status" {
        /// Pays.
        Good = "good",
        /// Is looked at before credit is given.
        Watch = "watch",
        /// Gets no credit.
        Poor = "poor",
    }
}

/// Who opened an account (REG-01). The account belongs to the business whose book it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The business itself: its pages, its staff, its command line.
    Vendor,
    /// An affiliate with a key of its own.
    Affiliate(ApiKeyId),
}

/// What the vendor thinks of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// True for those with better prices (TOK-04).
    pub preferred: bool,
    /// Whether credit is given (TOK-12).
    pub credit_status: CreditStatus,
    /// ISO 3166-1, two capital letters; empty when not known (TOK-01).
    pub country: String,
}

/// What else became of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Who opened it.
    pub opener: Opener,
    /// The account that it was merged into.
    pub merged_into: Option<CustomerId>,
    /// When its person was erased.
    pub erased_at: Option<Timestamp>,
}

/// What the vendor thinks of a customer now.
pub fn standing(tx: &mut dyn Read, customer: &Customer) -> Result<Standing> {
    let found = store::standing(tx, customer.book_id, customer.customer_id)?;
    found.ok_or_else(|| CustomerError::Unknown(customer.number.to_string()))
}

/// What else became of an account.
pub fn fate(tx: &mut dyn Read, customer: &Customer) -> Result<Fate> {
    let found = store::fate(tx, customer.book_id, customer.customer_id)?;
    found.ok_or_else(|| CustomerError::Unknown(customer.number.to_string()))
}

/// Sets what the vendor thinks of a customer. For the vendor.
pub fn standing_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    new: &Standing,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden);
    }
    let new = Standing {
        country: country(&new.country)?,
        ..new.clone()
    };
    let old = standing(tx, customer)?;
    if old == new {
        return Ok(());
    }
    store::set_standing(tx, customer.book_id, customer.customer_id, &new)?;
    let told = |s: &Standing| {
        json!({
            "preferred": s.preferred,
            "credit_status": s.credit_status.name(),
            "country": s.country,
        })
    };
    let detail = json!({"from": told(&old), "to": told(&new)});
    let subject = customer.customer_id.to_string();
    audit::note(
        tx,
        customer.book_id,
        actor,
        "customer.standing",
        &subject,
        &detail,
    )?;
    // Another country may have a lower minimum.
    let now = Customer {
        country: new.country,
        ..customer.clone()
    };
    let vendor = vendor_by_book(tx, customer.book_id)?;
    super::activate_if_due(tx, &vendor, &now)?;
    Ok(())
}

/// A country as it is kept: two letters as in ISO 3166-1, or none.
pub(super) fn country(typed: &str) -> Result<String> {
    let country = typed.trim().to_ascii_uppercase();
    let two = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    if country.is_empty() || two {
        return Ok(country);
    }
    Err(TextError::NotKnown {
        field: "the country",
        text: country.chars().take(60).collect(),
        known: "the two letters of ISO 3166, as GB or DE".to_owned(),
    }
    .into())
}

impl Opener {
    /// Who an actor is when it opens accounts.
    pub fn of(actor: Actor) -> Opener {
        match actor {
            Actor::Key(id) => Opener::Affiliate(id),
            Actor::Customer(_) | Actor::Staff(_) | Actor::System => Opener::Vendor,
        }
    }

    /// As it is kept: the id of the key, or nothing for the vendor itself.
    pub(super) fn kept(self) -> String {
        match self {
            Opener::Vendor => String::new(),
            Opener::Affiliate(key) => key.to_string(),
        }
    }
}
