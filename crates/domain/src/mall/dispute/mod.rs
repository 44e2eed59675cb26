//! Disputes about lines of a statement, and adjustments: money that passes because the mall decided
//! so. Neither changes a line; an adjustment is a line of its own (MIC-05, GOV-06).

mod store;

use super::member::note;
use super::settle::{Line, Sides, charge, given_back, settle};
use super::{
    LineKind, Mall, MallError, Member, Owed, Result, member_of, office_note, operator_only,
    store as mall_store,
};
use crate::actor::Actor;
use crate::audit;
use crate::books::account;
use crate::text::{self, named};
use crate::vendor::vendor_by_book;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{AccountKind, Amount};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

named! {
    /// Where a dispute stands.
    DisputeState, "where a dispute stands" {
        /// The mall has not answered.
        Open = "open",
        /// The line stays as it is.
        Rejected = "rejected",
        /// Money passed back.
        Adjusted = "adjusted",
    }
}

/// A member says that a line is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Counts from 1 in each mall.
    pub number: i64,
    /// The line.
    pub event_id: Uuid,
    /// Who says so: the member's book.
    pub member: i64,
    /// Where it stands.
    pub state: DisputeState,
    /// What the member says.
    pub reason: String,
    /// What the mall answered.
    pub answer: String,
    /// The event of the adjustment.
    pub adjustment: Option<Uuid>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was answered.
    pub closed_at: Option<Timestamp>,
}

/// What the mall decides about a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The line stays as it is.
    Reject,
    /// So much passes back to the member that disputed it.
    Adjust(Amount),
}

/// Who pays or is paid by an adjustment.
#[derive(Clone, Copy, Debug)]
pub enum Party<'a> {
    /// A member.
    Member(&'a Member),
    /// The mall itself, out of what it kept.
    Mall,
}

/// Disputes a line: for the people of either member that it names.
pub fn dispute_open(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    event_id: Uuid,
    reason: &str,
) -> Result<Dispute> {
    if !actor.for_vendor() {
        return Err(MallError::OperatorOnly);
    }
    let reason = text::line("the reason", reason, 500)?;
    let line = mall_store::line_of(tx, member.mall_book, event_id)?;
    let names = |line: &Line| [line.debtor, line.creditor].contains(&member.book_id);
    if !line.as_ref().is_some_and(names) {
        return Err(MallError::LineUnknown);
    }
    tx.lock_name(&format!("disputes {}", member.mall_book))?;
    if let Some(known) = store::open_of(tx, member.mall_book, event_id)? {
        return Err(MallError::InDispute(known));
    }
    let dispute = Dispute {
        number: store::newest(tx, member.mall_book)?.saturating_add(1),
        event_id,
        member: member.book_id,
        state: DisputeState::Open,
        reason,
        answer: String::new(),
        adjustment: None,
        opened_at: tx.now(),
        closed_at: None,
    };
    store::insert(tx, member.mall_book, &dispute)?;
    let detail = json!({"event_id": event_id.to_string(), "reason": dispute.reason});
    let number = dispute.number.to_string();
    audit::note(tx, member.book_id, actor, "mall.disputed", &number, &detail)?;
    Ok(dispute)
}

