//! The tax that is in prices: which rate holds for what, and how much of an amount it is.
//!
//! Prices include tax. A vendor without rates shows none. The rate of a line is kept with its order:
//! a rate that changes holds for later orders.

use crate::text;
use scrip_ledger::{Amount, Error, Result, Rounding, TOKEN_SCALE};
use serde::{Deserialize, Serialize};

/// Basis points of one: a rate of 100 %.
const WHOLE: i64 = 10_000;

/// A rate that a vendor set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRate {
    /// What the tax is called: `VAT`.
    pub name: String,
    /// In basis points: 1,900 for 19 %.
    pub rate: i64,
    /// The categories that it holds for; empty for everything that no other rate holds for.
    pub categories: Vec<String>,
}

/// Why a text is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a name and a percentage, and after a colon the categories that it holds for, with \
     semicolons between: VAT 19%, or VAT 7%: Books; Food"
)]
pub struct NoRate;

impl TaxRate {
    /// Reads `VAT 19%` or `VAT 7%: Books; Food`.
    pub fn parse(text: &str) -> std::result::Result<TaxRate, NoRate> {
        let (head, categories) = match text.split_once('%') {
            Some((head, rest)) => match rest.trim().strip_prefix(':') {
                Some(categories) => (head, categories),
                None if rest.trim().is_empty() => (head, ""),
                None => return Err(NoRate),
            },
            None => return Err(NoRate),
        };
        let (name, percent) = head.trim().rsplit_once(' ').ok_or(NoRate)?;
        let name = text::line("a tax", name, 40).map_err(|_| NoRate)?;
        let categories = categories.split(';').map(str::trim);
        let categories = categories.filter(|c| !c.is_empty()).map(str::to_owned);
        let categories: Vec<String> = categories.collect();
        let is_wrong = |c: &String| text::line("a category", c, 200).is_err();
        if categories.iter().any(is_wrong) {
            return Err(NoRate);
        }
        Ok(TaxRate {
            name,
            rate: basis_points(percent).ok_or(NoRate)?,
            categories,
        })
    }

    /// True when it is the rate of a category by its name.
    fn names(&self, category: &str) -> bool {
        self.categories.iter().any(|named| named == category)
    }

    /// The rate that holds for a category.
    pub fn of<'a>(rates: &'a [TaxRate], category: &str) -> Option<&'a TaxRate> {
        let named = rates.iter().find(|rate| rate.names(category));
        named.or_else(|| rates.iter().find(|rate| rate.categories.is_empty()))
    }
}

impl std::fmt::Display for TaxRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&label(&self.name, self.rate))?;
        if !self.categories.is_empty() {
            write!(f, ": {}", self.categories.join("; "))?;
        }
        Ok(())
    }
}

/// A percentage from 0 to 100 with two decimals at most, `7.7` or `7,7`.
fn basis_points(percent: &str) -> Option<i64> {
    let percent = percent.trim().replace(',', ".");
    let (whole, part) = percent.split_once('.').unwrap_or((&percent, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.len() > 3 || part.len() > 2 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    let points = whole.checked_mul(100)?.checked_add(part)?;
    (0..=WHOLE).contains(&points).then_some(points)
}

/// A rate in percent: `7.7`.
pub fn percent(rate: i64) -> String {
    let (whole, part) = (rate / 100, rate % 100);
    match part {
        0 => whole.to_string(),
        part if part % 10 == 0 => format!("{whole}.{}", part / 10),
        part => format!("{whole}.{part:02}"),
    }
}

/// A tax as people call it: `VAT 7.7%`.
pub fn label(name: &str, rate: i64) -> String {
    format!("{name} {}%", percent(rate))
}

/// The tax that is in an amount, rounded down to the amount's smallest unit.
pub fn contained(gross: Amount, rate: i64) -> Result<Amount> {
    gross.ratio(rate, WHOLE.saturating_add(rate), Rounding::Down)
}

/// The tax in a part of a line that comes back, when `before` of it had come back already. All
/// parts of a line make up the tax of the line, to the last unit.
pub fn contained_back(before: Amount, back: Amount, rate: i64) -> Result<Amount> {
    contained(before.plus(back)?, rate)?.minus(contained(before, rate)?)
}

/// The part of a card's money that a line has: all lines of an order make up its price, to the last
/// unit. `before` is what the lines before it come to.
pub fn share(price: Amount, before: Amount, line: Amount, total: Amount) -> Result<Amount> {
    if !total.is_positive() {
        return Ok(Amount::ZERO);
    }
    let until = |amount: Amount| price.ratio(amount.units(), total.units(), Rounding::Down);
    until(before.plus(line)?)?.minus(until(before)?)
}

/// What tokens are worth at a price of one, rounded down to the money's smallest unit.
pub fn worth(tokens: Amount, price: Amount) -> Result<Amount> {
    let whole = 10_i64.checked_pow(TOKEN_SCALE).ok_or(Error::Overflow)?;
    tokens.ratio(price.units(), whole, Rounding::Down)
}

/// A tax as people read it: rounded to two decimals, halves away from nothing. What is kept and added up
/// is exact.
pub fn to_hundredths(tax: Amount, scale: u32) -> Result<Amount> {
    let below = scale.checked_sub(2).ok_or(Error::Overflow)?;
    let unit = 10_i64.checked_pow(below).ok_or(Error::Overflow)?;
    let half = Amount::from_units(unit.checked_div(2).unwrap_or(0));
    let away = match tax < Amount::ZERO {
        true => tax.minus(half)?,
        false => tax.plus(half)?,
    };
    away.ratio(1, unit, Rounding::Down)?.times(unit)
}

/// The tax of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTax {
    /// What it is called.
    pub name: String,
    /// In basis points.
    pub rate: i64,
    /// How much of the line's amount it is.
    pub amount: Amount,
}

/// The tax of one rate in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxSum {
    /// What it is called.
    pub name: String,
    /// In basis points.
    pub rate: i64,
    /// What the lines of this rate come to, with it.
    pub gross: Amount,
    /// How much of that it is.
    pub tax: Amount,
}

