//! What books owe each other.

use super::{Report, corrupt, read_accounts};
use crate::account::AccountKind;
use crate::amount::Amount;
use crate::error::Result;
use scrip_engine::{Read, params};
use std::collections::BTreeMap;

/// What each book owes another: (book, counterparty, asset) -> balance.
pub type Dues = BTreeMap<(i64, i64, i64), Amount>;

/// The balances of a book's due accounts, recomputed from its transfers.
pub fn book_dues(tx: &mut dyn Read, book_id: i64, dues: &mut Dues) -> Result<()> {
    // What is wrong with the accounts themselves is the business of `book_verify`.
    let mut accounts = read_accounts(tx, book_id, &mut Report::default())?;
    accounts.retain(|_, a| a.kind == Some(AccountKind::Due));
    if accounts.is_empty() {
        return Ok(());
    }
    tx.query_each(
        "SELECT debit_id, credit_id, amount FROM transfer WHERE book_id = $1",
        params![book_id],
        &mut |row| {
            let amount = Amount::from_units(row.int(2)?);
            for (id, change) in [(row.int(0)?, amount.negated()), (row.int(1)?, Ok(amount))] {
                if let Some(account) = accounts.get_mut(&id) {
                    account.total = change
                        .and_then(|c| account.total.plus(c))
                        .map_err(corrupt)?;
                }
            }
            Ok(())
        },
    )?;
    for account in accounts.values() {
        let key = (
            book_id,
            account.counterparty.unwrap_or_default(),
            account.asset_id,
        );
        let due = dues.entry(key).or_default();
        *due = due.plus(account.total)?;
    }
    Ok(())
}

/// Over all books: what one owes another is what the other is owed.
pub fn dues_verify(dues: &Dues, report: &mut Report) {
    for ((book, counterparty, asset), balance) in dues {
        let other = dues
            .get(&(*counterparty, *book, *asset))
            .copied()
            .unwrap_or_default();
        if !balance.plus(other).is_ok_and(Amount::is_zero) {
            let problem = format!(
                "owes book {counterparty} {balance} of asset {asset}, which expects {other}"
            );
            report.wrong("account", format!("due of book {book}"), problem);
        }
    }
}
