//! Which tokens pay for which lines: one decision over the whole order (TOK-05, TOK-07).
//!
//! Among all ways that the rules allow and that pay everything, the preferred one is taken:
//! soonest expiry first, then restricted before ordinary tokens, free before credit before paid,
//! older before newer. Lots are added in that order to a maximum flow from lots to lines. A later
//! lot may move an earlier one to another line but never reduces it, so the result is the first
//! in the order of preference, and an order is refused only when no way pays all of it.

use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Error, Lot, Piece, Result};
use std::collections::VecDeque;

/// What a line needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Tokens.
    pub amount: Amount,
    /// True when tokens restricted to sales may pay.
    pub on_sale: bool,
    /// The category of what is bought; empty where no token is restricted to one.
    pub category: String,
}

/// What stands before the category in the restriction of tokens that pay for one only (TOK-01).
pub(super) const CATEGORY: &str = "category:";

/// True when the lot may pay for the line.
fn allowed(lot: &Lot, need: &Need) -> bool {
    match lot.grant.restriction.as_deref() {
        None => true,
        Some("sale") => need.on_sale,
        Some(other) => other
            .strip_prefix(CATEGORY)
            .is_some_and(|category| category == need.category),
    }
}

/// The pieces that pay for all needs, or `None` when no allowed way does.
pub fn allocate(lots: &[Lot], needs: &[Need], now: Timestamp) -> Result<Option<Vec<Piece>>> {
    let mut usable: Vec<&Lot> = lots.iter().filter(|l| l.usable(now)).collect();
    usable.sort_by_key(|l| {
        let g = &l.grant;
        (
            g.expires_at,
            g.restriction.is_none(),
            g.origin,
            g.granted_at,
            g.grant_id,
        )
    });
    let classes = classes(needs)?;
    let mut flow = Flow::new(&usable, &classes);
    for lot in 0..usable.len() {
        flow.push(lot)?;
    }
    if flow.open.iter().any(|open| open.is_positive()) {
        return Ok(None);
    }
    let mut pieces = Vec::new();
    for (lot, used) in usable.iter().zip(&flow.used) {
        let amount = Amount::sum(used.iter().copied())?;
        if amount.is_positive() {
            pieces.push(Piece {
                grant: lot.grant.grant_id,
                amount,
            });
        }
    }
    Ok(Some(pieces))
}

/// Lines with the same rules count as one.
fn classes(needs: &[Need]) -> Result<Vec<Need>> {
    let mut classes: Vec<Need> = Vec::new();
    for need in needs {
        match classes
            .iter_mut()
            .find(|c| c.on_sale == need.on_sale && c.category == need.category)
        {
            Some(class) => class.amount = class.amount.plus(need.amount)?,
            None => classes.push(need.clone()),
        }
    }
    Ok(classes)
}

/// A flow from lots to classes of lines.
struct Flow<'a> {
    lots: &'a [&'a Lot],
    classes: &'a [Need],
    /// What each class still needs.
    open: Vec<Amount>,
    /// used[lot][class].
    used: Vec<Vec<Amount>>,
}

impl<'a> Flow<'a> {
    fn new(lots: &'a [&'a Lot], classes: &'a [Need]) -> Self {
        Flow {
            lots,
            classes,
            open: classes.iter().map(|c| c.amount).collect(),
            used: vec![vec![Amount::ZERO; classes.len()]; lots.len()],
        }
    }

    /// Uses as much of a lot as can be used without using less of any other.
    fn push(&mut self, lot: usize) -> Result<()> {
        let mut rest = self.lots[lot].remaining;
        while rest.is_positive() {
            let Some(path) = self.path(lot) else {
                return Ok(());
            };
            let mut amount = rest;
            if let Some(last) = path.last() {
                amount = amount.min(self.open[last.class]);
            }
            // Along the path, each lot after the first gives up one class for another.
            for pair in path.windows(2) {
                amount = amount.min(self.used[pair[1].lot][pair[0].class]);
            }
            for (i, step) in path.iter().enumerate() {
                let to = &mut self.used[step.lot][step.class];
                *to = to.plus(amount)?;
                if let Some(next) = path.get(i.checked_add(1).ok_or(Error::Overflow)?) {
                    let from = &mut self.used[next.lot][step.class];
                    *from = from.minus(amount)?;
                }
            }
            if let Some(last) = path.last() {
                self.open[last.class] = self.open[last.class].minus(amount)?;
            }
            rest = rest.minus(amount)?;
        }
        Ok(())
    }

    /// The shortest way from a lot to a class that still needs something.
    fn path(&self, from: usize) -> Option<Vec<Step>> {
        let mut reached: Vec<Option<Reach>> = vec![None; self.classes.len()];
        let mut queue = VecDeque::from([(from, None)]);
        let mut seen = vec![false; self.lots.len()];
        while let Some((lot, by)) = queue.pop_front() {
            if std::mem::replace(&mut seen[lot], true) {
                continue;
            }
            for class in 0..self.classes.len() {
                if reached[class].is_some() || !allowed(self.lots[lot], &self.classes[class]) {
                    continue;
                }
                reached[class] = Some(Reach { lot, before: by });
                if self.open[class].is_positive() {
                    return Some(trace(&reached, class));
                }
                for (other, used) in self.used.iter().enumerate() {
                    if used[class].is_positive() {
                        queue.push_back((other, Some(class)));
                    }
                }
            }
        }
        None
    }
}

/// How a class was reached: by this lot, which was reached through the class before.
#[derive(Clone, Copy)]
struct Reach {
    lot: usize,
    before: Option<usize>,
}

#[derive(Clone, Copy)]
struct Step {
    lot: usize,
    class: usize,
}

fn trace(reached: &[Option<Reach>], last: usize) -> Vec<Step> {
    let mut path = Vec::new();
    let mut at = Some(last);
    while let Some(class) = at {
        let Some(reach) = reached[class] else { break };
        path.push(Step {
            lot: reach.lot,
            class,
        });
        at = reach.before;
    }
    path.reverse();
    path
}
