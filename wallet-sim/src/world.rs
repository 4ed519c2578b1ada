//! The state that all tasks of a run share.
//!
//! Clients, chaos, settlement and verification hold the world. The processes do not: they
//! get the parts that they need (`run`).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};

use wallet_testkit::ManualClock;

use super::notes::{Notes, SharedNotes};
use super::oracle::Oracle;
use super::process::Processes;
use super::scenario::Scenario;
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
    pub(super) processes: Arc<Processes>,
    notes: SharedNotes,
    /// The number of clients and chaos tasks that have not finished.
    busy: AtomicU64,
    is_over: AtomicBool,
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
    pub(super) notes: SharedNotes,
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
            notes,
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
            processes: Arc::new(processes),
            notes,
            busy,
            is_over: AtomicBool::new(false),
        }
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock()
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
