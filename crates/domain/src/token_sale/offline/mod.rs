//! Orders of tokens that no card pays (TOK-10 to TOK-13): by cheque, money order, purchase order,
//! invoice or cash, taken by staff or entered on the web.
//!
//! ```text
//! open ──accept──▶ awaiting ──whole payment──▶ cleared
//!   │                 ├──fail──▶ failed (what was spent stays owed)
//!   ├──cancel──▶ cancelled
//!   └──payment before acceptance──▶ cleared
//! ```
//!
//! Tokens are credited *upon receipt* of the money, or *upon acceptance* of the order: then they
//! are of origin credit, and the money is a receivable until it comes.

mod order;
mod rules;
mod store;
mod view;

use super::TokenSaleError;
use super::price::deal_for;
use crate::actor::Actor;
use crate::audit;
use crate::books;
use crate::credit::{Facts, Verdict};
use crate::customer::{
    Customer, CustomerError, State, activate_if_due, buyer, customer_by_id, opening_begun,
    opening_given, require_check_by, standing,
};
use crate::id::TokenOrderId;
use crate::policy::{Channel, CreditPoint, Means, Policy, Sensitive, policy};
use crate::text;
use crate::vendor::{Vendor, issue_take};
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{
    AccountKind, Amount, Leg, NewGrant, Origin, Posting, entry_post, grant_open, grant_pay_off,
    lots_locked,
};
use serde_json::json;

pub use order::{NewOfflineOrder, OfflineError, OfflineOrder, OfflineState, Paid};
pub use view::{
    Ageing, offline_ageing, offline_order_by_id, offline_orders_by_reference, offline_orders_in,
    offline_orders_of, offline_orders_waiting, offline_owed, offline_payments,
};

type Result<T> = std::result::Result<T, OfflineError>;

/// Orders that a customer may have open at a time.
const OPEN_AT_MOST: i64 = 20;

/// What an order may be paid with: on line by customers, off line where staff take it (REG-12).
pub fn offline_means(policy: &Policy, actor: Actor) -> Vec<Means> {
    let all = if actor.for_vendor() {
        &policy.registration.means_offline
    } else {
        &policy.registration.means_online
    };
    all.iter().copied().filter(|m| m.is_offline()).collect()
}

