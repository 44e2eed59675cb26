//! Members: joining, standing, what their tokens are worth, whose tokens they take.

use super::deposit::{Settles, take};
use super::{
    LineKind, Mall, MallError, Result, franchise, mall_by_book, office_note, operator_only, rules,
    store,
};
use crate::actor::Actor;
use crate::audit;
use crate::text::named;
use crate::token_sale::tokens_awaited;
use crate::vendor::{Quota, Vendor, issue_stop, quota, quota_set, token_price_at, vendor_by_book};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{AccountKind, Amount, NewAccount, Rounding, TOKEN_SCALE, account_open};
use serde_json::json;

named! {
    /// Where a member stands.
    MemberState, "where a member stands" {
        /// Its tokens pass.
        Active = "active",
        /// Cut off (GOV-10): nothing passes, until it is back.
        Suspended = "suspended",
        /// Gone.
        Left = "left",
    }
}

/// A vendor in a mall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The vendor's book.
    pub book_id: i64,
    /// The mall's.
    pub mall_book: i64,
    /// The vendor's short name.
    pub slug: String,
    /// The vendor's name for people.
    pub name: String,
    /// Where it stands.
    pub state: MemberState,
    /// True while none of its tokens may leave it (GOV-12).
    pub is_barred: bool,
    /// The accounts between the two.
    pub accounts: MemberAccounts,
    /// How it settles what it owes for its tokens that pay elsewhere (OPN-20).
    pub settles: Settles,
}

/// The accounts between a member and its mall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberAccounts {
    /// What the member owes the mall, in the member's book.
    pub member_due: i64,
    /// What the mall owes the member, in the mall's book.
    pub mall_due: i64,
    /// What others' taking the member's tokens has cost, in the member's book.
    pub settled: i64,
}

/// What was agreed with a member: what an exchange costs its customers (OPN-03), and who keeps what
/// of a sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// For each exchange, in the smallest unit of the mall's currency.
    pub charge_flat: Amount,
    /// Of what is exchanged, in millionths.
    pub charge_ppm: i64,
    /// What the member keeps of what its open tokens pay elsewhere, in millionths (OPN-09).
    pub service_ppm: i64,
    /// What the mall keeps of what the member sells, in millionths (OPN-09, MSP-06).
    pub royalty_ppm: i64,
    /// What the member keeps of what its gift certificates pay elsewhere, in millionths (OPN-15).
    pub commission_ppm: i64,
}

/// Takes a vendor into a mall. Its token is worth what the vendor sells it for, until the mall
/// says otherwise.
pub fn member_join(tx: &mut Tx<'_>, actor: Actor, mall: &Mall, vendor: &Vendor) -> Result<Member> {
    operator_only(tx, actor, mall.book_id)?;
    if vendor.currency.asset_id != mall.currency.asset_id {
        return Err(MallError::Currency {
            mall: mall.currency.code.clone(),
            vendor: vendor.currency.code.clone(),
        });
    }
    tx.lock_name(&format!("membership {}", vendor.book_id))?;
    if let Some(known) = store::member(tx, vendor.book_id)? {
        if known.mall_book != mall.book_id || known.state != MemberState::Left {
            return Err(MallError::Joined(vendor.name.clone()));
        }
        return state_change(tx, actor, known, MemberState::Active);
    }
    let accounts = open_accounts(tx, mall, vendor)?;
    let member = Member {
        book_id: vendor.book_id,
        mall_book: mall.book_id,
        slug: vendor.slug.clone(),
        name: vendor.name.clone(),
        state: MemberState::Active,
        is_barred: false,
        accounts,
        settles: Settles::Invoice,
    };
    store::insert_member(tx, &member)?;
    let now = tx.now();
    let price = token_price_at(tx, vendor.book_id, now)?;
    store::set_value(tx, &member, now, rules::value(price)?)?;
    note(
        tx,
        actor,
        &member,
        "mall.joined",
        &json!({"mall": mall.slug}),
    )?;
    Ok(member)
}

fn open_accounts(tx: &mut Tx<'_>, mall: &Mall, vendor: &Vendor) -> Result<MemberAccounts> {
    let mut open = |book_id, kind, counterparty: Option<&str>, other| {
        let label = match counterparty {
            Some(name) => format!("{} {}", mall.currency.code, name),
            None => mall.currency.code.clone(),
        };
        let new = NewAccount {
            book_id,
            asset_id: mall.currency.asset_id,
            kind,
            label: &label,
            owner: None,
            counterparty: other,
        };
        account_open(tx, &new)
    };
    let due = AccountKind::Due;
    let (ours, theirs) = (vendor.book_id, mall.book_id);
    Ok(MemberAccounts {
        member_due: open(ours, due, Some(&mall.slug), Some(theirs))?,
        mall_due: open(theirs, due, Some(&vendor.slug), Some(ours))?,
        settled: open(ours, AccountKind::Settled, None, None)?,
    })
}

