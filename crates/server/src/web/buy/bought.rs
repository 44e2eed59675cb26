//! What a top-up tells the page to which it returns (TOK-14): a flag in the address names the
//! order of tokens, and the frame says what became of it. Pages need not know of the flag.

use super::super::session::Me;
use super::super::view::format::tokens;
use super::super::view::{Notice, Tone};
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use scrip_domain::id::TokenOrderId;
use scrip_domain::token_sale::{TokenOrderState, TokenOrderView};

const FLAG: &str = "bought";

/// The order that the flag of a request's address names.
#[derive(Clone, Copy, Debug)]
pub struct Bought(pub TokenOrderId);

/// An address with the flag.
pub fn with_flag(address: &str, order: TokenOrderId) -> String {
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (address, String::new()),
    };
    let (plain, _) = apart(address);
    let sign = if plain.contains('?') { '&' } else { '?' };
    format!("{plain}{sign}{FLAG}={order}{fragment}")
}

/// Moves the flag of a request's address beside the request.
pub fn take_flag(mut request: Request) -> Request {
    let Some(address) = request.uri().path_and_query() else {
        return request;
    };
    let (plain, flag) = apart(address.as_str());
    let Some(flag) = flag else {
        return request;
    };
    if let Ok(plain) = plain.parse::<PathAndQuery>() {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(plain);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    if let Ok(order) = flag.parse() {
        request.extensions_mut().insert(Bought(order));
    }
    request
}

/// An address without the flag.
pub fn without_flag(address: &str) -> String {
    apart(address).0
}

/// An address without the flag, and the flag.
fn apart(address: &str) -> (String, Option<String>) {
    let Some((path, query)) = address.split_once('?') else {
        return (address.to_owned(), None);
    };
    let (mut rest, mut flag) = (Vec::new(), None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((FLAG, value)) => flag = Some(value.to_owned()),
            _ => rest.push(pair),
        }
    }
    let rest = rest.join("&");
    let plain = if rest.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{rest}")
    };
    (plain, flag)
}

/// What became of an order of tokens, said on whichever page the customer is now.
pub fn notice(order: &TokenOrderView, me: &Me) -> Notice {
    let bought = tokens(order.quantity);
    let (one, were) = match bought.unit {
        "token" => ("it arrives", "was"),
        _ => ("they arrive", "were"),
    };
    match order.state {
        TokenOrderState::Cleared => {
            let now = match (order.activated, me.is_active()) {
                (true, _) => format!(
                    "Your account is active now. You have {}.",
                    tokens(me.available)
                ),
                (false, true) => format!("You now have {}.", tokens(me.available)),
                (false, false) => "Your account becomes active with more of them.".to_owned(),
            };
            Notice::new(Tone::Good, format!("{bought} {were} bought."), now)
        }
        TokenOrderState::Awaiting => Notice::new(
            Tone::Warn,
            "The card has not answered yet.",
            format!("{bought} {were} ordered; {one} by themselves. Nothing is charged twice."),
        ),
        TokenOrderState::Declined => Notice::new(
            Tone::Bad,
            "The card was declined.",
            format!("{bought} {were} not bought, and nothing was charged."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Bought, take_flag, with_flag, without_flag};
    use axum::body::Body;
    use axum::extract::Request;
    use scrip_domain::id::TokenOrderId;

    const ORDER: &str = "tok_01h455vb4pex5vsknk084sn02q";

    /// TOK-14: the page comes back as it was left, with nothing but the flag added.
    #[test]
    fn the_flag_leaves_the_address_as_it_was() {
        let order: TokenOrderId = ORDER.parse().unwrap();
        for (address, flagged) in [
            ("/shops/a/shop", "/shops/a/shop?bought=ORDER"),
            (
                "/shops/a/shop?q=x%20y",
                "/shops/a/shop?q=x%20y&bought=ORDER",
            ),
            ("/shops/a/shop#list", "/shops/a/shop?bought=ORDER#list"),
            (
                "/shops/a/shop?bought=tok_old&page=2",
                "/shops/a/shop?page=2&bought=ORDER",
            ),
        ] {
            let with = with_flag(address, order);
            assert_eq!(with, flagged.replace("ORDER", ORDER));
            let request = Request::builder().uri(with).body(Body::empty()).unwrap();
            let taken = take_flag(request);
            let left = taken.uri().to_string();
            let plain = without_flag(address);
            assert_eq!(left, plain.split('#').next().unwrap());
            let found = taken.extensions().get::<Bought>().unwrap();
            assert_eq!(found.0, order);
        }
    }

    #[test]
    fn a_flag_that_names_no_order_is_taken_out_too() {
        for flag in ["bought=", "bought=%3Cscript%3E", "bought=ord_1"] {
            let uri = format!("/shops/a/shop?{flag}");
            let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            let taken = take_flag(request);
            assert_eq!(taken.uri().to_string(), "/shops/a/shop");
            assert!(taken.extensions().get::<Bought>().is_none());
        }
    }
}
