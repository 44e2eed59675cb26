//! What promotions took off: by order and line, what went back, and whether it all adds up.

use super::held::{Held, Off};
use super::{Result, store};
use crate::id::{CustomerId, OrderId, PromotionId};
use crate::policy::policy;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::Amount;
use std::collections::BTreeMap;

/// What a promotion took off an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The promotion.
    pub promotion_id: PromotionId,
    /// The order.
    pub order_id: OrderId,
    /// The account that the use counts for.
    pub customer_id: CustomerId,
    /// Tokens.
    pub amount: Amount,
    /// The code, where it was a coupon.
    pub code_hash: Option<Vec<u8>>,
    /// True when the whole order went back, and the use with it.
    pub is_back: bool,
    /// When the order counts.
    pub effective_at: Timestamp,
}

/// What a promotion took off a line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line.
    pub line_no: i64,
    /// The promotion.
    pub promotion_id: PromotionId,
    /// Its name, as it was then.
    pub name: String,
    /// Tokens off one, or off the tier.
    pub each: Amount,
    /// Tokens off the line.
    pub amount: Amount,
}

/// What of it went back with a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The promotion.
    pub promotion_id: PromotionId,
    /// The order.
    pub order_id: OrderId,
    /// Tokens.
    pub amount: Amount,
}

/// What promotions took off in a span of time, and what of it went back then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    /// Orders that count in the span.
    pub uses: Vec<Use>,
    /// Refunds that do.
    pub back: Vec<Taken>,
}

/// Keeps what came off an order, in the transaction that pays it. `lines` are those that have
/// something off, by their number.
pub fn uses_keep(
    tx: &mut Tx<'_>,
    book_id: i64,
    (order_id, customer_id): (OrderId, CustomerId),
    effective_at: Timestamp,
    lines: &[(i64, &[Off])],
    held: &Held,
) -> Result<()> {
    let mut sums: BTreeMap<PromotionId, Amount> = BTreeMap::new();
    for (line_no, off) in lines {
        for one in *off {
            store::line_put(tx, book_id, order_id, *line_no, one)?;
            let sum = sums.entry(one.promotion_id).or_default();
            *sum = sum.plus(one.amount)?;
        }
    }
    for (id, amount) in sums {
        let promotion = held.promotions().iter().find(|p| p.id == id);
        let is_coupon = promotion.is_some_and(super::Promotion::is_coupon);
        let code_hash = held.code_hash.clone().filter(|_| is_coupon);
        if promotion.is_some_and(|p| p.terms.in_total > 0) {
            store::count_add(tx, book_id, id, 1)?;
        }
        if let Some(hash) = code_hash.as_ref().filter(|_| held.is_single) {
            store::code_used(tx, book_id, hash, Some(order_id))?;
        }
        let new = Use {
            promotion_id: id,
            order_id,
            customer_id,
            amount,
            code_hash,
            is_back: false,
            effective_at,
        };
        store::use_put(tx, book_id, &new)?;
    }
    Ok(())
}

/// Orders that have used a promotion and were not given back whole.
pub fn uses_count(tx: &mut dyn Read, book_id: i64, id: PromotionId) -> Result<i64> {
    store::uses(tx, book_id, id)
}

/// What promotions took off an order, by line.
pub fn lines_of(tx: &mut dyn Read, book_id: i64, order_id: OrderId) -> Result<Vec<Line>> {
    store::lines(tx, book_id, order_id)
}

/// Notes what of it goes with the pieces that a refund takes back: (line, pieces, pieces bought).
/// With the whole order the use goes back too, where the policy says so: the customer paid
/// nothing less for anything, and whoever pays for the coupon owes nothing.
pub fn uses_back(
    tx: &mut Tx<'_>,
    book_id: i64,
    (order_id, refund_no): (OrderId, i64),
    effective_at: Timestamp,
    pieces: &[(i64, i64, i64)],
    is_whole: bool,
) -> Result<()> {
    let lines = store::lines(tx, book_id, order_id)?;
    if lines.is_empty() {
        return Ok(());
    }
    let mut sums: BTreeMap<PromotionId, Amount> = BTreeMap::new();
    for line in &lines {
        let Some((_, back, bought)) = pieces.iter().find(|p| p.0 == line.line_no) else {
            continue;
        };
        let amount = match back == bought {
            true => line.amount,
            false => line.each.times(*back)?,
        };
        let sum = sums.entry(line.promotion_id).or_default();
        *sum = sum.plus(amount)?;
    }
    for (id, amount) in &sums {
        let of = (order_id, refund_no);
        store::back_put(tx, book_id, of, (*id, *amount), effective_at)?;
    }
    if !is_whole || !policy(tx, book_id)?.promotions.uses_back {
        return Ok(());
    }
    let used: std::collections::BTreeSet<_> = lines.iter().map(|l| l.promotion_id).collect();
    for id in used {
        use_back(tx, book_id, id, order_id)?;
    }
    Ok(())
}

