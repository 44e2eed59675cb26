//! A question that only the customer can answer, asked when something needs more than being signed
//! in (REG-05).

use super::super::frame::{link, member_shell, page, page_with, see};
use super::super::register::question_fields;
use super::super::session::{Holder, Member, is_inside};
use super::super::view::{Field, Notice, Shell, Tone, When};
use crate::error::{Problem, Result};
use crate::http::body::{Form, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    Checker, CustomerError, StepUp, answer_hash, answers_begin, check_identity, step_up,
};
use scrip_domain::policy::{Sensitive, policy};
use scrip_domain::secret::Proof;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account/check.html")]
struct CheckPage {
    shell: Shell,
    headline: &'static str,
    lede: &'static str,
    action: String,
    fields: Vec<Field>,
    next: String,
    back: String,
}

/// Where to go on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    next: Option<String>,
}

/// What was typed. It is never printed: it holds a PIN and answers.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    next: String,
    pin: String,
    answer_1: String,
    answer_2: String,
    answer_3: String,
    answer_4: String,
    answer_5: String,
}

/// Sends a customer whom the rules want to be checked first to the question; other problems stay.
pub fn to_check(member: &Member, next: &str, problem: Problem) -> Result<Response> {
    match problem.code {
        "identity_check_needed" => {
            let next = member.shop.at(next);
            see(&link(&member.shop.at("/account/check"), &[("next", &next)]))
        }
        _ => Err(problem),
    }
}

/// Sends a customer to the question before a page whose form would be refused without.
pub async fn first(
    app: &App,
    member: &Member,
    action: Sensitive,
    next: &str,
) -> Result<Option<Response>> {
    if needed(app, member, &[action]).await? == StepUp::Free {
        return Ok(None);
    }
    let next = member.shop.at(next);
    let place = link(&member.shop.at("/account/check"), &[("next", &next)]);
    Ok(Some(see(&place)?))
}

async fn needed(app: &App, member: &Member, actions: &[Sensitive]) -> Result<StepUp> {
    let (of, actions) = (member.clone(), actions.to_vec());
    app.read(move |tx| {
        let held = policy(tx, of.me.customer.book_id)?;
        let checker = Checker::Session(of.me.token.clone());
        for action in actions {
            let need = step_up(tx, &held, &of.me.customer, &checker, action)?;
            if need != StepUp::Free {
                return Ok::<_, CustomerError>(need);
            }
        }
        Ok(StepUp::Free)
    })
    .await
}

/// What customers do themselves.
const OWN: [Sensitive; 3] = [
    Sensitive::PinChange,
    Sensitive::PersonChange,
    Sensitive::Closing,
];

fn inside(member: &Member, next: &str) -> String {
    match is_inside(next, &member.shop.vendor.slug) {
        true => next.to_owned(),
        false => member.shop.at("/account"),
    }
}

fn check_page(member: &Member, need: &StepUp, next: &str, wrong: &str) -> CheckPage {
    let (headline, lede, fields) = match need {
        StepUp::Free => ("It is you", "Nothing more is asked.", Vec::new()),
        StepUp::Ask { question } => (
            "Is it you?",
            "What you are about to do needs more than your PIN. Answer as you did when you \
             registered; capital letters and spaces do not matter.",
            question_fields(std::slice::from_ref(question), &[wrong.to_owned()]),
        ),
        StepUp::Unanswered { questions } => {
            let pin = Field::secret("pin", "Your PIN", "current-password")
                .class("is-pin")
                .inputmode("numeric")
                .error(wrong);
            let mut fields = vec![pin];
            fields.extend(question_fields(questions, &[]));
            (
                "Questions that only you can answer",
                "The shop asks one of them from now on when something needs more than your PIN. \
                 Nobody can read the answers, staff neither.",
                fields,
            )
        }
    };
    CheckPage {
        shell: member_shell(member, headline, "/account/check"),
        headline,
        lede,
        action: member.shop.at("/account/check"),
        fields,
        next: next.to_owned(),
        back: member.shop.at("/account"),
    }
}

/// `GET /shops/{slug}/account/check`.
pub async fn form(
    State(app): State<App>,
    Holder(member): Holder,
    Query(way): Query<Way>,
) -> Result<Response> {
    let next = inside(&member, way.next.as_deref().unwrap_or_default());
    match needed(&app, &member, &OWN).await? {
        StepUp::Free => see(&next),
        need => page(&check_page(&member, &need, &next, "")),
    }
}

/// `POST /shops/{slug}/account/check`.
pub async fn answer(
    State(app): State<App>,
    Holder(member): Holder,
    client: Client,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let next = inside(&member, &typed.next);
    let need = needed(&app, &member, &OWN).await?;
    let (customer, token) = (member.me.customer.clone(), member.me.token.clone());
    let checker = Checker::Session(token);
    let guess = guess(&app, member.shop.vendor.book_id, client)?;
    let proof = match need.clone() {
        StepUp::Free => {
            guess.right();
            return see(&next);
        }
        StepUp::Ask { question } => {
            app.slow(move |node| {
                check_identity(node, &customer, checker, &question, &typed.answer_1)
            })
            .await?
        }
        StepUp::Unanswered { questions } => {
            let held = member.shop.policy.clone();
            app.slow(move |node| {
                let answers = [
                    &typed.answer_1,
                    &typed.answer_2,
                    &typed.answer_3,
                    &typed.answer_4,
                    &typed.answer_5,
                ];
                let answers = questions.iter().zip(answers);
                let answers = answers.map(|(question, answer)| answer_hash(question, answer));
                let answers = answers.collect::<std::result::Result<Vec<_>, _>>()?;
                answers_begin(node, &held, &customer, checker, &typed.pin, answers)
            })
            .await?
        }
    };
    let again = |status, wrong: &str| page_with(status, &check_page(&member, &need, &next, wrong));
    match proof {
        Ok(Proof::Proven(())) => {
            guess.right();
            see(&next)
        }
        Ok(Proof::Wrong) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This is not right. Nothing was done.",
        ),
        Ok(Proof::Locked { until }) => {
            let mut page_of = check_page(&member, &need, &next, "");
            page_of.shell.notice = Some(Notice::new(
                Tone::Bad,
                "Too many wrong tries in a row.",
                format!("The next try is possible at {}.", When::minute(until)),
            ));
            page_with(StatusCode::TOO_MANY_REQUESTS, &page_of)
        }
        Err(e @ (CustomerError::Secret(_) | CustomerError::AnswersMissing)) => {
            let problem = Problem::from(e);
            again(problem.status, &problem.sentence())
        }
        Err(e) => Err(e.into()),
    }
}
