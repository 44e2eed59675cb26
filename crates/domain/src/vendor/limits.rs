//! What every purchase needs of a vendor's settings: it stands in the vendor's own row (REG-06,
//! REG-09, SHP-19).

use super::{Minimums, Result, Vendor, VendorError, store};
use crate::Actor;
use crate::audit;
use scrip_engine::{Read, Tx};
use scrip_ledger::{Amount, Error as LedgerError};
use serde_json::{Map, Value, json};

/// The settings of the vendor's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tokens that a customer must acquire before the account is active (MT).
    pub minimum_tokens: Amount,
    /// The same for countries that have their own (TOK-01).
    pub minimums: Minimums,
    /// Declined cards in a row that end a payment session.
    pub declines_allowed: i64,
    /// How long tokens stay usable that a refund gives back after they had expired.
    pub refund_grace_s: i64,
}

impl Limits {
    /// Those that a vendor was read with.
    pub fn of(vendor: &Vendor) -> Limits {
        Limits {
            minimum_tokens: vendor.minimum_tokens,
            minimums: vendor.minimums.clone(),
            declines_allowed: vendor.declines_allowed,
            refund_grace_s: vendor.refund_grace_s,
        }
    }
}

/// Declined cards at most, and ten years of grace.
const DECLINES_AT_MOST: i64 = 100;
const GRACE_AT_MOST_S: i64 = 10 * 365 * 24 * 3600;

/// Refuses what cannot be.
pub fn limits_check(new: &Limits) -> Result<()> {
    if new.minimum_tokens < Amount::ZERO {
        return Err(LedgerError::NotPositive.into());
    }
    if new.minimum_tokens > super::TOKENS_AT_MOST {
        return Err(LedgerError::Overflow.into());
    }
    if new.declines_allowed < 1 {
        return Err(VendorError::DeclinesNotPositive);
    }
    if new.declines_allowed > DECLINES_AT_MOST {
        return Err(VendorError::DeclinesTooMany(DECLINES_AT_MOST));
    }
    if !(0..=GRACE_AT_MOST_S).contains(&new.refund_grace_s) {
        return Err(VendorError::GraceInvalid);
    }
    Ok(())
}

/// Sets them. `began` is what the change began with: of two who change it at once, the second one
/// is told. Where the minimum is lowered, accounts that have enough become active by and by:
/// `customer::activation_sweep` looks for them.
pub fn limits_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    began: &Limits,
    new: &Limits,
) -> Result<()> {
    limits_check(new)?;
    let book = vendor.book_id;
    let held = store::limits_locked(tx, book)?;
    if held != *began {
        return Err(VendorError::Stale);
    }
    if held == *new {
        return Ok(());
    }
    store::set_limits(tx, book, new)?;
    let of_country = &new.minimums;
    let is_lower = of_country.is_lower(new.minimum_tokens, &held.minimums, held.minimum_tokens);
    if new.minimum_tokens < held.minimum_tokens || is_lower {
        store::begin_sweep(tx, book)?;
    }
    let scale = vendor.token.scale;
    let mut detail = Map::new();
    let mut changed = |name: &str, from: Value, to: Value| {
        if from != to {
            detail.insert(name.to_owned(), json!({"from": from, "to": to}));
        }
    };
    changed(
        "minimum_tokens",
        json!(held.minimum_tokens.decimal(scale)),
        json!(new.minimum_tokens.decimal(scale)),
    );
    changed(
        "minimums",
        json!(held.minimums.to_string()),
        json!(new.minimums.to_string()),
    );
    changed(
        "declines_allowed",
        json!(held.declines_allowed),
        json!(new.declines_allowed),
    );
    changed(
        "refund_grace_s",
        json!(held.refund_grace_s),
        json!(new.refund_grace_s),
    );
    let detail = Value::Object(detail);
    audit::note(tx, book, actor, "vendor.limits_set", "", &detail)?;
    Ok(())
}

/// True while accounts are still being looked at after the minimum was lowered.
pub fn is_sweeping(tx: &mut dyn Read, book_id: i64) -> Result<bool> {
    Ok(store::sweep(tx, book_id)?.is_some())
}
