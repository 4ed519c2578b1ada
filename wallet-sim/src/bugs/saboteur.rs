use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use wallet_core::ledger::{AccountKey, HoldKey, PastBalance, RecordKey};
use wallet_core::memory::{MemoryStore, OutboxTables};
use wallet_core::request::Batch;
use wallet_core::store::{Committed, LedgerStore, Snapshot};
use wallet_core::{StoreError, Timestamp, test_hooks};

use super::super::Rng;
use super::Bug;

/// The time by which an early sweep is early.
pub(super) const EARLY: Duration = Duration::from_millis(500);
/// The life of records that are deleted early.
const KEPT: Duration = Duration::from_millis(200);

/// A wrapper between a [`FaultyStore`](super::super::FaultyStore) and its inner
/// store. It injects a bug.
#[async_trait]
pub trait Sabotage: Debug + Send + Sync + 'static {
    /// Reads the snapshot before the commit waits for its locks, if the bug decides
    /// on that snapshot.
    fn read_early(&self, batch: &Batch) -> Option<Snapshot>;

    /// Commits `batch`.
    ///
    /// # Errors
    /// The errors of the store.
    async fn transact(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
        circumstances: Circumstances,
    ) -> Result<Committed, StoreError>;

    /// Runs when `batch` is rolled back.
    fn roll_back(&self, batch: &Batch);

    /// Returns holds to expire.
    ///
    /// # Errors
    /// The errors of the store.
    async fn expired_holds(
        &self,
        inner: &dyn LedgerStore,
        limit: u32,
    ) -> Result<Vec<HoldKey>, StoreError>;

    /// Returns a balance at a past time.
    ///
    /// # Errors
    /// The errors of the store.
    async fn balance_at(
        &self,
        inner: &dyn LedgerStore,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError>;
}

/// The circumstances of a commit.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The snapshot that was [read early](Sabotage::read_early).
    pub early: Option<Snapshot>,
    /// Whether this commit is the rest of a batch whose other requests could not
    /// lock their accounts.
    pub is_rest: bool,
}

/// Plants the [`Bug`]s of a store in a [`MemoryStore`].
#[derive(Debug)]
pub struct Saboteur {
    pub(super) bug: Bug,
    pub(super) store: Arc<MemoryStore>,
    rng: Rng,
    per_mille: u64,
    /// The payload of the outbox row that waits for the next commit.
    late: Mutex<Vec<Vec<u8>>>,
}

