//! What a vendor decides about its shop: one document of settings, kept in versions (REG-04,
//! REG-05, REG-08, REG-10, REG-12, TOK-10, SHP-03, SHP-04, SHP-05, SHP-17).
//!
//! Each area has its part. A setting that is missing in an older version has its default, so new
//! settings need no migration. What every purchase needs stands in the vendor's own row instead.

mod rules;
mod store;
#[cfg(test)]
mod tests;

use crate::Actor;
use crate::audit;
use crate::tax::TaxRate;
use crate::text::{TextError, named};
use crate::vendor::{Vendor, VendorError, taxed_set, threshold_set};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use scrip_ledger::{Amount, Error as LedgerError};
use serde::{Deserialize, Serialize};

pub use rules::changes;

named! {
    /// How a command reached the vendor (REG-03).
    Channel, "the channel" {
        /// The customer's own browser or program.
        Online = "online",
        /// Staff, for a customer at the counter; also where it was not said how.
        Staff = "staff",
        /// By telephone.
        Phone = "phone",
        /// By fax.
        Fax = "fax",
        /// By letter.
        Mail = "mail",
        /// By e-mail, which counts as off line.
        Email = "email",
    }
}

named! {
    /// How tokens are paid for (REG-12, TOK-11).
    Means, "the means of payment" {
        /// By card.
        Card = "card",
        /// By cheque.
        Check = "check",
        /// By money order.
        MoneyOrder = "money_order",
        /// Against a purchase order.
        PurchaseOrder = "purchase_order",
        /// By an invoice.
        BillMe = "bill_me",
        /// In cash at the counter.
        Cash = "cash",
    }
}

impl Means {
    /// True for means that need no card (TOK-11).
    pub fn is_offline(self) -> bool {
        self != Means::Card
    }
}

named! {
    /// Whether a field of a form is asked for (REG-04).
    Need, "whether a field is needed" {
        /// Not asked for.
        Hidden = "hidden",
        /// May stay empty.
        Optional = "optional",
        /// Must be filled in.
        Required = "required",
    }
}

named! {
    /// What may need more than being signed in (REG-05).
    Sensitive, "the sensitive action" {
        /// Changing the PIN.
        PinChange = "pin_change",
        /// Changing personal data.
        PersonChange = "person_change",
        /// Erasing or closing the account.
        Closing = "closing",
        /// Taking tokens or orders of a customer by telephone, fax or letter.
        OfflineOrder = "offline_order",
    }
}

named! {
    /// When tokens that were ordered off line are credited (TOK-10, TOK-12).
    CreditPoint, "when tokens are credited" {
        /// When staff accept the order: before the money is there.
        Acceptance = "acceptance",
        /// When the money is there.
        Receipt = "receipt",
    }
}

named! {
    /// What a shop tells about its products besides their names (SHP-04).
    Part, "the part of what is told" {
        /// What things cost. Sorting and searching by price goes with it.
        Prices = "prices",
        /// Descriptions.
        Description = "description",
        /// Pictures.
        Images = "images",
        /// How many pieces are left.
        Stock = "stock",
        /// Who made it.
        Manufacturer = "manufacturer",
        /// The size of a download.
        Download = "download",
    }
}

named! {
    /// What a customer proves to be one with (SHP-03).
    Secrets, "what is asked at sign-in" {
        /// The PIN or the password, whichever the customer likes.
        Either = "either",
        /// The PIN.
        Pin = "pin",
        /// The password.
        Password = "password",
        /// The PIN and the password.
        Both = "both",
    }
}

impl Secrets {
    /// True when nobody signs in without a password.
    pub fn needs_password(self) -> bool {
        matches!(self, Secrets::Password | Secrets::Both)
    }
}

/// Signing in (SHP-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInPolicy {
    /// What is asked for beside the account. One-time codes are the customer's own choice.
    pub secrets: Secrets,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        SignInPolicy {
            secrets: Secrets::Either,
        }
    }
}

/// Which personal data is asked for (REG-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// Name.
    pub name: Need,
    /// Postal address.
    pub address: Need,
    /// Telephone number.
    pub phone: Need,
    /// Fax number.
    pub fax: Need,
    /// E-mail address.
    pub email: Need,
}

impl Default for Fields {
    fn default() -> Self {
        Fields {
            name: Need::Optional,
            address: Need::Optional,
            phone: Need::Optional,
            fax: Need::Hidden,
            email: Need::Optional,
        }
    }
}

/// Registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistrationPolicy {
    /// What is asked for.
    pub fields: Fields,
    /// Seconds that unfinished registrations are kept (REG-10).
    pub unfinished_s: i64,
    /// Tokens that a new account is given, in their smallest unit; zero for none (REG-08).
    pub opening_tokens: Amount,
    /// What they cost, in the currency's smallest unit; zero when they are free (REG-08).
    pub opening_fee: Amount,
    /// How customers may pay who register on line (REG-12).
    pub means_online: Vec<Means>,
    /// How customers may pay whom staff register (REG-12).
    pub means_offline: Vec<Means>,
    /// Questions of which a customer answers all when registering; asked again when a sensitive
    /// action needs it (REG-05).
    pub questions: Vec<String>,
    /// Actions that need an answer (REG-05).
    pub step_up: Vec<Sensitive>,
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        RegistrationPolicy {
            fields: Fields::default(),
            unfinished_s: 3600,
            opening_tokens: Amount::ZERO,
            opening_fee: Amount::ZERO,
            means_online: vec![Means::Card],
            means_offline: Means::ALL.to_vec(),
            questions: Vec::new(),
            step_up: Vec::new(),
        }
    }
}

/// Selling tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SalePolicy {
    /// When tokens that were ordered off line are credited (TOK-10).
    pub credit_point: CreditPoint,
    /// True when discounts add up; otherwise the best single one counts (TOK-04).
    pub stacking: bool,
    /// Days that bought tokens live; `None` for ever (TOK-07).
    pub life_days: Option<i64>,
    /// Means for which the customer's credit is checked before an order is accepted (TOK-13).
    pub credit_check: Vec<Means>,
    /// Money that a customer may owe, in the currency's smallest unit; `None` without a limit.
    pub credit_limit: Option<Amount>,
    /// Days from acceptance until the money of an off-line order is due (TOK-12).
    pub due_days: i64,
    /// Where payments are sent to; printed with the instructions of an off-line order (TOK-11).
    pub payment_address: String,
    /// To which account money is paid; printed with it.
    pub payment_account: String,
}

impl Default for SalePolicy {
    fn default() -> Self {
        SalePolicy {
            credit_point: CreditPoint::Receipt,
            stacking: false,
            life_days: None,
            credit_check: vec![Means::PurchaseOrder, Means::BillMe],
            credit_limit: None,
            due_days: 30,
            payment_address: String::new(),
            payment_account: String::new(),
        }
    }
}

/// Tokens that are given by themselves (TOK-06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GiftPolicy {
    /// Days that given tokens live; `None` for ever.
    pub life_days: Option<i64>,
    /// Tokens spent that earn a reward, in their smallest unit; zero for no rewards.
    pub loyalty_every: Amount,
    /// Tokens of a reward.
    pub loyalty_tokens: Amount,
    /// Days after which an order counts for rewards: what came back by then does not.
    pub loyalty_after_days: i64,
    /// The gift to idle balances, in basis points of the balance for a period; zero for none.
    pub interest_rate: i64,
    /// Days of a period.
    pub interest_days: i64,
    /// Days without any movement that make a balance idle.
    pub interest_idle_days: i64,
}

impl Default for GiftPolicy {
    fn default() -> Self {
        GiftPolicy {
            life_days: None,
            loyalty_every: Amount::ZERO,
            loyalty_tokens: Amount::ZERO,
            loyalty_after_days: 14,
            interest_rate: 0,
            interest_days: 30,
            interest_idle_days: 30,
        }
    }
}

/// What is seen before one may order (SHP-04, SHP-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrowsingPolicy {
    /// T, in the smallest unit; `None` for the cheapest offer's price (SHP-05).
    pub threshold: Option<Amount>,
    /// True when prices are also shown to those who have no active account.
    pub open_prices: bool,
    /// True when only those who are registered look around.
    pub register_first: bool,
    /// What customers with less than T are not told.
    pub below: Vec<Part>,
}

impl Default for BrowsingPolicy {
    fn default() -> Self {
        BrowsingPolicy {
            threshold: None,
            open_prices: false,
            register_first: false,
            below: vec![Part::Stock],
        }
    }
}

/// The way from the order list to the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckoutPolicy {
    /// True when an order may be paid by card instead of tokens (SHP-17).
    pub card: bool,
    /// True when a cash figure stands beside tokens (SHP-18).
    pub cash_shown: bool,
    /// Minutes for which pieces on an order list are reserved; zero for not at all.
    pub reserve_minutes: i64,
    /// Pieces of one offer that are reserved for one customer at most.
    pub reserve_pieces: i64,
}

impl Default for CheckoutPolicy {
    fn default() -> Self {
        CheckoutPolicy {
            card: false,
            cash_shown: true,
            reserve_minutes: 0,
            reserve_pieces: 10,
        }
    }
}

/// The taxes that are in prices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaxPolicy {
    /// The rates, as they are written: `VAT 19%`, `VAT 7%: Books; Food`.
    pub rates: Vec<String>,
}

impl TaxPolicy {
    /// The rates as figures.
    pub fn rates(&self) -> Vec<TaxRate> {
        // What was kept was checked before.
        let rates = self.rates.iter().map(|text| TaxRate::parse(text));
        rates.filter_map(std::result::Result::ok).collect()
    }
}

/// What promotions take off prices (ADV-06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromotionPolicy {
    /// True when promotions add up; otherwise the best single one counts, as in TOK-04.
    pub stacking: bool,
    /// True when an order that goes back whole gives back its uses of promotions and coupons.
    pub uses_back: bool,
}