/// Answers a dispute, once. An adjustment passes from the other side of the line to the member that
/// disputed it, and all adjustments of a line come to what passed by it at most.
pub fn dispute_close(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    number: i64,
    (ruling, answer): (Ruling, &str),
) -> Result<Dispute> {
    operator_only(tx, actor, mall.book_id)?;
    let answer = text::line("the answer", answer, 500)?;
    tx.lock_name(&format!("disputes {}", mall.book_id))?;
    let known = store::dispute(tx, mall.book_id, number)?;
    let mut dispute = known.ok_or(MallError::DisputeUnknown(number))?;
    if dispute.state != DisputeState::Open {
        return Err(MallError::DisputeClosed(number));
    }
    let mut passed = Amount::ZERO;
    match ruling {
        Ruling::Reject => dispute.state = DisputeState::Rejected,
        Ruling::Adjust(amount) => {
            let line = mall_store::line_of(tx, mall.book_id, dispute.event_id)?;
            let line = line.ok_or(MallError::LineUnknown)?;
            let before = store::adjusted(tx, mall.book_id, dispute.event_id)?;
            let most = line.money.owed.plus(line.money.drawn)?;
            let most = most.max(line.money.received).minus(before)?;
            if amount > most {
                let most = most.decimal(mall.currency.scale);
                return Err(MallError::AdjustmentInvalid(most));
            }
            let other = match line.debtor == dispute.member {
                true => line.creditor,
                false => line.debtor,
            };
            // At home nobody but the mall has taken anything.
            let payer = match line.debtor == line.creditor {
                true => None,
                false => member_of(tx, other)?,
            };
            let payee = member_of(tx, dispute.member)?.ok_or(MallError::LineUnknown)?;
            let payer = payer.as_ref().map_or(Party::Mall, Party::Member);
            let sides = (payer, Party::Member(&payee));
            let made = adjustment_make(tx, actor, mall, sides, (amount, &answer))?;
            dispute.state = DisputeState::Adjusted;
            dispute.adjustment = Some(made.event_id);
            passed = amount;
        }
    }
    dispute.closed_at = Some(tx.now());
    dispute.answer = answer;
    store::close(tx, mall.book_id, &dispute)?;
    let detail = json!({
        "state": dispute.state.name(), "answer": dispute.answer,
        "amount": passed.decimal(mall.currency.scale),
    });
    let subject = number.to_string();
    let books = (mall.book_id, dispute.member);
    let what = ("mall.dispute_closed", subject.as_str());
    office_note(tx, actor, books, what, &detail)?;
    Ok(dispute)
}

/// The disputes of a mall, or of one member, newest first, `limit` at most.
pub fn disputes(
    tx: &mut dyn Read,
    mall: i64,
    member: Option<i64>,
    limit: i64,
) -> Result<Vec<Dispute>> {
    store::disputes(tx, mall, member, limit)
}

/// The lines about which a member has a dispute open.
pub fn lines_disputed(tx: &mut dyn Read, member: &Member) -> Result<BTreeSet<Uuid>> {
    store::open_lines(tx, member.mall_book, member.book_id)
}

/// Moves money by a decision of the mall, from one party to another one.
pub fn adjustment_make(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    (payer, payee): (Party<'_>, Party<'_>),
    (amount, reason): (Amount, &str),
) -> Result<Line> {
    operator_only(tx, actor, mall.book_id)?;
    let reason = text::line("the reason", reason, 500)?;
    let whole = || MallError::AdjustmentInvalid("what passed".to_owned());
    if !amount.is_positive() || amount > super::rules::CHARGE_AT_MOST {
        return Err(whole());
    }
    let event_id = tx.new_id()?;
    let kind = LineKind::Adjustment;
    let line = match (payer, payee) {
        (Party::Member(payer), Party::Member(payee)) => {
            if payer.book_id == payee.book_id {
                return Err(whole());
            }
            let mut spender = payer.clone();
            spender.accounts.settled = charges(tx, payer)?;
            let sides = Sides {
                event_id,
                kind,
                actor: "system",
                debtor: (&spender, &[]),
                creditor: (payee, &[], charges(tx, payee)?),
                mall: &[],
            };
            settle(tx, mall, &sides, &Owed::passing(amount, amount))?
        }
        (Party::Member(payer), Party::Mall) => {
            let charges = charges(tx, payer)?;
            let of = (payer, charges);
            charge(tx, mall, of, (kind, event_id), (amount, None))?.ok_or_else(whole)?
        }
        (Party::Mall, Party::Member(payee)) => {
            let charges = charges(tx, payee)?;
            given_back(tx, mall, (payee, charges), (kind, event_id), amount)?
        }
        (Party::Mall, Party::Mall) => return Err(whole()),
    };
    let detail = json!({
        "event_id": event_id.to_string(), "amount": amount.decimal(mall.currency.scale),
        "reason": reason,
    });
    for party in [payer, payee] {
        if let Party::Member(member) = party {
            note(tx, actor, member, "mall.adjusted", &detail)?;
        }
    }
    Ok(line)
}

fn charges(tx: &mut Tx<'_>, member: &Member) -> Result<i64> {
    let vendor = vendor_by_book(tx, member.book_id)?;
    Ok(account(tx, &vendor, AccountKind::Charges)?)
}