impl Saboteur {
    /// Plants `bug` in `store`. A bug that strikes sometimes does so in `per_mille`
    /// of 1,000 commits.
    #[must_use]
    pub const fn new(bug: Bug, store: Arc<MemoryStore>, rng: Rng, per_mille: u64) -> Self {
        Self {
            bug,
            store,
            rng,
            per_mille,
            late: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn forget_records(&self, keys: &[RecordKey]) {
        let mut tables = self.store.shared().tables();
        for key in keys {
            if let Some(record) = tables.records.remove(key) {
                tables.record_order.remove(&(record.written_at, *key));
            }
        }
    }

    fn forget_old_records(&self) {
        let now = self.store.shared().now();
        let mut tables = self.store.shared().tables();
        let oldest = now.saturating_sub(KEPT);
        while let Some(first) = tables.record_order.first().copied()
            && first.0 < oldest
        {
            tables.record_order.remove(&first);
            tables.records.remove(&first.1);
        }
    }

    fn outbox(&self) -> OutboxTables {
        self.store.shared().tables().outbox.clone()
    }

    /// Commits with this outbox instead of the written one.
    async fn without_events(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
    ) -> Result<Committed, StoreError> {
        let outbox = self.outbox();
        let committed = inner.transact(batch).await;
        self.store.shared().tables().outbox = outbox;
        committed
    }

    /// Writes the outbox row of the previous commit, and holds back the row of this
    /// one.
    async fn with_events_later(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
    ) -> Result<Committed, StoreError> {
        let snapshot = inner.snapshot(batch.reads()).await?;
        let payload = wallet_core::decide::decide(&batch, &snapshot)
            .changes
            .outbox_payload();
        let committed = self.without_events(inner, batch).await?;
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = self.store.shared();
        let mut tables = shared.tables();
        for row in late.drain(..) {
            tables.outbox.append(row, shared.now());
        }
        late.extend(payload);
        Ok(committed)
    }

    async fn lose_update(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
    ) -> Result<Committed, StoreError> {
        let accounts = self.store.shared().tables().accounts.clone();
        let committed = inner.transact(Arc::clone(&batch)).await;
        let mut tables = self.store.shared().tables();
        let touched = &batch.reads().accounts;
        if let Some(before) = touched.iter().find_map(|key| accounts.get(key)) {
            tables.accounts.insert(before.state.key, before.clone());
        }
        committed
    }
}

#[async_trait]
impl Sabotage for Saboteur {
    fn read_early(&self, batch: &Batch) -> Option<Snapshot> {
        self.reads_early().then(|| {
            let shared = self.store.shared();
            let now = shared.now();
            shared.tables().snapshot(batch.reads(), now, |_| true)
        })
    }

    async fn transact(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
        circumstances: Circumstances,
    ) -> Result<Committed, StoreError> {
        if self.distorts_snapshots() {
            return self.commit_distorted(&batch, circumstances.early);
        }
        let strikes = self.rng.chance(self.per_mille);
        match self.bug {
            Bug::RecordsAfterCommit if strikes => {
                let committed = inner.transact(Arc::clone(&batch)).await;
                self.forget_records(&batch.reads().keys);
                committed
            }
            Bug::RecordsBeforeCommit if strikes => {
                let accounts = self.store.shared().tables().clone();
                let committed = inner.transact(batch).await;
                let mut tables = self.store.shared().tables();
                let after = std::mem::replace(&mut *tables, accounts);
                tables.records = after.records;
                tables.record_order = after.record_order;
                committed
            }
            Bug::AppliesTwice if strikes => {
                inner.transact(Arc::clone(&batch)).await?;
                self.forget_records(&batch.reads().keys);
                inner.transact(batch).await
            }
            Bug::LosesCommit if strikes => {
                let snapshot = inner.snapshot(batch.reads()).await?;
                let decided = wallet_core::decide::decide(&batch, &snapshot).decided;
                Ok(Committed { decided })
            }
            Bug::LosesUpdate if strikes => self.lose_update(inner, batch).await,
            Bug::LosesEvents if strikes => self.without_events(inner, batch).await,
            Bug::LosesEventsOfSplits if circumstances.is_rest => {
                self.without_events(inner, batch).await
            }
            Bug::WritesEventsLater => self.with_events_later(inner, batch).await,
            Bug::ForgetsKeysEarly => {
                self.forget_old_records();
                inner.transact(batch).await
            }
            _ => inner.transact(batch).await,
        }
    }

    fn roll_back(&self, batch: &Batch) {
        if self.bug != Bug::TellsWhatIsRolledBack {
            return;
        }
        let shared = self.store.shared();
        let now = shared.now();
        let mut tables = shared.tables();
        let snapshot = tables.snapshot(batch.reads(), now, |_| true);
        if let Some(payload) = wallet_core::decide::decide(batch, &snapshot)
            .changes
            .outbox_payload()
        {
            tables.outbox.append(payload, now);
        }
    }

    async fn expired_holds(
        &self,
        inner: &dyn LedgerStore,
        limit: u32,
    ) -> Result<Vec<HoldKey>, StoreError> {
        if self.bug != Bug::SweepsEarly {
            return inner.expired_holds(limit).await;
        }
        let shared = self.store.shared();
        let soon = shared.now().saturating_add(EARLY);
        Ok(test_hooks::expired_holds(&shared.tables(), soon, limit))
    }

    async fn balance_at(
        &self,
        inner: &dyn LedgerStore,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        let before = self.store.shared().tables().accounts.get(&account).cloned();
        let answer = inner.balance_at(account, at).await;
        if let (Bug::AnswersPastUnfenced, Some(before)) = (self.bug, before) {
            let mut tables = self.store.shared().tables();
            tables.accounts.insert(account, before);
        }
        answer
    }
}
