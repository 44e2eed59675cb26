//! Expiries, bookings of revenue, and money that is paid back.

use super::store;
use crate::books::PAYBACK_CAME;
use crate::payback::{self, Way, paybacks_all};
use crate::{expiry, revenue};
use scrip_engine::{ReadTx, Result};
use scrip_ledger::verify::Report;
use scrip_ledger::{AccountKind, Amount};
use std::collections::BTreeMap;

/// An expiry takes tokens out of wallets alone, into the account of expired tokens alone, and
/// none before its time.
pub(super) fn expiries(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    for moved in store::moved_by(tx, book_id, expiry::CODE)? {
        let ways = moved.debit == "wallet" && moved.credit == "expired";
        if !ways {
            let problem = format!("moves from {} to {}", moved.debit, moved.credit);
            report.wrong("transfer", moved.transfer, problem);
        }
        if moved.expires_at.is_none_or(|at| at > moved.recorded_at) {
            report.wrong(
                "transfer",
                moved.transfer,
                "took tokens before their expiry",
            );
        }
    }
    Ok(())
}

/// A booking says what its entry moved out of the deferred account.
pub(super) fn bookings(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    let mut moved: BTreeMap<i64, [Amount; 2]> = BTreeMap::new();
    let kinds = [AccountKind::Earned.name(), AccountKind::Breakage.name()];
    for transfer in store::moved_by(tx, book_id, revenue::CODE)? {
        let sums = moved.entry(transfer.entry).or_default();
        for (sum, kind) in sums.iter_mut().zip(kinds) {
            let next = match kind {
                k if k == transfer.credit => sum.plus(transfer.amount),
                k if k == transfer.debit => sum.minus(transfer.amount),
                _ => Ok(*sum),
            };
            *sum = next.unwrap_or(*sum);
        }
    }
    for (day, entry, says) in store::bookings(tx, book_id)? {
        let found = entry.and_then(|e| moved.remove(&e)).unwrap_or_default();
        if found != says {
            let problem = format!(
                "says {} earned and {} broken, its entry moved {} and {}",
                says[0], says[1], found[0], found[1]
            );
            report.wrong("revenue_close", day, problem);
        }
    }
    for entry in moved.keys() {
        let problem = format!("is missing, entry {entry} booked it");
        report.wrong("revenue_close", entry, problem);
    }
    Ok(())
}

/// Money that is to be paid back came by an entry of its own, and went by another one, once.
pub(super) fn paybacks(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    type Found = BTreeMap<i64, (Amount, String, String)>;
    let mut by_code = |code| -> Result<Found> {
        let moved = store::moved_by(tx, book_id, code)?.into_iter();
        Ok(moved
            .map(|m| (m.entry, (m.amount, m.debit, m.credit)))
            .collect())
    };
    let (mut came, mut back) = (by_code(PAYBACK_CAME)?, by_code(payback::PAID)?);
    for row in paybacks_all(tx, book_id)? {
        let mut compare = |found: &mut Found, entry: Option<i64>, from: &str, to: &str| {
            let Some(entry) = entry else { return };
            let is = found.remove(&entry);
            if is != Some((row.amount, from.to_owned(), to.to_owned())) {
                let problem = format!("entry {entry} does not move its money from {from} to {to}");
                report.wrong("payback", row.order, problem);
            }
        };
        compare(&mut came, row.came_entry, "processor", "payback");
        let to = match row.way {
            Some(Way::Other) => "bank",
            _ => "processor",
        };
        compare(&mut back, row.back_entry, "payback", to);
        if row.settled_at.is_some() != row.back_entry.is_some() {
            report.wrong("payback", row.order, "is settled without an entry");
        }
    }
    for entry in came.keys().chain(back.keys()) {
        report.wrong("payback", entry, "is missing, this entry booked it");
    }
    Ok(())
}
