//! Registering a customer who called, wrote or came (REG-03): the same data and the same states as
//! on line.

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::register::{means_words, person_fields, question_fields};
use super::super::session::StaffMember;
use super::super::view::format::tokens;
use super::super::view::{Choice, Field, Notice, Shell, Shown, Tone};
use super::{May, permission};
use crate::error::{Failed, Problem, Result};
use crate::http::body::Form;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    AnswerHash, Channel, Details, Entry, Means, Person, SecretKind, answer_hash, customer_by_id,
    customer_enter, means_allowed, reference_set, secret_hash,
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "staff/register.html")]
struct RegisterPage {
    shell: Shell,
    action: String,
    person: Vec<Field>,
    address: Option<Field>,
    account: Vec<Field>,
    channels: Vec<Choice>,
    means: Vec<Choice>,
    questions: Vec<Field>,
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
    fax: String,
    email: String,
    country: String,
    login: String,
    reference: String,
    pin: String,
    channel: String,
    means: String,
    answer_1: String,
    answer_2: String,
    answer_3: String,
    answer_4: String,
    answer_5: String,
    key: String,
}

impl Typed {
    fn person(&self) -> Person {
        Person {
            name: self.name.clone(),
            address: self.address.clone(),
            phone: self.phone.clone(),
            fax: self.fax.clone(),
            email: self.email.clone(),
        }
    }

    /// Answers that were given to staff; none at all is all right.
    fn answers(&self, questions: &[String]) -> Vec<(String, String)> {
        let typed = [
            &self.answer_1,
            &self.answer_2,
            &self.answer_3,
            &self.answer_4,
            &self.answer_5,
        ];
        let pairs = questions.iter().cloned().zip(typed.into_iter().cloned());
        pairs
            .filter(|(_, answer)| !answer.trim().is_empty())
            .collect()
    }
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
    let policy = &shop.policy;
    let allowed = means_allowed(policy, Channel::Staff);
    let wrong_person = Person {
        name: error("name"),
        address: error("address"),
        phone: error("phone"),
        fax: error("fax"),
        email: error("email"),
    };
    let fields = &policy.registration.fields;
    let (name, reach, address) = person_fields(fields, &typed.person(), &wrong_person);
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
        person: name
            .into_iter()
            .chain(reach)
            .chain([text("country", "Country", &typed.country)
                .class("is-short")
                .help("Two letters, as GB or DE: prices may differ by country.")])
            .collect(),
        address,
        channels: choices(
            "channel",
            &typed.channel,
            Channel::ALL,
            |channel| match channel {
                Channel::Online => None,
                Channel::Staff => Some("At the counter"),
                Channel::Phone => Some("By telephone"),
                Channel::Fax => Some("By fax"),
                Channel::Mail => Some("By letter"),
                Channel::Email => Some("By e-mail"),
            },
        ),
        means: choices("means", &typed.means, allowed, |means| {
            Some(means_words(means))
        }),
        questions: question_fields(&policy.registration.questions, &[])
            .into_iter()
            .map(Field::optional)
            .collect(),
        account: account_fields(typed, wrong),
        key: form_key(),
        back,
        minimum: minimum.is_positive().then(|| tokens(minimum)),
    }
}

/// How the account is called and opened.
fn account_fields(typed: &Typed, wrong: &Wrong) -> Vec<Field> {
    let error = |name: &str| match wrong.field == name {
        true => wrong.text.clone(),
        false => String::new(),
    };
    let text = |name: &'static str, label: &str, value: &str| {
        Field::text(name, label)
            .value(value)
            .error(error(name))
            .optional()
    };
    vec![
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
    ]
}

/// A radio for each value that has words; the first stands until another is chosen.
fn choices<T: Copy + std::fmt::Display>(
    name: &'static str,
    chosen: &str,
    all: &[T],
    words: impl Fn(T) -> Option<&'static str>,
) -> Vec<Choice> {
    let offered = all
        .iter()
        .filter_map(|one| Some((one.to_string(), words(*one)?)));
    let offered: Vec<_> = offered.collect();
    let known = offered.iter().any(|(value, _)| value == chosen);
    let choice = |(place, (value, label)): (usize, (String, &str))| {
        let on = if known { value == chosen } else { place == 0 };
        Choice::new(name, &value, label, on)
    };
    offered.into_iter().enumerate().map(choice).collect()
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
    let answers = typed.answers(&member.shop.policy.registration.questions);
    let answers = app
        .slow(move |_| {
            let answers = answers
                .iter()
                .map(|(question, answer)| answer_hash(question, answer));
            answers.collect::<std::result::Result<Vec<_>, _>>()
        })
        .await?;
    let answers = match answers {
        Ok(answers) => answers,
        Err(e) => {
            let problem = Problem::from(e);
            let text = problem.sentence();
            return again(problem.status, &Wrong { field: "", text });
        }
    };
    match registered(&app, &member, &typed, (pin_hash, answers)).await {
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
    (pin_hash, answers): (Option<String>, Vec<AnswerHash>),
) -> Result<String> {
    let vendor = member.shop.vendor.clone();
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let details = Details {
        person: typed.person(),
        login: some(&typed.login),
        pin_hash,
        country: typed.country.clone(),
        answers,
        ..Details::default()
    };
    let word = |text: &str| Problem::invalid("customer_invalid", text.to_owned());
    let channel = match typed.channel.as_str() {
        "" => Channel::Staff,
        given => Channel::parse(given).map_err(|e| word(&e.to_string()))?,
    };
    if channel == Channel::Online {
        return Err(word(
            "staff register by telephone, fax, letter, e-mail or at the counter",
        ));
    }
    let means = match typed.means.as_str() {
        "" => None,
        given => Some(Means::parse(given).map_err(|e| word(&e.to_string()))?),
    };
    let entry = Entry { channel, means };
    let actor = member.actor();
    let reference = some(&typed.reference);
    // Without the PIN: so few digits could be found from what is stored of a request.
    let request = format!(
        "register {:?} {:?} {reference:?} {entry:?} {:?}",
        details.person, details.login, details.country
    );
    let keyed = member.keyed(typed.key.clone(), request.into_bytes(), None);
    let vault = app.node.vault.clone();
    let done = app
        .submit(keyed, move |tx| {
            let made = customer_enter(tx, &vault, actor, &vendor, &entry, &details)?;
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
            ("the fax number ", "fax"),
            ("the country ", "country"),
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
