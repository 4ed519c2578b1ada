use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

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
    pub(super) received: AtomicU64,
    pub(super) handled: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) superseded: AtomicU64,
    pub(super) restores: AtomicU64,
    pub(super) gaps: AtomicU64,
    pub(super) unknown: AtomicU64,
    pub(super) unreadable: AtomicU64,
    pub(super) failures: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn failed(&self, error: &dyn std::error::Error) {
        count(&self.failures);
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
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let last_failure = self.last_failure.lock();
        let last_failure = last_failure.unwrap_or_else(PoisonError::into_inner);
        ConsumerStats {
            received: get(&self.received),
            handled: get(&self.handled),
            duplicates: get(&self.duplicates),
            superseded: get(&self.superseded),
            restores: get(&self.restores),
            gaps: get(&self.gaps),
            unknown: get(&self.unknown),
            unreadable: get(&self.unreadable),
            failures: get(&self.failures),
            last_failure: last_failure.clone(),
        }
    }
}