impl Default for PromotionPolicy {
    fn default() -> Self {
        PromotionPolicy {
            stacking: false,
            uses_back: true,
        }
    }
}

named! {
    /// A language that messages are written in.
    Language, "the language" {
        /// English.
        English = "en",
        /// German.
        German = "de",
    }
}

/// What customers are told by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessagePolicy {
    /// The language of those who have not chosen one.
    pub language: Language,
    /// Below so many tokens a customer is told; `None` for never.
    pub low_balance: Option<Amount>,
    /// Days before tokens expire that a customer is told; zero for never.
    pub expiry_notice_days: i64,
}

impl Default for MessagePolicy {
    fn default() -> Self {
        MessagePolicy {
            language: Language::English,
            low_balance: None,
            expiry_notice_days: 0,
        }
    }
}

/// How customers reach the vendor; what is empty is not shown (REG-03).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactPolicy {
    /// E-mail address.
    pub email: String,
    /// Telephone number.
    pub phone: String,
    /// Postal address, in lines.
    pub address: String,
}

/// Everything that a vendor decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Registration.
    pub registration: RegistrationPolicy,
    /// Signing in.
    pub sign_in: SignInPolicy,
    /// Selling tokens.
    pub sale: SalePolicy,
    /// Giving tokens.
    pub gifts: GiftPolicy,
    /// What is seen.
    pub browsing: BrowsingPolicy,
    /// Orders.
    pub checkout: CheckoutPolicy,
    /// Taxes in prices.
    pub tax: TaxPolicy,
    /// Promotions and coupons.
    pub promotions: PromotionPolicy,
    /// Messages.
    pub messages: MessagePolicy,
    /// How customers reach the vendor.
    pub contact: ContactPolicy,
    /// The vendor's time zone, as in the IANA database: `Europe/Berlin`.
    pub time_zone: String,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            registration: RegistrationPolicy::default(),
            sign_in: SignInPolicy::default(),
            sale: SalePolicy::default(),
            gifts: GiftPolicy::default(),
            browsing: BrowsingPolicy::default(),
            checkout: CheckoutPolicy::default(),
            tax: TaxPolicy::default(),
            promotions: PromotionPolicy::default(),
            messages: MessagePolicy::default(),
            contact: ContactPolicy::default(),
            time_zone: "UTC".into(),
        }
    }
}

/// A version of the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Counts from 1; 0 before the vendor decided anything.
    pub number: i64,
    /// What holds.
    pub policy: Policy,
}

/// Why a policy was not taken.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Somebody else changed it.
    #[error(
        "somebody changed these settings meanwhile (version {now} holds, you began with {began}): \
         look at what holds now and change it again"
    )]
    Stale {
        /// The version that holds.
        now: i64,
        /// The version that the change began with.
        began: i64,
    },
    /// A setting that cannot be.
    #[error("{setting} {problem}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
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

type Result<T> = std::result::Result<T, PolicyError>;

/// What holds now.
pub fn policy(tx: &mut dyn Read, book_id: i64) -> std::result::Result<Policy, EngineError> {
    Ok(policy_version(tx, book_id)?.policy)
}

/// What holds now, with its number.
pub fn policy_version(
    tx: &mut dyn Read,
    book_id: i64,
) -> std::result::Result<Version, EngineError> {
    Ok(store::newest(tx, book_id)?.unwrap_or_default())
}

/// An earlier decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The version.
    pub version: Version,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// All versions, newest first, `limit` at most.
pub fn policy_history(
    tx: &mut dyn Read,
    book_id: i64,
    limit: i64,
) -> std::result::Result<Vec<Decided>, EngineError> {
    store::history(tx, book_id, limit)
}

/// What a policy would be kept as, or why it would not be.
pub fn policy_check(new: &Policy) -> Result<Policy> {
    rules::checked(new)
}

/// Sets the policy. `began` is the version that the change began with: of two who change it at
/// once, the second one is told. Returns the version that holds now; setting what holds already
/// makes no new one.
pub fn policy_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    began: i64,
    new: &Policy,
) -> Result<i64> {
    let checked = rules::checked(new)?;
    let held = store::newest_locked(tx, vendor.book_id)?.unwrap_or_default();
    if held.number != began {
        return Err(PolicyError::Stale {
            now: held.number,
            began,
        });
    }
    let changes = changes(&held.policy, &checked);
    if changes.is_empty() {
        return Ok(held.number);
    }
    let number = held.number.saturating_add(1);
    store::insert(tx, vendor.book_id, number, &checked, actor)?;
    threshold_set(tx, vendor.book_id, checked.browsing.threshold)?;
    taxed_set(tx, vendor.book_id, !checked.tax.rates.is_empty())?;
    let detail = serde_json::Value::Object(changes);
    audit::note(tx, vendor.book_id, actor, "policy.changed", "", &detail)?;
    Ok(number)
}
