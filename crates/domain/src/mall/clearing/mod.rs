//! Positions of members, and clearing them at an interval (GOV-09, MIC-03).

mod store;

use super::settle::{Line, LineKind};
use super::{
    Mall, MallError, Member, Result, franchise_members, mall_by_book, member_of, members,
    operator_only, rules, store as mall_store,
};
use crate::actor::Actor;
use crate::audit;
use crate::text::named;
use scrip_engine::{Read, ReadTx, Timestamp, Tx};
use scrip_ledger::{Amount, account_balance, account_balances};
use serde_json::json;
use std::collections::BTreeMap;

named! {
    /// How often a mall clears by itself (GOV-09).
    Clears, "the interval of clearing" {
        /// Only when the operator says so.
        ByHand = "by_hand",
        /// After each day, UTC.
        Day = "day",
        /// After each week; weeks begin on Monday.
        Week = "week",
        /// After each month.
        Month = "month",
    }
}

/// What a member owes the mall by a clearing; below zero what it is owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Exactly, with what was carried from the clearing before.
    pub net: Amount,
    /// Whole cents of it, which are invoiced.
    pub paid: Amount,
    /// The rest, which the next clearing counts again.
    pub carried: Amount,
}

impl Position {
    /// The whole cents that flow, whoever pays them.
    pub fn due(&self) -> Result<Amount> {
        Ok(self.paid.max(self.paid.negated()?))
    }
}

/// A clearing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clearing {
    /// Counts from 1.
    pub number: i64,
    /// The parent of the franchise among whose members it was; `None` for all that was left.
    pub franchise: Option<i64>,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// By member's book.
    pub positions: Vec<(i64, Position)>,
}

/// Clears all that happened since the clearing before: of each member what it owes or is owed,
/// once over all others. What happens meanwhile belongs to the next one, and what a franchise has
/// cleared among its members is not counted again.
pub fn clearing_close(tx: &mut Tx<'_>, actor: Actor, mall: &Mall) -> Result<Clearing> {
    operator_only(tx, actor, mall.book_id)?;
    let all = members(tx, mall)?.into_iter().map(|m| m.book_id);
    let all = all.collect();
    close(tx, mall, None, all)
}

/// Clears among the members of a franchise alone (OPN-07): what passed between two of them.
pub fn franchise_clear(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    parent: &Member,
) -> Result<Clearing> {
    operator_only(tx, actor, mall.book_id)?;
    let mut all = franchise_members(tx, parent)?;
    if all.is_empty() {
        return Err(MallError::NoFranchise(parent.name.clone()));
    }
    all.push(parent.book_id);
    close(tx, mall, Some(parent.book_id), all)
}

fn close(
    tx: &mut Tx<'_>,
    mall: &Mall,
    franchise: Option<i64>,
    members: Vec<i64>,
) -> Result<Clearing> {
    // Of two at once, the second one finds nothing left to clear.
    tx.lock_name(&format!("clearing {}", mall.book_id))?;
    let number = store::newest_number(tx, mall.book_id)?.saturating_add(1);
    let before = store::newest_clearing(tx, mall.book_id, franchise)?;
    let mut nets: BTreeMap<i64, Amount> = BTreeMap::new();
    for member in members {
        nets.insert(member, Amount::ZERO);
    }
    let mut kept = Amount::ZERO;
    if let Some(before) = &before {
        for (member, position) in &before.positions {
            let net = nets.entry(*member).or_default();
            *net = net.plus(position.carried)?;
            kept = kept.plus(position.carried)?;
        }
    }
    for line in store::lines_clear(tx, mall.book_id, number, franchise)? {
        // What passes between a member and the mall alone has no other side.
        if line.debtor != mall.book_id {
            let debtor = nets.entry(line.debtor).or_default();
            *debtor = debtor.plus(line.owed)?;
        }
        if line.creditor != mall.book_id {
            let creditor = nets.entry(line.creditor).or_default();
            *creditor = creditor.minus(line.received)?;
        }
        kept = kept.plus(line.residue)?.plus(line.royalty)?;
        kept = kept.minus(line.drawn)?;
    }
    let positions = nets.into_iter();
    let positions = positions.map(|(member, net)| Ok((member, rules::cleared(net)?)));
    let clearing = Clearing {
        number,
        franchise,
        closed_at: tx.now(),
        positions: positions.collect::<Result<_>>()?,
    };
    if !rules::balanced(&clearing, kept)? {
        let problem = format!(
            "clearing {number} of mall {} does not come out even",
            mall.book_id
        );
        return Err(scrip_engine::Error::Corrupt(problem).into());
    }
    store::insert_clearing(tx, mall.book_id, &clearing)?;
    Ok(clearing)
}

