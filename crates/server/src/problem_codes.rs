//! What each problem of the API means. `type` of a problem leads here: `/docs#code`.

mod conflicts;

use conflicts::CONFLICTS;
use std::sync::LazyLock;

/// A kind of problem.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What programs compare.
    pub code: &'static str,
    /// The status with which it comes.
    pub status: u16,
    /// What it means and what to do.
    pub meaning: &'static str,
}

const fn kind(status: u16, code: &'static str, meaning: &'static str) -> Kind {
    Kind {
        code,
        status,
        meaning,
    }
}

/// All kinds, by status and code.
pub static KINDS: LazyLock<Vec<Kind>> =
    LazyLock::new(|| [BELOW_409, CONFLICTS, ABOVE_409].concat());

const BELOW_409: &[Kind] = &[
    kind(
        400,
        "body_truncated",
        "The body ended before its announced length. Send it again.",
    ),
    kind(
        400,
        "event_without_id",
        "A message of the card processor has no id, and was not kept.",
    ),
    kind(
        400,
        "form_invalid",
        "A part of a form that was sent with a file could not be read. Send it again.",
    ),
    kind(
        400,
        "idempotency_key_invalid",
        "An idempotency key has 1 to 255 visible ASCII characters without spaces, that of a batch at most 240.",
    ),
    kind(
        400,
        "idempotency_key_missing",
        "Every write needs the header Idempotency-Key.",
    ),
    kind(400, "json_invalid", "The body is not JSON."),
    kind(400, "not_utf8", "The body is not UTF-8."),
    kind(
        400,
        "signature_wrong",
        "A message was not signed by the card processor, or too long ago. Check the signing secret and the clock.",
    ),
    kind(
        401,
        "key_invalid",
        "The API key is missing, unknown, expired or revoked.",
    ),
    kind(
        402,
        "card_declined",
        "The card processor declined the card. No tokens or goods were sold; the problem says how many tries are left.",
    ),
    kind(
        402,
        "open_tokens_short",
        "The open tokens that are taken at this member do not pay for all of the order. Nothing was debited; a refused order has required and available, in the mall's currency.",
    ),
    kind(
        402,
        "tokens_restricted",
        "There are enough tokens, but some of them pay for products on sale only. Nothing was debited.",
    ),
    kind(
        402,
        "tokens_short",
        "The order needs more tokens than the account has. Nothing was debited; the problem has required, available and short.",
    ),
    kind(
        403,
        "cross_site",
        "The request came from a page of another site.",
    ),
    kind(
        403,
        "identity_check_needed",
        "The action needs a right answer to one of the vendor's questions first: GET /v1/customers/{id}/identity-check tells which, POST /v1/customers/{id}/identity-checks takes the answer. Then send the request again.",
    ),
    kind(
        403,
        "not_allowed",
        "The order has something that the parent did not allow for this child's account.",
    ),
    kind(
        403,
        "over_cap",
        "The order would pass a cap that the parent set for this child's account.",
    ),
    kind(
        403,
        "scope_missing",
        "The API key does not have the scope that the operation needs, or that it would give to another key.",
    ),
    kind(
        403,
        "staff_only",
        "Only the vendor's staff and programs may do this.",
    ),
    kind(
        404,
        "not_found",
        "There is nothing of this id, name or address at this vendor. What belongs to another vendor does not exist either.",
    ),
    kind(
        404,
        "registration_lapsed",
        "The registration is unknown, finished or took too long. Begin another.",
    ),
    kind(
        405,
        "method_not_allowed",
        "The address does not take this method; the header Allow names those that it takes.",
    ),
    kind(
        408,
        "body_too_slow",
        "The body did not arrive in time. Send it again.",
    ),
];

