//! Where a registration stands, and what its details may be, for the pages of the flow (REG-02).

use super::{AccountNumber, Customer, CustomerError, Person, Result, customer_by_id, rules, store};
use crate::id::RegistrationId;
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx};

/// Where a registration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Begun; the details come next.
    Informed,
    /// The details are there; the means of payment come next.
    Details,
    /// The account is made; it ends here.
    Account(Customer),
}

/// Where a registration stands (REG-02). One that lapsed, or is another vendor's, is unknown.
pub fn registration_stage(tx: &mut dyn Read, vendor: &Vendor, id: RegistrationId) -> Result<Stage> {
    let now = tx.now();
    let seen = store::registration_seen(tx, vendor.book_id, id)?
        .filter(|seen| seen.expires_at > now)
        .ok_or(CustomerError::RegistrationUnknown)?;
    match seen.customer {
        Some(customer) => Ok(Stage::Account(customer_by_id(
            tx,
            vendor.book_id,
            customer,
        )?)),
        None if rules::stage_follows(&seen.stage, "details").is_ok() => Ok(Stage::Informed),
        None => Ok(Stage::Details),
    }
}

/// Erases a vendor's registrations whose hour is over, with all details of those that were left
/// unfinished (REG-10); returns how many.
pub fn registrations_expire(tx: &mut Tx<'_>, book_id: i64) -> Result<u64> {
    Ok(store::forget_registrations(tx, book_id)?)
}

/// A sign-in name in the form in which it is kept. What reads as an account number is no name: it
/// would be taken for the account of that number.
pub fn login_checked(login: &str) -> Result<String> {
    let login = text::line("the sign-in name", login, 200)?;
    if AccountNumber::parse(&login).is_ok() {
        return Err(CustomerError::LoginTaken);
    }
    Ok(login)
}

impl Person {
    /// The same without space around; or what is wrong with the first text that cannot be taken.
    pub fn checked(&self) -> std::result::Result<Person, text::TextError> {
        Ok(Person {
            name: text::optional_line("the name", &self.name, 200)?,
            address: text::paragraph("the address", &self.address, 1000)?,
            phone: text::optional_line("the telephone number", &self.phone, 60)?,
            fax: text::optional_line("the fax number", &self.fax, 60)?,
            email: text::optional_line("the e-mail address", &self.email, 254)?,
        })
    }
}
