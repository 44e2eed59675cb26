//! `scrip bench ledger`.

use super::world::{Choice, Folder, post, vendor, wallets};
use super::{RUNS, compare, floor::Floor, rounded};
use crate::cli::{progress, say, say_json};
use crate::failure::Failure;
use clap::Args;
use scrip_domain::vendor::Vendor;
use scrip_domain::{Amount, Node};
use scrip_engine::{DatabaseUrl, Ticket};
use scrip_ledger::{Error as LedgerError, Leg};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// Durable transfers between random wallets, beside a bare SQLite append loop of the same bytes.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct LedgerBench {
    /// Transfers waiting at a time, so many in a commit
    #[arg(long, value_delimiter = ',', default_values_t = [64, 1024, 8192])]
    batch: Vec<usize>,
    /// Wallets
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 1_000_000])]
    accounts: Vec<usize>,
    /// Transfers in one run
    #[arg(long, default_value_t = 200_000)]
    transfers: usize,
    /// Instead: write this many rows and compare the speed at the end with that at the start
    #[arg(long, value_name = "ROWS")]
    growth: Option<usize>,
    /// Where to measure: databases are made beside this one, and removed
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

/// A ledger with wallets that move one grant about.
struct Subject {
    node: Node,
    vendor: Arc<Vendor>,
    wallets: Vec<i64>,
    grant: i64,
    choice: Choice,
}

impl Subject {
    fn new(folder: &Folder, accounts: usize) -> Result<Self, Failure> {
        let (node, vendor) = vendor(folder.engine("ledger.db")?)?;
        let (wallets, grant) = wallets(&node, &vendor, accounts)?;
        Ok(Subject {
            node,
            vendor: Arc::new(vendor),
            wallets,
            grant,
            choice: Choice::new(42),
        })
    }

    fn leg(&mut self) -> Leg {
        let debit = self.choice.below(self.wallets.len());
        let step = 1 + self.choice.below(self.wallets.len() - 1);
        let credit = (debit + step) % self.wallets.len();
        Leg {
            debit: self.wallets[debit],
            credit: self.wallets[credit],
            amount: Amount::from_units(17),
            grant: Some(self.grant),
        }
    }

    /// Makes `total` transfers with `batch` waiting at a time; transfers per second. Each is a
    /// command of its own, and counts when its durable answer has come.
    fn run(&mut self, total: usize, batch: usize) -> Result<f64, Failure> {
        let begun = Instant::now();
        let mut done = 0;
        // Two half batches: one is written while the other is being made.
        let mut waiting: Vec<Ticket<(), LedgerError>> = Vec::new();
        while done < total {
            let n = batch.min(total - done);
            let next: Vec<_> = (0..n).map(|_| self.submit()).collect();
            for ticket in std::mem::replace(&mut waiting, next) {
                ticket.wait()?;
            }
            done += n;
        }
        for ticket in waiting {
            ticket.wait()?;
        }
        Ok(total as f64 / begun.elapsed().as_secs_f64())
    }

    fn submit(&mut self) -> Ticket<(), LedgerError> {
        let leg = self.leg();
        let vendor = self.vendor.clone();
        self.node.engine.submit(move |tx| {
            let event_id = tx.new_id()?;
            post(tx, &vendor, event_id, "transfer", &[leg])
        })
    }
}

impl LedgerBench {
    pub fn run(self) -> Result<(), Failure> {
        if self.accounts.iter().any(|a| *a < 2) || self.batch.contains(&0) {
            let text = "take at least 2 accounts and a batch of 1".to_owned();
            return Err(Failure::Refused(text));
        }
        match self.growth {
            Some(rows) => self.growth(rows),
            None => self.ratios(),
        }
    }

    fn ratios(&self) -> Result<(), Failure> {
        let mut results = Vec::new();
        let steps = self.accounts.len() * self.batch.len() * RUNS;
        let bar = progress::bar(steps as u64, "runs");
        for accounts in &self.accounts {
            let folder = Folder::beside(&self.database)?;
            let mut subject = Subject::new(&folder, *accounts)?;
            let mut floor = Floor::new(&folder.file("floor.db"))?;
            for batch in &self.batch {
                // Small batches wait for the disk most of the time: fewer rows say as much.
                let total = self.transfers.min(batch * 400);
                let compared = compare(
                    &bar,
                    || subject.run(total, *batch),
                    || floor.run(total, *batch),
                )?;
                results.push(json!({
                    "batch": batch, "accounts": accounts,
                    "transfers_per_s": compared.ours,
                    "bare_per_s": compared.floor,
                    "ratio": compared.ratio,
                }));
            }
        }
        bar.finish_and_clear();
        if self.json {
            return say_json(&results.into());
        }
        say("   batch  accounts  transfers/s       bare/s   ratio")?;
        for r in &results {
            say(&format!(
                "{:>8} {:>9} {:>12} {:>12} {:>7}",
                r["batch"], r["accounts"], r["transfers_per_s"], r["bare_per_s"], r["ratio"]
            ))?;
        }
        Ok(())
    }

    /// Speed over a growing ledger: the first and the last tenth.
    fn growth(&self, rows: usize) -> Result<(), Failure> {
        let accounts = self.accounts.first().copied().unwrap_or(10_000);
        let batch = self.batch.last().copied().unwrap_or(8192);
        let folder = Folder::beside(&self.database)?;
        let mut subject = Subject::new(&folder, accounts)?;
        let tenth = (rows / 10).max(1);
        let bar = progress::bar(10, "tenths");
        let mut speeds = Vec::new();
        for _ in 0..10 {
            speeds.push(rounded(subject.run(tenth, batch)?));
            bar.inc(1);
        }
        bar.finish_and_clear();
        let (first, last) = (speeds[0], speeds[9]);
        let result = json!({
            "batch": batch, "accounts": accounts, "rows": tenth * 10,
            "start_per_s": first, "end_per_s": last, "ratio": rounded(last / first),
            "tenths_per_s": speeds,
        });
        say_json(&result)
    }
}
