//! The settings of a shop: all fields of its policy, what the vendor's own row holds, the
//! storefront, and how they came to be what they are (REG-04, REG-05, REG-06, REG-08, REG-12,
//! TOK-10, SHP-05, SHP-17). Owners change them; everybody of the staff may look.

mod front;
mod limits;
mod page;

use super::super::frame::{link, page as shown, page_with, see};
use super::super::session::StaffMember;
use super::super::view::{Notice, Tone};
use super::{May, permission};
use crate::error::{Failed, Problem, Result, sentence};
use crate::http::body::{Form, Query};
use crate::settings::effect::Facts;
use crate::settings::{Assets, Kind, SETTINGS, at, put, read, tree};
use crate::state::App;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use page::{Wrong, history_page, preview_page, settings_page};
use scrip_domain::policy::{
    Decided, Policy, PolicyError, Version, policy_check, policy_history, policy_set, policy_version,
};
use scrip_domain::vendor::staff_list;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&super::at("/settings"), get(settings).post(save))
        .route(&super::at("/settings/history"), get(history))
        .route(
            &super::at("/settings/limits"),
            get(limits::form).post(limits::save),
        )
        .route(
            &super::at("/settings/front"),
            get(front::form).post(front::save),
        )
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    done: Option<String>,
}

/// Versions on the page of the history.
const VERSIONS: i64 = 50;

async fn facts(app: &App, member: &StaffMember) -> Result<(Version, Facts)> {
    let of = member.shop.clone();
    app.read(move |tx| {
        let held = policy_version(tx, of.vendor.book_id)?;
        let facts = Facts::look(tx, of.vendor.book_id, of.token_price)?;
        Ok::<_, Problem>((held, facts))
    })
    .await
}

/// `GET /shops/{slug}/staff/settings`.
async fn settings(
    State(app): State<App>,
    member: StaffMember,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let (held, facts) = facts(&app, &member).await?;
    let mut page_of = settings_page(&member, &held, &tree(&held.policy), &facts, &Wrong::new());
    page_of.shell.notice = asked.done.map(|_| {
        let text = "They hold from the next click of everybody on.";
        Notice::new(Tone::Good, "The settings are changed.", text)
    });
    shown(&page_of)
}

/// What a form sent: each name with its values.
struct Sent<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Sent<'a> {
    fn new(pairs: &'a [(String, String)]) -> Sent<'a> {
        let mut sent: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, value) in pairs {
            sent.entry(name.as_str()).or_default().push(value.as_str());
        }
        Sent(sent)
    }

    fn all(&self, name: &str) -> &[&'a str] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    fn one(&self, name: &str) -> &'a str {
        self.all(name).first().copied().unwrap_or_default()
    }

    /// The policy that was typed, over the one that holds; what is wrong with it, by setting.
    fn policy(&self, held: &Policy, assets: &Assets) -> (serde_json::Value, Wrong) {
        let (mut typed, mut wrong) = (tree(held), Wrong::new());
        for setting in SETTINGS {
            if matches!(setting.kind, Kind::Elsewhere(_)) {
                continue;
            }
            match read(setting.kind, self.all(setting.path), assets) {
                Ok(value) => put(&mut typed, setting.path, value),
                Err(problem) => drop(wrong.insert(setting.path, problem)),
            }
        }
        (typed, wrong)
    }
}

/// `POST /shops/{slug}/staff/settings`: first shows what would change, then changes it. A form that
/// began with an older version is shown what holds now.
async fn save(
    State(app): State<App>,
    May(member, _): May<permission::Policy>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let sent = Sent::new(&pairs);
    let began: i64 = sent.one("began").parse().map_err(|_| {
        Problem::invalid("form_invalid", "the form does not say what it began with")
    })?;
    let assets = Assets::of(&member.shop.vendor);
    let (held, facts) = facts(&app, &member).await?;
    let (typed, mut wrong) = sent.policy(&held.policy, &assets);
    let unfit = StatusCode::UNPROCESSABLE_ENTITY;
    let refused = |status, wrong: &Wrong, headline: &str, text: String| {
        let mut page_of = settings_page(&member, &held, &typed, &facts, wrong);
        page_of.typed_over(&sent.0);
        page_of.shell.notice = Some(Notice::new(Tone::Bad, headline, text));
        page_with(status, &page_of)
    };
    if !wrong.is_empty() {
        let text = "Look at the fields that are marked. Nothing was changed.";
        return refused(unfit, &wrong, "Some settings cannot be taken.", text.into());
    }
    let new: Policy = match serde_json::from_value(typed.clone()) {
        Ok(new) => new,
        Err(e) => return Err(Problem::invalid("form_invalid", e.to_string())),
    };
    let new = match policy_check(&new) {
        Ok(new) => new,
        Err(PolicyError::Engine(e)) => return Err(e.into()),
        Err(e) => {
            wrong.clear();
            let text = format!("{} Nothing was changed.", sentence(&e.to_string()));
            return refused(unfit, &wrong, "This cannot be set.", text);
        }
    };
    if began != held.number {
        return stale(&member, &held, &facts, &tree(&new));
    }
    if sent.one("step") != "save" {
        return shown(&preview_page(&member, &held, &tree(&new), &facts, &pairs));
    }
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("settings {began} {}", tree(&new)).into_bytes();
    let keyed = member.keyed(format!("settings-{}", sent.one("key")), request, None);
    let done = app.submit(keyed, move |tx| {
        Ok::<_, Failed>(policy_set(tx, actor, &vendor, began, &new)?)
    });
    match done.await {
        Ok(_) => see(&link(
            &member.shop.at("/staff/settings"),
            &[("done", "yes")],
        )),
        Err(problem) if problem.code == "settings_changed" => {
            let (held, facts) = self::facts(&app, &member).await?;
            stale(&member, &held, &facts, &typed)
        }
        Err(problem) => Err(problem),
    }
}

/// Somebody else changed them: what holds now, and what was wanted.
fn stale(
    member: &StaffMember,
    held: &Version,
    facts: &Facts,
    wanted: &serde_json::Value,
) -> Result<Response> {
    let now = tree(&held.policy);
    let mut page_of = settings_page(member, held, &now, facts, &Wrong::new());
    let assets = Assets::of(&member.shop.vendor);
    let differ = SETTINGS
        .iter()
        .filter(|s| at(&now, s.path) != at(wanted, s.path));
    let differ = differ.map(|s| {
        let value = crate::settings::in_words(s.kind, at(wanted, s.path), &assets);
        format!("{}: {value}", s.label)
    });
    let wanted: Vec<_> = differ.collect();
    page_of.shell.notice = Some(Notice::new(
        Tone::Warn,
        "Somebody changed the settings meanwhile: nothing of yours was kept.",
        format!(
            "Below stands what holds now. Your form had something else there: {}.",
            wanted.join("; ")
        ),
    ));
    page_with(StatusCode::CONFLICT, &page_of)
}

/// `GET /shops/{slug}/staff/settings/history`.
async fn history(State(app): State<App>, member: StaffMember) -> Result<Response> {
    let vendor = member.shop.vendor.clone();
    let (versions, staff) = app
        .read(move |tx| {
            let versions = policy_history(tx, vendor.book_id, VERSIONS)?;
            Ok::<(Vec<Decided>, _), Problem>((versions, staff_list(tx, &vendor)?))
        })
        .await?;
    shown(&history_page(&member, versions, &staff))
}
