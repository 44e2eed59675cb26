//! Exchanging tokens of one vendor for tokens of another one, through their mall (OPN-01 to
//! OPN-06, OPN-24, GOV-11).
//!
//! A quote says what tokens come to at the rates of that moment, and holds for a stated time. An
//! exchange takes the tokens at home, issues those of the other vendor, and books what the one
//! vendor owes the other, in one transaction. The customer is known at the other vendor from then
//! on, without registering there: by an account of its own, which has no personal data.

mod rules;
mod store;

use crate::actor::Actor;
use crate::audit;
use crate::customer::{
    AccountNumber, Customer, CustomerError, State, activate_now, buyer, customer_by_id,
    customer_visit, kept,
};
use crate::id::{CustomerId, ExchangeId};
use crate::mall::{
    LineKind, Mall, MallError, Member, MemberState, Sides, mall_by_book, may_pass, member_of,
    membership, settle, terms_at, value_at,
};
use crate::policy::policy;
use crate::vault::Vault;
use crate::vendor::{Vendor, VendorError, issue_take, vendor_by_book};
use rules::{Priced, Rates, Taken};
use scrip_engine::{Error as EngineError, Read, ReadTx, Timestamp, Tx, outbox};
use scrip_ledger::{
    Amount, Error as LedgerError, Leg, NewGrant, Origin, TOKEN_SCALE, grant_open, lots_available,
    lots_locked,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Why nothing was exchanged.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// No tokens, or fewer.
    #[error("exchange at least some tokens: the quantity must be above zero")]
    QuantityNotPositive,
    /// Not worth one unit of the other token.
    #[error("so few tokens are worth nothing there: exchange more")]
    TooFew,
    /// Nothing would be left.
    #[error("the charge for this exchange is more than the tokens are worth: exchange more")]
    ChargeTooHigh,
    /// Not so many that may leave.
    #[error(
        "{has} tokens can be exchanged, {wanted} were to be: tokens that were given, are for some \
         products only, or are not paid for yet stay with their vendor"
    )]
    Insufficient {
        /// How many can.
        has: String,
        /// How many should.
        wanted: String,
    },
    /// The account is not active.
    #[error("account {0} is not active: only active accounts exchange tokens")]
    NotActive(AccountNumber),
    /// The account belongs to a child.
    #[error("the tokens of account {0} stay with this shop: its parent decides about them")]
    Child(AccountNumber),
    /// The account at the other vendor is closed.
    #[error("the account there is closed: choose another vendor")]
    ClosedThere,
    /// No such quote.
    #[error("there is no such quote: ask for a new one")]
    Unknown,
    /// The quote has lapsed.
    #[error("this quote has lapsed: ask for a new one, rates may have changed")]
    Lapsed,
    /// The quote was used.
    #[error("this exchange is done already: ask for a new quote to exchange more")]
    Done,
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// From the mall.
    #[error(transparent)]
    Mall(#[from] MallError),
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

type Result<T> = std::result::Result<T, ExchangeError>;

/// What an exchange would come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeQuote {
    /// Under which it can be had until it lapses.
    pub exchange_id: ExchangeId,
    /// Whose tokens.
    pub customer_id: CustomerId,
    /// The book of the vendor whose tokens are wanted.
    pub target_book: i64,
    /// Tokens given.
    pub tokens: Amount,
    /// What one of them is worth, in the mall's currency.
    pub value_from: Amount,
    /// What one of the others is worth.
    pub value_to: Amount,
    /// What it costs, in the mall's currency (OPN-03).
    pub charge: Amount,
    /// Tokens of the other vendor.
    pub receives: Amount,
    /// When it lapses. Microseconds.
    pub expires_at: i64,
}

/// An exchange that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// What was promised, and kept.
    pub quote: ExchangeQuote,
    /// All tokens that are left at home, those that cannot be spent included.
    pub left: Amount,
    /// The customer at the other vendor.
    pub visitor: CustomerId,
    /// The account number there.
    pub number: AccountNumber,
}

/// Two members of one mall between whom tokens may pass now.
struct Way {
    mall: Mall,
    from: Member,
    to: Member,
}

fn way(tx: &mut dyn Read, vendor: &Vendor, target_book: i64) -> Result<Way> {
    let target = vendor_by_book(tx, target_book)?;
    let (from, to) = (membership(tx, vendor)?, membership(tx, &target)?);
    may_pass(tx, &from, &to)?;
    Ok(Way {
        mall: mall_by_book(tx, from.mall_book)?,
        from,
        to,
    })
}

fn value(tx: &mut dyn Read, member: &Member, now: Timestamp) -> Result<Amount> {
    let value = value_at(tx, member, now)?;
    Ok(value.ok_or_else(|| MallError::NoMember(member.name.clone()))?)
}

