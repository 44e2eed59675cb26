//! The engine's tests: one contract, kept by both databases.
#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

mod commands;
mod concurrency;
mod lost_connection;
mod memory;
mod opening;
mod outbox;
mod power_loss;
mod schema;
mod support;
mod values;
