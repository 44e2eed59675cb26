//! Webhook endpoints: where the vendor's systems are told what happens, and what they answered.

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::{Field, Notice, Shell, Tone, When};
use super::messages::{Listed, Part, Sent, listed};
use super::{May, permission, said};
use crate::api::once::ShownOnce;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::id::EndpointId;
use scrip_domain::message::{Target, endpoint_delete, endpoint_test};
use scrip_domain::vendor::{Permission, vendor_by_book};
use scrip_domain::webhook::{
    Endpoint, EndpointState, NewEndpoint, TOPICS, endpoint_by_id, endpoint_create, endpoint_enable,
    endpoint_rotate, endpoints,
};
use serde::Deserialize;

/// An endpoint in words.
pub struct Shown {
    /// Where it is.
    pub url: String,
    /// What it is called.
    pub description: String,
    /// Its page.
    pub href: String,
    /// What it is told of.
    pub topics: String,
    /// Whether it is called.
    pub state: &'static str,
    /// The class of that.
    pub class: &'static str,
    /// Why it is not, or that it fails.
    pub note: String,
}

fn shown(member: &StaffMember, endpoint: &Endpoint) -> Shown {
    let (state, class) = match endpoint.state {
        EndpointState::Disabled => ("Disabled", "status stopped bad"),
        EndpointState::Enabled if endpoint.failures > 0 => ("Fails", "status waits"),
        EndpointState::Enabled => ("Enabled", "status good"),
    };
    Shown {
        url: endpoint.url.clone(),
        description: endpoint.description.clone(),
        href: member
            .shop
            .at(&format!("/staff/webhooks/{}", endpoint.endpoint_id)),
        topics: if endpoint.topics.is_empty() {
            "everything".to_owned()
        } else {
            endpoint.topics.join(", ")
        },
        state,
        class,
        note: match endpoint.failures {
            0 => endpoint.reason.clone(),
            1 => "the last call failed".to_owned(),
            n => format!("the last {n} calls failed"),
        },
    }
}

#[derive(Template)]
#[template(path = "staff/webhooks.html")]
struct WebhooksPage {
    shell: Shell,
    endpoints: Vec<Shown>,
    fields: [Field; 2],
    topics: Vec<(&'static str, bool)>,
    action: String,
    may: bool,
    key: String,
}

/// An endpoint as typed.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    url: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    topic: Vec<String>,
    key: String,
}

async fn webhooks_page(app: &App, member: &StaffMember, typed: &Typed) -> Result<WebhooksPage> {
    let book = member.shop.vendor.book_id;
    let all = app.read(move |tx| endpoints(tx, book)).await?;
    let is_ticked = |topic: &&str| typed.topic.iter().any(|t| t == topic);
    Ok(WebhooksPage {
        shell: staff_shell(member, "Webhooks", "/staff/webhooks"),
        endpoints: all.iter().map(|e| shown(member, e)).collect(),
        fields: [
            Field::text("url", "Address")
                .value(typed.url.clone())
                .help("Begins with https:// and is reached from the Internet.")
                .kind("url")
                .max(500),
            Field::text("description", "What you call it")
                .value(typed.description.clone())
                .optional()
                .max(100),
        ],
        topics: TOPICS.iter().map(|t| (*t, is_ticked(t))).collect(),
        action: member.shop.at("/staff/webhooks"),
        may: member.staff.role.may(Permission::Messages),
        key: form_key(),
    })
}

/// `GET /shops/{slug}/staff/webhooks`.
pub async fn webhooks(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let mut shown = webhooks_page(&app, &member, &Typed::default()).await?;
    if part.done.as_deref() == Some("deleted") {
        let text = "What waited for it is not sent any more.";
        shown.shell.notice = Some(Notice::new(Tone::Good, "The endpoint was deleted.", text));
    }
    page(&shown)
}

#[derive(Template)]
#[template(path = "staff/secret.html")]
struct SecretPage {
    shell: Shell,
    secret: Option<String>,
    url: String,
    back: String,
}

fn secret_page(member: &StaffMember, endpoint: &Endpoint, secret: Option<String>) -> SecretPage {
    SecretPage {
        shell: staff_shell(member, "The secret of a webhook", "/staff/webhooks"),
        secret,
        url: endpoint.url.clone(),
        back: shown(member, endpoint).href,
    }
}

/// `POST /shops/{slug}/staff/webhooks`: makes an endpoint and shows its secret once.
pub async fn create(
    State(app): State<App>,
    May(member, _): May<permission::Messages>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (book, actor) = (member.shop.vendor.book_id, member.actor());
    let (vault, open) = (app.node.vault.clone(), app.settings.webhooks_anywhere);
    let new = NewEndpoint {
        url: typed.url.clone(),
        description: typed.description.clone(),
        topics: typed.topic.clone(),
    };
    let request = format!("a webhook endpoint {} {:?}", new.url, new.topics).into_bytes();
    let keyed = member.keyed(format!("webhook-{}", typed.key), request, None);
    let once = ShownOnce::new();
    let put = once.clone();
    let made = app
        .submit(keyed, move |tx| {
            let vendor = vendor_by_book(tx, book)?;
            let (made, secret) = endpoint_create(tx, &vault, actor, &vendor, &new, open)?;
            put.put(made.endpoint_id, secret);
            Ok::<_, Failed>(made.endpoint_id)
        })
        .await;
    match made {
        Ok(made) => {
            let id = made.value;
            let endpoint = app.read(move |tx| endpoint_by_id(tx, book, id)).await?;
            page(&secret_page(&member, &endpoint, once.take(&id)))
        }
        Err(problem) => {
            let (status, notice): (StatusCode, Notice) = said(problem)?;
            let mut shown = webhooks_page(&app, &member, &typed).await?;
            shown.shell.notice = Some(notice);
            page_with(status, &shown)
        }
    }
}

