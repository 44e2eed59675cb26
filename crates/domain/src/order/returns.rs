//! Goods that come back without an order number: the customer's own earlier sales of the same
//! item at the same price are refunded, newest first, as far as they go.

use super::refund::{RefundLines, RefundRequest, order_refund, sold_from};
use super::{OrderError, Result, store};
use crate::actor::Actor;
use crate::customer::Customer;
use crate::id::OrderId;
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, account_head_locked};

/// One kind of goods that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnedGoods {
    /// Stock-keeping unit.
    pub sku: String,
    /// The price for which one was sold.
    pub unit_price: Amount,
    /// Pieces.
    pub quantity: i64,
}

/// A return to be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodsReturn {
    /// The vendor's own name for it (a credit note); each is taken once.
    pub reference: String,
    /// What came back.
    pub goods: Vec<ReturnedGoods>,
    /// When it counts.
    pub effective_at: Timestamp,
}

/// What became of one of the goods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// Pieces for which a sale was found and refunded.
    pub quantity: i64,
    /// Tokens given back.
    pub amount: Amount,
}

/// Refunds what came back from sales that were made by then; the answer is in the order of the
/// goods. Goods without a sale are answered with nothing refunded, and goods of a customer who is
/// not known have none. The reference is noted either way: entered again later, when more has
/// been sold, it would come to something else.
pub fn goods_return(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: Option<&Customer>,
    new: &GoodsReturn,
) -> Result<Vec<Returned>> {
    if !actor.for_vendor() {
        return Err(OrderError::StaffOnly);
    }
    if new.effective_at > tx.now() {
        return Err(OrderError::InFuture);
    }
    let reference = text::line("the reference", &new.reference, 200)?;
    if store::return_reference_taken(tx, vendor.book_id, &reference)? {
        return Err(OrderError::ReferenceTaken(reference));
    }
    let noted = OrderId(tx.new_id()?);
    store::insert_return_reference(tx, vendor.book_id, &reference, noted)?;
    let mut sold = match customer {
        Some(customer) => {
            let head = account_head_locked(tx, vendor.book_id, customer.wallet)?;
            sold_from(tx, customer, head, new.effective_at)?
        }
        None => Vec::new(),
    };
    let mut returned = Vec::with_capacity(new.goods.len());
    // In the order in which the sales are found, which is the same on every run.
    let mut refunds: Vec<(OrderId, Vec<(i64, i64)>)> = Vec::new();
    for goods in &new.goods {
        let mut back = Returned::default();
        // What was free has nothing to give back.
        let same = |sku: &str, price: Amount| {
            sku == goods.sku && price == goods.unit_price && price.is_positive()
        };
        for line in sold.iter_mut().filter(|l| same(&l.sku, l.unit_price)) {
            let pieces = line.left.min(goods.quantity.saturating_sub(back.quantity));
            if pieces > 0 {
                line.left = line.left.saturating_sub(pieces);
                back.quantity = back.quantity.saturating_add(pieces);
                back.amount = back.amount.plus(goods.unit_price.times(pieces)?)?;
                let piece = (line.line_no, pieces);
                match refunds.iter_mut().find(|r| r.0 == line.order_id) {
                    Some((_, lines)) => lines.push(piece),
                    None => refunds.push((line.order_id, vec![piece])),
                }
            }
        }
        returned.push(back);
    }
    for (order_id, lines) in refunds {
        let request = RefundRequest {
            order_id,
            lines: RefundLines::Lines(lines),
            restock: false,
            reference: reference.clone(),
            effective_at: Some(new.effective_at.0),
        };
        order_refund(tx, actor, vendor, &request)?;
    }
    Ok(returned)
}
