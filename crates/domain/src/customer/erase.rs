//! What this noun forgets of a person (REG-13). The whole of it is done in `closing`.

use super::{Customer, Result, State, customer_key_label, identity, store};
use crate::id::CustomerId;
use crate::vault::Vault;
use scrip_engine::Tx;

/// Destroys the customer's key, and with it what was encrypted under it here; forgets
/// the person, the sign-in name and the answers. An account that stays open gets a fresh key and
/// keeps its PIN, so that what is in it can still be spent; a closed one keeps nothing.
pub(crate) fn person_erase(tx: &mut Tx<'_>, vault: &Vault, customer: &Customer) -> Result<()> {
    let (book, id) = (customer.book_id, customer.customer_id);
    store::forget_person(tx, book, id)?;
    store::forget_logins(tx, book, id)?;
    store::end_reset(tx, customer)?;
    identity::erase(tx, customer)?;
    let key = if customer.state == State::Closed {
        store::forget_secrets(tx, book, id)?;
        Vec::new()
    } else {
        vault.new_data_key(tx, &customer_key_label(id))?.1
    };
    Ok(store::replace_key(tx, book, id, &key)?)
}

/// Notes on a closed account which account it was merged into.
pub(crate) fn merged_into(tx: &mut Tx<'_>, closed: &Customer, kept: CustomerId) -> Result<()> {
    Ok(store::set_merged(tx, closed, kept)?)
}
