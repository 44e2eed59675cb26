//! The accounts that one person may pay from: linked by proof of both, unlinked by either (TOK-15).

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::register::begin_at_wrong;
use super::super::sign_in::{misread, prove};
use super::super::view::{Field, Notice, Shell, Tone};
use super::Holder;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::http::client::Client;
use crate::state::App;
use crate::web::session::Member;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    Customer, account_link, account_unlink, customer_by_id, linked_accounts,
};
use scrip_domain::id::CustomerId;
use scrip_domain::secret::Proof;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account/linked.html")]
struct LinkedPage {
    shell: Shell,
    own: String,
    linked: Vec<(String, String)>,
    fields: [Field; 2],
    action: String,
    back: String,
    key: String,
}

/// What is wanted. It is never printed: it holds a PIN or password.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sent {
    act: String,
    name: String,
    secret: String,
    id: Option<CustomerId>,
    key: String,
}

/// What was just done.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Linked,
    Unlinked,
}

/// What was just done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    done: Option<Done>,
}

async fn linked_page(
    app: &App,
    member: &Member,
    name: &str,
    wrong: [String; 2],
) -> Result<LinkedPage> {
    let own = member.me.customer.clone();
    let linked = app.read(move |tx| linked_accounts(tx, &own)).await?;
    let shop = &member.shop;
    let [wrong_name, wrong_secret] = wrong;
    let mut fields = [
        Field::text("name", "The other account: number or sign-in name")
            .class("is-code")
            .value(name)
            .error(wrong_name),
        Field::secret("secret", "Its PIN or password", "off").error(wrong_secret),
    ];
    begin_at_wrong(fields.iter_mut());
    let shown = |one: &Customer| (one.customer_id.to_string(), one.number.to_string());
    Ok(LinkedPage {
        shell: member_shell(member, "Pay from another account", "/account/linked"),
        own: member.me.customer.number.to_string(),
        linked: linked.iter().map(shown).collect(),
        fields,
        action: shop.at("/account/linked"),
        back: shop.at("/account"),
        key: form_key(),
    })
}

/// `GET /shops/{slug}/account/linked`.
pub async fn form(
    State(app): State<App>,
    Holder(member): Holder,
    Query(said): Query<Said>,
) -> Result<Response> {
    let mut page_of = linked_page(&app, &member, "", Default::default()).await?;
    page_of.shell.notice = said.done.map(|done| match done {
        Done::Linked => Notice::new(
            Tone::Good,
            "The accounts are linked.",
            "Choose at the head of the shop's pages which of them pays.",
        ),
        Done::Unlinked => Notice::new(
            Tone::Good,
            "The link has ended.",
            "Neither account pays for the other any more.",
        ),
    });
    page(&page_of)
}

/// `POST /shops/{slug}/account/linked`.
pub async fn act(
    State(app): State<App>,
    Holder(member): Holder,
    client: Client,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    match sent.act.as_str() {
        "link" => begin(&app, &member, client, sent).await,
        "unlink" => end(&app, &member, sent).await,
        _ => Err(Problem::invalid("form_invalid", "use a form of this page")),
    }
}

/// Links with an account whose secret is known; attempts count as at its sign-in.
async fn begin(app: &App, member: &Member, client: Client, sent: Sent) -> Result<Response> {
    let missing = |text: &str, said: &str| match text.trim() {
        "" => said.to_owned(),
        _ => String::new(),
    };
    let wrong = [
        missing(&sent.name, "Type the number or name of the other account."),
        missing(&sent.secret, "Type the PIN or password of that account."),
    ];
    if wrong.iter().any(|text| !text.is_empty()) {
        let page_of = linked_page(app, member, &sent.name, wrong).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of);
    }
    let proof = prove(app, &member.shop, client, &sent.name, &sent.secret).await?;
    let Proof::Proven(other) = proof else {
        let wrong = [misread(&sent.name), "Type it again.".to_owned()];
        let mut page_of = linked_page(app, member, &sent.name, wrong).await?;
        page_of.shell.notice = Some(Notice::new(
            Tone::Bad,
            "The accounts are not linked.",
            "The account and the PIN or password do not match, or the account is locked for a \
             while. Look at both and try again, or wait.",
        ));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of);
    };
    let (book, own, actor) = (member.shop.vendor.book_id, member.me.own, member.me.actor());
    let done = app
        .write(move |tx| {
            let own = customer_by_id(tx, book, own)?;
            account_link(tx, actor, &own, &other)?;
            Ok::<_, Failed>(())
        })
        .await;
    finish(app, member, done, "linked").await
}

async fn end(app: &App, member: &Member, sent: Sent) -> Result<Response> {
    let Some(other) = sent.id else {
        return Err(Problem::invalid("form_invalid", "use a form of this page"));
    };
    let (book, own, actor) = (member.shop.vendor.book_id, member.me.own, member.me.actor());
    let done = app
        .write(move |tx| {
            let own = customer_by_id(tx, book, own)?;
            account_unlink(tx, actor, &own, other)?;
            Ok::<_, Failed>(())
        })
        .await;
    finish(app, member, done, "unlinked").await
}

async fn finish(app: &App, member: &Member, done: Result<()>, what: &str) -> Result<Response> {
    let problem = match done {
        Ok(()) => {
            let here = member.shop.at("/account/linked");
            return see(&link(&here, &[("done", what)]));
        }
        Err(problem) => problem,
    };
    if problem.status != StatusCode::CONFLICT {
        return Err(problem);
    }
    let mut page_of = linked_page(app, member, "", Default::default()).await?;
    let notice = Notice::new(Tone::Bad, "This was not done.", problem.sentence());
    page_of.shell.notice = Some(notice);
    page_with(problem.status, &page_of)
}
