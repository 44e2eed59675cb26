//! Registration on line, stage by stage (REG-02, REG-06): information, details, means of payment,
//! account number.
//!
//! A registration is known by its id, which nobody can guess and which stands in the address. The
//! address always shows the stage that the registration is at, so skipping a stage, going back and
//! posting twice all end on a page that says where one is.

mod details;

use super::entrance::{minimum, minimums};
use super::frame::{guest_shell, link, page, page_with, see};
use super::session::{Guest, customer_cookie, set_cookie};
use super::view::format::{counted, money, price_each, tokens};
use super::view::{Choice, Notice, Reach, Shell, Shown, Step, Tone, reach};
use crate::config::Cards;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use details::details_page;
pub use details::{
    begin_at_wrong, look_again, password_fields, person_fields, question_fields, wrong_passwords,
    wrong_person, wrong_pins,
};
use scrip_domain::catalog::categories;
use scrip_domain::customer::{
    Channel, Customer, Means, Stage, means_allowed, opening_due, registration_means,
    registration_stage, registration_start, tokens_to_activate,
};
use scrip_domain::id::RegistrationId;
use scrip_domain::session::{Subject, session_end, session_open};
use scrip_domain::token_sale::token_price_quote_for;
use scrip_domain::vendor::{EntityKind, vendor_by_book};
use scrip_domain::{Actor, Amount};
use serde::Deserialize;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/register", get(information).post(begin))
        .route("/shops/{slug}/register/off-line", get(off_line))
        .route("/shops/{slug}/register/{id}", get(stage))
        .route("/shops/{slug}/register/{id}/details", post(details::take))
        .route("/shops/{slug}/register/{id}/means", post(means))
}

/// The stages as people see them.
const STAGES: [&str; 5] = ["Information", "Details", "Payment", "Number", "Active"];

/// Categories that the information page names.
const CATEGORIES_NAMED: usize = 12;

#[derive(Template)]
#[template(path = "register/information.html")]
struct InformationPage {
    shell: Shell,
    steps: Vec<Step>,
    shop: String,
    categories: Vec<(String, String)>,
    more: String,
    price: String,
    minimum: Option<Shown>,
    /// Countries that have another.
    minimums: String,
    /// Whose accounts they are.
    business: EntityKind,
    is_by_card: bool,
    begin: String,
    off_line: String,
    quit: String,
}

#[derive(Template)]
#[template(path = "register/off_line.html")]
struct OffLinePage {
    shell: Shell,
    minimum: Option<Shown>,
    register: String,
    new_pin: String,
    contact: Vec<Reach>,
}

#[derive(Template)]
#[template(path = "register/means.html")]
struct MeansPage {
    shell: Shell,
    steps: Vec<Step>,
    action: String,
    ways: Vec<Choice>,
    error: &'static str,
    minimum: Option<Shown>,
    again: String,
    quit: String,
}

#[derive(Template)]
#[template(path = "register/account.html")]
struct AccountPage {
    shell: Shell,
    steps: Vec<Step>,
    number: String,
    is_here: bool,
    waits: Option<Waits>,
    buy: String,
    shop: String,
    sign_in: String,
}

/// What makes a new account active.
struct Waits {
    minimum: Shown,
    missing: Shown,
    money: String,
    by_means: &'static str,
}

#[derive(Template)]
#[template(path = "register/over.html")]
struct OverPage {
    shell: Shell,
    headline: &'static str,
    text: &'static str,
    again: String,
    sign_in: String,
}

/// A registration's address.
#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeansForm {
    #[serde(default)]
    means: String,
}

/// A means of payment as people read it.
pub fn means_words(means: Means) -> &'static str {
    match means {
        Means::Card => "By card",
        Means::Check => "By cheque",
        Means::MoneyOrder => "By money order",
        Means::PurchaseOrder => "Against a purchase order",
        Means::BillMe => "By invoice",
        Means::Cash => "In cash",
    }
}

