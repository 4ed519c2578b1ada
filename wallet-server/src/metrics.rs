//! The Prometheus metrics behind `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;
use wallet_core::runtime::Clock;
use wallet_core::service::StatsSnapshot;
use wallet_core::store::Outbox;
use wallet_core::{SystemClock, Wallet};
use wallet_events::{Relay, RelayState};

use crate::App;
use crate::connection::Counts;
use crate::lanes::Lanes;
use crate::problem::{Problem, errors};
use crate::readiness::Readiness;

/// The shortest interval between two counts of the outbox; a count reads the whole
/// outbox.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long the metrics wait for that count.
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

/// The service's own counters, read at each scrape.
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
                "Batches split to find the request that fails",
                stats.splits,
            ),
            (
                "damaged",
                "Requests that failed and holds left out for a stored row that cannot be read",
                stats.damaged,
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
            (
                "history_answers",
                "Statements and past balances that history proved",
                stats.history_answers,
            ),
            (
                "history_misses",
                "Those that the ledger answered, since history did not prove them",
                stats.history_misses,
            ),
            (
                "history_failures",
                "Those that the ledger answered, since history failed",
                stats.history_failures,
            ),
        ];
        count(&mut encoder, &counters)?;
        let help = "Requests that wait for a commit";
        gauge(&mut encoder, "waiting", help, stats.waiting)?;
        let help = "How far accounts' times may run ahead of the store's clock at present";
        let seconds = self.0.max_ahead().as_secs();
        gauge(&mut encoder, "max_ahead_seconds", help, seconds)
    }
}

/// Whether the wallet can commit, by the last known result.
#[derive(Debug)]
struct Ready(Readiness);

impl Collector for Ready {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let Some(was_ready) = self.0.was_ready() else {
            return Ok(());
        };
        let help = "Whether the latest commit or probe was done";
        gauge(&mut encoder, "can_commit", help, u64::from(was_ready))
    }
}

/// A relay and its outbox, with the last count of waiting events.
#[derive(Debug, Default)]
struct Watched {
    relay: OnceLock<Relay>,
    outbox: OnceLock<Arc<dyn Outbox>>,
    looked: Mutex<Option<Instant>>,
    rows: AtomicU64,
    parked: AtomicU64,
    oldest_secs: AtomicU64,
}

impl Watched {
    /// Whether the last count is old; then a new count starts.
    fn is_due(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_due = looked.is_none_or(|last| now.saturating_duration_since(last) >= LOOK_EVERY);
        if is_due {
            *looked = Some(now);
        }
        is_due
    }

    async fn look(&self) {
        let depth = match (self.relay.get(), self.outbox.get()) {
            (Some(relay), _) => relay.depth().await.ok(),
            (None, Some(outbox)) => outbox.depth().await.ok(),
            (None, None) => None,
        };
        let Some(depth) = depth else {
            return;
        };
        let age = |at| SystemClock.now().since(at).as_secs();
        self.rows.store(depth.rows, Ordering::Relaxed);
        self.parked.store(depth.parked, Ordering::Relaxed);
        let age = depth.oldest.map_or(0, age);
        self.oldest_secs.store(age, Ordering::Relaxed);
    }

    fn encode_depth(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let waiting = [
            ("rows_waiting", "Outbox rows not published", &self.rows),
            ("parked_now", "Events parked now", &self.parked),
            (
                "oldest_seconds",
                "The age of the oldest row not published",
                &self.oldest_secs,
            ),
        ];
        for (name, help, value) in waiting {
            let name = format!("events_{name}");
            gauge(encoder, &name, help, value.load(Ordering::Relaxed))?;
        }
        let help = "Whether this server publishes events, or stands by to";
        let has_relay = u64::from(self.relay.get().is_some());
        gauge(encoder, "events_publisher", help, has_relay)
    }
}

/// The state of the relay, if there is one.
#[derive(Debug)]
struct Publishing(Arc<Watched>);

impl Collector for Publishing {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        if self.0.relay.get().is_some() || self.0.outbox.get().is_some() {
            self.0.encode_depth(&mut encoder)?;
        }
        let Some(relay) = self.0.relay.get() else {
            return Ok(());
        };
        let stats = relay.stats();
        let counters = [
            ("events_published", "Events published", stats.published),
            (
                "events_failed",
                "Events that failed and are tried again",
                stats.failed,
            ),
            (
                "events_parked",
                "Events that the queue refused",
                stats.parked,
            ),
            (
                "events_store_failures",
                "Calls to the outbox that failed",
                stats.store_failures,
            ),
            (
                "events_takeovers",
                "How often the outbox was taken over",
                stats.takeovers,
            ),
        ];
        count(&mut encoder, &counters)?;
        let doing: u64 = match stats.state {
            RelayState::Standby => 0,
            RelayState::Active => 1,
            RelayState::Halted { .. } => 2,
        };
        let help = "What the relay does: 0 it stands by, 1 publishes, 2 cannot read a row";
        gauge(&mut encoder, "events_state", help, doing)?;
        let help = "Events on their way";
        gauge(&mut encoder, "events_in_flight", help, stats.in_flight)?;
        let help = "From the commit to the publication of the latest event, in microseconds";
        gauge(&mut encoder, "events_lag_micros", help, stats.lag_micros)
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

errors!(ShowErrors: &[]);

/// Encodes the counters for Prometheus, in the `OpenMetrics` text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "get_metrics",
    responses((status = 200, body = String,
        content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"), ShowErrors)
)]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    app.metrics().look().await;
    let mut text = String::new();
    encode(&mut text, &app.metrics().registry).map_err(|_| Problem::internal())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
