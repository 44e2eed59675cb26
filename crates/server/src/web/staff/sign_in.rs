//! Staff sign in and out (SHP-03).

use super::super::frame::{page, page_with, see};
use super::super::session::{
    Guest, Shop, StaffMember, cookie, is_inside, set_cookie, staff_cookie,
};
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
use scrip_domain::session::{session_end, staff_session_end, staff_session_open};
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
                    staff_session_open(tx, book, id)
                })
                .await?;
            let mut response = see(&next)?;
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
