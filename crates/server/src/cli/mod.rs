//! The command line: arguments in, commands given, words or JSON out.

mod account;
mod api_key;
mod backup;
mod demo;
mod export;
mod import;
mod maintain;
mod mall;
mod open;
pub mod progress;
mod replay;
mod serve;
mod staff;
mod story;
mod vendor;
mod verify;

use crate::bench;
use crate::failure::Failure;
use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// The system of record for stored value.
///
/// Every command takes --database (or SCRIP_DATABASE): sqlite:PATH, or
/// postgres://USER@HOST:PORT/NAME. A database is created at its first use.
///
/// Exit codes: 0 done; 1 refused, or something was found wrong; 2 wrong usage; 3 the database is
/// in use, not reachable, full, or of another version.
#[derive(Debug, Parser)]
#[command(name = "scrip", version, about, long_about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everything: three shops with customers and staff, on this machine alone
    ///
    /// Needs nothing. Cards are test cards: no money moves. Prints where to click and whom to sign
    /// in as; the first page says it, too. A second start finds the same data.
    Demo(demo::Demo),
    /// Serve the shops, their API and their pages
    Serve(Box<serve::Serve>),
    /// Create and list vendors
    #[command(subcommand)]
    Vendor(vendor::Vendor),
    /// Add members of staff, set their passwords
    #[command(subcommand)]
    Staff(staff::Staff),
    /// Make, list and revoke keys for programs that use the API
    #[command(subcommand)]
    ApiKey(api_key::ApiKey),
    /// Connect vendors: members, values, exchange of tokens, clearing
    #[command(subcommand)]
    Mall(mall::Mall),
    /// Import from files of other programs
    #[command(subcommand)]
    Import(import::Import),
    /// Enter a retailer's transactions from a CSV file: register, top up, sell, refund
    ///
    /// The file has the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice
    /// and CustomerID, and may be compressed with gzip. Each invoice becomes an order at its own
    /// time and with its own prices; customers register at first sight and top up by test card when
    /// short; an invoice C… refunds earlier sales of that customer, item and price, newest first.
    /// What fails stops nothing and is in the report with its row. Running the same file again
    /// changes nothing.
    Replay(replay::Replay),
    /// Look at customers' accounts
    #[command(subcommand)]
    Account(account::Account),
    /// Recompute everything from the rows and name each row that is wrong
    ///
    /// Reads one snapshot, also beside a running node. Exit code 1 when a row is wrong.
    Verify(verify::Verify),
    /// Seal new entries, give expired holds back, forget old answers
    Maintain(maintain::Maintain),
    /// Write a vendor's ledger for bean-check, hledger or a spreadsheet
    ///
    /// Whoever reads it need not trust scrip: every posting is in it.
    Export(export::Export),
    /// Write the whole database to one portable file
    ///
    /// The file is one snapshot, taken also beside a running node, and fits either engine. The key
    /// file is not in it: without its copy a restored database cannot be used.
    Backup(backup::Backup),
    /// Fill an empty database, of either engine, from a backup
    ///
    /// The file is checked first; a damaged one restores nothing. The key file of the old database
    /// goes with the new one.
    Restore(backup::Restore),
    /// Measure speed beside a floor, in one run
    #[command(subcommand)]
    Bench(bench::Bench),
}

/// Runs the program.
pub fn run() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|mut e| {
        // The reason says the address again, without the password that may be in it.
        let about = e.get(ContextKind::InvalidArg).map(ToString::to_string);
        if about.is_some_and(|argument| argument.starts_with("--database")) {
            e.insert(ContextKind::InvalidValue, ContextValue::String("…".into()));
        }
        e.exit()
    });
    let outcome = match cli.command {
        Command::Demo(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Vendor(command) => command.run(),
        Command::Staff(command) => command.run(),
        Command::ApiKey(command) => command.run(),
        Command::Mall(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Account(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Maintain(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Bench(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("scrip: {failure}");
            failure.exit_code()
        }
    }
}

/// Prints lines to standard output. A reader that went away (`| head`) is no failure.
pub fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
    {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::File {
            path: "standard output".into(),
            source: e,
        }),
        _ => Ok(()),
    }
}

/// Prints JSON.
pub fn say_json(value: &serde_json::Value) -> Result<(), Failure> {
    say(&format!("{value:#}"))
}