/// The customer at home, if it may exchange.
fn home(tx: &mut dyn Read, actor: Actor, vendor: &Vendor, id: CustomerId) -> Result<Customer> {
    if !actor.may_act_for(id) {
        return Err(ExchangeError::Forbidden);
    }
    let buyer = buyer(tx, vendor.book_id, id)?;
    let number = buyer.customer.number;
    if buyer.customer.state != State::Active {
        return Err(ExchangeError::NotActive(number));
    }
    if buyer.has_parent {
        return Err(ExchangeError::Child(number));
    }
    Ok(buyer.customer)
}

/// Says what tokens would come to at another member, and keeps that open for a while (OPN-02).
pub fn exchange_quote(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: CustomerId,
    target_book: i64,
    tokens: Amount,
) -> Result<ExchangeQuote> {
    let customer = home(tx, actor, vendor, customer)?;
    let way = way(tx, vendor, target_book)?;
    if !tokens.is_positive() {
        return Err(ExchangeError::QuantityNotPositive);
    }
    let lots = lots_locked(tx, vendor.book_id, customer.wallet)?;
    let now = tx.now();
    rules::taken(&lots, tokens, (now, way.mall.free_leaves))?;
    let rates = Rates {
        from: value(tx, &way.from, now)?,
        to: value(tx, &way.to, now)?,
    };
    let terms = terms_at(tx, &way.from, now)?;
    let charge = rules::charge(tokens, rates.from, &terms)?;
    let priced = rules::priced(tokens, rates, charge)?;
    let quote = ExchangeQuote {
        exchange_id: ExchangeId(tx.new_id()?),
        customer_id: customer.customer_id,
        target_book,
        tokens,
        value_from: rates.from,
        value_to: rates.to,
        charge,
        receives: priced.receives,
        expires_at: now.plus_seconds(way.mall.quote_s).0,
    };
    store::insert(tx, vendor.book_id, &quote)?;
    Ok(quote)
}

/// Does what a quote promised (OPN-01). Whether tokens may pass is asked again; the rates are
/// those of the quote.
pub fn exchange_do(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    id: ExchangeId,
) -> Result<Exchanged> {
    let (quote, is_done) = store::locked(tx, vendor.book_id, id)?.ok_or(ExchangeError::Unknown)?;
    if !actor.may_act_for(quote.customer_id) {
        return Err(ExchangeError::Unknown);
    }
    if is_done {
        return Err(ExchangeError::Done);
    }
    let now = tx.now();
    if quote.expires_at <= now.0 {
        return Err(ExchangeError::Lapsed);
    }
    let customer = home(tx, actor, vendor, quote.customer_id)?;
    let way = way(tx, vendor, quote.target_book)?;
    let target = vendor_by_book(tx, quote.target_book)?;
    let visitor = visitor(tx, vault, &customer, &target)?;
    lock_both(tx, &customer, &visitor)?;
    let rates = Rates {
        from: quote.value_from,
        to: quote.value_to,
    };
    let priced = rules::priced(quote.tokens, rates, quote.charge)?;
    let lots = lots_locked(tx, vendor.book_id, customer.wallet)?;
    let taken = rules::taken(&lots, quote.tokens, (now, way.mall.free_leaves))?;
    post(
        tx,
        actor,
        (vendor, &target),
        (&customer, &visitor),
        &way,
        id,
        (&priced, &taken),
    )?;
    store::set_done(tx, vendor.book_id, id, visitor.customer_id)?;
    if visitor.state == State::Inactive {
        activate_now(tx, &visitor)?;
    }
    tell(tx, vendor, &customer, &quote)?;
    let held = Amount::sum(lots.iter().map(|l| l.remaining))?;
    Ok(Exchanged {
        left: held.minus(quote.tokens)?,
        quote,
        visitor: visitor.customer_id,
        number: visitor.number,
    })
}

/// The customer's account at another vendor; opened at the first exchange (OPN-24).
pub(crate) fn visitor(
    tx: &mut Tx<'_>,
    vault: &Vault,
    customer: &Customer,
    target: &Vendor,
) -> Result<Customer> {
    // Of two first exchanges at once, the second one finds the account of the first.
    tx.lock_name(&format!(
        "visitor {} {}",
        target.book_id, customer.customer_id
    ))?;
    let Some(known) = store::visitor(tx, target.book_id, customer)? else {
        let visitor = customer_visit(tx, vault, target)?;
        store::insert_visitor(tx, target.book_id, customer, visitor.customer_id)?;
        known_at(tx, customer, target)?;
        return Ok(visitor);
    };
    let known = customer_by_id(tx, target.book_id, known)?;
    let known = kept(tx, known)?;
    if known.state == State::Closed {
        return Err(ExchangeError::ClosedThere);
    }
    Ok(known)
}

