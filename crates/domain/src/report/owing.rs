//! What the vendor owes its customers: tokens outstanding, what was paid for them, and how that
//! money is earned, breaks or goes back (ADV-08).
//!
//! Money that is received for tokens is deferred. It is earned when the tokens are spent, and owed
//! again when an order is given back. When they expire it is breakage.

use super::calendar::{Day, Span};
use super::rollup::{Figures, Flow, Held, Way, quarter_begin};
use crate::vendor::Vendor;
use scrip_engine::{Read, ReadTx, Timestamp};
use scrip_ledger::{Amount, Origin, Result, account_balances};
use std::collections::BTreeMap;

/// The first day of age of each group, in days from the day of the grant.
pub const AGES: [i64; 5] = [0, 31, 91, 181, 366];

/// What customers hold, by age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aged {
    /// The age from which the group is, in days.
    pub from: i64,
    /// Free, on credit, paid.
    pub origins: [Held; 3],
    /// All of them.
    pub total: Held,
}

/// What customers hold now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Liability {
    /// By age, youngest first.
    pub ages: Vec<Aged>,
    /// All of it.
    pub total: Aged,
    /// What the ledger's accounts say is outstanding: the same tokens.
    pub ledger: Amount,
}

/// The place of an origin in [`Aged::origins`].
pub fn place(origin: Origin) -> usize {
    match origin {
        Origin::Free => 0,
        Origin::Credit => 1,
        Origin::Paid => 2,
    }
}

/// What customers hold now, held pieces and expired ones that have not left included.
pub fn liability(tx: &mut ReadTx<'_>, vendor: &Vendor, figures: &Figures) -> Result<Liability> {
    let today = figures.zone.day_of(tx.now());
    let mut ages = AGES.map(|from| Aged {
        from,
        ..Aged::default()
    });
    let mut total = Aged::default();
    for ((granted, _, origin), held) in figures.held(tx)? {
        let age = granted.until(today);
        let group = ages.iter_mut().rev().find(|group| age >= group.from);
        for group in group.into_iter().chain([&mut total]) {
            if let Some(sum) = group.origins.get_mut(place(origin)) {
                sum.add(&held)?;
            }
            group.total.add(&held)?;
        }
    }
    let accounts = vendor.accounts;
    let accounts = [accounts.issued, accounts.spent, accounts.expired];
    let balances = account_balances(tx, vendor.book_id, &accounts)?;
    Ok(Liability {
        ages: ages.to_vec(),
        total,
        ledger: Amount::sum(balances)?.negated()?,
    })
}

/// What expired, and what will.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiries {
    /// What expired, by period of the span.
    pub periods: Vec<Held>,
    /// All of it.
    pub total: Held,
    /// What is going to expire if nobody spends it, by the first day of the month; what has
    /// expired and not left yet is in the month in which it did.
    pub coming: Vec<(Day, Held)>,
    /// What never expires.
    pub never: Held,
}

/// What expired in a span, and what customers hold by the month in which it expires.
pub fn expiries(tx: &mut dyn Read, figures: &Figures, span: &Span) -> Result<Expiries> {
    use super::calendar::Step;
    let periods = span.periods();
    let mut all = Expiries {
        periods: vec![Held::default(); periods.len()],
        ..Expiries::default()
    };
    figures.flows(tx, Some(span.from()), span.to(), &mut |day, _, flow| {
        let net = Held {
            tokens: flow
                .tokens(Way::Expired)
                .minus(flow.tokens(Way::Restored))?,
            worth: flow.net_worth(Way::Expired, Way::Restored)?,
        };
        if let Some(sum) = all.periods.get_mut(Span::place(&periods, day)) {
            sum.add(&net)?;
        }
        all.total.add(&net)
    })?;
    let mut coming: BTreeMap<Day, Held> = BTreeMap::new();
    for ((_, quarter, _), held) in figures.held(tx)? {
        match quarter_begin(quarter) {
            Timestamp::NEVER => all.never.add(&held)?,
            at => {
                let month = Step::Month.begin(figures.zone.day_of(at));
                coming.entry(month).or_default().add(&held)?;
            }
        }
    }
    all.coming = coming.into_iter().collect();
    Ok(all)
}

/// Deferred revenue of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deferral {
    /// Deferred when it begins.
    pub opening: Amount,
    /// Received for tokens, or owed by customers for them.
    pub received: Amount,
    /// Earned by tokens that were spent.
    pub earned: Amount,
    /// Owed again for orders that were given back.
    pub reversed: Amount,
    /// Broken by tokens that expired.
    pub breakage: Amount,
    /// Paid back for tokens that were taken back.
    pub paid_back: Amount,
    /// Deferred when it ends: the worth of the tokens that customers hold.
    pub closing: Amount,
}

impl Deferral {
    /// Earned, without what is owed again.
    pub fn net_earned(&self) -> Result<Amount> {
        self.earned.minus(self.reversed)
    }

    fn add(&mut self, flow: &Flow) -> Result<()> {
        self.received = self.received.plus(flow.worth(Way::Issued))?;
        self.earned = self.earned.plus(flow.worth(Way::Spent))?;
        self.reversed = self.reversed.plus(flow.worth(Way::Returned))?;
        let broken = flow.net_worth(Way::Expired, Way::Restored)?;
        self.breakage = self.breakage.plus(broken)?;
        self.paid_back = self.paid_back.plus(flow.worth(Way::Withdrawn))?;
        Ok(())
    }

    /// Sets the closing from the opening and what happened.
    fn close(&mut self, opening: Amount) -> Result<()> {
        self.opening = opening;
        self.closing = opening
            .plus(self.received)?
            .minus(self.net_earned()?)?
            .minus(self.breakage)?
            .minus(self.paid_back)?;
        Ok(())
    }
}

/// Deferred revenue of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deferrals {
    /// By period.
    pub periods: Vec<Deferral>,
    /// All of it.
    pub total: Deferral,
}

/// Deferred and earned revenue by period, by the time from which it counts.
pub fn deferrals(tx: &mut dyn Read, figures: &Figures, span: &Span) -> Result<Deferrals> {
    let periods = span.periods();
    let mut before = Deferral::default();
    let mut all = Deferrals {
        periods: vec![Deferral::default(); periods.len()],
        total: Deferral::default(),
    };
    figures.flows(tx, None, span.to(), &mut |day, _, flow| {
        if day < span.from() {
            return before.add(flow);
        }
        if let Some(sum) = all.periods.get_mut(Span::place(&periods, day)) {
            sum.add(flow)?;
        }
        all.total.add(flow)
    })?;
    before.close(Amount::ZERO)?;
    let mut opening = before.closing;
    all.total.close(opening)?;
    for period in &mut all.periods {
        period.close(opening)?;
        opening = period.closing;
    }
    Ok(all)
}

/// Everything that was earned and broken before a day, since the beginning.
pub fn recognised_before(tx: &mut dyn Read, figures: &Figures, day: Day) -> Result<Deferral> {
    let mut sum = Deferral::default();
    figures.flows(tx, None, day, &mut |_, _, flow| sum.add(flow))?;
    sum.close(Amount::ZERO)?;
    Ok(sum)
}
