//! How open tokens come to be: sold, on credit, given (OPN-08, OPN-10 to OPN-14, GOV-13).

use super::{
    Group, OpenError, OpenKind, OpenToken, Result, group, issuer, open_money, open_token, store,
    wallet,
};
use crate::actor::Actor;
use crate::audit;
use crate::books::account;
use crate::customer::{Customer, State};
use crate::mall::{Mall, MallError, Member, MemberState};
use crate::vendor::{EntityKind, Vendor, issue_take};
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{
    AccountKind, Amount, CURRENCY_SCALE, Error as LedgerError, Leg, NewGrant, Origin, Posting,
    entry_post, grant_by_id, grant_open, grant_pay_off,
};
use serde_json::json;

/// Issued in one go at most.
const ISSUED_AT_MOST: Amount = Amount::from_units(100_000_000_000_000);

/// Open tokens to be issued to a customer.
#[derive(Clone, Debug)]
pub struct NewOpen {
    /// What kind.
    pub kind: OpenKind,
    /// The group, for its tokens.
    pub group: Option<Group>,
    /// How many, in the smallest unit of the mall's currency.
    pub tokens: Amount,
    /// Paid for now, later, or given.
    pub origin: Origin,
    /// When they expire.
    pub expires_at: Timestamp,
}

/// Open tokens that were issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenIssued {
    /// The type.
    pub asset_id: i64,
    /// The grant, by which what is owed for them is paid later.
    pub grant_id: i64,
    /// How many.
    pub tokens: Amount,
    /// What they cost the customer.
    pub price: Amount,
}

/// Issues open tokens that a member owes to a customer of a member: sold for money in hand or on
/// credit, or given (OPN-08, steps 1 to 3). The mall hears of it in the same transaction: they stand
/// in its book.
pub fn open_issue(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, debtor, vendor): (&Mall, &Member, &Vendor),
    customer: &Customer,
    new: &NewOpen,
) -> Result<OpenIssued> {
    if !actor.for_vendor() {
        return Err(OpenError::Forbidden);
    }
    if !new.tokens.is_positive() || new.tokens > ISSUED_AT_MOST {
        return Err(OpenError::Quantity);
    }
    let now = tx.now();
    if new.expires_at <= now {
        return Err(OpenError::Expiry);
    }
    if customer.state == State::Closed {
        return Err(OpenError::Closed);
    }
    active(debtor)?;
    let token = token_to_issue(tx, mall, debtor, vendor, new)?;
    let issuer = issuer(tx, mall, &token, debtor)?;
    let price = match new.origin {
        Origin::Free => Amount::ZERO,
        Origin::Paid | Origin::Credit => price(new.tokens, issuer.discount_ppm)?,
    };
    issue_take(tx, debtor.book_id, new.tokens)?;
    let wallet = wallet(tx, mall, &token, debtor.book_id, customer)?;
    let grant = NewGrant {
        asset_id: token.asset_id,
        origin: new.origin,
        restriction: None,
        expires_at: new.expires_at,
        quantity: new.tokens,
        paid: price,
        paid_asset_id: price.is_positive().then_some(mall.currency.asset_id),
        granted_at: now,
    };
    let grant_id = grant_open(tx, mall.book_id, &grant)?;
    let event_id = tx.new_id()?;
    let actor_name = actor.to_string();
    let posting = Posting {
        book_id: mall.book_id,
        event_id,
        code: "open_issue",
        actor: &actor_name,
        reference: "",
        effective_at: now,
        legs: &[Leg {
            debit: issuer.issued,
            credit: wallet,
            amount: new.tokens,
            grant: Some(grant_id),
        }],
    };
    entry_post(tx, &posting)?;
    money_came(tx, vendor, &posting, (new.origin, price))?;
    let issued = OpenIssued {
        asset_id: token.asset_id,
        grant_id,
        tokens: new.tokens,
        price,
    };
    told(tx, actor, (debtor, customer), new, &issued)?;
    Ok(issued)
}

fn told(
    tx: &mut Tx<'_>,
    actor: Actor,
    (debtor, customer): (&Member, &Customer),
    new: &NewOpen,
    issued: &OpenIssued,
) -> Result<()> {
    let id = customer.customer_id.to_string();
    let detail = json!({
        "kind": new.kind.name(),
        "tokens": new.tokens.decimal(CURRENCY_SCALE),
        "price": issued.price.decimal(CURRENCY_SCALE),
        "origin": new.origin.name(),
    });
    let details = detail.to_string();
    outbox::add(tx, debtor.book_id, "open_token.issued", &id, &details)?;
    audit::note(tx, debtor.book_id, actor, "open_token.issued", &id, &detail)?;
    Ok(())
}

/// What so many tokens cost, rounded up to the smallest unit: nobody gains by small purchases.
fn price(tokens: Amount, discount_ppm: i64) -> Result<Amount> {
    const WHOLE_PPM: i64 = 1_000_000;
    let share = WHOLE_PPM.saturating_sub(discount_ppm);
    Ok(tokens.ratio(share, WHOLE_PPM, scrip_ledger::Rounding::Up)?)
}

