//! A forgotten PIN: the code that staff gave, and a new PIN twice (SHP-03).

use super::super::frame::{guest_shell, link, page, page_with, see};
use super::super::register::{begin_at_wrong, look_again, wrong_pins};
use super::super::session::Guest;
use super::super::view::{Field, Notice, Shell, Tone};
use super::misread;
use crate::error::{Failed, Result};
use crate::http::body::Form;
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{ResetOutcome, SecretKind, secret_hash};
use scrip_domain::session::pin_reset_finish_named;
use scrip_domain::vendor::vendor_by_book;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sign_in/forgot.html")]
struct ForgotPage {
    shell: Shell,
    action: String,
    fields: [Field; 4],
    sign_in: String,
}

/// What was typed. It is never printed: it holds the code and the PIN.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    pin: String,
    #[serde(default)]
    pin_again: String,
}

/// What is wrong with it.
#[derive(Default)]
struct Wrong {
    name: String,
    code: String,
    pin: String,
    pin_again: String,
}

fn forgot_page(guest: &Guest, name: &str, wrong: Wrong) -> ForgotPage {
    let pin = |name, label| {
        Field::secret(name, label, "new-password")
            .class("is-pin")
            .inputmode("numeric")
    };
    let mut fields = [
        Field::text("name", "Account number or sign-in name")
            .autocomplete("username")
            .class("is-code")
            .value(name)
            .error(wrong.name),
        Field::text("code", "Code")
            .help("Ten letters and digits, from the shop's staff.")
            .autocomplete("one-time-code")
            .class("is-code is-mid")
            .error(wrong.code),
        pin("pin", "New PIN")
            .help("4 to 8 digits, harder than 1234.")
            .error(wrong.pin),
        pin("pin_again", "The new PIN again").error(wrong.pin_again),
    ];
    let count = begin_at_wrong(fields.iter_mut());
    let mut shell = guest_shell(guest, "A new PIN", "/forgot");
    if count > 0 {
        shell.notice = Some(Notice::new(
            Tone::Bad,
            look_again(count),
            "The PIN was not changed. The code and the new PIN are not shown again: type them \
             once more.",
        ));
    }
    ForgotPage {
        shell,
        action: guest.shop.at("/forgot"),
        fields,
        sign_in: guest.shop.at("/sign-in"),
    }
}

/// `GET /shops/{slug}/forgot`.
pub async fn form(guest: Guest) -> Result<Response> {
    page(&forgot_page(&guest, "", Wrong::default()))
}

/// `POST /shops/{slug}/forgot`.
pub async fn replace(
    State(app): State<App>,
    guest: Guest,
    client: Client,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (pin, pin_again) = wrong_pins(&typed.pin, &typed.pin_again);
    let needed = |text: &str, said: &str| match text.trim() {
        "" => said.to_owned(),
        _ => String::new(),
    };
    let wrong = Wrong {
        name: needed(&typed.name, "Type your account number or sign-in name."),
        code: needed(&typed.code, "Type the code that the shop's staff gave you."),
        pin,
        pin_again,
    };
    let is_good = [&wrong.name, &wrong.code, &wrong.pin, &wrong.pin_again]
        .iter()
        .all(|text| text.is_empty());
    if !is_good {
        let page = forgot_page(&guest, &typed.name, wrong);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let guess = guess(&app, guest.shop.vendor.book_id, client)?;
    let Typed {
        name, code, pin, ..
    } = typed;
    let hash = app
        .slow(move |_| secret_hash(SecretKind::Pin, &pin))
        .await??;
    let (book, vault, named) = (
        guest.shop.vendor.book_id,
        app.node.vault.clone(),
        name.clone(),
    );
    let outcome = app
        .write(move |tx| {
            let vendor = vendor_by_book(tx, book)?;
            let done = pin_reset_finish_named(tx, &vault, &vendor, &named, &code, &hash)?;
            Ok::<_, Failed>(done)
        })
        .await?;
    if outcome == ResetOutcome::Done {
        guess.right();
        return see(&link(&guest.shop.at("/sign-in"), &[("done", "pin")]));
    }
    // Wrong, expired, used, unknown: one answer.
    let wrong = Wrong {
        name: misread(&name),
        code: "Compare it with what you were told.".to_owned(),
        ..Wrong::default()
    };
    let mut page = forgot_page(&guest, &name, wrong);
    page.shell.notice = Some(Notice::new(
        Tone::Bad,
        "This code does not work for this account.",
        "The PIN was not changed. A code works once, for an hour, and dies of five wrong tries. \
         Look at account and code and try again, or ask the shop's staff for another code.",
    ));
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}
