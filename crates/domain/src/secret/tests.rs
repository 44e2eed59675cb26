//! Locks, PINs, passwords, tokens and codes: tables without a database.

use super::rules::{
    ATTEMPTS_ALLOWED, base64url, code, code_read, counted, forgotten_before, locked_until,
};
use super::{
    Attempts, NOBODY, SecretError, SecretKind, compare, is_token, same_hash, secret_hash,
    token_hash,
};
use argon2::PasswordHash;
use scrip_engine::Timestamp;

#[test]
fn locks_begin_at_the_fifth_failure_and_double_up_to_a_day() {
    let now = Timestamp(1_000_000);
    assert_eq!(ATTEMPTS_ALLOWED, 5);
    for failures in [-1, 0, 1, 4] {
        assert_eq!(locked_until(failures, now), None, "{failures}");
    }
    for (failures, minutes) in [
        (5, 15),
        (6, 30),
        (7, 60),
        (8, 120),
        (11, 960),
        (12, 1_440),
        (13, 1_440),
        (60, 1_440),
        (i64::MAX, 1_440),
    ] {
        let until = Some(now.plus_seconds(minutes * 60));
        assert_eq!(locked_until(failures, now), until, "{failures}");
    }
}

#[test]
fn weak_and_malformed_secrets_are_refused() {
    let refused = |kind, secret: &str| secret_hash(kind, secret).err();
    for pin in [
        "",
        "1",
        "123",
        "123456789",
        "12a4",
        "12 4",
        "١٢٣٤",
        "１２３４",
        "-123",
    ] {
        assert_eq!(
            refused(SecretKind::Pin, pin),
            Some(SecretError::PinShape),
            "{pin}"
        );
    }
    for pin in ["0000", "1111", "1234", "4321", "98765432", "3456", "000000"] {
        assert_eq!(
            refused(SecretKind::Pin, pin),
            Some(SecretError::PinWeak),
            "{pin}"
        );
    }
    for pin in ["2580", "1357", "1122", "90871"] {
        assert_eq!(refused(SecretKind::Pin, pin), None, "{pin}");
    }
    for password in ["", "123456789", "ééééééééé", &"x".repeat(201)] {
        let shape = Some(SecretError::PasswordShape);
        assert_eq!(
            refused(SecretKind::Password, password),
            shape,
            "{password:.20}"
        );
    }
    assert_eq!(refused(SecretKind::Password, "éééééééééé"), None);
}

/// SHP-03: where there is no secret, as much is computed as where there is one.
#[test]
fn nobody_is_compared_as_slowly() {
    let parsed = PasswordHash::new(NOBODY).expect("a hash that can be compared with");
    let real = secret_hash(SecretKind::Pin, "2580").unwrap();
    let real_parsed = PasswordHash::new(&real).unwrap();
    assert_eq!(parsed.algorithm, real_parsed.algorithm);
    assert_eq!(parsed.version, real_parsed.version);
    assert_eq!(parsed.params.to_string(), real_parsed.params.to_string());
    let length = |h: &PasswordHash| h.hash.as_ref().map(|o| o.len());
    assert_eq!(length(&parsed), length(&real_parsed));
    assert!(compare(Some(&real), "2580"));
    for (hash, secret) in [
        (Some(real.as_str()), "2581"),
        (None, "2580"),
        (Some("rubbish"), "2580"),
    ] {
        assert!(!compare(hash, secret));
    }
}

#[test]
fn hashes_are_salted_and_do_not_tell_the_secret() {
    let hash = || secret_hash(SecretKind::Password, "correct horse battery").unwrap();
    let (first, second) = (hash(), hash());
    assert_ne!(first, second);
    assert!(first.starts_with("$argon2id$") && !first.contains("horse"));
}

/// Each attempt counts from the last one; none is taken while locked.
#[test]
fn attempts_are_counted_until_a_week_passed() {
    let start = Timestamp::parse("2026-03-01T09:00:00Z").unwrap();
    let mut attempts = Attempts::NONE;
    for failures in 1..=5 {
        attempts = counted(attempts, start).unwrap();
        assert_eq!(attempts.failures, failures);
    }
    let until = start.plus_seconds(15 * 60);
    assert_eq!(counted(attempts, start), Err(until));
    assert_eq!(counted(attempts, until.plus_seconds(-1)), Err(until));
    assert_eq!(counted(attempts, until).unwrap().failures, 6);
    let week = until.plus_seconds(7 * 24 * 3600);
    assert_eq!(
        counted(attempts, week.plus_seconds(-1)).unwrap().failures,
        6
    );
    assert_eq!(counted(attempts, week).unwrap().failures, 1, "starts over");
    // Fewer than a lock takes are kept as long: what is swept away is what no longer counts.
    let one = counted(Attempts::NONE, start).unwrap();
    assert_eq!(one.locked_until, start);
    let week = start.plus_seconds(7 * 24 * 3600);
    assert_eq!(counted(one, week.plus_seconds(-1)).unwrap().failures, 2);
    assert_eq!(counted(one, week).unwrap().failures, 1);
    assert_eq!(forgotten_before(week), start);
}

#[test]
fn tokens_are_written_as_rfc_4648_says() {
    for (bytes, text) in [
        (&b""[..], ""),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg"),
        (b"fooba", "Zm9vYmE"),
        (b"foobar", "Zm9vYmFy"),
        (&[0xfb, 0xff, 0xbf], "-_-_"),
    ] {
        assert_eq!(base64url(bytes), text);
    }
    assert!(is_token(&base64url(&[0xfb; 32])));
    for odd in ["", &"A".repeat(42), &"A".repeat(44), &"=".repeat(43)] {
        assert!(!is_token(odd), "{odd}");
    }
    assert!(!is_token(&format!("{}é", "A".repeat(41))), "43 bytes");
}

#[test]
fn hashes_are_the_same_or_not() {
    let hash = token_hash("a");
    assert!(same_hash(&hash, &token_hash("a")));
    for at in 0..32 {
        let mut other = hash;
        other[at] ^= 0x80;
        assert!(!same_hash(&hash, &other), "{at}");
    }
    assert!(!same_hash(&hash, &hash[..31]) && !same_hash(&[], &hash));
}

/// Codes are read as people type them, and nothing else is.
#[test]
fn codes_are_read_as_typed() {
    assert_eq!(
        code(&[0, 1, 10, 17, 18, 19, 20, 31, 32, 255]),
        "01AHJ-KMZ0Z"
    );
    for byte in 0..=255 {
        let written = code(&[byte; 10]);
        assert_eq!(code_read(&written), Some(written.replace('-', "")));
    }
    let read = Some("0112A3B4C0".to_owned());
    for typed in [
        "0112A-3B4C0",
        "oil2a-3b4co",
        "O I l 2 A 3 b 4 C o",
        "--0112A3B4C0",
    ] {
        assert_eq!(code_read(typed), read, "{typed}");
    }
    for odd in [
        "",
        "0112A-3B4C",
        "0112A-3B4C00",
        "0112A-3B4CU",
        "0112A_3B4C0",
        "0112A-3B4Cé",
    ] {
        assert_eq!(code_read(odd), None, "{odd}");
    }
}
