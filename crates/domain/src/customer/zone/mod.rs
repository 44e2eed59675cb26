//! In which time zone a customer reads times.

mod store;

use super::{Customer, CustomerError, Result};
use crate::actor::Actor;
use jiff::tz::TimeZone;
use scrip_engine::{Read, Tx};

/// Characters of a name of a zone at most.
const NAME_AT_MOST: usize = 60;

/// The zone that a customer chose; `None` for none.
pub fn time_zone(tx: &mut dyn Read, customer: &Customer) -> Result<Option<String>> {
    let zone = store::time_zone(tx, customer.book_id, customer.customer_id)?;
    Ok((!zone.is_empty()).then_some(zone))
}

/// The name of a zone as the IANA database writes it; empty stays empty.
pub fn time_zone_checked(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Ok(String::new());
    }
    let unknown = || CustomerError::ZoneUnknown(name.chars().take(NAME_AT_MOST).collect());
    if name.chars().count() > NAME_AT_MOST {
        return Err(unknown());
    }
    let zone = TimeZone::get(name).map_err(|_| unknown())?;
    Ok(zone.iana_name().unwrap_or(name).to_owned())
}

/// Notes in which zone a customer reads times; empty for that of the browser or the vendor.
pub fn time_zone_set(tx: &mut Tx<'_>, actor: Actor, customer: &Customer, name: &str) -> Result<()> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(CustomerError::Forbidden);
    }
    let zone = time_zone_checked(name)?;
    store::set_time_zone(tx, customer.book_id, customer.customer_id, &zone)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::time_zone_checked;

    #[test]
    fn a_zone_is_one_of_the_database() {
        for (typed, kept) in [
            ("Europe/Berlin", Some("Europe/Berlin")),
            (" Asia/Tokyo ", Some("Asia/Tokyo")),
            ("UTC", Some("UTC")),
            ("", Some("")),
            ("Nowhere/At_All", None),
            ("../etc/passwd", None),
            ("Europe/Berlin\u{0}", None),
        ] {
            assert_eq!(time_zone_checked(typed).ok().as_deref(), kept, "{typed:?}");
        }
        assert!(time_zone_checked(&"x".repeat(100_000)).is_err());
    }
}