fn use_back(tx: &mut Tx<'_>, book: i64, id: PromotionId, order: OrderId) -> Result<()> {
    let Some(used) = store::use_of(tx, book, id, order)?.filter(|used| !used.is_back) else {
        return Ok(());
    };
    if let Some(hash) = &used.code_hash {
        let code = store::code(tx, book, hash)?;
        if code.is_some_and(|code| code.used_by == Some(order)) {
            store::code_used(tx, book, hash, None)?;
        }
    }
    let promotion = store::by_id(tx, book, id)?;
    if promotion.is_some_and(|p| p.terms.in_total > 0) {
        store::count_lock(tx, book, id)?;
        store::count_add(tx, book, id, -1)?;
    }
    store::use_back(tx, book, id, order)
}

/// From now on the uses of a merged account count for the one that is kept.
pub fn uses_move(tx: &mut Tx<'_>, book_id: i64, from: CustomerId, into: CustomerId) -> Result<()> {
    store::uses_move(tx, book_id, from, into)
}

/// What promotions took off in a span of time, the end left out.
pub fn uses_between(
    tx: &mut dyn Read,
    book_id: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Reduced> {
    Ok(Reduced {
        uses: store::uses_between(tx, book_id, from, to)?,
        back: store::backs_between(tx, book_id, from, to)?,
    })
}

/// Rows that contradict each other, for `verify`: (table, key, problem).
pub fn promotion_faults(
    tx: &mut dyn Read,
    book_id: i64,
) -> Result<Vec<(&'static str, String, String)>> {
    let mut faults = Vec::new();
    let mut sums: BTreeMap<(PromotionId, OrderId), Amount> = BTreeMap::new();
    for (order, id, each, amount, quantity) in store::all_lines(tx, book_id)? {
        let sum = sums.entry((id, order)).or_default();
        *sum = sum.plus(Amount::from_units(amount))?;
        // Of a tier the whole line is one price.
        let by_piece = quantity.and_then(|q| each.checked_mul(q)) == Some(amount);
        if quantity.is_none() || (!by_piece && each != amount) {
            let problem = "takes off what its line of the order does not make".to_owned();
            faults.push(("promotion_line", format!("{order} {id}"), problem));
        }
    }
    let all = store::uses_between(tx, book_id, Timestamp(i64::MIN), Timestamp::NEVER)?;
    let mut back: BTreeMap<(PromotionId, OrderId), Amount> = BTreeMap::new();
    for taken in store::backs_between(tx, book_id, Timestamp(i64::MIN), Timestamp::NEVER)? {
        let sum = back
            .entry((taken.promotion_id, taken.order_id))
            .or_default();
        *sum = sum.plus(taken.amount)?;
    }
    let mut counts: BTreeMap<PromotionId, i64> = BTreeMap::new();
    for used in &all {
        let of = (used.promotion_id, used.order_id);
        let key = format!("{} {}", used.promotion_id, used.order_id);
        let lines = sums.remove(&of).unwrap_or(Amount::ZERO);
        if lines != used.amount {
            let problem = format!("says {} units, its lines make {lines}", used.amount);
            faults.push(("promotion_use", key.clone(), problem));
        }
        let back = back.remove(&of).unwrap_or(Amount::ZERO);
        if back > used.amount || (used.is_back && back != used.amount) {
            let problem = format!("took {} units off, {back} went back", used.amount);
            faults.push(("promotion_back", key, problem));
        }
        if !used.is_back {
            let count = counts.entry(used.promotion_id).or_default();
            *count = count.saturating_add(1);
        }
    }
    for ((id, order), _) in sums.into_iter().chain(back) {
        let problem = "has lines without a use".to_owned();
        faults.push(("promotion_use", format!("{id} {order}"), problem));
    }
    for order in store::uses_of_nothing(tx, book_id)? {
        let problem = "was used by an order that did not go through".to_owned();
        faults.push(("promotion_use", order.to_string(), problem));
    }
    counted(tx, book_id, &counts, &mut faults)?;
    for code in store::codes_used(tx, book_id)? {
        let used = code.used_by.is_some_and(|order| {
            all.iter().any(|u| {
                u.order_id == order && !u.is_back && u.code_hash.as_deref() == Some(&code.hash)
            })
        });
        if !used {
            let problem = "has a code that no order used".to_owned();
            faults.push(("coupon_code", code.promotion_id.to_string(), problem));
        }
    }
    Ok(faults)
}

/// Counts of uses that count towards a limit.
fn counted(
    tx: &mut dyn Read,
    book: i64,
    counts: &BTreeMap<PromotionId, i64>,
    faults: &mut Vec<(&'static str, String, String)>,
) -> Result<()> {
    for promotion in store::before(tx, book, None, i64::MAX)? {
        let uses = counts.get(&promotion.id).copied().unwrap_or_default();
        let limit = promotion.terms.in_total;
        let says = store::count(tx, book, promotion.id)?;
        if limit > 0 && (says != uses || uses > limit) {
            let problem = format!("counts {says} uses of {limit}, there are {uses}");
            faults.push(("promotion_count", promotion.id.to_string(), problem));
        }
    }
    Ok(())
}
