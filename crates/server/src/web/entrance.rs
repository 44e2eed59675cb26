//! The way into a shop: what it sells and for what (SHP-01), whether one has an account (SHP-02),
//! and the way out (SHP-16).

use super::frame::{guest_shell, page, see};
use super::register::ways_to_pay;
use super::session::{Guest, customer_cookie, set_cookie};
use super::view::format::{price_each, tokens};
use super::view::{Shell, Shown};
use crate::demo::DemoVendor;
use crate::error::Result;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::policy::Part;
use scrip_domain::session::session_end;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}", get(introduction))
        .route("/shops/{slug}/", get(introduction))
        .route("/shops/{slug}/enter", get(question))
        .route("/shops/{slug}/quit", post(quit))
        .route("/shops/{slug}/goodbye", get(goodbye))
}

#[derive(Template)]
#[template(path = "entrance/introduction.html")]
struct IntroductionPage {
    shell: Shell,
    headline: String,
    introduction: String,
    price: String,
    minimum: Option<Shown>,
    ways: &'static str,
    proceed: String,
    quit: String,
    demo: Option<DemoEntry>,
}

#[derive(Template)]
#[template(path = "entrance/question.html")]
struct QuestionPage {
    shell: Shell,
    minimum: Option<Shown>,
    sign_in: String,
    register: String,
    off_line: String,
    /// The shop, where one may look around without an account.
    look: Option<String>,
    has_prices: bool,
}

#[derive(Template)]
#[template(path = "entrance/goodbye.html")]
struct GoodbyePage {
    shell: Shell,
    enter: String,
}

/// Who can sign in at a shop of the demo.
pub struct DemoEntry {
    /// The customers.
    pub customers: Vec<DemoAccount>,
    /// The page where staff sign in.
    pub staff_page: String,
    /// The name of a member of staff.
    pub staff: String,
    /// Its password.
    pub staff_password: String,
}

/// A customer of the demo.
pub struct DemoAccount {
    /// The name.
    pub name: String,
    /// The account number.
    pub number: String,
    /// The PIN.
    pub pin: String,
    /// What is special about it.
    pub about: String,
}

/// Who can sign in here, in the demo; nobody is told outside it.
pub fn demo_entry(app: &App, guest: &Guest) -> Option<DemoEntry> {
    let shop = &guest.shop;
    let vendor: &DemoVendor = app.demo.as_ref()?.vendor(&shop.vendor.slug)?;
    let accounts = vendor.customers.iter().map(|customer| {
        let (name, about) = customer.about.split_once(", ").unwrap_or_default();
        DemoAccount {
            name: name.to_owned(),
            number: customer.number.clone(),
            pin: customer.pin.clone(),
            about: sentence(about),
        }
    });
    Some(DemoEntry {
        customers: accounts.collect(),
        staff_page: shop.at("/staff"),
        staff: vendor.staff.clone(),
        staff_password: vendor.staff_password.clone(),
    })
}

/// What is special about an account, as a sentence of its own.
fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// MT, where there is one.
pub fn minimum(guest: &Guest) -> Option<Shown> {
    let minimum = guest.shop.vendor.minimum_tokens;
    minimum.is_positive().then(|| tokens(minimum))
}

/// Countries whose customers need another number, in a sentence; empty where there is none (TOK-01).
pub fn minimums(guest: &Guest) -> String {
    let vendor = &guest.shop.vendor;
    let other = vendor
        .minimums
        .iter()
        .filter(|(_, least)| *least != vendor.minimum_tokens);
    let other = other.map(|(country, least)| format!("{country}: {}", tokens(least)));
    other.collect::<Vec<_>>().join(", ")
}

/// `GET /shops/{slug}`: what is sold, and that tokens are the money (SHP-01). A vendor without an
/// introduction has no such page.
async fn introduction(State(app): State<App>, guest: Guest) -> Result<Response> {
    let shop = &guest.shop;
    if shop.front.introduction.is_empty() {
        return see(&shop.at("/shop"));
    }
    let headline = match shop.front.headline.as_str() {
        "" => shop.vendor.name.clone(),
        headline => headline.to_owned(),
    };
    page(&IntroductionPage {
        shell: guest_shell(&guest, "Welcome", "/"),
        headline,
        introduction: shop.front.introduction.clone(),
        price: price_each(shop.token_price, &shop.vendor.currency),
        minimum: minimum(&guest),
        ways: ways_to_pay(&app),
        proceed: shop.at("/enter"),
        quit: shop.at("/quit"),
        demo: demo_entry(&app, &guest),
    })
}

/// `GET /shops/{slug}/enter`: has the visitor an account (SHP-02)? Whoever is signed in has one.
async fn question(guest: Guest) -> Result<Response> {
    let shop = &guest.shop;
    if guest.me.is_some() {
        return see(&shop.at("/shop"));
    }
    page(&QuestionPage {
        shell: guest_shell(&guest, "Your account", "/enter"),
        minimum: minimum(&guest),
        sign_in: shop.at("/sign-in"),
        register: shop.at("/register"),
        off_line: shop.at("/register/off-line"),
        look: (!guest.sight.is_outside()).then(|| shop.at("/shop")),
        has_prices: guest.sight.sees(Part::Prices),
    })
}

/// `POST /shops/{slug}/quit`: ends the session. Nothing is bought or charged by it (SHP-16).
async fn quit(State(app): State<App>, guest: Guest) -> Result<Response> {
    let shop = &guest.shop;
    if let Some(me) = &guest.me {
        let (book, token) = (shop.vendor.book_id, me.token.clone());
        app.write(move |tx| session_end(tx, book, &token)).await?;
    }
    let mut response = see(&shop.at("/goodbye"))?;
    let gone = set_cookie(&customer_cookie(&shop.vendor.slug), "")?;
    response.headers_mut().insert(header::SET_COOKIE, gone);
    Ok(response)
}

/// `GET /shops/{slug}/goodbye`: nothing was charged, and the order list is kept (SHP-16).
async fn goodbye(guest: Guest) -> Result<Response> {
    page(&GoodbyePage {
        shell: guest_shell(&guest, "Goodbye", "/goodbye"),
        enter: guest.shop.at("/enter"),
    })
}
