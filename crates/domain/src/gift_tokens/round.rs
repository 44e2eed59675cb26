//! Gifts that come by themselves, some customers at a time: for loyalty, and like interest on
//! balances that are left alone. A round that is broken off goes on where it stopped, and nothing
//! is given twice (TOK-06).

use super::{NewGift, Result, Route, give, rules, store};
use crate::actor::Actor;
use crate::customer::{Customer, State, customer_by_id, customers};
use crate::id::{OrderId, ids_between};
use crate::policy::{GiftPolicy, policy};
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, account_head_locked, account_walk, lots_locked};

/// Orders or customers in one transaction.
const AT_ONCE: usize = 200;
/// Movements that are looked back at for one that is no gift.
const LOOKED_BACK: usize = 50;

/// Gives what is due, to some; true while more may be.
pub fn gifts_round(tx: &mut Tx<'_>, vendor: &Vendor) -> Result<bool> {
    let gifts = policy(tx, vendor.book_id)?.gifts;
    let more_loyalty = if gifts.loyalty_every.is_positive() && gifts.loyalty_tokens.is_positive() {
        loyalty(tx, vendor, &gifts)?
    } else {
        false
    };
    let more_interest = if gifts.interest_rate > 0 {
        interest(tx, vendor, &gifts)?
    } else {
        false
    };
    Ok(more_loyalty || more_interest)
}

/// Counts orders that are so old that goods come back no more, less what came back of them.
fn loyalty(tx: &mut Tx<'_>, vendor: &Vendor, gifts: &GiftPolicy) -> Result<bool> {
    let (book, now) = (vendor.book_id, tx.now());
    let days = gifts.loyalty_after_days.saturating_mul(24 * 3600);
    let (end, _) = ids_between(now.plus_seconds(days.saturating_neg()), now);
    // What was bought before loyalty was rewarded does not count.
    let (_, start) = ids_between(now, now);
    let reached = store::round_begin(tx, book, Route::Loyalty, "orders", start.as_bytes())?;
    let after = uuid::Uuid::from_slice(&reached.at).unwrap_or(start);
    let orders = store::orders_after(tx, book, OrderId(after), OrderId(end), AT_ONCE)?;
    let Some(last) = orders.last().map(|o| o.id) else {
        return Ok(false);
    };
    for order in &orders {
        let customer = customer_by_id(tx, book, order.customer)?;
        let mut counted = store::loyalty_locked(tx, book, order.customer)?;
        counted.spent = counted.spent.plus(order.spent)?;
        let due = rules::rewards_due(counted.spent, gifts.loyalty_every, counted.rewards);
        let number = counted.rewards.saturating_add(due);
        if due > 0 && customer.state != State::Closed {
            counted.rewards = number;
        }
        store::set_loyalty(tx, book, order.customer, &counted)?;
        if due == 0 || customer.state == State::Closed {
            continue;
        }
        let new = NewGift {
            customer: order.customer,
            route: Route::Loyalty,
            tokens: gifts.loyalty_tokens.times(due)?,
            reason: "For your loyalty".to_owned(),
            once: format!("loyalty {number}"),
        };
        give(tx, Actor::System, vendor, &customer, &new)?;
    }
    store::round_reached(tx, book, Route::Loyalty, "orders", last.0.as_bytes(), false)?;
    Ok(orders.len() == AT_ONCE)
}

/// Goes through all customers once in a period.
fn interest(tx: &mut Tx<'_>, vendor: &Vendor, gifts: &GiftPolicy) -> Result<bool> {
    let (book, now) = (vendor.book_id, tx.now());
    let period = rules::period(now, gifts.interest_days).to_string();
    // Serials begin at 0.
    let start = (-1_i64).to_be_bytes();
    let round = store::round_begin(tx, book, Route::Interest, &period, &start)?;
    if round.done {
        return Ok(false);
    }
    let after = <[u8; 8]>::try_from(round.at.as_slice()).map_or(-1, i64::from_be_bytes);
    let page = customers(tx, book, Some(after), AT_ONCE)?;
    for summary in &page.items {
        let customer = customer_by_id(tx, book, summary.customer_id)?;
        if customer.state == State::Active {
            interest_of(tx, vendor, gifts, &customer, &period)?;
        }
    }
    let next = page.next.unwrap_or(after);
    let done = page.next.is_none();
    let at = next.to_be_bytes();
    store::round_reached(tx, book, Route::Interest, &period, &at, done)?;
    Ok(!done)
}

fn interest_of(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    gifts: &GiftPolicy,
    customer: &Customer,
    period: &str,
) -> Result<()> {
    let (book, now) = (vendor.book_id, tx.now());
    let lots = lots_locked(tx, book, customer.wallet)?;
    let usable = lots.iter().filter(|l| l.usable(now)).map(|l| l.remaining);
    let tokens = rules::interest(Amount::sum(usable)?, gifts.interest_rate)?;
    if !tokens.is_positive() || !is_idle(tx, customer, now, gifts.interest_idle_days)? {
        return Ok(());
    }
    let new = NewGift {
        customer: customer.customer_id,
        route: Route::Interest,
        tokens,
        reason: "For tokens that you keep".to_owned(),
        once: format!("interest {period}"),
    };
    give(tx, Actor::System, vendor, customer, &new)?;
    Ok(())
}

/// Gifts are no movement of the customer's.
fn is_idle(tx: &mut Tx<'_>, customer: &Customer, now: Timestamp, days: i64) -> Result<bool> {
    let (book, wallet) = (customer.book_id, customer.wallet);
    let head = account_head_locked(tx, book, wallet)?;
    let moves = account_walk(tx, book, wallet, head, LOOKED_BACK)?;
    let last = moves.iter().find(|(_, entry)| entry.code != "token_gift");
    Ok(last.is_none_or(|(_, entry)| rules::is_idle(entry.recorded_at, now, days)))
}
