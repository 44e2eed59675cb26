//! Taking a payment back: because what pays is chosen anew (OPN-23), or because the order is given
//! back. Every movement of the payment is reversed, in all three books, as an event of its own.

use super::pay::OpenPayment;
use super::rules::Pays;
use super::store::{self, OpenOrder, OpenPart};
use super::{CheckoutError, OpenReceipt, Result, parties, tell};
use crate::actor::Actor;
use crate::audit;
use crate::gift::gift_give_back;
use crate::id::{CustomerId, OrderId};
use crate::mall::{
    LineKind, Mall, Member, Owed, Sides, mall_by_book, member_of, settle, settled_line,
};
use crate::open_token::{OpenKind, open_money};
use crate::order::elsewhere::{lines_sold, order_given_back};
use crate::order::{OrderError, Refunded};
use crate::vendor::{Vendor, vendor_by_book};
use scrip_engine::{Read, Tx};
use scrip_ledger::{
    Amount, CURRENCY_SCALE, Error as LedgerError, Leg, entries_by_id, entry_transfers, lots_locked,
};
use serde_json::json;
use std::collections::BTreeSet;

/// A payment that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reversed {
    /// The order.
    pub order_id: OrderId,
    /// What went back, in the mall's currency.
    pub price: Amount,
}

/// Pays an order with another type than before (OPN-23): the first payment is taken back and the
/// order is paid anew, once, or nothing changes and the error says why.
pub fn checkout_switch(
    tx: &mut Tx<'_>,
    actor: Actor,
    home: &Vendor,
    customer: CustomerId,
    (seller_book, order_id): (i64, OrderId),
    pays: Pays,
) -> Result<OpenReceipt> {
    let parties = parties(tx, actor, home, customer, seller_book)?;
    let order = paid(tx, seller_book, order_id)?;
    if (order.home_book, order.customer_id) != (home.book_id, customer) {
        return Err(CheckoutError::Unknown(order_id));
    }
    if order.switches > 0 {
        return Err(CheckoutError::Switched);
    }
    let parts = reverse(tx, &parties.mall, &parties.seller, &order)?;
    store::set_switched(tx, seller_book, order_id)?;
    let lines = lines_sold(tx, seller_book, order_id)?;
    let last = parts.iter().map(|part| part.number).max().unwrap_or(0);
    let mut payment = OpenPayment::again(&parties, order.value, last.saturating_add(1));
    payment.pays = Some(pays);
    if payment.planned(tx, &lines)?.is_some() {
        return Err(CheckoutError::CannotPay(pays));
    }
    crate::order::elsewhere::Payment::pay(&mut payment, tx, order_id)?;
    let receipt = OpenReceipt {
        order_id,
        price: payment.price,
        split: payment.split(),
        left: payment.left()?,
        lines,
    };
    tell(tx, &parties, &receipt)?;
    Ok(receipt)
}

/// Gives an order back that open tokens paid, whole: for the seller's staff.
pub fn checkout_reverse(
    tx: &mut Tx<'_>,
    actor: Actor,
    seller: &Vendor,
    order_id: OrderId,
    restock: bool,
) -> Result<Reversed> {
    if !actor.for_vendor() {
        return Err(CheckoutError::Forbidden);
    }
    let order = paid(tx, seller.book_id, order_id)?;
    let mall = mall_by_book(tx, order.mall_book)?;
    let member = known(tx, seller.book_id)?;
    let parts = reverse(tx, &mall, &member, &order)?;
    store::set_reversed(tx, seller.book_id, order_id)?;
    let event = parts.iter().filter_map(|part| part.reversed_by).next_back();
    let entry = match event {
        Some(event) => settled_line(tx, &mall, event)?.creditor_entry,
        None => return Err(OrderError::NothingToRefund.into()),
    };
    let refunded: Refunded = order_given_back(tx, actor, seller, order_id, (entry, restock))?;
    let detail = json!({
        "price": order.price.decimal(CURRENCY_SCALE), "refund_no": refunded.refund_no,
    });
    let id = order_id.to_string();
    audit::note(
        tx,
        seller.book_id,
        actor,
        "open_order.reversed",
        &id,
        &detail,
    )?;
    Ok(Reversed {
        order_id,
        price: order.price,
    })
}

fn paid(tx: &mut Tx<'_>, seller: i64, order_id: OrderId) -> Result<OpenOrder> {
    let order = store::order_locked(tx, seller, order_id)?;
    let order = order.ok_or(CheckoutError::Unknown(order_id))?;
    match order.is_reversed {
        true => Err(CheckoutError::Reversed),
        false => Ok(order),
    }
}

