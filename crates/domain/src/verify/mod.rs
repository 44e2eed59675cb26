//! Checks that orders, refunds and token sales say what the ledger says.

mod books;
mod cards;
mod mall;
mod open;
mod store;

pub use mall::mall_verify;

use crate::catalog::CatalogError;
use crate::catalog::shelf::shelf_faults;
use crate::promotion::{PromotionError, promotion_faults};
use scrip_engine::{ReadTx, Result};
use scrip_ledger::Amount;
use scrip_ledger::verify::Report;
use std::collections::BTreeMap;

/// What an entry moved out of the vendor's hands, by kind of business.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Moved {
    code: String,
    event_id: uuid::Uuid,
    tokens: Amount,
}

/// Adds to `report` each row of a vendor's shop that its ledger contradicts.
pub fn vendor_verify(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    let entries = store::moved(tx, book_id)?;
    let by_card = store::card_orders(tx, book_id)?;
    let paid_open = store::paid_open(tx, book_id)?;
    let is_elsewhere =
        |order: &uuid::Uuid| by_card.contains_key(order) || paid_open.contains(order);
    let mut of_orders = orders(tx, book_id, &entries, &is_elsewhere, report)?;
    refunds(tx, book_id, &entries, &mut of_orders, report)?;
    cards::orders(tx, book_id, &by_card, report)?;
    open::orders(tx, book_id, report)?;
    token_orders(tx, book_id, &entries, report)?;
    receivables(tx, book_id, report)?;
    books::expiries(tx, book_id, report)?;
    books::bookings(tx, book_id, report)?;
    books::paybacks(tx, book_id, report)?;
    for (entry, moved) in entries.iter().filter(|e| e.1.code == "order") {
        if of_orders
            .get(&moved.event_id)
            .is_none_or(|o| o.entry_id != Some(*entry))
        {
            report.wrong(
                "orders",
                moved.event_id,
                format!("is missing, entry {entry} paid it"),
            );
        }
    }
    for (order, line) in store::taxes_wrong(tx, book_id)? {
        report.wrong(
            "order_line",
            order,
            format!("line {line} has another tax than its rate makes"),
        );
    }
    for (order, line) in store::taxes_back_wrong(tx, book_id)? {
        report.wrong(
            "refund_line",
            order,
            format!("line {line} gave back another tax"),
        );
    }
    shelf(tx, book_id, report)?;
    promotions(tx, book_id, report)?;
    goods(tx, book_id, report)?;
    for (customer, account) in store::dangling_wallets(tx, book_id)? {
        report.wrong(
            "wallet_link",
            customer,
            format!("account {account} is missing"),
        );
    }
    Ok(())
}

/// What searches look into is kept beside the products.
fn shelf(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    let faults = shelf_faults(tx, book_id).map_err(|e| match e {
        CatalogError::Engine(e) => e,
        other => scrip_engine::Error::Corrupt(other.to_string()),
    })?;
    for what in faults {
        report.wrong("shelf", what, "differs from the products and offers");
    }
    Ok(())
}

/// What promotions took off is what the lines of their orders make.
fn promotions(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    let faults = promotion_faults(tx, book_id).map_err(|e| match e {
        PromotionError::Engine(e) => e,
        other => scrip_engine::Error::Corrupt(other.to_string()),
    })?;
    for (table, key, problem) in faults {
        report.wrong(table, key, problem);
    }
    Ok(())
}

/// The stock row says until when something is reserved, and only paid orders are sent.
fn goods(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    for offer in store::reserved_longer(tx, book_id)? {
        report.wrong("stock", offer, "a reservation lasts longer than it says");
    }
    for order in store::sent_unpaid(tx, book_id)? {
        report.wrong("shipment", order, "its order is missing or was not paid");
    }
    Ok(())
}

struct Order {
    entry_id: Option<i64>,
    total: Amount,
    refunded: Amount,
    /// True where a card paid, or open tokens did: then no token of the book moved.
    elsewhere: bool,
}

