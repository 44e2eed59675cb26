//! Amounts, money, times and counts as people read them.
//!
//! A number never stands without its unit; thousands have a comma, minus is the true sign, zeros at
//! the end are left out. Times are in the zone of the request, and say which it is.

use super::zone;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Asset, TOKEN_SCALE};
use std::fmt;

/// A number and the unit that it is never shown without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `1,234.5`
    pub number: String,
    /// `tokens`
    pub unit: &'static str,
}

/// Both, for sentences, buttons and labels.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.unit)
    }
}

/// An amount of tokens: `180 tokens`, `1 token`, `−40 tokens`, `0.000001 tokens`.
pub fn tokens(amount: Amount) -> Shown {
    let one = 10_i64.checked_pow(TOKEN_SCALE).unwrap_or(i64::MAX);
    let is_one = amount.units().unsigned_abs() == one.unsigned_abs();
    Shown {
        number: grouped(&amount.decimal(TOKEN_SCALE)),
        unit: if is_one { "token" } else { "tokens" },
    }
}

/// A change of a balance: like [`tokens`], with a plus for what came in.
pub fn change(amount: Amount) -> Shown {
    let mut shown = tokens(amount);
    if amount.is_positive() {
        shown.number.insert(0, '+');
    }
    shown
}

/// An amount of money: `$18.00`, `−£0.50`, `¥1,200`, `CHF 12.00`. Decimals beyond those of the
/// currency are shown where there are any: nothing is rounded here.
pub fn money(amount: Amount, currency: &Asset) -> String {
    let exact = amount.decimal(currency.scale);
    let (sign, digits) = match exact.strip_prefix('-') {
        Some(rest) => (MINUS, rest),
        None => ("", exact.as_str()),
    };
    let least = decimals(&currency.code);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = grouped(whole);
    let point = if part.is_empty() && least == 0 {
        ""
    } else {
        "."
    };
    let symbol = symbol(&currency.code);
    format!("{sign}{symbol}{whole}{point}{part:0<least$}")
}

/// A share in millionths: `2 %`, `0.0001 %`.
pub fn percent(ppm: i64) -> String {
    format!("{} %", Amount::from_units(ppm).decimal(4))
}

/// The price of one token, without "a token": `10 ¢`, `10 p`, `$1.25`, `¥10`.
pub fn price_each(price: Amount, currency: &Asset) -> String {
    let cent = match currency.code.as_str() {
        "USD" | "EUR" | "CAD" | "AUD" => "¢",
        "GBP" => "p",
        _ => return money(price, currency),
    };
    let unit = 10_i64.checked_pow(currency.scale).unwrap_or(i64::MAX);
    if !price.is_positive() || price.units() >= unit {
        return money(price, currency);
    }
    let cents = price.decimal(currency.scale.saturating_sub(2));
    format!("{cents} {cent}")
}

/// A whole number: `1,000`.
pub fn count(number: i64) -> String {
    grouped(&number.to_string())
}

/// A whole number of things: `1 piece`, `1,000 pieces`.
pub fn counted(number: i64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", count(number))
}

/// A size on a disk: `86 MB`, `1.2 GB`, `40 kB`.
pub fn size(kilobytes: i64) -> String {
    let tenths = |unit: i64| {
        let tenths = kilobytes.saturating_mul(10) / unit;
        match (tenths / 10, tenths % 10) {
            (whole, part @ 1..) if whole < 10 => format!("{whole}.{part}"),
            (whole, _) => count(whole),
        }
    };
    match kilobytes {
        ..1_000 => format!("{} kB", count(kilobytes)),
        1_000..1_000_000 => format!("{} MB", tenths(1_000)),
        _ => format!("{} GB", tenths(1_000_000)),
    }
}

