//! The statement of a period: what there was, each movement, what is left (MIC-05).

use super::{Movement, Result, history};
use crate::actor::Actor;
use crate::customer::Customer;
use scrip_engine::{ReadTx, Timestamp};
use scrip_ledger::Amount;
use std::collections::BTreeMap;

/// A customer's statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// What was in the account when the period begins.
    pub opening: Amount,
    /// What counts in the period, in the order in which it counts, each with the balance after it.
    pub movements: Vec<Movement>,
    /// Tokens that came in and, below zero, went out, by what happened.
    pub sums: BTreeMap<String, Amount>,
    /// What was in the account when it ends.
    pub closing: Amount,
}

/// Movements that are read at a time.
const AT_ONCE: usize = 100;

/// The statement of a customer from one time on, before another. Movements are in the period in
/// which they count; nothing counts from a time to come, so what was written before the period is
/// in the opening.
pub fn statement(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    customer: &Customer,
    from: Timestamp,
    to: Timestamp,
) -> Result<Statement> {
    let mut statement = Statement::default();
    let mut before = None;
    loop {
        let page = history(tx, actor, customer, before, AT_ONCE)?;
        let mut base = None;
        for movement in page.items {
            if movement.recorded_at < from {
                base = Some(movement.balance);
                break;
            }
            if movement.at < from {
                statement.opening = statement.opening.plus(movement.amount)?;
            } else if movement.at < to {
                statement.movements.push(movement);
            }
        }
        before = page.next;
        if let Some(base) = base {
            statement.opening = statement.opening.plus(base)?;
            break;
        }
        if before.is_none() {
            break;
        }
    }
    statement.movements.sort_by_key(|m| (m.at, m.seq));
    let mut balance = statement.opening;
    for movement in &mut statement.movements {
        balance = balance.plus(movement.amount)?;
        movement.balance = balance;
        let sum = statement.sums.entry(movement.code.clone()).or_default();
        *sum = sum.plus(movement.amount)?;
    }
    statement.closing = balance;
    Ok(statement)
}
