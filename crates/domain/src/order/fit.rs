//! What makes an order fit when tokens are short (SHP-14). Pure: a list in, suggestions out.

use super::list::OrderList;
use super::{Quote, QuoteLine};
use crate::catalog::Tier;
use crate::id::OfferId;
use scrip_ledger::Amount;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// Suggestions at most.
const AT_MOST: usize = 5;

/// A change of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Untick the line.
    LeaveOut,
    /// Take another quantity.
    Take {
        /// What to ask for.
        quantity: i64,
        /// What is granted for it: the upper bound of its tier.
        granted: i64,
    },
}

/// A change that is suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// The line.
    pub offer_id: OfferId,
    /// Its name.
    pub title: String,
    /// What to change.
    pub change: Change,
    /// Tokens that it saves.
    pub saves: Amount,
    /// AT - RT after it.
    pub remaining: Amount,
}

/// What makes a short order fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fits {
    /// Changes of which each is enough by itself, the smallest saving first; five at most.
    pub single: Vec<Fit>,
    /// Where none is enough: the fewest lines to leave out. What remains is counted after each
    /// and those before it, so that it is below zero until the last.
    pub together: Vec<Fit>,
}

/// A line of an order, with the tiers that it could have.
#[derive(Clone, Copy)]
pub(super) struct Counted<'a> {
    pub line: &'a QuoteLine,
    pub tiers: &'a [Tier],
}

/// Changes that make a short order fit; none when nothing is short (SHP-14). No suggestion
/// empties the order: where nothing else helps there is none, and tokens have to be bought.
pub fn fits(list: &OrderList) -> Fits {
    let counted = list.lines.iter().filter(|l| l.is_counted());
    let counted = counted.map(|l| Counted {
        line: &l.line,
        tiers: &l.tiers,
    });
    fits_of(counted.collect(), &list.quote)
}

/// The same for lines that are on no list.
pub(super) fn fits_of(counted: Vec<Counted<'_>>, quote: &Quote) -> Fits {
    let Some(short) = quote.shortage() else {
        return Fits::default();
    };
    let mut single: Vec<Fit> = counted
        .iter()
        .flat_map(|line| {
            let left_out = (counted.len() > 1).then(|| leave_out(line, quote.remaining));
            [smaller(line, short, quote.remaining), left_out.flatten()]
        })
        .flatten()
        .filter(|fit| fit.saves >= short)
        .collect();
    single.sort_by_key(|fit| fit.saves);
    single.truncate(AT_MOST);
    let together = if single.is_empty() {
        together(counted, quote.remaining)
    } else {
        Vec::new()
    };
    Fits { single, together }
}

/// The largest smaller quantity of a line that saves what is short.
fn smaller(line: &Counted<'_>, short: Amount, remaining: Amount) -> Option<Fit> {
    let priced = line.line;
    if line.tiers.is_empty() {
        // Pieces that have to go: what is short, in whole pieces.
        let unit = priced.unit_price.units();
        let whole = short.units().checked_div(unit)?;
        let rest = short.units().checked_rem(unit)?;
        let dropped = whole.checked_add(i64::from(rest > 0))?;
        let quantity = priced.quantity.checked_sub(dropped).filter(|q| *q > 0)?;
        let saves = priced.unit_price.times(dropped).ok()?;
        let granted = quantity;
        return fit(line, Change::Take { quantity, granted }, saves, remaining);
    }
    let cheap_enough = |price: Amount| priced.amount.minus(price).is_ok_and(|saves| saves >= short);
    let tier = line
        .tiers
        .iter()
        .rev()
        .find(|t| t.up_to < priced.granted && cheap_enough(t.price))?;
    let change = Change::Take {
        quantity: tier.up_to,
        granted: tier.up_to,
    };
    fit(
        line,
        change,
        priced.amount.minus(tier.price).ok()?,
        remaining,
    )
}

fn leave_out(line: &Counted<'_>, remaining: Amount) -> Option<Fit> {
    fit(line, Change::LeaveOut, line.line.amount, remaining)
}

/// A change, with what remains after it.
fn fit(line: &Counted<'_>, change: Change, saves: Amount, remaining: Amount) -> Option<Fit> {
    Some(Fit {
        offer_id: line.line.offer_id,
        title: line.line.title.clone(),
        change,
        saves,
        remaining: remaining.plus(saves).ok()?,
    })
}

/// The dearest lines go until one more is enough; of those that are, the cheapest goes.
fn together(mut lines: Vec<Counted<'_>>, mut remaining: Amount) -> Vec<Fit> {
    lines.sort_by_key(|l| Reverse(l.line.amount));
    let mut out = Vec::new();
    while remaining < Amount::ZERO && !lines.is_empty() {
        let enough = |l: &Counted<'_>| {
            l.line
                .amount
                .plus(remaining)
                .is_ok_and(|r| r >= Amount::ZERO)
        };
        let next = lines.remove(lines.iter().rposition(enough).unwrap_or(0));
        let Some(fit) = leave_out(&next, remaining) else {
            return Vec::new();
        };
        remaining = fit.remaining;
        out.push(fit);
    }
    if lines.is_empty() { Vec::new() } else { out }
}
