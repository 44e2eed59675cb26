//! What was sent to customers by mail, and how far each message is: no address and no text.

use super::super::account::moves::{AT_ONCE, pager};
use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::{Shop, StaffMember};
use super::super::view::{Notice, Pager, Shell, Tone, When};
use super::{May, Who, permission, said, who};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Actor;
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::MessageId;
use scrip_domain::message::{
    Delivery, DeliveryState, Target, deliveries, delivery_again, delivery_by_id,
};
use scrip_domain::vault::Vault;
use scrip_domain::vendor::{Permission, vendor_by_book};
use scrip_engine::Read;
use serde::Deserialize;

/// A message on a list.
pub struct Row {
    /// When that happened which it tells of.
    pub at: When,
    /// What it tells of.
    pub what: String,
    /// Its page.
    pub href: String,
    /// Whom it is about.
    pub who: Option<Who>,
    /// How far it is.
    pub state: &'static str,
    /// The class of that.
    pub class: &'static str,
    /// What came of the last try.
    pub answer: String,
}

/// A choice of what is listed.
pub struct Filter {
    /// What it is called.
    pub label: &'static str,
    /// Where it leads.
    pub href: String,
    /// True for the one that is shown.
    pub on: bool,
}

/// `order.completed` as words.
pub fn topic_words(topic: &str) -> String {
    let words = topic.replace(['.', '_'], " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A state as words, with its class.
pub fn state_words(state: DeliveryState) -> (&'static str, &'static str) {
    match state {
        DeliveryState::Waiting => ("Waits", "status waits"),
        DeliveryState::Claimed | DeliveryState::Sending => ("On its way", "status waits"),
        DeliveryState::Done => ("Taken", "status good"),
        DeliveryState::Uncertain => ("May have arrived", "status waits"),
        DeliveryState::Parked => ("Given up", "status stopped bad"),
        DeliveryState::Skipped => ("Not sent", "status stopped"),
    }
}

/// States to choose from, above a list.
pub fn filters(path: &str, chosen: Option<DeliveryState>) -> Vec<Filter> {
    let all = [
        ("All", None),
        ("Waiting", Some(DeliveryState::Waiting)),
        ("Taken", Some(DeliveryState::Done)),
        ("May have arrived", Some(DeliveryState::Uncertain)),
        ("Given up", Some(DeliveryState::Parked)),
    ];
    all.into_iter()
        .map(|(label, state)| Filter {
            label,
            href: match state {
                Some(state) => link(path, &[("state", state.name())]),
                None => path.to_owned(),
            },
            on: state == chosen,
        })
        .collect()
}

/// Messages as rows.
pub fn rows(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    shop: &Shop,
    found: &[Delivery],
) -> std::result::Result<Vec<Row>, Problem> {
    let mut rows = Vec::with_capacity(found.len());
    for one in found {
        let (state, class) = state_words(one.state);
        let who = match one.customer_id {
            Some(id) => {
                let customer = customer_by_id(tx, one.book_id, id)?;
                Some(who(tx, vault, actor, shop, &customer)?)
            }
            None => None,
        };
        rows.push(Row {
            at: When::minute(one.occurred_at),
            what: topic_words(&one.topic),
            href: shop.at(&format!("/staff/messages/{}", one.message_id)),
            who,
            state,
            class,
            answer: one.answer.clone(),
        });
    }
    Ok(rows)
}

/// Which part of a list.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    before: Option<MessageId>,
    state: Option<DeliveryState>,
    pub(super) done: Option<String>,
}

/// A part of the list of what went to one receiver.
pub struct Listed {
    /// The messages.
    pub rows: Vec<Row>,
    /// The way through the list.
    pub pager: Option<Pager>,
    /// What may be listed.
    pub filters: Vec<Filter>,
}

/// Reads a part of the list.
pub async fn listed(
    app: &App,
    member: &StaffMember,
    target: Target,
    path: &str,
    part: &Part,
) -> Result<Listed> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (state, before) = (part.state, part.before);
    let (rows, next) = app
        .read(move |tx| {
            let book = of.shop.vendor.book_id;
            let found = deliveries(tx, book, target, state, before, AT_ONCE)?;
            let rows = rows(tx, &vault, of.actor(), &of.shop, &found.items)?;
            Ok::<_, Problem>((rows, found.next))
        })
        .await?;
    let here = match state {
        Some(state) => link(path, &[("state", state.name())]),
        None => path.to_owned(),
    };
    let next = next.map(|id| id.to_string());
    let mut pager = pager(&here, "messages", before.is_none(), next.clone());
    if let (Some(state), Some(next), Some(pager)) = (state, next, &mut pager)
        && let Some(action) = &mut pager.next
    {
        action.href = link(path, &[("state", state.name()), ("before", &next)]);
    }
    Ok(Listed {
        rows,
        pager,
        filters: filters(path, state),
    })
}