/// Opens an off-line order (FIG. 4, s203 and s204). Nothing is credited yet.
pub fn offline_order_open(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    new: &NewOfflineOrder,
) -> Result<OfflineOrder> {
    let book = vendor.book_id;
    let customer = customer_by_id(tx, book, new.customer)?;
    if !actor.may_act_for(customer.customer_id) {
        return Err(OfflineError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    let held = policy(tx, book)?;
    // Who takes an order for somebody else makes sure who that is, where the policy asks for it
    // (s202). The operator's command line and the jobs are asked nothing.
    require_check_by(tx, actor, &customer, Sensitive::OfflineOrder)?;
    if !offline_means(&held, actor).contains(&new.means) {
        return Err(OfflineError::MeansNotTaken(new.means));
    }
    no_credit_for_minors(tx, &customer, new.means)?;
    let payment_reference =
        text::optional_line("the number of the payment", &new.payment_reference, 200)?;
    let now = tx.now();
    let (deal, opens) = deal_for(tx, vendor, &customer, new.quantity, new.pack, now)?;
    if new.quoted.is_some_and(|quoted| quoted != deal.price) {
        return Err(TokenSaleError::PriceChanged.into());
    }
    // What does not fit the account cannot be credited. The wallet is the lock of the count.
    let lots = lots_locked(tx, book, customer.wallet)?;
    Amount::sum(lots.iter().map(|l| l.remaining))?.plus(new.quantity)?;
    let newest = TokenOrderId(uuid::Uuid::max());
    let last = store::of_customer(tx, book, customer.customer_id, newest, OPEN_AT_MOST)?;
    let open = last.iter().filter(|o| o.state == OfflineState::Open);
    if i64::try_from(open.count()).unwrap_or(i64::MAX) >= OPEN_AT_MOST {
        return Err(OfflineError::TooManyOpen);
    }
    let number = store::next_number(tx, book)?;
    let order = OfflineOrder {
        id: TokenOrderId(tx.new_id()?),
        customer: customer.customer_id,
        quantity: new.quantity,
        price: deal.price,
        deal,
        means: new.means,
        channel: if actor.for_vendor() {
            new.channel
        } else {
            Channel::Online
        },
        state: OfflineState::Open,
        reference: format!("T-{number:06}"),
        payment_reference,
        credit_point: credit_point(&held, new.means),
        taken_by: actor.to_string(),
        accepted_by: String::new(),
        accepted_at: None,
        closed_by: String::new(),
        closed_at: None,
        due_at: None,
        paid: Amount::ZERO,
        owed: Amount::ZERO,
        taken_back: Amount::ZERO,
        credit: None,
        reason: String::new(),
        created_at: tx.now(),
        activated: false,
        grant: None,
        entry: None,
    };
    if opens {
        opening_begun(tx, &customer, order.id)?;
    }
    store::insert(tx, book, &order)?;
    told(tx, actor, vendor, &order, "opened")?;
    Ok(order)
}

/// Minors get no credit (ADV-02).
fn no_credit_for_minors(tx: &mut Tx<'_>, customer: &Customer, means: Means) -> Result<()> {
    let is_child = buyer(tx, customer.book_id, customer.customer_id)?.has_parent;
    if is_child && matches!(means, Means::PurchaseOrder | Means::BillMe) {
        return Err(OfflineError::NoCredit);
    }
    Ok(())
}

/// Cash is there when it is accepted.
fn credit_point(policy: &Policy, means: Means) -> CreditPoint {
    match means {
        Means::Cash => CreditPoint::Receipt,
        _ => policy.sale.credit_point,
    }
}

/// Tells the outside and the audit trail what became of an order.
fn told(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    order: &OfflineOrder,
    what: &str,
) -> Result<()> {
    let (topic, subject) = (format!("token_order.{what}"), order.id.to_string());
    outbox::add(tx, vendor.book_id, &topic, &subject, "{}")?;
    let detail = json!({
        "reference": order.reference,
        "state": order.state,
        "means": order.means,
        "price": order.price.decimal(vendor.currency.scale),
        "paid": order.paid.decimal(vendor.currency.scale),
        "owed": order.owed.decimal(vendor.currency.scale),
        "credit": order.credit,
    });
    audit::note(tx, vendor.book_id, actor, &topic, &subject, &detail)?;
    Ok(())
}

fn order_locked(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: TokenOrderId,
) -> Result<(Customer, OfflineOrder)> {
    if !actor.for_vendor() {
        return Err(OfflineError::Forbidden);
    }
    let order = store::by_id_locked(tx, vendor.book_id, id)?.ok_or(OfflineError::Unknown(id))?;
    let customer = customer_by_id(tx, vendor.book_id, order.customer)?;
    Ok((customer, order))
}

/// What a check of the credit is told of an order, or `None` where the policy asks for none.
pub fn offline_credit_facts(
    tx: &mut dyn Read,
    vendor: &Vendor,
    id: TokenOrderId,
) -> Result<Option<Facts>> {
    let order = store::by_id(tx, vendor.book_id, id)?.ok_or(OfflineError::Unknown(id))?;
    let held = policy(tx, vendor.book_id)?;
    if !held.sale.credit_check.contains(&order.means) {
        return Ok(None);
    }
    let now = tx.now();
    let customer = customer_by_id(tx, vendor.book_id, order.customer)?;
    let owing = store::owed_by(tx, vendor.book_id, order.customer)?;
    let overdue = owing.iter().filter(|(due, _)| *due < now).map(|o| o.1);
    Ok(Some(Facts {
        status: standing(tx, &customer)?.credit_status,
        owed: Amount::sum(owing.iter().map(|o| o.1))?,
        overdue: Amount::sum(overdue)?,
        asked: order.price,
        limit: held.sale.credit_limit,
    }))
}

/// Accepts an open order (s205). `said` is what the check of the credit said to which facts; a
/// declined one ends the order and credits nothing. Tokens are credited now where the policy says
/// so, and the money is owed then (TOK-12).
pub fn offline_order_accept(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: TokenOrderId,
    said: Option<&(Facts, Verdict)>,
) -> Result<OfflineOrder> {
    let (customer, mut order) = order_locked(tx, actor, vendor, id)?;
    if order.state != OfflineState::Open {
        return Err(OfflineError::NotOpen { state: order.state });
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    // Of two orders accepted at once, the second one sees what the first one made the customer owe.
    lots_locked(tx, vendor.book_id, customer.wallet)?;
    let facts = offline_credit_facts(tx, vendor, id)?;
    if facts != said.map(|(facts, _)| *facts) {
        return Err(OfflineError::CreditChanged);
    }
    let now = tx.now();
    order.credit = said.map(|(_, verdict)| verdict.clone());
    if let Some(Verdict::Declined(reason)) = &order.credit {
        order.reason = reason.clone();
        order.state = OfflineState::Failed;
        close(&mut order, actor, now);
        store::update(tx, vendor.book_id, &order)?;
        told(tx, actor, vendor, &order, "failed")?;
        return Ok(order);
    }
    let held = policy(tx, vendor.book_id)?;
    order.credit_point = match buyer(tx, vendor.book_id, order.customer)?.has_parent {
        true => CreditPoint::Receipt,
        false => credit_point(&held, order.means),
    };
    order.accepted_by = actor.to_string();
    order.accepted_at = Some(now);
    order.due_at = Some(now.plus_seconds(held.sale.due_days.saturating_mul(24 * 3600)));
    order.state = OfflineState::Awaiting;
    if order.credit_point == CreditPoint::Acceptance {
        let receivable = books::account(tx, vendor, AccountKind::Receivable)?;
        let how = Credited {
            code: "token_credit",
            origin: Origin::Credit,
            debit: receivable,
        };
        credit(tx, actor, vendor, &customer, &mut order, &how)?;
        order.owed = order.price;
    }
    store::update(tx, vendor.book_id, &order)?;
    told(tx, actor, vendor, &order, "awaiting")?;
    Ok(order)
}

fn close(order: &mut OfflineOrder, actor: Actor, now: Timestamp) {
    order.closed_by = actor.to_string();
    order.closed_at = Some(now);
}

/// How tokens come into an account.
struct Credited {
    code: &'static str,
    origin: Origin,
    /// The account that the money comes from.
    debit: i64,
}

/// Credits the tokens of an order, with the money on the other side.
fn credit(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    order: &mut OfflineOrder,
    how: &Credited,
) -> Result<()> {
    issue_take(tx, vendor.book_id, order.quantity)?;
    let now = tx.now();
    let new = NewGrant {
        asset_id: vendor.token.asset_id,
        origin: how.origin,
        restriction: order.deal.restriction.as_deref(),
        expires_at: order.deal.expires_at(now),
        quantity: order.quantity,
        paid: order.price,
        paid_asset_id: Some(vendor.currency.asset_id),
        granted_at: now,
    };
    let grant = grant_open(tx, vendor.book_id, &new)?;
    let tokens = Leg {
        debit: vendor.accounts.issued,
        credit: customer.wallet,
        amount: order.quantity,
        grant: Some(grant),
    };
    let money = Leg {
        debit: how.debit,
        credit: vendor.accounts.deferred,
        amount: order.price,
        grant: None,
    };
    let entry = post(tx, actor, vendor, order, how.code, &[tokens, money])?;
    order.grant = Some(grant);
    order.entry = Some(entry);
    let opened = opening_given(tx, customer, order.id)?;
    order.activated = opened || activate_if_due(tx, vendor, customer)?;
    Ok(())
}

/// All entries of an order have its id as their event.
fn post(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    order: &OfflineOrder,
    code: &str,
    legs: &[Leg],
) -> Result<i64> {
    let effective_at = tx.now();
    let posting = Posting {
        book_id: vendor.book_id,
        event_id: order.id.0,
        code,
        actor: &actor.to_string(),
        reference: &order.reference,
        effective_at,
        legs,
    };
    Ok(entry_post(tx, &posting)?)
}

/// Enters money that came; without an amount, all that is open of the order (s206 to s208). Before
/// that nothing is credited, unless acceptance did; a part is taken where money is owed.
pub fn offline_order_pay(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: TokenOrderId,
    amount: Option<Amount>,
    payment_reference: &str,
) -> Result<OfflineOrder> {
    let (customer, mut order) = order_locked(tx, actor, vendor, id)?;
    let number = text::optional_line("the number of the payment", payment_reference, 200)?;
    let (amount, payment) = rules::payment(&order, amount)?;
    let bank = books::account(tx, vendor, AccountKind::Bank)?;
    let now = tx.now();
    let entry = match payment {
        rules::Payment::Whole => {
            if customer.state == State::Closed {
                return Err(CustomerError::Closed(customer.number).into());
            }
            order.credit_point = CreditPoint::Receipt;
            let how = Credited {
                code: "token_sale",
                origin: Origin::Paid,
                debit: bank,
            };
            credit(tx, actor, vendor, &customer, &mut order, &how)?;
            order.entry
        }
        rules::Payment::Part { left } => {
            let leg = Leg {
                debit: bank,
                credit: books::account(tx, vendor, AccountKind::Receivable)?,
                amount,
                grant: None,
            };
            order.owed = left;
            Some(post(tx, actor, vendor, &order, "token_payment", &[leg])?)
        }
    };
    order.paid = order.paid.plus(amount)?;
    if !number.is_empty() {
        order.payment_reference.clone_from(&number);
    }
    let earlier = store::payments(tx, vendor.book_id, id)?;
    let paid = Paid {
        number: i64::try_from(earlier.len()).map_or(i64::MAX, |n| n.saturating_add(1)),
        amount,
        reference: number,
        taken_by: actor.to_string(),
        entry: entry.unwrap_or_default(),
        at: now,
    };
    store::insert_payment(tx, vendor.book_id, id, &paid)?;
    if order.owed.is_zero() {
        settle(tx, vendor, &order)?;
        if order.state != OfflineState::Failed {
            order.state = OfflineState::Cleared;
            close(&mut order, actor, now);
        }
    }
    store::update(tx, vendor.book_id, &order)?;
    let what = match order.state {
        OfflineState::Cleared => "cleared",
        _ => "paid",
    };
    told(tx, actor, vendor, &order, what)?;
    Ok(order)
}

/// Tokens that were issued before payment count as paid for when nothing is owed for them.
fn settle(tx: &mut Tx<'_>, vendor: &Vendor, order: &OfflineOrder) -> Result<()> {
    match order.grant {
        Some(grant) if order.credit_point == CreditPoint::Acceptance => {
            Ok(grant_pay_off(tx, vendor.book_id, grant, &order.id.0)?)
        }
        _ => Ok(()),
    }
}

/// Ends an order for which no money comes. Tokens that were credited before payment and are still
/// there are taken back; what was spent of them stays owed.
pub fn offline_order_fail(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: TokenOrderId,
    reason: &str,
) -> Result<OfflineOrder> {
    let (customer, mut order) = order_locked(tx, actor, vendor, id)?;
    let reason = text::line("the reason", reason, 500)?;
    if !matches!(order.state, OfflineState::Open | OfflineState::Awaiting) {
        return Err(OfflineError::NotOpen { state: order.state });
    }
    if let Some(grant) = order.grant {
        take_back(tx, actor, vendor, &customer, &mut order, grant)?;
    }
    let now = tx.now();
    order.reason = reason;
    order.state = OfflineState::Failed;
    close(&mut order, actor, now);
    store::update(tx, vendor.book_id, &order)?;
    told(tx, actor, vendor, &order, "failed")?;
    Ok(order)
}

fn take_back(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    order: &mut OfflineOrder,
    grant: i64,
) -> Result<()> {
    let lots = lots_locked(tx, vendor.book_id, customer.wallet)?;
    let lot = lots.iter().find(|l| l.grant.grant_id == grant);
    let remaining = lot.map_or(Amount::ZERO, |l| l.remaining);
    let back = rules::taken_back(order, remaining)?;
    let mut legs = Vec::new();
    if back.tokens.is_positive() {
        legs.push(Leg {
            debit: customer.wallet,
            credit: vendor.accounts.issued,
            amount: back.tokens,
            grant: Some(grant),
        });
    }
    if back.money.is_positive() {
        legs.push(Leg {
            debit: vendor.accounts.deferred,
            credit: books::account(tx, vendor, AccountKind::Receivable)?,
            amount: back.money,
            grant: None,
        });
    }
    if legs.is_empty() {
        return Ok(());
    }
    post(tx, actor, vendor, order, "token_take_back", &legs)?;
    order.taken_back = back.tokens;
    order.owed = order.owed.minus(back.money)?;
    if order.owed.is_zero() && order.paid.is_positive() {
        settle(tx, vendor, order)?;
    }
    Ok(())
}

/// Withdraws an order that was not accepted yet.
pub fn offline_order_cancel(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: TokenOrderId,
) -> Result<OfflineOrder> {
    let found = store::by_id_locked(tx, vendor.book_id, id)?;
    // Another customer's order is as unknown as one that does not exist.
    let mut order = found
        .filter(|order| actor.may_act_for(order.customer))
        .ok_or(OfflineError::Unknown(id))?;
    if order.state != OfflineState::Open {
        return Err(OfflineError::NotOpen { state: order.state });
    }
    let now = tx.now();
    order.state = OfflineState::Cancelled;
    close(&mut order, actor, now);
    store::update(tx, vendor.book_id, &order)?;
    told(tx, actor, vendor, &order, "cancelled")?;
    Ok(order)
}
