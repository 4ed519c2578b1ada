//! What `/metrics` tells Prometheus.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use wallet_core::{StatsSnapshot, Wallet};

use crate::App;
use crate::problem::Problem;

/// Counts what the server does.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    connections: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

/// From half a millisecond to 16 seconds, each twice the one before.
fn buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
}

impl Metrics {
    pub(crate) fn new(wallet: &Wallet) -> Self {
        let mut registry = Registry::with_prefix("wallet");
        let requests = Family::default();
        let durations: Family<RouteLabels, Histogram> = Family::new_with_constructor(buckets);
        let connections = Gauge::<i64, _>::default();
        let http = registry.sub_registry_with_prefix("http");
        let help = "Requests answered, by method, route and status";
        http.register("requests", help, requests.clone());
        let help = "How long requests took";
        http.register_with_unit("request_duration", help, Unit::Seconds, durations.clone());
        http.register("connections", "Open connections", connections.clone());
        registry.register_collector(Box::new(Service(wallet.clone())));
        Self {
            registry,
            requests,
            durations,
            connections,
        }
    }

    /// Notes an answer.
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

    pub(crate) const fn connections(&self) -> &Gauge {
        &self.connections
    }
}

/// The service's own counts, read when they are asked for.
#[derive(Debug)]
struct Service(Wallet);

impl Collector for Service {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let stats: StatsSnapshot = self.0.stats();
        let counters = [
            (
                "submitted",
                "Requests accepted into the queue",
                stats.submitted,
            ),
            (
                "overloaded",
                "Requests refused for a full queue",
                stats.overloaded,
            ),
            (
                "batches",
                "Batches handed to the store, further tries included",
                stats.batches,
            ),
            (
                "retries",
                "Further tries after a failure that may pass",
                stats.retries,
            ),
            (
                "settled",
                "Unknown commits that a further try settled",
                stats.settled,
            ),
            (
                "splits",
                "Batches split for data that the store refused",
                stats.splits,
            ),
            (
                "blocked",
                "Requests put back for an account that is locked",
                stats.blocked,
            ),
            (
                "clock_behind",
                "Requests refused for a clock that is behind",
                stats.clock_behind,
            ),
            ("panics", "Stores that panicked", stats.panics),
            (
                "expired",
                "Holds ended because their time was over",
                stats.expired,
            ),
        ];
        for (name, help, count) in counters {
            let counter = ConstCounter::new(count);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let gauge = ConstGauge::new(stats.waiting);
        let help = "Requests that wait for a commit";
        let metric = encoder.encode_descriptor("waiting", help, None, gauge.metric_type())?;
        gauge.encode(metric)
    }
}

/// Counts for Prometheus, in the `OpenMetrics` text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "get_metrics",
    responses((status = 200, body = String,
        content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"))
)]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let mut text = String::new();
    encode(&mut text, &app.metrics().registry).map_err(|_| Problem::internal())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
