//! `scrip serve`.

use super::open::Database;
use crate::config::{Cards, Given, LogFormat, Settings};
use crate::demo::DemoNotes;
use crate::failure::Failure;
use crate::http;
use crate::jobs::Jobs;
use crate::messages::Messenger;
use crate::state::App;
use crate::stripe::Stripe;
use clap::Args;
use scrip_domain::Node;
use scrip_domain::token_sale::{CardProcessor, Charge, ChargeOutcome, TestCards};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::filter::LevelFilter;

/// Each setting comes from its flag, else from its environment variable, else from the TOML file,
/// else it has its default.
#[derive(Debug, Args)]
#[command(long_about)]
pub struct Serve {
    #[command(flatten)]
    given: Given,
}

impl Serve {
    pub fn run(self) -> Result<(), Failure> {
        let settings = self.given.settings()?;
        let node = Database {
            database: settings.database.clone(),
            key_file: settings.key_file.clone(),
        }
        .node()?;
        let ready = |address| format!("ready http://{address}");
        run(node, settings, None, ready, None)
    }
}

/// No cards are taken.
struct NoCards;

impl CardProcessor for NoCards {
    fn charge(&self, _: &Charge) -> ChargeOutcome {
        ChargeOutcome::Declined {
            reason: "this node takes no cards: pay another way".into(),
        }
    }
    fn lookup(&self, charge: &Charge) -> ChargeOutcome {
        self.charge(charge)
    }
}

/// Serves until the signal to stop, or until `ended` says so. `ready` makes the text that says that
/// the node listens.
pub fn run(
    node: Node,
    settings: Settings,
    demo: Option<DemoNotes>,
    ready: impl FnOnce(SocketAddr) -> String,
    ended: Option<oneshot::Receiver<()>>,
) -> Result<(), Failure> {
    log(&settings);
    let cards: Arc<dyn CardProcessor> = match (settings.cards, &settings.stripe) {
        (Cards::Stripe, Some(stripe)) => {
            let (url, key) = (&stripe.url, &stripe.publishable_key);
            tracing::info!(url, key, script = stripe.script, "stripe charges cards");
            Arc::new(Stripe::new(node.clone(), stripe.clone()))
        }
        (Cards::None | Cards::Stripe, _) => Arc::new(NoCards),
        (Cards::Test, _) => Arc::new(TestCards::default()),
    };
    let failed = |e: std::io::Error| Failure::Refused(format!("cannot start the server: {e}"));
    let jobs = Jobs::start(node.clone(), cards.clone()).map_err(failed)?;
    let messenger = Messenger::start(node.clone(), &settings).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .map_err(failed)?;
    let listen = settings.listen;
    let app = App::new(node, cards, settings, demo);
    let outcome = runtime.block_on(async {
        let router = http::router(&app)?;
        let bound = http::bind(listen).await?;
        let mut stop = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        say(&ready(bound.address));
        http::serve(bound, app, router, async move {
            tokio::select! {
                _ = stop.recv() => {}
                _ = interrupt.recv() => {}
                () = over(ended) => {}
            }
        })
        .await;
        Ok(())
    });
    drop(messenger);
    drop(jobs);
    outcome
}

/// Waits until it is said; for ever where nobody says it.
async fn over(ended: Option<oneshot::Receiver<()>>) {
    match ended {
        Some(ended) => drop(ended.await),
        None => std::future::pending().await,
    }
}

/// Whoever started the node may wait for this line.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

fn log(settings: &Settings) {
    let log = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::from_level(settings.log))
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second start in one process (tests) keeps the first log.
    match settings.log_format {
        LogFormat::Text => drop(log.with_ansi(false).try_init()),
        LogFormat::Json => drop(log.json().flatten_event(true).try_init()),
    }
}
