use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::StoreError;
use wallet_core::memory::MemoryStore;
use wallet_core::store::{
    EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent, Resolution, RowId,
    RowProgress, StoreErrorKind,
};
use wallet_events::RelayState;

use crate::kit::{World, assert_in_order, spawn};
use crate::relay::publisher::Recorder;

/// An outbox whose calls fail at random, before or after their effect.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<MemoryStore>,
    rng: Mutex<fastrand::Rng>,
    percent: AtomicU64,
    fails_renewals: AtomicBool,
    /// How often a relay tried to take the outbox.
    pub(crate) acquires: AtomicU64,
    /// Rows from this number on have an unknown format.
    newer_from: Mutex<Option<RowId>>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            rng: Mutex::new(fastrand::Rng::with_seed(1)),
            percent: AtomicU64::new(0),
            fails_renewals: AtomicBool::new(false),
            acquires: AtomicU64::new(0),
            newer_from: Mutex::new(None),
        })
    }

    pub(crate) fn fails_renewals(&self, fails: bool) {
        self.fails_renewals.store(fails, Ordering::Relaxed);
    }

    pub(crate) fn is_down(&self, is_down: bool) {
        let percent = if is_down { 100 } else { 0 };
        self.percent.store(percent, Ordering::Relaxed);
    }

    fn fails(&self) -> Result<(), OutboxError> {
        let percent = self.percent.load(Ordering::Relaxed);
        if self.rng.lock().unwrap().u64(..100) < percent {
            let error = StoreError::new(StoreErrorKind::Unavailable, "the database is away");
            return Err(error.into());
        }
        Ok(())
    }
}

#[async_trait]
impl Outbox for Faulty {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError> {
        self.acquires.fetch_add(1, Ordering::Relaxed);
        self.fails()?;
        self.inner.acquire(owner, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError> {
        if self.fails_renewals.load(Ordering::Relaxed) {
            let error = StoreError::new(StoreErrorKind::Unavailable, "no answer");
            return Err(error.into());
        }
        self.inner.renew(lease, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), OutboxError> {
        self.inner.release(lease).await
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        self.fails()?;
        let mut rows = self.inner.claim(lease, skip, limit).await?;
        if let Some(from) = *self.newer_from.lock().unwrap() {
            for row in rows.iter_mut().filter(|row| row.id >= from) {
                row.payload[0] = 250;
            }
        }
        Ok(rows)
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError> {
        self.fails()?;
        self.inner.mark_done(lease, progress).await?;
        self.fails()
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError> {
        self.fails()?;
        self.inner.reopen(lease).await
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError> {
        self.fails()?;
        self.inner.park(lease, event).await?;
        self.fails()
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>, OutboxError> {
        self.fails()?;
        self.inner.parked().await
    }

    async fn unpark(
        &self,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError> {
        self.inner.unpark(row, index, resolution).await
    }

    async fn depth(&self) -> Result<OutboxDepth, OutboxError> {
        self.inner.depth().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_now_and_then_costs_time_and_nothing_else() {
    let world = World::new();
    let recorder = Recorder::new();
    let outbox = Faulty::new(Arc::clone(&world.store));
    outbox.percent.store(40, Ordering::Relaxed);
    let relay = world.relay_on(
        Arc::<Faulty>::clone(&outbox),
        Arc::<Recorder>::clone(&recorder),
        World::settings("first"),
    );
    let running = spawn(&relay);
    let [ada, bob, carl] = world.accounts().await;
    for _ in 0..50 {
        world.pay(ada, bob).await;
        world.pay(bob, carl).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.drained().await;
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
    assert_eq!(recorder.published().len(), 206);
    let stats = relay.stats();
    assert!(stats.store_failures > 20, "{stats:?}");
    let failure = stats.last_failure.unwrap();
    assert!(failure.contains("the database is away"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn behind_a_row_of_a_newer_format_nothing_is_published() {
    let world = World::new();
    let recorder = Recorder::new();
    let outbox = Faulty::new(Arc::clone(&world.store));
    world.accounts::<3>().await;
    *outbox.newer_from.lock().unwrap() = Some(4);
    let relay = world.relay_on(
        Arc::<Faulty>::clone(&outbox),
        Arc::<Recorder>::clone(&recorder),
        World::settings("first"),
    );
    let running = spawn(&relay);
    world.until_rows(3).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(world.store.depth().await.unwrap().rows, 3);
    match relay.stats().state {
        RelayState::Halted { row, reason } => {
            assert_eq!(row, 4);
            assert!(!reason.is_empty());
        }
        state => panic!("{state:?}"),
    }
    // A release that can read it continues where this one stopped.
    *outbox.newer_from.lock().unwrap() = None;
    world.drained().await;
    assert_eq!(relay.stats().state, RelayState::Active);
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
    assert_eq!(recorder.published().len(), 6);
}
