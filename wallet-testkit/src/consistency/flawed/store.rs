use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustc_hash::FxHashMap;

use super::{Flaw, PER_MILLE};
use crate::ManualClock;
use crate::deterministic::Rng;
use wallet_core::ledger::{
    AccountKey, Epochs, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::memory::MemoryStore;
use wallet_core::request::{Batch, ReadSet};
use wallet_core::runtime::Clock;
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, HoldQuery, HoldReferenceQuery, LedgerStore, Limits,
    PendingSums, Purge, ReferenceQuery, Snapshot, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, StoreError, Timestamp};

/// A memory store with delays and a flaw.
#[derive(Debug)]
pub(super) struct FlawedStore {
    pub(super) inner: MemoryStore,
    pub(super) flaw: Option<Flaw>,
    clock: Arc<ManualClock>,
    rng: Rng,
    /// Commits run one at a time, as if each had all locks.
    pub(super) committing: tokio::sync::Mutex<()>,
    /// Accounts before their latest change.
    before: Mutex<Accounts>,
    /// The accounts of the replica.
    replica: Mutex<Accounts>,
}

pub(super) type Accounts = FxHashMap<AccountKey, Account>;

impl FlawedStore {
    pub(super) fn new(flaw: Option<Flaw>, clock: Arc<ManualClock>, rng: Rng) -> Self {
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        Self {
            inner: MemoryStore::new(time),
            flaw,
            clock,
            rng,
            committing: tokio::sync::Mutex::default(),
            before: Mutex::default(),
            replica: Mutex::default(),
        }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Whether this flaw shows now.
    pub(super) fn strikes(&self, flaw: Flaw) -> bool {
        self.has(flaw) && self.rng.chance(PER_MILLE)
    }

    pub(super) async fn pause(&self) {
        let pause: Duration = self.rng.delay(10);
        self.clock.sleep(pause).await;
    }

    pub(super) fn before(&self) -> MutexGuard<'_, Accounts> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn replica(&self) -> MutexGuard<'_, Accounts> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn found(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        if self.has(Flaw::ReadsFromReplica) && self.rng.chance(500) {
            let replica = self.replica();
            return Ok(keys.iter().map(|key| replica.get(key).cloned()).collect());
        }
        if self.strikes(Flaw::ReadsOneByOne) {
            let mut found = Vec::new();
            for key in keys {
                found.extend(self.inner.accounts(&[*key]).await?);
                self.pause().await;
            }
            return Ok(found);
        }
        let mut found = self.inner.accounts(keys).await?;
        let (stale, torn) = (
            self.strikes(Flaw::ReadsStale),
            self.strikes(Flaw::ReadsTornRows),
        );
        for account in found.iter_mut().flatten() {
            let Some(before) = self.before().get(&account.state.key).cloned() else {
                continue;
            };
            if stale {
                *account = before;
            } else if torn {
                account.state.counters = before.state.counters;
            }
        }
        Ok(found)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LedgerStore for FlawedStore {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError> {
        self.pause().await;
        let committed = self.commit(&batch).await;
        self.pause().await;
        committed
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        self.pause().await;
        let found = self.found(keys).await;
        self.pause().await;
        found
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        let epoch = self.inner.epochs().await?.current();
        let found = self.accounts(keys).await?.into_iter();
        Ok(found
            .map(|one| one.map(|account| Balance::of(&account.state, epoch)))
            .collect())
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError> {
        self.inner.snapshot(reads).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        self.inner.records(keys).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        self.inner.list_accounts(query).await
    }

    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError> {
        self.inner.transfers(keys).await
    }

    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.inner.list_transfers(query).await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError> {
        self.inner.holds(keys).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError> {
        self.inner.list_holds(query).await
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError> {
        self.inner.referenced_holds(query).await
    }

    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.inner.captures(query).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError> {
        self.inner.expired_holds(limit).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        self.inner.entries(query).await
    }

    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        self.inner.balance_at(account, at).await
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        self.inner.ledgers().await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError> {
        self.inner.trial_balance(ledger).await
    }

    async fn epochs(&self) -> Result<Epochs, StoreError> {
        self.inner.epochs().await
    }

    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError> {
        self.inner.raise_epoch(restored_to, by).await
    }

    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError> {
        self.inner.pending_sums(accounts).await
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError> {
        self.inner.purgeable(purge).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64, StoreError> {
        self.inner.purge(purge).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.inner.probe().await
    }
}
