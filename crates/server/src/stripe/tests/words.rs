//! Signatures, known from elsewhere, and words.

use crate::stripe::signature::{TOLERANCE_S, Wrong, check};
use crate::stripe::{keep, words};
use serde_json::json;

const BODY: &[u8] = br#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}"#;
const SIGNED_AT: i64 = 1_700_000_000;
/// Made by `openssl dgst -sha256 -hmac whsec_vector` of the time, a dot and the body.
const VECTOR: &str = "95e12fa364fb1d1e7cef03128d5b5bdecf3962cf88cbbcd726a1fb2eb3b9ea84";
/// The same with `whsec_other`.
const OTHER: &str = "7760e255648e56bc4f3ee9de6c5f6cb88b9a824f2227d1c2316eae207e697713";

fn header(signature: &str) -> String {
    format!("t={SIGNED_AT},v1={signature},v0=old")
}

fn checked(header: &str, now: i64) -> Result<(), Wrong> {
    check(header, BODY, &["whsec_vector"], now)
}

#[test]
fn a_signature_known_from_elsewhere_holds() {
    let header = header(VECTOR);
    assert_eq!(checked(&header, SIGNED_AT), Ok(()));
    for late in [TOLERANCE_S, -TOLERANCE_S] {
        assert_eq!(checked(&header, SIGNED_AT + late), Ok(()));
    }
    for late in [TOLERANCE_S + 1, -TOLERANCE_S - 1, i64::MAX] {
        let now = SIGNED_AT.saturating_add(late);
        assert_eq!(checked(&header, now), Err(Wrong::Time));
    }
    let two = format!("t={SIGNED_AT},v1={OTHER},v1={VECTOR}");
    assert_eq!(checked(&two, SIGNED_AT), Ok(()), "one of several is enough");
    let secrets = ["whsec_old", "whsec_vector"];
    assert_eq!(check(&header, BODY, &secrets, SIGNED_AT), Ok(()));
}

#[test]
fn whatever_is_changed_breaks_the_signature() {
    assert_eq!(checked(&header(OTHER), SIGNED_AT), Err(Wrong::Signature));
    let later = header(VECTOR).replace("1700000000", "1700000001");
    assert_eq!(checked(&later, SIGNED_AT), Err(Wrong::Signature));
    let changed = BODY
        .iter()
        .map(|b| b ^ u8::from(*b == b'1'))
        .collect::<Vec<_>>();
    let other = check(&header(VECTOR), &changed, &["whsec_vector"], SIGNED_AT);
    assert_eq!(other, Err(Wrong::Signature));
    let nobody = check(&header(VECTOR), BODY, &[], SIGNED_AT);
    assert_eq!(
        nobody,
        Err(Wrong::Signature),
        "without a secret nothing is believed"
    );
    let short = &VECTOR[..62];
    for odd in [
        "",
        "t=1700000000",
        "v1=00",
        &format!("v1={VECTOR}"),
        &format!("t=,v1={VECTOR}"),
        &format!("t=99999999999999999999,v1={VECTOR}"),
        &format!("t=1700000000,v1={short}"),
        &format!("t=1700000000,v1={}é", &VECTOR[..62]),
        &format!("t=1700000000,v0={VECTOR}"),
    ] {
        assert_eq!(checked(odd, SIGNED_AT), Err(Wrong::Header), "{odd:?}");
    }
}

/// REG-09: a decline says what to do next, whatever the code.
#[test]
fn declines_say_what_to_do() {
    let words = |decline, code| words::declined(decline, code);
    assert!(words("insufficient_funds", "card_declined").contains("not enough money"));
    assert!(words("", "expired_card").contains("expired"));
    assert!(words("never_seen", "card_declined").contains("another card"));
    assert!(words("", "").contains("another card"));
}

#[test]
fn a_card_without_its_digits_is_not_kept() {
    let card = |last4: &str| json!({"card": {"brand": "visa", "last4": last4, "exp_year": 2030, "exp_month": 4}});
    let looks = keep::looks(&card("4242")).unwrap();
    assert_eq!((looks.brand.as_str(), looks.expiry_month), ("Visa", 4));
    for odd in ["", "42424242", "<b>4", "٤٢٤٢"] {
        assert_eq!(keep::looks(&card(odd)), None, "{odd}");
    }
    assert_eq!(keep::looks(&json!({"card": {}})), None);
}
