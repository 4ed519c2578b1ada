use std::sync::Arc;

use wallet_core::cache::BalanceCache;
use wallet_core::history::HistoryStore;
use wallet_core::memory::MemoryStore;
use wallet_core::runtime::Clock;
use wallet_core::store::{CommitSignal, LedgerStore, Outbox};
use wallet_testkit::ManualClock;

use super::bugs::{BuggyOutbox, BuggyPublisher, BuggyQueue};
use super::faulty_outbox::FaultyOutbox;
use super::faulty_port::FaultyPort;
use super::faulty_queue::{FaultyPublisher, FaultyQueue};
use super::harness::{Ports, QueueEnds};
use super::oracle::Oracle;
use super::{Bug, ConsumerReplica, FaultPlan, Port, Rng, SeededFaults, SkewedClock, Stop, Trace};
use crate::Spawner;

/// The ports that all processes share beside the ledger, and each process's access
/// to them.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) clock: Arc<ManualClock>,
    pub(super) store_clock: Arc<SkewedClock>,
    pub(super) trace: Trace,
    pub(super) oracle: Arc<Oracle>,
    pub(super) faults: Arc<SeededFaults>,
    pub(super) spawner: Spawner,
    pub(super) seed: u64,
    pub(super) rng: Rng,
    pub(super) bug: Option<Bug>,
    /// The outbox without faults.
    pub(super) outbox: Arc<dyn Outbox>,
    /// The store of the outbox, where a bug can be planted in it.
    pub(super) memory: Option<Arc<MemoryStore>>,
    /// The cache without faults.
    pub(super) bare_cache: Arc<dyn BalanceCache>,
    /// The cache with injected faults.
    pub(super) cache: Arc<dyn BalanceCache>,
    /// The history without faults, or with a bug.
    pub(super) bare_history: Arc<dyn HistoryStore>,
    /// The history with injected faults.
    pub(super) history: Arc<dyn HistoryStore>,
    pub(super) replica: Arc<ConsumerReplica>,
    /// The queues without faults, where there are some.
    pub(super) queues: Option<[QueueEnds; 2]>,
}

impl Environment {
    /// Whether events are delivered.
    pub(super) const fn is_whole(&self) -> bool {
        self.queues.is_some()
    }

    /// The ports of a process, in worlds with more than the ledger.
    pub(super) fn ports(
        &self,
        process: usize,
        name: String,
        clock: Arc<dyn Clock>,
        store: Arc<dyn LedgerStore>,
        signal: CommitSignal,
        stop: Stop,
    ) -> Option<Ports> {
        let [first, second] = self.queues.as_ref()?;
        let outbound = self.ends(process, 0, first);
        let inbound = self.ends(process, 1, second);
        Some(Ports {
            name,
            clock,
            store,
            outbox: self.outbox(),
            signal,
            outbound,
            inbound,
            history: Arc::clone(&self.history),
            replica: Arc::clone(&self.replica),
            stop,
            seed: self.seed,
            rng: self.rng.fork(),
            bug: self.bug,
        })
    }

    fn outbox(&self) -> Arc<dyn Outbox> {
        let inner: Arc<dyn Outbox> = match (self.bug, &self.memory) {
            (
                Some(
                    bug @ (Bug::IgnoresFencing
                    | Bug::GivesLeasesAway
                    | Bug::ClaimsNewestFirst
                    | Bug::MarksWholeRows),
                ),
                Some(memory),
            ) => {
                let inner = Arc::clone(memory);
                Arc::new(BuggyOutbox { bug, inner })
            }
            _ => Arc::clone(&self.outbox),
        };
        Arc::new(FaultyOutbox {
            inner,
            faults: self.port(Port::Outbox),
            oracle: Arc::clone(&self.oracle),
            clock: Arc::<SkewedClock>::clone(&self.store_clock),
        })
    }

    fn ends(&self, process: usize, stage: usize, ends: &QueueEnds) -> QueueEnds {
        let publisher = Arc::new(FaultyPublisher {
            inner: Arc::clone(&ends.publisher),
            faults: self.port(Port::Publisher),
            rng: self.rng.fork(),
            oracle: Arc::clone(&self.oracle),
            stage,
        });
        let queue = Arc::new(FaultyQueue {
            inner: Arc::clone(&ends.queue),
            faults: self.port(Port::Queue),
        });
        match (self.bug, stage) {
            (Some(Bug::MarksBeforePublishing), _) => QueueEnds {
                publisher: Arc::new(BuggyPublisher {
                    inner: publisher,
                    clock: Arc::clone(&self.clock),
                    spawner: self.spawner.clone(),
                    process,
                    rng: self.rng.fork(),
                }),
                queue,
            },
            (Some(bug @ (Bug::DeletesOnReceipt | Bug::MixesGroups)), 1) => QueueEnds {
                publisher,
                queue: Arc::new(BuggyQueue {
                    bug,
                    inner: queue,
                    rng: self.rng.fork(),
                }),
            },
            _ => QueueEnds { publisher, queue },
        }
    }

    fn port(&self, port: Port) -> FaultyPort {
        let plan: Arc<dyn FaultPlan> = Arc::<SeededFaults>::clone(&self.faults);
        FaultyPort {
            port,
            plan,
            clock: Arc::clone(&self.clock),
            trace: self.trace.clone(),
        }
    }
}
