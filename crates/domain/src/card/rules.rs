//! What a currency and a card allow.

use super::Looks;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Asset, Error, Result};

/// Currencies without a smaller unit.
const WHOLE: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND",
    "VUV", "XAF", "XOF",
];
/// One more of them, apart from the list only because it names no country.
const WHOLE_FRANC: &str = "XPF";
/// Currencies whose smaller unit is a thousandth. Cards pay in tens of it.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
/// Currencies without a smaller unit that processors still count in hundredths, for the sake of
/// older programs.
const COUNTED_IN_HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];

fn is_whole(code: &str) -> bool {
    WHOLE.contains(&code) || code == WHOLE_FRANC
}

/// Decimals that a card payment in a currency can have.
pub fn payable_decimals(code: &str) -> u32 {
    if is_whole(code) { 0 } else { 2 }
}

/// Decimals of the unit in which processors count a currency.
pub fn minor_decimals(code: &str) -> u32 {
    if COUNTED_IN_HUNDREDTHS.contains(&code) {
        2
    } else if is_whole(code) {
        0
    } else if THOUSANDTHS.contains(&code) {
        3
    } else {
        2
    }
}

/// An amount in the unit in which processors count its currency. One that is finer than a card
/// can pay is an error, not rounded.
pub fn minor_units(amount: Amount, currency: &Asset) -> Result<i64> {
    let decimals = minor_decimals(&currency.code);
    let payable = payable_decimals(&currency.code);
    let power = |n: u32| 10_i64.checked_pow(n).ok_or(Error::Overflow);
    let finest = power(currency.scale.saturating_sub(payable))?;
    if amount.units().checked_rem(finest) != Some(0) {
        return Err(Error::Overflow);
    }
    let minor = if currency.scale >= decimals {
        let unit = power(currency.scale.saturating_sub(decimals))?;
        amount.units().checked_div(unit)
    } else {
        let unit = power(decimals.saturating_sub(currency.scale))?;
        amount.units().checked_mul(unit)
    };
    minor.ok_or(Error::Overflow)
}

/// The inverse of [`minor_units`], for amounts that a processor names.
pub fn of_minor_units(minor: i64, currency: &Asset) -> Result<Amount> {
    let decimals = minor_decimals(&currency.code);
    let finer = currency
        .scale
        .checked_sub(decimals)
        .ok_or(Error::Overflow)?;
    let unit = 10_i64.checked_pow(finer).ok_or(Error::Overflow)?;
    let units = minor.checked_mul(unit).ok_or(Error::Overflow)?;
    Ok(Amount::from_units(units))
}

/// Months since the year 0, for comparing.
fn months(year: i64, month: i64) -> i64 {
    year.saturating_mul(12).saturating_add(month)
}

/// True when the last month of a card is over everywhere: a day later than in Greenwich.
pub(super) fn has_expired(looks: &Looks, now: Timestamp) -> bool {
    let yesterday = now.plus_seconds(-24 * 3600).to_string();
    let mut parts = yesterday.split('-').map(str::parse::<i64>);
    match (parts.next(), parts.next()) {
        (Some(Ok(year)), Some(Ok(month))) => {
            months(looks.expiry_year, looks.expiry_month) < months(year, month)
        }
        _ => false,
    }
}
