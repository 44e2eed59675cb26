//! Franchises: members under a parent, which take each other's tokens and may have one value (OPN-06,
//! OPN-07, FIG. 16).

mod store;

use super::member::{member_of, note};
use super::settle::Line;
use super::{MallError, Member, Result, mall_by_book, operator_only, rules, statement};
use crate::actor::Actor;
use crate::audit;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::Amount;
use serde_json::json;
use std::collections::BTreeMap;

pub use store::franchise_members;

/// Where a member stands in a franchise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Franchise {
    /// The parent's book.
    pub parent: i64,
    /// True while the parent fixes what its tokens are worth.
    pub is_fixed: bool,
}

/// Takes a member into the franchise of another one.
pub fn franchise_join(
    tx: &mut Tx<'_>,
    actor: Actor,
    parent: &Member,
    child: &Member,
) -> Result<()> {
    operator_only(tx, actor, child.mall_book)?;
    if parent.book_id == child.book_id {
        return Err(MallError::SameMember);
    }
    if parent.mall_book != child.mall_book {
        return Err(MallError::Outside);
    }
    tx.lock_name(&format!("franchises {}", parent.mall_book))?;
    let of_child = store::franchise(tx, child)?;
    let of_parent = store::franchise(tx, parent)?;
    let has_children = !franchise_members(tx, child)?.is_empty();
    if of_child.is_some() || of_parent.is_some() || has_children {
        return Err(MallError::FranchiseTree);
    }
    store::insert(tx, parent, child)?;
    let detail = json!({"parent": parent.slug});
    note(tx, actor, child, "mall.franchise_joined", &detail)
}

/// Lets a member leave its franchise.
pub fn franchise_leave(tx: &mut Tx<'_>, actor: Actor, child: &Member) -> Result<()> {
    operator_only(tx, actor, child.mall_book)?;
    store::remove(tx, child)?;
    note(tx, actor, child, "mall.franchise_left", &json!({}))
}

/// Where a member stands in a franchise; `None` for one in none.
pub fn franchise_of(tx: &mut dyn Read, child: &Member) -> Result<Option<Franchise>> {
    store::franchise(tx, child)
}

/// Fixes what tokens of all members of a franchise are worth from now on, or lets each have its own
/// again. For the parent's people.
pub fn franchise_value_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    parent: &Member,
    value: Option<Amount>,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(MallError::OperatorOnly);
    }
    let value = value.map(rules::value).transpose()?;
    tx.lock_name(&format!("franchises {}", parent.mall_book))?;
    let now = tx.now();
    let children = franchise_members(tx, parent)?;
    if children.is_empty() {
        return Err(MallError::NoFranchise(parent.name.clone()));
    }
    store::set_fixed(tx, parent, value.is_some())?;
    let said = |tx: &mut Tx<'_>, value: Option<String>| {
        let (book, detail) = (parent.book_id, json!({"value": value}));
        audit::note(tx, book, actor, "mall.franchise_value", "", &detail)
    };
    let Some(value) = value else {
        return Ok(said(tx, None)?);
    };
    for book in children {
        if let Some(child) = member_of(tx, book)? {
            super::store::set_value(tx, &child, now, value)?;
        }
    }
    super::store::set_value(tx, parent, now, value)?;
    let mall = mall_by_book(tx, parent.mall_book)?;
    Ok(said(tx, Some(value.decimal(mall.currency.scale)))?)
}

/// Refuses another value for a member whose franchise fixes it.
pub(super) fn value_free(tx: &mut dyn Read, member: &Member) -> Result<()> {
    match store::franchise(tx, member)? {
        Some(franchise) if franchise.is_fixed => {
            let parent = member_of(tx, franchise.parent)?;
            let parent = parent.map_or_else(String::new, |parent| parent.name);
            Err(MallError::ValueFixed(parent))
        }
        _ => Ok(()),
    }
}

/// True for two members of one franchise: they take each other's tokens.
pub(super) fn is_one(tx: &mut dyn Read, one: &Member, other: &Member) -> Result<bool> {
    let root = |tx: &mut dyn Read, member: &Member| -> Result<Option<i64>> {
        Ok(store::franchise(tx, member)?.map(|franchise| franchise.parent))
    };
    let (a, b) = (root(tx, one)?, root(tx, other)?);
    Ok((a.is_some() && a == b) || a == Some(other.book_id) || b == Some(one.book_id))
}

/// All that passed at the members of a franchise in a span that is over, oldest first: the parent sees
/// shopping across them.
pub fn franchise_statement(
    tx: &mut dyn Read,
    parent: &Member,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Line>> {
    let mut lines: BTreeMap<uuid::Uuid, Line> = BTreeMap::new();
    for book in franchise_members(tx, parent)? {
        if let Some(child) = member_of(tx, book)? {
            let of_child = statement(tx, &child, from, to)?.into_iter();
            lines.extend(of_child.map(|line| (line.event_id, line)));
        }
    }
    Ok(lines.into_values().collect())
}
