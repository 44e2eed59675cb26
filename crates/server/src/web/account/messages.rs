//! Messages: the language of mails, and which of them a customer wants.

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::session::{Holder, Member};
use super::super::view::{Choice as Pick, Field, Notice, Shell, Tone};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{customer_by_id, time_zone, time_zone_checked, time_zone_set};
use scrip_domain::message::{Choice, Kind, Language, choice, choice_set};
use serde::Deserialize;

/// A kind that may be turned off.
pub struct Wanted {
    /// Its name.
    pub name: &'static str,
    /// What it tells of.
    pub label: &'static str,
    /// True while it is sent.
    pub on: bool,
}

#[derive(Template)]
#[template(path = "account/messages.html")]
struct MessagesPage {
    shell: Shell,
    languages: Vec<Pick>,
    kinds: Vec<Wanted>,
    zone: Field,
    action: String,
    back: String,
    key: String,
}

/// What was chosen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    language: String,
    #[serde(default)]
    kind: Vec<Kind>,
    /// Left as it is where the form does not have it.
    zone: Option<String>,
    key: String,
}

/// What was just done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    done: Option<String>,
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Activated => "When the account becomes active",
        Kind::LowBalance => "When few tokens are left",
        Kind::Expiry => "Before tokens expire",
        // Always sent, so not offered.
        _ => "",
    }
}

fn messages_page(member: &Member, (chosen, zone): &Chosen) -> MessagesPage {
    let language = |value: &str, label: &str, is: Option<Language>| {
        Pick::new("language", value, label, chosen.language == is)
    };
    let offered = Kind::ALL.iter().copied().filter(|k| k.may_be_declined());
    MessagesPage {
        shell: member_shell(member, "Messages", "/account/messages"),
        languages: vec![
            language("", "As the shop writes", None),
            language("en", "English", Some(Language::English)),
            language("de", "Deutsch", Some(Language::German)),
        ],
        kinds: offered
            .map(|kind| Wanted {
                name: kind.name(),
                label: label(kind),
                on: !chosen.declined.contains(&kind),
            })
            .collect(),
        zone: Field::text("zone", "Time zone")
            .help(format!(
                "As in Europe/Berlin. Empty: that of your browser, or the shop's, {}. Statements stay \
                 in the shop's.",
                member.shop.policy.time_zone
            ))
            .value(zone.clone().unwrap_or_default())
            .max(60)
            .class("is-mid")
            .optional(),
        action: member.shop.at("/account/messages"),
        back: member.shop.at("/account"),
        key: form_key(),
    }
}

/// What a customer chose, of messages and of times.
type Chosen = (Choice, Option<String>);

async fn read(app: &App, member: &Member) -> Result<Chosen> {
    let customer = member.me.customer.clone();
    app.read(move |tx| {
        let zone = time_zone(tx, &customer)?;
        Ok::<_, Failed>((choice(tx, &customer)?, zone))
    })
    .await
}

/// `GET /shops/{slug}/account/messages`.
pub async fn form(
    State(app): State<App>,
    Holder(member): Holder,
    Query(after): Query<After>,
) -> Result<Response> {
    let mut shown = messages_page(&member, &read(&app, &member).await?);
    if after.done.is_some() {
        shown.shell.notice = Some(Notice::new(
            Tone::Good,
            "Your choice is kept.",
            "It holds from now on.",
        ));
    }
    page(&shown)
}

/// `POST /shops/{slug}/account/messages`.
pub async fn choose(
    State(app): State<App>,
    Holder(member): Holder,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let language = match typed.language.as_str() {
        "" => None,
        name => match Language::parse(name) {
            Ok(language) => Some(language),
            Err(e) => {
                let mut shown = messages_page(&member, &read(&app, &member).await?);
                let text = crate::error::sentence(&e.to_string());
                shown.shell.notice = Some(Notice::new(Tone::Bad, "This was not done.", text));
                return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
            }
        },
    };
    let zone = match typed.zone.as_deref().map(time_zone_checked).transpose() {
        Ok(zone) => zone,
        Err(e) => {
            let mut shown = messages_page(&member, &read(&app, &member).await?);
            shown.zone.value = typed.zone.unwrap_or_default();
            shown.zone.error = crate::error::sentence(&e.to_string());
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
        }
    };
    let offered = Kind::ALL.iter().copied().filter(|k| k.may_be_declined());
    let chosen = Choice {
        language,
        declined: offered.filter(|kind| !typed.kind.contains(kind)).collect(),
    };
    let (book, id, actor) = (
        member.shop.vendor.book_id,
        member.me.customer.customer_id,
        member.me.actor(),
    );
    let request = format!("messages {chosen:?} {zone:?}").into_bytes();
    let keyed = member.keyed(format!("messages-{}", typed.key), request);
    app.submit(keyed, move |tx| {
        let customer = customer_by_id(tx, book, id).map_err(Problem::from)?;
        choice_set(tx, actor, &customer, &chosen)?;
        if let Some(zone) = &zone {
            time_zone_set(tx, actor, &customer, zone)?;
        }
        Ok::<_, Failed>(())
    })
    .await?;
    see(&link(
        &member.shop.at("/account/messages"),
        &[("done", "yes")],
    ))
}
