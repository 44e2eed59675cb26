//! Groups of members that take each other's group tokens (OPN-14, GOV-08), each with its own dates.

use super::{OpenError, Result, store};
use crate::actor::Actor;
use crate::mall::{Mall, Member, office_note, operator_only};
use crate::text;
use scrip_engine::{Read, Timestamp, Tx};
use serde_json::json;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number in the mall, from 1.
    pub group_no: i64,
    /// Its short name.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// A member in a group, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// The group.
    pub group_no: i64,
    /// The member.
    pub member_book: i64,
    /// From when.
    pub joins_at: Timestamp,
    /// Until when.
    pub leaves_at: Timestamp,
}

/// Makes a group.
pub fn group_create(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    (slug, name): (&str, &str),
) -> Result<Group> {
    operator_only(tx, actor, mall.book_id)?;
    let name = text::line("the group's name", name, 200)?;
    let slug = text::line("the group's short name", slug, 40)?;
    tx.lock_name(&format!("groups {}", mall.book_id))?;
    let all = store::groups(tx, mall.book_id)?;
    if all.iter().any(|group| group.slug == slug) {
        return Err(OpenError::GroupTaken(slug));
    }
    let last = all.iter().map(|group| group.group_no).max();
    let group = Group {
        group_no: last.unwrap_or(0).saturating_add(1),
        slug,
        name,
    };
    store::insert_group(tx, mall.book_id, &group)?;
    Ok(group)
}

/// The groups of a mall.
pub fn groups(tx: &mut dyn Read, mall: &Mall) -> Result<Vec<Group>> {
    store::groups(tx, mall.book_id)
}

/// The group of a short name.
pub fn group_by_slug(tx: &mut dyn Read, mall: &Mall, slug: &str) -> Result<Group> {
    let found = store::groups(tx, mall.book_id)?.into_iter();
    let unknown = || OpenError::GroupUnknown(slug.chars().take(60).collect());
    let mut found = found.filter(|group| group.slug == slug);
    found.next().ok_or_else(unknown)
}

/// Takes a member into a group for a time that has not begun yet, or begins now.
pub fn group_join(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, group): (&Mall, &Group),
    member: &Member,
    (joins_at, leaves_at): (Timestamp, Timestamp),
) -> Result<()> {
    operator_only(tx, actor, mall.book_id)?;
    if joins_at < tx.now() || leaves_at <= joins_at {
        return Err(OpenError::GroupTimes);
    }
    tx.lock_name(&format!("groups {}", mall.book_id))?;
    let all = store::group_members(tx, mall.book_id)?.into_iter();
    let mut own = all.filter(|m| (m.group_no, m.member_book) == (group.group_no, member.book_id));
    if own.any(|m| m.joins_at < leaves_at && joins_at < m.leaves_at) {
        return Err(OpenError::GroupTimes);
    }
    let new = GroupMember {
        group_no: group.group_no,
        member_book: member.book_id,
        joins_at,
        leaves_at,
    };
    store::insert_group_member(tx, mall.book_id, &new)?;
    let detail = json!({"group": group.slug, "from": joins_at.0, "until": leaves_at.0});
    let books = (mall.book_id, member.book_id);
    office_note(tx, actor, books, ("mall.group_joined", ""), &detail)?;
    Ok(())
}

/// Lets a member leave a group from now on: its customers' group tokens pay nowhere else in it, and
/// it takes none (GOV-08).
pub fn group_leave(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, group): (&Mall, &Group),
    member: &Member,
) -> Result<()> {
    operator_only(tx, actor, mall.book_id)?;
    tx.lock_name(&format!("groups {}", mall.book_id))?;
    if !is_in(tx, mall, group.group_no, member.book_id)? {
        return Err(OpenError::OutsideGroup {
            member: member.name.clone(),
            group: group.name.clone(),
        });
    }
    store::end_group_member(tx, mall.book_id, group.group_no, member.book_id)?;
    let detail = json!({"group": group.slug});
    let books = (mall.book_id, member.book_id);
    office_note(tx, actor, books, ("mall.group_left", ""), &detail)?;
    Ok(())
}

/// Who belonged to the groups of a mall, and when.
pub fn group_members(tx: &mut dyn Read, mall: &Mall) -> Result<Vec<GroupMember>> {
    store::group_members(tx, mall.book_id)
}

/// True while a member belongs to a group.
pub(super) fn is_in(
    tx: &mut dyn Read,
    mall: &Mall,
    group_no: i64,
    member_book: i64,
) -> Result<bool> {
    Ok(store::groups_of(tx, mall.book_id, member_book)?.contains(&group_no))
}

/// The groups to which two members both belong now.
pub fn groups_shared(tx: &mut dyn Read, mall: &Mall, (one, other): (i64, i64)) -> Result<Vec<i64>> {
    let mut shared = store::groups_of(tx, mall.book_id, one)?;
    if one != other && !shared.is_empty() {
        let others = store::groups_of(tx, mall.book_id, other)?;
        shared.retain(|group| others.contains(group));
    }
    Ok(shared)
}
