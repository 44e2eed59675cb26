//! Gift certificates (OPN-15, OPN-16, GOV-07): of any face value, issued one by one or in bulk with
//! codes to print, held by whoever enters the code, honoured at face value.
//!
//! A certificate is an account of its own in the mall's book, so that it is spent whole and once.
//! Its code is shown when it is issued and kept as a keyed hash alone. Wrong codes are counted by the
//! account that enters them, and say nothing of the right ones.

mod store;

use crate::actor::Actor;
use crate::audit;
use crate::customer::{Customer, State};
use crate::id::{CertificateId, CustomerId};
use crate::mall::{Mall, MallError, Member};
use crate::open_token::{OpenError, OpenKind, OpenToken, active, issuer, money_came, open_token};
use crate::secret::{self, Attempt, stray_attempt, stray_locked_until};
use crate::vault::Vault;
use crate::vendor::{Vendor, issue_take};
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{
    AccountKind, Amount, CURRENCY_SCALE, Leg, NewAccount, NewGrant, Origin, Posting, account_open,
    entry_post, grant_open,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

type Result<T> = std::result::Result<T, OpenError>;

/// Certificates issued in one go at most.
pub const CERTIFICATES_AT_MOST: i64 = 1_000;
/// Face value at most: ten thousand of the currency.
const FACE_AT_MOST: Amount = Amount::from_units(1_000_000_000_000);

crate::text::named! {
    /// Where a certificate stands.
    CertificateState, "where the certificate stands" {
        /// Nobody has entered its code yet.
        Issued = "issued",
        /// A customer holds it.
        Held = "held",
        /// It paid.
        Spent = "spent",
    }
}

/// A gift certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The id.
    pub id: CertificateId,
    /// Who owes it.
    pub issuer: i64,
    /// Its account in the mall's book.
    pub account: i64,
    /// Its grant there.
    pub grant: i64,
    /// What it is worth.
    pub face: Amount,
    /// Where it stands.
    pub state: CertificateState,
    /// Who holds it: the home book, and the customer there.
    pub holder: Option<(i64, CustomerId)>,
    /// Until when it can be spent.
    pub expires_at: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// Certificates to be issued.
#[derive(Clone, Copy, Debug)]
pub struct NewCertificates {
    /// What each is worth.
    pub face: Amount,
    /// How many.
    pub count: i64,
    /// Sold for their face value, or given.
    pub origin: Origin,
    /// When they expire.
    pub expires_at: Timestamp,
}

/// A certificate as it is issued: the code is shown now and never again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    /// The id.
    pub id: CertificateId,
    /// The code, as printed.
    pub code: String,
}

/// What became of a code that was entered; it stands either way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Claim {
    /// The customer holds it now.
    Held {
        /// The certificate.
        id: CertificateId,
        /// What it is worth.
        face: Amount,
    },
    /// There is none, it is spent, it has expired, or somebody else holds it: which one is not told.
    Unknown,
    /// Too many wrong codes.
    TooMany {
        /// When the next one is looked at. Microseconds.
        until: i64,
    },
}

fn code_hash(vault: &Vault, mall: i64, typed: &str) -> Option<[u8; 32]> {
    let code = secret::code_read(typed)?;
    Some(vault.hash("gift code", &[&mall.to_le_bytes(), code.as_bytes()]))
}

/// Issues certificates that a member owes, with their codes.
pub fn gift_issue(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    (mall, member, vendor): (&Mall, &Member, &Vendor),
    new: &NewCertificates,
) -> Result<Vec<Printed>> {
    if !actor.for_vendor() {
        return Err(OpenError::Forbidden);
    }
    let face = Amount::from_units(1)..=FACE_AT_MOST;
    if !face.contains(&new.face) || !(1..=CERTIFICATES_AT_MOST).contains(&new.count) {
        return Err(OpenError::Certificates);
    }
    let now = tx.now();
    if new.expires_at <= now {
        return Err(OpenError::Expiry);
    }
    active(member)?;
    let token = open_token(tx, mall, OpenKind::Gift, (member.book_id, 0))?;
    let issuer = issuer(tx, mall, &token, member)?;
    let total = new.face.times(new.count)?;
    issue_take(tx, member.book_id, total)?;
    let (mut printed, mut legs) = (Vec::new(), Vec::new());
    for _ in 0..new.count {
        let (one, leg) = print(tx, vault, (mall, member), (&token, issuer.issued), new)?;
        printed.push(one);
        legs.push(leg);
    }
    let posting = Posting {
        book_id: mall.book_id,
        event_id: tx.new_id()?,
        code: "gift_issue",
        actor: &actor.to_string(),
        reference: "",
        effective_at: now,
        legs: &legs,
    };
    entry_post(tx, &posting)?;
    let paid = match new.origin {
        Origin::Free => Amount::ZERO,
        Origin::Paid | Origin::Credit => total,
    };
    money_came(tx, vendor, &posting, (new.origin, paid))?;
    let detail = json!({
        "face": new.face.decimal(CURRENCY_SCALE), "count": new.count,
        "origin": new.origin.name(),
    });
    audit::note(tx, vendor.book_id, actor, "gift.issued", "", &detail)?;
    Ok(printed)
}

