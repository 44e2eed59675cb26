//! Pure decisions about a vendor's token.

use scrip_ledger::{Amount, Asset, Result, Rounding};

/// What `tokens` cost, in the smallest unit of the currency: tokens times the price of one.
/// Rounded as said: a sale takes whole cents and rounds up, a display may round down.
pub fn money_for_tokens(
    tokens: Amount,
    price: Amount,
    token: &Asset,
    rounding: Rounding,
) -> Result<Amount> {
    let whole = 10_i64
        .checked_pow(token.scale)
        .ok_or(scrip_ledger::Error::Overflow)?;
    tokens.ratio(price.units(), whole, rounding)
}