/// Where a vendor stands in its mall; `None` for one without a mall.
pub fn member_of(tx: &mut dyn Read, book_id: i64) -> Result<Option<Member>> {
    store::member(tx, book_id)
}

/// Where a vendor stands in its mall; one without a mall is told so.
pub fn membership(tx: &mut dyn Read, vendor: &Vendor) -> Result<Member> {
    member_of(tx, vendor.book_id)?.ok_or_else(|| MallError::NoMember(vendor.name.clone()))
}

/// The members of a mall, by book, those that left included.
pub fn members(tx: &mut dyn Read, mall: &Mall) -> Result<Vec<Member>> {
    store::members(tx, mall.book_id)
}

/// Suspends a member, takes it back, or lets it go (GOV-10). What its customers hold stays theirs.
pub fn member_state_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    to: MemberState,
) -> Result<Member> {
    operator_only(tx, actor, member.mall_book)?;
    tx.lock_name(&format!("membership {}", member.book_id))?;
    let known = store::member(tx, member.book_id)?;
    let known = known.ok_or_else(|| MallError::NoMember(member.name.clone()))?;
    if known.state == to {
        return Ok(known);
    }
    state_change(tx, actor, known, to)
}

fn state_change(tx: &mut Tx<'_>, actor: Actor, known: Member, to: MemberState) -> Result<Member> {
    if !rules::moves(known.state, to) {
        return Err(MallError::Standing {
            from: known.state.name(),
            to: to.name(),
        });
    }
    let member = Member { state: to, ..known };
    store::update_member(tx, &member)?;
    issue_stop(tx, member.book_id, to == MemberState::Suspended)?;
    if to == MemberState::Left {
        // On its own again, it issues what it likes.
        quota_set(tx, member.book_id, Amount::ZERO, None)?;
    }
    let detail = json!({"from": known.state.name(), "to": to.name()});
    note(tx, actor, &member, "mall.standing", &detail)?;
    Ok(member)
}

/// Says how many tokens a member may issue in all, from its first quota on; `None` takes the limit
/// away (MSP-01). What is out already stays.
pub fn member_quota_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    authorised: Option<Amount>,
) -> Result<Quota> {
    operator_only(tx, actor, member.mall_book)?;
    tx.lock_name(&format!("membership {}", member.book_id))?;
    let known = store::member(tx, member.book_id)?;
    let known = known.ok_or_else(|| MallError::NoMember(member.name.clone()))?;
    if known.state == MemberState::Left {
        return Err(MallError::Left(known.name));
    }
    let awaited = tokens_awaited(tx, known.book_id)?;
    let quota = quota_set(tx, known.book_id, awaited, authorised)?;
    let tokens = authorised.map(|amount| amount.decimal(TOKEN_SCALE));
    note(tx, actor, &known, "mall.quota", &json!({"tokens": tokens}))?;
    Ok(quota)
}

/// Sells a member the right to issue so many more tokens, at a rate for each (MSP-01). What it
/// comes to is taken as royalties are: from the deposit, or with the next clearing.
pub fn member_quota_sell(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    (tokens, rate): (Amount, Amount),
) -> Result<(Quota, Amount)> {
    operator_only(tx, actor, member.mall_book)?;
    if !tokens.is_positive() || rate < Amount::ZERO || rate > rules::VALUE_AT_MOST {
        return Err(MallError::QuotaInvalid);
    }
    tx.lock_name(&format!("membership {}", member.book_id))?;
    let vendor = vendor_by_book(tx, member.book_id)?;
    let mall = mall_by_book(tx, member.mall_book)?;
    let held = quota(tx, member.book_id)?.and_then(|quota| quota.authorised);
    let authorised = held.unwrap_or_default().plus(tokens)?;
    let sold = member_quota_set(tx, actor, member, Some(authorised))?;
    let whole = 10_i64.checked_pow(TOKEN_SCALE);
    let whole = whole.ok_or(scrip_ledger::Error::Overflow)?;
    let price = tokens.ratio(rate.units(), whole, Rounding::Up)?;
    let event = (LineKind::Quota, tx.new_id()?);
    take(tx, (&mall, member, &vendor), event, price)?;
    let detail = json!({
        "tokens": tokens.decimal(TOKEN_SCALE), "rate": rate.decimal(mall.currency.scale),
        "price": price.decimal(mall.currency.scale),
    });
    note(tx, actor, member, "mall.quota_sold", &detail)?;
    Ok((sold, price))
}

/// Keeps all tokens of a member at home, or lets them go again (GOV-12).
pub fn member_bar_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    is_barred: bool,
) -> Result<Member> {
    operator_only(tx, actor, member.mall_book)?;
    tx.lock_name(&format!("membership {}", member.book_id))?;
    let known = store::member(tx, member.book_id)?;
    let known = known.ok_or_else(|| MallError::NoMember(member.name.clone()))?;
    let member = Member { is_barred, ..known };
    store::update_member(tx, &member)?;
    note(
        tx,
        actor,
        &member,
        "mall.barred",
        &json!({"barred": is_barred}),
    )?;
    Ok(member)
}

