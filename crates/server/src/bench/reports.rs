//! `scrip bench reports`.

use super::world::{Choice, Folder, customers, offers, vendor};
use super::{RUNS, median, rounded};
use crate::cli::{progress, say, say_json};
use crate::error::Problem;
use crate::failure::Failure;
use crate::jobs::{roll_up, seal};
use crate::report::{Asked, Kind, report};
use clap::Args;
use scrip_domain::customer::Customer;
use scrip_domain::id::OfferId;
use scrip_domain::order::{OrderError, OrderRequest, Wanted, order_place};
use scrip_domain::report::rollup::figures;
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Node};
use scrip_engine::{DatabaseUrl, Read};
use serde_json::json;
use std::time::Instant;

/// The reports of a large shop for a year by month, with its journal added up, and once without.
/// On SQLite.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct ReportsBench {
    /// Products
    #[arg(long, default_value_t = 10_000)]
    products: usize,
    /// Customers
    #[arg(long, default_value_t = 100_000)]
    customers: usize,
    /// Orders, spread over the year
    #[arg(long, default_value_t = 900_000)]
    orders: usize,
    /// Where to measure: beside this SQLite database
    #[arg(long, env = "SCRIP_DATABASE", default_value = "sqlite:bench.db")]
    database: DatabaseUrl,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Orders in one transaction.
const AT_ONCE: usize = 500;
/// Entries in one seal.
const SEALED_AT_ONCE: i64 = 1_000;
const YEAR_US: i64 = 364 * 86_400_000_000;

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

impl ReportsBench {
    pub fn run(self) -> Result<(), Failure> {
        if self.products == 0 || self.customers == 0 || self.orders == 0 {
            let text = "take at least 1 product, 1 customer and 1 order";
            return Err(Failure::Usage(text.into()));
        }
        let folder = Folder::beside(&self.database)?;
        let (node, vendor) = vendor(folder.engine("reports.db")?)?;
        let offers = offers(&node, &vendor, self.products)?;
        let customers = customers(&node, &vendor, self.customers)?;
        self.trade(&node, &vendor, &customers, &offers)?;
        seal(&node.engine, vendor.book_id, SEALED_AT_ONCE)?;
        let whole = Instant::now();
        node.engine
            .read(|tx| figures(tx, &vendor).map(drop))
            .map_err(Failure::from)?;
        let without_ms = millis(whole);
        let whole = Instant::now();
        let passes = roll_up(&node.engine, &vendor)?;
        let added_up_ms = millis(whole);
        let mut results = vec![json!({
            "report": "from nothing", "ms": rounded(without_ms),
            "passes": passes, "added_up_ms": rounded(added_up_ms),
        })];
        for kind in Kind::ALL {
            results.push(json!({
                "report": kind.name(), "ms": rounded(time(&node, &vendor, kind)?),
            }));
        }
        if self.json {
            return say_json(&json!(results));
        }
        for result in &results {
            let name = result["report"].as_str().unwrap_or_default();
            say(&format!("{name}: {} ms", result["ms"]))?;
        }
        say(&format!(
            "added up in {passes} passes, {} ms",
            rounded(added_up_ms)
        ))
    }

    /// Orders of one line by customers in turn, from a year ago until now.
    fn trade(
        &self,
        node: &Node,
        vendor: &Vendor,
        customers: &[Customer],
        offers: &[OfferId],
    ) -> Result<(), Failure> {
        let mut choice = Choice::new(11);
        let bar = progress::bar(self.orders as u64, "orders");
        let apart = YEAR_US / i64::try_from(self.orders).unwrap_or(i64::MAX);
        let mut placed = 0;
        while placed < self.orders {
            let some = (self.orders - placed).min(AT_ONCE);
            let chosen: Vec<_> = (placed..placed + some)
                .map(|nth| {
                    let customer = customers[choice.below(customers.len())].customer_id;
                    // Some articles sell better than others.
                    let best = choice.below(offers.len()) + 1;
                    (nth, customer, offers[choice.below(best)])
                })
                .collect();
            let book = vendor.book_id;
            node.engine.write(move |tx| {
                let first = tx.now().0 - YEAR_US;
                for (nth, customer_id, offer_id) in &chosen {
                    let wanted = Wanted {
                        offer_id: *offer_id,
                        quantity: 1,
                        quoted: None,
                        entered: None,
                    };
                    let at = first + apart * i64::try_from(*nth).unwrap_or(0);
                    let request = OrderRequest {
                        customer_id: *customer_id,
                        lines: vec![wanted],
                        reference: String::new(),
                        effective_at: Some(at),
                    };
                    order_place(tx, Actor::System, book, &request)?;
                }
                Ok::<_, OrderError>(())
            })?;
            placed += some;
            bar.inc(some as u64);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// The median time of a report in milliseconds.
fn time(node: &Node, vendor: &Vendor, kind: Kind) -> Result<f64, Failure> {
    let today = node.engine.now();
    let day = |at: scrip_engine::Timestamp| at.to_string().chars().take(10).collect::<String>();
    let asked = Asked {
        from: Some(day(today.plus_seconds(-364 * 86_400))),
        to: Some(day(today)),
        by: Some("month".to_owned()),
    };
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let begin = Instant::now();
        let done = node.engine.read(|tx| {
            let made = report(tx, vendor, kind, &asked);
            Ok::<_, Failure>(made.map(drop).map_err(|problem: Problem| problem.detail))
        })?;
        done.map_err(Failure::Refused)?;
        times.push(millis(begin));
    }
    Ok(median(times))
}
