use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::memory::{MemoryStore, OptimisticStore};
use crate::testkit::{Handles, ManualClock, block_on};

use super::chaos::Chaos;
use super::client::Client;
use super::executor::{Executor, Group};
use super::process::Processes;
use super::verify::verify;
use super::world::World;
use super::{Bug, FaultyStore, Rng, Saboteur, SeededFaults, Trace};

/// How many processes serve the one store.
const PROCESSES: usize = 2;
/// How often a planted bug strikes, in a thousand commits.
const STRIKES_PER_MILLE: u64 = 20;
/// How many steps a run may take.
const STEPS_MAX: u64 = 500_000;

/// What a run is made of, besides its seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// How the store behind the faults commits.
    pub store: StoreKind,
    /// How many clients there are.
    pub clients: u64,
    /// How many requests each of them makes.
    pub operations: u64,
    /// A bug planted on purpose.
    pub bug: Option<Bug>,
}

/// Which in-memory store a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// [`MemoryStore`].
    Pessimistic,
    /// [`OptimisticStore`], with conflicts of its own.
    Optimistic,
}

impl Scenario {
    /// Six clients with eight requests each, nothing planted.
    #[must_use]
    pub const fn new(store: StoreKind) -> Self {
        Self {
            store,
            clients: 6,
            operations: 8,
            bug: None,
        }
    }

    /// The same on a pessimistic store with a bug in it or around it.
    #[must_use]
    pub const fn with_bug(bug: Bug) -> Self {
        Self {
            bug: Some(bug),
            ..Self::new(StoreKind::Pessimistic)
        }
    }
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// The hash of everything that happened, in order.
    pub hash: u64,
    /// What happened, in words.
    pub trace: String,
    /// What is wrong; nothing in a good run.
    pub failures: Vec<String>,
}

/// Runs a scenario: the same seed does the same again.
#[must_use]
pub fn run(scenario: Scenario, seed: u64) -> Report {
    let clock = Arc::new(ManualClock::default());
    let trace = Trace::new(Arc::clone(&clock));
    let failures = catch_unwind(AssertUnwindSafe(|| play(scenario, seed, &clock, &trace)));
    let failures = failures.unwrap_or_else(|_| vec!["a task panicked".to_owned()]);
    Report {
        seed,
        hash: trace.hash(),
        trace: trace.text(),
        failures,
    }
}

fn play(scenario: Scenario, seed: u64, clock: &Arc<ManualClock>, trace: &Trace) -> Vec<String> {
    let rng = Rng::new(seed);
    let (handles, memory) = stores(scenario, clock, &rng);
    let faults = Arc::new(SeededFaults::new(rng.fork()));
    let store = FaultyStore::new(
        Arc::clone(&handles.store),
        Arc::<ManualClock>::clone(clock),
        Arc::<SeededFaults>::clone(&faults),
    );
    let mut store = store.with_trace(trace.clone());
    if let (Some(bug), Some(memory)) = (scenario.bug, &memory) {
        let saboteur = Saboteur::new(bug, Arc::clone(memory), rng.fork(), STRIKES_PER_MILLE);
        store = store.with_sabotage(Arc::new(saboteur));
    }
    let store = Arc::new(store);
    let mut executor = Executor::new(rng.fork(), Arc::clone(clock), trace.clone());
    let spawner = executor.spawner();
    let processes = Processes::new(
        spawner.clone(),
        Arc::clone(&store),
        Arc::clone(clock),
        rng.fork(),
        PROCESSES,
    );
    let world = Arc::new(World::new(
        Arc::clone(clock),
        trace.clone(),
        Arc::clone(&store),
        processes,
        scenario.bug,
        [scenario.clients, scenario.operations],
    ));
    spawner.spawn(Group::World, "store", async move { store.run().await });
    for process in 0..PROCESSES {
        world.processes.start(process);
    }
    for number in 0..scenario.clients {
        let client = Client {
            number,
            world: Arc::clone(&world),
            rng: rng.fork(),
        };
        spawner.spawn(Group::World, &format!("client {number}"), client.run());
    }
    let chaos = Chaos {
        world: Arc::clone(&world),
        faults,
        rng: rng.fork(),
        memory,
    };
    spawner.spawn(Group::World, "chaos", chaos.run());
    if let Err(stuck) = executor.run_until(STEPS_MAX, || world.is_over()) {
        world.fail(format!("stuck: {stuck:?}"));
    }
    shut_down(&mut executor, &world);
    block_on(verify(&world, &handles))
}

/// Both processes end in good order.
fn shut_down(executor: &mut Executor, world: &Arc<World>) {
    let over = Arc::new(AtomicBool::new(false));
    let (ending, is_over) = (Arc::clone(world), Arc::clone(&over));
    let end = async move {
        for process in 0..PROCESSES {
            ending.processes.shut_down(process).await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    executor.spawner().spawn(Group::World, "end", end);
    if let Err(stuck) = executor.run_until(STEPS_MAX, || over.load(Ordering::Relaxed)) {
        world.fail(format!("no end: {stuck:?}"));
    }
}

fn stores(
    scenario: Scenario,
    clock: &Arc<ManualClock>,
    rng: &Rng,
) -> (Handles, Option<Arc<MemoryStore>>) {
    let time = Arc::<ManualClock>::clone(clock);
    match scenario.store {
        StoreKind::Pessimistic => {
            let store = Arc::new(MemoryStore::new(time));
            (Handles::of(Arc::clone(&store)), Some(store))
        }
        StoreKind::Optimistic => {
            let store = OptimisticStore::with_conflicts(time, rng.next(), 100);
            (Handles::of(Arc::new(store)), None)
        }
    }
}
