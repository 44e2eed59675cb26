//! Money back for an order that a card paid: the whole of it, by the processor, once.
//!
//! Again two transactions. The first one writes that money is due; then the processor gives it
//! back, and the second one books it. A refund without an answer stays due and is asked for again:
//! giving back twice has one effect. Tokens are never credited.

use super::store::CardOrder;
use super::{CardOrderState, charge, found, store};
use crate::Node;
use crate::actor::Actor;
use crate::audit;
use crate::books;
use crate::customer::customer_by_id;
use crate::family::spending_back;
use crate::id::{CardOrderId, OrderId};
use crate::order::refund::{
    RefundLines, RefundRequest, Refunded, order_refund, restock, sold_of, work_out,
};
use crate::order::request;
use crate::order::{OrderError, Result, shipment, store as order_store};
use crate::promotion::uses_back;
use crate::text;
use crate::token_sale::CardProcessor;
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx, outbox};
use scrip_ledger::{AccountKind, Amount, Leg, Posting, Result as LedgerResult, entry_post};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What became of a wish to refund an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundBegun {
    /// Tokens were given back.
    Done(Refunded),
    /// A card paid: the processor is to give the money back.
    Due(CardOrderId),
}

/// Money that goes back for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRefunded {
    /// The order.
    pub order_id: OrderId,
    /// The money.
    pub price: Amount,
    /// False while the processor has not confirmed it; it is asked again.
    pub is_done: bool,
}

/// Refunds an order that tokens paid, or writes that the money of one is due that a card paid. For
/// the vendor's staff.
pub fn order_refund_begin(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    request: &RefundRequest,
) -> Result<RefundBegun> {
    let Some(paid) = store::of_order(tx, vendor.book_id, request.order_id)? else {
        return order_refund(tx, actor, vendor, request).map(RefundBegun::Done);
    };
    if !actor.for_vendor() {
        return Err(OrderError::StaffOnly);
    }
    let book = vendor.book_id;
    // Of two refunds at once the second one sees the first.
    let paid =
        store::by_id_locked(tx, book, paid.id)?.ok_or(OrderError::CardOrderUnknown(paid.id))?;
    if paid.state != CardOrderState::Completed {
        return Err(OrderError::Unknown(request.order_id));
    }
    if request.lines != RefundLines::Whole || request.effective_at.is_some() {
        return Err(OrderError::CardRefundIsWhole);
    }
    let reference = text::optional_line("the reference", &request.reference, 200)?;
    match store::refund(tx, book, paid.id)? {
        Some(refund) if refund.is_done => return Err(OrderError::NothingToRefund),
        Some(_) => return Ok(RefundBegun::Due(paid.id)),
        None => {}
    }
    if store::is_reversed(tx, book, paid.id)? {
        return Err(OrderError::MoneyWentBack);
    }
    let refund = store::CardRefund {
        is_done: false,
        restock: request.restock,
        reference,
        actor: actor.to_string(),
    };
    store::insert_refund(tx, book, paid.id, &refund)?;
    Ok(RefundBegun::Due(paid.id))
}

/// Lets the processor give money back that is due, and books it. Doing it again changes nothing.
pub fn card_refund_settle(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    id: CardOrderId,
) -> Result<CardRefunded> {
    let book = vendor.book_id;
    let (order, refund) = node.engine.read(|tx| {
        let order = found(tx, book, id)?;
        let refund = store::refund(tx, book, id)?;
        Ok::<_, OrderError>((order, refund))
    })?;
    let order_id = order.order()?;
    let refund = refund.ok_or(OrderError::NotAsked(order_id))?;
    let told = |is_done| CardRefunded {
        order_id,
        price: order.price,
        is_done,
    };
    if refund.is_done {
        return Ok(told(true));
    }
    let name = &order.processor_reference;
    if processor.give_back(&charge(vendor, &order), name).is_err() {
        return Ok(told(false));
    }
    let own = vendor.clone();
    node.engine.write(move |tx| book_refund(tx, &own, id))?;
    Ok(told(true))
}

