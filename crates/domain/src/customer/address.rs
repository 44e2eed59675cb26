//! Where goods are sent to: checked, and sealed under the customer's key before it goes anywhere
//! (REG-13). Erasing the person destroys the key, and with it every address.

use super::{Customer, CustomerError, Result, open_text, seal_text};
use crate::text::{self, TextError};
use crate::vault::Vault;
use scrip_engine::{Error as EngineError, Read, Tx};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A delivery address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Address {
    /// Who gets it.
    pub name: String,
    /// Street and number, and what else stands between name and city; up to four lines.
    pub lines: String,
    /// Postal code; empty where there is none.
    pub postal_code: String,
    /// City.
    pub city: String,
    /// Country, in words.
    pub country: String,
}

/// Says nothing about the person, wherever it is printed.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl Address {
    /// As it stands on a parcel, a line each.
    pub fn written(&self) -> Vec<String> {
        let city = format!("{} {}", self.postal_code, self.city);
        let lines = self.lines.lines().map(str::to_owned);
        let all = std::iter::once(self.name.clone()).chain(lines);
        all.chain([city.trim().to_owned(), self.country.clone()])
            .collect()
    }
}

/// An address that only the customer's key opens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedAddress(pub(crate) Vec<u8>);

impl fmt::Debug for SealedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedAddress(…)")
    }
}

/// What is wrong with an address, and in which of its fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct AddressError {
    /// The field: `postal_code`.
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub problem: TextError,
}

/// Lines between name and city at most.
const LINES_AT_MOST: usize = 4;

/// The address with space around its parts removed, or what is wrong with it.
pub fn address_checked(address: &Address) -> std::result::Result<Address, AddressError> {
    let of = |field| move |problem| AddressError { field, problem };
    let lines = text::paragraph("the street", &address.lines, 300).map_err(of("lines"))?;
    let lines: Vec<&str> = lines
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let field = "the street";
    match lines.len() {
        0 => return Err(of("lines")(TextError::Empty { field })),
        1..=LINES_AT_MOST => {}
        length => {
            return Err(of("lines")(TextError::TooManyLines {
                field,
                length,
                most: LINES_AT_MOST,
            }));
        }
    }
    Ok(Address {
        name: text::line("the name", &address.name, 200).map_err(of("name"))?,
        lines: lines.join("\n"),
        postal_code: text::optional_line("the postal code", &address.postal_code, 20)
            .map_err(of("postal_code"))?,
        city: text::line("the city", &address.city, 100).map_err(of("city"))?,
        country: text::line("the country", &address.country, 100).map_err(of("country"))?,
    })
}

fn label(customer: &Customer) -> String {
    format!("address {}", customer.customer_id)
}

/// Checks an address and seals it under the customer's key.
pub fn address_seal(
    tx: &mut Tx<'_>,
    vault: &Vault,
    customer: &Customer,
    address: &Address,
) -> Result<SealedAddress> {
    let checked = address_checked(address)?;
    let plain = serde_json::to_string(&checked)
        .map_err(|e| EngineError::Statement(format!("address as JSON: {e}")))?;
    let sealed = seal_text(tx, vault, customer, &label(customer), &plain)?;
    Ok(SealedAddress(sealed))
}

/// Opens an address; nothing once the person was erased.
pub fn address_open(
    tx: &mut dyn Read,
    vault: &Vault,
    customer: &Customer,
    sealed: &SealedAddress,
) -> Result<Option<Address>> {
    if sealed.0.is_empty() {
        return Ok(None);
    }
    let plain = open_text(tx, vault, customer, &label(customer), &sealed.0)?;
    let read = |plain: String| {
        serde_json::from_str(&plain)
            .map_err(|e| EngineError::Corrupt(format!("{}: {e}", label(customer))))
    };
    plain.map(read).transpose().map_err(CustomerError::from)
}

#[cfg(test)]
mod tests {
    use super::{Address, address_checked};

    fn address() -> Address {
        Address {
            name: " Ana Bee ".into(),
            lines: "1 High Street\n\n  Flat 2 ".into(),
            postal_code: "AB1 2CD".into(),
            city: "Town".into(),
            country: "Ireland".into(),
        }
    }

    /// SHP-12: what is missing or too long is told with its field; a place may have no postal code.
    #[test]
    fn an_address_is_whole_or_its_fault_is_told() {
        let whole = address_checked(&address()).unwrap();
        let written = [
            "Ana Bee",
            "1 High Street",
            "Flat 2",
            "AB1 2CD Town",
            "Ireland",
        ];
        assert_eq!(whole.written(), written);
        assert_eq!(format!("{whole:?}"), "Address(…)");
        let no_code = Address {
            postal_code: String::new(),
            ..address()
        };
        assert_eq!(address_checked(&no_code).unwrap().written()[3], "Town");
        type Change = fn(&mut Address);
        let change: [(&str, Change); 8] = [
            ("name", |a| a.name = "  ".into()),
            ("name", |a| a.name = "a\u{7}".into()),
            ("lines", |a| a.lines = "\n \n".into()),
            ("lines", |a| a.lines = "a\nb\nc\nd\ne".into()),
            ("lines", |a| a.lines = "x".repeat(301)),
            ("postal_code", |a| a.postal_code = "1".repeat(21)),
            ("city", |a| a.city.clear()),
            ("country", |a| a.country.clear()),
        ];
        for (field, change) in change {
            let mut wrong = address();
            change(&mut wrong);
            let error = address_checked(&wrong).unwrap_err();
            assert_eq!(error.field, field, "{error}");
        }
    }
}
