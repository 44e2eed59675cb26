//! Keys of the shop's programs (MIC-02): made with scopes and an end, shown once, revoked.

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::{Action, Field, Notice, Pager, Shell, Tone, When};
use super::{May, at, permission, said};
use crate::api::once::ShownOnce;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use scrip_domain::api_key::{ApiKey, NewApiKey, Scope, api_key_create, api_key_revoke, api_keys};
use scrip_domain::id::ApiKeyId;
use scrip_domain::vendor::Permission;
use scrip_engine::Timestamp;
use serde::Deserialize;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/keys"), get(keys).post(create))
        .route(&at("/keys/{id}/revoke"), post(revoke))
}

/// Keys on one page.
const AT_ONCE: usize = 50;

struct Row {
    id: String,
    name: String,
    scopes: String,
    made: When,
    expires: Option<When>,
    state: &'static str,
    class: &'static str,
    is_usable: bool,
    revoke: String,
}

struct Scoped {
    name: &'static str,
    words: &'static str,
    on: bool,
}

#[derive(Template)]
#[template(path = "staff/keys.html")]
struct KeysPage {
    shell: Shell,
    rows: Vec<Row>,
    pager: Option<Pager>,
    may: bool,
    is_making: bool,
    action: String,
    name: Field,
    expires: Field,
    scopes: Vec<Scoped>,
    key: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    after: Option<String>,
    done: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    expires: String,
    key: String,
}

fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::CustomersRead => "see customers and their accounts",
        Scope::CustomersWrite => "register and change customers",
        Scope::TokensWrite => "sell tokens",
        Scope::OrdersRead => "see orders",
        Scope::OrdersWrite => "place orders",
        Scope::RefundsWrite => "give tokens back",
        Scope::CatalogRead => "see what is not for sale too",
        Scope::CatalogWrite => "change products and offers",
        Scope::VendorRead => "see settings",
        Scope::VendorWrite => "change settings, people and prices",
        Scope::WebhooksWrite => "manage webhooks",
        Scope::ReportsRead => "see reports",
        Scope::LedgerRead => "see the ledger",
        Scope::KeysWrite => "make and revoke keys",
    }
}

fn row(member: &StaffMember, key: ApiKey) -> Row {
    let (state, class) = match (key.revoked_at, key.usable(member.now)) {
        (Some(_), _) => ("revoked", "status stopped"),
        (None, true) => ("works", "status good"),
        (None, false) => ("over", "status stopped"),
    };
    let names: Vec<_> = key.scopes.iter().map(|scope| scope.name()).collect();
    let path = format!("/staff/keys/{}/revoke", key.key_id);
    Row {
        is_usable: key.usable(member.now),
        scopes: names.join(", "),
        made: When::day(key.created_at),
        expires: key.expires_at.map(When::minute),
        revoke: member.shop.at(&path),
        id: key.key_id.to_string(),
        name: key.name,
        state,
        class,
    }
}

async fn keys_page(
    app: &App,
    member: &StaffMember,
    after: Option<ApiKeyId>,
    typed: &NewKey,
) -> Result<KeysPage> {
    let book = member.shop.vendor.book_id;
    let found = app
        .read(move |tx| api_keys(tx, book, after, AT_ONCE))
        .await?;
    let path = member.shop.at("/staff/keys");
    let is_whole = after.is_none() && found.next.is_none();
    let pager = (!is_whole).then(|| Pager {
        text: "Oldest first".to_owned(),
        previous: after.map(|_| Action {
            label: "The oldest".to_owned(),
            href: path.clone(),
        }),
        next: found.next.map(|id| Action {
            label: "Later keys".to_owned(),
            href: link(&path, &[("after", &id.to_string())]),
        }),
    });
    let scoped = |scope: &Scope| Scoped {
        name: scope.name(),
        words: scope_words(*scope),
        on: typed.scope.iter().any(|name| name == scope.name()),
    };
    Ok(KeysPage {
        shell: staff_shell(member, "Keys", "/staff/keys"),
        rows: found.items.into_iter().map(|k| row(member, k)).collect(),
        pager,
        may: member.staff.role.may(Permission::Staff),
        is_making: false,
        action: path,
        name: Field::text("name", "What the key is for")
            .max(100)
            .value(&*typed.name),
        expires: Field::text("expires", "Last day")
            .optional()
            .kind("date")
            .class("is-mid")
            .value(&*typed.expires)
            .help("The key works until the end of this day, UTC. Empty: until it is revoked."),
        scopes: Scope::ALL.iter().map(scoped).collect(),
        key: form_key(),
    })
}

