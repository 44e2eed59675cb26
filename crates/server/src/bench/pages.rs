//! `scrip bench pages`.

use super::http::{Running, Served, served};
use super::load::{Plan, run, write};
use super::world::{Folder, customers, offers};
use super::{RUNS, echo, median, rounded};
use crate::cli::{progress, say, say_json};
use crate::failure::Failure;
use crate::http;
use clap::Args;
use scrip_domain::Actor;
use scrip_domain::order::order_list_set;
use scrip_domain::session::{Subject, session_open};
use scrip_engine::DatabaseUrl;
use serde_json::json;
use std::net::SocketAddr;

/// The server's time for pages of a large shop, beside a bare echo, in the same run: one customer,
/// one request after another. On SQLite.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct PagesBench {
    /// Products
    #[arg(long, default_value_t = 10_000)]
    products: usize,
    /// Customers
    #[arg(long, default_value_t = 100_000)]
    customers: usize,
    /// Requests of each page in one run
    #[arg(long, default_value_t = 300)]
    requests: usize,
    /// Where to measure: beside this SQLite database
    #[arg(long, env = "SCRIP_DATABASE", default_value = "sqlite:bench.db")]
    database: DatabaseUrl,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lines on the order list.
const LINES: usize = 5;

impl PagesBench {
    pub fn run(self) -> Result<(), Failure> {
        if self.products < LINES || self.customers == 0 || self.requests == 0 {
            let text = format!("take at least {LINES} products, 1 customer and 1 request");
            return Err(Failure::Usage(text));
        }
        let folder = Folder::beside(&self.database)?;
        let served = served(&self.database, folder.engine("pages.db")?)?;
        let cookie = self.fill(&served)?;
        let ours = Running::start(&served.app, http::router(&served.app)?)?;
        let bare = Running::start(&served.app, echo::bare())?;
        let slug = &served.vendor.slug;
        let pages = ["shop", "list", "account"];
        let bar = progress::bar((pages.len() * RUNS) as u64, "runs");
        let mut results = Vec::new();
        for page in pages {
            let path = format!("/shops/{slug}/{page}");
            let (mut own, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..RUNS {
                let ours = self.time(ours.address, &path, &cookie)?;
                let bare = self.time(bare.address, "/echo", "")?;
                own.push(ours);
                floor.push(bare);
                ratios.push(ours / bare);
                bar.inc(1);
            }
            results.push(json!({
                "page": page,
                "products": self.products,
                "customers": self.customers,
                "page_ms": rounded(median(own)),
                "echo_ms": rounded(median(floor)),
                "ratio": rounded(median(ratios)),
            }));
        }
        bar.finish_and_clear();
        if self.json {
            return say_json(&json!(results));
        }
        for result in &results {
            say(&format!(
                "{}: {} ms, echo {} ms (ratio {})",
                result["page"].as_str().unwrap_or_default(),
                result["page_ms"],
                result["echo_ms"],
                result["ratio"],
            ))?;
        }
        Ok(())
    }

    /// Makes products and customers; one of them is signed in with an order list.
    fn fill(&self, served: &Served) -> Result<String, Failure> {
        let (node, vendor) = (&served.app.node, &served.vendor);
        let offers = offers(node, vendor, self.products)?;
        let customers = customers(node, vendor, self.customers)?;
        let (book, slug) = (vendor.book_id, vendor.slug.clone());
        let middle = customers
            .get(customers.len() / 2)
            .map(|c| c.customer_id)
            .ok_or_else(|| Failure::Refused("there is no customer".into()))?;
        let wanted: Vec<_> = offers.into_iter().take(LINES).collect();
        let token = node.engine.write(move |tx| {
            for offer in &wanted {
                order_list_set(tx, Actor::Customer(middle), book, middle, *offer, 1)?;
            }
            Ok::<_, Failure>(session_open(tx, book, Subject::Customer(middle))?)
        })?;
        let name = crate::web::session::customer_cookie(&slug);
        Ok(format!("cookie: {name}={token}\r\n"))
    }

    /// The median time of a page in milliseconds.
    fn time(&self, address: SocketAddr, path: &str, headers: &str) -> Result<f64, Failure> {
        let plan = Plan {
            address,
            connections: 1,
            requests: self.requests,
            rate: None,
        };
        let (path, headers) = (path.to_owned(), headers.to_owned());
        let load = run(plan, move |out| write(out, "GET", &path, &headers, ""))?;
        Ok(load.percentile(50))
    }
}
