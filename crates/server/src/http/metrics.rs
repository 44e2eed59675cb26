//! Figures for the operator, in the text form of OpenMetrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// A kind of request. Routes are templates: no figure names a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// The method.
    pub method: String,
    /// The route with its parameters' names.
    pub route: String,
    /// The status.
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// All figures.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Kind, Counter>,
    seconds: Family<Route, Histogram>,
    orders: Family<Outcome, Counter>,
    guesses_refused: Counter,
    /// Connections that are open.
    pub connections: Gauge,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("scrip");
        let requests = Family::<Kind, Counter>::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let seconds = Family::<Route, Histogram>::new_with_constructor(|| {
            Histogram::new([
                0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
            ])
        });
        registry.register_with_unit(
            "http_request_duration",
            "Time until the answer began",
            Unit::Seconds,
            seconds.clone(),
        );
        let orders = Family::<Outcome, Counter>::default();
        registry.register("orders", "Orders placed, by outcome", orders.clone());
        let guesses_refused = Counter::default();
        registry.register(
            "guesses_refused",
            "Tries to prove an identity that were refused because too many wrong ones came before",
            guesses_refused.clone(),
        );
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        Metrics {
            registry,
            requests,
            seconds,
            orders,
            guesses_refused,
            connections,
        }
    }

    /// Notes an answered request.
    pub fn request(&self, kind: &Kind, took: Duration) {
        self.requests.get_or_create(kind).inc();
        let route = Route {
            route: kind.route.clone(),
        };
        self.seconds
            .get_or_create(&route)
            .observe(took.as_secs_f64());
    }

    /// Notes an order.
    pub fn order(&self, completed: bool) {
        let outcome = if completed { "completed" } else { "refused" };
        self.orders.get_or_create(&Outcome { outcome }).inc();
    }

    /// Notes a try that was refused before anything was compared.
    pub fn guess_refused(&self) {
        self.guesses_refused.inc();
    }

    /// The page for the collector.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