#[derive(Template)]
#[template(path = "staff/webhook.html")]
struct WebhookPage {
    shell: Shell,
    endpoint: Shown,
    enabled: bool,
    old_until: Option<When>,
    list: Listed,
    here: String,
    back: String,
    may: bool,
    key: String,
}

/// The address of an endpoint.
#[derive(Deserialize)]
pub struct At {
    id: EndpointId,
}

async fn webhook_page(
    app: &App,
    member: &StaffMember,
    id: EndpointId,
    part: &Part,
) -> Result<WebhookPage> {
    let book = member.shop.vendor.book_id;
    let (endpoint, now) = app
        .read(move |tx| {
            let endpoint = endpoint_by_id(tx, book, id)?;
            Ok::<_, Problem>((endpoint, scrip_engine::Read::now(tx)))
        })
        .await?;
    let shown = shown(member, &endpoint);
    let target = Target::Endpoint(id);
    let list = listed(app, member, target, &shown.href, part).await?;
    let old = endpoint.old_secret_until;
    Ok(WebhookPage {
        shell: staff_shell(member, "Webhook", "/staff/webhooks"),
        enabled: endpoint.state == EndpointState::Enabled,
        old_until: (old > now).then(|| When::minute(old)),
        list,
        here: shown.href.clone(),
        back: member.shop.at("/staff/webhooks"),
        may: member.staff.role.may(Permission::Messages),
        key: form_key(),
        endpoint: shown,
    })
}

/// `GET /shops/{slug}/staff/webhooks/{id}`: the endpoint with its log.
pub async fn webhook(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(part): Query<Part>,
) -> Result<Response> {
    let mut shown = webhook_page(&app, &member, at.id, &part).await?;
    shown.shell.notice = match part.done.as_deref() {
        Some("tested") => {
            let text = "It is on its way. Load this page again to see the answer.";
            Some(Notice::new(Tone::Good, "A trial was sent.", text))
        }
        Some("enabled") => {
            let text = "It is told of what happens from now on.";
            Some(Notice::new(Tone::Good, "The endpoint is enabled.", text))
        }
        _ => None,
    };
    page(&shown)
}

/// What a button on the page of an endpoint does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Test,
    Enable,
    Delete,
}

async fn act(
    app: &App,
    member: &StaffMember,
    id: EndpointId,
    act: Act,
    key: &str,
) -> Result<Response> {
    let (book, actor) = (member.shop.vendor.book_id, member.actor());
    let (word, done) = match act {
        Act::Test => ("test", "tested"),
        Act::Enable => ("enable", "enabled"),
        Act::Delete => ("delete", "deleted"),
    };
    let request = format!("{word} {id}").into_bytes();
    let keyed = member.keyed(format!("{word}-{key}"), request, None);
    let outcome = app
        .submit(keyed, move |tx| {
            let vendor = vendor_by_book(tx, book)?;
            match act {
                Act::Test => drop(endpoint_test(tx, actor, &vendor, id)?),
                Act::Enable => drop(endpoint_enable(tx, actor, &vendor, id)?),
                Act::Delete => drop(endpoint_delete(tx, actor, &vendor, id)?),
            }
            Ok::<_, Failed>(())
        })
        .await;
    let list = member.shop.at("/staff/webhooks");
    match outcome {
        Ok(_) if act == Act::Delete => see(&link(&list, &[("done", done)])),
        Ok(_) => see(&link(&format!("{list}/{id}"), &[("done", done)])),
        Err(problem) => {
            let (status, notice): (StatusCode, Notice) = said(problem)?;
            let mut shown = webhook_page(app, member, id, &Part::default()).await?;
            shown.shell.notice = Some(notice);
            page_with(status, &shown)
        }
    }
}

/// `POST /shops/{slug}/staff/webhooks/{id}/test`.
pub async fn test(
    State(app): State<App>,
    May(member, _): May<permission::Messages>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    act(&app, &member, at.id, Act::Test, &sent.key).await
}

/// `POST /shops/{slug}/staff/webhooks/{id}/enable`.
pub async fn enable(
    State(app): State<App>,
    May(member, _): May<permission::Messages>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    act(&app, &member, at.id, Act::Enable, &sent.key).await
}

/// `POST /shops/{slug}/staff/webhooks/{id}/delete`.
pub async fn delete(
    State(app): State<App>,
    May(member, _): May<permission::Messages>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    act(&app, &member, at.id, Act::Delete, &sent.key).await
}

/// `POST /shops/{slug}/staff/webhooks/{id}/rotate`: shows the new secret once.
pub async fn rotate(
    State(app): State<App>,
    May(member, _): May<permission::Messages>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (id, book, actor) = (at.id, member.shop.vendor.book_id, member.actor());
    let vault = app.node.vault.clone();
    let request = format!("rotate {id}").into_bytes();
    let keyed = member.keyed(format!("rotate-{}", sent.key), request, None);
    let once = ShownOnce::new();
    let (put, of) = (once.clone(), sent.key.clone());
    app.submit(keyed, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let (_, secret) = endpoint_rotate(tx, &vault, actor, &vendor, id)?;
        put.put(of.clone(), secret);
        Ok::<_, Failed>(())
    })
    .await?;
    let endpoint = app.read(move |tx| endpoint_by_id(tx, book, id)).await?;
    page(&secret_page(&member, &endpoint, once.take(&sent.key)))
}
