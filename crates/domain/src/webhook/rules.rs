//! Pure decisions about webhooks: addresses, topics, signatures, when an endpoint is tried again.

use super::WebhookError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use scrip_engine::Timestamp;
use sha2::Sha256;

/// What an endpoint may be told of.
pub const TOPICS: &[&str] = &[
    "balance.low",
    "customer.activated",
    "customer.adjusted",
    "customer.changed",
    "customer.closed",
    "customer.erased",
    "customer.known_at",
    "customer.merged",
    "customer.pin_changed",
    "customer.registered",
    "exchange.done",
    "gift.held",
    "lot.expiring",
    "mall.deposit_low",
    "open_order.completed",
    "open_token.issued",
    "order.completed",
    "order.delivered",
    "order.not_sent",
    "order.refunded",
    "order.refused",
    "order.returned",
    "order.shipped",
    "refund.declined",
    "refund.requested",
    "token_order.awaiting",
    "token_order.cleared",
    "token_order.declined",
    "token_order.failed",
    "token_order.opened",
    "token_order.paid_back",
    "token_order.pay_back",
    "tokens.given",
    "top_up.failed",
];

/// The topic of the trial that staff ask for.
pub const TEST_TOPIC: &str = "webhook.test";

const URL_AT_MOST: usize = 500;

/// An address that can be called: `https`, or `http` too where `open` says that the operator
/// allows it; without a user's name and password.
pub(super) fn url_checked(text: &str, open: bool) -> Result<String, WebhookError> {
    let wrong = |why: &'static str| WebhookError::Address { why };
    if text.len() > URL_AT_MOST {
        return Err(wrong("it has more than 500 characters"));
    }
    let url = url::Url::parse(text.trim()).map_err(|_| wrong("it is no address"))?;
    match url.scheme() {
        "https" => {}
        "http" if open => {}
        "http" => return Err(wrong("it must begin with https://")),
        _ => return Err(wrong("it must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("a user's name or password may not be in it"));
    }
    if url.fragment().is_some() {
        return Err(wrong("a part after # is never sent"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("it names no host"));
    }
    Ok(url.to_string())
}

/// Topics each once, in their order; none for all of them.
pub(super) fn topics_checked(wanted: &[String]) -> Result<Vec<String>, WebhookError> {
    if let Some(unknown) = wanted.iter().find(|t| !TOPICS.contains(&t.as_str())) {
        return Err(WebhookError::TopicUnknown(
            unknown.chars().take(60).collect(),
        ));
    }
    let kept = TOPICS.iter().filter(|t| wanted.iter().any(|w| w == *t));
    Ok(kept.map(|t| (*t).to_owned()).collect())
}

const SECRET_PREFIX: &str = "whsec_";

/// A secret as its owner gets it.
pub(super) fn secret_written(bytes: &[u8]) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes))
}

/// The header `webhook-signature` of the Standard Webhooks specification: one signature for each
/// secret, apart by a space.
pub(super) fn signatures(secrets: &[Vec<u8>], id: &str, seconds: i64, body: &str) -> String {
    let mut header = String::new();
    for secret in secrets {
        // HMAC takes keys of every length.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(secret) else {
            continue;
        };
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        if !header.is_empty() {
            header.push(' ');
        }
        header.push_str("v1,");
        header.push_str(&STANDARD.encode(mac.finalize().into_bytes()));
    }
    header
}

/// When an endpoint is called again after so many failures in a row: 2, 4, 8 … seconds, five minutes
/// at most, so that one that does not answer costs little.
pub(super) fn paused_until(now: Timestamp, failures: i64) -> Timestamp {
    let seconds = 1_i64 << failures.clamp(1, 9);
    now.plus_seconds(seconds.min(300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_be_called() {
        for (text, open, right) in [
            ("https://shop.example/hook", false, true),
            (" https://shop.example/hook?a=1 ", false, true),
            ("http://shop.example/hook", false, false),
            ("http://127.0.0.1:9000/", true, true),
            ("ftp://shop.example/", true, false),
            ("file:///etc/passwd", true, false),
            ("https://user:pass@shop.example/", true, false),
            ("https://shop.example/#part", true, false),
            ("shop.example", true, false),
            ("", true, false),
            ("https://", true, false),
            ("javascript:alert(1)", true, false),
        ] {
            assert_eq!(url_checked(text, open).is_ok(), right, "{text}");
        }
        assert!(url_checked(&format!("https://a.example/{}", "x".repeat(600)), true).is_err());
    }

    /// The example of the Standard Webhooks specification's reference libraries.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let header = signatures(
            std::slice::from_ref(&secret),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(header, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let two = signatures(&[secret.clone(), secret], "msg_1", 1, "{}");
        assert_eq!(two.split(' ').count(), 2);
    }

    #[test]
    fn pauses_grow_and_end() {
        let now = Timestamp(0);
        let at = |n| paused_until(now, n).0 / 1_000_000;
        assert_eq!([at(1), at(2), at(3), at(9), at(500)], [2, 4, 8, 300, 300]);
    }
}
