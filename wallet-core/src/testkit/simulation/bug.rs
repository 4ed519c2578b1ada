use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::memory::MemoryStore;
use crate::{Batch, Committed, LedgerStore, StoreError};

use super::Rng;

/// A bug planted on purpose, to prove that a simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bug {
    /// The store reads idempotency records before it waits for a commit under
    /// way, and so misses the record that this commit makes.
    KeysReadBeforeWait,
    /// Now and then the store commits effects without their records.
    ForgetsRecord,
    /// Now and then a commit reaches the store twice and has effect twice.
    AppliesTwice,
    /// Now and then the store answers a commit that it does not make.
    LosesCommit,
    /// Now and then an account's row is written over with an older one.
    LosesUpdate,
    /// Now and then a commit goes without its row in the outbox.
    LosesEvents,
    /// A process says that nothing was done where nobody knows.
    CallsUnknownNotDone,
    /// A process answers now and then before it has committed, and never does.
    AnswersWithoutCommit,
    /// A client whose answer is lost asks again under a new key.
    RetriesUnderNewKey,
    /// A client takes a lost answer for a failure.
    TakesSilenceForFailure,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::KeysReadBeforeWait,
        Self::ForgetsRecord,
        Self::AppliesTwice,
        Self::LosesCommit,
        Self::LosesUpdate,
        Self::LosesEvents,
        Self::CallsUnknownNotDone,
        Self::AnswersWithoutCommit,
        Self::RetriesUnderNewKey,
        Self::TakesSilenceForFailure,
    ];
}

/// Stands between a [`FaultyStore`](super::FaultyStore) and the store behind
/// it, and commits wrongly.
#[async_trait]
pub trait Sabotage: Debug + Send + Sync + 'static {
    /// Commits `batch`; `waited` says whether it had to wait for a commit
    /// under way.
    ///
    /// # Errors
    /// Those of the store.
    async fn transact(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
        waited: bool,
    ) -> Result<Committed, StoreError>;
}

/// Plants the [`Bug`]s of a store in a [`MemoryStore`].
#[derive(Debug)]
pub struct Saboteur {
    bug: Bug,
    store: Arc<MemoryStore>,
    rng: Rng,
    per_mille: u64,
}

impl Saboteur {
    /// Plants `bug` in `store`, to strike in `per_mille` of a thousand commits
    /// where it strikes now and then.
    #[must_use]
    pub const fn new(bug: Bug, store: Arc<MemoryStore>, rng: Rng, per_mille: u64) -> Self {
        Self {
            bug,
            store,
            rng,
            per_mille,
        }
    }

    fn forget_records(&self, batch: &Batch) {
        let mut tables = self.store.shared().tables();
        for key in &batch.reads().keys {
            if let Some(record) = tables.records.remove(key) {
                tables.record_order.remove(&(record.written_at, *key));
            }
        }
    }
}

#[async_trait]
impl Sabotage for Saboteur {
    async fn transact(
        &self,
        inner: &dyn LedgerStore,
        batch: Arc<Batch>,
        waited: bool,
    ) -> Result<Committed, StoreError> {
        let strikes = self.rng.chance(self.per_mille);
        match self.bug {
            Bug::KeysReadBeforeWait if waited => {
                self.forget_records(&batch);
                inner.transact(batch).await
            }
            Bug::ForgetsRecord if strikes => {
                let committed = inner.transact(Arc::clone(&batch)).await;
                self.forget_records(&batch);
                committed
            }
            Bug::AppliesTwice if strikes => {
                inner.transact(Arc::clone(&batch)).await?;
                self.forget_records(&batch);
                inner.transact(batch).await
            }
            Bug::LosesCommit if strikes => {
                let snapshot = inner.snapshot(batch.reads()).await?;
                let decided = batch.decide(&snapshot).decided;
                Ok(Committed { decided })
            }
            Bug::LosesUpdate if strikes => {
                let accounts = self.store.shared().tables().accounts.clone();
                let committed = inner.transact(Arc::clone(&batch)).await;
                let mut tables = self.store.shared().tables();
                if let Some(before) = batch
                    .reads()
                    .accounts
                    .iter()
                    .find_map(|key| accounts.get(key))
                {
                    tables.accounts.insert(before.state.key, before.clone());
                }
                committed
            }
            Bug::LosesEvents if strikes => {
                let outbox = self.store.shared().tables().outbox.clone();
                let committed = inner.transact(batch).await;
                self.store.shared().tables().outbox = outbox;
                committed
            }
            _ => inner.transact(batch).await,
        }
    }
}
