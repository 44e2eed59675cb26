//! What stands in the way of closing an account, and what its end leaves.

use crate::id::CustomerId;
use scrip_engine::{Read, Result, Store, Tx, params};

/// What waits to be finished, and what to do about it; `None` when nothing does. Walks what one
/// customer has, by the customer's own indexes.
pub(super) fn unfinished(
    tx: &mut dyn Read,
    book: i64,
    id: CustomerId,
) -> Result<Option<&'static str>> {
    let awaiting = tx.query_opt(
        "SELECT state FROM token_order
         WHERE book_id = $1 AND customer_id = $2
            AND (owed > 0 OR state NOT IN ('cleared', 'declined', 'failed', 'cancelled'))
         LIMIT 1",
        params![book, &id],
    )?;
    if awaiting.is_some() {
        return Ok(Some(
            "an order of tokens has no outcome yet, or is not paid: wait for it, or let it fail",
        ));
    }
    let by_card = tx.query_opt(
        "SELECT state FROM card_order
         WHERE book_id = $1 AND customer_id = $2 AND entry_id = 0 AND state = 'awaiting' LIMIT 1",
        params![book, &id],
    )?;
    if by_card.is_some() {
        return Ok(Some(
            "a card has not answered for an order yet: wait for it",
        ));
    }
    let asked = tx.query_opt(
        "SELECT state FROM refund_request
         WHERE book_id = $1 AND customer_id = $2 AND state = 'open' LIMIT 1",
        params![book, &id],
    )?;
    if asked.is_some() {
        return Ok(Some("a refund is asked for: answer that first"));
    }
    let child = tx.query_opt(
        "SELECT child_id FROM family WHERE book_id = $1 AND parent_id = $2 LIMIT 1",
        params![book, &id],
    )?;
    if child.is_some() {
        return Ok(Some(
            "it is the parent's account of a child: end that first",
        ));
    }
    Ok(None)
}

/// Ends what other accounts have to do with this one.
pub(super) fn unlink(tx: &mut Tx<'_>, book: i64, id: CustomerId) -> Result<()> {
    for sql in [
        "DELETE FROM family_category WHERE book_id = $1 AND child_id = $2",
        "DELETE FROM family WHERE book_id = $1 AND child_id = $2",
        "DELETE FROM family_invitation WHERE book_id = $1 AND child_id = $2",
        "DELETE FROM family_invitation WHERE book_id = $1 AND parent_id = $2",
        "DELETE FROM account_link WHERE book_id = $1 AND first_id = $2",
        "DELETE FROM account_link WHERE book_id = $1 AND second_id = $2",
        "DELETE FROM opening WHERE book_id = $1 AND customer_id = $2 AND state = 'due'",
    ] {
        tx.put(sql, params![book, &id])?;
    }
    Ok(())
}

pub(super) fn set_erased(tx: &mut Tx<'_>, book: i64, id: CustomerId) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE customer SET erased_at = $3, country = '', time_zone = ''
         WHERE book_id = $1 AND customer_id = $2",
        params![book, &id, now.0],
    )
}

/// Accounts that were merged into one, oldest first.
pub(super) fn merged_accounts(
    tx: &mut dyn Read,
    book: i64,
    id: CustomerId,
) -> Result<Vec<CustomerId>> {
    let rows = tx.query(
        "SELECT customer_id FROM customer WHERE book_id = $1 AND merged_into = $2
         ORDER BY customer_id",
        params![book, &id],
    )?;
    rows.iter()
        .map(|row| CustomerId::from_row(row, 0))
        .collect()
}
