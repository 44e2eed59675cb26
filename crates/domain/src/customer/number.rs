//! Account numbers: for people, with check digits, carrying their book.
//!
//! The digits are the book (three or more), eight digits of the customer, and two check digits by
//! ISO 7064 MOD 97-10, which find every single wrong digit and every swap of neighbours. Written
//! with hyphens: `001-8271-0007-42`.

use scrip_engine::Error as EngineError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Customers per book.
const SERIALS: i64 = 100_000_000;
/// Has no factor in common with [`SERIALS`], so that multiplying by it is one to one. Numbers of
/// customers who register one after another then lie far apart: a slip does not hit a neighbour.
const SPREAD: i64 = 48_271_003;

/// An account number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountNumber {
    book_id: i64,
    serial: i64,
}

/// Why a text is no account number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not the digits of one.
    #[error("{0:?} is no account number: it has 13 or more digits, for example 001-8271-0007-42")]
    Malformed(String),
    /// A digit is wrong.
    #[error("account number {0} has a wrong digit: compare it with the card or message it is from")]
    CheckDigits(String),
    /// No more numbers.
    #[error("this vendor has given out all of its 100000000 account numbers")]
    UsedUp,
}

impl AccountNumber {
    /// The number of a book's `n`th customer, counted from 1.
    pub(super) fn nth(book_id: i64, n: i64) -> Result<Self, NumberError> {
        if !(1..SERIALS).contains(&n) {
            return Err(NumberError::UsedUp);
        }
        let spread = n.checked_mul(SPREAD).and_then(|s| s.checked_rem(SERIALS));
        Ok(AccountNumber {
            book_id,
            serial: spread.ok_or(NumberError::UsedUp)?,
        })
    }

    pub(super) fn from_row(book_id: i64, serial: i64) -> Result<Self, EngineError> {
        if (0..SERIALS).contains(&serial) {
            Ok(AccountNumber { book_id, serial })
        } else {
            Err(EngineError::Corrupt(format!(
                "serial {serial} of a customer of book {book_id}"
            )))
        }
    }

    /// The book.
    pub fn book_id(self) -> i64 {
        self.book_id
    }

    pub(super) fn serial(self) -> i64 {
        self.serial
    }

    /// Reads a number as typed: spaces and hyphens anywhere.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let malformed = || NumberError::Malformed(text.chars().take(40).collect());
        let mut digits = String::new();
        for c in text.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' | '\u{a0}' => {}
                _ => return Err(malformed()),
            }
        }
        if !(13..=22).contains(&digits.len()) {
            return Err(malformed());
        }
        let (body, check) = digits.split_at(digits.len().saturating_sub(2));
        let (book, serial) = body.split_at(body.len().saturating_sub(8));
        let number = AccountNumber {
            book_id: book.parse().map_err(|_| malformed())?,
            serial: serial.parse().map_err(|_| malformed())?,
        };
        // Only the canonical form: no zeros before a longer book number.
        if number.digits().0 != body {
            return Err(malformed());
        }
        if check != number.digits().1 {
            return Err(NumberError::CheckDigits(number_format(body, check)));
        }
        Ok(number)
    }

    /// Body and check digits.
    fn digits(self) -> (String, String) {
        let body = format!("{:03}{:08}", self.book_id, self.serial);
        let rest = body.bytes().fold(0_u32, |rest, digit| {
            let digit = u32::from(digit.saturating_sub(b'0'));
            rest.saturating_mul(10)
                .saturating_add(digit)
                .checked_rem(97)
                .unwrap_or(0)
        });
        let rest = rest.saturating_mul(100).checked_rem(97).unwrap_or(0);
        let check = 98_u32.saturating_sub(rest);
        (body, format!("{check:02}"))
    }
}

fn number_format(body: &str, check: &str) -> String {
    let (book, serial) = body.split_at(body.len().saturating_sub(8));
    let (left, right) = serial.split_at(serial.len().min(4));
    format!("{book}-{left}-{right}-{check}")
}

impl fmt::Display for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (body, check) = self.digits();
        f.write_str(&number_format(&body, &check))
    }
}

impl TryFrom<String> for AccountNumber {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, NumberError> {
        AccountNumber::parse(&text)
    }
}

impl From<AccountNumber> for String {
    fn from(number: AccountNumber) -> String {
        number.to_string()
    }
}
