//! Families: a parent funds a child's account, caps it, limits it to categories, and sees what it
//! spends (ADV-01, ADV-02). The network of vendors is this vendor: its tokens are spent nowhere
//! else.
//!
//! A child's account is an account like others, with a row here and a mark on the customer, so that
//! only purchases of children look at limits. The wallet, which every purchase locks, keeps two
//! purchases at once from passing a cap together.

mod rules;
mod store;

use crate::actor::Actor;
use crate::audit;
use crate::customer::{Customer, CustomerError, State, activate_if_due, customer_by_id, links_end};
use crate::id::CustomerId;
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, Leg, Posting, entry_post, lots_locked};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long an invitation waits for the child.
const INVITATION_S: i64 = 7 * 24 * 3600;
/// Categories that a child can be limited to, at most.
const CATEGORIES_AT_MOST: usize = 100;

/// What a child may spend. What is `None` does not limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Tokens in a day, in UTC.
    pub day: Option<Amount>,
    /// Tokens in seven days, today and the six before.
    pub week: Option<Amount>,
    /// Tokens in thirty days, today and those before.
    pub month: Option<Amount>,
    /// Categories of products; `None` for all.
    pub categories: Option<Vec<String>>,
}

/// A child and its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The child's account.
    pub child: CustomerId,
    /// The parent's account.
    pub parent: CustomerId,
    /// What the child may spend.
    pub limits: Limits,
    /// Since when.
    pub since: Timestamp,
}

/// What a child has spent, less what came back of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending {
    /// Today.
    pub day: Amount,
    /// Today and the six days before.
    pub week: Amount,
    /// Today and the 29 days before.
    pub month: Amount,
}

/// A span that a cap is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// A day.
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Span::Day => "a day",
            Span::Week => "seven days",
            Span::Month => "thirty days",
        })
    }
}

/// Why a child may not buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// More than a cap.
    OverCap {
        /// What the cap is for.
        span: Span,
        /// The cap.
        cap: Amount,
        /// What was spent of it.
        spent: Amount,
    },
    /// A category that the child is not limited to: the place of the line.
    NotAllowed(usize),
}

/// Why a command about a family was refused.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// One has a parent, is a parent, or is the same account.
    #[error(
        "these two accounts cannot be parent and child: one account has one parent, and a parent \
         has none itself"
    )]
    Impossible,
    /// No invitation, or it lapsed.
    #[error("there is no invitation of this parent any more: ask for another one")]
    NotInvited,
    /// No such child of this parent.
    #[error("this is no child's account of yours")]
    NoChild,
    /// A cap that cannot be.
    #[error("a cap cannot be below zero")]
    CapNegative,
    /// Too many categories.
    #[error("a child is limited to 100 categories at most: choose fewer, or all")]
    TooManyCategories,
    /// Too few tokens to move.
    #[error("the account has too few tokens that can be spent: move fewer")]
    TooFewTokens,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] text::TextError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] scrip_ledger::Error),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] scrip_engine::Error),
}

type Result<T> = std::result::Result<T, FamilyError>;

fn open(customer: &Customer) -> Result<()> {
    match customer.state {
        State::Closed => Err(CustomerError::Closed(customer.number).into()),
        State::Inactive | State::Active => Ok(()),
    }
}

/// True when two accounts can become parent and child. Both rows are locked, in order.
fn possible(tx: &mut Tx<'_>, parent: &Customer, child: &Customer) -> Result<()> {
    open(parent)?;
    open(child)?;
    let (own, other) = (parent.customer_id, child.customer_id);
    let mut both = [own, other];
    both.sort_unstable();
    for id in both {
        store::lock_customer(tx, parent.book_id, id)?;
    }
    let taken = store::by_child(tx, parent.book_id, other)?.is_some()
        || store::by_child(tx, parent.book_id, own)?.is_some()
        || !store::by_parent(tx, parent.book_id, other)?.is_empty();
    if own == other || taken || parent.book_id != child.book_id {
        return Err(FamilyError::Impossible);
    }
    Ok(())
}

