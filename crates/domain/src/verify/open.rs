//! Orders that open tokens paid: their parts come to their price, and each part has its line at the
//! mall and its tokens in the mall's book.

use super::store;
use crate::mall::{LineKind, mall_by_book, settled_line};
use scrip_engine::{Error, ReadTx, Result};
use scrip_ledger::Amount;
use scrip_ledger::verify::Report;
use scrip_ledger::{entries_by_id, entry_transfers};

/// Adds to `report` each order that its parts, or the mall's book, contradict.
pub(super) fn orders(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    for order in store::open_orders(tx, book_id)? {
        let standing = order.parts.iter().filter(|part| !part.is_back);
        let paid = Amount::sum(standing.map(|part| part.amount)).ok();
        let price = match order.is_reversed {
            true => Amount::ZERO,
            false => order.price,
        };
        if paid != Some(price) {
            let problem = format!("costs {price} units, its parts make {paid:?}");
            report.wrong("open_order", order.id, problem);
        }
        for part in &order.parts {
            if let Some(problem) = part_wrong(tx, order.mall, part)? {
                report.wrong("open_part", order.id, problem);
            }
        }
    }
    Ok(())
}

fn part_wrong(
    tx: &mut ReadTx<'_>,
    mall_book: i64,
    part: &store::OpenPart,
) -> Result<Option<String>> {
    let corrupt = |e: String| Error::Corrupt(e);
    let mall = mall_by_book(tx, mall_book).map_err(|e| corrupt(e.to_string()))?;
    let Ok(line) = settled_line(tx, &mall, part.event) else {
        return Ok(Some(format!("event {} has no settlement", part.event)));
    };
    let entry = entries_by_id(tx, mall_book, line.mall_entry);
    let transfers = entry.and_then(|entry| entry_transfers(tx, mall_book, &entry));
    let transfers = transfers.map_err(|e| corrupt(e.to_string()))?;
    let spent = transfers.iter().filter(|t| t.debit == part.account);
    let spent = Amount::sum(spent.map(|t| t.amount)).ok();
    let drawn = part.amount.plus(part.surplus).ok();
    if line.kind != LineKind::Sale || spent != drawn {
        return Ok(Some(format!(
            "event {} should have drawn {drawn:?} units, its entry drew {spent:?}",
            part.event
        )));
    }
    Ok(None)
}
