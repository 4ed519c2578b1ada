use std::sync::Arc;
use std::time::Duration;

use crate::memory::MemoryStore;
use crate::{AccountKey, Clock, LedgerId};

use super::world::World;
use super::{Rng, SeededFaults, workload};

/// How many times something happens before peace is made.
const EVENTS: u32 = 10;

/// Kills and restarts processes, locks accounts, sets the clock back, then makes
/// peace.
#[derive(Debug)]
pub(super) struct Chaos {
    pub(super) world: Arc<World>,
    pub(super) faults: Arc<SeededFaults>,
    pub(super) rng: Rng,
    /// Where a host can lock accounts, if the store is of that kind.
    pub(super) memory: Option<Arc<MemoryStore>>,
}

impl Chaos {
    pub(super) async fn run(self) {
        let world = &self.world;
        for _ in 0..EVENTS {
            world.clock.sleep(self.rng.delay(250)).await;
            match self.rng.below(11) {
                0 | 1 => {
                    let process = self.rng.index(world.processes.count());
                    world
                        .trace
                        .note(&format!("process {process} loses its driver"));
                    world.processes.lose_driver(process);
                    world.clock.sleep(self.rng.delay(100)).await;
                    world.trace.note(&format!("process {process} starts"));
                    world.processes.start(process);
                }
                2..5 => {
                    let process = self.rng.index(world.processes.count());
                    world.trace.note(&format!("process {process} dies"));
                    world.processes.kill(process);
                    world.clock.sleep(self.rng.delay(300)).await;
                    world.trace.note(&format!("process {process} starts"));
                    world.processes.start(process);
                }
                5..7 => {
                    let process = self.rng.index(world.processes.count());
                    world.trace.note(&format!("process {process} shuts down"));
                    world.processes.shut_down(process).await;
                    world.trace.note(&format!("process {process} starts"));
                    world.processes.start(process);
                }
                7 => self.lock_somebody().await,
                8 | 9 => {
                    // Beyond two seconds nothing is decided for a while.
                    let least = self.rng.pick(&[0, 0, 0, 2_000]);
                    let back = Duration::from_millis(least + self.rng.below(500));
                    world
                        .trace
                        .note(&format!("the clock steps back by {back:?}"));
                    world.clock.step_back(back);
                }
                _ => {}
            }
        }
        world.trace.note("peace");
        self.faults.calm();
        world.finished();
    }

    /// A host's own transaction keeps an account for a while.
    async fn lock_somebody(&self) {
        let accounts: Vec<_> = workload::accounts(self.world.clients).collect();
        let account = accounts[self.rng.index(accounts.len())];
        let account = AccountKey::new(LedgerId::default(), account);
        let store = self.memory.as_ref();
        let Some(lock) = store.and_then(|store| store.lock_account(account)) else {
            return;
        };
        self.world.trace.note("a host locks an account");
        self.world.clock.sleep(self.rng.delay(300)).await;
        self.world.trace.note("the host lets go");
        drop(lock);
    }
}
