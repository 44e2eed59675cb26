//! The engine's tests: one contract, kept by both databases.

mod commands;
mod concurrency;
mod lost_connection;
mod memory;
mod opening;
mod outbox;
mod schema;
mod support;
mod values;
