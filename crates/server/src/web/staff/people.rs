//! Who works here (REG-03, MIC-02): the owner adds people, gives roles and passwords, and takes
//! them away; everybody changes the own password.

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::{Choice, Field, Notice, Shell, Tone, When};
use super::{May, at, permission, said};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::id::StaffId;
use scrip_domain::secret::{Proof, SecretKind, secret_hash};
use scrip_domain::session::{staff_leave, staff_password_change, staff_password_set};
use scrip_domain::vendor::{
    Permission, Role, Staff, staff_by_id, staff_create, staff_list, staff_return, staff_role_set,
    staff_sign_in,
};
use serde::Deserialize;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/people"), get(people).post(create))
        .route(&at("/people/{id}"), get(person))
        .route(&at("/people/{id}/role"), post(role))
        .route(&at("/people/{id}/password"), post(password))
        .route(&at("/people/{id}/leave"), post(leave))
        .route(&at("/people/{id}/return"), post(take_back))
        .route(&at("/password"), get(own).post(own_change))
}

/// What a role may do, in words.
pub fn role_words(role: Role) -> &'static str {
    match role {
        Role::Owner => "Everything, settings, people and keys too",
        Role::Manager => "Everything but settings, people and keys",
        Role::Cashier => "Customers, orders of tokens, orders and refunds",
        Role::Auditor => "Looks at everything and changes nothing",
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn roles(chosen: Role) -> Vec<Choice> {
    let choice = |role: &Role| {
        Choice::new("role", role.name(), capital(role.name()), *role == chosen)
            .note(role_words(*role))
    };
    Role::ALL.iter().map(choice).collect()
}

struct Row {
    name: String,
    href: String,
    role: &'static str,
    left: Option<When>,
    is_you: bool,
}

#[derive(Template)]
#[template(path = "staff/people.html")]
struct PeoplePage {
    shell: Shell,
    rows: Vec<Row>,
    may: bool,
    is_adding: bool,
    action: String,
    name: Field,
    password: Field,
    roles: Vec<Choice>,
    own: String,
    factor: String,
    key: String,
}

/// What was typed of a person to be added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    name: String,
    role: String,
    password: String,
    key: String,
}

async fn people_page(app: &App, member: &StaffMember) -> Result<PeoplePage> {
    let vendor = member.shop.vendor.clone();
    let all = app.read(move |tx| staff_list(tx, &vendor)).await?;
    let row = |staff: Staff| Row {
        href: member.shop.at(&format!("/staff/people/{}", staff.staff_id)),
        role: staff.role.name(),
        left: staff.ended_at.map(When::day),
        is_you: staff.staff_id == member.staff.staff_id,
        name: staff.name,
    };
    Ok(PeoplePage {
        shell: staff_shell(member, "People", "/staff/people"),
        rows: all.into_iter().map(row).collect(),
        may: member.staff.role.may(Permission::Staff),
        is_adding: false,
        action: member.shop.at("/staff/people"),
        name: Field::text("name", "Name")
            .max(200)
            .help("Also what the person signs in with."),
        password: new_password("password", "Password", ""),
        roles: roles(Role::Cashier),
        own: member.shop.at("/staff/password"),
        factor: member.shop.at("/staff/second-factor"),
        key: form_key(),
    })
}

fn new_password(name: &str, label: &str, error: &str) -> Field {
    Field::secret(name, label, "new-password")
        .help("10 characters at least; a sentence is best.")
        .error(error)
}

/// `GET /shops/{slug}/staff/people`.
async fn people(State(app): State<App>, member: StaffMember) -> Result<Response> {
    page(&people_page(&app, &member).await?)
}

/// A role as a form sends it.
fn role_of(text: &str) -> Result<Role> {
    Role::parse(text).map_err(|e| Problem::invalid("form_invalid", e.to_string()))
}

/// The hash of a new password, or what is wrong with it.
async fn hashed(app: &App, password: String) -> Result<std::result::Result<String, String>> {
    match app
        .slow(move |_| secret_hash(SecretKind::Password, &password))
        .await?
    {
        Ok(hash) => Ok(Ok(hash)),
        Err(e) => {
            let problem = Problem::from(e);
            match problem.status {
                StatusCode::UNPROCESSABLE_ENTITY => Ok(Err(problem.sentence())),
                _ => Err(problem),
            }
        }
    }
}