/// How long a download takes on a line of 8 Mbit a second (SHP-09): `about 2 minutes`.
pub fn download_time(kilobytes: i64) -> String {
    let seconds = kilobytes / 1_000;
    let minutes = seconds.saturating_add(30) / 60;
    match (seconds, minutes) {
        (..60, _) => "under 1 minute".to_owned(),
        (_, 1) => "about 1 minute".to_owned(),
        (_, 2..90) => format!("about {minutes} minutes"),
        (_, _) => format!("about {} hours", count(minutes.saturating_add(30) / 60)),
    }
}

/// A time for people, and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// RFC 3339.
    pub machine: String,
    /// `21 Nov 2026` or `21 Nov 2026 14:02 UTC`.
    pub words: String,
}

impl When {
    /// The day.
    pub fn day(at: Timestamp) -> When {
        When::written(at, "%-d %b %Y")
    }

    /// The day; without the year when it is the year of `now`.
    pub fn day_near(at: Timestamp, now: Timestamp) -> When {
        let (day, today) = (When::day(at), When::day(now));
        match (day.words.rsplit_once(' '), today.words.rsplit_once(' ')) {
            (Some((short, year)), Some((_, this))) if year == this => When {
                machine: day.machine,
                words: short.to_owned(),
            },
            _ => day,
        }
    }

    /// Day and minute.
    pub fn minute(at: Timestamp) -> When {
        When::written(at, "%-d %b %Y %H:%M %Z")
    }

    fn written(at: Timestamp, form: &str) -> When {
        let words = jiff::Timestamp::from_microsecond(at.0)
            .ok()
            .filter(|_| at != Timestamp::NEVER)
            .map(|t| t.to_zoned(zone::reader()).strftime(form).to_string());
        When {
            machine: at.to_string(),
            words: words.unwrap_or_else(|| at.to_string()),
        }
    }
}

/// In words, for sentences.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

const MINUS: &str = "\u{2212}";

