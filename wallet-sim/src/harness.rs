use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use wallet_core::history::HistoryStore;
use wallet_core::messaging::{EventPublisher, MessageQueue};
use wallet_core::runtime::Clock;
use wallet_core::store::{CommitSignal, LedgerStore, Outbox};

use super::{Bug, Mirror, Rng, Scenario, Stop};

/// Adds to a world what the core does not know: queues, and what runs in each
/// process beside the wallet: a relay, a consumer.
///
/// `()` adds nothing: then worlds end with the ledger and its cache.
pub trait Harness: Debug + Send + Sync {
    /// A fresh queue, twice for each world: the one before a forwarder, and the
    /// one before a consumer. `None` where there are none.
    fn queue(&self, clock: Arc<dyn Clock>, rng: &Rng) -> Option<QueueEnds>;

    /// What runs in a process from its start to its end, where there are queues.
    /// Its parts are dropped when it dies; when it stops in good order, they are
    /// told by [`Ports::stop`].
    fn parts(&self, ports: Ports) -> Vec<Part>;

    /// The command that runs a seed again and says what happens.
    fn replay(&self, scenario: &Scenario, seed: u64) -> String;
}

/// Both ends of a queue.
#[derive(Debug, Clone)]
pub struct QueueEnds {
    /// Where messages go in.
    pub publisher: Arc<dyn EventPublisher>,
    /// Where they come out.
    pub queue: Arc<dyn MessageQueue>,
}

/// Something that runs in a process.
pub struct Part {
    /// What it is called in traces.
    pub name: &'static str,
    /// What it does.
    pub future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a process works with: every port goes wrong now and then.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Its name: another one for each start.
    pub name: String,
    /// Its clock, which is not that of others.
    pub clock: Arc<dyn Clock>,
    /// The ledger.
    pub store: Arc<dyn LedgerStore>,
    /// Its outbox.
    pub outbox: Arc<dyn Outbox>,
    /// Tells of the commits of this process.
    pub signal: CommitSignal,
    /// The queue before the forwarder, in worlds that have one.
    pub outbound: QueueEnds,
    /// The queue before the consumer.
    pub inbound: QueueEnds,
    /// The history of accounts.
    pub history: Arc<dyn HistoryStore>,
    /// The consumer's database.
    pub mirror: Arc<Mirror>,
    /// Comes when the process is to stop.
    pub stop: Stop,
    /// The seed of its world: what all processes of it have in common.
    pub seed: u64,
    /// Random numbers of its own.
    pub rng: Rng,
    /// A bug that the harness is to plant, if it is one of its own.
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
