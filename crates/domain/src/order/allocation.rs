//! Which tokens pay for which lines: one decision over the whole order (TOK-05, TOK-07).
//!
//! Among all ways that the rules allow and that pay everything, the preferred one is taken:
//! soonest expiry first, then restricted before ordinary tokens, free before credit before paid,
//! older before newer. Lots are added in that order to a maximum flow from lots to lines. A later
//! lot may move an earlier one to another line but never reduces it, so the result is the first
//! in the order of preference, and an order is refused only when no way pays all of it.

use super::flow::flow;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Lot, Piece, Result};

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
    let has: Vec<Amount> = usable.iter().map(|lot| lot.remaining).collect();
    let needs: Vec<Amount> = classes.iter().map(|class| class.amount).collect();
    let may = |lot: usize, class: usize| allowed(usable[lot], &classes[class]);
    let Some(used) = flow(&has, &needs, &may)? else {
        return Ok(None);
    };
    let mut pieces = Vec::new();
    for (lot, used) in usable.iter().zip(&used) {
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
