//! Pure decisions about orders that a card pays.

use crate::card::payable_decimals;
use scrip_ledger::{Amount, Asset, Error, Result, Rounding};

/// What a card pays for goods that need so many tokens: tokens times the price of one, as in the
/// cash figure (SHP-18), rounded up to what a card can pay, whole cents as a rule. Rounded once.
pub(super) fn price(
    tokens: Amount,
    token_price: Amount,
    token: &Asset,
    currency: &Asset,
) -> Result<Amount> {
    let decimals = currency
        .scale
        .checked_sub(payable_decimals(&currency.code))
        .ok_or(Error::Overflow)?;
    let power = |n: u32| 10_i64.checked_pow(n).ok_or(Error::Overflow);
    let unit = power(decimals)?;
    let whole = power(token.scale)?
        .checked_mul(unit)
        .ok_or(Error::Overflow)?;
    let units = tokens.ratio(token_price.units(), whole, Rounding::Up)?;
    units.times(unit)
}

#[cfg(test)]
mod tests {
    use super::price;
    use scrip_ledger::{Amount, Asset, AssetKind};

    fn asset(code: &str, scale: u32) -> Asset {
        Asset {
            asset_id: 1,
            code: code.to_owned(),
            kind: AssetKind::Currency,
            book_id: None,
            scale,
        }
    }

    /// SHP-17: whole cents, rounded up once; currencies without cents are rounded to one.
    #[test]
    fn the_price_in_money_is_rounded_up_to_what_a_card_pays() {
        for (tokens, each, code, cost) in [
            ("180", "0.01", "GBP", "1.80"),
            ("1000", "0.1", "USD", "100.00"),
            ("58", "0.1", "USD", "5.80"),
            ("1", "0.001", "EUR", "0.01"),
            ("0.000001", "0.00000001", "EUR", "0.01"),
            ("10", "0.001", "EUR", "0.01"),
            ("10.000001", "0.001", "EUR", "0.02"),
            ("3", "0.5", "JPY", "2"),
        ] {
            let (token, currency) = (asset("T", 6), asset(code, 8));
            let tokens = Amount::parse(tokens, 6).unwrap();
            let each = Amount::parse(each, 8).unwrap();
            let found = price(tokens, each, &token, &currency).unwrap();
            assert_eq!(found, Amount::parse(cost, 8).unwrap(), "{tokens} {code}");
        }
        let most = Amount::from_units(i64::MAX);
        assert!(price(most, most, &asset("T", 6), &asset("EUR", 8)).is_err());
    }
}