/// Sets how often a mall clears by itself (GOV-09).
pub fn clearing_interval_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    clears: Clears,
) -> Result<()> {
    operator_only(tx, actor, mall.book_id)?;
    store::set_clears(tx, mall.book_id, clears)
}

/// True when a period has ended since the last clearing, so that the mall clears by itself.
pub fn clearing_due(tx: &mut dyn Read, mall: &Mall) -> Result<bool> {
    is_over(tx, mall.book_id, None, mall.clears, |tx| {
        mall_store::created_at(tx, mall.book_id)
    })
}

/// Sets how often a franchise clears among its members by itself (OPN-07). For the parent's people.
pub fn franchise_interval_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    parent: &Member,
    clears: Clears,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(MallError::OperatorOnly);
    }
    if franchise_members(tx, parent)?.is_empty() {
        return Err(MallError::NoFranchise(parent.name.clone()));
    }
    store::set_franchise_clears(tx, parent, clears)?;
    let detail = json!({"clears": clears.name()});
    let book = parent.book_id;
    Ok(audit::note(
        tx,
        book,
        actor,
        "mall.franchise_clears",
        "",
        &detail,
    )?)
}

/// The parents of franchises whose period of clearing has ended.
pub fn franchises_due(tx: &mut dyn Read, mall: &Mall) -> Result<Vec<Member>> {
    let mut due = Vec::new();
    for (parent, clears, since) in store::franchise_clears(tx, mall.book_id)? {
        let Some(parent) = member_of(tx, parent)? else {
            continue;
        };
        let franchise = Some(parent.book_id);
        let is_due = is_over(tx, mall.book_id, franchise, clears, |_| Ok(since))?;
        if is_due && !franchise_members(tx, &parent)?.is_empty() {
            due.push(parent);
        }
    }
    Ok(due)
}

/// True when a period has ended since the last clearing; before the first one, `since` says from when.
fn is_over(
    tx: &mut dyn Read,
    mall: i64,
    franchise: Option<i64>,
    clears: Clears,
    since: impl FnOnce(&mut dyn Read) -> Result<Timestamp>,
) -> Result<bool> {
    if clears == Clears::ByHand {
        return Ok(false);
    }
    let last = match store::newest_clearing(tx, mall, franchise)? {
        Some(clearing) => clearing.closed_at,
        None => since(tx)?,
    };
    let now = tx.now();
    Ok(rules::period(clears, last) < rules::period(clears, now))
}

/// The clearings of a mall, newest first, `limit` at most.
pub fn clearings(tx: &mut dyn Read, mall: &Mall, limit: i64) -> Result<Vec<Clearing>> {
    store::clearings(tx, mall.book_id, limit)
}

/// What a member owes the mall now; below zero what it is owed.
pub fn position(tx: &mut ReadTx<'_>, member: &Member) -> Result<Amount> {
    let due = account_balance(tx, member.book_id, member.accounts.member_due)?;
    Ok(due)
}

/// What the mall has kept of all that passed through it: fractions, royalties, tolls.
pub fn mall_kept(tx: &mut ReadTx<'_>, mall: &Mall) -> Result<Amount> {
    // The account of royalties is opened by the first one, maybe since `mall` was read.
    let mall = mall_by_book(tx, mall.book_id)?;
    let accounts = [Some(mall.residue_account), mall.royalty_account];
    let accounts: Vec<i64> = accounts.into_iter().flatten().collect();
    let kept = account_balances(tx, mall.book_id, &accounts)?;
    Ok(Amount::sum(kept)?)
}

/// Every event between two members of a mall, oldest first.
pub fn mall_lines(tx: &mut dyn Read, mall: &Mall) -> Result<Vec<Line>> {
    mall_store::all_lines(tx, mall.book_id)
}

/// What passed between two parties of a mall by events of one kind. One of them may be the mall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Who owed.
    pub debtor: i64,
    /// Who got it.
    pub creditor: i64,
    /// What happened.
    pub kind: LineKind,
    /// How often.
    pub lines: i64,
    /// What the debtor owed, with what was taken at once.
    pub owed: Amount,
    /// What the creditor got.
    pub received: Amount,
    /// What the mall kept of it.
    pub royalty: Amount,
}

/// What passed in a mall in a span: a row for each pair and kind of event. For those who run it.
pub fn traffic(
    tx: &mut dyn Read,
    mall: &Mall,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Traffic>> {
    mall_store::traffic(tx, mall.book_id, from, to)
}

/// Everything between a member and the others in a span that is over, oldest first: a line for
/// each event (GOV-06).
pub fn statement(
    tx: &mut dyn Read,
    member: &Member,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Line>> {
    if to > tx.now() {
        return Err(MallError::PeriodOpen);
    }
    mall_store::lines(tx, member.mall_book, member.book_id, from, to)
}
