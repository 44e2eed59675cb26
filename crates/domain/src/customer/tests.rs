//! Account numbers, stages, activation, reset codes: tables without a database.

use super::number::{AccountNumber, NumberError};
use super::rules::{activates, codes_left, stage_follows};
use super::{CustomerError, Details, Person};
use scrip_ledger::Amount;
use std::collections::HashSet;

fn numbers() -> Vec<AccountNumber> {
    let mut numbers = Vec::new();
    for book in [1, 7, 42, 999, 1_000, 123_456, 999_999_999_999] {
        for n in [1, 2, 3, 10, 97, 12_345, 99_999_999] {
            numbers.push(AccountNumber::nth(book, n).unwrap());
        }
    }
    numbers
}

fn digits(number: AccountNumber) -> String {
    number.to_string().replace('-', "")
}

/// REG-06: a number is read back as it is written, with or without hyphens and spaces.
#[test]
fn numbers_are_read_back() {
    for number in numbers() {
        let text = number.to_string();
        assert_eq!(AccountNumber::parse(&text).unwrap(), number);
        assert_eq!(AccountNumber::parse(&digits(number)).unwrap(), number);
        let spaced: String = text.chars().flat_map(|c| [c, ' ']).collect();
        assert_eq!(AccountNumber::parse(&spaced).unwrap(), number);
        let no_break = text.replace('-', "\u{a0}");
        assert_eq!(AccountNumber::parse(&no_break).unwrap(), number);
        let json = serde_json::to_string(&number).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(
            serde_json::from_str::<AccountNumber>(&json).unwrap(),
            number
        );
    }
}

/// REG-06: the check digits catch every single wrong digit.
#[test]
fn every_wrong_digit_is_caught() {
    for number in numbers() {
        let right = digits(number).into_bytes();
        for at in 0..right.len() {
            for digit in b'0'..=b'9' {
                let mut typed = right.clone();
                typed[at] = digit;
                let typed = String::from_utf8(typed).unwrap();
                let read = AccountNumber::parse(&typed);
                if digit == right[at] {
                    assert_eq!(read.unwrap(), number);
                } else {
                    assert!(read.is_err(), "{typed} for {number}");
                }
            }
        }
    }
}

/// REG-06: the check digits catch every swap of neighbours.
#[test]
fn every_swap_of_neighbours_is_caught() {
    for number in numbers() {
        let right = digits(number).into_bytes();
        for at in 1..right.len() {
            let mut typed = right.clone();
            typed.swap(at - 1, at);
            if typed != right {
                let typed = String::from_utf8(typed).unwrap();
                assert!(
                    AccountNumber::parse(&typed).is_err(),
                    "{typed} for {number}"
                );
            }
        }
    }
}

/// REG-06: numbers are unique in a book and over books, and neighbours in time lie far apart.
#[test]
fn numbers_are_unique_and_spread() {
    let mut seen = HashSet::new();
    for book in [1, 2] {
        for n in 1..20_000 {
            let number = AccountNumber::nth(book, n).unwrap();
            assert_eq!(number.book_id(), book);
            assert!(seen.insert(number.to_string()), "{number}");
        }
    }
    let (first, second) = (AccountNumber::nth(1, 1), AccountNumber::nth(1, 2));
    let apart = first.unwrap().serial().abs_diff(second.unwrap().serial());
    assert!(apart > 1_000_000);
    for beyond in [0, -1, 100_000_000, i64::MAX] {
        assert_eq!(AccountNumber::nth(1, beyond), Err(NumberError::UsedUp));
    }
}

#[test]
fn what_is_no_number_is_malformed() {
    let number = AccountNumber::nth(1, 7).unwrap();
    let right = digits(number);
    let (book, rest) = right.split_at(3);
    let arabic: String = right
        .bytes()
        .filter_map(|d| char::from_u32(0x660 + u32::from(d - b'0')))
        .collect();
    let full_width: String = right
        .bytes()
        .filter_map(|d| char::from_u32(0xff10 + u32::from(d - b'0')))
        .collect();
    for text in [
        "",
        " - ",
        "1",
        &right[1..],
        &format!("0{right}"),
        &format!("{book}{rest}x"),
        &format!("+{right}"),
        &format!("{book}.{rest}"),
        &format!("{book}\t{rest}"),
        &arabic,
        &full_width,
        &"9".repeat(23),
        &"9".repeat(10_000),
        "cus_01h455vb4pex5vsknk084sn02q",
    ] {
        let read = AccountNumber::parse(text);
        assert!(
            matches!(read, Err(NumberError::Malformed(t)) if t.chars().count() <= 40),
            "{text:.30}"
        );
    }
}

/// The same serial in another book has other check digits: a number names its vendor.
#[test]
fn a_number_of_another_book_is_another_number() {
    let (here, there) = (
        AccountNumber::nth(1, 7).unwrap(),
        AccountNumber::nth(2, 7).unwrap(),
    );
    assert_ne!(here, there);
    let moved = digits(here).replacen("001", "002", 1);
    let read = AccountNumber::parse(&moved);
    assert!(matches!(read, Err(NumberError::CheckDigits(_))));
    let known = AccountNumber::nth(1, 1).unwrap();
    assert_eq!(known.to_string(), "001-4827-1003-86");
}

#[test]
fn a_corrupt_serial_is_not_read() {
    for serial in [-1, 100_000_000, i64::MIN, i64::MAX] {
        assert!(AccountNumber::from_row(1, serial).is_err());
    }
    assert!(AccountNumber::from_row(1, 0).is_ok());
}

/// REG-02: each stage follows the one before it and no other.
#[test]
fn no_stage_can_be_skipped_or_repeated() {
    let stages = ["informed", "details", "account"];
    for (i, at) in stages.iter().enumerate() {
        for (j, wanted) in stages.into_iter().enumerate() {
            let follows = stage_follows(at, wanted);
            assert_eq!(follows.is_ok(), j == i + 1, "{wanted} after {at}");
            if let Err(error) = follows {
                let is_told = matches!(error, CustomerError::WrongStage { at: told, wanted: w }
                    if told == *at && w == wanted);
                assert!(is_told);
            }
        }
    }
    for odd in ["", "closed", "Details"] {
        assert!(stage_follows(odd, "details").is_err());
    }
}

/// REG-07: MT 50: 49 stays inactive, one more activates, and so does 80 at once.
#[test]
fn the_minimum_activates() {
    let tokens = |n: i64| Amount::from_units(n * 1_000_000);
    for (acquired, active) in [
        (tokens(0), false),
        (tokens(49), false),
        (Amount::from_units(49_999_999), false),
        (tokens(50), true),
        (tokens(80), true),
    ] {
        assert_eq!(activates(acquired, tokens(50)), active, "{acquired}");
    }
    assert!(activates(tokens(0), tokens(0)));
}

/// A reset code dies with its fifth wrong try.
#[test]
fn codes_have_five_tries() {
    for (failures, left) in [(0, 5), (1, 4), (4, 1), (5, 0), (6, 0), (i64::MAX, 0)] {
        assert_eq!(codes_left(failures), left, "{failures}");
    }
}

#[test]
fn stored_details_with_unknown_fields_are_not_guessed() {
    let details: Details = serde_json::from_str("{}").unwrap();
    assert!(details.person.is_empty());
    assert!(serde_json::from_str::<Person>(r#"{"nickname":"x"}"#).is_err());
}
