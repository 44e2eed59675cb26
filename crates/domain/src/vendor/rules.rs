//! Pure decisions about a vendor's token.

use scrip_ledger::{Amount, Asset, Result, Rounding};

/// Tokens that one purchase or order moves at most, in the smallest unit: a thousand million of
/// the usual six decimals. Accounts that only add up (tokens issued, tokens spent) then have room
/// for thousands of the largest ones.
pub const TOKENS_AT_MOST: Amount = Amount::from_units(1_000_000_000_000_000);

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
