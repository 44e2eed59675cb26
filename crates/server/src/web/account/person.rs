//! The customer's own data: seen, changed, exported, erased (REG-04, REG-13).

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::register::{begin_at_wrong, look_again, person_fields, wrong_person};
use super::super::session::{Holder, Member, customer_cookie, set_cookie};
use super::super::view::{Field, Notice, Shell, Tone};
use super::check::to_check;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use scrip_domain::closing::customer_erase;
use scrip_domain::customer::{
    Checker, Person, customer_by_id, customer_person, customer_summary, person_set, require_check,
};
use scrip_domain::order::orders_of;
use scrip_domain::policy::{Sensitive, policy};
use scrip_domain::statement::history;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "account/person.html")]
struct PersonPage {
    shell: Shell,
    number: String,
    fields: Vec<Field>,
    address: Option<Field>,
    has_fields: bool,
    action: String,
    export: String,
    erase: String,
    back: String,
    key: String,
}

/// What was typed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    name: String,
    email: String,
    phone: String,
    fax: String,
    address: String,
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
}

/// What was just done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    done: Option<String>,
}

fn person_page(member: &Member, person: &Person, wrong: &Person) -> PersonPage {
    let shop = &member.shop;
    let asked = &shop.policy.registration.fields;
    let (name, reach, mut address) = person_fields(asked, person, wrong);
    let mut fields: Vec<Field> = name.into_iter().chain(reach).collect();
    let count = begin_at_wrong(fields.iter_mut().chain(&mut address));
    let mut shell = member_shell(member, "Personal data", "/account/person");
    if count > 0 {
        let text = "Nothing was changed. What you typed is still here.";
        shell.notice = Some(Notice::new(Tone::Bad, look_again(count), text));
    }
    PersonPage {
        shell,
        number: member.me.customer.number.to_string(),
        has_fields: !fields.is_empty() || address.is_some(),
        fields,
        address,
        action: shop.at("/account/person"),
        export: shop.at("/account/export"),
        erase: shop.at("/account/erase"),
        back: shop.at("/account"),
        key: form_key(),
    }
}

async fn person_of(app: &App, member: &Member) -> Result<Person> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let found = app
        .read(move |tx| {
            let person = customer_person(tx, &vault, of.me.actor(), &of.me.customer)?;
            Ok::<_, Problem>(person)
        })
        .await?;
    Ok(found.unwrap_or_default())
}

/// `GET /shops/{slug}/account/person`.
pub async fn form(
    State(app): State<App>,
    Holder(member): Holder,
    Query(said): Query<Said>,
) -> Result<Response> {
    let person = person_of(&app, &member).await?;
    let mut page_of = person_page(&member, &person, &Person::default());
    if said.done.is_some() {
        page_of.shell.notice = Some(Notice::new(
            Tone::Good,
            "Your data is changed.",
            "What was there before is not kept.",
        ));
    }
    page(&page_of)
}

/// `POST /shops/{slug}/account/person`.
pub async fn change(
    State(app): State<App>,
    Holder(member): Holder,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let person = typed.person();
    let wrong = wrong_person(&member.shop.policy.registration.fields, &person);
    if !wrong.is_empty() {
        let again = person_page(&member, &person, &wrong);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let (of, vault) = (member.clone(), app.node.vault.clone());
    // Hashed under the master key: what is kept of a request must not tell who somebody is.
    let text = format!("{person:?}");
    let request = app.node.vault.hash("person form", &[text.as_bytes()]);
    let keyed = member.keyed(format!("person-{}", typed.key), request.to_vec());
    let done = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, of.me.customer.book_id, of.me.customer.customer_id)?;
            let checker = Checker::Session(of.me.token.clone());
            let held = policy(tx, customer.book_id)?;
            require_check(tx, &held, &customer, &checker, Sensitive::PersonChange)?;
            person_set(tx, &vault, of.me.actor(), &customer, &person)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(_) => see(&link(
            &member.shop.at("/account/person"),
            &[("done", "person")],
        )),
        Err(problem) => to_check(&member, "/account/person", problem),
    }
}

/// Movements and orders that are read at once for an export.
const AT_ONCE: usize = 200;

