use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::testkit::ManualClock;
use crate::{Outcome, RecordKey};

use super::process::Processes;
use super::workload::Known;
use super::{Bug, FaultyStore, Trace};

/// What all tasks of a run share.
#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) trace: Trace,
    pub(super) store: Arc<FaultyStore>,
    pub(super) processes: Processes,
    pub(super) bug: Option<Bug>,
    pub(super) clients: u64,
    pub(super) operations: u64,
    notes: Mutex<Notes>,
    busy: AtomicU64,
}

/// What the clients know in the end.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) known: Known,
    /// Every answer that reached anybody.
    pub(super) acknowledged: Vec<(RecordKey, Arc<Outcome>)>,
    /// What each client holds to be true: one outcome a key, or that nothing
    /// was done.
    pub(super) settled: BTreeMap<RecordKey, Option<Arc<Outcome>>>,
    pub(super) failures: Vec<String>,
}

impl World {
    pub(super) fn new(
        clock: Arc<ManualClock>,
        trace: Trace,
        store: Arc<FaultyStore>,
        processes: Processes,
        bug: Option<Bug>,
        [clients, operations]: [u64; 2],
    ) -> Self {
        Self {
            clock,
            trace,
            store,
            processes,
            bug,
            clients,
            operations,
            notes: Mutex::default(),
            // The clients, and what makes trouble.
            busy: AtomicU64::new(clients + 1),
        }
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client, or the trouble maker, has finished.
    pub(super) fn finished(&self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.busy.load(Ordering::Relaxed) == 0 && self.store.is_settled()
    }

    pub(super) fn fail(&self, failure: String) {
        self.trace.note(&failure);
        self.notes().failures.push(failure);
    }
}
