//! Buying tokens by itself, with a card that the customer keeps: when the balance falls below a
//! limit, or every so many days; a fixed number of tokens, or as many as are missing to a target.
//!
//! A round opens a token order and writes it into the rule in the same transaction, so a rule has
//! one order under way at most, wherever a process stops. Declines are counted by a payment
//! session as in any purchase (REG-09): the last one stops the rule, and says why.

mod round;
mod store;

use crate::actor::Actor;
use crate::audit;
use crate::card::{CardError, card_remove, card_to_pay_with};
use crate::customer::{Customer, CustomerError, State};
use crate::id::{CardId, CustomerId, PaymentSessionId, TokenOrderId};
use crate::token_sale::TokenSaleError;
use crate::vendor::{TOKENS_AT_MOST, Vendor};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx, outbox};
use scrip_ledger::{Amount, Error as LedgerError};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use round::{LOOK_EVERY_S, top_ups_run};

/// When tokens are bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// As soon as fewer can be spent.
    Below(Amount),
    /// Every so many days.
    EveryDays(i64),
}

/// How many are bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HowMany {
    /// Always so many.
    Fixed(Amount),
    /// As many as are missing to so many.
    UpTo(Amount),
}

/// What a customer wants to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The card that pays.
    pub card: CardId,
    /// When.
    pub when: When,
    /// How many.
    pub how_many: HowMany,
}

/// A customer's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// What the customer wants.
    pub wanted: Wanted,
    /// Why it does nothing any more; `None` while it is on.
    pub stopped: Option<String>,
    /// When it is looked at next.
    pub due_at: Timestamp,
    /// The payment session that counts declines.
    session: Option<PaymentSessionId>,
    /// The order under way.
    order: Option<TokenOrderId>,
}

/// Why a rule cannot be kept.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TopUpError {
    /// A number of tokens that is none.
    #[error("numbers of tokens must be above zero, and at most 1000000000")]
    Quantity,
    /// Tokens would be bought for ever.
    #[error("the target must be above the limit: otherwise nothing is ever missing")]
    TargetTooLow,
    /// Not between a day and a year.
    #[error("tokens are bought every 1 to 366 days")]
    Days,
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// The card cannot be used.
    #[error(transparent)]
    Card(#[from] CardError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the token sale.
    #[error(transparent)]
    TokenSale(#[from] TokenSaleError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, TopUpError>;

const DAY_S: i64 = 24 * 3600;

/// Sets a customer's rule, in place of an earlier one. The first purchase of a rule by days comes
/// after so many days.
pub fn top_up_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    wanted: &Wanted,
) -> Result<()> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(TopUpError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    checked(wanted)?;
    card_to_pay_with(tx, actor, customer, wanted.card)?;
    let known = store::locked(tx, vendor.book_id, customer.customer_id)?;
    let now = tx.now();
    let due_at = match wanted.when {
        When::Below(_) => now,
        When::EveryDays(days) => now.plus_seconds(days.saturating_mul(DAY_S)),
    };
    let rule = TopUp {
        wanted: *wanted,
        stopped: None,
        due_at,
        session: None,
        // An order under way stays the rule's: two at once would be one too many.
        order: known.and_then(|known| known.order),
    };
    store::set(tx, vendor.book_id, customer.customer_id, &rule)?;
    let (book, subject) = (vendor.book_id, customer.customer_id.to_string());
    let detail = json!({ "card": wanted.card.to_string() });
    audit::note_always(tx, book, actor, "top_up.set", &subject, &detail)?;
    Ok(())
}

fn checked(wanted: &Wanted) -> Result<()> {
    let quantity = |amount: Amount| amount.is_positive() && amount <= TOKENS_AT_MOST;
    let (HowMany::Fixed(many) | HowMany::UpTo(many)) = wanted.how_many;
    if !quantity(many) {
        return Err(TopUpError::Quantity);
    }
    match wanted.when {
        When::Below(limit) if !quantity(limit) => Err(TopUpError::Quantity),
        When::Below(limit) if matches!(wanted.how_many, HowMany::UpTo(target) if target < limit) => {
            Err(TopUpError::TargetTooLow)
        }
        When::EveryDays(days) if !(1..=366).contains(&days) => Err(TopUpError::Days),
        _ => Ok(()),
    }
}

/// Takes a customer's rule away. An order under way still ends as any other.
pub fn top_up_off(tx: &mut Tx<'_>, actor: Actor, customer: &Customer) -> Result<()> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(TopUpError::Forbidden);
    }
    store::delete(tx, customer.book_id, customer.customer_id)?;
    let subject = customer.customer_id.to_string();
    let book = customer.book_id;
    audit::note_always(tx, book, actor, "top_up.off", &subject, &json!({}))?;
    Ok(())
}

/// A customer's rule.
pub fn top_up_of(tx: &mut dyn Read, actor: Actor, customer: &Customer) -> Result<Option<TopUp>> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(TopUpError::Forbidden);
    }
    Ok(store::of(tx, customer.book_id, customer.customer_id)?)
}

/// Takes a card off an account; the rule that pays with it stops. Returns the processor's token for
/// the card, which the processor is to forget.
pub fn card_off(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    card: CardId,
) -> Result<String> {
    let method = card_remove(tx, actor, customer, card)?;
    card_gone(tx, customer.book_id, customer.customer_id, card)?;
    Ok(method)
}

/// A card is no longer there: the rule that pays with it stops.
pub fn card_gone(tx: &mut Tx<'_>, book_id: i64, customer: CustomerId, card: CardId) -> Result<()> {
    if let Some(rule) = store::locked(tx, book_id, customer)?
        && rule.wanted.card == card
        && rule.stopped.is_none()
    {
        stop(
            tx,
            book_id,
            customer,
            rule,
            &CardError::Withdrawn.to_string(),
        )?;
    }
    Ok(())
}

/// The processor has a card no longer: rules that pay with it stop.
pub(crate) fn method_gone(tx: &mut Tx<'_>, book_id: i64, method: &str) -> Result<()> {
    for (customer, card) in store::cards_of_method(tx, book_id, method)? {
        card_gone(tx, book_id, customer, card)?;
    }
    Ok(())
}

/// Stops a rule, and tells whoever listens.
fn stop(tx: &mut Tx<'_>, book_id: i64, customer: CustomerId, rule: TopUp, why: &str) -> Result<()> {
    let stopped = TopUp {
        stopped: Some(why.to_owned()),
        session: None,
        order: None,
        ..rule
    };
    store::set(tx, book_id, customer, &stopped)?;
    let payload = json!({ "reason": why }).to_string();
    outbox::add(
        tx,
        book_id,
        "top_up.failed",
        &customer.to_string(),
        &payload,
    )?;
    Ok(())
}
