//! Benchmarks: each measures Scrip beside a floor, in one run, so that the ratio holds on any
//! machine. The order of the two alternates, and medians of five are reported.

mod echo;
mod floor;
mod http;
mod ledger;
mod load;
mod mall;
mod pages;
mod purchase;
mod purchase_postgres;
mod reports;
mod world;

use crate::failure::Failure;
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use scrip_engine::{DatabaseUrl, Ticket};
use std::collections::VecDeque;
use std::time::Instant;

/// Runs of each measurement; the median counts.
const RUNS: usize = 5;

/// A benchmark.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// Durable transfers between wallets, lots included, beside a bare SQLite append loop
    Ledger(ledger::LedgerBench),
    /// Whole purchases; on PostgreSQL beside one hand-written function
    Purchase(purchase::PurchaseBench),
    /// Whole purchases over HTTP, beside a bare echo and a durable one
    Http(http::HttpBench),
    /// Pages of a large shop, beside a bare echo
    Pages(pages::PagesBench),
    /// Purchases with open tokens at another member, beside closed ones
    Mall(mall::MallBench),
    /// Reports of a large shop for a year
    Reports(reports::ReportsBench),
}

impl Bench {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Bench::Ledger(bench) => bench.run(),
            Bench::Purchase(bench) => bench.run(),
            Bench::Http(bench) => bench.run(),
            Bench::Pages(bench) => bench.run(),
            Bench::Mall(bench) => bench.run(),
            Bench::Reports(bench) => bench.run(),
        }
    }
}

/// Where a benchmark runs, and what it prints.
#[derive(Debug, Args)]
struct Place {
    /// Where to measure: beside this SQLite database, or in this PostgreSQL database (an empty one)
    #[arg(
        long,
        env = "SCRIP_DATABASE",
        default_value = "sqlite:bench.db",
        hide_env_values = true
    )]
    database: DatabaseUrl,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Medians of what was measured beside each other, and of their ratios run by run.
struct Compared {
    ours: f64,
    floor: f64,
    ratio: f64,
}

/// Measures the two in turn; each answers with its rate.
fn compare(
    bar: &ProgressBar,
    mut ours: impl FnMut() -> Result<f64, Failure>,
    mut floor: impl FnMut() -> Result<f64, Failure>,
) -> Result<Compared, Failure> {
    let (mut us, mut them, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (our_rate, floor_rate) = (ours()?, floor()?);
        us.push(our_rate);
        them.push(floor_rate);
        ratios.push(our_rate / floor_rate);
        bar.inc(1);
    }
    Ok(Compared {
        ours: rounded(median(us)),
        floor: rounded(median(them)),
        ratio: rounded(median(ratios)),
    })
}

/// Gives `total` commands with `waiting` unanswered at a time, and looks at each answer; commands per
/// second.
fn in_flight<T, E>(
    total: usize,
    waiting: usize,
    mut submit: impl FnMut() -> Ticket<T, E>,
    mut check: impl FnMut(T) -> Result<(), Failure>,
) -> Result<f64, Failure>
where
    E: From<scrip_engine::Error>,
    Failure: From<E>,
{
    let begun = Instant::now();
    let mut open: VecDeque<Ticket<T, E>> = VecDeque::new();
    for _ in 0..total {
        if open.len() == waiting
            && let Some(ticket) = open.pop_front()
        {
            check(ticket.wait()?)?;
        }
        open.push_back(submit());
    }
    for ticket in open {
        check(ticket.wait()?)?;
    }
    Ok(total as f64 / begun.elapsed().as_secs_f64())
}

/// The middle of some figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// A figure without digits that mean nothing.
fn rounded(figure: f64) -> f64 {
    if figure >= 100.0 {
        figure.round()
    } else {
        (figure * 1000.0).round() / 1000.0
    }
}
