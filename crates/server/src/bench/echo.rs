//! The floors of the HTTP benchmarks: a bare axum JSON echo, and one that also appends each body
//! to a file and answers only when it is on the disk, as many in one sync as wait.

use crate::failure::Failure;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

type Append = (Vec<u8>, oneshot::Sender<()>);

/// `POST /echo`, `GET /echo`.
pub fn bare() -> Router {
    Router::new()
        .route("/echo", post(echo))
        .route("/echo", get(hello))
}

async fn echo(Json(body): Json<serde_json::Value>) -> Json<serde_json::Value> {
    Json(body)
}

async fn hello() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "hello": "world" }))
}

/// `POST /echo`, durable.
pub fn durable(file: &Path) -> Result<Router, Failure> {
    let file = File::create(file).map_err(|e| Failure::file(file, e))?;
    let (queue, waiting) = channel();
    std::thread::spawn(move || append(file, &waiting));
    Ok(Router::new().route("/echo", post(keep)).with_state(queue))
}

async fn keep(
    State(queue): State<Sender<Append>>,
    Json(body): Json<serde_json::Value>,
) -> Json<serde_json::Value> {
    let (done, kept) = oneshot::channel();
    drop(queue.send((body.to_string().into_bytes(), done)));
    drop(kept.await);
    Json(body)
}

fn append(mut file: File, waiting: &Receiver<Append>) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Append> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let bytes: Vec<u8> = batch
            .iter()
            .flat_map(|(body, _)| body.iter().copied())
            .collect();
        // Whoever waits is only answered when it is kept.
        if file
            .write_all(&bytes)
            .and_then(|()| file.sync_data())
            .is_err()
        {
            return;
        }
        for (_, done) in batch {
            let _ = done.send(());
        }
    }
}
