//! Customers: registration, account numbers, secrets, states (REG-02, REG-06, REG-07, REG-13).
//!
//! A registration goes through stages, each a command: informed, details, account. It ends with a
//! customer who is *inactive* until acquired tokens reach the vendor's minimum (MT).
//! Personal data is encrypted under the customer's own key and kept apart from orders.

mod list;
mod number;
mod pin_reset;
mod rules;
mod sign_in;
mod stage;
mod store;
#[cfg(test)]
mod tests;

use crate::actor::Actor;
use crate::command::CommandError;
use crate::id::{CustomerId, RegistrationId};
use crate::text::{self, TextError};
use crate::vault::{self, Vault};
use crate::vendor::{Vendor, VendorError, vendor_data_key};
use scrip_engine::{Error as EngineError, Read, ReadTx, Timestamp, Tx, outbox};
use scrip_ledger::{
    AccountKind, Amount, Error as LedgerError, NewAccount, account_balance, account_open,
    lots_locked,
};
use serde::{Deserialize, Serialize};

pub use list::{CustomerSummary, customer_summary, customers};
pub use number::{AccountNumber, NumberError};
pub(crate) use pin_reset::pin_reset_take;
pub use pin_reset::{ResetOutcome, pin_reset_start};
pub(crate) use sign_in::customer_named;
pub use sign_in::{SignIn, attempt_begin, attempt_end, customer_verify_keyed, secret_set, sign_in};
pub use stage::{Stage, login_checked, registration_stage, registrations_expire};

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
}

