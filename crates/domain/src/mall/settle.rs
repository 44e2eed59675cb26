//! The entries of an event between two members.

use super::{Mall, Member, Result, store};
use crate::text::named;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, Leg, Posting, entry_post};
use uuid::Uuid;

named! {
    /// What happened between two members.
    LineKind, "what happened" {
        /// Tokens of one became tokens of the other (OPN-01).
        Exchange = "exchange",
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
}

/// Posts an event between two members into the three books, and keeps a line of it. The legs that
/// the event itself makes are given; what is owed is added to them.
pub fn settle(tx: &mut Tx<'_>, mall: &Mall, sides: &Sides<'_>, money: &Owed) -> Result<Line> {
    let (debtor, spent) = sides.debtor;
    let (creditor, issued, income) = sides.creditor;
    let code = sides.kind.name();
    let mut post = |book_id, legs: &[Leg]| {
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
    let through = leg(
        debtor.accounts.mall_due,
        creditor.accounts.mall_due,
        money.received,
    );
    let left = leg(
        debtor.accounts.mall_due,
        mall.residue_account,
        money.residue,
    );
    let line = Line {
        event_id: sides.event_id,
        kind: sides.kind,
        debtor: debtor.book_id,
        creditor: creditor.book_id,
        money: *money,
        debtor_entry: post(debtor.book_id, &debtor_legs)?,
        creditor_entry: post(creditor.book_id, &creditor_legs)?,
        mall_entry: post(mall.book_id, &[through, left].concat())?,
        at: tx.now(),
    };
    store::insert_line(tx, mall.book_id, &line)?;
    Ok(line)
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
