//! Asking for a refund: the customer asks, the vendor's staff refund or decline.

mod store;

use super::refund::sold_of;
use super::{OrderError, Result};
use crate::actor::Actor;
use crate::audit;
use crate::customer::{customer_by_id, open_text, seal_text};
use crate::id::{CustomerId, OrderId};
use crate::page::Page;
use crate::text;
use crate::vault::Vault;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::lots_locked;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskState {
    /// Nobody has answered yet.
    Open,
    /// Tokens were given back.
    Refunded,
    /// It was declined.
    Declined,
}

/// What a customer asked about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAsked {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Why, in the customer's words; empty before [`refund_request_opened`].
    pub reason: String,
    /// The words as they are kept: free text, so under the customer's key. Older requests have
    /// none.
    sealed: Option<Vec<u8>>,
    /// Where it stands.
    pub state: AskState,
    /// What staff said when they declined.
    pub answer: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it was answered.
    pub closed_at: Option<Timestamp>,
    /// Who answered.
    pub closed_by: Option<String>,
}

fn reason_label(order: OrderId) -> String {
    format!("reason {order}")
}

/// The same with the customer's words, for those who may read them; without once they were erased.
pub fn refund_request_opened(
    tx: &mut dyn Read,
    vault: &Vault,
    book_id: i64,
    mut asked: RefundAsked,
) -> Result<RefundAsked> {
    if let Some(sealed) = asked.sealed.take() {
        let customer = customer_by_id(tx, book_id, asked.customer_id)?;
        let label = reason_label(asked.order_id);
        asked.reason = open_text(tx, vault, &customer, &label, &sealed)?.unwrap_or_default();
    }
    Ok(asked)
}

/// Erases the words in a customer's requests, and those of the answers to them.
pub fn refund_reasons_forget(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
) -> std::result::Result<(), scrip_engine::Error> {
    store::forget_words(tx, book_id, customer)
}

/// Asks for tokens back for a completed order of one's own. One request is open per order at
/// most: asking again changes its reason. What was declined stays declined.
pub fn refund_ask(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    book_id: i64,
    order_id: OrderId,
    reason: &str,
) -> Result<RefundAsked> {
    let unknown = || OrderError::Unknown(order_id);
    let order = super::store::completed(tx, book_id, order_id)?.ok_or_else(unknown)?;
    if !actor.may_act_for(order.customer_id) {
        return Err(unknown());
    }
    let reason = text::paragraph("the reason", reason, 1000)?;
    if reason.is_empty() {
        let field = "the reason";
        return Err(text::TextError::Empty { field }.into());
    }
    let customer = customer_by_id(tx, book_id, order.customer_id)?;
    // A refund locks the wallet too: what it gives back must not be asked for at the same time.
    lots_locked(tx, book_id, customer.wallet)?;
    let left = |line: &super::Sold| line.left > 0 && line.amount.is_positive();
    if order.entry_id.is_none() || !sold_of(tx, book_id, order_id)?.iter().any(left) {
        return Err(OrderError::NothingToRefund);
    }
    let earlier = store::locked(tx, book_id, order_id)?;
    match earlier {
        Some(asked) if asked.state == AskState::Open => {
            let sealed = seal_text(tx, vault, &customer, &reason_label(order_id), &reason)?;
            store::set_reason(tx, book_id, order_id, &sealed)?;
            return Ok(RefundAsked {
                reason,
                sealed: None,
                ..asked
            });
        }
        Some(asked) if asked.state == AskState::Declined => {
            let answer = asked.answer;
            return Err(OrderError::RefundDeclined { answer });
        }
        _ => {}
    }
    let sealed = seal_text(tx, vault, &customer, &reason_label(order_id), &reason)?;
    let asked = RefundAsked {
        order_id,
        customer_id: order.customer_id,
        reason,
        sealed: None,
        state: AskState::Open,
        answer: String::new(),
        asked_at: tx.now(),
        closed_at: None,
        closed_by: None,
    };
    store::put(tx, book_id, &asked, &sealed)?;
    let details = json!({"customer_id": order.customer_id}).to_string();
    let subject = order_id.to_string();
    outbox::add(tx, book_id, "refund.requested", &subject, &details)?;
    Ok(asked)
}

/// Open requests of a vendor's customers, oldest first: `limit` of them, after the one about the
/// order `after`.
pub fn refund_requests(
    tx: &mut dyn Read,
    book_id: i64,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Page<RefundAsked, OrderId>> {
    let after = match after {
        Some(order) => {
            let last = store::by_order(tx, book_id, order)?;
            Some(last.ok_or(OrderError::Unknown(order))?)
        }
        None => None,
    };
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::open(tx, book_id, after.as_ref(), further)?;
    Ok(Page::of(found, limit, |asked| asked.order_id))
}

/// What was asked about an order.
pub(super) fn refund_request_of(
    tx: &mut dyn Read,
    book_id: i64,
    order_id: OrderId,
) -> Result<Option<RefundAsked>> {
    store::by_order(tx, book_id, order_id)
}

/// Declines an open request and says why. For the vendor's staff.
pub fn refund_request_decline(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    order_id: OrderId,
    answer: &str,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(OrderError::StaffOnly);
    }
    let answer = text::paragraph("the answer", answer, 1000)?;
    if answer.is_empty() {
        let field = "the answer";
        return Err(text::TextError::Empty { field }.into());
    }
    if !store::decline(tx, vendor.book_id, order_id, &answer, actor)? {
        return Err(OrderError::NotAsked(order_id));
    }
    let subject = order_id.to_string();
    let asked = store::by_order(tx, vendor.book_id, order_id)?;
    let details = json!({"customer_id": asked.map(|a| a.customer_id)}).to_string();
    outbox::add(tx, vendor.book_id, "refund.declined", &subject, &details)?;
    let action = "order.refund_declined";
    audit::note(tx, vendor.book_id, actor, action, &subject, &json!({}))?;
    Ok(())
}

/// Closes the open request about an order, where there is one: tokens were given back.
pub(super) fn refunded(
    tx: &mut Tx<'_>,
    book_id: i64,
    order_id: OrderId,
    actor: Actor,
) -> Result<()> {
    store::refunded(tx, book_id, order_id, actor)
}
