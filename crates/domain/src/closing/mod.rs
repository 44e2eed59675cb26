//! The end of an account: closing it, erasing its person, merging a duplicate into another one
//! (REG-13).
//!
//! A closed account gets nothing any more and is never opened again. So it is closed only when
//! nothing can come for it: its wallet is empty, no payment waits for its answer, no refund is
//! asked for. What the ledger has stays, without a name.

mod merge;
mod store;

use crate::actor::Actor;
use crate::audit;
use crate::card::{CardError, cards_forget};
use crate::catalog::reservation::reservations_forget;
use crate::command;
use crate::customer::{
    Customer, CustomerError, State, account_close, customer_by_id, links_end, person_erase,
    require_check_by,
};
use crate::order;
use crate::policy::Sensitive;
use crate::session::{Holder, factor_forget, sessions_end_all};
use crate::vault::Vault;
use scrip_engine::{Error as EngineError, Tx, outbox};
use scrip_ledger::lots_locked;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use merge::{Merged, customer_merge, merged_accounts};

type Result<T> = std::result::Result<T, CustomerError>;

/// Closes an account for good. It must be empty, and nothing may be on its way to it.
pub fn customer_close(tx: &mut Tx<'_>, actor: Actor, customer: &Customer) -> Result<()> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(CustomerError::Forbidden);
    }
    require_check_by(tx, actor, customer, Sensitive::Closing)?;
    // The wallet is the lock.
    if !lots_locked(tx, customer.book_id, customer.wallet)?.is_empty() {
        return Err(CustomerError::NotEmpty {
            number: customer.number,
        });
    }
    close_empty(tx, actor, customer)
}

/// Closes an account whose wallet is locked and empty.
fn close_empty(tx: &mut Tx<'_>, actor: Actor, customer: &Customer) -> Result<()> {
    let (book, id) = (customer.book_id, customer.customer_id);
    if let Some(what) = store::unfinished(tx, book, id)? {
        let number = customer.number;
        return Err(CustomerError::Unfinished { number, what });
    }
    account_close(tx, customer)?;
    store::unlink(tx, book, id)?;
    factor_forget(tx, Holder::customer(customer))?;
    reservations_forget(tx, book, id)?;
    sessions_end_all(tx, book, id)?;
    let subject = id.to_string();
    outbox::add(tx, book, "customer.closed", &subject, "{}")?;
    audit::note_always(tx, book, actor, "customer.closed", &subject, &json!({}))?;
    Ok(())
}

/// What became of an erased person's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erased {
    /// It is closed: there was nothing in it.
    Closed,
    /// It stays, without a name: what is in it can be spent with account number and PIN.
    Pseudonymous,
}

/// Forgets a part of what is known about a person.
type Forget = fn(&mut Tx<'_>, &Customer) -> std::result::Result<(), EngineError>;

/// Each noun that keeps something about a person, and what makes it forget. A noun that begins to
/// keep personal data gets its line here; the test `nothing_personal_outlives_erasure` looks for
/// what was left out.
const PARTS: [(&str, Forget); 8] = [
    ("answers to commands", |tx, customer| {
        command::answers_forget(tx, customer.book_id, customer.customer_id)
    }),
    ("saved cards", |tx, customer| {
        cards_forget(tx, customer.book_id, customer.customer_id).map_err(|e| match e {
            CardError::Engine(e) => e,
            other => EngineError::Statement(other.to_string()),
        })
    }),
    ("cards that paid orders", |tx, customer| {
        order::by_card::card_orders_forget(tx, customer.book_id, customer.customer_id)
    }),
    ("reservations", |tx, customer| {
        reservations_forget(tx, customer.book_id, customer.customer_id)
    }),
    ("kept lists", |tx, customer| {
        order::kept::lists_forget(tx, customer.book_id, customer.customer_id)
    }),
    ("links to the person's other accounts", |tx, customer| {
        links_end(tx, customer.book_id, customer.customer_id)
    }),
    ("delivery addresses", |tx, customer| {
        order::shipment::addresses_forget(tx, customer.book_id, customer.customer_id)
    }),
    ("refund requests", |tx, customer| {
        order::refund_reasons_forget(tx, customer.book_id, customer.customer_id)
    }),
];

/// Erases a person (REG-13): by the person, or by staff who were asked to. Orders, entries and the
/// account number stay, and say nothing about who it was; the ledger sums as before.
pub fn customer_erase(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    customer: &Customer,
) -> Result<Erased> {
    let (book, id) = (customer.book_id, customer.customer_id);
    if !actor.may_act_for(id) {
        return Err(CustomerError::Forbidden);
    }
    require_check_by(tx, actor, customer, Sensitive::Closing)?;
    let lots = lots_locked(tx, book, customer.wallet)?;
    let now = customer_by_id(tx, book, id)?;
    let may_close = lots.is_empty() && store::unfinished(tx, book, id)?.is_none();
    if now.state != State::Closed && may_close {
        close_empty(tx, actor, customer)?;
    }
    let customer = customer_by_id(tx, book, id)?;
    for (_, forget) in PARTS {
        forget(tx, &customer)?;
    }
    person_erase(tx, vault, &customer)?;
    sessions_end_all(tx, book, id)?;
    store::set_erased(tx, book, id)?;
    let subject = id.to_string();
    let done = match customer.state {
        State::Closed => Erased::Closed,
        State::Inactive | State::Active => Erased::Pseudonymous,
    };
    outbox::add(tx, book, "customer.erased", &subject, "{}")?;
    audit::note_always(tx, book, actor, "customer.erased", &subject, &json!({}))?;
    Ok(done)
}
