use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use wallet_core::history::HistoryStore;
use wallet_core::messaging::{EventPublisher, MessageQueue};
use wallet_core::runtime::Clock;
use wallet_core::store::{CommitSignal, LedgerStore, Outbox};

use super::{Bug, ConsumerReplica, Rng, Scenario, Stop};

/// Adds the parts outside the core to a world: queues, and the tasks that run in
/// each process beside the wallet (a relay, a consumer).
///
/// `()` adds nothing: the world ends with the ledger and its cache.
pub trait Harness: Debug + Send + Sync {
    /// Makes a fresh queue, twice for each world: one before a forwarder, and one
    /// before a consumer. `None` where there are no queues.
    fn queue(&self, clock: Arc<dyn Clock>, rng: &Rng) -> Option<QueueEnds>;

    /// The tasks that run in a process from its start to its end, where there are
    /// queues. They are dropped when the process dies. In an orderly stop,
    /// [`Ports::stop`] notifies them.
    fn parts(&self, ports: Ports) -> Vec<Part>;

    /// The command that replays a seed with its trace.
    fn replay(&self, scenario: &Scenario, seed: u64) -> String;
}

/// Both ends of a queue.
#[derive(Debug, Clone)]
pub struct QueueEnds {
    /// The publisher, where messages enter.
    pub publisher: Arc<dyn EventPublisher>,
    /// The queue, where messages leave.
    pub queue: Arc<dyn MessageQueue>,
}

/// A task that runs in a process.
pub struct Part {
    /// The name in traces.
    pub name: &'static str,
    /// The task itself.
    pub future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The ports of a process. Every port has injected faults.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The process's name, which differs for each start.
    pub name: String,
    /// The process's own clock.
    pub clock: Arc<dyn Clock>,
    /// The ledger.
    pub store: Arc<dyn LedgerStore>,
    /// The outbox of the ledger.
    pub outbox: Arc<dyn Outbox>,
    /// The signal of commits in this process.
    pub signal: CommitSignal,
    /// The queue before the forwarder, in worlds that have one.
    pub outbound: QueueEnds,
    /// The queue before the consumer.
    pub inbound: QueueEnds,
    /// The history of accounts.
    pub history: Arc<dyn HistoryStore>,
    /// The consumer's database.
    pub replica: Arc<ConsumerReplica>,
    /// The signal that the process must stop.
    pub stop: Stop,
    /// The seed of the world, which all its processes share.
    pub seed: u64,
    /// The process's own random numbers.
    pub rng: Rng,
    /// The planted bug, if the harness must plant it.
    pub bug: Option<Bug>,
}

impl Harness for () {
    fn queue(&self, _: Arc<dyn Clock>, _: &Rng) -> Option<QueueEnds> {
        None
    }

    fn parts(&self, _: Ports) -> Vec<Part> {
        Vec::new()
    }

    fn replay(&self, _: &Scenario, seed: u64) -> String {
        format!("WALLET_SIM_SEED={seed} cargo test -p wallet-core --all-features --test simulation")
    }
}
