//! For whom a program asks: limits on wrong guesses go by it (SHP-03).

use super::auth::Caller;
use crate::error::{Problem, Result};
use crate::http::guesses::{Guess, guess_at, guess_by};
use crate::state::App;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::net::IpAddr;
use utoipa::IntoParams;

const CLIENT_ADDRESS: &str = "scrip-client-address";

/// The header in the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)] // Only its description is used.
pub struct AskedFor {
    /// The address of the customer's browser, IPv4 or IPv6, as your server saw it. Wrong guesses
    /// are limited by it, so that one guesser at your pages does not hold up your other customers.
    /// Without it, and when it cannot be read, they are limited by your key.
    #[param(rename = "Scrip-Client-Address")]
    client_address: Option<String>,
}

/// The address of the customer who is asked for, where the program tells it.
#[derive(Clone, Copy, Debug)]
pub struct Asker(Option<IpAddr>);

impl Asker {
    /// Counts a guess; see [`crate::http::guesses`].
    pub fn guess(self, app: &App, caller: &Caller) -> Result<Guess> {
        match self.0 {
            Some(address) => guess_at(app, caller.book(), address),
            None => guess_by(app, caller),
        }
    }
}

impl FromRequestParts<App> for Asker {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let sent = parts.headers.get(CLIENT_ADDRESS);
        let text = sent.and_then(|value| value.to_str().ok());
        Ok(Asker(text.and_then(|text| text.trim().parse().ok())))
    }
}
