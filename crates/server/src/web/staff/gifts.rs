//! Giving tokens (TOK-06): for a contest, something done on line, or loyalty; and what was given,
//! also by itself.

use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::tokens;
use super::super::view::{Action, Choice, Field, Notice, Pager, Shell, Shown, Tone, When};
use super::{May, Who, at, permission, said, who};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use scrip_domain::Amount;
use scrip_domain::customer::{customer_by_id, customer_by_number};
use scrip_domain::gift_tokens::{NewGift, Route, gift_give, gifts};
use scrip_domain::id::GiftId;
use scrip_domain::vendor::Permission;
use scrip_engine::Read;
use serde::Deserialize;

/// The routes below `/shops/{slug}/staff`.
pub fn router() -> Router<App> {
    Router::new().route(&at("/gifts"), get(list).post(give))
}

const AT_ONCE: usize = 20;

#[derive(Template)]
#[template(path = "staff/gifts.html")]
struct GiftsPage {
    shell: Shell,
    here: String,
    rows: Vec<Row>,
    pager: Option<Pager>,
    form: Option<GiftForm>,
}

/// A gift.
struct Row {
    at: When,
    who: Who,
    tokens: Shown,
    route: &'static str,
    reason: String,
}

struct GiftForm {
    fields: Vec<Field>,
    routes: Vec<Choice>,
    key: String,
}

/// Which part of the list, and what was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    before: Option<String>,
    done: Option<String>,
    /// The account that the form begins with.
    #[serde(default)]
    account: String,
}

/// What staff typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Typed {
    account: String,
    tokens: String,
    route: String,
    reason: String,
    once: String,
    key: String,
}

fn route_words(route: Route) -> &'static str {
    match route {
        Route::Loyalty => "For loyalty",
        Route::Contest => "Won in a contest",
        Route::Activity => "For something done on line",
        Route::Interest => "For tokens that are kept",
        Route::Goodwill => "To make something good",
    }
}

fn form(typed: &Typed) -> GiftForm {
    let chosen = Route::parse(&typed.route).unwrap_or(Route::Contest);
    GiftForm {
        fields: vec![
            Field::text("account", "Account number").value(typed.account.as_str()),
            Field::number("tokens", "How many tokens").value(typed.tokens.as_str()),
            Field::text("reason", "Why")
                .value(typed.reason.as_str())
                .help("The customer reads it.")
                .max(300),
            Field::text("once", "Given once for")
                .value(typed.once.as_str())
                .help("The name of the contest or survey: a customer gets it once.")
                .max(100)
                .optional(),
        ],
        routes: [
            Route::Contest,
            Route::Activity,
            Route::Loyalty,
            Route::Goodwill,
        ]
        .into_iter()
        .map(|r| Choice::new("route", r.name(), route_words(r), r == chosen))
        .collect(),
        key: form_key(),
    }
}

async fn drawn(
    app: &App,
    member: &StaffMember,
    before: Option<GiftId>,
    typed: &Typed,
) -> Result<GiftsPage> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (rows, next) = app
        .read(move |tx| {
            let (shop, actor) = (&of.shop, of.actor());
            let book = shop.vendor.book_id;
            let found = gifts(tx, book, before, AT_ONCE)?;
            let mut rows = Vec::with_capacity(found.items.len());
            for gift in found.items {
                let customer = customer_by_id(tx, book, gift.customer)?;
                rows.push(Row {
                    at: When::day_near(gift.given_at, tx.now()),
                    who: who(tx, &vault, actor, shop, &customer)?,
                    tokens: tokens(gift.tokens),
                    route: route_words(gift.route),
                    reason: gift.reason,
                });
            }
            Ok::<_, Problem>((rows, found.next))
        })
        .await?;
    let here = member.shop.at("/staff/gifts");
    let may = member.staff.role.may(Permission::Adjust);
    Ok(GiftsPage {
        shell: staff_shell(member, "Gifts", "/staff/gifts"),
        rows,
        pager: (before.is_some() || next.is_some()).then(|| Pager {
            text: "Newest first".to_owned(),
            previous: before.map(|_| Action {
                label: "The newest".to_owned(),
                href: here.clone(),
            }),
            next: next.map(|id| Action {
                label: "Earlier ones".to_owned(),
                href: link(&here, &[("before", &id.to_string())]),
            }),
        }),
        form: may.then(|| form(typed)),
        here,
    })
}

/// `GET /shops/{slug}/staff/gifts`.
async fn list(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let before: Option<GiftId> = match &part.before {
        Some(before) => Some(before.parse().map_err(|_| Problem::not_found("gift"))?),
        None => None,
    };
    let typed = Typed {
        account: part.account,
        ..Typed::default()
    };
    let mut gifts = drawn(&app, &member, before, &typed).await?;
    if part.done.as_deref() == Some("given") {
        let notice = Notice::new(Tone::Good, "The tokens are given.", "They are there now.");
        gifts.shell.notice = Some(notice);
    }
    page(&gifts)
}

/// `POST /shops/{slug}/staff/gifts`.
async fn give(
    State(app): State<App>,
    May(member, _): May<permission::Adjust>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    match given(&app, &member, &typed).await {
        Ok(()) => {
            let here = member.shop.at("/staff/gifts");
            see(&link(&here, &[("done", "given")]))
        }
        Err(problem) => {
            let unknown = problem.status == StatusCode::NOT_FOUND;
            let (status, notice) = if unknown {
                let text = problem.sentence();
                let notice = Notice::new(Tone::Bad, "Nothing was given.", text);
                (StatusCode::UNPROCESSABLE_ENTITY, notice)
            } else {
                said(problem)?
            };
            let mut gifts = drawn(&app, &member, None, &typed).await?;
            gifts.shell.notice = Some(notice);
            page_with(status, &gifts)
        }
    }
}

async fn given(app: &App, member: &StaffMember, typed: &Typed) -> Result<()> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let route =
        Route::parse(&typed.route).map_err(|e| Problem::invalid("gift_invalid", e.to_string()))?;
    let quantity = Amount::parse(typed.tokens.trim(), vendor.token.scale)?;
    let request = Typed {
        key: String::new(),
        ..typed.clone()
    };
    let request = format!("gift {request:?}");
    let keyed = member.keyed(typed.key.clone(), request.into_bytes(), None);
    let typed = typed.clone();
    let done = app.submit(keyed, move |tx| {
        let customer = customer_by_number(tx, &vendor, &typed.account)?;
        let new = NewGift {
            customer: customer.customer_id,
            route,
            tokens: quantity,
            reason: typed.reason.clone(),
            once: typed.once.clone(),
        };
        gift_give(tx, actor, &vendor, &new)?;
        Ok::<_, Failed>(())
    });
    done.await.map(|_| ())
}
