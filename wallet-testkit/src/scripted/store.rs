//! The ports of a scripted store. All but commits go to the store within.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::ledger::{
    AccountKey, Epochs, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::request::{Batch, ReadSet};
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, EventIndex, HoldQuery, HoldReferenceQuery, Lease,
    LedgerStore, Limits, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent, PendingSums,
    Purge, ReferenceQuery, Resolution, RowId, RowProgress, Snapshot, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, StoreError, Timestamp};

use super::{Ending, ScriptedStore};

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: LedgerStore> LedgerStore for ScriptedStore<S> {
    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError> {
        match self.ending().await? {
            Ending::Answered => self.store.transact(batch).await,
            Ending::AnswerLost => {
                self.store.transact(batch).await?;
                Err(Ending::unknown())
            }
            Ending::NotDone => Err(Ending::unknown()),
        }
    }

    fn limits(&self) -> Limits {
        self.store.limits()
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError> {
        self.store.snapshot(reads).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        self.store.records(keys).await
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        self.store.accounts(keys).await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        self.store.balances(keys).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        self.store.list_accounts(query).await
    }

    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError> {
        self.store.transfers(keys).await
    }

    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.store.list_transfers(query).await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError> {
        self.store.holds(keys).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError> {
        self.store.list_holds(query).await
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError> {
        self.store.referenced_holds(query).await
    }

    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.store.captures(query).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError> {
        self.store.expired_holds(limit).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(query).await
    }

    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        self.store.balance_at(account, at).await
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        self.store.ledgers().await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError> {
        self.store.trial_balance(ledger).await
    }

    async fn epochs(&self) -> Result<Epochs, StoreError> {
        self.store.epochs().await
    }

    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError> {
        self.store.raise_epoch(restored_to, by).await
    }

    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError> {
        self.store.pending_sums(accounts).await
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError> {
        self.store.purgeable(purge).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64, StoreError> {
        self.store.purge(purge).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Outbox> Outbox for ScriptedStore<S> {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError> {
        self.store.acquire(owner, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError> {
        self.store.renew(lease, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), OutboxError> {
        self.store.release(lease).await
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        self.store.claim(lease, skip, limit).await
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError> {
        self.store.mark_done(lease, progress).await
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError> {
        self.store.reopen(lease).await
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError> {
        self.store.park(lease, event).await
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>, OutboxError> {
        self.store.parked().await
    }

    async fn unpark(
        &self,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError> {
        self.store.unpark(row, index, resolution).await
    }

    async fn depth(&self) -> Result<OutboxDepth, OutboxError> {
        self.store.depth().await
    }
}
