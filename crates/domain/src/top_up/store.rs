//! The table of rules that buy tokens by themselves.

use super::{HowMany, TopUp, Wanted, When};
use crate::id::{CardId, CustomerId, PaymentSessionId, TokenOrderId};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

/// Rules in one round.
const AT_ONCE: i64 = 500;

fn rule_row(row: &Row) -> Result<TopUp> {
    let amount = |column| Ok::<_, Error>(row.opt_int(column)?.map(Amount::from_units));
    let wrong = || Error::Corrupt("a rule of top_up".to_owned());
    let when = match (amount(1)?, row.opt_int(2)?) {
        (Some(limit), None) => When::Below(limit),
        (None, Some(days)) => When::EveryDays(days),
        _ => return Err(wrong()),
    };
    let how_many = match (amount(3)?, amount(4)?) {
        (Some(many), None) => HowMany::Fixed(many),
        (None, Some(target)) => HowMany::UpTo(target),
        _ => return Err(wrong()),
    };
    let reason = row.text(6)?.to_owned();
    Ok(TopUp {
        wanted: Wanted {
            card: CardId::from_row(row, 0)?,
            when,
            how_many,
        },
        stopped: (row.text(5)? == "stopped").then_some(reason),
        session: row.opt_uuid(7)?.map(PaymentSessionId),
        order: row.opt_uuid(8)?.map(TokenOrderId),
        due_at: Timestamp(row.int(9)?),
    })
}

pub(super) fn of(tx: &mut dyn Read, book: i64, customer: CustomerId) -> Result<Option<TopUp>> {
    let row = tx.query_opt(
        "SELECT card_id, below, every_days, fixed, target, state, reason, session_id,
                token_order_id, due_at
         FROM top_up WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    row.as_ref().map(rule_row).transpose()
}

pub(super) fn locked(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<Option<TopUp>> {
    let rows = tx.query_locked(
        "SELECT card_id, below, every_days, fixed, target, state, reason, session_id,
                token_order_id, due_at
         FROM top_up WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    rows.first().map(rule_row).transpose()
}

pub(super) fn set(tx: &mut Tx<'_>, book: i64, customer: CustomerId, rule: &TopUp) -> Result<()> {
    let now = tx.now();
    let (below, days) = match rule.wanted.when {
        When::Below(limit) => (Some(limit.units()), None),
        When::EveryDays(days) => (None, Some(days)),
    };
    let (fixed, target) = match rule.wanted.how_many {
        HowMany::Fixed(many) => (Some(many.units()), None),
        HowMany::UpTo(target) => (None, Some(target.units())),
    };
    let state = if rule.stopped.is_some() {
        "stopped"
    } else {
        "on"
    };
    let reason = rule.stopped.clone().unwrap_or_default();
    tx.put(
        "INSERT INTO top_up (book_id, customer_id, card_id, below, every_days, fixed, target,
           state, reason, session_id, token_order_id, due_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (book_id, customer_id) DO UPDATE SET card_id = excluded.card_id,
           below = excluded.below, every_days = excluded.every_days, fixed = excluded.fixed,
           target = excluded.target, state = excluded.state, reason = excluded.reason,
           session_id = excluded.session_id, token_order_id = excluded.token_order_id,
           due_at = excluded.due_at, changed_at = excluded.changed_at",
        params![
            book,
            &customer,
            &rule.wanted.card,
            below,
            days,
            fixed,
            target,
            state,
            &reason,
            rule.session.as_ref(),
            rule.order.as_ref(),
            rule.due_at.0,
            now.0
        ],
    )
}

pub(super) fn delete(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.put(
        "DELETE FROM top_up WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}

pub(super) fn due(tx: &mut dyn Read, book: i64, now: Timestamp) -> Result<Vec<CustomerId>> {
    let rows = tx.query(
        "SELECT customer_id FROM top_up
         WHERE book_id = $1 AND state = 'on' AND due_at <= $2 ORDER BY due_at LIMIT $3",
        params![book, now.0, AT_ONCE],
    )?;
    rows.iter()
        .map(|row| CustomerId::from_row(row, 0))
        .collect()
}

pub(super) fn cards_of_method(
    tx: &mut dyn Read,
    book: i64,
    method: &str,
) -> Result<Vec<(CustomerId, CardId)>> {
    let rows = tx.query(
        "SELECT customer_id, card_id FROM saved_card
         WHERE book_id = $1 AND method = $2 ORDER BY card_id LIMIT 1000",
        params![book, method],
    )?;
    rows.iter()
        .map(|row| Ok((CustomerId::from_row(row, 0)?, CardId::from_row(row, 1)?)))
        .collect()
}
