//! Whether a message comes from Stripe, and just now.
//!
//! The header has a time and one or more signatures: `t=1700000000,v1=…,v1=…`. Each is the HMAC
//! with SHA-256, in hexadecimal digits, of the time, a dot and the body as it came.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far the time of a message may be from now, in seconds.
pub const TOLERANCE_S: i64 = 300;

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The header cannot be read.
    Header,
    /// No secret of ours made the signature.
    Signature,
    /// It was signed too long ago, or for later.
    Time,
}

/// Checks a message. Any of the secrets may have signed it, so that a secret can be changed while
/// messages are on their way. Times of comparing tell nothing of the signature.
pub fn check(header: &str, body: &[u8], secrets: &[&str], now_s: i64) -> Result<(), Wrong> {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => time = Some(value),
            Some(("v1", value)) => signatures.push(value),
            _ => {}
        }
    }
    let time = time.ok_or(Wrong::Header)?;
    let signed_at: i64 = time.parse().map_err(|_| Wrong::Header)?;
    let signatures: Vec<Vec<u8>> = signatures.into_iter().filter_map(bytes).collect();
    if signatures.is_empty() {
        return Err(Wrong::Header);
    }
    let is_ours = secrets.iter().any(|secret| {
        signatures
            .iter()
            .any(|signature| is_signed(secret, time, body, signature))
    });
    if !is_ours {
        return Err(Wrong::Signature);
    }
    if now_s.saturating_sub(signed_at).saturating_abs() > TOLERANCE_S {
        return Err(Wrong::Time);
    }
    Ok(())
}

fn is_signed(secret: &str, time: &str, body: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

/// 64 hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    (0..64)
        .step_by(2)
        .map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok())
        .collect()
}
