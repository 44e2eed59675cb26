//! Two accounts of one person become one.

use super::{Result, close_empty, store};
use crate::actor::Actor;
use crate::audit;
use crate::customer::{
    Customer, CustomerError, State, activate_if_due, customer_by_id, merged_into,
};
use crate::id::CustomerId;
use crate::promotion::{PromotionError, uses_move};
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx, outbox};
use scrip_ledger::{Amount, Leg, Posting, entry_post, lots_locked};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a merge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Tokens that moved into the account that is kept.
    pub tokens: Amount,
    /// True when they made it active.
    pub activated: bool,
}

/// Merges a duplicate into the account that is kept, for the vendor's staff. Its tokens move with
/// their grants; it is closed and points to the other one, which its sign-in name and its
/// references lead to from now on. Orders and movements stay with the account that they were made
/// with, and are found through it.
pub fn customer_merge(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    duplicate: CustomerId,
    kept: CustomerId,
) -> Result<Merged> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden);
    }
    let book = vendor.book_id;
    let from = customer_by_id(tx, book, duplicate)?;
    let into = customer_by_id(tx, book, kept)?;
    if duplicate == kept {
        return Err(CustomerError::MergeWithItself);
    }
    // Always in the same order, so that two merges at once do not wait for each other.
    let mut wallets = [from.wallet, into.wallet];
    wallets.sort_unstable();
    for wallet in wallets {
        lots_locked(tx, book, wallet)?;
    }
    for customer in [&from, &into] {
        if customer_by_id(tx, book, customer.customer_id)?.state == State::Closed {
            return Err(CustomerError::Closed(customer.number));
        }
    }
    let lots = lots_locked(tx, book, from.wallet)?;
    let tokens = Amount::sum(lots.iter().map(|lot| lot.remaining))?;
    let legs: Vec<Leg> = lots
        .iter()
        .map(|lot| Leg {
            debit: from.wallet,
            credit: into.wallet,
            amount: lot.remaining,
            grant: Some(lot.grant.grant_id),
        })
        .collect();
    if !legs.is_empty() {
        let posting = Posting {
            book_id: book,
            event_id: tx.new_id()?,
            code: "merge",
            actor: &actor.to_string(),
            reference: &from.number.to_string(),
            effective_at: tx.now(),
            legs: &legs,
        };
        entry_post(tx, &posting)?;
    }
    let activated = settle(tx, vendor, &from, &into)?;
    close_empty(tx, actor, &from)?;
    merged_into(tx, &from, kept)?;
    uses_move(tx, book, duplicate, kept).map_err(|e| match e {
        PromotionError::Engine(e) => CustomerError::Engine(e),
        other => CustomerError::Engine(scrip_engine::Error::Corrupt(other.to_string())),
    })?;
    let subject = kept.to_string();
    let detail = json!({"duplicate": duplicate, "tokens": tokens.units()});
    audit::note(tx, book, actor, "customer.merged", &subject, &detail)?;
    outbox::add(tx, book, "customer.merged", &subject, "{}")?;
    Ok(Merged { tokens, activated })
}

/// One of the two was active: then both are now, because it is one person.
fn settle(tx: &mut Tx<'_>, vendor: &Vendor, from: &Customer, into: &Customer) -> Result<bool> {
    if from.state == State::Active && into.state == State::Inactive {
        return crate::customer::activate_now(tx, into);
    }
    activate_if_due(tx, vendor, into)
}

/// Accounts that were merged into this one, oldest first.
pub fn merged_accounts(tx: &mut dyn Read, customer: &Customer) -> Result<Vec<Customer>> {
    let found = store::merged_accounts(tx, customer.book_id, customer.customer_id)?;
    let one = |id: CustomerId| customer_by_id(tx, customer.book_id, id);
    found.into_iter().map(one).collect()
}
