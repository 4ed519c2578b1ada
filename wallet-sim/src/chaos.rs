use std::sync::Arc;
use std::time::Duration;

use wallet_core::LedgerId;
use wallet_core::ledger::{AccountKey, HoldKey, HoldStatus, InLedger};
use wallet_core::memory::MemoryStore;
use wallet_core::runtime::Clock;
use wallet_core::store::Outbox;
use wallet_core::test_hooks::latest_lease;

use super::world::World;
use super::{Rng, workload};

/// Injects incidents: kills and restarts processes, locks accounts, sets clocks,
/// revokes leases, empties the cache. Then it stops all faults.
#[derive(Debug)]
pub(super) struct Chaos {
    pub(super) world: Arc<World>,
    pub(super) rng: Rng,
    /// The store whose accounts a host can lock, if it is of that kind.
    pub(super) memory: Option<Arc<MemoryStore>>,
}

impl Chaos {
    pub(super) async fn run(self) {
        let world = &self.world;
        for number in 0..world.scenario.incidents {
            world.clock.sleep(self.rng.delay(250)).await;
            // The random numbers do not depend on incidents that are left out.
            let rng = self.rng.fork();
            if !world.scenario.left_out.incidents.contains(&number) {
                world.notes().counts.incidents += 1;
                self.incident(&rng).await;
            }
        }
        world.trace.note(format_args!("peace"));
        world.faults.calm();
        world.finished();
    }

    async fn incident(&self, rng: &Rng) {
        let world = &self.world;
        let process = rng.index(world.processes.count());
        let note = |what: &str| world.trace.note(format_args!("process {process} {what}"));
        match rng.below(17) {
            0 | 1 => {
                note("loses its driver");
                world.processes.lose_driver(process);
                self.start_later(process, rng.delay(100)).await;
            }
            2..6 => {
                note("dies");
                world.processes.kill(process);
                self.start_later(process, rng.delay(300)).await;
            }
            6 | 7 => {
                note("shuts down");
                world.processes.shut_down(process).await;
                self.start_later(process, Duration::ZERO).await;
            }
            8 => self.lock_somebody(rng).await,
            9 | 10 => {
                // Beyond two seconds nothing is decided for a while.
                let least = rng.pick(&[0, 0, 0, 2_000]);
                let back = Duration::from_millis(least + rng.below(500));
                self.step_store(back, false);
            }
            // All leases and holds end at once.
            11 => self.step_store(Duration::from_millis(rng.below(2_500)), true),
            12 => {
                let ahead = i64::try_from(rng.below(20_000_000)).unwrap() - 10_000_000;
                note("has its clock set");
                world.processes.clock(process).set_ahead(ahead);
            }
            13 => self.end_lease().await,
            14 => self.damage_hold(rng).await,
            _ => self.flush_cache().await,
        }
    }

    async fn start_later(&self, process: usize, pause: Duration) {
        let world = &self.world;
        world.clock.sleep(pause).await;
        world.trace.note(format_args!("process {process} starts"));
        world.processes.start(process);
    }

    fn step_store(&self, by: Duration, forward: bool) {
        let clock = &self.world.store_clock;
        let micros = i64::try_from(by.as_micros()).unwrap();
        let step = if forward { micros } else { -micros };
        self.world
            .trace
            .note(format_args!("the store's clock steps by {step} us"));
        clock.set_ahead(clock.ahead() + step);
    }

    /// A host's own transaction locks an account for a while.
    async fn lock_somebody(&self, rng: &Rng) {
        let accounts: Vec<_> = workload::accounts(self.world.scenario.clients).collect();
        let account = accounts[rng.index(accounts.len())];
        let account: AccountKey = InLedger::new(LedgerId::default(), account);
        let store = self.memory.as_ref();
        let Some(lock) = store.and_then(|store| store.lock_account(account)) else {
            return;
        };
        let trace = &self.world.trace;
        trace.note(format_args!("a host locks an account"));
        self.world.clock.sleep(rng.delay(300)).await;
        trace.note(format_args!("the host lets go"));
        drop(lock);
    }

    /// Takes the outbox lease for another owner that does nothing with it.
    async fn end_lease(&self) {
        let Some(store) = &self.memory else { return };
        let lease = latest_lease(&store.shared().tables().outbox);
        let Some(lease) = lease else { return };
        let now = self.world.store_clock.now();
        // The same owner gets the lease at once, as an operator's tool does.
        let taken = store.acquire(&lease.owner, Duration::from_millis(200));
        if let Ok(Some(taken)) = taken.await {
            self.world.trace.note(format_args!("a lease is lost"));
            self.world.oracle.lease_given(&taken, now);
        }
    }

    /// Makes the row of a pending hold unreadable until it is repaired.
    async fn damage_hold(&self, rng: &Rng) {
        let Some(store) = &self.memory else { return };
        let shared = store.shared();
        let pending: Vec<HoldKey> = {
            let tables = shared.tables();
            let holds = tables.holds.values();
            let pending = holds.filter(|hold| hold.status == HoldStatus::Pending);
            pending.map(|hold| hold.key).collect()
        };
        if pending.is_empty() {
            return;
        }
        let hold = pending[rng.index(pending.len())];
        let world = &self.world;
        let note = |what: &str| world.trace.note(format_args!("hold {} {what}", hold.id));
        note("cannot be read");
        world.store.damage.begin(hold);
        world.clock.sleep(rng.delay(1_500)).await;
        note("is repaired");
        world.store.damage.end(hold);
    }

    async fn flush_cache(&self) {
        let world = &self.world;
        world.trace.note(format_args!("the cache is emptied"));
        let accounts = workload::account_keys(world.scenario.clients);
        let emptied = world
            .processes
            .environment
            .bare_cache
            .invalidate(&accounts)
            .await;
        if emptied.is_ok() {
            world.oracle.cache_was_flushed();
        }
    }
}