impl TaxSum {
    /// As people call it: `VAT 19%`.
    pub fn label(&self) -> String {
        label(&self.name, self.rate)
    }
}

/// The taxes of lines (amount, tax), one sum for each rate, in the order in which they come up.
pub fn sums<'a>(lines: impl Iterator<Item = (Amount, Option<&'a LineTax>)>) -> Result<Vec<TaxSum>> {
    let mut sums: Vec<TaxSum> = Vec::new();
    for (gross, tax) in lines {
        let Some(tax) = tax else { continue };
        let same = |sum: &&mut TaxSum| sum.name == tax.name && sum.rate == tax.rate;
        match sums.iter_mut().find(same) {
            Some(sum) => {
                sum.gross = sum.gross.plus(gross)?;
                sum.tax = sum.tax.plus(tax.amount)?;
            }
            None => sums.push(TaxSum {
                name: tax.name.clone(),
                rate: tax.rate,
                gross,
                tax: tax.amount,
            }),
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::{TaxRate, contained, contained_back, share, to_hundredths};
    use scrip_ledger::Amount;

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (typed, name, rate, kept) in [
            ("VAT 19%", "VAT", 1900, "VAT 19%"),
            (" Reduced VAT  7 % ", "Reduced VAT", 700, "Reduced VAT 7%"),
            ("MwSt 7,7%", "MwSt", 770, "MwSt 7.7%"),
            ("Tax 8.25%:", "Tax", 825, "Tax 8.25%"),
            ("Tax 0.05%", "Tax", 5, "Tax 0.05%"),
            (
                "VAT 0%: Books ;; Food, Drink",
                "VAT",
                0,
                "VAT 0%: Books; Food, Drink",
            ),
            ("GST 100%", "GST", 10_000, "GST 100%"),
        ] {
            let typed = typed.replace(" %", "%");
            let found = TaxRate::parse(&typed).unwrap();
            assert_eq!((found.name.as_str(), found.rate), (name, rate), "{typed}");
            assert_eq!(found.to_string(), kept);
            assert_eq!(TaxRate::parse(kept), Ok(found));
        }
        for wrong in [
            "",
            "VAT",
            "19%",
            "VAT 19",
            "VAT -1%",
            "VAT 100.01%",
            "VAT 7.777%",
            "VAT x%",
            "VAT 19% Books",
            "VAT 1e1%",
            "VAT .5%",
            "VAT\u{7} 19%",
        ] {
            assert!(TaxRate::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_category_has_its_own_rate_or_that_of_all_others() {
        let rates = ["VAT 7%: Books", "VAT 19%"].map(|text| TaxRate::parse(text).unwrap());
        let rate = |category| TaxRate::of(&rates, category).map(|rate| rate.rate);
        assert_eq!(
            (rate("Books"), rate("Pots"), rate("")),
            (Some(700), Some(1900), Some(1900))
        );
        assert_eq!(TaxRate::of(&rates[..1], "Pots"), None);
    }

    #[test]
    fn a_tax_is_read_with_two_decimals() {
        for (units, shown) in [
            (60_969_976, 60_970_000),
            (5_000, 10_000),
            (4_999, 0),
            (-5_000, -10_000),
            (0, 0),
        ] {
            let rounded = to_hundredths(Amount::from_units(units), 6).unwrap();
            assert_eq!(rounded, Amount::from_units(shown), "{units}");
        }
    }

    #[test]
    fn the_parts_that_come_back_make_up_the_tax() {
        let units = Amount::from_units;
        let tax = |gross, rate| contained(units(gross), rate).unwrap();
        assert_eq!(tax(119_000_000, 1900), units(19_000_000));
        assert_eq!(tax(100, 0), units(0));
        assert_eq!(tax(200, 10_000), units(100));
        // 7 pieces at 33 units: each part is rounded, their sum is not.
        let (mut before, mut back) = (Amount::ZERO, Amount::ZERO);
        for pieces in [2, 1, 4] {
            let part = units(33 * pieces);
            back = back
                .plus(contained_back(before, part, 770).unwrap())
                .unwrap();
            before = before.plus(part).unwrap();
        }
        assert_eq!(back, contained(before, 770).unwrap());
    }

    #[test]
    fn shares_of_a_price_make_it_up() {
        let units = Amount::from_units;
        let (price, lines) = (units(1_000), [7, 11, 0, 13].map(units));
        let (mut before, mut sum) = (Amount::ZERO, Amount::ZERO);
        for line in lines {
            let share = share(price, before, line, units(31)).unwrap();
            sum = sum.plus(share).unwrap();
            before = before.plus(line).unwrap();
        }
        assert_eq!(sum, price);
        let nothing = share(price, units(0), units(0), units(0));
        assert_eq!(nothing.unwrap(), units(0));
    }
}
