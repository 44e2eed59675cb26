//! Registering: the stages on line and the same data entered by staff (REG-02, REG-03, REG-04,
//! REG-06, REG-08, REG-10, REG-12).

use super::{
    AccountNumber, Channel, Customer, CustomerError, Details, Information, Means, Opener, Opening,
    Person, Registered, Result, SecretKind, State, customer_key_label, identity, login_checked,
    login_hash, opening, person, rules, secret_set, standing, store,
};
use crate::actor::Actor;
use crate::audit;
use crate::id::{CustomerId, RegistrationId};
use crate::policy::{Fields, Need, Policy, policy};
use crate::vault::{self, Vault};
use crate::vendor::{Vendor, vendor_data_key};
use scrip_engine::{Error as EngineError, Read, Tx, outbox};
use scrip_ledger::{AccountKind, Amount, NewAccount, account_open};
use serde_json::json;

/// The means of payment that the policy allows to those who register through a channel (REG-12).
pub fn means_allowed(policy: &Policy, channel: Channel) -> &[Means] {
    match channel {
        Channel::Online => &policy.registration.means_online,
        _ => &policy.registration.means_offline,
    }
}

/// A person as the vendor's policy wants it: trimmed, with nothing missing and nothing that is not
/// asked for (REG-04).
pub fn fields_checked(fields: &Fields, person: &Person) -> Result<Person> {
    let person = person.checked()?;
    for (field, need, text) in [
        ("the name", fields.name, &person.name),
        ("the address", fields.address, &person.address),
        ("the telephone number", fields.phone, &person.phone),
        ("the fax number", fields.fax, &person.fax),
        ("the e-mail address", fields.email, &person.email),
    ] {
        match need {
            Need::Required if text.is_empty() => return Err(CustomerError::FieldRequired(field)),
            Need::Hidden if !text.is_empty() => return Err(CustomerError::FieldHidden(field)),
            _ => {}
        }
    }
    Ok(person)
}

/// First stage: tells what is sold and what activates an account, and opens a registration.
pub fn registration_start(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    channel: Channel,
) -> Result<Information> {
    let policy = policy(tx, vendor.book_id)?;
    let registration_id = RegistrationId(tx.new_id()?);
    let expires_at = tx.now().plus_seconds(policy.registration.unfinished_s);
    let registration = store::Registration {
        stage: "informed".to_owned(),
        channel,
        details: None,
        expires_at,
        opened_by: Opener::of(actor).kept(),
    };
    store::insert_registration(tx, vendor.book_id, registration_id, &registration)?;
    Ok(Information {
        registration_id,
        minimum_tokens: vendor.minimum_tokens,
        minimums: vendor.minimums.clone(),
        means: means_allowed(&policy, channel).to_vec(),
        opening: Opening::of(&policy.registration),
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
    let policy = policy(tx, vendor.book_id)?;
    let details = checked(tx, vault, &policy, registration.channel, details)?;
    let plain = serde_json::to_vec(&details)
        .map_err(|e| EngineError::Statement(format!("details as JSON: {e}")))?;
    let key = vendor_data_key(tx, vault, vendor.book_id)?;
    let sealed = vault::seal(tx, &key, &format!("details {id}"), &plain)?;
    store::set_details(tx, vendor.book_id, id, &sealed)?;
    Ok(())
}

/// Details as they are kept, or what is wrong with them.
fn checked(
    tx: &mut Tx<'_>,
    vault: &Vault,
    policy: &Policy,
    channel: Channel,
    details: &Details,
) -> Result<Details> {
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
    // Whom staff enter answers the questions at the first sign-in, if not now.
    let all = channel == Channel::Online || !details.answers.is_empty();
    identity::answers_checked(policy, &details.answers, all)?;
    Ok(Details {
        person: fields_checked(&policy.registration.fields, &details.person)?,
        login,
        country: standing::country(&details.country)?,
        ..details.clone()
    })
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
    let policy = policy(tx, vendor.book_id)?;
    let entry = Entry {
        channel: registration.channel,
        means: Some(means),
    };
    let opened_by = registration.opened_by;
    let means = means_of(&policy, &entry)?;
    let customer = insert(
        tx,
        vault,
        vendor,
        (entry.channel, means),
        opened_by,
        &details,
    )?;
    let made = opened(tx, &policy, vendor, &customer)?;
    store::finish_registration(tx, vendor.book_id, id, made.customer_id)?;
    Ok(made)
}

/// How somebody's data reached the vendor, and how tokens are going to be paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// By which way (REG-03).
    pub channel: Channel,
    /// The means agreed on; `None` for the first that the policy allows (REG-12).
    pub means: Option<Means>,
}

/// All stages at once, as staff enter them (REG-03): the same data, rules and states as on line.
pub fn customer_enter(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    entry: &Entry,
    details: &Details,
) -> Result<Registered> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden);
    }
    let made = enter(tx, vault, actor, vendor, entry, details)?;
    let subject = made.customer_id.to_string();
    let detail = json!({"channel": entry.channel.name()});
    audit::note(
        tx,
        vendor.book_id,
        actor,
        "customer.registered",
        &subject,
        &detail,
    )?;
    Ok(made)
}

