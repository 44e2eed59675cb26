//! Exact amounts (MIC-01).
//!
//! An [`Amount`] counts the smallest unit of its asset in 64 bits; what lies between is computed
//! in 128 bits. Every operation is checked and every rounding is named.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number of smallest units of an asset; the asset's scale says how many decimals they make.
///
/// Serialised as that number, for stored answers. What leaves Scrip is a decimal string beside
/// its asset ([`Amount::decimal`]).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Amount(i64);

/// What happens to what does not divide evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Toward zero.
    Down,
    /// Away from zero.
    Up,
    /// It is an error.
    Exact,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// From smallest units.
    pub const fn from_units(units: i64) -> Self {
        Amount(units)
    }

    /// The number of smallest units.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// True above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True for nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum.
    pub fn plus(self, other: Amount) -> Result<Amount> {
        self.0
            .checked_add(other.0)
            .map(Amount)
            .ok_or(Error::Overflow)
    }

    /// The difference.
    pub fn minus(self, other: Amount) -> Result<Amount> {
        self.0
            .checked_sub(other.0)
            .map(Amount)
            .ok_or(Error::Overflow)
    }

    /// The amount with the other sign.
    pub fn negated(self) -> Result<Amount> {
        self.0.checked_neg().map(Amount).ok_or(Error::Overflow)
    }

    /// The amount `n` times.
    pub fn times(self, n: i64) -> Result<Amount> {
        self.0.checked_mul(n).map(Amount).ok_or(Error::Overflow)
    }

    /// `self * numerator / denominator`, rounded as said.
    pub fn ratio(self, numerator: i64, denominator: i64, rounding: Rounding) -> Result<Amount> {
        let product = i128::from(self.0)
            .checked_mul(i128::from(numerator))
            .ok_or(Error::Overflow)?;
        let inexact = Error::Inexact {
            amount: self,
            numerator,
            denominator,
        };
        let divisor = i128::from(denominator);
        let (Some(quotient), Some(rest)) =
            (product.checked_div(divisor), product.checked_rem(divisor))
        else {
            return Err(inexact);
        };
        let away = if (product < 0) == (divisor < 0) {
            1
        } else {
            -1
        };
        let result = match (rounding, rest) {
            (_, 0) | (Rounding::Down, _) => Some(quotient),
            (Rounding::Up, _) => quotient.checked_add(away),
            (Rounding::Exact, _) => return Err(inexact),
        };
        result
            .and_then(|r| i64::try_from(r).ok())
            .map(Amount)
            .ok_or(Error::Overflow)
    }

    /// The sum of many.
    pub fn sum(amounts: impl IntoIterator<Item = Amount>) -> Result<Amount> {
        amounts.into_iter().try_fold(Amount::ZERO, Amount::plus)
    }

    /// Reads a decimal number with at most `scale` decimals. Nothing is rounded: more decimals
    /// are an error.
    pub fn parse(text: &str, scale: u32) -> Result<Amount> {
        let not = || Error::NotAnAmount {
            text: text.chars().take(40).collect(),
            scale,
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let dangling = digits.ends_with('.') || whole.is_empty();
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if dangling || !plain(whole) || !plain(decimals) {
            return Err(not());
        }
        let significant = decimals.trim_end_matches('0');
        let width = usize::try_from(scale).map_err(|_| not())?;
        if significant.len() > width {
            return Err(not());
        }
        let units: i128 = format!("{whole}{significant:0<width$}")
            .parse()
            .map_err(|_| Error::Overflow)?;
        let signed = if negative {
            units.checked_neg()
        } else {
            Some(units)
        };
        signed
            .and_then(|u| i64::try_from(u).ok())
            .map(Amount)
            .ok_or(Error::Overflow)
    }

    /// As a decimal number without needless zeros: `12.5`, `-0.00005`, `0`.
    pub fn decimal(self, scale: u32) -> String {
        let width = usize::try_from(scale).unwrap_or(0);
        let digits = format!("{:0>1$}", self.0.unsigned_abs(), width.saturating_add(1));
        let (whole, decimals) = digits.split_at(digits.len().saturating_sub(width));
        let decimals = decimals.trim_end_matches('0');
        let sign = if self.0 < 0 { "-" } else { "" };
        if decimals.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{decimals}")
        }
    }
}

/// Smallest units, for messages that do not know the asset.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
