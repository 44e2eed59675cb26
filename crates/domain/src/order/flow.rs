//! A maximum flow from what there is to what is needed, in an order of preference.
//!
//! Each source is added in its turn. A later one may move an earlier one to another need but never
//! reduces it, so the result is the first in the order of preference, and there is none only when
//! no way covers every need.

use scrip_ledger::{Amount, Error, Result};
use std::collections::VecDeque;

/// How much of each source each need uses, by source and need, or `None` when what there is cannot
/// cover all needs. `may` says which source may cover which need.
pub(crate) fn flow(
    has: &[Amount],
    needs: &[Amount],
    may: &dyn Fn(usize, usize) -> bool,
) -> Result<Option<Vec<Vec<Amount>>>> {
    let mut flow = Flow {
        has,
        may,
        open: needs.to_vec(),
        used: vec![vec![Amount::ZERO; needs.len()]; has.len()],
    };
    for source in 0..has.len() {
        flow.push(source)?;
    }
    let is_covered = flow.open.iter().all(|open| !open.is_positive());
    Ok(is_covered.then_some(flow.used))
}

struct Flow<'a> {
    has: &'a [Amount],
    may: &'a dyn Fn(usize, usize) -> bool,
    /// What each need still needs.
    open: Vec<Amount>,
    /// used[source][need].
    used: Vec<Vec<Amount>>,
}

impl Flow<'_> {
    /// Uses as much of a source as can be used without using less of any other.
    fn push(&mut self, source: usize) -> Result<()> {
        let mut rest = self.has[source];
        while rest.is_positive() {
            let Some(path) = self.path(source) else {
                return Ok(());
            };
            let mut amount = rest;
            if let Some(last) = path.last() {
                amount = amount.min(self.open[last.need]);
            }
            // Along the path, each source after the first gives up one need for another.
            for pair in path.windows(2) {
                amount = amount.min(self.used[pair[1].source][pair[0].need]);
            }
            for (i, step) in path.iter().enumerate() {
                let to = &mut self.used[step.source][step.need];
                *to = to.plus(amount)?;
                if let Some(next) = path.get(i.checked_add(1).ok_or(Error::Overflow)?) {
                    let from = &mut self.used[next.source][step.need];
                    *from = from.minus(amount)?;
                }
            }
            if let Some(last) = path.last() {
                self.open[last.need] = self.open[last.need].minus(amount)?;
            }
            rest = rest.minus(amount)?;
        }
        Ok(())
    }

    /// The shortest way from a source to a need that is not covered.
    fn path(&self, from: usize) -> Option<Vec<Step>> {
        let mut reached: Vec<Option<Reach>> = vec![None; self.open.len()];
        let mut queue = VecDeque::from([(from, None)]);
        let mut seen = vec![false; self.has.len()];
        while let Some((source, by)) = queue.pop_front() {
            if std::mem::replace(&mut seen[source], true) {
                continue;
            }
            for need in 0..self.open.len() {
                if reached[need].is_some() || !(self.may)(source, need) {
                    continue;
                }
                reached[need] = Some(Reach { source, before: by });
                if self.open[need].is_positive() {
                    return Some(trace(&reached, need));
                }
                for (other, used) in self.used.iter().enumerate() {
                    if used[need].is_positive() {
                        queue.push_back((other, Some(need)));
                    }
                }
            }
        }
        None
    }
}

/// How a need was reached: by this source, which was reached through the need before.
#[derive(Clone, Copy)]
struct Reach {
    source: usize,
    before: Option<usize>,
}

#[derive(Clone, Copy)]
struct Step {
    source: usize,
    need: usize,
}

fn trace(reached: &[Option<Reach>], last: usize) -> Vec<Step> {
    let mut path = Vec::new();
    let mut at = Some(last);
    while let Some(need) = at {
        let Some(reach) = reached[need] else { break };
        path.push(Step {
            source: reach.source,
            need,
        });
        at = reach.before;
    }
    path.reverse();
    path
}
