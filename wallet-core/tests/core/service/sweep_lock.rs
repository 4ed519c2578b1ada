//! Of many processes one sweeps expired holds.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::ledger::{LockName, LockOwner};
use wallet_core::locks::{LockError, LockLease, LockManager};
use wallet_core::memory::MemoryLocks;
use wallet_core::store::StoreErrorKind;
use wallet_core::{PlaceHold, Request, Settings, StoreError};

use crate::service::world::{JumpClock, World, account, euros, key, settle};

fn sweeping() -> Settings {
    Settings {
        sweep_interval: Some(Duration::from_secs(2)),
        ..Settings::default()
    }
}

fn owner(name: &str) -> LockOwner {
    LockOwner::new(name).unwrap()
}

/// A world with a hold that has expired.
async fn with_lock(locks: Arc<dyn LockManager>) -> World {
    let world = World::built(sweeping(), |builder| builder.sweep_lock(locks, owner("a"))).await;
    let hold = PlaceHold::new(account(1), account(2), euros(30));
    let hold = hold.with_expires_in(Duration::from_millis(1));
    let placed = world
        .wallet
        .submit_raw(Request::new(key("hold"), hold))
        .await;
    placed.unwrap().accepted().unwrap();
    world
}

async fn until_swept(world: &World) {
    while world.wallet.stats().expired == 0 {
        settle().await;
    }
}

#[tokio::test]
async fn who_has_the_lock_sweeps() {
    let world = with_lock(Arc::new(MemoryLocks::new(JumpClock::new()))).await;
    until_swept(&world).await;
    assert_eq!(world.wallet.stats().sweeps_left, 0);
}

#[tokio::test]
async fn who_has_it_not_leaves_it_until_the_lease_has_ended() {
    let clock = JumpClock::new();
    let locks = Arc::new(MemoryLocks::new(clock.clone()));
    let name = LockName::new("wallet-sweep").unwrap();
    let day = Duration::from_secs(86_400);
    let held = locks.acquire(&name, &owner("b"), day).await.unwrap();
    let world = with_lock(Arc::<MemoryLocks>::clone(&locks)).await;
    while world.wallet.stats().sweeps_left < 5 {
        settle().await;
    }
    assert_eq!(world.wallet.stats().expired, 0);
    locks.release(&held.unwrap()).await.unwrap();
    until_swept(&world).await;
}

/// A lock service that fails, or never answers.
#[derive(Debug)]
struct Failing {
    is_silent: bool,
}

fn failed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "as scripted")
}

#[async_trait]
impl LockManager for Failing {
    async fn acquire(
        &self,
        _: &LockName,
        _: &LockOwner,
        _: Duration,
    ) -> Result<Option<LockLease>, StoreError> {
        if self.is_silent {
            pending::<()>().await;
        }
        Err(failed())
    }

    async fn renew(&self, _: &LockLease, _: Duration) -> Result<LockLease, LockError> {
        Err(failed().into())
    }

    async fn release(&self, _: &LockLease) -> Result<(), LockError> {
        Err(failed().into())
    }
}

#[tokio::test]
async fn without_the_lock_service_everybody_sweeps() {
    for is_silent in [false, true] {
        let world = with_lock(Arc::new(Failing { is_silent })).await;
        until_swept(&world).await;
        assert_eq!(world.wallet.stats().sweeps_left, 0);
    }
}