/// How tokens are bought at this node.
pub fn ways_to_pay(app: &App) -> &'static str {
    match app.settings.cards {
        Cards::None => "from staff",
        Cards::Test | Cards::Stripe => "by card",
    }
}

/// `GET /shops/{slug}/register`: what is sold, what tokens are, how they are paid for, and what
/// activates an account (REG-02, first stage).
async fn information(State(app): State<App>, guest: Guest) -> Result<Response> {
    let book = guest.shop.vendor.book_id;
    let found = app.read(move |tx| categories(tx, book)).await?;
    let shop = &guest.shop;
    let named = found.iter().filter(|(name, _)| !name.is_empty());
    let more = match named.clone().count().saturating_sub(CATEGORIES_NAMED) {
        0 => String::new(),
        rest => {
            let rest = i64::try_from(rest).unwrap_or(i64::MAX);
            format!("and {}", counted(rest, "more category", "more categories"))
        }
    };
    let mut shell = guest_shell(&guest, "Register", "/register");
    if let Some(me) = &guest.me {
        shell.notice = Some(
            Notice::new(
                Tone::Note,
                "You have an account already.",
                format!(
                    "You are signed in as {}. Registering opens a second account and signs you \
                     in with that one.",
                    super::view::calm(&me.name)
                ),
            )
            .action("Your account", shop.at("/account")),
        );
    }
    page(&InformationPage {
        shell,
        steps: Step::trail(&STAGES, 0),
        shop: shop.vendor.name.clone(),
        categories: named
            .take(CATEGORIES_NAMED)
            .map(|(name, products)| (name.clone(), counted(*products, "product", "products")))
            .collect(),
        more,
        price: price_each(shop.token_price, &shop.vendor.currency),
        minimum: minimum(&guest),
        minimums: minimums(&guest),
        business: guest.shop.vendor.kind,
        is_by_card: app.settings.cards != Cards::None,
        begin: shop.at("/register"),
        off_line: shop.at("/register/off-line"),
        quit: shop.at("/quit"),
    })
}

/// `GET /shops/{slug}/register/off-line`: how staff open an account (SHP-02).
async fn off_line(guest: Guest) -> Result<Response> {
    page(&OffLinePage {
        shell: guest_shell(&guest, "By phone or mail", "/register/off-line"),
        minimum: minimum(&guest),
        register: guest.shop.at("/register"),
        new_pin: guest.shop.at("/forgot"),
        contact: reach(&guest.shop.policy.contact),
    })
}

/// `POST /shops/{slug}/register`: whoever has read the information begins.
async fn begin(State(app): State<App>, guest: Guest) -> Result<Response> {
    let (book, actor) = (guest.shop.vendor.book_id, Actor::System);
    let told = app
        .write(move |tx| {
            let vendor = vendor_by_book(tx, book)?;
            Ok::<_, Failed>(registration_start(tx, actor, &vendor, Channel::Online)?)
        })
        .await?;
    see(&at(&guest, told.registration_id, ""))
}

/// An address of a registration.
fn at(guest: &Guest, id: RegistrationId, path: &str) -> String {
    guest.shop.at(&format!("/register/{id}{path}"))
}

