use std::sync::Arc;
use std::time::Duration;

use wallet_core::ledger::Freshness;
use wallet_core::runtime::Clock;

use super::workload;
use super::world::World;

/// The interval of checks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The time limit for everything to become visible everywhere, after the last
/// client was served and all faults have ended.
const VISIBLE_WITHIN: Duration = Duration::from_secs(60);

/// Waits until all clients are served and faults have ended. From then on every
/// acknowledged request must become visible everywhere. Then it shuts the processes
/// down in order.
#[derive(Debug)]
pub(super) struct Settlement {
    pub(super) world: Arc<World>,
}

impl Settlement {
    pub(super) async fn run(self) {
        let world = &self.world;
        while !world.is_served() {
            world.clock.sleep(LOOK_EVERY).await;
        }
        world.trace.note(format_args!("all are served"));
        let last = world.clock.now().saturating_add(VISIBLE_WITHIN);
        while let Some(missing) = self.missing().await {
            if world.clock.now() >= last {
                return world.oracle.find(missing);
            }
            world.clock.sleep(LOOK_EVERY).await;
        }
        world.trace.note(format_args!("all is visible"));
        for process in 0..world.processes.count() {
            self.read_all(process).await;
        }
        for process in 0..world.processes.count() {
            world.processes.shut_down(process).await;
        }
        world.end();
    }

    /// Returns the first thing that is not visible yet.
    async fn missing(&self) -> Option<String> {
        let world = &self.world;
        let totals = world.oracle.totals();
        if world.processes.environment.is_whole() {
            if totals.consumed != totals.effects || totals.history != totals.entries {
                return Some(format!("events do not arrive: {totals:?}"));
            }
            let depth = world.processes.environment.outbox.depth().await;
            if !depth.as_ref().is_ok_and(|depth| depth.rows == 0) {
                return Some(format!("the outbox is never empty: {depth:?}"));
            }
        }
        let expired = world.oracle.expired_holds(world.store_clock.now());
        (expired > 0).then(|| format!("{expired} expired holds are never swept"))
    }

    /// Checks that every process returns the latest balance of every account.
    async fn read_all(&self, process: usize) {
        let world = &self.world;
        let accounts = workload::account_keys(world.scenario.clients);
        let versions = world.oracle.positions(&accounts);
        let token = accounts.iter().copied().zip(versions.iter().copied());
        let freshness = Freshness::AtLeast(token.collect());
        let read = world
            .processes
            .read(process, accounts.clone(), freshness.clone());
        let found = match read {
            Some(read) => read.await.ok().flatten(),
            None => None,
        };
        let Some(found) = found else {
            let finding = format_args!("process {process} cannot read balances in peace");
            return world.oracle.find(finding);
        };
        for ((account, balance), version) in accounts.into_iter().zip(found).zip(versions) {
            let balance = balance.as_ref();
            world.oracle.read(account, balance, &freshness, version);
        }
    }
}
