//! Customers: registration, account numbers, secrets, states (REG-02, REG-06, REG-07, REG-13).
//!
//! A registration goes through stages, each a command: informed, details, account. It ends with a
//! customer who is *inactive* until acquired tokens reach the vendor's minimum (MT).
//! Personal data is encrypted under the customer's own key and kept apart from orders.

mod activation;
mod address;
mod erase;
mod identity;
mod linked;
mod list;
mod number;
mod opening;
mod person;
mod pin_reset;
mod registering;
mod rules;
mod sign_in;
mod stage;
mod standing;
mod store;
#[cfg(test)]
mod tests;
mod zone;

use crate::command::CommandError;
use crate::id::{CustomerId, RegistrationId};
use crate::text::{self, TextError};
use crate::vault::Vault;
use crate::vendor::{Minimums, Vendor, VendorError};
use scrip_engine::{Error as EngineError, Read, ReadTx, Timestamp, Tx, outbox};
use scrip_ledger::{Amount, Error as LedgerError, account_balance, lots_locked};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use activation::activation_sweep;
pub use address::{
    Address, AddressError, SealedAddress, address_checked, address_open, address_seal,
};
pub(crate) use erase::{merged_into, person_erase};
pub use identity::{
    AnswerHash, Checker, StepUp, answer_hash, answers_begin, answers_set, answers_set_by_staff,
    check_forget, check_identity, check_identity_keyed, checked, questions_open, require_check,
    require_check_by, step_up,
};
pub(crate) use linked::links_end;
pub use linked::{LINKS_AT_MOST, account_link, account_unlink, linked_accounts};
pub use list::{CustomerSummary, customer_summary, customers};
pub use number::{AccountNumber, NumberError};
pub use opening::{Opening, opening_begun, opening_due, opening_given};
pub use person::{customer_person, open_text, person_set, seal_text};
pub(crate) use pin_reset::pin_reset_take;
pub use pin_reset::{ResetOutcome, pin_reset_start};
pub use registering::{
    Entry, customer_enter, customer_register, fields_checked, means_allowed, registration_details,
    registration_means, registration_start,
};
pub(crate) use registering::{child_enter, customer_visit};
pub(crate) use sign_in::customer_named;
pub use sign_in::{
    Given, SignIn, attempt_begin, attempt_end, customer_verify_keyed, customer_verify_with,
    secret_set, sign_in, sign_in_with,
};
pub use stage::{Stage, login_checked, registration_stage, registrations_expire};
pub use standing::{CreditStatus, Fate, Opener, Standing, fate, standing, standing_set};

pub use zone::{time_zone, time_zone_checked, time_zone_set};

use crate::policy::Secrets;
pub use crate::policy::{Channel, Means};

// The words of secrets, for those who register customers.
pub use crate::secret::{Attempt, SecretError, SecretKind, secret_hash};

/// Where a customer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Registered, but has not acquired the minimum yet.
    Inactive,
    /// May buy.
    Active,
    /// Closed for good.
    Closed,
}

/// Personal data, all of it optional: a pseudonymous customer has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Postal address.
    pub address: String,
    /// Telephone number.
    pub phone: String,
    /// Fax number.
    pub fax: String,
    /// E-mail address.
    pub email: String,
}

impl Person {
    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Person::default()
    }
}

/// What a customer enters to register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Personal data.
    pub person: Person,
    /// A name to sign in with, instead of the account number; unique on the node.
    pub login: Option<String>,
    /// Argon2id hash of the PIN, made with [`secret_hash`] outside the transaction.
    pub pin_hash: Option<String>,
    /// Argon2id hash of the password.
    pub password_hash: Option<String>,
    /// Where the customer lives: ISO 3166-1, two letters; may be empty.
    pub country: String,
    /// Answers to the vendor's questions (REG-05).
    pub answers: Vec<AnswerHash>,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub customer_id: CustomerId,
    /// The book of the vendor.
    pub book_id: i64,
    /// What the customer is called by.
    pub number: AccountNumber,
    /// Where the customer stands.
    pub state: State,
    /// The account that holds the vendor's tokens.
    pub wallet: i64,
    /// ISO 3166-1, two capital letters; empty when not known (TOK-01).
    pub country: String,
}

/// What the information page says (REG-02, first stage).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Information {
    /// The registration that goes on from here.
    pub registration_id: RegistrationId,
    /// MT.
    pub minimum_tokens: Amount,
    /// The same for countries that have their own (TOK-01).
    pub minimums: Minimums,
    /// Ways to pay.
    pub means: Vec<Means>,
    /// Tokens that the account is opened with, and what they cost (REG-08).
    pub opening: Option<Opening>,
    /// When unfinished registrations lapse.
    pub expires_at: Timestamp,
}

/// A registered customer, as told to it (REG-06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The id.
    pub customer_id: CustomerId,
    /// The account number.
    pub number: AccountNumber,
    /// Where the customer stands: inactive, or active when nothing need be acquired.
    pub state: State,
    /// Tokens to acquire before the account is active.
    pub tokens_to_activate: Amount,
}

