//! A parent opens an account for a child who has none (ADV-02).

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::register::{
    begin_at_wrong, look_again, person_fields, question_fields, wrong_person, wrong_pins,
};
use super::super::session::{Holder, Member};
use super::super::view::{Field, Notice, Shell, Tone};
use crate::error::{Failed, Result};
use crate::http::body::Form;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    AnswerHash, Details, Person, SecretError, SecretKind, answer_hash, customer_by_id, secret_hash,
};
use scrip_domain::family::family_register;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account/child.html")]
struct ChildPage {
    shell: Shell,
    fields: Vec<Field>,
    action: String,
    back: String,
    key: String,
}

/// What was typed. It is never printed: it holds a PIN and answers.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    name: String,
    email: String,
    phone: String,
    fax: String,
    address: String,
    pin: String,
    pin_again: String,
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

    fn answers(&self) -> [&str; 5] {
        [
            &self.answer_1,
            &self.answer_2,
            &self.answer_3,
            &self.answer_4,
            &self.answer_5,
        ]
    }
}

/// What is wrong with it.
#[derive(Default)]
struct Wrong {
    person: Person,
    pins: (String, String),
}

fn child_page(member: &Member, typed: &Typed, wrong: Wrong) -> ChildPage {
    let registration = &member.shop.policy.registration;
    let (name, reach, address) =
        person_fields(&registration.fields, &typed.person(), &wrong.person);
    let pin = |name, label, error: String| {
        Field::secret(name, label, "new-password")
            .class("is-pin")
            .inputmode("numeric")
            .error(error)
    };
    let (first, again) = wrong.pins;
    let mut fields: Vec<Field> = name.into_iter().chain(reach).chain(address).collect();
    fields.push(pin("pin", "A PIN for the child", first).help("4 to 8 digits, harder than 1234."));
    fields.push(pin("pin_again", "The PIN again", again));
    fields.extend(question_fields(&registration.questions, &[]));
    let count = begin_at_wrong(fields.iter_mut());
    let mut shell = member_shell(member, "An account for a child", "/account/family");
    if count > 0 {
        let text = "No account was opened. The PIN is not shown again: type it once more.";
        shell.notice = Some(Notice::new(Tone::Bad, look_again(count), text));
    }
    ChildPage {
        shell,
        fields,
        action: member.shop.at("/account/family/child"),
        back: member.shop.at("/account/family"),
        key: form_key(),
    }
}

/// `GET /shops/{slug}/account/family/child`.
pub async fn form(Holder(member): Holder) -> Result<Response> {
    page(&child_page(&member, &Typed::default(), Wrong::default()))
}

/// `POST /shops/{slug}/account/family/child`.
pub async fn register(
    State(app): State<App>,
    Holder(member): Holder,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let wrong = Wrong {
        person: wrong_person(&member.shop.policy.registration.fields, &typed.person()),
        pins: wrong_pins(&typed.pin, &typed.pin_again),
    };
    let unfit = StatusCode::UNPROCESSABLE_ENTITY;
    if !wrong.person.is_empty() || !wrong.pins.0.is_empty() || !wrong.pins.1.is_empty() {
        return page_with(unfit, &child_page(&member, &typed, wrong));
    }
    let problem = match opened(&app, &member, &typed).await {
        Ok(()) => {
            let here = member.shop.at("/account/family");
            return see(&link(&here, &[("done", "registered")]));
        }
        Err(problem) => problem,
    };
    if !matches!(
        problem.status,
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
    ) {
        return Err(problem);
    }
    let mut page_of = child_page(&member, &typed, Wrong::default());
    let notice = Notice::new(Tone::Bad, "No account was opened.", problem.sentence());
    page_of.shell.notice = Some(notice);
    page_with(unfit, &page_of)
}

async fn opened(app: &App, member: &Member, typed: &Typed) -> Result<()> {
    let (pin, person) = (typed.pin.clone(), typed.person());
    let questions = member.shop.policy.registration.questions.clone();
    let said: Vec<String> = typed.answers().map(str::to_owned).into();
    let hashed = app.slow(move |_| {
        let answers = questions.iter().zip(&said);
        let answers = answers.map(|(question, answer)| answer_hash(question, answer));
        let answers = answers.collect::<std::result::Result<Vec<AnswerHash>, _>>()?;
        Ok::<_, SecretError>((secret_hash(SecretKind::Pin, &pin)?, answers))
    });
    let (pin_hash, answers) = hashed.await??;
    // Neither the PIN nor the person can be read from what is kept of the request.
    let request = [
        &typed.pin,
        &typed.name,
        &typed.email,
        &typed.phone,
        &typed.address,
    ];
    let request = request.map(String::as_bytes);
    let request = app.node.vault.hash("child's form", &request).to_vec();
    let keyed = member.keyed(format!("child-{}", typed.key), request);
    let details = Details {
        person,
        pin_hash: Some(pin_hash),
        answers,
        ..Details::default()
    };
    let (vendor, actor) = (member.shop.vendor.clone(), member.me.actor());
    let (own, vault) = (member.me.own, app.node.vault.clone());
    let done = app.submit(keyed, move |tx| {
        let parent = customer_by_id(tx, vendor.book_id, own)?;
        family_register(tx, &vault, actor, &vendor, &parent, &details)?;
        Ok::<_, Failed>(())
    });
    done.await?;
    Ok(())
}
