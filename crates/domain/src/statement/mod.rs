//! What a customer's account holds and how it came to that (MIC-05); finding a customer.

mod find;
mod period;

use crate::actor::Actor;
use crate::customer::{Customer, CustomerError};
use crate::id::OrderId;
use crate::order::{OrderError, available};
use crate::page::Page;
use scrip_engine::{ReadTx, Timestamp};
use scrip_ledger::{
    Amount, Entry, Result as LedgerResult, Transfer, account_history, grant_stored, held_balance,
    lots_available,
};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

pub use find::customers_find;
pub use period::{Statement, statement};
pub use scrip_ledger::Origin as LotKind;

type Result<T> = std::result::Result<T, OrderError>;

/// What one event did to a customer's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Its place in the account: a later movement has a higher one.
    pub seq: i64,
    /// When it counts.
    pub at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// What happened: `token_sale`, `order`, `refund`, `reversal` …
    pub code: String,
    /// Tokens that came in; below zero where they went out.
    pub amount: Amount,
    /// What was in the account after it, expired tokens that were still there included.
    pub balance: Amount,
    /// The name by which people find it.
    pub reference: String,
    /// The business event.
    pub event_id: Uuid,
    /// The order that it paid or gave back, where that is known.
    pub order_id: Option<OrderId>,
    /// The kind of the tokens that moved; `None` where they were of several kinds.
    pub kind: Option<LotKind>,
}

/// A part of a customer's tokens: what is left of one grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotView {
    /// How they were acquired.
    pub kind: LotKind,
    /// True when they pay for products on sale only.
    pub restricted: bool,
    /// What is left.
    pub remaining: Amount,
    /// When they expire; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// What a customer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// AT: what can be spent now, some of it perhaps on sales only.
    pub available: Amount,
    /// What holds have set aside.
    pub held: Amount,
    /// All of it, expired tokens that are still there included.
    pub total: Amount,
    /// The parts that can be spent now, soonest expiry first.
    pub lots: Vec<LotView>,
    /// The same added up by kind.
    pub by_kind: BTreeMap<LotKind, Amount>,
}

/// What a customer has, and of which kinds.
pub fn balance(tx: &mut ReadTx<'_>, actor: Actor, customer: &Customer) -> Result<Balance> {
    may_look(actor, customer)?;
    let (book, wallet) = (customer.book_id, customer.wallet);
    let now = scrip_engine::Read::now(tx);
    let all = lots_available(tx, book, wallet)?;
    let held = held_balance(tx, book, wallet)?;
    let mut usable: Vec<_> = all.iter().filter(|l| l.usable(now)).collect();
    usable.sort_by_key(|l| (l.grant.expires_at, l.grant.grant_id));
    let mut by_kind: BTreeMap<LotKind, Amount> = BTreeMap::new();
    let mut lots = Vec::with_capacity(usable.len());
    for lot in usable {
        let expires_at = lot.grant.expires_at;
        let sum = by_kind.entry(lot.grant.origin).or_default();
        *sum = sum.plus(lot.remaining)?;
        lots.push(LotView {
            kind: lot.grant.origin,
            restricted: lot.grant.restriction.is_some(),
            remaining: lot.remaining,
            expires_at: (expires_at != Timestamp::NEVER).then_some(expires_at),
        });
    }
    Ok(Balance {
        available: available(&all, now)?,
        held,
        total: Amount::sum(all.iter().map(|l| l.remaining))?.plus(held)?,
        lots,
        by_kind,
    })
}

fn may_look(actor: Actor, customer: &Customer) -> Result<()> {
    if actor.may_act_for(customer.customer_id) {
        Ok(())
    } else {
        Err(CustomerError::Forbidden.into())
    }
}

/// Transfers of a wallet that are read at a time, at most.
const STEP: usize = 32;

/// What happened in a customer's account, newest first: `limit` movements, from `before` on, which
/// is where the page before left off.
pub fn history(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    customer: &Customer,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<Movement, i64>> {
    may_look(actor, customer)?;
    let (book, wallet) = (customer.book_id, customer.wallet);
    let mut kinds: HashMap<i64, LotKind> = HashMap::new();
    let mut page: Page<Movement, i64> = Page {
        items: Vec::new(),
        next: None,
    };
    let mut next = before;
    let mut last_entry = None;
    loop {
        let missing = limit.saturating_sub(page.items.len());
        let step = missing.saturating_add(1).min(STEP);
        let step = account_history(tx, book, wallet, next, step)?;
        for (transfer, entry) in &step {
            let kind = match transfer.grant_id {
                Some(grant) => Some(kind_of(tx, book, grant, &mut kinds)?),
                None => None,
            };
            let further = page.items.last_mut();
            if let Some(movement) = further.filter(|_| last_entry == Some(entry.entry_id)) {
                movement.amount = movement.amount.plus(signed(transfer, wallet)?)?;
                movement.kind = movement.kind.filter(|k| Some(*k) == kind);
                continue;
            }
            if page.items.len() >= limit {
                page.next = Some(transfer.transfer_id);
                return Ok(page);
            }
            last_entry = Some(entry.entry_id);
            page.items.push(movement(transfer, entry, wallet, kind)?);
        }
        next = step
            .last()
            .and_then(|(oldest, _)| oldest.previous(wallet))
            .filter(|previous| *previous != 0);
        if next.is_none() {
            return Ok(page);
        }
    }
}

/// A movement that begins with its newest transfer; those before it are added.
fn movement(
    transfer: &Transfer,
    entry: &Entry,
    wallet: i64,
    kind: Option<LotKind>,
) -> LedgerResult<Movement> {
    let link = if transfer.debit == wallet {
        transfer.debit_link
    } else {
        transfer.credit_link
    };
    let order_id = match entry.code.as_str() {
        "order" => Some(OrderId(entry.event_id)),
        // A refund has an event of its own; unless staff called it otherwise, its reference is
        // the order.
        "refund" => entry.reference.parse().ok(),
        _ => None,
    };
    Ok(Movement {
        seq: transfer.transfer_id,
        at: entry.effective_at,
        recorded_at: entry.recorded_at,
        code: entry.code.clone(),
        amount: signed(transfer, wallet)?,
        balance: link.map_or(Amount::ZERO, |l| l.1),
        reference: entry.reference.clone(),
        event_id: entry.event_id,
        order_id,
        kind,
    })
}

/// What a transfer brought into a wallet.
fn signed(transfer: &Transfer, wallet: i64) -> LedgerResult<Amount> {
    if transfer.credit == wallet {
        Ok(transfer.amount)
    } else {
        transfer.amount.negated()
    }
}

fn kind_of(
    tx: &mut ReadTx<'_>,
    book: i64,
    grant: i64,
    known: &mut HashMap<i64, LotKind>,
) -> LedgerResult<LotKind> {
    if let Some(kind) = known.get(&grant) {
        return Ok(*kind);
    }
    let kind = grant_stored(tx, book, grant)?.origin;
    known.insert(grant, kind);
    Ok(kind)
}
