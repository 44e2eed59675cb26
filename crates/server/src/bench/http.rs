//! `scrip bench http`.

use super::load::{Load, Plan, run, write};
use super::world::{Choice, Folder, customers, offers, vendor};
use super::{Place, RUNS, echo, median, rounded};
use crate::cli::{progress, say, say_json};
use crate::config::Settings;
use crate::failure::Failure;
use crate::http;
use crate::jobs::Jobs;
use crate::state::App;
use axum::Router;
use clap::Args;
use scrip_domain::api_key::{NewApiKey, Scope, api_key_create};
use scrip_domain::token_sale::TestCards;
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Node};
use scrip_engine::{DatabaseUrl, Options};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Whole purchases over HTTP: API key, idempotency key, order of two lines, ledger, lots, outbox,
/// durable before the answer.
///
/// Beside a bare axum JSON echo, and beside an echo that also appends each body durably, in the
/// same run; client and servers share the machine. p50 and p99 are measured at half of the peak,
/// from the time when each request was due.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct HttpBench {
    /// Connections
    #[arg(long, value_delimiter = ',', default_values_t = [64, 512])]
    connections: Vec<usize>,
    /// Customers
    #[arg(long, default_value_t = 10_000)]
    customers: usize,
    /// Requests in one run
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
    #[command(flatten)]
    place: Place,
}

/// PostgreSQL connections.
const WORKERS: usize = 16;
/// Offers to choose from.
const OFFERS: usize = 100;

