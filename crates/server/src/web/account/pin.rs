//! Changing the PIN (REG-11): the old one, and the new one twice.

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::session::{Holder, Member};
use super::super::view::{Field, Notice, Shell, Tone, When};
use super::check::{first, to_check};
use crate::error::{Problem, Result};
use crate::http::body::Form;
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Node;
use scrip_domain::command::CommandError;
use scrip_domain::policy::Sensitive;
use scrip_domain::secret::{SecretError, SecretKind, secret_hash};
use scrip_domain::session::{PinChange, SessionError, pin_change_keyed};
use serde::Deserialize;
use std::time::Duration;

#[derive(Template)]
#[template(path = "account/pin.html")]
struct PinPage {
    shell: Shell,
    action: String,
    back: String,
    fields: [Field; 3],
    key: String,
}

/// What is wrong with what was typed.
#[derive(Default)]
struct Wrong {
    old: String,
    new: String,
    again: String,
}

/// A new PIN. None of it is ever shown again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPin {
    old: String,
    new: String,
    again: String,
    key: String,
}

fn pin_page(member: &Member, wrong: Wrong) -> PinPage {
    let field = |name, label, autocomplete, error: String| Field {
        inputmode: "numeric",
        ..Field::secret(name, label, autocomplete)
            .class("is-pin")
            .error(error)
    };
    PinPage {
        shell: member_shell(member, "Change the PIN", "/account/pin"),
        action: member.shop.at("/account/pin"),
        back: member.shop.at("/account"),
        fields: [
            field("old", "The PIN as it is", "current-password", wrong.old),
            field("new", "The new PIN", "new-password", wrong.new)
                .help("4 to 8 digits, not all the same and not in a row like 1234."),
            field("again", "The new PIN again", "new-password", wrong.again),
        ],
        key: form_key(),
    }
}

/// `GET /shops/{slug}/account/pin`.
pub async fn form(State(app): State<App>, Holder(member): Holder) -> Result<Response> {
    let here = "/account/pin";
    if let Some(asked) = first(&app, &member, Sensitive::PinChange, here).await? {
        return Ok(asked);
    }
    page(&pin_page(&member, Wrong::default()))
}

/// `POST /shops/{slug}/account/pin`: the other visits of the customer end (REG-11).
pub async fn change(
    State(app): State<App>,
    Holder(member): Holder,
    client: Client,
    Form(typed): Form<NewPin>,
) -> Result<Response> {
    let again = |wrong| page_with(StatusCode::UNPROCESSABLE_ENTITY, &pin_page(&member, wrong));
    if typed.new != typed.again {
        return again(Wrong {
            again: "This is not the same as the new PIN: type both again.".to_owned(),
            ..Wrong::default()
        });
    }
    let guess = guess(&app, member.shop.vendor.book_id, client)?;
    let of = member.clone();
    let changed = app.slow(move |node| changed(node, &of, &typed)).await?;
    match changed {
        Ok(PinChange::Done) => {
            guess.right();
            see(&link(&member.shop.at("/account"), &[("done", "pin")]))
        }
        Ok(PinChange::Wrong) => again(Wrong {
            old: "This is not your PIN. It was not changed.".to_owned(),
            ..Wrong::default()
        }),
        Ok(PinChange::Locked { until }) => {
            let mut page = pin_page(&member, Wrong::default());
            page.shell.notice = Some(Notice::new(
                Tone::Bad,
                "Too many wrong tries in a row.",
                format!(
                    "The PIN was not changed. The next try is possible at {}.",
                    When::minute(until)
                ),
            ));
            page_with(StatusCode::TOO_MANY_REQUESTS, &page)
        }
        Err(SessionError::Command(CommandError::KeyReused)) => {
            let mut page = pin_page(&member, Wrong::default());
            page.shell.notice = Some(Notice::new(
                Tone::Warn,
                "This form was sent before, with other digits.",
                "That is done or refused already; nothing was changed now. Type all three again.",
            ));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(SessionError::Secret(e @ (SecretError::PinShape | SecretError::PinWeak))) => {
            again(Wrong {
                new: Problem::from(e).sentence(),
                ..Wrong::default()
            })
        }
        Err(e) => to_check(&member, "/account/pin", e.into()),
    }
}

/// The form was sent twice: the first one has 60 ms to hash.
const WAIT: Duration = Duration::from_millis(100);
const WAITS: usize = 20;

/// Changes the PIN, once for each form. The session in which it is asked for goes on.
fn changed(
    node: &Node,
    member: &Member,
    typed: &NewPin,
) -> std::result::Result<PinChange, SessionError> {
    let customer = &member.me.customer;
    // Refused before it costs an attempt.
    let hash = secret_hash(SecretKind::Pin, &typed.new)?;
    // So few digits could be found from a plain hash of the request.
    let digits = [typed.old.as_bytes(), typed.new.as_bytes()];
    let request = node.vault.hash("PIN form", &digits).to_vec();
    let keyed = member.keyed(typed.key.clone(), request);
    let token = Some(member.me.token.as_str());
    let mut waits = 0;
    loop {
        let done = pin_change_keyed(node, keyed.clone(), customer, &typed.old, &hash, token);
        match done {
            Err(SessionError::Command(CommandError::UnderWay)) if waits < WAITS => {
                waits += 1;
                std::thread::sleep(WAIT);
            }
            done => return done.map(|answer| answer.value),
        }
    }
}
