//! Deposits of members, what is taken at once of what they owe (MSP-06, OPN-20), and tolls (GOV-14).
//!
//! Where a member settles its open sales from its deposit, each sale draws from one of its slices.
//! Only a slice that runs dry locks the deposit itself, to be filled again. Royalties on a member's
//! own sales are drawn afterwards, by the one job that hears a member.

mod store;

use super::member::note;
use super::settle::{Line, charge};
use super::{LineKind, Mall, MallError, Member, Result, mall_by_book, operator_only, rules};
use crate::actor::Actor;
use crate::books::account;
use crate::text::named;
use crate::vendor::{Vendor, vendor_by_book};
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{AccountKind, Amount, Leg, NewAccount, Posting, account_open, entry_post};
use serde_json::json;
use uuid::Uuid;

named! {
    /// How the mall takes its royalty on sales for a member's own tokens (MSP-06).
    TakesRoyalty, "how the royalty is taken" {
        /// With the next clearing.
        Billed = "billed",
        /// At once, from the deposit; what it does not cover is billed.
        Deposit = "deposit",
    }
}

named! {
    /// How a member settles what it owes for its tokens that pay elsewhere (OPN-20).
    Settles, "how it settles" {
        /// With the next clearing.
        Invoice = "invoice",
        /// At once, from its deposit; what it does not cover is refused.
        Deposit = "deposit",
        /// At once, by a transfer of whole cents from bank to bank; the fraction is cleared.
        Transfer = "transfer",
    }
}

named! {
    /// What the mall takes a toll for (GOV-14).
    Toll, "what the toll is for" {
        /// Information that passes through it: each authorisation of an open order, paid by the seller.
        Information = "information",
        /// The data of another member's customer: paid by the seller at its first order.
        Customer = "customer",
        /// Reimbursement between members: each part of a payment, paid by the debtor.
        Reimbursement = "reimbursement",
    }
}

/// A deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The member's account of it, in its own book.
    pub member_account: i64,
    /// The mall's, in the mall's.
    pub mall_account: i64,
    /// What is left.
    pub remaining: Amount,
    /// Below which the member is warned.
    pub low_water: Amount,
}

/// A deposit as it is kept.
struct Kept {
    deposit: Deposit,
    /// What no slice holds.
    main: Amount,
    is_warned: bool,
}

/// What is taken at once of what a member owes.
pub(super) struct Source {
    /// Where it comes from in the member's book, and in the mall's.
    pub accounts: (i64, i64),
    pub amount: Amount,
    pub means: Settles,
}

/// Purchases that draw at the same time seldom meet in one of so many.
const SLICES: i64 = 16;
/// A slice is filled with one part in so many of what is left, beside what is needed.
const FILL: i64 = 64;

/// A member's deposit; `None` where it has never made one.
pub fn deposit(tx: &mut dyn Read, member: &Member) -> Result<Option<Deposit>> {
    Ok(store::kept(tx, member)?.map(|kept| kept.deposit))
}

fn open(tx: &mut Tx<'_>, mall: &Mall, member: &Member) -> Result<Deposit> {
    let mut open = |book_id, name: &str, counterparty| {
        let new = NewAccount {
            book_id,
            asset_id: mall.currency.asset_id,
            kind: AccountKind::Due,
            label: &format!("{} deposit {name}", mall.currency.code),
            owner: None,
            counterparty: Some(counterparty),
        };
        account_open(tx, &new)
    };
    let deposit = Deposit {
        member_account: open(member.book_id, &mall.slug, mall.book_id)?,
        mall_account: open(mall.book_id, &member.slug, member.book_id)?,
        remaining: Amount::ZERO,
        low_water: Amount::ZERO,
    };
    store::insert_deposit(tx, member, &deposit)?;
    Ok(deposit)
}

/// Notes money that a member paid into its deposit, and where it is warned.
pub fn deposit_add(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    amount: Amount,
    low_water: Option<Amount>,
) -> Result<Deposit> {
    operator_only(tx, actor, member.mall_book)?;
    if amount < Amount::ZERO || low_water.is_some_and(|low| low < Amount::ZERO) {
        return Err(scrip_ledger::Error::NotPositive.into());
    }
    let mall = mall_by_book(tx, member.mall_book)?;
    tx.lock_name(&format!("deposit {}", member.book_id))?;
    let mut kept = match store::kept(tx, member)? {
        Some(known) => known,
        None => Kept {
            deposit: open(tx, &mall, member)?,
            main: Amount::ZERO,
            is_warned: false,
        },
    };
    let mut deposit = kept.deposit;
    if amount.is_positive() {
        let vendor = vendor_by_book(tx, member.book_id)?;
        let event_id = tx.new_id()?;
        let bank = account(tx, &vendor, AccountKind::Bank)?;
        post(
            tx,
            member.book_id,
            event_id,
            (deposit.member_account, bank),
            amount,
        )?;
        let bank = mall_bank(tx, &mall)?;
        post(
            tx,
            mall.book_id,
            event_id,
            (bank, deposit.mall_account),
            amount,
        )?;
    }
    deposit.remaining = deposit.remaining.plus(amount)?;
    deposit.low_water = low_water.unwrap_or(deposit.low_water);
    kept.deposit = deposit;
    kept.main = kept.main.plus(amount)?;
    kept.is_warned &= deposit.remaining < deposit.low_water;
    store::update(tx, member, &kept)?;
    let detail = json!({
        "amount": amount.decimal(mall.currency.scale),
        "low_water": deposit.low_water.decimal(mall.currency.scale),
    });
    note(tx, actor, member, "mall.deposit", &detail)?;
    Ok(deposit)
}

