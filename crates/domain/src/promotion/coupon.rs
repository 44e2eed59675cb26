//! Coupons: their codes, entering one, and wrong ones.
//!
//! Codes are found by a hash that needs the master key, so that a stolen database gives none of
//! those away that are good once. Wrong codes are counted by account, as wrong secrets are: a
//! right one does not take them back, or whoever knows one could guess for ever.

use super::held::is_preferred;
use super::rules::{code_normal, is_for};
use super::{Promotion, PromotionError, Result, State, plan, rules, store};
use crate::actor::Actor;
use crate::audit;
use crate::customer::{Customer, CustomerError};
use crate::id::{CustomerId, PromotionId};
use crate::secret;
use crate::vault::Vault;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, TOKEN_SCALE};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::str::FromStr;

/// Codes that are issued at once at most.
pub const CODES_AT_MOST: i64 = 5_000;

/// Codes of one coupon at most.
const CODES_OF_ONE: i64 = 100_000;

/// A code as it is looked for: its keyed hashes, never the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CouponKey(Vec<[u8; 32]>);

impl CouponKey {
    /// The key of a code as typed. What can be no code has one too, which nothing has.
    pub fn of(vault: &Vault, book_id: i64, typed: &str) -> CouponKey {
        let book = book_id.to_le_bytes();
        let hash = |code: &str| vault.hash("coupon code", &[&book, code.as_bytes()]);
        let mut keys: Vec<[u8; 32]> = Vec::new();
        keys.extend(code_normal(typed).as_deref().map(hash));
        // Codes that are good once also read O as 0, and I and L as 1.
        let random = secret::code_read(typed).as_deref().map(hash);
        keys.extend(random.filter(|key| !keys.contains(key)));
        if keys.is_empty() {
            let odd: String = typed.chars().take(100).collect();
            keys.push(vault.hash("no coupon code", &[&book, odd.as_bytes()]));
        }
        CouponKey(keys)
    }

    fn kept(hash: &[u8]) -> Option<CouponKey> {
        Some(CouponKey(vec![hash.try_into().ok()?]))
    }
}

impl From<CouponKey> for String {
    fn from(key: CouponKey) -> String {
        let hex = |hash: &[u8; 32]| hash.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let all: Vec<String> = key.0.iter().map(hex).collect();
        all.join(".")
    }
}

impl TryFrom<String> for CouponKey {
    type Error = &'static str;
    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for CouponKey {
    type Err = &'static str;
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        const WRONG: &str = "the form has a coupon that no page gave it: open the page anew";
        let one = |hex: &str| -> Option<[u8; 32]> {
            if hex.len() != 64 || !hex.is_ascii() {
                return None;
            }
            let mut hash = [0; 32];
            for (place, byte) in hash.iter_mut().enumerate() {
                let from = place.checked_mul(2)?;
                *byte = u8::from_str_radix(hex.get(from..from.checked_add(2)?)?, 16).ok()?;
            }
            Some(hash)
        };
        let keys: Option<Vec<_>> = text.split('.').map(one).collect();
        keys.filter(|keys| keys.len() <= 2)
            .map(CouponKey)
            .ok_or(WRONG)
    }
}

/// Why a coupon takes nothing off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum CouponFault {
    /// There is no such code.
    #[error("no coupon has this code: look at it again, letter by letter")]
    Unknown,
    /// Too many wrong codes.
    #[error(
        "too many wrong codes were entered with this account: wait a while before the next one"
    )]
    TooMany {
        /// When the next one is allowed. Microseconds.
        until: i64,
    },
    /// It has not begun.
    #[error("this coupon is not good yet: try it again when it has begun")]
    NotYet {
        /// When it begins. Microseconds.
        from: i64,
    },
    /// It has ended, or was stopped.
    #[error("this coupon is over: order without it, or enter another one")]
    Over,
    /// All its uses are gone.
    #[error("this coupon is used up: order without it, or enter another one")]
    UsedUp,
    /// The customer has used it.
    #[error("you have used this coupon as often as one customer may: order without it")]
    UsedByYou,
    /// It is for preferred customers.
    #[error("this coupon is for preferred customers of the shop: order without it")]
    NotForYou,
    /// The order is too small.
    #[error("this coupon is for orders of {} tokens or more: add something, or order without it",
        least.decimal(TOKEN_SCALE))]
    TooSmall {
        /// What the order comes to at least.
        least: Amount,
    },
    /// Nothing of the order is among its products.
    #[error("this coupon is not for these products: add one that it is for, or order without it")]
    NotForThese,
}

