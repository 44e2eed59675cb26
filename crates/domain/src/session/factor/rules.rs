//! Codes by time (RFC 6238): SHA-1, six digits, thirty seconds, as every app has them.

use hmac::{Hmac, KeyInit, Mac};
use scrip_engine::Timestamp;
use sha1::Sha1;

/// As RFC 4226 recommends.
pub(super) const SECRET_BYTES: usize = 20;
const STEP_S: i64 = 30;
/// Steps by which a clock may be early or late.
const WINDOW: i64 = 1;
const MODULUS: u32 = 1_000_000;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648, section 6; the secret's 20 bytes need no padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| (byte >> place) & 1))
        .collect();
    bits.chunks(5)
        .filter_map(|five| {
            let value = five.iter().fold(0_u8, |value, bit| (value << 1) | bit);
            let value = value << 5_usize.saturating_sub(five.len());
            BASE32.get(usize::from(value)).map(|b| char::from(*b))
        })
        .collect()
}

/// The code of a step.
pub(super) fn code(secret: &[u8], step: i64) -> String {
    let Ok(mut mac) = <Hmac<Sha1> as KeyInit>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    // The last four bits say where the four bytes are; 15 + 4 bytes fit into the 20 of SHA-1.
    let from = usize::from(hash.last().copied().unwrap_or(0) & 15);
    let four = hash.iter().skip(from).take(4);
    let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    let number = (number & 0x7fff_ffff).checked_rem(MODULUS).unwrap_or(0);
    format!("{number:06}")
}

/// The step that a code as typed belongs to, if it is near now and later than the last one that
/// was taken.
pub(super) fn step_of(secret: &[u8], typed: &str, now: Timestamp, last: i64) -> Option<i64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let step = now.0.checked_div(1_000_000)?.checked_div(STEP_S)?;
    let near = step.saturating_sub(WINDOW)..=step.saturating_add(WINDOW);
    near.filter(|step| *step > last)
        .find(|step| crate::secret::same_hash(code(secret, *step).as_bytes(), digits.as_bytes()))
}