/// A parent asks for a child's account. It becomes a family when the child accepts: so both have
/// proven who they are.
pub fn family_invite(
    tx: &mut Tx<'_>,
    actor: Actor,
    parent: &Customer,
    child: &Customer,
) -> Result<()> {
    if !actor.may_act_for(parent.customer_id) {
        return Err(CustomerError::Forbidden.into());
    }
    possible(tx, parent, child)?;
    let until = tx.now().plus_seconds(INVITATION_S);
    Ok(store::invite(tx, parent, child.customer_id, until)?)
}

/// Parents who ask for this account as a child's.
pub fn family_invitations(tx: &mut dyn Read, child: &Customer) -> Result<Vec<Customer>> {
    let parents = store::invitations(tx, child)?;
    let one = |id: CustomerId| Ok(customer_by_id(tx, child.book_id, id)?);
    parents.into_iter().map(one).collect()
}

/// The child agrees to a parent's invitation.
pub fn family_accept(
    tx: &mut Tx<'_>,
    actor: Actor,
    child: &Customer,
    parent: &Customer,
) -> Result<()> {
    if !actor.may_act_for(child.customer_id) {
        return Err(CustomerError::Forbidden.into());
    }
    let invited = store::invitations(tx, child)?;
    if !invited.contains(&parent.customer_id) {
        return Err(FamilyError::NotInvited);
    }
    link(tx, actor, parent, child)
}

/// Staff link two accounts whose owners they know.
pub fn family_link(
    tx: &mut Tx<'_>,
    actor: Actor,
    parent: &Customer,
    child: &Customer,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden.into());
    }
    link(tx, actor, parent, child)
}

fn link(tx: &mut Tx<'_>, actor: Actor, parent: &Customer, child: &Customer) -> Result<()> {
    possible(tx, parent, child)?;
    store::insert(tx, parent, child.customer_id, actor)?;
    // What pays beside its caps would make them worth nothing.
    links_end(tx, child.book_id, child.customer_id)?;
    noted(
        tx,
        actor,
        child,
        "family.linked",
        &json!({"parent": parent.customer_id}),
    )
}

fn noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    child: &Customer,
    action: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    let subject = child.customer_id.to_string();
    audit::note_always(tx, child.book_id, actor, action, &subject, detail)?;
    Ok(())
}

/// The family of a child, for its parent and the vendor.
fn of_parent(tx: &mut dyn Read, actor: Actor, child: &Customer) -> Result<Family> {
    let family = store::by_child(tx, child.book_id, child.customer_id)?;
    family
        .filter(|family| actor.may_act_for(family.parent))
        .ok_or(FamilyError::NoChild)
}

/// Ends a family: the account is the child's own. For the parent and for staff, not for the child.
pub fn family_end(tx: &mut Tx<'_>, actor: Actor, child: &Customer) -> Result<()> {
    of_parent(tx, actor, child)?;
    store::delete(tx, child.book_id, child.customer_id)?;
    noted(tx, actor, child, "family.ended", &json!({}))
}

/// Sets what a child may spend. For the parent and for staff.
pub fn family_limit(
    tx: &mut Tx<'_>,
    actor: Actor,
    child: &Customer,
    limits: &Limits,
) -> Result<()> {
    of_parent(tx, actor, child)?;
    let caps = [limits.day, limits.week, limits.month];
    if caps.into_iter().flatten().any(|cap| cap < Amount::ZERO) {
        return Err(FamilyError::CapNegative);
    }
    let mut categories = limits.categories.clone();
    if let Some(categories) = &mut categories {
        for category in categories.iter_mut() {
            *category = text::optional_line("the category", category, 200)?;
        }
        categories.sort();
        categories.dedup();
        if categories.len() > CATEGORIES_AT_MOST {
            return Err(FamilyError::TooManyCategories);
        }
    }
    let limits = Limits {
        categories,
        ..limits.clone()
    };
    store::set_limits(tx, child.book_id, child.customer_id, &limits)?;
    noted(
        tx,
        actor,
        child,
        "family.limits",
        &json!({"limits": limits}),
    )
}