fn post(
    tx: &mut Tx<'_>,
    book_id: i64,
    event_id: Uuid,
    (debit, credit): (i64, i64),
    amount: Amount,
) -> Result<()> {
    let posting = Posting {
        book_id,
        event_id,
        code: "deposit",
        actor: "system",
        reference: "",
        effective_at: tx.now(),
        legs: &[Leg {
            debit,
            credit,
            amount,
            grant: None,
        }],
    };
    entry_post(tx, &posting)?;
    Ok(())
}

/// Says how the mall takes its royalty from a member.
pub fn royalty_taking_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    takes: TakesRoyalty,
) -> Result<()> {
    operator_only(tx, actor, member.mall_book)?;
    store::set_takes_royalty(tx, member.book_id, takes)?;
    let detail = json!({"takes": takes.name()});
    note(tx, actor, member, "mall.royalty", &detail)?;
    Ok(())
}

/// Takes what a member owes the mall alone: from its deposit as far as that goes and was agreed, the
/// rest with the next clearing. Both ways come to the same total.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    (mall, member, vendor): (&Mall, &Member, &Vendor),
    (kind, event_id): (LineKind, Uuid),
    amount: Amount,
) -> Result<Option<Line>> {
    let charges = account(tx, vendor, AccountKind::Charges)?;
    let mut at_once = None;
    if store::takes_royalty(tx, member.book_id)? == TakesRoyalty::Deposit {
        tx.lock_name(&format!("deposit {}", member.book_id))?;
        if let Some(mut kept) = store::kept(tx, member)? {
            if kept.main < amount {
                gather(tx, member, &mut kept, None)?;
            }
            let drawn = kept.main.min(amount);
            kept.main = kept.main.minus(drawn)?;
            kept.deposit.remaining = kept.deposit.remaining.minus(drawn)?;
            warn_when_low(tx, mall, member, &mut kept)?;
            store::update(tx, member, &kept)?;
            let accounts = (kept.deposit.member_account, kept.deposit.mall_account);
            at_once = Some(source(accounts, drawn));
        }
    }
    charge(
        tx,
        mall,
        (member, charges),
        (kind, event_id),
        (amount, at_once),
    )
}

fn source(accounts: (i64, i64), amount: Amount) -> Source {
    Source {
        accounts,
        amount,
        means: Settles::Deposit,
    }
}

/// What is taken at once of what a member owes for its tokens: all of it from the deposit, or whole
/// cents by a transfer, or nothing. A deposit that does not cover it stops the event.
pub(super) fn at_once(
    tx: &mut Tx<'_>,
    mall: &Mall,
    member: &Member,
    kind: LineKind,
    owed: Amount,
) -> Result<Option<Source>> {
    if !matches!(kind, LineKind::Exchange | LineKind::Sale) {
        return Ok(None);
    }
    match member.settles {
        Settles::Invoice => Ok(None),
        Settles::Deposit => {
            let short = || MallError::DepositShort(member.name.clone());
            let accounts = draw(tx, mall, member, owed)?.ok_or_else(short)?;
            Ok(Some(source(accounts, owed)))
        }
        Settles::Transfer => {
            let amount = rules::cleared(owed)?.paid;
            let vendor = vendor_by_book(tx, member.book_id)?;
            let accounts = (
                account(tx, &vendor, AccountKind::Bank)?,
                mall_bank(tx, mall)?,
            );
            let source = Source {
                accounts,
                amount,
                means: Settles::Transfer,
            };
            Ok(amount.is_positive().then_some(source))
        }
    }
}