/// A coupon that somebody asked for, and why it takes nothing off.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub promotion: Option<Promotion>,
    pub hash: Option<Vec<u8>>,
    pub is_single: bool,
    pub fault: Option<CouponFault>,
}

/// Looks a coupon up, as far as it does not depend on what is ordered.
pub(super) fn find(
    tx: &mut dyn Read,
    book: i64,
    customer: Option<&Customer>,
    key: &CouponKey,
) -> Result<Found> {
    let nothing = |fault| Found {
        promotion: None,
        hash: None,
        is_single: false,
        fault: Some(fault),
    };
    let now = tx.now();
    if let Some(customer) = customer {
        let until = store::attempts(tx, book, customer.customer_id)?.locked_until;
        if until > now {
            return Ok(nothing(CouponFault::TooMany { until: until.0 }));
        }
    }
    let mut code = None;
    for hash in &key.0 {
        if code.is_none() {
            code = store::code(tx, book, hash)?;
        }
    }
    let Some(code) = code else {
        return Ok(nothing(CouponFault::Unknown));
    };
    let Some(promotion) = store::by_id(tx, book, code.promotion_id)? else {
        return Ok(nothing(CouponFault::Unknown));
    };
    let fault = match promotion.state(now) {
        State::Planned => Some(CouponFault::NotYet {
            from: promotion.terms.begins_at,
        }),
        State::Over | State::Stopped => Some(CouponFault::Over),
        State::Running if code.is_single && code.used_by.is_some() => Some(CouponFault::UsedUp),
        State::Running => used(tx, book, customer, &promotion)?,
    };
    Ok(Found {
        promotion: Some(promotion),
        hash: Some(code.hash),
        is_single: code.is_single,
        fault,
    })
}

/// The group, and the limits.
fn used(
    tx: &mut dyn Read,
    book: i64,
    customer: Option<&Customer>,
    promotion: &Promotion,
) -> Result<Option<CouponFault>> {
    let terms = &promotion.terms;
    if terms.preferred_only && !is_preferred(tx, customer)? {
        return Ok(Some(CouponFault::NotForYou));
    }
    if terms.in_total > 0 && store::count(tx, book, promotion.id)? >= terms.in_total {
        return Ok(Some(CouponFault::UsedUp));
    }
    if let Some(customer) = customer.filter(|_| terms.per_customer > 0)
        && store::uses_of(tx, book, promotion.id, customer.customer_id)? >= terms.per_customer
    {
        return Ok(Some(CouponFault::UsedByYou));
    }
    Ok(None)
}

/// What depends on the order: its size, and its products.
pub(super) fn fits(
    promotion: &Promotion,
    list: Option<Amount>,
    facts: &[rules::Facts<'_>],
) -> Option<CouponFault> {
    let terms = &promotion.terms;
    if !facts.is_empty() && !facts.iter().any(|of| is_for(terms, of)) {
        return Some(CouponFault::NotForThese);
    }
    let least = terms.minimum;
    list.is_some_and(|list| list < least)
        .then_some(CouponFault::TooSmall { least })
}

/// Locks the code that a key has, where it is good once.
pub(super) fn lock(tx: &mut Tx<'_>, book: i64, key: &CouponKey) -> Result<()> {
    for hash in &key.0 {
        if store::code(tx, book, hash)?.is_some_and(|code| code.is_single) {
            store::code_lock(tx, book, hash)?;
        }
    }
    Ok(())
}

/// Counts a wrong code; of one that is right or locked, nothing.
fn counted(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    fault: Option<&CouponFault>,
) -> Result<()> {
    if fault != Some(&CouponFault::Unknown) {
        return Ok(());
    }
    let now = tx.now();
    let attempts = store::attempts_locked(tx, book, customer)?;
    if let Ok(counted) = attempts.counted(now) {
        store::set_attempts(tx, book, customer, counted)?;
    }
    Ok(())
}

/// Looks at a coupon as an order or a quote would, and counts a wrong code.
pub fn coupon_use_check(
    tx: &mut Tx<'_>,
    customer: &Customer,
    key: &CouponKey,
) -> Result<Option<CouponFault>> {
    let (book, id) = (customer.book_id, customer.customer_id);
    let found = find(tx, book, Some(customer), key)?;
    counted(tx, book, id, found.fault.as_ref())?;
    Ok(found.fault)
}

/// Enters a coupon for the customer's next order, in the place of one that is there. One that is
/// good for nothing is not entered, and why is answered.
pub fn coupon_enter(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    key: &CouponKey,
) -> Result<Option<CouponFault>> {
    let (book, id) = (customer.book_id, customer.customer_id);
    if !actor.may_act_for(id) {
        return Err(CustomerError::Forbidden.into());
    }
    let found = find(tx, book, Some(customer), key)?;
    counted(tx, book, id, found.fault.as_ref())?;
    if found.fault.is_none() {
        store::enter(tx, book, id, found.hash.as_deref())?;
    }
    Ok(found.fault)
}

/// Takes the coupon off that was entered.
pub fn coupon_clear(tx: &mut Tx<'_>, actor: Actor, customer: &Customer) -> Result<()> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(CustomerError::Forbidden.into());
    }
    store::enter(tx, customer.book_id, customer.customer_id, None)
}