/// One certificate with its account, and the movement that fills it.
fn print(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (mall, member): (&Mall, &Member),
    (token, issued): (&OpenToken, i64),
    new: &NewCertificates,
) -> Result<(Printed, Leg)> {
    let now = tx.now();
    let id = CertificateId(tx.new_id()?);
    let code = secret::code(tx)?;
    let hash = code_hash(vault, mall.book_id, &code).ok_or(OpenError::Certificates)?;
    let account = NewAccount {
        book_id: mall.book_id,
        asset_id: token.asset_id,
        kind: AccountKind::Wallet,
        label: &id.to_string(),
        owner: None,
        counterparty: Some(member.book_id),
    };
    let account = account_open(tx, &account)?;
    let paid = match new.origin {
        Origin::Free => Amount::ZERO,
        Origin::Paid | Origin::Credit => new.face,
    };
    let grant = NewGrant {
        asset_id: token.asset_id,
        origin: new.origin,
        restriction: None,
        expires_at: new.expires_at,
        quantity: new.face,
        paid,
        paid_asset_id: paid.is_positive().then_some(mall.currency.asset_id),
        granted_at: now,
    };
    let grant = grant_open(tx, mall.book_id, &grant)?;
    let certificate = Certificate {
        id,
        issuer: member.book_id,
        account,
        grant,
        face: new.face,
        state: CertificateState::Issued,
        holder: None,
        expires_at: new.expires_at,
        issued_at: now,
    };
    store::insert(tx, mall.book_id, &certificate, &hash)?;
    let leg = Leg {
        debit: issued,
        credit: account,
        amount: new.face,
        grant: Some(grant),
    };
    Ok((Printed { id, code }, leg))
}

/// Enters a code: the customer holds the certificate from now on.
pub fn gift_claim(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    mall: &Mall,
    customer: &Customer,
    typed: &str,
) -> Result<Claim> {
    const KIND: &str = "gift code";
    if !actor.may_act_for(customer.customer_id) {
        return Err(OpenError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(OpenError::Closed);
    }
    let who = customer.customer_id.to_string();
    if let Some(until) = stray_locked_until(tx, vault, customer.book_id, KIND, &who)? {
        return Ok(Claim::TooMany { until: until.0 });
    }
    let found = match code_hash(vault, mall.book_id, typed) {
        Some(hash) => store::by_code_locked(tx, mall.book_id, &hash)?,
        None => None,
    };
    let now = tx.now();
    let own = Some((customer.book_id, customer.customer_id));
    let found = found.filter(|c| c.expires_at > now);
    let is_free = |c: &Certificate| match c.state {
        CertificateState::Issued => true,
        CertificateState::Held => c.holder == own,
        CertificateState::Spent => false,
    };
    let Some(found) = found.filter(is_free) else {
        return match stray_attempt(tx, vault, customer.book_id, KIND, &who)? {
            Attempt::Locked { until } => Ok(Claim::TooMany { until: until.0 }),
            Attempt::Compare { .. } => Ok(Claim::Unknown),
        };
    };
    store::hold(tx, mall.book_id, found.id, customer)?;
    let details = json!({"customer_id": customer.customer_id, "certificate_id": found.id});
    let details = details.to_string();
    outbox::add(tx, customer.book_id, "gift.held", &who, &details)?;
    Ok(Claim::Held {
        id: found.id,
        face: found.face,
    })
}

/// The certificates that a customer holds and that have not expired.
pub fn gifts_held(
    tx: &mut dyn Read,
    mall: &Mall,
    home_book: i64,
    customer: CustomerId,
) -> Result<Vec<Certificate>> {
    let mut held = store::held(tx, mall.book_id, home_book, customer)?;
    let now = tx.now();
    held.retain(|certificate| certificate.expires_at > now);
    Ok(held)
}

/// The certificates of an issuer, newest first, `limit` at most.
pub fn gifts_of(
    tx: &mut dyn Read,
    mall: &Mall,
    issuer: i64,
    limit: i64,
) -> Result<Vec<Certificate>> {
    store::of_issuer(tx, mall.book_id, issuer, limit)
}

/// Marks a certificate as spent, once; false when it was spent meanwhile.
pub(crate) fn gift_spend(tx: &mut Tx<'_>, mall: &Mall, id: CertificateId) -> Result<bool> {
    store::spend(tx, mall.book_id, id)
}

/// Gives a certificate back that a reversed payment had spent.
pub(crate) fn gift_give_back(tx: &mut Tx<'_>, mall: &Mall, account: i64) -> Result<()> {
    store::give_back(tx, mall.book_id, account)
}

/// Lets a member take gift certificates of another one, or not any more (GOV-07). For the acceptor's
/// people.
pub fn gift_acceptance_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    (acceptor, issuer): (&Member, &Member),
    takes: bool,
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(OpenError::Forbidden);
    }
    if acceptor.book_id == issuer.book_id {
        return Err(MallError::SameMember.into());
    }
    if acceptor.mall_book != issuer.mall_book {
        return Err(MallError::Outside.into());
    }
    store::set_acceptance(tx, acceptor, issuer.book_id, takes)?;
    let detail = json!({"issuer": issuer.slug, "takes": takes});
    audit::note(tx, acceptor.book_id, actor, "gift.acceptance", "", &detail)?;
    Ok(())
}

/// Whose gift certificates each member takes: acceptor, issuer.
pub fn gift_acceptances(tx: &mut dyn Read, mall: &Mall) -> Result<Vec<(i64, i64)>> {
    store::acceptances(tx, mall.book_id)
}

/// True where a member takes certificates of an issuer; its own always.
pub(crate) fn takes_gifts_of(
    tx: &mut dyn Read,
    mall: &Mall,
    acceptor: i64,
    issuer: i64,
) -> Result<bool> {
    if acceptor == issuer {
        return Ok(true);
    }
    store::accepts(tx, mall.book_id, acceptor, issuer)
}
