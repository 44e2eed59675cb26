//! Signing in: a name and a secret for a session (SHP-03).
//!
//! An unknown name, a wrong secret and a locked account are answered with the same page; why is
//! told in `scrip_domain::secret`.

pub mod code;
mod forgot;

use super::entrance::{DemoEntry, demo_entry};
use super::frame::{guest_shell, link, page, page_with, see};
use super::register::signed_in;
use super::session::{Guest, Shop, cookie, customer_cookie, is_inside, set_cookie};
use super::view::{Field, Notice, Shell, Tone};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use scrip_domain::customer::{
    AccountNumber, Customer, Given, NumberError, SecretKind, SignIn, sign_in_with,
};
use scrip_domain::exchange::visitor_enter;
use scrip_domain::mall::member_of;
use scrip_domain::order::kept::list_resume;
use scrip_domain::policy::Secrets;
use scrip_domain::secret::Proof;
use scrip_domain::session::{Entrance, Holder, Subject, factor_is_on, session_end, session_enter};
use scrip_domain::vendor::{Vendor, vendor_by_book};
use serde::Deserialize;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/sign-in", get(form).post(enter))
        .route(
            "/shops/{slug}/sign-in/code",
            get(code::form).post(code::enter),
        )
        .route(
            "/shops/{slug}/forgot",
            get(forgot::form).post(forgot::replace),
        )
}

#[derive(Template)]
#[template(path = "sign_in/sign_in.html")]
struct SignInPage {
    shell: Shell,
    action: String,
    next: String,
    fields: Vec<Field>,
    forgot: String,
    forgotten: &'static str,
    register: String,
    demo: Option<DemoEntry>,
}

#[derive(Template)]
#[template(path = "sign_in/closed.html")]
struct ClosedPage {
    shell: Shell,
    number: String,
    register: String,
}

/// What was done before one came here.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Pin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    next: Option<String>,
    done: Option<Done>,
}

/// What was typed. It is never printed: it holds the PIN or password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    password: String,
    next: Option<String>,
}

/// What is wrong with it.
#[derive(Default)]
struct Wrong {
    name: String,
    secret: String,
    password: String,
}

/// What this shop's policy asks for, in words.
pub fn asked_words(secrets: Secrets) -> &'static str {
    match secrets {
        Secrets::Either => "PIN or password",
        Secrets::Pin => "PIN",
        Secrets::Password => "password",
        Secrets::Both => "PIN and password",
    }
}

/// The fields for what the policy asks for: one that takes either, or one for each (SHP-03).
/// `labels` are those of PIN or password, PIN, password.
pub fn secret_fields(secrets: Secrets, labels: [&str; 3], wrong: [String; 2]) -> Vec<Field> {
    let [either, pin, password] = labels;
    let [wrong, wrong_password] = wrong;
    let field = |name: &str, label: &str| Field::secret(name, label, "current-password");
    let as_pin = |field: Field| field.class("is-pin").inputmode("numeric");
    let none_yet = "If you have none yet, choose one with a code from the shop's staff.";
    match secrets {
        Secrets::Either => vec![field("secret", either).error(wrong)],
        Secrets::Pin => vec![as_pin(field("secret", pin)).error(wrong)],
        Secrets::Password => vec![field("secret", password).help(none_yet).error(wrong)],
        Secrets::Both => vec![
            as_pin(field("secret", pin)).error(wrong),
            field("password", password)
                .help(none_yet)
                .error(wrong_password),
        ],
    }
}

/// What was typed into the fields of [`secret_fields`].
pub fn given(secrets: Secrets, secret: &str, password: &str) -> Given {
    let pin = Some(secret.trim().to_owned());
    match secrets {
        Secrets::Either if kind_of(secret.trim()) == SecretKind::Pin => Given {
            pin,
            password: None,
        },
        Secrets::Either | Secrets::Password => Given {
            pin: None,
            password: Some(secret.to_owned()),
        },
        Secrets::Pin => Given {
            pin,
            password: None,
        },
        Secrets::Both => Given {
            pin,
            password: Some(password.to_owned()),
        },
    }
}

