//! What a supervisor, a balancer and a collector ask.

use crate::error::{Problem, Result};
use crate::state::App;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};

/// The process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The node can serve: the database answers, and it is not stopping.
pub async fn ready(State(app): State<App>) -> Result<&'static str> {
    if app.is_stopping() {
        let text = "the node is stopping: send requests elsewhere";
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            text,
        ));
    }
    app.read(|tx| scrip_domain::vendor::vendors(tx)).await?;
    Ok("ready\n")
}

/// Figures for the collector.
pub async fn metrics(State(app): State<App>) -> Result<([(HeaderName, &'static str); 1], String)> {
    let text = app.metrics.text().map_err(|e| Problem::internal(&e))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}
