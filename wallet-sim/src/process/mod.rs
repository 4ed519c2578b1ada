//! The processes that serve the wallet: how they start, die and shut down.
//!
//! `calls` has the calls that clients make through a process, `reply` their answers. A
//! process knows its environment and who takes its answers, but not the world.

mod calls;
mod reply;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wallet_core::store::{CommitSignal, LedgerStore};
use wallet_core::{Settings, Wallet};
use wallet_testkit::SeededIds;

use super::environment::Environment;
use super::notes::Acknowledged;
use super::{Bug, FaultyStore, Harness, Rng, SkewedClock, Stop};
use crate::{Group, Spawner};

pub(super) use reply::Reply;

/// The processes that serve the wallet: a service, its driver, and the tasks beside
/// it.
#[derive(Debug)]
pub(super) struct Processes {
    spawner: Spawner,
    harness: Arc<dyn Harness>,
    pub(super) environment: Environment,
    store: Arc<FaultyStore>,
    clocks: Vec<Arc<SkewedClock>>,
    rng: Rng,
    bug: Option<Bug>,
    acknowledged: Acknowledged,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    running: Vec<Option<Running>>,
    /// The number of started processes.
    started: u64,
}

#[derive(Debug, Clone)]
struct Running {
    wallet: Wallet,
    stop: Stop,
}

impl Processes {
    pub(super) fn new(
        spawner: Spawner,
        harness: Arc<dyn Harness>,
        environment: Environment,
        store: Arc<FaultyStore>,
        rng: Rng,
        acknowledged: Acknowledged,
        count: usize,
    ) -> Self {
        let clock = || Arc::new(SkewedClock::new(Arc::clone(&environment.clock)));
        let clocks = (0..count).map(|_| clock()).collect();
        let bug = environment.bug;
        let slots = Mutex::new(Slots {
            running: (0..count).map(|_| None).collect(),
            started: 0,
        });
        Self {
            spawner,
            harness,
            environment,
            store,
            clocks,
            rng,
            bug,
            acknowledged,
            slots,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.clocks.len()
    }

    pub(super) fn clock(&self, process: usize) -> &SkewedClock {
        &self.clocks[process]
    }

    /// Starts a process with its own clock, ids and settings.
    pub(super) fn start(&self, process: usize) {
        let ahead_ms = self.rng.pick(&[0, 0, 3, -40, 900, -2_500, 60_000]);
        self.clocks[process].set_ahead(ahead_ms * 1_000);
        let clock = Arc::clone(&self.clocks[process]);
        let store: Arc<dyn LedgerStore> = Arc::<FaultyStore>::clone(&self.store);
        let stop = Stop::default();
        let started = self.slots().started + 1;
        let name = format!("process {process}/{started}");
        let signal = CommitSignal::default();
        let builder = Wallet::builder(Arc::clone(&store))
            .clock(Arc::<SkewedClock>::clone(&clock))
            .ids(Arc::new(SeededIds::new(self.rng.next())))
            .signal(signal.clone())
            .cache(Arc::clone(&self.environment.cache))
            .settings(self.settings());
        let (wallet, driver) = builder.build().expect("the settings make sense");
        self.spawner.spawn(Group::Driver(process), "driver", driver);
        self.spawner.kill(Group::Parts(process));
        let ports = self
            .environment
            .ports(process, name, clock, store, signal, stop.clone());
        for part in ports.map_or_else(Vec::new, |ports| self.harness.parts(ports)) {
            self.spawner
                .spawn(Group::Parts(process), part.name, part.future);
        }
        let mut slots = self.slots();
        slots.started = started;
        slots.running[process] = Some(Running { wallet, stop });
    }

    /// Small numbers, so that limits are reached.
    fn settings(&self) -> Settings {
        Settings {
            queue_capacity: self.rng.pick(&[1, 2, 8]),
            committers: self.rng.pick(&[1, 2, 3]),
            batch_requests_max: self.rng.pick(&[1, 2, 8]),
            tries_max: self.rng.pick(&[1, 2, 5]),
            sweep_interval: Some(Duration::from_millis(400)),
            sweep_size: 3,
            ..Settings::default()
        }
    }

    /// Kills a process: all its tasks are dropped at once.
    pub(super) fn kill(&self, process: usize) {
        self.slots().running[process] = None;
        self.spawner.kill(Group::Calls(process));
        self.spawner.kill(Group::Driver(process));
        self.spawner.kill(Group::Parts(process));
    }

    /// Drops the driver of a process. Its waiting callers live on and get their
    /// answers.
    pub(super) fn lose_driver(&self, process: usize) {
        self.spawner.kill(Group::Driver(process));
    }

    /// Shuts a process down in order: all accepted requests are answered first.
    pub(super) async fn shut_down(&self, process: usize) {
        let running = self.slots().running[process].clone();
        if let Some(Running { wallet, stop }) = running {
            stop.now();
            wallet.shutdown().await;
        }
        self.slots().running[process] = None;
    }

    fn wallet(&self, process: usize) -> Option<Wallet> {
        let slots = self.slots();
        let running = slots.running[process].as_ref();
        running.map(|running| running.wallet.clone())
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