/// Where to go after signing in: only to a page of this shop.
fn inside(next: Option<String>, guest: &Guest) -> Option<String> {
    next.filter(|next| is_inside(next, &guest.shop.vendor.slug))
}

fn sign_in_page(
    app: &App,
    guest: &Guest,
    name: &str,
    next: Option<String>,
    wrong: Wrong,
) -> SignInPage {
    let shop = &guest.shop;
    let secrets = shop.policy.sign_in.secrets;
    let labels = ["PIN or password", "PIN", "Password"];
    let mut fields = vec![
        Field::text("name", "Account number or sign-in name")
            .autocomplete("username")
            .class("is-code")
            .value(name)
            .error(wrong.name),
    ];
    fields.extend(secret_fields(
        secrets,
        labels,
        [wrong.secret, wrong.password],
    ));
    let is_wrong = super::register::begin_at_wrong(fields.iter_mut()) > 0;
    if let Some(first) = fields.first_mut().filter(|_| !is_wrong) {
        first.autofocus = true;
    }
    SignInPage {
        shell: guest_shell(guest, "Sign in", "/sign-in"),
        action: shop.at("/sign-in"),
        next: next.unwrap_or_default(),
        fields,
        forgot: shop.at("/forgot"),
        forgotten: forgotten_words(secrets),
        register: shop.at("/register"),
        demo: demo_entry(app, guest),
    }
}

fn forgotten_words(secrets: Secrets) -> &'static str {
    match secrets.needs_password() {
        true => "I forgot my PIN or password",
        false => "I forgot my PIN",
    }
}

/// `GET /shops/{slug}/sign-in`.
async fn form(
    State(app): State<App>,
    guest: Guest,
    Query(way): Query<Way>,
    headers: HeaderMap,
) -> Result<Response> {
    let next = inside(way.next, &guest);
    if guest.me.is_some() {
        return see(&next.unwrap_or_else(|| guest.shop.at("/shop")));
    }
    let is_expired = cookie(&headers, &customer_cookie(&guest.shop.vendor.slug)).is_some();
    let notice = match (way.done, is_expired, &next) {
        (Some(Done::Pin), ..) => Some(Notice::new(
            Tone::Good,
            "Your new PIN is set.",
            "The old one is no longer taken, and wherever you were signed in, that has ended. \
             Sign in with the new one.",
        )),
        (None, true, _) => Some(Notice::new(
            Tone::Note,
            "Your visit is over.",
            "It ended by itself, and nothing was charged. Your order list is kept: sign in and \
             go on where you were.",
        )),
        (None, false, Some(_)) => Some(Notice::new(
            Tone::Note,
            "This page is for customers.",
            "Sign in, and you are there.",
        )),
        (None, false, None) => None,
    };
    let mut sign_in = sign_in_page(&app, &guest, "", next, Wrong::default());
    sign_in.shell.notice = notice;
    page(&sign_in)
}

/// PINs have 4 to 8 digits, passwords at least ten characters: one field takes both.
fn kind_of(secret: &str) -> SecretKind {
    let digits = secret.bytes().all(|b| b.is_ascii_digit());
    if digits && (4..=8).contains(&secret.len()) {
        SecretKind::Pin
    } else {
        SecretKind::Password
    }
}

