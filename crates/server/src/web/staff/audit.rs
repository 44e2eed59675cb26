//! The audit trail (REG-03): who did what for the shop and when, to be searched and taken along.
//! `audit/words.rs` says it in sentences, `audit/about.rs` names what it is about.

mod about;
mod words;

use super::super::frame::{link, page, staff_shell};
use super::super::session::{Shop, StaffMember};
use super::super::view::{Field, Pager, Shell, When};
use super::at;
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::http::csv::{Sheet, download};
use crate::settings::Assets;
use crate::state::App;
use about::{About, Things};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use scrip_domain::api_key::api_keys;
use scrip_domain::audit::{Filter, Noted, trail};
use scrip_domain::id::AuditId;
use scrip_domain::vendor::staff_list;
use scrip_engine::{ReadTx, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use words::{Change, said};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/audit"), get(audit))
        .route(&at("/audit.csv"), get(audit_csv))
}

/// Lines on one page.
const AT_ONCE: usize = 50;
/// Lines in one file; the next file begins after the last of them.
const IN_FILE: usize = 10_000;
/// Keys whose names stand beside their lines.
const KEYS_NAMED: usize = 200;

/// What is looked for; what is empty is not.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    action: String,
    /// The first and the last day in UTC, such as `2026-11-21`.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    before: Option<AuditId>,
    past: Option<String>,
}

impl Asked {
    fn filter(&self) -> Result<Filter> {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Filter {
            actor: some(&self.actor),
            subject: some(&self.subject),
            action: some(&self.action),
            from: begin_of(&self.from, 0)?,
            to: begin_of(&self.to, 1)?,
        })
    }

    fn query(&self) -> Vec<(&str, &str)> {
        [
            ("actor", self.actor.trim()),
            ("subject", self.subject.trim()),
            ("action", self.action.trim()),
            ("from", self.from.trim()),
            ("to", self.to.trim()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }
}

/// When a day begins in UTC, so many days later; nothing for no day.
fn begin_of(text: &str, later: i64) -> Result<Option<Timestamp>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let begin = || {
        let day: Date = text.trim().parse().ok()?;
        let day = day.checked_add(jiff::Span::new().days(later)).ok()?;
        let zoned = day.to_zoned(TimeZone::UTC).ok()?;
        Some(Timestamp(zoned.timestamp().as_microsecond()))
    };
    let text = "this is no day: write it as 2026-11-21";
    begin()
        .map(Some)
        .ok_or_else(|| Problem::invalid("day_invalid", text))
}

struct Row {
    at: When,
    by: String,
    what: String,
    action: String,
    only_action: String,
    about: About,
    changes: Vec<Change>,
}

struct Person {
    id: String,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "staff/audit.html")]
struct AuditPage {
    shell: Shell,
    here: String,
    people: Vec<Person>,
    anybody: bool,
    subject: Field,
    action: Field,
    from: String,
    to: String,
    is_filtered: bool,
    rows: Vec<Row>,
    pager: Option<Pager>,
    csv: String,
}

/// Ids and names: of the staff in the order of their names, and of all who act by id.
type Names = (Vec<(String, String)>, BTreeMap<String, String>);

/// Names of staff and keys by id; staff by name.
fn names(tx: &mut ReadTx<'_>, shop: &Shop) -> std::result::Result<Names, Problem> {
    let staff = staff_list(tx, &shop.vendor)?;
    let staff: Vec<_> = staff
        .into_iter()
        .map(|s| (s.staff_id.to_string(), s.name))
        .collect();
    let keys = api_keys(tx, shop.vendor.book_id, None, KEYS_NAMED)?;
    let keys = keys.items.into_iter();
    let keys = keys.map(|key| (key.key_id.to_string(), format!("key {}", key.name)));
    let all = staff.iter().cloned().chain(keys).collect();
    Ok((staff, all))
}

fn by(names: &BTreeMap<String, String>, actor: &str) -> String {
    match names.get(actor) {
        Some(name) => name.clone(),
        None if actor == "system" => "Scrip itself".to_owned(),
        None => actor.to_owned(),
    }
}

