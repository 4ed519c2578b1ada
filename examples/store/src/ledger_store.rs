//! The port of the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::decide::{Decision, decide};
use wallet_core::ledger::{
    Account, AccountKey, Balance, Entry, Epochs, Hold, HoldKey, LedgerId, PastBalance, RaisedBy,
    RaisedEpoch, Record, RecordKey, Timestamp, TransferKey, TransferWithReversals,
};
use wallet_core::request::{Batch, ReadSet};
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, EntryQuery, HoldQuery, HoldReferenceQuery, LedgerStore,
    Limits, PendingSums, Purge, ReferenceQuery, Snapshot, StoreError, TrialBalance,
};

use crate::ExampleStore;

#[async_trait]
impl LedgerStore for ExampleStore {
    fn limits(&self) -> Limits {
        Limits {
            requests: 1_000,
            rows: 100_000,
            bytes: 64 << 20,
        }
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed, StoreError> {
        let mut transaction = self.database.begin();
        let now = self.clock.now();
        let snapshot = transaction.tables.snapshot(batch.reads(), now);
        let Decision { decided, changes } = decide(&batch, &snapshot);
        if !changes.is_empty() {
            transaction.tables.apply(&changes, now)?;
            transaction.commit();
        }
        Ok(Committed { decided })
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot, StoreError> {
        let tables = self.database.read();
        Ok(tables.snapshot(reads, self.clock.now()))
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StoreError> {
        let tables = self.database.read();
        let stored = keys.iter().map(|key| tables.records.get(key));
        Ok(stored
            .map(|one| one.map(|one| one.record.clone()))
            .collect())
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, StoreError> {
        Ok(in_order(&self.database.read().accounts, keys))
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        let tables = self.database.read();
        let epoch = tables.epochs.current();
        let accounts = keys.iter().map(|key| tables.accounts.get(key));
        let balances = accounts.map(|one| one.map(|account| Balance::of(&account.state, epoch)));
        Ok(balances.collect())
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        Ok(self.database.read().list_accounts(query))
    }

    async fn transfers(
        &self,
        keys: &[TransferKey],
    ) -> Result<Vec<Option<TransferWithReversals>>, StoreError> {
        Ok(in_order(&self.database.read().transfers, keys))
    }

    async fn list_transfers(
        &self,
        query: &ReferenceQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        Ok(self.database.read().list_transfers(query))
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>, StoreError> {
        Ok(in_order(&self.database.read().holds, keys))
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>, StoreError> {
        Ok(self.database.read().list_holds(query))
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>, StoreError> {
        Ok(self.database.read().referenced_holds(query))
    }

    async fn captures(
        &self,
        query: &CaptureQuery,
    ) -> Result<Vec<TransferWithReversals>, StoreError> {
        Ok(self.database.read().captures(query))
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>, StoreError> {
        let tables = self.database.read();
        Ok(tables.expired_holds(self.clock.now(), limit))
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        Ok(self.database.read().list_entries(query))
    }

    async fn balance_at(
        &self,
        account: AccountKey,
        at: Timestamp,
    ) -> Result<Option<PastBalance>, StoreError> {
        let mut transaction = self.database.begin();
        let past = transaction
            .tables
            .balance_at(account, at, self.clock.now())?;
        transaction.commit();
        Ok(past)
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>, StoreError> {
        Ok(self.database.read().ledgers())
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>, StoreError> {
        Ok(self.database.read().trial_balance(ledger))
    }

    async fn epochs(&self) -> Result<Epochs, StoreError> {
        Ok(self.database.read().epochs.clone())
    }

    async fn raise_epoch(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
    ) -> Result<RaisedEpoch, StoreError> {
        let mut transaction = self.database.begin();
        let epochs = &mut transaction.tables.epochs;
        let raised = epochs.raise(restored_to, by, self.clock.now())?;
        *epochs = epochs.with(raised.clone());
        transaction.commit();
        Ok(raised)
    }

    async fn pending_sums(
        &self,
        accounts: &[AccountKey],
    ) -> Result<Vec<Option<PendingSums>>, StoreError> {
        Ok(self.database.read().pending_sums(accounts))
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64, StoreError> {
        let tables = self.database.read();
        Ok(tables.purgeable(purge, self.clock.now()))
    }

    async fn purge(&self, purge: Purge) -> Result<u64, StoreError> {
        let mut transaction = self.database.begin();
        let deleted = transaction.tables.purge(purge, self.clock.now());
        transaction.commit();
        Ok(deleted)
    }

    async fn probe(&self) -> Result<(), StoreError> {
        // The same path as a batch: begin and commit, without a row.
        self.database.begin().commit();
        Ok(())
    }
}

/// One answer per key, in the order of `keys`.
fn in_order<K: Ord, V: Clone>(table: &BTreeMap<K, V>, keys: &[K]) -> Vec<Option<V>> {
    keys.iter().map(|key| table.get(key).cloned()).collect()
}
