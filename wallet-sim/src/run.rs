//! One run: builds the world of a scenario, plays it, and reports what went wrong.
//!
//! `process`, `client`, `chaos` and `settle` are the tasks; `verify` looks at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use wallet_core::cache::BalanceCache;
use wallet_core::history::HistoryStore;
use wallet_core::memory::{MemoryCache, MemoryHistory, MemoryStore, OptimisticStore};
use wallet_core::runtime::Clock;
use wallet_testkit::{ManualClock, StoreEnds, block_on};

use super::bugs::{BuggyCache, BuggyHistory};
use super::chaos::Chaos;
use super::client::Client;
use super::environment::Environment;
use super::faulty_cache::FaultyCache;
use super::faulty_history::FaultyHistory;
use super::faulty_port::FaultyPort;
use super::notes::{Acknowledged, SharedNotes};
use super::oracle::Oracle;
use super::process::Processes;
use super::scenario::{Counts, Report, Scenario, StoreKind};
use super::settle::Settlement;
use super::verify::verify;
use super::world::{Shared, World};
use super::{
    Bug, ConsumerReplica, FaultPlan, FaultyStore, Harness, Port, Rng, Saboteur, SeededFaults,
    SkewedClock, Trace,
};
use crate::{Executor, Group, Spawner};

/// The frequency of a planted bug, per 1,000 commits.
const STRIKES_PER_MILLE: u64 = 20;
/// The greatest number of steps in a run.
const STEPS_MAX: u64 = 200_000;
/// The time to live of the cache, longer than any run.
const CACHE_TTL: Duration = Duration::from_secs(3_600);

/// Runs a scenario. The same seed gives the same run.
#[must_use]
pub fn run(scenario: &Scenario, seed: u64, harness: &Arc<dyn Harness>) -> Report {
    let clock = Arc::new(ManualClock::default());
    let trace = Trace::new(Arc::clone(&clock), scenario.keeps_lines);
    let played = catch_unwind(AssertUnwindSafe(|| {
        play(scenario, seed, harness, &clock, &trace)
    }));
    let (failures, counts) =
        played.unwrap_or_else(|_| (vec!["a task panicked".to_owned()], Counts::default()));
    Report {
        seed,
        hash: trace.hash(),
        trace: trace.text(),
        failures,
        counts,
    }
}

fn play(
    scenario: &Scenario,
    seed: u64,
    harness: &Arc<dyn Harness>,
    clock: &Arc<ManualClock>,
    trace: &Trace,
) -> (Vec<String>, Counts) {
    let rng = Rng::new(seed);
    let mut executor = Executor::new(rng.fork(), Arc::clone(clock), trace.clone());
    let spawner = executor.spawner();
    let (world, ends, memory) = build(scenario, seed, harness, clock, trace, &spawner, &rng);
    let store = Arc::clone(&world.store);
    spawner.spawn(Group::World, "store", async move { store.run().await });
    for process in 0..world.processes.count() {
        world.processes.start(process);
    }
    for number in 0..scenario.clients {
        let client = Client::new(number, Arc::clone(&world), rng.fork());
        spawner.spawn(Group::World, "client", client.run());
    }
    let chaos = Chaos {
        world: Arc::clone(&world),
        rng: rng.fork(),
        memory,
    };
    spawner.spawn(Group::World, "chaos", chaos.run());
    let settle = Settlement {
        world: Arc::clone(&world),
    };
    spawner.spawn(Group::World, "settle", settle.run());
    let steps = executor.run_until(STEPS_MAX, || world.is_over());
    let mut counts = counts(&world);
    match steps {
        Ok(steps) => counts.steps = steps,
        Err(stuck) => world.oracle.find(format_args!("stuck: {stuck:?}")),
    }
    let mut failures = world.oracle.take_findings();
    if failures.is_empty() {
        failures = block_on(verify(&world, &ends));
    }
    (failures, counts)
}

fn counts(world: &World) -> Counts {
    let totals = world.oracle.totals();
    Counts {
        decided: totals.decided,
        replayed: totals.replayed,
        faults: world.faults.count(),
        effects: totals.effects,
        consumed: totals.consumed,
        entries: totals.entries,
        history: totals.history,
        ..world.notes().counts
    }
}

