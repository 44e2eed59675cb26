//! What the mall keeps of events between members is what the entries of the three books make.

use crate::mall::{
    Invoice, Line, MallError, Member, Payment, clearings, deposit, invoices, mall_by_book,
    mall_kept, mall_lines, members,
};
use scrip_engine::{Error, ReadTx, Result};
use scrip_ledger::verify::Report;
use scrip_ledger::{Amount, account_balance, entries_by_id, entry_transfers};
use std::collections::BTreeMap;

/// Adds to `report` each row of a mall that the ledgers contradict.
pub fn mall_verify(tx: &mut ReadTx<'_>, book_id: i64, report: &mut Report) -> Result<()> {
    let mall = mall_by_book(tx, book_id).map_err(plain)?;
    let members = members(tx, &mall).map_err(plain)?;
    let mut owed: BTreeMap<i64, Amount> = BTreeMap::new();
    let mut residue = Amount::ZERO;
    for line in mall_lines(tx, &mall).map_err(plain)? {
        entries(tx, book_id, &line, report)?;
        let money = line.money;
        for (member, change) in [
            (line.debtor, Ok(money.owed)),
            (line.creditor, money.received.negated()),
        ] {
            if member == book_id {
                continue;
            }
            let sum = owed.entry(member).or_default();
            *sum = change.and_then(|c| sum.plus(c)).unwrap_or(*sum);
        }
        let kept = money.residue.plus(money.royalty);
        residue = kept.and_then(|k| residue.plus(k)).unwrap_or(residue);
    }
    for invoice in invoices(tx, &mall, None, i64::MAX).map_err(plain)? {
        if let Some(payment) = &invoice.payment {
            paid(tx, book_id, (&invoice, payment), report)?;
            let sum = owed.entry(invoice.member).or_default();
            *sum = sum.minus(invoice.position.paid).unwrap_or(*sum);
        }
    }
    for member in &members {
        let says = owed.remove(&member.book_id).unwrap_or_default();
        position(tx, book_id, member, says, report)?;
    }
    for member in &members {
        deposits(tx, member, report)?;
    }
    for member in owed.keys() {
        report.wrong("settlement", member, "names a book that is no member");
    }
    if mall_kept(tx, &mall).map_err(plain)? != residue {
        report.wrong(
            "settlement",
            book_id,
            "its residues and royalties are not what the accounts have",
        );
    }
    for clearing in clearings(tx, &mall, i64::MAX).map_err(plain)? {
        for (member, position) in &clearing.positions {
            if position.paid.plus(position.carried).ok() != Some(position.net) {
                let key = format!("{}/{member}", clearing.number);
                report.wrong("clearing_position", key, "paid and carried are not its net");
            }
        }
    }
    Ok(())
}

fn plain(e: MallError) -> Error {
    match e {
        MallError::Engine(e) => e,
        other => Error::Corrupt(other.to_string()),
    }
}

/// The three entries of a line bear its id.
fn entries(tx: &mut ReadTx<'_>, mall: i64, line: &Line, report: &mut Report) -> Result<()> {
    for (book, entry) in [
        (line.debtor, line.debtor_entry),
        (line.creditor, line.creditor_entry),
        (mall, line.mall_entry),
    ] {
        let found = entries_by_id(tx, book, entry).ok();
        if found.is_none_or(|e| e.event_id != line.event_id) {
            let problem = format!("entry {entry} of book {book} is not its own");
            report.wrong("settlement", line.event_id, problem);
        }
    }
    Ok(())
}

/// A payment has its entries in both books, each of what the clearing came to.
fn paid(
    tx: &mut ReadTx<'_>,
    mall: i64,
    (invoice, payment): (&Invoice, &Payment),
    report: &mut Report,
) -> Result<()> {
    let wrong = |e: scrip_ledger::Error| Error::Corrupt(e.to_string());
    let due = invoice.position.due().map_err(plain)?;
    let (member_entry, mall_entry) = payment.entries;
    for (book, entry) in [(invoice.member, member_entry), (mall, mall_entry)] {
        let entry = entries_by_id(tx, book, entry).map_err(wrong)?;
        let transfers = entry_transfers(tx, book, &entry).map_err(wrong)?;
        let moved = Amount::sum(transfers.iter().map(|t| t.amount)).map_err(wrong)?;
        if entry.event_id != payment.event_id || moved != due {
            let key = format!("{}/{}", invoice.number, invoice.member);
            let problem = format!("came to {due}, its entry in book {book} moved {moved}");
            report.wrong("clearing_payment", key, problem);
        }
    }
    Ok(())
}

/// Both accounts of a deposit have what is left of it.
fn deposits(tx: &mut ReadTx<'_>, member: &Member, report: &mut Report) -> Result<()> {
    let Some(deposit) = deposit(tx, member).map_err(plain)? else {
        return Ok(());
    };
    let mut balance = |book, account| {
        account_balance(tx, book, account).map_err(|e| Error::Corrupt(e.to_string()))
    };
    let there = balance(member.book_id, deposit.member_account)?;
    let here = balance(member.mall_book, deposit.mall_account)?;
    let left = deposit.remaining;
    if here != left || there.negated().ok() != Some(left) {
        let problem = format!("{left} is left, the member's book has {there}, the mall's {here}");
        report.wrong("mall_deposit", member.book_id, problem);
    }
    Ok(())
}

/// Both sides of a due account say what the lines make.
fn position(
    tx: &mut ReadTx<'_>,
    mall: i64,
    member: &Member,
    says: Amount,
    report: &mut Report,
) -> Result<()> {
    let accounts = &member.accounts;
    let balance = |tx: &mut ReadTx<'_>, book, account| {
        account_balance(tx, book, account).map_err(|e| Error::Corrupt(e.to_string()))
    };
    let there = balance(tx, member.book_id, accounts.member_due)?;
    let here = balance(tx, mall, accounts.mall_due)?;
    if there != says || here.negated().ok() != Some(says) {
        let problem =
            format!("lines make {says}, the member's book has {there}, the mall's {here}");
        report.wrong("mall_member", member.book_id, problem);
    }
    Ok(())
}
