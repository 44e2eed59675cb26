//! The entries of an event between two members.

use super::deposit::{Settles, Source};
use super::{Mall, Member, Result, deposit, royalty_account, store};
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
        /// Money that passes because the mall decided so, after a dispute or without one.
        Adjustment = "adjustment",
        /// What a member pays for tokens that it may issue (MSP-01).
        Quota = "quota",
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
    /// What the mall took at once: nothing of it is owed any more. What is owed and this are
    /// what is received, the residue and the royalty.
    pub drawn: Amount,
    /// How the debtor settles it (OPN-20).
    pub means: Settles,
}

impl Owed {
    /// What one owes, and what of it the other gets. Nothing is taken at once yet: that is
    /// decided when it is settled.
    pub fn passing(owed: Amount, received: Amount) -> Owed {
        Owed {
            owed,
            received,
            residue: Amount::ZERO,
            kept: Amount::ZERO,
            royalty: Amount::ZERO,
            drawn: Amount::ZERO,
            means: Settles::Invoice,
        }
    }

    /// The same event taken back: who received owes it now.
    pub fn reversed(&self) -> Result<Owed> {
        Ok(Owed {
            kept: self.kept.negated()?,
            royalty: self.royalty.negated()?,
            ..Owed::passing(self.received, self.owed.plus(self.drawn)?)
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

/// What a member owes the mall by all of these lines; below zero what it is owed.
pub fn owed_in_all(lines: &[Line], member: i64) -> Result<Amount> {
    let owes = lines.iter().map(|line| line.owes(member));
    Ok(Amount::sum(owes.collect::<Result<Vec<_>>>()?)?)
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
/// the event itself makes are given; what is owed is added to them, and what of it is taken at once.
pub fn settle(tx: &mut Tx<'_>, mall: &Mall, sides: &Sides<'_>, money: &Owed) -> Result<Line> {
    let (debtor, spent) = sides.debtor;
    let (creditor, issued, income) = sides.creditor;
    // At home the debtor owes itself all but the royalty.
    let at_once = match debtor.book_id == creditor.book_id {
        true => None,
        false => deposit::at_once(tx, mall, debtor, sides.kind, money.owed)?,
    };
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
    let (from_debtor, to_mall) = match &at_once {
        Some(source) => (
            leg(debtor.accounts.member_due, source.accounts.0, source.amount),
            leg(source.accounts.1, debtor.accounts.mall_due, source.amount),
        ),
        None => Default::default(),
    };
    let debtor_legs = [spent, &owing[..], &from_debtor[..]].concat();
    let creditor_legs = [issued, &owed[..]].concat();
    let between = between(tx, mall, (debtor, creditor), money)?;
    let mall_legs = [sides.mall, &between[..], &to_mall[..]].concat();
    let money = match &at_once {
        Some(source) => Owed {
            owed: money.owed.minus(source.amount)?,
            drawn: source.amount,
            means: source.means,
            ..*money
        },
        None => *money,
    };
    let line = Line {
        event_id: sides.event_id,
        kind: sides.kind,
        debtor: debtor.book_id,
        creditor: creditor.book_id,
        money,
        debtor_entry: post(tx, debtor.book_id, &debtor_legs)?,
        creditor_entry: post(tx, creditor.book_id, &creditor_legs)?,
        mall_entry: post(tx, mall.book_id, &mall_legs)?,
        at: tx.now(),
    };
    store::insert_line(tx, mall.book_id, &line)?;
    Ok(line)
}

/// What passes in the mall's own book: to the creditor, to what is left over, to its royalties.
fn between(
    tx: &mut Tx<'_>,
    mall: &Mall,
    (debtor, creditor): (&Member, &Member),
    money: &Owed,
) -> Result<Vec<Leg>> {
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
    Ok([passed, left, royalty].concat())
}

/// The line of an event.
pub(crate) fn settled_line(tx: &mut dyn Read, mall: &Mall, event_id: Uuid) -> Result<Line> {
    let line = store::line_of(tx, mall.book_id, event_id)?;
    let missing = || scrip_engine::Error::Corrupt(format!("settlement {event_id} is missing"));
    Ok(line.ok_or_else(missing)?)
}

/// What a member owes the mall alone, and to nobody else: a royalty, a toll. What is taken at once
/// is paid, and the line says the rest.
pub(super) fn charge(
    tx: &mut Tx<'_>,
    mall: &Mall,
    (member, charges): (&Member, i64),
    (kind, event_id): (LineKind, Uuid),
    (amount, at_once): (Amount, Option<Source>),
) -> Result<Option<Line>> {
    if !amount.is_positive() {
        return Ok(None);
    }
    let accounts = &member.accounts;
    let royalty = royalty_account(tx, mall)?;
    let drawn = at_once.as_ref().map_or(Amount::ZERO, |s| s.amount);
    let owed = amount.minus(drawn)?;
    let mut ours = leg(charges, accounts.member_due, owed);
    let mut theirs = leg(accounts.mall_due, royalty, owed);
    let means = at_once.as_ref().map_or(Settles::Invoice, |s| s.means);
    if let Some(source) = at_once {
        ours.extend(leg(charges, source.accounts.0, drawn));
        theirs.extend(leg(source.accounts.1, royalty, drawn));
    }
    let money = Owed {
        royalty: amount,
        drawn,
        means,
        ..Owed::passing(owed, Amount::ZERO)
    };
    let alone = Alone {
        kind,
        event_id,
        debtor: member.book_id,
        creditor: mall.book_id,
        money,
    };
    Ok(Some(with_mall(tx, mall, member, alone, (&ours, &theirs))?))
}

/// What the mall alone pays a member, out of what it kept.
pub(super) fn given_back(
    tx: &mut Tx<'_>,
    mall: &Mall,
    (member, charges): (&Member, i64),
    (kind, event_id): (LineKind, Uuid),
    amount: Amount,
) -> Result<Line> {
    let royalty = royalty_account(tx, mall)?;
    let ours = leg(member.accounts.member_due, charges, amount);
    let theirs = leg(royalty, member.accounts.mall_due, amount);
    let money = Owed {
        royalty: amount.negated()?,
        ..Owed::passing(Amount::ZERO, amount)
    };
    let alone = Alone {
        kind,
        event_id,
        debtor: mall.book_id,
        creditor: member.book_id,
        money,
    };
    with_mall(tx, mall, member, alone, (&ours, &theirs))
}

/// An event between a member and the mall alone.
struct Alone {
    kind: LineKind,
    event_id: Uuid,
    debtor: i64,
    creditor: i64,
    money: Owed,
}

/// Posts it into both books, and keeps its line.
fn with_mall(
    tx: &mut Tx<'_>,
    mall: &Mall,
    member: &Member,
    alone: Alone,
    (ours, theirs): (&[Leg], &[Leg]),
) -> Result<Line> {
    let effective_at = tx.now();
    let mut post = |book_id, legs: &[Leg]| {
        let posting = Posting {
            book_id,
            event_id: alone.event_id,
            code: alone.kind.name(),
            actor: "system",
            reference: "",
            effective_at,
            legs,
        };
        entry_post(tx, &posting)
    };
    let member_entry = post(member.book_id, ours)?;
    let mall_entry = post(mall.book_id, theirs)?;
    let entry_of = |book| match book == member.book_id {
        true => member_entry,
        false => mall_entry,
    };
    let line = Line {
        event_id: alone.event_id,
        kind: alone.kind,
        debtor: alone.debtor,
        creditor: alone.creditor,
        money: alone.money,
        debtor_entry: entry_of(alone.debtor),
        creditor_entry: entry_of(alone.creditor),
        mall_entry,
        at: effective_at,
    };
    store::insert_line(tx, mall.book_id, &line)?;
    Ok(line)
}

/// A leg of money; none where nothing moves.
pub(super) fn leg(debit: i64, credit: i64, amount: Amount) -> Vec<Leg> {
    let legs = amount.is_positive().then_some(Leg {
        debit,
        credit,
        amount,
        grant: None,
    });
    legs.into_iter().collect()
}
