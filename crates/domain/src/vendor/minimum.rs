//! How many tokens make an account active, by the customer's country (TOK-01).

use super::{Result, VendorError};
use scrip_ledger::{Amount, TOKEN_SCALE};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Countries with a minimum of their own. The vendor's minimum holds for all others, and for
/// customers whose country is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minimums(BTreeMap<String, Amount>);

impl Minimums {
    /// The minimum of a country, where it has its own.
    pub fn of(&self, country: &str) -> Option<Amount> {
        self.0.get(country).copied()
    }

    /// Every country with its minimum, by the name of the country.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Amount)> {
        self.0.iter().map(|(country, least)| (&**country, *least))
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when some country has a lower one than it had: accounts may become active.
    pub(super) fn is_lower(&self, general: Amount, held: &Minimums, held_general: Amount) -> bool {
        let countries = self.0.keys().chain(held.0.keys());
        let of =
            |minimums: &Minimums, country: &str, general| minimums.of(country).unwrap_or(general);
        countries
            .into_iter()
            .any(|country| of(self, country, general) < of(held, country, held_general))
    }
}

impl FromStr for Minimums {
    type Err = VendorError;
    /// One country on each line, as `DE 100`.
    fn from_str(text: &str) -> Result<Minimums> {
        let mut found = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let wrong = || VendorError::Minimum(line.chars().take(60).collect());
            let (country, least) = line.split_once([' ', '\t']).ok_or_else(wrong)?;
            let country = country.to_ascii_uppercase();
            let is_code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
            let least = Amount::parse(least.trim(), TOKEN_SCALE).map_err(|_| wrong())?;
            let fits = (Amount::ZERO..=super::TOKENS_AT_MOST).contains(&least);
            if !is_code || !fits || found.insert(country, least).is_some() {
                return Err(wrong());
            }
        }
        Ok(Minimums(found))
    }
}

impl fmt::Display for Minimums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (country, least)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{country} {}", least.decimal(TOKEN_SCALE))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Minimums;
    use scrip_ledger::Amount;

    fn read(text: &str) -> Minimums {
        text.parse().unwrap()
    }

    #[test]
    fn countries_are_read_and_written_alike() {
        let found = read(" gb 5\n\nDE\t0.5\r\nAT 0\n");
        assert_eq!(found.to_string(), "AT 0\nDE 0.5\nGB 5");
        assert_eq!(read(&found.to_string()), found);
        assert_eq!(found.of("GB"), Some(Amount::from_units(5_000_000)));
        assert_eq!((found.of("FR"), found.of("")), (None, None));
        assert!(read("").is_empty());
        for wrong in [
            "GB",
            "GBR 5",
            "G1 5",
            "GB -1",
            "GB x",
            "GB 5\nGB 5",
            "GB 1e9",
            "GB 5 6",
        ] {
            let text = wrong.parse::<Minimums>().unwrap_err().to_string();
            assert!(text.contains("as DE 100"), "{wrong}: {text}");
        }
    }

    #[test]
    fn a_lower_one_anywhere_is_seen() {
        let five = Amount::from_units(5_000_000);
        let ten = Amount::from_units(10_000_000);
        for (new, general, held, held_general, is_lower) in [
            ("", five, "", five, false),
            ("GB 4", five, "", five, true),
            ("", five, "GB 6", five, true),
            ("GB 6", five, "", five, false),
            ("GB 6", ten, "GB 6", five, false),
            ("", ten, "GB 6", five, false),
            ("DE 9", ten, "GB 12", ten, true),
        ] {
            let found = read(new).is_lower(general, &read(held), held_general);
            assert_eq!(found, is_lower, "{new} {held}");
        }
    }
}
