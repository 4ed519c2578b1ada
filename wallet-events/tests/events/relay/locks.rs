//! A lock service beside the lease: it saves database queries and does not guard the
//! outbox.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::StoreError;
use wallet_core::ledger::{LockName, LockOwner};
use wallet_core::locks::{LockError, LockLease, LockManager};
use wallet_core::memory::MemoryLocks;
use wallet_events::{Relay, RelayState};

use crate::kit::{World, assert_in_order, spawn};
use crate::relay::publisher::Recorder;
use crate::relay::stores::Faulty;

/// A relay, and its view of the database.
fn relay(
    world: &World,
    recorder: &Arc<Recorder>,
    locks: &Arc<dyn LockManager>,
    name: &str,
) -> (Relay, Arc<Faulty>) {
    let outbox = Faulty::new(Arc::clone(&world.store));
    let publisher = Arc::<Recorder>::clone(recorder);
    let builder = world.builder(
        Arc::<Faulty>::clone(&outbox),
        publisher,
        World::settings(name),
    );
    let owner = LockOwner::new(name).unwrap();
    let relay = builder.lock(Arc::clone(locks), owner).build().unwrap();
    (relay, outbox)
}

fn memory(world: &World) -> Arc<dyn LockManager> {
    Arc::new(MemoryLocks::new(world.clock.clone()))
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_asks_the_lock_service_and_takes_over_when_the_other_dies() {
    let world = World::new();
    let (recorder, locks) = (Recorder::new(), memory(&world));
    let (first, _) = relay(&world, &recorder, &locks, "first");
    let (second, seen) = relay(&world, &recorder, &locks, "second");
    let running = spawn(&first);
    let [ada, bob] = world.accounts().await;
    world.drained().await;
    let standby = spawn(&second);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(first.stats().state, RelayState::Active);
    assert_eq!(first.stats().takeovers, 1);
    assert_eq!(seen.acquires.load(Ordering::Relaxed), 0);

    running.kill().await;
    world.pay(ada, bob).await;
    world.drained().await;
    assert_eq!(second.stats().state, RelayState::Active);
    standby.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
}

#[tokio::test(start_paused = true)]
async fn who_stops_passes_the_turn_at_once() {
    let world = World::new();
    let (recorder, locks) = (Recorder::new(), memory(&world));
    let (first, _) = relay(&world, &recorder, &locks, "first");
    let running = spawn(&first);
    world.accounts::<1>().await;
    world.drained().await;
    running.stop().await;
    let name = LockName::new("wallet-relay").unwrap();
    let other = LockOwner::new("other").unwrap();
    let taken = locks.acquire(&name, &other, Duration::from_secs(1)).await;
    assert!(taken.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_cannot_reach_the_database_passes_the_turn() {
    let world = World::new();
    let (recorder, locks) = (Recorder::new(), memory(&world));
    let (first, seen) = relay(&world, &recorder, &locks, "first");
    seen.is_down(true);
    let cut_off = spawn(&first);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (second, _) = relay(&world, &recorder, &locks, "second");
    let running = spawn(&second);
    world.accounts::<2>().await;
    world.drained().await;
    assert_eq!(second.stats().state, RelayState::Active);
    running.stop().await;
    cut_off.stop().await;
}

#[derive(Debug)]
struct Silent;

#[async_trait]
impl LockManager for Silent {
    async fn acquire(
        &self,
        _: &LockName,
        _: &LockOwner,
        _: Duration,
    ) -> Result<Option<LockLease>, StoreError> {
        pending().await
    }

    async fn renew(&self, _: &LockLease, _: Duration) -> Result<LockLease, LockError> {
        pending().await
    }

    async fn release(&self, _: &LockLease) -> Result<(), LockError> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_service_that_never_answers_stops_nobody() {
    let world = World::new();
    let recorder = Recorder::new();
    let locks: Arc<dyn LockManager> = Arc::new(Silent);
    let (first, _) = relay(&world, &recorder, &locks, "first");
    let (second, _) = relay(&world, &recorder, &locks, "second");
    let (one, other) = (spawn(&first), spawn(&second));
    world.accounts::<2>().await;
    world.drained().await;
    one.stop().await;
    other.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
}