fn known(tx: &mut dyn Read, book: i64) -> Result<Member> {
    let missing = || LedgerError::AccountUnknown { book, account: 0 };
    Ok(member_of(tx, book)?.ok_or_else(missing)?)
}

/// Takes every part back that still stands; returns all parts.
fn reverse(
    tx: &mut Tx<'_>,
    mall: &Mall,
    seller: &Member,
    order: &OpenOrder,
) -> Result<Vec<OpenPart>> {
    let mut parts = store::parts(tx, seller.book_id, order.order_id)?;
    lock(tx, mall, &parts)?;
    for part in parts.iter_mut().filter(|part| part.reversed_by.is_none()) {
        let event = tx.new_id()?;
        one(tx, mall, seller, order.order_id, (part, event))?;
        part.reversed_by = Some(event);
        store::part_reversed(tx, seller.book_id, order.order_id, part.number, event)?;
    }
    Ok(parts)
}

/// The accounts that tokens go back to, ascending, as purchases lock them.
fn lock(tx: &mut Tx<'_>, mall: &Mall, parts: &[OpenPart]) -> Result<()> {
    let standing = parts.iter().filter(|part| part.reversed_by.is_none());
    let accounts: BTreeSet<i64> = standing
        .flat_map(|part| [Some(part.account), part.surplus_account])
        .flatten()
        .collect();
    for account in accounts {
        lots_locked(tx, mall.book_id, account)?;
    }
    Ok(())
}

/// The movements of an entry, turned round, without those of the due accounts.
fn turned(tx: &mut Tx<'_>, book: i64, entry: i64, without: &[i64]) -> Result<Vec<Leg>> {
    let entry = entries_by_id(tx, book, entry)?;
    let transfers = entry_transfers(tx, book, &entry)?;
    let own = transfers.iter().rev().filter(|t| {
        let touches = |account: &i64| t.debit == *account || t.credit == *account;
        !without.iter().any(touches)
    });
    let legs = own.map(|t| Leg {
        debit: t.credit,
        credit: t.debit,
        amount: t.amount,
        grant: t.grant_id,
    });
    Ok(legs.collect())
}

fn one(
    tx: &mut Tx<'_>,
    mall: &Mall,
    seller: &Member,
    order: OrderId,
    (part, event_id): (&OpenPart, uuid::Uuid),
) -> Result<()> {
    let line = settled_line(tx, mall, part.event_id)?;
    let debtor = known(tx, part.debtor)?;
    let dues = [seller.accounts.mall_due, debtor.accounts.mall_due];
    let tokens = turned(tx, mall.book_id, line.mall_entry, &dues)?;
    // What came of a certificate goes back first, and it may be gone.
    for leg in &tokens {
        let is_surplus = part.surplus_account == Some(leg.debit);
        if is_surplus {
            let lots = lots_locked(tx, mall.book_id, leg.debit)?;
            let has = lots
                .iter()
                .find(|lot| Some(lot.grant.grant_id) == leg.grant);
            if has.is_none_or(|lot| lot.remaining < leg.amount) {
                return Err(CheckoutError::SurplusSpent);
            }
        }
    }
    let debtor_legs = turned(
        tx,
        debtor.book_id,
        line.debtor_entry,
        &[debtor.accounts.member_due],
    )?;
    let seller_legs = turned(
        tx,
        seller.book_id,
        line.creditor_entry,
        &[seller.accounts.member_due],
    )?;
    let vendor = vendor_by_book(tx, seller.book_id)?;
    let sales = open_money(tx, &vendor)?.sales;
    // The seller owes it back, and its sales are less; the debtor has spent nothing.
    let money: Owed = line.money.reversed()?;
    let sides = Sides {
        event_id,
        kind: LineKind::Reversal,
        actor: &order.to_string(),
        debtor: (&as_spender(seller, sales), &seller_legs),
        creditor: (&debtor, &debtor_legs, debtor.accounts.settled),
        mall: &tokens,
    };
    settle(tx, mall, &sides, &money)?;
    if part.kind == OpenKind::Gift {
        gift_give_back(tx, mall, part.account)?;
    }
    Ok(())
}

/// The seller, whose sales pay what goes back.
fn as_spender(seller: &Member, sales: i64) -> Member {
    let mut spender = seller.clone();
    spender.accounts.settled = sales;
    spender
}
