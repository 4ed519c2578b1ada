use std::sync::{Mutex, PoisonError};

use wallet_core::runtime::Counter;
use wallet_core::store::RowId;

/// The state of a relay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RelayState {
    /// Standby: another relay owns the outbox, or the store cannot be reached.
    #[default]
    Standby,
    /// Active: it owns the outbox and publishes.
    Active,
    /// Halted: it owns the outbox and cannot read a row. Nothing behind that row is
    /// published until a release that can read it takes over.
    Halted {
        /// The row that cannot be read.
        row: RowId,
        /// The reason, as text.
        reason: String,
    },
}

/// What a relay has done since it was built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayStats {
    /// The present state.
    pub state: RelayState,
    /// How often it took the outbox.
    pub takeovers: u64,
    /// Events published.
    pub published: u64,
    /// Calls to the publisher that ended, well or not.
    pub calls: u64,
    /// Events that a call did not publish and that are tried again.
    pub failed: u64,
    /// Events that it parked.
    pub parked: u64,
    /// How often it looked into the outbox.
    pub claims: u64,
    /// Rows that it finished.
    pub rows: u64,
    /// Calls to the store that failed and are tried again.
    pub store_failures: u64,
    /// The text of the latest failure of a store or publisher.
    pub last_failure: Option<String>,
    /// Microseconds from the commit of the event published last to its
    /// publication, by the relay's clock.
    pub lag_micros: u64,
    /// Events in flight.
    pub in_flight: u64,
}

/// The live counters behind the stats.
#[derive(Debug, Default)]
pub(super) struct Counters {
    status: Mutex<(RelayState, Option<String>)>,
    pub(super) takeovers: Counter,
    pub(super) published: Counter,
    pub(super) calls: Counter,
    pub(super) failed: Counter,
    pub(super) parked: Counter,
    pub(super) claims: Counter,
    pub(super) rows: Counter,
    pub(super) store_failures: Counter,
    pub(super) lag_micros: Counter,
    pub(super) in_flight: Counter,
}

impl Counters {
    pub(super) fn state(&self, state: RelayState) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).0 = state;
    }

    pub(super) fn failure(&self, error: &dyn std::error::Error) {
        let mut words = error.to_string();
        if let Some(source) = error.source() {
            words = format!("{words}: {source}");
        }
        self.failure_text(words);
    }

    pub(super) fn failure_text(&self, words: String) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(words);
    }

    pub(super) fn snapshot(&self) -> RelayStats {
        let (state, last_failure) = self
            .status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        RelayStats {
            state,
            last_failure,
            takeovers: self.takeovers.get(),
            published: self.published.get(),
            calls: self.calls.get(),
            failed: self.failed.get(),
            parked: self.parked.get(),
            claims: self.claims.get(),
            rows: self.rows.get(),
            store_failures: self.store_failures.get(),
            lag_micros: self.lag_micros.get(),
            in_flight: self.in_flight.get(),
        }
    }
}
