//! The entries of an event between two members.

use super::{Mall, Member, Result, royalty_account, store};
use crate::text::named;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, Leg, Posting, entry_post};
use std::cmp::Ordering;
use uuid::Uuid;

named! {
    /// What happened between two members.
    LineKind, "what happened" {
        /// Tokens of one became tokens of the other (OPN-01).
        Exchange = "exchange",
        /// Open tokens that one owes paid at the other (OPN-08).
        Sale = "sale",
        /// Such a payment was taken back.
        Reversal = "sale_back",
        /// The mall's share of a sale for a member's own tokens (MSP-06).
        Royalty = "royalty",
        /// A toll (GOV-14).
        Toll = "toll",
    }
}

/// Money between two members for one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    /// What the debtor owes the mall.
    pub owed: Amount,
    /// What the mall owes the creditor of it.
    pub received: Amount,
    /// The fraction that it keeps (OPN-02): owed less received.
    pub residue: Amount,
    /// What the debtor kept as its charge, for the statement (OPN-03).
    pub kept: Amount,
    /// What the mall keeps of it as its royalty (OPN-09); below zero where it gives one back.
    pub royalty: Amount,
    /// What the mall took at once, from a deposit: nothing of it is owed any more.
    pub drawn: Amount,
}

impl Owed {
    /// The same event taken back: who received owes it now.
    pub fn reversed(&self) -> Result<Owed> {
        Ok(Owed {
            owed: self.received,
            received: self.owed,
            residue: Amount::ZERO,
            kept: self.kept.negated()?,
            royalty: self.royalty.negated()?,
            drawn: Amount::ZERO,
        })
    }
}

/// An event between two members, as the mall keeps it (GOV-06).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The id of the event, and of its entries in all three books.
    pub event_id: Uuid,
    /// What happened.
    pub kind: LineKind,
    /// Whose tokens they were.
    pub debtor: i64,
    /// Who took them.
    pub creditor: i64,
    /// The money.
    pub money: Owed,
    /// The entry in the debtor's book.
    pub debtor_entry: i64,
    /// The entry in the creditor's book.
    pub creditor_entry: i64,
    /// The entry in the mall's book.
    pub mall_entry: i64,
    /// When.
    pub at: Timestamp,
}

impl Line {
    /// What a member owes the mall by it; below zero what it is owed.
    pub fn owes(&self, member: i64) -> Result<Amount> {
        let owed = match self.debtor == member {
            true => self.money.owed,
            false => Amount::ZERO,
        };
        match self.creditor == member {
            true => Ok(owed.minus(self.money.received)?),
            false => Ok(owed),
        }
    }
}

/// The entries that an event makes beside the mall's own, with the legs of each member's book.
pub struct Sides<'a> {
    /// The id of the event.
    pub event_id: Uuid,
    /// What happened.
    pub kind: LineKind,
    /// Who did it.
    pub actor: &'a str,
    /// Whose tokens they were, and what else moves in its book.
    pub debtor: (&'a Member, &'a [Leg]),
    /// Who took them, what else moves in its book, and where the money is booked there.
    pub creditor: (&'a Member, &'a [Leg], i64),
    /// What else moves in the mall's book: open tokens.
    pub mall: &'a [Leg],
}