/// What the information page says (REG-02, first stage).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Information {
    /// The registration that goes on from here.
    pub registration_id: RegistrationId,
    /// MT.
    pub minimum_tokens: Amount,
    /// Ways to pay.
    pub means: Vec<Means>,
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
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// The number cannot be one.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A secret that cannot be taken.
    #[error(transparent)]
    Secret(#[from] SecretError),
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

/// Unfinished registrations lapse after an hour (REG-10 makes this a setting).
const REGISTRATION_S: i64 = 3600;

/// First stage: tells what is sold and what activates an account, and opens a registration.
pub fn registration_start(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    channel: Channel,
) -> Result<Information> {
    let registration_id = RegistrationId(tx.new_id()?);
    let expires_at = tx.now().plus_seconds(REGISTRATION_S);
    store::insert_registration(tx, vendor.book_id, registration_id, channel, expires_at)?;
    Ok(Information {
        registration_id,
        minimum_tokens: vendor.minimum_tokens,
        means: vec![Means::Card],
        expires_at,
    })
}

/// Second stage: takes the details.
pub fn registration_details(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    id: RegistrationId,
    details: &Details,
) -> Result<()> {
    let registration = open_registration(tx, vendor.book_id, id)?;
    rules::stage_follows(&registration.stage, "details")?;
    let login = details
        .login
        .as_ref()
        .map(|l| login_checked(l))
        .transpose()?;
    // Said here already, while another name can be chosen; the directory decides in the end.
    if let Some(login) = &login
        && store::by_login(tx, &login_hash(vault, login))?.is_some()
    {
        return Err(CustomerError::LoginTaken);
    }
    let details = Details {
        person: details.person.checked()?,
        login,
        ..details.clone()
    };
    let plain = serde_json::to_vec(&details)
        .map_err(|e| EngineError::Statement(format!("details as JSON: {e}")))?;
    let key = vendor_data_key(tx, vault, vendor.book_id)?;
    let sealed = vault::seal(tx, &key, &format!("details {id}"), &plain)?;
    store::set_details(tx, vendor.book_id, id, &sealed)?;
    Ok(())
}

/// Third stage: agrees how the minimum is paid, and makes the customer, who is told the account
/// number and what activates it.
pub fn registration_means(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    id: RegistrationId,
    means: Means,
) -> Result<Registered> {
    let registration = open_registration(tx, vendor.book_id, id)?;
    rules::stage_follows(&registration.stage, "account")?;
    let sealed = registration
        .details
        .ok_or_else(|| EngineError::Corrupt(format!("registration {id} has no details")))?;
    let key = vendor_data_key(tx, vault, vendor.book_id)?;
    let plain = vault::open(&key, &format!("details {id}"), &sealed)?;
    let details: Details = serde_json::from_slice(&plain)
        .map_err(|e| EngineError::Corrupt(format!("details of registration {id}: {e}")))?;
    let registered = insert(tx, vault, vendor, registration.channel, means, &details)?;
    store::finish_registration(tx, vendor.book_id, id, registered.customer_id)?;
    Ok(registered)
}

/// All stages at once, as staff enter them (REG-03's data, the same states).
pub fn customer_register(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    details: &Details,
) -> Result<Registered> {
    let opened = registration_start(tx, vendor, Channel::Staff)?;
    registration_details(tx, vault, vendor, opened.registration_id, details)?;
    registration_means(tx, vault, vendor, opened.registration_id, Means::Card)
}

fn open_registration(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: RegistrationId,
) -> Result<store::Registration> {
    let now = tx.now();
    store::registration(tx, book_id, id)?
        .filter(|r| r.expires_at > now)
        .ok_or(CustomerError::RegistrationUnknown)
}

fn insert(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    channel: Channel,
    means: Means,
    details: &Details,
) -> Result<Registered> {
    let book_id = vendor.book_id;
    let customer_id = CustomerId(tx.new_id()?);
    if let Some(login) = &details.login {
        let hash = login_hash(vault, login);
        if !store::insert_login(tx, &hash, book_id, customer_id)? {
            return Err(CustomerError::LoginTaken);
        }
    }
    let number = AccountNumber::nth(book_id, store::next_customer(tx, book_id)?)?;
    let (key, sealed_key) = vault.new_data_key(tx, &customer_key_label(customer_id))?;
    let state = if vendor.minimum_tokens.is_positive() {
        State::Inactive
    } else {
        State::Active
    };
    let row = store::NewCustomer {
        book_id,
        customer_id,
        number,
        state,
        channel,
        means,
    };
    store::insert_customer(tx, &row, &sealed_key)?;
    if !details.person.is_empty() {
        let plain = serde_json::to_vec(&details.person)
            .map_err(|e| EngineError::Statement(format!("person as JSON: {e}")))?;
        let sealed = vault::seal(tx, &key, &format!("person {customer_id}"), &plain)?;
        store::set_person(tx, book_id, customer_id, &sealed)?;
    }
    for (kind, hash) in [
        (SecretKind::Pin, &details.pin_hash),
        (SecretKind::Password, &details.password_hash),
    ] {
        if let Some(hash) = hash {
            secret_set(tx, book_id, customer_id, kind, hash)?;
        }
    }
    let wallet = account_open(
        tx,
        &NewAccount {
            book_id,
            asset_id: vendor.token.asset_id,
            kind: AccountKind::Wallet,
            label: &number.to_string(),
            owner: Some(&customer_id.0),
            counterparty: None,
        },
    )?;
    store::link_wallet(tx, book_id, customer_id, vendor.token.asset_id, wallet)?;
    Ok(Registered {
        customer_id,
        number,
        state,
        tokens_to_activate: vendor.minimum_tokens,
    })
}

fn customer_key_label(id: CustomerId) -> String {
    format!("data key of {id}")
}

/// Sign-in names are compared without case and surrounding space.
fn login_hash(vault: &Vault, login: &str) -> [u8; 32] {
    vault.hash("login", &[login.trim().to_lowercase().as_bytes()])
}

/// Personal data of a customer; `None` for a pseudonymous one.
pub fn customer_person(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    customer: &Customer,
) -> Result<Option<Person>> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(CustomerError::Forbidden);
    }
    let id = customer.customer_id;
    let Some((sealed_key, sealed)) = store::person(tx, customer.book_id, id)? else {
        return Ok(None);
    };
    let key = vault.data_key(&customer_key_label(id), &sealed_key)?;
    let plain = vault::open(&key, &format!("person {id}"), &sealed)?;
    let person = serde_json::from_slice(&plain)
        .map_err(|e| EngineError::Corrupt(format!("personal data of {id}: {e}")))?;
    Ok(Some(person))
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
    customer_by_id(tx, book_id, id)
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
    id.map(|id| customer_by_id(tx, book_id, id)).transpose()
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
    if !rules::activates(acquired, vendor.minimum_tokens) {
        return Ok(false);
    }
    // Another purchase may have activated it since the customer was read.
    if !store::activate(tx, customer)? {
        return Ok(false);
    }
    let id = customer.customer_id.to_string();
    outbox::add(tx, customer.book_id, "customer.activated", &id, "{}")?;
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
    Ok(vendor.minimum_tokens.minus(acquired)?.max(Amount::ZERO))
}

/// Closes an account for good. It must be empty.
pub fn customer_close(tx: &mut Tx<'_>, actor: Actor, customer: &Customer) -> Result<()> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(CustomerError::Forbidden);
    }
    // The wallet is the lock.
    if !lots_locked(tx, customer.book_id, customer.wallet)?.is_empty() {
        return Err(CustomerError::NotEmpty {
            number: customer.number,
        });
    }
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
}

/// Loads a buyer by id.
pub fn buyer(tx: &mut dyn Read, book_id: i64, id: CustomerId) -> Result<Buyer> {
    store::buyer(tx, book_id, id)?.ok_or_else(|| CustomerError::Unknown(id.to_string()))
}
