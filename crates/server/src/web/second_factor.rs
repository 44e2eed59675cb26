//! One-time codes at sign-in, turned on and off by their person: customers and staff alike
//! (SHP-03).

use super::frame::{member_shell, page, page_with, see, staff_shell};
use super::session::{Holder as Signed, StaffMember};
use super::view::{Field, Notice, Shell, Tone, When};
use crate::error::{Problem, Result};
use crate::http::body::Form;
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use qrcode::{Color, QrCode};
use scrip_domain::session::{
    Holder, SessionError, Subject, Taken, factor_begin, factor_begun, factor_codes_left,
    factor_confirm, factor_end, factor_is_on,
};
use serde::Deserialize;

/// The route of customers; that of staff stands with theirs.
pub fn router() -> Router<App> {
    Router::new().route("/shops/{slug}/account/second-factor", get(form).post(act))
}

/// What the app is to learn.
struct Begun {
    /// The secret, in groups of four.
    secret: String,
    /// The same as a picture: its side, and the path of its dark squares.
    side: usize,
    path: String,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct FactorPage {
    shell: Shell,
    action: String,
    back: String,
    is_on: bool,
    left: i64,
    begun: Option<Begun>,
    /// Shown once.
    codes: Vec<String>,
    code: Field,
}

/// What is wanted. It is never printed: it holds a code.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sent {
    act: String,
    code: String,
}

/// Whose page it is.
struct Place {
    shell: Shell,
    holder: Holder,
    /// What the app calls the account.
    account: String,
    shop: String,
    action: String,
    back: String,
}

fn of_customer(Signed(member): &Signed) -> Place {
    let shop = &member.shop;
    Place {
        shell: member_shell(member, "One-time codes", "/account/second-factor"),
        holder: Holder::customer(&member.me.customer),
        account: member.me.customer.number.to_string(),
        shop: shop.vendor.name.clone(),
        action: shop.at("/account/second-factor"),
        back: shop.at("/account"),
    }
}

fn of_staff(member: &StaffMember) -> Place {
    let shop = &member.shop;
    Place {
        shell: staff_shell(member, "One-time codes", "/staff/second-factor"),
        holder: Holder {
            book_id: shop.vendor.book_id,
            subject: Subject::Staff(member.staff.staff_id),
        },
        account: member.staff.name.clone(),
        shop: format!("{} staff", shop.vendor.name),
        action: shop.at("/staff/second-factor"),
        back: shop.at("/staff/people"),
    }
}

/// `GET /shops/{slug}/account/second-factor`.
async fn form(State(app): State<App>, member: Signed) -> Result<Response> {
    page(&factor_page(&app, of_customer(&member)).await?)
}

/// `GET /shops/{slug}/staff/second-factor`.
pub async fn staff_form(State(app): State<App>, member: StaffMember) -> Result<Response> {
    page(&factor_page(&app, of_staff(&member)).await?)
}

/// `POST /shops/{slug}/account/second-factor`.
async fn act(
    State(app): State<App>,
    member: Signed,
    client: Client,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    acted(&app, of_customer(&member), client, sent).await
}

/// `POST /shops/{slug}/staff/second-factor`.
pub async fn staff_act(
    State(app): State<App>,
    member: StaffMember,
    client: Client,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    acted(&app, of_staff(&member), client, sent).await
}

/// A part of an address in which a space is no plus.
fn escaped(text: &str) -> String {
    let pair = serde_html_form::to_string([("", text)]).unwrap_or_default();
    pair.trim_start_matches('=').replace('+', "%20")
}

