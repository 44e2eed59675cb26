//! The order list: a page of its own, and the address that all its forms post to (SHP-10, SHP-11).

mod form;
#[cfg(test)]
mod tests;
pub mod view;

use super::buy::bought::without_flag;
use super::frame;
use super::session::{Member, is_inside, referer};
use super::view::Shell;
use crate::error::{Problem, Result};
use crate::http::body::Form;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use form::{Faults, ListForm};
use scrip_domain::catalog::offers_by_id;
use scrip_domain::order::{OrderError, OrderList, order_list};
use view::{ListView, Place, Quantity};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new().route("/shops/{slug}/list", get(page).post(change))
}

/// The page of its own.
#[derive(Template)]
#[template(path = "list/list.html")]
struct ListPage {
    shell: Shell,
    list: ListView,
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
async fn page(State(app): State<App>, member: Member) -> Result<Response> {
    let list = load(&app, &member).await?;
    own_page(&member, &list, &Vec::new(), StatusCode::OK)
}

fn own_page(
    member: &Member,
    list: &OrderList,
    faults: &Faults,
    status: StatusCode,
) -> Result<Response> {
    let page = ListPage {
        shell: frame::member_shell(member, "Your order list", "/list"),
        list: ListView::new(member, list, Place::Whole, faults),
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
    own_page(&member, &list, &faults, StatusCode::UNPROCESSABLE_ENTITY)
}

async fn run(app: &App, member: &Member, form: ListForm) -> Result<Faults> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let customer = member.me.customer.customer_id;
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
    Ok(faults)
}

/// The page of this shop on which the form stood; its list, where that is not known.
fn came_from(member: &Member, headers: &HeaderMap) -> String {
    referer(headers)
        .filter(|path| is_inside(path, &member.shop.vendor.slug))
        .map(|path| without_flag(&path))
        .unwrap_or_else(|| member.shop.at("/list"))
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