/// Draws an amount whole, or nothing; the accounts from which it came.
fn draw(
    tx: &mut Tx<'_>,
    mall: &Mall,
    member: &Member,
    amount: Amount,
) -> Result<Option<(i64, i64)>> {
    let random = i64::from(tx.new_id()?.as_bytes()[15]);
    let slice = random.checked_rem(SLICES).unwrap_or_default();
    lock_slice(tx, member, slice)?;
    let Some((accounts, held)) = store::slice(tx, member, slice)? else {
        return Ok(None);
    };
    if held >= amount {
        store::set_slice(tx, member, slice, held.minus(amount)?)?;
        return Ok(Some(accounts));
    }
    // The slice is dry.
    tx.lock_name(&format!("deposit {}", member.book_id))?;
    let Some(mut kept) = store::kept(tx, member)? else {
        return Ok(None);
    };
    let needed = amount.minus(held)?;
    if kept.main < needed {
        gather(tx, member, &mut kept, Some(slice))?;
    }
    if kept.main < needed {
        return Ok(None);
    }
    let left = kept.main.minus(needed)?;
    let fill = left.ratio(1, FILL, scrip_ledger::Rounding::Down)?;
    kept.main = left.minus(fill)?;
    kept.deposit.remaining = kept.deposit.remaining.minus(amount)?;
    store::set_slice(tx, member, slice, fill)?;
    warn_when_low(tx, mall, member, &mut kept)?;
    store::update(tx, member, &kept)?;
    Ok(Some(accounts))
}

fn lock_slice(tx: &mut Tx<'_>, member: &Member, slice: i64) -> Result<()> {
    Ok(tx.lock_name(&format!("deposit {} slice {slice}", member.book_id))?)
}

/// Takes back what the slices hold, except of one.
fn gather(tx: &mut Tx<'_>, member: &Member, kept: &mut Kept, except: Option<i64>) -> Result<()> {
    for slice in (0..SLICES).filter(|slice| Some(*slice) != except) {
        // Of two that gather at once and wait for each other, the database runs one again.
        lock_slice(tx, member, slice)?;
        if let Some((_, held)) = store::slice(tx, member, slice)?
            && held.is_positive()
        {
            kept.main = kept.main.plus(held)?;
            store::set_slice(tx, member, slice, Amount::ZERO)?;
        }
    }
    Ok(())
}

fn warn_when_low(tx: &mut Tx<'_>, mall: &Mall, member: &Member, kept: &mut Kept) -> Result<()> {
    let deposit = &kept.deposit;
    if !kept.is_warned && deposit.remaining < deposit.low_water {
        kept.is_warned = true;
        warn(tx, mall, member, deposit)?;
    }
    Ok(())
}

/// The mall's account of money at its bank; opened now if there is none.
pub(super) fn mall_bank(tx: &mut Tx<'_>, mall: &Mall) -> Result<i64> {
    if let Some(known) = store::mall_bank(tx, mall)? {
        return Ok(known);
    }
    // Of two that find none at once, the second one finds that of the first.
    tx.lock_name(&format!("bank {}", mall.book_id))?;
    if let Some(known) = store::mall_bank(tx, mall)? {
        return Ok(known);
    }
    let new = NewAccount {
        book_id: mall.book_id,
        asset_id: mall.currency.asset_id,
        kind: AccountKind::Bank,
        label: &mall.currency.code,
        owner: None,
        counterparty: None,
    };
    Ok(account_open(tx, &new)?)
}

/// Says how a member settles what it owes for its tokens that pay elsewhere (OPN-20).
pub fn settling_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    settles: Settles,
) -> Result<()> {
    operator_only(tx, actor, member.mall_book)?;
    store::set_settles(tx, member.book_id, settles)?;
    let detail = json!({"settles": settles.name()});
    note(tx, actor, member, "mall.settles", &detail)?;
    Ok(())
}

/// What members are to transfer to the mall by events of a span, oldest first: each once, under the
/// id of its event.
pub fn transfers(
    tx: &mut dyn Read,
    mall: &Mall,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Line>> {
    super::store::transfers(tx, mall.book_id, from, to)
}

/// The member hears that its deposit runs low.
fn warn(tx: &mut Tx<'_>, mall: &Mall, member: &Member, left: &Deposit) -> Result<()> {
    let scale = mall.currency.scale;
    let details = json!({
        "remaining": left.remaining.decimal(scale), "low_water": left.low_water.decimal(scale),
    });
    let details = details.to_string();
    outbox::add(tx, member.book_id, "mall.deposit_low", &mall.slug, &details)?;
    Ok(())
}

/// Says what each event of a kind costs whoever pays its toll (GOV-14), fractions of a cent allowed.
pub fn toll_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    toll: Toll,
    price: Amount,
) -> Result<()> {
    operator_only(tx, actor, mall.book_id)?;
    if price < Amount::ZERO || price > super::rules::CHARGE_AT_MOST {
        return Err(MallError::ChargeInvalid);
    }
    store::set_toll(tx, mall.book_id, toll, price)
}

/// What each event of a kind costs; nothing unless it was said.
pub fn toll_price(tx: &mut dyn Read, mall: &Mall, toll: Toll) -> Result<Amount> {
    store::toll(tx, mall.book_id, toll)
}
