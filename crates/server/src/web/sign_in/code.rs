//! The second step of signing in, for those who turned one-time codes on (SHP-03).

use super::super::frame::{guest_shell, page, page_with, see};
use super::super::second_factor::{WRONG, locked};
use super::super::session::{Guest, cookie, customer_cookie};
use super::super::view::{Field, Shell};
use super::{inside, inside_now};
use crate::error::{Failed, Result};
use crate::http::body::{Form, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use scrip_domain::order::kept::list_resume;
use scrip_domain::session::{Subject, Taken, session_pass, session_waiting};
use serde::Deserialize;

/// The page, of customers and of staff.
#[derive(Template)]
#[template(path = "sign_in/code.html")]
pub struct CodePage {
    /// What is around it.
    pub shell: Shell,
    /// Where it is posted to.
    pub action: String,
    /// Where to go on.
    pub next: String,
    /// The code.
    pub code: Field,
    /// The first step.
    pub sign_in: String,
}

/// The field for a code.
pub fn code_field() -> Field {
    let mut field = Field::text("code", "Code")
        .autocomplete("one-time-code")
        .class("is-code is-mid");
    field.autofocus = true;
    field
}

/// Where to go afterwards.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Way {
    /// The page.
    pub next: String,
}

/// What was typed. It is never printed: it holds a code.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    /// The code.
    pub code: String,
    /// Where to go on.
    pub next: String,
}

fn code_page(guest: &Guest, next: Option<String>) -> CodePage {
    CodePage {
        shell: guest_shell(guest, "One code more", "/sign-in"),
        action: guest.shop.at("/sign-in/code"),
        next: next.unwrap_or_default(),
        code: code_field(),
        sign_in: guest.shop.at("/sign-in"),
    }
}

/// `GET /shops/{slug}/sign-in/code`: for whoever proved the first half a moment ago.
pub async fn form(
    State(app): State<App>,
    guest: Guest,
    headers: HeaderMap,
    Query(way): Query<Way>,
) -> Result<Response> {
    let next = inside(Some(way.next), &guest);
    let book = guest.shop.vendor.book_id;
    let token = cookie(&headers, &customer_cookie(&guest.shop.vendor.slug)).unwrap_or_default();
    let waiting = app.read(move |tx| session_waiting(tx, book, &token));
    match waiting.await? {
        Some(_) => page(&code_page(&guest, next)),
        None => see(&guest.shop.at("/sign-in")),
    }
}

/// `POST /shops/{slug}/sign-in/code`.
pub async fn enter(
    State(app): State<App>,
    guest: Guest,
    client: Client,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let next = inside(Some(typed.next), &guest);
    let book = guest.shop.vendor.book_id;
    let token = cookie(&headers, &customer_cookie(&guest.shop.vendor.slug)).unwrap_or_default();
    let (vault, code) = (app.node.vault.clone(), typed.code);
    let guess = guess(&app, book, client)?;
    let taken = app
        .write(move |tx| {
            let taken = session_pass(tx, &vault, book, &token, &code)?;
            let back = match &taken {
                Taken::Right((Subject::Customer(id), _)) => list_resume(tx, book, *id)?,
                _ => 0,
            };
            Ok::<_, Failed>((taken, back))
        })
        .await?;
    match taken {
        (Taken::Right((_, token)), back) => {
            guess.right();
            inside_now(&guest, &token, back, next)
        }
        (Taken::Wrong, _) => {
            let mut page_of = code_page(&guest, next);
            page_of.code = page_of.code.error(WRONG);
            page_with(StatusCode::UNAUTHORIZED, &page_of)
        }
        (Taken::Locked { until }, _) => {
            let mut page_of = code_page(&guest, next);
            page_of.shell.notice = Some(locked(until));
            page_with(StatusCode::TOO_MANY_REQUESTS, &page_of)
        }
        (Taken::Over, _) => {
            guess.right();
            see(&guest.shop.at("/sign-in"))
        }
    }
}