/// `POST /shops/{slug}/staff/people`.
async fn create(
    State(app): State<App>,
    May(member, _): May<permission::Staff>,
    Form(typed): Form<NewPerson>,
) -> Result<Response> {
    let role = role_of(&typed.role)?;
    let refused = match hashed(&app, typed.password.clone()).await? {
        Err(wrong) => Refused::Password(wrong),
        Ok(hash) => {
            let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
            let request = format!("person {:?} {}", typed.name, role.name()).into_bytes();
            let keyed = member.keyed(format!("person-{}", typed.key), request, None);
            let name = typed.name.clone();
            let done = app.submit(keyed, move |tx| {
                let staff = staff_create(tx, actor, &vendor, &name, role)?;
                staff_password_set(tx, actor, &vendor, staff.staff_id, &hash)?;
                Ok::<_, Failed>(staff.staff_id)
            });
            match done.await {
                Ok(done) => return person_at(&member, done.value, "added"),
                Err(problem) => Refused::Name(problem),
            }
        }
    };
    let mut page_of = people_page(&app, &member).await?;
    page_of.is_adding = true;
    page_of.name = page_of.name.value(typed.name);
    page_of.roles = roles(role);
    let (status, notice) = match refused {
        Refused::Password(wrong) => {
            page_of.password = new_password("password", "Password", &wrong);
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                Notice::new(Tone::Bad, "Nobody was added.", wrong),
            )
        }
        Refused::Name(problem) => {
            let (status, notice) = said(problem)?;
            page_of.name = page_of.name.error(notice.text.clone());
            (status, notice)
        }
    };
    page_of.shell.notice = Some(notice);
    page_with(status, &page_of)
}

enum Refused {
    Password(String),
    Name(Problem),
}

fn person_at(member: &StaffMember, id: StaffId, done: &str) -> Result<Response> {
    let path = member.shop.at(&format!("/staff/people/{id}"));
    see(&link(&path, &[("done", done)]))
}

#[derive(Template)]
#[template(path = "staff/person.html")]
struct PersonPage {
    shell: Shell,
    name: String,
    role: &'static str,
    words: &'static str,
    left: Option<When>,
    is_you: bool,
    may: bool,
    here: String,
    roles: Vec<Choice>,
    password: Field,
    trail: String,
    own: String,
    key: String,
}

#[derive(Deserialize)]
struct At {
    id: StaffId,
}

/// What was just done.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Added,
    Role,
    Password,
    Left,
    Returned,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    done: Option<Done>,
}

async fn person_page(app: &App, member: &StaffMember, id: StaffId) -> Result<PersonPage> {
    let book = member.shop.vendor.book_id;
    let staff = app.read(move |tx| staff_by_id(tx, book, id)).await?;
    Ok(PersonPage {
        shell: staff_shell(member, staff.name.clone(), "/staff/people"),
        role: staff.role.name(),
        words: role_words(staff.role),
        left: staff.ended_at.map(When::day),
        is_you: staff.staff_id == member.staff.staff_id,
        may: member.staff.role.may(Permission::Staff),
        here: member.shop.at(&format!("/staff/people/{id}")),
        roles: roles(staff.role),
        password: new_password("password", "New password", ""),
        trail: link(
            &member.shop.at("/staff/audit"),
            &[("actor", &id.to_string())],
        ),
        own: member.shop.at("/staff/password"),
        key: form_key(),
        name: staff.name,
    })
}

/// `GET /shops/{slug}/staff/people/{id}`.
async fn person(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let mut page_of = person_page(&app, &member, at.id).await?;
    page_of.shell.notice = asked.done.map(|done| {
        let (headline, text) = match done {
            Done::Added => (
                "The person can sign in now.",
                "Hand over name and password.",
            ),
            Done::Role => ("The role is changed.", "It holds from the next click on."),
            Done::Password => (
                "The password is changed.",
                "The person is signed in nowhere until it is used.",
            ),
            Done::Left => (
                "The person is signed out and cannot come in.",
                "What was done under this name stays in the books.",
            ),
            Done::Returned => (
                "The person works here again.",
                "Set a password: the old one is gone.",
            ),
        };
        Notice::new(Tone::Good, headline, text)
    });
    page(&page_of)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    key: String,
}

/// The page of the person again, with what was refused.
async fn again(app: &App, member: &StaffMember, id: StaffId, problem: Problem) -> Result<Response> {
    let (status, notice) = said(problem)?;
    let mut page_of = person_page(app, member, id).await?;
    page_of.shell.notice = Some(notice);
    page_with(status, &page_of)
}

