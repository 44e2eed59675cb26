//! The accounts that one person may pay from: linked by proof of both, unlinked by either (TOK-15).

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::register::begin_at_wrong;
use super::super::sign_in::{asked_words, given, misread, prove, secret_fields};
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
use scrip_domain::session::{Holder as Factor, factor_is_on};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account/linked.html")]
struct LinkedPage {
    shell: Shell,
    own: String,
    linked: Vec<(String, String)>,
    fields: Vec<Field>,
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
    password: String,
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
    let labels = ["Its PIN or password", "Its PIN", "Its password"];
    let secrets = shop.policy.sign_in.secrets;
    let mut fields = vec![
        Field::text("name", "The other account: number or sign-in name")
            .class("is-code")
            .value(name)
            .error(wrong_name),
    ];
    let wrong = [wrong_secret.clone(), wrong_secret];
    let asked = secret_fields(secrets, labels, wrong);
    fields.extend(asked.into_iter().map(|field| field.autocomplete("off")));
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
    let secrets = member.shop.policy.sign_in.secrets;
    let missing = |text: &str, said: &str| match text.trim() {
        "" => said.to_owned(),
        _ => String::new(),
    };
    let wrong = [
        missing(&sent.name, "Type the number or name of the other account."),
        missing(
            &sent.secret,
            &format!("Type the {} of that account.", asked_words(secrets)),
        ),
    ];
    if wrong.iter().any(|text| !text.is_empty()) {
        let page_of = linked_page(app, member, &sent.name, wrong).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of);
    }
    let given = given(secrets, &sent.secret, &sent.password);
    let proof = prove(app, &member.shop.vendor, client, &sent.name, given).await?;
    let Proof::Proven(other) = proof else {
        let wrong = [misread(&sent.name), "Type it again.".to_owned()];
        let mut page_of = linked_page(app, member, &sent.name, wrong).await?;
        page_of.shell.notice = Some(Notice::new(
            Tone::Bad,
            "The accounts are not linked.",
            format!(
                "The account and the {} do not match, or the account is locked for a while. Look \
                 at them and try again, or wait.",
                asked_words(secrets)
            ),
        ));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of);
    };
    let (book, own, actor) = (member.shop.vendor.book_id, member.me.own, member.me.actor());
    let done = app
        .write(move |tx| {
            let own = customer_by_id(tx, book, own)?;
            // Its secret alone would not open it either.
            if factor_is_on(tx, Factor::customer(&other))? {
                let text = "that account asks for one-time codes too: sign in to it, and link this \
                            one from there";
                let problem = Problem::new(StatusCode::CONFLICT, "link_impossible", text);
                return Err(Failed::from(problem));
            }
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