const ABOVE_409: &[Kind] = &[
    kind(
        413,
        "body_too_large",
        "The body is too large. Send less, or several requests.",
    ),
    kind(
        415,
        "media_type_unsupported",
        "The body must have another content type.",
    ),
    kind(
        422,
        "address_invalid",
        "The delivery address cannot be taken. The problem names the field.",
    ),
    kind(
        422,
        "address_missing",
        "Something of the order is sent, and the request does not say where to.",
    ),
    kind(
        422,
        "amount_invalid",
        "An amount is not one, has too many decimals or is too large.",
    ),
    kind(
        422,
        "api_key_invalid",
        "An API key cannot be made like this.",
    ),
    kind(422, "batch_size", "A batch has 1 to 1,000 orders."),
    kind(
        422,
        "card_invalid",
        "The card cannot be kept or used; the text says why.",
    ),
    kind(
        422,
        "catalog_invalid",
        "A product or an offer cannot be like this.",
    ),
    kind(
        422,
        "code_needed",
        "The customer has turned one-time codes on: send the code that the customer's app shows. No attempt was counted.",
    ),
    kind(
        422,
        "cursor_invalid",
        "The cursor is not one of this list. Use next of the page before.",
    ),
    kind(422, "customer_invalid", "A customer cannot be like this."),
    kind(
        422,
        "day_invalid",
        "A day is not written as 2026-11-21, or not one from 1970 on.",
    ),
    kind(
        422,
        "exchange_invalid",
        "The exchange cannot be as asked for; the detail says why.",
    ),
    kind(
        422,
        "family_invalid",
        "A limit or a text about a family cannot be.",
    ),
    kind(
        422,
        "field_invalid",
        "A field of the body is missing, unknown, repeated, of another type or out of bounds; the problem names it.",
    ),
    kind(422, "form_invalid", "A form of a page cannot be read."),
    kind(
        422,
        "gift_invalid",
        "Nothing can be given like this: see the number of tokens and the reason.",
    ),
    kind(
        422,
        "idempotency_key_reused",
        "The idempotency key was used for another request. Use a fresh one for each.",
    ),
    kind(422, "import_invalid", "The file is not a product export."),
    kind(
        422,
        "import_too_large",
        "The file is too large for one request. Split it.",
    ),
    kind(
        422,
        "limit_invalid",
        "The limit of a page is a number within the bounds of its list.",
    ),
    kind(
        422,
        "line_invalid",
        "A line names its offer by id or by SKU, not by both.",
    ),
    kind(
        422,
        "mall_invalid",
        "The mall cannot do this; the detail says why.",
    ),
    kind(
        422,
        "means_refused",
        "The vendor's policy does not take this means of payment here.",
    ),
    kind(
        422,
        "message_invalid",
        "This choice about messages cannot be made.",
    ),
    kind(
        422,
        "open_order_invalid",
        "The order cannot be paid by open tokens: it costs nothing, or has more lines and kinds of tokens than can be weighed.",
    ),
    kind(
        422,
        "open_token_invalid",
        "The tokens or certificates cannot be issued or listed like this: quantity, discount, expiry or kind.",
    ),
    kind(422, "order_empty", "An order has at least one line."),
    kind(
        422,
        "order_invalid",
        "An order or a refund cannot be like this.",
    ),
    kind(422, "policy_invalid", "A setting cannot be like this."),
    kind(
        422,
        "price_invalid",
        "No price, pack or tier can be like this.",
    ),
    kind(422, "promotion_invalid", "No promotion can be like this."),
    kind(
        422,
        "quantity_invalid",
        "The quantity cannot be had of this offer.",
    ),
    kind(
        422,
        "query_invalid",
        "The query has an unknown, repeated or wrong parameter.",
    ),
    kind(
        422,
        "rows_wrong",
        "Rows of a file are wrong and nothing was entered; the problem has errors with row and problem.",
    ),
    kind(422, "secret_invalid", "A PIN or password cannot be taken."),
    kind(
        422,
        "shipment_invalid",
        "The parcel cannot be moved on like this; the problem says why.",
    ),
    kind(
        422,
        "span_invalid",
        "The span of time is too long, or ends before it begins.",
    ),
    kind(
        422,
        "step_invalid",
        "A report goes by day, week, month, quarter or year.",
    ),
    kind(
        422,
        "text_invalid",
        "A text is missing or too long, or nothing was chosen; the text of the problem says which.",
    ),
    kind(
        422,
        "time_invalid",
        "A time is not RFC 3339 with an offset, or not one that can be taken here.",
    ),
    kind(
        422,
        "token_order_invalid",
        "Tokens cannot be sold like this.",
    ),
    kind(
        422,
        "too_large",
        "It would take more movements than one entry has.",
    ),
    kind(
        422,
        "top_up_invalid",
        "The rule for buying tokens by itself has a number that cannot be; the text says which.",
    ),
    kind(
        422,
        "vendor_invalid",
        "A setting of the vendor cannot be like this.",
    ),
    kind(
        422,
        "webhook_invalid",
        "The address or a topic of the webhook endpoint cannot be like this.",
    ),
    kind(
        429,
        "too_many_attempts",
        "Too many wrong PINs, passwords, codes or answers came from one place, so nothing was compared. Try again after Retry-After seconds; see the header Scrip-Client-Address.",
    ),
    kind(
        500,
        "internal",
        "A defect. Nothing of the request was kept; the operator finds the reason in the log.",
    ),
    kind(
        503,
        "busy",
        "There is too much to do at the moment. Try again after Retry-After seconds.",
    ),
    kind(
        503,
        "outcome_unknown",
        "The database failed while it kept the request. Repeat it under the same idempotency key to learn its outcome.",
    ),
    kind(
        503,
        "processor_silent",
        "The card processor does not answer, and nothing was charged. Try again in a minute.",
    ),
    kind(503, "stopping", "The node is being stopped."),
    kind(
        503,
        "unavailable",
        "The database cannot serve now and nothing of the request was kept. Try again.",
    ),
];

