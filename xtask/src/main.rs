//! Checks of the repository itself: `cargo xtask tidy` and
//! `cargo xtask requirements`.
//!
//! Both print one line per finding, `path:line: what is wrong and what to do`,
//! and exit with 1 when there is any. Reading order: `finding` (what a check
//! reports), `files` (what is checked), `scan` (Rust source without its
//! comments and strings), `tidy` (the checks), `requirements` (the table).

mod files;
mod finding;
mod requirements;
mod scan;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

use finding::Finding;

const USAGE: &str = "usage: cargo xtask tidy|requirements";

fn main() -> ExitCode {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else {
        eprintln!("xtask must stand in a folder of the repository");
        return ExitCode::from(2);
    };
    let command = std::env::args().nth(1);
    let result = match command.as_deref() {
        Some("tidy") => tidy::check(root),
        Some("requirements") => requirements::check(root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok((findings, summary)) => report(findings, &summary),
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

fn report(mut findings: Vec<Finding>, summary: &str) -> ExitCode {
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{summary}");
        return ExitCode::SUCCESS;
    }
    println!("{} found", findings.len());
    ExitCode::FAILURE
}