/// `POST /shops/{slug}/staff/people/{id}/role`.
async fn role(
    State(app): State<App>,
    May(member, _): May<permission::Staff>,
    Path(At { id }): Path<At>,
    Form(typed): Form<NewRole>,
) -> Result<Response> {
    let role = role_of(&typed.role)?;
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("role of {id}: {}", role.name()).into_bytes();
    let keyed = member.keyed(format!("role-{}", typed.key), request, None);
    let done = app.submit(keyed, move |tx| {
        staff_role_set(tx, actor, &vendor, id, role)?;
        Ok::<_, Failed>(())
    });
    match done.await {
        Ok(_) => person_at(&member, id, "role"),
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// `POST /shops/{slug}/staff/people/{id}/password`: the person's sessions end.
async fn password(
    State(app): State<App>,
    May(member, _): May<permission::Staff>,
    Path(At { id }): Path<At>,
    Form(typed): Form<NewPassword>,
) -> Result<Response> {
    let hash = match hashed(&app, typed.password).await? {
        Ok(hash) => hash,
        Err(wrong) => {
            let mut page_of = person_page(&app, &member, id).await?;
            page_of.password = new_password("password", "New password", &wrong);
            let notice = Notice::new(Tone::Bad, "The password was not changed.", wrong);
            page_of.shell.notice = Some(notice);
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of);
        }
    };
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("password of {id}").into_bytes();
    let keyed = member.keyed(format!("password-{}", typed.key), request, None);
    let done = app.submit(keyed, move |tx| {
        staff_password_set(tx, actor, &vendor, id, &hash)?;
        Ok::<_, Failed>(())
    });
    match done.await {
        Ok(_) => person_at(&member, id, "password"),
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// `POST /shops/{slug}/staff/people/{id}/leave`: all sessions of the person end at once.
async fn leave(
    State(app): State<App>,
    May(member, _): May<permission::Staff>,
    Path(At { id }): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("{id} leaves").into_bytes();
    let keyed = member.keyed(format!("leave-{}", sent.key), request, None);
    let done = app.submit(keyed, move |tx| {
        staff_leave(tx, actor, &vendor, id)?;
        Ok::<_, Failed>(())
    });
    match done.await {
        Ok(_) => person_at(&member, id, "left"),
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// `POST /shops/{slug}/staff/people/{id}/return`.
async fn take_back(
    State(app): State<App>,
    May(member, _): May<permission::Staff>,
    Path(At { id }): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("{id} returns").into_bytes();
    let keyed = member.keyed(format!("return-{}", sent.key), request, None);
    let done = app.submit(keyed, move |tx| {
        staff_return(tx, actor, &vendor, id)?;
        Ok::<_, Failed>(())
    });
    match done.await {
        Ok(_) => person_at(&member, id, "returned"),
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

#[derive(Template)]
#[template(path = "staff/password.html")]
struct OwnPage {
    shell: Shell,
    action: String,
    back: String,
    fields: [Field; 3],
}

/// The own password. None of it is ever shown again. Sent twice, the second time the old one is
/// not the password any more: nothing needs a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    old: String,
    new: String,
    again: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnAsked {
    done: Option<String>,
}

fn own_page(member: &StaffMember, old: &str, new: &str, again: &str) -> OwnPage {
    OwnPage {
        shell: staff_shell(member, "Your password", "/staff/password"),
        action: member.shop.at("/staff/password"),
        back: member.shop.at("/staff/today"),
        fields: [
            Field::secret("old", "The password as it is", "current-password").error(old),
            new_password("new", "The new password", new),
            Field::secret("again", "The new password again", "new-password").error(again),
        ],
    }
}

/// `GET /shops/{slug}/staff/password`.
async fn own(member: StaffMember, Query(asked): Query<OwnAsked>) -> Result<Response> {
    let mut page_of = own_page(&member, "", "", "");
    page_of.shell.notice = asked.done.map(|_| {
        let text = "If you were signed in elsewhere too, that has ended.";
        Notice::new(Tone::Good, "Your password is changed.", text)
    });
    page(&page_of)
}

/// `POST /shops/{slug}/staff/password`: open to every role, also to those who only look.
async fn own_change(
    State(app): State<App>,
    member: StaffMember,
    client: Client,
    Form(typed): Form<OwnPassword>,
) -> Result<Response> {
    let unfit = StatusCode::UNPROCESSABLE_ENTITY;
    if typed.new != typed.again {
        let wrong = "This is not the same as the new password: type both again.";
        return page_with(unfit, &own_page(&member, "", "", wrong));
    }
    // Refused before it costs an attempt.
    let hash = match hashed(&app, typed.new).await? {
        Ok(hash) => hash,
        Err(wrong) => return page_with(unfit, &own_page(&member, "", &wrong, "")),
    };
    let (vendor, name, old) = (
        member.shop.vendor.clone(),
        member.staff.name.clone(),
        typed.old,
    );
    let guess = guess(&app, vendor.book_id, client)?;
    let proof = app
        .slow(move |node| staff_sign_in(node, &vendor, &name, &old))
        .await??;
    match proof {
        Proof::Proven(staff) => {
            guess.right();
            let (vendor, token) = (member.shop.vendor.clone(), member.token.clone());
            app.write(move |tx| staff_password_change(tx, &vendor, staff.staff_id, &hash, &token))
                .await?;
            let path = member.shop.at("/staff/password");
            see(&link(&path, &[("done", "yes")]))
        }
        Proof::Wrong => {
            let wrong = "This is not your password. It was not changed.";
            page_with(unfit, &own_page(&member, wrong, "", ""))
        }
        Proof::Locked { until } => {
            let mut page_of = own_page(&member, "", "", "");
            page_of.shell.notice = Some(Notice::new(
                Tone::Bad,
                "Too many wrong tries in a row.",
                format!(
                    "The password was not changed. The next try is possible at {}.",
                    When::minute(until)
                ),
            ));
            page_with(StatusCode::TOO_MANY_REQUESTS, &page_of)
        }
    }
}