/// `GET /shops/{slug}/staff/keys`.
async fn keys(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let after = match &part.after {
        Some(after) => Some(after.parse().map_err(|_| Problem::not_found("key"))?),
        None => None,
    };
    let mut page_of = keys_page(&app, &member, after, &NewKey::default()).await?;
    page_of.shell.notice = part.done.map(|_| {
        let text = "Every node refuses it within a second.";
        Notice::new(Tone::Good, "The key is revoked.", text)
    });
    page(&page_of)
}

/// The end of a day as a form sends it.
fn end_of(day: &str) -> std::result::Result<Option<Timestamp>, String> {
    if day.trim().is_empty() {
        return Ok(None);
    }
    let end = day.trim().parse::<Date>().and_then(|d| d.tomorrow());
    end.and_then(|d| d.to_zoned(TimeZone::UTC))
        .map(|day| Some(Timestamp(day.timestamp().as_microsecond())))
        .map_err(|_| "Write a day like 2027-01-31.".to_owned())
}

#[derive(Template)]
#[template(path = "staff/key_made.html")]
struct MadePage {
    shell: Shell,
    name: String,
    whole: Option<String>,
    scopes: String,
    back: String,
}

/// `POST /shops/{slug}/staff/keys`: the key is shown in this answer only.
async fn create(
    State(app): State<App>,
    May(member, _): May<permission::Staff>,
    Form(typed): Form<NewKey>,
) -> Result<Response> {
    let scopes: std::result::Result<Vec<_>, _> =
        typed.scope.iter().map(|name| Scope::parse(name)).collect();
    let scopes = scopes.map_err(|e| Problem::invalid("form_invalid", e.to_string()))?;
    let expires_at = match end_of(&typed.expires) {
        Ok(end) => end,
        Err(wrong) => {
            let mut page_of = keys_page(&app, &member, None, &typed).await?;
            page_of.expires = page_of.expires.error(wrong.clone());
            return refused(page_of, StatusCode::UNPROCESSABLE_ENTITY, wrong);
        }
    };
    let new = NewApiKey {
        name: typed.name.clone(),
        scopes,
        expires_at,
    };
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("key {new:?}").into_bytes();
    let keyed = member.keyed(format!("key-{}", typed.key), request, None);
    let once = ShownOnce::new();
    let put = once.clone();
    let done = app
        .submit(keyed, move |tx| {
            let (made, whole) = api_key_create(tx, actor, &vendor, &new)?;
            put.put(made.key_id, whole);
            Ok::<_, Failed>(made.key_id)
        })
        .await;
    match done {
        Ok(done) => page(&MadePage {
            shell: staff_shell(&member, "A new key", "/staff/keys"),
            whole: once.take(&done.value),
            name: typed.name,
            scopes: typed.scope.join(", "),
            back: member.shop.at("/staff/keys"),
        }),
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let page_of = keys_page(&app, &member, None, &typed).await?;
            refused(page_of, status, notice.text)
        }
    }
}

fn refused(mut page_of: KeysPage, status: StatusCode, why: String) -> Result<Response> {
    page_of.is_making = true;
    page_of.shell.notice = Some(Notice::new(Tone::Bad, "No key was made.", why));
    page_with(status, &page_of)
}

#[derive(Deserialize)]
struct At {
    id: ApiKeyId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    key: String,
}

/// `POST /shops/{slug}/staff/keys/{id}/revoke`: for good.
async fn revoke(
    State(app): State<App>,
    May(member, _): May<permission::Staff>,
    Path(At { id }): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("revoke {id}").into_bytes();
    let keyed = member.keyed(format!("revoke-{}", sent.key), request, None);
    app.submit(keyed, move |tx| {
        api_key_revoke(tx, actor, &vendor, id)?;
        Ok::<_, Failed>(())
    })
    .await?;
    app.keys.forget();
    let path = member.shop.at("/staff/keys");
    see(&link(&path, &[("done", "revoked")]))
}
