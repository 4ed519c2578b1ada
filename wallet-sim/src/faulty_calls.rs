use std::sync::Arc;

use async_trait::async_trait;

use wallet_core::ledger::{
    AccountKey, Epochs, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::request::{Batch, ReadSet};
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, HoldQuery, HoldReferenceQuery, LedgerStore, Limits,
    PendingSums, Purge, ReferenceQuery, Snapshot, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, StoreError, Timestamp};

use super::FaultyStore;
use super::faulty_store::WAIT_MAX;
use super::under_way::Locks;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl LedgerStore for FaultyStore {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError> {
        let fault = self.plan.on_commit();
        let count = batch.requests().len();
        self.note(format_args!("store: commit of {count}, {fault:?}"));
        let result = self.commit(batch, fault).await;
        if let Err(error) = &result {
            self.note(format_args!("store: {error}"));
        }
        result
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError> {
        self.read(self.inner.snapshot(reads)).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        let locks = Locks {
            keys: keys.iter().copied().collect(),
            ..Locks::default()
        };
        self.wait_for(&locks, WAIT_MAX).await?;
        self.read(self.inner.records(keys)).await
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        self.read(self.inner.accounts(keys)).await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        self.read(self.inner.balances(keys)).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        self.read(self.inner.list_accounts(query)).await
    }

    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError> {
        self.read(self.inner.transfers(keys)).await
    }

    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.read(self.inner.list_transfers(query)).await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError> {
        self.damage.check(keys)?;
        self.read(self.inner.holds(keys)).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError> {
        self.read(self.inner.list_holds(query)).await
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError> {
        self.read(self.inner.referenced_holds(query)).await
    }

    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        self.read(self.inner.captures(query)).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError> {
        let inner = self.inner.as_ref();
        match &self.sabotage {
            Some(sabotage) => self.read(sabotage.expired_holds(inner, limit)).await,
            None => self.read(inner.expired_holds(limit)).await,
        }
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        self.read(self.inner.entries(query)).await
    }

    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        let locks = Locks {
            accounts: [account].into(),
            ..Locks::default()
        };
        self.wait_for(&locks, WAIT_MAX).await?;
        let read = async {
            let inner = self.inner.as_ref();
            let answer = match &self.sabotage {
                Some(sabotage) => sabotage.balance_at(inner, account, at).await?,
                None => inner.balance_at(account, at).await?,
            };
            if let Some(oracle) = &self.oracle {
                oracle.past_balance(account, at, answer.as_ref());
            }
            Ok(answer)
        };
        self.read(read).await
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        self.read(self.inner.ledgers()).await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError> {
        self.read(self.inner.trial_balance(ledger)).await
    }

    async fn epochs(&self) -> Result<Epochs, StoreError> {
        self.read(self.inner.epochs()).await
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
        self.read(self.inner.pending_sums(accounts)).await
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError> {
        self.read(self.inner.purgeable(purge)).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64, StoreError> {
        self.read(self.inner.purge(purge)).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.fail_probe().await?;
        self.inner.probe().await
    }
}
