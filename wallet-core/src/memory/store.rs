use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::Tables;
use crate::ledger::{
    Account, AccountKey, Balance, Entry, Epochs, Hold, HoldKey, LedgerId, PastBalance, RaisedBy,
    RaisedEpoch, Record, RecordKey, Timestamp, TransferKey, TransferWithReversals,
};
use crate::request::{Batch, ReadSet};
use crate::runtime::Clock;
use crate::store::{
    AccountQuery, CaptureQuery, Committed, EntryQuery, EventIndex, HoldQuery, HoldReferenceQuery,
    Lease, LedgerStore, Limits, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    PendingSums, Purge, ReferenceQuery, Resolution, RowId, RowProgress, Snapshot, StoreError,
    TrialBalance,
};

/// The commit policy of a [`Store`].
#[async_trait]
pub trait CommitPolicy: Debug + Send + Sync + 'static {
    /// The limits of one transaction.
    fn limits(&self) -> Limits;

    /// Whether no foreign transaction has locked `account`.
    fn is_free(&self, account: AccountKey) -> bool;

    /// See [`LedgerStore::transact`].
    ///
    /// # Errors
    /// The errors of [`LedgerStore::transact`].
    async fn transact(&self, shared: &Shared, batch: &Batch) -> Result<Committed, StoreError>;
}

/// The tables behind one lock, with the clock.
#[derive(Debug, Clone)]
pub struct Shared {
    tables: Arc<Mutex<Tables>>,
    clock: Arc<dyn Clock>,
}

impl Shared {
    /// Locks the tables.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// An in-memory store. Clones share the tables.
#[derive(Debug, Clone)]
pub struct Store<P> {
    shared: Shared,
    policy: P,
}

impl<P> Store<P> {
    pub(super) fn with_policy(clock: Arc<dyn Clock>, policy: P) -> Self {
        let tables = Arc::default();
        Self {
            shared: Shared { tables, clock },
            policy,
        }
    }

    pub(super) const fn policy(&self) -> &P {
        &self.policy
    }

    /// The tables, for tests that read or damage them.
    #[must_use]
    pub const fn shared(&self) -> &Shared {
        &self.shared
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: CommitPolicy> LedgerStore for Store<P> {
    fn limits(&self) -> Limits {
        self.policy.limits()
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError> {
        self.policy.transact(&self.shared, &batch).await
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError> {
        let now = self.shared.now();
        Ok(self.shared.tables().snapshot(reads, now, |_| true))
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        let tables = self.shared.tables();
        Ok(keys.iter().map(|key| tables.record(*key)).collect())
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        let tables = self.shared.tables();
        Ok(keys
            .iter()
            .map(|key| tables.accounts.get(key).cloned())
            .collect())
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        let tables = self.shared.tables();
        let epoch = tables.epochs.current();
        let accounts = keys.iter().map(|key| tables.accounts.get(key));
        let balances = accounts.map(|one| one.map(|account| Balance::of(&account.state, epoch)));
        Ok(balances.collect())
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        Ok(self.shared.tables().list_accounts(query))
    }

    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError> {
        let tables = self.shared.tables();
        Ok(keys
            .iter()
            .map(|key| tables.transfers.get(key).cloned())
            .collect())
    }

    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        Ok(self.shared.tables().list_transfers(query))
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError> {
        let tables = self.shared.tables();
        Ok(keys
            .iter()
            .map(|key| tables.holds.get(key).cloned())
            .collect())
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError> {
        Ok(self.shared.tables().list_holds(query))
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError> {
        Ok(self.shared.tables().referenced_holds(query))
    }

    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        Ok(self.shared.tables().captures(query))
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError> {
        let now = self.shared.now();
        Ok(self.shared.tables().expired_holds(now, limit))
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        Ok(self.shared.tables().entries(query))
    }

    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        let mut tables = self.shared.tables();
        let now = self.shared.now();
        tables.balance_at(account, at, now)
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        Ok(self.shared.tables().ledgers())
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError> {
        Ok(self.shared.tables().trial_balance(ledger))
    }

    async fn epochs(&self) -> Result<Epochs, StoreError> {
        Ok(self.shared.tables().epochs.clone())
    }

    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError> {
        let mut tables = self.shared.tables();
        let now = self.shared.now();
        tables.raise_epoch(restored_to, by, now)
    }

    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError> {
        Ok(self.shared.tables().pending_sums(accounts))
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError> {
        let now = self.shared.now();
        Ok(self.shared.tables().purgeable(purge, now))
    }

    async fn purge(&self, purge: Purge) -> Result<u64, StoreError> {
        let now = self.shared.now();
        Ok(self.shared.tables().purge(purge, now))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        // A store in memory can always commit.
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: CommitPolicy> Outbox for Store<P> {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError> {
        let now = self.shared.now();
        self.shared.tables().outbox.acquire(owner, ttl, now)
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError> {
        let now = self.shared.now();
        self.shared.tables().outbox.renew(lease, ttl, now)
    }

    async fn release(&self, lease: &Lease) -> Result<(), OutboxError> {
        let now = self.shared.now();
        self.shared.tables().outbox.release(lease, now)
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError> {
        let now = self.shared.now();
        self.shared.tables().outbox.reopen(lease, now)
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        let (now, limit) = (
            self.shared.now(),
            usize::try_from(limit).unwrap_or(usize::MAX),
        );
        self.shared.tables().outbox.claim(lease, skip, limit, now)
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError> {
        let now = self.shared.now();
        self.shared.tables().outbox.mark_done(lease, progress, now)
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError> {
        let now = self.shared.now();
        self.shared.tables().outbox.park(lease, event, now)
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>, OutboxError> {
        Ok(self.shared.tables().outbox.parked())
    }

    async fn unpark(
        &self,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError> {
        let mut tables = self.shared.tables();
        Ok(tables.outbox.unpark(row, index, resolution))
    }

    async fn depth(&self) -> Result<OutboxDepth, OutboxError> {
        Ok(self.shared.tables().outbox.depth())
    }
}