/// The coupon that a customer has entered.
pub fn coupon_of(
    tx: &mut dyn Read,
    book_id: i64,
    customer: CustomerId,
) -> Result<Option<CouponKey>> {
    let kept = store::entered(tx, book_id, customer)?;
    Ok(kept.and_then(|hash| CouponKey::kept(&hash)))
}

/// Codes of a coupon that are good once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCount {
    /// All that were issued.
    pub issued: i64,
    /// Those that are used.
    pub used: i64,
}

/// How many codes of a coupon there are.
pub fn codes_count(tx: &mut dyn Read, book_id: i64, id: PromotionId) -> Result<CodeCount> {
    let (issued, used) = store::codes(tx, book_id, id)?;
    Ok(CodeCount { issued, used })
}

/// Issues codes that are good once. They are answered this once: what is kept are their hashes.
pub fn codes_issue(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    id: PromotionId,
    count: i64,
) -> Result<Vec<String>> {
    plan::for_vendor(actor)?;
    let book = vendor.book_id;
    store::lock(tx, book)?;
    let promotion = store::by_id(tx, book, id)?.ok_or(PromotionError::Unknown(id))?;
    let coupon = promotion.terms.coupon.as_ref();
    let state = promotion.state(tx.now());
    if coupon.is_none_or(|c| !c.code.is_empty()) || matches!(state, State::Over | State::Stopped) {
        return Err(PromotionError::NoCodes);
    }
    let issued = store::codes(tx, book, id)?.0;
    if !(1..=CODES_AT_MOST).contains(&count) || issued.saturating_add(count) > CODES_OF_ONE {
        return Err(PromotionError::CodesTooMany(CODES_AT_MOST));
    }
    let mut codes = Vec::new();
    while i64::try_from(codes.len()).is_ok_and(|made| made < count) {
        let code = secret::code(tx)?;
        let key = CouponKey::of(vault, book, &code);
        for hash in key.0.iter().take(1) {
            // 50 random bits may meet a code that is there; then another one is made.
            if store::code(tx, book, hash)?.is_none() {
                store::code_put(tx, book, hash, id, true)?;
                codes.push(code.clone());
            }
        }
    }
    let (subject, detail) = (id.to_string(), json!({"codes": count}));
    audit::note(tx, book, actor, "coupon.codes_issued", &subject, &detail)?;
    Ok(codes)
}

/// Gives a coupon its shared code, in the place of the one that it had. The code of a coupon that
/// is over may be taken.
pub(super) fn share(
    tx: &mut Tx<'_>,
    vault: &Vault,
    book: i64,
    promotion: &Promotion,
    now: Timestamp,
) -> Result<()> {
    let Some(coupon) = &promotion.terms.coupon else {
        return Ok(());
    };
    store::code_drop(tx, book, promotion.id)?;
    if coupon.code.is_empty() {
        return Ok(());
    }
    let key = CouponKey::of(vault, book, &coupon.code);
    for hash in &key.0 {
        let taken = || PromotionError::CodeTaken(coupon.code.clone());
        if let Some(code) = store::code(tx, book, hash)? {
            let other = store::by_id(tx, book, code.promotion_id)?;
            let is_open =
                other.is_some_and(|o| matches!(o.state(now), State::Planned | State::Running));
            if is_open || code.is_single {
                return Err(taken());
            }
        }
    }
    for hash in key.0.iter().take(1) {
        store::code_put(tx, book, hash, promotion.id, false)?;
    }
    Ok(())
}
