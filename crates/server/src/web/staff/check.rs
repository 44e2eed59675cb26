//! The question that staff ask a caller before they do something sensitive for the customer
//! (REG-05): they type the answer, and a right one holds for a few minutes.

use super::super::frame::{link, page, page_with, see, staff_shell};
use super::super::register::question_fields;
use super::super::session::{StaffMember, is_inside};
use super::super::view::{Field, Notice, Shell, Tone, When};
use super::customer::At;
use super::{May, permission, who};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    Checker, Customer, StepUp, answer_hash, answers_set_by_staff, check_identity, customer_by_id,
    step_up,
};
use scrip_domain::id::CustomerId;
use scrip_domain::policy::{Sensitive, policy};
use scrip_domain::secret::Proof;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "staff/check.html")]
struct CheckPage {
    shell: Shell,
    name: String,
    number: String,
    is_asked: bool,
    fields: Vec<Field>,
    action: String,
    next: String,
    back: String,
}

/// Where to go on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    next: Option<String>,
}

/// What was typed. It is never printed: it holds answers.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    next: String,
    answer_1: String,
    answer_2: String,
    answer_3: String,
    answer_4: String,
    answer_5: String,
}

/// Sends staff to the question when the rules want an answer first; other problems stay.
pub fn to_check(
    member: &StaffMember,
    id: CustomerId,
    next: &str,
    problem: Problem,
) -> std::result::Result<Result<Response>, Problem> {
    if problem.code != "identity_check_needed" {
        return Err(problem);
    }
    let place = member.shop.at(&format!("/staff/customers/{id}/check"));
    let next = member.shop.at(next);
    Ok(see(&link(&place, &[("next", &next)])))
}

async fn needed(app: &App, member: &StaffMember, id: CustomerId) -> Result<(Customer, StepUp)> {
    let (book, checker) = (member.shop.vendor.book_id, Checker::Actor(member.actor()));
    app.read(move |tx| {
        let customer = customer_by_id(tx, book, id)?;
        let held = policy(tx, book)?;
        for action in Sensitive::ALL {
            let need = step_up(tx, &held, &customer, &checker, *action)?;
            if need != StepUp::Free {
                return Ok::<_, Failed>((customer, need));
            }
        }
        Ok((customer, StepUp::Free))
    })
    .await
}

/// Where to go afterwards: a page of staff of this shop.
fn inside(member: &StaffMember, id: CustomerId, next: &str) -> String {
    let staff = member.shop.at("/staff/");
    match is_inside(next, &member.shop.vendor.slug) && next.starts_with(&staff) {
        true => next.to_owned(),
        false => member.shop.at(&format!("/staff/customers/{id}")),
    }
}

async fn check_page(
    app: &App,
    member: &StaffMember,
    customer: &Customer,
    need: &StepUp,
    next: &str,
    wrong: &str,
) -> Result<CheckPage> {
    let (of, vault, one) = (member.clone(), app.node.vault.clone(), customer.clone());
    let who = app
        .read(move |tx| who(tx, &vault, of.actor(), &of.shop, &one))
        .await?;
    let (is_asked, fields) = match need {
        StepUp::Free => (true, Vec::new()),
        StepUp::Ask { question } => (
            true,
            question_fields(std::slice::from_ref(question), &[wrong.to_owned()]),
        ),
        StepUp::Unanswered { questions } => {
            (false, question_fields(questions, &[wrong.to_owned()]))
        }
    };
    Ok(CheckPage {
        shell: staff_shell(member, "Is it the customer?", "/staff/customers"),
        name: who.name,
        number: who.number,
        is_asked,
        fields,
        action: member
            .shop
            .at(&format!("/staff/customers/{}/check", customer.customer_id)),
        next: next.to_owned(),
        back: who.href,
    })
}

/// `GET /shops/{slug}/staff/customers/{id}/check`.
pub async fn form(
    State(app): State<App>,
    May(member, _): May<permission::Customers>,
    Path(At { id }): Path<At>,
    Query(way): Query<Way>,
) -> Result<Response> {
    let next = inside(&member, id, way.next.as_deref().unwrap_or_default());
    let (customer, need) = needed(&app, &member, id).await?;
    if need == StepUp::Free {
        return see(&next);
    }
    page(&check_page(&app, &member, &customer, &need, &next, "").await?)
}

/// `POST /shops/{slug}/staff/customers/{id}/check`: a wrong answer opens nothing, and counts.
pub async fn answer(
    State(app): State<App>,
    May(member, _): May<permission::Customers>,
    Path(At { id }): Path<At>,
    client: Client,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let next = inside(&member, id, &typed.next);
    let (customer, need) = needed(&app, &member, id).await?;
    match need.clone() {
        StepUp::Free => see(&next),
        StepUp::Ask { question } => {
            let guess = guess(&app, member.shop.vendor.book_id, client)?;
            let (of, checker) = (customer.clone(), Checker::Actor(member.actor()));
            let proof = app
                .slow(move |node| check_identity(node, &of, checker, &question, &typed.answer_1))
                .await??;
            let mut page_of = check_page(&app, &member, &customer, &need, &next, "").await?;
            match proof {
                Proof::Proven(()) => {
                    guess.right();
                    see(&next)
                }
                Proof::Wrong => {
                    let wrong = "This is not what the customer answered. Nothing was done.";
                    let page_of = check_page(&app, &member, &customer, &need, &next, wrong).await?;
                    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of)
                }
                Proof::Locked { until } => {
                    page_of.shell.notice = Some(Notice::new(
                        Tone::Bad,
                        "Too many wrong answers in a row.",
                        format!("The next one is taken at {}.", When::minute(until)),
                    ));
                    page_with(StatusCode::TOO_MANY_REQUESTS, &page_of)
                }
            }
        }
        StepUp::Unanswered { questions } => {
            let taken = take_down(&app, &member, &customer, questions, typed).await;
            match taken {
                // What was taken down is asked for now, as from then on.
                Ok(()) => see(&next),
                Err(problem) if problem.status.is_client_error() => {
                    let said = problem.sentence();
                    let page_of = check_page(&app, &member, &customer, &need, &next, &said).await?;
                    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of)
                }
                Err(problem) => Err(problem),
            }
        }
    }
}

/// Takes down answers of a customer who never gave any.
async fn take_down(
    app: &App,
    member: &StaffMember,
    customer: &Customer,
    questions: Vec<String>,
    typed: Typed,
) -> Result<()> {
    let hashes = app.slow(move |_| {
        let typed = [
            &typed.answer_1,
            &typed.answer_2,
            &typed.answer_3,
            &typed.answer_4,
            &typed.answer_5,
        ];
        let answers = questions.iter().zip(typed);
        let answers = answers.map(|(question, answer)| answer_hash(question, answer));
        answers.collect::<std::result::Result<Vec<_>, _>>()
    });
    let hashes = hashes.await??;
    let (actor, of) = (member.actor(), customer.clone());
    app.write(move |tx| {
        let held = policy(tx, of.book_id)?;
        answers_set_by_staff(tx, actor, &held, &of, &hashes)?;
        Ok::<_, Failed>(())
    })
    .await
}
