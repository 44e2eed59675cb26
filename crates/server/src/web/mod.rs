//! The pages: rendered on the server, complete without JavaScript. No rules.
//!
//! Each noun has a file with its handlers and page structs, and its templates in
//! `templates/<noun>/`. `session.rs` says who is looking, `frame.rs` draws what is around a page,
//! `view.rs` turns amounts and times into words.

mod account;
mod buy;
mod directory;
mod entrance;
pub mod frame;
mod gate;
mod list;
mod order;
mod payer;
mod register;
mod second_factor;
pub mod session;
mod shop;
mod sign_in;
mod staff;
pub mod view;

use crate::error::Problem;
use crate::state::App;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use session::{Guest, Shop, shop};
use view::Shell;
use view::fault::FaultPage;

/// The routes of all pages.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(directory::directory))
        .merge(entrance::router())
        .merge(register::router())
        .merge(sign_in::router())
        .merge(account::router())
        .merge(buy::router())
        .merge(payer::router())
        .merge(second_factor::router())
        .merge(staff::router())
        .merge(shop::router())
        .merge(list::router())
        .merge(order::router())
}

/// Shows problems as pages, but to programs as they are; whoever must sign in first is sent there
/// and comes back.
pub async fn problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if FOR_PROGRAMS.iter().any(|start| path.starts_with(start)) {
        return next.run(request).await;
    }
    let request = buy::bought::take_flag(request);
    let is_get = request.method() == Method::GET;
    let at = request.uri().path_and_query().map(ToString::to_string);
    let mut response = view::zone::scope(next.run(request)).await;
    if let Some(at) = at.filter(|_| is_get) {
        session::note_last(&mut response, &at);
    }
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem_page(&app, &path, problem).await,
        None => response,
    }
}

/// Addresses below these are asked by programs.
const FOR_PROGRAMS: [&str; 6] = [
    "/v1",
    "/assets",
    "/healthz",
    "/readyz",
    "/metrics",
    "/webhooks",
];

/// The page of a problem.
async fn problem_page(app: &App, path: &str, problem: Problem) -> Response {
    let text = |name: &str| {
        problem
            .more
            .get(name)
            .and_then(|v| v.as_str())
            .map(str::to_owned)
    };
    if problem.code == "sign_in_needed"
        && let (Some(page), Some(next)) = (text("page"), text("next"))
        && let Ok(query) = serde_html_form::to_string([("next", next)])
    {
        return Redirect::to(&format!("{page}?{query}")).into_response();
    }
    let (shell, sign_in) = match shop_of(app, path).await {
        Some(shop) if is_for_staff(path, &shop) => {
            let sign_in = shop.at("/staff/sign-in");
            (staff::sign_in::shell(&shop, ""), Some(sign_in))
        }
        Some(shop) => {
            let sign_in = shop.at("/sign-in");
            let guest = Guest::stranger(shop, app.node.engine.now());
            (frame::guest_shell(&guest, "", ""), Some(sign_in))
        }
        None => (Shell::outside(""), None),
    };
    let page = FaultPage::of(&problem, shell, sign_in.as_deref());
    let shown = frame::page_with(problem.status, &page);
    let mut response = shown.unwrap_or_else(IntoResponse::into_response);
    if let Some(seconds) = problem.retry_after_s {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn is_for_staff(path: &str, shop: &Shop) -> bool {
    let rest = path.strip_prefix(shop.at("/staff").as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The shop whose address a path is; a page about a problem must not fail over it.
async fn shop_of(app: &App, path: &str) -> Option<Shop> {
    let slug = path.strip_prefix("/shops/")?.split('/').next()?.to_owned();
    app.read(move |tx| shop(tx, &slug)).await.ok()
}
