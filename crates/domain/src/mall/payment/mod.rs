//! Invoices: what clearings came to, in whole cents, and that it was paid (GOV-09, MIC-03, OPN-20).

mod store;

use super::deposit::mall_bank;
use super::member::note;
use super::settle::leg;
use super::{Mall, MallError, Member, Position, Result, operator_only};
use crate::actor::Actor;
use crate::books::account;
use crate::text;
use crate::vendor::vendor_by_book;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{AccountKind, Amount, Leg, Posting, entry_post};
use serde_json::json;
use uuid::Uuid;

/// What a member is to pay by a clearing, or is to be paid where it is below zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The number of the clearing.
    pub number: i64,
    /// The member's book.
    pub member: i64,
    /// When the clearing was closed.
    pub closed_at: Timestamp,
    /// What it came to.
    pub position: Position,
    /// Its payment, once it is paid.
    pub payment: Option<Payment>,
}

impl Invoice {
    /// True while money is to flow for it.
    pub fn is_open(&self) -> bool {
        self.payment.is_none() && self.position.paid != Amount::ZERO
    }
}

/// That what a clearing came to was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The id of its entries in both books.
    pub event_id: Uuid,
    /// What the bank's statement says of it.
    pub reference: String,
    /// When it was noted.
    pub at: Timestamp,
    /// Its entry in the member's book, and in the mall's.
    pub entries: (i64, i64),
}

/// The invoices of a member, or of all, newest first, `limit` at most.
pub fn invoices(
    tx: &mut dyn Read,
    mall: &Mall,
    member: Option<&Member>,
    limit: i64,
) -> Result<Vec<Invoice>> {
    match member {
        Some(member) => store::of_member(tx, mall.book_id, member.book_id, limit),
        None => store::of_all(tx, mall.book_id, limit),
    }
}

/// The invoice of a clearing for a member, and what was carried into it.
pub fn invoice(
    tx: &mut dyn Read,
    member: &Member,
    number: i64,
) -> Result<Option<(Invoice, Amount)>> {
    let found = store::one(tx, member.mall_book, member.book_id, number)?;
    let Some(invoice) = found else {
        return Ok(None);
    };
    let carried = store::carried_into(tx, member.mall_book, member.book_id, number)?;
    Ok(Some((invoice, carried)))
}

/// Notes that what a clearing came to for a member was paid, once: money between two banks, and
/// what was due is due no longer.
pub fn clearing_pay(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    member: &Member,
    (number, reference): (i64, &str),
) -> Result<Invoice> {
    operator_only(tx, actor, mall.book_id)?;
    let reference = text::optional_line("the reference", reference, 100)?;
    // Of two at once, the second one finds it paid.
    tx.lock_name(&format!("payment {} {number}", member.book_id))?;
    let nothing = || MallError::NothingDue {
        number,
        member: member.name.clone(),
    };
    let found = store::one(tx, mall.book_id, member.book_id, number)?;
    let mut invoice = found.ok_or_else(nothing)?;
    if let Some(payment) = invoice.payment {
        return Err(MallError::Paid {
            number,
            member: member.name.clone(),
            at: payment.at,
        });
    }
    let due = invoice.position.paid;
    if due == Amount::ZERO {
        return Err(nothing());
    }
    let vendor = vendor_by_book(tx, member.book_id)?;
    let bank = account(tx, &vendor, AccountKind::Bank)?;
    let malls_bank = mall_bank(tx, mall)?;
    let accounts = &member.accounts;
    // Who pays: its debt goes down, and so does its money.
    let amount = invoice.position.due()?;
    let (ours, theirs) = match due.is_positive() {
        true => (
            leg(accounts.member_due, bank, amount),
            leg(malls_bank, accounts.mall_due, amount),
        ),
        false => (
            leg(bank, accounts.member_due, amount),
            leg(accounts.mall_due, malls_bank, amount),
        ),
    };
    let event_id = tx.new_id()?;
    let now = tx.now();
    let mut post = |book_id, legs: &[Leg]| {
        let posting = Posting {
            book_id,
            event_id,
            code: "clearing",
            actor: "system",
            reference: &reference,
            effective_at: now,
            legs,
        };
        entry_post(tx, &posting)
    };
    let entries = (post(member.book_id, &ours)?, post(mall.book_id, &theirs)?);
    let payment = Payment {
        event_id,
        reference,
        at: now,
        entries,
    };
    store::insert(tx, (mall.book_id, member.book_id), number, &payment)?;
    let detail = json!({
        "clearing": number, "paid": due.decimal(mall.currency.scale),
        "reference": payment.reference,
    });
    note(tx, actor, member, "mall.paid", &detail)?;
    invoice.payment = Some(payment);
    Ok(invoice)
}
