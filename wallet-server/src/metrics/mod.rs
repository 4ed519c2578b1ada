//! The Prometheus metrics behind `/metrics`.
//!
//! [`Metrics`] counts answers and connections itself. `service` reads the counters of the
//! wallet at each scrape, `relay` those of the events. The route is in `routes`.

mod relay;
mod service;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use wallet_core::Wallet;
use wallet_core::store::Outbox;
use wallet_events::Relay;

use crate::connection::Counts;
use crate::lanes::Lanes;
use crate::readiness::Readiness;
use relay::{Publishing, Watched};
use service::{Ready, Service};

/// How long the metrics wait for a count of the outbox.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// The counters of the server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    connections: Counts,
    failures: Family<FailureLabels, Counter>,
    relay: Arc<Watched>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

/// From half a millisecond to 16 seconds, each bucket twice the one before.
fn buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
}

impl Metrics {
    pub(crate) fn new(wallet: &Wallet, readiness: &Readiness, lanes: &Lanes) -> Self {
        let mut registry = Registry::with_prefix("wallet");
        let requests = Family::default();
        let durations: Family<RouteLabels, Histogram> = Family::new_with_constructor(buckets);
        let connections = Counts::default();
        let failures = Family::default();
        let http = registry.sub_registry_with_prefix("http");
        let help = "Requests answered, by method, route and status";
        http.register("requests", help, requests.clone());
        let help = "How long requests took";
        http.register_with_unit("request_duration", help, Unit::Seconds, durations.clone());
        http.register("connections", "Open connections", connections.open.clone());
        let help = "Connections refused, since their peer had as many as it may";
        http.register("connections_refused", help, connections.refused.clone());
        let help = "Connections that ended before their time: what came was no HTTP \
                    (malformed), nothing came or went (timeout), the peer left (aborted)";
        http.register("connections_failed", help, failures.clone());
        for (name, lane) in [("lists", &lanes.lists), ("reads", &lanes.single)] {
            let help = "Requests that read, or wait to";
            registry.register(format!("{name}_open"), help, lane.open.clone());
            let help = "Requests that wait for their turn to read";
            registry.register(format!("{name}_waiting"), help, lane.waiting.clone());
            let help = "Requests refused, since too many were reading";
            registry.register(format!("{name}_refused"), help, lane.refused.clone());
        }
        let (probes, failures_of_probes) = readiness.counts();
        let help = "Writes of the store's own that proved whether it can commit";
        registry.register("probes", help, probes);
        registry.register("probes_failed", "Those that failed", failures_of_probes);
        registry.register_collector(Box::new(Ready(readiness.clone())));
        registry.register_collector(Box::new(Service(wallet.clone())));
        let relay = Arc::default();
        registry.register_collector(Box::new(Publishing(Arc::clone(&relay))));
        Self {
            registry,
            requests,
            durations,
            connections,
            failures,
            relay,
        }
    }

    /// Adds the metrics of a relay; only the first relay counts.
    pub(crate) fn watch(&self, relay: Relay) {
        let _ = self.relay.relay.set(relay);
    }

    /// Adds the number of events waiting in an outbox, published or not.
    pub(crate) fn watch_outbox(&self, outbox: Arc<dyn Outbox>) {
        let _ = self.relay.outbox.set(outbox);
    }

    /// All counters for Prometheus, in the `OpenMetrics` text format.
    pub(crate) async fn text(&self) -> Result<String, std::fmt::Error> {
        self.look().await;
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Counts the waiting events from time to time. If the outbox cannot be read, or is
    /// slow, the number stays as it was.
    async fn look(&self) {
        if self.relay.is_due() {
            let _ = tokio::time::timeout(LOOK_MAX, self.relay.look()).await;
        }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = RouteLabels {
            method: method.to_owned(),
            route: route.to_owned(),
        };
        let seconds = took.as_secs_f64();
        self.durations.get_or_create(&labels).observe(seconds);
        let RouteLabels { method, route } = labels;
        let labels = RequestLabels {
            method,
            route,
            status,
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a connection that ended early.
    pub(crate) fn connection_failed(&self, reason: &'static str) {
        self.failures.get_or_create(&FailureLabels { reason }).inc();
    }

    pub(crate) const fn connections(&self) -> &Counts {
        &self.connections
    }
}

fn count(
    encoder: &mut DescriptorEncoder<'_>,
    counters: &[(&str, &str, u64)],
) -> Result<(), std::fmt::Error> {
    for (name, help, count) in counters {
        let counter = ConstCounter::new(*count);
        let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
        counter.encode(metric)?;
    }
    Ok(())
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    gauge.encode(metric)
}
