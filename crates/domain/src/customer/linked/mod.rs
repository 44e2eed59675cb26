//! Accounts that one person holds at a vendor, so that the one that pays can be chosen before
//! goods are (TOK-15). `docs/decisions/0013-the-account-that-pays.md` says why it is so.
//!
//! Two accounts are linked by whoever is signed in to one and proves to be the other. A link lets
//! pay and buy tokens; PIN, personal data, cards and family stay with the account that one signed
//! in to. It ends with a new PIN of either, as sessions do. A child's account has none: its limits
//! would be worth nothing.

mod store;

use super::{Customer, CustomerError, Result, State, buyer, customer_by_id};
use crate::actor::Actor;
use crate::audit;
use crate::id::CustomerId;
use scrip_engine::{Error as EngineError, Read, Tx};
use serde_json::json;

/// Accounts that one account can be linked with.
pub const LINKS_AT_MOST: usize = 10;

/// Links two accounts. Whoever asks is signed in to the first and has proven to be the second.
/// Linking them again changes nothing.
pub fn account_link(tx: &mut Tx<'_>, actor: Actor, own: &Customer, other: &Customer) -> Result<()> {
    if !actor.may_act_for(own.customer_id) {
        return Err(CustomerError::Forbidden);
    }
    if own.customer_id == other.customer_id || own.book_id != other.book_id {
        return Err(CustomerError::LinkImpossible);
    }
    // Both rows are locked, in order: what makes a child's account locks them too.
    let mut both = [own.customer_id, other.customer_id];
    both.sort_unstable();
    for id in both {
        store::lock(tx, own.book_id, id)?;
    }
    for id in both {
        let found = buyer(tx, own.book_id, id)?;
        if found.customer.state == State::Closed {
            return Err(CustomerError::Closed(found.customer.number));
        }
        if found.has_parent {
            return Err(CustomerError::LinkImpossible);
        }
    }
    for one in [own, other] {
        let held = store::of(tx, one.book_id, one.customer_id)?;
        if held.iter().any(|id| both.contains(id)) {
            return Ok(());
        }
        if held.len() >= LINKS_AT_MOST {
            return Err(CustomerError::TooManyLinks);
        }
    }
    store::insert(tx, own.book_id, both, actor)?;
    noted(tx, actor, own, other.customer_id, "customer.linked")
}

/// Ends a link: by either of the two, or by staff. One that is not there has ended already.
pub fn account_unlink(
    tx: &mut Tx<'_>,
    actor: Actor,
    own: &Customer,
    other: CustomerId,
) -> Result<()> {
    if !actor.may_act_for(own.customer_id) {
        return Err(CustomerError::Forbidden);
    }
    let mut both = [own.customer_id, other];
    both.sort_unstable();
    if store::remove(tx, own.book_id, both)? {
        noted(tx, actor, own, other, "customer.unlinked")?;
    }
    Ok(())
}

fn noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    own: &Customer,
    other: CustomerId,
    action: &str,
) -> Result<()> {
    let (book, subject) = (own.book_id, own.customer_id.to_string());
    let detail = json!({"other": other});
    audit::note_always(tx, book, actor, action, &subject, &detail)?;
    Ok(())
}

/// The open accounts that one is linked with, by number.
pub fn linked_accounts(tx: &mut dyn Read, own: &Customer) -> Result<Vec<Customer>> {
    let found = store::of(tx, own.book_id, own.customer_id)?;
    let one = |id: CustomerId| customer_by_id(tx, own.book_id, id);
    let mut all: Vec<Customer> = found.into_iter().map(one).collect::<Result<_>>()?;
    all.retain(|customer| customer.state != State::Closed);
    all.sort_by_key(|customer| customer.number.serial());
    Ok(all)
}

/// Ends all links of an account: it has a new PIN, becomes a child's, or ends.
pub(crate) fn links_end(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: CustomerId,
) -> std::result::Result<(), EngineError> {
    store::remove_all(tx, book_id, id)
}