#[derive(Template)]
#[template(path = "staff/messages.html")]
struct MessagesPage {
    shell: Shell,
    list: Listed,
    sends: bool,
}

/// `GET /shops/{slug}/staff/messages`.
pub async fn messages(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let path = member.shop.at("/staff/messages");
    let list = listed(&app, &member, Target::Mail, &path, &part).await?;
    page(&MessagesPage {
        shell: staff_shell(&member, "Messages", "/staff/messages"),
        list,
        sends: app.settings.mail.is_some(),
    })
}

/// The address of a message.
#[derive(Deserialize)]
pub struct At {
    id: MessageId,
}

/// A form with nothing but its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    pub(super) key: String,
}

#[derive(Template)]
#[template(path = "staff/message.html")]
struct MessagePage {
    shell: Shell,
    row: Row,
    id: String,
    topic: String,
    tries: i64,
    next: Option<When>,
    payload: String,
    by_mail: bool,
    again: Option<String>,
    back: String,
    key: String,
}

async fn message_page(app: &App, member: &StaffMember, id: MessageId) -> Result<MessagePage> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (delivery, mut found) = app
        .read(move |tx| {
            let book = of.shop.vendor.book_id;
            let delivery = delivery_by_id(tx, book, id)?;
            let one = std::slice::from_ref(&delivery);
            let rows = rows(tx, &vault, of.actor(), &of.shop, one)?;
            Ok::<_, Problem>((delivery, rows))
        })
        .await?;
    let row = found.pop().ok_or_else(|| Problem::not_found("message"))?;
    let shop = &member.shop;
    let by_mail = delivery.target == Target::Mail;
    let may = member.staff.role.may(Permission::Messages);
    let can = match delivery.state {
        DeliveryState::Parked | DeliveryState::Skipped => true,
        DeliveryState::Done => !by_mail,
        _ => false,
    };
    let back = match delivery.target {
        Target::Mail => shop.at("/staff/messages"),
        Target::Endpoint(endpoint) => shop.at(&format!("/staff/webhooks/{endpoint}")),
    };
    let here = shop.at(&format!("/staff/messages/{id}"));
    let section = if by_mail {
        "/staff/messages"
    } else {
        "/staff/webhooks"
    };
    Ok(MessagePage {
        shell: staff_shell(member, row.what.clone(), section),
        id: id.to_string(),
        topic: delivery.topic,
        tries: delivery.attempts,
        next: (delivery.state == DeliveryState::Waiting).then(|| When::minute(delivery.next_at)),
        payload: delivery.payload,
        by_mail,
        again: (may && can).then(|| format!("{here}/again")),
        back,
        key: form_key(),
        row,
    })
}

/// What was just done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    done: Option<String>,
}

/// `GET /shops/{slug}/staff/messages/{id}`.
pub async fn message(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(after): Query<After>,
) -> Result<Response> {
    let mut shown = message_page(&app, &member, at.id).await?;
    if after.done.as_deref() == Some("again") {
        let text = "It goes out under the same id as before.";
        shown.shell.notice = Some(Notice::new(Tone::Good, "It is sent again.", text));
    }
    page(&shown)
}

/// `POST /shops/{slug}/staff/messages/{id}/again`.
pub async fn again(
    State(app): State<App>,
    May(member, _): May<permission::Messages>,
    Path(at): Path<At>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (id, book, actor) = (at.id, member.shop.vendor.book_id, member.actor());
    let request = format!("send {id} again").into_bytes();
    let keyed = member.keyed(format!("again-{}", sent.key), request, None);
    let done = app
        .submit(keyed, move |tx| {
            let vendor = vendor_by_book(tx, book)?;
            delivery_again(tx, actor, &vendor, id)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(_) => {
            let here = member.shop.at(&format!("/staff/messages/{id}"));
            see(&link(&here, &[("done", "again")]))
        }
        Err(problem) => {
            let (status, notice): (StatusCode, Notice) = said(problem)?;
            let mut shown = message_page(&app, &member, id).await?;
            shown.shell.notice = Some(notice);
            page_with(status, &shown)
        }
    }
}