/// Moves a parent's own tokens to its child, those that expire soonest first; they keep origin,
/// expiry and restriction.
pub fn family_fund(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    child: &Customer,
    amount: Amount,
) -> Result<()> {
    let family = of_parent(tx, actor, child)?;
    let parent = customer_by_id(tx, child.book_id, family.parent)?;
    if !amount.is_positive() {
        return Err(scrip_ledger::Error::NotPositive.into());
    }
    let mut wallets = [parent.wallet, child.wallet];
    wallets.sort_unstable();
    for wallet in wallets {
        lots_locked(tx, child.book_id, wallet)?;
    }
    let (parent, child) = (
        customer_by_id(tx, child.book_id, parent.customer_id)?,
        customer_by_id(tx, child.book_id, child.customer_id)?,
    );
    open(&parent)?;
    open(&child)?;
    // Tokens of an account that is not active cannot be spent, so they cannot be given either.
    if parent.state != State::Active {
        return Err(FamilyError::TooFewTokens);
    }
    let now = tx.now();
    let lots = lots_locked(tx, parent.book_id, parent.wallet)?;
    let pieces = rules::soonest(&lots, amount, now)?.ok_or(FamilyError::TooFewTokens)?;
    let legs: Vec<Leg> = pieces
        .into_iter()
        .map(|(grant, amount)| Leg {
            debit: parent.wallet,
            credit: child.wallet,
            amount,
            grant: Some(grant),
        })
        .collect();
    let posting = Posting {
        book_id: child.book_id,
        event_id: tx.new_id()?,
        code: "family",
        actor: &actor.to_string(),
        reference: &child.number.to_string(),
        effective_at: now,
        legs: &legs,
    };
    entry_post(tx, &posting)?;
    activate_if_due(tx, vendor, &child)?;
    noted(
        tx,
        actor,
        &child,
        "family.funded",
        &json!({"amount": amount.units()}),
    )
}

/// The family of an account that is a child's.
pub fn family_of(tx: &mut dyn Read, child: &Customer) -> Result<Option<Family>> {
    Ok(store::by_child(tx, child.book_id, child.customer_id)?)
}

/// The children of an account, oldest family first.
pub fn family_children(tx: &mut dyn Read, parent: &Customer) -> Result<Vec<Family>> {
    Ok(store::by_parent(tx, parent.book_id, parent.customer_id)?)
}

/// What a child has spent, for whoever may see it: itself, its parent, the vendor.
pub fn family_spending(tx: &mut dyn Read, actor: Actor, child: &Customer) -> Result<Spending> {
    if !actor.may_act_for(child.customer_id) {
        of_parent(tx, actor, child)?;
    }
    let now = tx.now();
    Ok(store::spending(
        tx,
        child.book_id,
        child.customer_id,
        rules::day(now),
    )?)
}

/// Why a child may not buy lines of these categories for this total; `None` when it may. Its
/// wallet is locked by then.
pub fn purchase_stop(
    tx: &mut Tx<'_>,
    child: &Customer,
    categories: &[String],
    total: Amount,
) -> Result<Option<Stop>> {
    let (book, id) = (child.book_id, child.customer_id);
    let Some(family) = store::by_child(tx, book, id)? else {
        return Ok(None);
    };
    if let Some(allowed) = &family.limits.categories
        && let Some(place) = categories.iter().position(|c| !allowed.contains(c))
    {
        return Ok(Some(Stop::NotAllowed(place)));
    }
    let today = rules::day(tx.now());
    let spent = store::spending(tx, book, id, today)?;
    Ok(rules::over_cap(&family.limits, &spent, total)?)
}

/// Counts what a child spent now.
pub fn spending_add(tx: &mut Tx<'_>, child: &Customer, total: Amount) -> Result<()> {
    let today = rules::day(tx.now());
    Ok(store::add(
        tx,
        child.book_id,
        child.customer_id,
        today,
        total,
    )?)
}

/// Counts what came back of a purchase on the day on which it was made, so that its caps are free
/// again. Nothing is counted for an account that spent nothing as a child on that day.
pub fn spending_back(
    tx: &mut Tx<'_>,
    customer: &Customer,
    bought_at: Timestamp,
    back: Amount,
) -> Result<()> {
    let day = rules::day(bought_at);
    Ok(store::back(
        tx,
        customer.book_id,
        customer.customer_id,
        day,
        back,
    )?)
}
