//! Orders that cards paid: what their rows say is what their entries moved, in money.

use super::store;
use scrip_engine::{ReadTx, Result};
use scrip_ledger::Amount;
use scrip_ledger::verify::Report;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Each paid order has an entry that brought its price, each refund one that took it back; and no
/// entry moves money of sales without either.
pub(super) fn orders(
    tx: &mut ReadTx<'_>,
    book_id: i64,
    orders: &BTreeMap<Uuid, store::CardOrder>,
    report: &mut Report,
) -> Result<()> {
    let mut moved = store::sales_moved(tx, book_id)?;
    for order in orders.values() {
        let took = moved.remove(&order.entry_id).unwrap_or_default();
        let price = if order.is_paid {
            order.price
        } else {
            Amount::ZERO
        };
        if took != price {
            let problem = format!("should have taken {price} units, its entry took {took}");
            report.wrong("card_order", order.id, problem);
        }
        if order.is_paid && order.order_entry != Some(order.entry_id) {
            let problem = format!("is paid by entry {}, its order is not", order.entry_id);
            report.wrong("card_order", order.id, problem);
        }
        if let Some(entry) = order.refund_entry {
            let gave = moved.remove(&entry).unwrap_or_default();
            if gave.plus(order.price).ok() != Some(Amount::ZERO) {
                let problem = format!("gave {} units back, its entry moved {gave}", order.price);
                report.wrong("card_refund", order.id, problem);
            }
        }
    }
    for (entry, amount) in moved.iter().filter(|(_, amount)| !amount.is_zero()) {
        let problem = format!("is missing, entry {entry} moved {amount} units of sales");
        report.wrong("card_order", entry, problem);
    }
    Ok(())
}
