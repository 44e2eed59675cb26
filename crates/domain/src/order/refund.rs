//! Refunds, whole or by line.
//!
//! A refund gives tokens back by reversing the draws of the payment, last first. What would go
//! back to a grant that has expired becomes a new grant of the same origin and restriction, with
//! a period of grace.

use super::by_card::card_paid;
use super::{OrderError, Result, rules, store};
use crate::actor::Actor;
use crate::audit;
use crate::catalog::stock_add;
use crate::customer::{Customer, State, customer_by_id};
use crate::family::spending_back;
use crate::id::{OfferId, OrderId};
use crate::promotion::uses_back;
use crate::tax::contained_back;
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{
    Amount, Leg, NewGrant, Piece, Posting, account_walk, entries_by_id, entry_post,
    entry_transfers, grant_by_id, grant_open,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// What is to be refunded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundLines {
    /// All that is left.
    Whole,
    /// (line, pieces); lines count from 1.
    Lines(Vec<(i64, i64)>),
}

/// A refund to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    /// The order.
    pub order_id: OrderId,
    /// What of it.
    pub lines: RefundLines,
    /// True when the pieces go back on the shelf.
    pub restock: bool,
    /// The name by which people find it; empty takes the order's id.
    pub reference: String,
    /// When it counts; now unless given. Microseconds.
    pub effective_at: Option<i64>,
}

/// A refund that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    /// The order.
    pub order_id: OrderId,
    /// Its place among the order's refunds, from 1.
    pub refund_no: i64,
    /// Tokens given back.
    pub amount: Amount,
}

/// A line of an order, as far as it can still be refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub line_no: i64,
    /// What was sold.
    pub offer_id: OfferId,
    /// Stock-keeping unit.
    pub sku: String,
    /// Pieces sold, as asked for.
    pub quantity: i64,
    /// Pieces that the customer got: the upper bound of a tier.
    pub granted: i64,
    /// Tokens for one, or for the tier.
    pub unit_price: Amount,
    /// Tokens for the line.
    pub amount: Amount,
    /// Pieces not refunded yet.
    pub left: i64,
    /// The rate of the tax in it, in basis points; zero for none.
    pub tax_rate: i64,
}

impl Sold {
    /// The tax in an amount of it that comes back now. What came back before is told by the pieces:
    /// where some were left, each has its price.
    pub(super) fn tax_back(&self, amount: Amount) -> Result<Amount> {
        let before = match self.quantity.saturating_sub(self.left) {
            0 => Amount::ZERO,
            pieces => self.unit_price.times(pieces)?,
        };
        Ok(contained_back(before, amount, self.tax_rate)?)
    }
}

/// A refund worked out, before it is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// (line, pieces, tokens).
    pub lines: Vec<(Sold, i64, Amount)>,
    /// Tokens for all.
    pub amount: Amount,
}

impl Refund {
    /// Line, pieces of it that come back, pieces that were bought.
    pub(super) fn pieces(&self) -> Vec<(i64, i64, i64)> {
        let lines = self.lines.iter();
        lines
            .map(|(sold, back, _)| (sold.line_no, *back, sold.quantity))
            .collect()
    }
}

