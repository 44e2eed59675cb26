//! Finding a customer from what staff type.

use super::Result;
use crate::actor::Actor;
use crate::customer::{
    Customer, CustomerError, customer_by_id, customer_by_login, customer_by_number,
    customer_by_reference,
};
use crate::id::{CustomerId, OrderId};
use crate::order::{OrderError, order_by_id, order_with_reference};
use crate::vault::Vault;
use crate::vendor::Vendor;
use scrip_engine::Read;

/// The customers of a vendor whom a text names: an account number, a sign-in name, the name that
/// another system has for the customer, a customer's or an order's id, or an order's reference.
/// The whole of it must be typed. Names, addresses and the like lie encrypted and cannot be
/// searched.
pub fn customers_find(
    tx: &mut dyn Read,
    vault: &Vault,
    vendor: &Vendor,
    typed: &str,
) -> Result<Vec<Customer>> {
    let typed = typed.trim();
    let book = vendor.book_id;
    let mut found: Vec<Customer> = Vec::new();
    if typed.is_empty() {
        return Ok(found);
    }
    found.extend(known(customer_by_number(tx, vendor, typed))?);
    found.extend(known(customer_by_login(tx, vault, typed))?);
    found.extend(customer_by_reference(tx, book, typed)?);
    if let Ok(id) = typed.parse::<CustomerId>() {
        found.extend(known(customer_by_id(tx, book, id))?);
    }
    let order = match typed.parse::<OrderId>() {
        Ok(order) => Some(order),
        Err(_) => order_with_reference(tx, book, typed)?,
    };
    if let Some(order) = order {
        match order_by_id(tx, Actor::System, book, order) {
            Ok(order) => found.push(customer_by_id(tx, book, order.customer_id)?),
            Err(OrderError::Unknown(_)) => {}
            Err(e) => return Err(e),
        }
    }
    // A sign-in name may be that of another vendor's customer.
    found.retain(|c| c.book_id == book);
    found.sort_by_key(|c| c.customer_id);
    found.dedup();
    Ok(found)
}

/// None where there is no such customer.
fn known(found: std::result::Result<Customer, CustomerError>) -> Result<Option<Customer>> {
    match found {
        Ok(customer) => Ok(Some(customer)),
        Err(CustomerError::Unknown(_) | CustomerError::Number(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