fn begun(secret: &str, place: &Place) -> Begun {
    let (shop, account) = (escaped(&place.shop), escaped(&place.account));
    let address = format!("otpauth://totp/{shop}:{account}?secret={secret}&issuer={shop}");
    // What does not fit into a picture is typed.
    let (side, path) = QrCode::new(address.as_bytes()).map_or((0, String::new()), |code| {
        let side = code.width();
        let dark = code.to_colors().into_iter().enumerate();
        let dark = dark.filter(|(_, color)| *color == Color::Dark);
        let square = |(at, _): (usize, Color)| format!("M{} {}h1v1h-1z", at % side, at / side);
        (side, dark.map(square).collect())
    });
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    Begun {
        secret: groups.join(" "),
        side,
        path,
    }
}

async fn factor_page(app: &App, place: Place) -> Result<FactorPage> {
    let (holder, vault) = (place.holder, app.node.vault.clone());
    let (is_on, left, secret) = app
        .read(move |tx| {
            let is_on = factor_is_on(tx, holder)?;
            let secret = factor_begun(tx, &vault, holder)?;
            Ok::<_, SessionError>((is_on, factor_codes_left(tx, holder)?, secret))
        })
        .await?;
    let code = Field::text("code", "Code of the app")
        .autocomplete("one-time-code")
        .class("is-code is-mid");
    let code = match is_on {
        true => code.help("Six digits, or one of your recovery codes."),
        false => code.help("Six digits. A new one comes every half minute."),
    };
    Ok(FactorPage {
        begun: secret.map(|secret| begun(&secret, &place)),
        shell: place.shell,
        action: place.action,
        back: place.back,
        is_on,
        left,
        codes: Vec::new(),
        code,
    })
}

async fn acted(app: &App, place: Place, client: Client, sent: Sent) -> Result<Response> {
    let (holder, vault) = (place.holder, app.node.vault.clone());
    let book = holder.book_id;
    if !matches!(sent.act.as_str(), "begin" | "confirm" | "end") {
        return Err(Problem::invalid("form_invalid", "use a form of this page"));
    }
    if sent.act == "begin" {
        app.write(move |tx| factor_begin(tx, &vault, holder))
            .await?;
        return see(&place.action);
    }
    let guess = guess(app, book, client)?;
    let taken = match sent.act.as_str() {
        "confirm" => {
            app.write(move |tx| factor_confirm(tx, &vault, holder, &sent.code))
                .await?
        }
        _ => {
            let ended = app.write(move |tx| factor_end(tx, &vault, holder, &sent.code));
            match ended.await? {
                Taken::Right(()) => Taken::Right(Vec::new()),
                Taken::Wrong => Taken::Wrong,
                Taken::Locked { until } => Taken::Locked { until },
                Taken::Over => Taken::Over,
            }
        }
    };
    let action = place.action.clone();
    let mut page_of = factor_page(app, place).await?;
    match taken {
        Taken::Right(codes) => {
            guess.right();
            page_of.shell.notice = Some(match codes.is_empty() {
                false => Notice::new(
                    Tone::Good,
                    "One-time codes are on.",
                    "From now on signing in asks for one. Write the recovery codes down: they are \
                     shown this once.",
                ),
                true => Notice::new(
                    Tone::Good,
                    "One-time codes are off.",
                    "Signing in asks for no code any more.",
                ),
            });
            page_of.codes = codes;
            page(&page_of)
        }
        Taken::Wrong => {
            page_of.code = page_of.code.error(WRONG);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of)
        }
        Taken::Locked { until } => {
            page_of.shell.notice = Some(locked(until));
            page_with(StatusCode::TOO_MANY_REQUESTS, &page_of)
        }
        Taken::Over => {
            guess.right();
            see(&action)
        }
    }
}

/// Said of a code that was not taken.
pub const WRONG: &str = "This code is not right, or was used before. Wait for the next one and \
                         look at the clock of your phone: it must be right.";

/// Said after too many wrong codes.
pub fn locked(until: scrip_engine::Timestamp) -> Notice {
    Notice::new(
        Tone::Bad,
        "Too many wrong codes in a row.",
        format!("The next one is taken at {}.", When::minute(until)),
    )
}