/// A server that runs while this is held.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Running {
    /// Serves routes the way that a node does.
    pub fn start(app: &App, router: Router) -> Result<Running, Failure> {
        let failed = |e: std::io::Error| Failure::Refused(format!("cannot start a server: {e}"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let bound = runtime.block_on(http::bind(SocketAddr::from(([127, 0, 0, 1], 0))))?;
        let (address, app) = (bound.address, app.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        runtime.spawn(http::serve(bound, app, router, async move {
            drop(stopped.await);
        }));
        Ok(Running {
            address,
            stop: Some(stop),
            runtime: Some(runtime),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A node with its API, ready for load.
pub struct Served {
    /// The routes' state.
    pub app: App,
    /// The vendor.
    pub vendor: Vendor,
    /// A key with all scopes.
    pub key: String,
    _jobs: Jobs,
}

/// Puts a node on a database and makes a vendor with a key.
pub fn served(database: &DatabaseUrl, engine: scrip_engine::Engine) -> Result<Served, Failure> {
    let (node, vendor) = vendor(engine)?;
    let of = vendor.clone();
    let key = node.engine.write(move |tx| {
        let new = NewApiKey {
            name: "bench".into(),
            scopes: Scope::ALL.to_vec(),
            expires_at: None,
        };
        api_key_create(tx, Actor::System, &of, &new).map(|(_, key)| key)
    })?;
    let cards = Arc::new(TestCards::default());
    let jobs = Jobs::start(node.clone(), cards.clone())
        .map_err(|e| Failure::Refused(format!("cannot start a thread: {e}")))?;
    let settings = Settings::new(database.clone(), SocketAddr::from(([127, 0, 0, 1], 0)));
    Ok(Served {
        app: App::new(node, cards, settings, None),
        vendor,
        key,
        _jobs: jobs,
    })
}

impl HttpBench {
    pub fn run(self) -> Result<(), Failure> {
        if self.connections.contains(&0) || self.customers == 0 || self.requests == 0 {
            let text = "take at least 1 customer, 1 connection and 1 request".to_owned();
            return Err(Failure::Usage(text));
        }
        let sqlite = DatabaseUrl::Sqlite("bench.db".into());
        let (engine_name, place) = match &self.place.database {
            DatabaseUrl::Sqlite(_) => ("sqlite", &self.place.database),
            DatabaseUrl::Postgres(_) => ("postgres", &sqlite),
        };
        let folder = Folder::beside(place)?;
        let engine = match &self.place.database {
            DatabaseUrl::Sqlite(_) => folder.engine("http.db")?,
            DatabaseUrl::Postgres(_) => {
                let options = Options {
                    workers: WORKERS,
                    ..Options::default()
                };
                scrip_ledger::open(&self.place.database, options)?
            }
        };
        let served = served(&self.place.database, engine)?;
        let requests = Requests::new(&served, self.customers)?;
        let ours = Running::start(&served.app, http::router(&served.app)?)?;
        let bare = Running::start(&served.app, echo::bare())?;
        let durable = Running::start(&served.app, echo::durable(&folder.file("echo.log"))?)?;
        let places = Places {
            ours: ours.address,
            bare: bare.address,
            durable: durable.address,
        };
        let bar = progress::bar((self.connections.len() * RUNS) as u64, "runs");
        let mut results = Vec::new();
        for connections in &self.connections {
            let measured = self.measure(*connections, &places, &requests, &bar)?;
            results.push(measured.json(engine_name, *connections));
        }
        bar.finish_and_clear();
        if self.place.json {
            return say_json(&json!(results));
        }
        for result in &results {
            say(&format!(
                "{engine_name}, {} connections: {} purchases/s, bare echo {}/s (ratio {}), \
                 durable echo {}/s (ratio {}); at half of the peak p50 {} ms, p99 {} ms",
                result["connections"],
                result["purchases_per_s"],
                result["echo_per_s"],
                result["ratio"],
                result["durable_echo_per_s"],
                result["durable_ratio"],
                result["p50_ms"],
                result["p99_ms"],
            ))?;
        }
        Ok(())
    }

    fn measure(
        &self,
        connections: usize,
        places: &Places,
        requests: &Requests,
        bar: &indicatif::ProgressBar,
    ) -> Result<Measured, Failure> {
        let plan = |address, rate| Plan {
            address,
            connections,
            requests: self.requests,
            rate,
        };
        let mut measured = Measured::default();
        for _ in 0..RUNS {
            let ours = run(plan(places.ours, None), requests.purchases())?;
            let bare = run(plan(places.bare, None), requests.echoes())?;
            let durable = run(plan(places.durable, None), requests.echoes())?;
            measured.ours.push(ours.rate);
            measured.bare.push(bare.rate);
            measured.durable.push(durable.rate);
            measured.ratios.push(ours.rate / bare.rate);
            measured.durable_ratios.push(ours.rate / durable.rate);
            bar.inc(1);
        }
        let half = median(measured.ours.clone()) / 2.0;
        measured.half = run(plan(places.ours, Some(half)), requests.purchases())?;
        Ok(measured)
    }
}

struct Places {
    ours: SocketAddr,
    bare: SocketAddr,
    durable: SocketAddr,
}

#[derive(Default)]
struct Measured {
    ours: Vec<f64>,
    bare: Vec<f64>,
    durable: Vec<f64>,
    ratios: Vec<f64>,
    durable_ratios: Vec<f64>,
    half: Load,
}

impl Measured {
    fn json(self, engine: &str, connections: usize) -> serde_json::Value {
        json!({
            "engine": engine,
            "connections": connections,
            "purchases_per_s": rounded(median(self.ours)),
            "echo_per_s": rounded(median(self.bare)),
            "ratio": rounded(median(self.ratios)),
            "durable_echo_per_s": rounded(median(self.durable)),
            "durable_ratio": rounded(median(self.durable_ratios)),
            "p50_ms": rounded(self.half.percentile(50)),
            "p99_ms": rounded(self.half.percentile(99)),
        })
    }
}

/// What is sent: the same bodies to all servers.
struct Requests {
    key: String,
    customers: Arc<Vec<String>>,
    offers: Arc<Vec<String>>,
}

impl Requests {
    fn new(served: &Served, count: usize) -> Result<Requests, Failure> {
        let node: &Node = &served.app.node;
        let customers = customers(node, &served.vendor, count)?;
        let offers = offers(node, &served.vendor, OFFERS)?;
        Ok(Requests {
            key: served.key.clone(),
            customers: Arc::new(
                customers
                    .iter()
                    .map(|c| c.customer_id.to_string())
                    .collect(),
            ),
            offers: Arc::new(offers.iter().map(ToString::to_string).collect()),
        })
    }

    fn purchases(&self) -> impl FnMut(&mut Vec<u8>) + Send + use<> {
        self.bodies("/v1/orders")
    }

    fn echoes(&self) -> impl FnMut(&mut Vec<u8>) + Send + use<> {
        self.bodies("/echo")
    }

    fn bodies(&self, path: &'static str) -> impl FnMut(&mut Vec<u8>) + Send + use<> {
        let (customers, offers) = (self.customers.clone(), self.offers.clone());
        let key = self.key.clone();
        let mut choice = Choice::new(uuid::Uuid::now_v7().as_u64_pair().1);
        move |out| {
            let customer = &customers[choice.below(customers.len())];
            let first = choice.below(offers.len());
            let second = &offers[(first + 1) % offers.len()];
            let first = &offers[first];
            let body = format!(
                "{{\"customer_id\":\"{customer}\",\"lines\":[{{\"offer_id\":\"{first}\",\
                 \"quantity\":1}},{{\"offer_id\":\"{second}\",\"quantity\":2}}]}}"
            );
            let once = uuid::Uuid::now_v7();
            let headers = format!(
                "authorization: Bearer {key}\r\nidempotency-key: {once}\r\n\
                 content-type: application/json\r\n"
            );
            write(out, "POST", path, &headers, &body);
        }
    }
}
