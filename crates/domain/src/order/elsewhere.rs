//! Orders that something else pays than the seller's own tokens in the buyer's wallet: open tokens,
//! from the mall's book (OPN-20).
//!
//! Everything is as with other orders: prices, promotions, taxes, stock, what is sent where. How it is
//! paid is decided before the stock is taken and done after it, in the same transaction.

use super::by_card::counted;
use super::{
    OrderError, OrderOutcome, OrderRequest, Quote, QuoteLine, Receipt, RefundLines, Refunded,
    Refusal, child, load, load_offers, reduce, refund, refuse, rules, shipment, store, taxing,
};
use crate::actor::Actor;
use crate::catalog::stock_take;
use crate::customer::{buyer, customer_by_id};
use crate::family::{spending_add, spending_back};
use crate::id::{CustomerId, OrderId};
use crate::promotion::uses_back;
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx, outbox};
use scrip_ledger::{Amount, TOKEN_SCALE};
use serde_json::json;

/// What the message about such an order says of who paid.
pub(crate) const PAID_BY: &str = "open";

/// What pays an order.
pub(crate) trait Payment {
    /// Its own errors.
    type Error: From<OrderError>;
    /// Decides how the lines are paid, or why they cannot be. Moves nothing.
    fn plan(
        &mut self,
        tx: &mut Tx<'_>,
        lines: &[QuoteLine],
    ) -> Result<Option<Refusal>, Self::Error>;
    /// Pays as planned. It must not be refused any more.
    fn pay(&mut self, tx: &mut Tx<'_>, order: OrderId) -> Result<(), Self::Error>;
}

/// Places an order that `payment` pays: all of it, or nothing.
pub(crate) fn order_place_by<P: Payment>(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    request: &OrderRequest,
    payment: &mut P,
) -> Result<OrderOutcome, P::Error> {
    let purchase = load(tx, actor, book_id, request)?;
    let offers = load_offers(tx, book_id, &request.lines)?;
    shipment::check_address(&offers, request.extras.address.as_ref())?;
    let lines = rules::priced(&request.lines, &offers)?;
    let (lines, held) = reduce::locked(tx, &purchase, &offers, lines)?;
    let lines = taxing::taxed(tx, &purchase.buyer, lines)?;
    let quote = reduce::told(rules::quoted(lines, &[], tx.now())?, &held)?;
    let mut refusal = reduce::refusal(tx, &purchase, &held)?;
    if refusal.is_none() {
        // The seller's own tokens are asked for neither as T nor as RT.
        let found = rules::refusal(&purchase.buyer, &request.lines, &offers, &quote);
        refusal = found
            .filter(|r| !matches!(r, Refusal::Shortage { .. } | Refusal::BelowThreshold { .. }));
    }
    if refusal.is_none() && purchase.buyer.has_parent {
        refusal = child::refusal(tx, &purchase, &quote)?;
    }
    if refusal.is_none() {
        refusal = payment.plan(tx, &quote.lines)?;
    }
    if let Some(refusal) = refusal {
        return Ok(refuse(tx, &purchase, &quote, refusal)?);
    }
    let pieces = counted(&quote);
    let taken = stock_take(tx, book_id, Some(request.customer_id), &pieces);
    if let Err(few) = taken.map_err(OrderError::from)? {
        let refusal = rules::too_few(&quote, few);
        return Ok(refuse(tx, &purchase, &quote, refusal)?);
    }
    shipment::open(tx, &purchase, &offers)?;
    store::insert(tx, &purchase, &quote, None, None)?;
    payment.pay(tx, purchase.order_id)?;
    reduce::keep(tx, &purchase, &quote, &held)?;
    if purchase.buyer.has_parent {
        spending_add(tx, &purchase.buyer.customer, quote.required).map_err(OrderError::from)?;
    }
    let id = purchase.order_id.to_string();
    let details = json!({
        "customer_id": purchase.request.customer_id,
        "tokens": quote.required.decimal(TOKEN_SCALE),
        "paid_by": PAID_BY,
    });
    let details = details.to_string();
    outbox::add(tx, book_id, "order.completed", &id, &details).map_err(OrderError::from)?;
    Ok(OrderOutcome::Completed(receipt(&purchase.order_id, quote)))
}

/// None of the seller's tokens were debited, and none of them are told of.
fn receipt(order_id: &OrderId, quote: Quote) -> Receipt {
    Receipt {
        order_id: *order_id,
        lines: quote.lines,
        total: quote.required,
        remaining: Amount::ZERO,
    }
}

/// What lines come to for a customer who pays with something else.
pub(crate) fn lines_priced(
    tx: &mut dyn Read,
    book_id: i64,
    customer: CustomerId,
    request: &OrderRequest,
) -> Result<Vec<QuoteLine>, OrderError> {
    let buyer = buyer(tx, book_id, customer)?;
    let offers = load_offers(tx, book_id, &request.lines)?;
    let lines = rules::priced(&request.lines, &offers)?;
    let coupon = request.extras.coupon.as_ref();
    let (lines, _) = reduce::reduced(tx, &buyer, &request.lines, &offers, lines, coupon)?;
    taxing::taxed(tx, &buyer, lines)
}

/// The lines of an order as they were sold, for paying it again.
pub(crate) fn lines_sold(
    tx: &mut dyn Read,
    book_id: i64,
    order: OrderId,
) -> Result<Vec<QuoteLine>, OrderError> {
    let detail = super::order_by_id(tx, Actor::System, book_id, order)?;
    let lines = detail.lines.into_iter().map(|line| QuoteLine {
        offer_id: line.offer_id,
        sku: line.sku,
        title: line.title,
        kind: line.kind,
        quantity: line.quantity,
        granted: line.granted,
        unit_price: line.unit_price,
        amount: line.amount,
        on_sale: false,
        stocked: false,
        off: Vec::new(),
        tax: None,
    });
    Ok(lines.collect())
}

/// Notes that an order was given back whole by `entry`: its pieces, its promotions, its parcel.
pub(crate) fn order_given_back(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    order_id: OrderId,
    (entry, restock): (i64, bool),
) -> Result<Refunded, OrderError> {
    let book = vendor.book_id;
    let order = store::completed(tx, book, order_id)?.ok_or(OrderError::Unknown(order_id))?;
    let customer = customer_by_id(tx, book, order.customer_id)?;
    let refund = refund::work_out(&refund::sold_of(tx, book, order_id)?, &RefundLines::Whole)?;
    let of = (order_id, 1);
    let now = tx.now();
    uses_back(tx, book, of, now, &refund.pieces(), true)?;
    if restock {
        refund::restock(tx, book, &refund)?;
    }
    let row = store::NewRefund {
        order_id,
        refund_no: 1,
        entry_id: entry,
        actor,
        reference: "",
        effective_at: now,
    };
    store::insert_refund(tx, book, &row, &refund)?;
    spending_back(tx, &customer, order.recorded_at, refund.amount)?;
    super::request::refunded(tx, book, order_id, actor)?;
    shipment::given_back(tx, actor, vendor, order_id)?;
    Ok(Refunded {
        order_id,
        refund_no: 1,
        amount: refund.amount,
    })
}
