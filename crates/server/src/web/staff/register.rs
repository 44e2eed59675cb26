//! Registering a customer who called, wrote or came (REG-03): the same data and the same states as
//! on line.

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::tokens;
use super::super::view::{Field, Notice, Shell, Shown, Tone};
use super::{May, permission};
use crate::error::{Failed, Problem, Result};
use crate::http::body::Form;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    Details, Person, SecretKind, customer_by_id, customer_register, reference_set, secret_hash,
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "staff/register.html")]
struct RegisterPage {
    shell: Shell,
    action: String,
    person: Vec<Field>,
    address: Field,
    account: Vec<Field>,
    key: String,
    back: String,
    minimum: Option<Shown>,
}

/// What staff typed. It is never printed: it holds a PIN.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    name: String,
    address: String,
    phone: String,
    email: String,
    login: String,
    reference: String,
    pin: String,
    key: String,
}

/// What is wrong, and with which field.
#[derive(Default)]
struct Wrong {
    field: &'static str,
    text: String,
}

fn register_page(member: &StaffMember, typed: &Typed, wrong: &Wrong) -> RegisterPage {
    let error = |name: &str| {
        if wrong.field == name {
            wrong.text.clone()
        } else {
            String::new()
        }
    };
    let text = |name: &'static str, label: &str, value: &str| {
        Field::text(name, label)
            .value(value)
            .error(error(name))
            .optional()
    };
    let shop = &member.shop;
    let back = shop.at("/staff/customers");
    let minimum = shop.vendor.minimum_tokens;
    let mut shell = staff_shell(member, "Register a customer", "/staff/customers");
    if !wrong.text.is_empty() {
        let headline = "The customer is not registered yet.";
        let kept = "Everything that you typed is still here, apart from the PIN.";
        let notice = match wrong.field {
            "" => Notice::new(Tone::Bad, headline, format!("{} {kept}", wrong.text)),
            _ => Notice::new(
                Tone::Bad,
                headline,
                format!("One field needs another look. {kept}"),
            ),
        };
        shell.notice = Some(notice);
    }
    RegisterPage {
        shell,
        action: format!("{back}/new"),
        person: vec![
            text("name", "Name", &typed.name),
            text("phone", "Phone", &typed.phone).kind("tel"),
            text("email", "E-mail", &typed.email).kind("email"),
        ],
        address: Field::area("address", "Address")
            .value(&*typed.address)
            .error(error("address"))
            .optional(),
        account: vec![
            text("login", "Sign-in name", &typed.login)
                .help("Instead of the account number. Nobody else on this node may have it."),
            text("reference", "Your reference", &typed.reference)
                .help("What another system of yours calls the customer, to find it again."),
            Field::secret("pin", "PIN", "off")
                .class("is-pin")
                .inputmode("numeric")
                .help("4 to 8 digits, if the customer chooses one now. A code sets it later.")
                .error(error("pin"))
                .optional(),
        ],
        key: form_key(),
        back,
        minimum: minimum.is_positive().then(|| tokens(minimum)),
    }
}

/// `GET /shops/{slug}/staff/customers/new`.
pub async fn form(May(member, _): May<permission::Customers>) -> Result<Response> {
    page(&register_page(
        &member,
        &Typed::default(),
        &Wrong::default(),
    ))
}

/// `POST /shops/{slug}/staff/customers/new`.
pub async fn register(
    State(app): State<App>,
    May(member, _): May<permission::Customers>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let again = |status, wrong: &Wrong| page_with(status, &register_page(&member, &typed, wrong));
    let pin_hash = match typed.pin.trim() {
        "" => None,
        pin => {
            let pin = pin.to_owned();
            match app
                .slow(move |_| secret_hash(SecretKind::Pin, &pin))
                .await?
            {
                Ok(hash) => Some(hash),
                Err(e) => {
                    let problem = Problem::from(e);
                    let wrong = Wrong {
                        field: "pin",
                        text: problem.sentence(),
                    };
                    return again(problem.status, &wrong);
                }
            }
        }
    };
    match registered(&app, &member, &typed, pin_hash).await {
        Ok(path) => see(&link(&path, &[("done", "registered")])),
        Err(problem) => {
            let wrong = wrong_field(&problem)?;
            again(problem.status, &wrong)
        }
    }
}

/// Makes the customer; the address of the customer's page.
async fn registered(
    app: &App,
    member: &StaffMember,
    typed: &Typed,
    pin_hash: Option<String>,
) -> Result<String> {
    let vendor = member.shop.vendor.clone();
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let details = Details {
        person: Person {
            name: typed.name.clone(),
            address: typed.address.clone(),
            phone: typed.phone.clone(),
            fax: String::new(),
            email: typed.email.clone(),
        },
        login: some(&typed.login),
        pin_hash,
        password_hash: None,
    };
    let reference = some(&typed.reference);
    // Without the PIN: so few digits could be found from what is stored of a request.
    let request = format!(
        "register {:?} {:?} {reference:?}",
        details.person, details.login
    );
    let keyed = member.keyed(typed.key.clone(), request.into_bytes(), None);
    let vault = app.node.vault.clone();
    let done = app
        .submit(keyed, move |tx| {
            let made = customer_register(tx, &vault, &vendor, &details)?;
            if let Some(reference) = &reference {
                let customer = customer_by_id(tx, vendor.book_id, made.customer_id)?;
                reference_set(tx, &customer, reference)?;
            }
            Ok::<_, Failed>(made.customer_id)
        })
        .await?;
    Ok(member.shop.at(&format!("/staff/customers/{}", done.value)))
}

/// Which field a refusal is about: its text begins with the field's words.
fn wrong_field(problem: &Problem) -> std::result::Result<Wrong, Problem> {
    let expected = matches!(
        problem.status,
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
    );
    if !expected {
        return Err(problem.clone());
    }
    let text = problem.sentence();
    let field = match problem.code {
        "login_taken" => "login",
        "reference_taken" => "reference",
        "idempotency_key_reused" => {
            return Ok(Wrong {
                field: "",
                text: "This form was sent before with something else in it, and that customer \
                       was registered. Send it again to register another."
                    .to_owned(),
            });
        }
        _ => [
            ("the name ", "name"),
            ("the address ", "address"),
            ("the telephone number ", "phone"),
            ("the e-mail address ", "email"),
            ("the sign-in name ", "login"),
            ("the reference ", "reference"),
        ]
        .into_iter()
        .find(|(words, _)| problem.detail.starts_with(words))
        .map_or("", |(_, field)| field),
    };
    Ok(Wrong { field, text })
}