#[cfg(test)]
mod tests {
    use super::KINDS;
    use axum::http::StatusCode;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// (status, code) wherever code makes a problem.
    fn used(text: &str, found: &mut BTreeSet<(u16, String)>) {
        let calls = [
            ("Problem::invalid(", Some(422)),
            ("Problem::bad_request(", Some(400)),
            ("conflict(", Some(409)),
            ("unavailable(", Some(503)),
            ("StatusCode::", None),
        ];
        for (call, status) in calls {
            for rest in text.split(call).skip(1) {
                let (status, rest) = match status {
                    Some(status) => (status, rest),
                    None => {
                        let Some((name, rest)) = rest.split_once(',') else {
                            continue;
                        };
                        let Some(status) = status_of(name) else {
                            continue;
                        };
                        (status, rest)
                    }
                };
                let literal = rest.trim_start().strip_prefix('"');
                let code = literal.and_then(|l| l.split('"').next());
                let letter = |b: u8| b.is_ascii_lowercase() || b"_8".contains(&b);
                let is_code = |c: &&str| !c.is_empty() && c.bytes().all(letter);
                if let Some(code) = code.filter(is_code) {
                    found.insert((status, code.to_owned()));
                }
            }
        }
    }

    fn status_of(name: &str) -> Option<u16> {
        (400..600).find(|number| {
            let status = StatusCode::from_u16(*number).ok();
            let reason = status.and_then(|s| s.canonical_reason());
            reason.is_some_and(|r| r.to_uppercase().replace([' ', '-'], "_") == name)
        })
    }

    fn sources(folder: &Path, found: &mut BTreeSet<(u16, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // What the pages alone say never leaves as a problem.
            if path.is_dir() && !path.ends_with("web") {
                sources(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs")
                && !path.ends_with("problem_codes.rs")
            {
                used(&std::fs::read_to_string(path).unwrap(), found);
            }
        }
    }

    /// Each code that leaves is explained, with its status, and no other.
    #[test]
    fn every_code_is_explained() {
        let mut found = BTreeSet::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        sources(&source, &mut found);
        assert!(found.len() > 50, "the search finds codes: {found:?}");
        let told: BTreeSet<_> = KINDS
            .iter()
            .map(|k| (k.status, k.code.to_owned()))
            .collect();
        let missing: Vec<_> = found.difference(&told).collect();
        let needless: Vec<_> = told.difference(&found).collect();
        assert!(missing.is_empty(), "not explained: {missing:?}");
        assert!(needless.is_empty(), "used nowhere: {needless:?}");
        assert_eq!(told.len(), KINDS.len(), "each once");
        let in_order = KINDS
            .windows(2)
            .all(|w| (w[0].status, w[0].code) < (w[1].status, w[1].code));
        assert!(in_order, "by status, then by code");
    }
}