/// A decimal number with commas between thousands and the true minus.
fn grouped(decimal: &str) -> String {
    let (sign, digits) = match decimal.strip_prefix('-') {
        Some(rest) => (MINUS, rest),
        None => ("", decimal),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !part.is_empty() {
        text.push('.');
        text.push_str(part);
    }
    text
}

/// Decimals that a currency is written with at least (ISO 4217).
pub fn decimals(code: &str) -> usize {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// What stands before the number.
fn symbol(code: &str) -> String {
    match code {
        "USD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        "JPY" => "¥".to_owned(),
        other => format!("{other}\u{a0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{When, change, count, counted, download_time, money, price_each, size, tokens};
    use scrip_engine::Timestamp;
    use scrip_ledger::{Amount, Asset, AssetKind, CURRENCY_SCALE, TOKEN_SCALE};

    fn of_tokens(text: &str) -> Amount {
        Amount::parse(text, TOKEN_SCALE).unwrap()
    }

    fn currency(code: &str) -> Asset {
        Asset {
            asset_id: 1,
            code: code.to_owned(),
            kind: AssetKind::Currency,
            book_id: None,
            scale: CURRENCY_SCALE,
        }
    }

    fn in_money(text: &str, code: &str) -> String {
        let amount = Amount::parse(text, CURRENCY_SCALE).unwrap();
        money(amount, &currency(code))
    }

    fn each(text: &str, code: &str) -> String {
        let amount = Amount::parse(text, CURRENCY_SCALE).unwrap();
        price_each(amount, &currency(code))
    }

    #[test]
    fn tokens_have_commas_a_true_minus_and_their_unit() {
        for (given, shown) in [
            ("0", "0 tokens"),
            ("1", "1 token"),
            ("-1", "\u{2212}1 token"),
            ("1.5", "1.5 tokens"),
            ("999", "999 tokens"),
            ("1000", "1,000 tokens"),
            ("-25370", "\u{2212}25,370 tokens"),
            ("1234567.890000", "1,234,567.89 tokens"),
            ("0.000001", "0.000001 tokens"),
        ] {
            assert_eq!(tokens(of_tokens(given)).to_string(), shown);
        }
        let most = Amount::from_units(i64::MAX);
        assert_eq!(tokens(most).number, "9,223,372,036,854.775807");
        let least = Amount::from_units(i64::MIN);
        assert_eq!(tokens(least).number, "\u{2212}9,223,372,036,854.775808");
    }

    #[test]
    fn a_change_says_which_way() {
        assert_eq!(change(of_tokens("200")).to_string(), "+200 tokens");
        assert_eq!(change(of_tokens("-40")).to_string(), "\u{2212}40 tokens");
        assert_eq!(change(of_tokens("0")).to_string(), "0 tokens");
    }

    /// SHP-18
    #[test]
    fn money_has_its_symbol_and_its_decimals() {
        for (given, code, shown) in [
            ("18", "USD", "$18.00"),
            ("5.8", "USD", "$5.80"),
            ("-2537", "USD", "\u{2212}$2,537.00"),
            ("0.5", "GBP", "£0.50"),
            ("1000000", "EUR", "€1,000,000.00"),
            ("1200", "JPY", "¥1,200"),
            ("0.5", "JPY", "¥0.5"),
            ("12", "CHF", "CHF\u{a0}12.00"),
            ("1.5", "KWD", "KWD\u{a0}1.500"),
            ("0.00012", "USD", "$0.00012"),
        ] {
            assert_eq!(in_money(given, code), shown);
        }
    }

    #[test]
    fn a_token_below_one_unit_costs_cents() {
        for (given, code, shown) in [
            ("0.1", "USD", "10 ¢"),
            ("0.01", "EUR", "1 ¢"),
            ("0.105", "USD", "10.5 ¢"),
            ("0.1", "GBP", "10 p"),
            ("0.1", "CHF", "CHF\u{a0}0.10"),
            ("1", "USD", "$1.00"),
            ("10", "JPY", "¥10"),
            ("0", "USD", "$0.00"),
        ] {
            assert_eq!(each(given, code), shown);
        }
    }

    #[test]
    fn times_are_short_and_say_their_zone() {
        let at = Timestamp::parse("2026-11-21T14:02:59Z").unwrap();
        assert_eq!(When::day(at).words, "21 Nov 2026");
        assert_eq!(When::minute(at).words, "21 Nov 2026 14:02 UTC");
        assert_eq!(When::minute(at).machine, "2026-11-21T14:02:59Z");
        let before = Timestamp::parse("2025-02-03T00:00:00Z").unwrap();
        assert_eq!(When::day_near(at, at).words, "21 Nov");
        assert_eq!(When::day_near(before, at).words, "3 Feb 2025");
        assert_eq!(When::day(Timestamp::NEVER).words, "never");
        assert_eq!(When::day_near(Timestamp::NEVER, at).words, "never");
    }

    #[test]
    fn counts_agree_with_their_nouns() {
        assert_eq!(count(-1000), "\u{2212}1,000");
        assert_eq!(counted(1, "piece", "pieces"), "1 piece");
        assert_eq!(counted(0, "piece", "pieces"), "0 pieces");
        assert_eq!(counted(1000, "entry", "entries"), "1,000 entries");
    }

    /// SHP-09
    #[test]
    fn downloads_say_size_and_time() {
        for (kilobytes, shown, time) in [
            (40, "40 kB", "under 1 minute"),
            (41_000, "41 MB", "under 1 minute"),
            (86_400, "86 MB", "about 1 minute"),
            (1_500, "1.5 MB", "under 1 minute"),
            (120_000, "120 MB", "about 2 minutes"),
            (1_250_000, "1.2 GB", "about 21 minutes"),
            (40_000_000, "40 GB", "about 11 hours"),
        ] {
            assert_eq!(size(kilobytes), shown);
            assert_eq!(download_time(kilobytes), time);
        }
    }
}