/// Gives tokens back for an order that tokens paid. For the vendor's staff; customers ask for it.
/// [`super::by_card::order_refund_begin`] takes any order.
pub fn order_refund(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    request: &RefundRequest,
) -> Result<Refunded> {
    if !actor.for_vendor() {
        return Err(OrderError::StaffOnly);
    }
    let book = vendor.book_id;
    let now = tx.now();
    let effective_at = request.effective_at.map_or(now, Timestamp);
    if effective_at > now {
        return Err(OrderError::InFuture);
    }
    let reference = text::optional_line("the reference", &request.reference, 200)?;
    let order = store::completed(tx, book, request.order_id)?
        .ok_or(OrderError::Unknown(request.order_id))?;
    if card_paid(tx, book, request.order_id)?.is_some() {
        return Err(OrderError::PaidByCard);
    }
    if store::paid_open(tx, book, request.order_id)? {
        return Err(OrderError::PaidOpen);
    }
    let customer = customer_by_id(tx, book, order.customer_id)?;
    locked_open(tx, &customer)?;
    let sold = sold_of(tx, book, request.order_id)?;
    let refund = work_out(&sold, &request.lines)?;
    let earlier = store::refunds(tx, book, request.order_id)?;
    let refund_no = i64::try_from(earlier.len())
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    let before = Amount::sum(earlier.iter().copied())?;
    let entry = match order.entry_id {
        Some(entry) if refund.amount.is_positive() => {
            let id = request.order_id.to_string();
            let posting = Posting {
                book_id: book,
                event_id: tx.new_id()?,
                code: "refund",
                actor: &actor.to_string(),
                reference: if reference.is_empty() {
                    &id
                } else {
                    &reference
                },
                effective_at,
                legs: &legs(tx, vendor, &customer, entry, before, refund.amount)?,
            };
            entry_post(tx, &posting)?
        }
        _ => return Err(OrderError::NothingToRefund),
    };
    let is_whole = Amount::sum(sold.iter().map(|s| s.amount))? == before.plus(refund.amount)?;
    let of = (request.order_id, refund_no);
    uses_back(tx, book, of, effective_at, &refund.pieces(), is_whole)?;
    if request.restock {
        restock(tx, book, &refund)?;
    }
    let row = store::NewRefund {
        order_id: request.order_id,
        refund_no,
        entry_id: entry,
        actor,
        reference: &reference,
        effective_at,
    };
    store::insert_refund(tx, book, &row, &refund)?;
    spending_back(tx, &customer, order.recorded_at, refund.amount)?;
    super::request::refunded(tx, book, request.order_id, actor)?;
    super::shipment::given_back(tx, actor, vendor, request.order_id)?;
    let refunded = Refunded {
        order_id: request.order_id,
        refund_no,
        amount: refund.amount,
    };
    announce(tx, actor, vendor, &customer, &refunded, request.restock)?;
    Ok(refunded)
}

/// Puts the pieces that come back on the shelf, as far as they are counted there.
pub(super) fn restock(tx: &mut Tx<'_>, book: i64, refund: &Refund) -> Result<()> {
    let back: Vec<_> = refund
        .lines
        .iter()
        // A tier, which is refunded whole, brings back all that it granted.
        .map(|(s, q, _)| (s.offer_id, if *q == s.quantity { s.granted } else { *q }))
        .collect();
    let counted = store::stocked(tx, book, &back)?;
    stock_add(tx, book, &counted)?;
    Ok(())
}

/// Tells of a refund: a message for who listens, a line in the audit trail.
fn announce(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    refunded: &Refunded,
    restock: bool,
) -> Result<()> {
    let (book, refund_no) = (vendor.book_id, refunded.refund_no);
    let subject = refunded.order_id.to_string();
    let details = json!({
        "customer_id": customer.customer_id,
        "tokens": refunded.amount.decimal(scrip_ledger::TOKEN_SCALE),
        "refund_no": refund_no,
    });
    outbox::add(tx, book, "order.refunded", &subject, &details.to_string())?;
    let tokens = refunded.amount.decimal(vendor.token.scale);
    let detail = json!({"refund_no": refund_no, "tokens": tokens, "restock": restock});
    audit::note(tx, book, actor, "order.refunded", &subject, &detail)?;
    Ok(())
}

/// The wallet is the lock: two refunds of one order must not give the same piece back twice. And
/// nothing comes to a closed account, which is never opened again.
fn locked_open(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    scrip_ledger::lots_locked(tx, customer.book_id, customer.wallet)?;
    let now = customer_by_id(tx, customer.book_id, customer.customer_id)?;
    match now.state {
        State::Closed => Err(OrderError::RefundToClosed(customer.number)),
        State::Inactive | State::Active => Ok(()),
    }
}

