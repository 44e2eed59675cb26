//! Opening tokens: a new account is given some, free or against a fee, and is then active whatever
//! the minimum is (REG-08).

mod store;

use super::{Customer, CustomerError, Result, State, activate};
use crate::actor::Actor;
use crate::id::TokenOrderId;
use crate::policy::RegistrationPolicy;
use crate::vendor::{Vendor, issue_take};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, Leg, NewGrant, Origin, Posting, entry_post, grant_open};

/// Tokens that an account is opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// How many, in the token's smallest unit.
    pub tokens: Amount,
    /// What they cost, in the currency's smallest unit; zero when they are free.
    pub fee: Amount,
}

impl Opening {
    /// What the policy gives to new accounts.
    pub(super) fn of(policy: &RegistrationPolicy) -> Option<Opening> {
        policy.opening_tokens.is_positive().then_some(Opening {
            tokens: policy.opening_tokens,
            fee: policy.opening_fee,
        })
    }
}

/// Opens a new account with tokens: free ones at once; others when their fee was paid. True when
/// the account is active now.
pub(super) fn open_with(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    opening: Opening,
) -> Result<bool> {
    if opening.fee.is_positive() {
        store::insert(tx, customer, opening, "due")?;
        return Ok(false);
    }
    issue_take(tx, vendor.book_id, opening.tokens)?;
    let now = tx.now();
    let new = NewGrant {
        asset_id: vendor.token.asset_id,
        origin: Origin::Free,
        restriction: None,
        expires_at: Timestamp::NEVER,
        quantity: opening.tokens,
        paid: Amount::ZERO,
        paid_asset_id: None,
        granted_at: now,
    };
    let grant = grant_open(tx, vendor.book_id, &new)?;
    let posting = Posting {
        book_id: vendor.book_id,
        event_id: tx.new_id()?,
        code: "opening",
        actor: &actor.to_string(),
        reference: &customer.number.to_string(),
        effective_at: now,
        legs: &[Leg {
            debit: vendor.accounts.issued,
            credit: customer.wallet,
            amount: opening.tokens,
            grant: Some(grant),
        }],
    };
    entry_post(tx, &posting)?;
    store::insert(tx, customer, opening, "given")?;
    activate(tx, customer)
}

/// The tokens with which an account is still to be opened, and what they cost. An account that
/// became active in another way owes no fee.
pub fn opening_due(tx: &mut dyn Read, customer: &Customer) -> Result<Option<Opening>> {
    if customer.state != State::Inactive {
        return Ok(None);
    }
    Ok(store::due(tx, customer)?)
}

/// Notes the token order that buys the opening tokens.
pub fn opening_begun(tx: &mut Tx<'_>, customer: &Customer, order: TokenOrderId) -> Result<()> {
    Ok(store::set_order(tx, customer, order)?)
}

/// Activates the account whose opening tokens this order bought: the fee is paid and the tokens
/// are in the account. True when the account became active by it.
pub fn opening_given(tx: &mut Tx<'_>, customer: &Customer, order: TokenOrderId) -> Result<bool> {
    if !store::give(tx, customer, order)? {
        return Ok(false);
    }
    match customer.state {
        State::Inactive => activate(tx, customer),
        State::Active => Ok(false),
        State::Closed => Err(CustomerError::Closed(customer.number)),
    }
}
