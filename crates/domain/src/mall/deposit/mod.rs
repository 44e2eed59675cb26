//! Deposits of members, from which the mall takes its royalties at once where that was agreed
//! (MSP-06), and tolls (GOV-14).
//!
//! Purchases never touch a deposit: what the mall hears of them is drawn afterwards, by the one job
//! that hears a member.

mod store;

use super::settle::{Draw, Line, charge_drawn};
use super::{LineKind, Mall, MallError, Member, Result, mall_by_book, operator_only};
use crate::actor::Actor;
use crate::audit;
use crate::books::account;
use crate::text::named;
use crate::vendor::{Vendor, vendor_by_book};
use scrip_engine::{Read, Tx, outbox};
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

/// A member's deposit; `None` where it has never made one.
pub fn deposit(tx: &mut dyn Read, member: &Member) -> Result<Option<Deposit>> {
    store::deposit(tx, member.mall_book, member.book_id)
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
    operator_only(actor)?;
    if amount < Amount::ZERO || low_water.is_some_and(|low| low < Amount::ZERO) {
        return Err(scrip_ledger::Error::NotPositive.into());
    }
    let mall = mall_by_book(tx, member.mall_book)?;
    tx.lock_name(&format!("deposit {}", member.book_id))?;
    let mut deposit = match deposit(tx, member)? {
        Some(known) => known,
        None => open(tx, &mall, member)?,
    };
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
        let bank = store::mall_bank(tx, &mall)?;
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
    store::update_deposit(tx, member, &deposit)?;
    let detail = json!({
        "amount": amount.decimal(mall.currency.scale),
        "low_water": deposit.low_water.decimal(mall.currency.scale),
    });
    audit::note(tx, member.book_id, actor, "mall.deposit", "", &detail)?;
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
    operator_only(actor)?;
    store::set_takes_royalty(tx, member.book_id, takes)?;
    let detail = json!({"takes": takes.name()});
    audit::note(tx, member.book_id, actor, "mall.royalty", "", &detail)?;
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
    let mut draw = None;
    if store::takes_royalty(tx, member.book_id)? == TakesRoyalty::Deposit {
        tx.lock_name(&format!("deposit {}", member.book_id))?;
        if let Some(deposit) = deposit(tx, member)? {
            let drawn = deposit.remaining.min(amount);
            let left = Deposit {
                remaining: deposit.remaining.minus(drawn)?,
                ..deposit
            };
            store::update_deposit(tx, member, &left)?;
            if left.remaining < left.low_water && deposit.remaining >= deposit.low_water {
                warn(tx, mall, member, &left)?;
            }
            draw = Some(Draw {
                accounts: (deposit.member_account, deposit.mall_account),
                amount: drawn,
            });
        }
    }
    charge_drawn(
        tx,
        mall,
        (member, charges),
        (kind, event_id),
        (amount, draw),
    )
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
    operator_only(actor)?;
    if price < Amount::ZERO || price > super::rules::CHARGE_AT_MOST {
        return Err(MallError::ChargeInvalid);
    }
    store::set_toll(tx, mall.book_id, toll, price)
}

/// What each event of a kind costs; nothing unless it was said.
pub fn toll_price(tx: &mut dyn Read, mall: &Mall, toll: Toll) -> Result<Amount> {
    store::toll(tx, mall.book_id, toll)
}