/// Which pieces come back, and what they are worth.
pub(super) fn work_out(sold: &[Sold], lines: &RefundLines) -> Result<Refund> {
    let mut wanted: BTreeMap<i64, i64> = BTreeMap::new();
    match lines {
        RefundLines::Whole => {
            wanted.extend(
                sold.iter()
                    .filter(|s| s.left > 0)
                    .map(|s| (s.line_no, s.left)),
            );
        }
        RefundLines::Lines(lines) => {
            for (line, pieces) in lines {
                let sum = wanted.entry(*line).or_default();
                *sum = sum.saturating_add(*pieces);
            }
        }
    }
    let mut refund = Refund {
        lines: Vec::new(),
        amount: Amount::ZERO,
    };
    for (line, asked) in wanted {
        let sold = sold.iter().find(|s| s.line_no == line);
        let left = sold.map_or(0, |s| s.left);
        let Some(sold) = sold.filter(|_| asked > 0 && asked <= left) else {
            return Err(OrderError::RefundTooLarge { line, left, asked });
        };
        // The price of a tier times its quantity is no price of anything, and may be too large.
        let by_piece = || sold.unit_price.times(sold.quantity).ok() == Some(sold.amount);
        let amount = if asked == sold.quantity {
            sold.amount
        } else if by_piece() {
            sold.unit_price.times(asked)?
        } else {
            return Err(OrderError::TierIsWhole {
                line,
                quantity: sold.quantity,
            });
        };
        refund.amount = refund.amount.plus(amount)?;
        refund.lines.push((sold.clone(), asked, amount));
    }
    if refund.lines.is_empty() {
        return Err(OrderError::NothingToRefund);
    }
    Ok(refund)
}

/// The movements that give an amount of a payment back.
fn legs(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    customer: &Customer,
    entry: i64,
    before: Amount,
    amount: Amount,
) -> Result<Vec<Leg>> {
    let payment = entries_by_id(tx, vendor.book_id, entry)?;
    let draws: Vec<Piece> = entry_transfers(tx, vendor.book_id, &payment)?
        .iter()
        .filter_map(|t| {
            Some(Piece {
                grant: t.grant_id?,
                amount: t.amount,
            })
        })
        .collect();
    let mut legs = Vec::new();
    for piece in rules::reversed_draws(&draws, before, amount)? {
        let grant = alive(tx, vendor, piece)?;
        legs.push(Leg {
            debit: vendor.accounts.spent,
            credit: customer.wallet,
            amount: piece.amount,
            grant: Some(grant),
        });
    }
    Ok(legs)
}

/// The grant to which a piece goes back: its own, or a new one with grace when that has expired.
fn alive(tx: &mut Tx<'_>, vendor: &Vendor, piece: Piece) -> Result<i64> {
    let grant = grant_by_id(tx, vendor.book_id, piece.grant)?;
    let now = tx.now();
    if grant.expires_at > now {
        return Ok(piece.grant);
    }
    let new = NewGrant {
        asset_id: grant.asset_id,
        origin: grant.origin,
        restriction: grant.restriction.as_deref(),
        expires_at: now.plus_seconds(vendor.refund_grace_s),
        quantity: piece.amount,
        // What was earned by spending it is owed again.
        paid: grant.worth(piece.amount)?,
        paid_asset_id: grant.paid_asset_id,
        granted_at: now,
    };
    Ok(grant_open(tx, vendor.book_id, &new)?)
}

pub(super) fn sold_of(tx: &mut dyn Read, book: i64, order: OrderId) -> Result<Vec<Sold>> {
    let refunded = store::refunded_pieces(tx, book, order)?;
    let mut sold = store::sold(tx, book, order)?;
    for line in &mut sold {
        let back = refunded.get(&line.line_no).copied().unwrap_or_default();
        line.left = line.quantity.saturating_sub(back);
    }
    Ok(sold)
}

/// The lines that a customer bought and has not returned, newest order first and last line first:
/// a walk along the wallet's chain from the transfer `from`, over orders that count from `until`
/// or before.
pub(super) fn sold_from(
    tx: &mut dyn Read,
    customer: &Customer,
    from: i64,
    until: Timestamp,
) -> Result<Vec<Sold>> {
    let mut sold = Vec::new();
    let mut next = from;
    let mut last_event = None;
    while next != 0 {
        let page = account_walk(tx, customer.book_id, customer.wallet, next, 50)?;
        next = page
            .last()
            .and_then(|(oldest, _)| oldest.previous(customer.wallet))
            .unwrap_or(0);
        for (_, entry) in &page {
            // An order that several grants paid for has several transfers in a row.
            let counts = entry.code == "order" && entry.effective_at <= until;
            if counts && last_event != Some(entry.event_id) {
                last_event = Some(entry.event_id);
                let mut lines = sold_of(tx, customer.book_id, OrderId(entry.event_id))?;
                lines.reverse();
                sold.extend(lines.into_iter().filter(|l| l.left > 0));
            }
        }
    }
    Ok(sold)
}
