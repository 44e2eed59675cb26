//! Pure decisions about secrets.

use super::{Attempts, CODE_LENGTH, SecretError, SecretKind};
use scrip_engine::Timestamp;

/// Refuses what is easy to guess, or no secret of this kind.
pub(super) fn acceptable(kind: SecretKind, secret: &str) -> Result<(), SecretError> {
    match kind {
        SecretKind::Pin => {
            let digits = secret.bytes().all(|b| b.is_ascii_digit());
            if !digits || !(4..=8).contains(&secret.len()) {
                return Err(SecretError::PinShape);
            }
            let bytes = secret.as_bytes();
            let steps: Vec<i16> = bytes
                .windows(2)
                .map(|w| i16::from(w[1]).saturating_sub(i16::from(w[0])))
                .collect();
            let same_step = steps.windows(2).all(|w| w[0] == w[1]);
            if same_step && steps.first().is_some_and(|s| s.abs() <= 1) {
                return Err(SecretError::PinWeak);
            }
            Ok(())
        }
        SecretKind::Password if (10..=200).contains(&secret.chars().count()) => Ok(()),
        SecretKind::Password => Err(SecretError::PasswordShape),
    }
}

/// Wrong attempts in a row before a secret is locked.
pub(super) const ATTEMPTS_ALLOWED: i64 = 5;
/// The first lock; each further wrong attempt doubles it.
const FIRST_LOCK_S: i64 = 15 * 60;
/// A day: the longest lock.
const LONGEST_LOCK_S: i64 = 24 * 3600;
/// Attempts of a week ago count no more. Attempts at names that nobody has cannot be kept for
/// ever, and those at names that exist must not differ from them. Five guesses a week are fewer
/// than the longest lock allows.
const FORGOTTEN_S: i64 = 7 * 24 * 3600;

/// One attempt more; or until when none is allowed.
pub(super) fn counted(attempts: Attempts, now: Timestamp) -> Result<Attempts, Timestamp> {
    if attempts.locked_until > now {
        return Err(attempts.locked_until);
    }
    let before = if attempts.locked_until <= forgotten_before(now) {
        0
    } else {
        attempts.failures
    };
    let failures = before.saturating_add(1);
    Ok(Attempts {
        failures,
        locked_until: locked_until(failures, now).unwrap_or(now),
    })
}

/// Attempts whose lock ended at this time or before count no more.
pub(super) fn forgotten_before(now: Timestamp) -> Timestamp {
    now.plus_seconds(FORGOTTEN_S.saturating_neg())
}

/// Until when a secret is locked after `failures` wrong attempts in a row; `None` when it is not.
pub(super) fn locked_until(failures: i64, now: Timestamp) -> Option<Timestamp> {
    let beyond = failures.checked_sub(ATTEMPTS_ALLOWED).filter(|b| *b >= 0)?;
    let shift = u32::try_from(beyond).unwrap_or(u32::MAX).min(16);
    let seconds = FIRST_LOCK_S.saturating_mul(1_i64.checked_shl(shift).unwrap_or(i64::MAX));
    Some(now.plus_seconds(seconds.min(LONGEST_LOCK_S)))
}

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648, section 5, without padding.
pub(super) fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let three = [0, 1, 2].map(|i| group.get(i).copied().unwrap_or(0));
        let sextets = [
            three[0] >> 2,
            (three[0] & 0x03) << 4 | three[1] >> 4,
            (three[1] & 0x0f) << 2 | three[2] >> 6,
            three[2] & 0x3f,
        ];
        for sextet in sextets.iter().take(group.len().saturating_add(1)) {
            text.extend(BASE64URL.get(usize::from(*sextet)).map(|b| char::from(*b)));
        }
    }
    text
}

/// Crockford's base 32: no I, L, O and U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One character for each byte, with a hyphen in the middle.
pub(super) fn code(bytes: &[u8; CODE_LENGTH]) -> String {
    let mut text: String = bytes
        .iter()
        .filter_map(|byte| CROCKFORD.get(usize::from(byte & 31)))
        .map(|b| char::from(*b))
        .collect();
    text.insert(CODE_LENGTH / 2, '-');
    text
}

pub(super) fn code_read(typed: &str) -> Option<String> {
    let mut text = String::new();
    for c in typed.chars() {
        let c = match c.to_ascii_uppercase() {
            '-' | ' ' | '\u{a0}' => continue,
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let known = u8::try_from(c).is_ok_and(|b| CROCKFORD.contains(&b));
        if !known || text.len() == CODE_LENGTH {
            return None;
        }
        text.push(c);
    }
    (text.len() == CODE_LENGTH).then_some(text)
}
