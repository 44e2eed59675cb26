//! Enters a retailer's transactions, as its staff would.
//!
//! `file.rs` reads the rows and sorts out what cannot be entered; `run.rs` gives the commands;
//! `report.rs` adds up what came of them, from the orders as stored.

mod file;
mod report;
mod run;

pub use file::read;
pub use report::Report;
pub use run::{Replayer, STAFF};
