use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{CommitPolicy, MemoryStore, Shared};
use crate::ledger::AccountKey;
use crate::request::Batch;
use crate::runtime::Clock;
use crate::store::{Committed, Limits, StoreError};

/// Commits under one lock. An account that a host's transaction has locked
/// ([`MemoryStore::lock_account`]) is left out, as `SKIP LOCKED` does.
#[derive(Debug, Clone, Default)]
pub struct Pessimistic {
    foreign: Arc<Mutex<BTreeSet<AccountKey>>>,
}

impl Pessimistic {
    fn foreign(&self) -> MutexGuard<'_, BTreeSet<AccountKey>> {
        self.foreign.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CommitPolicy for Pessimistic {
    fn limits(&self) -> Limits {
        Limits {
            requests: 10_000,
            rows: 1_000_000,
            bytes: 1 << 30,
        }
    }

    fn is_free(&self, account: AccountKey) -> bool {
        !self.foreign().contains(&account)
    }

    async fn transact(&self, shared: &Shared, batch: &Batch) -> Result<Committed, StoreError> {
        let mut tables = shared.tables();
        let now = shared.now();
        let snapshot = tables.snapshot(batch.reads(), now, |key| self.is_free(key));
        let decision = crate::decide::decide(batch, &snapshot);
        tables.apply(&decision.changes, now)?;
        Ok(Committed {
            decided: decision.decided,
        })
    }
}

impl MemoryStore {
    /// An empty store with the time from `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_policy(clock, Pessimistic::default())
    }

    /// Locks `account` as a host's transaction would, until the guard is dropped.
    /// Returns `None` while another guard holds the lock.
    #[must_use]
    pub fn lock_account(&self, account: AccountKey) -> Option<AccountLock> {
        let policy = self.policy().clone();
        let is_free = policy.foreign().insert(account);
        is_free.then_some(AccountLock { policy, account })
    }

    /// Whether no foreign transaction has locked `account`.
    #[cfg(feature = "test-hooks")]
    pub(crate) fn can_lock(&self, account: AccountKey) -> bool {
        self.policy().is_free(account)
    }
}

/// The lock of an account by a foreign transaction. Dropping it releases the lock.
#[derive(Debug)]
pub struct AccountLock {
    policy: Pessimistic,
    account: AccountKey,
}

impl Drop for AccountLock {
    fn drop(&mut self) {
        self.policy.foreign().remove(&self.account);
    }
}
