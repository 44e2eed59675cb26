//! What tokens cost.

use super::money_for_tokens;
use scrip_ledger::{Amount, Asset, AssetKind, Rounding};

fn token(scale: u32) -> Asset {
    Asset {
        asset_id: 1,
        code: "SHOP.TOKEN".to_owned(),
        kind: AssetKind::Token,
        book_id: Some(1),
        scale,
    }
}

fn money(tokens: &str, price: &str, rounding: Rounding) -> Option<String> {
    let tokens = Amount::parse(tokens, 6).unwrap();
    let price = Amount::parse(price, 8).unwrap();
    let money = money_for_tokens(tokens, price, &token(6), rounding).ok()?;
    Some(money.decimal(8))
}

/// MIC-01: tokens times the price of one, exact to the currency's eighth decimal; what does not
/// fit it is rounded as said.
#[test]
fn tokens_times_price_is_exact() {
    for (tokens, price, up, down, exact) in [
        ("1", "0.01", "0.01", "0.01", Some("0.01")),
        ("100", "0.001", "0.1", "0.1", Some("0.1")),
        ("0.5", "0.00005", "0.000025", "0.000025", Some("0.000025")),
        (
            "1",
            "0.00000001",
            "0.00000001",
            "0.00000001",
            Some("0.00000001"),
        ),
        ("0.5", "0.00000001", "0.00000001", "0", None),
        (
            "0.000001",
            "0.01",
            "0.00000001",
            "0.00000001",
            Some("0.00000001"),
        ),
        ("0.000003", "0.015", "0.00000005", "0.00000004", None),
        (
            "1000000",
            "12.34567891",
            "12345678.91",
            "12345678.91",
            Some("12345678.91"),
        ),
    ] {
        let found = |rounding| money(tokens, price, rounding);
        assert_eq!(
            found(Rounding::Up).as_deref(),
            Some(up),
            "{tokens} at {price}"
        );
        assert_eq!(
            found(Rounding::Down).as_deref(),
            Some(down),
            "{tokens} at {price}"
        );
        assert_eq!(
            found(Rounding::Exact).as_deref(),
            exact,
            "{tokens} at {price}"
        );
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    assert_eq!(money("9000000000000", "1", Rounding::Up), None);
    let one = Amount::from_units(1);
    assert!(money_for_tokens(one, one, &token(19), Rounding::Up).is_err());
}
