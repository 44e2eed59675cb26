//! `scrip bench purchase`.

use super::purchase_postgres::Function;
use super::world::{Choice, Folder, customers, offers, two_lines, vendor};
use super::{Place, RUNS, compare, floor::Floor, in_flight};
use crate::cli::{progress, say, say_json};
use crate::failure::Failure;
use clap::Args;
use scrip_domain::customer::Customer;
use scrip_domain::id::OfferId;
use scrip_domain::order::{Extras, OrderError, OrderOutcome, OrderRequest, order_place};
use scrip_domain::{Actor, Answer, Keyed, Node};
use scrip_engine::{DatabaseUrl, Options, Ticket};
use serde_json::json;

/// Whole purchases: idempotency key, two lines, ledger, lots, outbox, durable before the answer.
///
/// On SQLite beside a bare loop that appends an entry and a transfer, as many in a commit as wait.
/// On PostgreSQL, with 16 connections, beside one hand-written PL/pgSQL function per purchase that
/// writes rows like ours; that makes a schema scrip_floor in the database and drops it.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct PurchaseBench {
    /// Purchases waiting at a time
    #[arg(long, value_delimiter = ',', default_values_t = [64, 512])]
    waiting: Vec<usize>,
    /// Customers
    #[arg(long, default_value_t = 10_000)]
    customers: usize,
    /// Purchases in one run
    #[arg(long, default_value_t = 40_000)]
    purchases: usize,
    #[command(flatten)]
    place: Place,
}

/// PostgreSQL connections, ours and the function's.
const CONNECTIONS: usize = 16;
/// Offers to choose from.
const OFFERS: usize = 100;

struct Subject {
    node: Node,
    book_id: i64,
    customers: Vec<Customer>,
    offers: Vec<OfferId>,
    choice: Choice,
    /// Numbers the idempotency keys.
    next: u64,
}

impl Subject {
    fn new(node: Node, book_id: i64, customers: Vec<Customer>, offers: Vec<OfferId>) -> Self {
        Subject {
            node,
            book_id,
            customers,
            offers,
            choice: Choice::new(7),
            next: 0,
        }
    }

    fn submit(&mut self) -> Ticket<Answer<OrderOutcome>, OrderError> {
        let customer = &self.customers[self.choice.below(self.customers.len())];
        let request = OrderRequest {
            customer_id: customer.customer_id,
            lines: two_lines(&mut self.choice, &self.offers),
            reference: String::new(),
            effective_at: None,
            extras: Extras::default(),
        };
        self.next += 1;
        let actor = Actor::Customer(customer.customer_id);
        let keyed = Keyed {
            book_id: self.book_id,
            actor,
            key: Some(format!("bench-{}", self.next)),
            request: serde_json::to_vec(&request).unwrap_or_default(),
            subject: Some(customer.customer_id),
        };
        let book_id = self.book_id;
        self.node
            .submit(keyed, move |tx| order_place(tx, actor, book_id, &request))
    }

    /// Makes `total` purchases with `waiting` unanswered at a time; purchases per second.
    fn run(&mut self, total: usize, waiting: usize) -> Result<f64, Failure> {
        in_flight(total, waiting, || self.submit(), completed)
    }
}

/// A purchase that was refused would be measured for nothing.
fn completed(answer: Answer<OrderOutcome>) -> Result<(), Failure> {
    match answer.value {
        OrderOutcome::Completed(_) => Ok(()),
        OrderOutcome::Refused { refusal, .. } => Err(Failure::Refused(refusal.to_string())),
    }
}

/// What the purchases are measured beside.
enum Beside {
    Append(Floor),
    Function(Function),
}

impl Beside {
    fn run(&mut self, total: usize, waiting: usize) -> Result<f64, Failure> {
        match self {
            Beside::Append(floor) => floor.run(total, waiting),
            Beside::Function(function) => function.run(total),
        }
    }
}

impl PurchaseBench {
    pub fn run(self) -> Result<(), Failure> {
        if self.waiting.contains(&0) || self.customers == 0 {
            let text = "take at least 1 customer and 1 waiting purchase".to_owned();
            return Err(Failure::Refused(text));
        }
        match &self.place.database {
            DatabaseUrl::Sqlite(_) => {
                let folder = Folder::beside(&self.place.database)?;
                let floor = Floor::new(&folder.file("floor.db"))?;
                let subject = self.subject(folder.engine("purchase.db")?)?;
                self.measure("sqlite", subject, Beside::Append(floor))
            }
            DatabaseUrl::Postgres(url) => {
                let function = Function::new(url, CONNECTIONS, self.customers)?;
                let options = Options {
                    workers: CONNECTIONS,
                    ..Options::default()
                };
                let subject = self.subject(scrip_ledger::open(&self.place.database, options)?)?;
                self.measure("postgres", subject, Beside::Function(function))
            }
        }
    }

    fn subject(&self, engine: scrip_engine::Engine) -> Result<Subject, Failure> {
        let (node, vendor) = vendor(engine)?;
        let customers = customers(&node, &vendor, self.customers)?;
        let offers = offers(&node, &vendor, OFFERS)?;
        Ok(Subject::new(node, vendor.book_id, customers, offers))
    }

    fn measure(
        &self,
        engine: &str,
        mut subject: Subject,
        mut beside: Beside,
    ) -> Result<(), Failure> {
        let mut results = Vec::new();
        let bar = progress::bar((self.waiting.len() * RUNS) as u64, "runs");
        for waiting in &self.waiting {
            let compared = compare(
                &bar,
                || subject.run(self.purchases, *waiting),
                || beside.run(self.purchases, *waiting),
            )?;
            results.push(json!({
                "engine": engine, "waiting": waiting,
                "purchases_per_s": compared.ours,
                "baseline_per_s": compared.floor,
                "ratio": compared.ratio,
            }));
        }
        bar.finish_and_clear();
        if self.place.json {
            return say_json(&results.into());
        }
        say("  engine  waiting  purchases/s   baseline/s   ratio")?;
        for r in &results {
            let name = r["engine"].as_str().unwrap_or_default();
            say(&format!(
                "{name:>8} {:>8} {:>12} {:>12} {:>7}",
                r["waiting"], r["purchases_per_s"], r["baseline_per_s"], r["ratio"]
            ))?;
        }
        Ok(())
    }
}
