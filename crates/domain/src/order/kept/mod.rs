//! Order lists that are kept: under names, to be loaded again, and set aside while tokens are
//! bought off line, to be there at the next sign-in (SHP-15).

mod store;

use super::list::{LIST_AT_MOST, check_change};
use super::reserving::list_reserve;
use super::{OrderError, Result, gate};
use crate::actor::Actor;
use crate::customer::buyer;
use crate::id::{CustomerId, KeptListId};
use crate::text;
use scrip_engine::{Read, Timestamp, Tx};
use serde::{Deserialize, Serialize};

/// Lists that a customer keeps under names at most.
pub const KEPT_AT_MOST: usize = 20;

/// A list that is kept under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptList {
    /// The list.
    pub list_id: KeptListId,
    /// Its name.
    pub name: String,
    /// How many lines it has.
    pub lines: i64,
    /// When it was kept.
    pub kept_at: Timestamp,
}

/// What a customer answers to the question whether to keep the list (SHP-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// It is stored as incomplete, and back at the next sign-in.
    Yes,
    /// It is emptied.
    No,
}

/// Two changes at once would each see room for one.
fn lock(tx: &mut Tx<'_>, customer: CustomerId) -> Result<()> {
    Ok(tx.lock_name(&format!("order list {customer}"))?)
}

/// Keeps what is on the order list under a name; a list of this name is replaced. The order list
/// stays as it is.
pub fn list_keep(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    name: &str,
) -> Result<KeptListId> {
    check_change(tx, actor, book_id, customer)?;
    let name = text::line("the name of the list", name, 60)?;
    lock(tx, customer)?;
    let listed = super::store::list(tx, book_id, customer)?;
    if listed.is_empty() {
        return Err(OrderError::Empty);
    }
    let kept = store::named(tx, book_id, customer)?;
    let id = match kept.iter().find(|list| list.name == name) {
        Some(list) => list.list_id,
        None if kept.len() >= KEPT_AT_MOST => {
            return Err(OrderError::TooManyKept { most: KEPT_AT_MOST });
        }
        None => KeptListId(tx.new_id()?),
    };
    store::forget(tx, book_id, customer, id)?;
    store::insert(tx, book_id, customer, id, Some(&name))?;
    store::insert_lines(tx, book_id, customer, id, &listed)?;
    Ok(id)
}

/// The lists that a customer keeps under names, by name.
pub fn lists_kept(
    tx: &mut dyn Read,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
) -> Result<Vec<KeptList>> {
    if !actor.may_act_for(customer) {
        return Err(OrderError::Forbidden);
    }
    store::named(tx, book_id, customer)
}

/// Puts the lines of a kept list on the order list, with their quantities and ticks. Returns how
/// many. What cannot be ordered any more says so there.
pub fn list_load(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    list: KeptListId,
) -> Result<usize> {
    check_change(tx, actor, book_id, customer)?;
    let buyer = buyer(tx, book_id, customer)?;
    gate::check_ordering(tx, &buyer)?;
    lock(tx, customer)?;
    let lines = store::lines(tx, book_id, customer, list)?;
    if lines.is_empty() {
        return Err(OrderError::KeptUnknown(list));
    }
    let listed = super::store::list(tx, book_id, customer)?;
    let is_new = |offer| listed.iter().all(|line| line.offer_id != offer);
    let new = lines.iter().filter(|line| is_new(line.offer_id)).count();
    if listed.len().saturating_add(new) > LIST_AT_MOST {
        return Err(OrderError::ListFull { most: LIST_AT_MOST });
    }
    store::put_back(tx, book_id, customer, &lines)?;
    list_reserve(tx, actor, book_id, customer)?;
    Ok(lines.len())
}

/// Forgets the lists of a person who is erased (REG-13).
pub(crate) fn lists_forget(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
) -> std::result::Result<(), scrip_engine::Error> {
    store::forget_all(tx, book_id, customer)
}

/// Forgets a kept list; one that is not there is forgotten already.
pub fn list_forget(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    list: KeptListId,
) -> Result<()> {
    check_change(tx, actor, book_id, customer)?;
    store::forget(tx, book_id, customer, list)
}

/// Empties the order list while tokens are bought off line: it is set aside as incomplete, or
/// gone (SHP-15). Returns how many lines it had.
pub fn list_set_aside(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    keep: Keep,
) -> Result<usize> {
    check_change(tx, actor, book_id, customer)?;
    lock(tx, customer)?;
    let listed = super::store::list(tx, book_id, customer)?;
    if keep == Keep::Yes && !listed.is_empty() {
        let id = match store::aside(tx, book_id, customer)? {
            Some(id) => id,
            None => {
                let id = KeptListId(tx.new_id()?);
                store::insert(tx, book_id, customer, id, None)?;
                id
            }
        };
        store::insert_lines(tx, book_id, customer, id, &listed)?;
    }
    for line in &listed {
        super::store::list_remove(tx, book_id, customer, line.offer_id)?;
    }
    list_reserve(tx, actor, book_id, customer)?;
    Ok(listed.len())
}

/// Brings back what was set aside, at a sign-in. What is on the order list by now stays as it is,
/// and what finds no room there stays aside. Returns how many lines came back.
pub fn list_resume(tx: &mut Tx<'_>, book_id: i64, customer: CustomerId) -> Result<usize> {
    let Some(id) = store::aside(tx, book_id, customer)? else {
        return Ok(0);
    };
    lock(tx, customer)?;
    let mut lines = store::lines(tx, book_id, customer, id)?;
    let listed = super::store::list(tx, book_id, customer)?;
    lines.retain(|line| listed.iter().all(|old| old.offer_id != line.offer_id));
    if listed.len().saturating_add(lines.len()) > LIST_AT_MOST {
        return Ok(0);
    }
    store::put_back(tx, book_id, customer, &lines)?;
    store::forget(tx, book_id, customer, id)?;
    list_reserve(tx, Actor::Customer(customer), book_id, customer)?;
    Ok(lines.len())
}
