use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wallet_core::Outcome;
use wallet_core::ledger::RecordKey;
use wallet_testkit::ManualClock;

use super::oracle::Oracle;
use super::process::Processes;
use super::scenario::{Counts, Scenario};
use super::workload::Known;
use super::{FaultyStore, SeededFaults, SkewedClock, Trace};

/// The state that all tasks of a run share.
#[derive(Debug)]
pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) seed: u64,
    pub(super) clock: Arc<ManualClock>,
    /// The clock of the ledger's store.
    pub(super) store_clock: Arc<SkewedClock>,
    pub(super) trace: Trace,
    pub(super) store: Arc<FaultyStore>,
    pub(super) oracle: Arc<Oracle>,
    pub(super) faults: Arc<SeededFaults>,
    pub(super) processes: Processes,
    notes: Mutex<Notes>,
    /// The number of clients and chaos tasks that have not finished.
    busy: AtomicU64,
    is_over: AtomicBool,
}

/// The final knowledge of the clients.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) known: Known,
    /// Every answer that reached a client.
    pub(super) acknowledged: Vec<(RecordKey, Arc<Outcome>)>,
    /// The result that each client knows for a key: one outcome, or that nothing
    /// was done.
    pub(super) settled: BTreeMap<RecordKey, Option<Arc<Outcome>>>,
    /// The number of bulk requests with an outcome for every item, and the number
    /// of their items.
    pub(super) settled_bulks: u64,
    pub(super) settled_items: Vec<(RecordKey, Arc<Outcome>)>,
    pub(super) counts: Counts,
}

/// The parts of a [`World`].
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: Arc<ManualClock>,
    pub(super) store_clock: Arc<SkewedClock>,
    pub(super) trace: Trace,
    pub(super) store: Arc<FaultyStore>,
    pub(super) oracle: Arc<Oracle>,
    pub(super) faults: Arc<SeededFaults>,
}

impl World {
    pub(super) fn new(scenario: Scenario, seed: u64, shared: Shared, processes: Processes) -> Self {
        let busy = AtomicU64::new(scenario.clients + 1);
        let Shared {
            clock,
            store_clock,
            trace,
            store,
            oracle,
            faults,
        } = shared;
        Self {
            scenario,
            seed,
            clock,
            store_clock,
            trace,
            store,
            oracle,
            faults,
            processes,
            notes: Mutex::default(),
            busy,
            is_over: AtomicBool::new(false),
        }
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a client or the chaos task has finished.
    pub(super) fn finished(&self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether all clients are served and no commit is in flight.
    pub(super) fn is_served(&self) -> bool {
        self.busy.load(Ordering::Relaxed) == 0 && self.store.is_settled()
    }

    /// Ends the run.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Whether the run has ended, or an error was found.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.oracle.has_findings()
    }
}
