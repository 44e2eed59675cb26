//! Personal data: read and changed by those who may, kept under the customer's own key (REG-04,
//! REG-13).

use super::{
    Customer, CustomerError, Person, Result, State, customer_key_label, require_check_by, store,
};
use crate::actor::Actor;
use crate::audit;
use crate::policy::{Sensitive, policy};
use crate::vault::{self, SecretKey, Vault};
use scrip_engine::{Error as EngineError, Read, Tx, outbox};
use serde_json::json;

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

/// The customer's own key; refused once it was destroyed.
pub(super) fn key_of(tx: &mut dyn Read, vault: &Vault, customer: &Customer) -> Result<SecretKey> {
    let id = customer.customer_id;
    let sealed = store::data_key(tx, customer.book_id, id)?
        .ok_or_else(|| CustomerError::Unknown(customer.number.to_string()))?;
    if sealed.is_empty() {
        return Err(CustomerError::Erased(customer.number));
    }
    Ok(vault.data_key(&customer_key_label(id), &sealed)?)
}

/// Seals a text about a customer under the customer's key; what it is goes into the label.
pub fn seal_text(
    tx: &mut Tx<'_>,
    vault: &Vault,
    customer: &Customer,
    label: &str,
    text: &str,
) -> Result<Vec<u8>> {
    let key = key_of(tx, vault, customer)?;
    Ok(vault::seal(tx, &key, label, text.as_bytes())?)
}

/// Opens what [`seal_text`] made; nothing once the customer's key was destroyed.
pub fn open_text(
    tx: &mut dyn Read,
    vault: &Vault,
    customer: &Customer,
    label: &str,
    sealed: &[u8],
) -> Result<Option<String>> {
    let key = match key_of(tx, vault, customer) {
        Err(CustomerError::Erased(_)) => return Ok(None),
        key => key?,
    };
    let plain = vault::open(&key, label, sealed)?;
    let text = String::from_utf8(plain)
        .map_err(|e| EngineError::Corrupt(format!("{label} is no text: {e}")))?;
    Ok(Some(text))
}

/// Keeps a person under the customer's key.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    book: i64,
    id: crate::id::CustomerId,
    person: &Person,
) -> Result<()> {
    let plain = serde_json::to_vec(person)
        .map_err(|e| EngineError::Statement(format!("person as JSON: {e}")))?;
    let sealed = vault::seal(tx, key, &format!("person {id}"), &plain)?;
    Ok(store::set_person(tx, book, id, &sealed)?)
}

/// Sets the personal data of a customer, within the vendor's policy.
pub fn person_set(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    customer: &Customer,
    person: &Person,
) -> Result<()> {
    let (book, id) = (customer.book_id, customer.customer_id);
    if !actor.may_act_for(id) {
        return Err(CustomerError::Forbidden);
    }
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number));
    }
    require_check_by(tx, actor, customer, Sensitive::PersonChange)?;
    let fields = policy(tx, book)?.registration.fields;
    let person = super::fields_checked(&fields, person)?;
    if person.is_empty() {
        store::forget_person(tx, book, id)?;
    } else {
        let key = key_of(tx, vault, customer)?;
        keep(tx, &key, book, id, &person)?;
    }
    audit::note(
        tx,
        book,
        actor,
        "customer.person",
        &id.to_string(),
        &json!({}),
    )?;
    outbox::add(tx, book, "customer.changed", &id.to_string(), "{}")?;
    Ok(())
}