/// `GET /shops/{slug}/account/export`: everything that is known of the customer, as JSON.
pub async fn export(State(app): State<App>, Holder(member): Holder) -> Result<Response> {
    let person = person_of(&app, &member).await?;
    let of = member.clone();
    let summary = app
        .read(move |tx| customer_summary(tx, &of.me.customer))
        .await?;
    let (movements, orders) = (moves(&app, &member).await?, orders(&app, &member).await?);
    let shop = &member.shop.vendor;
    let whole = json!({
        "shop": shop.name,
        "account": {
            "number": summary.number.to_string(),
            "registered": summary.created_at.to_string(),
            "registered_through": summary.channel.name(),
            "active_since": summary.activated_at.map(|at| at.to_string()),
            "available": member.me.available.decimal(shop.token.scale),
        },
        "personal_data": person,
        "orders": orders,
        "movements": movements,
    });
    let text = serde_json::to_string_pretty(&whole).map_err(|e| Problem::internal(&e))?;
    let name = format!("attachment; filename=\"account-{}.json\"", summary.number);
    let name = HeaderValue::from_str(&name).map_err(|e| Problem::internal(&e))?;
    let kind = HeaderValue::from_static("application/json");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, text).into_response())
}

/// All movements, newest first, a snapshot for each part: a long account must not hold one for
/// all of it.
async fn moves(app: &App, member: &Member) -> Result<Vec<Value>> {
    let scale = member.shop.vendor.token.scale;
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let of = member.clone();
        let part = app
            .read(move |tx| history(tx, of.me.actor(), &of.me.customer, before, AT_ONCE))
            .await?;
        all.extend(part.items.iter().map(|moved| {
            json!({
                "at": moved.at.to_string(),
                "what": moved.code,
                "tokens": moved.amount.decimal(scale),
                "left": moved.balance.decimal(scale),
                "reference": moved.reference,
            })
        }));
        match part.next {
            Some(next) => before = Some(next),
            None => return Ok(all),
        }
    }
}

async fn orders(app: &App, member: &Member) -> Result<Vec<Value>> {
    let scale = member.shop.vendor.token.scale;
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let of = member.clone();
        let part = app
            .read(move |tx| orders_of(tx, of.me.actor(), &of.me.customer, before, AT_ONCE))
            .await?;
        all.extend(part.items.iter().map(|order| {
            json!({
                "order": order.order_id,
                "at": order.effective_at.to_string(),
                "tokens": order.total.decimal(scale),
                "paid_by": if order.card.is_some() { "card" } else { "tokens" },
                "lines": order.lines,
                "reference": order.reference,
            })
        }));
        match part.next {
            Some(next) => before = Some(next),
            None => return Ok(all),
        }
    }
}

/// A form with nothing but its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    key: String,
    #[serde(default)]
    sure: String,
}

#[derive(Template)]
#[template(path = "account/erased.html")]
struct ErasedPage {
    shell: Shell,
    number: String,
    is_closed: bool,
    shop: String,
}

/// `POST /shops/{slug}/account/erase`: forgets the person; signed out afterwards.
pub async fn erase(
    State(app): State<App>,
    Holder(member): Holder,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    if sent.sure != "yes" {
        let person = person_of(&app, &member).await?;
        let mut page_of = person_page(&member, &person, &Person::default());
        page_of.shell.notice = Some(Notice::new(
            Tone::Warn,
            "Nothing was erased.",
            "Tick the box that says that you are sure, then erase.",
        ));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of);
    }
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let mut keyed = member.keyed(format!("erase-{}", sent.key), b"erase".to_vec());
    // Its answer says nothing about the person, and outlives it.
    keyed.subject = None;
    let done = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, of.me.customer.book_id, of.me.customer.customer_id)?;
            let checker = Checker::Session(of.me.token.clone());
            let held = policy(tx, customer.book_id)?;
            require_check(tx, &held, &customer, &checker, Sensitive::Closing)?;
            let erased = customer_erase(tx, &vault, of.me.actor(), &customer)?;
            Ok::<_, Failed>(erased)
        })
        .await;
    let erased = match done {
        Ok(answer) => answer.value,
        Err(problem) => return to_check(&member, "/account/person", problem),
    };
    let mut guest = member.as_guest();
    guest.me = None;
    let mut response = page(&ErasedPage {
        shell: super::super::frame::guest_shell(&guest, "Erased", ""),
        number: member.me.customer.number.to_string(),
        is_closed: erased == scrip_domain::closing::Erased::Closed,
        shop: member.shop.at("/shop"),
    })?;
    let cookie = set_cookie(&customer_cookie(&member.shop.vendor.slug), "")?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