/// [`customer_enter`] for programs of the operator: imports, replays.
pub fn customer_register(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    details: &Details,
) -> Result<Registered> {
    let entry = Entry {
        channel: Channel::Staff,
        means: None,
    };
    enter(tx, vault, Actor::System, vendor, &entry, details)
}

/// All stages at once for a child, by its parent (ADV-02); who may is decided in `family`, which
/// stands above.
pub(crate) fn child_enter(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    details: &Details,
) -> Result<Registered> {
    let entry = Entry {
        channel: Channel::Online,
        means: None,
    };
    enter(tx, vault, Actor::System, vendor, &entry, details)
}

fn enter(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    entry: &Entry,
    details: &Details,
) -> Result<Registered> {
    let policy = policy(tx, vendor.book_id)?;
    let details = checked(tx, vault, &policy, entry.channel, details)?;
    let opened_by = Opener::of(actor).kept();
    let means = means_of(&policy, entry)?;
    let customer = insert(
        tx,
        vault,
        vendor,
        (entry.channel, means),
        opened_by,
        &details,
    )?;
    opened(tx, &policy, vendor, &customer)
}

/// An account for a customer of another member of the mall (OPN-24): nothing is asked, nothing is
/// known of the person, and nothing is given for opening it.
pub(crate) fn customer_visit(tx: &mut Tx<'_>, vault: &Vault, vendor: &Vendor) -> Result<Customer> {
    let channel = (Channel::Online, Means::Card);
    insert(
        tx,
        vault,
        vendor,
        channel,
        Opener::Vendor.kept(),
        &Details::default(),
    )
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

fn means_of(policy: &Policy, entry: &Entry) -> Result<Means> {
    let allowed = means_allowed(policy, entry.channel);
    let means = entry.means.or(allowed.first().copied());
    let means = means.unwrap_or(Means::Card);
    if allowed.contains(&means) {
        return Ok(means);
    }
    let names: Vec<&str> = allowed.iter().map(|m| m.name()).collect();
    Err(CustomerError::MeansRefused {
        means,
        allowed: names.join(", "),
    })
}

fn insert(
    tx: &mut Tx<'_>,
    vault: &Vault,
    vendor: &Vendor,
    (channel, means): (Channel, Means),
    opened_by: String,
    details: &Details,
) -> Result<Customer> {
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
    let state = if vendor.minimum_for(&details.country).is_positive() {
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
        country: details.country.clone(),
        opened_by,
    };
    store::insert_customer(tx, &row, &sealed_key)?;
    if !details.person.is_empty() {
        person::keep(tx, &key, book_id, customer_id, &details.person)?;
    }
    for (kind, hash) in [
        (SecretKind::Pin, &details.pin_hash),
        (SecretKind::Password, &details.password_hash),
    ] {
        if let Some(hash) = hash {
            secret_set(tx, book_id, customer_id, kind, hash)?;
        }
    }
    identity::keep(tx, book_id, customer_id, &details.answers)?;
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
    let id = customer_id.to_string();
    let details = json!({"customer_id": id}).to_string();
    outbox::add(tx, book_id, "customer.registered", &id, &details)?;
    Ok(Customer {
        customer_id,
        book_id,
        number,
        state,
        wallet,
        country: row.country,
    })
}

/// Gives the opening tokens, and says how the new account stands.
fn opened(
    tx: &mut Tx<'_>,
    policy: &Policy,
    vendor: &Vendor,
    customer: &Customer,
) -> Result<Registered> {
    let mut state = customer.state;
    if let Some(opening) = Opening::of(&policy.registration) {
        let actor = Actor::System;
        if opening::open_with(tx, actor, vendor, customer, opening)? {
            state = State::Active;
        }
    }
    Ok(Registered {
        customer_id: customer.customer_id,
        number: customer.number,
        state,
        tokens_to_activate: match state {
            State::Inactive => vendor.minimum_for(&customer.country),
            State::Active | State::Closed => Amount::ZERO,
        },
    })
}
