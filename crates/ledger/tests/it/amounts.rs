//! Exact amounts: tables of cases, and what must hold for all.

use crate::world::{name_of, units};
use proptest::prelude::*;
use scrip_ledger::{Amount, CURRENCY_SCALE, Rounding};

/// What a text is read as: units, or the name of the error.
fn read(text: &str, scale: u32) -> Result<i64, String> {
    let parsed = Amount::parse(text, scale);
    parsed.map(Amount::units).map_err(|e| name_of(&e))
}

#[test]
fn text_is_read_exactly() {
    let cases = [
        ("0", 2, 0),
        ("-0", 2, 0),
        ("-0.00", 2, 0),
        ("12", 0, 12),
        ("12.5", 2, 1250),
        ("12.50", 2, 1250),
        ("-12.5", 2, -1250),
        ("0012.5", 1, 125),
        ("0.000001", 6, 1),
        ("1.50000000000000000000000000", 1, 15),
        ("3.000", 0, 3),
        ("9223372036854775807", 0, i64::MAX),
        ("-9223372036854775808", 0, i64::MIN),
        ("9223372036854.775807", 6, i64::MAX),
        ("-9223372036854.775808", 6, i64::MIN),
    ];
    for (text, scale, expected) in cases {
        assert_eq!(read(text, scale), Ok(expected), "{text} at {scale}");
    }
    let long = format!("{}7", "0".repeat(10_000));
    assert_eq!(read(&long, 0), Ok(7), "leading zeros");
}

#[test]
fn text_that_is_no_amount_is_refused() {
    let not = [
        "", "-", ".", "-.", "1.", ".5", "-.5", "+1", " 1", "1 ", "1,5", "1.2.3", "--1", "1-",
        "1e3", "0x10", "1_000", "NaN", "inf", "١٢", "１２", "1.２", "²", "1\n", "1\u{0}", "−1",
    ];
    for text in not {
        assert_eq!(read(text, 2), Err("NotAnAmount".into()), "{text:?}");
    }
    for (text, scale) in [("0.001", 2), ("1.5", 0), ("0.0000001", 6)] {
        assert_eq!(read(text, scale), Err("NotAnAmount".into()), "{text}");
    }
    let huge = "9".repeat(10_000);
    for text in [
        "9223372036854775808",
        "-9223372036854775809",
        "170141183460469231731687303715884105728",
        &huge,
    ] {
        assert_eq!(read(text, 0), Err("Overflow".into()), "{text}");
    }
    assert_eq!(read("92233720368547758.08", 2), Err("Overflow".into()));
    let message = Amount::parse(&"x".repeat(10_000), 2).expect_err("no amount");
    assert!(message.to_string().len() < 200, "{message}");
}

#[test]
fn decimals_are_written_without_needless_zeros() {
    let cases = [
        (0, 0, "0"),
        (0, 6, "0"),
        (1250, 2, "12.5"),
        (1200, 2, "12"),
        (5, 2, "0.05"),
        (-5, 3, "-0.005"),
        (100, 0, "100"),
        (i64::MAX, 0, "9223372036854775807"),
        (i64::MIN, 0, "-9223372036854775808"),
        (i64::MIN, 6, "-9223372036854.775808"),
        (i64::MIN, 19, "-0.9223372036854775808"),
        (1, 30, "0.000000000000000000000000000001"),
    ];
    for (amount, scale, expected) in cases {
        assert_eq!(units(amount).decimal(scale), expected);
    }
}

/// MIC-01: 0.5 % of a cent is exactly 0.00005, and what cannot be exact says how it is rounded.
#[test]
fn half_a_percent_of_a_cent_is_exact() {
    let cent = Amount::parse("0.01", CURRENCY_SCALE).expect("a cent");
    let share = cent.ratio(5, 1000, Rounding::Exact).expect("exact");
    assert_eq!(share.decimal(CURRENCY_SCALE), "0.00005");

    let cases = [
        (7, 1, 2, [Some(3), Some(4), None]),
        (-7, 1, 2, [Some(-3), Some(-4), None]),
        (7, -1, 2, [Some(-3), Some(-4), None]),
        (7, 1, -2, [Some(-3), Some(-4), None]),
        (-7, 1, -2, [Some(3), Some(4), None]),
        (1, 1, 1_000_000, [Some(0), Some(1), None]),
        (-1, 1, 1_000_000, [Some(0), Some(-1), None]),
        (6, 1, 3, [Some(2), Some(2), Some(2)]),
        (0, 1, 3, [Some(0), Some(0), Some(0)]),
        (i64::MAX, i64::MAX, i64::MAX, [Some(i64::MAX); 3]),
        (i64::MIN, i64::MIN, i64::MIN, [Some(i64::MIN); 3]),
        (i64::MIN, 1, -1, [None; 3]),
        (i64::MAX, 2, 1, [None; 3]),
        (1, 1, 0, [None; 3]),
    ];
    for (amount, numerator, denominator, expected) in cases {
        let got = [Rounding::Down, Rounding::Up, Rounding::Exact].map(|rounding| {
            let ratio = units(amount).ratio(numerator, denominator, rounding);
            ratio.ok().map(Amount::units)
        });
        assert_eq!(got, expected, "{amount} * {numerator} / {denominator}");
    }
    let inexact = units(7).ratio(1, 2, Rounding::Exact).expect_err("a rest");
    assert_eq!(name_of(&inexact), "Inexact");
    let by_zero = units(7).ratio(1, 0, Rounding::Down).expect_err("zero");
    assert_eq!(name_of(&by_zero), "Inexact");
}

#[test]
fn arithmetic_at_the_limits_is_refused() {
    let (least, most, one) = (units(i64::MIN), units(i64::MAX), units(1));
    assert!(most.plus(one).is_err());
    assert!(least.minus(one).is_err());
    assert!(least.negated().is_err());
    assert!(least.times(-1).is_err());
    assert!(most.times(2).is_err());
    assert!(Amount::sum([most, one, least]).is_err(), "in between");
    assert_eq!(most.plus(least).expect("fits").units(), -1);
    assert_eq!(Amount::sum([]).expect("nothing"), Amount::ZERO);
}

proptest! {
    /// MIC-01: what is written is read back as the same amount.
    #[test]
    fn amounts_survive_being_written_and_read(n: i64, scale in 0_u32..=12) {
        let text = units(n).decimal(scale);
        prop_assert_eq!(Amount::parse(&text, scale).expect("own text"), units(n));
        prop_assert!(text == "0" || !text.ends_with(".0"));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,30}|[-+]?[0-9.]{0,45}", scale in 0_u32..=30) {
        if let Ok(amount) = Amount::parse(&text, scale) {
            let again = Amount::parse(&amount.decimal(scale), scale);
            prop_assert_eq!(again.expect("own text"), amount);
        }
    }

    /// MIC-01: rounding down and up lie around the exact value, one unit apart at most.
    #[test]
    fn rounding_is_off_by_less_than_a_unit(n: i64, by in -1000_i64..1000, of in 1_i64..1000) {
        let exact = i128::from(n) * i128::from(by);
        for rounding in [Rounding::Down, Rounding::Up] {
            let Ok(got) = units(n).ratio(by, of, rounding) else {
                prop_assert!((exact / i128::from(of)).abs() >= i128::from(i64::MAX));
                continue;
            };
            let rest = exact - i128::from(got.units()) * i128::from(of);
            prop_assert!(rest.abs() < i128::from(of));
            let outward = (rest < 0) == (exact < 0);
            prop_assert!(rest == 0 || outward == (rounding == Rounding::Down));
        }
    }
}