type Entries = BTreeMap<i64, Moved>;
type Orders = BTreeMap<uuid::Uuid, Order>;

fn orders(
    tx: &mut ReadTx<'_>,
    book_id: i64,
    entries: &Entries,
    is_elsewhere: &dyn Fn(&uuid::Uuid) -> bool,
    report: &mut Report,
) -> Result<Orders> {
    let lines = store::line_totals(tx, book_id)?;
    let mut orders = Orders::new();
    for order in store::orders(tx, book_id)? {
        let (count, sum) = lines.get(&order.id).copied().unwrap_or_default();
        if (count, sum) != (order.lines, order.total) {
            let problem = format!(
                "says {} lines and {} units, its lines are {count} and make {sum}",
                order.lines, order.total
            );
            report.wrong("orders", order.id, problem);
        }
        let paid = order
            .entry_id
            .and_then(|e| entries.get(&e))
            .filter(|m| m.event_id == order.id);
        let elsewhere = is_elsewhere(&order.id);
        let expected = if order.completed && !elsewhere {
            order.total
        } else {
            Amount::ZERO
        };
        let found = paid.map_or(Amount::ZERO, |m| m.tokens);
        if found != expected {
            let problem = format!("should have moved {expected} units, its entry moved {found}");
            report.wrong("orders", order.id, problem);
        }
        let row = Order {
            entry_id: order.entry_id,
            total: order.total,
            refunded: Amount::ZERO,
            elsewhere,
        };
        orders.insert(order.id, row);
    }
    Ok(orders)
}

fn refunds(
    tx: &mut ReadTx<'_>,
    book_id: i64,
    entries: &Entries,
    orders: &mut Orders,
    report: &mut Report,
) -> Result<()> {
    for refund in store::refunds(tx, book_id)? {
        let key = format!("{}/{}", refund.order, refund.no);
        let moved = entries
            .get(&refund.entry_id)
            .map_or(Amount::ZERO, |m| m.tokens);
        let elsewhere = orders.get(&refund.order).is_some_and(|o| o.elsewhere);
        let expected = match elsewhere {
            true => Amount::ZERO,
            false => refund.amount,
        };
        if moved != expected || refund.lines != refund.amount {
            let problem = format!(
                "says {} units, its entry moved {moved}, its lines make {}",
                refund.amount, refund.lines
            );
            report.wrong("refund", &key, problem);
        }
        let Some(order) = orders.get_mut(&refund.order) else {
            report.wrong("refund", &key, "its order is missing");
            continue;
        };
        order.refunded = order.refunded.plus(refund.amount).unwrap_or(order.refunded);
        if order.refunded > order.total {
            report.wrong("refund", &key, "more was given back than was paid");
        }
    }
    Ok(())
}

fn token_orders(
    tx: &mut ReadTx<'_>,
    book_id: i64,
    entries: &Entries,
    report: &mut Report,
) -> Result<()> {
    for order in store::credited_token_orders(tx, book_id)? {
        let moved = order
            .entry_id
            .and_then(|e| entries.get(&e))
            .map(|m| m.tokens);
        if moved != Some(order.total) {
            let problem = format!("credited {} units, its entry moved {moved:?}", order.total);
            report.wrong("token_order", order.id, problem);
        }
    }
    Ok(())
}

/// What off-line orders say of paid and owed money is what their payments and entries make.
fn receivables(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    let made = store::offline_money(tx, book_id)?;
    for (id, says) in store::offline_orders(tx, book_id)? {
        let made = made.get(&id).copied().unwrap_or_default();
        if made.paid != says.paid {
            let problem = format!(
                "says {} units are paid, payments make {}",
                says.paid, made.paid
            );
            report.wrong("token_order", id, problem);
        }
        if made.owed != says.owed {
            let problem = format!(
                "says {} units are owed, entries leave {}",
                says.owed, made.owed
            );
            report.wrong("token_order", id, problem);
        }
    }
    Ok(())
}
