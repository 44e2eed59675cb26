//! Tokens that are given (TOK-06): for loyalty, won in a contest, earned by doing something on
//! line, like interest on a balance that is left alone, or to make something good. They are always of
//! origin free. What a new account is opened with is told in `customer/opening`.

mod round;
mod rules;
mod store;

use crate::actor::Actor;
use crate::audit;
use crate::command::CommandError;
use crate::customer::{Customer, CustomerError, State, activate_if_due, customer_by_id};
use crate::id::{CustomerId, GiftId};
use crate::page::Page;
use crate::policy::policy;
use crate::text::{self, TextError, named};
use crate::vendor::{TOKENS_AT_MOST, Vendor, VendorError, issue_take};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx, outbox};
use scrip_ledger::{
    Amount, Error as LedgerError, Leg, NewGrant, Origin, Posting, entry_post, grant_open,
    lots_locked,
};
use serde_json::json;

pub use round::gifts_round;

named! {
    /// What a gift is for.
    Route, "what the gift is for" {
        /// So many tokens spent.
        Loyalty = "loyalty",
        /// Won.
        Contest = "contest",
        /// Something done on line: a review, a survey.
        Activity = "activity",
        /// A balance that is left alone.
        Interest = "interest",
        /// Something went wrong, and this makes it good.
        Goodwill = "goodwill",
    }
}

/// Tokens to be given.
#[derive(Clone, Debug)]
pub struct NewGift {
    /// To whom.
    pub customer: CustomerId,
    /// What for.
    pub route: Route,
    /// How many, in their smallest unit.
    pub tokens: Amount,
    /// Why, in words; the customer sees it.
    pub reason: String,
    /// What a customer gets once: the name of the contest or survey. Empty for no such limit.
    pub once: String,
}

/// Tokens that were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gift {
    /// The gift.
    pub id: GiftId,
    /// To whom.
    pub customer: CustomerId,
    /// What for.
    pub route: Route,
    /// How many.
    pub tokens: Amount,
    /// Why.
    pub reason: String,
    /// Who gave it: an actor's id.
    pub given_by: String,
    /// When.
    pub given_at: Timestamp,
}

/// Why nothing was given.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GiftError {
    /// Not above zero, or too many.
    #[error("a gift is more than nothing and at most 1000000000 tokens")]
    Tokens,
    /// The customer has it already.
    #[error("this customer was given {0:?} before: it is given once")]
    GivenBefore(String),
    /// Only for the vendor.
    #[error("only the vendor's staff may give tokens")]
    Forbidden,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, GiftError>;

/// Gives tokens. They are there at once, and activate an account that they bring to its minimum.
pub fn gift_give(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, new: &NewGift) -> Result<Gift> {
    let customer = customer_by_id(tx, vendor.book_id, new.customer)?;
    let given = give(tx, actor, vendor, &customer, new)?;
    given.ok_or_else(|| GiftError::GivenBefore(new.once.clone()))
}

/// The same; `None` when the customer has it already.
fn give(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    new: &NewGift,
) -> Result<Option<Gift>> {
    if !actor.for_vendor() {
        return Err(GiftError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number).into());
    }
    let reason = text::line("the reason", &new.reason, 300)?;
    let once = text::optional_line("the name of what is given once", &new.once, 100)?;
    if !new.tokens.is_positive() || new.tokens > TOKENS_AT_MOST {
        return Err(GiftError::Tokens);
    }
    let book = vendor.book_id;
    // The wallet is the lock of what is given once.
    let lots = lots_locked(tx, book, customer.wallet)?;
    Amount::sum(lots.iter().map(|l| l.remaining))?.plus(new.tokens)?;
    let id = GiftId(tx.new_id()?);
    let once = if once.is_empty() {
        id.to_string()
    } else {
        once
    };
    if store::is_given(tx, book, customer.customer_id, &once)? {
        return Ok(None);
    }
    let (grant, entry) = credit(tx, actor, vendor, customer, new, id)?;
    activate_if_due(tx, vendor, customer)?;
    let gift = Gift {
        id,
        customer: customer.customer_id,
        route: new.route,
        tokens: new.tokens,
        reason,
        given_by: actor.to_string(),
        given_at: tx.now(),
    };
    store::insert(tx, book, &gift, &once, grant, entry)?;
    let subject = id.to_string();
    outbox::add(tx, book, "tokens.given", &subject, "{}")?;
    let detail = json!({
        "customer": customer.customer_id.to_string(),
        "route": gift.route,
        "tokens": gift.tokens.decimal(vendor.token.scale),
    });
    audit::note(tx, book, actor, "tokens.given", &subject, &detail)?;
    Ok(Some(gift))
}

/// The free tokens themselves: their grant and the entry that brings them into the wallet.
fn credit(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: &Customer,
    new: &NewGift,
    id: GiftId,
) -> Result<(i64, i64)> {
    let book = vendor.book_id;
    issue_take(tx, book, new.tokens)?;
    let now = tx.now();
    let life = policy(tx, book)?.gifts.life_days;
    let expires_at = life.map_or(Timestamp::NEVER, |days| {
        now.plus_seconds(days.saturating_mul(24 * 3600))
    });
    let grant = NewGrant {
        asset_id: vendor.token.asset_id,
        origin: Origin::Free,
        restriction: None,
        expires_at,
        quantity: new.tokens,
        paid: Amount::ZERO,
        paid_asset_id: None,
        granted_at: now,
    };
    let grant = grant_open(tx, book, &grant)?;
    let posting = Posting {
        book_id: book,
        event_id: id.0,
        code: "token_gift",
        actor: &actor.to_string(),
        reference: new.route.name(),
        effective_at: now,
        legs: &[Leg {
            debit: vendor.accounts.issued,
            credit: customer.wallet,
            amount: new.tokens,
            grant: Some(grant),
        }],
    };
    Ok((grant, entry_post(tx, &posting)?))
}

/// A gift, for its customer and the vendor's staff; `None` where there is no such gift.
pub fn gift_by_id(
    tx: &mut dyn Read,
    actor: Actor,
    book_id: i64,
    id: GiftId,
) -> Result<Option<Gift>> {
    let found = store::by_id(tx, book_id, id)?;
    Ok(found.filter(|gift| actor.may_act_for(gift.customer)))
}

/// Gifts of a customer, newest first: `limit` of them, older than `before`.
pub fn gifts_of(
    tx: &mut dyn Read,
    actor: Actor,
    customer: &Customer,
    before: Option<GiftId>,
    limit: usize,
) -> Result<Page<Gift, GiftId>> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(GiftError::Forbidden);
    }
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let before = before.unwrap_or(GiftId(uuid::Uuid::max()));
    let (book, id) = (customer.book_id, customer.customer_id);
    let found = store::of_customer(tx, book, id, before, further)?;
    Ok(Page::of(found, limit, |gift| gift.id))
}

/// A vendor's gifts, newest first.
pub fn gifts(
    tx: &mut dyn Read,
    book_id: i64,
    before: Option<GiftId>,
    limit: usize,
) -> Result<Page<Gift, GiftId>> {
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let before = before.unwrap_or(GiftId(uuid::Uuid::max()));
    let found = store::all(tx, book_id, before, further)?;
    Ok(Page::of(found, limit, |gift| gift.id))
}