/// Why a customer's command was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustomerError {
    /// Not what the policy asks for at sign-in.
    #[error(
        "this vendor asks for {}: send that and nothing else",
        match .0 {
            Secrets::Either => "the PIN or the password",
            Secrets::Pin => "the PIN",
            Secrets::Password => "the password",
            Secrets::Both => "the PIN and the password",
        }
    )]
    SecretsAsked(Secrets),
    /// No registration of this id, or it lapsed.
    #[error("this registration does not exist or has lapsed: begin again")]
    RegistrationUnknown,
    /// A stage was skipped or repeated.
    #[error(
        "this registration is at stage {at:?}, {wanted:?} cannot follow: take the stages in order"
    )]
    WrongStage {
        /// The stage that it is at.
        at: String,
        /// The stage asked for.
        wanted: &'static str,
    },
    /// The sign-in name is taken.
    #[error("this sign-in name is taken: choose another")]
    LoginTaken,
    /// Another system's name for a customer is taken.
    #[error("a customer with the reference {0:?} exists already")]
    ReferenceTaken(String),
    /// No such account.
    #[error("there is no account {0}: check the number")]
    Unknown(String),
    /// The account is closed.
    #[error("account {0} is closed")]
    Closed(AccountNumber),
    /// The account still has tokens.
    #[error("account {number} still has tokens: spend or redeem them first")]
    NotEmpty {
        /// The account.
        number: AccountNumber,
    },
    /// Something waits to be finished first.
    #[error("account {number} cannot be closed yet: {what}")]
    Unfinished {
        /// The account.
        number: AccountNumber,
        /// What waits, and what to do about it.
        what: &'static str,
    },
    /// The vendor asks for a field that is empty (REG-04).
    #[error("{0} is required here: fill it in")]
    FieldRequired(&'static str),
    /// The vendor does not ask for a field that is filled in (REG-04).
    #[error("{0} is not asked for here: leave it empty")]
    FieldHidden(&'static str),
    /// A means of payment outside the vendor's policy (REG-12).
    #[error("this shop does not take {means} here: choose one of {allowed}")]
    MeansRefused {
        /// What was asked for.
        means: Means,
        /// What the policy allows.
        allowed: String,
    },
    /// Not all questions were answered (REG-05).
    #[error("answer all questions of the shop: one day they show that it is you")]
    AnswersMissing,
    /// An answer to a question that the vendor does not ask.
    #[error("this shop does not ask {0:?}: look at its questions again")]
    QuestionUnknown(String),
    /// An answer has to be given first (REG-05).
    #[error("this needs an answer to one of the shop's questions first")]
    CheckNeeded,
    /// The answers are there, or wait for the customer.
    #[error("the questions were answered before: give an answer instead of setting new ones")]
    Answered,
    /// More was to be taken back than is there.
    #[error("the account has {has} tokens and no more: take back fewer")]
    TooFewTokens {
        /// What it has.
        has: String,
    },
    /// A merge of one account.
    #[error("this is one account already: choose another one to merge it with")]
    MergeWithItself,
    /// Accounts that cannot be linked (TOK-15).
    #[error(
        "these two accounts cannot pay for each other: they must be two, of this shop, and neither \
         a child's"
    )]
    LinkImpossible,
    /// Not linked, or no longer.
    #[error("this account is not linked with yours any more: choose another one to pay from")]
    NotLinked,
    /// Too many links.
    #[error("an account is linked with ten others at most: end another link first")]
    TooManyLinks,
    /// The person was erased.
    #[error("the personal data of account {0} was erased: nothing can be kept of it any more")]
    Erased(AccountNumber),
    /// No such time zone.
    #[error("no time zone {0:?} is known: write it as in the IANA database, Europe/Berlin")]
    ZoneUnknown(String),
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// The number cannot be one.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A secret that cannot be taken.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A delivery address that cannot be taken.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
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

type Result<T> = std::result::Result<T, CustomerError>;

fn customer_key_label(id: CustomerId) -> String {
    format!("data key of {id}")
}

/// Sign-in names are compared without case and surrounding space.
fn login_hash(vault: &Vault, login: &str) -> [u8; 32] {
    vault.hash("login", &[login.trim().to_lowercase().as_bytes()])
}

/// The customer of an account number as typed. A number of another vendor is unknown here.
pub fn customer_by_number(tx: &mut dyn Read, vendor: &Vendor, typed: &str) -> Result<Customer> {
    let number = AccountNumber::parse(typed)?;
    let found = if number.book_id() == vendor.book_id {
        store::by_number(tx, number)?
    } else {
        None
    };
    found.ok_or_else(|| CustomerError::Unknown(number.to_string()))
}

/// The customer of an id.
pub fn customer_by_id(tx: &mut dyn Read, book_id: i64, id: CustomerId) -> Result<Customer> {
    store::by_id(tx, book_id, id)?.ok_or_else(|| CustomerError::Unknown(id.to_string()))
}

