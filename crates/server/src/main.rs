//! The program `scrip`: command line, API, pages, jobs. Rules live in `scrip-domain`; what is here
//! parses, authorises, gives commands, and shows what came of them.

mod api;
mod bench;
mod cli;
mod config;
mod demo;
mod error;
mod failure;
mod http;
mod jobs;
mod key_file;
mod messages;
mod portable;
mod problem_codes;
mod replay;
mod report;
mod settings;
mod state;
mod stripe;
mod web;

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Memory is taken on one thread and given back on another with every request: the system's
/// allocator spends a tenth of the processor on that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
