//! Booking what was earned: from the deferred account to the accounts of earned money and of
//! breakage, once a period is over (ADV-08).
//!
//! A booking takes everything that counts before a day and is not booked yet. So the bookings
//! follow each other without a gap, and what was entered for a period after its booking is in the
//! next one: nothing that was booked is ever changed.

mod store;

use crate::Actor;
use crate::audit;
use crate::books::{account, account_found};
use crate::command::CommandError;
use crate::report::calendar::Day;
use crate::report::owing::{Deferral, recognised_before};
use crate::report::rollup::{Figures, figures};
use crate::vendor::Vendor;
use scrip_engine::{Error as EngineError, Read, ReadTx, Timestamp, Tx};
use scrip_ledger::{
    AccountKind, Amount, Error as LedgerError, Leg, Posting, account_balances, entry_post,
};
use serde_json::json;

/// The code of the entries.
pub const CODE: &str = "recognition";

/// A booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The day before which it takes everything.
    pub until: Day,
    /// Earned, without what is owed again; below zero when more is.
    pub earned: Amount,
    /// Broken.
    pub breakage: Amount,
    /// The entry; `None` when there was nothing to move.
    pub entry_id: Option<i64>,
    /// Who booked it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// Why nothing was booked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevenueError {
    /// The period is not over.
    #[error("this period is not over: its last day is {last}, book it when that has passed")]
    Open {
        /// Its last day.
        last: Day,
    },
    /// A later one is booked.
    #[error("everything until {last} is booked already: choose a later day")]
    Booked {
        /// The last day of the last booking.
        last: Day,
    },
    /// Only for the vendor.
    #[error("only the vendor's staff may book revenue")]
    StaffOnly,
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, RevenueError>;

/// Books what was earned and broken until a day, itself included. Booking the same day again
/// changes nothing and answers what was booked.
pub fn revenue_book(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, last: Day) -> Result<Booking> {
    if !actor.for_vendor() {
        return Err(RevenueError::StaffOnly);
    }
    let (book, until) = (vendor.book_id, last.plus(1));
    // Of two at once the second one sees what the first one booked.
    tx.lock_name(&format!("revenue {book}"))?;
    let earlier = store::all(tx, book)?;
    if let Some(same) = earlier.iter().find(|booking| booking.until == until) {
        return Ok(same.clone());
    }
    if let Some(later) = earlier.iter().find(|booking| booking.until > until) {
        return Err(RevenueError::Booked {
            last: later.until.plus(-1),
        });
    }
    let figures = figures(tx, vendor)?;
    let end = figures.zone.begin(until);
    if end > tx.now() {
        return Err(RevenueError::Open { last });
    }
    let all = recognised_before(tx, &figures, until)?;
    let earned = all.net_earned()?.minus(sum(&earlier, |b| b.earned)?)?;
    let breakage = all.breakage.minus(sum(&earlier, |b| b.breakage)?)?;
    let booking = Booking {
        until,
        earned,
        breakage,
        entry_id: post(tx, actor, vendor, last, end, earned, breakage)?,
        actor: actor.to_string(),
        at: tx.now(),
    };
    store::insert(tx, book, &booking)?;
    let detail = json!({"earned": earned, "breakage": breakage});
    audit::note(
        tx,
        book,
        actor,
        "revenue.booked",
        &last.to_string(),
        &detail,
    )?;
    Ok(booking)
}

fn sum(bookings: &[Booking], of: impl Fn(&Booking) -> Amount) -> Result<Amount> {
    Ok(Amount::sum(bookings.iter().map(of))?)
}

fn post(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    last: Day,
    end: Timestamp,
    earned: Amount,
    breakage: Amount,
) -> Result<Option<i64>> {
    let deferred = vendor.accounts.deferred;
    let mut legs = Vec::new();
    for (kind, amount) in [
        (AccountKind::Earned, earned),
        (AccountKind::Breakage, breakage),
    ] {
        if amount.is_zero() {
            continue;
        }
        let to = account(tx, vendor, kind)?;
        let (debit, credit, amount) = if amount.is_positive() {
            (deferred, to, amount)
        } else {
            (to, deferred, amount.negated()?)
        };
        legs.push(Leg {
            debit,
            credit,
            amount,
            grant: None,
        });
    }
    if legs.is_empty() {
        return Ok(None);
    }
    let posting = Posting {
        book_id: vendor.book_id,
        event_id: tx.new_id()?,
        code: CODE,
        actor: &actor.to_string(),
        reference: &format!("Revenue until {last}"),
        // In the period that it closes.
        effective_at: Timestamp(end.0.saturating_sub(1)),
        legs: &legs,
    };
    Ok(Some(entry_post(tx, &posting)?))
}

/// The bookings of a vendor, oldest first.
pub fn bookings(tx: &mut dyn Read, vendor: &Vendor) -> Result<Vec<Booking>> {
    Ok(store::all(tx, vendor.book_id)?)
}

/// What the ledger's accounts say beside the report: they must come to the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The worth of all tokens that customers hold.
    pub outstanding: Amount,
    /// Received for tokens and not yet earned, broken or paid back, over all time.
    pub closing: Amount,
    /// The deferred account, from which bookings have taken their part.
    pub deferred: Amount,
    /// The account of earned money.
    pub earned: Amount,
    /// The account of breakage.
    pub breakage: Amount,
    /// Earned and broken, and not booked yet.
    pub unbooked: Amount,
}

impl Control {
    /// The deferred account without what is still to be booked from it: the closing, where every
    /// payment went by the deferred account.
    pub fn deferred_after_booking(&self) -> scrip_ledger::Result<Amount> {
        self.deferred.minus(self.unbooked)
    }
}

/// Compares the report with the ledger's accounts.
pub fn control(tx: &mut ReadTx<'_>, vendor: &Vendor, figures: &Figures) -> Result<Control> {
    let tomorrow = figures.zone.day_of(tx.now()).plus(1);
    let all: Deferral = recognised_before(tx, figures, tomorrow)?;
    let mut accounts = vec![vendor.accounts.deferred];
    for kind in [AccountKind::Earned, AccountKind::Breakage] {
        // Zero is no account's number.
        accounts.push(account_found(tx, vendor, kind)?.unwrap_or(0));
    }
    let balances = account_balances(tx, vendor.book_id, &accounts)?;
    let balance = |place: usize| balances.get(place).copied().unwrap_or_default();
    let held = figures.held(tx)?;
    let recognised = all.net_earned()?.plus(all.breakage)?;
    let booked = balance(1).plus(balance(2))?;
    Ok(Control {
        outstanding: Amount::sum(held.values().map(|h| h.worth))?,
        closing: all.closing,
        deferred: balance(0),
        earned: balance(1),
        breakage: balance(2),
        unbooked: recognised.minus(booked)?,
    })
}