/// The customer of a sign-in name, on the whole node.
pub fn customer_by_login(tx: &mut dyn Read, vault: &Vault, login: &str) -> Result<Customer> {
    let unknown = || CustomerError::Unknown(login.chars().take(60).collect());
    let (book_id, id) = store::by_login(tx, &login_hash(vault, login))?.ok_or_else(unknown)?;
    let customer = customer_by_id(tx, book_id, id)?;
    kept(tx, customer)
}

/// The account that a merged one points to, or the account itself.
pub(crate) fn kept(tx: &mut dyn Read, customer: Customer) -> Result<Customer> {
    let mut customer = customer;
    // Each merge closes an account for good, so this comes to an end.
    while customer.state == State::Closed {
        match fate(tx, &customer)?.merged_into {
            Some(kept) => customer = customer_by_id(tx, customer.book_id, kept)?,
            None => break,
        }
    }
    Ok(customer)
}

/// Notes a name by which another system calls a customer; each is one customer's. Noting it again
/// changes nothing.
pub fn reference_set(tx: &mut Tx<'_>, customer: &Customer, reference: &str) -> Result<()> {
    let reference = text::line("the reference", reference, 200)?;
    let (book, id) = (customer.book_id, customer.customer_id);
    match store::by_reference(tx, book, &reference)? {
        Some(known) if known == id => Ok(()),
        Some(_) => Err(CustomerError::ReferenceTaken(reference)),
        None => Ok(store::set_reference(tx, book, &reference, id)?),
    }
}

/// The customer whom another system calls so.
pub fn customer_by_reference(
    tx: &mut dyn Read,
    book_id: i64,
    reference: &str,
) -> Result<Option<Customer>> {
    let id = store::by_reference(tx, book_id, reference)?;
    let found = id.map(|id| customer_by_id(tx, book_id, id)).transpose()?;
    found.map(|customer| kept(tx, customer)).transpose()
}

/// Activates an account whose tokens have reached the vendor's minimum (REG-07). Called by
/// whatever credits tokens, in the same transaction; true when the account became active.
pub fn activate_if_due(tx: &mut Tx<'_>, vendor: &Vendor, customer: &Customer) -> Result<bool> {
    if customer.state != State::Inactive {
        return Ok(false);
    }
    let lots = lots_locked(tx, customer.book_id, customer.wallet)?;
    // Nothing can be spent before activation: what is there is all that was acquired.
    let acquired = Amount::sum(lots.iter().map(|l| l.remaining))?;
    if !rules::activates(acquired, vendor.minimum_for(&customer.country)) {
        return Ok(false);
    }
    activate(tx, customer)
}

/// Activates an account that is inactive by now, whatever it has; true when this did it.
pub(crate) fn activate_now(tx: &mut Tx<'_>, customer: &Customer) -> Result<bool> {
    activate(tx, customer)
}

/// Activates an account that is inactive by now; true when this did it.
fn activate(tx: &mut Tx<'_>, customer: &Customer) -> Result<bool> {
    // Another purchase may have activated it since the customer was read.
    if !store::activate(tx, customer)? {
        return Ok(false);
    }
    let id = customer.customer_id.to_string();
    let details = json!({"customer_id": id}).to_string();
    outbox::add(tx, customer.book_id, "customer.activated", &id, &details)?;
    Ok(true)
}

/// Tokens that an account still needs to become active; none where it is not inactive.
pub fn tokens_to_activate(
    vendor: &Vendor,
    customer: &Customer,
    acquired: Amount,
) -> Result<Amount> {
    if customer.state != State::Inactive {
        return Ok(Amount::ZERO);
    }
    Ok(vendor
        .minimum_for(&customer.country)
        .minus(acquired)?
        .max(Amount::ZERO))
}

/// Closes an account; whether it may be closed is decided in `closing`, which stands above. The
/// wallet is locked by then.
pub(crate) fn account_close(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    if !store::close(tx, customer)? {
        return Err(CustomerError::Closed(customer.number));
    }
    Ok(())
}

/// All tokens of a customer, as committed.
pub fn customer_balance(tx: &mut ReadTx<'_>, customer: &Customer) -> Result<Amount> {
    Ok(account_balance(tx, customer.book_id, customer.wallet)?)
}

/// A customer as every purchase needs it, in one query: with the vendor's account for sales.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// The customer.
    pub customer: Customer,
    /// The token type.
    pub token_id: i64,
    /// The vendor's account that receives what is spent.
    pub spent_account: i64,
    /// T where the vendor has set it (SHP-05).
    pub threshold: Option<Amount>,
    /// True for a child of a family, whose purchases have limits (ADV-02).
    pub has_parent: bool,
    /// When the last promotion of the vendor ends: later than that there is none to look for
    /// (ADV-06).
    pub promotions_until: Timestamp,
    /// True where the vendor has a rate of tax.
    pub is_taxed: bool,
}

/// Loads a buyer by id.
pub fn buyer(tx: &mut dyn Read, book_id: i64, id: CustomerId) -> Result<Buyer> {
    store::buyer(tx, book_id, id)?.ok_or_else(|| CustomerError::Unknown(id.to_string()))
}
