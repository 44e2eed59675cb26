//! Codes against the published ones, and which are taken when.

#![allow(clippy::arithmetic_side_effects)]

use super::rules::{base32, code, step_of};
use scrip_engine::Timestamp;

const SECRET: &[u8] = b"12345678901234567890";

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}

/// SHP-03: the table of RFC 6238, appendix B, in its last six digits.
#[test]
fn codes_are_those_of_the_standard() {
    for (seconds, expected) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        assert_eq!(code(SECRET, seconds / 30), expected, "{seconds}");
    }
}

/// RFC 4648, section 10, without padding.
#[test]
fn secrets_are_written_in_base_32() {
    for (text, expected) in [
        ("", ""),
        ("f", "MY"),
        ("fo", "MZXQ"),
        ("foo", "MZXW6"),
        ("foob", "MZXW6YQ"),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ] {
        assert_eq!(base32(text.as_bytes()), expected);
    }
}

/// SHP-03: a code is taken half a minute early or late, and once: none that is not later than the
/// last one.
#[test]
fn a_code_is_taken_near_its_time_and_once() {
    let (now, step) = (at(2_000_000_010), 2_000_000_010 / 30);
    let is_taken = |of: i64, last: i64| step_of(SECRET, &code(SECRET, of), now, last);
    for (of, last, taken) in [
        (step, 0, true),
        (step - 1, 0, true),
        (step + 1, 0, true),
        (step - 2, 0, false),
        (step + 2, 0, false),
        (step, step, false),
        (step - 1, step, false),
        (step + 1, step, true),
    ] {
        assert_eq!(is_taken(of, last), taken.then_some(of), "{of} after {last}");
    }
    let spaced = format!(
        " {} {} ",
        &code(SECRET, step)[..3],
        &code(SECRET, step)[3..]
    );
    assert_eq!(step_of(SECRET, &spaced, now, 0), Some(step));
    for typed in ["", "12345", "1234567", "28708a", "٢٨٧٠٨٢"] {
        assert_eq!(step_of(SECRET, typed, now, 0), None, "{typed}");
    }
}