/// `POST /shops/{slug}/sign-in`: a session for whoever proves to be a customer; none for others.
async fn enter(
    State(app): State<App>,
    guest: Guest,
    client: Client,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let next = inside(typed.next, &guest);
    let secrets = guest.shop.policy.sign_in.secrets;
    let needed = |text: &str, said: &str| match text.trim() {
        "" => said.to_owned(),
        _ => String::new(),
    };
    let wrong = Wrong {
        name: needed(&typed.name, "Type your account number or sign-in name."),
        secret: match secrets {
            Secrets::Either => needed(&typed.secret, "Type your PIN or password."),
            Secrets::Password => needed(&typed.secret, "Type your password."),
            Secrets::Pin | Secrets::Both => needed(&typed.secret, "Type your PIN."),
        },
        password: match secrets {
            Secrets::Both => needed(&typed.password, "Type your password."),
            _ => String::new(),
        },
    };
    let all = [&wrong.name, &wrong.secret, &wrong.password];
    if all.iter().any(|text| !text.is_empty()) {
        let page = sign_in_page(&app, &guest, &typed.name, next, wrong);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let given = given(secrets, &typed.secret, &typed.password);
    if let Some(home) = home_elsewhere(&app, &guest.shop, &typed.name).await? {
        return visit(&app, &guest, client, (&home, &typed.name, given), next).await;
    }
    match prove(&app, &guest.shop.vendor, client, &typed.name, given).await? {
        Proof::Proven(customer) => let_in(&app, &guest, &customer, next).await,
        Proof::Wrong | Proof::Locked { .. } => refuse(&app, &guest, &typed.name, next),
    }
}

/// The vendor whose account number this is, where it is another member of the shop's mall (OPN-24).
async fn home_elsewhere(app: &App, shop: &Shop, name: &str) -> Result<Option<Vendor>> {
    let Ok(number) = AccountNumber::parse(name) else {
        return Ok(None);
    };
    let (book, home) = (shop.vendor.book_id, number.book_id());
    if home == book {
        return Ok(None);
    }
    let found = app.read(move |tx| {
        let (Some(own), Some(other)) = (member_of(tx, book)?, member_of(tx, home)?) else {
            return Ok(None);
        };
        match own.mall_book == other.mall_book {
            true => Ok(Some(vendor_by_book(tx, home)?)),
            false => Ok::<_, Failed>(None),
        }
    });
    found.await
}

/// A customer of another member comes in: its home says who it is, and it is known here by an account
/// without personal data from then on.
async fn visit(
    app: &App,
    guest: &Guest,
    client: Client,
    (home, name, given): (&Vendor, &str, Given),
    next: Option<String>,
) -> Result<Response> {
    let proof = prove(app, home, client, name, given).await?;
    let Proof::Proven(customer) = proof else {
        return refuse(app, guest, name, next);
    };
    let (vault, target) = (app.node.vault.clone(), guest.shop.vendor.clone());
    let entered = app.write(move |tx| {
        if factor_is_on(tx, Holder::customer(&customer))? {
            return Ok(None);
        }
        Ok::<_, Failed>(Some(visitor_enter(tx, &vault, &customer, &target)?))
    });
    match entered.await {
        Ok(Some(visitor)) => let_in(app, guest, &visitor, next).await,
        Ok(None) => {
            let text = format!(
                "This account signs in with one-time codes, and {} alone asks for them: sign in there.",
                home.name
            );
            not_in(app, guest, name, next, text)
        }
        Err(problem) if problem.status.is_client_error() => {
            not_in(app, guest, name, next, problem.sentence())
        }
        Err(problem) => Err(problem),
    }
}

/// The page again, with why nobody was let in.
fn not_in(
    app: &App,
    guest: &Guest,
    name: &str,
    next: Option<String>,
    text: String,
) -> Result<Response> {
    let mut page = sign_in_page(app, guest, name, next, Wrong::default());
    page.shell.notice = Some(Notice::new(Tone::Bad, "You are not signed in.", text));
    page_with(StatusCode::CONFLICT, &page)
}

/// Proves that someone is a customer of a vendor; attempts are counted.
pub async fn prove(
    app: &App,
    vendor: &Vendor,
    client: Client,
    name: &str,
    given: Given,
) -> Result<SignIn> {
    let guess = guess(app, vendor.book_id, client)?;
    let (vendor, name) = (vendor.clone(), name.to_owned());
    let proof = app
        .slow(move |node| sign_in_with(node, &vendor, &name, &given))
        .await??;
    if let Proof::Proven(_) = proof {
        guess.right();
    }
    Ok(proof)
}

/// A fresh session in place of the one that this browser may have had.
async fn let_in(
    app: &App,
    guest: &Guest,
    customer: &Customer,
    next: Option<String>,
) -> Result<Response> {
    let (book, id) = (customer.book_id, customer.customer_id);
    let before = guest.me.as_ref().map(|me| me.token.clone());
    let opened = app
        .write(move |tx| {
            if let Some(before) = &before {
                session_end(tx, book, before)?;
            }
            let holder = Holder {
                book_id: book,
                subject: Subject::Customer(id),
            };
            Ok::<_, Failed>(match session_enter(tx, holder)? {
                Entrance::Open(token) => (token, Some(list_resume(tx, book, id)?)),
                Entrance::Waits(token) => (token, None),
            })
        })
        .await;
    let (token, back) = match opened {
        Ok(opened) => opened,
        Err(problem) if problem.code == "account_closed" => {
            let closed = ClosedPage {
                shell: guest_shell(guest, "This account is closed", "/sign-in"),
                number: customer.number.to_string(),
                register: guest.shop.at("/register"),
            };
            return page_with(StatusCode::CONFLICT, &closed);
        }
        Err(problem) => return Err(problem),
    };
    let Some(back) = back else {
        let next = next.unwrap_or_default();
        let mut response = see(&link(&guest.shop.at("/sign-in/code"), &[("next", &next)]))?;
        let cookie = set_cookie(&customer_cookie(&guest.shop.vendor.slug), &token)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return Ok(response);
    };
    inside_now(guest, &token, back, next)
}

/// To where one goes once signed in. A list that was set aside is shown first (SHP-15).
fn inside_now(guest: &Guest, token: &str, back: usize, next: Option<String>) -> Result<Response> {
    let place = match back {
        0 => next.unwrap_or_else(|| guest.shop.at("/shop")),
        back => link(&guest.shop.at("/list"), &[("back", &back.to_string())]),
    };
    let mut response = see(&place)?;
    signed_in(response.headers_mut(), guest, token)?;
    Ok(response)
}

/// A number that cannot be one, whatever accounts exist.
pub fn misread(name: &str) -> String {
    match AccountNumber::parse(name) {
        Err(e @ NumberError::CheckDigits(_)) => {
            Problem::invalid("number_invalid", e.to_string()).sentence()
        }
        _ => String::new(),
    }
}

/// The one answer to an unknown name, a wrong secret and a locked account.
fn refuse(app: &App, guest: &Guest, name: &str, next: Option<String>) -> Result<Response> {
    let secrets = guest.shop.policy.sign_in.secrets;
    let again = || "Type it again.".to_owned();
    let wrong = Wrong {
        name: misread(name),
        secret: again(),
        password: again(),
    };
    let mut page = sign_in_page(app, guest, name, next, wrong);
    page.shell.notice = Some(
        Notice::new(
            Tone::Bad,
            "You are not signed in.",
            format!(
                "The account and the {} do not match, or the account is locked for a while: after \
                 five wrong tries in a row it takes nothing for 15 minutes or more, not even what \
                 is right. Look at {} and try again, or wait.",
                asked_words(secrets),
                if secrets == Secrets::Both {
                    "all of it"
                } else {
                    "both"
                }
            ),
        )
        .action(forgotten_words(secrets), guest.shop.at("/forgot")),
    );
    page_with(StatusCode::UNAUTHORIZED, &page)
}

#[cfg(test)]
mod tests {
    use super::kind_of;
    use scrip_domain::customer::SecretKind;

    /// SHP-03: one field takes PIN and password.
    #[test]
    fn four_to_eight_digits_are_a_pin() {
        for (secret, kind) in [
            ("4071", SecretKind::Pin),
            ("40712222", SecretKind::Pin),
            ("407", SecretKind::Password),
            ("407122223", SecretKind::Password),
            ("٤٠٧١", SecretKind::Password),
            ("open the till", SecretKind::Password),
            ("", SecretKind::Password),
        ] {
            assert_eq!(kind_of(secret), kind, "{secret}");
        }
    }
}