/// Books what customers pay for what `posting` issued: money in hand, or owed by them.
pub(crate) fn money_came(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    posting: &Posting<'_>,
    (origin, amount): (Origin, Amount),
) -> Result<()> {
    if !amount.is_positive() {
        return Ok(());
    }
    let from = match origin {
        Origin::Credit => AccountKind::Receivable,
        Origin::Free | Origin::Paid => AccountKind::Bank,
    };
    let leg = Leg {
        debit: account(tx, vendor, from)?,
        credit: open_money(tx, vendor)?.deferred,
        amount,
        grant: None,
    };
    let posting = Posting {
        book_id: vendor.book_id,
        legs: &[leg],
        ..posting.clone()
    };
    entry_post(tx, &posting)?;
    Ok(())
}

/// Refuses a member that is cut off or gone.
pub(crate) fn active(member: &Member) -> Result<()> {
    match member.state {
        MemberState::Active => Ok(()),
        MemberState::Suspended => Err(MallError::Suspended(member.name.clone()).into()),
        MemberState::Left => Err(MallError::Left(member.name.clone()).into()),
    }
}

/// The token that a member may issue of a kind, if it may.
fn token_to_issue(
    tx: &mut Tx<'_>,
    mall: &Mall,
    debtor: &Member,
    vendor: &Vendor,
    new: &NewOpen,
) -> Result<OpenToken> {
    let own = (debtor.book_id, 0);
    let of = match new.kind {
        OpenKind::Gift => return Err(OpenError::GiftByCode),
        OpenKind::M2 if new.origin != Origin::Free => return Err(OpenError::GivenOnly),
        OpenKind::M1 | OpenKind::M2 if vendor.kind == EntityKind::Manufacturer => own,
        OpenKind::M1 | OpenKind::M2 => {
            return Err(OpenError::NoManufacturer(vendor.name.clone()));
        }
        OpenKind::Universal => (mall.book_id, 0),
        OpenKind::Group => {
            let missing = || OpenError::GroupUnknown(String::new());
            let group = new.group.as_ref().ok_or_else(missing)?;
            if !group::is_in(tx, mall, group.group_no, debtor.book_id)? {
                return Err(OpenError::OutsideGroup {
                    member: debtor.name.clone(),
                    group: group.name.clone(),
                });
            }
            (mall.book_id, group.group_no)
        }
    };
    open_token(tx, mall, new.kind, of)
}

/// Says by how much a member sells tokens of a kind below what they buy (OPN-11, OPN-14).
pub fn open_discount_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, debtor, vendor): (&Mall, &Member, &Vendor),
    (kind, group): (OpenKind, Option<Group>),
    discount_ppm: i64,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(OpenError::Forbidden);
    }
    if !(0..=1_000_000).contains(&discount_ppm) {
        return Err(OpenError::DiscountInvalid);
    }
    active(debtor)?;
    let new = NewOpen {
        kind,
        group,
        tokens: Amount::ZERO,
        origin: match kind {
            OpenKind::M2 => Origin::Free,
            _ => Origin::Paid,
        },
        expires_at: Timestamp::NEVER,
    };
    let token = token_to_issue(tx, mall, debtor, vendor, &new)?;
    issuer(tx, mall, &token, debtor)?;
    store::set_discount(
        tx,
        mall.book_id,
        token.asset_id,
        debtor.book_id,
        discount_ppm,
    )?;
    let detail = json!({"kind": kind.name(), "ppm": discount_ppm});
    audit::note(
        tx,
        debtor.book_id,
        actor,
        "open_token.discount",
        "",
        &detail,
    )?;
    Ok(())
}

/// Books the money for tokens that were issued before payment: they count as paid from now on
/// (GOV-13).
pub fn open_pay_off(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, vendor): (&Mall, &Vendor),
    grant_id: i64,
) -> Result<Amount> {
    if !actor.for_vendor() {
        return Err(OpenError::Forbidden);
    }
    let grant = match grant_by_id(tx, mall.book_id, grant_id) {
        Err(LedgerError::GrantUnknown { .. }) => return Err(OpenError::NothingOwed),
        other => other?,
    };
    let owes = store::issuer(tx, mall.book_id, grant.asset_id, vendor.book_id)?;
    let is_ours = store::granted_by(tx, mall.book_id, grant_id)? == owes.map(|o| o.issued);
    if grant.origin != Origin::Credit || !is_ours || owes.is_none() {
        return Err(OpenError::NothingOwed);
    }
    let event_id = tx.new_id()?;
    match grant_pay_off(tx, mall.book_id, grant_id, &event_id) {
        Err(LedgerError::AlreadyPaidOff(_)) => return Err(OpenError::NothingOwed),
        other => other?,
    }
    let legs = [Leg {
        debit: account(tx, vendor, AccountKind::Bank)?,
        credit: account(tx, vendor, AccountKind::Receivable)?,
        amount: grant.paid,
        grant: None,
    }];
    let posting = Posting {
        book_id: vendor.book_id,
        event_id,
        code: "open_paid",
        actor: &actor.to_string(),
        reference: "",
        effective_at: tx.now(),
        legs: &legs,
    };
    entry_post(tx, &posting)?;
    Ok(grant.paid)
}
