//! The pages: rendered on the server, complete without JavaScript. No rules.

pub mod session;

use crate::error::Problem;
use crate::state::App;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// The routes of all pages.
pub fn router() -> Router<App> {
    Router::new()
}

/// Shows problems as pages; whoever must sign in first is sent there and comes back.
pub async fn problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem_page(&app, &path, problem).await,
        None => response,
    }
}

/// The page of a problem.
pub async fn problem_page(_app: &App, _path: &str, problem: Problem) -> Response {
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
    (problem.status, problem.sentence()).into_response()
}
