//! Whole purchases while the power fails, processes are killed, servers stop and disks fill; and
//! the program as a person or a script runs it.
//!
//! Read on: `shop.rs` (a vendor whose customers buy under keys, and what must hold afterwards),
//! then `power_loss.rs`, `killed.rs`, `server_stops.rs`, `full_disk.rs`, `corrupt_row.rs`.
//! `program.rs` runs the built program; a module for each group of its commands follows.
#![allow(clippy::unwrap_used)]

mod corrupt_row;
mod full_disk;
mod killed;
mod power_loss;
mod server_stops;
mod shop;
