//! The metrics of the relay and its outbox: how many events wait, and what the relay does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use tokio::time::Instant;
use wallet_core::SystemClock;
use wallet_core::runtime::Clock;
use wallet_core::store::Outbox;
use wallet_events::{Relay, RelayState};

use super::{count, gauge};

/// The shortest interval between two counts of the outbox; a count reads the whole
/// outbox.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A relay and its outbox, with the last count of waiting events.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) relay: OnceLock<Relay>,
    pub(super) outbox: OnceLock<Arc<dyn Outbox>>,
    looked: Mutex<Option<Instant>>,
    rows: AtomicU64,
    parked: AtomicU64,
    oldest_secs: AtomicU64,
}

impl Watched {
    /// Whether the last count is old; then a new count starts.
    pub(super) fn is_due(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_due = looked.is_none_or(|last| now.saturating_duration_since(last) >= LOOK_EVERY);
        if is_due {
            *looked = Some(now);
        }
        is_due
    }

    pub(super) async fn look(&self) {
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
pub(super) struct Publishing(pub(super) Arc<Watched>);

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
