//! The order list: a page of its own, and the address that all its forms post to (SHP-10, SHP-11).

mod form;
mod kept;
#[cfg(test)]
mod tests;
pub mod view;

use super::buy::bought::without_flag;
use super::frame;
use super::gate;
use super::order::coupon::{CouponForm, Wrong};
use super::session::{Member, is_inside, referer};
use super::view::{Notice, Shell, Tone, format};
use crate::error::{Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use form::{Faults, ListForm};
use kept::Kept;
use scrip_domain::catalog::offers_by_id;
use scrip_domain::order::{OrderError, OrderList, list_reserve, order_list};
use serde::Deserialize;
use view::{ListView, Place, Quantity};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/list", get(page).post(change))
        .route("/shops/{slug}/lists", post(kept::change))
        .route(
            "/shops/{slug}/off-line",
            get(kept::question).post(kept::answer),
        )
}

/// The page of its own.
#[derive(Template)]
#[template(path = "list/list.html")]
struct ListPage {
    shell: Shell,
    list: ListView,
    kept: Kept,
    coupon: CouponForm,
}

/// What came back at the sign-in.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Came {
    /// Lines of the list that had been set aside (SHP-15).
    back: Option<u32>,
}

/// The list alone, for the script.
#[derive(Template)]
#[template(path = "list/fragment.html")]
struct Fragment {
    list: ListView,
}

/// The list of whoever is signed in.
pub async fn load(app: &App, member: &Member) -> Result<OrderList> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let customer = member.me.customer.customer_id;
    app.read(move |tx| order_list(tx, actor, book, customer))
        .await
}

/// `GET /shops/{slug}/list`.
async fn page(
    State(app): State<App>,
    member: Member,
    Query(came): Query<Came>,
) -> Result<Response> {
    if !member.sight.may_order() {
        return gate::closed(&app, &member, StatusCode::OK).await;
    }
    let list = load(&app, &member).await?;
    let fine = (&Vec::new(), None, StatusCode::OK);
    own_page(&app, &member, &list, came, fine).await
}

/// The page with what was wrong with a coupon's code.
pub async fn with_wrong(app: &App, member: &Member, wrong: &Wrong) -> Result<Response> {
    let list = load(app, member).await?;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let wrong = (&Vec::new(), Some(wrong), status);
    own_page(app, member, &list, Came::default(), wrong).await
}

async fn own_page(
    app: &App,
    member: &Member,
    list: &OrderList,
    came: Came,
    (faults, wrong, status): (&Faults, Option<&Wrong>, StatusCode),
) -> Result<Response> {
    let mut shell = frame::member_shell(member, "Your order list", "/list");
    if let (Some(lines), None) = (came.back, &shell.notice) {
        let lines = format::counted(i64::from(lines), "line", "lines");
        shell.notice = Some(Notice::new(
            Tone::Good,
            "Your order list is back.",
            format!("You kept {lines} while you bought tokens another way. Go on where you were."),
        ));
    }
    let page = ListPage {
        shell,
        list: ListView::new(member, list, Place::Whole, faults),
        kept: Kept::load(app, member).await?,
        coupon: CouponForm::new(&member.shop, "list", list.quote.coupon.as_ref(), wrong),
    };
    frame::page_with(status, &page)
}

/// `POST /shops/{slug}/list`: changes the list. A script gets the list, a browser the page that
/// it came from.
async fn change(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Form(form): Form<ListForm>,
) -> Result<Response> {
    if !member.sight.may_order() {
        return gate::closed(&app, &member, StatusCode::CONFLICT).await;
    }
    if let Some(fault) = form.fault() {
        return Err(Problem::invalid("form_invalid", fault));
    }
    let faults = run(&app, &member, form).await?;
    let from = came_from(&member, &headers);
    if headers.get("x-fragment").is_some_and(|v| v == "list") {
        let list = load(&app, &member).await?;
        let place = place(&member, &from);
        let list = ListView::new(&member, &list, place, &faults);
        return frame::page(&Fragment { list });
    }
    if faults.is_empty() {
        return frame::see(&from);
    }
    let list = load(&app, &member).await?;
    let wrong = (&faults, None, StatusCode::UNPROCESSABLE_ENTITY);
    own_page(&app, &member, &list, Came::default(), wrong).await
}

async fn run(app: &App, member: &Member, form: ListForm) -> Result<Faults> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let customer = member.me.customer.customer_id;
    let reserves = form.reserves();
    let (steps, mut faults) = app
        .read(move |tx| {
            let list = order_list(tx, actor, book, customer)?;
            let new = offers_by_id(tx, book, &form.may_put(&list))?;
            Ok::<_, OrderError>(form.steps(&list, &new))
        })
        .await?;
    if !steps.is_empty() {
        let done = app.write(move |tx| form::run(tx, book, customer, &steps));
        faults.extend(done.await?);
    }
    if reserves {
        app.write(move |tx| list_reserve(tx, actor, book, customer))
            .await?;
    }
    Ok(faults)
}

/// The page of this shop on which the form stood; its list, where that is not known. What the
/// list's own page said once is not said again.
fn came_from(member: &Member, headers: &HeaderMap) -> String {
    let list = member.shop.at("/list");
    referer(headers)
        .filter(|path| is_inside(path, &member.shop.vendor.slug))
        .map(|path| without_flag(&path))
        .filter(|path| path.split('?').next() != Some(list.as_str()))
        .unwrap_or(list)
}

fn place(member: &Member, from: &str) -> Place {
    let path = from.split('?').next().unwrap_or_default();
    if path == member.shop.at("/list") {
        Place::Whole
    } else if path == member.shop.at("/confirm") {
        Place::Shortage
    } else {
        Place::Shelf
    }
}
