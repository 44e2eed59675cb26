//! A forgotten PIN: the code that staff gave, and a new PIN twice (SHP-03).

use super::super::frame::{guest_shell, link, page, page_with, see};
use super::super::register::{
    begin_at_wrong, look_again, password_fields, wrong_passwords, wrong_pins,
};
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
use scrip_domain::customer::{ResetOutcome, SecretError, SecretKind, secret_hash};
use scrip_domain::session::{NewSecrets, pin_reset_finish_named};
use scrip_domain::vendor::vendor_by_book;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sign_in/forgot.html")]
struct ForgotPage {
    shell: Shell,
    action: String,
    title: &'static str,
    fields: Vec<Field>,
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
    #[serde(default)]
    password: String,
    #[serde(default)]
    password_again: String,
}

/// What is wrong with it.
#[derive(Default)]
struct Wrong {
    name: String,
    code: String,
    pin: String,
    pin_again: String,
    password: String,
    password_again: String,
}

impl Wrong {
    fn is_nothing(&self) -> bool {
        let all = [
            &self.name,
            &self.code,
            &self.pin,
            &self.pin_again,
            &self.password,
            &self.password_again,
        ];
        all.into_iter().all(String::is_empty)
    }
}

/// What a code sets at this shop.
fn title(guest: &Guest) -> &'static str {
    match guest.shop.policy.sign_in.secrets.needs_password() {
        true => "A new PIN and password",
        false => "A new PIN",
    }
}

fn forgot_page(guest: &Guest, name: &str, wrong: Wrong) -> ForgotPage {
    let pin = |name, label| {
        Field::secret(name, label, "new-password")
            .class("is-pin")
            .inputmode("numeric")
    };
    let mut fields = vec![
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
    if guest.shop.policy.sign_in.secrets.needs_password() {
        fields.extend(password_fields(wrong.password, wrong.password_again));
    }
    let count = begin_at_wrong(fields.iter_mut());
    let mut shell = guest_shell(guest, title(guest), "/forgot");
    if count > 0 {
        shell.notice = Some(Notice::new(
            Tone::Bad,
            look_again(count),
            "Nothing was changed. The code and what you chose are not shown again: type them \
             once more.",
        ));
    }
    ForgotPage {
        shell,
        action: guest.shop.at("/forgot"),
        title: title(guest),
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
    let mut wrong = Wrong {
        name: needed(&typed.name, "Type your account number or sign-in name."),
        code: needed(&typed.code, "Type the code that the shop's staff gave you."),
        pin,
        pin_again,
        ..Wrong::default()
    };
    let needs_password = guest.shop.policy.sign_in.secrets.needs_password();
    if needs_password {
        let (password, again) = wrong_passwords(&typed.password, &typed.password_again);
        wrong.password = password;
        wrong.password_again = again;
    }
    if !wrong.is_nothing() {
        let page = forgot_page(&guest, &typed.name, wrong);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let guess = guess(&app, guest.shop.vendor.book_id, client)?;
    let Typed {
        name,
        code,
        pin,
        password,
        ..
    } = typed;
    let hashes = app.slow(move |_| {
        let pin = secret_hash(SecretKind::Pin, &pin)?;
        let password = needs_password.then(|| secret_hash(SecretKind::Password, &password));
        Ok::<_, SecretError>((pin, password.transpose()?))
    });
    let (pin, password) = hashes.await??;
    let (book, vault, named) = (
        guest.shop.vendor.book_id,
        app.node.vault.clone(),
        name.clone(),
    );
    let outcome = app
        .write(move |tx| {
            let vendor = vendor_by_book(tx, book)?;
            let new = NewSecrets {
                pin: &pin,
                password: password.as_deref(),
            };
            let done = pin_reset_finish_named(tx, &vault, &vendor, &named, &code, new)?;
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
        "Nothing was changed. A code works once, for an hour, and dies of five wrong tries. \
         Look at account and code and try again, or ask the shop's staff for another code.",
    ));
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}
