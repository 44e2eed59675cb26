//! Order lists that are kept: under names, beside the list's own page; and set aside while tokens
//! are bought off line (SHP-15).

use crate::error::{Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use crate::web::frame::{self, form_key, member_shell};
use crate::web::session::Member;
use crate::web::view::format::counted;
use crate::web::view::{Field, Shell, When};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::id::KeptListId;
use scrip_domain::order::kept::{
    Keep, list_forget, list_keep, list_load, list_set_aside, lists_kept,
};
use scrip_domain::order::{OrderError, order_list};
use serde::Deserialize;

/// The lists beside the list's own page.
pub struct Kept {
    /// Where their forms go.
    pub action: String,
    /// The form's key.
    pub key: String,
    /// The name to keep the list under.
    pub name: Field,
    /// The lists.
    pub lists: Vec<KeptView>,
}

/// A list that is kept under a name.
pub struct KeptView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `3 lines, kept on 21 November 2026`
    pub about: String,
}

impl Kept {
    /// The lists of whoever is signed in.
    pub async fn load(app: &App, member: &Member) -> Result<Kept> {
        let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
        let customer = member.me.customer.customer_id;
        let lists = app.read(move |tx| lists_kept(tx, actor, book, customer));
        let lists = lists.await?.into_iter().map(|list| KeptView {
            id: list.list_id.to_string(),
            about: format!(
                "{}, kept on {}",
                counted(list.lines, "line", "lines"),
                When::day(list.kept_at)
            ),
            name: list.name,
        });
        Ok(Kept {
            action: member.shop.at("/lists"),
            key: form_key(),
            name: Field::text("keep", "Keep this list as").max(60),
            lists: lists.collect(),
        })
    }
}

/// What is done with kept lists.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    key: String,
    keep: Option<String>,
    load: Option<KeptListId>,
    forget: Option<KeptListId>,
}

/// `POST /shops/{slug}/lists`: keeps the order list under a name, loads a kept one, or forgets it.
pub async fn change(
    State(app): State<App>,
    member: Member,
    Form(form): Form<Change>,
) -> Result<Response> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let customer = member.me.customer.customer_id;
    let asked = [
        form.keep.is_some(),
        form.load.is_some(),
        form.forget.is_some(),
    ];
    if asked.iter().filter(|asked| **asked).count() != 1 {
        let text = "the form keeps, loads or forgets one list: send it again from the page";
        return Err(Problem::invalid("form_invalid", text));
    }
    let request = (&form.keep, &form.load, &form.forget);
    let keyed = member.keyed(form.key.clone(), format!("lists {request:?}").into_bytes());
    let done = app.submit(keyed, move |tx| {
        if let Some(name) = &form.keep {
            list_keep(tx, actor, book, customer, name)?;
        }
        if let Some(list) = form.load {
            list_load(tx, actor, book, customer, list)?;
        }
        if let Some(list) = form.forget {
            list_forget(tx, actor, book, customer, list)?;
        }
        Ok::<_, OrderError>(())
    });
    done.await?;
    frame::see(&member.shop.at("/list"))
}

/// Whether to keep the list, and what became of the answer.
#[derive(Template)]
#[template(path = "list/off_line.html")]
struct OffLinePage {
    shell: Shell,
    lines: String,
    action: String,
    key: String,
    /// The answer that was given.
    is_kept: Option<bool>,
    number: String,
    ways: String,
    list: String,
    shelf: String,
    quit: String,
}

/// What was answered.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    kept: Option<Keep>,
}

/// `GET /shops/{slug}/off-line`: asks whether to keep the order list while tokens are bought
/// without a card (SHP-15).
pub async fn question(
    State(app): State<App>,
    member: Member,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let customer = member.me.customer.customer_id;
    let list = app.read(move |tx| order_list(tx, actor, book, customer));
    let lines = i64::try_from(list.await?.lines.len()).unwrap_or(i64::MAX);
    let shop = &member.shop;
    frame::page(&OffLinePage {
        shell: member_shell(&member, "Tokens without a card", "/off-line"),
        lines: counted(lines, "line", "lines"),
        action: shop.at("/off-line"),
        key: form_key(),
        is_kept: match (asked.kept, lines) {
            (Some(keep), _) => Some(keep == Keep::Yes),
            // Nothing to keep.
            (None, 0) => Some(true),
            (None, _) => None,
        },
        number: member.me.customer.number.to_string(),
        ways: shop.at("/buy/offline"),
        list: shop.at("/list"),
        shelf: shop.at("/shop"),
        quit: shop.at("/quit"),
    })
}

/// The answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    key: String,
    keep: Keep,
}

/// `POST /shops/{slug}/off-line`: the list is set aside as incomplete, or emptied (SHP-15).
pub async fn answer(
    State(app): State<App>,
    member: Member,
    Form(form): Form<Answered>,
) -> Result<Response> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let customer = member.me.customer.customer_id;
    let keep = form.keep;
    let keyed = member.keyed(form.key, format!("off-line {keep:?}").into_bytes());
    let done = app.submit(keyed, move |tx| {
        list_set_aside(tx, actor, book, customer, keep)
    });
    done.await?;
    let kept = match keep {
        Keep::Yes => "yes",
        Keep::No => "no",
    };
    frame::see(&frame::link(
        &member.shop.at("/off-line"),
        &[("kept", kept)],
    ))
}
