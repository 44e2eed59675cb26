//! Units of currencies and the ends of cards.

use super::rules::has_expired;
use super::{Looks, minor_units, of_minor_units};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Asset, AssetKind};

fn currency(code: &str) -> Asset {
    Asset {
        asset_id: 1,
        code: code.to_owned(),
        kind: AssetKind::Currency,
        book_id: None,
        scale: 8,
    }
}

/// TOK-08: what a processor is told is the currency's own unit, also where that is no hundredth.
#[test]
fn amounts_are_counted_in_the_unit_of_the_currency() {
    for (code, typed, minor) in [
        ("GBP", "12.34", 1234),
        ("USD", "0.50", 50),
        ("JPY", "500", 500),
        ("XPF", "7", 7),
        // Whole, and yet counted in hundredths.
        ("ISK", "5", 500),
        ("UGX", "5", 500),
        ("KWD", "1.25", 1250),
    ] {
        let currency = currency(code);
        let amount = Amount::parse(typed, 8).unwrap();
        assert_eq!(minor_units(amount, &currency).unwrap(), minor, "{code}");
        assert_eq!(of_minor_units(minor, &currency).unwrap(), amount, "{code}");
    }
    for (code, typed) in [
        ("GBP", "0.001"),
        ("JPY", "0.50"),
        ("KWD", "0.001"),
        ("ISK", "0.5"),
    ] {
        let amount = Amount::parse(typed, 8).unwrap();
        let minor = minor_units(amount, &currency(code));
        assert!(minor.is_err(), "{typed} {code} is finer than a card pays");
    }
    assert!(of_minor_units(i64::MAX, &currency("JPY")).is_err());
}

#[test]
fn a_card_is_good_through_its_last_month() {
    let looks = Looks {
        expiry_year: 2026,
        expiry_month: 2,
        ..Looks::default()
    };
    for (now, over) in [
        ("2026-02-28T23:59:59Z", false),
        ("2026-03-01T11:00:00Z", false),
        ("2026-03-02T00:00:01Z", true),
        ("2025-12-31T00:00:00Z", false),
        ("2027-01-01T00:00:00Z", true),
    ] {
        let now = Timestamp::parse(now).unwrap();
        assert_eq!(has_expired(&looks, now), over, "{now}");
    }
}
