//! The HTTP side of a node: routes, layers, the accept loop.

pub mod assets;
pub mod body;
pub mod client;
pub mod csv;
mod guard;
pub mod guesses;
mod health;
pub mod metrics;
mod server;
mod strict;
pub mod upload;

use crate::error::Problem;
use crate::failure::Failure;
use crate::state::App;
use crate::{api, stripe, web};
use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::csrf::CsrfLayer;

pub use guard::POLICY;
pub use server::{bind, serve};

/// All routes with all layers.
pub fn router(app: &App) -> Result<Router, Failure> {
    let mut csrf = CsrfLayer::new();
    let public = &app.settings.public_url;
    if !public.is_empty() {
        csrf = csrf
            .add_trusted_origin(public)
            .map_err(|e| Failure::Usage(format!("{public:?} is no origin: {e}")))?;
    }
    let csrf = csrf.with_rejection_response(|_| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "cross_site",
            "this request came from a page of another site and was not done: \
             open the shop's own page and try again",
        )
        .into_response()
    });
    Ok(Router::new()
        .merge(api::router())
        .merge(web::router())
        .merge(stripe::webhook::router())
        .route("/assets/{*name}", get(assets::asset))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .layer(csrf)
        .layer(from_fn(known_method))
        .layer(from_fn_with_state(app.clone(), web::problems))
        .layer(from_fn_with_state(app.clone(), guard::guard))
        .with_state(app.clone()))
}

/// Methods that no route has are answered before anything reads the body.
async fn known_method(request: Request, next: axum::middleware::Next) -> Response {
    match *request.method() {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => next.run(request).await,
        _ => other_method().await.into_response(),
    }
}

async fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing at this address: check it, or begin at the first page",
    )
}

async fn other_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this address does not take this method: the header Allow names those that it takes",
    )
}