fn build(
    scenario: &Scenario,
    seed: u64,
    harness: &Arc<dyn Harness>,
    clock: &Arc<ManualClock>,
    trace: &Trace,
    spawner: &Spawner,
    rng: &Rng,
) -> (Arc<World>, StoreEnds, Option<Arc<MemoryStore>>) {
    let store_clock = Arc::new(SkewedClock::new(Arc::clone(clock)));
    let (ends, memory) = stores(scenario, &store_clock, rng);
    let faults = SeededFaults::new(rng.fork()).without(scenario.left_out.faults.clone());
    let faults = Arc::new(faults);
    let oracle = Arc::new(Oracle::new(trace.clone()));
    let plan: Arc<dyn FaultPlan> = Arc::<SeededFaults>::clone(&faults);
    let time: Arc<dyn Clock> = Arc::<SkewedClock>::clone(&store_clock);
    let mut store = FaultyStore::new(Arc::clone(&ends.store), time, Arc::clone(&plan))
        .with_trace(trace.clone())
        .with_oracle(Arc::clone(&oracle));
    if scenario.bug == Some(Bug::SpreadsDamage) {
        store = store.with_damage_that_spreads();
    }
    if let (Some(bug), Some(memory)) = (scenario.bug, &memory) {
        let saboteur = Saboteur::new(bug, Arc::clone(memory), rng.fork(), STRIKES_PER_MILLE);
        store = store.with_sabotage(Arc::new(saboteur));
    }
    let store = Arc::new(store);
    let world_time: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let port = |port| FaultyPort {
        port,
        plan: Arc::clone(&plan),
        clock: Arc::clone(clock),
        trace: trace.clone(),
    };
    let bare_cache = Arc::new(MemoryCache::new(Arc::clone(&world_time), CACHE_TTL, 1_000));
    let bare_cache: Arc<dyn BalanceCache> = match scenario.bug {
        Some(Bug::CachesWithoutVersions) => Arc::new(BuggyCache { inner: bare_cache }),
        _ => bare_cache,
    };
    let bare_history = history(scenario.bug, rng);
    let queue = || harness.queue(Arc::clone(&world_time), rng);
    let environment = Environment {
        clock: Arc::clone(clock),
        store_clock: Arc::clone(&store_clock),
        trace: trace.clone(),
        oracle: Arc::clone(&oracle),
        faults: Arc::clone(&faults),
        spawner: spawner.clone(),
        seed,
        rng: rng.fork(),
        bug: scenario.bug,
        outbox: Arc::clone(&ends.outbox),
        memory: memory.clone(),
        cache: Arc::new(FaultyCache {
            inner: Arc::clone(&bare_cache),
            faults: port(Port::Cache),
            oracle: Arc::clone(&oracle),
        }),
        bare_cache,
        history: Arc::new(FaultyHistory {
            inner: Arc::clone(&bare_history),
            faults: port(Port::History),
            oracle: Arc::clone(&oracle),
        }),
        bare_history,
        replica: Arc::new(ConsumerReplica::new(port(Port::Inbox), Arc::clone(&oracle))),
        queues: queue().and_then(|first| Some([first, queue()?])),
    };
    let notes = SharedNotes::default();
    let acknowledged = Acknowledged {
        oracle: Arc::clone(&oracle),
        notes: notes.clone(),
    };
    let processes = Processes::new(
        spawner.clone(),
        Arc::clone(harness),
        environment,
        Arc::clone(&store),
        rng.fork(),
        acknowledged,
        scenario.processes,
    );
    let shared = Shared {
        clock: Arc::clone(clock),
        store_clock,
        trace: trace.clone(),
        store,
        oracle,
        faults,
        notes,
    };
    let world = World::new(scenario.clone(), seed, shared, processes);
    (Arc::new(world), ends, memory)
}

fn history(bug: Option<Bug>, rng: &Rng) -> Arc<dyn HistoryStore> {
    let inner = Arc::new(MemoryHistory::new());
    match bug {
        Some(bug @ (Bug::SkipsGaps | Bug::SwallowsErrors | Bug::OverwritesSameTime)) => {
            let rng = rng.fork();
            Arc::new(BuggyHistory { bug, inner, rng })
        }
        _ => inner,
    }
}

fn stores(
    scenario: &Scenario,
    clock: &Arc<SkewedClock>,
    rng: &Rng,
) -> (StoreEnds, Option<Arc<MemoryStore>>) {
    let time = Arc::<SkewedClock>::clone(clock);
    match scenario.store {
        StoreKind::Pessimistic => {
            let store = Arc::new(MemoryStore::new(time));
            (StoreEnds::of(Arc::clone(&store)), Some(store))
        }
        StoreKind::Optimistic => {
            let store = OptimisticStore::with_conflicts(time, rng.next(), 100);
            (StoreEnds::of(Arc::new(store)), None)
        }
    }
}