/// Lets a customer of one member in at another one, without registering there (OPN-24): by an account
/// of its own, which has no personal data. The customer proved at home who it is.
pub fn visitor_enter(
    tx: &mut Tx<'_>,
    vault: &Vault,
    customer: &Customer,
    target: &Vendor,
) -> Result<Customer> {
    let found = buyer(tx, customer.book_id, customer.customer_id)?;
    let number = found.customer.number;
    if found.customer.state != State::Active {
        return Err(ExchangeError::NotActive(number));
    }
    if found.has_parent {
        return Err(ExchangeError::Child(number));
    }
    let home = vendor_by_book(tx, customer.book_id)?;
    let (own, there) = (membership(tx, &home)?, membership(tx, target)?);
    if own.mall_book != there.mall_book {
        return Err(MallError::Outside.into());
    }
    for one in [&own, &there] {
        match one.state {
            MemberState::Active => {}
            MemberState::Suspended => return Err(MallError::Suspended(one.name.clone()).into()),
            MemberState::Left => return Err(MallError::Left(one.name.clone()).into()),
        }
    }
    let visitor = visitor(tx, vault, &found.customer, target)?;
    if visitor.state == State::Inactive {
        activate_now(tx, &visitor)?;
    }
    Ok(visitor)
}

/// The home of a visitor, and the customer there; `None` for a customer of the shop itself.
pub fn home_of(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Option<(i64, CustomerId)>> {
    store::home_of(tx, book, customer)
}

/// The home hears that its customer is known elsewhere, and where: nothing of the person was told.
fn known_at(tx: &mut Tx<'_>, customer: &Customer, target: &Vendor) -> Result<()> {
    let id = customer.customer_id.to_string();
    let detail = json!({"customer_id": customer.customer_id, "at": target.slug, "fields": []});
    let details = detail.to_string();
    outbox::add(tx, customer.book_id, "customer.known_at", &id, &details)?;
    let book = customer.book_id;
    audit::note_always(tx, book, Actor::System, "customer.disclosed", &id, &detail)?;
    Ok(())
}

/// Locks the wallets on both sides, always the lower book's first.
fn lock_both(tx: &mut Tx<'_>, one: &Customer, other: &Customer) -> Result<()> {
    let mut wallets = [(one.book_id, one.wallet), (other.book_id, other.wallet)];
    wallets.sort_unstable();
    for (book, wallet) in wallets {
        lots_locked(tx, book, wallet)?;
    }
    Ok(())
}

/// The entries in the three books.
fn post(
    tx: &mut Tx<'_>,
    actor: Actor,
    (vendor, target): (&Vendor, &Vendor),
    (customer, visitor): (&Customer, &Customer),
    way: &Way,
    id: ExchangeId,
    (priced, taken): (&Priced, &[Taken]),
) -> Result<()> {
    let now = tx.now();
    let spent: Vec<Leg> = taken
        .iter()
        .map(|t| Leg {
            debit: customer.wallet,
            credit: vendor.accounts.spent,
            amount: t.piece.amount,
            grant: Some(t.piece.grant),
        })
        .collect();
    let life = policy(tx, target.book_id)?.sale.life_days;
    let latest = life.map_or(Timestamp::NEVER, |days| {
        now.plus_seconds(days.saturating_mul(24 * 3600))
    });
    let mut issued = Vec::new();
    for part in rules::parts(taken, priced, latest)? {
        let new = NewGrant {
            asset_id: target.token.asset_id,
            origin: Origin::Paid,
            restriction: None,
            expires_at: part.expires_at,
            quantity: part.tokens,
            paid: part.paid,
            paid_asset_id: Some(target.currency.asset_id),
            granted_at: now,
        };
        issue_take(tx, target.book_id, part.tokens)?;
        issued.push(Leg {
            debit: target.accounts.issued,
            credit: visitor.wallet,
            amount: part.tokens,
            grant: Some(grant_open(tx, target.book_id, &new)?),
        });
    }
    let sides = Sides {
        event_id: id.0,
        kind: LineKind::Exchange,
        actor: &actor.to_string(),
        debtor: (&way.from, &spent),
        creditor: (&way.to, &issued, target.accounts.deferred),
        mall: &[],
    };
    settle(tx, &way.mall, &sides, &priced.money)?;
    Ok(())
}

fn tell(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    customer: &Customer,
    quote: &ExchangeQuote,
) -> Result<()> {
    let details = json!({
        "customer_id": customer.customer_id,
        "tokens": quote.tokens.decimal(TOKEN_SCALE),
        "receives": quote.receives.decimal(TOKEN_SCALE),
    });
    let id = quote.exchange_id.to_string();
    outbox::add(
        tx,
        vendor.book_id,
        "exchange.done",
        &id,
        &details.to_string(),
    )?;
    Ok(())
}

/// Tokens of a customer that may be exchanged: paid for, unrestricted, not expired.
pub fn exchangeable(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    vendor: &Vendor,
    customer: CustomerId,
) -> Result<Amount> {
    if !actor.may_act_for(customer) {
        return Err(ExchangeError::Forbidden);
    }
    let customer = customer_by_id(tx, vendor.book_id, customer)?;
    let lots = lots_available(tx, vendor.book_id, customer.wallet)?;
    let free_leaves = match member_of(tx, vendor.book_id)? {
        Some(member) => mall_by_book(tx, member.mall_book)?.free_leaves,
        None => false,
    };
    rules::leaving(&lots, tx.now(), free_leaves)
}
