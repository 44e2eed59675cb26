//! Staff sign in and out (SHP-03).

use super::super::frame::{link, page, page_with, see};
use super::super::second_factor::{WRONG, locked};
use super::super::session::{
    Guest, Shop, StaffMember, cookie, is_inside, set_cookie, staff_cookie,
};
use super::super::sign_in::code::{self as second, CodePage, code_field};
use super::super::view::{Field, Notice, Shell, Tone, When};
use crate::error::Result;
use crate::http::body::{Form, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use scrip_domain::secret::Proof;
use scrip_domain::session::{
    Entrance, Holder, Subject, Taken, session_end, session_enter, session_pass, session_waiting,
    staff_session_end,
};
use scrip_domain::vendor::staff_sign_in;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "staff/sign_in.html")]
struct SignInPage {
    shell: Shell,
    action: String,
    name: Field,
    password: Field,
    next: String,
    shop: String,
}

/// Where to go afterwards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    next: Option<String>,
}

/// Who, and the proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Only pages of staff: whoever signs in here is staff there.
fn way(shop: &Shop, next: Option<&str>) -> String {
    let staff = shop.at("/staff");
    next.filter(|next| is_inside(next, &shop.vendor.slug) && next.starts_with(&staff))
        .filter(|next| !next.starts_with(&shop.at("/staff/sign-in")))
        .map_or_else(|| shop.at("/staff/today"), str::to_owned)
}

/// The frame for staff whom nobody knows yet.
pub fn shell(shop: &Shop, title: &str) -> Shell {
    let mut shell = Shell::in_shop(shop, title);
    if let Some(look) = &mut shell.look {
        look.section = Some("staff".into());
        look.home = shop.at("/staff");
    }
    shell
}

fn sign_in_page(shop: &Shop, name: &str, next: String, notice: Option<Notice>) -> SignInPage {
    let mut shell = shell(shop, "Staff sign in");
    shell.notice = notice;
    SignInPage {
        shell,
        action: shop.at("/staff/sign-in"),
        name: Field::text("name", "Your name")
            .value(name)
            .autocomplete("username"),
        password: Field::secret("password", "Password", "current-password"),
        next,
        shop: shop.at("/"),
    }
}

/// `GET /shops/{slug}/staff/sign-in`.
pub async fn form(guest: Guest, Query(to): Query<Way>) -> Result<Response> {
    let next = way(&guest.shop, to.next.as_deref());
    page(&sign_in_page(&guest.shop, "", next, None))
}

/// `POST /shops/{slug}/staff/sign-in`: no session after a failure (SHP-03).
pub async fn sign_in(
    State(app): State<App>,
    guest: Guest,
    client: Client,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let shop = &guest.shop;
    let next = way(shop, Some(&typed.next));
    let (vendor, name, password) = (shop.vendor.clone(), typed.name.clone(), typed.password);
    let guess = guess(&app, shop.vendor.book_id, client)?;
    let proof = app
        .slow(move |node| staff_sign_in(node, &vendor, &name, &password))
        .await??;
    let (status, notice) = match proof {
        Proof::Proven(staff) => {
            guess.right();
            let (book, id) = (shop.vendor.book_id, staff.staff_id);
            let before = cookie(&headers, &staff_cookie(&shop.vendor.slug));
            let token = app
                .write(move |tx| {
                    // The session that this browser had, perhaps another person's.
                    if let Some(before) = &before {
                        session_end(tx, book, before)?;
                    }
                    let holder = Holder {
                        book_id: book,
                        subject: Subject::Staff(id),
                    };
                    session_enter(tx, holder)
                })
                .await?;
            let (place, token) = match token {
                Entrance::Open(token) => (next, token),
                Entrance::Waits(token) => {
                    let code = shop.at("/staff/sign-in/code");
                    (link(&code, &[("next", &next)]), token)
                }
            };
            let mut response = see(&place)?;
            let cookie = set_cookie(&staff_cookie(&shop.vendor.slug), &token)?;
            response.headers_mut().append(header::SET_COOKIE, cookie);
            return Ok(response);
        }
        Proof::Wrong => (
            StatusCode::UNAUTHORIZED,
            Notice::new(
                Tone::Bad,
                "Name and password do not belong together.",
                "You are not signed in. Check both and try again. The owner of the shop can set \
                 a new password.",
            ),
        ),
        Proof::Locked { until } => (
            StatusCode::TOO_MANY_REQUESTS,
            Notice::new(
                Tone::Bad,
                "Too many wrong tries in a row.",
                format!(
                    "You are not signed in. The next try is possible at {}.",
                    When::minute(until)
                ),
            ),
        ),
    };
    page_with(status, &sign_in_page(shop, &typed.name, next, Some(notice)))
}

fn code_page(shop: &Shop, next: String) -> CodePage {
    CodePage {
        shell: shell(shop, "One code more"),
        action: shop.at("/staff/sign-in/code"),
        next,
        code: code_field(),
        sign_in: shop.at("/staff/sign-in"),
    }
}

/// `GET /shops/{slug}/staff/sign-in/code`: for whoever proved the first half a moment ago.
pub async fn code_form(
    State(app): State<App>,
    guest: Guest,
    headers: HeaderMap,
    Query(to): Query<second::Way>,
) -> Result<Response> {
    let shop = &guest.shop;
    let next = way(shop, Some(&to.next));
    let book = shop.vendor.book_id;
    let token = cookie(&headers, &staff_cookie(&shop.vendor.slug)).unwrap_or_default();
    let waiting = app.read(move |tx| session_waiting(tx, book, &token));
    match waiting.await? {
        Some(_) => page(&code_page(shop, next)),
        None => page(&sign_in_page(shop, "", next, None)),
    }
}

/// `POST /shops/{slug}/staff/sign-in/code`.
pub async fn code(
    State(app): State<App>,
    guest: Guest,
    client: Client,
    headers: HeaderMap,
    Form(typed): Form<second::Typed>,
) -> Result<Response> {
    let shop = &guest.shop;
    let next = way(shop, Some(&typed.next));
    let book = shop.vendor.book_id;
    let token = cookie(&headers, &staff_cookie(&shop.vendor.slug)).unwrap_or_default();
    let vault = app.node.vault.clone();
    let guess = guess(&app, book, client)?;
    let taken = app
        .write(move |tx| session_pass(tx, &vault, book, &token, &typed.code))
        .await?;
    match taken {
        Taken::Right((_, token)) => {
            guess.right();
            let mut response = see(&next)?;
            let cookie = set_cookie(&staff_cookie(&shop.vendor.slug), &token)?;
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Taken::Wrong => {
            let mut page_of = code_page(shop, next);
            page_of.code = page_of.code.error(WRONG);
            page_with(StatusCode::UNAUTHORIZED, &page_of)
        }
        Taken::Locked { until } => {
            let mut page_of = code_page(shop, next);
            page_of.shell.notice = Some(locked(until));
            page_with(StatusCode::TOO_MANY_REQUESTS, &page_of)
        }
        Taken::Over => {
            guess.right();
            page(&sign_in_page(shop, "", next, None))
        }
    }
}

/// `POST /shops/{slug}/staff/quit`.
pub async fn quit(State(app): State<App>, member: StaffMember) -> Result<Response> {
    let (book, id, token) = (
        member.shop.vendor.book_id,
        member.staff.staff_id,
        member.token,
    );
    app.write(move |tx| staff_session_end(tx, book, id, &token))
        .await?;
    let mut response = see(&member.shop.at("/staff/sign-in"))?;
    let cookie = set_cookie(&staff_cookie(&member.shop.vendor.slug), "")?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