/// Where a registration stands; `None` when it is over, or never was.
async fn stand(app: &App, guest: &Guest, id: &str) -> Result<Option<(RegistrationId, Stage)>> {
    let Ok(id) = id.parse::<RegistrationId>() else {
        return Ok(None);
    };
    let vendor = guest.shop.vendor.clone();
    let found = app
        .read(move |tx| Ok::<_, Failed>(registration_stage(tx, &vendor, id)?))
        .await;
    match found {
        Ok(stage) => Ok(Some((id, stage))),
        Err(problem) if problem.code == "registration_lapsed" => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// `GET /shops/{slug}/register/{id}`: the stage that the registration is at.
async fn stage(
    State(app): State<App>,
    guest: Guest,
    Path(Id { id }): Path<Id>,
) -> Result<Response> {
    match stand(&app, &guest, &id).await? {
        Some((id, stage)) => stage_page(&app, &guest, id, stage, None).await,
        None => over(&guest),
    }
}

/// The page of a stage. With a notice it answers a post that came at the wrong stage.
async fn stage_page(
    app: &App,
    guest: &Guest,
    id: RegistrationId,
    stage: Stage,
    notice: Option<Notice>,
) -> Result<Response> {
    let status = match notice {
        Some(_) => StatusCode::CONFLICT,
        None => StatusCode::OK,
    };
    match stage {
        Stage::Informed => {
            let mut page = details_page(guest, id);
            page.shell.notice = notice;
            page_with(status, &page)
        }
        Stage::Details => {
            let mut page = means_page(app, guest, id);
            page.shell.notice = notice;
            page_with(status, &page)
        }
        Stage::Account(customer) => {
            let mut page = account_page(app, guest, customer).await?;
            page.shell.notice = notice;
            page_with(status, &page)
        }
    }
}

/// An hour has passed since the registration began, or its address is not whole.
fn over(guest: &Guest) -> Result<Response> {
    ended(
        guest,
        StatusCode::NOT_FOUND,
        "This registration is over.",
        "A registration lasts as long as the shop says. Details that were left unfinished are \
         forgotten, and no account was made of them. If you were given an account number, sign in with it; else \
         begin again: it takes two minutes.",
    )
}

fn ended(
    guest: &Guest,
    status: StatusCode,
    headline: &'static str,
    text: &'static str,
) -> Result<Response> {
    let over = OverPage {
        shell: guest_shell(guest, headline.trim_end_matches('.'), "/register"),
        headline,
        text,
        again: guest.shop.at("/register"),
        sign_in: guest.shop.at("/sign-in"),
    };
    page_with(status, &over)
}

fn means_page(app: &App, guest: &Guest, id: RegistrationId) -> MeansPage {
    let note = match app.settings.cards {
        Cards::None => "Not on these pages at the moment: staff take it",
        Cards::Test | Cards::Stripe => "You enter it when you buy tokens, not now",
    };
    let allowed = means_allowed(&guest.shop.policy, Channel::Online);
    let ways = allowed
        .iter()
        .enumerate()
        .map(|(place, means)| {
            let choice = Choice::new("means", means.name(), means_words(*means), place == 0);
            match means {
                Means::Card => choice.note(note).icon("i-card"),
                _ => choice.note("The shop tells you how, and credits you when it is there"),
            }
        })
        .collect();
    MeansPage {
        shell: guest_shell(guest, "How you pay for tokens", "/register"),
        steps: Step::trail(&STAGES, 2),
        action: at(guest, id, "/means"),
        ways,
        error: "",
        minimum: minimum(guest),
        again: guest.shop.at("/register"),
        quit: guest.shop.at("/quit"),
    }
}

/// `POST /shops/{slug}/register/{id}/means`: agrees how tokens are paid for, makes the account, and
/// signs its owner in (REG-06).
async fn means(
    State(app): State<App>,
    guest: Guest,
    Path(Id { id }): Path<Id>,
    Form(form): Form<MeansForm>,
) -> Result<Response> {
    let id = match stand(&app, &guest, &id).await? {
        None => return over(&guest),
        Some((id, Stage::Details)) => id,
        Some((id, Stage::Account(_))) => return see(&at(&guest, id, "")),
        Some((id, stage @ Stage::Informed)) => {
            let notice = Notice::new(
                Tone::Warn,
                "Your details come first.",
                "No account was made yet. Fill in this page, then choose how to pay.",
            );
            return stage_page(&app, &guest, id, stage, Some(notice)).await;
        }
    };
    let allowed = means_allowed(&guest.shop.policy, Channel::Online);
    let agreed = Means::parse(&form.means)
        .ok()
        .filter(|m| allowed.contains(m));
    let Some(agreed) = agreed else {
        let mut page = means_page(&app, &guest, id);
        page.error = "Choose one of the ways to pay that stand here.";
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let made = make(&app, &guest, id, agreed).await;
    let token = match made {
        Ok(token) => token,
        // Another post of the same page was faster.
        Err(problem) if problem.code == "wrong_stage" => return see(&at(&guest, id, "")),
        Err(problem) if problem.code == "registration_lapsed" => return over(&guest),
        Err(problem) if problem.code == "login_taken" => {
            return ended(
                &guest,
                StatusCode::CONFLICT,
                "Somebody else took your sign-in name.",
                "That happened while you were registering. No account was made and nothing was \
                 charged. Begin again with another sign-in name, or without one.",
            );
        }
        Err(problem) => return Err(problem),
    };
    let mut response = see(&at(&guest, id, ""))?;
    signed_in(response.headers_mut(), &guest, &token)?;
    Ok(response)
}

/// Makes the customer and opens its session; an earlier session of this browser ends.
async fn make(app: &App, guest: &Guest, id: RegistrationId, agreed: Means) -> Result<String> {
    let book = guest.shop.vendor.book_id;
    let before = guest.me.as_ref().map(|me| me.token.clone());
    let vault = app.node.vault.clone();
    app.write(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let made = registration_means(tx, &vault, &vendor, id, agreed)?;
        if let Some(before) = &before {
            session_end(tx, book, before)?;
        }
        let token = session_open(tx, book, Subject::Customer(made.customer_id))?;
        Ok::<_, Failed>(token)
    })
    .await
}

/// Gives the browser the token of a fresh session.
pub fn signed_in(headers: &mut HeaderMap, guest: &Guest, token: &str) -> Result<()> {
    let name = customer_cookie(&guest.shop.vendor.slug);
    headers.insert(header::SET_COOKIE, set_cookie(&name, token)?);
    Ok(())
}

/// The account number, and what activates the account (REG-06).
async fn account_page(app: &App, guest: &Guest, customer: Customer) -> Result<AccountPage> {
    let shop = &guest.shop;
    let me = guest.me.as_ref();
    let is_here = me.is_some_and(|me| me.customer.customer_id == customer.customer_id);
    let has = me
        .filter(|_| is_here)
        .map_or(Amount::ZERO, |me| me.available);
    let (vendor, of) = (shop.vendor.clone(), customer.clone());
    let (missing, price) = app
        .read(move |tx| {
            let missing = match opening_due(tx, &of)? {
                Some(opening) => opening.tokens,
                None => tokens_to_activate(&vendor, &of, has)?,
            };
            let price = match missing.is_positive() {
                true => token_price_quote_for(tx, &vendor, &of, missing)?,
                false => Amount::ZERO,
            };
            Ok::<_, Problem>((missing, price))
        })
        .await?;
    let waits = if missing.is_positive() {
        Some(Waits {
            minimum: tokens(missing.plus(has)?),
            missing: tokens(missing),
            money: money(price, &shop.vendor.currency),
            by_means: "",
        })
    } else {
        None
    };
    let buy = match &waits {
        Some(_) => {
            let number = missing.decimal(shop.vendor.token.scale);
            let back = shop.at("/shop");
            link(&shop.at("/buy"), &[("tokens", &number), ("return", &back)])
        }
        None => shop.at("/buy"),
    };
    Ok(AccountPage {
        shell: guest_shell(guest, "Your account number", "/register"),
        steps: match waits {
            Some(_) => Step::trail(&STAGES, 3),
            None => Step::trail(&STAGES, 4),
        },
        number: customer.number.to_string(),
        is_here,
        waits,
        buy,
        shop: shop.at("/shop"),
        sign_in: shop.at("/sign-in"),
    })
}