/// The trail is the vendor's: its people see what the mall decided.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    action: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    let books = (member.mall_book, member.book_id);
    office_note(tx, actor, books, (action, ""), detail)
}

/// Sets what one token of a member is worth from a time on that has not passed (GOV-01).
pub fn value_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    member: &Member,
    value: Amount,
    effective_at: Timestamp,
) -> Result<()> {
    operator_only(tx, actor, member.mall_book)?;
    let value = rules::value(value)?;
    if effective_at < tx.now() {
        return Err(MallError::InPast);
    }
    franchise::value_free(tx, member)?;
    store::set_value(tx, member, effective_at, value)?;
    let mall = mall_by_book(tx, member.mall_book)?;
    let detail = json!({
        "value": value.decimal(mall.currency.scale), "from": effective_at.0,
    });
    note(tx, actor, member, "mall.value", &detail)
}

/// What one token of a member was worth at a time (GOV-01); `None` before it joined.
pub fn value_at(tx: &mut dyn Read, member: &Member, at: Timestamp) -> Result<Option<Amount>> {
    store::value_at(tx, member, at)
}

/// All values of a member's token with the times from which they held, newest first.
pub fn values(tx: &mut dyn Read, member: &Member) -> Result<Vec<(Timestamp, Amount)>> {
    store::values(tx, member)
}

/// Sets what was agreed with a member, from now on (OPN-03, OPN-09, OPN-15).
pub fn terms_set(tx: &mut Tx<'_>, actor: Actor, member: &Member, terms: &Terms) -> Result<()> {
    operator_only(tx, actor, member.mall_book)?;
    let flat = Amount::ZERO..=rules::CHARGE_AT_MOST;
    let shares = [
        terms.charge_ppm,
        terms.service_ppm,
        terms.royalty_ppm,
        terms.commission_ppm,
    ];
    let is_share = |ppm: &i64| (0..=rules::WHOLE_PPM).contains(ppm);
    // A seller is always owed something.
    let together = |kept: i64| kept.saturating_add(terms.royalty_ppm) < rules::WHOLE_PPM;
    let kept = terms.service_ppm.max(terms.commission_ppm);
    if !flat.contains(&terms.charge_flat) || !shares.iter().all(is_share) || !together(kept) {
        return Err(MallError::ChargeInvalid);
    }
    let now = tx.now();
    store::set_terms(tx, member, now, terms)?;
    let detail = json!({
        "flat": terms.charge_flat, "ppm": terms.charge_ppm, "service_ppm": terms.service_ppm,
        "royalty_ppm": terms.royalty_ppm, "commission_ppm": terms.commission_ppm,
    });
    note(tx, actor, member, "mall.terms", &detail)
}

/// What an exchange cost customers of a member at a time; nothing where nothing was agreed.
pub fn terms_at(tx: &mut dyn Read, member: &Member, at: Timestamp) -> Result<Terms> {
    Ok(store::terms_at(tx, member, at)?.unwrap_or_default())
}

/// Lets a member take another one's tokens, or not any more (OPN-05). For the acceptor's people.
pub fn acceptance_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    acceptor: &Member,
    issuer: &Member,
    takes: bool,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(MallError::OperatorOnly);
    }
    if acceptor.book_id == issuer.book_id {
        return Err(MallError::SameMember);
    }
    if acceptor.mall_book != issuer.mall_book {
        return Err(MallError::Outside);
    }
    store::set_acceptance(tx, acceptor, issuer.book_id, takes)?;
    let detail = json!({"issuer": issuer.slug, "takes": takes});
    let book = acceptor.book_id;
    Ok(audit::note(
        tx,
        book,
        actor,
        "mall.acceptance",
        "",
        &detail,
    )?)
}

/// Whose tokens a member takes (GOV-02).
pub fn accepted_from(tx: &mut dyn Read, acceptor: &Member) -> Result<Vec<i64>> {
    store::accepted_from(tx, acceptor)
}

/// Who takes a member's tokens (GOV-02).
pub fn accepters_of(tx: &mut dyn Read, issuer: &Member) -> Result<Vec<i64>> {
    store::accepters_of(tx, issuer)
}

/// Fails where tokens of one member cannot become tokens of another one now, and says why.
pub fn may_pass(tx: &mut dyn Read, from: &Member, to: &Member) -> Result<()> {
    let is_accepted = store::accepts(tx, to, from.book_id)? || franchise::is_one(tx, from, to)?;
    match rules::barrier(from, to, is_accepted) {
        Some(why) => Err(why),
        None => Ok(()),
    }
}