/// Posts an event between two members into the three books, and keeps a line of it. The legs that
/// the event itself makes are given; what is owed is added to them.
pub fn settle(tx: &mut Tx<'_>, mall: &Mall, sides: &Sides<'_>, money: &Owed) -> Result<Line> {
    let (debtor, spent) = sides.debtor;
    let (creditor, issued, income) = sides.creditor;
    let code = sides.kind.name();
    let post = |tx: &mut Tx<'_>, book_id, legs: &[Leg]| {
        let posting = Posting {
            book_id,
            event_id: sides.event_id,
            code,
            actor: sides.actor,
            reference: "",
            effective_at: tx.now(),
            legs,
        };
        entry_post(tx, &posting)
    };
    let owing = leg(
        debtor.accounts.settled,
        debtor.accounts.member_due,
        money.owed,
    );
    let owed = leg(creditor.accounts.member_due, income, money.received);
    let debtor_legs = [spent, &owing[..]].concat();
    let creditor_legs = [issued, &owed[..]].concat();
    // Of a royalty that is given back, the mall itself pays a part of what is received. At home
    // nothing passes.
    let passed = match debtor.book_id == creditor.book_id {
        true => Vec::new(),
        false => leg(
            debtor.accounts.mall_due,
            creditor.accounts.mall_due,
            money.received.min(money.owed),
        ),
    };
    let left = leg(
        debtor.accounts.mall_due,
        mall.residue_account,
        money.residue,
    );
    let royalty = match money.royalty.cmp(&Amount::ZERO) {
        Ordering::Equal => Vec::new(),
        Ordering::Greater => leg(
            debtor.accounts.mall_due,
            royalty_account(tx, mall)?,
            money.royalty,
        ),
        Ordering::Less => leg(
            royalty_account(tx, mall)?,
            creditor.accounts.mall_due,
            money.royalty.negated()?,
        ),
    };
    let mall_legs = [sides.mall, &passed[..], &left[..], &royalty[..]].concat();
    let line = Line {
        event_id: sides.event_id,
        kind: sides.kind,
        debtor: debtor.book_id,
        creditor: creditor.book_id,
        money: *money,
        debtor_entry: post(tx, debtor.book_id, &debtor_legs)?,
        creditor_entry: post(tx, creditor.book_id, &creditor_legs)?,
        mall_entry: post(tx, mall.book_id, &mall_legs)?,
        at: tx.now(),
    };
    store::insert_line(tx, mall.book_id, &line)?;
    Ok(line)
}

/// The line of an event.
pub(crate) fn settled_line(tx: &mut dyn Read, mall: &Mall, event_id: Uuid) -> Result<Line> {
    let line = store::line_of(tx, mall.book_id, event_id)?;
    let missing = || scrip_engine::Error::Corrupt(format!("settlement {event_id} is missing"));
    Ok(line.ok_or_else(missing)?)
}

/// What is drawn of a deposit: its accounts at the member and at the mall.
pub(super) struct Draw {
    pub accounts: (i64, i64),
    pub amount: Amount,
}

/// What a member owes the mall alone, and to nobody else: a royalty, a toll. What is drawn of a
/// deposit is paid at once, and the line says the rest.
pub(super) fn charge_drawn(
    tx: &mut Tx<'_>,
    mall: &Mall,
    (member, charges): (&Member, i64),
    (kind, event_id): (LineKind, Uuid),
    (amount, draw): (Amount, Option<Draw>),
) -> Result<Option<Line>> {
    if !amount.is_positive() {
        return Ok(None);
    }
    let accounts = &member.accounts;
    let royalty = royalty_account(tx, mall)?;
    let drawn = draw.as_ref().map_or(Amount::ZERO, |draw| draw.amount);
    let owed = amount.minus(drawn)?;
    let mut ours = leg(charges, accounts.member_due, owed);
    let mut theirs = leg(accounts.mall_due, royalty, owed);
    if let Some(Draw { accounts, amount }) = draw {
        ours.extend(leg(charges, accounts.0, amount));
        theirs.extend(leg(accounts.1, royalty, amount));
    }
    let effective_at = tx.now();
    let mut post = |book_id, legs: &[Leg]| {
        let posting = Posting {
            book_id,
            event_id,
            code: kind.name(),
            actor: "system",
            reference: "",
            effective_at,
            legs,
        };
        entry_post(tx, &posting)
    };
    let debtor_entry = post(member.book_id, &ours)?;
    let mall_entry = post(mall.book_id, &theirs)?;
    let line = Line {
        event_id,
        kind,
        debtor: member.book_id,
        creditor: mall.book_id,
        money: Owed {
            owed,
            received: Amount::ZERO,
            residue: Amount::ZERO,
            kept: Amount::ZERO,
            royalty: owed,
            drawn,
        },
        debtor_entry,
        creditor_entry: mall_entry,
        mall_entry,
        at: effective_at,
    };
    store::insert_line(tx, mall.book_id, &line)?;
    Ok(Some(line))
}

/// A leg of money; none where nothing moves.
fn leg(debit: i64, credit: i64, amount: Amount) -> Vec<Leg> {
    let legs = amount.is_positive().then_some(Leg {
        debit,
        credit,
        amount,
        grant: None,
    });
    legs.into_iter().collect()
}