/// Settles every refund that is due; returns how many are done now. One that fails does not stop
/// the others; the first failure is returned after them.
pub fn card_refunds_settle(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
) -> Result<usize> {
    let due = node
        .engine
        .read(|tx| store::refunds_due(tx, vendor.book_id))?;
    let mut done: usize = 0;
    let mut failed = None;
    for id in due {
        match card_refund_settle(node, processor, vendor, id) {
            Ok(refunded) if refunded.is_done => done = done.saturating_add(1),
            Ok(_) => {}
            Err(e) => drop(failed.get_or_insert(e)),
        }
    }
    failed.map_or(Ok(done), Err)
}

fn book_refund(tx: &mut Tx<'_>, vendor: &Vendor, id: CardOrderId) -> Result<()> {
    let book = vendor.book_id;
    let paid = store::by_id_locked(tx, book, id)?.ok_or(OrderError::CardOrderUnknown(id))?;
    let order_id = paid.order()?;
    let refund = store::refund(tx, book, id)?.ok_or(OrderError::NotAsked(order_id))?;
    if refund.is_done {
        return Ok(());
    }
    let actor = super::close::actor_of(&refund.actor)?;
    let order = order_store::completed(tx, book, order_id)?.ok_or(OrderError::Unknown(order_id))?;
    let sold = work_out(&sold_of(tx, book, order_id)?, &RefundLines::Whole)?;
    let entry = post(tx, vendor, actor, &paid, &refund.reference)?;
    if refund.restock {
        restock(tx, book, &sold)?;
    }
    let row = order_store::NewRefund {
        order_id,
        refund_no: 1,
        entry_id: entry,
        actor,
        reference: &refund.reference,
        effective_at: tx.now(),
    };
    let of = (order_id, row.refund_no);
    uses_back(tx, book, of, row.effective_at, &sold.pieces(), true)?;
    order_store::insert_refund(tx, book, &row, &sold)?;
    store::refund_done(tx, book, id, entry)?;
    shipment::given_back(tx, actor, vendor, order_id)?;
    let customer = customer_by_id(tx, book, paid.customer)?;
    spending_back(tx, &customer, paid.created_at, sold.amount)?;
    request::refunded(tx, book, order_id, actor)?;
    let subject = order.customer_id;
    announce(
        tx,
        actor,
        vendor,
        &paid,
        (subject, order_id),
        refund.restock,
    )
}

fn post(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    actor: Actor,
    paid: &CardOrder,
    reference: &str,
) -> Result<i64> {
    let sales = books::account(tx, vendor, AccountKind::Sales)?;
    let id = paid.order()?.to_string();
    let (event_id, effective_at) = (tx.new_id()?, tx.now());
    Ok(entry_post(
        tx,
        &Posting {
            book_id: vendor.book_id,
            event_id,
            code: "refund",
            actor: &actor.to_string(),
            reference: if reference.is_empty() { &id } else { reference },
            effective_at,
            legs: &[Leg {
                debit: sales,
                credit: vendor.accounts.processor,
                amount: paid.price,
                grant: None,
            }],
        },
    )?)
}

fn announce(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    paid: &CardOrder,
    (customer, order): (crate::id::CustomerId, OrderId),
    restock: bool,
) -> Result<()> {
    let (book, subject) = (vendor.book_id, order.to_string());
    let price = paid.price.decimal(vendor.currency.scale);
    let details = json!({
        "customer_id": customer,
        "paid_by": "card",
        "price": price,
        "currency": vendor.currency.code,
        "refund_no": 1,
    });
    outbox::add(tx, book, "order.refunded", &subject, &details.to_string())?;
    let detail = json!({"refund_no": 1, "price": price, "restock": restock});
    audit::note(tx, book, actor, "order.refunded", &subject, &detail)?;
    Ok(())
}

/// Money that staff gave back for an order, or are about to: the processor tells of it too.
pub fn card_refund_given(tx: &mut dyn Read, book_id: i64, id: CardOrderId) -> LedgerResult<Amount> {
    let Some(paid) = store::by_id(tx, book_id, id)? else {
        return Ok(Amount::ZERO);
    };
    let refund = store::refund(tx, book_id, id)?;
    Ok(refund.map_or(Amount::ZERO, |_| paid.price))
}
