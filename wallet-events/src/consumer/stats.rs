use std::sync::{Mutex, PoisonError};

use wallet_core::runtime::Counter;

/// What a consumer has done since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerStats {
    /// Messages received, repeated ones included.
    pub received: u64,
    /// Events handled.
    pub handled: u64,
    /// Messages skipped because their event was seen before.
    pub duplicates: u64,
    /// Messages skipped because a restore of the ledger's database has lost their event.
    pub superseded: u64,
    /// Restores that the handler was notified of.
    pub restores: u64,
    /// Events that came after a gap in the versions.
    pub gaps: u64,
    /// Messages of types that this release does not know; they are skipped.
    pub unknown: u64,
    /// Messages that are not events; the queue moves them to the dead letter queue.
    pub unreadable: u64,
    /// Events that went back to the queue.
    pub failures: u64,
    /// The text of the latest failure of a handler, store or queue.
    pub last_failure: Option<String>,
}

/// The live counters behind the stats.
#[derive(Debug, Default)]
pub(super) struct Counters {
    last_failure: Mutex<Option<String>>,
    pub(super) received: Counter,
    pub(super) handled: Counter,
    pub(super) duplicates: Counter,
    pub(super) superseded: Counter,
    pub(super) restores: Counter,
    pub(super) gaps: Counter,
    pub(super) unknown: Counter,
    pub(super) unreadable: Counter,
    pub(super) failures: Counter,
}

impl Counters {
    pub(super) fn failed(&self, error: &dyn std::error::Error) {
        self.failures.add(1);
        self.queue_failed(error);
    }

    pub(super) fn queue_failed(&self, error: &dyn std::error::Error) {
        let mut words = error.to_string();
        if let Some(source) = error.source() {
            words = format!("{words}: {source}");
        }
        let last = self.last_failure.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    pub(super) fn snapshot(&self) -> ConsumerStats {
        let last_failure = self.last_failure.lock();
        let last_failure = last_failure.unwrap_or_else(PoisonError::into_inner);
        ConsumerStats {
            received: self.received.get(),
            handled: self.handled.get(),
            duplicates: self.duplicates.get(),
            superseded: self.superseded.get(),
            restores: self.restores.get(),
            gaps: self.gaps.get(),
            unknown: self.unknown.get(),
            unreadable: self.unreadable.get(),
            failures: self.failures.get(),
            last_failure: last_failure.clone(),
        }
    }
}