/// Whose lines can be looked for; one who is asked for and not known any more is among them.
fn people(staff: Vec<(String, String)>, actor: &str, name: impl Fn() -> String) -> Vec<Person> {
    let system = ("system".to_owned(), "Scrip itself".to_owned());
    let known = staff.into_iter().chain([system]);
    let mut people: Vec<_> = known
        .map(|(id, name)| Person {
            chosen: id == actor,
            id,
            name,
        })
        .collect();
    if !actor.is_empty() && people.iter().all(|person| !person.chosen) {
        people.push(Person {
            id: actor.to_owned(),
            name: name(),
            chosen: true,
        });
    }
    people
}

/// `GET /shops/{slug}/staff/audit`.
async fn audit(
    State(app): State<App>,
    member: StaffMember,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let (of, filter, before) = (member.clone(), asked.filter()?, asked.before);
    let vault = app.node.vault.clone();
    let ((staff, names), found, about) = app
        .read(move |tx| {
            let names = names(tx, &of.shop)?;
            let found = trail(tx, of.shop.vendor.book_id, &filter, before, AT_ONCE)?;
            let mut things = Things::new(&of, &vault, &names.1);
            let mut about = Vec::with_capacity(found.items.len());
            for noted in &found.items {
                about.push(things.of(tx, noted)?);
            }
            Ok::<_, Problem>((names, found, about))
        })
        .await?;
    let shop = &member.shop;
    let here = shop.at("/staff/audit");
    let assets = Assets::of(&shop.vendor);
    let row = |(noted, about): (Noted, About)| {
        let said = said(&noted.action, &noted.detail, &assets);
        Row {
            at: When::minute(noted.at),
            by: by(&names, &noted.actor),
            only_action: link(&here, &[("action", &noted.action)]),
            what: said.what,
            changes: said.changes,
            action: noted.action,
            about,
        }
    };
    let actor = asked.actor.trim();
    let people = people(staff, actor, || by(&names, actor));
    let next = found.next.map(|id| id.to_string());
    let before = asked.before.map(|id| id.to_string());
    let pager = crate::web::frame::walk(
        &here,
        &asked.query(),
        "before",
        ("newer lines", "older lines"),
        (before.as_deref(), asked.past.as_deref(), next),
    );
    page(&AuditPage {
        shell: staff_shell(&member, "Audit trail", "/staff/audit"),
        anybody: actor.is_empty(),
        people,
        subject: Field::text("subject", "About")
            .optional()
            .value(asked.subject.trim())
            .max(100)
            .help("An id: of a customer, an order, a person, a key."),
        action: Field::text("action", "What was done")
            .optional()
            .value(asked.action.trim())
            .max(60)
            .help("As in the list: staff.signed_in"),
        from: asked.from.trim().to_owned(),
        to: asked.to.trim().to_owned(),
        is_filtered: !asked.query().is_empty(),
        rows: found.items.into_iter().zip(about).map(row).collect(),
        pager,
        csv: link(&shop.at("/staff/audit.csv"), &asked.query()),
        here,
    })
}

/// `GET /shops/{slug}/staff/audit.csv`: the newest lines that are looked for, as many as a file
/// takes; what people may have typed never becomes a formula.
async fn audit_csv(
    State(app): State<App>,
    member: StaffMember,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let (of, filter, before) = (member.shop.clone(), asked.filter()?, asked.before);
    let ((_, names), found) = app
        .read(move |tx| {
            let names = names(tx, &of)?;
            let found = trail(tx, of.vendor.book_id, &filter, before, IN_FILE)?;
            Ok::<_, Problem>((names, found))
        })
        .await?;
    let assets = Assets::of(&member.shop.vendor);
    let mut sheet = Sheet::new(&[
        "id", "at", "actor", "name", "action", "subject", "what", "detail",
    ]);
    for noted in found.items {
        sheet.row(&[
            &noted.id.to_string(),
            &noted.at.to_string(),
            &noted.actor,
            names.get(&noted.actor).map_or("", String::as_str),
            &noted.action,
            &noted.subject,
            &said(&noted.action, &noted.detail, &assets).line(),
            &noted.detail.to_string(),
        ]);
    }
    download(sheet.text(), &format!("{}-audit", member.shop.vendor.slug))
}
