//! A vendor's customers, page by page.

use super::number::AccountNumber;
use super::{Channel, Customer, CustomerError, Result, State, store};
use crate::id::CustomerId;
use crate::page::Page;
use scrip_engine::{Read, Timestamp};

/// A customer on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerSummary {
    /// The id.
    pub customer_id: CustomerId,
    /// The account number.
    pub number: AccountNumber,
    /// Where the customer stands.
    pub state: State,
    /// How the customer came to be registered.
    pub channel: Channel,
    /// When.
    pub created_at: Timestamp,
    /// When the account became active.
    pub activated_at: Option<Timestamp>,
}

/// A customer as on the list.
pub fn customer_summary(tx: &mut dyn Read, customer: &Customer) -> Result<CustomerSummary> {
    let before = customer.number.serial().saturating_sub(1);
    store::list(tx, customer.book_id, before, 1)?
        .into_iter()
        .find(|c| c.customer_id == customer.customer_id)
        .ok_or_else(|| CustomerError::Unknown(customer.number.to_string()))
}

/// A vendor's customers in the order of their account numbers, which is not that in which they
/// came: `limit` of them, after the serial `after`.
pub fn customers(
    tx: &mut dyn Read,
    book_id: i64,
    after: Option<i64>,
    limit: usize,
) -> Result<Page<CustomerSummary, i64>> {
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    // Serials begin at 0.
    let found = store::list(tx, book_id, after.unwrap_or(-1), further)?;
    Ok(Page::of(found, limit, |c| c.number.serial()))
}
